/* SPDX-License-Identifier: MIT
 *
 * The exact placer: the least sum of distances over all pairs of cells, found by branch and bound; then the best ranks
 * among the choices with that sum; then the lowest nodes.  Whether any choice exists is answered first, by matching,
 * so that "does not fit" never costs a search.
 *
 * The work is bounded.  A search that reaches its bound gives the best choice so far, or the matching: always a right
 * answer, then perhaps not the nearest.  Up to 8 cells on 16 nodes the bound is not reached in practice.
 */
#include "place/nodes.h"

#include <string.h>

enum { DISTANCE_STEPS = 400000, RANK_STEPS = 20000, DEEPEST = 64 };

struct search {
    const struct node_problem *problem;
    uint32_t *chosen; /* by cell; NO_NODE */
    uint32_t *best;
    bool *is_used;
    uint32_t *order; /* cells, the one with the fewest nodes first */
    uint32_t *reach; /* a row for each depth: by node, distance to all cells chosen so far */
    uint64_t best_distance, best_rank;
    uint32_t steps, steps_limit, least_between;
    bool by_rank, may_share, is_found;
};

/* ---- a node for each, at any distance -----------------------------------------------------------------------------
 */

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

/* ---- one cell: the best rank wins unless fixed cells make a difference
 * ------------------------------------------------ */

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

/* ---- branch and bound
 * --------------------------------------------------------------------------------------------------- */

static bool may_stand(const struct search *search, uint32_t cell, uint32_t node)
{
    const struct node_problem *problem = search->problem;
    if (!problem->fits[(size_t)cell * problem->node_count + node])
        return false;
    uint32_t twin = problem->alike[cell];
    if (twin != NO_NODE && search->chosen[twin] != NO_NODE && node < search->chosen[twin])
        return false; /* cells alike stand in rising order: the other orders give nothing new */
    if (search->may_share)
        return problem->fits_beside(problem->state, cell, node, search->chosen);
    return !search->is_used[node];
}

/* At least this much is still to come when `left` cells are open: each goes to the nearest node it fits, and two of
 * them are never nearer to each other than the two nearest nodes. */
static uint64_t distance_to_come(const struct search *search, uint32_t depth)
{
    const struct node_problem *problem = search->problem;
    const uint32_t *reach = search->reach + (size_t)depth * problem->node_count;
    uint64_t left = problem->cell_count - depth, sum = left * (left - 1) / 2 * search->least_between;
    for (uint32_t at = depth; at < problem->cell_count; at++) {
        const bool *fits = problem->fits + (size_t)search->order[at] * problem->node_count;
        uint32_t nearest = UINT32_MAX;
        for (uint32_t node = 0; node < problem->node_count; node++)
            if (fits[node] && !search->is_used[node] && reach[node] < nearest)
                nearest = reach[node];
        if (nearest == UINT32_MAX)
            return UINT64_MAX / 2; /* a cell has no node left: nothing below here */
        sum += nearest;
    }
    return sum;
}

static bool is_hopeless(const struct search *search, uint32_t depth, uint64_t distance, uint64_t rank)
{
    uint64_t least = distance + distance_to_come(search, depth);
    if (least >= UINT64_MAX / 2)
        return true;
    if (search->by_rank)
        return least > search->best_distance || (search->is_found && rank >= search->best_rank);
    return search->is_found && least >= search->best_distance;
}

static void descend(struct search *search, uint32_t depth, uint64_t distance, uint64_t rank)
{
    const struct node_problem *problem = search->problem;
    uint32_t count = problem->node_count;
    if (depth == problem->cell_count) {
        search->is_found = true;
        search->best_distance = distance;
        search->best_rank = rank;
        memcpy(search->best, search->chosen, problem->cell_count * sizeof *search->best);
        return;
    }
    uint32_t cell = search->order[depth], *reach = search->reach + (size_t)depth * count;
    for (uint32_t node = 0; node < count && search->steps < search->steps_limit; node++) {
        if (!may_stand(search, cell, node))
            continue;
        search->steps++;
        for (uint32_t other = 0; other < count; other++)
            reach[count + other] = reach[other] + problem->between[(size_t)node * count + other];
        search->chosen[cell] = node;
        search->is_used[node] = !search->may_share;
        uint64_t far = distance + reach[node], worse = rank + problem->rank[node];
        if (!is_hopeless(search, depth + 1, far, worse))
            descend(search, depth + 1, far, worse);
        search->is_used[node] = !search->may_share && problem->is_used && problem->is_used[node];
        search->chosen[cell] = NO_NODE;
    }
}

