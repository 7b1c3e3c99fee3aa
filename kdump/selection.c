// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/selection.h"

#include <ctype.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time_syntax.h"
#include "base/usage.h"
#include "kdump/settings.h"

#define MAX_OWN 8

enum { OPTION_STORE = 256, OPTION_SINCE, OPTION_UNTIL, OPTION_SIGNATURE, OPTION_HELP, OPTION_OWN };

/* "-1"; false if it is anything else. */
static bool is_number(const char *word)
{
	size_t digits = *word == '-' ? strspn(word + 1, "0123456789") : 0;

	return digits && digits < 9 && !word[1 + digits] && word[1] != '0';
}

/* Below 0: go on. */
static int take_time(const char *verb, const char *option, bool *has, int64_t *ret)
{
	struct error *err = time_parse(optarg, time(NULL), ret);

	if (!err) {
		*has = true;
		return -1;
	}
	int status = usage_error(verb, "%s: %s", option, err->message);
	error_destroy(err);
	return status;
}

/* Below 0: go on. */
static int take_word(struct selection *selection, const char *word)
{
	struct error *err = strings_add(&selection->words, "%s", word);

	return err ? error_report(err) : -1;
}

/* Where incidents are if nobody says so. Below 0: go on. */
static int take_default_store(struct selection *selection)
{
	struct settings settings;
	struct error *err = settings_read(CONFIGURATION_FOLDER, &settings);

	if (err)
		return error_report(err);
	memcpy(selection->store, settings.store, sizeof(selection->store));
	return -1;
}

/* One of getopt's answers. Below 0: go on. */
static int take(int c, char **argv, const char *word, const struct selection_option *own,
		const char *help, struct selection *ret)
{
	switch (c) {
	case 1:
		return take_word(ret, optarg);
	case OPTION_STORE:
		if (strlen(optarg) >= sizeof(ret->store) || !*optarg)
			return usage_error(argv[0], "--store: no folder has such a name");
		strcpy(ret->store, optarg);
		return -1;
	case OPTION_SINCE:
		return take_time(argv[0], "--since", &ret->has_since, &ret->since_s);
	case OPTION_UNTIL:
		return take_time(argv[0], "--until", &ret->has_until, &ret->until_s);
	case OPTION_SIGNATURE:
		ret->signature = optarg;
		return -1;
	case OPTION_HELP:
		fputs(help, stdout);
		return 0;
	case '?':
	case ':':
		return usage_bad_option(argv, c);
	}
	if (c >= OPTION_OWN) {
		*own[c - OPTION_OWN].set = true;
		return -1;
	}
	if (!is_number(word))
		return usage_error(argv[0], "unknown option '%s'", word);
	return take_word(ret, word);
}

static void list_options(const struct selection_option *own, struct option ret[])
{
	static const struct option common[] = {
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "since", required_argument, NULL, OPTION_SINCE },
		{ "until", required_argument, NULL, OPTION_UNTIL },
		{ "signature", required_argument, NULL, OPTION_SIGNATURE },
		{ "help", no_argument, NULL, OPTION_HELP },
	};
	size_t count = sizeof(common) / sizeof(common[0]);

	memcpy(ret, common, sizeof(common));
	for (int i = 0; i < MAX_OWN && own[i].name; i++)
		ret[count++] = (struct option){ own[i].name, no_argument, NULL, OPTION_OWN + i };
	ret[count] = (struct option){};
}

int selection_parse(int argc, char **argv, const struct selection_option *own, const char *help,
		    struct selection *ret)
{
	struct option options[5 + MAX_OWN + 1];
	int status = -1;

