/* SPDX-License-Identifier: MIT
 *
 * Inside place only: what groups ask of a guest while it is tried on a host.  What its groups close to it is fenced off
 * in the room, so that everything else places it as on a smaller host; the fence is down again when the try is over.
 */
#pragma once

#include "place/draft.h"

struct grouping { /* of one run; NULL where the site has no groups */
    const struct site *site;
    uint32_t *first;                   /* by guest, and one more: where its groups begin in */
    uint32_t *of_guest;                /* positions of groups that are sound */
    const struct guest_group *ignored; /* held to by nobody for now, */
    bool ignores_all;                  /* or none of them is */
    uint32_t *unit;                    /* by guest: the least of the guests that it is placed with */
    uint32_t *unit_size;               /* by that guest */
    bool *is_done;                     /* by guest: its unit had its turn */
    bool *is_told;                     /* by group */
};

/* Where a unit must stand, from the widest to the narrowest. */
struct confines {
    uint32_t count;
    struct scope parts[GROUP_LEVELS];
};

/* ---- groups.c --------------------------------------------------------------------------------------------------- */

struct grouping *grouping_new(struct arena *arena, const struct site *site);
bool is_grouped(const struct grouping *grouping, const struct guest *guest);
/* A host that refused a guest refuses all that ask for the same in the same groups: there, too, room only shrinks. */
uint64_t demand_in_groups(const struct grouping *grouping, const struct guest *guest);
/* Walks over the groups of a guest that are in force; NULL behind the last. */
const struct guest_group *next_group(const struct grouping *grouping, const struct guest *guest, uint32_t *at);

/* What a guest stands on, as far as groups look at it: the cores that its vCPUs may run on, the nodes of its memory. */
struct footprint {
    const uint32_t *cores, *nodes; /* of the room */
    uint32_t core_count, node_count;
};
struct footprint *footprint_of(struct placing *placing, const struct draft *draft, const struct room *room);
/* The parts of a host that a footprint touches, as numbers of core_number(). */
void add_parts(const struct room *room, const struct footprint *print, uint32_t level, GHashTable *parts);

/* try_host() of a guest with groups. */
bool try_grouped(struct attempt *attempt, const struct guest *guest, uint32_t cells);

/* ---- together.c: guests that are placed as one ------------------------------------------------------------------ */

/* The guests that are placed with this one, itself among them; 1: none are. */
uint32_t unit_size(const struct placing *placing, const struct guest *guest);
bool leads_unit(const struct placing *placing, const struct guest *guest); /* it is the least of them */
/* Places all of them, where this one is the first whose turn it is. */
void place_unit(struct placing *placing, const struct guest *first);
/* Enters some of them, as `guests` in order of the site, into one room.  False: nobody is in it. */
bool enter_room(struct placing *placing, const struct guest *const *guests, uint32_t count, struct room *room);

/* ---- movers.c: guests that are placed as one, where they may move ----------------------------------------------- */

struct movers {                  /* a guest, and those that go along, in order of the site */
    const struct guest **guests; /* as they move */
    uint32_t count;
    struct draft *aside; /* what they are at home, while they are tried elsewhere; NULL: they are not */
};

/* Numbers of the guests that move to a host with this one, itself among them. */
const uint32_t *who_moves(struct placing *placing, const struct guest *guest, const char *host, uint32_t *out_count);
/* Tries all of them in a room; where they fit, their drafts are those there.  They are at home again behind
 * movers_leave(); the room is the caller's to restore. */
bool movers_enter(struct placing *placing, struct movers *movers, struct room *room);
void movers_leave(struct placing *placing, const struct movers *movers);
/* refuse_move.c: one of them, where it does not fit, or they do not. */
void refuse_move(struct placing *placing, const struct movers *movers, const struct guest *moved, struct room *room,
                 struct span span);

/* ---- refuse_group.c: telling why -------------------------------------------------------------------------------- */

/* A guest that fits nowhere.  True where it would without its groups: then it was told, or it fixes its own places and
 * stands there all the same, which a rule of the plan judges. */
bool settle_crowded(struct placing *placing, const struct guest *guest, const struct candidates *candidates,
                    struct draft *draft);
/* Guests that fit, but not together; by now each stands for itself. */
void refuse_torn(struct placing *placing, const uint32_t *members, uint32_t count);
/* A guest that does not fit where it may move.  False: it would not without its groups either. */
bool refuse_crowded_move(struct placing *placing, const struct guest *moved, struct room *room, struct span span);
/* Guests that fit each, but not together, where they may move. */
void refuse_torn_move(struct placing *placing, const struct guest *moved, const struct room *room, struct span span);
