// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order in which makedumpfile (1.7.2, 1.7.8: write_kdump_pages_and_bitmap_cyclic()) writes: the headers; the first bitmap;
 * then, once or for one part of the memory after the other, the second bitmap and the pages. These come some 64 KB at a time,
 * after their descriptors; at the very end, before them. The first page of all is one of zeros, for all that are, if the dump
 * level has bit 1.
 */
#include "kdump/sieve.h"

#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/vector.h"
#include "dump/dump.h"
#include "dump/flattened.h"
#include "dump/kdump_format.h"

#define CHUNK_SIZE (256u << 10)

/* Pages that came before their descriptors: makedumpfile has 64 KB of them. */
#define MOST_PENDING (1u << 20)

/* Where the bytes of a page are in the file that the stream stands for. */
struct place {
	uint64_t start, end;
};

enum stage { FILE_HEADER, BLOCK_HEADER, BLOCK, AFTER_END };
enum content { TABLE, DESCS, PAGES };

struct state {
	const struct sieve *sieve;
	size_t used; /* bytes of memory */
	bool given_up;

	/* The stream. */
	enum stage stage;
	struct flattened_block head; /* of the block; of the file, what it begins with */
	size_t done; /* bytes of the file's header, or of a block's */
	uint64_t at, left; /* of the block: where its next byte belongs, and how many come */
	enum content content;

	/* The dump's layout; 0: not known yet. */
	struct disk_dump_header header;
	size_t header_size; /* bytes of it that came */
	uint64_t bitmap_start; /* the second one */
	uint64_t descs_start, data_start;
	uint64_t next_desc, next_data; /* where the next ones belong */

	uint8_t *bitmap; /* the second one, as far as it has come */
	uint64_t bitmap_size;
	bool ranks_stale; /* more of it has come */

	uint32_t *wanted; /* pages, in their order */
	size_t nr_wanted;
	uint64_t *ranks; /* of those that are in the dump: the numbers of their descriptors */
	size_t nr_ranks, next_rank;
	struct page_desc desc; /* being read */

	/* Of wanted pages whose descriptors have come, in the file's order. */
	VECTOR(struct place) places;
	size_t next_place;
	uint64_t known_to; /* up to here all descriptors of the pages have come */
	uint64_t zeros; /* the page that descriptors name out of this order; 0: none */
	char *pending; /* the pages from there on that have come */
	size_t pending_size;
};

static void free_all(struct state *s)
{
	free(s->bitmap);
	free(s->wanted);
	free(s->ranks);
	free(s->pending);
	vector_deinit(&s->places);
	s->bitmap = NULL;
	s->wanted = NULL;
	s->ranks = NULL;
	s->pending = NULL;
	s->places.data = NULL;
	s->places.count = 0;
}

static void __attribute__((format(printf, 2, 3))) give_up(struct state *s, const char *format, ...)
{
	va_list args;

	if (s->given_up)
		return;
	s->given_up = true;
	va_start(args, format);
	vsnprintf(s->sieve->why, SIEVE_WHY, format, args);
	va_end(args);
	/* The memory is of more use to others now. If that fails nobody reads it anyway. */
	if (ftruncate(s->sieve->kept, 0))
		s->used = s->sieve->most_bytes;
	free_all(s);
}

/* True if it may be taken. */
static bool take_memory(struct state *s, uint64_t size)
{
	if (s->used + size <= s->sieve->most_bytes && s->used + size >= size) {
		s->used += size;
		return true;
	}
	give_up(s, "to read it back takes more memory than there is: %zu MB",
		s->sieve->most_bytes >> 20);
	return false;
}

/* --- what is kept ------------------------------------------------------------------------ */

static void keep(struct state *s, const struct iovec *parts, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (!take_memory(s, size))
		return;
	ssize_t n = writev(s->sieve->kept, parts, count);
	if (n != (ssize_t)size)
		give_up(s, "what is kept to read it back: %s",
			n < 0 ? strerror(errno) : "cannot be written");
}

