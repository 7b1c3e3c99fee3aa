// SPDX-License-Identifier: GPL-2.0-only
/* ELF vmcores: which page is where, and which is not there for what reason. */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_dump.h"
#include "test.h"

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

static void pages_are_told_apart(void **state)
{
	struct dump *dump = dump_of_text("pa 0x1000\n"
					 "u64 1 2 3\n"
					 "pa 0x2ff8\n"
					 "u64 4\n"
					 "excluded 0x3000 0x2000\n"
					 "pa 0x7000\n"
					 "u64 5\n");
	uint64_t three[3];

	(void)state;
	assert_string_equal(dump_format(dump), "ELF");
	assert_int_equal(dump_machine(dump), EM_X86_64);
	assert_true(dump_is_complete(dump));
	assert_no_error(dump_read(dump, 0x1000, three, sizeof(three)));
	assert_int_equal(three[2], 3);
	assert_int_equal(word(dump, 0x2ff8), 4);
	assert_int_equal(word(dump, 0x7000), 5);
	assert_unreadable(dump, 0x0, ERROR_UNMAPPED, 0x0);
	assert_unreadable(dump, 0x3008, ERROR_EXCLUDED, 0x3000);
	assert_unreadable(dump, 0x4ff8, ERROR_EXCLUDED, 0x4000);
	assert_unreadable(dump, 0x5000, ERROR_UNMAPPED, 0x5000);
	assert_unreadable(dump, 0x8000, ERROR_UNMAPPED, 0x8000);
	assert_unreadable(dump, 0x2ffc, ERROR_EXCLUDED, 0x3000);
	assert_unreadable(dump, UINT64_MAX - 4, ERROR_UNMAPPED, UINT64_MAX - 0xfff);
	dump_close(dump);
}

static void a_truncated_page_is_missing(void **state)
{
	struct make_dump d;
	struct dump *dump;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "pa 0x1000\n fill 0x3000 0xab\n");
	make_dump_write(&d);
	make_dump_truncate(&d, d.pages_at + 0x1800);
	assert_no_error(dump_open(d.path, &dump));
	assert_false(dump_is_complete(dump));
	assert_true(word(dump, 0x1000) == 0xabababababababab);
	assert_unreadable(dump, 0x2000, ERROR_MISSING, 0x2000);
	assert_unreadable(dump, 0x3008, ERROR_MISSING, 0x3000);
	dump_close(dump);
	make_dump_deinit(&d);
}

/* Cut off anywhere, it is refused with a message, or opens and is incomplete. */
static void truncated_at_every_byte(void **state)
{
	struct make_dump d;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "info OSRELEASE=6.1\n pa 0x1000\n u64 1\n pa 0x9000\n u64 2\n");
	make_dump_write(&d);
	for (uint64_t size = d.size; size--;) {
		struct dump *dump;
		make_dump_truncate(&d, size);
		struct error *err = dump_open(d.path, &dump);
		if (!err) {
			assert_false(dump_is_complete(dump));
			dump_close(dump);
		} else {
			assert_non_null(strstr(err->message, d.path));
			assert_true(size < d.notes_at);
			error_destroy(err);
		}
	}
	make_dump_deinit(&d);
}

static void segments_need_not_be_aligned(void **state)
{
	struct dump *dump = dump_of_text("pa 0x1000\n fill 0x3000 0x11\n"
					 "segment 0x1000 0xc00 0xc00\n"
					 "segment 0x1e00 0x300 0x300\n"
					 "segment 0x3800 0x800 0x800\n");
	uint8_t page[PAGE_SIZE];

	(void)state;
	assert_no_error(dump_read(dump, 0x1000, page, sizeof(page)));
	assert_int_equal(page[0xbff], 0x11);
	assert_int_equal(page[0xc00], 0);
	assert_int_equal(page[0xdff], 0);
	assert_int_equal(page[0xe00], 0x11);
	assert_true(word(dump, 0x20f8) == 0x1111111111111111);
	assert_true(word(dump, 0x2100) == 0);
	assert_true(word(dump, 0x3000) == 0);
	assert_true(word(dump, 0x3800) == 0x1111111111111111);
	dump_close(dump);
}

