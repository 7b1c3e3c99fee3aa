// SPDX-License-Identifier: GPL-2.0-only
/* Whose work a completion waits for, what a lock belongs to, and who may hold one that does not say so. */
#include <string.h>

#include "make_machine.h"
#include "test.h"
#include "verdict/wait_graph.h"

#define LOCK_C_AT     0xffff888000400000ull /* of no symbol */
#define DATA(n)	      (0xffff888000500000ull + (n)*0x1000ull)
#define PF_KTHREAD    0x00200000
#define KTHREAD(n)    DATA(n)
#define WORKER(n)     (DATA(n) + 0x100)
#define PWQ	      DATA(0x40) /* aligned to what flags are in its place */
#define WORKQUEUE     DATA(0x41)
#define POOL	      DATA(0x42)
#define WORK	      DATA(0x43)
#define INODE	      DATA(0x50)
#define SUPERBLOCK    DATA(0x51)
#define FS_TYPE	      DATA(0x52)
#define DENTRY(n)     (DATA(0x53) + (n)*0x100ull)
#define REQUEST(n)    (DATA(0x54) + (n)*0x100ull)
#define THE_FILE      DATA(0x55)
#define DEVICE	      DATA(0x56)
#define I_DATA	      0x80
#define I_RWSEM	      0x40
#define BARRIER(n)    (FRAME(n) + 0x40) /* the completion is 32 behind */
#define COMPLETION(n) (BARRIER(n) + 32)

static const char types[] =
	"struct kthread 128 flags:u64@0 data:ptr@16 parked:completion@24 exited:completion@56\n"
	"struct worker 128 current_work:ptr@16 current_func:ptr@24 current_pwq:ptr@32 "
	"current_color:u32@40 scheduled:list_head@48 task:ptr@64 pool:ptr@72\n"
	"struct work_struct 32 data:u64@0 entry:list_head@8 func:ptr@24\n"
	"struct wq_barrier 72 work:work_struct@0 done:completion@32 task:ptr@64\n"
	"struct wq_flusher 56 list:list_head@0 flush_color:u32@16 done:completion@24\n"
	"struct pool_workqueue 256 pool:ptr@0 wq:ptr@8 inactive_works:list_head@16\n"
	"struct worker_pool 64 cpu:u32@4 worklist:list_head@16\n"
	"struct workqueue_struct 256 list:list_head@16 first_flusher:ptr@48 "
	"flusher_queue:list_head@56 flusher_overflow:list_head@72 name:char[24]@96\n"
	"struct address_space 64 host:ptr@0 invalidate_lock:rw_semaphore@8\n"
	"struct hlist_head 8 first:ptr@0\n struct hlist_node 16 next:ptr@0\n"
	"struct inode 256 i_sb:ptr@0 i_mapping:ptr@8 i_ino:u64@16 i_rdev:u32@24 i_state:u64@32 "
	"i_rwsem:rw_semaphore@0x40 i_dentry:hlist_head@0x70 i_data:address_space@0x80\n"
	"struct file_system_type 16 name:ptr@0\n"
	"struct super_block 256 s_type:ptr@0 s_umount:rw_semaphore@8 s_root:ptr@64 s_id:char[32]@72\n"
	"struct qstr 16 name:ptr@8\n"
	"struct dentry 64 d_parent:ptr@0 d_name:qstr@8 d_inode:ptr@24 d_sb:ptr@32 "
	"d_alias:hlist_node@40\n"
	"struct folio 64 flags:u64@0 mapping:ptr@24 index:u64@32\n"
	"struct buffer_head 64 b_state:u64@0 b_blocknr:u64@16 b_bdev:ptr@24\n"
	"struct kobject 16 name:ptr@0\n struct device 16 kobj:kobject@0\n"
	"struct block_device 64 bd_dev:u32@0 bd_device:device@16\n"
	"struct file 16 f_inode:ptr@8\n"
	"struct file_lock 64 fl_blocker:ptr@0 fl_flags:u32@8 fl_pid:u32@12 fl_file:ptr@16 "
	"fl_wait:wait_queue_head@24\n"
	"struct journal_s 256 j_running_transaction:ptr@0 j_committing_transaction:ptr@8 "
	"j_wait_transaction_locked:wait_queue_head@16 j_wait_done_commit:wait_queue_head@40 "
	"j_wait_updates:wait_queue_head@64 j_task:ptr@88 j_devname:char[56]@96\n"
	"struct jbd2_journal_handle 16 h_transaction:ptr@0\n"
	"symbol jbd2_wait 0xffffffff81001900\n"
	"symbol work_function 0xffffffff81001500\n symbol late_function 0xffffffff81001600\n"
	"symbol wq_barrier_func 0xffffffff81001700\n symbol __wait_on_buffer 0xffffffff81001800\n"
	"symbol end_of_work 0xffffffff81001a00\n"
	"symbol workqueues 0xffffffff82b00200 D\n symbol end_of_queues 0xffffffff82b00300 D\n";

