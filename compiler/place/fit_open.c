/* SPDX-License-Identifier: MIT
 *
 * Cells whose nodes the site leaves open: what the host offers each of them is made into a problem of nodes, the placer
 * answers it, and the cells are entered.  Where there is no answer, the cell and the resource that stand in the way are
 * looked for.
 */
#include "place/draft.h"
#include "place/nodes.h"

/* Cells that the site made may stand on one node; those that numac makes, `cells auto` too, have one each. */
bool may_share_nodes(const struct guest *guest)
{
    return guest->cell_count || (guest->cells_wanted && guest->cells_wanted != CELLS_AUTO);
}

struct open_cells { /* the state behind node_problem.fits_beside */
    const struct attempt *attempt;
    const uint32_t *index; /* of each open cell, in the draft */
    uint32_t count;
};

static bool node_fits(const struct attempt *attempt, uint32_t index, uint32_t node, const struct need *need)
{
    const struct draft_cell *cell = &attempt->draft->cells[index];
    if (!attempt->room->nodes[node].is_choice || !memory_has_room(attempt, cell, &node, 1))
        return false;
    uint32_t at = attempt->room->nodes[node].cpus_at;
    if (attempt->lens.kind == LENS_MEMORY && cell->vcpu_count && cell->locality->pin != PIN_NONE &&
        !node_is_in(attempt->room, at, attempt->draft->scope))
        return false; /* memory stands beside the CPUs, though these are not counted here */
    return cpu_shortage(attempt->room, &at, 1, need) == FITS;
}

static bool same_need(const struct need *a, const struct need *b)
{
    return a->singles == b->singles && a->cores == b->cores && a->threads == b->threads && a->floating == b->floating &&
           a->within == b->within && a->allowed == b->allowed && a->bytes == b->bytes && a->page_bytes == b->page_bytes;
}

/* Several cells on one node: their needs together must fit it, under the narrowest wishes of each of them. */
static bool fits_beside(const void *state, uint32_t cell, uint32_t node, const uint32_t *chosen)
{
    const struct open_cells *open = state;
    struct need own = need_of(open->attempt, open->index[cell]), sum = own;
    uint64_t bytes = own.bytes;
    for (uint32_t other = 0; other < open->count; other++) {
        if (other == cell || chosen[other] != node)
            continue;
        struct need need = need_of(open->attempt, open->index[other]);
        sum.singles += need.singles;
        sum.cores += need.cores;
        sum.floating += need.floating;
        bytes += need.page_bytes == own.page_bytes ? need.bytes : 0;
    }
    const struct draft_cell *here = &open->attempt->draft->cells[open->index[cell]];
    uint64_t page = own.page_bytes == PAGES_LARGEST ? PAGES_NORMAL : own.page_bytes;
    if (!memory_fits(open->attempt->room, &node, 1, here->locality->policy, page, bytes))
        return false;
    struct need cores = sum, singles = sum, floating = sum;
    cores.floating = cores.singles = singles.cores = singles.floating = floating.cores = 0;
    singles.singles += sum.cores * open->attempt->room->smt;
    floating.singles = sum.floating ? singles.singles : 0; /* vCPUs float over what the others leave */
    uint32_t at = open->attempt->room->nodes[node].cpus_at;
    return cpu_shortage(open->attempt->room, &at, 1, &cores) == FITS &&
           (!sum.singles || cpu_shortage(open->attempt->room, &at, 1, &singles) == FITS) &&
           cpu_shortage(open->attempt->room, &at, 1, &floating) == FITS;
}

struct ranked { /* a node on its way to its rank */
    uint32_t node;
    uint64_t page_bytes; /* what `pages largest` would get there */
    uint64_t cpus, memory, floating;
};

/* Larger pages first; then, pack: the fullest node first, spread: the emptiest; then the lowest. */
static int by_rank(const void *a, const void *b, gpointer is_spread_site)
{
    const struct ranked *left = a, *right = b;
    bool spread = is_spread_site != NULL;
    if (left->page_bytes != right->page_bytes)
        return left->page_bytes > right->page_bytes ? -1 : 1;
    if (left->cpus != right->cpus)
        return (left->cpus > right->cpus) == spread ? -1 : 1;
    if (left->memory != right->memory)
        return (left->memory < right->memory) == spread ? -1 : 1;
    if (left->floating != right->floating)
        return (left->floating < right->floating) == spread ? -1 : 1;
    return left->node < right->node ? -1 : 1;
}

static const uint32_t *rank_nodes(const struct attempt *attempt, struct arena *scratch, const struct draft_cell *first)
{
    uint32_t count = attempt->room->node_count, *rank = arena_array(scratch, uint32_t, count);
    struct ranked *rows = arena_array(scratch, struct ranked, count);
    for (uint32_t n = 0; n < count; n++) {
        const struct room_node *node = &attempt->room->nodes[n];
        rows[n] = (struct ranked){ .node = n,
                                   .cpus = (uint64_t)node->loose_cpus + node->free_isolated,
                                   .memory = node->memory_guests,
                                   .floating = node->floating_sum };
        if (first->page_bytes == PAGES_LARGEST)
            rows[n].page_bytes = largest_page(attempt->room, &n, 1, first);
    }
    g_qsort_with_data(rows, (gint)count, sizeof *rows, by_rank, site_spreads(attempt) ? scratch : NULL);
    for (uint32_t n = 0; n < count; n++)
        rank[rows[n].node] = n;
    return rank;
}

static const uint32_t *fixed_distances(const struct attempt *attempt, struct arena *scratch, bool *is_used,
                                       bool *out_any)
{
    const struct room *room = attempt->room;
    uint32_t *sums = arena_array(scratch, uint32_t, room->node_count);
    for (uint32_t c = 0; c < attempt->draft->cell_count; c++) {
        uint32_t at = attempt->draft->cells[c].node;
        if (at == NO_INDEX)
            continue;
        *out_any = is_used[at] = true;
        for (uint32_t n = 0; n < room->node_count; n++)
            sums[n] += room->between[at * room->node_count + n];
    }
    return sums;
}

