// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's service manager and journal: receives what lockdump tells them.
 *
 *	listen PATH LABEL	binds a datagram socket, and prints "LABEL: " and each datagram as
 *				one line, its newlines as '|'
 *
 * Linked statically, for the guest.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char data[8192];

	if (argc != 3)
		errx(2, "usage: listen PATH LABEL");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err(1, "%s", argv[1]);
	for (;;) {
		ssize_t length = recv(fd, data, sizeof(data) - 1, 0);
		if (length < 0)
			err(1, "%s", argv[1]);
		data[length] = '\0';
		for (char *c = data; (c = strchr(c, '\n'));)
			*c = '|';
		printf("%s: %s\n", argv[2], data);
		fflush(stdout);
	}
}
