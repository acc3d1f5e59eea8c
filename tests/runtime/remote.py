#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Guests on two other machines (harness/far.py), reached over ssh and TLS, from where their processes, memory and CPUs
# cannot be seen: started, verified as far as libvirt can tell, compared, defined and stopped there.

import argparse
import json
import os
import shutil
import sys
import tempfile
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import far, tap
from harness.program import ROOT, Numac
from harness.stage import Stage, expect, lacks

# no such host is here: twice the nodes that it has, and numbers of CPUs that only the other machine is asked about
SITE = """
versions {{ libvirt 9.0.0; qemu 7.2; kernel 6.1 }}
host r1 {{ synthetic "numa:1(memory=8GiB) core:2 pu:1"; versions {{ libvirt 9.0.0; qemu 7.2; kernel 6.1 }}; {0} }}
host r2 {{ like r1; {1} }}
profile small {{
    accel tcg
    vcpus 2
    cell a {{ vcpus 1; memory 64MiB; node 0 }}
    cell b {{ vcpus 1; memory 64MiB; node 0 }}
    pin {{ 0 0; 1 1 }}
    emulator {{ cpus 1 }}
    iothread 1 {{ cpus 0 }}
}}
guest one {{ use small; host r1 }}
guest two {{ use small; host r2 }}
"""


# at home on r1, and on r2 with its threads the other way around
MOVING = """
guest mv { use small; host r1; migrate r2; at r2 { pin { 0 1; 1 0 }; emulator { cpus 0 }; iothread 1 { cpus 1 } } }
"""


class Far:
    """The two machines, and a site whose hosts name them."""

    def __init__(self, numac, hosts):
        self.numac, self.hosts = numac, hosts
        self.text = SITE.format(f'connect "{hosts[0].ssh()}"', f'connect "{hosts[1].tls()}"')

    def stage(self):
        return Stage(self.numac, "qemu")

    def end_all(self):
        """Whatever a failed test left there."""
        for host in self.hosts:
            host.do("for guest in $(virsh list --name); do virsh -q destroy $guest; done; "
                    "for guest in $(virsh list --all --name); do virsh -q undefine $guest; done")


def running(host):
    return host.do("virsh list --name").split()


def facts_of(stage, site, guest, status=0, words=()):
    document = json.loads(expect(stage.run("verify", *words, "--format", "json", site, guest), status).out)
    return {(fact["kind"], fact["what"]): (fact["real"], fact["verdict"]) for fact in document["guests"][0]["facts"]}


def counted(stage, numac):
    """numac in the stage's folder, and a count of the times that it starts what asks libvirt: once a connection."""
    for name in ("numac", "numac-agent"):
        shutil.copy(pathlib.Path(numac.path).with_name(name), stage.folder / name)
    program, log = stage.folder / "numac-libvirt", stage.folder / "connections"
    real = pathlib.Path(numac.path).with_name("numac-libvirt")
    program.write_text(f'#!/bin/sh\necho >> {log}\nexec {real} "$@"\n')
    program.chmod(0o755)
    stage.numac = Numac(stage.folder / "numac")
    return lambda: len(log.read_text())


SEEN = {("cpus", "vcpu 0"): ("cpus 0", "exact"), ("cpus", "vcpu 1"): ("cpus 1", "exact"),
        ("cpus", "iothread 1"): ("cpus 0", "exact"), ("cpus", "emulator"): ("cpus 1", "told"),
        ("policy", "cell a"): ("bind:0", "told"), ("policy", "cell b"): ("bind:0", "told"),
        ("memory", "pages"): ("not told by libvirt", "unknown"),
        ("cell", "cell a"): ("vcpus 0, 64MiB", "exact"), ("cell", "cell b"): ("vcpus 1, 64MiB", "exact")}


