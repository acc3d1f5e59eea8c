#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# QEMU's own view: each command line that numac writes starts a paused QEMU, whose monitor and whose ACPI tables must
# say what the plan says: cells, their vcpus and memory, the topology, distances.  What this machine cannot have (its host
# nodes, huge pages, KVM, the guest's files) is taken out of the command line first, and the remark says how much.

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import acpi, built, devicetree, papr, tap
from harness.program import ROOT, Numac
from harness.qemu import EngineError, Paused
from oracles import argv_facts
from oracles.sample import mistakes

HOST_BOUND = ("host-nodes", "policy", "prealloc", "prealloc-threads", "prealloc-context", "hugetlb", "hugetlbsize",
              "mem-path", "align", "offset", "pmem", "discard-data", "reserve")
STAYS = ("pxb", "pcie-root-port", "cxl-", "spapr-pci-host-bridge", "vfio-pci", "{", *argv_facts.MODELS)  # of the devices
NOT_NUMA = ("-kernel", "-initrd", "-append", "-bios", "-blockdev", "-netdev", "-serial", "-drive", "-uuid", "-name")
LACKS = ("requires support for extended interrupt mode", "kernel irqchip and X2APIC", "unsupported machine type",
         "is not a valid object type", "does not accept value 'acpi-generic-initiator'", "cannot set up guest memory",
         "The max CPUs supported by machine", "dynamic-memslots' not found", "smp.modules' is unexpected", "volatile-memdev' not found",
         "NUMA is not supported by this machine-type", "virt-machine.hmat' not found",
         "TCG cannot support more than 1 thread/core")

MODELS = {"aarch64": "max", "riscv64": "rv64", "loongarch64": "la464"}  # which all have, of those emulated here
PLUGS_NONE = ("aarch64", "riscv64")
TELLS_BY_TREE = ("riscv64",)  # before UEFI has tables of ACPI


# ---- the command line, for this machine ------------------------------------------------------------------------

class Fitted:
    """A command line that starts here, and what was taken out of it."""

    def __init__(self, words):
        self.dropped = {}
        self.words = [words[0]]
        at = 1
        while at < len(words):
            takes_value = at + 1 < len(words) and not words[at + 1].startswith("-")
            self._option(words[at], words[at + 1] if takes_value else None)
            at += 2 if takes_value else 1
        self.words += ["-accel", "tcg"]

    def _drop(self, what):
        self.dropped[what] = self.dropped.get(what, 0) + 1

    def _option(self, option, value):
        if option == "-device" and argv_facts.is_vcpu(value):
            value = re.sub(r"^[^,]*(-[a-z0-9_]+-cpu)(?!-core)",
                           MODELS.get(self.words[0].rpartition("-")[2], "max") + r"\1", value)
            value = value.replace("host-spapr-cpu-core", "power9_v2.0-spapr-cpu-core")
        elif option in NOT_NUMA or (option == "-device" and not value.startswith(STAYS)) or option == "-accel":
            return
        if option == "-overcommit":
            return self._drop("mem-lock")
        if option == "-machine" and "smp-cache." in value:  # of QEMU 10; compared as it stands on the command line
            self._drop("smp-cache")
            value = re.sub(r",smp-cache\.[^,]*", "", value)
        if option == "-machine" and value.startswith("sgx-epc."):
            return self._drop("sgx-epc")
        if option == "-device" and value.startswith("vfio-pci"):  # another device in the same place
            self._drop("vfio-pci")
            value = re.sub(r"^vfio-pci,host=[^,]*", "pci-testdev", value)
        if option == "-machine" and self.words[0].endswith("riscv64"):  # whose other interrupt controller QEMU 7.2 breaks
            value += ",aia=aplic"
        if option == "-cpu":
            value = value.replace("host", "power9_v2.0") if self.words[0].endswith("ppc64") else \
                MODELS.get(self.words[0].rpartition("-")[2], "max,phys-bits=52")
        elif option == "-object":
            value = self._object(value)
            if value is None:
                return None
        self.words.append(option)
        if value is not None:
            self.words.append(value)
        return None

    def _object(self, text):
        told = argv_facts.properties(text, "qom-type")
        kind = told["qom-type"]
        if kind in ("thread-context", "memory-backend-epc"):
            return self._drop(kind)
        if not kind.startswith("memory-backend"):
            return text
        for key in HOST_BOUND:
            if key in told:
                del told[key]
                self._drop(key)
        if kind not in ("memory-backend-ram", "memory-backend-memfd"):
            told["qom-type"] = "memory-backend-memfd"
        words = [told.pop("qom-type")]
        for key, value in told.items():
            values = value if isinstance(value, list) else [value]
            words += [f"{key}={str(one).lower() if isinstance(one, bool) else one}" for one in values]
        return ",".join([*words, "reserve=off"])

    def remark(self):
        return "without " + ", ".join(f"{count} {what}" for what, count in sorted(self.dropped.items())) \
            if self.dropped else ""


