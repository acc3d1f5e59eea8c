# SPDX-License-Identifier: MIT
#
# What a QEMU command line says about NUMA, read strictly and written down in one form, whoever wrote the command line:
# JSON or key=value, defaults said or left out, whatever the objects are called.  An option or property that is not
# understood is an error, never overlooked.

import json
import re
import shlex

KIB = {"B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

BOOLEANS = ("share", "prealloc", "merge", "dump", "discard-data", "hugetlb", "seal", "reserve", "pmem", "readonly")
SIZES = ("size", "hugetlbsize", "align", "offset")
KINDS = {"memory-backend-ram": "ram", "memory-backend-file": "file", "memory-backend-memfd": "memfd",
         "memory-backend-epc": "epc"}
MODELS = {"pc-dimm": "dimm", "nvdimm": "nvdimm", "virtio-mem-pci": "virtio-mem", "virtio-mem-ccw": "virtio-mem", "virtio-pmem-pci": "virtio-pmem"}
PROPERTIES = {"qom-type", "id", "host-nodes", "policy", "mem-path", "prealloc-threads", "prealloc-context",
              "x-use-canonical-path-for-ramblock-id", *BOOLEANS, *SIZES}
LISTS = ("host-nodes", "node-affinity", "cpu-affinity", "cpus")  # keys that may repeat
SMP_LEVELS = ("drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads")


class FactError(Exception):
    """The command line says something that QEMU would not take, or this reader does not know."""


def size(text, unit="B"):
    """Bytes; `unit` is what a bare number counts."""
    match = re.fullmatch(r"(\d+)([BKMGT])?", str(text), re.IGNORECASE)
    if not match:
        raise FactError(f"'{text}' is no size")
    return int(match.group(1)) * KIB[(match.group(2) or unit).upper()]


def boolean(value):
    words = {True: True, False: False, "on": True, "off": False, "yes": True, "no": False}
    if isinstance(value, (bool, str)) and value in words:
        return words[value]
    raise FactError(f"'{value}' is neither on nor off")


def integer(value):
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)):
        raise FactError(f"'{value}' is no number")
    return int(value)


def ids(values):
    """A sorted list from JSON numbers or texts such as 0-3."""
    found = []
    for value in values if isinstance(values, list) else [values]:
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", str(value))
        if not match or isinstance(value, bool):
            raise FactError(f"'{value}' is no id or range")
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        if last < first:
            raise FactError(f"range '{value}' goes down")
        found += range(first, last + 1)
    if len(set(found)) != len(found):
        raise FactError(f"an id twice in '{values}'")
    return sorted(found)


def ids_of_text(text):
    """The ids of a set as plans and the kernel write it: 0-3,8; empty for none."""
    return ids(text.split(",")) if text else []


def pairs(text, first=None):
    """key=value pairs of one option; a bare first value gets the key `first`; ",," is a comma in a value."""
    told = []
    for number, part in enumerate(re.split(r"(?<!,),(?!,)", text)):
        key, equals, value = part.partition("=")
        if not equals:
            if number or not first:
                raise FactError(f"'{part}' of '{text}' is no key=value")
            key, value = first, part
        told.append((key, value.replace(",,", ",")))
    return told


def table(text, first=None):
    told = pairs(text, first)
    if len({key for key, _ in told}) != len(told):
        raise FactError(f"a key twice in '{text}'")
    return dict(told)


def properties(text, first):
    """One -object or -device, from either form; keys that repeat become lists."""
    if text.startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_no_twice)
        except ValueError as trouble:
            raise FactError(f"'{text}' is no JSON: {trouble}") from trouble
    told = {}
    for key, value in pairs(text, first):
        key = re.sub(r"\.\d+$", "", key)  # host-nodes.0=1
        if key in LISTS:
            told.setdefault(key, []).append(value)
        elif key in told:
            raise FactError(f"{key} twice in '{text}'")
        else:
            told[key] = value
    return told


def _no_twice(items):
    if len({key for key, _ in items}) != len(items):
        raise FactError(f"a key twice in {items}")
    return dict(items)


# ---- objects ---------------------------------------------------------------------------------------------------

def page_bytes_of(path, mounts):
    """The huge page size of a mem-path: of the longest of these mounts that holds it; 0 for an ordinary file."""
    inside = [mount for mount in mounts if path == mount or path.startswith(mount + "/")]
    return mounts[max(inside, key=len)] if inside else 0


