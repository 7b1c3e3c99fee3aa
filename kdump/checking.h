/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether an incident's files are as its manifest says. */
#ifndef LOCKDUMP_CHECKING_H
#define LOCKDUMP_CHECKING_H

#include "kdump/manifest.h"

#define CHECKING_WORDS 160

/*
 * Whether @file is there in its size and, if its @content is to be read, with its checksum. @ret says what is wrong, or that
 * the checksum holds.
 */
bool checking_file(const struct incident *incident, const struct manifest_file *file, bool content,
		   char ret[static CHECKING_WORDS]);

#endif
