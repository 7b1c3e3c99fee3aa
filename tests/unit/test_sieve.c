// SPDX-License-Identifier: GPL-2.0-only
/* What is kept of a dump that is encrypted as it is written, to prove it by. */
#include "test.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump/kdump_format.h"
#include "kdump/run.h"
#include "kdump/sieve.h"
#include "make_dump.h"

/* Pages 1 to 48, but for three that are excluded, and some beyond the first 4096 bytes of the bitmaps. */
static const char memory[] = "format kdump lzo\n"
			     "info OSRELEASE=6.1\n note CORE 1 336\n"
			     "pa 0x1000\n random 0x5000\n fill 0x5000 7\n"
			     "pa 0xb000\n random 0x10000\n fill 0x10000 9\n"
			     "excluded 0x2b000 0x3000\n"
			     "pa 0x2e000\n random 0x3000\n"
			     "pa 0x8000000\n random 0x4000\n fill 0x1000 3\n";

#define NR_DESCS    50
#define ZEROS	    20 /* the descriptor that is made one of a page of zeros: page 21 */
#define FIRST_FAR   45 /* the descriptor of page 0x8000 */
#define HALF_BITMAP 4096

static const uint32_t wanted[] = { 0x8004, 1, 3, 3, 9, 21, 0x2f, 0x8000, 0x2c, 3 };
static const uint64_t given[] = { 0x1000, 0x3000, 0x9000, 0x2f000, 0x8000000, 0x8004000 };
static const uint64_t others[] = { 0x2000, 0xa000, 0x2e000, 0x8001000, 0x8003000 };

/* How makedumpfile may order what it writes. */
struct order {
	size_t group; /* so many descriptors come together, and then their pages */
	bool pages_first; /* these come before their descriptors */
	bool halves; /* the first half of the second bitmap comes before its pages, then the other */
};

/* A dump, and the stream that stands for it. */
struct made {
	char *file;
	size_t file_size;
	uint64_t bitmap, descs, pages;
	FILE *out;
	char *stream;
	size_t size;
};

static void put_block(struct made *made, uint64_t from, uint64_t to)
{
	const uint64_t head[2] = { htobe64(from), htobe64(to - from) };

	fwrite(head, sizeof(head), 1, made->out);
	fwrite(made->file + from, 1, to - from, made->out);
}

/* Puts a page of zeros before all others, and makes one descriptor its own. */
static void insert_zeros(struct made *made)
{
	size_t before = made->pages, after = made->file_size - before;
	char *file = calloc(1, made->file_size + PAGE_SIZE);
	struct page_desc *descs = (void *)(file + made->descs);

	assert_non_null(file);
	memcpy(file, made->file, before);
	memcpy(file + before + PAGE_SIZE, made->file + before, after);
	for (size_t i = 0; i < NR_DESCS; i++)
		descs[i].offset += PAGE_SIZE;
	descs[ZEROS] = (struct page_desc){ .offset = made->pages, .size = PAGE_SIZE };
	free(made->file);
	made->file = file;
	made->file_size += PAGE_SIZE;
}

static void read_file(const struct make_dump *d, struct made *made)
{
	FILE *file = fopen(d->path, "r");

	made->file_size = d->size;
	made->file = malloc(d->size);
	assert_non_null(made->file);
	assert_non_null(file);
	assert_int_equal(fread(made->file, 1, d->size, file), d->size);
	fclose(file);
	made->bitmap = d->bitmap_at;
	made->descs = d->descs_at;
	made->pages = d->pages_at;
}

