// SPDX-License-Identifier: GPL-2.0-only
/* The table of verbs. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockdump.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *does;
};

static const struct verb verbs[] = {
	{ "watch", cmd_watch, "watch for stalls, keep the flight record, pull the trigger" },
	{ "doctor", cmd_doctor, "say what of all this works on this machine" },
	{ "status", cmd_status, "say whether a crash of this machine would be saved" },
	{ "test", cmd_test, "try all that follows a crash, or crash for real" },
	{ "arm", cmd_arm, "load the capture kernel, so that a crash is saved and reported" },
	{ "capture", cmd_capture, "save what a crash left; run by the capture kernel" },
	{ "disarm", cmd_disarm, "unload the capture kernel" },
	{ "harvest", cmd_harvest,
	  "after the reboot: complete what the crash left, and tell of it" },
	{ "list", cmd_list, "list the incidents in the store" },
	{ "info", cmd_info, "tell all that is known of an incident; mark it to be kept" },
	{ "rm", cmd_rm, "remove incidents from the store" },
	{ "report", cmd_report, "say what hung, why, and where, from a vmcore" },
	{ "record", cmd_record, "take the flight record out of a vmcore or a file" },
	{ "lab", cmd_lab, "boot a kernel in a VM, hang it, and save what comes of it" },
	{ NULL, NULL, NULL },
};

static void usage(FILE *out)
{
	fprintf(out, "Usage: lockdump VERB [OPTION...]\n\n");
	for (const struct verb *verb = verbs; verb->name; verb++)
		fprintf(out, "  %-9s %s\n", verb->name, verb->does);
	fprintf(out,
		"\n'lockdump VERB --help' tells a verb's options; 'lockdump --version' the version.\n");
}

/* Who was started without them is not to write into a file that has their number then: writing to these fails. */
static void fill_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	/* The capture kernel's first process; pid 1 of a container has another name. */
	if (getpid() == 1 && !strcmp(argv[0], "/init"))
		return cmd_capture(1, argv);
	fill_standard_files();
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("lockdump %s\n", LOCKDUMP_VERSION);
		return 0;
	}
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!strcmp(argv[1], verb->name))
			return verb->run(argc - 1, argv + 1);
	fprintf(stderr, "lockdump: %s: no such verb; 'lockdump --help' lists them\n", argv[1]);
	return 2;
}
