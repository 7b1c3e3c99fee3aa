/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times and spans as users of systemd write them (systemd.time(7)):
 *
 *   2026-11-23 14:00:05, 2026-11-23 14:00, 2026-11-23T14:00:05Z, 2026-11-23, 14:00	local time unless UTC or Z follows
 *   now, today, yesterday, tomorrow							the latter three: 0:00 of that day
 *   -2h, +90s, 2h 30min ago, @1767225600
 *
 * A span is numbers with units, which add up; without a unit they are seconds.
 */
#ifndef LOCKDUMP_TIME_SYNTAX_H
#define LOCKDUMP_TIME_SYNTAX_H

#include <stdint.h>

#include "base/error.h"

/* Seconds since 1970 of @text, said at @now_s. */
struct error *time_parse(const char *text, int64_t now_s, int64_t *ret);

/* Seconds of the span @text. */
struct error *time_parse_span(const char *text, double *ret);

#endif
