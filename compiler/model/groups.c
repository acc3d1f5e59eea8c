/* SPDX-License-Identifier: MIT
 *
 * Groups: which guests a group names, and whether what it asks of them can be asked at all.  Whether they find room so
 * is a matter of placement; whether they stand so, of a rule of the plan.
 */
#include "model/binder.h"

#include <string.h>

const struct guest_group group_defaults = { .together = GROUP_UNSAID, .apart = GROUP_UNSAID };

const char *group_level_word(uint32_t level)
{
    return word_row(W_GROUP_APART)->arguments[0].choices[level];
}

const char *group_part_text(uint32_t level)
{
    static const char *const texts[] = { "a host", "a socket", "a node", "an L3", "a core" };
    return texts[level];
}

uint32_t level_of_group(uint32_t group_level)
{
    return group_level - GROUP_SOCKET + LEVEL_SOCKET;
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

struct roll {             /* of guests by name */
    GHashTable *guests;   /* to number + 1: instances, and guests without `count` */
    GHashTable *families; /* to the number of the first instance + 1 */
    GHashTable *declared; /* labels of guests, whatever became of them */
    uint32_t *named;      /* of the group at hand, by guest: the name that brought it, counted from 1; */
    GArray *members;      /* their numbers */
};

static struct roll open_roll(struct binder *binder)
{
    struct roll roll = { .guests = g_hash_table_new(g_str_hash, g_str_equal),
                         .families = g_hash_table_new(g_str_hash, g_str_equal),
                         .declared = g_hash_table_new(g_str_hash, g_str_equal),
                         .named = g_new0(uint32_t, (size_t)binder->site->guest_count + 1),
                         .members = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
    for (uint32_t g = 0; g < binder->site->guest_count; g++) {
        const struct guest *guest = &binder->site->guests[g];
        g_hash_table_insert(roll.guests, (gpointer)(uintptr_t)guest->name, GUINT_TO_POINTER(g + 1));
        if (guest->instance == 1)
            g_hash_table_insert(roll.families, (gpointer)(uintptr_t)guest->family, GUINT_TO_POINTER(g + 1));
    }
    for (guint i = 0; i < binder->guest_items->len; i++)
        g_hash_table_add(roll.declared,
                         (gpointer)(uintptr_t)label_string(binder, g_ptr_array_index(binder->guest_items, i)));
    return roll;
}

static void close_roll(struct roll *roll)
{
    g_hash_table_destroy(roll->guests);
    g_hash_table_destroy(roll->families);
    g_hash_table_destroy(roll->declared);
    g_free(roll->named);
    g_array_free(roll->members, TRUE);
}

static struct span name_span(const struct guest_group *group, uint32_t position)
{
    return listed_span(&group->names, sizeof(const char *), position);
}

static void report_twice(struct binder *binder, struct guest_group *group, uint32_t guest, uint32_t first,
                         uint32_t again)
{
    const char *name = binder->site->guests[guest].name;
    struct finding *finding = report(binder->findings, NM_group_repeated, name_span(group, again),
                                     "guest '%s' stands twice in group '%s'", name, group->name);
    finding_label(binder->findings, finding, name_span(group, first), "first here");
    finding_help(binder->findings, finding, "keep one of the two");
    group->is_broken = true;
}

/* One name of the list: a guest, or all instances of a family. */
static void enter_name(struct binder *binder, struct roll *roll, struct guest_group *group, uint32_t position)
{
    const char *name = ((const char *const *)group->names.items)[position];
    uint32_t first = GPOINTER_TO_UINT(g_hash_table_lookup(roll->families, name)), count = 1;
    if (first)
        count = binder->site->guests[first - 1].count;
    else
        first = GPOINTER_TO_UINT(g_hash_table_lookup(roll->guests, name));
    if (!first) {
        struct scalar scalar = { .text = name, .length = strlen(name), .span = name_span(group, position) };
        if (!g_hash_table_contains(roll->declared, name)) /* else its count is wrong, which was told */
            report_unknown_guest(binder, &scalar);
        group->is_broken = true;
        return;
    }
    group->is_broken |= !grow(binder, count, 0, name_span(group, position));
    for (uint32_t g = first - 1; !group->is_broken && g < first - 1 + count; g++) {
        if (roll->named[g]) {
            report_twice(binder, group, g, roll->named[g] - 1, position);
        } else {
            roll->named[g] = position + 1;
            g_array_append_val(roll->members, g);
        }
    }
}

static int rising(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void find_members(struct binder *binder, struct roll *roll, struct guest_group *group)
{
    g_array_set_size(roll->members, 0);
    for (uint32_t i = 0; i < group->names.count; i++)
        enter_name(binder, roll, group, i);
    g_array_sort(roll->members, rising);
    group->member_count = roll->members->len;
    group->members = arena_copy(binder->arena, roll->members->data, roll->members->len * sizeof(uint32_t));
    for (guint i = 0; i < roll->members->len; i++)
        roll->named[g_array_index(roll->members, uint32_t, i)] = 0;
}

/* ---- what it asks ----------------------------------------------------------------------------------------------- */

static void refuse_few(struct binder *binder, struct guest_group *group)
{
    struct finding *finding;
    if (!is_said(&group->said, W_GROUP_GUESTS))
        finding = report(binder->findings, NM_group_small, group->span, "group '%s' names no guests", group->name);
    else
        finding = report(binder->findings, NM_group_small, name_span(group, 0), "group '%s' has one guest, '%s'",
                         group->name, binder->site->guests[group->members[0]].name);
    finding_help(binder->findings, finding, "name two guests or more: 'guests A B'; one with 'count' stands for all");
    group->is_broken = true;
}

/* Which of a node and an L3 is the wider differs from machine to machine; all others lie in each other. */
static bool is_wider(uint32_t level, uint32_t other)
{
    bool is_either_way = (level == GROUP_NODE && other == GROUP_L3) || (level == GROUP_L3 && other == GROUP_NODE);
    return level < other || is_either_way;
}

static void check_levels(struct binder *binder, struct guest_group *group)
{
    struct finding *finding;
    if (group->together == GROUP_UNSAID && group->apart == GROUP_UNSAID) {
        finding = report(binder->findings, NM_group_useless, group->span,
                         "group '%s' says neither 'together' nor 'apart'", group->name);
        finding_help(binder->findings, finding, "write 'together node' or 'apart host', or remove the group");
        group->is_broken = true;
    } else if (group->together != GROUP_UNSAID && group->apart != GROUP_UNSAID &&
               !is_wider(group->together, group->apart)) {
        const char *together = group_part_text(group->together), *apart = group_part_text(group->apart);
        finding = report(binder->findings, NM_group_contradiction, said_span(&group->said, W_GROUP_APART, 1),
                         "guests of group '%s' that share %s cannot have %s each", group->name, together, apart);
        finding_label(binder->findings, finding, said_span(&group->said, W_GROUP_TOGETHER, 1), "together here");
        finding_help(binder->findings, finding,
                     "'together' must be wider than 'apart': 'together host' and 'apart socket'");
        group->is_broken = true;
    }
}

/* ---- whom it asks ----------------------------------------------------------------------------------------------- */

/* The word that leaves open where some vCPUs or memory of a guest are; W_NONE: none does. */
static enum word_id loose_word(const struct guest *guest, const struct said **out_said)
{
    *out_said = &guest->said;
    if (guest->locality.nodes_by_numad || guest->locality.cpus_by_numad)
        return guest->locality.nodes_by_numad ? W_NODE : W_CPUS;
    if (!guest->cell_count)
        return guest->locality.pin == PIN_NONE && !guest->locality.pin_rows.count ? W_PIN : W_NONE;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        if (cell->locality.pin != PIN_NONE || cell->locality.pin_rows.count || guest->locality.pin_rows.count)
            continue;
        if (is_said(&cell->said, W_PIN))
            *out_said = &cell->said;
        return W_PIN;
    }
    return W_NONE;
}

/* A guest whose vCPUs may run anywhere stands in no part of its host. */
static void refuse_loose(struct binder *binder, struct guest_group *group)
{
    uint32_t level = MIN(group->together, group->apart);
    if (group->together != GROUP_UNSAID && group->apart != GROUP_UNSAID)
        level = MAX(group->together, group->apart);
    for (uint32_t m = 0; level != GROUP_HOST && m < group->member_count; m++) {
        const struct guest *guest = &binder->site->guests[group->members[m]];
        const struct said *said;
        enum word_id word = loose_word(guest, &said);
        if (word == W_NONE || guest->is_broken)
            continue;
        struct finding *finding = report(
            binder->findings, NM_group_loose, said_span(said, word, 1),
            "guest '%s' is to stand on %s of its host for group '%s', and '%s %s' leaves open where it runs",
            guest->name, group_part_text(level), group->name, word_row(word)->word, word == W_PIN ? "none" : "numad");
        finding_label(binder->findings, finding, group->span, "the group");
        if (word == W_PIN)
            finding_help(binder->findings, finding, "leave 'pin none' out: then its vCPUs stay beside its memory");
        else
            finding_help(binder->findings, finding, "leave 'numad' out: numac chooses when the plan is made");
        finding_help(binder->findings, finding, "or ask for a host only: '%s host'",
                     level == group->apart ? "apart" : "together");
        group->is_broken = true;
        return;
    }
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static void bind_group(struct binder *binder, struct roll *roll, const struct item *item, struct guest_group *group)
{
    *group = group_defaults;
    group->name = label_string(binder, item);
    group->span = word_span(item, item->arguments[0]);
    struct frame frame = { .said = &group->said, .layer = LAYER_GUEST, .is_broken = &group->is_broken };
    frame.object[OBJECT_GROUP] = group;
    bind_block(binder, &frame, IN_GROUP, item->children);
    if (!is_failed(&group->said, W_GROUP_GUESTS))
        find_members(binder, roll, group);
    if (!group->is_broken && group->member_count < 2) /* else it may stand in a word that could not be read */
        refuse_few(binder, group);
    if (!group->is_broken)
        check_levels(binder, group);
    if (!group->is_broken)
        refuse_loose(binder, group);
}

void bind_groups(struct binder *binder)
{
    struct site *site = binder->site;
    for (uint32_t g = 0; g < site->guest_count; g++)
        site->guests[g].number = g;
    if (!binder->group_items->len)
        return;
    struct roll roll = open_roll(binder);
    site->groups = arena_array(binder->arena, struct guest_group, binder->group_items->len);
    for (guint i = 0; i < binder->group_items->len; i++)
        bind_group(binder, &roll, g_ptr_array_index(binder->group_items, i), &site->groups[site->group_count++]);
    close_roll(&roll);
}