static void keep_bytes(struct state *s, const void *data, size_t size)
{
	keep(s, &(struct iovec){ (void *)data, size }, 1);
}

static void keep_block(struct state *s, uint64_t offset, const void *data, size_t size)
{
	struct flattened_block head = { htobe64(offset), htobe64(size) };

	keep(s, (struct iovec[]){ { &head, sizeof(head) }, { (void *)data, size } }, 2);
}

/* Pages whose descriptors are known: of them those that are wanted. */
static void keep_pages(struct state *s, uint64_t at, const char *data, size_t size)
{
	const struct place *places = s->places.data;
	uint64_t end = at + size;

	while (s->next_place < s->places.count && places[s->next_place].end <= at)
		s->next_place++;
	for (size_t i = s->next_place; !s->given_up && i < s->places.count && places[i].start < end;
	     i++) {
		uint64_t from = places[i].start > at ? places[i].start : at;
		uint64_t to = places[i].end < end ? places[i].end : end;
		if (from < to)
			keep_block(s, from, data + (from - at), to - from);
	}
}

/* --- pages and their descriptors --------------------------------------------------------- */

static void add_place(struct state *s, uint64_t start, uint64_t size)
{
	struct place *place = take_memory(s, sizeof(*place)) ? vector_push(&s->places) : NULL;

	if (place)
		*place = (struct place){ start, start + size };
	else
		give_up(s, "no memory");
}

/* The numbers of the wanted pages' descriptors: as many as bits are set before the page's own. */
static void find_ranks(struct state *s)
{
	uint64_t byte = 0, rank = 0;

	s->ranks_stale = false;
	s->nr_ranks = 0;
	for (size_t i = 0; i < s->nr_wanted; i++) {
		uint64_t pfn = s->wanted[i];
		if (pfn / 8 >= s->bitmap_size)
			break;
		for (; byte < pfn / 8; byte++)
			rank += __builtin_popcount(s->bitmap[byte]);
		if (s->bitmap[byte] >> pfn % 8 & 1)
			s->ranks[s->nr_ranks++] =
				rank + __builtin_popcount(s->bitmap[byte] & ((1u << pfn % 8) - 1));
	}
}

static const char unordered[] = "the pages are not in the order of their descriptors";

/* It is the first of all, and is kept whoever wants it. */
static void check_zeros(struct state *s)
{
	if (s->zeros && s->data_start && s->zeros != s->data_start)
		give_up(s, "%s", unordered);
}

static void take_desc(struct state *s, uint64_t index)
{
	const struct page_desc *desc = &s->desc;

	if (s->ranks_stale)
		find_ranks(s);
	if (desc->size > PAGE_SIZE || desc->offset > INT64_MAX) {
		give_up(s, "a page's descriptor makes no sense");
		return;
	}
	if (desc->offset < s->known_to) {
		if (!s->zeros)
			s->zeros = desc->offset;
		if (s->zeros != desc->offset)
			give_up(s, "%s", unordered);
		check_zeros(s);
		return;
	}
	s->known_to = desc->offset + desc->size;
	while (s->next_rank < s->nr_ranks && s->ranks[s->next_rank] < index)
		s->next_rank++;
	if (s->next_rank < s->nr_ranks && s->ranks[s->next_rank] == index)
		add_place(s, desc->offset, desc->size);
}

/* Pages that waited for their descriptors. */
static void release_pending(struct state *s)
{
	uint64_t start = s->next_data - s->pending_size;
	size_t known = s->pending_size;

	if (!s->pending_size || s->known_to <= start)
		return;
	if (s->known_to - start < known)
		known = s->known_to - start;
	keep_pages(s, start, s->pending, known);
	if (s->given_up)
		return;
	s->pending_size -= known;
	memmove(s->pending, s->pending + known, s->pending_size);
}

