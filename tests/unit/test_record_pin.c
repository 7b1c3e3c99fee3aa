// SPDX-License-Identifier: GPL-2.0-only
/* The record as it is written, out of a real BPF map with a name. */
#include "test.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include "make_dump.h"
#include "make_pinned_record.h"
#include "state/record_pin.h"

#define NR_CPUS 2

static struct record_slot *slot_of(const struct made_pinned_record *fixture, uint32_t cpu)
{
	return (void *)((char *)fixture->header + (size_t)RECORD_SLOT_SIZE * (1 + cpu));
}

static void test_read(void **state)
{
	struct made_pinned_record *fixture = *state;
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	struct record record;
	size_t torn;

	make_pinned_record(fixture, NR_CPUS);
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
	struct made_pinned_record *fixture = *state;
	struct record record;

	make_pinned_record(fixture, NR_CPUS);
	fixture->header->abi = 4711;
	assert_error(record_from_pin(fixture->path, &record), ERROR_OTHER, "ABI version 4711");

	struct record_header header;
	assert_error(record_header_from_pin(fixture->path, &header), ERROR_CORRUPT,
		     "another version's");
}

static void test_no_record(void **state)
{
	struct made_pinned_record *fixture = *state;
	struct record record;
	int fd = make_bpf_map(8, 1);

	make_pinned_record_folder(fixture);
	assert_error(record_from_pin(fixture->path, &record), ERROR_NOT_FOUND, fixture->path);
	assert_int_equal(bpf_obj_pin(fd, fixture->path), 0);
	close(fd);
	assert_error(record_from_pin(fixture->path, &record), ERROR_CORRUPT, "no flight record");
}

#define PIN_TEST(sentence, function) \
	TEST_WITH(sentence, function, make_pinned_record_setup, make_pinned_record_teardown)

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
