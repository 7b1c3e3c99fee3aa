// SPDX-License-Identifier: GPL-2.0-only
#include "make_crash_image.h"

#include <bpf/btf.h>
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "test.h"

#define KERNEL	    0xffffffff81000000ul /* virtual: what is in kernel[] */
#define MEMORY_SIZE 65536

/* As in the BTF below. */
struct made_image {
	uint64_t other[2];
	uint64_t nr_segments;
	uint64_t more;
	struct {
		uint64_t buf, bufsz, mem, memsz;
	} segment[16];
};

struct made_kernel {
	uint64_t crash_image; /* the pointer */
	struct made_image image;
};

static void write_btf(const struct made_root *root)
{
	struct btf *btf = btf__new_empty();
	uint32_t size;

	int number = btf__add_int(btf, "unsigned long", 8, 0);
	int segment = btf__add_struct(btf, "kexec_segment", 32);
	btf__add_field(btf, "buf", number, 0, 0);
	btf__add_field(btf, "bufsz", number, 64, 0);
	btf__add_field(btf, "mem", number, 128, 0);
	btf__add_field(btf, "memsz", number, 192, 0);
	int array = btf__add_array(btf, number, segment, 16);
	btf__add_struct(btf, "kimage", sizeof(struct made_image));
	btf__add_field(btf, "nr_segments", number, 128, 0);
	assert_int_equal(btf__add_field(btf, "segment", array, 256, 0), 0);
	const void *data = btf__raw_data(btf, &size);
	make_root_write(root, "/sys/kernel/btf/vmlinux", data, size);
	btf__free(btf);
}

static void write_core(const struct made_root *root, const struct made_kernel *kernel,
		       const char *memory)
{
	struct {
		Elf64_Ehdr ehdr;
		Elf64_Phdr phdrs[2];
		struct made_kernel kernel;
		char memory[MEMORY_SIZE];
	} core = {
		.ehdr = {
			.e_ident = ELFMAG "\x02\x01\x01",
			.e_type = ET_CORE,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.phdrs = {
			{
				.p_type = PT_LOAD,
				.p_offset = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
				.p_vaddr = KERNEL,
				.p_paddr = 0x1000000,
				.p_filesz = sizeof(struct made_kernel),
				.p_memsz = sizeof(struct made_kernel),
			},
			{
				.p_type = PT_LOAD,
				.p_offset = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) +
					    sizeof(struct made_kernel),
				.p_vaddr = 0xffff888000000000 + CRASH_MEMORY,
				.p_paddr = CRASH_MEMORY,
				.p_filesz = MEMORY_SIZE,
				.p_memsz = MEMORY_SIZE,
			},
		},
		.kernel = *kernel,
	};

	memcpy(core.memory, memory, MEMORY_SIZE);
	make_root_write(root, "/proc/kcore", &core, sizeof(core));
}

void make_crash_image(const struct made_root *root, const void *data, size_t size)
{
	struct made_kernel kernel = { .crash_image = KERNEL + 8 };
	static char memory[MEMORY_SIZE];

	kernel.image.nr_segments = size ? 2 : 1;
	kernel.image.segment[0].mem = CRASH_MEMORY;
	kernel.image.segment[0].memsz = 4096;
	kernel.image.segment[1].mem = CRASH_SEGMENT;
	kernel.image.segment[1].memsz = (size + 4095) / 4096 * 4096;
	memset(memory, 0, sizeof(memory));
	memcpy(memory + (CRASH_SEGMENT - CRASH_MEMORY), data, size ? size : 4096);
	write_core(root, &kernel, memory);
	write_btf(root);
	make_root_text(root, "/proc/kallsyms",
		       "ffffffff80ff0000 T _text\nffffffff81000000 B kexec_crash_image\n"
		       "ffffffff81000008 B _end\n");
}
