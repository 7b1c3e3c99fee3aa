// SPDX-License-Identifier: GPL-2.0-only
/* Debug information: which file is taken, and where it says that code is in the source. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_program.h"
#include "symbols/debug_search.h"
#include "test.h"

#define KASLR 0x21a00000ull

/* The labels are where a test looks; they are symbols of the program. */
static const char source[] =
	"static inline __attribute__((always_inline)) int innermost(int n)\n"
	"{\n"
	"	asm volatile(\".globl in_innermost\\nin_innermost: nop\"); /* innermost */\n"
	"	return n;\n"
	"}\n"
	"static inline __attribute__((always_inline)) int inner(int n)\n"
	"{\n"
	"	return innermost(n) + 1; /* call of innermost */\n"
	"}\n"
	"__attribute__((noinline)) int outer(int n)\n"
	"{\n"
	"	asm volatile(\".globl in_outer\\nin_outer: nop\"); /* outer */\n"
	"	return inner(n); /* call of inner */\n"
	"}\n"
	"int start(void)\n"
	"{\n"
	"	return outer(1);\n"
	"}\n";

static const char kernel_text[] = "symbol _text 0xffffffffa2a00000\n"
				  "symbol outer 0xffffffffa2a00000\n"
				  "symbol end_of_text 0xffffffffa2a10000\n";

struct fixture {
	struct made_program program;
	struct make_kernel k;
	struct kernel *kernel;
};

/* Compiles the source as a kernel, makes a dump of it, and opens both. */
static void open_fixture(struct fixture *f, const char *more, const struct kernel_source *how)
{
	make_kernel_init(&f->k);
	make_kernel_text(&f->k, made_kernel_minimum);
	make_kernel_text(&f->k, kernel_text);
	make_kernel_text(&f->k, more);
	struct kernel_source kernel_source = *how;
	kernel_source.vmcore = make_dump_write(&f->k.dump);
	assert_no_error(kernel_open(&kernel_source, &f->kernel));
}

static void close_fixture(struct fixture *f)
{
	kernel_close(f->kernel);
	make_kernel_deinit(&f->k);
	made_program_deinit(&f->program);
}

static void assert_place(const struct source_place *place, const char *function, const char *mark,
			 bool inlined)
{
	assert_string_equal(place->function, function);
	assert_string_equal(strrchr(place->file, '/') + 1, "source.c");
	assert_int_equal(place->line, made_program_line(source, mark));
	assert_int_equal(place->inlined, inlined);
}

static const struct source_places *places_of(struct fixture *f, const char *symbol)
{
	return debuginfo_places(f->kernel->debuginfo,
				made_program_symbol(f->program.path, symbol) + KASLR);
}

static void lines_and_inlined_functions(void **state)
{
	struct fixture f;

	(void)state;
	make_program(&f.program, source, MADE_AS_KERNEL);
	open_fixture(&f, "info BUILD-ID=" MADE_BUILD_ID "\n",
		     &(struct kernel_source){ .files.vmlinux = f.program.path });
	assert_string_equal(debuginfo_vmlinux(f.kernel->debuginfo), f.program.path);
	const struct source_places *places = places_of(&f, "in_innermost");
	assert_int_equal(places->count, 3);
	assert_place(&places->list[0], "innermost", "/* innermost", true);
	assert_place(&places->list[1], "inner", "/* call of innermost", true);
	assert_place(&places->list[2], "outer", "/* call of inner ", false);
	assert_ptr_equal(places_of(&f, "in_innermost"), places); /* found once */
	places = places_of(&f, "in_outer");
	assert_int_equal(places->count, 1);
	assert_place(&places->list[0], "outer", "/* outer", false);
	assert_null(debuginfo_places(f.kernel->debuginfo, 0xffffffffa2a0f000)); /* no unit */
	assert_null(debuginfo_places(f.kernel->debuginfo, 0xffffffff90000000)); /* no function */
	assert_null(debuginfo_next_error(f.kernel->debuginfo));
	close_fixture(&f);
}

static void assert_lines_are_found(struct fixture *f)
{
	open_fixture(f, "info BUILD-ID=" MADE_BUILD_ID "\n",
		     &(struct kernel_source){ .files.vmlinux = f->program.path });
	const struct source_places *places = places_of(f, "in_innermost");
	assert_non_null(places);
	assert_int_equal(places->count, 3);
	assert_place(&places->list[0], "innermost", "/* innermost", true);
	assert_place(&places->list[2], "outer", "/* call of inner ", false);
	close_fixture(f);
}

