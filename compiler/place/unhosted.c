/* SPDX-License-Identifier: MIT
 *
 * A site that names no host: what it states in plain numbers is taken as stated, what it leaves open stays open, and
 * each word that only a host can answer is a finding.
 */
#include "place/draft.h"

static bool needs_host(struct placing *placing, struct span span, const char *what)
{
    struct finding *finding =
        report(placing->findings, NM_word_needs_host, span, "%s needs a host, and the site declares none", what);
    finding_help(placing->findings, finding,
                 "declare one: 'host NAME { topology \"FILE\" }', recorded with 'numac host record'");
    finding_help(placing->findings, finding, "give one for this run: '--host NAME=FILE'");
    return false;
}

/* Reading the set tells what is wrong with it. */
static bool plain_cpus(struct placing *placing, const struct set *set, struct span span)
{
    return !set || cpus_on_host(placing->arena, placing->findings, NULL, set, NULL, span);
}

static bool plain_nodes(struct placing *placing, const struct set *set, struct span span)
{
    return !set || nodes_on_host(placing->arena, placing->findings, NULL, set, span);
}

static bool check_guest(struct placing *placing, const struct guest *guest)
{
    bool fine = true;
    const struct pin_row *rows = guest->locality.pin_rows.items;
    if (guest->vcpu_count == COUNT_ALL)
        fine = needs_host(placing, placed_word_span(guest, W_GUEST_VCPUS, 1), "'vcpus all'");
    if (guest->memory_bytes == SIZE_ALL)
        fine = needs_host(placing, placed_word_span(guest, W_GUEST_MEMORY, 1), "'memory all'");
    if (guest->cells_wanted == CELLS_AUTO || guest->cells_wanted == CELLS_HOST)
        fine = needs_host(placing, placed_word_span(guest, W_GUEST_CELLS, 1),
                          guest->cells_wanted == CELLS_AUTO ? "'cells auto'" : "'cells host'");
    if (guest->hmat == HMAT_WORD_AUTO)
        fine = needs_host(placing, placed_word_span(guest, W_GUEST_HMAT, 1), "'hmat auto'");
    const struct shared_cache_row *caches = guest->shared_caches.items;
    for (uint32_t i = 0; i < guest->shared_caches.count; i++)
        if (caches[i].level == SHARED_WORD_HOST)
            fine = needs_host(placing, caches[i].span, "a cache that is shared as on the host");
    if (guest->emulator == EMULATOR_ISOLATE && !guest->emulator_cpus && !guest->emulator_nodes)
        fine = needs_host(placing, placed_word_span(guest, W_GUEST_EMULATOR, 1), "'emulator isolate'");
    fine &= plain_cpus(placing, guest->emulator_cpus, placed_word_span(guest, W_EMULATOR_CPUS, 1));
    if (guest->emulator_nodes)
        fine = needs_host(placing, placed_word_span(guest, W_EMULATOR_NODE, 1), "'emulator { node }'");
    fine &= plain_cpus(placing, guest->vhost_cpus, placed_word_span(guest, W_VHOST_CPUS, 1));
    if (guest->vhost_nodes)
        fine = needs_host(placing, placed_word_span(guest, W_VHOST_NODE, 1), "'vhost { node }'");
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        fine &= plain_cpus(placing, guest->iothreads[i].cpus, said_span(&guest->iothreads[i].said, W_IOTHREAD_CPUS, 1));
        if (guest->iothreads[i].nodes)
            fine = needs_host(placing, said_span(&guest->iothreads[i].said, W_IOTHREAD_NODE, 1), "'iothread { node }'");
    }
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        fine &= plain_nodes(placing, device->nodes, said_span(&device->said, W_MEMORY_DEVICE_NODE, 1));
        if (device->page_bytes == PAGES_LARGEST)
            fine = needs_host(placing, said_span(&device->said, W_MEMORY_DEVICE_PAGES, 1), "'pages largest'");
    }
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++)
        fine &= plain_cpus(placing, rows[r].cpus, rows[r].span);
    if (is_said(&guest->said, W_WITHIN))
        fine = needs_host(placing, placed_word_span(guest, W_WITHIN, 1), "'within'");
    return fine;
}

static bool check_cell(struct placing *placing, const struct guest *guest, const struct draft_cell *cell)
{
    bool fine = plain_nodes(placing, cell->locality->nodes, cell_span(guest, cell, W_NODE, 1));
    fine &= plain_cpus(placing, cell->locality->cpus, cell_span(guest, cell, W_CPUS, 1));
    if (!cell->locality->pin_rows.count && (cell->locality->pin == PIN_CPUS || cell->locality->pin == PIN_CORES))
        fine = needs_host(placing, cell_span(guest, cell, W_PIN, 1),
                          cell->locality->pin == PIN_CPUS ? "'pin cpus'" : "'pin cores'");
    if (cell->locality->page_bytes == PAGES_LARGEST)
        fine = needs_host(placing, cell_span(guest, cell, W_PAGES, 1), "'pages largest'");
    if (cell->within != NO_LEVEL)
        fine = needs_host(placing, cell_span(guest, cell, W_WITHIN, 1), "'within'");
    return fine;
}

static void take_table(struct placing *placing, struct draft *draft)
{
    const struct pin_row *rows = draft->guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < draft->guest->locality.pin_rows.count; r++) {
        uint32_t at = 0, size = ids_size(rows[r].cpus->plain);
        if (!rows[r].ids->plain)
            continue;
        for (ids_each(rows[r].ids->plain, vcpu)) {
            bool is_each = rows[r].each != EACH_UNSAID;
            uint32_t nth = is_each ? at++ : 0;
            if (vcpu >= draft->vcpu_count || nth >= size)
                continue;
            uint32_t number = ids_nth(rows[r].cpus->plain, nth);
            draft->vcpu_cpus[vcpu] = is_each ? ids_from_range(placing->arena, number, number) : rows[r].cpus->plain;
        }
    }
}

bool draft_unhosted(struct placing *placing, struct draft *draft, const struct guest *guest)
{
    bool fine = check_guest(placing, guest);
    draft_cells(placing->scratch, draft, guest, MAX(said_cells(guest), 1));
    for (uint32_t c = 0; c < draft->cell_count; c++)
        fine &= check_cell(placing, guest, &draft->cells[c]);
    if (!fine)
        return false;
    number_vcpus(placing->arena, draft);
    draft->vcpu_cpus = arena_array(placing->arena, const struct ids *, draft->vcpu_count);
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        cell->nodes = cell->locality->nodes ? cell->locality->nodes->plain : NULL;
        cell->allowed = cell->locality->cpus ? cell->locality->cpus->plain : NULL;
    }
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        struct draft_device *device = &draft->devices[i];
        device->memory.fixed = device->said->nodes ? device->said->nodes->plain : NULL;
    }
    take_table(placing, draft);
    draft->is_placed = true;
    return true;
}
