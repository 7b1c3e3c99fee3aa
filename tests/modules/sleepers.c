// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks that sleep in each way that the kernel has. X-hold holds X and sleeps; who runs
 * X-wait (or X-read, X-write) afterwards waits for it.
 *
 * No function here ends in a call that could be a jump: each is to have a frame.
 */
#include "ldhang.h"

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/percpu-rwsem.h>
#include <linux/rcupdate.h>
#include <linux/rtmutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/semaphore.h>
#include <linux/shmem_fs.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

static DECLARE_COMPLETION(ldhang_never);

static noinline void ldhang_sleep_killable(void)
{
	wait_for_completion_killable(&ldhang_never);
	barrier();
}

noinline void ldhang_sleep_for_good(void)
{
	wait_for_completion(&ldhang_never);
	barrier();
}

static DEFINE_MUTEX(ldhang_mutex);

static noinline void ldhang_mutex_hold(void)
{
	mutex_lock(&ldhang_mutex);
	ldhang_sleep_killable();
	mutex_unlock(&ldhang_mutex);
	barrier();
}

static noinline void ldhang_mutex_wait(void)
{
	if (mutex_lock_killable(&ldhang_mutex) == 0)
		mutex_unlock(&ldhang_mutex);
	barrier();
}

/* Two tasks, each with a mutex that the other wants: neither asks before both have one. */
static DEFINE_MUTEX(ldhang_mutex_a);
static DEFINE_MUTEX(ldhang_mutex_b);
static DECLARE_COMPLETION(ldhang_has_a);
static DECLARE_COMPLETION(ldhang_has_b);

static noinline void ldhang_mutex_ab(void)
{
	mutex_lock(&ldhang_mutex_a);
	complete(&ldhang_has_a);
	wait_for_completion(&ldhang_has_b);
	mutex_lock(&ldhang_mutex_b);
	mutex_unlock(&ldhang_mutex_b);
	mutex_unlock(&ldhang_mutex_a);
	barrier();
}

static noinline void ldhang_mutex_ba(void)
{
	mutex_lock(&ldhang_mutex_b);
	complete(&ldhang_has_b);
	wait_for_completion(&ldhang_has_a);
	mutex_lock(&ldhang_mutex_a);
	mutex_unlock(&ldhang_mutex_a);
	mutex_unlock(&ldhang_mutex_b);
	barrier();
}

static DECLARE_RWSEM(ldhang_rwsem);

static noinline void ldhang_rwsem_hold(void)
{
	down_write(&ldhang_rwsem);
	ldhang_sleep_killable();
	up_write(&ldhang_rwsem);
	barrier();
}

static noinline void ldhang_rwsem_read(void)
{
	down_read(&ldhang_rwsem);
	up_read(&ldhang_rwsem);
	barrier();
}

static noinline void ldhang_rwsem_write(void)
{
	down_write(&ldhang_rwsem);
	up_write(&ldhang_rwsem);
	barrier();
}

static struct semaphore ldhang_semaphore = __SEMAPHORE_INITIALIZER(ldhang_semaphore, 1);

static noinline void ldhang_semaphore_hold(void)
{
	down(&ldhang_semaphore);
	ldhang_sleep_killable();
	up(&ldhang_semaphore);
	barrier();
}

static noinline void ldhang_semaphore_wait(void)
{
	down(&ldhang_semaphore);
	up(&ldhang_semaphore);
	barrier();
}

static DEFINE_RT_MUTEX(ldhang_rt_mutex);

static noinline void ldhang_rt_mutex_hold(void)
{
	rt_mutex_lock(&ldhang_rt_mutex);
	ldhang_sleep_killable();
	rt_mutex_unlock(&ldhang_rt_mutex);
	barrier();
}

static noinline void ldhang_rt_mutex_wait(void)
{
	rt_mutex_lock(&ldhang_rt_mutex);
	rt_mutex_unlock(&ldhang_rt_mutex);
	barrier();
}

DEFINE_STATIC_PERCPU_RWSEM(ldhang_percpu_rwsem);

static noinline void ldhang_percpu_rwsem_hold(void)
{
	percpu_down_write(&ldhang_percpu_rwsem);
	ldhang_sleep_killable();
	percpu_up_write(&ldhang_percpu_rwsem);
	barrier();
}

static noinline void ldhang_percpu_rwsem_read(void)
{
	percpu_down_read(&ldhang_percpu_rwsem);
	percpu_up_read(&ldhang_percpu_rwsem);
	barrier();
}

static noinline void ldhang_percpu_rwsem_write(void)
{
	percpu_down_write(&ldhang_percpu_rwsem);
	percpu_up_write(&ldhang_percpu_rwsem);
	barrier();
}

static unsigned long ldhang_bits = 1;

static noinline void ldhang_bit_wait(void)
{
	wait_on_bit_lock(&ldhang_bits, 0, TASK_UNINTERRUPTIBLE);
	barrier();
}

/* The first page of a file. */
static struct file *ldhang_file;
static struct page *ldhang_page;

static noinline void ldhang_page_hold(void)
{
	lock_page(ldhang_page);
	ldhang_sleep_killable();
	unlock_page(ldhang_page);
	barrier();
}

static noinline void ldhang_page_wait(void)
{
	lock_page(ldhang_page);
	unlock_page(ldhang_page);
	barrier();
}

static DECLARE_WAIT_QUEUE_HEAD(ldhang_queue);
static bool ldhang_event; /* Never set. */

static noinline void ldhang_event_wait(void)
{
	wait_event(ldhang_queue, READ_ONCE(ldhang_event));
	barrier();
}

