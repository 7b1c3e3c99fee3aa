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
#include "bpf/slot.h"

char LICENSE[] SEC("license") = "GPL";

/* Set before the load. */
const volatile __u64 trigger_after_ns[RECORD_NR_KINDS] = {};
const volatile __u32 trigger_on = 0; /* 1 << enum record_kind */
/*
 * The controller comes first, by sysrq: not before its heartbeat is so old, or its last write is so long ago. 0: it
 * has no part in it.
 */
const volatile __u64 heartbeat_old_ns = 0;
const volatile __u64 sysrq_old_ns = 0;

#define FRESH_NS 3000000000ull

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

/* What is wrong, and for how long it has been. */
struct cause {
	enum record_kind kind;
	__u32 cpu;
	__u64 onset_ns;
	__u64 lasted_ns;
	__u32 pid;
	char comm[16];
};

/* Whether this CPU is still where the slot says that it was. */
static __always_inline bool goes_on(const struct record_slot *slot, struct pt_regs *regs)
{
	const struct rq *rq = THIS_CPU(runqueues, runqueues_at);

	return rq && read_switches(rq) == slot->nr_switches && in_kernel_code(regs);
}

static __always_inline void fill(struct cause *cause, enum record_kind kind, __u64 onset_ns,
				 __u64 lasted_ns)
{
	cause->kind = kind;
	cause->onset_ns = onset_ns;
	cause->lasted_ns = lasted_ns;
	cause->cpu = bpf_get_smp_processor_id();
	cause->pid = bpf_get_current_pid_tgid();
	bpf_get_current_comm(cause->comm, sizeof(cause->comm));
}

static __always_inline bool find_stall(const struct record_slot *slot, struct cause *ret)
{
	__u64 lasted_ns = record_stall_ns(slot->onset_ns, slot->last_ns, slot->paused_ns);

	if (!slot->onset_ns || slot->end_ns || !slot->wanted_ns ||
	    lasted_ns < trigger_after_ns[RECORD_KIND_SOFT_LOCKUP] ||
	    !goes_on(slot, interrupted_regs()))
		return false;
	fill(ret, RECORD_KIND_SOFT_LOCKUP, slot->onset_ns, lasted_ns);
	return true;
}

/* Looks once a second keep it up; at hung tasks the kernel looks when it likes. */
static __always_inline bool is_lasting(__u32 kind, __u64 since_ns, __u64 last_ns, __u64 now)
{
	if (kind >= RECORD_NR_KINDS || !since_ns || last_ns < since_ns ||
	    (last_ns == since_ns && kind != RECORD_KIND_HUNG_TASK))
		return false;
	return last_ns - since_ns >= trigger_after_ns[kind] && now < last_ns + FRESH_NS;
}

static __always_inline bool find_deaf(const struct record_slot *slot, __u64 now, struct cause *ret)
{
	for (int i = 0; i < RECORD_NR_DEAF; i++) {
		const struct record_deaf *deaf = &slot->deaf[i];
		if (!is_lasting(RECORD_KIND_HARD_LOCKUP, deaf->since_ns, deaf->last_ns, now))
			continue;
		fill(ret, RECORD_KIND_HARD_LOCKUP, deaf->since_ns, deaf->last_ns - deaf->since_ns);
		ret->cpu = deaf->cpu;
		ret->pid = deaf->pid;
		__builtin_memcpy(ret->comm, deaf->comm, sizeof(ret->comm));
		return true;
	}
	return false;
}

static __always_inline bool find_condition(const struct record_slot *slot, __u64 now,
					   struct cause *ret)
{
	for (__u32 kind = RECORD_KIND_RCU_STALL; kind < RECORD_NR_KINDS; kind++) {
		const struct record_condition *condition = &slot->conditions[kind];
		if (!is_on(kind) || !is_lasting(kind, condition->since_ns, condition->last_ns, now))
			continue;
		fill(ret, kind, condition->since_ns, condition->last_ns - condition->since_ns);
		if (kind == RECORD_KIND_HUNG_TASK) {
			struct task_struct *task = (void *)condition->words[0];
			ret->pid = condition->words[1];
			BPF_CORE_READ_INTO(&ret->comm, task, comm);
		}
		return true;
	}
	return false;
}

