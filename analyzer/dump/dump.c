// SPDX-License-Identifier: GPL-2.0-only
#include "dump/dump.h"

#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/vfs.h>

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

struct error *dump_lacks(struct dump *dump, uint64_t pa, const char *format, ...)
{
	struct error **place = vector_push(&dump->lacks);
	va_list args;

	dump->complete = false;
	if (!place)
		return &error_no_memory;
	va_start(args, format);
	*place = error_vfault(ERROR_MISSING, pa, format, args);
	va_end(args);
	return NULL;
}

/* Reads what there is of @what, *@size bytes at @offset. */
static struct error *read_table(struct dump *dump, const struct dump_file *file, const char *what,
				uint64_t offset, uint64_t *size, void *ret)
{
	struct error *err = NULL;

	if (*size > MAX_NOTES_SIZE)
		return error_create(ERROR_CORRUPT, "%s of %llu bytes", what,
				    (unsigned long long)*size);
	uint64_t in_file = offset < file->size ? file->size - offset : 0;
	if (*size > in_file) {
		err = dump_lacks(dump, 0, "%s ends in its %s", file->path, what);
		*size = in_file;
	}
	_cleanup_free_ void *table = malloc(*size ? *size : 1);
	if (!table)
		return &error_no_memory;
	if (!err)
		err = dump_file_read(file, offset, table, *size, 0);
	if (!err)
		*(void **)ret = steal_ptr(table);
	return error_prefix(err, "%s", what);
}

struct error *dump_set_notes(struct dump *dump, const struct dump_file *file, uint64_t offset,
			     uint64_t size)
{
	struct note note;
	void *notes;

	struct error *err = read_table(dump, file, "notes", offset, &size, &notes);
	if (err)
		return err;
	free(dump->notes);
	dump->notes = notes;
	dump->notes_size = size;
	for (size_t at = 0; note_next(dump->notes, size, &at, &note);) {
		if (note_is(&note, "VMCOREINFO", 0)) {
			dump->vmcoreinfo = note.desc;
			dump->vmcoreinfo_size = note.desc_size;
		}
		/* XEN_ELFNOTE_CRASH_INFO: xen/include/public/elfnote.h */
		if (note.name_size == 4 && !memcmp(note.name, "Xen", 4))
			return error_create(ERROR_OTHER,
					    "a dump of a Xen hypervisor, which cannot be read");
	}
	return NULL;
}

struct error *dump_set_vmcoreinfo(struct dump *dump, const struct dump_file *file, uint64_t offset,
				  uint64_t size)
{
	if (dump->vmcoreinfo || !size)
		return NULL;
	struct error *err = read_table(dump, file, "vmcoreinfo", offset, &size, &dump->text);
	if (err)
		return err;
	dump->vmcoreinfo = dump->text;
	dump->vmcoreinfo_size = size;
	return NULL;
}

/* What a file that is no vmcore is instead: the remedy depends on it. */
static struct error *refuse(const char *head, size_t size)
{
	static const struct {
		const char *magic, *what;
	} known[] = {
		{ "DISKDUMP", "a diskdump of a 2.6 kernel, which cannot be read" },
		{ "PAGEDU64", "a crash dump of Windows" },
		{ "\x1f\x8b", "compressed by gzip; unpack it first" },
		{ "\xfd"
		  "7zXZ",
		  "compressed by xz; unpack it first" },
		{ "\x28\xb5\x2f\xfd", "compressed by zstd; unpack it first" },
		{ "age-encryption.org/", "encrypted by age; decrypt it first, by 'age -d -i KEY'" },
	};

	if (!size)
		return error_create(ERROR_OTHER, "the file is empty");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (size >= strlen(known[i].magic) &&
		    !memcmp(head, known[i].magic, strlen(known[i].magic)))
			return error_create(ERROR_OTHER, "no vmcore: %s", known[i].what);
	return error_create(ERROR_OTHER,
			    "no vmcore: neither an ELF core nor a kdump-compressed dump");
}

