/* SPDX-License-Identifier: MIT
 *
 * Guests that are not the same on every host (`at`), while they are placed.
 */
#include "place/draft.h"

/* Instances share the variants of their family. */
const struct guest *guest_there(const struct placing *placing, const struct guest *guest, uint32_t host)
{
    const struct guest *there = guest_on(guest, placing->hosts->list[host].name);
    if (there == guest || !guest->instance)
        return there;
    struct guest *own = arena_copy(placing->arena, there, sizeof *there);
    own->name = guest->name;
    own->instance = guest->instance;
    return own;
}

const struct guest *guest_only_there(const struct placing *placing, const struct guest *there, uint32_t host)
{
    struct guest *only = arena_copy(placing->scratch, there, sizeof *there);
    only->hosts = (struct list){ 1, arena_copy(placing->scratch, &placing->hosts->list[host].name, sizeof(char *)) };
    only->variant_count = 0;
    return only;
}

bool takes_cells(const struct guest *guest, const struct candidates *candidates, uint32_t cells)
{
    uint32_t first, last;
    cell_counts(guest, candidates, &first, &last);
    return cells == first || (cells > first && cells <= last && divides(guest, cells, MAX(guest->threads, 1)));
}

void cell_counts_anywhere(const struct guest *guest, const struct candidates *candidates, uint32_t *out_first,
                          uint32_t *out_last)
{
    cell_counts(guest, candidates, out_first, out_last);
    for (uint32_t v = 0; v < guest->variant_count; v++) {
        uint32_t first, last;
        cell_counts(guest->variants[v].guest, candidates, &first, &last);
        *out_first = MIN(*out_first, first);
        *out_last = MAX(*out_last, last);
    }
}
