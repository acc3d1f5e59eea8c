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

/* Where others of its group stand, few of them; on one host, or NULL: on any. */
static void note_others(struct placing *placing, struct finding *finding, const struct guest *guest,
                        const struct guest_group *group, const struct room *room)
{
    for (uint32_t m = 0, noted = 0; m < group->member_count && noted < NAMED_MOST; m++) {
        const struct guest *other = &placing->site->guests[group->members[m]];
        const struct room *its = placing->drafts[other->number].room;
        if (other->number == guest->number || !its || (room && its != room))
            continue;
        note_stand(placing, finding, other, group->apart, "stands");
        noted++;
    }
}

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
    note_others(placing, finding, guest, group, NULL);
    bool is_offered = offer_own_cpus(placing, finding, guest, group);
    is_offered |= offer_narrower(placing, finding, group);
    is_offered |= offer_any_host(placing, finding, guest);
    if (!is_offered)
        finding_help(placing->findings, finding, "declare another host, or leave guest '%s' out of the group",
                     guest->name);
}

/* Whether a guest fits, while some of its groups are ignored. */
struct trial {
    bool (*fits)(const struct trial *trial);
    struct placing *placing;
    const struct guest *guest;
    const struct candidates *candidates; /* somewhere on these, and its draft, */
    struct draft *draft;
    struct room *room; /* or here, leaving no trace */
};

static bool fits_somewhere(const struct trial *trial)
{
    struct asking asking = { .guest = trial->guest };
    return place_over(trial->placing, trial->candidates, &asking, trial->draft);
}

static bool fits_here(const struct trial *trial)
{
    return fits_in_room(trial->placing, trial->room, trial->guest);
}

/* The group without which it fits, else the first that wants it apart; NULL: none does. */
static const struct guest_group *in_the_way(const struct trial *trial, bool *out_fits)
{
    struct grouping *grouping = trial->placing->grouping;
    const struct guest_group *first = NULL, *group;
    uint32_t at = 0;
    *out_fits = false;
    for (uint32_t looked = 0; looked < GROUPS_LOOKED_AT && (group = next_group(grouping, trial->guest, &at));) {
        if (group->apart == GROUP_UNSAID)
            continue;
        looked++;
        first = first ? first : group;
        grouping->ignored = group;
        *out_fits = trial->fits(trial);
        grouping->ignored = NULL;
        if (*out_fits)
            return group;
    }
    grouping->ignores_all = true;
    *out_fits = first && trial->fits(trial);
    grouping->ignores_all = false;
    return first;
}

bool settle_crowded(struct placing *placing, const struct guest *guest, const struct candidates *candidates,
                    struct draft *draft)
{
    struct trial trial = { fits_somewhere, placing, guest, candidates, draft, NULL };
    bool fits;
    const struct guest_group *group = in_the_way(&trial, &fits);
    if (!fits || fixes_places(guest))
        return fits;
    draft->is_placed = false; /* its room stays taken, so that what follows is told as if this were cured */
    if (!placing->is_replay)
        tell_crowded(placing, guest, group);
    return true;
}

bool refuse_crowded_move(struct placing *placing, const struct guest *moved, struct room *room, struct span span)
{
    struct trial trial = { fits_here, placing, moved, NULL, NULL, room };
    bool fits;
    const struct guest_group *group = in_the_way(&trial, &fits);
    if (!fits)
        return false;
    const char *host = room->host->name;
    struct finding *finding =
        group->apart == GROUP_HOST
            ? report(placing->findings, NM_move_crowded, span,
                     "guest '%s' cannot move to host '%s', where another guest of group '%s' stands", moved->name, host,
                     group->name)
            : report(placing->findings, NM_move_crowded, span,
                     "guest '%s' fits on host '%s' only on %s where another guest of group '%s' stands", moved->name,
                     host, group_part_text(group->apart), group->name);
    finding_label(placing->findings, finding, said_span(&group->said, W_GROUP_APART, 1), "apart here");
    note_others(placing, finding, moved, group, room);
    offer_moves(placing, finding, room, moved);
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

void refuse_torn_move(struct placing *placing, const struct guest *moved, const struct room *room, struct span span)
{
    const struct guest_group *group;
    uint32_t at = 0;
    while ((group = next_group(placing->grouping, moved, &at)) && group->together == GROUP_UNSAID)
        continue;
    if (!group)
        bug("guests that move together, and no group holds them");
    const char *level = strchr(group_part_text(group->together), ' ');
    struct finding *finding =
        report(placing->findings, NM_move_torn, span,
               "the guests of group '%s' fit on host '%s' each for itself, but no%s there has room for all of them",
               group->name, room->host->name, level);
    finding_label(placing->findings, finding, said_span(&group->said, W_GROUP_TOGETHER, 1), "together here");
    finding_help(placing->findings, finding, "make room on host '%s', or leave it out of 'migrate' of all of them",
                 room->host->name);
}
