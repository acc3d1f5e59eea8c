/* SPDX-License-Identifier: MIT
 *
 * The cells of a guest before it has a host: how many there are, which vCPUs each has, how much memory.  Totals that
 * contradict each other are a rule's finding; here they only must do no harm.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>

/* ---- who said a word -------------------------------------------------------------------------------------------- */

bool cell_says(const struct guest *guest, const struct draft_cell *cell, enum word_id word)
{
    return (cell->said && is_said(&cell->said->said, word)) || is_said(&guest->said, word);
}

struct span placed_word_span(const struct guest *guest, enum word_id word, unsigned argument)
{
    struct span span = said_span(&guest->said, word, argument);
    if (!span.file)
        span = said_span(&guest->said, word, 0);
    return span.file ? span : guest->span;
}

struct span cell_span(const struct guest *guest, const struct draft_cell *cell, enum word_id word, unsigned argument)
{
    if (!cell->said || !is_said(&cell->said->said, word))
        return placed_word_span(guest, word, argument);
    struct span span = said_span(&cell->said->said, word, argument);
    if (!span.file)
        span = said_span(&cell->said->said, word, 0);
    return span.file ? span : cell->said->span;
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

uint32_t said_cells(const struct guest *guest)
{
    if (guest->cell_count)
        return guest->cell_count;
    return guest->cells_wanted == CELLS_AUTO || guest->cells_wanted == CELLS_HOST ? 0 : guest->cells_wanted;
}

static bool has_own_vcpus(const struct cell *cell)
{
    return cell && (is_said(&cell->said, W_CELL_VCPUS) || cell->ids);
}

static bool has_own_memory(const struct cell *cell)
{
    return cell && is_said(&cell->said, W_CELL_MEMORY);
}

static uint32_t own_vcpus(const struct cell *cell)
{
    return cell->ids ? cell->ids->plain ? ids_size(cell->ids->plain) : 0 : cell->vcpu_count;
}

/* Where numac itself says how many cells there are, shares need not be even: they are whole pages and whole cores of
 * the guest, as libvirt and QEMU count them. */
static bool may_be_uneven(const struct guest *guest)
{
    bool takes = guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL; /* a cell for each node */
    return !guest->cell_count &&
           (guest->cells_wanted == CELLS_AUTO || guest->cells_wanted == CELLS_HOST || (takes && !guest->cells_wanted));
}

static uint64_t memory_unit(const struct guest *guest)
{
    uint64_t page = guest->locality.page_bytes, block = guest_architecture(guest)->memory_block;
    if (page != PAGES_NORMAL && page != PAGES_LARGEST)
        return MAX(page, block); /* powers of two */
    if (block)
        return block;
    return guest->memory_bytes % MIB ? 4 * KIB : MIB; /* libvirt and QEMU round cells to whole MiB */
}

/* vCPUs: what cells say, and even shares of what the guest has beyond that. */
static void share_vcpus(struct draft *draft, const struct guest *guest)
{
    uint64_t said = 0;
    uint32_t open = 0;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        if (has_own_vcpus(cell->said))
            said += cell->vcpu_count = own_vcpus(cell->said);
        else
            open++;
    }
    bool takes = guest->vcpu_count == COUNT_ALL;
    uint64_t left = !takes && guest->vcpu_count > said ? guest->vcpu_count - said : 0;
    for (uint32_t i = 0; open && i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        if (has_own_vcpus(cell->said))
            continue;
        uint32_t unit = open > 1 && may_be_uneven(guest) ? MAX(guest->threads, 1) : 1;
        cell->takes_vcpus = takes;
        cell->vcpu_count = (uint32_t)(left / unit / open) * unit; /* what is left over goes to the later ones */
        left -= cell->vcpu_count;
        open--;
    }
}

static void share_memory(struct draft *draft, const struct guest *guest)
{
    uint64_t said = 0;
    uint32_t open = 0;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        if (has_own_memory(cell->said))
            said += cell->memory_bytes = cell->said->memory_bytes;
        else
            open++;
    }
    bool takes = guest->memory_bytes == SIZE_ALL;
    uint64_t left = !takes && guest->memory_bytes > said ? guest->memory_bytes - said : 0;
    for (uint32_t i = 0; open && i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        if (has_own_memory(cell->said))
            continue;
        uint64_t unit = open > 1 && may_be_uneven(guest) ? memory_unit(guest) : KIB;
        cell->takes_memory = takes;
        cell->memory_bytes = left / unit / open * unit;
        left -= cell->memory_bytes;
        open--;
    }
}

