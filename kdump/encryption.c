// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/encryption.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kdump/age.h"
#include "kdump/makedumpfile.h"

/* makedumpfile | sieve | age: each in its own process, and the end of each is seen. */
static struct error *run_all(struct encryption *encryption, const char *const dump[],
			     const char *const encrypt[])
{
	struct run_stage stages[] = {
		{ .run = RUN_INIT, .argv = dump },
		{ .run = RUN_INIT, .function = sieve_run, .arg = &encryption->sieve },
		{ .run = RUN_INIT, .argv = encrypt },
	};
	const size_t count = sizeof(stages) / sizeof(stages[0]);
	struct run *age = &stages[count - 1].run;

	for (size_t i = 0; i < count; i++)
		stages[i].run.echo = true;
	age->output = encryption->out;
	return age_explain(age->messages, run_pipeline(stages, count));
}

struct error *encryption_save(struct encryption *encryption)
{
	const struct rlimit limit = { .rlim_cur = encryption->room, .rlim_max = encryption->room };
	char level[16];
	struct stat st;

	/* A limit that the kernel enforces: nothing else would keep the disk from filling up in time. */
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return error_errno("file size limit");
	snprintf(level, sizeof(level), "%u", encryption->level);
	struct error *err = run_all(encryption,
				    (const char *[]){ "makedumpfile", "-F",
						      makedumpfile_flag(encryption->compression),
						      "-d", level, "--message-level",
						      MAKEDUMPFILE_MESSAGES, "/proc/vmcore", NULL },
				    (const char *[]){ "age", "-R", AGE_RECIPIENTS_PATH, NULL });
	if (err && !fstat(encryption->out, &st) && st.st_size >= encryption->room) {
		error_destroy(err);
		err = error_create(ERROR_OTHER, "age: the dump does not fit into %lld MB",
				   (long long)encryption->room / 1000000);
	}
	return err;
}
