// SPDX-License-Identifier: GPL-2.0-only
/* Hits as --print has them. The record is plain memory. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/hits.h"
#include "make_dump.h"

#define NR_CPUS 2
#define TITLE	"TIME(s)        COMM            PID     MESSAGE\n"
#define CALLER	0xffffffff8100011c

static const char kallsyms[] = "ffffffff81000100 T do_read\n"
			       "ffffffff81000140 T do_write\n"
			       "ffffffff81000200 T _etext\n";

struct fixture {
	char path[32];
	struct recorder recorder;
	struct hits hits;
	char said[16384];
	char told[1024];
};

static void write_kallsyms(struct fixture *fixture)
{
	strcpy(fixture->path, "/tmp/lockdump-test.XXXXXX");
	int fd = mkstemp(fixture->path);

	assert_true(fd >= 0 && write(fd, kallsyms, strlen(kallsyms)) == (ssize_t)strlen(kallsyms));
	close(fd);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct recorder *recorder = &fixture->recorder;

	*state = fixture;
	write_kallsyms(fixture);
	recorder->nr_cpus = NR_CPUS;
	recorder->record = calloc(1 + NR_CPUS, RECORD_SLOT_SIZE);
	strcpy(recorder_header(recorder)->probes[0], "vfs_read");
	strcpy(recorder_header(recorder)->probes[1], "vfs_write");
	return hits_init(recorder, 0, fixture->path, &fixture->hits) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hits_deinit(&fixture->hits);
	free(fixture->recorder.record);
	unlink(fixture->path);
	free(fixture);
	return 0;
}

static struct record_slot *slot_of(const struct fixture *fixture, uint32_t cpu)
{
	return (struct record_slot *)recorder_slot(&fixture->recorder, cpu);
}

/* The next hit of a CPU, at a time in ms. */
static struct record_hit *hit(const struct fixture *fixture, uint32_t cpu, uint64_t ms)
{
	struct record_slot *slot = slot_of(fixture, cpu);
	uint64_t number = ++slot->last_hit;
	struct record_hit *place = &slot->hits[number % RECORD_NR_HITS];

	*place = (struct record_hit){
		.number = number,
		.time_ns = ms * NS_PER_MS,
		.args = { 1, 0xabc, number },
		.caller = CALLER,
		.probe = cpu,
		.pid = 100 + cpu,
		.comm = "cat",
		.number_end = number,
	};
	return place;
}

static size_t take(FILE *file, char *ret, size_t size)
{
	rewind(file);
	size_t length = fread(ret, 1, size - 1, file);
	ret[length] = '\0';
	fclose(file);
	return length;
}

/* One look: what is printed, and what is told on stderr. */
static void look_at(struct fixture *fixture, bool last)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int copy = dup(STDERR_FILENO);

	dup2(fileno(err), STDERR_FILENO);
	struct error *failure = hits_print(&fixture->hits, last, out);
	dup2(copy, STDERR_FILENO);
	close(copy);
	take(out, fixture->said, sizeof(fixture->said));
	take(err, fixture->told, sizeof(fixture->told));
	assert_no_error(failure);
}

static size_t nr_lines(const char *text)
{
	size_t count = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		count++;
	}
	return count;
}

static void are_printed(void **state)
{
	struct fixture *fixture = *state;

	look_at(fixture, false);
	assert_string_equal(fixture->said, "");
	hit(fixture, 0, 1500);
	hit(fixture, 1, 1250)->caller = 0xffffffff81000140; /* where a call ends do_read() */
	hit(fixture, 0, 2000)->caller = 0;
	look_at(fixture, false);
	assert_string_equal(
		fixture->said, TITLE
		"1.250000       cat             101     vfs_write(0x1, 0xabc, 0x1) from do_read+0x40/0x40 on CPU 1\n"
		"1.500000       cat             100     vfs_read(0x1, 0xabc, 0x1) from do_read+0x1c/0x40 on CPU 0\n"
		"2.000000       cat             100     vfs_read(0x1, 0xabc, 0x2) on CPU 0\n");
	assert_string_equal(fixture->told, "");
	look_at(fixture, false);
	assert_string_equal(fixture->said, "");
	hit(fixture, 1, 3000)->caller = 0xffffffff81000144;
	look_at(fixture, false);
	assert_string_equal(
		fixture->said,
		"3.000000       cat             101     vfs_write(0x1, 0xabc, 0x2) from do_write+0x4/0xc0 on CPU 1\n");
}

static void may_have_no_names(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	hit(fixture, 0, 1);
	look_at(fixture, false);
	assert_non_null(strstr(fixture->said, " from 0xffffffff8100011c on CPU 0\n"));
}

