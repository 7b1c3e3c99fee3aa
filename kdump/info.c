// SPDX-License-Identifier: GPL-2.0-only
/* lockdump info: all that is known of an incident, in words; and whether it is kept. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/print.h"
#include "base/usage.h"
#include "kdump/checking.h"
#include "kdump/manifest_read.h"
#include "kdump/selection.h"
#include "kdump/wording.h"
#include "lockdump.h"

#define LABEL_WIDTH 11

static const char help[] =
	"Usage: lockdump info [OPTION...] [ID|-1|-2...]\n"
	"Tells all that is known of incidents; without a choice, of the newest.\n"
	"\n" SELECTION_HELP
	"      --check   read all files, and say whether their checksums are right\n"
	"      --keep    mark them: neither 'rm' nor 'harvest' removes them\n"
	"      --no-keep\n"
	"                take that mark away\n"
	"      --help    print this\n";

struct info_options {
	struct selection selection;
	bool check, keep, no_keep;
};

/* An incident, with what its manifest says; of one without, nothing. */
struct info {
	const struct info_options *options;
	const struct incident_summary *summary;
	struct incident incident;
	struct manifest manifest;
	struct manifest_files files;
	bool sound; /* nothing that was looked at is wrong */
};

__attribute__((format(printf, 2, 3))) static void line(const char *label, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%*s%s ", LABEL_WIDTH, label, *label ? ":" : " ");
	print_text(text, stdout);
	putchar('\n');
}

static void print_times(const struct info *info)
{
	const struct manifest *manifest = &info->manifest;
	char time_text[TIME_WORDS], span[TIME_WORDS];
	double ago_s = (double)time(NULL) - (double)info->summary->onset_s;

	word_time(info->summary->onset_s, time_text);
	word_span(ago_s > 0 ? ago_s : 0, span);
	line("Onset", "%s (%s ago)", time_text, span);
	if (!manifest->capture_start_s)
		return;
	word_time((int64_t)manifest->capture_start_s, time_text);
	line("Captured", "%s", time_text);
	if (manifest->report_done_s) {
		word_span(manifest->report_done_s - manifest->capture_start_s, span);
		line("", "the report was done after %s", span);
	}
	if (manifest->vmcore_done_s) {
		word_span(manifest->vmcore_done_s - manifest->capture_start_s, span);
		line("", "the vmcore after %s", span);
	}
}

static void print_trigger(const struct manifest *manifest)
{
	char cpu[32] = "", after[TIME_WORDS + 32] = "", span[TIME_WORDS];

	if (!manifest->trigger_by) {
		line("Trigger",
		     "none: the machine was not crashed by lockdump, as far as is known");
		return;
	}
	if (manifest->trigger_cpu >= 0)
		snprintf(cpu, sizeof(cpu), ", CPU %d", manifest->trigger_cpu);
	if (manifest->onset_s && manifest->trigger_s >= manifest->onset_s) {
		word_span(manifest->trigger_s - manifest->onset_s, span);
		snprintf(after, sizeof(after), ", %s after the onset", span);
	}
	line("Trigger", "%s%s%s%s%s", manifest->trigger_by, cpu, after,
	     *manifest->trigger_reason ? ": " : "", manifest->trigger_reason);
	if (manifest->drill)
		line("", "a drill: 'lockdump test --crash'");
}

static void print_verdict(const struct incident_summary *summary)
{
	line("Kernel", "%s", summary->kernel ? summary->kernel : "not known");
	if (!summary->title && !summary->kind) {
		line("Title", "not known: there is no report");
		return;
	}
	line("Title", "%s", summary->title ? summary->title : "none");
	line("Verdict", "%s%s%s", summary->kind ? summary->kind : "not known",
	     summary->summary ? ": " : "", summary->summary ? summary->summary : "");
	if (summary->signature)
		line("Signature", "%s", summary->signature);
}

static void print_dump(const struct info *info)
{
	const struct manifest *manifest = &info->manifest;
	const char *state = dump_state_name(info->summary->dump);
	const char *encrypted = info->summary->encrypted ? ", encrypted" : "";
	char size[SIZE_WORDS];

	word_size(info->summary->dump_size, size);
	if (info->summary->dump != DUMP_PRESENT && info->summary->dump != DUMP_INCOMPLETE)
		line("Dump", "%s", state ? state : "not known");
	else if (manifest->nr_tries)
		line("Dump", "%s, %s, level %u, %s%s", state, size, manifest->dump_level,
		     manifest->compression, encrypted);
	else
		line("Dump", "%s, %s%s", state, size, encrypted);
	if (manifest->nr_tries)
		line("Proof", manifest->proven
				      ? "read back, it gave the report that the memory itself gave"
				      : "not proven: it was not, or not wholly, read back");
	for (size_t i = 0; manifest->nr_tries > 1 && i < manifest->nr_tries; i++)
		line(i ? "" : "Tries", "level %u: %s", manifest->tries[i].level,
		     manifest->tries[i].outcome);
	if (manifest->reserved_kb)
		line("Memory", "%lu of %lu MB were needed", manifest->peak_kb / 1024,
		     manifest->reserved_kb / 1024);
}

static void print_state(const struct info *info)
{
	const struct incident_summary *summary = info->summary;
	char size[SIZE_WORDS];

	word_size(summary->size, size);
	line("Size", "%s on the disk", size);
	line("State", "%s%s%s%s",
	     summary->complete	   ? "complete"
	     : summary->unfinished ? "unfinished: "
				   : "not complete: see the steps",
	     summary->unfinished ? summary->unfinished_why : "", summary->kept ? ", kept" : "",
	     summary->harvested ? ", harvested" : "");
}

