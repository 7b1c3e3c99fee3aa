// SPDX-License-Identifier: GPL-2.0-only
/* What is done in the store after a reboot. */
#include "test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "kdump/harvest.h"
#include "kdump/harvest_mark.h"
#include "kdump/json_file.h"
#include "make_dump.h"
#include "make_record.h"
#include "make_store.h"

#define A	"20260101T000000Z-0123abcd"
#define B	"20260102T000000Z-0123abcd"
#define C	"20260103T000000Z-0123abcd"
#define LISTING "\"files\": [{\"name\": \"vmcore\", \"size\": 4}]"

/* A store in a folder that has hooks/, said (which they write), sendmail and the journal's socket besides. */
struct fixture {
	char folder[40];
	struct store store;
	char hooks[128];
	char socket[128];
	int fd;
	struct settings settings;
	const char *rig;
	bool is_shared;
	char *path; /* of the environment */
};

static void run(const struct fixture *fixture, const char *command)
{
	char text[1024];

	snprintf(text, sizeof(text), "cd '%s' && %s", fixture->folder, command);
	assert_int_equal(system(text), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char path[512];

	*state = fixture;
	strcpy(fixture->folder, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->store.path, sizeof(fixture->store.path), "%s/store", fixture->folder);
	snprintf(fixture->hooks, sizeof(fixture->hooks), "%s/hooks", fixture->folder);
	snprintf(fixture->socket, sizeof(fixture->socket), "%s/socket", fixture->folder);
	run(fixture,
	    "mkdir store hooks bin && printf '#!/bin/sh\\ncat >>%s/mails\\n' \"$PWD\" >bin/sendmail && "
	    "chmod +x bin/sendmail");
	strcpy(address.sun_path, fixture->socket);
	fixture->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	fixture->path = strdup(getenv("PATH"));
	snprintf(path, sizeof(path), "%s/bin:%s", fixture->folder, fixture->path);
	setenv("PATH", path, 1);
	fixture->rig = "1234";
	fixture->settings = (struct settings){ .hook_timeout_s = 5 };
	return bind(fixture->fd, (struct sockaddr *)&address, sizeof(address));
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	setenv("PATH", fixture->path, 1);
	run(fixture, "cd / && rm -rf \"$OLDPWD\"");
	close(fixture->fd);
	free(fixture->path);
	free(fixture);
	return 0;
}

/* Whether nothing went wrong; what is said on stderr goes to FOLDER/stderr. */
static bool harvest(const struct fixture *fixture)
{
	struct journal journal;
	char lock[64];
	const struct harvest harvest = {
		.announcing = { .store = fixture->store.path,
				.hooks = fixture->hooks,
				.settings = &fixture->settings,
				.journal = &journal },
		.remaking = { .store = fixture->store.path },
		.rig = fixture->rig,
		.lock = lock,
		.is_shared = fixture->is_shared,
	};
	char said[128];
	bool all;

	snprintf(lock, sizeof(lock), "%s/lock", fixture->folder);
	snprintf(said, sizeof(said), "%s/stderr", fixture->folder);
	int copy = dup(STDERR_FILENO), fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDERR_FILENO);
	close(fd);
	journal_init(fixture->socket, &journal);
	struct error *err = harvest_store(&harvest, &all);
	journal_deinit(&journal);
	dup2(copy, STDERR_FILENO);
	close(copy);
	assert_no_error(err);
	return all;
}

/* How many entries the journal got; the last is in @last. */
static int entries(const struct fixture *fixture, char last[4096])
{
	int count = 0;
	ssize_t length;
	char entry[4096];

	while ((length = recv(fixture->fd, entry, sizeof(entry) - 1, 0)) >= 0) {
		entry[length] = '\0';
		strcpy(last, entry);
		count++;
	}
	return count;
}

static struct json_object *manifest_of(const struct fixture *fixture, const char *id)
{
	struct incident incident;

	assert_no_error(incident_open(fixture->store.path, id, &incident));
	struct json_object *json = json_file_read(incident.dirfd, "manifest.json");
	incident_close(&incident);
	assert_non_null(json);
	return json;
}

static void assert_step(struct json_object *manifest, size_t i, const char *name, const char *why)
{
	struct json_object *step = json_object_array_get_idx(json_member(manifest, "steps"), i);
	char text[256];

	json_copy_text(step, "name", text, sizeof(text));
	assert_string_equal(text, name);
	json_copy_text(step, "why", text, sizeof(text));
	assert_string_equal(text, why);
}

