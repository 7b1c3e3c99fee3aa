// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "dump/notes.h"
#include "make_dump.h"
#include "test.h"

static void notes_come_in_their_order(void **state)
{
	struct make_dump d;
	struct note note;
	size_t at = 0;

	(void)state;
	make_dump_init(&d);
	make_dump_note(&d, "CORE", 1, "registers", 9);
	make_dump_note(&d, "", 7, "", 0);
	make_dump_note(&d, "VMCOREINFO", 0, "OSRELEASE=6.1", 13);
	assert_true(note_next(d.notes, d.notes_size, &at, &note));
	assert_true(note_is(&note, "CORE", 1));
	assert_false(note_is(&note, "CORE", 2));
	assert_false(note_is(&note, "COR", 1));
	assert_int_equal(note.desc_size, 9);
	assert_memory_equal(note.desc, "registers", 9);
	assert_true(note_next(d.notes, d.notes_size, &at, &note));
	assert_int_equal(note.type, 7);
	assert_int_equal(note.desc_size, 0);
	assert_true(note_next(d.notes, d.notes_size, &at, &note));
	assert_true(note_is(&note, "VMCOREINFO", 0));
	assert_memory_equal(note.desc, "OSRELEASE=6.1", 13);
	assert_false(note_next(d.notes, d.notes_size, &at, &note));
	make_dump_deinit(&d);
}

static void a_name_need_not_end_with_0(void **state)
{
	const uint32_t words[] = { 4, 4, 1, 0x45524f43 /* CORE */, 42 };
	struct note note;
	size_t at = 0;

	(void)state;
	assert_true(note_next(words, sizeof(words), &at, &note));
	assert_true(note_is(&note, "CORE", 1));
	assert_false(note_is(&note, "CORES", 1));
}

static void an_empty_header_ends_them(void **state)
{
	const uint32_t words[] = { 0, 0, 0, 4, 0, 1, 0x45524f43 };
	struct note note;
	size_t at = 0;

	(void)state;
	assert_false(note_next(words, sizeof(words), &at, &note));
}

/* Whatever the sizes say, a note lies whole in the data. */
static void hostile_sizes_end_them(void **state)
{
	static const uint32_t sizes[] = { 0,	      1,	  4,	      5,
					  16,	      0x7fffffff, 0x80000000, 0xfffffff0,
					  0xfffffffc, 0xfffffffd, 0xffffffff };
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);

	(void)state;
	for (size_t n = 0; n < count * count; n++) {
		uint32_t words[8] = { sizes[n / count], sizes[n % count], 1 };
		const char *data = (const char *)words;
		for (size_t size = 0; size <= sizeof(words); size++) {
			struct note note;
			size_t at = 0;
			while (note_next(data, size, &at, &note)) {
				const char *desc = note.desc;
				assert_true(note.name >= data && note.name <= data + size);
				assert_true(note.name_size <= (size_t)(data + size - note.name));
				assert_true(desc >= data && desc <= data + size);
				assert_true(note.desc_size <= (size_t)(data + size - desc));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("notes come one behind the other, each with its name, type and bytes",
		     notes_come_in_their_order),
		TEST("a name without a 0 at its end is told by its length",
		     a_name_need_not_end_with_0),
		TEST("an empty header ends the notes", an_empty_header_ends_them),
		TEST("no size makes a note leave the data", hostile_sizes_end_them),
	};
	return RUN_TESTS(tests);
}
