// SPDX-License-Identifier: GPL-2.0-only
/*
 * kallsyms: the symbols of the core kernel, sorted by address.
 *
 *	kallsyms_num_syms	their number
 *	kallsyms_offsets	32 bits for each: its address, from kallsyms_relative_base on
 *				(CONFIG_KALLSYMS_BASE_RELATIVE). With ABSOLUTE_PERCPU (x86-64 SMP up
 *				to 6.14), a value >= 0 is the address itself, of a per-CPU symbol, and
 *				others count downwards: base - 1 - value.
 *	kallsyms_names		for each: a length, then that many bytes, each a token. A length over
 *				127 has two bytes, low seven bits first (since 6.1, 73bbb94466fd).
 *	kallsyms_token_table	256 strings
 *	kallsyms_token_index	where each begins
 *
 * The first letter of the expanded name is the symbol's type, as nm has it.
 * The addresses of these tables are in the vmcoreinfo since 6.0 (5fd8fea935a1).
 */
#include "symbols/kallsyms.h"

#include <string.h>

#include "base/cleanup.h"

#define MAX_SYMBOLS    (8u << 20)
#define MAX_TOKENS     65536
#define MAX_NAMES_SIZE (64u << 20) /* they have about 12 bytes each */
#define MARKER_SPACING 256

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

/* Reads the names, whose size is written nowhere, until there are as many as there are symbols. */
static struct error *read_names(struct kallsyms *kallsyms, struct memory *memory, uint64_t va)
{
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
			struct error *err =
				memory_read(memory, va + kallsyms->names_size,
					    kallsyms->names + kallsyms->names_size, more);
			if (err)
				return err;
			kallsyms->names_size += more;
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
	if (err)
		return err;
	size_t last = kallsyms->token_index[255];
	for (size_t i = 0; i < 256; i++) {
		if (kallsyms->token_index[i] > last)
			return error_fault(ERROR_CORRUPT, index_va, "kallsyms_token_index");
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
			return error_fault(ERROR_CORRUPT, table_va, "kallsyms_token_table");
	}
	return NULL;
}

static uint64_t symbol_address(const struct kallsyms *kallsyms, uint32_t index)
{
	int32_t offset = kallsyms->offsets[index];

	if (!kallsyms->absolute_percpu)
		return kallsyms->relative_base + (uint32_t)offset;
	if (offset >= 0)
		return offset;
	return kallsyms->relative_base - 1 - offset;
}

/* Which of the encodings it is follows from a symbol whose address the vmcoreinfo tells. */
static struct error *choose_encoding(struct kallsyms *kallsyms, const struct vmcoreinfo *info)
{
	struct kallsyms_wanted stext = { .name = "_stext" };
	uint64_t expected;

	if (!vmcoreinfo_symbol(info, "_stext", &expected))
		return error_create(ERROR_OTHER, "the vmcoreinfo lacks SYMBOL(_stext)");
	for (int absolute_percpu = 1; absolute_percpu >= 0; absolute_percpu--) {
		kallsyms->absolute_percpu = absolute_percpu;
		kallsyms_find(kallsyms, &stext, 1);
		if (stext.address == expected)
			return NULL;
	}
	return error_fault(ERROR_CORRUPT, expected,
			   "no known encoding puts _stext at 0x%llx, where the vmcoreinfo has it",
			   (unsigned long long)expected);
}

