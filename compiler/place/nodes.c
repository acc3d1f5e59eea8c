/* SPDX-License-Identifier: MIT
 *
 * The exact placer for cells that each get a node of their own.  All pairs of cells count alike, so the sum of
 * distances depends only on the set of nodes: sets are searched, by branch and bound, and a matching tells all the
 * while whether the cells can still be laid on them.  First the least sum, then the best ranks among the sets with that
 * sum; cells then take the nodes of the set in rising order as far as they fit.
 *
 * Whether any choice exists is answered by matching before, so "does not fit" never costs a search.  The work is
 * bounded: a search that ends early gives the best set so far, always a right answer, then perhaps not the nearest.  Up
 * to 8 cells on 16 nodes (12,870 sets) the bound is not reached.
 */
#include "place/nodes.h"

#include <stdlib.h>
#include <string.h>

enum { DISTANCE_STEPS = 100000, RANK_STEPS = 2000, CELLS_MOST = 64 };

/* ---- a node for each, at any distance --------------------------------------------------------------------------- */

struct matching {
    const struct node_problem *problem;
    uint32_t *owner; /* by node: the cell on it */
    uint32_t *via;   /* by node: the cell that wants it, in this round */
    uint32_t *queue;
    bool *is_seen;
};

/* Looks for a chain of cells that move over so that this one finds a node; breadth first, so without recursion. */
static bool find_node(struct matching *matching, uint32_t cell, uint32_t *chosen)
{
    const struct node_problem *problem = matching->problem;
    uint32_t head = 0, tail = 0;
    memset(matching->is_seen, 0, problem->node_count);
    matching->queue[tail++] = cell;
    while (head < tail) {
        uint32_t wants = matching->queue[head++];
        const bool *fits = problem->fits + (size_t)wants * problem->node_count;
        for (uint32_t node = 0; node < problem->node_count; node++) {
            if (!fits[node] || matching->is_seen[node] || (problem->is_used && problem->is_used[node]))
                continue;
            matching->is_seen[node] = true;
            matching->via[node] = wants;
            if (matching->owner[node] != NO_NODE) {
                matching->queue[tail++] = matching->owner[node];
                continue;
            }
            for (uint32_t free = node, next; free != NO_NODE; free = next) {
                uint32_t mover = matching->via[free];
                next = chosen[mover];
                chosen[mover] = free;
                matching->owner[free] = mover;
            }
            return true;
        }
    }
    return false;
}

uint32_t match_cells(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    uint32_t found = 0;
    struct matching matching = {
        .problem = problem,
        .owner = arena_array(arena, uint32_t, problem->node_count),
        .via = arena_array(arena, uint32_t, problem->node_count),
        .queue = arena_array(arena, uint32_t, (size_t)problem->cell_count + problem->node_count),
        .is_seen = arena_array(arena, bool, problem->node_count),
    };
    for (uint32_t node = 0; node < problem->node_count; node++)
        matching.owner[node] = NO_NODE;
    for (uint32_t cell = 0; cell < problem->cell_count; cell++)
        chosen[cell] = NO_NODE;
    for (uint32_t cell = 0; cell < problem->cell_count; cell++)
        found += find_node(&matching, cell, chosen);
    return found;
}

/* ---- one cell: the best rank wins unless fixed cells make a difference ------------------------------------------ */

static bool choose_one(const struct node_problem *problem, uint32_t *chosen)
{
    chosen[0] = NO_NODE;
    for (uint32_t node = 0; node < problem->node_count; node++) {
        if (!problem->fits[node] || (problem->is_used && problem->is_used[node]))
            continue;
        uint32_t best = chosen[0];
        uint32_t far = problem->fixed ? problem->fixed[node] : 0;
        uint32_t best_far = problem->fixed && best != NO_NODE ? problem->fixed[best] : 0;
        if (best == NO_NODE || far < best_far || (far == best_far && problem->rank[node] < problem->rank[best]))
            chosen[0] = node;
    }
    return chosen[0] != NO_NODE;
}

/* ---- the work of all searches ----------------------------------------------------------------------------------- */

static uint64_t looks_of_a_step(const struct node_problem *problem)
{
    return (uint64_t)problem->node_count * (problem->cell_count + 2);
}

uint32_t steps_allowed(const struct node_problem *problem, uint32_t wanted)
{
    return problem->looks_left ? (uint32_t)MIN(wanted, *problem->looks_left / looks_of_a_step(problem)) : wanted;
}

void spend_steps(const struct node_problem *problem, uint32_t steps)
{
    if (problem->looks_left)
        *problem->looks_left -= MIN(*problem->looks_left, steps * looks_of_a_step(problem));
}

/* ---- sets of nodes ---------------------------------------------------------------------------------------------- */

