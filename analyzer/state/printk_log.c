// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log buffer up to 5.9, kernel/printk/printk.c: log_buf_len bytes of records
 * one behind the other, from log_first_idx up to log_next_idx. A record is a
 * struct printk_log, then its text (text_len bytes), then its dictionary
 * (dict_len bytes: "SUBSYSTEM=pci\0DEVICE=+pci:0000:00:01.0"); len is all of that
 * and what fills it up. A record of length 0 says that the next one is at the
 * buffer's start: the older ones are above, and newer ones come up from below.
 */
#include "state/printk.h"

#include <string.h>

#define MAX_LOG_SIZE  (128u << 20)
#define MAX_HEAD_SIZE 64
#define MAX_NAME      64

struct log {
	uint8_t *buffer;
	uint64_t size; /* of the buffer */
	struct holes holes; /* in it */
	uint64_t first, next; /* indices in it */
	uint64_t head_size;
	/* Offsets in a record. */
	uint64_t ts_nsec, len, text_len, dict_len, level;
};

static struct error *read_variable(struct memory *memory, const struct vmcoreinfo *info,
				   const char *name, uint64_t size, uint64_t *ret)
{
	uint64_t address;

	*ret = 0;
	if (!vmcoreinfo_symbol(info, name, &address))
		return error_create(ERROR_NOT_FOUND, "the vmcoreinfo lacks SYMBOL(%s)", name);
	return memory_read(memory, address, ret, size);
}

static struct error *read_layout(struct log *log, const struct vmcoreinfo *info)
{
	const struct {
		const char *key;
		uint64_t *ret;
		uint64_t size;
	} keys[] = {
		{ "SIZE(printk_log)", &log->head_size, 0 },
		{ "OFFSET(printk_log.ts_nsec)", &log->ts_nsec, 8 },
		{ "OFFSET(printk_log.len)", &log->len, 2 },
		{ "OFFSET(printk_log.text_len)", &log->text_len, 2 },
		/* u16 dict_len, u8 facility, u8 flags:5 level:3 */
		{ "OFFSET(printk_log.dict_len)", &log->dict_len, 4 },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!vmcoreinfo_number(info, keys[i].key, keys[i].ret))
			return error_create(ERROR_NOT_FOUND, "the vmcoreinfo lacks %s",
					    keys[i].key);
		/* The size comes first. */
		if (log->head_size > MAX_HEAD_SIZE ||
		    (i && (*keys[i].ret > log->head_size ||
			   keys[i].size > log->head_size - *keys[i].ret)))
			return error_fault(ERROR_CORRUPT, 0, "the vmcoreinfo's %s makes no sense",
					   keys[i].key);
	}
	log->level = log->dict_len + 3;
	return NULL;
}

static struct error *read_log(struct log *log, struct memory *memory, const struct vmcoreinfo *info)
{
	uint64_t buffer;

	struct error *err = read_layout(log, info);
	if (!err)
		err = read_variable(memory, info, "log_buf", sizeof(buffer), &buffer);
	if (!err)
		err = read_variable(memory, info, "log_buf_len", sizeof(uint32_t), &log->size);
	if (!err)
		err = read_variable(memory, info, "log_first_idx", sizeof(uint32_t), &log->first);
	if (!err)
		err = read_variable(memory, info, "log_next_idx", sizeof(uint32_t), &log->next);
	if (!err && (log->first > log->size || log->next > log->size))
		err = error_fault(ERROR_CORRUPT, buffer,
				  "the log's indices are %llu and %llu of %llu",
				  (unsigned long long)log->first, (unsigned long long)log->next,
				  (unsigned long long)log->size);
	return err ? err
		   : memory_read_table(memory, buffer, log->size, MAX_LOG_SIZE, &log->buffer,
				       &log->holes);
}

static uint16_t half_word(const uint8_t *bytes)
{
	return bytes[0] | bytes[1] << 8;
}

/* The value of @key in a dictionary; "" if it is not there. */
static void dictionary_value(const char *dict, size_t size, const char *key, char ret[MAX_NAME])
{
	size_t len = strlen(key);

	ret[0] = '\0';
	while (size) {
		size_t n = strnlen(dict, size);
		if (n > len && !memcmp(dict, key, len)) {
			n -= len;
			n = n < MAX_NAME - 1 ? n : MAX_NAME - 1;
			memcpy(ret, dict + len, n);
			ret[n] = '\0';
			return;
		}
		n += n < size;
		dict += n;
		size -= n;
	}
}

static struct error *add_record(struct dmesg *dmesg, const struct log *log, const uint8_t *head)
{
	char subsystem[MAX_NAME], device[MAX_NAME];
	struct printk_record record = {
		.level = head[log->level] >> 5,
		.subsystem = subsystem,
		.device = device,
		.text = (const char *)head + log->head_size,
		.size = half_word(head + log->text_len),
	};
	const char *dict = record.text + record.size;
	size_t dict_len = half_word(head + log->dict_len);

	memcpy(&record.t_ns, head + log->ts_nsec, sizeof(record.t_ns));
	dictionary_value(dict, dict_len, "SUBSYSTEM=", subsystem);
	dictionary_value(dict, dict_len, "DEVICE=", device);
	return dmesg_add(dmesg, &record);
}

/* Goes from record to record. Where one makes no sense, or is not in the dump, the way to the next is lost too. */
static struct error *read_records(struct dmesg *dmesg, const struct log *log)
{
	const struct holes *holes = &log->holes;
	bool below = log->first < log->next; /* nothing went round */

	for (uint64_t at = log->first; at != log->next;) {
		const uint8_t *head = log->buffer + at;
		uint64_t room = log->size - at, len = 0;
		bool whole = log->head_size <= room && !holes_touch(holes, at, log->head_size);

		/* The end needs no record to say so, if none fits. */
		if (whole)
			len = half_word(head + log->len);
		if ((whole && !len) || (!below && log->head_size > room)) {
			if (below)
				return error_fault(ERROR_CORRUPT, 0, "a record of no length");
			below = true;
			at = 0;
			continue;
		}
		if (!whole || len > room || holes_touch(holes, at, len))
			return holes->error ? error_copy(holes->error)
					    : error_fault(ERROR_CORRUPT, 0,
							  "a record goes over the end of the log");
		if (log->head_size + half_word(head + log->text_len) +
			    half_word(head + log->dict_len) >
		    len)
			return error_fault(ERROR_CORRUPT, 0, "a record is longer than it says");
		struct error *err = add_record(dmesg, log, head);
		if (err)
			return err;
		at += len;
		if (below && at > log->next)
			return error_fault(ERROR_CORRUPT, 0, "the log goes over its end");
	}
	return NULL;
}

struct error *printk_log_read(struct dmesg *dmesg, struct memory *memory,
			      const struct vmcoreinfo *info)
{
	struct log log = {};

	struct error *err = read_log(&log, memory, info);
	if (!err)
		err = read_records(dmesg, &log);
	free(log.buffer);
	holes_deinit(&log.holes);
	return err;
}