/* The machine, with tasks 1 and 2 on their CPUs. */
static void begin(struct made_machine *m)
{
	made_machine_begin(m, made_locks_with_lists);
	make_kernel_text(&m->k, types);
	made_machine_runner(m, 1, "want", "0", "want");
	made_machine_runner(m, 2, "want", "0", "want");
}

/* Task @n waits for the completion at @address. */
static void wait_for(struct made_machine *m, unsigned int n, uint64_t address)
{
	made_machine_sleeper(m, n, "__wait_for_common");
	made_machine_put(m, FRAME(n), TASK(n));
	make_kernel_line(&m->k, "at 0x%llx\n fill 32 0", (unsigned long long)address);
	LINK(m, address + 16, FRAME(n) + 8);
}

static void set_kthread(struct made_machine *m, unsigned int n)
{
	make_kernel_line(&m->k, "set 0x%llx task_struct.flags 0x%x", TASK(n), PF_KTHREAD);
	make_kernel_line(&m->k, "at 0x%llx\n fill 0x200 0", KTHREAD(n));
	make_kernel_line(&m->k, "set 0x%llx task_struct.vfork_done 0x%llx", TASK(n),
			 KTHREAD(n) + 56);
}

/* Task @n is a kernel thread that does @function for a workqueue. */
static void add_worker(struct made_machine *m, unsigned int n, const char *function)
{
	made_machine_sleeper(m, n, "some_function");
	set_kthread(m, n);
	make_kernel_line(&m->k, "set 0x%llx kthread.data 0x%llx", KTHREAD(n), WORKER(n));
	make_kernel_line(&m->k, "set 0x%llx worker.task 0x%llx\nset 0x%llx worker.current_func %s",
			 WORKER(n), TASK(n), WORKER(n), function);
	make_kernel_line(&m->k,
			 "set 0x%llx worker.current_work 0x%llx\n"
			 "set 0x%llx worker.current_pwq 0x%llx",
			 WORKER(n), WORK, WORKER(n), PWQ);
	make_kernel_line(&m->k, "set 0x%llx worker.pool 0x%llx\nset 0x%llx worker.current_color 3",
			 WORKER(n), POOL, WORKER(n));
	LINK(m, WORKER(n) + 48);
}

static void add_workqueue(struct made_machine *m)
{
	make_kernel_line(&m->k, "at 0x%llx\n fill 256 0\nat 0x%llx\n fill 256 0", PWQ, WORKQUEUE);
	make_kernel_line(&m->k, "at 0x%llx\n fill 64 0\nat 0x%llx\n fill 64 0", POOL, WORK);
	make_kernel_line(&m->k,
			 "set 0x%llx pool_workqueue.wq 0x%llx\n"
			 "set 0x%llx pool_workqueue.pool 0x%llx",
			 PWQ, WORKQUEUE, PWQ, POOL);
	make_kernel_line(&m->k, "at 0x%llx\n str its_queue", WORKQUEUE + 96);
	make_kernel_line(&m->k, "set 0x%llx worker_pool.cpu 1", POOL);
	LINK(m, PWQ + 16);
	LINK(m, POOL + 16);
	LINK(m, WORKQUEUE + 56);
	LINK(m, WORKQUEUE + 72);
	LINK(m, 0xffffffff82b00200, WORKQUEUE + 16);
}

