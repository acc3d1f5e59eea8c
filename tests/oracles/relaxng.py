#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Every domain XML that numac writes fits the schema that libvirt ships.  One xmllint judges all files.

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import built, tap
from harness.program import ROOT, Numac

SCHEMA = pathlib.Path("/usr/share/libvirt/schemas/domain.rng")


LATER = {  # elements and attributes that the schema has from a version on
    (9, 4, 0): re.compile(r"<poll [^>]*/>|<address base=[^>]*/>"),
    (9, 5, 0): re.compile(r"<maxMemory unit=.*?</maxMemory>"),
    (9, 3, 0): re.compile(r"(?<=<maxphysaddr mode='passthrough') limit='\d+'"),
    (10, 1, 0): re.compile(r" dynamicMemslots='yes'|(?<=') clusters='\d+'"),
    (10, 2, 0): re.compile(r"(?<=<type) arch='loongarch64'"),
}


def libvirt_version():
    if not shutil.which("virsh"):
        return (0,)
    said = subprocess.run(["virsh", "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.strip().split("."))


def for_schema(path, folder):
    """The file, or a copy without the elements that the installed schema cannot know."""
    text = known = path.read_text()
    for version, element in LATER.items():
        if libvirt_version() < version:
            known = element.sub("", known)
    if known == text:
        return path
    copy = pathlib.Path(folder, f"{len(list(pathlib.Path(folder).iterdir()))}-{path.name}")
    copy.write_text(known)
    return copy


def judge(paths):
    """{path: what xmllint says against it, empty where it fits}"""
    if not paths:
        return {}
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--relaxng", SCHEMA, *paths], capture_output=True,
                          text=True, check=False)
    told = {str(path): "never judged" for path in paths}
    remarks = {str(path): [] for path in paths}
    for line in done.stderr.split("\n"):
        name = next((name for name in told if line.startswith(name)), None)
        if name is None:
            continue
        if line == f"{name} validates":
            told[name] = ""
        elif line.startswith(f"{name} fails to validate"):
            told[name] = "fails to validate\n" + "\n".join(remarks[name])
        else:
            remarks[name].append(line)
    return told


def unfit():
    """The reason why nothing can be judged here, or None."""
    if not shutil.which("xmllint"):
        return "xmllint is not installed (libxml2-utils)"
    return None if SCHEMA.exists() else f"{SCHEMA} is not installed (libvirt0)"


def _fail_with(text):
    if text:
        raise tap.Failure(text)


def main():
    parser = argparse.ArgumentParser(description="domain XML against libvirt's schema, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--random", type=int, default=40, help="random plans")
    options = parser.parse_args()
    if unfit():
        return tap.skip_all(unfit())
    with tempfile.TemporaryDirectory(prefix="numac-schema-") as scratch:
        guests, broken = built.guests(Numac(options.numac), scratch, options.random)
        known = pathlib.Path(scratch, "known")
        known.mkdir()
        files = {guest.xml: for_schema(guest.xml, known) for guest in guests if guest.xml}
        told = judge(list(files.values()))
        tests = [tap.Test("all sites build", lambda: built.fail_broken(broken))]
        tests += [tap.Test(f"schema {guest.title}", lambda guest=guest: _fail_with(told[str(files[guest.xml])]))
                  for guest in guests if guest.xml]
        return tap.run(tests)


if __name__ == "__main__":
    sys.exit(main())
