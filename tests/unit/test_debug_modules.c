// SPDX-License-Identifier: GPL-2.0-only
/* Debug information of modules: their build ids in the dump, and objects whose sections the kernel has placed. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_program.h"
#include "test.h"

#define AS_MODULE                                                                        \
	"-O2 -ffreestanding -nostdlib -mcmodel=kernel -fno-pie -fcf-protection=none -r " \
	"-Wl,--build-id=0x" MADE_BUILD_ID

static const char source[] =
	"static int first(int n)\n"
	"{\n"
	"	asm volatile(\"in_first: nop\"); /* first */\n"
	"	return n;\n"
	"}\n"
	"__attribute__((section(\".text.other\"))) int second(int n)\n"
	"{\n"
	"	asm volatile(\".globl in_second\\nin_second: nop\"); /* second */\n"
	"	return first(n); /* call */\n"
	"}\n"
	"int third(int n)\n"
	"{\n"
	"	asm volatile(\".globl in_third\\nin_third: nop\"); /* third */\n"
	"	return n;\n"
	"}\n";

static const char types[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct module_layout 80 base:ptr@0 size:u32@8\n"
	"struct mod_arch_specific 32 num_orcs:u32@0 orc_unwind_ip:ptr@8 orc_unwind:ptr@16\n"
	"struct mod_kallsyms 32 symtab:ptr@0 num_symtab:u32@8 strtab:ptr@16\n";

/* .text of the module is at 0xffffffffc0200000, .text.other at 0xffffffffc0201000. */
static const char module_text[] =
	"symbol modules 0xffffffff82900000 D\n"
	"at modules\n u64 0xffffffffc0202008\n"
	"at 0xffffffffc0202018\n str test_module\n"
	"set 0xffffffffc0202000 module.list.next modules\n"
	"set 0xffffffffc0202000 module.core_layout.base 0xffffffffc0200000\n"
	"set 0xffffffffc0202000 module.core_layout.size 0x3000\n"
	"set 0xffffffffc0202000 module.kallsyms 0xffffffffc0202800\n"
	"set 0xffffffffc0202800 mod_kallsyms.symtab 0xffffffffc0202900\n"
	"set 0xffffffffc0202800 mod_kallsyms.num_symtab 3\n"
	"set 0xffffffffc0202800 mod_kallsyms.strtab 0xffffffffc0202b00\n"
	"at 0xffffffffc0202b00\n u8 0\n str in_second\n str in_third\n";

#define MODULE_MEMBERS                                                                \
	"state:u32@0 list:list_head@8 name:char[56]@24 core_layout:module_layout@96 " \
	"init_layout:module_layout@176 arch:mod_arch_specific@256 taints:u64@288 kallsyms:ptr@296 "

#define BUILD_ID_BYTES                                                                        \
	"u8 0x01 0x23 0x45 0x67 0x89 0xab 0xcd 0xef 0x01 0x23 0x45 0x67 0x89 0xab 0xcd 0xef " \
	"0x01 0x23 0x45 0x67\n"

/* Where kernels keep the build id of a module. */
static const char in_module[] = "struct module 512 " MODULE_MEMBERS "build_id:u8[20]@304\n"
				"at 0xffffffffc0202130\n " BUILD_ID_BYTES;

static const char notes[] = "struct bin_attribute 64 size:u64@16 private:ptr@24\n"
			    "struct module 512 " MODULE_MEMBERS "notes_attrs:ptr@304\n"
			    "set 0xffffffffc0202000 module.notes_attrs 0xffffffffc0202400\n"
			    "at 0xffffffffc0202600\n u32 6 4 1\n str Linux\n u8 0 0\n u32 0\n"
			    "at 0xffffffffc0202640\n u32 4 20 3\n str GNU\n " BUILD_ID_BYTES;

static const char in_notes[] =
	"struct module_notes_attrs 16 notes:u32@8 attrs:bin_attribute[1]@16\n"
	"set 0xffffffffc0202400 module_notes_attrs.notes 2\n"
	"at 0xffffffffc0202420\n u64 24 0xffffffffc0202600\n"
	"at 0xffffffffc0202460\n u64 36 0xffffffffc0202640\n";

static const char in_group[] =
	"struct attribute_group 40 bin_attrs:ptr@32\n"
	"struct module_notes_attrs 40 grp:attribute_group@0\n"
	"set 0xffffffffc0202400 module_notes_attrs.grp.bin_attrs 0xffffffffc0202480\n"
	"at 0xffffffffc0202480\n u64 0xffffffffc02024a0 0xffffffffc02024e0 0\n"
	"at 0xffffffffc02024b0\n u64 24 0xffffffffc0202600\n"
	"at 0xffffffffc02024f0\n u64 36 0xffffffffc0202640\n";

struct fixture {
	struct made_program program;
	struct make_kernel k;
	struct kernel *kernel;
	char folder[256]; /* of the debug information */
};

/* @moved: how far from its place one symbol is said to be. */
static void open_fixture(struct fixture *f, const char *text, const char *more, uint64_t moved)
{
	const uint64_t second = made_program_symbol(f->program.path, "in_second"),
		       third = made_program_symbol(f->program.path, "in_third");

	make_kernel_init(&f->k);
	make_kernel_text(&f->k, made_kernel_minimum);
	make_kernel_text(&f->k, types);
	make_kernel_text(&f->k, text);
	make_kernel_text(&f->k, module_text);
	make_kernel_text(&f->k, more);
	make_kernel_line(&f->k,
			 "at 0xffffffffc0202900\n fill 24 0\n"
			 "u32 1\n u8 18 0\n u16 2\n u64 0x%llx 0\n"
			 "u32 11\n u8 18 0\n u16 2\n u64 0x%llx 0\n",
			 (unsigned long long)(0xffffffffc0201000 + second),
			 (unsigned long long)(0xffffffffc0200000 + third + moved));
	snprintf(f->folder, sizeof(f->folder), "%s/debug", f->program.folder);
	const struct kernel_source how = { make_dump_write(&f->k.dump),
					   .files.debug_dir = f->folder };
	assert_no_error(kernel_open(&how, &f->kernel));
	assert_no_error(f->kernel->symbols.modules_error);
}

static void close_fixture(struct fixture *f)
{
	kernel_close(f->kernel);
	make_kernel_deinit(&f->k);
	made_program_deinit(&f->program);
}

static const struct source_places *places_of(struct fixture *f, uint64_t section,
					     const char *symbol)
{
	return debuginfo_places(f->kernel->debuginfo,
				section + made_program_symbol(f->program.path, symbol));
}

static void assert_place(const struct source_place *place, const char *function, const char *mark)
{
	assert_string_equal(place->function, function);
	assert_string_equal(strrchr(place->file, '/') + 1, "source.c");
	assert_int_equal(place->line, made_program_line(source, mark));
}

static void lines_in_sections_that_were_placed(void **state)
{
	static const char *const paths[] = {
		"test-module.ko",
		"test_module.ko.debug",
		"lib/modules/6.1.0-test/kernel/drivers/test-module.ko",
		".build-id/01/23456789abcdef0123456789abcdef01234567.debug",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct fixture f;
		make_program(&f.program, source, i % 2 ? AS_MODULE " -gz" : AS_MODULE);
		made_program_run(&f.program, "mkdir -p $(dirname debug/%s) && cp vmlinux debug/%s",
				 paths[i], paths[i]);
		open_fixture(&f, in_module, "", 0);
		const struct source_places *places = places_of(&f, 0xffffffffc0201000, "in_second");
		if (!places)
			fail_msg("%s", paths[i]);
		assert_int_equal(places->count, 1);
		assert_place(&places->list[0], "second", "/* second");
		places = places_of(&f, 0xffffffffc0201000, "in_first");
		assert_int_equal(places->count, 2);
		assert_place(&places->list[0], "first", "/* first");
		assert_place(&places->list[1], "second", "/* call");
		places = places_of(&f, 0xffffffffc0200000, "in_third");
		assert_int_equal(places->count, 1);
		assert_place(&places->list[0], "third", "/* third");
		/* Of vmlinux there is none, of the module there is nothing to say. */
		error_destroy(debuginfo_next_error(f.kernel->debuginfo));
		assert_null(debuginfo_next_error(f.kernel->debuginfo));
		close_fixture(&f);
	}
}

static void build_ids_of_modules(void **state)
{
	static const char *const texts[][2] = { { in_module, "" },
						{ notes, in_notes },
						{ notes, in_group } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f;
		struct build_id id;
		char text[2 * BUILD_ID_MAX + 1];
		make_program(&f.program, source, AS_MODULE);
		open_fixture(&f, texts[i][0], texts[i][1], 0);
		const struct symbols *symbols = &f.kernel->symbols;
		build_id_of_module(symbols, &symbols->modules.list.data[0], &id);
		build_id_text(&id, text);
		assert_string_equal(text, MADE_BUILD_ID);
		close_fixture(&f);
	}
}

static void build_ids_that_cannot_be_read(void **state)
{
	static const char *const changes[] = {
		"set 0xffffffffc0202000 module.notes_attrs 0\n",
		"set 0xffffffffc0202000 module.notes_attrs 0xffffffff00000000\n",
		"set 0xffffffffc0202400 module_notes_attrs.notes 0\n",
		"at 0xffffffffc0202460\n u64 0xffffffffffffffff 0xffffffffc0202640\n",
		"at 0xffffffffc0202460\n u64 36 0xffffffff00000000\n",
		"at 0xffffffffc0202640\n u32 4 0x7fffffff 3\n",
		"at 0xffffffffc0202640\n u32 4 65 3\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct fixture f;
		struct build_id id;
		char more[1024];
		make_program(&f.program, source, AS_MODULE);
		snprintf(more, sizeof(more), "%s%s", in_notes, changes[i]);
		open_fixture(&f, notes, more, 0);
		const struct symbols *symbols = &f.kernel->symbols;
		build_id_of_module(symbols, &symbols->modules.list.data[0], &id);
		assert_int_equal(id.size, 0);
		close_fixture(&f);
	}
}

static void an_object_that_is_not_the_modules(void **state)
{
	static const struct {
		const char *command, *says;
		uint64_t moved;
	} cases[] = {
		{ "gcc -g " AS_MODULE "00 -o debug/test_module.ko source.c",
		  "test_module.ko: not used: its build id is " },
		{ "cp vmlinux debug/test_module.ko", "symbols are not those of the module", 1 },
		{ "gcc -g -nostdlib -no-pie -Wl,-e,0 -Wl,--build-id=0x" MADE_BUILD_ID
		  " -o debug/test_module.ko source.c",
		  "not used: no module" },
		{ "strip -s vmlinux -o debug/test_module.ko", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		char command[512];
		make_program(&f.program, source, AS_MODULE);
		snprintf(command, sizeof(command), "mkdir debug && %s 2>/dev/null",
			 cases[i].command);
		made_program_run(&f.program, "%s", command);
		/* Both in one section, for one to belie the other. */
		if (cases[i].moved)
			made_program_run(&f.program, "sed -i s/.text.other/.text/ source.c && gcc "
						     "-g " AS_MODULE " -o vmlinux source.c && "
						     "cp vmlinux debug/test_module.ko");
		open_fixture(&f, in_module, "", cases[i].moved);
		assert_null(places_of(&f, 0xffffffffc0200000, "in_third"));
		error_destroy(debuginfo_next_error(f.kernel->debuginfo)); /* no vmlinux */
		struct error *err = debuginfo_next_error(f.kernel->debuginfo);
		if (cases[i].says ? !err || !strstr(err->message, cases[i].says) : !!err)
			fail_msg("%s: %s", cases[i].command, err ? err->message : "no error");
		error_destroy(err);
		close_fixture(&f);
	}
}

/* Makes the section .debug_info of @path the whole file. */
static void spread_debug_info(const char *path)
{
	Elf64_Ehdr ehdr;
	Elf64_Shdr names, section;
	char name[16];
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	assert_int_equal(fread(&ehdr, sizeof(ehdr), 1, file), 1);
	fseek(file, ehdr.e_shoff + ehdr.e_shstrndx * sizeof(names), SEEK_SET);
	assert_int_equal(fread(&names, sizeof(names), 1, file), 1);
	for (unsigned int i = 1; i < ehdr.e_shnum; i++) {
		long at = ehdr.e_shoff + i * sizeof(section);
		fseek(file, at, SEEK_SET);
		assert_int_equal(fread(&section, sizeof(section), 1, file), 1);
		fseek(file, names.sh_offset + section.sh_name, SEEK_SET);
		if (!fgets(name, sizeof(name), file) || strcmp(name, ".debug_info"))
			continue;
		section.sh_offset = 0;
		section.sh_size = ehdr.e_shoff + ehdr.e_shnum * sizeof(section);
		fseek(file, at, SEEK_SET);
		assert_int_equal(fwrite(&section, sizeof(section), 1, file), 1);
		break;
	}
	assert_int_equal(fclose(file), 0);
}

/* Relocations would change what libelf has checked. */
static void a_section_over_the_headers(void **state)
{
	struct fixture f;
	char path[256];

	(void)state;
	make_program(&f.program, source, AS_MODULE);
	made_program_run(&f.program, "mkdir debug && cp vmlinux debug/test_module.ko");
	snprintf(path, sizeof(path), "%s/debug/test_module.ko", f.program.folder);
	spread_debug_info(path);
	open_fixture(&f, in_module, "", 0);
	assert_null(places_of(&f, 0xffffffffc0200000, "in_third"));
	error_destroy(debuginfo_next_error(f.kernel->debuginfo)); /* no vmlinux */
	assert_error(debuginfo_next_error(f.kernel->debuginfo), ERROR_CORRUPT,
		     "a section over its headers");
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a module's lines are found wherever its sections are",
		     lines_in_sections_that_were_placed),
		TEST("a module's build id is where its kernel keeps it", build_ids_of_modules),
		TEST("a build id that cannot be read is unknown", build_ids_that_cannot_be_read),
		TEST("an object that is not the module's is not used",
		     an_object_that_is_not_the_modules),
		TEST("an object with a section over its headers is not used",
		     a_section_over_the_headers),
	};
	return RUN_TESTS(tests);
}
