/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which incidents a verb is about, as users of coredumpctl choose: by ID or the beginning of one, -1 (the newest), -2 and
 * so on, --since, --until and --signature. The latter three say among which the others choose.
 */
#ifndef LOCKDUMP_SELECTION_H
#define LOCKDUMP_SELECTION_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "kdump/incidents.h"
#include "kdump/strings.h"

struct selection {
	char store[PATH_MAX];
	struct strings words; /* IDs, "-1" */
	bool has_since, has_until;
	int64_t since_s, until_s;
	const char *signature; /* or a pattern, as of files; NULL: any */
};

/* An option without a value that one verb alone has. */
struct selection_option {
	const char *name;
	bool *set;
};

/* What all of these verbs' --help says of it. */
#define SELECTION_HELP                                                                           \
	"  ID            an incident's id, or so much of its beginning that there is one\n"      \
	"  -1, -2, ...   the newest, the one before it, ...\n"                                   \
	"      --since TIME, --until TIME\n"                                                     \
	"                only those of that time: '2026-01-31 14:00', today, -2h, ...\n"         \
	"      --signature PATTERN\n"                                                            \
	"                only those with that signature: hung-task-12345678, hung-task-*\n"      \
	"      --store DIR\n"                                                                    \
	"                where the incidents are (default: Store= of lockdump.conf's [Watch],\n" \
	"                or " STORE_DEFAULT ")\n"

/*
 * Reads the command line, with the verb's @own options, which end with a NULL name. Below 0: go on; else the exit status,
 * and @help was printed or wrong usage told. selection_deinit() is for both.
 */
int selection_parse(int argc, char **argv, const struct selection_option *own, const char *help,
		    struct selection *ret);
void selection_deinit(struct selection *selection);

/* Whether anything was chosen, be it by the time. */
bool selection_is_empty(const struct selection *selection);

/* Pointers into @from, oldest first, each once. */
struct chosen {
	VECTOR(const struct incident_summary *) list;
};

/* A word for which there is no incident, or more than one, is an error. */
struct error *selection_choose(const struct selection *selection, const struct incidents *from,
			       struct chosen *ret);
void chosen_deinit(struct chosen *chosen);

#endif
