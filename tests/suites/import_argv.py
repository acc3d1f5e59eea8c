# SPDX-License-Identifier: MIT
#
# The import of command lines: those that libvirt's tests expect, and numac's own for all examples and cases, imported
# and built again, must say the same of NUMA; however a command line is spelt, its site is the same; and what hostile
# or broken ones do.

import itertools
import json
import pathlib
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass, field

from harness import built, tap
from oracles import argv_facts, libvirt_embed
from suites import imports

MOUNTS = {"/dev/hugepages2M": 2 << 20, "/dev/hugepages1G": 1 << 30}
MOUNT_OF = {page_bytes: place for place, page_bytes in MOUNTS.items()}

# what may differ, the finding that must have told it, what to call it
REASONS = [
    (r"expanders\..*", "NM1279", "told as not carried"),
    (r"((cells\[|memory_devices\[|cxl\.)\d+\]?\.memory|only)\.context", "NM1284", "thread contexts, which need a host"),
    (r"memory_devices\[\d+\]\.memory\.context", "NM1279", "thread contexts elsewhere than the memory"),
    (r"gic", "NM1279", "version 2 of the GIC"),
    (r"remapping\..*", "NM1280", "an IOMMU, left out"),
]


@dataclass
class Round:
    """A command line, imported and built again.  What is newer than Debian 12 is built with versions in its site."""
    title: str
    is_newer: bool = False
    refused: list[str] = field(default_factory=list)  # codes
    unbuilt: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    site: str = ""
    argv: str = ""  # of the first guest


def go_round(numac, source, folder, title):
    found = Round(title)
    run, findings = numac.findings(["import", source, "-o", folder / "in"])
    found.told = {one.code for one in findings}
    found.refused = sorted({one.code for one in findings if one.severity == "error"})
    if found.refused:
        if run.status == 0 or (folder / "in").exists():
            raise tap.Failure(f"{title} is refused, yet there is output: {run.told()}")
        return found
    found.site = (folder / "in" / "site.numa").read_text()
    if sorted(path.name for path in (folder / "in").iterdir()) != ["site.numa"]:
        raise tap.Failure(f"{title}: more than a site in the folder")
    if numac.run(["fmt", "--check", folder / "in" / "site.numa"]).status:
        raise tap.Failure(f"{title}: fmt would lay the site out otherwise:\n{found.site}")
    found.unbuilt = imports.errors_of_build(numac, folder / "in" / "site.numa", folder / "out", "qemu")
    if found.unbuilt == ["NM1041"]:
        found.is_newer = True
        found.unbuilt = imports.errors_of_build(numac, imports.with_versions(folder / "in" / "site.numa"),
                                                folder / "out", "qemu")
    if not found.unbuilt:
        found.argv = next((folder / "out").glob("*.argv")).read_text()
    return found


def explained(found, lines):
    """The reasons of the differences, and the lines that have none."""
    reasons, left = [], []
    for line in lines:
        path = line.split(": ")[0]
        fits = [f"{code}: {reason}" for pattern, code, reason in REASONS
                if re.fullmatch(pattern, path) and code in found.told]
        reasons += fits[:1]
        left += [] if fits else [line]
    return sorted(set(reasons)), left


def one_by_one(facts):
    """Values of an HMAT for both accesses are one for each: numac splits them where a table has some of each kind.
    Devices stand on a bus; its ports are taken in their order, which plans made at random do not do."""
    def each(row):
        kinds = [row[4].replace("access", one) for one in ("read", "write")] if row[0] == "hmat-lb" else []
        return [(*row[:4], kind, row[5]) for kind in kinds] if kinds and "access" in row[4] else [row]
    buses = {address: place[0] if isinstance(place, tuple) else place for address, place in facts["devices"].items()}
    return argv_facts.in_order_of_numac(facts) | {"hmat": sorted(one for row in facts["hmat"] for one in each(row)), "devices": buses}


def differences(found, words, own=False):
    theirs = one_by_one(argv_facts.facts(words, MOUNTS))
    ours = one_by_one(argv_facts.facts(argv_facts.words_of_file(found.argv), MOUNTS))
    if not own:
        theirs, ours = libvirt_embed.comparable(theirs), libvirt_embed.comparable(ours)
    return argv_facts.differences(theirs, ours, ("original", "built"))


# ---- what libvirt's tests expect ---------------------------------------------------------------------------------