def life(there):
    """Both guests of one command, each on its host; nothing of this machine is taken for theirs."""
    with there.stage() as stage:
        site = stage.site(there.text)
        expect(stage.run("diff", site), 1, text=["guest one: libvirt has none", "guest two: libvirt has none"])
        expect(stage.run("run", "--detach", site), 0, text=["NM1321"])
        if [running(host) for host in there.hosts] != [["one"], ["two"]]:
            raise tap.Failure(f"{[running(host) for host in there.hosts]}")
        if [(guest["name"], guest["state"], guest["pid"]) for guest in stage.listed()] != \
                [("one", "running", 0), ("two", "running", 0)]:
            raise tap.Failure(f"{stage.listed()}")
        for guest in ("one", "two"):
            if facts_of(stage, site, guest) != SEEN:
                raise tap.Failure(f"{guest}: {facts_of(stage, site, guest)}")
        expect(stage.run("verify", site), 0, text=["as planned, where it can be seen"])
        expect(stage.run("stat", site, "one"), 3, "NM1320", text=["on another machine"])
        expect(stage.run("diff", site), 0, text=["guest one: as in the site", "guest two: as in the site"])
        expect(stage.run("run", "--detach", site, "two"), 3, "NM1305")
        connections = counted(stage, there.numac)
        expect(stage.run("stop", site, "one"), 0)
        if connections() != 1:
            raise tap.Failure(f"{connections()} connections to stop a guest")
        if [running(host) for host in there.hosts] != [[], ["two"]]:
            raise tap.Failure("the wrong one was stopped")
        expect(stage.run("stop", site, "two"), 0)
        stage.expect_nothing_left()


def moved(there):
    """What is moved over there is found."""
    with there.stage() as stage:
        site = stage.site(there.text)
        expect(stage.run("run", "--detach", site), 0)
        for number, host in enumerate(there.hosts):
            guest = ("one", "two")[number]
            host.do(f"for task in /proc/$(cat /run/libvirt/qemu/{guest}.pid)/task/*; do "
                    "grep -q 'CPU 0/' $task/comm && taskset -pc 1 ${task##*/}; grep -q IO $task/comm && "
                    "taskset -pc 0,1 ${task##*/}; done; true")
            run = expect(stage.run("verify", site, guest), 1, "NM1322",
                         text=["vcpu 0 of guest", "cpus 1, not cpus 0 as planned", "iothread 1", "cpus 0-1"])
            if "[NM1322]: emulator" in run.err:
                raise tap.Failure(run.told())
            host.do(f"virsh -q emulatorpin {guest} 0")
            expect(stage.run("verify", site, guest), 1, "NM1322", text=["[NM1322]: emulator of guest"])
        expect(stage.run("verify", "--repair", site), 0, "NM1328", text=["vcpu 0 of guest 'two': put back to cpus 0"])
        for guest in ("one", "two"):
            if facts_of(stage, site, guest) != SEEN:
                raise tap.Failure(f"{guest}: {facts_of(stage, site, guest)}")
        expect(stage.run("stop", site), 0)


SEEN_THERE = SEEN | {("cpus", "vcpu 0"): ("cpus 1", "exact"), ("cpus", "vcpu 1"): ("cpus 0", "exact"),
                    ("cpus", "iothread 1"): ("cpus 1", "exact"), ("cpus", "emulator"): ("cpus 0", "told")}


def built(stage, site):
    """What numac wrote for the host that it may move to."""
    expect(stage.run("build", "-o", stage.folder / "out", site), 0)
    return stage.folder / "out" / "mv.on-r2.xml"


def migrate(there, stage, site):
    """As people do it: libvirt moves the guest, with the definition for its new host."""
    home, target = there.hosts
    far.do("virsh", "-c", home.ssh(), "migrate", "mv", target.tls(), "--live", "--xml", built(stage, site), "--migrateuri",
           f"tcp://{target.address}")
    if [running(host) for host in there.hosts] != [[], ["mv"]]:
        raise tap.Failure(f"not migrated: {[running(host) for host in there.hosts]}")


def migrated(there):
    """A guest that libvirt moved is found where it is, and held against its plan there."""
    home, target = there.hosts
    with there.stage() as stage:
        site = stage.site(there.text.split("guest one")[0] + MOVING)
        expect(stage.run("run", "--detach", site), 0)
        if facts_of(stage, site, "mv") != SEEN:
            raise tap.Failure(f"at home: {facts_of(stage, site, 'mv')}")
        migrate(there, stage, site)
        if facts_of(stage, site, "mv") != SEEN_THERE:
            raise tap.Failure(f"moved: {facts_of(stage, site, 'mv')}")
        expect(stage.run("verify", site), 0, "NM1338", text=["moved from host 'r1' to 'r2'", "guest mv on host r2: as planned"])
        expect(stage.run("diff", site), 0, text=["guest mv on host r2: as in the site"])
        target.do("virsh -q emulatorpin mv 1")
        expect(stage.run("verify", site), 1, "NM1322", text=["cpus 1, not cpus 0 as planned"])
        expect(stage.run("verify", "--repair", site), 0, "NM1328")
        expect(stage.run("run", "--detach", site), 3, "NM1305")
        expect(stage.run("stop", site), 0, "NM1338")
        if [running(host) for host in there.hosts] != [[], []]:
            raise tap.Failure("not stopped where it is")
        stage.expect_nothing_left()


