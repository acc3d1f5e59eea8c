#!/bin/sh
# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.
printf '%s\n' \
    'pg-1: all threads share these CPUs; only '\''numac run'\'' applies:' \
    '  vcpus 0-7 on cpus 8-11,48,50,52,54, one each' \
    '  emulator on cpus 2-3' \
    '  iothread 1 on cpu 4' >&2
exec taskset -c 2-4,8-11,48,50,52,54 \
    qemu-system-x86_64 \
    -name guest=pg-1,debug-threads=on \
    -uuid 5e6c2e5e-8a52-5b7c-9d5a-0123456789ab \
    -machine q35 \
    -accel kvm \
    -cpu host \
    -m size=8388608k \
    -smp 8,sockets=2,dies=1,cores=2,threads=2 \
    -overcommit mem-lock=on \
    -object thread-context,id=near-cell0,node-affinity=0 \
    -object memory-backend-memfd,id=ram-cell0,size=4294967296,hugetlb=on,hugetlbsize=2097152,share=off,host-nodes=0,policy=bind,prealloc=on,prealloc-threads=4,prealloc-context=near-cell0 \
    -object memory-backend-memfd,id=ram-cell1,size=4294967296,hugetlb=on,hugetlbsize=1073741824,share=on,host-nodes=1,policy=bind,prealloc=on,prealloc-threads=4 \
    -numa node,nodeid=0,cpus=0-3,memdev=ram-cell0 \
    -numa node,nodeid=1,cpus=4-7,memdev=ram-cell1 \
    -numa dist,src=0,dst=1,val=21 \
    -numa dist,src=1,dst=0,val=21 \
    -no-user-config \
    -nodefaults \
    -display none \
    -serial mon:stdio \
    -object iothread,id=iothread1 \
    -object iothread,id=iothread3 \
    -blockdev node-name=disk0,driver=qcow2,file.driver=file,file.filename=/var/lib/libvirt/images/pg-1.qcow2 \
    -device virtio-blk,drive=disk0,iothread=iothread1 \
    -netdev bridge,id=net0,br=br0 \
    -device virtio-net,netdev=net0,mac=52:54:00:12:34:56
