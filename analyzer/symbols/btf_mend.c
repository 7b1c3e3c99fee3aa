// SPDX-License-Identifier: GPL-2.0-only
/*
 * BTF has neither an index nor a mark where a type begins, so one missing page
 * of a few hundred would cost all that is behind it. But:
 *
 * - Where the types go on behind a hole is found by trying each word: what is
 *   no type soon shows, as the high bits of its second word are a kind.
 * - How many types the hole has swallowed follows from functions. Each (FUNC)
 *   names its prototype (FUNC_PROTO) by number, and there are thousands: only
 *   one number of lost types puts a prototype at each of those numbers.
 *
 * The hole is then filled with as many types without a name. A run of types
 * between two holes that is too short to tell belongs to the hole. Strings
 * that are not there become bytes that no name has.
 */
#include "symbols/btf_mend.h"

#include <string.h>

#include "base/cleanup.h"
#include "symbols/btf.h"

#define INFO_UNUSED  0x60ff0000u /* bits of btf_type.info */
#define MAX_ENUM     0xffff /* BTF_MAX_VLEN */
#define TRUST	     64 /* types in a row that are no accident */
#define MIN_PROTOS   16 /* so many prototypes tell how many types are lost */
#define NO_NAME_BYTE 0xff

/* Types one behind the other, between holes. */
struct run {
	size_t start, end; /* in the section */
	uint32_t count;
	uint32_t first; /* the number of the first of them */
};

struct mender {
	uint8_t *types;
	size_t size;
	uint32_t strings_size;
	VECTOR(struct hole) holes; /* of the section */
	VECTOR(struct run) runs;
	uint8_t *is_proto; /* by number: a function says so */
};

/* The type at @at, and where it ends, if it is one and ends before @end. */
static const struct btf_type *type_at(const struct mender *m, size_t at, size_t end,
				      size_t *end_ret)
{
	const struct btf_type *type = (const struct btf_type *)(m->types + at);

	if (end - at < sizeof(*type) || type->info & INFO_UNUSED ||
	    type->name_off >= m->strings_size)
		return NULL;
	size_t extra = btf_extra_size(type);
	if (extra > end - at - sizeof(*type))
		return NULL;
	*end_ret = at + sizeof(*type) + extra;
	return type;
}

/* Walks from @at to where no more types follow, or to @end. */
static struct run walk(const struct mender *m, size_t at, size_t end, uint32_t most)
{
	struct run run = { .start = at, .end = at };

	while (run.end < end && run.count < most && type_at(m, run.end, end, &run.end))
		run.count++;
	return run;
}

/* Where types go on behind a hole that ends at @at: @end if they do not. */
static size_t resume(const struct mender *m, size_t at, size_t end)
{
	for (at = (at + 3) & ~(size_t)3; at < end; at += 4) {
		struct run run = walk(m, at, end, TRUST);
		if (run.count == TRUST || (run.count && run.end == end))
			return at;
	}
	return end;
}

static struct error *find_runs(struct mender *m)
{
	size_t at = 0;

	for (size_t i = 0; i <= m->holes.count; i++) {
		size_t end = i < m->holes.count ? m->holes.data[i].start : m->size;
		if (i)
			at = resume(m, m->holes.data[i - 1].end, end);
		struct run run = walk(m, at, end, BTF_MAX_TYPES);
		if (!run.count)
			continue;
		struct run *place = vector_push(&m->runs);
		if (!place)
			return &error_no_memory;
		*place = run;
	}
	return NULL;
}

static void mark_protos(struct mender *m)
{
	for (size_t i = 0; i < m->runs.count; i++) {
		const struct run *run = &m->runs.data[i];
		for (size_t at = run->start, end; at < run->end; at = end) {
			const struct btf_type *type = type_at(m, at, run->end, &end);
			if (!type)
				break;
			if (btf_kind(type) == BTF_KIND_FUNC && type->type < BTF_MAX_TYPES)
				m->is_proto[type->type] = 1;
		}
	}
}

/* Which of @kinds, those of a run, are prototypes. */
static struct error *list_protos(const struct mender *m, const struct run *run, uint8_t **ret)
{
	uint8_t *protos = malloc(run->count);
	size_t at = run->start;

	if (!protos)
		return &error_no_memory;
	for (uint32_t i = 0; i < run->count; i++) {
		const struct btf_type *type = type_at(m, at, run->end, &at);
		protos[i] = type && btf_kind(type) == BTF_KIND_FUNC_PROTO;
	}
	*ret = protos;
	return NULL;
}

/* Whether a run that begins with number @first has a prototype wherever there must be one, and enough of them. */
static bool fits(const struct mender *m, const uint8_t *protos, uint32_t count, uint64_t first)
{
	uint32_t seen = 0;

	if (first + count > BTF_MAX_TYPES)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!m->is_proto[first + i])
			continue;
		if (!protos[i])
			return false;
		seen++;
	}
	return seen >= MIN_PROTOS;
}