struct search {
    const struct node_problem *problem;
    uint32_t *order; /* nodes that some cell fits, the most central first; by rank, the best rank first */
    uint32_t order_count;
    uint32_t
        *near; /* a row for each node, as long as there are cells: 0, then the distance to its nearest, two nearest,
                  ... other nodes */
    uint32_t *reach; /* a row for each depth: by node, distance to all nodes of the set so far */
    uint32_t *owner; /* a row for each depth: by cell, the node of the set it is matched with; NO_NODE */
    uint32_t *set, *best;
    uint64_t *costs; /* room for cost_to_come() */
    bool *is_seen;   /* by cell, while a node looks for one */
    uint64_t best_distance, best_rank;
    uint32_t steps, steps_limit;
    bool by_rank, is_found;
};

/* Gives a node that joins the set a cell, moving others over where need be; at most as deep as there are cells. */
static bool find_cell(const struct search *search, uint32_t *owner, uint32_t node)
{
    const struct node_problem *problem = search->problem;
    for (uint32_t cell = 0; cell < problem->cell_count; cell++) {
        if (search->is_seen[cell] || !problem->fits[(size_t)cell * problem->node_count + node])
            continue;
        search->is_seen[cell] = true;
        uint32_t before = owner[cell];
        if (before == NO_NODE || find_cell(search, owner, before)) {
            owner[cell] = node;
            return true;
        }
    }
    return false;
}

/* What a node costs at least, doubled, when `left` more join the set with it: all of the way to the set so far, half of
 * the way to the others to come, which are nowhere nearer than its nearest nodes. */
static uint64_t least_cost(const struct search *search, const uint32_t *reach, uint32_t left, uint32_t node)
{
    return 2 * (uint64_t)reach[node] + search->near[(size_t)node * search->problem->cell_count + left];
}

/* At least this much is still to come, doubled: the cheapest of the nodes that are left. */
static uint64_t cost_to_come(const struct search *search, uint32_t depth, uint32_t from)
{
    const uint32_t *reach = search->reach + (size_t)depth * search->problem->node_count;
    uint32_t left = search->problem->cell_count - depth, kept = 0;
    uint64_t sum = 0, *costs = search->costs;
    for (uint32_t i = from; i < search->order_count; i++) {
        uint64_t cost = least_cost(search, reach, left - 1, search->order[i]);
        if (kept == left && cost >= costs[kept - 1])
            continue;
        uint32_t at = kept < left ? kept++ : kept - 1;
        for (; at && costs[at - 1] > cost; at--)
            costs[at] = costs[at - 1];
        costs[at] = cost;
    }
    for (uint32_t i = 0; i < kept; i++)
        sum += costs[i];
    return sum;
}

static bool is_hopeless(const struct search *search, uint32_t depth, uint32_t from, uint64_t distance, uint64_t rank)
{
    if (search->problem->cell_count - depth > search->order_count - from)
        return true; /* not enough nodes left */
    if (!search->is_found)
        return false;
    uint64_t to_come = depth < search->problem->cell_count ? cost_to_come(search, depth, from) : 0;
    if (search->by_rank)
        return 2 * distance + to_come > 2 * search->best_distance || rank >= search->best_rank;
    return 2 * distance + to_come + 1 >= 2 * search->best_distance; /* sums are whole: half a step is none */
}

static void descend(struct search *search, uint32_t depth, uint32_t from, uint64_t distance, uint64_t rank)
{
    const struct node_problem *problem = search->problem;
    size_t nodes = problem->node_count, cells = problem->cell_count;
    if (depth == cells) {
        search->is_found = true;
        search->best_distance = distance;
        search->best_rank = rank;
        memcpy(search->best, search->set, cells * sizeof *search->best);
        return;
    }
    uint32_t *reach = search->reach + depth * nodes, *owner = search->owner + depth * cells;
    for (uint32_t i = from; i < search->order_count && search->steps < search->steps_limit; i++) {
        if (is_hopeless(search, depth, i, distance, rank))
            return;
        uint32_t node = search->order[i];
        search->steps++;
        memcpy(owner + cells, owner, cells * sizeof *owner);
        memset(search->is_seen, 0, cells);
        if (!find_cell(search, owner + cells, node))
            continue;
        for (uint32_t other = 0; other < nodes; other++)
            reach[nodes + other] = reach[other] + problem->between[node * nodes + other];
        search->set[depth] = node;
        uint64_t far = distance + reach[node], worse = rank + problem->rank[node];
        if (!is_hopeless(search, depth + 1, i + 1, far, worse))
            descend(search, depth + 1, i + 1, far, worse);
    }
}

/* ---- preparing it, and the answer ------------------------------------------------------------------------------- */

static void measure_near(const struct search *search, uint32_t node)
{
    uint32_t cells = search->problem->cell_count, found = 0;
    uint32_t *near = search->near + (size_t)node * cells;
    const uint32_t *between = search->problem->between + (size_t)node * search->problem->node_count;
    for (uint32_t i = 0; i < search->order_count; i++) {
        uint32_t other = search->order[i], at;
        if (other == node || (found == cells - 1 && between[other] >= near[found]))
            continue;
        for (at = found < cells - 1 ? ++found : found; at > 1 && near[at - 1] > between[other]; at--)
            near[at] = near[at - 1];
        near[at] = between[other];
    }
    for (uint32_t i = 1; i < cells; i++)
        near[i] += near[i - 1];
}

