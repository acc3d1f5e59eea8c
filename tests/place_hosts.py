#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Odd sites on every host there is, as TAP, a test a host: whatever is planned stands on CPUs and nodes that the host has,
# no CPU is given twice, nothing is lost, no node is overfilled; whatever is refused is refused without contradiction.
# The hosts are those of tests/hosts and of the corpus (NUMAC_CORPUS, or ../shared/corpus beside the checkout).
#   tests/place_hosts.py [--numac FILE] [--all]       --all: every site on every host, not every fifth

import argparse
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from harness import tap
from harness.program import ROOT

CORPUS = pathlib.Path(os.environ.get("NUMAC_CORPUS") or ROOT.parent / "shared" / "corpus") / "hosts"
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

# words of the host, then the guests; `own` marks guests all of whose vCPUs get CPUs of their own
SITES = [tuple(part.strip() for part in line.split("|")) for line in """
    | guest own { vcpus 2; memory 128MiB; pin cpus }
    | guest own { vcpus 4; memory 128MiB; pin cores }
    | guest own { vcpus 3; memory 128MiB; pin cores }
    | guest own { arch s390x; vcpus 4; memory 128MiB; pin cores }
    | guest a { arch s390x; vcpus all; memory all }
    | guest own { vcpus 2; memory 128MiB; pin cpus; emulator isolate; iothreads 1 }
    | guest a { vcpus all; memory all }
    | guest own { vcpus all; memory 64MiB; pin cores }
    | guest own { vcpus all; memory 64MiB; pin cpus; cells host }
    | guest own { vcpus all { threads 1 }; memory all; cells host; pin cpus; distances auto }
    | guest a { vcpus 32; memory 1GiB; cells host }
    | guest own { vcpus 6; memory 256MiB; cells auto; pin cpus }
    | guest a { vcpus 13; memory 511MiB; cells auto }
    | guest own { vcpus 10 { threads 2 }; memory 257MiB; cells auto; pin cores }
    | guest a { vcpus 5; memory 128MiB; cells auto; node all }
    | guest own { vcpus 6; memory 192MiB; cells 3; pin cpus }
    | guest own { vcpus 2; memory 64MiB; within l3; pin cpus }
    | guest a { vcpus 6; memory 64MiB; within socket }
    | guest own { vcpus 2; memory 64MiB; within core; pin cpus }
    | guest own { vcpus 9; memory 64MiB; within node; pin cpus }
    | guest own { vcpus 2; memory 64MiB; cpus socket:0; pin cpus }
    | guest own { vcpus 40; memory 64MiB; cpus socket:0; pin cpus }
    | guest a { vcpus 1; memory 64MiB; cpus core:0,0-3 }
    | guest own { vcpus 2; memory 64MiB; cpus all,^core:0; pin cpus }
    | guest own { vcpus 2; memory 64MiB; node all interleave; pin cpus }
    | guest a { vcpus 2; memory 900TiB; node 0 preferred }
    | guest a { vcpus 2; memory 64MiB; pages 2MiB }
    | guest a { vcpus 2; memory 4TiB; pages 2MiB }
    | guest a { vcpus 2; memory 4GiB; pages largest }
    | guest a { vcpus 8; memory 20GiB; cells auto }
    | guest a { vcpus 8; memory 40TiB; cells 2 }
    | guest a { vcpus 2; memory 64MiB; pin { 0 core:0; 1 core:1 } }
    | guest a { vcpus 2; memory 64MiB; cells 2; pin { 0 core:1.pu:0; 1 core:0.pu:0 } }
    | guest a { vcpus 2; memory 64MiB; cells auto; pin { 0-1 all } }
    | guest a { vcpus 3; memory 64MiB; pin { 0 core:0 } }
    | guest a { vcpus 2; memory 128MiB; cell x { vcpus 2 }; cell y { vcpus 0 } }
    | guest own { count 6; vcpus 2; memory 64MiB; pin cores }; guest c { vcpus 4; memory 64MiB }
    | guest a { count 40; vcpus 1; memory 1GiB }
    | placement spread; guest own { count 5; vcpus 1; memory 64MiB; pin cpus }; guest b { vcpus 2; memory 64MiB; within l3 }
    | guest own { vcpus 2; memory 64MiB; pin cpus }; guest own-2 { vcpus all; memory 64MiB; pin cpus }
    | guest n { count 9; vcpus 2; memory 3GiB; node numad }
    | guest own { vcpus 4; memory 128MiB; cells 4; distances auto; pin cpus }
    | guest own { vcpus 4; memory 128MiB; pin cpus; cell x { node all interleave }; cell y { node all } }
    | guest a { vcpus 1; memory 3GiB; node 0 { fallback all } }
    reserve os { cpus core:0; memory 256MiB } | guest own { vcpus all; memory 64MiB; pin cpus }
    reserve os { cpus all,^core:0 } | guest own { vcpus 4; memory 64MiB; cells auto; pin cpus }
    shared core:0 | guest own { vcpus 2; memory 64MiB; pin cores; iothreads 2 }; guest b { vcpus 2; memory 64MiB }
    isolated all,^core:0 | guest own { vcpus 3; memory 64MiB; pin cpus }; guest b { vcpus 2; memory 64MiB }
    hugepages 2MiB { all 64 } | guest a { vcpus 2; memory 128MiB; pages 2MiB }; guest b { vcpus 2; memory 64MiB; pages largest }
    hugepages 2MiB { all 20 } | guest a { vcpus 3; memory 100MiB; pages 2MiB; cells auto }
    hugepages 2MiB { all 20 } | guest a { vcpus 2; memory 40MiB; pages 2MiB; pin { 0-1 core:1 } }
    memory { all 1GiB } | guest a { vcpus 2; memory 3GiB; cells auto }; guest b { vcpus 1; memory 900MiB }
    | guest own { vcpus 16; memory 1GiB; cells 16; pin cpus }
    | guest own { count 3; vcpus 2; memory 64MiB; pin cpus }; group g { guests own; apart l3 }
    | guest own { count 2; vcpus 2; memory 64MiB; pin cpus }; group g { guests own; apart socket }
    | guest own { count 2; vcpus 2; memory 64MiB; pin cpus }; group g { guests own; together core }
    | guest own { count 2; vcpus 1; memory 64MiB; pin cores }; guest b { vcpus 2; memory 64MiB }; group g { guests own b; together node; apart core }
    | guest a { count 2; vcpus 2; memory 64MiB }; group g { guests a; apart node }; group s { guests a; together socket }
    | guest a { count 3; vcpus 2; memory 64MiB; within l3 }; group g { guests a; apart l3 }
    | placement spread; guest own { count 3; vcpus 1; memory 64MiB; pin cpus }; group g { guests own; together l3; apart core }
""".strip("\n").splitlines()]


