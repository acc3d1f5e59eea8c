# SPDX-License-Identifier: MIT
#
# The guests that oracles judge: every guest of every valid example and case, built for each target that can take it,
# and the guests of random plans, which come from the emitters alone.

import concurrent.futures
import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

from harness import random_plans, sites
from harness.program import ROOT
from harness.tap import Failure
from suites import cases


@dataclass(frozen=True)
class Guest:
    site: str  # "examples/site.numa"
    name: str
    plan: dict  # of this guest
    xml: pathlib.Path | None
    argv: pathlib.Path | None

    @property
    def title(self):
        return f"{self.site} {self.name}"


@dataclass(frozen=True)
class Broken:
    """A site that should build and does not."""
    site: str
    text: str


def _build(numac, site, path, scratch, number):
    """Each target by itself: a guest may be such that only one can take it."""
    said = sites.directives(path)
    own = [word for at, word in enumerate(said.arguments)
           if word != "--target" and said.arguments[max(at - 1, 0)] != "--target"]
    plans, files = {}, {}
    runs = []
    for target in ("libvirt", "qemu"):
        output = pathlib.Path(scratch, str(number), target)
        run = numac.run(["build", path.name, "-o", output, "--target", target, *own,
                         *sites.host_arguments(said, path.parent)], path.parent)
        runs.append(run)
        if run.status == 0:
            plans |= {guest["name"]: guest for guest in json.loads((output / "plan.json").read_text())["guests"]}
            files |= {one.name: one for one in output.iterdir()}
    name = os.fspath(path.relative_to(ROOT))
    if not plans:
        return [Broken(name, "\n".join(run.told() for run in runs))]
    moves = [(f"{guest}.on-{move['host']}", move) for guest, plan in plans.items() for move in plan.get("migrate", [])]
    return [Guest(name, guest, plan, files.get(f"{guest}.xml"), files.get(f"{guest}.argv"))
            for guest, plan in [*plans.items(), *moves]]


def random_guests(numac, scratch, count):
    """Guests of random plans, written by the driver that is built beside numac; none where it is not."""
    driver = pathlib.Path(numac.path).parent / "tests" / "drivers" / "emit"
    if not driver.exists():
        return [], []
    folder = pathlib.Path(scratch, "random")
    folder.mkdir()
    plan = random_plans.plan(range(count))
    (folder / "in.json").write_text(json.dumps(plan))
    output = folder / "out"
    done = subprocess.run([driver, folder / "in.json", "-o", output, "libvirt", "qemu"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        return [], [Broken("random plans", f"exit status {done.returncode}, {done.stderr}")]
    return [Guest("random", guest["name"], guest, output / f"{guest['name']}.xml", output / f"{guest['name']}.argv")
            for guest in plan["guests"]], []


def guests(numac, scratch, random_count=0):
    """(guests, broken sites), in order of the sites, random ones last."""
    chosen = [site for site in [*sites.examples(), *sites.cases()]
              if sites.is_valid(site) and (site.stem.is_relative_to(sites.EXAMPLES) or cases.verb(site) == "build")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        futures = [pool.submit(_build, numac, site, site.inputs[0], scratch, number)
                   for number, site in enumerate(chosen)]
        found = [one for future in futures for one in future.result()]
    at_random, broken = random_guests(numac, scratch, random_count)
    return ([one for one in found if isinstance(one, Guest)] + at_random,
            [one for one in found if isinstance(one, Broken)] + broken)


def fail_broken(broken):
    """For a test that says which sites did not build at all."""
    if broken:
        raise Failure("\n".join(f"{one.site}: {one.text}" for one in broken))
