#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The guest's own view: guests really boot, a stock Debian kernel under emulation, and what that kernel finds in sysfs
# must be what the plan says: cells, their vcpus, their memory to the page and what is plugged of it, distances,
# topology.

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

from harness import built, initramfs, tap
from harness.program import ROOT, Numac
from oracles import argv_facts
from oracles.qemu_paused import Fitted
from oracles.sample import mistakes

SECONDS = 180
# possible_cpus: emulated APICs deliver nothing behind a hole in their numbers unless more than 8 make Linux address
# each one alone (QEMU 7.2, flat logical mode)
COMMAND_LINE = "console=ttyS0 quiet panic=-1 nokaslr no_timer_check memhp_default_state=online possible_cpus=16"
MOST_BYTES, MOST_VCPUS, MOST_GUESTS = 8 << 30, 16, 2  # a kernel touches 1.6 % of its memory before init
HOLES = 1 << 20  # of the first megabyte, and what firmware keeps
BEGIN, END = "numac-begin", "numac-end"
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_mem")
SCRIPT = f"""#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
for module in {" ".join(MODULES)}; do
    busybox insmod /tmp/$module.ko
done
total() {{ busybox awk '$1 == "present" {{ sum += $2 }} END {{ print sum }}' /proc/zoneinfo; }}
before=
while [ "$(total)" != "$before" ]; do  # virtio-mem takes its blocks one by one
    before=$(total)
    busybox sleep 3
done
busybox echo {BEGIN}
for node in /sys/devices/system/node/node[0-9]*; do
    number=${{node##*/node}}
    busybox echo "cell $number cpus $(busybox cat $node/cpulist)"
    busybox echo "cell $number distance $(busybox cat $node/distance)"
    for from in $node/access0/initiators/node[0-9]*; do
        busybox [ -e $from ] && busybox echo "cell $number initiator ${{from##*/node}}"
    done
    for what in read_latency write_latency read_bandwidth write_bandwidth; do
        busybox [ -e $node/access0/initiators/$what ] &&
            busybox echo "cell $number $what $(busybox cat $node/access0/initiators/$what)"
    done
    for cache in $node/memory_side_cache/index*; do
        busybox [ -e $cache ] && busybox echo "cell $number cache ${{cache##*/index}} $(busybox cat $cache/size) $(busybox cat $cache/line_size) $(busybox cat $cache/indexing) $(busybox cat $cache/write_policy)"
    done
done
for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
    cd $cpu/topology
    busybox echo "vcpu ${{cpu##*/cpu}} $(busybox cat physical_package_id) $(busybox cat thread_siblings_list)"
done
busybox awk '/^Node/ {{ node = $2 + 0 }} $1 == "present" {{ print "cell " node " present " $2 }}' /proc/zoneinfo
busybox echo {END}
busybox poweroff -f
"""


def boot(argv):
    """What the guest says between the marks."""
    fitted = Fitted(argv_facts.words_of_file(argv))
    # threads of a core: QEMU tells an AMD guest of them only with an option that emulation lacks
    words = [word.replace("max,phys-bits=52", "max,phys-bits=52,vendor=GenuineIntel") for word in fitted.words]
    with tempfile.TemporaryDirectory(prefix="numac-boot-") as scratch:
        archive = pathlib.Path(scratch, "initramfs.gz")
        archive.write_bytes(initramfs.archive(SCRIPT, initramfs.modules("virtio", MODULES)))
        words += ["-kernel", str(initramfs.kernel()), "-initrd", str(archive), "-append", COMMAND_LINE,
                  "-serial", "stdio", "-no-reboot"]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as hung:
            raise tap.Failure(f"not up within {SECONDS} s: {(hung.stdout or b'')[-1000:]}") from hung
    out = done.stdout.decode("utf-8", "replace").replace("\r", "")
    match = re.search(f"^{BEGIN}\n(.*)^{END}$", out, re.MULTILINE | re.DOTALL)
    if not match:
        raise tap.Failure(f"the guest said nothing: {out[-2000:]} {done.stderr.decode()[-1000:]}")
    return match.group(1), fitted.remark()


