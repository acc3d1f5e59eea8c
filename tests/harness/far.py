# SPDX-License-Identifier: MIT
#
# Other machines on this one: each has namespaces of its own for network, mounts, processes and names, in which a
# libvirtd and an sshd run.  They are reached over ssh and TLS with keys made for the test.  The program that asks runs
# in a network and mounts of its own, too (become_private), so that nothing of this machine is touched.

import os
import pathlib
import shutil
import subprocess
import sys

from harness.tap import Failure

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = {"ip": "iproute2", "unshare": "util-linux", "sshd": "openssh-server", "ssh": "openssh-client",
            "libvirtd": "libvirt-daemon", "virtlogd": "libvirt-daemon", "virsh": "libvirt-clients", "openssl": "openssl"}
INSIDE = "NUMAC_TESTS_IN_A_NETWORK_OF_THEIR_OWN"


def lacking():
    """Why there can be no other machines here; None: there can."""
    if os.geteuid() != 0:
        return "only root can make machines of namespaces"
    for program, package in PROGRAMS.items():
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"{program} is not installed ({package})"
    for words in ("unshare -mn ip link add dev numac0 type veth peer name numac1", "unshare -mnpuf --mount-proc true"):
        if subprocess.run(words.split(), capture_output=True, check=False).returncode:
            return f"namespaces are not to be had here: {words}"
    return None


def become_private():
    """Starts this program anew where network and mounts are its own."""
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "-mn", "--propagation", "private", sys.executable, *sys.argv],
                   os.environ | {INSIDE: "1", "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def do(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failure(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


class Keys:
    """Made for one run: an authority, certificates, ssh keys of machines and of the user."""

    def __init__(self, folder, names):
        self.folder = folder
        self.certify("ca", "/CN=authority", None)
        (folder / "ca-cert.pem").rename(folder / "cacert.pem")
        for name in (*names, "client"):
            self.certify(name, f"/CN={name}", f"subjectAltName=DNS:{name}")
        for name in ("cert", "key"):
            (folder / f"client-{name}.pem").rename(folder / f"client{name}.pem")
        for name in (*names, "user"):
            do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / f"{name}-ssh")
        known = [f"{name} {(folder / f'{name}-ssh.pub').read_text()}" for name in names]
        (folder / "known_hosts").write_text("".join(known))

    def certify(self, name, subject, extension):
        key, request, certificate = (self.folder / f"{name}-{kind}.pem" for kind in ("key", "request", "cert"))
        common = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-subj", subject]
        if extension is None:
            do("openssl", "req", "-x509", *common, "-out", certificate, "-days", "2")
            return
        do("openssl", "req", *common, "-out", request)
        do("openssl", "x509", "-req", "-in", request, "-CA", self.folder / "cacert.pem", "-CAkey",
           self.folder / "ca-key.pem", "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", "/dev/stdin",
           input=f"{extension}\n")


class FarHost:
    def __init__(self, keys, name, number):
        self.keys, self.name = keys, name
        self.address, self.gate = f"10.77.{number}.2", f"10.77.{number}.1"
        do("ip", "netns", "add", name)
        do("ip", "link", "add", "dev", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
        do("ip", "address", "add", f"{self.gate}/30", "dev", f"to-{name}")
        do("ip", "link", "set", f"to-{name}", "up")
        self.inside("ip", "address", "add", f"{self.address}/30", "dev", "eth0")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "route", "add", "10.77.0.0/16", "via", self.gate)  # to the others
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", name, "unshare", "-mpuf", "--mount-proc", "--kill-child", HERE / "far_host.sh", name,
             keys.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def inside(self, *words):
        return do("ip", "netns", "exec", self.name, *words)

    def wait(self):
        if self.process.stdout.readline() != "ready\n":
            raise Failure(f"{self.name}: {self.process.stdout.read()}")

    def ssh(self):
        return f"qemu+ssh://root@{self.name}/system?keyfile={self.keys.folder}/user-ssh"

    def tls(self):
        return f"qemu+tls://{self.name}/system?pkipath={self.keys.folder}"

    def do(self, command):
        """A shell command over there; what it said."""
        return do("ssh", "-i", self.keys.folder / "user-ssh", f"root@{self.name}", command)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class FarHosts:
    """with FarHosts(folder, "r1", "r2") as (r1, r2): ..."""

    def __init__(self, folder, *names):
        self.names = names
        self.folder = pathlib.Path(folder)
        self.hosts = []

    def __enter__(self):
        for place in ("/run", "/etc/ssh"):
            do("mount", "-t", "tmpfs", "none", place)
        keys = Keys(self.folder, self.names)
        shutil.copy(self.folder / "known_hosts", "/etc/ssh/ssh_known_hosts")
        do("ip", "link", "set", "lo", "up")
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")  # from one to the other, in this network only
        self.hosts = [FarHost(keys, name, number) for number, name in enumerate(self.names)]
        table = self.folder / "hosts"
        table.write_text("127.0.0.1 localhost\n" + "".join(f"{host.address} {host.name}\n" for host in self.hosts))
        do("mount", "--bind", table, "/etc/hosts")
        for host in self.hosts:
            host.wait()
        return self.hosts

    def __exit__(self, *_):
        for host in self.hosts:
            host.close()
