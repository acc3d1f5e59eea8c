/* SPDX-License-Identifier: MIT
 *
 * Why the cells whose nodes are left open find none: too little in all, a cell that no node holds, cells that want the
 * same nodes, or resources that are there but not on the same nodes.  Asked with one resource in the lens at a time,
 * all numbers are of that resource.
 */
#include "place/draft.h"
#include "place/nodes.h"

#include <string.h>

struct view {
    const struct attempt *attempt;
    const struct node_problem *problem;
    const uint32_t *index; /* of each open cell, in the draft */
};

static const struct draft_cell *cell_at(const struct view *view, uint32_t cell)
{
    return &view->attempt->draft->cells[view->index[cell]];
}

static bool fits(const struct view *view, uint32_t cell, uint32_t node)
{
    return view->problem->fits[(size_t)cell * view->problem->node_count + node];
}

static bool is_of_memory(const struct view *view)
{
    return view->attempt->lens.kind == LENS_MEMORY;
}

static bool is_possible(const struct view *view, uint32_t node)
{
    const struct room_node *here = &view->attempt->room->nodes[node];
    return here->is_choice && node_is_in(view->attempt->room, here->cpus_at, view->attempt->draft->scope);
}

static uint64_t wanted_of(const struct need *need)
{
    return need->cores ? need->cores : need->singles ? need->singles : need->floating;
}

static uint64_t needed_by(const struct view *view, uint32_t cell)
{
    struct need need = need_of(view->attempt, view->index[cell]);
    return is_of_memory(view) ? need.bytes + bytes_beside(view->attempt, view->index[cell]) : wanted_of(&need);
}

/* What a node offers a cell of the resource in the lens; memory is never UINT64_MAX where it is short. */
static uint64_t offered_to(const struct view *view, uint32_t cell, uint32_t node)
{
    struct need need = need_of(view->attempt, view->index[cell]);
    return is_of_memory(view) ? left_on(view->attempt, &node, 1, view->attempt->lens.page_bytes)
                              : cpus_found(view->attempt->room, &view->attempt->room->nodes[node].cpus_at, 1, &need);
}

static enum shortage kind_of(const struct view *view, uint32_t cell, uint32_t node)
{
    if (is_of_memory(view))
        return view->attempt->lens.page_bytes ? SHORT_PAGES : SHORT_MEMORY;
    struct need need = need_of(view->attempt, view->index[cell]);
    enum shortage kind = cpu_shortage(view->attempt->room, &view->attempt->room->nodes[node].cpus_at, 1, &need);
    return kind != FITS ? kind : need.cores ? SHORT_CORES : need.singles ? SHORT_CPUS : SHORT_LOOSE;
}

/* The node that comes nearest of those that do not hold a cell; NO_INDEX. */
static uint32_t nearest_node(const struct view *view, uint32_t cell)
{
    uint32_t best = NO_INDEX;
    uint64_t most = 0;
    for (uint32_t n = 0; n < view->problem->node_count; n++) {
        if (!is_possible(view, n) || fits(view, cell, n))
            continue;
        uint64_t left = offered_to(view, cell, n);
        if (best == NO_INDEX || left > most) {
            best = n;
            most = left;
        }
    }
    return best;
}

/* ---- on all nodes ----------------------------------------------------------------------------------------------- */

/* Whether the CPUs beside a node are those beside one before it. */
static bool shares_cpus(const struct view *view, uint32_t node)
{
    const struct room_node *nodes = view->attempt->room->nodes;
    for (uint32_t n = 0; nodes[node].cpus_at != node && n < node; n++)
        if (nodes[n].cpus_at == nodes[node].cpus_at && is_possible(view, n))
            return true;
    return false;
}

/* What all nodes have of it, as far as it can be summed up; UINT64_MAX where it cannot. */
static uint64_t offered_by_all(const struct view *view)
{
    const struct room *room = view->attempt->room;
    struct need all = need_of(view->attempt, view->index[0]);
    uint32_t *amount = all.cores ? &all.cores : &all.singles;
    uint64_t sum = 0;
    *amount = room->cpu_count;
    for (uint32_t n = 0; n < room->node_count; n++) {
        if (!is_possible(view, n) || (!is_of_memory(view) && shares_cpus(view, n)))
            continue;
        uint64_t left = is_of_memory(view) ? room_bytes_left(room, n, view->attempt->lens.page_bytes)
                                           : cpus_found(room, &room->nodes[n].cpus_at, 1, &all);
        if (left == UINT64_MAX || __builtin_add_overflow(sum, left, &sum))
            return UINT64_MAX;
    }
    return sum;
}

static bool is_short_in_all(const struct view *view)
{
    if (view->problem->cell_count > 1)
        return false; /* the nodes tell more than the sum */
    struct need first = need_of(view->attempt, view->index[0]);
    bool is_sum = is_of_memory(view) || (!first.floating && !first.allowed && first.within == NO_LEVEL);
    uint64_t needed = needed_by(view, 0), left = is_sum ? offered_by_all(view) : UINT64_MAX;
    if (left >= needed)
        return false;
    fails(view->attempt, kind_of(view, 0, 0), view->index[0], NO_INDEX, needed, left);
    view->attempt->misfit->extent = ALL_NODES;
    return true;
}

