/* SPDX-License-Identifier: MIT
 *
 * Telling why a guest did not fit: what is short, where, by how much, who has it, and the smallest edits that help.
 */
#include "place/draft.h"

enum { NAMED_MOST = 3, LOOKED_AT_MOST = 1000 };

static enum code code_of(const struct misfit *misfit)
{
    if (misfit->is_crowd)
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
        return NM_cpus_short;
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return NM_memory_short;
}

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
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return is_said(&guest->said, W_GUEST_MEMORY) ? W_GUEST_MEMORY : W_NODE;
}

static bool has_cpus_on(const struct draft *draft, uint32_t node)
{
    for (uint32_t i = 0; i < draft->claim_count; i++)
        if (draft->room->groups[draft->room->cores[draft->room->cpus[draft->claims[i]].core].group].node == node)
            return true;
    return false;
}

static bool has_memory_on(const struct draft *draft, uint32_t node)
{
    for (uint32_t c = 0; c < draft->cell_count; c++)
        for (uint32_t p = 0; p < draft->cells[c].portion_count; p++)
            if (draft->cells[c].portions[p].node == node)
                return true;
    return false;
}

/* Who has what this guest lacks: guests by name, then reserves. */
static void name_takers(struct placing *placing, struct finding *finding, const struct misfit *misfit)
{
    g_autoptr(GString) names = g_string_new(NULL);
    uint32_t named = 0, more = 0, looked = 0;
    bool of_cpus = misfit->kind == SHORT_CPUS || misfit->kind == SHORT_CORES || misfit->kind == SHORT_LOOSE;
    for (const struct draft *d = misfit->room->guests; d && looked < LOOKED_AT_MOST; d = d->before, looked++) {
        bool takes = of_cpus ? has_cpus_on(d, misfit->node) : has_memory_on(d, misfit->node);
        if (!takes)
            continue;
        if (named++ < NAMED_MOST)
            g_string_append_printf(names, "%s'%s'", named > 1 ? ", " : "", d->guest->name);
        else
            more++;
    }
    if (more)
        g_string_append_printf(names, " and %u more", more);
    const struct room_node *node = &misfit->room->nodes[misfit->node];
    if (named)
        finding_note(placing->findings, finding, "node %u is used by %s", node->os_index, names->str);
    const struct node_room *ground = &misfit->room->host->rooms[misfit->node];
    const struct host_node *facts = &misfit->room->host->facts->nodes[misfit->node];
    if (misfit->kind == SHORT_MEMORY && facts->memory_bytes.known && ground->memory_bytes.known &&
        ground->memory_bytes.value < facts->memory_bytes.value)
        finding_note(placing->findings, finding, "of its %s, reserves and huge pages take %s",
                     size_text(placing->scratch, facts->memory_bytes.value),
                     size_text(placing->scratch, facts->memory_bytes.value - ground->memory_bytes.value));
    else if (of_cpus && node->open_cpus < ids_size(facts->cpus))
        finding_note(placing->findings, finding, "reserves take %u of its %u CPUs",
                     ids_size(facts->cpus) - node->open_cpus, ids_size(facts->cpus));
}

static const char *place_text(struct placing *placing, const struct misfit *misfit)
{
    if (misfit->node == NO_INDEX)
        return arena_printf(placing->scratch, "host '%s'", misfit->room->host->name);
    return arena_printf(placing->scratch, "node %u of host '%s'", misfit->room->nodes[misfit->node].os_index,
                        misfit->room->host->name);
}

static const char *shortage_text(struct placing *placing, const struct draft *draft, const struct misfit *misfit)
{
    struct arena *arena = placing->scratch;
    const struct draft_cell *cell = &draft->cells[misfit->cell];
    const char *place = place_text(placing, misfit);
    if (misfit->is_crowd)
        return arena_printf(arena, "its %u cells do not fit on the nodes of host '%s' together, though each does alone",
                            draft->cell_count, misfit->room->host->name);
    if (misfit->needed == SIZE_ALL && misfit->node == NO_INDEX)
        return arena_printf(arena, "'all' gives each cell a node of its own, and %s has none left for cell '%s'", place,
                            cell->name);
    if (misfit->needed == SIZE_ALL)
        return misfit->left == UINT64_MAX
                   ? arena_printf(arena, "nobody knows what %s has, so 'memory all' cannot be answered", place)
                   : arena_printf(arena, "'all' of what is left on %s is nothing", place);
    switch (misfit->kind) {
    case SHORT_PAGES:
        return arena_printf(arena,
                            "cell '%s' needs %" G_GUINT64_FORMAT " pages of %s, %s has %" G_GUINT64_FORMAT " free",
                            cell->name, misfit->needed / MAX(cell->page_bytes, 1), size_text(arena, cell->page_bytes),
                            place, misfit->left / MAX(cell->page_bytes, 1));
    case SHORT_CORES:
        return arena_printf(arena,
                            "cell '%s' needs %" G_GUINT64_FORMAT " whole cores, %s has %" G_GUINT64_FORMAT " free",
                            cell->name, misfit->needed, place, misfit->left);
    case SHORT_CPUS:
        return arena_printf(arena,
                            "cell '%s' needs %" G_GUINT64_FORMAT " CPUs of its own, %s has %" G_GUINT64_FORMAT " free",
                            cell->name, misfit->needed, place, misfit->left);
    case SHORT_LOOSE:
        if (cell->locality->cpus)
            return arena_printf(arena, "no CPU of '%s' is left for the vCPUs of cell '%s' to share",
                                cell->locality->cpus->text, cell->name);
        return arena_printf(arena, "no CPU of %s is left for the vCPUs of cell '%s' to share", place, cell->name);
    case SHORT_WITHIN:
        return arena_printf(arena, "no such part of %s has room for the %" G_GUINT64_FORMAT " CPUs of cell '%s'", place,
                            misfit->needed, cell->name);
    case FITS:
    case SHORT_MEMORY:
        break;
    }
    return arena_printf(arena, "cell '%s' needs %s, %s has %s free", cell->name, size_text(arena, misfit->needed),
                        place, size_text(arena, misfit->left / KIB * KIB));
}

