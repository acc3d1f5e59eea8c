# SPDX-License-Identifier: MIT
#
# The device tree of a machine of ppc64, read as Linux reads it: which cell a core and a block of memory are in stands in
# their associativity, and how far two cells are from each other is how many of its levels they share.

import struct


def _numbers(value):
    return struct.unpack(f">{len(value) // 4}I", value)


def _associativity(node):
    """The domains from the widest to the cell; those of a core end with its own number."""
    count, *domains = _numbers(node["ibm,associativity"])
    return domains[:count - 1] if node.get("device_type") == b"cpu\0" else domains[:count]


def cpus(tree):
    """{vcpu: its cell}"""
    return {vcpu: _associativity(one)[-1] for _, one in tree
            if one.get("device_type") == b"cpu\0" for vcpu in _numbers(one["ibm,ppc-interrupt-server#s"])}


def _blocks(tree):
    return [one for path, one in tree if one.get("device_type") == b"memory\0" and path.split("/")[-1].startswith("memory@")]


def memory(tree):
    """{cell: bytes}, cells without any left out, and without what was plugged"""
    found = {}
    for one in _blocks(tree):
        words, cell = _numbers(one["reg"]), _associativity(one)[-1]
        found[cell] = found.get(cell, 0) + sum(words[i + 2] << 32 | words[i + 3] for i in range(0, len(words), 4))
    return found


def distances(tree):
    """{(cell, cell): distance} between cells with memory, as Linux has them before it asks for a finer form."""
    points = next(_numbers(one["ibm,associativity-reference-points"]) for _, one in tree
                  if "ibm,associativity-reference-points" in one)
    cells = {_associativity(one)[-1]: _associativity(one) for one in _blocks(tree)}
    found = {}
    for one, mine in cells.items():
        for other, theirs in cells.items():
            distance = 10
            for point in points:
                if mine[point - 1] == theirs[point - 1]:
                    break
                distance *= 2
            found[one, other] = distance
    return found
