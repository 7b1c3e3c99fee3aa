/* SPDX-License-Identifier: GPL-2.0-only */
/* What is expected of a line of the kernel's log. */
#ifndef TESTS_DMESG_LINE_H
#define TESTS_DMESG_LINE_H

#include "state/dmesg.h"
#include "test.h"

static inline void assert_line(const struct dmesg *dmesg, size_t index, uint64_t t_ns,
			       unsigned int level, const char *text)
{
	assert_true(index < dmesg->lines.count);
	assert_string_equal(dmesg->lines.data[index].text, text);
	assert_int_equal(dmesg->lines.data[index].t_ns, t_ns);
	assert_int_equal(dmesg->lines.data[index].level, level);
}

#endif
