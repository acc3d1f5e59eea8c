#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# `numac fmt` and `numac convert` as programs: what happens to files, streams and the exit status; and the tables of
# the language reference.  What the layouts are stands in tests/unit/notation.c.  Prints TAP.
#   tests/notation.py --numac PATH [--write-docs]      --write-docs: bring docs/language.md up to date instead

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import tap
from harness.program import ROOT, Numac
from harness.tap import Failure, Skip, Test

ODD = "guest   a{\nmemory 1GiB # size\n}\n"
EVEN = "guest a {\n    memory 1GiB  # size\n}\n"
LANGUAGE = ROOT / "docs" / "language.md"
TABLES = {"vocabulary": "language-tables", "architectures": "architecture-table"}  # by their marks in the reference


def expect(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}: {got!r}, not {wanted!r}")


def in_scratch(check):
    def run(numac):
        with tempfile.TemporaryDirectory(prefix="numac-notation-") as scratch:
            check(numac, pathlib.Path(scratch))
    return run


def in_place(numac, folder):
    path = folder / "a.numa"
    path.write_text(ODD)
    path.chmod(0o640)
    run = numac.run(["fmt", "a.numa"], folder)
    expect("status", run.status, 0)
    expect("text", path.read_text(), EVEN)
    expect("mode", path.stat().st_mode & 0o7777, 0o640)
    expect("files", sorted(os.listdir(folder)), ["a.numa"])
    before = path.stat()
    numac.run(["fmt", "a.numa"], folder)
    expect("inode of a file that needs nothing", path.stat().st_ino, before.st_ino)


def through_a_link(numac, folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "a.numa").write_text(ODD)
    (folder / "link.numa").symlink_to("sub/a.numa")
    expect("status", numac.run(["fmt", "link.numa"], folder).status, 0)
    expect("link", (folder / "link.numa").is_symlink(), True)
    expect("text", (folder / "sub" / "a.numa").read_text(), EVEN)


def only_checked(numac, folder):
    (folder / "a.numa").write_text(ODD)
    (folder / "b.numa").write_text(EVEN)
    (folder / "c.numa").write_bytes(b"\xef\xbb\xbf" + EVEN.encode())
    (folder / "d.numa").write_bytes(EVEN.replace("\n", "\r\n").encode())
    run = numac.run(["fmt", "--check", "a.numa", "b.numa", "c.numa", "d.numa"], folder)
    expect("status", run.status, 1)
    expect("told", run.out, "a.numa\nc.numa\nd.numa\n")
    expect("text", (folder / "a.numa").read_text(), ODD)
    expect("status of one in order", numac.run(["fmt", "--check", "b.numa"], folder).status, 0)
    numac.run(["fmt", "c.numa"], folder)
    expect("byte order mark", (folder / "c.numa").read_bytes(), EVEN.encode())


def as_a_patch(numac, folder):
    if not shutil.which("patch"):
        raise Skip("patch is not installed")
    text = "".join(f"guest g{i} {{ memory  {i + 1}GiB; vcpus 2 }}\n" if i % 8 == 0 else f"guest g{i} {{ memory {i + 1}GiB }}\n"
                   for i in range(60))
    (folder / "a.numa").write_text(text)
    run = numac.run(["fmt", "--diff", "a.numa"], folder)
    expect("status", run.status, 1)
    expect("hunks", run.out.count("\n@@ "), 8)
    expect("text", (folder / "a.numa").read_text(), text)
    subprocess.run(["patch", "-s", "a.numa"], cwd=folder, input=run.out, text=True, check=True)
    expect("status of the patched file", numac.run(["fmt", "--check", "a.numa"], folder).status, 0)


def streams(numac, folder):
    run = numac.run(["fmt", "-"], folder, ODD.encode())
    expect("formatted", (run.status, run.out), (0, EVEN))
    run = numac.run(["convert", "--to", "yaml", "-"], folder, ODD.encode())
    expect("converted", (run.status, run.out), (0, "guest:\n  a:\n    memory: 1GiB  # size\n"))
    again = numac.run(["fmt", "-"], folder, run.out.encode())
    expect("formatted as YAML", (again.status, again.out), (0, run.out))
    back = numac.run(["convert", "--to", "numa", "-"], folder, run.out.encode())
    expect("converted back", (back.status, back.out), (0, EVEN))


def mistakes(numac, folder):
    text = "guest a {\n  memory = 1GiB\n}\n"
    (folder / "a.numa").write_text(text)
    (folder / "b.yaml").write_text("guest: pg-1\n")
    run, findings = numac.findings(["fmt", "a.numa", "b.yaml"], folder)
    expect("status", run.status, 1)
    expect("findings", [one.code for one in findings], ["NM0006", "NM0050"])
    expect("text", (folder / "a.numa").read_text(), text)
    expect("missing file", numac.run(["fmt", "none.numa"], folder).status, 2)
    expect("no notation", numac.run(["convert", "a.numa"], folder).status, 2)
    (folder / "c.numa").write_text("guest a { memory 1GiB; memory 2GiB }\n")
    run = numac.run(["convert", "--to", "yaml", "c.numa", "-o", "c.yaml"], folder)
    expect("twice", (run.status, (folder / "c.yaml").exists()), (1, False))


def unwritable(numac, folder):
    if os.geteuid() == 0:
        raise Skip("root may write everywhere")
    (folder / "a.numa").write_text(ODD)
    folder.chmod(0o500)
    run, findings = numac.findings(["fmt", "a.numa"], folder)
    folder.chmod(0o700)
    expect("status", run.status, 1)
    expect("findings", [one.code for one in findings], ["NM0053"])
    expect("text", (folder / "a.numa").read_text(), ODD)


def output_file(numac, folder):
    (folder / "a.numa").write_text(ODD)
    run = numac.run(["convert", "--to", "yaml", "a.numa", "-o", "a.yaml"], folder)
    expect("status", (run.status, run.out), (0, ""))
    expect("text", (folder / "a.yaml").read_text(), "guest:\n  a:\n    memory: 1GiB  # size\n")
    _, findings = numac.findings(["convert", "--to", "yaml", "a.numa", "-o", "no/such/folder.yaml"], folder)
    expect("findings", [one.code for one in findings], ["NM0053"])


def with_tables(numac, text):
    for mark, made in TABLES.items():
        begin, end = f"<!-- generated: {mark} -->\n", f"<!-- end: {mark} -->"
        first, last = text.find(begin), text.find(end)
        if first < 0 or last < first:
            raise Failure(f"{LANGUAGE.name} has lost its marks '{begin.strip()}' and '{end}'")
        text = text[:first + len(begin)] + "\n" + numac.run(["schema", made]).out + "\n" + text[last:]
    return text


def tables_of_the_reference(numac):
    text = LANGUAGE.read_text()
    if with_tables(numac, text) != text:
        raise Failure(f"the tables of {LANGUAGE.name} are not those of the vocabulary: run 'make docs'")


CHECKS = [(check.__name__.replace("_", " "), in_scratch(check))
          for check in (in_place, through_a_link, only_checked, as_a_patch, streams, mistakes, unwritable, output_file)]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--write-docs", action="store_true")
    options = parser.parse_args()
    program = Numac(options.numac)
    if options.write_docs:
        LANGUAGE.write_text(with_tables(program, LANGUAGE.read_text()))
        sys.exit(0)
    sys.exit(tap.run([Test(name, lambda check=check: check(program)) for name, check in CHECKS] +
                     [Test("tables of the language reference", lambda: tables_of_the_reference(program))]))