def guest_facts(text):
    cells, distances, vcpus, pages, hmat = {}, {}, {}, {}, {}
    for line in text.splitlines():
        words = line.split()
        if words[0] == "vcpu":
            vcpus[int(words[1])] = {"socket": int(words[2]), "siblings": argv_facts.ids_of_text(words[3])}
        elif words[2] == "cpus":
            cells[int(words[1])] = argv_facts.ids_of_text(words[3]) if len(words) > 3 else []
        elif words[2] == "distance":
            distances[int(words[1])] = [int(word) for word in words[3:]]
        elif words[2] == "present":
            pages[int(words[1])] = pages.get(int(words[1]), 0) + int(words[3])
        elif words[2] == "initiator":
            hmat.setdefault(int(words[1]), {}).setdefault("initiators", []).append(int(words[3]))
        elif words[2] == "cache":
            hmat.setdefault(int(words[1]), {}).setdefault("caches", []).append([int(word) for word in words[3:]])
        else:
            hmat.setdefault(int(words[1]), {})[words[2]] = int(words[3])
    order = sorted(cells)
    return {"cells": [cells[number] for number in order], "distances": [distances[number] for number in order],
            "vcpus": [vcpus[number] for number in sorted(vcpus)],
            "memory": [pages.get(number, 0) * 4096 for number in order],
            "hmat": hmat}


def _value(cell, word, unit, kind):
    """What the kernel shows: the value of the initiator that the memory belongs to, 0 where nobody told it."""
    found = [row.get(f"access_{unit}", row.get(f"{kind}_{unit}")) for row in cell.get(word, [])
             if row["initiator"] == cell["initiator"]]
    return found[0] if found else 0


def _hmat(plan):
    """By cell, as sysfs has it."""
    told = {}
    for number, cell in enumerate(plan["cells"]):
        if "initiator" not in cell or not cell["memory_bytes"]:
            continue
        told[number] = {"initiators": [cell["initiator"]]}
        for kind in ("read", "write"):
            told[number][f"{kind}_latency"] = _value(cell, "latencies", "ns", kind)
            told[number][f"{kind}_bandwidth"] = _value(cell, "bandwidths", "bytes", kind) >> 20
        indexing, policies = {"none": 2, "direct": 0, "full": 1}, {"none": 2, "writeback": 0, "writethrough": 1}
        caches = [[cache["level"], cache["size_bytes"], cache["line_bytes"], indexing[cache["associativity"]],
                   policies[cache["policy"]]] for cache in cell.get("side_caches", [])]
        told[number] |= {"caches": caches} if caches else {}
    return told


def _plugged(plan, number):
    """What a cell gets of memory devices; files are no memory to a kernel without their driver."""
    return sum(device.get("requested_bytes", device["memory_bytes"]) for device in plan.get("memory_devices", [])
               if device.get("cell") == number and device["model"] in ("dimm", "virtio-mem"))


