#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Properties of placement, as TAP: random sites on random hosts are planned, and whatever the plan says must keep what
# placement promises.  Hosts are written as libvirt capabilities, which tell memory, pages, siblings and distances.
# Single guests are compared with an enumeration of every choice of nodes: the same answer to "does it fit", and the
# same sum of distances.  Every help of a refusal is applied as it stands, and the guest must then fit.
#   tests/place_properties.py [PATH OF NUMAC] [SITES] [SEED]

import copy
import itertools
import json
import re
import sys

from harness.properties import Bench, expect, ids

BENCH = Bench(sys.argv)
plan = BENCH.plan
MIB, GIB = 2**20, 2**30


class Host:
    """A machine of equal nodes, with uneven memory, reserves and pools of 1 GiB pages."""

    def __init__(self, rng, name, nodes=None):
        self.name = name
        self.nodes = nodes or rng.choice([1, 2, 2, 4, 8])
        self.smt = rng.choice([1, 2])
        self.cores = rng.choice([2, 3, 4, 6])
        self.memory = [rng.choice([4, 8, 16]) * GIB for _ in range(self.nodes)]
        self.pool = [rng.choice([0, 0, 2, 3]) for _ in range(self.nodes)]
        self.distance = self.distances(rng)
        self.cpus = {}  # cpu: (node, core)
        for node in range(self.nodes):
            for core in range(self.cores):
                for thread in range(self.smt):
                    cpu = (node * self.cores + core) + thread * self.nodes * self.cores
                    self.cpus[cpu] = (node, node * self.cores + core)
        self.reserved = set(rng.sample(sorted(self.cpus), rng.choice([0, 0, 1, 2])))
        self.reserved_memory = rng.choice([0, 1]) * GIB

    def distances(self, rng):
        kind, n = rng.choice(["full", "package", "ring", "odd"]), self.nodes
        if kind == "full":
            far = lambda a, b: 20
        elif kind == "package":
            far = lambda a, b: 12 if a // 2 == b // 2 else 32
        elif kind == "ring":
            far = lambda a, b: 10 + 6 * min((a - b) % n, (b - a) % n)
        else:
            table = {(a, b): rng.randint(11, 40) for a in range(n) for b in range(n)}
            far = lambda a, b: table[a, b]
        return [[10 if a == b else far(a, b) for b in range(n)] for a in range(n)]

    def xml(self):
        rows = ["<capabilities><host><cpu><arch>x86_64</arch></cpu><topology>", f"<cells num='{self.nodes}'>"]
        for node in range(self.nodes):
            rows.append(f"<cell id='{node}'><memory unit='KiB'>{self.memory[node] // 1024}</memory>")
            pages = (self.memory[node] - self.pool[node] * GIB) // 4096
            rows.append(f"<pages unit='KiB' size='4'>{pages}</pages>"
                        f"<pages unit='KiB' size='1048576'>{self.pool[node]}</pages>")
            rows.append("<distances>" + "".join(f"<sibling id='{b}' value='{self.distance[node][b]}'/>"
                                                for b in range(self.nodes)) + "</distances>")
            mine = sorted(cpu for cpu, (n, _) in self.cpus.items() if n == node)
            rows.append(f"<cpus num='{len(mine)}'>")
            for cpu in mine:
                core = self.cpus[cpu][1]
                siblings = ",".join(str(c) for c in sorted(self.cpus) if self.cpus[c][1] == core)
                rows.append(f"<cpu id='{cpu}' socket_id='{node}' die_id='0' core_id='{core}' siblings='{siblings}'/>")
            rows.append("</cpus></cell>")
        return "\n".join(rows + ["</cells></topology></host></capabilities>\n"])

    def text(self):
        words = f"host {self.name} {{ topology \"{self.name}.xml\""
        if self.reserved or self.reserved_memory:
            cpus = f"cpus {','.join(map(str, sorted(self.reserved)))}; " if self.reserved else ""
            memory = f"memory {self.reserved_memory // GIB}GiB" if self.reserved_memory else ""
            words += f"; reserve os {{ {cpus}{memory} }}"
        return words + " }\n"

    def room(self, node, pages):
        if pages:
            return self.pool[node] * GIB
        return max(0, self.memory[node] - self.pool[node] * GIB - self.reserved_memory)

    def open_cpus(self, node):
        return [cpu for cpu, (n, _) in self.cpus.items() if n == node and cpu not in self.reserved]

    def whole_cores(self, node):
        return [core for core in range(node * self.cores, (node + 1) * self.cores)
                if not any(c == core and cpu in self.reserved for cpu, (_, c) in self.cpus.items())]


