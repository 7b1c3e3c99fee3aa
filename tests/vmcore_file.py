# SPDX-License-Identifier: GPL-2.0-only
"""A vmcore as an image of pages, and every file format that such an image can be written in.

The kernel's and makedumpfile's layouts are written down again here, so that a mistake in the
analyzer's readers shows.
"""

import ctypes
import ctypes.util
import os
import struct
import zlib

PAGE = 4096
ZLIB, LZO, SNAPPY, INCOMPLETE, ZSTD = 1, 2, 4, 8, 32

HEADER = struct.Struct("<8si390s6xQQIiiIIIIIIi")  # struct disk_dump_header
SUB_HEADER = struct.Struct("<QiiQQQQQQQQQQQ")  # struct kdump_sub_header
DESC = struct.Struct("<QIIQ")  # struct page_desc
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")


class Image:
    """pages: what the dump has, by page number; present: what the machine has."""

    def __init__(self):
        self.utsname = b""
        self.time = (0, 0)
        self.nr_cpus = 0
        self.phys_base = 0
        self.notes = b""
        self.vmcoreinfo = (0, 0)  # offset in the notes, size
        self.nr_pages = 0
        self.present = []
        self.pages = {}


# --- compression -------------------------------------------------------------------------

class _Library:
    """C libraries by their functions: Debian has them, but not their Python modules everywhere."""

    def __init__(self):
        self.loaded = {}

    def __call__(self, name):
        if name not in self.loaded:
            path = ctypes.util.find_library(name)
            if not path:
                raise OSError(f"lib{name} is not installed")
            self.loaded[name] = ctypes.CDLL(path)
        return self.loaded[name]


_library = _Library()


def _lzo_compress(page):
    work, out = ctypes.create_string_buffer(1 << 17), ctypes.create_string_buffer(2 * PAGE)
    size = ctypes.c_ulong(len(out))
    assert _library("lzo2").lzo1x_1_compress(page, ctypes.c_ulong(PAGE), out, ctypes.byref(size),
                                             work) == 0
    return out.raw[:size.value]


def _lzo_decompress(data):
    out, size = ctypes.create_string_buffer(PAGE), ctypes.c_ulong(PAGE)
    assert _library("lzo2").lzo1x_decompress_safe(data, ctypes.c_ulong(len(data)), out,
                                                  ctypes.byref(size), None) == 0
    return out.raw


def _snappy_compress(page):
    out, size = ctypes.create_string_buffer(2 * PAGE), ctypes.c_size_t(2 * PAGE)
    assert _library("snappy").snappy_compress(page, ctypes.c_size_t(PAGE), out,
                                              ctypes.byref(size)) == 0
    return out.raw[:size.value]


def _zstd_compress(page):
    out, zstd = ctypes.create_string_buffer(2 * PAGE), _library("zstd")
    zstd.ZSTD_compress.restype = ctypes.c_size_t
    size = zstd.ZSTD_compress(out, ctypes.c_size_t(len(out)), page, ctypes.c_size_t(PAGE), 1)
    return out.raw[:size]


COMPRESS = {0: lambda page: page, ZLIB: lambda page: zlib.compress(page, 1), LZO: _lzo_compress,
            SNAPPY: _snappy_compress, ZSTD: _zstd_compress}


def _decompress(flags, data):
    return {0: lambda data: data, ZLIB: zlib.decompress, LZO: _lzo_decompress}[flags & 39](data)


# --- reading what makedumpfile wrote -----------------------------------------------------

def _bits(bitmap):
    return [i * 8 + bit for i, byte in enumerate(bitmap) if byte for bit in range(8)
            if byte >> bit & 1]


def read_kdump(path):
    """The image in a whole kdump-compressed file that is not compressed by snappy or zstd."""
    data, image = open(path, "rb").read(), Image()
    (_, _, image.utsname, *time, _, _, sub_blocks, bitmap_blocks, _, _, _, _, _,
     image.nr_cpus) = HEADER.unpack_from(data)
    image.time = tuple(time)
    (image.phys_base, _, _, _, _, info_at, info_size, notes_at, notes_size, _, _, _, _,
     image.nr_pages) = SUB_HEADER.unpack_from(data, PAGE)
    image.notes = data[notes_at:notes_at + notes_size]
    image.vmcoreinfo = (info_at - notes_at, info_size)
    at, size = (1 + sub_blocks) * PAGE, bitmap_blocks * PAGE // 2
    image.present = _bits(data[at:at + size])
    for i, pfn in enumerate(_bits(data[at + size:at + 2 * size])):
        offset, size_in_file, flags, _ = DESC.unpack_from(data, at + 2 * size + i * DESC.size)
        image.pages[pfn] = _decompress(flags, data[offset:offset + size_in_file])
    return image


# --- writing -----------------------------------------------------------------------------

