/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs of a guest are there at start, and which of those can be unplugged: as said, else spread over the cells,
 * so that no cell waits for its first vCPU.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>
#include <string.h>

static bool says_hotplug(const struct guest *guest)
{
    static const enum word_id words[] = { W_VCPUS_MAX, W_VCPUS_ONLINE, W_VCPUS_FIXED, W_VCPUS_ORDER };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (is_said(&guest->said, words[i]))
            return true;
    return false;
}

/* How many each cell has at start: whole cores in turn, from the cell with vCPU 0 on, as long as there are some. */
static void deal(const struct plan_guest *guest, uint32_t count, uint32_t *given)
{
    uint32_t first = 0;
    while (first < guest->cell_count - 1 && !ids_contains(guest->cells[first].vcpus, 0))
        first++;
    for (uint32_t left = MIN(count, guest->vcpu_count); left;) {
        uint32_t before = left;
        for (uint32_t i = 0; i < guest->cell_count; i++) {
            uint32_t cell = (first + i) % guest->cell_count;
            uint32_t takes = MIN(MIN(guest->threads, left), ids_size(guest->cells[cell].vcpus) - given[cell]);
            given[cell] += takes;
            left -= takes;
        }
        if (left == before)
            return; /* vCPUs in no cell: told by a rule */
    }
}

static const struct ids *spread(struct placing *placing, const struct plan_guest *guest, uint32_t count)
{
    hwloc_bitmap_t online = hwloc_bitmap_alloc();
    uint32_t *given = g_new0(uint32_t, guest->cell_count);
    deal(guest, count, given);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (ids_each(guest->cells[c].vcpus, vcpu))
            if (given[c]) {
                hwloc_bitmap_set(online, vcpu);
                given[c]--;
            }
    const struct ids *ids = ids_from_bitmap(placing->arena, online);
    g_free(given);
    hwloc_bitmap_free(online);
    return ids;
}

void finish_hotplug(struct placing *placing, const struct guest *guest, struct plan_guest *out)
{
    if (!says_hotplug(guest))
        return;
    out->online = guest->online       ? guest->online->plain
                  : guest->says_start ? spread(placing, out, guest->vcpus_at_start)
                                      : ids_from_range(placing->arena, 0, out->vcpu_count - 1);
    out->fixed = guest->fixed ? guest->fixed->plain : ids_from_range(placing->arena, 0, 0);
    out->plug_order = is_said(&guest->said, W_VCPUS_ORDER) ? guest->plug_order.items : NULL;
}
