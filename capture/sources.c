// SPDX-License-Identifier: GPL-2.0-only
#include "capture/sources.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LARGE	   (4u << 20)
#define LOG_SIZE   (256u << 10)
#define VALUE_SIZE 1024

/* include/linux/syslog.h: the log's end, as much as there is room for. */
#define SYSLOG_ACTION_READ_ALL 3

static void path_of(const struct source *source, const struct scope *scope, const char *path,
		    char ret[static PATH_MAX])
{
	if (source->flags & SOURCE_TASK)
		snprintf(ret, PATH_MAX, "%s/proc/%u/%s", scope->root, scope->pid, path);
	else
		snprintf(ret, PATH_MAX, "%s%s", scope->root, path);
}

static int read_path(const char *path, struct sink *sink)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char buffer[SINK_PACKET];

	if (fd < 0)
		return errno;
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		if (!sink_put(sink, buffer, n))
			return 0;
	}
}

/* The file source->path. */
static int read_file(const struct source *source, const struct scope *scope, struct sink *sink)
{
	char path[PATH_MAX];

	path_of(source, scope, source->path, path);
	return read_path(path, sink);
}

/* The first of the files source->path, which are separated by blanks, that is there. */
static int read_first(const struct source *source, const struct scope *scope, struct sink *sink)
{
	_cleanup_free_ char *paths = strdup(source->path);
	char *rest = paths, path[PATH_MAX];
	int error = ENOENT;

	for (char *each; error == ENOENT && (each = strsep(&rest, " "));) {
		path_of(source, scope, each, path);
		error = read_path(path, sink);
	}
	return error;
}

/* A small file's text, without its last newline; the others become blanks. */
static int read_value(const char *path, char ret[static VALUE_SIZE])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, VALUE_SIZE - 1);

	if (n < 0)
		return errno;
	while (n && ret[n - 1] == '\n')
		n--;
	ret[n] = '\0';
	for (char *c = ret; (c = strchr(c, '\n'));)
		*c = ' ';
	return 0;
}

/* A line "PATH = VALUE" for each file that matches one of the patterns source->path, separated by blanks. */
static int read_values(const struct source *source, const struct scope *scope, struct sink *sink)
{
	_cleanup_free_ char *patterns = strdup(source->path);
	char *rest = patterns, pattern[PATH_MAX], value[VALUE_SIZE];
	glob_t found = { 0 };
	int flags = 0;

	for (char *each; (each = strsep(&rest, " ")); flags = GLOB_APPEND) {
		path_of(source, scope, each, pattern);
		glob(pattern, flags, NULL, &found);
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		int error = read_value(path, value);
		sink_print(sink, "%s = %s%s\n", path + strlen(scope->root), error ? "? " : "",
			   error ? strerror(error) : value);
	}
	size_t count = found.gl_pathc;
	globfree(&found);
	return count ? 0 : ENOENT;
}

/* The end of the kernel's log. A root that is not the machine's has it in a file. */
static int read_log(const struct source *source, const struct scope *scope, struct sink *sink)
{
	if (*scope->root)
		return read_file(source, scope, sink);
	_cleanup_free_ char *text = malloc(LOG_SIZE);
	int size = text ? klogctl(SYSLOG_ACTION_READ_ALL, text, LOG_SIZE) : -1;
	if (size < 0)
		return errno;
	sink_put(sink, text, size);
	return 0;
}

/* The next folder that is named by a number. */
static const char *next_number(DIR *dir)
{
	struct dirent *entry = dir ? readdir(dir) : NULL;

	while (entry && !isdigit((unsigned char)entry->d_name[0]))
		entry = readdir(dir);
	return entry ? entry->d_name : NULL;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* False: no more. */
typedef bool visitor(const char *folder, const char *stat, struct sink *sink);

/* The threads of one process, whose folder of them is @folder. */
static bool visit_threads(const char *folder, visitor *visit, struct sink *sink)
{
	_cleanup_(close_dir) DIR *dir = opendir(folder);
	char path[PATH_MAX + NAME_MAX + 8], stat[VALUE_SIZE];
	bool more = true;

	for (const char *tid; more && (tid = next_number(dir));) {
		snprintf(path, sizeof(path), "%s/%s/stat", folder, tid);
		if (read_value(path, stat))
			continue; /* has ended since */
		path[strlen(path) - strlen("/stat")] = '\0';
		more = visit(path, stat, sink);
	}
	return more;
}

/* All threads. */
static int visit_all(const struct scope *scope, visitor *visit, struct sink *sink)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/proc", scope->root);
	_cleanup_(close_dir) DIR *dir = opendir(folder);
	if (!dir)
		return errno;
	bool more = true;
	for (const char *pid; more && (pid = next_number(dir));) {
		snprintf(folder, sizeof(folder), "%s/proc/%s/task", scope->root, pid);
		more = visit_threads(folder, visit, sink);
	}
	return 0;
}

static bool put_stat(const char *folder, const char *stat, struct sink *sink)
{
	(void)folder;
	return sink_print(sink, "%s\n", stat);
}

/* The stat line of each thread, as proc(5) has it. */
static int read_tasks(const struct source *source, const struct scope *scope, struct sink *sink)
{
	(void)source;
	return visit_all(scope, put_stat, sink);
}

