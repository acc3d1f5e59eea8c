# SPDX-License-Identifier: MIT
#
# An initial file system for a Linux guest of a test, and the kernel that goes with it: a static shell and one script.
# Same input, same bytes.

import gzip
import pathlib

from harness.program import ROOT

KERNEL_FOLDER = ROOT / "build" / "kernel"  # filled by ./setup check


def kernel():
    """The newest unpacked kernel, or None."""
    found = sorted(KERNEL_FOLDER.glob("boot/vmlinuz-*"))
    return found[-1] if found else None


def shell():
    found = [path for path in (KERNEL_FOLDER / "bin" / "busybox", KERNEL_FOLDER / "usr" / "bin" / "busybox",
                               pathlib.Path("/bin/busybox")) if path.exists()]
    return found[0] if found else None


def modules(folder, names):
    """Drivers of the kernel for the archive, as (name, bytes)."""
    return [(f"tmp/{name}.ko", path.read_bytes()) for name in names
            for path in KERNEL_FOLDER.glob(f"lib/modules/*/kernel/drivers/{folder}/{name}.ko")]


def _entry(number, name, mode, data=b""):
    name = name.encode() + b"\0"
    head = b"070701" + b"".join(b"%08X" % field for field in (
        number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0))
    parts = head + name
    parts += b"\0" * (-len(parts) % 4) + data
    return parts + b"\0" * (-len(data) % 4)


def archive(script, files=()):
    """A gzipped newc archive: /init runs the script with busybox sh; more files as (name, bytes)."""
    entries = [(folder, 0o040755, b"") for folder in ("bin", "dev", "proc", "sys", "tmp")]
    entries += [("bin/busybox", 0o100755, shell().read_bytes()), ("init", 0o100755, script.encode())]
    entries += [(name, 0o100644, data) for name, data in files]
    data = b"".join(_entry(number, *entry) for number, entry in enumerate(entries, 1))
    return gzip.compress(data + _entry(0, "TRAILER!!!", 0), 1, mtime=0)
