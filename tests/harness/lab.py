# SPDX-License-Identifier: MIT
#
# A Linux host with as many NUMA nodes as wanted, on any machine: a stock kernel under emulation whose root is this
# machine's, read-only over 9p with a tmpfs over it; /run and /tmp are empty but for the checkout.  What is run there, and
# what comes of it, is the caller's business.

import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from harness import initramfs
from harness.program import ROOT
from harness.tap import Failure

MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "vhost_vsock")  # the last one for workers of vhost
BEGIN, END = "lab-begin", "lab-end"
INIT = """#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc none /proc
busybox mount -t sysfs none /sys
busybox mount -t devtmpfs none /dev
for module in {modules}; do busybox insmod /$module || busybox echo "no $module"; done
busybox mkdir -p /low /up /new
busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose root /low || busybox poweroff -f
busybox mount -t tmpfs -o size=25% none /up
busybox mkdir /up/data /up/work
busybox mount -t overlay -o lowerdir=/low,upperdir=/up/data,workdir=/up/work none /new || busybox poweroff -f
busybox mount -t proc none /new/proc
busybox mount -t sysfs none /new/sys
busybox mount -t devtmpfs none /new/dev
busybox mkdir -p /new/dev/pts
busybox mount -t devpts none /new/dev/pts
busybox mkdir -p /checkout
busybox mount -o bind /new{root} /checkout
for folder in run tmp dev/shm; do busybox mkdir -p /new/$folder; busybox mount -t tmpfs none /new/$folder; done
busybox mkdir -p /new{root}
busybox mount -o bind /checkout /new{root}
{end}
"""
ALONE = "exec busybox switch_root /new /bin/sh -c 'mount -t cgroup2 none /sys/fs/cgroup; {commands}'"
# this machine's systemd with one unit of ours, which needs none of the others
SYSTEMD = """busybox mkdir -p /new/run/systemd/system
busybox cat > /new/run/lab.sh <<'EOF'
{commands}
EOF
busybox cat > /new/run/systemd/system/lab.service <<'EOF'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
ExecStart=/bin/sh /run/lab.sh
EOF
exec busybox switch_root /new /lib/systemd/systemd --unit=lab.service --show-status=no"""
COMMANDS = """
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
ip link set lo up
echo {begin}
cd {root}
{words} 2>&1
echo {end}
sync
echo o > /proc/sysrq-trigger
sleep 60
"""


@dataclass(frozen=True)
class Node:
    cpus: int  # 0: memory only
    mebibytes: int


def _depends(path):
    found = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [name for name in (found.group(1).decode() if found else "").split(",") if name]


def _modules():
    """[(name, bytes)], each behind what it depends on; what is built in has no file."""
    files = {path.stem.replace("-", "_"): path for path in initramfs.KERNEL_FOLDER.glob("lib/modules/*/kernel/**/*.ko")}
    order = []

    def add(name):
        name = name.replace("-", "_")
        if name in files and name not in order:
            for other in _depends(files[name]):
                add(other)
            order.append(name)
    for name in MODULES:
        add(name)
    return [(f"{name}.ko", files[name].read_bytes()) for name in order]


def missing():
    """Why there can be no lab here, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed (qemu-system-x86)"
    if not initramfs.kernel() or not initramfs.shell():
        return "no kernel in build/kernel; ./setup check puts one there"
    return None if {"9p.ko", "overlay.ko"} <= {name for name, _ in _modules()} else "no module 9p or overlay in build/kernel"


def distance(source, target):
    """As in a machine of pairs: near within a pair, far outside."""
    return 10 if source == target else 12 if source // 2 == target // 2 else 32


def _machine(nodes):
    words, cpu = ["-smp", str(sum(node.cpus for node in nodes)), "-m", f"{sum(node.mebibytes for node in nodes)}M"], 0
    for number, node in enumerate(nodes):
        words += ["-object", f"memory-backend-ram,id=m{number},size={node.mebibytes}M"]
        cpus = f",cpus={cpu}-{cpu + node.cpus - 1}" if node.cpus else ""
        words += ["-numa", f"node,nodeid={number}{cpus},memdev=m{number}"]
        cpu += node.cpus
    for source in range(len(nodes)):
        for target in range(len(nodes)):
            words += ["-numa", f"dist,src={source},dst={target},val={distance(source, target)}"]
    return words


def run(nodes, words, seconds, has_systemd=False):
    """What the program said, run by root in the checkout.  Its words hold no quotes."""
    modules = _modules()
    commands = COMMANDS.format(begin=BEGIN, end=END, root=ROOT, words=" ".join(map(str, words)))
    end = (SYSTEMD if has_systemd else ALONE).format(commands=commands)
    script = INIT.format(modules=" ".join(name for name, _ in modules), end=end, root=ROOT)
    with tempfile.TemporaryDirectory(prefix="numac-lab-") as scratch:
        archive = pathlib.Path(scratch, "initramfs.gz")
        archive.write_bytes(initramfs.archive(script, modules))
        line = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-nodefaults", "-display", "none",
                "-no-reboot", "-serial", "stdio", "-kernel", str(initramfs.kernel()), "-initrd", str(archive),
                "-append", "console=ttyS0 quiet panic=-1 nokaslr mitigations=off no_timer_check", "-virtfs",
                "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap", *_machine(nodes)]
        try:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as hung:
            said = (hung.stdout or b"").decode("utf-8", "replace")
            raise Failure(f"the lab was not done within {seconds} s:\n{said[-3000:]}") from hung
    out = done.stdout.decode("utf-8", "replace").replace("\r", "")
    found = re.search(f"^{BEGIN}\n(.*)^{END}$", out, re.MULTILINE | re.DOTALL)
    if not found:
        raise Failure(f"the lab said nothing: {out[-3000:]} {done.stderr.decode('utf-8', 'replace')[-1000:]}")
    return found.group(1)
