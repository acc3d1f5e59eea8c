#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Tests of the tests: the runner, the readers and the judges say no where they should.  A stand-in plays numac, so that
# every kind of wrong answer can be given.

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import mutants
from harness import acpi, built, initramfs, program, sites, tap
from harness.tap import Failure, Skip, Test
from oracles import argv_facts, relaxng, script
from oracles.sample import mistakes
from suites import bogons, cases, documents

STAND_IN = """#!/bin/sh
# answers from the folder it stands in: the files status, out, err
here=$(dirname "$0")
[ ! -e "$here/write" ] || for word; do [ -z "$next" ] || { mkdir -p "$word"; cp "$here"/write/* "$word"; }
    next=; [ "$word" != -o ] || next=1; done
cat "$here/out" 2>/dev/null
cat "$here/err" >&2 2>/dev/null
[ ! -e "$here/abort" ] || kill -ABRT $$
exit "$(cat "$here/status")"
"""


@contextlib.contextmanager
def stand_in(status=0, out="", err="", write=None, abort=False):
    with tempfile.TemporaryDirectory(prefix="numac-self-") as folder:
        here = pathlib.Path(folder)
        (here / "numac").write_text(STAND_IN)
        (here / "numac").chmod(0o755)
        for name, text in (("status", str(status)), ("out", out), ("err", err)):
            (here / name).write_text(text)
        if abort:
            (here / "abort").touch()
        if write:
            (here / "write").mkdir()
            for name, text in write.items():
                (here / "write" / name).write_text(text)
        yield program.Numac(here / "numac")


@contextlib.contextmanager
def case(files):
    """A case of the project that is there for one test only."""
    sites.CASES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="self-", dir=sites.CASES) as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        yield next(site for site in sites.cases() if site.stem.parent == pathlib.Path(folder))


def refuses(function, *arguments, text=""):
    try:
        function(*arguments)
    except (Failure, argv_facts.FactError) as trouble:
        if text not in str(trouble):
            raise Failure(f"refused for another reason: {trouble}") from trouble
        return
    raise Failure(f"{function.__name__} accepts {arguments}")


# ---- the runner ------------------------------------------------------------------------------------------------

def crashes_fail():
    for wrong in ({"abort": True}, {"status": 70}, {"status": 139}, {"err": "x.c:1:2: runtime error: overflow"},
                  {"err": "==1==ERROR: AddressSanitizer: heap"}):
        with stand_in(**wrong) as numac:
            refuses(numac.run, ["check", "x"], text="crashed")


def cases_compare():
    right = {"write": {"a.xml": "<a/>\n", "plan.json": "{}\n"}}
    files = {"x.numa": "guest a\n", "x.xml": "<a/>\n", "x.plan.json": "{}\n"}
    with case(files) as site:
        with stand_in(**right) as numac:
            cases.check(numac, site)
        wrong = ({"write": {"a.xml": "<b/>\n", "plan.json": "{}\n"}}, {"write": {"a.xml": "<a/>\n"}},
                 {"write": {"a.xml": "<a/>\n", "b.xml": "", "plan.json": "{}\n"}}, right | {"err": "hint[NM0001]: x\n"},
                 right | {"status": 1}, right | {"status": 2})
        for one in wrong:
            with stand_in(**one) as numac:
                refuses(cases.check, numac, site)


def cases_want_findings():
    told = "error[NM0002]: wrong\n --> x.numa:1:1\n"
    with case({"x.numa": "y\n", "x.diag": told, "x.yaml": "y\n"}) as site:
        with stand_in(1, err=told) as numac:
            cases.check(numac, site)
        for one in ({"status": 0, "err": told}, {"status": 1, "err": ""}, {"status": 1, "err": told + "more\n"},
                    {"status": 1, "err": told.replace("NM0002", "NM0003")}):
            with stand_in(**one) as numac:
                refuses(cases.check, numac, site)


