/* SPDX-License-Identifier: MIT
 *
 * Inside place only: the choice of nodes as a problem of its own, free of hosts and guests, so that a better placer
 * can take its place.
 */
#pragma once

#include "base/base.h"

#define NO_NODE UINT32_MAX

struct node_problem {
    uint32_t cell_count, node_count;
    const bool *fits;        /* cell after cell: may it stand on this node, were it the only one to choose */
    const uint32_t *between; /* node_count squared: distance there and back, itself included */
    const uint32_t *fixed;   /* by node: the same to the cells whose nodes are fixed; NULL: none are */
    const bool *is_used;     /* by node: a fixed cell stands there; NULL: none */
    const uint32_t *rank;    /* by node: which is better among equals, 0 the best; each number once */
    const uint32_t *alike;   /* by cell: the cell before it with the same needs, or NO_NODE */
    /* Whether this cell fits on this node beside the cells chosen before it, in the order of `chosen`. */
    bool (*fits_beside)(const void *state, uint32_t cell, uint32_t node, const uint32_t *chosen);
    const void *state;
    uint64_t *looks_left; /* at a node: what is left for the searches of all guests; NULL: no bound but their own */
};

#define LOOKS_OF_A_RUN UINT64_C(200000000) /* some 0.2 s; a search on 16 nodes takes thousands, seldom a million */

/* The steps that a search may take, of those it would: each looks at every node some times for each cell. */
uint32_t steps_allowed(const struct node_problem *problem, uint32_t wanted);
void spend_steps(const struct node_problem *problem, uint32_t steps);

/* chosen[cell] is the node.  False: there is no choice. */
struct placer {
    const char *name;
    bool (*on_own_nodes)(struct arena *arena, const struct node_problem *problem, uint32_t *chosen);
    bool (*sharing_nodes)(struct arena *arena, const struct node_problem *problem, uint32_t *chosen);
};

extern const struct placer exact_placer;
bool share_nodes(struct arena *arena, const struct node_problem *problem, uint32_t *chosen);

/* Gives as many cells as possible a node of their own, whatever the distance; returns how many.  The others get
 * NO_NODE: with the nodes they fit, they show why not all do. */
uint32_t match_cells(struct arena *arena, const struct node_problem *problem, uint32_t *chosen);
