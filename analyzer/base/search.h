/* SPDX-License-Identifier: GPL-2.0-only */
/* Search by halves in a sorted array. */
#ifndef LOCKDUMP_SEARCH_H
#define LOCKDUMP_SEARCH_H

#include <stddef.h>

/*
 * How many of the first @count elements of @array, which are in the order of @member, have one of at most @key: the
 * number of the first that has more, and one more than the number of the last that has not.
 */
#define search_upto(array, count, member, key)                                              \
	({                                                                                  \
		size_t search_low = 0, search_high = (count);                               \
		while (search_low < search_high) {                                          \
			size_t search_middle = search_low + (search_high - search_low) / 2; \
			if ((array)[search_middle].member <= (key))                         \
				search_low = search_middle + 1;                             \
			else                                                                \
				search_high = search_middle;                                \
		}                                                                           \
		search_low;                                                                 \
	})

#endif
