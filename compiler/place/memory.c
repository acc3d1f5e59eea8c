/* SPDX-License-Identifier: MIT
 *
 * Memory of one cell on the nodes it is bound to: how much must be there, and how it is counted against them.  Strict
 * memory must fit; what is only preferred is wished for on the first node and never fails.  Unknown is not zero: a node
 * whose memory nobody knows takes everything.
 */
#include "place/draft.h"

/* What a set of nodes has left, in pages of this size; UINT64_MAX where some node is unknown. */
static uint64_t left_over(const struct room *room, const uint32_t *nodes, uint32_t count, uint64_t page_bytes)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < count; n++) {
        uint64_t left = room_bytes_left(room, nodes[n], page_bytes);
        if (left == UINT64_MAX || __builtin_add_overflow(sum, left, &sum))
            return UINT64_MAX;
    }
    return sum;
}

/* An even share over some nodes, in whole pages; the first ones take what is left over. */
uint64_t even_share(uint64_t bytes, uint64_t page_bytes, uint32_t count, uint32_t position)
{
    uint64_t page = page_bytes ? page_bytes : 4 * KIB, pages = bytes / page;
    uint64_t share = (pages / count + (position < pages % count ? 1 : 0)) * page;
    return position ? share : share + bytes % page;
}

bool memory_fits(const struct room *room, const uint32_t *nodes, uint32_t count, uint32_t policy, uint64_t page_bytes,
                 uint64_t bytes)
{
    if (policy == POLICY_WORD_PREFERRED || !bytes || !count)
        return true;
    if (policy != POLICY_WORD_INTERLEAVE)
        return left_over(room, nodes, count, page_bytes) >= bytes;
    for (uint32_t n = 0; n < count; n++)
        if (room_bytes_left(room, nodes[n], page_bytes) < even_share(bytes, page_bytes, count, n))
            return false;
    return true;
}

static bool are_pages_known(const struct room *room, const uint32_t *nodes, uint32_t count, uint64_t page_bytes)
{
    for (uint32_t n = 0; n < count; n++)
        if (room_pages_left(room, nodes[n], page_bytes) == UINT64_MAX)
            return false;
    return true;
}

uint64_t wanted_bytes(const struct draft_cell *cell)
{
    return cell->memory_bytes + cell->device_bytes;
}

uint64_t largest_page(const struct room *room, const uint32_t *nodes, uint32_t count, const struct draft_cell *cell)
{
    uint64_t bytes = wanted_bytes(cell);
    const struct host_node *first = count ? &room->host->facts->nodes[nodes[0]] : NULL;
    for (uint32_t p = first ? first->pool_count : 0; bytes && p-- > 0;) {
        uint64_t page = first->pools[p].page_bytes;
        if (page && are_pages_known(room, nodes, count, page) && left_over(room, nodes, count, page) >= bytes &&
            bytes % page == 0 && cell->memory_bytes % page == 0 &&
            memory_fits(room, nodes, count, cell->locality->policy, page, bytes))
            return page;
    }
    return PAGES_NORMAL;
}

static void take(struct room *room, struct draft_cell *cell, uint32_t node, uint64_t bytes)
{
    if (!bytes)
        return;
    room_take_memory(room, node, cell->page_bytes, bytes);
    cell->portions[cell->portion_count++] = (struct portion){ node, bytes };
}

void take_memory(struct arena *scratch, struct room *room, struct draft_cell *cell, const uint32_t *nodes,
                 uint32_t count)
{
    uint64_t left = wanted_bytes(cell);
    cell->portions = arena_array(scratch, struct portion, MAX(count, 1));
    cell->portion_count = 0;
    for (uint32_t n = 0; n < count && left; n++) {
        uint64_t room_left = room_bytes_left(room, nodes[n], cell->page_bytes), share = MIN(left, room_left);
        if (cell->locality->policy == POLICY_WORD_INTERLEAVE)
            share = even_share(wanted_bytes(cell), cell->page_bytes, count, n);
        else if (cell->page_bytes)
            share -= share % cell->page_bytes;
        take(room, cell, nodes[n], share);
        left -= share;
        if (cell->locality->policy == POLICY_WORD_PREFERRED)
            return; /* a wish for the first node; where the rest ends up nobody can say */
    }
}

void give_memory(struct room *room, struct draft_cell *cell)
{
    for (uint32_t i = 0; i < cell->portion_count; i++)
        room_give_memory(room, cell->portions[i].node, cell->page_bytes, cell->portions[i].bytes);
    cell->portion_count = 0;
}

bool all_memory(const struct room *room, const uint32_t *nodes, uint32_t count, uint64_t block, uint64_t *page_bytes,
                uint64_t *out_bytes)
{
    const struct host_node *first = count ? &room->host->facts->nodes[nodes[0]] : NULL;
    for (uint32_t p = first && *page_bytes == PAGES_LARGEST ? first->pool_count : 0; p-- > 0;) {
        uint64_t page = first->pools[p].page_bytes;
        if (are_pages_known(room, nodes, count, page) && left_over(room, nodes, count, page)) {
            *page_bytes = page;
            break;
        }
    }
    if (*page_bytes == PAGES_LARGEST)
        *page_bytes = PAGES_NORMAL;
    uint64_t left = left_over(room, nodes, count, *page_bytes);
    if (left == UINT64_MAX || (*page_bytes && !are_pages_known(room, nodes, count, *page_bytes)))
        return false;
    uint64_t unit = MAX(block, *page_bytes ? *page_bytes : MIB);
    *out_bytes = left / unit * unit;
    return true;
}
