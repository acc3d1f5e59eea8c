/* SPDX-License-Identifier: MIT
 *
 * Rules about the architecture of a guest: words that it does not have, what takes their place there, and whether the
 * host can run it.
 */
#include "check/subject.h"

#include <string.h>

static void words_are_of_the_architecture(const struct check *check, const struct guest *guest)
{
    static const enum word_id of_x86[] = { W_CPU_CACHE, W_CPU_MAXPHYSADDR, W_VCPUS_CACHES };
    const struct architecture *architecture = guest_architecture(guest);
    for (size_t i = 0; !architecture->has_cpuid && !guest->base_file && i < G_N_ELEMENTS(of_x86); i++) {
        if (!is_sound(&guest->said, of_x86[i]))
            continue;
        struct finding *finding = report(check->findings, NM_word_of_x86, said_span(&guest->said, of_x86[i], 0),
                                         "a guest of %s has no '%s'", architecture->name, word_row(of_x86[i])->word);
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_ARCH, 1), "the architecture");
        finding_note(check->findings, finding, "libvirt refuses it, and QEMU has no such property there");
        finding_help(check->findings, finding, "remove it");
    }
}

static void machines_have_the_firmware(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    bool wants_uefi = guest->firmware == FIRMWARE_UEFI, has_any = architecture->has_bios || architecture->uefi_image;
    if (guest->base_file || !is_sound(&guest->said, W_BOOT_FIRMWARE) ||
        (wants_uefi ? architecture->uefi_image || architecture->has_bios : architecture->has_bios))
        return;
    struct finding *finding = report(check->findings, NM_no_bios, said_span(&guest->said, W_BOOT_FIRMWARE, 1),
                                     "guest '%s' of %s is to start %s, and there is none", guest->name,
                                     architecture->name, wants_uefi ? "UEFI" : "a BIOS");
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_ARCH, 1), "the architecture");
    if (has_any)
        finding_help(check->findings, finding,
                     "write 'firmware uefi', or leave it out: a kernel starts by itself, all else by UEFI");
    else
        finding_help(check->findings, finding, "leave it out: QEMU has a firmware of its own there");
}

/* Of memory devices, and of a CPU model. */
static void report_lack(const struct check *check, const struct guest *guest, struct span span, const char *what,
                        const char *note, const char *help)
{
    struct finding *finding =
        report(check->findings, NM_not_of_arch, span, "a guest of %s has no %s", guest_architecture(guest)->name, what);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_ARCH, 1), "the architecture");
    finding_note(check->findings, finding, "%s", note);
    finding_help(check->findings, finding, "%s", help);
}

static const char both_refuse[] = "libvirt and QEMU refuse it";

static void machines_take_the_memory_devices(const struct check *check, const struct guest *guest)
{
    static const struct {
        enum word_id word;
        enum memory_kind kind;
    } kinds[] = { { W_GUEST_DIMM, TAKES_DIMM },
                  { W_GUEST_NVDIMM, TAKES_NVDIMM },
                  { W_GUEST_VIRTIO_MEM, TAKES_VIRTIO_MEM },
                  { W_GUEST_VIRTIO_PMEM, TAKES_VIRTIO_PMEM },
                  { W_GUEST_SGX_EPC, TAKES_SGX_EPC } };
    unsigned takes = guest_architecture(guest)->memory_kinds;
    for (uint32_t i = 0; i < guest->memory_device_count && !guest->base_file; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++)
            if (guest->memory_devices[i].model == kinds[k].word && !(takes & kinds[k].kind))
                report_lack(check, guest, guest->memory_devices[i].span,
                            arena_printf(check->arena, "'%s'", word_row(kinds[k].word)->word), both_refuse,
                            takes & TAKES_DIMM ? "plug a 'dimm' instead" : "remove it");
    if (!takes && !guest->memory_device_count && !guest->base_file && is_sound(&guest->said, W_MEMORY_MAX))
        report_lack(check, guest, said_span(&guest->said, W_MEMORY_MAX, 0), "memory devices to grow by",
                    "no machine of it has a place for one", "remove 'max' and 'slots'");
}

