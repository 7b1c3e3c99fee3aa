// SPDX-License-Identifier: GPL-2.0-only
/* kdump-compressed vmcores: every compression, and every way in which a page may not be there. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "make_dump.h"
#include "test.h"

static const char *const compressions[] = { "none", "zlib", "lzo", "snappy", "zstd" };

#define NR_COMPRESSIONS (sizeof(compressions) / sizeof(compressions[0]))

static uint64_t word(struct dump *dump, uint64_t pa)
{
	uint64_t ret = 0;

	assert_no_error(dump_read(dump, pa, &ret, sizeof(ret)));
	return ret;
}

static void assert_unreadable(struct dump *dump, uint64_t pa, enum error_class class, uint64_t page)
{
	uint64_t buf;

	assert_fault(dump_read(dump, pa, &buf, sizeof(buf)), class, page);
}

static void every_compression(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_COMPRESSIONS; i++) {
		struct make_dump d;
		uint8_t page[PAGE_SIZE], all[2 * PAGE_SIZE];
		make_dump_init(&d);
		make_dump_line(&d, "format kdump %s", compressions[i]);
		make_dump_text(&d, "pa 0x1000\n fill 0x1000 0x5a\n"
				   "pa 0x2000\n random 0x1000\n"
				   "pa 0x8000000\n u64 1 2 3\n");
		struct dump *dump = make_dump_open(&d);
		assert_string_equal(dump_format(dump), "kdump-compressed");
		assert_int_equal(dump_machine(dump), EM_X86_64);
		assert_true(dump_is_complete(dump));
		memset(page, 0x5a, sizeof(page));
		assert_no_error(dump_read(dump, 0x1000, all, sizeof(all)));
		assert_memory_equal(all, page, sizeof(page));
		assert_int_equal(word(dump, 0x8000010), 3);
		/* Twice: once into the cache, once out of it. */
		assert_true(word(dump, 0x2008) == *(uint64_t *)(all + PAGE_SIZE + 8));
		assert_true(word(dump, 0x2008) == *(uint64_t *)(all + PAGE_SIZE + 8));
		dump_close(dump);
		make_dump_deinit(&d);
	}
}

static void pages_are_told_apart(void **state)
{
	struct dump *dump = dump_of_text("format kdump zlib\n"
					 "pa 0x1000\n u64 1\n"
					 "excluded 0x2000 0x2000\n"
					 "pa 0x5000\n u64 5\n"
					 "missing 0x6000\n"
					 "pa 0x7000\n u64 7\n"
					 "damaged 0x8000\n"
					 "pa 0x20000000\n u64 9\n");

	(void)state;
	assert_int_equal(word(dump, 0x1000), 1);
	assert_int_equal(word(dump, 0x5000), 5);
	assert_int_equal(word(dump, 0x7000), 7);
	assert_int_equal(word(dump, 0x20000000), 9);
	assert_unreadable(dump, 0x2010, ERROR_EXCLUDED, 0x2000);
	assert_unreadable(dump, 0x3ff8, ERROR_EXCLUDED, 0x3000);
	assert_unreadable(dump, 0x4000, ERROR_UNMAPPED, 0x4000);
	assert_unreadable(dump, 0x6000, ERROR_MISSING, 0x6000);
	assert_unreadable(dump, 0x8000, ERROR_CORRUPT, 0x8000);
	assert_unreadable(dump, 0x8000, ERROR_CORRUPT, 0x8000);
	assert_unreadable(dump, 0x10000000, ERROR_UNMAPPED, 0x10000000);
	assert_unreadable(dump, 0x20001000, ERROR_UNMAPPED, 0x20001000);
	assert_unreadable(dump, UINT64_MAX - 7, ERROR_UNMAPPED, UINT64_MAX - 0xfff);
	dump_close(dump);
}

