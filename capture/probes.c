// SPDX-License-Identifier: GPL-2.0-only
#include "capture/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bpf/probe.skel.h"
#include "capture/clock.h"
#include "capture/features.h"
#include "capture/hooks.h"
#include "capture/verifier.h"
#include "symbols/ksyms.h"

#define TRACEABLE "/sys/kernel/tracing/available_filter_functions"

/* Whether @name is in the kernel's list of what it can trace; lines are "FUNCTION" or "FUNCTION [MODULE]". */
static bool is_traceable(FILE *traceable, const char *name)
{
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	rewind(traceable);
	while (getline(&line, &capacity, traceable) >= 0) {
		line[strcspn(line, " \n")] = '\0';
		if (!strcmp(line, name))
			return true;
	}
	return false;
}

/* Why these could not be attached to, all or one of them: @code is the kernel's. */
static struct error *explain(const struct probe *list, size_t count, int code)
{
	_cleanup_fclose_ FILE *traceable = fopen(TRACEABLE, "re");

	for (size_t i = 0; traceable && i < count; i++)
		if (!is_traceable(traceable, list[i].name))
			return error_create(ERROR_NOT_FOUND,
					    "--probe %s: it cannot be traced; " TRACEABLE
					    " lists what can",
					    list[i].name);
	return error_create(ERROR_SYSTEM, "--probe %s%s: cannot be attached: %s", list->name,
			    count > 1 ? " and the others" : "", strerror(code));
}

static struct error *check(const struct ksym_function *function)
{
	if (!function->count)
		return error_create(ERROR_NOT_FOUND,
				    "this kernel has no such function; " KSYMS_PATH " lists them");
	if (function->count > 1)
		return error_create(ERROR_OTHER,
				    "%zu functions have this name; probe one that is the only one "
				    "of its name",
				    function->count);
	return NULL;
}

static struct error *look_up(const struct probe_names *names, const char *kallsyms,
			     struct ksym_function *ret)
{
	_cleanup_fclose_ FILE *in = fopen(kallsyms, "re");

	if (!in)
		return error_errno("%s", kallsyms);
	for (size_t i = 0; i < names->count; i++)
		ret[i].name = names->names[i];
	return ksyms_find_functions(in, ret, names->count);
}

struct error *probes_find(const struct probe_names *names, const char *kallsyms, struct probes *ret)
{
	struct ksym_function functions[RECORD_NR_PROBES] = {};

	*ret = (struct probes){};
	if (!names->count)
		return NULL;
	struct error *err = error_prefix(look_up(names, kallsyms, functions), "--probe");
	for (size_t i = 0; !err && i < names->count; i++) {
		const char *name = functions[i].name;
		err = check(&functions[i]);
		if (!err) {
			ret->list[ret->count++] =
				(struct probe){ .name = name, .address = functions[i].address };
		} else if (names->optional) {
			error_report(error_prefix(err, "watch: Probe=%s is left out", name));
			err = NULL;
		} else {
			err = error_prefix(err, "--probe %s", name);
		}
	}
	return err;
}

#define NAME_SIZE sizeof(((struct record_header *)0)->probes[0])

/* Where @name is in the header, among those that nobody @has yet; RECORD_NR_PROBES if nowhere. "": what is free. */
static uint32_t find_place(const struct record_header *header, const bool *has, const char *name)
{
	uint32_t place = 0;

	while (place < RECORD_NR_PROBES &&
	       (has[place] || strncmp(header->probes[place], name, NAME_SIZE) != 0))
		place++;
	return place;
}

static uint32_t first_without(const bool *has)
{
	uint32_t place = 0;

	while (has[place])
		place++;
	return place;
}

void probes_place(struct probes *probes, const struct record_header *header)
{
	bool has[RECORD_NR_PROBES] = {};

	for (size_t i = 0; i < probes->count; i++) {
		probes->list[i].place = find_place(header, has, probes->list[i].name);
		if (probes->list[i].place < RECORD_NR_PROBES)
			has[probes->list[i].place] = true;
	}
	for (size_t i = 0; i < probes->count; i++) {
		uint32_t *place = &probes->list[i].place;
		if (*place < RECORD_NR_PROBES)
			continue;
		*place = find_place(header, has, "");
		if (*place == RECORD_NR_PROBES)
			*place = first_without(has);
		has[*place] = true;
	}
}

static void forget_hits(const struct recorder *recorder, uint32_t place)
{
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++) {
		struct record_slot *slot = (struct record_slot *)recorder_slot(recorder, cpu);
		for (size_t i = 0; i < RECORD_NR_HITS; i++)
			if (slot->hits[i].probe == place)
				slot->hits[i].number = slot->hits[i].number_end = 0;
	}
}

void probes_enter(const struct probes *probes, const struct recorder *recorder)
{
	struct record_header *header = recorder_header(recorder);

	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->list[i];
		char *name = header->probes[probe->place];
		if (!strncmp(name, probe->name, NAME_SIZE))
			continue;
		if (*name)
			forget_hits(recorder, probe->place);
		snprintf(name, NAME_SIZE, "%s", probe->name);
	}
}

/* What the kernel has to hang them on. A kprobe without function tracing is a breakpoint, and does as well. */
static struct error *choose_variant(struct probes *probes)
{
	_cleanup_(features_deinit) struct features features;
	struct error *err = features_probe(&features);

	if (err)
		return err;
	probes->multi = features_has_kprobe_multi(&features);
	/* While it is off, what the kernel attaches is never called. */
	return features.tracing_is_off ? error_copy(features.no_fentry) : NULL;
}

