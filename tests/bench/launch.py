# SPDX-License-Identifier: MIT
#
# What starting, stopping and verifying guests costs, beside QEMU alone and beside virsh with a libvirt daemon that is
# started for it.  In each round every side has its turn behind the same pause.

import contextlib
import json
import os
import pathlib
import shlex
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from turns import Broken, Command, Ratio, once, output_of, paired

QEMU = "qemu-system-x86_64"
PAUSE = 0.3  # seconds in front of each start: memory that was given back costs more the longer it lay
CELLS = (1, 2, 4, 8)
MIB_TAKEN, THREADS = 2048, 2
GUEST = "guest bench {{ accel tcg; vcpus {vcpus}; memory {mib}MiB; cells {cells}; distances 21{more} }}\n"
DAEMON = """
for folder in /run /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
    mkdir -p $folder; mount -t tmpfs none $folder
done
printf '%s\\n' 'stdio_handler = "file"' 'security_driver = "none"' 'user = "root"' 'group = "root"' \\
    'dynamic_ownership = 0' 'remember_owner = 0' 'namespaces = []' > /etc/libvirt/qemu.conf
printf '%s\\n' 'auth_unix_rw = "none"' "unix_sock_dir = \\"$1\\"" > /etc/libvirt/libvirtd.conf
exec libvirtd
"""


def lacking():
    """Why guests cannot be started here; None: they can."""
    return None if shutil.which(QEMU) else f"{QEMU} is not installed (qemu-system-x86)"


