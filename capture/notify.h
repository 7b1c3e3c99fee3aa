/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The service manager that started us, if it wants to know: the protocol of sd_notify(3), a datagram of
 * "KEY=VALUE" lines to the socket that the environment names. libsystemd would bring five libraries along, into
 * locked memory, and opens a socket for each message; here it is one, opened before the sentry settles down.
 */
#ifndef LOCKDUMP_NOTIFY_H
#define LOCKDUMP_NOTIFY_H

#include <stdint.h>

#include "base/error.h"

struct notify {
	int fd; /* -1: nobody wants to know */
	uint64_t watchdog_ns; /* who has not said WATCHDOG=1 for so long is ended; 0: nobody is */
};

/* An error only if there is a socket that cannot be had. Takes the environment's variables away. */
struct error *notify_init(struct notify *ret);
void notify_deinit(struct notify *notify);

/* Never waits: if the manager does not read, the message is lost. */
void notify_send(const struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