# ---- facts of the engine, facts of the plan --------------------------------------------------------------------

def _cells_of_monitor(engine):
    cells = {}
    for number, text in re.findall(r"^node (\d+) cpus:(.*)$", engine.monitor("info numa"), re.MULTILINE):
        cells[int(number)] = sorted(int(word) for word in text.split())
    return [cells[number] for number in range(len(cells))]


def _backends(engine):
    """The memory of each cell in order, from the map of guest memory and the list of backends."""
    devices = {one["id"]: one for one in engine.ask("query-memdev")}
    tree = engine.monitor("info mtree")
    section = re.search(r"^    [^ ].*: ppc_spapr\.ram\n((?:      .*\n)*)" if engine.is_ppc else
                        r"^memory-region: (?:pc|mach-virt)\.ram\n((?:  .*\n)*)", tree, re.MULTILINE)
    rows = re.findall(r"^ +([0-9a-f]+)-([0-9a-f]+) \(prio \d+, ram\): (\S+)",
                      tree if engine.architecture in MODELS else section.group(1) if section else "", re.MULTILINE)
    found, seen = [], set()
    for begin, end, name in sorted(rows):
        if name in devices and name not in seen:
            seen.add(name)
            size = int(end, 16) - int(begin, 16) + 1
            if size != devices[name]["size"]:
                raise tap.Failure(f"backend {name} has {devices[name]['size']} bytes, {size} of them in the guest")
            found.append({"size": size, "share": devices[name]["share"]})
    if not found and len(devices) == 1:  # a guest without cells: the backend is the whole memory
        found = [{"size": one["size"], "share": one["share"]} for one in devices.values()]
    return found


LEVELS = ("socket-id", "die-id", "cluster-id", "core-id", "thread-id")


def _place(properties):
    return {level: properties.get(level, 0) for level in LEVELS} | {"cell": properties.get("node-id")}


def _vcpus(engine):
    """({vcpu that is there: its place}, the places of all that there can be)"""
    cpus = engine.ask("query-cpus-fast")
    found = {one["cpu-index"]: _place(one["props"]) if "props" in one else None for one in cpus}
    if engine.architecture in PLUGS_NONE or None in found.values():
        return found, [found[number] for number in sorted(found)]
    possible = [one for one in engine.ask("query-hotpluggable-cpus") for _ in range(one["vcpus-count"])]
    present = [one for one in possible if "qom-path" in one]
    if len(present) != len(found):
        raise tap.Failure(f"{len(found)} vcpus run, {len(present)} are plugged")
    return found, sorted((_place(one["props"]) for one in possible), key=lambda place: [place[level] for level in LEVELS])


def _iothreads(engine):
    found = {}
    for one in engine.ask("query-iothreads"):
        path = f"/objects/{one['id']}"
        found[int(one["id"].removeprefix("iothread"))] = {
            key: engine.ask("qom-get", path=path, property=key) for key in argv_facts.IOTHREAD_DEFAULTS}
    return found


PHB = "spapr-pci-host-bridge"