def notations_agree():
    """The stand-in writes other bytes for each run when asked to count."""
    with case({"x.numa": "y\n", "x.yaml": "y\n"}) as site, stand_in(write={"plan.json": "{}\n"}) as numac:
        cases.check(numac, site)
        program_path = pathlib.Path(numac.path)
        program_path.write_text(STAND_IN.replace('cp "$here"/write/* "$word"',
                                                 'cp "$here"/write/* "$word"; echo "$2" > "$word/plan.json"'))
        refuses(cases.check, numac, site, text="two notations")


def bogons_are_refused():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "x")
        path.touch()
        with stand_in(1, err="error[NM0002]: x\n") as numac:
            bogons._check(numac, path, ["check"])
        for one in ({"status": 0, "err": "x"}, {"status": 3, "err": "x"}, {"status": 1}):
            with stand_in(**one) as numac:
                refuses(bogons._check, numac, path, ["check"])


def consoles_match():
    assert documents.output_matches(["a", "...", "d"], ["a", "b", "c", "d"])
    assert documents.output_matches(["a", "...", "d"], ["a", "d"])
    assert documents.output_matches([], [])
    for expected, got in ((["a"], ["a", "b"]), (["a", "...", "d"], ["a", "b"]), (["a.c"], ["abc"]), ([], ["x"])):
        if documents.output_matches(expected, got):
            raise Failure(f"{expected} matches {got}")


def tap_counts():
    def fails():
        raise Failure("one\ntwo")

    def skips():
        raise Skip("why")

    def breaks():
        raise KeyError("a bug in a test")

    out = io.StringIO()
    status = tap.run([Test("a", lambda: None), Test("b", fails), Test("c", skips), Test("d", breaks)], out=out)
    if status != 1 or not out.getvalue().endswith("1 passed, 2 failed, 1 skipped\n"):
        raise Failure(out.getvalue())


# ---- the judges ------------------------------------------------------------------------------------------------

def facts_of(words, **more):
    return argv_facts.facts(["qemu", "-m", "1024", "-smp", "1", *words.split()], **more)


def notation_is_no_fact():
    keyed = facts_of("-object memory-backend-ram,id=a,size=1G,host-nodes=0-1,host-nodes=3,policy=bind,prealloc=on "
                     "-numa node,nodeid=0,cpus=0,memdev=a")
    object_ = json.dumps({"qom-type": "memory-backend-ram", "id": "b", "size": 1 << 30, "host-nodes": [3, 0, 1],
                          "policy": "bind", "prealloc": True}, separators=(",", ":"))
    other = argv_facts.facts(["qemu", "-m", "size=1048576k", "-smp", "cpus=1,maxcpus=1", "-object", object_,
                              "-numa", "node,nodeid=0,cpus=0,memdev=b"])
    if argv_facts.differences(keyed, other):
        raise Failure(str(argv_facts.differences(keyed, other)))


def nonsense_is_refused():
    ram = "-object memory-backend-ram,id=a,size=1G"
    for words in (f"{ram},sise=3", "-object memory-backend-ram,id=a", f"{ram},policy=bind", f"{ram},host-nodes=1",
                  f"{ram},host-nodes=3-1,policy=bind", f"{ram} {ram}", f"{ram} -numa node,nodeid=0,memdev=b",
                  f"{ram} -numa node,nodeid=1,memdev=a", f"{ram},share=maybe", f"{ram},prealloc=on,prealloc-context=c",
                  f"{ram} -numa node,nodeid=0,memdev=a -numa node,nodeid=1,memdev=a", "-object memory-backend-epc,id=e",
                  f"{ram} -numa node,nodeid=0,memdev=a,foo=1", f"{ram},size=2G", "-m 5 -smp 1",
                  "-object memory-backend-ram,id=a,size=2G -numa node,nodeid=0,memdev=a",
                  f"{ram} -numa node,nodeid=0,memdev=a -numa dist,src=0,dst=1,val=20"):
        refuses(facts_of, words)
    refuses(argv_facts.words_of_file, "qemu\n-m 1024\n")


