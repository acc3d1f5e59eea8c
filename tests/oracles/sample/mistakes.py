# SPDX-License-Identifier: MIT
#
# Mistakes that an emitter could make, as edits of the sample's command line, each with the fact it falsifies and the
# oracles that can see it.  An oracle that overlooks one is no oracle.

import pathlib
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).resolve().parent
ARGV = FOLDER / "guest.argv"
XML = FOLDER / "guest.xml"
PLAN = FOLDER / "plan.json"


@dataclass(frozen=True)
class Mistake:
    about: str
    right: str
    wrong: str
    needs_libvirt: tuple = (0,)  # the version from which on libvirt can show it
    libvirt_sees: bool = True
    engine_sees: bool = True  # a paused QEMU shows it too; else only the comparison of command lines does


MISTAKES = (
    Mistake("a vcpu in another cell", "cpus=2-3,cpus=6-7,initiator", "cpus=2-3,cpus=6,initiator"),
    Mistake("two cells' vcpus exchanged", "nodeid=0,cpus=0-1,cpus=4-5", "nodeid=0,cpus=0-1,cpus=6-7"),
    Mistake("memory exchanged between cells", "nodeid=1,cpus=2-3,cpus=6-7,initiator=1,memdev=ram-cell1",
            "nodeid=1,cpus=2-3,cpus=6-7,initiator=1,memdev=ram-cell2"),
    Mistake("a distance", "src=0,dst=2,val=31", "src=0,dst=2,val=30"),
    Mistake("a distance of the other direction", "src=2,dst=0,val=31", "src=2,dst=0,val=41"),
    Mistake("sockets and cores exchanged", "sockets=2,dies=1,cores=2,threads=2", "sockets=4,dies=1,cores=1,threads=2"),
    Mistake("threads and cores exchanged", "cores=2,threads=2", "cores=4,threads=1"),
    Mistake("vcpus that are there for good", "5,maxcpus=8", "4,maxcpus=8"),
    Mistake("the most vcpus", "maxcpus=8,sockets=2,dies=1,cores=2", "maxcpus=12,sockets=3,dies=1,cores=2"),
    Mistake("the thread of a plugged vcpu", "id=vcpu6,socket-id=1,core-id=1,thread-id=0",
            "id=vcpu6,socket-id=1,core-id=0,thread-id=1", libvirt_sees=False),
    Mistake("an irqchip in the kernel", ",kernel-irqchip=split", "", engine_sees=False),
    Mistake("an IOMMU without extended interrupts", "eim=on", "eim=off", engine_sees=False),
    Mistake("share", "hugetlbsize=1073741824,share=on", "hugetlbsize=1073741824,share=off"),
    Mistake("host nodes", "host-nodes=0-1,host-nodes=5", "host-nodes=0-1,host-nodes=6", engine_sees=False),
    Mistake("policy", "host-nodes=5,policy=interleave", "host-nodes=5,policy=bind", engine_sees=False),
    Mistake("preferred made strict", "policy=preferred,prealloc", "policy=bind,prealloc", engine_sees=False),
    Mistake("page size", "hugetlbsize=1073741824", "hugetlbsize=2097152", engine_sees=False),
    Mistake("preallocation", "host-nodes=3,policy=bind,prealloc=on,prealloc-threads=2,prealloc-context=near-cell0",
            "host-nodes=3,policy=bind", engine_sees=False),
    Mistake("preallocating threads", "policy=preferred,prealloc=on,prealloc-threads=2",
            "policy=preferred,prealloc=on,prealloc-threads=1", engine_sees=False),
    Mistake("where preallocation runs", "id=near-cell2,node-affinity=1", "id=near-cell2,node-affinity=2", engine_sees=False),
    Mistake("workers of an iothread", "thread-pool-max=8", "thread-pool-max=9"),
    Mistake("polling of an iothread", "poll-max-ns=50000", "poll-max-ns=5000", needs_libvirt=(9, 4)),
    Mistake("how polling grows", "poll-grow=2", "poll-grow=3", needs_libvirt=(9, 4)),
    Mistake("an initiator", "nodeid=2,initiator=1", "nodeid=2,initiator=0"),
    Mistake("a latency", "access-latency,latency=140", "access-latency,latency=141"),
    Mistake("a latency of another pair", "initiator=0,target=1,", "initiator=1,target=0,"),
    Mistake("reads and writes exchanged", "read-bandwidth,bandwidth=30720M", "access-bandwidth,bandwidth=30720M"),
    Mistake("a bandwidth", "bandwidth=8192M", "bandwidth=8193M"),
    Mistake("the level of a latency", "hierarchy=first-level", "hierarchy=second-level"),
    Mistake("the size of a side cache", "size=67108864", "size=67112960"),
    Mistake("the associativity of a side cache", "associativity=direct", "associativity=complex"),
    Mistake("the policy of a side cache", "policy=write-back", "policy=write-through"),
    Mistake("the line of a side cache", "line=64", "line=128"),
    Mistake("the cell of a bus", "bus_nr=180,numa_node=1", "bus_nr=180,numa_node=0"),
    Mistake("the number of a bus", "bus_nr=250", "bus_nr=249"),
    Mistake("the bus of a port", "id=pci.5,bus=pci.4,addr=0x0", "id=pci.5,bus=pci.1,addr=0x2"),
    Mistake("the slot of a port", "id=pci.3,bus=pci.1,addr=0x1", "id=pci.3,bus=pci.1,addr=0x2"),
    Mistake("room to grow", "maxmem=8388608k", "maxmem=9437184k", engine_sees=False),
    Mistake("the number of slots", "slots=4", "slots=5", engine_sees=False),
    Mistake("the size of a dimm", "id=ram-memory1,size=268435456", "id=ram-memory1,size=270532608"),
    Mistake("the cell of a dimm", "memdev=ram-memory1,node=1", "memdev=ram-memory1,node=2"),
    Mistake("the slot of a dimm", "slot=2", "slot=1"),
    Mistake("host nodes of a dimm", "host-nodes=2,policy", "host-nodes=4,policy", engine_sees=False),
    Mistake("the cell of virtio-mem", "memdev=ram-memory2,node=2", "memdev=ram-memory2,node=1"),
    Mistake("the block of virtio-mem", "block-size=4194304", "block-size=2097152"),
    Mistake("what virtio-mem takes", "requested-size=268435456", "requested-size=272629760"),
    Mistake("allocation of virtio-mem", "requested-size=268435456,prealloc=on", "requested-size=268435456",
            engine_sees=False),
    Mistake("reservation for virtio-mem", "policy=preferred,reserve=off", "policy=preferred", engine_sees=False),
    Mistake("the file of an nvdimm", "mem-path=/srv/sample", "mem-path=/srv/sampel", engine_sees=False),
    Mistake("the alignment of an nvdimm", "align=4194304", "align=2097152", engine_sees=False),
    Mistake("the labels of an nvdimm", "label-size=131072", "label-size=262144", engine_sees=False),
    Mistake("the address of an nvdimm", "addr=5637144576", "addr=5771362304"),
    Mistake("the port of a device", "id=hostdev0,bus=pci.3", "id=hostdev0,bus=pci.2"),
    Mistake("the bus of a device", "id=hostdev1,bus=pci.5", "id=hostdev1,bus=pci.2"),
    Mistake("a device on no bus of a cell", "id=hostdev1,bus=pci.5", "id=hostdev1,bus=pcie.0"),
    Mistake("which device it is", "host=0000:41:00.0", "host=0000:41:00.1"),
    Mistake("locking", "mem-lock=on", "mem-lock=off", engine_sees=False),
)


def wrong_argv(mistake):
    text = ARGV.read_text()
    if text.count(mistake.right) != 1:
        raise ValueError(f"'{mistake.right}' stands {text.count(mistake.right)} times in the sample")
    text = text.replace(mistake.right, mistake.wrong)
    # the rest must stay a command line that QEMU takes: every vcpu and every backend used once
    if "memdev=ram-cell2" in mistake.wrong:
        text = text.replace("nodeid=2,initiator=1,memdev=ram-cell2", "nodeid=2,initiator=1,memdev=ram-cell1")
    if mistake.about == "two cells' vcpus exchanged":
        text = text.replace("cpus=2-3,cpus=6-7", "cpus=2-3,cpus=4-5")
    if mistake.about == "a vcpu in another cell":
        text = text.replace("nodeid=0,cpus=0-1,cpus=4-5", "nodeid=0,cpus=0-1,cpus=4-5,cpus=7")
    return text
