# SPDX-License-Identifier: MIT
#
# How the benchmarks take time: whole processes in turn (A B A B ...), so that a machine that changes its speed changes
# both sides alike.  Only ratios within one round are believed.

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field


class Broken(Exception):
    """A side did not do its work, so that its time means nothing."""


@dataclass
class Command:
    words: list
    stdin: str = os.devnull
    prepare: object = None  # called before each run, its time left out


@dataclass
class Spent:
    wall: list = field(default_factory=list)  # seconds of each round
    cpu: list = field(default_factory=list)


@dataclass(frozen=True)
class Ratio:
    middle: float
    low: float
    high: float
    rounds: int

    @staticmethod
    def of(values):
        return Ratio(statistics.median(values), min(values), max(values), len(values))


def once(command):
    """Seconds from the start of the process to its end, and of CPU."""
    words = [str(word) for word in command.words]
    if command.prepare:
        command.prepare()
    with tempfile.TemporaryFile() as told:
        actions = [(os.POSIX_SPAWN_OPEN, 0, str(command.stdin), os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                   (os.POSIX_SPAWN_DUP2, told.fileno(), 2)]
        begin = time.perf_counter()
        process = os.posix_spawnp(words[0], words, os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        wall = time.perf_counter() - begin
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            told.seek(0)
            tail = told.read().decode("utf-8", "replace")[-2000:]
            raise Broken(f"{' '.join(words)[:200]}: status {code}\n{tail}")
    return wall, usage.ru_utime + usage.ru_stime


def output_of(words):
    """What a command that is not measured says on its standard output."""
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    if done.returncode != 0:
        tail = done.stderr.decode("utf-8", "replace")[-2000:]
        raise Broken(f"{' '.join(map(str, words))[:200]}: status {done.returncode}\n{tail}")
    return done.stdout


class Progress:
    """One line on a terminal that says what is measured; nothing elsewhere."""

    def __init__(self):
        self.shown = sys.stderr.isatty()

    def say(self, text):
        if self.shown:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def in_turn(commands, rounds, progress, label, warm=1):
    """Runs each command once a round; the first `warm` rounds are thrown away."""
    spent = [Spent() for _ in commands]
    for turn in range(-warm, rounds):
        progress.say(f"{label}: round {max(turn + 1, 0)} of {rounds}")
        for command, sums in zip(commands, spent):
            wall, cpu = once(command)
            if turn >= 0:
                sums.wall.append(wall)
                sums.cpu.append(cpu)
    return spent


def paired(ours, peer):
    return Ratio.of([a / b for a, b in zip(ours, peer)])


def folder_of(path):
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