static const char *cell_name(struct arena *arena, uint32_t number)
{
    static const char *const few[] = { "0", "1", "2",  "3",  "4",  "5",  "6",  "7",
                                       "8", "9", "10", "11", "12", "13", "14", "15" };
    return number < G_N_ELEMENTS(few) ? few[number] : arena_printf(arena, "%u", number);
}

void draft_cells(struct arena *arena, struct draft *draft, const struct guest *guest, uint32_t count)
{
    draft->guest = guest;
    draft->cell_count = guest->cell_count ? guest->cell_count : count;
    draft->cells = arena_array(arena, struct draft_cell, draft->cell_count);
    draft->emulator_cpu = NO_INDEX;
    draft->threads = guest->threads ? guest->threads : 1;
    draft->scope = ANYWHERE;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        cell->said = guest->cell_count ? &guest->cells[i] : NULL;
        cell->name = cell->said ? cell->said->name : cell_name(arena, i);
        cell->locality = cell->said ? &cell->said->locality : &guest->locality;
        cell->page_bytes = cell->locality->page_bytes;
        bool own_within = cell->said && is_said(&cell->said->said, W_WITHIN);
        cell->within = own_within ? cell->locality->within : NO_LEVEL;
        cell->node = NO_INDEX;
        cell->own_scope = ANYWHERE;
    }
    share_vcpus(draft, guest);
    share_memory(draft, guest);
    draft_devices(arena, draft);
}

/* ---- numbers of vCPUs ------------------------------------------------------------------------------------------- */

static bool has_ids(const struct draft_cell *cell)
{
    return cell->said && cell->said->ids && cell->said->ids->plain;
}

/* The next free numbers, where some cells name theirs. */
static void number_between(struct arena *arena, struct draft *draft)
{
    hwloc_bitmap_t taken = hwloc_bitmap_alloc(), own = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < draft->cell_count; i++)
        if (has_ids(&draft->cells[i])) {
            draft->cells[i].vcpus = draft->cells[i].said->ids->plain;
            ids_add_to_bitmap(draft->cells[i].vcpus, taken);
        }
    int next = -1;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        if (has_ids(cell))
            continue;
        hwloc_bitmap_zero(own);
        for (uint32_t n = 0; n < cell->vcpu_count; n++) {
            next = hwloc_bitmap_next_unset(taken, next);
            hwloc_bitmap_set(own, (unsigned)next);
        }
        cell->vcpus = ids_from_bitmap(arena, own);
    }
    hwloc_bitmap_free(taken);
    hwloc_bitmap_free(own);
}

void number_vcpus(struct arena *arena, struct draft *draft)
{
    bool some_named = false;
    uint32_t next = 0;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        some_named |= has_ids(&draft->cells[i]);
        next += draft->cells[i].vcpu_count;
    }
    draft->vcpu_count = next;
    if (some_named) {
        number_between(arena, draft);
        return;
    }
    next = 0;
    for (uint32_t i = 0; i < draft->cell_count; i++) {
        struct draft_cell *cell = &draft->cells[i];
        cell->vcpus = cell->vcpu_count ? ids_from_range(arena, next, next + cell->vcpu_count - 1) : &ids_none;
        next += cell->vcpu_count;
    }
}

/* ---- cutting ---------------------------------------------------------------------------------------------------- */

bool divides(const struct guest *guest, uint32_t cells, uint32_t threads)
{
    if (guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL)
        return false;
    uint64_t page = memory_unit(guest);
    if (guest->vcpu_count % threads || guest->memory_bytes % page)
        return false;
    uint64_t cores = guest->vcpu_count / threads, pages = guest->memory_bytes / page;
    return may_be_uneven(guest) ? cores >= cells && pages >= cells : cores % cells == 0 && pages % cells == 0;
}
