/* SPDX-License-Identifier: MIT
 *
 * What all memory of a guest comes to, how it is bound as a whole, and what libvirt cannot say of its memory devices.
 */
#include "plan/plan.h"

uint64_t plan_total_bytes(const struct plan_guest *guest)
{
    uint64_t sum = guest->memory_bytes;
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (is_plugged(guest->memory_devices[i].model))
            sum += guest->memory_devices[i].memory.memory_bytes;
    return sum;
}

uint32_t plugged_devices(const struct plan_guest *guest)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        count += is_plugged(guest->memory_devices[i].model);
    return count;
}

/* The nodes of all cells.  Node numbers end at 1023 in every kernel there is, so marks do. */
static const struct ids *union_of_nodes(struct arena *arena, const struct plan_guest *guest)
{
    uint32_t highest = 0, count = 0;
    for (uint32_t i = 0; i < guest->cell_count; i++)
        highest = MAX(highest, ids_last(guest->cells[i].nodes));
    bool *marks = arena_array(arena, bool, highest + 1);
    uint32_t *numbers = arena_array(arena, uint32_t, highest + 1);
    for (uint32_t i = 0; i < guest->cell_count; i++)
        for (ids_each(guest->cells[i].nodes, node))
            marks[node] = true;
    for (uint32_t node = 0; node <= highest; node++)
        if (marks[node])
            numbers[count++] = node;
    return ids_from_sorted(arena, numbers, count);
}

const struct ids *plan_common_nodes(struct arena *arena, const struct plan_guest *guest, enum memory_policy *out_policy)
{
    const struct plan_cell *first = &guest->cells[0];
    bool same_nodes = true;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        const struct plan_cell *cell = &guest->cells[i];
        if (!cell->nodes || cell->policy != first->policy)
            return NULL;
        same_nodes &= ids_equal(cell->nodes, first->nodes);
    }
    *out_policy = first->policy;
    if (same_nodes)
        return first->nodes;
    return first->policy == POLICY_STRICT || first->policy == POLICY_RESTRICTIVE ? union_of_nodes(arena, guest) : NULL;
}

/* ---- libvirt ---------------------------------------------------------------------------------------------------- */

/* libvirt binds a device in the way of its cell, or strictly; a file always to the nodes of its cell. */
static bool is_bound_otherwise(const struct plan_guest *guest, const struct plan_memory_device *device)
{
    const struct plan_cell *memory = &device->memory, *cell = &guest->cells[device->cell];
    if (device->model == MEMORY_VIRTIO_PMEM || device->model == MEMORY_CXL || !memory->nodes)
        return false;
    if (memory->policy != (cell->nodes ? cell->policy : POLICY_STRICT))
        return true;
    return device->model == MEMORY_NVDIMM && !(cell->nodes && ids_equal(memory->nodes, cell->nodes));
}

bool has_device_gap(const struct plan_guest *guest, enum libvirt_gap gap, uint32_t *out_cell, uint32_t *out_device)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct plan_memory_device *device = &guest->memory_devices[i];
        *out_cell = device->cell;
        *out_device = i;
        bool has_no_word =
            (device->uuid && !architecture_of(guest->architecture)->labels_nvdimms) || device->model == MEMORY_CXL;
        if (gap == GAP_BINDING ? is_bound_otherwise(guest, device) : has_no_word)
            return true;
    }
    return false;
}
