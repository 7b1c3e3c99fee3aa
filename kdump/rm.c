// SPDX-License-Identifier: GPL-2.0-only
/* lockdump rm: incidents are removed from the store. */
#include <stdio.h>

#include "base/usage.h"
#include "kdump/removal.h"
#include "kdump/selection.h"
#include "kdump/wording.h"
#include "lockdump.h"

static const char help[] =
	"Usage: lockdump rm [OPTION...] ID|-1|-2...\n"
	"Removes incidents from the store, but none that 'lockdump info --keep' has "
	"marked, and none that is being written.\n"
	"\n" SELECTION_HELP "      --help    print this\n";

/* All that can be removed is; false if anything could not. */
static bool remove_all(const char *store, const struct chosen *chosen)
{
	bool all = true;

	for (size_t i = 0; i < chosen->list.count; i++) {
		const struct incident_summary *one = chosen->list.data[i];
		char size[SIZE_WORDS];
		struct error *err = removal_remove(store, one);
		if (err) {
			error_report(err);
			all = false;
			continue;
		}
		word_size(one->size, size);
		printf("%s: removed, %s\n", one->id, size);
	}
	return all;
}

static int rm(const struct selection *selection)
{
	struct incidents incidents;
	struct chosen chosen = {};
	struct error *err = incidents_read(selection->store, &incidents);

	if (err)
		return error_report(err);
	err = selection_choose(selection, &incidents, &chosen);
	if (!err && !chosen.list.count)
		err = error_create(ERROR_NOT_FOUND, "store %s: no incidents of these",
				   selection->store);
	int status = err ? error_report(err) : !remove_all(selection->store, &chosen);
	if (!status)
		removal_finish(selection->store);
	chosen_deinit(&chosen);
	incidents_deinit(&incidents);
	return status;
}

int cmd_rm(int argc, char **argv)
{
	struct selection selection;
	const struct selection_option own[] = { { NULL, NULL } };
	int status = selection_parse(argc, argv, own, help, &selection);

	if (status < 0)
		status = selection_is_empty(&selection)
				 ? usage_error(argv[0], "which incidents? Name an id, or -1")
				 : rm(&selection);
	selection_deinit(&selection);
	return status;
}
