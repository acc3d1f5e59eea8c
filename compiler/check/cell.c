/* SPDX-License-Identifier: MIT
 *
 * Rules about cells as declared: labels, which vCPU is where, totals and even shares.  libvirt and QEMU repair most of
 * these in silence, each in its own way.
 */
#include "check/subject.h"

#include <stdlib.h>
#include <string.h>

enum { CELL_LIMIT = 128 }; /* QEMU: MAX_NODES */

/* ---- how many --------------------------------------------------------------------------------------------------- */

static void cells_are_at_most_128(const struct check *check, const struct guest *guest)
{
    bool from_word = is_said(&guest->said, W_GUEST_CELLS) && guest->cells_wanted < CELLS_HOST;
    uint32_t count = from_word && guest->cells_wanted > guest->cell_count ? guest->cells_wanted : guest->cell_count;
    if (count <= CELL_LIMIT)
        return;
    struct span span = from_word ? said_span(&guest->said, W_GUEST_CELLS, 1) : guest->cells[CELL_LIMIT].span;
    struct finding *finding =
        report(check->findings, NM_too_many_cells, span, "guest '%s' has %u cells, and QEMU takes at most %d",
               guest->name, count, CELL_LIMIT);
    finding_note(check->findings, finding, "libvirt would accept the definition; QEMU would refuse to start");
    finding_help(check->findings, finding, "use fewer, larger cells");
}

static void cells_are_not_zero(const struct check *check, const struct guest *guest)
{
    if (!is_said(&guest->said, W_GUEST_CELLS) || is_failed(&guest->said, W_GUEST_CELLS) || guest->cells_wanted)
        return;
    struct finding *finding = report(check->findings, NM_no_cells, said_span(&guest->said, W_GUEST_CELLS, 1),
                                     "guest '%s' has 0 cells", guest->name);
    finding_help(check->findings, finding, "write 1 or more, or leave 'cells' out");
}

static void cells_word_agrees_with_blocks(const struct check *check, const struct guest *guest)
{
    if (!is_said(&guest->said, W_GUEST_CELLS) || is_failed(&guest->said, W_GUEST_CELLS) || !guest->cell_count ||
        !guest->cells_wanted || guest->cells_wanted == guest->cell_count)
        return;
    struct finding *finding = report(check->findings, NM_cells_and_blocks, said_span(&guest->said, W_GUEST_CELLS, 1),
                                     "'cells' disagrees with the %u cell block%s of guest '%s'", guest->cell_count,
                                     guest->cell_count == 1 ? "" : "s", guest->name);
    finding_label(check->findings, finding, guest->cells[0].span, "the first block");
    finding_help(check->findings, finding, "remove 'cells': the blocks say how many there are");
}

static void integer_labels_are_positions(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const char *label = guest->cells[c].name;
        if (!g_ascii_isdigit(label[0]) || strtoul(label, NULL, 10) == c)
            continue;
        struct finding *finding = report(check->findings, NM_cell_label, guest->cells[c].span,
                                         "cell '%s' of guest '%s' is cell number %u", label, guest->name, c);
        finding_note(check->findings, finding,
                     "the guest numbers its cells in the order of the blocks, from 0 and without gaps");
        finding_help(check->findings, finding, "write 'cell %u { ... }', reorder the blocks, or give it a name", c);
        return; /* the ones behind it are off for the same reason */
    }
}

static uint32_t cells_with_vcpus(const struct guest *guest)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < guest->cell_count; c++)
        count += !(is_said(&guest->cells[c].said, W_CELL_VCPUS) && guest->cells[c].vcpu_count == 0);
    return count;
}

static void guests_have_no_more_cells_than_vcpus(const struct check *check, const struct guest *guest)
{
    uint32_t with_vcpus;
    if (!is_said(&guest->said, W_GUEST_VCPUS) || is_failed(&guest->said, W_GUEST_VCPUS) ||
        guest->vcpu_count == COUNT_ALL || !guest->vcpu_count)
        return;
    with_vcpus = cells_with_vcpus(guest);
    bool from_word = !guest->cell_count && is_said(&guest->said, W_GUEST_CELLS) && guest->cells_wanted < CELLS_HOST;
    uint32_t cells = from_word ? guest->cells_wanted : with_vcpus;
    if (cells <= guest->vcpu_count || cells > CELL_LIMIT)
        return;
    struct finding *finding =
        report(check->findings, NM_more_cells_than_vcpus, vcpus_span(guest), "guest '%s' has %u cells for %u vCPU%s",
               guest->name, cells, guest->vcpu_count, guest->vcpu_count == 1 ? "" : "s");
    finding_help(check->findings, finding,
                 "write at least %u vCPUs, or say 'vcpus 0' in the cells that have memory only", cells);
}

