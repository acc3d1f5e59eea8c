/* SPDX-License-Identifier: MIT
 *
 * Rules about what the guest is told of its CPUs: sockets, dies, cores, threads, against the machine type and against
 * its cells.
 */
#include "check/subject.h"

#include <stdlib.h>
#include <string.h>

static const struct level {
    enum word_id word;
    const char *name;
    size_t offset;
} levels[] = {
    { W_VCPUS_DRAWERS, "drawers", offsetof(struct guest, drawers) },
    { W_VCPUS_BOOKS, "books", offsetof(struct guest, books) },
    { W_VCPUS_SOCKETS, "sockets", offsetof(struct guest, sockets) },
    { W_VCPUS_DIES, "dies", offsetof(struct guest, dies) },
    { W_VCPUS_CLUSTERS, "clusters", offsetof(struct guest, clusters) },
    { W_VCPUS_MODULES, "modules", offsetof(struct guest, modules) },
    { W_VCPUS_CORES, "cores", offsetof(struct guest, cores) },
    { W_VCPUS_THREADS, "threads", offsetof(struct guest, threads) },
};

static uint32_t level_count(const struct guest *guest, const struct level *level)
{
    return *(const uint32_t *)((const char *)guest + level->offset);
}

static void levels_are_not_zero(const struct check *check, const struct guest *guest)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (!is_said(&guest->said, levels[i].word) || is_failed(&guest->said, levels[i].word) ||
            level_count(guest, &levels[i]))
            continue;
        struct finding *finding = report(check->findings, NM_topology_zero, said_span(&guest->said, levels[i].word, 1),
                                         "guest '%s' has 0 %s", guest->name, levels[i].name);
        finding_help(check->findings, finding, "write 1 or more, or leave '%s' out", levels[i].name);
    }
}

static void levels_multiply_to_the_vcpus(const struct check *check, const struct guest *guest)
{
    uint64_t product = 1, vcpus = declared_vcpus(guest);
    unsigned said = 0;
    struct span first = SPAN_NONE;
    bool decides_all = is_said(&guest->said, W_VCPUS_SOCKETS) && is_said(&guest->said, W_VCPUS_CORES) &&
                       is_said(&guest->said, W_VCPUS_THREADS);
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        uint32_t count = level_count(guest, &levels[i]);
        if (!is_said(&guest->said, levels[i].word))
            continue;
        if (is_failed(&guest->said, levels[i].word) || !count)
            return;
        g_string_append_printf(text, "%s%u %.*s", said ? " x " : "", count, (int)strlen(levels[i].name) - (count == 1),
                               levels[i].name); /* "1 core" */
        product *= count;
        if (product > UINT32_MAX)
            product = UINT32_MAX;
        if (!said++)
            first = said_span(&guest->said, levels[i].word, 0);
    }
    if (!said || !vcpus || (decides_all ? product == vcpus : vcpus % product == 0))
        return;
    struct finding *finding = report(check->findings, NM_topology_product, first,
                                     "%s make %" G_GUINT64_FORMAT ", and guest '%s' has %" G_GUINT64_FORMAT " vCPUs",
                                     text->str, product, guest->name, vcpus);
    finding_label(check->findings, finding, vcpus_span(guest), "%" G_GUINT64_FORMAT " vCPUs", vcpus);
    finding_note(check->findings, finding,
                 "libvirt and QEMU refuse a topology whose product is not the number of vCPUs");
    if (decides_all)
        finding_help(check->findings, finding,
                     "write '%s %" G_GUINT64_FORMAT "', or change a level; a level left out is fitted",
                     vcpus_word(guest), product);
    else
        finding_help(check->findings, finding, "take a multiple of %" G_GUINT64_FORMAT " vCPUs, or change a level",
                     product);
}

/* ---- what machine types have ------------------------------------------------------------------------------------ */

