# SPDX-License-Identifier: MIT
#
# The guests that oracles judge: every guest of every valid example and case, built for each target that can take it.

import concurrent.futures
import json
import os
import pathlib
from dataclasses import dataclass

from harness import sites
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
    return [Guest(name, guest, plan, files.get(f"{guest}.xml"), files.get(f"{guest}.argv"))
            for guest, plan in plans.items()]


def guests(numac, scratch):
    """(guests, broken sites), in order of the sites."""
    chosen = [site for site in [*sites.examples(), *sites.cases()]
              if sites.is_valid(site) and (site.stem.is_relative_to(sites.EXAMPLES) or cases.verb(site) == "build")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        futures = [pool.submit(_build, numac, site, site.inputs[0], scratch, number)
                   for number, site in enumerate(chosen)]
        found = [one for future in futures for one in future.result()]
    return ([one for one in found if isinstance(one, Guest)], [one for one in found if isinstance(one, Broken)])


def fail_broken(broken):
    """For a test that says which sites did not build at all."""
    if broken:
        raise Failure("\n".join(f"{one.site}: {one.text}" for one in broken))
