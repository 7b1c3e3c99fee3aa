// SPDX-License-Identifier: GPL-2.0-only
#include "capture/rig.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "capture/kconfig.h"
#include "capture/text_file.h"
#include "dump/notes.h"
#include "kdump/rig_id.h"

#define NOTES_MAX 65536
#define TEXT_MAX  4096

typedef struct json_object json;

static void json_putp(json **object)
{
	json_object_put(*object);
}

static void add_file(json *object, const char *key, const char *path)
{
	_cleanup_free_ char *text = text_file_read(path, TEXT_MAX);

	json_add(object, key, json_text(text));
}

static void add_config(json *object, const char *release)
{
	_cleanup_free_ char *text = kconfig_read("", release);

	json_add(object, "config", json_text(text));
}

char *rig_build_id(const void *notes, size_t size)
{
	struct note note;

	for (size_t at = 0; note_next(notes, size, &at, &note);) {
		if (!note_is(&note, "GNU", NT_GNU_BUILD_ID))
			continue;
		char *hex = calloc(note.desc_size + 1, 2);
		for (size_t i = 0; hex && i < note.desc_size; i++)
			sprintf(hex + 2 * i, "%02x", ((const unsigned char *)note.desc)[i]);
		return hex;
	}
	return NULL;
}

static void add_build_id(json *object)
{
	_cleanup_close_ int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *notes = malloc(NOTES_MAX);
	ssize_t size = fd >= 0 && notes ? read(fd, notes, NOTES_MAX) : -1;
	_cleanup_free_ char *id = size > 0 ? rig_build_id(notes, size) : NULL;

	json_add(object, "build_id", json_text(id));
}

/* A line: "NAME SIZE REFERENCES USERS STATE ADDRESS [(TAINT)]". */
static json *module_of(const char *line)
{
	char name[64], state[16], taint[32] = "";
	unsigned long long size, address;

	if (sscanf(line, "%63s %llu %*s %*s %15s %llx (%31[^)])", name, &size, state, &address,
		   taint) < 4)
		return NULL;
	json *module = json_object_new_object();
	json_add(module, "name", json_text(name));
	json_add(module, "address", json_address(address));
	json_add(module, "size", json_number(size));
	json_add(module, "state", json_text(state));
	json_add(module, "taint", json_text(*taint ? taint : NULL));
	return module;
}

static void add_modules(json *object)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/modules", "re");
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	json *modules = json_object_new_array();

	json_add(object, "modules", modules);
	while (file && getline(&line, &capacity, file) >= 0) {
		json *module = module_of(line);
		if (module)
			json_object_array_add(modules, module);
	}
}

struct error *rig_write(const struct incident *incident)
{
	_cleanup_(json_putp) json *rig = json_object_new_object();
	char id[RIG_ID_SIZE];
	struct utsname name;

	if (!rig)
		return &error_no_memory;
	if (uname(&name))
		return error_errno("uname");
	json_add(rig, "schema", json_text("lockdump.rig/1"));
	json_add(rig, "release", json_text(name.release));
	json_add(rig, "version", json_text(name.version));
	json_add(rig, "machine", json_text(name.machine));
	json_add(rig, "host", json_text(name.nodename));
	rig_id_read(id);
	json_add(rig, "rig", json_text(*id ? id : NULL));
	add_build_id(rig);
	add_file(rig, "boot_id", "/proc/sys/kernel/random/boot_id");
	add_file(rig, "cmdline", "/proc/cmdline");
	add_file(rig, "tainted", "/proc/sys/kernel/tainted");
	add_modules(rig);
	add_config(rig, name.release);

	size_t size;
	const char *text = json_object_to_json_string_length(
		rig, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	if (!text)
		return &error_no_memory;
	return incident_write(incident, "rig.json", text, size);
}