def ids(text):
    found = set()
    for part in (text or "").split(",") if text else []:
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def contradictions(text):
    for found in re.finditer(r"needs (\d+) (?:whole core|CPU|page)[^;]*? (?:has|have) (\d+)(?: of them)? free", text):
        if int(found[1]) <= int(found[2]):
            yield found[0]
    for found in re.finditer(r"needs (\d+)([KMGT]iB)[^;]*? (?:has|have) (\d+)([KMGT]iB) free", text):
        if int(found[1]) * UNITS[found[2]] <= int(found[3]) * UNITS[found[4]]:
            yield found[0]
    for found in re.finditer(r"each of its (\d+) cells needs [^;]* has room for (\d+) of them", text):
        if int(found[2]) >= int(found[1]):
            yield found[0]
    yield from re.findall(r".*(?:4294967295|needs 0 |needs 0KiB).*", text)


def judge_refusal(findings):
    for finding in findings:
        for text in [finding["message"], *finding["notes"]]:
            yield from contradictions(text)


def judge_guest(guest, host, own, taken):
    online = set(host["online_cpus"]) - set(host["disallowed_cpus"])
    nodes = {node["os_index"]: node for node in host["nodes"] if node["allowed"]}
    pins = [ids(pin) if isinstance(pin, str) else None for pin in guest["pins"]["vcpus"]]
    for vcpu, pin in enumerate(pins):
        if pin is not None and not (pin and pin <= online):
            yield f"vCPU {vcpu} of {guest['name']} on {pin or 'nothing'}"
        if guest["name"].startswith("own"):
            if not pin or len(pin) != 1 or pin & own.keys():
                yield f"vCPU {vcpu} of {guest['name']} has {pin} for its own, given are {own}"
            own |= dict.fromkeys(pin or (), guest["name"])
    if sorted(vcpu for cell in guest["cells"] for vcpu in ids(cell["vcpus"])) != list(range(len(pins))):
        yield f"the vCPUs of {guest['name']} are not those of its cells"
    if sum(cell["memory_bytes"] for cell in guest["cells"]) != guest["memory_bytes"]:
        yield f"the memory of {guest['name']} is not that of its cells"
    for cell in guest["cells"]:
        bound = ids(cell.get("nodes"))
        if not bound <= nodes.keys() or not (bound or "numad" in guest or not cell["memory_bytes"]):
            yield f"cell {cell['name']} of {guest['name']} is on nodes {bound}"
        if cell.get("policy") != "preferred" and len(bound) == 1:
            taken[min(bound)] += cell["memory_bytes"]
    for node, taken_bytes in taken.items():
        if nodes[node]["memory_bytes"] is not None and taken_bytes > nodes[node]["memory_bytes"]:
            yield f"node {node} holds {taken_bytes}"


