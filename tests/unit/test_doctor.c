// SPDX-License-Identifier: GPL-2.0-only
/* What doctor finds under a root that the test makes. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "capture/doctor.h"
#include "capture/kconfig.h"
#include "test.h"

struct fixture {
	char root[32];
	struct doctor doctor;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->root, "/tmp/lockdump-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	fixture->doctor.root = fixture->root;
	*state = fixture;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	nftw(fixture->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	findings_deinit(&fixture->doctor.findings);
	free(fixture);
	return 0;
}

/* The path of a file under the root, whose folders are made. */
static const char *place(const struct fixture *fixture, const char *path)
{
	static char place[256];

	snprintf(place, sizeof(place), "%s%s", fixture->root, path);
	for (char *c = place + strlen(fixture->root) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(place, 0700);
		*c = '/';
	}
	return place;
}

static void write_file(const struct fixture *fixture, const char *path, const char *text)
{
	FILE *file = fopen(place(fixture, path), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const struct finding *found(const struct fixture *fixture, const char *name)
{
	const struct findings *findings = &fixture->doctor.findings;

	for (size_t i = 0; i < findings->list.count; i++)
		if (!strcmp(findings->list.data[i].name, name))
			return &findings->list.data[i];
	return NULL;
}

static void assert_found(const struct fixture *fixture, const char *name, enum finding_state state,
			 const char *variant)
{
	const struct finding *finding = found(fixture, name);

	assert_non_null(finding);
	assert_int_equal(finding->state, state);
	if (variant)
		assert_string_equal(finding->variant, variant);
	else
		assert_null(finding->variant);
	if (state != FINDING_OK)
		assert_true(finding->lost || finding->why);
}

static void test_kconfig(void **state)
{
	struct fixture *fixture = *state;
	gzFile file = gzopen(place(fixture, "/proc/config.gz"), "w");

	gzputs(file, "# CONFIG_BPF_JIT is not set\nCONFIG_BPF_SYSCALL=y\n"
		     "CONFIG_KEXEC_FILE_NOT=y\nCONFIG_KEXEC=y\nCONFIG_PSTORE=m\n"
		     "CONFIG_CRASH_DUMP=n\n");
	gzclose(file);
	write_file(fixture, "/boot/config-6.1",
		   "CONFIG_BPF_JIT=y\n"); /* the kernel's own word counts */
	doctor_kconfig(&fixture->doctor, "6.1");
	assert_found(fixture, "BPF", FINDING_OK, "CONFIG_BPF_SYSCALL");
	assert_found(fixture, "BPF compiler", FINDING_MISSING, "CONFIG_BPF_JIT");
	assert_found(fixture, "kexec", FINDING_OK, "CONFIG_KEXEC_FILE|CONFIG_KEXEC");
	assert_found(fixture, "kexec under lockdown", FINDING_DEGRADED, "CONFIG_KEXEC_FILE");
	assert_found(fixture, "pstore", FINDING_OK, "CONFIG_PSTORE");
	assert_found(fixture, "crash dumps", FINDING_MISSING, "CONFIG_CRASH_DUMP");
}

static void test_distribution_kconfig(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "/boot/config-6.1", "CONFIG_BPF_JIT=y\n");
	doctor_kconfig(&fixture->doctor, "6.1");
	assert_found(fixture, "BPF compiler", FINDING_OK, "CONFIG_BPF_JIT");
	assert_found(fixture, "BPF", FINDING_MISSING, "CONFIG_BPF_SYSCALL");
}

static void test_no_kconfig(void **state)
{
	struct fixture *fixture = *state;

	doctor_kconfig(&fixture->doctor, "6.1");
	assert_int_equal(fixture->doctor.findings.list.count, 1);
	assert_found(fixture, "configuration", FINDING_UNKNOWN, NULL);
}

#define LOCKDOWN "/sys/kernel/security/lockdown"

static void assert_lockdown(struct fixture *fixture, const char *text, enum finding_state state,
			    const char *variant)
{
	findings_deinit(&fixture->doctor.findings);
	fixture->doctor.findings = (struct findings){};
	write_file(fixture, LOCKDOWN, text);
	doctor_lockdown(&fixture->doctor);
	assert_found(fixture, "lockdown", state, variant);
}

static void test_lockdown(void **state)
{
	struct fixture *fixture = *state;

	doctor_lockdown(&fixture->doctor);
	assert_found(fixture, "lockdown", FINDING_OK, "none is told of (no " LOCKDOWN ")");
	assert_lockdown(fixture, "[none] integrity confidentiality\n", FINDING_OK, "none");
	assert_lockdown(fixture, "none [integrity] confidentiality\n", FINDING_DEGRADED,
			"integrity");
	assert_lockdown(fixture, "none integrity [confidentiality]\n", FINDING_DEGRADED,
			"confidentiality");
	assert_non_null(strstr(found(fixture, "lockdown")->lost, "the recorder"));
}

static void test_sysctls(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "/proc/sys/kernel/watchdog_thresh", "10\n");
	write_file(fixture, "/proc/sys/kernel/kptr_restrict", "2\n");
	write_file(fixture, "/proc/sys/kernel/softlockup_panic", "0\n");
	doctor_sysctls(&fixture->doctor);
	assert_found(fixture, "kernel.watchdog_thresh", FINDING_OK, "10 s");
	assert_found(fixture, "kernel.kptr_restrict", FINDING_DEGRADED, "2");
	assert_string_equal(found(fixture, "kernel.kptr_restrict")->remedy,
			    "sysctl kernel.kptr_restrict=1");
	assert_found(fixture, "kernel.softlockup_panic", FINDING_OK, "0");
	/* Not there: said of those that each kernel should have. */
	assert_found(fixture, "kernel.watchdog", FINDING_UNKNOWN, NULL);
	assert_null(found(fixture, "kernel.kexec_load_disabled"));
}

static void test_capabilities(void **state)
{
	struct fixture *fixture = *state;

	/* All but CAP_SYS_BOOT (22) and CAP_BPF (39), which CAP_SYS_ADMIN stands for. */
	write_file(fixture, "/proc/self/status",
		   "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t0000007fffbfffff\n");
	fixture->doctor.is_root = true;
	doctor_privileges(&fixture->doctor);
	assert_found(fixture, "CAP_BPF", FINDING_OK, NULL);
	assert_found(fixture, "CAP_SYS_BOOT", FINDING_DEGRADED, NULL);
	assert_found(fixture, "CAP_SYSLOG", FINDING_OK, NULL);
}

#define FIXTURE_TEST(sentence, function) TEST_WITH(sentence, function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST("the kernel's own configuration counts; =y and =m are there, =n and "
			     "longer names are not",
			     test_kconfig),
		FIXTURE_TEST("else the distribution's copy counts", test_distribution_kconfig),
		FIXTURE_TEST("where nobody tells the configuration it is unknown", test_no_kconfig),
		FIXTURE_TEST("each mode of lockdown is told, with what it takes away",
			     test_lockdown),
		FIXTURE_TEST("a setting that takes something away is degraded, with the remedy",
			     test_sysctls),
		FIXTURE_TEST(
			"a capability that is not there is told; CAP_SYS_ADMIN stands for BPF's",
			test_capabilities),
	};
	return RUN_TESTS(tests);
}
