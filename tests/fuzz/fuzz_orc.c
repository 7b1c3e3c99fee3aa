// SPDX-License-Identifier: GPL-2.0-only
/*
 * ORC tables: distances at FUZZ_VA, entries 64 bytes behind them, and the hash of the format 128 bytes behind those.
 * The input's vmcoreinfo says with NUMBER(orcs) how many, and with NUMBER(hash) that there is a hash. The kernel's
 * first module has its tables in the same place.
 */
#include "fuzz.h"
#include "unwind/orc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_base *base;
	struct orc_entry entry;
	static struct orc orc;
	uint64_t count = 8, hash = 0;

	if (!base)
		base = fuzz_base_kernel("tests/fuzz/orc.kernel");
	struct kernel *kernel = fuzz_kernel(base, data, size);
	if (!kernel)
		return 0;
	vmcoreinfo_number(&kernel->info, "NUMBER(orcs)", &count);
	kernel->symbols.at[KSYM___start_orc_unwind_ip] = FUZZ_VA;
	kernel->symbols.at[KSYM___stop_orc_unwind_ip] = FUZZ_VA + count * 4;
	kernel->symbols.at[KSYM___start_orc_unwind] = FUZZ_VA + 64;
	if (vmcoreinfo_number(&kernel->info, "NUMBER(hash)", &hash))
		hash = FUZZ_VA + 192;
	kernel->symbols.at[KSYM_orc_header] = hash;
	if (!fuzz_ok(orc_init(&orc, &kernel->symbols)))
		return 0;
	static const uint64_t pcs[] = {
		0xffffffff81000100, 0xffffffff81000234, 0xffffffff810003ff,
		0xffffffff90000000, 0xffffffffc0200010, 0xffffffffc0300010,
	};
	for (size_t i = 0; i < sizeof(pcs) / sizeof(pcs[0]); i++) {
		fuzz_ok(orc_find(&orc, pcs[i], &entry));
		symbols_lookup(&kernel->symbols, pcs[i]);
	}
	return 0;
}
