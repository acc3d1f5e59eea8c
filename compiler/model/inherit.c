/* SPDX-License-Identifier: MIT
 *
 * Cells take from their guest what they do not say themselves.  A cell that says a word whole does not take the
 * children its guest gave that word.  And what then is left to numad.
 */
#include "model/binder.h"

#include <string.h>

/* The setting whose block a word stands in, among the words of a locality. */
static enum word_id owner_of(const struct word_row *row)
{
    switch (row->in) {
    case IN_NODE:
        return W_NODE;
    case IN_BACKING:
        return W_BACKING;
    case IN_ALLOCATION:
        return W_ALLOCATION;
    default:
        return row->id;
    }
}

static void copy_word(const struct word_row *row, const struct locality *from, struct locality *to)
{
    for (const struct column *column = row->arguments; column->name; column++) {
        size_t bytes = column_bytes(column);
        memcpy((char *)to + column->offset, (const char *)from + column->offset, bytes);
    }
    if (row->columns[0].name)
        memcpy((char *)to + row->table_offset, (const char *)from + row->table_offset, sizeof(struct list));
}

void inherit_locality(struct guest *guest)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; guest->cell_count && i < count; i++) {
        const struct word_row *row = &rows[i];
        if (row->object != OBJECT_LOCALITY || !is_said(&guest->said, row->id))
            continue;
        for (uint32_t c = 0; c < guest->cell_count; c++) {
            struct cell *cell = &guest->cells[c];
            if (is_said(&cell->said, row->id) || is_said(&cell->said, owner_of(row)))
                continue;
            copy_word(row, &guest->locality, &cell->locality);
            if (is_failed(&guest->said, row->id))
                said_mark(&cell->said, row->id, false);
        }
    }
}

/* ---- how many cells --------------------------------------------------------------------------------------------- */

/* Where a machine has no NUMA its guest is one cell, however large it is. */
void settle_cells(struct guest *guest)
{
    if (guest_architecture(guest)->lacks_cells && !guest->cell_count && !guest->cells_wanted)
        guest->cells_wanted = 1;
}

/* ---- numad ------------------------------------------------------------------------------------------------------ */

const struct set set_numad = { .text = "numad" };

static void settle_locality(struct locality *locality)
{
    locality->nodes_by_numad = locality->nodes == &set_numad;
    locality->cpus_by_numad = locality->cpus == &set_numad;
    locality->nodes = locality->nodes_by_numad ? NULL : locality->nodes;
    locality->cpus = locality->cpus_by_numad ? NULL : locality->cpus;
}

void settle_numad(struct guest *guest)
{
    settle_locality(&guest->locality);
    bool has_nodes = guest->locality.nodes;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        settle_locality(&guest->cells[c].locality);
        has_nodes |= guest->cells[c].locality.nodes != NULL;
    }
    guest->memory_by_numad = guest->locality.nodes_by_numad || (guest->locality.cpus_by_numad && !has_nodes);
}

bool cpus_are_by_numad(const struct guest *guest, uint32_t cell)
{
    const struct locality *locality = cell < guest->cell_count ? &guest->cells[cell].locality : &guest->locality;
    return !locality->cpus && (guest->locality.cpus_by_numad || guest->memory_by_numad);
}
