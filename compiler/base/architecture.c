/* SPDX-License-Identifier: MIT
 *
 * The rows of architecture.h.  Sources: QEMU hw/ARCH/ and docs/system/target-*.rst, libvirt src/qemu/qemu_domain.c and
 * qemu_validate.c, Linux arch/ARCH/ for the pages.
 */
#include "base/architecture.h"

#include <stdio.h>

/* ---- x86_64 ----------------------------------------------------------------------------------------------------- */

static const struct machine_family of_x86[] = {
    { .name = "q35",
      .versions = "pc-q35-",
      .vcpus_most = 4096,
      .has_express = true,
      .has_cxl = true,
      .low = { 2816 * MIB, 2 * GIB } },
    { .name = "pc", .versions = "pc-i440fx-", .vcpus_most = 255, .low = { 3584 * MIB, 3 * GIB } },
    { 0 },
};

#define X86                                                                                                       \
    .families = of_x86, .other_machines = "microvm, isapc and others have no NUMA",                               \
    .vcpus_note = "q35 takes 288, from QEMU 8.1 on 1024 and from 9.0 on 4096; pc takes 255",                      \
    .levels = CPU_DIES | CPU_MODULES, .pages = { 2 * MIB, GIB }, .acpi = ACPI_ALWAYS, .uefi_image = "OVMF.fd",    \
    .has_bios = true, .has_cpuid = true, .plugs_vcpus = true, .package = "qemu-system-x86", .qemu_machine = "pc", \
    .libvirt_machine = "pc"

/* ---- aarch64 ---------------------------------------------------------------------------------------------------- */

static const struct machine_family of_arm[] = {
    { .name = "virt", .versions = "virt-", .vcpus_most = 512, .has_express = true },
    { 0 },
};

/* ---- s390x ------------------------------------------------------------------------------------------------------ */

static const struct machine_family of_s390[] = {
    { .name = "s390-ccw-virtio", .versions = "s390-ccw-virtio-", .vcpus_most = 248 },
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
      .package = "qemu-system-arm" },
    { .name = "s390x",
      .families = of_s390,
      .other_machines = "QEMU has no other one of IBM Z",
      .qemu_machine = "s390-ccw-virtio",
      .libvirt_machine = "s390-ccw-virtio",
      .tcg_cpu = "qemu",
      .vcpus_note = "QEMU's s390-ccw-virtio takes 248",
      .levels = CPU_BOOKS | CPU_DRAWERS,
      .pages = { MIB, 2 * GIB },
      .plugs_vcpus = true,
      .keeps_vcpus = true,
      .counts_cores = true,
      .lacks_threads = true,
      .lacks_cells = true,
      .lacks_slots = true,
      .kvm_page_most = MIB, /* QEMU target/s390x/kvm/kvm.c */
      .virtio_bus = "ccw",
      .package = "qemu-system-misc" },
};

static const struct architecture other = {
    .name = "",
    .families = of_others,
    .other_machines = "",
    .libvirt_machine = "virt",
    .levels = UINT32_MAX,
    .has_bios = true,
    .has_cpuid = true,
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

const struct machine_family *machine_family_of(const struct architecture *architecture, const char *machine)
{
    if (!machine)
        return architecture->families->name ? architecture->families : NULL;
    for (const struct machine_family *family = architecture->families; family->name; family++)
        if (strcmp(machine, family->name) == 0 || g_str_has_prefix(machine, family->versions))
            return family;
    return NULL;
}

/* Of the newest QEMU there is, unless the machine says its version; what the host's own takes is told by features. */
uint32_t machine_vcpus_most(const struct architecture *architecture, const char *machine)
{
    const struct machine_family *family = machine_family_of(architecture, machine);
    unsigned major = 0, minor = 0;
    if (!family)
        return UINT32_MAX;
    if (!machine || sscanf(machine, "pc-q35-%3u.%3u", &major, &minor) != 2 || major >= 9)
        return family->vcpus_most;
    return major == 8 && minor >= 1 ? 1024 : 288;
}
