// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/wording.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MAX_TIME_S 253402300799 /* the end of 9999 */

void word_size(uint64_t bytes, char ret[static SIZE_WORDS])
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double number = bytes;
	int unit = -1;

	while (number >= 999.95 && unit < 5) {
		number /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(ret, SIZE_WORDS, "%u B", (unsigned int)bytes);
	else
		snprintf(ret, SIZE_WORDS, "%.1f %s", number, units[unit]);
}

void word_time(int64_t s, char ret[static TIME_WORDS])
{
	time_t time = s;
	struct tm tm;

	if (s < 0 || s > MAX_TIME_S || !localtime_r(&time, &tm) ||
	    !strftime(ret, TIME_WORDS, "%a %Y-%m-%d %H:%M:%S %Z", &tm))
		strcpy(ret, "?");
}

void word_span(double s, char ret[static TIME_WORDS])
{
	if (s < 10)
		snprintf(ret, TIME_WORDS, "%.2f s", s);
	else if (s < 120)
		snprintf(ret, TIME_WORDS, "%.0f s", s);
	else if (s < 120 * 60)
		snprintf(ret, TIME_WORDS, "%.0f min", s / 60);
	else if (s < 48 * 3600)
		snprintf(ret, TIME_WORDS, "%.0f h", s / 3600);
	else
		snprintf(ret, TIME_WORDS, "%.0f days", s / 86400);
}
