// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/code_x86_64.h"

#include <string.h>

/* Bytes of an immediate operand, which may stand between a displacement and the end of the instruction. */
static const unsigned int immediates[] = { 0, 1, 2, 4 };

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
		uint64_t distance = address - (at + i + 4);
		for (size_t j = 0; j < sizeof(immediates) / sizeof(immediates[0]); j++)
			if (distance - immediates[j] == (uint64_t)(int64_t)operand)
				return true;
	}
	return false;
}