static void versions_of_dwarf(void **state)
{
	static const char *const options[] = { "-gdwarf-3", "-gdwarf-4", "-gdwarf-5", "-gz" };

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct fixture f;
		char all[512];
		snprintf(all, sizeof(all), MADE_AS_KERNEL " %s", options[i]);
		make_program(&f.program, source, all);
		assert_lines_are_found(&f);
	}
}

static void without_aranges(void **state)
{
	struct fixture f;

	(void)state;
	make_program(&f.program, source, MADE_AS_KERNEL);
	made_program_run(&f.program, "objcopy --remove-section .debug_aranges vmlinux 2>/dev/null");
	assert_lines_are_found(&f);
}

static void assert_next_error(struct fixture *f, const char *text)
{
	assert_error(debuginfo_next_error(f->kernel->debuginfo), ERROR_OTHER, text);
	assert_null(debuginfo_next_error(f->kernel->debuginfo));
}

static void a_wrong_vmlinux(void **state)
{
	static const struct {
		const char *info, *command, *says;
		bool used;
	} cases[] = {
		{ "info BUILD-ID=99\n", "true",
		  "its build id is " MADE_BUILD_ID ", the dump's is 99" },
		{ "", "true", "no build id to compare", true },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n",
		  "objcopy --remove-section .note.gnu.build-id vmlinux",
		  "its build id is missing" },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n", "strip -g vmlinux", "no debug information" },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n", "echo text >vmlinux", "not an ELF file" },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n", "rm vmlinux; mkfifo vmlinux",
		  "not a regular file" },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n", "rm vmlinux", "No such file" },
		{ "info BUILD-ID=" MADE_BUILD_ID "\n",
		  "printf '\\267' | dd of=vmlinux bs=1 seek=18 conv=notrunc 2>/dev/null",
		  "of ELF machine 183" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		make_program(&f.program, source, MADE_AS_KERNEL);
		made_program_run(&f.program, "%s", cases[i].command);
		open_fixture(&f, cases[i].info,
			     &(struct kernel_source){ .files.vmlinux = f.program.path });
		assert_int_equal(!!debuginfo_vmlinux(f.kernel->debuginfo), cases[i].used);
		struct error *err = debuginfo_next_error(f.kernel->debuginfo);
		if (!err || !strstr(err->message, cases[i].says))
			fail_msg("%s: %s", cases[i].says, err ? err->message : "no error");
		error_destroy(err);
		assert_null(debuginfo_next_error(f.kernel->debuginfo));
		close_fixture(&f);
	}
}

static void layouts_of_debug_folders(void **state)
{
	static const char *const paths[] = {
		"debug/.build-id/01/23456789abcdef0123456789abcdef01234567.debug",
		"debug/boot/vmlinux-6.1.0-test",
		"debug/vmlinux-6.1.0-test",
		"debug/lib/modules/6.1.0-test/vmlinux",
		"debug/lib/modules/6.1.0-test/build/vmlinux",
		"debug/vmlinux",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct fixture f;
		char folders[256];
		make_program(&f.program, source, MADE_AS_KERNEL);
		made_program_run(&f.program, "mkdir -p $(dirname %s) && cp vmlinux %s", paths[i],
				 paths[i]);
		snprintf(folders, sizeof(folders), "/nonexistent::%s/debug", f.program.folder);
		open_fixture(&f, "info BUILD-ID=" MADE_BUILD_ID "\n",
			     &(struct kernel_source){ .files.debug_dir = folders });
		if (!debuginfo_vmlinux(f.kernel->debuginfo))
			fail_msg("%s was not found", paths[i]);
		assert_null(debuginfo_next_error(f.kernel->debuginfo));
		close_fixture(&f);
	}
}

