# SPDX-License-Identifier: MIT
#
# What is measured, against whom, and how much is allowed: one function a goal, one row or more of the table each.
# The numbers of the goals are those of docs/performance.md.

import importlib.util
import math
import pathlib
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass

import launch
from turns import Broken, Command, Progress, Ratio, folder_of, in_turn, output_of, paired

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = pathlib.Path("/usr/share/libvirt/schemas/domain.rng")
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class Row:
    goal: str  # "P1"
    what: str
    peer: str
    limit: float
    ratio: Ratio
    detail: str = ""  # where the decimal point is

    @property
    def reached(self):
        return self.ratio.middle <= self.limit


@dataclass(frozen=True)
class Skipped:
    goal: str
    what: str
    why: str


class Bench:
    """Programs, made-up sites and how often to measure."""

    def __init__(self, numac, peers, work, quick):
        self.numac = pathlib.Path(numac).resolve()
        self.peers = pathlib.Path(peers).resolve()
        self.work = folder_of(work).resolve()
        self.guests = 1000 if quick else 10000
        self.rounds, self.short_rounds = (3, 9) if quick else (9, 41)
        self.progress = Progress()

    def site(self, notation, guests):
        path = self.work / f"{guests}.{notation}"
        maker = HERE / "site.py"
        if not path.exists() or path.stat().st_mtime < maker.stat().st_mtime:
            self.progress.say(f"making a site of {guests} guests")
            output_of([maker, notation.removesuffix(".numa"), "-g", guests, "-o", path])
        return path

    def build(self, site, folder):
        return [self.numac, "build", "--target", "libvirt", "-o", folder, site]

    def built(self, site):
        """The folder of a site's XML files."""
        folder = self.work / f"{site.name}.xml"
        shutil.rmtree(folder, ignore_errors=True)
        output_of(self.build(site, folder))
        return folder

    def compare(self, goal, what, peer, limit, ours, theirs, rounds=None):
        us, them = in_turn([ours, theirs], rounds or self.rounds, self.progress, f"{goal} {what}")
        return Row(goal, what, peer, limit, paired(us.wall, them.wall),
                   f"{milliseconds(us.wall)} : {milliseconds(them.wall)} ms, CPU {ratio_of_cpu(us, them)}")


def milliseconds(seconds):
    middle = statistics.median(seconds) * 1000
    return f"{middle:.0f}" if middle >= 100 else f"{middle:.1f}"


def ratio_of_cpu(us, them):
    return f"{paired(us.cpu, them.cpu).middle:.2f}" if min(them.cpu) > 0 else "too short"


def has_module(name):
    return importlib.util.find_spec(name) is not None


# ---- large sites -------------------------------------------------------------------------------------------------------

def say_the_same(bench):
    """A stream that lacks guests, or depends on the notation, is not worth a time."""
    streams = [output_of(bench.build(bench.site(notation, bench.guests), "-")) for notation in ("yaml", "numa")]
    if streams[0] != streams[1] or streams[0].count(b"<domain ") != bench.guests:
        raise Broken("the streams of the two notations differ, or guests are missing")


def stream_of_yaml(bench):
    say_the_same(bench)
    site = bench.site("yaml", bench.guests)
    yield bench.compare("P1", f"build of {bench.guests} guests from YAML", "libyaml, bare events", 1.5,
                        Command(bench.build(site, "-")), Command([bench.peers / "yaml_events", site]))


def stream_of_numa(bench):
    say_the_same(bench)
    numa, yaml = bench.site("numa", bench.guests), bench.site("yaml", bench.guests)
    ours = Command(bench.build(numa, "-"))
    yield bench.compare("P2", f"build of {bench.guests} guests from .numa", "flex and bison, no actions", 3.0, ours,
                        Command([bench.peers / "forms", numa]))
    yield bench.compare("P2", "the same", "numac itself, from YAML", 1.0, ours, Command(bench.build(yaml, "-")))


def templates_and_virt_install(bench):
    site, what = bench.site("yaml", bench.guests), f"build of {bench.guests} guests from YAML"
    if has_module("jinja2") and has_module("yaml"):
        yield bench.compare("P3", what, "PyYAML and Jinja2", 1 / 25, Command(bench.build(site, "-")),
                            Command([sys.executable, HERE / "peers" / "templates.py", site]))
    else:
        yield Skipped("P3", what, "python3-yaml or python3-jinja2 is not installed")
    if shutil.which("virt-install"):
        yield bench.compare("P3", "build of one guest", "virt-install --print-xml", 1 / 30,
                            Command(bench.build(bench.site("numa", 1), "-")), Command(virt_install()))
    else:
        yield Skipped("P3", "build of one guest", "virtinst is not installed")


def virt_install():
    cells = ",".join(f"numa.cell{cell}.{key}={value}" for cell in range(4)
                     for key, value in (("id", cell), ("cpus", f"{cell * 4}-{cell * 4 + 3}"), ("memory", 4 * MIB)))
    return ["virt-install", "--connect", "test:///default", "--print-xml", "--dry-run", "--name", "guest-00000",
            "--memory", "16384", "--vcpus", "16", "--cpu", f"host-passthrough,{cells}",
            "--numatune", ",".join(f"memnode{cell}.cellid={cell},memnode{cell}.nodeset={cell},memnode{cell}.mode=strict"
                                   for cell in range(4)),
            "--cputune", ",".join(f"vcpupin{cpu}.vcpu={cpu},vcpupin{cpu}.cpuset={cpu}" for cpu in range(16)),
            "--memorybacking", "hugepages.page0.size=2048,hugepages.page0.unit=KiB", "--disk", "none", "--import",
            "--network", "none", "--graphics", "none", "--osinfo", "detect=off,require=off"]


