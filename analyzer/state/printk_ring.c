// SPDX-License-Identifier: GPL-2.0-only
/*
 * The printk ring buffer since 5.10 (896fbe20b4e2), kernel/printk/printk_ringbuffer.h:
 *
 *	prb			a pointer to struct printk_ringbuffer
 *	desc_ring.descs		2^count_bits descriptors; the id of a record is its place in the ring
 *				and, above that, how often the ring went round
 *	desc_ring.infos		as many struct printk_info: time, level, length of the text
 *	text_data_ring.data	2^size_bits bytes; a block is an id and the text, found by its logical
 *				position, begin and next, which count on as the ring goes round
 *
 * A descriptor's state stands in the two high bits of state_var: 1 is
 * committed, 2 is finalized. A block that would go over the end begins again
 * at the start of the data. Where things are is all in the vmcoreinfo, so the
 * log can be had of a dump that has nothing else.
 */
#include "state/printk.h"

#include <string.h>

#define STATE_SHIFT	62
#define EMPTY_LINE_LPOS 3 /* earlier called NO_LPOS; printk_ringbuffer.h */
#define STATE_COMMITTED 1
#define STATE_FINALIZED 2
#define ID_MASK		((1ull << STATE_SHIFT) - 1)

/* log_buf_len=64M, whose descriptors and infos have 224 MB. A kernel of 8192 CPUs makes itself a buffer of 32 MB. */
#define MAX_COUNT_BITS 21
#define MAX_SIZE_BITS  26
#define MAX_TABLE_SIZE (256u << 20)
#define SUBSYSTEM_SIZE 16 /* PRINTK_INFO_SUBSYSTEM_LEN, PRINTK_INFO_DEVICE_LEN */
#define DEVICE_SIZE    48
#define MAX_ENTRY_SIZE 256 /* of a descriptor or info; they have 24 and 88 bytes */

struct table {
	uint8_t *bytes;
	struct holes holes;
};

struct ring {
	struct memory *memory;
	const struct vmcoreinfo *info;
	uint64_t count_bits, size_bits;
	uint64_t head_id, tail_id;
	struct table descs, infos, data;
	uint64_t desc_size, info_size;
	/* Offsets in a descriptor and in struct printk_info. */
	uint64_t state_var, begin, next, ts_nsec, text_len, level;
	/* The same; UINT64_MAX: not there. */
	uint64_t caller_id, subsystem, device;
};

static struct error *number(const struct ring *ring, const char *key, uint64_t *ret)
{
	if (vmcoreinfo_number(ring->info, key, ret))
		return NULL;
	return error_create(ERROR_NOT_FOUND, "the vmcoreinfo lacks %s", key);
}

static struct error *numbers(const struct ring *ring, const char *const *keys, uint64_t **rets,
			     size_t count)
{
	struct error *err = NULL;

	for (size_t i = 0; !err && i < count; i++)
		err = number(ring, keys[i], rets[i]);
	return err;
}

/* Reads the word at @object + the offset that the vmcoreinfo has under @key. */
static struct error *read_field(const struct ring *ring, uint64_t object, const char *key,
				uint64_t size, uint64_t *ret)
{
	uint64_t offset;
	struct error *err = number(ring, key, &offset);

	*ret = 0;
	return err ? err : memory_read(ring->memory, object + offset, ret, size);
}

