// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prometheus' text format, version 0.0.4: "NAME{LABEL="value",...} VALUE" lines, each name after its HELP and TYPE.
 * A label's value escapes '\\', '"' and newlines, and is UTF-8: one byte that is none, and the whole file is refused.
 */
#include "capture/metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/cause.h"

static void print_label(const char *name, const char *value, FILE *out)
{
	fprintf(out, "%s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '\\' || *c == '"')
			fprintf(out, "\\%c", *c);
		else if (*c == '\n')
			fputs("\\n", out);
		else
			fputc(*c < ' ' || *c > '~' ? '?' : *c, out);
	}
	fputc('"', out);
}

static void begin(const char *name, const char *type, const char *help, FILE *out)
{
	fprintf(out, "# HELP lockdump_%s %s\n# TYPE lockdump_%s %s\n", name, help, name, type);
}

static void print_count(const char *name, const char *type, const char *help, uint64_t value,
			FILE *out)
{
	begin(name, type, help, out);
	fprintf(out, "lockdump_%s %" PRIu64 "\n", name, value);
}

static void print_seconds(const char *name, const char *help, double value, FILE *out)
{
	begin(name, "gauge", help, out);
	fprintf(out, "lockdump_%s %.3f\n", name, value);
}

static void print_last_stall(const struct metrics *metrics, FILE *out)
{
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%" PRIu32, metrics->cpu);
	begin("last_stall_timestamp_seconds", "gauge", "Onset of the last stall.", out);
	fputs("lockdump_last_stall_timestamp_seconds{", out);
	print_label("cpu", cpu, out);
	fputc(',', out);
	print_label("comm", metrics->comm, out);
	fputc(',', out);
	print_label("incident", metrics->incident, out);
	fprintf(out, "} %.3f\n", metrics->onset_s);
}

static void print_alarms(const struct metrics *metrics, FILE *out)
{
	begin("alarms_total", "counter", "What else was wrong, past its threshold.", out);
	for (int kind = RECORD_KIND_HARD_LOCKUP; kind < RECORD_NR_KINDS; kind++) {
		fputs("lockdump_alarms_total{", out);
		print_label("kind", cause_kind_name(kind), out);
		fprintf(out, "} %" PRIu64 "\n", metrics->alarms[kind]);
	}
}

void metrics_print(const struct metrics *metrics, FILE *out)
{
	begin("watching", "gauge", "1: lockdump watches, by the kernel function hook.", out);
	fputs("lockdump_watching{", out);
	print_label("hook", metrics->hook, out);
	fputc(',', out);
	print_label("trigger", metrics->trigger, out);
	fprintf(out, "} %d\n", metrics->watching);
	print_count("hook_calls_total", "counter", "Calls of the hook on all CPUs.", metrics->ticks,
		    out);
	print_seconds("heartbeat_timestamp_seconds",
		      "Last heartbeat when this was written: at the start, the end and each event.",
		      metrics->heartbeat_s, out);
	print_seconds("threshold_seconds", "A stall this long is a lockup.", metrics->threshold_s,
		      out);
	print_count("stalls_total", "counter", "Stalls past the threshold.", metrics->stalls, out);
	print_count("stalled_cpus", "gauge", "CPUs that were stalled when this was written.",
		    metrics->stalled_cpus, out);
	print_seconds("longest_stall_seconds", "The longest stall past the threshold.",
		      metrics->longest_s, out);
	print_alarms(metrics, out);
	print_count("incidents_total", "counter", "Incidents stored.", metrics->incidents, out);
	print_count("triggers_total", "counter", "Tries to crash the machine.", metrics->triggers,
		    out);
	print_count("trigger_failures_total", "counter", "Tries that the machine has survived.",
		    metrics->trigger_failures, out);
	if (metrics->onset_s > 0)
		print_last_stall(metrics, out);
}

/* What takes the place of a device takes it from all others, too. */
static struct error *check(const char *path)
{
	struct stat st;

	if (lstat(path, &st) || S_ISREG(st.st_mode))
		return NULL;
	return error_create(ERROR_OTHER, "metrics: %s: not a regular file; name another", path);
}

struct error *metrics_write(const struct metrics *metrics, const char *path)
{
	_cleanup_free_ char *tmp = NULL;
	struct error *err = check(path);

	if (err)
		return err;
	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return &error_no_memory;
	/* The folder may be another user's: nothing that lies there is written into. */
	unlink(tmp);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno("metrics: %s", tmp);
	fchmod(fd, 0644);
	FILE *out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return &error_no_memory;
	}
	metrics_print(metrics, out);
	bool failed = fflush(out) || ferror(out);
	if (fclose(out) || failed || rename(tmp, path)) {
		err = error_errno("metrics: %s", path);
		unlink(tmp);
	}
	return err;
}
