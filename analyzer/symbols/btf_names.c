// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each name is once in BTF's strings, for all that have it: a page of them lost
 * takes a few hundred names, and "pid" or "thread_head" may be one. But which
 * places are without a name is known, and how long each was: up to the next
 * place that something has its name from. Every kernel has the members below. So
 * one that is nowhere is the member without a name of just that length and size,
 * if its struct has but one; and a struct that is nowhere is the one without a
 * name, or without a beginning, that has such members.
 */
#include "symbols/btf_names.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/search.h"
#include "base/vector.h"
#include "symbols/btf.h"

#define LOST	    ((char)0xff) /* a byte that is not there: btf_mend.c */
#define MAX_MEMBERS 32
#define ANY	    0
#define LARGE	    1 /* not that of any number or list, that is */
#define MIN_LARGE   128
#define MAX_NESTED  4
#define ROUNDS	    2 /* the name of a struct may help to find the next */
#define MAX_VISITS  (16u << 20) /* members that are looked at, of all types together */
#define MAX_SEARCH  (16ull << 30) /* bytes of strings that are searched: some seconds */

/*
 * Sizes in bytes, of an array in all; ANY and LARGE are none. Those with a '+' come right behind the one before
 * them in every kernel.
 */
static const struct known {
	const char *name;
	struct {
		const char *name;
		uint32_t size;
	} members[MAX_MEMBERS];
} known[] = {
	{ "list_head", { { "next", 8 }, { "+prev", 8 } } },
	{ "thread_struct",
	  { { "sp", 8 },
	    { "+es", 2 },
	    { "+ds", 2 },
	    { "fsbase", 8 },
	    { "+gsbase", 8 },
	    { "cr2", 8 },
	    { "+trap_nr", 8 },
	    { "+error_code", 8 } } },
	{ "thread_info", { { "flags", 8 }, { "status", 4 }, { "+cpu", 4 } } },
	{ "task_struct", { { "thread_info", ANY }, { "+__state", 4 },
			   { "stack", 8 },	   { "+usage", 4 },
			   { "+flags", 4 },	   { "+ptrace", 4 },
			   { "tasks", 16 },	   { "mm", 8 },
			   { "+active_mm", 8 },	   { "exit_state", 4 },
			   { "+exit_code", 4 },	   { "+exit_signal", 4 },
			   { "pid", 4 },	   { "+tgid", 4 },
			   { "real_parent", 8 },   { "+parent", 8 },
			   { "+children", 16 },	   { "+sibling", 16 },
			   { "+group_leader", 8 }, { "thread_node", 16 },
			   { "nvcsw", 8 },	   { "+nivcsw", 8 },
			   { "comm", 16 },	   { "signal", 8 },
			   { "+sighand", 8 },	   { "stack_vm_area", 8 },
			   { "thread", LARGE } } },
	{ "signal_struct",
	  { { "nr_threads", 4 },
	    { "thread_head", 16 },
	    { "+wait_chldexit", ANY },
	    { "group_exit_code", 4 } } },
	{ "rq",
	  { { "nr_running", 4 },
	    { "curr", 8 },
	    { "idle", 8 },
	    { "+stop", 8 },
	    { "clock_task", 8 },
	    { "nr_switches", 8 } } },
	{ "vm_struct",
	  { { "addr", 8 },
	    { "+size", 8 },
	    { "+flags", 8 },
	    { "+pages", 8 },
	    { "nr_pages", 4 },
	    { "phys_addr", 8 } } },
	{ "inactive_task_frame",
	  { { "r15", 8 },
	    { "+r14", 8 },
	    { "+r13", 8 },
	    { "+r12", 8 },
	    { "+bx", 8 },
	    { "+bp", 8 },
	    { "+ret_addr", 8 } } },
	{ "module", { { "state", 4 }, { "+list", 16 }, { "+name", 56 }, { "kallsyms", 8 } } },
	{ "mod_kallsyms", { { "symtab", 8 }, { "+num_symtab", 4 }, { "+strtab", 8 } } },
	{ "mm_struct",
	  { { "pgd", 8 },
	    { "start_code", 8 },
	    { "+end_code", 8 },
	    { "+start_data", 8 },
	    { "+end_data", 8 } } },
};

