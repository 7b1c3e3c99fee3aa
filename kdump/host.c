// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kdump/kexec.h"
#include "kdump/run.h"
#include "kdump/strings.h"

static const char print_variables[] =
	". \"$0\" >/dev/null 2>&1 || exit 1\n"
	"for name; do\n"
	"	eval \"printf '%s=%s\\\\n' \\\"\\$name\\\" \\\"\\$$name\\\"\"\n"
	"done\n";

struct error *host_run_script(const char *file, const char *const *names,
			      char ret[static HOST_LINES_SIZE])
{
	_cleanup_(strings_deinit) struct strings argv = { 0 };
	struct run run = RUN_INIT;

	_Static_assert(sizeof(run.messages) == HOST_LINES_SIZE, "what it says is what it gives");
	run.limit_s = HOST_READ_LIMIT_S;
	struct error *err = strings_add(&argv, "sh");
	if (!err)
		err = strings_add(&argv, "-c");
	if (!err)
		err = strings_add(&argv, "%s", print_variables);
	if (!err)
		err = strings_add(&argv, "%s", file);
	for (; !err && *names; names++)
		err = strings_add(&argv, "%s", *names);
	if (!err)
		err = run_program(&run, (const char *const *)argv.items);
	memcpy(ret, run.messages, HOST_LINES_SIZE);
	return error_prefix(err, "%s", file);
}

struct error *host_load(const char *const argv[])
{
	struct run run = RUN_INIT;
	struct error *err = kexec_crash_loaded("") ? kexec_unload_crash() : NULL;

	if (err)
		return err;
	run.limit_s = HOST_LOAD_LIMIT_S;
	run.group = true;
	err = run_program(&run, argv);
	if (!err && !kexec_crash_loaded(""))
		err = error_create(ERROR_OTHER,
				   "%s: it has loaded nothing; 'journalctl -b' says why", argv[0]);
	return err;
}

void host_take(const char *lines, const char *name, const char *otherwise, char *ret, size_t size)
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

void host_take_makedumpfile(const char *args, struct host_settings *ret)
{
	static const struct {
		char flag;
		const char *name;
	} compressions[] = { { 'c', "zlib" }, { 'l', "lzo" }, { 'p', "snappy" }, { 'z', "zstd" } };
	char words[512];
	char *rest = words;

	snprintf(words, sizeof(words), "%s", args);
	strcpy(ret->compression, "none");
	for (char *word; (word = strsep(&rest, " \t"));) {
		if (!strncmp(word, "-d", 2) && (word[2] || rest))
			ret->dump_level = strtoul(word[2] ? word + 2 : rest, NULL, 10);
		for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
			if (word[0] == '-' && word[1] == compressions[i].flag && !word[2])
				strcpy(ret->compression, compressions[i].name);
	}
}
