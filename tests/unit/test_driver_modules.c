// SPDX-License-Identifier: GPL-2.0-only
/* The order in which modules are loaded. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kdump/driver_modules.h"

/* "a:b,c d:" is module a, which needs b and c, then module d. */
static struct driver_modules set_of(const char *text)
{
	struct driver_modules set = { 0 };
	char *copy = strdup(text), *rest = copy;

	for (char *word; (word = strsep(&rest, " "));) {
		set.items = realloc(set.items, (set.count + 1) * sizeof(*set.items));
		struct driver_module *module = &set.items[set.count++];
		*module = (struct driver_module){ .name = strdup(strsep(&word, ":")) };
		for (char *need; word && (need = strsep(&word, ","));)
			if (*need)
				assert_null(strings_add(&module->needs, "%s", need));
	}
	free(copy);
	return set;
}

static void assert_order(const char *text, const char *wanted)
{
	struct driver_modules set = set_of(text);
	char order[256] = "";

	assert_null(driver_modules_sort(&set));
	for (size_t i = 0; i < set.count; i++)
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s%s", i ? " " : "",
			 set.items[i].name);
	assert_string_equal(order, wanted);
	driver_modules_deinit(&set);
}

static void test_needs_first(void **state)
{
	(void)state;
	assert_order("virtio_blk:virtio,virtio_ring virtio:virtio_ring virtio_ring: "
		     "virtio_pci:virtio_ring,virtio",
		     "virtio_ring virtio virtio_blk virtio_pci");
}

static void test_dashes(void **state)
{
	(void)state;
	assert_order("nvme:nvme-core nvme_core:t10-pi t10_pi:", "t10_pi nvme_core nvme");
}

static void test_stable(void **state)
{
	(void)state;
	assert_order("c: a: b:", "c a b");
}

static void test_built_in(void **state)
{
	(void)state;
	assert_order("ext4:jbd2,crc32c jbd2:", "jbd2 ext4");
}

static void test_cycle(void **state)
{
	(void)state;
	assert_order("a:b b:a c:c", "b a c");
}

static void test_empty(void **state)
{
	struct driver_modules set = { 0 };

	(void)state;
	assert_null(driver_modules_sort(&set));
	assert_int_equal(set.count, 0);
	driver_modules_deinit(&set);
}

static void test_unknown_release(void **state)
{
	struct strings wanted = { 0 };
	struct driver_modules set;

	(void)state;
	struct error *err = driver_modules_resolve("0.0.0-none", &wanted, &set);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "/lib/modules/0.0.0-none/modules.dep.bin"));
	error_destroy(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a module comes after all that it needs", test_needs_first),
		TEST("a need is found whether it is written with '-' or with '_'", test_dashes),
		TEST("modules that need nothing keep their order", test_stable),
		TEST("a need that is not in the set is taken as built in", test_built_in),
		TEST("a cycle of soft dependencies loads each module once", test_cycle),
		TEST("no modules are no error", test_empty),
		TEST("a kernel without modules is told by the file that is missing",
		     test_unknown_release),
	};

	return RUN_TESTS(tests);
}
