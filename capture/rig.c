// SPDX-License-Identifier: GPL-2.0-only
#include "capture/rig.h"

#include <elf.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOTES_MAX 65536
#define TEXT_MAX  4096

typedef struct json_object json;

static void json_putp(json **object)
{
	json_object_put(*object);
}

/* The text of a small file without its last newline; NULL where it cannot be read. */
static char *read_text(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(TEXT_MAX);
	size_t len = 0;

	if (fd < 0 || !text)
		return NULL;
	for (ssize_t n; (n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0;)
		len += n;
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return steal_ptr(text);
}

static void add_text(json *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_file(json *object, const char *key, const char *path)
{
	_cleanup_free_ char *text = read_text(path);

	add_text(object, key, text);
}

char *rig_build_id(const void *notes, size_t size)
{
	const unsigned char *at = notes;

	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		memcpy(&note, at, sizeof(note));
		size_t name = (note.n_namesz + 3UL) & ~3UL, desc = (note.n_descsz + 3UL) & ~3UL;
		if (name > size - sizeof(note) || desc > size - sizeof(note) - name)
			return NULL;
		at += sizeof(note);
		size -= sizeof(note) + name + desc;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(at, "GNU", 4)) {
			char *hex = calloc(note.n_descsz + 1UL, 2);
			for (size_t i = 0; hex && i < note.n_descsz; i++)
				sprintf(hex + 2 * i, "%02x", at[name + i]);
			return hex;
		}
		at += name + desc;
	}
	return NULL;
}

static void add_build_id(json *object)
{
	_cleanup_close_ int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *notes = malloc(NOTES_MAX);
	ssize_t size = fd >= 0 && notes ? read(fd, notes, NOTES_MAX) : -1;
	_cleanup_free_ char *id = size > 0 ? rig_build_id(notes, size) : NULL;

	add_text(object, "build_id", id);
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
	char hex[32];
	snprintf(hex, sizeof(hex), "0x%llx", address);
	add_text(module, "name", name);
	add_text(module, "address", hex);
	json_object_object_add(module, "size", json_object_new_int64(size));
	add_text(module, "state", state);
	add_text(module, "taint", *taint ? taint : NULL);
	return module;
}

static void add_modules(json *object)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/modules", "re");
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;
	json *modules = json_object_new_array();

	json_object_object_add(object, "modules", modules);
	while (file && getline(&line, &capacity, file) >= 0) {
		json *module = module_of(line);
		if (module)
			json_object_array_add(modules, module);
	}
}

struct error *rig_write(const struct incident *incident)
{
	_cleanup_(json_putp) json *rig = json_object_new_object();
	struct utsname name;

	if (!rig)
		return &error_no_memory;
	if (uname(&name))
		return error_errno("uname");
	add_text(rig, "schema", "lockdump.rig/1");
	add_text(rig, "release", name.release);
	add_text(rig, "version", name.version);
	add_text(rig, "machine", name.machine);
	add_text(rig, "host", name.nodename);
	add_build_id(rig);
	add_file(rig, "boot_id", "/proc/sys/kernel/random/boot_id");
	add_file(rig, "cmdline", "/proc/cmdline");
	add_file(rig, "tainted", "/proc/sys/kernel/tainted");
	add_modules(rig);

	size_t size;
	const char *text = json_object_to_json_string_length(
		rig, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	if (!text)
		return &error_no_memory;
	return incident_write(incident, "rig.json", text, size);
}
