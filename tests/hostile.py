#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# Strangers' files, as TAP: small sites that want much time or memory, paths that lead out, names that would steer a
# shell or a terminal, output folders with traps in them, and runs that are cut short.  Limits of time are generous,
# they tell a hang or a square; tests/bench holds the true ones.
#   tests/hostile.py [--numac PROGRAM]

import argparse
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import large, tap
from harness.program import ROOT, SANITIZER, Numac
from harness.tap import Failure, Test

CPU_SECONDS, SANITIZED_SECONDS = 4, 60  # of one run; the design says 0.5
MEMORY_KIB = 300 * 1024
GUEST = "guest a { memory 1GiB; vcpus 1 }\n"
SECRET = "TOPSECRET"


def want(condition, *about):
    if not condition:
        raise Failure(" ".join(str(part) for part in about))


class Scratch:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="numac-hostile-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


# ---- sites that want much ----------------------------------------------------------------------------------------

def bounded(numac, is_sanitized, name, text):
    """Checks a site: no crash, a status of the design, and a bound on time, memory and what is said."""
    with Scratch() as scratch:
        site = scratch / ("site" + pathlib.Path(name).suffix)
        site.write_text(text)
        seconds = SANITIZED_SECONDS if is_sanitized else CPU_SECONDS
        said = scratch / "said"
        with open(said, "wb") as out:
            child = subprocess.Popen([numac.path, "check", site.name], cwd=scratch, stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds)))
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        text = said.read_text("utf-8", "replace")
        want(child.returncode in (0, 1, 2), f"status {child.returncode}:", text[-2000:])
        want(not SANITIZER.search(text), text[-4000:])
        want(len(text) < 1_000_000, len(text), "bytes of findings")
        want(child.returncode != 0 or "error[" not in text, "an error and status 0")
        want(is_sanitized or used.ru_maxrss < MEMORY_KIB, used.ru_maxrss // 1024, "MiB")
        return f"{used.ru_utime + used.ru_stime:.2f} s" if used.ru_utime + used.ru_stime > 0.5 and not is_sanitized else None


def sites_tests(numac, is_sanitized):
    def test(name, text):
        return Test(name, lambda: bounded(numac, is_sanitized, name, text))
    return [test(name, text) for name, text in large.all_sites().items()]


def second_guest_of_a_bad_profile(numac):
    """A mistake is told once, and yet each guest that has it is wrong."""
    with Scratch() as scratch:
        (scratch / "s.numa").write_text("profile p { iothreads 5000 }\nguest a { use p; memory 1GiB; vcpus 1 }\n"
                                        "guest b { use p; memory 1GiB; vcpus 1 }\n")
        run = numac.run(["plan", "s.numa"], scratch)
        want(run.status == 1 and run.err.count("error[") == 1 and "guest b" not in run.out, run.told())


# ---- files that are none, and paths that lead out ---------------------------------------------------------------

def no_text(numac, name, data, status):
    with Scratch() as scratch:
        (scratch / name).write_bytes(data)
        run = numac.run(["check", name], scratch, seconds=20)
        want(run.status == status and run.err.count("error[") == 1, run.told())


def too_large(numac):
    with Scratch() as scratch:
        with open(scratch / "s.numa", "wb") as file:
            file.truncate(1 << 30)
        run = numac.run(["check", "s.numa"], scratch, seconds=20)
        want(run.status == 2 and run.err.count("error[") == 1, run.told())


def text_tests(numac):
    rows = [("s.numa", "guest a {}".encode("utf-16"), 2), ("s.yaml", "guest: {}".encode("utf-16-be"), 2),
            ("s.numa", b"guest a\0 {}", 2), ("s.numa", b"\xff\xfe\xfd", 2), ("s.numa", b"\x7fELF\2\1\1\0\0\0", 2),
            ("s.numa", b"guest \xe9 {}", 2), ("s.numa", GUEST.encode()[:20], 1), ("s.yaml", b"guest: {a: {", 1)]
    return [Test(f"no text {number}", lambda row=row: no_text(numac, *row)) for number, row in enumerate(rows)] + [
        Test("1 GiB", lambda: too_large(numac))]


NO_FILES = ["/dev/stdin", "/dev/fd/0", "/dev/stdout", "/proc/self/fd/0", "/dev/zero", "/proc/self/mem", "/", ".", "fifo", "-"]
OUTSIDE = ["../secret", "link", "up/secret", "sub/../../secret"]  # refused for includes; bases and hosts may lie elsewhere


def outside(numac, words, path):
    """A site names a file that is not below it, or no file: nothing of it is read, and the run ends."""
    with Scratch() as scratch:
        site = scratch / "site"
        (site / "sub").mkdir(parents=True)
        (scratch / "secret").write_text(SECRET + "\n")
        (site / "link").symlink_to("../secret")
        (site / "up").symlink_to("..")
        os.mkfifo(site / "fifo")
        (site / "s.numa").write_text(words.replace("PATH", path))
        run = numac.run(["check", "s.numa"], site, stdin=SECRET.encode(), seconds=20)
        want(run.status == 1, run.told())
        want(SECRET not in run.err, run.told())


def path_tests(numac):
    include, base = 'include "PATH"\n' + GUEST, 'guest a { base "PATH"; memory 1GiB; vcpus 1 }\n'
    tests = [Test(f"include {path}", lambda path=path: outside(numac, include, path)) for path in NO_FILES + OUTSIDE]
    tests += [Test(f"base {path}", lambda path=path: outside(numac, base, path)) for path in NO_FILES]
    host = 'host h { topology "PATH" }\n' + GUEST
    return tests + [Test(f"host {path}", lambda path=path: outside(numac, host, path))
                    for path in ("/dev/stdout", "/dev/zero", "fifo", "/etc", "link", "-")]


def allowed(numac):
    with Scratch() as scratch:
        (scratch / "site").mkdir()
        (scratch / "more.numa").write_text("profile p { vcpus 2 }\n")
        (scratch / "site" / "s.numa").write_text('include "../more.numa"\nguest a { use p; memory 1GiB }\n')
        run = numac.run(["check", "--allow-include", scratch, "s.numa"], scratch / "site")
        want(run.status == 0, run.told())


def many_includes(numac):
    """A circle by hard links, a mesh, and thousands of files that are not there."""
    with Scratch() as scratch:
        for number in range(16):
            (scratch / f"{number}.numa").write_text("".join(f'include "{(number * 7 + i) % 16}.numa"\n' for i in range(16)))
        os.link(scratch / "0.numa", scratch / "again.numa")
        (scratch / "s.numa").write_text('include "0.numa" "again.numa"\n'
                                        + "".join(f'include "no/{i}.numa"\n' for i in range(2000)) + GUEST)
        run = numac.run(["check", "s.numa"], scratch, seconds=20)
        want(run.status == 1 and "includes itself" in run.err, run.told())


# ---- output -----------------------------------------------------------------------------------------------------

def build(numac, folder, text, *words, seconds=20):
    (folder / "s.numa").write_text(text)
    return numac.run(["build", "s.numa", *words], folder, seconds=seconds)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink()}


