// SPDX-License-Identifier: GPL-2.0-only
/* Whom a vmcore can be encrypted to. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kdump/age.h"
#include "make_dump.h"

/* Public keys: nobody needs what belongs to them. */
#define AGE_KEY "age1rlqz62rqffvmvkqq7zrqfpzhvdkdh3uj3fnxj5vxudcz3l0a44gqep06qs"
#define SSH_KEY \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILSrRtHGnz/1x9I/HJWpFYKXgjoxm/SrsgITOpolEZv9 a@b"

#define WORKING "[ \"$1\" = -R ] && grep -q . \"$2\" && echo age-encryption.org/v1 && cat"

struct place {
	char folder[64], recipients[96], program[96];
};

static int set_up(void **state)
{
	struct place *place = malloc(sizeof(*place));

	strcpy(place->folder, "/tmp/lockdump-test.XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->recipients, sizeof(place->recipients), "%s/recipients", place->folder);
	snprintf(place->program, sizeof(place->program), "%s/age", place->folder);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->recipients);
	unlink(place->program);
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* What age_check() says of such recipients, to a stand-in for age that does @script. */
static struct error *check(const struct place *place, const char *recipients, const char *script)
{
	char text[512];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	write_text(place->program, text, 0700);
	write_text(place->recipients, recipients, 0600);
	return age_check(place->program, place->recipients);
}

static void test_real(void **state)
{
	const struct place *place = *state;
	struct error *err = run_installed("age", NULL);

	if (err) {
		print_message("skipped: %s\n", err->message);
		error_destroy(err);
		skip();
	}
	write_text(place->recipients, "# the lab's\n" AGE_KEY "\n\n" SSH_KEY "\n", 0600);
	assert_no_error(age_check("age", place->recipients));
	write_text(place->recipients, AGE_KEY "x\n", 0600);
	assert_error(age_check("age", place->recipients), ERROR_OTHER, "malformed recipient");
	write_text(place->recipients, "# nobody\n", 0600);
	assert_error(age_check("age", place->recipients), ERROR_OTHER, "no recipients found");
}

static void test_private_keys(void **state)
{
	const struct place *place = *state;

	assert_no_error(check(place, AGE_KEY "\n", WORKING));
	assert_error(check(place, "# public key: " AGE_KEY "\nAGE-SECRET-KEY-1QQ\n", WORKING),
		     ERROR_OTHER, "private key in it, which must not be on the rig");
	assert_error(check(place, "-----BEGIN OPENSSH PRIVATE KEY-----\n", WORKING), ERROR_OTHER,
		     "private key in it");
	assert_error(check(place, AGE_KEY "\n# AGE-PLUGIN-YUBIKEY-1QQ\n", WORKING), ERROR_OTHER,
		     "private key in it");
}

static void test_plugins(void **state)
{
	assert_error(
		check(*state, "# a\nage1yubikey1qwt50d05nh5\n", WORKING), ERROR_OTHER,
		"recipients:2: a recipient of an age plugin, which the capture kernel has not");
}

static void test_no_file(void **state)
{
	const struct place *place = *state;

	write_text(place->program, "#!/bin/sh\n" WORKING "\n", 0700);
	assert_error(age_check(place->program, place->recipients), ERROR_SYSTEM,
		     "recipients: No such file or directory");
	assert_int_equal(mkfifo(place->recipients, 0600), 0);
	assert_error(age_check(place->program, place->recipients), ERROR_OTHER,
		     "not a regular file");
}

static void test_broken(void **state)
{
	const struct place *place = *state;

	assert_error(check(place, AGE_KEY "\n", "exit 0"), ERROR_OTHER,
		     "age: what it wrote is no file of age's");
	assert_error(check(place, AGE_KEY "\n", "echo plain; cat"), ERROR_OTHER,
		     "age: what it wrote is no file of age's");
	assert_error(check(place, AGE_KEY "\n",
			   "echo 'age: error: no luck' >&2; echo 'age: report it' >&2; exit 1"),
		     ERROR_OTHER, "recipients: age: no luck");
	assert_error(check(place, AGE_KEY "\n", "kill -9 $$"), ERROR_OTHER, "killed by signal 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH("age takes its own keys and ssh's, and says what is none", test_real,
			  set_up, tear_down),
		TEST_WITH("a private key is refused", test_private_keys, set_up, tear_down),
		TEST_WITH("a plugin's recipient is refused: there are no plugins after the crash",
			  test_plugins, set_up, tear_down),
		TEST_WITH("a file that is not there, or is none, is an error", test_no_file, set_up,
			  tear_down),
		TEST_WITH("an age that does not encrypt is found out", test_broken, set_up,
			  tear_down),
	};

	return RUN_TESTS(tests);
}
