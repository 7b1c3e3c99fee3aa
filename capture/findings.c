// SPDX-License-Identifier: GPL-2.0-only
#include "capture/findings.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/print.h"

static const char *const state_names[NR_FINDING_STATES] = {
	[FINDING_OK] = "ok",
	[FINDING_DEGRADED] = "degraded",
	[FINDING_MISSING] = "missing",
	[FINDING_UNKNOWN] = "unknown",
};

void findings_add(struct findings *findings, const char *name, enum finding_state state,
		  const char *format, ...)
{
	struct finding *finding = vector_push(&findings->list);
	va_list args;

	if (!finding) {
		findings->out_of_memory = true;
		return;
	}
	*finding = (struct finding){ .group = findings->group, .name = name, .state = state };
	if (!format)
		return;
	va_start(args, format);
	if (vasprintf(&finding->variant, format, args) < 0) {
		finding->variant = NULL;
		findings->out_of_memory = true;
	}
	va_end(args);
}

static char *copy(struct findings *findings, const char *text)
{
	char *made = text ? strdup(text) : NULL;

	if (text && !made)
		findings->out_of_memory = true;
	return made;
}

void findings_explain(struct findings *findings, const char *lost, const char *why,
		      const char *remedy)
{
	if (findings->out_of_memory) /* the last one may be another */
		return;
	struct finding *last = &findings->list.data[findings->list.count - 1];
	last->lost = copy(findings, lost);
	last->why = copy(findings, why);
	last->remedy = copy(findings, remedy);
}

void findings_blame(struct findings *findings, const char *lost, struct error *err)
{
	char *end = err == &error_no_memory ? NULL : strstr(err->message, "; ");

	if (end)
		*end = '\0';
	findings_explain(findings, lost, err->message, end ? end + 2 : NULL);
	error_destroy(err);
}

void findings_deinit(struct findings *findings)
{
	for (size_t i = 0; i < findings->list.count; i++) {
		struct finding *finding = &findings->list.data[i];
		free(finding->variant);
		free(finding->lost);
		free(finding->why);
		free(finding->remedy);
	}
	vector_deinit(&findings->list);
}

static void print_reason(const char *label, const char *text, FILE *out)
{
	if (!text)
		return;
	fprintf(out, "%20s%-8s", "", label);
	print_text(text, out);
	fputc('\n', out);
}

static void print_state(enum finding_state state, bool colour, FILE *out)
{
	static const char *const colours[NR_FINDING_STATES] = {
		[FINDING_OK] = "\033[32m",
		[FINDING_DEGRADED] = "\033[33m",
		[FINDING_MISSING] = "\033[31m",
		[FINDING_UNKNOWN] = "\033[2m",
	};

	fprintf(out, "%s%-10s%s", colour ? colours[state] : "", state_names[state],
		colour ? "\033[0m" : "");
}

static void print_finding(const struct finding *finding, bool colour, FILE *out)
{
	print_state(finding->state, colour, out);
	if (finding->variant) {
		fprintf(out, "%-24s  ", finding->name);
		print_text(finding->variant, out);
	} else {
		fputs(finding->name, out);
	}
	fputc('\n', out);
	print_reason("lost", finding->lost, out);
	print_reason("why", finding->why, out);
	print_reason("remedy", finding->remedy, out);
}

static void print_line(const struct finding *finding, bool colour, FILE *out)
{
	const struct {
		const char *before, *text;
	} parts[] = {
		{ ": ", finding->variant },
		{ ": ", finding->lost },
		{ ": ", finding->why },
		{ "; ", finding->remedy },
	};
	bool first = true;

	print_state(finding->state, colour, out);
	fprintf(out, "%-14s", finding->name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].text)
			continue;
		fputs(first ? "  " : parts[i].before, out);
		print_text(parts[i].text, out);
		first = false;
	}
	fputc('\n', out);
}

size_t findings_count(const struct findings *findings, enum finding_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->list.count; i++)
		count += findings->list.data[i].state == state;
	return count;
}

static void count(const struct findings *findings, size_t counts[static NR_FINDING_STATES])
{
	for (int state = 0; state < NR_FINDING_STATES; state++)
		counts[state] = findings_count(findings, state);
}

static struct error *check(const struct findings *findings, FILE *out)
{
	if (findings->out_of_memory)
		return &error_no_memory;
	return fflush(out) || ferror(out) ? error_errno("stdout") : NULL;
}

struct error *findings_print_text(const struct findings *findings, bool colour, FILE *out)
{
	size_t counts[NR_FINDING_STATES];
	const char *group = "";

	for (size_t i = 0; i < findings->list.count; i++) {
		const struct finding *finding = &findings->list.data[i];
		if (strcmp(finding->group, group))
			fprintf(out, "%s%s%s%s\n", *group ? "\n" : "", colour ? "\033[1m" : "",
				finding->group, colour ? "\033[0m" : "");
		group = finding->group;
		print_finding(finding, colour, out);
	}
	count(findings, counts);
	fprintf(out, "\n%zu ok, %zu degraded, %zu missing", counts[FINDING_OK],
		counts[FINDING_DEGRADED], counts[FINDING_MISSING]);
	if (counts[FINDING_UNKNOWN])
		fprintf(out, ", %zu unknown", counts[FINDING_UNKNOWN]);
	fputc('\n', out);
	return check(findings, out);
}

static struct json_object *json_of(const struct finding *finding)
{
	struct json_object *item = json_object_new_object();

	json_add(item, "group", json_text(finding->group));
	json_add(item, "name", json_text(finding->name));
	json_add(item, "state", json_text(state_names[finding->state]));
	json_add(item, "variant", json_text(finding->variant));
	json_add(item, "lost", json_text(finding->lost));
	json_add(item, "why", json_text(finding->why));
	json_add(item, "remedy", json_text(finding->remedy));
	return item;
}

struct error *findings_print_lines(const struct findings *findings, bool colour, FILE *out)
{
	for (size_t i = 0; i < findings->list.count; i++)
		print_line(&findings->list.data[i], colour, out);
	return check(findings, out);
}

struct json_object *findings_to_json(const struct findings *findings)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < findings->list.count; i++)
		json_object_array_add(array, json_of(&findings->list.data[i]));
	return array;
}

struct error *findings_print_json(const struct findings *findings, FILE *out)
{
	size_t counts[NR_FINDING_STATES];
	struct json_object *sum = json_object_new_object();
	struct json_writer writer;

	count(findings, counts);
	for (size_t i = 0; i < NR_FINDING_STATES; i++)
		json_add(sum, state_names[i], json_number(counts[i]));
	json_begin(&writer, out);
	json_write(&writer, "schema", json_text("lockdump.doctor/1"));
	json_write(&writer, "sum", sum);
	json_write(&writer, "items", findings_to_json(findings));
	struct error *err = json_end(&writer);
	return err ? err : check(findings, out);
}