static void take_descs(struct state *s, const char *data, size_t size)
{
	while (size && !s->given_up) {
		uint64_t done = s->next_desc - s->descs_start;
		size_t in_desc = done % sizeof(s->desc), n = sizeof(s->desc) - in_desc;
		if (n > size)
			n = size;
		memcpy((char *)&s->desc + in_desc, data, n);
		s->next_desc += n;
		data += n;
		size -= n;
		if (in_desc + n == sizeof(s->desc))
			take_desc(s, done / sizeof(s->desc));
	}
	if (!s->given_up)
		release_pending(s);
}

static void wait_for_descs(struct state *s, const char *data, size_t size)
{
	if (!s->pending && take_memory(s, MOST_PENDING))
		s->pending = malloc(MOST_PENDING);
	if (s->given_up)
		return;
	if (!s->pending || size > MOST_PENDING - s->pending_size) {
		give_up(s, "the pages come long before their descriptors");
		return;
	}
	memcpy(s->pending + s->pending_size, data, size);
	s->pending_size += size;
}

static void take_pages(struct state *s, const char *data, size_t size)
{
	uint64_t at = s->next_data;
	size_t known = 0;

	s->next_data += size;
	if (at < s->data_start + PAGE_SIZE) {
		uint64_t zeros = s->data_start + PAGE_SIZE - at;
		keep_block(s, at, data, zeros < size ? zeros : size);
	}
	if (s->given_up)
		return;
	if (!s->pending_size && s->known_to > at)
		known = s->known_to - at < size ? s->known_to - at : size;
	keep_pages(s, at, data, known);
	if (known < size && !s->given_up)
		wait_for_descs(s, data + known, size - known);
}

/* --- headers and bitmaps ----------------------------------------------------------------- */

static void take_layout(struct state *s)
{
	const struct disk_dump_header *header = &s->header;

	if (memcmp(header->signature, KDUMP_SIGNATURE, sizeof(header->signature)) ||
	    header->block_size != PAGE_SIZE || header->sub_hdr_size < 1 ||
	    header->sub_hdr_size > 1 << 20) {
		give_up(s, "makedumpfile's stream is no kdump-compressed dump");
		return;
	}
	uint64_t bitmap = (1 + (uint64_t)header->sub_hdr_size) * PAGE_SIZE;
	s->bitmap_size = (uint64_t)header->bitmap_blocks * PAGE_SIZE / 2;
	s->bitmap_start = bitmap + s->bitmap_size;
	s->descs_start = s->next_desc = s->bitmap_start + s->bitmap_size;
	if (!take_memory(s, s->bitmap_size))
		return;
	s->bitmap = calloc(1, s->bitmap_size + 1);
	if (!s->bitmap)
		give_up(s, "no memory");
}

/* @size bytes of the file from @at on, of which those that are between @start and @end go to @to. True if there were some. */
static bool pick(uint64_t at, const char *data, size_t size, uint64_t start, uint64_t end, void *to)
{
	uint64_t from = at > start ? at : start;
	uint64_t until = at + size < end ? at + size : end;

	if (from >= until)
		return false;
	memcpy((char *)to + (from - start), data + (from - at), until - from);
	return true;
}

static void take_table(struct state *s, const char *data, size_t size)
{
	if (s->header_size < sizeof(s->header)) {
		if (s->at != s->header_size) {
			give_up(s, "makedumpfile's stream does not begin with its header");
			return;
		}
		pick(s->at, data, size, 0, sizeof(s->header), &s->header);
		s->header_size += size;
		if (s->header_size >= sizeof(s->header))
			take_layout(s);
	} else if (pick(s->at, data, size, s->bitmap_start, s->descs_start, s->bitmap)) {
		s->ranks_stale = true;
	}
}

/* --- blocks ------------------------------------------------------------------------------ */

/* Descriptors follow each other, and so do pages; what is before them is headers and bitmaps. */
static void begin_block(struct state *s)
{
	if (!s->descs_start || s->at < s->descs_start)
		s->content = TABLE;
	else if (s->at == s->next_desc)
		s->content = DESCS;
	else
		s->content = PAGES;
	if (s->content != PAGES) {
		keep_bytes(s, &s->head, sizeof(s->head));
		return;
	}
	if (!s->data_start)
		s->data_start = s->next_data = s->at;
	if (s->at != s->next_data)
		give_up(s, "makedumpfile's stream is in an order that is not known");
	check_zeros(s);
}

