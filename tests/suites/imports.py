# SPDX-License-Identifier: MIT
#
# The import as people meet it on the command line: what hostile files do to it, what stands in the folder afterwards,
# and guests made at random, whose short site must have the plan of the long one.  Needs no corpus.

import functools
import json
import pathlib
import random
import shutil
import subprocess
import tempfile

from harness.tap import Failure, Skip, Test

GUEST = "<domain type='kvm'><name>{}</name><memory unit='MiB'>512</memory><vcpu>2</vcpu></domain>"


def want(condition, *told):
    if not condition:
        raise Failure("\n".join(str(one.told() if hasattr(one, "told") else one) for one in told))


def in_folder(test):
    @functools.wraps(test)
    def run(numac):
        with tempfile.TemporaryDirectory(prefix="numac-import-") as folder:
            return test(numac, pathlib.Path(folder))
    return run


# ---- hostile files -----------------------------------------------------------------------------------------------

def deep(levels):
    return "<domain><name>a</name>" + "<x>" * levels + "</x>" * levels + "</domain>"


BOMB = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {two} '{f'&{one};' * 10}'>" for one, two in zip("abcdefgh", "bcdefghi")) + "]>" + GUEST.format("&i;")

HOSTILE = [  # what it is, the bytes, the code of the finding
    ("a bomb of entities", BOMB, "NM1223"),
    ("an external entity", "<!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + GUEST.format("&a;"), "NM1223"),
    ("an external document type", "<!DOCTYPE d SYSTEM 'http://127.0.0.1:1/d.dtd'>" + GUEST.format("a"), "NM1223"),
    ("a document type in a list", "<domains><!DOCTYPE d>" + GUEST.format("a") + "</domains>", "NM1223"),
    ("an entity that nobody declared", GUEST.format("&passwd;"), "NM1221"),
    ("an include", "<domain xmlns:xi='http://www.w3.org/2001/XInclude'><name><xi:include href='/etc/passwd'/></name>"
     "<memory>1</memory></domain>", "NM1263"),
    ("elements a million deep", deep(1 << 20), "NM1226"),
    ("a million attributes", "<domain " + " ".join(f"a{i}=''" for i in range(1 << 20)) + "/>", "NM1226"),
    ("a million open tags", "<domain>" * (1 << 20), "NM1226"),
    ("a million quotes", "<domain a='" * (1 << 20), "NM1262"),
    ("a million comments that do not end", "<!-- " * (1 << 20), "NM1262"),
    ("a long list of nothing", "<domains>" + "<x/>" * (1 << 20) + "</domains>", "NM1260"),
    ("another encoding", "<?xml version='1.0' encoding='ISO-8859-1'?>" + GUEST.format("a"), "NM1222"),
    ("another encoding of a list", "<?xml version='1.0' encoding='ISO-8859-1'?><domains>" + GUEST.format("a") +
     "</domains>", "NM1222"),
    ("UTF-16", ("\ufeff" + GUEST.format("a")).encode("utf-16-le"), "NM0002"),
    ("a NUL", GUEST.format("a\0"), "NM0002"),
    ("a site", "guest a { memory 1GiB }\n", "NM1271"),
    ("a snapshot", "<domainsnapshot>" + GUEST.format("a") + "</domainsnapshot>", "NM1260"),
    ("a status file", "<domstatus state='running'>" + GUEST.format("a") + "</domstatus>", "NM1260"),
    ("a foreign namespace", "<domain xmlns='urn:x'><name>a</name></domain>", "NM1224"),
]


def hostile(numac, row):
    _, content, code = row
    with tempfile.TemporaryDirectory(prefix="numac-import-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "bad.xml").write_bytes(content if isinstance(content, bytes) else content.encode())
        (folder / "good.xml").write_text(GUEST.format("good"))
        run, findings = numac.findings(["import", "-o", "out", "good.xml", "bad.xml"], folder)
        errors = [one.code for one in findings if one.severity == "error"]
        want(errors == [code] and run.status in (1, 2), f"wanted {code} alone, found {errors}", run)
        want(findings[0].file == "bad.xml" or code == "NM0002", "no place", run)
        want(not (folder / "out").exists(), "there is half an output", run)
        run = numac.run(["import", "good.xml", "bad.xml"], folder)
        want(run.out == "", "there is half an output", run)


@in_folder
def cut_short(numac, folder):
    """A guest cut anywhere is refused, and never crashes anything."""
    whole = "<?xml version='1.0'?>\n<domains>\n" + GUEST.format("a") + "<!-- x -->\n" + GUEST.format("b") + "\n</domains>"
    for end in range(len(whole)):
        run, findings = numac.findings(["import", "-o", "out", "-"], folder, stdin=whole[:end].encode())
        errors = [one.code for one in findings if one.severity == "error"]
        want(len(errors) == 1 and errors[0] in ("NM1221", "NM1260", "NM1262"), f"cut at {end}: {errors}", run)
        want(not (folder / "out").exists(), "there is half an output", run)


# ---- the folder --------------------------------------------------------------------------------------------------

def files(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@in_folder
def bases_are_the_bytes(numac, folder):
    one = "<?xml version='1.0'?>\n<!-- mine -->\n" + GUEST.format("one") + "\n<!-- end -->\n"
    (folder / "one.xml").write_text(one)
    (folder / "list.xml").write_text("<domains>\n  " + GUEST.format("two") + "\n  " + GUEST.format("3 &amp; four") +
                                     "\n</domains>\n")
    run = numac.run(["import", "-o", "out", "one.xml", "list.xml"], folder)
    found = files(folder / "out")
    want(run.status == 0 and sorted(found) == ["3 & four.xml", "one.xml", "site.numa", "two.xml"], sorted(found), run)
    want(found["one.xml"] == one and found["two.xml"] == GUEST.format("two") and
         found["3 & four.xml"] == GUEST.format("3 &amp; four"), found)
    run = numac.run(["build", "out/site.numa", "-o", "built"], folder)
    want(run.status == 0 and (folder / "built" / "3 & four.xml").exists(), run)


@in_folder
def again_is_nothing_new(numac, folder):
    (folder / "one.xml").write_text(GUEST.format("one"))
    for _ in range(2):
        run = numac.run(["import", "-o", ".", "one.xml"], folder)
        want(run.status == 0 and sorted(files(folder)) == ["one.xml", "site.numa"], run)
    (folder / "site.numa").write_text("# mine\n")
    run, findings = numac.findings(["import", "-o", ".", "one.xml"], folder)
    want(run.status == 1 and "NM1267" in [one.code for one in findings], run)
    want(files(folder) == {"one.xml": GUEST.format("one"), "site.numa": "# mine\n"}, files(folder))


@in_folder
def a_build_is_left_alone(numac, folder):
    (folder / "one.xml").write_text(GUEST.format("one"))
    (folder / "other.numa").write_text("guest other { memory 1GiB; vcpus 1 }\n")
    want(numac.run(["build", "-o", "out", "other.numa"], folder).status == 0)
    before = files(folder / "out")
    want(numac.run(["import", "-o", "out", "one.xml"], folder).status == 0)
    want(before.items() <= files(folder / "out").items(), files(folder / "out"))


@in_folder
def both_notations(numac, folder):
    (folder / "one.xml").write_text(GUEST.format("one"))
    run = numac.run(["import", "--to", "yaml", "-o", "out", "one.xml"], folder)
    want(run.status == 0 and sorted(files(folder / "out")) == ["one.xml", "site.yaml"], run)
    want(numac.run(["fmt", "--check", "out/site.yaml"], folder).status == 0)
    want(numac.run(["check", "out/site.yaml"], folder).status == 0)


@in_folder
def many_guests(numac, folder):
    """Thousands in one list, in time that grows no faster than they do."""
    (folder / "list.xml").write_text("<domains>" + "".join(GUEST.format(f"g{i}") for i in range(3000)) + "</domains>")
    run = numac.run(["import", "list.xml"], folder)
    want(run.status == 0 and run.out.count("guest ") == 3000, run.status, run.err)


# ---- the short form ----------------------------------------------------------------------------------------------

def plan_of(numac, folder, name, text, bases=()):
    place = folder / name
    place.mkdir()
    for base in bases:
        shutil.copy(base, place)
    path = place / ("site.yaml" if text.startswith("guest:") else "site.numa")
    path.write_text(text)
    run, findings = numac.findings(["check", path])
    if run.status:
        return sorted({one.code for one in findings if one.severity == "error"})
    plan = json.loads(numac.run(["plan", path, "--format", "json"]).out)
    for guest in plan["guests"]:
        guest.pop("uuid")  # made of the name of the site, where no base has one
        guest.pop("needs_kvm", None)  # what is imported says KVM as the default that it is
    return plan


def in_full(numac, kind, source):
    driver = pathlib.Path(numac.path).parent / "tests" / "drivers" / "import"
    if not driver.exists():
        raise Skip("the driver tests/drivers/import is not built")
    done = subprocess.run([driver, kind, source], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return done.stdout


# ---- programs newer than those of Debian 12 ----------------------------------------------------------------------

VERSIONS = "versions { libvirt 12.0; qemu 11.0; kernel 6.18; libnuma 2.0.19 }\n"
NEWER = "imported; built for programs newer than Debian 12 has (NM1041)"


def with_versions(site):
    """The same site for the newest programs."""
    newer = site.with_name(f"newer-{site.name}")
    newer.write_text(VERSIONS + site.read_text())
    return newer


def errors_of_build(numac, site, out, target):
    _, findings = numac.findings(["build", site, "-o", out, "--target", target])
    return sorted({one.code for one in findings if one.severity == "error"})


# ---- guests at random --------------------------------------------------------------------------------------------

def ranges(ids):
    return ",".join(str(one) for one in ids)


def topology(dice, total):
    """Sockets, dies, cores, threads whose product is the total; or none."""
    if dice.random() < 0.4:
        return ""
    threads = dice.choice([n for n in (1, 2) if total % n == 0])
    sockets = dice.choice([n for n in (1, 2, 3, 4) if total // threads % n == 0])
    left = total // threads // sockets
    dies = dice.choice([n for n in (1, 1, 1, 2) if left % n == 0])
    return f"<topology sockets='{sockets}' dies='{dies}' cores='{left // dies}' threads='{threads}'/>"


def cells_of(dice, total):
    """The vCPUs of each cell: even, in order, or strewn."""
    count = dice.choice([n for n in (1, 2, 3, 4) if n <= total])
    ids = list(range(total))
    how = dice.choice(("even", "cut", "strewn"))
    if how == "even" and total % count == 0:
        return [ids[i * total // count:(i + 1) * total // count] for i in range(count)]
    if how == "strewn":
        return [ids[i::count] for i in range(count)]
    cuts = [0, *sorted(dice.sample(range(1, total), count - 1)), total]
    return [ids[begin:end] for begin, end in zip(cuts, cuts[1:])]


def distances(dice, number, count):
    how = dice.uniform_distance
    if how is None:
        return ""
    rows = [10 if other == number else how or 20 + abs(other - number) for other in range(count)]
    return "<distances>" + "".join(f"<sibling id='{i}' value='{v}'/>" for i, v in enumerate(rows)) + "</distances>"


def numa(dice, total):
    cells = cells_of(dice, total)
    same = dice.random() < 0.6
    access = dice.choice(("", "", " memAccess='shared'"))
    dice.uniform_distance = dice.choice((None, 20, 21, 0))
    text = "".join(f"<cell id='{number}' cpus='{ranges(ids)}' memory='{1 if same else number + 1}' unit='GiB'{access}>"
                   f"{distances(dice, number, len(cells))}</cell>" for number, ids in enumerate(cells))
    return f"<numa>{text}</numa>", len(cells)


def pins(dice, total):
    how = dice.choice(("none", "row", "smt", "sets", "any"))
    cpus = {"row": lambda v: str(v + 4), "smt": lambda v: str(v // 2 + (v % 2) * 40), "sets": lambda v: ("0-7", "8-15")[v % 2],
            "any": lambda v: ranges(sorted(dice.sample(range(64), dice.randint(1, 3))))}
    chosen = [v for v in range(total) if dice.random() < 0.9]
    dice.shuffle(chosen)
    return "" if how == "none" else "".join(f"<vcpupin vcpu='{v}' cpuset='{cpus[how](v)}'/>" for v in chosen)


def numatune(dice, cells):
    mode = dice.choice(("strict", "preferred"))
    text = f"<memory mode='{mode}' nodeset='0'/>" if dice.random() < 0.3 else ""
    if cells and dice.random() < 0.5:
        nodes = [0] * cells if dice.random() < 0.5 else range(cells)
        text += "".join(f"<memnode cellid='{cell}' mode='{mode}' nodeset='{node}'/>" for cell, node in enumerate(nodes))
    return f"<numatune>{text}</numatune>" if text else ""


def random_guest(seed):
    dice = random.Random(seed)
    total = dice.choice((1, 2, 4, 6, 8, 12))
    cell_text, cells = numa(dice, total) if dice.random() < 0.8 else ("", 0)
    pages = dice.choice(("", "", "<hugepages><page size='2' unit='MiB'/></hugepages>"))
    allocation = dice.choice(("", "", "<allocation mode='immediate'/>", "" if pages else "<allocation mode='ondemand'/>"))
    backing = pages + dice.choice(("", "<source type='memfd'/>", "<source type='anonymous'/>")) * (not pages) + allocation
    memory = "" if cells else f"<memory unit='GiB'>{dice.randint(1, 9)}</memory>"
    cpuset = dice.choice(("", "", " cpuset='0-63'"))
    threads = dice.randint(0, 3)
    iothreads = f"<iothreads>{threads}</iothreads>" if threads else ""
    thread_pins = "".join(f"<iothreadpin iothread='{n + 1}' cpuset='{n}'/>" for n in range(threads) if dice.random() < 0.7)
    return (f"<domain type='kvm'><name>g{seed}</name>"
            f"<uuid>00000000-0000-4000-8000-{seed:012}</uuid>{memory}<memoryBacking>{backing}</memoryBacking>"
            f"<vcpu{cpuset}>{total}</vcpu>{iothreads}<cputune>{pins(dice, total)}{thread_pins}</cputune>"
            f"{numatune(dice, cells)}<os><type arch='x86_64'>hvm</type></os><cpu>{topology(dice, total)}{cell_text}</cpu></domain>\n")


def collect(numac):
    tests = [Test(f"hostile: {row[0]}", lambda row=row: hostile(numac, row)) for row in HOSTILE]
    return tests + [Test(one.__name__.replace("_", " "), lambda one=one: one(numac)) for one in
                    (cut_short, bases_are_the_bytes, again_is_nothing_new, a_build_is_left_alone, both_notations,
                     many_guests)]
