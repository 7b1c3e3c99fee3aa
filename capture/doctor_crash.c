// SPDX-License-Identifier: GPL-2.0-only
/* What it takes that a crash is pulled, saved, and reported: all is asked as watch and arm ask it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/doctor.h"
#include "capture/preflight.h"
#include "kdump/device.h"
#include "kdump/kept_symbols.h"
#include "kdump/kexec.h"
#include "kdump/makedumpfile.h"
#include "kdump/run.h"

#define INCIDENT_MIN (1 << 20)

static void find_reserved(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	unsigned long reserved_kb = 0;
	struct error *err = kexec_reserved_kb(doctor->root, &reserved_kb);

	if (!err) {
		findings_add(findings, "reserved", FINDING_OK, "%lu MB", reserved_kb / 1024);
		return;
	}
	findings_add(findings, "reserved", FINDING_MISSING, NULL);
	findings_blame(findings, "the vmcore", err);
}

static void find_loaded(struct findings *findings)
{
	struct error *err = preflight_crash_kernel();

	findings_add(findings, "loaded", err ? FINDING_MISSING : FINDING_OK, NULL);
	if (err)
		findings_blame(findings, "the vmcore, and each --trigger", err);
}

static void find_tools(struct findings *findings)
{
	static const struct {
		const char *name, *lost;
	} tools[] = { { "kexec", "arm" }, { "cpio", "test" } };
	_cleanup_free_ char *makedumpfile = NULL;
	char compression[16];

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		struct error *err = run_installed(tools[i].name, NULL);
		findings_add(findings, tools[i].name, err ? FINDING_MISSING : FINDING_OK, NULL);
		if (err)
			findings_blame(findings, tools[i].lost, err);
	}
	struct error *err = run_installed("makedumpfile", &makedumpfile);
	if (!err)
		err = makedumpfile_compression(makedumpfile, compression);
	findings_add(findings, "makedumpfile", err ? FINDING_MISSING : FINDING_OK,
		     err ? NULL : "compresses with %s", compression);
	if (err)
		findings_blame(findings, "arm", err);
}

/* Before 6.0 a dump does not lead to its symbols. */
static void find_symbols(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	_cleanup_(kept_symbols_deinit) struct kept_symbols symbols = {};

	if (!doctor->is_root) {
		findings_add(findings, "symbols", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "/proc/kcore is root's", "run it as root");
		return;
	}
	if (!kept_symbols_needed()) {
		findings_add(findings, "symbols", FINDING_OK, "in the dump itself");
		return;
	}
	struct error *err = kept_symbols_read("/proc/kallsyms", &symbols);
	findings_add(findings, "symbols", err ? FINDING_DEGRADED : FINDING_OK,
		     "arm keeps /proc/kallsyms");
	if (err)
		findings_blame(findings, "names in the report, but with a vmlinux", err);
}

void doctor_crash_kernel(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;

	findings->group = "crash kernel";
	find_reserved(doctor);
	find_loaded(findings);
	find_tools(findings);
	find_symbols(doctor);
}

static void find_kernel_trigger(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	static const char lost[] = "--trigger kernel: a crash when no process can run any more";
	bool has = doctor->has_recorder && !doctor->no_kernel_trigger;

	findings_add(findings, "kernel", has ? FINDING_OK : FINDING_MISSING, "crash_kexec()");
	if (!doctor->has_recorder)
		findings_explain(findings, lost, "it needs the recorder",
				 "set kernel.softlockup_panic to 1 instead");
	else if (doctor->no_kernel_trigger)
		findings_blame(findings, lost, doctor->no_kernel_trigger);
	doctor->no_kernel_trigger = NULL;
}

void doctor_trigger(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	int fd = -1;

	findings->group = "trigger";
	if (!doctor->is_root) {
		findings_add(findings, "sysrq", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "not root", "run it as root");
		return;
	}
	struct error *err = preflight_sysrq(&fd);
	if (fd >= 0)
		close(fd);
	findings_add(findings, "sysrq", err ? FINDING_MISSING : FINDING_OK, "/proc/sysrq-trigger");
	if (err)
		findings_blame(findings, "--trigger sysrq", err);
	find_kernel_trigger(doctor);
}

void doctor_store(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	struct store_device device;

	findings->group = "store";
	if (!doctor->is_root) {
		findings_add(findings, "store", FINDING_UNKNOWN, "%s", doctor->store);
		findings_explain(findings, NULL, "not root", "run it as root");
		return;
	}
	struct error *err = preflight_store(doctor->store, INCIDENT_MIN);
	findings_add(findings, "store", err ? FINDING_MISSING : FINDING_OK, "%s", doctor->store);
	if (err) {
		findings_blame(findings, "incidents", err);
		return;
	}
	err = device_of_store(doctor->store, &device);
	if (err) {
		findings_add(findings, "device", FINDING_DEGRADED, NULL);
		findings_blame(findings,
			       "the capture kernel cannot reach it: the record is kept, a vmcore "
			       "is not",
			       err);
		return;
	}
	findings_add(findings, "device", FINDING_OK, "%s, %s", device.name, device.fs_type);
}
