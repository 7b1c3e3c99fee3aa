// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/age.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"

#define MOST_SIZE 65536 /* some hundred keys */
#define LIMIT_S	  20
#define COMPLAINT "age: error: "

/* The first line of every file of age's. */
#define HEADER "age-encryption.org/v1\n"

static bool has(const char *text, size_t size, const char *word)
{
	return memmem(text, size, word, strlen(word));
}

/* "age1NAME1...": the 1 is the last one, and what is behind it has none; a key of age's own has no NAME. */
static bool is_plugins(const char *line)
{
	return !strncmp(line, "age1", 4) && strchr(line + 4, '1');
}

static struct error *check_lines(const char *file, char *text)
{
	unsigned int number = 0;
	char *rest = text;

	for (const char *line; (line = strsep(&rest, "\n"));) {
		number++;
		if (is_plugins(line))
			return error_create(
				ERROR_OTHER,
				"%s:%u: a recipient of an age plugin, which the capture "
				"kernel has not; take a key of age's own or of ssh's",
				file, number);
	}
	return NULL;
}

static struct error *check_text(const char *file)
{
	_cleanup_free_ char *text = NULL;
	uint64_t size;
	int fd;
	struct error *err = regular_file_open(file, &fd, &size);

	if (err)
		return err;
	_cleanup_close_ int in = fd;
	if (size > MOST_SIZE)
		return error_create(ERROR_OTHER, "%s: too large for a file of public keys", file);
	text = calloc(1, size + 1);
	if (!text)
		return &error_no_memory;
	ssize_t n = pread(in, text, size, 0);
	if (n < 0)
		return error_errno("%s", file);
	if (has(text, n, "AGE-SECRET-KEY-") || has(text, n, "AGE-PLUGIN-") ||
	    has(text, n, "PRIVATE KEY-----"))
		return error_create(
			ERROR_OTHER,
			"%s: has a private key in it, which must not be on the rig; give "
			"the public one, as 'age-keygen -y FILE' prints it",
			file);
	return check_lines(file, text);
}

struct error *age_explain(const char *messages, struct error *err)
{
	const char *said = err ? strstr(messages, COMPLAINT) : NULL;

	if (!said)
		return err;
	said += strlen(COMPLAINT);
	struct error *better =
		error_create(err->class, "age: %.*s", (int)strcspn(said, "\r\n"), said);
	error_destroy(err);
	return better;
}

static struct error *try(const char *program, const char *recipients)
{
	_cleanup_close_ int in = memfd_create("age", MFD_CLOEXEC);
	_cleanup_close_ int out = memfd_create("age", MFD_CLOEXEC);
	char head[sizeof(HEADER)] = "";
	struct run run = RUN_INIT;

	if (in < 0 || out < 0 || dprintf(in, "lockdump") < 0 || lseek(in, 0, SEEK_SET))
		return error_errno("memfd");
	run.limit_s = LIMIT_S;
	run.input = in;
	run.output = out;
	struct error *err = run_program(&run, (const char *[]){ program, "-R", recipients, NULL });
	if (err)
		return error_prefix(age_explain(run.messages, err), "%s", recipients);
	if (pread(out, head, sizeof(head) - 1, 0) < 0 || strcmp(head, HEADER))
		return error_create(ERROR_OTHER, "%s: what it wrote is no file of age's", program);
	return NULL;
}

struct error *age_check(const char *program, const char *recipients)
{
	struct error *err = check_text(recipients);

	return err ? err : try(program, recipients);
}
