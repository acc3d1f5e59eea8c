#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# libvirt as a second compiler: its QEMU driver, loaded into virsh, turns each XML that numac writes into a QEMU command
# line, and what that says of NUMA must be what numac's own command line says.  No daemon; needs root, for huge page
# mounts in a mount namespace that nobody else sees.

import argparse
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import built, tap
from harness.program import ROOT, Numac
from oracles import argv_facts, cputune
from oracles.sample import mistakes

SHIM = ROOT / "build" / "oracles" / "node_shim.so"
NODES = 64
PAGES = {"2M": 2 << 20, "1G": 1 << 30}
MARK = "-- numac --"
SAMPLE = json.loads(mistakes.PLAN.read_text())
A_CALL = 100  # files for one virsh, within the limits of a command line

# what an engine lacks is no fault of the XML
LACKS = ("No emulator found for arch", "does not support machine type", "Cannot find suitable emulator",
         "Unable to find any firmware", "Unable to find 'efi' firmware", "is not supported with this QEMU",
         "is not supported by this QEMU", "isn't supported by this QEMU", "not available with this QEMU binary",
         "both maximum memory size and memory slot count must be specified",
         "Memory Bandwidth value exceeding 100", "Advice from numad is needed",
         "Maximum CPUs greater than specified machine type limit",
         "Unknown architecture", "architecture is not supported by CPU driver",
         "maximum CPU is not supported by QEMU binary",
         "usable hugetlbfs mount for 32768 KiB",  # a size of aarch64
         "usable hugetlbfs mount for 1024 KiB")  # a size of s390x
CONFIGURATION = """stdio_handler = "file"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
hugetlbfs_mount = [{mounts}]
"""


def unfit():
    for program, package in (("virsh", "libvirt-clients"), ("qemu-system-x86_64", "qemu-system-x86")):
        if not shutil.which(program):
            return f"{program} is not installed ({package})"
    if not list(pathlib.Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_qemu.so")):
        return "libvirt's QEMU driver is not installed (libvirt-daemon-system)"
    if os.geteuid() != 0:
        return "not root: huge pages cannot be mounted in a namespace of one's own"
    return None if SHIM.exists() else f"{SHIM.relative_to(ROOT)} is not built; run make"


def mount_pages(folder):
    """hugetlbfs of each size this kernel has, below the folder: {mount: page bytes}"""
    mounts = {}
    for name, page_bytes in PAGES.items():
        place = pathlib.Path(folder, name)
        place.mkdir()
        done = subprocess.run(["mount", "-t", "hugetlbfs", "-o", f"pagesize={name}", "none", place],
                              capture_output=True, check=False)
        if done.returncode == 0:
            mounts[str(place)] = page_bytes
    return mounts


def for_engine(text):
    """The XML as this machine's QEMU can take it: without KVM there is no host CPU to pass through."""
    arch = re.search(r"<type\b[^>]*\barch=['\"]([^'\"]*)", text)
    if os.access("/dev/kvm", os.R_OK | os.W_OK) and (not arch or arch.group(1) == "x86_64"):
        return text
    text = re.sub(r"(<domain\b[^>]*\btype=)(['\"])kvm\2", r"\1\2qemu\2", text, count=1)
    if arch and arch.group(1) == "ppc64":  # where libvirt has no model of that name
        return re.sub(r"<cpu\b[^>]*\bmode=(['\"])host-(?:passthrough|model)\1[^>]*>", lambda cpu:
                      "<cpu mode='custom'><model>POWER9</model>" + ("</cpu>" if cpu[0].endswith("/>") else ""), text)
    return re.sub(r"(<cpu\b[^>]*\bmode=)(['\"])host-(?:passthrough|model)\2", r"\1\2maximum\2", text)


def _run_reaping(command, environment):
    """Runs virsh and is the parent of the QEMU daemons that it leaves behind: it waits until they are gone, and the
    first process of a container does not always collect them."""
    with tempfile.TemporaryFile("w+") as out, \
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT) as process:
        while True:
            pid, _ = os.wait()
            if pid == process.pid:
                process.returncode = 0
                break
        out.seek(0)
        return out.read()