def _expanders(engine):
    """As argv_facts has them, from the buses that the machine has."""
    found, roots = {}, engine.ask("query-pci")
    buses = {bus["bus"]: bus["devices"] for bus in roots}
    for one in engine.ask("qom-list", path="/machine/peripheral"):
        path, kind = f"/machine/peripheral/{one['name']}", one["type"].removeprefix("child<").removesuffix(">")
        if kind == PHB:
            found[engine.ask("qom-get", path=path, property="index")] = {
                "kind": kind, "cell": engine.ask("qom-get", path=path, property="numa_node"), "ports": []}
        if not kind.startswith("pxb"):
            continue
        number = engine.ask("qom-get", path=path, property="bus_nr")
        bridges = [(device["slot"], device["function"]) for device in buses[number] if "pci_bridge" in device]
        found[number] = {"kind": kind, "cell": engine.ask("qom-get", path=path, property="numa_node"),
                         "ports": bridges if kind != "pxb" else []}
    if len(roots) != len(found) + 1:
        raise tap.Failure(f"root buses {sorted(buses)}, expanders {sorted(found)}")
    return found


def _host_devices(engine, words):
    """As argv_facts has them; addresses are those of the command line, since others stand in for the devices."""
    addresses = dict(re.search(r"host=([^,]*),id=([^,]*)", word).group(2, 1) for word in words
                     if word.startswith("vfio-pci"))
    def place(name):
        path = f"/machine/peripheral/{name}"
        slot, function = divmod(engine.ask("qom-get", path=path, property="addr"), 8)
        bus = engine.ask("qom-get", path=path, property="parent_bus").split("/")[-1]  # called as what makes it
        if bus in ("pcie.0", "pci.0"):
            return None
        if engine.is_ppc:
            return engine.ask("qom-get", path=f"/machine/peripheral/{bus.removesuffix('.0')}", property="index"), \
                (slot, function)
        if engine.ask("qom-get", path=f"/machine/peripheral/{bus}", property="type").startswith("pxb"):
            return engine.ask("qom-get", path=f"/machine/peripheral/{bus}", property="bus_nr"), (slot, function)
        return place(bus)
    return {address: place(name) for name, address in addresses.items()}


def _planned_devices(plan):
    buses = {one["name"]: one for one in plan.get("expanders", [])}
    found = {}
    for one in plan.get("devices", []):
        bus = buses.get(one.get("bus"))
        port = bus and (one["controller"] - bus["controller"] - 1 if bus["kind"] == "pxb-pcie" else one["slot"])
        found[one["address"]] = (bus["number"], (port, 0)) if bus else None
    return found


def _planned_expanders(plan):
    return {one["number"]: {"kind": one["kind"], "cell": one["cell"],
                            "ports": [(number, 0) for number in range(one.get("ports", 0))]}
            for one in plan.get("expanders", [])}


def _memory_devices(engine):
    """By the names that numac gives them."""
    found, backends = {}, {one["id"]: one for one in engine.ask("query-memdev")}
    for one in engine.ask("query-memory-devices"):
        data = one["data"]
        backend = backends[data["memdev"].removeprefix("/objects/")]
        found[data["id"]] = {
            "model": one["type"], "cell": data.get("node"), "slot": data.get("slot"), "size": backend["size"],
            "share": backend["share"], "address": data["addr"] if "addr" in data else data["memaddr"],
            "block": data.get("block-size"), "requested": data.get("requested-size")}
    return found


def _cxl(engine):
    """{number of the bus of its bridge: its memory}"""
    backends, found = {one["id"]: one for one in engine.ask("query-memdev")}, {}
    for one in engine.ask("qom-list", path="/machine/peripheral"):
        if one["type"] != "child<cxl-type3>":
            continue
        path = f"/machine/peripheral/{one['name']}"
        port = engine.ask("qom-get", path=path, property="parent_bus").split("/")[-1]
        bridge = engine.ask("qom-get", path=f"/machine/peripheral/{port}", property="parent_bus").split("/")[-1]
        number = engine.ask("qom-get", path=f"/machine/peripheral/{bridge}", property="bus_nr")
        properties = {each["name"] for each in engine.ask("qom-list", path=path)}
        def backend(*links):
            values = [engine.ask("qom-get", path=path, property=link) for link in links if link in properties]
            return next((backends[value.removeprefix("/objects/")] for value in values if value), {})
        memory = backend("memdev", "persistent-memdev", "volatile-memdev")
        found[number] = {"size": memory["size"], "share": memory["share"], "labels": backend("lsa").get("size")}
    return found


