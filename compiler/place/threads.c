/* SPDX-License-Identifier: MIT
 *
 * Threads that share CPUs: floating vCPUs, the emulator, iothreads.  Decided last, when every CPU that is somebody's
 * own is known, so that nobody floats over it.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>

static const struct ids *set_of_cpus(struct placing *placing, const struct draft *draft, const struct set *set,
                                     struct span span)
{
    if (set->plain || !draft->room)
        return set->plain;
    return cpus_on_host(placing->arena, placing->findings, draft->room->host, set, NULL, span);
}

static const struct ids *cpus_of_node_set(struct placing *placing, const struct draft *draft, const struct set *set,
                                          struct span span)
{
    if (!draft->room)
        return NULL;
    const struct ids *nodes = set->plain;
    if (!nodes)
        nodes = nodes_on_host(placing->arena, placing->findings, draft->room->host, set, span);
    const struct ids *cpus = nodes ? room_loose(draft->room, nodes) : NULL;
    return cpus && cpus->count ? cpus : NULL;
}

/* ---- floating vCPUs --------------------------------------------------------------------------------------------- */

static bool is_loose(const struct room_cpu *cpu)
{
    return cpu->state == CPU_FREE || cpu->state == CPU_NAMED;
}

/* CPUs that a cell names, less those that are somebody's own. */
static const struct ids *named_cpus(struct placing *placing, const struct room *room, const struct ids *allowed)
{
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    for (ids_each(allowed, number)) {
        uint32_t cpu = room_find_cpu(room, number);
        if (cpu == NO_INDEX || room->cpus[cpu].state != CPU_DEDICATED)
            hwloc_bitmap_set(cpus, number); /* what the host lacks is told by a rule */
    }
    const struct ids *frozen = ids_from_bitmap(placing->arena, cpus);
    hwloc_bitmap_free(cpus);
    return frozen;
}

/* CPUs of the part of the host that `within` chose. */
static const struct ids *part_cpus(struct placing *placing, const struct draft *draft, const struct draft_cell *cell)
{
    const struct room *room = draft->room;
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    for (uint32_t n = 0; n <= room->node_count; n++) {
        const struct room_node *node = &room->nodes[n];
        for (uint32_t c = node->first_core; c < node->first_core + node->core_count; c++) {
            bool is_here = cell->allowed || !cell->nodes || ids_contains(cell->nodes, node->os_index) ||
                           (cell->node != NO_INDEX && room->nodes[cell->node].cpus_at == n);
            if (!is_here || !is_core_in(room, c, draft->scope) || !is_core_in(room, c, cell->own_scope))
                continue;
            for (uint32_t i = 0; i < room->cores[c].count; i++) {
                const struct room_cpu *cpu = &room->cpus[room->cores[c].first + i];
                if (is_loose(cpu) && (cell->allowed ? ids_contains(cell->allowed, cpu->os_index) : !cpu->is_isolated))
                    hwloc_bitmap_set(cpus, cpu->os_index);
            }
        }
    }
    const struct ids *frozen = ids_from_bitmap(placing->arena, cpus);
    hwloc_bitmap_free(cpus);
    return frozen;
}

/* Loose CPUs of the cell's nodes; where these have no CPU at all (memory only), of the nearest that have. */
static const struct ids *node_cpus(const struct draft *draft, const struct draft_cell *cell)
{
    struct room *room = draft->room;
    bool has_cpus = false;
    for (uint32_t n = 0; n < room->node_count; n++)
        has_cpus |= room->nodes[n].open_cpus && ids_contains(cell->nodes, room->nodes[n].os_index);
    if (has_cpus || cell->node == NO_INDEX)
        return room_loose(room, cell->nodes);
    uint32_t best = NO_INDEX;
    const uint32_t *between = room->between + (size_t)cell->node * room->node_count;
    for (uint32_t n = 0; n < room->node_count; n++)
        if (room->nodes[n].loose_cpus && (best == NO_INDEX || between[n] < between[best]))
            best = n;
    return room_loose(room, best == NO_INDEX ? NULL : room->nodes[best].self);
}

static const struct ids *floating_cpus(struct placing *placing, struct draft *draft, const struct draft_cell *cell)
{
    if (draft->scope.level != NO_LEVEL || cell->own_scope.level != NO_LEVEL)
        return part_cpus(placing, draft, cell);
    if (cell->allowed)
        return named_cpus(placing, draft->room, cell->allowed);
    return cell->nodes ? node_cpus(draft, cell) : NULL;
}