HEAD = """
## Command lines

Each command line that these tests of libvirt expect, imported by itself, and the one that numac makes of its site.

| file | import | of NUMA |
| --- | --- | --- |
"""


def verdict(numac, source, folder, refusal):
    """(import, of NUMA, lines that nothing explains)"""
    folder.mkdir()
    found = go_round(numac, source, folder, source.name)
    if found.refused or found.unbuilt:
        return refusal(found.refused, "refused by") or refusal(found.unbuilt, "its site is refused by"), "-", []
    words = argv_facts.words_of_libvirt(source.read_text())
    reasons, left = explained(found, differences(found, words))
    imported = imports.NEWER if found.is_newer else "imported"
    return imported, "differs" if left else "; ".join(reasons) or "same", left


def corpus(numac, scratch, sources, refusal):
    """(table, tests)"""
    verdicts = [verdict(numac, source, pathlib.Path(scratch, f"{source.stem}.args"), refusal) for source in sources]
    titles = [source.name.removesuffix(".args") for source in sources]
    rows = [f"| {title} | {imported} | {numa} |\n" for title, (imported, numa, _) in zip(titles, verdicts)]

    def judge(imported, left):
        if imported.startswith("refused"):
            raise tap.Failure(imported)
        if left:
            raise tap.Failure("\n".join(left))
        return None if imported.startswith("imported") else imported

    return HEAD + "".join(rows), [tap.Test(f"argv {title}", lambda one=one: judge(one[0], one[2]))
                                  for title, one in zip(titles, verdicts)]


# ---- numac's own -------------------------------------------------------------------------------------------------

def as_json(text):
    """An object as libvirt writes it."""
    told = argv_facts.properties(text, "qom-type")
    for key, value in told.items():
        if key in argv_facts.LISTS:
            told[key] = argv_facts.ids(value)
        elif key in argv_facts.BOOLEANS:
            told[key] = value == "on"
        elif value.isdigit() and key != "id":
            told[key] = int(value)
    return json.dumps(told)


def spellings(words):
    """One command line in other letters: (what, bytes)."""
    objects = [as_json(word) if before == "-object" else word for before, word in zip(["", *words], words)]
    yield "a line", shlex.join(words).encode()
    yield "lines joined by backslashes", (" \\\n".join(["A=b", "C='d e'", *map(shlex.quote, words)]) + "\n").encode()
    yield "the words of a process", b"".join(word.encode() + b"\0" for word in words)
    yield "JSON", shlex.join(objects).encode()
    yield "JSON as ps prints it", " ".join(word if word.startswith("{") else shlex.quote(word) for word in objects).encode()
    yield "double quotes", " ".join('"' + re.sub(r'([$`"\\])', r"\\\1", word) + '"' for word in words).encode()
    yield "Windows line ends", "\r\n".join(map(shlex.quote, words)).encode()


def short_is_long(numac, source, folder, site):
    """The plan of the site as imported is that of the site with nothing folded, in both notations."""
    long = imports.plan_of(numac, folder, "long", imports.in_full(numac, "bare", source))
    yaml = numac.run(["import", "--to", "yaml", source]).out
    for name, text in (("short", site), ("yaml", yaml)):
        plan = imports.plan_of(numac, folder, name, text)
        if plan != long:
            raise tap.Failure(f"the {name} site has another plan than the long one: {plan}\n{long}\n{text}")


def fail_refused(found, guest):
    if guest.site == "random" and found.unbuilt == ["NM0916"]:
        raise tap.Skip("a plan made at random locks memory beside virtio-mem, which no site may")
    if found.refused or found.unbuilt:
        raise tap.Failure(f"refused by {found.refused}{found.unbuilt}:\n{found.site}")


def own_round(numac, guest):
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        folder = pathlib.Path(scratch)
        found = go_round(numac, guest.argv, folder, guest.title)
        fail_refused(found, guest)
        surprises = found.told - {"NM1280", "NM1284"}
        if surprises:
            raise tap.Failure(f"told {sorted(surprises)} of a command line that numac wrote")
        words = argv_facts.words_of_file(guest.argv.read_text())
        _, left = explained(found, differences(found, words, own=True))
        if left:
            raise tap.Failure("\n".join([*left, found.site]))
        for what, text in spellings(words):
            (folder / "other").write_bytes(text)
            run = numac.run(["import", folder / "other"])
            if run.out != found.site:
                raise tap.Failure(f"{what} gives another site: {run.told()}\n{found.site}\n{text}")
        short_is_long(numac, guest.argv, folder, found.site)


