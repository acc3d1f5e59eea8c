#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Runs inside the lab (harness/lab.py), as root of a machine with several nodes: guests by all three engines are where
# the plan says, by numac's word and by the kernel's own files; what is moved behind numac's back is found, named and put
# back; pools of huge pages grow for a guest and shrink behind it.  TAP on stdout.

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import lab, tap
from harness.program import Numac
from harness.stage import QEMU, Stage, expect, process_file
from runtime import faults
from runtime.engines import all_exact, facts, kernel_cpus
from runtime.faults import CGROUPS, no_cgroup_left

SYSTEM = "qemu:///system"
NODES = pathlib.Path("/sys/devices/system/node")
POOL = "hugepages/hugepages-2048kB/nr_hugepages"
QEMU_CONF = """stdio_handler = "file"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
LIBVIRTD_CONF = """auth_unix_rw = "none"
auth_unix_ro = "none"
log_outputs = "3:file:/tmp/libvirtd.log"
"""
ENGINES = {"qemu": ("--engine", "qemu"), "embed": ("--engine", "embed"), "libvirt": ("--connect", SYSTEM)}


def has_systemd():
    return pathlib.Path("/run/systemd/system").exists()


def node_cpus(node):
    found = []
    for part in (NODES / f"node{node}" / "cpulist").read_text().strip().split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1) if first else []
    return found


class Machine:
    """Which nodes are for what: `near` has the emulator, `left` and `right` a cell each, `memory` has no CPU."""

    def __init__(self):
        self.count = len(list(NODES.glob("node[0-9]*")))
        self.near, self.left, self.right, self.memory = 0, 1, 2, self.count - 1
        self.each = len(node_cpus(self.left))

    def site(self, pool=32, memory="64MiB", host="live"):
        return f"""host here {{ topology {host}; hugepages 2MiB {{ {self.near} {pool} }} }}