static bool fits(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

/* Where in struct printk_info a member of @size bytes begins, or UINT64_MAX. */
static uint64_t optional(const struct ring *ring, const char *outer, const char *inner,
			 uint64_t size)
{
	uint64_t offset, more = 0;

	if (!vmcoreinfo_number(ring->info, outer, &offset) ||
	    (inner && !vmcoreinfo_number(ring->info, inner, &more)) ||
	    !fits(offset, 0, ring->info_size) || !fits(offset + more, size, ring->info_size))
		return UINT64_MAX;
	return offset + more;
}

static struct error *read_layout(struct ring *ring)
{
	uint64_t lpos, begin, next, text_len;
	const char *const keys[] = {
		"SIZE(prb_desc)",
		"SIZE(printk_info)",
		"OFFSET(prb_desc.state_var)",
		"OFFSET(prb_desc.text_blk_lpos)",
		"OFFSET(prb_data_blk_lpos.begin)",
		"OFFSET(prb_data_blk_lpos.next)",
		"OFFSET(printk_info.ts_nsec)",
		"OFFSET(printk_info.text_len)",
	};
	uint64_t *rets[] = { &ring->desc_size, &ring->info_size,
			     &ring->state_var, &lpos,
			     &begin,	       &next,
			     &ring->ts_nsec,   &text_len };

	struct error *err = numbers(ring, keys, rets, sizeof(keys) / sizeof(keys[0]));
	if (err)
		return err;
	ring->begin = lpos + begin;
	ring->next = lpos + next;
	ring->text_len = text_len;
	/* u16 text_len, u8 facility, u8 flags:5 level:3 (struct printk_info) */
	ring->level = text_len + 3;
	if (ring->desc_size > MAX_ENTRY_SIZE || ring->info_size > MAX_ENTRY_SIZE ||
	    !fits(ring->state_var, 8, ring->desc_size) || !fits(ring->begin, 8, ring->desc_size) ||
	    !fits(ring->next, 8, ring->desc_size) || !fits(ring->ts_nsec, 8, ring->info_size) ||
	    !fits(ring->text_len, 4, ring->info_size))
		return error_fault(ERROR_CORRUPT, 0,
				   "the vmcoreinfo's offsets of the printk buffer make no sense");
	ring->caller_id = optional(ring, "OFFSET(printk_info.caller_id)", NULL, sizeof(uint32_t));
	ring->subsystem = optional(ring, "OFFSET(printk_info.dev_info)",
				   "OFFSET(dev_printk_info.subsystem)", SUBSYSTEM_SIZE);
	ring->device = optional(ring, "OFFSET(printk_info.dev_info)",
				"OFFSET(dev_printk_info.device)", DEVICE_SIZE);
	return NULL;
}

static struct error *read_table(struct memory *memory, uint64_t va, uint64_t size,
				struct table *ret)
{
	return memory_read_table(memory, va, size, MAX_TABLE_SIZE, &ret->bytes, &ret->holes);
}

static void table_deinit(struct table *table)
{
	free(table->bytes);
	holes_deinit(&table->holes);
}

static struct error *read_ring(struct ring *ring)
{
	struct memory *memory = ring->memory;
	uint64_t prb, address, desc_ring, data_ring, descs, infos, data;

	if (!vmcoreinfo_symbol(ring->info, "prb", &address))
		return error_create(ERROR_NOT_FOUND,
				    "the vmcoreinfo lacks SYMBOL(prb), which kernels "
				    "have since 5.10");
	struct error *err = read_layout(ring);
	if (!err)
		err = memory_read_u64(memory, address, &prb);
	if (!err)
		err = number(ring, "OFFSET(printk_ringbuffer.desc_ring)", &desc_ring);
	if (!err)
		err = number(ring, "OFFSET(printk_ringbuffer.text_data_ring)", &data_ring);
	if (err)
		return err;
	desc_ring += prb;
	data_ring += prb;

	const struct {
		uint64_t object;
		const char *key;
		uint64_t size;
		uint64_t *ret;
	} fields[] = {
		{ desc_ring, "OFFSET(prb_desc_ring.count_bits)", 4, &ring->count_bits },
		{ desc_ring, "OFFSET(prb_desc_ring.descs)", 8, &descs },
		{ desc_ring, "OFFSET(prb_desc_ring.infos)", 8, &infos },
		{ desc_ring, "OFFSET(prb_desc_ring.head_id)", 8, &ring->head_id },
		{ desc_ring, "OFFSET(prb_desc_ring.tail_id)", 8, &ring->tail_id },
		{ data_ring, "OFFSET(prb_data_ring.size_bits)", 4, &ring->size_bits },
		{ data_ring, "OFFSET(prb_data_ring.data)", 8, &data },
	};
	for (size_t i = 0; !err && i < sizeof(fields) / sizeof(fields[0]); i++)
		err = read_field(ring, fields[i].object, fields[i].key, fields[i].size,
				 fields[i].ret);
	if (!err && (ring->count_bits > MAX_COUNT_BITS || ring->size_bits > MAX_SIZE_BITS))
		err = error_fault(ERROR_CORRUPT, prb, "a printk buffer of 2^%llu records",
				  (unsigned long long)ring->count_bits);
	if (err)
		return err;
	uint64_t count = 1ull << ring->count_bits, size = 1ull << ring->size_bits;
	err = read_table(memory, descs, count * ring->desc_size, &ring->descs);
	if (!err)
		err = read_table(memory, infos, count * ring->info_size, &ring->infos);
	if (!err)
		err = read_table(memory, data, size, &ring->data);
	return err;
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The text of a record. False if there is none, or none that can be told. */
static bool record_text(const struct ring *ring, const uint8_t *desc, uint64_t text_len,
			const char **ret, size_t *size_ret)
{
	uint64_t begin = word_at(desc + ring->begin), next = word_at(desc + ring->next);
	uint64_t size = 1ull << ring->size_bits, start = begin & (size - 1);

	/* Odd positions mark records without data: those that found no room, and empty lines. */
	if (begin == EMPTY_LINE_LPOS && next == EMPTY_LINE_LPOS) {
		*ret = "";
		*size_ret = 0;
		return true;
	}
	if (begin & 1 || next & 1)
		return false;
	if (begin >> ring->size_bits != next >> ring->size_bits && (next & (size - 1))) {
		start = 0; /* it did not fit before the end */
		begin = 0;
	}
	uint64_t room = (next - begin) & (size - 1);
	if (!room)
		room = size;
	/* The id comes first. */
	if (room < sizeof(uint64_t) || start + sizeof(uint64_t) > size)
		return false;
	start += sizeof(uint64_t);
	room -= sizeof(uint64_t);
	if (room > size - start)
		room = size - start;
	*ret = (const char *)ring->data.bytes + start;
	*size_ret = text_len < room ? text_len : room;
	return true;
}

/* Reads the entry of a descriptor. False if it is none, or if what it needs is not in the dump. */
static bool read_record(const struct ring *ring, uint64_t id, struct printk_record *ret,
			bool *lost_ret)
{
	uint64_t place = id & ((1ull << ring->count_bits) - 1);
	const uint8_t *desc = ring->descs.bytes + place * ring->desc_size;
	const uint8_t *info = ring->infos.bytes + place * ring->info_size;
	uint64_t state = word_at(desc + ring->state_var);
	size_t room;

	*lost_ret = true;
	if (holes_touch(&ring->descs.holes, place * ring->desc_size, ring->desc_size) ||
	    holes_touch(&ring->infos.holes, place * ring->info_size, ring->info_size))
		return false;
	*lost_ret = false;
	if ((state & ID_MASK) != id ||
	    (state >> STATE_SHIFT != STATE_COMMITTED && state >> STATE_SHIFT != STATE_FINALIZED))
		return false;
	uint64_t text_len = info[ring->text_len] | info[ring->text_len + 1] << 8;
	if (!record_text(ring, desc, text_len, &ret->text, &room))
		return false;
	ret->size = room;
	*lost_ret = room && holes_touch(&ring->data.holes,
					(const uint8_t *)ret->text - ring->data.bytes, room);
	ret->t_ns = word_at(info + ring->ts_nsec);
	ret->level = info[ring->level] >> 5;
	if (ring->caller_id != UINT64_MAX) {
		ret->has_caller = true;
		memcpy(&ret->caller, info + ring->caller_id, sizeof(ret->caller));
	}
	return !*lost_ret;
}

/* Whom the record is about, if it was printed by dev_printk(). */
static void read_device(const struct ring *ring, uint64_t id, char subsystem[SUBSYSTEM_SIZE],
			char device[DEVICE_SIZE])
{
	uint64_t place = id & ((1ull << ring->count_bits) - 1);
	const uint8_t *info = ring->infos.bytes + place * ring->info_size;

	subsystem[0] = device[0] = '\0';
	if (ring->subsystem != UINT64_MAX)
		memcpy(subsystem, info + ring->subsystem, SUBSYSTEM_SIZE);
	if (ring->device != UINT64_MAX)
		memcpy(device, info + ring->device, DEVICE_SIZE);
	subsystem[SUBSYSTEM_SIZE - 1] = device[DEVICE_SIZE - 1] = '\0';
}

static struct error *read_records(struct dmesg *dmesg, const struct ring *ring)
{
	uint64_t mask = (1ull << ring->count_bits) - 1;
	uint64_t count = ((ring->head_id - ring->tail_id) & ID_MASK) + 1, nr_lost = 0;
	struct error *err = NULL;

	if (count > mask + 1)
		count = mask + 1;
	/* Records do not share text: all together have no more than the ring. */
	uint64_t room = 1ull << ring->size_bits;
	for (uint64_t i = 0; !err && i < count; i++) {
		uint64_t id = (ring->tail_id + i) & ID_MASK;
		char subsystem[SUBSYSTEM_SIZE], device[DEVICE_SIZE];
		struct printk_record record = { .subsystem = subsystem, .device = device };
		bool lost;

		bool whole = read_record(ring, id, &record, &lost);
		nr_lost += lost;
		if (!whole)
			continue;
		if (record.size > room)
			return error_fault(
				ERROR_CORRUPT, 0,
				"the records have more text than the buffer has room for");
		room -= record.size;
		read_device(ring, id, subsystem, device);
		err = dmesg_add(dmesg, &record);
	}
	if (!err && nr_lost) {
		const struct error *why = ring->descs.holes.error   ? ring->descs.holes.error
					  : ring->infos.holes.error ? ring->infos.holes.error
								    : ring->data.holes.error;
		err = error_fault(why->class, why->address, "%llu records are lost: %s",
				  (unsigned long long)nr_lost, why->message);
	}
	return err;
}

struct error *printk_ring_read(struct dmesg *dmesg, struct memory *memory,
			       const struct vmcoreinfo *info)
{
	struct ring ring = { .memory = memory, .info = info };

	struct error *err = read_ring(&ring);
	if (!err)
		err = read_records(dmesg, &ring);
	table_deinit(&ring.descs);
	table_deinit(&ring.infos);
	table_deinit(&ring.data);
	return err;
}
