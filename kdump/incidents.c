// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/incidents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/checking.h"
#include "kdump/manifest_read.h"

/* An incident has a hundred files; who put a million into it is not to be waited for. */
#define MAX_ENTRIES 10000

const char *dump_state_name(enum dump_state state)
{
	static const char *const names[] = {
		[DUMP_NONE] = "none",
		[DUMP_PRESENT] = "present",
		[DUMP_INCOMPLETE] = "incomplete",
		[DUMP_MISSING] = "missing",
		[DUMP_UNKNOWN] = NULL,
	};

	return names[state];
}

/* The names that a dump may have; of two that are there the first counts. */
static const char *const dump_names[] = { INCIDENT_VMCORE, INCIDENT_VMCORE_ENCRYPTED };

#define NR_DUMP_NAMES (sizeof(dump_names) / sizeof(dump_names[0]))
#define INCOMPLETE    ".incomplete"

/* What is in an incident's folder. */
struct contents {
	uint64_t size;
	size_t entries;
	bool incomplete; /* a file in it is; not in its folders, whose gatherer the crash may have interrupted */
	struct found_dump {
		bool whole, part; /* the latter is NAME.incomplete */
		uint64_t whole_size, part_size;
	} dumps[NR_DUMP_NAMES];
	bool kept;
	bool harvested;
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), wanted = strlen(suffix);

	return length > wanted && !strcmp(name + length - wanted, suffix);
}

/* Those that say something of the incident are not of what was saved: the old one stands until the new one is whole. */
static bool is_about(const char *name)
{
	static const char *const names[] = { MANIFEST_NAME, INCIDENT_KEEP, INCIDENT_HARVESTED };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

static void look_at_file(const char *name, const struct stat *st, struct contents *ret)
{
	ret->incomplete |= has_suffix(name, INCOMPLETE) && !is_about(name);
	ret->harvested |= !strcmp(name, INCIDENT_HARVESTED);
	for (size_t i = 0; i < NR_DUMP_NAMES; i++) {
		struct found_dump *dump = &ret->dumps[i];
		size_t length = strlen(dump_names[i]);
		if (strncmp(name, dump_names[i], length))
			continue;
		if (!name[length]) {
			dump->whole = true;
			dump->whole_size = st->st_size;
		} else if (!strcmp(name + length, INCOMPLETE)) {
			dump->part = true;
			dump->part_size = st->st_size;
		}
	}
}

/* Of @dirfd, which is closed, and @depth folders below. */
static void look_into(int dirfd, int depth, struct contents *ret)
{
	DIR *dir = fdopendir(dirfd);

	if (!dir) {
		close(dirfd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) && ret->entries < MAX_ENTRIES;) {
		const char *name = entry->d_name;
		struct stat st;
		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		ret->entries++;
		/* Whatever has that name, 'rm' respects it. */
		ret->kept |= depth && !strcmp(name, INCIDENT_KEEP);
		ret->size += (uint64_t)st.st_blocks * 512;
		if (S_ISREG(st.st_mode)) {
			if (depth)
				look_at_file(name, &st, ret);
		} else if (S_ISDIR(st.st_mode) && depth) {
			int fd = openat(dirfd, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (fd >= 0)
				look_into(fd, depth - 1, ret);
		}
	}
	closedir(dir);
}

/* Each file that the manifest lists is there, and as long as it says. */
static bool has_files(const struct incident *incident, const struct manifest_files *files)
{
	char found[CHECKING_WORDS];

	for (size_t i = 0; i < files->count; i++)
		if (!checking_file(incident, &files->items[i], false, found))
			return false;
	return true;
}

static const struct manifest_file *find_file(const struct manifest_files *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->items[i].name, name))
			return &files->items[i];
	return NULL;
}

/* Of one of the names. */
static enum dump_state find_dump_state(const struct found_dump *dump,
				       const struct manifest_file *listed)
{
	if (dump->whole)
		return listed && (uint64_t)listed->size != dump->whole_size ? DUMP_INCOMPLETE
									    : DUMP_PRESENT;
	if (dump->part)
		return DUMP_INCOMPLETE;
	return listed ? DUMP_MISSING : DUMP_NONE;
}

/* A dump that is there counts before one that was. */
static void find_dump(const struct contents *contents, const struct manifest_files *files,
		      struct incident_summary *ret)
{
	for (size_t i = 0; i < NR_DUMP_NAMES; i++) {
		const struct found_dump *dump = &contents->dumps[i];
		enum dump_state state = find_dump_state(dump, find_file(files, dump_names[i]));
		if (state == DUMP_NONE)
			continue;
		ret->dump = state;
		ret->dump_size = dump->whole ? dump->whole_size : dump->part_size;
		ret->encrypted = !strcmp(dump_names[i], INCIDENT_VMCORE_ENCRYPTED);
		if (dump->whole || dump->part)
			return;
	}
}

/* NULL: nothing is. */
static const char *find_unfinished(const struct incident *incident, bool has_manifest,
				   const struct contents *contents,
				   const struct manifest_files *files)
{
	if (!has_manifest)
		return "there is no manifest";
	if (contents->incomplete)
		return "a file was not written to its end";
	return has_files(incident, files) ? NULL : "files are gone, or have other sizes";
}

/* NULL for an empty one, and for want of memory. */
static char *copy(const char *text)
{
	return *text ? strdup(text) : NULL;
}

static void take_report(const struct report_head *head, struct incident_summary *ret)
{
	ret->title = copy(head->title);
	ret->signature = copy(head->signature);
	ret->kind = copy(head->kind);
	ret->summary = copy(head->summary);
}