static void machines_have_cells(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    const struct machine_family *first = architecture->families;
    if (!guest->machine || is_failed(&guest->said, W_GUEST_MACHINE) || !first->name || guest->base_file ||
        guest_machine(guest))
        return;
    struct finding *finding =
        report(check->findings, NM_machine_unknown, said_span(&guest->said, W_GUEST_MACHINE, 1),
               "machine '%s' is none that this version writes for %s", guest->machine, architecture->name);
    finding_note(check->findings, finding, "%s; other architectures are said by 'arch'", architecture->other_machines);
    g_autoptr(GString) names = g_string_new(first->name);
    for (const struct machine_family *family = first + 1; family->name; family++)
        g_string_append_printf(names, ", %s", family->name);
    if (first->versions)
        finding_help(check->findings, finding, "write %s, or a version such as %s7.2", names->str, first->versions);
    else
        finding_help(check->findings, finding, "write %s, or leave it out", names->str);
}

/* Those between sockets and cores, and above; the others every machine has. */
static enum cpu_level kind_of(const struct level *level)
{
    return level->word == W_VCPUS_DIES       ? CPU_DIES
           : level->word == W_VCPUS_CLUSTERS ? CPU_CLUSTERS
           : level->word == W_VCPUS_MODULES  ? CPU_MODULES
           : level->word == W_VCPUS_BOOKS    ? CPU_BOOKS
           : level->word == W_VCPUS_DRAWERS  ? CPU_DRAWERS
                                             : 0;
}

/* "sockets, dies, cores and threads" */
static const char *level_names(const struct check *check, const struct architecture *architecture)
{
    const char *text = "";
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(levels); i++)
        if (!kind_of(&levels[i]) || (kind_of(&levels[i]) & architecture->levels))
            text = arena_printf(check->arena, "%s%s%s", text, *text ? ", " : "", levels[i].name);
    return arena_printf(check->arena, "%s and %s", text, levels[G_N_ELEMENTS(levels) - 1].name);
}

static void machines_have_the_level(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        bool is_there = !kind_of(&levels[i]) || (kind_of(&levels[i]) & architecture->levels);
        if (is_there || !is_sound(&guest->said, levels[i].word) || level_count(guest, &levels[i]) < 2)
            continue;
        struct finding *finding =
            report(check->findings, NM_level_of_machine, said_span(&guest->said, levels[i].word, 0),
                   "a machine of %s has no '%s'", architecture->name, levels[i].name);
        finding_note(check->findings, finding, "QEMU would refuse the argument");
        finding_help(check->findings, finding, "remove it: such a machine has %s", level_names(check, architecture));
    }
}

static void vcpus_fit_the_machine(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    const struct machine_family *family = guest_machine(guest);
    uint64_t vcpus = declared_vcpus(guest);
    uint32_t limit = machine_vcpus_most(architecture, guest->machine);
    if (guest->base_file || !family || vcpus <= limit || is_failed(&guest->said, W_GUEST_MACHINE))
        return;
    struct finding *finding = report(check->findings, NM_vcpus_beyond_machine, vcpus_span(guest),
                                     "guest '%s' has %" G_GUINT64_FORMAT " vCPUs, and machine '%s' takes at most %u",
                                     guest->name, vcpus, guest->machine ? guest->machine : family->name, limit);
    if (is_said(&guest->said, W_GUEST_MACHINE))
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_MACHINE, 1), "the machine");
    finding_note(check->findings, finding, "%s", architecture->vcpus_note);
    const struct machine_family *newest = architecture->families;
    if (limit < newest->vcpus_most)
        finding_help(check->findings, finding, "lower '%s' to %u or less, or write 'machine %s'", vcpus_word(guest),
                     limit, newest->name);
    else
        finding_help(check->findings, finding, "lower '%s' to %u or less", vcpus_word(guest), limit);
}

/* ---- the CPU model ---------------------------------------------------------------------------------------------- */

static bool has_feature(const struct guest *guest, const char *name)
{
    const struct feature_word *features = guest->features.items;
    for (uint32_t i = 0; i < guest->features.count; i++)
        if (!features[i].is_disabled && strcmp(features[i].name, name) == 0)
            return true;
    return false;
}

