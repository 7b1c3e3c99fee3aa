// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/kdump_conf.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "kdump/rooted.h"

#define DEFAULT_PATH "/var/crash"
#define BLANKS	     " \t\n"

/* --- reading --------------------------------------------------------------------------- */

/* "OPTION VALUE # comment", the value perhaps in quotes. False: there is no option in @line. */
static bool split(char *line, char **option, char **value)
{
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	*option = line;
	line += strcspn(line, BLANKS);
	*value = *line ? line + 1 : line;
	*line = '\0';
	*value += strspn(*value, BLANKS);
	size_t length = strlen(*value);
	while (length && strchr(BLANKS, (*value)[length - 1]))
		(*value)[--length] = '\0';
	if (length > 1 && (*value)[0] == '"' && (*value)[length - 1] == '"') {
		(*value)[length - 1] = '\0';
		++*value;
	}
	return **option;
}

static bool is_file_system(const char *option)
{
	static const char *const types[] = { "ext2",  "ext3",  "ext4", "xfs",
					     "btrfs", "minix", "nfs",  "virtiofs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(option, types[i]))
			return true;
	return false;
}

static void set_target(struct kdump_conf *conf, enum kdump_target kind, const char *type,
		       const char *target)
{
	conf->kind = kind;
	snprintf(conf->type, sizeof(conf->type), "%s", type);
	snprintf(conf->target, sizeof(conf->target), "%s", target);
}

/* dracut's own way to name a target: --mount "DEVICE POINT TYPE OPTIONS". */
static void take_dracut_args(struct kdump_conf *conf, const char *args)
{
	static const char option[] = "--mount";
	const char *at = strstr(args, option);
	char target[256], type[16];

	if (!at)
		return;
	at += strlen(option);
	at += strspn(at, "= \"'");
	if (sscanf(at, "%255s %*s %15[a-z0-9]", target, type) == 2)
		set_target(conf, KDUMP_TARGET_MOUNT, type, target);
}

static void take(struct kdump_conf *conf, const char *option, const char *value)
{
	if (is_file_system(option))
		set_target(conf, KDUMP_TARGET_MOUNT, option, value);
	else if (!strcmp(option, "raw"))
		set_target(conf, KDUMP_TARGET_RAW, option, value);
	else if (!strcmp(option, "ssh"))
		set_target(conf, KDUMP_TARGET_SSH, option, value);
	else if (!strcmp(option, "dracut_args"))
		take_dracut_args(conf, value);
	else if (!strcmp(option, "path"))
		snprintf(conf->path, sizeof(conf->path), "%s", value);
	else if (!strcmp(option, "sshkey") && *value)
		snprintf(conf->sshkey, sizeof(conf->sshkey), "%s", value);
	else if (!strcmp(option, "core_collector") && *value)
		snprintf(conf->core_collector, sizeof(conf->core_collector), "%s", value);
}

struct error *kdump_conf_read(const char *root, struct kdump_conf *ret)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, KDUMP_CONF_FILE);
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	*ret = (struct kdump_conf){
		.path = DEFAULT_PATH,
		.sshkey = "/root/.ssh/kdump_id_rsa",
		.core_collector = "makedumpfile -l --message-level 7 -d 31",
	};
	if (!file)
		return error_errno(KDUMP_CONF_FILE);
	while (getline(&line, &size, file) > 0) {
		char *option, *value;
		if (split(line, &option, &value))
			take(ret, option, value);
	}
	/* In a target it is the mount point itself: kdump-utils takes that away from a path, for its initramfs. */
	if (!*ret->path && ret->kind == KDUMP_TARGET_PATH)
		strcpy(ret->path, DEFAULT_PATH);
	return ferror(file) ? error_errno(KDUMP_CONF_FILE) : NULL;
}

void kdump_conf_describe(const struct kdump_conf *conf, char *ret, size_t size)
{
	const char *path = conf->kind == KDUMP_TARGET_RAW ? "" : conf->path;

	if (conf->kind == KDUMP_TARGET_PATH)
		snprintf(ret, size, "%s", path);
	else
		snprintf(ret, size, "%s %s%s%s", conf->type, conf->target,
			 conf->kind == KDUMP_TARGET_SSH ? ":" : "", path);
}

/* --- its place here -------------------------------------------------------------------- */

/* UUID=... and LABEL=... as the device's name, which udev makes. */
static void name_device(const char *target, char ret[static PATH_MAX])
{
	static const struct {
		const char *prefix, *folder;
	} kinds[] = {
		{ "UUID=", "by-uuid" },
		{ "LABEL=", "by-label" },
		{ "PARTUUID=", "by-partuuid" },
		{ "PARTLABEL=", "by-partlabel" },
	};

	snprintf(ret, PATH_MAX, "%s", target);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);
		if (!strncmp(target, kinds[i].prefix, length))
			snprintf(ret, PATH_MAX, "/dev/disk/%s/%s", kinds[i].folder,
				 target + length);
	}
}

/* Names of one block device may be many. */
static bool is_same_source(const char *a, const char *b)
{
	struct stat sta, stb;

	return !strcmp(a, b) || (!stat(a, &sta) && !stat(b, &stb) && S_ISBLK(sta.st_mode) &&
				 S_ISBLK(stb.st_mode) && sta.st_rdev == stb.st_rdev);
}

/* The first, as kdump-utils has it: others show a part of it. */
static bool find_point(const char *root, const char *source, char ret[static PATH_MAX])
{
	char file[PATH_MAX];
	bool found = false;

	snprintf(file, sizeof(file), "%s/proc/self/mounts", root);
	FILE *mounts = setmntent(file, "re");
	if (!mounts)
		return false;
	for (struct mntent *mount; !found && (mount = getmntent(mounts));) {
		found = is_same_source(mount->mnt_fsname, source);
		if (found)
			snprintf(ret, PATH_MAX, "%s", mount->mnt_dir);
	}
	endmntent(mounts);
	return found;
}

struct error *kdump_conf_folder(const struct kdump_conf *conf, const char *root,
				char ret[static PATH_MAX], char *ret_point)
{
	char source[PATH_MAX], point[PATH_MAX] = "";
	int length;

	if (conf->kind == KDUMP_TARGET_RAW || conf->kind == KDUMP_TARGET_SSH)
		return error_create(ERROR_NOT_FOUND, "%s %s: there are no folders", conf->type,
				    conf->target);
	if (conf->kind == KDUMP_TARGET_MOUNT) {
		name_device(conf->target, source);
		if (!find_point(root, source, point))
			return error_create(ERROR_NOT_FOUND, "%s %s: not mounted", conf->type,
					    conf->target);
	}
	if (ret_point)
		strcpy(ret_point, point);
	length = snprintf(ret, PATH_MAX, "%s%s%s", strcmp(point, "/") ? point : "",
			  *conf->path && *conf->path != '/' ? "/" : "", conf->path);
	if (length >= PATH_MAX)
		return error_create(ERROR_OTHER, KDUMP_CONF_FILE ": the path is too long");
	return NULL;
}
