/* SPDX-License-Identifier: MIT
 *
 * Telling why a guest did not fit: what is short, where, by how much, who has it.  What is told is the host, the part
 * of it and the number of cells where least is missing; the others are notes.
 */
#include "place/draft.h"

#include <string.h>

enum {
    NAMED_MOST = 3,
    LOOKED_AT_MOST = 1000,
    HOSTS_LOOKED_AT = 16,
    PARTS_LOOKED_AT = 64,
    SHAPES_LOOKED_AT = 16,
    EXPLAINED_MOST = 50,
    NOTED_MOST = 3
};

static enum code code_of(const struct misfit *misfit)
{
    if (misfit->extent == NODES_APART || (misfit->extent == SOME_CELLS && !misfit->is_alike))
        return NM_cells_crowded;
    switch (misfit->kind) {
    case SHORT_PAGES:
        return NM_pages_short;
    case SHORT_CORES:
        return NM_cores_short;
    case SHORT_WITHIN:
        return NM_within_short;
    case SHORT_CPUS:
    case SHORT_LOOSE:
    case SHORT_EMULATOR:
        return NM_cpus_short;
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return NM_memory_short;
}

static bool is_of_cpus(const struct misfit *misfit)
{
    return misfit->kind != SHORT_MEMORY && misfit->kind != SHORT_PAGES && misfit->kind != FITS;
}

/* ---- where ------------------------------------------------------------------------------------------------------ */

static const char *part_text(struct arena *arena, const struct room *room, struct scope part)
{
    switch (part.level) {
    case LEVEL_SOCKET:
        return arena_printf(arena, "socket %u of host '%s'", part.number, room->host->name);
    case LEVEL_NODE:
        if (part.number == room->node_count)
            return arena_printf(arena, "the part of host '%s' without a node", room->host->name);
        return arena_printf(arena, "node %u of host '%s'", room->nodes[part.number].os_index, room->host->name);
    case LEVEL_L3:
        return arena_printf(arena, "L3 %u of host '%s'", part.number, room->host->name);
    case LEVEL_CORE:
        return arena_printf(arena, "a core of host '%s'", room->host->name);
    default:
        return arena_printf(arena, "host '%s'", room->host->name);
    }
}

static const char *place_text(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct draft_cell *cell = &diagnosis->draft->cells[misfit->cell];
    if (misfit->node == NO_INDEX && cell->fixed && misfit->extent == ONE_CELL && ids_size(cell->fixed) > 1)
        return arena_printf(arena, "nodes %s of host '%s' together", ids_text(arena, cell->fixed),
                            misfit->room->host->name);
    if (misfit->node == NO_INDEX)
        return part_text(arena, misfit->room, diagnosis->shape.part);
    return arena_printf(arena, "node %u of host '%s'", misfit->room->nodes[misfit->node].os_index,
                        misfit->room->host->name);
}

/* ---- what ------------------------------------------------------------------------------------------------------- */

static const char *amount_text(struct arena *arena, const struct misfit *misfit, uint64_t amount, bool with_unit)
{
    const char *plural = amount == 1 ? "" : "s";
    switch (misfit->kind) {
    case SHORT_PAGES:
        amount /= MAX(misfit->page_bytes, 1);
        plural = amount == 1 ? "" : "s";
        return with_unit ? arena_printf(arena, "%" G_GUINT64_FORMAT " page%s of %s", amount, plural,
                                        size_text(arena, misfit->page_bytes))
                         : arena_printf(arena, "%" G_GUINT64_FORMAT, amount);
    case SHORT_CORES:
        return arena_printf(arena, "%" G_GUINT64_FORMAT "%s%s", amount, with_unit ? " whole core" : "",
                            with_unit ? plural : "");
    case SHORT_WITHIN:
    case SHORT_CPUS:
    case SHORT_LOOSE:
    case SHORT_EMULATOR:
        return with_unit ? arena_printf(arena, "%" G_GUINT64_FORMAT " CPU%s of its own", amount, plural)
                         : arena_printf(arena, "%" G_GUINT64_FORMAT, amount);
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return size_text(arena, amount / KIB * KIB);
}

/* The same of what it needs, out of the CPUs that it names; and of what is left of these. */
static const char *needed_text(struct arena *arena, const struct diagnosis *diagnosis, const char **out_left)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct set *named = diagnosis->draft->cells[misfit->cell].locality->cpus;
    const char *amount = amount_text(arena, misfit, misfit->needed, true);
    bool is_far = misfit->kind == SHORT_MEMORY && misfit->needed - MIN(misfit->left, misfit->needed) >= MIB;
    uint64_t left = is_far && misfit->left >= GIB ? misfit->left / MIB * MIB : misfit->left; /* the KiB say nothing */
    *out_left = amount_text(arena, misfit, left, false);
    if (!named || !is_of_cpus(misfit))
        return amount;
    *out_left = arena_printf(arena, "%s of them", *out_left);
    return arena_printf(arena, "%s out of '%s'", amount, named->text);
}

static bool are_equal_cells(const struct diagnosis *diagnosis)
{
    return diagnosis->draft->cell_count > 1 && !diagnosis->draft->cells[0].said;
}

/* "it needs", "cell 'a' needs", "each of its 4 cells needs" */
static const char *who_needs(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct draft *draft = diagnosis->draft;
    if (draft->cell_count == 1 && !draft->cells[0].said)
        return draft->guest->count < 2 ? "it needs" : draft->guest->instance < 2 ? "each needs" : "the next needs";
    if (are_equal_cells(diagnosis))
        return arena_printf(arena, "each of its %u cells needs", draft->cell_count);
    return arena_printf(arena, "cell '%s' needs", draft->cells[misfit->cell].name);
}

static const char *crowd_text(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const char *where = part_text(arena, misfit->room, diagnosis->shape.part);
    uint32_t count = ids_size(misfit->roomy);
    const char *nodes = arena_printf(arena, "node%s %s", count == 1 ? "" : "s", ids_text(arena, misfit->roomy));
    if (!misfit->is_alike)
        return arena_printf(arena, "cells %s find %s only on %s of %s, which cannot hold all of them", misfit->names,
                            misfit->kind == SHORT_MEMORY ? "memory"
                            : misfit->kind == SHORT_PAGES
                                ? arena_printf(arena, "pages of %s", size_text(arena, misfit->page_bytes))
                                : "CPUs",
                            nodes, where);
    const char *each = misfit->crowd == diagnosis->draft->cell_count
                           ? arena_printf(arena, "each of its %u cells needs", misfit->crowd)
                           : arena_printf(arena, "each of the cells %s needs", misfit->names);
    const char *left, *needs = arena_printf(arena, "%s %s", each, needed_text(arena, diagnosis, &left));
    const char *room = !misfit->held
                           ? arena_printf(arena, "%s has room for none of them", where)
                           : arena_printf(arena, "%s has room for %u of them, on %s", where, misfit->held, nodes);
    if (misfit->node == NO_INDEX)
        return arena_printf(arena, "%s, and %s", needs, room);
    return arena_printf(arena, "%s, and %s; node %u has %s free", needs, room,
                        misfit->room->nodes[misfit->node].os_index, left);
}

static const char *all_text(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const char *place = place_text(arena, diagnosis), *name = diagnosis->draft->cells[misfit->cell].name;
    if (misfit->left == UINT64_MAX)
        return arena_printf(arena, "nobody knows what %s has, so 'memory all' cannot be answered", place);
    if (misfit->node == NO_INDEX)
        return arena_printf(arena, "'all' gives each cell a node of its own, and %s has none left for cell '%s'", place,
                            name);
    return arena_printf(arena, "'all' of what is left on %s is nothing", place);
}

static const char *cpus_text(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct draft_cell *cell = &diagnosis->draft->cells[misfit->cell];
    const char *place = place_text(arena, diagnosis);
    const char *of = diagnosis->draft->cell_count == 1 && !cell->said
                         ? "its vCPUs"
                         : arena_printf(arena, "the vCPUs of cell '%s'", cell->name);
    if (misfit->kind == SHORT_EMULATOR)
        return arena_printf(arena, "no CPU of %s is left for its emulator alone", place);
    if (misfit->kind == SHORT_LOOSE && cell->locality->cpus)
        return arena_printf(arena, "no CPU of '%s' is left for %s to share", cell->locality->cpus->text, of);
    if (misfit->kind == SHORT_LOOSE)
        return arena_printf(arena, "no CPU of %s is left for %s to share", place, of);
    static const char *const words[] = {
        [LEVEL_SOCKET] = "socket", [LEVEL_NODE] = "node", [LEVEL_L3] = "L3", [LEVEL_CORE] = "core"
    };
    const char *level = cell->within == NO_LEVEL ? "part" : words[cell->within];
    return arena_printf(
        arena, "%s %" G_GUINT64_FORMAT " CPUs within one %s, and no %s of %s has more than %" G_GUINT64_FORMAT " free",
        who_needs(arena, diagnosis), misfit->needed, level, level, place, misfit->left);
}

/* Whether cells before it stand on the nodes that the site names for this one. */
static bool is_beside_others(const struct diagnosis *diagnosis)
{
    const struct draft_cell *cells = diagnosis->draft->cells;
    for (uint32_t c = 0; c < diagnosis->misfit.cell; c++)
        if (cells[c].fixed && cells[diagnosis->misfit.cell].fixed &&
            ids_overlap(cells[c].fixed, cells[diagnosis->misfit.cell].fixed))
            return true;
    return false;
}

const char *shortage_text(struct arena *arena, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct draft *draft = diagnosis->draft;
    if (misfit->needed == SIZE_ALL)
        return all_text(arena, diagnosis);
    if (misfit->extent == NODES_APART)
        return arena_printf(arena, "there are CPUs and memory enough, but not on the same nodes of %s: %s",
                            part_text(arena, misfit->room, diagnosis->shape.part), misfit->apart);
    if (misfit->kind == SHORT_EMULATOR || misfit->kind == SHORT_LOOSE || misfit->kind == SHORT_WITHIN)
        return cpus_text(arena, diagnosis);
    if (misfit->extent == SOME_CELLS)
        return crowd_text(arena, diagnosis);
    const char *beside = is_of_cpus(misfit) && draft->guest->emulator == EMULATOR_ISOLATE && misfit->cell == 0
                             ? " beside one for its emulator"
                         : !is_of_cpus(misfit) && draft->guest->memory_device_count ? " with its memory devices"
                                                                                    : "";
    const char *left, *amount = needed_text(arena, diagnosis, &left);
    const char *needs = who_needs(arena, diagnosis), *place = place_text(arena, diagnosis);
    bool is_wide = diagnosis->shape.part.level == NO_LEVEL || diagnosis->shape.part.level == LEVEL_SOCKET;
    if (misfit->extent == ALL_NODES)
        return arena_printf(arena, "%s %s%s, and %s has %s free%s", needs, amount, beside, place, left,
                            misfit->room->node_count > 1 && is_wide ? " on all its nodes" : "");
    if (!draft->cells[misfit->cell].fixed && misfit->room->node_count > 1)
        return arena_printf(arena, "%s %s on one node%s, and %s, the best, has %s free", needs, amount, beside, place,
                            left);
    const char *have = g_str_has_prefix(place, "nodes") ? "have" : "has";
    return arena_printf(arena, "%s %s%s, and %s %s %s free%s", needs, amount, beside, place, have, left,
                        is_beside_others(diagnosis) ? " beside its other cells" : "");
}

/* ---- who has the rest ------------------------------------------------------------------------------------------- */

static bool takes_cpus(const struct draft *draft, uint32_t node)
{
    const struct room *room = draft->room;
    for (uint32_t i = 0; i < draft->claim_count; i++) {
        const struct room_cpu *cpu = &room->cpus[draft->claims[i] & ~CLAIM_NAMED];
        if (cpu->state == CPU_DEDICATED &&
            (node == NO_INDEX || room->groups[room->cores[cpu->core].group].node == node))
            return true;
    }
    return false;
}

/* Pages that nobody counted are taken from normal memory. */
static uint64_t counted_page(const struct room *room, uint32_t node, uint64_t page_bytes)
{
    bool is_counted = page_bytes && room_pages_left(room, node, page_bytes) != UINT64_MAX;
    return is_counted ? page_bytes : PAGES_NORMAL;
}

static bool takes_memory(const struct draft *draft, uint32_t node, uint64_t page_bytes)
{
    if (node == NO_INDEX && memory_for_numad(draft))
        return true;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        for (uint32_t p = 0; p < draft->cells[c].portion_count; p++) {
            uint32_t at = draft->cells[c].portions[p].node;
            if ((node == NO_INDEX || at == node) &&
                counted_page(draft->room, at, draft->cells[c].page_bytes) == counted_page(draft->room, at, page_bytes))
                return true;
        }
    return devices_take(draft, node, page_bytes);
}

static bool takes(const struct draft *draft, const struct misfit *misfit)
{
    return is_of_cpus(misfit) ? takes_cpus(draft, misfit->node) : takes_memory(draft, misfit->node, misfit->page_bytes);
}

/* Guests by name, the latest first; NULL where none has it. */
static const char *takers_of(struct arena *arena, const struct misfit *misfit)
{
    g_autoptr(GString) names = g_string_new(NULL);
    uint32_t named = 0, more = 0, looked = 0;
    for (const struct draft *d = misfit->room->guests; d && looked < LOOKED_AT_MOST; d = d->before, looked++) {
        if (!takes(d, misfit))
            continue;
        if (named++ < NAMED_MOST)
            g_string_append_printf(names, "%s'%s'", named > 1 ? ", " : "", d->guest->name);
        else
            more++;
    }
    if (more)
        g_string_append_printf(names, " and %u more", more);
    return named ? arena_string(arena, names->str, names->len) : NULL;
}

static const char *owners_of(struct arena *arena, const struct site_host *host, uint32_t word)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; host->declared->reserves && i < host->declared->reserves->len; i++) {
        const struct reserve *reserve = g_ptr_array_index(host->declared->reserves, i);
        if (is_said(&reserve->said, word))
            g_string_append_printf(names, "%s'%s'", names->len ? ", " : "", reserve->owner);
    }
    return arena_string(arena, names->str, names->len);
}

