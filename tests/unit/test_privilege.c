// SPDX-License-Identifier: GPL-2.0-only
/* What is left of root's capabilities, by /proc/self/status of a child each. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/privilege.h"

#define BIT(cap) (1ULL << (cap))
#define SPOOLER	 (BIT(CAP_SYSLOG) | BIT(CAP_DAC_READ_SEARCH))
#define HELPER	 (SPOOLER | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_ADMIN))

struct status {
	unsigned long long effective, permitted, bounding, no_new_privs;
};

static struct status read_status(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/status", "r");
	struct status status = { -1, -1, -1, -1 };
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "CapEff: %llx", &status.effective);
		sscanf(line, "CapPrm: %llx", &status.permitted);
		sscanf(line, "CapBnd: %llx", &status.bounding);
		sscanf(line, "NoNewPrivs: %llu", &status.no_new_privs);
	}
	return status;
}

/* Of a child that has called @cut. */
static struct status status_after(struct error *(*cut)(void))
{
	struct status status;
	int ends[2], result;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (!child) {
		struct error *err = cut();
		if (err)
			_exit(error_report(err));
		status = read_status();
		_exit(write(ends[1], &status, sizeof(status)) != sizeof(status));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &status, sizeof(status)), sizeof(status));
	close(ends[0]);
	waitpid(child, &result, 0);
	assert_int_equal(result, 0);
	return status;
}

static void need_root(void)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t admin = CAP_CLEAR, setpcap = CAP_CLEAR;

	cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &admin);
	cap_get_flag(caps, CAP_SETPCAP, CAP_EFFECTIVE, &setpcap);
	cap_free(caps);
	if (geteuid() || admin != CAP_SET || setpcap != CAP_SET)
		SKIP("not root with all its capabilities");
}

static void test_sentry(void **state)
{
	(void)state;
	need_root();
	struct status status = status_after(privilege_cut_sentry);
	assert_int_equal(status.effective, 0);
	assert_int_equal(status.permitted, 0);
	assert_int_equal(status.bounding, 0);
	assert_int_equal(status.no_new_privs, 1);
}

static struct error *cut_spooler(void)
{
	return privilege_cut_spooler("/", NULL);
}

static void test_spooler(void **state)
{
	(void)state;
	need_root();
	struct status status = status_after(cut_spooler);
	assert_int_equal(status.effective, SPOOLER);
	assert_int_equal(status.permitted, HELPER);
	assert_int_equal(status.bounding, 0);
	assert_int_equal(status.no_new_privs, 1);
}

static char folder[] = "/tmp/lockdump-test.XXXXXX";
static char metrics[64];

static struct error *cut_spooler_of_another(void)
{
	struct error *err = privilege_cut_spooler("/", metrics);

	if (!err && access(folder, W_OK))
		return error_errno("%s", folder);
	return err;
}

static void test_other_owner(void **state)
{
	(void)state;
	need_root();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chown(folder, 65534, 65534), 0);
	snprintf(metrics, sizeof(metrics), "%s/lockdump.prom", folder);
	struct status status = status_after(cut_spooler_of_another);
	rmdir(folder);
	assert_int_equal(status.effective, SPOOLER | BIT(CAP_DAC_OVERRIDE));
	assert_int_equal(status.permitted, HELPER | BIT(CAP_DAC_OVERRIDE));
}

static struct error *cut_helper(void)
{
	struct error *err = cut_spooler();

	return err ? err : privilege_for_helper();
}

static void test_helper(void **state)
{
	(void)state;
	need_root();
	struct status status = status_after(cut_helper);
	assert_int_equal(status.effective, HELPER);
	assert_int_equal(status.permitted, HELPER);
}

/* A service manager's CapabilityBoundingSet= may have left less. */
static struct error *cut_spooler_of_little(void)
{
	static const cap_value_t kept[] = { CAP_SYSLOG };
	cap_t caps = cap_init();

	cap_set_flag(caps, CAP_PERMITTED, 1, kept, CAP_SET);
	cap_set_flag(caps, CAP_EFFECTIVE, 1, kept, CAP_SET);
	int failed = cap_set_proc(caps);
	cap_free(caps);
	return failed ? error_errno("cap_set_proc") : cut_spooler();
}

static void test_little(void **state)
{
	(void)state;
	need_root();
	struct status status = status_after(cut_spooler_of_little);
	assert_int_equal(status.effective, BIT(CAP_SYSLOG));
	assert_int_equal(status.permitted, BIT(CAP_SYSLOG));
	assert_int_equal(status.no_new_privs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("the sentry keeps no capability", test_sentry),
		TEST("the spooler keeps two, and two more for its helpers", test_spooler),
		TEST("the spooler overrides permissions where the store is another user's",
		     test_other_owner),
		TEST("a helper has those that reading /proc takes", test_helper),
		TEST("what was not there is not wanted", test_little),
	};

	return RUN_TESTS(tests);
}
