// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kdump_utils.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/kdump_conf.h"
#include "kdump/rooted.h"
#include "kdump/run.h"

#define SYSCONFIG "/etc/sysconfig/kdump"

#define LOOK_LIMIT_S 60

/* dracut looks nowhere else. */
#define MODULE "/usr/lib/dracut/modules.d/99lockdump/module-setup.sh"

/* --- its files ------------------------------------------------------------------------- */

/* What SYSCONFIG says of the capture kernel, with kdumpctl's defaults. */
struct names {
	char release[72];
	char folder[256]; /* empty: one of several */
	char image[64];
	char extension[64];
	char machine_id[40];
};

static struct error *read_names(const char *root, struct names *ret)
{
	static const char *const variables[] = { "KDUMP_KERNELVER", "KDUMP_BOOTDIR", "KDUMP_IMG",
						 "KDUMP_IMG_EXT", NULL };
	char file[PATH_MAX], lines[HOST_LINES_SIZE] = "";
	struct utsname names;
	struct error *err = NULL;

	snprintf(file, sizeof(file), "%s" SYSCONFIG, root);
	if (!access(file, F_OK))
		err = host_run_script(file, variables, lines);
	if (err)
		return err;
	uname(&names);
	host_take(lines, "KDUMP_KERNELVER", names.release, ret->release, sizeof(ret->release));
	host_take(lines, "KDUMP_BOOTDIR", "", ret->folder, sizeof(ret->folder));
	host_take(lines, "KDUMP_IMG", "vmlinuz", ret->image, sizeof(ret->image));
	host_take(lines, "KDUMP_IMG_EXT", "", ret->extension, sizeof(ret->extension));
	rooted_line(root, "/etc/machine-id", ret->machine_id, sizeof(ret->machine_id));
	return NULL;
}

/* Whether there is a file @path under @root that is newer than *@newest; if so it is @ret. */
static void take_newer(const char *root, const char *path, time_t *newest,
		       char ret[static PATH_MAX])
{
	char rooted[PATH_MAX * 2];
	struct stat st;

	snprintf(rooted, sizeof(rooted), "%s%s", root, path);
	if (stat(rooted, &st) || !S_ISREG(st.st_mode) || st.st_mtime <= *newest)
		return;
	*newest = st.st_mtime;
	snprintf(ret, PATH_MAX, "%s", path);
}

static void find_kernel(const char *root, const struct names *names, char ret[static PATH_MAX])
{
	static const char *const folders[] = { "/boot", "/boot/efi", "/efi", "" };
	time_t newest;
	char path[PATH_MAX];

	*ret = '\0';
	for (size_t i = 0; !*ret && i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *folder = *names->folder ? names->folder : folders[i];
		newest = 0;
		snprintf(path, sizeof(path), "%s/%s-%s%s", folder, names->image, names->release,
			 names->extension);
		take_newer(root, path, &newest, ret);
		snprintf(path, sizeof(path), "%s/%s/%s/%s", folder, names->machine_id,
			 names->release, names->image);
		if (!*ret)
			take_newer(root, path, &newest, ret);
	}
}

/* Beside the kernel, or where the state is if nothing can be written there. The newest is the one that kdumpctl made last. */
static void find_initrd(const char *root, const struct names *names, const char *kernel,
			char ret[static PATH_MAX])
{
	time_t newest = 0;
	char path[PATH_MAX + 128];
	int folder = *kernel ? (int)(strrchr(kernel, '/') - kernel) : 0;

	*ret = '\0';
	snprintf(path, sizeof(path), "%.*s/initramfs-%skdump.img", folder, kernel, names->release);
	take_newer(root, path, &newest, ret);
	snprintf(path, sizeof(path), "%.*s/initrdkdump", folder, kernel);
	take_newer(root, path, &newest, ret);
	snprintf(path, sizeof(path), "/var/lib/kdump/initramfs-%skdump.img", names->release);
	take_newer(root, path, &newest, ret);
}

/* --- the operations -------------------------------------------------------------------- */

