// SPDX-License-Identifier: GPL-2.0-only
/* lockdump status: on one screen, whether a crash of this machine would be saved. */
#include "capture/status.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/print.h"
#include "base/usage.h"
#include "lockdump.h"

static const char *const state_names[] = {
	[RIG_ARMED] = "armed",
	[RIG_DEGRADED] = "degraded",
	[RIG_NOT_ARMED] = "not armed",
};

static const char *const headlines[] = {
	[RIG_ARMED] = "a hang of this machine crashes it, and is saved",
	[RIG_DEGRADED] = "not all is as it should be",
	[RIG_NOT_ARMED] = "a crash of this machine is not saved",
};

/* --- text ------------------------------------------------------------------------------ */

static void print_steps(const struct drill *drill, FILE *out)
{
	if (!drill->nr_steps)
		return;
	fprintf(out, "%24s  its steps:", "");
	for (size_t i = 0; i < drill->nr_steps; i++) {
		fputs(i ? ", " : " ", out);
		print_text(drill->steps[i].name, out);
		fprintf(out, " %.1f s", drill->steps[i].seconds);
	}
	fputc('\n', out);
}

struct error *status_print_text(const struct status *status, bool colour, FILE *out)
{
	enum rig_state state = status_rig(status);

	fprintf(out, "%s%s%s: %s\n\n", colour ? "\033[1m" : "", state_names[state],
		colour ? "\033[0m" : "", headlines[state]);
	struct error *err = findings_print_lines(&status->links.findings, colour, out);
	if (!err) {
		print_steps(&status->drill, out);
		err = fflush(out) || ferror(out) ? error_errno("stdout") : NULL;
	}
	return err;
}

/* --- JSON ------------------------------------------------------------------------------ */

static struct json_object *number(unsigned long n)
{
	return n ? json_number(n) : NULL;
}

static struct json_object *boolean(bool value)
{
	return json_object_new_boolean(value);
}

static struct json_object *crash_kernel_to_json(const struct links *links)
{
	const struct armed *armed = &links->armed;
	struct json_object *object = json_object_new_object();

	json_add(object, "loaded", boolean(links->loaded));
	json_add(object, "ours", links->is_root ? boolean(links->ours) : NULL);
	json_add(object, "reserved_kb", number(links->reserved_kb));
	json_add(object, "kernel", json_text_or_null(armed->kernel_release));
	json_add(object, "loaded_by", json_text_or_null(armed->loaded_by));
	json_add(object, "armed_at", armed->time_s ? json_double(armed->time_s) : NULL);
	json_add(object, "makedumpfile", json_text_or_null(armed->makedumpfile));
	return object;
}

static struct json_object *options_to_json(const struct watch_seen *watch)
{
	const struct watch_options *options = &watch->options;
	struct json_object *object = json_object_new_object();

	json_add(object, "mode", json_text(watch_options_trigger(options->trigger)));
	json_add(object, "after_s", json_seconds(options->trigger_after_ns));
	json_add(object, "used", watch->has_triggers ? json_number(watch->triggers) : NULL);
	json_add(object, "most", json_number(options->max_triggers.count));
	json_add(object, "days", json_number(options->max_triggers.days));
	return object;
}

static struct json_object *watch_to_json(const struct watch_seen *watch)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "running", watch->is_known ? boolean(watch->pid) : NULL);
	json_add(object, "pid", number(watch->pid));
	json_add(object, "heartbeat_age_s",
		 watch->has_header ? json_double(watch->heartbeat_age_s) : NULL);
	json_add(object, "store", watch->has_options ? json_text(watch->options.store) : NULL);
	json_add(object, "trigger", watch->has_options ? options_to_json(watch) : NULL);
	return object;
}

static struct json_object *store_to_json(const struct armed *armed)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "path", json_text_or_null(armed->store));
	json_add(object, "device", json_text_or_null(armed->store_device));
	json_add(object, "uuid", json_text_or_null(armed->store_uuid));
	return object;
}

static struct json_object *incident_to_json(const struct incident_summary *incident)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "id", json_text(incident->id));
	json_add(object, "kernel", json_text(incident->kernel));
	json_add(object, "kind", json_text(incident->kind));
	json_add(object, "title", json_text(incident->title));
	json_add(object, "dump", json_text(dump_state_name(incident->dump)));
	json_add(object, "complete", boolean(incident->complete));
	json_add(object, "drill", boolean(incident->drill));
	return object;
}

struct error *status_print_json(const struct status *status, FILE *out)
{
	const struct links *links = &status->links;
	const struct incident_summary *last = status_last_incident(status);
	struct json_writer writer;

	json_begin(&writer, out);
	json_write(&writer, "schema", json_text("lockdump.status/1"));
	json_write(&writer, "state", json_text(state_names[status_rig(status)]));
	json_write(&writer, "kernel", json_text_or_null(links->now.release));
	json_write(&writer, "crash_kernel", crash_kernel_to_json(links));
	json_write(&writer, "store", links->has_armed ? store_to_json(&links->armed) : NULL);
	json_write(&writer, "watch", watch_to_json(&status->watch));
	json_write(&writer, "last_incident", last ? incident_to_json(last) : NULL);
	json_write(&writer, "drill", drill_to_json(&status->drill));
	json_write(&writer, "items", findings_to_json(&links->findings));
	return json_end(&writer);
}

/* --- the verb -------------------------------------------------------------------------- */

static const char status_help[] =
	"Usage: lockdump status [OPTION...]\n"
	"Says whether this rig is armed: whether the crash kernel that 'arm' loaded is still there and fits,\n"
	"'watch' runs and would trigger, the store is there, and how the last drill ('lockdump test --crash')\n"
	"went. Each line is one thing; of what is not ok follow what is lost, why, and the remedy.\n"
	"\n"
	"      --json   for programs: lockdump.status/1\n"
	"      --help   print this\n"
	"\n"
	"Exit status: 0 armed, 3 degraded, 4 not armed; 1 it could not look, 2 wrong usage.\n";

static int run(bool json)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct status status;

	status_look("", !geteuid(), &status);
	struct error *err = json ? status_print_json(&status, stdout)
				 : status_print_text(&status, colour, stdout);
	int state = status_rig(&status);
	status_deinit(&status);
	return err ? error_report(err) : state;
}

int cmd_status(int argc, char **argv)
{
	enum { OPTION_JSON = 256, OPTION_HELP };
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, OPTION_HELP },
		{},
	};
	bool json = false;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) >= 0;) {
		if (c == OPTION_JSON) {
			json = true;
		} else if (c == OPTION_HELP) {
			fputs(status_help, stdout);
			return 0;
		} else {
			return usage_bad_option(argv, c);
		}
	}
	if (optind < argc)
		return usage_error(argv[0], "unexpected argument '%s'", argv[optind]);
	return run(json);
}
