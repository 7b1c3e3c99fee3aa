// SPDX-License-Identifier: GPL-2.0-only
/* JSON out of whatever bytes a dump has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "make_dump.h"
#include "test.h"

static void assert_json(struct json_object *value, const char *expected)
{
	assert_string_equal(json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE),
			    expected);
	json_object_put(value);
}

static void assert_text(const char *s, const char *expected)
{
	/* On the heap and as long as it is: a look behind its end shows. */
	char *copy = strdup(s);
	struct json_object *text = json_text(copy);

	assert_string_equal(json_object_get_string(text), expected);
	json_object_put(text);
	free(copy);
}

static void unknown_is_null(void **state)
{
	(void)state;
	assert_json(json_text(NULL), "null");
	assert_json(json_text(""), "\"\"");
	assert_json(json_text_or_null(NULL), "null");
	assert_json(json_text_or_null(""), "null");
	assert_json(json_text_or_null("x"), "\"x\"");
	assert_json(json_number(UINT64_MAX), "null");
	assert_json(json_seconds(UINT64_MAX), "null");
	assert_json(json_number(0), "0");
	assert_json(json_number(UINT64_MAX - 1), "18446744073709551614");
}

static void numbers(void **state)
{
	(void)state;
	assert_json(json_address(0), "\"0x0\"");
	assert_json(json_address(0xffffffff81000000), "\"0xffffffff81000000\"");
	assert_json(json_seconds(1234567890), "1.234568");
	assert_json(json_double(-0.5), "-0.500000");
	/* JSON has no words for these. */
	assert_json(json_double(NAN), "null");
	assert_json(json_double(INFINITY), "null");
}

static void utf8(void **state)
{
	(void)state;
	assert_text("", "");
	assert_text("plain", "plain");
	assert_text("\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xa9", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xa9");
	assert_text("\x80"
		    "a\xff"
		    "b",
		    "?a?b");
	assert_text("\xc3", "?"); /* cut off */
	assert_text("\xe2\x82", "??");
	assert_text("\xf0\x9f\x92", "???");
	assert_text("\xf0", "?");
	assert_text("\xc0\x80", "??"); /* too long for what they say */
	assert_text("\xe0\x80\x80", "???");
	assert_text("\xf0\x80\x80\x80", "????");
	assert_text("\xed\xa0\x80", "???"); /* half of a pair */
	assert_text("\xf4\x90\x80\x80", "????"); /* above U+10FFFF */
	assert_text("\xf8\x88\x80\x80\x80", "?????");
}

static void control_characters(void **state)
{
	(void)state;
	assert_json(json_text("a\"b\\c\n\x1b[2J/"), "\"a\\\"b\\\\c\\n\\u001b[2J/\"");
}

static void written_member_by_member(void **state)
{
	struct json_writer writer;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	json_begin(&writer, out);
	json_write(&writer, "a", json_number(1));
	json_begin_array(&writer, "none");
	json_end_array(&writer);
	json_begin_array(&writer, "two");
	json_write_element(&writer, json_text("x"));
	json_write_element(&writer, NULL);
	json_end_array(&writer);
	json_write(&writer, "last", NULL);
	assert_no_error(json_end(&writer));
	fclose(out);
	struct json_object *parsed = json_tokener_parse(text);
	assert_non_null(parsed);
	assert_json(parsed, "{\"a\":1,\"none\":[],\"two\":[\"x\",null],\"last\":null}");
	free(text);
}

static void a_full_disk(void **state)
{
	struct json_writer writer;
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	json_begin(&writer, out);
	assert_error(json_end(&writer), ERROR_SYSTEM, "No space left");
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("what is unknown is null", unknown_is_null),
		TEST("numbers, seconds and addresses", numbers),
		TEST("bytes that are no UTF-8 become '?'", utf8),
		TEST("control characters are escaped", control_characters),
		TEST("an object is written member by member", written_member_by_member),
		TEST("a full disk is an error", a_full_disk),
	};
	return RUN_TESTS(tests);
}