def _planned_cxl(plan):
    bridges = [one["number"] for one in plan.get("expanders", []) if one["kind"] == "pxb-cxl"]
    devices = [one for one in plan.get("memory_devices", []) if one["model"] == "cxl"]
    return {number: {"size": one["memory_bytes"], "share": one["shared"], "labels": one.get("label_bytes")}
            for number, one in zip(bridges, devices)}


def _planned_windows(plan):
    bridges = [one["number"] for one in plan.get("expanders", []) if one["kind"] == "pxb-cxl"]
    sizes = [one["window_bytes"] for one in plan.get("memory_devices", []) if one["model"] == "cxl"]
    return sorted((size, (number,)) for number, size in zip(bridges, sizes))


def _told_by_tree(engine, words):
    """What a guest of ppc64 reads; without -numa it has one cell all the same, and nobody asked for it."""
    if "-numa" not in words:
        return {"cells": [], "cxl_windows": []}
    tree = engine.device_tree()
    told = papr.distances(tree)
    return {"srat_vcpus": papr.cpus(tree), "srat_memory": papr.memory(tree), "cxl_windows": [],
            "steps": {(0, 1): told[0, 1]} if told.keys() == {(0, 0), (0, 1), (1, 0), (1, 1)} else {}}


def _steps(plan):
    """The distance of two cells as a guest of ppc64 sees it at first.  Of more cells each depends on those before."""
    rows, version = plan.get("distances"), re.fullmatch(r"pseries-(\d+)\.(\d+)", plan["machine"])
    if len(plan["cells"]) != 2 or not all(cell["memory_bytes"] for cell in plan["cells"]):
        return {}
    distance = rows[0][1] if rows else 20
    if version and tuple(map(int, version.groups())) < (5, 2):
        return {(0, 1): 40}
    levels = ((12, 30, 20), (32, 60, 40), (62, 120, 80))
    return {(0, 1): next((step for least, most, step in levels if least <= distance <= most), 160)}


def tree_facts(words, scratch):
    """Of a machine that tells its cells in a device tree: what a kernel reads of them."""
    path = pathlib.Path(scratch, "tree")
    done = subprocess.run([*words, "-machine", f"dumpdtb={path}"], capture_output=True, text=True, check=False)
    if not path.exists():
        raise EngineError(done.stderr)
    tree = devicetree.nodes(path.read_bytes())
    found = {"srat_vcpus": devicetree.cpus(tree), "srat_memory": devicetree.memory(tree)}
    distances = devicetree.distances(tree)
    return {key: value for key, value in (found | {"distances": distances}).items() if value}


def engine_facts(engine, words, tree):
    vcpus, possible = _vcpus(engine)
    facts = {"cells": _cells_of_monitor(engine), "memory": _backends(engine), "vcpus": vcpus, "possible": possible,
             "iothreads": _iothreads(engine), "expanders": _expanders(engine),
             "devices": _host_devices(engine, words), "memory_devices": _memory_devices(engine),
             "caches": argv_facts.facts(words)["caches"], "cxl": _cxl(engine)}
    if engine.is_ppc:
        return facts | _told_by_tree(engine, words)
    data = engine.firmware_file("etc/acpi/tables")
    facts |= {"cxl_windows": []} | tree
    if data is None and engine.architecture in TELLS_BY_TREE:
        return facts
    if data is None:
        raise tap.Failure("this machine has no ACPI tables: the guest sees no cells")
    tables = acpi.tables(data)
    if "SRAT" in tables and facts["cells"]:
        facts["srat_vcpus"], facts["srat_memory"] = acpi.srat(tables["SRAT"])
    if "SLIT" in tables:
        facts["distances"] = acpi.slit(tables["SLIT"])
    facts["cxl_windows"] = acpi.cedt_windows(tables["CEDT"]) if "CEDT" in tables else []
    if "HMAT" in tables:
        facts["initiators"], facts["hmat"], facts["side_caches"] = acpi.hmat(tables["HMAT"])
    return facts


