// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trigger that needs no user process: from a timer interrupt it reads what the recorder has noted of its own CPU,
 * and crashes the machine by crash_kexec(), a kfunc since 6.1 (133790596406, "bpf: export crash_kexec() as destructive
 * kfunc"). An object of its own, so that the recorder alone cannot do that, and is loaded where there is no such kfunc.
 *
 * It hangs on the function that the recorder does, before or behind it: the slot is of this look or of the one before.
 * So it asks itself whether the CPU has got on since. Its links are pinned: it does not end with the controller.
 */
#include "bpf/cpu.h"
#include "bpf/record.h"

char LICENSE[] SEC("license") = "GPL";

/* Set before the load. */
const volatile __u64 trigger_after_ns = 0;
const volatile __u32 trigger_on = 0; /* 1 << enum record_kind */
/*
 * The controller comes first, by sysrq: not before its heartbeat is so old, or its last write is so long ago. 0: it
 * has no part in it.
 */
const volatile __u64 heartbeat_old_ns = 0;
const volatile __u64 sysrq_old_ns = 0;

/* The recorder's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, RECORD_SLOT_SIZE);
} lockdump_record SEC(".maps");

extern void crash_kexec(struct pt_regs *regs) __ksym;

#if defined(__TARGET_ARCH_x86)
/* struct pt_regs up to 6.8; since then it has more names for the same words (FRED). */
struct registers {
	__u64 words[21];
};
#define REGISTER_IP 16
#define REGISTER_CS 17
#define REGISTER_SP 19
#define KERNEL_CS   0x10
#endif

static __always_inline bool is_on(enum record_kind kind)
{
	return trigger_on & (1U << kind);
}

/* What hung when the trigger failed is not tried again: it would be so in each tick. */
static __always_inline bool began_before_failure(const struct record_header *header, __u64 onset_ns)
{
	return header->kernel_failed_ns && onset_ns <= header->kernel_failed_ns;
}

/* Whether this CPU is still where the slot says that it was. */
static __always_inline bool goes_on(const struct record_slot *slot, struct pt_regs *regs)
{
	const struct rq *rq = THIS_CPU(runqueues, runqueues_at);

	return rq && read_switches(rq) == slot->nr_switches && in_kernel_code(regs);
}

static __always_inline bool is_soft_lockup(const struct record_slot *slot, struct pt_regs *regs)
{
	if (!slot->onset_ns || slot->end_ns || !slot->wanted_ns ||
	    slot->last_ns - slot->onset_ns < trigger_after_ns)
		return false;
	return goes_on(slot, regs);
}

/* Whether the controller has had its turn, or cannot take it. */
static __always_inline bool is_my_turn(const struct record_header *header, __u64 onset_ns,
				       __u64 now)
{
	__u64 heartbeat_ns = header->heartbeat_ns, sysrq_ns = header->sysrq_ns;

	if (!heartbeat_old_ns || now > heartbeat_ns + heartbeat_old_ns)
		return true;
	return sysrq_ns > onset_ns && now > sysrq_ns + sysrq_old_ns;
}

/* Any user gives his processes their names: a reason is clean text. */
static __always_inline void clean(char *text, __u32 size)
{
	for (__u32 i = 0; i < size; i++) {
		if (!text[i])
			break;
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	}
}

static __always_inline void write_reason(struct record_header *header,
					 const struct record_slot *slot, __u64 now)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 ms = (now - slot->onset_ns) / 1000000;

	BPF_SNPRINTF(header->fired_reason, sizeof(header->fired_reason),
		     "no task switch for %llu.%03llu s, in %s (pid %u)", ms / 1000, ms % 1000,
		     __builtin_preserve_access_index(&task->comm), BPF_CORE_READ(task, pid));
	clean(header->fired_reason, sizeof(header->fired_reason));
	header->fired_onset_ns = slot->onset_ns;
	header->fired_cpu = bpf_get_smp_processor_id();
	header->fired_ns = now;
}

/* crash_kexec() has come back: there is no crash kernel (any more). The machine lives on. */
static __always_inline void take_reason_back(struct record_header *header, __u64 now)
{
	header->fired_by = RECORD_FIRED_NONE;
	header->fired_ns = 0;
	header->fired_onset_ns = 0;
	header->fired_cpu = -1;
	header->fired_reason[0] = '\0';
	header->kernel_failed_ns = now;
	__sync_val_compare_and_swap(&header->armed, RECORD_FIRING, RECORD_ARMED);
}

/*
 * The registers of what was interrupted, as the dump shall have them: without them crash_kexec() takes its own, or
 * (newer kernels) the verifier refuses. There always are some in a timer interrupt; else this function's must do.
 */
static __always_inline void copy_regs(void *ctx, struct pt_regs *regs, struct registers *ret)
{
	if (regs && !bpf_probe_read_kernel(ret, sizeof(*ret), regs))
		return;
	__builtin_memset(ret, 0, sizeof(*ret));
	ret->words[REGISTER_IP] = bpf_get_func_ip(ctx);
	ret->words[REGISTER_CS] = KERNEL_CS;
	ret->words[REGISTER_SP] = (__u64)ctx;
}

static __always_inline void fire(void *ctx, struct record_header *header,
				 const struct record_slot *slot, struct pt_regs *regs, __u64 now)
{
	struct registers copy;

	if (__sync_val_compare_and_swap(&header->armed, RECORD_ARMED, RECORD_FIRING) !=
	    RECORD_ARMED)
		return;
	write_reason(header, slot, now);
	__sync_lock_test_and_set(&header->fired_by, RECORD_FIRED_KERNEL);
	copy_regs(ctx, regs, &copy);
	crash_kexec((struct pt_regs *)&copy);
	take_reason_back(header, now);
}

static __always_inline int look(void *ctx)
{
	__u32 zero = 0, key = 1 + bpf_get_smp_processor_id();
	struct record_header *header = bpf_map_lookup_elem(&lockdump_record, &zero);
	struct record_slot *slot = bpf_map_lookup_elem(&lockdump_record, &key);
	struct pt_regs *regs;
	__u64 now;

	if (!header || !slot || header->armed != RECORD_ARMED)
		return 0;
	regs = interrupted_regs();
	if (!is_on(RECORD_KIND_SOFT_LOCKUP) || !is_soft_lockup(slot, regs))
		return 0;
	now = bpf_ktime_get_ns();
	if (is_my_turn(header, slot->onset_ns, now) &&
	    !began_before_failure(header, slot->onset_ns))
		fire(ctx, header, slot, regs, now);
	return 0;
}

/* One for each function that the recorder may hang on. */

SEC("fentry/account_process_tick")
int tick_account_process_tick(void *ctx)
{
	return look(ctx);
}

SEC("fentry/update_process_times")
int tick_update_process_times(void *ctx)
{
	return look(ctx);
}

SEC("fentry/scheduler_tick")
int tick_scheduler_tick(void *ctx)
{
	return look(ctx);
}

SEC("fentry/sched_tick")
int tick_sched_tick(void *ctx)
{
	return look(ctx);
}

SEC("fentry/watchdog_timer_fn")
int watchdog(void *ctx)
{
	return look(ctx);
}
