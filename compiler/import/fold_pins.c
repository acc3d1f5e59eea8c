/* SPDX-License-Identifier: MIT
 *
 * A row for each pinned vCPU, as libvirt writes them, into the few rows that say the same: vCPUs of one set share a
 * row, and vCPUs with a CPU each stand beside these CPUs, the first on the first.
 */
#include "import/parts.h"

#include <stdlib.h>
#include <string.h>

struct pinned {
    uint32_t vcpu;
    const struct ids *cpus;
    const char *text; /* of the CPUs: equal sets have equal texts */
    uint32_t row;     /* it went into, counted from 1 */
};

struct row {
    GArray *vcpus, *cpus; /* uint32_t, rising; cpus: one for each vCPU, empty where all share `text` */
    const char *text;
};

static int by_vcpu(const void *a, const void *b)
{
    const struct pinned *one = a, *other = b;
    return one->vcpu < other->vcpu ? -1 : one->vcpu > other->vcpu;
}

/* NULL where a row says anything but a vCPU and its CPUs, or a vCPU stands twice: then the table stays as it is. */
static GArray *read_pins(struct arena *arena, const struct line *rows)
{
    GArray *pins = g_array_new(FALSE, FALSE, sizeof(struct pinned));
    bool fine = rows;
    for (; rows && fine; rows = rows->next) {
        uint64_t vcpu;
        struct pinned pinned = { 0 };
        fine = line_argument(rows) && text_number(rows->word, &vcpu) && vcpu <= IDS_LIMIT;
        pinned.cpus = fine ? text_set(arena, rows->arguments[0]) : NULL;
        fine = pinned.cpus;
        if (!fine)
            break;
        pinned.vcpu = (uint32_t)vcpu;
        pinned.text = ids_text(arena, pinned.cpus);
        g_array_append_val(pins, pinned);
    }
    if (fine)
        g_array_sort(pins, by_vcpu);
    for (guint i = 1; i < pins->len && fine; i++)
        fine = g_array_index(pins, struct pinned, i - 1).vcpu != g_array_index(pins, struct pinned, i).vcpu;
    if (fine)
        return pins;
    g_array_free(pins, TRUE);
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static void row_clear(void *row_pointer)
{
    struct row *row = row_pointer;
    g_array_free(row->vcpus, TRUE);
    g_array_free(row->cpus, TRUE);
}

static GArray *rows_new(void)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct row));
    g_array_set_clear_func(rows, row_clear);
    return rows;
}

static struct row *add_row(GArray *rows, const char *text)
{
    struct row row = { .vcpus = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                       .cpus = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                       .text = text };
    g_array_append_val(rows, row);
    return &g_array_index(rows, struct row, rows->len - 1);
}

static bool is_single(const struct pinned *pinned)
{
    return ids_size(pinned->cpus) == 1;
}

/* Sets of several CPUs, and single CPUs that several vCPUs share: one row for each set.  What is left has row 0. */
static void share_rows(GArray *pins, GArray *rows)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < pins->len; i++) {
        gpointer text = (gpointer)(uintptr_t)g_array_index(pins, struct pinned, i).text;
        g_hash_table_insert(counts, text, GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(counts, text)) + 1));
    }
    for (guint i = 0; i < pins->len; i++) {
        struct pinned *pinned = &g_array_index(pins, struct pinned, i);
        if (is_single(pinned) && GPOINTER_TO_UINT(g_hash_table_lookup(counts, pinned->text)) == 1)
            continue;
        uint32_t place = GPOINTER_TO_UINT(g_hash_table_lookup(places, pinned->text));
        if (!place) {
            add_row(rows, pinned->text);
            place = rows->len;
            g_hash_table_insert(places, (gpointer)(uintptr_t)pinned->text, GUINT_TO_POINTER(place));
        }
        g_array_append_val(g_array_index(rows, struct row, place - 1).vcpus, pinned->vcpu);
        pinned->row = place;
    }
}

static void append_each(struct row *row, const struct pinned *pinned)
{
    uint32_t cpu = ids_first(pinned->cpus);
    g_array_append_val(row->vcpus, pinned->vcpu);
    g_array_append_val(row->cpus, cpu);
}