def hmat_values(cells):
    """{(target, initiator, level, type): value} of the cells of a plan, types numbered as in the HMAT."""
    values = {}
    for target, cell in enumerate(cells):
        for level, performance in enumerate([cell, *cell.get("side_caches", [])]):
            for word, unit, first in (("latencies", "ns", 0), ("bandwidths", "bytes", 3)):
                for row in performance.get(word, []):
                    values |= {(target, row["initiator"], level, first + kind): row[f"{name}_{unit}"]
                               for kind, name in enumerate(("access", "read", "write")) if f"{name}_{unit}" in row}
    return values


def _side_caches(cells):
    kinds, policies = ("none", "direct", "full"), ("none", "writeback", "writethrough")
    return sorted((number, len(cell["side_caches"]), cache["level"], cache["size_bytes"], cache["line_bytes"],
                   kinds.index(cache["associativity"]), policies.index(cache["policy"]))
                  for number, cell in enumerate(cells) for cache in cell.get("side_caches", []))


def _places(topology, cell_of, by_cores):
    """Where each vcpu sits, as QEMU numbers them: threads first, then cores, clusters, dies, sockets; of ppc64 by the
    first thread of its core alone."""
    if by_cores:
        return [{"socket-id": 0, "die-id": 0, "cluster-id": 0, "core-id": number - number % topology["threads"],
                 "thread-id": 0, "cell": cell_of.get(number, 0)} for number in range(topology["count"])]
    cores, clusters = topology["cores"] * topology["modules"], topology["clusters"]
    found = []
    for number in range(topology["count"]):
        thread, rest = number % topology["threads"], number // topology["threads"]
        core, rest = rest % cores, rest // cores
        cluster, rest = rest % clusters, rest // clusters
        found.append({"socket-id": rest // topology["dies"], "die-id": rest % topology["dies"], "cluster-id": cluster,
                      "core-id": core, "thread-id": thread, "cell": cell_of.get(number)})
    return found


def _planned_iothread(thread):
    pool, poll = thread.get("pool", {}), thread.get("poll", {})
    said = {"thread-pool-min": pool.get("least"), "thread-pool-max": pool.get("most"),
            "poll-max-ns": poll.get("most_ns"), "poll-grow": poll.get("grow"), "poll-shrink": poll.get("shrink")}
    return argv_facts.IOTHREAD_DEFAULTS | {key: value for key, value in said.items() if value is not None}


def _planned_memory_devices(plan, facts):
    """What the plan leaves to QEMU, the address, is QEMU's."""
    found = {}
    for number, device in enumerate(plan.get("memory_devices", [])):
        if device["model"] in ("sgx-epc", "cxl"):
            continue  # no machine of tests has any; behind a bridge of its own
        name = f"memory{number}"
        found[name] = {
            "model": device["model"], "cell": device.get("cell"), "slot": device.get("slot"),
            # labels are of the file, and not of what the guest is given
            "size": device["memory_bytes"], "share": device["shared"],
            "address": device.get("address", facts.get(name, {}).get("address")),
            "block": device.get("block_bytes"), "requested": device.get("requested_bytes")}
    return found


