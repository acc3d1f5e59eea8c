#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Starting a guest goes wrong in every way there is, at every step: numac says which step it was, and nothing is left,
# at once or behind the next command; then the same guest starts.  TAP on stdout; docs/faults.md is the table of it.
#
#   tests/runtime/faults.py [--numac PROGRAM] [--all] [--write]      --all: slow ones, and killed at each effect
#                                                                    --write: the table of docs/faults.md

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import tap
from harness.program import ENVIRONMENT, ROOT, Numac
from harness.stage import ONE_CELL, PATIENCE, Stage, ended, expect, need
from runtime import engines

PAGE = ROOT / "docs" / "faults.md"
MARK = "| step | what happens | engine | numac says | what is left |\n"
CGROUP = "make a cgroup for QEMU, where it can have one"
START, PIN, VERIFY, CONTINUE = ("start QEMU, its CPUs stopped", "pin the emulator to cpus 1",
                                "verify that it is where the plan says", "start its CPUs")
AT_ONCE, NEXT, KEPT = "nothing", "nothing behind the next command", "the guest, as it was"
PINNED = "the guest, pinned; nothing behind its stop"
MOST_KILLS = 6  # an engine, where not all are asked for
EFFECTS = ("mkdir", "renameat", "fsync", "clone", "flock", "sched_setaffinity", "sendto", "recvfrom", "unlinkat", "rmdir",
           "socket", "bind", "connect", "pipe2", "write", "socketpair", "fork", "vfork", "clone3")
REFUSED = 3


@dataclass(frozen=True)
class Fault:
    step: str
    happens: str
    engine: str
    says: str  # a code, or how numac ends
    left: str
    run: Callable[[Numac], None]
    is_slow: bool = False  # it waits for long, or libvirt probes QEMU anew
    in_lab: bool = False  # it needs a machine with cgroup v2, and lab_inside.py runs it

    @property
    def title(self):
        return f"{self.engine}: {self.happens}: {self.step}"

    def row(self):
        return f"| {self.step} | {self.happens} | {self.engine}{' (lab)' if self.in_lab else ''} | {self.says} | {self.left} |\n"


def settle(stage, left):
    """Nothing is left, by itself or by the next command; and the guest can start."""
    if left == AT_ONCE:
        stage.expect_nothing_left()
    until = time.monotonic() + PATIENCE
    while stage.listed() and time.monotonic() < until:
        time.sleep(0.1)
    stage.expect_nothing_left(" behind the next command")


def starts_again(stage, engine):
    stage.environment.pop("PATH", None)
    expect(stage.run("run", "--detach", "--engine", engine, "site.numa"), 0)
    expect(stage.run("stop", "site.numa"), 0)
    stage.expect_nothing_left(" behind its stop")


def misbehaves(numac, engine, rules, step, says, left):
    """A run against a QEMU that does something else at a question."""
    engines.two_cpus()
    with Stage(numac, engine) as stage:
        stage.site(engines.TWO_CELLS)
        stage.misbehave(rules)
        run = stage.close(stage.open("run", "--detach", "--engine", engine, "site.numa"))
        if says == "dies by SIGKILL":
            if run.status != -signal.SIGKILL:
                raise tap.Failure(f"expected to die by SIGKILL; {run.told()}")
        elif says.startswith("NM1312"):
            expect(run, -signal.SIGINT, "NM1312", text=[f"interrupted at step '{step}'"])
        elif says == "dies by SIGINT":
            expect(run, -signal.SIGINT, *["NM1312"] if "NM1312" in run.err else [])  # in time, or cut off
        else:
            expect(run, REFUSED, says, text=[f"step '{step}'", "guest 'pair'"])
        settle(stage, left)
        starts_again(stage, engine)


def hangs(numac, kill, says, left):
    """libvirt waits for a QEMU that never answers: what waits there ends with numac."""
    with Stage(numac, "embed") as stage:
        stage.site(engines.TWO_CELLS)
        stage.misbehave([{"at": "query-memdev", "do": "silence"}])
        process = stage.open("run", "--detach", "--engine", "embed", "site.numa")
        stage.await_question("query-memdev")
        process.send_signal(kill)
        run = stage.close(process)
        if run.status != -kill or ("NM1312" in run.err) != ("NM1312" in says):
            raise tap.Failure(run.told())
        settle(stage, left)
        starts_again(stage, "embed")


