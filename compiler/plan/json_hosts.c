/* SPDX-License-Identifier: MIT
 *
 * What guests leave of hosts, as JSON.  Sets and pools that are empty are left out, and memory that nobody knows.
 */
#include "plan/json_hosts.h"
#include "plan/json_memory.h"

enum { MOST_HOSTS = 1 << 20, MOST_NODES = 65536, MOST_POOLS = 64 };
#define MOST_PAGES (UINT64_C(1) << 50)

static const char *const host_keys[] = { "name", "nodes", NULL };
static const char *const node_keys[] = { "node",   "memory_bytes", "memory_left_bytes", "pools", "own",
                                         "shared", "isolated",     "reserved",          NULL };
static const char *const pool_keys[] = { "page_bytes", "pages", "pages_left", NULL };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void ids_if_any(struct json *json, const char *key, const struct ids *ids)
{
    set_if_any(json, key, ids->count ? ids : NULL);
}

static void write_pools(struct json *json, const struct plan_node *node)
{
    if (!node->pool_count)
        return;
    json_array(json, "pools");
    for (uint32_t i = 0; i < node->pool_count; i++) {
        json_object(json, NULL);
        json_number(json, "page_bytes", node->pools[i].page_bytes);
        json_number(json, "pages", node->pools[i].pages);
        json_number(json, "pages_left", node->pools[i].pages_left);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_node(struct json *json, const struct plan_node *node)
{
    json_object(json, NULL);
    json_number(json, "node", node->os_index);
    if (node->memory_known) {
        json_number(json, "memory_bytes", node->memory_bytes);
        json_number(json, "memory_left_bytes", node->memory_left_bytes);
    }
    write_pools(json, node);
    ids_if_any(json, "own", node->own_cpus);
    ids_if_any(json, "shared", node->shared_cpus);
    ids_if_any(json, "isolated", node->isolated_cpus);
    ids_if_any(json, "reserved", node->reserved_cpus);
    json_end(json, '}');
}

void write_hosts(struct json *json, const struct plan *plan)
{
    if (!plan->host_count)
        return;
    json_array(json, "hosts");
    for (uint32_t h = 0; h < plan->host_count; h++) {
        const struct plan_host *host = &plan->hosts[h];
        json_object(json, NULL);
        json_string(json, "name", host->name);
        json_array(json, "nodes");
        for (uint32_t n = 0; n < host->node_count; n++)
            write_node(json, &host->nodes[n]);
        json_end(json, ']');
        json_end(json, '}');
    }
    json_end(json, ']');
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const struct ids *ids_or_none(struct plan_reader *reader, struct json_c_object *object, const char *key)
{
    const struct ids *ids = read_set(reader, object, key, OPTIONAL);
    if (ids && !ids->count && !reader->failed)
        reader_fail(reader, NM_plan_value, key, "a set without members is left out");
    return ids ? ids : &ids_none;
}

static void read_pool(struct plan_reader *reader, struct json_c_object *object, struct plan_pool *out)
{
    if (!read_object(reader, object, pool_keys))
        return;
    out->page_bytes = read_size(reader, object, "page_bytes", REQUIRED, 1);
    out->pages = read_number(reader, object, "pages", REQUIRED, 1, MOST_PAGES);
    out->pages_left = read_number(reader, object, "pages_left", REQUIRED, 0, out->pages);
}

static void read_pools(struct plan_reader *reader, struct json_c_object *object, struct plan_node *node)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "pools", OPTIONAL, MOST_POOLS, &count);
    struct plan_pool *pools = arena_array(reader->arena, struct plan_pool, count);
    reader_enter(reader, "pools");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_pool(reader, json_object_array_get_idx(array, i), &pools[i]);
        if (!reader->failed && i && pools[i].page_bytes <= pools[i - 1].page_bytes)
            reader_fail(reader, NM_plan_conflict, "page_bytes", "sizes of pages do not rise");
        reader_leave(reader);
    }
    reader_leave(reader);
    node->pools = pools;
    node->pool_count = (uint32_t)count;
}

static void read_node(struct plan_reader *reader, struct json_c_object *object, struct plan_node *out)
{
    if (!read_object(reader, object, node_keys))
        return;
    out->os_index = (uint32_t)read_number(reader, object, "node", REQUIRED, 0, IDS_LIMIT);
    out->memory_known = json_object_object_get_ex(object, "memory_bytes", NULL);
    enum need need = out->memory_known ? REQUIRED : OPTIONAL;
    out->memory_bytes = read_size(reader, object, "memory_bytes", need, 0);
    out->memory_left_bytes = read_size(reader, object, "memory_left_bytes", need, 0);
    if (!reader->failed && out->memory_left_bytes > out->memory_bytes)
        reader_fail(reader, NM_plan_conflict, "memory_left_bytes", "more is left of node %u than it has",
                    out->os_index);
    read_pools(reader, object, out);
    out->own_cpus = ids_or_none(reader, object, "own");
    out->shared_cpus = ids_or_none(reader, object, "shared");
    out->isolated_cpus = ids_or_none(reader, object, "isolated");
    out->reserved_cpus = ids_or_none(reader, object, "reserved");
}

static void read_nodes(struct plan_reader *reader, struct json_c_object *object, struct plan_host *host)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "nodes", REQUIRED, MOST_NODES, &count);
    struct plan_node *nodes = arena_array(reader->arena, struct plan_node, count);
    reader_enter(reader, "nodes");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_node(reader, json_object_array_get_idx(array, i), &nodes[i]);
        if (!reader->failed && i && nodes[i].os_index <= nodes[i - 1].os_index)
            reader_fail(reader, NM_plan_conflict, "node", "the numbers of nodes do not rise");
        reader_leave(reader);
    }
    reader_leave(reader);
    host->nodes = nodes;
    host->node_count = (uint32_t)count;
}

void read_hosts(struct plan_reader *reader, struct json_c_object *object, struct plan *plan)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "hosts", OPTIONAL, MOST_HOSTS, &count);
    struct plan_host *hosts = arena_array(reader->arena, struct plan_host, count);
    reader_enter(reader, "hosts");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *host = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, host, host_keys)) {
            hosts[i].name = read_text(reader, host, "name", REQUIRED);
            read_nodes(reader, host, &hosts[i]);
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    plan->hosts = hosts;
    plan->host_count = (uint32_t)count;
}
