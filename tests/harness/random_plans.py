# SPDX-License-Identifier: MIT
#
# Random plans that make sense: what the front of the compiler may decide, in combinations that nobody writes by hand.
# The same seed gives the same plans.

import random

PAGES = (0, 0, 2 << 20, 1 << 30)
POLICIES = ("strict", "preferred", "interleave")
NODES = 16


def _ranges(numbers):
    """The text of a set: 0-3,8."""
    parts, numbers = [], sorted(numbers)
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)


def _cell(chance, number, vcpus):
    page_bytes = chance.choice(PAGES)
    memory = chance.randint(1, 4) << 30 if page_bytes == 1 << 30 else chance.randint(64, 2048) << 21
    preallocated = bool(page_bytes) or chance.random() < 0.2
    shared = bool(page_bytes) and chance.random() < 0.4
    cell = {"name": str(number), "vcpus": _ranges(vcpus), "memory_bytes": memory}
    if chance.random() < 0.8:
        cell["policy"] = chance.choice(POLICIES)
        count = 1 if cell["policy"] == "preferred" else chance.randint(1, 3)
        cell["nodes"] = _ranges(chance.sample(range(NODES), count))
    says_access = shared or chance.random() < 0.3
    cell |= {"page_bytes": page_bytes, "backing": chance.choice(("anonymous", "memfd")), "shared": shared, "shared_said": says_access, "preallocated": preallocated}
    if preallocated:
        cell["prealloc_threads"] = 1
        if "nodes" in cell:
            cell["context_nodes"] = cell["nodes"]
    return cell | {"discard": False, "discard_said": False, "dump": True, "reserve": True, "merge": True}


def _agree(cells):
    """What libvirt has once for a guest is the same in all its cells: backing, preallocation, its threads."""
    first = cells[0]
    immediate = any(cell["preallocated"] for cell in cells)
    for cell in cells:
        cell["backing"] = first["backing"] if not any(one["page_bytes"] for one in cells) else "anonymous"
        cell["preallocated"] = immediate
        if immediate:
            cell["prealloc_threads"] = 1
            if "nodes" in cell:
                cell["context_nodes"] = cell["nodes"]


def _topology(chance):
    counts = {"sockets": chance.randint(1, 4), "dies": chance.choice((1, 1, 2)), "clusters": 1, "modules": 1,
              "cores": chance.randint(1, 5), "threads": chance.randint(1, 2)}
    product = 1
    for count in counts.values():
        product *= count
    return {"count": product} | counts


def _hotplug(chance, topology):
    """Some vcpus that wait, some that can be unplugged, after the first ones."""
    count = topology["count"]
    if count < 2 or chance.random() < 0.7:
        return
    fixed = chance.randint(1, count - 1)
    plugged = sorted(chance.sample(range(fixed, count), chance.randint(0, count - fixed)))
    topology |= {"online": _ranges([*range(fixed), *plugged]), "fixed": _ranges(range(fixed))}
    if chance.random() < 0.5:
        chance.shuffle(plugged)
        topology["order"] = [*range(fixed), *plugged]


def _split(chance, topology, count):
    """Whole cores, so that threads of one stay in one cell; a cell may stay without vcpus."""
    cores = [range(first, first + topology["threads"]) for first in range(0, topology["count"], topology["threads"])]
    cells = [[] for _ in range(count)]
    for number, core in enumerate(cores):
        cells[0 if number == 0 else chance.randrange(count)].extend(core)
    return cells


def _distances(chance, count):
    rows = [[10] * count for _ in range(count)]
    for source in range(count):
        for target in range(count):
            if source != target:
                rows[source][target] = chance.randint(11, 254)
    return rows


def _performance(chance, initiators):
    """Rows as hosts have them; every value is a multiple of its table's base and so fits."""
    rows = {"latencies": [], "bandwidths": []}
    for initiator in initiators:
        if chance.random() < 0.8:
            times = [chance.randint(1, 6000) * 10 for _ in range(2)]
            rows["latencies"].append({"initiator": initiator} | ({"access_ns": times[0]} if chance.random() < 0.5
                                                                 else {"read_ns": times[0], "write_ns": times[1]}))
        if chance.random() < 0.8:
            rates = [chance.randint(1, 60000) << 22 for _ in range(2)]
            rows["bandwidths"].append({"initiator": initiator} | (
                {"access_bytes": rates[0]} if chance.random() < 0.5 else
                {"read_bytes": rates[0], "write_bytes": rates[1]}))
    return {word: found for word, found in rows.items() if found}


def _libvirt_initiator(cells, target):
    """The one that libvirt takes, which has no word for any other."""
    cell = cells[target]
    if cell["vcpus"]:
        return target
    levels = [cell, *cell.get("side_caches", [])]
    def of(word, unit):
        return [(row[key], row["initiator"]) for level in levels for row in level.get(word, [])
                for key in (f"access_{unit}", f"read_{unit}", f"write_{unit}") if key in row]
    if of("latencies", "ns"):
        return min(of("latencies", "ns"), key=lambda pair: pair[0])[1]
    if of("bandwidths", "bytes"):
        return max(of("bandwidths", "bytes"), key=lambda pair: pair[0])[1]
    return next(number for number, other in enumerate(cells) if other["vcpus"])