/* Task @n waits with a barrier on its stack; returns the place of that on a list of work. */
static uint64_t flush(struct made_machine *m, unsigned int n)
{
	wait_for(m, n, COMPLETION(n));
	make_kernel_line(&m->k, "at 0x%llx\n u64 0x%llx 0 0 wq_barrier_func", BARRIER(n), PWQ | 5);
	return BARRIER(n) + 8;
}

static const struct lock *assert_detail(const struct made_machine *m, uint32_t pid,
					const char *detail)
{
	const struct lock *lock = made_machine_lock(m, pid);

	assert_non_null(lock);
	assert_non_null(lock->detail);
	assert_string_equal(lock->detail, detail);
	return lock;
}

static void assert_holder(const struct made_machine *m, const struct lock *lock, uint32_t pid,
			  const char *why)
{
	assert_int_equal(lock->holders.count, 1);
	assert_int_equal(lock->holders.data[0].task, made_machine_place(m, pid));
	assert_int_equal(lock->holders.data[0].certain, !why);
	if (why)
		assert_string_equal(lock->holders.data[0].why, why);
}

static void the_end_of_a_child(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	wait_for(&m, 3, FRAME(3) + 0x80);
	made_machine_sleeper(&m, 4, "some_function");
	make_kernel_line(&m.k, "set 0x%llx task_struct.real_parent 0x%llx", TASK(4), TASK(3));
	make_kernel_line(&m.k, "set 0x%llx task_struct.vfork_done 0x%llx", TASK(4),
			 FRAME(3) + 0x80);
	made_machine_find(&m);
	assert_holder(&m, assert_detail(&m, 3, "until the child of vfork() runs a program or ends"),
		      4, NULL);
	made_machine_end(&m);
}

static void the_end_of_a_kernel_thread(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	made_machine_sleeper(&m, 3, "some_function");
	set_kthread(&m, 3);
	wait_for(&m, 4, KTHREAD(3) + 56);
	made_machine_sleeper(&m, 5, "some_function");
	set_kthread(&m, 5);
	wait_for(&m, 6, KTHREAD(5) + 24);
	made_machine_find(&m);
	assert_holder(&m, assert_detail(&m, 4, "until the kernel thread ends"), 3, NULL);
	assert_holder(&m, assert_detail(&m, 6, "until the kernel thread is parked"), 5, NULL);
	made_machine_end(&m);
}

static void work_that_is_done(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	add_worker(&m, 3, "work_function");
	add_workqueue(&m);
	/* Behind the first barrier comes other work, with a barrier of its own. */
	uint64_t first = flush(&m, 4), second = flush(&m, 5);
	make_kernel_line(&m.k, "at 0x%llx\n u64 0 0 0 late_function", WORK);
	LINK(&m, WORKER(3) + 48, first, WORK + 8, second);
	made_machine_find(&m);
	assert_holder(
		&m, assert_detail(&m, 4, "until work work_function of workqueue its_queue is done"),
		3, NULL);
	assert_holder(
		&m, assert_detail(&m, 5, "until work late_function of workqueue its_queue is done"),
		3, NULL);
	made_machine_end(&m);
}

