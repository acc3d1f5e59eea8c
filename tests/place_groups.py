#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Properties of groups, as TAP: on random machines of sockets, nodes, L3 caches and cores, whatever is planned stands as
# the groups want it, by the pins and nodes of the plan alone; guests that are alike are refused exactly where counting
# says so; every help of a refused group is applied, and helps; `spare` says what planning the site without each choice of
# hosts, or with each choice of nodes reserved, says.
#   tests/place_groups.py [PATH OF NUMAC] [SITES] [SEED]

import itertools
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
NUMAC = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "numac").resolve()
SITES = int(sys.argv[2]) if len(sys.argv) > 2 else 60
SECONDS = 600 if len(sys.argv) > 2 else 2.5  # for each property; a slow machine looks at fewer sites
LEAST = 8
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
GIB = 2**30
LEVELS = ["host", "socket", "node", "l3", "core"]


def ids(text):
    found = set()
    for part in (text or "").split(","):
        if part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return found


class Host:
    """A machine whose parts lie in each other; CPUs are numbered in order."""

    def __init__(self, rng, name):
        self.name = name
        self.counts = [rng.choice([1, 2]), rng.choice([1, 2, 2]), rng.choice([1, 2]), rng.choice([1, 2, 3, 4]),
                       rng.choice([1, 2])]
        self.memory = rng.choice([4, 8, 16]) * GIB
        self.cpus = 1
        for count in self.counts:
            self.cpus *= count

    def text(self, gone=()):
        """Without some nodes: nothing of them is left."""
        sockets, nodes, caches, cores, threads = self.counts
        size, lost = self.size("node"), ""
        if gone:
            cpus = ",".join(f"{node * size}-{(node + 1) * size - 1}" for node in gone)
            lost = f"; reserve gone {{ cpus {cpus}; memory {{ {','.join(map(str, gone))} {self.memory // GIB}GiB }} }}"
        return (f"host {self.name} {{ synthetic \"pack:{sockets} numa:{nodes}(memory={self.memory}) "
                f"l3:{caches} core:{cores} pu:{threads}\"{lost} }}\n")

    def size(self, level):
        """CPUs of one part."""
        size = self.cpus
        for count in self.counts[:LEVELS.index(level)]:
            size //= count
        return size

    def parts(self, level):
        return self.cpus // self.size(level)