static __always_inline bool find_cause(const struct record_slot *slot, __u64 now, struct cause *ret)
{
	if (is_on(RECORD_KIND_SOFT_LOCKUP) && find_stall(slot, ret))
		return true;
	if (is_on(RECORD_KIND_HARD_LOCKUP) && find_deaf(slot, now, ret))
		return true;
	return (trigger_on >> RECORD_KIND_RCU_STALL) && find_condition(slot, now, ret);
}

/* What was wrong when the trigger failed is not tried again: it would be so in each tick. */
static __always_inline bool began_before_failure(const struct record_header *header, __u64 onset_ns)
{
	return header->kernel_failed_ns && onset_ns <= header->kernel_failed_ns;
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

/* What is said of each kind; then for how long. */
static const char said[RECORD_NR_KINDS][32] = RECORD_KINDS_SAID;

static __always_inline void write_reason(struct record_header *header, const struct cause *cause,
					 __u64 now)
{
	__u64 ms = cause->lasted_ns / 1000000;
	__u32 kind = cause->kind;

	if (kind >= RECORD_NR_KINDS) /* says it to the verifier */
		return;
	BPF_SNPRINTF(header->fired_reason, sizeof(header->fired_reason),
		     "%s for %llu.%03llu s, in %s (pid %u)", said[kind], ms / 1000, ms % 1000,
		     cause->comm, cause->pid);
	clean(header->fired_reason, sizeof(header->fired_reason));
	header->fired_onset_ns = cause->onset_ns;
	header->fired_cpu = cause->cpu;
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
static __always_inline void copy_regs(void *ctx, struct registers *ret)
{
	struct pt_regs *regs = interrupted_regs();

	if (regs && !bpf_probe_read_kernel(ret, sizeof(*ret), regs))
		return;
	__builtin_memset(ret, 0, sizeof(*ret));
	ret->words[REGISTER_IP] = bpf_get_func_ip(ctx);
	ret->words[REGISTER_CS] = KERNEL_CS;
	ret->words[REGISTER_SP] = (__u64)ctx;
}

/*
 * Who has asked finds that word in the manifest (TRIGGERS_DRILL). It is no static variable: of a function's the BTF has
 * a name with a dot, for which kernels refuse all of the BTF.
 */
static __always_inline void write_drill(struct record_header *header, __u64 now)
{
	__builtin_memcpy(header->fired_reason, "drill", sizeof("drill"));
	header->fired_onset_ns = now;
	header->fired_cpu = bpf_get_smp_processor_id();
	header->fired_ns = now;
}

/* @cause is NULL in a drill. */
static __always_inline void fire(void *ctx, struct record_header *header, const struct cause *cause,
				 __u64 now)
{
	struct registers copy;

	if (__sync_val_compare_and_swap(&header->armed, RECORD_ARMED, RECORD_FIRING) !=
	    RECORD_ARMED)
		return;
	if (cause)
		write_reason(header, cause, now);
	else
		write_drill(header, now);
	__sync_lock_test_and_set(&header->fired_by, RECORD_FIRED_KERNEL);
	copy_regs(ctx, &copy);
	crash_kexec((struct pt_regs *)&copy);
	take_reason_back(header, now);
}

static __always_inline int look(void *ctx)
{
	__u32 zero = 0;
	struct record_header *header = bpf_map_lookup_elem(&lockdump_record, &zero);
	const struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	__u64 now = bpf_ktime_get_ns();
	struct cause cause;

	if (!header || !slot || header->armed != RECORD_ARMED)
		return 0;
	if (header->drill) {
		header->drill = 0;
		fire(ctx, header, NULL, now);
		return 0;
	}
	if (!find_cause(slot, now, &cause))
		return 0;
	if (is_my_turn(header, cause.onset_ns, now) &&
	    !began_before_failure(header, cause.onset_ns))
		fire(ctx, header, &cause, now);
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
