// SPDX-License-Identifier: GPL-2.0-only
#include "kdump/armed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/regular_file.h"
#include "kdump/json_file.h"
#include "kdump/state_folder.h"

#define SCHEMA	   "lockdump.armed/1"
#define STATE_FILE "armed.json"
#define MARK	   "arming"

static struct error *digest_of(const char *file, char ret[static SHA256_HEX_SIZE])
{
	_cleanup_close_ int fd = -1;
	uint64_t size;
	struct error *err = regular_file_open(file, &fd, &size);

	return err ? err : sha256_of(fd, file, ret);
}

struct error *armed_add_input(struct armed *armed, const char *file, const char *sha256)
{
	struct armed_input *input = vector_push(&armed->inputs);

	if (!input)
		return &error_no_memory;
	*input = (struct armed_input){ .file = strdup(file) };
	snprintf(input->sha256, sizeof(input->sha256), "%s", sha256);
	return input->file ? NULL : &error_no_memory;
}

struct error *armed_add_file(struct armed *armed, const char *file)
{
	char sha256[SHA256_HEX_SIZE];
	struct error *err = digest_of(file, sha256);

	return err ? err : armed_add_input(armed, file, sha256);
}

bool armed_input_holds(const char *root, const struct armed_input *input)
{
	char path[PATH_MAX], sha256[SHA256_HEX_SIZE];

	snprintf(path, sizeof(path), "%s%s", root, input->file);
	if (access(path, F_OK))
		return false;
	struct error *err = digest_of(path, sha256);
	error_destroy(err);
	errno = 0;
	return !err && !strcmp(sha256, input->sha256);
}

const char *armed_initramfs(const struct armed *armed)
{
	return *armed->initramfs_file ? armed->initramfs_file : STATE_FOLDER "/" ARMED_INITRAMFS;
}

/* --- armed.json ---------------------------------------------------------------------- */

static struct json_object *number(unsigned long n)
{
	return n ? json_number(n) : NULL;
}

static struct json_object *updates(enum updates updates)
{
	return updates == UPDATES_UNKNOWN ? NULL : json_object_new_boolean(updates == UPDATES_YES);
}

static struct json_object *machine_to_json(const struct machine *machine)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "release", json_text_or_null(machine->release));
	json_add(object, "build_id", json_text_or_null(machine->build_id));
	json_add(object, "boot_id", json_text_or_null(machine->boot_id));
	json_add(object, "cpus", json_text_or_null(machine->cpus));
	json_add(object, "memory_kb", number(machine->memory_kb));
	json_add(object, "cpus_updated", updates(machine->cpu_updates));
	json_add(object, "memory_updated", updates(machine->memory_updates));
	return object;
}

static struct json_object *kernel_to_json(const struct armed *armed)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "file", json_text_or_null(armed->kernel_file));
	json_add(object, "release", json_text_or_null(armed->kernel_release));
	json_add(object, "parameters", json_text_or_null(armed->parameters));
	json_add(object, "loaded_by", json_text_or_null(armed->loaded_by));
	json_add(object, "reserved_kb", number(armed->reserved_kb));
	return object;
}

static struct json_object *inputs_to_json(const struct armed *armed)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < armed->inputs.count; i++) {
		struct json_object *object = json_object_new_object();
		json_add(object, "file", json_text_or_null(armed->inputs.data[i].file));
		json_add(object, "sha256", json_text_or_null(armed->inputs.data[i].sha256));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *initramfs_to_json(const struct armed *armed)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "file", json_text(armed_initramfs(armed)));
	json_add(object, "size", json_number(armed->initramfs_size));
	json_add(object, "sha256", json_text_or_null(armed->initramfs_sha256));
	json_add(object, "address", armed->loaded_at ? json_address(armed->loaded_at) : NULL);
	json_add(object, "content", json_text_or_null(armed->content));
	json_add(object, "makedumpfile", json_text_or_null(armed->makedumpfile));
	json_add(object, "recipients", json_text_or_null(armed->recipients));
	json_add(object, "inputs", inputs_to_json(armed));
	return object;
}

