// SPDX-License-Identifier: GPL-2.0-only
#include "capture/hits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "capture/clock.h"
#include "state/stall.h"

static const struct record_hit *place_of(const struct record_slot *slot, uint64_t number)
{
	return &slot->hits[number % RECORD_NR_HITS];
}

static uint64_t last_number(const struct record_slot *slot)
{
	return __atomic_load_n(&slot->last_hit, __ATOMIC_ACQUIRE);
}

static bool is_since(const struct record_slot *slot, uint64_t number, uint64_t since_ns)
{
	struct record_hit hit;

	stall_copy_hit(place_of(slot, number), &hit);
	return hit.number == number && hit.number_end == number && hit.time_ns >= since_ns;
}

/* The last one before @since_ns. */
static uint64_t last_before(const struct record_slot *slot, uint64_t since_ns)
{
	uint64_t last = last_number(slot), number = last;

	while (number && last - number < RECORD_NR_HITS && is_since(slot, number, since_ns))
		number--;
	return number;
}

struct error *hits_init(const struct recorder *recorder, uint64_t since_ns, const char *kallsyms,
			struct hits *ret)
{
	*ret = (struct hits){
		.recorder = recorder,
		.kallsyms = kallsyms,
		.seen = calloc(recorder->nr_cpus, sizeof(*ret->seen)),
	};
	if (!ret->seen)
		return &error_no_memory;
	for (uint32_t cpu = 0; cpu < recorder->nr_cpus; cpu++)
		ret->seen[cpu] = last_before(recorder_slot(recorder, cpu), since_ns);
	return NULL;
}

void hits_deinit(struct hits *hits)
{
	vector_deinit(&hits->list);
	free(hits->seen);
}

/*
 * Those of one CPU up to @until_ns: of all CPUs, so that what comes while they are looked at, one after the other, is
 * left to the next look, and none that is earlier is printed later.
 */
static struct error *collect(struct hits *hits, uint32_t cpu, uint64_t until_ns)
{
	const struct record_slot *slot = recorder_slot(hits->recorder, cpu);
	uint64_t last = last_number(slot), *seen = &hits->seen[cpu];

	if (last > *seen + RECORD_NR_HITS) {
		hits->lost += last - RECORD_NR_HITS - *seen;
		*seen = last - RECORD_NR_HITS;
	}
	for (; *seen < last; ++*seen) {
		uint64_t number = *seen + 1;
		struct record_hit hit;
		stall_copy_hit(place_of(slot, number), &hit);
		if (hit.number > number) { /* another has come in its place meanwhile */
			hits->lost++;
			continue;
		}
		if (hit.number != number || hit.number_end != number || hit.time_ns > until_ns)
			break; /* it is being written, or too new */
		struct hit *place = vector_push(&hits->list);
		if (!place)
			return &error_no_memory;
		*place = (struct hit){ .cpu = cpu, .hit = hit };
		place->hit.comm[sizeof(hit.comm) - 1] = '\0';
		clean_text(place->hit.comm);
	}
	return NULL;
}

static int compare_times(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->hit.time_ns != y->hit.time_ns)
		return x->hit.time_ns < y->hit.time_ns ? -1 : 1;
	return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

static bool is_known(const struct hits *hits, uint64_t pc)
{
	for (size_t i = 0; i < hits->nr_callers; i++)
		if (hits->callers[i].pc == pc)
			return true;
	return false;
}

/* Adds the callers that have no entry yet, as long as there is room. True if there was any. */
static bool add_callers(struct hits *hits)
{
	size_t before = hits->nr_callers;

	for (size_t i = 0; i < hits->list.count; i++) {
		uint64_t pc = hits->list.data[i].hit.caller - 1;
		if (hits->nr_callers < HITS_MAX_CALLERS && !is_known(hits, pc))
			hits->callers[hits->nr_callers++] = (struct ksym){ .pc = pc };
	}
	return hits->nr_callers > before;
}

static void name_callers(struct hits *hits)
{
	if (hits->nr_callers == HITS_MAX_CALLERS) /* from the start */
		hits->nr_callers = 0;
	if (!add_callers(hits))
		return;
	_cleanup_fclose_ FILE *in = fopen(hits->kallsyms, "re");
	if (in)
		error_destroy(ksyms_resolve(in, hits->callers, hits->nr_callers));
}

static void print_hit(const struct hits *hits, const struct hit *hit, FILE *out)
{
	const struct record_header *header = recorder_header(hits->recorder);
	const struct record_hit *h = &hit->hit;
	uint64_t pc = h->caller - 1;
	char place[KSYM_PLACE_SIZE];

	fprintf(out, "%-14.6f %-15s %-7u %.*s(0x%llx, 0x%llx, 0x%llx)",
		(double)h->time_ns / NS_PER_SEC, h->comm, h->pid, (int)sizeof(header->probes[0]),
		h->probe < RECORD_NR_PROBES ? header->probes[h->probe] : "?", h->args[0],
		h->args[1], h->args[2]);
	if (h->caller) {
		ksym_place(ksyms_find(hits->callers, hits->nr_callers, pc), h->caller, place);
		fprintf(out, " from %s", place);
	}
	fprintf(out, " on CPU %" PRIu32 "\n", hit->cpu);
}

static void tell_lost(struct hits *hits, bool last)
{
	uint64_t now = now_ns();

	if (!hits->lost || (!last && now - hits->lost_ns < NS_PER_SEC))
		return;
	fprintf(stderr, "lockdump: --probe: %" PRIu64 " hit%s came too fast to be printed\n",
		hits->lost, hits->lost == 1 ? "" : "s");
	hits->lost = 0;
	hits->lost_ns = now;
}

struct error *hits_print(struct hits *hits, bool last, FILE *out)
{
	struct error *err = NULL;
	uint64_t until_ns = now_ns();

	if (!hits->recorder)
		return NULL;
	hits->list.count = 0;
	for (uint32_t cpu = 0; !err && cpu < hits->recorder->nr_cpus; cpu++)
		err = collect(hits, cpu, until_ns);
	if (hits->list.count) {
		qsort(hits->list.data, hits->list.count, sizeof(*hits->list.data), compare_times);
		name_callers(hits);
		if (!hits->titled)
			fprintf(out, "%-14s %-15s %-7s %s\n", "TIME(s)", "COMM", "PID", "MESSAGE");
		hits->titled = true;
	}
	for (size_t i = 0; i < hits->list.count; i++)
		print_hit(hits, &hits->list.data[i], out);
	if (hits->list.count)
		fflush(out);
	tell_lost(hits, last);
	return err;
}
