// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal's native protocol: a datagram of "FIELD=value" lines (systemd's docs/JOURNAL_NATIVE_PROTOCOL.md). Values
 * with newlines have another form, which is not needed: here no value has any.
 */
#include "kdump/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/print.h"

#define SEND_TIMEOUT_SEC 1
#define MESSAGE_SIZE	 512

/* Whoever connects our stderr to the journal says which file that is; it may have been redirected since. */
static bool is_stream(const char *stream, int fd)
{
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

void journal_init(const char *path, struct journal *ret)
{
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT_SEC };

	*ret = (struct journal){ .fd = -1, .path = path };
	if (access(path, F_OK))
		return;
	ret->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ret->fd < 0)
		return;
	setsockopt(ret->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	ret->is_stderr = is_stream(getenv("JOURNAL_STREAM"), STDERR_FILENO);
}

void journal_deinit(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
}

/* By its path, not by a connection: journald may have been restarted. */
static bool journal_send(const struct journal *journal, const struct event *event)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (journal->fd < 0)
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", journal->path);
	return sendto(journal->fd, event->text, event->length, MSG_NOSIGNAL,
		      (struct sockaddr *)&address, sizeof(address)) >= 0;
}

static void add(struct event *event, const char *field, const char *value)
{
	size_t room = sizeof(event->text) - event->length;
	int length = snprintf(event->text + event->length, room, "%s=%s\n", field, value);

	if (length > 0 && (size_t)length < room)
		event->length += length;
}

__attribute__((format(printf, 3, 0))) static void
add_formatted(struct event *event, const char *field, const char *format, va_list args)
{
	char value[MESSAGE_SIZE];

	vsnprintf(value, sizeof(value), format, args);
	clean_text(value);
	add(event, field, value);
}

void event_init(struct event *event, const char *message_id, int priority)
{
	*event = (struct event){};
	event_add(event, "MESSAGE_ID", "%s", message_id);
	event_add(event, "PRIORITY", "%d", priority);
	event_add(event, "SYSLOG_IDENTIFIER", "lockdump");
}

void event_add(struct event *event, const char *field, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(event, field, format, args);
	va_end(args);
}

void event_tell(struct event *event, const struct journal *journal, FILE *out, const char *format,
		...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	clean_text(message);
	add(event, "MESSAGE", message);
	bool sent = journal_send(journal, event);
	if (!out || (sent && journal->is_stderr && out == stderr))
		return;
	fprintf(out, "lockdump: %s\n", message);
	fflush(out);
}
