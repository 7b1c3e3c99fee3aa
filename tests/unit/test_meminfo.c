// SPDX-License-Identifier: GPL-2.0-only
/* The memory of a machine with two nodes, and of one without CONFIG_NUMA. */
#include "make_kernel.h"
#include "state/meminfo.h"
#include "test.h"

static const char made[] =
	"enum zone_stat_item NR_FREE_PAGES=0\n"
	"enum node_stat_item NR_INACTIVE_FILE=0 NR_ACTIVE_FILE=1 NR_SLAB_RECLAIMABLE_B=2 "
	"NR_SLAB_UNRECLAIMABLE_B=3 NR_KERNEL_MISC_RECLAIMABLE=4 NR_ANON_MAPPED=5 NR_FILE_PAGES=6\n"
	"struct zone 64 _watermark:u64[4]@0 watermark_boost:u64@32\n"
	"struct pglist_data 256 node_zones:zone[2]@64\n"
	"symbol vm_zone_stat 0xffffffff82900000 D\n at vm_zone_stat\n u64 1000\n"
	"symbol vm_node_stat 0xffffffff82900100 D\n at vm_node_stat\n u64 200 100 30 50 5 400 350\n"
	"symbol _totalram_pages 0xffffffff82900200 D\n at _totalram_pages\n u64 5000\n"
	"symbol totalreserve_pages 0xffffffff82900208 D\n at totalreserve_pages\n u64 60\n"
	"symbol nr_swap_pages 0xffffffff82900210 D\n at nr_swap_pages\n u64 0xfffffffffffffff0\n"
	/* A node's zones have 10 + 1 and 20 pages as low watermark. */
	"symbol node_0 0xffffffff82a00000 D\n at node_0+64\n u64 1 10 2 3 1\n at node_0+128\n u64 1 20 2 3 0\n";

static const char numa[] =
	"symbol nr_node_ids 0xffffffff82900300 D\n at nr_node_ids\n u32 3\n"
	"symbol node_1 0xffff888000002000 D\n at node_1+64\n u64 1 70 2 3 0\n at node_1+128\n u64 0 0 0 0 0\n"
	"symbol node_data 0xffffffff82900400 D\n at node_data\n u64 node_0 0 node_1 0x10\n";

static void read_meminfo(const char *change, struct meminfo *ret)
{
	struct make_kernel k;

	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, made);
	make_kernel_text(&k, change);
	struct kernel *kernel = make_kernel_open(&k);
	meminfo_init(ret, kernel);
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

static void as_the_kernel_counts(void **state)
{
	struct meminfo m;

	(void)state;
	read_meminfo(numa, &m);
	assert_int_equal(m.total, 5000);
	assert_int_equal(m.free, 1000);
	assert_int_equal(m.slab, 80);
	assert_int_equal(m.slab_reclaimable, 30);
	assert_int_equal(m.anon, 400);
	assert_int_equal(m.file, 350);
	assert_int_equal(m.swap_free, 0); /* below 0 for a moment */
	assert_int_equal(m.swap_total, MEMINFO_UNKNOWN);
	assert_int_equal(m.shared, MEMINFO_UNKNOWN); /* this kernel does not count it */
	/* The low watermarks are 101: more than half of what could be reclaimed, less than half of the file cache. */
	assert_int_equal(m.available, 1000 - 60 + (300 - 101) + (35 - 17));
}

static void without_numa(void **state)
{
	struct meminfo m;

	(void)state;
	read_meminfo("symbol contig_page_data 0xffffffff82a00000 D\n", &m);
	assert_int_equal(m.available, 1000 - 60 + (300 - 31) + (35 - 17));
}

static void never_below_zero(void **state)
{
	struct meminfo m;

	(void)state;
	read_meminfo("symbol contig_page_data 0xffffffff82a00000 D\n"
		     "at totalreserve_pages\n u64 100000\n",
		     &m);
	assert_int_equal(m.available, 0);
}

static void what_cannot_be_read_is_unknown(void **state)
{
	struct meminfo m;

	(void)state;
	read_meminfo("symbol contig_page_data 0xffffffff82a00000 D\n exclude contig_page_data\n",
		     &m);
	assert_int_equal(m.available, MEMINFO_UNKNOWN);
	assert_int_equal(m.free, 1000);
	/* Neither node_data nor contig_page_data. */
	read_meminfo("", &m);
	assert_int_equal(m.available, MEMINFO_UNKNOWN);
	/* More nodes than there can be, and the fourth one is nonsense. */
	read_meminfo("symbol nr_node_ids 0xffffffff82900300 D\n at nr_node_ids\n u32 0xffffffff\n"
		     "symbol node_data 0xffffffff82900400 D\n at node_data\n u64 node_0 0 0 0x10\n",
		     &m);
	assert_int_equal(m.available, MEMINFO_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("memory is counted as /proc/meminfo does", as_the_kernel_counts),
		TEST("without NUMA there is one node", without_numa),
		TEST("what is available is never below 0", never_below_zero),
		TEST("what cannot be read is unknown", what_cannot_be_read_is_unknown),
	};
	return RUN_TESTS(tests);
}
