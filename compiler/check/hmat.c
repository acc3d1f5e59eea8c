/* SPDX-License-Identifier: MIT
 *
 * Rules about latencies, bandwidths and side caches as declared: libvirt accepts most of these mistakes, and QEMU then
 * refuses to start.
 */
#include "check/subject.h"

#include <string.h>

enum { LEVEL_MOST = HMAT_LEVEL_COUNT - 1, LINE_MOST = UINT16_MAX };

/* ---- all tables of a guest -------------------------------------------------------------------------------------- */

struct table { /* one `latency` or `bandwidth` that is said and sound */
    uint32_t cell;
    const struct said *said; /* of its block */
    enum word_id word;
    const struct list *rows; /* struct hmat_row */
    bool is_bandwidth;
};

static void each_of(const struct check *check, const struct guest *guest, struct table *table,
                    const struct hmat_values *values, enum word_id latency, enum word_id bandwidth,
                    void (*judge)(const struct check *, const struct guest *, const struct table *))
{
    const struct said *said = table->said;
    if (is_sound(said, latency)) {
        *table = (struct table){ table->cell, said, latency, &values->latencies, false };
        judge(check, guest, table);
    }
    if (is_sound(said, bandwidth)) {
        *table = (struct table){ table->cell, said, bandwidth, &values->bandwidths, true };
        judge(check, guest, table);
    }
}

static void each_table(const struct check *check, const struct guest *guest,
                       void (*judge)(const struct check *, const struct guest *, const struct table *))
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        struct table table = { .cell = c, .said = &cell->said };
        each_of(check, guest, &table, &cell->hmat, W_CELL_LATENCY, W_CELL_BANDWIDTH, judge);
        for (uint32_t i = 0; i < cell->hmat_cache_count; i++) {
            table.said = &cell->hmat_caches[i].said;
            each_of(check, guest, &table, &cell->hmat_caches[i].values, W_HMAT_CACHE_LATENCY, W_HMAT_CACHE_BANDWIDTH,
                    judge);
        }
    }
}

/* ---- initiators ------------------------------------------------------------------------------------------------- */

static bool lacks_vcpus(const struct cell *cell)
{
    return !cell->ids && is_sound(&cell->said, W_CELL_VCPUS) && !cell->vcpu_count;
}

static const struct cell *a_cell_with_vcpus(const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (!lacks_vcpus(&guest->cells[c]))
            return &guest->cells[c];
    return NULL;
}

static void judge_initiator(const struct check *check, const struct guest *guest, const char *label, struct span span)
{
    const struct cell *cell = find_cell(guest, label), *other = a_cell_with_vcpus(guest);
    struct finding *finding;
    if (!cell) {
        finding = report(check->findings, NM_hmat_cell, span, "guest '%s' has no cell '%s'", guest->name, label);
        finding_help(check->findings, finding, "write the label of one of its cells, as in '%s'", guest->cells[0].name);
    } else if (lacks_vcpus(cell)) {
        finding = report(check->findings, NM_initiator_without_vcpus, span,
                         "cell '%s' of guest '%s' has no vCPU that could access memory", label, guest->name);
        finding_label(check->findings, finding, said_span(&cell->said, W_CELL_VCPUS, 1), "no vCPUs");
        finding_note(check->findings, finding, "libvirt and QEMU refuse it");
        if (other)
            finding_help(check->findings, finding, "name a cell with vCPUs: '%s'", other->name);
    }
}

static void judge_row_initiators(const struct check *check, const struct guest *guest, const struct table *table)
{
    const struct hmat_row *rows = table->rows->items;
    for (uint32_t r = 0; r < table->rows->count; r++)
        judge_initiator(check, guest, rows[r].initiator, rows[r].span);
}

static void initiators_are_cells_with_vcpus(const struct check *check, const struct guest *guest)
{
    each_table(check, guest, judge_row_initiators);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (is_sound(&guest->cells[c].said, W_CELL_INITIATOR))
            judge_initiator(check, guest, guest->cells[c].initiator,
                            said_span(&guest->cells[c].said, W_CELL_INITIATOR, 1));
}

