// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "base/sandbox.h"
#include "base/usage.h"
#include "lockdump.h"
#include "report/notice.h"
#include "report/output.h"
#include "state/clocks.h"
#include "state/record_pin.h"
#include "verdict/timeline.h"

static void usage(FILE *out)
{
	fputs("Usage: lockdump record VMCORE|FILE|live [-o FILE]\n"
	      "Takes the flight record out of a vmcore, or of this machine as it runs, or reads a\n"
	      "record.bin, and says what is in it.\n\n"
	      "  -o, --output FILE    save the record instead, as it is\n"
	      "      --to WHERE       of 'live': instead, write in a few lines who is stuck, where and since\n"
	      "                       when, to the kernel's log and console (console) or to ramoops (pmsg)\n"
	      "  --no-sandbox         neither confine the analysis nor limit its time and memory\n"
	      "  --help\n",
	      out);
}

/* A record.bin begins with the record's magic; all else is left to the dump readers. */
static bool is_record_file(const char *path)
{
	char magic[sizeof(RECORD_MAGIC) - 1] = {};
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 && pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, RECORD_MAGIC, sizeof(magic));
}

static struct error *read_record(const char *path, struct record *ret)
{
	struct kernel *kernel;

	if (is_record_file(path))
		return record_from_file(path, ret);
	struct error *err = kernel_open(&(struct kernel_source){ path }, &kernel);
	if (err)
		return err;
	err = record_from_kernel(kernel, ret);
	kernel_close(kernel);
	return error_prefix(err, "%s", path);
}

static void print_slot(const struct record *record, uint32_t cpu, FILE *out)
{
	const struct record_slot *slot = record_slot(record, cpu);
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	size_t torn, count = record_samples(slot, samples, &torn);

	fprintf(out, "CPU %-3u  %llu ticks, %llu stall%s", cpu, (unsigned long long)slot->ticks,
		(unsigned long long)slot->stalls, slot->stalls == 1 ? "" : "s");
	if (!count) {
		fputc('\n', out);
		return;
	}
	uint64_t end_ns = slot->end_ns ? slot->end_ns : timeline_end_ns(record);
	fprintf(out, "; the last one %.3f s, %s, %zu samples", (end_ns - slot->onset_ns) / 1e9,
		slot->end_ns ? "ended by itself" : "did not end", count);
	if (torn)
		fprintf(out, " and %zu torn", torn);
	fputc('\n', out);
	const struct unwind_arch *arch = unwind_arch_find(record->header->machine);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %8.3f  ", (samples[i]->time_ns - samples[i]->onset_ns) / 1e9);
		print_text(samples[i]->comm, out);
		fprintf(out, "/%u", samples[i]->pid);
		if (arch && samples[i]->flags & RECORD_SAMPLE_REGS)
			fprintf(out, "  %s 0x%llx", arch->register_names[arch->pc],
				(unsigned long long)samples[i]->regs[arch->pc]);
		fprintf(out, ", %u return addresses\n", samples[i]->nr_stack);
	}
}

static void print_fact(const char *name, const char *value, FILE *out)
{
	fputs(name, out);
	print_text(value, out);
	fputc('\n', out);
}

static void print_record(const struct record *record, FILE *out)
{
	const struct record_header *header = record->header;
	time_t start = header->anchor_realtime_ns / 1000000000;
	struct tm tm;
	char stamp[64] = "unknown";

	if (gmtime_r(&start, &tm))
		strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S UTC", &tm);
	print_fact("release    ", header->release, out);
	print_fact("boot       ", header->boot_id, out);
	print_fact("since      ", stamp, out);
	print_fact("sampled by ", header->tick_hook, out);
	if (header->incident[0])
		print_fact("incident   ", header->incident, out);
	if (header->fired_by != RECORD_FIRED_NONE) {
		fprintf(out, "trigger    CPU %d: ", header->fired_cpu);
		print_fact("", header->fired_reason, out);
	}
	for (uint32_t cpu = 0; cpu < header->nr_slots; cpu++)
		print_slot(record, cpu, out);
}

