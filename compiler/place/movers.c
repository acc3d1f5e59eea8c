/* SPDX-License-Identifier: MIT
 *
 * Who goes along with a guest that moves: those that its groups hold together with it, where all of such a group may
 * move to the same host.  They are tried there as one; a group of which somebody stays at home is left behind, which a
 * rule of the plan tells (check/groups.c).
 */
#include "place/groups.h"

#include <string.h>

static bool goes_along(struct placing *placing, const struct guest_group *group, const char *host)
{
    placing->work_left -= MIN(placing->work_left, group->member_count);
    for (uint32_t m = 0; m < group->member_count; m++) {
        const struct planned_guest *home = placing->planned[group->members[m]];
        if (!home || !home->host || strcmp(home->host->name, host) == 0 || !is_among(&home->anywhere->migrate, host))
            return false;
    }
    return true;
}

static int rising(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

const uint32_t *who_moves(struct placing *placing, const struct guest *guest, const char *host, uint32_t *out_count)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL); /* guests by number + 1, and groups */
    g_array_append_val(numbers, guest->number);
    g_hash_table_add(seen, GUINT_TO_POINTER(guest->number + 1));
    for (guint i = 0; i < numbers->len; i++) {
        const struct guest *one = &placing->site->guests[g_array_index(numbers, uint32_t, i)];
        uint32_t at = 0;
        for (const struct guest_group *group; (group = next_group(placing->grouping, one, &at));) {
            if (group->together == GROUP_UNSAID || !g_hash_table_add(seen, (gpointer)(uintptr_t)group) ||
                !goes_along(placing, group, host))
                continue;
            for (uint32_t m = 0; m < group->member_count; m++)
                if (g_hash_table_add(seen, GUINT_TO_POINTER(group->members[m] + 1)))
                    g_array_append_val(numbers, group->members[m]);
        }
    }
    g_array_sort(numbers, rising);
    *out_count = numbers->len;
    return arena_copy(placing->scratch, numbers->data, numbers->len * sizeof(uint32_t));
}

bool movers_enter(struct placing *placing, struct movers *movers, struct room *room)
{
    movers->aside = arena_array(placing->scratch, struct draft, movers->count);
    for (uint32_t m = 0; m < movers->count; m++) {
        struct draft *draft = &placing->drafts[movers->guests[m]->number];
        movers->aside[m] = *draft;
        *draft = (struct draft){ 0 };
    }
    return enter_room(placing, movers->guests, movers->count, room);
}

void movers_leave(struct placing *placing, const struct movers *movers)
{
    for (uint32_t m = 0; movers->aside && m < movers->count; m++)
        placing->drafts[movers->guests[m]->number] = movers->aside[m];
}