static void name_reserves(struct placing *placing, struct finding *finding, const struct misfit *misfit)
{
    struct arena *arena = placing->scratch;
    const struct site_host *host = misfit->room->host;
    const struct host_node *facts = &host->facts->nodes[misfit->node];
    const struct node_room *ground = &host->rooms[misfit->node];
    if (is_of_cpus(misfit) && misfit->room->nodes[misfit->node].open_cpus < ids_size(facts->cpus))
        finding_note(placing->findings, finding, "of its %u CPUs, %u are reserved for %s", ids_size(facts->cpus),
                     ids_size(facts->cpus) - misfit->room->nodes[misfit->node].open_cpus,
                     owners_of(arena, host, W_RESERVE_CPUS));
    if (misfit->kind != SHORT_MEMORY || !facts->memory_bytes.known || !ground->memory_bytes.known ||
        ground->memory_bytes.value >= facts->memory_bytes.value)
        return;
    uint64_t gone = facts->memory_bytes.value - ground->memory_bytes.value;
    uint64_t reserved = MIN(ground->reserved_bytes, gone), pools = gone - reserved;
    const char *of = arena_printf(arena, "of its %s", size_text(arena, facts->memory_bytes.value));
    if (reserved && pools)
        finding_note(placing->findings, finding, "%s, %s are reserved for %s, and %s are huge pages", of,
                     size_text(arena, reserved), owners_of(arena, host, W_RESERVE_MEMORY), size_text(arena, pools));
    else if (reserved)
        finding_note(placing->findings, finding, "%s, %s are reserved for %s", of, size_text(arena, reserved),
                     owners_of(arena, host, W_RESERVE_MEMORY));
    else
        finding_note(placing->findings, finding, "%s, %s are huge pages", of, size_text(arena, pools));
}