static void test_once(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	strcpy(fixture->settings.mail_to, "root");
	store_add(&fixture->store, A, "vmcore", "dump");
	store_add_manifest(
		&fixture->store, A,
		LISTING ", \"complete\": true, \"kernel\": \"6.1\", \"report\":"
			"{\"title\": \"BUG: x\", \"kind\": \"busy-loop\", \"signature\": \"s\"}");
	store_add(&fixture->store, A, "report.json", "{\"title\": \"BUG: x\"}");
	run(fixture,
	    "printf '#!/bin/sh\\necho $0 $1 $LOCKDUMP_INCIDENT $LOCKDUMP_TITLE $LOCKDUMP_DUMP >>%s/said\\n' "
	    "\"$PWD\" >hooks/10-a && chmod 755 hooks/10-a && cp -p hooks/10-a hooks/05-b");
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	assert_non_null(strstr(entry, "MESSAGE_ID=" EVENT_HARVESTED "\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_INCIDENT=" A "\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_TITLE=BUG: x\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_SIGNATURE=s\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_COMPLETE=yes\n"));
	run(fixture, "printf '%s/hooks/05-b %s/store/" A " " A " BUG: x present\n"
		     "%s/hooks/10-a %s/store/" A " " A
		     " BUG: x present\n' $PWD $PWD $PWD $PWD | cmp - said");
	run(fixture,
	    "grep -q '^To: root$' mails && grep -q '^Subject: lockdump: .*: BUG: x$' mails && "
	    "grep -q 'folder .*/store/" A "$' mails");
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 0);
	run(fixture, "test $(wc -l <said) = 2 && test $(grep -c ^To: mails) = 1");
}

static void test_no_manifest(void **state)
{
	struct fixture *fixture = *state;
	struct record_header header = {
		.anchor_realtime_ns = 1767225600ull * 1000000000,
		.fired_by = RECORD_FIRED_KERNEL,
		.fired_onset_ns = 1000000000,
		.fired_ns = 5000000000,
		.fired_cpu = 2,
		.fired_reason = "stuck\x1b",
		.release = "6.1.0",
	};
	struct incident incident;
	char entry[4096];

	make_record_header(&header, 1);
	store_add(&fixture->store, A, "dmesg.txt", "log");
	assert_no_error(incident_open(fixture->store.path, A, &incident));
	assert_no_error(incident_write(&incident, "record.bin", &header, sizeof(header)));
	incident_close(&incident);
	run(fixture, "echo half >store/" A "/vmcore.incomplete");
	harvest(fixture);
	assert_int_equal(entries(fixture, entry), 1);
	assert_non_null(strstr(entry, "LOCKDUMP_COMPLETE=no\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_DUMP=incomplete\n"));
	struct json_object *manifest = manifest_of(fixture, A);
	assert_false(json_get_bool(manifest, "complete"));
	struct json_object *trigger = json_member(manifest, "trigger");
	assert_string_equal(json_object_get_string(json_member(trigger, "by")), "kernel");
	assert_string_equal(json_object_get_string(json_member(trigger, "reason")), "stuck?");
	assert_true(json_get_double(json_member(manifest, "times"), "trigger") == 1767225605);
	assert_string_equal(json_object_get_string(json_member(manifest, "kernel")), "6.1.0");
	assert_int_equal(json_object_array_length(json_member(manifest, "files")), 2);
	assert_step(manifest, 0, "vmcore", "not written to its end: 5 B are there");
	assert_step(manifest, 1, "harvest",
		    "there was no manifest: this one was made of what was left");
	json_object_put(manifest);
	run(fixture, "test -e store/" A "/vmcore.incomplete");
}

static void test_lost_file(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	store_add_manifest(&fixture->store, A,
			   LISTING ", \"complete\": true, \"later\": {\"version\": 2},"
				   "\"steps\": [{\"name\": \"dmesg\", \"outcome\": \"done\"}]");
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	assert_non_null(strstr(entry, "LOCKDUMP_DUMP=missing\n"));
	struct json_object *manifest = manifest_of(fixture, A);
	assert_false(json_get_bool(manifest, "complete"));
	assert_step(manifest, 1, "harvest", "vmcore gone");
	/* What a later version has added stays. */
	assert_int_equal(json_get_number(json_member(manifest, "later"), "version"), 2);
	json_object_put(manifest);
}

