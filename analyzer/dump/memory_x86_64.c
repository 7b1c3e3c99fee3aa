// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64 page tables: four levels, or five (la57) where the vmcoreinfo says
 * NUMBER(pgtable_l5_enabled)=1. Intel SDM volume 3, 4.5.
 */
#include <elf.h>

#include "dump/memory.h"

#define START_KERNEL_MAP 0xffffffff80000000ull /* arch/x86/include/asm/page_64_types.h */

#define TEXT_SIZE   (1ull << 30) /* KERNEL_IMAGE_SIZE */
#define DIRECT_SIZE (1ull << 46) /* of four levels: Documentation/x86/x86_64/mm.rst */

#define ENTRY_PRESENT 0x1ull
#define ENTRY_HUGE    0x80ull
#define ENTRY_PA      0x000ffffffffff000ull

static struct error *x86_64_init(struct memory *memory, const struct vmcoreinfo *info)
{
	uint64_t table, phys_base, level5 = 0, sme_mask = 0;

	if (!vmcoreinfo_symbol(info, "swapper_pg_dir", &table) ||
	    !vmcoreinfo_number(info, "NUMBER(phys_base)", &phys_base))
		return error_create(ERROR_OTHER, "no page tables: the vmcoreinfo lacks "
						 "SYMBOL(swapper_pg_dir) or NUMBER(phys_base)");
	vmcoreinfo_number(info, "NUMBER(pgtable_l5_enabled)", &level5);
	/* The bit that says that AMD's SME or SEV encrypts a page is no part of its address. */
	vmcoreinfo_number(info, "NUMBER(sme_mask)", &sme_mask);
	memory->pa_mask = ENTRY_PA & ~sme_mask;
	memory->levels = level5 ? 5 : 4;
	memory->text_base = START_KERNEL_MAP - phys_base;
	memory->table_pa = table - memory->text_base;
	return NULL;
}

static struct error *unmapped(uint64_t va, unsigned int level)
{
	return error_fault(ERROR_UNMAPPED, va, "unmapped at page table level %u", level);
}

static struct error *walk_tables(struct memory *memory, uint64_t va, uint64_t *page_pa_ret,
				 uint64_t *page_size_ret)
{
	unsigned int bits = PAGE_SHIFT + 9 * memory->levels;
	int64_t sign = (int64_t)va >> (bits - 1);

	if (sign != 0 && sign != -1)
		return error_fault(ERROR_UNMAPPED, va, "not a canonical address");

	uint64_t table = memory->table_pa;
	for (unsigned int level = memory->levels; level >= 1; level--) {
		unsigned int shift = PAGE_SHIFT + 9 * (level - 1);
		uint64_t entry;
		struct error *err = dump_read(memory->dump, table + ((va >> shift) & 511) * 8,
					      &entry, sizeof(entry));
		if (err)
			return error_prefix(err, "page table level %u", level);
		if (!(entry & ENTRY_PRESENT))
			return unmapped(va, level);
		uint64_t pa = entry & memory->pa_mask;
		if (level == 1 || (level <= 3 && entry & ENTRY_HUGE)) {
			*page_size_ret = 1ull << shift;
			*page_pa_ret = pa & ~(*page_size_ret - 1);
			return NULL;
		}
		table = pa;
	}
	__builtin_unreachable();
}

/* The kernel's image and all memory are mapped as they lie: Documentation/x86/x86_64/mm.rst */
static bool is_linear(const struct memory *memory, uint64_t va, uint64_t *pa_ret)
{
	if (va >= START_KERNEL_MAP && va - START_KERNEL_MAP < TEXT_SIZE)
		*pa_ret = va - memory->text_base;
	else if (memory->direct_base && va >= memory->direct_base &&
		 va - memory->direct_base < DIRECT_SIZE)
		*pa_ret = va - memory->direct_base;
	else
		return false;
	return true;
}

/* With KASLR, vmalloc's addresses begin not far behind the memory that there is. */
static bool is_memory(const struct memory *memory, uint64_t pa)
{
	uint64_t next = pa;

	return dump_next_page(memory->dump, &next) && next >> PAGE_SHIFT == pa >> PAGE_SHIFT;
}

/*
 * A page table that is not in the dump takes no more with it than it must. Of
 * a running kernel every look costs system calls, and nothing is remembered.
 */
static struct error *x86_64_walk(struct memory *memory, uint64_t va, uint64_t *page_pa_ret,
				 uint64_t *page_size_ret)
{
	struct error *err = NULL;
	uint64_t pa = 0;
	bool linear = is_linear(memory, va, &pa);

	if (!linear || !dump_is_live(memory->dump) || !is_memory(memory, pa)) {
		err = walk_tables(memory, va, page_pa_ret, page_size_ret);
		if (!err || !linear || err->class == ERROR_UNMAPPED ||
		    err->class == ERROR_NO_MEMORY)
			return err;
	}
	error_destroy(err);
	*page_size_ret = PAGE_SIZE;
	*page_pa_ret = pa & ~(uint64_t)(PAGE_SIZE - 1);
	return NULL;
}

const struct memory_arch memory_arch_x86_64 = {
	.machine = EM_X86_64,
	.init = x86_64_init,
	.walk = x86_64_walk,
};
