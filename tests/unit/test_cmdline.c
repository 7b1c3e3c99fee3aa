// SPDX-License-Identifier: GPL-2.0-only
/* The capture kernel's command line out of the running kernel's. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "kdump/cmdline.h"

static char *made_of(const char *running)
{
	char *line;

	assert_null(cmdline_for_capture(running, &line));
	return line;
}

static void assert_taken(const char *running, const char *wanted)
{
	char *line = made_of(running), *added = made_of("");

	assert_int_equal(strlen(line), strlen(wanted) + strlen(added));
	assert_memory_equal(line, wanted, strlen(wanted));
	assert_string_equal(line + strlen(wanted), added);
	free(added);
	free(line);
}

static void test_consoles(void **state)
{
	(void)state;
	assert_taken("BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro console=tty0 console=ttyS0,115200n8\n",
		     "console=tty0 console=ttyS0,115200n8 ");
}

static void test_left_out(void **state)
{
	(void)state;
	assert_taken(
		"crashkernel=192M,high crashkernel=72M,low root=UUID=1 rootflags=subvol=@ init=/x "
		"rdinit=/y hugepages=100 isolcpus=1 slub_debug=P panic=0 nr_cpus=8 quietly "
		"consoleblank=0 xconsole=1",
		"");
}

static void test_dashes(void **state)
{
	(void)state;
	assert_taken("intel-iommu=on virtio-mmio.device=4K@0xd0000000:5 nvme-core.multipath=N",
		     "intel-iommu=on virtio-mmio.device=4K@0xd0000000:5 nvme-core.multipath=N ");
}

static void test_prefix_needs_more(void **state)
{
	(void)state;
	assert_taken("nvme.=1 nvme. nvme nvmet.x=1 pcix=1 libata.force=noncq",
		     "libata.force=noncq ");
}

static void test_quotes(void **state)
{
	(void)state;
	assert_taken("dyndbg=\"file a.c console=bad +p\" acpi_osi=\"Windows 2015\" quiet",
		     "acpi_osi=\"Windows 2015\" quiet ");
}

static void test_for_init(void **state)
{
	(void)state;
	assert_taken("console=ttyS0 -- console=ttyS1", "console=ttyS0 ");
}

static void test_own(void **state)
{
	(void)state;
	char *line = made_of("panic=0 console=ttyS0");
	assert_non_null(strstr(line, " panic=10"));
	assert_non_null(strstr(line, " nr_cpus=1 "));
	assert_non_null(strstr(line, " reset_devices "));
	assert_null(strstr(line, "panic=0"));
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("all consoles are taken over, in their order", test_consoles),
		TEST("root, crashkernel and what needs memory are left out", test_left_out),
		TEST("'-' and '_' are the same in a parameter's name", test_dashes),
		TEST("a module's prefix alone is no parameter of it", test_prefix_needs_more),
		TEST("a blank in quotes does not end a parameter", test_quotes),
		TEST("what follows -- is for init, not for the kernel", test_for_init),
		TEST("the capture kernel reboots if it panics, whatever the rig does", test_own),
	};

	return RUN_TESTS(tests);
}