def _backend(told, contexts, mounts, is_preallocated):
    unknown = told.keys() - PROPERTIES
    if unknown:
        raise FactError(f"properties nobody knows: {sorted(unknown)} in {told}")
    kind = KINDS[told["qom-type"]]
    said = {key: boolean(told[key]) for key in BOOLEANS if key in told} | \
           {key: size(told[key]) for key in SIZES if key in told}
    if "size" not in said:
        raise FactError(f"a backend without size: {told}")
    page_bytes = page_bytes_of(told["mem-path"], mounts) if kind == "file" else 0
    if kind == "memfd" and said.get("hugetlb"):
        page_bytes = said.get("hugetlbsize", 2 << 20)
    context = told.get("prealloc-context")
    if context is not None and context not in contexts:
        raise FactError(f"prealloc-context '{context}' is no thread-context before it")
    nodes = ids(told["host-nodes"]) if "host-nodes" in told else []
    policy = told.get("policy", "default")
    if policy not in ("default", "bind", "preferred", "interleave") or (policy == "default") != (not nodes):
        raise FactError(f"policy '{policy}' with host nodes {nodes}")
    return {
        "kind": "hugetlb" if page_bytes and kind == "file" else kind,
        "path": None if page_bytes else told.get("mem-path"), "size": said["size"], "page_bytes": page_bytes,
        "host-nodes": nodes, "policy": policy, "share": said.get("share", kind in ("memfd", "epc")),
        "prealloc": said.get("prealloc", is_preallocated),
        "prealloc-threads": integer(told.get("prealloc-threads", 1)), "merge": said.get("merge"),
        "dump": said.get("dump"), "discard-data": said.get("discard-data", False),
        "pmem": said.get("pmem", False), "readonly": said.get("readonly", False), "reserve": said.get("reserve", True), "align": said.get("align", 0), "offset": said.get("offset", 0),
        "context": contexts.get(context, {}) if context is not None else None,
    }


def _objects(texts, mounts, is_preallocated):
    backends, contexts = {}, {}
    for text in texts:
        told = properties(text, "qom-type")
        kind = told.get("qom-type", "")
        if "id" not in told or told["id"] in backends or told["id"] in contexts:
            raise FactError(f"object without an id of its own: {told}")
        if kind == "thread-context":
            contexts[told["id"]] = {key: ids(told[key]) for key in ("node-affinity", "cpu-affinity") if key in told}
        elif kind in KINDS:
            backends[told["id"]] = _backend(told, contexts, mounts, is_preallocated)
        elif kind.startswith("memory-backend"):
            raise FactError(f"backend of an unknown kind: {kind}")
    return backends


IOTHREAD_DEFAULTS = {"poll-max-ns": 32768, "poll-grow": 0, "poll-shrink": 0, "thread-pool-min": 0,
                     "thread-pool-max": 64, "aio-max-batch": 0}


def _iothreads(texts):
    """{number: properties, said or not}"""
    found = {}
    for text in texts:
        told = properties(text, "qom-type")
        if told.pop("qom-type", "") != "iothread":
            continue
        match = re.fullmatch(r"iothread(\d+)", told.pop("id", ""))
        if not match or told.keys() - IOTHREAD_DEFAULTS.keys() or int(match.group(1)) in found:
            raise FactError(f"iothread that nobody knows: {text}")
        found[int(match.group(1))] = IOTHREAD_DEFAULTS | {key: integer(value) for key, value in told.items()}
    return found


# ---- -m, -smp, -numa -------------------------------------------------------------------------------------------

def _memory(text):
    told = table(text, "size")
    if told.keys() - {"size", "slots", "maxmem"}:
        raise FactError(f"-m {text}")
    return {"size": size(told["size"], "M"), "slots": integer(told.get("slots", 0)),
            "maxmem": size(told.get("maxmem", told["size"]), "M")}


def _smp(text):
    told = table(text, "cpus")
    if told.keys() - {"cpus", "maxcpus", *SMP_LEVELS} or "cpus" not in told:
        raise FactError(f"-smp {text}")
    facts = {"cpus": integer(told["cpus"]), "maxcpus": integer(told.get("maxcpus", told["cpus"]))}
    if not told.keys() & set(SMP_LEVELS) and facts["maxcpus"] > 1:
        return facts  # QEMU decides
    return facts | {level: integer(told.get(level, 1)) for level in SMP_LEVELS}


HIERARCHIES = ("memory", "first-level", "second-level", "third-level")
HMAT_TYPES = ("access-latency", "read-latency", "write-latency", "access-bandwidth", "read-bandwidth",
              "write-bandwidth")