def plan_facts(plan, engine):
    cells = [argv_facts.ids_of_text(cell["vcpus"]) for cell in plan["cells"]]
    told = plan["numa"]
    cell_of = {vcpu: number for number, vcpus in enumerate(cells) for vcpu in vcpus} if told else {}
    architecture = plan.get("architecture", "x86_64")
    is_ppc = architecture == "ppc64"
    places = _places(plan["vcpus"], cell_of, is_ppc)
    if architecture in TELLS_BY_TREE:  # a core each, in one row
        places = [dict.fromkeys(LEVELS, 0) | {"core-id": number, "cell": place["cell"]} for number, place in enumerate(places)]
    if None in engine["vcpus"].values():  # of a QEMU that knows no places there
        places = [None] * len(places)
    online = argv_facts.ids_of_text(plan["vcpus"].get("online", f"0-{len(places) - 1}" if len(places) > 1 else "0"))
    facts = {
        "cells": [[vcpu for vcpu in cell if vcpu in online] for cell in cells] if told else [],
        "memory": [{"size": cell["memory_bytes"], "share": cell["shared"]} for cell in plan["cells"]
                   if cell["memory_bytes"]],
        "vcpus": {number: places[number] for number in online}, "possible": places,
        "iothreads": {thread["id"]: _planned_iothread(thread) for thread in plan.get("iothreads", [])},
        "expanders": _planned_expanders(plan), "devices": _planned_devices(plan),
        "memory_devices": _planned_memory_devices(plan, engine["memory_devices"]),
        "caches": plan["vcpus"].get("caches", {}), "cxl": _planned_cxl(plan), "cxl_windows": _planned_windows(plan),
    }
    if told:
        numbers = acpi.apic_ids(plan["vcpus"]) if architecture == "x86_64" else range(len(places))
        facts["srat_vcpus"] = {number: cell_of[vcpu] for vcpu, number in enumerate(numbers)
                               if not is_ppc or vcpu in online}
        facts["srat_memory"] = {number: cell["memory_bytes"] for number, cell in enumerate(plan["cells"])
                                if cell["memory_bytes"]}
        if is_ppc:
            facts["steps"] = _steps(plan)
        elif plan.get("distances"):
            facts["distances"] = plan["distances"]
        if "initiator" in plan["cells"][0]:
            facts["initiators"] = {number: cell["initiator"] for number, cell in enumerate(plan["cells"])}
            facts["hmat"], facts["side_caches"] = hmat_values(plan["cells"]), _side_caches(plan["cells"])
    return facts


def differences(argv, plan):
    """(lines that say where QEMU and the plan differ, remark)"""
    fitted = Fitted(argv_facts.words_of_file(argv))
    if not shutil.which(fitted.words[0]):
        raise tap.Skip(f"{fitted.words[0]} is not installed")
    with tempfile.TemporaryDirectory(prefix="nq") as scratch:
        try:
            by_tree = fitted.words[0].rpartition("-")[2] in TELLS_BY_TREE
            tree = tree_facts(fitted.words, scratch) if by_tree else {}
            with Paused(fitted.words, scratch) as engine:
                facts = engine_facts(engine, argv_facts.words_of_file(argv), tree)
        except EngineError as trouble:
            if any(lack in str(trouble) for lack in LACKS):
                raise tap.Skip(f"this QEMU cannot: {trouble}") from trouble
            raise tap.Failure(f"QEMU refuses: {trouble}\n{' '.join(fitted.words)}") from trouble
    return argv_facts.differences(facts, plan_facts(plan, facts), ("QEMU", "the plan")), fitted.remark()


def compare(argv, plan):
    found, remark = differences(argv, plan)
    if found:
        raise tap.Failure("\n".join(found))
    return remark


def overlook(plan, mistake):
    try:
        found, _ = differences(mistakes.wrong_argv(mistake), plan)
    except tap.Failure:
        return
    if not found:
        raise tap.Failure(f"not seen: {mistake.wrong} instead of {mistake.right}")


def shared_caches(level):
    """The sample with a word that libvirt does not have, right or wrong."""
    plan = json.loads(mistakes.PLAN.read_text())
    plan["vcpus"]["caches"] = {"l3": "die"}
    return mistakes.ARGV.read_text().replace("split\n", f"split,smp-cache.0.cache=l3,smp-cache.0.topology={level}\n"), plan


def overlook_caches():
    if not differences(*shared_caches("socket"))[0]:
        raise tap.Failure("not seen: a cache shared by a socket instead of a die")