/* Each compression's own decoder has to see it: all bytes are 0xff, and then each one's first bytes alone. */
static void damaged_pages(void **state)
{
	(void)state;
	for (size_t i = 1; i < NR_COMPRESSIONS; i++) {
		struct make_dump d;
		make_dump_init(&d);
		make_dump_line(&d, "format kdump %s", compressions[i]);
		make_dump_text(&d,
			       "pa 0x1000\n fill 0x1000 1\n damaged 0x1000\n pa 0x2000\n u64 2\n");
		struct dump *dump = make_dump_open(&d);
		assert_unreadable(dump, 0x1000, ERROR_CORRUPT, 0x1000);
		assert_int_equal(word(dump, 0x2000), 2);
		dump_close(dump);
		make_dump_deinit(&d);
	}
}

/* Any byte of a compressed page may be any other: it reads as something, or is corrupt. */
static void every_byte_of_a_page(void **state)
{
	(void)state;
	for (size_t i = 1; i < NR_COMPRESSIONS; i++) {
		struct make_dump d;
		struct dump *dump;
		make_dump_init(&d);
		make_dump_line(&d, "format kdump %s", compressions[i]);
		make_dump_text(&d, "pa 0x1000\n u64 1 2 3\n fill 100 7\n str some text\n");
		make_dump_write(&d);
		for (uint64_t at = d.pages_at; at < d.size; at++) {
			uint8_t byte = at * 37 + 0xa5, page[PAGE_SIZE];
			make_dump_patch(&d, at, &byte, 1);
			assert_no_error(dump_open(d.path, &dump));
			struct error *err = dump_read(dump, 0x1000, page, sizeof(page));
			if (err)
				assert_fault(err, ERROR_CORRUPT, 0x1000);
			dump_close(dump);
		}
		make_dump_deinit(&d);
	}
}

static void hostile_descriptors(void **state)
{
	struct dump *dump =
		dump_of_text("format kdump lzo\n"
			     "size 0x1000 0\n"
			     "size 0x2000 0xffffffff\n"
			     "size 0x3000 0x2000\n"
			     "size 0x4000 1\n"
			     "flags 0x5000 0\n" /* compressed, and says that it is not */
			     "flags 0x6000 0x3\n"
			     "flags 0x7000 0x27\n"
			     "flags 0x8000 0x1\n"
			     "flags 0x9000 0x4\n"
			     "flags 0xa000 0x20\n"
			     "pa 0xb000\n u64 11\n");

	(void)state;
	for (uint64_t pa = 0x1000; pa <= 0xa000; pa += PAGE_SIZE)
		assert_unreadable(dump, pa, ERROR_CORRUPT, pa);
	assert_int_equal(word(dump, 0xb000), 11);
	dump_close(dump);
}

static void truncated_at_every_place(void **state)
{
	struct make_dump d;
	uint64_t buf;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "format kdump zlib\n info OSRELEASE=6.1\n"
			   "pa 0x1000\n random 100\n pa 0x2000\n random 100\n");
	make_dump_write(&d);
	for (uint64_t size = d.size; size--;
	     size -= size > d.descs_at || size < 500 ? 0 : size % 64) {
		struct dump *dump;
		make_dump_truncate(&d, size);
		struct error *err = dump_open(d.path, &dump);
		if (err) {
			assert_non_null(strstr(err->message, d.path));
			assert_true(size < d.descs_at);
			error_destroy(err);
			continue;
		}
		if (size < d.pages_at)
			assert_false(dump_is_complete(dump));
		assert_unreadable(dump, 0x2000, ERROR_MISSING, 0x2000);
		err = dump_read(dump, 0x1000, &buf, sizeof(buf));
		if (err)
			assert_fault(err, ERROR_MISSING, 0x1000);
		dump_close(dump);
	}
	make_dump_deinit(&d);
}

static void incomplete_says_so(void **state)
{
	struct dump *dump = dump_of_text("format kdump lzo\n incomplete\n pa 0x1000\n u64 1\n");

	(void)state;
	assert_false(dump_is_complete(dump));
	assert_int_equal(word(dump, 0x1000), 1);
	dump_close(dump);
}

