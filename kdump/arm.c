// SPDX-License-Identifier: GPL-2.0-only
/* lockdump arm, lockdump disarm: a capture kernel, of whoever's making, is loaded, or unloaded. */
#include "kdump/arm.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/usage.h"
#include "kdump/armed.h"
#include "kdump/kexec.h"
#include "lockdump.h"

void arm_describe_machine(struct config *config)
{
	struct utsname names;

	config_scale(config, (unsigned long)sysconf(_SC_PHYS_PAGES) / 1024 *
				     (unsigned long)sysconf(_SC_PAGESIZE));
	uname(&names);
	snprintf(config->release, sizeof(config->release), "%s", names.release);
	rig_id_read(config->rig);
}

int cmd_arm(int argc, char **argv)
{
	struct arm_options options = { 0 };
	struct error *err = NULL;
	int status = arm_options_parse(argc, argv, &options);

	if (status >= 0)
		return status;
	if (geteuid())
		err = error_create(ERROR_OTHER, "arm: loading a crash kernel needs root");
	else if (options.with == WITH_AUTO)
		err = with_choose(options.store, &options.with);
	if (!err)
		err = options.with == WITH_BUILTIN ? arm_builtin(&options) : arm_hosted(&options);
	return err ? error_report(err) : 0;
}

static const char disarm_help[] = "Usage: lockdump disarm\n"
				  "Unloads the capture kernel: a crash is a plain crash again.\n";

int cmd_disarm(int argc, char **argv)
{
	struct error *err;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(disarm_help, stdout);
		return 0;
	}
	if (argc > 1)
		return usage_error("disarm", "unexpected argument '%s'", argv[1]);
	if (geteuid())
		return error_report(
			error_create(ERROR_OTHER, "disarm: unloading a crash kernel needs root"));
	if (!kexec_crash_loaded("")) {
		armed_forget("");
		printf("no crash kernel was loaded\n");
		return 0;
	}
	err = kexec_unload_crash();
	if (err)
		return error_report(err);
	armed_forget("");
	printf("crash kernel unloaded\n");
	return 0;
}