def peak_of(bench, words):
    done = subprocess.run([bench.peers / "peak", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Broken(f"peak: status {done.returncode}")
    return int(done.stderr.split()[-1])


def peak_memory(bench):
    for notation in ("yaml", "numa"):
        site = bench.site(notation, bench.guests)
        allowed = site.stat().st_size + 8 * MIB + bench.guests * 4 * KIB
        peaks = [peak_of(bench, bench.build(site, "-")) for _ in range(3)]
        yield Row("P7", f"peak memory, {bench.guests} guests from {notation}", "file + 8 MiB + 4 KiB a guest", 1.0,
                  Ratio.of([peak / allowed for peak in peaks]), f"{max(peaks) / MIB:.0f} : {allowed / MIB:.0f} MiB")


def growth(bench):
    """The power of the number of guests that the time grows with, without what the start costs."""
    few, many = 1000, bench.guests * 10
    for notation in ("yaml", "numa"):
        commands = [Command(bench.build(bench.site(notation, guests), "-")) for guests in (1, few, many)]
        one, small, large = in_turn(commands, bench.rounds, bench.progress, f"P8 growth, {notation}")
        start = statistics.median(one.wall)
        powers = [math.log((b - start) / (a - start)) / math.log(many / few) for a, b in zip(small.wall, large.wall)]
        yield Row("P8", f"growth from {few} to {many} guests, {notation}", "exponent", 1.10, Ratio.of(powers),
                  f"{milliseconds(small.wall)} and {milliseconds(large.wall)} ms")


# ---- short runs --------------------------------------------------------------------------------------------------------

def check_of_one(bench):
    what = "check of one guest, live host"
    site = bench.site("live.numa", 1)
    if not shutil.which("virt-xml-validate"):
        yield Skipped("P4", what, "libvirt-clients is not installed")
        return
    (domain,) = bench.built(site).glob("*.xml")
    yield bench.compare("P4", what, "virt-xml-validate", 0.5, Command([bench.numac, "check", site]),
                        Command(["virt-xml-validate", domain]), bench.short_rounds)


def check_of_many(bench):
    what = "check of 1000 guests from YAML"
    site = bench.site("yaml", 1000)
    if not shutil.which("xmllint") or not SCHEMA.exists():
        yield Skipped("P5", what, "libxml2-utils or the schemas of libvirt are not installed")
        return
    domains = sorted(bench.built(site).glob("*.xml"))
    yield bench.compare("P5", what, "one xmllint --relaxng of their XML", 0.2, Command([bench.numac, "check", site]),
                        Command(["xmllint", "--noout", "--relaxng", SCHEMA, *domains]))


def start(bench):
    if b"libvirt" in output_of(["ldd", bench.numac]):
        raise Broken("numac is linked to libvirt")
    yield bench.compare("P6", "numac --version, libvirt not linked", "empty C program", 2.0,
                        Command([bench.numac, "--version"]), Command([bench.peers / "nop"]), bench.short_rounds)


def hosts(bench):
    program, large = bench.peers / "host_load", bench.work / "1024.xml"
    output_of([program, "--make", large])
    for source, what in (("live", "load of the live host"), (large, "load of hwloc XML, 1024 CPUs")):
        bench.progress.say(f"P13 {what}")
        lines = output_of([program, source, bench.short_rounds]).splitlines()
        ours, peer = zip(*([int(word) / 1e9 for word in line.split()] for line in lines))
        yield Row("P13", what, "hwloc_topology_load, least filters", 1.2, paired(ours, peer),
                  f"{milliseconds(ours)} : {milliseconds(peer)} ms")


# ---- folders -----------------------------------------------------------------------------------------------------------

def list_files(folder, path):
    """What the plain writer is to write: the same names and sizes."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    path.write_text("".join(f"{file.name} {file.stat().st_size}\n" for file in files), encoding="utf-8")


def rebuild(bench):
    site = bench.site("yaml", bench.guests)
    ours, plain, names = bench.work / "ours", bench.work / "plain", bench.work / "names"
    list_files(bench.built(site), names)

    def settle():
        output_of(["sync", "-f", bench.work])  # what one side has written is not waited for by the other

    def clear():
        for folder in (ours, plain):
            shutil.rmtree(folder, ignore_errors=True)
        settle()

    build, write = bench.build(site, ours), [bench.peers / "write_files", plain]
    first, first_plain, again, again_plain = in_turn(
        [Command(build, prepare=clear), Command(write, names, prepare=settle), Command(build, prepare=settle),
         Command(write, names, prepare=settle)], bench.rounds, bench.progress, "P18 rebuild")
    clear()
    for what, us, them, limit in (("rebuild, nothing changed", again, again_plain, 0.5),
                                  ("first build", first, first_plain, 1.3)):
        peer = "writing them over" if limit < 1 else "writing them plainly"
        yield Row("P18", f"{what}, {bench.guests} files", peer, limit, paired(us.wall, them.wall),
                  f"{milliseconds(us.wall)} : {milliseconds(them.wall)} ms, CPU {ratio_of_cpu(us, them)}")


LAUNCHES = {}  # made when first asked for, since its goals share what they measured


def launching(goal):
    def measure(bench):
        if not LAUNCHES:
            LAUNCHES.update(launch.rows_of(bench, Row, Skipped))
        yield from LAUNCHES[goal]()
    return measure


GOALS = {"P1": stream_of_yaml, "P2": stream_of_numa, "P3": templates_and_virt_install, "P4": check_of_one,
         "P5": check_of_many, "P6": start, "P7": peak_memory, "P8": growth, "P13": hosts, "P18": rebuild,
         **{goal: launching(goal) for goal in ("P14", "P15", "P16", "P17", "P19")}}