guest far {{
    accel tcg
    vcpus {2 * self.each}
    pin cpus
    cell 0 {{ memory 64MiB; node {self.left}; vcpus {self.each} }}
    cell 1 {{ memory 64MiB; node {self.right}; vcpus {self.each} }}
}}
guest huge {{
    accel tcg
    vcpus 1
    cell 0 {{ memory {memory}; node {self.near}; pages 2MiB; vcpus 1 }}
    cell 1 {{ memory 64MiB; node {self.memory}; vcpus 0 }}
}}
"""


def pool(node, count=None):
    """Huge pages of a node; sets them first where a count is given."""
    path = NODES / f"node{node}" / POOL
    if count is not None:
        path.write_text(str(count))
    return int(path.read_text())


def policies(pid):
    """{policy: {node: pages}} of all areas of a process, as the kernel tells them."""
    found = {}
    for line in process_file(pid, "numa_maps").decode().splitlines():
        words = line.split()
        for word in words[2:]:
            match = re.fullmatch(r"N(\d+)=(\d+)", word)
            if match:
                of = found.setdefault(words[1], {})
                of[int(match.group(1))] = of.get(int(match.group(1)), 0) + int(match.group(2))
    return found


def pid_of(stage, guest):
    return next(one["pid"] for one in stage.listed() if one["name"] == guest)


def threads(stage, guest):
    return {fact["what"]: fact["thread"] for fact in facts(stage, "site.numa")["facts"] if "thread" in fact}


def boots_as_told(machine):
    for source in range(machine.count):
        told = (NODES / f"node{source}" / "distance").read_text().split()
        if [int(word) for word in told] != [lab.distance(source, target) for target in range(machine.count)]:
            raise tap.Failure(f"node {source}: {told}")
    if node_cpus(machine.memory) or not node_cpus(machine.right):
        raise tap.Failure("CPUs are on other nodes than told")


# ---- where it is ----------------------------------------------------------------------------------------------------

def exact(numac, machine, engine):
    """Both guests where the plan says; then everything that can move is moved, seen, and put back."""
    with Stage(numac, engine if engine != "libvirt" else "embed") as stage:
        stage.site(machine.site())
        pool(machine.near, 32)
        for guest in ("far", "huge"):
            expect(stage.run("run", "--detach", *ENGINES[engine], "site.numa", guest, seconds=240), 0)
        if {one["engine"] for one in stage.listed()} != {engine} or len(stage.listed()) != 2:
            raise tap.Failure(f"list: {stage.listed()}")
        verified = json.loads(expect(stage.run("verify", "--format", "json", "site.numa", seconds=240), 0).out)["guests"]
        for one in verified:
            all_exact(one)
        by_kernel(machine, policies(pid_of(stage, "far")), (machine.left, machine.right))
        by_kernel(machine, policies(pid_of(stage, "huge")), (machine.near,))
        vcpus = {fact["what"]: fact["thread"] for fact in verified[0]["facts"] if fact["kind"] == "cpus"}
        if int(kernel_cpus(vcpus["vcpu 0"])) not in node_cpus(machine.left):
            raise tap.Failure(f"vcpu 0 may run on CPUs {kernel_cpus(vcpus['vcpu 0'])}")
        moved_and_repaired(machine, stage, vcpus)
        expect(stage.run("stop", "site.numa", seconds=240), 0)
        stage.expect_nothing_left()
        pool(machine.near, 0)


def by_kernel(machine, found, nodes):
    """Pages of areas bound to one node lie on it, and there are some."""
    for node in nodes:
        if set(found.get(f"bind:{node}", {})) != {node}:
            raise tap.Failure(f"bind:{node}: {found}")


def moved_and_repaired(machine, stage, vcpus):
    other = node_cpus(machine.right)[0]
    os.sched_setaffinity(vcpus["vcpu 0"], {other})
    subprocess.run(["migratepages", str(pid_of(stage, "far")), str(machine.left), str(machine.right)], check=True)
    run = expect(stage.run("verify", "site.numa", "far", seconds=240), 1, "NM1322", "NM1324",
                 text=["vcpu 0 of guest 'far'", "cell 0 of guest 'far'", f"on node {machine.right}"])
    if "vcpu 1 of guest" in run.err or "cell 1 of guest" in run.err:
        raise tap.Failure(f"more than was moved: {run.told()}")
    expect(stage.run("verify", "--repair", "site.numa", "far", seconds=240), 0, text=["NM1328"])
    if kernel_cpus(vcpus["vcpu 0"]) == str(other):
        raise tap.Failure("the thread was not put back")
    by_kernel(machine, policies(pid_of(stage, "far")), (machine.left, machine.right))
    expect(stage.run("verify", "site.numa", "far", seconds=240), 0)


@contextlib.contextmanager
def without_cgroups():
    subprocess.run(["mount", "-t", "tmpfs", "none", str(CGROUPS)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(CGROUPS)], check=True)


def wrong_from_the_start(numac, machine, guest, replace, codes):
    """A QEMU whose words were changed on the way is found before its CPUs start, and nothing is left of it.  A cgroup
    would not let it take memory of another node, so it has none."""
    with Stage(numac) as stage:
        stage.site(machine.site())
        pool(machine.near, 32)
        stage.misbehave(replace=[replace])
        with without_cgroups():
            run = stage.run("run", "--detach", "--engine", "qemu", "site.numa", guest, seconds=240)
        pool(machine.near, 0)
        errors = set(re.findall(r"error\[(NM\d{4})\]", run.err))
        if run.status != 3 or not set(codes) <= errors or "cell 0 of guest" not in run.err:
            raise tap.Failure(f"expected {codes}; {run.told()}")
        stage.expect_nothing_left()


def cannot_be_repaired(numac, machine):
    """The CPU of a vCPU goes offline: seen, and told that it cannot be put back until the CPU is there again."""
    with Stage(numac) as stage:
        (stage.folder / "host.xml").write_text(stage.run("host", "record", seconds=240).out)
        stage.site(machine.site(host='"host.xml"'))  # of before: the plan stays
        expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa", "far", seconds=240), 0)
        cpu = node_cpus(machine.left)[-1]
        switch = pathlib.Path(f"/sys/devices/system/cpu/cpu{cpu}/online")
        switch.write_text("0")
        try:
            run = stage.run("verify", "--repair", "site.numa", "far", seconds=240)
            if run.status == 0 or "NM1329" not in run.err:
                raise tap.Failure(run.told())
        finally:
            switch.write_text("1")
        expect(stage.run("verify", "--repair", "site.numa", "far", seconds=240), 0)
        expect(stage.run("stop", "site.numa", "far"), 0)
        stage.expect_nothing_left()


# ---- cgroups --------------------------------------------------------------------------------------------------------

def cgroup_of(pid):
    return CGROUPS / process_file(pid, "cgroup").decode().strip().removeprefix("0::/")


def in_cgroup(numac, machine, end):
    """Held to the plan's CPUs and nodes, by the kernel's own files; changed, found, put back; gone with the guest."""
    with Stage(numac) as stage:
        stage.site(machine.site())
        run = expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa", "far", seconds=240), 0)
        if "NM1336" in run.err:
            raise tap.Failure(run.told())
        pid = pid_of(stage, "far")
        folder, nodes = cgroup_of(pid), f"{machine.left}-{machine.right}"
        held = {name: (folder / f"cpuset.{name}").read_text().strip() for name in ("cpus", "mems")}
        if "numac" not in folder.name + folder.parent.name or held["mems"] != nodes or \
                not set(node_cpus(machine.left) + node_cpus(machine.right)) <= set(numbers(held["cpus"])):
            raise tap.Failure(f"{folder}: {held}")
        if str(pid) not in (folder / "cgroup.procs").read_text().split():
            raise tap.Failure(f"QEMU is not in {folder}")
        expect(stage.run("verify", "site.numa", "far", seconds=240), 0, text=["cgroup", f"nodes {nodes}"])
        (folder / "cpuset.mems").write_text(f"{machine.near}-{machine.right}")
        expect(stage.run("verify", "site.numa", "far", seconds=240), 1, "NM1337", "NM1326")  # policies follow it
        expect(stage.run("verify", "--repair", "site.numa", "far", seconds=240), 0, text=["NM1328"])
        if (folder / "cpuset.mems").read_text().strip() != nodes:
            raise tap.Failure("not put back")
        end(stage, pid)
        no_cgroup_left(stage)


def numbers(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def stop_far(stage, _pid):
    expect(stage.run("stop", "site.numa", "far", seconds=240), 0)


def kill_far(_stage, pid):
    os.kill(pid, 9)


def no_cgroup_behind(numac, machine, rules):
    with Stage(numac) as stage:
        stage.site(machine.site())
        stage.misbehave(rules)
        run = stage.close(stage.open("run", "--detach", "--engine", "qemu", "site.numa", "far"), 240)
        if run.status == 0:
            raise tap.Failure(run.told())
        expect(stage.run("list"), 0)
        no_cgroup_left(stage)


def no_cgroup_to_have(numac, machine):
    """Where none can be made the guest starts all the same, pinned, and it is said once."""
    with Stage(numac) as stage:
        stage.site(machine.site())
        with without_cgroups():
            run = expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa", "far", seconds=240), 0, text=["NM1336"])
            if run.err.count("NM1336") != 1 or "no cgroup v2" not in run.err:
                raise tap.Failure(run.told())
            expect(stage.run("verify", "site.numa", "far", seconds=240), 0)
            expect(stage.run("stop", "site.numa", "far", seconds=240), 0)
        no_cgroup_left(stage)


# ---- not ours -------------------------------------------------------------------------------------------------------

def by_hand(numac, machine):
    """The same QEMU without numac: by its process verify finds its memory in place and its threads anywhere, and puts
    them back; then its memory is moved, seen and put back."""
    with Stage(numac) as stage:
        site = stage.site(machine.site())
        expect(stage.run("build", "-o", "out", site, seconds=240), 0)
        words = shlex.split((stage.folder / "out" / "far.argv").read_text(), comments=True)
        stage.started.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                              cwd=stage.folder))
        pid, until = stage.started[-1].pid, time.monotonic() + 120
        while time.monotonic() < until and not {f"bind:{machine.left}", f"bind:{machine.right}"} <= set(policies(pid)):
            time.sleep(0.5)  # until its firmware has touched both cells
        verify = ("verify", "--pid", pid, site, "far")
        expect(stage.run(*verify, seconds=240), 1, "NM1322", text=["which memory is which of cells 0, 1"])
        expect(stage.run("verify", "--repair", *verify[1:], seconds=240), 0, text=["NM1328"])
        by_kernel(machine, policies(pid), (machine.left, machine.right))
        subprocess.run(["migratepages", str(pid), str(machine.left), str(machine.right)], check=True)
        run = expect(stage.run(*verify, seconds=240), 1, "NM1324", text=["cell 0 of guest 'far'"])
        if "cell 1 of guest 'far': " in run.err:
            raise tap.Failure(run.told())
        expect(stage.run("verify", "--repair", *verify[1:], seconds=240), 0, text=["NM1328"])
        by_kernel(machine, policies(pid), (machine.left, machine.right))


# ---- workers of vhost -----------------------------------------------------------------------------------------------

def workers_of_vhost(numac, machine):
    """Threads of the kernel's, before Linux 6.4 beside QEMU's: pinned, moved, seen, put back; who only has their name is not."""
    if not pathlib.Path("/dev/vhost-vsock").exists():
        raise tap.Skip("this lab has no vhost (module vhost_vsock in build/kernel)")
    cpu, other = node_cpus(machine.near)[0], node_cpus(machine.right)[0]
    with Stage(numac) as stage:
        stage.misbehave(program=f'#!/bin/sh\nexec {shutil.which(QEMU)} "$@" -device vhost-vsock-pci,guest-cid=3\n')
        stage.site(f"guest far {{ accel tcg; vcpus 1; memory 64MiB; vhost {{ cpus {cpu} }} }}\n")
        expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa", seconds=240), 0)
        pid = pid_of(stage, "far")
        worker = [int(path.parent.name) for path in pathlib.Path("/proc").glob("[0-9]*/comm")
                  if path.read_text().startswith(f"vhost-{pid}")]
        if len(worker) != 1 or kernel_cpus(worker[0]) != str(cpu):
            raise tap.Failure(f"workers {worker}, {[kernel_cpus(one) for one in worker]}")
        fake = subprocess.Popen([sys.executable, "-c", f"open('/proc/self/comm', 'w').write('vhost-{pid}'); import time; time.sleep(99)"])
        stage.started.append(fake)
        os.sched_setaffinity(worker[0], {other})
        run = expect(stage.run("verify", "site.numa", seconds=240), 1, "NM1322", text=[f"vhost-{pid}", f"it is thread {worker[0]}"])
        if f"it is thread {fake.pid}" in run.err:
            raise tap.Failure(run.told())
        expect(stage.run("verify", "--repair", "site.numa", seconds=240), 0, text=["NM1328"])
        if kernel_cpus(worker[0]) != str(cpu):
            raise tap.Failure("not put back")
        expect(stage.run("stop", "site.numa", seconds=240), 0)
        fake.kill()
        stage.expect_nothing_left()


# ---- huge pages -----------------------------------------------------------------------------------------------------

def reserved(numac, machine):
    run_huge = ("run", "--detach", "--engine", "qemu", "--reserve-pages", "site.numa", "huge")
    with Stage(numac) as stage:
        stage.site(machine.site())
        pool(machine.near, 3)
        expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa", "huge"), 3, "NM1315",
               text=[f"see that node {machine.near} has 32 free pages of 2MiB", "it has 3"])
        expect(stage.run(*run_huge, seconds=240), 0)
        during = pool(machine.near)
        expect(stage.run("stop", "site.numa", "huge"), 0)
        stage.expect_nothing_left()
        if (during, pool(machine.near)) != (32, 3):
            raise tap.Failure(f"{during} pages while it ran, {pool(machine.near)} behind it")
        pool(machine.near, 0)


def rolled_back(numac, machine, rules):
    """The start fails, or numac is killed in it: the pool is as it was."""
    with Stage(numac) as stage:
        stage.site(machine.site())
        pool(machine.near, 3)
        stage.misbehave(rules)
        run = stage.close(stage.open("run", "--detach", "--engine", "qemu", "--reserve-pages", "site.numa", "huge"), 240)
        if run.status == 0:
            raise tap.Failure(run.told())
        stage.expect_nothing_left()
        if pool(machine.near) != 3:
            raise tap.Failure(f"{pool(machine.near)} pages are left; {run.told()}")
        pool(machine.near, 0)


def too_many(numac, machine):
    """More than the node has memory for: what was found is given back."""
    with Stage(numac) as stage:
        memory = (NODES / f"node{machine.near}" / "meminfo").read_text()
        pages = int(re.search(r"MemTotal:\s*(\d+)", memory).group(1)) // 2048 - 1
        stage.site(machine.site(pages, f"{2 * pages}MiB"))
        pool(machine.near, 0)
        expect(stage.run("run", "--detach", "--engine", "qemu", "--reserve-pages", "site.numa", "huge", seconds=240), 3,
               "NM1315", text=["the kernel finds only"])
        stage.expect_nothing_left()
        if pool(machine.near) != 0:
            raise tap.Failure(f"{pool(machine.near)} pages are left")


def reserved_at_once(numac, machine):
    """Two guests that want pages of one pool at the same time: each gets its own, and the pool shrinks behind each."""
    one = f"guest ONE {{ accel tcg; vcpus 1; memory 64MiB; node {machine.near}; pages 2MiB }}\n"
    with Stage(numac) as stage:
        pool(machine.near, 3)
        for turn in range(3):
            stage.site("".join(one.replace("ONE", name) for name in ("a", "b")))
            started = [stage.open("run", "--detach", "--engine", "qemu", "--reserve-pages", "site.numa", name) for name in "ab"]
            runs = [stage.close(process, 240) for process in started]
            if [run.status for run in runs] != [0, 0] or pool(machine.near) != 64:
                raise tap.Failure(f"turn {turn}: {pool(machine.near)} pages; {runs[0].told()} {runs[1].told()}")
            stopped = [stage.open("stop", "site.numa", name) for name in "ab"]
            for process in stopped:
                expect(stage.close(process, 240), 0)
            if pool(machine.near) != 3:
                raise tap.Failure(f"turn {turn}: {pool(machine.near)} pages are left")
        pool(machine.near, 0)


# ---- libvirt's daemon -----------------------------------------------------------------------------------------------

class Daemon:
    def __init__(self):
        etc = pathlib.Path("/etc/libvirt")
        (etc / "qemu.conf").write_text(QEMU_CONF)
        (etc / "libvirtd.conf").write_text(LIBVIRTD_CONF)
        for network in etc.glob("qemu/networks/autostart/*"):
            network.unlink()
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(120):
            done = subprocess.run(["virsh", "-c", SYSTEM, "version"], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.5)
        raise RuntimeError(f"libvirtd does not answer: {done.stderr}")

    def kill(self):
        self.process.kill()
        self.process.wait()


def daemon_dies(numac, machine, daemon):
    """It dies while the guest runs: numac says that it is not there, and goes on once it is back."""
    with Stage(numac, "embed") as stage:
        stage.site(machine.site())
        expect(stage.run("run", "--detach", "--connect", SYSTEM, "site.numa", "far", seconds=240), 0)
        daemon.kill()
        expect(stage.run("verify", "site.numa", "far", seconds=240), 3, "NM1309")
        expect(stage.run("stop", "site.numa", "far", seconds=240), 3, "NM1309", text=["NM1335", "stays listed"])
        if not stage.listed():
            raise tap.Failure("no longer listed")
        daemon.start()
        expect(stage.run("verify", "site.numa", "far", seconds=240), 0)
        expect(stage.run("stop", "site.numa", "far", seconds=240), 0)
        stage.expect_nothing_left()


def defined(numac, machine):
    with Stage(numac, "embed") as stage:
        stage.site(machine.site())
        words = ("--connect", SYSTEM, "site.numa", "far")
        run = stage.run("diff", *words, seconds=240)
        if run.status != 1:
            raise tap.Failure(f"diff of what is not defined: {run.told()}")
        expect(stage.run("apply", *words, seconds=240), 1, "NM1332")
        expect(stage.run("apply", "--yes", *words, seconds=240), 0, text=["NM1331"])
        expect(stage.run("diff", *words, seconds=240), 0)
        stage.site(machine.site().replace(f"64MiB; node {machine.left}", f"96MiB; node {machine.left}"))
        run = stage.run("diff", *words, seconds=240)
        if run.status != 1 or str(160 << 10) not in run.out:
            raise tap.Failure(f"diff of what changed: {run.told()}")
        subprocess.run(["virsh", "-c", SYSTEM, "undefine", "far"], capture_output=True, check=False)


def main():
    numac, machine, only = Numac(sys.argv[1]), Machine(), sys.argv[2:]
    pathlib.Path("/dev/hugepages").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "hugetlbfs", "none", "/dev/hugepages"], check=False)  # libvirt wants one
    daemon = Daemon() if not only or {"libvirt", "daemon", "defined"} & set(only) else None
    tests = [tap.Test("nodes, distances, memory without CPUs", lambda: boots_as_told(machine))]
    tests += [tap.Test(f"{engine}: where the plan says; moved, found, put back",
                       lambda engine=engine: exact(numac, machine, engine)) for engine in ENGINES]
    tests += [tap.Test(f"from the start: {name}", lambda rest=rest: wrong_from_the_start(numac, machine, *rest))
              for name, *rest in (
        ("another policy", "far", ("policy=bind", "policy=preferred"), ["NM1326"]),
        ("another node", "far", (f"host-nodes={machine.left},", f"host-nodes={machine.near},"), ["NM1326"]),
        ("other pages", "huge", ("hugetlb=on,hugetlbsize=2097152,", ""), ["NM1325"]))]
    tests += [tap.Test(name, lambda run=run, rest=rest: run(numac, machine, *rest)) for name, run, *rest in (
        ("a CPU goes offline", cannot_be_repaired),
        ("cgroup: held by it; stopped", in_cgroup, stop_far),
        ("cgroup: held by it; QEMU killed", in_cgroup, kill_far),
        ("cgroup: the start fails", no_cgroup_behind, [{"at": "info numa", "do": "refuse"}]),
        ("cgroup: numac is killed", no_cgroup_behind, [{"at": "info numa", "do": "kill-agent"}]),
        ("cgroup: none to have", no_cgroup_to_have),
        ("vhost: workers pinned, moved, put back", workers_of_vhost),
        ("by hand: found by its process, put back", by_hand),
        ("pages reserved by two at once", reserved_at_once),
        ("pages reserved, and given back", reserved),
        ("pages given back: the start fails", rolled_back, [{"at": "info numa", "do": "refuse"}]),
        ("pages given back: numac is killed", rolled_back, [{"at": "info numa", "do": "kill-agent"}]),
        ("pages given back: more than there are", too_many),
        ("libvirt's daemon dies", daemon_dies, daemon),
        ("defined, and compared", defined))]
    tests += [tap.Test(f"cgroup: {fault.title}", lambda fault=fault: fault.run(numac)) for fault in faults.of_cgroups()
              if fault.in_lab and not has_systemd()]
    tests = [test for test in tests if not only or any(word in test.name for word in only)]
    return tap.run(tests, 1)  # pools are the machine's


if __name__ == "__main__":
    sys.exit(main())
