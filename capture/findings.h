/* SPDX-License-Identifier: GPL-2.0-only */
/* What 'doctor', 'status' and 'test' have found: a table, and its forms. */
#ifndef LOCKDUMP_FINDINGS_H
#define LOCKDUMP_FINDINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "base/vector.h"

enum finding_state {
	FINDING_OK,
	FINDING_DEGRADED, /* it works, less well */
	FINDING_MISSING,
	FINDING_UNKNOWN, /* it could not be looked at */
	NR_FINDING_STATES
};

struct finding {
	const char *group;
	const char *name;
	enum finding_state state;
	/* Owned; NULL: there is nothing to say. */
	char *variant; /* which of several ways is used, or a value */
	char *lost; /* what does not work for it */
	char *why;
	char *remedy;
};

struct findings {
	VECTOR(struct finding) list;
	const char *group; /* of those that are added next */
	bool out_of_memory; /* some could not be added */
};

/* Adds one; @format makes its variant, and may be NULL. */
void findings_add(struct findings *findings, const char *name, enum finding_state state,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the last one that was added is short of. All are copied; each may be NULL. */
void findings_explain(struct findings *findings, const char *lost, const char *why,
		      const char *remedy);

/* The same of an error, "WHY; REMEDY", which it frees. */
void findings_blame(struct findings *findings, const char *lost, struct error *err);

void findings_deinit(struct findings *findings);

struct error *findings_print_text(const struct findings *findings, bool colour, FILE *out);

/* Each on a line of its own: its state, name, and what there is to say of it. */
struct error *findings_print_lines(const struct findings *findings, bool colour, FILE *out);

/* How many have that state. */
size_t findings_count(const struct findings *findings, enum finding_state state);

/* As an array. */
struct json_object *findings_to_json(const struct findings *findings);

/* lockdump.doctor/1 */
struct error *findings_print_json(const struct findings *findings, FILE *out);

#endif
