/* SPDX-License-Identifier: MIT
 *
 * What QEMU's machines of each architecture have and what they lack, a row each: whoever needs such a fact asks the
 * row, and nobody compares names.  What only one machine type has stands in its family.  Facts are of the newest QEMU;
 * which version brought them is told by ground/features.def.
 */
#pragma once

#include "base/base.h"

/* Levels of processors between the sockets and the cores, which every machine has, and above them, as bits. */
enum cpu_level { CPU_DIES = 1, CPU_CLUSTERS = 2, CPU_MODULES = 4, CPU_BOOKS = 8, CPU_DRAWERS = 16 };

/* Whether ACPI's tables tell a guest of its cells; where none do a device tree may. */
enum acpi { ACPI_NEVER, ACPI_BESIDE_UEFI, ACPI_ALWAYS };

/* Machine types that differ in their version only. */
struct machine_family {
    const char *name;     /* "q35": QEMU takes its newest version */
    const char *versions; /* "pc-q35-": what its versions begin with */
    uint32_t vcpus_most;  /* of the newest version */
    bool has_express;     /* PCI Express: ports in place of slots */
    bool has_cxl;         /* host bridges of CXL, of those with PCI Express */
    uint64_t low[2];      /* bytes below 4 GiB: less than the first are all there, of more the second; 0: unknown */
};

struct architecture {
    const char *name; /* as QEMU, libvirt and the language write it */
    const struct machine_family
        *families;               /* those that numac writes, its own choice first; ended by one without name */
    const char *other_machines;  /* why there are no others */
    const char *qemu_machine;    /* that QEMU takes where nothing is said; NULL: it wants one */
    const char *libvirt_machine; /* that libvirt takes there */
    const char *plain_cpu;       /* the model that both take there; NULL: that depends */
    const char *tcg_cpu;         /* the same without KVM, where that differs; NULL: none that numac knows */
    const char *vcpus_note;      /* why its families take no more */
    unsigned levels;             /* enum cpu_level */
    uint64_t pages[8];           /* sizes of huge pages in bytes, rising; ended by 0 */
    enum acpi acpi;
    uint32_t gic_version;   /* that numac takes; 0: it has another interrupt controller */
    const char *uefi_image; /* for -bios, as Debian 12 has it; NULL: there is no UEFI */
    bool has_bios;          /* else UEFI starts the guest, or QEMU its kernel */
    bool has_cpuid;         /* caches and address bits of a CPU model are said; APIC ids */
    bool plugs_vcpus;
    bool keeps_vcpus;       /* and never unplugs one */
    bool counts_cores;      /* through the whole guest: that number is the vCPU */
    bool lacks_threads;     /* of a core */
    bool lacks_cells;       /* no NUMA: the guest is one cell that it does not see */
    bool lacks_slots;       /* of memory devices it takes virtio-mem alone */
    uint64_t kvm_page_most; /* the largest page that KVM backs a guest with; 0: any that there is */
    const char *virtio_bus; /* of virtio devices: "ccw"; NULL: PCI */
    const char *package;    /* of Debian, with QEMU for it */
};

/* Never NULL: of one that is not known, a row without name from which no mistake follows. */
const struct architecture *architecture_of(const char *name);
/* NULL: numac does not write such a machine.  `machine` NULL: its own choice. */
const struct machine_family *machine_family_of(const struct architecture *architecture, const char *machine);
/* Of a machine with its version: "pc-q35-7.2" takes fewer than q35. */
uint32_t machine_vcpus_most(const struct architecture *architecture, const char *machine);