static void notes_and_vmcoreinfo(void **state)
{
	struct dump *dump = dump_of_text("format kdump lzo\n note CORE 1 336\n info OSRELEASE=6.1\n"
					 "pa 0x1000\n u64 1\n");
	size_t size;
	const char *info = dump_vmcoreinfo(dump, &size);

	(void)state;
	assert_int_equal(size, strlen("OSRELEASE=6.1\n"));
	assert_memory_equal(info, "OSRELEASE=6.1\n", size);
	dump_close(dump);
	dump = dump_of_text("format kdump lzo\n pa 0x1000\n u64 1\n");
	assert_null(dump_vmcoreinfo(dump, &size));
	assert_int_equal(word(dump, 0x1000), 1);
	dump_close(dump);
}

static void other_machines(void **state)
{
	struct make_dump d;
	struct dump *dump =
		dump_of_text("format kdump lzo\n machine aarch64\n pa 0x1000\n u64 1\n");

	(void)state;
	assert_int_equal(dump_machine(dump), EM_AARCH64);
	dump_close(dump);
	/* QEMU's */
	dump = dump_of_text(
		"format kdump lzo\n machine Unknown\n note CORE 1 336\n pa 0x1000\n u64 1\n");
	assert_int_equal(dump_machine(dump), EM_X86_64);
	dump_close(dump);
	make_dump_init(&d);
	make_dump_text(&d, "format kdump lzo\n machine Unknown\n pa 0x1000\n u64 1\n");
	assert_error(dump_open(make_dump_write(&d), &dump), ERROR_OTHER, "of what machine");
	make_dump_deinit(&d);
	make_dump_init(&d);
	make_dump_text(&d, "format kdump lzo\n machine riscv64\n pa 0x1000\n u64 1\n");
	assert_error(dump_open(make_dump_write(&d), &dump), ERROR_OTHER, "riscv64");
	make_dump_deinit(&d);
}

