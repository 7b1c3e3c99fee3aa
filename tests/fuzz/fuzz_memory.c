// SPDX-License-Identifier: GPL-2.0-only
/* Page tables: the input is physical memory, whose last eight words are the addresses to read. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define NR_ADDRESSES 8
#define DIRECT_BASE  0xffff888000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	uint64_t addresses[NR_ADDRESSES] = {}, word;
	struct made_memory made;
	uint8_t bytes[3 * PAGE_SIZE];
	char string[5000];
	uint32_t half;
	char *copy;

	if (!base)
		base = fuzz_base_physical();
	if (size < sizeof(addresses) || !fuzz_memory(base, data, size, &made))
		return 0;
	/* As the symbols' reader sets it, of a variable. */
	made.memory.direct_base = DIRECT_BASE;
	memcpy(addresses, data + size - sizeof(addresses), sizeof(addresses));
	for (size_t i = 0; i < NR_ADDRESSES; i++) {
		fuzz_ok(memory_read_u32(&made.memory, addresses[i], &half));
		fuzz_ok(memory_read_u64(&made.memory, addresses[i], &word));
		fuzz_ok(memory_read(&made.memory, addresses[i], bytes, sizeof(bytes)));
		if (fuzz_ok(memory_read_string(&made.memory, addresses[i], string, sizeof(string))))
			fuzz_touch(string, strlen(string) + 1);
		if (fuzz_ok(memory_read_alloc(&made.memory, addresses[i], word, PAGE_SIZE, &copy)))
			free(copy);
	}
	made_memory_close(&made);
	return 0;
}
