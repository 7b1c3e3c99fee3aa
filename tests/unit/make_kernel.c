// SPDX-License-Identifier: GPL-2.0-only
#include "make_kernel.h"

#include <bpf/btf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

struct made_symbol {
	char *name;
	uint64_t address;
	char type;
};

struct made_member {
	char name[48];
	char type[48];
	uint32_t offset, size;
};

struct made_struct {
	char name[48];
	uint32_t size;
	int id;
	struct made_member members[64];
	size_t nr_members;
};

struct made_map {
	uint64_t va, pa;
};

struct made_orc {
	uint64_t address;
	int16_t sp_offset, bp_offset;
	uint8_t sp_reg, bp_reg, type; /* indices of add_orc()'s names */
};

const char made_kernel_minimum[] = "symbol _stext 0xffffffff81000000\n"
				   "symbol _etext 0xffffffff82000000\n"
				   "symbol __start_init_task 0xffffffff82400000 D\n"
				   "symbol __end_init_task 0xffffffff82404000 D\n"
				   "struct inactive_task_frame 56 r15:u64@0 r14:u64@8 r13:u64@16 "
				   "r12:u64@24 bx:u64@32 bp:u64@40 ret_addr:u64@48\n"
				   "struct irq_stack 16384 stack:char[16384]@0\n"
				   "orc _stext end\n";

/* Where things are put; all of it may be moved. */
#define KERNEL_MAP   0xffffffff80000000ull
#define TABLES_PA    0x1000
#define PAGES_PA     0x400000
#define KALLSYMS_VA  0xffffffff8e000000ull
#define OFFSETS_VA   (KALLSYMS_VA + 0x10000)
#define BTF_VA	     0xffffffff8f000000ull
#define ORC_IP_VA    0xffffffff8d000000ull
#define ORC_VA	     0xffffffff8d800000ull
#define PAGE_MASK    (~(uint64_t)(PAGE_SIZE - 1))
#define PRESENT	     0x3 /* and writable */
#define POINTER_SIZE 8

static struct make_kernel *of(struct make_dump *d)
{
	return d->above;
}

static struct made_symbol *find_symbol(struct make_kernel *k, const char *name, size_t len)
{
	for (size_t i = 0; i < k->nr_symbols; i++)
		if (strlen(k->symbols[i].name) == len && !memcmp(k->symbols[i].name, name, len))
			return &k->symbols[i];
	return NULL;
}

uint64_t make_kernel_number(struct make_kernel *k, const char *text)
{
	uint64_t ret = 0;
	size_t len = strcspn(text, "+-");
	char *end;

	if (*text >= '0' && *text <= '9') {
		ret = strtoull(text, &end, 0);
	} else {
		const struct made_symbol *symbol = find_symbol(k, text, len);
		if (!symbol)
			fail_msg("no symbol '%s'", text);
		ret = symbol->address;
		end = (char *)text + len;
	}
	if (*end == '+' || *end == '-')
		ret += strtoull(end, &end, 0);
	if (*end)
		fail_msg("'%s' is no number", text);
	return ret;
}

static uint64_t number(struct make_dump *d, const char *text)
{
	return make_kernel_number(of(d), text);
}

/* The word that maps the page at @va in the lowest table; makes the tables above it. */
static void map_page(struct make_kernel *k, uint64_t va, uint64_t pa)
{
	uint64_t table = TABLES_PA + k->phys_base;

	for (unsigned int level = k->levels; level; level--) {
		uint64_t at = table + (va >> (PAGE_SHIFT + 9 * (level - 1)) & 511) * 8, entry;
		uint64_t place = (uint64_t)level << 56 | (va >> (PAGE_SHIFT + 9 * (level - 1)));
		if (level == 1) {
			entry = pa | PRESENT;
			make_dump_poke(&k->dump, at, &entry, sizeof(entry));
			return;
		}
		/* A table is known by its level and the addresses that go through it. */
		size_t i = 0;
		while (i < k->nr_maps && k->maps[i].va != place)
			i++;
		if (i == k->nr_maps) {
			k->maps = realloc(k->maps, (k->nr_maps + 1) * sizeof(*k->maps));
			assert_non_null(k->maps);
			k->maps[k->nr_maps++] = (struct made_map){ place, k->next_table };
			entry = k->next_table | PRESENT;
			make_dump_poke(&k->dump, at, &entry, sizeof(entry));
			k->next_table += PAGE_SIZE;
		}
		table = k->maps[i].pa;
	}
}

