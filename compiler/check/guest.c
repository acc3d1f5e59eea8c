/* SPDX-License-Identifier: MIT
 *
 * What a guest may say together: rules that are about no single subject.
 */
#include "check/check.h"

#include <string.h>

/* Whether a word stands that the base itself did not bring. */
static bool is_said_over_base(const struct said *said, enum word_id word)
{
    if (!is_said(said, word))
        return false;
    for (uint32_t i = said->count; i-- > 0;)
        if (said->places[i].word == word)
            return said->places[i].layer != LAYER_BASE;
    return false;
}

/* The site says of a word what the base says: no harm, a profile may serve guests with and without base. */
static bool base_agrees(const struct guest *guest, enum word_id word, const struct base_value *ruled)
{
    if (!*ruled->text)
        return true; /* a base that could not be read */
    switch ((int)word) {
    case W_GUEST_ARCH:
        return strcmp(word_row(word)->arguments[0].choices[guest->arch], ruled->text) == 0;
    case W_GUEST_ACCEL:
        return strcmp(word_row(word)->arguments[0].choices[guest->accel], ruled->text) == 0;
    case W_GUEST_CPU:
        return !guest->cpu_model || strcmp(guest->cpu_model, ruled->text) == 0;
    case W_GUEST_MACHINE:
        break;
    default:
        return false;
    }
    /* libvirt writes `q35` and `pc` with the version they stand for */
    const struct machine_family *family = guest_machine(guest);
    return strcmp(guest->machine, ruled->text) == 0 || (family && strcmp(guest->machine, family->name) == 0);
}

static void tell_word_of_base(const struct check *check, const struct guest *guest, enum word_id word,
                              const struct base_value *ruled)
{
    const char *name = word_row(word)->word;
    struct span span = said_span(&guest->said, word, 0);
    struct finding *finding = ruled
                                  ? report(check->findings, NM_word_of_base, span,
                                           "guest '%s' has a base, whose '%s' is '%s'", guest->name, name, ruled->text)
                                  : report(check->findings, NM_word_of_base, span,
                                           "guest '%s' has a base, and the base rules '%s'", guest->name, name);
    if (ruled && ruled->span.file)
        finding_label(check->findings, finding, ruled->span, "the base says so");
    else
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_BASE, 0), "the base");
    finding_note(check->findings, finding, "numac owns the NUMA parts of a base and copies the rest byte for byte");
    finding_help(check->findings, finding, "change it in the base, and remove it here");
}

static void bases_rule_what_is_not_numa(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_GUEST_ARCH,    W_GUEST_MACHINE,   W_GUEST_ACCEL,  W_GUEST_CPU,
                                          W_CPU_CACHE,     W_CPU_MAXPHYSADDR, W_CPU_FEATURES, W_GUEST_BOOT,
                                          W_BOOT_FIRMWARE, W_BOOT_KERNEL,     W_BOOT_INITRD,  W_BOOT_CMDLINE,
                                          W_BOOT_DISK,     W_BOOT_NETWORK };
    static const enum base_word ruled_words[] = { BASE_ARCH, BASE_MACHINE, BASE_ACCEL, BASE_CPU }; /* the first */
    if (!guest->base_file)
        return;
    enum context told = IN_NOWHERE; /* `cpu` and what stands in it are one mistake */
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        const struct word_row *row = word_row(words[i]);
        const struct base_value *ruled = i < G_N_ELEMENTS(ruled_words) ? &guest->base_ruled[ruled_words[i]] : NULL;
        if (!is_said_over_base(&guest->said, words[i]) || is_failed(&guest->said, words[i]) ||
            (told && row->in == told) || (ruled && base_agrees(guest, words[i], ruled)))
            continue;
        tell_word_of_base(check, guest, words[i], ruled);
        told = row->opens;
    }
}

static void host_cpus_need_kvm(const struct check *check, const struct guest *guest)
{
    if (guest->base_file || guest->accel != ACCEL_TCG || !is_said(&guest->said, W_GUEST_CPU) ||
        is_failed(&guest->said, W_GUEST_CPU) || is_failed(&guest->said, W_GUEST_ACCEL) || !guest->cpu_model ||
        strcmp(guest->cpu_model, "host-passthrough") != 0)
        return;
    struct finding *finding = report(check->findings, NM_host_cpu_needs_kvm, said_span(&guest->said, W_GUEST_CPU, 1),
                                     "guest '%s' asks for the CPU of the host, and tcg emulates its own", guest->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_ACCEL, 1), "no KVM");
    finding_note(check->findings, finding, "libvirt and QEMU refuse it");
    finding_help(check->findings, finding, "write 'cpu max', or remove 'accel tcg'");
}

const struct model_rule guest_rules[] = {
    { .name = "bases-rule-what-is-not-numa", .source = "language 7", .run = bases_rule_what_is_not_numa },
    { .name = "host-cpus-need-kvm", .source = "QEMU target/i386/cpu.c", .run = host_cpus_need_kvm },
    { 0 }
};