static void folders_with_wrong_files(void **state)
{
	struct fixture f;

	(void)state;
	make_program(&f.program, source, MADE_AS_KERNEL);
	made_program_run(&f.program, "mkdir boot && gcc -g " MADE_AS_KERNEL
				     "11 -o boot/vmlinux-6.1.0-test source.c");
	/* The right one is behind the wrong one. */
	open_fixture(&f, "info BUILD-ID=" MADE_BUILD_ID "\n",
		     &(struct kernel_source){ .files.debug_dir = f.program.folder });
	assert_string_equal(debuginfo_vmlinux(f.kernel->debuginfo), f.program.path);
	assert_null(debuginfo_next_error(f.kernel->debuginfo));
	kernel_close(f.kernel);
	make_kernel_deinit(&f.k);
	made_program_run(&f.program, "rm vmlinux");
	open_fixture(&f, "info BUILD-ID=" MADE_BUILD_ID "\n",
		     &(struct kernel_source){ .files.debug_dir = f.program.folder });
	assert_null(debuginfo_vmlinux(f.kernel->debuginfo));
	assert_next_error(&f, "boot/vmlinux-6.1.0-test: not used: its build id is");
	close_fixture(&f);
}

static void names_that_lead_elsewhere(void **state)
{
	(void)state;
	assert_true(debug_name_is_safe("6.1.0-56-cloud-amd64"));
	assert_true(debug_name_is_safe("virtio_blk"));
	assert_true(debug_name_is_safe("6.12~rc1+x"));
	assert_false(debug_name_is_safe(""));
	assert_false(debug_name_is_safe("../../etc/passwd"));
	assert_false(debug_name_is_safe("a/b"));
	assert_false(debug_name_is_safe(".hidden"));
	assert_false(debug_name_is_safe("a b\n"));
}

static void a_build_id_in_the_kernels_notes(void **state)
{
	struct fixture f;

	(void)state;
	make_program(&f.program, source, MADE_AS_KERNEL);
	open_fixture(
		&f,
		"symbol __start_notes 0xffffffff82500000\n symbol __stop_notes 0xffffffff82500034\n"
		"at __start_notes\n u32 4 0 7\n str Xen\n"
		"u32 4 20 3\n str GNU\n u8 0x01 0x23 0x45 0x67 0x89 0xab 0xcd 0xef 0x01 0x23 "
		"0x45 0x67 0x89 0xab 0xcd 0xef 0x01 0x23 0x45 0x67\n",
		&(struct kernel_source){ .files.vmlinux = f.program.path });
	assert_non_null(debuginfo_vmlinux(f.kernel->debuginfo));
	assert_null(debuginfo_next_error(f.kernel->debuginfo));
	close_fixture(&f);
}

/* A damaged file may say anything, but does no harm. */
static void damaged_dwarf(void **state)
{
	struct fixture f;
	uint32_t random = 1;

	(void)state;
	make_program(&f.program, source, MADE_AS_KERNEL);
	uint64_t address = made_program_symbol(f.program.path, "in_innermost") + KASLR;
	made_program_run(&f.program, "cp vmlinux whole");
	for (int i = 0; i < 100; i++) {
		struct stat st;
		made_program_run(&f.program, "cp whole vmlinux");
		assert_int_equal(stat(f.program.path, &st), 0);
		FILE *file = fopen(f.program.path, "r+");
		/* Behind the ELF header and the build id: mostly the debug sections. */
		for (int n = 0; n < 20; n++) {
			random = random * 1103515245 + 12345;
			fseek(file, 0x1100 + random / 16 % (st.st_size - 0x1100), SEEK_SET);
			fputc(random >> 24, file);
		}
		fclose(file);
		open_fixture(&f, "", &(struct kernel_source){ .files.vmlinux = f.program.path });
		debuginfo_places(f.kernel->debuginfo, address);
		kernel_close(f.kernel);
		make_kernel_deinit(&f.k);
	}
	made_program_deinit(&f.program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("code has its line, and the functions that were inlined there",
		     lines_and_inlined_functions),
		TEST("DWARF 3 to 5, and compressed", versions_of_dwarf),
		TEST("units are found without .debug_aranges too", without_aranges),
		TEST("a vmlinux that is not the dump's is refused, and said so", a_wrong_vmlinux),
		TEST("a folder may be laid out as Debian, Fedora and gdb have it",
		     layouts_of_debug_folders),
		TEST("among several files the one with the build id is taken",
		     folders_with_wrong_files),
		TEST("names from a dump do not lead out of the folder", names_that_lead_elsewhere),
		TEST("an older kernel's build id is in its notes", a_build_id_in_the_kernels_notes),
		TEST("damaged DWARF does no harm", damaged_dwarf),
	};
	return RUN_TESTS(tests);
}