/* ---- vCPUs ------------------------------------------------------------------------------------------------------ */

struct vcpu_shares { /* what the cells of a guest say of vCPUs */
    uint64_t said;
    uint32_t open; /* cells that say nothing */
    bool usable;
};

static struct vcpu_shares vcpu_shares(const struct guest *guest)
{
    struct vcpu_shares shares = { .usable = guest->cell_count && !is_failed(&guest->said, W_GUEST_VCPUS) &&
                                            guest->vcpu_count != COUNT_ALL };
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        shares.usable &= !is_failed(&cell->said, W_CELL_VCPUS) && !is_failed(&cell->said, W_CELL_IDS) &&
                         !(cell->ids && !cell->ids->plain);
        if (!shares.usable)
            break;
        if (cell->ids)
            shares.said += ids_size(cell->ids->plain);
        else if (is_said(&cell->said, W_CELL_VCPUS))
            shares.said += cell->vcpu_count;
        else
            shares.open++;
    }
    return shares;
}

static void cells_say_vcpus_or_ids(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct said *said = &guest->cells[c].said;
        if (!is_said(said, W_CELL_VCPUS) || !is_said(said, W_CELL_IDS))
            continue;
        struct finding *finding = report(check->findings, NM_vcpus_and_ids, said_span(said, W_CELL_IDS, 0),
                                         "cell '%s' says both 'vcpus' and 'ids'", guest->cells[c].name);
        finding_label(check->findings, finding, said_span(said, W_CELL_VCPUS, 0), "the count");
        finding_help(check->findings, finding, "keep 'vcpus' for a number of them, or 'ids' for certain ones");
    }
}

static void ids_need_a_known_count(const struct check *check, const struct guest *guest)
{
    if (guest->vcpu_count != COUNT_ALL || is_failed(&guest->said, W_GUEST_VCPUS))
        return;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct said *said = &guest->cells[c].said;
        if (!is_said(said, W_CELL_IDS) || is_failed(said, W_CELL_IDS))
            continue;
        struct finding *finding = report(check->findings, NM_ids_of_unknown_count, said_span(said, W_CELL_IDS, 1),
                                         "cell '%s' names vCPUs, and how many guest '%s' has is not known",
                                         guest->cells[c].name, guest->name);
        finding_label(check->findings, finding, vcpus_span(guest), "as many as the host has left");
        finding_help(check->findings, finding, "write a number in place of 'all', or leave 'ids' out");
        return; /* the other cells are wrong for the same reason */
    }
}

static void vcpus_are_in_one_cell(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (uint32_t before = 0; before < c; before++) {
            const struct set *mine = guest->cells[c].ids, *theirs = guest->cells[before].ids;
            if (!mine || !theirs || !mine->plain || !theirs->plain || !ids_overlap(mine->plain, theirs->plain))
                continue;
            uint32_t shared = ids_first(mine->plain);
            for (ids_each(mine->plain, vcpu))
                if (ids_contains(theirs->plain, vcpu)) {
                    shared = vcpu;
                    break;
                }
            struct finding *finding = report(
                check->findings, NM_vcpu_in_two_cells, said_span(&guest->cells[c].said, W_CELL_IDS, 1),
                "vCPU %u is in cell '%s' and in cell '%s'", shared, guest->cells[before].name, guest->cells[c].name);
            finding_label(check->findings, finding, said_span(&guest->cells[before].said, W_CELL_IDS, 1), "also here");
            finding_help(check->findings, finding, "leave it in one of the two");
            return;
        }
}

static void vcpus_are_below_the_count(const struct check *check, const struct guest *guest)
{
    struct vcpu_shares shares = vcpu_shares(guest);
    bool has_total = is_said(&guest->said, W_GUEST_VCPUS);
    uint64_t total = has_total ? guest->vcpu_count : shares.said;
    if (!shares.usable || (shares.open && !has_total))
        return;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct set *ids = guest->cells[c].ids;
        if (!ids || ids_last(ids->plain) < total)
            continue;
        struct finding *finding =
            report(check->findings, NM_vcpu_beyond_count, said_span(&guest->cells[c].said, W_CELL_IDS, 1),
                   "cell '%s' names vCPU %u, and guest '%s' has %" G_GUINT64_FORMAT ", numbered from 0",
                   guest->cells[c].name, ids_last(ids->plain), guest->name, total);
        if (has_total)
            finding_label(check->findings, finding, vcpus_span(guest), "%u vCPUs", guest->vcpu_count);
        finding_help(check->findings, finding, "lower the number, or raise '%s' to %u", vcpus_word(guest),
                     ids_last(ids->plain) + 1);
        return;
    }
}

