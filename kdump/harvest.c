// SPDX-License-Identifier: GPL-2.0-only
/*
 * After the reboot. Each step for an incident can be interrupted by the next crash, and leaves what is whole: files are
 * replaced by rename, and harvest_mark.h tells the next run how far this one got.
 */
#include "kdump/harvest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/harvest_mark.h"
#include "kdump/mending.h"
#include "kdump/removal.h"
#include "kdump/retention.h"
#include "kdump/rig_id.h"
#include "kdump/run.h"
#include "kdump/writers.h"

#define MEND_LIMIT_S 1800 /* all files are read for their checksums */
#define MOST_AT_ONCE \
	20 /* who has lockdump see an old store for the first time does not want a thousand mails */

static const char *store_of(const struct harvest *harvest)
{
	return harvest->announcing.store;
}

/* Who may write to the store may have put incidents there that push out others, or have hooks run. */
static bool is_own(const struct harvest *harvest, const struct incident *incident)
{
	return incident_is_ours(incident) &&
	       (!harvest->is_shared || rig_id_is_named(harvest->rig, incident));
}

/* True if there was an error. */
static bool complain(struct error *err)
{
	if (err)
		error_report(err);
	return err;
}

struct mending {
	const struct incident *incident;
	const struct incident_summary *one;
};

static struct error *mend(void *arg)
{
	const struct mending *mending = arg;

	return mending_mend(mending->incident, mending->one);
}

static struct error *mend_within_limit(const struct incident *incident,
				       const struct incident_summary *one)
{
	struct mending mending = { .incident = incident, .one = one };
	struct run run = RUN_INIT;

	run.limit_s = MEND_LIMIT_S;
	return error_prefix(run_function(&run, mend, &mending), "incident %s", incident->id);
}

/* Looks at the incident once more: it has changed. */
static struct error *look_again(const struct incident *incident, struct incident_summary *one)
{
	incident_summary_deinit(one);
	struct error *err = incident_summarize(incident, one);

	if (err)
		*one = (struct incident_summary){};
	return err;
}

static struct error *complete(const struct harvest *harvest, const struct incident *incident,
			      const struct harvest_mark *mark, struct incident_summary *one,
			      bool *all)
{
	struct error *err = NULL;
	bool made;

	/* A harvest that was interrupted may have put a whole report there, of which the manifest does not know. */
	if (mark->replacing && one->has_manifest) {
		remaking_clean_up(incident);
		*all &= !complain(mending_take_report(incident, "made again", 0));
		err = look_again(incident, one);
	}
	if (!err && one->unfinished) {
		*all &= !complain(mend_within_limit(incident, one));
		err = look_again(incident, one);
	}
	if (!err && one->has_manifest) {
		*all &= !complain(remaking_run(&harvest->remaking, incident, &made));
		err = look_again(incident, one);
	}
	return err;
}

static void tell(const struct harvest *harvest, const struct incident_summary *one, bool *all)
{
	struct strings failed = { 0 };

	announce(&harvest->announcing, one, &failed);
	*all &= !failed.count;
	for (size_t i = 0; i < failed.count; i++)
		error_report(
			error_create(ERROR_OTHER, "incident %s: %s", one->id, failed.items[i]));
	strings_deinit(&failed);
}

static struct error *harvest_incident(const struct harvest *harvest,
				      const struct incident *incident, struct incident_summary *one,
				      bool *all)
{
	struct harvest_mark mark;

	harvest_mark_read(incident, &mark);
	mark.attempts++;
	struct error *err = harvest_mark_write(incident, &mark);
	/* The disk may be full, and its owner is to know that there is something; but no hook runs at each boot. */
	if (err)
		announce_to_journal(&harvest->announcing, one);
	else
		err = complete(harvest, incident, &mark, one, all);
	if (err)
		return err;
	tell(harvest, one, all);
	mark.done = true;
	mark.replacing = false;
	return harvest_mark_write(incident, &mark);
}

/* An incident that is left alone, with why; or one that is open, and held, and to be harvested. */
static bool is_due(const struct harvest *harvest, const struct incident *incident,
		   const struct incident_summary *one)
{
	struct harvest_mark mark;

	harvest_mark_read(incident, &mark);
	if (mark.done || mark.attempts >= HARVEST_MOST_ATTEMPTS || !is_own(harvest, incident))
		return false;
	/* Of this boot: its watch will end it. */
	if (!one->has_manifest && writers_this_boot(one->id))
		return false;
	struct error *err = writers_check(incident, one);
	error_destroy(err);
	return !err;
}

/* Opens @one if it is due. */
static bool open_due(const struct harvest *harvest, const struct incident_summary *one,
		     struct incident *ret)
{
	struct error *err = incident_open(store_of(harvest), one->id, ret);

	if (err) {
		error_destroy(err);
		return false;
	}
	if (is_due(harvest, ret, one))
		return true;
	incident_close(ret);
	return false;
}