static struct json_object *store_to_json(const struct armed *armed)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "path", json_text_or_null(armed->store));
	json_add(object, "uuid", json_text_or_null(armed->store_uuid));
	json_add(object, "device", json_text_or_null(armed->store_device));
	return object;
}

static struct json_object *to_json(const struct armed *armed)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "schema", json_text(SCHEMA));
	json_add(object, "time", json_double(armed->time_s));
	json_add(object, "with", json_text_or_null(armed->with));
	json_add(object, "machine", machine_to_json(&armed->machine));
	json_add(object, "crash_kernel", kernel_to_json(armed));
	json_add(object, "initramfs", initramfs_to_json(armed));
	json_add(object, "store", store_to_json(armed));
	return object;
}

static enum updates get_updates(struct json_object *object, const char *name)
{
	struct json_object *value = json_member(object, name);

	if (!value)
		return UPDATES_UNKNOWN;
	return json_get_bool(object, name) ? UPDATES_YES : UPDATES_NO;
}

static void machine_from_json(struct json_object *object, struct machine *machine)
{
	json_copy_text(object, "release", machine->release, sizeof(machine->release));
	json_copy_text(object, "build_id", machine->build_id, sizeof(machine->build_id));
	json_copy_text(object, "boot_id", machine->boot_id, sizeof(machine->boot_id));
	json_copy_text(object, "cpus", machine->cpus, sizeof(machine->cpus));
	machine->memory_kb = json_get_number(object, "memory_kb");
	machine->cpu_updates = get_updates(object, "cpus_updated");
	machine->memory_updates = get_updates(object, "memory_updated");
}

static void kernel_from_json(struct json_object *object, struct armed *armed)
{
	json_copy_text(object, "file", armed->kernel_file, sizeof(armed->kernel_file));
	json_copy_text(object, "release", armed->kernel_release, sizeof(armed->kernel_release));
	json_copy_text(object, "parameters", armed->parameters, sizeof(armed->parameters));
	json_copy_text(object, "loaded_by", armed->loaded_by, sizeof(armed->loaded_by));
	armed->reserved_kb = json_get_number(object, "reserved_kb");
}

static struct error *initramfs_from_json(struct json_object *object, struct armed *armed)
{
	struct json_object *inputs = json_member(object, "inputs");
	char address[32], file[PATH_MAX], sha256[SHA256_HEX_SIZE];
	struct error *err = NULL;

	json_copy_text(object, "file", armed->initramfs_file, sizeof(armed->initramfs_file));
	if (!strcmp(armed->initramfs_file, STATE_FOLDER "/" ARMED_INITRAMFS))
		armed->initramfs_file[0] = '\0';
	armed->initramfs_size = json_get_number(object, "size");
	json_copy_text(object, "sha256", armed->initramfs_sha256, sizeof(armed->initramfs_sha256));
	json_copy_text(object, "content", armed->content, sizeof(armed->content));
	json_copy_text(object, "makedumpfile", armed->makedumpfile, sizeof(armed->makedumpfile));
	json_copy_text(object, "recipients", armed->recipients, sizeof(armed->recipients));
	json_copy_text(object, "address", address, sizeof(address));
	armed->loaded_at = strtoull(address, NULL, 16);
	if (!json_object_is_type(inputs, json_type_array))
		return NULL;
	for (size_t i = 0; !err && i < json_object_array_length(inputs); i++) {
		struct json_object *input = json_object_array_get_idx(inputs, i);
		json_copy_text(input, "file", file, sizeof(file));
		json_copy_text(input, "sha256", sha256, sizeof(sha256));
		err = armed_add_input(armed, file, sha256);
	}
	return err;
}