static void segments_may_overlap(void **state)
{
	struct dump *dump =
		dump_of_text("pa 0x1000\n u64 1\n pa 0x2000\n u64 2\n pa 0x3000\n u64 3\n"
			     "segment 0x1000 0x3000 0x3000\n"
			     "segment 0x2000 0x800 0x800\n"
			     "segment 0x2000 0x1000 0x1000\n");

	(void)state;
	assert_int_equal(word(dump, 0x1000), 1);
	assert_int_equal(word(dump, 0x2000), 2);
	assert_int_equal(word(dump, 0x3000), 3);
	dump_close(dump);
}

static void the_last_page_of_the_address_space(void **state)
{
	struct dump *dump = dump_of_text("pa 0xfffffffffffff000\n u64 1\n"
					 "segment 0xfffffffffffff100 0x200 0x200\n");

	(void)state;
	assert_int_equal(word(dump, 0xfffffffffffff100), 0);
	assert_unreadable(dump, 0, ERROR_UNMAPPED, 0);
	dump_close(dump);
}

static void more_segments_than_16_bits_count(void **state)
{
	struct dump *dump = dump_of_text("xnum\n pa 0x5000\n u64 5\n");

	(void)state;
	assert_int_equal(word(dump, 0x5000), 5);
	dump_close(dump);
}

static void notes_and_vmcoreinfo(void **state)
{
	struct dump *dump = dump_of_text("note CORE 1 336\n info OSRELEASE=6.1\n info CRASHTIME=1\n"
					 "pa 0x1000\n u64 1\n");
	size_t size;
	const char *info = dump_vmcoreinfo(dump, &size);

	(void)state;
	assert_int_equal(size, strlen("OSRELEASE=6.1\nCRASHTIME=1\n"));
	assert_memory_equal(info, "OSRELEASE=6.1\nCRASHTIME=1\n", size);
	assert_non_null(dump_notes(dump, &size));
	assert_true(size > 336);
	dump_close(dump);
	dump = dump_of_text("pa 0x1000\n u64 1\n");
	assert_null(dump_vmcoreinfo(dump, &size));
	dump_close(dump);
}