static void tell_of_others(const struct harvest *harvest, const struct incidents *incidents)
{
	size_t count = 0;

	for (size_t i = 0; i < incidents->list.count; i++) {
		struct incident incident;
		struct error *err =
			incident_open(store_of(harvest), incidents->list.data[i].id, &incident);
		if (!err) {
			count += !incident_is_ours(&incident);
			incident_close(&incident);
		}
		error_destroy(err);
	}
	if (count)
		error_report(error_create(ERROR_OTHER,
					  "store %s: %zu incidents are left alone: other users' "
					  "folders, or such as others may write to",
					  store_of(harvest), count));
}

/* The newest first, as nobody knows whether the machine stays up; the rest is the next run's. */
static void harvest_due(const struct harvest *harvest, struct incidents *incidents, bool *all)
{
	unsigned int count = 0;

	for (size_t i = incidents->list.count; i-- > 0;) {
		struct incident_summary *one = &incidents->list.data[i];
		struct incident incident;
		if (!open_due(harvest, one, &incident))
			continue;
		if (count++ == MOST_AT_ONCE) {
			error_report(error_create(ERROR_OTHER,
						  "store %s: older incidents are left for the next "
						  "harvest: %d at once are enough",
						  store_of(harvest), MOST_AT_ONCE));
			incident_close(&incident);
			return;
		}
		*all &= !complain(harvest_incident(harvest, &incident, one, all));
		incident_close(&incident);
	}
}

static struct error *choose_own(const struct harvest *harvest, const struct incidents *incidents,
				struct chosen *ret)
{
	*ret = (struct chosen){};
	for (size_t i = 0; i < incidents->list.count; i++) {
		struct incident incident;
		struct error *err =
			incident_open(store_of(harvest), incidents->list.data[i].id, &incident);
		if (err) {
			error_destroy(err);
			continue;
		}
		bool own = is_own(harvest, &incident);
		incident_close(&incident);
		const struct incident_summary **place = own ? vector_push(&ret->list) : NULL;
		if (own && !place)
			return &error_no_memory;
		if (own)
			*place = &incidents->list.data[i];
	}
	return NULL;
}

static void remove_doomed(const struct harvest *harvest, const struct doomed_list *doomed,
			  bool *all)
{
	for (size_t i = 0; i < doomed->list.count; i++) {
		const struct doomed *one = &doomed->list.data[i];
		struct error *err = removal_remove(store_of(harvest), one->one);
		if (!err)
			announce_removal(harvest->announcing.journal, one->one, one->why);
		*all &= !complain(err);
	}
}

static struct error *retain(const struct harvest *harvest, const struct incidents *incidents,
			    bool *all)
{
	struct chosen own;
	struct doomed_list doomed = {};
	struct statvfs st;

	if (statvfs(store_of(harvest), &st))
		return error_errno("store %s", store_of(harvest));
	const struct room room = {
		.total = (uint64_t)st.f_blocks * st.f_frsize,
		.free = (uint64_t)st.f_bavail * st.f_frsize,
	};
	struct error *err = choose_own(harvest, incidents, &own);
	if (!err)
		err = retention_choose(&harvest->announcing.settings->keep, &room, &own, time(NULL),
				       &doomed);
	if (!err)
		remove_doomed(harvest, &doomed, all);
	doomed_list_deinit(&doomed);
	chosen_deinit(&own);
	return err;
}

/* Of the lock's file the byte that stands for the folder. */
static off_t place_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return 0;
	return (st.st_ino * 1000003 + st.st_dev) & INT64_MAX;
}

/*
 * So that no two harvests meet. Whoever can open a folder can lock it, and the store's may be open to all: they are not to
 * keep root from it. The lock goes when @ret, and what children have of it, is closed.
 */
static struct error *lock_store(const struct harvest *harvest, int storefd, int *ret)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = place_of(storefd),
		.l_len = 1,
	};
	int failed;

	*ret = open(harvest->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret >= 0)
		failed = fcntl(*ret, F_OFD_SETLK, &lock);
	else
		failed = flock(storefd, LOCK_EX | LOCK_NB);
	/* A file system without locks has nobody who holds one. */
	return failed && errno == EAGAIN
		       ? error_create(ERROR_OTHER, "store %s: it is being harvested already",
				      store_of(harvest))
		       : NULL;
}

struct error *harvest_store(const struct harvest *harvest, bool *all)
{
	const char *store = store_of(harvest);
	_cleanup_close_ int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int lockfd = -1;
	struct incidents incidents;

	*all = true;
	if (fd < 0)
		return error_errno("store %s", store);
	struct error *err = lock_store(harvest, fd, &lockfd);
	if (err)
		return err;
	if (!*harvest->rig && harvest->is_shared)
		return error_create(ERROR_OTHER,
				    "store %s: other machines may share it, and without "
				    "/etc/machine-id this one does not know its own incidents",
				    store);
	removal_finish(store);
	err = incidents_read(store, &incidents);
	if (err)
		return err;
	tell_of_others(harvest, &incidents);
	harvest_due(harvest, &incidents, all);
	err = retain(harvest, &incidents, all);
	incidents_deinit(&incidents);
	return err;
}