static void cells_with_vcpus_are_their_own_initiator(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        if (!is_sound(&cell->said, W_CELL_INITIATOR) || lacks_vcpus(cell) || strcmp(cell->initiator, cell->name) == 0 ||
            !find_cell(guest, cell->initiator) || is_failed(&cell->said, W_CELL_VCPUS))
            continue;
        struct finding *finding =
            report(check->findings, NM_initiator_of_other, said_span(&cell->said, W_CELL_INITIATOR, 1),
                   "cell '%s' of guest '%s' has vCPUs and another cell as its initiator", cell->name, guest->name);
        finding_note(check->findings, finding, "QEMU refuses it; libvirt has no word for it");
        finding_help(check->findings, finding, "remove 'initiator', or write 'vcpus 0' in the cell");
    }
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static void judge_zeros(const struct check *check, const struct guest *guest, const struct table *table)
{
    const struct hmat_row *rows = table->rows->items;
    for (uint32_t r = 0; r < table->rows->count; r++) {
        if (rows[r].read && rows[r].write)
            continue;
        struct finding *finding =
            report(check->findings, NM_hmat_zero, rows[r].span, "a %s of 0 from cell '%s' to cell '%s' of guest '%s'",
                   table->is_bandwidth ? "bandwidth" : "latency", rows[r].initiator, guest->cells[table->cell].name,
                   guest->name);
        finding_note(check->findings, finding, "to the guest a 0 in this table means that nobody knows");
        finding_help(check->findings, finding, "write the value, or remove the row");
    }
}

static void values_are_above_zero(const struct check *check, const struct guest *guest)
{
    each_table(check, guest, judge_zeros);
}

static void judge_memory(const struct check *check, const struct guest *guest, const struct table *table)
{
    const struct cell *cell = &guest->cells[table->cell];
    if (!is_sound(&cell->said, W_CELL_MEMORY) || cell->memory_bytes)
        return;
    struct finding *finding =
        report(check->findings, NM_hmat_without_memory, said_span(table->said, table->word, 0),
               "cell '%s' of guest '%s' has a %s and no memory", cell->name, guest->name, word_row(table->word)->word);
    finding_label(check->findings, finding, said_span(&cell->said, W_CELL_MEMORY, 1), "no memory");
    finding_help(check->findings, finding,
                 "say it in the cell whose memory it is about: the row names who accesses it");
}

static void values_are_of_memory(const struct check *check, const struct guest *guest)
{
    each_table(check, guest, judge_memory);
}

/* ---- side caches ------------------------------------------------------------------------------------------------ */

static const struct hmat_cache *cache_of_level(const struct cell *cell, uint32_t level)
{
    for (uint32_t i = 0; i < cell->hmat_cache_count; i++)
        if (cell->hmat_caches[i].level == level)
            return &cell->hmat_caches[i];
    return NULL;
}

static void judge_level(const struct check *check, const struct guest *guest, const struct cell *cell,
                        const struct hmat_cache *cache)
{
    struct finding *finding;
    if (!cache->level || cache->level > LEVEL_MOST) {
        finding = report(check->findings, NM_side_cache_level, cache->span,
                         "a side cache of level %u: levels are 1 to %d", cache->level, LEVEL_MOST);
        finding_note(check->findings, finding, "level 1 is the one next to the vCPUs");
        finding_help(check->findings, finding, "number the caches of the cell from 1");
    } else if (cache->level > 1 && !cache_of_level(cell, cache->level - 1)) {
        finding = report(check->findings, NM_side_cache_gap, cache->span,
                         "cell '%s' of guest '%s' has a side cache of level %u and none of level %u", cell->name,
                         guest->name, cache->level, cache->level - 1);
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        finding_help(check->findings, finding, "add 'hmat-cache %u', or number them from 1", cache->level - 1);
    }
}

static void side_caches_are_numbered(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (uint32_t i = 0; i < guest->cells[c].hmat_cache_count; i++)
            judge_level(check, guest, &guest->cells[c], &guest->cells[c].hmat_caches[i]);
}

