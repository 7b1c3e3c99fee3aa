// SPDX-License-Identifier: GPL-2.0-only
#include "capture/hooks.h"

#include <stdio.h>
#include <string.h>

/* Fowler, Noll, Vo: FNV-1a. */
#define HASH_SEED 2166136261u
#define HASH_STEP 16777619u

static uint32_t hash(uint32_t number, const void *data, size_t size)
{
	for (const unsigned char *byte = data; size--; byte++)
		number = (number ^ *byte) * HASH_STEP;
	return number;
}

static uint32_t number_of(const struct bpf_object_skeleton *skeleton)
{
	uint32_t number = hash(HASH_SEED, skeleton->data, skeleton->data_sz);

	for (int i = 0; i < skeleton->map_cnt; i++) {
		const struct bpf_map_skeleton *map = &skeleton->maps[i];
		size_t size;
		const void *constants = strstr(map->name, ".rodata")
						? bpf_map__initial_value(*map->map, &size)
						: NULL;
		if (constants)
			number = hash(number, constants, size);
	}
	return number;
}

struct hook_name {
	char text[PIN_PATH_SIZE];
};

static struct hook_name name_of(const char *prefix, uint32_t number, const char *program)
{
	struct hook_name name;

	snprintf(name.text, sizeof(name.text), "%s%08x-%s", prefix, number, program);
	return name;
}

struct comparison {
	const struct pins *pins;
	struct hook_name ours; /* how all of them begin */
	size_t nr_ours;
	size_t nr_others;
};

static bool is_ours(const struct comparison *comparison, const char *name)
{
	return !strncmp(name, comparison->ours.text, strlen(comparison->ours.text));
}

static bool count(const char *name, void *arg)
{
	struct comparison *comparison = arg;

	if (is_ours(comparison, name))
		comparison->nr_ours++;
	else
		comparison->nr_others++;
	return true;
}

/* Of a perf event there is a link for each CPU. */
static size_t nr_links(const struct bpf_object_skeleton *skeleton)
{
	size_t count = 0;

	for (int i = 0; i < skeleton->prog_cnt; i++) {
		const struct bpf_program *program = *skeleton->progs[i].prog;
		count += bpf_program__autoload(program) &&
			 bpf_program__type(program) != BPF_PROG_TYPE_PERF_EVENT;
	}
	return count;
}

bool hooks_are_pinned(const struct pins *pins, const char *prefix,
		      const struct bpf_object_skeleton *skeleton)
{
	struct comparison comparison = { .ours = name_of(prefix, number_of(skeleton), "") };

	pin_each(pins, prefix, count, &comparison);
	return comparison.nr_ours && comparison.nr_ours >= nr_links(skeleton) &&
	       !comparison.nr_others;
}

static bool remove_other(const char *name, void *arg)
{
	struct comparison *comparison = arg;

	if (!is_ours(comparison, name))
		pin_remove(comparison->pins, name);
	return true;
}

static struct error *pin_one(const struct pins *pins, const struct hook_name *name,
			     const struct bpf_link *link)
{
	if (!link)
		return NULL;
	pin_remove(pins, name->text);
	return pin_link(pins, link, name->text);
}

struct error *hooks_pin(const struct pins *pins, const char *prefix,
			const struct bpf_object_skeleton *skeleton, struct bpf_link *const *others,
			size_t nr_others)
{
	uint32_t number = number_of(skeleton);
	struct comparison comparison = { .pins = pins, .ours = name_of(prefix, number, "") };
	struct error *err = NULL;

	for (int i = 0; i < skeleton->prog_cnt && !err; i++) {
		const struct bpf_prog_skeleton *program = &skeleton->progs[i];
		struct hook_name name = name_of(prefix, number, program->name);
		err = pin_one(pins, &name, *program->link);
	}
	for (size_t i = 0; i < nr_others && !err; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%zu", i);
		struct hook_name name = name_of(prefix, number, text);
		err = pin_one(pins, &name, others[i]);
	}
	pin_each(pins, prefix, remove_other, &comparison);
	return err;
}
