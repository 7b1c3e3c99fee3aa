// SPDX-License-Identifier: GPL-2.0-only
/* The spooler: which stalls become incidents. The record is plain memory, the store a temporary folder. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/clock.h"
#include "capture/spooler.h"
#include "kdump/incidents.h"
#include "make_dump.h"

#define SECOND	NS_PER_SEC
#define NR_CPUS 2
#define BOOT_ID "0123abcd-4567-89ab-cdef-0123456789ab"

struct fixture {
	char store[64];
	struct watch_options options;
	struct watch watch;
	struct spooler spooler;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct recorder *recorder = &fixture->watch.recorder;

	strcpy(fixture->store, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->store))
		return -1;
	fixture->options = (struct watch_options){
		.threshold_ns = 2 * SECOND,
		.store = fixture->store,
	};
	for (int kind = 0; kind < RECORD_NR_KINDS; kind++)
		fixture->options.threshold_for.ns[kind] = 2 * SECOND;
	fixture->watch.options = &fixture->options;
	fixture->watch.trigger.sysrq_fd = -1;
	fixture->watch.notify.fd = -1;
	fixture->watch.journal.fd = -1;
	recorder->nr_cpus = NR_CPUS;
	recorder->silent_ns = 1000 * SECOND;
	recorder->size = (size_t)RECORD_SLOT_SIZE * (1 + NR_CPUS);
	recorder->record = calloc(1, recorder->size);
	strcpy(recorder_header(recorder)->boot_id, BOOT_ID);
	recorder_header(recorder)->anchor_monotonic_ns = now_ns();
	recorder_header(recorder)->anchor_realtime_ns = clock_ns(CLOCK_REALTIME);
	*state = fixture;
	if (shared_create(NR_CPUS, &fixture->watch.shared))
		return -1;
	return spooler_init(&fixture->watch, &fixture->spooler) ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	spooler_deinit(&fixture->spooler);
	journal_deinit(&fixture->watch.journal);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->store);
	int ret = system(command);
	free(fixture->watch.recorder.record);
	free(fixture);
	return ret;
}

static struct record_slot *slot_of(const struct fixture *fixture, uint32_t cpu)
{
	return (struct record_slot *)recorder_slot(&fixture->watch.recorder, cpu);
}

/* A lockup of five seconds, up to now. */
static void lock_up(struct fixture *fixture, uint32_t cpu)
{
	struct record_slot *slot = slot_of(fixture, cpu);
	uint64_t now = now_ns();

	slot->onset_ns = now - 5 * SECOND;
	slot->wanted_ns = now - 4 * SECOND;
	slot->last_ns = now;
	slot->end_ns = 0;
}

static void recover(struct fixture *fixture, uint32_t cpu)
{
	slot_of(fixture, cpu)->end_ns = now_ns();
}

static size_t nr_incidents(const struct fixture *fixture)
{
	size_t count = 0;
	DIR *dir = opendir(fixture->store);

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void attend(struct fixture *fixture, int times)
{
	while (times--)
		spooler_attend(&fixture->spooler);
}

static void test_one_after_the_other(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0);
	attend(fixture, 2);
	assert_true(fixture->spooler.open);
	recover(fixture, 0);
	attend(fixture, 2);
	assert_false(fixture->spooler.open);
	/* The spooler is late: it sees this one only when it is over. */
	lock_up(fixture, 1);
	recover(fixture, 1);
	attend(fixture, 5);
	assert_false(fixture->spooler.open);
	assert_int_equal(nr_incidents(fixture), 2);
}

static void test_together(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0);
	attend(fixture, 1);
	lock_up(fixture, 1);
	attend(fixture, 1);
	recover(fixture, 0);
	attend(fixture, 1);
	assert_true(fixture->spooler.open);
	recover(fixture, 1);
	attend(fixture, 3);
	assert_false(fixture->spooler.open);
	assert_int_equal(nr_incidents(fixture), 1);
}