/* ---- one of them ------------------------------------------------------------------------------------------------ */

static bool is_homeless(const struct view *view)
{
    uint32_t found = NO_INDEX, count = 0;
    for (uint32_t c = 0; c < view->problem->cell_count; c++) {
        const bool *row = view->problem->fits + (size_t)c * view->problem->node_count;
        if (memchr(row, 1, view->problem->node_count * sizeof *row))
            continue;
        found = found == NO_INDEX ? c : found;
        count++;
    }
    if (found == NO_INDEX)
        return false;
    uint32_t node = nearest_node(view, found);
    uint64_t left = node == NO_INDEX ? 0 : offered_to(view, found, node);
    fails(view->attempt, kind_of(view, found, node == NO_INDEX ? 0 : node), view->index[found], node,
          needed_by(view, found), left);
    view->attempt->misfit->missing = count;
    return true;
}

/* ---- some of them ----------------------------------------------------------------------------------------------- */

static bool wants_one_of(const struct view *view, uint32_t cell, const bool *is_wanted)
{
    for (uint32_t n = 0; n < view->problem->node_count; n++)
        if (is_wanted[n] && fits(view, cell, n))
            return true;
    return false;
}

/* Cells that want the same nodes: the one that found none, those on the nodes it fits, those on the nodes these fit...
 */
static uint32_t find_crowd(const struct view *view, const uint32_t *chosen, bool *is_in, bool *is_wanted)
{
    const struct node_problem *problem = view->problem;
    uint32_t count = 0;
    for (uint32_t c = 0; c < problem->cell_count && !count; c++)
        count += is_in[c] = chosen[c] == NO_NODE;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t c = 0; c < problem->cell_count; c++)
            for (uint32_t n = 0; is_in[c] && n < problem->node_count; n++)
                is_wanted[n] |= fits(view, c, n);
        for (uint32_t c = 0; c < problem->cell_count; c++)
            if (!is_in[c] && (chosen[c] != NO_NODE ? is_wanted[chosen[c]] : wants_one_of(view, c, is_wanted))) {
                is_in[c] = grew = true;
                count++;
            }
    }
    return count;
}

static const char *names_of(const struct view *view, const bool *is_in)
{
    g_autoptr(GString) names = g_string_new(NULL);
    uint32_t count = 0, more = 0;
    for (uint32_t c = 0; c < view->problem->cell_count; c++) {
        if (!is_in[c])
            continue;
        if (count++ < 4)
            g_string_append_printf(names, "%s'%s'", count > 1 ? ", " : "", cell_at(view, c)->name);
        else
            more++;
    }
    if (more)
        g_string_append_printf(names, " and %u more", more);
    return arena_string(view->attempt->placing->scratch, names->str, names->len);
}

static const struct ids *numbers_of(const struct view *view, const bool *is_wanted)
{
    const struct room *room = view->attempt->room;
    struct arena *scratch = view->attempt->placing->scratch;
    uint32_t *numbers = arena_array(scratch, uint32_t, room->node_count), count = 0;
    for (uint32_t n = 0; n < room->node_count; n++)
        if (is_wanted[n])
            numbers[count++] = room->nodes[n].os_index;
    return ids_from_sorted(scratch, numbers, count);
}

/* How many cells alike find room, several on a node where they may share one. */
static uint32_t held_by(const struct view *view, uint32_t cell, const bool *is_wanted, uint32_t on_own_nodes)
{
    uint64_t needed = needed_by(view, cell), sum = 0;
    bool may_share = may_share_nodes(view->attempt->draft->guest) && needed;
    struct need many = need_of(view->attempt, view->index[cell]);
    *(many.cores ? &many.cores : &many.singles) = view->attempt->room->cpu_count;
    for (uint32_t n = 0; may_share && !many.floating && n < view->problem->node_count; n++)
        if (is_wanted[n] && (is_of_memory(view) || !shares_cpus(view, n)))
            sum += (is_of_memory(view)
                        ? left_on(view->attempt, &n, 1, view->attempt->lens.page_bytes)
                        : cpus_found(view->attempt->room, &view->attempt->room->nodes[n].cpus_at, 1, &many)) /
                   needed;
    return MAX(on_own_nodes, (uint32_t)MIN(sum, view->problem->cell_count - 1));
}

