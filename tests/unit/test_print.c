// SPDX-License-Identifier: GPL-2.0-only
/* What is printed of a dump's text, and of an error. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/print.h"
#include "make_dump.h"
#include "test.h"

static void assert_printed(const char *s, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print_text(s, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	text = strdup(s);
	clean_text(text);
	assert_string_equal(text, expected);
	free(text);
}

static void control_characters(void **state)
{
	(void)state;
	assert_printed("", "");
	assert_printed("plain, with\ta tab", "plain, with\ta tab");
	assert_printed("a\nb\r\x1b[2Jc\x7f\x01", "a?b??[2Jc??");
	assert_printed("\xc2\x9b"
		       "31m \xc2\x80\xc2\x9f",
		       "?31m ??");
	assert_printed("\xc3\xbc \xc2\xa0 \xe2\x82\xac \xc2", "\xc3\xbc \xc2\xa0 \xe2\x82\xac ?");
}

/* Stray bytes are escape sequences to some terminals. */
static void no_characters(void **state)
{
	(void)state;
	assert_printed("\x9b"
		       "31m \xff\xfe \xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80 \xe2\x82",
		       "?31m ?? ??? ?? ???? ??");
	assert_printed("\xf0\x9f\x90\x9b\xf4\x8f\xbf\xbf", "\xf0\x9f\x90\x9b\xf4\x8f\xbf\xbf");
	assert_printed("txt.\xe2\x80\xae"
		       "exe \xe2\x80\xa8 \xe2\x81\xa7",
		       "txt.?exe ? ?");
}

/* Whatever is in a dump's header, the error on stderr is one line. */
static void an_error_is_one_line(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", text[256] = "";
	int copy = dup(STDERR_FILENO), fd = mkstemp(path);

	(void)state;
	dup2(fd, STDERR_FILENO);
	int status = error_report(error_create(ERROR_OTHER, "a '%s' machine", "x\ny\x1b[31m"));
	fflush(stderr);
	dup2(copy, STDERR_FILENO);
	assert_int_equal(status, 1);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "lockdump: a 'x?y?[31m' machine\n");
	close(fd);
	close(copy);
	unlink(path);
}

static void prefixes(void **state)
{
	struct error *err = error_fault(ERROR_EXCLUDED, 0x1000, "page %d", 1);

	(void)state;
	err = error_prefix(error_prefix(err, "task %s", "a"), "%s", "vmcore");
	assert_string_equal(err->message, "vmcore: task a: page 1");
	assert_int_equal(err->class, ERROR_EXCLUDED);
	assert_int_equal(err->address, 0x1000);
	error_destroy(err);
	assert_null(error_prefix(NULL, "nothing"));
	assert_ptr_equal(error_prefix(&error_no_memory, "x"), &error_no_memory);
	assert_string_equal(error_no_memory.message, "out of memory");
	error_destroy(&error_no_memory);
	error_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("control characters and escape sequences are printed as '?'",
		     control_characters),
		TEST("bytes that are no character, and what changes the order of others, too",
		     no_characters),
		TEST("an error is one line on stderr, whatever is in it", an_error_is_one_line),
		TEST("a prefix keeps class and address, and leaves 'out of memory' alone",
		     prefixes),
	};
	return RUN_TESTS(tests);
}
