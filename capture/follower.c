// SPDX-License-Identifier: GPL-2.0-only
#include "capture/follower.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/budget.h"
#include "capture/clock.h"
#include "capture/closing.h"
#include "kdump/events.h"
#include "capture/gatherer.h"
#include "capture/header.h"
#include "capture/kmsg.h"
#include "capture/locked_memory.h"
#include "capture/preflight.h"
#include "capture/privilege.h"
#include "capture/rig.h"
#include "capture/signals.h"
#include "capture/sysrq.h"
#include "capture/text_file.h"
#include "kdump/store.h"
#include "kdump/triggers.h"

#define WATCHDOG_PATH  "/proc/sys/kernel/watchdog"
#define STORE_NS       (2 * NS_PER_SEC) /* stacks follow a complaint */
#define GATHER_WAIT_NS (10 * NS_PER_SEC)
#define QUIET_NS       (60 * NS_PER_SEC) /* the soft lockup's come each 20 s or so */

struct follower {
	const struct watch *watch;
	const struct watch_options *options;
	int kmsg_fd;
	int signal_fd;
	int sysrq_fd; /* -1: no trigger */
	bool used_up; /* capture/budget.h: no trigger for now */
	uint64_t next_count_ns; /* then */
	bool open; /* an incident is */
	bool failed; /* it could not be stored */
	uint64_t store_ns; /* when to store the log; 0: it is stored */
	uint64_t quiet_ns; /* when it is over, if nothing more comes */
	struct incident incident;
	struct gatherer gatherer;
};

static void complain(struct follower *follower, struct error *err)
{
	if (!err)
		return;
	follower->failed = true;
	error_report(err);
}

/* A line in the log proves that it hangs now. */
static bool triggers(const struct follower *follower, const struct complaint *complaint)
{
	const struct watch_options *options = follower->options;

	if (follower->sysrq_fd < 0 || follower->used_up ||
	    !(options->trigger_on.kinds & (1U << complaint->kind)))
		return false;
	/* Whose CPU takes no interrupts has said nothing about how long; the kernel waits for ten seconds. */
	return complaint->kind == RECORD_KIND_HARD_LOCKUP ||
	       complaint->stuck_s * NS_PER_SEC >= options->trigger_after_ns;
}

/* Before anything is stored: the log and more are in the dump, and a disk may not answer. */
static void fire(struct follower *follower, const struct kmsg *kmsg)
{
	struct event event;

	event_init(&event, EVENT_CRASHING, LOG_CRIT);
	event_add(&event, "LOCKDUMP_REASON", "%s", kmsg->text);
	event_tell(&event, &follower->watch->journal, stderr, "crashing the machine");
	kmsg_write(follower->kmsg_fd, TRIGGERS_SAID "the kernel says: %s", kmsg->text);
	errno = 0;
	int failure = write(follower->sysrq_fd, "c", 1) == 1 ? 0 : errno;
	event_init(&event, EVENT_TRIGGER_FAILED, LOG_ERR);
	event_add(&event, "ERRNO", "%d", failure);
	event_tell(&event, &follower->watch->journal, stderr,
		   "/proc/sysrq-trigger: the machine is still running: %s", sysrq_failure(failure));
	close(follower->sysrq_fd); /* what did nothing once does nothing twice */
	follower->sysrq_fd = -1;
}

static void store_log(struct follower *follower)
{
	FILE *file;

	follower->store_ns = 0;
	if (follower->incident.dirfd < 0)
		return;
	struct error *err = incident_open_file(&follower->incident, "dmesg.txt", &file);
	if (!err) {
		err = kmsg_print_all(KMSG_PATH, file);
		err = incident_close_file(&follower->incident, "dmesg.txt", file, err);
	}
	if (!err)
		err = rig_write(&follower->incident);
	complain(follower, err);
}

static void begin_incident(struct follower *follower, unsigned int stuck_s)
{
	char boot_id[40];
	struct error *err = header_boot_id(boot_id, sizeof(boot_id));

	follower->open = true;
	follower->failed = false;
	follower->incident.dirfd = -1;
	if (!err)
		err = incident_create(follower->options->store,
				      clock_ns(CLOCK_REALTIME) / NS_PER_SEC - stuck_s, boot_id,
				      &follower->incident);
	complain(follower, err);
}

