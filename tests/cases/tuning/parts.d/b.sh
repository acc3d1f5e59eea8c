#!/bin/sh
# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.
printf '%s\n' \
    'b: all threads share these CPUs; only '\''numac run'\'' applies:' \
    '  vcpus 0-1 on cpus 6,7, one each' \
    '  emulator on cpus 8-11' \
    '  vcpus 0-1 have 30% of the memory bandwidth of L3 cache 1' >&2
exec taskset -c 6-11 \
    qemu-system-x86_64 \
    -name guest=b,debug-threads=on \
    -uuid b94f44cc-809a-58f8-9bdc-ac34515f4c72 \
    -machine q35,memory-backend=ram-cell0 \
    -accel kvm \
    -cpu host \
    -m size=2097152k \
    -smp 2,sockets=1,dies=1,cores=2,threads=1 \
    -object memory-backend-ram,id=ram-cell0,size=2147483648,host-nodes=1,policy=bind \
    -no-user-config \
    -nodefaults \
    -display none \
    -serial mon:stdio
