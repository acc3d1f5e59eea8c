/* SPDX-License-Identifier: MIT
 *
 * Guests whose memory is left to numad: what numac must still know of them is whether the host has room at all, and
 * where the vCPUs stand that the site gives CPUs.
 */
#include "place/draft.h"

/* What all nodes have left in pages of a size, less what other such guests will take. */
static uint64_t left_for_numad(const struct room *room, uint64_t page_bytes)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < room->node_count; n++)
        if (room->host->facts->nodes[n].is_allowed &&
            __builtin_add_overflow(sum, room_bytes_left(room, n, page_bytes), &sum))
            return UINT64_MAX;
    return sum - MIN(sum, room->memory_by_numad);
}

static bool has_room(const struct attempt *attempt, uint32_t index, uint64_t before)
{
    const struct draft_cell *cell = &attempt->draft->cells[index];
    uint64_t page = cell->page_bytes == PAGES_LARGEST ? PAGES_NORMAL : cell->page_bytes;
    uint64_t left = counts_memory(attempt, cell) ? left_for_numad(attempt->room, page) : UINT64_MAX;
    left = left == UINT64_MAX ? left : left - MIN(left, before);
    if (cell->memory_bytes <= left)
        return true;
    fails(attempt, page ? SHORT_PAGES : SHORT_MEMORY, index, NO_INDEX, cell->memory_bytes, left);
    attempt->misfit->extent = ALL_NODES;
    return false;
}

bool enter_by_numad(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint64_t before = 0;
    for (uint32_t c = 0; c < draft->cell_count; before += draft->cells[c++].memory_bytes) {
        if (!has_room(attempt, c, before))
            return false;
        if (draft->cells[c].is_astray)
            continue;
        uint32_t *near = arena_array(attempt->placing->scratch, uint32_t, attempt->room->node_count + 1);
        uint32_t count = cpu_nodes(attempt, c, near, 0);
        if (!check_cpus(attempt, c, near, count))
            return false;
        if (!take_cpus(attempt, c, near, count))
            return fails(attempt, SHORT_CPUS, c, NO_INDEX, 0, 0);
    }
    return true;
}

uint64_t memory_for_numad(const struct draft *draft)
{
    uint64_t sum = 0;
    for (uint32_t c = 0; draft->guest->memory_by_numad && c < draft->cell_count; c++)
        sum += draft->cells[c].memory_bytes;
    return sum;
}
