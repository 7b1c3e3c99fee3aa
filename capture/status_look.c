// SPDX-License-Identifier: GPL-2.0-only
/* What there is to see of an armed rig: the chain to the disk, who watches, and how the last drill went. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/clock.h"
#include "capture/pin.h"
#include "capture/status.h"

/* Two threads have their turn each second or two; a busy rig may be late. */
#define SILENT_S 15

#define AS_ROOT "run it as root"

static void look_at_watch(struct status *status)
{
	struct findings *findings = &status->links.findings;
	const struct watch_seen *watch = &status->watch;

	findings->group = "watch";
	if (!watch->is_known) {
		findings_add(findings, "watch", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "only root can tell whether it runs", AS_ROOT);
	} else if (!watch->pid) {
		findings_add(findings, "watch", FINDING_MISSING, NULL);
		findings_explain(findings, "a hang is not noticed", "no 'lockdump watch' runs",
				 "start it: systemctl start lockdump-watch");
	} else if (!watch->has_header) {
		findings_add(findings, "watch", FINDING_DEGRADED, "pid %d", (int)watch->pid);
		findings_explain(findings, "a flight record that outlives it",
				 "it has none in " PIN_BPFFS "/" PIN_DIR_NAME,
				 "see 'lockdump doctor'");
	} else if (watch->heartbeat_age_s > SILENT_S) {
		_cleanup_free_ char *why = NULL;
		if (asprintf(&why, "it has not run for %.0f s", watch->heartbeat_age_s) < 0)
			why = NULL;
		findings_add(findings, "watch", FINDING_DEGRADED, "pid %d", (int)watch->pid);
		findings_explain(findings, "a hang may not be noticed", why,
				 "restart it: systemctl restart lockdump-watch");
	} else {
		findings_add(findings, "watch", FINDING_OK, "pid %d, last heard of %.1f s ago",
			     (int)watch->pid, watch->heartbeat_age_s);
	}
}

/* Why nothing is triggered though it is to be; NULL: it is. */
static const char *why_not_triggered(const struct watch_seen *watch)
{
	const struct record_header *header = &watch->header;

	if (watch->has_triggers && watch->triggers >= watch->options.max_triggers.count)
		return "--max-triggers is used up; it is armed again by itself, or by 'lockdump rm' of "
		       "incidents that are done with";
	if (watch->options.trigger == RECORD_TRIGGER_KERNEL && watch->has_header &&
	    header->armed == RECORD_DISARMED)
		return "the kernel's trigger is disarmed; restart it: systemctl restart "
		       "lockdump-watch";
	return NULL;
}

static void look_at_trigger(struct status *status)
{
	static const char lost[] = "a hang does not crash the machine: there is no vmcore of it";
	struct findings *findings = &status->links.findings;
	const struct watch_seen *watch = &status->watch;
	const struct watch_options *options = &watch->options;

	if (!watch->pid)
		return;
	if (!watch->has_options) {
		findings_add(findings, "trigger", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "the watch's command line cannot be read",
				 AS_ROOT);
		return;
	}
	if (options->trigger == RECORD_TRIGGER_OFF) {
		findings_add(findings, "trigger", FINDING_DEGRADED, "off");
		findings_explain(findings, lost, "watch was started so",
				 "set Trigger= in " CONFIGURATION_FOLDER "/lockdump.conf");
		return;
	}
	const char *why = why_not_triggered(watch);
	findings_add(findings, "trigger", why ? FINDING_DEGRADED : FINDING_OK,
		     "%s after %g s, %u of %u crashes in %u day%s used",
		     watch_options_trigger(options->trigger),
		     (double)options->trigger_after_ns / NS_PER_SEC, watch->triggers,
		     options->max_triggers.count, options->max_triggers.days,
		     options->max_triggers.days == 1 ? "" : "s");
	if (why)
		findings_blame(findings, lost, error_create(ERROR_OTHER, "%s", why));
}

/* An incident that is begun in one store is completed in another, where nobody looks for it. */
static void compare_stores(struct status *status)
{
	struct findings *findings = &status->links.findings;
	const struct links *links = &status->links;
	const struct watch_seen *watch = &status->watch;

	if (!links->ours || !watch->has_options ||
	    !strcmp(watch->options.store, links->armed.store))
		return;
	_cleanup_free_ char *real = realpath(watch->options.store, NULL);
	if (real && !strcmp(real, links->armed.store))
		return;
	_cleanup_free_ char *why = NULL;
	if (asprintf(&why, "watch stores in %s, the capture kernel in %s", watch->options.store,
		     links->armed.store) < 0)
		why = NULL;
	findings_add(findings, "stores", FINDING_DEGRADED, NULL);
	findings_explain(findings, "incidents are in two places", why,
			 "give both the same --store");
}

