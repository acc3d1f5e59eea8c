# SPDX-License-Identifier: MIT
#
# What a domain XML says of memory and CPUs, in one form however it is written: what libvirt assumes where the XML is
# silent is filled in, what it may say in two places is put into one.  The rest of the XML is kept as it is, so that
# two domains with one meaning differ in nothing else.  An attribute that is not understood stays in the rest.

import re
import xml.etree.ElementTree as ElementTree

UNITS = {"b": 1, "bytes": 1, "kib": 1 << 10, "k": 1 << 10, "mib": 1 << 20, "m": 1 << 20, "gib": 1 << 30, "g": 1 << 30,
         "tib": 1 << 40, "t": 1 << 40, "kb": 1000, "mb": 10**6, "gb": 10**9}


def numbers(text):
    """A set as libvirt reads it: 0-3,^2,8"""
    found = set()
    for term in filter(None, re.sub(r"\s", "", text).split(",")):
        first, _, last = term.lstrip("^").partition("-")
        ids = set(range(int(first), int(last or first) + 1))
        found = found - ids if term.startswith("^") else found | ids
    return tuple(sorted(found))


def kib(text, unit):
    return -(-int(text) * UNITS[(unit or "KiB").lower()] // 1024)


class Reader:
    """Takes elements and attributes out of the tree as it understands them; what is left is the rest."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.root.attrib.pop("id", None)

    def take(self, path):
        """The first element at a path, taken out of its parent; None without."""
        *parents, name = path.split("/")
        parent = self.root.find("/".join(parents)) if parents else self.root
        found = parent.find(name) if parent is not None else None
        if found is not None:
            parent.remove(found)
        return found

    def take_all(self, path):
        taken = []
        while (one := self.take(path)) is not None:
            taken.append(one)
        return taken

    def size(self, path):
        one = self.take(path)
        return kib(one.text, one.get("unit")) if one is not None else None


def _flag(element):
    return element is not None


def _text(element, name, default=None):
    return element.get(name, default) if element is not None else default


def _policy(element):
    if element is None:
        return None
    nodes = numbers(element.get("nodeset")) if element.get("nodeset") else None
    return (element.get("mode", "strict"), nodes, None if nodes else element.get("placement"))


def _distances(cells):
    rows = []
    said = {(number, int(one.get("id"))): int(one.get("value"))
            for number, cell in enumerate(cells) for one in cell.findall("distances/sibling")}
    for source in range(len(cells)):
        rows.append([said.get((source, target), said.get((target, source), 10 if source == target else 20))
                     for target in range(len(cells))])
    return rows


def _pages(reader, count):
    """Bytes in KiB for each cell, 0 for a page of the host's default size, None without huge pages."""
    hugepages = reader.take("memoryBacking/hugepages")
    if hugepages is None:
        return [None] * count
    default, own = 0, {}
    for page in hugepages.findall("page"):
        value = kib(page.get("size"), page.get("unit"))
        if page.get("nodeset") and not (count == 1 and page.get("nodeset") == "0"):
            own |= {cell: value for cell in numbers(page.get("nodeset"))}
        else:
            default = value
    only_own = own and not default
    return [own.get(cell, None if only_own else default) for cell in range(count)]


def _backing(reader, cells):
    access, discard = reader.take("memoryBacking/access"), _flag(reader.take("memoryBacking/discard"))
    source = reader.take("memoryBacking/source")
    allocation = reader.take("memoryBacking/allocation")
    pages = [None if kib == 4 else kib for kib in _pages(reader, max(len(cells), 1))]  # 4 KiB are the normal ones
    is_huge = any(size is not None for size in pages)
    accesses = [_text(cell, "memAccess", _text(access, "mode")) for cell in cells or [None]]
    takes_file = is_huge or any(accesses)
    kind = _text(source, "type", "file" if takes_file else "anonymous")
    if kind == "anonymous" and any(accesses):
        kind = "file"  # which libvirt takes where it is told how memory is shared
    return {
        "pages": pages, "source": kind,
        "access": [mode or ("shared" if kind == "memfd" else "private") for mode in accesses],  # QEMU's own default
        "discard": [_text(cell, "discard", "yes" if discard else None) for cell in cells or [None]],
        "merge": not _flag(reader.take("memoryBacking/nosharepages")),
        "locked": _flag(reader.take("memoryBacking/locked")),
        # huge pages are taken at start, said or not
        "immediate": is_huge or _text(allocation, "mode") == "immediate",
        "threads": int(_text(allocation, "threads", "1")),
    }


def _vcpus(reader):
    vcpu, topology = reader.take("vcpu"), reader.take("cpu/topology")
    total = int(vcpu.text)
    levels = {"sockets": total, "dies": 1, "clusters": 1, "modules": 1, "cores": 1, "threads": 1}
    if topology is not None:
        levels = {name: int(topology.get(name, 1)) for name in levels}
    return total, {"total": total, "current": int(vcpu.get("current", total)),
                   "placement": vcpu.get("placement", "static"), "levels": levels,
                   "each": [dict(one.attrib) for one in reader.take_all("vcpus")[:1] for one in one]}, vcpu.get("cpuset")


def _threads(reader, total, cpuset):
    default = numbers(cpuset) if cpuset else None
    pins = [default] * total
    for pin in reader.take_all("cputune/vcpupin"):
        if int(pin.get("vcpu")) < total:
            pins[int(pin.get("vcpu"))] = numbers(pin.get("cpuset"))
    emulator = reader.take("cputune/emulatorpin")
    iothreads = {pin.get("iothread"): numbers(pin.get("cpuset")) for pin in reader.take_all("cputune/iothreadpin")}
    count, ids = reader.take("iothreads"), reader.take("iothreadids")
    listed = [int(one.get("id")) for one in ids] if ids is not None else []
    number = int(count.text) if count is not None else len(listed)
    threads = sorted(listed) or list(range(1, number + 1))
    said = {int(one.get("id")): (one.get("thread_pool_min", "0"), one.get("thread_pool_max", "64"),
                                 [sorted(poll.attrib.items()) for poll in one]) for one in ids if len(one.attrib) > 1 or len(one)} \
        if ids is not None else {}
    return {"workers": {thread: what for thread, what in said.items() if what != ("0", "64", [])},
            "pins": pins, "emulator": numbers(emulator.get("cpuset")) if emulator is not None else default,
            "iothreads": {thread: iothreads.get(str(thread), default) for thread in threads}}


def _drop_empty(element):
    """Containers that hold nothing any more, and white space."""
    for child in list(element):
        _drop_empty(child)
        if child.tag in ("memoryBacking", "cputune", "memtune", "numatune", "numa", "cpu", "iothreadids") and \
                not len(child) and not child.attrib:
            element.remove(child)
    for one in (element, *element):
        if not (one.text or "").strip():
            one.text = None
        one.tail = None


def _interconnects(reader):
    """Latencies and bandwidths; their order says nothing."""
    found = reader.take("cpu/numa/interconnects")
    return sorted((one.tag, *sorted(one.attrib.items())) for one in (found if found is not None else []))


def _memory(reader, cells):
    """(all memory, what the balloon leaves): QEMU's driver takes the sum of the cells and memory devices for the first,
    and no more than that for the second."""
    total, current = reader.size("memory"), reader.size("currentMemory")
    devices = sum(kib(one.text, one.get("unit")) for one in reader.root.findall("devices/memory/target/size"))
    if cells:
        total = sum(kib(cell.get("memory"), cell.get("unit")) for cell in cells) + devices
    return total, min(total if current is None else current, total)


def meaning(text):
    """(facts, rest): the facts as plain values, the rest as XML text."""
    reader = Reader(text)
    total, vcpus, cpuset = _vcpus(reader)
    cells = sorted(reader.take_all("cpu/numa/cell"), key=lambda cell: int(cell.get("id", 0)))
    numatune = reader.take("numatune")
    claimed = [numbers(cell.get("cpus", "")) for cell in cells]
    if cells:  # what no cell claims is cell 0's to QEMU's driver
        claimed[0] = tuple(sorted({*claimed[0], *set(range(total)).difference(*claimed)}))
    guest = _policy(numatune.find("memory")) if numatune is not None else None
    own = {int(one.get("cellid")): _policy(one) for one in numatune.findall("memnode")} if numatune is not None else {}
    backing = _backing(reader, cells)
    memory, current = _memory(reader, cells)
    facts = {
        "uuid": reader.take("uuid").text, "name": reader.take("name").text,
        "memory": memory, "current": current, "vcpus": vcpus,
        "cells": [{"cpus": cpus, "memory": kib(cell.get("memory"), cell.get("unit")),
                   "cache": [ElementTree.tostring(one).split() for one in cell.findall("cache")]}
                  for cell, cpus in zip(cells, claimed)],
        "distances": _distances(cells), "interconnects": _interconnects(reader),
        "policies": [own.get(number, guest) for number in range(max(len(cells), 1))],
        "hard limit": reader.size("memtune/hard_limit"), **backing, **_threads(reader, total, cpuset),
    }
    _drop_empty(reader.root)
    return facts, ElementTree.tostring(reader.root, encoding="unicode")