/* What this process can see of it besides. */
static void gather(struct follower *follower, const struct complaint *complaint)
{
	struct gather_request request = { .folder = GATHER_ONSET };

	if (follower->incident.dirfd < 0)
		return;
	memcpy(request.incident, follower->incident.id, sizeof(request.incident));
	request.deaf = complaint->kind == RECORD_KIND_HARD_LOCKUP;
	if (complaint->pid) {
		request.stalls[0] = (struct gather_stall){ complaint->cpu, complaint->pid };
		memcpy(request.stalls[0].comm, complaint->comm, sizeof(complaint->comm));
		request.nr_stalls = 1;
	}
	complain(follower, gatherer_ask(&follower->gatherer, &request));
}

static void end_incident(struct follower *follower, bool over)
{
	gatherer_wait(&follower->gatherer, GATHER_WAIT_NS);
	store_log(follower);
	if (follower->incident.dirfd >= 0) {
		complain(follower, closing_write(&follower->incident, over, !follower->failed));
		fprintf(stderr, "lockdump: incident %s is closed\n", follower->incident.id);
		incident_close(&follower->incident);
	}
	follower->open = false;
}

static void tell_complaint(const struct follower *follower, const struct kmsg *kmsg,
			   const struct complaint *complaint)
{
	bool stored = follower->incident.dirfd >= 0;
	struct event event;

	event_init(&event, EVENT_STALL, LOG_ERR);
	event_add(&event, "LOCKDUMP_STALL_SEC", "%u", complaint->stuck_s);
	if (complaint->kind == RECORD_KIND_SOFT_LOCKUP)
		event_add(&event, "LOCKDUMP_CPU", "%u", complaint->cpu);
	if (complaint->pid) {
		event_add(&event, "LOCKDUMP_PID", "%u", complaint->pid);
		event_add(&event, "LOCKDUMP_COMM", "%.*s", (int)sizeof(complaint->comm),
			  complaint->comm);
	}
	if (stored)
		event_add(&event, "LOCKDUMP_INCIDENT", "%s", follower->incident.id);
	event_tell(&event, &follower->watch->journal, stderr, "the kernel says: %s; incident %s",
		   kmsg->text, stored ? follower->incident.id : "could not be made");
	notify_send(&follower->watch->notify, "STATUS=the kernel says: %s", kmsg->text);
}

static void take_up(struct follower *follower, const struct kmsg *kmsg,
		    const struct complaint *complaint)
{
	if (triggers(follower, complaint))
		fire(follower, kmsg);
	if (!follower->open) {
		begin_incident(follower, complaint->stuck_s);
		gather(follower, complaint);
	}
	if (!follower->store_ns)
		follower->store_ns = now_ns() + STORE_NS;
	follower->quiet_ns = now_ns() + QUIET_NS;
	tell_complaint(follower, kmsg, complaint);
}

static void read_log(struct follower *follower)
{
	char record[KMSG_SIZE];
	struct complaint complaint;
	struct kmsg kmsg;
	ssize_t len;

	while ((len = read(follower->kmsg_fd, record, sizeof(record) - 1)) > 0 ||
	       (len < 0 &&
		errno == EPIPE)) { /* some were lost; the next read goes on behind them */
		if (len < 0)
			continue;
		record[len] = '\0';
		if (kmsg_parse(record, &kmsg) && kmsg.from_kernel &&
		    kmsg_is_complaint(kmsg.text, &complaint))
			take_up(follower, &kmsg, &complaint);
	}
}

static void count_triggers(struct follower *follower)
{
	follower->used_up = budget_is_used_up(follower->options, follower->used_up);
	follower->next_count_ns = now_ns() + BUDGET_INTERVAL_NS;
}

/* Until something is to be done; -1: nothing is. */
static int timeout_ms(const struct follower *follower)
{
	uint64_t ping_ns = follower->watch->notify.watchdog_ns / 2;
	uint64_t now = now_ns(), next = UINT64_MAX;

	if (follower->open)
		next = follower->store_ns ? follower->store_ns : follower->quiet_ns;
	if (follower->used_up)
		next = earlier(next, follower->next_count_ns);
	if (ping_ns)
		next = earlier(next, now + ping_ns);
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)((next - now) / NS_PER_MS) + 1 : 0;
}