static void amd_threads_have_topoext(const struct check *check, const struct guest *guest)
{
    static const char *const amd[] = { "EPYC", "Opteron", "phenom", "Dhyana", NULL };
    bool is_amd = false;
    for (unsigned i = 0; guest->cpu_model && amd[i]; i++)
        is_amd |= strncmp(guest->cpu_model, amd[i], strlen(amd[i])) == 0;
    /* from EPYC on the models have topoext themselves */
    if (!is_amd || strncmp(guest->cpu_model, "EPYC", 4) == 0 || guest->threads < 2 || has_feature(guest, "topoext"))
        return;
    struct finding *finding =
        report(check->findings, NM_threads_without_topoext, said_span(&guest->said, W_VCPUS_THREADS, 0),
               "model '%s' does not tell the guest of threads", guest->cpu_model);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_CPU, 1), "an AMD model without topoext");
    finding_note(check->findings, finding, "QEMU would warn, and the guest would see cores in place of threads");
    finding_help(check->findings, finding, "write 'cpu %s { features topoext }', or 'threads 1'", guest->cpu_model);
}

static void cache_levels_fit_the_mode(const struct check *check, const struct guest *guest)
{
    if (!is_said(&guest->said, W_CPU_CACHE) || is_failed(&guest->said, W_CPU_CACHE))
        return;
    bool emulates = guest->cache_mode == CACHE_WORD_EMULATE;
    struct span span = said_span(&guest->said, W_CPU_CACHE, guest->cache_level ? 2 : 1);
    if (emulates ? guest->cache_level == 3 : !guest->cache_level)
        return;
    struct finding *finding;
    if (guest->cache_level)
        finding = report(check->findings, NM_cache_level, span, "cache mode '%s' does not go with level %u",
                         emulates                                      ? "emulate"
                         : guest->cache_mode == CACHE_WORD_PASSTHROUGH ? "passthrough"
                                                                       : "disable",
                         guest->cache_level);
    else
        finding = report(check->findings, NM_cache_level, span, "'cache emulate' lacks its level");
    finding_note(check->findings, finding, "QEMU emulates level 3 only, and passes on or hides all levels together");
    finding_help(check->findings, finding, emulates ? "write 'cache emulate 3'" : "leave the level out");
}

static void host_caches_go_with_the_host_model(const struct check *check, const struct guest *guest)
{
    const char *model = guest->cpu_model;
    bool passes = is_said(&guest->said, W_CPU_CACHE) && !is_failed(&guest->said, W_CPU_CACHE) &&
                  guest->cache_mode == CACHE_WORD_PASSTHROUGH;
    if (!passes || !model || is_failed(&guest->said, W_GUEST_CPU) || strcmp(model, "host-passthrough") == 0 ||
        strcmp(model, "max") == 0 || strcmp(model, "maximum") == 0)
        return;
    struct finding *finding = report(check->findings, NM_cache_of_model, said_span(&guest->said, W_CPU_CACHE, 1),
                                     "the caches of the host do not go with model '%s'", model);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_CPU, 1), "a model of its own");
    finding_note(check->findings, finding, "libvirt passes them on with host-passthrough only");
    finding_help(check->findings, finding, "write 'cpu host-passthrough', or leave 'cache' out");
}

static void physical_bits_fit_the_mode(const struct check *check, const struct guest *guest)
{
    if (!is_said(&guest->said, W_CPU_MAXPHYSADDR) || is_failed(&guest->said, W_CPU_MAXPHYSADDR))
        return;
    bool emulates = guest->maxphysaddr_mode == MAXPHYSADDR_WORD_EMULATE, has_bits = guest->maxphysaddr_bits;
    if (has_bits ? guest->maxphysaddr_bits >= 32 && guest->maxphysaddr_bits <= 52 : !emulates)
        return;
    struct finding *finding =
        report(check->findings, NM_maxphysaddr_bits, said_span(&guest->said, W_CPU_MAXPHYSADDR, has_bits ? 2 : 1),
               has_bits ? "%u physical address bits are out of range" : "'maxphysaddr emulate' lacks its bits",
               guest->maxphysaddr_bits);
    finding_help(check->findings, finding,
                 emulates ? "write 32 to 52 bits: 'maxphysaddr emulate 46'"
                          : "write 32 to 52 bits, or none: then they are those of the host");
}

