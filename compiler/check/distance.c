/* SPDX-License-Identifier: MIT
 *
 * Rules about distances between cells: the matrix as declared, and against the host nodes chosen.
 */
#include "check/check.h"

#include <string.h>

enum { SELF = 10, LARGEST = 254, UNREACHABLE = 255 };

/* The cells a matrix is about; 0 where their number is not yet known. */
static uint32_t cells_of(const struct guest *guest)
{
    if (guest->cell_count)
        return guest->cell_count;
    bool counted = is_said(&guest->said, W_GUEST_CELLS) && !is_failed(&guest->said, W_GUEST_CELLS) &&
                   guest->cells_wanted < CELLS_HOST;
    return counted ? guest->cells_wanted : 0;
}

/* The position of the cell a row names; UINT32_MAX: no such cell. */
static uint32_t row_cell(const struct guest *guest, const char *label)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, label) == 0)
            return c;
    uint32_t cells = cells_of(guest);
    for (uint32_t c = 0; !guest->cell_count && c < cells; c++) {
        char name[16];
        g_snprintf(name, sizeof name, "%u", c);
        if (strcmp(name, label) == 0)
            return c;
    }
    return UINT32_MAX;
}

static bool has_matrix(const struct guest *guest)
{
    return is_said(&guest->said, W_GUEST_DISTANCES) && !is_failed(&guest->said, W_GUEST_DISTANCES) &&
           guest->distance_rows.count;
}

static bool has_number(const struct guest *guest)
{
    return is_said(&guest->said, W_GUEST_DISTANCES) && !is_failed(&guest->said, W_GUEST_DISTANCES) &&
           !guest->distance_rows.count && guest->distance != DISTANCE_AUTO;
}

static void rows_name_cells(const struct check *check, const struct guest *guest)
{
    const struct distance_row *rows = guest->distance_rows.items;
    if (!has_matrix(guest))
        return;
    for (uint32_t r = 0; r < guest->distance_rows.count; r++) {
        if (!cells_of(guest) || row_cell(guest, rows[r].cell) != UINT32_MAX)
            continue;
        struct finding *finding = report(check->findings, NM_distance_cell, rows[r].span, "guest '%s' has no cell '%s'",
                                         guest->name, rows[r].cell);
        finding_help(check->findings, finding,
                     guest->cell_count ? "write the label of one of its cells, as in 'cell %s'"
                                       : "cells made by 'cells N' are called 0, 1, and so on%s",
                     guest->cell_count ? guest->cells[0].name : "");
    }
}

static void a_matrix_has_cells(const struct check *check, const struct guest *guest)
{
    if (!has_matrix(guest) || cells_of(guest))
        return;
    struct finding *finding =
        report(check->findings, NM_distances_without_cells, said_span(&guest->said, W_GUEST_DISTANCES, 0),
               "guest '%s' has a matrix of distances and does not say its cells", guest->name);
    finding_help(check->findings, finding, "write 'cells %u' or the cells as blocks, or 'distances auto'",
                 guest->distance_rows.count);
}

static void matrices_are_complete(const struct check *check, const struct guest *guest)
{
    const struct distance_row *rows = guest->distance_rows.items;
    uint32_t cells = cells_of(guest);
    if (!has_matrix(guest) || !cells)
        return;
    for (uint32_t r = 0; r < guest->distance_rows.count; r++) {
        if (row_cell(guest, rows[r].cell) == UINT32_MAX)
            return;
        if (rows[r].values.count == cells)
            continue;
        bool is_over = rows[r].values.count > cells;
        struct span span = is_over ? listed_span(&rows[r].values, sizeof(uint32_t), cells) : rows[r].span;
        struct finding *finding =
            report(check->findings, NM_distance_count, span, "the row of cell '%s' has %u %s for %u cells",
                   rows[r].cell, rows[r].values.count, rows[r].values.count == 1 ? "distance" : "distances", cells);
        finding_help(check->findings, finding, "write one for each cell, in their order, as 'numactl -H' prints it");
        return;
    }
    if (guest->distance_rows.count == cells)
        return;
    struct finding *finding = report(check->findings, NM_distance_rows, said_span(&guest->said, W_GUEST_DISTANCES, 0),
                                     "the matrix has %u row%s for %u cells", guest->distance_rows.count,
                                     guest->distance_rows.count == 1 ? "" : "s", cells);
    finding_note(check->findings, finding,
                 "libvirt would fill the others with 10 and 20 without a word; QEMU would refuse");
    finding_help(check->findings, finding,
                 "write a row for each cell, or one number for all remote pairs: 'distances 21'");
}

static void report_range(const struct check *check, const struct span span, uint32_t value, const char *help)
{
    struct finding *finding =
        report(check->findings, NM_distance_range, span, "a distance of %u is out of range", value);
    finding_help(check->findings, finding, "%s", help);
}

/* One value of a row in the light of what it is about. */
static void check_value(const struct check *check, const struct guest *guest, const struct distance_row *row,
                        uint32_t from, uint32_t to, uint32_t value)
{
    struct finding *finding;
    struct span span = listed_span(&row->values, sizeof value, to);
    if (value < SELF || value > UNREACHABLE) {
        report_range(check, span, value,
                     "write 11 to 254 between cells, 10 from a cell to itself, 255 for unreachable");
    } else if (from == to && value != SELF) {
        finding = report(check->findings, NM_distance_self, span, "cell '%s' of guest '%s' is %u away from itself",
                         row->cell, guest->name, value);
        finding_help(check->findings, finding, "the distance of a cell to itself is 10: value %u of the row", to + 1);
    } else if (from != to && value == SELF) {
        finding = report(check->findings, NM_distance_remote, span,
                         "cell '%s' of guest '%s' is 10 away from another cell", row->cell, guest->name);
        finding_note(check->findings, finding, "10 means local: libvirt refuses it, QEMU lets it pass");
        finding_help(check->findings, finding, "write at least 11 as value %u of the row", to + 1);
    } else if (from != to && value == UNREACHABLE) {
        finding = report(check->findings, NM_distance_unreachable, span,
                         "cell '%s' of guest '%s' cannot reach another cell", row->cell, guest->name);
        finding_note(check->findings, finding,
                     "255 says that there is no way between the two; the guest may then leave that memory unused");
        finding_help(check->findings, finding, "write the real distance as value %u of the row", to + 1);
    }
}

