/* SPDX-License-Identifier: MIT
 *
 * Rules about what is left to numad, the daemon that libvirt asks when it starts a guest: it chooses one set of nodes
 * for the guest as a whole, so that nothing else of the guest can depend on a choice of numac.
 */
#include "check/subject.h"

/* ---- as declared: of the guest as a whole ----------------------------------------------------------------------- */

static bool leaves_memory(const struct guest *guest)
{
    return guest->memory_by_numad && !is_failed(&guest->said, W_NODE) && !is_failed(&guest->said, W_CPUS);
}

/* Where a guest says that numad chooses. */
static struct span numad_span(const struct guest *guest)
{
    return guest_word_span(guest, guest->locality.nodes_by_numad ? W_NODE : W_CPUS, 1);
}

static void memory_is_left_as_a_whole(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        bool is_left = guest->memory_by_numad;
        if (!is_said(&cell->said, W_NODE) || is_failed(&cell->said, W_NODE) ||
            cell->locality.nodes_by_numad == guest->locality.nodes_by_numad ||
            (is_left && cell->locality.nodes_by_numad))
            continue;
        struct finding *finding =
            report(check->findings, NM_numad_in_cell, said_span(&cell->said, W_NODE, 1),
                   is_left ? "cell '%s' of guest '%s' says its nodes, and numad chooses for all of them"
                           : "cell '%s' leaves its nodes to numad, and guest '%s' does not",
                   cell->name, guest->name);
        if (is_left)
            finding_label(check->findings, finding, numad_span(guest), "for all of them");
        finding_note(check->findings, finding, "numad is asked once a guest: libvirt refuses to bind a cell beside it");
        finding_help(check->findings, finding, "say 'node numad' in the guest, and 'node' in none of its cells");
        return;
    }
}

static void cpus_are_left_as_a_whole(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        if (!is_said(&cell->said, W_CPUS) || !cell->locality.cpus_by_numad || cpus_are_by_numad(guest, c))
            continue;
        struct finding *finding =
            report(check->findings, NM_numad_cpus_in_cell, said_span(&cell->said, W_CPUS, 1),
                   "cell '%s' leaves its CPUs to numad, and guest '%s' does not", cell->name, guest->name);
        finding_note(check->findings, finding, "numad is asked once a guest, for all vCPUs that are not pinned");
        finding_help(check->findings, finding,
                     "say 'cpus numad' in the guest, and 'cpus SET' in cells that it is not for");
        return;
    }
}

/* ---- as declared: words that need a choice of numac ------------------------------------------------------------- */

struct against { /* one word of a guest or cell that needs nodes, or CPUs */
    const struct check *check;
    const struct guest *guest;
};

static void refuse_word(const struct against *against, bool is_of_nodes, struct span span, const char *words)
{
    const struct guest *guest = against->guest;
    struct finding *finding = report(against->check->findings, is_of_nodes ? NM_numad_and_nodes : NM_numad_and_cpus,
                                     span, "'%s' needs %s that numac chooses, and guest '%s' leaves them to numad",
                                     words, is_of_nodes ? "nodes" : "CPUs", guest->name);
    finding_label(against->check->findings, finding, numad_span(guest), "left to numad");
    finding_help(against->check->findings, finding, "leave 'numad' out: numac chooses when the plan is made");
    finding_help(against->check->findings, finding, "or leave '%s' out", words);
}

static void refuse_of_cell(const struct against *against, uint32_t c)
{
    const struct guest *guest = against->guest;
    const struct locality *locality = locality_of(guest, c);
    if (leaves_memory(guest) && locality->page_bytes == PAGES_LARGEST && cell_has_word(guest, c, W_PAGES))
        refuse_word(against, true, cell_word(guest, c, W_PAGES, 1), "pages largest");
    if (!cpus_are_by_numad(guest, c))
        return;
    if (!locality->pin_rows.count && (locality->pin == PIN_CPUS || locality->pin == PIN_CORES))
        refuse_word(against, false, cell_word(guest, c, W_PIN, 1),
                    locality->pin == PIN_CPUS ? "pin cpus" : "pin cores");
    if (cell_has_word(guest, c, W_WITHIN) && !cell_word_failed(guest, c, W_WITHIN))
        refuse_word(against, false, cell_word(guest, c, W_WITHIN, 1), "within");
}

static void nothing_else_needs_the_choice(const struct check *check, const struct guest *guest)
{
    struct against against = { check, guest };
    bool by_cells = guest->cells_wanted == CELLS_AUTO || guest->cells_wanted == CELLS_HOST;
    if (!leaves_memory(guest) && !guest->locality.cpus_by_numad)
        return;
    if (leaves_memory(guest) && by_cells)
        refuse_word(&against, true, guest_word_span(guest, W_GUEST_CELLS, 1),
                    guest->cells_wanted == CELLS_AUTO ? "cells auto" : "cells host");
    if (leaves_memory(guest) && guest->memory_bytes == SIZE_ALL)
        refuse_word(&against, true, guest_word_span(guest, W_GUEST_MEMORY, 1), "memory all");
    if (leaves_memory(guest) && guest->hmat == HMAT_WORD_AUTO)
        refuse_word(&against, true, guest_word_span(guest, W_GUEST_HMAT, 1), "hmat auto");
    if (guest->vcpu_count == COUNT_ALL)
        refuse_word(&against, false, guest_word_span(guest, W_GUEST_VCPUS, 1), "vcpus all");
    if (guest->emulator == EMULATOR_ISOLATE && is_said(&guest->said, W_GUEST_EMULATOR))
        refuse_word(&against, false, guest_word_span(guest, W_GUEST_EMULATOR, 1), "emulator isolate");
    for (uint32_t c = 0; c < blocks_of(guest); c++)
        refuse_of_cell(&against, c);
}