def trap(numac, name, make):
    """Something in the way of an output: told, nothing else is written, and what it leads to stays as it was."""
    with Scratch() as scratch:
        (scratch / "victim").write_text("mine")
        (scratch / "out").mkdir()
        make(scratch / "out" / name)
        run = build(numac, scratch, GUEST, "-o", "out")
        want(run.status == 1 and run.err.count("error[") == 1, run.told())
        want((scratch / "victim").read_text() == "mine" and len(list((scratch / "out").iterdir())) == 1,
             list((scratch / "out").iterdir()))


def evil_plan(numac):
    """A plan that names files outside of its folder removes none of them."""
    with Scratch() as scratch:
        (scratch / "out").mkdir()
        (scratch / "victim.xml").write_text("mine")
        for name in ("plan.json", ".numac-tmp-plan-1"):
            (scratch / "out" / name).write_text('{"format_version":1,"targets":["libvirt","qemu"],"guests":[{"name":"../victim"},'
                                                f'{{"name":"{scratch}/victim"}},{{"name":"a"}}]}}')
        run = build(numac, scratch, GUEST, "-o", "out")
        want(run.status == 0 and (scratch / "victim.xml").read_text() == "mine", run.told())


def failed_build(numac):
    with Scratch() as scratch:
        build(numac, scratch, GUEST, "-o", "out")
        before = contents(scratch / "out")
        run = build(numac, scratch, GUEST.replace("1GiB", "2GiB") + "guest b {}\n", "-o", "out")
        want(run.status == 1 and contents(scratch / "out") == before, run.told())


