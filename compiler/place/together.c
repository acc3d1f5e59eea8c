/* SPDX-License-Identifier: MIT
 *
 * Units: guests that groups hold together are placed as one, in the turn of the first of them.  On each host in its
 * order the widest group looks for a part that holds all its guests, the narrower ones for parts of that part; a part
 * in which one guest finds no room is given up with all that was taken there.
 */
#include "place/groups.h"

#include <string.h>

struct unit {
    struct placing *placing;
    struct room *room;
    enum ease ease;
    GHashTable *moved; /* number + 1 of a guest to what it is here, with its cells; NULL: as the site has them */
};

struct crew { /* some guests of a unit, in order of the site */
    const uint32_t *members;
    uint32_t count;
};

uint32_t unit_size(const struct placing *placing, const struct guest *guest)
{
    const struct grouping *grouping = placing->grouping;
    return grouping ? grouping->unit_size[grouping->unit[guest->number]] : 1;
}

bool leads_unit(const struct placing *placing, const struct guest *guest)
{
    return !placing->grouping || placing->grouping->unit[guest->number] == guest->number;
}

/* ---- one guest of it -------------------------------------------------------------------------------------------- */

static bool enter_guest(const struct unit *unit, uint32_t number, const struct confines *confines)
{
    struct placing *placing = unit->placing;
    struct guest *own = NULL;
    const struct guest *guest = unit->moved
                                    ? g_hash_table_lookup(unit->moved, GUINT_TO_POINTER(number + 1))
                                    : guest_there(placing, &placing->site->guests[number], unit->room->number, &own);
    struct candidates here = { .count = 1, .most_nodes = unit->moved ? 1 : MAX(unit->room->node_count, 1) };
    uint32_t first, most;
    cell_counts(guest, &here, &first, &most);
    for (uint32_t cells = first; cells <= most && placing->work_left; cells++) {
        if (cells > first && !divides(guest, cells, MAX(guest->threads, 1)))
            continue;
        struct misfit misfit = { .node = NO_INDEX };
        struct attempt attempt = { .placing = placing,
                                   .draft = &placing->drafts[number],
                                   .room = unit->room,
                                   .ease = unit->ease,
                                   .misfit = &misfit,
                                   .confines = confines };
        if (try_host(&attempt, guest, cells))
            return true;
    }
    return false;
}

static void leave(const struct unit *unit, const struct crew *crew, const struct saved_room *before)
{
    room_restore(before);
    for (uint32_t i = 0; i < crew->count; i++)
        memset(&unit->placing->drafts[crew->members[i]], 0, sizeof(struct draft));
}

/* ---- parts in parts --------------------------------------------------------------------------------------------- */

static bool enter_level(const struct unit *unit, const struct crew *crew, uint32_t level,
                        const struct confines *confines);

static bool is_core_inside(const struct room *room, uint32_t core, const struct confines *confines)
{
    for (uint32_t i = 0; i < confines->count; i++)
        if (!is_core_in(room, core, confines->parts[i]))
            return false;
    return true;
}

/* All of them in one part at this level: the first that holds them. */
static bool enter_part(const struct unit *unit, const struct crew *crew, uint32_t level,
                       const struct confines *confines)
{
    const struct room *room = unit->room;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    struct confines inner = *confines;
    struct scope *part = &inner.parts[inner.count++];
    for (uint32_t c = 0; c < room->core_count && unit->placing->work_left; c++) {
        *part = (struct scope){ level_of_group(level), core_number(room, c, level_of_group(level)) };
        if (!is_core_inside(room, c, confines) || !g_hash_table_add(seen, GUINT_TO_POINTER(part->number)))
            continue;
        struct arena *scratch = arena_new();
        struct saved_room *before = room_save(scratch, unit->room);
        unit->placing->work_left -= MIN(unit->placing->work_left, room->cpu_count);
        bool fits = enter_level(unit, crew, level + 1, &inner);
        if (!fits)
            leave(unit, crew, before);
        arena_free(scratch);
        if (fits)
            return true;
    }
    return false;
}

/* Parts a crew by the groups that hold guests together at this level or below: by member, the first of its crew. */
static void split(struct placing *placing, const struct crew *crew, uint32_t level, uint32_t *first, bool *out_is_asked)
{
    *out_is_asked = false;
    g_autoptr(GHashTable) lead = g_hash_table_new(NULL, NULL); /* group to the position of its first guest here + 1 */
    for (uint32_t i = 0; i < crew->count; i++) {
        const struct guest *guest = &placing->site->guests[crew->members[i]];
        uint32_t at = 0;
        first[i] = i;
        placing->work_left -= MIN(placing->work_left, 1);
        for (const struct guest_group *group; (group = next_group(placing->grouping, guest, &at));) {
            placing->work_left -= MIN(placing->work_left, 1);
            if (group->together == GROUP_UNSAID || group->together < level)
                continue;
            *out_is_asked |= group->together == level;
            uint32_t other = GPOINTER_TO_UINT(g_hash_table_lookup(lead, group));
            if (!other) {
                g_hash_table_insert(lead, (gpointer)(uintptr_t)group, GUINT_TO_POINTER(i + 1));
                continue;
            }
            uint32_t low = MIN(first[other - 1], first[i]), high = MAX(first[other - 1], first[i]);
            for (uint32_t k = high; k <= i && low != high; k++) /* none of them stands before its first */
                first[k] = first[k] == high ? low : first[k];
        }
    }
}