/* A header with one thing changed, by its offset in the file. */
static void hostile_headers(void **state)
{
	enum { PHDR = sizeof(Elf64_Ehdr), LOAD = PHDR + sizeof(Elf64_Phdr) };
	static const struct made_patch cases[] = {
		{ offsetof(Elf64_Ehdr, e_ident[EI_CLASS]), ELFCLASS32, 1, "32-bit" },
		{ offsetof(Elf64_Ehdr, e_ident[EI_DATA]), ELFDATA2MSB, 1, "big-endian" },
		{ offsetof(Elf64_Ehdr, e_type), ET_EXEC, 2, "no core" },
		{ offsetof(Elf64_Ehdr, e_phentsize), 0, 2, "program headers" },
		{ offsetof(Elf64_Ehdr, e_phnum), 0, 2, "0 segments" },
		{ offsetof(Elf64_Ehdr, e_phnum), 0xfffe, 2, "ends" },
		{ offsetof(Elf64_Ehdr, e_phnum), PN_XNUM, 2, "segments" },
		{ offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX, 8, "ends" },
		{ offsetof(Elf64_Ehdr, e_phoff), UINT64_MAX / 2, 8, "ends" },
		{ PHDR + offsetof(Elf64_Phdr, p_filesz), UINT64_MAX, 8, "notes" },
		{ PHDR + offsetof(Elf64_Phdr, p_filesz), 65 << 20, 8, "notes" },
		{ LOAD + offsetof(Elf64_Phdr, p_filesz), 0x1001, 8, "segment" },
		{ LOAD + offsetof(Elf64_Phdr, p_memsz), UINT64_MAX, 8, "segment" },
		{ LOAD + offsetof(Elf64_Phdr, p_offset), UINT64_MAX, 8, "segment" },
		{ LOAD + offsetof(Elf64_Phdr, p_paddr), UINT64_MAX - 1, 8, "segment" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_patch_refused("info OSRELEASE=6.1\n pa 0x1000\n u64 1\n", &cases[i]);
}

/* PN_XNUM with a count that is no count, and with a section header that is not in the file. */
static void hostile_xnum(void **state)
{
	static const uint32_t counts[] = { 0, (1u << 20) + 1, UINT32_MAX };
	static const uint64_t offsets[] = { UINT64_MAX, INT64_MAX, 1 << 30 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct make_dump d;
		struct dump *dump;
		make_dump_init(&d);
		make_dump_text(&d, "xnum\n pa 0x1000\n u64 1\n");
		make_dump_write(&d);
		uint64_t shdr = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
		if (i < 3)
			make_dump_patch(&d, shdr + offsetof(Elf64_Shdr, sh_info), &counts[i], 4);
		else
			make_dump_patch(&d, offsetof(Elf64_Ehdr, e_shoff), &offsets[i - 3], 8);
		struct error *err = dump_open(d.path, &dump);
		assert_non_null(err);
		error_destroy(err);
		make_dump_deinit(&d);
	}
}

static void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void what_is_no_vmcore(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", bytes[65536];
	uint32_t random = 1;
	struct dump *dump;

	(void)state;
	close(mkstemp(path));
	assert_error(dump_open(path, &dump), ERROR_OTHER, "empty");
	write_file(path, "#!/bin/sh\n", 10);
	assert_error(dump_open(path, &dump), ERROR_OTHER, "no vmcore");
	write_file(path, "DISKDUMP", 8);
	assert_error(dump_open(path, &dump), ERROR_OTHER, "diskdump");
	write_file(path, "\x1f\x8b\x08", 3);
	assert_error(dump_open(path, &dump), ERROR_OTHER, "gzip; unpack");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		random = random * 1103515245 + 12345;
		bytes[i] = random >> 16;
	}
	write_file(path, bytes, sizeof(bytes));
	assert_error(dump_open(path, &dump), ERROR_OTHER, "no vmcore");
	/* Random bytes behind either magic. */
	memcpy(bytes, ELFMAG, SELFMAG);
	write_file(path, bytes, sizeof(bytes));
	assert_error(dump_open(path, &dump), ERROR_OTHER, path);
	memcpy(bytes, "KDUMP   ", 8);
	write_file(path, bytes, sizeof(bytes));
	assert_error(dump_open(path, &dump), ERROR_OTHER, path);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes to it, and nobody waits */
	assert_error(dump_open(path, &dump), ERROR_OTHER, "not a regular file");
	unlink(path);
	assert_error(dump_open(path, &dump), ERROR_SYSTEM, "No such file");
	assert_error(dump_open("/tmp", &dump), ERROR_OTHER, "not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("excluded, missing and unmapped pages are told apart, and the page is named",
		     pages_are_told_apart),
		TEST("a page behind the file's end is missing, and the dump is not complete",
		     a_truncated_page_is_missing),
		TEST("cut off at any byte, it is refused or incomplete", truncated_at_every_byte),
		TEST("a page is put together from all unaligned segments that it has",
		     segments_need_not_be_aligned),
		TEST("segments may overlap", segments_may_overlap),
		TEST("a segment may end with the address space",
		     the_last_page_of_the_address_space),
		TEST("PN_XNUM: the number of segments stands in section 0",
		     more_segments_than_16_bits_count),
		TEST("notes and vmcoreinfo are found, or known to be absent", notes_and_vmcoreinfo),
		TEST("a hostile header is refused for what it says", hostile_headers),
		TEST("a hostile PN_XNUM is refused", hostile_xnum),
		TEST("what is no vmcore is refused for what it is", what_is_no_vmcore),
	};
	return RUN_TESTS(tests);
}