/* The descriptors from @from to @to, and their pages. */
static void put_group(struct made *made, const struct order *order, size_t from, size_t to)
{
	const struct page_desc *descs = (const void *)(made->file + made->descs);
	uint64_t start = from ? descs[from].offset : made->pages;
	uint64_t end = to < NR_DESCS ? descs[to].offset : made->file_size;

	/* That of the zeros is not where its place would be. */
	if (from == ZEROS)
		start = descs[from - 1].offset + descs[from - 1].size;
	if (to == ZEROS)
		end = descs[to - 1].offset + descs[to - 1].size;
	for (int i = 0; i < 2; i++) {
		if (order->pages_first == (i == 0))
			put_block(made, start, end);
		else
			put_block(made, made->descs + from * sizeof(*descs),
				  made->descs + to * sizeof(*descs));
	}
}

static void put_groups(struct made *made, const struct order *order, size_t from, size_t to)
{
	for (size_t next; from < to; from = next) {
		next = from + order->group < to ? from + order->group : to;
		/* The last ones are what is left in makedumpfile's buffers, in another order. */
		struct order its = *order;
		its.pages_first |= next == NR_DESCS;
		put_group(made, &its, from, next);
	}
}

static void make_stream(struct made *made, const struct order *order)
{
	char head[4096] = "makedumpfile";
	uint64_t second = made->bitmap + (made->descs - made->bitmap) / 2;
	uint64_t half = second + HALF_BITMAP;

	made->out = open_memstream(&made->stream, &made->size);
	head[23] = head[31] = 1;
	fwrite(head, sizeof(head), 1, made->out);
	put_block(made, 0, sizeof(struct disk_dump_header));
	put_block(made, PAGE_SIZE, made->bitmap);
	put_block(made, made->bitmap, second);
	put_block(made, second, order->halves ? half : made->descs);
	put_groups(made, order, 0, order->halves ? FIRST_FAR : NR_DESCS);
	if (order->halves) {
		put_block(made, half, made->descs);
		put_groups(made, order, FIRST_FAR, NR_DESCS);
	}
	const uint64_t end[2] = { UINT64_MAX, UINT64_MAX };
	fwrite(end, sizeof(end), 1, made->out);
	assert_int_equal(fclose(made->out), 0);
}

static void make(const char *text, bool zeros, const struct order *order, struct made *ret)
{
	struct make_dump d;

	make_dump_init(&d);
	make_dump_text(&d, text);
	make_dump_write(&d);
	read_file(&d, ret);
	make_dump_deinit(&d);
	if (zeros)
		insert_zeros(ret);
	make_stream(ret, order);
}

static void unmake(struct made *made)
{
	free(made->file);
	free(made->stream);
}

static void *shared(size_t size)
{
	void *ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(ret, MAP_FAILED);
	return ret;
}

/* Lets @size bytes through; what comes out must be what went in. @why has SIEVE_WHY bytes. */
static struct error *let_through(const char *bytes, size_t size, size_t most_bytes, int kept,
				 char *why)
{
	int in = memfd_create("in", 0), out = memfd_create("out", 0);
	struct page_log *log = shared(sizeof(*log));
	char *said = shared(SIEVE_WHY), *back = malloc(size + 1);
	struct sieve sieve = { log, kept, most_bytes, said };
	struct run run = RUN_INIT;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		page_log_add(log, wanted[i]);
	assert_int_equal(write(in, bytes, size), size);
	lseek(in, 0, SEEK_SET);
	run.input = in;
	run.output = out;
	run.limit_s = 60;
	struct error *err = run_function(&run, sieve_run, &sieve);
	assert_int_equal(pread(out, back, size + 1, 0), size);
	assert_memory_equal(back, bytes, size);
	memcpy(why, said, SIEVE_WHY);
	free(back);
	munmap(said, SIEVE_WHY);
	munmap(log, sizeof(*log));
	close(in);
	close(out);
	return err;
}

static void open_kept(int kept, struct dump **ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	assert_no_error(dump_open(path, ret));
}

