// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's trigger is asked to fire by a real BPF map with a name, behind which no program is. */
#include "test.h"

#include <bpf/bpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/kernel_drill.h"
#include "make_bpffs.h"
#include "make_dump.h"
#include "make_record.h"

struct fixture {
	char bpffs[BPFFS_PATH_SIZE];
	char path[96];
	struct record_header *header; /* the map's memory */
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->header)
		munmap(fixture->header, RECORD_SLOT_SIZE);
	if (*fixture->bpffs)
		remove_bpffs(fixture->bpffs);
	free(fixture);
	return 0;
}

static void pin_record(struct fixture *fixture)
{
	int fd = make_bpf_map(RECORD_SLOT_SIZE, 2);

	fixture->header = mmap(NULL, RECORD_SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(fixture->header, MAP_FAILED);
	make_record_header(fixture->header, 1);
	make_bpffs(fixture->bpffs);
	snprintf(fixture->path, sizeof(fixture->path), "%s/record", fixture->bpffs);
	assert_int_equal(bpf_obj_pin(fd, fixture->path), 0);
	close(fd);
}

static void test_unarmed(void **state)
{
	struct fixture *fixture = *state;
	struct record_header *header;

	pin_record(fixture);
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_OTHER, "is not armed");
	fixture->header->armed = RECORD_ARMED;
	fixture->header->abi++;
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_CORRUPT, "another version's");
}

static void test_no_record(void **state)
{
	struct fixture *fixture = *state;
	struct record_header *header;

	make_bpffs(fixture->bpffs);
	snprintf(fixture->path, sizeof(fixture->path), "%s/record", fixture->bpffs);
	assert_error(kernel_drill_open(fixture->path, &header), ERROR_NOT_FOUND, "no trigger");
}

/* As the program in the kernel does. */
static void *take_request(void *arg)
{
	struct record_header *header = arg;

	for (int i = 0; i < 1000 && !__atomic_load_n(&header->drill, __ATOMIC_SEQ_CST); i++)
		usleep(1000);
	return (void *)(uintptr_t)header->drill;
}

static void test_asked(void **state)
{
	struct fixture *fixture = *state;
	struct record_header *header;
	pthread_t thread;
	void *asked;

	pin_record(fixture);
	fixture->header->armed = RECORD_ARMED;
	assert_no_error(kernel_drill_open(fixture->path, &header));
	assert_int_equal(pthread_create(&thread, NULL, take_request, fixture->header), 0);
	kernel_drill_fire(header, 1);
	pthread_join(thread, &asked);
	assert_non_null(asked);
	assert_int_equal(fixture->header->drill, 0);
	kernel_drill_close(header);
}

#define PIN_TEST(sentence, function)                      \
	{                                                 \
		sentence, function, setup, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST("a trigger that is not armed is not asked, nor another version's",
			 test_unarmed),
		PIN_TEST("nor one that is not there", test_no_record),
		PIN_TEST("one that is armed is asked, and not for ever", test_asked),
	};

	return RUN_TESTS(tests);
}
