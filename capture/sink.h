/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a reader's bytes go: in packets, over a socket, to the process that wants them. */
#ifndef LOCKDUMP_SINK_H
#define LOCKDUMP_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_PACKET 16384

enum packet_type {
	PACKET_DATA,
	PACKET_END,
};

struct packet {
	uint32_t type;
	int32_t error; /* of the end: errno; 0: all was read */
	uint32_t cut; /* of the end: there was more than wanted */
	char data[SINK_PACKET];
};

struct sink {
	int fd; /* of a SOCK_SEQPACKET socket */
	size_t room; /* bytes that are still wanted */
	bool cut; /* there were more */
	size_t used; /* of the packet */
	struct packet packet;
};

void sink_begin(struct sink *sink, size_t most);

/* False once no more is wanted: the rest may as well not be read. */
bool sink_put(struct sink *sink, const void *data, size_t size);
bool sink_print(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sends the rest, and that it is the end. */
void sink_end(struct sink *sink, int error);

#endif
