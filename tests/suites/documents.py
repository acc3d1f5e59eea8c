# SPDX-License-Identifier: MIT
#
# What the documents show is true: complete sites compile, console sessions say what is printed there.
#   ```numa or ```yaml            a complete site, must pass check;  ```numa fragment    is not run
#   ```console                    `$ COMMAND` lines and their output; a line `...` stands for any lines

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import sites
from harness.program import ROOT, SANITIZER, listed
from harness.tap import Failure, Skip, Test

RUNNABLE = {"numac", "cat", "ls", "head", "diff", "echo", "cd", "mkdir", "cp"}  # others belong into a ```sh block


def _documents():
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
                              *sorted((ROOT / "docs" / "decisions").glob("*.md"))] if path.exists()]


def _play_ground(scratch):
    if sites.EXAMPLES.is_dir():
        shutil.copytree(sites.EXAMPLES, pathlib.Path(scratch, "examples"))


def _check_site(numac, path, fence):
    with tempfile.TemporaryDirectory(prefix="numac-doc-") as scratch:
        _play_ground(scratch)
        folder = pathlib.Path(scratch, "examples")
        folder.mkdir(exist_ok=True)  # a site of a document stands where the examples do
        name = f"document.{fence.words[0]}"
        (folder / name).write_text(fence.text)
        run, findings = numac.findings(["check", name], folder)
        if run.status != 0 or any(one.severity != "hint" for one in findings):
            raise Failure(f"{path.relative_to(ROOT)}:{fence.line}: the site is not clean, {listed(run, findings)}")


def _session(fence):
    """[(command, expected lines)]"""
    steps = []
    for line in fence.text.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
        else:
            raise Failure(f"line {fence.line}: a console block begins with '$ COMMAND'")
    return steps


def output_matches(expected, got):
    pattern = "".join("(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + "[ ]*\n"
                      for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None


def _check_consoles(numac, path, blocks):
    with tempfile.TemporaryDirectory(prefix="numac-doc-") as scratch:
        _play_ground(scratch)
        tools = pathlib.Path(scratch, ".bin")
        tools.mkdir()
        (tools / "numac").symlink_to(numac.path)
        environment = {"PATH": f"{tools}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb", "HOME": scratch}
        for fence in blocks:
            for command, expected in _session(fence):
                if command.split()[0] not in RUNNABLE:
                    raise Failure(f"{path.relative_to(ROOT)}:{fence.line}: '{command}' is not run by the tests; "
                                  f"what installs or starts something belongs into a sh block")
                done = subprocess.run(["bash", "-c", command], cwd=scratch, env=environment, text=True, timeout=60,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False)
                got = [line.rstrip() for line in done.stdout.rstrip("\n").split("\n")] if done.stdout.strip() else []
                if SANITIZER.search(done.stdout) or done.returncode >= 64 or done.returncode < 0 or \
                        not output_matches(expected, got):
                    raise Failure(f"{path.relative_to(ROOT)}:{fence.line}: $ {command}\n--- printed there\n" +
                                  "\n".join(expected) + f"\n--- said now (exit status {done.returncode})\n" +
                                  done.stdout)


def consoles(numac, path):
    blocks = [fence for fence in sites.fences(path) if fence.words == ("console",)]
    name = f"console {path.relative_to(ROOT)}"
    return [Test(name, lambda: _check_consoles(numac, path, blocks))] if blocks else []


def _check_manual(path):
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True, check=False)
    if done.stdout or done.returncode:
        raise Failure(done.stdout + done.stderr)


def _check_installed(numac, pages):
    """What make install puts down runs from there, and uninstall takes it all away."""
    variant = pathlib.Path(numac.path).parent
    if variant.parent != ROOT / "build":
        raise Skip(f"{numac.path} was not built here")
    with tempfile.TemporaryDirectory(prefix="numac-install-") as scratch:
        make = ["make", "-s", "-C", ROOT, f"VARIANT={variant.name}", f"DESTDIR={scratch}", "prefix=/usr"]
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith("MAKE") and key != "MFLAGS"}
        for verb in ("install", "uninstall"):
            done = subprocess.run([*make, verb], env=environment, capture_output=True, text=True, check=False)
            files = sorted(str(path.relative_to(scratch)) for path in pathlib.Path(scratch).rglob("*")
                           if path.is_file())
            if done.returncode:
                raise Failure(f"make {verb}: {done.stderr}")
            if verb == "install":
                subprocess.run([pathlib.Path(scratch, "usr/bin/numac"), "--version"], check=True, capture_output=True)
                missing = [page.name for page in pages if not any(one.endswith("/" + page.name) for one in files)]
                if missing or "usr/bin/numac" not in files:
                    raise Failure(f"not installed: {missing}; installed: {files}")
        if files:
            raise Failure(f"left behind: {files}")


def collect(numac):
    pages = sorted((ROOT / "docs" / "man").glob("*.[15]"))
    tests = [Test("install and uninstall", lambda: _check_installed(numac, pages))]
    tests += [Test(f"manual {path.name}", lambda path=path: _check_manual(path)) for path in pages]
    for path in _documents():
        for fence in sites.fences(path):
            if fence.words in (("numa",), ("yaml",)):
                tests.append(Test(f"document {path.relative_to(ROOT)} line {fence.line}",
                                  lambda path=path, fence=fence: _check_site(numac, path, fence)))
        tests += consoles(numac, path)
    return tests