def _bitmap(pfns, size):
    bitmap = bytearray(size)
    for pfn in pfns:
        bitmap[pfn // 8] |= 1 << pfn % 8
    return bytes(bitmap)


def write_kdump(image, path, compression, version=6, qemu=False, part=None, damaged=(), missing=()):
    """part: the pages [start, end) of a split dump. qemu: what it leaves out. damaged: pages
    whose bytes in the file are others. missing: pages whose descriptors were never written."""
    dumped = sorted(image.pages)
    bitmap_size = -(-image.nr_pages // 8 // PAGE) * PAGE
    sub_blocks = -(-(SUB_HEADER.size + len(image.notes)) // PAGE)
    notes_at, (info_at, info_size) = PAGE + SUB_HEADER.size, image.vmcoreinfo
    start, end = part or (0, 0)
    utsname = b"".join(word.ljust(65, b"\0") for word in (b"", b"", b"", b"", b"Unknown", b""))
    header = HEADER.pack(b"KDUMP   ", version, utsname if qemu else image.utsname,
                         *((0, 0) if qemu else image.time),
                         compression | (INCOMPLETE if missing else 0), PAGE, sub_blocks,
                         2 * bitmap_size // PAGE, min(image.nr_pages, 0xffffffff), 0, 0, 0, 0,
                         image.nr_cpus)
    sub_header = SUB_HEADER.pack(image.phys_base, 1 if qemu else 31, bool(part), start, end,
                                 notes_at + info_at if info_size else 0, info_size, notes_at,
                                 len(image.notes), 0, 0, start, end, image.nr_pages)
    descs_at = (1 + sub_blocks) * PAGE + 2 * bitmap_size
    mine = [pfn for pfn in dumped if not part or start <= pfn < end]
    at, descs, zero, unwritten = descs_at + len(mine) * DESC.size, [], None, bytes(DESC.size)
    with open(path, "wb") as file:
        file.seek(at)
        for pfn in mine:
            page, spoilt = image.pages[pfn], pfn in damaged or pfn in missing
            if page == bytes(PAGE) and zero and not spoilt:
                descs.append(zero)
                continue
            data, flags = COMPRESS[compression](page), compression
            if len(data) >= PAGE:
                data, flags = page, 0
            # What is not compressed has nothing that tells, but its size.
            size = len(data) - (pfn in damaged and not flags)
            descs.append(unwritten if pfn in missing else DESC.pack(at, size, flags, 0))
            if page == bytes(PAGE) and not spoilt:
                zero = descs[-1]
            # 0xff begins no page of any compression, and ends early if it is taken for one.
            file.write(b"\xff" * len(data) if pfn in damaged else data)
            at += len(data)
        file.seek(0)
        file.write(header.ljust(PAGE, b"\0"))
        file.write((sub_header + image.notes).ljust(sub_blocks * PAGE, b"\0"))
        file.write(_bitmap(dumped if qemu else image.present, bitmap_size))
        file.write(_bitmap(dumped, bitmap_size))
        file.write(b"".join(descs))


def _runs(pfns, key):
    """(first, count, key) of pages that follow each other and have the same key."""
    runs = []
    for pfn in pfns:
        if runs and runs[-1][0] + runs[-1][1] == pfn and runs[-1][2] == key(pfn):
            runs[-1][1] += 1
        else:
            runs.append([pfn, 1, key(pfn)])
    return runs


def write_elf(image, path, more=(), zeros=()):
    """Further segments of (physical address, size in memory): more, with nothing in the file; zeros,
    with zeros in it, which the file has as a hole at its end."""
    runs = _runs(image.present, lambda pfn: pfn in image.pages)
    count = 1 + len(runs) + len(more) + len(zeros)
    assert count < 0xffff
    notes_at = EHDR.size + count * PHDR.size
    at = -(-(notes_at + len(image.notes)) // PAGE) * PAGE
    with open(path, "wb") as file:
        file.write(EHDR.pack(b"\x7fELF\2\1\1".ljust(16, b"\0"), 4, 62, 1, 0, EHDR.size, 0, 0,
                             EHDR.size, PHDR.size, count, 0, 0, 0))
        file.write(PHDR.pack(4, 0, notes_at, 0, 0, len(image.notes), len(image.notes), 0))
        for pfn, pages, stored in runs:
            size = pages * PAGE if stored else 0
            file.write(PHDR.pack(1, 7, at, 0, pfn * PAGE, size, pages * PAGE, 0))
            at += size
        for address, size in more:
            file.write(PHDR.pack(1, 7, at, 0, address, 0, size, 0))
        for address, size in zeros:
            file.write(PHDR.pack(1, 7, at, 0, address, size, size, 0))
            at += size
        file.write(image.notes)
        file.write(bytes(-file.tell() % PAGE))
        for pfn, pages, stored in runs:
            for page in range(pfn, pfn + pages if stored else pfn):
                file.write(image.pages[page])
        file.truncate(at)


def write_split(image, folder, compression, count):
    """The parts' paths. They begin at no round numbers."""
    paths, step = [], image.nr_pages // count + 1
    for i in range(count):
        paths.append(os.path.join(folder, f"part.{i}"))
        write_kdump(image, paths[-1], compression,
                    part=(i * step, min((i + 1) * step, image.nr_pages)))
    return paths


def flatten(path, to, block=1 << 20):
    """As makedumpfile -F; the second block comes last, over one that was written before."""
    data, header = open(path, "rb").read(), struct.Struct(">QQ")
    starts = list(range(0, len(data), block))
    with open(to, "wb") as file:
        file.write((b"makedumpfile".ljust(16, b"\0") + header.pack(1, 1)).ljust(4096, b"\0"))
        for at in starts[:1] + starts[2:] + starts[1:2]:
            part = data[at:at + block]
            file.write(header.pack(at, len(part)) + part)
            if at == 0:
                file.write(header.pack(block, PAGE) + bytes(PAGE))
        file.write(header.pack(0xffffffffffffffff, 0xffffffffffffffff))