class Engine:
    """libvirt's driver in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.mounts = mount_pages(folder)
        pathlib.Path(folder, "etc").mkdir()
        pathlib.Path(folder, "etc", "qemu.conf").write_text(
            CONFIGURATION.format(mounts=", ".join(f'"{mount}"' for mount in self.mounts)))
        subreaper = 36  # PR_SET_CHILD_SUBREAPER
        ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)

    def close(self):
        for mount in self.mounts:
            subprocess.run(["umount", mount], check=False)

    def compile(self, texts):
        """What libvirt makes of each XML: a command line, or an error."""
        told = []
        for begin in range(0, len(texts), A_CALL):
            told += self._compile_some(texts[begin:begin + A_CALL])
        return told

    def _compile_some(self, texts):
        commands = []
        for number, text in enumerate(texts):
            path = pathlib.Path(self.folder, f"{number}.xml")
            path.write_text(for_engine(text))
            commands.append(f"domxml-to-native qemu-argv --xml {path}; echo '{MARK}'")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "LD_PRELOAD": str(SHIM),
                       "NUMAC_NODES": str(NODES)}
        out = _run_reaping(["virsh", "-q", "-c", f"qemu:///embed?root={self.folder}", "; ".join(commands)],
                           environment)
        parts = out.split(MARK)
        if len(parts) != len(texts) + 1:  # some XML ends libvirt itself
            half = len(texts) // 2
            return self._compile_some(texts[:half]) + self._compile_some(texts[half:]) if half else \
                [f"error: libvirt ended on it: {out[-200:]}"]
        log = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+0000: .*\n?", re.MULTILINE)
        return [log.sub("", part).strip() for part in parts[:-1]]

    def words(self, told):
        if "/qemu-system-" not in told or told.startswith("error:"):
            if any(lack in told for lack in LACKS):
                raise tap.Skip(f"this engine cannot: {told}")
            raise tap.Failure(f"libvirt refuses: {told}")
        return argv_facts.words_of_libvirt(told)

    def facts(self, told):
        return argv_facts.facts(self.words(told), self.mounts)


POLL = ("poll-max-ns", "poll-grow", "poll-shrink")
KNOWS_POLL = (9, 4)
KNOWS_LIMIT = (9, 3)


def libvirt_version():
    said = subprocess.run(["virsh", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.strip().split("."))


def without_poll(facts, plan):
    """Polling is compared where the XML says it and this libvirt reads it."""
    told = {one["id"] for one in plan.get("iothreads", []) if one.get("poll", {"in_libvirt": True})["in_libvirt"]}
    threads = {number: {key: value for key, value in thread.items()
                        if key not in POLL or (number in told and libvirt_version() >= KNOWS_POLL)}
               for number, thread in facts["iothreads"].items()}
    return facts | {"iothreads": threads}


def comparable(facts):
    """What libvirt cannot say, or says in its own way with the same effect, is put into one form: huge pages from a
    file of its own or from a memfd, and `file` backing without a path, which numac takes from a memfd too."""
    def backing(memory):
        if memory is None:
            return None
        is_own = "/libvirt/qemu/" in (memory["path"] or "") or "/lib/qemu/ram/" in (memory["path"] or "")
        if memory["path"] and not is_own:
            return memory
        kind = "memfd" if memory["kind"] in ("hugetlb", "file") else memory["kind"]
        return memory | {"kind": kind, "path": None, "discard-data": False}  # what has no name is gone with QEMU
    cells = [cell | {"memory": backing(cell["memory"])} for cell in facts["cells"]]
    memory_devices = [device | {"memory": backing(device["memory"])} for device in facts["memory_devices"]]
    # libvirt plugs vcpus once QEMU runs: its XML is compared with the plan
    return facts | {"cells": cells, "memory_devices": memory_devices, "only": backing(facts["only"]), "plugged": None}


def without_limit(facts):
    """The most physical address bits, which an older libvirt overlooks."""
    known = libvirt_version() >= KNOWS_LIMIT
    return facts if known else facts | {"physical_bits": facts["physical_bits"] | {"limit": 0}}


def differences(engine, told, argv, plan):
    theirs = without_limit(without_poll(comparable(engine.facts(told)), plan))
    ours = without_limit(without_poll(comparable(argv_facts.facts(argv_facts.words_of_file(argv))), plan))
    return argv_facts.differences(theirs, ours, ("libvirt", "numac"))


def compare(engine, told, argv, plan):
    found = differences(engine, told, argv, plan)
    if found:
        cells = {line.split(".")[0].strip("cels[]") for line in found if line.startswith("cells[")}
        objects = [word for word in argv_facts.words_of_libvirt(told)
                   if "memory-backend" in word and any(f'"ram-node{cell}"' in word for cell in cells)]
        raise tap.Failure("\n".join([*found, *(f"libvirt says {word}" for word in objects)]))


KNOWS_CLUSTERS = (10, 1)


def compare_guest(engine, guest, told):
    if guest.plan["vcpus"]["clusters"] > 1 and libvirt_version() < KNOWS_CLUSTERS:
        raise tap.Skip("this libvirt knows no clusters")
    if "<qemu:commandline>" in guest.xml.read_text():
        engine.words(told)
        return "libvirt takes it; what goes to QEMU past libvirt is nobody's to compare"
    if guest.argv is None:
        engine.facts(told)
        return "libvirt takes it; there is no command line to compare"
    return compare(engine, told, guest.argv.read_text(), guest.plan)


def compare_kept(guest, folder):
    try:
        kept = cputune.kept(guest.xml.read_text(), folder)
    except ValueError as trouble:
        if any(lack in str(trouble) for lack in LACKS):
            raise tap.Skip(f"this libvirt cannot: {trouble}") from trouble
        raise tap.Failure(f"libvirt refuses: {trouble}") from trouble
    found = cputune.differences(kept, guest.plan)
    if found:
        raise tap.Failure("\n".join(found))
    for about, plan in cputune.mistakes(guest.plan):
        if not cputune.differences(kept, plan):
            raise tap.Failure(f"{about} that is wrong is not seen")


def overlook(engine, told, mistake):
    """Fails where this oracle would not see the mistake."""
    if libvirt_version() < mistake.needs_libvirt:
        raise tap.Skip("this libvirt is too old to show it")
    if not differences(engine, told, mistakes.wrong_argv(mistake), SAMPLE):
        raise tap.Failure(f"not seen: {mistake.wrong} instead of {mistake.right}")


def self_tests(engine, told):
    """The oracle agrees with a right command line, and sees each wrong one."""
    return [tap.Test("sample agrees", lambda: compare(engine, told, mistakes.ARGV.read_text(), SAMPLE))] + \
        [tap.Test(f"sample: sees {mistake.about}", lambda mistake=mistake: overlook(engine, told, mistake))
         for mistake in mistakes.MISTAKES if mistake.libvirt_sees]


def main():
    parser = argparse.ArgumentParser(description="libvirt's command lines against numac's, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--random", type=int, default=40, help="random plans")
    options = parser.parse_args()
    if unfit():
        return tap.skip_all(unfit())
    if not options.inside:
        os.execvp("unshare", ["unshare", "--mount", sys.executable, __file__, "--inside", "--numac",
                              str(options.numac), "--random", str(options.random)])
    with tempfile.TemporaryDirectory(prefix="nl") as scratch, tempfile.TemporaryDirectory(prefix="nl") as folder:
        guests, broken = built.guests(Numac(options.numac), scratch, options.random)
        judged = [guest for guest in guests if guest.xml]
        engine = Engine(folder)
        try:
            sample, *told = engine.compile([mistakes.XML.read_text(), *(guest.xml.read_text() for guest in judged)])
            tests = self_tests(engine, sample) + [tap.Test("all sites build", lambda: built.fail_broken(broken))]
            tests += [tap.Test(f"libvirt {guest.title}",
                               lambda guest=guest, text=text: compare_guest(engine, guest, text))
                      for guest, text in zip(judged, told)]
            tests += [tap.Test(f"libvirt keeps {guest.title}", lambda guest=guest: compare_kept(guest, folder))
                      for guest in judged if cputune.says_any(guest.plan)]
            return tap.run(tests)
        finally:
            engine.close()


if __name__ == "__main__":
    sys.exit(main())
