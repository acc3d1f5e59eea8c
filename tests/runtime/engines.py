#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Guests that really start, by QEMU alone and by libvirt inside numac: started, listed, verified, refused a second time,
# stopped, and nothing left.  What numac says of a guest is held against the kernel's own files.

import argparse
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import tap
from harness.program import ROOT, Numac, findings_of
from harness.stage import EXAMPLE, ONE_CELL, QEMU, Stage, ended, expect, lacks, need, process_file

ENGINES = ("qemu", "embed")
TWO_CELLS = """host here { topology live }
guest pair {
    accel tcg
    vcpus 2
    memory 128MiB
    cells 2
    pin { 0 0; 1 1 }
    emulator { cpus 1 }
}
"""
WAITING = TWO_CELLS.replace("vcpus 2", "vcpus 2 { max 3; online 0-1 }").replace("cells 2", "scheduler batch").replace(
    "1 1 }", "1-2 1 }")
BATCH = TWO_CELLS.replace("vcpus 2", "vcpus 2; scheduler batch")
# vcpus that wait have no thread to be pinned; a dimm is in the cell that gets it, and no part of its memory
PLUGGED = TWO_CELLS.replace("pair", "plugged").replace("vcpus 2", "vcpus 2 { max 4 }").replace(
    "memory 128MiB", "memory 128MiB { max 512MiB }; dimm more { size 128MiB; cell 1 }").replace("1 1 }", "1 1; 2-3 0 }")
POWER = """guest power {
    arch ppc64
    accel tcg
    vcpus 2 { max 4 }
    memory 512MiB { max 1GiB }
    cells 2
    dimm more { size 256MiB; cell 1 }
    expander-bus near { cell 1 }
}
"""
TWO_GUESTS = ONE_CELL + ONE_CELL.replace("tiny", "other").replace("256MiB", "128MiB")
NO_HOST = "guest g {{ accel tcg; vcpus 1; {} }}\n"
BIG_HOST = 'host big {{ synthetic "pack:4 [numa(memory=900GiB)] core:16 pu:1" }}\nguest g {{ accel tcg; vcpus 1; {} }}\n'
SMALL_NODES = BIG_HOST.replace("900GiB", "128MiB").replace("core:16", "core:1")


def two_cpus():
    if not {0, 1} <= os.sched_getaffinity(0):
        raise tap.Skip("CPUs 0 and 1 are not both here to pin to")


def facts(stage, site, status=0):
    run = stage.run("verify", "--format", "json", site)
    if run.status != status:
        raise tap.Failure(f"verify: expected status {status}; {run.told()}")
    return json.loads(run.out)["guests"][0]


def all_exact(guest):
    wrong = [fact for fact in guest["facts"] if fact["verdict"] not in ("exact", "untouched")]
    if wrong or not guest["facts"] or not guest["exact"]:
        raise tap.Failure(f"not exact: {guest}")


def kernel_cpus(thread):
    return re.search(rb"Cpus_allowed_list:\s*(\S+)", process_file(thread, "status")).group(1).decode()


# ---- from start to stop ---------------------------------------------------------------------------------------------

def life(numac, engine, text, guest, program="qemu-system-x86_64"):
    if not shutil.which(program):
        raise tap.Skip(f"{program} is not installed")
    with Stage(numac, engine) as stage:
        site = stage.site(text)
        run = expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        if run.out or re.findall(r"NM13\d\d", run.err) not in ([], ["NM1336"]):  # that one where there is no cgroup v2
            raise tap.Failure(f"a start that succeeds says nothing of its own; {run.told()}")
        listed = stage.listed()
        if [(one["name"], one["site"], one["engine"], one["state"]) for one in listed] != \
                [(guest, "site", engine, "running")] or ended(listed[0]["pid"]):
            raise tap.Failure(f"list: {listed}")
        if b"-uuid\0" + listed[0]["uuid"].encode() not in process_file(listed[0]["pid"], "cmdline"):
            raise tap.Failure(f"the process listed is not this guest's QEMU: {listed}")
        expect(stage.run("list"), 0, text=["site                 guest", f"{guest:<20} {engine:<8} running"])
        expect(stage.run("list", site), 0, text=[guest])
        all_exact(facts(stage, site))
        expect(stage.run("verify", site), 0, text=[f"guest {guest}: as planned"])
        expect(stage.run("run", "--detach", "--engine", engine, site), 3, "NM1305", text=[f"'{guest}' runs already"])
        if stage.listed() != listed:
            raise tap.Failure("the second run changed what is listed")
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()
        if stage.listed():
            raise tap.Failure("listed behind its stop")
        expect(stage.run("verify", site), 3, "NM1307")
        expect(stage.run("stop", site), 3, "NM1307")


