// SPDX-License-Identifier: GPL-2.0-only
/* map_idr: an xarray of BPF maps, from a single entry to trees that lead nowhere. */
#include "state/bpf_maps.h"
#include "make_kernel.h"
#include "test.h"

static const char types[] =
	"struct xarray 16 xa_head:ptr@8\n"
	"struct idr 24 idr_rt:xarray@0\n"
	"struct xa_node 576 shift:u8@0 slots:ptr[64]@40\n"
	"struct bpf_map 128 name:char[16]@64 max_entries:u32@36\n"
	"struct bpf_array 320 map:bpf_map@0 elem_size:u32@256 value:char[0]@288\n"
	"symbol map_idr 0xffffffff82800000 D\n";

/* Maps A and B, 0x1000 from each other, and nodes of the tree from 0xffff888000100000 on. */
static const char maps[] = "at 0xffff888000001040\n str other\n"
			   "at 0xffff888000001024\n u32 1\n at 0xffff888000001100\n u32 8\n"
			   "at 0xffff888000002040\n str lockdump_record\n"
			   "at 0xffff888000002024\n u32 3\n at 0xffff888000002100\n u32 65536\n"
			   "at 0xffff888000003040\n str lockdump_record\n"
			   "at 0xffff888000003024\n u32 5\n at 0xffff888000003100\n u32 65536\n";

static struct error *find_magic(const char *tree, const char *magic, uint64_t *values,
				uint32_t *size, uint32_t *count)
{
	struct make_kernel k;

	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, types);
	make_kernel_text(&k, maps);
	make_kernel_text(&k, tree);
	struct kernel *kernel = make_kernel_open(&k);
	struct error *err =
		bpf_array_map_find(kernel, "lockdump_record", magic, values, size, count);
	kernel_close(kernel);
	make_kernel_deinit(&k);
	return err;
}

static struct error *find(const char *tree, uint64_t *values, uint32_t *size, uint32_t *count)
{
	return find_magic(tree, "", values, size, count);
}

static void assert_found(const char *tree, uint64_t expected, uint32_t expected_count)
{
	uint64_t values;
	uint32_t size, count;

	assert_no_error(find(tree, &values, &size, &count));
	assert_true(values == expected + 288);
	assert_int_equal(size, 65536);
	assert_int_equal(count, expected_count);
}

static void assert_not_found(const char *tree, enum error_class class, const char *says)
{
	uint64_t values;
	uint32_t size, count;

	assert_error(find(tree, &values, &size, &count), class, says);
}

/* Of the trees below: the head of the idr, then nodes, whose slots begin at 0x28. Node pointers have bit 1 set. */

static void one_entry(void **state)
{
	(void)state;
	assert_found("at map_idr+8\n u64 0xffff888000002000\n", 0xffff888000002000, 3);
	assert_not_found("at map_idr+8\n u64 0xffff888000001000\n", ERROR_NOT_FOUND,
			 "no BPF map lockdump_record");
	assert_not_found("at map_idr+8\n u64 0\n", ERROR_NOT_FOUND, "no BPF map lockdump_record");
}

static void trees_of_nodes(void **state)
{
	(void)state;
	assert_found("at map_idr+8\n u64 0xffff888000100002\n"
		     "at 0xffff888000100000\n u8 0\n at 0xffff888000100000+0x28\n"
		     "u64 0 0xffff888000001000 0xffff888000002000\n fill 488 0\n",
		     0xffff888000002000, 3);
	/* Two levels; the youngest of two; and what is neither node nor pointer in between. */
	assert_found("at map_idr+8\n u64 0xffff888000100002\n"
		     "at 0xffff888000100000\n u8 6\n at 0xffff888000100000+0x28\n"
		     "u64 0xffff888000101002 0x406 0x402 0 0xffff888000102002\n fill 472 0\n"
		     "at 0xffff888000101000\n u8 0\n at 0xffff888000101000+0x28\n"
		     "u64 0xffff888000002000 0x7 0xffff888000001000\n fill 488 0\n"
		     "at 0xffff888000102000\n u8 0\n at 0xffff888000102000+0x28\n"
		     "u64 0 0xffff888000003000\n fill 496 0\n",
		     0xffff888000003000, 5);
}

/* One that is being set up, or only tried, and one whose watch has ended. */
static void without_magic(void **state)
{
#define TWO                                                           \
	"at map_idr+8\n u64 0xffff888000100002\n"                     \
	"at 0xffff888000100000\n u8 0\n at 0xffff888000100000+0x28\n" \
	"u64 0xffff888000002000 0xffff888000003000 0\n fill 488 0\n"  \
	"at 0xffff888000003120\n fill 16 0\n"
	uint64_t values;
	uint32_t size, count;

	(void)state;
	assert_no_error(find_magic(TWO "at 0xffff888000002120\n str MAGIC\n", "MAGIC", &values,
				   &size, &count));
	assert_int_equal(count, 3);
	assert_error(find_magic(TWO "at 0xffff888000002120\n str magic\n", "MAGIC", &values, &size,
				&count),
		     ERROR_NOT_FOUND, "no BPF map lockdump_record");
	assert_error(
		find_magic(TWO "exclude 0xffff888000002000\n", "MAGIC", &values, &size, &count),
		ERROR_EXCLUDED, "excluded");
}