def full_disk(numac):
    """With a limit on the size of files, as a full disk ends a write: all stays as it was."""
    with Scratch() as scratch:
        site = "guest a { memory 64GiB; vcpus 64; cells 64; distances 20 }\n"
        build(numac, scratch, site, "-o", "out")
        before = contents(scratch / "out")
        (scratch / "s.numa").write_text(site.replace("64GiB", "128GiB"))
        most = max(map(len, before.values())) // 2
        done = subprocess.run([numac.path, "build", "s.numa", "-o", "out"], cwd=scratch, capture_output=True, check=False,
                              preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                                  resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))))
        want(done.returncode == 1 and contents(scratch / "out") == before, done)


NAMES = [("..", 1), (".", 1), ("a/b", 1), ("a\tb", 1), ("a\x7f", 1), ("a\u009bb", 1), ("\u202eab", 1), ("a\u2028b", 1),
         ("x" * 201, 1), ("x" * 200, 0), ("plan.json", 0), ("-rf", 0), ("a b", 0), ("`touch x`", 0), (";touch x", 0), ("*", 0)]


def named(numac, name, status):
    with Scratch() as scratch:
        run = build(numac, scratch, f'guest "{name}" {{ memory 1GiB; vcpus 1 }}\n', "-o", "out")
        want(run.status == status, run.told())
        want(not set(run.err) & {"\x1b", "\x7f", "\u009b", "\u202e", "\u2028", "\t"}, repr(run.err))
        want(sorted(path.name for path in scratch.iterdir()) == ["out", "s.numa"][status:], list(scratch.iterdir()))
        if not status:
            want({f"{name}.sh", "plan.json"} <= set(contents(scratch / "out")), contents(scratch / "out").keys())


EVIL = ["$(touch pwned)", "`touch pwned`", "'; touch pwned; '", '\\"; touch pwned; \\"', "a\\\\", "-x", "a b", "*", "~", "#c",
        "a,b=c", ",,", "%s%n", "& |<>(){}", "!!", "--"]


