// SPDX-License-Identifier: GPL-2.0-only
#include "capture/stall.h"

#include <stddef.h>

#define MAX_TRIES 1000

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
			.first_number = load(&slot->first_number),
			.last_number = load(&slot->last_number),
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
	return stall->last_ns > stall->onset_ns ? stall->last_ns - stall->onset_ns : 0;
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
