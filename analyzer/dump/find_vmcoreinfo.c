// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel keeps the vmcoreinfo in a page of its own, as text, and once more
 * as a note, which also begins at a page's start (vmcoreinfo_data and
 * vmcoreinfo_note in kernel/crash_core.c; since 4.13, 203e9e41219b). A page
 * that looks so may be left over from a boot before: it counts if the page
 * tables that it leads to map themselves to where it says that they are.
 */
#include "dump/find_vmcoreinfo.h"

#include <string.h>

#include "base/cleanup.h"
#include "dump/notes.h"

#define FIRST_KEY "OSRELEASE="

/* So many more pages that cannot be read than pages that can: the file has nothing of what its headers promise. */
#define MAX_UNREADABLE 4096

/* 8 GB, which take some 3 s. A file may promise any number, by naming the same bytes over and over or by a hole. */
#define MAX_PAGES (2u << 20)

/* The text in @page, which may be the first of a note's. */
static size_t text_in(const char page[PAGE_SIZE], const char **ret)
{
	struct note note;
	size_t at = 0;

	*ret = page;
	if (note_next(page, PAGE_SIZE, &at, &note) && note_is(&note, "VMCOREINFO", 0)) {
		*ret = note.desc;
		return note.desc_size;
	}
	return strnlen(page, PAGE_SIZE);
}

static bool looks_like(const char *text, size_t size)
{
	return size > strlen(FIRST_KEY) && !memcmp(text, FIRST_KEY, strlen(FIRST_KEY));
}

/* Whether the page tables of @info are those of this memory. */
static bool fits(struct dump *dump, const struct vmcoreinfo *info)
{
	struct memory memory;
	uint64_t table, pa = 0;

	struct error *err = memory_init(&memory, dump, info);
	if (!err && !vmcoreinfo_symbol(info, "swapper_pg_dir", &table))
		err = error_create(ERROR_NOT_FOUND, "no swapper_pg_dir");
	if (!err)
		err = memory_translate(&memory, table, &pa);
	bool ret = !err && pa == memory.table_pa;
	error_destroy(err);
	return ret;
}

struct error *vmcoreinfo_find(struct dump *dump, char **ret, size_t *size_ret, uint64_t *pa_ret)
{
	_cleanup_free_ char *page = malloc(PAGE_SIZE);
	int64_t unreadable = 0;
	uint64_t pages = 0;

	if (!page)
		return &error_no_memory;
	for (*pa_ret = 0;
	     pages++ < MAX_PAGES && unreadable < MAX_UNREADABLE && dump_next_page(dump, pa_ret);
	     *pa_ret += PAGE_SIZE) {
		const char *text;
		struct error *err = dump_read(dump, *pa_ret, page, PAGE_SIZE);
		unreadable += err ? 1 : -1;
		if (err) {
			error_destroy(err);
			continue;
		}
		size_t size = text_in(page, &text);
		if (!looks_like(text, size) ||
		    !fits(dump, &(struct vmcoreinfo){ .text = text, .size = size }))
			continue;
		*size_ret = size;
		*ret = malloc(size);
		if (!*ret)
			return &error_no_memory;
		memcpy(*ret, text, size);
		return NULL;
	}
	return error_create(ERROR_NOT_FOUND,
			    "the dump has no vmcoreinfo, neither in its headers nor in %s: "
			    "nothing in it can be found; with QEMU, add '-device vmcoreinfo'",
			    pages > MAX_PAGES ? "the first 8 GB of its memory" : "its memory");
}
