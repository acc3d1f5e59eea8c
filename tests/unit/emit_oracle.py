#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Other programs' opinion of what the emitters write, in TAP: libvirt's schema and test driver read the XML, libvirt's
# QEMU driver and numac must turn one guest into the same memory and vCPUs, QEMU starts the arguments (paused, emulated)
# and tells what it understood, shellcheck reads the script.  Real domain XML is overlaid.  Judges that are missing are
# skipped and said so.
#
#     emit_oracle.py [DRIVER]        default: build/release/tests/drivers/emit
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DRIVER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build/release/tests/drivers/emit")
CORPUS = os.environ.get("NUMAC_CORPUS") or os.path.join(os.path.dirname(ROOT), "shared", "corpus")
SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
MIB, GIB = 1 << 20, 1 << 30

count = failures = 0


def ok(good, name, detail=""):
    global count, failures
    count += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        print("\n".join("# " + line for line in str(detail).splitlines()[:40]), flush=True)


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}", flush=True)


def run(*command, text=None, timeout=120, **more):
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout, **more)


# ---- plans ---------------------------------------------------------------------------------------------------------

def cell(name, vcpus, memory, **more):
    return {"name": name, "vcpus": vcpus, "memory_bytes": memory, "page_bytes": 0, "backing": "anonymous",
            "shared": False, "shared_said": False, "preallocated": False, "discard": False, "discard_said": False,
            "dump": True, "reserve": True, "merge": True, **more}


