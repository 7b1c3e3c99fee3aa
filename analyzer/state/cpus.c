// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a CPU was running is runqueues.curr. Its registers at the crash are in
 * crash_notes, per CPU: crash_save_cpu() in kernel/crash_core.c writes an ELF
 * note there. The n-th note of the dump is another CPU's as soon as one before
 * it did not answer, so that is the second choice, where all did. QEMU's own
 * dumps are of machines that did not crash: their crash_notes are empty, and
 * the notes say which CPU they are of.
 */
#include "state/cpus.h"

#include <elf.h>
#include <string.h>

#define MAX_CPUS 8192 /* CONFIG_MAXSMP's NR_CPUS */

/* One NT_PRSTATUS note: header, "CORE", struct elf_prstatus of at most this size on any machine. */
#define CRASH_NOTE_SIZE 512

/* pr_pid of struct elf_prstatus, on every 64-bit machine; QEMU counts CPUs from 1 in it: dump/dump.c */
#define PRSTATUS_PID_OFFSET 32

struct layout {
	struct member curr, idle, nr_running;
};

static struct error *read_online(struct kernel *kernel, uint32_t nr_cpus, uint8_t *mask)
{
	uint64_t address;
	struct error *err = symbols_address(&kernel->symbols, KSYM___cpu_online_mask, &address);

	return err ? err : memory_read(&kernel->memory, address, mask, (nr_cpus + 63) / 64 * 8);
}

static void read_registers(struct kernel *kernel, struct cpu *cpu, uint64_t crash_notes)
{
	uint8_t bytes[CRASH_NOTE_SIZE];
	struct note note;
	size_t at = 0;

	/* Memory up to the end of the page will do: the note itself may be nearer to it than 512 bytes. */
	uint64_t address = crash_notes + cpu->per_cpu;
	size_t n = PAGE_SIZE - address % PAGE_SIZE;
	if (n > sizeof(bytes))
		n = sizeof(bytes);
	struct error *err = memory_read(&kernel->memory, address, bytes, n);
	if (!err && n < sizeof(bytes)) {
		struct error *rest =
			memory_read(&kernel->memory, address + n, bytes + n, sizeof(bytes) - n);
		if (!rest)
			n = sizeof(bytes);
		error_destroy(rest);
	}
	if (!err && note_next(bytes, n, &at, &note) && note_is(&note, "CORE", NT_PRSTATUS) &&
	    kernel->unwinder.arch->from_prstatus(&note, &cpu->registers))
		cpu->registers_from = REGISTERS_CRASH_NOTES;
	error_destroy(err);
}

/* The dump's own notes: what they are, and how many. */
static size_t count_notes(struct kernel *kernel, bool *qemu_ret)
{
	size_t size, count = 0;
	const void *notes = dump_notes(kernel->dump, &size);
	struct note note;

	*qemu_ret = false;
	for (size_t at = 0; note_next(notes, size, &at, &note);) {
		count += note_is(&note, "CORE", NT_PRSTATUS);
		*qemu_ret = *qemu_ret || note_is(&note, "QEMU", 0);
	}
	return count;
}

/* The CPU that QEMU's @note is of, or NULL. */
static struct cpu *cpu_of_note(const struct cpus *cpus, const struct note *note)
{
	uint32_t pid = 0;

	if (note->desc_size >= PRSTATUS_PID_OFFSET + sizeof(pid))
		memcpy(&pid, (const char *)note->desc + PRSTATUS_PID_OFFSET, sizeof(pid));
	return pid ? cpus_find(cpus, pid - 1) : NULL;
}

/* The first CPU from number @place in the list on that is online, or NULL. */
static struct cpu *next_online(const struct cpus *cpus, size_t *place)
{
	while (*place < cpus->list.count) {
		struct cpu *cpu = &cpus->list.data[(*place)++];
		if (cpu->online)
			return cpu;
	}
	return NULL;
}

/* For CPUs that have no note in crash_notes, where the dump's own ones can be told apart. */
static void take_notes(struct kernel *kernel, struct cpus *cpus)
{
	size_t nr_online = 0, place = 0, size;
	const void *notes = dump_notes(kernel->dump, &size);
	struct note note;
	bool qemu;

	for (size_t i = 0; i < cpus->list.count; i++)
		nr_online += cpus->list.data[i].online;
	size_t count = count_notes(kernel, &qemu);
	/* /proc/kcore has a note of nobody. */
	if (dump_is_live(kernel->dump) || (!qemu && count != nr_online))
		return;
	for (size_t at = 0; note_next(notes, size, &at, &note);) {
		if (!note_is(&note, "CORE", NT_PRSTATUS))
			continue;
		struct cpu *cpu = qemu ? cpu_of_note(cpus, &note) : next_online(cpus, &place);
		if (cpu && cpu->online && cpu->registers_from == REGISTERS_NONE &&
		    kernel->unwinder.arch->from_prstatus(&note, &cpu->registers))
			cpu->registers_from = REGISTERS_ELF_NOTE;
	}
}

