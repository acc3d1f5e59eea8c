# SPDX-License-Identifier: MIT
#
# What programs that try properties on random sites have in common: a site is planned, sets of numbers are read, and each
# property is tried on a number of sites within a time and reported as TAP.  What a site is made of, and what must be true
# of it, is the caller's business.
#   PROGRAM [PATH OF NUMAC] [SITES] [SEED]

import json
import pathlib
import random
import subprocess
import tempfile
import time

from harness.program import ROOT

LEAST = 8  # sites, however slow the machine


def ids(text):
    """The numbers of a set as a plan writes it; none of None."""
    found = set()
    for part in (text or "").split(","):
        if part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


class Bench:
    def __init__(self, arguments):
        path, sites, seed = (list(arguments[1:4]) + [None] * 3)[:3]
        self.numac = pathlib.Path(path or ROOT / "build" / "numac").resolve()
        self.sites, self.seed = int(sites or 60), int(seed or 1)
        self.seconds = 600 if sites else 2.5  # for each property; a slow machine looks at fewer sites

    def plan(self, folder, text, verb="plan"):
        """Status and output of numac for a site; `check` tells warnings, too, where `plan` has a plan to show."""
        (folder / "site.numa").write_text(text)
        done = subprocess.run([self.numac, verb, "--format", "json", "site.numa"], cwd=folder, capture_output=True,
                              text=True, timeout=60)
        if done.returncode not in (0, 1):
            raise AssertionError(f"exit status {done.returncode}\n{done.stderr}\n{text}")
        return done.returncode, done.stdout

    def plan_json(self, folder, text, verb="plan"):
        status, out = self.plan(folder, text, verb)
        return status, json.loads(out)

    def try_all(self, properties):
        """Of each (name, check, share): check(rng, folder) raises, or tells how much it tested, on average at least one in
        so many sites.  Gives the exit status."""
        print(f"TAP version 13\n1..{len(properties)}")
        failed = False
        for number, (name, check, share) in enumerate(properties, 1):
            rng = random.Random(f"{self.seed} {name}")
            with tempfile.TemporaryDirectory() as folder:
                try:
                    end, done, found = time.monotonic() + self.seconds, 0, 0
                    while done < self.sites and (done < LEAST or time.monotonic() < end):
                        found += check(rng, pathlib.Path(folder))
                        done += 1
                    expect(found >= done // share > 0, f"only {found} in {done} sites: nothing was tested")
                    print(f"ok {number} - {name} # {found} in {done} sites")
                except AssertionError as wrong:
                    failed = True
                    print(f"not ok {number} - {name}")
                    print("".join(f"# {line}\n" for line in str(wrong).splitlines()), end="")
        return failed
