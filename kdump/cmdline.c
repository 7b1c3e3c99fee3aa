// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/cmdline.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Taken over by name, not all but a few: what a test rig has on its command line
 * (slub_debug, trace buffers, huge pages, isolcpus, init=) has no end, and much of
 * it does not fit into the capture kernel's memory.
 */
static const char *const taken[] = {
	/* The console. */
	"console",
	"earlycon",
	"earlyprintk",
	"loglevel",
	"quiet",
	"ignore_loglevel",
	"nomodeset",
	/* Finding the hardware, and the ways around what is broken in it. */
	"acpi",
	"acpi_rsdp",
	"acpi_osi",
	"acpi_irq_isa",
	"pci",
	"pcie_aspm",
	"pcie_ports",
	"iommu",
	"intel_iommu",
	"amd_iommu",
	"iommu.passthrough",
	"iommu.strict",
	"noapic",
	"nolapic",
	"nox2apic",
	"noioapic",
	"lapic",
	"apic",
	"clocksource",
	"tsc",
	"hpet",
	"nohpet",
	"no_timer_check",
	"idle",
	"noefi",
	"efi",
	"no5lvl",
	"mem_encrypt",
	"virtio_mmio.device",
	"nvme.",
	"nvme_core.",
	"libata.",
	"ahci.",
	"scsi_mod.",
	"mpt3sas.",
	"megaraid_sas.",
	"xen_blkfront.",
};

/*
 * irqpoll, reset_devices: devices were not shut down and may still raise interrupts.
 * nr_cpus=1, numa=off, cgroup_disable, transparent_hugepage, novmcoredd, kfence: memory.
 * panic: a capture kernel that fails reboots. nokaslr: saves time, there is nothing to hide.
 */
static const char added[] =
	"irqpoll nr_cpus=1 reset_devices panic=10 numa=off cgroup_disable=memory "
	"transparent_hugepage=never acpi_no_memhotplug hest_disable mce=off novmcoredd nokaslr "
	"kfence.sample_interval=0";

/* With a dot in its name: to the kernel it is a parameter of a module that is not there, and no environment of pid 1's. */
#define BOOT_ID "lockdump.boot_id="

/*
 * x86's COMMAND_LINE_SIZE is 2048 (arch/x86/include/asm/setup.h), and the kernel and kexec put
 * "elfcorehdr=0x... " before it, with kexec_load acpi_rsdp= and the like behind.
 */
#define LENGTH_MAX (2048 - 128)

/* "-" and "_" are the same in a parameter's name, as in the kernel's parameqn(). */
static bool same_name(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && !(a[i] == '-' && b[i] == '_'))
			return false;
	return true;
}

static bool is_taken(const char *parameter, size_t len)
{
	size_t name = 0;

	while (name < len && parameter[name] != '=')
		name++;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		size_t want = strlen(taken[i]);
		bool prefix = taken[i][want - 1] == '.';
		if ((prefix ? name > want : name == want) && same_name(parameter, taken[i], want))
			return true;
	}
	return false;
}

/* One parameter's length: up to a blank outside double quotes, as the kernel's next_arg() has it. */
static size_t parameter_length(const char *s)
{
	bool quoted = false;
	size_t len = 0;

	for (; s[len] && (quoted || !strchr(" \t\n", s[len])); len++)
		if (s[len] == '"')
			quoted = !quoted;
	return len;
}

static bool is_boot_id(const char *s, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isxdigit((unsigned char)s[i]) && s[i] != '-')
			return false;
	return length >= 8 && length < BOOT_ID_SIZE;
}

struct error *cmdline_for_capture(const char *running, const char *boot_id, char **ret)
{
	char *line =
		calloc(1, strlen(running) + sizeof(added) + sizeof(BOOT_ID) + strlen(boot_id) + 2);
	const char *s = running;

	if (!line)
		return &error_no_memory;
	for (size_t len; *(s += strspn(s, " \t\n")); s += len) {
		len = parameter_length(s);
		/* What follows "--" is for init. */
		if (len == 2 && !strncmp(s, "--", 2))
			break;
		if (!is_taken(s, len))
			continue;
		strncat(line, s, len);
		strcat(line, " ");
	}
	strcat(line, added);
	sprintf(line + strlen(line), " " BOOT_ID "%s", boot_id);
	if (strlen(line) > LENGTH_MAX) {
		struct error *err = error_create(
			ERROR_OTHER,
			"the capture kernel's parameters: %zu characters, and %d are the most; "
			"boot with fewer of the console's and the hardware's",
			strlen(line), LENGTH_MAX);
		free(line);
		return err;
	}
	*ret = line;
	return NULL;
}

bool cmdline_boot_id(const char *line, char ret[static BOOT_ID_SIZE])
{
	const char *found = strstr(line, " " BOOT_ID);

	if (!found)
		return false;
	found += strlen(" " BOOT_ID);
	size_t length = strcspn(found, " \t\n");
	if (!is_boot_id(found, length))
		return false;
	snprintf(ret, BOOT_ID_SIZE, "%.*s", (int)length, found);
	return true;
}
