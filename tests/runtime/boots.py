#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Examples that numac itself starts, by each of its engines, and that boot: what the guest's Linux finds of cells, their
# memory and distances is what the plan says.  How a guest is asked is oracles/boot.py's; here it is reached through
# `numac run` in the foreground, whose terminal is the guest's console.

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import initramfs, tap
from harness.program import ROOT, Numac
from harness.stage import Stage, expect, need
from oracles import boot

EXAMPLES = ("one-cell", "four-cells")
# the daemon is one of ours, in places that only it and numac see; $@ is numac's command line
WITH_DAEMON = """
for folder in /run /etc/libvirt/qemu /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do mkdir -p $folder; mount -t tmpfs none $folder; done
virtlogd -d && libvirtd -d && "$@"
status=$?
kill $(cat /run/libvirtd.pid) $(cat /run/virtlogd.pid) 2>/dev/null
exit $status
"""


def bootable(stage, example):
    """The example with a kernel to boot, and emulated, so that every machine runs it."""
    text = (ROOT / "examples" / f"{example}.numa").read_text()
    text = text.replace(" { threads 2 }", "")  # emulated, no guest of an AMD machine can see them
    stage.folder.chmod(0o755)  # libvirt's QEMU is another user
    kernel, archive = stage.folder / "kernel", stage.folder / "initramfs.gz"
    shutil.copy(initramfs.kernel(), kernel)
    archive.write_bytes(initramfs.archive(boot.SCRIPT, initramfs.modules("virtio", boot.MODULES)))
    words = "" if "accel" in text else "accel tcg; "
    words += f'boot {{ kernel "{kernel}"; initrd "{archive}"; cmdline "{boot.COMMAND_LINE}" }}'
    return stage.site(re.sub(r"^guest \S+ \{", rf"\g<0>\n    {words}", text, count=1, flags=re.MULTILINE))


def started(stage, engine, site):
    """What numac showed until the guest had switched itself off."""
    words = ["run", "--engine", engine, site]
    if engine != "libvirt":
        return stage.close(stage.open(*words), boot.SECONDS).out
    words += ["--connect", "qemu:///system"]
    done = subprocess.run(["unshare", "-m", "sh", "-c", WITH_DAEMON, "sh", stage.numac.path, *map(str, words)],
                          capture_output=True, text=True, errors="replace", timeout=2 * boot.SECONDS,
                          stdin=subprocess.DEVNULL, check=False, env=os.environ | stage.environment)
    return done.stdout + done.stderr


def boots(numac, engine, example):
    need("qemu" if engine == "qemu" else "embed")
    if engine == "libvirt" and (os.geteuid() != 0 or not shutil.which("libvirtd")):
        raise tap.Skip("only root can mount a place for a libvirt daemon of its own (libvirt-daemon-system)")
    with Stage(numac, "qemu" if engine == "qemu" else "embed") as stage:
        site = bootable(stage, example)
        expect(stage.run("build", "-o", "out", site), 0)
        plan = json.loads((stage.folder / "out" / "plan.json").read_text())["guests"][0]
        out = started(stage, engine, site).replace("\r", "")
        said = re.search(f"^{boot.BEGIN}\n(.*)^{boot.END}$", out, re.MULTILINE | re.DOTALL)
        if not said:
            raise tap.Failure(f"the guest said nothing: {out[-2000:]}")
        found = boot.differences(boot.guest_facts(said.group(1)), plan)
        if found:
            raise tap.Failure("\n".join(found) + "\n" + said.group(1))
        stage.expect_nothing_left()


def main():
    parser = argparse.ArgumentParser(description="examples that numac starts and that boot, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    options = parser.parse_args()
    if not initramfs.kernel() or not initramfs.shell():
        return tap.skip_all("no kernel in build/kernel; ./setup check puts one there")
    numac = Numac(options.numac)
    return tap.run([tap.Test(f"{engine} boots examples/{example}.numa",
                             lambda engine=engine, example=example: boots(numac, engine, example))
                    for engine in ("qemu", "embed", "libvirt") for example in EXAMPLES])


if __name__ == "__main__":
    sys.exit(main())