def part_of(cpu, level):
    """Where a CPU of the host is: what the source does not know of a level is the next wider thing that it knows."""
    if level == "l3" and cpu["l3"] is None:
        return ("die", cpu["package"], cpu["die"], None if cpu["die"] is not None else cpu["node"])
    if level == "core" and cpu["core"] is None:
        return ("cpu", cpu["os_index"])
    return cpu[{"socket": "package"}.get(level, level)]


def touched(guest, host, level):
    cpus = {cpu["os_index"]: cpu for cpu in host["cpus"]}
    found = {part_of(cpus[number], level) for pin in guest["pins"]["vcpus"] for number in ids(pin)}
    for number in set().union(*(ids(cell.get("nodes")) for cell in guest["cells"])):
        beside = [cpu for cpu in host["cpus"] if cpu["node"] == number]
        if level == "node":
            found.add(number)
        elif level == "socket":
            found |= {cpu["package"] for cpu in beside}
    return found


def judge_groups(guests, plan, host):
    for names, asked in re.findall(r"group \w+ { guests ([^;]+);([^}]+)}", guests):
        members = [guest for guest in plan["guests"] if re.sub(r"-\d+$", "", guest["name"]) in names.split()]
        for word, level in re.findall(r"(apart|together) (\w+)", asked):
            stands = [touched(guest, host, level) for guest in members]
            if word == "apart" and len(set().union(*stands)) != sum(map(len, stands)):
                yield f"not apart: {stands}"
            if word == "together" and len(set().union(*stands)) != 1:
                yield f"not together: {stands}"


def judge_plan(plan, host):
    own, taken = {}, collections.Counter()
    for guest in plan["guests"]:
        yield from judge_guest(guest, host, own, taken)
    for guest in plan["guests"]:
        for pin in guest["pins"]["vcpus"] if not guest["name"].startswith("own") else []:
            if ids(pin) & own.keys():
                yield f"{guest['name']} floats over {ids(pin) & own.keys()}, which are somebody's own"


def numac(program, words, folder):
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise tap.Failure(f"exit status {done.returncode}\n{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def judge(program, path, sites):
    _, host = numac(program, ["host", "show", "--format", "json", path], ".")
    wrong, planned = [], 0
    if not host["nodes"]:
        raise tap.Skip("it has no node")
    with tempfile.TemporaryDirectory() as folder:
        for words, guests in sites:
            text = f'host r {{ topology "{path}"; {words} }}\n{guests}\n'
            (pathlib.Path(folder) / "site.numa").write_text(text)
            status, out = numac(program, ["plan", "--format", "json", "site.numa"], folder)
            if status and any(finding["code"] < "NM02" for finding in out["findings"] if "is nothing on" not in finding["message"]):
                raise tap.Failure(f"{text}{out['findings'][0]['message']}")
            found = list(judge_refusal(out["findings"]) if status else judge_plan(out, host))
            found += [] if status else judge_groups(guests, out, host)
            wrong += [f"{guests}\n    {line}" for line in found]
            planned += not status
    if wrong:
        raise tap.Failure("\n".join(wrong))
    return f"{planned} of {len(sites)} sites planned"


def skip_corpus():
    raise tap.Skip(f"no hosts in {os.path.relpath(CORPUS, ROOT)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--numac", type=pathlib.Path, default=ROOT / "build" / "numac")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    program, step = options.numac.resolve(), 1 if options.all else 5
    own, corpus = sorted((ROOT / "tests" / "hosts").glob("*.xml")), sorted(CORPUS.glob("*.xml"))
    tests = []
    for number, path in enumerate(own + corpus):
        sites = SITES[number % step::step]
        tests.append(tap.Test(f"place {path.name}", lambda path=path, sites=sites: judge(program, path.resolve(), sites)))
    if not corpus:
        tests.append(tap.Test("place on the hosts of the corpus", skip_corpus))
    return tap.run(tests)


if __name__ == "__main__":
    sys.exit(main())
