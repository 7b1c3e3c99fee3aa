// SPDX-License-Identifier: GPL-2.0-only
/*
 * A signature is the same for the same bug on another boot and in another
 * build: names of functions go into it, no address, no offset, no CPU, no
 * pid; and not the suffixes that a compiler gives to the parts and copies that
 * it makes (.cold, .constprop.0, .isra.0, .part.0).
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "verdict/verdict.h"

#define SIGNED_FRAMES 5

static uint32_t mix(uint32_t hash, const char *s, size_t len)
{
	return hash_add(hash_add(hash, s, len), "\xff", 1);
}

void verdict_sign(struct verdict *verdict, struct kernel *kernel, const struct stack *stack)
{
	uint32_t hash = mix(HASH_START, verdict->kind, strlen(verdict->kind));
	unsigned int count = 0;

	for (size_t i = 0; i < stack->frames.count && count < SIGNED_FRAMES; i++) {
		const struct frame *frame = &stack->frames.data[i];
		struct symbol symbol =
			symbols_lookup(&kernel->symbols, frame->pc - !frame->interrupted);
		if (frame->section == SECTION_USER || !symbol.name)
			continue;
		if (!count && verdict->function && strcmp(symbol.name, verdict->function))
			continue;
		hash = mix(hash, symbol.name, strcspn(symbol.name, "."));
		count++;
	}
	snprintf(verdict->signature, sizeof(verdict->signature), "%s-%08x", verdict->kind, hash);
}
