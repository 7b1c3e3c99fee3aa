// SPDX-License-Identifier: GPL-2.0-only
/*
 * kallsyms: the symbols of the core kernel, sorted by address.
 *
 *	kallsyms_num_syms	their number
 *	kallsyms_addresses	64 bits for each, its address; or, with CONFIG_KALLSYMS_BASE_RELATIVE and always since 6.11,
 *	kallsyms_offsets	32 bits for each:
 *				up to 6.19, what is added to kallsyms_relative_base. With ABSOLUTE_PERCPU (x86-64
 *				SMP up to 6.14), a value >= 0 is the address itself, of a per-CPU symbol, and others
 *				count downwards: base - 1 - value;
 *				since 7.0 (a081b5789255d), how far the address is from the place of these 32 bits.
 *	kallsyms_names		for each: a length, then that many bytes, each a token. A length over
 *				127 has two bytes, low seven bits first (since 6.1, 73bbb94466fd; before
 *				that none gets so long).
 *	kallsyms_token_table	256 strings
 *	kallsyms_token_index	where each begins
 *
 * The first letter of the expanded name is the symbol's type, as nm has it.
 * The addresses of these tables are in the vmcoreinfo since 6.0 (5fd8fea935a1).
 */
#include "symbols/kallsyms.h"

#include <string.h>

#include "base/cleanup.h"
#include "symbols/kallsyms_holes.h"
#include "symbols/kallsyms_scan.h"

#define MAX_TOKENS     65536
#define MAX_NAMES_SIZE (64u << 20) /* they have about 12 bytes each */
#define MAX_ALIASES    64

/* The entry at @at: where its tokens begin and how many there are. False if it leaves the table. */
static bool entry(const struct kallsyms *kallsyms, size_t at, size_t *tokens_ret, size_t *count_ret)
{
	if (at >= kallsyms->names_size)
		return false;
	size_t count = kallsyms->names[at++];
	if (count & 0x80) {
		if (at >= kallsyms->names_size)
			return false;
		count = (count & 0x7f) | (size_t)kallsyms->names[at++] << 7;
	}
	*tokens_ret = at;
	*count_ret = count;
	return count <= kallsyms->names_size - at;
}

static void free_markers(struct kallsyms_markers *markers)
{
	free(markers->places);
}

/*
 * Goes on behind a page of the names, the last up to names_size, that is not there for the reason @why. Without
 * markers the rest is lost, if it is @certain that these are names.
 */
static struct error *skip_page(struct kallsyms *kallsyms, struct memory *memory, uint64_t va,
			       struct error *why, bool certain, struct kallsyms_markers *markers,
			       uint32_t *index, size_t *at)
{
	if (!markers->places) {
		struct error *err = kallsyms_find_markers(kallsyms, memory, va, *index, markers);
		if (err && (!certain || !*index || why->class == ERROR_UNMAPPED)) {
			error_destroy(err);
			return why;
		}
		if (err)
			markers->count = 0;
		error_destroy(err);
	}
	if (kallsyms->error)
		error_destroy(why);
	else
		kallsyms->error = error_prefix(why, "kallsyms, of which names are lost");
	return kallsyms_skip_names(kallsyms, markers, kallsyms->names_size, index, at);
}

/* Reads the names, whose size is written nowhere, until there are as many as there are symbols. */
static struct error *read_names(struct kallsyms *kallsyms, struct memory *memory, uint64_t va,
				bool certain)
{
	_cleanup_(free_markers) struct kallsyms_markers markers = {};
	size_t at = 0, capacity = 0, tokens, count;

	kallsyms->markers =
		calloc(kallsyms->count / MARKER_SPACING + 1, sizeof(*kallsyms->markers));
	if (!kallsyms->markers)
		return &error_no_memory;
	for (uint32_t i = 0; i < kallsyms->count;) {
		if (!entry(kallsyms, at, &tokens, &count)) {
			/* Up to the end of a page: the next one may be none of theirs, and not in the dump. */
			size_t more = PAGE_SIZE - (va + kallsyms->names_size) % PAGE_SIZE;
			if (kallsyms->names_size + more > MAX_NAMES_SIZE)
				return error_fault(ERROR_CORRUPT, va, "names of over %u bytes",
						   MAX_NAMES_SIZE);
			if (kallsyms->names_size + more > capacity) {
				capacity = capacity ? capacity * 2 : 4 << 20;
				uint8_t *grown = realloc(kallsyms->names, capacity);
				if (!grown)
					return &error_no_memory;
				kallsyms->names = grown;
			}
			uint8_t *page = kallsyms->names + kallsyms->names_size;
			struct error *err =
				memory_read(memory, va + kallsyms->names_size, page, more);
			kallsyms->names_size += more;
			if (err && err != &error_no_memory) {
				memset(page, 0, more);
				err = skip_page(kallsyms, memory, va, err, certain, &markers, &i,
						&at);
			}
			if (err)
				return err;
			continue;
		}
		if (i % MARKER_SPACING == 0)
			kallsyms->markers[i / MARKER_SPACING] = at;
		at = tokens + count;
		i++;
	}
	kallsyms->names_size = at;
	return NULL;
}

