#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# What many sites do today: YAML through PyYAML's fast loader, one Jinja2 template, one stream of domains.  Nothing is
# checked and nothing is placed: the site must say all of it.  templates.py SITE.yaml

import sys

import jinja2
import yaml

TEMPLATE = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True).from_string("""\
<domain type='kvm'>
  <name>{{ name }}</name>
  <memory unit='GiB'>{{ guest.memory[:-3] }}</memory>
  <memoryBacking>
    <hugepages>
      <page size='{{ guest.pages[:-3] }}' unit='MiB'/>
    </hugepages>
  </memoryBacking>
  <vcpu placement='static'>{{ guest.vcpus }}</vcpu>
  <cputune>
  {% for vcpus, pinned in guest.pin.items() %}
    {% set first, last = vcpus.split('-') %}
    {% set cpu = pinned.split('-')[0]|int %}
    {% for vcpu in range(first|int, last|int + 1) %}
    <vcpupin vcpu='{{ vcpu }}' cpuset='{{ cpu + loop.index0 }}'/>
    {% endfor %}
  {% endfor %}
  </cputune>
  <numatune>
  {% for number, cell in guest.cell.items() %}
    <memnode cellid='{{ number }}' mode='{{ cell.node.split()[1] }}' nodeset='{{ cell.node.split()[0] }}'/>
  {% endfor %}
  </numatune>
  <os>
    <type arch='x86_64' machine='{{ guest.machine }}'>hvm</type>
  </os>
  <cpu mode='host-passthrough'>
    <numa>
  {% for number, cell in guest.cell.items() %}
      <cell id='{{ number }}' cpus='{{ cell.ids }}' memory='{{ cell.memory[:-3] }}' unit='GiB'>
        <distances>
    {% for distance in (guest.distances[number]|string).split() %}
          <sibling id='{{ loop.index0 }}' value='{{ distance }}'/>
    {% endfor %}
        </distances>
      </cell>
  {% endfor %}
    </numa>
  </cpu>
</domain>
""")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        site = yaml.load(file, Loader=yaml.CSafeLoader)
    sys.stdout.write("<domains>\n")
    for name, guest in site["guest"].items():
        sys.stdout.write(TEMPLATE.render(name=name, guest=guest))
    sys.stdout.write("</domains>\n")


if __name__ == "__main__":
    main()
