// SPDX-License-Identifier: GPL-2.0-only
#include "base/time_syntax.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_SPAN_S 1e12
#define TEXT_SIZE  128

static const struct {
	const char *name;
	double seconds;
} units[] = {
	{ "usec", 1e-6 },   { "us", 1e-6 },	   { "msec", 1e-3 },	  { "ms", 1e-3 },
	{ "seconds", 1 },   { "second", 1 },	   { "sec", 1 },	  { "s", 1 },
	{ "minutes", 60 },  { "minute", 60 },	   { "min", 60 },	  { "m", 60 },
	{ "hours", 3600 },  { "hour", 3600 },	   { "hr", 3600 },	  { "h", 3600 },
	{ "days", 86400 },  { "day", 86400 },	   { "d", 86400 },	  { "weeks", 604800 },
	{ "week", 604800 }, { "w", 604800 },	   { "months", 2629800 }, { "month", 2629800 },
	{ "M", 2629800 },   { "years", 31557600 }, { "year", 31557600 },  { "y", 31557600 },
};

static const char *skip_blanks(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

/* The unit that the word at @s is; 0: it is none. */
static double unit_of(const char *s, size_t length)
{
	if (!length)
		return 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == length && !memcmp(units[i].name, s, length))
			return units[i].seconds;
	return 0;
}

/* "2h 30min"; false if that is not all of it. */
static bool parse_span(const char *s, double *ret)
{
	*ret = 0;
	s = skip_blanks(s);
	if (!*s)
		return false;
	while (*s) {
		char *end;
		if (!isdigit((unsigned char)*s))
			return false;
		double number = strtod(s, &end);
		const char *unit = skip_blanks(end);
		size_t length = 0;
		while (isalpha((unsigned char)unit[length]))
			length++;
		double seconds = unit_of(unit, length);
		if (!seconds)
			return false;
		*ret += number * seconds;
		s = skip_blanks(unit + length);
	}
	return *ret < MAX_SPAN_S;
}

struct error *time_parse_span(const char *text, double *ret)
{
	return parse_span(text, ret)
		       ? NULL
		       : error_create(ERROR_OTHER, "'%s' is no span of time, as 30s or 2h 30min",
				      text);
}

/* @s without @suffix; false if it does not end so. */
static bool cut_suffix(char *s, const char *suffix)
{
	size_t length = strlen(s), wanted = strlen(suffix);

	if (length <= wanted || strcmp(s + length - wanted, suffix))
		return false;
	s[length - wanted] = '\0';
	return true;
}

/* 0:00 of the day that is @days after that of @now_s. */
static int64_t midnight(int64_t now_s, int days)
{
	time_t now = now_s;
	struct tm tm;

	localtime_r(&now, &tm);
	tm.tm_mday += days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static bool parse_word(const char *s, int64_t now_s, int64_t *ret)
{
	static const struct {
		const char *word;
		int days;
	} words[] = { { "today", 0 }, { "yesterday", -1 }, { "tomorrow", 1 } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(s, words[i].word)) {
			*ret = midnight(now_s, words[i].days);
			return true;
		}
	}
	*ret = now_s;
	return !strcmp(s, "now");
}

/* "-2h", "+2h", "2h ago"; @s is changed. */
static bool parse_relative(char *s, int64_t now_s, int64_t *ret)
{
	bool ago = cut_suffix(s, " ago");
	double span;

	if (!ago && *s != '-' && *s != '+')
		return false;
	if (!parse_span(ago ? s : s + 1, &span))
		return false;
	*ret = now_s + (int64_t)(ago || *s == '-' ? -span : span);
	return true;
}

/* A date, a time, or both. What it does not say stays. */
static bool parse_fields(const char *s, struct tm *tm)
{
	static const char *const formats[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
		"%Y-%m-%d",	     "%H:%M:%S",	  "%H:%M"
	};
	const struct tm before = *tm;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		*tm = before;
		tm->tm_hour = tm->tm_min = tm->tm_sec = 0;
		const char *end = strptime(s, formats[i], tm);
		if (end && !*end)
			return true;
	}
	return false;
}

/* @s is changed. */
static bool parse_absolute(char *s, int64_t now_s, int64_t *ret)
{
	bool utc = cut_suffix(s, " UTC") || cut_suffix(s, "Z");
	time_t now = now_s;
	struct tm tm;

	if (utc)
		gmtime_r(&now, &tm);
	else
		localtime_r(&now, &tm);
	if (!parse_fields(s, &tm))
		return false;
	tm.tm_isdst = -1;
	const struct tm said = tm;
	*ret = utc ? timegm(&tm) : mktime(&tm);
	/* There is no February 31. */
	return tm.tm_mday == said.tm_mday && tm.tm_mon == said.tm_mon;
}

static bool parse_epoch(const char *s, int64_t *ret)
{
	char *end;

	if (*s != '@' || !isdigit((unsigned char)s[1]))
		return false;
	double seconds = strtod(s + 1, &end);
	if (*end || seconds >= MAX_SPAN_S)
		return false;
	*ret = (int64_t)seconds;
	return true;
}

struct error *time_parse(const char *text, int64_t now_s, int64_t *ret)
{
	char copy[TEXT_SIZE];

	if (strlen(text) < sizeof(copy)) {
		if (parse_word(text, now_s, ret) || parse_epoch(text, ret))
			return NULL;
		strcpy(copy, text);
		if (parse_relative(copy, now_s, ret))
			return NULL;
		strcpy(copy, text);
		if (parse_absolute(copy, now_s, ret))
			return NULL;
	}
	return error_create(ERROR_OTHER,
			    "'%s' is no time, as 2026-01-31, '2026-01-31 14:00', yesterday or -2h",
			    text);
}