def _hmat(chance, cells):
    """Latencies, bandwidths and side caches, never both ways between two cells."""
    sizes = [chance.randint(1, 1 << 20) << 12]
    sizes += [sizes[0] * 2, sizes[0] * 3]
    for target, cell in enumerate(cells):
        near = [number for number, other in enumerate(cells)
                if other["vcpus"] and (number <= target or not cell["vcpus"]) and chance.random() < 0.7]
        cell |= _performance(chance, near)
        if "latencies" in cell and "bandwidths" in cell and chance.random() < 0.5:
            cell["side_caches"] = [
                {"level": level + 1, "size_bytes": sizes[level], "line_bytes": chance.choice((1, 64, 65535)),
                 "associativity": chance.choice(("none", "direct", "full")),
                 "policy": chance.choice(("none", "writeback", "writethrough"))} | _performance(chance, near)
                for level in range(chance.randint(1, 3))]
    if any(word in cell for cell in cells for word in ("latencies", "bandwidths", "side_caches")):
        for target, cell in enumerate(cells):
            cell["initiator"] = _libvirt_initiator(cells, target)


def _pins(chance, count):
    if chance.random() < 0.5:
        return {"vcpus": [None] * count}
    pins = {"vcpus": [_ranges(chance.sample(range(128), chance.choice((1, 1, 4)))) for _ in range(count)]}
    if chance.random() < 0.3:
        pins["vcpus"][chance.randrange(count)] = None
    return pins | ({"emulator": _ranges(chance.sample(range(128), 2))} if chance.random() < 0.5 else {})


def _scheduler(chance):
    name = chance.choice(("batch", "idle", "fifo", "rr"))
    return {"class": name} | ({"priority": chance.randint(1, 99)} if name in ("fifo", "rr") else {})


def _tuning(chance, count):
    """Classes, workers, polling, parts of caches: sets of vcpus that do not overlap."""
    told = {}
    vcpus = chance.sample(range(count), count)
    if chance.random() < 0.3:
        told["schedulers"] = {"vcpus": [{"vcpus": _ranges(vcpus[:chance.randint(1, count)])} | _scheduler(chance)]}
        if chance.random() < 0.5:
            told["schedulers"]["emulator"] = _scheduler(chance)
    if chance.random() < 0.3:
        group = vcpus[:chance.randint(1, count)]
        level, content = chance.choice((2, 3)), chance.choice(("both", "code", "data"))
        told["resctrl"] = [{"vcpus": _ranges(group)}]
        told["resctrl"][0]["caches"] = [{"level": level, "content": content, "cache": number,
                                         "bytes": chance.randint(1, 40) * 768 << 10}
                                        for number in range(chance.randint(1, 3))]
        if chance.random() < 0.5:
            told["resctrl"][0]["bandwidth"] = [{"node": 0, "percent": chance.randint(1, 10) * 10}]
        if chance.random() < 0.5:
            told["resctrl"][0]["monitors"] = [{"vcpus": _ranges(group[:1]), "cache": True,
                                               "bandwidth": chance.random() < 0.5}]
    if chance.random() < 0.3:
        told["iothreads"] = [{"id": number} for number in range(1, chance.randint(2, 5))]
        for thread in told["iothreads"]:
            thread |= {"scheduler": _scheduler(chance)} if chance.random() < 0.3 else {}
            thread |= {"pool": {"least": chance.randint(0, 8), "most": chance.randint(8, 80)}} \
                if chance.random() < 0.5 else {}
            thread |= {"poll": {"most_ns": chance.randint(0, 99999), "shrink": chance.randint(1, 9),
                                "in_libvirt": False}} if chance.random() < 0.3 else {}
    return told


def _buses(chance, cell_count):
    """Expander buses with numbers from the top and from the bottom."""
    if chance.random() < 0.5:
        return {}
    found, highest, lowest, controller = [], 256, chance.randint(40, 90), 1
    for number in range(chance.randint(1, 3)):
        ports = chance.randint(1, 5)
        if chance.random() < 0.6:
            highest -= 1 + ports + chance.randint(0, 3)
            first = min(highest, 254)
        else:
            first, lowest = lowest, lowest + 1 + ports
        found.append({"name": f"bus{number}", "kind": "pxb-pcie", "cell": chance.randrange(cell_count),
                      "number": first, "controller": controller, "ports": ports})
        controller += 1 + ports
    return {"expanders": found, "devices": _devices(chance, found, controller)}


def _devices(chance, expanders, controller):
    """Some ports of the buses have devices, and some devices are on the root bus."""
    places = [{"bus": bus["name"], "controller": bus["controller"] + 1 + port, "slot": 0}
              for bus in expanders for port in range(bus["ports"])]
    places = chance.sample(places, chance.randint(0, len(places)))
    places += [{"controller": controller + number, "slot": 0} for number in range(chance.randint(0, 2))]
    return [{"name": f"dev{number}", "address": f"{chance.randint(0, 3):04x}:{number + 1:02x}:{chance.randint(0, 31):02x}.{number % 8}"}
            | place for number, place in enumerate(places)]


