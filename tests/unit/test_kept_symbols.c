// SPDX-License-Identifier: GPL-2.0-only
/* The symbols that are kept for a dump which does not lead to them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdump/kept_symbols.h"

static char path[] = "/tmp/lockdump-test.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct error *read_text(const char *text, struct kept_symbols *ret)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	return kept_symbols_read(path, ret);
}

static void test_kept(void **state)
{
	static const char text[] = "0000000000000000 A fixed_percpu_data\n"
				   "0000000000001000 A cpu_debug_store\n"
				   "ffffffff81000000 T _stext\n";
	struct kept_symbols symbols;

	(void)state;
	assert_null(read_text(text, &symbols));
	assert_int_equal(symbols.size, strlen(text));
	assert_memory_equal(symbols.text, text, symbols.size);
	kept_symbols_deinit(&symbols);
}

static void test_hidden(void **state)
{
	struct kept_symbols symbols;
	struct error *err = read_text(
		"0000000000000000 A fixed_percpu_data\n0000000000000000 T _stext\n", &symbols);

	(void)state;
	assert_non_null(err);
	assert_non_null(strstr(err->message, "kptr_restrict"));
	assert_null(symbols.text);
	error_destroy(err);
}

static void test_empty(void **state)
{
	struct kept_symbols symbols;
	struct error *err = read_text("", &symbols);

	(void)state;
	assert_non_null(err);
	error_destroy(err);
}

static void test_large(void **state)
{
	enum { LINES = 100000 };
	static const char line[] = "ffffffff81000000 T a_function\n";
	char *text = malloc(LINES * strlen(line) + 1), *end = text;
	struct kept_symbols symbols;

	(void)state;
	for (int i = 0; i < LINES; i++)
		end = stpcpy(end, line);
	assert_null(read_text(text, &symbols));
	assert_int_equal(symbols.size, end - text);
	assert_memory_equal(symbols.text, text, symbols.size);
	kept_symbols_deinit(&symbols);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("all of /proc/kallsyms is kept", test_kept),
		TEST("addresses that the kernel hides are an error", test_hidden),
		TEST("an empty file is an error", test_empty),
		TEST("a file of megabytes is kept whole", test_large),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