/* Numbers a run that follows @bytes of which nothing is known, behind number @next - 1. False if it cannot be told. */
static struct error *number_run(const struct mender *m, struct run *run, uint32_t next,
				size_t bytes, bool *ret)
{
	_cleanup_free_ uint8_t *protos = NULL;
	struct error *err = list_protos(m, run, &protos);
	uint64_t most = bytes / sizeof(struct btf_type), found = 0;

	for (uint64_t lost = 0; !err && lost <= most; lost++) {
		if (!fits(m, protos, run->count, next + lost))
			continue;
		run->first = next + lost;
		found++;
	}
	*ret = found == 1;
	return err;
}

/* @count types without a name in the @size bytes at @at, which have room for them. */
static void fill(struct mender *m, size_t at, size_t size, uint32_t count)
{
	struct btf_type type = { .info = BTF_KIND_FWD << 24 };
	size_t spare = size - count * sizeof(type);

	memset(m->types + at, 0, size);
	for (; count; count--, at += sizeof(type)) {
		struct btf_type this = type;
		size_t vlen = spare / sizeof(struct btf_enum), extra = 0;
		if (spare % sizeof(struct btf_enum)) {
			this.info = BTF_KIND_INT << 24;
			extra = 4;
		} else if (vlen) {
			if (vlen > MAX_ENUM)
				vlen = MAX_ENUM;
			this.info = BTF_KIND_ENUM << 24 | vlen;
			extra = vlen * sizeof(struct btf_enum);
		}
		memcpy(m->types + at, &this, sizeof(this));
		at += extra;
		spare -= extra;
	}
}

/* How many types without members can make up for @size bytes: one takes 4 bytes more, one any number of 8. */
static bool has_room(size_t size, uint32_t count)
{
	size_t spare = size - count * sizeof(struct btf_type);

	return count >= (spare % 8 != 0) + (spare / 8 + MAX_ENUM - 1) / MAX_ENUM;
}

/* Numbers the runs, and fills what is between them; returns where the types end that can be told. */
static struct error *join_runs(struct mender *m, size_t *end_ret)
{
	uint32_t next = 1;
	struct error *err = NULL;

	*end_ret = 0;
	for (size_t i = 0; !err && i < m->runs.count; i++) {
		struct run *run = &m->runs.data[i];
		size_t gap = run->start - *end_ret;
		bool known = !gap;

		run->first = next;
		if (gap)
			err = number_run(m, run, next, gap, &known);
		if (err || !known || (gap && !has_room(gap, run->first - next)))
			continue;
		if (gap)
			fill(m, *end_ret, gap, run->first - next);
		next = run->first + run->count;
		*end_ret = run->end;
	}
	return err;
}

static struct error *mend_types(struct mender *m, const struct holes *holes, size_t offset,
				uint32_t *size_ret)
{
	size_t end;

	for (size_t i = 0; i < holes->list.count; i++) {
		struct hole hole = holes->list.data[i];
		if (hole.end <= offset || hole.start >= offset + m->size)
			continue;
		struct hole *place = vector_push(&m->holes);
		if (!place)
			return &error_no_memory;
		place->start = hole.start > offset ? hole.start - offset : 0;
		place->end = hole.end < offset + m->size ? hole.end - offset : m->size;
	}
	if (!m->holes.count)
		return NULL;
	struct error *err = find_runs(m);
	if (err)
		return err;
	m->is_proto = calloc(BTF_MAX_TYPES, 1);
	if (!m->is_proto)
		return &error_no_memory;
	mark_protos(m);
	err = join_runs(m, &end);
	*size_ret = end;
	return err;
}

static void mend_strings(char *strings, size_t size, const struct holes *holes, size_t offset)
{
	for (size_t i = 0; i < holes->list.count; i++) {
		struct hole hole = holes->list.data[i];
		if (hole.end <= offset || hole.start >= offset + size)
			continue;
		size_t start = hole.start > offset ? hole.start - offset : 0;
		size_t end = hole.end < offset + size ? hole.end - offset : size;
		memset(strings + start, NO_NAME_BYTE, end - start);
	}
	strings[size - 1] = '\0';
}

static bool is_within(uint32_t offset, uint32_t size, size_t body)
{
	return offset <= body && size <= body - offset;
}

struct error *btf_mend(void *data, size_t size, const struct holes *holes)
{
	struct btf_header *header = data;
	struct mender m = {};

	if (!holes->list.count)
		return NULL;
	if (size < sizeof(*header) || holes_touch(holes, 0, sizeof(*header)))
		return error_copy(holes->error);
	size_t body = header->hdr_len <= size ? size - header->hdr_len : 0;
	/* What makes no sense is for types_parse() to refuse. */
	if (!is_within(header->type_off, header->type_len, body) || !header->str_len ||
	    !is_within(header->str_off, header->str_len, body) || header->hdr_len % 4 ||
	    header->type_off % 4)
		return NULL;
	m.types = (uint8_t *)data + header->hdr_len + header->type_off;
	m.size = header->type_len;
	m.strings_size = header->str_len;
	struct error *err =
		mend_types(&m, holes, header->hdr_len + header->type_off, &header->type_len);
	if (!err)
		mend_strings((char *)data + header->hdr_len + header->str_off, header->str_len,
			     holes, header->hdr_len + header->str_off);
	free(m.is_proto);
	vector_deinit(&m.holes);
	vector_deinit(&m.runs);
	return err;
}
