// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct module.btf_data is gone once the module runs. What stays is on btf_modules: struct btf_module, whose btf has
 * the data, with its references to the kernel's types as they are in this kernel, also if the module was built
 * against a distilled base (since 6.11: 8646db238997).
 */
#include "symbols/module_types.h"

#include <string.h>

#include "dump/list.h"

/* The kernel takes no more than 16 MB of a module (BTF_MAX_SIZE, kernel/bpf/btf.c), and their sum is some 10 MB. */
#define MAX_BTF	    (16u << 20)
#define MAX_ALL_BTF (64u << 20)
#define MAX_MODULES 65536

struct error *module_types_init(struct module_types *all, struct memory *memory,
				const struct types *types, uint64_t head)
{
	struct member node, module, btf, data, size;
	const struct member_wanted wanted[] = {
		{ "btf_module", "list", &node }, { "btf_module", "module", &module },
		{ "btf_module", "btf", &btf },	 { "btf", "data", &data },
		{ "btf", "data_size", &size },
	};
	struct list_walk walk;

	memset(all, 0, sizeof(*all));
	struct error *err = types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (err)
		return err;
	list_walk_init(&walk, memory, head, node.offset);
	while (!err && list_walk_next(&walk, &err)) {
		struct module_btf its = {};
		uint64_t address;
		err = member_read(memory, walk.object, &module, &its.module);
		if (!err)
			err = member_read(memory, walk.object, &btf, &address);
		if (!err && !address)
			continue; /* the module is being loaded */
		if (!err)
			err = member_read(memory, address, &data, &its.data);
		if (!err)
			err = member_read(memory, address, &size, &its.size);
		if (!err && all->list.count == MAX_MODULES)
			err = error_create(ERROR_CORRUPT, "more than %u of them", MAX_MODULES);
		struct module_btf *place = err ? NULL : vector_push(&all->list);
		if (!err && !place)
			err = &error_no_memory;
		if (!err)
			*place = its;
	}
	return error_prefix(err, "the modules' BTF");
}

void module_types_deinit(struct module_types *all)
{
	for (size_t i = 0; i < all->list.count; i++)
		types_destroy(all->list.data[i].types);
	vector_deinit(&all->list);
}

static struct error *parse(struct module_types *all, struct memory *memory,
			   const struct types *types, struct module_btf *its)
{
	void *data;

	if (its->size <= MAX_BTF && its->size > MAX_ALL_BTF - all->size)
		return error_fault(ERROR_CORRUPT, its->data, "over %u MB of BTF",
				   MAX_ALL_BTF >> 20);
	/* What cannot be read takes time too. */
	if (its->size <= MAX_BTF)
		all->size += its->size;
	struct error *err = memory_read_alloc(memory, its->data, its->size, MAX_BTF, &data);
	if (err)
		return err;
	return types_parse_module(data, its->size, types, &its->types);
}

struct error *module_types_get(struct module_types *all, struct memory *memory,
			       const struct types *types, const struct module *module,
			       const struct types **ret)
{
	struct error *err = NULL;

	*ret = types;
	for (size_t i = 0; i < all->list.count; i++) {
		struct module_btf *its = &all->list.data[i];
		if (its->module != module->object)
			continue;
		if (!its->parsed) {
			its->parsed = true;
			err = error_prefix(parse(all, memory, types, its), "%s", module->name);
		}
		if (its->types)
			*ret = its->types;
		break;
	}
	return err;
}