def again_and_again(numac, engine):
    """What watches over a guest that was stopped must not touch the next one of that name."""
    with Stage(numac, engine) as stage:
        site = stage.site(ONE_CELL)
        for _ in range(4):
            expect(stage.run("run", "--detach", "--engine", engine, site), 0)
            expect(stage.run("stop", site), 0)
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        time.sleep(0.5)
        if not stage.listed():
            raise tap.Failure("gone by itself")
        expect(stage.run("verify", site), 0)
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def two_guests(numac, engine):
    with Stage(numac, engine) as stage:
        site = stage.site(TWO_GUESTS)
        if engine == "qemu":
            expect(stage.run("run", "--engine", engine, site), 1, "NM0004", text=["cannot share one console"])
        expect(stage.run("run", "--detach", "--engine", engine, site, "other"), 0)
        if [one["name"] for one in stage.listed()] != ["other"]:
            raise tap.Failure(f"list: {stage.listed()}")
        expect(stage.run("run", "--detach", "--engine", engine, site, "tiny"), 0)
        if [one["name"] for one in stage.listed()] != ["other", "tiny"]:
            raise tap.Failure(f"list: {stage.listed()}")
        verified = json.loads(expect(stage.run("verify", "--format", "json", site), 0).out)["guests"]
        if sorted(one["name"] for one in verified) != ["other", "tiny"]:
            raise tap.Failure(f"verify: {verified}")
        expect(stage.run("stop", site, "tiny"), 0)
        if [one["name"] for one in stage.listed()] != ["other"]:
            raise tap.Failure(f"list: {stage.listed()}")
        expect(stage.run("stop", site), 3, "NM1307", text=["'tiny' does not run"])
        stage.expect_nothing_left()


def ends_by_itself(numac, engine):
    """A guest whose QEMU ended is not listed, and may start again."""
    with Stage(numac, engine) as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        pid = stage.listed()[0]["pid"]
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while not ended(pid) and time.monotonic() < until:
            time.sleep(0.01)
        if engine == "qemu":
            stage.expect_nothing_left(" by the keeper")
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


# ---- in the foreground ----------------------------------------------------------------------------------------------

def await_guest(stage, process):
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        running = [one for one in stage.listed() if one["state"] == "running"]
        if running:
            return running[0]
    raise tap.Failure(f"no guest came up; {stage.close(process).told()}")


def foreground(numac, end, status):
    with Stage(numac) as stage:
        site = stage.site(ONE_CELL)
        process = stage.open("run", "--engine", "qemu", site)
        guest = await_guest(stage, process)
        all_exact(facts(stage, site))  # the monitor is free for others
        end(stage, process, guest)
        run = stage.close(process)
        if run.status != status or run.err:
            raise tap.Failure(f"expected status {status}; {run.told()}")
        stage.expect_nothing_left()


def stop_it(stage, _process, _guest):
    expect(stage.run("stop", "site.numa"), 0)


def kill_it(_stage, _process, guest):
    os.kill(guest["pid"], signal.SIGKILL)


def end_numac(_stage, process, _guest):
    process.send_signal(signal.SIGTERM)


# A disk that says this on the first serial line, and then says again what it hears.
GREETING = b"here is the guest\r\n"
TALKER = bytes.fromhex("be1d7c ac 84c0 7406 baf803 ee ebf5 bafd03 ec a801 74f8 baf803 ec ee ebf1") + GREETING
TALKS = ONE_CELL.replace("vcpus 1", 'boot { disk "talker.img" }; vcpus 1')


def heard(stream, wanted):
    """Reads what numac shows until the words are there."""
    until, text = time.monotonic() + 40, b""
    while wanted not in text and time.monotonic() < until:
        if select.select([stream], [], [], 1)[0]:
            piece = os.read(stream.fileno(), 4096)
            if not piece:
                break
            text += piece
    if wanted not in text:
        raise tap.Failure(f"heard {text}, not {wanted}")
    return text


