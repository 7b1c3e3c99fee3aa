// SPDX-License-Identifier: GPL-2.0-only
/* Resident memory, counted as kernels did before 6.2 and do since. */
#include <stdio.h>
#include <string.h>

#include "make_kernel.h"
#include "state/rss.h"
#include "test.h"

#define MM   0xffff888000001000ull
#define TASK 0xffff888000002000ull

/* What is in swap, the third, does not count. */
static const char atomic[] = "struct mm_rss_stat 32 count:u64[4]@0\n"
			     "struct mm_struct 64 rss_stat:mm_rss_stat@8\n"
			     "struct task_rss_stat 20 events:u32@0 count:u32[4]@4\n"
			     "struct task_struct 256 rss_stat:task_rss_stat@100\n"
			     "at 0xffff888000001008\n u64 100 20 3000 0xfffffffffffffff0\n"
			     "at 0xffff888000002064\n u32 9 5 0xffffffff 7 1\n";

/* The parts of CPU 0 and CPU 1, and of CPU 2, which is offline. */
static const char per_cpu[] =
	"struct percpu_counter 40 lock:u32@0 count:u64@8 counters:ptr@32\n"
	"struct mm_struct 256 rss_stat:percpu_counter[4]@16\n"
	"at 0xffff888000001018\n u64 100\n at 0xffff888000001030\n u64 0x100\n"
	"at 0xffff888000001040\n u64 20\n at 0xffff888000001058\n u64 0x104\n"
	"at 0xffff888000001068\n u64 3000\n at 0xffff888000001080\n u64 0x108\n"
	"at 0xffff888000001090\n u64 0\n at 0xffff8880000010a8\n u64 0x10c\n"
	"at 0xffff888010000100\n u32 5 0xffffffff 1 0xfffffff0\n"
	"at 0xffff888020000100\n u32 7 2 1 4\n"
	"at 0xffff888030000100\n u32 1000 1000 1000 1000\n";

struct opened {
	struct make_kernel k;
	struct kernel *kernel;
	struct cpus cpus;
	struct rss_layout layout;
};

static void open_rss(struct opened *o, const char *text)
{
	memset(o, 0, sizeof(*o));
	make_kernel_init(&o->k);
	make_kernel_text(&o->k, made_kernel_minimum);
	make_kernel_text(&o->k, text);
	o->kernel = make_kernel_open(&o->k);
	for (uint32_t i = 0; i < 3; i++)
		*vector_push(&o->cpus.list) = (struct cpu){
			.number = i,
			.online = i < 2,
			.per_cpu = 0xffff888010000000 + i * 0x10000000ull,
		};
	assert_no_error(rss_resolve(o->kernel->symbols.types, &o->layout));
}

static void close_rss(struct opened *o)
{
	vector_deinit(&o->cpus.list);
	kernel_close(o->kernel);
	make_kernel_deinit(&o->k);
}

static void atomic_counters(void **state)
{
	struct opened o;

	(void)state;
	open_rss(&o, atomic);
	assert_int_equal(rss_read(o.kernel, &o.layout, &o.cpus, MM), 120);
	assert_int_equal(rss_cached(o.kernel, &o.layout, TASK), 5 - 1 + 1);
	assert_int_equal(rss_read(o.kernel, &o.layout, &o.cpus, 0x10), 0);
	assert_int_equal(rss_cached(o.kernel, &o.layout, 0x10), 0);
	close_rss(&o);
}

static void per_cpu_counters(void **state)
{
	struct opened o;

	(void)state;
	open_rss(&o, per_cpu);
	/* Files 100 + 5 + 7, anonymous 20 - 1 + 2, shared -16 + 4, which is none. */
	assert_int_equal(rss_read(o.kernel, &o.layout, &o.cpus, MM), 112 + 21);
	assert_int_equal(rss_cached(o.kernel, &o.layout, TASK), 0);
	close_rss(&o);
}

static void a_lost_part_costs_only_itself(void **state)
{
	char text[2048];
	struct opened o;

	(void)state;
	snprintf(text, sizeof(text), "%sexclude 0xffff888020000100\n", per_cpu);
	open_rss(&o, text);
	assert_int_equal(rss_read(o.kernel, &o.layout, &o.cpus, MM), 105 + 19);
	close_rss(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("atomic counters, and what tasks have not added yet", atomic_counters),
		TEST("per-CPU counters, of the online CPUs", per_cpu_counters),
		TEST("a part that cannot be read costs only itself", a_lost_part_costs_only_itself),
	};
	return RUN_TESTS(tests);
}
