// SPDX-License-Identifier: GPL-2.0-only
/*
 * What --probe asks for: each call of a kernel function goes to the flight record. An object of its own, loaded only
 * when asked.
 *
 * It hangs on all of them by one kprobe.multi, where the kernel has that (CONFIG_FPROBE, 5.18): the cookie says which
 * was called. Elsewhere there is a kprobe for each, and a copy of the program that knows which it is: kprobes have
 * cookies since 5.15 only.
 *
 * On a CPU the kernel runs one such program at a time (bpf_prog_active): a call in an interrupt that came while one ran
 * is not seen. So no hit is written inside another one, and their numbers have no holes.
 */
#include "bpf/cpu.h"
#include "bpf/slot.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Set before the load, as the record's header has them. Not read here: programs that do the same for other functions are
 * told apart by it (capture/hooks.h).
 */
const volatile char functions[RECORD_NR_PROBES]
			     [sizeof(((struct record_header *)0)->probes[0])] = {};

#if defined(__TARGET_ARCH_x86)
/* At a function's first instruction the return address is on top of the stack. */
static __always_inline __u64 read_caller(const struct pt_regs *regs)
{
	__u64 caller;

	if (bpf_probe_read_kernel(&caller, sizeof(caller), (const void *)regs->sp))
		return 0;
	return caller;
}

static __always_inline void read_args(const struct pt_regs *regs, __u64 args[3])
{
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
}
#endif

static __always_inline int note(const struct pt_regs *regs, __u32 probe)
{
	struct record_slot *slot = slot_of(bpf_get_smp_processor_id());
	__u64 task = bpf_get_current_pid_tgid(), number;
	struct record_hit *hit;
	__u32 index;

	if (!slot)
		return 0;
	number = ++slot->last_hit;
	index = number % RECORD_NR_HITS;
	/* For the verifier, which knows less than the compiler. */
	asm volatile("" : "+r"(index));
	if (index >= RECORD_NR_HITS)
		return 0;
	hit = &slot->hits[index];

	hit->number = number;
	barrier();
	hit->time_ns = bpf_ktime_get_ns();
	read_args(regs, hit->args);
	hit->caller = read_caller(regs);
	hit->probe = probe;
	hit->pid = task;
	hit->tgid = task >> 32;
	hit->reserved = 0;
	bpf_get_current_comm(hit->comm, sizeof(hit->comm));
	barrier();
	hit->number_end = number;
	return 0;
}

SEC("kprobe.multi")
int probe_multi(struct pt_regs *regs)
{
	return note(regs, bpf_get_attach_cookie(regs));
}

#define PROBE(n)                            \
	SEC("kprobe")                       \
	int probe_##n(struct pt_regs *regs) \
	{                                   \
		return note(regs, n);       \
	}

PROBE(0)
PROBE(1)
PROBE(2)
PROBE(3)
PROBE(4)
PROBE(5)
PROBE(6)
PROBE(7)
PROBE(8)
PROBE(9)
PROBE(10)
PROBE(11)
PROBE(12)
PROBE(13)
PROBE(14)
PROBE(15)
_Static_assert(RECORD_NR_PROBES == 16, "a copy of the program for each");
