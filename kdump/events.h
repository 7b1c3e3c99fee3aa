/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a watch or a harvest tells others: a line on stderr, and an entry of the systemd journal with a MESSAGE_ID and
 * fields. It may wait for the journal, a second at most.
 */
#ifndef LOCKDUMP_EVENTS_H
#define LOCKDUMP_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Programs look for these; README.md has the list. Made by 'systemd-id128 new'; never to be changed. */
#define EVENT_WATCHING	     "31a9d7e99ad74b0086a86d145958e1f8"
#define EVENT_STALL	     "441df306ac1540dd8649ef9c5fe9401a"
#define EVENT_STALL_ENDED    "75172ae7ab3442cf8ab98b10a8b62413"
#define EVENT_ALARM	     "40695b6464ad40f6a988021c3c49bb47"
#define EVENT_ALARM_ENDED    "62930ffa54d14ee1b5edc9585b5eaca2"
#define EVENT_CRASHING	     "4bd612ef1c874cedb56cfb55e6814d0a"
#define EVENT_TRIGGER_FAILED "89750054271145f782f4211448421185"
#define EVENT_HARVESTED	     "6e1042f2c04a4b3fa3879044d5898c64"
#define EVENT_REMOVED	     "f7c12ac5327348fabd308ea534405816"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal {
	int fd; /* -1: there is no journal */
	const char *path;
	bool is_stderr; /* what is said on stderr comes to the journal anyway */
};

void journal_init(const char *path, struct journal *ret);
void journal_deinit(struct journal *journal);

/* An entry of the journal while it is put together: "FIELD=value" lines. */
struct event {
	char text[2048];
	size_t length;
};

/* @priority: syslog(3)'s. */
void event_init(struct event *event, const char *message_id, int priority);

/* A control character in the value becomes a '?'. A field that has no room is left out. */
void event_add(struct event *event, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Sends the entry with its message, and says "lockdump: MESSAGE" on @out (NULL: nowhere), unless that is stderr, which is the
 * journal too.
 */
void event_tell(struct event *event, const struct journal *journal, FILE *out, const char *format,
		...) __attribute__((format(printf, 4, 5)));

#endif