struct analysis {
	const char *source;
	const char *output; /* its path; NULL: say what is in the record */
	FILE *out;
	enum outlet to;
	struct record live; /* of this machine, if it is pinned; else there is no data */
};

static struct error *show_record(void *arg)
{
	const struct analysis *analysis = arg;
	struct record record = analysis->live;
	struct error *err = record.data ? NULL : read_record(analysis->source, &record);

	if (err)
		return err;
	if (!analysis->output)
		print_record(&record, analysis->out);
	else
		fwrite(record.data, 1, record.size, analysis->out);
	if (fflush(analysis->out) || ferror(analysis->out))
		err = error_errno("%s", analysis->output ? analysis->output : "stdout");
	record_deinit(&record);
	return err;
}

static struct error *record(struct analysis *analysis, struct sandbox *sandbox)
{
	struct output output;
	struct error *err = output_check(analysis->output, &analysis->source, 1);

	if (!err)
		err = output_open(analysis->output, &output);
	if (err)
		return err;
	analysis->out = output.file;
	sandbox->interrupts = &output.interrupts;
	err = sandbox_run(sandbox, show_record, analysis);
	return output_close(&output, err);
}

/* Not in a sandbox: this machine's own kernel is no stranger. */
static struct error *notify(struct analysis *analysis)
{
	struct record record = analysis->live;
	struct timespec now;
	struct error *err = outlet_check(analysis->to, "");

	if (!err && !record.data)
		err = read_record(analysis->source, &record);
	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &now);
	err = notice_write(&record, now.tv_sec * SECOND_NS + now.tv_nsec, analysis->to, true);
	if (!analysis->live.data)
		record_deinit(&record);
	return err;
}

/* By its name; a watch that could not give it one has it in the kernel's memory only. */
static struct error *record_live(struct analysis *analysis, struct sandbox *sandbox)
{
	struct error *unpinned = record_from_pin(RECORD_PIN_PATH, &analysis->live);

	if (unpinned && unpinned->class != ERROR_NOT_FOUND)
		return unpinned;
	struct error *err = analysis->to ? notify(analysis) : record(analysis, sandbox);
	record_deinit(&analysis->live);
	if (err && unpinned && err->class == ERROR_NOT_FOUND) {
		error_destroy(err);
		return unpinned;
	}
	if (unpinned)
		err = error_prefix(err, "%s", unpinned->message);
	error_destroy(unpinned);
	return err;
}

int cmd_record(int argc, char **argv)
{
	enum { OPT_NO_SANDBOX = 256, OPT_TO };
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "to", required_argument, NULL, OPT_TO },
		{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	struct analysis analysis = {};
	/* As of a report. */
	struct sandbox sandbox = {
		.readable = &analysis.source,
		.nr_readable = 1,
		.most_s = 10,
		.most_bytes = 256u << 20,
		.remedy = SANDBOX_REMEDY,
	};

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":o:", options, NULL)) >= 0;) {
		if (c == 'o') {
			analysis.output = optarg;
		} else if (c == OPT_TO) {
			analysis.to = outlet_find(optarg);
			if (!analysis.to)
				return usage_error(argv[0], "--to %s: neither console nor pmsg",
						   optarg);
		} else if (c == OPT_NO_SANDBOX) {
			sandbox.off = true;
		} else if (c == 'h') {
			usage(stdout);
			return 0;
		} else {
			return usage_bad_option(argv, c);
		}
	}
	if (optind != argc - 1)
		return usage_error(argv[0], "name one vmcore or record");
	bool is_live = !strcmp(argv[optind], "live");
	if (analysis.to && (!is_live || analysis.output))
		return usage_error(argv[0], "--to is for 'live' only, and without -o");
	analysis.source = is_live ? DUMP_LIVE : argv[optind];
	sandbox.name = analysis.source;
	struct error *err =
		is_live ? record_live(&analysis, &sandbox) : record(&analysis, &sandbox);
	return err ? error_report(err) : 0;
}