def mistakes_are_facts():
    right = argv_facts.facts(argv_facts.words_of_file(mistakes.ARGV.read_text()))
    for mistake in mistakes.MISTAKES:
        wrong = argv_facts.facts(argv_facts.words_of_file(mistakes.wrong_argv(mistake)))
        if not argv_facts.differences(right, wrong):
            raise Failure(f"{mistake.about} is no difference")


def scripts_are_read():
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        plan = {"architecture": "x86_64", "pins": {"vcpus": ["4", "5"]}}
        script.put_programs(scratch / "programs", [built.Guest("", "", plan, None, None)])
        path, argv = scratch / "guest.sh", "qemu-system-x86_64\n-append\n'a b'\n"

        def judge(line, plan_then=plan):
            path.write_text(f"#!/bin/sh\nexec {line}\n")
            return script.compare(path, argv, plan_then, scratch / "programs")

        judge("taskset -c 4-5 qemu-system-x86_64 -append 'a b'")
        for line in ("qemu-system-x86_64 -append 'a b'", "taskset -c 4 qemu-system-x86_64 -append 'a b'",
                     "taskset -c 4-5 qemu-system-x86_64 -append a b"):
            refuses(judge, line)
        refuses(judge, "taskset -c 4-5 qemu-system-x86_64 -append 'a b'", plan | {"pins": {"vcpus": ["4", None]}})


def tests_program(name):
    """A program of tests/ as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(program.ROOT / "tests" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def tally_counts():
    tally = tests_program("tally")
    expected = (("1..3\nok 1 /a/b#c\nok 2 - d # SKIP e\nnot ok 3 - f\n", 1, 1, 1), ("1..0 # SKIP g\n", 0, 0, 1),
                ("1..2\nok 1\n", 1, 1, 0), ("", 0, 1, 0), ("ok 1\nnot ok 2 # TODO h\n1..2\n", 2, 0, 0),
                ("1..1\nok 1\n1 passed, 0 failed, 0 skipped\n", 1, 0, 0))
    for text, passed, failed, skipped in expected:
        suite = tally.Suite("x", f"printf '%b' '{text}'", False)
        with tempfile.TemporaryFile("w") as nowhere:
            suite.show = lambda line, nowhere=nowhere: nowhere.write(line)
            suite.report = lambda seconds: None
            suite.run()
        if (suite.passed, suite.failed, suite.skipped) != (passed, failed, skipped):
            raise Failure(f"{text}: {suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped")


def layers_are_kept():
    layers = tests_program("layers")
    wrong = (("compiler/base/a.c", '#include "diag/diag.h"', layers.one_way),
             ("compiler/model/a.c", '#include "host/host.h"', layers.one_way),
             ("compiler/emit/a.c", '#include "model/binder.h"', layers.public_headers),
             ("compiler/check/a.c", "#include <hwloc.h>", layers.foreign),
             ("compiler/main.c", "#include <libvirt/libvirt.h>", layers.foreign),
             ("runtime/a.c", '#include "model/model.h"', layers.runtime),
             ("compiler/util/a.c", "", layers.folders_known), ("compiler/base/a.c", "int a;", layers.headed),
             ("compiler/base/a.c", "\n" * 1000, layers.lengths))
    for name, text, rule in wrong:
        with tempfile.TemporaryDirectory() as folder:
            layers.ROOT = pathlib.Path(folder)
            path = layers.ROOT / name
            path.parent.mkdir(parents=True)
            path.write_text(text + "\n")
            refuses(rule)


def schema_refuses():
    if relaxng.unfit():
        raise Skip(relaxng.unfit())
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder, "wrong.xml")
        wrong.write_text(mistakes.XML.read_text().replace("<memnode cellid='0'", "<memnode cell='0'"))
        broken = pathlib.Path(folder, "broken.xml")
        broken.write_text("<domain>")
        known = pathlib.Path(folder, "known")
        known.mkdir()
        right, wrong = relaxng.for_schema(mistakes.XML, known), relaxng.for_schema(wrong, known)
        told = relaxng.judge([right, wrong, broken])
        if told[str(right)] or not told[str(wrong)] or not told[str(broken)]:
            raise Failure(str(told))


def apic_ids_leave_gaps():
    topology = {"count": 12, "sockets": 2, "dies": 1, "clusters": 1, "modules": 1, "cores": 3, "threads": 2}
    if acpi.apic_ids(topology) != [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]:
        raise Failure(str(acpi.apic_ids(topology)))


def initramfs_repeats():
    if not initramfs.shell():
        raise Skip("no busybox")
    if initramfs.archive("x") != initramfs.archive("x") or initramfs.archive("x") == initramfs.archive("y"):
        raise Failure("the archive is not a function of the script")


def mutants_are_made():
    with case({"x.numa": 'host h { reserve os { cpus 0-1 } }  # a comment {\n'
                         'guest g { memory 4GiB; host h; boot { cmdline "a { b" } }\n'}) as site:
        made = mutants.mutants_of(site.inputs[0], mutants.random.Random(1))
    operators = {mutant.operator for mutant in made}
    if operators != {"misspelt reference", "misspelt word", "lost word", "doubled word", "lost bracket",
                     "doubled bracket"}:
        raise Failure(str(operators))
    if sum(mutant.operator == "lost bracket" for mutant in made) != 8:
        raise Failure("brackets in strings and comments are text")
    if len({mutant.text for mutant in made}) != len(made):
        raise Failure("two mutants are the same")


FINDS = """#!/bin/sh
# an error in each file that holds the word WORD
printf '{"omitted": [], "findings": ['
for file; do
    [ -f "$file" ] && grep -q 'WORD' "$file" || continue
    printf '%s{"code": "NM0101", "severity": "error", "message": "x", "spans": [' "$comma"
    printf '{"file": "%s", "is_primary": true}]}' "$file"
    comma=,