def _value(told):
    """(target, initiator, level, type, nanoseconds or bytes a second), taken out of `told`."""
    kind, level = told.pop("data-type"), told.pop("hierarchy")
    if kind not in HMAT_TYPES or level not in HIERARCHIES:
        raise FactError(f"hmat-lb of {kind} at {level}")
    value = integer(told.pop("latency")) if kind.endswith("latency") else size(told.pop("bandwidth"))
    return integer(told.pop("target")), integer(told.pop("initiator")), HIERARCHIES.index(level), kind, value


def _side_cache(told):
    associativity, policy = told.pop("associativity"), told.pop("policy")
    if associativity not in ("none", "direct", "complex") or policy not in ("none", "write-back", "write-through"):
        raise FactError(f"hmat-cache of {associativity}, {policy}")
    return (integer(told.pop("node-id")), integer(told.pop("level")), size(told.pop("size")),
            integer(told.pop("line")), associativity, policy)


def _plain(size_bytes, is_preallocated, page_bytes):
    """Memory in the old way, without a backend of its own; page_bytes: of the mount that -mem-path names."""
    kind = "hugetlb" if page_bytes else "ram"
    return {"kind": kind, "size": size_bytes, "page_bytes": page_bytes, "host-nodes": [], "policy": "default", "share": False,
            "prealloc": is_preallocated, "prealloc-threads": 1, "merge": None, "dump": None, "discard-data": False,
            "reserve": True, "align": 0, "offset": 0, "path": None, "pmem": False, "readonly": False, "context": None}


def _numa(texts, backends, plain, used):
    cells, distances, hmat = {}, {}, []
    for text in texts:
        told = properties(text, "type") if not text.startswith("{") else json.loads(text)
        kind = told.pop("type")
        if kind == "node":
            number = integer(told.pop("nodeid"))
            memdev = told.pop("memdev", None)
            if "mem" in told:
                memdev = f"mem={number}"
                backends[memdev] = _plain(size(told.pop("mem"), "M"), *plain)
            if memdev is not None and (memdev not in backends or memdev in used):
                raise FactError(f"memdev '{memdev}' is no backend, or already of another cell")
            used.add(memdev)
            cell = {"cpus": ids(told.pop("cpus", [])), "memory": backends[memdev] if memdev is not None else None,
                    "initiator": integer(told.pop("initiator", number))}
            if number in cells:
                raise FactError(f"cell {number} twice")
            cells[number] = cell
        elif kind == "dist":
            distances[(integer(told.pop("src")), integer(told.pop("dst")))] = integer(told.pop("val"))
        elif kind == "cpu":
            hmat.append(("cpu", tuple(sorted((key, str(told.pop(key))) for key in list(told)))))
        elif kind in ("hmat-lb", "hmat-cache"):
            hmat.append((kind, *(_value if kind == "hmat-lb" else _side_cache)(told)))
        else:
            raise FactError(f"-numa {text}")
        if told:
            raise FactError(f"-numa {text}: {sorted(told)} is not understood")
    if sorted(cells) != list(range(len(cells))):
        raise FactError(f"cells are {sorted(cells)}")
    return [cells[number] for number in sorted(cells)], distances, sorted(hmat)


def _matrix(count, distances):
    """All distances, with QEMU's rule for what is left out: 10 to itself, the other direction, else none are said.  None for the usual one."""
    if not distances:
        return None
    rows = []
    for source in range(count):
        row = []
        for target in range(count):
            default = 10 if source == target else distances.get((target, source))
            value = distances.get((source, target), default)
            if value is None:
                raise FactError(f"no distance from {source} to {target}")
            row.append(value)
        rows.append(row)
    if any(key[0] >= count or key[1] >= count for key in distances):
        raise FactError(f"distances of cells that are not there: {distances}")
    # libvirt leaves out a matrix that is what a guest assumes without one
    usual = all(value == (10 if source == target else 20) for source, row in enumerate(rows) for target, value in enumerate(row))
    return None if usual else rows


# ---- memory devices --------------------------------------------------------------------------------------------

def _take_backend(name, backends, used):
    if name not in backends or name in used:
        raise FactError(f"memdev '{name}' is no backend, or taken already")
    used.add(name)
    return backends[name]