static void test_bad_hooks(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings.hook_timeout_s = 1;
	store_add_manifest(&fixture->store, A, "\"complete\": true");
	run(fixture,
	    "cd hooks && printf '#!/bin/sh\\necho oops >&2; exit 3\\n' >1 && "
	    "printf '#!/bin/sh\\nsleep 100 & echo $! >%s/../child; wait\\n' \"$PWD\" >2 && "
	    "printf '#!/bin/sh\\necho ran >%s/../said\\n' \"$PWD\" >3 && cp 3 4 && cp 3 '5~' && cp 3 .6 && "
	    "cp 3 7.dpkg-old && chmod 755 1 2 3 '5~' .6 7.dpkg-old && mkdir 8 && cp 3 9 && chmod 777 9");
	assert_false(harvest(fixture));
	run(fixture,
	    "grep -q 'hooks/1: exit status 3: oops' stderr && grep -q 'hooks/2: not done after 1 s' stderr && "
	    "grep -q 'hooks/4: not run: not executable' stderr && grep -q 'hooks/8: not run: not a file' stderr && "
	    "grep -q 'hooks/9: not run: others' stderr && ! grep -q '5~\\|/\\.6\\|7.dpkg' stderr");
	run(fixture, "test \"$(cat said)\" = ran");
	/* What it had started is gone, too. */
	run(fixture,
	    "for i in 1 2 3 4 5 6 7 8 9 10; do s=$(cut -d' ' -f3 /proc/$(cat child)/stat 2>/dev/null); "
	    "[ \"${s:-Z}\" = Z ] && exit 0; sleep 0.1; done; exit 1");
}

/* Who may put a link to any program of root's there could have it run. */
static void test_open_folder(void **state)
{
	struct fixture *fixture = *state;

	store_add_manifest(&fixture->store, A, "\"complete\": true");
	run(fixture,
	    "printf '#!/bin/sh\\necho ran >%s/said\\n' \"$PWD\" >hooks/1 && chmod 755 hooks/1 && chmod 777 hooks");
	assert_false(harvest(fixture));
	run(fixture, "grep -q 'hooks: not looked into: others' stderr && test ! -e said");
}

static void test_host_name(void **state)
{
	static const char name[] = "rig\nBcc: somebody\n\n";
	struct fixture *fixture = *state;

	if (unshare(CLONE_NEWUTS) || sethostname(name, strlen(name)))
		SKIP("the host's name cannot be changed");
	strcpy(fixture->settings.mail_to, "root");
	store_add_manifest(&fixture->store, A, "\"complete\": true");
	assert_true(harvest(fixture));
	run(fixture,
	    "! grep -q ^Bcc mails && grep -q '^Subject: lockdump: rig?Bcc: somebody' mails");
}

static void set_mark(const struct fixture *fixture, const char *id, struct harvest_mark mark)
{
	struct incident incident;

	assert_no_error(incident_open(fixture->store.path, id, &incident));
	assert_no_error(harvest_mark_write(&incident, &mark));
	incident_close(&incident);
}

static void test_interrupted(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	store_add_manifest(&fixture->store, A, "\"complete\": true");
	set_mark(fixture, A, (struct harvest_mark){ .attempts = 1 });
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	set_mark(fixture, A, (struct harvest_mark){ .attempts = 2 });
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 0);
}

static void test_interrupted_report(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *manifest;

	store_add(&fixture->store, A, "report.json", "{\"title\": \"new\"}");
	store_add_manifest(
		&fixture->store, A,
		"\"complete\": true, \"files\": [{\"name\": \"dmesg.txt\", \"size\": 0},"
		"{\"name\": \"report.json\", \"size\": 4}], \"report\": {\"title\": \"old\"}");
	store_add(&fixture->store, A, "dmesg.txt", "");
	store_add(&fixture->store, A, "report.txt.incomplete", "half");
	set_mark(fixture, A, (struct harvest_mark){ .attempts = 1, .replacing = true });
	assert_true(harvest(fixture));
	manifest = manifest_of(fixture, A);
	assert_true(json_get_bool(manifest, "complete"));
	assert_string_equal(
		json_object_get_string(json_member(json_member(manifest, "report"), "title")),
		"new");
	json_object_put(manifest);
}

static void test_no_mark(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	strcpy(fixture->settings.mail_to, "root");
	store_add_manifest(&fixture->store, A, "\"complete\": true");
	run(fixture, "mkdir store/" A "/harvested.json.incomplete");
	assert_false(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	run(fixture, "test ! -e mails");
}

static void test_held(void **state)
{
	struct fixture *fixture = *state;
	struct incident incident;
	char entry[4096];

	store_add_manifest(&fixture->store, A, "\"complete\": true");
	assert_no_error(incident_open(fixture->store.path, A, &incident));
	incident_hold(&incident);
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 0);
	incident_close(&incident);
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
}

static void test_removes(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	fixture->settings.keep.incidents = 1;
	store_add_manifest(&fixture->store, A, "\"complete\": true");
	store_add_manifest(&fixture->store, B, "\"complete\": true");
	store_add(&fixture->store, B, "keep", "");
	store_add_manifest(&fixture->store, C, "\"complete\": true");
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 4);
	assert_non_null(strstr(entry, "MESSAGE_ID=" EVENT_REMOVED "\n"));
	assert_non_null(strstr(entry, "LOCKDUMP_REASON=there were 2 (KeepIncidents=1)\n"));
	run(fixture, "test \"$(ls store | tr '\\n' ' ')\" = '" B " " C " '");
}