const struct model_rule topology_rules[] = {
    { .name = "levels-are-not-zero", .source = "peers 37", .run = levels_are_not_zero },
    { .name = "levels-multiply-to-the-vcpus",
      .source = "peers 36, 48",
      .of_whole = true,
      .run = levels_multiply_to_the_vcpus },
    { .name = "machines-have-cells", .source = "peers 33", .run = machines_have_cells },
    { .name = "machines-have-the-level", .source = "peers 38", .run = machines_have_the_level },
    { .name = "vcpus-fit-the-machine", .source = "peers 40", .run = vcpus_fit_the_machine },
    { .name = "amd-threads-have-topoext", .source = "peers 50", .run = amd_threads_have_topoext },
    { .name = "cache-levels-fit-the-mode", .source = "peers 54", .run = cache_levels_fit_the_mode },
    { .name = "host-caches-go-with-the-host-model",
      .source = "libvirt qemu_domain.c, tried",
      .run = host_caches_go_with_the_host_model },
    { .name = "physical-bits-fit-the-mode",
      .source = "libvirt 8.7.0, QEMU phys-bits",
      .run = physical_bits_fit_the_mode },
    { 0 }
};

/* ---- the plan: things cut by cells ------------------------------------------------------------------------------ */

/* The first vCPU whose group of `size` neighbours is not whole in one cell; UINT32_MAX if none. */
static uint32_t first_cut(const struct plan_guest *plan, uint32_t size)
{
    uint32_t *cell_of = g_new(uint32_t, plan->vcpu_count);
    memset(cell_of, 0xff, plan->vcpu_count * sizeof *cell_of);
    for (uint32_t c = 0; c < plan->cell_count; c++)
        for (ids_each(plan->cells[c].vcpus, vcpu))
            if (vcpu < plan->vcpu_count)
                cell_of[vcpu] = c;
    uint32_t cut = UINT32_MAX;
    for (uint32_t v = 0; cut == UINT32_MAX && v < plan->vcpu_count; v++)
        if (cell_of[v] != cell_of[v - v % size])
            cut = v;
    g_free(cell_of);
    return cut;
}

static void cells_keep_cores_whole(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (plan->cell_count < 2 || plan->threads < 2)
        return;
    uint32_t cut = first_cut(plan, plan->threads);
    if (cut == UINT32_MAX)
        return;
    bool goes_whole = architecture_of(plan->architecture)->plugs_cores;
    struct finding *finding = report(check->findings, goes_whole ? NM_core_in_two_cells : NM_core_cut_by_cells,
                                     guest_word_span(planned->guest, W_VCPUS_THREADS, 0),
                                     "vCPUs %u and %u of guest '%s' are threads of one core and in different cells",
                                     cut - cut % plan->threads, cut, plan->name);
    finding_note(check->findings, finding, "%s",
                 goes_whole ? "QEMU tells the cell of each core, and would refuse to start"
                            : "libvirt and QEMU accept it; the guest's scheduler then builds wrong domains");
    finding_help(check->findings, finding, "give each cell a multiple of %u vCPUs, or write 'threads 1'",
                 plan->threads);
}

/* The first vCPU of a cluster or module that is not whole in one cell; UINT32_MAX if none. */
static uint32_t cut_cluster(const struct plan_guest *plan)
{
    bool has_some = plan->cell_count > 1 && plan->clusters * plan->modules > 1;
    return has_some ? first_cut(plan, plan->cores * plan->threads) : UINT32_MAX;
}

/* Clusters of aarch64, modules of x86_64: their cores share a cache, as the guest's scheduler knows. */
static void cells_keep_clusters_whole(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    bool are_modules = plan->modules > 1;
    uint32_t whole = plan->cores * plan->threads, cut = cut_cluster(plan);
    if (cut == UINT32_MAX || first_cut(plan, plan->threads) != UINT32_MAX) /* cores are cut, which is told */
        return;
    const char *word = are_modules ? "module" : "cluster";
    struct finding *finding = report(
        check->findings, NM_cluster_cut_by_cells,
        guest_word_span(planned->guest, are_modules ? W_VCPUS_MODULES : W_VCPUS_CLUSTERS, 0),
        "vCPUs %u and %u of guest '%s' are in one %s and in different cells", cut - cut % whole, cut, plan->name, word);
    finding_note(check->findings, finding,
                 "libvirt accepts it, QEMU warns from 8.0 on; Linux then drops cells or scheduling domains");
    finding_help(check->findings, finding, "give each cell a multiple of %u vCPUs, or leave '%ss' out", whole, word);
}

