# SPDX-License-Identifier: MIT
#
# What a guest's firmware tables say of NUMA: SRAT (who belongs to which cell), SLIT (distances) and HMAT (latencies,
# bandwidths, side caches), from the bytes that QEMU hands to its firmware.

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
        elif kind == 3:  # of Arm, whose CPUs have numbers of their own
            cell, number, flags = struct.unpack_from("<III", table, at + 2)
            if flags & 1:
                cpus[number] = cell
        elif kind == 1:
            cell, = struct.unpack_from("<I", table, at + 2)
            base, size = struct.unpack_from("<QQ", table, at + 8)
            flags, = struct.unpack_from("<I", table, at + 28)
            if flags & 1 and not flags & 6:  # enabled, and neither room for hotplug nor a file's
                memory[cell] = memory.get(cell, 0) + size
                if base == HOLE[1]:
                    memory[cell] += HOLE[1] - HOLE[0]
        if length == 0:
            raise ValueError("an SRAT entry of length 0")
        at += length
    return cpus, memory


def cedt_windows(table):
    """[(bytes, the bridges behind it)] of the fixed windows of CXL."""
    found, at = [], 36
    while at < len(table):
        kind, _, length = struct.unpack_from("<BBH", table, at)
        if kind == 1:
            size, ways = struct.unpack_from("<QB", table, at + 16)
            found.append((size, struct.unpack_from(f"<{1 << ways}I", table, at + 36)))
        if length == 0:
            raise ValueError("a CEDT entry of length 0")
        at += length
    return sorted(found)


def slit(table):
    count, = struct.unpack_from("<Q", table, 36)
    return [list(table[44 + row * count:44 + (row + 1) * count]) for row in range(count)]


def _hmat_values(body):
    """{(target, initiator, level, type): nanoseconds or bytes a second} of one structure, unknown values left out."""
    level, kind = body[8] & 15, body[9]
    initiators, targets = struct.unpack_from("<II", body, 12)
    base, = struct.unpack_from("<Q", body, 24)
    numbers = struct.unpack_from(f"<{initiators + targets}I", body, 32)
    entries = struct.unpack_from(f"<{initiators * targets}H", body, 32 + 4 * (initiators + targets))
    if len(body) != 32 + 4 * (initiators + targets) + 2 * initiators * targets:
        raise ValueError("an HMAT structure with something behind its values")
    values = {}
    for number, entry in enumerate(entries):
        if entry == 0xffff:
            raise ValueError("an HMAT value that means unreachable")
        if entry:
            found = entry * base
            if kind < 3 and found % 1000:
                raise ValueError(f"a latency of {found} ps")
            value = found // 1000 if kind < 3 else found << 20
            values[(numbers[initiators + number % targets], numbers[number // targets], level, kind)] = value
    return values


def hmat(table):
    """({memory cell: its initiator or None}, {(target, initiator, level, type): value},
    [(cell, levels in all, level, bytes, line, associativity, policy)])"""
    initiators, values, caches, at = {}, {}, [], 40
    while at < len(table):
        kind, length = struct.unpack_from("<H2xI", table, at)
        body = table[at:at + length]
        if kind == 0:
            flags, initiator, cell = struct.unpack_from("<H2xII", body, 8)
            initiators[cell] = initiator if flags & 1 else None
        elif kind == 1:
            values |= _hmat_values(body)
        elif kind == 2:
            cell, size, attributes = struct.unpack_from("<I4xQI", body, 8)
            caches.append((cell, attributes & 15, attributes >> 4 & 15, size, attributes >> 16,
                           attributes >> 8 & 15, attributes >> 12 & 15))
        else:
            raise ValueError(f"an HMAT structure of type {kind}")
        if length < 8:
            raise ValueError(f"an HMAT structure of length {length}")
        at += length
    return initiators, values, sorted(caches)


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