/* Cells with few nodes first; alike ones keep their order, which may_stand() relies on. */
static void order_cells(struct arena *arena, struct search *search)
{
    const struct node_problem *problem = search->problem;
    uint32_t *choices = arena_array(arena, uint32_t, problem->cell_count);
    for (uint32_t cell = 0; cell < problem->cell_count; cell++) {
        for (uint32_t node = 0; node < problem->node_count; node++)
            choices[cell] += problem->fits[(size_t)cell * problem->node_count + node];
        uint32_t at = cell;
        for (; at && choices[search->order[at - 1]] > choices[cell]; at--)
            search->order[at] = search->order[at - 1];
        search->order[at] = cell;
    }
}

static void prepare(struct arena *arena, struct search *search, const struct node_problem *problem, bool may_share)
{
    uint32_t cells = problem->cell_count, nodes = problem->node_count;
    *search = (struct search){ .problem = problem, .may_share = may_share };
    search->chosen = arena_array(arena, uint32_t, cells);
    search->best = arena_array(arena, uint32_t, cells);
    search->order = arena_array(arena, uint32_t, cells);
    search->is_used = arena_array(arena, bool, nodes);
    search->reach = arena_array(arena, uint32_t, (size_t)(cells + 1) * nodes);
    search->least_between = UINT32_MAX;
    for (uint32_t cell = 0; cell < cells; cell++)
        search->chosen[cell] = NO_NODE;
    for (uint32_t a = 0; a < nodes; a++) {
        search->is_used[a] = !may_share && problem->is_used && problem->is_used[a];
        search->reach[a] = problem->fixed ? problem->fixed[a] : 0;
        for (uint32_t b = 0; b < nodes; b++)
            if (a != b || may_share)
                search->least_between = MIN(search->least_between, problem->between[(size_t)a * nodes + b]);
    }
    if (nodes < 2 && !may_share)
        search->least_between = 0;
    order_cells(arena, search);
}

static bool search_all(struct arena *arena, const struct node_problem *problem, bool may_share, uint32_t *chosen)
{
    struct search search;
    prepare(arena, &search, problem, may_share);
    search.steps_limit = DISTANCE_STEPS;
    descend(&search, 0, 0, 0);
    if (!search.is_found)
        return false;
    memcpy(chosen, search.best, problem->cell_count * sizeof *chosen);
    search.by_rank = true; /* the same sum of distances, but better ranks than the first one found */
    search.steps = 0;
    search.steps_limit = RANK_STEPS;
    descend(&search, 0, 0, 0);
    memcpy(chosen, search.best, problem->cell_count * sizeof *chosen);
    return true;
}

static bool on_own_nodes(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    if (problem->cell_count == 1)
        return choose_one(problem, chosen);
    if (match_cells(arena, problem, chosen) < problem->cell_count)
        return false;
    if (problem->cell_count <= DEEPEST)
        search_all(arena, problem, false,
                   chosen); /* else, and where it finds nothing in its time, the matching stands */
    return true;
}

/* Too many cells to search: each in turn goes to the nearest node that has room beside the ones before. */
static bool share_greedily(const struct node_problem *problem, uint32_t *chosen)
{
    for (uint32_t cell = 0; cell < problem->cell_count; cell++)
        chosen[cell] = NO_NODE;
    for (uint32_t cell = 0; cell < problem->cell_count; cell++) {
        uint64_t best = UINT64_MAX;
        uint32_t found = NO_NODE;
        for (uint32_t node = 0; node < problem->node_count; node++) {
            if (!problem->fits[(size_t)cell * problem->node_count + node] ||
                !problem->fits_beside(problem->state, cell, node, chosen))
                continue;
            uint64_t far = problem->fixed ? problem->fixed[node] : 0;
            for (uint32_t other = 0; other < cell; other++)
                far += problem->between[(size_t)node * problem->node_count + chosen[other]];
            if (far < best || (far == best && problem->rank[node] < problem->rank[found])) {
                best = far;
                found = node;
            }
        }
        chosen[cell] = found;
        if (found == NO_NODE)
            return false;
    }
    return true;
}

static bool sharing_nodes(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    if (problem->cell_count > 8)
        return share_greedily(problem, chosen);
    return search_all(arena, problem, true, chosen) || share_greedily(problem, chosen);
}

const struct placer exact_placer = { "exact", on_own_nodes, sharing_nodes };
