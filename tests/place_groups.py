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
import re
import sys

from harness.properties import Bench, expect, ids

BENCH = Bench(sys.argv)
plan = BENCH.plan_json
GIB = 2**30
LEVELS = ["host", "socket", "node", "l3", "core"]


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
        self.name, self.count, self.migrate = name, rng.choice([1, 1, 1, 2, 3]), []
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
        moves = [f"migrate {' '.join(host.name for host in self.migrate)}"] if self.migrate else []
        return f"guest {self.name} {{ {'; '.join(self.words + moves)} }}\n"


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

    def judge_moves(self, made, hosts):
        """What is wrong where its guests may move; None where nothing is."""
        for one, other in itertools.permutations(self.members(), 2):
            for move in made[one].get("migrate", []) if self.apart else []:
                here = hosts[move["host"]]
                if made[other]["host"] == here.name and \
                        parts_of(move, here, self.apart) & parts_of(made[other], here, self.apart):
                    return f"{one} and {other} would share {self.apart} of {here.name}"
        moves = [{move["host"]: move for move in made[member].get("migrate", [])} for member in self.members()]
        for name in set.intersection(*map(set, moves)) if self.together else ():
            touched = set().union(*(parts_of(move[name], hosts[name], self.together) for move in moves))
            if len(touched) > 1:
                return f"{self.name} would stand on {touched}"
        return None

    def is_parted(self, made):
        """A guest that stands with all of it at home may move where not all of them may."""
        targets = [{host.name for host in guest.migrate} - {made[member]["host"]}
                   for guest in self.guests for member in guest.members()]
        return bool(self.together) and set.union(*targets) != set.intersection(*targets)

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


def judge_refusal(finding, made, guests, groups):
    """Who is told to be in the way is; None of other findings."""
    told = re.match(r"guest '([\w-]+)' (?:cannot move to|fits on) host '(\w+)'.* group '(\w+)'", finding["message"])
    if finding["code"] == "NM1432":
        one, host, name = told.groups()
        others = set(next(group for group in groups if group.name == name).members()) - {one}
        return None if any(made[other]["host"] == host for other in others) else f"nobody is there: {finding}"
    if finding["code"] == "NM1433":
        name, host = re.search(r"group '(\w+)' fit on host '(\w+)'", finding["message"]).groups()
        stays = [guest.name for guest in next(group for group in groups if group.name == name).guests
                 if host not in [target.name for target in guest.migrate]]
        return f"{stays} stay at home: {finding}" if stays else None
    return None


def check_moves(rng, folder):
    """Guests that may move stand there as their groups want, too, or are told."""
    hosts, guests, groups = random_site(rng)
    status, before = plan(folder, site_text(hosts, guests, groups))
    at_home = plan(folder, site_text(hosts, guests, groups), "check")[1]["findings"]
    if len(hosts) < 2 or status:
        return 0
    for guest in guests if rng.random() < 0.5 else guests[:2]:
        guest.migrate = rng.sample(hosts, rng.randint(1, len(hosts)))
    text = site_text(hosts, guests, groups)
    named = {host.name: host for host in hosts}
    made = {guest["name"]: guest for guest in before["guests"]}
    status, out = plan(folder, text)
    findings = [finding for finding in plan(folder, text, "check")[1]["findings"] if finding["severity"] != "hint"]
    told = {finding["code"] for finding in findings}
    may_be_told = {"NM0506", "NM1432", "NM1433", "NM1434", "NM1443", "NM1444"} | {f["code"] for f in at_home}
    expect(told <= may_be_told, f"{told}\n{text}")
    for finding in findings:
        wrong = judge_refusal(finding, made, guests, groups)
        expect(not wrong, f"{wrong}\n{text}")
    parted = any(group.is_parted(made) for group in groups)
    expect(parted == ("NM1434" in told), f"parted {parted}, told {told}\n{text}")
    if status:
        return len(told) > 0
    for guest in out["guests"]:
        for key in ("host", "cells", "pins"):
            expect(guest[key] == made[guest["name"]][key], f"{key} changed at home\n{text}")
    made = {guest["name"]: guest for guest in out["guests"]}
    for group in groups:
        wrong = group.judge_moves(made, named)
        expect(not wrong, f"{wrong}\n{text}\n{json.dumps(out['guests'], indent=1)}")
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
    text = (host.text() + f"guest g {{ count {guests}; vcpus {vcpus}; memory 1GiB; cells 1; pin cpus{within} }}\n"
            f"group p {{ guests g; {word} {level} }}\n")
    status, out = plan(folder, text)
    told = {finding["code"] for finding in out.get("findings", []) if finding["severity"] == "error"}
    expect((status == 0) == fits, f"numac says {status} {told}, counting says {fits}\n{text}")
    if not fits and alone and not within:
        expect(told == {"NM1426" if is_apart else "NM1427"}, f"{told}\n{text}")
    return 1


def refuses(folder, text):
    return {finding["code"] for finding in plan(folder, text)[1].get("findings", []) if finding["severity"] == "error"}


def fits_without(folder, hosts, rest, count, of_nodes, needed=None):
    """Whether the site fits without each choice of so many hosts or nodes, one plan for each; one host may be needed."""
    whole = {host: frozenset(range(host.parts("node"))) for host in hosts}
    things = [(host, number) for host in hosts for number in sorted(whole[host])] if of_nodes else hosts
    for missing in itertools.combinations(things, count):
        if needed in missing or needed in [thing[0] for thing in missing if of_nodes]:
            continue
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


def site_with_mover(rng):
    """Hosts, guests, groups, a guest that stands for itself, and another host that it may move to."""
    while True:
        hosts, guests, groups = random_site(rng)
        guests = [guest for guest in guests if not any(word.split()[0] in ("host", "node") for word in guest.words)]
        groups = [group for group in groups if not group.together and all(guest in guests for guest in group.guests)]
        single = [guest for guest in guests if guest.count == 1]
        if len(hosts) > 1 and single:
            return hosts, guests, groups, rng.choice(single), rng.choice(hosts[1:])


def check_spare_moved(rng, folder):
    """What `spare` says of a guest where it may move to, against a plan for each case with the guest there."""
    hosts, guests, groups, mover, target = site_with_mover(rng)
    of_nodes = rng.random() < 0.7
    spare = f"spare {'node' if of_nodes else 'host'} 1\n"
    mover.words = [word for word in mover.words if not word.startswith("cells")] + ["cells 1"]
    mover.migrate = [target]
    text = site_text(hosts, guests, groups) + spare
    status, out = plan(folder, text)
    if status or not next(guest for guest in out["guests"] if guest["name"] == mover.name).get("migrate"):
        return 0
    told = [finding for finding in plan(folder, text, "check")[1]["findings"] if finding["code"] == "NM1435"]
    mover.migrate = []
    mover.words.append(f"host {target.name}")
    rest = "".join(part.text() for part in [*guests, *groups])
    fits = fits_without(folder, hosts, rest, 1, of_nodes, target)
    expect(fits != bool(told), f"'spare' says {told}, plans say {fits}\n{text}")
    return 1


def main():
    return BENCH.try_all([("guests stand as their groups want", check_site, 4),
                          ("groups hold where guests may move", check_moves, 4),
                          ("every help of a group helps", check_helps, 10),
                          ("guests that are alike are counted", check_counts, 2),
                          ("spare is what each case says", check_spare, 8),
                          ("spare is so where guests may move", check_spare_moved, 8)])


if __name__ == "__main__":
    sys.exit(main())
