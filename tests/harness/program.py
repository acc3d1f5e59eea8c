# SPDX-License-Identifier: MIT
#
# How the tests run numac and what they believe of a run: status, text, findings.  A crash is never an expected
# outcome, so it fails here, whatever the caller wanted to see.

import json
import os
import pathlib
import re
import subprocess
from dataclasses import dataclass

from harness.tap import Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error: ")
HEADLINE = re.compile(r"^(?:.*: )?(error|warning|hint)\[(NM\d{4})\]: ", re.MULTILINE)
SECONDS = 60  # far above what is allowed (0.5 s), for slow sanitizer builds: it only tells a hang

ENVIRONMENT = {key: value for key, value in os.environ.items() if key in ("PATH", "TMPDIR", "NUMAC_CORPUS")}
# the sanitizer's strstr() measures its whole text at each call
ENVIRONMENT |= {"LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb", "TZ": "UTC",
                 "ASAN_OPTIONS": "abort_on_error=0:exitcode=99:intercept_strstr=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str

    def told(self):
        return f"exit status {self.status}\n--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-4000:]}"


@dataclass(frozen=True)
class Finding:
    code: str  # "NM0512"
    severity: str  # "error", "warning", "hint"
    file: str  # of the primary place, as given on the command line; "" where there is none
    message: str


class Numac:
    def __init__(self, path):
        self.path = str(pathlib.Path(path).resolve())

    def run(self, arguments, folder=ROOT, stdin=b"", environment=None, seconds=SECONDS):
        """One run of the program.  Raises Failure where it crashed or hung."""
        words = [str(word) for word in arguments]
        try:
            done = subprocess.run([self.path, *words], cwd=folder, input=stdin, capture_output=True,
                                  env=ENVIRONMENT | (environment or {}), timeout=seconds, check=False)
        except subprocess.TimeoutExpired as hung:
            raise Failure(f"numac {' '.join(words)}: still running after {seconds} s") from hung
        result = Run(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
        if result.status not in (0, 1, 2, 3) or SANITIZER.search(result.err):
            raise Failure(f"numac {' '.join(words)}: crashed, {result.told()}")
        return result

    def findings(self, arguments, folder=ROOT, **options):
        """The run, and its findings as the JSON format tells them."""
        run = self.run([*arguments, "--format", "json"], folder, **options)
        return run, findings_of(run)


def findings_of(run):
    try:
        told = json.loads(run.out)
        return [Finding(one["code"], one["severity"],
                        next((span["file"] for span in one["spans"] if span["is_primary"]), ""), one["message"])
                for one in told["findings"]]
    except (ValueError, TypeError, KeyError) as trouble:
        raise Failure(f"stdout is no JSON findings ({trouble!r}), {run.told()}") from trouble


def listed(run, findings):
    """A run with JSON findings, for people."""
    lines = [f"{one.severity}[{one.code}] {one.file}: {one.message}" for one in findings]
    return "\n".join([f"exit status {run.status}", *lines, run.err.strip()])


def omitted(run):
    """How many findings were counted but not shown."""
    return sum(one["count"] for one in json.loads(run.out)["omitted"])


def headlines(text):
    """The (severity, code) pairs of findings in the human form."""
    return HEADLINE.findall(text)
