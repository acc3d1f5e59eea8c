/* SPDX-License-Identifier: MIT
 *
 * What is short when a guest does not fit on a host.  The guest is tried again with one resource in view at a time:
 * pages of each size, normal memory, CPUs.  One that does not fit even alone is the cause; where each fits alone, they
 * are not to be had on the same nodes.
 */
#include "place/draft.h"

#include <string.h>

enum { LENSES_MOST = 6 };

/* Huge pages in the first pass, normal memory in the second. */
static void add_lens(const struct draft_cell *memory, unsigned pass, struct lens *out, uint32_t *count)
{
    uint64_t page = memory->page_bytes == PAGES_LARGEST ? PAGES_NORMAL : memory->page_bytes;
    bool is_new = (page != PAGES_NORMAL) == (pass == 0);
    for (uint32_t i = 0; i < *count; i++)
        is_new &= out[i].page_bytes != page;
    if (is_new && *count < LENSES_MOST - 1)
        out[(*count)++] = (struct lens){ LENS_MEMORY, page };
}

/* Memory before CPUs: people move memory less easily, and CPUs stand where it is. */
static uint32_t lenses_of(const struct draft *draft, struct lens *out)
{
    uint32_t count = 0;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t c = 0; c < draft->cell_count; c++)
            add_lens(&draft->cells[c], pass, out, &count);
        for (uint32_t i = 0; i < draft->guest->memory_device_count; i++)
            add_lens(&draft->devices[i].memory, pass, out, &count);
    }
    out[count++] = (struct lens){ .kind = LENS_CPUS };
    return count;
}

static bool try_lens(struct attempt *attempt, const struct guest *guest, const struct shape *shape, struct lens lens)
{
    *attempt->misfit = (struct misfit){ .room = attempt->room, .node = NO_INDEX };
    attempt->lens = lens;
    lay_cells(attempt, guest, shape->cells);
    attempt->draft->scope = shape->part;
    return fit_guest(attempt);
}

bool diagnose(struct placing *placing, const struct guest *guest, struct room *room, struct shape shape,
              bool is_only_host, struct diagnosis *out)
{
    struct lens lenses[LENSES_MOST];
    struct misfit misfit;
    struct draft *draft = arena_take(placing->scratch, struct draft);
    struct attempt attempt = { .placing = placing,
                               .draft = draft,
                               .room = room,
                               .ease = EASE_CROWDED,
                               .is_only_host = is_only_host,
                               .misfit = &misfit,
                               .is_trial = true,
                               .wants_reason = true };
    *out = (struct diagnosis){ .shape = shape, .draft = draft, .misfit = { .room = room, .node = NO_INDEX } };
    lay_cells(&attempt, guest, shape.cells);
    uint32_t count = lenses_of(draft, lenses);
    for (uint32_t i = 0; i < count; i++) {
        if (try_lens(&attempt, guest, &shape, lenses[i]))
            continue;
        if (!out->faults++)
            out->misfit = misfit;
        else if (out->faults == 2)
            out->other = misfit;
        if (misfit.is_reported || misfit.needed == SIZE_ALL)
            return true;
    }
    if (out->faults)
        return true;
    bool fits = try_lens(&attempt, guest, &shape, (struct lens){ .kind = LENS_ALL });
    if (!fits)
        out->misfit = misfit;
    return !fits;
}

/* How much is lacking, where it can be compared. */
static uint64_t lack_of(const struct misfit *misfit)
{
    uint64_t lack = misfit->needed > misfit->left ? misfit->needed - misfit->left : 0, sum;
    return __builtin_mul_overflow(lack, MAX(misfit->missing, 1), &sum) ? UINT64_MAX : sum;
}

bool is_milder(const struct diagnosis *a, const struct diagnosis *b)
{
    if (a->misfit.is_reported != b->misfit.is_reported)
        return !a->misfit.is_reported;
    if (a->faults != b->faults)
        return a->faults < b->faults;
    if (a->misfit.kind != b->misfit.kind || a->misfit.page_bytes != b->misfit.page_bytes)
        return false;
    return lack_of(&a->misfit) < lack_of(&b->misfit);
}
