// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/arm_options.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "base/usage.h"
#include "kdump/configuration.h"
#include "kdump/store.h"

static const char arm_help[] =
	"Usage: lockdump arm [OPTION...]\n"
	"Loads a capture kernel that saves report, record and vmcore into the store when this one crashes.\n"
	"What is loaded already, and of the same, is left as it is: to arm again and again does no harm.\n"
	"\n"
	"      --store DIR    where incidents are kept (Store= of the configuration, else " STORE_DEFAULT
	")\n"
	"      --with HOST    who saves the crash: builtin, which is lockdump's own, for stores on a plain disk\n"
	"                     or partition; kdump-tools, Debian's, or kdump-utils, Fedora's, for others (LVM, LUKS,\n"
	"                     RAID; the latter NFS and ssh, too); auto (With= in [Capture] of the configuration, else\n"
	"                     auto): builtin if that reaches the store, else the one that is installed\n"
	"      --second-store DIR\n"
	"                     on another disk: used if the first cannot be (Second= of the configuration)\n"
	"      --kernel FILE  the capture kernel (/boot/vmlinuz-RELEASE of the running one)\n"
	"      --encrypt-to FILE\n"
	"                     encrypt the vmcore to the public keys in it, age's or ssh's, one on a line, as\n"
	"                     age -R has it (EncryptTo= in [Capture] of " CONFIGURATION_FOLDER
	"/lockdump.conf)\n"
	"      --dump-level LEVEL\n"
	"                     what makedumpfile leaves out, 0 to 31 (auto: what was proven for this kernel last\n"
	"                     time, else 31); where it turns out to lose tasks, the next lower one is taken\n"
	"      --compression NAME\n"
	"                     lzo, snappy, zstd or zlib (auto: the fastest that makedumpfile has)\n"
	"      --dry-run      make everything, but load nothing\n"
	"      --estimate     load nothing; say what crashkernel= this machine needs: by what the capture\n"
	"                     kernel took in the worst incident of this kernel in the store, with a margin;\n"
	"                     without one by calculation\n"
	"      --help         print this\n";

/* Above all characters, so that optopt tells an option of ours from an unknown letter. */
enum {
	OPTION_STORE = 256,
	OPTION_SECOND_STORE,
	OPTION_WITH,
	OPTION_KERNEL,
	OPTION_ENCRYPT_TO,
	OPTION_DUMP_LEVEL,
	OPTION_COMPRESSION,
	OPTION_DRY_RUN,
	OPTION_ESTIMATE,
	OPTION_HELP,
};

/* Below 0: go on. */
static int take(const char *option, const char *value, struct error *err)
{
	if (!err)
		return -1;
	int status = usage_error("arm", "%s '%s': %s", option, value, err->message);
	error_destroy(err);
	return status;
}

int arm_options_parse(int argc, char **argv, struct arm_options *ret)
{
	static const struct option longopts[] = {
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "second-store", required_argument, NULL, OPTION_SECOND_STORE },
		{ "with", required_argument, NULL, OPTION_WITH },
		{ "kernel", required_argument, NULL, OPTION_KERNEL },
		{ "encrypt-to", required_argument, NULL, OPTION_ENCRYPT_TO },
		{ "dump-level", required_argument, NULL, OPTION_DUMP_LEVEL },
		{ "compression", required_argument, NULL, OPTION_COMPRESSION },
		{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
		{ "estimate", no_argument, NULL, OPTION_ESTIMATE },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct settings *settings = &ret->settings;
	struct utsname names;
	int status = -1;

	uname(&names);
	struct error *err = settings_read(CONFIGURATION_FOLDER, settings);
	ret->store = settings->store;
	ret->second_store = settings->second_store;
	ret->with = settings->with;
	snprintf(ret->kernel, sizeof(ret->kernel), "/boot/vmlinuz-%s", names.release);
	opterr = 0;
	for (int c; status < 0 && (c = getopt_long(argc, argv, ":", longopts, NULL)) >= 0;) {
		switch (c) {
		case OPTION_STORE:
			ret->store = optarg;
			break;
		case OPTION_SECOND_STORE:
			ret->second_store = optarg;
			break;
		case OPTION_WITH:
			if (!with_find(optarg, &ret->with))
				status = usage_error("arm", "--with '%s': none of " WITH_NAMES,
						     optarg);
			break;
		case OPTION_KERNEL:
			snprintf(ret->kernel, sizeof(ret->kernel), "%s", optarg);
			break;
		case OPTION_ENCRYPT_TO:
			status = take("--encrypt-to", optarg,
				      settings_parse_recipients(optarg, settings->encrypt_to));
			break;
		case OPTION_DUMP_LEVEL:
			status = take("--dump-level", optarg,
				      settings_parse_level(optarg, &settings->dump_level));
			break;
		case OPTION_COMPRESSION:
			status = take("--compression", optarg,
				      settings_parse_compression(optarg, settings->compression));
			break;
		case OPTION_DRY_RUN:
			ret->dry_run = true;
			break;
		case OPTION_ESTIMATE:
			ret->estimate = ret->dry_run = true;
			break;
		case OPTION_HELP:
			fputs(arm_help, stdout);
			status = 0;
			break;
		default:
			status = usage_bad_option(argv, c);
		}
	}
	if (status < 0 && optind < argc)
		status = usage_error("arm", "unexpected argument '%s'", argv[optind]);
	/* A configuration that is wrong keeps nobody from --help. */
	if (status < 0 && err)
		return error_report(err);
	error_destroy(err);
	return status;
}
