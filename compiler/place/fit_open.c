/* SPDX-License-Identifier: MIT
 *
 * Cells whose nodes the site leaves open: what the host offers each of them is made into a problem of nodes, the placer
 * answers it, and the cells are entered.  Where there is no answer, the cell and the resource that stand in the way are
 * looked for.
 */
#include "place/draft.h"
#include "place/nodes.h"

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
    if (attempt->lens.kind == LENS_MEMORY && cell->vcpu_count && cell->locality->pin != PIN_NONE &&
        !node_is_in(attempt->room, node, attempt->draft->scope))
        return false; /* memory stands beside the CPUs, though these are not counted here */
    return cpu_shortage(attempt->room, &node, 1, need) == FITS;
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
    return cpu_shortage(open->attempt->room, &node, 1, &cores) == FITS &&
           (!sum.singles || cpu_shortage(open->attempt->room, &node, 1, &singles) == FITS) &&
           cpu_shortage(open->attempt->room, &node, 1, &floating) == FITS;
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

/* `scratch` ends with the choice: on hosts of many nodes it holds much, and there may be many guests. */
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
    bool is_settled = attempt->draft->guest->cell_count || attempt->draft->guest->cells_wanted || any_fixed;
    if (is_settled && exact_placer.sharing_nodes(scratch, &problem, chosen))
        return true;
    return attempt->wants_reason ? explain_open(attempt, &problem, index) : false;
}

bool enter_open(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint32_t *index = arena_array(attempt->placing->scratch, uint32_t, draft->cell_count), count = 0;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (!draft->cells[c].fixed)
            index[count++] = c;
    if (!count)
        return true;
    uint32_t *chosen = arena_array(attempt->placing->scratch, uint32_t, count);
    struct arena *scratch = arena_new();
    bool is_chosen = choose_nodes(attempt, scratch, index, count, chosen);
    arena_free(scratch);
    if (!is_chosen)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        draft->cells[index[i]].node = chosen[i];
        draft->cells[index[i]].nodes = attempt->room->nodes[chosen[i]].self;
        if (!enter_cell(attempt, index[i], &chosen[i], 1))
            return fails(attempt, SHORT_CPUS, index[i], chosen[i], 0, 0);
    }
    return true;
}