/* A header with one thing changed. Offsets: struct disk_dump_header, struct kdump_sub_header. */
static void hostile_headers(void **state)
{
	enum { MACHINE = 12 + 4 * 65, BLOCK_SIZE = 428, SUB_BLOCKS = 432, BITMAP_BLOCKS = 436 };
	enum { NOTES_SIZE = 4096 + 56, MAX_MAPNR = 4096 + 96 };
	static const struct made_patch cases[] = {
		{ BLOCK_SIZE, 65536, 4, "65536" },
		{ BLOCK_SIZE, 0, 4, "pages of 0" },
		{ BLOCK_SIZE, UINT32_MAX, 4, "pages of -1" },
		{ SUB_BLOCKS, 0, 4, "sub-header" },
		{ SUB_BLOCKS, UINT32_MAX, 4, "sub-header" },
		{ SUB_BLOCKS, INT32_MAX, 4, "sub-header" },
		{ BITMAP_BLOCKS, 0, 4, "bitmaps of 0" },
		{ MACHINE, UINT64_MAX, 8, "machine" },
		{ NOTES_SIZE, UINT64_MAX, 8, "notes" },
		{ MAX_MAPNR, 0, 8, "0 pages" },
		{ MAX_MAPNR, UINT64_MAX, 8, "pages in bitmaps" },
		{ MAX_MAPNR, 1ull << 32, 8, "pages in bitmaps" },
		{ MAX_MAPNR, 8 * 4096 + 1, 8, "pages in bitmaps" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_patch_refused("format kdump lzo\n info OSRELEASE=6.1\n pa 0x1000\n u64 1\n",
				     &cases[i]);
}

/* 16 TB in the headers, in a file that is one by its length: a hole. */
static void a_huge_machine_in_a_sparse_file(void **state)
{
	const uint64_t pages = 1ull << 32;
	const uint32_t blocks = 2 * (pages / 8 / PAGE_SIZE);
	struct make_dump d;
	struct dump *dump;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "format kdump lzo\n pa 0x1000\n u64 1\n");
	make_dump_write(&d);
	make_dump_patch(&d, 436, &blocks, sizeof(blocks));
	make_dump_patch(&d, 4096 + 96, &pages, sizeof(pages));
	make_dump_truncate(&d, 4ull << 30);
	struct error *err = dump_open(d.path, &dump);
	if (!err) {
		assert_unreadable(dump, (pages - 1) << PAGE_SHIFT, ERROR_UNMAPPED,
				  (pages - 1) << PAGE_SHIFT);
		dump_close(dump);
	}
	error_destroy(err);
	make_dump_deinit(&d);
}

static const char split_memory[] = "pa 0x1000\n u64 1\n pa 0x2000\n u64 2\n excluded 0x3000\n"
				   "pa 0x8000\n u64 8\n pa 0x9000\n u64 9\n"
				   "pa 0x20000\n u64 32\n";

/* The parts of one dump, by the addresses where each begins. */
struct split {
	struct make_dump parts[3];
	const char *paths[3];
};

static void make_split(struct split *split, const char *format)
{
	static const char *const parts[] = { "part 0 0x2000", "part 0x2000 0x9000",
					     "part 0x9000 0x21000" };

	for (size_t i = 0; i < 3; i++) {
		make_dump_init(&split->parts[i]);
		make_dump_line(&split->parts[i], "%s", format);
		make_dump_text(&split->parts[i], "info OSRELEASE=6.1\n");
		make_dump_text(&split->parts[i], split_memory);
		make_dump_line(&split->parts[i], "%s", parts[i]);
		split->paths[i] = make_dump_write(&split->parts[i]);
	}
}

static void free_split(struct split *split)
{
	for (size_t i = 0; i < 3; i++)
		make_dump_deinit(&split->parts[i]);
}

static void parts_make_a_whole(void **state)
{
	static const size_t orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };
	static const char *const kinds[] = { "format kdump zlib", "format kdump none\nversion 5" };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct split split;
		struct dump *dump;
		size_t size;
		make_split(&split, kinds[i / 3]);
		const char *paths[3];
		for (size_t j = 0; j < 3; j++)
			paths[j] = split.paths[orders[i % 3][j]];
		assert_no_error(dump_open_parts(paths, 3, &dump));
		assert_true(dump_is_complete(dump));
		assert_non_null(dump_vmcoreinfo(dump, &size));
		assert_int_equal(word(dump, 0x1000), 1);
		assert_int_equal(word(dump, 0x2000), 2);
		assert_int_equal(word(dump, 0x8000), 8);
		assert_int_equal(word(dump, 0x9000), 9);
		assert_int_equal(word(dump, 0x20000), 32);
		assert_unreadable(dump, 0x3000, ERROR_EXCLUDED, 0x3000);
		assert_unreadable(dump, 0x4000, ERROR_UNMAPPED, 0x4000);
		dump_close(dump);
		free_split(&split);
	}
}

static void a_part_that_is_not_there(void **state)
{
	struct split split;
	struct dump *dump;
	size_t count;

	(void)state;
	make_split(&split, "format kdump lzo");
	const char *ends[] = { split.paths[2], split.paths[0] };
	assert_no_error(dump_open_parts(ends, 2, &dump));
	assert_false(dump_is_complete(dump));
	const struct error *const *lacks = dump_get_lacks(dump, &count);
	assert_int_equal(count, 1);
	assert_int_equal(lacks[0]->class, ERROR_MISSING);
	assert_int_equal(lacks[0]->address, 0x2000);
	assert_non_null(strstr(lacks[0]->message, "0x2000 to 0x8fff"));
	assert_int_equal(word(dump, 0x1000), 1);
	assert_int_equal(word(dump, 0x9000), 9);
	assert_unreadable(dump, 0x2000, ERROR_MISSING, 0x2000);
	assert_unreadable(dump, 0x3000, ERROR_EXCLUDED, 0x3000);
	assert_unreadable(dump, 0x4000, ERROR_UNMAPPED, 0x4000);
	dump_close(dump);
	/* One alone: both others are not there. */
	assert_no_error(dump_open(split.paths[1], &dump));
	dump_get_lacks(dump, &count);
	assert_int_equal(count, 2);
	assert_int_equal(word(dump, 0x8000), 8);
	assert_unreadable(dump, 0x20000, ERROR_MISSING, 0x20000);
	dump_close(dump);
	free_split(&split);
}