static void cells_keep_sockets_whole(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t socket = vcpus_at_level(plan, SHARED_SOCKET), die = vcpus_at_level(plan, SHARED_DIE);
    bool said = is_said(&planned->guest->said, W_VCPUS_SOCKETS) || is_said(&planned->guest->said, W_VCPUS_CORES);
    if (plan->cell_count < 2 || !said || socket < 2 || die < 2 || cut_cluster(plan) != UINT32_MAX)
        return;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        uint32_t size = ids_size(plan->cells[c].vcpus);
        if (size && size % die && die % size)
            goto cut;
    }
    return;
cut:;
    struct finding *finding =
        report(check->findings, NM_socket_cut_by_cells,
               guest_word_span(planned->guest,
                               is_said(&planned->guest->said, W_VCPUS_SOCKETS) ? W_VCPUS_SOCKETS : W_VCPUS_CORES, 0),
               "a cell of guest '%s' holds part of one socket and part of another", plan->name);
    finding_help(check->findings, finding,
                 "let sockets be a multiple or a divisor of the cells, or leave the levels out");
}

/* ---- the plan: many vCPUs --------------------------------------------------------------------------------------- */

static void many_vcpus_have_an_iommu(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct machine_family *family = machine_family_of(architecture_of(plan->architecture), plan->machine);
    if (!plan->remaps_interrupts || !family || family->has_express)
        return;
    struct finding *finding = report(
        check->findings, NM_vcpus_need_iommu, guest_word_span(planned->guest, W_GUEST_MACHINE, 1),
        "vCPUs of guest '%s' have APIC ids up to %u, and machine '%s' has no IOMMU that brings interrupts to them",
        plan->name, highest_apic_id(plan), plan->machine);
    finding_label(check->findings, finding, vcpus_span(planned->guest), "%u vCPUs", plan->vcpu_count);
    finding_note(
        check->findings, finding,
        "without one the guest leaves vCPUs above id 254 offline; levels that are no powers of two leave holes");
    finding_help(check->findings, finding, "write 'machine q35', or levels with fewer holes");
}

static void many_vcpus_have_x2apic(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; plan->remaps_interrupts && i < plan->feature_count; i++) {
        if (plan->features[i].is_required || strcmp(plan->features[i].name, "x2apic") != 0)
            continue;
        struct finding *finding =
            report(check->findings, NM_x2apic_disabled, guest_word_span(planned->guest, W_CPU_FEATURES, i + 1),
                   "vCPUs of guest '%s' have APIC ids up to %u, which need x2apic", plan->name, highest_apic_id(plan));
        finding_label(check->findings, finding, vcpus_span(planned->guest), "%u vCPUs", plan->vcpu_count);
        finding_note(check->findings, finding, "an APIC without it has ids of 8 bits, the last of which means all");
        finding_help(check->findings, finding, "leave '^x2apic' out");
        return;
    }
}

const struct plan_rule plan_topology_rules[] = {
    { .name = "many-vcpus-have-an-iommu", .source = "peers 41", .run = many_vcpus_have_an_iommu },
    { .name = "many-vcpus-have-x2apic", .source = "QEMU hw/i386/x86.c", .run = many_vcpus_have_x2apic },
    { .name = "cells-keep-cores-whole", .source = "peers 43", .run = cells_keep_cores_whole },
    { .name = "cells-keep-clusters-whole", .source = "peers 44", .run = cells_keep_clusters_whole },
    { .name = "cells-keep-sockets-whole", .source = "peers 45", .run = cells_keep_sockets_whole },
    { 0 }
};
