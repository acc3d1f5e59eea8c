/* SPDX-License-Identifier: MIT
 *
 * Answers that rules of several files need: totals that the words of a guest give, and which vCPUs have a CPU of
 * their own.  Reports nothing.
 */
#include "check/subject.h"

#include <string.h>

/* ---- as declared ------------------------------------------------------------------------------------------------ */

uint64_t declared_vcpus(const struct guest *guest)
{
    if (is_failed(&guest->said, W_GUEST_VCPUS))
        return 0;
    if (is_said(&guest->said, W_GUEST_VCPUS))
        return guest->vcpu_count == COUNT_ALL ? 0 : guest->vcpu_count;
    uint64_t sum = 0;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        if (cell->ids && !cell->ids->plain)
            return 0;
        if (cell->ids)
            sum += ids_size(cell->ids->plain);
        else if (is_said(&cell->said, W_CELL_VCPUS) && !is_failed(&cell->said, W_CELL_VCPUS))
            sum += cell->vcpu_count;
        else
            return 0;
    }
    return sum;
}

struct span vcpus_span(const struct guest *guest)
{
    return guest_word_span(guest, is_said(&guest->said, W_VCPUS_MAX) ? W_VCPUS_MAX : W_GUEST_VCPUS, 1);
}

const char *vcpus_word(const struct guest *guest)
{
    return is_said(&guest->said, W_VCPUS_MAX) ? "max" : "vcpus";
}

/* What the cells that say nothing share: the total less what the others say; 0 where unknown. */
static uint64_t open_share(const struct guest *guest)
{
    uint64_t said = 0;
    uint32_t open = 0;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        if (!is_said(&guest->cells[c].said, W_CELL_MEMORY))
            open++;
        else if (__builtin_add_overflow(said, guest->cells[c].memory_bytes, &said))
            return 0;
    }
    return open && guest->memory_bytes > said ? (guest->memory_bytes - said) / open : 0;
}

uint64_t declared_memory(const struct guest *guest, uint32_t cell)
{
    bool has_total = is_said(&guest->said, W_GUEST_MEMORY) && !is_failed(&guest->said, W_GUEST_MEMORY) &&
                     guest->memory_bytes != SIZE_ALL;
    if (cell < guest->cell_count && is_said(&guest->cells[cell].said, W_CELL_MEMORY))
        return is_failed(&guest->cells[cell].said, W_CELL_MEMORY) ? 0 : guest->cells[cell].memory_bytes;
    if (!has_total)
        return 0;
    if (guest->cell_count)
        return open_share(guest);
    bool has_cells = is_said(&guest->said, W_GUEST_CELLS);
    if (is_failed(&guest->said, W_GUEST_CELLS) ||
        (has_cells && (guest->cells_wanted >= CELLS_HOST || !guest->cells_wanted)))
        return 0;
    return has_cells ? guest->memory_bytes / guest->cells_wanted : guest->memory_bytes;
}

const struct cell *find_cell(const struct guest *guest, const char *label)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, label) == 0)
            return &guest->cells[c];
    return NULL;
}

const struct locality *locality_of(const struct guest *guest, uint32_t cell)
{
    return cell < guest->cell_count ? &guest->cells[cell].locality : &guest->locality;
}

uint32_t blocks_of(const struct guest *guest)
{
    return guest->cell_count ? guest->cell_count : 1;
}

/* A word in a block counts for the guest only where the cell does not say the word around it. */
static enum word_id opener_of(enum word_id word)
{
    switch ((unsigned)word_row(word)->in) {
    case IN_NODE:
        return W_NODE;
    case IN_BACKING:
        return W_BACKING;
    case IN_ALLOCATION:
        return W_ALLOCATION;
    default:
        return word;
    }
}

/* Who says a word for a cell; NULL: nobody. */
static const struct said *sayer(const struct guest *guest, uint32_t cell, enum word_id word)
{
    const struct said *own = cell < guest->cell_count ? &guest->cells[cell].said : NULL;
    if (own && is_said(own, word))
        return own;
    if (!is_said(&guest->said, word) || (own && is_said(own, opener_of(word))))
        return NULL;
    return &guest->said;
}

bool cell_has_word(const struct guest *guest, uint32_t cell, enum word_id word)
{
    return sayer(guest, cell, word) != NULL;
}

bool cell_word_failed(const struct guest *guest, uint32_t cell, enum word_id word)
{
    const struct said *said = sayer(guest, cell, word);
    return said && is_failed(said, word);
}

