// SPDX-License-Identifier: GPL-2.0-only
/*
 * Variables of a stack. A program is compiled and run, and says what its stack and its registers were in the middle of
 * a call; the dump is made of that, as if the program had been a kernel.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "make_program.h"
#include "state/variables.h"
#include "test.h"

/* The place that the program is moved to: an offset like KASLR's. */
#define DAMAGED_FILES 200
#define BIAS	      (0xffffffff81000000ull - 0x400000)

static const char source[] =
	"#include <stdbool.h>\n"
	"#include <stdint.h>\n"
	"#include <stdio.h>\n"
	"enum colour { RED, GREEN = 7, BLUE = -2 };\n"
	"struct inner { int a; };\n"
	"typedef struct outer {\n"
	"	int number;\n"
	"	struct inner inner;\n"
	"	unsigned int three : 3, five : 5;\n"
	"	signed int minus : 4;\n"
	"	enum colour colour;\n"
	"	char name[8];\n"
	"	unsigned char bytes[3];\n"
	"	struct { int anonymous; };\n"
	"	union { int u; float f; } either;\n"
	"	const volatile char *const text;\n"
	"	int (*function)(int, void *);\n"
	"} outer_t;\n"
	"struct frame { unsigned long pc, sp; } frames[8];\n"
	"int nr_frames;\n"
	"unsigned long kept[7];\n"
	"const char *texts[2];\n"
	"const int *variable;\n"
	"#define FRAME()                                                                   \\\n"
	"	(frames[nr_frames++] = (struct frame){                                     \\\n"
	"		 (unsigned long)__builtin_extract_return_addr(                     \\\n"
	"			 __builtin_return_address(0)),                             \\\n"
	"		 (unsigned long)__builtin_dwarf_cfa() })\n"
	"#define USE(x) asm volatile(\"\" : : \"g\"(x) : \"memory\")\n"
	"static void say(unsigned long top)\n"
	"{\n"
	"	static const char *const names[] = { \"bx\", \"bp\", \"r12\", \"r13\", \"r14\",\n"
	"					     \"r15\", \"sp\" };\n"
	"	extern char leaf_pc[];\n"
	"	for (int i = 0; i < 7; i++)\n"
	"		printf(\"register %s %#lx\\n\", names[i], kept[i]);\n"
	"	printf(\"frame %#lx %#lx\\n\", (unsigned long)leaf_pc, kept[6]);\n"
	"	for (int i = nr_frames - 1; i >= 0; i--)\n"
	"		printf(\"frame %#lx %#lx\\n\", frames[i].pc, frames[i].sp);\n"
	"	for (unsigned long at = kept[6] & -8ul; at < top; at += 8)\n"
	"		printf(\"word %#lx %#lx\\n\", at, *(unsigned long *)at);\n"
	"	for (int i = 0; i < 2; i++)\n"
	"		for (unsigned long at = (unsigned long)texts[i] & -8ul; at < (unsigned long)texts[i] + 24; at += 8)\n"
	"			printf(\"word %#lx %#lx\\n\", at, *(unsigned long *)at);\n"
	"	printf(\"static %#lx %d\\n\", (unsigned long)variable, *variable);\n"
	"}\n"
	"static __attribute__((noinline)) void leaf(unsigned long top)\n"
	"{\n"
	"	asm volatile(\"mov %%rbx, kept\\n mov %%rbp, kept+8\\n mov %%r12, kept+16\\n\"\n"
	"		     \"mov %%r13, kept+24\\n mov %%r14, kept+32\\n mov %%r15, kept+40\\n\"\n"
	"		     \".globl leaf_pc\\nleaf_pc: mov %%rsp, kept+48\" : : : \"memory\");\n"
	"	FRAME();\n"
	"	say(top);\n"
	"}\n"
	"static inline __attribute__((always_inline)) long twice(long n, unsigned long top)\n"
	"{\n"
	"	long doubled = 2 * n;\n"
	"	{\n"
	"		char block = 'x';\n"
	"		asm volatile(\"\" : \"+r\"(doubled));\n"
	"		leaf(top);\n"
	"		USE(block);\n"
	"	}\n"
	"	USE(doubled);\n"
	"	return doubled;\n"
	"}\n"
	"int __attribute__((noinline, noclone))\n"
	"middle(outer_t *object, const char *text, int lost, bool yes, unsigned long top)\n"
	"{\n"
	"	short negative = -5;\n"
	"	long gone = lost * 3;\n"
	"	double real = 1.5;\n"
	"	FRAME();\n"
	"	USE(lost);\n"
	"	USE(gone);\n"
	"	asm volatile(\"\" : \"+r\"(negative));\n"
	"	long got = twice(object->number, top);\n"
	"	USE(object);\n"
	"	USE(text);\n"
	"	USE(yes);\n"
	"	USE(negative);\n"
	"	USE(real);\n"
	"	return got;\n"
	"}\n"
	"static int callback(int n, void *p)\n"
	"{\n"
	"	return n + !p;\n"
	"}\n"
	"int __attribute__((noinline)) start(unsigned long top)\n"
	"{\n"
	"	static int counter = 17;\n"
	"	int matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };\n"
	"	outer_t object = { .number = 21, .inner = { 1 }, .three = 5, .five = 17, .minus = -3,\n"
	"			   .colour = GREEN, .name = \"a\\\"b\\n\", .bytes = { 1, 2, 255 },\n"
	"			   .anonymous = 9, .either = { .u = 1 }, .text = \"hello\",\n"
	"			   .function = callback };\n"
	"	FRAME();\n"
	"	texts[0] = \"text of middle\";\n"
	"	texts[1] = (const char *)object.text;\n"
	"	variable = &counter;\n"
	"	USE(&object);\n"
	"	USE(&matrix);\n"
	"	int got = middle(&object, \"text of middle\", 42, true, top);\n"
	"	USE(&object);\n"
	"	USE(counter);\n"
	"	return got + counter++;\n"
	"}\n"
	"int main(void)\n"
	"{\n"
	"	start((unsigned long)__builtin_frame_address(0) + 64);\n"
	"	return 0;\n"
	"}\n";

