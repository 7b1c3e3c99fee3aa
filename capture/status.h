/* SPDX-License-Identifier: GPL-2.0-only */
/* What 'status' tells: whether this rig is armed. */
#ifndef LOCKDUMP_STATUS_H
#define LOCKDUMP_STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "capture/links.h"
#include "capture/watch_seen.h"
#include "kdump/drill.h"
#include "kdump/incidents.h"

/* Its exit statuses, too. */
enum rig_state {
	RIG_ARMED = 0,
	RIG_DEGRADED = 3,
	RIG_NOT_ARMED = 4,
};

struct status {
	struct links links;
	struct watch_seen watch;
	struct drill drill; /* the last one */
	struct incidents incidents; /* in the store that is armed for */
};

/* Looks at all of it. @root is "" but in tests. */
void status_look(const char *root, bool is_root, struct status *ret);
void status_deinit(struct status *status);

/* NULL: there is none, or it is not known. */
const struct incident_summary *status_last_incident(const struct status *status);

enum rig_state status_rig(const struct status *status);

struct error *status_print_text(const struct status *status, bool colour, FILE *out);

/* lockdump.status/1 */
struct error *status_print_json(const struct status *status, FILE *out);

#endif