static void print_passed(struct findings *findings, const struct drill *drill)
{
	char when[LINKS_TIME_SIZE];

	links_time(drill->time_s, when);
	findings_add(
		findings, "last drill", FINDING_OK,
		"passed at %s: incident %s, report in %.1f s, all in %.0f s, %lu of %lu MB used",
		when, drill->incident, drill->report_s, drill->total_s, drill->peak_kb / 1024,
		drill->reserved_kb / 1024);
}

static void look_at_drill(struct status *status)
{
	struct findings *findings = &status->links.findings;
	const struct links *links = &status->links;
	struct drill *drill = &status->drill;
	struct error *err = links->is_root
				    ? drill_look(links->root, links->now.boot_id, drill)
				    : error_create(ERROR_OTHER, "only root can tell; " AS_ROOT);

	findings->group = "drill";
	if (err) {
		drill->outcome = DRILL_UNKNOWN;
		findings_add(findings, "last drill", FINDING_UNKNOWN, NULL);
		findings_blame(findings, NULL, err);
	} else if (drill->outcome == DRILL_NEVER) {
		findings_add(findings, "last drill", FINDING_UNKNOWN, NULL);
		findings_explain(findings, NULL, "there was none",
				 "'lockdump test --crash' crashes the machine to see");
	} else if (drill->outcome == DRILL_PASSED && strcmp(drill->release, links->now.release)) {
		findings_add(findings, "last drill", FINDING_UNKNOWN, "passed on %s",
			     drill->release);
		findings_explain(findings, NULL, "this is another kernel",
				 "'lockdump test --crash' proves it");
	} else if (drill->outcome == DRILL_PASSED) {
		print_passed(findings, drill);
	} else {
		bool failed = drill->outcome == DRILL_FAILED;
		findings_add(findings, "last drill", failed ? FINDING_DEGRADED : FINDING_UNKNOWN,
			     failed ? "failed" : NULL);
		findings_explain(findings, *drill->incident ? drill->incident : NULL, drill->why,
				 failed ? "run 'lockdump test', then 'lockdump test --crash' again"
					: NULL);
	}
}

static void look_at_incidents(struct status *status)
{
	const struct links *links = &status->links;
	char store[PATH_MAX + 64];

	if (!links->has_armed)
		return;
	snprintf(store, sizeof(store), "%s%s", links->root, links->armed.store);
	/* That the store is not there has been said. */
	error_destroy(incidents_read(store, &status->incidents));
	const struct incident_summary *last = status_last_incident(status);
	if (!last)
		return;
	const char *dump = dump_state_name(last->dump);
	status->links.findings.group = "store";
	findings_add(&status->links.findings, "last incident", FINDING_OK, "%s: %s; vmcore %s",
		     last->id,
		     last->drill   ? "a drill"
		     : last->title ? last->title
				   : "nothing is known of it",
		     dump ? dump : "unknown");
}

const struct incident_summary *status_last_incident(const struct status *status)
{
	const struct incidents *incidents = &status->incidents;

	return incidents->list.count ? &incidents->list.data[incidents->list.count - 1] : NULL;
}

void status_look(const char *root, bool is_root, struct status *ret)
{
	*ret = (struct status){ 0 };
	struct links *links = &ret->links;

	links_init(links, root, is_root);
	links_crash_kernel(links);
	links_initramfs(links);
	links_host(links);
	links_machine(links);
	links_kernel(links);
	links_store(links, links_usual_size(links));
	watch_seen_look(root, &ret->watch);
	look_at_watch(ret);
	look_at_trigger(ret);
	compare_stores(ret);
	look_at_incidents(ret);
	look_at_drill(ret);
}

void status_deinit(struct status *status)
{
	links_deinit(&status->links);
	watch_seen_deinit(&status->watch);
	incidents_deinit(&status->incidents);
}

enum rig_state status_rig(const struct status *status)
{
	const struct findings *findings = &status->links.findings;

	if (!status->links.loaded)
		return RIG_NOT_ARMED;
	if (!status->links.ours || !status->watch.pid || !status->watch.has_options ||
	    findings_count(findings, FINDING_MISSING) || findings_count(findings, FINDING_DEGRADED))
		return RIG_DEGRADED;
	return RIG_ARMED;
}
