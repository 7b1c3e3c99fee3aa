// SPDX-License-Identifier: GPL-2.0-only
/* lockdump arm --with kdump-tools: its crash kernel is loaded, and told what lockdump is to do in it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kdump/arm.h"
#include "kdump/armed.h"
#include "kdump/estimate.h"
#include "kdump/hosted.h"
#include "kdump/kdump_tools.h"
#include "kdump/kexec.h"
#include "kdump/loaded_image.h"
#include "kdump/loading.h"
#include "kdump/makedumpfile.h"
#include "kdump/rooted.h"
#include "kdump/run.h"
#include "kdump/state_folder.h"
#include "kdump/with.h"

/* Of kdump-tools' initramfs, unpacked, and of the systemd that runs there: bytes, for want of a measurement. */
#define INITRAMFS_SIZE (64 << 20)

/* It would write the vmcore as it is, and that is no matter of a warning. */
static struct error *check_encryption(const struct arm_options *options)
{
	if (!*options->settings.encrypt_to)
		return NULL;
	return error_create(ERROR_OTHER,
			    "encryption: %s writes the vmcore as it is; take EncryptTo= or "
			    "--encrypt-to away, or use a store that --with builtin reaches",
			    with_name(options->with));
}

static void warn_of_second_store(const struct arm_options *options)
{
	if (*options->second_store)
		error_report(error_create(
			ERROR_OTHER,
			"second store %s: left out, as %s has none; only --with builtin does",
			options->second_store, with_name(options->with)));
}

/* What can be missing is looked for before anything is changed. */
static struct error *check(const struct arm_options *options, struct config *config,
			   struct kdump_tools *tools)
{
	const char *store = options->store;
	_cleanup_free_ char *makedumpfile = NULL;
	struct stat st;
	struct error *err = check_encryption(options);

	if (!err)
		err = kexec_reserved_kb("", &config->reserved_kb);
	if (!err && (stat(store, &st) || !S_ISDIR(st.st_mode)))
		err = error_create(ERROR_NOT_FOUND, "store %s: there is no such folder; mkdir it",
				   store);
	if (!err)
		err = run_installed("makedumpfile", &makedumpfile);
	if (!err)
		err = makedumpfile_version(makedumpfile, config->makedumpfile);
	if (!err && access(KDUMP_TOOLS_FILE, R_OK))
		err = error_create(ERROR_NOT_FOUND,
				   "kdump-tools: not installed; apt-get install kdump-tools");
	if (!err)
		err = kdump_tools_read(KDUMP_TOOLS_FILE, tools);
	if (!err && !tools->enabled)
		err = error_create(ERROR_OTHER, KDUMP_TOOLS_FILE ": USE_KDUMP is 0; set it to 1");
	if (!err)
		err = kdump_tools_check_hook();
	return err;
}

static struct error *describe(const char *store, const struct kdump_tools *tools,
			      struct config *config)
{
	_cleanup_free_ char *real = realpath(store, NULL);

	if (!real)
		return error_errno("store %s", store);
	snprintf(config->store.folder, sizeof(config->store.folder), "%s", real);
	snprintf(config->with, sizeof(config->with), "%s", with_name(WITH_KDUMP_TOOLS));
	memcpy(config->host_dir, tools->coredir, sizeof(config->host_dir));
	memcpy(config->host_remote, tools->remote, sizeof(config->host_remote));
	config->host_goes_on = tools->has_fail_cmd;
	config->dump_level = tools->dump_level;
	memcpy(config->compression, tools->compression, sizeof(config->compression));
	arm_describe_machine(config);
	if (!rooted_line("", "/proc/sys/kernel/random/boot_id", config->boot_id,
			 sizeof(config->boot_id)))
		return error_errno("/proc/sys/kernel/random/boot_id");
	return NULL;
}

/* Where the host finds it after the crash. */
static struct error *write_config(const struct incident *folder, const struct config *config)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return &error_no_memory;
	struct error *err = config_write(config, file);
	if (fclose(file) && !err)
		err = &error_no_memory;
	return err ? err : incident_write(folder, ARMED_CONFIG, text, size);
}

static struct error *describe_armed(const struct config *config, const struct kdump_tools *tools,
				    struct armed *armed)
{
	_cleanup_free_ char *kernel = realpath(tools->kernel, NULL),
			    *initrd = realpath(tools->initrd, NULL);

	if (!kernel || !initrd)
		return error_errno("%s", kernel ? tools->initrd : tools->kernel);
	machine_read("", &armed->machine);
	armed->reserved_kb = config->reserved_kb;
	memcpy(armed->with, config->with, sizeof(armed->with));
	snprintf(armed->loaded_by, sizeof(armed->loaded_by), "%s", config->with);
	snprintf(armed->store, sizeof(armed->store), "%s", config->store.folder);
	snprintf(armed->kernel_file, sizeof(armed->kernel_file), "%s", kernel);
	snprintf(armed->initramfs_file, sizeof(armed->initramfs_file), "%s", initrd);
	memcpy(armed->makedumpfile, config->makedumpfile, sizeof(armed->makedumpfile));
	struct error *err = kexec_image_release(kernel, armed->kernel_release);
	if (!err)
		err = armed_add_file(armed, kernel);
	if (!err)
		err = armed_add_file(armed, KDUMP_TOOLS_FILE);
	return err;
}

