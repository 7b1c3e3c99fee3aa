// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF programs, trampolines and dispatchers are each a struct bpf_ksym on bpf_kallsyms (kernel/bpf/core.c, since 5.8:
 * dba122fb5e12). The trampolines of ftrace, and the pages that kprobes run copied instructions in, are on lists of
 * theirs (fc0ea795f53c and d002b8bc6dbc, 5.8).
 */
#include "symbols/generated.h"

#include <string.h>

#include "base/search.h"
#include "dump/list.h"

#define MAX_CODES     (1u << 20)
#define MAX_NAME      512 /* KSYM_NAME_LEN */
#define MAX_CODE_SIZE (16u << 20) /* a BPF program has a million instructions at most */

struct walk {
	struct generated *generated;
	struct memory *memory;
	const struct types *types;
	struct arena *arena;
};

static struct error *add(struct walk *w, uint64_t start, uint64_t end, const char *name)
{
	/* One that is being made or freed has none yet, or no more. */
	if (!start || end <= start || end - start > MAX_CODE_SIZE || !*name)
		return NULL;
	if (w->generated->list.count >= MAX_CODES)
		return error_create(ERROR_CORRUPT, "more than %u of them", MAX_CODES);
	struct generated_code *code = vector_push(&w->generated->list);
	if (!code)
		return &error_no_memory;
	*code = (struct generated_code){ start, end, arena_strndup(w->arena, name, MAX_NAME) };
	return code->name ? NULL : &error_no_memory;
}

static struct error *add_bpf(struct walk *w, uint64_t head)
{
	struct member node, start, end, name;
	const struct member_wanted wanted[] = {
		{ "bpf_ksym", "lnode", &node },
		{ "bpf_ksym", "start", &start },
		{ "bpf_ksym", "end", &end },
		{ "bpf_ksym", "name", &name },
	};
	struct list_walk list;

	struct error *err = types_resolve(w->types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (err)
		return err;
	list_walk_init(&list, w->memory, head, node.offset);
	while (!err && list_walk_next(&list, &err)) {
		char its_name[MAX_NAME];
		uint64_t from, to;
		err = member_read(w->memory, list.object, &start, &from);
		if (!err)
			err = member_read(w->memory, list.object, &end, &to);
		if (!err)
			err = memory_read_string(w->memory, list.object + name.offset, its_name,
						 name.count < sizeof(its_name) ? name.count
									       : sizeof(its_name));
		if (!err)
			err = add(w, from, to, its_name);
	}
	return err;
}

static struct error *add_ftrace(struct walk *w, uint64_t head)
{
	struct member node, start, size;
	const struct member_wanted wanted[] = {
		{ "ftrace_ops", "list", &node },
		{ "ftrace_ops", "trampoline", &start },
		{ "ftrace_ops", "trampoline_size", &size },
	};
	struct list_walk list;

	struct error *err = types_resolve(w->types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (err)
		return err;
	list_walk_init(&list, w->memory, head, node.offset);
	while (!err && list_walk_next(&list, &err)) {
		uint64_t from, bytes;
		err = member_read(w->memory, list.object, &start, &from);
		if (!err)
			err = member_read(w->memory, list.object, &size, &bytes);
		if (!err)
			err = add(w, from, from + bytes, "ftrace_trampoline");
	}
	return err;
}

static struct error *add_kprobes(struct walk *w, uint64_t cache, const char *name)
{
	struct member pages, node, start;
	const struct member_wanted wanted[] = {
		{ "kprobe_insn_cache", "pages", &pages },
		{ "kprobe_insn_page", "list", &node },
		{ "kprobe_insn_page", "insns", &start },
	};
	struct list_walk list;

	struct error *err = types_resolve(w->types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (err)
		return err;
	list_walk_init(&list, w->memory, cache + pages.offset, node.offset);
	while (!err && list_walk_next(&list, &err)) {
		uint64_t from;
		err = member_read(w->memory, list.object, &start, &from);
		if (!err)
			err = add(w, from, from + PAGE_SIZE, name);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct generated_code *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* The first error counts; a kernel without one kind may have another. */
static void keep_first(struct error **first, struct error *err, const char *what)
{
	if (*first)
		error_destroy(err);
	else
		*first = error_prefix(err, "%s", what);
}

struct error *generated_init(struct generated *generated, struct memory *memory,
			     const struct types *types, const struct generated_lists *lists,
			     struct arena *arena)
{
	struct walk w = { generated, memory, types, arena };
	struct error *err = NULL;

	memset(generated, 0, sizeof(*generated));
	if (lists->bpf_kallsyms)
		keep_first(&err, add_bpf(&w, lists->bpf_kallsyms), "BPF programs");
	if (lists->ftrace_ops_trampoline_list)
		keep_first(&err, add_ftrace(&w, lists->ftrace_ops_trampoline_list),
			   "ftrace's trampolines");
	if (lists->kprobe_insn_slots)
		keep_first(&err, add_kprobes(&w, lists->kprobe_insn_slots, "kprobe_insn_page"),
			   "kprobes");
	if (lists->kprobe_optinsn_slots)
		keep_first(&err,
			   add_kprobes(&w, lists->kprobe_optinsn_slots, "kprobe_optinsn_page"),
			   "kprobes");
	if (generated->list.count)
		qsort(generated->list.data, generated->list.count, sizeof(*generated->list.data),
		      compare);
	return err;
}

void generated_deinit(struct generated *generated)
{
	vector_deinit(&generated->list);
}

const struct generated_code *generated_find(const struct generated *generated, uint64_t address)
{
	const struct generated_code *list = generated->list.data;
	size_t i = search_upto(list, generated->list.count, start, address);

	return i && address < list[i - 1].end ? &list[i - 1] : NULL;
}