static bool ids_are_sound(const struct guest *guest, uint64_t total)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        if (guest->cells[c].ids && ids_last(guest->cells[c].ids->plain) >= total)
            return false;
        for (uint32_t before = 0; guest->cells[c].ids && before < c; before++)
            if (guest->cells[before].ids && ids_overlap(guest->cells[c].ids->plain, guest->cells[before].ids->plain))
                return false;
        if (is_said(&guest->cells[c].said, W_CELL_VCPUS) && is_said(&guest->cells[c].said, W_CELL_IDS))
            return false;
    }
    return true;
}

static void cells_cover_all_vcpus(const struct check *check, const struct guest *guest)
{
    struct vcpu_shares shares = vcpu_shares(guest);
    uint64_t total = guest->vcpu_count;
    if (!shares.usable || !is_said(&guest->said, W_GUEST_VCPUS) || !ids_are_sound(guest, total))
        return;
    struct span span = vcpus_span(guest);
    struct finding *finding = NULL;
    if (shares.said > total) {
        finding = report(check->findings, NM_vcpus_total_differs, span,
                         "guest '%s' has %" G_GUINT64_FORMAT " vCPUs, and its cells have %" G_GUINT64_FORMAT,
                         guest->name, total, shares.said);
        finding_help(check->findings, finding, "write '%s %" G_GUINT64_FORMAT "', or lower a cell", vcpus_word(guest),
                     shares.said);
    } else if (shares.said < total && !shares.open) {
        finding = report(check->findings, NM_vcpu_in_no_cell, span,
                         "guest '%s' has %" G_GUINT64_FORMAT " vCPUs, and its cells hold only %" G_GUINT64_FORMAT,
                         guest->name, total, shares.said);
        finding_note(check->findings, finding,
                     "libvirt would put the others into cell 0 without a word; QEMU would warn and do the same");
        finding_help(check->findings, finding,
                     "write '%s %" G_GUINT64_FORMAT "', or give a cell the missing %" G_GUINT64_FORMAT,
                     vcpus_word(guest), shares.said, total - shares.said);
    } else if (shares.open && (total - shares.said) % shares.open && cells_with_vcpus(guest) <= total) {
        finding = report(check->findings, NM_vcpus_not_divisible, span,
                         "%" G_GUINT64_FORMAT " vCPUs do not divide evenly over %u cells of guest '%s'",
                         total - shares.said, shares.open, guest->name);
        finding_help(check->findings, finding, "say 'vcpus' in each cell, or take a multiple of %u", shares.open);
    }
    if (finding && guest->cell_count <= 3 && !shares.open)
        for (uint32_t c = 0; c < guest->cell_count; c++) {
            enum word_id word = guest->cells[c].ids ? W_CELL_IDS : W_CELL_VCPUS;
            finding_label(check->findings, finding, said_span(&guest->cells[c].said, word, 1), "%u in cell '%s'",
                          guest->cells[c].ids ? ids_size(guest->cells[c].ids->plain) : guest->cells[c].vcpu_count,
                          guest->cells[c].name);
        }
}

static void equal_cells_divide_vcpus(const struct check *check, const struct guest *guest)
{
    if (guest->cell_count || !is_said(&guest->said, W_GUEST_CELLS) || is_failed(&guest->said, W_GUEST_CELLS) ||
        !guest->cells_wanted || guest->cells_wanted > CELL_LIMIT)
        return;
    if (!is_said(&guest->said, W_GUEST_VCPUS) || is_failed(&guest->said, W_GUEST_VCPUS) ||
        guest->vcpu_count == COUNT_ALL || guest->vcpu_count < guest->cells_wanted ||
        guest->vcpu_count % guest->cells_wanted == 0)
        return;
    struct finding *finding = report(check->findings, NM_vcpus_not_divisible, vcpus_span(guest),
                                     "%u vCPUs do not divide evenly over %u cells of guest '%s'", guest->vcpu_count,
                                     guest->cells_wanted, guest->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_CELLS, 1), "%u equal cells",
                  guest->cells_wanted);
    finding_help(check->findings, finding, "take a multiple of %u, or write the cells as blocks", guest->cells_wanted);
}

