/* SPDX-License-Identifier: MIT
 *
 * What a guest is beside memory and CPUs, in the words of the language: machine, CPU and boot of a guest whose XML no
 * base keeps, as they come out of a command line too.  What has no word is told: by a warning where the guest would be
 * another one, else in one hint with the names of all that is left.
 */
#include <string.h>

#include "emit/emit.h"
#include "import/parts.h"

struct saying {
    struct guest_lines *guest;
    struct syntax *syntax;
    const struct domain_beside *beside;
    GString *left; /* names */
    struct span first_left;
    bool failed;
};

bool is_uefi_image(const char *path)
{
    static const char *const names[] = { "OVMF", "QEMU_EFI", "RISCV_VIRT_CODE", "AAVMF", "edk2-" };
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(slash ? slash + 1 : path, names[i]))
            return true;
    return false;
}

/* ---- what cannot be said ---------------------------------------------------------------------------------------- */

static void tell_lost(struct saying *saying, struct span where, const char *note, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static void tell_lost(struct saying *saying, struct span where, const char *note, const char *format, ...)
{
    struct findings *findings = saying->syntax->findings;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(findings, NM_import_not_carried, where, "not carried over: %s", what);
    finding_note(findings, finding, "%s", note);
    finding_help(findings, finding, "'-o DIR' writes a base that keeps it");
}

void tell_cells(struct findings *findings, struct span where, const struct architecture *architecture)
{
    struct finding *finding = report(findings, NM_cells_in_vain, where,
                                     "this guest has cells, and a machine of %s has no NUMA", architecture->name);
    finding_note(findings, finding, "QEMU refuses to start it; in the site it is one cell that it does not see");
    finding_help(findings, finding, "remove them");
}

static void leave(struct saying *saying, struct span where, const char *name, uint32_t count)
{
    if (!saying->left->len)
        saying->first_left = where;
    g_string_append_printf(saying->left, "%s%.60s", saying->left->len ? ", " : "", name);
    if (count > 1)
        g_string_append_printf(saying->left, " (%u)", count);
}

static void leave_elements(struct saying *saying)
{
    enum { MOST = 40 };
    const struct domain_beside *beside = saying->beside;
    for (uint32_t i = 0; i < MIN(beside->left_count, MOST); i++) {
        g_autofree char *name = g_strdup_printf("<%.50s>", beside->left[i].name);
        leave(saying, beside->left[i].where, name, beside->left[i].count);
    }
    if (beside->left_count > MOST)
        leave(saying, beside->left[MOST].where, "others", 1);
}

static void tell_left(struct saying *saying)
{
    struct findings *findings = saying->syntax->findings;
    if (!saying->left->len)
        return;
    struct finding *finding =
        report(findings, NM_import_no_base, saying->first_left, "left out, as no base keeps it: %s", saying->left->str);
    finding_note(findings, finding, "UUID and MAC address are made of the names of the site and the guest");
    finding_help(findings, finding, "'-o DIR' writes the site and a base for each guest, which keeps all of it");
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static struct line *say(struct saying *saying, struct line **list, const char *word, const struct base_value *value)
{
    struct findings *findings = saying->syntax->findings;
    if (!text_is_writable(value->text)) {
        struct finding *finding =
            report(findings, NM_import_text, value->span, "this value holds control characters, which a site cannot");
        finding_help(findings, finding, "remove them from the guest's XML");
        saying->failed = true;
        return NULL;
    }
    struct line *line = line_add(list, line_new(saying->guest->arena, word, value->text));
    line->is_named = true;
    return line;
}

static void say_if_any(struct saying *saying, struct line **list, const char *word, enum domain_fact fact)
{
    if (saying->beside->facts[fact].text)
        say(saying, list, word, &saying->beside->facts[fact]);
}

/* ---- machine and CPU -------------------------------------------------------------------------------------------- */

static bool is_arch_with_machines(const char *arch)
{
    return architecture_of(arch)->families->name;
}

/* A machine of 64 bits runs what one of 32 bits does. */
static void say_arch(struct saying *saying, const struct base_value *ruled)
{
    struct base_value arch = ruled[BASE_ARCH];
    if (strcmp(arch.text, "i686") == 0) {
        tell_lost(saying, arch.span, "a machine of x86_64 runs the same guests", "a machine of 32 bits");
        arch.text = "x86_64";
    } else if (!is_arch_with_machines(arch.text)) {
        tell_lost(saying, arch.span, "this version writes such machines over a base only", "a machine of %.40s",
                  arch.text);
    }
    say(saying, &saying->guest->lines, "arch", &arch);
}

static void say_accel(struct saying *saying, const struct base_value *ruled)
{
    const struct base_value *type = &saying->beside->facts[FACT_TYPE];
    if (type->text && strcmp(type->text, "kvm") != 0 && strcmp(type->text, "qemu") != 0)
        tell_lost(saying, type->span, "numac has kvm and tcg", "a guest of the type '%.40s'", type->text);
    say(saying, &saying->guest->lines, "accel", &ruled[BASE_ACCEL]);
}

static void say_cpu(struct saying *saying, const struct base_value *ruled)
{
    const struct domain_beside *beside = saying->beside;
    struct line *cpu = say(saying, &saying->guest->lines, "cpu", &ruled[BASE_CPU]);
    if (!cpu)
        return;
    static const struct {
        const char *word;
        enum domain_fact value, more;
    } pairs[] = { { "cache", FACT_CACHE, FACT_CACHE_LEVEL }, { "maxphysaddr", FACT_ADDRESS_MODE, FACT_ADDRESS_BITS } };
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        const struct base_value *value = &beside->facts[pairs[i].value], *more = &beside->facts[pairs[i].more];
        struct line *line = value->text ? say(saying, &cpu->children, pairs[i].word, value) : NULL;
        if (line && more->text && text_is_writable(more->text))
            line_add_argument(saying->guest->arena, line, more->text);
        else if (line && pairs[i].value == FACT_ADDRESS_MODE && strcmp(value->text, "emulate") == 0)
            line_add_argument(saying->guest->arena, line, UNSAID_ADDRESS_BITS);
    }
    struct line *features = NULL;
    for (uint32_t i = 0; i < beside->feature_count; i++)
        if (text_is_writable(beside->features[i])) {
            if (!features)
                features = line_add(&cpu->children, line_new(saying->guest->arena, "features", NULL));
            line_add_argument(saying->guest->arena, features, beside->features[i]);
        }
}

static bool is_uefi(const struct domain_beside *beside)
{
    const struct base_value *firmware = &beside->facts[FACT_FIRMWARE], *loader = &beside->facts[FACT_LOADER],
                            *type = &beside->facts[FACT_LOADER_TYPE];
    return g_strcmp0(firmware->text, "efi") == 0 || g_strcmp0(type->text, "pflash") == 0 ||
           (loader->text && is_uefi_image(loader->text));
}

/* Whether the guest of numac has ACPI where the imported one has none. */
static bool gets_acpi(const struct domain_beside *beside, const struct architecture *architecture)
{
    bool starts_otherwise = architecture->has_bios || beside->facts[FACT_KERNEL].text;
    return architecture->families->name &&
           (architecture->acpi == ACPI_ALWAYS ||
            (architecture->acpi == ACPI_BESIDE_UEFI && (is_uefi(beside) || !starts_otherwise)));
}

static void say_what_numac_decides(struct saying *saying, const struct base_value *ruled)
{
    const struct base_value *gic = &saying->beside->facts[FACT_GIC], *acpi = &saying->beside->facts[FACT_NO_ACPI];
    if (gic->text && strcmp(gic->text, "3") != 0 && strcmp(gic->text, "host") != 0)
        tell_lost(saying, gic->span, "numac takes version 3, that of servers", "version %.40s of the GIC", gic->text);
    else if (!gic->text && architecture_of(ruled[BASE_ARCH].text)->gic_version &&
             strcmp(ruled[BASE_ACCEL].text, "tcg") == 0)
        tell_lost(saying, ruled[BASE_ARCH].span, "numac takes version 3, that of servers",
                  "version 2 of the GIC, which libvirt gives an emulated guest that says none");
    const struct architecture *architecture = architecture_of(ruled[BASE_ARCH].text);
    if (acpi->text && architecture->lacks_cells)
        tell_cells(saying->syntax->findings, acpi->span, architecture);
    else if (acpi->text && gets_acpi(saying->beside, architecture))
        tell_lost(saying, acpi->span, "numac's guests have ACPI, by which they see their cells",
                  "cells of a guest without '<acpi/>'");
}

/* ---- boot ------------------------------------------------------------------------------------------------------- */

/* What its name does not tell would be opened otherwise. */
static void say_disk(struct saying *saying, struct line *boot)
{
    const struct base_value *disk = &saying->beside->facts[FACT_DISK],
                            *format = &saying->beside->facts[FACT_DISK_FORMAT];
    if (disk->text && strcmp(disk_format(disk->text), format->text) != 0)
        leave(saying, disk->span, "the first disk, as its name does not tell its format", 1);
    else
        say_if_any(saying, &boot->children, "disk", FACT_DISK);
}

static void say_boot(struct saying *saying)
{
    const struct base_value *loader = &saying->beside->facts[FACT_LOADER];
    struct line *boot = line_new(saying->guest->arena, "boot", NULL);
    boot->is_tall = true;
    if (is_uefi(saying->beside))
        line_add(&boot->children, line_new(saying->guest->arena, "firmware", "uefi"));
    else if (loader->text)
        leave(saying, loader->span, "<loader>", 1);
    say_if_any(saying, &boot->children, "kernel", FACT_KERNEL);
    say_if_any(saying, &boot->children, "initrd", FACT_INITRD);
    say_if_any(saying, &boot->children, "cmdline", FACT_CMDLINE);
    say_disk(saying, boot);
    say_if_any(saying, &boot->children, "network", FACT_BRIDGE);
    if (boot->children)
        line_add(&saying->guest->lines, boot);
}

bool say_beside(struct guest_lines *guest, struct syntax *syntax, const struct base_value *ruled,
                const struct domain_beside *beside)
{
    struct saying saying = { .guest = guest, .syntax = syntax, .beside = beside, .left = g_string_new(NULL) };
    leave_elements(&saying);
    say_arch(&saying, ruled);
    say(&saying, &guest->lines, "machine", &ruled[BASE_MACHINE]);
    say_accel(&saying, ruled);
    say_cpu(&saying, ruled);
    say_what_numac_decides(&saying, ruled);
    say_boot(&saying);
    tell_left(&saying);
    g_string_free(saying.left, TRUE);
    return !saying.failed;
}
