#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# The JSON Schema of the YAML form against numac itself: it accepts each site that numac accepts, and refuses what a
# schema can see: words that do not stand there, forms that values do not have.  Prints TAP.
#   tests/schema_site.py --numac PATH

import argparse
import copy
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import sites, tap
from harness.program import ROOT, Numac
from harness.tap import Failure, Skip, Test

try:
    import jsonschema
    import yaml
except ImportError as missing:
    sys.exit(tap.skip_all(f"{missing.name} is not installed"))


class Loader(yaml.SafeLoader):
    """YAML 1.2: yes and no are words, 1:20 is no number, dates are text."""


Loader.yaml_implicit_resolvers = {}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf"))
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null)?$"), ["", "~", "n"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]*)$"), list("-0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def load(text):
    def keys_are_text(value):
        if isinstance(value, dict):
            return {str(key): keys_are_text(one) for key, one in value.items()}
        return [keys_are_text(one) for one in value] if isinstance(value, list) else value
    return keys_are_text(yaml.load(text, Loader) or {})


# One site with most forms; each mutant changes one thing.
SITE = """
let: {ram: 32GiB, two: 1 2, list: [a, "b c"], open: }
include: [a.numa, b.yaml]
versions: {libvirt: 9.0.0, qemu: 7.2}
placement: spread
suppress: {NM1033: "memory is being added"}
assert: {free-memory: min 8GiB max 1TiB, sockets: max 2}
host:
  r1:
    topology: hosts/$model.xml
    memory: {0-1: 4GiB}
    hugepages: {1GiB: {0: 16, 1-7: 24}}
    reserve: {os: {cpus: "0-1,48-49", memory: 1GiB}, dpdk: {memory: {0: 1GiB}}}
    ksm: local
    balancing: no
  r2: {like: r1}
profile:
  db: {vcpus: {count: 24, threads: 2}, cells: auto, pin: cores, within: socket}
guest:
  g:
    use: [db, rt]
    host: r1 r2
    memory: $ram
    vcpus: {threads: 2}
    cpu: {model: host-model, cache: emulate 3, features: [topoext, ^pdpe1gb]}
    cell: {0: , 1: {node: {nodes: 0, policy: preferred, fallback: [1, 2-3]}, ids: "0-3,8", memory: 4GiB}}
    distances: {0: [10, 20], 1: 20 10}
    emulator: {cpus: "core:0"}
    locked: {state: yes, hard-limit: 10GiB}
    iothread: {1: {cpus: 3}}
    boot: {cmdline: "console=ttyS0 quiet", firmware: uefi}
    remove: [cell:b, emulator]
    assert: {remote-memory: is 0KiB, cores: [min, 1, max, 4]}
    suppress: {NM0513: {reason: vendor needs it, until: 2027-01-31}}
  h: {pin: {0-5: 4-9 each, 6: 1}, node: auto, count: 3, base: h.xml, distances: 21, memory: all, cells: host}
"""

MUTANTS = [  # path of keys, new value; None as the last: the key is taken away
    (["guests"], {}), (["guest", "g", "cells"], {"a": {}}), (["guest", "g", "memory"], "4GB"), (["guest", "g", "memory"], 4096),
    (["guest", "g", "vcpus", "threads"], "two"), (["guest", "g", "vcpus", "count"], "0-7"), (["guest", "g", "cell", "1", "node", "policy"], "best"),
    (["guest", "g", "cell", "1", "node", "nodes"], None), (["guest", "g", "cell", "1", "pin"], "core"), (["guest", "g", "locked", "state"], True),
    (["guest", "h", "pin", "0-5"], "4-9 every"), (["guest", "h", "node"], "0 interleave 3"), (["guest", "h", "cells"], -1),
    (["guest", "h", "count"], [1, 2]), (["guest", "h"], "pg"), (["guest"], "pg-1"), (["host", "r1", "hugepages", "1GB"], {"0": 1}),
    (["host", "r1", "hugepages", "1GiB", "0"], "many"), (["host", "r1", "balancing"], "on"), (["host", "r1", "reserve", "os", "memory"], "1"),
    (["host", "r1", "color"], "red"), (["versions", "docker"], "1.2"), (["versions", "qemu"], "seven"), (["placement"], "pack spread"),
    (["guest", "g", "distances", "0"], ["10", "far"]), (["guest", "g", "iothread", "one"], {}), (["guest", "g", "device"], {"d": "41:00.0"}),
    (["guest", "g", "cpu", "cache"], "emulate 3 4"), (["guest", "g", "boot", "firmware"], "efi"), (["guest", "g", "emulator", "cpus"], "0-3;5"),
    (["assert"], "sockets max 2"), (["assert", "sockets"], "up to 2"), (["assert", "cells"], "max 2"), (["guest", "g", "assert", "cores"], "max"),
    (["guest", "g", "assert", "free-memory"], "min 1GiB"), (["host", "r1", "assert"], {"cpus": "max 2"}),
    (["suppress"], "NM1033"), (["suppress"], {"unused": "why"}), (["guest", "g", "suppress", "NM0513", "until"], "31.1.2027"),
    (["guest", "g", "suppress", "NM0513"], {"until": "2027-01-31", "since": "2026-01-31"}),
]


def mutated(site, path, value):
    site = copy.deepcopy(site)
    inner = site
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return site


def problems(validator, site):
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in validator.iter_errors(site)]