static void cpus_have_the_features(const struct check *check, const struct guest *guest)
{
    if (!guest_architecture(guest)->has_cpu_features && !guest->base_file && is_sound(&guest->said, W_CPU_FEATURES))
        report_lack(check, guest, said_span(&guest->said, W_CPU_FEATURES, 0), "CPU features to switch", both_refuse,
                    "remove 'features': the model says them all");
}

/* They stand in tables of ACPI, beside the buses. */
static void machines_have_initiators(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    bool has_none = architecture->acpi == ACPI_NEVER || !architecture->has_expanders;
    for (uint32_t i = 0; i < guest->device_count && !guest->base_file; i++)
        if (has_none && is_sound(&guest->devices[i].said, W_DEVICE_INITIATOR))
            report_lack(check, guest, said_span(&guest->devices[i].said, W_DEVICE_INITIATOR, 0), "generic initiators",
                        both_refuse, "remove 'initiator'");
}

static void models_are_there(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    if (!is_sound(&guest->said, W_GUEST_CPU) || guest->base_file || !guest->cpu_model || !architecture->lacks_max_cpu ||
        strcmp(guest->cpu_model, "max") != 0)
        return;
    report_lack(check, guest, said_span(&guest->said, W_GUEST_CPU, 1), "CPU model 'max'",
                "libvirt does not know it; QEMU takes the model of the machine for it",
                arena_printf(check->arena, "write '%s', or leave it out", architecture->emulated_cpu));
}

/* The machine of the first PCI bus is near no cell. */
static void machines_have_expanders(const struct check *check, const struct guest *guest)
{
    if (guest_architecture(guest)->has_expanders || guest->base_file)
        return;
    for (uint32_t i = 0; i < guest->expander_count; i++)
        report_lack(check, guest, guest->expanders[i].span, "PCI buses on cells", both_refuse, "remove it");
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct said *said = &guest->devices[i].said;
        if (is_sound(said, W_DEVICE_CELL))
            report_lack(check, guest, said_span(said, W_DEVICE_CELL, 0), "PCI buses on cells", both_refuse,
                        "remove 'cell'");
    }
}

static void machines_plug_vcpus(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_VCPUS_MAX, W_VCPUS_ONLINE, W_VCPUS_FIXED, W_VCPUS_ORDER };
    const struct architecture *architecture = guest_architecture(guest);
    for (size_t i = 0; !architecture->plugs_vcpus && !guest->base_file && i < G_N_ELEMENTS(words); i++) {
        if (!is_said(&guest->said, words[i]))
            continue;
        struct finding *finding = report(check->findings, NM_hotplug_of_machine, said_span(&guest->said, words[i], 0),
                                         "guest '%s' is to have vCPUs plugged, and a machine of %s plugs none",
                                         guest->name, architecture->name);
        finding_note(check->findings, finding, "libvirt takes the definition, and those that wait never come");
        finding_help(check->findings, finding, "remove '%s', and write all vCPUs as the count",
                     word_row(words[i])->word);
        return;
    }
}

const struct model_rule arch_rules[] = {
    { .name = "words-are-of-the-architecture",
      .source = "libvirt qemu_validate.c",
      .run = words_are_of_the_architecture },
    { .name = "machines-have-the-firmware", .source = "QEMU hw/arm/virt.c", .run = machines_have_the_firmware },
    { .name = "machines-plug-vcpus", .source = "QEMU hw/arm/virt.c", .run = machines_plug_vcpus },
    { .name = "machines-take-the-memory-devices",
      .source = "QEMU hw/*/Kconfig",
      .run = machines_take_the_memory_devices },
    { .name = "cpus-have-the-features", .source = "QEMU target/ppc/cpu_init.c", .run = cpus_have_the_features },
    { .name = "machines-have-initiators", .source = "QEMU hw/acpi", .run = machines_have_initiators },
    { .name = "models-are-there", .source = "QEMU target/ppc/cpu-models.c", .run = models_are_there },
    { .name = "machines-have-expanders",
      .source = "QEMU hw/pci-bridge/Kconfig, libvirt qemu_validate.c",
      .run = machines_have_expanders },
    { 0 }
};