/* What is loaded is believed to be the initramfs's file, found in memory if that can be read. */
static struct error *keep(const struct incident *folder, struct armed *armed)
{
	struct stat st;
	_cleanup_close_ int fd = open(armed->initramfs_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		return error_errno("%s", armed->initramfs_file);
	armed->initramfs_size = st.st_size;
	error_destroy(loaded_image_find("", fd, &armed->loaded_at));
	armed->time_s = realtime_s();
	struct error *err = sha256_of(fd, armed->initramfs_file, armed->initramfs_sha256);
	return err ? err : armed_write(folder, armed);
}

/*
 * The host could not load its own. What was loaded before may have been dropped for it, or be there still: what is kept of it stays
 * as far as it is true, as loading.h has it. lockdump's own initramfs does no harm, and need not be made again; but what was said of
 * the host's would be believed once its service loads it by itself, and nobody be told there what to do.
 */
static void load_failed(const struct incident *folder, const struct armed *before)
{
	bool holds = loading_is_in_memory("", before), was_hosted = *before->initramfs_file;

	if (!holds || !was_hosted)
		state_folder_remove(folder, ARMED_CONFIG);
	if (holds || (!was_hosted && !kexec_crash_loaded("")))
		armed_unmark(folder);
	else
		armed_remove(folder);
}

/* It is loaded, whatever becomes of this. */
static void keep_or_warn(const struct incident *folder, const struct config *config,
			 const struct kdump_tools *tools)
{
	_cleanup_(armed_deinit) struct armed armed = { 0 };
	struct error *err = describe_armed(config, tools, &armed);

	/* lockdump's own is not what is loaded any more. */
	state_folder_remove(folder, ARMED_INITRAMFS);
	if (!err)
		err = keep(folder, &armed);
	if (!err) {
		armed_unmark(folder);
		return;
	}
	armed_remove(folder);
	error_report(error_prefix(err, "'status' and 'test' cannot tell what is loaded"));
}

/* The mark, as loading.h has it: what stands in the folder may not be true while this goes on. */
static struct error *load(const struct incident *folder, const struct config *config,
			  const struct kdump_tools *tools)
{
	_cleanup_(armed_deinit) struct armed before = { 0 };

	error_destroy(armed_read_marked(folder, &before)); /* then nothing was kept */
	struct error *err = armed_mark(folder);
	if (err)
		return err;
	err = write_config(folder, config);
	if (!err)
		err = kdump_tools_load();
	if (err)
		load_failed(folder, &before);
	else
		keep_or_warn(folder, config, tools);
	return err;
}

static void print_done(const struct config *config, const struct kdump_tools *tools, bool dry_run)
{
	const char *conflict = kdump_tools_conflict(tools, config->store.folder);

	printf("with       %s, makedumpfile's level %u\n", config->with, config->dump_level);
	printf("dumps      %s\n", *tools->remote ? tools->remote : tools->coredir);
	printf("store      %s\n", config->store.folder);
	if (dry_run)
		printf("not loaded (--dry-run)\n");
	else
		printf("loaded     by %s, %lu MB reserved\n", config->with,
		       config->reserved_kb / 1024);
	if (conflict)
		error_report(error_create(ERROR_OTHER,
					  "%s; remove it, 'lockdump harvest' does that", conflict));
}

static struct error *load_and_print(const struct config *config, const struct kdump_tools *tools,
				    bool dry_run)
{
	struct incident folder;
	struct error *err = dry_run ? NULL : state_folder_make("", &folder);

	if (err)
		return err;
	if (!dry_run) {
		err = incident_try_lock(&folder)
			      ? load(&folder, config, tools)
			      : error_create(ERROR_OTHER,
					     "another 'lockdump arm' is at work; wait for it");
		incident_close(&folder);
	}
	if (!err)
		print_done(config, tools, dry_run);
	return err;
}

static void print_estimate(const char *store)
{
	struct estimate estimate;
	struct machine machine;

	machine_read("", &machine);
	if (!estimate_measured(store, machine.release, &estimate))
		estimate_calculated(&machine, INITRAMFS_SIZE, &estimate);
	printf("crashkernel=%luM\n", estimate.reserve_kb / 1024);
	printf("%s: kdump-tools' capture kernel takes %lu MB\n",
	       estimate.measured ? "measured" : "calculated", estimate.need_kb / 1024);
}

struct error *arm_hosted(const struct arm_options *options)
{
	struct kdump_tools tools;
	struct config config;

	if (options->estimate) {
		print_estimate(options->store);
		return NULL;
	}
	config_init(&config);
	struct error *err = check(options, &config, &tools);
	if (!err)
		warn_of_second_store(options);
	if (!err)
		err = describe(options->store, &tools, &config);
	if (!err)
		err = load_and_print(&config, &tools, options->dry_run);
	config_deinit(&config);
	return err;
}