class Guest:
    def __init__(self, rng, name, hosts):
        self.name = name
        self.pin = rng.choice(["node", "node", "cpus", "cores", "none"])
        self.pages = rng.random() < 0.2
        self.threads = rng.choice([0, 0, 1, 2])
        self.host = rng.choice(hosts).name if rng.random() < 0.5 else None
        self.migrate = []
        self.cells = []
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])):
            vcpus = rng.choice([1, 2, 2, 4, 6]) if self.threads != 2 else rng.choice([2, 4, 6])
            memory = rng.choice([1, 2, 3, 5]) * GIB
            self.cells.append((vcpus, memory))
        self.vcpus = sum(v for v, _ in self.cells) or rng.choice([2, 4, 8, 12])
        self.memory = sum(m for _, m in self.cells) or rng.choice([2, 4, 8, 12]) * GIB

    def text(self):
        words = [f"pin {self.pin}"]
        words += ["pages 1GiB"] if self.pages else []
        words += [f"host {self.host}"] if self.host else []
        words += [f"migrate {' '.join(self.migrate)}"] if self.migrate else []
        threads = f" {{ threads {self.threads} }}" if self.threads else ""
        words += [f"vcpus {self.vcpus}{threads}", f"memory {self.memory // GIB}GiB"]
        words += [f"cell c{i} {{ vcpus {v}; memory {m // GIB}GiB }}" for i, (v, m) in enumerate(self.cells)]
        return f"guest {self.name} {{ {'; '.join(words)} }}\n"


def check_guest(guest, made, host, own, taken):
    """One guest of a plan: enters what it takes into `own` (CPUs) and `taken` (memory by node and pages)."""
    bound = [ids(cell.get("nodes")) for cell in made["cells"]]
    expect(sum(cell["memory_bytes"] for cell in made["cells"]) == guest.memory, "memory is lost")
    numbers = [number for cell in made["cells"] for number in sorted(ids(cell["vcpus"]))]
    expect(sorted(numbers) == list(range(guest.vcpus)), "vCPUs are lost")
    levels = made["vcpus"]
    product = 1
    for level in ("sockets", "dies", "clusters", "modules", "cores", "threads"):
        product *= levels[level]
    expect(product == guest.vcpus, f"{product} vCPUs in sockets and cores")
    pins = [ids(pin) if isinstance(pin, str) else None for pin in made["pins"]["vcpus"]]
    for cell, nodes in zip(made["cells"], bound):
        expect(len(nodes) == 1, "an automatic cell is bound to one node")
        node = min(nodes)
        key = (host.name, node, bool(cell.get("page_bytes")))
        taken[key] = taken.get(key, 0) + cell["memory_bytes"]
        expect(taken[key] <= host.room(node, key[2]), f"node {node} holds more than it has")
        here = set(host.open_cpus(node))
        for vcpu in ids(cell["vcpus"]):
            if guest.pin == "none":
                expect(pins[vcpu] is None, "pin none pins")
                continue
            expect(pins[vcpu] and pins[vcpu] <= here, f"vCPU {vcpu} is not on the CPUs of its node {node}")
    if guest.pin in ("cpus", "cores"):
        for vcpu, pin in enumerate(pins):
            expect(len(pin) == 1, f"vCPU {vcpu} has not one CPU")
            cpu = min(pin)
            expect((host.name, cpu) not in own, f"CPU {cpu} is given twice")
            own[host.name, cpu] = guest.name
    if guest.pin == "cores":
        check_cores(made, levels["threads"], host, [min(pin) for pin in pins], own)
    return [min(nodes) for nodes in bound]


