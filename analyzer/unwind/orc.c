// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two tables, sorted: orc_unwind_ip, 32 bits each, the distance from the
 * entry's own address to the code; and orc_unwind, six bytes each:
 *
 *	s16 sp_offset, s16 bp_offset, u16 with, from the low bits up,
 *	sp_reg:4 bp_reg:4 type:2 end:1			up to 6.2
 *
 * An entry holds from its place in the code to that of the next. Since 6.4 a
 * hash of the format is in the section .orc_header (b9f174c811e3); 6.3 and 6.4
 * changed the bits (ffb1b4a41016, fb799447ae29).
 */
#include "unwind/orc.h"

#include <stdio.h>
#include <string.h>

#define ENTRY_SIZE  6
#define MAX_ENTRIES (16u << 20)

static void decode_5_10(const uint8_t raw[ENTRY_SIZE], struct orc_entry *ret)
{
	static const uint8_t types[4] = { ORC_TYPE_CALL, ORC_TYPE_REGS, ORC_TYPE_REGS_PARTIAL,
					  ORC_TYPE_UNDEFINED };
	uint16_t bits = raw[4] | raw[5] << 8;

	ret->sp_offset = (int16_t)(raw[0] | raw[1] << 8);
	ret->bp_offset = (int16_t)(raw[2] | raw[3] << 8);
	ret->sp_reg = bits & 0xf;
	ret->bp_reg = bits >> 4 & 0xf;
	ret->type = types[bits >> 8 & 3];
	if (ret->sp_reg == ORC_REG_UNDEFINED)
		ret->type = bits & 0x400 ? ORC_TYPE_END_OF_STACK : ORC_TYPE_UNDEFINED;
}

static struct error *choose_format(struct orc *orc, const struct vmcoreinfo *info)
{
	const char *release;
	char copy[64];
	size_t size;
	unsigned int major, minor;

	if (!vmcoreinfo_string(info, "OSRELEASE", &release, &size) || size >= sizeof(copy))
		return error_create(ERROR_OTHER, "ORC: the vmcoreinfo has no OSRELEASE");
	memcpy(copy, release, size);
	copy[size] = '\0';
	if (orc->symbols->at[KSYM_orc_header] || sscanf(copy, "%u.%u", &major, &minor) != 2 ||
	    major > 6 || (major == 6 && minor > 2))
		return error_create(
			ERROR_OTHER,
			"ORC: the unwind format of kernel %s is not known; stacks can be "
			"had up to 6.2",
			copy);
	orc->decode = decode_5_10;
	return NULL;
}

struct error *orc_init(struct orc *orc, struct symbols *symbols, const struct vmcoreinfo *info)
{
	uint64_t stop;

	*orc = (struct orc){ .symbols = symbols };
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
	return choose_format(orc, info);
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

static struct error *search(const struct orc *orc, uint64_t ips, uint64_t entries, uint64_t count,
			    uint64_t pc, struct orc_entry *ret)
{
	uint64_t low = 0, high = count, ip;
	uint8_t raw[ENTRY_SIZE];
	struct error *err;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		err = read_ip(orc, ips, middle, &ip);
		if (err)
			return err;
		if (ip <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return error_create(ERROR_NOT_FOUND, "ORC: nothing covers 0x%llx",
				    (unsigned long long)pc);
	err = memory_read(orc->symbols->memory, entries + (low - 1) * ENTRY_SIZE, raw, sizeof(raw));
	if (!err)
		orc->decode(raw, ret);
	return err;
}

struct error *orc_find(const struct orc *orc, uint64_t pc, struct orc_entry *ret)
{
	const struct module *module = modules_find(&orc->symbols->modules, pc);
	struct symbol symbol;

	if (!orc->decode)
		return error_create(ERROR_OTHER,
				    "ORC: the unwind format of this kernel is not known; "
				    "stacks can be had up to 6.2");
	if (module && module->nr_orc && module->nr_orc <= MAX_ENTRIES)
		return search(orc, module->orc_ip, module->orc, module->nr_orc, pc, ret);
	if (!module)
		symbol = symbols_lookup(orc->symbols, pc);
	/* The tables end with the core kernel's code; what is behind it is generated. */
	if (module || !symbol.name)
		return error_create(ERROR_NOT_FOUND, "ORC: nothing covers 0x%llx",
				    (unsigned long long)pc);
	return search(orc, orc->ip, orc->entries, orc->count, pc, ret);
}
