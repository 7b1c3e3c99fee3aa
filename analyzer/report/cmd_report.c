// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/usage.h"
#include "lockdump.h"
#include "report/output.h"
#include "report/report.h"

enum format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	struct kernel_source source;
	const char *record;
	/* Hold vmcore, record and symbols, if an incident's folder was named. */
	char in_incident[PATH_MAX];
	char its_record[PATH_MAX];
	char its_symbols[PATH_MAX];
	const char *output;
	enum format format;
	bool all_tasks;
	bool no_sandbox;
};

static void usage(FILE *out)
{
	fputs("Usage: lockdump report VMCORE|INCIDENT|live [OPTION...]\n"
	      "Says what hung, why, and where, from the dump alone: no debuginfo is needed. Of a split\n"
	      "dump name all parts; 'live' is this machine as it runs, by " DUMP_LIVE ".\n\n"
	      "  --vmlinux FILE       take source lines, inlined functions and variables from there\n"
	      "  --debug-dir DIR[:DIR...]\n"
	      "                       look there for vmlinux and modules, as in /usr/lib/debug\n"
	      "  --record FILE        use this flight record if there is none in the vmcore\n"
	      "  --symbols FILE       take the kernel's symbols from there: a /proc/kallsyms of the boot that crashed,\n"
	      "                       a System.map or a vmlinux; for dumps that lack their own\n"
	      "  --format text|json   (default: text)\n"
	      "  -o, --output FILE    write there instead of to stdout\n"
	      "  --all-tasks          text: the stacks of all tasks (JSON always has them)\n"
	      "  --no-sandbox         neither confine the analysis nor limit its time and memory\n"
	      "  --help\n\n"
	      "With DEBUGINFOD_URLS in the environment, its servers are asked for debug information.\n",
	      out);
}

enum {
	OPT_RECORD = 256,
	OPT_SYMBOLS,
	OPT_VMLINUX,
	OPT_DEBUG_DIR,
	OPT_FORMAT,
	OPT_ALL_TASKS,
	OPT_NO_SANDBOX,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "symbols", required_argument, NULL, OPT_SYMBOLS },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "all-tasks", no_argument, NULL, OPT_ALL_TASKS },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "vmlinux", required_argument, NULL, OPT_VMLINUX },
	{ "debug-dir", required_argument, NULL, OPT_DEBUG_DIR },
	{ "help", no_argument, NULL, OPT_HELP },
	{},
};

/* Returns below 0 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	*ret = (struct options){};
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":o:", long_options, NULL)) >= 0;) {
		switch (c) {
		case OPT_RECORD:
			ret->record = optarg;
			break;
		case OPT_SYMBOLS:
			ret->source.files.symbols = optarg;
			break;
		case OPT_FORMAT:
			if (strcmp(optarg, "text") && strcmp(optarg, "json")) {
				return usage_error(argv[0], "--format %s: there are text and json",
						   optarg);
			}
			ret->format = strcmp(optarg, "json") ? FORMAT_TEXT : FORMAT_JSON;
			break;
		case OPT_ALL_TASKS:
			ret->all_tasks = true;
			break;
		case OPT_NO_SANDBOX:
			ret->no_sandbox = true;
			break;
		case OPT_VMLINUX:
			ret->source.files.vmlinux = optarg;
			break;
		case OPT_DEBUG_DIR:
			ret->source.files.debug_dir = optarg;
			break;
		case 'o':
			ret->output = optarg;
			break;
		case OPT_HELP:
			usage(stdout);
			return 0;
		default:
			return usage_bad_option(argv, c);
		}
	}
	if (optind >= argc)
		return usage_error(argv[0], "name a vmcore or incident, or 'live'");
	ret->source.vmcore = strcmp(argv[optind], "live") ? argv[optind] : DUMP_LIVE;
	ret->source.more_parts = (const char *const *)argv + optind + 1;
	ret->source.nr_more_parts = argc - optind - 1;
	return -1;
}

#define ENCRYPTED "vmcore.age"

/* A dump that the capture kernel has encrypted: only the owner of the key can go on, and is told how. */
static struct error *refuse_encrypted(const char *folder, bool has_symbols)
{
	char symbols[PATH_MAX + 32] = "";

	if (has_symbols)
		snprintf(symbols, sizeof(symbols), " --symbols %s/kallsyms", folder);
	return error_create(ERROR_OTHER,
			    "%s/" ENCRYPTED ": encrypted; 'age -d -i KEY %s/" ENCRYPTED " >FILE && "
			    "lockdump report FILE --record %s/record.bin%s'",
			    folder, folder, folder, symbols);
}

/*
 * An incident's folder stands for the vmcore in it, finished or not, and lends
 * its record, and the symbols that were kept, to a dump that lacks its own.
 */
static struct error *look_into_folder(struct options *options)
{
	/* If none is there the error speaks of the last one. */
	static const char *const names[] = { "vmcore", "vmcore.incomplete", ENCRYPTED, "vmcore" };
	const char *folder = options->source.vmcore, *name = NULL;
	struct stat st;

	if (stat(folder, &st) || !S_ISDIR(st.st_mode))
		return NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name = names[i];
		snprintf(options->in_incident, sizeof(options->in_incident), "%s/%s", folder, name);
		if (!access(options->in_incident, F_OK))
			break;
	}
	options->source.vmcore = options->in_incident;
	snprintf(options->its_record, sizeof(options->its_record), "%s/record.bin", folder);
	if (!options->record && !access(options->its_record, F_OK))
		options->record = options->its_record;
	snprintf(options->its_symbols, sizeof(options->its_symbols), "%s/kallsyms", folder);
	if (!access(options->its_symbols, F_OK))
		options->source.files.kept = options->its_symbols;
	return !strcmp(name, ENCRYPTED) ? refuse_encrypted(folder, options->source.files.kept)
					: NULL;
}

