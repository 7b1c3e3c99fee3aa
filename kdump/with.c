// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/with.h"

#include <string.h>

#include "base/cleanup.h"
#include "kdump/device.h"
#include "kdump/kdump_tools.h"
#include "kdump/kdump_utils.h"
#include "kdump/run.h"

static const struct host *const hosts[] = {
	[WITH_AUTO] = NULL,
	[WITH_BUILTIN] = NULL,
	[WITH_KDUMP_TOOLS] = &kdump_tools,
	[WITH_KDUMP_UTILS] = &kdump_utils,
};

#define NR_ALL (sizeof(hosts) / sizeof(hosts[0]))

const char *with_name(enum with with)
{
	if (with == WITH_AUTO)
		return "auto";
	return with == WITH_BUILTIN ? "builtin" : hosts[with]->name;
}

bool with_find(const char *name, enum with *ret)
{
	for (size_t i = 0; i < NR_ALL; i++)
		if (!strcmp(name, with_name(i))) {
			*ret = i;
			return true;
		}
	return false;
}

const struct host *with_host(enum with with)
{
	return hosts[with];
}

const struct host *with_find_host(const char *name)
{
	enum with with;

	return with_find(name, &with) ? with_host(with) : NULL;
}

static bool is_installed(const struct host *host)
{
	_cleanup_free_ char *file = NULL;
	struct error *err = run_find(host->program, &file);

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
		if (is_installed(with_host(with))) {
			error_destroy(err);
			*ret = with;
			return NULL;
		}
	struct error *ours = error_create(
		err->class,
		"%s; or install kdump-tools (Debian's) or kdump-utils (Fedora's), which reach others",
		err->message);
	error_destroy(err);
	return ours;
}
