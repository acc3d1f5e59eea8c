/* SPDX-License-Identifier: MIT
 *
 * Telling that guests fit, but not as their group wants them: who stands where, and which edit of the group helps, each
 * tried on the whole site before it is offered.
 */
#include "place/groups.h"

#include <string.h>

enum { NAMED_MOST = 3, GROUPS_LOOKED_AT = 4 };

/* ---- where a guest stands --------------------------------------------------------------------------------------- */

static const char *part_text(struct arena *arena, const struct room *room, uint32_t level, uint32_t number)
{
    switch (level) {
    case LEVEL_SOCKET:
        return arena_printf(arena, "socket %u", number);
    case LEVEL_NODE:
        return arena_printf(arena, "node %u", room->nodes[number].os_index);
    case LEVEL_L3:
        return arena_printf(arena, "L3 %u", number);
    default:
        return arena_printf(arena, "the core of CPU %u", room->cpus[room->cores[number].first].os_index);
    }
}

/* "socket 0 of host 'r1'", "cores of CPUs 0 and 3 others of host 'r1'"; the part with the lowest number is named. */
static const char *stand_text(struct placing *placing, const struct draft *draft, uint32_t group_level)
{
    struct arena *arena = placing->scratch;
    const struct room *room = draft->room;
    if (group_level == GROUP_HOST)
        return arena_printf(arena, "host '%s'", room->host->name);
    uint32_t level = level_of_group(group_level), lowest = UINT32_MAX;
    g_autoptr(GHashTable) parts = g_hash_table_new(NULL, NULL);
    add_parts(room, draft->print, level, parts);
    GHashTableIter walk;
    gpointer number;
    g_hash_table_iter_init(&walk, parts);
    while (g_hash_table_iter_next(&walk, &number, NULL))
        lowest = MIN(lowest, GPOINTER_TO_UINT(number));
    if (lowest == UINT32_MAX || (level == LEVEL_NODE && lowest == room->node_count))
        return arena_printf(arena, "host '%s'", room->host->name);
    uint32_t more = g_hash_table_size(parts) - 1;
    const char *first = part_text(arena, room, level, lowest);
    if (!more)
        return arena_printf(arena, "%s of host '%s'", first, room->host->name);
    return arena_printf(arena, "%s and %u more of host '%s'", first, more, room->host->name);
}

static void note_stand(struct placing *placing, struct finding *finding, const struct guest *guest, uint32_t level,
                       const char *how)
{
    const struct draft *draft = &placing->drafts[guest->number];
    if (draft->room)
        finding_note(placing->findings, finding, "guest '%s' %s on %s", guest->name, how,
                     stand_text(placing, draft, level));
}

/* ---- edits of a group ------------------------------------------------------------------------------------------- */

static bool helps(struct placing *placing, const struct guest_group *group, uint32_t together, uint32_t apart)
{
    struct guest_group edited = *group;
    edited.together = together;
    edited.apart = apart;
    struct replay replay = { .group = group, .edited_group = &edited };
    return fits_in_replay(placing, &replay);
}

/* The next narrower level at which they find room. */
static bool offer_narrower(struct placing *placing, struct finding *finding, const struct guest_group *group)
{
    for (uint32_t level = group->apart + 1; level < GROUP_LEVELS; level++)
        if (helps(placing, group, group->together, level)) {
            finding_help(placing->findings, finding, "write 'apart %s' in group '%s'", group_level_word(level),
                         group->name);
            return true;
        }
    return false;
}

static bool offer_wider(struct placing *placing, struct finding *finding, const struct guest_group *group)
{
    for (uint32_t level = group->together; level-- > GROUP_HOST;)
        if (helps(placing, group, level, group->apart)) {
            finding_help(placing->findings, finding, "write 'together %s' in group '%s'", group_level_word(level),
                         group->name);
            return true;
        }
    return false;
}

static bool offer_any_host(struct placing *placing, struct finding *finding, const struct guest *guest)
{
    if (!guest->hosts.count || placing->hosts->count < 2)
        return false;
    struct guest edited = *guest;
    edited.hosts = (struct list){ 0 };
    struct replay replay = { .edited = &edited, .guest = guest };
    if (!fits_in_replay(placing, &replay))
        return false;
    finding_help(placing->findings, finding, "leave 'host' out of guest '%s'", guest->family);
    return true;
}

/* What floats stands on all that it may run on. */
static bool offer_own_cpus(struct placing *placing, struct finding *finding, const struct guest *guest,
                           const struct guest_group *group)
{
    if (guest->locality.pin != PIN_NODE || guest->cell_count || group->apart < GROUP_L3)
        return false;
    struct guest edited = *guest;
    edited.locality.pin = PIN_CPUS;
    struct replay replay = { .edited = &edited, .guest = guest, .group = group };
    if (!fits_in_replay(placing, &replay))
        return false;
    finding_help(placing->findings, finding, "give guest '%s' CPUs of its own: 'pin cpus'", guest->family);
    return true;
}

