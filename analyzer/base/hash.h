/* SPDX-License-Identifier: GPL-2.0-only */
/* FNV-1a of 32 bits: for names, and to tell whether two things are the same where nobody is out to deceive. */
#ifndef LOCKDUMP_HASH_H
#define LOCKDUMP_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 2166136261u

static inline uint32_t hash_add(uint32_t hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}

#endif
