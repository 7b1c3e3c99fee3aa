/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vmcore: physical pages of a crashed machine, its ELF notes, its
 * vmcoreinfo. The formats are behind one probe; what is above sees pages.
 */
#ifndef LOCKDUMP_DUMP_H
#define LOCKDUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "dump/page_log.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

/* The memory of the machine that this runs on, while it runs. */
#define DUMP_LIVE "/proc/kcore"

struct dump;

/* Opens the file @path. Says what the file is instead if it is no vmcore that can be read. */
struct error *dump_open(const char *path, struct dump **ret);

/* Opens the parts of a split dump, in any order; one path is any dump. @paths must live as long as the dump. */
struct error *dump_open_parts(const char *const *paths, size_t count, struct dump **ret);
void dump_close(struct dump *dump);

/* Notes each page that is read from now on. @log must live as long as the dump. */
void dump_log_pages(struct dump *dump, struct page_log *log);

/* Copies @size bytes from physical address @pa. On an error @buf is not to be used. */
struct error *dump_read(struct dump *dump, uint64_t pa, void *buf, size_t size);

/*
 * Moves *@pa on to the next page, its own included, that may be in the dump; reading it tells. False if
 * there is none.
 */
bool dump_next_page(struct dump *dump, uint64_t *pa);

/* "ELF" or "kdump-compressed". */
const char *dump_format(const struct dump *dump);

/* EM_X86_64, ...: <elf.h> */
uint16_t dump_machine(const struct dump *dump);

/* False if the dump ends before what its headers promise. */
bool dump_is_complete(const struct dump *dump);

/* What it lacks then, @count errors with the first address that is missing. */
const struct error *const *dump_get_lacks(const struct dump *dump, size_t *count);

/* True of DUMP_LIVE: nothing stands still, and nothing is kept. */
bool dump_is_live(const struct dump *dump);

/* The kernel's release that the headers have besides the vmcoreinfo, or "". */
const char *dump_release(const struct dump *dump);

/* The ELF notes, as they are in the file: one NT_PRSTATUS for each CPU that answered, VMCOREINFO, ... */
const void *dump_notes(const struct dump *dump, size_t *size_ret);

/* The vmcoreinfo's text, not ended by 0; NULL if the headers have none. */
const char *dump_vmcoreinfo(const struct dump *dump, size_t *size_ret);

#endif
