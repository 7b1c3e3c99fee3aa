// SPDX-License-Identifier: GPL-2.0-only
/* lockdump test: pulls on each link of the chain from a crash to an incident; with --crash, on all at once. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/usage.h"
#include "capture/kernel_drill.h"
#include "capture/kmsg.h"
#include "capture/links.h"
#include "capture/preflight.h"
#include "capture/rehearsal.h"
#include "capture/sysrq.h"
#include "kdump/drill.h"
#include "kdump/estimate.h"
#include "kdump/triggers.h"
#include "lockdump.h"
#include "state/record_pin.h"

#define SECONDS_TO_DIE 10

struct test_options {
	bool crash;
	bool yes;
	bool by_kernel; /* the kernel's own trigger fires */
	bool json;
};

/* --- the dry run ----------------------------------------------------------------------- */

/* Whether there was a drill on this kernel whose dump was proven. */
static bool was_proven(const struct links *links)
{
	struct drill drill;
	struct error *err = drill_look(links->root, links->now.boot_id, &drill);
	bool proven =
		!err && drill.outcome == DRILL_PASSED && !strcmp(drill.release, links->now.release);

	error_destroy(err);
	return proven;
}

static void test_memory(struct links *links)
{
	struct findings *findings = &links->findings;
	struct estimate estimate;

	if (!links->ours)
		return;
	findings->group = "crash kernel";
	if (!estimate_measured(links->armed.store, links->armed.kernel_release, &estimate))
		estimate_calculated(&links->now, links->armed.initramfs_size, &estimate);
	bool enough = links->reserved_kb >= estimate.reserve_kb;
	findings_add(findings, "its memory", enough ? FINDING_OK : FINDING_DEGRADED,
		     "%lu MB reserved, %lu MB needed (%s)", links->reserved_kb / 1024,
		     estimate.need_kb / 1024, estimate.measured ? "measured" : "calculated");
	if (enough)
		return;
	_cleanup_free_ char *remedy = NULL;
	if (asprintf(&remedy, "boot with crashkernel=%luM", estimate.reserve_kb / 1024) < 0)
		remedy = NULL;
	findings_explain(findings, "it may run out of memory", "there is no margin", remedy);
}

/* In the order of a crash. */
static void test_links(struct links *links)
{
	struct rehearsal rehearsal;

	links_crash_kernel(links);
	links_initramfs(links);
	links_host(links);
	test_memory(links);
	links_machine(links);
	links_kernel(links);
	rehearsal_unpack(links, &rehearsal);
	rehearsal_run(links, &rehearsal, was_proven(links));
	rehearsal_device(links, &rehearsal);
	/* Compressed it is smaller; if it is not known, what is usual must do. */
	links_store(links, rehearsal.data_size ? rehearsal.data_size : links_usual_size(links));
	rehearsal_deinit(&rehearsal);
}

/* What is degraded makes an incident poorer, or later; there is one. */
static bool chain_holds(const struct links *links)
{
	return links->ours && !findings_count(&links->findings, FINDING_MISSING);
}

static struct error *print(const struct links *links, bool json)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct json_writer writer;

	if (!json) {
		struct error *err = findings_print_lines(&links->findings, colour, stdout);
		if (!err)
			printf("\n%s\n", chain_holds(links)
						 ? "the chain holds: a crash would be saved"
						 : "the chain is broken: a crash may not be saved");
		return err;
	}
	json_begin(&writer, stdout);
	json_write(&writer, "schema", json_text("lockdump.test/1"));
	json_write(&writer, "holds", json_object_new_boolean(chain_holds(links)));
	json_write(&writer, "items", findings_to_json(&links->findings));
	return json_end(&writer);
}

/* --- the crash ------------------------------------------------------------------------- */

static struct error *confirm(void)
{
	char answer[16] = "";

	printf("\nThis machine crashes now, and reboots. Type 'crash' to go on: ");
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "crash\n"))
		return error_create(ERROR_OTHER, "test --crash: not confirmed; nothing was done");
	return NULL;
}

static struct error *note(const struct links *links)
{
	struct drill drill = { 0 };

	memcpy(drill.boot_id, links->now.boot_id, sizeof(drill.boot_id));
	memcpy(drill.release, links->now.release, sizeof(drill.release));
	memcpy(drill.store, links->armed.store, sizeof(drill.store));
	memcpy(drill.store_uuid, links->armed.store_uuid, sizeof(drill.store_uuid));
	return drill_begin(links->root, &drill);
}

/* What fires. One of the two is there. */
struct gun {
	int sysrq_fd; /* -1 */
	struct record_header *header; /* NULL */
};

/* What cannot work is said before anybody is asked. */
static struct error *load_gun(const struct test_options *options, struct gun *ret)
{
	*ret = (struct gun){ .sysrq_fd = -1 };
	struct error *err = options->by_kernel ? kernel_drill_open(RECORD_PIN_PATH, &ret->header)
					       : preflight_sysrq(&ret->sysrq_fd);
	return error_prefix(err, "test --crash");
}