static bool choose_nodes(const struct attempt *attempt, struct arena *scratch, const uint32_t *index, uint32_t count,
                         uint32_t *chosen)
{
    uint32_t nodes = attempt->room->node_count;
    bool *fits = arena_array(scratch, bool, (size_t)count *nodes), *is_used = arena_array(scratch, bool, nodes);
    uint32_t *alike = arena_array(scratch, uint32_t, count);
    struct open_cells open = { attempt, index, count };
    bool any_fixed = false;
    struct need before = { 0 };
    for (uint32_t c = 0; c < count; c++) {
        struct need need = need_of(attempt, index[c]);
        const struct locality *here = attempt->draft->cells[index[c]].locality;
        bool is_alike =
            c && same_need(&before, &need) && here->policy == attempt->draft->cells[index[c - 1]].locality->policy;
        alike[c] = is_alike ? c - 1 : NO_NODE;
        for (uint32_t n = 0; n < nodes; n++)
            fits[c * nodes + n] = is_alike ? fits[(c - 1) * nodes + n] : node_fits(attempt, index[c], n, &need);
        before = need;
    }
    struct node_problem problem = { .cell_count = count,
                                    .node_count = nodes,
                                    .fits = fits,
                                    .between = attempt->room->between,
                                    .rank = rank_nodes(attempt, scratch, &attempt->draft->cells[index[0]]),
                                    .alike = alike,
                                    .fits_beside = fits_beside,
                                    .state = &open,
                                    .looks_left = &attempt->placing->looks_left };
    problem.fixed = fixed_distances(attempt, scratch, is_used, &any_fixed);
    problem.is_used = is_used;
    if (exact_placer.on_own_nodes(scratch, &problem, chosen))
        return true;
    if ((may_share_nodes(attempt->draft->guest) || any_fixed) && exact_placer.sharing_nodes(scratch, &problem, chosen))
        return true;
    return attempt->wants_reason ? explain_open(attempt, &problem, index) : false;
}

/* ---- drawn by a pin table --------------------------------------------------------------------------------------- */

/* The nearest node to its CPUs that has room beside the cells before it; of several the one with most memory, so that
 * later tables are not crowded out of theirs. */
static uint32_t nearest_fit(const struct open_cells *open, uint32_t cell, const uint64_t *way, const uint32_t *chosen)
{
    const struct attempt *attempt = open->attempt;
    struct need need = need_of(attempt, open->index[cell]);
    uint32_t best = NO_NODE;
    for (uint32_t n = 0; n < attempt->room->node_count; n++) {
        bool is_nearer = best == NO_NODE || way[n] < way[best];
        if (!is_nearer && way[n] == way[best])
            is_nearer = left_on(attempt, &n, 1, need.page_bytes) > left_on(attempt, &best, 1, need.page_bytes);
        if (is_nearer && node_fits(attempt, open->index[cell], n, &need) && fits_beside(open, cell, n, chosen))
            best = n;
    }
    return best;
}

/* Gives drawn cells their nodes in `chosen`.  False: not each of them finds one so. */
static bool draw_cells(const struct open_cells *open, struct arena *scratch, uint32_t *chosen)
{
    struct draft *draft = open->attempt->draft;
    bool is_settled = true;
    for (uint32_t i = 0; i < open->count && is_settled; i++) {
        const uint64_t *way = way_to_pins(open->attempt, scratch, &draft->cells[open->index[i]]);
        draft->cells[open->index[i]].is_drawn = way != NULL;
        if (!way)
            continue;
        chosen[i] = nearest_fit(open, i, way, chosen);
        is_settled = chosen[i] != NO_NODE;
    }
    return is_settled;
}

/* Enters the open cells that a pin table draws, and leaves the others in `index`. */
static bool enter_drawn(const struct attempt *attempt, uint32_t *index, uint32_t *count)
{
    struct draft *draft = attempt->draft;
    struct arena *scratch = arena_new();
    uint32_t *chosen = arena_array(scratch, uint32_t, *count), left = 0;
    struct open_cells open = { attempt, index, *count };
    for (uint32_t i = 0; i < *count; i++)
        chosen[i] = NO_NODE;
    bool is_settled = draw_cells(&open, scratch, chosen), is_entered = true;
    for (uint32_t i = 0; i < *count && is_entered; i++) {
        if (!is_settled || chosen[i] == NO_NODE) {
            draft->cells[index[i]].is_drawn = false;
            index[left++] = index[i];
        } else {
            is_entered = enter_cell(attempt, index[i], chosen[i]) ||
                         explain_taken(attempt, index, *count, i, attempt->room->nodes[chosen[i]].cpus_at);
        }
    }
    *count = left;
    arena_free(scratch);
    return is_entered;
}

bool enter_open(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint32_t *index = arena_array(attempt->placing->brief, uint32_t, draft->cell_count), count = 0;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (!draft->cells[c].fixed)
            index[count++] = c;
    if (draft->guest->locality.pin_rows.count && count && !enter_drawn(attempt, index, &count))
        return false;
    if (!count)
        return true;
    uint32_t *chosen = arena_array(attempt->placing->brief, uint32_t, count);
    if (!choose_nodes(attempt, attempt->placing->brief, index, count, chosen))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        draft->cells[index[i]].node = chosen[i];
        if (!enter_cell(attempt, index[i], chosen[i]))
            return explain_taken(attempt, index, count, i, attempt->room->nodes[chosen[i]].cpus_at);
    }
    return true;
}