def talks(numac, engine):
    """The guest's console is numac's terminal, both ways, from its first word to its end; the terminal is as it was."""
    with Stage(numac, engine) as stage:
        (stage.folder / "talker.img").write_bytes(TALKER.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
        site = stage.site(TALKS.replace("talker.img", str(stage.folder / "talker.img")))
        keyboard, terminal = os.openpty()
        before = termios.tcgetattr(terminal)
        process = stage.open("run", "--engine", engine, site, stdin=terminal)
        heard(process.stdout, GREETING)
        os.write(keyboard, b"a word\r")
        heard(process.stdout, b"a word")
        all_exact(facts(stage, site))  # others can ask meanwhile
        process.send_signal(signal.SIGINT)
        run = stage.close(process)
        if run.status != -signal.SIGINT or termios.tcgetattr(terminal) != before:
            raise tap.Failure(f"{termios.tcgetattr(terminal)}, not {before}; {run.told()}")
        os.close(keyboard)
        os.close(terminal)
        stage.expect_nothing_left()


def outlives(numac):
    """A guest in the foreground whose numac is killed goes on, and is stopped like any other."""
    with Stage(numac) as stage:
        site = stage.site(ONE_CELL)
        process = stage.open("run", "--engine", "qemu", site)
        guest = await_guest(stage, process)
        process.kill()
        process.wait()  # its output stays open: QEMU has it too
        if [one["pid"] for one in stage.listed()] != [guest["pid"]]:
            raise tap.Failure(f"list: {stage.listed()}")
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


# ---- what is said of it ---------------------------------------------------------------------------------------------

def held_against_kernel(numac, engine):
    """Pinned to one CPU each, by the kernel's own files; and moved away, which verify must see."""
    two_cpus()
    with Stage(numac, engine) as stage:
        site = stage.site(TWO_CELLS)
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        guest = facts(stage, site)
        threads = {fact["what"]: fact["thread"] for fact in guest["facts"] if fact["kind"] == "cpus"}
        cpus = {what: kernel_cpus(thread) for what, thread in threads.items()}
        if cpus != {"vcpu 0": "0", "vcpu 1": "1", "emulator": "1"}:
            raise tap.Failure(f"the kernel says {cpus}")
        os.sched_setaffinity(threads["vcpu 1"], {0})
        expect(stage.run("verify", site), 1, "NM1322",
               text=["vcpu 1 of guest 'pair': cpus 0, not cpus 1 as planned", "NOT as planned", "WRONG"])
        if facts(stage, site, 1)["exact"]:
            raise tap.Failure("JSON calls it exact")
        expect(stage.run("verify", "--repair", site), 0, text=["NM1328"])
        if kernel_cpus(threads["vcpu 1"]) != "1":
            raise tap.Failure("not repaired")
        all_exact(facts(stage, site))
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def classes(numac, engine):
    two_cpus()
    with Stage(numac, engine) as stage:
        site = stage.site(BATCH)
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        thread = next(fact["thread"] for fact in facts(stage, site)["facts"] if fact["kind"] == "class")
        if os.sched_getscheduler(thread) != os.SCHED_BATCH:
            raise tap.Failure("the kernel does not say batch")
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
        expect(stage.run("verify", site), 1, "NM1323")
        expect(stage.run("stop", site), 0)


def lies(numac, rule, status, code, words):
    """A QEMU that tells verify something else than the plan, the second time it is asked."""
    with Stage(numac) as stage:
        site = stage.site(TWO_CELLS)
        stage.misbehave([{"count": 2, **rule}])
        expect(stage.run("run", "--detach", "--engine", "qemu", site), 0)
        expect(stage.run("verify", site), status, *[code] if code not in words else [], text=words)
        stage.run("stop", site)
        stage.expect_nothing_left()


# ---- nothing is started ---------------------------------------------------------------------------------------------

def dry_run(numac):
    two_cpus()
    with Stage(numac) as stage:
        site = stage.site(BATCH)
        steps = ["see that this machine is host here as planned", "see that node 0 has 128MiB free", "make a cgroup for QEMU, where it can have one",
                 "start QEMU, its CPUs stopped", "pin the emulator to cpus 1",
                 "pin vcpu 0 to cpus 0", "pin vcpu 1 to cpus 1", "schedule vcpu 0 as batch", "schedule vcpu 1 as batch",
                 "verify that it is where the plan says", "start its CPUs"]
        wanted = "pair, by qemu:\n" + "".join(f"  {number}. {step}\n" for number, step in enumerate(steps, 1))
        run = expect(stage.run("run", "--dry-run", "--engine", "qemu", site), 0)
        if run.out != wanted:
            raise tap.Failure(f"{run.out}\ninstead of\n{wanted}")
        run = expect(stage.run("run", "--dry-run", "--engine", "embed", site), 0)
        if "pin vcpu" in run.out or "start QEMU" not in run.out:  # libvirt does that
            raise tap.Failure(run.told())
        stage.expect_nothing_left()


def elsewhere(numac):
    """On another machine nothing of this one is looked at, and libvirt places the threads."""
    with Stage(numac) as stage:
        site = stage.site(BIG_HOST.format("memory 800GiB; node 0"))
        for uri, looks in (("qemu+ssh://host.invalid/system", False), ("qemu:///system", True)):
            run = expect(stage.run("run", "--dry-run", "--connect", uri, site), 0)
            if ("see that node 0" in run.out) != looks or ("this machine is host big" in run.out) != looks or "pin" in run.out:
                raise tap.Failure(f"{uri}: {run.out}")
        stage.expect_nothing_left()


KVM = """#!/bin/sh
case " $* " in *" -accel kvm "*) {} ;; esac
exec {} "$@"
"""
NO_KVM = "echo no KVM at all >&2; exit 1"


def by_kvm(numac, engine, text, kvm, status, codes, words, accel=None):
    """`kvm`: what a QEMU does that is asked for KVM."""
    with Stage(numac, engine) as stage:
        stage.misbehave(program=KVM.format(kvm, shutil.which(QEMU)))
        site = stage.site(text)
        run = expect(stage.run("run", "--detach", "--engine", engine, site), status, *codes,
                     text=words if engine == "qemu" else ())  # libvirt does not always hear what QEMU says at its end
        if ("NM1361" in run.err) != ("NM1361" in codes):
            raise tap.Failure(run.told())
        if accel:
            words = process_file(stage.listed()[0]["pid"], "cmdline").decode().split("\0")
            if words[words.index("-accel") + 1] != accel:
                raise tap.Failure(f"{words}")
            expect(stage.run("verify", site), 0)
            expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


BY_KVM = (  # the name, the site, what QEMU does with KVM, what comes of it
    ("does not work: TCG, and it is told", EXAMPLE, NO_KVM, 0, ["NM1361"], ["no KVM at all", "by TCG"], "tcg"),
    ("does not work, and the site insists", EXAMPLE.replace("vcpus 1", "vcpus 1; accel kvm"), NO_KVM, 3, ["NM1310"],
     ["no KVM at all"]),
    ("does not work, and the site wants a CPU", EXAMPLE.replace("vcpus 1", "vcpus 1; cpu host-passthrough"), NO_KVM, 3,
     ["NM1310"], ["no KVM at all"]),
    ("works", EXAMPLE, f'exec {shutil.which(QEMU)} $(echo " $* " | sed "s/-accel kvm/-accel tcg/;s/-cpu host/-cpu max/")', 0,
     [], [], "tcg"))


def told_at_once(numac, engine):
    """In the foreground what the start found is told before the guest has the terminal, once, and still counts at the end;
    programs get one document."""
    with Stage(numac, engine) as stage:
        stage.misbehave(program=KVM.format(NO_KVM, shutil.which(QEMU)))
        site = stage.site(EXAMPLE)
        process = stage.open("run", "--engine", engine, "--fail-on", "warning", site)
        said = heard(process.stderr, b"[NM1361]")
        if not await_guest(stage, process):
            raise tap.Failure("told, and did not run")
        expect(stage.run("stop", site), 0)
        run = stage.close(process)
        if run.status != 1 or said.count(b"[NM1361]") != 1 or "NM1361" in run.err:
            raise tap.Failure(f"{said}; {run.told()}")
        process = stage.open("run", "--engine", engine, "--format", "json", site)
        await_guest(stage, process)
        expect(stage.run("stop", site), 0)
        codes = [one.code for one in findings_of(stage.close(process))]
        if codes.count("NM1361") != 1:
            raise tap.Failure(f"{codes}")
        stage.expect_nothing_left()


def neither(numac):
    """What fails with and without KVM is told once, and nothing of KVM."""
    with Stage(numac) as stage:
        stage.misbehave(program="#!/bin/sh\necho nothing works >&2\nexit 1\n")
        run = expect(stage.run("run", "--detach", "--engine", "qemu", stage.site(EXAMPLE)), 3, "NM1310", text=["nothing works"])
        if run.err.count("error[") != 1 or "NM1361" in run.err:
            raise tap.Failure(run.told())
        stage.expect_nothing_left()


def unknown_guest(numac):
    with Stage(numac) as stage:
        site = stage.site(ONE_CELL)
        for verb in ("run", "verify", "stop", "list"):
            run = stage.run(verb, site, "tinny")
            if run.status != 2 or "did you mean 'tiny'?" not in run.err:
                raise tap.Failure(f"{verb}: {run.told()}")
        stage.expect_nothing_left()


def refused(numac, text, status, code, words, engine="qemu", files=(), program=None, path=None):
    with Stage(numac) as stage:
        for name, content in files:
            (stage.folder / name).write_text(content)
        if program is not None:
            stage.misbehave(program=program)
        if path is not None:
            stage.environment["PATH"] = path
        site = stage.site(text)
        expect(stage.run("run", "--detach", "--engine", engine, site), status, code, text=words)
        stage.expect_nothing_left()


REFUSALS = (  # the name, the site, what is said, what is special
    ("no QEMU is installed", ONE_CELL, "NM1309", ["'qemu-system-x86_64' is not on this machine"], {"path": "/nowhere"}),
    ("a node is missing", NO_HOST.format("memory 64MiB; node 3"), "NM1313", ["see that node 3 has 64MiB free"], {}),
    ("a CPU is missing", NO_HOST.format("memory 64MiB; pin { 0 60 }"), "NM1316", ["pin vcpu 0 to cpus 60", "failed"], {}),
    ("a node has no room", NO_HOST.format("memory 800GiB; node 0"), "NM1314", ["see that node 0 has 800GiB free"], {}),
    ("huge pages are too few", NO_HOST.format("memory 64GiB; node 0; pages 2MiB"), "NM1315",
     ["see that node 0 has 32768 free pages of 2MiB"], {}),
    ("QEMU does not know a word", ONE_CELL, "NM1310", ["QEMU says: no such option"],
     {"program": "#!/bin/sh\necho no such option >&2\nexit 1\n"}),
    ("QEMU cannot be executed", ONE_CELL, "NM1310", ["its program"], {"program": "#!/nowhere\n"}))


def stale(numac, engine, text, words):
    """Planned for a machine that this one is not, or no longer: refused by the first step, with all that is other."""
    with Stage(numac, engine) as stage:
        site = stage.site(text)
        run = expect(stage.run("run", "--detach", "--engine", engine, site), 3, "NM1334",
                     text=["this machine is not host 'big' that guest 'g' was planned for", *words])
        if "at step" not in run.err or run.err.count("error[") != 1:
            raise tap.Failure(run.told())
        stage.expect_nothing_left()


def stale_since(numac):
    """The host of a guest that runs is described anew, larger than it is: verify says so, and compares all the same."""
    two_cpus()
    with Stage(numac) as stage:
        site = stage.site(TWO_CELLS)
        expect(stage.run("run", "--detach", "--engine", "qemu", site), 0)
        stage.site(TWO_CELLS.replace("topology live", 'synthetic "[numa(memory=900GiB)] core:2 pu:1"'))
        expect(stage.run("verify", site), 3, "NM1334", text=["node 0 has", "not 900GiB", "guest pair: as planned"])
        expect(stage.run("stop", site), 0)


STALE = (
    ("a node is gone", BIG_HOST, "memory 64MiB; node 3", ["it has no node 3"]),
    ("a node is smaller", BIG_HOST, "memory 800GiB; node 0", ["node 0 has", "not 900GiB"]),
    ("CPUs are gone", BIG_HOST, "memory 64MiB; node 3; pin { 0 60 }", ["it has no node 3", "cpus 48-63 are not there, or offline"]),
    ("a CPU is on another node", SMALL_NODES, "memory 64MiB; pin { 0 1 }", ["cpus 1 are on node 0, not on node 1"]))


def base_by_qemu(numac):
    base = "<domain type='qemu'><name>g</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>\n"
    refused(numac, "guest g { base g.xml; vcpus 1; memory 64MiB }\n", 3, "NM1308", ["has a base, which only libvirt understands"],
            files=[("g.xml", base)])


def resctrl_by_qemu(numac):
    refused(numac, "guest g { accel tcg; vcpus 1; memory 64MiB; resctrl 0 { l3 { 0 2MiB } } }\n", 3, "NM1308",
            ["has parts of caches or of memory bandwidth", "--engine embed"])


def no_agent(numac):
    with Stage(numac) as stage:
        alone = stage.folder / "numac"
        shutil.copy(numac.path, alone)
        expect(Numac(alone).run(["list"], stage.folder, environment=stage.environment), 3, "NM1301")


def part_missing(numac):
    """Without numac-libvirt libvirt's guests are refused, whatever is asked of them; those of QEMU alone need it not."""
    with Stage(numac) as stage:
        for name in ("numac", "numac-agent"):
            shutil.copy(pathlib.Path(numac.path).with_name(name), stage.folder / name)
        stage.numac = Numac(stage.folder / "numac")
        site = stage.site(ONE_CELL)
        for words in (("run", "--detach"), ("verify", "--connect", "qemu:///system"), ("diff",)):
            run = expect(stage.run(*words, site), 3, "NM1362", text=["needs numac-libvirt, which does not start: No such file"])
            if run.err.count("error[") != 1:
                raise tap.Failure(run.told())
        stage.expect_nothing_left()
        (stage.folder / "numac-libvirt").write_text("no program at all\n")
        (stage.folder / "numac-libvirt").chmod(0o755)
        expect(stage.run("run", "--detach", site), 3, "NM1309", text=["Exec format error"])
        expect(stage.run("run", "--detach", "--engine", "qemu", site), 0)
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def mapped(pid):
    """Libraries in a process: "libglib-2.0"."""
    files = re.findall(rb"/([^/\n]+)\.so", process_file(pid, "maps"))
    return {name.decode() for name in files}


def called(stage, name):
    found = [pid for pid in stage.processes() if process_file(pid, "comm").decode().strip() == name]
    if len(found) != 1:
        raise tap.Failure(f"{name}: {found}")
    return found[0]


NOT_OURS = {"libvirt", "libvirt-qemu", "libsystemd", "libxml2", "libcurl-gnutls", "libgnutls", "libgio-2.0"}


def without_libvirt(numac, engine):
    """What runs guests is free of libvirt, of systemd's library, and of all that these bring; also its keeper, and also
    where another program asks libvirt in its name."""
    with Stage(numac, engine) as stage:
        stage.misbehave([{"at": "query-memdev", "do": "silence"}])
        process = stage.open("run", "--detach", "--engine", engine, stage.site(ONE_CELL))
        stage.await_question("query-memdev")
        ours = [process.pid, called(stage, "numac-keeper")] if engine == "qemu" else [process.pid]
        found = [mapped(pid) for pid in ours]
        if any(libraries & NOT_OURS or "libglib-2.0" not in libraries for libraries in found):
            raise tap.Failure(f"mapped: {found}")
        if engine == "embed" and "libvirt" not in mapped(called(stage, "numac-libvirt")):
            raise tap.Failure(f"mapped: {mapped(called(stage, 'numac-libvirt'))}")
        process.send_signal(signal.SIGINT)
        expect(stage.close(process), -signal.SIGINT, "NM1312")
        stage.expect_nothing_left()


def not_a_bundle(numac):
    agent = pathlib.Path(numac.path).with_name("numac-agent")
    for text in (b"", b"{}", b'{"format_version": 1, "verb": "run"}', b"[" * 100000, b"\0\xff"):
        read, write = os.pipe()
        os.write(write, text[:60000])
        os.close(write)
        done = subprocess.run([agent, str(read)], pass_fds=[read], capture_output=True, text=True, timeout=20,
                              check=False)
        os.close(read)
        if done.returncode != 3 or "NM1302" not in done.stderr:
            raise tap.Failure(f"{text[:40]}: exit status {done.returncode}, {done.stderr}")
    for program in (agent, agent.with_name("numac-libvirt")):
        for words in ((), ("1",), ("x",), ("77",), ("", "")):
            done = subprocess.run([program, *words], capture_output=True, text=True, timeout=20, check=False)
            if done.returncode not in (2, 3) or not done.stderr or done.stdout:
                raise tap.Failure(f"{program.name} {words}: exit status {done.returncode}, {done.stderr}")


def bundle(**changes):
    """What numac hands over for the smallest guest, with something of it changed by hand."""
    plan = json.loads(changes.pop("plan_text"))
    guest = plan["guests"][0]
    whole = {"format_version": 1, "verb": "run", "engine": "qemu", "format": "human", "fail_on": "error", "detach": True,
             "plan": plan, "hosts": [{"name": "here", "nodes": [{"node": 0, "cpus": "0-1", "memory_bytes": 1 << 30}]}],
             "guests": [{"name": guest["name"], "argv": ["/bin/false"]}]}
    for path, value in changes.items():
        place, keys = whole, [int(key) if key.isdigit() else key for key in path.split("__")]
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
    whole["plan"] = json.dumps(whole["plan"])
    return json.dumps(whole).encode()


HOSTILE = (
    {"plan__guests__0__uuid": "../../../../tmp/numac-was-here"}, {"plan__guests__0__uuid": ""},
    {"plan__guests__0__name": "a\nb"}, {"plan__guests__0__name": 7}, {"plan__guests__0__vcpus": 1 << 40},
    {"plan__guests__0__memory_bytes": -4096}, {"plan__guests__0__pins": ["9-3"]}, {"plan__guests__0__extra": 1},
    {"plan__format_version": 99}, {"guests__0__name": "nobody"}, {"guests__0__argv": []}, {"guests__0__argv": ["a\0b"]},
    {"guests__0__argv": [{}]}, {"hosts__0__nodes__0__node": -1}, {"hosts__0__nodes__0__node": 1 << 40},
    {"hosts__0__nodes__0__cpus": "3-1"}, {"hosts__0__nodes__0__cpus": "0-4294967295"}, {"hosts__0__nodes__0__cpus": 3},
    {"hosts__0__nodes__0__memory_bytes": -1}, {"hosts__0__nodes": {}}, {"hosts__0__name": None}, {"pid": -1},
    {"pid": 1 << 40}, {"pid": "1"}, {"verb": "format"}, {"engine": "/bin/sh"})


def hostile_bundles(numac):
    """Bundles and plans made by hand: refused whole, before anything is touched."""
    agent = pathlib.Path(numac.path).with_name("numac-agent")
    with Stage(numac) as stage:
        plan = expect(stage.run("plan", "--format", "json", stage.site(ONE_CELL)), 0).out
        for changes in HOSTILE + ({},):
            file = stage.folder / "bundle"
            file.write_bytes(bundle(plan_text=plan, **changes))
            with open(file, "rb") as opened:
                done = subprocess.run([agent, str(opened.fileno())], pass_fds=[opened.fileno()], capture_output=True,
                                      text=True, timeout=20, check=False, env=os.environ | stage.environment)
            refused_as = re.findall(r"error\[(NM\d{4})\]", done.stderr)
            wanted = r"NM1302|NM12\d\d" if changes else "NM1310"  # the one that nobody changed gets as far as its QEMU
            if done.returncode != 3 or len(refused_as) != 1 or not re.fullmatch(wanted, refused_as[0]):
                raise tap.Failure(f"{changes}: exit status {done.returncode}, {done.stderr}")
            if changes and stage.state.exists() or stage.files():
                raise tap.Failure(f"{changes}: {stage.files()} is left")


def libvirt_is_silent(numac):
    """A guest of a libvirt that does not answer may run on: it stays listed, and can be stopped later."""
    with Stage(numac) as stage:
        site = stage.site(ONE_CELL)
        guest = json.loads(expect(stage.run("plan", "--format", "json", site), 0).out)["guests"][0]
        expect(stage.run("list"), 0)  # makes the folder
        folder = stage.state / guest["uuid"]
        folder.mkdir(0o700)
        (folder / "guest.json").write_text(json.dumps(
            {"format_version": 1, "name": "tiny", "uuid": guest["uuid"], "site": "site", "engine": "libvirt",
             "connect": "qemu+tcp://127.0.0.1:1/system", "phase": "running", "begun": 1, "pid": 0, "pid_start": 0,
             "keeper": 0, "reservations": []}))
        expect(stage.run("stop", site), 3, "NM1309", text=["NM1335", "guest 'tiny' stays listed", f"remove '{folder}'"])
        if [one["name"] for one in stage.listed()] != ["tiny"]:
            raise tap.Failure("forgotten")
        shutil.rmtree(folder)


def findings_as_json(numac):
    with Stage(numac) as stage:
        run = stage.run("stop", "--format", "json", stage.site(ONE_CELL))
        codes = [one.code for one in findings_of(run)]
        if codes != ["NM1307"] or run.status != 3:
            raise tap.Failure(f"{codes}; {run.told()}")


# ---- where it is kept -----------------------------------------------------------------------------------------------

def foreign_folder(numac):
    """Root does not keep guests with a user, nor in a folder that goes when a session ends."""
    if os.geteuid() != 0:
        raise tap.Skip("not root")
    with Stage(numac) as stage:
        os.chown(stage.runtime, 65534, 65534)
        expect(stage.run("list"), 0)
        if stage.state.exists():
            raise tap.Failure("kept with the user whose environment it was")


def open_folder(numac):
    with Stage(numac) as stage:
        stage.state.mkdir(0o755)
        stage.state.chmod(0o755)
        expect(stage.run("list"), 3, "NM1303", text=["others can write or look into it"])
        stage.state.rmdir()
        stage.state.write_text("")
        expect(stage.run("list"), 3, "NM1303", text=["it is no folder"])


def private(numac, engine):
    """Nobody else may look into anything that is kept."""
    with Stage(numac, engine) as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", "--engine", engine, site), 0)
        if stage.state.stat().st_mode & 0o077:
            raise tap.Failure("the state folder is open")
        expect(stage.run("stop", site), 0)


def tests_of(numac):
    tests = []
    for engine in ENGINES:
        tests += [tap.Test(f"{engine}: {name}", lambda run=run, engine=engine, rest=rest: run(numac, engine, *rest))
                  for name, run, *rest in (
                      ("one cell from start to stop", life, ONE_CELL, "tiny"),
                      ("two cells from start to stop", life, TWO_CELLS, "pair"),
                      ("vcpus that wait from start to stop", life, WAITING, "pair"),
                      ("vcpus and memory to be plugged", life, PLUGGED, "plugged"),
                      ("a guest of ppc64", life, POWER, "power", "qemu-system-ppc64"),
                      ("stopped and started again and again", again_and_again),
                      ("two guests of one site", two_guests),
                      ("ends by itself", ends_by_itself),
                      ("pinned, moved, seen, put back", held_against_kernel),
                      ("another class is seen", classes),
                      ("its console", talks), ("kept privately", private), ("free of libvirt", without_libvirt))]
    tests += [tap.Test(f"foreground: {name}", lambda end=end, status=status: foreground(numac, end, status))
              for name, end, status in (("stopped by another", stop_it, 0), ("QEMU killed", kill_it, 1),
                                        ("numac asked to end", end_numac, -signal.SIGTERM))]
    tests += [tap.Test(f"{engine}: KVM {name}", lambda engine=engine, rest=rest: by_kvm(numac, engine, *rest))
              for engine in ENGINES for name, *rest in (BY_KVM if engine == "qemu" else BY_KVM[:2])]
    tests += [tap.Test(f"{engine}: KVM does not work: told at once", lambda engine=engine: told_at_once(numac, engine))
              for engine in ENGINES]
    tests += [tap.Test("KVM is not what fails", lambda: neither(numac))]
    tests += [tap.Test("foreground: outlives numac", lambda: outlives(numac))]
    tests += [tap.Test(f"verify sees {name}", lambda rest=rest: lies(numac, *rest)) for name, *rest in (
        ("other cells", {"at": "info numa", "do": "answer", "text": "1 nodes\r\nnode 0 cpus: 0 1\r\nnode 0 size: 128 MB\r\n"},
         1, "NM1327", ["cell 0 of guest 'pair'"]),
        ("no memory where it looks", {"at": "info mtree -f", "do": "answer", "text": "FlatView #0\r\n"}, 0, "NM1321",
         ["NM1321"]),
        ("QEMU end under its eyes", {"at": "query-memdev", "do": "kill-engine"}, 3, "NM1320", ["cannot be verified"]),
        ("a lost thread", {"at": "query-cpus-fast", "do": "answer", "text": []}, 1, "NM1322", ["vcpu 0"]))]
    tests += [tap.Test(name, lambda run=run: run(numac)) for name, run in (
        ("--dry-run lists the steps", dry_run), ("unknown guests", unknown_guest),
        ("--dry-run for another machine", elsewhere),
        ("refused: a base, by QEMU alone", base_by_qemu), ("refused: parts of caches, by QEMU alone", resctrl_by_qemu), ("verify on a host described anew", stale_since),
        ("numac without its agent", no_agent), ("numac without what asks libvirt", part_missing), ("an agent without its bundle", not_a_bundle),
        ("bundles made by hand", hostile_bundles),
        ("stop: its libvirt does not answer", libvirt_is_silent),
        ("findings as JSON", findings_as_json), ("state: of another user", foreign_folder),
        ("state: open to others, or no folder", open_folder))]
    tests += [tap.Test(f"{engine}: another machine: {name}",
                       lambda engine=engine, rest=(text.format(said), words): stale(numac, engine, *rest))
              for engine in ENGINES for name, text, said, words in STALE]
    tests += [tap.Test(f"refused: {name}", lambda rest=rest, more=more: refused(numac, *rest, **more))
              for name, text, code, words, more in REFUSALS for rest in [(text, 3, code, words)]]
    return tests


def main():
    parser = argparse.ArgumentParser(description="guests that really start, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    options = parser.parse_args()
    return tap.run(tests_of(Numac(options.numac)), 2 * (os.cpu_count() or 1))


if __name__ == "__main__":
    sys.exit(main())