def guest(name, vcpus, cells, sockets=1, dies=1, threads=1, boot=None, **more):
    number = sum(name.encode()) % 1000
    return {"name": name, "uuid": f"5e6c2e5e-8a52-5b7c-9d5a-000000000{number:03}", "architecture": "x86_64",
            "machine": "q35", "accel": "kvm", "base": False, "cpu": {"model": "host-passthrough"},
            "boot": {"firmware": "bios", **(boot or {})}, "memory_bytes": sum(each["memory_bytes"] for each in cells),
            "vcpus": {"count": vcpus, "sockets": sockets, "dies": dies, "clusters": 1, "modules": 1,
                      "cores": vcpus // sockets // dies // threads, "threads": threads},
            "numa": len(cells) > 1, "cells": cells, "pins": {"vcpus": [None] * vcpus}, "locked": False, **more}


def plan(*guests):
    return {"format_version": 1, "site": "oracle", "targets": [], "guests": list(guests)}


def bound(nodes, policy="strict"):
    return {"nodes": nodes, "policy": policy}


GUESTS = [
    guest("plain", 1, [cell("0", "0", GIB)]),
    guest("one-bound", 2, [cell("0", "0-1", GIB, **bound("0"), merge=False, discard=True)]),
    guest("one-seen", 2, [cell("0", "0-1", GIB, **bound("0"))], numa=True),
    guest("two", 8, [cell("a", "0-3", GIB, **bound("0")), cell("b", "4-7", 2 * GIB, **bound("1"))], sockets=2,
          threads=2, distances=[[10, 21], [21, 10]],
          pins={"vcpus": ["8", "9", "10", "11", "48-49", "48-49", None, "2"], "emulator": "0,3"},
          iothreads=[{"id": 1, "cpus": "4"}, {"id": 5}]),
    guest("uneven", 6, [cell("a", "0,2-3", GIB), cell("b", "1,4", GIB, **bound("0", "interleave")),
                        cell("c", "5", GIB, **bound("0-1", "preferred"))],
          distances=[[10, 21, 31], [22, 10, 21], [33, 23, 10]]),
    guest("restrictive", 2, [cell("a", "0", GIB, **bound("0", "restrictive")),
                             cell("b", "1", GIB, **bound("1", "restrictive"))]),
    guest("memory-only", 2, [cell("a", "0-1", GIB), cell("b", "", GIB)]),
    guest("dies", 8, [cell("a", "0-3", GIB), cell("b", "4-7", GIB)], dies=2, threads=2),
    guest("flags", 4, [cell("a", "0-1", GIB, shared=True, shared_said=True, backing="memfd", merge=False, dump=True),
                       cell("b", "2-3", GIB, shared_said=True, discard_said=True, backing="memfd", merge=False)]),
    guest("prealloc", 2, [cell("a", "0", 16 * MIB, **bound("0"), preallocated=True, prealloc_threads=2,
                               context_nodes="0"),
                          cell("b", "1", 16 * MIB, **bound("0"), preallocated=True, prealloc_threads=2)]),
    guest("pages", 4, [cell("a", "0-1", GIB, page_bytes=2 * MIB, backing="file"),
                       cell("b", "2", GIB, page_bytes=GIB, backing="file"), cell("c", "3", GIB)]),
    guest("pages-alike", 2, [cell("a", "0", GIB, page_bytes=2 * MIB, backing="file"),
                             cell("b", "1", GIB, page_bytes=2 * MIB, backing="file")]),
    guest("locked", 1, [cell("0", "0", GIB)], locked=True, hard_limit_bytes=2 * GIB),
    guest("many", 64, [cell(str(i), f"{i * 8}-{i * 8 + 7}", GIB, **bound("0")) for i in range(8)], sockets=8,
          distances=[[10 if a == b else 20 + a + b for a in range(8)] for b in range(8)],
          pins={"vcpus": [str(200 + i) for i in range(64)], "emulator": "0-199"}),
    guest("odd,name=' \"x\" & <y>; $(z) `w` \\", 1, [cell("0", "0", GIB)],
          boot={"kernel": "/boot/a,b c", "initrd": "/boot/i", "cmdline": "root=/dev/vda1 quiet \"a b\" $HOME"}),
    guest("disks", 1, [cell("0", "0", GIB)], iothreads=[{"id": 2}],
          boot={"disk": "/images/a,b 'c'.qcow2", "network": "br0", "mac": "52:54:00:12:34:56"}),
    guest("block", 1, [cell("0", "0", GIB)], boot={"disk": "/dev/vg0/pg-1", "firmware": "uefi"}),
    guest("model", 2, [cell("0", "0-1", GIB)], accel="tcg",
          cpu={"model": "EPYC", "cache_mode": "disable", "maxphysaddr_mode": "emulate", "maxphysaddr_bits": 42,
               "features": [{"name": "topoext", "required": True}, {"name": "svm", "required": False}]}),
]


def emit(of, what, *base):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(of, file)
        file.flush()
        done = run(DRIVER, file.name, what, *base)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


# ---- judges --------------------------------------------------------------------------------------------------------

def judge_schema(each):
    name = f"plan.schema.json accepts {each['name']}"
    try:
        import jsonschema
    except ImportError:
        return skip(name, "python3-jsonschema is not installed")
    with open(os.path.join(ROOT, "docs/schema/plan.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(json.loads(emit(plan(each), "json"))))
    ok(not errors, name, errors)


def judge_rng(xml, name):
    if not os.path.exists(SCHEMA) or not shutil.which("xmllint"):
        return skip(name, "xmllint or libvirt's schemas are missing")
    done = run("xmllint", "--noout", "--relaxng", SCHEMA, "-", text=xml)
    ok(done.returncode == 0, name, done.stderr)


def flattened(element):
    return (element.tag, tuple(sorted(element.attrib.items())), (element.text or "").strip(),
            tuple(flattened(child) for child in element))


def judge_define(each, xml, folder):
    name = f"virsh defines {each['name']} and dumps it equal"
    if not shutil.which("virsh"):
        return skip(name, "virsh is missing")
    path = os.path.join(folder, "domain.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(xml)
    done = run("virsh", "-q", "-c", "test:///default", f"define {path}; dumpxml {each['uuid']}")
    dumped = done.stdout[done.stdout.find("<domain"):]
    if done.returncode or not dumped:
        return ok(False, name, done.stderr)
    ours, theirs = tree.fromstring(xml), tree.fromstring(dumped)
    for element in theirs.iter("interface"):  # the test driver names the tap device
        for target in element.findall("target"):
            element.remove(target)
    ok(flattened(ours) == flattened(theirs), name, dumped)


def on_this_machine(text):
    """Host nodes of the plan need not exist here: node 0 stands for all."""
    return re.sub(r"(host-nodes|node-affinity)=[0-9-]+(,\1=[0-9-]+)*", r"\1=0", text)


def qmp(arguments, *commands):
    lines = [json.dumps({"execute": "qmp_capabilities"})]
    lines += [json.dumps(command) for command in commands] + [json.dumps({"execute": "quit"})]
    done = run(*arguments, "-S", "-qmp", "stdio", text="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not any("QMP" in answer for answer in answers):
        raise RuntimeError(done.stderr)
    return [answer["return"] for answer in answers if "return" in answer][1:1 + len(commands)]


def runnable(words):
    """The same guest, emulated, without a terminal and without files and bridges that are not here."""
    words = [on_this_machine(word) for word in words]
    words[words.index("-accel") + 1] = "tcg"
    words[words.index("-serial") + 1] = "null"
    cpu = words.index("-cpu") + 1
    if words[cpu].startswith("host"):
        words[cpu] = "max"
    for option in ("-kernel", "-initrd", "-append", "-bios", "-blockdev", "-netdev", "-device"):
        while option in words:
            del words[words.index(option):words.index(option) + 2]
    return words


def ids_of(text):
    return [number for part in text.split(",") if part for number in
            range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]


def judge_qemu(each, argv):
    name = f"QEMU understands {each['name']}"
    if not shutil.which("qemu-system-x86_64"):
        return skip(name, "qemu-system-x86_64 is missing")
    if any(part["page_bytes"] for part in each["cells"]):
        return skip(name, "needs huge pages")
    words = runnable(shlex.split(argv))
    try:
        info, devices, cpus = qmp(words, {"execute": "human-monitor-command", "arguments": {"command-line": "info numa"}},
                                  {"execute": "query-memdev"}, {"execute": "query-cpus-fast"})
    except RuntimeError as error:
        return ok(False, name, error)
    wrong = []
    devices = {device["id"]: device for device in devices}
    if len(cpus) != each["vcpus"]["count"]:
        wrong.append(f"{len(cpus)} vCPUs")
    policies = {"strict": "bind", "preferred": "preferred", "interleave": "interleave", "restrictive": "default"}
    for number, part in enumerate(each["cells"]):
        if each["numa"]:
            seen = re.search(rf"node {number} cpus:([ 0-9]*)", info).group(1).split()
            size = int(re.search(rf"node {number} size: (\d+) MB", info).group(1))
            if [int(vcpu) for vcpu in seen] != ids_of(part["vcpus"]) or size * MIB != part["memory_bytes"]:
                wrong.append(f"cell {number}: {seen} {size}")
        device = devices[f"ram-cell{number}"]
        wanted = {"size": part["memory_bytes"], "share": part["shared"], "merge": part["merge"],
                  "dump": part["dump"], "prealloc": part["preallocated"],
                  "policy": policies[part["policy"]] if "nodes" in part else "default"}
        wrong += [f"cell {number}: {key} {device[key]}" for key, value in wanted.items() if device[key] != value]
    ok(not wrong, name, wrong)


def judge_script(each, argv):
    script = emit(plan(each), ".sh")
    command = script[script.index("exec ") + 5:]
    words = shlex.split(command.replace("\\\n", " "))
    if words[0] == "taskset":
        pins = [each["pins"].get("emulator", "")] + each["pins"]["vcpus"]
        pins += [thread.get("cpus", "") for thread in each.get("iothreads", [])]
        wanted = {cpu for pin in pins if pin for cpu in ids_of(pin)}
        ok(words[1] == "-c" and set(ids_of(words[2])) == wanted, f"taskset of {each['name']} is the union", words[2])
        words = words[3:]
    ok(words == shlex.split(argv), f"script and argv of {each['name']} are the same words", script)
    if not shutil.which("shellcheck"):
        return skip(f"shellcheck of {each['name']}", "shellcheck is missing")
    done = run("shellcheck", "-", text=script)
    ok(done.returncode == 0, f"shellcheck of {each['name']}", done.stdout)


# ---- libvirt's own compiler ----------------------------------------------------------------------------------------

def memory_and_vcpus(words):
    """What both must agree on, out of either command line: sizes, topology, cells, distances, binding."""
    result = {"cells": {}, "distances": {}, "objects": {}}
    for option, value in zip(words, words[1:]):
        if option == "-object":
            fields = json.loads(value) if value.startswith("{") else None
            if fields is None:
                kind, *rest = value.split(",")
                fields = {"qom-type": kind}
                for part in rest:
                    key, _, text = part.partition("=")
                    fields.setdefault(key, [] if key == "host-nodes" else text)
                    if key == "host-nodes":
                        fields[key] += ids_of(text)
            if fields["qom-type"].startswith("memory-backend"):
                result["objects"][fields["id"]] = (int(fields["size"]), tuple(fields.get("host-nodes", ())),
                                                   fields.get("policy"))
        elif option == "-numa":
            kind, *rest = value.split(",")
            pairs = [part.partition("=")[::2] for part in rest]
            values = dict(pairs)
            if kind == "node":
                vcpus = [vcpu for key, text in pairs if key == "cpus" for vcpu in ids_of(text)]
                result["cells"][int(values["nodeid"])] = (vcpus, values.get("memdev"))
            elif kind == "dist" and values["src"] != values["dst"]:
                result["distances"][values["src"], values["dst"]] = values["val"]
        elif option == "-smp":
            result["smp"] = value.replace("maxcpus=", "")
        elif option == "-m":
            size = re.sub(r"^size=", "", value)  # a bare number is MiB
            result["memory"] = int(size[:-1]) if size.endswith("k") else int(size) * 1024
    result["cells"] = {number: (vcpus, result["objects"].get(memory))
                       for number, (vcpus, memory) in result["cells"].items()}
    if result["cells"]:
        del result["objects"]
    else:
        result["objects"] = sorted(result["objects"].values())
    return result


def judge_native(guests):
    name = "libvirt's QEMU driver and numac agree on"
    if os.geteuid() or not shutil.which("virsh") or not glob.glob("/usr/lib/*/libvirt/connection-driver/*qemu.so"):
        return skip(f"{name} anything", "needs root, virsh and libvirt's QEMU driver")
    folder = tempfile.mkdtemp(prefix="nl")
    try:
        os.makedirs(f"{folder}/etc")
        with open(f"{folder}/etc/qemu.conf", "w", encoding="utf-8") as file:
            file.write('stdio_handler = "file"\nuser = "root"\ngroup = "root"\ndynamic_ownership = 0\n'
                       'remember_owner = 0\nsecurity_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n')
        for each in guests:
            judge_native_guest(name, folder, each)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge_native_guest(name, folder, each):
    if any(part["page_bytes"] or part["backing"] != "anonymous" for part in each["cells"]):
        return skip(f"{name} {each['name']}", "needs huge pages or a file")
    each = json.loads(re.sub(r'("nodes": )"[^"]*"', r'\1"0"', json.dumps(each)))
    each = {**each, "accel": "tcg", "cpu": {"model": "qemu64"}, "boot": {"firmware": "bios"}, "iothreads": [],
            "pins": {"vcpus": [None] * each["vcpus"]["count"]}}
    path = f"{folder}/guest.xml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(emit(plan(each), ".xml"))
    done = run("virsh", "-q", "-c", f"qemu:///embed?root={folder}", "domxml-to-native", "qemu-argv", path)
    if done.returncode:
        return ok(False, f"{name} {each['name']}", done.stderr)
    theirs, ours = memory_and_vcpus(shlex.split(done.stdout)), memory_and_vcpus(shlex.split(emit(plan(each), ".argv")))
    ok(ours == theirs, f"{name} {each['name']}", f"ours   {ours}\ntheirs {theirs}")


# ---- overlays on real domains --------------------------------------------------------------------------------------

OWNED = {
    "domain": {"name", "uuid", "memory", "currentMemory", "vcpu", "vcpus", "numatune", "iothreads"},
    "memtune": {"hard_limit"},
    "memoryBacking": {"hugepages", "nosharepages", "locked", "source", "access", "allocation", "discard"},
    "cputune": {"vcpupin", "emulatorpin", "iothreadpin", "vcpusched", "emulatorsched", "iothreadsched", "cachetune",
                "memorytune"},
    "iothreadids": {"iothread"},
    "cpu": {"topology"},
}


def foreign(element, has_numa, path=""):
    """All that numac does not own, without containers in which nothing else is.  A guest that is told of no cells can
    keep no table of latencies between them either."""
    inside = f"{path}/{element.tag}"
    owned = OWNED.get(element.tag, set()) if path in ("", "/domain") else set()
    children = [foreign(child, has_numa, inside) for child in element if child.tag not in owned]
    if inside == "/domain/cpu/numa" and not has_numa:
        return None
    if inside == "/domain/cpu/numa":
        children = [child for child in children if child and child[0] != "cell"]
    children = tuple(child for child in children if child)
    containers = ("memtune", "memoryBacking", "cputune", "iothreadids", "numa", "cpu")
    if path in ("/domain", "/domain/cpu") and element.tag in containers and not children and \
            (element.tag != "cpu" or not element.attrib):
        return None
    return (element.tag, tuple(sorted(element.attrib.items())), (element.text or "").strip(), children)


def judge_overlays(folder):
    bases = sorted(glob.glob(os.path.join(CORPUS, "domains", "**", "*.xml"), recursive=True))
    if not bases:
        return skip("overlays on real domains", "no corpus: set NUMAC_CORPUS")
    path = os.path.join(folder, "overlaid.xml")
    wrong, invalid, judged = [], [], 0
    for each in [GUESTS[1], GUESTS[3]]:
        on_base = plan({**each, "base": True})
        for base in bases:
            with open(base, encoding="utf-8", newline="") as file:
                before = file.read()
            try:
                root = tree.fromstring(before.encode())
            except tree.ParseError:
                continue
            if root.tag != "domain" or "<!DOCTYPE" in before:
                continue
            judged += 1
            after = emit(on_base, ".xml", base)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(after)
            if emit(on_base, ".xml", path) != after:
                wrong.append(f"{base}: a second overlay changes it again")
            if foreign(root, each["numa"]) != foreign(tree.fromstring(after.encode()), each["numa"]):
                wrong.append(f"{base}: something that is not numac's changed")
            schema = ["xmllint", "--noout", "--relaxng", SCHEMA]
            if os.path.exists(SCHEMA) and run(*schema, base).returncode == 0 and run(*schema, path).returncode:
                invalid.append(base)
    ok(judged and not wrong, f"{judged} overlays keep what is not numac's, and settle", "\n".join(wrong))
    ok(not invalid, "overlays on valid domains are valid", "\n".join(invalid))


def main():
    if not os.access(DRIVER, os.X_OK):
        print(f"1..0 # SKIP no driver at {DRIVER}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for each in GUESTS:
            xml, argv = emit(plan(each), ".xml"), emit(plan(each), ".argv")
            judge_schema(each)
            judge_rng(xml, f"libvirt's schema accepts {each['name']}")
            judge_define(each, xml, folder)
            judge_qemu(each, argv)
            judge_script(each, argv)
        judge_native(GUESTS)
        judge_overlays(folder)
    print(f"1..{count}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
