/* SPDX-License-Identifier: MIT
 *
 * Telling why a guest does not fit on a host that it may move to, with words for that host alone, each tried, that
 * would make it fit.  What its groups have against it is told by refuse_group.c.
 */
#include "place/groups.h"

bool fits_in_room(struct placing *placing, struct room *room, const struct guest *guest)
{
    struct misfit misfit = { .room = room, .node = NO_INDEX };
    struct placing quiet = *placing;
    quiet.findings = placing->unheard;
    struct attempt attempt = { .placing = &quiet,
                               .draft = arena_take(placing->scratch, struct draft),
                               .room = room,
                               .ease = EASE_CROWDED,
                               .misfit = &misfit,
                               .is_trial = true };
    bool fits = try_host(&attempt, guest, MAX(said_cells(guest), 1));
    placing->work_left = quiet.work_left;
    return fits;
}

static bool moves_with(struct placing *placing, struct room *room, const struct guest *moved,
                       void (*edit)(struct locality *locality))
{
    struct guest *copy = arena_copy(placing->scratch, moved, sizeof *moved);
    copy->cells = arena_copy(placing->scratch, moved->cells, moved->cell_count * sizeof *moved->cells);
    edit(&copy->locality);
    for (uint32_t c = 0; c < copy->cell_count; c++)
        edit(&copy->cells[c].locality);
    return fits_in_room(placing, room, copy);
}

static void open_nodes(struct locality *locality)
{
    locality->nodes = NULL;
}

static void share_cpus(struct locality *locality)
{
    locality->pin = PIN_NODE;
    locality->pin_rows = (struct list){ 0 };
}

static void use_normal_pages(struct locality *locality)
{
    locality->page_bytes = PAGES_NORMAL;
}

void offer_moves(struct placing *placing, struct finding *finding, struct room *room, const struct guest *moved)
{
    static const struct {
        void (*edit)(struct locality *locality);
        const char *words;
    } edits[] = { { open_nodes, "node auto" }, { share_cpus, "pin node" }, { use_normal_pages, "pages normal" } };
    bool is_offered = false;
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        if (!moves_with(placing, room, moved, edits[i].edit))
            continue;
        finding_help(placing->findings, finding, "let it be otherwise there: 'at %s { %s }'", room->host->name,
                     edits[i].words);
        is_offered = true;
    }
    if (!is_offered)
        finding_help(placing->findings, finding, "make room on host '%s', or leave it out of 'migrate'",
                     room->host->name);
}

static void refuse_short(struct placing *placing, const struct guest *moved, struct room *room, struct span span)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct diagnosis));
    struct candidates only = { .hosts = &room->number, .count = 1, .most_nodes = 1 };
    diagnose_host(placing, moved, room, &only, all);
    const struct diagnosis *best = all->len ? &g_array_index(all, struct diagnosis, 0) : NULL;
    if (best && best->misfit.is_reported)
        return;
    struct finding *finding =
        report(placing->findings, NM_move_short, span, "guest '%s' cannot move to host '%s'%s%s", moved->name,
               room->host->name, best ? ": " : "", best ? shortage_text(placing->scratch, best) : "");
    if (best)
        name_takers(placing, finding, best);
    offer_moves(placing, finding, room, moved);
}

/* Those that do not fit alone are told, each for itself; else the first of them stands for all. */
static bool fit_each(struct placing *placing, const struct movers *movers, struct room *room)
{
    bool fit = true;
    for (uint32_t m = 0; m < movers->count && fit; m++)
        fit = fits_in_room(placing, room, movers->guests[m]);
    return fit;
}

void refuse_move(struct placing *placing, const struct movers *movers, const struct guest *moved, struct room *room,
                 struct span span)
{
    if (is_grouped(placing->grouping, moved) && is_too_much(placing, moved))
        return;
    if (movers->count > 1 && fits_in_room(placing, room, moved)) {
        if (moved == movers->guests[0] && fit_each(placing, movers, room))
            refuse_torn_move(placing, moved, room, span);
        return;
    }
    if (!is_grouped(placing->grouping, moved) || !refuse_crowded_move(placing, moved, room, span))
        refuse_short(placing, moved, room, span);
}
