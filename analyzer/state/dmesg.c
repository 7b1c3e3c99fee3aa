// SPDX-License-Identifier: GPL-2.0-only
#include "state/dmesg.h"

#include <string.h>

#include "base/cleanup.h"
#include "state/printk.h"

#define MAX_LINES (2u << 20)

static const char *copy_name(struct dmesg *dmesg, const char *name)
{
	return name && *name ? arena_strndup(&dmesg->text, name, strlen(name)) : NULL;
}

/* A record may have several lines; each gets the record's time and level. */
struct error *dmesg_add(struct dmesg *dmesg, const struct printk_record *record)
{
	struct dmesg_line line = {
		.t_ns = record->t_ns,
		.level = record->level,
		.has_caller = record->has_caller,
		.caller = record->caller,
		.subsystem = copy_name(dmesg, record->subsystem),
		.device = copy_name(dmesg, record->device),
	};
	const char *text = record->text;
	size_t size = record->size;

	for (;;) {
		const char *newline = memchr(text, '\n', size);
		size_t len = newline ? (size_t)(newline - text) : size;
		if (dmesg->lines.count >= MAX_LINES)
			return error_fault(ERROR_CORRUPT, 0, "more than %u lines", MAX_LINES);
		line.text = arena_strndup(&dmesg->text, text, len);
		struct dmesg_line *place = line.text ? vector_push(&dmesg->lines) : NULL;
		if (!place)
			return &error_no_memory;
		*place = line;
		if (!newline || len + 1 == size)
			return NULL;
		text += len + 1;
		size -= len + 1;
	}
}

void dmesg_init(struct dmesg *dmesg, struct memory *memory, const struct vmcoreinfo *info)
{
	uint64_t address;

	memset(dmesg, 0, sizeof(*dmesg));
	bool old = !vmcoreinfo_symbol(info, "prb", &address) &&
		   vmcoreinfo_symbol(info, "log_buf", &address);
	struct error *err =
		old ? printk_log_read(dmesg, memory, info) : printk_ring_read(dmesg, memory, info);
	dmesg->error = error_prefix(err, "kernel log");
}

void dmesg_deinit(struct dmesg *dmesg)
{
	vector_deinit(&dmesg->lines);
	arena_deinit(&dmesg->text);
	error_destroy(dmesg->error);
}

static struct error *print_lines(const struct dmesg *dmesg, FILE *out)
{
	for (size_t i = 0; i < dmesg->lines.count; i++) {
		const struct dmesg_line *line = &dmesg->lines.data[i];
		fprintf(out, "[%5llu.%06llu] %s\n", (unsigned long long)(line->t_ns / 1000000000),
			(unsigned long long)(line->t_ns / 1000 % 1000000), line->text);
	}
	return fflush(out) || ferror(out) ? error_errno("kernel log") : NULL;
}

struct error *dmesg_print(const char *path, FILE *out)
{
	struct dump *dump;
	struct error *err = dump_open(path, &dump);

	if (err)
		return err;
	struct vmcoreinfo info;
	struct memory memory;
	info.text = dump_vmcoreinfo(dump, &info.size);
	err = memory_init(&memory, dump, &info);
	if (!err) {
		struct dmesg dmesg;
		dmesg_init(&dmesg, &memory, &info);
		err = print_lines(&dmesg, out);
		if (!err)
			err = steal_ptr(dmesg.error);
		dmesg_deinit(&dmesg);
	}
	dump_close(dump);
	return error_prefix(err, "%s", path);
}
