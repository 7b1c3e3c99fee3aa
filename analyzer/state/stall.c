// SPDX-License-Identifier: GPL-2.0-only
#include "state/stall.h"

#include <stddef.h>
#include <string.h>

#define MAX_TRIES  1000
#define MAX_COPIES 3

static uint64_t load(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

void stall_read(const struct record_slot *slot, uint32_t cpu, struct stall *ret)
{
	/* The writer is a few instructions long; but in a slot that a crash has frozen it never ends. */
	for (int try = 0; try < MAX_TRIES; try++) {
		uint64_t sequence = load(&slot->sequence);
		*ret = (struct stall){
			.cpu = cpu,
			.onset_ns = load(&slot->onset_ns),
			.last_ns = load(&slot->last_ns),
			.end_ns = load(&slot->end_ns),
			.wanted_ns = load(&slot->wanted_ns),
			.paused_ns = load(&slot->paused_ns),
			.first_number = load(&slot->first_number),
			.last_number = load(&slot->last_number),
			.sequence = sequence,
		};
		if (!(sequence & 1) && load(&slot->sequence) == sequence)
			return;
	}
}

enum stall_state stall_state(const struct stall *stall, uint64_t now, uint64_t silent_ns)
{
	if (!stall->onset_ns)
		return STALL_NONE;
	if (stall->end_ns)
		return STALL_OVER;
	return now > stall->last_ns && now - stall->last_ns > silent_ns ? STALL_SILENT : STALL_ON;
}

uint64_t stall_length_ns(const struct stall *stall)
{
	return record_stall_ns(stall->onset_ns, stall->last_ns, stall->paused_ns);
}

uint64_t stall_deadline_ns(const struct stall *stall, uint64_t length_ns)
{
	return stall->onset_ns + stall->paused_ns + length_ns;
}

bool stall_is_lockup(const struct stall *stall, uint64_t least_ns)
{
	return stall->wanted_ns && stall_length_ns(stall) >= least_ns;
}

bool stall_has_sample(const struct record_sample *sample, uint64_t onset_ns)
{
	return sample->number && sample->number == sample->number_end &&
	       sample->onset_ns == onset_ns;
}

const struct record_sample *stall_newest_sample(const struct record_slot *slot, uint64_t onset_ns)
{
	const struct record_sample *newest = NULL;

	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++) {
		const struct record_sample *sample = &slot->samples[i];
		if (stall_has_sample(sample, onset_ns) &&
		    (!newest || sample->number > newest->number))
			newest = sample;
	}
	return newest;
}

/* Against the writer's order, as bpf/record.h wants it; of all that has a number at both ends. */
#define COPY_NUMBERED(live, ret)                                 \
	do {                                                     \
		uint64_t number_end = load(&(live)->number_end); \
		memcpy(ret, live, sizeof(*(ret)));               \
		__atomic_thread_fence(__ATOMIC_ACQUIRE);         \
		(ret)->number = load(&(live)->number);           \
		(ret)->number_end = number_end;                  \
	} while (0)

void stall_copy_sample(const struct record_sample *live, struct record_sample *ret)
{
	COPY_NUMBERED(live, ret);
}

void stall_copy_event(const struct record_event *live, struct record_event *ret)
{
	COPY_NUMBERED(live, ret);
}

void stall_copy_hit(const struct record_hit *live, struct record_hit *ret)
{
	COPY_NUMBERED(live, ret);
}

/* A lock's address is written last, and its place is emptied first; a deaf CPU's time likewise. */
static void copy_looks(const struct record_slot *live, struct record_slot *ret)
{
	for (size_t i = 0; i < RECORD_NR_CONTEXTS; i++) {
		uint64_t lock = load(&live->locks[i].lock);
		memcpy(&ret->locks[i], &live->locks[i], sizeof(ret->locks[i]));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		ret->locks[i].lock = load(&live->locks[i].lock) == lock ? lock : 0;
	}
	for (size_t i = 0; i < RECORD_NR_DEAF; i++) {
		uint64_t since_ns = load(&live->deaf[i].since_ns);
		memcpy(&ret->deaf[i], &live->deaf[i], sizeof(ret->deaf[i]));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		ret->deaf[i].since_ns = load(&live->deaf[i].since_ns) == since_ns ? since_ns : 0;
	}
}

void stall_copy_slot(const struct record_slot *live, struct record_slot *ret)
{
	struct stall stall;

	/* The stall before its samples: those of a later one do no harm, but this one's must be there. */
	memcpy(ret, live, offsetof(struct record_slot, samples));
	stall_read(live, 0, &stall);
	ret->sequence = stall.sequence;
	ret->onset_ns = stall.onset_ns;
	ret->last_ns = stall.last_ns;
	ret->end_ns = stall.end_ns;
	ret->wanted_ns = stall.wanted_ns;
	ret->paused_ns = stall.paused_ns;
	ret->first_number = stall.first_number;
	ret->last_number = stall.last_number;
	copy_looks(live, ret);
	for (size_t i = 0; i < RECORD_NR_EVENTS; i++)
		stall_copy_event(&live->events[i], &ret->events[i]);
	for (size_t i = 0; i < RECORD_NR_HITS; i++)
		stall_copy_hit(&live->hits[i], &ret->hits[i]);
	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++)
		stall_copy_sample(&live->samples[i], &ret->samples[i]);
}

bool stall_copy_newest(const struct record_slot *live, uint64_t onset_ns, struct record_sample *ret)
{
	for (int try = 0; try < MAX_COPIES; try++) {
		const struct record_sample *newest = stall_newest_sample(live, onset_ns);
		if (!newest)
			return false;
		stall_copy_sample(newest, ret);
		if (stall_has_sample(ret, onset_ns))
			return true;
	}
	return false;
}