static void are_clean(void **state)
{
	struct fixture *fixture = *state;

	memcpy(hit(fixture, 0, 1)->comm, "x\x1b[2J\nroot ok!!!", 16);
	hit(fixture, 0, 2)->probe = 77;
	look_at(fixture, false);
	assert_non_null(strstr(fixture->said, " x?[2J?root ok!! 100 "));
	assert_non_null(strstr(fixture->said, " ?(0x1, 0xabc, 0x2) "));
	assert_null(strchr(fixture->said, '\x1b'));
	assert_int_equal(nr_lines(fixture->said), 3);
}

static void are_lost(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < RECORD_NR_HITS; i++)
		hit(fixture, 0, i + 1);
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), 1 + RECORD_NR_HITS);
	assert_string_equal(fixture->told, "");
	for (int i = 0; i < RECORD_NR_HITS + 5; i++)
		hit(fixture, 0, i + 100);
	hit(fixture, 1, 1);
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), RECORD_NR_HITS + 1);
	assert_string_equal(fixture->told,
			    "lockdump: --probe: 5 hits came too fast to be printed\n");
	/* Not again within a second, but at the end. */
	for (int i = 0; i < RECORD_NR_HITS + 1; i++)
		hit(fixture, 0, i + 200);
	look_at(fixture, false);
	assert_string_equal(fixture->told, "");
	look_at(fixture, true);
	assert_string_equal(fixture->said, "");
	assert_string_equal(fixture->told,
			    "lockdump: --probe: 1 hit came too fast to be printed\n");
}

static void are_torn(void **state)
{
	struct fixture *fixture = *state;

	hit(fixture, 0, 1);
	struct record_hit *torn = hit(fixture, 0, 2);
	torn->number_end = 0;
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), 2);
	look_at(fixture, false);
	assert_string_equal(fixture->said, "");
	torn->number_end = torn->number;
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), 1);

	/* The number is counted, and nothing is written yet. */
	slot_of(fixture, 0)->last_hit++;
	look_at(fixture, false);
	assert_string_equal(fixture->said, "");
	/* Another one is in its place before it was read. */
	slot_of(fixture, 0)->last_hit--;
	torn = hit(fixture, 0, 3);
	torn->number += RECORD_NR_HITS;
	hit(fixture, 0, 4);
	look_at(fixture, true);
	assert_int_equal(nr_lines(fixture->said), 1);
	assert_non_null(strstr(fixture->said, "0.004000 "));
	assert_string_equal(fixture->told,
			    "lockdump: --probe: 1 hit came too fast to be printed\n");
}

/* While the CPUs are looked at one after the other more come. */
static void are_left_to_the_next_look(void **state)
{
	struct fixture *fixture = *state;
	uint64_t later_ms = now_ns() / NS_PER_MS + 300;

	hit(fixture, 0, 1);
	hit(fixture, 0, later_ms);
	hit(fixture, 1, 2);
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), 3);
	while (now_ns() < later_ms * NS_PER_MS)
		usleep(10000);
	look_at(fixture, false);
	assert_int_equal(nr_lines(fixture->said), 1);
}

static void are_not_told_again(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < RECORD_NR_HITS + 3; i++)
		hit(fixture, 0, i);
	hit(fixture, 1, 40);
	hit(fixture, 1, 41);
	hits_deinit(&fixture->hits);
	assert_no_error(
		hits_init(&fixture->recorder, 41 * NS_PER_MS, fixture->path, &fixture->hits));
	look_at(fixture, true);
	assert_int_equal(nr_lines(fixture->said), 4);
	assert_null(strstr(fixture->said, "0.040000 "));
	assert_string_equal(fixture->told, "");
}

/* Each has its own caller: more than are remembered, twice. */
static void have_many_callers(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 2 * HITS_MAX_CALLERS; i++) {
		hit(fixture, 0, i)->caller = 0xffffffff90000000 + i;
		hit(fixture, 1, i)->caller = CALLER;
		look_at(fixture, false);
		assert_non_null(strstr(fixture->said, "do_read+0x1c/0x40 on CPU 1"));
	}
}

static void are_not_wanted(void **state)
{
	struct hits none = {};

	(void)state;
	assert_no_error(hits_print(&none, true, stdout));
	hits_deinit(&none);
}

#define HITS_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HITS_TEST("hits of all CPUs are printed once, by time, with their callers",
			  are_printed),
		HITS_TEST("without the kernel's symbols callers are addresses", may_have_no_names),
		HITS_TEST("a task's name does not steer the terminal", are_clean),
		HITS_TEST("how many the ring did not keep is told, once a second at most",
			  are_lost),
		HITS_TEST("one that is being written is printed when it is whole", are_torn),
		HITS_TEST("one that comes while it is looked is left to the next look",
			  are_left_to_the_next_look),
		HITS_TEST("those of a watch before are not printed again", are_not_told_again),
		HITS_TEST("callers have their names however many there are", have_many_callers),
		TEST("where none are wanted nothing is done", are_not_wanted),
	};

	return RUN_TESTS(tests);
}