def _memory_device(model, told, backends, used):
    is_virtio, said = model.startswith("virtio"), dict(told)
    for key in ("driver", "id", *(("bus", "addr") if is_virtio else ())):  # where it sits on the PCI bus says nothing
        said.pop(key, None)
    facts = {
        "model": model, "memory": _take_backend(said.pop("memdev", None), backends, used),
        "cell": None if model == "virtio-pmem" else integer(said.pop("node", 0)),
        "address": integer(said.pop("memaddr" if is_virtio else "addr", 0)),
    }
    if not is_virtio:
        facts["slot"] = integer(said.pop("slot"))
    if model == "virtio-mem":
        facts |= {"block": size(said.pop("block-size")), "requested": size(said.pop("requested-size", 0)),
                  "prealloc": boolean(said.pop("prealloc", False)),
                  "dynamic-memslots": boolean(said.pop("dynamic-memslots", False))}
    if model == "nvdimm":
        facts |= {"label": size(said.pop("label-size", 0)), "unarmed": boolean(said.pop("unarmed", False)),
                  "uuid": said.pop("uuid", None)}
    if said:
        raise FactError(f"properties nobody knows: {sorted(said)} in {told}")
    return facts


def _memory_devices(texts, machine, backends, used):
    """In order; sections of SGX memory, which are properties of the machine, last."""
    found = []
    for text in texts:
        told = properties(text, "driver")
        if told.get("driver") in MODELS:
            found.append(_memory_device(MODELS[told["driver"]], told, backends, used))
    number = 0
    while f"sgx-epc.{number}.memdev" in machine:
        found.append({"model": "sgx-epc", "cell": integer(machine[f"sgx-epc.{number}.node"]),
                      "memory": _take_backend(machine[f"sgx-epc.{number}.memdev"], backends, used)})
        number += 1
    if any(one["model"] == "nvdimm" for one in found) and not boolean(machine.get("nvdimm", "off")):
        raise FactError("an nvdimm on a machine without")
    return found


# ---- the whole -------------------------------------------------------------------------------------------------

ONCE = ("-m", "-smp", "-machine", "-overcommit", "-realtime", "-accel", "-cpu", "-mem-path")
MANY = ("-object", "-numa", "-device")


def _options(words):
    """{option: [values]} of the options that matter here."""
    told = {}
    for word, value in zip(words, [*words[1:], ""]):
        if word in ONCE or word in MANY:
            if word in ONCE and word in told and word != "-machine":
                raise FactError(f"{word} twice")
            told.setdefault(word, []).append(value)
    return told


def slot(text):
    """The slot of an addr: hexadecimal, with or without its function, which must be 0 or a multifunction one."""
    match = re.fullmatch(r"(?:0x)?([0-9a-f]+)(?:\.([0-7]))?", str(text))
    if not match:
        raise FactError(f"'{text}' is no address on a bus")
    return int(match.group(1), 16), int(match.group(2) or 0)


def _cell_of(told):
    return integer(told["numa_node"]) if "numa_node" in told else None


def _expanders(texts):
    """{bus number: its kind, its cell (None: on none), the slots of its ports}"""
    devices = [properties(text, "driver") for text in texts]
    found, named = {}, {}
    for told in devices:
        kind = told.get("driver", "")
        if kind == "spapr-pci-host-bridge":  # which says nothing of cells where it is on none
            found |= {integer(told["index"]): {"kind": kind, "cell": _cell_of(told), "ports": []}} \
                if "numa_node" in told else {}
        elif kind.startswith("pxb"):
            number = integer(told["bus_nr"])
            if number in found or told.get("bus") not in ("pcie.0", "pci.0"):
                raise FactError(f"a second bus {number}, or not on the root bus: {told}")
            named[told["id"]] = found[number] = {"kind": kind, "cell": _cell_of(told), "ports": []}
    for told in devices:
        if told.get("driver", "").endswith(("root-port", "cxl-rp")) and told.get("bus") in named:
            named[told["bus"]]["ports"].append(slot(told["addr"]))
    return found


def _physical_bits(text):
    """What a -cpu says of physical address bits."""
    told = dict(part.split("=", 1) for part in text.split(",")[1:] if "=" in part)
    unsaid = 40 if told.get("host-phys-bits") == "off" else 0  # QEMU's own
    return {"host": told.get("host-phys-bits") == "on", "bits": integer(told.get("phys-bits", unsaid)),
            "limit": integer(told.get("host-phys-bits-limit", 0))}


