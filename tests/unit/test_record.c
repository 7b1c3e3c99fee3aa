// SPDX-License-Identifier: GPL-2.0-only
/* The flight record, of this version, of another, torn and hostile. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make_kernel.h"
#include "make_record.h"
#include "state/record.h"
#include "test.h"

/* A record of @nr_slots CPUs that nothing happened on. */
static char *make_record(uint32_t nr_slots, size_t *size_ret)
{
	size_t size = (size_t)(nr_slots + 1) * RECORD_SLOT_SIZE;
	char *data = calloc(1, size);

	assert_non_null(data);
	struct record_header *header = (struct record_header *)data;
	make_record_header(header, nr_slots);
	*size_ret = size;
	return data;
}

static struct record_slot *slot_of(char *data, uint32_t cpu)
{
	return (struct record_slot *)(data + (size_t)(cpu + 1) * RECORD_SLOT_SIZE);
}

static void add_sample(struct record_slot *slot, size_t place, uint64_t number, uint64_t onset_ns)
{
	slot->samples[place].number = slot->samples[place].number_end = number;
	slot->samples[place].onset_ns = onset_ns;
	slot->samples[place].time_ns = onset_ns + number;
}

static void samples_in_order(void **state)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	struct record record;
	size_t size, torn;
	char *data = make_record(2, &size);
	struct record_slot *slot = slot_of(data, 1);

	(void)state;
	slot->onset_ns = 1000;
	add_sample(slot, 0, 5, 1000);
	add_sample(slot, 1, 6, 1000);
	add_sample(slot, 2, 3, 500); /* of the stall before */
	add_sample(slot, RECORD_NR_ONSET, 41, 1000); /* the ring went round */
	add_sample(slot, RECORD_NR_ONSET + 1, 10, 1000);
	add_sample(slot, RECORD_NR_SAMPLES - 1, 40, 1000);
	assert_no_error(record_parse(data, size, &record));
	assert_int_equal(record_samples(record_slot(&record, 1), samples, &torn), 5);
	assert_int_equal(torn, 0);
	static const uint64_t numbers[] = { 5, 6, 10, 40, 41 };
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(samples[i]->number, numbers[i]);
	assert_int_equal(record_samples(record_slot(&record, 0), samples, &torn), 0);
	record_deinit(&record);
}

static void torn_samples(void **state)
{
	const struct record_sample *samples[RECORD_NR_SAMPLES];
	struct record record;
	size_t size, torn;
	char *data = make_record(1, &size);
	struct record_slot *slot = slot_of(data, 0);

	(void)state;
	slot->onset_ns = 1000;
	add_sample(slot, 0, 1, 1000);
	add_sample(slot, 1, 2, 1000);
	slot->samples[1].number_end = 34; /* the crash came in the middle */
	add_sample(slot, 2, 3, 1000);
	slot->samples[2].nr_stack = RECORD_STACK_MAX + 1;
	add_sample(slot, 3, 4, 1000);
	slot->samples[3].nr_stack = UINT32_MAX;
	add_sample(slot, 4, 5, 1000);
	slot->samples[4].nr_stack = RECORD_STACK_MAX;
	memset(slot->samples[4].comm, 'x', sizeof(slot->samples[4].comm));
	slot->samples[5].nr_stack = UINT32_MAX; /* never written, they say */
	assert_no_error(record_parse(data, size, &record));
	size_t count = record_samples(record_slot(&record, 0), samples, &torn);
	assert_int_equal(count, 2);
	assert_int_equal(samples[1]->number, 5);
	assert_int_equal(strlen(samples[1]->comm), 15);
	assert_int_equal(torn, 4);
	record_deinit(&record);
}

static void strings_end(void **state)
{
	struct record record;
	size_t size;
	char *data = make_record(0, &size);
	struct record_header *header = (struct record_header *)data;

	(void)state;
	memset(header->fired_reason, 'a', sizeof(header->fired_reason));
	memset(header->boot_id, 'b', sizeof(header->boot_id));
	memset(header->release, 'c', sizeof(header->release));
	memset(header->incident, 'd', sizeof(header->incident));
	memset(header->tick_hook, 'e', sizeof(header->tick_hook));
	assert_no_error(record_parse(data, size, &record));
	assert_int_equal(strlen(record.header->fired_reason), sizeof(header->fired_reason) - 1);
	assert_int_equal(strlen(record.header->tick_hook), sizeof(header->tick_hook) - 1);
	assert_int_equal(strlen(record.header->release), sizeof(header->release) - 1);
	record_deinit(&record);
}

/* After @count samples, those that have kept their places must be as bpf/record.h says. */
static void what_is_kept(void **state)
{
	uint64_t at[RECORD_NR_SAMPLES];
	enum { COUNT = 600 };

	(void)state;
	memset(at, 0xff, sizeof(at));
	for (uint64_t n = 0; n < COUNT; n++) {
		assert_true(record_place(n) < RECORD_NR_SAMPLES);
		at[record_place(n)] = n;
	}
	bool kept[COUNT] = {};
	for (size_t i = 0; i < RECORD_NR_SAMPLES; i++)
		if (at[i] < COUNT)
			kept[at[i]] = true;
	for (uint64_t n = 0; n < RECORD_NR_ONSET; n++)
		assert_true(kept[n]);
	for (uint64_t n = COUNT - 50; n < COUNT; n++)
		assert_true(kept[n]);
	/* Further back one is never further away than half of the way to the end, and 16. */
	for (uint64_t n = RECORD_NR_ONSET, last = n; n < COUNT; n++) {
		if (kept[n])
			last = n;
		assert_true(n - last <= (COUNT - n) / 2 + 16);
	}
}

