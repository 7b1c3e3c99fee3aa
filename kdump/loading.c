// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/loading.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/kexec.h"
#include "kdump/loaded_image.h"
#include "kdump/run.h"
#include "kdump/state_folder.h"

#define STAGED ARMED_INITRAMFS ".incomplete" /* as incident_open_file() names it */

struct work {
	const char *root;
	const struct initramfs *plan;
	struct armed *armed;
	struct incident folder;
	struct armed before; /* what was kept; all empty: nothing */
	bool staged;
};

static struct error *digest_of(const struct work *work, const char *name,
			       char ret[static SHA256_HEX_SIZE])
{
	_cleanup_close_ int fd =
		openat(work->folder.dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? error_errno(STATE_FOLDER "/%s", name) : sha256_of(fd, name, ret);
}

/* Whether the initramfs that is kept is what would be made, and whole. */
static bool is_kept(const struct work *work)
{
	char sha256[SHA256_HEX_SIZE];

	if (strcmp(work->before.content, work->plan->content))
		return false;
	struct error *err = digest_of(work, ARMED_INITRAMFS, sha256);
	bool kept = !err && !strcmp(sha256, work->before.initramfs_sha256);
	error_destroy(err);
	return kept;
}

bool loading_is_in_memory(const char *root, const struct armed *armed)
{
	if (!armed->loaded_at || !kexec_crash_loaded(root))
		return false;
	struct error *err = loaded_image_check(root, armed->loaded_at, armed->initramfs_size,
					       armed->initramfs_sha256);
	error_destroy(err);
	return !err;
}

static struct error *stage(struct work *work)
{
	FILE *file;
	struct error *err = incident_open_file(&work->folder, ARMED_INITRAMFS, &file);

	if (err)
		return err;
	work->staged = true;
	err = initramfs_write(work->plan, file);
	if (fclose(file) && !err)
		err = error_errno("initramfs");
	return err ? err : digest_of(work, STAGED, work->armed->initramfs_sha256);
}

static struct error *prepare(struct work *work)
{
	work->armed->initramfs_size = work->plan->size;
	memcpy(work->armed->content, work->plan->content, sizeof(work->armed->content));
	if (!is_kept(work))
		return stage(work);
	memcpy(work->armed->initramfs_sha256, work->before.initramfs_sha256,
	       sizeof(work->armed->initramfs_sha256));
	return NULL;
}

/* SIGINT and its like are held back while all of this goes on; here they are heeded. */
static struct error *interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	if (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	    sigismember(&pending, SIGHUP))
		return error_create(ERROR_OTHER, "arm: interrupted, nothing was loaded");
	return NULL;
}

static struct error *load(const struct work *work, const char *initramfs)
{
	const char *by = "";
	struct error *err = interrupted();

	if (!err)
		err = kexec_load_crash(work->root, work->armed->kernel_file, initramfs,
				       work->armed->parameters, &by);
	snprintf(work->armed->loaded_by, sizeof(work->armed->loaded_by), "%s", by);
	return err;
}

/* The initramfs takes its place, and what is said of it. */
static struct error *keep(struct work *work)
{
	struct error *err = NULL;

	if (work->staged)
		err = incident_publish(&work->folder, (const char *[]){ ARMED_INITRAMFS }, 1);
	work->staged = false;
	if (err)
		return err;
	_cleanup_close_ int fd =
		openat(work->folder.dirfd, ARMED_INITRAMFS, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(STATE_FOLDER "/" ARMED_INITRAMFS);
	/* Where that memory cannot be read, status has less to go by. */
	error_destroy(loaded_image_find(work->root, fd, &work->armed->loaded_at));
	work->armed->time_s = realtime_s();
	return armed_write(&work->folder, work->armed);
}

static void warn(struct error *err)
{
	error_report(error_prefix(err, "'status' and 'test' cannot tell what is loaded"));
}

static struct error *load_and_keep(struct work *work)
{
	char initramfs[PATH_MAX];

	snprintf(initramfs, sizeof(initramfs), "%s" STATE_FOLDER "/%s", work->root,
		 work->staged ? STAGED : ARMED_INITRAMFS);
	struct error *err = load(work, initramfs);
	if (!err) {
		/* Of nobody else's environment. */
		state_folder_remove(&work->folder, ARMED_CONFIG);
		state_folder_remove(&work->folder, ARMED_SYMBOLS);
		err = keep(work);
		if (!err)
			armed_unmark(&work->folder);
		else
			armed_remove(&work->folder); /* it is loaded, whatever becomes of this */
		if (err)
			warn(err);
		return NULL;
	}
	/* With nothing loaded what is kept does no harm, and need not be made again. */
	if (!kexec_crash_loaded(work->root) || loading_is_in_memory(work->root, &work->before))
		armed_unmark(&work->folder);
	else
		armed_remove(&work->folder);
	return err;
}

/* From memory: there is no room for it, or nothing can be written. */
static struct error *load_unkept(struct work *work)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd = memfd_create(ARMED_INITRAMFS, MFD_CLOEXEC);
	char path[64];

	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return error_errno("memfd");
	struct error *err = initramfs_write(work->plan, file);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	return load(work, path);
}

static void drop_staged(struct work *work)
{
	if (work->staged)
		incident_remove_staged(&work->folder, ARMED_INITRAMFS);
	work->staged = false;
}

static struct error *run_in_folder(struct work *work, struct loading *ret)
{
	struct error *err = armed_read_marked(&work->folder, &work->before);

	error_destroy(err); /* then it is made */
	err = prepare(work);
	ret->made = work->staged;
	if (!err && !ret->made && armed_is_same(&work->before, work->armed) &&
	    loading_is_in_memory(work->root, &work->before)) {
		memcpy(work->armed->loaded_by, work->before.loaded_by,
		       sizeof(work->armed->loaded_by));
		armed_unmark(&work->folder);
		ret->loaded = false;
		return NULL;
	}
	if (!err)
		err = armed_mark(&work->folder);
	if (!err) {
		err = load_and_keep(work);
	} else {
		warn(err);
		drop_staged(work);
		armed_remove(&work->folder);
		err = load_unkept(work);
	}
	drop_staged(work);
	return err;
}

static struct error *run(struct work *work, struct loading *ret)
{
	struct error *err = state_folder_make(work->root, &work->folder);

	*ret = (struct loading){ .made = true, .loaded = true };
	if (err) {
		warn(err);
		return load_unkept(work);
	}
	if (!incident_try_lock(&work->folder))
		err = error_create(ERROR_OTHER, "another 'lockdump arm' is at work; wait for it");
	else
		err = run_in_folder(work, ret);
	incident_close(&work->folder);
	return err;
}

struct error *loading_run(const char *root, const struct initramfs *plan, struct armed *armed,
			  struct loading *ret)
{
	struct work work = { .root = root, .plan = plan, .armed = armed };
	sigset_t held, mask;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &mask);
	struct error *err = run(&work, ret);
	armed_deinit(&work.before);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return err;
}
