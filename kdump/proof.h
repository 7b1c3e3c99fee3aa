/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LOCKDUMP_PROOF_H
#define LOCKDUMP_PROOF_H

#include "base/error.h"
#include "report/content.h"

/* NULL if a vmcore that was @saved has it all as @whole, that of /proc/vmcore; else what it has not. */
struct error *proof_compare(const struct report_content *saved, const struct report_content *whole);

#endif
