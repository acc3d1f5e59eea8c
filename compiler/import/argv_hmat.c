/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches of a command line as words of the cells whose memory they are about.
 */
#include "import/argv.h"

#include <stdlib.h>
#include <string.h>

enum access { ACCESS_BOTH, ACCESS_READ, ACCESS_WRITE };
enum { LEVELS = 4 }; /* memory, and three of caches */

struct entry { /* one hmat-lb */
    struct option *option;
    uint32_t target, level, initiator, position;
    bool is_bandwidth;
    enum access access;
    const char *value;
};

struct hmat {
    struct argv_guest *guest;
    struct line *caches[ARGV_CELL_LIMIT][LEVELS];
    GArray *entries;
};

/* ---- caches ----------------------------------------------------------------------------------------------------- */

static bool add_choice(struct argv_guest *guest, struct option *option, struct line *cache, const char *key,
                       const char *const (*choices)[2])
{
    const struct property *property = option_take(option, key);
    if (!property)
        return argv_refuse(guest, option->span, "write all that QEMU wants there", "it lacks its '%s'", key);
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(property->value, choices[i][0]) == 0)
            return argv_line(guest, &cache->children, key, "%s", choices[i][1]);
    return argv_refuse(guest, property->where, "write what QEMU has for it", "'%.40s' is no %s of a cache",
                       property->value, key);
}

static void read_cache(struct hmat *hmat, struct option *option)
{
    static const char *const kinds[][2] = { { "none", "none" }, { "direct", "direct" }, { "complex", "full" } };
    static const char *const policies[][2] = { { "none", "none" },
                                               { "write-back", "writeback" },
                                               { "write-through", "writethrough" } };
    struct argv_guest *guest = hmat->guest;
    const struct property *size = option_take(option, "size"), *line_bytes = option_take(option, "line"),
                          *said = option_take(option, "level");
    uint64_t level, bytes, line = 0;
    uint32_t cell;
    if (!size || !said) {
        argv_refuse(guest, option->span, "write all that QEMU wants there", "a cache lacks its '%s'",
                    size ? "level" : "size");
        return;
    }
    if (!argv_cell_number(guest, option, "node-id", &cell) || !property_number(guest, said, LEVELS - 1, &level) ||
        !property_size(guest, size, 1, &bytes) ||
        (line_bytes && !property_number(guest, line_bytes, UINT16_MAX, &line)))
        return;
    if (!level || hmat->caches[cell][level] || bytes % KIB) {
        argv_refuse(guest, option->span, "number the caches of a cell from 1, and give them whole KiB",
                    "cell %u has two caches of level %u, one of level 0, or one of no whole KiB", cell,
                    (unsigned)level);
        return;
    }
    struct line *cache = line_new(guest->arena, "hmat-cache", arena_printf(guest->arena, "%u", (unsigned)level));
    hmat->caches[cell][level] = cache;
    argv_line(guest, &cache->children, "size", "%" G_GUINT64_FORMAT "KiB", bytes / KIB);
    if (line_bytes)
        argv_line(guest, &cache->children, "line", "%" G_GUINT64_FORMAT, line);
    add_choice(guest, option, cache, "associativity", kinds);
    add_choice(guest, option, cache, "policy", policies);
}

/* ---- latencies and bandwidths ----------------------------------------------------------------------------------- */

static bool read_level(struct hmat *hmat, struct option *option, struct entry *entry)
{
    static const char *const words[LEVELS] = { "memory", "first-level", "second-level", "third-level" };
    const struct property *property = option_take(option, "hierarchy");
    for (uint32_t i = 0; property && i < LEVELS; i++) {
        if (strcmp(property->value, words[i]) != 0)
            continue;
        entry->level = i;
        return !i || hmat->caches[entry->target][i] ||
               argv_refuse(hmat->guest, property->where, "add '-numa hmat-cache' for it, or name the memory",
                           "cell %u has no cache of level %u", entry->target, i);
    }
    return argv_refuse(hmat->guest, property ? property->where : option->span,
                       "write memory, first-level, second-level or third-level", "this names no level of memory");
}

static bool read_access(struct hmat *hmat, struct option *option, struct entry *entry)
{
    static const char *const words[] = {
        [ACCESS_BOTH] = "access-", [ACCESS_READ] = "read-", [ACCESS_WRITE] = "write-"
    };
    const struct property *property = option_take(option, "data-type");
    for (unsigned i = 0; property && i < G_N_ELEMENTS(words); i++) {
        if (!g_str_has_prefix(property->value, words[i]))
            continue;
        const char *what = property->value + strlen(words[i]);
        entry->access = (enum access)i;
        entry->is_bandwidth = strcmp(what, "bandwidth") == 0;
        if (entry->is_bandwidth || strcmp(what, "latency") == 0)
            return true;
    }
    return argv_refuse(hmat->guest, property ? property->where : option->span,
                       "write access-latency, read-bandwidth and so on", "this names no kind of value");
}