def script(numac, text):
    """GUEST.sh gives QEMU the words of the site as they are, whatever they look like."""
    with Scratch() as scratch:
        programs = scratch / "bin"
        programs.mkdir()
        (programs / "qemu-system-x86_64").write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n')
        (programs / "taskset").write_text('#!/bin/sh\nwhile [ "${1#qemu}" = "$1" ]; do shift; done\nexec "$@"\n')
        for program in programs.iterdir():
            program.chmod(0o755)
        written = text.replace("$", "$$")
        run = build(numac, scratch, f'host h {{ synthetic "core:4 pu:1" }}\nguest a {{ memory 1GiB; vcpus 2; pin cpus\n'
                                    f'boot {{ kernel "{written}"; cmdline "{written}" }} }}\n', "-o", "out")
        want(run.status == 0, run.told())
        done = subprocess.run(["sh", "./a.sh"], cwd=scratch / "out", capture_output=True, check=False,
                              env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": "/home"})
        words = done.stdout.decode().split("\0")
        value = text.replace('\\"', '"').replace("\\\\", "\\")
        want(words[words.index("-kernel") + 1] == value and words[words.index("-append") + 1] == value, done)
        want(not list(scratch.rglob("pwned")), "a word of the site was run")


def steering(numac):
    """No byte of a file's name or text steers the terminal, in any format."""
    with Scratch() as scratch:
        for name, text in (("\x1b[31m\nx.numa", 'guest "\x1b]0;x\x07\u009b2J\u202e" { \x1b[2J }\n'),
                           ("\x1b[31m\nx.yaml", 'guest: {"\\e[2J\\N\\L\\u202e": {"\\e]0;\\a": 1}}\n')):
            (scratch / name).write_text(text)
            for form in ("human", "gcc", "json"):
                run = numac.run(["check", "--format", form, name], scratch)
                said = run.out + run.err
                want(run.status in (1, 2) and not any(
                    ord(sign) < 32 and sign != "\n" or 127 <= ord(sign) < 160 or sign in "\u202e\u2028" for sign in said), repr(said))


def output_tests(numac):
    traps = {"symbolic link": lambda path: path.symlink_to("../victim"), "folder": lambda path: path.mkdir(), "pipe": os.mkfifo,
             "dangling link": lambda path: path.symlink_to("nowhere")}
    tests = [Test(f"{what} at {name}", lambda name=name, make=make: trap(numac, name, make))
             for what, make in traps.items() for name in ("a.xml", "plan.json")]
    tests += [Test(f"name {name[:20]!a}", lambda row=(name, status): named(numac, *row)) for name, status in NAMES]
    tests += [Test(f"script {text!a}", lambda text=text: script(numac, text)) for text in EVIL]
    return tests + [Test("plan that names others", lambda: evil_plan(numac)), Test("failed build", lambda: failed_build(numac)),
                    Test("full disk", lambda: full_disk(numac)), Test("terminal", lambda: steering(numac))]


# ---- runs cut short ---------------------------------------------------------------------------------------------

def cut_short(numac, number, rounds):
    """At any moment each file is old or new; an interrupted run leaves nothing of its own, and after a killed one the
    next does all."""
    with Scratch() as scratch:
        sites, wanted = {}, {}
        for memory in (1, 2):
            sites[memory] = f"s{memory}.numa"
            (scratch / sites[memory]).write_text(f"guest g {{ count 300; memory {memory}GiB; vcpus 2; cells 2 }}\n")
            begin = time.monotonic()
            numac.run(["build", sites[memory], "-o", str(memory)], scratch)
            whole = time.monotonic() - begin
            wanted[memory] = contents(scratch / str(memory))
        draw = random.Random(number)
        for turn in range(rounds):
            memory = 1 + turn % 2
            with subprocess.Popen([numac.path, "build", sites[memory], "-o", "out"], cwd=scratch, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE) as child:
                time.sleep(draw.random() * whole)
                child.send_signal(number)
                said = child.stderr.read()
            want(child.returncode in (0, -number) and not said, child.returncode, said)
            if not (scratch / "out").exists():
                continue
            found = contents(scratch / "out")
            temporary = [name for name in found if name.startswith(".numac")]
            want(not temporary or number == signal.SIGKILL, "left behind:", temporary)
            half = [name for name in found if name not in temporary and found[name] not in
                    (wanted[1].get(name), wanted[2].get(name))]
            want(not half, "neither old nor new:", half)
        run = numac.run(["build", sites[1], "-o", "out"], scratch)
        want(run.status == 0 and contents(scratch / "out") == wanted[1], run.told())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--numac", default=ROOT / "build" / "numac")
    numac = Numac(parser.parse_args().numac)
    is_sanitized = b"__asan_init" in pathlib.Path(numac.path).read_bytes()
    signals = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
    tests = [*sites_tests(numac, is_sanitized), *text_tests(numac), *path_tests(numac), *output_tests(numac),
             Test("second guest of a bad profile", lambda: second_guest_of_a_bad_profile(numac)),
             Test("folder that is allowed", lambda: allowed(numac)), Test("many includes", lambda: many_includes(numac)),
             *(Test(f"cut short by {number.name}", lambda number=number: cut_short(numac, number, 12)) for number in signals)]
    return tap.run(tests)


if __name__ == "__main__":
    sys.exit(main())
