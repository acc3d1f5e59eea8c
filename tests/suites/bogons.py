# SPDX-License-Identifier: MIT
#
# Inputs that are damaged or hostile, named after what they once broke or try to break: numac says so, soon, and
# does not crash.  tests/bogons/hosts holds recordings of machines, the rest are sites.

from harness.program import ROOT
from harness.tap import Failure, Test

BOGONS = ROOT / "tests" / "bogons"


def _check(numac, path, words):
    run = numac.run([*words, path.name], path.parent)
    if run.status not in (1, 2):
        raise Failure(f"exit status 1 or 2 expected, {run.told()}")
    if not run.err.strip():
        raise Failure(f"nothing was said about it, {run.told()}")
    if len(run.err) > 1_000_000:
        raise Failure(f"{len(run.err)} bytes of findings")


def collect(numac):
    tests = []
    for path in sorted(BOGONS.rglob("*")):
        if path.is_file() and path.name != "README.md":
            words = ["host", "show"] if path.parent.name == "hosts" else ["check"]
            tests.append(Test(f"bogon {path.relative_to(BOGONS)}",
                              lambda path=path, words=words: _check(numac, path, words)))
    return tests
