// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module's is in its struct module where CONFIG_STACKTRACE_BUILD_ID is set (since 5.14, 9294523e3768), and
 * always among the notes that /sys/module/NAME/notes shows: an array of struct bin_attribute in struct
 * module_notes_attrs, of which 6.14 made an attribute group (4723f16de64e).
 */
#include "symbols/build_id.h"

#include <string.h>

#include "base/hex.h"
#include "dump/notes.h"

#define NT_GNU_BUILD_ID 3
#define MAX_NOTES	64
#define MAX_NOTE_SIZE	4096

bool build_id_equal(const struct build_id *a, const struct build_id *b)
{
	return a->size && a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

void build_id_text(const struct build_id *id, char ret[2 * BUILD_ID_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret;

	for (size_t i = 0; i < id->size; i++) {
		*at++ = digits[id->bytes[i] >> 4];
		*at++ = digits[id->bytes[i] & 15];
	}
	*at = '\0';
}

static bool set(struct build_id *id, const void *bytes, size_t size)
{
	if (!size || size > BUILD_ID_MAX)
		return false;
	memcpy(id->bytes, bytes, size);
	id->size = size;
	return true;
}

bool build_id_of_notes(const void *notes, size_t size, struct build_id *ret)
{
	struct note note;

	for (size_t offset = 0; note_next(notes, size, &offset, &note);)
		if (note_is(&note, "GNU", NT_GNU_BUILD_ID))
			return set(ret, note.desc, note.desc_size);
	return false;
}

static bool parse(const char *text, size_t len, struct build_id *ret)
{
	uint8_t bytes[BUILD_ID_MAX];

	if (len % 2 || len / 2 > BUILD_ID_MAX)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = high << 4 | low;
	}
	return set(ret, bytes, len / 2);
}

/* Reads the notes in the kernel's memory from @address on. */
static bool read_notes(const struct symbols *symbols, uint64_t address, uint64_t size,
		       struct build_id *ret)
{
	uint8_t *notes;
	struct error *err =
		memory_read_alloc(symbols->memory, address, size, MAX_NOTE_SIZE, &notes);

	if (err) {
		error_destroy(err);
		return false;
	}
	bool found = build_id_of_notes(notes, size, ret);
	free(notes);
	return found;
}

/* It is there since 5.9 (0935288c6e00). */
void build_id_of_vmcoreinfo(const struct vmcoreinfo *info, struct build_id *ret)
{
	const char *text;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	if (vmcoreinfo_string(info, "BUILD-ID", &text, &len))
		parse(text, len, ret);
}

void build_id_of_kernel(const struct symbols *symbols, const struct vmcoreinfo *info,
			struct build_id *ret)
{
	uint64_t start = symbols->at[KSYM___start_notes], stop = symbols->at[KSYM___stop_notes];

	build_id_of_vmcoreinfo(info, ret);
	if (!ret->size && start && stop > start)
		read_notes(symbols, start, stop - start, ret);
}

static bool in_struct_module(const struct symbols *symbols, const struct module *module,
			     struct build_id *ret)
{
	static const uint8_t none[BUILD_ID_MAX];
	uint8_t bytes[BUILD_ID_MAX];
	struct member member;

	if (!types_member(symbols->types, "module", "build_id", &member) || member.size != 1 ||
	    member.count > BUILD_ID_MAX)
		return false;
	struct error *err =
		memory_read(symbols->memory, module->object + member.offset, bytes, member.count);
	bool read = !err;
	error_destroy(err);
	return read && memcmp(bytes, none, member.count) && set(ret, bytes, member.count);
}

struct notes_layout {
	struct member notes_attrs, count, attrs, bin_attrs, size, private;
	uint32_t stride;
};

static struct error *resolve(const struct types *types, struct notes_layout *l)
{
	const struct member_wanted wanted[] = {
		{ "module", "notes_attrs", &l->notes_attrs },
		{ "module_notes_attrs", "notes", &l->count, true },
		{ "module_notes_attrs", "attrs", &l->attrs, true },
		{ "module_notes_attrs", "grp.bin_attrs", &l->bin_attrs, true },
		{ "bin_attribute", "size", &l->size },
		{ "bin_attribute", "private", &l->private },
	};
	l->stride = types_sizeof(types, "bin_attribute");
	return types_resolve(types, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

/* Where the @i-th struct bin_attribute is; 0 behind the last one. */
static struct error *attribute_at(struct memory *memory, const struct notes_layout *l,
				  uint64_t attrs, uint64_t i, uint64_t *ret)
{
	uint64_t count, array;
	struct error *err;

	*ret = 0;
	if (l->bin_attrs.size) {
		err = member_read(memory, attrs, &l->bin_attrs, &array);
		return err ? err : memory_read_u64(memory, array + i * sizeof(*ret), ret);
	}
	err = member_read(memory, attrs, &l->count, &count);
	if (!err && i < count)
		*ret = attrs + l->attrs.offset + i * l->stride;
	return err;
}

static struct error *in_notes(const struct symbols *symbols, const struct module *module,
			      struct build_id *ret)
{
	struct memory *memory = symbols->memory;
	struct notes_layout l;
	uint64_t attrs, attribute, address, size;

	struct error *err = resolve(symbols->types, &l);
	if (!err && !l.bin_attrs.size && !l.count.size)
		err = error_create(ERROR_NOT_FOUND, "struct module_notes_attrs is unknown");
	if (!err)
		err = member_read(memory, module->object, &l.notes_attrs, &attrs);
	for (uint64_t i = 0; !err && attrs && i < MAX_NOTES; i++) {
		err = attribute_at(memory, &l, attrs, i, &attribute);
		if (err || !attribute)
			break;
		err = member_read(memory, attribute, &l.private, &address);
		if (!err)
			err = member_read(memory, attribute, &l.size, &size);
		if (!err && read_notes(symbols, address, size, ret))
			break;
	}
	return err;
}

void build_id_of_module(const struct symbols *symbols, const struct module *module,
			struct build_id *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!in_struct_module(symbols, module, ret))
		error_destroy(in_notes(symbols, module, ret));
}
