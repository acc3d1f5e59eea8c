# SPDX-License-Identifier: MIT
#
# Sites of at most 64 KiB that want to be far more: each pulls at one place where something small could grow, by
# numbers, profiles, variables, counts, hosts, sets, names nearly right, or nesting.  What must come of them is the
# caller's business.

LIMIT = 65536
SMALL = 'host h { synthetic "pack:2 [numa(memory=64GiB)] core:8 pu:2" }\n'
CPUS = 'host h { synthetic "pack:16 [numa(memory=1024GiB)] l3:8 core:16 pu:2" }\n'
NODES = 'host h { synthetic "pack:16 numa:16(memory=64GiB) core:8 pu:2" }\n'
ALTERNATE = ",".join(str(2 * i) for i in range(4090))

MANY_HOSTS = " ".join(f"h{i}" for i in range(400))
MANY_BLOCKS = "".join(f"at h{i} {{ pin cpus }}\n" for i in range(400))
HOSTS = 'host h0 { synthetic "pack:2 [numa(memory=64GiB)] core:8 pu:2" }\n' + "".join(f"host h{i} {{ like h0 }}\n" for i in range(1, 400))
BIG_HOSTS = HOSTS.replace("pack:2 [numa(memory=64GiB)] core:8 pu:2", "pack:16 [numa(memory=1024GiB)] l3:8 core:16 pu:2")


def fill(line, head="", tail="", room=LIMIT):
    """`line` with 0, 1, 2, ... as often as there is room for, in one text."""
    parts, size, number = [head], len(head) + len(tail), 0
    while size + len(line(number)) <= room:
        parts.append(line(number))
        size += len(parts[-1])
        number += 1
    return "".join(parts) + tail


def used(words, line="guest a{0} {{ use p }}\n", head="", share=0.5):
    """A profile `p` that says `words(i)` line by line, and guests that use it."""
    profile = fill(words, head + "profile p {\n", "}\n", int(LIMIT * share))
    return fill(line.format, profile)


def chain(count, uses):
    return "".join(f"profile p{i} {{ use {' '.join(f'p{j}' for j in uses(i) if j < count)} }}\n" if any(
        j < count for j in uses(i)) else f"profile p{i} {{}}\n" for i in range(count))


def matrix():
    return "".join(f"{i} " + " ".join("10" if i == j else "20" for j in range(128)) + "\n" for i in range(128))


def guests():
    return {
        "guests": fill("guest a{0} {{}}\n".format),
        "guests on a small host": fill("guest a{0} {{ memory 1MiB; vcpus 1; pin cpus }}\n".format, SMALL),
        "guests on many CPUs": fill("guest a{0} {{ memory 1MiB; vcpus 1; pin cpus }}\n".format, CPUS),
        "guests of cells on many nodes": fill("guest a{0} {{ memory 4MiB; vcpus 8; cells 4; pin none }}\n".format, NODES),
        "guests that take all": fill("guest a{0} {{ memory all; vcpus all; cells host }}\n".format, NODES),
        "guests that do not fit": fill("guest a{0} {{ memory 9TiB; vcpus 4; pin cpus }}\n".format, NODES),
        "count": "guest a { memory 1MiB; vcpus 1; count 16384 }\n",
        "count on many CPUs": CPUS + "guest a { memory 1MiB; vcpus 1; count 16384; pin none }\n",
        "count on many nodes": NODES + "guest a { memory 4MiB; vcpus 4; cells 4; count 16384; pin none }\n",
        "count within": NODES + "guest a { memory 4MiB; vcpus 4; cells auto; count 16384; within core }\n",
        "count of many vCPUs": NODES + "guest a { memory 1GiB; vcpus 255; count 16384; pin none }\n",
        "count again and again": fill("guest a{0} {{ count 16384 }}\n".format),
        "count that does not fit": SMALL + "guest a { memory 1TiB; vcpus 400; count 16384; pin cpus }\n",
        "count with a matrix": f"guest a {{ count 16384; vcpus 128; memory 128GiB; cells 128\ndistances {{\n{matrix()}}} }}\n",
        "count with iothreads": "guest a { memory 1MiB; vcpus 1; iothreads 1024; count 16384 }\n",
        "guests that say words for many hosts": fill("guest a{0} {{ memory 1MiB; vcpus 1; host h0; at h0 {{ node 0 }}; at h1 {{}} }}\n".format, HOSTS),
        "a profile with words for many hosts": fill("guest a{0} {{ use p; memory 1MiB; vcpus 1 }}\n".format,
                                                    HOSTS + "profile p {\n" + MANY_BLOCKS + "}\n"),
        "words for many hosts": fill("at h{0} {{ node 0 }}\n".format, "guest a { memory 1MiB; vcpus 1\n", "}\n"),
        "words for hosts that count": HOSTS + "guest a { memory 1MiB; vcpus 1; count 16384\n" + MANY_BLOCKS + "}\n",
        "guests that move": fill(f"guest a{{0}} {{{{ memory 1MiB; vcpus 1; migrate {MANY_HOSTS} }}}}\n".format, HOSTS),
        "guests that count and move": HOSTS + f"guest a {{ memory 1MiB; vcpus 1; pin cpus; count 4000; migrate {MANY_HOSTS} }}\n",
        "one that moves over large hosts": BIG_HOSTS + f"guest a {{ memory 1MiB; vcpus 1; count 16; migrate {MANY_HOSTS} }}\n",
        "count with a long text": 'guest a { memory 1MiB; vcpus 1; count 16384; boot { cmdline "' + "x" * 60000
                                  + '" } }\n',
    }


