#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Reads every recorded host of the corpus a second time, with Python's own XML parser, and compares with what numac
# says of it: nodes, CPUs, memory, page pools, distances, and who shares a package, L3 and core.  TAP on stdout.
#
#   tests/corpus_hosts.py [COMMAND...]      the command that prints a host as JSON, the file is appended;
#                                           default: build/numac host show --format json
# The corpus is NUMAC_CORPUS or ../shared/corpus beside the checkout; without it the test is skipped, visibly.
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.environ.get('NUMAC_CORPUS') or os.path.join(PROJECT, '..', 'shared', 'corpus')
COMMAND = sys.argv[1:] or [os.path.join(PROJECT, 'build', 'numac'), 'host', 'show', '--format', 'json']


def bits(text):
    """hwloc's "0x00000001,,0x0000ffff": words of 32 bits, the highest first."""
    value = 0
    for word in text.split(','):
        value = value << 32 | (int(word, 16) if word else 0)
    return {i for i in range(value.bit_length()) if value >> i & 1}


def bitmap(element, name):
    return bits(element.get(name)) if element.get(name) else set()


def cpulist(text):
    numbers = set()
    for part in text.split(','):
        first, _, last = part.partition('-')
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def sharing(root, kind, usable):
    """The sets of usable CPUs below each object of a kind."""
    sets = [frozenset(bitmap(o, 'cpuset') & usable) for o in root.iter('object') if o.get('type') == kind]
    return {s for s in sets if s}


def infos(element):
    return {i.get('name') for i in element.findall('info')}


def hwloc_pools(node):
    rows = {int(p.get('size')): int(p.get('count')) for p in node.findall('page_type')}
    base = min([size for size in rows if size <= 65536], default=0)
    was_counted = not base or rows[base] or not node.get('local_memory')
    return {size: (count if count or was_counted else None) for size, count in rows.items() if size != base}


def hwloc_distances(root, nodes):
    for must_be_named in (True, False):
        for matrix in root.iter('distances2'):
            if matrix.get('type') != 'NUMANode' or not int(matrix.get('kind')) & 4:
                continue
            if (matrix.get('name') == 'NUMALatency') != must_be_named:
                continue
            ids = [int(i) for e in matrix.findall('indexes') for i in e.text.split()]
            values = [int(v) for e in matrix.findall('u64values') for v in e.text.split()]
            if sorted(ids) == nodes:
                table = {(a, b): values[i * len(ids) + j] for i, a in enumerate(ids) for j, b in enumerate(ids)}
                return [[table[a, b] for b in nodes] for a in nodes]
    return [[10]] if len(nodes) == 1 else None


def read_hwloc(root):
    machine = root.find('object')
    usable = bitmap(machine, 'cpuset') & bitmap(machine, 'allowed_cpuset')
    elements = [o for o in root.iter('object') if o.get('type') == 'NUMANode']
    is_said = any(o.get('local_memory') for o in elements)
    nodes = {}
    for node in elements:
        nodes[int(node.get('os_index'))] = {
            'cpus': set() if 'numac.cpus' in infos(node) else bitmap(node, 'cpuset') & usable,
            'memory': int(node.get('local_memory', 0)) if is_said else None,
            'pools': hwloc_pools(node),
        }
    return {
        'nodes': nodes,
        'distances': hwloc_distances(root, sorted(nodes)),
        'online': usable,
        'offline': bitmap(machine, 'complete_cpuset') - bitmap(machine, 'cpuset'),
        'package': sharing(root, 'Package', usable),
        'l3': sharing(root, 'L3Cache', usable),
        'core': sharing(root, 'Core', usable),
    }


def capabilities_cores(cpus):
    if not all(c.get('siblings') for c in cpus):
        return None
    return {frozenset(cpulist(c.get('siblings'))) for c in cpus}


