// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/kallsyms and System.map have a line "ADDRESS TYPE NAME" for each symbol; in /proc/kallsyms modules' lines end
 * with "\t[MODULE]", and are passed over: modules have their symbols in the dump. A vmlinux has .symtab.
 *
 * /proc/kallsyms has the addresses of its boot; the other two are as linked, KASLR's offset is to be added. Which
 * it is, and whether it is this kernel at all, follows from what the vmcoreinfo says of some symbols.
 */
#include "symbols/symbol_file.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/regular_file.h"
#include "base/vector.h"
#include "symbols/elf_file.h"

/* Kernels have below 20 MB of each. */
#define MAX_TEXT    (64u << 20)
#define MAX_SYMTAB  (64u << 20)
#define MAX_NOTES   (1u << 20)
#define KERNEL_HALF (1ull << 63) /* below it are per-CPU offsets, which do not move */

struct file_symbol {
	uint64_t address;
	const char *name; /* in the file's text, not ended by 0 */
	uint32_t len;
	uint32_t place; /* in the file */
	char type;
};

struct symbol_file {
	VECTOR(struct file_symbol) symbols;
	char *text; /* that the names are in */
	bool linked; /* never has KASLR's offset */
};

static void symbol_file_deinit(struct symbol_file *file)
{
	vector_deinit(&file->symbols);
	free(file->text);
}

static struct error *add(struct symbol_file *file, uint64_t address, char type, const char *name,
			 size_t len)
{
	if (file->symbols.count >= KALLSYMS_MAX_SYMBOLS)
		return error_create(ERROR_CORRUPT, "more than %u symbols", KALLSYMS_MAX_SYMBOLS);
	struct file_symbol *symbol = vector_push(&file->symbols);
	if (!symbol)
		return &error_no_memory;
	*symbol = (struct file_symbol){
		.address = address,
		.name = name,
		.len = len < KSYM_NAME_SIZE ? len : KSYM_NAME_SIZE - 1,
		.place = file->symbols.count,
		.type = type,
	};
	return NULL;
}

/* Until the end of the file, since those of /proc have no size. */
static struct error *read_text(FILE *in, const char *path, char **ret, size_t *size_ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, capacity = 0;

	do {
		if (size == capacity) {
			if (size >= MAX_TEXT)
				return error_create(ERROR_CORRUPT,
						    "%s: no symbols of a kernel: over %u MB", path,
						    MAX_TEXT >> 20);
			capacity = capacity ? capacity * 2 : 1 << 20;
			char *grown = realloc(text, capacity);
			if (!grown)
				return &error_no_memory;
			text = grown;
		}
		size += fread(text + size, 1, capacity - size, in);
	} while (size == capacity);
	if (ferror(in))
		return error_errno("%s", path);
	*ret = steal_ptr(text);
	*size_ret = size;
	return NULL;
}

/* "ADDRESS TYPE NAME"; false if it is none. */
static bool parse_line(const char *at, const char *end, struct file_symbol *ret)
{
	const char *start = at;

	*ret = (struct file_symbol){};
	for (int digit; at < end && (digit = hex_digit(*at)) >= 0; at++)
		ret->address = ret->address << 4 | digit;
	if (at == start || at - start > 16 || end - at < 4 || at[0] != ' ' || at[2] != ' ')
		return false;
	ret->type = at[1];
	ret->name = at + 3;
	while (end > ret->name && isspace((unsigned char)end[-1]))
		end--;
	ret->len = end - ret->name;
	return ret->len && isalpha((unsigned char)ret->type);
}

static struct error *parse_text(struct symbol_file *file, size_t size)
{
	const char *at = file->text, *end = at + size;
	struct error *err = NULL;

	for (const char *newline; !err && at < end; at = newline + 1) {
		struct file_symbol symbol;
		newline = memchr(at, '\n', end - at);
		if (!newline)
			newline = end; /* cut off: so is the name, it may be */
		if (!parse_line(at, newline, &symbol))
			return error_create(ERROR_CORRUPT,
					    "no /proc/kallsyms, no System.map and no vmlinux");
		/* A module's. */
		if (newline == end || memchr(symbol.name, '\t', symbol.len))
			continue;
		err = add(file, symbol.address, symbol.type, symbol.name, symbol.len);
	}
	return err;
}