static void judge_size(const struct check *check, const struct hmat_cache *cache, const struct hmat_cache *below)
{
    uint64_t least = below && is_sound(&below->said, W_HMAT_CACHE_SIZE) ? below->size_bytes : 0;
    if (!is_sound(&cache->said, W_HMAT_CACHE_SIZE) || cache->size_bytes > least)
        return;
    struct span span = said_span(&cache->said, W_HMAT_CACHE_SIZE, 1);
    struct finding *finding;
    if (!cache->size_bytes) {
        finding = report(check->findings, NM_side_cache_size, span, "a side cache of 0KiB holds nothing");
        finding_help(check->findings, finding, "write its size, or remove the cache");
        return;
    }
    finding =
        report(check->findings, NM_side_cache_size, span,
               "the side cache of level %u has %s, and the one of level %u below it %s", cache->level,
               size_text(check->arena, cache->size_bytes), below->level, size_text(check->arena, below->size_bytes));
    finding_label(check->findings, finding, said_span(&below->said, W_HMAT_CACHE_SIZE, 1), "the one below");
    finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
    finding_help(check->findings, finding, "make each level larger than the one below");
}

static void side_caches_grow(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        for (uint32_t i = 0; i < cell->hmat_cache_count; i++)
            judge_size(check, &cell->hmat_caches[i], cache_of_level(cell, cell->hmat_caches[i].level - 1));
    }
}

static void judge_completeness(const struct check *check, const struct guest *guest, const struct cell *cell,
                               const struct hmat_cache *cache)
{
    static const enum word_id needed[] = { W_HMAT_CACHE_SIZE, W_HMAT_CACHE_ASSOCIATIVITY, W_HMAT_CACHE_POLICY };
    g_autoptr(GString) missing = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!is_said(&cache->said, needed[i]))
            g_string_append_printf(missing, "%s'%s'", missing->len ? ", " : "", word_row(needed[i])->word);
    if (missing->len) {
        struct finding *finding =
            report(check->findings, NM_side_cache_incomplete, cache->span,
                   "the side cache of cell '%s' of guest '%s' lacks %s", cell->name, guest->name, missing->str);
        finding_help(check->findings, finding,
                     "write 'hmat-cache %u { size 16GiB; associativity direct; policy writeback }'", cache->level);
    }
    if (!is_sound(&cache->said, W_HMAT_CACHE_LINE) || (cache->line_bytes && cache->line_bytes <= LINE_MOST))
        return;
    struct finding *finding = report(check->findings, NM_side_cache_line, said_span(&cache->said, W_HMAT_CACHE_LINE, 1),
                                     "a line of %u bytes: it has 1 to %d", cache->line_bytes, LINE_MOST);
    finding_note(check->findings, finding, "the table that tells the guest has 16 bits for it");
    finding_help(check->findings, finding, "write 'line 64', or leave it out");
}

static void side_caches_say_all(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (uint32_t i = 0; i < guest->cells[c].hmat_cache_count; i++)
            judge_completeness(check, guest, &guest->cells[c], &guest->cells[c].hmat_caches[i]);
}

const struct model_rule hmat_rules[] = {
    { .name = "initiators-are-cells-with-vcpus",
      .source = "peers 71, 72",
      .of_whole = true,
      .run = initiators_are_cells_with_vcpus },
    { .name = "cells-with-vcpus-are-their-own-initiator",
      .source = "peers 73",
      .run = cells_with_vcpus_are_their_own_initiator },
    { .name = "values-are-above-zero", .source = "ACPI 5.2.27.4", .run = values_are_above_zero },
    { .name = "values-are-of-memory", .source = "ACPI 5.2.27.4", .run = values_are_of_memory },
    { .name = "side-caches-are-numbered", .source = "peers 81, 83", .of_whole = true, .run = side_caches_are_numbered },
    { .name = "side-caches-grow", .source = "peers 82", .of_whole = true, .run = side_caches_grow },
    { .name = "side-caches-say-all", .source = "peers 85", .of_whole = true, .run = side_caches_say_all },
    { 0 }
};
