// SPDX-License-Identifier: GPL-2.0-only
/* lockdump list: the incidents in the store, newest last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/json.h"
#include "base/print.h"
#include "kdump/selection.h"
#include "kdump/wording.h"
#include "lockdump.h"

#define NARROWEST_KERNEL 12
#define NARROW_TITLE	 24
#define NARROWEST_TITLE	 10

static const char help[] = "Usage: lockdump list [OPTION...] [ID|-1|-2...]\n"
			   "Lists the incidents in the store, newest last.\n"
			   "\n" SELECTION_HELP "      --json    for programs: lockdump.list/1\n"
			   "      --help    print this\n"
			   "\n"
			   "DUMP is present, incomplete, missing (there was one), or none.\n";

/* The columns, in their order. */
enum { TIME, ID, KERNEL, KIND, TITLE, DUMP, NR_COLUMNS };

static const char *const headings[] = { "TIME", "ID", "KERNEL", "KIND", "TITLE", "DUMP" };

struct row {
	const char *cells[NR_COLUMNS];
	char time[TIME_WORDS];
};

struct table {
	size_t widths[NR_COLUMNS]; /* 0: not shown */
	bool colour;
};

static void fill_row(const struct incident_summary *one, struct row *ret)
{
	const char *dump = dump_state_name(one->dump);

	word_time(one->onset_s, ret->time);
	ret->cells[TIME] = ret->time;
	ret->cells[ID] = one->id;
	ret->cells[KERNEL] = one->kernel ? one->kernel : "-";
	ret->cells[KIND] = one->kind ? one->kind : "-";
	ret->cells[TITLE] = one->title ? one->title : one->reason ? one->reason : "-";
	ret->cells[DUMP] = dump ? dump : "-";
}

/* Characters of UTF-8, each taken as one column wide. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void widen(struct table *table, const char *const cells[])
{
	for (int i = 0; i < NR_COLUMNS; i++)
		if (width_of(cells[i]) > table->widths[i])
			table->widths[i] = width_of(cells[i]);
}

static void shrink(size_t *width, size_t narrowest, size_t *excess)
{
	size_t less = *width > narrowest ? *width - narrowest : 0;

	if (less > *excess)
		less = *excess;
	*width -= less;
	*excess -= less;
}

/* Titles are cut first; the ID has the time once more, and is what the other verbs want. */
static void fit(struct table *table, size_t columns)
{
	size_t sum = NR_COLUMNS - 1;

	for (int i = 0; i < NR_COLUMNS; i++)
		sum += table->widths[i];
	if (sum <= columns)
		return;
	size_t excess = sum - columns;
	shrink(&table->widths[TITLE], NARROW_TITLE, &excess);
	shrink(&table->widths[KERNEL], NARROWEST_KERNEL, &excess);
	if (!excess)
		return;
	size_t freed = table->widths[TIME] + 1;
	table->widths[TIME] = 0;
	if (freed > excess) {
		table->widths[TITLE] += freed - excess;
		return;
	}
	excess -= freed;
	shrink(&table->widths[TITLE], NARROWEST_TITLE, &excess);
}

/* 0: it is no terminal, and a line is as long as it is. */
static size_t terminal_columns(void)
{
	const char *said = getenv("COLUMNS");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (said && atoi(said) > 0)
		return atoi(said);
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 80 : size.ws_col;
}

/* As wide as @width, with blanks (but not at a line's end) or cut off. */
static void print_cell(const char *text, size_t width, bool is_last)
{
	bool cut = width_of(text) > width;
	size_t shown = 0;

	for (; *text; text++) {
		bool begins = (*text & 0xc0) != 0x80;
		if (begins && cut && shown + 1 == width)
			break;
		shown += begins;
		putchar(*text);
	}
	if (cut) {
		fputs("\u2026", stdout);
		shown++;
	}
	while (!is_last && shown++ <= width)
		putchar(' ');
}

static const char *colour_of(const struct table *table, int column, enum dump_state dump)
{
	static const char *const colours[] = {
		[DUMP_NONE] = "\033[2m",
		[DUMP_PRESENT] = "\033[32m",
		[DUMP_INCOMPLETE] = "\033[33m",
		[DUMP_MISSING] = "\033[31m",
		[DUMP_UNKNOWN] = "",
	};

	return table->colour && column == DUMP ? colours[dump] : "";
}

