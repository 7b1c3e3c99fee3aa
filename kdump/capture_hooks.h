/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lockdump capture --with kdump-utils, before and after that saves the vmcore, as the hooks of its capture environment run it
 * (scripts/dracut/). Neither reboots, and whatever becomes of them the host goes on.
 */
#ifndef LOCKDUMP_CAPTURE_HOOKS_H
#define LOCKDUMP_CAPTURE_HOOKS_H

/*
 * The incident and all but its vmcore, in the place of the host's dumps; or the report on the console, if that is no folder. Does
 * nothing the second time, and without a crash that lockdump is to see to. Returns the exit status, which is 0.
 */
int capture_begin(const char *with);

/* The rest of it. @host_status: the exit status of the host's own work. The same is returned. */
int capture_finish(const char *with, int host_status);

#endif
