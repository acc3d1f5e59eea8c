#!/bin/sh
# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.
exec qemu-system-x86_64 \
    -name guest=plain,debug-threads=on \
    -uuid 5e6c2e5e-8a52-5b7c-9d5a-0123456789ab \
    -machine q35,memory-backend=ram-cell0 \
    -accel kvm \
    -cpu host \
    -m size=1048576k \
    -smp 2,sockets=1,dies=1,cores=2,threads=1 \
    -object memory-backend-ram,id=ram-cell0,size=1073741824 \
    -no-user-config \
    -nodefaults \
    -display none \
    -serial mon:stdio