bool settle_vcpus(struct placing *placing, struct draft *draft)
{
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        const struct draft_cell *cell = &draft->cells[c];
        bool is_table = cell->locality->pin_rows.count > 0;
        if (!cell->vcpu_count || cell->is_astray || (!is_table && cell->locality->pin != PIN_NODE))
            continue;
        const struct ids *cpus = draft->room ? NULL : cell->allowed;
        for (ids_each(cell->vcpus, vcpu)) {
            if (vcpu >= draft->vcpu_count || draft->vcpu_cpus[vcpu])
                continue;
            if (!cpus && draft->room)
                cpus = floating_cpus(placing, draft, cell);
            if (cpus && !cpus->count) {
                refuse_crowded(placing, draft, c);
                return false;
            }
            draft->vcpu_cpus[vcpu] = cpus;
        }
    }
    return true;
}

/* ---- emulator and iothreads ------------------------------------------------------------------------------------- */

/* Where the host lets unpinned threads run: its shared CPUs, else beside the guest's memory, else anywhere loose. */
static const struct ids *shared_cpus(struct placing *placing, const struct draft *draft)
{
    struct room *room = draft->room;
    if (!room)
        return NULL;
    if (room->host->has_shared)
        return room->host->shared->count ? room->host->shared : NULL;
    const struct ids *nodes = draft->cells[0].nodes;
    bool differ = false;
    for (uint32_t c = 1; c < draft->cell_count; c++)
        differ |= draft->cells[c].nodes != nodes;
    if (differ) {
        hwloc_bitmap_t all = hwloc_bitmap_alloc();
        for (uint32_t c = 0; c < draft->cell_count; c++)
            if (draft->cells[c].nodes)
                ids_add_to_bitmap(draft->cells[c].nodes, all);
        nodes = ids_from_bitmap(placing->scratch, all);
        hwloc_bitmap_free(all);
    }
    const struct ids *cpus = nodes ? room_loose(room, nodes) : &ids_none;
    if (!cpus->count && nodes)
        cpus = node_cpus(draft, &draft->cells[0]);
    if (!cpus->count)
        cpus = room_loose(room, NULL);
    return cpus->count ? cpus : NULL;
}

static const struct ids *own_vcpu_cpus(struct placing *placing, const struct draft *draft)
{
    hwloc_bitmap_t all = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < draft->vcpu_count; i++)
        if (draft->vcpu_cpus[i] && (!i || draft->vcpu_cpus[i] != draft->vcpu_cpus[i - 1]))
            ids_add_to_bitmap(draft->vcpu_cpus[i], all);
    const struct ids *cpus = ids_from_bitmap(placing->arena, all);
    hwloc_bitmap_free(all);
    return cpus->count ? cpus : NULL;
}

const struct ids *emulator_cpus(struct placing *placing, const struct draft *draft)
{
    const struct guest *guest = draft->guest;
    if (guest->emulator_cpus)
        return set_of_cpus(placing, draft, guest->emulator_cpus, placed_word_span(guest, W_EMULATOR_CPUS, 1));
    if (guest->emulator_nodes)
        return cpus_of_node_set(placing, draft, guest->emulator_nodes, placed_word_span(guest, W_EMULATOR_NODE, 1));
    if (guest->emulator == EMULATOR_VCPUS)
        return own_vcpu_cpus(placing, draft);
    if (guest->emulator == EMULATOR_ISOLATE)
        return draft->emulator_cpu == NO_INDEX ? NULL : room_single(draft->room, draft->emulator_cpu);
    return shared_cpus(placing, draft);
}

const struct ids *vhost_cpus(struct placing *placing, const struct draft *draft)
{
    const struct guest *guest = draft->guest;
    if (guest->vhost_cpus)
        return set_of_cpus(placing, draft, guest->vhost_cpus, placed_word_span(guest, W_VHOST_CPUS, 1));
    if (guest->vhost_nodes)
        return cpus_of_node_set(placing, draft, guest->vhost_nodes, placed_word_span(guest, W_VHOST_NODE, 1));
    return NULL;
}

const struct ids *iothread_cpus(struct placing *placing, const struct draft *draft, const struct iothread *iothread)
{
    struct span span = iothread ? said_span(&iothread->said, W_IOTHREAD_CPUS, 1) : SPAN_NONE;
    if (iothread && iothread->cpus)
        return set_of_cpus(placing, draft, iothread->cpus, span);
    if (iothread && iothread->nodes)
        return cpus_of_node_set(placing, draft, iothread->nodes, said_span(&iothread->said, W_IOTHREAD_NODE, 1));
    return shared_cpus(placing, draft);
}
