// SPDX-License-Identifier: GPL-2.0-only
#include "state/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "dump/find_vmcoreinfo.h"

static struct error *lacks(struct kernel *kernel, struct error *err)
{
	struct error **place = err ? vector_push(&kernel->lacks) : NULL;

	if (!place && err) {
		error_destroy(err);
		return &error_no_memory;
	}
	if (err)
		*place = err;
	return NULL;
}

static struct error *open_dump(struct kernel *kernel)
{
	const struct kernel_source *source = &kernel->source;
	const char **paths = kernel->paths = calloc(source->nr_more_parts + 1, sizeof(*paths));

	if (!paths)
		return &error_no_memory;
	paths[0] = source->vmcore;
	for (size_t i = 0; i < source->nr_more_parts; i++)
		paths[i + 1] = source->more_parts[i];
	struct error *err = dump_open_parts(paths, source->nr_more_parts + 1, &kernel->dump);
	if (!err)
		dump_log_pages(kernel->dump, source->log);
	return err;
}

/* What the headers do not have may be in the memory. Its own error is no reason to stop. */
static struct error *find_info(struct kernel *kernel)
{
	struct vmcoreinfo *info = &kernel->info;
	uint64_t pa;

	info->text = dump_vmcoreinfo(kernel->dump, &info->size);
	if (info->text)
		return NULL;
	struct error *err = vmcoreinfo_find(kernel->dump, &kernel->found_info, &info->size, &pa);
	info->text = kernel->found_info;
	if (!err)
		err = error_create(
			ERROR_OTHER,
			"the dump's headers have no vmcoreinfo; it was found in memory, at "
			"physical address 0x%llx",
			(unsigned long long)pa);
	return lacks(kernel, err);
}

/* Each builds on the one before. */
static struct error *open_layers(struct kernel *kernel)
{
	const struct kernel_source *source = &kernel->source;
	const struct debuginfo_source debug = { source->files.vmlinux, source->files.debug_dir,
						source->debuginfod };
	uint16_t machine = dump_machine(kernel->dump);

	struct error *err = memory_init(&kernel->memory, kernel->dump, &kernel->info);
	if (!err) {
		err = symbols_init(&kernel->symbols, &kernel->memory, &kernel->info,
				   &kernel->source.files);
		/* What was asked for by name, and cannot be had, is not passed over. */
		if (err && kernel->source.files.symbols && !kernel->symbols.kallsyms.count)
			return err;
	}
	if (!err)
		err = unwinder_init(&kernel->unwinder, &kernel->symbols, machine);
	kernel->can_unwind = !err;
	if (!err)
		err = debuginfo_create(&debug, &kernel->symbols, &kernel->info, machine,
				       &kernel->debuginfo);
	return lacks(kernel, err);
}

struct error *kernel_open(const struct kernel_source *source, struct kernel **ret)
{
	const struct memory_arch *arch;
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return &error_no_memory;
	kernel->source = *source;
	struct error *err = open_dump(kernel);
	if (!err) {
		kernel->unwinder.arch = unwind_arch_find(dump_machine(kernel->dump));
		err = memory_arch_find(dump_machine(kernel->dump), &arch);
		if (!err)
			err = find_info(kernel);
		if (!err && kernel->info.text)
			err = open_layers(kernel);
		err = error_prefix(err, "%s", source->vmcore);
	}
	if (err) {
		kernel_close(kernel);
		return err;
	}
	*ret = kernel;
	return NULL;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	debuginfo_destroy(kernel->debuginfo);
	unwinder_deinit(&kernel->unwinder);
	symbols_deinit(&kernel->symbols);
	dump_close(kernel->dump);
	for (size_t i = 0; i < kernel->lacks.count; i++)
		error_destroy(kernel->lacks.data[i]);
	vector_deinit(&kernel->lacks);
	free(kernel->found_info);
	free(kernel->paths);
	free(kernel);
}

struct error *kernel_variable(struct kernel *kernel, enum ksym_id ksym, size_t size, uint64_t *ret)
{
	uint64_t address;
	struct error *err = symbols_address(&kernel->symbols, ksym, &address);

	*ret = 0;
	return err ? err : memory_read(&kernel->memory, address, ret, size);
}

uint64_t kernel_per_cpu_variable(const struct kernel *kernel, enum ksym_id ksym, const char *hot)
{
	struct member member;

	if (kernel->symbols.at[KSYM_pcpu_hot] &&
	    types_member(kernel->symbols.types, "pcpu_hot", hot, &member))
		return kernel->symbols.at[KSYM_pcpu_hot] + member.offset;
	return kernel->symbols.at[ksym];
}

struct error *kernel_per_cpu(struct kernel *kernel, uint32_t cpu, uint64_t *ret)
{
	uint64_t table;
	struct error *err = symbols_address(&kernel->symbols, KSYM___per_cpu_offset, &table);

	return err ? err : memory_read_u64(&kernel->memory, table + cpu * sizeof(*ret), ret);
}

bool kernel_runs_softirqs(struct kernel *kernel, const struct frame *frame)
{
	const struct symbol symbol =
		symbols_lookup(&kernel->symbols, frame->pc - !frame->interrupted);

	return symbol.name && !symbol.module &&
	       (!strcmp(symbol.name, "__do_softirq") || !strcmp(symbol.name, "handle_softirqs") ||
		!strcmp(symbol.name, "do_softirq"));
}
