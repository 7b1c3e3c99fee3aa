/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug information: where it is looked for, and that it is the right one. */
#ifndef LOCKDUMP_DEBUGINFO_H
#define LOCKDUMP_DEBUGINFO_H

#include "symbols/debuginfod.h"
#include "symbols/dwarf.h"

struct debuginfo_source {
	const char *vmlinux; /* a file, or NULL */
	/*
	 * Folders, separated by ':', as gdb's debug-file-directory has them, or NULL. In each are looked for, of a
	 * kernel release R: .build-id/xx/yyyy.debug, boot/vmlinux-R, vmlinux-R, lib/modules/R/vmlinux, vmlinux;
	 * and of a module besides NAME.ko, NAME.ko.debug, and the same anywhere below lib/modules/R.
	 */
	const char *debug_dir;
	/* To be asked for what is not found otherwise, or NULL. */
	const struct debuginfod *debuginfod;
};

struct debuginfo;

/*
 * Looks for the debug information of the kernel. Files that cannot be used are no error, but one of the errors that
 * debuginfo_next_error() gives. *@ret is NULL if @source names nothing.
 */
struct error *debuginfo_create(const struct debuginfo_source *source, struct symbols *symbols,
			       const struct vmcoreinfo *info, uint16_t machine,
			       struct debuginfo **ret);
void debuginfo_destroy(struct debuginfo *debuginfo);

/* The vmlinux that is used, or NULL. */
const char *debuginfo_vmlinux(const struct debuginfo *debuginfo);

/* The file for the code at @address of the dump, looked for when first asked for; or NULL. @debuginfo may be NULL. */
struct debug_file *debuginfo_file(struct debuginfo *debuginfo, uint64_t address);

/* Where the code at @address of the dump is in the source; NULL: not known. */
const struct source_places *debuginfo_places(struct debuginfo *debuginfo, uint64_t address);

/* Why a file was not used: the caller owns it. NULL when there are no more. */
struct error *debuginfo_next_error(struct debuginfo *debuginfo);

#endif