def numbers():
    site = "guest a { memory 64GiB; vcpus 4; %s }\n"
    return {
        "cells": site % "cells 2147483647",
        "cells with distances": site % "cells 65535; distances 20",
        "cell blocks": fill("cell c{0} {{}}\n".format, NODES + "guest a { memory 64GiB; vcpus 4\n", "}\n"),
        "cell blocks with ids": fill("cell {0} {{ ids {0} }}\n".format, "guest a { memory 64GiB; vcpus 60000\n", "}\n"),
        "vcpus": "guest a { memory 1GiB; vcpus 2147483647 }\n",
        "vcpus on a host": NODES + "guest a { memory 1GiB; vcpus 2147483647; pin cpus }\n",
        "vcpus by two guests": "profile p { vcpus 2147483647 }\nguest a { use p; memory 1GiB }\nguest b { use p; memory 1GiB }\n",
        "topology": "guest a { memory 1GiB; vcpus 8 { sockets 2147483647; cores 2147483647; threads 2147483647 } }\n",
        "iothreads": site % "iothreads 2147483647",
        "iothread": site % "iothread 2147483647 {}",
        "iothreads by two guests": "profile p { iothreads 2147483647 }\nguest a { use p; memory 1GiB; vcpus 1 }\n"
                                   "guest b { use p; memory 1GiB; vcpus 1 }\n",
        "memory": "guest a { memory 16777215TiB; vcpus 1; count 16384 }\n",
        "memory of cells": "guest a { vcpus 2\ncell a { memory 16777215TiB }\ncell b { memory 16777215TiB }\n}\n",
        "pages": SMALL + "guest a { memory 1GiB; vcpus 1; pages 1KiB }\n",
        "pools": NODES + "host g { like h; hugepages 1024TiB { all 2147483647 }; hugepages 1KiB { all 2147483647 }\n"
                         "memory { all 16777215TiB } }\n",
        "reserves": NODES + "host g { like h; reserve a { memory 16777215TiB }; reserve b { memory 16777215TiB }\n"
                            "reserve c { hugepages 1GiB { all 2147483647 } } }\nguest a { memory 1GiB; vcpus 1 }\n",
        "a row of distances": f"guest a {{ vcpus 4; memory 4GiB; cells 2\ndistances {{ 0 {'10 ' * 20000}}} }}\n",
        "rows of distances": fill("{0} 10 20\n".format, "guest a { vcpus 4; memory 4GiB; cells 2\ndistances {\n", "} }\n"),
        "rows of pins": fill("{0} {0}\n".format, CPUS + "guest a { memory 1GiB; vcpus 60000; pin {\n", "} }\n"),
        "pins one each": CPUS + "guest a { memory 1GiB; vcpus 4096; count 100; pin { 0-4095 0-4095 each } }\n",
    }