static void memory_stays_with_the_vcpus(const struct check *check, const struct guest *guest)
{
    bool has_table = guest->locality.pin_rows.count;
    if (!leaves_memory(guest) || (!has_table && !guest->locality.cpus))
        return;
    struct finding *finding =
        report(check->findings, NM_numad_beside_pins, guest_word_span(guest, has_table ? W_PIN : W_CPUS, 0),
               "vCPUs of guest '%s' have their CPUs, and numad chooses where its memory is", guest->name);
    finding_label(check->findings, finding, numad_span(guest), "at start");
    finding_note(check->findings, finding, "nothing keeps the two together");
    finding_help(check->findings, finding,
                 "leave both to numad, or leave 'node' open: numac puts memory beside the CPUs");
}

const struct model_rule numad_rules[] = {
    { .name = "memory-is-left-as-a-whole", .source = "peers 97", .run = memory_is_left_as_a_whole },
    { .name = "cpus-are-left-as-a-whole", .source = "language 7", .run = cpus_are_left_as_a_whole },
    { .name = "nothing-else-needs-the-choice", .source = "language 7", .run = nothing_else_needs_the_choice },
    { .name = "memory-stays-with-the-vcpus", .source = "language 7", .run = memory_stays_with_the_vcpus },
    { 0 }
};

/* ---- as planned ------------------------------------------------------------------------------------------------- */

/* libvirt fills a guest's missing <memory> in by numad where vCPUs are, and refuses that beside bound cells. */
static void cells_are_bound_in_one_way(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct plan_cell *first = &plan->cells[0];
    if (!plan->cpus_by_numad || plan->memory_by_numad)
        return;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        bool is_alike = cell->nodes && first->nodes && cell->policy == first->policy &&
                        (cell->policy == POLICY_STRICT || cell->policy == POLICY_RESTRICTIVE ||
                         ids_equal(cell->nodes, first->nodes));
        if (is_alike)
            continue;
        struct finding *finding = report(check->findings, NM_numad_cells_apart, cell_word(planned->guest, c, W_NODE, 1),
                                         "%s is bound in another way than its first cell, and numad places the vCPUs",
                                         cell_text(check, planned, c));
        finding_note(check->findings, finding, "libvirt would ask numad for the memory too, and refuse both");
        finding_help(check->findings, finding, "bind all cells strictly, or leave 'cpus numad' out");
        return;
    }
}

const struct plan_rule plan_numad_rules[] = {
    { .name = "cells-are-bound-in-one-way", .source = "language 7", .run = cells_are_bound_in_one_way }, { 0 }
};

/* ---- all guests ------------------------------------------------------------------------------------------------- */

struct owned { /* on a host: the first two guests with a CPU of their own, since one of them may be the one asked for */
    const struct planned_guest *guests[2];
    uint32_t vcpus[2];
};

static void find_owners(const struct check *check, const struct planned_site *planned, GHashTable *by_host)
{
    for (uint32_t i = 0; i < planned->plan->guest_count; i++) {
        const struct planned_guest *guest = &planned->guests[i];
        struct owned *owned = guest->host ? g_hash_table_lookup(by_host, guest->host) : NULL;
        uint32_t vcpu = 0;
        while (guest->own_cpus && vcpu < guest->plan->vcpu_count && guest->own_cpus[vcpu] == NO_INDEX)
            vcpu++;
        if (!guest->host || !guest->own_cpus || vcpu == guest->plan->vcpu_count || (owned && owned->guests[1]))
            continue;
        if (!owned) {
            owned = arena_take(check->arena, struct owned);
            g_hash_table_insert(by_host, (gpointer)(guintptr)guest->host, owned);
        }
        owned->vcpus[owned->guests[0] ? 1 : 0] = vcpu;
        owned->guests[owned->guests[0] ? 1 : 0] = guest;
    }
}

static void numad_meets_no_own_cpu(const struct check *check, const struct planned_site *planned)
{
    g_autoptr(GHashTable) by_host = g_hash_table_new(NULL, NULL);
    find_owners(check, planned, by_host);
    for (uint32_t i = 0; i < planned->plan->guest_count; i++) {
        const struct planned_guest *guest = &planned->guests[i];
        const struct owned *owned = guest->host ? g_hash_table_lookup(by_host, guest->host) : NULL;
        unsigned which = owned && owned->guests[0] == guest ? 1 : 0;
        const struct planned_guest *owner = owned ? owned->guests[which] : NULL;
        if (!guest->plan->cpus_by_numad || !owner)
            continue;
        about_guest(check->findings, guest->guest);
        struct finding *finding =
            report(check->findings, NM_numad_on_own_cpu, numad_span(guest->guest),
                   "numad may send guest '%s' to CPU %u, which vCPU %u of guest '%s' has for its own",
                   guest->plan->name, owner->own_cpus[owned->vcpus[which]], owned->vcpus[which], owner->plan->name);
        finding_label(check->findings, finding, owner->guest->span, "guest '%s'", owner->plan->name);
        finding_note(check->findings, finding, "numad looks at the load of the machine, and knows no pins");
        finding_help(check->findings, finding,
                     "leave the choice to numac, which goes around CPUs that are somebody's own");
    }
}

const struct site_rule numad_site_rules[] = {
    { .name = "numad-meets-no-own-cpu", .source = "language 7", .run = numad_meets_no_own_cpu }, { 0 }
};