static bool enter_level(const struct unit *unit, const struct crew *crew, uint32_t level,
                        const struct confines *confines)
{
    g_autofree uint32_t *first = g_new(uint32_t, crew->count), *members = g_new(uint32_t, crew->count);
    bool is_asked, fits;
    split(unit->placing, crew, level, first, &is_asked);
    fits = unit->placing->work_left > 0;
    for (uint32_t i = 0; i < crew->count && fits; i++) {
        struct crew inner = { members, 0 };
        for (uint32_t k = i; first[i] == i && k < crew->count; k++)
            if (first[k] == i)
                members[inner.count++] = crew->members[k];
        if (inner.count == 1)
            fits = enter_guest(unit, members[0], confines);
        else if (inner.count && is_asked && level != GROUP_HOST)
            fits = enter_part(unit, &inner, level, confines);
        else if (inner.count)
            fits = enter_level(unit, &inner, level + 1, confines);
    }
    return fits;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static bool may_all_live_on(const struct placing *placing, const struct crew *crew, const char *host)
{
    for (uint32_t i = 0; i < crew->count; i++) {
        const struct list *hosts = &placing->site->guests[crew->members[i]].hosts;
        if (hosts->count && !is_among(hosts, host))
            return false;
    }
    return true;
}

static bool enter_host(const struct unit *unit, const struct crew *crew)
{
    struct arena *scratch = arena_new();
    struct saved_room *before = room_save(scratch, unit->room);
    bool fits = enter_level(unit, crew, GROUP_HOST, &(struct confines){ 0 });
    if (!fits)
        leave(unit, crew, before);
    arena_free(scratch);
    return fits;
}

static bool enter_hosts(struct placing *placing, const struct crew *crew)
{
    struct candidates candidates = candidates_of(placing, &placing->site->guests[crew->members[0]]);
    for (enum ease ease = EASE_ROOMY; ease < EASE_COUNT; ease++)
        for (uint32_t i = 0; i < candidates.count && placing->work_left; i++) {
            struct unit unit = { placing, placing->rooms[candidates.hosts[i]], ease, NULL };
            if (!may_all_live_on(placing, crew, unit.room->host->name) || !enter_host(&unit, crew))
                continue;
            host_was_filled(placing, unit.room);
            return true;
        }
    return false;
}

bool enter_room(struct placing *placing, const struct guest *const *guests, uint32_t count, struct room *room)
{
    g_autofree uint32_t *members = g_new(uint32_t, count);
    g_autoptr(GHashTable) moved = g_hash_table_new(NULL, NULL);
    struct crew crew = { members, count };
    bool fits = false;
    for (uint32_t i = 0; i < count; i++) {
        members[i] = guests[i]->number;
        g_hash_table_insert(moved, GUINT_TO_POINTER(members[i] + 1), (gpointer)(uintptr_t)guests[i]);
    }
    for (enum ease ease = EASE_ROOMY; ease < EASE_COUNT && !fits; ease++)
        fits = enter_host(&(struct unit){ placing, room, ease, moved }, &crew);
    return fits;
}

/* Each for itself; whoever finds no room so is told as any guest.  What people fix stands where they want it, and is
 * judged there. */
static void place_singly(struct placing *placing, const struct crew *crew)
{
    bool are_placed = true, are_fixed = true;
    for (uint32_t i = 0; i < crew->count; i++)
        are_fixed &= fixes_places(&placing->site->guests[crew->members[i]]);
    for (uint32_t i = 0; i < crew->count; i++) {
        struct draft *draft = &placing->drafts[crew->members[i]];
        place_guest(placing, &placing->site->guests[crew->members[i]], draft);
        are_placed &= draft->is_placed;
    }
    if (are_fixed)
        return;
    if (are_placed && !placing->is_replay)
        refuse_torn(placing, crew->members, crew->count);
    for (uint32_t i = 0; i < crew->count; i++)
        placing->drafts[crew->members[i]].is_placed = false;
}

void place_unit(struct placing *placing, const struct guest *first)
{
    struct grouping *grouping = placing->grouping;
    uint32_t root = grouping->unit[first->number],
             *members = arena_array(placing->scratch, uint32_t, grouping->unit_size[root]);
    struct crew crew = { members, 0 };
    for (uint32_t g = root; g < placing->site->guest_count; g++)
        if (grouping->unit[g] == root && !placing->site->guests[g].is_broken)
            members[crew.count++] = g;
    bool fits = !crew.count || enter_hosts(placing, &crew);
    if (!fits && !is_too_much(placing, first))
        place_singly(placing, &crew);
    for (uint32_t i = 0; i < crew.count; i++)
        grouping->is_done[members[i]] = true;
}
