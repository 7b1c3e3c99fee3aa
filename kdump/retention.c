// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/retention.h"

#include <stdio.h>

#include "kdump/wording.h"

/* What there is, while some of it goes. */
struct tally {
	const struct limits *limits;
	const struct room *room;
	int64_t now_s;
	size_t incidents;
	uint64_t size;
	uint64_t free;
};

static uint64_t bytes_of(const struct amount *amount, const struct room *room)
{
	uint64_t share = (uint64_t)(amount->share * (double)room->total);

	return amount->share && (!amount->bytes || share < amount->bytes) ? share : amount->bytes;
}

/* Whether @one is too much; then @why says so. */
static bool is_too_much(const struct tally *tally, const struct incident_summary *one, char *why,
			size_t size)
{
	const struct limits *limits = tally->limits;
	uint64_t most = bytes_of(&limits->size, tally->room);
	uint64_t least = bytes_of(&limits->free, tally->room);
	char words[SIZE_WORDS], span[TIME_WORDS];

	if (limits->incidents && tally->incidents > limits->incidents) {
		snprintf(why, size, "there were %zu (KeepIncidents=%u)", tally->incidents,
			 limits->incidents);
		return true;
	}
	double age_s = (double)(tally->now_s - one->onset_s);
	if (limits->age_s && age_s > limits->age_s) {
		word_span(age_s, span);
		snprintf(why, size, "it was %s old (KeepAge=)", span);
		return true;
	}
	if (most && tally->size > most) {
		word_size(tally->size, words);
		snprintf(why, size, "all had %s (KeepSize=)", words);
		return true;
	}
	if (tally->free < least) {
		word_size(tally->free, words);
		snprintf(why, size, "only %s were free (KeepFree=)", words);
		return true;
	}
	return false;
}

static struct error *doom(const struct incident_summary *one, const char *why,
			  struct doomed_list *ret)
{
	struct doomed *place = vector_push(&ret->list);

	if (!place)
		return &error_no_memory;
	place->one = one;
	snprintf(place->why, sizeof(place->why), "%s", why);
	return NULL;
}

/* The newest that has a dump, which incidents that went by by themselves are not to push out; NULL: none has. */
static const struct incident_summary *newest_dump(const struct chosen *own)
{
	for (size_t i = own->list.count; i-- > 0;)
		if (own->list.data[i]->dump == DUMP_PRESENT)
			return own->list.data[i];
	return NULL;
}

static void count(const struct chosen *own, struct tally *tally)
{
	for (size_t i = 0; i < own->list.count; i++) {
		if (own->list.data[i]->kept)
			continue;
		tally->incidents++;
		tally->size += own->list.data[i]->size;
	}
}

struct error *retention_choose(const struct limits *limits, const struct room *room,
			       const struct chosen *own, int64_t now_s, struct doomed_list *ret)
{
	struct tally tally = {
		.limits = limits,
		.room = room,
		.now_s = now_s,
		.free = room->free,
	};
	const struct incident_summary *best = newest_dump(own);
	struct error *err = NULL;
	char why[96];

	*ret = (struct doomed_list){};
	if (!own->list.count || !own->list.data[own->list.count - 1]->complete)
		return NULL;
	count(own, &tally);
	for (size_t i = 0; !err && i + 1 < own->list.count; i++) {
		const struct incident_summary *one = own->list.data[i];
		if (one->kept || one == best || !is_too_much(&tally, one, why, sizeof(why)))
			continue;
		err = doom(one, why, ret);
		tally.incidents--;
		tally.size -= one->size;
		tally.free += one->size;
	}
	if (err)
		doomed_list_deinit(ret);
	return err;
}

void doomed_list_deinit(struct doomed_list *doomed)
{
	vector_deinit(&doomed->list);
	*doomed = (struct doomed_list){};
}
