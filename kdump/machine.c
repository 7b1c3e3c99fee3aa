// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/machine.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "dump/notes.h"
#include "kdump/rooted.h"

#define NOTES_MAX 65536

/*
 * /proc/iomem: "00100000-3ffdffff : System RAM", with what is in such a range indented below it. To users the
 * addresses are 0.
 */
static void read_iomem(const char *root, struct machine *machine)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, "/proc/iomem");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		uint64_t start, end;
		char *name = strstr(line, " : ");
		if (!name || sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 ||
		    end <= start)
			continue;
		name += strlen(" : ");
		if (line[0] != ' ' && !strcmp(name, "System RAM\n"))
			machine->memory_kb += (end - start + 1) / 1024;
		else if (line[0] == ' ' && !strncmp(name, "Kernel ", strlen("Kernel ")))
			machine->kernel_kb += (end - start + 1) / 1024;
	}
}

static void read_build_id(const char *root, struct machine *machine)
{
	_cleanup_fclose_ FILE *file = rooted_open(root, "/sys/kernel/notes");
	_cleanup_free_ char *notes = malloc(NOTES_MAX);
	size_t size = file && notes ? fread(notes, 1, NOTES_MAX, file) : 0;
	struct note note;

	for (size_t at = 0; size && note_next(notes, size, &at, &note);) {
		if (!note_is(&note, "GNU", NT_GNU_BUILD_ID) ||
		    note.desc_size * 2 >= sizeof(machine->build_id))
			continue;
		for (size_t i = 0; i < note.desc_size; i++)
			sprintf(machine->build_id + 2 * i, "%02x",
				((const unsigned char *)note.desc)[i]);
		return;
	}
}

/*
 * Since 6.5 (commits 88a6f8994421, a72bbec70da2): 1 if the kernel does it for the crash kernel that is loaded now, or for one
 * that kexec_file_load would load.
 */
static enum updates read_updates(const char *root, const char *path)
{
	char text[8];

	if (!rooted_line(root, path, text, sizeof(text)))
		return UPDATES_UNKNOWN;
	return text[0] == '1' ? UPDATES_YES : UPDATES_NO;
}

void machine_read(const char *root, struct machine *ret)
{
	struct utsname names;

	*ret = (struct machine){ 0 };
	if (!rooted_line(root, "/proc/sys/kernel/osrelease", ret->release, sizeof(ret->release)) &&
	    !uname(&names))
		snprintf(ret->release, sizeof(ret->release), "%s", names.release);
	rooted_line(root, "/proc/sys/kernel/random/boot_id", ret->boot_id, sizeof(ret->boot_id));
	rooted_line(root, "/sys/devices/system/cpu/present", ret->cpus, sizeof(ret->cpus));
	read_iomem(root, ret);
	read_build_id(root, ret);
	ret->cpu_updates = read_updates(root, "/sys/devices/system/cpu/crash_hotplug");
	ret->memory_updates = read_updates(root, "/sys/devices/system/memory/crash_hotplug");
}
