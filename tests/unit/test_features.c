// SPDX-License-Identifier: GPL-2.0-only
/* What is asked of a kernel's BTF, and what the recorder needs of its variables. */
#include <bpf/btf.h>
#include <string.h>

#include "capture/features.h"
#include "make_dump.h"
#include "test.h"

/* struct outer { int first; struct { int inner; }; }; int function(void); int variable; */
static struct btf *make_btf(void)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int nameless = btf__add_struct(btf, NULL, 4);

	btf__add_field(btf, "inner", number, 0, 0);
	btf__add_struct(btf, "outer", 8);
	btf__add_field(btf, "first", number, 0, 0);
	btf__add_field(btf, NULL, nameless, 32, 0);
	btf__add_func(btf, "function", BTF_FUNC_GLOBAL, btf__add_func_proto(btf, number));
	btf__add_var(btf, "variable", BTF_VAR_GLOBAL_ALLOCATED, number);
	return btf;
}

static void test_btf(void **state)
{
	struct features features = { .btf = make_btf() };

	(void)state;
	assert_true(features_has_function(&features, "function"));
	assert_false(features_has_function(&features, "variable"));
	assert_true(features_has_variable(&features, "variable"));
	assert_false(features_has_variable(&features, "function"));
	assert_true(features_has_type(&features, "outer"));
	assert_false(features_has_type(&features, "other"));
	features_deinit(&features);
}

static void test_members(void **state)
{
	struct features features = { .btf = make_btf() };

	(void)state;
	assert_true(features_has_member(&features, "outer", "first"));
	assert_true(features_has_member(&features, "outer", "inner"));
	assert_false(features_has_member(&features, "outer", "third"));
	assert_false(features_has_member(&features, "other", "first"));
	features_deinit(&features);
}

static void test_kprobe_multi(void **state)
{
	struct features features = { .btf = btf__new_empty() };
	int number = btf__add_int(features.btf, "int", 4, BTF_INT_SIGNED);
	int proto = btf__add_func_proto(features.btf, number);

	(void)state;
	assert_false(features_has_kprobe_multi(&features));
	btf__add_func(features.btf, "bpf_kprobe_multi_link_attach", BTF_FUNC_STATIC, proto);
	assert_false(features_has_kprobe_multi(&features));
	btf__add_func(features.btf, "register_fprobe_ips", BTF_FUNC_STATIC, proto);
	assert_true(features_has_kprobe_multi(&features));
	features_deinit(&features);
}

static void test_run_queues(void **state)
{
	struct features features = {};

	(void)state;
	assert_error(features_check_variables(&features), ERROR_NOT_FOUND, "kptr_restrict");
	features.variables[RUNQUEUES].address = 0xffffffff81000000;
	assert_no_error(features_check_variables(&features));
	features.variables[RUNQUEUES].address = 0;
	features.variables_in_btf = true;
	assert_no_error(features_check_variables(&features));
	features.variables_in_btf = false;
	features.no_variables = error_create(ERROR_SYSTEM, "kallsyms: gone");
	assert_error(features_check_variables(&features), ERROR_SYSTEM, "kallsyms: gone");
	features_deinit(&features);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("functions, variables and types are told apart", test_btf),
		TEST("a member in a structure without a name is its structure's", test_members),
		TEST("kprobe.multi takes fprobes too: without them the kernel refuses it",
		     test_kprobe_multi),
		TEST("run queues by type or by address will do; neither is an error with the remedy",
		     test_run_queues),
	};
	return RUN_TESTS(tests);
}
