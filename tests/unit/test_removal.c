// SPDX-License-Identifier: GPL-2.0-only
/* Incidents are removed whole, and not those that are kept or being written. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/removal.h"
#include "make_dump.h"
#include "make_store.h"

#define A      "20260101T000000Z-0123abcd"
#define HIDDEN "." A ".removed"

static struct incident_summary one = { .id = A, .has_manifest = true };

/* How many names are in the store. */
static size_t count(const struct store *store)
{
	DIR *dir = opendir(store->path);
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void run(const struct store *store, const char *format)
{
	char command[512];

	snprintf(command, sizeof(command), format, store->path);
	assert_int_equal(system(command), 0);
}

static void test_whole(void **state)
{
	const struct store *store = *state;

	store_add(store, A, "vmcore", "x");
	run(store, "cd %s/" A
		   " && mkdir -p onset/deep && touch onset/deep/x && mkfifo fifo && ln -s / root"
		   " && touch '.hidden' \"$(printf '\\033[2J')\"");
	assert_no_error(removal_remove(store->path, &one));
	assert_int_equal(count(store), 0);
	assert_error(removal_remove(store->path, &one), ERROR_SYSTEM, A);
}

static void test_no_way_out(void **state)
{
	const struct store *store = *state;

	store_add(store, "20260101T000001Z-0123abcd", "vmcore", "x");
	run(store, "cd %s && ln -s 20260101T000001Z-0123abcd " A);
	assert_error(removal_remove(store->path, &one), ERROR_SYSTEM, A);
	run(store,
	    "cd %s && rm " A " && mkdir " A " && ln -s ../20260101T000001Z-0123abcd " A "/onset");
	assert_no_error(removal_remove(store->path, &one));
	run(store, "test -s %s/20260101T000001Z-0123abcd/vmcore");
}

static void test_deep(void **state)
{
	const struct store *store = *state;

	run(store, "mkdir -p %s/" A "/$(printf 'x/%%.0s' $(seq 200))");
	assert_error(removal_remove(store->path, &one), ERROR_OTHER, "too deep");
	/* It is no incident any more. */
	run(store, "test ! -e %s/" A);
	run(store, "rm -r %s/" HIDDEN);
}

static void test_kept(void **state)
{
	const struct store *store = *state;

	store_add(store, A, "keep", "");
	assert_error(removal_remove(store->path, &one), ERROR_OTHER, "--no-keep " A);
	assert_int_equal(count(store), 1);
}

static void test_held(void **state)
{
	const struct store *store = *state;
	struct incident incident;

	store_add(store, A, "vmcore", "x");
	assert_no_error(incident_open(store->path, A, &incident));
	incident_hold(&incident);
	assert_error(removal_remove(store->path, &one), ERROR_OTHER, "somebody is writing it");
	incident_close(&incident);
	assert_no_error(removal_remove(store->path, &one));
}

static void test_created_is_held(void **state)
{
	const struct store *store = *state;
	struct incident incident;

	assert_no_error(incident_create(store->path, 1767225600, "0123abcd-", &incident));
	assert_error(removal_remove(store->path, &one), ERROR_OTHER, "somebody is writing it");
	incident_close(&incident);
}

static void test_leftovers(void **state)
{
	const struct store *store = *state;

	store_add(store, A, "vmcore", "new");
	run(store, "cd %s && mkdir -p " HIDDEN "/onset .removed .x.removed ." A " && touch " HIDDEN
		   "/vmcore");
	removal_finish(store->path);
	assert_int_equal(count(store), 4);
	run(store, "test ! -e %s/" HIDDEN);
	run(store, "mkdir -p %s/" HIDDEN "/x/y");
	assert_no_error(removal_remove(store->path, &one));
	assert_int_equal(count(store), 3);
}

int main(void)
{
#define REMOVAL_TEST(sentence, function)                           \
	{                                                          \
		sentence, function, make_store, remove_store, NULL \
	}
	const struct CMUnitTest tests[] = {
		REMOVAL_TEST("whatever is in an incident goes with it", test_whole),
		REMOVAL_TEST("no symbolic link leads to anything else", test_no_way_out),
		REMOVAL_TEST("a bottomless folder is refused, and is no incident any more",
			     test_deep),
		REMOVAL_TEST("what is kept stays", test_kept),
		REMOVAL_TEST("what a process holds stays", test_held),
		REMOVAL_TEST("who makes an incident holds it", test_created_is_held),
		REMOVAL_TEST("what an interrupted removal left is removed, and nothing else",
			     test_leftovers),
	};

	return RUN_TESTS(tests);
}
