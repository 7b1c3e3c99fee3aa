// SPDX-License-Identifier: GPL-2.0-only
#include "dump/extents.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/search.h"

bool extents_add(struct extents *extents, uint64_t start, uint64_t size, uint64_t at)
{
	struct extent *extent = size ? vector_push(&extents->list) : NULL;

	if (extent)
		*extent = (struct extent){ start, start + size, at };
	return extent || !size;
}

static bool is_sorted(const struct extent *list, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (list[i].start < list[i - 1].end)
			return false;
	return true;
}

/* Merges sorted @below and @above into @ret, where @above wins. */
static size_t overlay(const struct extent *below, size_t nr_below, const struct extent *above,
		      size_t nr_above, struct extent *ret)
{
	const struct extent *below_end = below + nr_below, *above_end = above + nr_above;
	struct extent *to = ret;
	uint64_t covered = 0; /* up to there @above has been taken */

	while (below < below_end) {
		struct extent rest = *below;
		if (rest.start < covered && rest.end > covered) {
			rest.at += covered - rest.start;
			rest.start = covered;
		}
		if (rest.end <= covered) {
			below++;
		} else if (above == above_end || rest.end <= above->start) {
			*to++ = rest;
			below++;
		} else {
			if (rest.start < above->start)
				*to++ = (struct extent){ rest.start, above->start, rest.at };
			*to++ = *above;
			covered = above++->end;
		}
	}
	memcpy(to, above, (above_end - above) * sizeof(*to));
	return to - ret + (above_end - above);
}

/*
 * A merge sort in which later extents cover earlier ones. Out of @count come
 * less than twice as many, whose ends are ends of theirs: that is the room
 * which @ret and @scratch must have.
 */
static size_t resolve(const struct extent *list, size_t count, struct extent *ret,
		      struct extent *scratch)
{
	size_t half = count / 2;

	if (is_sorted(list, count)) {
		memcpy(ret, list, count * sizeof(*list));
		return count;
	}
	size_t first = resolve(list, half, scratch, ret);
	size_t second = resolve(list + half, count - half, scratch + 2 * half, ret + 2 * half);
	return overlay(scratch, first, scratch + 2 * half, second, ret);
}

struct error *extents_finish(struct extents *extents)
{
	size_t count = extents->list.count;

	if (is_sorted(extents->list.data, count))
		return NULL;
	_cleanup_free_ struct extent *scratch = reallocarray(NULL, 2 * count, sizeof(*scratch));
	struct extent *sorted = reallocarray(NULL, 2 * count, sizeof(*sorted));
	if (!scratch || !sorted) {
		free(sorted);
		return &error_no_memory;
	}
	count = resolve(extents->list.data, count, sorted, scratch);
	free(extents->list.data);
	extents->list.data = sorted;
	extents->list.count = extents->list.capacity = count;
	struct extent *smaller = reallocarray(sorted, count, sizeof(*sorted));
	if (smaller)
		extents->list.data = smaller;
	return NULL;
}

const struct extent *extents_find(const struct extents *extents, uint64_t position)
{
	size_t i = search_upto(extents->list.data, extents->list.count, end, position);

	return i < extents->list.count ? &extents->list.data[i] : NULL;
}

void extents_deinit(struct extents *extents)
{
	vector_deinit(&extents->list);
}
