// SPDX-License-Identifier: GPL-2.0-only
/* lockdump arm, lockdump disarm: the capture kernel is made for this machine and loaded, or unloaded. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/usage.h"
#include "kdump/armed.h"
#include "kdump/cmdline.h"
#include "kdump/config.h"
#include "kdump/device.h"
#include "kdump/driver_modules.h"
#include "kdump/estimate.h"
#include "kdump/initramfs.h"
#include "kdump/kept_symbols.h"
#include "kdump/kexec.h"
#include "kdump/makedumpfile.h"
#include "kdump/run.h"
#include "kdump/store.h"
#include "lockdump.h"

struct arm_options {
	const char *store;
	char kernel[PATH_MAX];
	bool dry_run;
	bool estimate;
};

/* All that arming found and made, in the order of its making. */
struct arming {
	char release[72]; /* of the capture kernel */
	char *makedumpfile;
	char *cmdline;
	struct config config;
	struct store_device device;
	struct driver_modules modules;
	struct kept_symbols symbols;
	struct initramfs initramfs;
	const char *loaded_by;
};

static void arming_deinit(struct arming *arming)
{
	free(arming->makedumpfile);
	free(arming->cmdline);
	config_deinit(&arming->config);
	driver_modules_deinit(&arming->modules);
	kept_symbols_deinit(&arming->symbols);
	initramfs_deinit(&arming->initramfs);
}

static struct error *read_line(const char *path, char *ret, size_t size)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");

	if (!file || !fgets(ret, size, file))
		return error_errno("%s", path);
	ret[strcspn(ret, "\n")] = '\0';
	return NULL;
}

/* What can be missing is looked for before anything is made. */
static struct error *check(const struct arm_options *options, struct arming *arming)
{
	_cleanup_free_ char *kexec = NULL, *cpio = NULL;
	struct error *err;

	if (geteuid())
		return error_create(ERROR_OTHER, "arm: loading a crash kernel needs root");
	err = kexec_reserved_kb("", &arming->config.reserved_kb);
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
		err = run_installed("kexec", &kexec);
	if (!err)
		err = run_installed("cpio", &cpio);
	if (!err)
		err = run_installed("makedumpfile", &arming->makedumpfile);
	/* That it runs is better found out now than after the crash. */
	if (!err)
		err = makedumpfile_compression(arming->makedumpfile, arming->config.compression);
	return err;
}

static struct error *describe_store(const struct arm_options *options, struct arming *arming)
{
	struct config *config = &arming->config;
	struct error *err = device_of_store(options->store, &arming->device);

	if (err)
		return err;
	_cleanup_free_ char *real = realpath(options->store, NULL);
	if (!real)
		return error_errno("store %s", options->store);
	snprintf(config->store, sizeof(config->store), "%s", real);
	memcpy(config->store_uuid, arming->device.uuid, sizeof(config->store_uuid));
	memcpy(config->store_fs, arming->device.fs_type, sizeof(config->store_fs));
	memcpy(config->store_path, arming->device.path, sizeof(config->store_path));
	return NULL;
}

static struct error *choose_modules(struct arming *arming)
{
	_cleanup_(strings_deinit) struct strings wanted = { 0 };
	struct utsname names;

	uname(&names);
	struct error *err = device_drivers(&arming->device,
					   strcmp(names.release, arming->release) != 0, &wanted);

	if (!err)
		err = strings_add(&wanted, "%s", arming->device.fs_type);
	if (!err)
		err = driver_modules_resolve(arming->release, &wanted, &arming->modules);
	return err;
}

static struct error *describe_kernel(struct arming *arming)
{
	struct config *config = &arming->config;
	struct utsname names;
	char running[4096];

	config_scale(config, (unsigned long)sysconf(_SC_PHYS_PAGES) / 1024 *
				     (unsigned long)sysconf(_SC_PAGESIZE));
	uname(&names);
	snprintf(config->release, sizeof(config->release), "%s", names.release);
	rig_id_read(config->rig);
	struct error *err = read_line("/proc/sys/kernel/random/boot_id", config->boot_id,
				      sizeof(config->boot_id));
	if (!err)
		err = read_line("/proc/cmdline", running, sizeof(running));
	if (!err)
		err = cmdline_for_capture(running, &arming->cmdline);
	return err;
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

/* SIGINT and its like are held back, so that the staging folder is removed; here they are heeded. */
static struct error *interrupted(void)
{
	sigset_t pending;

	sigpending(&pending);
	if (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
	    sigismember(&pending, SIGHUP))
		return error_create(ERROR_OTHER, "arm: interrupted, nothing was loaded");
	return NULL;
}

static struct error *describe(const struct arm_options *options, struct arming *arming,
			      struct armed *armed)
{
	const struct strings *inputs = &arming->initramfs.inputs;

	machine_read("", &armed->machine);
	armed->reserved_kb = arming->config.reserved_kb;
	snprintf(armed->kernel_file, sizeof(armed->kernel_file), "%s", options->kernel);
	snprintf(armed->kernel_release, sizeof(armed->kernel_release), "%s", arming->release);
	snprintf(armed->loaded_by, sizeof(armed->loaded_by), "%s", arming->loaded_by);
	snprintf(armed->store, sizeof(armed->store), "%s", arming->config.store);
	snprintf(armed->store_uuid, sizeof(armed->store_uuid), "%s", arming->device.uuid);
	snprintf(armed->store_device, sizeof(armed->store_device), "%s", arming->device.name);
	struct error *err = makedumpfile_version(arming->makedumpfile, armed->makedumpfile);
	if (!err)
		err = armed_add_input(armed, options->kernel);
	for (size_t i = 0; !err && i < inputs->count; i++)
		err = armed_add_input(armed, inputs->items[i]);
	return err;
}

/* It is loaded, whatever becomes of this. */
static void keep(const struct arm_options *options, struct arming *arming)
{
	struct armed armed = { 0 };
	struct error *err = describe(options, arming, &armed);

	if (!err)
		err = armed_keep("", arming->initramfs.file, &armed);
	if (err)
		error_report(error_prefix(err, "'status' and 'test' cannot tell what is loaded"));
	armed_deinit(&armed);
}

static struct error *arm(const struct arm_options *options, struct arming *arming)
{
	struct error *err = check(options, arming);