/* The capture kernel marks the incident by what the log says, or the record. Returns only if it did nothing. */
static struct error *crash(const struct links *links, const struct gun *gun)
{
	_cleanup_close_ int kmsg_fd = open(KMSG_PATH, O_WRONLY | O_CLOEXEC);
	int failure = 0;

	sync();
	kmsg_write(kmsg_fd, TRIGGERS_SAID TRIGGERS_DRILL);
	if (gun->header) {
		kernel_drill_fire(gun->header, SECONDS_TO_DIE);
	} else {
		errno = 0;
		failure = write(gun->sysrq_fd, "c", 1) == 1 ? 0 : errno;
		if (!failure)
			sleep(SECONDS_TO_DIE);
	}
	drill_forget(links->root);
	return error_create(ERROR_SYSTEM, "test --crash: %s: the machine is still running: %s",
			    gun->header ? "the kernel's trigger" : "/proc/sysrq-trigger",
			    gun->header ? "it did not fire" : sysrq_failure(failure));
}

static struct error *crash_for_real(const struct test_options *options, const struct links *links)
{
	struct gun gun;

	if (!chain_holds(links))
		return error_create(ERROR_OTHER, "test --crash: the chain is broken as it is; mend "
						 "it before");
	struct error *err = load_gun(options, &gun);
	if (!err && !options->yes)
		err = confirm();
	if (!err)
		err = note(links);
	if (!err)
		err = crash(links, &gun);
	if (gun.sysrq_fd >= 0)
		close(gun.sysrq_fd);
	if (gun.header)
		kernel_drill_close(gun.header);
	return err;
}

/* --- the verb -------------------------------------------------------------------------- */

static const char test_help[] =
	"Usage: lockdump test [OPTION...]\n"
	"A dry run of what follows a crash, link by link: the crash kernel that 'arm' loaded is there and fits,\n"
	"its memory does, the initramfs is unpacked and what is in it run, the modules that lead to the\n"
	"store's disk are in it, the store has room. Nothing is changed.\n"
	"\n"
	"      --crash  then crash this machine for real; once it is up again, 'lockdump status'\n"
	"               tells how it went. The incident is marked as a drill\n"
	"      --trigger sysrq|kernel\n"
	"               what crashes it: a write to /proc/sysrq-trigger (default), or the kernel's own trigger,\n"
	"               which a 'lockdump watch' must have armed\n"
	"      --yes    do not ask before\n"
	"      --json   for programs: lockdump.test/1\n"
	"      --help   print this\n"
	"\n"
	"Exit status: 0 the chain holds, 1 it does not, 2 wrong usage.\n";

static int run(const struct test_options *options)
{
	struct links links;

	if (geteuid())
		return error_report(error_create(ERROR_OTHER, "test: not root; run it as root"));
	if (options->crash && !options->yes && !isatty(STDIN_FILENO))
		return error_report(error_create(ERROR_OTHER,
						 "test --crash: nobody is there to confirm it; say "
						 "--yes to crash this machine now"));
	links_init(&links, "", true);
	test_links(&links);
	struct error *err = print(&links, options->json);
	int status = chain_holds(&links) ? 0 : 1;
	fflush(stdout);
	if (!err && options->crash)
		err = crash_for_real(options, &links);
	links_deinit(&links);
	return err ? error_report(err) : status;
}

int cmd_test(int argc, char **argv)
{
	enum { OPTION_CRASH = 256, OPTION_TRIGGER, OPTION_YES, OPTION_JSON, OPTION_HELP };
	static const struct option longopts[] = {
		{ "crash", no_argument, NULL, OPTION_CRASH },
		{ "trigger", required_argument, NULL, OPTION_TRIGGER },
		{ "yes", no_argument, NULL, OPTION_YES },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, OPTION_HELP },
		{},
	};
	struct test_options options = { 0 };
	const char *trigger = NULL;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", longopts, NULL)) >= 0;) {
		switch (c) {
		case OPTION_CRASH:
			options.crash = true;
			break;
		case OPTION_TRIGGER:
			trigger = optarg;
			break;
		case OPTION_YES:
			options.yes = true;
			break;
		case OPTION_JSON:
			options.json = true;
			break;
		case OPTION_HELP:
			fputs(test_help, stdout);
			return 0;
		default:
			return usage_bad_option(argv, c);
		}
	}
	if (optind < argc)
		return usage_error(argv[0], "unexpected argument '%s'", argv[optind]);
	if ((options.yes || trigger) && !options.crash)
		return usage_error(argv[0], "%s: only with --crash",
				   trigger ? "--trigger" : "--yes");
	options.by_kernel = trigger && !strcmp(trigger, "kernel");
	if (trigger && !options.by_kernel && strcmp(trigger, "sysrq"))
		return usage_error(argv[0], "--trigger '%s': neither sysrq nor kernel", trigger);
	return run(&options);
}
