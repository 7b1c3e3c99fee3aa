// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/driver_modules.h"

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

static bool have(const struct driver_modules *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->items[i].name, name))
			return true;
	return false;
}

static struct error *add_module(struct driver_modules *set, const char *name, const char *file,
				struct driver_module **ret)
{
	struct driver_module *items = realloc(set->items, (set->count + 1) * sizeof(*items));

	if (!items)
		return &error_no_memory;
	set->items = items;
	items[set->count] = (struct driver_module){ .name = strdup(name), .file = strdup(file) };
	*ret = &items[set->count++];
	return (*ret)->name && (*ret)->file ? NULL : &error_no_memory;
}

/* What is to be looked up yet. */
struct queue {
	struct strings hard; /* an error if it is not there */
	struct strings soft; /* fine if it is not: it may be built in under no name */
};

/*
 * The module's own list, "depends=a,b": from modules.dep, libkmod gives no dependencies at
 * all, and no error, if the file of one is missing.
 */
static struct error *take_hard(struct kmod_module *kmod, struct strings *needs, struct queue *queue)
{
	struct kmod_list *list = NULL, *item;
	int ret = kmod_module_get_info(kmod, &list);
	struct error *err = NULL;

	if (ret < 0)
		return error_create(ERROR_SYSTEM, "module %s: %s", kmod_module_get_path(kmod),
				    strerror(-ret));
	kmod_list_foreach(item, list)
	{
		if (strcmp(kmod_module_info_get_key(item), "depends"))
			continue;
		_cleanup_free_ char *names = strdup(kmod_module_info_get_value(item));
		char *rest = names;
		if (!names)
			err = &error_no_memory;
		for (char *name; !err && (name = strsep(&rest, ","));) {
			if (!*name)
				continue;
			err = strings_add(needs, "%s", name);
			if (!err)
				err = strings_add_once(&queue->hard, name);
		}
	}
	kmod_module_info_free_list(list);
	return err;
}

static struct error *take_soft(struct kmod_list *list, struct strings *needs, struct queue *queue)
{
	struct kmod_list *item;
	struct error *err = NULL;

	kmod_list_foreach(item, list)
	{
		_cleanup_(unref_module) struct kmod_module *module = kmod_module_get_module(item);
		const char *name = kmod_module_get_name(module);
		if (!err && needs)
			err = strings_add(needs, "%s", name);
		if (!err)
			err = strings_add_once(&queue->soft, name);
	}
	return err;
}

static struct error *take_module(struct kmod_module *kmod, struct driver_modules *set,
				 struct queue *queue)
{
	const char *name = kmod_module_get_name(kmod);
	const char *file = kmod_module_get_path(kmod);
	struct driver_module *module;

	if (have(set, name) || kmod_module_get_initstate(kmod) == KMOD_MODULE_BUILTIN)
		return NULL;
	if (!file)
		return error_create(ERROR_NOT_FOUND, "module %s: not there", name);
	struct error *err = add_module(set, name, file, &module);
	if (err)
		return err;
	_cleanup_(unref_list) struct kmod_list *pre = NULL;
	_cleanup_(unref_list) struct kmod_list *post = NULL;
	kmod_module_get_softdeps(kmod, &pre, &post);
	err = take_hard(kmod, &module->needs, queue);
	if (!err)
		err = take_soft(pre, &module->needs, queue);
	if (!err)
		err = take_soft(post, NULL, queue);
	return err;
}

/* A name or alias may stand for several modules (crc32c does), or, if all is built in, for none. */
static struct error *take_wanted(struct kmod_ctx *ctx, const char *name, struct driver_modules *set,
				 struct queue *queue)
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
		struct error *err = take_module(kmod, set, queue);
		if (err)
			return err;
	}
	return NULL;
}

/* Looks everything up that is in @queue, what comes to it meanwhile too. */
static struct error *take_all(struct kmod_ctx *ctx, struct queue *queue, struct driver_modules *set)
{
	struct error *err = NULL;
	size_t hard = 0, soft = 0;

	while (!err) {
		if (hard < queue->hard.count) {
			err = take_wanted(ctx, queue->hard.items[hard++], set, queue);
		} else if (soft < queue->soft.count) {
			err = take_wanted(ctx, queue->soft.items[soft++], set, queue);
			if (err && err->class == ERROR_NOT_FOUND) {
				error_destroy(err);
				err = NULL;
			}
		} else {
			break;
		}
	}
	return err;
}

static void queue_deinit(struct queue *queue)
{
	strings_deinit(&queue->hard);
	strings_deinit(&queue->soft);
}

struct error *driver_modules_resolve(const char *release, const struct strings *wanted,
				     struct driver_modules *ret)
{
	static const char *const no_config[] = { NULL };
	_cleanup_(queue_deinit) struct queue queue = { 0 };
	char dir[PATH_MAX], index[PATH_MAX + 32];
	struct error *err = NULL;

	*ret = (struct driver_modules){ 0 };
	snprintf(dir, sizeof(dir), "/lib/modules/%s", release);
	snprintf(index, sizeof(index), "%s/modules.dep.bin", dir);
	if (access(index, R_OK))
		return error_create(ERROR_NOT_FOUND,
				    "modules of %s: %s: %s; install that kernel's modules, or run "
				    "'depmod %s'",
				    release, index, strerror(errno), release);
	/* No configuration: a module that modprobe.d blacklists now may still be the disk's. */
	_cleanup_(unref_ctx) struct kmod_ctx *ctx = kmod_new(dir, no_config);
	if (!ctx)
		return &error_no_memory;
	kmod_set_log_priority(ctx, 0);
	for (size_t i = 0; i < wanted->count && !err; i++)
		err = strings_add_once(strchr(wanted->items[i], ':') ? &queue.soft : &queue.hard,
				       wanted->items[i]);
	if (!err)
		err = take_all(ctx, &queue, ret);
	if (!err)
		err = driver_modules_sort(ret);
	if (err)
		driver_modules_deinit(ret);
	return error_prefix(err, "modules of %s", release);
}

/* A file is nvme-core.ko, which "depends=" says too; the module is nvme_core. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

/* Depth first: what the module at @i needs, then itself. */
static void visit(struct driver_modules *set, size_t i, bool *seen, struct driver_module *sorted,
		  size_t *count)
{
	if (seen[i])
		return;
	seen[i] = true;
	for (size_t n = 0; n < set->items[i].needs.count; n++)
		for (size_t j = 0; j < set->count; j++)
			if (same_name(set->items[j].name, set->items[i].needs.items[n]))
				visit(set, j, seen, sorted, count);
	sorted[(*count)++] = set->items[i];
}

struct error *driver_modules_sort(struct driver_modules *set)
{
	_cleanup_free_ bool *seen = calloc(set->count + 1, sizeof(*seen));
	struct driver_module *sorted = calloc(set->count + 1, sizeof(*sorted));
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

void driver_modules_deinit(struct driver_modules *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].name);
		free(set->items[i].file);
		strings_deinit(&set->items[i].needs);
	}
	free(set->items);
	*set = (struct driver_modules){ 0 };
}

struct error *driver_module_load(const char *file)
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
	/* The kernel says so of a symbol that it does not know (simplify_symbols() in kernel/module/main.c, 6.1). */
	if (ret == -ENOENT && !access(file, F_OK))
		return error_create(ERROR_SYSTEM, "module %s: one that it needs is not loaded",
				    file);
	if (ret < 0 && ret != -EEXIST)
		return error_create(ERROR_SYSTEM, "module %s: %s", file, strerror(-ret));
	return NULL;
}
