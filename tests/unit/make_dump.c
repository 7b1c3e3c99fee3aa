// SPDX-License-Identifier: GPL-2.0-only
#include "make_dump.h"

#include <elf.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "test.h"

enum page_kind { PAGE_PRESENT, PAGE_EXCLUDED };

struct made_page {
	uint64_t pfn;
	enum page_kind kind;
	bool missing, damaged, has_size, has_flags;
	uint32_t size, flags;
	uint8_t bytes[PAGE_SIZE];
};

struct made_segment {
	uint64_t pa, memory_size, file_size;
};

/* makedumpfile's numbers: diskdump_mod.h. Written down again, so that a mistake in the reader shows. */
enum { ZLIB = 1, LZO = 2, SNAPPY = 4, INCOMPLETE = 8, ZSTD = 32 };

void assert_no_error(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

void assert_error(struct error *err, enum error_class class, const char *text)
{
	if (!err)
		fail_msg("no error, but one was expected: %s", text);
	if (err->class != class || !strstr(err->message, text))
		fail_msg("not a %s error that says '%s' but a %s one: %s", error_class_name(class),
			 text, error_class_name(err->class), err->message);
	error_destroy(err);
}

void assert_fault(struct error *err, enum error_class class, uint64_t address)
{
	if (!err)
		fail_msg("no error, but a %s one was expected at 0x%llx", error_class_name(class),
			 (unsigned long long)address);
	if (err->class != class || err->address != address)
		fail_msg("not a %s error at 0x%llx but a %s one at 0x%llx: %s",
			 error_class_name(class), (unsigned long long)address,
			 error_class_name(err->class), (unsigned long long)err->address,
			 err->message);
	error_destroy(err);
}

static uint64_t plain_number(struct make_dump *d, const char *text)
{
	char *end;
	uint64_t ret = strtoull(text, &end, 0);

	(void)d;
	if (*end || !*text)
		fail_msg("'%s' is no number", text);
	return ret;
}

void make_dump_init(struct make_dump *d)
{
	memset(d, 0, sizeof(*d));
	strcpy(d->machine, "x86_64");
	d->random = 1;
	d->version = 6;
	d->number = plain_number;
	d->poke = make_dump_poke;
}

void make_dump_deinit(struct make_dump *d)
{
	if (d->path[0])
		unlink(d->path);
	free(d->pages);
	free(d->segments);
	free(d->notes);
	free(d->info);
}

static struct made_page *page_of(struct make_dump *d, uint64_t pa)
{
	uint64_t pfn = pa / PAGE_SIZE;
	size_t i = 0;

	while (i < d->nr_pages && d->pages[i].pfn < pfn)
		i++;
	if (i < d->nr_pages && d->pages[i].pfn == pfn)
		return &d->pages[i];
	d->pages = realloc(d->pages, (d->nr_pages + 1) * sizeof(*d->pages));
	assert_non_null(d->pages);
	memmove(&d->pages[i + 1], &d->pages[i], (d->nr_pages - i) * sizeof(*d->pages));
	memset(&d->pages[i], 0, sizeof(*d->pages));
	d->pages[i].pfn = pfn;
	d->nr_pages++;
	return &d->pages[i];
}

void make_dump_poke(struct make_dump *d, uint64_t pa, const void *data, size_t size)
{
	const char *from = data;

	while (size) {
		size_t in = pa % PAGE_SIZE, n = PAGE_SIZE - in < size ? PAGE_SIZE - in : size;
		memcpy(page_of(d, pa)->bytes + in, from, n);
		pa += n;
		from += n;
		size -= n;
	}
}

static size_t align4(size_t n)
{
	return (n + 3) / 4 * 4;
}

void make_dump_note(struct make_dump *d, const char *name, uint32_t type, const void *desc,
		    size_t size)
{
	Elf64_Nhdr nhdr = { .n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type };
	size_t whole = sizeof(nhdr) + align4(nhdr.n_namesz) + align4(size);

	d->notes = realloc(d->notes, d->notes_size + whole);
	assert_non_null(d->notes);
	char *to = d->notes + d->notes_size;
	memset(to, 0, whole);
	memcpy(to, &nhdr, sizeof(nhdr));
	memcpy(to + sizeof(nhdr), name, nhdr.n_namesz);
	memcpy(to + sizeof(nhdr) + align4(nhdr.n_namesz), desc, size);
	d->notes_size += whole;
}

static void put(struct make_dump *d, const void *data, size_t size)
{
	d->poke(d, d->at, data, size);
	d->at += size;
}

static void put_filled(struct make_dump *d, size_t size, int byte)
{
	char *bytes = malloc(size);

	assert_non_null(bytes);
	memset(bytes, byte, size);
	put(d, bytes, size);
	free(bytes);
}

static void put_random(struct make_dump *d, size_t size)
{
	for (; size; size--) {
		d->random = d->random * 1103515245 + 12345;
		uint8_t byte = d->random >> 16;
		put(d, &byte, 1);
	}
}

static void add_info(struct make_dump *d, const char *line)
{
	size_t old = d->info ? strlen(d->info) : 0;

	d->info = realloc(d->info, old + strlen(line) + 2);
	assert_non_null(d->info);
	sprintf(d->info + old, "%s\n", line);
}

static void set_format(struct make_dump *d, const char *format, const char *compression)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} compressions[] = {
		{ "none", 0 },	      { "zlib", ZLIB }, { "lzo", LZO },
		{ "snappy", SNAPPY }, { "zstd", ZSTD },
	};

	d->kdump = !strcmp(format, "kdump");
	if (!d->kdump)
		return;
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		if (!strcmp(compressions[i].name, compression)) {
			d->compression = compressions[i].flag;
			return;
		}
	}
	fail_msg("no compression '%s'", compression);
}

