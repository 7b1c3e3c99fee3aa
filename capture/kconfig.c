// SPDX-License-Identifier: GPL-2.0-only
#include "capture/kconfig.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/text_file.h"

#define CONFIG_MAX (2u << 20)

char *kconfig_read(const char *root, const char *release)
{
	_cleanup_free_ char *proc = NULL, *boot = NULL;

	if (asprintf(&proc, "%s/proc/config.gz", root) < 0) {
		proc = NULL;
		return NULL;
	}
	if (asprintf(&boot, "%s/boot/config-%s", root, release) < 0) {
		boot = NULL;
		return NULL;
	}
	char *text = text_file_read(proc, CONFIG_MAX);
	return text ? text : text_file_read(boot, CONFIG_MAX);
}

bool kconfig_has(const char *text, const char *option)
{
	size_t len = strlen(option);

	for (const char *at = text; (at = strstr(at, option)); at += len) {
		bool begins = at == text || at[-1] == '\n';
		if (begins && at[len] == '=' && (at[len + 1] == 'y' || at[len + 1] == 'm'))
			return true;
	}
	return false;
}
