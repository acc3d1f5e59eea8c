/* SPDX-License-Identifier: MIT
 *
 * Rules that only guests of ppc64 have: memory comes in blocks of 256 MiB, vCPUs are plugged and put into cells by
 * whole cores, and old machines tell the guest other distances than those that were said.
 */
#include "check/subject.h"

#include <string.h>

static bool is_pseries(const struct guest *guest)
{
    return guest_architecture(guest)->plugs_cores;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void report_blocks(const struct check *check, const struct guest *guest, struct span span, const char *what,
                          uint64_t bytes)
{
    uint64_t unit = guest_architecture(guest)->memory_block;
    struct finding *finding = report(check->findings, NM_memory_not_whole_blocks, span,
                                     "%s of guest '%s' is %s, which is no whole number of %s", what, guest->name,
                                     size_text(check->arena, bytes), size_text(check->arena, unit));
    finding_note(check->findings, finding, "libvirt would round it up without a word; QEMU refuses to start");
    if (bytes < unit)
        finding_help(check->findings, finding, "write %s or more", size_text(check->arena, unit));
    else
        finding_help(check->findings, finding, "write %s or %s", size_text(check->arena, bytes / unit * unit),
                     size_text(check->arena, (bytes / unit + 1) * unit));
}

/* With a base, libvirt rounds, and NM0703 tells it. */
static void memory_is_whole_blocks(const struct check *check, const struct guest *guest)
{
    uint64_t unit = guest_architecture(guest)->memory_block;
    if (!is_pseries(guest) || guest->base_file)
        return;
    for (uint32_t c = 0; c < blocks_of(guest); c++) {
        uint64_t bytes = declared_memory(guest, c);
        bool is_own = c < guest->cell_count && is_said(&guest->cells[c].said, W_CELL_MEMORY);
        struct span span =
            is_own ? said_span(&guest->cells[c].said, W_CELL_MEMORY, 1) : guest_word_span(guest, W_GUEST_MEMORY, 1);
        const char *what = c < guest->cell_count ? arena_printf(check->arena, "cell '%s'", guest->cells[c].name)
                           : is_said(&guest->said, W_GUEST_CELLS) ? "the memory of each cell"
                                                                  : "the memory";
        if (bytes && bytes % KIB == 0 && bytes % unit)
            report_blocks(check, guest, span, what, bytes);
    }
    if (is_sound(&guest->said, W_MEMORY_MAX) && guest->max_memory_bytes % unit)
        report_blocks(check, guest, said_span(&guest->said, W_MEMORY_MAX, 1), "the maximum", guest->max_memory_bytes);
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void threads_are_of_a_core(const struct check *check, const struct guest *guest)
{
    uint32_t threads = guest->threads, most = guest_architecture(guest)->threads_most;
    if (!is_pseries(guest) || guest->base_file || !is_sound(&guest->said, W_VCPUS_THREADS) || !threads ||
        (threads <= most && (threads & (threads - 1)) == 0))
        return;
    struct finding *finding =
        report(check->findings, NM_threads_of_power, said_span(&guest->said, W_VCPUS_THREADS, 1),
               "a core of guest '%s' has %u threads: those of ppc64 have 1, 2, 4 or 8", guest->name, threads);
    finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
    finding_help(check->findings, finding, "write 'threads %u', and more 'cores'",
                 threads > 4    ? most
                 : threads == 3 ? 4
                                : threads);
}

const struct model_rule pseries_rules[] = {
    { .name = "memory-is-whole-blocks", .source = "QEMU hw/ppc/spapr.c", .run = memory_is_whole_blocks },
    { .name = "threads-are-of-a-core", .source = "peers 47", .run = threads_are_of_a_core },
    { 0 }
};

/* ---- the plan: whole cores -------------------------------------------------------------------------------------- */

static bool plans_cores(const struct planned_guest *planned)
{
    return is_pseries(planned->guest) && planned->plan->threads > 1;
}

/* The first vCPU that is in the set while another of its core is not, or the other way round; NO_INDEX: none. */
static uint32_t cut_by(const struct plan_guest *plan, const struct ids *set)
{
    for (uint32_t vcpu = 0; vcpu < plan->vcpu_count; vcpu++)
        if (ids_contains(set, vcpu) != ids_contains(set, vcpu - vcpu % plan->threads))
            return vcpu;
    return NO_INDEX;
}

static void report_cut(const struct check *check, const struct planned_guest *planned, enum word_id word, uint32_t vcpu,
                       const char *differ)
{
    const struct guest *guest = planned->guest;
    const struct plan_guest *plan = planned->plan;
    uint32_t threads = plan->threads, first = vcpu - vcpu % threads;
    struct span span =
        is_said(&guest->said, word) ? said_span(&guest->said, word, 1) : guest_word_span(guest, W_GUEST_VCPUS, 1);
    struct finding *finding =
        report(check->findings, NM_core_plugged_in_part, span,
               "vCPUs %u and %u of guest '%s' are threads of one core, and %s", first, vcpu, plan->name, differ);
    if (is_said(&guest->said, W_VCPUS_THREADS))
        finding_label(check->findings, finding, said_span(&guest->said, W_VCPUS_THREADS, 1), "%u threads", threads);
    finding_note(check->findings, finding, "ppc64 plugs whole cores: libvirt and QEMU refuse a part of one");
    finding_help(check->findings, finding,
                 word == W_VCPUS_ORDER ? "name vCPUs %u to %u one behind another"
                                       : "take all of vCPUs %u to %u or none of them",
                 first, first + threads - 1);
}

/* The first vCPU that is plugged at another time than those of its core; NO_INDEX: none. */
static uint32_t plugged_apart(const struct plan_guest *plan)
{
    uint32_t count = ids_size(plan->online);
    for (uint32_t i = 0; plan->plug_order && i < count; i++)
        if (plan->plug_order[i] % plan->threads != i % plan->threads ||
            (i % plan->threads && plan->plug_order[i] != plan->plug_order[i - 1] + 1))
            return plan->plug_order[i];
    return NO_INDEX;
}

static void cores_are_plugged_whole(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plans_cores(planned) || !plan->online)
        return;
    uint32_t vcpu = cut_by(plan, plan->online);
    if (vcpu != NO_INDEX) {
        report_cut(check, planned, W_VCPUS_ONLINE, vcpu, "one of them is there at start");
        return;
    }
    vcpu = cut_by(plan, plan->fixed);
    if (vcpu != NO_INDEX) {
        report_cut(check, planned, W_VCPUS_FIXED, vcpu, "one of them is fixed");
        return;
    }
    vcpu = plugged_apart(plan);
    if (vcpu != NO_INDEX)
        report_cut(check, planned, W_VCPUS_ORDER, vcpu, "'order' does not name them one behind another");
}

/* ---- the plan: distances ---------------------------------------------------------------------------------------- */

/* Versions before 6.2 know one way to tell distances, which has steps and no directions. */
static bool tells_steps(const char *machine)
{
    return machine_is_before(machine, 6, 2);
}

/* The first pair whose two directions differ; false: none. */
static bool find_one_way(const struct plan_guest *plan, uint32_t *out_from, uint32_t *out_to)
{
    uint32_t count = plan->cell_count;
    for (uint32_t from = 0; from < count; from++)
        for (uint32_t to = from + 1; to < count; to++)
            if (plan->distances[(size_t)from * count + to] != plan->distances[(size_t)to * count + from]) {
                *out_from = from;
                *out_to = to;
                return true;
            }
    return false;
}

bool has_one_way_distances(const struct plan_guest *plan)
{
    uint32_t from, to;
    return plan->distances && find_one_way(plan, &from, &to);
}

static struct span distance_span(const struct guest *guest)
{
    return is_said(&guest->said, W_GUEST_DISTANCES) ? said_span(&guest->said, W_GUEST_DISTANCES, 0)
                                                    : guest_word_span(guest, W_GUEST_MACHINE, 1);
}

static void distances_have_two_directions(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t from, to, count = plan->cell_count;
    if (!is_pseries(planned->guest) || !plan->distances || !tells_steps(plan->machine) ||
        !find_one_way(plan, &from, &to))
        return;
    struct finding *finding = report(check->findings, NM_distance_one_way, distance_span(planned->guest),
                                     "cell '%s' of guest '%s' is %u from '%s', and the way back is %u",
                                     plan->cells[from].name, plan->name, plan->distances[(size_t)from * count + to],
                                     plan->cells[to].name, plan->distances[(size_t)to * count + from]);
    finding_label(check->findings, finding, guest_word_span(planned->guest, W_GUEST_MACHINE, 1),
                  "has no directions: they came with pseries-6.2");
    finding_note(check->findings, finding, "QEMU would start, and end when the kernel of the guest asks for distances");
    finding_help(check->findings, finding, "write the same in both directions, or take pseries-6.2 or later");
}

/* What Linux makes of the steps that the machine tells. */
static uint32_t step_of(const char *machine, uint32_t distance)
{
    if (machine_is_before(machine, 5, 2))
        return 40;
    if (distance == 11 || distance == 31 || distance == 61) /* which QEMU's table leaves out */
        return 160;
    return distance <= 30 ? 20 : distance <= 60 ? 40 : distance <= 120 ? 80 : 160;
}

static void distances_are_told_as_said(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t count = plan->cell_count;
    if (!is_pseries(planned->guest) || !tells_steps(plan->machine) || !plan->distances || has_one_way_distances(plan))
        return;
    for (uint32_t at = 0; at < count * count; at++) {
        uint32_t distance = plan->distances[at], told = step_of(plan->machine, distance);
        if (at / count == at % count || distance == told)
            continue;
        struct finding *finding =
            report(check->findings, NM_distance_rounded, distance_span(planned->guest),
                   "cell '%s' of guest '%s' is %u from '%s', and the guest would see %u", plan->cells[at / count].name,
                   plan->name, distance, plan->cells[at % count].name, told);
        finding_label(check->findings, finding, guest_word_span(planned->guest, W_GUEST_MACHINE, 1),
                      machine_is_before(plan->machine, 5, 2) ? "tells one distance for all"
                                                             : "tells 20, 40, 80 and 160");
        finding_help(check->findings, finding, "write %u, or take pseries-6.2 or later", told);
        return;
    }
}

const struct plan_rule plan_pseries_rules[] = {
    { .name = "cores-are-plugged-whole", .source = "peers 42", .run = cores_are_plugged_whole },
    { .name = "distances-have-two-directions",
      .source = "QEMU hw/ppc/spapr_numa.c",
      .run = distances_have_two_directions },
    { .name = "distances-are-told-as-said", .source = "QEMU hw/ppc/spapr_numa.c", .run = distances_are_told_as_said },
    { 0 }
};