static void add_segment(struct make_dump *d, uint64_t pa, uint64_t memory_size, uint64_t file_size)
{
	d->segments = realloc(d->segments, (d->nr_segments + 1) * sizeof(*d->segments));
	assert_non_null(d->segments);
	d->segments[d->nr_segments++] = (struct made_segment){ pa, memory_size, file_size };
}

static void exclude(struct make_dump *d, uint64_t pa, uint64_t size)
{
	for (uint64_t end = pa + (size ? size : PAGE_SIZE); pa < end; pa += PAGE_SIZE)
		page_of(d, pa)->kind = PAGE_EXCLUDED;
}

/* What a page's descriptor is to say instead of the truth. */
static void spoil(struct make_dump *d, const char *how, uint64_t pa, uint32_t value)
{
	struct made_page *page = page_of(d, pa);

	page->missing = page->missing || !strcmp(how, "missing");
	page->damaged = page->damaged || !strcmp(how, "damaged");
	if (!strcmp(how, "size")) {
		page->has_size = true;
		page->size = value;
	} else if (!strcmp(how, "flags")) {
		page->has_flags = true;
		page->flags = value;
	}
}

static void set_part(struct make_dump *d, uint64_t start, uint64_t end)
{
	d->part = true;
	d->part_start = start / PAGE_SIZE;
	d->part_end = end / PAGE_SIZE;
}

static void take_line(struct make_dump *d, char *line)
{
	char *rest, *word, *words[4] = { "", "", "", "" };
	char *copy = strdup(line), *save = NULL;
	unsigned int bits;

	assert_non_null(copy);
	line[strcspn(line, " ")] = '\0';
	rest = strchr(copy, ' ') ? strchr(copy, ' ') + 1 : copy + strlen(copy);
	if (!strcmp(line, "str")) {
		put(d, rest, strlen(rest) + 1);
	} else if (!strcmp(line, "info")) {
		add_info(d, rest);
	} else if (sscanf(line, "u%u", &bits) == 1) {
		for (word = strtok_r(rest, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
			uint64_t value = d->number(d, word);
			put(d, &value, bits / 8);
		}
	} else {
		for (size_t i = 0; i < 4; i++) {
			word = strtok_r(i ? NULL : rest, " ", &save);
			words[i] = word ? word : "";
		}
		uint64_t n[3];
		for (size_t i = 0; i < 3; i++)
			n[i] = words[i][0] >= '0' && words[i][0] <= '9' ? d->number(d, words[i])
									: 0;
		if (!strcmp(line, "format"))
			set_format(d, words[0], words[1]);
		else if (!strcmp(line, "machine"))
			snprintf(d->machine, sizeof(d->machine), "%s", words[0]);
		else if (!strcmp(line, "note"))
			make_dump_note(d, words[0], n[1], memset(alloca(n[2] + 1), 0, n[2]), n[2]);
		else if (!strcmp(line, "pa"))
			d->at = n[0];
		else if (!strcmp(line, "fill"))
			put_filled(d, n[0], n[1]);
		else if (!strcmp(line, "random"))
			put_random(d, n[0]);
		else if (!strcmp(line, "excluded"))
			exclude(d, n[0], n[1]);
		else if (!strcmp(line, "missing") || !strcmp(line, "damaged") ||
			 !strcmp(line, "size") || !strcmp(line, "flags"))
			spoil(d, line, n[0], n[1]);
		else if (!strcmp(line, "segment"))
			add_segment(d, n[0], n[1], n[2]);
		else if (!strcmp(line, "xnum"))
			d->xnum = true;
		else if (!strcmp(line, "incomplete"))
			d->incomplete = true;
		else if (!strcmp(line, "flattened"))
			d->flattened = true;
		else if (!strcmp(line, "version"))
			d->version = n[0];
		else if (!strcmp(line, "part"))
			set_part(d, n[0], n[1]);
		else
			fail_msg("make_dump: what is '%s'?", line);
	}
	free(copy);
}

void make_dump_text(struct make_dump *d, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len), *at = line;
		assert_non_null(line);
		line[strcspn(line, "#")] = '\0';
		at += strspn(at, " \t");
		if (*at && !(d->take_line && d->take_line(d, at)))
			take_line(d, at);
		free(line);
		text += len + (text[len] == '\n');
	}
}

