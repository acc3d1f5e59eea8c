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

/* Of anything that stands in its words. */
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
                            takes & TAKES_DIMM         ? "plug a 'dimm' instead"
                            : takes & TAKES_VIRTIO_MEM ? "write 'virtio-mem' instead"
                                                       : "remove it");
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

/* Their devices stand on the first PCI bus, which is near no cell. */
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

/* ---- machines of s390x ------------------------------------------------------------------------------------------ */

/* "s390-ccw-virtio-8.1": books came with the machine of 8.2, whichever QEMU it is. */
static void books_are_of_the_version(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_VCPUS_DRAWERS, W_VCPUS_BOOKS };
    if (!guest->machine || guest->base_file || !(guest_architecture(guest)->levels & CPU_BOOKS) ||
        !machine_is_before(guest->machine, 8, 2))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!is_sound(&guest->said, words[i]) || (words[i] == W_VCPUS_BOOKS ? guest->books : guest->drawers) < 2)
            continue;
        struct finding *finding = report(check->findings, NM_level_of_machine, said_span(&guest->said, words[i], 0),
                                         "machine '%s' has no '%s'", guest->machine, word_row(words[i])->word);
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_MACHINE, 1), "the machine");
        finding_note(check->findings, finding, "QEMU would refuse the argument");
        finding_help(check->findings, finding, "write 'machine s390-ccw-virtio-8.2', or leave the version out");
        return;
    }
}

/* ---- machines without NUMA -------------------------------------------------------------------------------------- */

static void report_cells(const struct check *check, const struct guest *guest, struct span span, const char *what)
{
    bool is_of_base = guest->base_file && span.file == guest->base_file;
    const char *name = guest_architecture(guest)->name;
    struct finding *finding = report(check->findings, is_of_base ? NM_cells_in_vain : NM_cells_of_machine, span,
                                     "guest '%s' has %s, and a machine of %s has no NUMA", guest->name, what, name);
    finding_note(check->findings, finding, "libvirt takes the definition; QEMU refuses to start");
    finding_help(check->findings, finding,
                 "remove it: the guest is one cell, whose memory 'node' binds and whose vCPUs 'pin' pins");
}

/* More than one, or one that a base would have the guest see; else SPAN_NONE. */
static struct span several_cells(const struct guest *guest)
{
    if (is_sound(&guest->said, W_GUEST_CELLS) && guest->cells_wanted > 1)
        return said_span(&guest->said, W_GUEST_CELLS, 1);
    if (guest->cell_count && guest->base_file && guest->cells[0].span.file == guest->base_file)
        return guest->cells[0].span;
    return guest->cell_count > 1 ? guest->cells[1].span : SPAN_NONE;
}

static bool says_distances(const struct guest *guest)
{
    return is_sound(&guest->said, W_GUEST_DISTANCES) &&
           (guest->distance_rows.count || guest->distance != DISTANCE_AUTO);
}

static void machines_without_cells_have_none(const struct check *check, const struct guest *guest)
{
    static const enum word_id of_cell[] = { W_CELL_LATENCY, W_CELL_BANDWIDTH, W_CELL_INITIATOR };
    if (!guest_architecture(guest)->lacks_cells)
        return;
    struct span several = several_cells(guest);
    if (several.file) { /* the rest is about these */
        report_cells(check, guest, several, guest->cell_count == 1 ? "a cell" : "several cells");
        return;
    }
    if (says_distances(guest))
        report_cells(check, guest, said_span(&guest->said, W_GUEST_DISTANCES, 0), "distances");
    if (is_sound(&guest->said, W_GUEST_HMAT) && guest->hmat == HMAT_WORD_AUTO)
        report_cells(check, guest, said_span(&guest->said, W_GUEST_HMAT, 0), "an HMAT");
    for (size_t i = 0; guest->cell_count && i < G_N_ELEMENTS(of_cell); i++)
        if (is_sound(&guest->cells[0].said, of_cell[i]))
            report_cells(check, guest, said_span(&guest->cells[0].said, of_cell[i], 0),
                         arena_printf(check->arena, "'%s'", word_row(of_cell[i])->word));
    for (uint32_t i = 0; guest->cell_count && i < guest->cells[0].hmat_cache_count; i++)
        report_cells(check, guest, guest->cells[0].hmat_caches[i].span, "a side cache");
}

/* The first ones that are there are fixed, said or not. */
static void vcpus_that_stay_are_fixed(const struct check *check, const struct guest *guest)
{
    const struct ids *online = guest->online ? guest->online->plain : NULL,
                     *fixed = guest->fixed ? guest->fixed->plain : NULL;
    if (!guest_architecture(guest)->keeps_vcpus || !online || !online->count || !fixed || !ids_within(fixed, online) ||
        ids_last(fixed) >= online->range[0].last)
        return;
    struct finding *finding =
        report(check->findings, NM_never_unplugged, said_span(&guest->said, W_VCPUS_FIXED, 1),
               "guest '%s' of %s has vCPUs at start that are not fixed, and none is ever unplugged", guest->name,
               guest_architecture(guest)->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_VCPUS_ONLINE, 1), "those at start");
    finding_note(check->findings, finding, "QEMU plugs more of them there, and refuses to unplug any");
    finding_help(check->findings, finding, "leave 'fixed' out");
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
    { .name = "books-are-of-the-version",
      .source = "QEMU hw/s390x/s390-virtio-ccw.c",
      .run = books_are_of_the_version },
    { .name = "machines-without-cells-have-none",
      .source = "QEMU hw/core/numa.c, hw/s390x/s390-virtio-ccw.c",
      .run = machines_without_cells_have_none },
    { .name = "vcpus-that-stay-are-fixed",
      .source = "QEMU hw/s390x/s390-virtio-ccw.c",
      .run = vcpus_that_stay_are_fixed },
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
    report_lack(check, planned->guest, hmat_span(planned->guest),
                "HMAT for latencies, bandwidths, side caches and initiators", "it is told cells and distances only",
                "say 'distances' instead");
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
    finding_note(check->findings, finding, "a kernel that starts by itself reads a device tree, which has no HMAT");
    finding_help(check->findings, finding, "write 'firmware uefi' beside the kernel");
}

