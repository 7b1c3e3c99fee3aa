// SPDX-License-Identifier: GPL-2.0-only
/* lockdump harvest: after the reboot, what the crash left is completed and told. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/usage.h"
#include "kdump/drill.h"
#include "kdump/harvest.h"
#include "kdump/machine.h"
#include "kdump/rig_id.h"
#include "lockdump.h"

#define HOOKS CONFIGURATION_FOLDER "/harvest.d"
#define LOCK  "/run/lockdump-harvest.lock"

static const char help[] =
	"Usage: lockdump harvest [OPTION...]\n"
	"Sees to what crashes have left in the store, once for each incident: what was not finished is marked\n"
	"so, the report is made again if there is debug information, and others are told of it: the journal,\n"
	"the scripts in " HOOKS ", and by mail whom MailTo= names. Then the store is brought\n"
	"to what it is to keep. It is run at each boot by lockdump-harvest.service.\n"
	"\n"
	"      --store DIR  where the incidents are (" STORE_DEFAULT ")\n"
	"      --help       print this\n"
	"\n"
	"With DEBUGINFOD_URLS in the environment, its servers are asked for debug information. In\n" CONFIGURATION_FOLDER
	"/lockdump.conf and lockdump.conf.d/*.conf:\n"
	"\n"
	"  [Store]\n"
	"  KeepIncidents=N       keep so many at most (default: any number)\n"
	"  KeepSize=SIZE         of so much at most: 10G, or 10% of the disk (default: any)\n"
	"  KeepAge=SPAN          for so long: 4 weeks (default: for ever)\n"
	"  KeepFree=SIZE         leave so much of the disk free (default: 15%, at most 4G)\n"
	"  [Harvest]\n"
	"  MailTo=ADDRESS        whom sendmail tells (default: nobody)\n"
	"  HookTimeoutSec=SPAN   how long each script may take (default: 60)\n"
	"  DebugDir=DIR[:DIR...] where a vmlinux may be (default: /usr/lib/debug)\n"
	"\n"
	"The newest incident stays, the newest that has a dump, and what 'lockdump info --keep' marked.\n"
	"Nothing is removed if the newest is not complete.\n";

enum { OPTION_STORE = 256, OPTION_HELP };

/* Below 0: go on; else the exit status. */
static int parse(int argc, char **argv, const char **store)
{
	static const struct option options[] = {
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "help", no_argument, NULL, OPTION_HELP },
		{},
	};

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) >= 0;) {
		if (c == OPTION_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (c != OPTION_STORE)
			return usage_bad_option(argv, c);
		*store = optarg;
	}
	return optind < argc ? usage_error(argv[0], "unexpected argument '%s'", argv[optind]) : -1;
}

/* One that cannot be opened is told of later. */
static bool is_shared(const char *store)
{
	_cleanup_close_ int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && store_is_shared(fd);
}

/* While its incident is there: what has passed is noted. */
static void note_drill(void)
{
	struct machine machine;
	struct drill drill;

	machine_read("", &machine);
	error_destroy(drill_look("", machine.boot_id, &drill));
}

static struct error *run(const char *store, const struct settings *settings, bool *all)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct debuginfod server;
	struct journal journal;
	char rig[RIG_ID_SIZE];
	struct harvest harvest = {
		.announcing = { .store = store,
				.hooks = HOOKS,
				.settings = settings,
				.journal = &journal },
		.remaking = { .store = store, .debug_dir = settings->debug_dir },
		.rig = rig,
		.lock = LOCK,
	};
	struct error *err = urls && *urls ? debuginfod_start(&server) : NULL;

	if (err)
		return err;
	if (urls && *urls)
		harvest.remaking.debuginfod = &server;
	rig_id_read(rig);
	harvest.is_shared = is_shared(store);
	journal_init(JOURNAL_SOCKET, &journal);
	err = harvest_store(&harvest, all);
	journal_deinit(&journal);
	if (harvest.remaking.debuginfod)
		debuginfod_stop(&server);
	return err;
}

int cmd_harvest(int argc, char **argv)
{
	struct settings settings;
	const char *store = NULL;
	bool all = false;
	int status = parse(argc, argv, &store);

	if (status >= 0)
		return status;
	struct error *err = settings_read(CONFIGURATION_FOLDER, &settings);
	note_drill();
	if (!err)
		err = run(store ? store : settings.store, &settings, &all);
	return err ? error_report(err) : !all;
}