def layers():
    return {
        "profiles in a chain": chain(2000, lambda i: [i + 1]) + "guest a { use p0 }\n",
        "profiles in diamonds": fill("guest a{0} {{ use p0 }}\n".format, chain(60, lambda i: [i + 1, i + 2, i + 3])),
        "profiles never used": chain(700, lambda i: range(i + 1, i + 8)),
        "a profile of cells": used("cell c{0} {{}}\n".format),
        "a profile of rows": fill("guest a{0} {{ use p }}\n".format, fill(
            "{0} {0}\n".format, "profile p { vcpus 64; pin {\n", "} }\n", LIMIT // 2)),
        "a profile of mistakes": used("zz{0} {0}\n".format),
        "a profile of features": used(lambda i: f"cpu host-model {{ features {' '.join(f'f{n}' for n in range(4000))} }}\n"
                                      if not i else "memory 1MiB\n" if i == 1 else "vcpus 1\n" if i == 2 else "#" * 99 + "\n"),
        "a profile of a long set": used(lambda i: f"cpus {ALTERNATE}\n" if not i else "#" * 99 + "\n", head=CPUS),
        "a profile of a matrix": fill("guest a{0} {{ use p }}\n".format,
                                      f"profile p {{ vcpus 128; memory 128GiB; cells 128\ndistances {{\n{matrix()}}} }}\n"),
        "a profile used again and again": "profile p {}\nguest a { use " + "p " * 30000 + "}\n",
        "a profile named by a variable": fill("guest a{0} {{ use $s }}\n".format, fill(
            "profile p{0} {{ vcpus 4 }}\n".format, room=10000) + f"let s {' '.join(f'p{i}' for i in range(250))}\n"),
        "a variable of many values": f"let s {'a ' * 15000}\nguest g {{ use {'$s ' * 8000}}}\n",
        "a variable of a long text": f'let s {"a" * 30000}\nguest g {{ boot {{ cmdline "{"$s" * 16000}" }} }}\n',
        "a variable of a long set": fill("guest a{0} {{ cpus $s }}\n".format, f"{CPUS}let s {ALTERNATE}\n"),
        "variables": fill("let v{0} 1\n".format),
    }


def hosts():
    guest = "guest a { memory 1GiB; vcpus 4 }\n"
    return {
        "one that is wide": 'host h { synthetic "core:4096 pu:1" }\n' + guest,
        "one of many CPUs": 'host h { synthetic "core:8192 pu:2" }\n' + guest,
        "one of many nodes": 'host h { synthetic "numa:1024 core:2 pu:1" }\n' + guest,
        "that differ": fill('host h{0} {{ synthetic "core:{0} pu:1" }}\n'.format),
        "that are like one": fill("host i{0} {{ like h }}\n".format, NODES, guest),
        "in a chain": fill(lambda i: f"host h{i + 1} {{ like h{i} }}\n", 'host h0 { synthetic "core:1 pu:1" }\n'),
        "with guests that fit on none": fill("host i{0} {{ like h }}\nguest a{0} {{ memory 9TiB; vcpus 2 }}\n".format, NODES),
        "that are not there": fill('host h{0} {{ topology "missing{0}" }}\n'.format),
        "with reserves": fill("reserve r{0} {{ cpus core:all.pu:0 }}\n".format, CPUS + "host g { like h\n", "}\n" + guest),
        "with pools": fill(lambda i: f"hugepages {(i + 1) * 4}KiB {{ all 1 }}\n", NODES + "host g { like h\n", "}\n" + guest),
        "with rows of memory": fill("{0} 4GiB\n".format, NODES + "host g { like h; memory {\n", "} }\n" + guest),
        "that isolate": fill("host i{0} {{ like h; isolated core:all.pu:0 }}\n".format, CPUS),
        "with long sets": CPUS + f"guest a {{ memory 1GiB; vcpus 16; cpus all,^{ALTERNATE.replace(',', ',^')} }}\n"[:60000],
        "with places": CPUS + f"guest a {{ memory 1GiB; vcpus 16; cpus {','.join(['core:all.pu:0'] * 4090)} }}\n",
        "with deep places": CPUS + f"guest a {{ memory 1GiB; vcpus 16; cpus {','.join(['core:0-65535.pu:all'] * 3000)} }}\n",
        "with places of guests": fill("guest a{0} {{ memory 1MiB; vcpus 1; cpus core:all.pu:all }}\n".format, CPUS),
        "with places of nodes": NODES + f"guest a {{ memory 1GiB; vcpus 16; node {','.join(['node:all'] * 4090)} }}\n",
    }


def mistakes():
    return {
        "words": fill("zzzz{0} x\n".format),
        "signs": "=\n" * 30000,
        "a line of signs": "=" * 65000,
        "quotes": '"' * 65000,
        "braces": "{" * 65000,
        "depth": "a {\n" * 16000,
        "a long line": "guest a { " + "vcpus 4;" * 8000 + "}",
        "long words": f"guest {'a' * 30000} {{}}\nguest b {{ use {'a' * 30000} }}\n",
        "guests of one name": "guest a {}\n" * 5000,
        "settings said again": "guest a {\n" + "vcpus 1\n" * 8000 + "}\n",
        "profiles nearly named": fill("guest g{0} {{ use nnnnnnnnnnnmnn{0} }}\n".format,
                                      fill("profile nnnnnnnnnnnnnn{0} {{}}\n".format, room=32000)),
        "hosts nearly named": fill("guest g{0} {{ host nnnnnnnnnnnmnn{0} }}\n".format,
                                   fill("host nnnnnnnnnnnnnn{0} {{}}\n".format, room=32000)),
        "variables nearly named": fill("guest g{0} {{ vcpus $w{0} }}\n".format, fill("let v{0} 1\n".format, room=32000)),
        "names by a variable": fill("guest a{0} {{ use $s }}\n".format, fill(
            "profile n{0} {{}}\n".format, room=20000) + f"let s {' '.join(f'm{i}' for i in range(3000))}\n"),
        "removals": f"guest a {{ remove {' '.join(f'cell:c{i}' for i in range(4000))} }}\n",
    }


def yaml():
    return {
        "braces": "a: " + "{a: " * 13000,
        "brackets": "[" * 65000,
        "brackets of a guest": "guest: " + "[" * 60000,
        "aliases": "a: &a [x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(20)),
        "anchors": fill("a{0}: &b{0} 1\n".format),
        "merge keys": "<<: {a: 1}\n" * 5000,
        "guests": fill(" a{0}: {{}}\n".format, "guest:\n"),
        "one key": "guest:\n" + " a: {}\n" * 8000,
        "keys": fill("k{0}: 1\n".format),
        "a long scalar": "guest: " + "a " * 32000,
        "lines of one scalar": "guest:\n a:\n  base: " + "\n\n   a" * 10000,
        "escapes": 'guest: {a: {base: "' + "\\x41" * 14000 + '"}}',
        "indents": "".join(" " * i + "a:\n" for i in range(340)),
        "dashes": "- " * 32000,
        "question marks": "? " * 32000,
        "colons": "a: " * 20000,
        "tags": "!a " * 20000,
        "documents": "---\n" * 16000,
        "directives": "%YAML 1.1\n" * 6000,
    }


def all_sites():
    """Name (with the ending of its notation) to text."""
    kinds = {"": guests(), "number: ": numbers(), "layer: ": layers(), "host: ": hosts(), "mistake: ": mistakes()}
    sites = {f"{kind}{name}.numa": text for kind, rows in kinds.items() for name, text in rows.items()}
    return sites | {f"yaml: {name}.yaml": text for name, text in yaml().items()}
