// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/modules.h"

#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static void unref_list(struct kmod_list **list)
{
	kmod_module_unref_list(*list);
}

static void unref_ctx(struct kmod_ctx **ctx)
{
	kmod_unref(*ctx);
}

static void unref_module(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

static bool have(const struct module_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i].name, name))
			return true;
	return false;
}

static struct error *add_module(struct module_set *set, const char *name, const char *file,
				struct module **ret)
{
	struct module *items = realloc(set->items, (set->count + 1) * sizeof(*items));

	if (!items)
		return &error_no_memory;
	set->items = items;
	items[set->count] = (struct module){ .name = strdup(name), .file = strdup(file) };
	*ret = &items[set->count++];
	return (*ret)->name && (*ret)->file ? NULL : &error_no_memory;
}

/* Takes the names out of @list: into @needs if it is given, and all into @wanted, to be looked at later. */
static struct error *take_names(struct kmod_list *list, struct strings *needs,
				struct strings *wanted)
{
	struct kmod_list *item;
	struct error *err = NULL;

	kmod_list_foreach(item, list)
	{
		_cleanup_(unref_module) struct kmod_module *module = kmod_module_get_module(item);
		const char *name = kmod_module_get_name(module);
		if (!err && needs)
			err = strings_add(needs, "%s", name);
		if (!err && !strings_have(wanted, name))
			err = strings_add(wanted, "%s", name);
	}
	return err;
}

static struct error *take_module(struct kmod_module *kmod, struct module_set *set,
				 struct strings *wanted)
{
	const char *name = kmod_module_get_name(kmod);
	const char *file = kmod_module_get_path(kmod);
	struct module *module;

	if (have(set, name) || kmod_module_get_initstate(kmod) == KMOD_MODULE_BUILTIN)
		return NULL;
	if (!file)
		return error_create(ERROR_NOT_FOUND, "module %s: not there", name);
	struct error *err = add_module(set, name, file, &module);
	if (err)
		return err;
	_cleanup_(unref_list) struct kmod_list *hard = kmod_module_get_dependencies(kmod);
	_cleanup_(unref_list) struct kmod_list *pre = NULL, *post = NULL;
	kmod_module_get_softdeps(kmod, &pre, &post);
	err = take_names(hard, &module->needs, wanted);
	if (!err)
		err = take_names(pre, &module->needs, wanted);
	if (!err)
		err = take_names(post, NULL, wanted);
	return err;
}

/* A name or alias may stand for several modules (crc32c does), or, if all is built in, for none. */
static struct error *take_wanted(struct kmod_ctx *ctx, const char *name, struct module_set *set,
				 struct strings *wanted)
{
	_cleanup_(unref_list) struct kmod_list *list = NULL;
	struct kmod_list *item;
	int ret = kmod_module_new_from_lookup(ctx, name, &list);

	if (ret < 0)
		return error_create(ERROR_SYSTEM, "module %s: %s", name, strerror(-ret));
	if (!list)
		return error_create(ERROR_NOT_FOUND, "module %s: not found", name);
	kmod_list_foreach(item, list)
	{
		_cleanup_(unref_module) struct kmod_module *kmod = kmod_module_get_module(item);
		struct error *err = take_module(kmod, set, wanted);
		if (err)
			return err;
	}
	return NULL;
}

struct error *modules_resolve(const char *release, const struct strings *wanted,
			      struct module_set *ret)
{
	static const char *const no_config[] = { NULL };
	_cleanup_(strings_deinit) struct strings queue = { 0 };
	char dir[PATH_MAX], index[PATH_MAX + 32];
	struct error *err = NULL;

	*ret = (struct module_set){ 0 };
	snprintf(dir, sizeof(dir), "/lib/modules/%s", release);
	snprintf(index, sizeof(index), "%s/modules.dep.bin", dir);
	if (access(index, R_OK)) {
		err = error_errno("modules of %s: %s", release, index);
		return err;
	}
	/* No configuration: a module that modprobe.d blacklists now may still be the disk's. */
	_cleanup_(unref_ctx) struct kmod_ctx *ctx = kmod_new(dir, no_config);
	if (!ctx)
		return &error_no_memory;
	kmod_set_log_priority(ctx, 0);
	for (size_t i = 0; i < wanted->count && !err; i++)
		err = strings_add(&queue, "%s", wanted->items[i]);
	for (size_t i = 0; i < queue.count && !err; i++) {
		err = take_wanted(ctx, queue.items[i], ret, &queue);
		/* Only what was asked for must be there: a soft dependency may be built in under no name. */
		if (err && err->class == ERROR_NOT_FOUND && i >= wanted->count) {
			error_destroy(err);
			err = NULL;
		}
	}
	if (!err)
		err = modules_sort(ret);
	if (err)
		module_set_deinit(ret);
	return error_prefix(err, "modules of %s", release);
}

/* Depth first: what the module at @i needs, then itself. */
static void visit(struct module_set *set, size_t i, bool *seen, struct module *sorted,
		  size_t *count)
{
	if (seen[i])
		return;
	seen[i] = true;
	for (size_t n = 0; n < set->items[i].needs.count; n++)
		for (size_t j = 0; j < set->count; j++)
			if (!strcmp(set->items[j].name, set->items[i].needs.items[n]))
				visit(set, j, seen, sorted, count);
	sorted[(*count)++] = set->items[i];
}

struct error *modules_sort(struct module_set *set)
{
	_cleanup_free_ bool *seen = calloc(set->count + 1, sizeof(*seen));
	struct module *sorted = calloc(set->count + 1, sizeof(*sorted));
	size_t count = 0;

	if (!seen || !sorted) {
		free(sorted);
		return &error_no_memory;
	}
	for (size_t i = 0; i < set->count; i++)
		visit(set, i, seen, sorted, &count);
	free(set->items);
	set->items = sorted;
	return NULL;
}

void module_set_deinit(struct module_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].name);
		free(set->items[i].file);
		strings_deinit(&set->items[i].needs);
	}
	free(set->items);
	*set = (struct module_set){ 0 };
}

struct error *module_load(const char *file)
{
	static const char *const no_config[] = { NULL };
	_cleanup_(unref_ctx) struct kmod_ctx *ctx = kmod_new("/", no_config);
	_cleanup_(unref_module) struct kmod_module *module = NULL;
	int ret;

	if (!ctx)
		return &error_no_memory;
	ret = kmod_module_new_from_path(ctx, file, &module);
	if (!ret)
		ret = kmod_module_insert_module(module, 0, NULL);
	if (ret < 0 && ret != -EEXIST)
		return error_create(ERROR_SYSTEM, "module %s: %s", file, strerror(-ret));
	return NULL;
}
