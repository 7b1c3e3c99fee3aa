/* SPDX-License-Identifier: GPL-2.0-only */
/* The vmcoreinfo of a dump whose headers have none. */
#ifndef LOCKDUMP_FIND_VMCOREINFO_H
#define LOCKDUMP_FIND_VMCOREINFO_H

#include "dump/memory.h"

/*
 * Looks for it in the dumped memory, of which that takes the first bytes of
 * each page: minutes on a huge dump. *@ret, *@pa_ret: the text, which the
 * caller frees, and where it was. ERROR_NOT_FOUND if there is none that fits.
 */
struct error *vmcoreinfo_find(struct dump *dump, char **ret, size_t *size_ret, uint64_t *pa_ret);

#endif
