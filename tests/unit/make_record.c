// SPDX-License-Identifier: GPL-2.0-only
#include "make_record.h"

#include <string.h>

void make_record_header(struct record_header *header, uint32_t nr_slots)
{
	memcpy(header->magic, RECORD_MAGIC, sizeof(header->magic));
	header->abi = RECORD_ABI;
	header->machine = RECORD_EM_X86_64;
	header->header_size = sizeof(*header);
	header->slot_size = RECORD_SLOT_SIZE;
	header->sample_size = sizeof(struct record_sample);
	header->nr_slots = nr_slots;
	header->nr_onset = RECORD_NR_ONSET;
	header->nr_ring = RECORD_NR_RING;
}
