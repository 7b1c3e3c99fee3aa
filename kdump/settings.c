// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time_syntax.h"
#include "kdump/makedumpfile.h"
#include "kdump/store.h"

#define MAX_INCIDENTS	1000000
#define MAX_HOOK_TIME_S 86400.0

static const struct settings defaults = {
	.store = STORE_DEFAULT,
	.dump_level = -1,
	/* As systemd-coredump: a rig that nobody looks at for a year has room for the next dump. */
	.keep = { .free = { .share = 0.15, .bytes = 4ull << 30 } },
	.hook_timeout_s = 60,
	.debug_dir = "/usr/lib/debug",
};

/* The parsers: each sets *@ret, which has room for @size bytes. */

static struct error *parse_count(const char *text, void *ret, size_t size)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	(void)size;
	if (!isdigit((unsigned char)*text) || *end || count > MAX_INCIDENTS)
		return error_create(ERROR_OTHER, "no number from 0 to %d", MAX_INCIDENTS);
	*(unsigned int *)ret = count;
	return NULL;
}

/* "10G", "15%": units of 1024, as systemd has them. */
static struct error *parse_amount(const char *text, void *ret, size_t size)
{
	static const char units[] = "BKMGTPE";
	struct amount *amount = ret;
	char *end;
	double number = strtod(text, &end);

	(void)size;
	if (!isdigit((unsigned char)*text))
		number = -1;
	if (!strcmp(end, "%") && number >= 0 && number <= 100) {
		*amount = (struct amount){ .share = number / 100 };
		return NULL;
	}
	const char *unit = *end ? strchr(units, *end) : units;
	for (long i = unit ? unit - units : 0; i > 0; i--)
		number *= 1024;
	if (!unit || (*end && end[1]) || !(number >= 0 && number < 1e19))
		return error_create(ERROR_OTHER, "no size, as 500M or 10G, and no share, as 15%%");
	*amount = (struct amount){ .bytes = number };
	return NULL;
}

static struct error *parse_span(const char *text, void *ret, size_t size)
{
	(void)size;
	return time_parse_span(text, ret);
}

static struct error *parse_time_limit(const char *text, void *ret, size_t size)
{
	double span;
	struct error *err = time_parse_span(text, &span);

	(void)size;
	if (!err && (span < 1 || span > MAX_HOOK_TIME_S))
		err = error_create(ERROR_OTHER, "must be from 1 s to %g s", MAX_HOOK_TIME_S);
	if (!err)
		*(double *)ret = span;
	return err;
}

static struct error *parse_text(const char *text, void *ret, size_t size)
{
	if (strlen(text) >= size)
		return error_create(ERROR_OTHER, "too long");
	strcpy(ret, text);
	return NULL;
}

static struct error *parse_path(const char *text, void *ret, size_t size)
{
	return *text == '/' ? parse_text(text, ret, size)
			    : error_create(ERROR_OTHER, "no absolute path");
}

/* What sendmail's To: takes; nothing else can be put into the mail's head by it. */
static struct error *parse_address(const char *text, void *ret, size_t size)
{
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c) && *c != ' ')
			return error_create(ERROR_OTHER, "no mail address");
	return *text == '-' ? error_create(ERROR_OTHER, "no mail address")
			    : parse_text(text, ret, size);
}

struct error *settings_parse_recipients(const char *text, char ret[static PATH_MAX])
{
	return *text ? parse_text(text, ret, PATH_MAX)
		     : error_create(ERROR_OTHER, "name a file of public keys");
}

struct error *settings_parse_level(const char *text, int *ret)
{
	char *end;
	unsigned long level = strtoul(text, &end, 10);

	if (!strcmp(text, "auto")) {
		*ret = -1;
		return NULL;
	}
	if (!isdigit((unsigned char)*text) || *end || level > MAKEDUMPFILE_MAX_LEVEL)
		return error_create(ERROR_OTHER, "no level from 0 to %u, and not auto",
				    MAKEDUMPFILE_MAX_LEVEL);
	*ret = level;
	return NULL;
}

struct error *settings_parse_compression(const char *text, char ret[static 16])
{
	*ret = '\0';
	if (!strcmp(text, "auto"))
		return NULL;
	if (!makedumpfile_knows(text))
		return error_create(ERROR_OTHER, "none of lzo, snappy, zstd, zlib and auto");
	strcpy(ret, text);
	return NULL;
}

static struct error *parse_level(const char *text, void *ret, size_t size)
{
	(void)size;
	return settings_parse_level(text, ret);
}

static struct error *parse_compression(const char *text, void *ret, size_t size)
{
	(void)size;
	return settings_parse_compression(text, ret);
}

static struct error *parse_with(const char *text, void *ret, size_t size)
{
	(void)size;
	if (!with_find(text, ret))
		return error_create(ERROR_OTHER, "none of " WITH_NAMES);
	return NULL;
}

#define MEMBER(m) offsetof(struct settings, m), sizeof(((struct settings *)0)->m)

static const struct setting {
	const char *section;
	const char *key;
	struct error *(*parse)(const char *text, void *ret, size_t size);
	size_t offset, size;
} table[] = {
	{ SECTION_WATCH, "Store", parse_text, MEMBER(store) },
	{ SECTION_CAPTURE, "With", parse_with, MEMBER(with) },
	{ SECTION_CAPTURE, "EncryptTo", parse_path, MEMBER(encrypt_to) },
	{ SECTION_CAPTURE, "DumpLevel", parse_level, MEMBER(dump_level) },
	{ SECTION_CAPTURE, "Compression", parse_compression, MEMBER(compression) },
	{ SECTION_STORE, "Second", parse_text, MEMBER(second_store) },
	{ SECTION_STORE, "KeepIncidents", parse_count, MEMBER(keep.incidents) },
	{ SECTION_STORE, "KeepSize", parse_amount, MEMBER(keep.size) },
	{ SECTION_STORE, "KeepAge", parse_span, MEMBER(keep.age_s) },
	{ SECTION_STORE, "KeepFree", parse_amount, MEMBER(keep.free) },
	{ SECTION_HARVEST, "MailTo", parse_address, MEMBER(mail_to) },
	{ SECTION_HARVEST, "HookTimeoutSec", parse_time_limit, MEMBER(hook_timeout_s) },
	{ SECTION_HARVEST, "DebugDir", parse_text, MEMBER(debug_dir) },
};

static const struct setting *find(const struct ini_entry *entry)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].section, entry->section) && !strcmp(table[i].key, entry->key))
			return &table[i];
	return NULL;
}

static struct error *set(const struct ini_entry *entry, void *context)
{
	const struct setting *setting = find(entry);

	if (!setting) {
		/* Those of watch are its own. */
		if (strcmp(entry->section, SECTION_WATCH))
			configuration_warn(entry, "no such key");
		return NULL;
	}
	char *place = (char *)context + setting->offset;
	/* An empty value brings the default back. */
	memcpy(place, (const char *)&defaults + setting->offset, setting->size);
	if (!*entry->value)
		return NULL;
	return error_prefix(setting->parse(entry->value, place, setting->size), "%s=%s", entry->key,
			    entry->value);
}

struct error *settings_read(const char *folder, struct settings *ret)
{
	*ret = defaults;
	return configuration_read(folder, NULL, set, ret);
}