def _address(chance, plan, number, size):
    """Behind all memory, a stretch of its own for each."""
    begin = (plan["memory_bytes"] + (5 << 30)) >> 30 << 30
    return begin + number * (16 << 30) + chance.randint(0, 3) * size


def _memory_device(chance, cells, model):
    """What libvirt takes from the cell, or is told."""
    number = chance.randrange(len(cells))
    cell, size = cells[number], chance.randint(1, 4) << 30
    device = {key: value for key, value in cell.items()
              if key in ("nodes", "policy", "page_bytes", "backing", "shared", "preallocated", "prealloc_threads",
                         "context_nodes", "discard", "dump", "reserve", "merge")}
    device |= {"model": model, "cell": number, "memory_bytes": size, "shared_said": False, "discard_said": False}
    if model == "virtio-mem":
        block = max(2 << 20, device["page_bytes"]) << (chance.randint(0, 2) if device["page_bytes"] < 1 << 30 else 0)
        device |= {"block_bytes": block, "requested_bytes": chance.randint(0, size // block) * block, "reserve": False}
        device.pop("context_nodes", None)
        if device["preallocated"]:
            device["prealloc_threads"] = 1
    elif model == "dimm" and "nodes" in device and chance.random() < 0.5:
        device |= {"nodes": str(chance.randrange(NODES)), "nodes_said": True}
        if "context_nodes" in device:
            device["context_nodes"] = device["nodes"]
    elif model == "nvdimm":
        device |= {"page_bytes": 0, "backing": "file", "path": f"/srv/{chance.randrange(100)}",
                   "shared": chance.random() < 0.5, "shared_said": True, "preallocated": True, "prealloc_threads":
                   max((one.get("prealloc_threads", 1) for one in cells), default=1)}
        device.pop("context_nodes", None)
        if "nodes" in device:
            device["context_nodes"] = device["nodes"]
        if chance.random() < 0.5:
            device["label_bytes"] = chance.randint(1, 8) << 17
        if chance.random() < 0.3:
            device["readonly"] = True
    return device


def _growth(chance, plan):
    """Memory devices: those with an address first, as the plan has them, and a slot for each."""
    if not plan["numa"] or any(not cell["memory_bytes"] for cell in plan["cells"]) or chance.random() < 0.5:
        return {}
    devices = [_memory_device(chance, plan["cells"], chance.choice(("dimm", "virtio-mem", "nvdimm")))
               for _ in range(chance.randint(1, 4))]
    slots = iter(chance.sample(range(8), 8))
    addressed = chance.randint(0, len(devices))
    for number, device in enumerate(devices):
        device["name"] = f"{device['model']}-{number}"
        if device["model"] != "virtio-mem":
            device |= {"slot": next(slots), "slot_said": True}
            if number < addressed:
                device["address"] = _address(chance, plan, number, device["memory_bytes"])
    devices.sort(key=lambda device: "address" not in device)
    total = plan["memory_bytes"] + sum(device["memory_bytes"] for device in devices)
    return {"max_memory_bytes": total + (128 << 30), "memory_slots": 8, "memory_devices": devices} | \
        ({"current_memory_bytes": plan["memory_bytes"]} if chance.random() < 0.3 else {})


def guest(seed):
    chance = random.Random(seed)
    topology = _topology(chance)
    count = chance.randint(1, 6)
    cells = [_cell(chance, number, vcpus) for number, vcpus in enumerate(_split(chance, topology, count))]
    _agree(cells)
    plan = {
        "name": f"random-{seed}", "uuid": f"00000000-0000-5000-8000-{seed:012}", "architecture": "x86_64",
        "machine": "q35", "accel": "kvm", "base": False, "cpu": {"model": "host-passthrough"},
        "boot": {"firmware": "bios"}, "memory_bytes": sum(cell["memory_bytes"] for cell in cells),
        "vcpus": topology, "numa": count > 1 or chance.random() < 0.5, "cells": cells,
        "pins": _pins(chance, topology["count"]), "locked": chance.random() < 0.2,
    }
    if count > 1:
        plan["distances"] = _distances(chance, count)
    chance = random.Random(f"hmat {seed}")  # of its own, so that the plans from before stay as they were
    if plan["numa"] and chance.random() < 0.5:
        _hmat(chance, cells)
    if plan["numa"]:
        plan |= _buses(random.Random(f"buses {seed}"), count)
    plan |= _growth(random.Random(f"growth {seed}"), plan)
    _hotplug(random.Random(f"hotplug {seed}"), topology)
    return plan | _tuning(random.Random(f"tuning {seed}"), topology["count"])


def plan(seeds):
    return {"format_version": 1, "site": "random", "targets": ["libvirt", "qemu"],
            "guests": [guest(seed) for seed in seeds]}