def by_question(happens, do, says, at, engine="qemu", left=AT_ONCE, is_slow=False):
    """A fault for each question of numac's: (question, step it belongs to, code)."""
    def fault(question, step, code):
        rules = [{"at": question, "do": do, **({"text": "no such option", "status": 1} if do == "exit" else {})}]
        told = says or code
        name = {"start": "before QEMU runs", "greeting": "QMP's greeting"}.get(question, f"`{question}`")
        return Fault(step, f"{happens}, {name}", engine, told, left,
                     lambda numac: misbehaves(numac, engine, rules, step, told, left), is_slow)
    return [fault(*one) for one in at]


QUESTIONS = (("greeting", START, "NM1311"), ("qmp_capabilities", START, "NM1311"), ("query-cpus-fast", START, "NM1311"),
             ("query-iothreads", START, "NM1311"), ("query-memdev", VERIFY, "NM1320"), ("info mtree -f", VERIFY, "NM1320"),
             ("info numa", VERIFY, "NM1320"), ("cont", CONTINUE, "NM1311"))
ENDS = tuple((at, step, "NM1310" if step == START else code) for at, step, code in QUESTIONS)
BEFORE = (("start", START, "NM1310"),)
SOME = ("query-cpus-fast", "info numa", "cont")
BY_LIBVIRT = (("query-cpus-fast", START, "NM1310"), ("query-memdev", VERIFY, "NM1320"), ("cont", CONTINUE, "NM1310"))


# ---- numac is killed, at any moment ---------------------------------------------------------------------------------

def traced(stage, words, *options):
    return subprocess.run(["strace", "-qq", *options, stage.numac.path, *words], cwd=stage.folder, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=240,
                          env=ENVIRONMENT | stage.environment)


def moments(numac, engine, begins=lambda line: "execve" in line and "numac-agent" in line, ends=lambda line: False):
    """(system call, which one of its name) of each effect that the agent has on its way to a guest that runs."""
    with Stage(numac, engine) as stage:
        stage.site(engines.TWO_CELLS)
        trace = stage.folder / "trace"
        done = traced(stage, ["run", "--detach", "--engine", engine, "site.numa"], "-o", trace)
        if done.returncode != 0:
            raise tap.Skip(f"strace cannot follow numac here: {done.stderr.decode()[-200:]}")
        found, counts, has_begun, has_ended = [], {}, False, False
        for line in trace.read_text(errors="replace").splitlines():
            call = line.partition("(")[0]
            counts[call] = counts.get(call, 0) + 1
            has_begun |= begins(line)
            makes = call == "openat" and "O_CREAT" in line
            if has_begun and not has_ended and (call in EFFECTS or makes):
                found.append((call, counts[call]))
            has_ended |= has_begun and ends(line)
        stage.run("stop", "site.numa", seconds=240)
        return found


def runs_or_is_gone(stage):
    """QEMU dies with numac until its CPUs start.  From then on the guest is listed as one that runs, and does."""
    running = [guest for guest in stage.listed() if guest["state"] == "running"]
    if not running:
        settle(stage, NEXT)
        return
    expect(stage.run("verify", "site.numa"), 0)
    expect(stage.run("stop", "site.numa"), 0)
    stage.expect_nothing_left(" behind its stop")


def killed(stage, engine, call, count):
    """numac's run, killed at this call, which itself is not made."""
    return traced(stage, ["run", "--detach", "--engine", engine, "site.numa"], "-o", "/dev/null", "-e", f"trace={call}", "-e",
                  f"inject={call}:signal=KILL:when={count}")


def killed_at(numac, engine, call, count):
    """True: numac died of it."""
    with Stage(numac, engine) as stage:
        stage.site(engines.TWO_CELLS)
        done = killed(stage, engine, call, count)
        if done.returncode == 0:  # it ran through: fewer calls than the time before
            expect(stage.run("stop", "site.numa"), 0)
            stage.expect_nothing_left(" behind its stop")
            return False
        runs_or_is_gone(stage)
        starts_again(stage, engine)
        return True