static void take_block_bytes(struct state *s, const char *data, size_t size)
{
	if (s->content == PAGES) {
		take_pages(s, data, size);
		return;
	}
	keep_bytes(s, data, size);
	if (!s->given_up && s->content == DESCS)
		take_descs(s, data, size);
	else if (!s->given_up)
		take_table(s, data, size);
}

static void take_block_header(struct state *s)
{
	s->done = 0;
	s->at = be64toh(s->head.offset);
	s->left = be64toh(s->head.size);
	if (s->at == FLATTENED_END) {
		s->stage = AFTER_END;
		return;
	}
	s->stage = s->left ? BLOCK : BLOCK_HEADER;
	if (s->at > INT64_MAX || s->left > INT64_MAX - s->at)
		give_up(s, "makedumpfile's stream makes no sense");
	else
		begin_block(s);
}

/* How much of @data was taken. */
static size_t feed_some(struct state *s, const char *data, size_t size)
{
	size_t n = size;

	switch (s->stage) {
	case FILE_HEADER:
		if (n > FLATTENED_FIRST - s->done)
			n = FLATTENED_FIRST - s->done;
		pick(s->done, data, n, 0, sizeof(s->head), &s->head);
		keep_bytes(s, data, n);
		s->done += n;
		if (s->done < FLATTENED_FIRST)
			break;
		s->done = 0;
		s->stage = BLOCK_HEADER;
		if (memcmp(&s->head, FLATTENED_SIGNATURE, sizeof(FLATTENED_SIGNATURE)))
			give_up(s, "what makedumpfile wrote is no flattened dump");
		break;
	case BLOCK_HEADER:
		if (n > sizeof(s->head) - s->done)
			n = sizeof(s->head) - s->done;
		memcpy((char *)&s->head + s->done, data, n);
		s->done += n;
		if (s->done == sizeof(s->head))
			take_block_header(s);
		break;
	case BLOCK:
		if (n > s->left)
			n = s->left;
		take_block_bytes(s, data, n);
		s->at += n;
		s->left -= n;
		if (!s->left)
			s->stage = BLOCK_HEADER;
		break;
	case AFTER_END:
		break;
	}
	return n;
}

static void feed(struct state *s, const char *data, size_t size)
{
	for (size_t done = 0; done < size && !s->given_up;)
		done += feed_some(s, data + done, size - done);
}

/* --- the stream -------------------------------------------------------------------------- */

static struct error *pass_on(const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("passing makedumpfile's dump on");
		data += n;
		size -= n;
	}
	return NULL;
}

static struct error *run(struct state *s, char *buffer)
{
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buffer, CHUNK_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("reading makedumpfile's dump");
		if (!n)
			break;
		struct error *err = pass_on(buffer, n);
		if (err)
			return err;
		feed(s, buffer, n);
	}
	if (!s->given_up && s->stage != AFTER_END)
		return error_create(ERROR_OTHER, "makedumpfile's dump has no end");
	return NULL;
}

struct error *sieve_run(void *arg)
{
	struct state s = { .sieve = arg };
	_cleanup_free_ char *buffer = malloc(CHUNK_SIZE);

	if (!buffer)
		return &error_no_memory;
	/* The limit is meant for the dump on the disk. */
	signal(SIGXFSZ, SIG_IGN);
	if (s.sieve->wanted)
		s.nr_wanted = page_log_sort(s.sieve->wanted, &s.wanted);
	s.ranks = malloc(s.nr_wanted * sizeof(*s.ranks) + 1);
	if (!s.nr_wanted || !s.ranks)
		give_up(&s, "which pages the report was made of is not known");
	else
		take_memory(&s, s.nr_wanted * (sizeof(*s.wanted) + sizeof(*s.ranks)) + CHUNK_SIZE);
	struct error *err = run(&s, buffer);
	free_all(&s);
	return err;
}
