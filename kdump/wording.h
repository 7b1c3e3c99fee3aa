/* SPDX-License-Identifier: GPL-2.0-only */
/* How sizes and times are said to people. */
#ifndef LOCKDUMP_WORDING_H
#define LOCKDUMP_WORDING_H

#include <stdint.h>

#define SIZE_WORDS 16
#define TIME_WORDS 64

/* "512 B", "30.2 kB", "33.7 MB" */
void word_size(uint64_t bytes, char ret[static SIZE_WORDS]);

/* "Mon 2026-11-23 14:17:52 UTC", in local time; "?" for what is no date. */
void word_time(int64_t s, char ret[static TIME_WORDS]);

/* "0.28 s", "12 min", "3 h", "5 days" */
void word_span(double s, char ret[static TIME_WORDS]);

#endif
