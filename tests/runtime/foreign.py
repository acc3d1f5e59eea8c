#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# verify and stat for guests that numac did not start: a QEMU started by hand, imported and named by its process, and a
# guest of a libvirt daemon that virsh started.  What cannot be known of them must be said, never guessed.

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import tap
from harness.program import ENVIRONMENT, ROOT, Numac
from harness.stage import QEMU, Stage, expect, need, process_file
from runtime.engines import kernel_cpus, two_cpus

PINS = "host here { topology live }\nguest hand {\n    pin { 0 0; 1 1 }\n    emulator { cpus 1 }\n"
CELLS = ("-m", "192", "-smp", "2", "-object", "memory-backend-ram,id=a,size=64M,prealloc=on", "-object",
         "memory-backend-ram,id=b,size=128M", "-numa", "node,nodeid=0,cpus=0,memdev=a", "-numa",
         "node,nodeid=1,cpus=1,memdev=b")
ALIKE = [word.replace("size=128M", "size=64M").replace("192", "128") for word in CELLS]
# a libvirt daemon that only these processes see; $1 numac, $2 the site to be written, $3 the guest's XML
DAEMON = """
set -e
for folder in /run /etc/libvirt/qemu /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do mkdir -p $folder; mount -t tmpfs none $folder; done
virtlogd -d
libvirtd -d
trap 'virsh -q destroy hand 2>/dev/null || true; kill $(cat /run/libvirtd.pid) $(cat /run/virtlogd.pid)' EXIT
try() { echo "== $*"; status=0; "$@" 2>&1 || status=$?; echo "-- $status"; }
export LIBVIRT_DEFAULT_URI=qemu:///system
virsh -q create "$3"
virsh -q dumpxml hand > "$2.xml"
"$1" import -o "$2" "$2.xml"
try "$1" verify --connect qemu:///system "$2/site.numa"
try "$1" stat --connect qemu:///system "$2/site.numa"
virsh -q vcpupin hand 0 1 --live
try "$1" verify --connect qemu:///system "$2/site.numa"
try "$1" verify --repair --connect qemu:///system "$2/site.numa"
try "$1" stop "$2/site.numa"
virsh -q destroy hand
virsh -q define "$3"
try "$1" verify --connect qemu:///system "$2/site.numa"
"""
HAND = """<domain type='qemu'><name>hand</name><memory unit='MiB'>64</memory><vcpu cpuset='0-1'>2</vcpu>
<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='1'/><emulatorpin cpuset='1'/></cputune>
<os><type arch='x86_64' machine='q35'>hvm</type></os>
<cpu><numa><cell id='0' cpus='0' memory='32' unit='MiB'/><cell id='1' cpus='1' memory='32' unit='MiB'/></numa></cpu>
</domain>
"""


