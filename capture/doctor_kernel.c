// SPDX-License-Identifier: GPL-2.0-only
/* How the kernel was built, what it forbids, and how it is set. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/doctor.h"
#include "capture/kconfig.h"

#define LOCKDOWN_PATH "/sys/kernel/security/lockdown"

struct need {
	const char *name;
	const char *options; /* one of them, parted by '|' */
	enum finding_state without;
	const char *lost;
};

static const struct need needs[] = {
	{ "BPF", "CONFIG_BPF_SYSCALL", FINDING_MISSING, "the recorder" },
	{ "BPF compiler", "CONFIG_BPF_JIT", FINDING_MISSING, "programs on the kernel's functions" },
	{ "BTF", "CONFIG_DEBUG_INFO_BTF", FINDING_MISSING,
	  "the recorder, and types for the report" },
	{ "function tracing", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", FINDING_DEGRADED,
	  "programs on the kernel's functions; perf events are used instead" },
	{ "perf events", "CONFIG_PERF_EVENTS", FINDING_DEGRADED,
	  "samples by NMI, and where functions cannot be traced all samples" },
	{ "symbols", "CONFIG_KALLSYMS_ALL", FINDING_DEGRADED,
	  "memory in samples; the names of locks in a report" },
	{ "stacks", "CONFIG_UNWINDER_ORC|CONFIG_UNWINDER_FRAME_POINTER", FINDING_DEGRADED,
	  "stacks of sleeping tasks that can be relied on" },
	{ "kexec", "CONFIG_KEXEC_FILE|CONFIG_KEXEC", FINDING_MISSING, "the crash kernel" },
	{ "kexec under lockdown", "CONFIG_KEXEC_FILE", FINDING_DEGRADED,
	  "kexec_file_load(), the only one that checks signatures" },
	{ "crash dumps", "CONFIG_CRASH_DUMP", FINDING_MISSING, "the crash kernel" },
	{ "vmcore", "CONFIG_PROC_VMCORE", FINDING_MISSING,
	  "the vmcore, where the crash kernel is this one" },
	{ "sysrq", "CONFIG_MAGIC_SYSRQ", FINDING_MISSING, "--trigger sysrq" },
	{ "soft lockup watchdog", "CONFIG_SOFTLOCKUP_DETECTOR|CONFIG_LOCKUP_DETECTOR",
	  FINDING_DEGRADED, "the kernel's own word on soft lockups, and watchdog_timer_fn" },
	{ "hard lockup watchdog", "CONFIG_HARDLOCKUP_DETECTOR", FINDING_DEGRADED,
	  "the kernel's own word on CPUs whose interrupts are off" },
	{ "hung task watchdog", "CONFIG_DETECT_HUNG_TASK", FINDING_DEGRADED,
	  "the kernel's own word on hung tasks" },
	{ "workqueue watchdog", "CONFIG_WQ_WATCHDOG", FINDING_DEGRADED,
	  "the kernel's own word on workqueues that stall" },
	{ "RCU stall warnings", "CONFIG_RCU_STALL_COMMON", FINDING_DEGRADED,
	  "the kernel's own word on RCU stalls" },
	{ "pstore", "CONFIG_PSTORE", FINDING_DEGRADED,
	  "a log that survives where no crash kernel is loaded" },
};

static bool has_any(const char *config, const char *options)
{
	_cleanup_free_ char *copy = strdup(options);
	char *rest = copy;

	for (char *option; rest && (option = strsep(&rest, "|"));)
		if (kconfig_has(config, option))
			return true;
	return false;
}

