/* SPDX-License-Identifier: MIT
 *
 * Cells that have to share nodes, because there are more of them than nodes with room: the least sum of distances by
 * branch and bound over the node of each cell in turn, for up to 8 cells; each to the nearest that has room beyond
 * that. The work is bounded; a search that ends early gives the best choice so far.
 */
#include "place/nodes.h"

#include <string.h>

enum { DISTANCE_STEPS = 100000, RANK_STEPS = 2000, CELLS_MOST = 8 };

#define NO_WAY UINT64_MAX

struct search {
    const struct node_problem *problem;
    uint32_t *chosen; /* by cell; NO_NODE */
    uint32_t *best;
    uint32_t *order; /* cells, the one with the fewest nodes first */
    uint32_t *reach; /* a row for each depth: by node, distance to all cells chosen so far */
    uint32_t *near;  /* by node: the distance to the nearest, itself as a rule */
    uint32_t *tries; /* a row for each depth: nodes in the order in which they are tried */
    uint64_t best_distance, best_rank;
    uint32_t steps, steps_limit;
    bool by_rank, is_found;
};

static bool may_stand(const struct search *search, uint32_t cell, uint32_t node)
{
    const struct node_problem *problem = search->problem;
    if (!problem->fits[(size_t)cell * problem->node_count + node])
        return false;
    uint32_t twin = problem->alike[cell];
    if (twin != NO_NODE && search->chosen[twin] != NO_NODE && node < search->chosen[twin])
        return false; /* cells alike stand in rising order: the other orders give nothing new */
    return problem->fits_beside(problem->state, cell, node, search->chosen);
}

/* What a cell costs at least on a node when `left` cells are open with it, doubled: all of the way to the cells chosen
 * before, half of the way to the open ones, which are nowhere nearer than the nearest node. */
static uint64_t least_cost(const struct search *search, uint32_t depth, uint32_t left, uint32_t node)
{
    size_t count = search->problem->node_count;
    return 2 * (uint64_t)search->reach[depth * count + node] + (uint64_t)left * search->near[node];
}

/* At least this much is still to come, doubled: each open cell where it costs least. */
static uint64_t cost_to_come(const struct search *search, uint32_t depth)
{
    const struct node_problem *problem = search->problem;
    uint32_t left = problem->cell_count - depth;
    uint64_t sum = 0;
    for (uint32_t at = depth; at < problem->cell_count; at++) {
        const bool *fits = problem->fits + (size_t)search->order[at] * problem->node_count;
        uint64_t least = UINT64_MAX;
        for (uint32_t node = 0; node < problem->node_count; node++)
            if (fits[node])
                least = MIN(least, least_cost(search, depth, left - 1, node));
        if (least == UINT64_MAX)
            return NO_WAY; /* a cell has no node left: nothing below here */
        sum += least;
    }
    return sum;
}

static bool is_hopeless(const struct search *search, uint32_t depth, uint64_t distance, uint64_t rank)
{
    uint64_t to_come = cost_to_come(search, depth), least = 2 * distance + to_come;
    if (to_come == NO_WAY)
        return true;
    if (search->by_rank)
        return least > 2 * search->best_distance || rank >= search->best_rank;
    return search->is_found && least + 1 >= 2 * search->best_distance; /* sums are whole, so half a step is none */
}

/* The nodes a cell may stand on, the cheapest first; by rank, the best rank first. */
static uint32_t order_nodes(const struct search *search, uint32_t depth, uint32_t cell, uint32_t *tries)
{
    const struct node_problem *problem = search->problem;
    uint32_t count = 0, left = problem->cell_count - depth - 1;
    for (uint32_t node = 0; node < problem->node_count; node++) {
        if (!may_stand(search, cell, node))
            continue;
        uint64_t cost = search->by_rank ? problem->rank[node] : least_cost(search, depth, left, node);
        uint32_t at = count++;
        for (; at; at--) {
            uint32_t before = tries[at - 1];
            if ((search->by_rank ? problem->rank[before] : least_cost(search, depth, left, before)) <= cost)
                break;
            tries[at] = before;
        }
        tries[at] = node;
    }
    return count;
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
    uint32_t *tries = search->tries + (size_t)depth * count, found = order_nodes(search, depth, cell, tries);
    for (uint32_t i = 0; i < found && search->steps < search->steps_limit; i++) {
        uint32_t node = tries[i];
        search->steps++;
        for (uint32_t other = 0; other < count; other++)
            reach[count + other] = reach[other] + problem->between[(size_t)node * count + other];
        search->chosen[cell] = node;
        uint64_t far = distance + reach[node], worse = rank + problem->rank[node];
        if (!is_hopeless(search, depth + 1, far, worse))
            descend(search, depth + 1, far, worse);
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

static void prepare(struct arena *arena, struct search *search, const struct node_problem *problem)
{
    uint32_t cells = problem->cell_count, nodes = problem->node_count;
    *search = (struct search){ .problem = problem };
    search->chosen = arena_array(arena, uint32_t, cells);
    search->best = arena_array(arena, uint32_t, cells);
    search->order = arena_array(arena, uint32_t, cells);
    search->reach = arena_array(arena, uint32_t, (size_t)(cells + 1) * nodes);
    search->tries = arena_array(arena, uint32_t, (size_t)cells * nodes);
    search->near = arena_array(arena, uint32_t, nodes);
    for (uint32_t cell = 0; cell < cells; cell++)
        search->chosen[cell] = NO_NODE;
    for (uint32_t node = 0; node < nodes; node++) {
        search->reach[node] = problem->fixed ? problem->fixed[node] : 0;
        search->near[node] = UINT32_MAX;
        for (uint32_t other = 0; other < nodes; other++)
            search->near[node] = MIN(search->near[node], problem->between[(size_t)node * nodes + other]);
    }
    order_cells(arena, search);
}

static bool search_all(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    struct search search;
    spend_steps(problem, problem->node_count);
    prepare(arena, &search, problem);
    search.steps_limit = steps_allowed(problem, DISTANCE_STEPS);
    descend(&search, 0, 0, 0);
    spend_steps(problem, search.steps);
    if (!search.is_found)
        return false;
    memcpy(chosen, search.best, problem->cell_count * sizeof *chosen);
    search.by_rank = true; /* the same sum of distances, but better ranks than the first one found */
    search.steps = 0;
    search.steps_limit = steps_allowed(problem, RANK_STEPS);
    descend(&search, 0, 0, 0);
    spend_steps(problem, search.steps);
    memcpy(chosen, search.best, problem->cell_count * sizeof *chosen);
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

bool share_nodes(struct arena *arena, const struct node_problem *problem, uint32_t *chosen)
{
    if (problem->cell_count > CELLS_MOST || !steps_allowed(problem, problem->node_count))
        return share_greedily(problem, chosen);
    return search_all(arena, problem, chosen) || share_greedily(problem, chosen);
}
