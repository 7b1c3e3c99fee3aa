// SPDX-License-Identifier: GPL-2.0-only
/*
 * A real-time thread that wakes up on a stuck CPU waits there for ever: unlike others it is not taken over by an
 * idle CPU. So the sentry has two threads, bound to different CPUs, and they keep watch in turns: together they
 * wake up once a second, and if one is stuck the other is there a second later. (All CPUs stuck: that is for the
 * kernel's own trigger.)
 */
#include "capture/sentry.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/alarms.h"
#include "capture/clock.h"
#include "capture/header.h"
#include "capture/locked_memory.h"
#include "capture/privilege.h"
#include "capture/signals.h"
#include "capture/spooler.h"
#include "state/stall.h"
#include "capture/sysrq.h"

#define BEAT_NS	       NS_PER_SEC
#define MAX_THREADS    2
#define STACK_SIZE     (256 * 1024)
#define TICK_NS	       (20 * NS_PER_MS) /* past a deadline, for the tick that shows it: two at 100 HZ */
#define SPOOLER_END_NS (5 * NS_PER_SEC)
#define LINE_SIZE      256

struct sentry {
	const struct watch *watch;
	_Atomic int spooler; /* 0: it has ended */
	_Atomic uint64_t spent_onset_ns; /* the stall that the trigger did not work on */
	_Atomic uint64_t told_failed_ns; /* the kernel's trigger's failure that was told of */
	uint64_t start_ns;
	_Atomic uint64_t pinged_ns; /* the service manager, the last time */
	unsigned int nr_threads;
};

struct post {
	struct sentry *sentry;
	unsigned int number;
	int cpu;
};

/* A line to stderr. One that nobody reads must not keep the sentry: then the line is lost. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) && write(STDERR_FILENO, line, len) < 0)
		return;
}

/* Read once: the other thread may find meanwhile that it has ended, and the process 0 is all of our group. */
static void tell_spooler(const struct sentry *sentry)
{
	int spooler = sentry->spooler;

	if (spooler)
		kill(spooler, SPOOLER_WAKE);
}

/* It is the spooler who tells the journal. */
static void say_failure(const struct sentry *sentry, int why)
{
	struct shared *shared = sentry->watch->shared;

	shared->failure = why;
	shared->failures++;
	tell_spooler(sentry);
	if (!sentry->watch->journal.is_stderr || !sentry->spooler)
		say("lockdump: /proc/sysrq-trigger: the machine is still running: %s\n",
		    sysrq_failure(why));
}

static void fire(struct sentry *sentry, const struct cause *cause)
{
	struct shared *shared = sentry->watch->shared;
	uint32_t nobody = 0;

	if (cause->onset_ns == sentry->spent_onset_ns ||
	    !atomic_compare_exchange_strong(&shared->firing, &nobody, 1))
		return;
	if (sysrq_fire(sentry->watch, cause, sentry->spooler)) {
		say_failure(sentry, errno);
		sentry->spent_onset_ns = cause->onset_ns;
	} else {
		say("lockdump: CPU %u is well again: not crashed\n", cause->cpu);
	}
	shared->firing = 0;
}

static bool fires(const struct watch *watch)
{
	return watch->trigger.sysrq_fd >= 0 && !watch->shared->used_up;
}

/* Pulls the trigger if @cpu knows of something to pull it for. */
static void look_for_cause(struct sentry *sentry, uint32_t cpu)
{
	const struct watch *watch = sentry->watch;
	struct cause_wanted wanted = {
		.kinds = watch->options->trigger_on.kinds,
		.silent_ns = watch->recorder.silent_ns,
	};
	struct cause cause;

	memcpy(wanted.after_ns, watch->options->trigger_after_for.ns, sizeof(wanted.after_ns));
	if (fires(watch) &&
	    cause_find(recorder_slot(&watch->recorder, cpu), cpu, &wanted, now_ns(), &cause))
		fire(sentry, &cause);
}

/* Has the stall of one CPU stored, if there is one. Returns when to look at it again. */
static uint64_t look_at(struct sentry *sentry, uint32_t cpu)
{
	const struct watch *watch = sentry->watch;
	const struct watch_options *options = watch->options;
	uint64_t now = now_ns();
	struct stall stall;

	stall_read(recorder_slot(&watch->recorder, cpu), cpu, &stall);
	if (!stall.onset_ns)
		return UINT64_MAX;
	if (stall_is_lockup(&stall, options->threshold_ns) &&
	    watch->shared->taken[cpu].onset_ns != stall.onset_ns)
		tell_spooler(sentry);
	if (stall_state(&stall, now, watch->recorder.silent_ns) != STALL_ON)
		return UINT64_MAX;

	uint64_t deadlines[] = {
		stall_deadline_ns(&stall, options->threshold_ns) + TICK_NS,
		fires(watch) ? stall_deadline_ns(&stall, options->trigger_after_ns) + TICK_NS : 0,
	};
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
		if (deadlines[i] > now)
			next = earlier(next, deadlines[i]);
	return next;
}