void name_takers(struct placing *placing, struct finding *finding, const struct diagnosis *diagnosis)
{
    const struct misfit *misfit = &diagnosis->misfit;
    if (misfit->extent == NODES_APART || misfit->needed == SIZE_ALL)
        return;
    const char *where = misfit->node == NO_INDEX
                            ? arena_printf(placing->scratch, "host '%s'", misfit->room->host->name)
                            : arena_printf(placing->scratch, "node %u", misfit->room->nodes[misfit->node].os_index);
    const char *takers = takers_of(placing->scratch, misfit);
    if (takers)
        finding_note(placing->findings, finding, "%s is used by %s", where, takers);
    if (misfit->kind == SHORT_LOOSE && misfit->node != NO_INDEX && misfit->room->nodes[misfit->node].free_isolated &&
        !diagnosis->draft->cells[misfit->cell].locality->cpus)
        finding_note(placing->findings, finding, "%u of its CPUs are isolated: no vCPU that shares runs there",
                     misfit->room->nodes[misfit->node].free_isolated);
    if (misfit->kind == SHORT_PAGES &&
        room_pages_left(misfit->room, misfit->node == NO_INDEX ? 0 : misfit->node, misfit->page_bytes) == UINT64_MAX)
        finding_note(placing->findings, finding, "host '%s' does not tell its huge pages: they were made of its memory",
                     misfit->room->host->name);
    if (misfit->node != NO_INDEX)
        name_reserves(placing, finding, misfit);
}

