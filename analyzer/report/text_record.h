/* SPDX-License-Identifier: GPL-2.0-only */
/* The flight record alone, as text. */
#ifndef LOCKDUMP_TEXT_RECORD_H
#define LOCKDUMP_TEXT_RECORD_H

#include <stdio.h>

#include "state/record.h"

/* What each CPU's slot says, and what happened besides samples. */
struct error *text_put_record(const struct record *record, FILE *out);

#endif