void make_dump_line(struct make_dump *d, const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	make_dump_text(d, line);
}

static void write_at(FILE *file, uint64_t offset, const void *data, size_t size)
{
	if (!size)
		return;
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(data, 1, size, file), size);
}

static uint16_t elf_machine(const struct make_dump *d)
{
	if (!strcmp(d->machine, "aarch64"))
		return EM_AARCH64;
	return strcmp(d->machine, "riscv64") ? EM_X86_64 : EM_RISCV;
}

/* A segment for each run of pages of one kind. */
static void add_runs(struct make_dump *d)
{
	for (size_t i = 0; i < d->nr_pages;) {
		const struct made_page *first = &d->pages[i];
		size_t n = 1;
		while (i + n < d->nr_pages && first[n].pfn == first->pfn + n &&
		       first[n].kind == first->kind)
			n++;
		add_segment(d, first->pfn * PAGE_SIZE, n * PAGE_SIZE,
			    first->kind == PAGE_PRESENT ? n * PAGE_SIZE : 0);
		i += n;
	}
}

/* The bytes of physical memory from @pa on, whatever pages they are in. */
static void write_memory(struct make_dump *d, FILE *file, uint64_t offset, uint64_t pa,
			 uint64_t size)
{
	for (size_t i = 0; i < d->nr_pages; i++) {
		uint64_t start = d->pages[i].pfn * PAGE_SIZE, end = start + PAGE_SIZE;
		uint64_t from = start > pa ? start : pa, to = end < pa + size ? end : pa + size;
		if (from < to)
			write_at(file, offset + from - pa, d->pages[i].bytes + (from - start),
				 to - from);
	}
}

static void write_elf(struct make_dump *d, FILE *file)
{
	if (!d->nr_segments)
		add_runs(d);
	uint64_t count = d->nr_segments + 1;
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = elf_machine(d),
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr),
		.e_shoff = d->xnum ? sizeof(ehdr) + count * sizeof(Elf64_Phdr) : 0,
		.e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = d->xnum ? PN_XNUM : count,
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	Elf64_Shdr shdr = { .sh_info = count };
	d->notes_at = sizeof(ehdr) + count * sizeof(Elf64_Phdr) + sizeof(shdr);
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = d->notes_at, .p_filesz = d->notes_size };

	write_at(file, 0, &ehdr, sizeof(ehdr));
	write_at(file, sizeof(ehdr), &note, sizeof(note));
	write_at(file, sizeof(ehdr) + count * sizeof(Elf64_Phdr), &shdr, sizeof(shdr));
	write_at(file, d->notes_at, d->notes, d->notes_size);
	uint64_t at = d->pages_at = d->notes_at + d->notes_size;
	for (size_t i = 0; i < d->nr_segments; i++) {
		const struct made_segment *segment = &d->segments[i];
		Elf64_Phdr load = {
			.p_type = PT_LOAD,
			.p_offset = at,
			.p_paddr = segment->pa,
			.p_memsz = segment->memory_size,
			.p_filesz = segment->file_size,
		};
		write_at(file, sizeof(ehdr) + (i + 1) * sizeof(load), &load, sizeof(load));
		write_memory(d, file, at, segment->pa, segment->file_size);
		at += segment->file_size;
	}
	d->size = at;
}

