# SPDX-License-Identifier: GPL-2.0-only
"""A flight record, read by the layout of bpf/record.h and without lockdump."""

import collections
import struct

from tap import equal

NS = 10**9

# The last stall of a CPU, as its slot has it; times in seconds of the kernel's CLOCK_MONOTONIC.
Stall = collections.namedtuple("Stall", "onset last end first_number last_number")


class Record:
    """A record.bin."""

    STALL_AT = 56  # offsetof(struct record_slot, onset_ns)
    SAMPLES_AT = 8728  # offsetof(struct record_slot, samples)
    HEARTBEAT_AT = 128  # offsetof(struct record_header, heartbeat_ns)
    NR_LEVELS = 7  # RECORD_NR_LEVELS
    NR_EACH = 4  # RECORD_NR_EACH

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        magic, abi, _, size, self.slot_size, self.sample_size, self.nr_slots, onset, ring = \
            struct.unpack_from("<8s8I", self.data)
        equal((magic, abi, size), (b"LOCKDUMP", 2, 1264), f"{path}: magic, ABI, header size")
        self.nr_onset, self.nr_ring = onset, ring
        self.nr_samples = onset + ring + self.NR_LEVELS * self.NR_EACH
        equal(len(self.data), (1 + self.nr_slots) * self.slot_size, f"{path}: size")
        assert 0 < self.SAMPLES_AT + self.nr_samples * self.sample_size <= self.slot_size, \
            f"{path}: {self.nr_samples} samples of {self.sample_size} do not fit {self.slot_size}"
        self.boot_id = self.data[288:328].rstrip(b"\0").decode()
        self.incident = self.data[400:440].rstrip(b"\0").decode()
        self.heartbeat = struct.unpack_from("<Q", self.data, self.HEARTBEAT_AT)[0] / NS

    def samples(self):
        """(CPU, place) -> the sample's number and bytes. A torn one has no bytes; 0: never written."""
        for cpu in range(self.nr_slots):
            for place in range(self.nr_samples):
                at = (1 + cpu) * self.slot_size + self.SAMPLES_AT + place * self.sample_size
                sample = self.data[at:at + self.sample_size]
                number, = struct.unpack_from("<Q", sample)
                end, = struct.unpack_from("<Q", sample, self.sample_size - 8)
                yield (cpu, place), number, sample if number == end else None

    def place(self, n):
        """The place of a stall's n-th sample, from 0; where several have the same, the last one is there."""
        if n < self.nr_onset:
            return n
        eighth, rest = divmod(n - self.nr_onset, 8)
        if rest < 7:
            return self.nr_onset + (7 * eighth + rest) % self.nr_ring
        nth, level = eighth + 1, 0
        while level < self.NR_LEVELS - 1 and nth % 2 == 0:
            nth, level = nth // 2, level + 1
        if level < self.NR_LEVELS - 1:
            nth //= 2
        return self.nr_onset + self.nr_ring + level * self.NR_EACH + nth % self.NR_EACH

    def stall(self, cpu):
        """The last stall of that CPU."""
        onset, last, end, _, first, number = struct.unpack_from(
            "<6Q", self.data, (1 + cpu) * self.slot_size + self.STALL_AT)
        return Stall(onset / NS, last / NS, end / NS, first, number)

    def stall_places(self, cpu):
        """Where the whole samples of that CPU's last stall are: {number: place}."""
        first = self.stall(cpu).first_number
        return {number: place for (of, place), number, sample in self.samples()
                if of == cpu and sample and number >= first}

    def stall_times(self, cpu):
        """When they were taken, in their order: {number: time}."""
        first = self.stall(cpu).first_number
        return dict(sorted((number, struct.unpack_from("<Q", sample, 8)[0] / NS)
                           for (of, _), number, sample in self.samples()
                           if of == cpu and sample and number >= first))


def assert_went_on(before, after):
    """Every sample of the record before is in the one after, bit for bit, unless a later one took its place.

    Returns how many are in both."""
    equal((before.boot_id, before.incident), (after.boot_id, after.incident))
    equal((before.nr_slots, before.nr_samples), (after.nr_slots, after.nr_samples))
    now = {place: (number, sample) for place, number, sample in after.samples()}
    same = 0
    for place, number, sample in before.samples():
        if not number or not sample:
            continue
        if now[place][0] == number:
            assert now[place][1] == sample, f"CPU, place {place}: sample {number} differs"
            same += 1
        else:
            assert now[place][0] > number, f"CPU, place {place}: {now[place][0]} after {number}"
    return same