# A case with CXL, which libvirt does not have either, and mistakes in its command line.
CXL = ROOT / "tests" / "cases" / "cxl"
CXL_MISTAKES = (("the window of a bridge", "cxl-fmw.1.size=1073741824", "cxl-fmw.1.size=536870912"),
                ("the size of CXL memory", "size=536870912,mem-path", "size=268435456,mem-path"),
                ("who shares CXL memory", "mem-path=/srv/cxl1,share=off", "mem-path=/srv/cxl1,share=on"),
                ("the labels of CXL memory", "size=1048576,mem-path", "size=2097152,mem-path"),
                ("the cell of a bridge", "numa_node=1", "numa_node=0"))


def cxl_case(right="", wrong=""):
    argv, plan = (CXL / "kept.argv").read_text(), json.loads((CXL / "kept.plan.json").read_text())
    if right not in argv:
        raise tap.Failure(f"the case has no {right}")
    return argv.replace(right, wrong) if right else argv, plan["guests"][0]


def overlook_cxl(right, wrong):
    if not differences(*cxl_case(right, wrong))[0]:
        raise tap.Failure(f"not seen: {wrong} instead of {right}")


# A case whose cells stand in a device tree, and mistakes in its command line.
TREE = ROOT / "tests" / "cases" / "arch"
TREE_MISTAKES = (("a distance in a device tree", "dst=1,val=17", "dst=1,val=18"),
                 ("the memory of cells in a device tree", "id=ram-cell0,size=2147483648", "id=ram-cell0,size=1073741824"),
                 ("the vcpus of cells in a device tree", "cpus=0-5", "cpus=0-4"))


def overlook_in_tree(right, wrong):
    argv, plan = (TREE / "riscv64-kernel.argv").read_text(), json.loads((TREE / "riscv64-kernel.plan.json").read_text())
    if right not in argv:
        raise tap.Failure(f"the case has no {right}")
    wrong_argv = argv.replace(right, wrong).replace("cpus=6-7", "cpus=5-7" if "cpus" in right else "cpus=6-7")
    if "size" in right:
        wrong_argv = wrong_argv.replace("size=6291456k", "size=5242880k")
    if not differences(wrong_argv, plan["guests"][0])[0]:
        raise tap.Failure(f"not seen: {wrong} instead of {right}")


def self_tests():
    plan = json.loads(mistakes.PLAN.read_text())
    return [tap.Test("sample agrees with shared caches", lambda: compare(*shared_caches("die"))),
            tap.Test("sample: sees who shares a cache", overlook_caches)] + \
        [tap.Test(f"CXL: sees {about}", lambda right=right, wrong=wrong: overlook_cxl(right, wrong))
         for about, right, wrong in CXL_MISTAKES] + \
        [tap.Test(f"riscv64: sees {about}", lambda right=right, wrong=wrong: overlook_in_tree(right, wrong))
         for about, right, wrong in TREE_MISTAKES] + \
         [tap.Test("sample agrees", lambda: compare(mistakes.ARGV.read_text(), plan))] + \
        [tap.Test(f"sample: sees {mistake.about}", lambda mistake=mistake: overlook(plan, mistake))
         for mistake in mistakes.MISTAKES if mistake.engine_sees]


def main():
    parser = argparse.ArgumentParser(description="a paused QEMU against the plan, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--random", type=int, default=40, help="random plans")
    options = parser.parse_args()
    if not shutil.which("qemu-system-x86_64"):
        return tap.skip_all("qemu-system-x86_64 is not installed (qemu-system-x86)")
    with tempfile.TemporaryDirectory(prefix="numac-qemu-") as scratch:
        guests, broken = built.guests(Numac(options.numac), scratch, options.random)
        tests = self_tests() + [tap.Test("all sites build", lambda: built.fail_broken(broken))]
        tests += [tap.Test(f"qemu {guest.title}", lambda guest=guest: compare(guest.argv.read_text(), guest.plan))
                  for guest in guests if guest.argv]
        return tap.run(tests, os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())
