/* SPDX-License-Identifier: GPL-2.0-only */
/* The files of lockdump's configuration, which all verbs share: each has its own section. */
#ifndef LOCKDUMP_CONFIGURATION_H
#define LOCKDUMP_CONFIGURATION_H

#include "base/ini.h"

/*
 * Reads lockdump.conf in @folder, then the drop-ins in lockdump.conf.d in the order of their names: what is said later
 * holds. None of them has to be there.
 */
struct error *configuration_read(const char *folder, ini_handler *handler, void *context);

#endif
