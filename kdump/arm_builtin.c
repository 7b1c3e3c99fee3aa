// SPDX-License-Identifier: GPL-2.0-only
/* lockdump arm --with builtin: lockdump's own capture kernel and initramfs are made for this machine, and loaded. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "kdump/age.h"
#include "kdump/arm.h"
#include "kdump/armed.h"
#include "kdump/cmdline.h"
#include "kdump/config.h"
#include "kdump/device.h"
#include "kdump/driver_modules.h"
#include "kdump/estimate.h"
#include "kdump/experience.h"
#include "kdump/initramfs.h"
#include "kdump/kept_symbols.h"
#include "kdump/kexec.h"
#include "kdump/loading.h"
#include "kdump/makedumpfile.h"
#include "kdump/rooted.h"
#include "kdump/run.h"
#include "kdump/watchdog.h"

/* All that arming found and made, in the order of its making. */
struct arming {
	char release[72]; /* of the capture kernel */
	char *makedumpfile;
	char *age; /* NULL: nothing is encrypted */
	char recipients[PATH_MAX];
	char *cmdline;
	struct config config;
	struct store_device device;
	struct store_device second; /* of the second store, if there is one */
	struct driver_modules modules;
	struct kept_symbols symbols;
	struct initramfs initramfs;
	bool level_is_proven; /* it served last time */
	struct armed armed; /* what is to be kept of all this */
	struct loading loading; /* how that went */
};

static void arming_deinit(struct arming *arming)
{
	free(arming->makedumpfile);
	free(arming->age);
	free(arming->cmdline);
	config_deinit(&arming->config);
	driver_modules_deinit(&arming->modules);
	kept_symbols_deinit(&arming->symbols);
	initramfs_deinit(&arming->initramfs);
	armed_deinit(&arming->armed);
}

/* Whom the vmcore is encrypted to, if at all. What is wrong with that is found out now, and not after the crash. */
static struct error *check_encryption(const char *to, struct arming *arming)
{
	if (!*to)
		return NULL;
	/* By its whole name, as 'status' looks at it too, from wherever that is run. */
	struct error *err = realpath(to, arming->recipients) ? NULL : error_errno("%s", to);
	if (!err)
		err = run_installed("age", &arming->age);
	if (!err)
		err = age_check(arming->age, arming->recipients);
	arming->config.encrypt = !err;
	return error_prefix(err, "encryption");
}

/* What can be missing is looked for before anything is made. */
static struct error *check(const struct arm_options *options, struct arming *arming)
{
	struct error *err = kexec_reserved_kb("", &arming->config.reserved_kb);
	if (err && options->dry_run) {
		if (!options->estimate)
			error_report(err);
		else
			error_destroy(err);
		err = NULL;
	}
	if (!err)
		err = kexec_image_release(options->kernel, arming->release);
	if (!err)
		err = run_installed("kexec", NULL);
	if (!err)
		err = run_installed("makedumpfile", &arming->makedumpfile);
	/* That it runs is better found out now than after the crash. */
	if (!err)
		err = makedumpfile_version(arming->makedumpfile, arming->config.makedumpfile);
	if (!err)
		err = check_encryption(options->settings.encrypt_to, arming);
	return err;
}

static void warn_if_open(const char *store, const struct store_device *device)
{
	if (device->is_open_to_all)
		error_report(error_create(
			ERROR_OTHER,
			"store %s: whoever is on this machine can read the dumps there, as %s has no "
			"modes; mount it with umask=077",
			store, device->fs_type));
}

static struct error *describe_store(const char *folder, struct store_device *device,
				    struct config_store *ret)
{
	struct error *err = device_of_store(folder, device);

	if (err)
		return err;
	warn_if_open(folder, device);
	_cleanup_free_ char *real = realpath(folder, NULL);
	if (!real)
		return error_errno("store %s", folder);
	snprintf(ret->folder, sizeof(ret->folder), "%s", real);
	memcpy(ret->uuid, device->uuid, sizeof(ret->uuid));
	memcpy(ret->fs, device->fs_type, sizeof(ret->fs));
	memcpy(ret->options, device->options, sizeof(ret->options));
	memcpy(ret->path, device->path, sizeof(ret->path));
	return NULL;
}

