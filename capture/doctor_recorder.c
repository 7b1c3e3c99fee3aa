// SPDX-License-Identifier: GPL-2.0-only
/* The programs in the kernel: which way they would be run is asked of the recorder itself. */
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/doctor.h"
#include "capture/features.h"
#include "capture/kernel_trigger.h"
#include "capture/recorder.h"
#include "capture/text_file.h"

#define BPFFS_PATH "/sys/fs/bpf"
#define LOCKS_LOST "which lock a CPU spins for, and since when"
#define LEFT_LOST                                                     \
	"the recorder; what is left: watch follows the kernel's own " \
	"watchdogs"

static const char *how(enum hook hook)
{
	return hook == HOOK_CPU_CLOCK ? "perf event" : "fentry";
}

/* The recorder as it would be run, and why not better. */
struct tried {
	const struct features *features;
	struct recorder recorder;
	struct error *refused;
};

/* What a way that is not the best lacks. */
static void explain_choice(struct findings *findings, const struct tried *tried, const char *lost)
{
	const struct error *why = tried->features->no_fentry;

	if (!why)
		why = tried->refused;
	if (why)
		findings_blame(findings, lost, error_copy(why));
	else
		findings_explain(findings, lost, "this kernel has no function that is better",
				 NULL);
}

static void find_tick(struct findings *findings, const struct tried *tried)
{
	enum hook hook = tried->recorder.choice.hook;
	bool best = hook < NR_TICK_HOOKS;

	findings_add(findings, "tick hook", best ? FINDING_OK : FINDING_DEGRADED, "%s (%s)",
		     hook_name(hook), how(hook));
	if (hook == HOOK_CPU_CLOCK)
		explain_choice(findings, tried,
			       "CPUs that come online later are not watched; idle ones are "
			       "woken ten times a second");
	else if (!best)
		explain_choice(findings, tried,
			       "samples between the watchdog's timers, some seconds apart");
}

static void find_watchdog(struct findings *findings, const struct tried *tried)
{
	static const char lost[] = "a stall's end on a CPU that goes idle is seen late";
	bool used = tried->recorder.choice.watchdog;

	findings_add(findings, "watchdog hook", used ? FINDING_OK : FINDING_DEGRADED, "%s (fentry)",
		     hook_name(HOOK_WATCHDOG));
	if (used)
		return;
	if (!tried->features->has_function[HOOK_WATCHDOG])
		findings_explain(findings, lost, "this kernel does not have it",
				 "a kernel with CONFIG_SOFTLOCKUP_DETECTOR");
	else
		explain_choice(findings, tried, lost);
}

/* Hangs where the recorder does, and is loaded into its map. */
static void try_kernel_trigger(struct doctor *doctor, const struct recorder *recorder)
{
	const struct watch_options options = {};
	const struct pins pins = { .dir = PIN_BPFFS "/" PIN_DIR_NAME };
	struct trigger_bpf *trigger;

	doctor->no_kernel_trigger = kernel_trigger_load(recorder, &pins, &options, false, &trigger);
	kernel_trigger_destroy(trigger);
}

/* Nobody but root may ask the kernel's verifier. */
static void find_hooks(struct doctor *doctor, const struct features *features)
{
	struct findings *findings = &doctor->findings;
	struct tried tried = { .features = features };

	if (!doctor->is_root) {
		findings_add(findings, "tick hook", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "only root may load programs", "run it as root");
		return;
	}
	struct error *err = recorder_try(features, &tried.recorder, &tried.refused);
	if (err) {
		findings_add(findings, "tick hook", FINDING_MISSING, NULL);
		findings_blame(findings, LEFT_LOST, err);
		return;
	}
	doctor->has_recorder = true;
	find_tick(findings, &tried);
	find_watchdog(findings, &tried);
	try_kernel_trigger(doctor, &tried.recorder);
	error_destroy(tried.refused);
	recorder_stop(&tried.recorder);
}

/* A per-CPU variable, as the recorder finds it: by its type, else by its address. */
static bool find_variable(struct doctor *doctor, const struct features *features, const char *name,
			  enum variable variable)
{
	struct findings *findings = &doctor->findings;
	const char *symbol = features->variables[variable].name;

