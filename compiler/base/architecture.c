/* SPDX-License-Identifier: MIT
 *
 * The rows of architecture.h.  Sources: QEMU hw/ARCH/ and docs/system/target-*.rst, libvirt src/qemu/qemu_domain.c and
 * qemu_validate.c, Linux arch/ARCH/ for the pages.
 */
#include "base/architecture.h"

#include <stdio.h>
#include <string.h>

/* ---- x86_64 ----------------------------------------------------------------------------------------------------- */

static const struct machine_family of_x86[] = {
    { .name = "q35",
      .versions = "pc-q35-",
      .others = { "ubuntu-q35" },
      .vcpus_most = 4096,
      .has_express = true,
      .has_cxl = true,
      .low = { 2816 * MIB, 2 * GIB } },
    { .name = "pc",
      .versions = "pc-i440fx-",
      .others = { "pc-0.", "pc-1.", "rhel5.", "rhel6.", "ubuntu" },
      .vcpus_most = 255,
      .low = { 3584 * MIB, 3 * GIB } },
    { 0 },
};

#define X86                                                                                                       \
    .families = of_x86, .other_machines = "microvm, isapc and others have no NUMA",                               \
    .vcpus_note = "q35 takes 288, from QEMU 8.1 on 1024 and from 9.0 on 4096; pc takes 255",                      \
    .levels = CPU_DIES | CPU_MODULES, .pages = { 2 * MIB, GIB }, .acpi = ACPI_ALWAYS, .uefi_image = "OVMF.fd",    \
    .has_bios = true, .has_cpuid = true, .plugs_vcpus = true, .package = "qemu-system-x86", .qemu_machine = "pc", \
    .libvirt_machine = "pc", .emulated_cpu = "max", .normal_page = 4 * KIB, .has_cpu_features = true,             \
    .has_hmat = true, .has_expanders = true, .bios_starts_disks = true, .cpu_device = "x86_64-cpu",               \
    .memory_kinds = TAKES_DIMM | TAKES_NVDIMM | TAKES_VIRTIO_MEM | TAKES_VIRTIO_PMEM | TAKES_SGX_EPC

/* ---- aarch64 ---------------------------------------------------------------------------------------------------- */

static const struct machine_family of_arm[] = {
    { .name = "virt", .versions = "virt-", .vcpus_most = 512, .has_express = true },
    { 0 },
};

/* ---- ppc64 ------------------------------------------------------------------------------------------------------ */

/* Its firmware, SLOF, is part of QEMU. */
static const struct machine_family of_ppc[] = {
    { .name = "pseries", .versions = "pseries-", .vcpus_most = 4096, .has_phbs = true, .has_no_hole = true },
    { 0 },
};

/* ---- s390x ------------------------------------------------------------------------------------------------------ */

static const struct machine_family of_s390[] = {
    { .name = "s390-ccw-virtio", .versions = "s390-ccw-virtio-", .vcpus_most = 248 },
    { 0 },
};

/* ---- riscv64 ---------------------------------------------------------------------------------------------------- */

static const struct machine_family of_riscv[] = {
    { .name = "virt", .vcpus_most = 512, .has_express = true },
    { 0 },
};

/* ---- loongarch64 ------------------------------------------------------------------------------------------------ */

static const struct machine_family of_loongarch[] = {
    { .name = "virt", .vcpus_most = 256, .has_express = true },
    { 0 },
};

/* ---- all -------------------------------------------------------------------------------------------------------- */

static const struct machine_family of_others[] = { { 0 } };