def daemon_lacking():
    for program in ("libvirtd", "virsh", "unshare"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            return f"{program} is not installed"
    return None if os.geteuid() == 0 else "only root can start a libvirt daemon"


# ---- a place for guests ------------------------------------------------------------------------------------------------

class Place:
    """A state folder of its own, and a libvirt daemon where there can be one."""

    def __init__(self, numac):
        self.numac = numac
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nb", dir="/tmp"))
        self.uri = f"qemu+unix:///system?socket={self.folder}/libvirt-sock"
        self.daemon = None
        self.before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(self.folder)  # of whatever is started from here

    def __enter__(self):
        if not daemon_lacking():
            self.daemon = subprocess.Popen(
                ["unshare", "-m", "--propagation", "private", "--kill-child", "-f", "sh", "-c", DAEMON, "sh", self.folder],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin"})
            until = time.monotonic() + 120
            while subprocess.run(["virsh", "-q", "-c", self.uri, "list"], capture_output=True, check=False).returncode:
                if time.monotonic() > until:
                    raise Broken("libvirtd does not come up")
                time.sleep(0.2)
        return self

    def __exit__(self, *_):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
        if self.before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = self.before
        shutil.rmtree(self.folder, ignore_errors=True)

    def site(self, cells, more="", mib=512, vcpus=0):
        """(the site, its argv, its XML)"""
        name = f"c{cells}-{mib}-{vcpus}-{len(more)}"
        site, out = self.folder / f"{name}.numa", self.folder / name
        site.write_text(GUEST.format(vcpus=vcpus or 2 * cells, mib=mib, cells=cells, more=more)
                        if cells > 1 else GUEST.format(vcpus=vcpus or 2, mib=mib, cells=1, more=more).replace("; distances 21", ""))
        output_of([self.numac, "build", "-o", out, site])
        return site, shlex.split((out / "bench.argv").read_text().replace("\\\n", " ")), out / "bench.xml"

    # ---- the sides: seconds -------------------------------------------------------------------------------------

    def bare(self, argv):
        """From exec to an answer of QMP."""
        path = self.folder / "bare"
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(str(path))
            listener.listen(1)
            client.connect(str(path))
            number = listener.fileno()
            time.sleep(PAUSE)
            begin = time.perf_counter()
            process = subprocess.Popen(
                [*argv, "-S", "-chardev", f"socket,id=bench,fd={number},server=on,wait=off", "-mon",
                 "chardev=bench,mode=control"], pass_fds=[number], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE)
            with client.makefile("rwb", 0) as monitor:
                monitor.readline()
                for command in ("qmp_capabilities", "query-status"):
                    monitor.write(json.dumps({"execute": command}).encode() + b"\n")
                    if b"return" not in monitor.readline():
                        raise Broken(process.stderr.read().decode("utf-8", "replace"))
                spent = time.perf_counter() - begin
                monitor.write(b'{"execute": "quit"}\n')
                process.communicate()
        return spent

    def timed(self, *words, pause=PAUSE):
        time.sleep(pause)
        return once(Command([*words]))[0]

    def run(self, site, *options):
        return self.timed(self.numac, "run", "--detach", *options, site)

    def stop(self, site):
        return self.timed(self.numac, "stop", site, pause=0.05)

    def create(self, xml, *options):
        return self.timed("virsh", "-q", "-c", self.uri, "create", xml, *options)

    def destroy(self):
        return self.timed("virsh", "-q", "-c", self.uri, "destroy", "bench", pause=0.05)


def shown(ours, theirs):
    return f"{statistics.median(ours) * 1000:.0f} : {statistics.median(theirs) * 1000:.0f} ms"


# ---- the goals ---------------------------------------------------------------------------------------------------------

class Launch:
    """One round of all sides gives the rows of four goals; it is taken once, and each goal shows its own."""

    def __init__(self):
        self.spent = {}

    def take(self, bench, place, cells):
        if cells in self.spent:
            return self.spent[cells]
        if b"libvirt" in output_of(["ldd", pathlib.Path(bench.numac).with_name("numac-agent")]):
            raise Broken("numac-agent is linked to libvirt")
        site, argv, xml = place.site(cells)
        spent = {side: [] for side in ("bare", "run", "stop", "create", "destroy", "through", "create-running")}
        for turn in range(-1, bench.rounds):
            bench.progress.say(f"P14, P15, P17, {cells} cells: round {max(turn + 1, 0)} of {bench.rounds}")
            one = {"bare": place.bare(argv), "run": place.run(site, "--engine", "qemu"), "stop": place.stop(site)}
            if place.daemon:
                one |= {"create": place.create(xml, "--paused"), "destroy": place.destroy()}
                one["through"] = place.run(site, "--connect", place.uri)
                place.stop(site)
                one["create-running"] = place.create(xml)
                place.destroy()
            for side, seconds in one.items():
                if turn >= 0:
                    spent[side].append(seconds)
        self.spent[cells] = spent
        return spent


def rows_of(bench, Row, Skipped):
    """What the goals of launching are made of; Row and Skipped are the table's."""
    launch = Launch()

    def with_place(measure, goal):
        def rows():
            reason = lacking()
            if reason:
                yield Skipped(goal, "guests that start", reason)
                return
            with Place(bench.numac) as place:
                yield from measure(place)
                if not place.daemon and goal in ("P15", "P17"):
                    yield Skipped(goal, "beside virsh", daemon_lacking())
        return rows

    def compared(goal, what, peer, limit, ours, theirs):
        return Row(goal, what, peer, limit, paired(ours, theirs), shown(ours, theirs))

    def several(cells):
        return f"{cells} cell{'s' if cells > 1 else ''}"

    def start(place):
        for cells in CELLS:
            spent = launch.take(bench, place, cells)
            yield compared("P14", f"run --engine qemu, verified, {several(cells)}", "the same QEMU, to QMP's answer", 1.10,
                           spent["run"], spent["bare"])
            if spent["create"]:
                yield compared("P14", f"the same, {several(cells)}", "virsh create --paused", 0.25, spent["run"],
                               spent["create"])

    def through_libvirt(place):
        for cells in CELLS:
            spent = launch.take(bench, place, cells)
            if spent["through"]:
                yield compared("P15", f"run --connect, verified, {several(cells)}", "virsh create of the same XML", 1.05,
                               spent["through"], spent["create-running"])

    def stopping(place):
        for cells in CELLS:
            spent = launch.take(bench, place, cells)
            if spent["destroy"]:
                yield compared("P17", f"stop, {several(cells)}", "virsh destroy", 0.1, spent["stop"], spent["destroy"])

    def filling(place):
        plain, _, _ = place.site(1, mib=MIB_TAKEN)
        taken, _, _ = place.site(1, mib=MIB_TAKEN, more=f"; allocation immediate {{ threads {THREADS} }}")
        ours, theirs = [], []
        for turn in range(-1, bench.rounds):
            bench.progress.say(f"P16: round {max(turn + 1, 0)} of {bench.rounds}")
            seconds = []
            for site in (plain, taken):
                seconds.append(place.run(site, "--engine", "qemu"))
                place.stop(site)
            time.sleep(PAUSE)
            touched = int(output_of([bench.peers / "touch", MIB_TAKEN, THREADS])) / 1e9
            if turn >= 0:
                ours.append(max(seconds[1] - seconds[0], 1e-9))
                theirs.append(touched)
        yield compared("P16", f"{MIB_TAKEN} MiB taken at start by {THREADS} threads", "memset in huge pages, as many", 1 / 0.9,
                       ours, theirs)

    def verifying(place):
        site, _, _ = place.site(4, vcpus=64)
        place.run(site, "--engine", "qemu")
        try:
            cpu = [once(Command([bench.numac, "verify", site]))[1] for _ in range(bench.short_rounds)]
        finally:
            place.stop(site)
        yield Row("P19", "verify of a guest of 64 vCPUs", "100 ms of CPU", 1.0, Ratio.of([one / 0.1 for one in cpu]),
                  f"{statistics.median(cpu) * 1000:.0f} ms of CPU")

    return {goal: with_place(measure, goal) for goal, measure in
            (("P14", start), ("P15", through_libvirt), ("P16", filling), ("P17", stopping), ("P19", verifying))}