def _cxl(texts, machine, backends, used):
    """{number of the bus of its bridge: its memory, its labels, whether it is persistent, its window}"""
    devices = {told["id"]: told for told in (properties(text, "driver") for text in texts) if "id" in told}
    windows, found = {}, {}
    for number in range(len([key for key in machine if re.fullmatch(r"cxl-fmw\.\d+\.size", key)])):
        bridge = machine[f"cxl-fmw.{number}.targets.0"]
        if bridge in windows or f"cxl-fmw.{number}.targets.1" in machine:
            raise FactError(f"window {number} is not the only one of its only bridge")
        windows[bridge] = size(machine[f"cxl-fmw.{number}.size"])
    for told in devices.values():
        if told.get("driver") != "cxl-type3":
            continue
        if told.keys() - {"driver", "id", "bus", "memdev", "persistent-memdev", "volatile-memdev", "lsa"}:
            raise FactError(f"a cxl-type3 that nobody knows: {told}")
        bridge = devices[devices[told["bus"]]["bus"]]
        kept = told.get("memdev", told.get("persistent-memdev"))
        found[integer(bridge["bus_nr"])] = {
            "memory": _take_backend(kept or told.get("volatile-memdev"), backends, used), "persistent": bool(kept),
            "labels": _take_backend(told["lsa"], backends, used) if kept else None, "window": windows[bridge["id"]]}
    if len(found) != len(windows) or (found and not boolean(machine.get("cxl", "off"))):
        raise FactError(f"{len(found)} cxl, {len(windows)} windows, or a machine without")
    return found


def _initiators(objects):
    """{device: its cell}"""
    found = {}
    for told in (properties(text, "qom-type") for text in objects):
        if told.get("qom-type") == "acpi-generic-initiator":
            found[told["pci-dev"]] = integer(told["node"])
    return found


def _host_devices(texts):
    """{address on the host: number of the bus and slot of the port (of a pxb, of a host bridge of ppc64: of the device)
    or None: on the root bus}"""
    devices = {told["id"]: told for told in (properties(text, "driver") for text in texts) if "id" in told}
    found = {}
    for told in devices.values():
        if not told.get("driver", "").startswith("vfio-pci"):
            continue
        host = told.get("host") or told.get("sysfsdev")
        if not host or host in found:
            raise FactError(f"the device {host} of nowhere, or twice")
        place, bus = told, devices.get(told.get("bus", "")) or devices.get(told.get("bus", "").removesuffix(".0"))
        if bus and bus["driver"].endswith("root-port"):
            place, bus = bus, devices.get(bus["bus"])
        while bus and "bus_nr" not in bus and "index" not in bus:  # of a bridge: only on the root bus, or on an expander
            place, bus = bus, devices.get(bus.get("bus"))
        found[host] = (integer(bus.get("bus_nr", bus.get("index"))), slot(place["addr"])) if bus else None
    return found


CPU_IDS = ("socket-id", "die-id", "module-id", "cluster-id", "core-id", "thread-id")


def is_vcpu(text):
    """Whether a -device is a vcpu."""
    return properties(text, "driver").get("driver", "").endswith(("-cpu", "-spapr-cpu-core"))


def _plugged(texts):
    """Where the vcpus that are plugged at start sit, in their order, and whether they can be unplugged by name."""
    found = []
    for text in filter(is_vcpu, texts):
        told = properties(text, "driver")
        found.append({key: integer(told.pop(key)) for key in CPU_IDS if key in told} | {"named": "id" in told})
        if told.keys() - {"driver", "id"}:
            raise FactError(f"a vcpu that nobody knows: {text}")
    return found


def _remapping(machine, texts):
    """Who routes interrupts: the irqchip and the IOMMUs."""
    found = {"irqchip": machine.get("kernel-irqchip", machine.get("kernel_irqchip", "on")), "iommus": []}
    for text in texts:
        told = properties(text, "driver")
        if told.get("driver", "").endswith("-iommu") or "iommu-pci" in told.get("driver", ""):
            told.pop("id", None)
            found["iommus"].append({key: {True: "on", False: "off"}.get(value, value)
                                    for key, value in sorted(told.items())})
    return found


def _caches(machine):
    """{cache: the level whose vcpus share one}"""
    found = {}
    for number in range(len([key for key in machine if re.fullmatch(r"smp-cache\.\d+\.cache", key)])):
        cache, level = machine[f"smp-cache.{number}.cache"], machine[f"smp-cache.{number}.topology"]
        if cache in found or cache not in ("l1d", "l1i", "l2", "l3") or \
                level not in ("core", "module", "die", "socket"):
            raise FactError(f"cache {cache} of a {level}")
        found[cache] = level
    return found