/* ---- the mildest ------------------------------------------------------------------------------------------------ */

static void keep(GArray *all, const struct diagnosis *diagnosis)
{
    guint at = all->len;
    while (at && is_milder(diagnosis, &g_array_index(all, struct diagnosis, at - 1)))
        at--;
    g_array_insert_val(all, at, *diagnosis);
}

void diagnose_host(struct placing *placing, const struct guest *guest, struct room *room,
                   const struct candidates *candidates, GArray *all)
{
    uint32_t first, last, shapes = 0;
    g_autoptr(GArray) parts = parts_of(room, guest);
    cell_counts(guest, candidates, &first, &last);
    for (uint32_t cells = first; cells <= last && shapes < SHAPES_LOOKED_AT; cells++) {
        if (cells > first && !divides(guest, cells, MAX(guest->threads, 1)))
            continue;
        shapes++;
        for (guint i = 0; i < parts->len && i < PARTS_LOOKED_AT; i++) {
            struct shape shape = { cells, g_array_index(parts, struct scope, i) };
            struct diagnosis diagnosis;
            if (diagnose(placing, guest, room, shape, candidates->count == 1, &diagnosis))
                keep(all, &diagnosis);
        }
    }
}

static bool is_same_place(const struct diagnosis *a, const struct diagnosis *b)
{
    return a->misfit.room == b->misfit.room && a->shape.part.level == b->shape.part.level &&
           a->shape.part.number == b->shape.part.number;
}