static uint64_t look_at_all(struct sentry *sentry)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t cpu = 0; cpu < sentry->watch->recorder.nr_cpus; cpu++) {
		next = earlier(next, look_at(sentry, cpu));
		look_for_cause(sentry, cpu);
	}
	if (alarms_are_due(sentry->watch, now_ns()))
		tell_spooler(sentry);
	return next;
}

/* The threads' beats are a second apart: each has its own turn. */
static uint64_t next_beat(const struct post *post)
{
	const struct sentry *sentry = post->sentry;
	uint64_t period = sentry->nr_threads * BEAT_NS;
	uint64_t first = sentry->start_ns + post->number * BEAT_NS;
	uint64_t now = now_ns();

	if (now < first)
		return first;
	return first + ((now - first) / period + 1) * period;
}

/* The kernel's own trigger cannot say so itself. */
static void tell_of_failure(struct sentry *sentry)
{
	uint64_t failed_ns = recorder_header(&sentry->watch->recorder)->kernel_failed_ns;

	if (failed_ns && atomic_exchange(&sentry->told_failed_ns, failed_ns) != failed_ns)
		say("lockdump: the kernel's trigger: the machine is still running: no crash kernel "
		    "is loaded any more\n");
}

/*
 * Tells the service manager that all is well, four times as often as it wants to hear. A message takes memory, for
 * which one may have to wait: it is left to the first thread, unless that has not come for half of the time.
 */
static void ping(struct sentry *sentry, unsigned int number)
{
	const struct notify *notify = &sentry->watch->notify;
	uint64_t now = now_ns();

	if (!notify->watchdog_ns ||
	    now - sentry->pinged_ns < notify->watchdog_ns / (number == 0 ? 4 : 2))
		return;
	sentry->pinged_ns = now;
	notify_send(notify, "WATCHDOG=1");
}

/* A look, and the time of the next one. */
static uint64_t beat(const struct post *post)
{
	struct record_header *header = recorder_header(&post->sentry->watch->recorder);

	header->heartbeat_ns = now_ns();
	header_follow_clocks(header);
	uint64_t next = look_at_all(post->sentry);
	tell_of_failure(post->sentry);
	ping(post->sentry, post->number);
	return earlier(next, next_beat(post));
}