def killed_anywhere(numac, engine, all_of_them):
    if not shutil.which("strace"):
        raise tap.Skip("strace is not installed")
    engines.two_cpus()
    need(engine)
    found = moments(numac, engine)
    step = 1 if all_of_them else max(1, -(-len(found) // MOST_KILLS))
    chosen = found[::step]
    died = 0
    for call, count in chosen:
        try:
            died += killed_at(numac, engine, call, count)
        except tap.Failure as failure:
            raise tap.Failure(f"killed at {call} number {count}: {failure}") from failure
    if died < len(chosen) / 2:
        raise tap.Failure(f"of {len(chosen)} moments only {died} came")
    return f"{died} of {len(found)} moments"


# ---- the state folder -----------------------------------------------------------------------------------------------

def mounted(place, options):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise tap.Skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")


def disk_full(numac, engine, sizes):
    """With less room than it takes: refused, until there is enough."""
    with Stage(numac, engine) as stage:
        stage.site(ONE_CELL)
        refused = 0
        for options in sizes:
            mounted(stage.runtime, options)
            try:
                run = stage.run("run", "--detach", "--engine", engine, "site.numa")
                if run.status == 0:
                    expect(stage.run("stop", "site.numa"), 0)
                elif run.status != REFUSED or not re.search(r"error\[NM13(03|09|10)\]", run.err):
                    raise tap.Failure(f"{options}: {run.told()}")
                refused += run.status != 0
                stage.expect_nothing_left(f" with {options}")
            finally:
                subprocess.run(["umount", "-l", stage.runtime], check=False)
        if not refused:
            raise tap.Failure("there was room enough")
        return f"{refused} of {len(sizes)} refused"


def read_only(numac, engine):
    with Stage(numac, engine) as stage:
        stage.site(ONE_CELL)
        mounted(stage.runtime, "size=1m,ro")
        try:
            expect(stage.run("run", "--detach", "--engine", engine, "site.numa"), REFUSED, "NM1303",
                   text=["Read-only file system"])
        finally:
            subprocess.run(["umount", "-l", stage.runtime], check=False)
        stage.expect_nothing_left()


def damaged_record(numac):
    """What stands in the folder of a guest is nothing that numac wrote."""
    for text in ("", "{", "[]", '{"format_version": 99}', '{"format_version": 1, "name": 7}', "\0" * 4096,
                 '{"format_version": 1, "name": "x", "uuid": "y", "site": "z", "engine": "qemu", "phase": "running", "pid": 1}'):
        with Stage(numac) as stage:
            stage.site(ONE_CELL)
            folder = stage.state / "03843948-2d05-51af-86d9-1ad3fa67de40"
            folder.mkdir(0o700, parents=True)
            stage.state.chmod(0o700)
            (folder / "guest.json").write_text(text)
            expect(stage.run("list"), 0)
            starts_again(stage, "qemu")


# ---- others at work -------------------------------------------------------------------------------------------------

def at_once(numac, engine, count):
    """Several runs of one guest: one starts it, the others say why not."""
    with Stage(numac, engine) as stage:
        stage.site(ONE_CELL)
        processes = [stage.open("run", "--detach", "--engine", engine, "site.numa") for _ in range(count)]
        runs = [stage.close(process) for process in processes]
        if sorted(run.status for run in runs) != [0] + [REFUSED] * (count - 1):
            raise tap.Failure("\n".join(run.told() for run in runs))
        if any(run.status and not re.search(r"error\[NM130[56]\]", run.err) for run in runs):
            raise tap.Failure("\n".join(run.told() for run in runs))
        if len(stage.listed()) != 1:
            raise tap.Failure(f"list: {stage.listed()}")
        expect(stage.run("verify", "site.numa"), 0)
        expect(stage.run("stop", "site.numa"), 0)
        stage.expect_nothing_left()


def busy(numac):
    """A command that stays at work keeps others out."""
    with Stage(numac) as stage:
        stage.site(ONE_CELL)
        stage.misbehave([{"at": "query-memdev", "do": "silence"}])
        first = stage.open("run", "--detach", "--engine", "qemu", "site.numa")
        stage.await_question("query-memdev")
        if [one["state"] for one in stage.listed()] != ["starting"]:
            raise tap.Failure(f"list: {stage.listed()}")
        expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa"), REFUSED, "NM1306")
        expect(stage.run("stop", "site.numa"), REFUSED, "NM1306")
        first.send_signal(signal.SIGINT)
        expect(stage.close(first), -signal.SIGINT, "NM1312")
        stage.expect_nothing_left()


def foreign_guest(numac):
    """A start that fails leaves alone who has the same UUID and is none of ours."""
    with Stage(numac) as stage:
        stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", "--engine", "qemu", "site.numa"), 0)
        other = stage.listed()[0]["pid"]
        with Stage(numac) as second:
            second.site(ONE_CELL)
            second.misbehave([{"at": "start", "do": "exit", "text": "no such option", "status": 1}])
            expect(second.run("run", "--detach", "--engine", "qemu", "site.numa"), REFUSED, "NM1310")
            second.expect_nothing_left()
        if ended(other):
            raise tap.Failure("another guest of the same UUID was ended")
        expect(stage.run("stop", "site.numa"), 0)


def engine_dies(numac, engine):
    """QEMU of a guest that runs is killed, and so is whoever watches over it: the next command forgets the guest."""
    with Stage(numac, engine) as stage:
        stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", "--engine", engine, "site.numa"), 0)
        killed = stage.processes()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + PATIENCE
        while not all(ended(pid) for pid in killed) and time.monotonic() < until:
            time.sleep(0.01)
        run = expect(stage.run("list"), 0, text=["NM1304"])
        if "'tiny' ended without numac" not in run.err:
            raise tap.Failure(run.told())
        stage.expect_nothing_left()
        starts_again(stage, engine)


def cut_off(numac):
    """numac and its keeper die with the record written: the next command takes QEMU back, and says so."""
    with Stage(numac) as stage:
        stage.site(ONE_CELL)
        stage.misbehave([{"at": "query-memdev", "do": "silence"}])
        first = stage.open("run", "--detach", "--engine", "qemu", "site.numa")
        stage.await_question("query-memdev")
        keepers = [pid for pid in stage.processes() if "numac-keeper" in pathlib.Path(f"/proc/{pid}/comm").read_text()]
        if len(keepers) != 1:
            raise tap.Failure(f"keepers: {keepers}")
        first.send_signal(signal.SIGSTOP)
        os.kill(keepers[0], signal.SIGKILL)
        first.kill()
        first.wait()
        expect(stage.run("list"), 0, text=["NM1304", "the start of guest 'tiny' was cut off"])
        stage.expect_nothing_left()
        starts_again(stage, "qemu")


# ---- permissions ----------------------------------------------------------------------------------------------------

def as_nobody(numac, site, status, *codes, text=()):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise tap.Skip("needs root, and setpriv")
    with Stage(numac) as stage:
        program = stage.folder / "numac"
        program.write_text(f'#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups {numac.path} "$@"\n')
        program.chmod(0o755)
        stage.folder.chmod(0o755)
        os.chown(stage.runtime, 65534, 65534)
        site = stage.site(site)
        stage.numac = Numac(program)
        run = stage.run("list")
        if run.status in (126, 127) or "Permission denied" in run.err:
            raise tap.Skip("another user cannot reach the program that is tested")
        expect(stage.run("run", "--detach", "--engine", "qemu", site), status, *codes, text=text)
        if status == 0:
            expect(stage.run("verify", site), 0)
            expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


# ---- cgroups --------------------------------------------------------------------------------------------------------

CGROUPS = pathlib.Path("/sys/fs/cgroup")
# what stands at CGROUPS, for one command: the controllers are said, since this machine may have none there, or all
NO_V2 = "mount -t tmpfs none /sys/fs/cgroup"
SAYS = "mount -t cgroup2 none /sys/fs/cgroup && echo {} > {}/said && mount --bind {}/said /sys/fs/cgroup/cgroup.controllers"
NO_CPUSET, ALL = "cpu memory pids", "cpuset cpu memory pids"
READ_ONLY = " && mount -o remount,bind,ro /sys/fs/cgroup"
NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups "


def cgroups_as(stage, mounts, user=""):
    """From now on numac sees cgroups so, and nobody else does."""
    program = stage.folder / "numac"
    program.write_text(f"""#!/bin/sh
exec unshare -m --propagation private sh -c '{mounts} || exit 99; exec "$@"' sh {user}{stage.numac.path} "$@"
""")
    program.chmod(0o755)
    stage.numac = Numac(program)
    if stage.run("list").status in (1, 99, 126, 127):
        raise tap.Skip("needs root, namespaces of mounts, cgroup v2 in the kernel, setpriv")


def no_cgroup_to_have(numac, says, mounts, user=""):
    """It starts all the same, pinned thread by thread; that it has no cgroup, and why, is said once."""
    engines.two_cpus()
    with Stage(numac) as stage:
        if user:
            stage.folder.chmod(0o755)
            os.chown(stage.runtime, 65534, 65534)
        site = stage.site(engines.TWO_CELLS)
        cgroups_as(stage, mounts(stage.folder), user)
        run = expect(stage.run("run", "--detach", "--engine", "qemu", site), 0, "NM1336", text=[f"step '{CGROUP}'", says])
        if run.err.count("NM1336") != 1:
            raise tap.Failure(run.told())
        engines.all_exact(engines.facts(stage, site))
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def saying(controllers, more=""):
    return lambda folder: SAYS.format(controllers, folder, folder) + more


def no_cgroup_left(stage):
    stage.expect_nothing_left()
    until = time.monotonic() + PATIENCE
    while (left := [folder for folder, _, _ in os.walk(CGROUPS) if "numac" in os.path.basename(folder)]) and \
            time.monotonic() < until:
        time.sleep(0.1)
    if left:
        raise tap.Failure(f"left behind: {left}")


def name_in_use(numac):
    """Somebody has a cgroup of the guest's name: it stays theirs."""
    engines.two_cpus()
    with Stage(numac) as stage:
        site = stage.site(engines.TWO_CELLS)
        uuid = json.loads(stage.run("plan", "--format", "json", site).out)["guests"][0]["uuid"]
        folder = CGROUPS / "numac" / uuid
        folder.mkdir(parents=True)
        other = subprocess.Popen(["sleep", "999"])
        stage.started.append(other)
        (folder / "cgroup.procs").write_text(str(other.pid))
        expect(stage.run("run", "--detach", "--engine", "qemu", site, seconds=240), 0, "NM1336",
               text=["one of its name is in use: Device or resource busy"])
        expect(stage.run("verify", site, seconds=240), 0)
        expect(stage.run("stop", site, seconds=240), 0)
        if other.poll() is not None or folder.joinpath("cgroup.procs").read_text().split() != [str(other.pid)]:
            raise tap.Failure("it was touched")
        other.kill()
        other.wait()
        folder.rmdir()
        folder.parent.rmdir()
        no_cgroup_left(stage)


def killed_at_its_cgroup(numac):
    """At each call with an effect from the first one on cgroups until QEMU's process, which enters it, is made."""
    engines.two_cpus()
    found = moments(numac, "qemu", lambda line: str(CGROUPS) in line, lambda line: line.startswith("clone"))
    if len(found) < 8:
        raise tap.Failure(f"moments: {found}")
    for call, count in found:
        with Stage(numac) as stage:
            stage.site(engines.TWO_CELLS)
            killed(stage, "qemu", call, count)
            expect(stage.run("list", seconds=240), 0)
            try:
                no_cgroup_left(stage)
            except tap.Failure as failure:
                raise tap.Failure(f"killed at {call} number {count}: {failure}") from failure
    with Stage(numac) as stage:
        stage.site(engines.TWO_CELLS)
        starts_again(stage, "qemu")
        no_cgroup_left(stage)


def of_cgroups():
    def none(happens, says, mounts, user=""):
        return Fault(CGROUP, happens, "qemu", "NM1336", PINNED, lambda numac: no_cgroup_to_have(numac, says, mounts, user))
    return [
        none("there is no cgroup v2", "no cgroup v2 at /sys/fs/cgroup", lambda folder: NO_V2),
        none("the controller is missing", "no controller 'cpuset'", saying(NO_CPUSET)),
        none("cgroups cannot be written", "cgroup.subtree_control: Read-only file system", saying(ALL, READ_ONLY)),
        none("not root", "cgroup.subtree_control: Permission denied", saying(ALL), NOBODY),
        Fault(CGROUP, "a cgroup of its name is in use", "qemu", "NM1336", PINNED, name_in_use, in_lab=True),
        Fault("from its cgroup to QEMU, each system call with an effect", "numac is killed", "qemu", "dies by SIGKILL", NEXT,
              killed_at_its_cgroup, in_lab=True)]


FIFO = engines.TWO_CELLS.replace("vcpus 2", "vcpus 2; scheduler fifo 5")


# ---- the table ------------------------------------------------------------------------------------------------------

def faults(all_of_them=False):
    rows = by_question("QEMU ends", "kill-engine", None, ENDS)
    rows += by_question("QEMU refuses its arguments", "exit", None, BEFORE)
    rows += by_question("QEMU says nothing more", "silence", None, (QUESTIONS[0], QUESTIONS[2], QUESTIONS[7]),
                        is_slow=True)
    for happens, do in (("QEMU answers no JSON", "garbage"), ("QEMU answers another type", "wrong"),
                        ("QEMU refuses the question", "refuse"), ("QEMU closes its monitor", "close")):
        chosen = [one for one in QUESTIONS if (do, one[0]) not in (("wrong", "qmp_capabilities"), ("wrong", "cont"))]
        for is_slow in (False, True):
            rows += by_question(happens, do, None, [one for one in chosen if (one[0] not in SOME) == is_slow],
                                is_slow=is_slow)
    rows += by_question("QEMU's answer does not end", "endless", None, (QUESTIONS[0], QUESTIONS[2]))
    rows += by_question("numac is killed", "kill-agent", "dies by SIGKILL", BEFORE + QUESTIONS)
    rows += by_question("Ctrl-C", "interrupt", "NM1312, dies by SIGINT", BEFORE + QUESTIONS)
    rows += by_question("Ctrl-C twice", "interrupt-twice", "dies by SIGINT", BEFORE + QUESTIONS)
    rows += by_question("QEMU ends", "kill-engine", None, BY_LIBVIRT, "embed", is_slow=True)
    rows += by_question("numac is killed", "kill-agent", "dies by SIGKILL", BY_LIBVIRT, "embed", NEXT, is_slow=True)
    rows += by_question("Ctrl-C", "interrupt", "NM1312, dies by SIGINT", BY_LIBVIRT, "embed", is_slow=True)
    rows += by_question("Ctrl-C twice", "interrupt-twice", "dies by SIGINT", BY_LIBVIRT, "embed", NEXT, is_slow=True)
    rows += [Fault(VERIFY, f"QEMU says nothing more and {happens}, `query-memdev`", "embed", says, left,
                   lambda numac, rest=(kill, says, left): hangs(numac, *rest), is_slow=True)
             for happens, kill, says, left in (("Ctrl-C", signal.SIGINT, "NM1312, dies by SIGINT", AT_ONCE),
                                               ("numac is killed", signal.SIGKILL, "dies by SIGKILL", NEXT))]
    rows += by_question("libvirt dies", "kill-libvirt", None, (("query-cpus-fast", START, "NM1310"),
                                                              ("query-memdev", VERIFY, "NM1320"),
                                                              ("cont", CONTINUE, "NM1310")), "embed", is_slow=True)
    rows += [Fault("each system call with an effect", "numac is killed", engine, "dies by SIGKILL", NEXT,
                   lambda numac, engine=engine: killed_anywhere(numac, engine, all_of_them))
             for engine in engines.ENGINES]
    small = ["size=4k", "size=8k", "size=12k", "size=16k", "size=64k", *(f"size=1m,nr_inodes={n}" for n in range(2, 10))]
    smaller = ["size=4k", "size=16k", "size=64k", "size=128k", "size=1m,nr_inodes=6", "size=1m,nr_inodes=12"]
    rows += [
        Fault("any", "the disk is full", "qemu", "NM1303 or NM1310", AT_ONCE, lambda numac: disk_full(numac, "qemu", small)),
        Fault("any", "the disk is full", "embed", "NM1303, NM1309 or NM1310", AT_ONCE,
              lambda numac: disk_full(numac, "embed", smaller)),
        Fault("before all", "the state folder cannot be written", "qemu", "NM1303", AT_ONCE,
              lambda numac: read_only(numac, "qemu")),
        Fault("before all", "a record is damaged", "qemu", "nothing", AT_ONCE, damaged_record),
        Fault("any", "five runs of one guest at once", "qemu", "NM1305 or NM1306", KEPT,
              lambda numac: at_once(numac, "qemu", 5)),
        Fault("any", "two runs of one guest at once", "embed", "NM1305 or NM1306", KEPT,
              lambda numac: at_once(numac, "embed", 2)),
        Fault(VERIFY, "another command comes", "qemu", "NM1306", KEPT, busy),
        Fault(START, "a start fails beside a guest of the same UUID", "qemu", "NM1310", KEPT, foreign_guest),
        Fault("behind all", "QEMU and its keeper are killed", "qemu", "NM1304, at the next command", NEXT,
              lambda numac: engine_dies(numac, "qemu")),
        Fault("behind all", "QEMU is killed", "embed", "NM1304, at the next command", NEXT,
              lambda numac: engine_dies(numac, "embed")),
        Fault(VERIFY, "numac and its keeper are killed", "qemu", "NM1304, at the next command", NEXT, cut_off),
        Fault("any", "not root, and no need to be", "qemu", "nothing", AT_ONCE, lambda numac: as_nobody(numac, ONE_CELL, 0)),
        Fault("schedule vcpu 0 as fifo 5", "permission is missing", "qemu", "NM1316", AT_ONCE,
              lambda numac: as_nobody(numac, FIFO, REFUSED, "NM1316",
                                      text=["step 'schedule vcpu 0 as fifo 5' failed", "CAP_SYS_NICE"])),
    ]
    rows += [Fault(words[0] if words[0].startswith(("see", "pin")) else START, name, "qemu", code, AT_ONCE,
                   lambda numac, rest=(text, REFUSED, code, words), more=more: engines.refused(numac, *rest, **more))
             for name, text, code, words, more in engines.REFUSALS]
    rows += [Fault("see that this machine is host big as planned", f"{name} since the plan", "qemu", "NM1334", AT_ONCE,
                   lambda numac, rest=(text.format(said), words): engines.stale(numac, "qemu", *rest))
             for name, text, said, words in engines.STALE]
    return rows + of_cgroups()


def table():
    return "".join(row.row() for row in faults())


def is_current():
    if not PAGE.exists() or PAGE.read_text().partition(MARK)[2].partition("\n")[2] != table():
        raise tap.Failure("docs/faults.md is not the table of these tests: run tests/runtime/faults.py --write")


def write():
    head, mark, _ = PAGE.read_text().partition(MARK)
    PAGE.write_text(head + mark + "| --- | --- | --- | --- | --- |\n" + table())


def main():
    parser = argparse.ArgumentParser(description="starts of guests that go wrong, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--all", action="store_true", help="slow ones too, and killed at each effect, not at some")
    parser.add_argument("--only", help="tests whose name holds this")
    parser.add_argument("--write", action="store_true", help="write the table of docs/faults.md")
    options = parser.parse_args()
    if options.write:
        return write()
    numac = Numac(options.numac)
    tests = [tap.Test("docs/faults.md", is_current)]
    tests += [tap.Test(fault.title, lambda fault=fault: fault.run(numac)) for fault in faults(options.all)
              if not fault.in_lab and (options.all or not fault.is_slow)]
    return tap.run([test for test in tests if not options.only or options.only in test.name], 3 * (os.cpu_count() or 1))


if __name__ == "__main__":
    sys.exit(main())