static struct error *read_cpu(struct kernel *kernel, const struct layout *l, uint64_t crash_notes,
			      struct cpu *cpu)
{
	struct error *err = kernel_per_cpu(kernel, cpu->number, &cpu->per_cpu);
	if (err)
		return err;
	uint64_t rq = kernel->symbols.at[KSYM_runqueues] + cpu->per_cpu, nr_running;
	err = member_read(&kernel->memory, rq, &l->curr, &cpu->current);
	if (!err)
		err = member_read(&kernel->memory, rq, &l->idle, &cpu->idle);
	if (!err)
		err = member_read(&kernel->memory, rq, &l->nr_running, &nr_running);
	if (err)
		return err;
	cpu->nr_running = nr_running;
	if (cpu->online && crash_notes)
		read_registers(kernel, cpu, crash_notes);
	return NULL;
}

/* How many CPUs there can be, and which are online. */
static struct error *count_cpus(struct kernel *kernel, uint8_t *online, uint64_t *ret)
{
	struct error *err = kernel_variable(kernel, KSYM_nr_cpu_ids, sizeof(uint32_t), ret);

	if (!err && (!*ret || *ret > MAX_CPUS))
		err = error_create(ERROR_CORRUPT, "nr_cpu_ids is %llu", (unsigned long long)*ret);
	return err ? err : read_online(kernel, *ret, online);
}

static struct error *read_cpus(struct cpus *cpus, struct kernel *kernel)
{
	struct layout layout;
	const struct member_wanted wanted[] = {
		{ "rq", "curr", &layout.curr },
		{ "rq", "idle", &layout.idle },
		{ "rq", "nr_running", &layout.nr_running },
	};
	uint8_t online[MAX_CPUS / 8] = {};
	uint64_t nr_cpus, runqueues, crash_notes = 0;

	struct error *err =
		types_resolve(kernel->symbols.types, wanted, sizeof(wanted) / sizeof(wanted[0]));
	if (!err)
		err = symbols_address(&kernel->symbols, KSYM_runqueues, &runqueues);
	if (!err)
		err = count_cpus(kernel, online, &nr_cpus);
	if (err)
		return err;
	/* Without it the dump's own notes serve. */
	if (kernel->symbols.at[KSYM_crash_notes])
		error_destroy(
			kernel_variable(kernel, KSYM_crash_notes, sizeof(uint64_t), &crash_notes));

	for (uint32_t i = 0; i < nr_cpus; i++) {
		struct cpu cpu = { .number = i, .online = online[i / 8] >> i % 8 & 1 };
		struct error *its = read_cpu(kernel, &layout, crash_notes, &cpu);
		/* A possible CPU that was never there may have no per-CPU memory in the dump. */
		if (its && !cpu.online) {
			error_destroy(its);
			continue;
		}
		struct cpu *place = vector_push(&cpus->list);
		if (!place) {
			error_destroy(its);
			error_destroy(err);
			return &error_no_memory;
		}
		*place = cpu;
		if (err)
			error_destroy(its); /* the first one tells enough */
		else
			err = error_prefix(its, "CPU %u", i);
	}
	take_notes(kernel, cpus);
	return err;
}

void cpus_init(struct cpus *cpus, struct kernel *kernel)
{
	memset(cpus, 0, sizeof(*cpus));
	cpus->error = read_cpus(cpus, kernel);
}

void cpus_deinit(struct cpus *cpus)
{
	vector_deinit(&cpus->list);
	error_destroy(cpus->error);
}

struct cpu *cpus_find(const struct cpus *cpus, uint32_t number)
{
	size_t low = 0, high = cpus->list.count;

	/* As a rule no possible CPU is missing. */
	if (number < high && cpus->list.data[number].number == number)
		return &cpus->list.data[number];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cpus->list.data[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < cpus->list.count && cpus->list.data[low].number == number
		       ? &cpus->list.data[low]
		       : NULL;
}

/*
 * The per-CPU variable with task_top_of_stack() of who runs, for the entry code. Up to 5.12 (1591584e2e76) it was sp1
 * of the TSS.
 */
static uint64_t top_of_stack_variable(const struct kernel *kernel)
{
	struct member sp1;
	uint64_t tss = kernel->symbols.at[KSYM_cpu_tss_rw];
	uint64_t ret =
		kernel_per_cpu_variable(kernel, KSYM_cpu_current_top_of_stack, "top_of_stack");

	if (!ret && tss && types_member(kernel->symbols.types, "tss_struct", "x86_tss.sp1", &sp1))
		ret = tss + sp1.offset;
	return ret;
}

uint64_t cpu_task_stack(struct kernel *kernel, const struct cpu *cpu)
{
	struct unwinder *unwinder = &kernel->unwinder;
	uint64_t variable, top = 0, ret = 0;

	if (cpu->registers_from != REGISTERS_NONE)
		ret = unwind_task_stack(unwinder, cpu->registers.values[unwinder->arch->sp],
					cpu->per_cpu);
	if (ret || !(variable = top_of_stack_variable(kernel)))
		return ret;
	/* It was on a stack of its own, as in an interrupt, or nothing tells where. */
	error_destroy(memory_read_u64(&kernel->memory, variable + cpu->per_cpu, &top));
	return top ? unwind_task_stack(unwinder, top - 1, cpu->per_cpu) : 0;
}