static void other_versions(void **state)
{
	struct record record;
	size_t size;
	char *data = make_record(1, &size);

	(void)state;
	((struct record_header *)data)->abi = RECORD_ABI + 1;
	assert_error(record_parse(data, size, &record), ERROR_OTHER,
		     "ABI version 3; this lockdump reads version 2");
	data = make_record(1, &size);
	*data = 'l';
	assert_error(record_parse(data, size, &record), ERROR_OTHER, "no flight record");
}

static void sizes_that_lie(void **state)
{
	static const struct {
		size_t offset;
		uint32_t value;
	} cases[] = {
		{ offsetof(struct record_header, header_size), 0 },
		{ offsetof(struct record_header, header_size), sizeof(struct record_header) + 8 },
		{ offsetof(struct record_header, slot_size), 4096 },
		{ offsetof(struct record_header, sample_size), sizeof(struct record_sample) - 8 },
		{ offsetof(struct record_header, nr_onset), RECORD_NR_ONSET + 1 },
		{ offsetof(struct record_header, nr_ring), UINT32_MAX },
		{ offsetof(struct record_header, nr_slots), 3 },
		{ offsetof(struct record_header, nr_slots), UINT32_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record record;
		size_t size;
		char *data = make_record(2, &size);
		memcpy(data + cases[i].offset, &cases[i].value, 4);
		struct error *err = record_parse(data, size, &record);
		if (!err)
			fail_msg("case %zu is taken", i);
		assert_true(err->class == (i < 6 ? ERROR_CORRUPT : ERROR_MISSING));
		error_destroy(err);
	}
}

static void files(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX";
	struct record record;
	size_t size;
	char *data = make_record(2, &size);
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, data, size), size);
	assert_no_error(record_from_file(path, &record));
	assert_int_equal(record.from, RECORD_FROM_FILE);
	assert_int_equal(record.header->nr_slots, 2);
	assert_memory_equal(record.data, data, size);
	record_deinit(&record);
	/* Cut off everywhere: refused, never read behind its end. */
	for (size_t cut = size; cut; cut -= cut > 4096 ? 4096 : cut > 500 ? 500 : 1) {
		assert_int_equal(ftruncate(fd, cut - 1), 0);
		struct error *err = record_from_file(path, &record);
		assert_non_null(err);
		error_destroy(err);
	}
	assert_int_equal(ftruncate(fd, 8194ll * RECORD_SLOT_SIZE), 0);
	assert_error(record_from_file(path, &record), ERROR_OTHER, "no flight record");
	unlink(path);
	assert_error(record_from_file(path, &record), ERROR_SYSTEM, path);
	assert_error(record_from_file("/tmp", &record), ERROR_OTHER, "not a regular file");
	close(fd);
	free(data);
}

static const char types[] =
	"struct xarray 16 xa_head:ptr@8\n"
	"struct idr 24 idr_rt:xarray@0\n"
	"struct xa_node 576 shift:u8@0 slots:ptr[64]@40\n"
	"struct bpf_map 128 name:char[16]@64 max_entries:u32@36\n"
	"struct bpf_array 320 map:bpf_map@0 elem_size:u32@256 value:char[0]@288\n"
	"symbol map_idr 0xffffffff82800000 D\n symbol nr_cpu_ids 0xffffffff82800100 D\n"
	"at nr_cpu_ids\n u32 2\n at map_idr+8\n u64 0xffff888000002000\n"
	"at 0xffff888000002040\n str lockdump_record\n";

static void out_of_a_vmcore(void **state)
{
	static const struct {
		uint32_t element_size, count;
		const char *says; /* NULL: it is found */
	} cases[] = {
		{ RECORD_SLOT_SIZE, 3, NULL },	      { RECORD_SLOT_SIZE, 2, "cut off" },
		{ 8, 1, "no flight record" },	      { 0, 0, "no flight record" },
		{ UINT32_MAX, UINT32_MAX, "2 CPUs" }, { RECORD_SLOT_SIZE, 4, "2 CPUs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_kernel k;
		struct record record;
		size_t size;
		char *data = make_record(2, &size);
		make_kernel_init(&k);
		make_kernel_text(&k, made_kernel_minimum);
		make_kernel_text(&k, types);
		make_kernel_line(&k, "at 0xffff888000002024\n u32 %u", cases[i].count);
		make_kernel_line(&k, "at 0xffff888000002100\n u32 %u", cases[i].element_size);
		k.dump.poke(&k.dump, 0xffff888000002000 + 288, data, size);
		struct kernel *kernel = make_kernel_open(&k);
		struct error *err = record_from_kernel(kernel, &record);
		if (!cases[i].says) {
			assert_no_error(err);
			assert_int_equal(record.from, RECORD_FROM_VMCORE);
			assert_memory_equal(record.data, data, size);
			record_deinit(&record);
		} else if (!err) {
			fail_msg("case %zu is taken", i);
		} else {
			assert_non_null(strstr(err->message, cases[i].says));
			error_destroy(err);
		}
		kernel_close(kernel);
		make_kernel_deinit(&k);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the samples of the last stall, oldest first", samples_in_order),
		TEST("torn samples, and those with impossible stacks, are left out and counted",
		     torn_samples),
		TEST("strings end within their places", strings_end),
		TEST("a long stall's onset and end are kept, and of what is between the less the older it is",
		     what_is_kept),
		TEST("a record of another ABI version is refused by its name", other_versions),
		TEST("sizes that this version does not have, and CPUs that are not there, are refused",
		     sizes_that_lie),
		TEST("a record.bin is read, and cut off it is refused", files),
		TEST("the record is copied out of the kernel's memory, within bounds",
		     out_of_a_vmcore),
	};
	return RUN_TESTS(tests);
}