def script_round(numac, guest):
    """GUEST.sh runs taskset and QEMU: the same, but for the CPUs of taskset."""
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        folder = pathlib.Path(scratch)
        script = guest.argv.with_suffix(".sh")
        found = go_round(numac, script, folder, guest.title)
        fail_refused(found, guest)
        if ("taskset -c" in script.read_text()) != ("\n    cpus " in found.site):
            raise tap.Failure(f"the CPUs of taskset are lost:\n{found.site}")
        words = argv_facts.words_of_file(guest.argv.read_text())
        _, left = explained(found, differences(found, words, own=True))
        if left:
            raise tap.Failure("\n".join([*left, found.site]))


WRONG = [("policy=bind", "policy=preferred"), ("host-nodes=", "host-nodes=60,host-nodes="), ("cores=", "dies=2,cores="),
         ("hugetlb=on", "hugetlb=off"), ("share=off", "share=on"), ("val=", "val=2"), ("size=", "size=1"),
         ("prealloc=on", "prealloc=off"), ("mem-lock=on", "mem-lock=off"), ("latency=", "latency=1"), ("maxmem=", "maxmem=9"),
         ("label-size=", "label-size=1"), ("requested-size=", "requested-size=1"), ("unarmed=on", "unarmed=off"),
         (",slot=", ",slot=1"), ("memaddr=", "memaddr=1"), ("-epc,", "-ram,"), ("cxl-fmw.0.size=", "cxl-fmw.0.size=1")]


def wrong_is_seen(numac, guests):
    """The comparison says no where a command line is another than the one that was imported."""
    seen = set()
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        for number, guest in enumerate(guest for guest in guests if guest.argv):
            words = argv_facts.words_of_file(guest.argv.read_text())
            fits = [pair for pair in WRONG if pair not in seen and any(pair[0] in word for word in words)]
            if not fits:
                continue
            found = go_round(numac, guest.argv, pathlib.Path(scratch, str(number)), guest.title)
            for right, wrong in fits:
                seen.add((right, wrong))
                try:
                    _, left = explained(found, differences(found, [word.replace(right, wrong) for word in words], True))
                except argv_facts.FactError:
                    continue
                if not left:
                    raise tap.Failure(f"{guest.title}: not seen: {wrong} instead of {right}")
    if len(seen) < len(WRONG):
        raise tap.Failure(f"nothing was tried of {sorted(set(WRONG) - seen)}")


def split_accesses(text):
    return re.sub(r"( *<(?:latency|bandwidth) .*type=)'access'(.*\n)", r"\1'read'\2\1'write'\2", text)


def xml_round(numac, guest):
    """numac's own XML, imported and built over itself, is the same XML."""
    with tempfile.TemporaryDirectory(prefix="numac-xml-") as scratch:
        folder = pathlib.Path(scratch)
        run, findings = numac.findings(["import", guest.xml, "-o", folder / "in"])
        errors = [one.code for one in findings if one.severity == "error"]
        if errors:
            raise tap.Failure(f"refused by {errors}: {run.told()}")
        site = folder / "in" / "site.numa"
        run, findings = numac.findings(["build", site, "-o", folder / "out", "--target", "libvirt"])
        errors = {one.code for one in findings if one.severity == "error"}
        if errors <= {"NM1041"} and errors:
            raise tap.Skip("without its host nobody knows that libvirt is new enough")
        if guest.site == "random" and errors == {"NM0916"}:
            raise tap.Skip("a plan made at random locks memory beside virtio-mem, which no site may")
        if errors:
            raise tap.Failure(f"its site is refused by {sorted(errors)}: {run.told()}")
        before, after = guest.xml.read_text(), (folder / "out" / f"{guest.plan['name']}.xml").read_text()
        if before != after and (guest.site != "random" or split_accesses(before) != split_accesses(after)):
            raise tap.Failure(f"another XML:\n{before}\n{after}\n{site.read_text()}")


def own(numac, scratch, count):
    guests, broken = built.guests(numac, scratch, count)
    tests = [tap.Test("all sites build", lambda: built.fail_broken(broken)),
             tap.Test("own argv: sees what is wrong", lambda: wrong_is_seen(numac, guests))]
    tests += [tap.Test(f"own argv {one.title}", lambda one=one: own_round(numac, one)) for one in guests if one.argv]
    tests += [tap.Test(f"own script {one.title}", lambda one=one: script_round(numac, one)) for one in guests
              if one.argv and one.argv.with_suffix(".sh").exists()]
    return tests + [tap.Test(f"own XML {one.title}", lambda one=one: xml_round(numac, one)) for one in guests if one.xml]


