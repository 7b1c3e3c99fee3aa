// SPDX-License-Identifier: GPL-2.0-only
/* Flattened dumps, read in place. */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_dump.h"
#include "test.h"

static const char *const formats[] = { "elf", "kdump none", "kdump zlib", "kdump lzo" };

#define NR_FORMATS (sizeof(formats) / sizeof(formats[0]))

static const char memory[] = "info OSRELEASE=6.1\n note CORE 1 336\n"
			     "pa 0x1000\n random 0x5000\n"
			     "excluded 0x7000 0x2000\n"
			     "pa 0x9000\n u64 9\n"
			     "pa 0x8000000\n random 0x3000\n";

static void assert_same_error(struct error *a, struct error *b)
{
	assert_int_equal(!a, !b);
	if (a) {
		assert_int_equal(a->class, b->class);
		assert_int_equal(a->address, b->address);
	}
	error_destroy(a);
	error_destroy(b);
}

static void reads_as_what_it_stands_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		struct dump *dumps[2];
		for (size_t flattened = 0; flattened < 2; flattened++) {
			struct make_dump d;
			make_dump_init(&d);
			make_dump_line(&d, "format %s", formats[i]);
			make_dump_text(&d, memory);
			make_dump_text(&d, flattened ? "flattened" : "");
			dumps[flattened] = make_dump_open(&d);
			make_dump_deinit(&d);
		}
		assert_true(dump_is_complete(dumps[1]));
		size_t size, flat_size;
		const void *notes = dump_notes(dumps[0], &size);
		const void *flat_notes = dump_notes(dumps[1], &flat_size);
		assert_int_equal(size, flat_size);
		assert_memory_equal(notes, flat_notes, size);
		for (uint64_t pa = 0; pa < 0x9000000; pa += pa == 0x10000 ? 0x7ff0000 : PAGE_SIZE) {
			uint8_t page[PAGE_SIZE] = {}, flat_page[PAGE_SIZE] = {};
			assert_same_error(dump_read(dumps[0], pa, page, sizeof(page)),
					  dump_read(dumps[1], pa, flat_page, sizeof(page)));
			assert_memory_equal(page, flat_page, sizeof(page));
		}
		dump_close(dumps[0]);
		dump_close(dumps[1]);
	}
}

/* Cut off anywhere, it is refused or known to be incomplete; what was written last is what is lost. */
static void cut_off_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		struct make_dump d;
		struct stat st;
		make_dump_init(&d);
		make_dump_line(&d, "format %s", formats[i]);
		make_dump_text(&d, memory);
		make_dump_text(&d, "flattened");
		make_dump_write(&d);
		assert_int_equal(stat(d.path, &st), 0);
		for (off_t size = st.st_size - 1; size >= 0; size -= size % 512 > 500 ? 1 : 97) {
			struct dump *dump;
			make_dump_truncate(&d, size);
			struct error *err = dump_open(d.path, &dump);
			if (err) {
				error_destroy(err);
				continue;
			}
			assert_false(dump_is_complete(dump));
			for (uint64_t pa = 0; pa < 0xa000; pa += PAGE_SIZE) {
				uint64_t word;
				error_destroy(dump_read(dump, pa, &word, sizeof(word)));
			}
			dump_close(dump);
		}
		make_dump_deinit(&d);
	}
}

static void write_block(FILE *file, const char *bytes, uint64_t offset, uint64_t size)
{
	uint64_t head[2] = { htobe64(offset), htobe64(size) };

	fwrite(head, sizeof(head), 1, file);
	fwrite(bytes + offset, 1, size, file);
}

/* As makedumpfile does, which writes the header without what fills up its page, but for the end; then it is cut off by @cut bytes. */
static void flatten_as_makedumpfile(const struct make_dump *d, size_t cut)
{
	char *bytes = malloc(d->size), head[4096] = "makedumpfile";
	FILE *file = fopen(d->path, "r");

	assert_non_null(bytes);
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, d->size, file), d->size);
	fclose(file);
	file = fopen(d->path, "w");
	assert_non_null(file);
	head[23] = head[31] = 1;
	fwrite(head, sizeof(head), 1, file);
	write_block(file, bytes, 0, 464);
	write_block(file, bytes, 4096, d->size - 4096);
	off_t end = ftello(file) - (off_t)cut;
	assert_int_equal(fclose(file), 0);
	assert_int_equal(truncate(d->path, end), 0);
	free(bytes);
}

