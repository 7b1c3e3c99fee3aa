// SPDX-License-Identifier: GPL-2.0-only
/*
 * BTF has neither an index nor a mark where a type begins, so one missing page
 * of a few hundred would cost all that is behind it. But:
 *
 * - Where the types go on behind a hole is found by trying each word: what is
 *   no type soon shows, as the high bits of its second word are a kind.
 * - A type that begins before a hole says itself how long it is: it loses the
 *   members that are in the hole, and no more.
 * - How many types the hole has swallowed follows from what all others say of
 *   those behind it (btf_claims.h): only one number agrees with all of that.
 *
 * The hole is then filled with as many types without a name; the last of them
 * has the members that are left of it behind the hole. A run of types
 * between two holes that is too short to tell belongs to the hole. Strings
 * that are not there become bytes that no name has.
 */
#include "symbols/btf_mend.h"

#include <string.h>

#include "base/cleanup.h"
#include "symbols/btf.h"
#include "symbols/btf_claims.h"

#define INFO_UNUSED  0x60ff0000u /* bits of btf_type.info */
#define MAX_ENUM     0xffff /* BTF_MAX_VLEN */
#define TRUST	     64 /* types in a row that are no accident */
#define NR_LOOKED_AT 1000 /* types whose names tell that they are names */
#define MAX_PARTS    8 /* between holes */
#define MAX_ACCIDENT 64 /* bytes of types that look like text */
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
	const char *strings; /* zeros where they are not there */
	uint32_t strings_size;
	VECTOR(struct hole) holes; /* of the section */
	VECTOR(struct run) runs;
	struct btf_claims claims;
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

/* Bytes of each of the elements behind a type of that kind that a hole may take away; 0: it has none. */
static size_t element_size(const struct btf_type *type)
{
	return btf_vlen(type) ? btf_extra_size(type) / btf_vlen(type) : 0;
}

/* A member of which a part is lost says something wrong. */
static void blank_elements(struct mender *m, size_t at, size_t end)
{
	const struct btf_type *type = (const struct btf_type *)(m->types + at);
	size_t size = element_size(type);

	at += sizeof(*type);
	if (!size)
		memset(m->types + at, 0, end - at);
	for (size_t i = 0; size && i < m->holes.count; i++) {
		struct hole hole = m->holes.data[i];
		if (hole.end <= at || hole.start >= end)
			continue;
		size_t from = hole.start > at ? (hole.start - at) / size * size : 0;
		size_t to = ((hole.end < end ? hole.end : end) - at + size - 1) / size * size;
		memset(m->types + at + from, 0, to - from);
	}
}

/* Takes a type that goes on from the end of @run into a hole. */
static void take_crossing(struct mender *m, size_t hole, struct run *run)
{
	size_t end;

	if (hole - run->end < sizeof(struct btf_type) || !type_at(m, run->end, m->size, &end))
		return;
	blank_elements(m, run->end, end);
	run->end = end;
	run->count++;
}

static bool goes_on(const struct mender *m, size_t at, size_t end)
{
	struct run run = walk(m, at, end, TRUST);

	return run.count == TRUST || run.end == end;
}

static struct error *find_runs(struct mender *m)
{
	size_t at = 0;

	for (size_t i = 0; i <= m->holes.count; i++) {
		const struct hole *hole = i < m->holes.count ? &m->holes.data[i] : NULL;
		size_t end = hole ? hole->start : m->size;
		if (i) {
			size_t behind = m->holes.data[i - 1].end;
			if (at < behind || (at < end && !goes_on(m, at, end)))
				at = resume(m, at < behind ? behind : at, end);
		}
		if (at >= end)
			continue;
		struct run run = walk(m, at, end, BTF_MAX_TYPES);
		if (hole && run.count)
			take_crossing(m, end, &run);
		if (!run.count)
			continue;
		at = run.end;
		struct run *place = vector_push(&m->runs);
		if (!place)
			return &error_no_memory;
		*place = run;
	}
	return NULL;
}

static struct error *list_claims(struct mender *m)
{
	struct error *err = btf_claims_init(&m->claims, m->size / sizeof(struct btf_type) + 1);

	for (size_t i = 0; !err && i < m->runs.count; i++) {
		const struct run *run = &m->runs.data[i];
		const struct btf_type *type;
		for (size_t at = run->start;
		     at < run->end && (type = type_at(m, at, m->size, &at));)
			btf_claims_add(&m->claims, type);
	}
	return err;
}

/* What the types of a run are. */
static struct error *list_facts(const struct mender *m, const struct run *run,
				struct btf_fact **ret)
{
	struct btf_fact *facts = calloc(run->count, sizeof(*facts));
	size_t at = run->start;

	if (!facts)
		return &error_no_memory;
	for (uint32_t i = 0; i < run->count; i++) {
		const struct btf_type *type = type_at(m, at, m->size, &at);
		if (type)
			facts[i] = btf_fact(type);
	}
	*ret = facts;
	return NULL;
}