static struct error *describe_stores(const struct arm_options *options, struct arming *arming)
{
	struct config *config = &arming->config;
	struct error *err = describe_store(options->store, &arming->device, &config->store);

	if (err || !*options->second_store)
		return err;
	err = describe_store(options->second_store, &arming->second, &config->second);
	if (!err && !strcmp(config->second.uuid, config->store.uuid))
		err = error_create(ERROR_OTHER,
				   "store %s: it is on the same file system as store %s; "
				   "name a folder on another",
				   options->second_store, options->store);
	return error_prefix(err, "second");
}

/* Behind what is @wanted already. */
static struct error *want_stores(struct arming *arming, bool other_kernel, struct strings *wanted)
{
	struct error *err = device_modules(&arming->device, other_kernel, wanted);

	if (!err && *arming->second.uuid)
		err = device_modules(&arming->second, other_kernel, wanted);
	return err ? err : driver_modules_resolve(arming->release, wanted, &arming->modules);
}

/* Watchdogs first: they may have been hungry for a while. But a dump can be had without them. */
static struct error *choose_modules(struct arming *arming)
{
	_cleanup_(strings_deinit) struct strings wanted = { 0 }, stores_only = { 0 };
	struct utsname names;

	uname(&names);
	bool other_kernel = strcmp(names.release, arming->release) != 0;
	struct error *err = watchdogs_find("", other_kernel, &wanted, &arming->config.watchdogs);

	if (!err)
		err = want_stores(arming, other_kernel, &wanted);
	if (!err)
		return NULL;
	struct error *without = want_stores(arming, other_kernel, &stores_only);
	if (!without)
		error_report(error_prefix(err, "watchdogs are left out"));
	else
		error_destroy(err);
	return without;
}

static struct error *describe_kernel(struct arming *arming)
{
	char running[4096], boot_id[BOOT_ID_SIZE];

