# SPDX-License-Identifier: MIT
#
# A flattened device tree, as QEMU hands it to a guest without ACPI, read as a kernel would: which cell its CPUs and its
# memory are in, and how far cells are from one another.  Knows nothing of numac.

import struct

BEGIN_NODE, END_NODE, PROPERTY, NOP, END = 1, 2, 3, 4, 9


def _aligned(at):
    return (at + 3) & ~3


def _text(data, at):
    return data[at:data.index(b"\0", at)].decode()


def nodes(data):
    """[(path, {property: bytes})] in the order of the tree"""
    magic, _, structure, strings = struct.unpack_from(">4I", data)
    if magic != 0xd00dfeed:
        raise ValueError(f"no device tree: {magic:#x}")
    found, path, at = [], [], structure
    while True:
        kind, = struct.unpack_from(">I", data, at)
        at += 4
        if kind == BEGIN_NODE:
            path.append(_text(data, at))
            at = _aligned(at + len(path[-1]) + 1)
            found.append(("/".join(path) or "/", {}))
        elif kind == END_NODE:
            path.pop()
        elif kind == PROPERTY:
            length, name = struct.unpack_from(">2I", data, at)
            # a node's properties stand before its children, so they are of the last one begun
            found[-1][1][_text(data, strings + name)] = data[at + 8:at + 8 + length]
            at = _aligned(at + 8 + length)
        elif kind == END:
            return found
        elif kind != NOP:
            raise ValueError(f"token {kind} in a device tree")


def _numbers(value):
    return struct.unpack(f">{len(value) // 4}I", value)


def cpus(tree):
    """{number of the CPU: its cell}"""
    return {_numbers(one["reg"])[-1]: _numbers(one["numa-node-id"])[0] for _, one in tree
            if one.get("device_type") == b"cpu\0" and "numa-node-id" in one}


def memory(tree):
    """{cell: bytes}, cells without any left out"""
    found = {}
    for _, one in tree:
        if one.get("device_type") != b"memory\0" or "numa-node-id" not in one:
            continue
        words, cell = _numbers(one["reg"]), _numbers(one["numa-node-id"])[0]
        size = sum(words[i + 2] << 32 | words[i + 3] for i in range(0, len(words), 4))
        if size:
            found[cell] = found.get(cell, 0) + size
    return found


def distances(tree):
    """As a matrix; None without any."""
    for _, one in tree:
        if one.get("compatible") == b"numa-distance-map-v1\0":
            words = _numbers(one["distance-matrix"])
            rows = {words[i:i + 2]: words[i + 2] for i in range(0, len(words), 3)}
            count = max(row for row, _ in rows) + 1
            return [[rows[row, column] for column in range(count)] for row in range(count)]
    return None