/* Returns the exit status. */
static int follow(struct follower *follower)
{
	struct pollfd fds[] = {
		{ .fd = follower->kmsg_fd, .events = POLLIN },
		{ .fd = follower->signal_fd, .events = POLLIN },
	};

	while (!(fds[1].revents & POLLIN)) {
		if (poll(fds, 2, timeout_ms(follower)) < 0 && errno != EINTR)
			return error_report(error_errno("watch: poll"));
		if (follower->watch->notify.watchdog_ns)
			notify_send(&follower->watch->notify, "WATCHDOG=1");
		read_log(follower);
		uint64_t now = now_ns();
		if (follower->used_up && now >= follower->next_count_ns)
			count_triggers(follower);
		if (follower->open && follower->store_ns && now >= follower->store_ns)
			store_log(follower);
		if (follower->open && now >= follower->quiet_ns) {
			end_incident(follower, true);
			if (follower->options->once)
				return follower->failed;
		}
	}
	notify_send(&follower->watch->notify, "STOPPING=1");
	if (follower->open)
		end_incident(follower, false);
	return 0;
}

static struct error *open_signals(int *ret_fd)
{
	sigset_t signals;

	signals_of_end(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	*ret_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return *ret_fd < 0 ? error_errno("watch: signalfd") : NULL;
}

/* What comes from now on. */
static struct error *open_log(int *ret_fd)
{
	_cleanup_free_ char *watchdog = text_file_read(WATCHDOG_PATH, 16);

	if (watchdog && !strcmp(watchdog, "0"))
		return error_create(ERROR_OTHER, "watch: the kernel's own watchdog is off as well; "
						 "set kernel.watchdog to 1");
	*ret_fd = open(KMSG_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0 || lseek(*ret_fd, 0, SEEK_END) < 0)
		return error_errno("watch: " KMSG_PATH);
	return NULL;
}

static struct error *open_trigger(const struct watch_options *options, int *ret_fd)
{
	struct error *err = NULL;

	if (options->trigger == RECORD_TRIGGER_OFF)
		return NULL;
	if (options->trigger == RECORD_TRIGGER_KERNEL)
		err = error_create(ERROR_OTHER, "it needs the recorder; use sysrq, or set "
						"kernel.softlockup_panic to 1");
	if (!err)
		err = preflight_sysrq(ret_fd);
	if (!err)
		err = preflight_crash_kernel();
	return error_prefix(err, "--trigger %s", watch_options_trigger(options->trigger));
}

/* What is opened stays open; what is left is what the spooler has. */
static struct error *settle(const struct watch_options *options)
{
	/* Not real-time: one thread of that sort that wakes up on the stuck CPU would stay there. */
	struct error *err = memory_lock();

	return err ? err : privilege_cut_spooler(options->store, NULL);
}

/* Scripts wait for this line. */
static void tell_watching(const struct follower *follower)
{
	const char *trigger = follower->sysrq_fd >= 0 ? "sysrq" : "off";
	struct event event;

	event_init(&event, EVENT_WATCHING, LOG_WARNING);
	event_add(&event, "LOCKDUMP_TRIGGER", "%s", trigger);
	event_tell(&event, &follower->watch->journal, stderr,
		   "watching by what the kernel's own watchdogs say (" KMSG_PATH
		   "), no flight record, trigger %s",
		   trigger);
	notify_send(&follower->watch->notify,
		    "READY=1\nSTATUS=watching by what the kernel's own watchdogs say, trigger %s",
		    trigger);
}

struct error *follower_run(const struct watch *watch, int *status)
{
	struct follower follower = {
		.watch = watch,
		.options = watch->options,
		.sysrq_fd = -1,
		.gatherer = { .fd = -1 },
	};
	struct error *err = open_log(&follower.kmsg_fd);

	if (!err)
		err = open_trigger(watch->options, &follower.sysrq_fd);
	if (!err)
		err = open_signals(&follower.signal_fd);
	if (!err)
		err = settle(watch->options);
	if (!err)
		err = gatherer_start(watch->options->store, "", &follower.gatherer);
	if (err)
		return err;
	if (follower.sysrq_fd >= 0)
		count_triggers(&follower);
	tell_watching(&follower);
	*status = follow(&follower);
	budget_end(watch->options);
	gatherer_stop(&follower.gatherer);
	return NULL;
}