/* As scripts/mksysmap and scripts/kallsyms.c leave out what is no symbol to them. */
static bool is_wanted(const Elf64_Sym *symbol, const char *name)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return symbol->st_shndx != SHN_UNDEF && type <= STT_FUNC && *name && *name != '$' &&
	       *name != '.' && strncmp(name, "__crc_", 6) && strncmp(name, "__kstrtab", 9) &&
	       strncmp(name, "__UNIQUE_ID_modinfo", 19);
}

static void build_id_of_file(const struct elf_file *elf, struct build_id *ret)
{
	*ret = (struct build_id){};
	for (uint32_t i = 0; !ret->size && i < elf->nr_sections; i++) {
		const Elf64_Shdr *section = &elf->sections[i];
		_cleanup_free_ char *notes = NULL;
		if (section->sh_type != SHT_NOTE)
			continue;
		struct error *err = elf_file_read(elf, section, MAX_NOTES, &notes);
		if (!err)
			build_id_of_notes(notes, section->sh_size, ret);
		error_destroy(err);
	}
}

/* Where one of both is not known, the symbols must tell. */
static struct error *check_build_id(const struct elf_file *elf, const struct vmcoreinfo *info)
{
	char theirs[2 * BUILD_ID_MAX + 1], ours[2 * BUILD_ID_MAX + 1];
	struct build_id id, wanted;

	build_id_of_file(elf, &id);
	build_id_of_vmcoreinfo(info, &wanted);
	if (!id.size || !wanted.size || build_id_equal(&id, &wanted))
		return NULL;
	build_id_text(&id, theirs);
	build_id_text(&wanted, ours);
	return error_create(ERROR_OTHER, "another kernel's: its build id is %s, the dump's %s",
			    theirs, ours);
}

static struct error *parse_symtab(struct symbol_file *file, const struct elf_file *elf)
{
	const Elf64_Shdr *symtab = elf_file_find(elf, NULL, SHT_SYMTAB);
	_cleanup_free_ Elf64_Sym *symbols = NULL;

	if (!symtab || symtab->sh_link >= elf->nr_sections)
		return error_create(ERROR_NOT_FOUND, "a vmlinux without .symtab");
	const Elf64_Shdr *strtab = &elf->sections[symtab->sh_link];
	struct error *err = elf_file_read(elf, symtab, MAX_SYMTAB, &symbols);
	if (!err)
		err = elf_file_read(elf, strtab, MAX_SYMTAB, &file->text);
	if (err)
		return err;
	if (!strtab->sh_size || file->text[strtab->sh_size - 1])
		return error_create(ERROR_CORRUPT, "the symbols' names do not end");
	for (size_t i = 0; !err && i < symtab->sh_size / sizeof(*symbols); i++) {
		if (symbols[i].st_name >= strtab->sh_size)
			continue;
		const char *name = file->text + symbols[i].st_name;
		if (is_wanted(&symbols[i], name))
			err = add(file, symbols[i].st_value,
				  ELF64_ST_BIND(symbols[i].st_info) == STB_WEAK ? 'W' : 'T', name,
				  strlen(name));
	}
	file->linked = true;
	return err;
}

static struct error *parse_elf(struct symbol_file *file, const char *path,
			       const struct vmcoreinfo *info)
{
	struct elf_file elf;

	struct error *err = elf_file_open(path, &elf);
	if (err)
		return err;
	err = check_build_id(&elf, info);
	if (!err)
		err = parse_symtab(file, &elf);
	elf_file_close(&elf);
	return error_prefix(err, "%s", path);
}