static struct error *read_tokens(struct kallsyms *kallsyms, struct memory *memory,
				 uint64_t table_va, uint64_t index_va)
{
	struct error *err =
		memory_read(memory, index_va, kallsyms->token_index, sizeof(kallsyms->token_index));
	if (err && kallsyms_count_tokens(memory, table_va, kallsyms->token_index)) {
		error_destroy(err);
		err = NULL;
	}
	if (err)
		return err;
	size_t last = kallsyms->token_index[255];
	for (size_t i = 0; i < 256; i++) {
		if (kallsyms->token_index[i] > last)
			return error_fault(ERROR_CORRUPT, index_va,
					   "kallsyms_token_index is not in order");
	}
	kallsyms->tokens_size = last + KSYM_NAME_SIZE;
	err = memory_read_alloc(memory, table_va, kallsyms->tokens_size,
				MAX_TOKENS + KSYM_NAME_SIZE, &kallsyms->tokens);
	if (err)
		return err;
	for (size_t i = 0; i < 256; i++) {
		size_t at = kallsyms->token_index[i];
		kallsyms->token_length[i] =
			strnlen(kallsyms->tokens + at, kallsyms->tokens_size - at);
		if (at + kallsyms->token_length[i] == kallsyms->tokens_size)
			return error_fault(ERROR_CORRUPT, table_va,
					   "kallsyms_token_table does not end");
	}
	return NULL;
}

uint64_t kallsyms_address(const struct kallsyms *kallsyms, uint32_t index)
{
	switch (kallsyms->encoding) {
	case KALLSYMS_ABSOLUTE:
		return kallsyms->addresses[index];
	case KALLSYMS_BASE_RELATIVE:
		return kallsyms->base + (uint32_t)kallsyms->offsets[index];
	case KALLSYMS_PLACE_RELATIVE:
		return kallsyms->base + index * sizeof(*kallsyms->offsets) +
		       (int64_t)kallsyms->offsets[index];
	default: /* KALLSYMS_ABSOLUTE_PERCPU */
		return kallsyms->offsets[index] >= 0
			       ? (uint64_t)kallsyms->offsets[index]
			       : kallsyms->base - 1 - (int64_t)kallsyms->offsets[index];
	}
}

/* Whether one of the symbols at @address has that name. *@lost: it may be one that is lost. */
static bool is_at(const struct kallsyms *kallsyms, uint64_t address, const char *wanted, bool *lost)
{
	char name[KSYM_NAME_SIZE];
	uint64_t start, size;
	uint32_t i;

	if (!kallsyms_lookup(kallsyms, address, &i, &start, &size)) {
		*lost = *lost || kallsyms->lost_addresses.list.count;
		return false;
	}
	for (int aliases = 0; start == address && aliases < MAX_ALIASES && i < kallsyms->count &&
			      kallsyms_address(kallsyms, i) == address;
	     aliases++, i++) {
		*lost = *lost || kallsyms_lost_end(&kallsyms->lost_names, i) != i;
		kallsyms_name(kallsyms, i, name);
		if (!strcmp(name, wanted))
			return true;
	}
	return false;
}

/* The base that puts the symbol _stext at @stext, where it is 0 so far. */
static void find_base(struct kallsyms *kallsyms, uint64_t stext)
{
	struct kallsyms_wanted wanted = { .name = "_stext" };

	kallsyms->encoding = KALLSYMS_BASE_RELATIVE;
	for (uint32_t i = 0; i < kallsyms->count; i++)
		if (kallsyms->offsets[i] < 0)
			kallsyms->encoding = KALLSYMS_ABSOLUTE_PERCPU;
	kallsyms_find(kallsyms, &wanted, 1);
	kallsyms->base = stext - wanted.address;
}

