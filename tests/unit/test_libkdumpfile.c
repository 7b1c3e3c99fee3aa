// SPDX-License-Identifier: GPL-2.0-only
/* A second reader of the same dumps: libkdumpfile must see the same pages, by their physical addresses. */
#include <fcntl.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make_dump.h"
#include "test.h"

static uint64_t max_pfn(kdump_ctx_t *ctx)
{
	kdump_num_t ret = 0;

	assert_int_equal(kdump_get_number_attr(ctx, "max_pfn", &ret), KDUMP_OK);
	return ret;
}

static bool is_zero(const char page[PAGE_SIZE])
{
	return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

/* Compares all pages; returns how many both readers could read. */
static size_t compare(const char *path)
{
	kdump_ctx_t *ctx = kdump_new();
	int fd = open(path, O_RDONLY);
	struct dump *dump;
	size_t same = 0;

	assert_no_error(dump_open(path, &dump));
	assert_non_null(ctx);
	bool elf = !strcmp(dump_format(dump), "ELF");
	if (kdump_open_fd(ctx, fd) != KDUMP_OK)
		fail_msg("libkdumpfile: %s", kdump_get_err(ctx));
	for (uint64_t pfn = 0, end = max_pfn(ctx); pfn <= end; pfn++) {
		char ours[PAGE_SIZE], theirs[PAGE_SIZE];
		size_t size = sizeof(theirs);
		struct error *err = dump_read(dump, pfn << PAGE_SHIFT, ours, sizeof(ours));
		kdump_status status =
			kdump_read(ctx, KDUMP_MACHPHYSADDR, pfn << PAGE_SHIFT, theirs, &size);
		/* Of an ELF file, it makes up pages of zeros where there are none. */
		bool theirs_is_there = status == KDUMP_OK && !(elf && err && is_zero(theirs));
		if (!err != theirs_is_there)
			fail_msg("page 0x%llx: %s; libkdumpfile: %s", (unsigned long long)pfn,
				 err ? err->message : "is there",
				 theirs_is_there ? "is there" : kdump_get_err(ctx));
		if (!elf && err && (err->class == ERROR_EXCLUDED || err->class == ERROR_UNMAPPED))
			assert_int_equal(status, KDUMP_ERR_NODATA);
		if (!err) {
			assert_memory_equal(ours, theirs, sizeof(ours));
			same++;
		}
		error_destroy(err);
	}
	dump_close(dump);
	kdump_free(ctx);
	close(fd);
	return same;
}

static void made_dumps(void **state)
{
	static const char *const formats[] = {
		"elf", "kdump none", "kdump zlib", "kdump lzo", "kdump snappy", "kdump zstd",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct make_dump d;
		make_dump_init(&d);
		make_dump_line(&d, "format %s", formats[i]);
		make_dump_text(&d, "info OSRELEASE=6.1.0\n"
				   "pa 0x1000\n fill 0x3000 3\n random 0x5000\n"
				   "excluded 0x9000 0x2000\n"
				   "pa 0xb000\n random 1000\n"
				   "pa 0x1000000\n fill 0x10000 7\n"
				   "excluded 0x2000000 0x10000\n"
				   "pa 0x8123000\n u64 1 2 3\n");
		compare(make_dump_write(&d));
		make_dump_deinit(&d);
	}
}

/* One that makedumpfile wrote: of the variable LOCKDUMP_VMCORE, else of the lab's test. */
static void a_real_dump(void **state)
{
	const char *path = getenv("LOCKDUMP_VMCORE");

	(void)state;
	if (!path)
		path = "build/check/incident/vmcore";
	if (access(path, R_OK))
		SKIP("no dump at %s", path);
	assert_true(compare(path) > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("every page of a made dump reads the same as with libkdumpfile", made_dumps),
		TEST("so does every page of $LOCKDUMP_VMCORE, or of the dump of 'make check-lab'",
		     a_real_dump),
	};
	return RUN_TESTS(tests);
}