static bool is_later(const struct search *search, uint32_t a, uint32_t b)
{
    uint32_t left = search->problem->cell_count - 1;
    if (search->by_rank)
        return search->problem->rank[a] > search->problem->rank[b];
    return least_cost(search, search->reach, left, a) > least_cost(search, search->reach, left, b);
}

static void order_nodes(struct search *search)
{
    for (uint32_t i = 1; i < search->order_count; i++) {
        uint32_t node = search->order[i], at = i;
        for (; at && is_later(search, search->order[at - 1], node); at--)
            search->order[at] = search->order[at - 1];
        search->order[at] = node;
    }
}

static void prepare(struct arena *arena, struct search *search, const struct node_problem *problem)
{
    uint32_t cells = problem->cell_count, nodes = problem->node_count;
    *search = (struct search){ .problem = problem };
    search->order = arena_array(arena, uint32_t, nodes);
    search->near = arena_array(arena, uint32_t, (size_t)nodes * cells);
    search->reach = arena_array(arena, uint32_t, (size_t)(cells + 1) * nodes);
    search->owner = arena_array(arena, uint32_t, (size_t)(cells + 1) * cells);
    search->set = arena_array(arena, uint32_t, cells);
    search->best = arena_array(arena, uint32_t, cells);
    search->costs = arena_array(arena, uint64_t, cells);
    search->is_seen = arena_array(arena, bool, cells);
    for (uint32_t node = 0; node < nodes; node++) {
        bool fits_any = false;
        search->reach[node] = problem->fixed ? problem->fixed[node] : 0;
        for (uint32_t cell = 0; cell < cells; cell++)
            fits_any |= problem->fits[(size_t)cell * nodes + node];
        if (fits_any && !(problem->is_used && problem->is_used[node]))
            search->order[search->order_count++] = node;
    }
    for (uint32_t cell = 0; cell < cells; cell++)
        search->owner[cell] = NO_NODE;
    for (uint32_t i = 0; i < search->order_count; i++)
        measure_near(search, search->order[i]);
}

static void search_sets(struct search *search, uint32_t limit, bool by_rank)
{
    search->steps = 0;
    search->steps_limit = steps_allowed(search->problem, limit);
    search->by_rank = by_rank;
    order_nodes(search);
    descend(search, 0, 0, 0, 0);
    spend_steps(search->problem, search->steps);
}

static int rising(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static bool are_alike(const struct node_problem *problem)
{
    for (uint32_t cell = 1; cell < problem->cell_count; cell++)
        if (problem->alike[cell] != cell - 1)
            return false;
    return true;
}

/* Lays cells on a set that can hold them: each in turn on the lowest node that leaves the others a way. */
static void lay_on(struct arena *arena, const struct node_problem *problem, uint32_t *set, uint32_t *chosen)
{
    uint32_t cells = problem->cell_count, *trial = arena_array(arena, uint32_t, cells);
    size_t nodes = problem->node_count;
    qsort(set, cells, sizeof *set, rising);
    if (are_alike(problem)) {
        memcpy(chosen, set, cells * sizeof *chosen);
        return;
    }
    bool *fits = arena_array(arena, bool, cells *nodes);
    struct node_problem rest = *problem;
    rest.fits = fits;
    for (uint32_t cell = 0; cell < cells; cell++)
        for (uint32_t i = 0; i < cells; i++)
            fits[cell * nodes + set[i]] = problem->fits[cell * nodes + set[i]];
    for (uint32_t cell = 0; cell < cells; cell++) {
        bool *row = fits + cell * nodes;
        for (uint32_t i = 0; i < cells; i++) {
            if (!row[set[i]])
                continue;
            bool *kept = arena_copy(arena, row, nodes);
            memset(row, 0, nodes);
            row[set[i]] = true;
            chosen[cell] = set[i];
            if (match_cells(arena, &rest, trial) == cells)
                break;
            memcpy(row, kept, nodes);
        }
    }
}

static bool on_own_nodes(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    struct search search;
    if (problem->cell_count == 1)
        return choose_one(problem, chosen);
    if (match_cells(arena, problem, chosen) < problem->cell_count)
        return false;
    if (problem->cell_count > CELLS_MOST || !steps_allowed(problem, problem->node_count))
        return true; /* the matching stands, as it does where a search finds nothing in its time */
    spend_steps(problem, problem->node_count); /* each node is compared with all others to prepare */
    prepare(arena, &search, problem);
    search_sets(&search, DISTANCE_STEPS, false);
    if (!search.is_found)
        return true;
    search_sets(&search, RANK_STEPS, true); /* the same sum, but better ranks than the first set found */
    lay_on(arena, problem, search.best, chosen);
    return true;
}

const struct placer exact_placer = { "exact", on_own_nodes, share_nodes };