static void *second_thread(void *arg)
{
	const struct post *post = arg;

	memory_touch_stack();
	for (;;) {
		struct timespec next = to_timespec(beat(post));
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return NULL;
}

/* The first thread waits for signals too: it ends the process. Returns the signal, or -1 at @deadline. */
static int wait_signal(const sigset_t *signals, uint64_t deadline)
{
	uint64_t now = now_ns();
	struct timespec timeout = to_timespec(deadline > now ? deadline - now : 0);

	return sigtimedwait(signals, NULL, &timeout);
}

static bool any_is_stuck(const struct watch *watch)
{
	const struct cause_wanted stuck = {
		.kinds = 1U << RECORD_KIND_SOFT_LOCKUP | 1U << RECORD_KIND_HARD_LOCKUP,
		.silent_ns = watch->recorder.silent_ns,
	};
	struct cause cause;

	for (uint32_t cpu = 0; cpu < watch->recorder.nr_cpus; cpu++)
		if (cause_find(recorder_slot(&watch->recorder, cpu), cpu, &stuck, now_ns(), &cause))
			return true;
	return false;
}

/*
 * Who ends as he should leaves nothing armed and nothing pinned. To unpin may take long: a CPU may be stuck; and what is
 * unpinned is in memory until grace periods are over: no record any more, unless a CPU is stuck, and somebody may want to
 * know why, or a spooler that has not ended copies it.
 */
static void end_cleanly(const struct sentry *sentry)
{
	const struct watch *watch = sentry->watch;

	trigger_close(&watch->trigger, &watch->recorder);
	if (!sentry->spooler && !any_is_stuck(watch))
		header_end(recorder_header(&watch->recorder));
	pins_destroy(&watch->pins);
}

/*
 * Takes note of the spooler's end. The exit status of all, or below 0 to go on: with a trigger the sentry is of
 * use alone too; without one nothing is left to do, and a service manager should know.
 */
static int spooler_ended(struct sentry *sentry)
{
	bool trigger = !trigger_is_off(&sentry->watch->trigger);
	int status;

	if (!sentry->spooler || waitpid(sentry->spooler, &status, WNOHANG) <= 0)
		return -1;
	sentry->spooler = 0;
	if (sentry->watch->options->once && WIFEXITED(status)) {
		end_cleanly(sentry);
		return WEXITSTATUS(status);
	}
	say("lockdump: the spooler has ended (%s %d): incidents are not stored any more; %s\n",
	    WIFSIGNALED(status) ? "signal" : "status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	    trigger ? "the trigger stays" : "start lockdump anew");
	notify_send(&sentry->watch->notify, "STATUS=incidents are not stored any more");
	return trigger ? -1 : 1;
}

/* Has the spooler store what is on, and waits for it. */
static void end_spooler(struct sentry *sentry)
{
	sigset_t child;

	if (!sentry->spooler)
		return;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	kill(sentry->spooler, SIGTERM);
	uint64_t deadline = now_ns() + SPOOLER_END_NS;
	while (waitpid(sentry->spooler, NULL, WNOHANG) == 0) {
		if (now_ns() >= deadline)
			return;
		wait_signal(&child, deadline);
	}
	sentry->spooler = 0;
}

/* Returns the exit status. Who ends as he should leaves nothing pinned: the watch is over. */
static int first_thread(const struct post *post)
{
	sigset_t signals;

	signals_of_end(&signals);
	sigaddset(&signals, SIGCHLD);
	for (;;) {
		int signal = wait_signal(&signals, beat(post));
		if (signals_end(signal)) {
			notify_send(&post->sentry->watch->notify, "STOPPING=1");
			end_spooler(post->sentry);
			end_cleanly(post->sentry);
			return 0;
		}
		int status = signal == SIGCHLD ? spooler_ended(post->sentry) : -1;
		if (status >= 0)
			return status;
	}
}

/* The first and the last of the CPUs that this process may use. */
static void choose_cpus(struct post *posts, unsigned int *nr_threads)
{
	cpu_set_t set;

	*nr_threads = 1;
	posts[0].cpu = -1;
	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 2)
		return;
	*nr_threads = MAX_THREADS;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		if (posts[0].cpu < 0)
			posts[0].cpu = cpu;
		posts[1].cpu = cpu;
	}
}

static void bind(pthread_t thread, const struct post *post)
{
	cpu_set_t set;

	if (post->cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(post->cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

struct error *sentry_settle(void)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };

	memory_touch_stack();
	struct error *err = memory_lock();
	if (!err && sched_setscheduler(0, SCHED_FIFO, &param))
		err = error_errno("watch: cannot get real-time priority");
	return err;
}

static struct error *start_second(struct post *post)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	errno = pthread_create(&thread, &attr, second_thread, post);
	pthread_attr_destroy(&attr);
	if (errno)
		return error_errno("watch: cannot start a thread");
	bind(thread, post);
	return NULL;
}

/* Scripts wait for this line. In the journal it is the spooler's. */
static void say_ready(struct sentry *sentry)
{
	const struct watch *watch = sentry->watch;
	char text[192];

	watch_describe(watch, text, sizeof(text));
	notify_send(&watch->notify, "READY=1\nSTATUS=%s", text);
	watch->shared->watching = 1;
	tell_spooler(sentry);
	if (!watch->journal.is_stderr)
		say("lockdump: %s\n", text);
}

int sentry_run(const struct watch *watch, int spooler)
{
	uint64_t now = now_ns();
	struct sentry sentry = {
		.watch = watch,
		.spooler = spooler,
		.start_ns = now,
		.pinged_ns = now,
	};
	struct post posts[MAX_THREADS] = {
		{ .sentry = &sentry, .number = 0 },
		{ .sentry = &sentry, .number = 1 },
	};

	choose_cpus(posts, &sentry.nr_threads);
	struct error *err = sentry_settle();
	if (!err)
		err = privilege_cut_sentry();
	bind(pthread_self(), &posts[0]);
	if (!err && sentry.nr_threads > 1)
		err = start_second(&posts[1]);
	if (err) {
		end_spooler(&sentry);
		end_cleanly(&sentry);
		return error_report(err);
	}
	say_ready(&sentry);
	return first_thread(&posts[0]);
}
