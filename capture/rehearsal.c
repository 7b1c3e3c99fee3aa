// SPDX-License-Identifier: GPL-2.0-only
#include "capture/rehearsal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/age.h"
#include "kdump/config.h"
#include "kdump/device.h"
#include "kdump/driver_modules.h"
#include "kdump/run.h"
#include "kdump/state_folder.h"

#define UNPACK_LIMIT_S 60
#define START_LIMIT_S  30
/* It reads all memory, at some GB a second. */
#define LOOK_LIMIT_S   120

#define ARM_AGAIN "run 'lockdump arm' again"

static const char cannot_save[] = "a crash is not saved";

/* --- the tree -------------------------------------------------------------------------- */

/*
 * A file system of its own: others may be mounted noexec, or be full. From here on this process has its own mounts, so
 * that this one is gone with it.
 */
static struct error *make_folder(struct rehearsal *rehearsal)
{
	strcpy(rehearsal->folder, "/tmp/lockdump-test.XXXXXX");
	if (!mkdtemp(rehearsal->folder)) {
		struct error *err = error_errno("%s", rehearsal->folder);
		rehearsal->folder[0] = '\0';
		return err;
	}
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return error_errno("mount namespace");
	if (mount("tmpfs", rehearsal->folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700"))
		return error_errno("%s: tmpfs", rehearsal->folder);
	return NULL;
}

static struct error *unpack(const struct links *links, struct rehearsal *rehearsal)
{
	char path[PATH_MAX];
	struct run run = RUN_INIT;

	snprintf(path, sizeof(path), "%s" STATE_FOLDER "/" ARMED_INITRAMFS, links->root);
	_cleanup_close_ int archive = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (archive < 0)
		return error_errno("%s", path);
	struct error *err = make_folder(rehearsal);
	if (err)
		return err;
	_cleanup_close_ int dir = open(rehearsal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return error_errno("%s", rehearsal->folder);
	run.limit_s = UNPACK_LIMIT_S;
	run.dirfd = dir;
	run.input = archive;
	/* GNU's and busybox's both know these. */
	return run_program(&run, (const char *[]){ "cpio", "-i", "-d", "-m", NULL });
}

void rehearsal_unpack(struct links *links, struct rehearsal *ret)
{
	struct findings *findings = &links->findings;

	*ret = (struct rehearsal){ 0 };
	/* Somebody else's is no tree of ours. */
	if (!links->ours || !links->whole || *links->armed.initramfs_file)
		return;
	findings->group = "initramfs";
	struct error *err = unpack(links, ret);
	if (!err)
		return;
	findings_add(findings, "unpacking", FINDING_MISSING, NULL);
	findings_blame(findings, cannot_save, error_prefix(err, "initramfs"));
	rehearsal_deinit(ret);
}

void rehearsal_deinit(struct rehearsal *rehearsal)
{
	if (!rehearsal->folder[0])
		return;
	umount2(rehearsal->folder, MNT_DETACH);
	rmdir(rehearsal->folder);
	rehearsal->folder[0] = '\0';
}

/* --- programs -------------------------------------------------------------------------- */

#define MESSAGES_SIZE  sizeof(((struct run *)0)->messages)
#define UNKNOWN_KERNEL "kernel version is not supported"

struct trial {
	const char *folder;
	const char *const *argv;
	unsigned int limit_s;
	char *messages; /* in shared memory, MESSAGES_SIZE */
};

static struct error *enter(const char *folder)
{
	if (chroot(folder) || chdir("/"))
		return error_errno("%s", folder);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
	    errno != EBUSY)
		return error_errno("/proc");
	return NULL;
}

/* It says so at once; what it makes of that kernel is nothing to wait for. */
static void end_if_unknown(void *arg)
{
	const struct run *run = arg;

	if (strstr(run->messages, UNKNOWN_KERNEL))
		kill(run->pid, SIGKILL);
}

static struct error *try_inside(void *arg)
{
	const struct trial *trial = arg;
	struct run run = RUN_INIT;

	/* There is none inside. */
	run.input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	run.limit_s = trial->limit_s;
	run.tick = end_if_unknown;
	run.tick_arg = &run;
	struct error *err = enter(trial->folder);
	if (!err)
		err = run_program(&run, trial->argv);
	snprintf(trial->messages, MESSAGES_SIZE, "%s", run.messages);
	return err;
}

/* Runs @argv in the tree; @ret_messages gets what it says, after a failure too. */
static struct error *try_program(const struct rehearsal *rehearsal, unsigned int limit_s,
				 const char *const argv[], char ret_messages[static MESSAGES_SIZE])
{
	struct run run = RUN_INIT;
	char *messages = mmap(NULL, MESSAGES_SIZE, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct trial trial = { rehearsal->folder, argv, limit_s, messages };

	ret_messages[0] = '\0';
	if (messages == MAP_FAILED)
		return error_errno("shared memory");
	run.limit_s = limit_s + 10;
	struct error *err = run_function(&run, try_inside, &trial);
	memcpy(ret_messages, messages, MESSAGES_SIZE);
	munmap(messages, MESSAGES_SIZE);
	return err;
}

static void try_lockdump(struct links *links, const struct rehearsal *rehearsal)
{
	struct findings *findings = &links->findings;
	char said[MESSAGES_SIZE];
	struct error *err = try_program(rehearsal, START_LIMIT_S,
					(const char *[]){ "/init", "--version", NULL }, said);

	said[strcspn(said, "\n")] = '\0';
	findings_add(findings, "lockdump", err ? FINDING_MISSING : FINDING_OK, "%s",
		     err ? "in the initramfs" : said);
	if (err)
		findings_explain(findings, cannot_save, err->message, ARM_AGAIN);
	error_destroy(err);
}

/*
 * The lines of makedumpfile --mem-usage: what nothing may leave out is "KERN_DATA<TAB>29518 <TAB>no<TAB>Dumpable kernel
 * data", in pages of "page size:<TAB>4096".
 */
static uint64_t find_data_size(const char *said)
{
	unsigned long long pages, page_size;
	const char *data = strstr(said, "KERN_DATA");
	const char *size = strstr(said, "page size:");

	if (!data || !size || sscanf(data, "KERN_DATA %llu", &pages) != 1 ||
	    sscanf(size, "page size: %llu", &page_size) != 1)
		return 0;
	return pages * page_size;
}

static void judge_makedumpfile(struct links *links, struct rehearsal *rehearsal, bool proven,
			       const char *said)
{
	struct findings *findings = &links->findings;
	bool unknown = strstr(said, UNKNOWN_KERNEL);

	rehearsal->data_size = find_data_size(said);
	if (!unknown || proven) {
		findings_add(findings, "makedumpfile", FINDING_OK, "%s%s",
			     links->armed.makedumpfile,
			     unknown ? " does not know this kernel, but the last drill's dump was "
				       "proven"
				     : "");
		return;
	}
	findings_add(findings, "makedumpfile", FINDING_DEGRADED, "%s", links->armed.makedumpfile);
	findings_explain(findings,
			 "the dump may have to be taken again, up to three times, as it must be "
			 "proven",
			 "it is older than this kernel, and may leave out what it must not",
			 "install a newer one, or see by 'lockdump test --crash'");
}

static void try_makedumpfile(struct links *links, struct rehearsal *rehearsal, bool proven)
{
	struct findings *findings = &links->findings;
	char said[MESSAGES_SIZE];
	struct error *err = try_program(rehearsal, START_LIMIT_S,
					(const char *[]){ "/bin/makedumpfile", "-v", NULL }, said);

	if (err) {
		findings_add(findings, "makedumpfile", FINDING_MISSING, "in the initramfs");
		findings_explain(findings, "the vmcore", err->message, ARM_AGAIN);
		error_destroy(err);
		return;
	}
	/* That it cannot look at a kernel as it runs says nothing of its dump. */
	error_destroy(try_program(
		rehearsal, LOOK_LIMIT_S,
		(const char *[]){ "/bin/makedumpfile", "--mem-usage", "/proc/kcore", NULL }, said));
	judge_makedumpfile(links, rehearsal, proven, said);
}

/* Of what encrypts the vmcore, if anything does: it is tried on nothing. */
static void try_age(struct links *links, const struct rehearsal *rehearsal)
{
	struct findings *findings = &links->findings;
	_cleanup_(config_deinit) struct config config = { 0 };
	char said[MESSAGES_SIZE], path[128];

	snprintf(path, sizeof(path), "%s" CONFIG_PATH, rehearsal->folder);
	struct error *err = config_read(path, &config);
	if (err || !config.encrypt) {
		/* Who looks for the device tells of it. */
		error_destroy(err);
		return;
	}
	err = try_program(rehearsal, START_LIMIT_S,
			  (const char *[]){ "/bin/age", "-R", AGE_RECIPIENTS_PATH, NULL }, said);
	err = age_explain(said, err);
	findings_add(findings, "age", err ? FINDING_MISSING : FINDING_OK, "%s",
		     err ? "in the initramfs" : "encrypts");
	if (err)
		findings_explain(findings, "the vmcore", err->message, ARM_AGAIN);
	error_destroy(err);
}

void rehearsal_run(struct links *links, struct rehearsal *rehearsal, bool proven)
{
	if (!rehearsal->folder[0])
		return;
	links->findings.group = "initramfs";
	try_lockdump(links, rehearsal);
	try_makedumpfile(links, rehearsal, proven);
	try_age(links, rehearsal);
}

/* --- the way to the disk --------------------------------------------------------------- */

static struct error *wanted_modules(const struct links *links, const struct store_device *device,
				    struct driver_modules *ret)
{
	_cleanup_(strings_deinit) struct strings wanted = { 0 };
	const char *release = links->armed.kernel_release;
	bool other_kernel = strcmp(release, links->now.release);
	struct error *err = device_modules(device, other_kernel, &wanted);

	return err ? err : driver_modules_resolve(release, &wanted, ret);
}

/* The first module that is not there, or not to be loaded. */
static struct error *check_modules(const struct rehearsal *rehearsal, const struct config *config,
				   const struct driver_modules *modules)
{
	for (size_t i = 0; i < modules->count; i++) {
		const char *slash = strrchr(modules->items[i].file, '/');
		char name[256], path[512];
		snprintf(name, sizeof(name), "/modules/%s",
			 slash ? slash + 1 : modules->items[i].file);
		snprintf(path, sizeof(path), "%s%s", rehearsal->folder, name);
		if (!strings_have(&config->modules, name) || access(path, R_OK))
			return error_create(ERROR_NOT_FOUND,
					    "module %s is not in the initramfs; " ARM_AGAIN,
					    modules->items[i].name);
	}
	return NULL;
}

static struct error *check_place(const struct place *place, const struct store_device *device)
{
	if (!strcmp(place->uuid, device->uuid))
		return NULL;
	return error_create(
		ERROR_OTHER,
		"the initramfs looks for file system %s, and the %s is on %s; " ARM_AGAIN,
		place->uuid, place->name, device->uuid);
}

static struct error *check_device(const struct links *links, const struct rehearsal *rehearsal,
				  const struct config *config, const struct place *place,
				  struct store_device *device, size_t *nr_modules)
{
	_cleanup_(driver_modules_deinit) struct driver_modules modules = { 0 };
	struct error *err = device_of_store(place->folder, device);

	if (!err)
		err = check_place(place, device);
	if (!err)
		err = wanted_modules(links, device, &modules);
	if (!err)
		err = check_modules(rehearsal, config, &modules);
	*nr_modules = modules.count;
	return err;
}

static void find_device(struct links *links, const struct rehearsal *rehearsal,
			const struct config *config, const struct place *place, bool is_second)
{
	struct findings *findings = &links->findings;
	struct store_device device = { 0 };
	size_t nr_modules = 0;
	struct error *err = check_device(links, rehearsal, config, place, &device, &nr_modules);

	findings_add(findings, is_second ? "second device" : "device",
		     !err	 ? FINDING_OK
		     : is_second ? FINDING_DEGRADED
				 : FINDING_MISSING,
		     err ? NULL : "%s, %s, %zu module%s lead there", device.name, device.fs_type,
		     nr_modules, nr_modules == 1 ? "" : "s");
	if (err)
		findings_blame(findings,
			       is_second ? "what is saved where the first store cannot be used"
					 : "the capture kernel cannot reach the store",
			       err);
}

static struct error *read_config(const struct rehearsal *rehearsal, struct config *ret)
{
	char path[128];

	snprintf(path, sizeof(path), "%s" CONFIG_PATH, rehearsal->folder);
	struct error *err = config_read(path, ret);
	return error_prefix(err, "initramfs");
}

void rehearsal_device(struct links *links, const struct rehearsal *rehearsal)
{
	struct findings *findings = &links->findings;
	_cleanup_(config_deinit) struct config config = { 0 };
	struct place places[MAX_PLACES];

	if (!rehearsal->folder[0])
		return;
	findings->group = "store";
	struct error *err = read_config(rehearsal, &config);
	if (err) {
		findings_add(findings, "device", FINDING_MISSING, NULL);
		findings_blame(findings, "the capture kernel cannot reach the store", err);
		return;
	}
	unsigned int count = config_places(&config, places);
	for (unsigned int i = 0; i < count; i++)
		find_device(links, rehearsal, &config, &places[i], i);
}