#define NR_KNOWN (sizeof(known) / sizeof(known[0]))

struct place {
	uint32_t at; /* in the strings */
};

struct restorer {
	struct types *types;
	char *strings;
	uint32_t size;
	VECTOR(struct place) places; /* where names begin of which a part is lost; sorted */
	uint64_t visits, searched;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = ((const struct place *)a)->at, y = ((const struct place *)b)->at;

	return (x > y) - (x < y);
}

static struct error *add_place(struct restorer *r, uint32_t at)
{
	if (!at || at >= r->size || r->strings[at] != LOST)
		return NULL;
	struct place *place = vector_push(&r->places);
	if (!place)
		return &error_no_memory;
	place->at = at;
	return NULL;
}

/* All that has its name from where nothing is any more. */
static struct error *list_places(struct restorer *r)
{
	struct error *err = NULL;

	for (uint32_t id = 1; !err && id < r->types->count; id++) {
		const struct btf_type *type = btf_type(r->types, id);
		size_t step = 0;
		err = add_place(r, type->name_off);
		switch (btf_kind(type)) {
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			step = sizeof(struct btf_member);
			break;
		case BTF_KIND_ENUM:
			step = sizeof(struct btf_enum);
			break;
		case BTF_KIND_ENUM64:
			step = sizeof(struct btf_enum64);
			break;
		case BTF_KIND_FUNC_PROTO:
			step = sizeof(struct btf_param);
			break;
		}
		/* All of them begin with their name. */
		for (uint32_t i = 0; !err && step && i < btf_vlen(type); i++)
			err = add_place(r,
					*(const uint32_t *)((const char *)(type + 1) + i * step));
	}
	if (r->places.count)
		qsort(r->places.data, r->places.count, sizeof(*r->places.data), compare);
	return err;
}

/* The first place behind @at. */
static uint32_t next_place(const struct restorer *r, uint32_t at)
{
	size_t next = search_upto(r->places.data, r->places.count, at, at);

	return next < r->places.count ? r->places.data[next].at : UINT32_MAX;
}

/* Whether the name that begins at @at, of which a part is lost, can have been @name. */
static bool fits(const struct restorer *r, uint32_t at, const char *name)
{
	size_t len = strlen(name);
	bool lost = false;

	if (!at || at >= r->size || len >= r->size - at)
		return false;
	for (size_t i = 0; i <= len; i++) {
		lost = lost || r->strings[at + i] == LOST;
		if (r->strings[at + i] != LOST && r->strings[at + i] != name[i])
			return false;
	}
	uint32_t next = next_place(r, at);
	return lost && (next == at + len + 1 || (next > at + len && r->strings[at + len] != LOST));
}

static void put(struct restorer *r, uint32_t at, const char *name)
{
	memcpy(r->strings + at, name, strlen(name) + 1);
}

/* Structs without a name may hold each other, and strings be any number: then it was enough. */
static bool is_enough(const struct restorer *r)
{
	return r->visits > MAX_VISITS || r->searched > MAX_SEARCH;
}

/* Where @name is, whole; 0 if it is nowhere. */
static uint32_t find_string(struct restorer *r, const char *name)
{
	char pattern[64];
	size_t len = strlen(name) + 1;

	pattern[0] = '\0';
	memcpy(pattern + 1, name, len);
	r->searched += r->size;
	const char *found = memmem(r->strings, r->size, pattern, len + 1);
	return found ? found + 1 - r->strings : 0;
}

/* Members that come one behind the other, of which the names are known. */
struct group {
	const struct known *known;
	size_t first, count;
};

/* From *@at on; false at the end. */
static bool next_group(const struct known *k, size_t *at, struct group *ret)
{
	*ret = (struct group){ .known = k, .first = *at };
	if (*at >= MAX_MEMBERS || !k->members[*at].name)
		return false;
	do
		++*at;
	while (*at < MAX_MEMBERS && k->members[*at].name && *k->members[*at].name == '+');
	ret->count = *at - ret->first;
	return true;
}

