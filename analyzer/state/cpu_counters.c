// SPDX-License-Identifier: GPL-2.0-only
/*
 * The preempt count is a per-CPU variable on x86, __preempt_count, from 6.2
 * (64701838bf05) to 6.14 a member of pcpu_hot; elsewhere it is the running
 * task's. Its bits: include/linux/preempt.h, the same from 5.10 to 7.2.
 *
 * Pending softirqs are the first member of the per-CPU irq_stat; from 6.2 to 6.14
 * x86 had them in pcpu_hot, since 6.15 in __softirq_pending.
 *
 * kernel_cpustat has what was accounted: of a CPU that idles without a tick not
 * the time since it went idle.
 *
 * TIF_NEED_RESCHED is a macro, which no type tells: 3 on x86, and with
 * TIF_NEED_RESCHED_LAZY since 6.13, 4; since 6.18, which has one numbering for
 * all architectures (include/asm-generic/thread_info_tif.h), 4 and 5. What came
 * in that release too, and is a type's member, is ns_common.ns_id.
 */
#include "state/cpu_counters.h"

#include <elf.h>

/* nmi_enter(): NMI_OFFSET + HARDIRQ_OFFSET */
#define PREEMPT_NMI 0x110000

#define PREEMPT_NEED_RESCHED 0x80000000u /* inverted: 0 is "needed" */

static void resolve_flags(struct kernel *kernel, struct cpu_counters_layout *ret)
{
	const struct types *types = kernel->symbols.types;
	struct member member;

	ret->need_resched_bit = ret->lazy_bit = -1;
	if (dump_machine(kernel->dump) != EM_X86_64 ||
	    !types_member(types, "task_struct", "thread_info.flags", &ret->flags))
		return;
	bool generic = types_member(types, "ns_common", "ns_id", &member);
	ret->need_resched_bit = generic ? 4 : 3;
	/* From 6.13 to 6.17 the lazy flag is 4, which before was another's: only the new numbering is told apart. */
	if (generic)
		ret->lazy_bit = 5;
}

void cpu_counters_resolve(struct kernel *kernel, struct cpu_counters_layout *ret)
{
	const struct types *types = kernel->symbols.types;
	struct member cpustat;
	uint64_t crashing;

	*ret = (struct cpu_counters_layout){};
	struct error *err = kernel_variable(kernel, KSYM_crashing_cpu, sizeof(uint32_t), &crashing);
	ret->crashing_cpu = err ? UINT32_MAX : crashing;
	error_destroy(err);
	ret->preempt_count = kernel_per_cpu_variable(kernel, KSYM___preempt_count, "preempt_count");
	if (!ret->preempt_count)
		types_member(types, "task_struct",
			     "thread_info.preempt.count|thread_info.preempt_count",
			     &ret->task_preempt_count);
	ret->softirq_pending = kernel->symbols.at[KSYM___softirq_pending];
	if (!ret->softirq_pending)
		ret->softirq_pending =
			kernel_per_cpu_variable(kernel, KSYM_irq_stat, "softirq_pending");
	/* Ten softirqs; x86 has 16 bits for them, and others' words begin with these on little-endian machines. */
	ret->softirq_size = sizeof(uint16_t);
	if (types_member(types, "kernel_cpustat", "cpustat", &cpustat) &&
	    cpustat.size == sizeof(uint64_t) && cpustat.count >= NR_CPU_TIMES &&
	    kernel->symbols.at[KSYM_kernel_cpustat])
		ret->times = kernel->symbols.at[KSYM_kernel_cpustat] + cpustat.offset;
	resolve_flags(kernel, ret);
}

static void read_preempt_count(struct kernel *kernel, const struct cpu_counters_layout *layout,
			       const struct cpu *cpu, struct cpu_state *state, bool *told_ret)
{
	uint32_t count;
	struct error *err;

	if (layout->preempt_count)
		err = memory_read_u32(&kernel->memory, layout->preempt_count + cpu->per_cpu,
				      &count);
	else if (layout->task_preempt_count.size)
		err = memory_read_u32(&kernel->memory,
				      cpu->current + layout->task_preempt_count.offset, &count);
	else
		return;
	if (!err) {
		state->has_preempt_count = true;
		state->preempt_count = count & ~PREEMPT_NEED_RESCHED;
		/* That the crash stopped it by an NMI is no part of the story. */
		if (cpu->number != layout->crashing_cpu &&
		    cpu->registers_from == REGISTERS_CRASH_NOTES &&
		    state->preempt_count >= PREEMPT_NMI)
			state->preempt_count -= PREEMPT_NMI;
		*told_ret = layout->preempt_count && !(count & PREEMPT_NEED_RESCHED);
	}
	error_destroy(err);
}

static void read_flags(struct kernel *kernel, const struct cpu_counters_layout *layout,
		       const struct cpu *cpu, struct cpu_state *state)
{
	uint64_t flags;

	if (layout->need_resched_bit < 0 || !cpu->current)
		return;
	struct error *err = member_read(&kernel->memory, cpu->current, &layout->flags, &flags);
	if (!err) {
		state->has_need_resched = true;
		state->need_resched = flags >> layout->need_resched_bit & 1;
		state->need_resched_lazy = layout->lazy_bit >= 0 && flags >> layout->lazy_bit & 1;
	}
	error_destroy(err);
}

void cpu_counters_read(struct kernel *kernel, const struct cpu_counters_layout *layout,
		       const struct cpu *cpu, struct cpu_state *state)
{
	struct memory *memory = &kernel->memory;
	struct error *err = NULL;
	bool told = false;

	read_flags(kernel, layout, cpu, state);
	read_preempt_count(kernel, layout, cpu, state, &told);
	/* The CPU itself copies the flag there, sooner or later; it takes it back from both. */
	if (state->has_preempt_count && told)
		state->has_need_resched = state->need_resched = true;
	if (layout->softirq_pending) {
		err = memory_read(memory, layout->softirq_pending + cpu->per_cpu, &state->softirqs,
				  layout->softirq_size);
		state->has_softirqs = !err;
		error_destroy(err);
	}
	if (layout->times) {
		err = memory_read(memory, layout->times + cpu->per_cpu, state->times,
				  sizeof(state->times));
		state->has_times = !err;
		error_destroy(err);
	}
}

const char *cpu_time_name(enum cpu_time time)
{
	static const char *const names[NR_CPU_TIMES] = {
		[CPU_TIME_USER] = "user",     [CPU_TIME_NICE] = "nice",
		[CPU_TIME_SYSTEM] = "system", [CPU_TIME_SOFTIRQ] = "softirq",
		[CPU_TIME_IRQ] = "irq",	      [CPU_TIME_IDLE] = "idle",
		[CPU_TIME_IOWAIT] = "iowait", [CPU_TIME_STEAL] = "steal",
		[CPU_TIME_GUEST] = "guest",   [CPU_TIME_GUEST_NICE] = "guest_nice",
	};
	return names[time];
}

const char *cpu_softirq_name(unsigned int bit)
{
	/* softirq_to_name[] in kernel/softirq.c */
	static const char *const names[] = { "HI",	 "TIMER",   "NET_TX", "NET_RX",	 "BLOCK",
					     "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };
	return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}

struct preempt_parts cpu_preempt_parts(uint32_t preempt_count)
{
	return (struct preempt_parts){
		.preempt = preempt_count & 0xff,
		.softirq = preempt_count >> 8 & 0xff,
		.hardirq = preempt_count >> 16 & 0xf,
		.nmi = preempt_count >> 20 & 0xf,
	};
}