def check_accepted(validator, text):
    wrong = problems(validator, load(text))
    if wrong:
        raise Failure("\n".join(wrong))


def check_refused(validator, site, path, value):
    if problems(validator, site):
        raise Failure("the site is refused before anything is changed")
    if not problems(validator, mutated(site, path, value)):
        raise Failure(f"accepted: {'/'.join(path)} = {value!r}")


def written(value):
    """As flow YAML; text is plain where it can be, since plain text is parted at blanks."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if re.fullmatch(r"(?:[\w.^$/-][\w.^$/ -]*)?", text) else json.dumps(text)


def errors(numac, site):
    with tempfile.TemporaryDirectory(prefix="numac-schema-") as scratch:
        pathlib.Path(scratch, "site.yaml").write_text(written(site) + "\n")
        _, findings = numac.findings(["check", "site.yaml"], scratch)
        return {(one.code, one.message) for one in findings if one.severity == "error"}


def check_mutant_of_numac(numac, site, path, value):
    """numac refuses it too, so the schema is not stricter than the language."""
    if not errors(numac, mutated(site, path, value)) - errors(numac, site):
        raise Failure(f"numac has nothing to say against {'/'.join(path)} = {value!r}")


def documents():
    """(name, text) of all YAML that the documents and cases show as right."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for fence in sites.fences(path) if path.exists() else []:
            if fence.words in (("yaml",), ("yaml", "cured")):
                yield f"{path.relative_to(ROOT)} line {fence.line}", fence.text


def convert_and_check(numac, validator, path):
    run = numac.run(["convert", "--to", "yaml", path.name], path.parent)
    if run.status:
        raise Failure(run.told())
    check_accepted(validator, run.out)


def check_document(numac, validator, text):
    """What shows a word of a later version, or needs files beside it, is judged where it stands."""
    with tempfile.TemporaryDirectory(prefix="numac-schema-") as scratch:
        pathlib.Path(scratch, "site.yaml").write_text(text)
        _, findings = numac.findings(["check", "site.yaml"], scratch)
        if any(one.code < "NM0200" and one.code not in ("NM0001", "NM0108", "NM0120") for one in findings
               if one.severity == "error"):
            raise Skip("numac refuses its words")
    check_accepted(validator, text)


def collect(numac):
    schema = json.loads(numac.run(["schema", "site"]).out)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    site = load(SITE)
    tests = [Test("all forms are accepted", lambda: check_accepted(validator, SITE))]
    for path, value in MUTANTS:
        name = f"{'/'.join(path)} = {value!r}"
        tests.append(Test(f"refused: {name}", lambda path=path, value=value: check_refused(validator, site, path, value)))
        tests.append(Test(f"numac refuses: {name}",
                          lambda path=path, value=value: check_mutant_of_numac(numac, site, path, value)))
    for one in [*sites.examples(), *sites.cases()]:
        if not sites.is_valid(one):
            continue
        for path in one.inputs:
            name = f"accepted: {path.relative_to(ROOT)}"
            if path.suffix == ".yaml":
                tests.append(Test(name, lambda path=path: check_accepted(validator, path.read_text())))
            else:
                tests.append(Test(name, lambda path=path: convert_and_check(numac, validator, path)))
    for name, text in documents():
        tests.append(Test(f"accepted: {name}", lambda text=text: check_document(numac, validator, text)))
    return tests


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    sys.exit(tap.run(collect(Numac(parser.parse_args().numac))))