	arm_describe_machine(&arming->config);
	if (!rooted_line("", "/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id)))
		return error_errno("/proc/sys/kernel/random/boot_id");
	if (!rooted_line("", "/proc/cmdline", running, sizeof(running)))
		return error_errno("/proc/cmdline");
	return cmdline_for_capture(running, boot_id, &arming->cmdline);
}

/* What is not configured: the fastest compression, and the level that served last time. */
static struct error *choose_dump(const struct arm_options *options, struct arming *arming)
{
	const struct settings *settings = &options->settings;
	struct config *config = &arming->config;

	if (settings->dump_level >= 0)
		config->dump_level = settings->dump_level;
	else
		arming->level_is_proven =
			experience_level(config->store.folder, config->release,
					 config->makedumpfile, &config->dump_level);
	if (!*settings->compression)
		return makedumpfile_compression(arming->makedumpfile, config->compression);
	memcpy(config->compression, settings->compression, sizeof(config->compression));
	return makedumpfile_can(arming->makedumpfile, config->compression);
}

/* Without them there is still a dump, and the vmlinux to read it by. */
static void keep_symbols(struct arming *arming)
{
	if (!kept_symbols_needed())
		return;
	struct error *err = kept_symbols_read("/proc/kallsyms", &arming->symbols);
	if (err)
		error_report(err);
}

static struct error *describe(const struct arm_options *options, struct arming *arming)
{
	const struct initramfs *initramfs = &arming->initramfs;
	struct armed *armed = &arming->armed;

	machine_read("", &armed->machine);
	strcpy(armed->with, with_name(WITH_BUILTIN));
	armed->reserved_kb = arming->config.reserved_kb;
	snprintf(armed->kernel_file, sizeof(armed->kernel_file), "%s", options->kernel);
	snprintf(armed->kernel_release, sizeof(armed->kernel_release), "%s", arming->release);
	snprintf(armed->parameters, sizeof(armed->parameters), "%s", arming->cmdline);
	snprintf(armed->recipients, sizeof(armed->recipients), "%s", arming->recipients);
	snprintf(armed->store, sizeof(armed->store), "%s", arming->config.store.folder);
	snprintf(armed->store_uuid, sizeof(armed->store_uuid), "%s", arming->device.uuid);
	snprintf(armed->store_device, sizeof(armed->store_device), "%s", arming->device.name);
	memcpy(armed->makedumpfile, arming->config.makedumpfile, sizeof(armed->makedumpfile));
	struct error *err = armed_add_file(armed, options->kernel);
	for (size_t i = 0; !err && i < initramfs->entries.count; i++) {
		const struct initramfs_entry *entry = &initramfs->entries.data[i];
		if (entry->source)
			err = armed_add_input(armed, entry->source, entry->sha256);
	}
	return err;
}

static struct error *arm(const struct arm_options *options, struct arming *arming)
{
	struct error *err = check(options, arming);

	if (!err)
		err = describe_stores(options, arming);
	if (!err)
		err = choose_modules(arming);
	if (!err)
		err = describe_kernel(arming);
	if (!err)
		err = choose_dump(options, arming);
	if (!err) {
		const struct initramfs_programs programs = {
			.makedumpfile = arming->makedumpfile,
			.age = arming->age,
			.recipients = arming->recipients,
		};
		keep_symbols(arming);
		err = initramfs_plan(&arming->config, &arming->modules, &programs, &arming->symbols,
				     &arming->initramfs);
	}
	if (!err && !options->dry_run)
		err = describe(options, arming);
	if (!err && !options->dry_run)
		err = loading_run("", &arming->initramfs, &arming->armed, &arming->loading);
	return err;
}

static void print_store(const char *name, const char *store, const struct store_device *device)
{
	printf("%-10s %s: %s on %s, UUID %s\n", name, store, device->fs_type, device->name,
	       device->uuid);
}

static void print_done(const struct arm_options *options, const struct arming *arming)
{
	const struct strings *watchdogs = &arming->config.watchdogs;

	printf("kernel     %s (%s)\n", options->kernel, arming->release);
	printf("initramfs  %.1f MB, %zu files and folders%s\n", arming->initramfs.size / 1e6,
	       arming->initramfs.entries.count,
	       options->dry_run || arming->loading.made ? "" : ", unchanged");
	printf("modules   ");
	for (size_t i = 0; i < arming->modules.count; i++)
		printf(" %s", arming->modules.items[i].name);
	printf("%s\n", arming->modules.count ? "" : " none needed");
	print_store("store", options->store, &arming->device);
	if (*arming->second.uuid)
		print_store("second", options->second_store, &arming->second);
	for (size_t i = 0; i < watchdogs->count; i++)
		printf("watchdog   %s\n", watchdogs->items[i]);
	printf("dump       level %u%s, %s%s%s\n", arming->config.dump_level,
	       arming->level_is_proven ? " (proven last time)" : "", arming->config.compression,
	       arming->config.encrypt ? ", encrypted to the keys in " : "", arming->recipients);
	printf("parameters %s\n", arming->cmdline);
	if (options->dry_run)
		printf("not loaded (--dry-run)\n");
	else
		printf("loaded     %sby %s, %lu MB reserved\n",
		       arming->loading.loaded ? "" : "already, ", arming->armed.loaded_by,
		       arming->config.reserved_kb / 1024);
}

/* Without a crash that told there is only the sum of what is known. */
static void print_estimate(const struct arm_options *options, const struct arming *arming)
{
	struct estimate estimate;
	struct machine machine;

	machine_read("", &machine);
	bool measured = estimate_measured(options->store, arming->release, &estimate);
	if (!measured)
		estimate_calculated(&machine, arming->initramfs.size, &estimate);
	printf("crashkernel=%luM\n", estimate.reserve_kb / 1024);
	if (measured)
		printf("measured: the capture kernel took %lu MB in %s %s\n",
		       estimate.need_kb / 1024, estimate.drill ? "the drill" : "incident",
		       estimate.incident);
	else
		printf("calculated: %lu MB for kernel %s, an initramfs of %.1f MB and a machine of "
		       "%lu MB; 'lockdump test --crash' measures it\n",
		       estimate.need_kb / 1024, arming->release, arming->initramfs.size / 1e6,
		       machine.memory_kb / 1024);
	printf("reserved now: %lu MB\n", arming->config.reserved_kb / 1024);
}

struct error *arm_builtin(const struct arm_options *options)
{
	struct arming arming = { 0 };

	config_init(&arming.config);
	struct error *err = arm(options, &arming);
	if (!err && options->estimate)
		print_estimate(options, &arming);
	else if (!err)
		print_done(options, &arming);
	arming_deinit(&arming);
	return err;
}