static void kernels_find_their_cells(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (plan->cell_count < 2 || plan->has_base || plan->has_hmat || strcmp(plan->firmware, "none") != 0 ||
        !architecture_of(plan->architecture)->needs_acpi_for_cells)
        return;
    struct finding *finding =
        report(check->findings, NM_cells_not_found, guest_word_span(planned->guest, W_BOOT_KERNEL, 1),
               "guest '%s' of %s has %u cells, and no firmware that tells its kernel of them", plan->name,
               plan->architecture, plan->cell_count);
    finding_note(check->findings, finding, "Linux finds them in tables of ACPI, and takes all for one cell without");
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

static void kvm_backs_the_pages(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint64_t most = architecture_of(plan->architecture)->kvm_page_most;
    for (uint32_t c = 0; most && strcmp(plan->accel, "kvm") == 0 && c < plan->cell_count; c++) {
        if (plan->cells[c].page_bytes <= most)
            continue;
        struct finding *finding = report(
            check->findings, NM_page_of_kvm, cell_word(planned->guest, c, W_PAGES, 1),
            "%s has pages of %s, and KVM of %s backs guests with %s at most", cell_text(check, planned, c),
            size_text(check->arena, plan->cells[c].page_bytes), plan->architecture, size_text(check->arena, most));
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        finding_help(check->findings, finding, "write 'pages %s'", size_text(check->arena, most));
    }
}

static void devices_have_no_larger_pages(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; architecture_of(plan->architecture)->virtio_bus && i < plan->memory_device_count; i++) {
        const struct plan_cell *device = &plan->memory_devices[i].memory, *first = &plan->cells[0];
        if (plan->has_base || device->page_bytes <= first->page_bytes)
            continue;
        struct finding *finding =
            report(check->findings, NM_device_page, said_memory_device(planned, i)->span,
                   "%s '%s' of guest '%s' has pages of %s, and the memory of the guest smaller ones",
                   memory_model_word(plan->memory_devices[i].model), device->name, plan->name,
                   size_text(check->arena, device->page_bytes));
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        finding_help(check->findings, finding, "write 'pages' in the guest in place of the device");
    }
}

static bool has_topology_facility(const struct plan_guest *plan)
{
    bool has_it = g_str_has_prefix(plan->cpu_model, "host-");
    for (uint32_t i = 0; i < plan->feature_count; i++)
        if (strcmp(plan->features[i].name, "ctop") == 0)
            has_it = plan->features[i].is_required;
    return has_it;
}

static void books_are_told(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    bool is_kvm = strcmp(plan->accel, "kvm") == 0;
    if (!has_vcpu_gap(plan, GAP_BOOKS) || plan->has_base || (is_kvm && has_topology_facility(plan)))
        return;
    enum word_id word = plan->books > 1 ? W_VCPUS_BOOKS : W_VCPUS_DRAWERS;
    struct finding *finding =
        report(check->findings, NM_books_in_vain, guest_word_span(planned->guest, word, 0),
               "guest '%s' is not told in which %s its vCPUs are", plan->name, plan->books > 1 ? "books" : "drawers");
    if (is_kvm)
        finding_note(check->findings, finding, "model '%s' has no facility 'ctop', which tells it", plan->cpu_model);
    else
        finding_note(check->findings, finding, "only KVM has the facility that tells it");
    finding_help(check->findings, finding, is_kvm ? "add 'features ctop' to 'cpu'" : "write 'accel kvm'");
}

const struct plan_rule plan_arch_rules[] = {
    { .name = "tables-have-a-firmware", .source = "QEMU hw/arm/virt-acpi-build.c", .run = tables_have_a_firmware },
    { .name = "kernels-find-their-cells",
      .source = "Linux arch/loongarch/kernel/numa.c",
      .run = kernels_find_their_cells },
    { .name = "disks-are-started", .source = "QEMU docs/system/riscv/virt.rst", .run = disks_are_started },
    { .name = "hosts-run-the-architecture", .source = "peers 33", .run = hosts_run_the_architecture },
    { .name = "kvm-backs-the-pages", .source = "QEMU target/s390x/kvm/kvm.c", .run = kvm_backs_the_pages },
    { .name = "devices-have-no-larger-pages",
      .source = "QEMU hw/s390x/s390-virtio-ccw.c",
      .run = devices_have_no_larger_pages },
    { .name = "books-are-told", .source = "QEMU docs/system/s390x/cpu-topology.rst", .run = books_are_told },
    { 0 }
};