/* Another node that would hold what this one lacks; NO_INDEX. */
static uint32_t other_node(const struct draft_cell *cell, const struct misfit *misfit)
{
    const struct room *room = misfit->room;
    for (uint32_t n = 0; n < room->node_count; n++)
        if (room->nodes[n].is_choice && n != misfit->node && cell->page_bytes != PAGES_LARGEST &&
            room_bytes_left(room, n, cell->page_bytes) >= misfit->needed &&
            room_bytes_left(room, n, cell->page_bytes) != UINT64_MAX)
            return n;
    return NO_INDEX;
}

/* Whether the nodes of the host, together, have what the cells want with pages as this one's. */
static bool has_together(const struct draft *draft, const struct misfit *misfit)
{
    uint64_t wanted = 0, left = 0, page = draft->cells[misfit->cell].page_bytes;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        wanted += draft->cells[c].memory_bytes;
    for (uint32_t n = 0; n < misfit->room->node_count && left < wanted; n++) {
        uint64_t more =
            misfit->room->nodes[n].is_choice ? room_bytes_left(misfit->room, n, page == PAGES_LARGEST ? 0 : page) : 0;
        left = more < UINT64_MAX - left ? left + more : UINT64_MAX;
    }
    return left >= wanted;
}

static void offer_memory(struct placing *placing, struct finding *finding, const struct draft *draft,
                         const struct misfit *misfit)
{
    const struct draft_cell *cell = &draft->cells[misfit->cell];
    uint32_t other = cell->fixed ? other_node(cell, misfit) : NO_INDEX;
    if (misfit->left >= MIB && !cell->page_bytes)
        finding_help(placing->findings, finding, "ask for %s or less in the cell",
                     size_text(placing->scratch, misfit->left / MIB * MIB));
    if (other != NO_INDEX)
        finding_help(placing->findings, finding, "put the cell on node %u, which has %s free",
                     misfit->room->nodes[other].os_index,
                     size_text(placing->scratch, room_bytes_left(misfit->room, other, cell->page_bytes)));
    else if (!cell->fixed && misfit->room->node_count > draft->cell_count && has_together(draft, misfit))
        finding_help(placing->findings, finding,
                     "cut the guest into more and smaller cells, each on a node of its own");
}

static void offer_edits(struct placing *placing, struct finding *finding, const struct draft *draft,
                        const struct misfit *misfit)
{
    if (misfit->is_crowd) {
        finding_help(placing->findings, finding,
                     "ask for less memory or fewer vCPUs in a cell, or for more and smaller cells");
        return;
    }
    if (misfit->needed == SIZE_ALL) {
        finding_help(placing->findings, finding, "say how much, or free some of it");
        return;
    }
    switch (misfit->kind) {
    case SHORT_PAGES:
        finding_help(placing->findings, finding, "declare a larger pool on the host, or ask for less memory");
        offer_memory(placing, finding, draft, misfit);
        finding_help(placing->findings, finding, "use other pages: 'pages normal'");
        break;
    case SHORT_CORES:
        finding_help(placing->findings, finding, "take single CPUs with 'pin cpus', or ask for fewer vCPUs");
        break;
    case SHORT_CPUS:
    case SHORT_LOOSE:
        finding_help(placing->findings, finding, "let vCPUs share with 'pin node', or ask for fewer vCPUs");
        break;
    case SHORT_WITHIN:
        finding_help(placing->findings, finding, "ask for a larger part, or for fewer vCPUs");
        break;
    case FITS:
    case SHORT_MEMORY:
        offer_memory(placing, finding, draft, misfit);
    }
}

void refuse_guest(struct placing *placing, const struct guest *guest, const struct draft *draft,
                  const struct misfit *misfit, uint32_t host_count)
{
    if (misfit->is_reported && host_count == 1 && findings_have_errors(placing->findings))
        return;
    if (misfit->is_reported || !misfit->room) {
        struct finding *none =
            report(placing->findings, NM_no_host_fits, guest->span,
                   "none of the %u hosts that guest '%s' may live on has what it names", host_count, guest->name);
        finding_help(placing->findings, none, "name one host, and its findings tell what it lacks");
        return;
    }
    enum word_id word = word_of(misfit, guest);
    const struct draft_cell *cell = &draft->cells[misfit->cell];
    bool is_said_word = cell_says(guest, cell, word);
    struct span span = is_said_word ? cell_span(guest, cell, word, 1) : guest->span;
    struct finding *finding = report(placing->findings, code_of(misfit), span, "guest '%s' does not fit: %s",
                                     guest->name, shortage_text(placing, draft, misfit));
    if (misfit->node != NO_INDEX)
        name_takers(placing, finding, misfit);
    if (host_count > 1)
        finding_note(placing->findings, finding, "%u hosts were tried; the numbers are of the first", host_count);
    offer_edits(placing, finding, draft, misfit);
}
