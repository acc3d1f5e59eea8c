/* SPDX-License-Identifier: MIT
 *
 * <cachetune> and <memorytune> as items: libvirt says the caches and the bandwidth of a group of vCPUs in two
 * elements, the language in one block, `resctrl 0-3 { l3 { 0 3MiB }; bandwidth { 0 50% } }`.
 */
#include "syntax/domain.h"

#include <string.h>

enum { TABLES = 7, TABLE_BANDWIDTH = 6, MOST_MONITORS = 4096 };

static const char *const table_words[TABLES] = { "l2", "l2-code", "l2-data", "l3", "l3-code", "l3-data", "bandwidth" };

struct table {
    struct item *item;
    struct item_list rows;
};

struct monitor {
    struct word set;
    const char *text; /* of the set, to find it again */
    const struct element *cache, *bandwidth;
};

struct group {
    struct item *item;
    struct item_list block;
    const struct element *element, *other; /* the second kind of the same vCPUs, or NULL */
    struct table tables[TABLES];
    GArray *monitors; /* struct monitor */
};

struct groups {
    struct domain *domain;
    GPtrArray *list;      /* struct group *, in the order of the file */
    GHashTable *by_set;   /* text to struct group * */
    GHashTable *by_parts; /* element to struct group * */
};

static void group_free(void *data)
{
    struct group *group = data;
    g_array_free(group->monitors, TRUE);
    g_free(group);
}

static void refuse_repeated(struct domain *domain, const struct group *group, const struct element *element)
{
    struct finding *finding = domain_report(domain, NM_base_repeated, element_extent(element),
                                            "'<%s>' of these vCPUs stands twice", part_name(element->part));
    const struct element *first = group->element->part == element->part ? group->element : group->other;
    finding_label(domain->findings, finding, domain_span(domain, element_extent(first)), "first here");
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "make one of the two");
}

/* A cachetune and a memorytune of the same vCPUs are one group. */
static void open_group(struct groups *groups, const struct element *element)
{
    struct domain *domain = groups->domain;
    const struct text_value *vcpus = domain_needed(domain, element, "vcpus");
    struct word word;
    if (!vcpus || !word_set(domain, vcpus, "a set of vCPUs", &word))
        return;
    g_autoptr(GString) text = g_string_new_len(vcpus->text, (gssize)vcpus->length);
    struct group *group = g_hash_table_lookup(groups->by_set, text->str);
    if (group && (group->element->part == element->part || group->other)) {
        refuse_repeated(domain, group, element);
        return;
    }
    if (group)
        group->other = element;
    if (!group) {
        group = g_new0(struct group, 1);
        group->element = element;
        group->item = item_with(domain, element, "resctrl", word);
        group->monitors = g_array_new(FALSE, TRUE, sizeof(struct monitor));
        g_ptr_array_add(groups->list, group);
        g_hash_table_replace(groups->by_set, g_strdup(text->str), group);
    }
    g_hash_table_insert(groups->by_parts, (gpointer)(uintptr_t)element, group);
}

static struct group *group_of(struct groups *groups, const struct element *element)
{
    return g_hash_table_lookup(groups->by_parts, element->parent);
}

static void add_row(struct groups *groups, struct group *group, unsigned kind, const struct element *element,
                    struct item *row)
{
    struct table *table = &group->tables[kind];
    if (!table->item)
        table->item = item_of(groups->domain, word_named(groups->domain, element->name, table_words[kind]), NULL, 0);
    item_add(table->item, &table->rows, row);
}

/* ---- parts of caches -------------------------------------------------------------------------------------------- */

static bool refuse_cache(struct domain *domain, const struct text_value *value, const char *what, const char *help)
{
    struct finding *finding =
        domain_report(domain, NM_base_value, value->where, "'%.*s' is not %s", value_shown(value), value->text, what);
    finding_help(domain->findings, finding, "%s", help);
    return false;
}

/* Which of the six tables a <cache> belongs to. */
static bool kind_of(struct domain *domain, const struct element *element, unsigned *out_kind)
{
    static const char *const types[] = { "both", "code", "data" };
    const struct text_value *level = domain_needed(domain, element, "level"),
                            *type = level ? domain_needed(domain, element, "type") : NULL;
    if (!type)
        return false;
    if (!value_is(level, "2") && !value_is(level, "3"))
        return refuse_cache(domain, level, "a level of cache that can be parted", "write '2' or '3'");
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (value_is(type, types[i])) {
            *out_kind = (value_is(level, "3") ? 3 : 0) + i;
            return true;
        }
    return refuse_cache(domain, type, "what a part of a cache may hold", "write 'both', 'code' or 'data'");
}

static void add_cache(struct groups *groups, const struct element *element)
{
    struct domain *domain = groups->domain;
    struct group *group = group_of(groups, element);
    const struct text_value *id = domain_needed(domain, element, "id"),
                            *size = id ? domain_needed(domain, element, "size") : NULL;
    unsigned kind;
    uint64_t kib;
    if (!group || !size || !kind_of(domain, element, &kind) ||
        !domain_size(domain, size, element_value(element, "unit"), "a size of a cache", &kib))
        return;
    struct word word = word_size(domain, size, kib);
    add_row(groups, group, kind, element, item_of(domain, word_value(domain, id), &word, 1));
}