# ---- hostile and broken ------------------------------------------------------------------------------------------

QEMU = "qemu-system-x86_64 -name a "
MANY = 1 << 16

HOSTILE = [  # what it is, the text, the code of the error, or None
    ("a million quotes", QEMU + "'" * (1 << 20), None),
    ("a million quotes that do not end", QEMU + "'" * ((1 << 20) + 1), "NM1270"),
    ("a million words", QEMU + "a " * (1 << 20), "NM1272"),
    ("a million commands", "kvm\n" * MANY, None),
    ("a million brackets", QEMU + "-object '" + '{"a":' * (1 << 20) + "'", "NM1275"),
    ("a million lists", QEMU + "-object '{\"a\":" + "[" * (1 << 20) + "'", "NM1275"),
    ("a million properties", QEMU + "-machine " + ",".join(f"a{i}" for i in range(1 << 20)), "NM1272"),
    ("a million of one property", QEMU + "-numa node," + "cpus=0," * (1 << 20), "NM1272"),
    ("commas", QEMU + "-machine " + "," * (1 << 20), "NM1272"),
    ("many backends", QEMU + " ".join(f"-object memory-backend-ram,id=m{i},size=1G" for i in range(MANY // 2 - 2)), None),
    ("many contexts", QEMU + "-m 1G -machine memory-backend=m " +
     " ".join(f"-object thread-context,id=t{i},node-affinity=0" for i in range(MANY // 2 - 10)) +
     " -object memory-backend-ram,id=m,size=1G,host-nodes=0,policy=bind,prealloc=on,prealloc-context=t9", None),
    ("many buses", QEMU + " ".join(f"-device pxb-pcie,id=p{i},numa_node=0" for i in range(MANY // 2 - 2)), "NM1275"),
    ("many devices", QEMU + " ".join(f"-device vfio-pci,host=00:{i:02x}.0" for i in range(MANY // 2 - 2)), "NM1275"),
    ("many ports", QEMU + "-device pxb-pcie,id=p,numa_node=0 " + "-device pcie-root-port,bus=p " * (MANY // 2 - 4), None),
    ("many disks", QEMU + " ".join(f"-device virtio-blk,drive=d{i} -drive id=e{i}" for i in range(MANY // 4 - 2)), None),
    ("many cells", QEMU + " ".join("-numa node,cpus=0" for _ in range(MANY // 2 - 2)), "NM1277"),
    ("many distances", QEMU + "-m 128M " + " ".join(f"-numa node,mem={1 << 20}B" for i in range(128)) + " " +
     " ".join(f"-numa dist,src={i % 128},dst={i // 128 % 128},val=20" for i in range(MANY // 2 - 200)), None),
    ("many latencies", QEMU + "-machine hmat=on -numa node,mem=128 " +
     "-numa hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=5 " * (MANY // 2 - 10), "NM1275"),
    ("many I/O threads", QEMU + " ".join(f"-object iothread,id=i{i}" for i in range(MANY // 2 - 2)), "NM1272"),
    ("a long path", QEMU + "-kernel " + "a" * (1 << 17), "NM1272"),
    ("many features", QEMU + "-cpu host" + ",+a" * (1 << 18), "NM1275"),
    ("CPUs with many gaps", "taskset -c " + ",".join(map(str, range(0, 65536, 2))) + " " + QEMU, "NM1272"),
    ("vCPUs with many gaps", QEMU + "-smp 4096 -m 2G -numa node,mem=1G,cpus=" +
     ",cpus=".join(map(str, range(0, 4096, 2))) + " -numa node,mem=1G", None),
    ("many wrappers", "sudo " * (MANY - 10) + QEMU, None),
    ("many places", QEMU + "-smp 4096,threads=2 -numa node,mem=128 " +
     " ".join(f"-numa cpu,node-id=0,thread-id={i % 2}" for i in range(MANY // 2 - 20)), None),
    ("many vCPUs", QEMU + "-smp 1,maxcpus=4096 " +
     " ".join(f"-device host-x86_64-cpu,socket-id=0,core-id={i},thread-id=0" for i in range(4095, 0, -1)), None),
    ("too many vCPUs", QEMU + "-smp sockets=100,cores=100", "NM1272"),
    ("a mask of a million digits", "taskset " + "f" * (1 << 20) + " " + QEMU, "NM1275"),
    ("17 MiB", QEMU + "-append " + "a" * (17 << 20), "NM1272"),
    ("a name that leads out", "kvm -name ../../etc/passwd", "NM1263"),
    ("a name that steers a terminal", "kvm -name $'\\e[31m'".replace("$'\\e", "'\x1b"), "NM1263"),
    ("a NUL in XML", "<domain>\0</domain>", "NM0002"),
    ("not UTF-8", b"kvm\0-name\0\xff\0", "NM0002"),
    ("a foreign process", "/usr/bin/python3\0-c\0print('qemu-system-x86_64')\0", "NM1271"),
    ("an ELF file", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "NM1271"),
    ("a shell script", "#!/bin/sh\nfor i in 1 2 3; do echo $i; done\n", "NM1271"),
    ("a YAML file", "spec:\n  cpu: 3\n", "NM1271"),
]


def hostile(numac, row):
    _, content, code = row
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "bad.argv").write_bytes(content if isinstance(content, bytes) else content.encode())
        run, findings = numac.findings(["import", "-o", "out", "bad.argv"], folder)
        errors = {one.code for one in findings if one.severity == "error"}
        if errors != ({code} if code else set()):
            raise tap.Failure(f"wanted {code}, found {sorted(errors)}: {run.told()[:2000]}")
        if (folder / "out").exists() != (not code):
            raise tap.Failure(f"half an output, or none: {run.told()[:2000]}")


WHOLE = ("LC_ALL=C taskset -c 0-3 \\\n/usr/bin/qemu-system-x86_64 -name guest=a,debug-threads=on -m 2048 -smp 4,sockets=2 "
         "-object '{\"qom-type\":\"memory-backend-ram\",\"id\":\"m0\",\"size\":1073741824,\"host-nodes\":[0]}' "
         "-object memory-backend-ram,id=m1,size=1G -numa node,nodeid=0,cpus=0-1,memdev=m0 "
         "-numa \"node,nodeid=1,cpus=2-3,memdev=m1\" -numa dist,src=0,dst=1,val=21 -append \"a 'b' \\\"c\\\"\"\n")


def cut_short(numac):
    """A command line cut anywhere is told or taken, and never half an output."""
    texts = (WHOLE, "".join(word + "\0" for word in shlex.split(WHOLE.replace("\\\n", " "))))
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        folder = pathlib.Path(scratch)
        for text, end in itertools.chain.from_iterable(((text, end) for end in range(0, len(text), 3)) for text in texts):
            run, findings = numac.findings(["import", "-o", "out", "-"], folder, stdin=text[:end].encode())
            errors = {one.code for one in findings if one.severity == "error"}
            if errors - {f"NM{code}" for code in (1260, 1270, 1271, 1274, 1275, 1276, 1277, 1278)}:
                raise tap.Failure(f"cut at {end}: {sorted(errors)}, {run.told()}")
            if (folder / "out").exists() != (not errors):
                raise tap.Failure(f"cut at {end}: half an output, or none, {run.told()}")
            shutil.rmtree(folder / "out", ignore_errors=True)


def beside_xml(numac):
    """Command lines and XML in one site: bases for those that have one."""
    with tempfile.TemporaryDirectory(prefix="numac-argv-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "a.xml").write_text("<domain type='kvm'><name>x</name><memory unit='MiB'>512</memory><vcpu>2</vcpu></domain>")
        (folder / "b.args").write_text("kvm -name a -m 512")
        run = numac.run(["import", "-o", "out", "b.args", "a.xml"], folder)
        found = sorted(path.name for path in (folder / "out").iterdir()) if run.status == 0 else []
        site = (folder / "out" / "site.numa").read_text() if found else ""
        if found != ["site.numa", "x.xml"] or site.count("guest ") != 2 or site.count("base ") != 1:
            raise tap.Failure(f"{found} {site} {run.told()}")
        run = numac.run(["import", "b.args"], folder)
        if "NM1266" in run.err:
            raise tap.Failure(f"a command line lacks no base: {run.told()}")


def collect(numac):
    tests = [tap.Test(f"hostile argv: {row[0]}", lambda row=row: hostile(numac, row)) for row in HOSTILE]
    return tests + [tap.Test("argv cut short", lambda: cut_short(numac)),
                    tap.Test("argv beside XML", lambda: beside_xml(numac))]
