# SPDX-License-Identifier: MIT
#
# Where the tests find sites, and what stands beside and in them: cases with their expectations, examples, fenced
# blocks of documents, the catalogue of codes.  Runs nothing.

import os
import pathlib
import re
import shutil
from dataclasses import dataclass, field

from harness.program import ROOT

CASES = ROOT / "tests" / "cases"
EXAMPLES = ROOT / "examples"
NOTATIONS = (".numa", ".yaml")
KINDS = (".diag", ".yaml.diag", ".plan.json", ".xml", ".argv", ".sh", ".txt", ".d")  # what may stand beside a case


@dataclass
class Directives:
    """What the first comment lines of a case say: `# args: ...`, and so on."""
    arguments: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)  # NAME=SOURCE, SOURCE from the top of the checkout
    verb: str = ""
    status: int | None = None
    expect: list[str] = field(default_factory=list)  # kinds that bless makes although they are not there yet


def directives(path):
    said = Directives()
    for line in path.read_text("utf-8", "replace").split("\n"):
        match = re.match(r"#\s*(args|host|verb|exit|expect):\s*(.*?)\s*$", line)
        if match:
            key, value = match.groups()
            if key == "args":
                said.arguments += value.split()
            elif key == "host":
                said.hosts.append(value)
            elif key == "verb":
                said.verb = value
            elif key == "exit":
                said.status = int(value)
            else:
                said.expect += ["." + word.lstrip(".") for word in value.split()]
        elif line and not line.startswith("#"):
            break
    return said


def host_arguments(said, folder):
    """--host for a run in this folder, so that no absolute path meets the compiler."""
    words = []
    for one in said.hosts:
        name, _, source = one.partition("=")
        words += ["--host", f"{name}={os.path.relpath(ROOT / source, folder)}"]
    return words


@dataclass(frozen=True)
class Site:
    stem: pathlib.Path  # path without ending
    inputs: tuple[pathlib.Path, ...]  # one or both notations

    @property
    def name(self):
        return str(self.stem.relative_to(ROOT))

    def sibling(self, kind):
        return self.stem.parent / (self.stem.name + kind)


def _sites(folder):
    stems = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in NOTATIONS and path.is_file() and "parts" not in path.relative_to(folder).parts:
            stems.setdefault(path.with_suffix(""), []).append(path)
    return [Site(stem, tuple(sorted(paths))) for stem, paths in sorted(stems.items())]


def cases():
    """All of tests/cases, but folders named `parts`: what is in there is included by cases."""
    return _sites(CASES)


def examples():
    return _sites(EXAMPLES)


def link_surroundings(path, scratch):
    """The folder of a site again, in a scratch place, with links to what a site may refer to: folders beside it and
    above it and, for an example, the files beside it.  Not the site itself, in either notation.  `parts` are copied:
    what is included must really lie below the site."""
    for level in path.parents:
        if not level.is_relative_to(ROOT):
            break
        there = pathlib.Path(scratch, level.relative_to(ROOT))
        there.mkdir(parents=True, exist_ok=True)
        for child in level.iterdir():
            is_wanted = child.is_dir() or level == EXAMPLES and child.stem != path.stem
            if not is_wanted or child.name in ("build", ".git") or (there / child.name).exists():
                continue
            if child.name == "parts":
                shutil.copytree(child, there / child.name)
            else:
                (there / child.name).symlink_to(child)
    return pathlib.Path(scratch, path.parent.relative_to(ROOT))


def is_valid(site):
    """No error is expected of it."""
    said = directives(site.inputs[0])
    diag = site.sibling(".diag")
    return not said.status and not (diag.exists() and "error[" in diag.read_text())


# ---- documents -------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Fence:
    line: int  # of its first line of text
    words: tuple[str, ...]  # of the info string
    text: str


def fences(path):
    found, inside, begin, text = [], None, 0, []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        mark = re.match(r"\s*```+\s*(.*)$", line)
        if inside is None and mark:
            inside, begin, text = tuple(mark.group(1).split()), number + 1, []
        elif inside is not None and mark and not mark.group(1):
            found.append(Fence(begin, inside, "\n".join(text) + "\n"))
            inside = None
        elif inside is not None:
            text.append(line)
    return found


@dataclass(frozen=True)
class Code:
    code: str
    name: str
    severity: str
    title: str


def catalogue():
    text = (ROOT / "compiler" / "diag" / "catalogue.def").read_text()
    rows = re.findall(r'^CODE\(\s*(\d+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*\)', text, re.MULTILINE)
    return [Code(f"NM{int(number):04}", name, severity.lower(), title.replace('\\"', '"').replace("\\\\", "\\"))
            for number, name, severity, title in rows]
