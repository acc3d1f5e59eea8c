/* SPDX-License-Identifier: MIT
 *
 * Cells, which a guest's XML writes out one by one, into what they have in common: numbers that follow from the order,
 * words that all of them say, even shares.  Each step leaves the plan as it was.
 */
#include "import/parts.h"

#include <string.h>

#define each_cell(guest, cell)                             \
    struct line *cell = line_find((guest)->lines, "cell"); \
    cell;                                                  \
    cell = line_find(cell->next, "cell")

static uint64_t cell_count(const struct guest_lines *guest)
{
    return lines_count(guest->lines, "cell");
}

/* What a step may fold has one argument and no block. */
static const char *plain_value(const struct line *list, const char *word)
{
    const struct line *line = line_find((struct line *)(uintptr_t)list, word);
    return line && !line->children && lines_count(list, word) == 1 ? line_argument(line) : NULL;
}

/* ---- ids -------------------------------------------------------------------------------------------------------- */

/* Where cells count on from one another, the numbers of their vCPUs say no more than how many there are. */
void fold_ids(struct guest_lines *guest)
{
    uint64_t next = 0;
    for (each_cell(guest, cell)) {
        const char *text = plain_value(cell->children, "ids"), *count = plain_value(cell->children, "vcpus");
        const struct ids *ids = text ? text_set(guest->arena, text) : NULL;
        uint64_t number;
        if (!text && count && text_number(count, &number)) {
            next += number;
            continue;
        }
        if (!ids || count || ids->count != 1 || ids_first(ids) != next)
            return;
        next = ids_last(ids) + (uint64_t)1;
    }
    for (each_cell(guest, cell)) {
        struct line *ids = line_find(cell->children, "ids");
        if (!ids)
            continue;
        uint32_t size = ids_size(text_set(guest->arena, ids->arguments[0]));
        ids->word = "vcpus";
        ids->arguments[0] = arena_printf(guest->arena, "%u", size);
    }
}

/* ---- words that cells inherit ----------------------------------------------------------------------------------- */

static const struct line *said_by_all(const struct guest_lines *guest, const char *word)
{
    const struct line *first = NULL;
    for (each_cell(guest, cell)) {
        const struct line *said = line_the_only(cell->children, word);
        if (!said || (first && !line_same(first, said)))
            return NULL;
        first = said;
    }
    return first;
}

static void drop_from_cells(struct guest_lines *guest, const struct line *said)
{
    for (each_cell(guest, cell)) {
        struct line *own = line_the_only(cell->children, said->word);
        if (own && line_same(own, said))
            line_drop(&cell->children, own);
    }
}

/* Memory of virtio-pmem is of no cell, and has from the guest how it is taken: that must not become another. */
static bool is_of_cells_alone(const struct guest_lines *guest, const char *word)
{
    static const char *const words[] = { "allocation", "dump", "reserve", "ksm" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(word, words[i]) == 0)
            return line_find(guest->lines, "virtio-pmem");
    return false;
}

void fold_inherited(struct guest_lines *guest)
{
    static const char *const words[] = { "node",       "cpus",    "pages", "backing", "access",
                                         "allocation", "discard", "dump",  "reserve", "ksm" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        const struct line *guests = line_find(guest->lines, words[i]);
        if (!guests && !is_of_cells_alone(guest, words[i]) && (guests = said_by_all(guest, words[i]))) {
            struct line *copy = line_new(guest->arena, words[i], NULL);
            *copy = *guests;
            guests = line_add(&guest->lines, copy);
        }
        if (guests && lines_count(guest->lines, words[i]) == 1)
            drop_from_cells(guest, guests);
    }
}

/* ---- even shares ------------------------------------------------------------------------------------------------ */

/* The number that all cells say with a word, or 0. */
static uint64_t equal_number(const struct guest_lines *guest, const char *word,
                             bool (*read)(const char *text, uint64_t *out_number))
{
    uint64_t all = 0, number;
    for (each_cell(guest, cell)) {
        const char *text = plain_value(cell->children, word);
        if (!text || !read(text, &number) || (all && number != all))
            return 0;
        all = number;
        if (!all)
            return 0;
    }
    return all;
}

