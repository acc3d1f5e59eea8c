/* SPDX-License-Identifier: MIT
 *
 * Which CPUs the vCPUs of a cell get, once its nodes are known: whole cores or single CPUs, one L3 before several,
 * isolated CPUs first where the host has some, and the same L3 as full (pack) or as empty (spread) as it comes.
 * Floating vCPUs get no CPU here; they only must find enough loose ones.
 */
#include "place/draft.h"

#include <stdlib.h>

enum taste { /* which CPUs are looked at, the fussiest last */
             ANY_CPU,
             NOT_WISHED,   /* none that a floating guest names */
             OF_THEIR_KIND /* and isolated ones where the host has some */
};

struct picker {
    const struct room *room;
    const uint32_t *nodes;
    uint32_t node_count;
    const struct need *need;
    struct scope own; /* of the cell */
    enum taste taste;
    bool is_spread;
};

/* ---- what may be taken ------------------------------------------------------------------------------------------ */

uint32_t core_number(const struct room *room, uint32_t core, uint32_t level)
{
    const struct room_group *group = &room->groups[room->cores[core].group];
    switch (level) {
    case LEVEL_SOCKET:
        return room->cores[core].package;
    case LEVEL_NODE:
        return group->node;
    case LEVEL_L3:
        return group->l3 == NO_INDEX ? room->cores[core].group : group->l3;
    default:
        return core;
    }
}

bool is_core_in(const struct room *room, uint32_t core, struct scope scope)
{
    return scope.level == NO_LEVEL || core_number(room, core, scope.level) == scope.number;
}

static bool has_isolated(const struct room *room)
{
    return room->host->facts->isolated_known && room->host->facts->isolated->count;
}

static bool may_take(const struct picker *picker, const struct room_cpu *cpu)
{
    if (cpu->state != CPU_FREE || (picker->need->allowed && !ids_contains(picker->need->allowed, cpu->os_index)))
        return false;
    if (cpu->is_wished && picker->taste >= NOT_WISHED)
        return false;
    return picker->taste < OF_THEIR_KIND || cpu->is_isolated == has_isolated(picker->room);
}

/* CPUs of a core that may be taken; for whole cores all of them or none. */
static uint32_t core_offer(const struct picker *picker, uint32_t index)
{
    const struct room_core *core = &picker->room->cores[index];
    bool whole = picker->need->cores > 0;
    if (!core->free || (whole && (core->free != core->count || core->count < picker->need->threads)) ||
        !is_core_in(picker->room, index, picker->need->scope) || !is_core_in(picker->room, index, picker->own))
        return 0;
    uint32_t offer = 0;
    for (uint32_t i = 0; i < core->count; i++)
        offer += may_take(picker, &picker->room->cpus[core->first + i]);
    return !whole ? offer : offer == core->count ? 1 : 0;
}

static uint32_t group_offer(const struct picker *picker, uint32_t index)
{
    const struct room_group *group = &picker->room->groups[index];
    uint32_t offer = 0;
    for (uint32_t i = 0; i < group->core_count; i++)
        offer += core_offer(picker, group->first_core + i);
    return offer;
}

static uint32_t offer_of(const struct picker *picker)
{
    uint32_t offer = 0;
    for (uint32_t n = 0; n < picker->node_count; n++) {
        const struct room_node *node = &picker->room->nodes[picker->nodes[n]];
        for (uint32_t g = 0; g < node->group_count; g++)
            offer += group_offer(picker, node->first_group + g);
    }
    return offer;
}

static uint32_t wanted(const struct need *need)
{
    return need->cores ? need->cores : need->singles;
}

/* CPUs that stay loose for this cell: of the node, or those it names. */
static uint32_t loose_offer(const struct picker *picker)
{
    uint32_t offer = 0;
    for (uint32_t n = 0; n < picker->node_count; n++) {
        const struct room_node *node = &picker->room->nodes[picker->nodes[n]];
        for (uint32_t c = node->first_core; c < node->first_core + node->core_count; c++) {
            if (!is_core_in(picker->room, c, picker->need->scope) || !is_core_in(picker->room, c, picker->own))
                continue;
            for (uint32_t i = 0; i < picker->room->cores[c].count; i++) {
                const struct room_cpu *cpu = &picker->room->cpus[picker->room->cores[c].first + i];
                bool is_open = cpu->state == CPU_FREE || cpu->state == CPU_NAMED;
                offer += is_open && (picker->need->allowed ? ids_contains(picker->need->allowed, cpu->os_index)
                                                           : !cpu->is_isolated);
            }
        }
    }
    return offer;
}