/* Compresses a page, unless it would only grow; returns how many bytes it then has. */
static size_t compress_page(const struct make_dump *d, const uint8_t *page,
			    uint8_t out[2 * PAGE_SIZE], uint32_t *flags_ret)
{
	static char work[LZO1X_1_MEM_COMPRESS];
	size_t size = 2 * PAGE_SIZE;

	switch (d->compression) {
	case ZLIB:
		assert_int_equal(compress2(out, &size, page, PAGE_SIZE, 1), Z_OK);
		break;
	case LZO:
		assert_int_equal(lzo1x_1_compress(page, PAGE_SIZE, out, &size, work), LZO_E_OK);
		break;
	case SNAPPY:
		assert_int_equal(snappy_compress((const char *)page, PAGE_SIZE, (char *)out, &size),
				 SNAPPY_OK);
		break;
	case ZSTD:
		size = ZSTD_compress(out, size, page, PAGE_SIZE, 1);
		assert_false(ZSTD_isError(size));
		break;
	}
	*flags_ret = d->compression;
	if (!d->compression || size >= PAGE_SIZE) {
		*flags_ret = 0;
		memcpy(out, page, PAGE_SIZE);
		return PAGE_SIZE;
	}
	return size;
}

struct page_desc {
	uint64_t offset;
	uint32_t size, flags;
	uint64_t page_flags;
};

static bool in_part(const struct make_dump *d, uint64_t pfn)
{
	return !d->part || (pfn >= d->part_start && pfn < d->part_end);
}

/* Writes page after page, and the descriptor of each; returns where the file ends. */
static uint64_t write_pages(struct make_dump *d, FILE *file)
{
	uint64_t at = d->pages_at, desc_at = d->descs_at;

	for (size_t i = 0; i < d->nr_pages; i++) {
		const struct made_page *page = &d->pages[i];
		uint8_t out[2 * PAGE_SIZE];
		struct page_desc desc = { .offset = at };
		if (page->kind == PAGE_EXCLUDED || !in_part(d, page->pfn))
			continue;
		desc.size = compress_page(d, page->bytes, out, &desc.flags);
		if (page->damaged)
			memset(out, 0xff, desc.size);
		write_at(file, at, out, desc.size);
		at += desc.size;
		if (page->missing)
			desc = (struct page_desc){};
		if (page->has_size)
			desc.size = page->size;
		if (page->has_flags)
			desc.flags = page->flags;
		write_at(file, desc_at, &desc, sizeof(desc));
		desc_at += sizeof(desc);
	}
	return at;
}

struct sub_header {
	uint64_t phys_base;
	int32_t level, split;
	uint64_t start_pfn, end_pfn, info_at, info_size, notes_at, notes_size, erase_at, erase_size,
		start_pfn_64, end_pfn_64, max_mapnr;
};

/* What the header's version does not have yet, and nobody may look at. */
static void spoil_later_fields(const struct make_dump *d, struct sub_header *sub)
{
	static const size_t fields[] = {
		offsetof(struct sub_header, level),    offsetof(struct sub_header, split),
		offsetof(struct sub_header, info_at),  offsetof(struct sub_header, notes_at),
		offsetof(struct sub_header, erase_at), offsetof(struct sub_header, start_pfn_64),
	};

	if (d->version < 6)
		memset((char *)sub + fields[d->version], 0xee, sizeof(*sub) - fields[d->version]);
}

