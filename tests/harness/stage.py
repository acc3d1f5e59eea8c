# SPDX-License-Identifier: MIT
#
# A place of its own for guests that a test really starts: a private state folder, a QEMU that can be made to misbehave
# (runtime/relay.py), and the question what was left behind.  Whatever still runs when the stage closes is ended.

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness.program import ROOT, Run, ENVIRONMENT, findings_of
from harness.tap import Failure, Skip

QEMU = "qemu-system-x86_64"
RELAY = ROOT / "tests" / "runtime" / "relay.py"
CACHE = "cache"  # what libvirt found out about QEMU: the only thing that stays
PATIENCE = 20.0  # seconds, for keepers and daemons to end
EXAMPLE = (ROOT / "examples" / "one-cell.numa").read_text()
ONE_CELL = EXAMPLE.replace("guest tiny {", "guest tiny {\n    accel tcg")  # the same on every machine


def lacks(engine):
    """Why guests cannot run with this engine here; None: they can."""
    if not shutil.which(QEMU):
        return f"{QEMU} is not installed (qemu-system-x86)"
    if engine == "embed" and not list(pathlib.Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_qemu.so")):
        return "libvirt's QEMU driver is not installed (libvirt-daemon-system)"
    return None


def need(engine):
    reason = lacks(engine)
    if reason:
        raise Skip(reason)


def process_file(pid, name):
    try:
        return pathlib.Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def ended(pid):
    """Gone, or dead and not yet waited for."""
    stat = process_file(pid, "stat").rpartition(b")")[2].split()
    return not stat or stat[0] in (b"Z", b"X")


class Stage:
    warm = None  # libvirt's probing of QEMU takes seconds: once for all stages of a suite

    def __init__(self, numac, engine="qemu"):
        need(engine)
        self.numac = numac
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nr", dir="/tmp"))  # short: sockets live below
        self.runtime = self.folder / "run"
        self.state = self.runtime / "numac"
        self.bin = self.folder / "bin"
        self.runtime.mkdir(0o700)
        if Stage.warm and engine != "qemu":
            shutil.copytree(Stage.warm.name, self.state / CACHE)
            self.state.chmod(0o700)
        self.environment = {"XDG_RUNTIME_DIR": str(self.runtime)}
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.started:
            process.kill()
            process.communicate()
        if not Stage.warm and (self.state / CACHE).is_dir():
            warm = tempfile.TemporaryDirectory(prefix="numac-warm-")
            shutil.copytree(self.state / CACHE, warm.name, dirs_exist_ok=True)
            Stage.warm = warm
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what is started ----------------------------------------------------------------------------------------

    def site(self, text, name="site"):
        path = self.folder / f"{name}.numa"
        path.write_text(text)
        return path

    def run(self, *words, **options):
        return self.numac.run(words, self.folder, environment=self.environment, **options)

    def findings(self, *words, **options):
        """(the run, its findings) of a verb whose output is its findings."""
        run = self.run(*words, "--format", "json", **options)
        return run, findings_of(run)

    def open(self, *words, stdin=subprocess.DEVNULL):
        """numac at work: a process, with its number where the relay looks for it."""
        process = subprocess.Popen([self.numac.path, *map(str, words)], cwd=self.folder, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=ENVIRONMENT | self.environment)
        (self.folder / "agent.new").write_text(str(process.pid))
        (self.folder / "agent.new").rename(self.folder / "agent")
        self.started.append(process)
        return process

    def close(self, process, seconds=90):
        """Its end as a Run; a negative status is a signal."""
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as hung:
            raise Failure(f"still running after {seconds} s: {' '.join(process.args)}") from hung
        return Run(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def misbehave(self, rules=(), replace=(), program=None):
        """From now on the QEMU that numac finds is one of ours.  `program`: a script instead of the relay."""
        self.bin.mkdir(exist_ok=True)
        (self.folder / "relay.json").write_text(json.dumps(
            {"engine": shutil.which(QEMU), "rules": list(rules), "replace": list(replace)}))
        script = program or f'#!/bin/sh\nexec {sys.executable} {RELAY} {self.folder} "$@"\n'
        (self.bin / QEMU).write_text(script)
        (self.bin / QEMU).chmod(0o755)
        self.environment["PATH"] = f"{self.bin}:{os.environ['PATH']}"

    def await_question(self, name):
        """Until a QEMU of ours was asked this."""
        until, asked = time.monotonic() + 60, self.folder / "asked"
        while not asked.exists() or name not in asked.read_text():
            if time.monotonic() > until:
                raise Failure(f"never asked {name}")
            time.sleep(0.05)

    # ---- what is there ------------------------------------------------------------------------------------------

    def listed(self):
        run = self.run("list", "--format", "json")
        if run.status != 0:
            raise Failure(f"list: {run.told()}")
        return json.loads(run.out)["guests"]

    def processes(self):
        """Numbers of those that carry this stage's folder in their words or environment."""
        mark = str(self.folder).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid() and not ended(entry.name) and \
                    (mark in process_file(entry.name, "cmdline") or mark in process_file(entry.name, "environ")):
                found.append(int(entry.name))
        return found

    def files(self):
        """All below the state folder but what is to stay; sockets too.  Some may go while we look."""
        keep = self.state / CACHE
        found = [pathlib.Path(folder) / name for folder, folders, names in os.walk(self.runtime)
                 for name in names + [name for name in folders if os.path.islink(os.path.join(folder, name))]]
        return sorted(str(path.relative_to(self.runtime)) for path in found if not path.is_relative_to(keep))

    def left(self):
        running = [(pid, process_file(pid, "cmdline").replace(b"\0", b" ").decode("utf-8", "replace")[:200])
                   for pid in self.processes()]
        return [f"process {pid}: {words}" for pid, words in running] + [f"file {name}" for name in self.files()]

    def expect_nothing_left(self, when=""):
        until = time.monotonic() + PATIENCE
        while self.left() and time.monotonic() < until:
            time.sleep(0.05)
        if self.left():
            raise Failure(f"left behind{when}:\n" + "\n".join(self.left()))


def expect(run, status, *codes, text=()):
    """A run in the human form that ended so, told these codes and no other error, and said these words."""
    found = [code for code in codes if f"[{code}]" not in run.err]
    missing = [word for word in text if word not in run.err + run.out]
    errors = sorted({line.split("[")[1][:6] for line in run.err.splitlines() if line.startswith("error[")} - set(codes))
    if run.status != status or found or missing or errors:
        raise Failure(f"expected status {status}, {codes} and {text}; {run.told()}")
    return run