uint64_t make_kernel_pa(struct make_kernel *k, uint64_t va)
{
	uint64_t page = va & PAGE_MASK;

	for (size_t i = 0; i < k->nr_maps; i++)
		if (k->maps[i].va == page)
			return k->maps[i].pa + va - page;
	k->maps = realloc(k->maps, (k->nr_maps + 1) * sizeof(*k->maps));
	assert_non_null(k->maps);
	uint64_t pa = k->next_page;
	k->next_page += PAGE_SIZE;
	k->maps[k->nr_maps++] = (struct made_map){ page, pa };
	map_page(k, page, pa);
	return pa + va - page;
}

static void poke(struct make_dump *d, uint64_t va, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		size_t n = PAGE_SIZE - va % PAGE_SIZE;
		n = n < size ? n : size;
		make_dump_poke(d, make_kernel_pa(of(d), va), from, n);
		va += n;
		from += n;
		size -= n;
	}
}

static void add_symbol(struct make_kernel *k, const char *name, uint64_t address, char type)
{
	k->symbols = realloc(k->symbols, (k->nr_symbols + 1) * sizeof(*k->symbols));
	assert_non_null(k->symbols);
	k->symbols[k->nr_symbols++] =
		(struct made_symbol){ .name = strdup(name), .address = address, .type = type };
}

static struct made_struct *find_struct(struct make_kernel *k, const char *name)
{
	for (size_t i = 0; i < k->nr_structs; i++)
		if (!strcmp(k->structs[i].name, name))
			return &k->structs[i];
	return NULL;
}

