// SPDX-License-Identifier: GPL-2.0-only
/* A store's manifest.json, and what is read of its report.json: the input is both. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "kdump/manifest_read.h"

static char folder[] = "/tmp/lockdump-fuzz.XXXXXX";

static void remove_folder(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/manifest.json", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/report.json", folder);
	unlink(path);
	rmdir(folder);
}

static int open_folder(void)
{
	int fd = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;

	if (fd < 0)
		exit(2);
	atexit(remove_folder);
	return fd;
}

static void put(int dirfd, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		exit(2);
	close(fd);
}

/* Nothing that is opened by these names is elsewhere. */
static void use_files(const struct manifest_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *name = files->items[i].name;
		const char *slash = strchr(name, '/');
		if (!*name || *name == '.' || *name == '/' ||
		    (slash && (strchr(slash + 1, '/') || slash[1] == '.')))
			abort();
		fuzz_touch(files->items[i].sha256, strlen(files->items[i].sha256) + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct incident incident = { .dirfd = -1, .id = "id" };
	struct manifest_files files;
	struct manifest manifest;
	struct report_head head;

	if (incident.dirfd < 0)
		incident.dirfd = open_folder();
	put(incident.dirfd, "manifest.json", data, size);
	put(incident.dirfd, "report.json", data, size);
	if (fuzz_ok(manifest_read(&incident, &manifest, &files))) {
		use_files(&files);
		struct json_object *json = manifest_to_json(&manifest, &files);
		const char *text = json_object_to_json_string_ext(json, 0);
		fuzz_touch(text, strlen(text) + 1);
		json_object_put(json);
		manifest_files_deinit(&files);
	}
	if (report_head_read(incident.dirfd, &head))
		fuzz_touch(head.title, strlen(head.title) + 1);
	return 0;
}
