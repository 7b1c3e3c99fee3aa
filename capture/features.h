/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the running kernel offers to the recorder. 'watch' loads by it and 'doctor' shows it: nothing is looked
 * up a second time elsewhere.
 */
#ifndef LOCKDUMP_FEATURES_H
#define LOCKDUMP_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "symbols/ksyms.h"

/* Where the recorder can look at its CPU from: the tick functions, the best first, and what else there is. */
enum hook {
	HOOK_ACCOUNT_PROCESS_TICK,
	HOOK_UPDATE_PROCESS_TIMES,
	HOOK_SCHEDULER_TICK,
	HOOK_SCHED_TICK,
	NR_TICK_HOOKS,
	HOOK_CPU_CLOCK = NR_TICK_HOOKS, /* a perf event: it needs no fentry */
	HOOK_WATCHDOG,
	NR_HOOKS
};

/* The kernel function, or the perf event's name. */
const char *hook_name(enum hook hook);

/* The kernel's variables, and functions, that the recorder has from /proc/kallsyms (bpf/ says what for). */
enum variable {
	VM_ZONE_STAT,
	VM_NODE_STAT,
	NR_SWAP_PAGES,
	RCU_STATE,
	SLOW_PATHS, /* what who spins for a lock is in (bpf/contention.h) */
	SPIN_NATIVE = SLOW_PATHS,
	SPIN_PARAVIRTUAL,
	SPIN_PLAIN,
	SPIN_READ,
	SPIN_WRITE,
	NOT_IN_BTF, /* the first of those that are looked up if the BTF has no variables */
	RUNQUEUES = NOT_IN_BTF,
	KERNEL_CPUSTAT,
	IRQ_REGS,
	PREEMPT_COUNT,
	KSTAT,
	HRTIMER_BASES,
	CPU_WORKER_POOLS,
	PER_CPU_OFFSET,
	NR_VARIABLES
};

struct features {
	struct btf *btf;
	bool has_function[NR_HOOKS]; /* the BTF has it; HOOK_CPU_CLOCK always */
	struct error *
		no_fentry; /* why nothing can be attached to a function; NULL: nothing speaks against it */
	bool tracing_is_off; /* that is why: the kernel could */
	bool variables_in_btf;
	struct ksym_wanted
		variables[NR_VARIABLES]; /* address 0: not there, hidden, or not needed */
	struct error *no_variables; /* why these could not be looked up; NULL: they were */
};

/* The error is one that leaves no recorder at all: it is on the kernel's BTF. */
struct error *features_probe(struct features *ret);
void features_deinit(struct features *features);

#define NR_SLOW_PATHS (NOT_IN_BTF - SLOW_PATHS)

/* What is to be asked of the BTF besides. */
bool features_has_function(const struct features *features, const char *name);
bool features_has_variable(const struct features *features, const char *name);
bool features_has_type(const struct features *features, const char *name);
bool features_has_member(const struct features *features, const char *type, const char *member);

/* What a program hangs on that is to see each NMI (bpf/recorder.bpf.c). */
#define NMI_FUNCTION "nmi_cpu_backtrace_handler"

/* Whether a program can hang on the kernel function @name. */
bool features_can_attach(const struct features *features, const char *name);

/* Whether one program can be hung on many functions at once: kprobe.multi, since 5.18 and with CONFIG_FPROBE. */
bool features_has_kprobe_multi(const struct features *features);

/* Why the recorder cannot find the run queues, without which it sees nothing; NULL: it can. */
struct error *features_check_variables(const struct features *features);

#endif