static const char *name_of(const struct group *group, size_t i)
{
	const char *name = group->known->members[group->first + i].name;

	return name + (*name == '+');
}

/* Whether a member, which may have no type any more, can be the one called @name. */
static bool can_be(struct restorer *r, const struct btf_member *member, const char *name,
		   uint32_t size)
{
	const char *its_name = btf_string(r->types, member->name_off);
	uint64_t its_size = btf_size_of(r->types, member->type);

	if (its_size && size != ANY && (size == LARGE ? its_size < MIN_LARGE : its_size != size))
		return false;
	return !strcmp(its_name, name) ||
	       (fits(r, member->name_off, name) && !find_string(r, name));
}

static bool is_group(struct restorer *r, const struct btf_member *members,
		     const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		if (!can_be(r, &members[i], name_of(group, i),
			    group->known->members[group->first + i].size))
			return false;
	return true;
}

/* Where in struct @id, or the anonymous ones in it, the group can be: at how many places, and the last of them. */
static unsigned int find_group(struct restorer *r, uint32_t id, const struct group *group,
			       int depth, struct btf_member **ret)
{
	const struct btf_type *type = btf_type(r->types, id);
	struct btf_member *members = (struct btf_member *)(type + 1);
	unsigned int found = 0;

	if (!btf_is_compound(type) || depth > MAX_NESTED)
		return 0;
	for (uint32_t i = 0; i < btf_vlen(type) && !is_enough(r); i++) {
		uint32_t inner = members[i].type;
		r->visits++;
		if (!members[i].name_off && inner && inner < r->types->count) {
			found += find_group(r, inner, group, depth + 1, ret);
		} else if (btf_vlen(type) - i >= group->count && is_group(r, members + i, group)) {
			*ret = &members[i];
			found++;
		}
	}
	return is_enough(r) ? 0 : found;
}

/* A struct whose name, or all of whose beginning, is lost: the one that has most of the members. */
static uint32_t find_struct(struct restorer *r, const struct known *k)
{
	uint32_t string = find_string(r, k->name), best = 0;
	unsigned int most = 1, again = 0;

	for (uint32_t id = 1; id < r->types->count && !is_enough(r); id++) {
		const struct btf_type *type = btf_type(r->types, id);
		bool headless = !type->name_off && !type->size;
		struct btf_member *place;
		struct group group;
		unsigned int right = 0;
		if (btf_kind(type) != BTF_KIND_STRUCT ||
		    (string ? !headless : !fits(r, type->name_off, k->name)))
			continue;
		for (size_t at = 0; next_group(k, &at, &group);)
			right += find_group(r, id, &group, 0, &place) == 1;
		again += right == most;
		if (right > most) {
			most = right;
			best = id;
			again = 0;
		}
	}
	if (!best || again)
		return 0;
	struct btf_type *type = (struct btf_type *)btf_type(r->types, best);
	if (string)
		type->name_off = string;
	else
		put(r, type->name_off, k->name);
	return btf_name(r->types, best) ? best : 0;
}

static void restore_members(struct restorer *r, uint32_t id, const struct known *k)
{
	struct btf_member *members;
	struct group group;

	for (size_t at = 0; next_group(k, &at, &group);) {
		if (find_group(r, id, &group, 0, &members) != 1)
			continue;
		for (size_t i = 0; i < group.count; i++) {
			if (!find_string(r, name_of(&group, i)))
				put(r, members[i].name_off, name_of(&group, i));
		}
	}
}

struct error *btf_names_restore(struct types *types)
{
	struct restorer r = {
		.types = types,
		.strings = (char *)types->strings,
		.size = types->strings_size,
	};
	struct error *err = list_places(&r);

	for (int round = 0; !err && round < ROUNDS; round++) {
		for (size_t i = 0; i < NR_KNOWN; i++) {
			uint32_t id = btf_find(types, known[i].name);
			if (!id)
				id = find_struct(&r, &known[i]);
			if (id)
				restore_members(&r, id, &known[i]);
		}
	}
	vector_deinit(&r.places);
	return err;
}
