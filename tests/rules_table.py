#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# docs/rules.tsv lists the mistakes that people and tools make with NUMA layouts, and which code of numac tells each;
# docs/rules.md is made from it, with the titles of the catalogue.  Without arguments: holds the table to the catalogue,
# the pages, the cases and the rules in compiler/check, and the table of features to the cases, as TAP.
#   tests/rules_table.py [--write]      --write makes docs/rules.md anew

import csv
import pathlib
import re
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import sites, tap
from harness.program import ROOT
from harness.tap import Failure, Test
from suites import pages

TABLE = ROOT / "docs" / "rules.tsv"
RENDERED = ROOT / "docs" / "rules.md"
HEAD = ["number", "rule", "codes", "why not"]
SECTIONS = {1: "Cells", 36: "CPU topology", 56: "Distances", 70: "Heterogeneous memory", 88: "Memory policy",
            116: "CPU placement", 154: "Cache and bandwidth", 160: "Pages and backing", 181: "Devices",
            196: "Memory devices", 210: "Sites and hosts"}
LAST = 225
OPENING = """# Rules

What can be wrong with a NUMA layout, and what numac says of it. The numbers are those that the rules in `compiler/check` give
as their source. Where there is no code, the last column says why: the language cannot say the mistake, or another
program is the only one to make it. `numac explain CODE` tells more of each.

This page is made from `rules.tsv` by `tests/rules_table.py --write`.
"""


@dataclass(frozen=True)
class Row:
    number: int
    rule: str
    codes: tuple[str, ...]
    why_not: str


def rows():
    with TABLE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if lines[0] != HEAD:
        raise Failure(f"the first line is not {HEAD}")
    for line in lines[1:]:
        if len(line) != len(HEAD):
            raise Failure(f"line of {line[0]}: {len(line)} columns, not {len(HEAD)}")
        number, rule, codes, why_not = line
        yield Row(int(number), rule, () if codes == "-" else tuple(codes.split(",")), why_not)


def rendered():
    titles = {row.code: row.title for row in sites.catalogue()}
    text = [OPENING]
    for row in rows():
        if row.number in SECTIONS:
            text.append(f"\n## {SECTIONS[row.number]}\n\n| | rule | told by |\n| --- | --- | --- |\n")
        told = "<br>".join(f"[{code}](diagnostics/{code}.md) {titles.get(code, '')}" for code in row.codes)
        text.append(f"| {row.number} | {row.rule} | {told or '*' + row.why_not + '*'} |\n")
    return "".join(text)


def check_form():
    numbers = [row.number for row in rows()]
    if numbers != list(range(1, LAST + 1)):
        raise Failure(f"the numbers are not 1 to {LAST}, each once and in order")
    for row in rows():
        if bool(row.codes) == bool(row.why_not):
            raise Failure(f"{row.number}: either codes or a reason why there is none")


def check_codes():
    known = {row.code for row in sites.catalogue()}
    raised = pages.codes_raised()
    wrong = [f"{row.number}: {code} is {'raised by nothing that runs' if code in known else 'no code of the catalogue'}"
             for row in rows() for code in row.codes if code not in known or code not in raised]
    if wrong:
        raise Failure("\n".join(wrong))


def check_sources():
    """A rule in compiler/check that names a number: the table has codes there."""
    told = {row.number for row in rows() if row.codes}
    wrong = []
    for path in sorted((ROOT / "compiler" / "check").glob("*.c")):
        for name, source in re.findall(r'\.name = "([^"]+)", \.source = "peers ([^"]+)"', path.read_text("utf-8")):
            wrong += [f"{path.name}: {name} says it comes from {number}, and the table has no code there"
                      for number in map(int, source.split(", ")) if number not in told]
    if wrong:
        raise Failure("\n".join(wrong))


def check_rendered():
    if not RENDERED.exists() or RENDERED.read_text("utf-8") != rendered():
        raise Failure("docs/rules.md is not what tests/rules_table.py --write makes of docs/rules.tsv")


def check_features():
    """Each row of the table of features is told of some host that lacks it, in a case."""
    names = re.findall(r'^FEATURE\(\w+,\s*"([^"]+)"', (ROOT / "compiler/ground/features.def").read_text("utf-8"),
                       re.MULTILINE)
    told = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests/cases").rglob("*.diag")))
    lacking = [name for name in names if f"for {name}" not in told]
    if lacking or len(names) < 10:
        raise Failure("no case tells a lack of: " + ", ".join(lacking))


def main():
    if sys.argv[1:] == ["--write"]:
        RENDERED.write_text(rendered(), "utf-8")
        return 0
    if sys.argv[1:]:
        print(__doc__ or "tests/rules_table.py [--write]", file=sys.stderr)
        return 2
    return tap.run([Test("form of docs/rules.tsv", check_form), Test("codes of docs/rules.tsv", check_codes),
                    Test("sources of the rules", check_sources), Test("docs/rules.md is current", check_rendered),
                    Test("lacks of features", check_features)])


if __name__ == "__main__":
    sys.exit(main())