static void hole_behind_header(void **state)
{
	char page[PAGE_SIZE];
	struct make_dump d;

	(void)state;
	for (size_t cut = 0; cut < 2; cut++) {
		make_dump_init(&d);
		make_dump_line(&d, "format kdump none");
		make_dump_text(&d, memory);
		make_dump_write(&d);
		flatten_as_makedumpfile(&d, cut);
		struct dump *dump;
		assert_no_error(dump_open(d.path, &dump));
		assert_false(dump_is_complete(dump));
		assert_no_error(dump_read(dump, 0x1000, page, sizeof(page)));
		assert_no_error(dump_read(dump, 0x9000, page, 8));
		assert_int_equal(page[0], 9);
		struct error *err = dump_read(dump, 0x8002000, page, sizeof(page));
		if (cut)
			assert_error(err, ERROR_MISSING, "the file ends before");
		else
			assert_no_error(err);
		dump_close(dump);
		make_dump_deinit(&d);
	}
}

struct block {
	uint64_t offset, size;
};

/* A flattened file of @count blocks, each with 16 bytes behind its header whatever that says. */
static struct error *open_blocks(const struct block *blocks, size_t count, struct dump **ret)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", head[4096] = "makedumpfile";
	FILE *file = fdopen(mkstemp(path), "w");

	assert_non_null(file);
	head[23] = head[31] = 1;
	fwrite(head, sizeof(head), 1, file);
	for (size_t i = 0; i < count; i++) {
		uint64_t words[4] = { htobe64(blocks[i].offset), htobe64(blocks[i].size) };
		fwrite(words, sizeof(words), 1, file);
	}
	assert_int_equal(fclose(file), 0);
	struct error *err = dump_open(path, ret);
	unlink(path);
	return err;
}

static void hostile_blocks(void **state)
{
	static const struct block blocks[] = {
		{ 0, UINT64_MAX },	{ UINT64_MAX - 1, 16 }, { INT64_MAX, 1 },
		{ INT64_MAX, 16 },	{ 1, INT64_MAX },	{ 0, 0 },
		{ UINT64_MAX / 2, 16 }, { 0, 1ull << 40 },	{ 1ull << 62, 16 },
		{ UINT64_MAX, 16 },
	};
	struct dump *dump;

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct error *err = open_blocks(&blocks[i], 1, &dump);
		assert_non_null(err);
		error_destroy(err);
	}
	assert_error(open_blocks(blocks, 0, &dump), ERROR_OTHER, "empty");
}

static void a_million_small_blocks(void **state)
{
	const size_t count = 1u << 20;
	struct block *blocks = calloc(count, sizeof(*blocks));
	struct dump *dump;

	(void)state;
	assert_non_null(blocks);
	for (size_t i = 0; i < count; i++)
		blocks[i] = (struct block){ (count - i) * 8 % 65521, 16 };
	struct error *err = open_blocks(blocks, count, &dump);
	assert_non_null(err);
	error_destroy(err);
	free(blocks);
}

static void other_types_are_refused(void **state)
{
	char path[] = "/tmp/lockdump-test-XXXXXX", head[8192] = "makedumpfile";
	int fd = mkstemp(path);
	struct dump *dump;

	(void)state;
	head[23] = 2;
	head[31] = 1;
	assert_int_equal(write(fd, head, sizeof(head)), sizeof(head));
	close(fd);
	assert_error(dump_open(path, &dump), ERROR_OTHER, "type 2");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a flattened dump reads as the one that it stands for, the later of two blocks first",
		     reads_as_what_it_stands_for),
		TEST("cut off anywhere, it is refused or incomplete", cut_off_anywhere),
		TEST("cut off, it has its header all the same, though that does not fill its page",
		     hole_behind_header),
		TEST("hostile blocks are refused", hostile_blocks),
		TEST("a million blocks that overlap take no longer than they must",
		     a_million_small_blocks),
		TEST("another type of flattened file is refused", other_types_are_refused),
	};
	return RUN_TESTS(tests);
}