/* Which of the encodings it is follows from what tables there are, and from a symbol whose address is known otherwise. */
static struct error *choose_encoding(struct kallsyms *kallsyms,
				     const struct kallsyms_tables *tables, uint64_t stext)
{
	bool lost = false;

	if (kallsyms->base_lost)
		find_base(kallsyms, stext);
	kallsyms->encoding = tables->addresses	     ? KALLSYMS_ABSOLUTE
			     : tables->relative_base ? KALLSYMS_ABSOLUTE_PERCPU
						     : KALLSYMS_PLACE_RELATIVE;
	if (is_at(kallsyms, stext, "_stext", &lost))
		return NULL;
	if (kallsyms->encoding == KALLSYMS_ABSOLUTE_PERCPU) {
		/* x86-64's own, which has negative numbers, is that of nearly all dumps. */
		bool percpu = false;
		for (uint32_t i = 0; lost && !percpu && i < kallsyms->count; i++)
			percpu = kallsyms->offsets[i] < 0;
		if (percpu)
			return NULL;
		kallsyms->encoding = KALLSYMS_BASE_RELATIVE;
		if (is_at(kallsyms, stext, "_stext", &lost))
			return NULL;
	}
	if (lost && tables->certain)
		return NULL;
	return error_fault(ERROR_CORRUPT, stext,
			   "no known encoding puts _stext at 0x%llx, where the vmcoreinfo has it",
			   (unsigned long long)stext);
}

static struct error *read_addresses(struct kallsyms *kallsyms, struct memory *memory,
				    const struct kallsyms_tables *tables)
{
	bool absolute = tables->addresses;
	size_t size = absolute ? sizeof(*kallsyms->addresses) : sizeof(*kallsyms->offsets);
	struct error *err = NULL;
	struct holes holes;
	void *table;

	kallsyms->base = tables->offsets;
	if (!absolute && tables->relative_base)
		err = memory_read_u64(memory, tables->relative_base, &kallsyms->base);
	/* Where _stext is tells it too. */
	if (err && tables->certain && err != &error_no_memory) {
		kallsyms->error = error_prefix(err, "kallsyms, of which the base is lost");
		kallsyms->base = 0;
		kallsyms->base_lost = true;
		err = NULL;
	}
	if (!err)
		err = memory_read_table(memory, absolute ? tables->addresses : tables->offsets,
					kallsyms->count * size, KALLSYMS_MAX_SYMBOLS * size, &table,
					&holes);
	if (err)
		return err;
	if (absolute)
		kallsyms->addresses = table;
	else
		kallsyms->offsets = table;
	if (holes.error) {
		if (!kallsyms->error)
			kallsyms->error = error_prefix(error_copy(holes.error),
						       "kallsyms, of which addresses are lost");
		err = kallsyms_fill_addresses(kallsyms, &holes,
					      !absolute && !tables->relative_base);
	}
	holes_deinit(&holes);
	return err;
}

/* Reads the tables at @tables, in the encoding that puts the symbol _stext at @stext. */
static struct error *kallsyms_load(struct kallsyms *kallsyms, struct memory *memory,
				   const struct kallsyms_tables *tables, uint64_t stext)
{
	memset(kallsyms, 0, sizeof(*kallsyms));
	struct error *err = memory_read_u32(memory, tables->num_syms, &kallsyms->count);
	if (err && kallsyms_count(memory, tables->names, &kallsyms->count)) {
		error_destroy(err);
		err = NULL;
	}
	if (!err && (!kallsyms->count || kallsyms->count > KALLSYMS_MAX_SYMBOLS))
		err = error_fault(ERROR_CORRUPT, tables->num_syms, "a table of %u symbols",
				  kallsyms->count);
	if (!err)
		err = read_addresses(kallsyms, memory, tables);
	if (!err)
		err = read_tokens(kallsyms, memory, tables->token_table, tables->token_index);
	if (!err)
		err = read_names(kallsyms, memory, tables->names, tables->certain);
	if (!err)
		err = choose_encoding(kallsyms, tables, stext);
	if (err)
		kallsyms_deinit(kallsyms);
	return error_prefix(err, "kallsyms");
}