static void drop_word(struct guest_lines *guest, const char *word)
{
    for (each_cell(guest, cell))
        line_drop(&cell->children, line_find(cell->children, word));
}

static void share_memory(struct guest_lines *guest)
{
    uint64_t kib = equal_number(guest, "memory", text_kib), total;
    struct line *said = line_find(guest->lines, "memory"); /* of growth alone it takes the sum */
    if (!kib || (said && said->count) || __builtin_mul_overflow(kib, cell_count(guest), &total) ||
        total > UINT64_MAX / KIB)
        return;
    drop_word(guest, "memory");
    struct line *line = line_new(guest->arena, "memory", arena_printf(guest->arena, "%" G_GUINT64_FORMAT "KiB", total));
    if (said) {
        said->arguments = line->arguments;
        said->count = line->count;
    } else {
        line_add(&guest->lines, line);
    }
}

static uint64_t threads_of(const struct line *vcpus)
{
    uint64_t threads = 1;
    const char *said = vcpus ? plain_value(vcpus->children, "threads") : NULL;
    return said && text_number(said, &threads) && threads ? threads : 1;
}

/* Whole cores are shared out, so that an odd number of threads must stay said. */
static void share_vcpus(struct guest_lines *guest)
{
    uint64_t each = equal_number(guest, "vcpus", text_number), cells = cell_count(guest), total;
    struct line *vcpus = line_find(guest->lines, "vcpus");
    if (!each || !vcpus || lines_count(guest->lines, "vcpus") > 1 || each % threads_of(vcpus) ||
        !vcpus_total(vcpus, &total) || total != each * cells)
        return;
    drop_word(guest, "vcpus");
}

void fold_shares(struct guest_lines *guest)
{
    share_memory(guest);
    share_vcpus(guest);
}

void fold_cells(struct guest_lines *guest)
{
    uint64_t position = 0;
    for (each_cell(guest, cell)) {
        g_autofree char *label = g_strdup_printf("%" G_GUINT64_FORMAT, position++);
        if (cell->children || cell->count != 1 || strcmp(cell->arguments[0], label) != 0)
            return;
    }
    if (!position)
        return;
    for (struct line *cell; (cell = line_find(guest->lines, "cell"));)
        line_drop(&guest->lines, cell);
    line_add(&guest->lines,
             line_new(guest->arena, "cells", arena_printf(guest->arena, "%" G_GUINT64_FORMAT, position)));
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

/* The one distance of all remote pairs where each cell is 10 from itself; NULL where they differ. */
static const char *uniform_distance(const struct line *distances)
{
    const char *remote = NULL;
    unsigned row_number = 0;
    for (const struct line *row = distances->children; row; row = row->next, row_number++)
        for (unsigned column = 0; column < row->count; column++) {
            const char *value = row->arguments[column];
            if (column == row_number ? strcmp(value, "10") != 0 : remote && strcmp(value, remote) != 0)
                return NULL;
            if (column != row_number)
                remote = value;
        }
    return remote;
}

/* 20 is what numac gives cells without a host, and libvirt and QEMU those without distances. */
void fold_distances(struct guest_lines *guest)
{
    struct line *distances = line_find(guest->lines, "distances");
    if (!distances || distances->count || lines_count(guest->lines, "distances") > 1)
        return;
    const char *remote = uniform_distance(distances);
    if (!remote && cell_count(guest) == 1 && line_argument(distances->children) &&
        strcmp(distances->children->arguments[0], "10") == 0)
        remote = "20"; /* of none */
    if (!remote) {
        distances->is_tall = cell_count(guest) > 2;
        return;
    }
    line_drop(&guest->lines, distances);
    if (strcmp(remote, "20") != 0)
        line_add(&guest->lines, line_new(guest->arena, "distances", remote));
}
