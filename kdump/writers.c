// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/writers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kdump/rooted.h"
#include "state/record_pin.h"

#define WRITING_S 600 /* who writes a vmcore does not pause for so long */

/* The incident that the flight record of this machine names: a watch has it open, or one that was killed, and the next will. */
static bool is_in_record(const char *id)
{
	struct record record;
	struct error *err = record_from_pin(RECORD_PIN_PATH, &record);

	if (err) {
		error_destroy(err);
		return false;
	}
	bool is = !strncmp(record.header->incident, id, sizeof(record.header->incident));
	record_deinit(&record);
	return is;
}

bool writers_this_boot(const char *id)
{
	char boot_id[40];

	rooted_line("", "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	return incident_id_is_of_boot(id, boot_id);
}

/* When something was last written to a file of it. */
static int64_t last_written_s(const struct incident *incident)
{
	int64_t newest = 0;
	int fd = openat(incident->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		if (!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_mtime > newest)
			newest = st.st_mtime;
	}
	closedir(dir);
	return newest;
}

/*
 * The store may be shared: then the capture kernel of another machine may be at it, which has no manifest yet but writes
 * all the time. On a disk of our own that cannot be, but who looks at it so soon after a crash can wait, too.
 */
static bool is_being_captured(const struct incident *incident, const struct incident_summary *one)
{
	return !one->has_manifest && !writers_this_boot(one->id) &&
	       store_is_shared(incident->dirfd) &&
	       time(NULL) - last_written_s(incident) < WRITING_S;
}

struct error *writers_check(const struct incident *incident, const struct incident_summary *one)
{
	if (!incident_try_lock(incident))
		return error_create(ERROR_OTHER,
				    "incident %s: somebody is writing it: "
				    "'lockdump watch' or 'lockdump harvest'",
				    one->id);
	if (writers_this_boot(one->id) && is_in_record(one->id))
		return error_create(ERROR_OTHER,
				    "incident %s: it is not over: the flight record goes on in it",
				    one->id);
	if (is_being_captured(incident, one))
		return error_create(ERROR_OTHER,
				    "incident %s: another machine may be writing it; try again in "
				    "10 minutes",
				    one->id);
	return NULL;
}
