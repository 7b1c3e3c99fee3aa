// SPDX-License-Identifier: GPL-2.0-only
/* ELF notes, and the registers in them. */
#include <elf.h>

#include "dump/notes.h"
#include "fuzz.h"
#include "unwind/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registers registers;
	struct note note;

	for (size_t at = 0; note_next(data, size, &at, &note);) {
		fuzz_touch(note.name, note.name_size);
		fuzz_touch(note.desc, note.desc_size);
		if (note_is(&note, "CORE", NT_PRSTATUS))
			unwind_arch_x86_64.from_prstatus(&note, &registers);
	}
	return 0;
}
