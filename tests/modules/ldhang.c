// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hangs the machine on demand, for the lab: the name of a scenario, written to
 * /sys/module/ldhang/parameters/hang, runs in the context of the task that
 * writes it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

struct scenario {
	const char *name;
	void (*run)(void);
};

/* Never set. The compiler must not know that, or the loops below would be noreturn. */
static bool ldhang_stop;

static DEFINE_MUTEX(ldhang_mutex);
static DECLARE_COMPLETION(ldhang_never);

static noinline void ldhang_spin(unsigned long *turns)
{
	while (!READ_ONCE(ldhang_stop)) {
		WRITE_ONCE(*turns, *turns + 1);
		cpu_relax();
	}
}

/* A CPU that does not schedule, interrupts on: the plainest soft lockup. */
static noinline void ldhang_busy_loop(void)
{
	unsigned long turns = 0;

	preempt_disable();
	ldhang_spin(&turns);
	preempt_enable();
	pr_info("%lu turns\n", turns);
}

/* No hang: a task that sleeps with a mutex held, for others to wait for. */
static noinline void ldhang_mutex_hold(void)
{
	mutex_lock(&ldhang_mutex);
	wait_for_completion_killable(&ldhang_never);
	mutex_unlock(&ldhang_mutex);
}

static noinline void ldhang_mutex_wait(void)
{
	if (mutex_lock_killable(&ldhang_mutex) == 0)
		mutex_unlock(&ldhang_mutex);
}

static noinline void __noreturn ldhang_sleep(void)
{
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}

/*
 * No hang: a task whose stack has a return address in no function of its own.
 * The call is the last instruction here and ends where functions are aligned,
 * so the address behind it is that of the next function.
 */
static noinline void ldhang_last_call(void)
{
	asm volatile(".p2align 4, 0x90\n\t.skip 11, 0x90");
	ldhang_sleep();
}

static const struct scenario scenarios[] = {
	{ "busy-loop", ldhang_busy_loop },
	{ "mutex-hold", ldhang_mutex_hold },
	{ "mutex-wait", ldhang_mutex_wait },
	{ "last-call", ldhang_last_call },
};

static noinline int ldhang_set(const char *value, const struct kernel_param *param)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (!sysfs_streq(value, scenarios[i].name))
			continue;
		pr_notice("%s begins on CPU %u, pid %d (%s)\n", scenarios[i].name,
			  raw_smp_processor_id(), task_pid_nr(current), current->comm);
		/* Parameters are written under a lock, and this writer may never come back. */
		kernel_param_unlock(THIS_MODULE);
		scenarios[i].run();
		kernel_param_lock(THIS_MODULE);
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops ldhang_ops = {
	.set = ldhang_set,
};
module_param_cb(hang, &ldhang_ops, NULL, 0200);
MODULE_PARM_DESC(hang, "the scenario to run in the writer's context");

MODULE_DESCRIPTION("Hangs the machine on demand, for lockdump's lab");
MODULE_LICENSE("GPL");