/* What is wanted is as it was; of the rest nobody takes zeros for it. */
static void assert_kept(const struct make_dump *whole, int kept)
{
	char page[PAGE_SIZE], its[PAGE_SIZE];
	struct dump *a, *b;

	assert_no_error(dump_open(whole->path, &a));
	open_kept(kept, &b);
	assert_false(dump_is_complete(b));
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		assert_no_error(dump_read(a, given[i], page, sizeof(page)));
		assert_no_error(dump_read(b, given[i], its, sizeof(its)));
		assert_memory_equal(page, its, sizeof(page));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_error(dump_read(b, others[i], page, sizeof(page)), ERROR_MISSING, "");
	assert_error(dump_read(b, 0x2c000, page, sizeof(page)), ERROR_EXCLUDED, "");
	assert_error(dump_read(b, 0x40000, page, sizeof(page)), ERROR_UNMAPPED, "");
	dump_close(a);
	dump_close(b);
}

static void test_orders(void **state)
{
	static const struct order orders[] = {
		{ .group = 7 },
		{ .group = 1 },
		{ .group = NR_DESCS },
		{ .group = 7, .pages_first = true },
		{ .group = 10, .halves = true },
		{ .group = 3, .pages_first = true, .halves = true },
	};
	char why[SIEVE_WHY];
	struct make_dump d;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, memory);
	make_dump_write(&d);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		int kept = memfd_create("kept", 0);
		struct made made;
		make(memory, false, &orders[i], &made);
		assert_no_error(let_through(made.stream, made.size, 64 << 20, kept, why));
		assert_string_equal(why, "");
		assert_kept(&d, kept);
		struct stat st;
		assert_int_equal(fstat(kept, &st), 0);
		/* 50 pages, of which 29 do not compress, less those that are wanted. */
		assert_true(st.st_size < (off_t)made.size - 18 * 4096);
		close(kept);
		unmake(&made);
	}
	make_dump_deinit(&d);
}

static void test_zeros(void **state)
{
	const char zeros[PAGE_SIZE] = { 0 };
	char page[PAGE_SIZE], why[SIEVE_WHY];

	(void)state;
	for (size_t group = 1; group < NR_DESCS; group += 6) {
		int kept = memfd_create("kept", 0);
		const struct order order = { .group = group };
		struct made made;
		struct dump *dump;
		make(memory, true, &order, &made);
		assert_no_error(let_through(made.stream, made.size, 64 << 20, kept, why));
		assert_string_equal(why, "");
		open_kept(kept, &dump);
		assert_no_error(dump_read(dump, 21 << PAGE_SHIFT, page, sizeof(page)));
		assert_memory_equal(page, zeros, sizeof(page));
		assert_no_error(dump_read(dump, 0x8000000, page, sizeof(page)));
		assert_memory_not_equal(page, zeros, sizeof(page));
		dump_close(dump);
		close(kept);
		unmake(&made);
	}
}

static void test_too_much(void **state)
{
	const struct order order = { .group = 7 };
	int kept = memfd_create("kept", 0);
	char why[SIEVE_WHY];
	struct made made;
	struct stat st;

	(void)state;
	make(memory, true, &order, &made);
	/* From nothing to where it is enough: it is never more that is kept. */
	for (size_t most = 0; most < 2 << 20; most += 120013) {
		assert_int_equal(ftruncate(kept, 0), 0);
		lseek(kept, 0, SEEK_SET);
		assert_no_error(let_through(made.stream, made.size, most, kept, why));
		assert_int_equal(fstat(kept, &st), 0);
		assert_true(st.st_size <= (off_t)most);
		if (*why)
			assert_int_equal(st.st_size, 0);
	}
	assert_string_equal(why, "");
	assert_no_error(let_through(made.stream, made.size, 5000, kept, why));
	assert_non_null(strstr(why, "takes more memory than there is: 0 MB"));
	close(kept);
	unmake(&made);
}