static bool read_amount(struct hmat *hmat, struct option *option, struct entry *entry)
{
    struct argv_guest *guest = hmat->guest;
    const struct property *property = option_take(option, entry->is_bandwidth ? "bandwidth" : "latency");
    uint64_t number;
    if (!property)
        return argv_refuse(guest, option->span, "write ',latency=' or ',bandwidth=' into it", "it lacks its value");
    if (!entry->is_bandwidth) {
        if (!property_number(guest, property, UINT32_MAX, &number))
            return false;
        entry->value = arena_printf(guest->arena, "%" G_GUINT64_FORMAT "ns", number);
        return true;
    }
    if (!property_size(guest, property, 1, &number))
        return false;
    if (number % MIB)
        return argv_refuse(guest, property->where, "write whole MiB", "QEMU takes bandwidths in whole MiB a second");
    entry->value = arena_printf(guest->arena, "%" G_GUINT64_FORMAT "MiB/s", number / MIB);
    return true;
}

static void read_entry(struct hmat *hmat, struct option *option)
{
    struct entry entry = { .option = option, .position = hmat->entries->len };
    if (argv_cell_number(hmat->guest, option, "initiator", &entry.initiator) &&
        argv_cell_number(hmat->guest, option, "target", &entry.target) && read_level(hmat, option, &entry) &&
        read_access(hmat, option, &entry) && read_amount(hmat, option, &entry))
        g_array_append_val(hmat->entries, entry);
}

/* ---- as tables -------------------------------------------------------------------------------------------------- */

static int by_table(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    const uint32_t of_left[] = { left->target,    left->level,  left->is_bandwidth,
                                 left->initiator, left->access, left->position },
                   of_right[] = { right->target,    right->level,  right->is_bandwidth,
                                  right->initiator, right->access, right->position };
    for (unsigned i = 0; i < G_N_ELEMENTS(of_left); i++)
        if (of_left[i] != of_right[i])
            return of_left[i] < of_right[i] ? -1 : 1;
    return 0;
}

static bool is_same_table(const struct entry *a, const struct entry *b)
{
    return a->target == b->target && a->level == b->level && a->is_bandwidth == b->is_bandwidth;
}

/* A row has one value for both accesses, or one for each. */
static struct line *make_row(struct hmat *hmat, const struct entry *entries, guint count)
{
    struct argv_guest *guest = hmat->guest;
    const char *what = entries->is_bandwidth ? "bandwidth" : "latency";
    for (guint i = 1; i < count; i++)
        if (entries[i - 1].access == entries[i].access) {
            argv_refuse(guest, entries[i].option->span, "keep one of the two", "the %s of these two cells stands twice",
                        what);
            return NULL;
        }
    bool is_pair = count == 2 && entries[0].access == ACCESS_READ;
    if (count > 2 || (count == 2) != is_pair || (count == 1 && entries->access != ACCESS_BOTH)) {
        argv_not_carried(
            guest, entries->option->span, "a row of the language has one value for both, or read and write",
            count > 1 ? "a %s of access beside one of read or write" : "a %s of one direction without the other", what);
        return NULL;
    }
    struct line *row = line_new(guest->arena, arena_printf(guest->arena, "%u", entries->initiator), entries->value);
    if (is_pair)
        line_add_argument(guest->arena, row, entries[1].value);
    return row;
}

static guint add_table(struct hmat *hmat, guint from)
{
    const struct entry *entries = (const struct entry *)(const void *)hmat->entries->data, *first = &entries[from];
    struct line *table = line_new(hmat->guest->arena, first->is_bandwidth ? "bandwidth" : "latency", NULL);
    struct line **tail = &table->children;
    guint at = from;
    while (at < hmat->entries->len && is_same_table(first, &entries[at])) {
        guint begin = at;
        while (at < hmat->entries->len && is_same_table(first, &entries[at]) &&
               entries[at].initiator == entries[begin].initiator)
            at++;
        struct line *row = make_row(hmat, &entries[begin], at - begin);
        if (row) {
            *tail = row;
            tail = &row->next;
        }
    }
    struct line *owner =
        first->level ? hmat->caches[first->target][first->level] : hmat->guest->cells[first->target].line;
    if (table->children)
        line_add(&owner->children, table);
    return at;
}

static void add_caches(const struct hmat *hmat)
{
    for (uint32_t cell = 0; cell < hmat->guest->cell_count; cell++)
        for (unsigned level = 1; level < LEVELS; level++)
            if (hmat->caches[cell][level])
                line_add(&hmat->guest->cells[cell].line->children, hmat->caches[cell][level]);
}

void argv_hmat(struct argv_guest *guest)
{
    struct hmat *hmat = arena_take(guest->arena, struct hmat);
    hmat->guest = guest;
    hmat->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    for (struct option *option = argv_next_numa(guest, "hmat-cache", NULL); option;
         option = argv_next_numa(guest, "hmat-cache", option))
        read_cache(hmat, option);
    for (struct option *option = argv_next_numa(guest, "hmat-lb", NULL); option;
         option = argv_next_numa(guest, "hmat-lb", option))
        read_entry(hmat, option);
    if (hmat->entries->len)
        qsort(hmat->entries->data, hmat->entries->len, sizeof(struct entry), by_table);
    for (guint at = 0; at < hmat->entries->len;)
        at = add_table(hmat, at);
    add_caches(hmat);
    g_array_free(hmat->entries, TRUE);
}
