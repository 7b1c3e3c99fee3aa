// SPDX-License-Identifier: GPL-2.0-only
/* What a watch that was killed has left, and whether this one can go on with it. */
#include "test.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/header.h"
#include "capture/legacy.h"
#include "make_bpffs.h"
#include "make_dump.h"
#include "make_record.h"

#define NR_CPUS 2
#define SIZE	((size_t)RECORD_SLOT_SIZE * (1 + NR_CPUS))
#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"

static struct record_header *make_map(void)
{
	struct record_header *header = calloc(1, SIZE);

	make_record_header(header, NR_CPUS);
	strcpy(header->boot_id, BOOT_ID);
	return header;
}

static void test_own(void **state)
{
	struct record_header *header = make_map();

	(void)state;
	assert_no_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID));
	free(header);
}

static void test_others(void **state)
{
	struct record_header *header = make_map();

	(void)state;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE,
				  "ffffffff-4567-89ab-cdef-0123456789ab"),
		     ERROR_OTHER, "is of another boot");
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE / 2, BOOT_ID), ERROR_OTHER,
		     "has other sizes");
	assert_error(legacy_check(header, SIZE - RECORD_SLOT_SIZE, RECORD_SLOT_SIZE, BOOT_ID),
		     ERROR_OTHER, "has other sizes");
	header->sample_size++;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "has other sizes");
	header->abi = 4711;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "is of ABI version 4711, not ");
	header->magic[0] = 0;
	assert_error(legacy_check(header, SIZE, RECORD_SLOT_SIZE, BOOT_ID), ERROR_OTHER,
		     "is not whole");
	assert_error(legacy_check(header, 16, 16, BOOT_ID), ERROR_OTHER, "is not whole");
	free(header);
}

static void test_attended(void **state)
{
	struct record_header before = {
		.threshold_ns = 10 * NS_PER_SEC,
		.heartbeat_ns = 100 * NS_PER_SEC,
	};

	(void)state;
	assert_true(legacy_attended(&before, 50 * NS_PER_SEC));
	assert_false(legacy_attended(&before, 95 * NS_PER_SEC));
	assert_false(legacy_attended(&before, 101 * NS_PER_SEC));
}

/* As a watch leaves them: a record, and a hook, which is another map here. */
static void leave(char *bpffs, uint32_t abi, struct pins *pins)
{
	int fd = make_bpf_map(RECORD_SLOT_SIZE, 1 + NR_CPUS);
	char path[2 * PIN_PATH_SIZE];
	struct record_header *header = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct record_slot *slot = (void *)((char *)header + 2 * (size_t)RECORD_SLOT_SIZE);

	assert_ptr_not_equal(header, MAP_FAILED);
	make_bpffs(bpffs);
	assert_no_error(pins_open(bpffs, pins));
	make_record_header(header, NR_CPUS);
	assert_no_error(header_boot_id(header->boot_id, sizeof(header->boot_id)));
	header->abi = abi;
	header->threshold_ns = 3 * NS_PER_SEC;
	slot->onset_ns = now_ns() - 5 * NS_PER_SEC;
	slot->wanted_ns = slot->onset_ns + 1;
	slot->last_ns = now_ns();
	munmap(header, SIZE);
	snprintf(path, sizeof(path), "%s/" PIN_RECORD, pins->dir);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	snprintf(path, sizeof(path), "%s/" PIN_HOOK "0123-tick", pins->dir);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
}

static void test_found(void **state)
{
	char bpffs[BPFFS_PATH_SIZE];
	struct legacy legacy;
	struct pins pins;

	(void)state;
	leave(bpffs, RECORD_ABI, &pins);
	assert_no_error(legacy_find(&pins, "/nonexistent", NS_PER_SEC, &legacy));
	assert_true(legacy.map_fd >= 0);
	assert_int_equal(legacy.header.threshold_ns, 3 * NS_PER_SEC);
	assert_true(legacy.stuck);
	legacy_deinit(&legacy);
	remove_bpffs(bpffs);
}

/* The stall is over, but CPU 0 sees that its neighbour takes no interrupts. */
static void test_deaf(void **state)
{
	char bpffs[BPFFS_PATH_SIZE];
	struct legacy legacy;
	struct pins pins;

	(void)state;
	leave(bpffs, RECORD_ABI, &pins);
	int fd = pin_get(&pins, PIN_RECORD);
	char *map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	close(fd);
	struct record_slot *slots[] = { (void *)(map + RECORD_SLOT_SIZE),
					(void *)(map + 2 * (size_t)RECORD_SLOT_SIZE) };
	slots[1]->end_ns = now_ns();
	assert_no_error(legacy_find(&pins, "/nonexistent", NS_PER_SEC, &legacy));
	assert_false(legacy.stuck);
	legacy_deinit(&legacy);
	slots[0]->deaf[0] = (struct record_deaf){
		.cpu = 1,
		.since_ns = now_ns() - 2 * NS_PER_SEC,
		.last_ns = now_ns(),
	};
	assert_no_error(legacy_find(&pins, "/nonexistent", NS_PER_SEC, &legacy));
	assert_true(legacy.stuck);
	legacy_deinit(&legacy);
	munmap(map, SIZE);
	remove_bpffs(bpffs);
}

static bool count(const char *name, void *arg)
{
	(void)name;
	++*(int *)arg;
	return true;
}

static void test_replaced(void **state)
{
	char bpffs[BPFFS_PATH_SIZE], store[] = "/tmp/lockdump-test.XXXXXX", command[256];
	struct legacy legacy;
	struct pins pins;
	int names = 0;

	(void)state;
	leave(bpffs, 4711, &pins);
	assert_non_null(mkdtemp(store));
	assert_no_error(legacy_find(&pins, store, NS_PER_SEC, &legacy));
	assert_true(legacy.map_fd < 0);
	pin_each(&pins, "", count, &names);
	assert_int_equal(names, 0);
	/* One incident, whose record is the whole map. */
	snprintf(command, sizeof(command), "test $(stat -c %%s %s/*/record.bin) = %zu && rm -r %s",
		 store, SIZE, store);
	assert_int_equal(system(command), 0);
	remove_bpffs(bpffs);
}

/* Somebody's, by that name. */
static void test_foreign(void **state)
{
	char bpffs[BPFFS_PATH_SIZE], path[256];
	struct legacy legacy;
	struct pins pins;
	int names = 0;

	(void)state;
	make_bpffs(bpffs);
	assert_no_error(pins_open(bpffs, &pins));
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(uint32_t), 8, 1, NULL);
	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/" PIN_RECORD, pins.dir);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	close(fd);
	assert_no_error(legacy_find(&pins, "/nonexistent", NS_PER_SEC, &legacy));
	assert_true(legacy.map_fd < 0);
	pin_each(&pins, "", count, &names);
	assert_int_equal(names, 0);
	remove_bpffs(bpffs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a record of this version, this machine and this boot goes on", test_own),
		TEST("any other does not, and is told why", test_others),
		TEST("a stall that was past the threshold before the watch died was attended to",
		     test_attended),
		TEST("what is pinned is found, and whether a CPU is stuck", test_found),
		TEST("so is that one takes no interrupts, by its neighbour", test_deaf),
		TEST("what is no record at all is unpinned", test_foreign),
		TEST("the record of another version is kept as an incident, and unpinned",
		     test_replaced),
	};

	return RUN_TESTS(tests);
}
