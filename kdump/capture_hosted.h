/* SPDX-License-Identifier: GPL-2.0-only */
/* lockdump capture --with HOST: the same in the distribution's capture environment, before the host's own service does its part. */
#ifndef LOCKDUMP_CAPTURE_HOSTED_H
#define LOCKDUMP_CAPTURE_HOSTED_H

/*
 * Saves, and reboots. Returns the exit status if the host is to go on instead: there was no crash, or none that lockdump is to
 * see to (0), or the vmcore is still to be saved (1).
 */
int capture_hosted(const char *with);

#endif