struct fixture {
	struct made_program program;
	struct make_kernel k;
	struct kernel *kernel;
	struct stack stack;
	struct registers registers;
	struct stack_values values;
};

/* What the program prints: "register NAME VALUE", "frame PC SP", "word ADDRESS VALUE", "static ADDRESS VALUE". */
static void take_line(struct fixture *f, const char *line)
{
	const struct unwind_arch *arch = &unwind_arch_x86_64;
	unsigned long long address, value;
	char name[8];

	if (sscanf(line, "register %7s %llx", name, &value) == 2) {
		for (unsigned int i = 0; i < arch->nr_registers; i++) {
			const char *its = arch->register_names[i];
			if (strcmp(its + (its[1] > '9'), name))
				continue;
			f->registers.values[i] = value;
			f->registers.known |= 1ull << i;
		}
	} else if (sscanf(line, "frame %llx %llx", &address, &value) == 2) {
		struct frame *frame = vector_push(&f->stack.frames);
		*frame = (struct frame){ .pc = address + BIAS, .sp = value, .reliable = true };
		/* The innermost one was stopped, the others called. */
		frame->interrupted = f->stack.frames.count == 1;
	} else if (sscanf(line, "word %llx %llx", &address, &value) == 2) {
		make_kernel_line(&f->k, "at 0x%llx\n u64 0x%llx", address, value);
	} else if (sscanf(line, "static %llx %lld", &address, &value) == 2) {
		make_kernel_line(&f->k, "at 0x%llx\n u32 %lld", address + BIAS, value);
	} else {
		fail_msg("%s", line);
	}
}

static void open_fixture(struct fixture *f, const char *options)
{
	char all[256], line[256], command[256];

	memset(f, 0, sizeof(*f));
	snprintf(all, sizeof(all),
		 "-no-pie -fno-pie -fcf-protection=none -fno-stack-protector "
		 "-fno-omit-frame-pointer -Wl,--build-id=0x" MADE_BUILD_ID " %s",
		 options);
	make_program(&f->program, source, all);
	make_kernel_init(&f->k);
	make_kernel_text(&f->k, made_kernel_minimum);
	make_kernel_text(&f->k, "info BUILD-ID=" MADE_BUILD_ID "\n");
	struct debug_file *file;
	assert_no_error(debug_file_open(f->program.path, -1, EM_X86_64, &file));
	uint64_t text = debug_file_section(file, ".text");
	debug_file_close(file);
	make_kernel_line(&f->k, "symbol _text 0x%llx", text + BIAS);
	make_kernel_line(&f->k, "symbol end_of_text 0x%llx", text + BIAS + 0x10000);
	snprintf(command, sizeof(command), "%s/vmlinux", f->program.folder);
	FILE *said = popen(command, "r");
	while (fgets(line, sizeof(line), said))
		take_line(f, line);
	assert_int_equal(pclose(said), 0);
	struct kernel_source how = { make_dump_write(&f->k.dump),
				     .files.vmlinux = f->program.path };
	assert_no_error(kernel_open(&how, &f->kernel));
	assert_non_null(debuginfo_vmlinux(f->kernel->debuginfo));
	assert_no_error(stack_values_init(&f->values, f->kernel, &f->stack, &f->registers));
}

