#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A machine of its own, as far as libvirt and ssh can tell: started by harness/far.py in namespaces of processes,
# mounts and names, and in a network of two.  $1: its name; $2: a folder with the keys of all machines of the test.
set -eu
name=$1 keys=$2
hostname "$name"
for folder in /run /var/lib/libvirt /var/log/libvirt /etc/libvirt; do
    mkdir -p "$folder"
    mount -t tmpfs none "$folder"
done
mkdir -p /run/sshd /var/cache/libvirt
mount -t tmpfs none /var/cache/libvirt
if [ -d "$keys/cache" ]; then cp -r "$keys/cache/." /var/cache/libvirt; fi # what an earlier machine found out about QEMU

cat > /etc/libvirt/qemu.conf <<END
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
cgroup_controllers = []
END
cat > /etc/libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
listen_tcp = 0
listen_tls = 1
ca_file = "$keys/cacert.pem"
cert_file = "$keys/$name-cert.pem"
key_file = "$keys/$name-key.pem"
log_outputs = "3:file:/run/libvirtd.log"
END
cat > /run/sshd_config <<END
HostKey $keys/$name-ssh
AuthorizedKeysFile $keys/user-ssh.pub
PidFile /run/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
END

virtlogd -d
libvirtd -d --listen
/usr/sbin/sshd -f /run/sshd_config
until virsh -q -c qemu:///system version >/dev/null 2>&1; do sleep 0.1; done
echo ready
# Until the test lets go: then this process ends, and all others here with it.  Meanwhile it is their first process, and
# waits for those that have no other parent.
exec 3<&0
cat <&3 >/dev/null &
wait $!