class Hand:
    """A QEMU by hand, in the stage's folder, so that the stage ends it."""

    def __init__(self, stage, *words, name="guest=hand,debug-threads=on"):
        self.log = stage.folder / "hand.log"
        self.process = subprocess.Popen([QEMU, "-name", name, "-accel", "tcg,thread=multi", "-display", "none", "-nodefaults",
                                         "-S", "-qmp", f"unix:{stage.folder}/hand.qmp,server=on,wait=off", *words],
                                        stdin=subprocess.DEVNULL, stderr=open(self.log, "wb"), env=ENVIRONMENT)
        stage.started.append(self.process)
        self.pid = self.process.pid
        self.await_greeting(stage.folder / "hand.qmp")

    def await_greeting(self, path):
        """It comes behind the memory and the vCPUs."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as monitor:
                monitor.settimeout(60)
                try:
                    monitor.connect(str(path))
                    if monitor.recv(64).startswith(b'{"QMP"'):
                        return
                except (FileNotFoundError, ConnectionRefusedError):
                    time.sleep(0.02)
        raise tap.Failure(f"no QEMU by hand: {self.log.read_text()}")

    def thread(self, name):
        for task in pathlib.Path("/proc", str(self.pid), "task").iterdir():
            if (task / "comm").read_text().strip() == name:
                return int(task.name)
        raise tap.Failure(f"no thread '{name}'")

    def pin(self, cpus):
        for task in pathlib.Path("/proc", str(self.pid), "task").iterdir():
            os.sched_setaffinity(int(task.name), cpus)


def imported(stage, hand, pins=True):
    expect(stage.run("import", "-o", "site", f"/proc/{hand.pid}/cmdline"), 0)
    site = stage.folder / "site" / "site.numa"
    if pins:
        site.write_text(site.read_text().replace("guest hand {\n", PINS))
    return site


def verified(stage, hand, site, status=0):
    run = stage.run("verify", "--format", "json", "--pid", hand.pid, site)
    if run.status != status:
        raise tap.Failure(f"verify: expected status {status}; {run.told()}")
    return json.loads(run.out)["guests"][0]


def verdicts(guest, kind):
    return {fact["what"]: fact["verdict"] for fact in guest["facts"] if fact["kind"] == kind}


# ---- by its process -------------------------------------------------------------------------------------------------

def placed(numac):
    """Pinned by hand as the site says, moved, seen, put back."""
    two_cpus()
    with Stage(numac) as stage:
        hand = Hand(stage, *CELLS)
        site = imported(stage, hand)
        found = verdicts(verified(stage, hand, site, 1), "cpus")
        if {found.get("vcpu 0"), found.get("vcpu 1"), found.get("emulator")} != {"wrong"}:
            raise tap.Failure(f"threads that nobody pinned are not wrong: {found}")
        hand.pin({1})
        os.sched_setaffinity(hand.thread("CPU 0/TCG"), {0})
        guest = verified(stage, hand, site, 1)  # nobody bound its memory, which the site says is on a node
        if set(verdicts(guest, "cpus").values()) != {"exact"} or guest["exact"]:
            raise tap.Failure(f"{guest}")
        os.sched_setaffinity(hand.thread("CPU 1/TCG"), {0})
        expect(stage.run("verify", "--pid", hand.pid, site), 1, "NM1322", "NM1326",
               text=["vcpu 1 of guest 'hand': cpus 0, not cpus 1 as planned", f"it is thread {hand.thread('CPU 1/TCG')}"])
        expect(stage.run("verify", "--repair", "--pid", hand.pid, site), 1, "NM1326", text=["NM1328"])
        if kernel_cpus(hand.thread("CPU 1/TCG")) != "1":
            raise tap.Failure("not repaired")
        if stage.listed():
            raise tap.Failure("listed, and numac did not start it")
        expect(stage.run("stop", site), 3, "NM1307")


def memory(numac):
    """Each cell's memory is found by its size, what is used of it by the kernel; of alike cells it is said how."""
    with Stage(numac) as stage:
        hand = Hand(stage, *CELLS)
        site = imported(stage, hand, pins=False)
        run = expect(stage.run("stat", "--pid", hand.pid, site), 0, text=[f"guest hand, process {hand.pid}"])
        rows = {line.split("  ")[1].strip(): float(line.split()[-1]) for line in run.out.splitlines() if "cell" in line}
        if rows.get("cell 0") != 64.0 or not rows.get("cell 1", 64.0) < 64.0:
            raise tap.Failure(f"{rows}: the first cell alone was filled")
        guest = verified(stage, hand, site)
        if verdicts(guest, "memory") != {"cell 0": "exact", "cell 1": "untouched"} and \
                verdicts(guest, "memory") != {"cell 0": "exact", "cell 1": "exact"}:
            raise tap.Failure(f"{guest}")
        expect(stage.run("verify", "--pid", hand.pid, site), 0,
               text=["as planned, where it can be seen", "QEMU's monitor is not asked"])


def memory_alike(numac):
    with Stage(numac) as stage:
        hand = Hand(stage, *ALIKE)
        site = imported(stage, hand, pins=False)
        run = expect(stage.run("stat", "--pid", hand.pid, site), 0)
        rows = [float(line.split()[-1]) for line in run.out.splitlines() if "cell" in line]
        if rows[0] != 64.0 or not rows[1] < 64.0:
            raise tap.Failure(f"{rows}: the first cell alone was filled")
        expect(stage.run("verify", "--pid", hand.pid, site), 0,
               text=["NM1321", "which memory is which of cells 0, 1 of guest 'hand' cannot be seen"])


def memory_of_another_size(numac):
    """What is not there is not seen, and never taken from what is larger."""
    with Stage(numac) as stage:
        hand = Hand(stage, "-m", "256", "-smp", "1")
        site = imported(stage, hand, pins=False)
        expect(stage.run("verify", "--pid", hand.pid, site), 0, text=["cell 0"])
        site.write_text(site.read_text().replace("256MiB", "192MiB"))
        expect(stage.run("verify", "--pid", hand.pid, site), 0,
               text=["cell 0 of guest 'hand' cannot be seen: its memory not found by its size"])


