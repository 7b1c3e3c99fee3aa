// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/announce.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"
#include "kdump/hooks.h"
#include "kdump/run.h"
#include "kdump/wording.h"

#define MAIL_LIMIT_S 60

static const char *or_none(const char *text)
{
	return text ? text : "not known";
}

/* What it is, in one line. */
static const char *describe(const struct incident_summary *one)
{
	if (one->title)
		return one->title;
	if (one->reason)
		return one->reason;
	return one->dump == DUMP_NONE && one->complete ? "a stall that ended by itself"
						       : "a crash without a report";
}

static const char *completeness(const struct incident_summary *one)
{
	return one->complete ? "complete" : "not complete";
}

static void add_if_known(struct event *event, const char *field, const char *value)
{
	if (value)
		event_add(event, field, "%s", value);
}

void announce_to_journal(const struct announcing *announcing, const struct incident_summary *one)
{
	struct event event;

	event_init(&event, EVENT_HARVESTED, one->drill ? LOG_NOTICE : LOG_ERR);
	event_add(&event, "LOCKDUMP_INCIDENT", "%s", one->id);
	event_add(&event, "LOCKDUMP_FOLDER", "%s/%s", announcing->store, one->id);
	event_add(&event, "LOCKDUMP_COMPLETE", "%s", one->complete ? "yes" : "no");
	add_if_known(&event, "LOCKDUMP_DUMP", dump_state_name(one->dump));
	add_if_known(&event, "LOCKDUMP_KERNEL", one->kernel);
	add_if_known(&event, "LOCKDUMP_KIND", one->kind);
	add_if_known(&event, "LOCKDUMP_SIGNATURE", one->signature);
	add_if_known(&event, "LOCKDUMP_TITLE", one->title);
	event_tell(&event, announcing->journal, stderr,
		   "incident %s, %s: %s%s; 'lockdump info %s' tells more", one->id,
		   completeness(one), one->drill ? "a drill: " : "", describe(one), one->id);
}

/* A header's line: neither a line break nor anything that is no ASCII. */
static void print_ascii(const char *text, FILE *out)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		fputc(*c >= ' ' && *c < 0x7f ? *c : '?', out);
}

static void print_line(FILE *out, const char *label, const char *text)
{
	fprintf(out, "  %-10s ", label);
	print_text(or_none(text), out);
	fputc('\n', out);
}

static void print_mail(const struct announcing *announcing, const struct incident_summary *one,
		       FILE *out)
{
	char when[TIME_WORDS];
	struct utsname host;

	uname(&host);
	word_time(one->onset_s, when);
	fprintf(out, "To: %s\nSubject: lockdump: ", announcing->settings->mail_to);
	print_ascii(host.nodename, out);
	fputs(": ", out);
	print_ascii(describe(one), out);
	fprintf(out,
		"%s\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
		"Content-Type: text/plain; charset=UTF-8\n"
		"Content-Transfer-Encoding: 8bit\n\n",
		one->drill ? " (a drill)" : "");
	fputs("On ", out);
	print_text(host.nodename, out);
	fprintf(out, " there was an incident; what was saved of it is %s.\n\n", completeness(one));
	print_line(out, "onset", when);
	print_line(out, "kernel", one->kernel);
	print_line(out, "title", one->title);
	print_line(out, "verdict", one->summary ? one->summary : one->kind);
	print_line(out, "signature", one->signature);
	print_line(out, "dump", dump_state_name(one->dump));
	fprintf(out, "  %-10s %s/%s\n", "folder", announcing->store, one->id);
	fprintf(out, "\nThere, 'lockdump info %s' tells more.\n", one->id);
}

static struct error *send_mail(const struct announcing *announcing,
			       const struct incident_summary *one)
{
	static const char *const argv[] = { "sendmail", "-i", "-t", NULL };
	struct run run = RUN_INIT;
	int fd = memfd_create("mail", MFD_CLOEXEC);
	_cleanup_fclose_ FILE *out = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!out)
		return error_errno("mail");
	print_mail(announcing, one, out);
	if (fflush(out) || lseek(fd, 0, SEEK_SET))
		return error_errno("mail");
	run.input = fd;
	run.limit_s = MAIL_LIMIT_S;
	run.group = true;
	return error_prefix(run_program(&run, argv), "mail to %s", announcing->settings->mail_to);
}

void announce(const struct announcing *announcing, const struct incident_summary *one,
	      struct strings *failed)
{
	const struct hooks hooks = {
		.folder = announcing->hooks,
		.store = announcing->store,
		.one = one,
		.timeout_s = announcing->settings->hook_timeout_s,
	};
	struct error *err = NULL;

	announce_to_journal(announcing, one);
	hooks_run(&hooks, failed);
	if (*announcing->settings->mail_to)
		err = send_mail(announcing, one);
	if (err)
		error_destroy(strings_add(failed, "%s", err->message));
	error_destroy(err);
}

void announce_removal(const struct journal *journal, const struct incident_summary *one,
		      const char *why)
{
	struct event event;
	char size[SIZE_WORDS];

	word_size(one->size, size);
	event_init(&event, EVENT_REMOVED, LOG_NOTICE);
	event_add(&event, "LOCKDUMP_INCIDENT", "%s", one->id);
	event_add(&event, "LOCKDUMP_REASON", "%s", why);
	event_tell(&event, journal, stderr, "incident %s: removed, %s: %s", one->id, size, why);
}
