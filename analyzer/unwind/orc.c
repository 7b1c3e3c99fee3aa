// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two tables, sorted: orc_unwind_ip, 32 bits each, the distance from the
 * entry's own address to the code; and orc_unwind, six bytes each:
 *
 *	s16 sp_offset, s16 bp_offset, u16 with, from the low bits up,
 *	sp_reg:4 bp_reg:4 type:2 end:1			up to 6.2
 *	sp_reg:4 bp_reg:4 type:2 signal:1 end:1		6.3 (ffb1b4a41016)
 *	sp_reg:4 bp_reg:4 type:3 signal:1		since 6.4 (fb799447ae29)
 *
 * and since 7.1 (1735858caa4b) other numbers of registers. An entry holds from
 * its place in the code to that of the next. Since 6.4 and 6.3.10
 * (b9f174c811e3) the array orc_header is a hash of the format; kernels without
 * it, vendors' that took newer formats among them, are told apart by the
 * members of struct orc_entry.
 */
#include "unwind/orc.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_SIZE  6
#define MAX_ENTRIES (16u << 20)
#define HASH_SIZE   20 /* SHA-1: scripts/orc_hash.sh */

/* Offsets and, in the numbers up to 7.0, registers; returns the bits behind them. */
static unsigned int decode_common(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	ret->sp_offset = (int16_t)(raw[0] | raw[1] << 8);
	ret->bp_offset = (int16_t)(raw[2] | raw[3] << 8);
	ret->sp_reg = raw[4] & 0xf;
	ret->bp_reg = raw[4] >> 4;
	return raw[5];
}

/* Up to 6.3 no type says that there is no caller; then there is no register either. */
static void decode_type(struct orc_entry *ret, unsigned int type, bool end)
{
	static const uint8_t types[4] = { ORC_TYPE_CALL, ORC_TYPE_REGS, ORC_TYPE_REGS_PARTIAL,
					  ORC_TYPE_UNDEFINED };

	ret->type = types[type];
	if (ret->sp_reg == ORC_REG_UNDEFINED)
		ret->type = end ? ORC_TYPE_END_OF_STACK : ORC_TYPE_UNDEFINED;
}

static void decode_4_14(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	unsigned int bits = decode_common(raw, ret);

	decode_type(ret, bits & 3, bits & 4);
	ret->signal = ret->type == ORC_TYPE_REGS || ret->type == ORC_TYPE_REGS_PARTIAL;
}

static void decode_6_3(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	unsigned int bits = decode_common(raw, ret);

	decode_type(ret, bits & 3, bits & 8);
	ret->signal = bits & 4;
}

static void decode_6_4(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	static const uint8_t types[8] = { ORC_TYPE_UNDEFINED, ORC_TYPE_END_OF_STACK, ORC_TYPE_CALL,
					  ORC_TYPE_REGS, ORC_TYPE_REGS_PARTIAL };
	unsigned int bits = decode_common(raw, ret);

	ret->type = types[bits & 7];
	ret->signal = bits & 8;
}

static void decode_7_1(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	static const uint8_t registers[16] = {
		ORC_REG_UNDEFINED, ORC_REG_AX,		ORC_REG_DX,	     ORC_REG_SP,
		ORC_REG_BP,	   ORC_REG_DI,		ORC_REG_R10,	     ORC_REG_R13,
		ORC_REG_PREV_SP,   ORC_REG_SP_INDIRECT, ORC_REG_BP_INDIRECT, ORC_REG_INVALID,
		ORC_REG_INVALID,   ORC_REG_INVALID,	ORC_REG_INVALID,     ORC_REG_INVALID,
	};

	decode_6_4(raw, ret);
	ret->sp_reg = registers[ret->sp_reg];
	ret->bp_reg = registers[ret->bp_reg];
}

/* What scripts/orc_hash.sh makes of arch/x86/include/asm/orc_types.h. */
static const struct {
	uint8_t hash[HASH_SIZE];
	void (*decode)(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret);
} formats[] = {
	{ { 0xdb, 0x84, 0xae, 0xd4, 0x10, 0x3b, 0x31, 0xdd, 0x51, 0xe0,
	    0x17, 0xf8, 0xf7, 0x97, 0x83, 0xca, 0x98, 0x5c, 0x2c, 0x51 },
	  decode_6_3 },
	{ { 0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9,
	    0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24 },
	  decode_6_4 },
	{ { 0x13, 0x7c, 0x36, 0xad, 0x76, 0x27, 0xc4, 0xdd, 0x55, 0x93,
	    0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd, 0x50, 0x41, 0xfc, 0x82 },
	  decode_7_1 },
};

static struct error *format_by_hash(struct orc *orc, uint64_t header)
{
	uint8_t hash[HASH_SIZE];
	char text[2 * HASH_SIZE + 1];

	struct error *err = memory_read(orc->symbols->memory, header, hash, sizeof(hash));
	if (err)
		return error_prefix(err, "ORC: orc_header");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!memcmp(formats[i].hash, hash, sizeof(hash))) {
			orc->decode = formats[i].decode;
			return NULL;
		}
	}
	for (size_t i = 0; i < HASH_SIZE; i++)
		sprintf(text + 2 * i, "%02x", hash[i]);
	return error_fault(ERROR_OTHER, header,
			   "ORC: the format with the hash %s is not known: stacks are guesses",
			   text);
}