static void close_fixture(struct fixture *f)
{
	stack_values_deinit(&f->values);
	vector_deinit(&f->stack.frames);
	kernel_close(f->kernel);
	make_kernel_deinit(&f->k);
	made_program_deinit(&f->program);
}

/* The variable of the function, which has a frame or was inlined; its value or, if it is not known, "?". */
static void find(struct fixture *f, const char *function, const char *name, char *type, char *value)
{
	for (size_t i = 0; i < f->stack.frames.count; i++) {
		const struct frame *frame = &f->stack.frames.data[i];
		const struct source_places *places =
			debuginfo_places(f->kernel->debuginfo, frame->pc - !frame->interrupted);
		for (size_t p = 0; places && p < places->count; p++) {
			struct variables variables;
			if (strcmp(places->list[p].function, function))
				continue;
			variables_init(&variables, &f->values, i, &places->list[p]);
			for (size_t v = 0; v < variables.list.count; v++) {
				const struct variable *its = &variables.list.data[v];
				if (strcmp(its->name, name))
					continue;
				strcpy(type, its->type);
				snprintf(value, 1024, "%s", its->value ? its->value : "?");
				variables_deinit(&variables);
				return;
			}
			variables_deinit(&variables);
		}
	}
	fail_msg("no %s in %s", name, function);
}

struct expected {
	const char *function, *name, *type, *value;
};

static void assert_variables(struct fixture *f, const struct expected *expected, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char type[256], value[1024];
		find(f, expected[i].function, expected[i].name, type, value);
		/* What follows "..." may be anything: addresses of the program. */
		const char *dots = strstr(expected[i].value, "0x...");
		size_t size = dots ? (size_t)(dots + 2 - expected[i].value)
				   : strlen(expected[i].value) + 1;
		const char *rest = dots ? dots + 5 : "";
		size_t len = strlen(value), rest_len = strlen(rest);
		if (strcmp(type, expected[i].type) || strncmp(value, expected[i].value, size) ||
		    len < rest_len || strcmp(value + len - rest_len, rest))
			fail_msg("%s: %s %s = %s", expected[i].function, type, expected[i].name,
				 value);
	}
}

#define ASSERT_VARIABLES(f, ...)                                            \
	assert_variables(f, (const struct expected[]){ __VA_ARGS__ },       \
			 sizeof((const struct expected[]){ __VA_ARGS__ }) / \
				 sizeof(struct expected))

static void optimized_code(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "-O2");
	ASSERT_VARIABLES(
		&f, { "middle", "object", "outer_t *", "0x..." },
		{ "middle", "text", "const char *", "0x... \"text of middle\"" },
		/* Nothing needs it any more, but the caller said what it was. */
		{ "middle", "lost", "int", "42" }, { "middle", "gone", "long int", "126" },
		{ "middle", "yes", "_Bool", "true" }, { "middle", "negative", "short int", "-5" },
		{ "middle", "real", "double", "1.5" }, { "middle", "got", "long int", "?" },
		{ "twice", "doubled", "long int", "42" }, { "twice", "block", "char", "120" },
		{ "start", "counter", "int", "17" },
		{ "start", "matrix", "int [2][3]", "{1, 2, 3, 4, 5, 6}" });
	close_fixture(&f);
}

static void code_that_is_not_optimized(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "-O0");
	ASSERT_VARIABLES(
		&f, { "middle", "lost", "int", "42" }, { "middle", "negative", "short int", "-5" },
		{ "middle", "real", "double", "1.5" }, { "twice", "doubled", "long int", "42" },
		{ "start", "matrix", "int [2][3]", "{1, 2, 3, 4, 5, 6}" });
	close_fixture(&f);
}

static void structs_one_level_deep(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "-O2");
	ASSERT_VARIABLES(&f, { "start", "object", "outer_t",
			       "{number = 21, inner = {...}, three = 5, five = 17, minus = -3, "
			       "colour = GREEN, name = \"a\\\"b\\n\", bytes = {1, 2, 255}, "
			       "{anonymous = 9}, either = {...}, text = 0x..." });
	close_fixture(&f);
}

static void other_versions_of_dwarf(void **state)
{
	static const char *const options[] = { "-O2 -gdwarf-4", "-O2 -gdwarf-3 -gno-strict-dwarf" };

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct fixture f;
		open_fixture(&f, options[i]);
		ASSERT_VARIABLES(&f, { "middle", "negative", "short int", "-5" },
				 { "middle", "lost", "int", "42" },
				 { "twice", "doubled", "long int", "42" });
		close_fixture(&f);
	}
}