def nameless(numac):
    """Without debug-threads nobody knows a vCPU; a thread outside of all that is planned is wrong all the same."""
    two_cpus()
    with Stage(numac) as stage:
        hand = Hand(stage, "-m", "64", "-smp", "1", name="hand")
        site = imported(stage, hand)
        site.write_text(site.read_text().replace("pin { 0 0; 1 1 }", "pin { 0 1 }"))
        hand.pin({1})
        guest = verified(stage, hand, site, 1)
        if verdicts(guest, "cpus") != {"emulator": "exact", "which thread is which vcpu": "unknown"}:
            raise tap.Failure(f"{guest}")
        last = max(int(task.name) for task in pathlib.Path("/proc", str(hand.pid), "task").iterdir())
        os.sched_setaffinity(last, {0})
        expect(stage.run("verify", "--pid", hand.pid, site), 1, "NM1322", "NM1326",
               text=[f"thread {last} of guest 'hand': cpus 0, not cpus 1", "debug-threads=on"])
        expect(stage.run("stat", "--pid", hand.pid, site), 0, text=["some thread"])


def refused(numac):
    with Stage(numac) as stage:
        hand = Hand(stage, "-m", "64", "-smp", "1", name="guest=a,,b,debug-threads=on")
        site = stage.site("guest hand { accel tcg; vcpus 1; memory 64MiB }\nguest other { accel tcg; vcpus 1; memory 64MiB }\n")
        for words, status, code, text in (
                (("--pid", hand.pid, site, "hand"), 3, "NM1333", "its name is 'a,b'"),
                (("--pid", os.getpid(), site, "hand"), 3, "NM1333", "is not QEMU of guest 'hand': it is 'python3"),
                (("--pid", 2 ** 22 - 1, site, "hand"), 3, "NM1333", "it does not run"),
                (("--pid", hand.pid, site), 2, "NM0004", "cannot be 2 guests"),
                (("--pid", hand.pid, "--connect", "test:///default", site, "hand"), 2, "NM0004", "'--connect'"),
                (("--pid", "12x", site, "hand"), 2, "NM0004", "'--pid 12x' is no number"),
                (("--pid", "99999999", site, "hand"), 2, "NM0004", "is no number"),
                ((site, "hand"), 3, "NM1307", "'--connect URI' or '--pid PID'"),
                (("--connect", "test:///default", site, "hand"), 3, "NM1307", "does not run: libvirt has none")):
            expect(stage.run("verify", *words), status, code, text=[text])
        expect(stage.run("run", "--pid", hand.pid, site), 2, "NM0004", text=["'run' takes no '--pid'"])
        if stage.listed() or not process_file(hand.pid, "cmdline"):
            raise tap.Failure("something was done to it")


# ---- of a libvirt daemon --------------------------------------------------------------------------------------------

def parts_of(text):
    """[(out, status)] of each `try` above."""
    return [(part.rpartition("-- ")[0], int(part.rpartition("-- ")[2].split()[0])) for part in text.split("== ")[1:]]


def daemon(numac):
    need("embed")
    two_cpus()
    for program in ("virtlogd", "libvirtd", "unshare", "virsh"):
        if not shutil.which(program):
            raise tap.Skip(f"{program} is not installed (libvirt-daemon, libvirt-clients, util-linux)")
    if os.geteuid() != 0:
        raise tap.Skip("only root can mount a place for a libvirt daemon of its own")
    with Stage(numac, "embed") as stage:
        (stage.folder / "hand.xml").write_text(HAND)
        done = subprocess.run(["unshare", "-m", "sh", "-c", DAEMON, "sh", str(numac.path), str(stage.folder / "hand"),
                               str(stage.folder / "hand.xml")], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, check=False, env=ENVIRONMENT | stage.environment)
        expected = [("guest hand: as planned\n", 0), ("vcpu 1", 0), ("vcpu 0 of guest 'hand': cpus 1, not cpus 0", 1),
                    ("NM1328", 0), ("NM1307", 3), ("does not run: it is defined, and stands still", 3)]
        parts = parts_of(done.stdout)
        if done.returncode or [status for _, status in parts] != [status for _, status in expected] or \
                any(text not in out for (out, _), (text, _) in zip(parts, expected)):
            raise tap.Failure(f"{done.stdout}\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description="guests that numac did not start, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--daemon", action="store_true", help="with a daemon, which takes minutes to find its way")
    options = parser.parse_args()
    numac = Numac(options.numac)
    tests = [("a guest of a libvirt daemon", daemon)] if options.daemon else [
        ("pinned by hand, moved, put back", placed), ("memory by its size", memory), ("memory of one size", memory_alike),
        ("memory of another size", memory_of_another_size), ("threads without names", nameless), ("refused", refused)]
    return tap.run([tap.Test(name, lambda run=run: run(numac)) for name, run in tests], 2)


if __name__ == "__main__":
    sys.exit(main())
