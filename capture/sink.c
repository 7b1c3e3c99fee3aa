// SPDX-License-Identifier: GPL-2.0-only
#include "capture/sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_SIZE 4096

/* Who wanted it is gone: there is nobody left to read for. */
static void send_packet(struct sink *sink)
{
	size_t size = offsetof(struct packet, data) + sink->used;

	if (send(sink->fd, &sink->packet, size, MSG_NOSIGNAL) < 0)
		_exit(1);
	sink->used = 0;
}

void sink_begin(struct sink *sink, size_t most)
{
	sink->room = most;
	sink->cut = false;
	sink->used = 0;
	sink->packet.type = PACKET_DATA;
}

bool sink_put(struct sink *sink, const void *data, size_t size)
{
	const char *from = data;

	if (size > sink->room) {
		sink->cut = true;
		size = sink->room;
	}
	sink->room -= size;
	while (size) {
		size_t part = SINK_PACKET - sink->used;
		if (part > size)
			part = size;
		memcpy(sink->packet.data + sink->used, from, part);
		sink->used += part;
		from += part;
		size -= part;
		if (sink->used == SINK_PACKET)
			send_packet(sink);
	}
	return !sink->cut;
}

bool sink_print(struct sink *sink, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0)
		return true;
	return sink_put(sink, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void sink_end(struct sink *sink, int error)
{
	if (sink->used)
		send_packet(sink);
	sink->packet.type = PACKET_END;
	sink->packet.error = error;
	sink->packet.cut = sink->cut;
	send_packet(sink);
}