/* A register that is lost must not come back as something else. */
static void a_frame_that_dwarf_and_the_unwinder_disagree_on(void **state)
{
	struct fixture f;

	(void)state;
	open_fixture(&f, "-O2");
	stack_values_deinit(&f.values);
	f.stack.frames.data[1].sp += 8;
	assert_no_error(stack_values_init(&f.values, f.kernel, &f.stack, &f.registers));
	ASSERT_VARIABLES(&f, { "middle", "negative", "short int", "?" },
			 { "twice", "doubled", "long int", "?" });
	close_fixture(&f);
}

/* All that is asked of a file, whatever it answers. */
static void ask_for_everything(struct fixture *f)
{
	struct stack_values values;

	assert_no_error(stack_values_init(&values, f->kernel, &f->stack, &f->registers));
	for (size_t i = 0; i < f->stack.frames.count; i++) {
		const struct frame *frame = &f->stack.frames.data[i];
		const struct source_places *places =
			debuginfo_places(f->kernel->debuginfo, frame->pc - !frame->interrupted);
		for (size_t p = 0; places && p < places->count; p++) {
			struct variables variables;
			variables_init(&variables, &values, i, &places->list[p]);
			variables_deinit(&variables);
		}
	}
	stack_values_deinit(&values);
}

static void damaged_dwarf(void **state)
{
	struct fixture f;
	uint32_t random = 1;

	(void)state;
	open_fixture(&f, "-O2");
	made_program_run(&f.program, "cp vmlinux whole");
	for (int i = 0; i < DAMAGED_FILES; i++) {
		struct stat st;
		made_program_run(&f.program, "cp whole vmlinux");
		assert_int_equal(stat(f.program.path, &st), 0);
		FILE *file = fopen(f.program.path, "r+");
		/* The second half of the file: the debug sections are there. */
		for (int n = 0; n < 1 + i % 16; n++) {
			random = random * 1103515245 + 12345;
			fseek(file, st.st_size / 2 + random / 16 % (st.st_size / 2), SEEK_SET);
			fputc(random >> 24, file);
		}
		fclose(file);
		struct kernel *kernel = f.kernel;
		const struct kernel_source how = { .vmcore = kernel->source.vmcore,
						   .files.vmlinux = f.program.path };
		assert_no_error(kernel_open(&how, &f.kernel));
		if (f.kernel->debuginfo)
			ask_for_everything(&f);
		kernel_close(f.kernel);
		f.kernel = kernel;
	}
	close_fixture(&f);
}

static void assembly_that_has_saved_nothing(void **state)
{
	const struct unwind_arch *arch = &unwind_arch_x86_64;
	struct frame frames[] = {
		{ .pc = 0xffffffff90000001, .sp = 0x1000, .interrupted = true },
		{ .pc = 0xffffffff90000002, .sp = 0x1008 },
		{ .pc = 0xffffffff90000003, .sp = 0x1018 },
	};
	struct stack stack = { .frames = { frames, 3, 3 } };
	struct registers innermost = { .known = arch->kept | 1ull << arch->dwarf_registers[0] };
	struct frame_registers registers[3];
	struct fixture f;
	uint64_t value;

	(void)state;
	open_fixture(&f, "-O2");
	innermost.values[arch->dwarf_registers[3]] = 77; /* rbx */
	frame_registers_recover(&f.kernel->unwinder, f.kernel->debuginfo, &stack, &innermost,
				registers);
	assert_true(frame_register(arch, &registers[0], 0, &value));
	assert_false(frame_register(arch, &registers[1], 0, &value)); /* nobody keeps rax */
	assert_true(frame_register(arch, &registers[1], 3, &value));
	assert_int_equal(value, 77);
	/* The next one may have saved it. */
	assert_false(frame_register(arch, &registers[2], 3, &value));
	assert_false(frame_register(arch, &registers[2], 999, &value));
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("variables of optimized code: in memory, in registers, or with the caller",
		     optimized_code),
		TEST("variables of code that is not optimized", code_that_is_not_optimized),
		TEST("a struct with its members, and no deeper", structs_one_level_deep),
		TEST("DWARF 3 and 4", other_versions_of_dwarf),
		TEST("registers are lost where DWARF and the unwinder disagree",
		     a_frame_that_dwarf_and_the_unwinder_disagree_on),
		TEST("damaged DWARF does no harm", damaged_dwarf),
		TEST("registers pass through assembly that has saved nothing",
		     assembly_that_has_saved_nothing),
	};
	return RUN_TESTS(tests);
}
