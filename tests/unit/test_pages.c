// SPDX-License-Identifier: GPL-2.0-only
/* Memory that nobody shares. */
#include "test.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/pages.h"

#define NR_PAGES 256

static long faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

/* How many faults it takes to write to all of @memory. */
static long write_all(volatile char *memory, size_t page)
{
	long before = faults();

	for (size_t i = 0; i < NR_PAGES; i++)
		memory[i * page]++;
	return faults() - before;
}

static void test_fork(void **state)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, NR_PAGES * page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	madvise(memory, NR_PAGES * page, MADV_NOHUGEPAGE);
	write_all(memory, page);
	pid_t child = fork();
	if (!child) {
		for (;;)
			pause();
	}
	assert_true(child > 0);
	pages_own();
	assert_true(write_all(memory, page) < NR_PAGES / 10);
	for (size_t i = 0; i < NR_PAGES; i++)
		assert_int_equal(memory[i * page], 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);

	/* Without it each page would have been copied now. */
	child = fork();
	if (!child) {
		for (;;)
			pause();
	}
	assert_true(write_all(memory, page) >= NR_PAGES);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(memory, NR_PAGES * page);
}

/* Else who frees a large block waits for the deaf CPU, too. */
static void test_keep(void **state)
{
	const size_t size = 4 << 20;
	unsigned char there;

	(void)state;
	pages_keep();
	char *block = malloc(size);
	assert_non_null(block);
	char *page = (char *)(((uintptr_t)block + size / 2) & ~4095ul);
	memset(block, 1, size);
	free(block);
	assert_int_equal(mincore(page, 4096, &there), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("after a fork, memory that was made one's own is written without a fault",
		     test_fork),
		TEST("what is freed stays mapped", test_keep),
	};

	return RUN_TESTS(tests);
}