/* Without kallsyms_relative_base or kallsyms_addresses it is a kernel since 7.0. */
static bool find_in_vmcoreinfo(const struct vmcoreinfo *info, struct kallsyms_tables *ret)
{
	*ret = (struct kallsyms_tables){ .certain = true };
	vmcoreinfo_symbol(info, "kallsyms_relative_base", &ret->relative_base);
	return vmcoreinfo_symbol(info, "kallsyms_num_syms", &ret->num_syms) &&
	       vmcoreinfo_symbol(info, "kallsyms_names", &ret->names) &&
	       vmcoreinfo_symbol(info, "kallsyms_token_table", &ret->token_table) &&
	       vmcoreinfo_symbol(info, "kallsyms_token_index", &ret->token_index) &&
	       (vmcoreinfo_symbol(info, "kallsyms_addresses", &ret->addresses) ||
		vmcoreinfo_symbol(info, "kallsyms_offsets", &ret->offsets));
}

struct error *kallsyms_init(struct kallsyms *kallsyms, struct memory *memory,
			    const struct vmcoreinfo *info)
{
	struct kallsyms_tables tables;
	uint64_t stext;

	memset(kallsyms, 0, sizeof(*kallsyms));
	if (!vmcoreinfo_symbol(info, "_stext", &stext))
		return error_create(ERROR_OTHER, "kallsyms: the vmcoreinfo lacks SYMBOL(_stext)");
	if (find_in_vmcoreinfo(info, &tables))
		return kallsyms_load(kallsyms, memory, &tables, stext);
	struct kallsyms_tables guesses[KALLSYMS_SCAN_GUESSES];
	size_t count = kallsyms_scan(memory, info, guesses);
	struct error *err = NULL;
	for (size_t i = 0; i < count; i++) {
		error_destroy(err);
		err = kallsyms_load(kallsyms, memory, &guesses[i], stext);
		if (!err)
			return NULL;
	}
	return err ? err
		   : error_create(
			     ERROR_NOT_FOUND,
			     "kallsyms: no symbols: the vmcoreinfo lacks SYMBOL(kallsyms_names), which "
			     "kernels have since 6.0, and no such table was found in memory");
}

void kallsyms_deinit(struct kallsyms *kallsyms)
{
	free(kallsyms->names);
	free(kallsyms->markers);
	free(kallsyms->offsets);
	free(kallsyms->addresses);
	free(kallsyms->tokens);
	vector_deinit(&kallsyms->lost_names.list);
	vector_deinit(&kallsyms->lost_addresses.list);
	error_destroy(kallsyms->error);
	memset(kallsyms, 0, sizeof(*kallsyms));
}

/* Expands @count tokens into at most KSYM_NAME_SIZE - 1 characters, without the type letter. */
static void expand(const struct kallsyms *kallsyms, size_t at, size_t count,
		   char ret[KSYM_NAME_SIZE])
{
	size_t len = 0;
	bool type = true;

	for (size_t i = 0; i < count; i++) {
		uint8_t token = kallsyms->names[at + i];
		const char *s = kallsyms->tokens + kallsyms->token_index[token];
		size_t n = kallsyms->token_length[token];
		if (type && n) {
			s++;
			n--;
			type = false;
		}
		if (n > KSYM_NAME_SIZE - 1 - len)
			n = KSYM_NAME_SIZE - 1 - len;
		memcpy(ret + len, s, n);
		len += n;
	}
	ret[len] = '\0';
}

/* Which of the wanted names a token can be part of; a bit for each of them, or for several of them. */
typedef unsigned __int128 hint_t;
#define HINT_BITS 128

struct hints {
	hint_t begins_typed[256]; /* behind the type letter */
	hint_t begins[256]; /* as the second token, if the first is nothing but the type letter */
	hint_t ends[256];
	hint_t lengths[64];
};

static bool has_at(const char *name, size_t name_len, size_t at, const char *s, size_t len)
{
	return len <= name_len - at && (!len || (name[at] == *s && !memcmp(name + at, s, len)));
}

