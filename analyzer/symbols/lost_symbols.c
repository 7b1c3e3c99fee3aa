// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of kallsyms has the names of 300 symbols, or the addresses of 1,000.
 * But the kernel says more than once where its variables are:
 *
 * - What modules may use is exported (exported.h).
 * - What a process's memory map knows of the kernel's image: init_mm.
 * - BTF lists the per-CPU variables with their places (its only variables).
 * - What has a header of its own can be found by that.
 */
#include "symbols/lost_symbols.h"

#include <string.h>

#include "symbols/btf.h"
#include "symbols/exported.h"

#define MAX_TABLES 64 /* parts of them, each between pages that are lost */
#define MAX_LOOKS  (8u << 20) /* at what may be an entry of them: a kernel has 2 million */
#define MAX_BTF	   (64u << 20)
#define MAX_IMAGE  (256u << 20)

#define HELPERS(K)              \
	K(__start___ksymtab)    \
	K(__stop___ksymtab)     \
	K(__stop___ksymtab_gpl) \
	K(init_mm)
#define HELPER_ENUM(symbol) HELPER_##symbol,
#define HELPER_NAME(symbol) { .name = #symbol },
enum { HELPERS(HELPER_ENUM) NR_HELPERS };

/* How far from _stext on the kernel may reach. */
static uint64_t image_size(const struct vmcoreinfo *info)
{
	uint64_t size;

	return vmcoreinfo_number(info, "NUMBER(KERNEL_IMAGE_SIZE)", &size) && size < MAX_IMAGE
		       ? size
		       : MAX_IMAGE;
}

static bool read_number(struct memory *memory, uint64_t address, uint64_t *ret)
{
	struct error *err = address ? memory_read_u64(memory, address, ret) : NULL;
	bool ok = address && !err;

	error_destroy(err);
	return ok;
}

/* What a table says counts if it is what is known otherwise, wherever both say something. */
static bool take_exported(struct symbols *symbols, const char *const names[NR_KSYM],
			  const struct exported_table *table, bool trusted)
{
	uint64_t found[NR_KSYM];

	for (size_t i = 0; i < NR_KSYM; i++) {
		found[i] = exported_find(symbols->memory, table, names[i]);
		if (found[i] && symbols->at[i] && found[i] != symbols->at[i])
			return false;
		trusted = trusted || (found[i] && symbols->at[i]);
	}
	for (size_t i = 0; trusted && i < NR_KSYM; i++)
		if (!symbols->at[i])
			symbols->at[i] = found[i];
	return trusted;
}

/* The tables, where their own symbols are lost too. */
static void scan_exported(struct symbols *symbols, const char *const names[NR_KSYM],
			  const struct vmcoreinfo *info)
{
	struct exported_table table = {};
	uint64_t text, end, budget = MAX_LOOKS;
	bool trusted = false;

	if (!vmcoreinfo_symbol(info, "_stext", &text))
		return;
	end = text + image_size(info);
	/* Which parts are proven shows at the end only. */
	for (int round = 0; round < 2; round++) {
		table.end = text;
		for (int i = 0; i < MAX_TABLES &&
				exported_scan(symbols->memory, table.end, end, &budget, &table);
		     i++)
			trusted |= take_exported(symbols, names, &table, trusted);
	}
}

static void find_helpers(const struct symbols *symbols, struct kallsyms_wanted helpers[NR_HELPERS])
{
	const struct kallsyms_wanted wanted[NR_HELPERS] = { HELPERS(HELPER_NAME) };

	memcpy(helpers, wanted, sizeof(wanted));
	kallsyms_find(&symbols->kallsyms, helpers, NR_HELPERS);
}

void lost_symbols_find(struct symbols *symbols, const char *const names[NR_KSYM],
		       const struct vmcoreinfo *info)
{
	struct kallsyms_wanted helpers[NR_HELPERS];
	uint64_t address;

	for (size_t i = 0; i < NR_KSYM; i++)
		if (!symbols->at[i] && vmcoreinfo_symbol(info, names[i], &address))
			symbols->at[i] = address;
	find_helpers(symbols, helpers);
	struct exported_table table = { helpers[HELPER___start___ksymtab].address,
					helpers[HELPER___stop___ksymtab].address };
	if (table.start && table.end > table.start) {
		take_exported(symbols, names, &table, false);
		/* Until 7.0 those for free modules alone stand in a table behind. */
		table.start = table.end;
		table.end = helpers[HELPER___stop___ksymtab_gpl].address;
		if (table.end > table.start)
			take_exported(symbols, names, &table, false);
	} else {
		scan_exported(symbols, names, info);
	}
}