static void format_by_members(struct orc *orc)
{
	const struct types *types = orc->symbols->types;
	struct member member;

	if (!types_member(types, "orc_entry", "signal", &member))
		orc->decode = decode_4_14;
	else if (types_member(types, "orc_entry", "end", &member))
		orc->decode = decode_6_3;
	else
		orc->decode = decode_6_4;
}

struct error *orc_init(struct orc *orc, struct symbols *symbols)
{
	uint64_t stop, header = symbols->at[KSYM_orc_header];

	memset(orc, 0, sizeof(*orc));
	orc->symbols = symbols;
	struct error *err = symbols_address(symbols, KSYM___start_orc_unwind_ip, &orc->ip);
	if (!err)
		err = symbols_address(symbols, KSYM___stop_orc_unwind_ip, &stop);
	if (!err)
		err = symbols_address(symbols, KSYM___start_orc_unwind, &orc->entries);
	if (err)
		return err;
	orc->count = (stop - orc->ip) / sizeof(int32_t);
	if (stop < orc->ip || !orc->count || orc->count > MAX_ENTRIES)
		return error_fault(ERROR_CORRUPT, orc->ip, "ORC: a table of %llu entries",
				   (unsigned long long)orc->count);
	if (header)
		return format_by_hash(orc, header);
	format_by_members(orc);
	return NULL;
}

static struct error *read_ip(const struct orc *orc, uint64_t table, uint64_t index, uint64_t *ret)
{
	uint64_t at = table + index * sizeof(int32_t);
	uint32_t distance;
	struct error *err = memory_read_u32(orc->symbols->memory, at, &distance);

	if (!err)
		*ret = at + (int32_t)distance;
	return err;
}

/* Entries per page of the first table, about: the next page is that far away. */
#define PAGE_ENTRIES (PAGE_SIZE / sizeof(int32_t))

/*
 * Halves [*@low, *@high) by the entry in the middle, or if that is not in the
 * dump by the nearest to either side, where the next pages begin and end. An
 * error if neither tells.
 */
static struct error *halve(const struct orc *orc, uint64_t ips, uint64_t pc, uint64_t *low,
			   uint64_t *high)
{
	uint64_t middle = *low + (*high - *low) / 2, ip;
	struct error *err = read_ip(orc, ips, middle, &ip);

	if (!err) {
		if (ip <= pc)
			*low = middle + 1;
		else
			*high = middle;
		return NULL;
	}
	uint64_t in_page = (ips + middle * sizeof(int32_t)) % PAGE_SIZE / sizeof(int32_t);
	uint64_t after = middle + PAGE_ENTRIES - in_page, before = middle - in_page - 1;
	struct error *other = NULL;
	if (after < *high && !(other = read_ip(orc, ips, after, &ip)) && ip <= pc) {
		*low = after + 1;
	} else {
		error_destroy(other);
		other = NULL;
		if (middle < in_page + 1 || before < *low ||
		    (other = read_ip(orc, ips, before, &ip)) || ip <= pc) {
			error_destroy(other);
			return err;
		}
		*high = before;
	}
	error_destroy(err);
	return NULL;
}

static struct error *search(const struct orc *orc, uint64_t ips, uint64_t entries, uint64_t count,
			    uint64_t pc, struct orc_entry *ret)
{
	uint64_t low = 0, high = count;
	uint8_t raw[ENTRY_SIZE];
	struct error *err;

	while (low < high) {
		err = halve(orc, ips, pc, &low, &high);
		if (err)
			return err;
	}
	if (!low)
		return error_create(ERROR_NOT_FOUND, "ORC: nothing covers 0x%llx",
				    (unsigned long long)pc);
	err = memory_read(orc->symbols->memory, entries + (low - 1) * ENTRY_SIZE, raw, sizeof(raw));
	if (!err)
		orc->decode(raw, ret);
	return err;
}

static bool is_core_code(const uint64_t at[NR_KSYM], uint64_t pc)
{
	return (pc >= at[KSYM__stext] && pc < at[KSYM__etext]) ||
	       (pc >= at[KSYM__sinittext] && pc < at[KSYM__einittext]);
}

static struct error *find(const struct orc *orc, uint64_t pc, struct orc_entry *ret)
{
	const struct module *module = modules_find(&orc->symbols->modules, pc);

	if (module && module->nr_orc && module->nr_orc <= MAX_ENTRIES)
		return search(orc, module->orc_ip, module->orc, module->nr_orc, pc, ret);
	/* The tables end with the core kernel's code; what is behind it is generated. */
	if (module || !is_core_code(orc->symbols->at, pc))
		return error_create(ERROR_NOT_FOUND, "ORC: nothing covers 0x%llx",
				    (unsigned long long)pc);
	return search(orc, orc->ip, orc->entries, orc->count, pc, ret);
}

struct error *orc_find(struct orc *orc, uint64_t pc, struct orc_entry *ret)
{
	size_t place = (pc ^ pc >> 11) % ORC_CACHE_SIZE;

	if (pc == UINT64_MAX)
		return find(orc, pc, ret);
	if (orc->cache[place].pc != pc + 1) {
		struct error *err = find(orc, pc, &orc->cache[place].entry);
		if (err) {
			orc->cache[place].pc = 0;
			return err;
		}
		orc->cache[place].pc = pc + 1;
	}
	*ret = orc->cache[place].entry;
	return NULL;
}
