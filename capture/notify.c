// SPDX-License-Identifier: GPL-2.0-only
#include "capture/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NS_PER_USEC  1000
#define MESSAGE_SIZE 512

static uint64_t watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * NS_PER_USEC;
}

/* A name that begins with '@' is of the abstract kind: a zero byte stands for it. */
static struct error *connect_to(const char *path, int *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || length >= sizeof(address.sun_path))
		return error_create(ERROR_OTHER, "NOTIFY_SOCKET=%s: no such kind of socket", path);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	*ret = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*ret >= 0 && !connect(*ret, (struct sockaddr *)&address,
				  offsetof(struct sockaddr_un, sun_path) + length))
		return NULL;
	struct error *err = error_errno("NOTIFY_SOCKET=%s", path);
	if (*ret >= 0)
		close(*ret);
	*ret = -1;
	return err;
}

struct error *notify_init(struct notify *ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct error *err = NULL;

	*ret = (struct notify){ .fd = -1 };
	if (path)
		err = connect_to(path, &ret->fd);
	if (path && !err)
		ret->watchdog_ns = watchdog_ns();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return err;
}

void notify_deinit(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list args;

	if (notify->fd < 0)
		return;
	va_start(args, format);
	int length = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (length >= (int)sizeof(message))
		length = sizeof(message) - 1;
	if (length > 0)
		send(notify->fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}