/* Numbers a run that follows @bytes of which nothing is known, behind number @next - 1. False if it cannot be told. */
static struct error *number_run(const struct mender *m, struct run *run, uint32_t next,
				size_t bytes, bool *ret)
{
	_cleanup_free_ struct btf_fact *facts = NULL;
	struct error *err = list_facts(m, run, &facts);
	uint64_t most = bytes / sizeof(struct btf_type), found = 0;

	for (uint64_t lost = 0; !err && lost <= most; lost++) {
		if (!btf_claims_allow(&m->claims, facts, run->count, next + lost))
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

	return size >= count * sizeof(struct btf_type) &&
	       count >= (spare % 8 != 0) + (spare / 8 + MAX_ENUM - 1) / MAX_ENUM;
}

static bool is_name(const struct mender *m, uint32_t name)
{
	return name < m->strings_size && (!name || !m->strings[name - 1]);
}

/* The members that a struct has left in [@at, @end), where the next type begins: how many; 0 if it is no struct. */
static uint32_t count_members(const struct mender *m, size_t at, size_t end, bool *bits_ret)
{
	uint32_t next = UINT32_MAX, count = 0;

	*bits_ret = false;
	for (; end - at >= sizeof(struct btf_member); count++) {
		end -= sizeof(struct btf_member);
		const struct btf_member *member = (const struct btf_member *)(m->types + end);
		uint32_t bits = BTF_MEMBER_BIT_OFFSET(member->offset);
		if (!is_name(m, member->name_off) || !member->type ||
		    member->type >= m->claims.count || bits > next)
			return 0;
		*bits_ret = *bits_ret || BTF_MEMBER_BITFIELD_SIZE(member->offset);
		next = bits;
	}
	return count;
}

/* Where the last hole before @at ends. */
static size_t hole_before(const struct mender *m, size_t at)
{
	size_t ret = 0;

	for (size_t i = 0; i < m->holes.count && m->holes.data[i].end <= at; i++)
		ret = m->holes.data[i].end;
	return ret;
}

/* Makes @count types of the bytes [@at, @end), the last of them of the members that are left of it. */
static bool fill_gap(struct mender *m, size_t at, size_t end, uint32_t count)
{
	bool bits;
	size_t behind = hole_before(m, end);
	uint32_t members = count && behind > at ? count_members(m, behind, end, &bits) : 0;
	size_t tail = members * sizeof(struct btf_member);

	if (members) {
		struct btf_type type = {
			.info = (uint32_t)bits << 31 | BTF_KIND_STRUCT << 24 | members,
		};
		size_t start = end - tail - sizeof(type);
		if (end - tail - at >= sizeof(type) && has_room(start - at, count - 1)) {
			fill(m, at, start - at, count - 1);
			memcpy(m->types + start, &type, sizeof(type));
			return true;
		}
	}
	if (!has_room(end - at, count))
		return false;
	fill(m, at, end - at, count);
	return true;
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
		if (err || !known || (gap && !fill_gap(m, *end_ret, run->start, run->first - next)))
			continue;
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
	err = list_claims(m);
	if (!err)
		err = join_runs(m, &end);
	if (!err)
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

/* Whether the names of types, which go on somewhere behind @at, all begin where a string begins. */
static bool names_begin(const struct mender *m, size_t at)
{
	uint32_t named = 0, right = 0;

	for (int part = 0; part < MAX_PARTS && named < NR_LOOKED_AT; part++) {
		const struct btf_type *type;
		at = resume(m, at, m->size);
		while (at < m->size && named < NR_LOOKED_AT &&
		       (type = type_at(m, at, m->size, &at))) {
			named += type->name_off != 0;
			right += type->name_off && is_name(m, type->name_off);
		}
	}
	return named >= TRUST && right == named;
}

static bool is_text(char c)
{
	return !c || (c >= ' ' && c < 0x7f);
}

/*
 * A header that is not there can be made again: the strings, the first of them empty, are the text at the end, and
 * types go up to them. The beginning of the types is lost with it.
 */
static bool make_header(uint8_t *data, size_t size, const struct holes *holes)
{
	struct btf_header *header = (struct btf_header *)data;
	struct mender m = { .types = data + sizeof(*header) };
	size_t at = size, behind = (holes->list.data[0].end + 3) & ~(size_t)3;

	/* A part of the header may be there. */
	if (behind < sizeof(*header))
		behind = sizeof(*header);
	while (at > behind && is_text((char)data[at - 1]))
		at--;
	for (size_t end = at + MAX_ACCIDENT; at + 1 < size && at <= end; at++) {
		if (at % 4 || at <= behind || data[at] || !data[at + 1])
			continue;
		m.size = at - sizeof(*header);
		m.strings = (const char *)data + at;
		m.strings_size = size - at;
		if (!names_begin(&m, behind - sizeof(*header)))
			continue;
		*header = (struct btf_header){
			.magic = BTF_MAGIC,
			.version = BTF_VERSION,
			.hdr_len = sizeof(*header),
			.type_len = m.size,
			.str_off = m.size,
			.str_len = m.strings_size,
		};
		return true;
	}
	return false;
}

struct error *btf_mend(void *data, size_t size, const struct holes *holes)
{
	struct btf_header *header = data;
	struct mender m = {};

	if (!holes->list.count)
		return NULL;
	if (size < sizeof(*header) ||
	    (holes_touch(holes, 0, sizeof(*header)) && !make_header(data, size, holes)))
		return error_copy(holes->error);
	size_t body = header->hdr_len <= size ? size - header->hdr_len : 0;
	/* What makes no sense is for types_parse() to refuse. */
	if (header->hdr_len < sizeof(*header) ||
	    !is_within(header->type_off, header->type_len, body) || !header->str_len ||
	    !is_within(header->str_off, header->str_len, body) || header->hdr_len % 4 ||
	    header->type_off % 4)
		return NULL;
	m.types = (uint8_t *)data + header->hdr_len + header->type_off;
	m.size = header->type_len;
	m.strings = (const char *)data + header->hdr_len + header->str_off;
	m.strings_size = header->str_len;
	struct error *err =
		mend_types(&m, holes, header->hdr_len + header->type_off, &header->type_len);
	if (!err)
		mend_strings((char *)data + header->hdr_len + header->str_off, header->str_len,
			     holes, header->hdr_len + header->str_off);
	btf_claims_deinit(&m.claims);
	vector_deinit(&m.holes);
	vector_deinit(&m.runs);
	return err;
}