static void circles(void **state)
{
	(void)state;
	/* A lowest node that is its own child: no level is below 0. */
	assert_not_found("at map_idr+8\n u64 0xffff888000100002\n"
			 "at 0xffff888000100000\n u8 0\n at 0xffff888000100000+0x28\n"
			 "u64 0xffff888000100002\n fill 504 0\n",
			 ERROR_CORRUPT, "shift 0");
	assert_not_found("at map_idr+8\n u64 0xffff888000100002\n"
			 "at 0xffff888000100000\n u8 6\n at 0xffff888000100000+0x28\n"
			 "u64 0xffff888000100002\n fill 504 0\n",
			 ERROR_CORRUPT, "shift 6");
	/* Two nodes of each other. */
	assert_not_found("at map_idr+8\n u64 0xffff888000100002\n"
			 "at 0xffff888000100000\n u8 12\n at 0xffff888000100000+0x28\n"
			 "u64 0xffff888000101002\n fill 504 0\n"
			 "at 0xffff888000101000\n u8 6\n at 0xffff888000101000+0x28\n"
			 "u64 0xffff888000100002\n fill 504 0\n",
			 ERROR_CORRUPT, "shift 12");
}

static void hostile_nodes(void **state)
{
	(void)state;
	assert_not_found("at map_idr+8\n u64 0xffff888000100002\n"
			 "at 0xffff888000100000\n u8 255\n at 0xffff888000100000+0x28\n"
			 "fill 512 0\n",
			 ERROR_CORRUPT, "shift 255");
	assert_not_found("at map_idr+8\n u64 0xdead000000000102\n", ERROR_UNMAPPED, "canonical");
	assert_not_found("at map_idr+8\n u64 0xffffc90000000000\n", ERROR_UNMAPPED, "BPF maps");
}

/* One map whose memory is not in the dump does not hide the others. */
static void unreadable_maps(void **state)
{
	(void)state;
	assert_found("at map_idr+8\n u64 0xffff888000100002\n"
		     "at 0xffff888000100000\n u8 0\n at 0xffff888000100000+0x28\n"
		     "u64 0xffffc90000000000 0xffff888000002000 0xffff888000005000\n"
		     "fill 488 0\n exclude 0xffff888000005000\n",
		     0xffff888000002000, 3);
	assert_not_found("at map_idr+8\n u64 0xffff888000100002\n"
			 "at 0xffff888000100000\n u8 0\n at 0xffff888000100000+0x28\n"
			 "u64 0xffff888000005000\n fill 504 0\n exclude 0xffff888000005000\n",
			 ERROR_EXCLUDED, "excluded");
}

/* Each level full of the same node: 64^10 ways, of which only so many are gone. */
static void wide_trees(void **state)
{
	struct make_kernel k;
	uint64_t values;
	uint32_t size, count;

	(void)state;
	make_kernel_init(&k);
	make_kernel_text(&k, made_kernel_minimum);
	make_kernel_text(&k, types);
	make_kernel_text(&k, "at map_idr+8\n u64 0xffff888000100002\n");
	for (int level = 0; level < 10; level++) {
		uint64_t node = 0xffff888000100000 + level * 0x1000;
		make_kernel_line(&k, "at 0x%llx", (unsigned long long)node);
		make_kernel_line(&k, "u8 %d", 60 - 6 * level);
		make_kernel_line(&k, "at 0x%llx", (unsigned long long)node + 40);
		for (int i = 0; i < 64; i++)
			make_kernel_line(&k, "u64 0x%llx",
					 level < 9 ? (unsigned long long)node + 0x1002 : 0);
	}
	struct kernel *kernel = make_kernel_open(&k);
	assert_error(bpf_array_map_find(kernel, "lockdump_record", "", &values, &size, &count),
		     ERROR_CORRUPT, "nodes");
	kernel_close(kernel);
	make_kernel_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("an idr of one entry has no node", one_entry),
		TEST("maps are found in nodes of every level; of several, the youngest",
		     trees_of_nodes),
		TEST("a map that has the name, and not the magic, is another", without_magic),
		TEST("a tree that contains itself is corrupt", circles),
		TEST("hostile nodes are errors", hostile_nodes),
		TEST("a map that cannot be read does not hide the others", unreadable_maps),
		TEST("a tree of more ways than there are maps is given up", wide_trees),
	};
	return RUN_TESTS(tests);
}