/* vCPUs that float in a part already.  At the level of cores the L3 around them is looked at. */
uint64_t floaters_in(const struct room *room, struct scope part)
{
    uint64_t sum = 0;
    for (uint32_t g = 0; g < room->group_count; g++)
        if (room->groups[g].floating && is_core_in(room, room->groups[g].first_core, part))
            sum += room->groups[g].floating;
    return sum;
}

static struct scope part_of(const struct picker *picker)
{
    return picker->own.level != NO_LEVEL ? picker->own : picker->need->scope;
}

/* Whether so many loose CPUs carry what floats here; none never do, which most nodes outside of a part end with. */
static bool is_loose_enough(const struct picker *picker, uint64_t loose)
{
    uint64_t floating = picker->need->floating;
    switch (picker->need->ease) {
    case EASE_ROOMY:
        if (loose < MAX(floating, 1) || part_of(picker).level == NO_LEVEL)
            return loose >= floating;
        return loose >= floating + floaters_in(picker->room, part_of(picker));
    case EASE_SHARED:
        return loose >= floating;
    case EASE_CROWDED:
    case EASE_COUNT:
        break;
    }
    return loose >= 1;
}

void count_floaters(struct room *room, const struct ids *nodes, struct scope part, uint32_t count)
{
    for (ids_each(nodes, number)) {
        uint32_t node = room_find_node(room, number);
        if (node == NO_INDEX)
            continue;
        room->nodes[node].floating_sum += count;
        room->nodes[node].floating_most = MAX(room->nodes[node].floating_most, count);
    }
    for (uint32_t g = 0; part.level != NO_LEVEL && g < room->group_count; g++)
        if (is_core_in(room, room->groups[g].first_core, part)) {
            room->groups[g].floating += count; /* once for the whole part: floaters_in() sums it up */
            return;
        }
}

/* ---- one part of the host for all ------------------------------------------------------------------------------- */

/* How good a part is for what is needed; negative: not enough. */
static int64_t part_worth(const struct picker *picker)
{
    if (picker->need->floating) {
        int64_t loose = loose_offer(picker);
        return !is_loose_enough(picker, (uint64_t)loose)
                   ? -1
                   : (int64_t)IDS_LIMIT + loose - (int64_t)floaters_in(picker->room, picker->own);
    }
    int64_t offer = offer_of(picker);
    if (!offer || offer < wanted(picker->need))
        return -1;
    return picker->is_spread ? offer : (int64_t)IDS_LIMIT - offer;
}

/* Looks for the part that `within` asks for.  pack: the fullest that fits; spread, and for those that float: the
 * emptiest. */
static bool choose_part(struct picker *picker)
{
    const struct need *need = picker->need;
    struct scope chosen = ANYWHERE;
    int64_t best = -1;
    for (uint32_t n = 0; n < picker->node_count; n++) {
        const struct room_node *node = &picker->room->nodes[picker->nodes[n]];
        for (uint32_t c = node->first_core; c < node->first_core + node->core_count; c++) {
            uint32_t number = core_number(picker->room, c, need->within);
            if (c != node->first_core && number == picker->own.number)
                continue;
            picker->own = (struct scope){ need->within, number };
            int64_t worth = part_worth(picker);
            if (worth > best) {
                best = worth;
                chosen = picker->own;
            }
        }
    }
    picker->own = chosen;
    return chosen.level != NO_LEVEL;
}

/* ---- does it fit ------------------------------------------------------------------------------------------------ */

static uint64_t loose_floor(const struct room_node *node, enum ease ease)
{
    switch (ease) {
    case EASE_ROOMY:
        return node->floating_sum;
    case EASE_SHARED:
        return node->floating_most;
    case EASE_CROWDED:
    case EASE_COUNT:
        break;
    }
    return node->floating_sum ? 1 : 0;
}

