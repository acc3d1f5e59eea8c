/* SPDX-License-Identifier: MIT
 *
 * Inside place only: what is left of one host while guests are placed on it.  A room begins as the open CPUs and the
 * free memory of the ground and only ever shrinks, except where a guest that did not fit gives back what it had taken.
 *
 * CPUs are kept sorted by node, package, die, L3 and core, so that the CPUs of a core, the cores of a group (one L3 of
 * one node) and the groups of a node are each a slice.
 */
#pragma once

#include "ground/ground.h"

enum cpu_state {
    CPU_CLOSED, /* reserved: no guest gets it */
    CPU_FREE,
    CPU_NAMED,     /* in a wide row of a pin table, or shared: no automatic choice takes it alone */
    CPU_DEDICATED, /* one vCPU's or one emulator's own */
};

struct room_cpu {
    uint32_t os_index, core;
    enum cpu_state state;
    bool is_isolated;
    bool is_wished; /* a floating guest names it in `cpus`: taken last */
};

struct room_core {
    uint32_t first, count; /* into cpus */
    uint32_t free;         /* CPUs in state CPU_FREE */
    uint32_t group, package;
};

struct room_group { /* cores of one node that share an L3, or a die where the source knows no L3 */
    uint32_t first_core, core_count;
    uint32_t node, l3;
    uint32_t floating; /* vCPUs that float in this group alone */
};

struct room_node {
    uint32_t os_index;
    uint32_t first_group, group_count, first_core, core_count;
    uint32_t open_cpus;
    uint32_t free_cpus, free_isolated; /* state CPU_FREE; those of them that are isolated */
    uint32_t loose_cpus;               /* not closed, not dedicated, not isolated: where vCPUs can float */
    uint32_t whole_cores;              /* all of whose CPUs are free */
    uint64_t floating_sum;             /* vCPUs that float here; */
    uint32_t floating_most;            /* most of one cell */
    bool is_choice;                    /* automatic placement may choose it */
    uint32_t cpus_at;                  /* whose CPUs stand nearest: itself, unless it has memory only; into nodes */
    bool memory_known;
    uint64_t memory_left, memory_guests; /* normal pages; what guests took, for messages */
    uint64_t *pages_left;                /* by facts->nodes[i].pools; UINT64_MAX unknown */
    const struct ids *self;              /* its number as a set */
};

struct room {
    struct arena *arena; /* of the run: sets made here go into the plan */
    const struct site_host *host;
    uint32_t number; /* position among the rooms */
    struct room_cpu *cpus;
    uint32_t *order; /* position in facts->cpus to position in cpus */
    struct room_core *cores;
    struct room_group *groups;
    struct room_node *nodes; /* order of facts->nodes; one more holds the CPUs of no node, where there are some */
    uint32_t cpu_count, core_count, group_count, node_count; /* node_count: those of the facts */
    bool pools_known;        /* of some node: a size that a node leaves out has no page there */
    uint32_t smt, least_smt; /* most and fewest CPUs of an open core */
    uint32_t *between;       /* node_count squared: distance there and back */
    uint32_t dedicated;      /* CPUs given away */
    uint64_t memory_guests;
    uint64_t memory_by_numad;   /* of guests whose nodes numad will choose among what the others leave */
    const struct ids **singles; /* by OS index: one set for each CPU, made when needed, for all hosts */
    GHashTable *loose;          /* sets of nodes to their loose CPUs, once all guests are placed */
    struct draft *guests;       /* placed here, last one first */
};

struct room *room_open(struct arena *arena, struct arena *scratch, const struct ids **singles,
                       const struct site_host *host, uint32_t number);
void room_close(struct room *room);

uint32_t room_find_cpu(const struct room *room, uint32_t os_index);  /* into cpus; NO_INDEX */
uint32_t room_find_node(const struct room *room, uint32_t os_index); /* into nodes; NO_INDEX */
const struct ids *room_single(struct room *room, uint32_t cpu);

/* Changes the state of a CPU and everything counted from it. */
void room_set_cpu(struct room *room, uint32_t cpu, enum cpu_state state);

/* Pages of this size that guests may still take; UINT64_MAX where the source does not say. */
uint64_t room_pages_left(const struct room *room, uint32_t node, uint64_t page_bytes);
/* Memory in pages of this size (0: normal) that is left; UINT64_MAX where unknown.  Pages that nobody counted are made
 * of the memory that is left. */
uint64_t room_bytes_left(const struct room *room, uint32_t node, uint64_t page_bytes);
void room_take_memory(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t bytes);
void room_give_memory(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t bytes);

/* Makes normal memory of a node into so many more pages of a pool that it has.  False: it has too little. */
bool room_add_pages(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t count);

/* All that a trial may change, to put it back afterwards. */
struct saved_room;
struct saved_room *room_save(struct arena *arena, struct room *room);
void room_restore(const struct saved_room *saved);
void room_forget_loose(struct room *room); /* until it is restored: room_loose() answers for the trial */

/* CPUs of these nodes on which vCPUs float: open, nobody's own, not isolated.  Only when all guests are placed, since
 * the answers are kept.  May be empty.  nodes NULL: of the whole host. */
const struct ids *room_loose(struct room *room, const struct ids *nodes);