static void tell_crowd(const struct view *view, const uint32_t *chosen, uint32_t missing)
{
    const struct node_problem *problem = view->problem;
    struct arena *scratch = view->attempt->placing->scratch;
    bool *is_in = arena_array(scratch, bool, problem->cell_count);
    bool *is_wanted = arena_array(scratch, bool, problem->node_count);
    uint32_t crowd = find_crowd(view, chosen, is_in, is_wanted), first = 0;
    if (!crowd) { /* each could have a node, were it not for cells that are fixed, or for what they share */
        memset(is_in, true, problem->cell_count);
        for (uint32_t n = 0; n < problem->node_count; n++)
            for (uint32_t c = 0; c < problem->cell_count; c++)
                is_wanted[n] |= fits(view, c, n);
        crowd = problem->cell_count;
    }
    while (!is_in[first])
        first++;
    bool is_alike = true;
    for (uint32_t c = first + 1; c < problem->cell_count; c++)
        is_alike &= !is_in[c] || problem->alike[c] == c - 1;
    uint32_t node = nearest_node(view, first);
    fails(view->attempt, kind_of(view, first, node == NO_INDEX ? 0 : node), view->index[first], node,
          needed_by(view, first), node == NO_INDEX ? 0 : offered_to(view, first, node));
    struct misfit *misfit = view->attempt->misfit;
    misfit->extent = SOME_CELLS;
    misfit->crowd = crowd;
    misfit->missing = MAX(missing, 1);
    misfit->is_alike = is_alike;
    misfit->held = is_alike ? held_by(view, first, is_wanted, crowd - MIN(crowd, misfit->missing)) : 0;
    misfit->names = names_of(view, is_in);
    misfit->roomy = numbers_of(view, is_wanted);
}

/* Cells on several nodes whose CPUs are the same ones: those before `failed` have taken them. */
bool explain_taken(const struct attempt *attempt, const uint32_t *index, uint32_t count, uint32_t failed, uint32_t at)
{
    const struct room *room = attempt->room;
    struct node_problem problem = { .cell_count = count, .node_count = room->node_count };
    struct view view = { attempt, &problem, index };
    bool *is_in = arena_array(attempt->placing->scratch, bool, count), is_alike = true;
    bool *is_beside = arena_array(attempt->placing->scratch, bool, room->node_count);
    for (uint32_t n = 0; n < room->node_count; n++)
        is_beside[n] = room->nodes[n].is_choice && room->nodes[n].cpus_at == at;
    struct need need = need_of(attempt, index[failed]);
    for (uint32_t c = 0; c < count; c++) {
        is_in[c] = true;
        is_alike &= needed_by(&view, c) == wanted_of(&need);
    }
    fails(attempt, need.cores ? SHORT_CORES : SHORT_CPUS, index[failed], NO_INDEX, wanted_of(&need), 0);
    struct misfit *misfit = attempt->misfit;
    misfit->extent = SOME_CELLS;
    misfit->crowd = count;
    misfit->missing = count - failed;
    misfit->is_alike = is_alike;
    misfit->held = failed;
    misfit->names = names_of(&view, is_in);
    misfit->roomy = numbers_of(&view, is_beside);
    return false;
}

/* ---- apart ------------------------------------------------------------------------------------------------------ */

enum { TOLD_NODES = 8 };

/* By node what is short there for the first cell that finds none. */
static void tell_apart(const struct view *view, const uint32_t *chosen)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint32_t cell = 0, told = 0;
    for (uint32_t c = view->problem->cell_count; c-- > 0;)
        cell = chosen[c] == NO_NODE ? c : cell;
    const struct draft_cell *homeless = cell_at(view, cell);
    struct need need = need_of(view->attempt, view->index[cell]);
    for (uint32_t n = 0; n < view->problem->node_count; n++) {
        if (!is_possible(view, n) || told++ >= TOLD_NODES)
            continue;
        bool has_memory = memory_has_room(view->attempt, homeless, &n, 1);
        bool has_cpus = cpu_shortage(view->attempt->room, &view->attempt->room->nodes[n].cpus_at, 1, &need) == FITS;
        const char *lacks = has_memory && has_cpus ? "is taken by another of its cells"
                            : has_memory           ? "is short of CPUs"
                            : !has_cpus            ? "is short of both"
                            : homeless->page_bytes && homeless->page_bytes != PAGES_LARGEST ? "is short of pages"
                                                                                            : "is short of memory";
        g_string_append_printf(text, "%snode %u %s", text->len ? ", " : "", view->attempt->room->nodes[n].os_index,
                               lacks);
    }
    if (told > TOLD_NODES)
        g_string_append_printf(text, " and so on");
    fails(view->attempt, SHORT_MEMORY, view->index[cell], NO_INDEX, wanted_bytes(homeless), 0);
    view->attempt->misfit->extent = NODES_APART;
    view->attempt->misfit->apart = arena_string(view->attempt->placing->scratch, text->str, text->len);
}

bool explain_open(const struct attempt *attempt, const struct node_problem *problem, const uint32_t *index)
{
    struct view view = { attempt, problem, index };
    uint32_t *chosen = arena_array(attempt->placing->scratch, uint32_t, problem->cell_count);
    uint32_t missing = problem->cell_count - match_cells(attempt->placing->scratch, problem, chosen);
    if (attempt->lens.kind == LENS_ALL)
        tell_apart(&view, chosen);
    else if (!is_short_in_all(&view) && !is_homeless(&view))
        tell_crowd(&view, chosen, missing);
    return false;
}
