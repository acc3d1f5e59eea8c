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
    if (architecture->has_bios || guest->base_file || !is_sound(&guest->said, W_BOOT_FIRMWARE) ||
        guest->firmware != FIRMWARE_BIOS)
        return;
    struct finding *finding =
        report(check->findings, NM_no_bios, said_span(&guest->said, W_BOOT_FIRMWARE, 1),
               "guest '%s' of %s is to start a BIOS, and there is none", guest->name, architecture->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_ARCH, 1), "the architecture");
    finding_help(check->findings, finding,
                 "write 'firmware uefi', or leave it out: a kernel starts by itself, all else by UEFI");
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
    { 0 }
};

/* ---- as planned ------------------------------------------------------------------------------------------------- */

static void tables_have_a_firmware(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->has_hmat || plan->has_base || strcmp(plan->firmware, "none") != 0)
        return;
    struct finding *finding = report(
        check->findings, NM_hmat_without_acpi, guest_word_span(planned->guest, W_BOOT_KERNEL, 1),
        "guest '%s' has latencies, bandwidths or side caches, and no firmware that brings them to it", plan->name);
    finding_note(check->findings, finding,
                 "a kernel that starts by itself reads a device tree, which has cells and distances and no HMAT");
    finding_help(check->findings, finding, "write 'firmware uefi' beside the kernel");
}

static void hosts_run_the_architecture(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    const char *wanted = strcmp(plan->architecture, "i686") == 0 ? "x86_64" : plan->architecture;
    if (!facts || !facts->architecture || strcmp(plan->accel, "kvm") != 0 || strcmp(facts->architecture, wanted) == 0)
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
    { .name = "hosts-run-the-architecture", .source = "peers 33", .run = hosts_run_the_architecture },
    { 0 }
};
