# SPDX-License-Identifier: MIT
#
# Every example is clean, and builds.

import pathlib
import tempfile

from harness import sites
from harness.program import listed
from harness.tap import Failure, Test
from suites import cases


def _check(numac, site, path):
    said = sites.directives(path)
    options = [*said.arguments, *sites.host_arguments(said, path.parent)]
    run, findings = numac.findings(["check", path.name, *options], path.parent)
    if run.status != 0 or any(one.severity != "hint" for one in findings):
        raise Failure(f"not clean, {listed(run, findings)}")
    with tempfile.TemporaryDirectory(prefix="numac-example-") as scratch:
        output = pathlib.Path(scratch, "out")
        run = numac.run(["build", path.name, "-o", output, *options], path.parent)
        written = cases.files(output)
        if run.status != 0 or "plan.json" not in written or len(written) < 2 or not all(written.values()):
            raise Failure(f"written: {sorted(written)}, {run.told()}")


def collect(numac):
    return [Test(f"example {path.relative_to(sites.ROOT)}", lambda site=site, path=path: _check(numac, site, path))
            for site in sites.examples() for path in site.inputs]