/* Anything but makedumpfile copies all that there is. */
static void take_core_collector(const char *command, struct host_settings *ret)
{
	if (strstr(command, "makedumpfile"))
		host_take_makedumpfile(command, ret);
	else
		strcpy(ret->compression, "none");
}

static struct error *read_settings(const char *root, struct host_settings *ret)
{
	struct kdump_conf conf;
	struct names names;

	*ret = (struct host_settings){ .enabled = true };
	struct error *err = kdump_conf_read(root, &conf);
	if (!err)
		err = read_names(root, &names);
	if (err)
		return err;
	find_kernel(root, &names, ret->kernel);
	find_initrd(root, &names, ret->kernel, ret->initrd);
	take_core_collector(conf.core_collector, ret);
	err = kdump_conf_folder(&conf, root, ret->dir, NULL);
	/* An export that is mounted here has a place here, too. */
	if (err)
		kdump_conf_describe(&conf, ret->remote, sizeof(ret->remote));
	error_destroy(err);
	return NULL;
}

/* The incident is made where its dump goes: in its capture environment nothing else is mounted. */
static struct error *check(const struct host_settings *settings, const char *store)
{
	struct stat theirs, ours;

	if (!*settings->kernel)
		return error_create(ERROR_NOT_FOUND,
				    "kdump-utils: its capture kernel is not there; see " SYSCONFIG);
	if (*settings->remote)
		return NULL;
	if (stat(settings->dir, &theirs))
		return error_errno("kdump-utils: %s", settings->dir);
	if (!stat(store, &ours) && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino)
		return NULL;
	return error_create(ERROR_OTHER,
			    "store %s: kdump-utils mounts but the place of its own dumps, which is "
			    "%s by " KDUMP_CONF_FILE "; make one of them the other",
			    store, settings->dir);
}

/* It removes nothing. */
static const char *conflict(const struct host_settings *settings, const char *store)
{
	(void)settings;
	(void)store;
	return NULL;
}

static struct error *check_hook(void)
{
	return access(MODULE, R_OK)
		       ? error_create(ERROR_NOT_FOUND,
				      MODULE ": lockdump's module for dracut is not there; run "
					     "'make install'")
		       : NULL;
}

/* systemd runs it: the initramfs goes to /boot, and what dracut takes to make it is more than lockdump-arm.service may do. */
static struct error *make_initramfs(void)
{
	struct run run = RUN_INIT;

	run.limit_s = HOST_LOAD_LIMIT_S;
	run.group = true;
	return run_program(&run, (const char *[]){ "systemd-run", "--quiet", "--wait", "--pipe",
						   "--collect", "kdumpctl", "rebuild", NULL });
}

/* A configuration of dracut's may leave modules out. One that cannot be looked into is believed to have it. */
static struct error *check_initramfs(void)
{
	struct host_settings settings;
	struct run run = RUN_INIT;
	struct error *err = read_settings("", &settings);

	if (err)
		return err;
	run.limit_s = LOOK_LIMIT_S;
	run.group = true;
	err = run_program(&run, (const char *[]){ "lsinitrd", "--mod", settings.initrd, NULL });
	if (!err && !strstr(run.messages, "\nlockdump\n"))
		return error_create(
			ERROR_NOT_FOUND,
			"%s: dracut has left lockdump's module out; see " KDUMP_CONF_FILE
			"'s dracut_args and /etc/dracut.conf.d",
			settings.initrd);
	error_destroy(err);
	return NULL;
}

/* With something loaded it would say that it runs already. */
static struct error *load(bool anew)
{
	struct error *err = anew ? make_initramfs() : NULL;

	if (!err && anew)
		err = check_initramfs();
	return err ? err
		   : host_load((const char *[]){ "systemctl", "restart", "kdump.service", NULL });
}

const struct host kdump_utils = {
	.name = "kdump-utils",
	.program = "kdumpctl",
	.file = KDUMP_CONF_FILE,
	.remedy = "dnf install kdump-utils",
	.takes_config = true,
	.read = read_settings,
	.check = check,
	.conflict = conflict,
	.check_hook = check_hook,
	.load = load,
};