static void test_late_descriptors(void **state)
{
	int kept = memfd_create("kept", 0);
	char why[SIEVE_WHY];
	struct made made;
	struct make_dump d;

	(void)state;
	make_dump_init(&d);
	make_dump_text(&d, "format kdump none\npa 0x1000\nrandom 0x180000\n");
	make_dump_write(&d);
	read_file(&d, &made);
	make_dump_deinit(&d);
	char head[4096] = "makedumpfile";
	made.out = open_memstream(&made.stream, &made.size);
	fwrite(head, sizeof(head), 1, made.out);
	put_block(&made, 0, sizeof(struct disk_dump_header));
	put_block(&made, PAGE_SIZE, made.descs);
	put_block(&made, made.pages, made.file_size);
	put_block(&made, made.descs, made.pages);
	fclose(made.out);
	assert_no_error(let_through(made.stream, made.size, 64 << 20, kept, why));
	assert_string_equal(why, "the pages come long before their descriptors");
	close(kept);
	unmake(&made);
}

static void test_no_end(void **state)
{
	const struct order order = { .group = 7 };
	int kept = memfd_create("kept", 0);
	char why[SIEVE_WHY];
	struct made made;

	(void)state;
	make(memory, true, &order, &made);
	for (size_t size = made.size - 1; size > 0; size -= size < 6007 ? size : 6007) {
		assert_int_equal(ftruncate(kept, 0), 0);
		lseek(kept, 0, SEEK_SET);
		assert_error(let_through(made.stream, size, 64 << 20, kept, why), ERROR_OTHER,
			     "makedumpfile's dump has no end");
	}
	close(kept);
	unmake(&made);
}

/* Whatever comes, it is passed on, and nothing breaks. */
static void test_damaged(void **state)
{
	const struct order order = { .group = 7 };
	int kept = memfd_create("kept", 0);
	uint32_t random = 1;
	char why[SIEVE_WHY];
	struct made made;

	(void)state;
	make(memory, true, &order, &made);
	for (size_t i = 0; i < 100; i++) {
		size_t where[3];
		char was[3];
		for (int j = 0; j < 3; j++) {
			random = random * 1664525 + 1013904223;
			/* Headers, bitmaps and descriptors more often than pages. */
			where[j] = (random >> 4) % (j ? made.descs + 8192 : made.size);
			was[j] = made.stream[where[j]];
			made.stream[where[j]] = random >> 24;
		}
		assert_int_equal(ftruncate(kept, 0), 0);
		lseek(kept, 0, SEEK_SET);
		struct error *err = let_through(made.stream, made.size, 4 << 20, kept, why);
		if (err)
			assert_error(err, ERROR_OTHER, "makedumpfile's dump has no end");
		for (int j = 2; j >= 0; j--)
			made.stream[where[j]] = was[j];
	}
	close(kept);
	unmake(&made);
}

static void test_log(void **state)
{
	struct page_log *log = calloc(1, sizeof(*log));
	uint32_t *pages;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		page_log_add(log, wanted[i]);
	assert_int_equal(page_log_sort(log, &pages), 8);
	assert_int_equal(pages[0], 1);
	assert_int_equal(pages[7], 0x8004);
	free(pages);
	for (uint32_t i = 0; i < PAGE_LOG_MOST; i++)
		page_log_add(log, 2 * i);
	assert_int_equal(page_log_sort(log, &pages), 0);
	free(pages);
	log->count = UINT32_MAX; /* as a sandbox may leave it */
	assert_int_equal(page_log_sort(log, &pages), 0);
	free(pages);
	log->count = 0;
	page_log_add(log, 1ull << 32);
	assert_int_equal(page_log_sort(log, &pages), 0);
	free(pages);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the pages that are wanted are kept, in whatever order makedumpfile writes",
		     test_orders),
		TEST("the page that all of zeros share is kept", test_zeros),
		TEST("what takes too much memory is not kept, and passed on all the same",
		     test_too_much),
		TEST("pages whose descriptors do not come are not waited for for ever",
		     test_late_descriptors),
		TEST("a stream that is cut off is an error", test_no_end),
		TEST("a damaged stream is passed on", test_damaged),
		TEST("of the pages that were read each is told once, or none", test_log),
	};

	return RUN_TESTS(tests);
}
