/* SPDX-License-Identifier: GPL-2.0-only */
/* What 'lockdump arm' is asked for: lockdump.conf's settings, then the options, which win. */
#ifndef LOCKDUMP_ARM_OPTIONS_H
#define LOCKDUMP_ARM_OPTIONS_H

#include <limits.h>
#include <stdbool.h>

#include "kdump/settings.h"
#include "kdump/with.h"

struct arm_options {
	struct settings settings; /* lockdump.conf's, then the options' */
	const char *store;
	const char *second_store; /* "": none */
	char kernel[PATH_MAX];
	enum with with;
	bool dry_run;
	bool estimate;
};

/* Reads both into @ret, whose pointers point into itself and @argv. -1: go on; else the exit status, and all has been said. */
int arm_options_parse(int argc, char **argv, struct arm_options *ret);

#endif
