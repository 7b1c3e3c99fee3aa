// SPDX-License-Identifier: GPL-2.0-only
#include "state/machine.h"

#include <stdio.h>
#include <string.h>

#include "dump/notes.h"

#define PANIC_PREFIX "Kernel panic - not syncing: "

/* One of these facts that cannot be had is no reason to go without the others. */
static uint64_t or_unknown(struct error *err, uint64_t value)
{
	if (!err)
		return value;
	error_destroy(err);
	return MACHINE_UNKNOWN;
}

/* Kernels before 5.11 do not export the offset (kernel/crash_core.c). */
static bool uts_name_offset(struct kernel *kernel, uint64_t *ret)
{
	struct member member;

	if (vmcoreinfo_number(&kernel->info, "OFFSET(uts_namespace.name)", ret))
		return true;
	if (!types_member(kernel->symbols.types, "uts_namespace", "name", &member))
		return false;
	*ret = member.offset;
	return true;
}

static void read_uts(struct kernel *kernel, struct machine *machine)
{
	char uts[6][UTS_SIZE] = {}; /* sysname, nodename, release, version, machine, domainname */
	uint64_t address, offset;

	if (!vmcoreinfo_symbol(&kernel->info, "init_uts_ns", &address) ||
	    !uts_name_offset(kernel, &offset))
		return;
	struct error *err = memory_read(&kernel->memory, address + offset, uts, sizeof(uts));
	if (err) {
		error_destroy(err);
		return;
	}
	snprintf(machine->release, UTS_SIZE, "%.*s", UTS_SIZE - 1, uts[2]);
	snprintf(machine->version, UTS_SIZE, "%.*s", UTS_SIZE - 1, uts[3]);
	snprintf(machine->machine, UTS_SIZE, "%.*s", UTS_SIZE - 1, uts[4]);
}

/*
 * Of the kernel's two copies of its vmcoreinfo only the note has the time, and one that had to be looked for may be the
 * other: crash_save_vmcoreinfo() of kernel/crash_core.c (kernel/vmcore_info.c since 6.9).
 */
static uint64_t crash_time(struct kernel *kernel)
{
	char bytes[2 * PAGE_SIZE];
	uint64_t address, ret;
	struct note note;
	size_t at = 0;

	if (vmcoreinfo_number(&kernel->info, "CRASHTIME", &ret))
		return ret;
	struct error *err =
		kernel_variable(kernel, KSYM_vmcoreinfo_note, sizeof(address), &address);
	if (!err)
		err = memory_read(&kernel->memory, address, bytes, sizeof(bytes));
	bool found =
		!err && note_next(bytes, sizeof(bytes), &at, &note) &&
		note_is(&note, "VMCOREINFO", 0) &&
		vmcoreinfo_number(&(struct vmcoreinfo){ .text = note.desc, .size = note.desc_size },
				  "CRASHTIME", &ret);
	error_destroy(err);
	return found ? ret : MACHINE_UNKNOWN;
}

static void read_vmcoreinfo(struct kernel *kernel, struct machine *machine)
{
	const char *value;
	size_t size;

	if (vmcoreinfo_string(&kernel->info, "BUILD-ID", &value, &size))
		snprintf(machine->build_id, sizeof(machine->build_id), "%.*s", (int)size, value);
	if (!machine->release[0] && vmcoreinfo_string(&kernel->info, "OSRELEASE", &value, &size))
		snprintf(machine->release, sizeof(machine->release), "%.*s", (int)size, value);
	if (!machine->release[0])
		snprintf(machine->release, sizeof(machine->release), "%s",
			 dump_release(kernel->dump));
	if (!vmcoreinfo_hex(&kernel->info, "KERNELOFFSET", &machine->kaslr_offset))
		machine->kaslr_offset = MACHINE_UNKNOWN;
	machine->crash_time_s = crash_time(kernel);
}

static void read_cmdline(struct kernel *kernel, struct machine *machine)
{
	uint64_t address;
	struct error *err =
		kernel_variable(kernel, KSYM_saved_command_line, sizeof(address), &address);

	if (!err)
		err = memory_read_string(&kernel->memory, address, machine->cmdline,
					 sizeof(machine->cmdline));
	if (err)
		machine->cmdline[0] = '\0';
	error_destroy(err);
}