static void store_from_json(struct json_object *object, struct armed *armed)
{
	json_copy_text(object, "path", armed->store, sizeof(armed->store));
	json_copy_text(object, "uuid", armed->store_uuid, sizeof(armed->store_uuid));
	json_copy_text(object, "device", armed->store_device, sizeof(armed->store_device));
}

struct error *armed_read(const struct incident *folder, struct armed *ret)
{
	*ret = (struct armed){ 0 };
	if (incident_has(folder, MARK))
		return error_create(ERROR_OTHER, "'lockdump arm' was interrupted, or is at work");
	return armed_read_marked(folder, ret);
}

struct error *armed_read_marked(const struct incident *folder, struct armed *ret)
{
	char schema[32];

	*ret = (struct armed){ 0 };
	_cleanup_(json_putp) struct json_object *json = json_file_read(folder->dirfd, STATE_FILE);
	if (!json && errno == ENOENT)
		return error_create(ERROR_NOT_FOUND, STATE_FOLDER "/" STATE_FILE ": not there");
	if (!json)
		return error_errno(STATE_FOLDER "/" STATE_FILE);
	json_copy_text(json, "schema", schema, sizeof(schema));
	if (strcmp(schema, SCHEMA))
		return error_create(ERROR_CORRUPT, STATE_FOLDER "/" STATE_FILE ": not " SCHEMA);
	ret->time_s = json_get_double(json, "time");
	json_copy_text(json, "with", ret->with, sizeof(ret->with));
	machine_from_json(json_member(json, "machine"), &ret->machine);
	kernel_from_json(json_member(json, "crash_kernel"), ret);
	store_from_json(json_member(json, "store"), ret);
	struct error *err = initramfs_from_json(json_member(json, "initramfs"), ret);
	if (err)
		armed_deinit(ret);
	return err;
}

bool armed_is_same(const struct armed *a, const struct armed *b)
{
	if (strcmp(a->with, b->with) || strcmp(a->machine.boot_id, b->machine.boot_id) ||
	    strcmp(a->machine.cpus, b->machine.cpus) ||
	    a->machine.memory_kb != b->machine.memory_kb || a->reserved_kb != b->reserved_kb ||
	    strcmp(a->kernel_file, b->kernel_file) || strcmp(a->parameters, b->parameters) ||
	    strcmp(a->content, b->content) || a->inputs.count != b->inputs.count)
		return false;
	for (size_t i = 0; i < a->inputs.count; i++)
		if (strcmp(a->inputs.data[i].file, b->inputs.data[i].file) ||
		    strcmp(a->inputs.data[i].sha256, b->inputs.data[i].sha256))
			return false;
	return true;
}

/* --- the folder ---------------------------------------------------------------------- */

struct error *armed_mark(const struct incident *folder)
{
	return error_prefix(incident_write(folder, MARK, "", 0), STATE_FOLDER);
}

void armed_unmark(const struct incident *folder)
{
	state_folder_remove(folder, MARK);
}

struct error *armed_write(const struct incident *folder, const struct armed *armed)
{
	return state_folder_write(folder, STATE_FILE, to_json(armed));
}

void armed_remove(const struct incident *folder)
{
	state_folder_remove(folder, STATE_FILE);
	armed_unmark(folder);
}

void armed_forget(const char *root)
{
	struct incident folder;
	struct error *err = state_folder_open(root, &folder);

	if (!err) {
		armed_remove(&folder);
		state_folder_remove(&folder, ARMED_INITRAMFS);
		state_folder_remove(&folder, ARMED_CONFIG);
		state_folder_remove(&folder, ARMED_SYMBOLS);
		incident_close(&folder);
	}
	error_destroy(err);
}

void armed_deinit(struct armed *armed)
{
	for (size_t i = 0; i < armed->inputs.count; i++)
		free(armed->inputs.data[i].file);
	vector_deinit(&armed->inputs);
	*armed = (struct armed){ 0 };
}
