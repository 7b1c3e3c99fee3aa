// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kdump_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kdump/kexec.h"
#include "kdump/run.h"

#define READ_LIMIT_S 10
#define LOAD_LIMIT_S 900
#define HOOK	     "/kdump-tools.service.d/lockdump.conf"

static const char dump_script[] =
	". \"$0\" >/dev/null 2>&1 || exit 1\n"
	"for name in USE_KDUMP KDUMP_KERNEL KDUMP_INITRD KDUMP_COREDIR NFS SSH FTP KDUMP_NUM_DUMPS "
	"KDUMP_FAIL_CMD MAKEDUMP_ARGS; do\n"
	"	eval \"printf '%s=%s\\\\n' \\\"\\$name\\\" \\\"\\$$name\\\"\"\n"
	"done\n";

/* The value of @name in the script's lines; an empty one is @otherwise. */
static void take(const char *lines, const char *name, const char *otherwise, char *ret, size_t size)
{
	size_t length = strlen(name);

	snprintf(ret, size, "%s", otherwise);
	for (const char *line = lines; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) || line[length] != '=')
			continue;
		const char *value = line + length + 1;
		int n = strcspn(value, "\n");
		if (n)
			snprintf(ret, size, "%.*s", n, value);
	}
}

static void take_remote(const char *lines, struct kdump_tools *tools)
{
	static const char *const kinds[] = { "NFS", "SSH", "FTP" };
	char place[200];

	for (size_t i = 0; !*tools->remote && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		take(lines, kinds[i], "", place, sizeof(place));
		if (*place)
			snprintf(tools->remote, sizeof(tools->remote), "%s %s", kinds[i], place);
	}
}

/* makedumpfile's options, as far as they say what the dump is like. */
static void take_makedump_args(const char *lines, struct kdump_tools *tools)
{
	static const struct {
		char flag;
		const char *name;
	} compressions[] = { { 'c', "zlib" }, { 'l', "lzo" }, { 'p', "snappy" }, { 'z', "zstd" } };
	char args[512];
	char *rest = args;

	take(lines, "MAKEDUMP_ARGS", "-F -c -d 31", args, sizeof(args));
	strcpy(tools->compression, "none");
	for (char *word; (word = strsep(&rest, " \t"));) {
		if (!strncmp(word, "-d", 2) && (word[2] || rest))
			tools->dump_level = strtoul(word[2] ? word + 2 : rest, NULL, 10);
		for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
			if (word[0] == '-' && word[1] == compressions[i].flag && !word[2])
				strcpy(tools->compression, compressions[i].name);
	}
}

struct error *kdump_tools_read(const char *file, struct kdump_tools *ret)
{
	struct run run = RUN_INIT;
	char text[64];

	*ret = (struct kdump_tools){ 0 };
	run.limit_s = READ_LIMIT_S;
	struct error *err =
		run_program(&run, (const char *[]){ "sh", "-c", dump_script, file, NULL });
	if (err)
		return error_prefix(err, "%s", file);
	take(run.messages, "USE_KDUMP", "0", text, sizeof(text));
	ret->enabled = strcmp(text, "0");
	take(run.messages, "KDUMP_KERNEL", "", ret->kernel, sizeof(ret->kernel));
	take(run.messages, "KDUMP_INITRD", "", ret->initrd, sizeof(ret->initrd));
	take(run.messages, "KDUMP_COREDIR", "/var/crash", ret->coredir, sizeof(ret->coredir));
	take_remote(run.messages, ret);
	take(run.messages, "KDUMP_NUM_DUMPS", "0", text, sizeof(text));
	ret->keeps = strtoul(text, NULL, 10);
	take(run.messages, "KDUMP_FAIL_CMD", "", text, sizeof(text));
	ret->has_fail_cmd = *text;
	take_makedump_args(run.messages, ret);
	return NULL;
}

/* It removes the oldest of what begins with a '2' in its folder: incidents do, too. */
const char *kdump_tools_conflict(const struct kdump_tools *tools, const char *store)
{
	_cleanup_free_ char *theirs = realpath(tools->coredir, NULL);
	_cleanup_free_ char *ours = realpath(store, NULL);

	if (!tools->keeps || !theirs || !ours || strcmp(theirs, ours))
		return NULL;
	return "KDUMP_NUM_DUMPS in " KDUMP_TOOLS_FILE
	       " makes kdump-tools remove incidents from the store";
}

struct error *kdump_tools_check_hook(void)
{
	struct run run = RUN_INIT;

	run.limit_s = READ_LIMIT_S;
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

/* It refuses to change its links while a crash kernel is loaded. */
struct error *kdump_tools_load(void)
{
	struct run run = RUN_INIT;
	struct error *err = kexec_crash_loaded("") ? kexec_unload_crash() : NULL;

	if (err)
		return err;
	run.limit_s = LOAD_LIMIT_S;
	run.group = true;
	err = run_program(&run, (const char *[]){ "kdump-config", "load", NULL });
	if (!err && !kexec_crash_loaded(""))
		err = error_create(ERROR_OTHER, "kdump-config load: it has loaded nothing");
	return err;
}