static struct error *parse(struct symbol_file *file, const char *path,
			   const struct vmcoreinfo *info)
{
	char head[SELFMAG] = "";
	uint64_t ignored;
	size_t size = 0;
	int fd;

	struct error *err = regular_file_open(path, &fd, &ignored);
	if (err)
		return err;
	_cleanup_fclose_ FILE *in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		return &error_no_memory;
	}
	if (elf_file_probe(head, fread(head, 1, sizeof(head), in)))
		return parse_elf(file, path, info);
	rewind(in);
	err = read_text(in, path, &file->text, &size);
	return err ? err : error_prefix(parse_text(file, size), "%s", path);
}

static bool find(const struct symbol_file *file, const char *name, uint64_t *ret)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < file->symbols.count; i++) {
		const struct file_symbol *symbol = &file->symbols.data[i];
		if (symbol->len == len && !memcmp(symbol->name, name, len)) {
			*ret = symbol->address;
			return true;
		}
	}
	return false;
}

static struct error *is_another(const struct vmcoreinfo *info, const char *symbol, uint64_t there,
				uint64_t here)
{
	const char *release = "";
	size_t size = 0;

	vmcoreinfo_string(info, "OSRELEASE", &release, &size);
	return error_create(
		ERROR_OTHER,
		"of another kernel or another boot: it has %s at 0x%llx, the dump at "
		"0x%llx; what fits is the /proc/kallsyms of the boot that crashed, or the "
		"System.map or vmlinux of %.*s",
		symbol, (unsigned long long)there, (unsigned long long)here, (int)size, release);
}

/* Finds what is to be added to the addresses, and checks that they are this kernel's then. */
static struct error *fit(const struct symbol_file *file, const struct vmcoreinfo *info,
			 uint64_t *offset_ret)
{
	static const char *const others[] = { "init_uts_ns", "node_online_map", "init_top_pgt",
					      "swapper_pg_dir", "vmap_area_list" };
	uint64_t here, there, kaslr;

	if (!vmcoreinfo_symbol(info, "_stext", &here))
		return error_create(ERROR_OTHER, "the vmcoreinfo lacks SYMBOL(_stext)");
	if (!find(file, "_stext", &there))
		return error_create(ERROR_NOT_FOUND,
				    "no symbols of a kernel: there is no _stext among %zu",
				    file->symbols.count);
	if (!there)
		return error_create(ERROR_OTHER,
				    "all its addresses are 0: /proc/kallsyms shows them to root "
				    "only (kernel.kptr_restrict)");
	*offset_ret = here - there;
	if (vmcoreinfo_hex(info, "KERNELOFFSET", &kaslr) && *offset_ret != kaslr &&
	    (*offset_ret || file->linked))
		return is_another(info, "_stext", there, here);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (vmcoreinfo_symbol(info, others[i], &here) && find(file, others[i], &there) &&
		    there + *offset_ret != here)
			return is_another(info, others[i], there + *offset_ret, here);
	return NULL;
}

/* Symbols that a linker script makes: __start_NAME, __NAME_end and the like. */
static bool is_boundary(const struct file_symbol *symbol)
{
	const char *name = symbol->name, *end = name + symbol->len;

	return symbol->len >= 8 && !memcmp(name, "__", 2) &&
	       (!memcmp(name + 2, "start_", 6) || !memcmp(name + 2, "stop_", 5) ||
		!memcmp(name + 2, "end_", 4) || !memcmp(end - 6, "_start", 6) ||
		!memcmp(end - 4, "_end", 4));
}

static int underscores(const struct file_symbol *symbol)
{
	int count = 0;

	while ((uint32_t)count < symbol->len && symbol->name[count] == '_')
		count++;
	return count;
}

