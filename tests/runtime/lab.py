#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Boots machines with four and with eight nodes, one of them without CPUs, and one with systemd, and runs lab_inside.py
# there; its tests are told as this suite's.

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import lab, tap
from harness.program import ROOT

INSIDE = ROOT / "tests" / "runtime" / "lab_inside.py"
SECONDS = 1500
MACHINES = (  # the larger one is for what depends on the count of nodes
    ("four nodes", [lab.Node(2, 768)] * 3 + [lab.Node(0, 512)], [], False),
    ("eight nodes", [lab.Node(1, 448)] * 7 + [lab.Node(0, 384)], ["nodes", "qemu", "embed"], False),
    ("with systemd", [lab.Node(1, 640)] * 3 + [lab.Node(0, 256)], ["cgroup"], True))
POINT = re.compile(r"(not )?ok (\d+) - (.*?)(?: # SKIP (.*))?$")


def replay(failed, reason, message):
    if failed:
        raise tap.Failure(message)
    if reason is not None:
        raise tap.Skip(reason)


def tests_of(said):
    """[(name, run)] of the TAP that came out of a lab."""
    planned, found = re.search(r"^1\.\.(\d+)$", said, re.MULTILINE), []
    for line in said.splitlines():
        point = POINT.match(line)
        if point:
            found.append([point.group(3), bool(point.group(1)), point.group(4), []])
        elif found:
            found[-1][3].append(line)
    if not planned or len(found) != int(planned.group(1)):
        raise tap.Failure(f"its tests did not end:\n{said[-3000:]}")
    return [(name, lambda failed=failed, reason=reason, lines=lines: replay(failed, reason, "\n".join(lines)))
            for name, failed, reason, lines in found]


def boot(title, nodes, numac, only, has_systemd):
    if has_systemd and not pathlib.Path("/lib/systemd/systemd").exists():
        return [tap.Test(title, lambda: replay(False, "systemd is not installed", ""))]
    try:
        return [tap.Test(f"{title}: {name}", run)
                for name, run in tests_of(lab.run(nodes, [INSIDE, numac, *only], SECONDS, has_systemd))]
    except tap.Failure as failure:
        return [tap.Test(title, lambda text=str(failure): replay(True, None, text))]


def main():
    parser = argparse.ArgumentParser(description="guests on machines with several nodes, as TAP")
    parser.add_argument("--numac", type=pathlib.Path, default=ROOT / "build" / "numac")
    parser.add_argument("--only", nargs="*", default=[], help="words of the tests' names")
    parser.add_argument("--machine", default="", help="a word of the machine's name")
    options = parser.parse_args()
    reason = lab.missing()
    if reason:
        return tap.skip_all(reason)
    tests = []
    for title, nodes, only, has_systemd in MACHINES:
        if options.machine in title:
            tests += boot(title, nodes, options.numac.resolve(), options.only or only, has_systemd)
    return tap.run(tests, 1)


if __name__ == "__main__":
    sys.exit(main())