void doctor_kconfig(struct doctor *doctor, const char *release)
{
	struct findings *findings = &doctor->findings;
	_cleanup_free_ char *config = kconfig_read(doctor->root, release);

	findings->group = "kernel configuration";
	if (!config) {
		findings_add(findings, "configuration", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL,
				 "neither /proc/config.gz nor /boot/config-RELEASE can be read",
				 NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct need *need = &needs[i];
		bool has = has_any(config, need->options);
		findings_add(findings, need->name, has ? FINDING_OK : need->without, "%s",
			     need->options);
		if (!has)
			findings_explain(findings, need->lost, "this kernel is built without it",
					 "a kernel with it");
	}
}

/* "none [integrity] confidentiality": the one in brackets holds. */
void doctor_lockdown(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	char text[256], *mode, *end;

	findings->group = "kernel configuration";
	if (!doctor_read(doctor, LOCKDOWN_PATH, text, sizeof(text))) {
		findings_add(findings, "lockdown", FINDING_OK,
			     "none is told of (no " LOCKDOWN_PATH ")");
		return;
	}
	mode = strchr(text, '[');
	end = mode ? strchr(mode, ']') : NULL;
	if (!end) {
		findings_add(findings, "lockdown", FINDING_UNKNOWN, "%s", text);
		return;
	}
	*end = '\0';
	if (!strcmp(mode + 1, "none")) {
		findings_add(findings, "lockdown", FINDING_OK, "none");
		return;
	}
	bool integrity = !strcmp(mode + 1, "integrity");
	findings_add(findings, "lockdown", FINDING_DEGRADED, "%s", mode + 1);
	if (integrity)
		findings_explain(findings,
				 "kexec_load() and crash kernels that are not signed; "
				 "the record and the triggers work",
				 "the kernel protects itself from root",
				 "a signed kernel as crash kernel, or boot without lockdown=");
	else
		findings_explain(findings,
				 "the recorder, /proc/kcore, and crash kernels that are not "
				 "signed; what is left: watch follows the kernel's own watchdogs",
				 "the kernel keeps its memory from root, BPF included",
				 "boot with lockdown=integrity, or without");
}

/* A setting that is wrong with one value, or only with all others. */
struct setting {
	const char *name; /* as sysctl has it */
	const char *bad; /* NULL: each value is right */
	const char *unit;
	const char *lost;
	const char *remedy;
	bool optional; /* no word if the kernel has it not */
};

static const struct setting settings[] = {
	{ "kernel.watchdog", "0", "", "the kernel's own watchdog, and watchdog_timer_fn",
	  "sysctl kernel.watchdog=1" },
	{ "kernel.watchdog_thresh", "0", " s", "the kernel's own watchdog, and watchdog_timer_fn",
	  "sysctl kernel.watchdog_thresh=10" },
	{ "kernel.nmi_watchdog", "0", "", "the kernel's own word on CPUs whose interrupts are off",
	  "sysctl kernel.nmi_watchdog=1, where the machine counts cycles" },
	{ "kernel.softlockup_panic", NULL, "" },
	{ "kernel.hardlockup_panic", NULL, "", .optional = true },
	{ "kernel.hung_task_timeout_secs", "0", " s", "the kernel's own word on hung tasks",
	  "sysctl kernel.hung_task_timeout_secs=120" },
	{ "kernel.panic", "0", " s",
	  "the machine, if it panics while no crash kernel is loaded: it stays down",
	  "sysctl kernel.panic=10" },
	{ "kernel.sysrq", NULL, " (the trigger does not depend on it)" },
	{ "kernel.kptr_restrict", "2", "",
	  "kernel addresses, from root too: names in what watch prints, memory in samples, "
	  "symbols of kernels before 6.0",
	  "sysctl kernel.kptr_restrict=1" },
	{ "kernel.kexec_load_disabled", "1", "", "arming: no crash kernel can be loaded any more",
	  "reboot; it cannot be taken back", .optional = true },
	{ "kernel.ftrace_enabled", "0", "",
	  "programs on the kernel's functions; perf events are used instead",
	  "sysctl kernel.ftrace_enabled=1", .optional = true },
	{ "net.core.bpf_jit_enable", "0", "", "programs on the kernel's functions",
	  "sysctl net.core.bpf_jit_enable=1", .optional = true },
	{ "kernel.unprivileged_bpf_disabled", NULL, " (watch is root's)", .optional = true },
	{ "kernel.perf_event_paranoid", NULL, " (watch is root's)", .optional = true },
};

static void setting_path(const char *name, char *ret, size_t size)
{
	snprintf(ret, size, "/proc/sys/%s", name);
	for (char *c = ret; *c; c++)
		if (*c == '.')
			*c = '/';
}

void doctor_sysctls(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	char path[128], value[128];

	findings->group = "settings";
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *setting = &settings[i];
		setting_path(setting->name, path, sizeof(path));
		if (!doctor_read(doctor, path, value, sizeof(value))) {
			if (setting->optional)
				continue;
			findings_add(findings, setting->name, FINDING_UNKNOWN, NULL);
			findings_explain(findings, setting->lost,
					 "this kernel has no such setting, or hides it", NULL);
			continue;
		}
		bool bad = setting->bad && !strcmp(value, setting->bad);
		findings_add(findings, setting->name, bad ? FINDING_DEGRADED : FINDING_OK, "%s%s",
			     value, setting->unit);
		if (bad)
			findings_explain(findings, setting->lost, "it is set so", setting->remedy);
	}
}
