#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# numac diff and apply against real libvirts: its test driver, guests that libvirt runs inside numac, and a daemon started
# for these tests in a mount namespace of its own, so that this machine's libvirt is left alone.

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import tap
from harness.program import ROOT, Numac
from harness.stage import ONE_CELL, Stage, expect, need

TEST = ("--connect", "test:///default")
LARGER = ONE_CELL.replace("256MiB", "384MiB")
DAEMONS = ("virtlogd", "libvirtd")
# what the daemon keeps goes into tmpfs that only these processes see; $1 numac, $2 the site, $3 the larger site
SESSION = """
set -e
for folder in /run /etc/libvirt/qemu /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do mkdir -p $folder; mount -t tmpfs none $folder; done
virtlogd -d
libvirtd -d
try() { echo "== $*"; status=0; "$@" 2>&1 || status=$?; echo "-- $status"; }
try "$1" diff --connect qemu:///system "$2"
try "$1" apply --yes --connect qemu:///system "$2"
try "$1" diff --connect qemu:///system "$2"
try "$1" diff --connect qemu:///system "$3"
try "$1" apply --connect qemu:///system "$3" </dev/null
try "$1" apply --yes --connect qemu:///system "$3"
try "$1" diff --connect qemu:///system "$3"
try "$1" run --detach --connect qemu:///system "$3"
try "$1" verify "$3"
try "$1" run --detach --connect qemu:///system "$3"
try "$1" stop "$3"
try virsh -c qemu:///system dumpxml --inactive tiny
try "$1" list
kill $(cat /run/libvirtd.pid) $(cat /run/virtlogd.pid) 2>/dev/null || true
"""


def parts_of(text):
    """[(command, output, status)] of the session above."""
    parts = []
    for part in text.split("== ")[1:]:
        head, _, rest = part.partition("\n")
        out, _, status = rest.rpartition("-- ")
        parts.append((head.split("/")[-1], out, int(status.split()[0])))
    return parts


def absent(numac):
    with Stage(numac, "embed") as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("diff", *TEST, site), 1, text=["guest tiny: libvirt has none"])
        document = json.loads(expect(stage.run("diff", "--format", "json", *TEST, site), 1).out)
        one = document["guests"][0]
        if (one["name"], one["state"]) != ("tiny", "absent") or "+  <name>tiny</name>" not in one["diff"]:
            raise tap.Failure(f"{document}")


def defined(numac):
    with Stage(numac, "embed") as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("apply", "--yes", *TEST, site), 0, text=["NM1331", "guest 'tiny' is defined"])
        expect(stage.run("apply", *TEST, site), 1, "NM1332", text=["nobody said yes"])


def of_host(numac):
    """The host says where its libvirt is; the command line wins."""
    text = 'host here { synthetic "numa:1(memory=4GiB) core:2 pu:1"; connect "%s" }\n' + ONE_CELL
    with Stage(numac, "embed") as stage:
        site = stage.site(text % "test:///default")
        expect(stage.run("diff", site), 1, text=["guest tiny: libvirt has none"])
        expect(stage.run("apply", "--yes", site), 0, "NM1331")
        expect(stage.run("run", "--detach", site), 3, "NM1310", text=["test:///default"])
        site = stage.site(text % "qemu+unix:///system?socket=/nowhere/numac")
        for verb in (("diff",), ("apply", "--yes"), ("run", "--detach")):
            expect(stage.run(*verb, site), 3, "NM1309", text=["/nowhere/numac"])
        expect(stage.run("diff", *TEST, site), 1, text=["guest tiny: libvirt has none"])
        expect(stage.run("run", "--detach", "--engine", "embed", site), 0)
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def without_libvirt(numac):
    with Stage(numac, "qemu") as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", "--engine", "qemu", site), 0)
        expect(stage.run("diff", *TEST, site), 3, "NM1330")
        expect(stage.run("stop", site), 0)


def running(numac):
    """What runs is compared with another site of the same guest."""
    with Stage(numac, "embed") as stage:
        site = stage.site(ONE_CELL)
        expect(stage.run("run", "--detach", site), 0)
        expect(stage.run("diff", site), 0, text=["guest tiny: as in the site"])
        pathlib.Path(site).write_text(LARGER)
        expect(stage.run("diff", site), 1, text=["guest tiny: differs", "+  <memory unit='KiB'>393216</memory>"])
        pathlib.Path(site).write_text(ONE_CELL)
        expect(stage.run("stop", site), 0)
        stage.expect_nothing_left()


def daemon(numac):
    need("embed")
    for program in (*DAEMONS, "unshare", "virsh"):
        if not shutil.which(program):
            raise tap.Skip(f"{program} is not installed (libvirt-daemon, libvirt-clients, util-linux)")
    if os.geteuid() != 0:
        raise tap.Skip("only root can mount a place for a libvirt daemon of its own")
    with Stage(numac, "embed") as stage:
        site = pathlib.Path(stage.site(ONE_CELL))
        larger = site.parent / "more" / site.name  # the same name, so that it is the same guest
        larger.parent.mkdir()
        larger.write_text(LARGER)
        done = subprocess.run(["unshare", "-m", "sh", "-c", SESSION, "sh", str(numac.path), str(site), str(larger)],
                              capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False)
        parts = parts_of(done.stdout)
        expected = [("libvirt has none", 1), ("is defined", 0), ("as in the site", 0), ("393216", 1), ("NM1332", 1),
                    ("is defined", 0), ("as in the site", 0), ("", 0), ("as planned", 0), ("NM1305", 3), ("", 0),
                    ("<memory unit='KiB'>393216</memory>", 0), ("", 0)]
        if done.returncode or [status for _, _, status in parts] != [status for _, status in expected] or \
                any(text not in out for (_, out, _), (text, _) in zip(parts, expected)) or parts[-1][1].strip():
            raise tap.Failure(f"{done.stdout}\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description="numac diff and apply, as TAP")
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    parser.add_argument("--daemon", action="store_true", help="with a daemon, which takes minutes to find its way")
    options = parser.parse_args()
    numac = Numac(options.numac)
    tests = [("a daemon defines, runs and shows a guest", daemon)] if options.daemon else [
        ("libvirt has no such guest", absent), ("a guest is defined", defined),
        ("where the host's libvirt is", of_host),
        ("a guest that QEMU runs alone has no definition", without_libvirt), ("what runs against another site", running)]
    return tap.run([tap.Test(name, lambda run=run: run(numac)) for name, run in tests], 2)


if __name__ == "__main__":
    sys.exit(main())
