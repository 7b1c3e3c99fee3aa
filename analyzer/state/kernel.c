// SPDX-License-Identifier: GPL-2.0-only
#include "state/kernel.h"

#include <stdlib.h>

struct error *kernel_open(const struct kernel_source *source, struct kernel **ret)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return &error_no_memory;
	kernel->source = *source;
	struct error *err = dump_open(source->vmcore, &kernel->dump);
	if (err) {
		kernel_close(kernel);
		return err;
	}
	kernel->info.text = dump_vmcoreinfo(kernel->dump, &kernel->info.size);
	if (!kernel->info.text)
		err = error_create(ERROR_OTHER, "the dump has no vmcoreinfo: with QEMU, add "
						"'-device vmcoreinfo'");
	if (!err)
		err = memory_init(&kernel->memory, kernel->dump, &kernel->info);
	if (!err)
		err = symbols_init(&kernel->symbols, &kernel->memory, &kernel->info);
	if (!err)
		err = unwinder_init(&kernel->unwinder, &kernel->symbols,
				    dump_machine(kernel->dump));
	if (err) {
		/* What a cut-off dump lacks looks like anything: say first that it is cut off. */
		if (!dump_is_complete(kernel->dump))
			err = error_prefix(err, "the dump is incomplete");
		kernel_close(kernel);
		return error_prefix(err, "%s", source->vmcore);
	}
	*ret = kernel;
	return NULL;
}

void kernel_close(struct kernel *kernel)
{
	if (!kernel)
		return;
	unwinder_deinit(&kernel->unwinder);
	symbols_deinit(&kernel->symbols);
	dump_close(kernel->dump);
	free(kernel);
}

struct error *kernel_variable(struct kernel *kernel, enum ksym_id ksym, size_t size, uint64_t *ret)
{
	uint64_t address;
	struct error *err = symbols_address(&kernel->symbols, ksym, &address);

	*ret = 0;
	return err ? err : memory_read(&kernel->memory, address, ret, size);
}

struct error *kernel_per_cpu(struct kernel *kernel, uint32_t cpu, uint64_t *ret)
{
	uint64_t table;
	struct error *err = symbols_address(&kernel->symbols, KSYM___per_cpu_offset, &table);

	return err ? err : memory_read_u64(&kernel->memory, table + cpu * sizeof(*ret), ret);
}