/*
 * The record in the vmcore is the newest there is; a file serves where the map is not in the dump. That it could not
 * be looked for is worth a note; that nobody loaded a recorder is not.
 */
static struct error *find_record(struct kernel *kernel, const struct options *options,
				 struct record *record, bool *found, struct error **why)
{
	*why = record_from_kernel(kernel, record);
	*found = !*why;
	if (*why && (*why)->class == ERROR_NOT_FOUND) {
		error_destroy(*why);
		*why = NULL;
	}
	if (*found && options->record && options->record != options->its_record)
		*why = error_create(ERROR_OTHER,
				    "%s was not used: the vmcore has the record itself",
				    options->record);
	if (*found || !options->record)
		return NULL;
	struct error *err = record_from_file(options->record, record);
	*found = !err;
	return err;
}

struct analysis {
	const struct options *options;
	FILE *out;
};

static struct error *print(const struct report *report, const struct options *options, FILE *out)
{
	struct error *err;

	if (options->format == FORMAT_JSON) {
		err = report_print_json(report, out);
	} else {
		bool colour = !options->output && isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
		err = report_print_text(report, options->all_tasks, colour, out);
	}
	if (!err && fflush(out))
		err = error_errno("cannot write");
	return error_prefix(err, "%s", options->output ? options->output : "stdout");
}

static struct error *report_vmcore(void *arg)
{
	const struct analysis *analysis = arg;
	const struct options *options = analysis->options;
	struct kernel *kernel = NULL;
	struct report *report = NULL;
	struct record record = {};
	struct error *why = NULL;
	bool found = false;

	struct error *err = kernel_open(&options->source, &kernel);
	if (!err)
		err = find_record(kernel, options, &record, &found, &why);
	if (!err)
		err = error_prefix(report_create(kernel, options->source.vmcore,
						 found ? &record : NULL, &report),
				   "%s", options->source.vmcore);
	if (!err && why) {
		err = report_note(report, why);
		why = NULL;
	}
	if (!err)
		err = print(report, options, analysis->out);
	error_destroy(why);
	report_destroy(report);
	record_deinit(&record);
	kernel_close(kernel);
	return err;
}

/* All files that were named, and the folders of --debug-dir, which it splits at their colons. */
struct readable {
	VECTOR(const char *) list;
	char *debug_dirs;
};

static bool list_readable(const struct options *options, struct readable *ret)
{
	const struct kernel_source *source = &options->source;
	const char *const files[] = { source->vmcore, options->record, source->files.vmlinux,
				      source->files.symbols, source->files.kept };
	const size_t nr_files = sizeof(files) / sizeof(files[0]);
	char *rest = ret->debug_dirs =
		source->files.debug_dir ? strdup(source->files.debug_dir) : NULL;
	bool ok = !source->files.debug_dir || ret->debug_dirs;

	for (size_t i = 0; ok && i < nr_files + source->nr_more_parts; i++) {
		const char **place = vector_push(&ret->list);
		ok = place;
		if (ok)
			*place = i < nr_files ? files[i] : source->more_parts[i - nr_files];
	}
	for (const char *dir; ok && (dir = strsep(&rest, ":"));) {
		const char **place = vector_push(&ret->list);
		ok = place;
		if (ok)
			*place = dir;
	}
	return ok;
}

/*
 * Some ten times what a dump of 10,000 tasks takes, without debug information and with it. A running kernel is as
 * large as it is, and hides nothing from itself.
 */
static void set_limits(const struct options *options, struct sandbox *sandbox)
{
	const struct kernel_source *source = &options->source;
	bool debuginfo = source->files.vmlinux || source->files.debug_dir || source->debuginfod;

	if (!strcmp(source->vmcore, DUMP_LIVE))
		return;
	sandbox->most_s = debuginfo ? 60 : 10;
	sandbox->most_bytes = (debuginfo ? 1024u : 256u) << 20;
}

/* The output is put in its place out here: in the sandbox no file can be renamed. */
static struct error *report(const struct options *options)
{
	struct readable readable = {};
	struct output output;

	struct error *err = list_readable(options, &readable) ? NULL : &error_no_memory;
	if (!err)
		err = output_check(options->output, readable.list.data, readable.list.count);
	if (!err)
		err = output_open(options->output, &output);
	if (!err) {
		struct sandbox sandbox = {
			.name = options->source.vmcore,
			.interrupts = &output.interrupts,
			.readable = readable.list.data,
			.nr_readable = readable.list.count,
			.remedy = SANDBOX_REMEDY,
			.off = options->no_sandbox,
		};
		set_limits(options, &sandbox);
		struct analysis analysis = { options, output.file };
		err = sandbox_run(&sandbox, report_vmcore, &analysis);
		err = output_close(&output, err);
	}
	vector_deinit(&readable.list);
	free(readable.debug_dirs);
	return err;
}

int cmd_report(int argc, char **argv)
{
	struct options options;
	int status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	struct error *err = look_into_folder(&options);
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct debuginfod server;
	/* Before the sandbox, which has no network. */
	if (!err && urls && *urls) {
		err = debuginfod_start(&server);
		options.source.debuginfod = err ? NULL : &server;
	}
	if (!err)
		err = report(&options);
	if (options.source.debuginfod)
		debuginfod_stop(&server);
	return err ? error_report(err) : 0;
}
