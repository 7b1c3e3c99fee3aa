// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's symbols from a file: whatever it is, it must be of this kernel. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_kernel.h"
#include "symbols/symbol_file.h"
#include "test.h"

static const char info_text[] = "OSRELEASE=5.10.0-test\n"
				"BUILD-ID=00010203\n"
				"SYMBOL(_stext)=ffffffff91000000\n"
				"SYMBOL(init_uts_ns)=ffffffff92000000\n"
				"KERNELOFFSET=10000000\n";
static const struct vmcoreinfo info = { info_text, sizeof(info_text) - 1 };

static const char kallsyms_text[] = "0000000000000000 A fixed_percpu_data\n"
				    "0000000000001000 A runqueues\n"
				    "ffffffff91000000 T _stext\n"
				    "ffffffff91000100 t foo\n"
				    "ffffffff91000200 t bar\n"
				    "ffffffff92000000 D init_uts_ns\n"
				    "ffffffffc0000000 t in_module\t[module]\n";

static void write_file(const void *data, size_t size, char path[32])
{
	strcpy(path, "/tmp/lockdump-test.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static struct error *load(const void *data, size_t size, struct kallsyms *ret)
{
	char path[32];

	write_file(data, size, path);
	struct error *err = symbol_file_load(path, &info, ret);
	/* Whatever is wrong, it says with which file. */
	if (err)
		assert_non_null(strstr(err->message, path));
	unlink(path);
	return err;
}

static void assert_symbols(const struct kallsyms *kallsyms, const char *const *names,
			   const uint64_t *addresses, size_t count)
{
	char name[KSYM_NAME_SIZE];

	assert_int_equal(kallsyms->count, count);
	for (uint32_t i = 0; i < count; i++) {
		kallsyms_name(kallsyms, i, name);
		assert_string_equal(name, names[i]);
		assert_true(kallsyms_address(kallsyms, i) == addresses[i]);
	}
}

static const char *const names[] = { "fixed_percpu_data", "runqueues", "_stext", "foo", "bar",
				     "init_uts_ns" };
static const uint64_t addresses[] = {
	0, 0x1000, 0xffffffff91000000, 0xffffffff91000100, 0xffffffff91000200, 0xffffffff92000000
};

static void kept_kallsyms(void **state)
{
	struct kallsyms kallsyms;

	(void)state;
	assert_no_error(load(kallsyms_text, sizeof(kallsyms_text) - 1, &kallsyms));
	assert_symbols(&kallsyms, names, addresses, 6);
	kallsyms_deinit(&kallsyms);
}

/* In no order, and aliases as the kernel has them: weak ones, boundaries and those with underscores behind others. */
static void system_map(void **state)
{
	static const char text[] = "ffffffff81000200 t bar\n"
				   "ffffffff82000000 D init_uts_ns\n"
				   "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000100 W foo_weak\n"
				   "ffffffff81000100 T __start_foo\n"
				   "ffffffff81000100 T _foo\n"
				   "ffffffff81000100 t foo\n"
				   "ffffffff81000000 T _stext\n";
	static const char *const sorted[] = {
		"fixed_percpu_data", "_stext",	 "foo", "_foo",
		"__start_foo",	     "foo_weak", "bar", "init_uts_ns"
	};
	static const uint64_t at[] = { 0,
				       0xffffffff91000000,
				       0xffffffff91000100,
				       0xffffffff91000100,
				       0xffffffff91000100,
				       0xffffffff91000100,
				       0xffffffff91000200,
				       0xffffffff92000000 };
	struct kallsyms kallsyms;

	(void)state;
	assert_no_error(load(text, sizeof(text) - 1, &kallsyms));
	assert_symbols(&kallsyms, sorted, at, 8);
	kallsyms_deinit(&kallsyms);
}

static void long_names(void **state)
{
	char text[4096], name[KSYM_NAME_SIZE];
	struct kallsyms kallsyms;
	size_t len = snprintf(text, sizeof(text), "%s", kallsyms_text);

	(void)state;
	for (size_t size = 126; size < 1000; size *= 2, size++) {
		len += snprintf(text + len, sizeof(text) - len, "ffffffff93000000 t ");
		memset(text + len, 'x', size);
		len += size;
		text[len++] = '\n';
	}
	assert_no_error(load(text, len, &kallsyms));
	assert_int_equal(kallsyms.count, 9);
	kallsyms_name(&kallsyms, 7, name);
	assert_int_equal(strlen(name), 253);
	kallsyms_name(&kallsyms, 8, name);
	assert_int_equal(strlen(name), 507);
	kallsyms_deinit(&kallsyms);
}

static void files_that_do_not_fit(void **state)
{
	static const struct {
		const char *text, *says;
		enum error_class class;
	} cases[] = {
		{ "", "no _stext", ERROR_NOT_FOUND },
		{ "root:x:0:0\n", "no System.map", ERROR_CORRUPT },
		{ "ffffffffffffffff B The real System.map is elsewhere\n", "no _stext",
		  ERROR_NOT_FOUND },
		{ "0000000000000000 T _stext\n", "kptr_restrict", ERROR_OTHER },
		{ "ffffffff85000000 T _stext\n", "of another kernel or another boot", ERROR_OTHER },
		{ "ffffffff81000000 T _stext\nffffffff82000100 D init_uts_ns\n",
		  "init_uts_ns at 0xffffffff92000100", ERROR_OTHER },
		{ "ffffffff81000000 T _stext\nffffffff82000100 D init_uts_ns\n", "5.10.0-test",
		  ERROR_OTHER },
		{ "ffffffff91000000 T _stext\n000000000000000000001 D x\n", "no System.map",
		  ERROR_CORRUPT },
		/* Cut off in the middle of the last line. */
		{ "ffffffff91000100 T foo\nffffffff91000000 T _stext", "no _stext",
		  ERROR_NOT_FOUND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kallsyms kallsyms;
		struct error *err = load(cases[i].text, strlen(cases[i].text), &kallsyms);
		if (!err)
			fail_msg("case %zu is taken", i);
		assert_error(err, cases[i].class, cases[i].says);
	}
	struct kallsyms kallsyms;
	char fifo[] = "/tmp/lockdump-test-XXXXXX";
	close(mkstemp(fifo));
	unlink(fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_error(symbol_file_load(fifo, &info, &kallsyms), ERROR_OTHER, "not a regular file");
	unlink(fifo);
	assert_error(symbol_file_load("/nonexistent", &info, &kallsyms), ERROR_SYSTEM,
		     "/nonexistent");
}

/* A vmlinux of four sections: names, symbols, their names, notes; and BTF. */
struct made_vmlinux {
	Elf64_Ehdr header;
	Elf64_Shdr sections[6];
	char names[64];
	Elf64_Sym symbols[5];
	char strings[64];
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[4];
	} note;
	char btf[16];
};

#define SECTION(nr, its_name, its_type, member, link)               \
	ret->sections[nr] = (Elf64_Shdr)                            \
	{                                                           \
		.sh_name = its_name, .sh_type = its_type,           \
		.sh_offset = offsetof(struct made_vmlinux, member), \
		.sh_size = sizeof(ret->member), .sh_link = link,    \
	}

static void make_vmlinux(struct made_vmlinux *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->header.e_ident, ELFMAG, SELFMAG);
	ret->header.e_ident[EI_CLASS] = ELFCLASS64;
	ret->header.e_ident[EI_DATA] = ELFDATA2LSB;
	ret->header.e_shoff = offsetof(struct made_vmlinux, sections);
	ret->header.e_shentsize = sizeof(Elf64_Shdr);
	ret->header.e_shnum = 6;
	ret->header.e_shstrndx = 1;
	memcpy(ret->names, "\0.notes\0.BTF", 13);
	memcpy(ret->strings, "\0_stext\0foo\0runqueues\0printk", 29);
	SECTION(1, 0, SHT_STRTAB, names, 0);
	SECTION(2, 0, SHT_SYMTAB, symbols, 3);
	SECTION(3, 0, SHT_STRTAB, strings, 0);
	SECTION(4, 1, SHT_NOTE, note, 0);
	SECTION(5, 8, SHT_PROGBITS, btf, 0);
	ret->symbols[1] = (Elf64_Sym){ 8, STT_FUNC, 0, 1, 0xffffffff81000100, 16 };
	ret->symbols[2] = (Elf64_Sym){ 1, STT_NOTYPE, 0, 1, 0xffffffff81000000, 0 };
	ret->symbols[3] = (Elf64_Sym){ 12, STT_OBJECT, 0, 2, 0x1000, 0 };
	ret->symbols[4] = (Elf64_Sym){ 22, STT_FUNC, 0, SHN_UNDEF, 0, 0 };
	ret->note.header = (Elf64_Nhdr){ 4, 4, NT_GNU_BUILD_ID };
	memcpy(ret->note.name, "GNU", 4);
	memcpy(ret->note.id, "\0\1\2\3", 4);
	memcpy(ret->btf, "these are types", 16);
}

static void vmlinux(void **state)
{
	static const char *const its_names[] = { "runqueues", "_stext", "foo" };
	static const uint64_t at[] = { 0x1000, 0xffffffff91000000, 0xffffffff91000100 };
	struct made_vmlinux elf;
	struct kallsyms kallsyms;
	char path[32];
	size_t size;
	char *btf;

	(void)state;
	make_vmlinux(&elf);
	assert_no_error(load(&elf, sizeof(elf), &kallsyms));
	assert_symbols(&kallsyms, its_names, at, 3);
	kallsyms_deinit(&kallsyms);
	write_file(&elf, sizeof(elf), path);
	assert_no_error(symbol_file_btf(path, &info, (void **)&btf, &size));
	assert_int_equal(size, 16);
	assert_string_equal(btf, "these are types");
	free(btf);
	unlink(path);
	elf.note.id[0]++;
	assert_error(load(&elf, sizeof(elf), &kallsyms), ERROR_OTHER, "build id is 01010203");
	/* Of this boot it cannot be, even if the numbers are the same. */
	elf.note.id[0]--;
	elf.symbols[2].st_value += 0x10000000;
	assert_error(load(&elf, sizeof(elf), &kallsyms), ERROR_OTHER, "another boot");
}

static void hostile_vmlinux(void **state)
{
	struct kallsyms kallsyms;

	(void)state;
	for (size_t at = SELFMAG; at < offsetof(struct made_vmlinux, btf); at++) {
		static const uint8_t values[] = { 0, 0x7f, 0x80, 0xff };
		for (size_t i = 0; i < sizeof(values); i++) {
			struct made_vmlinux elf;
			make_vmlinux(&elf);
			((uint8_t *)&elf)[at] = values[i];
			struct error *err = load(&elf, sizeof(elf), &kallsyms);
			if (!err)
				kallsyms_deinit(&kallsyms);
			error_destroy(err);
		}
	}
	for (size_t size = 0; size < sizeof(struct made_vmlinux); size++) {
		struct made_vmlinux elf;
		make_vmlinux(&elf);
		struct error *err = load(&elf, size, &kallsyms);
		if (!err)
			kallsyms_deinit(&kallsyms);
		error_destroy(err);
	}
}

static void used_where_the_dump_has_none(void **state)
{
	static const char text[] = "ffffffff81000000 T _stext\nffffffff81000100 t foo\n";
	struct make_kernel k;
	struct kernel *kernel;
	char path[32];

	(void)state;
	write_file(text, sizeof(text) - 1, path);
	for (int kept = 0; kept < 2; kept++) {
		make_kernel_init(&k);
		make_kernel_text(&k, "info SYMBOL(_stext)=ffffffff81000000\n");
		struct kernel_source source = { .vmcore = make_dump_write(&k.dump) };
		if (kept)
			source.files.kept = path;
		else
			source.files.symbols = path;
		assert_no_error(kernel_open(&source, &kernel));
		assert_string_equal(symbols_lookup(&kernel->symbols, 0xffffffff81000010).name,
				    "_stext");
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
	/* What was named, and does not fit, ends it; what was only kept does not. */
	make_kernel_init(&k);
	make_kernel_text(&k, "info SYMBOL(_stext)=ffffffff85000000\n"
			     "info KERNELOFFSET=1000000\n");
	struct kernel_source source = { .vmcore = make_dump_write(&k.dump), .files.symbols = path };
	assert_error(kernel_open(&source, &kernel), ERROR_OTHER, "another boot");
	source.files = (struct symbol_files){ .kept = path };
	assert_no_error(kernel_open(&source, &kernel));
	assert_non_null(strstr(kernel->lacks.data[0]->message, "no such table"));
	assert_non_null(strstr(kernel->lacks.data[0]->message, "another boot"));
	assert_non_null(strstr(kernel->lacks.data[0]->message, "--symbols FILE"));
	kernel_close(kernel);
	make_kernel_deinit(&k);
	unlink(path);
}

/* In a folder of debug information too, but only with the build id: nobody has named that file. */
static void found_in_a_folder(void **state)
{
	static const struct {
		const char *info;
		bool found;
	} cases[] = {
		{ "info BUILD-ID=00010203\n", true },
		{ "info BUILD-ID=00010204\n", false },
		{ "", false },
	};
	char folder[] = "/tmp/lockdump-test.XXXXXX", path[64];
	struct made_vmlinux elf;

	(void)state;
	make_vmlinux(&elf);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vmlinux", folder);
	FILE *out = fopen(path, "w");
	assert_true(out && fwrite(&elf, sizeof(elf), 1, out) == 1 && !fclose(out));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct make_kernel k;
		struct kernel *kernel;
		make_kernel_init(&k);
		make_kernel_text(&k, "info SYMBOL(_stext)=ffffffff91000000\n"
				     "info KERNELOFFSET=10000000\n");
		make_kernel_text(&k, cases[i].info);
		const struct kernel_source source = { .vmcore = make_dump_write(&k.dump),
						      .files.debug_dir = folder };
		assert_no_error(kernel_open(&source, &kernel));
		struct symbol symbol = symbols_lookup(&kernel->symbols, 0xffffffff91000010);
		assert_int_equal(!!symbol.name, cases[i].found);
		kernel_close(kernel);
		make_kernel_deinit(&k);
	}
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a kept /proc/kallsyms has the boot's own addresses, and modules that do not count",
		     kept_kallsyms),
		TEST("a System.map is sorted as the kernel does, and moved by KASLR's offset",
		     system_map),
		TEST("long names are kept, up to what the kernel allows", long_names),
		TEST("a file that does not fit is refused for what it is", files_that_do_not_fit),
		TEST("a vmlinux has symbols, types, and a build id that must be the dump's",
		     vmlinux),
		TEST("a hostile vmlinux is no crash", hostile_vmlinux),
		TEST("a vmlinux in a folder of debug information serves, if it has the dump's build id",
		     found_in_a_folder),
		TEST("files serve where the dump has no symbols", used_where_the_dump_has_none),
	};
	return RUN_TESTS(tests);
}
