# SPDX-License-Identifier: MIT
#
# What libvirt itself keeps of scheduling classes, worker threads, parts of caches and plugged vcpus, none of which
# reach its QEMU command line: each XML is defined with libvirt's test driver and read back, and must say what the plan says.

import json
import re
import subprocess
import tempfile
import xml.etree.ElementTree as tree

from oracles import argv_facts

KIB = {"B": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def _class(element):
    priority = element.get("priority")
    return [element.get("scheduler"), int(priority) if priority else None]


def _by_thread(elements, attribute):
    return {number: _class(element) for element in elements for number in argv_facts.ids_of_text(element.get(attribute))}


def _groups(elements, facts_of):
    return {tuple(argv_facts.ids_of_text(element.get("vcpus"))): facts_of(element) for element in elements}


def _caches(element):
    return {"parts": {(int(one.get("level")), one.get("type"), int(one.get("id"))):
                      int(one.get("size")) * KIB[one.get("unit", "KiB")] for one in element.iter("cache")},
            "monitors": sorted(argv_facts.ids_of_text(one.get("vcpus")) for one in element.iter("monitor"))}


def _bandwidth(element):
    return {"shares": {int(one.get("id")): int(one.get("bandwidth")) for one in element.iter("node")},
            "monitors": sorted(argv_facts.ids_of_text(one.get("vcpus")) for one in element.iter("monitor"))}


def _hotplug(root):
    """Which vcpus are there, stay, and were plugged when: the first ones, or one by one."""
    vcpu, each = root.find("vcpu"), root.findall("vcpus/vcpu")
    most, first = int(vcpu.text), int(vcpu.get("current", vcpu.text))
    if not each:
        return {"most": most, "first": first} if first < most else {}
    def having(key, value):
        return [int(one.get("id")) for one in each if one.get(key) == value]
    ordered = sorted((int(one.get("order")), int(one.get("id"))) for one in each if one.get("order"))
    return {"most": most, "online": having("enabled", "yes"), "fixed": having("hotpluggable", "no"),
            "order": [vcpu for _, vcpu in ordered]}


def facts_of_xml(text):
    root = tree.fromstring(text)
    tune = root.find("cputune")
    tune = tree.Element("cputune") if tune is None else tune
    emulator = tune.find("emulatorsched")
    pools = {int(one.get("id")): [int(one.get("thread_pool_min", 0)), int(one.get("thread_pool_max"))]
             for one in root.iterfind("iothreadids/iothread") if one.get("thread_pool_max")}
    return {"vcpus": _by_thread(tune.iterfind("vcpusched"), "vcpus"),
            "iothreads": _by_thread(tune.iterfind("iothreadsched"), "iothreads"),
            "emulator": _class(emulator) if emulator is not None else None, "pools": pools,
            "caches": _groups(tune.iterfind("cachetune"), _caches),
            "bandwidth": _groups(tune.iterfind("memorytune"), _bandwidth), "hotplug": _hotplug(root)}


def _planned_hotplug(vcpus):
    """The same of a plan."""
    if "online" not in vcpus:
        return {}
    online, fixed = (argv_facts.ids_of_text(vcpus[key]) for key in ("online", "fixed"))
    if online == fixed == list(range(len(online))):
        return {"most": vcpus["count"], "first": len(online)} if len(online) < vcpus["count"] else {}
    return {"most": vcpus["count"], "online": online, "fixed": fixed, "order": vcpus.get("order", [])}


def _planned_class(scheduler):
    return [scheduler["class"], scheduler.get("priority")] if scheduler else None


def _planned_group(group):
    monitors = [(argv_facts.ids_of_text(one["vcpus"]), one) for one in group.get("monitors", [])]
    caches = {"parts": {(one["level"], one["content"], one["cache"]): one["bytes"] for one in group.get("caches", [])},
              "monitors": sorted(vcpus for vcpus, one in monitors if one["cache"])}
    bandwidth = {"shares": {one["node"]: one.get("percent") or one["bytes_per_second"] >> 20
                            for one in group.get("bandwidth", [])},
                 "monitors": sorted(vcpus for vcpus, one in monitors if one["bandwidth"])}
    return caches, bandwidth


def facts_of_plan(plan):
    schedulers, threads = plan.get("schedulers", {}), plan.get("iothreads", [])
    groups = {tuple(argv_facts.ids_of_text(group["vcpus"])): _planned_group(group)
              for group in plan.get("resctrl", [])}
    return {"vcpus": {number: _planned_class(row) for row in schedulers.get("vcpus", [])
                      for number in argv_facts.ids_of_text(row["vcpus"])},
            "iothreads": {one["id"]: _planned_class(one["scheduler"]) for one in threads if "scheduler" in one},
            "emulator": _planned_class(schedulers.get("emulator")),
            "pools": {one["id"]: [one["pool"]["least"], one["pool"]["most"]] for one in threads if "pool" in one},
            "caches": {vcpus: caches for vcpus, (caches, _) in groups.items() if any(caches.values())},
            "bandwidth": {vcpus: bandwidth for vcpus, (_, bandwidth) in groups.items() if any(bandwidth.values())},
            "hotplug": _planned_hotplug(plan["vcpus"])}


def says_any(plan):
    return any(facts_of_plan(plan).values())


def kept(text, folder):
    """The XML as libvirt gives it back, or a ValueError with what it says against it."""
    with tempfile.NamedTemporaryFile("w", suffix=".xml", dir=folder) as file:
        file.write(re.sub(r"(<domain\b[^>]*\btype=)(['\"])(?:kvm|qemu)\2", r"\1\2test\2", text, count=1))
        file.flush()
        uuid = tree.fromstring(text).findtext("uuid")
        done = subprocess.run(["virsh", "-q", "-c", "test:///default", f"define {file.name}; dumpxml {uuid}"],
                              capture_output=True, text=True, check=False)
    begin = done.stdout.find("<domain")
    if begin < 0:
        raise ValueError(done.stderr or done.stdout)
    return done.stdout[begin:]


def differences(text, plan):
    """`text` is what libvirt gave back."""
    return argv_facts.differences(facts_of_xml(text), facts_of_plan(plan), ("libvirt", "the plan"))


def _hotplug_mistakes(vcpus):
    if "online" not in _planned_hotplug(vcpus):
        return
    online, fixed = (argv_facts.ids_of_text(vcpus[key]) for key in ("online", "fixed"))
    yield "what is there", {"online": ",".join(map(str, online[:-1])) or "0,1"}
    yield "what stays", {"fixed": ",".join(map(str, online if fixed != online else fixed[:-1]))}
    if len(vcpus.get("order", [])) > 1:
        yield "an order", {"order": vcpus["order"][::-1]}


def mistakes(plan):
    """(what is wrong, the plan with it): each must be seen."""
    found = []
    for about, right, wrong in (("a priority", '"priority": ', '"priority": 1'), ("a class", '"fifo"', '"rr"'),
                                ("a size", '"bytes": ', '"bytes": 1'), ("a level", '"level": 3', '"level": 2'),
                                ("a content", '"content": "both"', '"content": "code"'),
                                ("a share", '"percent": ', '"percent": 1'),
                                ("what is watched", '"cache": true', '"cache": false'),
                                ("workers", '"most": ', '"most": 1')):
        text = json.dumps({key: value for key, value in plan.items() if key in ("schedulers", "iothreads", "resctrl")})
        if right in text:
            found.append((about, plan | json.loads(text.replace(right, wrong, 1))))
    return found + [(about, plan | {"vcpus": plan["vcpus"] | wrong}) for about, wrong in _hotplug_mistakes(plan["vcpus"])]
