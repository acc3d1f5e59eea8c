#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# A made-up site for benchmarks: guests of 4 cells with pins, huge pages and distances, 16 on each host of 8 nodes.
#   site.py numa|yaml|live [-g 10000] [-o FILE]
# Both notations say the same, one thing a line, so that a parser meets the same number of words.  live: guests of 4
# small cells for the machine this runs on.

import argparse
import sys

NODES, CPUS_A_NODE, CELLS, VCPUS, GUESTS_A_HOST = 8, 34, 4, 4, 16
SYNTHETIC_TEXT = f"pack:{NODES} [numa(memory=137438953472)] core:{CPUS_A_NODE} pu:1"


def guest(number):
    place = number % GUESTS_A_HOST
    cells = []
    for cell in range(CELLS):
        node = (place + cell) % NODES
        first = node * CPUS_A_NODE + (cell + place // NODES * CELLS) * VCPUS  # nobody else's on this host
        cells.append({"node": node, "first": first, "last": first + VCPUS - 1, "from": cell * VCPUS,
                      "to": cell * VCPUS + VCPUS - 1,
                      "row": " ".join("10" if other == cell else "21" for other in range(CELLS))})
    return cells


def numa(count, out):
    hosts = (count + GUESTS_A_HOST - 1) // GUESTS_A_HOST
    out(f'host h0 {{\n    synthetic "{SYNTHETIC_TEXT}"\n    hugepages 2MiB {{\n        0-{NODES - 1} 49152\n    }}\n'
        '    balancing no\n    versions { libvirt 9.0.0; qemu 7.2.0; kernel 6.1.0 }\n}\n')
    for host in range(1, hosts):
        out(f"host h{host} {{\n    like h0\n}}\n")
    for number in range(count):
        cells = guest(number)
        out(f"guest guest-{number:05d} {{\n    host h{number // GUESTS_A_HOST}\n    machine q35\n    vcpus {CELLS * VCPUS}\n"
            f"    memory {CELLS * 4}GiB\n    pages 2MiB\n")
        for index, cell in enumerate(cells):
            out(f"    cell {index} {{\n        ids {cell['from']}-{cell['to']}\n        memory 4GiB\n"
                f"        node {cell['node']} strict\n    }}\n")
        out("    pin {\n")
        for cell in cells:
            out(f"        {cell['from']}-{cell['to']} {cell['first']}-{cell['last']} each\n")
        out("    }\n    distances {\n")
        for index, cell in enumerate(cells):
            out(f"        {index} {cell['row']}\n")
        out("    }\n}\n")


def yaml(count, out):
    hosts = (count + GUESTS_A_HOST - 1) // GUESTS_A_HOST
    out(f'host:\n  h0:\n    synthetic: "{SYNTHETIC_TEXT}"\n    hugepages:\n      2MiB:\n        0-{NODES - 1}: 49152\n'
        '    balancing: no\n    versions: { libvirt: 9.0.0, qemu: 7.2.0, kernel: 6.1.0 }\n')
    for host in range(1, hosts):
        out(f"  h{host}:\n    like: h0\n")
    out("guest:\n")
    for number in range(count):
        cells = guest(number)
        out(f"  guest-{number:05d}:\n    host: h{number // GUESTS_A_HOST}\n    machine: q35\n    vcpus: {CELLS * VCPUS}\n"
            f"    memory: {CELLS * 4}GiB\n    pages: 2MiB\n    cell:\n")
        for index, cell in enumerate(cells):
            out(f"      {index}:\n        ids: {cell['from']}-{cell['to']}\n        memory: 4GiB\n"
                f"        node: {cell['node']} strict\n")
        out("    pin:\n")
        for cell in cells:
            out(f"      {cell['from']}-{cell['to']}: {cell['first']}-{cell['last']} each\n")
        out("    distances:\n")
        for index, cell in enumerate(cells):
            out(f"      {index}: {cell['row']}\n")



def live(count, out):
    out("host here {\n    topology live\n}\n")
    for number in range(count):
        out(f"guest guest-{number:05d} {{\n    host here\n    vcpus {CELLS * VCPUS}\n    memory {CELLS * 64}MiB\n")
        for cell in range(CELLS):
            out(f"    cell {cell} {{ ids {cell * VCPUS}-{cell * VCPUS + VCPUS - 1} }}\n")
        out("}\n")


def main():
    parser = argparse.ArgumentParser(description="a made-up site for benchmarks")
    parser.add_argument("notation", choices=["numa", "yaml", "live"])
    parser.add_argument("-g", "--guests", type=int, default=10000)
    parser.add_argument("-o", "--out")
    options = parser.parse_args()
    file = open(options.out, "w", encoding="utf-8") if options.out else sys.stdout
    {"numa": numa, "yaml": yaml, "live": live}[options.notation](options.guests, file.write)
    file.flush()


if __name__ == "__main__":
    main()
