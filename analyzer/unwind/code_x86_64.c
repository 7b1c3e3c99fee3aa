// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/code_x86_64.h"

#include <string.h>

/* Bytes of an immediate operand, which may stand between a displacement and the end of the instruction. */
static const uint8_t immediates[] = { 0, 1, 2, 4 };
#define MAX_IMMEDIATE 4

/*
 * An address in code is four bytes: sign-extended, or from the end of the
 * instruction on. Where instructions begin need not be known: that four bytes
 * mean just this address by chance happens once in a billion.
 */
bool code_mentions_x86_64(const uint8_t *code, size_t size, uint64_t at, uint64_t address)
{
	for (size_t i = 0; i + 4 <= size; i++) {
		int32_t operand;
		memcpy(&operand, code + i, sizeof(operand));
		if ((uint64_t)(int64_t)operand == address)
			return true;
		/* What is left is the immediate: few have any that fits, and this is a hot loop. */
		uint64_t rest = address - (at + i + 4) - (uint64_t)(int64_t)operand;
		for (size_t j = 0; rest <= MAX_IMMEDIATE && j < sizeof(immediates); j++)
			if (rest == immediates[j])
				return true;
	}
	return false;
}
