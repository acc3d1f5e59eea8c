/* SPDX-License-Identifier: MIT
 *
 * What two texts differ in, as `diff -u` shows it: the shortest script by Myers' greedy search over the lines between
 * the common start and end, given up for a plain replacement where it would take too long.
 */
#include "notation/notation.h"

#include <string.h>

enum { CONTEXT = 3, MOST_EDITS = 1000 };

struct line {
    const char *bytes;
    uint32_t length;
    uint32_t id; /* equal for equal lines */
    bool has_end;
};

struct side {
    struct line *lines;
    size_t count;
    bool *changed; /* removed from the old text, added by the new one */
};

static size_t count_lines(struct text text)
{
    size_t count = 0;
    for (const char *at = text.bytes, *end = at + text.length; at < end; count++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    return count;
}

static guint line_hash(gconstpointer pointer)
{
    const struct line *line = pointer;
    guint value = 2166136261u + line->has_end;
    for (uint32_t i = 0; i < line->length; i++)
        value = (value ^ (unsigned char)line->bytes[i]) * 16777619u;
    return value;
}

static gboolean line_equal(gconstpointer left, gconstpointer right)
{
    const struct line *a = left, *b = right;
    return a->has_end == b->has_end && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static struct side side_of(struct text text, GHashTable *known)
{
    struct side side = { .count = count_lines(text) };
    side.lines = g_new0(struct line, side.count + 1);
    side.changed = g_new0(bool, side.count + 1);
    const char *at = text.bytes, *end = at + text.length;
    for (size_t i = 0; i < side.count; i++) {
        struct line *line = &side.lines[i];
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        *line = (struct line){ .bytes = at,
                               .length = (uint32_t)((newline ? newline : end) - at),
                               .has_end = newline != NULL };
        at = newline ? newline + 1 : end;
        struct line *first = g_hash_table_lookup(known, line);
        line->id = first ? first->id : g_hash_table_size(known);
        if (!first)
            g_hash_table_add(known, line);
    }
    return side;
}

/* ---- the script ------------------------------------------------------------------------------------------------- */

/* Walks back through the furthest points of each round and marks what was removed and added. */
static void mark_path(struct side *old, struct side *new, size_t start, GPtrArray *rounds, long x, long y)
{
    for (long edits = (long)rounds->len; edits-- > 0;) {
        const long *furthest = (long *)g_ptr_array_index(rounds, (guint)edits) + edits; /* of the round before */
        long diagonal = x - y;
        bool down =
            diagonal == -(edits + 1) || (diagonal != edits + 1 && furthest[diagonal - 1] < furthest[diagonal + 1]);
        long from = down ? diagonal + 1 : diagonal - 1;
        long before_x = furthest[from], before_y = before_x - from;
        if (down)
            new->changed[start + (size_t)before_y] = true;
        else
            old->changed[start + (size_t)before_x] = true;
        x = before_x;
        y = before_y;
    }
}

/* rounds[d] holds the furthest points after d edits, diagonals -d to d. */
static bool search(struct side *old, struct side *new, size_t start, long old_count, long new_count)
{
    g_autoptr(GPtrArray) rounds = g_ptr_array_new_with_free_func(g_free);
    for (long edits = 0; edits <= MOST_EDITS; edits++) {
        long *row = g_new(long, (gsize)(2 * edits + 1)), *now = row + edits;
        const long *before = edits ? (long *)g_ptr_array_index(rounds, (guint)edits - 1) + (edits - 1) : NULL;
        for (long diagonal = -edits; diagonal <= edits; diagonal += 2) {
            long x = 0;
            if (edits)
                x = diagonal == -edits || (diagonal != edits && before[diagonal - 1] < before[diagonal + 1])
                        ? before[diagonal + 1]
                        : before[diagonal - 1] + 1;
            while (x < old_count && x - diagonal < new_count && x - diagonal >= 0 &&
                   old->lines[start + (size_t)x].id == new->lines[start + (size_t)(x - diagonal)].id)
                x++;
            now[diagonal] = x;
            if (x >= old_count && x - diagonal >= new_count) {
                g_free(row);
                mark_path(old, new, start, rounds, x, x - diagonal);
                return true;
            }
        }
        g_ptr_array_add(rounds, row);
    }
    return false;
}

static void mark_changes(struct side *old, struct side *new)
{
    size_t start = 0, end = 0;
    while (start < old->count && start < new->count && old->lines[start].id == new->lines[start].id)
        start++;
    while (end < old->count - start && end < new->count - start &&
           old->lines[old->count - end - 1].id == new->lines[new->count - end - 1].id)
        end++;
    size_t old_count = old->count - start - end, new_count = new->count - start - end;
    if (search(old, new, start, (long)old_count, (long)new_count))
        return;
    memset(old->changed + start, 1, old_count * sizeof(bool));
    memset(new->changed + start, 1, new_count * sizeof(bool));
}

/* ---- hunks ------------------------------------------------------------------------------------------------------ */

struct hunk {
    size_t old_begin, old_end, new_begin, new_end;
};

static bool is_changed(const struct side *side, size_t at)
{
    return at < side->count && side->changed[at];
}

/* The next hunk behind a place where both sides agree; false: none. */
static bool next_hunk(const struct side *old, const struct side *new, size_t *old_at, size_t *new_at,
                      struct hunk *out_hunk)
{
    while (*old_at < old->count && *new_at < new->count && !old->changed[*old_at] && !new->changed[*new_at])
        (*old_at)++, (*new_at)++;
    if (*old_at >= old->count && *new_at >= new->count)
        return false;
    size_t lead = MIN(MIN(*old_at, *new_at), (size_t)CONTEXT);
    *out_hunk = (struct hunk){ *old_at - lead, *old_at, *new_at - lead, *new_at };
    size_t same = 0;
    while ((*old_at < old->count || *new_at < new->count) && same <= 2 * CONTEXT) {
        bool removed = is_changed(old, *old_at), added = !removed && is_changed(new, *new_at);
        *old_at += !added;
        *new_at += !removed;
        same = removed || added ? 0 : same + 1;
        if (!same) {
            out_hunk->old_end = *old_at;
            out_hunk->new_end = *new_at;
        }
    }
    size_t tail = MIN(MIN(old->count - out_hunk->old_end, new->count - out_hunk->new_end), (size_t)CONTEXT);
    *old_at = out_hunk->old_end += tail;
    *new_at = out_hunk->new_end += tail;
    return true;
}

static void write_line(GString *out, char sign, const struct line *line)
{
    g_string_append_c(out, sign);
    g_string_append_len(out, line->bytes, line->length);
    g_string_append(out, line->has_end ? "\n" : "\n\\ No newline at end of file\n");
}

static void write_range(GString *out, char sign, size_t begin, size_t end)
{
    g_string_append_printf(out, "%c%zu", sign, end > begin ? begin + 1 : begin);
    if (end - begin != 1)
        g_string_append_printf(out, ",%zu", end - begin);
}

static void write_hunk(GString *out, const struct side *old, const struct side *new, const struct hunk *hunk)
{
    g_string_append(out, "@@ ");
    write_range(out, '-', hunk->old_begin, hunk->old_end);
    g_string_append_c(out, ' ');
    write_range(out, '+', hunk->new_begin, hunk->new_end);
    g_string_append(out, " @@\n");
    for (size_t i = hunk->old_begin, k = hunk->new_begin; i < hunk->old_end || k < hunk->new_end;) {
        if (i < hunk->old_end && old->changed[i])
            write_line(out, '-', &old->lines[i++]);
        else if (k < hunk->new_end && new->changed[k])
            write_line(out, '+', &new->lines[k++]);
        else
            write_line(out, ' ', &old->lines[i++]), k++;
    }
}

void write_line_diff(const char *name, struct text old_text, struct text new_text, GString *out)
{
    if (old_text.length == new_text.length && memcmp(old_text.bytes, new_text.bytes, old_text.length) == 0)
        return;
    GHashTable *known = g_hash_table_new(line_hash, line_equal);
    struct side old = side_of(old_text, known), new = side_of(new_text, known);
    g_hash_table_destroy(known);
    mark_changes(&old, &new);
    g_string_append_printf(out, "--- %s\n+++ %s\n", name, name);
    size_t old_at = 0, new_at = 0;
    for (struct hunk hunk; next_hunk(&old, &new, &old_at, &new_at, &hunk);)
        write_hunk(out, &old, &new, &hunk);
    g_free(old.lines);
    g_free(old.changed);
    g_free(new.lines);
    g_free(new.changed);
}
