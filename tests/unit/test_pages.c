// SPDX-License-Identifier: GPL-2.0-only
/* Memory that nobody shares. */
#include "test.h"

#include <signal.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("after a fork, memory that was made one's own is written without a fault",
		     test_fork),
	};

	return RUN_TESTS(tests);
}