static const struct architecture rows[] = {
    { .name = "x86_64", X86, .plain_cpu = "qemu64" },
    { .name = "i686", X86, .plain_cpu = "qemu32" },
    { .name = "aarch64",
      .families = of_arm,
      .other_machines = "boards have no cells, and sbsa-ref has its own firmware",
      .libvirt_machine = "virt",
      .vcpus_note = "QEMU's virt takes 512, as many as its interrupt controller reaches",
      .levels = CPU_CLUSTERS,
      /* by the granule of its kernel: 4KiB has 64KiB, 2MiB, 32MiB, 1GiB; 16KiB the middle two; 64KiB the others */
      .pages = { 64 * KIB, 2 * MIB, 32 * MIB, 512 * MIB, GIB, 16 * GIB },
      .acpi = ACPI_BESIDE_UEFI,
      .gic_version = 3, /* of every server; version 2 ends at 8 vCPUs */
      .uefi_image = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
      .emulated_cpu = "max",
      .normal_page = 4 * KIB,
      .has_cpu_features = true,
      .has_hmat = true,
      .has_expanders = true,
      .memory_kinds = TAKES_DIMM | TAKES_NVDIMM | TAKES_VIRTIO_MEM | TAKES_VIRTIO_PMEM,
      .package = "qemu-system-arm" },
    { .name = "ppc64",
      .host_name = "ppc64le",
      .families = of_ppc,
      .other_machines = "powernv, e500 and the Macintoshes have no NUMA",
      .qemu_machine = "pseries",
      .libvirt_machine = "pseries",
      .emulated_cpu = "POWER9", /* which max is to QEMU, and libvirt does not know */
      .vcpus_note = "QEMU's interrupt controller reaches so many",
      .threads_most = 8,
      .normal_page = 64 * KIB,
      /* of the hash table 16MiB and 16GiB, of the radix tree, from POWER9 on, the others */
      .pages = { 2 * MIB, 16 * MIB, GIB, 16 * GIB },
      .memory_block = 256 * MIB,
      .memory_kinds = TAKES_DIMM | TAKES_NVDIMM,
      .slots_most = 32,
      .has_expanders = true,
      .lacks_max_cpu = true,
      .plugs_vcpus = true,
      .plugs_cores = true,
      .is_one_cell = true,
      .labels_nvdimms = true,
      .package = "qemu-system-ppc" },
    { .name = "s390x",
      .families = of_s390,
      .other_machines = "QEMU has no other one of IBM Z",
      .qemu_machine = "s390-ccw-virtio",
      .libvirt_machine = "s390-ccw-virtio",
      .tcg_cpu = "qemu",
      .emulated_cpu = "max",
      .cpu_device = "s390x-cpu",
      .vcpus_note = "QEMU's s390-ccw-virtio takes 248",
      .levels = CPU_BOOKS | CPU_DRAWERS,
      .threads_most = 1,
      .normal_page = 4 * KIB,
      .pages = { MIB, 2 * GIB },
      .memory_kinds = TAKES_VIRTIO_MEM,
      .has_cpu_features = true,
      .plugs_vcpus = true,
      .keeps_vcpus = true,
      .counts_cores = true,
      .lacks_cells = true,
      .kvm_page_most = MIB, /* QEMU target/s390x/kvm/kvm.c */
      .virtio_bus = "ccw",
      .package = "qemu-system-misc" },
    { .name = "riscv64",
      .families = of_riscv,
      .other_machines = "spike has no devices, and boards such as sifive_u no cells",
      .qemu_machine = "spike",
      .libvirt_machine = "virt",
      .plain_cpu = "rv64",
      .emulated_cpu = "rv64",
      .vcpus_note = "QEMU's interrupt controllers reach so many",
      .sockets_most = 4,
      .normal_page = 4 * KIB,
      .pages = { 64 * KIB, 2 * MIB, GIB },
      .acpi = ACPI_BESIDE_UEFI,
      .uefi_image = "/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd",
      .has_uefi_in_flash = true,
      .has_bios = true, /* OpenSBI, which is part of QEMU; KVM starts a kernel without it */
      .has_cpu_features = true,
      .package = "qemu-system-misc" },
    { .name = "loongarch64",
      .families = of_loongarch,
      .other_machines = "QEMU has no other",
      .qemu_machine = "virt",
      .libvirt_machine = "virt",
      .plain_cpu = "la464",
      .emulated_cpu = "la464",
      .cpu_device = "loongarch-cpu",
      .vcpus_note = "QEMU's interrupt controller reaches so many",
      .normal_page = 16 * KIB,
      /* by the page of its kernel: 4KiB has 2MiB, 16KiB 32MiB, 64KiB 512MiB */
      .pages = { 2 * MIB, 32 * MIB, 512 * MIB },
      .memory_kinds = TAKES_DIMM,
      .acpi = ACPI_BESIDE_UEFI,
      .needs_acpi_for_cells = true,
      .uefi_image = "/usr/share/qemu-efi-loongarch64/QEMU_EFI.fd",
      .has_cpu_features = true,
      .has_hmat = true,
      .plugs_vcpus = true,
      .package = "qemu-system-misc" },
};

static const struct architecture other = {
    .name = "",
    .families = of_others,
    .other_machines = "",
    .libvirt_machine = "virt",
    .emulated_cpu = "max",
    .levels = UINT32_MAX,
    .normal_page = 4 * KIB,
    .memory_kinds = UINT32_MAX,
    .has_bios = true,
    .bios_starts_disks = true,
    .has_cpuid = true,
    .has_cpu_features = true,
    .has_hmat = true,
    .has_expanders = true,
    .plugs_vcpus = true,
    .package = "qemu-system-misc",
};

const struct architecture *architecture_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return &other;
}

/* "pc+pve0" is Proxmox's own version of the newest. */
static bool is_of_family(const struct machine_family *family, const char *machine)
{
    size_t length = strlen(family->name);
    bool is_one = strncmp(machine, family->name, length) == 0 && (!machine[length] || machine[length] == '+');
    is_one |= family->versions && g_str_has_prefix(machine, family->versions);
    for (const char *const *begin = family->others; *begin && !is_one; begin++)
        is_one = g_str_has_prefix(machine, *begin);
    return is_one;
}

const struct architecture *architecture_of_host(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].host_name && strcmp(rows[i].host_name, name) == 0)
            return &rows[i];
    return architecture_of(name);
}

bool some_architecture_has_pages(uint64_t bytes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (const uint64_t *size = rows[i].pages; *size; size++)
            if (*size == bytes)
                return true;
    return false;
}

const struct machine_family *machine_family_of(const struct architecture *architecture, const char *machine)
{
    if (!machine)
        return architecture->families->name ? architecture->families : NULL;
    for (const struct machine_family *family = architecture->families; family->name; family++)
        if (is_of_family(family, machine))
            return family;
    return NULL;
}

bool machine_version(const char *machine, unsigned *out_major, unsigned *out_minor)
{
    const char *dash = strrchr(machine, '-');
    return dash && g_ascii_isdigit(dash[1]) && sscanf(dash + 1, "%4u.%4u", out_major, out_minor) == 2;
}

bool machine_is_before(const char *machine, unsigned major, unsigned minor)
{
    unsigned own_major, own_minor;
    return machine_version(machine, &own_major, &own_minor) &&
           (own_major < major || (own_major == major && own_minor < minor));
}

/* Of the newest QEMU there is, unless the machine says its version; what the host's own takes is told by features. */
uint32_t machine_vcpus_most(const struct architecture *architecture, const char *machine)
{
    const struct machine_family *family = machine_family_of(architecture, machine);
    if (!family)
        return UINT32_MAX;
    bool grew = machine && g_str_has_prefix(machine, "pc-q35-");
    return grew && machine_is_before(machine, 8, 1)   ? 288
           : grew && machine_is_before(machine, 9, 0) ? 1024
                                                      : family->vcpus_most;
}
