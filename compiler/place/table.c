/* SPDX-License-Identifier: MIT
 *
 * Pin tables: the rows as said, and what they say of the rest.  Memory whose nodes are left open is drawn to the CPUs
 * that the table gives its cell, and `cells auto` cuts a guest into as many cells as the table uses nodes.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>

/* ---- the rows --------------------------------------------------------------------------------------------------- */

bool enter_table(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    const struct pin_row *rows = draft->guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < draft->guest->locality.pin_rows.count; r++) {
        const struct ids *cpus = cpus_said(attempt, rows[r].cpus, rows[r].span);
        if (!cpus)
            return fails_heard(attempt);
        uint32_t at = 0, size = ids_size(cpus);
        bool is_own = rows[r].each != EACH_UNSAID || size == 1;
        for (ids_each(cpus, number)) {
            uint32_t cpu = room_find_cpu(attempt->room, number);
            enum cpu_state state = cpu == NO_INDEX ? CPU_CLOSED : attempt->room->cpus[cpu].state;
            if (state != CPU_FREE && !(state == CPU_NAMED && is_own))
                continue;
            room_set_cpu(attempt->room, cpu, is_own ? CPU_DEDICATED : CPU_NAMED);
            draft->claims[draft->claim_count++] = state == CPU_NAMED ? cpu | CLAIM_NAMED : cpu;
        }
        if (!rows[r].ids->plain)
            continue;
        for (ids_each(rows[r].ids->plain, vcpu)) {
            uint32_t nth = rows[r].each == EACH_UNSAID ? 0 : at++;
            if (vcpu >= draft->vcpu_count || nth >= size)
                continue;
            uint32_t number = ids_nth(cpus, nth), cpu = room_find_cpu(attempt->room, number);
            draft->vcpu_cpus[vcpu] = rows[r].each == EACH_UNSAID ? cpus
                                     : cpu != NO_INDEX           ? room_single(attempt->room, cpu)
                                                       : ids_from_range(attempt->placing->arena, number, number);
        }
    }
    return true;
}

/* ---- how many nodes they use ------------------------------------------------------------------------------------ */

bool is_cut_by_table(const struct guest *guest)
{
    return guest->cells_wanted == CELLS_AUTO && guest->locality.pin_rows.count && !guest->locality.nodes;
}

uint32_t nodes_of_table(const struct attempt *attempt, const struct guest *guest)
{
    const struct pin_row *rows = guest->locality.pin_rows.items;
    struct attempt silent = *attempt; /* enter_table() tells what a row lacks */
    silent.is_only_host = false;
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++) {
        const struct ids *here = cpus_said(&silent, rows[r].cpus, rows[r].span);
        if (here)
            ids_add_to_bitmap(here, cpus);
    }
    struct arena *scratch = attempt->placing->scratch;
    uint32_t count = ids_size(nodes_of_cpus(scratch, attempt->room->host->facts, ids_from_bitmap(scratch, cpus)));
    hwloc_bitmap_free(cpus);
    return count && divides(guest, count, MAX(guest->threads, 1)) ? count : 1;
}

/* ---- where they draw memory ------------------------------------------------------------------------------------- */

/* How strongly vCPUs that may run on these CPUs draw to each node. */
static bool add_pull(const struct room *room, const struct ids *cpus, uint32_t vcpus, uint64_t *pull)
{
    enum { WHOLE = 1 << 16 }; /* a vCPU that stays on one node */
    uint32_t size = ids_size(cpus);
    bool is_any = false;
    for (ids_each(cpus, number)) {
        uint32_t cpu = room_find_cpu(room, number);
        uint32_t node = cpu == NO_INDEX ? room->node_count : room->groups[room->cores[room->cpus[cpu].core].group].node;
        if (node == room->node_count)
            continue;
        pull[node] += (uint64_t)vcpus * WHOLE / size;
        is_any = true;
    }
    return is_any;
}

uint64_t *way_to_pins(const struct attempt *attempt, struct arena *scratch, const struct draft_cell *cell)
{
    const struct room *room = attempt->room;
    const struct draft *draft = attempt->draft;
    uint64_t *pull = arena_array(scratch, uint64_t, room->node_count), *way = NULL;
    bool is_drawn = false;
    const struct ids *before = NULL;
    uint32_t alike = 0; /* vCPUs with the set before */
    for (ids_each(cell->vcpus, vcpu)) {
        const struct ids *cpus = vcpu < draft->vcpu_count ? draft->vcpu_cpus[vcpu] : NULL;
        if (cpus != before && before)
            is_drawn |= add_pull(room, before, alike, pull);
        alike = cpus == before ? alike + 1 : 1;
        before = cpus;
    }
    if (before)
        is_drawn |= add_pull(room, before, alike, pull);
    if (!is_drawn)
        return NULL;
    way = arena_array(scratch, uint64_t, room->node_count);
    for (uint32_t m = 0; m < room->node_count; m++)
        for (uint32_t n = 0; pull[m] && n < room->node_count; n++)
            way[n] += pull[m] * room->between[(size_t)n * room->node_count + m];
    return way;
}