/* ---- as planned ------------------------------------------------------------------------------------------------- */

static struct span hmat_span(const struct guest *guest)
{
    static const enum word_id words[] = { W_CELL_LATENCY, W_CELL_BANDWIDTH, W_CELL_INITIATOR };
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
            if (is_said(&guest->cells[c].said, words[i]))
                return said_span(&guest->cells[c].said, words[i], 0);
    return guest_word_span(guest, W_GUEST_HMAT, 0);
}

static void report_hmat(const struct check *check, const struct planned_guest *planned)
{
    struct finding *finding = report(check->findings, NM_not_of_arch, hmat_span(planned->guest),
                                     "a guest of %s has no HMAT for latencies, bandwidths, side caches and initiators",
                                     planned->plan->architecture);
    finding_label(check->findings, finding, said_span(&planned->guest->said, W_GUEST_ARCH, 1), "the architecture");
    finding_note(check->findings, finding, "it is told cells and distances only");
    finding_help(check->findings, finding, "say 'distances' instead");
}

static void tables_have_a_firmware(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->has_hmat || plan->has_base)
        return;
    if (!architecture_of(plan->architecture)->has_hmat) {
        report_hmat(check, planned);
        return;
    }
    if (strcmp(plan->firmware, "none") != 0)
        return;
    struct finding *finding = report(
        check->findings, NM_hmat_without_acpi, guest_word_span(planned->guest, W_BOOT_KERNEL, 1),
        "guest '%s' has latencies, bandwidths or side caches, and no firmware that brings them to it", plan->name);
    finding_note(check->findings, finding,
                 "a kernel that starts by itself reads a device tree, which has cells and distances and no HMAT");
    finding_help(check->findings, finding, "write 'firmware uefi' beside the kernel");
}

/* OpenSBI starts what QEMU puts beside it. */
static void disks_are_started(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (plan->has_base || !plan->disk || plan->kernel || strcmp(plan->firmware, "bios") != 0 ||
        architecture_of(plan->architecture)->bios_starts_disks)
        return;
    struct finding *finding =
        report(check->findings, NM_disk_not_started, guest_word_span(planned->guest, W_BOOT_DISK, 1),
               "guest '%s' of %s has a disk, and nothing that starts it", plan->name, plan->architecture);
    finding_note(check->findings, finding, "the firmware of the machine itself starts a kernel, and looks at no disk");
    finding_help(check->findings, finding, "write 'firmware uefi' beside the disk, or the 'kernel' on it");
}

static void hosts_run_the_architecture(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    const char *wanted = strcmp(plan->architecture, "i686") == 0 ? "x86_64" : plan->architecture;
    if (!facts || !facts->architecture || strcmp(plan->accel, "kvm") != 0 || strcmp(facts->architecture, wanted) == 0 ||
        g_strcmp0(architecture_of(wanted)->host_name, facts->architecture) == 0)
        return;
    struct finding *finding =
        report(check->findings, NM_host_of_other_arch, guest_word_span(planned->guest, W_GUEST_ARCH, 1),
               "guest '%s' is of %s, and host '%s' of %s", plan->name, plan->architecture, planned->host->name,
               facts->architecture);
    finding_note(check->findings, finding, "KVM runs guests of its own architecture only");
    finding_help(check->findings, finding, "write 'accel tcg', or name a host of %s", plan->architecture);
}

const struct plan_rule plan_arch_rules[] = {
    { .name = "tables-have-a-firmware", .source = "QEMU hw/arm/virt-acpi-build.c", .run = tables_have_a_firmware },
    { .name = "disks-are-started", .source = "QEMU docs/system/riscv/virt.rst", .run = disks_are_started },
    { .name = "hosts-run-the-architecture", .source = "peers 33", .run = hosts_run_the_architecture },
    { 0 }
};
