// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's functions by which a task waits: what a stack says before any word of it is looked at. */
#include <string.h>

#include "state/lock_finder.h"

bool lock_name_matches(const char *name, const char *pattern)
{
	size_t len = strcspn(pattern, "*");

	if (!name || strncmp(name, pattern, len))
		return false;
	return pattern[len] || !name[len] || name[len] == '.';
}

static bool matches_any(const char *name, const char *const *patterns)
{
	for (; *patterns; patterns++)
		if (lock_name_matches(name, *patterns))
			return true;
	return false;
}

bool lock_is_scheduler(const char *name)
{
	static const char *const patterns[] = {
		"__schedule",	   "schedule",	   "schedule_*", "preempt_schedule*",
		"__cond_resched*", "io_schedule*", "bit_wait*",	 NULL,
	};
	return matches_any(name, patterns);
}

bool lock_is_just_asleep(const char *name)
{
	static const char *const patterns[] = {
		"futex_*",	  "do_nanosleep",      "do_sys_poll",	   "do_poll*",
		"poll_*",	  "do_select*",	       "core_sys_select",  "sigsuspend",
		"__do_sys_pause", "__x64_sys_pause",   "do_sigtimedwait*", "worker_thread",
		"rescuer_thread", "smpboot_thread_fn", "kthreadd",	   "kthread_worker_fn",
		"do_signal_stop", "ptrace_stop*",      "get_signal",	   NULL,
	};
	return matches_any(name, patterns);
}

static const char *const mutex_functions[] = { "__mutex_lock*", "mutex_lock*", "__ww_mutex_lock*",
					       "ww_mutex_lock*", NULL };
static const char *const rwsem_functions[] = { "rwsem_down_*", "__down_read*", "__down_write*",
					       "down_read*",   "down_write*",  NULL };
static const char *const semaphore_functions[] = {
	"__down",
	"___down_common",
	"__down_common",
	"__down_interruptible",
	"__down_killable",
	"__down_timeout",
	"down",
	"down_interruptible",
	"down_killable",
	"down_timeout",
	NULL,
};
static const char *const completion_functions[] = {
	"__wait_for_common",	"wait_for_common*",	  "do_wait_for_common",
	"wait_for_completion*", "__wait_for_completion*", NULL
};
static const char *const percpu_functions[] = { "percpu_rwsem_wait*", "percpu_down_write",
						"__percpu_down_read", NULL };

/* These may be a lock of any kind on a kernel with PREEMPT_RT. */
static const char *const rt_functions[] = { "rt_mutex_*", "__rt_mutex_*", "rtlock_*",
					    "rt_spin_*",  "rwbase_*",	  "__rwbase_*",
					    "rt_read_*",  "rt_write_*",	  "futex_lock_pi*",
					    NULL };

static const char *const *const families[] = {
	[FAMILY_MUTEX] = mutex_functions,	  [FAMILY_RWSEM] = rwsem_functions,
	[FAMILY_SEMAPHORE] = semaphore_functions, [FAMILY_COMPLETION] = completion_functions,
	[FAMILY_PERCPU_RWSEM] = percpu_functions, [FAMILY_RT] = rt_functions,
};

enum lock_family lock_family_of(const char *name)
{
	for (size_t i = FAMILY_NONE + 1; i < sizeof(families) / sizeof(families[0]); i++)
		if (matches_any(name, families[i]))
			return i;
	return FAMILY_NONE;
}

/* __sched and __lockfunc functions have sections of their own: include/linux/sched/debug.h, spinlock_api_smp.h */
static bool is_in_lock_section(const struct kernel *kernel, uint64_t pc)
{
	const uint64_t *at = kernel->symbols.at;

	return (pc >= at[KSYM___sched_text_start] && pc < at[KSYM___sched_text_end]) ||
	       (pc >= at[KSYM___lock_text_start] && pc < at[KSYM___lock_text_end]);
}

static bool is_primitive(const char *name)
{
	static const char *const waits[] = {
		"_raw_*",
		"do_raw_*",
		"native_queued_*",
		"queued_*",
		"__pv_queued_*",
		"pv_*",
		"folio_wait_*",
		"__folio_lock*",
		"wait_on_page_*",
		"__lock_page*",
		"lock_page",
		"folio_lock*",
		"__wait_on_*",
		"out_of_line_*",
		"prepare_to_wait*",
		"osq_lock",
		"mutex_spin_on_owner",
		"rwsem_*",
		"kvm_wait",
		"__wait_rcu_gp",
		"__flush_work*",
		"flush_work*",
		"__cancel_work*",
		"cancel_work*",
		NULL,
	};

	return lock_is_scheduler(name) || matches_any(name, waits) ||
	       lock_family_of(name) != FAMILY_NONE;
}

static bool is_of_locks(struct kernel *kernel, const struct frame *frame)
{
	uint64_t pc = frame->pc - !frame->interrupted;
	const struct symbol symbol = symbols_lookup(&kernel->symbols, pc);

	return !symbol.module && (is_in_lock_section(kernel, pc) || is_primitive(symbol.name));
}

static size_t frame_outside(struct kernel *kernel, const struct stack *stack, size_t first)
{
	size_t i = first;

	while (i < stack->frames.count && is_of_locks(kernel, &stack->frames.data[i]))
		i++;
	return i;
}

size_t locks_asking_frame(struct kernel *kernel, const struct stack *stack)
{
	const struct frame *frames = stack->frames.data;

	for (size_t i = 0; i < stack->frames.count; i++)
		if (frames[i].interrupted && is_of_locks(kernel, &frames[i]))
			return frame_outside(kernel, stack, i);
	return frame_outside(kernel, stack, 0);
}

size_t locks_running_frame(struct kernel *kernel, const struct stack *stack, size_t first)
{
	return frame_outside(kernel, stack, first);
}
