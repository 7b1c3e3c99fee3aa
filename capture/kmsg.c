// SPDX-License-Identifier: GPL-2.0-only
#include "capture/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/print.h"

bool kmsg_parse(char *record, struct kmsg *ret)
{
	char *text = strchr(record, ';');
	unsigned int priority;

	if (!text || sscanf(record, "%u,%*u,%" SCNu64 ",", &priority, &ret->time_us) != 2)
		return false;
	ret->text = text + 1;
	ret->text[strcspn(ret->text, "\n")] = '\0';
	clean_text(ret->text);
	ret->from_kernel = LOG_FAC(priority) == LOG_FAC(LOG_KERN);
	return true;
}

/*
 * Each begins where the line does: users may have the kernel print words of theirs, such as the option of a mount, but
 * not there.
 */
static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* "COMM:PID" from @text to @end, NULL if it does not come; a comm may have colons too. */
static void read_task(const char *text, const char *end, struct complaint *ret)
{
	const char *colon = NULL;

	for (const char *c = text; end && c < end; c++)
		if (*c == ':')
			colon = c;
	if (colon && sscanf(colon, ":%u", &ret->pid) == 1)
		snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(colon - text), text);
}

/* Kernel: kernel/watchdog.c; its line for hard lockups has had several forms. */
static bool is_lockup(const char *text, struct complaint *ret)
{
	ret->kind = RECORD_KIND_SOFT_LOCKUP;
	if (begins(text, "watchdog: BUG: soft lockup - CPU#")) {
		const char *task = strchr(text, '[');
		if (task)
			read_task(task + 1, strrchr(task, ']'), ret);
		return sscanf(text, "watchdog: BUG: soft lockup - CPU#%u stuck for %us!", &ret->cpu,
			      &ret->stuck_s) == 2;
	}
	ret->kind = RECORD_KIND_HARD_LOCKUP;
	return (begins(text, "watchdog: ") || begins(text, "NMI watchdog: ")) &&
	       strstr(text, "Watchdog detected hard LOCKUP on cpu ");
}

/* Kernel: kernel/rcu/tree_stall.h and tree_exp.h. */
static bool is_rcu_stall(const char *text, struct complaint *ret)
{
	static const char *const said[] = { "self-detected stall on CPU",
					    "detected stalls on CPUs/tasks",
					    "detected expedited stalls on CPUs/tasks" };

	ret->kind = RECORD_KIND_RCU_STALL;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (begins(text, "rcu: INFO: rcu_") && strstr(text, said[i]))
			return true;
	return false;
}

/* Kernel: kernel/hung_task.c. A comm may have a colon too. */
static bool is_hung_task(const char *text, struct complaint *ret)
{
	const char *blocked = strstr(text, " blocked for more than ");

	ret->kind = RECORD_KIND_HUNG_TASK;
	if (begins(text, "INFO: task "))
		read_task(text + strlen("INFO: task "), blocked, ret);
	return blocked && begins(text, "INFO: task ") &&
	       sscanf(blocked, " blocked for more than %u seconds", &ret->stuck_s) == 1;
}

/* Kernel: kernel/workqueue.c, "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!" */
static bool is_workqueue_stall(const char *text, struct complaint *ret)
{
	const char *stuck = strstr(text, " stuck for ");

	ret->kind = RECORD_KIND_WORKQUEUE_STALL;
	return stuck && begins(text, "BUG: workqueue lockup") &&
	       sscanf(stuck, " stuck for %us!", &ret->stuck_s) == 1;
}

bool kmsg_is_complaint(const char *text, struct complaint *ret)
{
	*ret = (struct complaint){};
	return is_lockup(text, ret) || is_rcu_stall(text, ret) || is_hung_task(text, ret) ||
	       is_workqueue_stall(text, ret);
}

struct error *kmsg_print_all(const char *path, FILE *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[KMSG_SIZE];
	struct kmsg kmsg;
	ssize_t len;

	if (fd < 0)
		return error_errno("%s", path);
	/* EPIPE: some were overwritten before they could be read; the next read goes on behind them. */
	while ((len = read(fd, record, sizeof(record) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		record[len] = '\0';
		if (kmsg_parse(record, &kmsg))
			fprintf(out, "[%5" PRIu64 ".%06" PRIu64 "] %s\n", kmsg.time_us / 1000000,
				kmsg.time_us % 1000000, kmsg.text);
	}
	return len && errno != EAGAIN ? error_errno("%s", path) : NULL;
}

void kmsg_write(int fd, const char *format, ...)
{
	char line[512] = "<2>"; /* syslog's LOG_CRIT */
	va_list args;

	va_start(args, format);
	vsnprintf(line + 3, sizeof(line) - 3, format, args);
	va_end(args);
	/* If the log cannot be had there is nowhere left to say so. */
	if (write(fd, line, strlen(line)) < 0)
		return;
}
