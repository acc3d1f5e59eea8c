#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The shell's view: GUEST.sh, run with stand-ins for QEMU and taskset, hands QEMU the very words of GUEST.argv and
# confines it to the CPUs the plan names; shellcheck finds nothing in it.

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import built, tap
from harness.program import ROOT, Numac
from oracles import argv_facts

RECORDER = """#!/bin/sh
# stands for QEMU: each word, ended by NUL
printf '%s\\0' "${0##*/}" "$@"
"""
CONFINER = """#!/bin/sh
# stands for taskset -c CPUS PROGRAM...
[ "$1" = -c ] || exit 99
printf '%s\\0' "cpus=$2"
shift 2
exec "$@"
"""


def words_of_script(script, programs):
    """(CPUs it confines to or None, the words QEMU gets)"""
    done = subprocess.run(["sh", script], env={"PATH": f"{programs}:/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise tap.Failure(f"exit status {done.returncode}, {done.stderr}")
    words = done.stdout.split("\0")[:-1]
    cpus = words.pop(0).removeprefix("cpus=") if words and words[0].startswith("cpus=") else None
    return cpus, words


def cpus_of_plan(plan):
    """All CPUs the guest is pinned to, None where a vcpu is not pinned."""
    pins = plan["pins"]
    if not pins["vcpus"] or None in pins["vcpus"]:
        return None
    texts = [*pins["vcpus"], pins.get("emulator"), *(one.get("cpus") for one in plan.get("iothreads", []))]
    return sorted({cpu for text in texts if text for cpu in argv_facts.ids_of_text(text)})


def compare(script, argv, plan, programs):
    cpus, words = words_of_script(script, programs)
    expected = argv_facts.words_of_file(argv)
    if words != expected:
        raise tap.Failure(f"QEMU gets {words}\nGUEST.argv says {expected}")
    told = argv_facts.ids_of_text(cpus) if cpus is not None else None
    if told != cpus_of_plan(plan):
        raise tap.Failure(f"confined to {told}, the plan says {cpus_of_plan(plan)}")
    if not shutil.which("shellcheck"):
        return "without shellcheck, which is not installed"
    done = subprocess.run(["shellcheck", "-s", "sh", script], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise tap.Failure(done.stdout)
    return None


def put_programs(folder, guests):
    folder.mkdir()
    for name, text in [("taskset", CONFINER)] + [(f"qemu-system-{guest.plan['architecture']}", RECORDER)
                                                  for guest in guests]:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def main():
    parser = argparse.ArgumentParser(description="the scripts that start guests, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--random", type=int, default=20, help="random plans")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="numac-script-") as scratch:
        guests, broken = built.guests(Numac(options.numac), scratch, options.random)
        programs = pathlib.Path(scratch, "programs")
        put_programs(programs, guests)
        tests = [tap.Test("all sites build", lambda: built.fail_broken(broken))]
        tests += [tap.Test(f"script {guest.title}",
                           lambda guest=guest: compare(guest.argv.with_suffix(".sh"), guest.argv.read_text(),
                                                       guest.plan, programs))
                  for guest in guests if guest.argv]
        return tap.run(tests, os.cpu_count())


if __name__ == "__main__":
    sys.exit(main())