def check_cores(made, threads, host, pins, own):
    used = {}
    for cell in made["cells"]:
        numbers = sorted(ids(cell["vcpus"]))
        step = min(threads, host.smt)
        for start in range(0, len(numbers), step):
            cores = {host.cpus[pins[vcpu]][1] for vcpu in numbers[start:start + step]}
            expect(len(cores) == 1, "threads of a guest core stand on several cores of the host")
            core = cores.pop()
            expect(core not in used, "two guest cores on one core of the host")
            used[core] = True
    for cpu, (_, core) in host.cpus.items():
        if core in used:
            own.setdefault((host.name, cpu), made["name"])


def check_moves(guest, made, named, own, taken):
    """On each host it may move to the guest finds room beside all that lives there, and looks as it does at home."""
    expect([move["host"] for move in made.get("migrate", [])] == [h for h in guest.migrate if h != made["host"]],
           "a host that it may move to has no pins")
    places = [(named[made["host"]], [min(ids(cell["nodes"])) for cell in made["cells"]])]
    for move in made.get("migrate", []):
        host = named[move["host"]]
        places.append((host, check_guest(guest, move, host, dict(own), dict(taken))))
        for key in ("name", "uuid", "vcpus", "memory_bytes", "distances", "numa"):
            expect(move.get(key) == made.get(key), f"{key} would change")
        for here, there in zip(made["cells"], move["cells"], strict=True):
            expect([here[key] for key in ("name", "vcpus", "memory_bytes")] ==
                   [there[key] for key in ("name", "vcpus", "memory_bytes")], "a cell would change")
    for i, row in enumerate(made.get("distances", [])):
        for j, told in enumerate(row):
            worst = max(max(11, host.distance[nodes[i]][nodes[j]]) for host, nodes in places)
            expect(told == (10 if i == j else worst), f"cell {j} is {told} from cell {i}, and {worst} on some host")
    return len(places) - 1


