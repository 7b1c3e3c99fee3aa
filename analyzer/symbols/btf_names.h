/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that were in pages of BTF's strings that are missing: those that matter most, put back. */
#ifndef LOCKDUMP_BTF_NAMES_H
#define LOCKDUMP_BTF_NAMES_H

#include "symbols/types.h"

/* For BTF that was mended: where no more than one place can have had a name, it gets it. */
struct error *btf_names_restore(struct types *types);

#endif