	if (features_has_variable(features, symbol))
		findings_add(findings, name, FINDING_OK, "%s by BTF", symbol);
	else if (features->variables[variable].address)
		findings_add(findings, name, FINDING_OK, "%s by " KSYMS_PATH, symbol);
	else
		return false;
	return true;
}

static void lacks(struct doctor *doctor, const struct features *features, const char *name,
		  const char *lost)
{
	struct findings *findings = &doctor->findings;

	findings_add(findings, name, doctor->is_root ? FINDING_DEGRADED : FINDING_UNKNOWN, NULL);
	if (!doctor->is_root)
		findings_explain(findings, lost, KSYMS_PATH " hides addresses from all but root",
				 "run it as root");
	else if (features->no_variables)
		findings_blame(findings, lost, error_copy(features->no_variables));
	else
		findings_explain(findings, lost,
				 "neither the kernel's BTF nor " KSYMS_PATH " has it",
				 "sysctl kernel.kptr_restrict=1, if it is 2");
}

static void find_variables(struct doctor *doctor, const struct features *features)
{
	static const struct {
		const char *name;
		enum variable variable;
		const char *lost;
	} wanted[] = {
		{ "run queues", RUNQUEUES, "the recorder" },
		{ "interrupted registers", IRQ_REGS,
		  "registers in samples; user-mode loops look like stalls" },
		{ "CPU time", KERNEL_CPUSTAT, "the CPU's time in samples: interrupt storms" },
		{ "memory counters", VM_NODE_STAT, "the machine's memory in samples" },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!find_variable(doctor, features, wanted[i].name, wanted[i].variable))
			lacks(doctor, features, wanted[i].name, wanted[i].lost);
	/* A member of pcpu_hot from 6.2 to 6.13. */
	if (features_has_member(features, "pcpu_hot", "preempt_count"))
		findings_add(&doctor->findings, "preempt count", FINDING_OK,
			     "pcpu_hot.preempt_count by BTF");
	else if (!find_variable(doctor, features, "preempt count", PREEMPT_COUNT))
		lacks(doctor, features, "preempt count", "the preempt count in samples");
}

static void find_members(struct findings *findings, const struct features *features)
{
	bool renamed = features_has_member(features, "task_struct", "__state");
	bool percpu = !features_has_type(features, "mm_rss_stat");

	if (renamed || features_has_member(features, "task_struct", "state"))
		findings_add(findings, "task state", FINDING_OK, "task_struct.%s",
			     renamed ? "__state" : "state");
	else {
		findings_add(findings, "task state", FINDING_DEGRADED, NULL);
		findings_explain(findings, "the task's state in samples",
				 "task_struct has neither __state nor state", NULL);
	}
	if (features_has_member(features, "mm_struct", "rss_stat"))
		findings_add(findings, "task memory", FINDING_OK, "mm_struct.rss_stat (%s)",
			     percpu ? "percpu_counter" : "mm_rss_stat");
	else {
		findings_add(findings, "task memory", FINDING_DEGRADED, NULL);
		findings_explain(findings, "the task's memory in samples",
				 "mm_struct has no rss_stat", NULL);
	}
}

/* One stands for all. */
static const struct ksym_wanted *slow_path(const struct features *features)
{
	for (enum variable path = SLOW_PATHS; path < NOT_IN_BTF; path++)
		if (features_can_attach(features, features->variables[path].name))
			return &features->variables[path];
	return NULL;
}

static void find_locks(struct doctor *doctor, const struct features *features)
{
	struct findings *findings = &doctor->findings;
	const struct ksym_wanted *path = slow_path(features);

	if (path && !path->address) {
		lacks(doctor, features, "lock contention", "the lock in samples of who spins");
		return;
	}
	if (path) {
		findings_add(findings, "lock contention", FINDING_OK, "%s", path->name);
		return;
	}
	findings_add(findings, "lock contention", FINDING_DEGRADED, NULL);
	if (features->no_fentry)
		findings_blame(findings, LOCKS_LOST, error_copy(features->no_fentry));
	else
		findings_explain(findings, LOCKS_LOST,
				 "this kernel has no queued spinlocks; it takes CONFIG_SMP", NULL);
}