static void mixed_up_parts(void **state)
{
	struct split split;
	struct make_dump other, elf;
	struct dump *dump;

	(void)state;
	make_split(&split, "format kdump lzo");
	make_dump_init(&other);
	make_dump_text(&other, "format kdump lzo\n part 0x2000 0x9000\n");
	make_dump_text(&other, split_memory);
	make_dump_write(&other);
	make_dump_patch(&other, 408, "\1", 1); /* the time */
	make_dump_init(&elf);
	make_dump_text(&elf, split_memory);
	make_dump_write(&elf);
	const char *twice[] = { split.paths[0], split.paths[1], split.paths[1] };
	assert_error(dump_open_parts(twice, 3, &dump), ERROR_OTHER, "the same pages");
	const char *mixed[] = { split.paths[0], other.path };
	assert_error(dump_open_parts(mixed, 2, &dump), ERROR_OTHER, "another dump");
	const char *with_elf[] = { split.paths[0], elf.path };
	assert_error(dump_open_parts(with_elf, 2, &dump), ERROR_OTHER, elf.path);
	const char *elf_first[] = { elf.path, split.paths[0] };
	assert_error(dump_open_parts(elf_first, 2, &dump), ERROR_OTHER, "no part");
	const char *absent[] = { split.paths[0], "/nowhere" };
	assert_error(dump_open_parts(absent, 2, &dump), ERROR_SYSTEM, "/nowhere");
	make_dump_deinit(&elf);
	make_dump_deinit(&other);
	make_dump_init(&other);
	make_dump_text(&other, "format kdump lzo\n");
	make_dump_text(&other, split_memory);
	make_dump_write(&other);
	const char *whole[] = { split.paths[0], other.path };
	assert_error(dump_open_parts(whole, 2, &dump), ERROR_OTHER, "no part of a split one");
	make_dump_deinit(&other);
	free_split(&split);
}

