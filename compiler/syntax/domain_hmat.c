/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches of a domain XML as items of the cells whose memory they are about.  Whether the
 * values make sense is left to rules; what the language cannot say is told here.
 */
#include "syntax/domain.h"

#include <stdlib.h>
#include <string.h>

enum access { ACCESS_BOTH, ACCESS_READ, ACCESS_WRITE };
enum { LEVEL_LIMIT = 9, KINDS = 2 };

struct entry { /* one <latency> or <bandwidth> */
    const struct element *element;
    uint32_t target, level, initiator;
    bool is_bandwidth;
    enum access access;
    struct word value;
};

struct hmat {
    struct domain *domain;
    struct cell_items *cells;
    struct item *caches[DOMAIN_CELL_LIMIT][LEVEL_LIMIT + 1];
    struct item_list blocks[DOMAIN_CELL_LIMIT][LEVEL_LIMIT + 1]; /* of the caches */
    struct entry *entries;
    uint32_t count;
};

static bool refuse(struct domain *domain, const struct text_value *value, const char *help, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static bool refuse(struct domain *domain, const struct text_value *value, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    finding_help(domain->findings, domain_report(domain, NM_base_value, value->where, "%s", text), "%s", help);
    return false;
}

/* ---- caches ----------------------------------------------------------------------------------------------------- */

static void add_attribute(struct hmat *hmat, const struct element *element, const char *attribute, uint32_t cell,
                          uint32_t level)
{
    const struct text_value *value = domain_needed(hmat->domain, element, attribute);
    if (!value)
        return;
    struct word word = word_value(hmat->domain, value);
    item_add(hmat->caches[cell][level], &hmat->blocks[cell][level],
             item_of(hmat->domain, word_named(hmat->domain, value->name, attribute), &word, 1));
}

/* libvirt looks for the units in a place where nobody writes them, and so takes KiB, and bytes for a line. */
static void add_measure(struct hmat *hmat, const struct element *cache, enum part part, uint32_t cell, uint32_t level)
{
    struct domain *domain = hmat->domain;
    const struct element *element = domain_first(domain, part);
    while (element && element->parent != cache)
        element = element->next;
    if (!element)
        return; /* a rule tells that it lacks */
    bool is_size = part == PART_CACHE_SIZE;
    const struct text_value *value = domain_needed(domain, element, "value"), *unit = element_value(element, "unit");
    uint64_t number;
    if (!value || !domain_whole(domain, value, is_size ? "a size" : "the bytes of a line",
                                is_size ? UINT64_C(1) << 50 : INT32_MAX, &number))
        return;
    if (unit->text && (is_size ? g_ascii_strcasecmp(unit->text, "KiB") != 0 && strcmp(unit->text, "k") != 0
                               : g_ascii_strcasecmp(unit->text, "B") != 0 && strcmp(unit->text, "bytes") != 0)) {
        refuse(domain, unit, is_size ? "write the size in KiB, and unit='KiB'" : "write the bytes, and unit='B'",
               "libvirt reads this number as %s, whatever the unit says", is_size ? "KiB" : "bytes");
        return;
    }
    g_autofree char *text = g_strdup_printf(is_size ? "%" G_GUINT64_FORMAT "KiB" : "%" G_GUINT64_FORMAT, number);
    item_add(hmat->caches[cell][level], &hmat->blocks[cell][level],
             item_with(domain, element, is_size ? "size" : "line", word_named(domain, value->where, text)));
}

static uint32_t cell_of_element(const struct hmat *hmat, const struct element *element)
{
    uint32_t cell = 0;
    while (cell < hmat->cells->count && hmat->cells->elements[cell] != element)
        cell++;
    return cell;
}

static void add_cache(struct hmat *hmat, const struct element *element)
{
    struct domain *domain = hmat->domain;
    const struct text_value *said = domain_needed(domain, element, "level");
    uint32_t cell = cell_of_element(hmat, element->parent);
    uint64_t level;
    if (!said || cell == hmat->cells->count ||
        !domain_whole(domain, said, "the level of a side cache", LEVEL_LIMIT, &level))
        return;
    if (hmat->caches[cell][level]) {
        refuse(domain, said, "number the caches of a cell from 1",
               "cell %u has two side caches of level %" G_GUINT64_FORMAT, cell, level);
        return;
    }
    g_autofree char *label = g_strdup_printf("%" G_GUINT64_FORMAT, level);
    struct item *item = item_with(domain, element, "hmat-cache", word_named(domain, said->where, label));
    hmat->caches[cell][level] = item;
    item_add(hmat->cells->items[cell], &hmat->cells->blocks[cell], item);
    add_measure(hmat, element, PART_CACHE_SIZE, cell, (uint32_t)level);
    add_measure(hmat, element, PART_CACHE_LINE, cell, (uint32_t)level);
    add_attribute(hmat, element, "associativity", cell, (uint32_t)level);
    add_attribute(hmat, element, "policy", cell, (uint32_t)level);
}

/* ---- latencies and bandwidths, one by one ----------------------------------------------------------------------- */

static bool read_cell(struct hmat *hmat, const struct element *element, const char *attribute, uint32_t *out_cell)
{
    struct domain *domain = hmat->domain;
    const struct text_value *value = domain_needed(domain, element, attribute);
    uint64_t cell;
    if (!value || !domain_whole(domain, value, "the number of a cell", UINT32_MAX, &cell))
        return false;
    if (cell >= hmat->cells->count)
        return domain_no_cell(domain, value, (uint32_t)cell);
    *out_cell = (uint32_t)cell;
    return true;
}

static bool read_level(struct hmat *hmat, struct entry *entry)
{
    const struct text_value *value = element_value(entry->element, "cache");
    uint64_t level = 0;
    if (value->text && !domain_whole(hmat->domain, value, "the level of a side cache", LEVEL_LIMIT, &level))
        return false;
    entry->level = (uint32_t)level;
    if (level && !hmat->caches[entry->target][level])
        return refuse(hmat->domain, value, "name a cache that the cell has, or leave 'cache' out",
                      "cell %u has no side cache of level %" G_GUINT64_FORMAT, entry->target, level);
    return true;
}

static bool read_access(struct domain *domain, struct entry *entry)
{
    static const char *const words[] = { [ACCESS_BOTH] = "access", [ACCESS_READ] = "read", [ACCESS_WRITE] = "write" };
    const struct text_value *value = domain_needed(domain, entry->element, "type");
    for (unsigned i = 0; value && i < G_N_ELEMENTS(words); i++)
        if (value_is(value, words[i])) {
            entry->access = (enum access)i;
            return true;
        }
    return value && refuse(domain, value, "write access, read or write", "'%.*s' is no kind of access",
                           value_shown(value), value->text);
}

static bool read_amount(struct domain *domain, struct entry *entry)
{
    const struct text_value *value = domain_needed(domain, entry->element, "value");
    g_autofree char *text = NULL;
    uint64_t number;
    if (!value)
        return false;
    if (!entry->is_bandwidth) {
        if (!domain_whole(domain, value, "a time in nanoseconds", UINT32_MAX, &number))
            return false;
        text = g_strdup_printf("%" G_GUINT64_FORMAT "ns", number);
    } else {
        if (!domain_size(domain, value, element_value(entry->element, "unit"), "a bandwidth", &number))
            return false;
        bool is_whole = number % 1024 == 0; /* else its type says what is wrong */
        text =
            g_strdup_printf("%" G_GUINT64_FORMAT "%s", is_whole ? number / 1024 : number, is_whole ? "MiB/s" : "KiB/s");
    }
    entry->value = word_named(domain, value->where, text);
    return true;
}

static void read_entries(struct hmat *hmat, enum part part)
{
    for (const struct element *element = domain_first(hmat->domain, part); element; element = element->next) {
        struct entry *entry = &hmat->entries[hmat->count];
        *entry = (struct entry){ .element = element, .is_bandwidth = part == PART_BANDWIDTH };
        if (read_cell(hmat, element, "initiator", &entry->initiator) &&
            read_cell(hmat, element, "target", &entry->target) && read_level(hmat, entry) &&
            read_access(hmat->domain, entry) && read_amount(hmat->domain, entry))
            hmat->count++;
    }
}

/* ---- as tables -------------------------------------------------------------------------------------------------- */

static int by_table(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    const uint32_t of_left[] = { left->target,    left->level,  left->is_bandwidth,
                                 left->initiator, left->access, left->element->begin },
                   of_right[] = { right->target,    right->level,  right->is_bandwidth,
                                  right->initiator, right->access, right->element->begin };
    for (unsigned i = 0; i < G_N_ELEMENTS(of_left); i++)
        if (of_left[i] != of_right[i])
            return of_left[i] < of_right[i] ? -1 : 1;
    return 0;
}

static bool is_same_table(const struct entry *a, const struct entry *b)
{
    return a->target == b->target && a->level == b->level && a->is_bandwidth == b->is_bandwidth;
}

static bool refuse_row(struct hmat *hmat, const struct entry *first, uint32_t count)
{
    struct domain *domain = hmat->domain;
    const char *name = part_name(first->element->part);
    struct finding *finding;
    if (count > 1 && first[0].access == first[1].access) {
        finding = domain_report(domain, NM_base_repeated, element_extent(first[1].element),
                                "the %s of these two cells stands twice", name);
        finding_label(domain->findings, finding, domain_span(domain, element_extent(first->element)), "first here");
        finding_help(domain->findings, finding, "keep one of the two");
        return false;
    }
    finding = domain_report(domain, NM_base_value, element_extent(first->element),
                            count > 1 ? "a %s of access stands beside one of read or write"
                                      : "a %s of one direction stands without the other",
                            name);
    finding_note(domain->findings, finding, "a row of '%s' has one value for both, or read and write", name);
    finding_help(domain->findings, finding, "write type='access', or both 'read' and 'write'");
    return false;
}

/* The values of one initiator; false where they are no row. */
static bool add_row(struct hmat *hmat, struct item *table, struct item_list *list, const struct entry *first,
                    uint32_t count)
{
    bool is_one = count == 1 && first->access == ACCESS_BOTH;
    bool is_pair = count == 2 && first[0].access == ACCESS_READ && first[1].access == ACCESS_WRITE;
    if (!is_one && !is_pair)
        return refuse_row(hmat, first, count);
    g_autofree char *label = g_strdup_printf("%u", first->initiator);
    struct word words[] = { first->value, count > 1 ? first[1].value : first->value };
    struct word name = word_named(hmat->domain, element_value(first->element, "initiator")->where, label);
    item_add(table, list, item_of(hmat->domain, name, words, count));
    return true;
}

static uint32_t add_table(struct hmat *hmat, uint32_t from)
{
    const struct entry *first = &hmat->entries[from];
    struct item *table =
        item_of(hmat->domain,
                word_named(hmat->domain, first->element->name, first->is_bandwidth ? "bandwidth" : "latency"), NULL, 0);
    struct item_list list = { 0 };
    uint32_t at = from;
    bool fine = true;
    while (at < hmat->count && is_same_table(first, &hmat->entries[at])) {
        uint32_t row = at;
        while (at < hmat->count && is_same_table(first, &hmat->entries[at]) &&
               hmat->entries[at].initiator == hmat->entries[row].initiator)
            at++;
        fine &= add_row(hmat, table, &list, &hmat->entries[row], at - row);
    }
    if (!fine)
        return at;
    if (first->level)
        item_add(hmat->caches[first->target][first->level], &hmat->blocks[first->target][first->level], table);
    else
        item_add(hmat->cells->items[first->target], &hmat->cells->blocks[first->target], table);
    return at;
}

void hmat_to_items(struct domain *domain, struct cell_items *cells)
{
    struct hmat *hmat = arena_take(domain->syntax->arena, struct hmat);
    *hmat = (struct hmat){ .domain = domain, .cells = cells };
    uint32_t most = domain->parts[PART_LATENCY].count + domain->parts[PART_BANDWIDTH].count;
    for (const struct element *element = domain_first(domain, PART_CELL_CACHE); element; element = element->next)
        add_cache(hmat, element);
    g_autofree struct entry *entries = hmat->entries = g_new0(struct entry, (size_t)most + 1);
    read_entries(hmat, PART_LATENCY);
    read_entries(hmat, PART_BANDWIDTH);
    if (hmat->count)
        qsort(entries, hmat->count, sizeof *entries, by_table);
    for (uint32_t at = 0; at < hmat->count;)
        at = add_table(hmat, at);
}