done
printf ']}'
"""


def mutants_are_judged():
    with case({"x.numa": "guest g {\n"}) as site, stand_in() as numac:
        some = mutants.mutants_of(site.inputs[0], mutants.random.Random(1))[:2]
        pathlib.Path(numac.path).write_text(FINDS.replace("WORD", "qz"))  # sees what is misspelt, not what is lost
        judged = mutants.judge(numac, site.inputs[0], some)
        if [(mutant.operator, count) for mutant, count, _ in judged] != [("misspelt word", 1), ("lost word", 0)]:
            raise Failure(str(judged))
        refuses(mutants.none_of, judged, lambda count: count == 0, "are silent", text="1 of 2")
        pathlib.Path(numac.path).write_text(FINDS.replace("WORD", "guest"))
        refuses(mutants.sound, mutants.judge(numac, site.inputs[0], some))
    with stand_in(abort=True) as numac:
        refuses(mutants.none_of, [mutants._alone(numac, program.ROOT, "x", some[0], [])],
                lambda count: count is None, "crash")
    refuses(mutants.few_errors, [(some[0], 3, ""), (some[1], 1, "")], text="50.0%")


if __name__ == "__main__":
    SELF = (crashes_fail, cases_compare, cases_want_findings, notations_agree, bogons_are_refused, consoles_match,
            tap_counts, tally_counts, notation_is_no_fact, nonsense_is_refused, mistakes_are_facts, schema_refuses,
            scripts_are_read, layers_are_kept, apic_ids_leave_gaps, initramfs_repeats,
            mutants_are_made, mutants_are_judged)
    sys.exit(tap.run([Test(one.__name__.replace("_", " "), one) for one in SELF], 1))
