// SPDX-License-Identifier: GPL-2.0-only
/* The capture kernel's command line out of the running kernel's. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "kdump/cmdline.h"

#define THIS_BOOT "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

static char *made_of(const char *running)
{
	char *line;

	assert_null(cmdline_for_capture(running, THIS_BOOT, &line));
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

static void test_boot_id(void **state)
{
	(void)state;
	char *line = made_of("console=ttyS0 lockdump.boot_id=11111111-1111");
	char found[BOOT_ID_SIZE];

	assert_true(cmdline_boot_id(line, found));
	assert_string_equal(found, THIS_BOOT);
	free(line);
	assert_false(cmdline_boot_id("console=ttyS0 quiet\n", found));
	assert_false(cmdline_boot_id("quiet lockdump.boot_id=../../etc/passwd\n", found));
	assert_false(cmdline_boot_id("quiet lockdump.boot_id=0f1\n", found));
	assert_false(cmdline_boot_id("quiet lockdump.boot_id=" THIS_BOOT THIS_BOOT, found));
	assert_true(cmdline_boot_id("elfcorehdr=0x1 lockdump.boot_id=" THIS_BOOT "\n", found));
	assert_string_equal(found, THIS_BOOT);
}

static void test_long(void **state)
{
	char running[2048], *line = NULL;

	(void)state;
	memset(running, 'x', sizeof(running));
	memcpy(running, "acpi_osi=", strlen("acpi_osi="));
	running[1500] = '\0';
	line = made_of(running);
	assert_true(strlen(line) < 1920);
	free(line);
	running[1500] = 'x';
	running[2047] = '\0';
	struct error *err = cmdline_for_capture(running, THIS_BOOT, &line);
	assert_non_null(err);
	assert_non_null(strstr(err->message, "characters, and 1920 are the most"));
	error_destroy(err);
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
		TEST("it has the crashed kernel's boot ID at its end, and nothing else is taken for one",
		     test_boot_id),
		TEST("one that the kernel would cut off is refused", test_long),
	};

	return RUN_TESTS(tests);
}