static void print_steps(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->nr_steps; i++) {
		const struct manifest_step *step = &manifest->steps[i];
		line(i ? "" : "Steps", "%-10s %-8s %6.2f s%s%s", step->name, step->outcome,
		     step->seconds, *step->why ? "  " : "", step->why);
	}
}

static void print_file(const char *label, const char *name, uint64_t bytes, const char *found)
{
	char size[SIZE_WORDS];

	word_size(bytes, size);
	line(label, "%-24s %10s%s%s", name, size, *found ? "  " : "", found);
}

/* How many bytes the name of its folder has, with the slash; 0: it is in none. */
static size_t folder_length(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? (size_t)(slash + 1 - name) : 0;
}

/* A folder's files that are sound are one line, unless they are to be checked. From @i on; returns where it goes on. */
static size_t print_files_from(struct info *info, size_t i, const char *label)
{
	const struct manifest_file *first = &info->files.items[i];
	size_t folder = info->options->check ? 0 : folder_length(first->name), count = 0,
	       sound_ones = 0;
	char found[CHECKING_WORDS], name[64];
	uint64_t bytes = 0;

	for (; i < info->files.count; i++, count++) {
		const struct manifest_file *file = &info->files.items[i];
		if (count && (!folder || folder_length(file->name) != folder ||
			      strncmp(file->name, first->name, folder) != 0))
			break;
		bool sound = checking_file(&info->incident, file, info->options->check, found);
		info->sound &= sound;
		sound_ones += sound;
		bytes += sound ? (uint64_t)file->size : 0;
		if (!sound || !folder)
			print_file(label, file->name, (uint64_t)file->size, found);
	}
	if (folder) {
		snprintf(name, sizeof(name), "%.*s", (int)folder, first->name);
		snprintf(found, sizeof(found), "%zu files", sound_ones);
		print_file(label, name, bytes, found);
	}
	return i;
}

static void print_files(struct info *info)
{
	for (size_t i = 0; i < info->files.count;)
		i = print_files_from(info, i, i ? "" : "Files");
}

static void print_incident(struct info *info)
{
	line("ID", "%s", info->summary->id);
	line("Folder", "%s/%s", info->options->selection.store, info->summary->id);
	print_times(info);
	print_trigger(&info->manifest);
	print_verdict(info->summary);
	print_dump(info);
	print_state(info);
	print_steps(&info->manifest);
	print_files(info);
}

static struct error *mark(const struct info *info)
{
	const struct incident *incident = &info->incident;
	struct error *err = NULL;

	if (info->options->keep)
		err = incident_write(incident, INCIDENT_KEEP, "", 0);
	else
		err = incident_remove(incident, INCIDENT_KEEP);
	if (!err)
		printf("%s: %s\n", incident->id,
		       info->options->keep ? "kept" : "not kept any more");
	return err;
}

static struct error *tell(struct info *info)
{
	const struct info_options *options = info->options;
	struct error *err =
		incident_open(options->selection.store, info->summary->id, &info->incident);

	if (err)
		return err;
	if (options->keep || options->no_keep) {
		err = mark(info);
		incident_close(&info->incident);
		return err;
	}
	err = manifest_read(&info->incident, &info->manifest, &info->files);
	if (err) {
		info->manifest = (struct manifest){ .trigger_cpu = -1 };
		if (err->class == ERROR_NOT_FOUND) {
			error_destroy(err);
			err = NULL;
		}
	}
	print_incident(info);
	manifest_files_deinit(&info->files);
	incident_close(&info->incident);
	return err;
}

/* Returns the exit status. */
static int tell_all(const struct info_options *options, const struct chosen *chosen)
{
	int status = 0;

	for (size_t i = 0; i < chosen->list.count; i++) {
		struct info info = {
			.options = options,
			.summary = chosen->list.data[i],
			.sound = true,
		};
		if (i && !options->keep && !options->no_keep)
			putchar('\n');
		struct error *err = tell(&info);
		if (err || !info.sound)
			status = 1;
		if (err)
			error_report(err);
	}
	return status;
}

static int info(struct info_options *options)
{
	struct selection *selection = &options->selection;
	struct incidents incidents;
	struct chosen chosen = {};
	struct error *err = NULL;

	if (selection_is_empty(selection))
		err = strings_add(&selection->words, "-1");
	if (err)
		return error_report(err);
	err = incidents_read(selection->store, &incidents);
	if (err)
		return error_report(err);
	if (!incidents.list.count)
		err = error_create(ERROR_NOT_FOUND, "store %s: no incidents", selection->store);
	else
		err = selection_choose(selection, &incidents, &chosen);
	if (!err && !chosen.list.count)
		err = error_create(ERROR_NOT_FOUND, "store %s: no incidents of these",
				   selection->store);
	int status = err ? error_report(err) : tell_all(options, &chosen);
	if (fflush(stdout) || ferror(stdout))
		status = error_report(error_errno("stdout: cannot write"));
	chosen_deinit(&chosen);
	incidents_deinit(&incidents);
	return status;
}

int cmd_info(int argc, char **argv)
{
	struct info_options options = {};
	const struct selection_option own[] = {
		{ "check", &options.check },
		{ "keep", &options.keep },
		{ "no-keep", &options.no_keep },
		{ NULL, NULL },
	};
	int status = selection_parse(argc, argv, own, help, &options.selection);

	if (status < 0 && options.keep + options.no_keep + options.check > 1)
		status =
			usage_error(argv[0], "--check, --keep and --no-keep are for one at a time");
	if (status < 0)
		status = info(&options);
	selection_deinit(&options.selection);
	return status;
}
