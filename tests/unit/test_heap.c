// SPDX-License-Identifier: GPL-2.0-only
/* Nothing goes back to the kernel. */
#include "test.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/heap.h"

static void test_kept(void **state)
{
	(void)state;
	heap_keep(64 << 10);
	size_t mapped = mallinfo2().hblks;
	char *large = malloc(4 << 20);
	assert_non_null(large);
	assert_int_equal(mallinfo2().hblks, mapped);
	void *end = sbrk(0);
	free(large);
	assert_ptr_equal(sbrk(0), end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what is freed stays, however much it is", test_kept),
	};

	return RUN_TESTS(tests);
}