def _gic(machine):
    """Its version; a host's is that of servers."""
    said = machine.get("gic-version")
    return "3" if said in ("host", "max") else said


def facts(words, mounts=None):
    """The NUMA facts of one command line, given as its words.  `mounts` are those of hugetlbfs: {path: page bytes}."""
    options = _options(words)
    for option in ("-m", "-smp"):
        if option not in options:
            raise FactError(f"no {option}")
    plain = ("-mem-prealloc" in words, page_bytes_of(options.get("-mem-path", [""])[0], mounts or {}))
    backends = _objects(options.get("-object", []), mounts or {}, plain[0])
    machine = {}
    for text in options.get("-machine", []):
        machine |= table(text, "type")
    memory = _memory(options["-m"][0])
    used = set()
    cells, distances, hmat = _numa(options.get("-numa", []), backends, plain, used)
    memory_devices = _memory_devices(options.get("-device", []), machine, backends, used)
    cxl = _cxl(options.get("-device", []), machine, backends, used)
    only = machine.get("memory-backend")
    if only is not None and (only not in backends or cells):
        raise FactError(f"memory-backend '{only}' is no backend, or there are cells beside it")
    if cells and sum(cell["memory"]["size"] for cell in cells if cell["memory"]) != memory["size"]:
        raise FactError(f"-m says {memory['size']} bytes, the cells have others: {cells}")
    whole = backends.get(only) if only is not None or cells else _plain(memory["size"], *plain)
    if not cells and words[0].endswith("ppc64"):  # where QEMU makes a cell of it all by itself
        cells, whole = [{"cpus": list(range(_smp(options["-smp"][0])["maxcpus"])), "memory": whole, "initiator": 0}], None
    has_hmat = boolean(machine.get("hmat", "off"))
    if hmat and not has_hmat:
        raise FactError("values of an HMAT on a machine without one")
    for backend in [*backends.values(), *(cell["memory"] for cell in cells), whole]:
        if backend and backend["merge"] is None:
            backend["merge"] = boolean(machine.get("mem-merge", "on"))
    overcommit = table(options.get("-overcommit", ["mem-lock=off"])[0])
    overcommit |= {"mem-lock": lock for key, lock in table(options.get("-realtime", ["x=x"])[0]).items() if key == "mlock"}
    return {
        "memory": memory, "memory_devices": memory_devices, "smp": _smp(options["-smp"][0]), "cells": cells,
        "distances": _matrix(len(cells), distances), "has_hmat": has_hmat, "hmat": hmat, "only": whole,
        "is_locked": boolean(overcommit.get("mem-lock", "off")), "expanders": _expanders(options.get("-device", [])),
        "iothreads": _iothreads(options.get("-object", [])), "devices": _host_devices(options.get("-device", [])),
        "initiators": _initiators(options.get("-object", [])),
        "caches": _caches(machine), "cxl": cxl, "physical_bits": _physical_bits(options.get("-cpu", [""])[0]), "plugged": _plugged(options.get("-device", [])),
        "remapping": _remapping(machine, options.get("-device", [])), "gic": _gic(machine),
    }


def in_order_of_numac(facts):
    """Memory devices whose address is said before those whose address QEMU finds, and each kind together."""
    kinds = ("dimm", "virtio-mem", "nvdimm", "virtio-pmem", "sgx-epc")
    return facts | {"memory_devices": sorted(facts["memory_devices"], key=lambda one: (
        not one.get("address"), kinds.index(one["model"])))}


def words_of_file(text):
    """GUEST.argv: one shell word a line."""
    words = []
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        parts = shlex.split(line)
        if len(parts) != 1:
            raise FactError(f"line {number} is not one shell word: {line}")
        words += parts
    return words


def words_of_libvirt(text):
    """What domxml-to-native prints, or its tests expect: assignments, the program, its words."""
    words = shlex.split(text.replace("\\\n", ""))
    while words and re.match(r"[A-Za-z_]+=", words[0]):
        words.pop(0)
    return words


def differences(first, second, names=("first", "second"), path=""):
    """Lines that say where two sets of facts differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        return [line for key in sorted(first.keys() | second.keys(), key=str)
                for line in differences(first.get(key), second.get(key), names, f"{path}.{key}" if path else str(key))]
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return [line for number, (one, other) in enumerate(zip(first, second))
                for line in differences(one, other, names, f"{path}[{number}]")]
    return [] if first == second else [f"{path}: {names[0]} {first}, {names[1]} {second}"]