static void test_shared(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	fixture->is_shared = true;
	fixture->settings.keep.incidents = 1;
	store_add_manifest(&fixture->store, A, "\"complete\": true, \"rig\": \"5678\"");
	store_add_manifest(&fixture->store, B, "\"complete\": true, \"rig\": \"1234\"");
	store_add(&fixture->store, C, "rig.json", "{\"rig\": \"1234\"}");
	run(fixture, "touch -d '1 hour ago' store/" C " store/" C "/*");
	store_add(&fixture->store, "20260104T000000Z-0123abcd", "dmesg.txt", "whose?");
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 2);
	run(fixture, "test \"$(echo store/*/harvested.json)\" = 'store/" B
		     "/harvested.json store/" C "/harvested.json'");
	/* The newest of its own is not complete: neither its own nor the other's goes. */
	run(fixture, "test $(ls store | wc -l) = 4 && rm -r store/" C);
	store_add_manifest(&fixture->store, C, "\"complete\": true, \"rig\": \"1234\"");
	assert_true(harvest(fixture));
	run(fixture, "test ! -e store/" B " && test $(ls store | wc -l) = 3");
}

/* In a store like /tmp anybody may have made the newest incident, or a thousand of them. */
static void test_others(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	fixture->settings.keep.incidents = 1;
	run(fixture,
	    "printf '#!/bin/sh\\necho $1 >>%s/said\\n' \"$PWD\" >hooks/1 && chmod 755 hooks/1");
	store_add_manifest(&fixture->store, A, "\"complete\": true");
	store_add_manifest(&fixture->store, B, "\"complete\": true");
	store_add(&fixture->store, C, "vmcore", "dump");
	run(fixture, "chmod 777 store/" B " store/" C);
	assert_true(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	run(fixture,
	    "test \"$(cat said)\" = $PWD/store/" A " && test $(ls store | wc -l) = 3 && "
	    "test ! -e store/" C "/manifest.json && grep -q '2 incidents are left' stderr");
}

static void test_bad_dump(void **state)
{
	struct fixture *fixture = *state;
	char entry[4096];

	store_add(&fixture->store, A, "vmcore", "dump");
	store_add(&fixture->store, A, "report.txt", "text");
	store_add_manifest(&fixture->store, A, LISTING ", \"complete\": false");
	assert_false(harvest(fixture));
	assert_int_equal(entries(fixture, entry), 1);
	run(fixture, "grep -q 'incident " A ": the report: ' stderr");
	run(fixture, "test \"$(cat store/" A "/report.txt)\" = text && ! ls store/" A
		     " | grep -q incomplete");
}

static void test_flood(void **state)
{
	struct fixture *fixture = *state;
	char id[64];

	/* Nobody reads the journal's socket here, which takes no more than ten. */
	run(fixture, "rm socket");
	for (int i = 0; i < 25; i++) {
		snprintf(id, sizeof(id), "20260101T0000%02dZ-0123abcd", i);
		store_add_manifest(&fixture->store, id, "\"complete\": true");
	}
	harvest(fixture);
	run(fixture,
	    "test $(ls store/*/harvested.json | wc -l) = 20 && grep -q 'next harvest' stderr");
	harvest(fixture);
	run(fixture, "test $(ls store/*/harvested.json | wc -l) = 25");
}

int main(void)
{
#define HARVEST_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)
	const struct CMUnitTest tests[] = {
		HARVEST_TEST("journal, hooks and mail are told, once", test_once),
		HARVEST_TEST("without a manifest one is made of what is there", test_no_manifest),
		HARVEST_TEST("a manifest whose files are gone says so then", test_lost_file),
		HARVEST_TEST("hooks that fail, hang or are none stop no other", test_bad_hooks),
		HARVEST_TEST("a folder that others may write to has no hooks", test_open_folder),
		HARVEST_TEST("no host name adds to the head of a mail", test_host_name),
		HARVEST_TEST("after an interruption it is tried once more, then never again",
			     test_interrupted),
		HARVEST_TEST("a report whose replacement was interrupted is the manifest's then",
			     test_interrupted_report),
		HARVEST_TEST("where no mark can be written the journal alone is told",
			     test_no_mark),
		HARVEST_TEST("what is being written is left alone", test_held),
		HARVEST_TEST("what is too much goes, and that is told", test_removes),
		HARVEST_TEST("in a store that machines share each sees to its own", test_shared),
		HARVEST_TEST("what others may have written is neither told of nor counted",
			     test_others),
		HARVEST_TEST("a dump that is none leaves the report as it was", test_bad_dump),
		HARVEST_TEST("a store full of old incidents is no flood of mails", test_flood),
	};

	return RUN_TESTS(tests);
}