def read_capabilities(root):
    nodes, rows, cpus = {}, {}, root.findall('./host/topology/cells/cell/cpus/cpu')
    for cell in root.findall('./host/topology/cells/cell'):
        memory = cell.find('memory')
        pages = {int(p.get('size')) * 1024: int(p.text) for p in cell.findall('pages')}
        nodes[int(cell.get('id'))] = {
            'cpus': {int(c.get('id')) for c in cell.findall('cpus/cpu')},
            'memory': int(memory.text) * 1024 if memory is not None else None,
            'pools': {size: count for size, count in pages.items() if size > 65536},
        }
        rows[int(cell.get('id'))] = {int(s.get('id')): int(s.get('value')) for s in cell.findall('distances/sibling')}
    ids = sorted(nodes)
    is_whole = all(b in rows[a] for a in ids for b in ids)
    sockets = {}
    for cpu in cpus:
        if cpu.get('socket_id'):
            sockets.setdefault(cpu.get('socket_id'), set()).add(int(cpu.get('id')))
    banks = [frozenset(cpulist(b.get('cpus'))) for b in root.findall('./host/cache/bank') if b.get('level') == '3']
    return {
        'nodes': nodes,
        'distances': [[rows[a][b] for b in ids] for a in ids] if is_whole else [[10]] if len(ids) == 1 else None,
        'online': {int(c.get('id')) for c in cpus},
        'offline': set(),
        'package': {frozenset(s) for s in sockets.values()},
        'l3': set(banks),
        'core': capabilities_cores(cpus),
    }


def said_sharing(said, level):
    sets = {}
    for cpu in said['cpus']:
        if cpu[level] is not None:
            sets.setdefault(cpu[level], set()).add(cpu['os_index'])
    return {frozenset(s) for s in sets.values()}


def compare(said, expected):
    """What differs, as lines."""
    wrong = []

    def check(what, got, want):
        if got != want:
            wrong.append(f'{what}: numac says {got}, the file says {want}')

    nodes = {n['os_index']: n for n in said['nodes']}
    check('nodes', sorted(nodes), sorted(expected['nodes']))
    for number in sorted(set(nodes) & set(expected['nodes'])):
        got, want = nodes[number], expected['nodes'][number]
        check(f'cpus of node {number}', sorted(got['cpus']), sorted(want['cpus']))
        check(f'memory of node {number}', got['memory_bytes'], want['memory'])
        pools = {p['page_bytes']: p['total'] for p in got['pools'] or []}
        check(f'pools of node {number}', pools, want['pools'])
    check('distances', said['distances'], expected['distances'])
    check('online cpus', said['online_cpus'], sorted(expected['online']))
    check('offline cpus', said['offline_cpus'], sorted(expected['offline']))
    for level in ('package', 'l3', 'core'):
        if expected[level] is not None:
            check(level, sorted(map(sorted, said_sharing(said, level))), sorted(map(sorted, expected[level])))
    for cpu in said['cpus']:
        if cpu['node'] is not None:
            check(f'node of cpu {cpu["os_index"]}', cpu['os_index'] in expected['nodes'][cpu['node']]['cpus'], True)
    return wrong


def examine(path):
    run = subprocess.run(COMMAND + [path], capture_output=True, text=True, timeout=120)
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        return [] if run.returncode != 0 and 'NM10' in run.stderr + run.stdout else ['no XML, yet it was accepted']
    if root.tag not in ('topology', 'capabilities'):
        return [] if run.returncode != 0 else [f'<{root.tag}> was accepted as a host']
    if root.tag == 'topology' and not root.get('version', '1').startswith('2'):
        return [] if run.returncode != 0 and 'NM1004' in run.stderr + run.stdout else ['not refused as no version 2']
    if run.returncode != 0:
        return [f'refused with status {run.returncode}'] + run.stderr.splitlines()
    return compare(json.loads(run.stdout), read_hwloc(root) if root.tag == 'topology' else read_capabilities(root))


def main():
    files = []
    for folder in ('hosts', 'capabilities'):
        base = os.path.join(CORPUS, folder)
        if os.path.isdir(base):
            files += [os.path.join(folder, f) for f in sorted(os.listdir(base)) if f.endswith(('.xml', '.txt'))]
    if not files:
        print('1..0 # SKIP no corpus: set NUMAC_CORPUS')
        return 0
    print(f'1..{len(files)}')
    failed = 0
    for number, name in enumerate(files, 1):
        wrong = examine(os.path.join(CORPUS, name))
        print(f'{"not " if wrong else ""}ok {number} - {name}')
        for line in wrong[:10]:
            print(f'# {line[:400]}')
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