static struct error *probe(struct dump *dump)
{
	char head[PAGE_SIZE] = {};
	struct dump_file *file = &dump->files[0];
	size_t size = file->size < sizeof(head) ? file->size : sizeof(head);
	struct error *err = dump_file_read(file, 0, head, size, 0);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i]->probe(head, size)) {
			dump->format = formats[i];
			return formats[i]->init(dump);
		}
	}
	return refuse(head, size);
}

/* Where the kernel has it, and not a file of that name. */
static bool is_live(const struct dump_file *file)
{
	struct statfs fs;
	const char *name = strrchr(file->path, '/');

	return name && !strcmp(name, strrchr(DUMP_LIVE, '/')) && !fstatfs(file->fd, &fs) &&
	       fs.f_type == PROC_SUPER_MAGIC;
}

static struct error *open_files(struct dump *dump, const char *const *paths, size_t count)
{
	dump->files = calloc(count, sizeof(*dump->files));
	if (!dump->files)
		return &error_no_memory;
	for (size_t i = 0; i < count; i++) {
		struct dump_file *file = &dump->files[dump->nr_files++];
		struct error *err = dump_file_open(paths[i], file);
		if (!err && file->cut_off)
			err = dump_lacks(dump, 0, "%s is flattened, and its end is missing",
					 paths[i]);
		if (err)
			return error_prefix(err, "%s", paths[i]);
	}
	dump->live = is_live(&dump->files[0]);
	return NULL;
}

struct error *dump_open_parts(const char *const *paths, size_t count, struct dump **ret)
{
	struct dump *dump = calloc(1, sizeof(*dump));
	if (!dump)
		return &error_no_memory;
	dump->complete = true;
	dump->cache = calloc(1, sizeof(*dump->cache));
	struct error *err = dump->cache ? open_files(dump, paths, count) : &error_no_memory;
	if (!err)
		err = error_prefix(probe(dump), "%s", paths[0]);
	if (err) {
		dump_close(dump);
		return err;
	}
	*ret = dump;
	return NULL;
}

struct error *dump_open(const char *path, struct dump **ret)
{
	return dump_open_parts(&path, 1, ret);
}

void dump_close(struct dump *dump)
{
	if (!dump)
		return;
	if (dump->format)
		dump->format->deinit(dump);
	for (size_t i = 0; i < dump->nr_files; i++)
		dump_file_close(&dump->files[i]);
	free(dump->files);
	for (size_t i = 0; i < dump->lacks.count; i++)
		error_destroy(dump->lacks.data[i]);
	vector_deinit(&dump->lacks);
	for (size_t set = 0; dump->cache && set < CACHE_SETS; set++)
		free(dump->cache->pages[set]);
	free(dump->cache);
	free(dump->notes);
	free(dump->text);
	free(dump);
}

void dump_log_pages(struct dump *dump, struct page_log *log)
{
	dump->log = log;
}

static struct error *read_page(struct dump *dump, uint64_t pfn, void *page)
{
	struct error *err = dump->format->read_page(dump, pfn, page);

	if (!err && dump->log)
		page_log_add(dump->log, pfn);
	return err;
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
	struct error *err = read_page(dump, pfn, cache->pages[set][way]);
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

		if (dump->live) {
			/* The page's next reader wants what it has then. */
			char page[PAGE_SIZE];
			err = read_page(dump, pfn, page);
			if (!err)
				memcpy(to, page + in_page, n);
		} else if (n == PAGE_SIZE) {
			/* Whole pages are tables, read once: they would only push the others out. */
			err = read_page(dump, pfn, to);
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

bool dump_next_page(struct dump *dump, uint64_t *pa)
{
	uint64_t pfn = *pa >> PAGE_SHIFT;

	if (!dump->format->next_page(dump, &pfn))
		return false;
	*pa = pfn << PAGE_SHIFT;
	return true;
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

const struct error *const *dump_get_lacks(const struct dump *dump, size_t *count)
{
	*count = dump->lacks.count;
	return (const struct error *const *)dump->lacks.data;
}

bool dump_is_live(const struct dump *dump)
{
	return dump->live;
}

const char *dump_release(const struct dump *dump)
{
	return dump->release;
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