	if (!err)
		err = describe_store(options, arming);
	if (!err)
		err = choose_modules(arming);
	if (!err)
		err = describe_kernel(arming);
	if (!err)
		err = interrupted();
	if (!err) {
		keep_symbols(arming);
		err = initramfs_create(&arming->config, &arming->modules, arming->makedumpfile,
				       &arming->symbols, &arming->initramfs);
	}
	if (!err)
		err = interrupted();
	if (!err && !options->dry_run)
		err = kexec_load_crash(options->kernel, arming->initramfs.file, arming->cmdline,
				       &arming->loaded_by);
	if (!err && !options->dry_run)
		keep(options, arming);
	return err;
}

static void print_done(const struct arm_options *options, const struct arming *arming)
{
	printf("kernel     %s (%s)\n", options->kernel, arming->release);
	printf("initramfs  %.1f MB, %zu files and folders\n", arming->initramfs.size / 1e6,
	       arming->initramfs.entries.count);
	printf("modules   ");
	for (size_t i = 0; i < arming->modules.count; i++)
		printf(" %s", arming->modules.items[i].name);
	printf("%s\n", arming->modules.count ? "" : " none needed");
	printf("store      %s: %s on %s, UUID %s\n", options->store, arming->device.fs_type,
	       arming->device.name, arming->device.uuid);
	printf("parameters %s\n", arming->cmdline);
	if (options->dry_run)
		printf("not loaded (--dry-run)\n");
	else
		printf("loaded     by %s, %lu MB reserved\n", arming->loaded_by,
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

static const char arm_help[] =
	"Usage: lockdump arm [OPTION...]\n"
	"Loads a capture kernel that saves report, record and vmcore into the store when this one crashes.\n"
	"\n"
	"      --store DIR    where incidents are kept; on a plain disk or partition (" STORE_DEFAULT
	")\n"
	"      --kernel FILE  the capture kernel (/boot/vmlinuz-RELEASE of the running one)\n"
	"      --dry-run      make everything, but load nothing\n"
	"      --estimate     load nothing; say what crashkernel= this machine needs: by what the capture\n"
	"                     kernel took in the worst incident of this kernel in the store, with a margin;\n"
	"                     without one by calculation\n"
	"      --help         print this\n";

/* Above all characters, so that optopt tells an option of ours from an unknown letter. */
enum { OPTION_STORE = 256, OPTION_KERNEL, OPTION_DRY_RUN, OPTION_ESTIMATE, OPTION_HELP };

/* -1: go on; else the exit status. */
static int parse_arm(int argc, char **argv, struct arm_options *ret)
{
	static const struct option longopts[] = {
		{ "store", required_argument, NULL, OPTION_STORE },
		{ "kernel", required_argument, NULL, OPTION_KERNEL },
		{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
		{ "estimate", no_argument, NULL, OPTION_ESTIMATE },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	struct utsname names;

	uname(&names);
	ret->store = STORE_DEFAULT;
	snprintf(ret->kernel, sizeof(ret->kernel), "/boot/vmlinuz-%s", names.release);
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", longopts, NULL)) >= 0;) {
		switch (c) {
		case OPTION_STORE:
			ret->store = optarg;
			break;
		case OPTION_KERNEL:
			snprintf(ret->kernel, sizeof(ret->kernel), "%s", optarg);
			break;
		case OPTION_DRY_RUN:
			ret->dry_run = true;
			break;
		case OPTION_ESTIMATE:
			ret->estimate = ret->dry_run = true;
			break;
		case OPTION_HELP:
			fputs(arm_help, stdout);
			return 0;
		default:
			return usage_bad_option(argv, c);
		}
	}
	if (optind < argc)
		return usage_error("arm", "unexpected argument '%s'", argv[optind]);
	return -1;
}

int cmd_arm(int argc, char **argv)
{
	struct arm_options options = { 0 };
	struct arming arming = { 0 };
	sigset_t held, before;
	int status = parse_arm(argc, argv, &options);

	if (status >= 0)
		return status;
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	config_init(&arming.config);
	struct error *err = arm(&options, &arming);
	if (!err && options.estimate)
		print_estimate(&options, &arming);
	else if (!err)
		print_done(&options, &arming);
	status = err ? error_report(err) : 0;
	arming_deinit(&arming);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}

static const char disarm_help[] = "Usage: lockdump disarm\n"
				  "Unloads the capture kernel: a crash is a plain crash again.\n";

int cmd_disarm(int argc, char **argv)
{
	struct error *err;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(disarm_help, stdout);
		return 0;
	}
	if (argc > 1)
		return usage_error("disarm", "unexpected argument '%s'", argv[1]);
	if (geteuid())
		return error_report(
			error_create(ERROR_OTHER, "disarm: unloading a crash kernel needs root"));
	if (!kexec_crash_loaded("")) {
		armed_forget("");
		printf("no crash kernel was loaded\n");
		return 0;
	}
	err = kexec_unload_crash();
	if (err)
		return error_report(err);
	armed_forget("");
	printf("crash kernel unloaded\n");
	return 0;
}