uint32_t whole_cores_of(const struct room *room, uint32_t node, uint32_t threads)
{
    const struct room_node *here = &room->nodes[node];
    if (threads <= room->least_smt)
        return here->whole_cores;
    uint32_t count = 0;
    for (uint32_t c = here->first_core; c < here->first_core + here->core_count; c++)
        count += room->cores[c].count >= threads && room->cores[c].free == room->cores[c].count;
    return count;
}

/* On a single node without further wishes, all is counted already. */
static enum shortage plain_shortage(const struct room *room, const struct room_node *node, const struct need *need)
{
    uint32_t taken = need->cores ? need->cores * room->smt : need->singles;
    taken += need->extra;
    if (need->cores && whole_cores_of(room, (uint32_t)(node - room->nodes), need->threads) < need->cores)
        return SHORT_CORES;
    if ((need->singles && need->singles > node->free_cpus) || (need->extra && taken > node->free_cpus))
        return SHORT_CPUS;
    uint32_t from_loose = taken > node->free_isolated ? taken - node->free_isolated : 0;
    uint64_t left = node->loose_cpus > from_loose ? node->loose_cpus - from_loose : 0;
    if (left < loose_floor(node, need->ease))
        return need->cores ? SHORT_CORES : SHORT_CPUS;
    if (!need->floating)
        return FITS;
    uint64_t least = need->ease == EASE_CROWDED ? 1 : need->floating;
    if (need->ease == EASE_ROOMY)
        least += node->floating_sum;
    return left < least ? SHORT_LOOSE : FITS;
}

enum shortage cpu_shortage(const struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need)
{
    if (!need->cores && !need->singles && !need->floating && !need->extra)
        return FITS;
    bool is_plain = !need->allowed && need->within == NO_LEVEL && need->scope.level == NO_LEVEL;
    if (is_plain && count == 1)
        return plain_shortage(room, &room->nodes[nodes[0]], need);
    struct picker picker = { .room = room, .nodes = nodes, .node_count = count, .need = need, .own = ANYWHERE };
    if (need->within != NO_LEVEL && need->within != LEVEL_NODE && !choose_part(&picker))
        return SHORT_WITHIN;
    if (need->floating && !is_loose_enough(&picker, loose_offer(&picker)))
        return SHORT_LOOSE;
    if (need->floating)
        return count == 1 && !need->allowed ? plain_shortage(room, &room->nodes[nodes[0]], need) : FITS;
    if (offer_of(&picker) < wanted(need))
        return need->cores ? SHORT_CORES : SHORT_CPUS;
    uint64_t kept = 0, loose = 0, isolated = 0, taken = need->cores ? need->cores * room->smt : need->singles;
    for (uint32_t n = 0; n < count; n++) {
        kept += loose_floor(&room->nodes[nodes[n]], need->ease);
        loose += room->nodes[nodes[n]].loose_cpus;
        isolated += room->nodes[nodes[n]].free_isolated;
    }
    taken += need->extra;
    return loose + MIN(isolated, taken) < kept + taken ? need->cores ? SHORT_CORES : SHORT_CPUS : FITS;
}

bool node_is_in(const struct room *room, uint32_t node, struct scope part)
{
    const struct room_node *here = &room->nodes[node];
    for (uint32_t c = here->first_core; part.level != NO_LEVEL && c < here->first_core + here->core_count; c++)
        if (is_core_in(room, c, part))
            return true;
    return part.level == NO_LEVEL;
}

uint64_t cpus_found(const struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need)
{
    struct need some = *need;
    uint32_t *amount = need->cores ? &some.cores : need->singles ? &some.singles : &some.floating;
    uint32_t enough = 0, most = *amount;
    while (enough < most) { /* what fits, fits in smaller numbers too */
        *amount = enough + (most - enough + 1) / 2;
        if (cpu_shortage(room, nodes, count, &some) == FITS)
            enough = *amount;
        else
            most = *amount - 1;
    }
    return enough;
}

/* ---- taking them ------------------------------------------------------------------------------------------------ */

struct taking {
    struct picker picker;
    bool *is_done; /* by group of the room */
    uint32_t *cores;
    uint32_t core_count, left;
};

