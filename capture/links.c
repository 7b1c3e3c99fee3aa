// SPDX-License-Identifier: GPL-2.0-only
#include "capture/links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "capture/preflight.h"
#include "kdump/device.h"
#include "kdump/kexec.h"
#include "kdump/loaded_image.h"
#include "kdump/rooted.h"
#include "kdump/settings.h"
#include "kdump/state_folder.h"
#include "kdump/with.h"

#define ARM "run 'lockdump arm'"
#define ROOM_ALWAYS \
	((uint64_t)64 << 20) /* for the report, and what the capture kernel leaves free */

struct path {
	char text[PATH_MAX + 64];
};

static struct path rooted(const struct links *links, const char *path)
{
	struct path ret;

	snprintf(ret.text, sizeof(ret.text), "%s%s", links->root, path);
	return ret;
}

void links_time(double time_s, char ret[static LINKS_TIME_SIZE])
{
	time_t time = time_s;
	struct tm tm;

	ret[0] = '\0';
	if (gmtime_r(&time, &tm))
		strftime(ret, LINKS_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static struct error *read_armed(struct links *links)
{
	struct incident folder;
	struct error *err = state_folder_open(links->root, &folder);

	if (err)
		return err;
	err = armed_read(&folder, &links->armed);
	incident_close(&folder);
	return err;
}

void links_init(struct links *links, const char *root, bool is_root)
{
	*links = (struct links){ .root = root, .is_root = is_root };
	machine_read(root, &links->now);
	links->loaded = kexec_crash_loaded(root);
	links->no_armed = read_armed(links);
	links->has_armed = !links->no_armed;
}

void links_deinit(struct links *links)
{
	findings_deinit(&links->findings);
	armed_deinit(&links->armed);
	error_destroy(links->no_armed);
}

/* --- the crash kernel ------------------------------------------------------------------ */

/* Where the kernel's memory cannot be read anybody may have loaded it: then it is believed to be ours. */
static bool is_replaced(const struct links *links)
{
	const struct armed *armed = &links->armed;

	if (!armed->loaded_at)
		return false;
	struct error *err = loaded_image_check(links->root, armed->loaded_at, armed->initramfs_size,
					       armed->initramfs_sha256);
	bool replaced = err && err->class == ERROR_NOT_FOUND;
	error_destroy(err);
	return replaced;
}

/* Why what is loaded is not what arm loaded; NULL: it is. */
static const char *why_foreign(const struct links *links)
{
	if (!links->has_armed)
		return links->no_armed->class == ERROR_NOT_FOUND ? "somebody else has loaded it"
								 : links->no_armed->message;
	if (strcmp(links->armed.machine.boot_id, links->now.boot_id))
		return "somebody else has loaded it: arm did so in an earlier boot only";
	if (is_replaced(links))
		return "somebody else has loaded another since, or its memory was overwritten";
	return NULL;
}

void links_crash_kernel(struct links *links)
{
	struct findings *findings = &links->findings;
	struct error *err = kexec_reserved_kb(links->root, &links->reserved_kb);
	char when[LINKS_TIME_SIZE];

	findings->group = "crash kernel";
	if (err || !links->loaded) {
		findings_add(findings, "crash kernel", FINDING_MISSING, NULL);
		if (err)
			findings_blame(findings, "a crash is not saved", err);
		else
			findings_explain(findings, "a crash is not saved",
					 "no crash kernel is loaded", ARM);
		return;
	}
	if (!links->is_root) {
		findings_add(findings, "crash kernel", FINDING_UNKNOWN, "one is loaded");
		findings_explain(findings, NULL, "only root can tell whose it is",
				 "run it as root");
		return;
	}
	const char *why = why_foreign(links);
	if (why) {
		findings_add(findings, "crash kernel", FINDING_DEGRADED, NULL);
		findings_explain(findings, "what the one that is loaded saves is not known", why,
				 ARM);
		return;
	}
	links->ours = true;
	links_time(links->armed.time_s, when);
	findings_add(findings, "crash kernel", FINDING_OK, "%s, loaded by %s at %s, %lu MB",
		     links->armed.kernel_release, links->armed.loaded_by, when,
		     links->reserved_kb / 1024);
}

/* --- the initramfs --------------------------------------------------------------------- */

/* Its file: what is loaded is a copy. */
static struct error *check_file(const struct links *links)
{
	const char *name = armed_initramfs(&links->armed);
	struct path path = rooted(links, name);
	char sha256[SHA256_HEX_SIZE];
	_cleanup_close_ int fd = -1;
	uint64_t size;
	struct error *err = regular_file_open(path.text, &fd, &size);

	if (!err)
		err = sha256_of(fd, name, sha256);
	if (!err && strcmp(sha256, links->armed.initramfs_sha256))
		err = error_create(ERROR_CORRUPT, "%s is damaged: it is not what was loaded", name);
	return err;
}

static struct error *check_inputs(const struct links *links)
{
	for (size_t i = 0; i < links->armed.inputs.count; i++) {
		const struct armed_input *input = &links->armed.inputs.data[i];
		errno = 0;
		if (!armed_input_holds(links->root, input))
			return error_create(ERROR_OTHER, "%s %s since", input->file,
					    errno == ENOENT ? "has gone" : "has changed");
	}
	return NULL;
}

/* Who has asked for it, and has not armed since, believes that the rig holds no plain memory. */
static void add_encryption(struct links *links)
{
	struct findings *findings = &links->findings;
	const char *recipients = links->armed.recipients;
	struct settings settings;

	if (*recipients) {
		findings_add(findings, "encryption", FINDING_OK, "to the keys in %s", recipients);
		return;
	}
	struct error *err = settings_read(rooted(links, CONFIGURATION_FOLDER).text, &settings);
	if (!err && *settings.encrypt_to) {
		findings_add(findings, "encryption", FINDING_DEGRADED, NULL);
		findings_explain(findings, "the vmcore is written in plain",
				 "EncryptTo= was not there at arming", ARM " again");
	}
	error_destroy(err);
}

void links_initramfs(struct links *links)
{
	struct findings *findings = &links->findings;

	if (!links->ours)
		return;
	findings->group = "crash kernel";
	struct error *damaged = check_file(links);
	struct error *older = damaged ? NULL : check_inputs(links);
	links->whole = !damaged;
	findings_add(findings, "initramfs",
		     damaged ? FINDING_MISSING
		     : older ? FINDING_DEGRADED
			     : FINDING_OK,
		     damaged || older ? NULL : "%.1f MB, as it was loaded",
		     links->armed.initramfs_size / 1e6);
	if (damaged)
		findings_explain(findings, "what was loaded cannot be looked into",
				 damaged->message, ARM " again");
	if (older)
		findings_explain(findings, "what is loaded is older than what it was made of",
				 older->message, ARM " again");
	error_destroy(damaged);
	error_destroy(older);
	add_encryption(links);
}

/* --- the host -------------------------------------------------------------------------- */

static struct error *check_host(const struct links *links, const struct host *host,
				struct host_settings *ret)
{
	static const char config[] = STATE_FOLDER "/" ARMED_CONFIG;
	struct error *err = NULL;

	if (access(rooted(links, config).text, R_OK))
		err = error_errno("%s", config);
	if (!err)
		err = host->read(links->root, ret);
	/* systemd is asked, and dracut's folder looked into: these are the real ones. */
	return err || *links->root ? err : host->check_hook();
}

void links_host(struct links *links)
{
	struct findings *findings = &links->findings;
	const struct armed *armed = &links->armed;
	const struct host *host = with_find_host(armed->with);
	struct host_settings settings;

	if (!links->ours || !host)
		return;
	findings->group = "crash kernel";
	struct error *err = check_host(links, host, &settings);
	if (err) {
		findings_add(findings, armed->with, FINDING_MISSING, NULL);
		findings_blame(findings, "lockdump's part in its capture kernel", err);
		return;
	}
	const char *why = host->conflict(&settings, armed->store);
	findings_add(findings, armed->with, why ? FINDING_DEGRADED : FINDING_OK,
		     "saves the vmcore to %s", *settings.remote ? settings.remote : settings.dir);
	if (why)
		findings_explain(findings, "older incidents", why,
				 "unset it; 'lockdump harvest' removes what is too old");
}

/* --- the machine ----------------------------------------------------------------------- */

static void compare(struct links *links, const char *name, const char *then, const char *now,
		    enum updates updates, const char *lost)
{
	struct findings *findings = &links->findings;

	if (!*then || !*now)
		return;
	if (!strcmp(then, now)) {
		findings_add(findings, name, FINDING_OK, "%s", now);
		return;
	}
	if (updates == UPDATES_YES) {
		findings_add(findings, name, FINDING_OK,
			     "%s; at arming %s, and the kernel keeps up", now, then);
		return;
	}
	findings_add(findings, name, FINDING_DEGRADED, "%s, at arming %s", now, then);
	findings_explain(findings, lost, "this kernel does not tell a loaded crash kernel of them",
			 ARM " again");
}

static void print_memory(unsigned long kb, char *ret, size_t size)
{
	*ret = '\0';
	if (kb)
		snprintf(ret, size, "%lu MB", kb / 1024);
}

void links_machine(struct links *links)
{
	const struct machine *then = &links->armed.machine, *now = &links->now;
	char memory_then[32], memory_now[32];

	if (!links->ours)
		return;
	links->findings.group = "machine";
	compare(links, "CPUs", then->cpus, now->cpus, now->cpu_updates,
		"the registers of those that came");
	print_memory(then->memory_kb, memory_then, sizeof(memory_then));
	print_memory(now->memory_kb, memory_now, sizeof(memory_now));
	compare(links, "memory", memory_then, memory_now, now->memory_updates,
		"what is in memory that came, or all if some went");
}

/* --- the kernel ------------------------------------------------------------------------ */

static bool is_newer(const struct links *links, int dirfd, const char *name)
{
	static const char prefix[] = "vmlinuz-";
	struct stat st;

	return !strncmp(name, prefix, strlen(prefix)) &&
	       strcmp(name + strlen(prefix), links->now.release) &&
	       !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	       st.st_ctim.tv_sec > (time_t)links->armed.time_s;
}

/* A kernel that came after arming; its files' own times are those of its build. "": none. */
static void find_newer(const struct links *links, char *ret, size_t size)
{
	DIR *dir = opendir(rooted(links, "/boot").text);

	*ret = '\0';
	if (!dir)
		return;
	for (struct dirent *entry; !*ret && (entry = readdir(dir));)
		if (is_newer(links, dirfd(dir), entry->d_name))
			snprintf(ret, size, "%s", entry->d_name);
	closedir(dir);
}

void links_kernel(struct links *links)
{
	struct findings *findings = &links->findings;
	char modules[128], newer[256], loaded[64];

	findings->group = "machine";
	snprintf(modules, sizeof(modules), "/lib/modules/%s", links->now.release);
	/* One without modules needs none. */
	if (access(rooted(links, modules).text, F_OK) &&
	    rooted_line(links->root, "/proc/modules", loaded, sizeof(loaded))) {
		findings_add(findings, "kernel", FINDING_DEGRADED, "%s", links->now.release);
		findings_explain(findings, "'lockdump arm' does not work any more",
				 "the modules of the running kernel have gone",
				 "reboot, and run 'lockdump arm'");
		return;
	}
	if (links->ours)
		find_newer(links, newer, sizeof(newer));
	if (!links->ours || !*newer) {
		findings_add(findings, "kernel", FINDING_OK, "%s", links->now.release);
		return;
	}
	findings_add(findings, "kernel", FINDING_DEGRADED, "%s", links->now.release);
	_cleanup_free_ char *why = NULL;
	if (asprintf(&why, "/boot/%s came after arming", newer) < 0)
		why = NULL;
	findings_explain(findings, "this one is armed, the next is not proven", why,
			 "reboot, run 'lockdump arm', then 'lockdump test --crash'");
}

/* --- the store ------------------------------------------------------------------------- */

uint64_t links_usual_size(const struct links *links)
{
	/* Without user data and free pages a dump has some 5 % of the memory, and compresses to half of that. */
	return ROOM_ALWAYS + (uint64_t)links->now.memory_kb * 1024 / 32;
}

static struct error *check_device(const struct armed *armed)
{
	struct store_device device;
	struct error *err = *armed->store_uuid ? device_of_store(armed->store, &device) : NULL;

	if (!err && *armed->store_uuid && strcmp(device.uuid, armed->store_uuid))
		err = error_create(ERROR_OTHER,
				   "store %s: is on file system %s now, and the capture kernel "
				   "looks for %s; mount it there, or " ARM " again",
				   armed->store, device.uuid, armed->store_uuid);
	return err;
}

void links_store(struct links *links, uint64_t size)
{
	struct findings *findings = &links->findings;
	const struct armed *armed = &links->armed;

	if (!links->ours)
		return;
	findings->group = "store";
	struct error *err = preflight_store(rooted(links, armed->store).text, size);
	if (!err)
		err = check_device(armed);
	findings_add(findings, "store", err ? FINDING_MISSING : FINDING_OK, "%s%s%s", armed->store,
		     *armed->store_device ? " on " : "", armed->store_device);
	if (err)
		findings_blame(findings, "an incident", err);
}
