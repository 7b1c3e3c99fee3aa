// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kdump_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kdump/run.h"

#define HOOK "/kdump-tools.service.d/lockdump.conf"

static void take_remote(const char *lines, struct host_settings *ret)
{
	static const char *const kinds[] = { "NFS", "SSH", "FTP" };
	char place[200];

	for (size_t i = 0; !*ret->remote && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		host_take(lines, kinds[i], "", place, sizeof(place));
		if (*place)
			snprintf(ret->remote, sizeof(ret->remote), "%s %s", kinds[i], place);
	}
}

static struct error *read_settings(const char *root, struct host_settings *ret)
{
	static const char *const names[] = {
		"USE_KDUMP", "KDUMP_KERNEL",	"KDUMP_INITRD",	  "KDUMP_COREDIR", "NFS", "SSH",
		"FTP",	     "KDUMP_NUM_DUMPS", "KDUMP_FAIL_CMD", "MAKEDUMP_ARGS", NULL
	};
	char file[PATH_MAX], lines[HOST_LINES_SIZE], text[512];

	*ret = (struct host_settings){ 0 };
	snprintf(file, sizeof(file), "%s" KDUMP_TOOLS_FILE, root);
	struct error *err = host_run_script(file, names, lines);
	if (err)
		return err;
	host_take(lines, "USE_KDUMP", "0", text, sizeof(text));
	ret->enabled = strcmp(text, "0");
	host_take(lines, "KDUMP_KERNEL", "", ret->kernel, sizeof(ret->kernel));
	host_take(lines, "KDUMP_INITRD", "", ret->initrd, sizeof(ret->initrd));
	host_take(lines, "KDUMP_COREDIR", "/var/crash", ret->dir, sizeof(ret->dir));
	take_remote(lines, ret);
	host_take(lines, "KDUMP_NUM_DUMPS", "0", text, sizeof(text));
	ret->keeps = strtoul(text, NULL, 10);
	host_take(lines, "KDUMP_FAIL_CMD", "", text, sizeof(text));
	ret->goes_on = *text;
	host_take(lines, "MAKEDUMP_ARGS", "-F -c -d 31", text, sizeof(text));
	host_take_makedumpfile(text, ret);
	return NULL;
}

static struct error *check(const struct host_settings *settings, const char *store)
{
	(void)store; /* it is the rig's own root file system */
	return settings->enabled ? NULL
				 : error_create(ERROR_OTHER,
						KDUMP_TOOLS_FILE ": USE_KDUMP is 0; set it to 1");
}

/* It removes the oldest of what begins with a '2' in its folder: incidents do, too. */
static const char *conflict(const struct host_settings *settings, const char *store)
{
	_cleanup_free_ char *theirs = realpath(settings->dir, NULL);
	_cleanup_free_ char *ours = realpath(store, NULL);

	if (!settings->keeps || !theirs || !ours || strcmp(theirs, ours))
		return NULL;
	return "KDUMP_NUM_DUMPS in " KDUMP_TOOLS_FILE
	       " makes kdump-tools remove incidents from the store";
}

/* systemd knows the drop-in. */
static struct error *check_hook(void)
{
	struct run run = RUN_INIT;

	run.limit_s = HOST_READ_LIMIT_S;
	struct error *err =
		run_program(&run, (const char *[]){ "systemctl", "show", "kdump-tools.service",
						    "-p", "DropInPaths", NULL });
	if (!err && !strstr(run.messages, HOOK))
		err = error_create(
			ERROR_NOT_FOUND,
			"kdump-tools.service: lockdump's drop-in is not there; run 'make install', "
			"and 'systemctl daemon-reload'");
	return err;
}

/* It refuses to change its links while a crash kernel is loaded. Its initramfs has nothing of lockdump's in it. */
static struct error *load(bool anew)
{
	(void)anew;
	return host_load((const char *[]){ "kdump-config", "load", NULL });
}

const struct host kdump_tools = {
	.name = "kdump-tools",
	.program = "kdump-config",
	.file = KDUMP_TOOLS_FILE,
	.remedy = "apt-get install kdump-tools",
	.read = read_settings,
	.check = check,
	.conflict = conflict,
	.check_hook = check_hook,
	.load = load,
};
