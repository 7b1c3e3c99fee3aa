// SPDX-License-Identifier: GPL-2.0-only
#include "report/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define KMSG_PATH     "/dev/kmsg"
#define PMSG_PATH     "/dev/pmsg0"
#define DEVKMSG_PATH  "/proc/sys/kernel/printk_devkmsg"
#define LOGLEVEL_PATH "/proc/sys/kernel/printk"
#define LINE_SIZE \
	900 /* the kernel's log takes up to 976 (LOG_LINE_MAX in kernel/printk/printk.c) */

/* DEFAULT_RATELIMIT_BURST and _INTERVAL in include/linux/ratelimit_types.h, for each who has /dev/kmsg open. */
#define BURST	   10
#define INTERVAL_S 5

#define LEVEL_CRITICAL 2 /* not "emergency": that is sent to all who are logged in */
#define LEVEL_DEFAULT  7 /* of the console */

enum outlet outlet_find(const char *word)
{
	if (!strcmp(word, "console"))
		return OUTLET_CONSOLE;
	return strcmp(word, "pmsg") ? OUTLET_NONE : OUTLET_PMSG;
}

static FILE *open_setting(const char *root, const char *path)
{
	char whole[PATH_MAX];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	return fopen(whole, "re");
}

/* The word that kernel.printk_devkmsg is: "on", "off" or "ratelimit". */
static void read_devkmsg(const char *root, char ret[16])
{
	_cleanup_fclose_ FILE *file = open_setting(root, DEVKMSG_PATH);

	if (!file || fscanf(file, "%15s", ret) != 1)
		strcpy(ret, "ratelimit");
}

/* The console shows what is below its own level. */
static int choose_level(const char *root)
{
	_cleanup_fclose_ FILE *file = open_setting(root, LOGLEVEL_PATH);
	int console;

	if (!file || fscanf(file, "%d", &console) != 1)
		console = LEVEL_DEFAULT;
	if (console > LEVEL_CRITICAL)
		return LEVEL_CRITICAL;
	return console > 0 ? console - 1 : 0;
}

static struct error *open_error(enum outlet outlet, const char *path)
{
	if (outlet == OUTLET_PMSG && errno == ENOENT)
		return error_create(
			ERROR_SYSTEM,
			"%s: %s; it takes a kernel with CONFIG_PSTORE_PMSG=y, and ramoops. What goes to "
			"the console is in the kernel's log, which ramoops keeps at a crash",
			path, strerror(errno));
	return error_errno("%s", path);
}

static const char *path_of(enum outlet outlet)
{
	return outlet == OUTLET_PMSG ? PMSG_PATH : KMSG_PATH;
}

static struct error *open_outlet(enum outlet outlet, const char *root, int *ret)
{
	const char *path = path_of(outlet);
	char whole[PATH_MAX], devkmsg[16];

	read_devkmsg(root, devkmsg);
	if (outlet == OUTLET_CONSOLE && !strcmp(devkmsg, "off"))
		return error_create(
			ERROR_SYSTEM,
			"%s: kernel.printk_devkmsg is \"off\": nothing that is written there "
			"reaches the kernel's log; set it to \"on\"",
			path);
	snprintf(whole, sizeof(whole), "%s%s", root, path);
	*ret = open(whole, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	return *ret < 0 ? open_error(outlet, path) : NULL;
}

struct error *outlet_check(enum outlet outlet, const char *root)
{
	_cleanup_close_ int fd = -1;

	return open_outlet(outlet, root, &fd);
}

/* One write is one entry of the log. */
static struct error *write_line(int fd, const char *path, const char *prefix, const char *line,
				size_t length)
{
	char whole[LINE_SIZE];
	int size = snprintf(whole, sizeof(whole), "%slockdump: %.*s\n", prefix, (int)length, line);

	if (size >= (int)sizeof(whole)) {
		size = sizeof(whole) - 1;
		whole[size - 1] = '\n';
	}
	for (;;) {
		if (write(fd, whole, size) >= 0)
			return NULL;
		if (errno != EINTR && errno != EAGAIN)
			return error_errno("%s", path);
	}
}

struct error *outlet_write(enum outlet outlet, const char *root, const char *text, bool patient)
{
	_cleanup_close_ int fd = -1;
	char prefix[16] = "", devkmsg[16] = "on";
	struct error *err = open_outlet(outlet, root, &fd);

	if (err)
		return err;
	if (outlet == OUTLET_CONSOLE) {
		snprintf(prefix, sizeof(prefix), "<%d>", choose_level(root));
		read_devkmsg(root, devkmsg);
	}
	bool limited = strcmp(devkmsg, "on");
	for (size_t n = 0; *text && !err; n++) {
		size_t length = strcspn(text, "\n");
		if (limited && n && n % BURST == 0) {
			if (!patient)
				break;
			sleep(INTERVAL_S + 1);
		}
		err = write_line(fd, path_of(outlet), prefix, text, length);
		text += length + (text[length] == '\n');
	}
	return err;
}
