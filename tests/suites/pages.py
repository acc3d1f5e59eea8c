# SPDX-License-Identifier: MIT
#
# Every code has a page; the page's wrong examples raise exactly that code and its cured ones do not; every code is
# raised by something that runs.

import pathlib
import re
import tempfile

from harness import sites
from harness.program import ROOT, listed
from harness.tap import Failure, Test
from suites import documents

PAGES = ROOT / "docs" / "diagnostics"
VERBS = ("check", "build", "plan", "fmt", "convert", "host", "import")
NOT_CHECKED = {"facts_unknown", "left_to_runtime"}  # hints on what was not checked, or is not applied: no example has to avoid them


def _examples(path):
    """(fence, kind) of each example: kind "wrong" or "cured"."""
    return [(fence, fence.words[1]) for fence in sites.fences(path)
            if len(fence.words) >= 2 and fence.words[0] in ("numa", "yaml") and fence.words[1] in ("wrong", "cured")]


def _findings(numac, path, fence):
    """Runs one example in a folder of its own, beside the page's files."""
    words = ["check"]
    with tempfile.TemporaryDirectory(prefix="numac-page-") as scratch:
        for other in sites.fences(path):
            if other.words[:1] == ("file",):
                beside = pathlib.Path(scratch, other.words[1])
                beside.parent.mkdir(parents=True, exist_ok=True)
                beside.write_text(other.text)
            elif other.words == ("args",):
                words = other.text.split()
        site = f"site.{fence.words[0]}"
        pathlib.Path(scratch, site).write_text(fence.text)
        verb, rest = (words[0], words[1:]) if words and words[0] in VERBS else ("check", words)
        return numac.findings([verb, site, *rest], scratch)


def _check_example(numac, path, code, fence, kind):
    ignored = {row.code for row in sites.catalogue() if row.name in NOT_CHECKED} - {code.code}
    run, findings = _findings(numac, path, fence)
    hints = {one.code for one in findings if one.severity == "hint"}
    others = {one.code for one in findings if one.severity != "hint"}
    where = f"{path.relative_to(ROOT)}:{fence.line}: {kind} example"
    if kind == "cured":
        if others or code.code in hints or run.status != 0:
            raise Failure(f"{where} is not clean, {listed(run, findings)}")
    elif code.severity == "hint":
        if others or hints - ignored != {code.code}:
            raise Failure(f"{where} must raise the hint {code.code} alone, {listed(run, findings)}")
    elif others != {code.code} or hints - ignored:
        raise Failure(f"{where} must raise {code.code} alone, {listed(run, findings)}")


def _check_page(path, code):
    if not path.exists():
        raise Failure(f"{code.code} ({code.name}) has no page {path.relative_to(ROOT)}")
    first = path.read_text("utf-8").split("\n", 1)[0]
    if first != f"# {code.code}: {code.title}":
        raise Failure(f"first line is '{first}', the catalogue says '# {code.code}: {code.title}'")
    kinds = {kind for _, kind in _examples(path)}
    words = {fence.words[0] for fence in sites.fences(path) if fence.words}
    if not kinds and not words & {"shell", "console"}:
        raise Failure("no wrong and cured example, and no shell session that shows the finding")
    if len(kinds) == 1:
        raise Failure(f"only a {kinds.pop()} example: each page shows the mistake and its cure")


def codes_raised():
    """Codes that something which runs is checked to raise."""
    raised = set()
    names = {row.name: row.code for row in sites.catalogue()}
    for path in sites.CASES.rglob("*.diag"):
        raised |= set(re.findall(r"\[(NM\d{4})\]", path.read_text("utf-8")))
    for row in sites.catalogue():
        page = PAGES / f"{row.code}.md"
        if page.exists() and any(kind == "wrong" for _, kind in _examples(page)):
            raised.add(row.code)
    for path in [*PAGES.glob("NM*.md"), *ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        for fence in sites.fences(path) if path.exists() else []:
            if fence.words == ("console",):
                raised |= set(re.findall(r"\[(NM\d{4})\]", fence.text))
    for folder in ("lab", "runtime", "unit"):
        for path in (ROOT / "tests" / folder).rglob("*"):
            if path.is_file():
                text = path.read_text("utf-8", "replace")
                raised |= set(re.findall(r"NM\d{4}", text)) | {names[name] for name in re.findall(r"\bNM_(\w+)", text) if name in names}
    return raised


def _check_catalogue():
    rows = sites.catalogue()
    text = (ROOT / "compiler" / "diag" / "catalogue.def").read_text()
    if len(rows) != len(re.findall(r"^CODE\(", text, re.MULTILINE)):
        raise Failure("a row of the catalogue is not of the form CODE(number, name, SEVERITY, \"title\") on one line")
    numbers = [row.code for row in rows]
    if numbers != sorted(set(numbers)):
        raise Failure("the numbers of the catalogue do not rise")
    pages = {path.stem for path in PAGES.glob("NM*.md")}
    if pages - set(numbers):
        raise Failure(f"pages of codes that are not in the catalogue: {sorted(pages - set(numbers))}")


def _check_raised(code, raised):
    if code.code not in raised:
        raise Failure(f"nothing that runs raises {code.code} ({code.name}): add a case, or a wrong example to its page")


def collect(numac):
    raised = codes_raised()
    tests = [Test("catalogue", _check_catalogue)]
    for code in sites.catalogue():
        path = PAGES / f"{code.code}.md"
        tests.append(Test(f"page {code.code}", lambda path=path, code=code: _check_page(path, code)))
        tests.append(Test(f"raised {code.code}", lambda code=code: _check_raised(code, raised)))
        for fence, kind in _examples(path) if path.exists() else []:
            tests.append(Test(f"page {code.code} line {fence.line} {kind}",
                              lambda path=path, code=code, fence=fence, kind=kind:
                              _check_example(numac, path, code, fence, kind)))
        if path.exists():
            tests += documents.consoles(numac, path)
    return tests