/* Who has a mutex that the work wants waits for it forever. */
static void work_that_wants_a_lock_of_its_flusher(void **state)
{
	struct wait_cycle cycle;
	struct made_machine m;

	(void)state;
	begin(&m);
	add_worker(&m, 3, "work_function");
	make_kernel_line(&m.k, "at 0x%llx\n u64 __mutex_lock.constprop.0+4", SP(3) + 56);
	add_workqueue(&m);
	LINK(&m, WORKER(3) + 48, flush(&m, 4));
	LINK(&m, LOCK_AT + 16, made_machine_waiter(&m, 3));
	made_machine_put(&m, LOCK_AT, TASK(4) | 1);
	made_machine_find(&m);
	assert_true(wait_graph_cycle(&m.locks, LOCK_NONE, &cycle));
	assert_int_equal(cycle.count, 2);
	assert_true(cycle.certain);
	made_machine_end(&m);
}

static void work_that_has_not_begun(void **state)
{
	static const char detail[] =
		"until work late_function of workqueue its_queue is done, which has not begun";
	/* Where it waits, what state the worker of another work of the pool is in, and who is named. */
	static const struct {
		uint64_t head;
		unsigned int state;
		uint32_t holder;
		const char *why;
	} cases[] = {
		{ POOL + 16, 0, 3,
		  "does work work_function of workqueue its_queue, before which the other does not "
		  "begin" },
		{ POOL + 16, 2, 2, "runs on CPU 1, where the work is to be done" },
		{ PWQ + 16, 2, 3,
		  "does work work_function of workqueue its_queue, before which the other does not "
		  "begin" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		add_worker(&m, 3, "work_function");
		add_workqueue(&m);
		make_kernel_line(&m.k, "set 0x%llx task_struct.__state %u", TASK(3),
				 cases[i].state);
		make_kernel_line(&m.k, "at 0x%llx\n u64 0 0 0 late_function", WORK);
		uint64_t barrier = flush(&m, 4);
		LINK(&m, cases[i].head, WORK + 8, barrier);
		made_machine_find(&m);
		assert_holder(&m, assert_detail(&m, 4, detail), cases[i].holder, cases[i].why);
		made_machine_end(&m);
	}
}

/* In such a pool a worker begins whatever the others do. */
static void work_of_no_cpu(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	add_worker(&m, 3, "work_function");
	add_workqueue(&m);
	make_kernel_line(&m.k,
			 "set 0x%llx task_struct.__state 0\nset 0x%llx worker_pool.cpu 0xffffffff",
			 TASK(3), POOL);
	make_kernel_line(&m.k, "at 0x%llx\n u64 0 0 0 late_function", WORK);
	uint64_t barrier = flush(&m, 4);
	LINK(&m, POOL + 16, WORK + 8, barrier);
	made_machine_find(&m);
	assert_int_equal(made_machine_lock(&m, 4)->holders.count, 0);
	made_machine_end(&m);
}

static void a_flushed_workqueue(void **state)
{
	/* Who flushes first, and the color that is flushed. */
	static const struct {
		bool first;
		unsigned int color;
		size_t holders;
		const char *why;
	} cases[] = {
		{ true, 3, 1, NULL },
		{ true, 2, 0, NULL },
		{ false, 3, 1, NULL },
		{ false, 4, 1, "does work work_function of it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		uint64_t flusher = FRAME(4) + 0x40;
		begin(&m);
		add_worker(&m, 3, "work_function");
		add_workqueue(&m);
		wait_for(&m, 4, flusher + 24);
		make_kernel_line(&m.k, "set 0x%llx wq_flusher.flush_color %u",
				 (unsigned long long)flusher, cases[i].color);
		make_kernel_line(&m.k, "set 0x%llx workqueue_struct.first_flusher 0x%llx",
				 WORKQUEUE,
				 cases[i].first ? (unsigned long long)flusher : FRAME(9));
		if (cases[i].first)
			LINK(&m, flusher);
		else
			LINK(&m, WORKQUEUE + 56, flusher);
		made_machine_find(&m);
		const struct lock *lock =
			assert_detail(&m, 4, "until all work of workqueue its_queue is done");
		assert_int_equal(lock->holders.count, cases[i].holders);
		if (cases[i].holders)
			assert_holder(&m, lock, 3, cases[i].why);
		made_machine_end(&m);
	}
}

/* Flushes that a damaged dump shows end in less, or in nothing. */
static void hostile_flushes(void **state)
{
	static const struct {
		const char *change;
		bool explained, held;
	} cases[] = {
		{ "", true, true },
		/* The barrier's links lead nowhere, or into a list of nobody. */
		{ "at 0xffffc90000143888\n u64 0", true, false },
		{ "at 0xffffc90000143888\n u64 0xffffc90000143888 0xffffc90000143888", true,
		  false },
		/* The workqueue's list goes in a circle without its head. */
		{ "at 0xffffffff82b00200\n u64 0xffff888000541010\nat 0xffff888000541010\n"
		  "u64 0xffff888000541010",
		  true, true },
		/* It is another's worker, or does nothing. */
		{ "set 0xffff888000503100 worker.task 0xffff888000104000", true, false },
		{ "set 0xffff888000503100 worker.current_work 0", true, false },
		{ "set 0xffff888000503000 kthread.data 8", true, false },
		/* No barrier. */
		{ "at 0xffffc90000143898\n u64 late_function", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		add_worker(&m, 3, "work_function");
		add_workqueue(&m);
		LINK(&m, WORKER(3) + 48, flush(&m, 4));
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 4);
		assert_non_null(lock);
		bool explained = !strncmp(lock->detail, "until ", 6);
		if (explained != cases[i].explained || !!lock->holders.count != cases[i].held)
			fail_msg("case %zu: '%s', %zu holders", i, lock->detail,
				 lock->holders.count);
		made_machine_end(&m);
	}
}

/* An inode: /folder/file of its file system. */
static void add_file(struct made_machine *m)
{
	make_kernel_line(&m->k, "at 0x%llx\n fill 256 0\nat 0x%llx\n fill 256 0", INODE,
			 SUPERBLOCK);
	make_kernel_line(&m->k, "set 0x%llx inode.i_sb 0x%llx\nset 0x%llx inode.i_ino 12", INODE,
			 SUPERBLOCK, INODE);
	make_kernel_line(&m->k,
			 "set 0x%llx inode.i_mapping 0x%llx\n"
			 "set 0x%llx inode.i_data.host 0x%llx",
			 INODE, INODE + I_DATA, INODE, INODE);
	make_kernel_line(&m->k, "set 0x%llx inode.i_dentry.first 0x%llx", INODE, DENTRY(2) + 40);
	make_kernel_line(&m->k, "set 0x%llx super_block.s_type 0x%llx\nat 0x%llx\n str sda1",
			 SUPERBLOCK, FS_TYPE, SUPERBLOCK + 72);
	make_kernel_line(&m->k, "set 0x%llx super_block.s_root 0x%llx", SUPERBLOCK, DENTRY(0));
	make_kernel_line(&m->k, "at 0x%llx\n u64 0x%llx\nat 0x%llx\n str ext4", FS_TYPE,
			 FS_TYPE + 0x80, FS_TYPE + 0x80);
	static const char *const names[] = { "/", "folder", "file" };
	for (int i = 0; i < 3; i++)
		make_kernel_line(&m->k,
				 "at 0x%llx\n u64 0x%llx 0 0x%llx 0x%llx 0x%llx 0 0\n"
				 "at 0x%llx\n str %s",
				 DENTRY(i), DENTRY(i ? i - 1 : 0), DENTRY(i) + 0x80,
				 i == 2 ? INODE : 0, SUPERBLOCK, DENTRY(i) + 0x80, names[i]);
}

/* Task @n waits for the rwsem at @address, which nobody holds. */
static void wait_for_rwsem(struct made_machine *m, unsigned int n, uint64_t address)
{
	made_machine_sleeper(m, n, "rwsem_down_write_slowpath");
	LINK(m, address + 24, made_machine_waiter(m, n));
	make_kernel_line(&m->k, "at 0x%llx\n u64 2 0", (unsigned long long)address);
}

static void the_lock_of_a_file(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	add_file(&m);
	wait_for_rwsem(&m, 3, INODE + I_RWSEM);
	wait_for_rwsem(&m, 4, INODE + I_DATA + 8);
	wait_for_rwsem(&m, 5, SUPERBLOCK + 8);
	made_machine_find(&m);
	assert_detail(&m, 3, "i_rwsem of inode 12 of ext4 on sda1, /folder/file");
	assert_detail(&m, 4, "invalidate_lock of inode 12 of ext4 on sda1, /folder/file");
	assert_detail(&m, 5, "s_umount of ext4 on sda1");
	made_machine_end(&m);
}

static void the_lock_of_an_address_space(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	make_kernel_line(&m.k, "set 0x%llx task_struct.mm 0x%llx", TASK(2), LOCK_C_AT - 0x28);
	make_kernel_line(&m.k, "at 0x%llx\n fill 64 0", LOCK_C_AT - 0x28);
	wait_for_rwsem(&m, 3, LOCK_C_AT);
	made_machine_find(&m);
	assert_detail(&m, 3, "mmap_lock of task_2, process 2");
	made_machine_end(&m);
}

/* What only looks like an inode is none. */
static void hostile_files(void **state)
{
	static const struct {
		const char *change, *detail;
	} cases[] = {
		{ "", "i_rwsem of inode 12 of ext4 on sda1, /folder/file" },
		{ "set 0xffff888000550000 inode.i_data.host 0xffff888000550008", NULL },
		{ "set 0xffff888000550000 inode.i_dentry.first 0",
		  "i_rwsem of inode 12 of ext4 on sda1" },
		{ "set 0xffff888000553200 dentry.d_inode 0",
		  "i_rwsem of inode 12 of ext4 on sda1" },
		{ "set 0xffff888000550000 inode.i_sb 0xffff888000550000",
		  "i_rwsem of inode 12 of a file system, /folder/file" },
		/* A folder that is in itself by another. */
		{ "set 0xffff888000553000 dentry.d_parent 0xffff888000553100", "" },
		/* Of no folder. */
		{ "set 0xffff888000553200 dentry.d_parent 0xffff888000553200",
		  "i_rwsem of inode 12 of ext4 on sda1, file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		add_file(&m);
		wait_for_rwsem(&m, 3, INODE + I_RWSEM);
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const char *detail = made_machine_lock(&m, 3)->detail;
		if (!cases[i].detail)
			assert_null(detail);
		else if (cases[i].detail[0])
			assert_string_equal(detail, cases[i].detail);
		made_machine_end(&m);
	}
}

/* Task @n sleeps in @function with the entry at FRAME(n) + 0x40 of a wait queue with the head at @head. */
static void wait_in_queue(struct made_machine *m, unsigned int n, const char *function,
			  const char *wake, uint64_t head)
{
	made_machine_sleeper(m, n, function);
	make_kernel_line(&m->k, "at 0x%llx\n u64 0 0x%llx %s", FRAME(n) + 0x40, TASK(n), wake);
	LINK(m, head, FRAME(n) + 0x40 + 24);
}

static void the_page_of_a_file(void **state)
{
	static const struct {
		uint64_t mapping;
		const char *detail;
	} cases[] = {
		{ INODE + I_DATA, "PG_locked, page 7 of inode 12 of ext4 on sda1, /folder/file" },
		{ (INODE + I_DATA) | 1, "PG_locked, of anonymous memory" },
		{ INODE, "PG_locked" },
		{ 0, "PG_locked" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		add_file(&m);
		wait_in_queue(&m, 3, "some_function", "wake_page_function", 0xffffffff82b00188);
		made_machine_put(&m, FRAME(3) + 0x40 - 16, LOCK_C_AT);
		made_machine_put(&m, FRAME(3) + 0x40 - 8, 0);
		made_machine_sleeper(&m, 4, "some_function");
		made_machine_put(&m, FRAME(4) + 0x10, LOCK_C_AT);
		make_kernel_line(&m.k, "at 0x%llx\n u64 0 0 0 0x%llx 7", LOCK_C_AT,
				 (unsigned long long)cases[i].mapping);
		made_machine_find(&m);
		assert_holder(&m, assert_detail(&m, 3, cases[i].detail), 4,
			      "its stack has the lock's address");
		made_machine_end(&m);
	}
}

static void a_bit_of_a_file_or_a_buffer(void **state)
{
	struct made_machine m;

	(void)state;
	begin(&m);
	add_file(&m);
	wait_in_queue(&m, 3, "some_function", "wake_bit_function", 0xffffffff82b00188);
	made_machine_put(&m, FRAME(3) + 0x40 - 24, INODE + 32);
	made_machine_put(&m, FRAME(3) + 0x40 - 16, 4);
	wait_in_queue(&m, 4, "__wait_on_buffer", "wake_bit_function", 0xffffffff82b00198);
	made_machine_put(&m, FRAME(4) + 0x40 - 24, LOCK_C_AT);
	made_machine_put(&m, FRAME(4) + 0x40 - 16, 2);
	make_kernel_line(&m.k, "at 0x%llx\n u64 0 0 1234 0x%llx", LOCK_C_AT, DEVICE);
	make_kernel_line(&m.k, "at 0x%llx\n u64 0x800003 0 0x%llx\nat 0x%llx\n str sda3", DEVICE,
			 DEVICE + 0x80, DEVICE + 0x80);
	made_machine_find(&m);
	assert_detail(&m, 3, "bit 4, i_state of inode 12 of ext4 on sda1, /folder/file");
	assert_detail(&m, 4, "bit 2, buffer of block 1234 of sda3 (8:3)");
	made_machine_end(&m);
}

static void the_lock_on_a_file(void **state)
{
	static const struct {
		unsigned int flags;
		const char *detail, *why;
	} cases[] = {
		{ 1, "POSIX lock of inode 12 of ext4 on sda1, /folder/file", NULL },
		{ 2, "flock lock of inode 12 of ext4 on sda1, /folder/file", "it took the lock" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		add_file(&m);
		wait_in_queue(&m, 3, "some_function", "autoremove_wake_function", REQUEST(0) + 32);
		made_machine_sleeper(&m, 4, "some_function");
		make_kernel_line(&m.k, "at 0x%llx\n u64 0 0x%llx", THE_FILE, INODE);
		make_kernel_line(&m.k, "at 0x%llx\n u64 0x%llx 0 0x%llx", REQUEST(0), REQUEST(1),
				 THE_FILE);
		make_kernel_line(&m.k, "at 0x%llx\n u64 0\n u32 %u 4\n u64 0x%llx", REQUEST(1),
				 cases[i].flags, THE_FILE);
		made_machine_find(&m);
		assert_holder(&m, assert_detail(&m, 3, cases[i].detail), 4, cases[i].why);
		made_machine_end(&m);
	}
}

#define JOURNAL	    DATA(0x60)
#define HANDLE	    DATA(0x61)
#define TRANSACTION DATA(0x62)

/* Task 3 waits for the journal, that one's thread 4 for task 5, which has a part in the transaction. */
static void a_journal(void **state)
{
	static const struct {
		const char *change;
		bool told, held;
	} cases[] = {
		{ "", true, true },
		{ "at 0xffff888000104070\n str jbd2/sdb1-8", false, false }, /* another's thread */
		{ "at 0xffff888000561000\n u64 0", true, false }, /* no part in this one */
		{ "set 0xffff888000105000 task_struct.journal_info 8", true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		make_kernel_line(&m.k,
				 "at 0x%llx\n u64 0 0x%llx\n fill 240 0\nat 0x%llx\n str sda1-8",
				 JOURNAL, TRANSACTION, JOURNAL + 96);
		wait_in_queue(&m, 3, "jbd2_wait", "autoremove_wake_function", JOURNAL + 48);
		wait_in_queue(&m, 4, "jbd2_wait", "autoremove_wake_function", JOURNAL + 72);
		make_kernel_line(&m.k,
				 "set 0x%llx task_struct.flags 0x%x\nat 0x%llx\n str jbd2/sda1-8",
				 TASK(4), PF_KTHREAD, TASK(4) + 112);
		make_kernel_line(&m.k, "set 0x%llx journal_s.j_task 0x%llx", JOURNAL, TASK(4));
		made_machine_sleeper(&m, 5, "some_function");
		make_kernel_line(
			&m.k,
			"set 0x%llx task_struct.journal_info 0x%llx\nat 0x%llx\n u64 0x%llx 0",
			TASK(5), HANDLE, HANDLE, TRANSACTION);
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *commit = made_machine_lock(&m, 3);
		const struct lock *updates = made_machine_lock(&m, 4);
		assert_int_equal(!!commit->detail, cases[i].told);
		assert_int_equal(commit->holders.count, cases[i].told);
		assert_int_equal(updates->holders.count, cases[i].held);
		if (cases[i].held) {
			assert_holder(
				&m,
				assert_detail(&m, 3, "until the journal of sda1-8 is committed"), 4,
				NULL);
			assert_holder(
				&m,
				assert_detail(&m, 4,
					      "until all are done with the transaction of the "
					      "journal of sda1-8"),
				5, NULL);
			assert_string_equal(lock_participle(commit), "ended");
		}
		made_machine_end(&m);
	}
}

/* A semaphore whose kernel does not know who took it. */
static void who_may_hold_it(void **state)
{
	static const struct {
		const char *change;
		bool found;
	} cases[] = {
		{ "at want+0x20\n u8 0x48 0xc7 0xc7\n u32 0x82b00000",
		  false }, /* all are in want() */
		{ "at 0xffffc90000143848\n u64 lock", true },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_machine m;
		begin(&m);
		made_machine_sleeper(&m, 3, "__down_common");
		LINK(&m, LOCK_AT + 8, made_machine_waiter(&m, 3));
		for (unsigned int n = 4; n <= 6; n++)
			made_machine_sleeper(&m, n, "some_function");
		make_kernel_text(&m.k, cases[i].change);
		made_machine_find(&m);
		const struct lock *lock = made_machine_lock(&m, 3);
		assert_int_equal(lock->type, LOCK_SEMAPHORE);
		if (cases[i].found)
			assert_holder(&m, lock, 4, "its stack has the lock's address");
		else
			assert_int_equal(lock->holders.count, 0);
		made_machine_end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the parent of vfork() waits for its child", the_end_of_a_child),
		TEST("who stops or parks a kernel thread waits for that thread",
		     the_end_of_a_kernel_thread),
		TEST("who flushes work waits for the worker that does it", work_that_is_done),
		TEST("who flushes work that wants a lock of its own is in a circle",
		     work_that_wants_a_lock_of_its_flusher),
		TEST("who flushes work that has not begun waits for what is before it",
		     work_that_has_not_begun),
		TEST("work of no CPU's pool waits for no other work", work_of_no_cpu),
		TEST("who flushes a workqueue waits for all that do its work", a_flushed_workqueue),
		TEST("a flush that leads nowhere names nobody", hostile_flushes),
		TEST("the lock of a file, or of a file system, is said to be that",
		     the_lock_of_a_file),
		TEST("an mmap_lock has its process", the_lock_of_an_address_space),
		TEST("what only looks like a file is not called one", hostile_files),
		TEST("a page that is waited for has its file", the_page_of_a_file),
		TEST("a bit that is waited for has its file, or its block",
		     a_bit_of_a_file_or_a_buffer),
		TEST("who waits for a lock on a file waits for who took it", the_lock_on_a_file),
		TEST("who waits for a journal waits for its thread, and that for who has a part in it",
		     a_journal),
		TEST("a lock without an owner has few suspects, or none", who_may_hold_it),
	};

	return RUN_TESTS(tests);
}