/* What is said on stderr while @times looks are taken. */
static void hear(struct fixture *fixture, int times, char *ret, size_t size)
{
	FILE *file = tmpfile();
	int copy = dup(STDERR_FILENO);

	dup2(fileno(file), STDERR_FILENO);
	attend(fixture, times);
	fflush(stderr);
	dup2(copy, STDERR_FILENO);
	close(copy);
	rewind(file);
	ret[fread(ret, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void test_steering_comm(void **state)
{
	struct fixture *fixture = *state;
	struct record_sample *sample = &slot_of(fixture, 0)->samples[0];
	char said[1024];

	lock_up(fixture, 0);
	sample->number = sample->number_end = 1;
	sample->onset_ns = slot_of(fixture, 0)->onset_ns;
	memcpy(sample->comm, "x\x1b[2J\nroot ok!!", sizeof(sample->comm));
	hear(fixture, 1, said, sizeof(said));
	assert_non_null(strstr(said, "x?[2J?root ok!"));
	assert_null(strchr(said, '\x1b'));
}

/* Whether one of the journal's entries that wait has all of the NULL-ended @fields. */
static bool has_entry(int fd, const char *const *fields)
{
	char entry[4096];
	ssize_t length;

	while ((length = recv(fd, entry, sizeof(entry) - 1, MSG_DONTWAIT)) > 0) {
		entry[length] = '\0';
		const char *const *field = fields;
		while (*field && strstr(entry, *field))
			field++;
		if (!*field)
			return true;
	}
	return false;
}

static int listen_as_journal(struct fixture *fixture, char *path, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(path, size, "%s/.journal", fixture->store);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	journal_init(path, &fixture->watch.journal);
	return fd;
}

static void test_journal(void **state)
{
	struct fixture *fixture = *state;
	struct record_sample *sample = &slot_of(fixture, 1)->samples[0];
	char path[96], incident[64], said[1024];
	int fd = listen_as_journal(fixture, path, sizeof(path));

	lock_up(fixture, 1);
	sample->number = sample->number_end = 1;
	sample->onset_ns = slot_of(fixture, 1)->onset_ns;
	sample->pid = 4711;
	strcpy(sample->comm, "culprit");
	hear(fixture, 1, said, sizeof(said));
	snprintf(incident, sizeof(incident), "\nLOCKDUMP_INCIDENT=%s\n",
		 fixture->spooler.incident.id);
	assert_true(has_entry(
		fd, (const char *const[]){ "MESSAGE_ID=" EVENT_STALL "\n", "\nLOCKDUMP_CPU=1\n",
					   "\nLOCKDUMP_PID=4711\n", "\nLOCKDUMP_COMM=culprit\n",
					   "\nLOCKDUMP_STALL_SEC=5.000\n", incident, NULL }));
	recover(fixture, 1);
	hear(fixture, 1, said, sizeof(said));
	assert_true(has_entry(fd, (const char *const[]){ "MESSAGE_ID=" EVENT_STALL_ENDED "\n",
							 "\nLOCKDUMP_CPU=1\n", incident, NULL }));
	close(fd);
}

static void test_failed_trigger(void **state)
{
	struct fixture *fixture = *state;
	char path[96], said[1024];
	int fd = listen_as_journal(fixture, path, sizeof(path));
	const char *const wanted[] = { "MESSAGE_ID=" EVENT_TRIGGER_FAILED "\n", "\nERRNO=1\n",
				       "Operation not permitted", NULL };

	fixture->watch.shared->failure = EPERM;
	fixture->watch.shared->failures = 1;
	hear(fixture, 1, said, sizeof(said));
	assert_true(has_entry(fd, wanted));
	/* Once only, and on stderr the sentry has said it. */
	hear(fixture, 1, said, sizeof(said));
	assert_false(has_entry(fd, wanted));
	assert_string_equal(said, "");
	close(fd);
}

/* What the metrics say. */
static double metric(const struct fixture *fixture, const char *name)
{
	FILE *file = fopen(fixture->options.metrics, "r");
	char line[256];
	double value = -1;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtod(strrchr(line, ' '), NULL);
	fclose(file);
	return value;
}

static void test_metrics(void **state)
{
	struct fixture *fixture = *state;
	char path[96], said[1024];

	snprintf(path, sizeof(path), "%s/.lockdump.prom", fixture->store);
	fixture->options.metrics = path;
	fixture->watch.recorder.hook = "tick";
	fixture->watch.shared->watching = 1;
	attend(fixture, 1);
	assert_true(metric(fixture, "lockdump_watching{hook=\"tick\",trigger=\"off\"}") == 1);
	assert_true(metric(fixture, "lockdump_stalls_total") == 0);
	lock_up(fixture, 1);
	hear(fixture, 1, said, sizeof(said));
	assert_true(metric(fixture, "lockdump_stalls_total") == 1);
	assert_true(metric(fixture, "lockdump_stalled_cpus") == 1);
	assert_true(metric(fixture, "lockdump_incidents_total") == 1);
	assert_true(metric(fixture, "lockdump_longest_stall_seconds") == 5);
	recover(fixture, 1);
	hear(fixture, 1, said, sizeof(said));
	assert_true(metric(fixture, "lockdump_stalled_cpus") == 0);
	assert_true(metric(fixture, "lockdump_stalls_total") == 1);
	assert_true(metric(fixture, "lockdump_last_stall_timestamp_seconds{cpu=\"1\"") > 1e9);
}

static void test_no_store(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.once = true;
	lock_up(fixture, 0);
	recover(fixture, 0);
	assert_true(spooler_attend(&fixture->spooler));
	assert_false(fixture->spooler.failed);
	fixture->options.store = "/nonexistent/store";
	lock_up(fixture, 1);
	recover(fixture, 1);
	assert_true(spooler_attend(&fixture->spooler));
	assert_true(fixture->spooler.failed);
}

/* Another watch's spooler begins with the record as this one has left it. */
static void begin_anew(struct fixture *fixture)
{
	spooler_deinit(&fixture->spooler);
	memset(fixture->watch.shared->taken, 0, NR_CPUS * sizeof(struct taken));
	assert_no_error(spooler_init(&fixture->watch, &fixture->spooler));
}

static bool is_free(const struct fixture *fixture, const char *id)
{
	struct incident incident;

	assert_null(incident_open(fixture->store, id, &incident));
	bool ret = incident_try_lock(&incident);
	incident_close(&incident);
	return ret;
}

/* Nobody takes an incident for over, or away, before it is. */
static void test_closed(void **state)
{
	struct fixture *fixture = *state;
	struct incident_summary summary;
	struct incident incident;
	char id[INCIDENT_ID_SIZE];

	lock_up(fixture, 0);
	attend(fixture, 1);
	memcpy(id, fixture->spooler.incident.id, sizeof(id));
	assert_false(is_free(fixture, id));
	begin_anew(fixture);
	assert_false(is_free(fixture, id));
	assert_null(incident_open(fixture->store, id, &incident));
	assert_null(incident_summarize(&incident, &summary));
	assert_true(summary.unfinished);
	incident_summary_deinit(&summary);
	recover(fixture, 0);
	attend(fixture, 2);
	assert_true(is_free(fixture, id));
	assert_null(incident_summarize(&incident, &summary));
	assert_true(summary.complete);
	assert_int_equal(summary.dump, DUMP_NONE);
	assert_null(summary.trigger_by);
	incident_summary_deinit(&summary);
	incident_close(&incident);
}

static void test_goes_on(void **state)
{
	struct fixture *fixture = *state;
	struct record_header *header = recorder_header(&fixture->watch.recorder);
	char id[INCIDENT_ID_SIZE];

	lock_up(fixture, 0);
	attend(fixture, 1);
	memcpy(id, header->incident, sizeof(id));
	begin_anew(fixture);
	attend(fixture, 2);
	assert_true(fixture->spooler.open);
	assert_string_equal(fixture->spooler.incident.id, id);
	recover(fixture, 0);
	attend(fixture, 1);
	assert_false(fixture->spooler.open);
	assert_string_equal(header->incident, "");
	assert_int_equal(nr_incidents(fixture), 1);
}

static void test_ended_meanwhile(void **state)
{
	struct fixture *fixture = *state;
	char said[1024];

	lock_up(fixture, 0);
	attend(fixture, 1);
	recover(fixture, 0);
	begin_anew(fixture);
	fixture->watch.shared->taken[0].onset_ns = slot_of(fixture, 0)->onset_ns;
	hear(fixture, 1, said, sizeof(said));
	assert_non_null(strstr(said, " is closed"));
	assert_false(fixture->spooler.open);
	assert_int_equal(nr_incidents(fixture), 1);
}

static void test_other_store(void **state)
{
	struct fixture *fixture = *state;

	lock_up(fixture, 0);
	strcpy(recorder_header(&fixture->watch.recorder)->incident, "20260101T000000Z-0123abcd");
	begin_anew(fixture);
	attend(fixture, 1);
	assert_true(fixture->spooler.open);
	assert_true(fixture->spooler.stored);
	assert_int_equal(nr_incidents(fixture), 1);
}

static bool has(const struct fixture *fixture, const char *id, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", fixture->store, id, name);
	return !access(path, F_OK);
}

static void test_gathered(void **state)
{
	struct fixture *fixture = *state;
	struct record_sample *sample = &slot_of(fixture, 0)->samples[0];
	struct spooler *spooler = &fixture->spooler;
	char root[] = "/tmp/lockdump-test.XXXXXX", command[256], id[INCIDENT_ID_SIZE];

	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "mkdir -p %s/proc/7 && echo 1 >%s/proc/7/status && echo 2 >%s/proc/stat", root,
		 root, root);
	assert_int_equal(system(command), 0);
	assert_null(gatherer_start(fixture->store, root, &spooler->gatherer));
	lock_up(fixture, 0);
	sample->number = sample->number_end = 1;
	sample->onset_ns = slot_of(fixture, 0)->onset_ns;
	sample->pid = 7;
	attend(fixture, 1);
	memcpy(id, spooler->incident.id, sizeof(id));
	assert_true(gatherer_wait(&spooler->gatherer, 60 * SECOND));
	assert_true(has(fixture, id, "onset/7.status"));
	assert_true(has(fixture, id, "onset/stat"));
	assert_false(has(fixture, id, "end"));
	recover(fixture, 0);
	attend(fixture, 1);
	assert_true(gatherer_wait(&spooler->gatherer, 60 * SECOND));
	assert_true(has(fixture, id, "end/stat"));
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void test_deaf(void **state)
{
	struct fixture *fixture = *state;
	struct spooler *spooler = &fixture->spooler;
	char root[] = "/tmp/lockdump-test.XXXXXX", command[256], id[INCIDENT_ID_SIZE];

	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command), "mkdir %s/proc && cd %s/proc && touch stat timer_list",
		 root, root);
	assert_int_equal(system(command), 0);
	assert_null(gatherer_start(fixture->store, root, &spooler->gatherer));
	lock_up(fixture, 0);
	slot_of(fixture, 0)->deaf[RECORD_NR_DEAF - 1].since_ns = 1;
	attend(fixture, 1);
	memcpy(id, spooler->incident.id, sizeof(id));
	assert_true(gatherer_wait(&spooler->gatherer, 60 * SECOND));
	assert_true(has(fixture, id, "onset/stat"));
	assert_false(has(fixture, id, "onset/timer_list"));
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

/* It has lasted for five seconds, and was seen @ago_ns ago. */
static void go_wrong(struct fixture *fixture, uint32_t cpu, enum record_kind kind, uint64_t ago_ns)
{
	struct record_condition *condition = &slot_of(fixture, cpu)->conditions[kind];

	condition->last_ns = now_ns() - ago_ns;
	condition->since_ns = condition->last_ns - 5 * SECOND;
}

static void test_alarm(void **state)
{
	struct fixture *fixture = *state;
	uint64_t now = now_ns();
	char said[1024];

	assert_false(alarms_are_due(&fixture->watch, now));
	go_wrong(fixture, 1, RECORD_KIND_SOFTIRQ_STORM, 0);
	assert_true(alarms_are_due(&fixture->watch, now));
	hear(fixture, 1, said, sizeof(said));
	assert_non_null(strstr(said, "CPU 1: a storm of softirqs for 5.000 s; incident 20"));
	assert_true(fixture->spooler.stored);
	hear(fixture, 2, said, sizeof(said));
	assert_string_equal(said, "");
	/* Who is well does not say so: looks have ceased to see it. */
	go_wrong(fixture, 1, RECORD_KIND_SOFTIRQ_STORM, 4 * SECOND);
	fixture->spooler.alarms.list[0].cause.last_ns -= 4 * SECOND;
	hear(fixture, 1, said, sizeof(said));
	assert_non_null(strstr(said, "CPU 1: softirq-storm has ended, after "));
	assert_non_null(strstr(said, " is closed"));
	assert_false(fixture->spooler.open);
	assert_int_equal(nr_incidents(fixture), 1);
	assert_false(alarms_are_due(&fixture->watch, now));
}

static void test_one_alarm(void **state)
{
	struct fixture *fixture = *state;
	char said[1024];

	lock_up(fixture, 0);
	go_wrong(fixture, 0, RECORD_KIND_NEED_RESCHED, 0);
	go_wrong(fixture, 0, RECORD_KIND_RCU_STALL, 0);
	go_wrong(fixture, 1, RECORD_KIND_RCU_STALL, SECOND);
	hear(fixture, 1, said, sizeof(said));
	const char *once = strstr(said, "no end of");
	assert_non_null(once);
	assert_null(strstr(once + 1, "no end of"));
	assert_non_null(strstr(said, "CPU 0 is stuck for 5.0 s"));
	assert_null(strstr(said, "need_resched"));
	assert_int_equal(nr_incidents(fixture), 1);
	/* The stall alone does not end it. */
	recover(fixture, 0);
	attend(fixture, 1);
	assert_true(fixture->spooler.open);
}

static void test_late_alarm(void **state)
{
	struct fixture *fixture = *state;
	struct record_slot *slot = slot_of(fixture, 0);
	uint64_t now = now_ns();
	char said[1024];

	slot->last_event = 7;
	slot->events[7] = (struct record_event){
		.number = 7,
		.time_ns = now,
		.since_ns = now - 4 * SECOND,
		.kind = RECORD_EVENT_DEAF_END,
		.cpu = 1,
		.pid = 9,
		.comm = "deaf",
		.number_end = 7,
	};
	assert_true(alarms_are_due(&fixture->watch, now_ns()));
	hear(fixture, 1, said, sizeof(said));
	assert_non_null(strstr(said, "CPU 1: no interrupts taken for 4.000 s"));
	assert_non_null(strstr(said, "in deaf (pid 9); incident 20"));
	assert_non_null(strstr(said, "CPU 1: hard-lockup has ended, after 4."));
	assert_non_null(strstr(said, " is closed"));
	assert_false(alarms_are_due(&fixture->watch, now_ns()));
	hear(fixture, 1, said, sizeof(said));
	assert_string_equal(said, "");
}

#define SPOOLER_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOLER_TEST("a stall that is over is not taken up again with another CPU's",
			     test_one_after_the_other),
		SPOOLER_TEST("a process's name does not steer the terminal", test_steering_comm),
		SPOOLER_TEST("an incident that could not be stored has failed", test_no_store),
		SPOOLER_TEST("the incident of a watch that was killed goes on in its folder",
			     test_goes_on),
		SPOOLER_TEST("an incident is held until it is closed, and has a manifest then",
			     test_closed),
		SPOOLER_TEST("and is closed if its stall has ended in the meantime",
			     test_ended_meanwhile),
		SPOOLER_TEST("where that folder is not to be found another is begun",
			     test_other_store),
		SPOOLER_TEST("stalls that overlap are one incident", test_together),
		SPOOLER_TEST("while a CPU is deaf what takes its locks is not gathered", test_deaf),
		SPOOLER_TEST("of a stall is gathered at its onset, about its task, and at its end",
			     test_gathered),
		SPOOLER_TEST("what else goes wrong is an incident, until nobody sees it any more",
			     test_alarm),
		SPOOLER_TEST("seen by several CPUs, or part of a stall, it is told once",
			     test_one_alarm),
		SPOOLER_TEST("what ended before anybody could look is an incident, too",
			     test_late_alarm),
		SPOOLER_TEST("a stall and its end are told to the journal", test_journal),
		SPOOLER_TEST("a trigger that did not work is told to the journal, once",
			     test_failed_trigger),
		SPOOLER_TEST("the metrics are written at each event", test_metrics),
	};

	return RUN_TESTS(tests);
}