static uint32_t last_cpu(const struct row *row)
{
    return g_array_index(row->cpus, uint32_t, row->cpus->len - 1);
}

/* vCPUs in their order as long as their CPUs rise. */
static void rows_by_order(const GArray *pins, GArray *rows)
{
    struct row *row = NULL;
    for (guint i = 0; i < pins->len; i++) {
        const struct pinned *pinned = &g_array_index(pins, struct pinned, i);
        if (pinned->row)
            continue;
        if (!row || last_cpu(row) >= ids_first(pinned->cpus))
            row = add_row(rows, NULL);
        append_each(row, pinned);
    }
}

/* Runs of neighbouring CPUs, however their vCPUs are strewn: threads 0, 40, 1, 41 are two of them. */
static void rows_by_neighbours(const GArray *pins, GArray *rows)
{
    g_autoptr(GHashTable) ends = g_hash_table_new(NULL, NULL); /* last CPU of a row, to the row counted from 1 */
    for (guint i = 0; i < pins->len; i++) {
        const struct pinned *pinned = &g_array_index(pins, struct pinned, i);
        if (pinned->row)
            continue;
        uint32_t cpu = ids_first(pinned->cpus), place = 0;
        if (cpu)
            place = GPOINTER_TO_UINT(g_hash_table_lookup(ends, GUINT_TO_POINTER(cpu - 1)));
        if (!place) {
            add_row(rows, NULL);
            place = rows->len;
        }
        append_each(&g_array_index(rows, struct row, place - 1), pinned);
        g_hash_table_insert(ends, GUINT_TO_POINTER(cpu), GUINT_TO_POINTER(place));
    }
}

/* ---- their text ------------------------------------------------------------------------------------------------- */

static const char *numbers_text(struct arena *arena, const GArray *numbers)
{
    return ids_text(arena, ids_from_sorted(arena, (const uint32_t *)(const void *)numbers->data, numbers->len));
}

static struct line *row_line(struct arena *arena, const struct row *row)
{
    struct line *line = line_new(arena, numbers_text(arena, row->vcpus), NULL);
    bool is_each = row->cpus->len > 1;
    line->arguments = arena_array(arena, const char *, 2);
    line->arguments[line->count++] = row->cpus->len ? numbers_text(arena, row->cpus) : row->text;
    if (is_each)
        line->arguments[line->count++] = "each";
    return line;
}

static struct line *rows_lines(struct arena *arena, const GArray *rows, size_t *out_length)
{
    struct line *first = NULL, **tail = &first;
    *out_length = 0;
    for (guint i = 0; i < rows->len; i++, tail = &(*tail)->next) {
        enum { AROUND = 3 };
        *tail = row_line(arena, &g_array_index(rows, struct row, i));
        *out_length += strlen((*tail)->word) + strlen((*tail)->arguments[0]) + (*tail)->count * AROUND;
    }
    return first;
}

static struct line *shortest(struct arena *arena, const GArray *pins)
{
    GArray *ordered = rows_new(), *strewn = rows_new();
    size_t ordered_length, strewn_length;
    rows_by_order(pins, ordered);
    rows_by_neighbours(pins, strewn);
    struct line *in_order = rows_lines(arena, ordered, &ordered_length);
    struct line *by_neighbours = rows_lines(arena, strewn, &strewn_length);
    g_array_free(ordered, TRUE);
    g_array_free(strewn, TRUE);
    return strewn_length < ordered_length ? by_neighbours : in_order;
}

void fold_pins(struct guest_lines *guest)
{
    struct line *pin = line_find(guest->lines, "pin");
    if (!pin || pin->count || lines_count(guest->lines, "pin") > 1)
        return;
    GArray *pins = read_pins(guest->arena, pin->children);
    if (!pins)
        return;
    GArray *shared = rows_new();
    size_t length;
    share_rows(pins, shared);
    struct line *lines = rows_lines(guest->arena, shared, &length), **tail = &lines;
    while (*tail)
        tail = &(*tail)->next;
    *tail = shortest(guest->arena, pins);
    pin->children = lines;
    g_array_free(shared, TRUE);
    g_array_free(pins, TRUE);
}
