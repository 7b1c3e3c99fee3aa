// SPDX-License-Identifier: GPL-2.0-only
/* Code that the kernel made: BPF programs, trampolines, kprobes' pages. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "test.h"

static const char bpf_types[] =
	"struct list_head 16 next:ptr@0 prev:ptr@8\n"
	"struct bpf_ksym 160 start:u64@0 end:u64@8 name:char[128]@16 lnode:list_head@144\n"
	"symbol bpf_kallsyms 0xffffffff82900000 d\n";

/* Two programs, and one that has no name yet. */
static const char programs[] = "at bpf_kallsyms\n u64 0xffff888000001090\n"
			       "at 0xffff888000001000\n u64 0xffffffffc0002000 0xffffffffc0002100\n"
			       "str bpf_prog_6deef7357e7b4530_two\n"
			       "set 0xffff888000001000 bpf_ksym.lnode.next 0xffff888000002090\n"
			       "at 0xffff888000002000\n u64 0xffffffffc0001000 0xffffffffc0001100\n"
			       "str bpf_trampoline_6442557068\n"
			       "set 0xffff888000002000 bpf_ksym.lnode.next 0xffff888000003090\n"
			       "at 0xffff888000003000\n u64 0xffffffffc0003000 0xffffffffc0003100\n"
			       "set 0xffff888000003000 bpf_ksym.lnode.next bpf_kallsyms\n";

static const char other_types[] =
	"struct ftrace_ops 64 list:list_head@0 trampoline:u64@16 trampoline_size:u64@24\n"
	"struct kprobe_insn_cache 64 sym:ptr@8 pages:list_head@16\n"
	"struct kprobe_insn_page 64 list:list_head@0 insns:ptr@16\n"
	"symbol ftrace_ops_trampoline_list 0xffffffff82901000 d\n"
	"symbol kprobe_insn_slots 0xffffffff82902000 d\n"
	"symbol kprobe_optinsn_slots 0xffffffff82903000 d\n";

static const char others[] =
	"at ftrace_ops_trampoline_list\n u64 0xffff888000004000\n"
	"set 0xffff888000004000 ftrace_ops.list.next ftrace_ops_trampoline_list\n"
	"set 0xffff888000004000 ftrace_ops.trampoline 0xffffffffc0004000\n"
	"set 0xffff888000004000 ftrace_ops.trampoline_size 0x200\n"
	"set kprobe_insn_slots kprobe_insn_cache.pages.next 0xffff888000005000\n"
	"set 0xffff888000005000 kprobe_insn_page.list.next kprobe_insn_slots+16\n"
	"set 0xffff888000005000 kprobe_insn_page.insns 0xffffffffc0005000\n"
	"set kprobe_optinsn_slots kprobe_insn_cache.pages.next kprobe_optinsn_slots+16\n";

static struct kernel *open_kernel(const char *a, const char *b, const char *c, const char *d)
{
	const char *const texts[] = { made_kernel_minimum, a, b, c, d };
	struct make_kernel k;

	make_kernel_init(&k);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		make_kernel_text(&k, texts[i]);
	struct kernel *kernel = make_kernel_open(&k);
	make_kernel_deinit(&k);
	return kernel;
}

static void assert_symbol(struct kernel *kernel, uint64_t address, const char *name, uint64_t start,
			  uint64_t size)
{
	struct symbol symbol = symbols_lookup(&kernel->symbols, address);

	assert_string_equal(symbol.name ? symbol.name : "(none)", name);
	assert_null(symbol.module);
	assert_true(symbol.start == start && symbol.size == size);
}

static void bpf_names(void **state)
{
	struct kernel *kernel = open_kernel(bpf_types, programs, "", "");

	(void)state;
	assert_no_error(kernel->symbols.generated_error);
	assert_int_equal(kernel->symbols.generated.list.count, 2);
	assert_symbol(kernel, 0xffffffffc0001000, "bpf_trampoline_6442557068", 0xffffffffc0001000,
		      0x100);
	assert_symbol(kernel, 0xffffffffc00020ff, "bpf_prog_6deef7357e7b4530_two",
		      0xffffffffc0002000, 0x100);
	assert_null(symbols_lookup(&kernel->symbols, 0xffffffffc0002100).name);
	assert_null(symbols_lookup(&kernel->symbols, 0xffffffffc0000fff).name);
	assert_null(symbols_lookup(&kernel->symbols, 0xffffffffc0003000).name);
	kernel_close(kernel);
}

static void other_names(void **state)
{
	struct kernel *kernel = open_kernel(bpf_types, programs, other_types, others);

	(void)state;
	assert_no_error(kernel->symbols.generated_error);
	assert_int_equal(kernel->symbols.generated.list.count, 4);
	assert_symbol(kernel, 0xffffffffc0004010, "ftrace_trampoline", 0xffffffffc0004000, 0x200);
	assert_symbol(kernel, 0xffffffffc0005010, "kprobe_insn_page", 0xffffffffc0005000, 0x1000);
	kernel_close(kernel);
}

static void lists_that_break_off(void **state)
{
	static const struct {
		const char *change, *says;
		size_t count;
	} cases[] = {
		{ "set 0xffff888000001000 bpf_ksym.lnode.next 0xffff888000001090\n", "circle", 3 },
		{ "set 0xffff888000001000 bpf_ksym.lnode.next 0\n", "BPF programs", 3 },
		{ "exclude 0xffff888000002000\n", "excluded", 3 },
		{ "exclude 0xffff888000004000\n", "ftrace", 3 },
		/* Sizes that no code has. */
		{ "set 0xffff888000001000 bpf_ksym.end 0xffffffffffffffff\n", NULL, 3 },
		{ "set 0xffff888000001000 bpf_ksym.end 1\n", NULL, 3 },
		{ "set 0xffff888000004000 ftrace_ops.trampoline_size 0xffffffffffffffff\n", NULL,
		  3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[4096];
		snprintf(text, sizeof(text), "%s%s", others, cases[i].change);
		struct kernel *kernel = open_kernel(bpf_types, programs, other_types, text);
		if (cases[i].says) {
			assert_non_null(kernel->symbols.generated_error);
			assert_non_null(
				strstr(kernel->symbols.generated_error->message, cases[i].says));
		} else {
			assert_no_error(kernel->symbols.generated_error);
		}
		assert_true(kernel->symbols.generated.list.count >= cases[i].count);
		kernel_close(kernel);
	}
}

/* Lists without types: what cannot be read is said, and the rest goes on. */
static void kernels_without_them(void **state)
{
	struct kernel *kernel =
		open_kernel("symbol bpf_kallsyms 0xffffffff82900000 d\n", "", "", "");

	(void)state;
	assert_non_null(kernel->symbols.generated_error);
	assert_non_null(strstr(kernel->symbols.generated_error->message, "bpf_ksym"));
	kernel_close(kernel);
	kernel = open_kernel("", "", "", "");
	assert_no_error(kernel->symbols.generated_error);
	assert_null(generated_find(&kernel->symbols.generated, 0));
	kernel_close(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("BPF programs and trampolines have the names of /proc/kallsyms", bpf_names),
		TEST("so have ftrace's trampolines and kprobes' pages", other_names),
		TEST("a list that breaks off keeps what was found, and says why",
		     lists_that_break_off),
		TEST("a kernel may have none of them", kernels_without_them),
	};
	return RUN_TESTS(tests);
}