static void guests_have_vcpus(const struct check *check, const struct guest *guest)
{
    if (is_failed(&guest->said, W_GUEST_VCPUS))
        return;
    struct vcpu_shares shares = vcpu_shares(guest);
    if (guest->cell_count && !shares.usable)
        return;
    bool has_total = is_said(&guest->said, W_GUEST_VCPUS);
    struct finding *finding = NULL;
    if (has_total && guest->vcpu_count == 0)
        finding = report(check->findings, NM_no_vcpus, vcpus_span(guest), "guest '%s' has 0 vCPUs", guest->name);
    else if (!has_total && !guest->cell_count)
        finding = report(check->findings, NM_no_vcpus, guest->span, "guest '%s' says no 'vcpus'", guest->name);
    else if (!has_total && shares.open) {
        uint32_t c = 0;
        while (guest->cells[c].ids || is_said(&guest->cells[c].said, W_CELL_VCPUS))
            c++;
        finding = report(check->findings, NM_no_vcpus, guest->cells[c].span,
                         "cell '%s' says no 'vcpus', and guest '%s' gives no total to share", guest->cells[c].name,
                         guest->name);
    } else if (!has_total && !shares.said) {
        finding = report(check->findings, NM_no_vcpus, guest->span, "no cell of guest '%s' has a vCPU", guest->name);
    }
    if (finding && guest->cell_count && !shares.open)
        finding_help(check->findings, finding, "write 'vcpus 4' in a cell");
    else if (finding)
        finding_help(check->findings, finding, "write 'vcpus 4' in the guest");
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

struct memory_shares {
    uint64_t said_bytes;
    uint32_t open;
    bool usable;
};

static struct memory_shares memory_shares(const struct guest *guest)
{
    struct memory_shares shares = { .usable = guest->cell_count && !is_failed(&guest->said, W_GUEST_MEMORY) &&
                                              guest->memory_bytes != SIZE_ALL };
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        shares.usable &= !is_failed(&cell->said, W_CELL_MEMORY);
        if (!is_said(&cell->said, W_CELL_MEMORY))
            shares.open++;
        else
            shares.usable &= !__builtin_add_overflow(shares.said_bytes, cell->memory_bytes, &shares.said_bytes);
    }
    return shares;
}

static void cells_sum_to_the_memory(const struct check *check, const struct guest *guest)
{
    struct memory_shares shares = memory_shares(guest);
    if (!shares.usable || !is_said(&guest->said, W_GUEST_MEMORY))
        return;
    uint64_t total = guest->memory_bytes;
    struct span span = said_span(&guest->said, W_GUEST_MEMORY, 1);
    struct finding *finding = NULL;
    if (shares.said_bytes > total || (!shares.open && shares.said_bytes != total) ||
        (shares.open && shares.said_bytes == total)) {
        finding = report(check->findings, NM_memory_total_differs, span, "guest '%s' has %s, and its cells %s %s",
                         guest->name, size_text(check->arena, total), shares.open ? "take" : "come to",
                         size_text(check->arena, shares.said_bytes));
        finding_note(check->findings, finding,
                     "libvirt would replace the total by the sum without a word; QEMU would refuse to start");
        if (shares.open)
            finding_help(check->findings, finding, "raise the total: cells without 'memory' share what is left");
        else
            finding_help(check->findings, finding, "write 'memory %s', or leave the total out",
                         size_text(check->arena, shares.said_bytes));
    } else if (shares.open && (total - shares.said_bytes) % (shares.open * KIB)) {
        finding = report(check->findings, NM_memory_not_divisible, span,
                         "%s do not divide evenly over %u cells of guest '%s'",
                         size_text(check->arena, total - shares.said_bytes), shares.open, guest->name);
        finding_help(check->findings, finding, "say 'memory' in each cell, or take a multiple");
    }
    if (finding && guest->cell_count <= 3 && !shares.open)
        for (uint32_t c = 0; c < guest->cell_count; c++)
            finding_label(check->findings, finding, said_span(&guest->cells[c].said, W_CELL_MEMORY, 1), "cell '%s'",
                          guest->cells[c].name);
}

