// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dump/format.h"
#include "dump/notes.h"

/*
 * Pages that were read last. Page tables, kallsyms, ORC tables and task
 * structs are read over and over in small pieces, and a page of a compressed
 * dump costs some 10 us. Four ways, replaced in turn: 8 MB at the most, a set of
 * which has memory once it is used.
 */
#define CACHE_SETS 512
#define CACHE_WAYS 4

/* Notes hold some 400 bytes for each CPU, and the vmcoreinfo of a few KB. */
#define MAX_NOTES_SIZE (64u << 20)

struct page_cache {
	uint64_t pfn[CACHE_SETS][CACHE_WAYS]; /* plus one: 0 is a free place */
	uint8_t next[CACHE_SETS];
	char (*pages[CACHE_SETS])[PAGE_SIZE];
};

static const struct dump_format *const formats[] = { &dump_format_kdump, &dump_format_elf };

struct error *dump_file_read(const struct dump *dump, uint64_t offset, void *buf, size_t size,
			     uint64_t pa)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(dump->fd, (char *)buf + done, size - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno("cannot read 0x%zx bytes at 0x%llx", size,
					   (unsigned long long)offset);
		if (!n)
			return error_fault(
				ERROR_MISSING, pa,
				"the file ends before offset 0x%llx (physical address 0x%llx)",
				(unsigned long long)(offset + size), (unsigned long long)pa);
		done += n;
	}
	return NULL;
}

struct error *dump_set_notes(struct dump *dump, uint64_t offset, uint64_t size)
{
	if (size > MAX_NOTES_SIZE)
		return error_create(ERROR_CORRUPT, "notes of %llu bytes", (unsigned long long)size);
	_cleanup_free_ void *notes = malloc(size ? size : 1);
	if (!notes)
		return &error_no_memory;
	struct error *err = dump_file_read(dump, offset, notes, size, 0);
	if (err)
		return error_prefix(err, "notes");
	free(dump->notes);
	dump->notes = steal_ptr(notes);
	dump->notes_size = size;

	struct note note;
	for (size_t at = 0; note_next(dump->notes, size, &at, &note);) {
		if (note_is(&note, "VMCOREINFO", 0)) {
			dump->vmcoreinfo = note.desc;
			dump->vmcoreinfo_size = note.desc_size;
		}
	}
	return NULL;
}

/* What a file that is no vmcore is instead: the remedy depends on it. */
static struct error *refuse(const char *head, size_t size)
{
	if (!size)
		return error_create(ERROR_OTHER, "the file is empty");
	if (size >= 12 && !memcmp(head, "makedumpfile", 12))
		return error_create(ERROR_OTHER, "a flattened dump; rearrange it with "
						 "'makedumpfile -R vmcore < FILE' first");
	return error_create(ERROR_OTHER,
			    "no vmcore: neither an ELF core nor a kdump-compressed dump");
}

static struct error *probe(struct dump *dump)
{
	char head[PAGE_SIZE];
	ssize_t n = pread(dump->fd, head, sizeof(head), 0);
	if (n < 0)
		return error_errno("cannot read");
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i]->probe(head, n)) {
			dump->format = formats[i];
			return formats[i]->init(dump);
		}
	}
	return refuse(head, n);
}

struct error *dump_open(const char *path, struct dump **ret)
{
	struct dump *dump = calloc(1, sizeof(*dump));
	if (!dump)
		return &error_no_memory;
	dump->path = strdup(path);
	dump->cache = calloc(1, sizeof(*dump->cache));
	/* O_NONBLOCK: nobody waits for the writer of a FIFO. */
	dump->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	struct stat st;
	struct error *err = NULL;
	if (!dump->path || !dump->cache)
		err = &error_no_memory;
	else if (dump->fd < 0 || fstat(dump->fd, &st))
		err = error_errno("cannot open");
	else if (!S_ISREG(st.st_mode))
		err = error_create(ERROR_OTHER, "not a regular file");
	if (!err) {
		dump->size = st.st_size;
		err = probe(dump);
	}
	if (err) {
		dump_close(dump);
		return error_prefix(err, "%s", path);
	}
	*ret = dump;
	return NULL;
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	if (dump->format)
		dump->format->deinit(dump);
	if (dump->fd >= 0)
		close(dump->fd);
	for (size_t set = 0; dump->cache && set < CACHE_SETS; set++)
		free(dump->cache->pages[set]);
	free(dump->cache);
	free(dump->notes);
	free(dump->path);
	free(dump);
}

static struct error *cached_page(struct dump *dump, uint64_t pfn, const char **ret)
{
	struct page_cache *cache = dump->cache;
	size_t set = (pfn ^ pfn >> 9) % CACHE_SETS;

	for (size_t way = 0; way < CACHE_WAYS; way++) {
		if (cache->pfn[set][way] == pfn + 1) {
			*ret = cache->pages[set][way];
			return NULL;
		}
	}
	if (!cache->pages[set] &&
	    !(cache->pages[set] = malloc(sizeof(*cache->pages[set]) * CACHE_WAYS)))
		return &error_no_memory;
	size_t way = cache->next[set]++ % CACHE_WAYS;
	cache->pfn[set][way] = 0;
	struct error *err = dump->format->read_page(dump, pfn, cache->pages[set][way]);
	if (err)
		return err;
	cache->pfn[set][way] = pfn + 1;
	*ret = cache->pages[set][way];
	return NULL;
}

struct error *dump_read(struct dump *dump, uint64_t pa, void *buf, size_t size)
{
	char *to = buf;

	while (size) {
		uint64_t pfn = pa >> PAGE_SHIFT;
		size_t in_page = pa % PAGE_SIZE;
		size_t n = PAGE_SIZE - in_page < size ? PAGE_SIZE - in_page : size;
		struct error *err;

		if (n == PAGE_SIZE) {
			/* Whole pages are tables, read once: they would only push the others out. */
			err = dump->format->read_page(dump, pfn, to);
		} else {
			const char *page;
			err = cached_page(dump, pfn, &page);
			if (!err)
				memcpy(to, page + in_page, n);
		}
		if (err)
			return err;
		to += n;
		pa += n;
		size -= n;
	}
	return NULL;
}

const char *dump_format(const struct dump *dump)
{
	return dump->format->name;
}

uint16_t dump_machine(const struct dump *dump)
{
	return dump->machine;
}

bool dump_is_complete(const struct dump *dump)
{
	return dump->complete;
}

const void *dump_notes(const struct dump *dump, size_t *size_ret)
{
	*size_ret = dump->notes_size;
	return dump->notes;
}

const char *dump_vmcoreinfo(const struct dump *dump, size_t *size_ret)
{
	*size_ret = dump->vmcoreinfo_size;
	return dump->vmcoreinfo;
}
