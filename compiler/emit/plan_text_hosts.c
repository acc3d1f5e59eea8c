/* SPDX-License-Identifier: MIT
 *
 * What guests leave of a host, node by node, for a person: memory, huge pages of each size, and whose the CPUs are.  A
 * column is there where some node has something to say in it.
 */
#include "emit/plan_text_hosts.h"
#include "emit/text_table.h"

struct sets { /* a column */
    const char *title;
    const struct ids *(*of)(const struct plan_node *node);
};

static const struct ids *own(const struct plan_node *node)
{
    return node->own_cpus;
}

static const struct ids *shared(const struct plan_node *node)
{
    return node->shared_cpus;
}

static const struct ids *isolated(const struct plan_node *node)
{
    return node->isolated_cpus;
}

static const struct ids *reserved(const struct plan_node *node)
{
    return node->reserved_cpus;
}

static const struct sets columns[] = {
    { "own CPUs", own }, { "shared CPUs", shared }, { "isolated CPUs", isolated }, { "reserved CPUs", reserved }
};

static bool is_told(const struct plan_host *host, const struct sets *column)
{
    for (uint32_t i = 0; i < host->node_count; i++)
        if (column->of(&host->nodes[i])->count)
            return true;
    return false;
}

/* The sizes of pages that some node has, rising; free the array. */
static GArray *page_sizes(const struct plan_host *host)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (uint32_t i = 0; i < host->node_count; i++)
        for (uint32_t p = 0; p < host->nodes[i].pool_count; p++) {
            uint64_t size = host->nodes[i].pools[p].page_bytes;
            guint at = 0;
            while (at < sizes->len && g_array_index(sizes, uint64_t, at) < size)
                at++;
            if (at == sizes->len || g_array_index(sizes, uint64_t, at) != size)
                g_array_insert_val(sizes, at, size);
        }
    return sizes;
}

static void add_memory(struct table *table, const struct plan_node *node)
{
    GString *has = g_string_new(NULL), *left = g_string_new(NULL);
    if (node->memory_known) {
        size_append(has, node->memory_bytes);
        size_append(left, node->memory_left_bytes);
    } else {
        append(has, "?");
    }
    table_take(table, has);
    table_take(table, left);
}

static void add_pool(struct table *table, const struct plan_node *node, uint64_t page_bytes)
{
    GString *has = g_string_new(NULL), *left = g_string_new(NULL);
    for (uint32_t p = 0; p < node->pool_count; p++)
        if (node->pools[p].page_bytes == page_bytes) {
            append_number(has, node->pools[p].pages);
            append_number(left, node->pools[p].pages_left);
        }
    table_take(table, has);
    table_take(table, left);
}

static void add_titles(struct table *table, const struct plan_host *host, const GArray *sizes)
{
    table_add(table, "node");
    table_add(table, "memory");
    table_add(table, "left");
    for (guint i = 0; i < sizes->len; i++) {
        GString *title = g_string_new(NULL);
        size_append(title, g_array_index(sizes, uint64_t, i));
        append(title, " pages");
        table_take(table, title);
        table_add(table, "left");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        if (is_told(host, &columns[i]))
            table_add(table, columns[i].title);
}

static void add_node(struct table *table, const struct plan_host *host, const struct plan_node *node,
                     const GArray *sizes)
{
    GString *number = g_string_new(NULL);
    append_number(number, node->os_index);
    table_take(table, number);
    add_memory(table, node);
    for (guint i = 0; i < sizes->len; i++)
        add_pool(table, node, g_array_index(sizes, uint64_t, i));
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        if (!is_told(host, &columns[i]))
            continue;
        GString *cpus = g_string_new(NULL);
        ids_append(cpus, columns[i].of(node));
        table_take(table, cpus);
    }
}

void write_text_host(const struct plan_host *host, GString *out)
{
    struct table table;
    g_autoptr(GArray) sizes = page_sizes(host);
    unsigned count = 3 + 2 * sizes->len;
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        count += is_told(host, &columns[i]);
    append(out, "\nhost ");
    append(out, host->name);
    append(out, "\n\n");
    table_open(&table, count, false);
    add_titles(&table, host, sizes);
    for (uint32_t i = 0; i < host->node_count; i++)
        add_node(&table, host, &host->nodes[i], sizes);
    table_write(&table, out);
}
