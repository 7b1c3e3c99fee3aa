/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of a watch where the kernel takes no programs (no BTF, lockdown=confidentiality): it follows what the
 * kernel's own watchdogs say. They come late, see less, and say nothing of a stall's end; there is no flight record.
 */
#ifndef LOCKDUMP_FOLLOWER_H
#define LOCKDUMP_FOLLOWER_H

#include "base/error.h"
#include "capture/shared.h"

/*
 * Of @watch there are the options, the service manager and the journal. Runs until it is told to end; @status gets the
 * verb's exit status. An error: it cannot work here. With --trigger, a line that says that the CPU has hung for as long as
 * --trigger-after crashes the machine.
 */
struct error *follower_run(const struct watch *watch, int *status);

#endif