def check_left(told, host, own, taken):
    """What the plan says is left of a host, against what its guests have of it."""
    expect([node["node"] for node in told["nodes"]] == list(range(host.nodes)), "a node is not told of")
    for number, node in enumerate(told["nodes"]):
        normal = host.room(number, False) - taken.get((host.name, number, False), 0)
        expect(node["memory_left_bytes"] == normal, f"of node {number} {normal} bytes are left, not as told")
        expect(node["memory_bytes"] == host.memory[number] - host.pool[number] * GIB, f"node {number} has other memory")
        pages = {pool["page_bytes"]: pool["pages_left"] for pool in node.get("pools", [])}
        wanted = {GIB: host.pool[number] - taken.get((host.name, number, True), 0) // GIB} if host.pool[number] else {}
        expect(pages == wanted, f"of node {number} {wanted} pages are left, not {pages}")
        cpus = {cpu for cpu, (at, _) in host.cpus.items() if at == number}
        mine = {cpu for cpu in cpus if (host.name, cpu) in own} - host.reserved
        expect(ids(node.get("own")) >= mine, f"CPUs of node {number} are own that are told as others")
        expect(ids(node.get("reserved")) == cpus & host.reserved, f"other CPUs of node {number} are reserved")
        expect(ids(node.get("own")) | ids(node.get("shared")) | ids(node.get("reserved")) == cpus and
               not ids(node.get("own")) & ids(node.get("shared")), f"a CPU of node {number} is nobody's, or told twice")


def check_site(rng, folder):
    hosts = [Host(rng, f"h{i}") for i in range(rng.choice([1, 1, 2, 3]))]
    guests = [Guest(rng, f"g{i}", hosts) for i in range(rng.randint(1, 8))]
    for guest in guests:
        if rng.random() < 0.3:
            guest.migrate = [host.name for host in rng.sample(hosts, rng.randint(1, len(hosts)))]
    for host in hosts:
        (folder / f"{host.name}.xml").write_text(host.xml())
    placement = f"placement {rng.choice(['pack', 'spread'])}\n"
    planned, guests_left = None, guests
    while guests_left and not planned:  # guests that do not fit are left out, until the rest has a plan
        text = placement + "".join(h.text() for h in hosts) + "".join(g.text() for g in guests_left)
        status, out = plan(folder, text)
        if status == 0:
            planned = json.loads(out)
            expect(plan(folder, text)[1] == out, "two runs differ")
        else:
            codes = {finding["code"]: finding for finding in json.loads(out)["findings"]}
            refused = {g.name for g in guests_left if any(f"'{g.name}'" in json.dumps(f) for f in codes.values())}
            guests_left = [g for g in guests_left if g.name not in refused] if refused else guests_left[:-1]
    if not planned:
        return 0
    named, by_name, own, taken = {h.name: h for h in hosts}, {g.name: g for g in guests}, {}, {}
    expect([g["name"] for g in planned["guests"]] == [g.name for g in guests_left], "guests are not in order of the site")
    try:
        for made in planned["guests"]:
            check_guest(by_name[made["name"]], made, named[made["host"]], own, taken)
        for made in planned["guests"]:  # nobody floats over a CPU that is somebody's own
            guest = by_name[made["name"]]
            for pin in made["pins"]["vcpus"] if guest.pin == "node" else []:
                for cpu in ids(pin):
                    expect((made["host"], cpu) not in own, f"guest {guest.name} floats over CPU {cpu}, which is own")
        used = {made["host"] for made in planned["guests"]}
        expect([host["name"] for host in planned["hosts"]] == [host.name for host in hosts if host.name in used],
               "hosts with guests are not told in order of the site")
        for made in planned["guests"]:
            check_moves(by_name[made["name"]], made, named, own, taken)
        for told in planned["hosts"]:
            check_left(told, named[told["name"]], own, taken)
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{text}\n{out}") from None
    return len(planned["guests"])


def fits(guest, cell, host, node, cells):
    """Whether some cells of one guest fit together on a node of an empty host."""
    here = [guest.cells[c] for c in cells]
    vcpus = sum(v for v, _ in here)
    if sum(m for _, m in here) > host.room(node, guest.pages):
        return False
    if guest.pin == "cpus":
        return vcpus <= len(host.open_cpus(node))
    if guest.pin == "cores":
        whole = all(v % host.smt == 0 for v, _ in guest.cells)
        step = min(guest.threads, host.smt) if guest.threads else host.smt if whole else 1
        return sum(-(-v // step) for v, _ in here) <= len(host.whole_cores(node))
    if guest.pin == "node":
        return bool(host.open_cpus(node))
    return True


def best_sum(guest, host):
    """Least sum of distances over all choices, each cell on a node of its own if that can be, else sharing."""
    count, best = len(guest.cells), {True: None, False: None}
    usable = [n for n in range(host.nodes) if host.open_cpus(n)]
    for chosen in itertools.product(usable, repeat=count):
        alone = len(set(chosen)) == count
        groups = {n: [c for c in range(count) if chosen[c] == n] for n in set(chosen)}
        if not all(fits(guest, None, host, n, cells) for n, cells in groups.items()):
            continue
        far = sum(host.distance[chosen[a]][chosen[b]] for a in range(count) for b in range(count) if a != b)
        if best[alone] is None or far < best[alone]:
            best[alone] = far
    return best[True] if best[True] is not None else best[False]


def check_single(rng, folder):
    """One guest with cells of its own on one host, against every choice there is."""
    host = Host(rng, "h0", rng.choice([2, 4, 6]))
    guest = Guest(rng, "g", [host])
    while not guest.cells:
        guest = Guest(rng, "g", [host])
    guest.pin = rng.choice(["none", "cpus", "cores"])  # floating guests also weigh how crowded nodes get
    (folder / "h0.xml").write_text(host.xml())
    text = host.text() + guest.text()
    status, out = plan(folder, text)
    best = best_sum(guest, host)
    try:
        expect((status == 0) == (best is not None), f"numac says {status}, enumeration says {best}")
        if best is None:
            return 0
        made = json.loads(out)["guests"][0]
        nodes = check_guest(guest, made, host, {}, {})
        far = sum(host.distance[a][b] for i, a in enumerate(nodes) for j, b in enumerate(nodes) if i != j)
        expect(far == best, f"distances sum up to {far}, {best} is possible")
        return 1
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{text}\n{out}\n{host.xml()}") from None


def shares(amount, unit, cells):
    """Near-even shares in whole units; the later ones take what is left over."""
    found, left = [], amount
    for others in range(cells, 0, -1):
        found.append(left // unit // others * unit if others > 1 else left)
        left -= found[-1]
    return found


def check_auto(rng, folder):
    """`cells auto`: the fewest cells that find a node each, against every number there is."""
    host = Host(rng, "h0", rng.choice([2, 4, 8]))
    guest = Guest(rng, "g", [host])
    guest.pin = rng.choice(["cpus", "cores"])
    guest.vcpus, guest.memory = rng.randint(1, 3 * host.nodes) * max(guest.threads, 1), rng.randint(1, 24) * GIB
    (folder / "h0.xml").write_text(host.xml())
    guest.cells = []
    text = host.text() + guest.text().replace(" }\n", "; cells auto }\n")
    status, out = plan(folder, text)
    fewest, step, page = None, max(guest.threads, 1), GIB if guest.pages else MIB
    for count in range(1, host.nodes + 1):
        if count > guest.vcpus // step or count > guest.memory // page:
            break
        guest.cells = list(zip(shares(guest.vcpus, step, count), shares(guest.memory, page, count)))
        rows = [[n for n in range(host.nodes) if host.open_cpus(n) and fits(guest, None, host, n, [c])] for c in range(count)]
        if all(rows) and max_matching(rows) == count:
            fewest = count
            break
    try:
        expect((status == 0) == (fewest is not None), f"numac says {status}, enumeration says {fewest} cells")
        if fewest is None:
            return 0
        made = json.loads(out)["guests"][0]
        expect(len(made["cells"]) == fewest, f"{len(made['cells'])} cells, {fewest} are enough")
        nodes = check_guest(guest, made, host, {}, {})
        expect(len(set(nodes)) == fewest, "two automatic cells stand on one node")
        expect([cell["memory_bytes"] for cell in made["cells"]] == [m for _, m in guest.cells], "other shares")
        return 1
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{text}\n{out}\n{host.xml()}") from None


def max_matching(rows):
    owner = {}

    def seat(cell, seen):
        for node in rows[cell]:
            if node not in seen:
                seen.add(node)
                if node not in owner or seat(owner[node], seen):
                    owner[node] = cell
                    return True
        return False

    return sum(seat(cell, set()) for cell in range(len(rows)))


def check_tables(rng, folder):
    """A pin table draws memory that is left open to the nearest nodes with room, cell after cell."""
    host = Host(rng, "h0")
    cells = rng.choice([1, 1, 2, 3])
    each, memory = rng.randint(1, 3), rng.choice([1, 2, 5]) * GIB
    open_cpus = [cpu for cpu in sorted(host.cpus) if cpu not in host.reserved]
    if not open_cpus:
        return 0
    rows, sets, vcpu = [], [], 0
    while vcpu < cells * each:
        count = rng.randint(1, cells * each - vcpu)
        near = rng.random() < 0.8 and host.open_cpus(rng.randrange(host.nodes)) or open_cpus
        cpus = sorted(rng.sample(near, rng.randint(1, min(2, len(near)))))
        rows.append(f"{vcpu}-{vcpu + count - 1} {','.join(map(str, cpus))}")
        sets += [cpus] * count
        vcpu += count
    (folder / "h0.xml").write_text(host.xml())
    cut = f"cells {cells}; "
    text = host.text() + f"guest g {{ {cut}vcpus {cells * each}; memory {cells * memory // GIB}GiB; pin {{ {'; '.join(rows)} }} }}\n"
    status, out = plan(folder, text)
    left = {n: host.room(n, False) for n in range(host.nodes) if host.open_cpus(n)}
    made = json.loads(out)["guests"][0] if status == 0 else None
    if any(f["code"] in ("NM0605", "NM0606") for f in json.loads(out).get("findings", [])):
        return 0  # a CPU for two vCPUs
    try:
        for index in range(cells):
            pull = {}
            for cpus in sets[index * each:(index + 1) * each]:
                for cpu in cpus:
                    node = host.cpus[cpu][0]
                    pull[node] = pull.get(node, 0) + 1 / len(cpus)
            way = {n: sum(p * (host.distance[n][m] + host.distance[m][n]) for m, p in pull.items())
                   for n in left if left[n] >= memory}
            if not way:
                expect(not made, f"cell {index} stands where nothing is left")
                return 0
            node = min(ids(made["cells"][index]["nodes"])) if made else min(way, key=way.get)
            expect(node in way and way[node] < min(way.values()) + 0.01, f"cell {index} is on node {node}: {way}")
            left[node] -= memory
        expect(made, "it is refused")
        return 1
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{text}\n{out}\n{host.xml()}") from None


class Edited:
    """A guest as words, so that a help can be applied to it as a person would."""

    def __init__(self, rng, name, hosts):
        self.name, self.words, self.cells = name, {}, []
        host = rng.choice(hosts)
        if rng.random() < 0.4:
            self.words["host"] = host.name
        if rng.random() < 0.2:
            self.words["count"] = str(rng.randint(2, 5))
        self.words["pin"] = rng.choice(["node", "cpus", "cpus", "cores"])
        if rng.random() < 0.35:
            self.words["pages"] = "1GiB"
        if rng.random() < 0.25:
            self.words["within"] = rng.choice(["socket", "node", "l3"])
        if rng.random() < 0.2:
            self.words["emulator"] = "isolate"
        threads = " { threads 2 }" if rng.random() < 0.2 else ""
        if rng.random() < 0.5:
            count = rng.choice([1, 1, 2, 4])
            if count > 1 or rng.random() < 0.2:
                self.words["cells"] = str(count)
            elif rng.random() < 0.5:
                self.words["node"] = str(rng.randrange(host.nodes))
            self.words["vcpus"] = f"{count * rng.choice([2, 4, 6, 8])}{threads}"
            self.words["memory"] = f"{count * rng.choice([1, 2, 4, 9])}GiB"
            return
        for number in range(rng.randint(1, 4)):
            cell = {"vcpus": str(rng.choice([2, 2, 4, 6])), "memory": f"{rng.choice([1, 2, 4, 7])}GiB"}
            if rng.random() < 0.3:
                cell["node"] = str(rng.randrange(host.nodes))
            if rng.random() < 0.2:
                cell["within"] = rng.choice(["l3", "core"])
            if rng.random() < 0.2:
                cell["pin"] = rng.choice(["cpus", "cores", "node"])
            self.cells.append(cell)
        if rng.random() < 0.4:
            self.words["vcpus"] = f"{sum(int(cell['vcpus']) for cell in self.cells)}"
            self.words["memory"] = f"{sum(int(cell['memory'][:-3]) for cell in self.cells)}GiB"

    def text(self):
        parts = [f"{word} {value}" for word, value in self.words.items()]
        for number, cell in enumerate(self.cells):
            words = "; ".join(f"{word} {value}" for word, value in cell.items())
            parts.append(f"cell c{number} {{ {words} }}")
        return f"guest {self.name} {{ {'; '.join(parts)} }}\n"

    def apply(self, text):
        """The words that a help quotes, put where it says."""
        for part in text.split(", and "):
            edit = re.search(r"'([a-z]+) ([^']+)'", part)
            if not edit and "leave '" not in part:
                raise AssertionError(f"a help that is no edit: {text}")
            leave = re.search(r"leave '([a-z]+)' out", part)
            word, value = (edit.group(1), edit.group(2)) if edit else (leave.group(1), None)
            cell = re.search(r"in cell 'c(\d+)'", part)
            targets = [self.cells[int(cell.group(1))]] if cell else [self.words]
            if "in its cells" in part:
                targets = self.cells
            for target in targets:
                if value is None:
                    target.pop(word, None)
                elif word == "vcpus" and "{" in target.get(word, ""):
                    target[word] = f"{value} {{ threads 2 }}"
                else:
                    target[word] = value


def refusal_of(out, name):
    for finding in json.loads(out).get("findings", []):
        at_guest = f"guest '{name}'" in finding["message"] or f"guests '{name}'" in finding["message"]
        if finding["code"].startswith("NM110") and finding["severity"] == "error" and at_guest:
            return finding
    return None


def check_cures(rng, folder):
    """Applies each help of a refused guest to its site: it must fit then.  Counts the helps."""
    hosts = [Host(rng, f"h{i}") for i in range(rng.choice([1, 1, 2]))]
    others = [Guest(rng, f"g{i}", hosts) for i in range(rng.randint(0, 4))]
    guest = Edited(rng, "it", hosts)
    for host in hosts:
        (folder / f"{host.name}.xml").write_text(host.xml())
    on = {host.name: host.text() for host in hosts}
    rest = {other.name: other.text() for other in others}
    text = "".join(on.values()) + "".join(rest.values()) + guest.text()
    refusal = refusal_of(plan(folder, text)[1], "it")
    applied = 0
    for help_text in refusal["helps"] if refusal else []:
        edited, hosts_now, rest_now = copy.deepcopy(guest), dict(on), dict(rest)
        pool = re.search(r"of host '(\w+)' \d+ pages: '(hugepages [^']*)'", help_text)
        moved = re.search(r"move guest '(\w+)'", help_text)
        if "no single edit" in help_text or help_text.startswith("say how much"):
            continue
        if pool:
            hosts_now[pool.group(1)] = hosts_now[pool.group(1)].rstrip()[:-1] + f"; {pool.group(2)} }}\n"
        elif moved:
            del rest_now[moved.group(1)]
        else:
            try:
                edited.apply(help_text)
            except AssertionError as wrong:
                raise AssertionError(f"{wrong}\n{text}\n{json.dumps(refusal, indent=1)}") from None
        cured = "".join(hosts_now.values()) + "".join(rest_now.values()) + edited.text()
        status, out = plan(folder, cured)
        findings = json.loads(out).get("findings", [])
        still = refusal_of(out, "it") if status else None
        wrong = still or [f for f in findings if f["severity"] == "error" and "'it" in f["message"]]
        expect(not wrong, f"no cure: {help_text}\n{text}\n{json.dumps(refusal, indent=1)}\n{cured}\n{wrong}")
        applied += 1
    return applied


def main():
    return BENCH.try_all([("sites keep what placement promises", check_site, 4),
                          ("single guests are placed best", check_single, 4),
                          ("every help of a refusal helps", check_cures, 4),
                          ("cells auto are as few as fit", check_auto, 4), ("pin tables draw memory", check_tables, 4)])


if __name__ == "__main__":
    sys.exit(main())