/* The kernel where no manifest names it: the report does, and what the controller wrote of the rig. */
static char *find_kernel(const struct incident *incident, const struct report_head *head)
{
	static const char *const keys[] = { "release", NULL };
	char release[72];

	if (*head->kernel)
		return strdup(head->kernel);
	struct json_object *rig = json_file_head(incident->dirfd, "rig.json", keys);
	json_copy_text(rig, "release", release, sizeof(release));
	json_object_put(rig);
	return copy(release);
}

static void take_manifest(const struct manifest *manifest, struct incident_summary *ret)
{
	ret->kernel = copy(manifest->kernel);
	ret->trigger_by = manifest->trigger_by;
	ret->reason = copy(manifest->trigger_reason);
	ret->drill = manifest->drill;
}

/* What is not in the manifest, which may be an older one's, or none. */
static void complete_report(const struct incident *incident, const struct manifest *manifest,
			    struct incident_summary *ret)
{
	struct report_head head = manifest->report;

	if (!*head.title && !*head.kind)
		report_head_read(incident->dirfd, &head);
	take_report(&head, ret);
	if (!ret->kernel)
		ret->kernel = find_kernel(incident, &head);
}

struct error *incident_summarize(const struct incident *incident, struct incident_summary *ret)
{
	_cleanup_(manifest_files_deinit) struct manifest_files files = { 0 };
	struct contents contents = { 0 };
	struct manifest manifest;
	struct error *err = manifest_read(incident, &manifest, &files);

	*ret = (struct incident_summary){ .has_manifest = !err };
	memcpy(ret->id, incident->id, sizeof(ret->id));
	ret->onset_s = incident_id_onset(ret->id);
	if (!err)
		take_manifest(&manifest, ret);
	else
		manifest = (struct manifest){ 0 };
	error_destroy(err);
	int fd = openat(incident->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		incident_summary_deinit(ret);
		return error_errno("incident %s", incident->id);
	}
	look_into(fd, 1, &contents);
	complete_report(incident, &manifest, ret);
	find_dump(&contents, &files, ret);
	ret->size = contents.size;
	ret->kept = contents.kept;
	ret->harvested = contents.harvested;
	ret->unfinished_why = find_unfinished(incident, ret->has_manifest, &contents, &files);
	ret->unfinished = ret->unfinished_why;
	ret->complete = manifest.complete && !ret->unfinished;
	return NULL;
}

void incident_summary_deinit(struct incident_summary *summary)
{
	free(summary->kernel);
	free(summary->kind);
	free(summary->title);
	free(summary->signature);
	free(summary->summary);
	free(summary->reason);
	*summary = (struct incident_summary){ 0 };
}

/* What is known of one that cannot be opened. */
static void summarize_name(const char *id, struct incident_summary *ret)
{
	*ret = (struct incident_summary){
		.onset_s = incident_id_onset(id),
		.dump = DUMP_UNKNOWN,
		.unfinished = true,
		.unfinished_why = "it cannot be read",
	};
	memcpy(ret->id, id, strlen(id) + 1);
}

/* A folder @name of the store; what has such a name and is no folder is passed over. */
static struct error *add(int storefd, const char *name, struct incidents *incidents)
{
	struct incident_summary summary;
	struct incident incident;
	struct stat st;
	struct error *err = incident_open_at(storefd, name, &incident);

	if (!err) {
		err = incident_summarize(&incident, &summary);
		incident_close(&incident);
	}
	if (err) {
		error_destroy(err);
		if (fstatat(storefd, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
			return NULL;
		summarize_name(name, &summary);
		incidents->unreadable++;
	}
	struct incident_summary *place = vector_push(&incidents->list);
	if (!place) {
		incident_summary_deinit(&summary);
		return &error_no_memory;
	}
	*place = summary;
	return NULL;
}

static int compare(const void *a, const void *b)
{
	return incident_id_compare(((const struct incident_summary *)a)->id,
				   ((const struct incident_summary *)b)->id);
}

struct error *incidents_read(const char *store, struct incidents *ret)
{
	DIR *dir = opendir(store);
	struct error *err = NULL;

	*ret = (struct incidents){};
	if (!dir)
		return error_errno("store %s", store);
	for (struct dirent *entry; !err && (entry = readdir(dir));)
		if (incident_id_is_valid(entry->d_name))
			err = add(dirfd(dir), entry->d_name, ret);
	closedir(dir);
	if (err)
		incidents_deinit(ret);
	else if (ret->list.count)
		qsort(ret->list.data, ret->list.count, sizeof(*ret->list.data), compare);
	return err;
}

void incidents_deinit(struct incidents *incidents)
{
	for (size_t i = 0; i < incidents->list.count; i++)
		incident_summary_deinit(&incidents->list.data[i]);
	vector_deinit(&incidents->list);
	*incidents = (struct incidents){};
}

bool incident_record_header(const struct incident *incident, struct record_header *ret)
{
	_cleanup_close_ int fd = openat(incident->dirfd, "record.bin",
					O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    read(fd, ret, sizeof(*ret)) != sizeof(*ret) ||
	    memcmp(ret->magic, RECORD_MAGIC, sizeof(ret->magic)) || ret->abi != RECORD_ABI)
		return false;
	/* Cut what is text in it where its room ends. */
	ret->fired_reason[sizeof(ret->fired_reason) - 1] = '\0';
	ret->boot_id[sizeof(ret->boot_id) - 1] = '\0';
	ret->release[sizeof(ret->release) - 1] = '\0';
	ret->incident[sizeof(ret->incident) - 1] = '\0';
	return true;
}
