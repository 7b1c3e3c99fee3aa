/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of lockdump's configuration, which all verbs share: each has its own section. */
#ifndef LOCKDUMP_CONFIGURATION_H
#define LOCKDUMP_CONFIGURATION_H

#include "base/ini.h"

/* lockdump.conf in it, then the drop-ins in lockdump.conf.d in the order of their names. */
#define CONFIGURATION_FOLDER "/etc/lockdump"

/* The sections that there are. */
#define SECTION_WATCH	"Watch" /* watch */
#define SECTION_CAPTURE "Capture" /* arm: how the vmcore is taken, and by whom */
#define SECTION_STORE	"Store" /* harvest: what is kept; arm: a second one */
#define SECTION_HARVEST "Harvest" /* harvest: what else it does */

/*
 * Gives @handler what stands in @section (NULL: in any of them), first of lockdump.conf in @folder, then of the drop-ins in
 * lockdump.conf.d in the order of their names: what is said later holds. None of them has to be there. Sections that no verb
 * knows are told on stderr.
 */
struct error *configuration_read(const char *folder, const char *section, ini_handler *handler,
				 void *context);

/* Later versions may know more than this one: says on stderr that @entry is ignored, and why. */
void configuration_warn(const struct ini_entry *entry, const char *why);

#endif