def parts_of(made, host, level):
    """The parts of its host that a guest of the plan touches, by vCPUs, and by memory where that has a level."""
    if level == "host":
        return {host.name}
    touched = {cpu // host.size(level) for pin in made["pins"]["vcpus"] for cpu in ids(pin)}
    if level in ("socket", "node"):
        nodes = set().union(*(ids(cell.get("nodes")) for cell in made["cells"]))
        touched |= {node * host.size("node") // host.size(level) for node in nodes}
    return {(host.name, part) for part in touched}


class Guest:
    def __init__(self, rng, name, hosts):
        self.name, self.count = name, rng.choice([1, 1, 1, 2, 3])
        self.words = [f"vcpus {rng.choice([1, 2, 2, 4])}", f"memory {rng.choice([1, 1, 2])}GiB",
                      f"pin {rng.choice(['node', 'cpus', 'cpus', 'cores'])}"]
        if rng.random() < 0.3:
            self.words.append(f"within {rng.choice(['socket', 'node', 'l3', 'core'])}")
        if rng.random() < 0.2:
            self.words.append(f"host {rng.choice(hosts).name}")
        if rng.random() < 0.15 and "vcpus 1" not in self.words:
            self.words.append("cells 2")
        elif rng.random() < 0.15:
            self.words.append(f"node {rng.choice([0, 0, 1])}")
        if self.count > 1:
            self.words.append(f"count {self.count}")

    def members(self):
        return [f"{self.name}-{i + 1}" for i in range(self.count)] if self.count > 1 else [self.name]

    def text(self):
        return f"guest {self.name} {{ {'; '.join(self.words)} }}\n"


class Group:
    def __init__(self, rng, name, guests):
        self.name = name
        self.guests = rng.sample(guests, rng.choice([1, 2, 2]))
        if len(self.members()) < 2:
            self.guests = rng.sample(guests, 2)
        self.apart = rng.choice(LEVELS) if rng.random() < 0.6 else None
        wider = LEVELS[:LEVELS.index(self.apart)] if self.apart else LEVELS[:4]
        self.together = rng.choice(wider) if wider and (not self.apart or rng.random() < 0.3) else None

    def members(self):
        return [member for guest in self.guests for member in guest.members()]

    def text(self):
        words = [f"guests {' '.join(guest.name for guest in self.guests)}"]
        words += [f"{word} {level}" for word, level in (("together", self.together), ("apart", self.apart)) if level]
        return f"group {self.name} {{ {'; '.join(words)} }}\n"

    def judge(self, made, hosts):
        """What is wrong with the plan; None where nothing is."""
        if self.apart:
            for one, other in itertools.combinations(self.members(), 2):
                both = (parts_of(made[one], hosts[made[one]["host"]], self.apart) &
                        parts_of(made[other], hosts[made[other]["host"]], self.apart))
                if both:
                    return f"{one} and {other} share {self.apart} {both}"
        if self.together:
            touched = set().union(*(parts_of(made[m], hosts[made[m]["host"]], self.together) for m in self.members()))
            if len(touched) > 1:
                return f"{self.name} stands on {touched}"
        return None


def plan(folder, text):
    (folder / "site.numa").write_text(text)
    done = subprocess.run([NUMAC, "plan", "--format", "json", "site.numa"], cwd=folder, capture_output=True, text=True,
                          timeout=60)
    if done.returncode not in (0, 1):
        raise AssertionError(f"exit status {done.returncode}\n{done.stderr}\n{text}")
    return done.returncode, json.loads(done.stdout)


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def random_site(rng):
    hosts = [Host(rng, f"h{i}") for i in range(rng.choice([1, 2, 2, 3]))]
    guests = [Guest(rng, f"g{i}", hosts) for i in range(rng.randint(2, 4))]
    groups = [Group(rng, f"p{i}", guests) for i in range(rng.choice([1, 1, 2]))]
    return hosts, guests, groups


def site_text(hosts, guests, groups, order="pack"):
    return f"placement {order}\n" + "".join(part.text() for part in [*hosts, *guests, *groups])


def check_site(rng, folder):
    """What is planned stands as its groups want it."""
    hosts, guests, groups = random_site(rng)
    text = site_text(hosts, guests, groups, rng.choice(["pack", "spread"]))
    status, out = plan(folder, text)
    wrong = [finding["code"] for finding in out.get("findings", []) if finding["severity"] == "error"]
    expect(bool(status) == bool(wrong), f"status {status}, errors {wrong}\n{text}")
    if any("-D" in finding["message"] for finding in out.get("findings", [])):
        return 0
    expect("NM1428" not in wrong or any("node " in word for guest in guests for word in guest.words),
           f"placement broke a group by itself\n{text}\n{json.dumps(out, indent=1)}")
    if status:
        return 0
    made = {guest["name"]: guest for guest in out["guests"]}
    for group in groups:
        told = group.judge(made, {host.name: host for host in hosts})
        expect(not told, f"{told}\n{text}\n{json.dumps(out['guests'], indent=1)}")
    expect(plan(folder, text)[1] == out, f"two runs differ\n{text}")
    return 1


def check_helps(rng, folder):
    """The help of a group that is refused, applied."""
    hosts, guests, groups = random_site(rng)
    text = site_text(hosts, guests, groups)
    _, out = plan(folder, text)
    applied = 0
    for finding in out.get("findings", []):
        if finding["code"] not in ("NM1426", "NM1427"):
            continue
        for help_text in finding["helps"]:
            edit = re.fullmatch(r"write '(apart|together) (\w+)' in group '(\w+)'", help_text)
            if not edit:
                continue
            word, level, name = edit.groups()
            cured = re.sub(rf"(group {name} {{.*?{word} )\w+", rf"\g<1>{level}", text)
            expect(cured != text, f"no edit: {help_text}\n{text}")
            found = [f for f in plan(folder, cured)[1].get("findings", [])
                     if f["code"] in ("NM1426", "NM1427") and f"group '{name}'" in f["message"]]
            expect(not found, f"no cure: {help_text}\n{text}\n{json.dumps(found, indent=1)}")
            applied += 1
    return applied


def check_counts(rng, folder):
    """Guests that are alike, each with CPUs of its own: fewer parts than guests, or too small a part, and none other,
    are refused."""
    host, level, guests = Host(rng, "h"), rng.choice(LEVELS[1:]), rng.randint(2, 5)
    is_apart, vcpus = rng.random() < 0.5, rng.choice([1, 2, 3])
    host.memory = 64 * GIB
    word = "apart" if is_apart else "together"
    size = min(host.size(level), host.size("node"))  # a guest has one cell, on one node
    if is_apart:
        fits = vcpus <= size and guests <= host.parts(level)
        alone = host.size("node") // vcpus * (host.cpus // host.size("node")) >= guests
    else:
        by_node = size // vcpus * (host.size(level) // size)
        fits = guests <= by_node
        alone = host.size("node") // vcpus * (host.cpus // host.size("node")) >= guests
    within = f"; within {level}" if level in ("l3", "core") and is_apart else ""
    text = (host.text() + f"guest g {{ count {guests}; vcpus {vcpus}; memory 1GiB; pin cpus{within} }}\n"
            f"group p {{ guests g; {word} {level} }}\n")
    status, out = plan(folder, text)
    told = {finding["code"] for finding in out.get("findings", []) if finding["severity"] == "error"}
    expect((status == 0) == fits, f"numac says {status} {told}, counting says {fits}\n{text}")
    if not fits and alone and not within:
        expect(told == {"NM1426" if is_apart else "NM1427"}, f"{told}\n{text}")
    return 1


def refuses(folder, text):
    return {finding["code"] for finding in plan(folder, text)[1].get("findings", []) if finding["severity"] == "error"}


def fits_without(folder, hosts, rest, count, of_nodes):
    """Whether the site fits without each choice of so many hosts or nodes, one plan for each."""
    whole = {host: frozenset(range(host.parts("node"))) for host in hosts}
    things = [(host, number) for host in hosts for number in sorted(whole[host])] if of_nodes else hosts
    for missing in itertools.combinations(things, count):
        gone = {host: whole[host] if host in missing else frozenset() for host in hosts}
        for host, number in missing if of_nodes else ():
            gone[host] |= {number}
        left = [host.text(sorted(gone[host])) for host in hosts if gone[host] != whole[host]]
        if not left or refuses(folder, "".join(left) + rest):
            return False
    return True


def check_spare(rng, folder):
    """What `spare` says of a site that fits, against a plan for each case."""
    hosts, guests, groups = random_site(rng)
    guests = [guest for guest in guests if not any(word.split()[0] in ("host", "node") for word in guest.words)]
    groups = [group for group in groups if all(guest in guests for guest in group.guests)]
    count, of_nodes = rng.choice([1, 1, 2]), rng.random() < 0.5
    rest = "".join(part.text() for part in [*guests, *groups])
    text = "".join(host.text() for host in hosts) + rest
    total = sum(host.parts("node") for host in hosts) if of_nodes else len(hosts)
    if not guests or total <= count or refuses(folder, text):
        return 0
    told = refuses(folder, text + f"spare {'node' if of_nodes else 'host'} {count}\n")
    fits = fits_without(folder, hosts, rest, count, of_nodes)
    expect(told == (set() if fits else {"NM1429"}), f"'spare' says {told}, plans say {fits}\n{text}")
    return 1


def main():
    tests = [("guests stand as their groups want", check_site, 4), ("every help of a group helps", check_helps, 10),
             ("guests that are alike are counted", check_counts, 2), ("spare is what each case says", check_spare, 8)]
    print(f"TAP version 13\n1..{len(tests)}")
    failed = False
    for number, (name, check, share) in enumerate(tests, 1):
        rng = random.Random(f"{SEED} {name}")
        with tempfile.TemporaryDirectory() as folder:
            try:
                end, done, found = time.monotonic() + SECONDS, 0, 0
                while done < SITES and (done < LEAST or time.monotonic() < end):
                    found += check(rng, pathlib.Path(folder))
                    done += 1
                expect(found >= done // share > 0, f"only {found} in {done} sites: nothing was tested")
                print(f"ok {number} - {name} # {found} in {done} sites")
            except AssertionError as wrong:
                failed = True
                print(f"not ok {number} - {name}")
                print("".join(f"# {line}\n" for line in str(wrong).splitlines()), end="")
    return failed


if __name__ == "__main__":
    sys.exit(main())
