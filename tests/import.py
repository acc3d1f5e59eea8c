#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# numac import over domain XML, that of tests/domains and of the corpus: import, check, build over the same base; then
# libvirt's own parser must find the same guest before and after, libvirt's driver must make the same command line of both, bytes that
# numac does not own must be the same, and the short site must give the plan of the long one.  TAP on stdout.
#
#   tests/import.py [--numac PROGRAM] [--write]       --write: the table of docs/import.md
#
# The corpus is NUMAC_CORPUS or ../shared/corpus beside the checkout; without it its tests are skipped, visibly.

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import sites, tap
from harness.program import ROOT, Numac
from oracles import argv_facts, domain_meaning, libvirt_embed
from suites import import_argv, imports

CORPUS = pathlib.Path(os.environ.get("NUMAC_CORPUS") or ROOT.parent / "shared" / "corpus") / "domains"
OWN = ROOT / "tests" / "domains"
PAGE = ROOT / "docs" / "import.md"
TITLES = {row.code: row.title for row in sites.catalogue()}
MARK = "-- numac --"
RANDOM_GUESTS, RANDOM_PLANS = 50, 20

MIB = 1 << 20
CELLS = 8  # at most, of a guest that libvirt rounds


def rounded(theirs, ours):
    """Each cell up to whole MiB, and the sum of them."""
    return theirs % MIB == 0 and 0 < theirs - ours < CELLS * MIB


def always(*_):
    return True


# differences that have a reason: what differs, the finding that must have told it (None: no finding), the reason, and
# what must be true of both numbers
REASONS = [
    (r"current", "NM1237", "told as written over", lambda theirs, ours: theirs < ours),
    (r"vcpus\.(current|each|placement)|smp\.(cpus|maxcpus)", "NM1237", "told as written over", always),
    (r"memory\.(maxmem|slots|size)|memory_devices|current|memory|only\.size", "NM1235", "told as kept in the base", always),
    (r"pages\[\d+\]", "NM1234", "huge pages of the host's default size, taken as 2MiB", lambda _, ours: ours == 2048),
    (r"((cells|memory_devices)\[\d+\]\.memory|only)\.page_bytes", "NM1234", "huge pages of the host's default size, taken as 2MiB",
     lambda _, ours: ours == 2 * MIB),
    (r"memory\.(size|maxmem)|only\.size|cells\[\d+\]\.memory\.size", "NM0703", "libvirt rounds up to whole MiB", rounded),
    (r"memory_devices\[\d+\]\.memory\.size", "NM0921", "libvirt rounds memory devices up to 2 MiB", always),
    (r"((cells|memory_devices)\[\d+\]\.memory|only)\.context", None, "thread contexts, which libvirt makes since 9.3", always),
    (r"source", "NM0716", "shared anonymous memory, for which libvirt takes a file", always),
    (r"gic", "NM1269", "version 2 of the GIC, told as not carried", always),
    (r"remapping\..*", "NM1266", "an IOMMU, left out without a base", always),
]
LIBVIRT_ALONE = {"NM1161"}  # who chooses by numad
DEVICES = ("exceeds the total memory size", "Memory size must be specified")  # of a parser that adds up nothing


@dataclass
class Trip:
    """One file on its way: what each step said of it."""
    source: pathlib.Path
    folder: pathlib.Path
    refused: list[str] = field(default_factory=list)  # codes, of the import
    unchecked: list[str] = field(default_factory=list)  # codes, of check
    told: set[str] = field(default_factory=set)  # codes of all severities
    names: list[str] = field(default_factory=list)
    is_newer: bool = False  # built with versions in its site

    @property
    def title(self):
        return f"{self.source.parent.name}/{self.source.stem}"

    @property
    def site(self):
        return self.folder / "in" / "site.numa"

    def pairs(self):
        """The base and what was built over it, of each guest."""
        return [(self.folder / "in" / f"{name}.xml", self.folder / "out" / f"{name}.xml") for name in self.names]