static void find_tracing(struct findings *findings, const struct features *features)
{
	if (features_has_type(features, "btf_trace_sched_process_hang")) {
		findings_add(findings, "hung tasks", FINDING_OK, "sched_process_hang");
	} else {
		findings_add(findings, "hung tasks", FINDING_DEGRADED, NULL);
		findings_explain(findings, "hung tasks in the record",
				 "this kernel has no tracepoint sched_process_hang",
				 "a kernel with CONFIG_DETECT_HUNG_TASK");
	}
	if (features_has_kprobe_multi(features))
		findings_add(findings, "probes", FINDING_OK, "kprobe.multi");
	else
		findings_add(findings, "probes", FINDING_OK,
			     "kprobe, one by one (kprobe.multi takes 5.18 with "
			     "CONFIG_FPROBE)");
}

#define NMI_LOST \
	"samples of a CPU whose interrupts are off: its neighbour sees that it is deaf, no more"

/* NMIs are the kernel's own to send: by its NMI watchdog, where the machine has a counter for that. Many VMs have none. */
static void find_nmi(struct findings *findings, const struct features *features)
{
	_cleanup_free_ char *watchdog = text_file_read("/proc/sys/kernel/nmi_watchdog", 8);
	_cleanup_free_ char *seconds = text_file_read("/proc/sys/kernel/watchdog_thresh", 16);

	if (!features_can_attach(features, NMI_FUNCTION)) {
		findings_add(findings, "NMI samples", FINDING_DEGRADED, NULL);
		findings_explain(findings, NMI_LOST,
				 "no program can hang on the kernel's function " NMI_FUNCTION,
				 NULL);
	} else if (watchdog && !strcmp(watchdog, "1")) {
		findings_add(findings, "NMI samples", FINDING_OK,
			     NMI_FUNCTION "; the NMI watchdog's come each %s s",
			     seconds ? seconds : "?");
	} else {
		findings_add(
			findings, "NMI samples", FINDING_DEGRADED,
			"nmi_cpu_backtrace_handler, when RCU's stall detector or sysrq-l send one");
		findings_explain(findings, NMI_LOST,
				 "the NMI watchdog is off, or the machine has no counter for it",
				 "sysctl kernel.nmi_watchdog=1");
	}
}

/* bpf/neighbours.h. The clock's resolution is 1 ns with such timers, else a tick: hrtimer_resolution in the kernel. */
static void find_high_res(struct findings *findings)
{
	struct timespec resolution;

	if (!clock_getres(CLOCK_MONOTONIC, &resolution) && !resolution.tv_sec &&
	    resolution.tv_nsec == 1) {
		findings_add(findings, "interrupts off", FINDING_OK,
			     "timers that are overdue, as another CPU sees them");
		return;
	}
	findings_add(findings, "interrupts off", FINDING_MISSING, NULL);
	findings_explain(findings, "CPUs that take no interrupts (hard lockups)",
			 "high-resolution timers are off, or this machine has none",
			 "boot without highres=off; the kernel's log has why it could not switch");
}

static void find_bpffs(struct findings *findings)
{
	struct statfs fs;

	if (!statfs(BPFFS_PATH, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC) {
		findings_add(findings, "pinned record", FINDING_OK, BPFFS_PATH);
		return;
	}
	findings_add(findings, "pinned record", FINDING_DEGRADED, NULL);
	findings_explain(findings, "the record, if watch is killed; --trigger kernel",
			 "no BPF file system is mounted at " BPFFS_PATH,
			 "mount -t bpf bpf " BPFFS_PATH);
}

void doctor_recorder(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	struct features features;

	findings->group = "recorder";
	struct error *err = features_probe(&features);
	if (err) {
		findings_add(findings, "types", FINDING_MISSING, NULL);
		findings_blame(findings, LEFT_LOST, err);
		features_deinit(&features);
		return;
	}
	findings_add(findings, "types", FINDING_OK, "the kernel's BTF");
	find_hooks(doctor, &features);
	find_variables(doctor, &features);
	find_members(findings, &features);
	find_locks(doctor, &features);
	find_tracing(findings, &features);
	find_high_res(findings);
	find_nmi(findings, &features);
	find_bpffs(findings);
	features_deinit(&features);
}
