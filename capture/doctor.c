// SPDX-License-Identifier: GPL-2.0-only
/* lockdump doctor: what works here, what does not, what is lost by that, and what to do about it. */
#include "capture/doctor.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/usage.h"
#include "capture/options.h"
#include "kdump/store.h"
#include "lockdump.h"

bool doctor_read(const struct doctor *doctor, const char *path, char *ret, size_t size)
{
	_cleanup_free_ char *file = NULL;

	if (asprintf(&file, "%s%s", doctor->root, path) < 0) {
		file = NULL;
		return false;
	}
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, ret, size - 1) : -1;
	if (len < 0)
		return false;
	if (len && ret[len - 1] == '\n')
		len--;
	ret[len] = '\0';
	return true;
}

static const char doctor_help[] =
	"Usage: lockdump doctor [OPTION...]\n"
	"Looks at what 'watch' and 'arm' need of this machine. Each line is one thing: ok; degraded (it\n"
	"works, less well); missing; or unknown, which is what only root can look at. What is lost, why,\n"
	"and the remedy follow. The recorder's programs are loaded, as 'watch' would, but attached to\n"
	"nothing; nothing is changed.\n"
	"\n"
	"      --store DIR    where incidents are to be kept (the configured one, or " STORE_DEFAULT
	")\n"
	"      --json         for programs: lockdump.doctor/1\n"
	"      --help         print this\n"
	"\n"
	"Exit status 0, whatever is missing: 1 is that it could not look, 2 wrong usage.\n";

static void look(struct doctor *doctor)
{
	struct utsname name;

	uname(&name);
	doctor_recorder(doctor);
	doctor_trigger(doctor);
	doctor_crash_kernel(doctor);
	doctor_store(doctor);
	doctor_privileges(doctor);
	doctor_sysctls(doctor);
	doctor_kconfig(doctor, name.release);
	doctor_lockdown(doctor);
}

/* The store and all else are as watch would have them. */
static void configure(struct doctor *doctor, struct watch_options *options)
{
	struct findings *findings = &doctor->findings;
	char *no_arguments[] = { "watch", NULL };
	struct error *err = watch_options_parse(1, no_arguments, CONFIGURATION_FOLDER, options);

	findings->group = "configuration";
	findings_add(findings, CONFIGURATION_FOLDER, err ? FINDING_MISSING : FINDING_OK, NULL);
	if (err)
		findings_blame(findings, "watch: it does not start", err);
	if (!doctor->store)
		doctor->store = options->store ? options->store : STORE_DEFAULT;
}

static int run(struct doctor *doctor, bool json)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct watch_options options = {};

	configure(doctor, &options);
	look(doctor);
	watch_options_deinit(&options);
	struct error *err = json ? findings_print_json(&doctor->findings, stdout)
				 : findings_print_text(&doctor->findings, colour, stdout);
	findings_deinit(&doctor->findings);
	return err ? error_report(err) : 0;
}

int cmd_doctor(int argc, char **argv)
{
	enum { OPTION_STORE = 256, OPTION_JSON, OPTION_HELP };
	static const struct option options[] = {
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "help", no_argument, NULL, OPTION_HELP },
		{},
	};
	struct doctor doctor = {
		.root = "",
		.is_root = !geteuid(),
	};
	bool json = false;

	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) >= 0;) {
		if (c == OPTION_STORE) {
			doctor.store = optarg;
		} else if (c == OPTION_JSON) {
			json = true;
		} else if (c == OPTION_HELP) {
			fputs(doctor_help, stdout);
			return 0;
		} else {
			return usage_bad_option(argv, c);
		}
	}
	if (optind < argc)
		return usage_error(argv[0], "unexpected argument '%s'", argv[optind]);
	return run(&doctor, json);
}
