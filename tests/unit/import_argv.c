/* SPDX-License-Identifier: MIT
 *
 * What import makes of a command line, word for word, and what it tells, with its place.  That the site makes the same
 * command line again is proven on whole files by tests/import.py.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "importing.h"

/* Through a file: text in memory cannot hold the NUL bytes of a process. */
static struct run import(const char *text, size_t length)
{
    struct run run = run_new();
    g_autofree char *folder = g_dir_make_tmp("numac-argv-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "pg.1.argv", NULL);
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
    run_import(&run, sources_read_words(run.sources, path, IMPORT_BYTES_LIMIT), false);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    return run;
}

/* ---- what is written -------------------------------------------------------------------------------------------- */

#define KVM "qemu-system-x86_64 -name g -accel kvm -machine q35 -cpu host "
#define ONE "    vcpus 1\n"
#define CXL_MACHINE KVM "-m 1G -machine cxl=on" RAM("a") " -numa node,cpus=0,memdev=a "
#define CXL_PORT "-device pxb-cxl,id=b,bus=pcie.0,bus_nr=50,numa_node=0 -device cxl-rp,id=p,bus=b "
#define KEY "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define RAM(id) " -object memory-backend-ram,id=" id ",size=1G"
#define GROWS "-m 1G,slots=4,maxmem=8G "
#define ROOM "    memory 1GiB { max 8GiB; slots 4 }\n" ONE

static const struct {
    const char *name, *text, *site;
} written[] = {
    { "what QEMU takes where nothing is said", "qemu-system-x86_64 -name g",
      "    machine pc\n    accel tcg\n    cpu qemu64\n    memory 128MiB\n" ONE },
    { "what numac takes", KVM "-m 1G", "    memory 1GiB\n" ONE },
    { "a size in MiB", KVM "-m 1536", "    memory 1536MiB\n" ONE },
    { "a size with a fraction", KVM "-m 1.5G", "    memory 1536MiB\n" ONE },
    { "later options of one kind", KVM "-m 1G -m slots=0 -m size=2G -smp 2 -smp maxcpus=2",
      "    memory 2GiB\n    vcpus 2 { threads 1 }\n" },
    { "an old accelerator", "qemu-system-x86_64 -name g -M pc,accel=kvm:tcg -cpu host",
      "    machine pc\n    memory 128MiB\n" ONE },
    { "a program that is an accelerator", "/usr/bin/kvm -name g -M pc -cpu host",
      "    machine pc\n    memory 128MiB\n" ONE },
    { "the CPU of TCG", "qemu-system-x86_64 -name g -M q35 -cpu max", "    accel tcg\n    memory 128MiB\n" ONE },
    { "features of a CPU",
      "qemu-system-x86_64 -name g -accel kvm -M q35 -cpu "
      "EPYC,+topoext,-pdpe1gb,ssbd=on,x2apic=off,host-phys-bits=on,l3-"
      "cache=on",
      "    cpu EPYC { cache emulate 3; maxphysaddr passthrough; features topoext ^pdpe1gb ssbd ^x2apic }\n    memory "
      "128MiB\n" ONE },
    { "cores before sockets", KVM "-smp 8,threads=2", "    memory 128MiB\n    vcpus 8 { threads 2 }\n" },
    { "sockets before cores", "kvm -name g -M pc-q35-6.1 -cpu host -smp 8",
      "    machine pc-q35-6.1\n    memory 128MiB\n    vcpus 8 { sockets 8 }\n" },
    { "levels make the vCPUs", KVM "-smp sockets=2,cores=2,threads=2",
      "    memory 128MiB\n    vcpus 8 { sockets 2; threads 2 }\n" },
    { "all levels", KVM "-smp 16,sockets=1,dies=2,clusters=2,cores=2,threads=2",
      "    memory 128MiB\n    vcpus 16 { sockets 1; dies 2; clusters 2; cores 2; threads 2 }\n" },
    { "one drawer of one book", KVM "-smp 4,drawers=1,books=1,threads=2",
      "    memory 128MiB\n    vcpus 4 { threads 2 }\n" },
    { "vCPUs that wait", KVM "-smp 2,maxcpus=4",
      "    memory 128MiB\n    vcpus 2 { max 4; online 0-1; fixed 0-1; threads 1 }\n" },
    { "vCPUs that are plugged",
      KVM "-smp 1,maxcpus=4,sockets=2 -device host-x86_64-cpu,id=v,socket-id=1,core-id=0,thread-id=0 "
          "-device host-x86_64-cpu,socket-id=0,core-id=1,thread-id=0",
      "    memory 128MiB\n    vcpus 3 { max 4; online 0-2; fixed 0-1; order 0 2 1; sockets 2; threads 1 }\n" },
    { "one backend", KVM "-m 1G -machine memory-backend=m" RAM("m") ",host-nodes=0-1,host-nodes=3,policy=interleave",
      "    memory 1GiB\n" ONE "    node 0-1,3 interleave\n" },
    { "JSON",
      KVM "-m 1G -machine memory-backend=m -object '{\"qom-type\": \"memory-backend-ram\", \"id\":\"\\u006d\", "
          "\"size\":1073741824,\"host-nodes\":[0,2],\"policy\":\"bind\"}'",
      "    memory 1GiB\n" ONE "    node 0,2\n" },
    { "JSON as ps prints it",
      KVM "-m 1G -machine memory-backend=m -object "
          "{\"qom-type\":\"memory-backend-ram\",\"id\":\"m\",\"size\":1073741824} -S",
      "    memory 1GiB\n" ONE },
    { "where memory comes from",
      KVM
      "-m 1G -machine memory-backend=m -object memory-backend-file,id=m,size=1G,mem-path=/srv/a,,b,share=on,align=2M,"
      "offset=4096,discard-data=on,dump=off,reserve=off,merge=off,prealloc=on,prealloc-threads=4",
      "    memory 1GiB\n" ONE "    backing file { path \"/srv/a,b\"; align 2MiB; offset 4KiB }\n    access shared\n"
      "    allocation immediate { threads 4 }\n    discard yes\n    dump no\n    reserve no\n    ksm no\n" },
    { "a memfd is shared unless it says otherwise",
      KVM "-m 1G -machine memory-backend=m -object memory-backend-memfd,id=m,size=1G",
      "    memory 1GiB\n" ONE "    backing memfd\n    access shared\n" },
    { "huge pages by the name of a folder", KVM "-m 1G -mem-path /run/hugepages/kvm/1048576kB -mem-prealloc",
      "    memory 1GiB\n" ONE "    pages 1GiB\n" },
    { "huge pages beside the name of a guest", KVM "-m 1G -mem-path /dev/hugepages/qemu/4Gguest -mem-prealloc",
      "    memory 1GiB\n" ONE "    pages 2MiB\n" },
    { "huge pages by the name of their mount", KVM "-m 1G -mem-path /mnt/hugepages-1G/a -mem-prealloc",
      "    memory 1GiB\n" ONE "    pages 1GiB\n" },
    { "huge pages of a folder",
      KVM "-m 1G -machine memory-backend=m -object "
          "memory-backend-file,id=m,size=1G,mem-path=/dev/hugepages/2048kB,share=off",
      "    memory 1GiB\n" ONE "    pages 2MiB\n" },
    { "a file of libvirt", KVM "-m 1G -mem-path /var/lib/libvirt/qemu/ram/1-g",
      "    memory 1GiB\n" ONE "    backing file\n" },
    { "memory that is kept", KVM "-overcommit mem-lock=on -machine mem-merge=off",
      "    memory 128MiB\n" ONE "    ksm no\n    locked yes\n" },
    { "room to grow", KVM GROWS, ROOM },
    { "room for nothing", KVM "-m 1G,maxmem=1G", "    memory 1GiB\n" ONE },
    { "a DIMM", KVM GROWS RAM("m") ",host-nodes=1,policy=preferred -device pc-dimm,memdev=m,slot=2,addr=0x140000000",
      ROOM "    dimm dimm0 { size 1GiB; cell 0; node 1 preferred; slot 2; address 0x140000000 }\n" },
    { "what a DIMM has of its cell",
      KVM GROWS "-machine memory-backend=a" RAM("a") ",host-nodes=0,policy=bind,dump=off" RAM(
          "m") ",host-nodes=0,policy=bind,dump=off -device pc-dimm,memdev=m",
      ROOM "    node 0\n    dump no\n    dimm dimm0 { size 1GiB; cell 0 }\n" },
    { "a DIMM of huge pages, and one without",
      KVM GROWS "-machine memory-backend=a -object memory-backend-memfd,id=a,size=1G,hugetlb=on,hugetlbsize=2M,"
                "share=off -object memory-backend-memfd,id=b,size=1G,hugetlb=on,hugetlbsize=1G,share=off "
                "-object memory-backend-memfd,id=c,size=1G,share=off "
                "-device pc-dimm,memdev=b -device pc-dimm,memdev=c",
      ROOM "    pages 2MiB\n    backing memfd\n    dimm dimm0 { size 1GiB; cell 0; pages 1GiB }"
           "\n    dimm dimm1 { size 1GiB; cell 0; pages normal }\n" },
    { "virtio-mem",
      KVM GROWS RAM("m") ",reserve=off -device virtio-mem-pci,memdev=m,block-size=4M,requested-size=512M,memaddr="
                         "5368709120,dynamic-memslots=on,id=x,bus=pci.0",
      ROOM "    virtio-mem virtio-mem0 {\n        size 1GiB\n        cell 0\n        block 4MiB\n        requested "
           "512MiB\n        dynamic-memslots yes\n        address 0x140000000\n    }\n" },
    { "an NVDIMM",
      KVM GROWS "-machine nvdimm=on -object memory-backend-file,id=m,mem-path=/srv/n,size=1G,align=2M,share=on,pmem=on "
                "-device nvdimm,memdev=m,label-size=128K,unarmed=on,uuid=6c3f5d4e-0000-4000-8000-000000000001",
      ROOM "    nvdimm nvdimm0 {\n        size 1GiB\n        cell 0\n        access shared\n        path \"/srv/n\"\n"
           "        align 2MiB\n        pmem yes\n        label-size 128KiB\n        readonly yes\n        uuid "
           "\"6c3f5d4e-0000-4000-8000-000000000001\"\n    }\n" },
    { "virtio-pmem, which is of no cell",
      KVM GROWS "-object memory-backend-file,id=m,mem-path=/dev/hugepages/p,size=1G,share=on "
                "-device virtio-pmem-pci,memdev=m",
      ROOM "    virtio-pmem virtio-pmem0 { size 1GiB; path \"/dev/hugepages/p\" }\n" },
    { "memory of enclaves",
      KVM "-m 1G -machine sgx-epc.0.memdev=e,sgx-epc.0.node=0,sgx-epc.1.memdev=f -object memory-backend-epc,id=e,"
          "size=64M,prealloc=on -object memory-backend-epc,id=f,size=64M,prealloc=on",
      "    memory 1GiB { max 1152MiB }\n" ONE "    sgx-epc sgx-epc0 { size 64MiB; cell 0 }\n"
      "    sgx-epc sgx-epc1 { size 64MiB; cell 0 }\n" },
    { "memory devices by their kind",
      KVM GROWS "-machine nvdimm=on -object memory-backend-file,id=n,mem-path=/n,size=1G,prealloc=on" RAM("a")
          RAM("b") " -device pc-dimm,memdev=a -device nvdimm,memdev=n -device pc-dimm,memdev=b",
      ROOM "    dimm dimm0 { size 1GiB; cell 0; slot 0 }\n    dimm dimm1 { size 1GiB; cell 0; slot 2 }\n"
           "    nvdimm nvdimm0 { size 1GiB; cell 0; path \"/n\"; slot 1 }\n" },
    { "even cells",
      KVM "-m 2G -smp 4,sockets=2" RAM("a") RAM("b") " -numa node,cpus=0-1,memdev=a -numa node,cpus=2,cpus=3,memdev=b",
      "    memory 2GiB\n    vcpus 4 { threads 1 }\n    cells 2\n" },
    { "cells out of order",
      KVM "-m 2G -smp 2" RAM("a") RAM("b") " -numa node,nodeid=1,cpus=1,memdev=b -numa node,nodeid=0,cpus=0,memdev=a",
      "    memory 2GiB\n    vcpus 2 { sockets 1; threads 1 }\n    cells 2\n" },
    { "memory in the old way", KVM "-m 3G -smp 2 -numa node,cpus=0,mem=1G -numa node,cpus=1,mem=2048",
      "    vcpus 2 { sockets 1; threads 1 }\n    cell 0 { memory 1GiB }\n    cell 1 { memory 2GiB }\n" },
    { "memory that is shared out", KVM "-m 2G -smp 2 -numa node,cpus=0 -numa node,cpus=1",
      "    memory 2GiB\n    vcpus 2 { sockets 1; threads 1 }\n    cells 2\n" },
    { "vCPUs by their place",
      KVM "-m 2G -smp 8,sockets=2,cores=2,threads=2" RAM("a")
          RAM("b") " -numa node,memdev=a -numa node,memdev=b "
                   "-numa cpu,node-id=0,socket-id=0,core-id=0 -numa cpu,node-id=0,socket-id=0,core-id=1 -numa "
                   "cpu,node-id=1,socket-id=1",
      "    memory 2GiB\n    vcpus 8 { threads 2 }\n    cells 2\n" },
    { "vCPUs by their die, and by one thread of each core",
      KVM "-m 2G -smp 16,sockets=2,dies=2,cores=2,threads=2" RAM("a")
          RAM("b") " -numa node,memdev=a -numa node,memdev=b -numa cpu,node-id=0,die-id=0,thread-id=0 "
                   "-numa cpu,node-id=0,socket-id=0,die-id=1 -numa cpu,node-id=1,die-id=0,thread-id=1 "
                   "-numa cpu,node-id=1,socket-id=1,die-id=1",
      "    memory 2GiB\n    vcpus 16 { sockets 2; dies 2; cores 2; threads 2 }\n"
      "    cell 0 { ids 0,2,4-8,10 }\n    cell 1 { ids 1,3,9,11-15 }\n" },
    { "vCPUs by place beside others by number",
      KVM "-m 2G -smp 4,sockets=2,modules=2" RAM("a") RAM("b") " -numa node,cpus=0,memdev=a -numa node,memdev=b "
                                                               "-numa cpu,node-id=0,socket-id=0,module-id=1 "
                                                               "-numa cpu,node-id=1,socket-id=1",
      "    memory 2GiB\n    vcpus 4 { sockets 2; modules 2; cores 1; threads 1 }\n    cells 2\n" },
    { "vCPUs by their cluster",
      "qemu-system-aarch64 -name g -accel kvm -machine virt -cpu host -m 2G -smp 8,sockets=1,clusters=2,cores=4" RAM(
          "a") RAM("b") " -numa node,memdev=a -numa node,memdev=b -numa cpu,node-id=1,socket-id=0,cluster-id=0 "
                        "-numa cpu,node-id=0,socket-id=0,cluster-id=1",
      "    arch aarch64\n    memory 2GiB\n    vcpus 8 { sockets 1; clusters 2; cores 4; threads 1 }\n"
      "    cell 0 { ids 4-7 }\n    cell 1 { ids 0-3 }\n" },
    { "CXL memory",
      CXL_MACHINE CXL_PORT "-object memory-backend-ram,id=m,size=512M -device cxl-type3,bus=p,volatile-memdev=m,id=x "
                           "-machine cxl-fmw.0.targets.0=b,cxl-fmw.0.size=1G",
      "    memory 1GiB\n    vcpus 1\n    cells 1\n    cxl cxl0 { size 512MiB; cell 0; window 1GiB }\n" },
    { "persistent CXL memory",
      CXL_MACHINE CXL_PORT "-object memory-backend-file,id=m,size=256M,mem-path=/srv/m,share=on "
                           "-object memory-backend-file,id=l,size=256K,mem-path=/srv/m.lsa,share=on "
                           "-device cxl-type3,bus=p,persistent-memdev=m,lsa=l "
                           "-machine cxl-fmw.0.targets.0=b,cxl-fmw.0.size=256M",
      "    memory 1GiB\n    vcpus 1\n    cells 1\n    cxl cxl0 { size 256MiB; cell 0; persistent yes; path \"/srv/m\" "
      "}\n" },
    { "caches that vCPUs share",
      KVM "-m 1G -smp 8,cores=4,threads=2 -machine smp-cache.0.cache=l3,smp-cache.0.topology=core,smp-cache.1.cache=l2,"
          "smp-cache.1.topology=default -machine smp-cache.0.topology=die",
      "    memory 1GiB\n    vcpus 8 { threads 2; caches { l3 die } }\n" },
    { "distances, one direction said",
      KVM "-m 3G -smp 3" RAM("a") RAM("b") RAM("c") " -numa node,cpus=0,memdev=a -numa node,cpus=1,memdev=b "
                                                    "-numa node,cpus=2,memdev=c -numa dist,src=0,dst=1,val=21 -numa "
                                                    "dist,src=0,dst=2,val=31 -numa dist,src=1,dst=2,val=22",
      "    memory 3GiB\n    vcpus 3 { sockets 1; threads 1 }\n    cells 3\n    distances {\n        0 10 21 31\n"
      "        1 21 10 22\n        2 31 22 10\n    }\n" },
    { "HMAT",
      KVM "-m 2G -smp 1 -machine hmat=on" RAM("a")
          RAM("b") " -numa node,cpus=0,memdev=a -numa node,initiator=0,memdev=b "
                   "-numa hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=write-latency,latency=400 "
                   "-numa hmat-lb,initiator=0,target=1,hierarchy=memory,data-type=read-latency,latency=180 "
                   "-numa hmat-lb,initiator=0,target=1,hierarchy=first-level,data-type=access-bandwidth,bandwidth=2G "
                   "-numa hmat-cache,node-id=1,size=16M,level=1,associativity=complex,policy=write-through,line=64",
      "    memory 2GiB\n    cell 0 { vcpus 1 }\n    cell 1 {\n        vcpus 0\n        initiator 0\n"
      "        latency { 0 180ns 400ns }\n        hmat-cache 1 {\n            size 16MiB\n            line 64\n"
      "            associativity full\n            policy writethrough\n            bandwidth { 0 2GiB/s }\n        "
      "}\n    }\n" },
    { "I/O threads", KVM "-object iothread,id=iothread1 -object iothread,id=io,poll-max-ns=0,thread-pool-max=8",
      "    memory 128MiB\n" ONE "    iothreads 2\n    iothread 2 { poll 0ns; pool 0 8 }\n" },
    { "I/O threads by their numbers",
      KVM "-object iothread,id=io -object iothread,id=iothread5 -object iothread,id=iothread1",
      "    memory 128MiB\n" ONE "    iothread 2\n    iothread 5\n    iothread 1\n" },
    { "flash and the disk of libvirt",
      "qemu-system-aarch64 -name g -accel kvm -machine virt,gic-version=3,pflash0=code -cpu host "
      "-blockdev '{\"driver\":\"file\",\"filename\":\"/a.qcow2\",\"node-name\":\"s\"}' "
      "-blockdev '{\"node-name\":\"f\",\"driver\":\"qcow2\",\"file\":\"s\"}' "
      "-device '{\"driver\":\"virtio-blk-pci\",\"drive\":\"f\",\"id\":\"d\"}'",
      "    arch aarch64\n    memory 128MiB\n" ONE
      "    boot {\n        firmware uefi\n        disk \"/a.qcow2\"\n    }\n" },
    { "CXL memory behind a switch",
      CXL_MACHINE CXL_PORT "-device cxl-upstream,id=u,bus=p -device cxl-downstream,id=e,bus=u,slot=4 "
                           "-object memory-backend-ram,id=m,size=512M -device cxl-type3,bus=e,volatile-memdev=m "
                           "-machine cxl-fmw.0.targets.0=b,cxl-fmw.0.size=1G",
      "    memory 1GiB\n    vcpus 1\n    cells 1\n    cxl cxl0 { size 512MiB; cell 0; window 1GiB }\n" },
    { "two devices behind a switch",
      CXL_MACHINE CXL_PORT "-device cxl-upstream,id=u,bus=p -device cxl-downstream,id=e,bus=u "
                           "-device cxl-downstream,id=f,bus=u -device cxl-type3,bus=e,volatile-memdev=m "
                           "-device cxl-type3,bus=f,volatile-memdev=n "
                           "-machine cxl-fmw.0.targets.0=b,cxl-fmw.0.size=1G",
      "    memory 1GiB\n    vcpus 1\n    cells 1\n" },
    { "switches in a ring",
      CXL_MACHINE CXL_PORT "-device cxl-upstream,id=u,bus=e -device cxl-downstream,id=e,bus=u "
                           "-device cxl-type3,bus=e,volatile-memdev=m",
      "    memory 1GiB\n    vcpus 1\n    cells 1\n" },
    { "what boot says",
      KVM "-bios /usr/share/ovmf/OVMF.fd -kernel vmlinuz -initrd 'my initrd' -append \"root=/dev/vda \\$x\" "
          "-drive file=a,,b.qcow2,if=none,id=d,format=qcow2 -device virtio-blk-pci,drive=d -netdev bridge,id=n,br=lan "
          "-device virtio-net-pci,netdev=n",
      "    memory 128MiB\n" ONE
      "    boot {\n        firmware uefi\n        kernel \"vmlinuz\"\n        initrd \"my initrd\"\n"
      "        cmdline \"root=/dev/vda $$x\"\n        disk \"a,b.qcow2\"\n        network \"lan\"\n    }\n" },
    { "a bus on a cell",
      KVM "-m 1G -numa node,cpus=0,mem=1G -device pxb-pcie,id=pci.1,bus=pcie.0,bus_nr=180,numa_node=0 "
          "-device pcie-root-port,id=a,bus=pci.1 -device pcie-root-port,id=b,bus=pci.1 -device pcie-root-port,id=c",
      "    memory 1GiB\n" ONE "    cells 1\n    expander-bus pci1 { cell 0; number 180; ports 2 }\n" },
    { "devices of the host",
      KVM "-m 1G -numa node,cpus=0,mem=1G -device pxb-pcie,id=pci.1,numa_node=0 -device pcie-root-port,id=p,bus=pci.1 "
          "-device vfio-pci,host=5e:00.0,bus=p,id=gpu.0 -device vfio-pci,host=0001:18:00.0",
      "    memory 1GiB\n" ONE "    cells 1\n    expander-bus pci1 { cell 0; ports 1 }\n"
      "    device gpu0 0000:5e:00.0 { bus pci1 }\n    device hostdev1 0001:18:00.0\n" },
    { "a device behind an old port, and one behind a switch",
      KVM "-m 1G -numa node,cpus=0,mem=1G -device pxb-pcie,id=b,numa_node=0 -device ioh3420,id=p,bus=b "
          "-device vfio-pci,host=5e:00.0,bus=p -device pcie-root-port,id=q,bus=b -device x3130-upstream,id=u,bus=q "
          "-device xio3130-downstream,id=d,bus=u -device vfio-pci,host=5f:00.0,bus=d",
      "    memory 1GiB\n" ONE "    cells 1\n    expander-bus b { cell 0; ports 2 }\n"
      "    device hostdev0 0000:5e:00.0 { bus b }\n    device hostdev1 0000:5f:00.0 { bus b }\n" },
    { "a size in hexadecimal digits",
      KVM "-m 1G -machine memory-backend=m -object "
          "memory-backend-ram,id=m,size=0x40000000",
      "    memory 1GiB\n" ONE },
    { "names that others have already",
      KVM "-numa node,cpus=0,mem=128 -device pxb-pcie,id=bus0,numa_node=0 -device pxb-pcie,id=bus.0,numa_node=0 "
          "-device vfio-pci,host=41:00.0 -device vfio-pci,host=42:00.0,id=host.dev2,bus=bus.0 "
          "-device vfio-pci,host=43:00.0,id=hostdev2",
      "    memory 128MiB\n" ONE "    cells 1\n    expander-bus bus0 { cell 0 }\n    expander-bus bus1 { cell 0 }\n"
      "    device hostdev0 0000:41:00.0\n    device hostdev2 0000:42:00.0 { bus bus1 }\n"
      "    device hostdev3 0000:43:00.0\n" },
    { "address bits of nobody", "qemu-system-x86_64 -name g -accel kvm -M q35 -cpu host,host-phys-bits=off",
      "    cpu { maxphysaddr emulate 40 }\n    memory 128MiB\n" ONE },
    { "sockets of an old machine of RHEL", "qemu-system-x86_64 -name g -accel kvm -M pc-q35-rhel8.5.0 -cpu host -smp 4",
      "    machine pc-q35-rhel8.5.0\n    memory 128MiB\n    vcpus 4 { sockets 4 }\n" },
    { "cores of a newer one", "qemu-system-x86_64 -name g -accel kvm -M pc-q35-rhel8.6.0 -cpu host -smp 4",
      "    machine pc-q35-rhel8.6.0\n    memory 128MiB\n    vcpus 4 { threads 1 }\n" },
    { "taskset with a mask", "sudo taskset 0x1f " KVM,
      "    memory 128MiB\n" ONE "    cpus 0-4\n    emulator { cpus 0-4 }\n" },
    { "taskset with a list, in steps", "taskset -ac 0-7:2,16 " KVM,
      "    memory 128MiB\n" ONE "    cpus 0,2,4,6,16\n    emulator { cpus 0,2,4,6,16 }\n" },
    { "numactl", "numactl --membind=0,1 -C4-7 -- " KVM,
      "    memory 128MiB\n" ONE "    cpus 4-7\n    node 0-1\n    emulator { cpus 4-7 }\n" },
    { "numactl by nodes", "LC_ALL=C numactl -N 1 --preferred 1 nice -n 5 " KVM,
      "    memory 128MiB\n" ONE "    cpus node:1\n    node 1 preferred\n    emulator { cpus node:1 }\n" },
    { "numactl beside a set that only the machine knows", "numactl -N +0 -i 0-1 " KVM,
      "    memory 128MiB\n" ONE "    node 0-1 interleave\n" },
    { "a scope of systemd with limits",
      "systemd-run --scope -p AllowedCPUs=0-3 --slice vms --unit=pg prlimit --memlock=unlimited " KVM,
      "    memory 128MiB\n" ONE },
    { "a word a line",
      "A=b \\\nB='c d' \\\n/usr/bin/qemu-system-x86_64 \\\n-name g \\\n-accel kvm \\\n-M q35 \\\n-cpu host\n",
      "    memory 128MiB\n" ONE },
    { "a word a line, without backslashes",
      "A=b\nqemu-system-x86_64\n-name\ng\n-append\n'a\nb' 'c'\n-accel\nkvm\n-M\nq35\n-cpu\nhost\n", NULL },
    { "a line behind others", "\n# it's the guest\n" KVM "2>&1 > /dev/null &\n", "    memory 128MiB\n" ONE },
    { "a program that is only named", "A=/usr/bin/qemu-system-x86_64\n" KVM "\nB=\"./qemu-system-x86_64 -m 1G\"\n",
      "    memory 128MiB\n" ONE },
    { "a line behind a word of the shell", "if true; then " KVM "\n  else ! sudo cat x\nfi\n",
      "    memory 128MiB\n" ONE },
    { "options on lines of their own", KVM "\n-m 1G\n -S\n", "    memory 1GiB\n" ONE },
    { "two dashes", "qemu-system-x86_64 --name g --accel kvm --machine q35 --cpu host --m 1G",
      "    memory 1GiB\n" ONE },
};

static void test_written(gconstpointer data)
{
    size_t which = GPOINTER_TO_SIZE(data);
    struct run run = import(written[which].text, strlen(written[which].text));
    g_autofree char *site = g_strdup_printf("guest g {\n%s}\n", written[which].site ? written[which].site : "");
    if (written[which].site)
        g_assert_nonnull(run.imported.site);
    if (written[which].site)
        g_assert_cmpstr(run.imported.site->str, ==, site);
    else
        g_assert_null(run.imported.site);
    run_end(&run);
}

/* The words of a process: nothing in them is a shell's. */
static void test_process(void)
{
    static const char text[] =
        "/usr/bin/qemu-system-x86_64\0-name\0guest=a b's $x,debug-threads=on\0-accel\0kvm\0-M\0q35\0-cpu\0"
        "host\0-append\0a # \"b\0-kernel\0\xc3\xa9\0-S\0";
    struct run run = import(text, sizeof text - 1);
    g_assert_null(run.imported.site); /* a '$' in a name */
    g_assert_cmpuint(findings_nth(run.findings, 1)->code, ==, NM_import_name);
    run_end(&run);
    static const char other[] = "kvm\0-name\0a b's\0-M\0q35\0-cpu\0host\0-append\0a # \"b\0-kernel\0\xc3\xa9\0-S";
    run = import(other, sizeof other - 1);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(run.imported.site->str, ==,
                    "guest \"a b's\" {\n    memory 128MiB\n    vcpus 1\n    boot {\n        kernel \"\xc3\xa9\"\n"
                    "        cmdline \"a # \\\"b\"\n    }\n}\n");
    run_end(&run);
}

/* A guest without a name has that of its file. */
static void test_name_of_file(void)
{
    static const char text[] = "kvm -M q35 -cpu host";
    struct run run = import(text, sizeof text - 1);
    g_assert_nonnull(run.imported.site);
    g_assert_true(g_str_has_prefix(run.imported.site->str, "guest pg {\n"));
    g_assert_cmpuint(findings_nth(run.findings, 0)->code, ==, NM_argv_no_name);
    run_end(&run);
}

static void test_several(void)
{
    static const char text[] = "#!/bin/sh\nset -e\n" KVM " -m 1G &\n"
                               "kvm -name h -M q35 -cpu host; exit 3\n";
    struct run run = import(text, sizeof text - 1);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(run.imported.site->str, ==,
                    "guest g {\n    memory 1GiB\n    vcpus 1\n}\n\nguest h {\n    memory 128MiB\n    vcpus 1\n}\n");
    g_assert_cmpuint(findings_count(run.findings, HINT), ==, 1);
    const struct finding *finding = findings_nth(run.findings, 0);
    g_assert_cmpuint(finding->code, ==, NM_argv_left_out);
    g_assert_cmpstr(finding->message, ==, "left out: 'set'");
    g_assert_cmpstr(finding->notes[0], ==, "and 1 more that run something else than QEMU");
    run_end(&run);
}

/* Each gets a name of its own. */
static void test_several_without_names(void)
{
    static const char text[] = "if cat x; then\n  kvm -M q35 -cpu host -m 1G\nelse\n  kvm -M q35 -cpu host -m 2G\nfi\n";
    struct run run = import(text, sizeof text - 1);
    g_assert_nonnull(run.imported.site);
    g_assert_cmpstr(run.imported.site->str, ==,
                    "guest pg {\n    memory 1GiB\n    vcpus 1\n}\n\nguest pg-2 {\n    memory 2GiB\n    vcpus 1\n}\n");
    run_end(&run);
}

/* ---- what is told ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *text;
    enum code code;
    const char *place; /* the letters it points at */
} told[] = {
    { "a quote", KVM "-append 'a b", NM_argv_quote, "'" },
    { "a double quote", KVM "-append \"a b\\\"", NM_argv_quote, "\"" },
    { "another program", "A=b cat x", NM_argv_program, "cat" },
    { "nothing but assignments", "A=b", NM_argv_program, "" },
    { "a wrapper of nothing", "taskset -c 0-3", NM_argv_program, "taskset" },
    { "a variable", KVM "-smp \"$N\"", NM_argv_shell, "\"$N\"" },
    { "a command in a command", KVM "-m `cat size`", NM_argv_shell, "`cat" },
    { "no value", KVM "-m", NM_argv_no_value, "-m" },
    { "no number", KVM "-smp four", NM_argv_value, "four" },
    { "no size", KVM "-m 4Q", NM_argv_value, "4Q" },
    { "a size beyond all", KVM "-m 99999999999999999999", NM_argv_value, "99999999999999999999" },
    { "a topology that does not fit", KVM "-smp 8,sockets=3", NM_argv_value, "-smp 8,sockets=3" },
    { "more vCPUs than there can be", KVM "-smp 8,maxcpus=4", NM_argv_value, "-smp 8,maxcpus=4" },
    { "JSON cut short", KVM "-object '{\"qom-type\":\"iothread\"'", NM_argv_value, "" },
    { "JSON with more behind it", KVM "-object '{\"qom-type\":\"iothread\",\"id\":\"a\"}x'", NM_argv_value, "x" },
    { "a key beyond all", KVM "-object '{\"" KEY KEY KEY KEY "\":{\"a\":1}}'", NM_argv_value, "{" },
    { "JSON deeper than deep", KVM "-object '{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]}'",
      NM_argv_value, "[" },
    { "no list of CPUs", "taskset -c 3-0 " KVM, NM_argv_value, "3-0" },
    { "more CPUs than there can be", "taskset -c 0-65535,0:1 " KVM, NM_argv_value, "0-65535,0:1" },
    { "no mask", "taskset wide " KVM, NM_argv_value, "wide" },
    { "nodes that numactl does not know", "numactl -m 0-x " KVM, NM_argv_value, "0-x" },
    { "nodes that count from where it runs", "numactl -m +0 " KVM, NM_argv_not_carried, "+0" },
    { "all CPUs but some", "numactl --physcpubind='!0-3' " KVM, NM_argv_not_carried, "--physcpubind='!0-3'" },
    { "nodes near a device", "numactl -N netdev:eth0 " KVM, NM_argv_not_carried, "netdev:eth0" },
    { "nodes without a policy", KVM "-m 1G -machine memory-backend=m" RAM("m") ",host-nodes=0", NM_argv_value,
      "-object memory-backend-ram,id=m,size=1G,host-nodes=0" },
    { "no policy", KVM "-m 1G -machine memory-backend=m" RAM("m") ",host-nodes=0,policy=near", NM_argv_value,
      "policy=near" },
    { "a backend that is not there", KVM "-machine memory-backend=m", NM_argv_object, "memory-backend=m" },
    { "two backends of one id", KVM RAM("m") RAM("m"), NM_argv_object, "id=m" },
    { "one backend for two cells", KVM "-m 2G" RAM("m") " -numa node,memdev=m -numa node,cpus=0,memdev=m",
      NM_argv_object, "memdev=m" },
    { "two cells of one number", KVM " -numa node,cpus=0,mem=128 -numa node,nodeid=0", NM_argv_cells, "nodeid=0" },
    { "a gap", KVM " -numa node,cpus=0,mem=128,nodeid=1", NM_argv_cells, "-numa node,cpus=0,mem=128,nodeid=1" },
    { "a cell beyond all", KVM " -numa node,nodeid=128", NM_argv_cells, "nodeid=128" },
    { "a vCPU that is not there", KVM " -numa node,cpus=0-1,mem=128", NM_argv_cells, "-numa node,cpus=0-1,mem=128" },
    { "a distance to nowhere", KVM " -numa node,cpus=0,mem=128 -numa dist,src=0,dst=1,val=20", NM_argv_cells, "dst=1" },
    { "an initiator that is not there", KVM "-machine hmat=on -numa node,cpus=0,mem=128,initiator=3", NM_argv_cells,
      "initiator=3" },
    { "memory that is not the sum", KVM "-m 1G -numa node,cpus=0,mem=2G", NM_argv_memory, "-m 1G" },
    { "a backend of another size", KVM "-m 2G -machine memory-backend=m" RAM("m"), NM_argv_memory,
      "-object memory-backend-ram,id=m,size=1G" },
    { "values without an HMAT",
      KVM "-numa node,cpus=0,mem=128 -numa "
          "hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=5",
      NM_argv_value, "-numa hmat-lb,initiator=0,target=0,hierarchy=memory,data-type=access-latency,latency=5" },
    { "room that no slot takes", KVM "-m 1G,maxmem=4G", NM_argv_not_carried, "maxmem=4G" },
    { "slots without room", KVM "-m 1G,slots=2", NM_argv_value, "slots=2" },
    { "less room than memory", KVM "-m 2G,slots=2,maxmem=1G", NM_argv_value, "maxmem=1G" },
    { "no more room than memory", KVM "-m 2G,slots=2,maxmem=2G", NM_argv_value, "maxmem=2G" },
    { "a vCPU at no place", KVM "-smp 1,maxcpus=2 -device host-x86_64-cpu,id=a,core-id=2", NM_argv_value, "core-id=2" },
    { "a vCPU at two places", KVM "-smp 1,maxcpus=4 -device host-x86_64-cpu,id=a,socket-id=0", NM_argv_value,
      "-device host-x86_64-cpu,id=a,socket-id=0" },
    { "a vCPU that is there", KVM "-smp 1,maxcpus=2 -device host-x86_64-cpu,core-id=0", NM_argv_value,
      "-device host-x86_64-cpu,core-id=0" },
    { "too many vCPUs", KVM "-smp cores=100,sockets=100", NM_argv_limit, "-smp cores=100,sockets=100" },
    { "a memory device without room", KVM RAM("m") " -device pc-dimm,memdev=m", NM_argv_value,
      "-device pc-dimm,memdev=m" },
    { "a memory device without memory", KVM GROWS "-device pc-dimm", NM_argv_value, "-device pc-dimm" },
    { "a memory device of no cell", KVM GROWS RAM("m") " -device pc-dimm,memdev=m,node=1", NM_argv_value, "node=1" },
    { "memory of two devices", KVM GROWS RAM("m") " -device pc-dimm,memdev=m -device pc-dimm,memdev=m", NM_argv_object,
      "memdev=m" },
    { "an NVDIMM on a machine without", KVM GROWS "-device nvdimm,memdev=m", NM_argv_value, "-device nvdimm,memdev=m" },
    { "a memory device with a file",
      KVM GROWS "-object memory-backend-file,id=m,mem-path=/a,size=1G "
                "-device pc-dimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-file,id=m,mem-path=/a,size=1G" },
    { "a memory device from elsewhere",
      KVM GROWS "-object memory-backend-memfd,id=m,size=1G,share=off "
                "-device pc-dimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-memfd,id=m,size=1G,share=off" },
    { "a memory device that is taken at start", KVM GROWS RAM("m") ",prealloc=on -device pc-dimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-ram,id=m,size=1G,prealloc=on" },
    { "a memory device that is in no dump", KVM GROWS RAM("m") ",dump=off -device pc-dimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-ram,id=m,size=1G,dump=off" },
    { "virtio-mem that is reserved", KVM GROWS RAM("m") " -device virtio-mem-pci,memdev=m", NM_argv_not_carried,
      "-object memory-backend-ram,id=m,size=1G" },
    { "a memory device on no node",
      KVM GROWS "-machine memory-backend=a" RAM("a") ",host-nodes=0,policy=bind" RAM("m") " -device pc-dimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-ram,id=m,size=1G" },
    { "an NVDIMM that is not filled",
      KVM GROWS "-machine nvdimm=on -object memory-backend-file,id=m,mem-path=/a,size=1G "
                "-device nvdimm,memdev=m",
      NM_argv_not_carried, "-object memory-backend-file,id=m,mem-path=/a,size=1G" },
    { "a private virtio-pmem",
      KVM GROWS "-object memory-backend-file,id=m,mem-path=/a,size=1G "
                "-device virtio-pmem-pci,memdev=m",
      NM_argv_not_carried, "-object memory-backend-file,id=m,mem-path=/a,size=1G" },
    { "an offset into the file of an NVDIMM",
      KVM GROWS "-machine nvdimm=on -object "
                "memory-backend-file,id=m,mem-path=/a,size=1G,prealloc=on,offset=4096 -device nvdimm,memdev=m",
      NM_argv_not_carried, "offset=4096" },
    { "labels of CXL memory somewhere else",
      CXL_MACHINE CXL_PORT "-object memory-backend-file,id=m,size=256M,mem-path=/srv/m,share=on "
                           "-object memory-backend-file,id=l,size=256K,mem-path=/srv/l,share=on "
                           "-device cxl-type3,bus=p,persistent-memdev=m,lsa=l "
                           "-machine cxl-fmw.0.targets.0=b,cxl-fmw.0.size=256M",
      NM_argv_not_carried, "-object memory-backend-file,id=l,size=256K,mem-path=/srv/l,share=on" },
    { "huge pages when they are touched", KVM "-m 1G -mem-path /dev/hugepages-1G", NM_argv_not_carried,
      "-mem-path /dev/hugepages-1G" },
    { "cells of a guest without ACPI", KVM "-m 1G -no-acpi -numa node,cpus=0,mem=1G", NM_argv_not_carried, "-no-acpi" },
    { "a guest without ACPI", KVM "-machine acpi=off", NM_argv_left_out, "acpi=off" },
    { "a kernel in a variable", KVM "-kernel \"$DIR/bzImage\"", NM_argv_not_carried, "-kernel \"$DIR/bzImage\"" },
    { "a name in a variable", "kvm -name $VM -M q35 -cpu host", NM_argv_no_name, "-name $VM" },
    { "options in a variable", KVM "\"$@\"", NM_argv_not_carried, "\"$@\"" },
    { "an old GIC", "qemu-system-aarch64 -name g -accel kvm -machine virt,gic-version=2 -cpu host", NM_argv_not_carried,
      "gic-version=2" },
    { "a GIC that nobody says", "qemu-system-aarch64 -name g -accel kvm -machine virt -cpu host -smp 8",
      NM_argv_not_carried, "qemu-system-aarch64" },
    { "a cache of each thread", KVM "-machine smp-cache.0.cache=l2,smp-cache.0.topology=thread", NM_argv_not_carried,
      "smp-cache.0.cache=l2" },
    { "memory that nobody uses", KVM RAM("m"), NM_argv_not_carried, "-object memory-backend-ram,id=m,size=1G" },
    { "a bus on a cell", KVM "-device pxb-pcie,numa_node=0", NM_argv_not_carried, "-device pxb-pcie,numa_node=0" },
    { "a bus on no cell", KVM "-device pxb-pcie,id=a", NM_argv_not_carried, "-device pxb-pcie,id=a" },
    { "two buses of one id", KVM "-device pxb,id=a,numa_node=0 -device pxb,id=a,numa_node=0", NM_argv_object, "id=a" },
    { "two devices of one id", KVM "-device vfio-pci,host=41:00.0,id=a -device vfio-pci,host=42:00.0,id=a",
      NM_argv_object, "id=a" },
    { "no id of a device", KVM "-device vfio-pci,host=41:00.0,id=1", NM_argv_value, "id=1" },
    { "a device that is no PCI device", KVM "-device vfio-ap,sysfsdev=/a", NM_argv_not_carried,
      "-device vfio-ap,sysfsdev=/a" },
    { "a machine of 32 bits", "qemu-system-i386 -name g", NM_argv_not_carried, "qemu-system-i386" },
    { "a file of options", KVM "-readconfig a", NM_argv_not_carried, "-readconfig a" },
    { "a property from outside", KVM "-set object.m.size=1", NM_argv_not_carried, "-set object.m.size=1" },
    { "a property of memory", KVM "-m 1G -machine memory-backend=m" RAM("m") ",frob=1", NM_argv_not_carried, "frob=1" },
    { "a class of the scheduler", "chrt -f 5 " KVM, NM_argv_not_carried, "chrt" },
    { "no firmware tables", KVM "-machine acpi=off -numa node,cpus=0,mem=128", NM_argv_not_carried, "acpi=off" },
    { "a display", KVM "-S -display none", NM_argv_left_out, "-S" },
    { "pages of unknown size", KVM "-mem-path /dev/hugepages -mem-prealloc", NM_argv_pages,
      "-mem-path /dev/hugepages" },
    { "vCPUs in no cell", KVM "-smp 2 -m 2G -numa node,cpus=0,mem=1G -numa node,mem=1G", NM_argv_forgotten,
      "-numa node,cpus=0,mem=1G" },
    { "threads near memory",
      KVM "-m 1G -machine memory-backend=m -object thread-context,id=t,node-affinity=0" RAM(
          "m") ",host-nodes=0,policy=bind,prealloc=on,prealloc-context=t",
      NM_argv_context, "prealloc-context=t" },
    { "threads elsewhere",
      KVM "-m 1G -machine memory-backend=m -object thread-context,id=t,node-affinity=1" RAM(
          "m") ",host-nodes=0,policy=bind,prealloc=on,prealloc-context=t",
      NM_argv_not_carried, "-object thread-context,id=t,node-affinity=1" },
};

static void test_told(gconstpointer data)
{
    size_t which = GPOINTER_TO_SIZE(data);
    struct run run = import(told[which].text, strlen(told[which].text));
    g_assert_cmpuint(findings_count(run.findings, HINT), ==, 1);
    const struct finding *finding = findings_nth(run.findings, 0);
    g_assert_cmpuint(finding->code, ==, told[which].code);
    g_autofree char *place = g_strndup(told[which].text + finding->span.begin, finding->span.end - finding->span.begin);
    g_assert_nonnull(strstr(place, told[which].place));
    g_assert_cmpuint(strlen(place), <=, strlen(told[which].place) + 12); /* no more than its key */
    g_assert_true(!run.imported.site == (finding->severity == ERROR));
    run_end(&run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(written); i++)
        add_example("/argv/written", written[i].name, i, test_written);
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        add_example("/argv/told", told[i].name, i, test_told);
    g_test_add_func("/argv/process", test_process);
    g_test_add_func("/argv/name of file", test_name_of_file);
    g_test_add_func("/argv/several", test_several);
    g_test_add_func("/argv/several-without-names", test_several_without_names);
    return g_test_run();
}
