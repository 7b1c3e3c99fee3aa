// SPDX-License-Identifier: GPL-2.0-only
#include "capture/verifier.h"

#include <string.h>

const char *verifier_reason(char *log)
{
	char *reason = NULL, *rest;

	for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "processed ", 10))
			reason = line;
	return reason;
}
