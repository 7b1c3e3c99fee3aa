// SPDX-License-Identifier: GPL-2.0-only
/* lockdump arm --with kdump-tools|kdump-utils: its crash kernel is loaded, and told what lockdump is to do in it. */
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
#include "kdump/host.h"
#include "kdump/hosted.h"
#include "kdump/kept_symbols.h"
#include "kdump/kexec.h"
#include "kdump/loaded_image.h"
#include "kdump/loading.h"
#include "kdump/makedumpfile.h"
#include "kdump/rooted.h"
#include "kdump/run.h"
#include "kdump/state_folder.h"
#include "kdump/with.h"

/* Of a host's initramfs, unpacked, and of the systemd that runs there: bytes, for want of a measurement. */
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

/* All that arming found and made. */
struct hosting {
	const struct host *host;
	struct host_settings settings;
	struct config config;
	struct kept_symbols symbols;
	struct armed before; /* what was armed before, if anything */
	struct armed armed; /* what is to be kept of this */
};

static void hosting_deinit(struct hosting *hosting)
{
	config_deinit(&hosting->config);
	kept_symbols_deinit(&hosting->symbols);
	armed_deinit(&hosting->before);
	armed_deinit(&hosting->armed);
}

/* What can be missing is looked for before anything is changed. */
static struct error *check(const struct arm_options *options, struct hosting *hosting)
{
	const struct host *host = hosting->host;
	const char *store = options->store;
	_cleanup_free_ char *makedumpfile = NULL;
	struct stat st;
	struct error *err = check_encryption(options);

	if (!err)
		err = kexec_reserved_kb("", &hosting->config.reserved_kb);
	if (!err && (stat(store, &st) || !S_ISDIR(st.st_mode)))
		err = error_create(ERROR_NOT_FOUND, "store %s: there is no such folder; mkdir it",
				   store);
	if (!err)
		err = run_installed("makedumpfile", &makedumpfile);
	if (!err)
		err = makedumpfile_version(makedumpfile, hosting->config.makedumpfile);
	if (!err && access(host->file, R_OK))
		err = error_create(ERROR_NOT_FOUND, "%s: not installed; %s", host->name,
				   host->remedy);
	if (!err)
		err = host->read("", &hosting->settings);
	if (!err)
		err = host->check(&hosting->settings, store);
	if (!err)
		err = host->check_hook();
	return err;
}

static struct error *describe(const char *store, struct hosting *hosting)
{
	const struct host *host = hosting->host;
	const struct host_settings *settings = &hosting->settings;
	struct config *config = &hosting->config;
	_cleanup_free_ char *real = realpath(store, NULL), *self = realpath("/proc/self/exe", NULL);

	if (!real || !self)
		return error_errno("%s", real ? "/proc/self/exe" : store);
	snprintf(config->store.folder, sizeof(config->store.folder), "%s", real);
	snprintf(config->with, sizeof(config->with), "%s", host->name);
	snprintf(config->program, sizeof(config->program), "%s", self);
	memcpy(config->host_dir, settings->dir, sizeof(config->host_dir));
	memcpy(config->host_remote, settings->remote, sizeof(config->host_remote));
	config->host_goes_on = settings->goes_on;
	config->dump_level = settings->dump_level;
	memcpy(config->compression, settings->compression, sizeof(config->compression));
	arm_describe_machine(config);
	/* In an initramfs it would have to be made again at each boot, and the dump has it, too. */
	if (!host->takes_config && !rooted_line("", "/proc/sys/kernel/random/boot_id",
						config->boot_id, sizeof(config->boot_id)))
		return error_errno("/proc/sys/kernel/random/boot_id");
	return NULL;
}

/* Without them there is still a dump, and the vmlinux to read it by. */
static void keep_symbols(struct hosting *hosting)
{
	if (!kept_symbols_needed())
		return;
	struct error *err = kept_symbols_read("/proc/kallsyms", &hosting->symbols);
	if (err)
		error_report(err);
}

static struct error *print_config(const struct config *config, char **ret, size_t *ret_size)
{
	FILE *file = open_memstream(ret, ret_size);

	if (!file)
		return &error_no_memory;
	struct error *err = config_write(config, file);
	if (fclose(file) && !err)
		err = &error_no_memory;
	return err;
}

