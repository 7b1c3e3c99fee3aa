// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/with.h"

#include <string.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/run.h"

static const struct {
	const char *name;
	const char *program; /* which is there if it is installed */
} all[] = {
	[WITH_AUTO] = { "auto", NULL },
	[WITH_BUILTIN] = { "builtin", NULL },
	[WITH_KDUMP_TOOLS] = { "kdump-tools", "kdump-config" },
};

#define NR_ALL (sizeof(all) / sizeof(all[0]))

const char *with_name(enum with with)
{
	return all[with].name;
}

bool with_find(const char *name, enum with *ret)
{
	for (size_t i = 0; i < NR_ALL; i++)
		if (!strcmp(name, all[i].name)) {
			*ret = i;
			return true;
		}
	return false;
}

static bool is_installed(enum with with)
{
	_cleanup_free_ char *file = NULL;
	struct error *err = run_find(all[with].program, &file);

	error_destroy(err);
	return !err;
}

struct error *with_choose(const char *store, enum with *ret)
{
	struct store_device device;
	struct error *err = device_of_store(store, &device);

	if (!err) {
		*ret = WITH_BUILTIN;
		return NULL;
	}
	if (err->class == ERROR_NOT_FOUND)
		return err;
	for (enum with with = WITH_KDUMP_TOOLS; with < NR_ALL; with++)
		if (is_installed(with)) {
			error_destroy(err);
			*ret = with;
			return NULL;
		}
	struct error *ours = error_create(
		err->class, "%s; or install kdump-tools, which reaches others", err->message);
	error_destroy(err);
	return ours;
}