static void make_hints(const struct kallsyms *kallsyms, const struct kallsyms_wanted *wanted,
		       size_t count, struct hints *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t w = 0; w < count; w++) {
		const char *name = wanted[w].name;
		size_t name_len = strlen(name);
		hint_t bit = (hint_t)1 << w % HINT_BITS;
		ret->lengths[name_len % 64] |= bit;
		for (size_t token = 0; token < 256; token++) {
			const char *s = kallsyms->tokens + kallsyms->token_index[token];
			size_t len = kallsyms->token_length[token];
			if (!len || has_at(name, name_len, 0, s + 1, len - 1))
				ret->begins_typed[token] |= bit;
			if (has_at(name, name_len, 0, s, len))
				ret->begins[token] |= bit;
			if (len <= name_len && has_at(name, name_len, name_len - len, s, len))
				ret->ends[token] |= bit;
		}
	}
}

static bool is_hinted(const struct kallsyms *kallsyms, const struct hints *hints,
		      const uint8_t *tokens, size_t count)
{
	if (!count)
		return false;
	hint_t bits = hints->begins_typed[tokens[0]];
	if (count > 1) {
		bits &= hints->ends[tokens[count - 1]];
		if (kallsyms->token_length[tokens[0]] == 1)
			bits &= hints->begins[tokens[1]];
	}
	if (!bits)
		return false;
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += kallsyms->token_length[tokens[i]];
	return len && bits & hints->lengths[(len - 1) % 64]; /* without the type letter */
}

/* Most names are told apart by their first and last tokens and their length, and need not be put together. */
void kallsyms_find(const struct kallsyms *kallsyms, struct kallsyms_wanted *wanted, size_t count)
{
	size_t at = 0, tokens, nr_tokens;
	char name[KSYM_NAME_SIZE];
	struct hints hints;

	for (size_t i = 0; i < count; i++)
		wanted[i].address = 0;
	if (!kallsyms->count)
		return;
	make_hints(kallsyms, wanted, count, &hints);
	for (uint32_t i = 0; i < kallsyms->count; i++) {
		uint32_t lost_end = kallsyms_lost_end(&kallsyms->lost_names, i);
		if (lost_end >= kallsyms->count)
			break;
		if (lost_end > i) {
			i = lost_end;
			at = kallsyms->markers[i / MARKER_SPACING];
		}
		if (!entry(kallsyms, at, &tokens, &nr_tokens))
			break;
		at = tokens + nr_tokens;
		if (!is_hinted(kallsyms, &hints, kallsyms->names + tokens, nr_tokens))
			continue;
		expand(kallsyms, tokens, nr_tokens, name);
		for (size_t w = 0; w < count; w++)
			if (wanted[w].name[0] == name[0] && !wanted[w].address &&
			    !strcmp(wanted[w].name, name) &&
			    kallsyms_lost_end(&kallsyms->lost_addresses, i) == i)
				wanted[w].address = kallsyms_address(kallsyms, i);
	}
}

bool kallsyms_lookup(const struct kallsyms *kallsyms, uint64_t address, uint32_t *index_ret,
		     uint64_t *start_ret, uint64_t *size_ret)
{
	uint32_t low = 0, high = kallsyms->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (kallsyms_address(kallsyms, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || kallsyms_lost_end(&kallsyms->lost_addresses, low - 1) != low - 1)
		return false;
	uint32_t first = low - 1;
	*start_ret = kallsyms_address(kallsyms, first);
	*size_ret = low < kallsyms->count ? kallsyms_address(kallsyms, low) - *start_ret : 0;
	/* Half by half here too: at 0, where per-CPU symbols begin, and in damaged tables they are many. */
	for (low = 0; low < first;) {
		uint32_t middle = low + (first - low) / 2;
		if (kallsyms_address(kallsyms, middle) < *start_ret)
			low = middle + 1;
		else
			first = middle;
	}
	/* Those that are lost only look like aliases. */
	*index_ret = kallsyms_lost_end(&kallsyms->lost_addresses, first);
	return true;
}

void kallsyms_name(const struct kallsyms *kallsyms, uint32_t index, char ret[KSYM_NAME_SIZE])
{
	size_t at = kallsyms->markers[index / MARKER_SPACING], tokens, count;

	ret[0] = '\0';
	if (kallsyms_lost_end(&kallsyms->lost_names, index) != index)
		return;
	for (uint32_t i = index % MARKER_SPACING;; i--) {
		if (!entry(kallsyms, at, &tokens, &count))
			return;
		if (!i)
			break;
		at = tokens + count;
	}
	expand(kallsyms, tokens, count, ret);
}
