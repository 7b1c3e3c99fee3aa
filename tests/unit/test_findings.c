// SPDX-License-Identifier: GPL-2.0-only
/* doctor's table: its text and its JSON. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/findings.h"
#include "test.h"

static void fill(struct findings *findings)
{
	findings->group = "recorder";
	findings_add(findings, "tick hook", FINDING_OK, "%s (fentry)", "sched_tick");
	findings_add(findings, "types", FINDING_MISSING, NULL);
	findings_blame(findings, "the recorder",
		       error_create(ERROR_SYSTEM, "no BTF\033[2J; another kernel; or none"));
	findings->group = "settings";
	findings_add(findings, "kernel.panic", FINDING_DEGRADED, "0");
	findings_explain(findings, "the machine", NULL, "set it");
}

static char *printed(const struct findings *findings, bool json, bool colour)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_null(json ? findings_print_json(findings, out)
			 : findings_print_text(findings, colour, out));
	fclose(out);
	return text;
}

static void test_text(void **state)
{
	struct findings findings = {};

	(void)state;
	fill(&findings);
	char *text = printed(&findings, false, false);
	assert_string_equal(text, "recorder\n"
				  "ok        tick hook                 sched_tick (fentry)\n"
				  "missing   types\n"
				  "                    lost    the recorder\n"
				  "                    why     no BTF?[2J\n"
				  "                    remedy  another kernel; or none\n"
				  "\n"
				  "settings\n"
				  "degraded  kernel.panic              0\n"
				  "                    lost    the machine\n"
				  "                    remedy  set it\n"
				  "\n"
				  "1 ok, 1 degraded, 1 missing\n");
	free(text);
	findings_deinit(&findings);
}

static void test_lines(void **state)
{
	struct findings findings = {};
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fill(&findings);
	assert_null(findings_print_lines(&findings, false, out));
	fclose(out);
	assert_string_equal(
		text,
		"ok        tick hook       sched_tick (fentry)\n"
		"missing   types           the recorder: no BTF?[2J; another kernel; or none\n"
		"degraded  kernel.panic    0: the machine; set it\n");
	assert_int_equal(findings_count(&findings, FINDING_MISSING), 1);
	free(text);
	findings_deinit(&findings);
}

static void test_colour(void **state)
{
	struct findings findings = {};

	(void)state;
	fill(&findings);
	char *text = printed(&findings, false, true);
	assert_non_null(strstr(text, "\033[31mmissing   \033[0mtypes"));
	free(text);
	findings_deinit(&findings);
}

static void test_json(void **state)
{
	struct findings findings = {};
	struct json_object *items, *value;

	(void)state;
	fill(&findings);
	char *text = printed(&findings, true, false);
	struct json_object *json = json_tokener_parse(text);
	assert_non_null(json);
	assert_true(json_object_object_get_ex(json, "schema", &value));
	assert_string_equal(json_object_get_string(value), "lockdump.doctor/1");
	assert_true(json_object_object_get_ex(json, "items", &items));
	assert_int_equal(json_object_array_length(items), 3);
	struct json_object *missing = json_object_array_get_idx(items, 1);
	/* Unknown is null, never left out. */
	assert_int_equal(json_object_object_length(missing), 7);
	assert_true(json_object_object_get_ex(missing, "variant", &value));
	assert_null(value);
	assert_true(json_object_object_get_ex(missing, "remedy", &value));
	assert_string_equal(json_object_get_string(value), "another kernel; or none");
	json_object_put(json);
	free(text);
	findings_deinit(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a line for each item, under its group; what is short of is explained; a sum",
		     test_text),
		TEST("each can be a line, too", test_lines),
		TEST("in colour only the state is, by what it is", test_colour),
		TEST("the JSON has each member of each item", test_json),
	};
	return RUN_TESTS(tests);
}
