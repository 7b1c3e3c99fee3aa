// SPDX-License-Identifier: GPL-2.0-only
/* What this process may do: watch, started the same way, may do the same. */
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/doctor.h"
#include "capture/preflight.h"
#include "capture/sentry.h"
#include "kdump/run.h"

#define SETTLE_LIMIT_S 10

struct capability {
	const char *name;
	unsigned int number;
	enum finding_state without;
	const char *lost;
};

static const struct capability capabilities[] = {
	{ "CAP_BPF", CAP_BPF, FINDING_MISSING, "the recorder" },
	{ "CAP_PERFMON", CAP_PERFMON, FINDING_MISSING, "the recorder" },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN, FINDING_DEGRADED,
	  "the record where it is pinned, and the cgroups' names" },
	{ "CAP_SYS_BOOT", CAP_SYS_BOOT, FINDING_DEGRADED,
	  "--trigger kernel, and arming; --trigger sysrq works" },
	{ "CAP_SYSLOG", CAP_SYSLOG, FINDING_DEGRADED,
	  "kernel addresses where kernel.kptr_restrict is 1: names, and memory in samples" },
	{ "CAP_IPC_LOCK", CAP_IPC_LOCK, FINDING_DEGRADED, "locked memory beyond RLIMIT_MEMLOCK" },
	{ "CAP_SYS_NICE", CAP_SYS_NICE, FINDING_DEGRADED, "real-time priority" },
	{ "CAP_SYS_RESOURCE", CAP_SYS_RESOURCE, FINDING_DEGRADED,
	  "the record's memory on kernels before 5.11, which count it as locked" },
};

static bool effective(const struct doctor *doctor, uint64_t *ret)
{
	char status[8192];

	if (!doctor_read(doctor, "/proc/self/status", status, sizeof(status)))
		return false;
	const char *line = strstr(status, "\nCapEff:");
	if (!line)
		return false;
	*ret = strtoull(line + 8, NULL, 16);
	return true;
}

/* Before 5.8 CAP_SYS_ADMIN stood for the first two, and it still does. */
static bool has(uint64_t set, unsigned int number)
{
	bool by_admin = number == CAP_BPF || number == CAP_PERFMON;

	return set >> number & 1 || (by_admin && set >> CAP_SYS_ADMIN & 1);
}

static void find_capabilities(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	uint64_t set;

	if (!effective(doctor, &set)) {
		findings_add(findings, "capabilities", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "/proc/self/status cannot be read", NULL);
		return;
	}
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		const struct capability *capability = &capabilities[i];
		bool have = has(set, capability->number);
		findings_add(findings, capability->name, have ? FINDING_OK : capability->without,
			     NULL);
		if (!have)
			findings_explain(findings, capability->lost,
					 "this process does not have it",
					 "start it with it (systemd: CapabilityBoundingSet=)");
	}
}

static struct error *settle(void *arg)
{
	(void)arg;
	return sentry_settle();
}

/* The sentry's own way, in a child: there is no way back. */
static void try_settling(struct findings *findings)
{
	struct run run = RUN_INIT;

	run.limit_s = SETTLE_LIMIT_S;
	struct error *err = run_function(&run, settle, NULL);
	findings_add(findings, "real-time, locked", err ? FINDING_MISSING : FINDING_OK, NULL);
	if (err)
		findings_blame(findings, "watch: it does not start without", err);
}

void doctor_privileges(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	struct error *err = preflight_privilege();

	findings->group = "privileges";
	findings_add(findings, "root", err ? FINDING_MISSING : FINDING_OK, NULL);
	if (err)
		findings_blame(findings, "watch, arm, and some of what follows here", err);
	if (!doctor->is_root)
		return;
	find_capabilities(doctor);
	try_settling(findings);
}
