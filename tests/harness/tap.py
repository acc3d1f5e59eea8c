# SPDX-License-Identifier: MIT
#
# How a test program of this project reports: tests are functions that return, or raise Failure or Skip; they run on
# all cores and are printed as TAP 14 in their own order.  Which tests there are is the caller's business.

import concurrent.futures
import os
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Callable


class Failure(Exception):
    """What was wrong, as text for people; may have many lines."""


class Skip(Exception):
    """Why this could not be tested here."""


@dataclass(frozen=True)
class Test:
    name: str
    run: Callable[[], str | None]  # may return a remark, shown behind the name


def _outcome(test):
    begin = time.monotonic()
    try:
        return "ok", test.run() or "", time.monotonic() - begin
    except Skip as skip:
        return "skip", str(skip), time.monotonic() - begin
    except Failure as failure:
        return "not ok", str(failure), time.monotonic() - begin
    except Exception:  # a bug in the test is a failed test, and the rest still runs
        return "not ok", traceback.format_exc(), time.monotonic() - begin


def _say(number, test, state, text, seconds, out):
    name = test.name.replace("#", "\\#")
    if state == "ok":
        print(f"ok {number} - {name}" + (f" ({text})" if text else ""), file=out)
    elif state == "skip":
        print(f"ok {number} - {name} # SKIP {' '.join(text.split())}", file=out)
    else:
        print(f"not ok {number} - {name}\n  ---\n  seconds: {seconds:.2f}\n  message: |", file=out)
        for line in text.rstrip("\n").split("\n"):
            print("    " + line, file=out)
        print("  ...", file=out)


def run(tests, jobs=None, out=sys.stdout):
    """Runs all tests, prints TAP and the closing line, returns the exit status."""
    counts = {"ok": 0, "not ok": 0, "skip": 0}
    print(f"TAP version 14\n1..{len(tests)}", file=out)
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count() or 2) as pool:
        futures = [pool.submit(_outcome, test) for test in tests]
        for number, (test, future) in enumerate(zip(tests, futures), 1):
            state, text, seconds = future.result()
            counts[state] += 1
            _say(number, test, state, text, seconds, out)
            out.flush()
    print(f"{counts['ok']} passed, {counts['not ok']} failed, {counts['skip']} skipped", file=out)
    return 1 if counts["not ok"] else 0


def skip_all(reason):
    """A whole suite that cannot run here: one visible skip."""
    print(f"TAP version 14\n1..0 # SKIP {reason}\n0 passed, 0 failed, 1 skipped")
    return 0