static void hostile_parts(void **state)
{
	static const struct {
		uint64_t start, end;
	} cases[] = { { 2, 1 }, { 0, UINT64_MAX }, { UINT64_MAX, UINT64_MAX }, { 0, 34 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct split split;
		struct dump *dump;
		make_split(&split, "format kdump lzo");
		make_dump_patch(&split.parts[0], 4096 + 80, &cases[i], 16);
		assert_error(dump_open_parts(split.paths, 3, &dump), ERROR_CORRUPT, "a part with");
		free_split(&split);
	}
}

static void every_version_of_the_header(void **state)
{
	(void)state;
	for (int version = 0; version <= 6; version++) {
		struct make_dump d;
		size_t size;
		make_dump_init(&d);
		make_dump_line(&d, "version %d", version);
		make_dump_text(&d, "format kdump zlib\n note CORE 1 336\n info OSRELEASE=6.1\n"
				   "pa 0x1000\n u64 1\n");
		struct dump *dump = make_dump_open(&d);
		assert_int_equal(word(dump, 0x1000), 1);
		const char *info = dump_vmcoreinfo(dump, &size);
		assert_int_equal(!!info, version >= 3);
		if (info)
			assert_memory_equal(info, "OSRELEASE=6.1\n", size);
		assert_int_equal(!!dump_notes(dump, &size), version >= 4);
		assert_string_equal(dump_release(dump), "6.1.0-test");
		dump_close(dump);
		make_dump_deinit(&d);
	}
}

/* A cut-off file says which address is the first that it lacks; so do descriptors that were never written. */
static void the_first_missing_page_is_named(void **state)
{
	struct make_dump d;
	struct dump *dump;
	size_t count;

	(void)state;
	for (uint64_t kept = 1; kept < 20; kept++) {
		make_dump_init(&d);
		make_dump_text(&d, "format kdump none\n pa 0x1000\n random 0xa000\n"
				   "excluded 0xb000\n pa 0xc000\n random 0xa000\n");
		make_dump_write(&d);
		make_dump_truncate(&d, d.pages_at + kept * PAGE_SIZE + 17);
		assert_no_error(dump_open(d.path, &dump));
		const struct error *const *lacks = dump_get_lacks(dump, &count);
		assert_int_equal(count, 1);
		assert_int_equal(lacks[0]->address, (kept + 1 + (kept >= 10)) * PAGE_SIZE);
		dump_close(dump);
		make_dump_deinit(&d);
	}
	dump = dump_of_text("format kdump none\n pa 0x1000\n random 0x3000\n missing 0x3000\n");
	const struct error *const *lacks = dump_get_lacks(dump, &count);
	assert_int_equal(count, 1);
	assert_int_equal(lacks[0]->address, 0x3000);
	dump_close(dump);
}

/* Some 70,000 pages: the ranks of more than one block of the bitmap, and bits at either side of every border. */
static void pages_of_many_blocks(void **state)
{
	static const uint64_t borders[] = { 1,	  63,	 64,	511,   512,  4095,
					    4096, 32767, 32768, 65535, 65536 };
	struct make_dump d;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "format kdump none\n");
	for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++)
		make_dump_line(&d, "pa 0x%llx\n", (unsigned long long)borders[i] << PAGE_SHIFT),
			make_dump_line(&d, "u64 %llu", (unsigned long long)borders[i]);
	struct dump *dump = make_dump_open(&d);
	for (size_t i = sizeof(borders) / sizeof(borders[0]); i--;)
		assert_int_equal(word(dump, borders[i] << PAGE_SHIFT), borders[i]);
	uint64_t pa = 0;
	for (size_t i = 0; i < sizeof(borders) / sizeof(borders[0]); i++, pa += PAGE_SIZE) {
		assert_true(dump_next_page(dump, &pa));
		assert_int_equal(pa >> PAGE_SHIFT, borders[i]);
	}
	assert_false(dump_next_page(dump, &pa));
	dump_close(dump);
	make_dump_deinit(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("pages read the same whatever compressed them", every_compression),
		TEST("excluded, missing, unmapped and corrupt pages are told apart, and the page is named",
		     pages_are_told_apart),
		TEST("a damaged page is corrupt, and the next one is not", damaged_pages),
		TEST("no damaged byte of a page does more harm than that", every_byte_of_a_page),
		TEST("hostile descriptors of pages are corrupt", hostile_descriptors),
		TEST("cut off anywhere, it is refused or its pages are missing",
		     truncated_at_every_place),
		TEST("a dump that makedumpfile marked as incomplete is", incomplete_says_so),
		TEST("notes and vmcoreinfo are found, or known to be absent", notes_and_vmcoreinfo),
		TEST("a vmcore of another machine is named as such", other_machines),
		TEST("a hostile header is refused for what it says", hostile_headers),
		TEST("the parts of a split dump make a whole, whatever their order",
		     parts_make_a_whole),
		TEST("a part that is not there is said, and its pages are missing",
		     a_part_that_is_not_there),
		TEST("parts that do not belong together are refused", mixed_up_parts),
		TEST("hostile bounds of a part are refused", hostile_parts),
		TEST("of the header only what its version has is used",
		     every_version_of_the_header),
		TEST("the first address that an incomplete dump lacks is named",
		     the_first_missing_page_is_named),
		TEST("pages are found on either side of every border of the bitmap",
		     pages_of_many_blocks),
		TEST("a header of 16 TB in a sparse file is no crash",
		     a_huge_machine_in_a_sparse_file),
	};
	return RUN_TESTS(tests);
}
