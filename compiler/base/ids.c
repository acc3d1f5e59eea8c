/* SPDX-License-Identifier: MIT
 *
 * Frozen sets of small numbers, kept as ranges: what the plan and the host facts hold.  Algebra is left to hwloc's
 * bitmaps; this file converts, asks and prints.
 */
#include "base/base.h"

#include <hwloc/bitmap.h>

const struct ids ids_none = { 0 };

static struct ids *room_for(struct arena *arena, uint32_t ranges)
{
    struct ids *ids = arena_alloc(arena, sizeof *ids + ranges * sizeof ids->range[0]);
    ids->count = ranges;
    return ids;
}

const struct ids *ids_from_range(struct arena *arena, uint32_t first, uint32_t last)
{
    struct ids *ids = room_for(arena, 1);
    ids->range[0] = (struct range){ first, last };
    return ids;
}

const struct ids *ids_from_sorted(struct arena *arena, const uint32_t *numbers, size_t count)
{
    uint32_t ranges = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || numbers[i] != numbers[i - 1] + 1)
            ranges++;
    if (!ranges)
        return &ids_none;
    struct ids *ids = room_for(arena, ranges);
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || numbers[i] != numbers[i - 1] + 1)
            ids->range[at++].first = numbers[i];
        ids->range[at - 1].last = numbers[i];
    }
    return ids;
}

const struct ids *ids_from_bitmap(struct arena *arena, const struct hwloc_bitmap_s *bitmap)
{
    uint32_t ranges = 0;
    for (int first = hwloc_bitmap_first(bitmap); first >= 0; ranges++) {
        int after = hwloc_bitmap_next_unset(bitmap, first);
        if (after < 0)
            bug("an endless set was frozen");
        first = hwloc_bitmap_next(bitmap, after);
    }
    if (!ranges)
        return &ids_none;
    struct ids *ids = room_for(arena, ranges);
    uint32_t at = 0;
    for (int first = hwloc_bitmap_first(bitmap); first >= 0; at++) {
        int after = hwloc_bitmap_next_unset(bitmap, first);
        ids->range[at] = (struct range){ (uint32_t)first, (uint32_t)after - 1 };
        first = hwloc_bitmap_next(bitmap, after);
    }
    return ids;
}

void ids_add_to_bitmap(const struct ids *ids, struct hwloc_bitmap_s *bitmap)
{
    for (uint32_t i = 0; i < ids->count; i++)
        hwloc_bitmap_set_range(bitmap, ids->range[i].first, (int)ids->range[i].last);
}

struct hwloc_bitmap_s *ids_to_bitmap(const struct ids *ids)
{
    hwloc_bitmap_t bitmap = hwloc_bitmap_alloc();
    ids_add_to_bitmap(ids, bitmap);
    return bitmap;
}

uint32_t ids_size(const struct ids *ids)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < ids->count; i++)
        size += ids->range[i].last - ids->range[i].first + 1;
    return size;
}

bool ids_contains(const struct ids *ids, uint32_t number)
{
    for (uint32_t i = 0; i < ids->count && ids->range[i].first <= number; i++)
        if (number <= ids->range[i].last)
            return true;
    return false;
}

bool ids_equal(const struct ids *a, const struct ids *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->range[i].first != b->range[i].first || a->range[i].last != b->range[i].last)
            return false;
    return true;
}

bool ids_within(const struct ids *inner, const struct ids *outer)
{
    uint32_t o = 0;
    for (uint32_t i = 0; i < inner->count; i++) {
        while (o < outer->count && outer->range[o].last < inner->range[i].first)
            o++;
        if (o == outer->count || outer->range[o].first > inner->range[i].first ||
            outer->range[o].last < inner->range[i].last)
            return false;
    }
    return true;
}

bool ids_overlap(const struct ids *a, const struct ids *b)
{
    for (uint32_t i = 0, j = 0; i < a->count && j < b->count;) {
        if (a->range[i].last < b->range[j].first)
            i++;
        else if (b->range[j].last < a->range[i].first)
            j++;
        else
            return true;
    }
    return false;
}

uint32_t ids_first(const struct ids *ids)
{
    return ids->range[0].first;
}

uint32_t ids_last(const struct ids *ids)
{
    return ids->range[ids->count - 1].last;
}

uint32_t ids_nth(const struct ids *ids, uint32_t position)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        uint32_t size = ids->range[i].last - ids->range[i].first + 1;
        if (position < size)
            return ids->range[i].first + position;
        position -= size;
    }
    bug("a position beyond the end of a set");
}

void ids_append(GString *out, const struct ids *ids)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        char number[32];
        char *end = number + sizeof number, *at = end;
        uint32_t last = ids->range[i].last, first = ids->range[i].first;
        do
            *--at = (char)('0' + last % 10);
        while (last /= 10);
        if (first != ids->range[i].last) {
            *--at = '-';
            do
                *--at = (char)('0' + first % 10);
            while (first /= 10);
        }
        if (i)
            *--at = ',';
        append_bytes(out, at, (size_t)(end - at));
    }
}

char *ids_text(struct arena *arena, const struct ids *ids)
{
    if (!ids->count)
        return arena_string(arena, "none", 4);
    g_autoptr(GString) text = g_string_new(NULL);
    ids_append(text, ids);
    return arena_string(arena, text->str, text->len);
}

static bool number_of_text(const char **at, uint32_t *out)
{
    const char *digit = *at;
    uint32_t number = 0;
    if (!g_ascii_isdigit(*digit) || (*digit == '0' && g_ascii_isdigit(digit[1])))
        return false;
    for (; g_ascii_isdigit(*digit); digit++) {
        number = number * 10 + (uint32_t)(*digit - '0');
        if (number > IDS_LIMIT)
            return false;
    }
    *at = digit;
    *out = number;
    return true;
}

const struct ids *ids_of_text(struct arena *arena, const char *text)
{
    if (!*text)
        return &ids_none;
    uint32_t ranges = 1;
    for (const char *at = text; *at; at++)
        ranges += *at == ',';
    struct ids *ids = arena_alloc(arena, sizeof *ids + ranges * sizeof ids->range[0]);
    for (ids->count = 0; ids->count < ranges; ids->count++) {
        struct range *range = &ids->range[ids->count];
        if (!number_of_text(&text, &range->first))
            return NULL;
        range->last = range->first;
        if (*text == '-' && (text++, !number_of_text(&text, &range->last) || range->last <= range->first))
            return NULL;
        if (ids->count && range->first <= range[-1].last + 1)
            return NULL;
        if (*text && *text++ != ',')
            return NULL;
    }
    return *text ? NULL : ids;
}