/* Of the queue, which does one work at a time, the first never ends and the second never begins. */
static struct workqueue_struct *ldhang_workqueue;

static noinline void ldhang_work_function(struct work_struct *work)
{
	ldhang_sleep_killable();
	barrier();
}

static noinline void ldhang_late_function(struct work_struct *work)
{
	barrier();
}

static DECLARE_WORK(ldhang_work, ldhang_work_function);
static DECLARE_WORK(ldhang_late_work, ldhang_late_function);

static noinline void ldhang_work_flush(void)
{
	queue_work(ldhang_workqueue, &ldhang_work);
	queue_work(ldhang_workqueue, &ldhang_late_work);
	flush_work(&ldhang_work);
	barrier();
}

static noinline void ldhang_work_flush_late(void)
{
	flush_work(&ldhang_late_work);
	barrier();
}

static noinline void ldhang_work_cancel(void)
{
	cancel_work_sync(&ldhang_work);
	barrier();
}

static noinline void ldhang_workqueue_flush(void)
{
	flush_workqueue(ldhang_workqueue);
	barrier();
}

/* It neither stops nor parks, which it would if it was told to before it began. */
static noinline int ldhang_thread(void *data)
{
	complete(data);
	ldhang_sleep_killable();
	return 0;
}

static struct task_struct *ldhang_start(const char *name)
{
	DECLARE_COMPLETION_ONSTACK(begun);
	struct task_struct *thread = kthread_run(ldhang_thread, &begun, "%s", name);

	if (!IS_ERR(thread))
		wait_for_completion(&begun);
	return thread;
}

static noinline void ldhang_thread_stop(void)
{
	struct task_struct *thread = ldhang_start("ldhang_stopping");

	if (!IS_ERR(thread))
		kthread_stop(thread);
	barrier();
}

static noinline void ldhang_thread_park(void)
{
	struct task_struct *thread = ldhang_start("ldhang_parking");

	if (!IS_ERR(thread))
		kthread_park(thread);
	barrier();
}

/* Waits as long as a CPU hangs, once there is one. */
static noinline void ldhang_rcu_wait(void)
{
	while (!READ_ONCE(ldhang_event))
		synchronize_rcu();
	barrier();
}

static noinline void __noreturn ldhang_sleep(void)
{
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}

/*
 * A task whose stack has a return address in no function of its own. The call
 * is the last instruction here and ends where functions are aligned, so the
 * address behind it is that of the next function.
 */
static noinline void ldhang_last_call(void)
{
	asm volatile(".p2align 4, 0x90\n\t.skip 11, 0x90");
	ldhang_sleep();
}

const struct scenario ldhang_sleepers[] = {
	{ "mutex-hold", ldhang_mutex_hold },
	{ "mutex-wait", ldhang_mutex_wait },
	{ "mutex-ab", ldhang_mutex_ab },
	{ "mutex-ba", ldhang_mutex_ba },
	{ "rwsem-hold", ldhang_rwsem_hold },
	{ "rwsem-read", ldhang_rwsem_read },
	{ "rwsem-write", ldhang_rwsem_write },
	{ "semaphore-hold", ldhang_semaphore_hold },
	{ "semaphore-wait", ldhang_semaphore_wait },
	{ "completion-wait", ldhang_sleep_for_good },
	{ "rt-mutex-hold", ldhang_rt_mutex_hold },
	{ "rt-mutex-wait", ldhang_rt_mutex_wait },
	{ "percpu-hold", ldhang_percpu_rwsem_hold },
	{ "percpu-read", ldhang_percpu_rwsem_read },
	{ "percpu-write", ldhang_percpu_rwsem_write },
	{ "bit-wait", ldhang_bit_wait },
	{ "page-hold", ldhang_page_hold },
	{ "page-wait", ldhang_page_wait },
	{ "event-wait", ldhang_event_wait },
	{ "work-flush", ldhang_work_flush },
	{ "work-flush-late", ldhang_work_flush_late },
	{ "work-cancel", ldhang_work_cancel },
	{ "queue-flush", ldhang_workqueue_flush },
	{ "thread-stop", ldhang_thread_stop },
	{ "thread-park", ldhang_thread_park },
	{ "rcu-wait", ldhang_rcu_wait },
	{ "last-call", ldhang_last_call },
	{},
};

/* They have a type of their own since 7.0. */
#ifdef EMPTY_VMA_FLAGS
#define NO_VMA_FLAGS EMPTY_VMA_FLAGS
#else
#define NO_VMA_FLAGS 0
#endif

int ldhang_sleepers_init(void)
{
	/* Lockdep would see these two coming, and keep no more account of any lock. */
	lockdep_set_novalidate_class(&ldhang_mutex_a);
	lockdep_set_novalidate_class(&ldhang_mutex_b);
	ldhang_file = shmem_file_setup("ldhang_file", PAGE_SIZE, NO_VMA_FLAGS);
	if (IS_ERR(ldhang_file))
		return PTR_ERR(ldhang_file);
	ldhang_page = shmem_read_mapping_page(ldhang_file->f_mapping, 0);
	if (IS_ERR(ldhang_page)) {
		fput(ldhang_file);
		return PTR_ERR(ldhang_page);
	}
	ldhang_workqueue = alloc_ordered_workqueue("ldhang_queue", 0);
	if (ldhang_workqueue)
		return 0;
	put_page(ldhang_page);
	fput(ldhang_file);
	return -ENOMEM;
}

void ldhang_sleepers_exit(void)
{
	destroy_workqueue(ldhang_workqueue);
	put_page(ldhang_page);
	fput(ldhang_file);
}
