// SPDX-License-Identifier: GPL-2.0-only
#include "dump/memory.h"

#include <elf.h>
#include <string.h>

#include "base/cleanup.h"

/* Room for all tables of most kernels. */
#define ALLOC_STEP (16u << 20)

static const struct memory_arch *const archs[] = { &memory_arch_x86_64 };

/* Their vmcores look alike, and users have them. */
static const char *machine_name(uint16_t machine)
{
	static const struct {
		uint16_t machine;
		const char *name;
	} names[] = {
		{ EM_386, "i386" },	   { EM_ARM, "arm" },
		{ EM_AARCH64, "aarch64" }, { EM_PPC64, "ppc64" },
		{ EM_S390, "s390x" },	   { EM_RISCV, "riscv" },
		{ EM_MIPS, "mips" },	   { EM_LOONGARCH, "loongarch" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "unknown";
}

struct error *memory_arch_find(uint16_t machine, const struct memory_arch **ret)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		*ret = archs[i];
		if (archs[i]->machine == machine)
			return NULL;
	}
	return error_create(ERROR_OTHER,
			    "a vmcore of another architecture (%s, ELF machine %u); only x86_64 "
			    "can be read",
			    machine_name(machine), machine);
}

struct error *memory_init(struct memory *memory, struct dump *dump, const struct vmcoreinfo *info)
{
	const struct memory_arch *arch;

	memset(memory, 0, sizeof(*memory));
	memory->dump = dump;
	struct error *err = memory_arch_find(dump_machine(dump), &arch);
	if (!err)
		err = arch->init(memory, info);
	if (!err)
		memory->arch = arch;
	return err;
}

struct error *memory_translate(struct memory *memory, uint64_t va, uint64_t *ret)
{
	uint64_t page = va & ~(uint64_t)(PAGE_SIZE - 1);
	size_t place = (va >> PAGE_SHIFT) % MEMORY_TLB_SIZE;

	if (!memory->arch)
		return error_create(ERROR_NOT_FOUND, "no page tables");
	/* What runs maps and unmaps meanwhile. */
	if (memory->tlb[place].va != page + 1 || dump_is_live(memory->dump)) {
		uint64_t pa, size;
		struct error *err = memory->arch->walk(memory, va, &pa, &size);
		if (err)
			return err;
		memory->tlb[place].va = page + 1;
		memory->tlb[place].pa = pa + (page & (size - 1));
	}
	*ret = memory->tlb[place].pa + (va - page);
	return NULL;
}

/* Errors from below speak of physical addresses; who asked knows the virtual one. */
static struct error *at_virtual(struct error *err, uint64_t va)
{
	if (err == &error_no_memory || err->class == ERROR_SYSTEM)
		return err;
	err->address = va;
	return error_prefix(err, "0x%llx", (unsigned long long)va);
}

struct error *memory_read(struct memory *memory, uint64_t va, void *buf, size_t size)
{
	char *to = buf;

	while (size) {
		uint64_t pa;
		size_t n = PAGE_SIZE - va % PAGE_SIZE;
		if (n > size)
			n = size;
		struct error *err = memory_translate(memory, va, &pa);
		if (!err)
			err = dump_read(memory->dump, pa, to, n);
		if (err)
			return at_virtual(err, va);
		to += n;
		va += n;
		size -= n;
	}
	return NULL;
}

struct error *memory_read_u32(struct memory *memory, uint64_t va, uint32_t *ret)
{
	return memory_read(memory, va, ret, sizeof(*ret));
}

struct error *memory_read_u64(struct memory *memory, uint64_t va, uint64_t *ret)
{
	return memory_read(memory, va, ret, sizeof(*ret));
}

struct error *memory_read_string(struct memory *memory, uint64_t va, char *buf, size_t size)
{
	size_t done = 0;

	while (done < size - 1) {
		size_t n = PAGE_SIZE - (va + done) % PAGE_SIZE;
		if (n > size - 1 - done)
			n = size - 1 - done;
		struct error *err = memory_read(memory, va + done, buf + done, n);
		if (err)
			return err;
		if (memchr(buf + done, '\0', n))
			return NULL;
		done += n;
	}
	buf[done] = '\0';
	return NULL;
}

struct error *memory_read_alloc(struct memory *memory, uint64_t va, uint64_t size, uint64_t most,
				void *ret)
{
	if (size > most)
		return error_fault(ERROR_CORRUPT, va, "0x%llx: a table of %llu bytes",
				   (unsigned long long)va, (unsigned long long)size);
	/* No more at once than is there already: a table that the dump does not have costs no memory. */
	_cleanup_free_ char *buf = NULL;
	uint64_t done = 0;
	do {
		uint64_t n = done ? done : ALLOC_STEP;
		if (n > size - done)
			n = size - done;
		char *grown = realloc(buf, done + n ? done + n : 1);
		if (!grown)
			return &error_no_memory;
		buf = grown;
		struct error *err = memory_read(memory, va + done, buf + done, n);
		if (err)
			return err;
		done += n;
	} while (done < size);
	*(void **)ret = steal_ptr(buf);
	return NULL;
}
