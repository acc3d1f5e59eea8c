#!/usr/bin/python3
# SPDX-License-Identifier: MIT
#
# A QEMU that misbehaves as told: the real one, with this program between it and whoever asks it over QMP.  The process
# that was started becomes QEMU itself, so that its threads and memory are where they are looked for; a child of it
# passes lines on, and at a chosen question does something else instead.
#
#   relay.py FOLDER ARGUMENT...       FOLDER/relay.json: {"engine", "rules": [{"at", "count", "do", ...}], "replace"}
#
# "at" is "start" (before QEMU is there), "greeting", or a command; "count" which time it comes (1).  FOLDER/asked takes
# a line for each, FOLDER/agent holds the number of numac's process.

import ctypes
import json
import os
import pathlib
import re
import select
import signal
import socket
import sys
import time

MONITOR = re.compile(r"(socket,id=(?:numac-monitor|charmonitor),fd=)(\d+)(,.*)")
PR_SET_PDEATHSIG = 1
ENDLESS = b"x" * (17 << 20)
LIES = {"garbage": b"%%% what?\r\n", "wrong": b'{"return": 7}\r\n', "null": b'{"return": null}\r\n',
        "refuse": b'{"error": {"class": "GenericError", "desc": "not today"}}\r\n', "endless": ENDLESS}


class Relay:
    def __init__(self, folder):
        self.folder = folder
        self.plan = json.loads((folder / "relay.json").read_text())
        self.seen = {}

    def rule(self, at):
        """What to do now that this comes, or None."""
        self.seen[at] = self.seen.get(at, 0) + 1
        with open(self.folder / "asked", "a", encoding="utf-8") as log:
            print(at, file=log)
        return next((rule for rule in self.plan["rules"]
                     if rule["at"] == at and rule.get("count", 1) == self.seen[at]), None)

    def agent(self):
        path = self.folder / "agent"
        while not path.exists():
            time.sleep(0.01)
        return int(path.read_text())

    def signals(self, do, engine):
        """True: that was one of the things to do, and the question goes on its way."""
        if do == "kill-engine":
            os.kill(engine, signal.SIGKILL)
        elif do == "kill-agent":
            os.kill(self.agent(), signal.SIGKILL)
            time.sleep(0.3)  # nothing comes from a dead agent, and nothing must be asked in its name
        elif do == "kill-libvirt":
            for task in pathlib.Path("/proc").glob("[0-9]*/stat"):
                words = task.read_text().rpartition(")")[2].split()
                if words[1] == str(self.agent()):
                    os.kill(int(task.parent.name), signal.SIGKILL)
            time.sleep(0.3)
        elif do == "interrupt":
            os.kill(self.agent(), signal.SIGINT)
            time.sleep(0.3)
        elif do == "interrupt-twice":
            os.kill(self.agent(), signal.SIGINT)
            time.sleep(0.002)
            os.kill(self.agent(), signal.SIGINT)
            time.sleep(0.3)
        else:
            return False
        return True


class Questions:
    """JSON objects of a stream, whatever lines they stand on."""

    def __init__(self, end):
        self.end, self.rest = end, ""

    def read(self):
        """What came whole; None: the other side has closed."""
        piece = received(self.end)
        if not piece:
            return None
        self.rest, found = (self.rest + piece.decode()).lstrip(), []
        while self.rest:
            try:
                asked, end = json.JSONDecoder().raw_decode(self.rest)
            except ValueError:
                break
            found.append(asked)
            self.rest = self.rest[end:].lstrip()
        return found


class Lines:
    """Of a stream."""

    def __init__(self, end):
        self.end, self.rest = end, b""

    def read(self):
        piece = received(self.end)
        if not piece:
            return None
        *lines, self.rest = (self.rest + piece).split(b"\n")
        return [line + b"\n" for line in lines]


def received(end):
    try:
        return end.recv(1 << 16)
    except ConnectionError:
        return b""


def subject(asked):
    if asked["execute"] == "human-monitor-command":
        return asked["arguments"]["command-line"]
    return asked["execute"]


class Talk:
    """One asker and QEMU, until either closes."""

    def __init__(self, relay, asker, address, engine):
        self.relay, self.engine = relay, engine
        self.asker = asker
        self.qemu = socket.socket(socket.AF_UNIX)
        self.qemu.connect(address)
        self.is_silent = self.greets = self.is_asking = False
        self.waiting = []  # QEMU takes one question after another, and so do its lies come

    def question(self, asked):
        self.waiting.append(asked)
        self.go_on()

    def go_on(self):
        while self.waiting and not self.is_asking:
            self.ask(self.waiting.pop(0))

    def ask(self, asked):
        rule = self.relay.rule(subject(asked))
        if rule and not self.relay.signals(rule["do"], self.engine):
            self.misbehave(rule)
            return
        if not self.is_silent:
            self.is_asking = True
            self.qemu.sendall(json.dumps(asked).encode() + b"\n")

    def misbehave(self, rule):
        do = rule["do"]
        if do == "silence":
            self.is_silent = True
        elif do == "close":
            self.asker.shutdown(socket.SHUT_RDWR)
        elif do == "answer":
            self.asker.sendall(json.dumps({"return": rule["text"]}).encode() + b"\r\n")
        else:
            self.asker.sendall(LIES[do])

    def answer(self, line):
        if not self.greets:
            self.greets = True
            rule = self.relay.rule("greeting")
            if rule and not self.relay.signals(rule["do"], self.engine):
                self.misbehave(rule)
                return
        elif not line.startswith(b'{"timestamp"'):  # no event
            self.is_asking = False
        if not self.is_silent:
            self.asker.sendall(line)
        self.go_on()

    def run(self):
        pairs = {self.asker: (Questions(self.asker), self.question), self.qemu: (Lines(self.qemu), self.answer)}
        while True:
            for end in select.select(list(pairs), [], [])[0]:
                stream, pass_on = pairs[end]
                lines = stream.read()
                if lines is None:
                    return
                for line in lines:
                    pass_on(line)


def serve(relay, listener, address, engine):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != engine:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        asker, _ = listener.accept()
        with asker:
            try:
                talk = Talk(relay, asker, address, engine)
                with talk.qemu:
                    talk.run()
            except (BrokenPipeError, ConnectionError):
                pass  # whoever asked, or QEMU, is gone


def become(relay, words):
    """QEMU, with a socket of ours instead of the one that it was given."""
    at = next((number for number, word in enumerate(words) if MONITOR.match(word)), None)
    for old, new in relay.plan["replace"]:
        words = [word.replace(old, new) for word in words]
    if at is not None:
        rule = relay.rule("start")
        if rule and not relay.signals(rule["do"], os.getpid()):
            print(rule["text"], file=sys.stderr, flush=True)
            sys.exit(rule["status"])
        number = int(MONITOR.match(words[at]).group(2))
        listener = socket.socket(fileno=os.dup(number))
        inner = socket.socket(socket.AF_UNIX)
        address = f"\0numac-relay-{os.getpid()}"
        inner.bind(address)
        inner.listen(1)
        engine = os.getpid()
        if os.fork() == 0:
            inner.close()
            os.close(number)
            serve(relay, listener, address, engine)
        os.dup2(inner.fileno(), number, inheritable=True)
    os.execv(relay.plan["engine"], words)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    become(Relay(folder), ["qemu-system-x86_64", *sys.argv[2:]])