static int rising(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* The group to take from next: the best that holds all that is left, else the one with most. */
static uint32_t best_group(const struct taking *taking, uint32_t *out_offer)
{
    const struct picker *picker = &taking->picker;
    uint32_t best = NO_INDEX, best_offer = 0;
    for (uint32_t n = 0; n < picker->node_count; n++) {
        const struct room_node *node = &picker->room->nodes[picker->nodes[n]];
        for (uint32_t g = node->first_group; g < node->first_group + node->group_count; g++) {
            uint32_t offer = taking->is_done[g] ? 0 : group_offer(picker, g);
            if (!offer)
                continue;
            bool holds = offer >= taking->left, best_holds = best_offer >= taking->left;
            bool is_better = holds && best_holds && !picker->is_spread ? offer < best_offer : offer > best_offer;
            if (best == NO_INDEX || is_better) {
                best = g;
                best_offer = offer;
            }
        }
    }
    *out_offer = best_offer;
    return best;
}

/* Takes cores of a group: for single CPUs first the ones already broken, so that whole cores stay whole. */
static void take_cores(struct taking *taking, uint32_t index)
{
    const struct room_group *group = &taking->picker.room->groups[index];
    bool whole = taking->picker.need->cores > 0;
    for (unsigned pass = whole ? 1 : 0; pass < 2 && taking->left; pass++)
        for (uint32_t c = group->first_core; c < group->first_core + group->core_count && taking->left; c++) {
            const struct room_core *core = &taking->picker.room->cores[c];
            uint32_t offer = (core->free == core->count) == (pass == 1) ? core_offer(&taking->picker, c) : 0;
            if (!offer)
                continue;
            taking->cores[taking->core_count++] = c;
            taking->left -= MIN(offer, taking->left);
        }
    taking->is_done[index] = true;
}

/* The CPUs of the chosen cores in order of the host, so that neighbours stay neighbours. */
static void claim_cores(struct taking *taking, struct room *room, uint32_t *picks, uint32_t *claims,
                        uint32_t *claim_count)
{
    const struct need *need = taking->picker.need;
    uint32_t picked = 0, most = need->cores ? need->cores * need->threads : need->singles;
    qsort(taking->cores, taking->core_count, sizeof *taking->cores, rising);
    for (uint32_t c = 0; c < taking->core_count; c++) {
        const struct room_core *core = &room->cores[taking->cores[c]];
        for (uint32_t i = 0; i < core->count; i++) {
            uint32_t cpu = core->first + i;
            bool is_pick = picked < most && (!need->cores || i < need->threads);
            if ((!need->cores && !is_pick) || !may_take(&taking->picker, &room->cpus[cpu]))
                continue;
            if (is_pick)
                picks[picked++] = cpu;
            claims[(*claim_count)++] = cpu;
        }
    }
    for (uint32_t i = 0; i < *claim_count; i++)
        if (room->cpus[claims[i]].state != CPU_DEDICATED)
            room_set_cpu(room, claims[i], CPU_DEDICATED);
}

bool pick_cpus(struct arena *scratch, struct room *room, const uint32_t *nodes, uint32_t count, const struct need *need,
               bool is_spread, uint32_t *picks, uint32_t *claims, uint32_t *claim_count, struct scope *out_scope)
{
    struct taking taking = { .left = wanted(need) };
    taking.picker = (struct picker){
        .room = room, .nodes = nodes, .node_count = count, .need = need, .own = ANYWHERE, .is_spread = is_spread
    };
    if (need->within != NO_LEVEL && need->within != LEVEL_NODE && !choose_part(&taking.picker))
        return false;
    *out_scope = taking.picker.own;
    if (!taking.left)
        return true;
    taking.picker.taste = OF_THEIR_KIND;
    while (offer_of(&taking.picker) < taking.left)
        if (taking.picker.taste-- == ANY_CPU)
            return false;
    taking.is_done = arena_array(scratch, bool, room->group_count);
    taking.cores = arena_array(scratch, uint32_t, taking.left);
    while (taking.left) {
        uint32_t offer, group = best_group(&taking, &offer);
        if (group == NO_INDEX)
            bug("CPUs that were counted are not there");
        take_cores(&taking, group);
    }
    claim_cores(&taking, room, picks, claims, claim_count);
    return true;
}
