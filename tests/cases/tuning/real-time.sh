#!/bin/sh
# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.
printf '%s\n' \
    'rt: all threads share these CPUs; only '\''numac run'\'' applies:' \
    '  vcpus 0-5 on cpus 4-9, one each' \
    '  emulator on cpus 2-3' \
    '  iothread 1 on cpu 3' \
    '  iothread 2 on cpus 2-3' \
    '  iothread 3 on cpus 2-3' \
    '  vcpu 0 scheduled as batch' \
    '  vcpus 2-3,5 scheduled as fifo 1' \
    '  vcpu 4 scheduled as fifo 2' \
    '  emulator scheduled as rr 2' \
    '  iothread 1 scheduled as fifo 1' \
    '  iothread 2 scheduled as idle' \
    '  iothread 3 scheduled as fifo 1' \
    '  vhost workers on cpus 2-3' \
    '  vhost workers scheduled as fifo 1' >&2
exec taskset -c 2-9 \
    qemu-system-x86_64 \
    -name guest=rt,debug-threads=on \
    -uuid 604d401c-f256-5af1-9e0e-ed860ccd9da6 \
    -machine q35,memory-backend=ram-cell0 \
    -accel kvm \
    -cpu host \
    -m size=8388608k \
    -smp 6,sockets=1,dies=1,cores=6,threads=1 \
    -object memory-backend-ram,id=ram-cell0,size=8589934592,host-nodes=0,policy=bind,merge=off \
    -no-user-config \
    -nodefaults \
    -display none \
    -serial mon:stdio \
    -object iothread,id=iothread1,poll-max-ns=50000,poll-grow=2,poll-shrink=4,thread-pool-min=1,thread-pool-max=8 \
    -object iothread,id=iothread2,poll-max-ns=0 \
    -object iothread,id=iothread3,thread-pool-min=0,thread-pool-max=4