/* Whether the file @name in the folder is @data. */
static bool is_same(const struct incident *folder, const char *name, const char *data, size_t size)
{
	_cleanup_close_ int fd = openat(folder->dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *there = malloc(size + 1);

	return fd >= 0 && there && read(fd, there, size + 1) == (ssize_t)size &&
	       !memcmp(there, data, size);
}

/*
 * What is done in the capture environment, where the host finds it. @changed: it is not what was there. The time of a file that is the
 * same stays.
 */
static struct error *write_config(const struct incident *folder, const struct hosting *hosting,
				  bool *changed)
{
	const struct kept_symbols *symbols = &hosting->symbols;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	struct error *err = print_config(&hosting->config, &text, &size);

	*changed = symbols->text || incident_has(folder, ARMED_SYMBOLS);
	if (!err && symbols->text)
		err = incident_write(folder, ARMED_SYMBOLS, symbols->text, symbols->size);
	else
		state_folder_remove(folder, ARMED_SYMBOLS);
	if (err || is_same(folder, ARMED_CONFIG, text, size))
		return err;
	*changed = true;
	return incident_write(folder, ARMED_CONFIG, text, size);
}

/* Nothing of what the host's initramfs was made of has changed since, and it is still there. */
static bool is_current(const struct hosting *hosting)
{
	const struct armed *before = &hosting->before;
	_cleanup_free_ char *initrd = realpath(hosting->settings.initrd, NULL);
	struct armed_input made = { .file = initrd };

	if (!initrd || strcmp(before->with, hosting->host->name) ||
	    strcmp(before->initramfs_file, initrd))
		return false;
	memcpy(made.sha256, before->initramfs_sha256, sizeof(made.sha256));
	if (!armed_input_holds("", &made))
		return false;
	for (size_t i = 0; i < before->inputs.count; i++)
		if (!armed_input_holds("", &before->inputs.data[i]))
			return false;
	return true;
}

static struct error *describe_armed(struct hosting *hosting)
{
	const struct config *config = &hosting->config;
	struct armed *armed = &hosting->armed;
	/* What it has made may have another name than before. */
	struct error *err = hosting->host->read("", &hosting->settings);

	if (err)
		return err;
	const struct host_settings *settings = &hosting->settings;
	_cleanup_free_ char *kernel = realpath(settings->kernel, NULL),
			    *initrd = realpath(settings->initrd, NULL);
	if (!kernel || !initrd)
		return error_errno("%s's %s", config->with, kernel ? "initramfs" : "kernel");
	machine_read("", &armed->machine);
	armed->reserved_kb = config->reserved_kb;
	memcpy(armed->with, config->with, sizeof(armed->with));
	snprintf(armed->loaded_by, sizeof(armed->loaded_by), "%s", config->with);
	snprintf(armed->store, sizeof(armed->store), "%s", config->store.folder);
	snprintf(armed->kernel_file, sizeof(armed->kernel_file), "%s", kernel);
	snprintf(armed->initramfs_file, sizeof(armed->initramfs_file), "%s", initrd);
	memcpy(armed->makedumpfile, config->makedumpfile, sizeof(armed->makedumpfile));
	err = kexec_image_release(kernel, armed->kernel_release);
	if (!err)
		err = armed_add_file(armed, kernel);
	if (!err)
		err = armed_add_file(armed, hosting->host->file);
	if (!err && hosting->host->takes_config)
		err = armed_add_file(armed, config->program);
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
static void keep_or_warn(const struct incident *folder, struct hosting *hosting)
{
	struct error *err = describe_armed(hosting);

	/* lockdump's own is not what is loaded any more. */
	state_folder_remove(folder, ARMED_INITRAMFS);
	if (!err)
		err = keep(folder, &hosting->armed);
	if (!err) {
		armed_unmark(folder);
		return;
	}
	armed_remove(folder);
	error_report(error_prefix(err, "'status' and 'test' cannot tell what is loaded"));
}

/* The mark, as loading.h has it: what stands in the folder may not be true while this goes on. */
static struct error *load(const struct incident *folder, struct hosting *hosting)
{
	bool changed = true;

	error_destroy(armed_read_marked(folder, &hosting->before)); /* then nothing was kept */
	struct error *err = armed_mark(folder);
	if (err)
		return err;
	err = write_config(folder, hosting, &changed);
	if (!err)
		err = hosting->host->load(changed || !is_current(hosting));
	if (err)
		load_failed(folder, &hosting->before);
	else
		keep_or_warn(folder, hosting);
	return err;
}

static void print_done(const struct hosting *hosting, bool dry_run)
{
	const struct config *config = &hosting->config;
	const struct host_settings *settings = &hosting->settings;
	const char *conflict = hosting->host->conflict(settings, config->store.folder);

	printf("with       %s, makedumpfile's level %u\n", config->with, config->dump_level);
	printf("dumps      %s\n", *settings->remote ? settings->remote : settings->dir);
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

static struct error *load_and_print(struct hosting *hosting, bool dry_run)
{
	struct incident folder;
	struct error *err = dry_run ? NULL : state_folder_make("", &folder);

	if (err)
		return err;
	if (!dry_run) {
		err = incident_try_lock(&folder)
			      ? load(&folder, hosting)
			      : error_create(ERROR_OTHER,
					     "another 'lockdump arm' is at work; wait for it");
		incident_close(&folder);
	}
	if (!err)
		print_done(hosting, dry_run);
	return err;
}

static void print_estimate(const struct arm_options *options)
{
	struct estimate estimate;
	struct machine machine;

	machine_read("", &machine);
	if (!estimate_measured(options->store, machine.release, &estimate))
		estimate_calculated(&machine, INITRAMFS_SIZE, &estimate);
	printf("crashkernel=%luM\n", estimate.reserve_kb / 1024);
	printf("%s: %s' capture kernel takes %lu MB\n",
	       estimate.measured ? "measured" : "calculated", with_name(options->with),
	       estimate.need_kb / 1024);
}

struct error *arm_hosted(const struct arm_options *options)
{
	struct hosting hosting = { .host = with_host(options->with) };

	if (options->estimate) {
		print_estimate(options);
		return NULL;
	}
	config_init(&hosting.config);
	struct error *err = check(options, &hosting);
	if (!err)
		warn_of_second_store(options);
	if (!err)
		err = describe(options->store, &hosting);
	if (!err && !options->dry_run)
		keep_symbols(&hosting);
	if (!err)
		err = load_and_print(&hosting, options->dry_run);
	hosting_deinit(&hosting);
	return err;
}