def travel(numac, source, folder):
    folder.mkdir()
    trip = Trip(source, folder)
    run, findings = numac.findings(["import", source, "-o", folder / "in"])
    trip.refused = sorted({one.code for one in findings if one.severity == "error"})
    trip.told = {one.code for one in findings}
    if trip.refused:
        if run.status == 0 or (folder / "in").exists():
            raise tap.Failure(f"{trip.title} is refused, yet there is output: {run.told()}")
        return trip
    run, findings = numac.findings(["check", trip.site])
    trip.unchecked = sorted({one.code for one in findings if one.severity == "error"})
    trip.told |= {one.code for one in findings}
    site = trip.site
    if trip.unchecked == ["NM1041"]:
        site, trip.is_newer, trip.unchecked = imports.with_versions(site), True, []
    if not trip.unchecked:
        run = numac.run(["build", site, "-o", folder / "out", "--target", "libvirt"])
        if run.status != 0:
            raise tap.Failure(f"{trip.title}: check is content and build is not: {run.told()}")
        trip.names = [guest["name"] for guest in json.loads((folder / "out" / "plan.json").read_text())["guests"]]
    return trip


# ---- libvirt's parser ------------------------------------------------------------------------------------------

def parsed(paths):
    """What test:///default makes of each file: (XML, error)."""
    commands = []
    for path in paths:
        name = ElementTree.parse(path).findtext("name").strip()
        commands.append(f"define {path}; dumpxml '{name}'; undefine '{name}'; echo '{MARK}'")
    done = subprocess.run(["virsh", "-q", "-c", "test:///default", "; ".join(commands)], capture_output=True,
                          text=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return [((match.group(0), "") if (match := re.search(r"<domain\b.*</domain>", part, re.DOTALL)) else ("", part))
            for part in done.stdout.split(MARK)[:len(paths)]], done.stderr


MADE_UP = re.compile(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def without_made_up(base, facts, rest):
    """UUIDs and MAC addresses that the base does not say are made anew with each guest that is defined."""
    said = base.read_text(errors="replace").lower()
    kept = {name: value for name, value in facts.items() if name != "uuid" or value in said}
    return kept, MADE_UP.sub(lambda match: match.group() if match.group() in said else "made up", rest)


def parser_says(trip):
    """Lines that tell where libvirt's parser finds another guest; None where it takes not even the original."""
    found = []
    for base, built in trip.pairs():
        (before, _), (after, _) = parsed([base, built])[0]
        if not before:
            return None
        if not after:
            return [f"libvirt refuses what was built: {parsed([built])[1]}"]
        facts, rest = without_made_up(base, *domain_meaning.meaning(before))
        other_facts, other_rest = domain_meaning.meaning(after)
        other_facts, other_rest = without_made_up(base, {key: other_facts[key] for key in facts}, other_rest)
        found += argv_facts.differences(facts, other_facts, ("original", "built"))
        if rest != other_rest:
            found.append(f"the rest differs:\n{rest}\n{other_rest}")
    return found


# ---- command lines ---------------------------------------------------------------------------------------------

def driver_says(engine, before, after):
    """(difference lines, reason why there is nothing to compare)"""
    try:
        return argv_facts.differences(engine.facts(before), engine.facts(after), ("original", "built")), ""
    except tap.Skip as skip:
        return [], str(skip)
    except tap.Failure as failure:
        if before.startswith("error:"):
            return [], str(failure)
        raise
    except argv_facts.FactError as unknown:
        return [], f"the command line has more than numac says: {unknown}"


def expected_argv(trip):
    found = sorted(trip.source.parent.glob(f"{trip.source.stem}.*.args"))
    return found[0] if found else None


def bare_argv(numac, trip):
    """(numac's own command line of the site without base, why there is none)"""
    run = numac.run(["import", trip.source, "--format", "json"])
    trip.told |= {one["code"] for one in json.loads(run.err)["findings"]}
    site = trip.folder / "bare.numa"
    site.write_text(run.out)
    if trip.is_newer:
        site = imports.with_versions(site)
    _, findings = numac.findings(["build", site, "-o", trip.folder / "bare", "--target", "qemu"])
    path = trip.folder / "bare" / f"{trip.names[0]}.argv"
    if path.exists():
        return path.read_text(), ""
    refused = sorted({one.code for one in findings if one.severity == "error"} or
                     {one.code for one in findings} & LIBVIRT_ALONE)
    if not refused:
        raise tap.Failure(f"{trip.title}: nothing is written for QEMU, and nothing says why: {site.read_text()}")
    return None, f"without its base {refusal(refused, 'refused by')}"


def args_say(numac, trip, engine, from_driver):
    """(difference lines, reason) against the command line that libvirt's own tests expect, or that its driver makes."""
    path = expected_argv(trip)
    text = path.read_text() if path else from_driver
    if not text or text.startswith("error:"):
        return [], "no command line"
    mounts = {"/dev/hugepages2M": 2 << 20, "/dev/hugepages1G": 1 << 30} if path else engine.mounts
    argv, reason = bare_argv(numac, trip)
    if reason:
        return [], reason
    try:
        theirs = argv_facts.facts(argv_facts.words_of_libvirt(text), mounts)
        ours = argv_facts.facts(argv_facts.words_of_file(argv), mounts)
    except argv_facts.FactError as unknown:
        return [], f"the command line has more than numac says: {unknown}"
    theirs["expanders"] = {number: bus for number, bus in theirs["expanders"].items() if bus["cell"] is not None}
    theirs, ours = (argv_facts.in_order_of_numac(libvirt_embed.comparable(one)) for one in (theirs, ours))
    return argv_facts.differences(theirs, ours, ("libvirt", "numac")), ""


def reason_of(trip, line):
    path = line.split(": ")[0]
    numbers = re.fullmatch(r".*: \w+ (\d+), \w+ (\d+)", line)
    for pattern, code, reason, is_true in REASONS:
        if re.fullmatch(pattern, path) and (code is None or code in trip.told) and \
                (is_true is always or (numbers and is_true(*map(int, numbers.groups())))):
            return f"{code}: {reason}" if code else reason
    return None


def explained(trip, lines):
    """The reasons of the differences, and the lines that have none."""
    reasons = [reason_of(trip, line) for line in lines]
    return sorted({one for one in reasons if one}), [line for line, one in zip(lines, reasons) if not one]


# ---- bytes -----------------------------------------------------------------------------------------------------

OWNED = {
    "": ("uuid", "maxMemory", "memory", "currentMemory", "vcpu", "vcpus", "iothreads", "numatune"),
    "memtune": ("hard_limit",), "iothreadids": ("iothread",),
    "memoryBacking": ("hugepages", "nosharepages", "locked", "source", "access", "allocation", "discard"),
    "cputune": ("vcpupin", "emulatorpin", "iothreadpin", "vcpusched", "emulatorsched", "iothreadsched", "cachetune",
                "memorytune"), "cpu": ("topology",), "cpu/numa": ("cell", "interconnects"),
}
OWNED_PATHS = {"/".join(filter(None, ("domain", parent, name))) for parent, names in OWNED.items() for name in names}
CONTAINERS = "memtune|iothreadids|memoryBacking|cputune|cpu|numa"


def without_empty(data):
    """An element that holds numac's alone may open, close and go: what it holds of blanks goes with it."""
    names = CONTAINERS.encode()
    data = re.sub(rb"<(" + names + rb")((?:\s[^<>]*?)?)\s*/>", rb"<\1\2></\1>", data)
    while True:
        shorter = re.sub(rb"(<(" + names + rb")(?:\s[^<>]*)?>)\s+(</\2>)", rb"\1\3", data)
        shorter = re.sub(rb"\s*<(" + names + rb")></\1>", b"", shorter)
        if shorter == data:
            return data
        data = shorter


def unowned(data):
    """The bytes of a domain without the elements that numac owns and the blanks before each: all others as they are."""
    parser = expat.ParserCreate()
    path, cut, spans = [], [], []

    def start(name, _):
        path.append(name)
        if not cut and "/".join(path) in OWNED_PATHS:
            cut.append((len(path), parser.CurrentByteIndex))

    def end(_):
        if cut and cut[0][0] == len(path):
            begin = cut.pop()[1]
            tag = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""").match(data, begin)
            closes_itself = tag.group().endswith(b"/>")
            close = tag.end() if closes_itself else data.index(b">", parser.CurrentByteIndex) + 1
            spans.append((len(data[:begin].rstrip()), close))
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    kept, at = [], 0
    for begin, close in spans:
        kept.append(data[at:begin])
        at = close
    return without_empty(b"".join([*kept, data[at:]]))


SAMPLE = b"""<domain type='kvm'> <name>a</name>
  <memory>1</memory><!-- mine -->
  <cpu mode='x'><topology a='1'/></cpu><devices>\n <disk  type="file"/>\n</devices>
</domain>"""
CHANGES = [(b"<memory>1</memory>", b"<memory unit='KiB'>2</memory>", True), (b" a='1'", b"", True),
           (b"<topology a='1'/>", b"\n    ", True), (b"\n  <memory>1</memory>", b"", True),
           (b"<topology", b"<numa><cell/></numa><topology", True), (b"mode='x'", b"mode='y'", False),
           (b"<disk  type", b"<disk type", False), (b'"file"', b"'file'", False), (b"\n <disk", b"<disk", False),
           (b"<!-- mine -->", b"", False), (b"<name>a", b"<name> a", False), (b"</domain>", b"</domain>\n", False)]


def bytes_are_seen():
    """What is numac's may change, and no other byte."""
    for before, after, is_numacs in CHANGES:
        if SAMPLE.count(before) != 1 or (unowned(SAMPLE) == unowned(SAMPLE.replace(before, after))) != is_numacs:
            raise tap.Failure(f"{after} instead of {before}: {unowned(SAMPLE.replace(before, after))}")


def bytes_stay(trip):
    for base, built in trip.pairs():
        before, after = unowned(base.read_bytes()), unowned(built.read_bytes())
        if before != after:
            at = next((i for i, (one, other) in enumerate(zip(before, after)) if one != other),
                      min(len(before), len(after)))
            begin = max(at - 60, 0)
            raise tap.Failure(f"bytes that numac does not own differ: '{before[begin:at + 60].decode()}' and "
                              f"'{after[begin:at + 60].decode()}'")


# ---- the short form --------------------------------------------------------------------------------------------

def short_is_long(numac, trip):
    """The plan of the site as imported is that of the site with nothing folded, with its base and without, in both
    notations."""
    bases = sorted((trip.folder / "in").glob("*.xml"))
    long = imports.plan_of(numac, trip.folder, "long", imports.in_full(numac, "bases", trip.source), bases)
    bare = imports.plan_of(numac, trip.folder, "long-bare", imports.in_full(numac, "bare", trip.source))
    yaml = numac.run(["import", "--to", "yaml", trip.source]).out
    for name, text, beside, wanted in (("short", trip.site.read_text(), bases, long),
                                       ("short-bare", numac.run(["import", trip.source]).out, (), bare),
                                       ("yaml", yaml, (), bare)):
        plan = imports.plan_of(numac, trip.folder, name, text, beside)
        if plan != wanted:
            raise tap.Failure(f"the {name} site has another plan than the long one: {plan}\n{wanted}\n{text}")
    if numac.run(["fmt", "--check", trip.site]).status:
        raise tap.Failure("fmt would lay the site out otherwise")


# ---- what is said of each file ---------------------------------------------------------------------------------

@dataclass
class Verdict:
    import_: str = ""
    parser: str = ""
    driver: str = ""
    args: str = ""
    made: str = ""  # by libvirt's driver, of the original
    wrong: list[str] = field(default_factory=list)


def column(trip, verdict, name, lines, reason):
    reasons, left = explained(trip, lines)
    verdict.wrong += [f"{name}: {line}" for line in left]
    setattr(verdict, name, reason or ("differs" if left else "; ".join(reasons) if reasons else "same"))


def refusal(codes, by):
    return "; ".join(f"{by} {code}: {TITLES[code]}" for code in codes)


def judge(numac, engine, trip, told):
    verdict = Verdict()
    if trip.refused or trip.unchecked:
        verdict.import_ = refusal(trip.refused, "refused by") or refusal(trip.unchecked, "its site is refused by")
        return verdict
    verdict.import_ = imports.NEWER if trip.is_newer else "imported"
    lines = parser_says(trip)
    if lines is None:
        verdict.parser = "libvirt refuses the original"
    elif any(word in line for line in lines for word in DEVICES) and "NM1235" in trip.told:
        verdict.parser = "NM1235: memory devices stay in the base, their sum is left to QEMU's driver"
    else:
        column(trip, verdict, "parser", lines, "")
    if engine:
        column(trip, verdict, "driver", *driver_says(engine, *told))
        verdict.made = "" if told[0].startswith("error:") else told[0]
    column(trip, verdict, "args", *args_say(numac, trip, engine, told[0] if engine else ""))
    return verdict


# ---- the page --------------------------------------------------------------------------------------------------

HEAD = """# Import, proven

`numac import` over each domain XML of `tests/domains` and of a corpus of libvirt's own tests and of guests from the
field: imported, checked, built over the same base. This table is written by `tests/import.py --write`; the suite fails
where it is not true.

| column | what was compared |
| --- | --- |
| parser | the guest that libvirt's parser finds in the original and in what was built (`test:///default`) |
| command line | what libvirt's QEMU driver makes of both |
| expected | the command line that libvirt's tests expect, else that of its driver, and that of numac for the site without its base |

"same" is said where nothing differs. A difference stands with its reason, and the finding by which numac told it. What
needs programs newer than those of Debian 12 is built with their versions in the site.

| file | import | parser | command line | expected |
| --- | --- | --- | --- | --- |
"""


def page(trips, verdicts, table):
    rows = [f"| {trip.title} | {verdict.import_} | {verdict.parser or '-'} | {verdict.driver or '-'} | "
            f"{verdict.args or '-'} |\n" for trip, verdict in zip(trips, verdicts)]
    return HEAD + "".join(rows) + table


def page_is_true(wanted):
    found = PAGE.read_text() if PAGE.exists() else ""
    if wanted != found:
        wrong = sorted(set(wanted.split("\n")) ^ set(found.split("\n")))
        raise tap.Failure("\n".join([f"run tests/import.py --write; {PAGE.relative_to(ROOT)} differs in", *wrong]))


# ---- the suite -------------------------------------------------------------------------------------------------

def unfit():
    return None if shutil.which("virsh") else "virsh is not installed (libvirt-clients)"


def fail_with(lines):
    if lines:
        raise tap.Failure("\n".join(lines))


def tests_of(numac, engine, scratch, sources):
    trips = [travel(numac, source, pathlib.Path(scratch, f"{source.parent.name}-{source.stem}")) for source in sources]
    texts = [path.read_text() for trip in trips for pair in trip.pairs()[:1] for path in pair]
    told = iter(engine.compile(texts) if engine else texts)
    verdicts = [judge(numac, engine, trip, (next(told), next(told)) if trip.names else None) for trip in trips]
    tests = []
    for trip, verdict in zip(trips, verdicts):
        tests.append(tap.Test(f"{trip.title}: the same guest", lambda verdict=verdict: fail_with(verdict.wrong)))
        if not trip.refused:
            tests.append(tap.Test(f"{trip.title}: short", lambda trip=trip: short_is_long(numac, trip)))
        if trip.names:
            tests.append(tap.Test(f"{trip.title}: bytes", lambda trip=trip: bytes_stay(trip)))
        if verdict.made:
            tests.append(tap.Test(f"{trip.title}: argv", lambda trip=trip, verdict=verdict:
                                  argv_of_driver(numac, engine, trip, verdict)))
    return trips, verdicts, tests


def argv_of_driver(numac, engine, trip, verdict):
    """The command line that libvirt's driver makes, imported by itself; its site may be refused as that of the XML is."""
    text = verdict.made
    for place, page_bytes in engine.mounts.items():
        text = text.replace(place, import_argv.MOUNT_OF[page_bytes])
    path = trip.folder / f"{trip.source.stem}.args"
    path.write_text(text)
    imported, _, left = import_argv.verdict(numac, path, trip.folder / "argv", refusal)
    codes = re.findall(r"NM\d{4}", imported) if "refused" in imported else []
    if codes == ["NM0702"] and "NM1234" in trip.told:
        return "huge pages of the host's default size, which the driver found larger"
    fail_with([imported] if any(code not in verdict.args for code in codes) else left)


def random_trip(numac, scratch, seed):
    """A guest made at random: libvirt finds it again, and the short site has the plan of the long one."""
    source = pathlib.Path(scratch, f"random-{seed}.xml")
    source.write_text(imports.random_guest(seed))
    trip = travel(numac, source, pathlib.Path(scratch, f"random-{seed}"))
    short_is_long(numac, trip)
    if trip.unchecked:
        return f"its site is refused by {', '.join(trip.unchecked)}"
    bytes_stay(trip)
    if not unfit():
        lines = parser_says(trip)
        fail_with(["libvirt refuses the original"] if lines is None else explained(trip, lines)[1])
    return None


def run(numac, engine, write):
    with tempfile.TemporaryDirectory(prefix="numac-import-") as scratch:
        tests = [tap.Test("bytes: sees what differs", bytes_are_seen), *imports.collect(numac), *import_argv.collect(numac)]
        tests += import_argv.own(numac, pathlib.Path(scratch), RANDOM_PLANS)
        tests += [tap.Test(f"random guest {seed}", lambda seed=seed: random_trip(numac, scratch, seed))
                  for seed in range(RANDOM_GUESTS)]
        if unfit():
            return tap.run([*tests, tap.Test("domains", lambda: skip(unfit()))])
        own, corpus = sorted(OWN.glob("*.xml")), sorted(CORPUS.glob("*/*.xml"))
        trips, verdicts, more = tests_of(numac, engine, scratch, [*own, *corpus])
        if not corpus:
            return tap.run([*tests, *more, tap.Test("corpus", lambda: skip(f"no domains in {CORPUS.name} (NUMAC_CORPUS)"))])
        table, of_argv = import_argv.corpus(numac, scratch, sorted(CORPUS.glob("*/*.args")), refusal)
        wanted = page(trips, verdicts, table)
        if write:
            PAGE.write_text(wanted)
        of_page = (lambda: page_is_true(wanted)) if engine else (lambda: skip(libvirt_embed.unfit()))
        return tap.run([*tests, *more, *of_argv, tap.Test("docs/import.md", of_page)])


def skip(reason):
    raise tap.Skip(reason)


def main():
    parser = argparse.ArgumentParser(description="imports beside their originals, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--write", action="store_true", help="write docs/import.md")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    has_engine = not libvirt_embed.unfit()
    if has_engine and not options.inside:
        words = [sys.executable, __file__, "--inside", "--numac", str(options.numac), *["--write"] * options.write]
        os.execvp("unshare", ["unshare", "--mount", *words])
    if not has_engine:
        return run(Numac(options.numac), None, options.write)
    with tempfile.TemporaryDirectory(prefix="nl") as folder:
        engine = libvirt_embed.Engine(folder)
        try:
            return run(Numac(options.numac), engine, options.write)
        finally:
            engine.close()


if __name__ == "__main__":
    sys.exit(main())
