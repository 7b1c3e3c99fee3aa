/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing array: a pointer, how many elements it has, how many it has room for. */
#ifndef LOCKDUMP_VECTOR_H
#define LOCKDUMP_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define VECTOR(type)             \
	struct {                 \
		type *data;      \
		size_t count;    \
		size_t capacity; \
	}

/* Room for one more element; false if there is no memory. */
static inline bool vector_grow(void **data, size_t count, size_t *capacity, size_t element)
{
	if (count < *capacity)
		return true;
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *grown = reallocarray(*data, wanted, element);
	if (!grown)
		return false;
	*data = grown;
	*capacity = wanted;
	return true;
}

/* A pointer to a new last element, whose bytes are not set; NULL if there is no memory. */
#define vector_push(v)                                                                    \
	(vector_grow((void **)&(v)->data, (v)->count, &(v)->capacity, sizeof(*(v)->data)) \
		 ? &(v)->data[(v)->count++]                                               \
		 : NULL)

#define vector_deinit(v) free((v)->data)

#endif