struct error *kallsyms_init(struct kallsyms *kallsyms, struct memory *memory,
			    const struct vmcoreinfo *info)
{
	static const char *const symbols[] = {
		"kallsyms_num_syms",	"kallsyms_names",   "kallsyms_token_table",
		"kallsyms_token_index", "kallsyms_offsets", "kallsyms_relative_base",
	};
	enum { NUM_SYMS, NAMES, TOKEN_TABLE, TOKEN_INDEX, OFFSETS, RELATIVE_BASE, NR };
	uint64_t va[NR];

	memset(kallsyms, 0, sizeof(*kallsyms));
	for (size_t i = 0; i < NR; i++) {
		if (!vmcoreinfo_symbol(info, symbols[i], &va[i]))
			return error_create(
				ERROR_NOT_FOUND,
				"kallsyms: the vmcoreinfo lacks SYMBOL(%s), which kernels "
				"have since 6.0; no symbols can be had from this dump",
				symbols[i]);
	}
	struct error *err = memory_read_u32(memory, va[NUM_SYMS], &kallsyms->count);
	if (!err && (!kallsyms->count || kallsyms->count > MAX_SYMBOLS))
		err = error_fault(ERROR_CORRUPT, va[NUM_SYMS], "%u symbols", kallsyms->count);
	if (!err)
		err = memory_read_u64(memory, va[RELATIVE_BASE], &kallsyms->relative_base);
	if (!err)
		err = memory_read_alloc(
			memory, va[OFFSETS], kallsyms->count * sizeof(*kallsyms->offsets),
			MAX_SYMBOLS * sizeof(*kallsyms->offsets), &kallsyms->offsets);
	if (!err)
		err = read_tokens(kallsyms, memory, va[TOKEN_TABLE], va[TOKEN_INDEX]);
	if (!err)
		err = read_names(kallsyms, memory, va[NAMES]);
	if (!err)
		err = choose_encoding(kallsyms, info);
	if (err)
		kallsyms_deinit(kallsyms);
	return error_prefix(err, "kallsyms");
}

void kallsyms_deinit(struct kallsyms *kallsyms)
{
	free(kallsyms->names);
	free(kallsyms->markers);
	free(kallsyms->offsets);
	free(kallsyms->tokens);
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

static size_t expanded_length(const struct kallsyms *kallsyms, size_t at, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += kallsyms->token_length[kallsyms->names[at + i]];
	return len ? len - 1 : 0; /* without the type letter */
}

/* Most names are told apart by their length alone, which needs no expanding. */
void kallsyms_find(const struct kallsyms *kallsyms, struct kallsyms_wanted *wanted, size_t count)
{
	uint64_t lengths = 0;
	size_t at = 0, tokens, nr_tokens;
	char name[KSYM_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		wanted[i].address = 0;
		lengths |= 1ull << strlen(wanted[i].name) % 64;
	}
	for (uint32_t i = 0; i < kallsyms->count && entry(kallsyms, at, &tokens, &nr_tokens); i++) {
		size_t len = expanded_length(kallsyms, tokens, nr_tokens);
		at = tokens + nr_tokens;
		if (!(lengths >> len % 64 & 1))
			continue;
		expand(kallsyms, tokens, nr_tokens, name);
		for (size_t w = 0; w < count; w++)
			if (wanted[w].name[0] == name[0] && !wanted[w].address &&
			    !strcmp(wanted[w].name, name))
				wanted[w].address = symbol_address(kallsyms, i);
	}
}

bool kallsyms_lookup(const struct kallsyms *kallsyms, uint64_t address, uint32_t *index_ret,
		     uint64_t *start_ret, uint64_t *size_ret)
{
	uint32_t low = 0, high = kallsyms->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (symbol_address(kallsyms, middle) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	uint32_t first = low - 1;
	*start_ret = symbol_address(kallsyms, first);
	*size_ret = low < kallsyms->count ? symbol_address(kallsyms, low) - *start_ret : 0;
	while (first && symbol_address(kallsyms, first - 1) == *start_ret)
		first--;
	*index_ret = first;
	return true;
}

void kallsyms_name(const struct kallsyms *kallsyms, uint32_t index, char ret[KSYM_NAME_SIZE])
{
	size_t at = kallsyms->markers[index / MARKER_SPACING], tokens, count;

	ret[0] = '\0';
	for (uint32_t i = index % MARKER_SPACING;; i--) {
		if (!entry(kallsyms, at, &tokens, &count))
			return;
		if (!i)
			break;
		at = tokens + count;
	}
	expand(kallsyms, tokens, count, ret);
}