static void print_row(const struct table *table, const char *const cells[], enum dump_state dump)
{
	for (int i = 0; i < NR_COLUMNS; i++) {
		const char *colour = colour_of(table, i, dump);
		if (!table->widths[i])
			continue;
		fputs(colour, stdout);
		print_cell(cells[i], table->widths[i], i == NR_COLUMNS - 1);
		if (*colour)
			fputs("\033[0m", stdout);
	}
	putchar('\n');
}

static void print_table(const struct chosen *chosen)
{
	size_t columns = terminal_columns();
	struct table table = { .colour = columns && !getenv("NO_COLOR") };
	struct row row;

	widen(&table, headings);
	for (size_t i = 0; i < chosen->list.count; i++) {
		fill_row(chosen->list.data[i], &row);
		widen(&table, row.cells);
	}
	if (columns)
		fit(&table, columns);
	print_row(&table, headings, DUMP_UNKNOWN);
	for (size_t i = 0; i < chosen->list.count; i++) {
		fill_row(chosen->list.data[i], &row);
		print_row(&table, row.cells, chosen->list.data[i]->dump);
	}
}

static struct json_object *element(const struct incident_summary *one)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "id", json_text(one->id));
	json_add(object, "onset", json_object_new_int64(one->onset_s));
	json_add(object, "kernel", json_text(one->kernel));
	json_add(object, "kind", json_text(one->kind));
	json_add(object, "title", json_text(one->title));
	json_add(object, "signature", json_text(one->signature));
	json_add(object, "summary", json_text(one->summary));
	json_add(object, "trigger_by", json_text(one->trigger_by));
	json_add(object, "trigger_reason", json_text(one->reason));
	json_add(object, "dump", json_text(dump_state_name(one->dump)));
	json_add(object, "dump_size", json_number(one->dump_size));
	json_add(object, "encrypted", json_object_new_boolean(one->encrypted));
	json_add(object, "size", json_number(one->size));
	json_add(object, "kept", json_object_new_boolean(one->kept));
	json_add(object, "complete", json_object_new_boolean(one->complete));
	json_add(object, "unfinished", json_object_new_boolean(one->unfinished));
	json_add(object, "harvested", json_object_new_boolean(one->harvested));
	json_add(object, "drill", json_object_new_boolean(one->drill));
	return object;
}

static struct error *print_json(const char *store, const struct chosen *chosen)
{
	struct json_writer writer;

	json_begin(&writer, stdout);
	json_write(&writer, "schema", json_text("lockdump.list/1"));
	json_write(&writer, "store", json_text(store));
	json_begin_array(&writer, "incidents");
	for (size_t i = 0; i < chosen->list.count; i++)
		json_write_element(&writer, element(chosen->list.data[i]));
	json_end_array(&writer);
	return error_prefix(json_end(&writer), "stdout");
}

static struct error *print_chosen(const struct selection *selection, const struct chosen *chosen,
				  bool json)
{
	if (json)
		return print_json(selection->store, chosen);
	if (chosen->list.count)
		print_table(chosen);
	return fflush(stdout) || ferror(stdout) ? error_errno("stdout: cannot write") : NULL;
}

/* None is a failure, as it is to coredumpctl. */
static struct error *list(const struct selection *selection, bool json)
{
	struct incidents incidents;
	struct chosen chosen = {};
	struct error *err = incidents_read(selection->store, &incidents);

	if (err)
		return err;
	err = selection_choose(selection, &incidents, &chosen);
	if (!err)
		err = print_chosen(selection, &chosen, json);
	if (!err && incidents.unreadable)
		error_report(error_create(ERROR_OTHER,
					  "store %s: %zu incidents cannot be read; root can",
					  selection->store, incidents.unreadable));
	if (!err && !chosen.list.count)
		err = error_create(ERROR_NOT_FOUND, "store %s: no incidents%s", selection->store,
				   incidents.list.count ? " of these" : "");
	chosen_deinit(&chosen);
	incidents_deinit(&incidents);
	return err;
}

int cmd_list(int argc, char **argv)
{
	struct selection selection;
	bool json = false;
	const struct selection_option own[] = { { "json", &json }, { NULL, NULL } };
	int status = selection_parse(argc, argv, own, help, &selection);

	if (status < 0) {
		struct error *err = list(&selection, json);
		status = err ? error_report(err) : 0;
	}
	selection_deinit(&selection);
	return status;
}