/* sysctl_bootid: 16 bytes, all 0 until somebody asks for it (drivers/char/random.c). */
void machine_boot_id(struct kernel *kernel, char ret[static MACHINE_BOOT_ID_SIZE])
{
	static const uint8_t never[16];
	uint64_t address;
	uint8_t id[16];

	ret[0] = '\0';
	struct error *err = symbols_address(&kernel->symbols, KSYM_sysctl_bootid, &address);

	if (!err)
		err = memory_read(&kernel->memory, address, id, sizeof(id));
	if (err || !memcmp(id, never, sizeof(id))) {
		error_destroy(err);
		return;
	}
	for (size_t i = 0, at = 0; i < sizeof(id); i++)
		at += snprintf(ret + at, MACHINE_BOOT_ID_SIZE - at, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

/* The last line that has it: a panic while panicking is the later one. */
static void find_panic(const struct dmesg *dmesg, struct machine *machine)
{
	for (size_t i = dmesg->lines.count; i--;) {
		const char *found = strstr(dmesg->lines.data[i].text, PANIC_PREFIX);
		if (found) {
			machine->panic = found + strlen(PANIC_PREFIX);
			machine->panic_t_ns = dmesg->lines.data[i].t_ns;
			return;
		}
	}
}

static uint64_t variable(struct kernel *kernel, enum ksym_id ksym)
{
	uint64_t value;
	struct error *err = kernel_variable(kernel, ksym, sizeof(value), &value);

	return or_unknown(err, value);
}

/* CPU loads of the last 1, 5 and 15 minutes, in 2048ths: include/linux/sched/loadavg.h. */
static void read_load(struct kernel *kernel, struct machine *machine)
{
	uint64_t address, loads[3];
	struct error *err = symbols_address(&kernel->symbols, KSYM_avenrun, &address);

	if (!err)
		err = memory_read(&kernel->memory, address, loads, sizeof(loads));
	for (size_t i = 0; i < 3; i++)
		machine->load[i] = err ? -1 : loads[i] / 2048.0;
	error_destroy(err);
}

/* An int that is -1 for "none", which is also what stands for "unknown". */
static int32_t int_variable(struct kernel *kernel, enum ksym_id ksym)
{
	uint64_t value;
	struct error *err = kernel_variable(kernel, ksym, sizeof(int32_t), &value);

	if (err)
		value = -1;
	error_destroy(err);
	return value;
}

void machine_init(struct machine *machine, struct kernel *kernel, const struct dmesg *dmesg,
		  const struct clocks *clocks)
{
	memset(machine, 0, sizeof(*machine));
	read_uts(kernel, machine);
	read_vmcoreinfo(kernel, machine);
	read_cmdline(kernel, machine);
	machine_boot_id(kernel, machine->boot_id);
	read_load(kernel, machine);
	machine->taint = variable(kernel, KSYM_tainted_mask);
	machine->panic_cpu = int_variable(kernel, KSYM_panic_cpu);
	machine->oops_in_progress = int_variable(kernel, KSYM_oops_in_progress);
	machine->uptime_ns = clocks->boottime_ns;
	/* Without the timekeeper there is still the clock of the log and the scheduler, which counts from the boot. */
	if (machine->uptime_ns == MACHINE_UNKNOWN)
		machine->uptime_ns = clocks->now_ns;
	find_panic(dmesg, machine);
	meminfo_init(&machine->memory, kernel);
}

/* By bit: include/linux/panic.h, taint_flags[] in kernel/panic.c, Documentation/admin-guide/tainted-kernels.rst. */
static const struct {
	char letter;
	const char *words;
} taints[] = {
	{ 'P', "proprietary module" },
	{ 'F', "module loaded by force" },
	{ 'S', "CPU out of specification" },
	{ 'R', "module unloaded by force" },
	{ 'M', "machine check" },
	{ 'B', "bad page" },
	{ 'U', "tainted by user space" },
	{ 'D', "died before: oops or BUG" },
	{ 'A', "ACPI table overridden" },
	{ 'W', "warned before" },
	{ 'C', "staging driver" },
	{ 'I', "firmware bug worked around" },
	{ 'O', "out-of-tree module" },
	{ 'E', "unsigned module" },
	{ 'L', "soft lockup before" },
	{ 'K', "live-patched" },
	{ 'X', "auxiliary taint of the distribution" },
	{ 'T', "built with struct randomization" },
	{ 'N', "in-kernel test run" },
	{ 'J', "fwctl used to debug" },
};

#define NR_TAINTS (sizeof(taints) / sizeof(taints[0]))

void machine_taint_letters(uint64_t taint, char ret[33])
{
	for (size_t i = 0; i < NR_TAINTS; i++)
		if (taint >> i & 1)
			*ret++ = taints[i].letter;
	*ret = '\0';
}

const char *machine_taint_words(uint64_t taint, unsigned int bit)
{
	return bit < NR_TAINTS && taint >> bit & 1 ? taints[bit].words : NULL;
}
