// SPDX-License-Identifier: GPL-2.0-only
/* The functions of --probe: whether the kernel has them, and their places in the record. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/probes.h"
#include "make_dump.h"

#define NR_CPUS 2

static const char kallsyms[] = "ffffffff81000000 T _stext\n"
			       "ffffffff81000100 t twice\n"
			       "ffffffff81000200 T vfs_read\n"
			       "ffffffff81000300 t twice\n"
			       "ffffffff81000400 t vfs_read.cold\n"
			       "ffffffff82000000 D jiffies\n"
			       "ffffffffc0000000 t hang\t[ldhang]\n"
			       "ffffffffc0001000 t twice\t[ldhang]\n";

static struct error *find(const char *text, const struct probe_names *names, struct probes *ret)
{
	char path[] = "/tmp/lockdump-test.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	struct error *err = probes_find(names, path, ret);
	unlink(path);
	return err;
}

static void are_found(void **state)
{
	struct probe_names names = { .names = { "vfs_read", "hang" }, .count = 2 };
	struct probes probes;

	(void)state;
	assert_no_error(find(kallsyms, &names, &probes));
	assert_int_equal(probes.count, 2);
	assert_string_equal(probes.list[0].name, "vfs_read");
	assert_int_equal(probes.list[0].address, 0xffffffff81000200);
	assert_int_equal(probes.list[1].address, 0xffffffffc0000000);
	names.count = 0;
	assert_no_error(probes_find(&names, "/nowhere", &probes));
	assert_int_equal(probes.count, 0);
}

static void are_hidden(void **state)
{
	struct probe_names names = { .names = { "a" }, .count = 1 };
	struct probes probes;

	(void)state;
	assert_no_error(find("0000000000000000 T _stext\n0000000000000000 T a\n", &names, &probes));
	assert_int_equal(probes.list[0].address, 0);
}

static void refused(const char *name, const char *why)
{
	struct probe_names names = { .names = { "vfs_read", name }, .count = 2 };
	struct probes probes;
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "--probe %s: %s", name, why);
	assert_error(find(kallsyms, &names, &probes),
		     strstr(why, "functions") ? ERROR_OTHER : ERROR_NOT_FOUND, wanted);
}

static void are_refused(void **state)
{
	struct probe_names names = { .names = { "a" }, .count = 1 };
	struct probes probes;

	(void)state;
	refused("vfs", "this kernel has no such function; /proc/kallsyms");
	refused("jiffies", "this kernel has no such function; /proc/kallsyms");
	refused("twice", "3 functions have this name;");
	assert_error(probes_find(&names, "/nowhere", &probes), ERROR_SYSTEM, "--probe: /nowhere: ");
}

static void are_left_out(void **state)
{
	struct probe_names names = { .names = { "twice", "vfs_read", "vfs", "hang" },
				     .count = 4,
				     .optional = true };
	struct probes probes;

	(void)state;
	assert_no_error(find(kallsyms, &names, &probes));
	assert_int_equal(probes.count, 2);
	assert_string_equal(probes.list[0].name, "vfs_read");
	assert_string_equal(probes.list[1].name, "hang");
	assert_int_equal(probes.list[1].address, 0xffffffffc0000000);
}

struct fixture {
	struct recorder recorder;
	struct probes probes;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	fixture->recorder.nr_cpus = NR_CPUS;
	fixture->recorder.record = calloc(1 + NR_CPUS, RECORD_SLOT_SIZE);
	return fixture->recorder.record ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	free(fixture->recorder.record);
	free(fixture);
	return 0;
}

static void place(struct fixture *fixture, const char *const *names, size_t count)
{
	fixture->probes = (struct probes){ .count = count };
	for (size_t i = 0; i < count; i++)
		fixture->probes.list[i].name = names[i];
	probes_place(&fixture->probes, recorder_header(&fixture->recorder));
	probes_enter(&fixture->probes, &fixture->recorder);
}

static struct record_hit *hit_of(struct fixture *fixture, uint32_t cpu, size_t i)
{
	return (struct record_hit *)&recorder_slot(&fixture->recorder, cpu)->hits[i];
}

static void keep_their_places(void **state)
{
	struct fixture *fixture = *state;
	const struct record_header *header = recorder_header(&fixture->recorder);
	const char *const first[] = { "a", "ab" }, *const second[] = { "c", "ab" };

	place(fixture, first, 2);
	assert_int_equal(fixture->probes.list[0].place, 0);
	assert_int_equal(fixture->probes.list[1].place, 1);
	*hit_of(fixture, 1, 3) = (struct record_hit){ .number = 3, .number_end = 3, .probe = 0 };
	place(fixture, second, 2);
	assert_int_equal(fixture->probes.list[0].place, 2);
	assert_int_equal(fixture->probes.list[1].place, 1);
	assert_string_equal(header->probes[0], "a");
	assert_string_equal(header->probes[1], "ab");
	assert_string_equal(header->probes[2], "c");
	assert_int_equal(hit_of(fixture, 1, 3)->number, 3);
}

static void lose_their_places(void **state)
{
	struct fixture *fixture = *state;
	const struct record_header *header = recorder_header(&fixture->recorder);
	const char *const names[] = { "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7",
				      "f8", "f9", "fa", "fb", "fc", "fd", "fe", "ff" };
	const char *const others[] = { "other", "f0" };

	_Static_assert(sizeof(names) / sizeof(names[0]) == RECORD_NR_PROBES, "all places");
	place(fixture, names, RECORD_NR_PROBES);
	for (uint32_t probe = 0; probe < 3; probe++)
		*hit_of(fixture, 1, probe) = (struct record_hit){
			.number = 40 + probe,
			.number_end = 40 + probe,
			.probe = probe,
		};
	place(fixture, others, 2);
	assert_int_equal(fixture->probes.list[0].place, 1);
	assert_int_equal(fixture->probes.list[1].place, 0);
	assert_string_equal(header->probes[1], "other");
	assert_int_equal(hit_of(fixture, 1, 0)->number, 40);
	assert_int_equal(hit_of(fixture, 1, 1)->number, 0);
	assert_int_equal(hit_of(fixture, 1, 1)->number_end, 0);
	assert_int_equal(hit_of(fixture, 1, 2)->number, 42);
}

/* With all 47 bytes a name is still a name. */
static void may_be_long(void **state)
{
	struct fixture *fixture = *state;
	const char *const names[] = { "a23456789012345678901234567890123456789012345bc",
				      "a23456789012345678901234567890123456789012345bd" };

	place(fixture, names, 2);
	place(fixture, names + 1, 1);
	assert_int_equal(fixture->probes.list[0].place, 1);
	assert_string_equal(recorder_header(&fixture->recorder)->probes[1], names[1]);
}

#define PLACE_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("functions of the kernel and of its modules are found", are_found),
		TEST("one whose address is hidden is found by its name", are_hidden),
		TEST("a name of no function, or of several, is refused, and said", are_refused),
		TEST("of the configuration it is left out", are_left_out),
		PLACE_TEST(
			"who was probed before keeps its place, and who is not any more its name",
			keep_their_places),
		PLACE_TEST(
			"without a free place one who is not probed any more goes, with its hits",
			lose_their_places),
		PLACE_TEST("a name may have 47 characters", may_be_long),
	};

	return RUN_TESTS(tests);
}
