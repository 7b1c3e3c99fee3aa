// SPDX-License-Identifier: GPL-2.0-only
/* lockdump lab: hands over to scripts/lab of the source tree that this program was built in. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/error.h"
#include "lockdump.h"

/* The tree's build/lockdump gives its scripts/lab. Not by /proc/self/exe: a chroot may have no /proc. */
static struct error *find_script(char *ret, size_t size)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	char program[PATH_MAX];

	if (!realpath(name, program))
		return error_errno("lab: %s", name);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(program, '/');

		if (slash)
			*slash = '\0';
	}
	if ((size_t)snprintf(ret, size, "%s/scripts/lab", program) >= size) {
		errno = ENAMETOOLONG;
		return error_errno("lab: %s", program);
	}
	return NULL;
}

int cmd_lab(int argc, char **argv)
{
	char script[PATH_MAX];
	struct error *err = find_script(script, sizeof(script));

	(void)argc;
	if (err)
		return error_report(err);
	argv[0] = script;
	execv(script, argv);
	return error_report(error_errno("lab: %s: the lab is run from a source tree", script));
}