/* The BTF id of the type @name, without its count; and its size. */
static int type_id(struct make_kernel *k, const char *name, uint32_t *size_ret)
{
	static const struct {
		const char *name;
		uint32_t size;
	} ints[] = { { "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 }, { "char", 1 } };
	const struct made_struct *s = find_struct(k, name);

	if (s) {
		*size_ret = s->size;
		return s->id;
	}
	if (!strcmp(name, "ptr")) {
		*size_ret = POINTER_SIZE;
		return btf__add_ptr(k->btf, 0);
	}
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		if (!strcmp(ints[i].name, name)) {
			int id = btf__find_by_name_kind(k->btf, name, BTF_KIND_INT);
			*size_ret = ints[i].size;
			return id > 0 ? id : btf__add_int(k->btf, name, ints[i].size, 0);
		}
	}
	fail_msg("no type '%s'", name);
	return 0;
}

/* "MEMBER:TYPE[COUNT]@OFFSET" */
static void parse_member(const char *text, struct made_member *member, unsigned int *count_ret)
{
	*count_ret = 0;
	if (sscanf(text, "%47[^:]:%47[^@[][%u]@%i", member->name, member->type, count_ret,
		   &member->offset) != 4 &&
	    sscanf(text, "%47[^:]:%47[^@[]@%i", member->name, member->type, &member->offset) != 3)
		fail_msg("'%s' is no member", text);
}

/* All types that the members have are there before the struct: libbpf adds members to the last type only. */
static void add_struct(struct make_kernel *k, bool is_union, char *words)
{
	struct made_struct s = {};
	int ids[64];
	char *save = NULL, *word = strtok_r(words, " ", &save);

	snprintf(s.name, sizeof(s.name), "%s", word);
	s.size = strtoul(strtok_r(NULL, " ", &save), NULL, 0);
	while ((word = strtok_r(NULL, " ", &save))) {
		struct made_member *member = &s.members[s.nr_members];
		unsigned int count;
		bool array = strchr(word, '[');
		parse_member(word, member, &count);
		int id = type_id(k, member->type, &member->size);
		uint32_t ignored;
		if (array)
			id = btf__add_array(k->btf, type_id(k, "u64", &ignored), id, count);
		ids[s.nr_members++] = id;
	}
	s.id = is_union ? btf__add_union(k->btf, s.name, s.size)
			: btf__add_struct(k->btf, s.name, s.size);
	for (size_t i = 0; i < s.nr_members; i++) {
		const char *name = strcmp(s.members[i].name, "-") ? s.members[i].name : "";
		assert_int_equal(btf__add_field(k->btf, name, ids[i], s.members[i].offset * 8, 0),
				 0);
	}
	k->structs = realloc(k->structs, (k->nr_structs + 1) * sizeof(*k->structs));
	assert_non_null(k->structs);
	k->structs[k->nr_structs++] = s;
}

static void add_enum(struct make_kernel *k, char *words)
{
	char *save = NULL, *word = strtok_r(words, " ", &save);

	assert_true(btf__add_enum(k->btf, word, 4) > 0);
	while ((word = strtok_r(NULL, " ", &save))) {
		char *value = strchr(word, '=');
		*value++ = '\0';
		assert_int_equal(btf__add_enum_value(k->btf, word, strtol(value, NULL, 0)), 0);
	}
}

/* "set OBJECT STRUCT.MEMBER... N" */
static void set_member(struct make_kernel *k, char *words)
{
	char *save = NULL, *object = strtok_r(words, " ", &save);
	char *path = strtok_r(NULL, " ", &save), *value = strtok_r(NULL, " ", &save);
	char *dots = NULL, *part = strtok_r(path, ".", &dots);
	struct made_struct *s = find_struct(k, part);
	uint64_t at = make_kernel_number(k, object), word = make_kernel_number(k, value);
	uint32_t size = 0;

	while ((part = strtok_r(NULL, ".", &dots))) {
		size_t i = 0;
		while (s && i < s->nr_members && strcmp(s->members[i].name, part))
			i++;
		if (!s || i == s->nr_members)
			fail_msg("no member '%s'", part);
		at += s->members[i].offset;
		size = s->members[i].size;
		s = find_struct(k, s->members[i].type);
	}
	k->dump.poke(&k->dump, at, &word, size);
}

static void add_orc(struct make_kernel *k, const char *words)
{
	static const char *const registers[] = { "-",		"prev_sp",     "dx",  "di",
						 "bp",		"sp",	       "r10", "r13",
						 "bp_indirect", "sp_indirect", "ax" };
	static const char *const types[] = { "call", "regs", "partial", "none", "end", "signal" };
	char address[64], type[16], sp[16] = "-", bp[16] = "-";
	int sp_offset = 0, bp_offset = 0;
	uint16_t sp_reg = 0, bp_reg = 0, number = 0;

	assert_true(sscanf(words, "%63s %15s %15s %i %15s %i", address, type, sp, &sp_offset, bp,
			   &bp_offset) >= 2);
	while (strcmp(registers[sp_reg], sp))
		assert_true(++sp_reg < 11);
	while (strcmp(registers[bp_reg], bp))
		assert_true(++bp_reg < 11);
	while (strcmp(types[number], type))
		assert_true(++number < 6);
	k->orcs = realloc(k->orcs, (k->nr_orcs + 1) * sizeof(*k->orcs));
	assert_non_null(k->orcs);
	k->orcs[k->nr_orcs++] = (struct made_orc){
		.address = make_kernel_number(k, address),
		.sp_offset = sp_offset,
		.bp_offset = bp_offset,
		.sp_reg = sp_reg,
		.bp_reg = bp_reg,
		.type = number,
	};
}

/* The bits of an orc_entry behind its offsets: analyzer/unwind/orc.c has the formats. */
static uint16_t orc_bits(const struct make_kernel *k, const struct made_orc *orc)
{
	static const uint8_t registers_7_1[] = { 0, 8, 2, 5, 4, 3, 6, 7, 10, 9, 1 };
	static const uint8_t types_6_4[] = { 2, 3, 4, 0, 1, 2 };
	bool signal = orc->type == 1 || orc->type == 2 || orc->type == 5, end = orc->type == 4;
	uint16_t registers = orc->sp_reg | orc->bp_reg << 4, old = orc->type > 2 ? 0 : orc->type;

	if (!strcmp(k->orc_format, "4.14"))
		return registers | old << 8 | end << 10;
	if (!strcmp(k->orc_format, "6.3"))
		return registers | old << 8 | signal << 10 | end << 11;
	if (!strcmp(k->orc_format, "7.1"))
		registers = registers_7_1[orc->sp_reg] | registers_7_1[orc->bp_reg] << 4;
	else
		assert_string_equal(k->orc_format, "6.4");
	return registers | types_6_4[orc->type] << 8 | signal << 11;
}

static int compare_orcs(const void *a, const void *b)
{
	const struct made_orc *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static void write_orcs(struct make_kernel *k)
{
	qsort(k->orcs, k->nr_orcs, sizeof(*k->orcs), compare_orcs);
	for (size_t i = 0; i < k->nr_orcs; i++) {
		const struct made_orc *orc = &k->orcs[i];
		uint64_t at = ORC_IP_VA + i * 4;
		int32_t distance = orc->address - at;
		uint16_t words[3] = { orc->sp_offset, orc->bp_offset, orc_bits(k, orc) };
		poke(&k->dump, at, &distance, sizeof(distance));
		poke(&k->dump, ORC_VA + i * sizeof(words), words, sizeof(words));
	}
	add_symbol(k, "__start_orc_unwind_ip", ORC_IP_VA, 'D');
	add_symbol(k, "__stop_orc_unwind_ip", ORC_IP_VA + k->nr_orcs * 4, 'D');
	add_symbol(k, "__start_orc_unwind", ORC_VA, 'D');
}

static void take_encoding(struct make_kernel *k, const char *word)
{
	static const char *const names[] = {
		[KALLSYMS_ABSOLUTE] = "absolute",
		[KALLSYMS_ABSOLUTE_PERCPU] = "absolute-percpu",
		[KALLSYMS_BASE_RELATIVE] = "base-relative",
		[KALLSYMS_PLACE_RELATIVE] = "place-relative",
	};

	k->encoding = 0;
	while (strcmp(names[k->encoding], word))
		if (++k->encoding == sizeof(names) / sizeof(names[0]))
			fail_msg("'%s' is no encoding", word);
}

static bool take_line(struct make_dump *d, char *line)
{
	struct make_kernel *k = of(d);
	char word[16] = "", name[1024] = "", address[64] = "", type = 'T';
	char *rest = strchr(line, ' ') ? strchr(line, ' ') + 1 : line + strlen(line);

	sscanf(line, "%15s", word);
	if (!strcmp(word, "symbol")) {
		assert_true(sscanf(rest, "%1023s %63s %c", name, address, &type) >= 2);
		add_symbol(k, name, make_kernel_number(k, address), type);
	} else if (!strcmp(word, "kallsyms")) {
		take_encoding(k, rest);
	} else if (!strcmp(word, "struct") || !strcmp(word, "union")) {
		add_struct(k, *word == 'u', rest);
	} else if (!strcmp(word, "orc")) {
		add_orc(k, rest);
	} else if (!strcmp(word, "orc_format")) {
		assert_int_equal(sscanf(rest, "%7s", k->orc_format), 1);
	} else if (!strcmp(word, "enum")) {
		add_enum(k, rest);
	} else if (!strcmp(word, "at")) {
		assert_int_equal(sscanf(rest, "%63s", address), 1);
		d->at = make_kernel_number(k, address);
	} else if (!strcmp(word, "set")) {
		set_member(k, rest);
	} else if (!strcmp(word, "exclude")) {
		assert_int_equal(sscanf(rest, "%63s", address), 1);
		make_dump_line(
			d, "excluded 0x%llx",
			(unsigned long long)make_kernel_pa(k, make_kernel_number(k, address)));
	} else if (!strcmp(word, "levels")) {
		k->levels = atoi(rest);
	} else if (!strcmp(word, "phys_base")) {
		k->phys_base = strtoull(rest, NULL, 0);
		k->next_table += k->phys_base;
		k->next_page += k->phys_base;
	} else {
		return false;
	}
	return true;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct made_symbol *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Tokens are the characters themselves; that scripts/kallsyms.c finds better ones changes nothing. */
static void write_tokens(struct make_dump *d)
{
	make_dump_line(d, "at 0x%llx", KALLSYMS_VA + 0x2000);
	for (int i = 0; i < 256; i++)
		make_dump_line(d, "u8 %d 0", i ? i : 1); /* no name has a 0 */
	make_dump_line(d, "at 0x%llx", KALLSYMS_VA + 0x3000);
	for (int i = 0; i < 256; i++)
		make_dump_line(d, "u16 %d", 2 * i);
}

/* kallsyms_markers: where each 256th name begins. */
static void write_markers(struct make_kernel *k, uint64_t at)
{
	uint32_t place = 0;

	for (size_t i = 0; i < k->nr_symbols; i++) {
		size_t len = strlen(k->symbols[i].name) + 1;
		if (i % 256 == 0) {
			poke(&k->dump, at, &place, sizeof(place));
			at += sizeof(place);
		}
		place += len + (len > 127 ? 2 : 1);
	}
}

static void write_names(struct make_kernel *k)
{
	uint64_t at = KALLSYMS_VA + 0x100000;

	for (size_t i = 0; i < k->nr_symbols; i++) {
		const struct made_symbol *symbol = &k->symbols[i];
		size_t len = strlen(symbol->name) + 1;
		uint8_t length[2] = { len > 127 ? 0x80 | (len & 127) : len, len >> 7 };
		poke(&k->dump, at, length, len > 127 ? 2 : 1);
		at += len > 127 ? 2 : 1;
		poke(&k->dump, at, &symbol->type, 1);
		poke(&k->dump, at + 1, symbol->name, len - 1);
		at += len;
	}
	write_markers(k, (at + 7) / 8 * 8);
}

static uint32_t offset_of(const struct make_kernel *k, size_t i, uint64_t base)
{
	uint64_t address = k->symbols[i].address;

	switch (k->encoding) {
	case KALLSYMS_BASE_RELATIVE:
		return address - base;
	case KALLSYMS_PLACE_RELATIVE:
		return address - (OFFSETS_VA + i * 4);
	default:
		return address < base ? address : base - 1 - address;
	}
}

static void write_kallsyms(struct make_kernel *k)
{
	struct make_dump *d = &k->dump;
	uint64_t base = KERNEL_MAP;
	bool absolute = k->encoding == KALLSYMS_ABSOLUTE;

	qsort(k->symbols, k->nr_symbols, sizeof(*k->symbols), compare_symbols);
	make_dump_line(d, "at 0x%llx", KALLSYMS_VA);
	make_dump_line(d, "u32 %zu", k->nr_symbols);
	make_dump_line(d, "at 0x%llx", KALLSYMS_VA + 0x1000);
	make_dump_line(d, "u64 0x%llx", (unsigned long long)base);
	write_tokens(d);
	make_dump_line(d, "at 0x%llx", OFFSETS_VA);
	for (size_t i = 0; i < k->nr_symbols; i++) {
		if (absolute)
			make_dump_line(d, "u64 0x%llx", (unsigned long long)k->symbols[i].address);
		else
			make_dump_line(d, "u32 0x%x", offset_of(k, i, base));
	}
	write_names(k);
	make_dump_line(d, "info SYMBOL(kallsyms_num_syms)=%llx", KALLSYMS_VA);
	if (k->encoding == KALLSYMS_ABSOLUTE_PERCPU || k->encoding == KALLSYMS_BASE_RELATIVE)
		make_dump_line(d, "info SYMBOL(kallsyms_relative_base)=%llx", KALLSYMS_VA + 0x1000);
	make_dump_line(d, "info SYMBOL(kallsyms_token_table)=%llx", KALLSYMS_VA + 0x2000);
	make_dump_line(d, "info SYMBOL(kallsyms_token_index)=%llx", KALLSYMS_VA + 0x3000);
	make_dump_line(d, "info SYMBOL(kallsyms_%s)=%llx", absolute ? "addresses" : "offsets",
		       OFFSETS_VA);
	make_dump_line(d, "info SYMBOL(kallsyms_names)=%llx", KALLSYMS_VA + 0x100000);
	const struct made_symbol *stext = find_symbol(k, "_stext", 6);
	if (stext)
		make_dump_line(d, "info SYMBOL(_stext)=%llx", (unsigned long long)stext->address);
}

static void finish(struct make_dump *d)
{
	struct make_kernel *k = of(d);
	uint32_t size;

	if (k->nr_structs) {
		const void *data = btf__raw_data(k->btf, &size);
		assert_non_null(data);
		poke(d, BTF_VA, data, size);
		add_symbol(k, "__start_BTF", BTF_VA, 'r');
		add_symbol(k, "__stop_BTF", BTF_VA + size, 'r');
	}
	if (k->nr_orcs)
		write_orcs(k);
	if (k->nr_symbols)
		write_kallsyms(k);
	if (!d->info || !strstr(d->info, "OSRELEASE="))
		make_dump_line(d, "info OSRELEASE=6.1.0-test");
	make_dump_line(d, "info SYMBOL(swapper_pg_dir)=%llx", KERNEL_MAP + TABLES_PA);
	make_dump_line(d, "info NUMBER(phys_base)=%lld", (long long)k->phys_base);
	make_dump_line(d, "info NUMBER(pgtable_l5_enabled)=%d", k->levels == 5);
}

void make_kernel_init(struct make_kernel *k)
{
	memset(k, 0, sizeof(*k));
	make_dump_init(&k->dump);
	k->dump.above = k;
	k->dump.take_line = take_line;
	k->dump.number = number;
	k->dump.poke = poke;
	k->dump.finish = finish;
	k->levels = 4;
	strcpy(k->orc_format, "4.14");
	k->encoding = KALLSYMS_ABSOLUTE_PERCPU;
	k->next_table = TABLES_PA + PAGE_SIZE;
	k->next_page = PAGES_PA;
	k->btf = btf__new_empty();
	assert_non_null(k->btf);
}

void make_kernel_deinit(struct make_kernel *k)
{
	make_dump_deinit(&k->dump);
	for (size_t i = 0; i < k->nr_symbols; i++)
		free(k->symbols[i].name);
	free(k->symbols);
	free(k->structs);
	free(k->maps);
	free(k->orcs);
	btf__free(k->btf);
}

void make_kernel_text(struct make_kernel *k, const char *text)
{
	make_dump_text(&k->dump, text);
}

void make_kernel_line(struct make_kernel *k, const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	make_dump_text(&k->dump, line);
}

struct kernel *make_kernel_open(struct make_kernel *k)
{
	struct kernel *kernel = NULL;

	assert_no_error(kernel_open(&(struct kernel_source){ make_dump_write(&k->dump) }, &kernel));
	return kernel;
}

void assert_kernel_lacks(struct make_kernel *k, const char *text)
{
	struct kernel *kernel = make_kernel_open(k);
	const char *said = "nothing";

	for (size_t i = 0; i < kernel->lacks.count; i++) {
		said = kernel->lacks.data[i]->message;
		if (strstr(said, text))
			text = "";
	}
	if (*text)
		fail_msg("the kernel should lack '%s', and lacks: %s", text, said);
	kernel_close(kernel);
}

void make_kernel_open_memory(struct make_kernel *k, struct made_memory *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->dump = make_dump_open(&k->dump);
	ret->info.text = dump_vmcoreinfo(ret->dump, &ret->info.size);
	assert_no_error(memory_init(&ret->memory, ret->dump, &ret->info));
}

void made_memory_close(struct made_memory *memory)
{
	dump_close(memory->dump);
}
