# SPDX-License-Identifier: MIT
#
# What a guest's firmware tables say of NUMA: SRAT (who belongs to which cell) and SLIT (distances), from the bytes that
# QEMU hands to its firmware.

import struct

HOLE = (0xa0000, 0x100000)  # of a PC's first megabyte: RAM of cell 0 that the SRAT leaves out


def tables(data):
    """{signature: bytes} of tables that follow one another, padding between them."""
    found, at = {}, 0
    while at + 36 <= len(data):
        signature, length = struct.unpack_from("<4sI", data, at)
        if signature == b"FACS":
            at += length
        elif signature.isalnum() and 36 <= length <= len(data) - at:
            found[signature.decode()] = data[at:at + length]
            at += length
        else:
            at += 1
    return found


def srat(table):
    """({apic id: cell}, {cell: bytes of memory})"""
    cpus, memory, at = {}, {}, 48
    while at < len(table):
        kind, length = table[at], table[at + 1]
        if kind == 0:
            low, apic, flags = struct.unpack_from("<BBI", table, at + 2)
            cell = low | int.from_bytes(table[at + 9:at + 12], "little") << 8
            if flags & 1:
                cpus[apic] = cell
        elif kind == 2:
            cell, apic, flags = struct.unpack_from("<III", table, at + 4)
            if flags & 1:
                cpus[apic] = cell
        elif kind == 1:
            cell, = struct.unpack_from("<I", table, at + 2)
            base, size = struct.unpack_from("<QQ", table, at + 8)
            flags, = struct.unpack_from("<I", table, at + 28)
            if flags & 1 and not flags & 2:  # enabled, and not room for hotplug
                memory[cell] = memory.get(cell, 0) + size
                if base == HOLE[1]:
                    memory[cell] += HOLE[1] - HOLE[0]
        if length == 0:
            raise ValueError("an SRAT entry of length 0")
        at += length
    return cpus, memory


def slit(table):
    count, = struct.unpack_from("<Q", table, 36)
    return [list(table[44 + row * count:44 + (row + 1) * count]) for row in range(count)]


def apic_ids(topology):
    """The APIC id of each vcpu: levels below the socket take whole bits."""
    def bits(count):
        return (count - 1).bit_length()
    threads, cores, dies = topology["threads"], topology["cores"] * topology["modules"] * topology["clusters"], \
        topology["dies"]
    found = []
    for number in range(topology["count"]):
        thread, rest = number % threads, number // threads
        core, rest = rest % cores, rest // cores
        die, socket = rest % dies, rest // dies
        found.append(((socket << bits(dies) | die) << bits(cores) | core) << bits(threads) | thread)
    return found
