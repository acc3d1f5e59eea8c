/* SPDX-License-Identifier: MIT
 *
 * What a cell asks of its nodes, as far as the lens of a try shows it.
 */
#include "place/draft.h"

uint32_t pin_of(const struct draft_cell *cell)
{
    return cell->locality->pin_rows.count ? PIN_NODE : cell->locality->pin;
}

/* vCPUs of a cell that no row of the pin table places. */
static uint32_t unplaced(const struct draft *draft, const struct draft_cell *cell)
{
    uint32_t count = cell->vcpu_count;
    if (draft->guest->locality.pin_rows.count && draft->vcpu_cpus)
        for (ids_each(cell->vcpus, vcpu))
            count -= vcpu < draft->vcpu_count && draft->vcpu_cpus[vcpu];
    return count;
}

bool counts_cpus(const struct attempt *attempt)
{
    return attempt->lens.kind != LENS_MEMORY;
}

bool counts_memory(const struct attempt *attempt, const struct draft_cell *cell)
{
    uint64_t page = cell->page_bytes == PAGES_LARGEST ? PAGES_NORMAL : cell->page_bytes;
    return attempt->lens.kind == LENS_ALL || (attempt->lens.kind == LENS_MEMORY && attempt->lens.page_bytes == page);
}

bool isolates_emulator(const struct guest *guest)
{
    return guest->emulator == EMULATOR_ISOLATE && !guest->emulator_cpus && !guest->emulator_nodes;
}

struct need need_of(const struct attempt *attempt, uint32_t index)
{
    const struct draft *draft = attempt->draft;
    const struct draft_cell *cell = &draft->cells[index];
    struct need need = { .within = cell->within, .scope = draft->scope, .allowed = cell->allowed };
    if (cell->is_astray)
        return (struct need){ .within = NO_LEVEL, .scope = ANYWHERE };
    /* what people fix may be as crowded as they like */
    need.ease = cell->fixed || cell->is_drawn ? EASE_CROWDED : attempt->ease;
    need.bytes = counts_memory(attempt, cell) ? wanted_bytes(cell) : 0;
    need.page_bytes = cell->page_bytes;
    if (!counts_cpus(attempt))
        return need;
    uint32_t count = unplaced(draft, cell), threads = MIN(draft->threads, MAX(attempt->room->smt, 1));
    switch (pin_of(cell)) {
    case PIN_CPUS:
        need.singles = count;
        break;
    case PIN_CORES:
        need.threads = threads;
        need.cores = (count + threads - 1) / threads;
        break;
    case PIN_NODE:
        need.floating = count;
        break;
    default:
        break;
    }
    if (cpus_are_by_numad(draft->guest, index))
        need.floating = 0;
    need.extra = index == 0 && isolates_emulator(draft->guest) ? 1 : 0;
    return need;
}

bool wants_own_cpus(const struct draft *draft)
{
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (pin_of(&draft->cells[c]) == PIN_CPUS || pin_of(&draft->cells[c]) == PIN_CORES)
            return true;
    return isolates_emulator(draft->guest);
}