static void values_fit_their_pair(const struct check *check, const struct guest *guest)
{
    const struct distance_row *rows = guest->distance_rows.items;
    if (has_number(guest) && (guest->distance <= SELF || guest->distance > LARGEST)) {
        if (guest->distance == SELF) {
            struct finding *finding =
                report(check->findings, NM_distance_remote, said_span(&guest->said, W_GUEST_DISTANCES, 1),
                       "the cells of guest '%s' are 10 away from each other", guest->name);
            finding_help(check->findings, finding, "write at least 11: 10 means local");
        } else {
            report_range(check, said_span(&guest->said, W_GUEST_DISTANCES, 1), guest->distance,
                         "write 11 to 254 for all pairs; cells that cannot reach each other stand in a matrix");
        }
    }
    for (uint32_t r = 0; has_matrix(guest) && r < guest->distance_rows.count; r++) {
        uint32_t from = row_cell(guest, rows[r].cell);
        const uint32_t *values = rows[r].values.items;
        for (uint32_t to = 0;
             from != UINT32_MAX && to < rows[r].values.count && rows[r].values.count == cells_of(guest); to++)
            check_value(check, guest, &rows[r], from, to, values[to]);
    }
}

const struct model_rule distance_rules[] = {
    { .name = "rows-name-cells", .source = "peers 61", .of_whole = true, .run = rows_name_cells },
    { .name = "a-matrix-has-cells", .source = "peers 61", .of_whole = true, .run = a_matrix_has_cells },
    { .name = "matrices-are-complete",
      .source = "peers 62, 64, 65, 66",
      .of_whole = true,
      .run = matrices_are_complete },
    { .name = "values-fit-their-pair", .source = "peers 56, 57, 58, 59, 60, 67", .run = values_fit_their_pair },
    { 0 }
};

/* ---- against the host nodes chosen ------------------------------------------------------------------------------ */

static const struct host_node *only_node(const struct planned_guest *planned, uint32_t cell)
{
    const struct ids *nodes = planned->plan->cells[cell].nodes;
    return nodes && ids_size(nodes) == 1 ? host_node(planned->host->facts, ids_first(nodes)) : NULL;
}

static uint32_t between(const struct planned_guest *planned, const struct host_node *a, const struct host_node *b)
{
    const struct host *facts = planned->host->facts;
    return host_distance(facts, (uint32_t)(a - facts->nodes), (uint32_t)(b - facts->nodes));
}

static void distances_follow_the_host(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t nearest = UINT32_MAX, farthest = 0;
    bool uniform = true,
         told = is_said(&planned->guest->said, W_GUEST_DISTANCES) && planned->guest->distance == DISTANCE_AUTO
                    ? planned->guest->distance_rows.count > 0
                    : is_said(&planned->guest->said, W_GUEST_DISTANCES);
    if (!plan->distances || !told || !planned->host || !planned->host->facts->distances || plan->cell_count < 3 ||
        plan->cell_count > 64)
        return;
    for (uint32_t a = 0; a < plan->cell_count; a++)
        for (uint32_t b = 0; b < plan->cell_count; b++) {
            const struct host_node *from = only_node(planned, a), *to = only_node(planned, b);
            if (!from || !to)
                return;
            uint32_t host = between(planned, from, to), said = plan->distances[a * plan->cell_count + b];
            if (a == b || from == to)
                continue;
            nearest = host < nearest ? host : nearest;
            farthest = host > farthest ? host : farthest;
            uniform &= said == plan->distances[1];
            for (uint32_t c = 0; c < plan->cell_count; c++) {
                const struct host_node *other = only_node(planned, c);
                if (!other || c == a || c == b || other == from || other == to)
                    continue;
                uint32_t host_other = between(planned, from, other),
                         said_other = plan->distances[a * plan->cell_count + c];
                if ((host < host_other) != (said < said_other) && host != host_other && said != said_other) {
                    struct finding *finding = report(
                        check->findings, NM_distance_inverted, said_span(&planned->guest->said, W_GUEST_DISTANCES, 0),
                        "cell '%s' of guest '%s' is told that '%s' is nearer than '%s', and on the host it is the "
                        "other way round",
                        plan->cells[a].name, plan->name, plan->cells[said < said_other ? b : c].name,
                        plan->cells[said < said_other ? c : b].name);
                    finding_note(check->findings, finding, "the host's distances are %u and %u", host, host_other);
                    finding_help(check->findings, finding, "write 'distances auto' to take the order of the host");
                    return;
                }
            }
        }
    if (!uniform || nearest >= farthest)
        return;
    struct finding *finding =
        report(check->findings, NM_distance_uniform, said_span(&planned->guest->said, W_GUEST_DISTANCES, 0),
               "all cells of guest '%s' are told the same distance, and their host nodes are %u to %u apart",
               plan->name, nearest, farthest);
    finding_help(check->findings, finding, "write 'distances auto' to tell the guest what the host has");
}

const struct plan_rule plan_distance_rules[] = {
    { .name = "distances-follow-the-host", .source = "peers 68, 69", .run = distances_follow_the_host }, { 0 }
};