/* The per-CPU variable @name in BTF: its offset from the first of them. */
static bool find_per_cpu(const struct types *types, const struct btf_type *section,
			 const char *name, uint32_t *ret)
{
	const struct btf_var_secinfo *variables = (const struct btf_var_secinfo *)(section + 1);

	for (uint32_t i = 0; i < btf_vlen(section); i++) {
		uint32_t id = variables[i].type;
		if (!id || id >= types->count)
			continue;
		const struct btf_type *type = btf_type(types, id);
		if (btf_kind(type) == BTF_KIND_VAR &&
		    !strcmp(btf_string(types, type->name_off), name)) {
			*ret = variables[i].offset;
			return true;
		}
	}
	return false;
}

static const struct btf_type *find_section(const struct types *types)
{
	for (uint32_t id = types->count; --id;) {
		const struct btf_type *type = btf_type(types, id);
		if (btf_kind(type) == BTF_KIND_DATASEC &&
		    !strcmp(btf_string(types, type->name_off), ".data..percpu"))
			return type;
	}
	return NULL;
}

/* Where the first of them is follows from any that both know. */
static void take_per_cpu(struct symbols *symbols, const char *const names[NR_KSYM])
{
	const struct btf_type *section = find_section(symbols->types);
	uint64_t base = 0;
	bool known = false;

	if (!section)
		return;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < NR_KSYM; i++) {
			uint32_t offset;
			if ((symbols->at[i] == 0) != (round == 1) ||
			    !find_per_cpu(symbols->types, section, names[i], &offset))
				continue;
			if (round && known)
				symbols->at[i] = base + offset;
			else if (!known)
				base = symbols->at[i] - offset;
			else if (base != symbols->at[i] - offset)
				return;
			known = true;
		}
	}
}

void lost_symbols_find_by_types(struct symbols *symbols, const char *const names[NR_KSYM])
{
	struct kallsyms_wanted helpers[NR_HELPERS];
	struct member member;
	uint64_t address, end;

	take_per_cpu(symbols, names);
	if (symbols->at[KSYM__etext] || !symbols->at[KSYM__stext])
		return;
	find_helpers(symbols, helpers);
	address = helpers[HELPER_init_mm].address;
	/* The first task, which is idle, has a process's memory only for as long as nobody else needs it. */
	if (!address && symbols->at[KSYM_init_task] &&
	    types_member(symbols->types, "task_struct", "active_mm", &member))
		read_number(symbols->memory, symbols->at[KSYM_init_task] + member.offset, &address);
	if (address && types_member(symbols->types, "mm_struct", "end_code", &member) &&
	    read_number(symbols->memory, address + member.offset, &end) &&
	    end > symbols->at[KSYM__stext])
		symbols->at[KSYM__etext] = end;
}

static bool is_header(const struct btf_header *header)
{
	return header->magic == BTF_MAGIC && header->version == BTF_VERSION && !header->flags &&
	       header->hdr_len >= sizeof(*header) && header->hdr_len <= 2 * sizeof(*header) &&
	       !header->type_off && header->type_len && header->type_len % 4 == 0 &&
	       header->str_off >= header->type_len && header->str_off < MAX_BTF &&
	       header->str_len && header->str_len < MAX_BTF;
}

bool lost_symbols_find_btf(const struct symbols *symbols, const struct vmcoreinfo *info,
			   uint64_t *start_ret, uint64_t *stop_ret)
{
	/* A header may go over the end of its page. */
	uint32_t words[(PAGE_SIZE + sizeof(struct btf_header)) / sizeof(uint32_t)];
	uint64_t text, image = image_size(info);

	if (!vmcoreinfo_symbol(info, "_stext", &text))
		return false;
	text &= ~(uint64_t)(PAGE_SIZE - 1);
	for (uint64_t va = text; va - text < image; va += PAGE_SIZE) {
		struct error *err = memory_read(symbols->memory, va, words, PAGE_SIZE);
		if (err) {
			error_destroy(err);
			continue;
		}
		err = memory_read(symbols->memory, va + PAGE_SIZE,
				  words + PAGE_SIZE / sizeof(*words), sizeof(struct btf_header));
		size_t size = err ? PAGE_SIZE - sizeof(struct btf_header) + 1 : PAGE_SIZE;
		error_destroy(err);
		for (size_t at = 0; at < size; at += sizeof(*words)) {
			const struct btf_header *header =
				(const struct btf_header *)((const char *)words + at);
			if (!is_header(header))
				continue;
			*start_ret = va + at;
			*stop_ret = va + at + header->hdr_len + header->str_off + header->str_len;
			return true;
		}
	}
	return false;
}
