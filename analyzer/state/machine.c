// SPDX-License-Identifier: GPL-2.0-only
#include "state/machine.h"

#include <stdio.h>
#include <string.h>

#define PANIC_PREFIX "Kernel panic - not syncing: "

/* One of these facts that cannot be had is no reason to go without the others. */
static uint64_t or_unknown(struct error *err, uint64_t value)
{
	if (!err)
		return value;
	error_destroy(err);
	return MACHINE_UNKNOWN;
}

static void read_uts(struct kernel *kernel, struct machine *machine)
{
	char uts[6][UTS_SIZE] = {}; /* sysname, nodename, release, version, machine, domainname */
	uint64_t address, offset;

	if (!vmcoreinfo_symbol(&kernel->info, "init_uts_ns", &address) ||
	    !vmcoreinfo_number(&kernel->info, "OFFSET(uts_namespace.name)", &offset))
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
	if (!vmcoreinfo_number(&kernel->info, "CRASHTIME", &machine->crash_time_s))
		machine->crash_time_s = MACHINE_UNKNOWN;
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
static void read_boot_id(struct kernel *kernel, char ret[36 + 1])
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
		at += snprintf(ret + at, 36 + 1 - at, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}

/*
 * CLOCK_BOOTTIME at the last timer tick, from the copy of the timekeeper that
 * has a symbol and a type (kernel/time/timekeeping.c; up to 6.12).
 */
static struct error *read_uptime(struct kernel *kernel, uint64_t *ret)
{
	struct member seconds, to_monotonic, to_monotonic_ns, to_boot, fraction, shift;
	const struct member_wanted wanted[] = {
		{ "timekeeper", "xtime_sec", &seconds },
		{ "timekeeper", "wall_to_monotonic.tv_sec", &to_monotonic },
		{ "timekeeper", "wall_to_monotonic.tv_nsec", &to_monotonic_ns },
		{ "timekeeper", "offs_boot", &to_boot },
		{ "timekeeper", "tkr_mono.xtime_nsec", &fraction },
		{ "timekeeper", "tkr_mono.shift", &shift },
	};
	uint64_t tk, values[6];
	const struct member *members[] = { &seconds, &to_monotonic, &to_monotonic_ns,
					   &to_boot, &fraction,	    &shift };

	*ret = 0;
	struct error *err = types_resolve(kernel->symbols.types, wanted, 6);
	if (!err)
		err = symbols_address(&kernel->symbols, KSYM_shadow_timekeeper, &tk);
	for (size_t i = 0; !err && i < 6; i++)
		err = member_read(&kernel->memory, tk, members[i], &values[i]);
	if (!err)
		*ret = (values[0] + values[1]) * 1000000000 + values[2] + values[3] +
		       (values[5] < 64 ? values[4] >> values[5] : 0);
	return err;
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

/* The sum of some counters of vm_zone_stat or vm_node_stat, which may be below 0 for a moment. */
static uint64_t counters(struct kernel *kernel, enum ksym_id array, const char *type,
			 const char *const *names)
{
	uint64_t sum = 0;

	for (; *names; names++) {
		uint64_t address, value;
		int64_t index;
		struct error *err = symbols_address(&kernel->symbols, array, &address);
		if (!err && !types_enumerator(kernel->symbols.types, type, *names, &index))
			err = error_create(ERROR_NOT_FOUND, "BTF: enum %s has no %s", type, *names);
		if (!err)
			err = memory_read_u64(&kernel->memory, address + index * sizeof(value),
					      &value);
		if (err) {
			error_destroy(err);
			return MACHINE_UNKNOWN;
		}
		sum += value;
	}
	return (int64_t)sum > 0 ? sum : 0;
}

static uint64_t variable(struct kernel *kernel, enum ksym_id ksym)
{
	uint64_t value;
	struct error *err = kernel_variable(kernel, ksym, sizeof(value), &value);

	return or_unknown(err, value);
}

static void read_memory(struct kernel *kernel, struct machine *machine)
{
	static const char *const free_pages[] = { "NR_FREE_PAGES", NULL };
	static const char *const slab[] = { "NR_SLAB_RECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE_B",
					    NULL };
	static const char *const anon[] = { "NR_ANON_MAPPED", NULL };
	static const char *const file[] = { "NR_FILE_PAGES", NULL };

	machine->free = counters(kernel, KSYM_vm_zone_stat, "zone_stat_item", free_pages);
	machine->slab = counters(kernel, KSYM_vm_node_stat, "node_stat_item", slab);
	machine->anon = counters(kernel, KSYM_vm_node_stat, "node_stat_item", anon);
	machine->file = counters(kernel, KSYM_vm_node_stat, "node_stat_item", file);
	machine->total = variable(kernel, KSYM__totalram_pages);
	machine->swap_total = variable(kernel, KSYM_total_swap_pages);
	machine->swap_free = variable(kernel, KSYM_nr_swap_pages);
	/* It may be below 0 for a moment. */
	if (machine->swap_free != MACHINE_UNKNOWN && (int64_t)machine->swap_free < 0)
		machine->swap_free = 0;
}

void machine_init(struct machine *machine, struct kernel *kernel, const struct dmesg *dmesg)
{
	uint64_t uptime;

	memset(machine, 0, sizeof(*machine));
	read_uts(kernel, machine);
	read_vmcoreinfo(kernel, machine);
	read_cmdline(kernel, machine);
	read_boot_id(kernel, machine->boot_id);
	machine->taint = variable(kernel, KSYM_tainted_mask);
	struct error *err = read_uptime(kernel, &uptime);
	machine->uptime_ns = or_unknown(err, uptime);
	/* A kernel whose timekeeper is not to be had still has a log, with a clock that counts from the boot. */
	if (machine->uptime_ns == MACHINE_UNKNOWN && dmesg->lines.count)
		machine->uptime_ns = dmesg->lines.data[dmesg->lines.count - 1].t_ns;
	find_panic(dmesg, machine);
	read_memory(kernel, machine);
}

void machine_taint_letters(uint64_t taint, char ret[33])
{
	/* By bit: include/linux/panic.h and taint_flags[] in kernel/panic.c. */
	static const char letters[] = "PFSRMBUDAWCIOELKXTN";

	for (size_t i = 0; letters[i]; i++)
		if (taint >> i & 1)
			*ret++ = letters[i];
	*ret = '\0';
}