static bool put_blocked(const char *folder, const char *stat, struct sink *sink)
{
	const char *name_end = strrchr(stat, ')');
	char path[PATH_MAX + NAME_MAX + 16];

	if (!name_end || strncmp(name_end, ") D", 3))
		return true;
	snprintf(path, sizeof(path), "%s/stack", folder);
	sink_print(sink, "%.*s\n", (int)(name_end - stat + 3), stat);
	int error = read_path(path, sink);
	return sink_print(sink, "%s\n", error ? strerror(error) : "");
}

/* Of each thread that sleeps and cannot be interrupted, name and stack. */
static int read_blocked(const struct source *source, const struct scope *scope, struct sink *sink)
{
	(void)source;
	return visit_all(scope, put_blocked, sink);
}

#define KERNEL "/proc/sys/kernel/"

/* vm.stat_refresh and the like wait for each CPU even when they are only read: no patterns that match all of a folder. */
static const char settings[] = KERNEL
	"*watchdog* " KERNEL "*lockup* " KERNEL "hung_task_* " KERNEL "panic* " KERNEL
	"unknown_nmi_panic " KERNEL "sysrq " KERNEL "tainted " KERNEL "printk " KERNEL
	"sched_rt_* " KERNEL "oops_limit " KERNEL "warn_limit "
	"/sys/module/rcupdate/parameters/rcu_cpu_stall_* "
	"/sys/module/workqueue/parameters/* /sys/module/kernel/parameters/panic* "
	"/sys/kernel/kexec_crash_* /sys/kernel/rcu_* /sys/kernel/mm/transparent_hugepage/enabled "
	"/sys/devices/system/cpu/online /sys/devices/system/cpu/isolated "
	"/sys/devices/system/cpu/nohz_full "
	"/sys/devices/system/clocksource/clocksource0/current_clocksource";

/* Drivers of their own, which may take their time. */
static const char watchdogs[] = "/sys/class/watchdog/watchdog*/identity "
				"/sys/class/watchdog/watchdog*/state "
				"/sys/class/watchdog/watchdog*/*timeout "
				"/sys/class/watchdog/watchdog*/*timeout_governor "
				"/sys/class/watchdog/watchdog*/nowayout";

#define AGAIN SOURCE_AGAIN
#define TASK  SOURCE_TASK
#define IRQ   SOURCE_IRQ_LOCKS

/*
 * The locks: get_wchan() takes pi_lock (since 5.16), wait_task_inactive() behind /proc/PID/syscall, and sched_debug, those
 * of run queues; timer_list those of timers; buddyinfo and zoneinfo those of zones; slabinfo those of slabs' lists. All of
 * them are held with interrupts off. A task's memory map is locked by whoever changes it, for as long as the disk takes:
 * maps and cmdline wait for that, but can be killed.
 *
 * Not here: /proc/locks, which takes file_rwsem for writing, and so waits for RCU, which waits for the stalled CPU; and
 * meanwhile keeps all others from locking files. Nor /proc/cpuinfo, which before 5.19 interrupts each CPU.
 */
const struct source sources[] = {
	{ "status", "status", read_file, TASK },
	{ "stat", "stat", read_file, TASK },
	{ "wchan", "wchan", read_file, TASK | IRQ },
	{ "stack", "stack", read_file, TASK },
	{ "sched", "sched", read_file, TASK },
	{ "cgroup", "cgroup", read_file, TASK },
	{ "interrupts", "/proc/interrupts", read_file, AGAIN, LARGE },
	{ "softirqs", "/proc/softirqs", read_file, AGAIN },
	{ "softnet_stat", "/proc/net/softnet_stat", read_file, AGAIN },
	{ "stat", "/proc/stat", read_file, AGAIN },
	{ "schedstat", "/proc/schedstat", read_file, AGAIN, LARGE },
	{ "loadavg", "/proc/loadavg", read_file, AGAIN },
	{ "meminfo", "/proc/meminfo", read_file, AGAIN },
	{ "vmstat", "/proc/vmstat", read_file, AGAIN },
	{ "diskstats", "/proc/diskstats", read_file, AGAIN },
	{ "dmesg", "/dev/kmsg", read_log, AGAIN },
	{ "pressure.cpu", "/proc/pressure/cpu", read_file, AGAIN },
	{ "pressure.io", "/proc/pressure/io", read_file, AGAIN },
	{ "pressure.memory", "/proc/pressure/memory", read_file, AGAIN },
	{ "pressure.irq", "/proc/pressure/irq", read_file, AGAIN },
	{ "settings", settings, read_values },
	{ "watchdogs", watchdogs, read_values },
	{ "mounts", "/proc/mounts", read_file },
	{ "swaps", "/proc/swaps", read_file },
	{ "maps", "maps", read_file, TASK },
	{ "cmdline", "cmdline", read_file, TASK },
	{ "io", "io", read_file, TASK },
	{ "syscall", "syscall", read_file, TASK | IRQ },
	{ "tasks", NULL, read_tasks, 0, LARGE, 5 },
	{ "blocked", NULL, read_blocked, 0, LARGE, 5 },
	{ "buddyinfo", "/proc/buddyinfo", read_file, IRQ },
	{ "zoneinfo", "/proc/zoneinfo", read_file, IRQ },
	{ "slabinfo", "/proc/slabinfo", read_file, IRQ },
	{ "timer_list", "/proc/timer_list", read_file, IRQ, LARGE },
	{ "sched_debug", "/sys/kernel/debug/sched/debug /proc/sched_debug", read_first, IRQ,
	  LARGE },
};

const size_t nr_sources = sizeof(sources) / sizeof(sources[0]);
