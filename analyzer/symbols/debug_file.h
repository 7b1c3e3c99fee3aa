/* SPDX-License-Identifier: GPL-2.0-only */
/* A file with debug information: vmlinux, a module, or what was split off them. */
#ifndef LOCKDUMP_DEBUG_FILE_H
#define LOCKDUMP_DEBUG_FILE_H

#include <elfutils/libdw.h>

#include "base/arena.h"
#include "base/vector.h"
#include "symbols/build_id.h"

/* The code of a unit, as .debug_aranges or the unit itself has it. Addresses are the file's. */
struct unit_range {
	uint64_t start, end;
	Dwarf_Off unit; /* offset of its DIE */
};

struct dwarf_unit;
struct source_places;

#define PLACES_BUCKETS 1024

struct debug_file {
	char *path;
	char *map; /* the file, private: relocations change it */
	size_t size;
	Elf *elf;
	Dwarf *dwarf; /* NULL before debug_file_load() */
	uint64_t bias; /* an address in the dump less that in the file */

	/* Units by address: those of .debug_aranges, and after the first miss all others too. */
	VECTOR(struct unit_range) ranges;
	bool has_all_units;
	VECTOR(struct dwarf_unit *) units; /* that were looked into */
	struct source_places *places[PLACES_BUCKETS]; /* that were looked up */
	struct arena arena; /* holds them, and paths */

	Dwarf_CFI *cfi[2]; /* .debug_frame and .eh_frame, once they are looked at */
	bool has_cfi;
};

/*
 * Maps @path, which must be an ELF file of @machine with debug information: else ERROR_NOT_FOUND. @fd is the file if
 * it is open already, else -1; the caller closes it.
 */
struct error *debug_file_open(const char *path, int fd, uint16_t machine, struct debug_file **ret);
void debug_file_close(struct debug_file *file);

/* Unknown if it has none. */
void debug_file_build_id(const struct debug_file *file, struct build_id *ret);

/* Whether it is an object that was not linked: a module. */
bool debug_file_is_relocatable(const struct debug_file *file);

/* The address of the section @name of @elf's file; 0 if there is none. */
uint64_t debug_file_section(const struct debug_file *file, const char *name);

/*
 * Gives the debug information of a module the addresses that its sections have in the dump, found by its symbols
 * there: @module's must have been read.
 */
struct error *debug_file_relocate(struct debug_file *file, const struct module *module);

/* Makes the DWARF ready. */
struct error *debug_file_load(struct debug_file *file);

#endif
