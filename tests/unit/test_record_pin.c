// SPDX-License-Identifier: GPL-2.0-only
/* The record as it is written, out of a real BPF map with a name. */
#include "test.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "make_bpffs.h"
#include "make_dump.h"
#include "make_record.h"
#include "state/record_pin.h"

#define NR_CPUS 2

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
		munmap(fixture->header, (size_t)RECORD_SLOT_SIZE * (1 + NR_CPUS));
	if (*fixture->bpffs)
		remove_bpffs(fixture->bpffs);
	free(fixture);
	return 0;
}

/* The map's only owner is its name. */
static void pin_record(struct fixture *fixture)
{
	int fd = make_bpf_map(RECORD_SLOT_SIZE, 1 + NR_CPUS);

	fixture->header = mmap(NULL, (size_t)RECORD_SLOT_SIZE * (1 + NR_CPUS),
			       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(fixture->header, MAP_FAILED);
	make_record_header(fixture->header, NR_CPUS);
	make_bpffs(fixture->bpffs);
	snprintf(fixture->path, sizeof(fixture->path), "%s/record", fixture->bpffs);
	assert_int_equal(bpf_obj_pin(fd, fixture->path), 0);
	close(fd);
}

static struct record_slot *slot_of(const struct fixture *fixture, uint32_t cpu)
{
	return (void *)((char *)fixture->header + (size_t)RECORD_SLOT_SIZE * (1 + cpu));
}

static void test_read(void **state)
{
	struct fixture *fixture = *state;
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	struct record record;
	size_t torn;

	pin_record(fixture);
	struct record_slot *slot = slot_of(fixture, 1);
	slot->onset_ns = 1000;
	slot->last_ns = 5000;
	for (int i = 0; i < 3; i++) {
		slot->samples[i].number = slot->samples[i].number_end = i + 1;
		slot->samples[i].onset_ns = 1000;
		slot->samples[i].pid = 100 + i;
	}
	slot->samples[1].number_end = 0; /* is being written */
	assert_no_error(record_from_pin(fixture->path, &record));
	assert_int_equal(record.header->nr_slots, NR_CPUS);
	assert_int_equal(record_slot(&record, 1)->last_ns, 5000);
	assert_int_equal(record_samples(record_slot(&record, 1), samples, &torn), 2);
	assert_int_equal(torn, 1);
	assert_int_equal(samples[1]->pid, 102);
	assert_int_equal(record_slot(&record, 0)->onset_ns, 0);
	record_deinit(&record);

	struct record_header header;
	fixture->header->heartbeat_ns = 4712;
	assert_no_error(record_header_from_pin(fixture->path, &header));
	assert_int_equal(header.heartbeat_ns, 4712);
}

static void test_other_version(void **state)
{
	struct fixture *fixture = *state;
	struct record record;

	pin_record(fixture);
	fixture->header->abi = 4711;
	assert_error(record_from_pin(fixture->path, &record), ERROR_OTHER, "ABI version 4711");

	struct record_header header;
	assert_error(record_header_from_pin(fixture->path, &header), ERROR_CORRUPT,
		     "another version's");
}

static void test_no_record(void **state)
{
	struct fixture *fixture = *state;
	struct record record;
	int fd = make_bpf_map(8, 1);

	make_bpffs(fixture->bpffs);
	snprintf(fixture->path, sizeof(fixture->path), "%s/record", fixture->bpffs);
	assert_error(record_from_pin(fixture->path, &record), ERROR_NOT_FOUND, fixture->path);
	assert_int_equal(bpf_obj_pin(fd, fixture->path), 0);
	close(fd);
	assert_error(record_from_pin(fixture->path, &record), ERROR_CORRUPT, "no flight record");
}

#define PIN_TEST(sentence, function)                      \
	{                                                 \
		sentence, function, setup, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST("the record is copied out of its map, and what is being written is torn",
			 test_read),
		PIN_TEST("one of another version is refused by its number", test_other_version),
		PIN_TEST("where there is none, or something else, the path is named",
			 test_no_record),
	};

	return RUN_TESTS(tests);
}
