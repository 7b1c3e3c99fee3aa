// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/proof.h"

#include <stdbool.h>

struct error *proof_compare(const struct report_content *saved, const struct report_content *whole)
{
	const struct {
		const char *name;
		size_t saved, whole;
		bool same;
	} parts[] = {
		{ "frames of stacks", saved->frames, whole->frames,
		  saved->stacks_hash == whole->stacks_hash },
		{ "modules", saved->modules, whole->modules,
		  saved->modules_hash == whole->modules_hash },
		{ "lines of the log", saved->log_lines, whole->log_lines,
		  saved->log_hash == whole->log_hash },
	};

	if (saved->tasks != whole->tasks || saved->tasks_with_stack != whole->tasks_with_stack)
		return error_create(ERROR_EXCLUDED,
				    "the vmcore has %zu tasks, %zu with a stack; "
				    "/proc/vmcore had %zu, %zu",
				    saved->tasks, saved->tasks_with_stack, whole->tasks,
				    whole->tasks_with_stack);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].saved != parts[i].whole || !parts[i].same)
			return error_create(
				ERROR_EXCLUDED, "the vmcore has %zu %s; /proc/vmcore had %zu%s",
				parts[i].saved, parts[i].name, parts[i].whole,
				parts[i].saved == parts[i].whole ? ", but not those" : "");
	return NULL;
}