def in_folder(stage, name, text):
    """The name of a site makes the UUIDs of its guests."""
    (stage.folder / name).mkdir()
    return stage.site(text, f"{name}/site")


def found_there(there):
    """One that numac did not start: found by the URI of a host, by the name of a machine, or nobody knows where it is."""
    home, target = there.hosts
    with there.stage() as stage:
        text, without = (text.split("guest one")[0] + MOVING for text in (there.text, SITE.format("", "")))
        named, nameless = stage.site(text), in_folder(stage, "nameless", without)
        strange = in_folder(stage, "strange", without.replace("r1", "a").replace("r2", "b"))
        far.do("virsh", "-c", target.tls(), "create", built(stage, named))
        there_only = ("--connect", target.tls())
        for words in ((named,), (*there_only, named), (*there_only, nameless)):
            if facts_of(stage, words[-1], "mv", words=words[:-1]) != SEEN_THERE:
                raise tap.Failure(f"{words}: {facts_of(stage, words[-1], 'mv', words=words[:-1])}")
            expect(stage.run("verify", *words), 0, "NM1338")
            expect(stage.run("diff", *words), 0, text=["guest mv on host r2: as in the site"])
        expect(stage.run("verify", *there_only, strange), 1, "NM1339", "NM1322", text=["counts as on 'a'", "cpus 1, not cpus 0"])
        expect(stage.run("verify", "--connect", home.ssh(), named), 3, "NM1307")
        larger = stage.site(text.replace("cell b { vcpus 1; memory 64MiB", "cell b { vcpus 1; memory 96MiB"))
        expect(stage.run("diff", larger), 1, "NM1338", text=["guest mv on host r2: differs", "98304"])
        expect(stage.run("apply", "--yes", larger), 0, "NM1331")
        if home.do("virsh list --all --name").split() or "cpuset='1'" not in target.do("virsh dumpxml --inactive mv"):
            raise tap.Failure("not defined where it is, or not as it is there")
        stage.expect_nothing_left()


def defined(there):
    with there.stage() as stage:
        site = stage.site(there.text)
        expect(stage.run("apply", "--yes", site), 0, "NM1331")
        if [host.do("virsh list --all --name").split() for host in there.hosts] != [["one"], ["two"]]:
            raise tap.Failure("not defined where it belongs")
        expect(stage.run("diff", site), 0)
        larger = stage.site(there.text.replace("cell b { vcpus 1; memory 64MiB", "cell b { vcpus 1; memory 96MiB"))
        expect(stage.run("diff", larger, "two"), 1, text=["guest two: differs", "98304"])
        expect(stage.run("apply", "--yes", larger, "two"), 0, "NM1331")
        expect(stage.run("diff", larger, "two"), 0)
        expect(stage.run("run", "--detach", larger, "two"), 0)
        expect(stage.run("stop", larger, "two"), 0)  # what is defined stays so, and does not run
        expect(stage.run("verify", larger, "two"), 3, "NM1307")
        expect(stage.run("diff", larger, "two"), 0)
        stage.expect_nothing_left()


def ended_there(there):
    """A guest that ended over there is known to have ended once its libvirt says so."""
    with there.stage() as stage:
        site = stage.site(there.text)
        expect(stage.run("run", "--detach", site), 0)
        for host, guest in zip(there.hosts, ("one", "two")):
            host.do(f"virsh -q destroy {guest}")
        expect(stage.run("verify", site, "one"), 3, "NM1307")
        expect(stage.run("run", "--detach", site, "one"), 0, "NM1304")
        expect(stage.run("stop", site, "two"), 0, "NM1304")
        expect(stage.run("stop", site, "one"), 0)
        stage.expect_nothing_left()


def refused(there):
    """A start that fails there leaves nothing, here or there."""
    with there.stage() as stage:
        site = stage.site(there.text.replace("pin { 0 0; 1 1 }", 'boot { kernel "/nowhere/kernel" }; pin { 0 0; 1 1 }'))
        expect(stage.run("run", "--detach", site, "two"), 3, "NM1310", text=["/nowhere/kernel"])
        if running(there.hosts[1]):
            raise tap.Failure("something runs there")
        stage.expect_nothing_left()