/* Notes of other parts or hosts, a line each. */
static void note_others(struct placing *placing, struct finding *finding, const GArray *others)
{
    const char *told = shortage_text(placing->scratch, &g_array_index(others, struct diagnosis, 0));
    for (guint i = 1, noted = 0; i < others->len && noted < NOTED_MOST; i++) {
        const struct diagnosis *diagnosis = &g_array_index(others, struct diagnosis, i);
        bool is_new = true;
        for (guint before = 0; before < i; before++)
            is_new &= !is_same_place(diagnosis, &g_array_index(others, struct diagnosis, before));
        if (!is_new)
            continue; /* the same place with another number of cells */
        const char *text = diagnosis->misfit.is_reported
                               ? arena_printf(placing->scratch, "host '%s' does not have what it names",
                                              diagnosis->misfit.room->host->name)
                               : shortage_text(placing->scratch, diagnosis);
        if (strcmp(text, told) == 0)
            continue; /* one core is like another */
        told = text;
        noted++;
        const char *takers = takers_of(placing->scratch, &diagnosis->misfit);
        finding_note(placing->findings, finding, "%s%s%s", text, takers ? ": used by " : "", takers ? takers : "");
    }
}

/* ---- the finding ------------------------------------------------------------------------------------------------ */

static enum word_id word_of(const struct misfit *misfit, const struct guest *guest)
{
    switch (misfit->kind) {
    case SHORT_PAGES:
        return W_PAGES;
    case SHORT_CORES:
    case SHORT_CPUS:
        return W_PIN;
    case SHORT_WITHIN:
        return W_WITHIN;
    case SHORT_LOOSE:
        return W_CPUS;
    case SHORT_EMULATOR:
        return W_GUEST_EMULATOR;
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return is_said(&guest->said, W_GUEST_MEMORY) ? W_GUEST_MEMORY : W_NODE;
}

static bool is_said_here(const struct said *said, enum word_id word)
{
    for (uint32_t i = said->count; i-- > 0;)
        if (said->places[i].word == word)
            return said->places[i].layer == LAYER_GUEST || said->places[i].layer == LAYER_AT;
    return false;
}

/* A word that stands in a profile is labelled: the finding itself stands at the guest, since others use the profile. */
static struct finding *report_at(struct placing *placing, const struct guest *guest, const struct diagnosis *diagnosis,
                                 const char *text)
{
    const struct misfit *misfit = &diagnosis->misfit;
    const struct draft_cell *cell = &diagnosis->draft->cells[misfit->cell];
    enum word_id word = word_of(misfit, guest);
    bool in_cell = cell->said && is_said(&cell->said->said, word);
    bool is_there = misfit->extent != NODES_APART && (in_cell || is_said(&guest->said, word));
    bool is_own = is_there && is_said_here(in_cell ? &cell->said->said : &guest->said, word);
    struct span at = is_there ? cell_span(guest, cell, word, 1) : guest->span;
    struct finding *finding = report(placing->findings, code_of(misfit), is_own ? at : guest->span, "%s", text);
    if (is_there && !is_own)
        finding_label(placing->findings, finding, at, "said here");
    return finding;
}

static const char *verdict(struct arena *arena, const struct guest *guest)
{
    if (guest->count < 2)
        return arena_printf(arena, "guest '%s' does not fit", guest->name);
    if (guest->instance < 2)
        return arena_printf(arena, "none of the %u guests '%s' fits", guest->count, guest->family);
    return arena_printf(arena, "only %u of the %u guests '%s' fit%s", guest->instance - 1, guest->count, guest->family,
                        guest->instance == 2 ? "s" : "");
}

static void tell(struct placing *placing, const struct guest *guest, const struct candidates *candidates,
                 const GArray *hosts, const GArray *parts)
{
    const struct diagnosis *best = &g_array_index(hosts, struct diagnosis, 0);
    const struct guest *there = best->draft->guest;
    uint32_t first, last;
    cell_counts(there, candidates, &first, &last);
    const char *cut =
        last > first && best->shape.cells > 1 && best->misfit.extent != ALL_NODES ? "even in several cells, " : "";
    const char *text = arena_printf(placing->scratch, "%s: %s%s", verdict(placing->scratch, guest), cut,
                                    shortage_text(placing->scratch, best));
    struct finding *finding = report_at(placing, there, best, text);
    name_takers(placing, finding, best);
    if (best->faults > 1) {
        struct diagnosis second = *best;
        second.misfit = best->other;
        finding_note(placing->findings, finding, "besides, %s", shortage_text(placing->scratch, &second));
    }
    note_others(placing, finding, hosts->len > 1 ? hosts : parts);
    if (candidates->count > 1 + NOTED_MOST)
        finding_note(placing->findings, finding, "%u hosts were tried", candidates->count);
    if (placing->explained++ < EXPLAINED_MOST)
        offer_cures(placing, finding, guest, candidates, best);
    else
        finding_help(placing->findings, finding, "cure the findings before this one: it may go with them");
}

static void tell_unnamed(struct placing *placing, const struct guest *guest, uint32_t host_count)
{
    struct finding *none =
        report(placing->findings, NM_no_host_fits, guest->span,
               "none of the %u hosts that guest '%s' may live on has what it names", host_count, guest->name);
    finding_help(placing->findings, none, "name one host, and its findings tell what it lacks");
}

bool refuse_guest(struct placing *placing, const struct guest *guest, const struct candidates *candidates)
{
    if (guest->count > 1 && g_hash_table_contains(placing->told, guest->family))
        return true; /* the others of a family are like the first that did not fit */
    g_autoptr(GArray) hosts = g_array_new(FALSE, FALSE, sizeof(struct diagnosis));
    g_autoptr(GArray) parts = NULL;
    uint32_t most = placing->explained < EXPLAINED_MOST ? HOSTS_LOOKED_AT : 1;
    for (uint32_t i = 0; i < candidates->count && i < most; i++) {
        g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct diagnosis));
        uint32_t host = candidates->hosts[i];
        diagnose_host(placing, guest_there(placing, guest, host), placing->rooms[host], candidates, all);
        if (!all->len)
            return false;
        keep(hosts, &g_array_index(all, struct diagnosis, 0));
        if (!parts)
            parts = g_steal_pointer(&all);
    }
    if (guest->count > 1)
        g_hash_table_add(placing->told, (gpointer)(guintptr)guest->family);
    if (!g_array_index(hosts, struct diagnosis, 0).misfit.is_reported)
        tell(placing, guest, candidates, hosts, parts);
    else if (candidates->count > 1 || !findings_have_errors(placing->findings))
        tell_unnamed(placing, guest, candidates->count);
    return true;
}

void refuse_crowded(struct placing *placing, const struct draft *draft, uint32_t cell)
{
    struct draft copy = *draft;
    struct diagnosis diagnosis = { .draft = &copy, .shape = { draft->cell_count, ANYWHERE } };
    diagnosis.misfit = (struct misfit){
        .room = draft->room, .kind = SHORT_LOOSE, .cell = cell, .node = draft->cells[cell].node, .missing = 1
    };
    const char *text = arena_printf(placing->scratch, "guest '%s' does not fit: %s", draft->guest->name,
                                    shortage_text(placing->scratch, &diagnosis));
    struct finding *finding = report_at(placing, draft->guest, &diagnosis, text);
    name_takers(placing, finding, &diagnosis);
    finding_help(placing->findings, finding, "leave it a CPU, or put it on other nodes");
}
