/* SPDX-License-Identifier: MIT
 *
 * The machine of a command line: architecture, type, accelerator and CPU model; with what QEMU takes where nothing is
 * said, and numac would not.
 */
#include "import/argv.h"

#include <string.h>

/* ---- machine and accelerator ------------------------------------------------------------------------------------ */

/* numac takes version 3, as a server has it: whatever is not older is that or nothing. */
static void read_gic(struct argv_guest *guest, struct option *machine)
{
    const struct property *gic = option_take(machine, "gic-version");
    guest->says_gic |= gic != NULL;
    if (gic && strcmp(gic->value, "3") != 0 && strcmp(gic->value, "host") != 0 && strcmp(gic->value, "max") != 0)
        argv_not_carried(guest, gic->where, "numac takes version 3, that of servers", "version %.40s of the GIC",
                         gic->value);
}

/* QEMU's own choice, while that many vCPUs fit. */
void argv_tell_gic(struct argv_guest *guest)
{
    enum { MOST_OF_VERSION_2 = 8 };
    const struct architecture *architecture = architecture_of(guest->architecture);
    if (!architecture->gic_version || guest->says_gic || guest->vcpu_count > MOST_OF_VERSION_2 ||
        !machine_family_of(architecture, guest->machine))
        return;
    argv_not_carried(guest, argv_word_span(guest->command->file, &guest->command->words[guest->command->program]),
                     "numac takes version 3, that of servers",
                     "version 2 of the GIC, which QEMU takes where none is said");
}

static void read_switches(struct argv_guest *guest, struct option *machine)
{
    const struct property *hmat = option_take(machine, "hmat"), *merge = option_take(machine, "mem-merge"),
                          *backend = option_take(machine, "memory-backend"), *acpi = option_take(machine, "acpi"),
                          *nvdimm = option_take(machine, "nvdimm");
    bool merges = true, state;
    if (hmat && property_switch(guest, hmat, &guest->has_hmat))
        guest->hmat_span = hmat->where;
    if (merge && property_switch(guest, merge, &merges))
        guest->no_merge = !merges;
    if (backend) {
        guest->only_backend = backend->value;
        guest->only_span = backend->where;
    }
    guest->has_flash |= option_take(machine, "pflash0") != NULL;
    if (nvdimm && property_switch(guest, nvdimm, &guest->has_nvdimm))
        guest->nvdimm_span = nvdimm->where;
    if (acpi && property_switch(guest, acpi, &state)) {
        guest->has_no_acpi = !state;
        guest->no_acpi_span = acpi->where;
    }
}

/* "kvm:tcg": the first that works; nobody knows here whether that is the first. */
static void read_accel(struct argv_guest *guest, const char *text, struct span where, const char **out_accel)
{
    if (*out_accel)
        return;
    size_t length = strcspn(text, ":");
    char *name = arena_string(guest->arena, text, length);
    if (strcmp(name, "kvm") == 0 || strcmp(name, "tcg") == 0)
        *out_accel = name;
    else
        argv_not_carried(guest, where, "numac has kvm and tcg", "the accelerator '%.40s'", name);
}

static const char *find_accel(struct argv_guest *guest)
{
    const char *accel = NULL;
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option)) {
        const struct property *property = option_take(option, "accel");
        if (property)
            read_accel(guest, property->value, property->where, &accel);
    }
    for (struct option *option = argv_next(guest, ARGV_ACCEL, NULL); option;
         option = argv_next(guest, ARGV_ACCEL, option)) {
        const struct property *property = option_take(option, "accel");
        if (property)
            read_accel(guest, property->value, property->where, &accel);
        argv_leave_unused(guest, option, NULL);
    }
    bool is_kvm = argv_next(guest, ARGV_ENABLE_KVM, NULL) || g_str_has_suffix(guest->program, "kvm");
    return accel ? accel : is_kvm ? "kvm" : "tcg";
}

