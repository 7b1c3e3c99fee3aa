/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is told of an incident after the reboot: the journal, the scripts in harvest.d, and by mail whom MailTo= names. */
#ifndef LOCKDUMP_ANNOUNCE_H
#define LOCKDUMP_ANNOUNCE_H

#include "kdump/events.h"
#include "kdump/incidents.h"
#include "kdump/settings.h"
#include "kdump/strings.h"

struct announcing {
	const char *store;
	const char *hooks; /* the scripts' folder */
	const struct settings *settings;
	const struct journal *journal;
};

/* Tells all of them. What fails is said in @failed. The mail says where the report is, but nothing of it leaves the machine. */
void announce(const struct announcing *announcing, const struct incident_summary *one,
	      struct strings *failed);

/* Tells the journal alone. */
void announce_to_journal(const struct announcing *announcing, const struct incident_summary *one);

/* To the journal: @one was removed to make room, and why. */
void announce_removal(const struct journal *journal, const struct incident_summary *one,
		      const char *why);

#endif
