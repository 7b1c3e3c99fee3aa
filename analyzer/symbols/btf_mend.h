/* SPDX-License-Identifier: GPL-2.0-only */
/* BTF of which pages are missing, made readable again. */
#ifndef LOCKDUMP_BTF_MEND_H
#define LOCKDUMP_BTF_MEND_H

#include "dump/memory.h"

/*
 * Fills the @holes of @data, a BTF blob, so that types_parse() reads it, and each type that is whole has its
 * own number. Where that cannot be told the types end before the hole.
 */
struct error *btf_mend(void *data, size_t size, const struct holes *holes);

#endif