/* ---- apart ------------------------------------------------------------------------------------------------------ */

static void tell_crowded(struct placing *placing, const struct guest *guest, const struct guest_group *group)
{
    bool *is_told = &placing->grouping->is_told[group - placing->site->groups];
    if (*is_told)
        return; /* the others of the group are in the same way */
    *is_told = true;
    const char *level = group_part_text(group->apart);
    struct finding *finding =
        report(placing->findings, NM_group_crowded, said_span(&group->said, W_GROUP_APART, 1),
               "guest '%s' fits only on %s where another guest of group '%s' stands", guest->name, level, group->name);
    finding_label(placing->findings, finding, guest->span, "guest '%s'", guest->name);
    for (uint32_t m = 0, noted = 0; m < group->member_count && noted < NAMED_MOST; m++) {
        const struct guest *other = &placing->site->guests[group->members[m]];
        if (other == guest || !placing->drafts[other->number].room)
            continue;
        note_stand(placing, finding, other, group->apart, "stands");
        noted++;
    }
    bool is_offered = offer_own_cpus(placing, finding, guest, group);
    is_offered |= offer_narrower(placing, finding, group);
    is_offered |= offer_any_host(placing, finding, guest);
    if (!is_offered)
        finding_help(placing->findings, finding, "declare another host, or leave guest '%s' out of the group",
                     guest->name);
}

static bool fits_without(struct placing *placing, const struct guest *guest, const struct candidates *candidates,
                         struct draft *draft)
{
    struct asking asking = { .guest = guest };
    return place_over(placing, candidates, &asking, draft);
}

bool settle_crowded(struct placing *placing, const struct guest *guest, const struct candidates *candidates,
                    struct draft *draft)
{
    struct grouping *grouping = placing->grouping;
    const struct guest_group *in_the_way = NULL, *group;
    uint32_t at = 0;
    bool fits = false;
    for (uint32_t looked = 0; !fits && looked < GROUPS_LOOKED_AT && (group = next_group(grouping, guest, &at));) {
        if (group->apart == GROUP_UNSAID)
            continue;
        looked++;
        in_the_way = in_the_way ? in_the_way : group;
        grouping->ignored = group;
        fits = fits_without(placing, guest, candidates, draft);
        grouping->ignored = NULL;
        in_the_way = fits ? group : in_the_way;
    }
    if (!in_the_way)
        return false;
    if (!fits) {
        grouping->ignores_all = true;
        fits = fits_without(placing, guest, candidates, draft);
        grouping->ignores_all = false;
    }
    if (!fits || fixes_places(guest))
        return fits;
    draft->is_placed = false; /* its room stays taken, so that what follows is told as if this were cured */
    if (!placing->is_replay)
        tell_crowded(placing, guest, in_the_way);
    return true;
}

/* ---- together --------------------------------------------------------------------------------------------------- */

/* The group without which the unit would fit, else the first of it. */
static const struct guest_group *tearing(struct placing *placing, const uint32_t *members, uint32_t count)
{
    const struct guest_group *first = NULL, *group;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = 0;
        while ((group = next_group(placing->grouping, &placing->site->guests[members[i]], &at))) {
            if (group->together == GROUP_UNSAID || group->members[0] != members[i])
                continue; /* each group once, at the first of its guests */
            if (helps(placing, group, GROUP_UNSAID, group->apart))
                return group;
            first = first ? first : group;
        }
    }
    return first;
}

void refuse_torn(struct placing *placing, const uint32_t *members, uint32_t count)
{
    const struct guest_group *group = tearing(placing, members, count);
    if (!group)
        return;
    const char *level = strchr(group_part_text(group->together), ' '); /* without its article */
    struct finding *finding =
        report(placing->findings, NM_group_torn, said_span(&group->said, W_GROUP_TOGETHER, 1),
               "the guests of group '%s' fit each for itself, but no%s has room for all of them", group->name, level);
    for (uint32_t m = 0; m < group->member_count && m < NAMED_MOST; m++)
        note_stand(placing, finding, &placing->site->guests[group->members[m]], group->together,
                   "by itself would stand");
    bool is_offered = offer_wider(placing, finding, group);
    for (uint32_t m = 0; m < group->member_count && !is_offered; m++)
        is_offered = offer_any_host(placing, finding, &placing->site->guests[group->members[m]]);
    if (!is_offered)
        finding_help(placing->findings, finding, "leave 'together' out of group '%s'", group->name);
}
