// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "dump/vmcoreinfo.h"
#include "test.h"

static const char text[] = "OSRELEASE=6.1.0-test\n"
			   "EMPTY=\n"
			   "SYMBOL(_stext)=ffffffff81000000\n"
			   "NUMBER(phys_base)=-62914560\n"
			   "NUMBER(VMALLOC_START)=0xffffc90000000000\n"
			   "OFFSET(list_head.next)=0\n"
			   "KERNELOFFSET=1c000000\n"
			   "NUMBER(long)=11111111111111111111111111111111111111111\n"
			   "NUMBER(text)=12x\n"
			   "BUILD-ID=0123abcd\n"
			   "LAST=without newline";

static const struct vmcoreinfo info = { text, sizeof(text) - 1 };

static void strings(void **state)
{
	const char *value;
	size_t size;

	(void)state;
	assert_true(vmcoreinfo_string(&info, "OSRELEASE", &value, &size));
	assert_int_equal(size, strlen("6.1.0-test"));
	assert_memory_equal(value, "6.1.0-test", size);
	assert_true(vmcoreinfo_string(&info, "LAST", &value, &size));
	assert_int_equal(size, strlen("without newline"));
	assert_true(vmcoreinfo_string(&info, "EMPTY", &value, &size));
	assert_int_equal(size, 0);
	assert_false(vmcoreinfo_string(&info, "OSREL", &value, &size));
	assert_false(vmcoreinfo_string(&info, "RELEASE", &value, &size));
	assert_false(vmcoreinfo_string(&info, "LAST=without newline, and more", &value, &size));
}

static void numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(vmcoreinfo_symbol(&info, "_stext", &n));
	assert_true(n == 0xffffffff81000000);
	assert_true(vmcoreinfo_number(&info, "NUMBER(phys_base)", &n));
	assert_true(n == (uint64_t)-62914560);
	assert_true(vmcoreinfo_number(&info, "NUMBER(VMALLOC_START)", &n));
	assert_true(n == 0xffffc90000000000);
	assert_true(vmcoreinfo_number(&info, "OFFSET(list_head.next)", &n));
	assert_int_equal(n, 0);
	assert_true(vmcoreinfo_hex(&info, "KERNELOFFSET", &n));
	assert_int_equal(n, 0x1c000000);
}

static void what_is_no_number(void **state)
{
	uint64_t n;

	(void)state;
	assert_false(vmcoreinfo_number(&info, "OSRELEASE", &n));
	assert_false(vmcoreinfo_number(&info, "EMPTY", &n));
	assert_false(vmcoreinfo_number(&info, "NUMBER(long)", &n));
	assert_false(vmcoreinfo_number(&info, "NUMBER(text)", &n));
	assert_false(vmcoreinfo_symbol(&info, "absent", &n));
}

static void none_at_all(void **state)
{
	const struct vmcoreinfo none = {};
	uint64_t n;

	(void)state;
	assert_false(vmcoreinfo_symbol(&none, "_stext", &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a value goes from its '=' to the line's end, and only whole keys count",
		     strings),
		TEST("symbols are hexadecimal, numbers as C has them, also below 0", numbers),
		TEST("what is no number, or too long for one, is refused", what_is_no_number),
		TEST("a dump without a vmcoreinfo has no values", none_at_all),
	};
	return RUN_TESTS(tests);
}