def plan_facts(plan):
    """A kernel numbers the vcpus that it finds, without a hole for those that may be plugged."""
    count, topology = len(plan["cells"]), plan["vcpus"]
    there = argv_facts.ids_of_text(topology.get("online", f"0-{topology['count'] - 1}"))
    number_of = {vcpu: number for number, vcpu in enumerate(there)}
    cells = [[number_of[vcpu] for vcpu in argv_facts.ids_of_text(cell["vcpus"]) if vcpu in number_of]
             for cell in plan["cells"]]
    a_core = topology["threads"]
    a_socket = topology["count"] // topology["sockets"]
    vcpus = [{"socket": vcpu // a_socket,
              "siblings": [number_of[near] for near in there if near // a_core == vcpu // a_core]} for vcpu in there]
    by_kernel = [[10 if source == target else 20 for target in range(count)] for source in range(count)]
    return {"cells": cells, "distances": plan.get("distances") or by_kernel, "vcpus": vcpus,
            "memory": [cell["memory_bytes"] + _plugged(plan, number) for number, cell in enumerate(plan["cells"])],
            "hmat": _hmat(plan)}


def differences(facts, plan):
    expected = plan_facts(plan)
    # the kernel counts pages it can use; what firmware keeps is all that may be missing
    if len(facts["memory"]) == len(expected["memory"]):
        facts = facts | {"memory": [want if want - HOLES <= have <= want else have
                                    for have, want in zip(facts["memory"], expected["memory"])]}
    return argv_facts.differences(facts, expected, ("the guest", "the plan"))


def compare(argv, plan):
    text, remark = boot(argv)
    found = differences(guest_facts(text), plan)
    if found:
        raise tap.Failure("\n".join(found) + "\n" + text)
    return remark


WRONG_PLANS = (  # each falsifies one fact of the sample
    ("cells", lambda plan: plan["cells"][0].update(vcpus="0-1,6-7") or plan["cells"][1].update(vcpus="2-5")),
    ("memory", lambda plan: plan["cells"][2].update(memory_bytes=plan["cells"][2]["memory_bytes"] + (2 << 20))),
    ("distances", lambda plan: plan["distances"][0].__setitem__(1, 22)),
    ("sockets", lambda plan: plan["vcpus"].update(sockets=1, cores=4)),
    ("dimms", lambda plan: plan["memory_devices"][1].update(cell=2)),
    ("virtio-mem", lambda plan: plan["memory_devices"][2].update(requested_bytes=128 << 20)),
    ("initiators", lambda plan: plan["cells"][2].update(initiator=0)),
    ("latencies", lambda plan: plan["cells"][2]["latencies"][0].update(access_ns=181)),
    ("bandwidths", lambda plan: plan["cells"][2]["bandwidths"][0].update(write_bytes=9 << 30)),
    ("side caches", lambda plan: plan["cells"][2]["side_caches"][0].update(line_bytes=128)),
    ("vcpus at start", lambda plan: plan["vcpus"].update(online="0-4,7")),
    ("threads", lambda plan: plan["vcpus"].update(cores=4, threads=1)),
)


def self_test():
    """The sample boots and agrees; the same boot against wrong plans does not."""
    text, remark = boot(mistakes.ARGV.read_text())
    facts = guest_facts(text)
    found = differences(facts, json.loads(mistakes.PLAN.read_text()))
    if found:
        raise tap.Failure("\n".join(found) + "\n" + text)
    for about, falsify in WRONG_PLANS:
        plan = json.loads(mistakes.PLAN.read_text())
        falsify(plan)
        if not differences(facts, plan):
            raise tap.Failure(f"a plan with wrong {about} was not seen\n{text}")
    return remark


def bootable(guests):
    """The smallest guests of the examples with cells to show."""
    small = [guest for guest in guests if guest.argv and guest.site.startswith("examples/") and guest.plan["numa"]
             and guest.plan["architecture"] == "x86_64" and guest.plan["memory_bytes"] <= MOST_BYTES
             and guest.plan["vcpus"]["count"] <= MOST_VCPUS]
    small.sort(key=lambda guest: (guest.plan["memory_bytes"], guest.title))
    with_hmat = [guest for guest in small[MOST_GUESTS:] if "initiator" in guest.plan["cells"][0]]
    growing = [guest for guest in small[MOST_GUESTS:] if "memory_devices" in guest.plan and guest not in with_hmat[:1]]
    return small[:MOST_GUESTS] + with_hmat[:1] + growing[:1]


def no_guest():
    raise tap.Failure(f"no example has a guest of at most {MOST_BYTES >> 30} GiB and {MOST_VCPUS} vcpus to boot")


def main():
    parser = argparse.ArgumentParser(description="guests that really boot, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    options = parser.parse_args()
    if not shutil.which("qemu-system-x86_64"):
        return tap.skip_all("qemu-system-x86_64 is not installed (qemu-system-x86)")
    if not initramfs.kernel() or not initramfs.shell():
        return tap.skip_all("no kernel in build/kernel; ./setup check puts one there")
    with tempfile.TemporaryDirectory(prefix="numac-lab-") as scratch:
        guests, _ = built.guests(Numac(options.numac), scratch)
        chosen = bootable(guests)
        tests = [tap.Test("sample boots, and wrong plans are seen", self_test)]
        tests += [tap.Test(f"boot {guest.title}", lambda guest=guest: compare(guest.argv.read_text(), guest.plan))
                  for guest in chosen] or [tap.Test("boot an example", no_guest)]
        return tap.run(tests, os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())