static void equal_cells_divide_memory(const struct check *check, const struct guest *guest)
{
    if (guest->cell_count || !is_said(&guest->said, W_GUEST_CELLS) || is_failed(&guest->said, W_GUEST_CELLS) ||
        !guest->cells_wanted || guest->cells_wanted > CELL_LIMIT)
        return;
    uint64_t share = guest->cells_wanted * KIB;
    if (!is_said(&guest->said, W_GUEST_MEMORY) || is_failed(&guest->said, W_GUEST_MEMORY) ||
        guest->memory_bytes == SIZE_ALL || guest->memory_bytes % share == 0)
        return;
    struct finding *finding =
        report(check->findings, NM_memory_not_divisible, said_span(&guest->said, W_GUEST_MEMORY, 1),
               "%s do not divide evenly over %u cells of guest '%s'", size_text(check->arena, guest->memory_bytes),
               guest->cells_wanted, guest->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_CELLS, 1), "%u equal cells",
                  guest->cells_wanted);
    finding_help(check->findings, finding, "take a multiple of %s, or write the cells as blocks",
                 size_text(check->arena, share));
}

static void guests_have_memory(const struct check *check, const struct guest *guest)
{
    if (is_failed(&guest->said, W_GUEST_MEMORY))
        return;
    struct memory_shares shares = memory_shares(guest);
    if (guest->cell_count && !shares.usable)
        return;
    bool has_total = is_said(&guest->said, W_GUEST_MEMORY);
    struct finding *finding = NULL;
    if (has_total && guest->memory_bytes == 0)
        finding = report(check->findings, NM_no_memory, said_span(&guest->said, W_GUEST_MEMORY, 1),
                         "guest '%s' has no memory", guest->name);
    else if (!has_total && !guest->cell_count)
        finding = report(check->findings, NM_no_memory, guest->span, "guest '%s' says no 'memory'", guest->name);
    else if (!has_total && shares.open) {
        uint32_t c = 0;
        while (is_said(&guest->cells[c].said, W_CELL_MEMORY))
            c++;
        finding = report(check->findings, NM_no_memory, guest->cells[c].span,
                         "cell '%s' says no 'memory', and guest '%s' gives no total to share", guest->cells[c].name,
                         guest->name);
    } else if (!has_total && !shares.said_bytes) {
        finding = report(check->findings, NM_no_memory, said_span(&guest->cells[0].said, W_CELL_MEMORY, 1),
                         "no cell of guest '%s' has memory", guest->name);
    }
    if (finding)
        finding_help(check->findings, finding, "write 'memory 4GiB' in %s",
                     guest->cell_count && !shares.open ? "a cell" : "the guest");
}

const struct model_rule cell_rules[] = {
    { .name = "cells-are-not-zero", .source = "peers 1, 8", .run = cells_are_not_zero },
    { .name = "cells-are-at-most-128", .source = "peers 4", .run = cells_are_at_most_128 },
    { .name = "cells-word-agrees-with-blocks",
      .source = "peers 21",
      .of_whole = true,
      .run = cells_word_agrees_with_blocks },
    { .name = "integer-labels-are-positions",
      .source = "peers 2, 26",
      .of_whole = true,
      .run = integer_labels_are_positions },
    { .name = "guests-have-no-more-cells-than-vcpus",
      .source = "peers 6",
      .of_whole = true,
      .run = guests_have_no_more_cells_than_vcpus },
    { .name = "cells-say-vcpus-or-ids", .source = "peers 20", .run = cells_say_vcpus_or_ids },
    { .name = "ids-need-a-known-count", .source = "language 7", .run = ids_need_a_known_count },
    { .name = "vcpus-are-in-one-cell", .source = "peers 9", .run = vcpus_are_in_one_cell },
    { .name = "vcpus-are-below-the-count", .source = "peers 10", .of_whole = true, .run = vcpus_are_below_the_count },
    { .name = "cells-cover-all-vcpus", .source = "peers 11, 12, 19", .of_whole = true, .run = cells_cover_all_vcpus },
    { .name = "equal-cells-divide-vcpus", .source = "peers 19", .of_whole = true, .run = equal_cells_divide_vcpus },
    { .name = "guests-have-vcpus", .source = "peers 12", .of_whole = true, .run = guests_have_vcpus },
    { .name = "cells-sum-to-the-memory",
      .source = "peers 16, 17, 18",
      .of_whole = true,
      .run = cells_sum_to_the_memory },
    { .name = "equal-cells-divide-memory", .source = "peers 18", .of_whole = true, .run = equal_cells_divide_memory },
    { .name = "guests-have-memory", .source = "peers 15", .of_whole = true, .run = guests_have_memory },
    { 0 }
};
