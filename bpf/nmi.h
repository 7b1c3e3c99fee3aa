/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples of a CPU whose interrupts are off: no tick looks at it, but NMIs reach it. Nobody is asked to send any; the
 * kernel's NMI watchdog does every ten seconds where there is a performance counter, its detector of RCU stalls does,
 * and so do sysrq-l and a crash.
 */
#ifndef LOCKDUMP_NMI_H
#define LOCKDUMP_NMI_H

#include "bpf/cpu.h"
#include "bpf/neighbours.h"
#include "bpf/slot.h"

#define NMI_DEAF_NS	1500000000ull /* since the last look */
#define NMI_INTERVAL_NS 500000000ull

#if defined(__TARGET_ARCH_x86)
#define REGS_INTERRUPTS_ON(regs) (BPF_CORE_READ(regs, flags) & 0x200) /* X86_EFLAGS_IF */
#endif

/*
 * Since when this CPU has its interrupts off, in kernel code, at least; 0: it has not, or not for long. No look has come
 * since then. It is the last one, if nothing was switched since; else it is the first of two NMIs with no switch between.
 * An NMI may come amid a look: then that is not long ago.
 */
static __always_inline __u64 deaf_here_since(struct record_slot *slot, const struct rq *rq,
					     struct pt_regs *regs, __u64 now)
{
	__u64 before = last_look(slot), switches = read_switches(rq), since = before;

	if (!before || REGS_INTERRUPTS_ON(regs) || !in_kernel_code(regs))
		return 0;
	if (switches != slot->nr_switches) {
		if (slot->nmi_seen_ns <= before || switches != slot->nmi_switches) {
			slot->nmi_switches = switches;
			slot->nmi_seen_ns = now;
		}
		since = slot->nmi_seen_ns;
	}
	return now > since + NMI_DEAF_NS && now > slot->nmi_ns + NMI_INTERVAL_NS ? since : 0;
}

#endif
