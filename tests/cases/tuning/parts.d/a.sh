#!/bin/sh
# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.
printf '%s\n' \
    'a: all threads share these CPUs; only '\''numac run'\'' applies:' \
    '  vcpus 0-3 on cpus 0-3, one each' \
    '  emulator on cpus 4-5' \
    '  vcpus 0-1 have 6MiB of L3 cache 0' \
    '  vcpus 0-1 have 50% of the memory bandwidth of L3 cache 0' \
    '  vcpus 0-1 watched for cache and bandwidth' \
    '  vcpu 0 watched for bandwidth' \
    '  vcpus 2-3 have 1536KiB of L3 cache 0' >&2
exec taskset -c 0-5 \
    qemu-system-x86_64 \
    -name guest=a,debug-threads=on \
    -uuid 3f98ef09-377a-5bfb-b61a-1493842e8d2a \
    -machine q35,memory-backend=ram-cell0 \
    -accel kvm \
    -cpu host \
    -m size=2097152k \
    -smp 4,sockets=1,dies=1,cores=4,threads=1 \
    -object memory-backend-ram,id=ram-cell0,size=2147483648,host-nodes=0,policy=bind \
    -no-user-config \
    -nodefaults \
    -display none \
    -serial mon:stdio
