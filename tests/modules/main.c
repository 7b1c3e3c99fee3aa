// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hangs the machine on demand, for the lab: the name of a scenario, written to
 * /sys/module/ldhang/parameters/hang, runs in the context of the task that
 * writes it.
 */
#include "ldhang.h"

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static const struct scenario *find(const struct scenario *scenario, const char *name)
{
	for (; scenario->name; scenario++)
		if (sysfs_streq(name, scenario->name))
			return scenario;
	return NULL;
}

static noinline int ldhang_set(const char *value, const struct kernel_param *param)
{
	const struct scenario *scenario = find(ldhang_sleepers, value);

	if (!scenario)
		scenario = find(ldhang_spinners, value);
	if (!scenario)
		return -EINVAL;
	pr_notice("%s begins on CPU %u, pid %d (%s)\n", scenario->name, raw_smp_processor_id(),
		  task_pid_nr(current), current->comm);
	/* Parameters are written under a lock, and this writer may never come back. */
	kernel_param_unlock(THIS_MODULE);
	scenario->run();
	kernel_param_lock(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops ldhang_ops = {
	.set = ldhang_set,
};
module_param_cb(hang, &ldhang_ops, NULL, 0200);
MODULE_PARM_DESC(hang, "the scenario to run in the writer's context");

/* Whoever reads it sleeps for good, and cannot be killed. */
static int ldhang_unanswered_get(char *buffer, const struct kernel_param *param)
{
	kernel_param_unlock(THIS_MODULE);
	ldhang_sleep_for_good();
	kernel_param_lock(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops ldhang_unanswered_ops = {
	.get = ldhang_unanswered_get,
};
module_param_cb(unanswered, &ldhang_unanswered_ops, NULL, 0400);
MODULE_PARM_DESC(unanswered, "a file whose reader hangs");

static int __init ldhang_init(void)
{
	return ldhang_sleepers_init();
}

static void __exit ldhang_exit(void)
{
	ldhang_sleepers_exit();
}

module_init(ldhang_init);
module_exit(ldhang_exit);
MODULE_DESCRIPTION("Hangs the machine on demand, for lockdump's lab");
MODULE_LICENSE("GPL");
