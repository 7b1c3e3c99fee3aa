// SPDX-License-Identifier: GPL-2.0-only
#include "capture/watch_seen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/budget.h"
#include "capture/clock.h"
#include "capture/preflight.h"
#include "kdump/rooted.h"
#include "state/record_pin.h"

/* The lock tells who holds it. */
static void find_process(const char *root, struct watch_seen *seen)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" WATCH_LOCK, root);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		seen->is_known = errno == ENOENT;
		return;
	}
	if (fcntl(fd, F_GETLK, &lock))
		return;
	seen->is_known = true;
	if (lock.l_type != F_UNLCK)
		seen->pid = lock.l_pid;
}

/* "lockdump\0watch\0...", from its second word on; 0: it is not that. */
static int split_command_line(struct watch_seen *seen, size_t size)
{
	const size_t most = sizeof(seen->arguments) / sizeof(seen->arguments[0]) - 1;
	char *at = seen->command_line, *end = at + size;
	size_t count = 0;

	at += strlen(at) + 1;
	for (; at < end && count < most; at += strlen(at) + 1)
		seen->arguments[count++] = at;
	return at < end || !count || strcmp(seen->arguments[0], "watch") ? 0 : (int)count;
}

static void find_options(const char *root, struct watch_seen *seen)
{
	char path[64], folder[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)seen->pid);
	_cleanup_fclose_ FILE *file = rooted_open(root, path);
	size_t size = file ? fread(seen->command_line, 1, sizeof(seen->command_line) - 1, file) : 0;
	int count =
		size && size < sizeof(seen->command_line) - 1 ? split_command_line(seen, size) : 0;
	if (!count)
		return;
	snprintf(folder, sizeof(folder), "%s" CONFIGURATION_FOLDER, root);
	struct error *err = watch_options_parse(count, seen->arguments, folder, &seen->options);
	seen->has_options = !err;
	error_destroy(err);
}

static void find_header(const char *root, struct watch_seen *seen)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" RECORD_PIN_PATH, root);
	struct error *err = record_header_from_pin(path, &seen->header);
	/* Else it is what an earlier one has left. */
	seen->has_header = !err && seen->header.controller_pid == (uint32_t)seen->pid;
	error_destroy(err);
	if (!seen->has_header)
		return;
	uint64_t now = now_ns(), last = seen->header.heartbeat_ns;
	seen->heartbeat_age_s = now > last ? (double)(now - last) / NS_PER_SEC : 0;
}

/* The configuration may have changed since it was started. */
static void correct_options(struct watch_seen *seen)
{
	if (!seen->has_header || seen->header.trigger_mode > RECORD_TRIGGER_AUTO)
		return;
	seen->options.trigger = seen->header.trigger_mode;
	seen->options.trigger_after_ns = seen->header.trigger_after_ns;
}

static void count_triggers(const char *root, struct watch_seen *seen)
{
	char store[PATH_MAX];

	snprintf(store, sizeof(store), "%s%s", root, seen->options.store);
	struct error *err = budget_count(root, store, &seen->options.max_triggers, &seen->triggers);
	seen->has_triggers = !err;
	error_destroy(err);
}

void watch_seen_look(const char *root, struct watch_seen *ret)
{
	*ret = (struct watch_seen){ 0 };
	find_process(root, ret);
	if (ret->pid)
		find_options(root, ret);
	if (ret->pid)
		find_header(root, ret);
	if (ret->has_options) {
		correct_options(ret);
		count_triggers(root, ret);
	}
}

void watch_seen_deinit(struct watch_seen *seen)
{
	if (seen->has_options)
		watch_options_deinit(&seen->options);
}
