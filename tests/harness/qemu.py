# SPDX-License-Identifier: MIT
#
# A paused QEMU that can be asked: QMP on its standard streams, and its test port, through which the firmware's files
# are read as firmware would read them.  Knows nothing of numac.

import json
import pathlib
import socket
import struct
import subprocess

from harness import devicetree


# where the machines `virt` have memory that a transfer can use, and the firmware configuration device; x86_64 has ports
PLACES = {"aarch64": (0x40200000, 0x9020000), "riscv64": (0x80200000, 0x10100000), "loongarch64": (0x200000, 0x1e020000)}


class EngineError(Exception):
    """QEMU refused the command line or a question."""


class Paused:
    def __init__(self, words, scratch):
        path = pathlib.Path(scratch, "t")
        self.architecture = words[0].rpartition("-")[2]
        self.is_ppc, self.scratch = self.architecture == "ppc64", scratch
        self.errors = open(pathlib.Path(scratch, "err"), "w+", encoding="utf-8", errors="replace")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(0.05)
            self.process = subprocess.Popen([*words, "-S", "-qmp", "stdio", "-qtest", f"unix:{path}",
                                             "-qtest-log", "none"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors)
            self.port = self._accept(listener)
        self.port.settimeout(30)
        self.stream = self.port.makefile("rw", encoding="ascii")
        self._line()  # the greeting
        self.ask("qmp_capabilities")

    def _accept(self, listener):
        for _ in range(1200):
            try:
                return listener.accept()[0]
            except TimeoutError:
                if self.process.poll() is not None:
                    raise EngineError(self._said()) from None
        self.process.kill()
        raise EngineError("QEMU did not start within 60 s")

    def _said(self):
        self.process.wait()
        self.errors.seek(0)
        return self.errors.read().strip()

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            raise EngineError(self._said())
        return json.loads(line)

    def ask(self, command, **arguments):
        try:
            self.process.stdin.write(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise EngineError(self._said()) from None
        while True:
            answer = self._line()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise EngineError(f"{command}: {answer['error']}")

    def monitor(self, line):
        return self.ask("human-monitor-command", **{"command-line": line}).replace("\r\n", "\n")

    def _port(self, line):
        self.stream.write(line + "\n")
        self.stream.flush()
        answer = self.stream.readline().split()
        if answer[:1] != ["OK"]:
            raise EngineError(f"{line}: {answer}")
        return answer[1] if len(answer) > 1 else ""

    def _firmware_read(self, select, length):
        """One transfer of the firmware configuration device into guest memory, then out of it."""
        order, device = PLACES.get(self.architecture, (0x200000, None))
        read, choose = 2, 8
        place = order + 0x1000
        self._port(f"write {order:#x} 16 0x{struct.pack('>IIQ', select << 16 | read | choose, length, place).hex()}")
        if device:
            self._port(f"write {device + 16:#x} 8 0x{struct.pack('>Q', order).hex()}")
        else:
            self._port(f"outl 0x514 {0:#x}")
            self._port(f"outl 0x518 {int.from_bytes(order.to_bytes(4, 'little'), 'big'):#x}")
        return bytes.fromhex(self._port(f"read {place:#x} {length:#x}")[2:])

    def firmware_file(self, name):
        """The bytes of a file that QEMU offers to firmware, None without such a file."""
        directory = 0x19
        count, = struct.unpack(">I", self._firmware_read(directory, 4))
        entries = self._firmware_read(directory, 4 + 64 * count)[4:]
        for number in range(count):
            size, select, _, label = struct.unpack_from(">IHH56s", entries, 64 * number)
            if label.rstrip(b"\0") == name.encode():
                return self._firmware_read(select, size)
        return None

    def device_tree(self):
        """The one that the guest starts with."""
        path = pathlib.Path(self.scratch, "tree")
        self.ask("dumpdtb", filename=str(path))
        return devicetree.nodes(path.read_bytes())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.stream.close()
        self.port.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