	*ret = (struct selection){};
	list_options(own, options);
	opterr = optind = 0;
	for (int last = 0; status < 0;) {
		int at = optind ? optind : 1;
		/* '-': what is no option comes in its place, so that @at is its word. Each digit comes alone. */
		int c = getopt_long(argc, argv, "-:0123456789", options, NULL);
		if (c < 0)
			break;
		if (c < 256 && isdigit(c) && at == last)
			continue;
		last = at;
		status = take(c, argv, at < argc ? argv[at] : "", own, help, ret);
	}
	while (status < 0 && optind < argc)
		status = take_word(ret, argv[optind++]);
	if (status < 0 && !*ret->store)
		status = take_default_store(ret);
	return status;
}

void selection_deinit(struct selection *selection)
{
	strings_deinit(&selection->words);
}

bool selection_is_empty(const struct selection *selection)
{
	return !selection->words.count && !selection->has_since && !selection->has_until &&
	       !selection->signature;
}

static bool is_among(const struct selection *selection, const struct incident_summary *one)
{
	if (selection->has_since && one->onset_s < selection->since_s)
		return false;
	if (selection->has_until && one->onset_s > selection->until_s)
		return false;
	return !selection->signature ||
	       (one->signature && !fnmatch(selection->signature, one->signature, 0));
}

static struct error *add(struct chosen *chosen, const struct incident_summary *one)
{
	const struct incident_summary **place = vector_push(&chosen->list);

	if (!place)
		return &error_no_memory;
	*place = one;
	return NULL;
}

static struct error *choose_number(const struct chosen *among, const char *word, size_t *ret)
{
	size_t number = strtoul(word + 1, NULL, 10);

	if (number > among->list.count)
		return error_create(ERROR_NOT_FOUND, "%s: there are %zu incidents", word,
				    among->list.count);
	*ret = among->list.count - number;
	return NULL;
}

/* By the whole of its ID, or by a beginning that no other has. */
static struct error *choose_id(const struct chosen *among, const char *word, size_t *ret)
{
	size_t matches = 0, length = strlen(word);

	for (size_t i = 0; i < among->list.count; i++) {
		const char *id = among->list.data[i]->id;
		if (strncmp(id, word, length))
			continue;
		matches++;
		*ret = i;
		if (!strcmp(id, word))
			return NULL;
	}
	if (matches == 1 && length)
		return NULL;
	return error_create(ERROR_NOT_FOUND,
			    matches ? "%s: that begins the ids of %zu incidents"
				    : "%s: there is no such incident",
			    word, matches);
}

/* Marks those that the words choose. */
static struct error *choose_words(const struct selection *selection, const struct chosen *among,
				  bool *marks)
{
	struct error *err = NULL;

	for (size_t i = 0; !err && i < selection->words.count; i++) {
		const char *word = selection->words.items[i];
		size_t index = 0;
		err = is_number(word) ? choose_number(among, word, &index)
				      : choose_id(among, word, &index);
		if (!err)
			marks[index] = true;
	}
	return err;
}

static struct error *choose_among(const struct selection *selection, const struct incidents *from,
				  struct chosen *ret)
{
	struct error *err = NULL;

	*ret = (struct chosen){};
	for (size_t i = 0; !err && i < from->list.count; i++)
		if (is_among(selection, &from->list.data[i]))
			err = add(ret, &from->list.data[i]);
	return err;
}

struct error *selection_choose(const struct selection *selection, const struct incidents *from,
			       struct chosen *ret)
{
	struct chosen among;
	struct error *err = choose_among(selection, from, &among);

	*ret = (struct chosen){};
	if (err || !selection->words.count) {
		*ret = among;
		return err;
	}
	bool *marks = calloc(among.list.count + 1, sizeof(*marks));
	err = marks ? choose_words(selection, &among, marks) : &error_no_memory;
	for (size_t i = 0; !err && i < among.list.count; i++)
		if (marks[i])
			err = add(ret, among.list.data[i]);
	free(marks);
	chosen_deinit(&among);
	return err;
}

void chosen_deinit(struct chosen *chosen)
{
	vector_deinit(&chosen->list);
	*chosen = (struct chosen){};
}