struct span cell_word(const struct guest *guest, uint32_t cell, enum word_id word, unsigned argument)
{
    const struct said *said = sayer(guest, cell, word);
    struct span span = said ? said_span(said, word, argument) : SPAN_NONE;
    if (said && !span.file)
        span = said_span(said, word, 0);
    if (!span.file)
        span = cell < guest->cell_count ? guest->cells[cell].span : guest->span;
    return span.file ? span : guest->span;
}

/* ---- as planned ------------------------------------------------------------------------------------------------- */

const struct host *facts_of(const struct planned_guest *planned)
{
    return planned->host ? planned->host->facts : NULL;
}

const char *cell_text(const struct check *check, const struct planned_guest *planned, uint32_t cell)
{
    const struct plan_guest *plan = planned->plan;
    if (plan->cell_count > 1 || planned->guest->cell_count)
        return arena_printf(check->arena, "cell '%s' of guest '%s'", plan->cells[cell].name, plan->name);
    return arena_printf(check->arena, "guest '%s'", plan->name);
}

static bool pins_each(const struct locality *locality)
{
    return !locality->pin_rows.count && (locality->pin == PIN_CPUS || locality->pin == PIN_CORES);
}

bool has_own_cpus(const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    bool guest_pins = is_said(&guest->said, W_PIN);
    if (guest_pins && guest->locality.pin_rows.count)
        return true;
    for (uint32_t c = 0; c < blocks_of(guest); c++)
        if ((guest_pins || (c < guest->cell_count && is_said(&guest->cells[c].said, W_PIN))) &&
            pins_each(locality_of(guest, c)))
            return true;
    return false;
}

static void own_by_table(const struct planned_guest *planned, uint32_t *own)
{
    const struct plan_guest *plan = planned->plan;
    const struct pin_row *rows = planned->guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < planned->guest->locality.pin_rows.count; r++) {
        const struct ids *ids = rows[r].ids->plain;
        if (!ids || (rows[r].each == EACH_UNSAID && ids_size(ids) > 1))
            continue;
        for (ids_each(ids, vcpu)) {
            const struct ids *cpus = vcpu < plan->vcpu_count ? plan->vcpu_cpus[vcpu] : NULL;
            if (cpus && ids_size(cpus) == 1)
                own[vcpu] = ids_first(cpus);
        }
    }
}

const uint32_t *find_own_cpus(struct arena *arena, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->vcpu_count || !has_own_cpus(planned))
        return NULL;
    uint32_t *own = arena_array(arena, uint32_t, plan->vcpu_count);
    memset(own, 0xff, plan->vcpu_count * sizeof *own);
    own_by_table(planned, own);
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        if (!pins_each(locality_of(planned->guest, c)))
            continue;
        for (ids_each(plan->cells[c].vcpus, vcpu))
            if (vcpu < plan->vcpu_count && plan->vcpu_cpus[vcpu] && ids_size(plan->vcpu_cpus[vcpu]) == 1)
                own[vcpu] = ids_first(plan->vcpu_cpus[vcpu]);
    }
    return own;
}

uint32_t cell_of_vcpu(const struct plan_guest *plan, uint32_t vcpu)
{
    for (uint32_t c = 0; c < plan->cell_count; c++)
        if (ids_contains(plan->cells[c].vcpus, vcpu))
            return c;
    return NO_INDEX;
}

struct span vcpu_span(const struct planned_guest *planned, uint32_t vcpu)
{
    const struct guest *guest = planned->guest;
    const struct pin_row *rows = guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++)
        if (rows[r].ids->plain && ids_contains(rows[r].ids->plain, vcpu))
            return rows[r].span;
    uint32_t cell = cell_of_vcpu(planned->plan, vcpu);
    if (cell == NO_INDEX)
        return guest->span;
    if (cell_has_word(guest, cell, W_CPUS))
        return cell_word(guest, cell, W_CPUS, 1);
    return cell_word(guest, cell, W_PIN, 1);
}

const struct memory_device *said_memory_device(const struct planned_guest *planned, uint32_t number)
{
    const struct guest *guest = planned->guest;
    const struct plan_memory_device *device = &planned->plan->memory_devices[number];
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (strcmp(guest->memory_devices[i].name, device->memory.name) == 0 &&
            strcmp(word_row(guest->memory_devices[i].model)->word, memory_model_word(device->model)) == 0)
            return &guest->memory_devices[i];
    bug("a memory device that nobody said");
}