/* By address; which of several at one address is the first, the kernel's compare_symbols() says (scripts/kallsyms.c). */
static int compare(const void *a, const void *b)
{
	const struct file_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	int order = (toupper(x->type) == 'W') - (toupper(y->type) == 'W');
	if (!order)
		order = is_boundary(x) - is_boundary(y);
	if (!order)
		order = underscores(x) - underscores(y);
	return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void sort(struct symbol_file *file)
{
	for (size_t i = 1; i < file->symbols.count; i++) {
		if (compare(&file->symbols.data[i - 1], &file->symbols.data[i]) > 0) {
			qsort(file->symbols.data, file->symbols.count, sizeof(*file->symbols.data),
			      compare);
			return;
		}
	}
}

/* Each token is the character that it is. */
static void make_tokens(struct kallsyms *kallsyms)
{
	for (int i = 0; i < 256; i++) {
		kallsyms->tokens[2 * i] = i;
		kallsyms->tokens[2 * i + 1] = '\0';
		kallsyms->token_index[i] = 2 * i;
		kallsyms->token_length[i] = i != 0;
	}
}

/* The same tables as the kernel's, so that nothing else sees where they are from. */
static struct error *make_tables(const struct symbol_file *file, uint64_t offset,
				 struct kallsyms *ret)
{
	size_t size = 0, at = 0;

	for (size_t i = 0; i < file->symbols.count; i++)
		size += 3 + file->symbols.data[i].len;
	*ret = (struct kallsyms){
		.count = file->symbols.count,
		.encoding = KALLSYMS_ABSOLUTE,
		.names = malloc(size),
		.names_size = size,
		.markers = calloc(file->symbols.count / MARKER_SPACING + 1, sizeof(*ret->markers)),
		.addresses = calloc(file->symbols.count, sizeof(*ret->addresses)),
		.tokens = malloc(512),
		.tokens_size = 512,
	};
	if (!ret->names || !ret->markers || !ret->addresses || !ret->tokens) {
		kallsyms_deinit(ret);
		return &error_no_memory;
	}
	make_tokens(ret);
	for (size_t i = 0; i < file->symbols.count; i++) {
		const struct file_symbol *symbol = &file->symbols.data[i];
		uint32_t len = symbol->len + 1;
		if (i % MARKER_SPACING == 0)
			ret->markers[i / MARKER_SPACING] = at;
		ret->addresses[i] = symbol->address;
		if (symbol->address >= KERNEL_HALF)
			ret->addresses[i] += offset;
		ret->names[at++] = len > 127 ? 0x80 | (len & 127) : len;
		if (len > 127)
			ret->names[at++] = len >> 7;
		ret->names[at++] = symbol->type;
		memcpy(ret->names + at, symbol->name, symbol->len);
		at += symbol->len;
	}
	ret->names_size = at;
	return NULL;
}

struct error *symbol_file_load(const char *path, const struct vmcoreinfo *info,
			       struct kallsyms *ret)
{
	struct symbol_file file = {};
	uint64_t offset = 0;

	memset(ret, 0, sizeof(*ret));
	struct error *err = parse(&file, path, info);
	if (!err)
		err = error_prefix(fit(&file, info, &offset), "%s", path);
	if (!err) {
		sort(&file);
		err = make_tables(&file, offset, ret);
	}
	symbol_file_deinit(&file);
	return err;
}

bool symbol_file_is_of(const char *path, const struct build_id *wanted)
{
	struct elf_file elf;
	struct build_id id;
	struct error *err = elf_file_open(path, &elf);

	if (err) {
		error_destroy(err);
		return false;
	}
	build_id_of_file(&elf, &id);
	bool is_of = build_id_equal(&id, wanted) && elf_file_find(&elf, NULL, SHT_SYMTAB);
	elf_file_close(&elf);
	return is_of;
}

struct error *symbol_file_btf(const char *path, const struct vmcoreinfo *info, void **ret,
			      size_t *size_ret)
{
	struct elf_file elf;

	struct error *err = elf_file_open(path, &elf);
	if (err)
		return err;
	const Elf64_Shdr *section = elf_file_find(&elf, ".BTF", 0);
	err = check_build_id(&elf, info);
	if (!err && !section)
		err = error_create(ERROR_NOT_FOUND, "it has no .BTF");
	if (!err) {
		*size_ret = section->sh_size;
		err = elf_file_read(&elf, section, MAX_SYMTAB, ret);
	}
	elf_file_close(&elf);
	return error_prefix(err, "%s", path);
}