/* ---- bandwidth -------------------------------------------------------------------------------------------------- */

/* libvirt has one number for a percentage and for MiB/s, which some hosts count in; no percentage is above 100. */
static void add_bandwidth(struct groups *groups, const struct element *element)
{
    struct domain *domain = groups->domain;
    struct group *group = group_of(groups, element);
    const struct text_value *id = domain_needed(domain, element, "id"),
                            *bandwidth = id ? domain_needed(domain, element, "bandwidth") : NULL;
    uint64_t number;
    if (!group || !bandwidth || !domain_whole(domain, bandwidth, "a share of the bandwidth", UINT32_MAX, &number))
        return;
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "%s", number, number > 100 ? "MiB/s" : "%");
    struct word word = word_named(domain, bandwidth->where, text);
    add_row(groups, group, TABLE_BANDWIDTH, element, item_of(domain, word_value(domain, id), &word, 1));
}

/* ---- monitors --------------------------------------------------------------------------------------------------- */

static void note_monitor(struct groups *groups, const struct element *element)
{
    struct domain *domain = groups->domain;
    struct group *group = group_of(groups, element);
    const struct text_value *vcpus = domain_needed(domain, element, "vcpus");
    bool is_cache = element->part == PART_CACHETUNE_MONITOR;
    struct monitor fresh = { .text = vcpus ? vcpus->text : NULL };
    if (!group || !vcpus || group->monitors->len == MOST_MONITORS ||
        !word_set(domain, vcpus, "a set of vCPUs", &fresh.set))
        return;
    const struct text_value *level = is_cache ? domain_needed(domain, element, "level") : NULL;
    if (is_cache && (!level || (!value_is(level, "3") &&
                                !refuse_cache(domain, level, "a level of cache that can be watched", "write '3'"))))
        return;
    struct monitor *same = NULL;
    for (guint i = 0; i < group->monitors->len && !same; i++) {
        struct monitor *other = &g_array_index(group->monitors, struct monitor, i);
        if (strcmp(other->text, vcpus->text) == 0 && !(is_cache ? other->cache : other->bandwidth))
            same = other;
    }
    if (!same) {
        g_array_append_val(group->monitors, fresh);
        same = &g_array_index(group->monitors, struct monitor, group->monitors->len - 1);
    }
    *(is_cache ? &same->cache : &same->bandwidth) = element;
}

static void add_monitors(struct groups *groups, struct group *group)
{
    struct domain *domain = groups->domain;
    struct item *table = NULL;
    struct item_list rows = { 0 };
    for (guint i = 0; i < group->monitors->len; i++) {
        const struct monitor *monitor = &g_array_index(group->monitors, struct monitor, i);
        const struct element *first = monitor->cache ? monitor->cache : monitor->bandwidth;
        struct word words[2];
        size_t count = 0;
        if (!table)
            table = item_of(domain, word_named(domain, first->name, "monitor"), NULL, 0);
        if (monitor->cache)
            words[count++] = word_implied(domain, monitor->cache, SLOT_VALUE, "cache");
        if (monitor->bandwidth)
            words[count++] = word_implied(domain, monitor->bandwidth, SLOT_VALUE, "bandwidth");
        item_add(table, &rows, item_of(domain, monitor->set, words, count));
    }
    if (table)
        item_add(group->item, &group->block, table);
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static void add_group(struct groups *groups, struct item_list *top, struct group *group)
{
    for (unsigned kind = 0; kind < TABLES; kind++)
        if (group->tables[kind].item)
            item_add(group->item, &group->block, group->tables[kind].item);
    add_monitors(groups, group);
    if (group->block.first) /* libvirt forgets one that says nothing */
        item_add(NULL, top, group->item);
}

void resctrls_to_items(struct domain *domain, struct item_list *top)
{
    struct groups groups = { .domain = domain, .list = g_ptr_array_new_with_free_func(group_free) };
    groups.by_set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    groups.by_parts = g_hash_table_new(NULL, NULL);
    static const enum part openers[] = { PART_CACHETUNE, PART_MEMORYTUNE };
    static const struct {
        enum part part;
        void (*add)(struct groups *, const struct element *);
    } parts[] = { { PART_CACHETUNE_CACHE, add_cache },
                  { PART_MEMORYTUNE_NODE, add_bandwidth },
                  { PART_CACHETUNE_MONITOR, note_monitor },
                  { PART_MEMORYTUNE_MONITOR, note_monitor } };
    for (size_t i = 0; i < G_N_ELEMENTS(openers); i++)
        for (const struct element *each = domain_first(domain, openers[i]); each; each = each->next)
            open_group(&groups, each);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        for (const struct element *each = domain_first(domain, parts[i].part); each; each = each->next)
            parts[i].add(&groups, each);
    for (guint i = 0; i < groups.list->len; i++)
        add_group(&groups, top, g_ptr_array_index(groups.list, i));
    g_hash_table_destroy(groups.by_parts);
    g_hash_table_destroy(groups.by_set);
    g_ptr_array_free(groups.list, TRUE);
}
