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
    const char *name;      /* "q35": QEMU takes its newest version */
    const char *versions;  /* "pc-q35-": what its versions begin with; NULL: it has none */
    const char *others[7]; /* "pc-1.": what further names of it begin with, of old QEMU and of distributions */
    uint32_t vcpus_most;   /* of the newest version */
    bool has_express;      /* PCI Express: ports in place of slots */
    bool has_cxl;          /* host bridges of CXL, of those with PCI Express */
    bool has_phbs;         /* PCI host bridges of their own stand on cells, in place of expander buses */
    uint64_t low[2];       /* bytes below 4 GiB: less than the first are all there, of more the second; 0: unknown */
    bool has_no_hole;      /* ... and nothing else is below 4 GiB */
};

/* Memory devices that a machine takes, as bits; CXL goes by its family. */
enum memory_kind { TAKES_DIMM = 1, TAKES_NVDIMM = 2, TAKES_VIRTIO_MEM = 4, TAKES_VIRTIO_PMEM = 8, TAKES_SGX_EPC = 16 };

struct architecture {
    const char *name;      /* as QEMU, libvirt and the language write it */
    const char *host_name; /* how hosts of it call themselves too; NULL: in no other way */
    const struct machine_family
        *families;               /* those that numac writes, its own choice first; ended by one without name */
    const char *other_machines;  /* why there are no others */
    const char *qemu_machine;    /* that QEMU takes where nothing is said; NULL: it wants one */
    const char *libvirt_machine; /* that libvirt takes there */
    const char *plain_cpu;       /* the model that both take there; NULL: that depends */
    const char *tcg_cpu;         /* the same without KVM, where that differs; NULL: none that numac knows */
    const char *emulated_cpu;    /* the model that numac takes without KVM; "max": with all that QEMU has */
    const char *cpu_device;      /* "x86_64-cpu": what the devices of its vCPUs end with; NULL: none is plugged so */
    const char *vcpus_note;      /* why its families take no more */
    unsigned levels;             /* enum cpu_level */
    uint32_t threads_most;       /* of a core, a power of two like all below it; 0: no limit */
    uint32_t sockets_most;       /* of a machine whose cells are sockets, and so have vCPUs; 0: cells are none */
    uint64_t normal_page;        /* of its hosts, in bytes */
    uint64_t pages[8];           /* sizes of huge pages in bytes, rising; ended by 0 */
    uint64_t memory_block;       /* bytes of which all memory is a multiple; 0: what libvirt rounds to, a MiB */
    unsigned memory_kinds;       /* enum memory_kind */
    uint32_t slots_most;         /* for memory devices, of a guest without KVM; 0: as all */
    enum acpi acpi;
    bool needs_acpi_for_cells; /* its Linux looks for them nowhere else */
    uint32_t gic_version;      /* that numac takes; 0: it has another interrupt controller */
    const char *uefi_image;    /* as Debian has it; NULL: there is no UEFI */
    bool has_uefi_in_flash;    /* the image, beside a firmware of the machine's own; else -bios takes it */
    bool has_bios;             /* else UEFI starts the guest, or QEMU its kernel */
    bool bios_starts_disks;    /* ... and not only a kernel */
    bool has_cpuid;            /* caches and address bits of a CPU model are said; APIC ids */
    bool has_cpu_features;     /* they can be switched one by one */
    bool has_hmat;             /* a machine can have an HMAT */
    bool has_expanders;        /* PCI buses that stand on cells */
    bool lacks_max_cpu;        /* libvirt or QEMU knows no model of all that QEMU has */
    bool plugs_vcpus;
    bool plugs_cores;       /* ... all threads of one at once, and a cell has whole ones */
    bool keeps_vcpus;       /* ... and never unplugs one */
    bool counts_cores;      /* through the whole guest: that number is the vCPU */
    bool is_one_cell;       /* without cells: memory is plugged into it all the same */
    bool lacks_cells;       /* no NUMA: the guest is one cell that it does not see */
    uint64_t kvm_page_most; /* the largest page that KVM backs a guest with; 0: any that there is */
    const char *virtio_bus; /* of virtio devices: "ccw"; NULL: PCI */
    bool labels_nvdimms;    /* an nvdimm has labels and a UUID, for which libvirt has a word there only */
    const char *package;    /* of Debian, with QEMU for it */
};

/* Never NULL: of one that is not known, a row without name from which no mistake follows. */
const struct architecture *architecture_of(const char *name);
const struct architecture *architecture_of_host(const char *name); /* by what a host calls itself */
bool some_architecture_has_pages(uint64_t bytes);                  /* huge ones of this size */
/* NULL: numac does not write such a machine.  `machine` NULL: its own choice. */
const struct machine_family *machine_family_of(const struct architecture *architecture, const char *machine);
/* "pc-q35-9.0": machine types are born with the QEMU of their number.  False: it says none. */
bool machine_version(const char *machine, unsigned *out_major, unsigned *out_minor);
bool machine_is_before(const char *machine, unsigned major, unsigned minor); /* false too where it says no version */
/* Of a machine with its version: "pc-q35-7.2" takes fewer than q35. */
uint32_t machine_vcpus_most(const struct architecture *architecture, const char *machine);
