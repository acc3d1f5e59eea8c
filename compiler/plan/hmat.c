/* SPDX-License-Identifier: MIT
 *
 * What a plan says of latencies and bandwidths, row by row, as both targets write it; and what libvirt cannot say of
 * it.  What the values are is decided elsewhere.
 */
#include "plan/plan.h"

/* ---- rows ------------------------------------------------------------------------------------------------------- */

struct walk {
    void (*take)(void *state, const struct hmat_row_of_plan *row);
    void *state;
    uint32_t target, level;
};

static void walk_accesses(const struct walk *walk, const struct plan_access *accesses, uint32_t count,
                          bool is_bandwidth)
{
    for (uint32_t i = 0; i < count; i++) {
        struct hmat_row_of_plan row = {
            .initiator = accesses[i].initiator,
            .target = walk->target,
            .level = walk->level,
            .is_bandwidth = is_bandwidth,
            .access = accesses[i].is_split ? HMAT_READ : HMAT_ACCESS,
            .value = accesses[i].read,
        };
        walk->take(walk->state, &row);
        if (!accesses[i].is_split)
            continue;
        row.access = HMAT_WRITE;
        row.value = accesses[i].write;
        walk->take(walk->state, &row);
    }
}

static void walk_performance(const struct walk *walk, const struct plan_performance *performance)
{
    walk_accesses(walk, performance->latencies, performance->latency_count, false);
    walk_accesses(walk, performance->bandwidths, performance->bandwidth_count, true);
}

static void walk_cell(const struct plan_guest *guest, uint32_t target, struct walk *walk)
{
    const struct plan_cell *cell = &guest->cells[target];
    walk->target = target;
    walk->level = 0;
    walk_performance(walk, &cell->performance);
    for (uint32_t i = 0; i < cell->side_cache_count; i++) {
        walk->level = cell->side_caches[i].level;
        walk_performance(walk, &cell->side_caches[i].performance);
    }
}

void hmat_each(const struct plan_guest *guest, void (*take)(void *state, const struct hmat_row_of_plan *row),
               void *state)
{
    struct walk walk = { .take = take, .state = state };
    for (uint32_t c = 0; c < guest->cell_count; c++)
        walk_cell(guest, c, &walk);
}

uint64_t hmat_base_of(uint64_t value, bool is_bandwidth)
{
    if (!value)
        return UINT64_MAX;
    if (is_bandwidth)
        return value & (0 - value);
    uint64_t base = 1;
    for (; value % 10 == 0; value /= 10)
        base *= 10;
    return base;
}

/* ---- libvirt ---------------------------------------------------------------------------------------------------- */

/* The initiator that libvirt picks by itself: the lowest latency, else the highest bandwidth, the first of equals. */
struct pick {
    uint32_t by_latency, by_bandwidth;
    uint64_t latency, bandwidth;
};

static void pick_initiator(void *state, const struct hmat_row_of_plan *row)
{
    struct pick *pick = state;
    if (!row->is_bandwidth && row->value < pick->latency) {
        pick->latency = row->value;
        pick->by_latency = row->initiator;
    } else if (row->is_bandwidth && row->value > pick->bandwidth) {
        pick->bandwidth = row->value;
        pick->by_bandwidth = row->initiator;
    }
}

static uint32_t libvirt_initiator(const struct plan_guest *guest, uint32_t cell)
{
    if (guest->cells[cell].vcpus->count)
        return cell;
    struct pick pick = { .by_latency = UINT32_MAX, .by_bandwidth = UINT32_MAX, .latency = UINT64_MAX };
    struct walk walk = { .take = pick_initiator, .state = &pick };
    walk_cell(guest, cell, &walk);
    if (pick.by_latency != UINT32_MAX)
        return pick.by_latency;
    if (pick.by_bandwidth != UINT32_MAX)
        return pick.by_bandwidth;
    uint32_t first = 0;
    while (first < guest->cell_count && !guest->cells[first].vcpus->count)
        first++;
    return first;
}

/* Whether some value of `target`, or of a cache at its side, is about this initiator. */
static bool is_reached(const struct plan_cell *target, uint32_t initiator)
{
    const struct plan_performance *performance = &target->performance;
    for (uint32_t level = 0; level <= target->side_cache_count; level++) {
        if (level)
            performance = &target->side_caches[level - 1].performance;
        for (uint32_t i = 0; i < performance->latency_count; i++)
            if (performance->latencies[i].initiator == initiator)
                return true;
        for (uint32_t i = 0; i < performance->bandwidth_count; i++)
            if (performance->bandwidths[i].initiator == initiator)
                return true;
    }
    return false;
}

static bool goes_both_ways(const struct plan_guest *guest, uint32_t cell, uint32_t *out_other)
{
    if (!guest->cells[cell].vcpus->count)
        return false;
    for (uint32_t other = cell + 1; other < guest->cell_count; other++)
        if (guest->cells[other].vcpus->count && is_reached(&guest->cells[cell], other) &&
            is_reached(&guest->cells[other], cell)) {
            *out_other = other;
            return true;
        }
    return false;
}

/* libvirt writes an HMAT where something but initiators is said. */
static bool has_values(const struct plan_guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct plan_cell *cell = &guest->cells[c];
        if (cell->performance.latency_count || cell->performance.bandwidth_count || cell->side_cache_count)
            return true;
    }
    return false;
}

bool has_libvirt_gap(const struct plan_guest *guest, enum libvirt_gap gap, uint32_t *out_cell, uint32_t *out_other)
{
    if (gap == GAP_BINDING || gap == GAP_DEVICE)
        return has_device_gap(guest, gap, out_cell, out_other);
    if (gap == GAP_FIXED || gap == GAP_CACHES || gap == GAP_MODULES || gap == GAP_BOOKS) {
        *out_cell = *out_other = 0;
        return has_vcpu_gap(guest, gap);
    }
    bool writes_hmat = has_values(guest);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct plan_cell *cell = &guest->cells[c];
        bool is_gap = false;
        *out_cell = *out_other = c;
        if (gap == GAP_NO_MEMORY) {
            is_gap = !cell->memory_bytes;
        } else if (gap == GAP_BOTH_WAYS) {
            is_gap = guest->has_hmat && goes_both_ways(guest, c, out_other);
        } else if (guest->has_hmat && !cell->vcpus->count) {
            *out_other = writes_hmat ? libvirt_initiator(guest, c) : c;
            is_gap = *out_other != cell->initiator;
        }
        if (is_gap)
            return true;
    }
    return false;
}