static struct bpf_prog_skeleton *
find_program(const struct probes *probes, const struct probe_bpf *bpf, const struct probe *probe)
{
	char name[32] = "probe_multi";

	if (!probes->multi)
		snprintf(name, sizeof(name), "probe_%u", probe->place);
	for (int i = 0; i < bpf->skeleton->prog_cnt; i++)
		if (!strcmp(bpf->skeleton->progs[i].name, name))
			return &bpf->skeleton->progs[i];
	return NULL; /* never: bpf/probe.bpf.c has one for each place */
}

static void configure(const struct probes *probes, struct probe_bpf *bpf)
{
	for (int i = 0; i < bpf->skeleton->prog_cnt; i++)
		bpf_program__set_autoload(*bpf->skeleton->progs[i].prog, false);
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->list[i];
		bpf_program__set_autoload(*find_program(probes, bpf, probe)->prog, true);
		snprintf((char *)bpf->rodata->functions[probe->place], NAME_SIZE, "%s",
			 probe->name);
	}
}

/* Whether the same are in the kernel, on the same record, all of them. */
static bool are_pinned(const struct recorder *recorder, const struct pins *pins,
		       const struct probe_bpf *bpf)
{
	return recorder->taken_over && hooks_are_pinned(pins, PIN_PROBE, bpf->skeleton);
}

static struct error *load(const struct recorder *recorder, struct probe_bpf *bpf, char *log)
{
	if (bpf_map__reuse_fd(bpf->maps.lockdump_record, recorder_map_fd(recorder)))
		return error_errno("the flight record");
	if (!probe_bpf__load(bpf))
		return NULL;
	int code = errno;
	const char *reason = verifier_reason(log);
	return error_create(ERROR_SYSTEM, "the kernel refuses the program: %s%s%s", strerror(code),
			    reason ? ": " : "", reason ? reason : "");
}

/* By their names where the addresses are hidden: then the kernel finds those of its core alone. */
static struct error *attach_multi(const struct probes *probes, struct probe_bpf *bpf)
{
	unsigned long addresses[RECORD_NR_PROBES];
	const char *names[RECORD_NR_PROBES];
	__u64 cookies[RECORD_NR_PROBES];
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .cookies = cookies, .cnt = probes->count);

	for (size_t i = 0; i < probes->count; i++) {
		addresses[i] = probes->list[i].address;
		names[i] = probes->list[i].name;
		cookies[i] = probes->list[i].place;
	}
	if (addresses[0])
		opts.addrs = addresses;
	else
		opts.syms = names;
	bpf->links.probe_multi =
		bpf_program__attach_kprobe_multi_opts(bpf->progs.probe_multi, NULL, &opts);
	return bpf->links.probe_multi ? NULL : explain(probes->list, probes->count, errno);
}

static struct error *attach_each(const struct probes *probes, struct probe_bpf *bpf)
{
	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *probe = &probes->list[i];
		struct bpf_prog_skeleton *program = find_program(probes, bpf, probe);
		*program->link = bpf_program__attach_kprobe(*program->prog, false, probe->name);
		if (!*program->link)
			return explain(probe, 1, errno);
	}
	return NULL;
}

/* Those of the watch before go first: two programs would note each call twice. */
static struct error *replace(const struct probes *probes, const struct recorder *recorder,
			     const struct pins *pins, struct probe_bpf *bpf, char *log)
{
	if (recorder->stuck)
		return error_create(ERROR_OTHER, "--probe: while a CPU is stuck nothing can be "
						 "attached; start without it, or with what the "
						 "watch before had");
	pin_remove_all(pins, PIN_PROBE);
	probes_enter(probes, recorder);
	struct error *err = error_prefix(load(recorder, bpf, log), "--probe");
	if (err)
		return err;
	return probes->multi ? attach_multi(probes, bpf) : attach_each(probes, bpf);
}

struct error *probes_attach(struct probes *probes, const struct recorder *recorder,
			    const struct pins *pins)
{
	_cleanup_free_ char *log = NULL;

	if (!probes->count) {
		if (!recorder->stuck)
			pin_remove_all(pins, PIN_PROBE);
		return NULL;
	}
	struct error *err = error_prefix(choose_variant(probes), "--probe");
	if (err)
		return err;
	log = calloc(1, VERIFIER_LOG_SIZE);
	if (!log)
		return &error_no_memory;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,
		    .kernel_log_size = VERIFIER_LOG_SIZE);
	struct probe_bpf *bpf = probe_bpf__open_opts(&opts);
	if (!bpf)
		return error_errno("--probe: the program");
	probes->since_ns = now_ns();
	probes_place(probes, recorder_header(recorder));
	configure(probes, bpf);
	bool are_there = are_pinned(recorder, pins, bpf);
	if (!are_there)
		err = replace(probes, recorder, pins, bpf, log);
	if (err || are_there)
		probe_bpf__destroy(bpf);
	else
		probes->bpf = bpf;
	return err;
}

void probes_pin(struct probes *probes, const struct pins *pins)
{
	if (!probes->bpf || !*pins->dir)
		return;
	struct error *err = hooks_pin(pins, PIN_PROBE, probes->bpf->skeleton, NULL, 0);
	if (err) {
		pin_remove_all(pins, PIN_PROBE);
		error_report(error_prefix(err, "watch: if it is killed the probes end with it"));
		return;
	}
	probe_bpf__destroy(probes->bpf);
	probes->bpf = NULL;
}