static void write_kdump(struct make_dump *d, FILE *file)
{
	struct {
		char signature[8];
		int32_t version;
		char utsname[6][65];
		char pad[6];
		uint64_t time[2];
		uint32_t status;
		int32_t block_size, sub_blocks;
		uint32_t bitmap_blocks, max_mapnr, total, device, written, cpu;
		int32_t nr_cpus;
	} header = { .signature = "KDUMP   ",
		     .version = d->version,
		     .block_size = PAGE_SIZE,
		     .nr_cpus = 1 };
	struct sub_header sub = {
		.level = 31,
		.notes_size = d->notes_size,
		.split = d->part,
		.start_pfn = d->part_start,
		.end_pfn = d->part_end,
		.start_pfn_64 = d->part_start,
		.end_pfn_64 = d->part_end,
	};
	uint64_t last = d->nr_pages ? d->pages[d->nr_pages - 1].pfn : 0;
	uint64_t blocks = last / 8 / PAGE_SIZE + 1, count = 0;

	strcpy(header.utsname[0], "Linux");
	strcpy(header.utsname[2], "6.1.0-test");
	strcpy(header.utsname[4], d->machine);
	header.status = d->compression | (d->incomplete ? INCOMPLETE : 0);
	header.sub_blocks = (sizeof(sub) + d->notes_size) / PAGE_SIZE + 1;
	header.bitmap_blocks = 2 * blocks;
	header.max_mapnr = sub.max_mapnr = last + 1;
	d->notes_at = sub.notes_at = PAGE_SIZE + sizeof(sub);
	sub.info_size = d->info_size;
	sub.info_at = d->notes_at + d->notes_size - align4(d->info_size);
	spoil_later_fields(d, &sub);
	d->bitmap_at = (1 + header.sub_blocks) * PAGE_SIZE;
	d->descs_at = d->bitmap_at + 2 * blocks * PAGE_SIZE;

	uint8_t *bitmaps = calloc(2 * blocks, PAGE_SIZE);
	assert_non_null(bitmaps);
	for (size_t i = 0; i < d->nr_pages; i++) {
		uint64_t pfn = d->pages[i].pfn;
		bitmaps[pfn / 8] |= 1 << pfn % 8;
		if (d->pages[i].kind == PAGE_EXCLUDED)
			continue;
		bitmaps[blocks * PAGE_SIZE + pfn / 8] |= 1 << pfn % 8;
		count += in_part(d, pfn);
	}
	d->pages_at = d->descs_at + count * sizeof(struct page_desc);
	write_at(file, 0, &header, sizeof(header));
	write_at(file, PAGE_SIZE, &sub, sizeof(sub));
	write_at(file, d->notes_at, d->notes, d->notes_size);
	write_at(file, d->bitmap_at, bitmaps, 2 * blocks * PAGE_SIZE);
	free(bitmaps);
	d->size = write_pages(d, file);
}

const char *make_dump_write(struct make_dump *d)
{
	if (d->finish)
		d->finish(d);
	d->info_size = d->info ? strlen(d->info) : 0;
	if (d->info)
		make_dump_note(d, "VMCOREINFO", 0, d->info, strlen(d->info));
	free(d->info);
	d->info = NULL;
	strcpy(d->path, "/tmp/lockdump-test-XXXXXX");
	FILE *file = fdopen(mkstemp(d->path), "w");
	assert_non_null(file);
	if (d->kdump)
		write_kdump(d, file);
	else
		write_elf(d, file);
	assert_int_equal(fclose(file), 0);
	make_dump_truncate(d, d->size);
	if (d->flattened)
		make_dump_flatten(d);
	return d->path;
}

void make_dump_truncate(const struct make_dump *d, uint64_t size)
{
	assert_int_equal(truncate(d->path, size), 0);
}

void make_dump_patch(const struct make_dump *d, uint64_t offset, const void *data, size_t size)
{
	FILE *file = fopen(d->path, "r+");

	assert_non_null(file);
	write_at(file, offset, data, size);
	assert_int_equal(fclose(file), 0);
}

struct dump *make_dump_open(struct make_dump *d)
{
	struct dump *dump = NULL;

	assert_no_error(dump_open(make_dump_write(d), &dump));
	return dump;
}

struct dump *dump_of_text(const char *text)
{
	struct make_dump d;

	make_dump_init(&d);
	make_dump_text(&d, text);
	struct dump *dump = make_dump_open(&d);
	make_dump_deinit(&d);
	return dump;
}

void assert_patch_refused(const char *text, const struct made_patch *patch)
{
	struct make_dump d;
	struct dump *dump;

	make_dump_init(&d);
	make_dump_text(&d, text);
	make_dump_write(&d);
	make_dump_patch(&d, patch->offset, &patch->value, patch->bytes);
	struct error *err = dump_open(d.path, &dump);
	if (!err || !strstr(err->message, patch->says))
		fail_msg("0x%llx at %llu: no '%s' in: %s", (unsigned long long)patch->value,
			 (unsigned long long)patch->offset, patch->says,
			 err ? err->message : "no error");
	error_destroy(err);
	make_dump_deinit(&d);
}