def unknown_machine(there):
    """A host whose key nobody knows, a certificate of another name, nobody at all: refused, and nothing is left."""
    one, two = there.hosts
    uris = (one.ssh().replace("@r1", f"@{one.address}"), two.tls().replace("//r2", f"//{two.address}"),
            "qemu+ssh://root@r9/system", f"qemu+tls://r2/system?pkipath={one.keys.folder}/nowhere",
            one.ssh().replace("user-ssh", "r2-ssh"))
    with there.stage() as stage:
        for uri in uris:
            site = stage.site(SITE.format(f'connect "{uri}"', ""))
            for verb in (("diff",), ("apply", "--yes"), ("run", "--detach")):
                expect(stage.run(*verb, site, "one"), 3, "NM1309", text=[uri.split("?")[0]])
        stage.expect_nothing_left()


def out_of_reach(there):
    """While the host cannot be reached its guest counts as running; behind it, it is where it was."""
    host = there.hosts[1]
    with there.stage() as stage:
        site = stage.site(there.text)
        expect(stage.run("run", "--detach", site, "two"), 0)
        far.do("ip", "link", "set", f"to-{host.name}", "down")
        try:
            for verb, code in (("verify", "NM1309"), ("stop", "NM1309"), ("run", "NM1305")):
                words = ("--detach",) if verb == "run" else ()
                expect(stage.run(verb, *words, site, "two"), 3, code)
            if [guest["name"] for guest in stage.listed()] != ["two"]:
                raise tap.Failure("forgotten while out of reach")
        finally:
            far.do("ip", "link", "set", f"to-{host.name}", "up")
        expect(stage.run("verify", site, "two"), 0)
        expect(stage.run("stop", site, "two"), 0)
        stage.expect_nothing_left()


def short_name(there):
    """A name of libvirt's own for a host far away is seen through."""
    with there.stage() as stage:
        folder = stage.folder / "libvirt"
        folder.mkdir()
        (folder / "libvirt.conf").write_text(f'uri_aliases = [ "far={there.hosts[0].tls()}" ]\n')
        stage.environment["XDG_CONFIG_HOME"] = str(stage.folder)
        stage.environment["LIBVIRT_DEFAULT_URI"] = there.hosts[1].tls()
        site = stage.site(SITE.format("", ""))
        if os.geteuid() == 0:
            far.do("mount", "--bind", folder, "/etc/libvirt")
        expect(stage.run("run", "--detach", "--connect", "far", site, "one"), 0, "NM1321")
        expect(stage.run("run", "--detach", "--engine", "libvirt", site, "two"), 0, "NM1321")
        del stage.environment["LIBVIRT_DEFAULT_URI"]
        if [running(host) for host in there.hosts] != [["one"], ["two"]] or len(stage.listed()) != 2:
            raise tap.Failure(f"{stage.listed()}")
        for guest in ("one", "two"):
            if facts_of(stage, site, guest) != SEEN:
                raise tap.Failure(f"{guest}")
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


TESTS = (("two guests, each on its host", life), ("what is moved there is found", moved),
         ("a guest that libvirt moved", migrated), ("one that moved, and that numac did not start", found_there),
         ("defined, changed, started and stopped there", defined), ("one that ended there", ended_there),
         ("a start that fails there", refused), ("hosts that nobody vouches for", unknown_machine),
         ("a host out of reach", out_of_reach), ("a short name for a host far away", short_name))


FEW = 3  # of them that every check runs


def guarded(there, run):
    try:
        run(there)
    finally:
        there.end_all()


def main():
    parser = argparse.ArgumentParser(description="guests on other machines, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--all", action="store_true", help="with what takes a minute: hosts that do not answer, and more")
    options = parser.parse_args()
    reason = lacks("qemu") or far.lacking()
    if reason:
        return tap.skip_all(reason)
    far.become_private()
    with tempfile.TemporaryDirectory(prefix="nr", dir="/tmp") as folder, far.FarHosts(folder, "r1", "r2") as hosts:
        there = Far(Numac(options.numac), hosts)
        return tap.run([tap.Test(name, lambda run=run: guarded(there, run)) for name, run in TESTS[:None if options.all else FEW]], 1)


if __name__ == "__main__":
    sys.exit(main())