/* A machine of 64 bits runs what one of 32 bits does. */
static void say_architecture(struct argv_guest *guest)
{
    bool is_narrow = strcmp(guest->architecture, "i686") == 0;
    if (is_narrow)
        argv_not_carried(guest, argv_word_span(guest->command->file, &guest->command->words[guest->command->program]),
                         "a machine of x86_64 runs the same guests", "a machine of 32 bits");
    argv_line(guest, &guest->lines, "arch", "%s", is_narrow ? "x86_64" : guest->architecture);
}

static void read_no_acpi(struct argv_guest *guest)
{
    const struct option *option = argv_next(guest, ARGV_NO_ACPI, NULL);
    if (!option)
        return;
    guest->has_no_acpi = true;
    guest->no_acpi_span = option->span;
}

static void say_machine(struct argv_guest *guest)
{
    const struct property *type = NULL;
    read_no_acpi(guest);
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option)) {
        const struct property *said = option_take(option, "type");
        type = said ? said : type;
        read_switches(guest, option);
        read_gic(guest, option);
    }
    say_architecture(guest);
    if (type)
        argv_text_line(guest, &guest->lines, "machine", type->value, type->where);
    else if (architecture_of(guest->architecture)->qemu_machine)
        argv_line(guest, &guest->lines, "machine", "%s", architecture_of(guest->architecture)->qemu_machine);
    guest->machine = type ? type->value : "";
}

/* ---- CPU -------------------------------------------------------------------------------------------------------- */

enum { FEATURE_LIMIT = 1024 };

/* Switches of the emulation that are no features of a CPU. */
static bool is_feature(const char *name)
{
    enum { NAME_BYTES = 64 };
    static const char *const others[] = { "migratable",
                                          "enforce",
                                          "check",
                                          "kvm",
                                          "pmu",
                                          "legacy-cache",
                                          "host-phys-bits",
                                          "host-cache-info",
                                          "l3-cache",
                                          "tcg-cpuid",
                                          "lmce",
                                          "cpuid-0xb",
                                          "fill-mtrr-mask",
                                          "vmware-cpuid-freq",
                                          "kvm-no-smi-migration",
                                          "full-cpuid-auto-level",
                                          "xen-vapic" };
    if (g_str_has_prefix(name, "hv-") || g_str_has_prefix(name, "hv_") || g_str_has_prefix(name, "x-"))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(name, others[i]) == 0)
            return false;
    return *name && strlen(name) <= NAME_BYTES &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == 0;
}

struct cpu {
    struct argv_guest *guest;
    struct span span;
    struct line *features; /* NULL: none yet */
    const char *host_info, *l3, *host_bits, *bits, *bits_limit;
};

static void leave_out(struct cpu *cpu, const char *name)
{
    g_autofree char *what = g_strdup_printf("-cpu %.40s", name);
    argv_leave_out(cpu->guest, cpu->span, what);
}

/* What numac says with words of its own. */
static bool keep_value(struct cpu *cpu, const char *name, const char *value)
{
    const struct {
        const char *name, **value;
    } known[] = {
        { "host-cache-info", &cpu->host_info },       { "l3-cache", &cpu->l3 },
        { "host-phys-bits", &cpu->host_bits },        { "phys-bits", &cpu->bits },
        { "host-phys-bits-limit", &cpu->bits_limit },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(name, known[i].name) == 0) {
            *known[i].value = value;
            return true;
        }
    return false;
}

