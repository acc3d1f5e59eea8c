#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The man pages against the program: verbs, options and exit statuses of numac(1) are those of its help, each once and
# at the right verbs; the words of numac(5) are those of the vocabulary; the examples are command lines it takes.
# That the pages are clean mdoc and get installed is tested in suites/documents.py.  Prints TAP.
#   tests/man.py --numac PATH [--write-docs]      --write-docs: bring the words of numac(5) up to date instead

import argparse
import pathlib
import re
import shlex
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import tap
from harness.program import ROOT, Numac
from harness.tap import Failure, Test

PROGRAM, LANGUAGE = ROOT / "docs" / "man" / "numac.1", ROOT / "docs" / "man" / "numac.5"
BEGIN, END = '.\\" generated: vocabulary\n', '.\\" end\n'
OPTION = re.compile(r"^  (?:-(\w),|   ) --([a-z-]+)(?: (\S+))?\s+(\S.*)$", re.MULTILINE)


def expect(what, page, program):
    if page != program:
        raise Failure(f"{what}\nof the page:    {page}\nof the program: {program}")


def section(text, heading, level="Sh"):
    found = re.search(rf'^\.{level} "?{re.escape(heading)}"?\n(.*?)(?=^\.S[hs] |\Z)', text, re.MULTILINE | re.DOTALL)
    if not found:
        raise Failure(f"there is no section '{heading}'")
    return found[1]


def help_of(numac, *words):
    return numac.run([*words, "--help"]).out


def part_of_help(text, heading):
    """The indented lines below a heading."""
    return re.search(rf"^{re.escape(heading)}:\n((?:  .*\n)+)", text, re.MULTILINE)[1]


def verbs_of_help(numac):
    return re.findall(r"^  (\w+)\s", part_of_help(help_of(numac), "Verbs"), re.MULTILINE)


def verbs(numac):
    text = section(PROGRAM.read_text(), "DESCRIPTION")
    told = re.findall(r"^\.It Ic (\w+)", text, re.MULTILINE)
    expect("verbs", list(dict.fromkeys(told)), verbs_of_help(numac))


def options_of_help(numac):
    """{name: (letter, {verbs}, takes a value)}; an option of every verb has no verbs."""
    common = {name: (letter, set(), bool(value)) for letter, name, value, _ in
              OPTION.findall(part_of_help(help_of(numac), "Options of every verb"))}
    options = dict(common)
    for verb in verbs_of_help(numac):
        for letter, name, value, _ in OPTION.findall(part_of_help(help_of(numac, verb), "Options")):
            if name not in common:
                options.setdefault(name, (letter, set(), bool(value)))[1].add(verb)
    return options


def options_of_page():
    options = {}
    text = section(PROGRAM.read_text(), "Options", "Ss")
    items = re.findall(r"^\.It (Fl .*)\n(?:\.Pq Ic (.*)\n)?", text, re.MULTILINE)
    for item, at in items:
        forms = re.findall(r"Fl (-?[\w-]+)( (?:Ar|Cm))?", item)
        name, value = forms[-1][0].removeprefix("-"), bool(forms[-1][1])
        if name in options:
            raise Failure(f"--{name} stands twice")
        letter = forms[0][0] if len(forms) == 2 else ""
        options[name] = (letter, set(re.findall(r"\w+", at)), value)
    return options


def options(numac):
    page, program = options_of_page(), options_of_help(numac)
    expect("options", sorted(page), sorted(program))
    for name, told in program.items():
        expect(f"letter, verbs and value of --{name}", page[name], told)


def default_of(numac, name):
    about = next(about for _, option, _, about in OPTION.findall(help_of(numac, "build")) if option == name)
    return re.search(r"\(([^()]*)\)$", about)[1]


def defaults(numac):
    text = section(PROGRAM.read_text(), "Options", "Ss")
    for name, macro in (("output", "Pa"), ("format", "Cm"), ("fail-on", "Cm")):
        told = re.search(rf"Fl -{name} .*?by default\n\.{macro} (\S+)", text, re.DOTALL)
        expect(f"default of --{name}", told and told[1], default_of(numac, name))


def exit_statuses(numac):
    page = re.findall(r"^\.It (\d+)\n(.*)$", section(PROGRAM.read_text(), "EXIT STATUS"), re.MULTILINE)
    program = re.findall(r"^  (\d+) +(.*)$", part_of_help(help_of(numac), "Exit status"), re.MULTILINE)
    expect("exit statuses", page, program)


def examples(numac):
    """Each is a command line that the program takes: what is missing are files, never options."""
    text = section(PROGRAM.read_text(), "EXAMPLES")
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("numac ")]
    if not lines:
        raise Failure("there are no examples")
    with tempfile.TemporaryDirectory(prefix="numac-man-") as scratch:
        for line in lines:
            words = shlex.split(line.split(">")[0])[1:]
            if "NM0004" in numac.run([*words, "--format", "gcc"], scratch).out:
                raise Failure(f"the program does not take '{line}'")


# ---- the words of numac(5) ------------------------------------------------------------------------------------------

def as_mdoc(text):
    return re.sub(r"`([^`]*)`", r"\\(aq\1\\(aq", text.replace("\\", "\\e"))


def words_in_mdoc(tables):
    """The tables of the language reference, as sections of a man page."""
    out = []
    for block in re.split(r"^### ", tables, flags=re.MULTILINE)[1:]:
        heading, *lines = block.strip().split("\n")
        out.append(f".Ss \\&{heading.replace('`', '')}")  # "In" alone is a macro
        rows = [[field.strip() for field in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]
        if rows:
            out.append(".Bl -tag -width Ds")
        for word, form, default, meaning in rows:
            out.append(f".It Ic {word.strip('`')} Ar {form.strip('`')}")
            out.append(as_mdoc(meaning) + (f"; default: {as_mdoc(default)}" if default else ""))
        if rows:
            out.append(".El")
        rest = [line for line in lines if line and not line.startswith("|")]
        out += [line for at, text in enumerate(rest) for line in ([".Pp"] if rows or at else []) + [as_mdoc(text)]]
    return "\n".join(out) + "\n"


def with_words(numac, text):
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise Failure(f"{LANGUAGE.name} has lost its marks '{BEGIN.strip()}' and '{END.strip()}'")
    return text[:begin + len(BEGIN)] + words_in_mdoc(numac.run(["schema", "language-tables"]).out) + text[end:]


def words(numac):
    text = LANGUAGE.read_text()
    if with_words(numac, text) != text:
        raise Failure(f"the words of {LANGUAGE.name} are not those of the vocabulary: run 'make docs'")


CHECKS = (verbs, options, defaults, exit_statuses, examples, words)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--write-docs", action="store_true")
    chosen = parser.parse_args()
    program = Numac(chosen.numac)
    if chosen.write_docs:
        LANGUAGE.write_text(with_words(program, LANGUAGE.read_text()))
        sys.exit(0)
    sys.exit(tap.run([Test(f"man pages: {check.__name__.replace('_', ' ')}", lambda check=check: check(program))
                      for check in CHECKS]))
