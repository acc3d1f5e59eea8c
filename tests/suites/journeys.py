# SPDX-License-Identifier: MIT
#
# Journeys that must end where they began: a formatted or converted site compiles to the same bytes, and so does the
# same site in another folder, language and time zone; a plan that is loaded again emits the same bytes.  On copies.

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import sites
from harness.program import ROOT
from harness.tap import Failure, Skip, Test
from suites import cases

OTHER = {".numa": ".yaml", ".yaml": ".numa"}
NOTATION = {".numa": "numa", ".yaml": "yaml"}


def _options(path, said):
    return [*said.arguments, *sites.host_arguments(said, path.parent)]


def _build(numac, path, options, environment=None, folder=None):
    """What a site compiles to; the site may stand in a copy."""
    folder = folder or path.parent
    with tempfile.TemporaryDirectory(prefix="numac-out-") as output:
        run = numac.run(["build", os.path.relpath(path, folder), "-o", output, *options], folder,
                        environment=environment)
        if run.status != 0:
            raise Failure(f"build failed, {run.told()}")
        return cases.files(pathlib.Path(output))


def _same(what, first, second):
    names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    for name in names:
        cases.differ(f"{what}: {name}", first.get(name, b"").decode(), second.get(name, b"").decode())


def _convert(numac, path, options, target):
    run = numac.run(["convert", "--to", NOTATION[target], path.name], path.parent)
    if run.status != 0 or not run.out:
        raise Failure(f"convert --to {NOTATION[target]} failed, {run.told()}")
    converted = path.with_suffix(target)
    path.unlink()
    converted.write_text(run.out)
    return converted, _build(numac, converted, options)


def _journey(numac, path):
    said = sites.directives(path)
    options = _options(path, said)
    first = _build(numac, path, options)
    elsewhere = {"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "HOME": "/nonexistent", "COLUMNS": "40"}
    _same("second run elsewhere", first,
          _build(numac, path, [*said.arguments, *sites.host_arguments(said, ROOT)], elsewhere, ROOT))
    with tempfile.TemporaryDirectory(prefix="numac-journey-") as scratch:
        copy = sites.link_surroundings(path, scratch) / path.name
        shutil.copyfile(path, copy)
        run = numac.run(["fmt", copy.name], copy.parent)
        if run.status != 0:
            raise Failure(f"fmt failed, {run.told()}")
        once = copy.read_text()
        run = numac.run(["fmt", "--check", copy.name], copy.parent)
        if run.status != 0 or copy.read_text() != once:
            raise Failure(f"fmt is not content with its own work, {run.told()}")
        _same("formatted", first, _build(numac, copy, options))
        there, built = _convert(numac, copy, options, OTHER[path.suffix])
        _same("converted", first, built)
        _, built = _convert(numac, there, options, path.suffix)
        _same("converted there and back", first, built)


def _reload(numac, path, driver):
    """A plan loads back to the same plan, and emits the same bytes."""
    said = sites.directives(path)
    first = _build(numac, path, _options(path, said))
    plan = json.loads(first["plan.json"])
    with tempfile.TemporaryDirectory(prefix="numac-plan-") as scratch:
        pathlib.Path(scratch, "plan.json").write_bytes(first["plan.json"])

        def drive(*words):
            done = subprocess.run([driver, "plan.json", *words], cwd=scratch, capture_output=True, timeout=60,
                                  check=False)
            if done.returncode != 0:
                raise Failure(f"the plan does not load, exit status {done.returncode}, {done.stderr.decode()}")
            return done.stdout

        _same("reloaded", {"plan.json": first["plan.json"]}, {"plan.json": drive("json")})
        if any(guest["base"] for guest in plan["guests"]):
            return "the plan only: what overlays a base needs the base"
        drive("-o", "out", *plan["targets"])
        _same("reloaded", first, cases.files(pathlib.Path(scratch, "out")))
    return None


def _no_driver(driver):
    raise Skip(f"{driver} is not built; make check builds it")


def collect(numac):
    driver = pathlib.Path(numac.path).parent / "tests" / "drivers" / "emit"
    tests = []
    for site in [*sites.examples(), *sites.cases()]:
        if not sites.is_valid(site) or (site.stem.is_relative_to(sites.CASES) and cases.verb(site) != "build"):
            continue
        for path in site.inputs:
            name = path.relative_to(ROOT)
            tests.append(Test(f"journey {name}", lambda path=path: _journey(numac, path)))
            if driver.exists():
                tests.append(Test(f"reload {name}", lambda path=path: _reload(numac, path, driver)))
    if not driver.exists():
        tests.append(Test("reload of plans", lambda: _no_driver(driver)))
    return tests