/* "+topoext", "-pdpe1gb", "topoext=on", "migratable=off". */
static void read_feature(struct cpu *cpu, const char *text)
{
    struct arena *arena = cpu->guest->arena;
    bool has_sign = *text == '+' || *text == '-', is_on = *text != '-';
    const char *equals = strchr(text, '=');
    const char *name =
        arena_string(arena, text + has_sign, equals ? (size_t)(equals - text) - has_sign : strlen(text) - has_sign);
    const char *value = equals ? equals + 1 : is_on ? "on" : "off";
    if (!has_sign && keep_value(cpu, name, value))
        return;
    bool off = strcmp(value, "off") == 0;
    if (!is_feature(name) || (!off && strcmp(value, "on") != 0)) {
        leave_out(cpu, name);
        return;
    }
    if (cpu->features && cpu->features->count == FEATURE_LIMIT) {
        argv_refuse(cpu->guest, cpu->span, "no CPU has so many", "more than %d features of a CPU", FEATURE_LIMIT);
        return;
    }
    if (!cpu->features)
        cpu->features = line_new(arena, "features", NULL);
    line_add_argument(arena, cpu->features, off ? arena_printf(arena, "^%s", name) : name);
}

static bool is_value(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

/* What -cpu says with several properties, as the words that make them. */
static void say_cache(struct cpu *cpu, struct line *line)
{
    struct argv_guest *guest = cpu->guest;
    if (is_value(cpu->host_info, "on"))
        argv_line(guest, &line->children, "cache", "passthrough");
    else if (is_value(cpu->l3, "on"))
        line_add_argument(guest->arena, argv_line(guest, &line->children, "cache", "emulate"), "3");
    else if (is_value(cpu->l3, "off"))
        argv_line(guest, &line->children, "cache", "disable");
    else if (cpu->host_info || cpu->l3)
        leave_out(cpu, "host-cache-info");
}

static void say_address_bits(struct cpu *cpu, struct line *line)
{
    struct argv_guest *guest = cpu->guest;
    const char *bits = is_value(cpu->host_bits, "on") ? cpu->bits_limit : cpu->bits;
    uint64_t number = 0;
    if (!cpu->host_bits && !bits)
        return;
    struct line *said = argv_line(guest, &line->children, "maxphysaddr", "%s",
                                  is_value(cpu->host_bits, "on") ? "passthrough" : "emulate");
    if ((!bits || is_value(bits, "0")) && !is_value(cpu->host_bits, "on"))
        bits = UNSAID_ADDRESS_BITS;
    if (bits && (!text_number(bits, &number) || number > 64))
        argv_refuse(guest, cpu->span, "write a whole number", "'%.40s' is no number of address bits", bits);
    else if (number)
        line_add_argument(guest->arena, said, bits);
}

static void say_cpu(struct argv_guest *guest, const char *model, const struct option *option)
{
    struct cpu cpu = { .guest = guest, .span = option->span };
    g_auto(GStrv) parts = g_strsplit(option->value->text, ",", -1);
    struct line *line = argv_text_line(guest, &guest->lines, "cpu", model, option->span);
    for (char **part = parts[0] ? parts + 1 : parts; *part && line; part++)
        read_feature(&cpu, arena_string(guest->arena, *part, strlen(*part)));
    if (!line)
        return;
    if (architecture_of(guest->architecture)->has_cpuid) {
        say_cache(&cpu, line);
        say_address_bits(&cpu, line);
    }
    if (cpu.features)
        line_add(&line->children, cpu.features);
}

void argv_machine(struct argv_guest *guest)
{
    say_machine(guest);
    const char *accel = find_accel(guest);
    argv_line(guest, &guest->lines, "accel", "%s", accel);
    struct option *cpu = argv_last(guest, ARGV_CPU);
    const struct architecture *architecture = architecture_of(guest->architecture);
    const char *plain =
        architecture->plain_cpu || strcmp(accel, "kvm") == 0 ? architecture->plain_cpu : architecture->tcg_cpu;
    if (cpu) {
        size_t length = strcspn(cpu->value->text, ",");
        const char *model = arena_string(guest->arena, cpu->value->text, length);
        if (strcmp(model, "max") == 0 && *architecture_of(guest->architecture)->name)
            model = architecture_of(guest->architecture)->emulated_cpu;
        say_cpu(guest, strcmp(model, "host") == 0 ? "host-passthrough" : model, cpu);
    } else if (plain) {
        argv_line(guest, &guest->lines, "cpu", "%s", plain);
    }
}
