/* SPDX-License-Identifier: MIT
 *
 * What `numac host record` adds to hwloc XML, as <info> rows that lstopo keeps and shows: one list of names, written
 * and read here and nowhere else.  A fact that is unknown gets no row.
 */
#include "host/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_NAME "numac.recording"
#define FORMAT_VALUE "1"

static const char *const state_words[] = { [STATE_UNKNOWN] = NULL, [STATE_NO] = "no", [STATE_YES] = "yes" };

static const char *const program_names[PROGRAM_COUNT] = {
    [PROGRAM_LIBVIRT] = "numac.libvirt",
    [PROGRAM_QEMU] = "numac.qemu",
    [PROGRAM_KERNEL] = "numac.kernel",
    [PROGRAM_LIBNUMA] = "numac.libnuma",
};

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_set(struct hwloc_obj *object, const char *name, bool known, const struct ids *ids)
{
    if (!known)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    ids_append(text, ids);
    info_add(object, name, text->len ? text->str : "none");
}

static void write_number(struct hwloc_obj *object, const char *name, struct known_size number)
{
    if (!number.known)
        return;
    g_autofree char *text = g_strdup_printf("%" PRIu64, number.value);
    info_add(object, name, text);
}

static void write_pool(struct hwloc_obj *object, const struct page_pool *pool)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "size=%" PRIu64, pool->page_bytes);
    if (pool->total.known)
        g_string_append_printf(text, " total=%" PRIu64, pool->total.value);
    if (pool->free.known)
        g_string_append_printf(text, " free=%" PRIu64, pool->free.value);
    info_add(object, "numac.pool", text->str);
}

static void write_node(struct hwloc_obj *object, const struct host_node *node)
{
    /* hwloc keeps sizes above 0 itself */
    if (node->memory_bytes.known && !node->memory_bytes.value)
        info_add(object, "numac.memory", "0");
    write_number(object, "numac.free", node->free_bytes);
    if (!node->cpus->count)
        info_add(object, "numac.cpus", "none");
    if (node->pools_known)
        info_add(object, "numac.pools", "known");
    for (uint32_t i = 0; node->pools_known && i < node->pool_count; i++)
        write_pool(object, &node->pools[i]);
}

static void write_controls(struct hwloc_obj *root, const struct host *host)
{
    if (!host->resctrl_known)
        return;
    info_add(root, "numac.resctrl", "known");
    for (uint32_t i = 0; i < host->cache_control_count; i++) {
        const struct cache_control *control = &host->cache_controls[i];
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_printf(
            text, "level=%u cache=%u type=%c bytes=%" PRIu64 " granule=%" PRIu64 " least=%" PRIu64 " groups=%u cpus=",
            control->level, control->cache, control->type, control->bytes, control->granule_bytes, control->least_bytes,
            control->most_groups);
        ids_append(text, control->cpus);
        info_add(root, "numac.cache-control", text->str);
    }
    for (uint32_t i = 0; i < host->bandwidth_control_count; i++) {
        const struct bandwidth_control *control = &host->bandwidth_controls[i];
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_printf(text, "node=%u granule=%u least=%u groups=%u cpus=", control->node, control->granule,
                        control->least, control->most_groups);
        ids_append(text, control->cpus);
        info_add(root, "numac.bandwidth-control", text->str);
    }
    if (state_words[host->watches_cache])
        info_add(root, "numac.watches-cache", state_words[host->watches_cache]);
    if (state_words[host->watches_bandwidth])
        info_add(root, "numac.watches-bandwidth", state_words[host->watches_bandwidth]);
}

void additions_write(const struct host *host, struct hwloc_topology *topology)
{
    struct hwloc_obj *root = machine_object(topology);
    if (info_of(root, FORMAT_NAME))
        return; /* a recording of a recording: the rows are there */
    info_add(root, FORMAT_NAME, FORMAT_VALUE);
    write_set(root, "numac.isolated", host->isolated_known, host->isolated);
    write_set(root, "numac.nohz-full", host->nohz_full_known, host->nohz_full);
    const struct {
        const char *name, *value;
    } rows[] = {
        { .name = "numac.ksm", .value = state_words[host->ksm] },
        { .name = "numac.ksm-merge-across-nodes", .value = state_words[host->ksm_merge_across_nodes] },
        { .name = "numac.balancing", .value = state_words[host->balancing] },
        { .name = "numac.transparent-pages", .value = host->transparent_pages },
        { .name = "numac.devices", .value = host->devices_known ? "known" : NULL },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].value)
            info_add(root, rows[i].name, rows[i].value);
    for (unsigned i = 0; i < PROGRAM_COUNT; i++)
        if (host->versions[i].known) {
            const struct version *version = &host->versions[i];
            g_autofree char *text = g_strdup_printf("%u.%u.%u", version->major, version->minor, version->micro);
            info_add(root, program_names[i], text);
        }
    write_controls(root, host);
    for (uint32_t i = 0; i < host->node_count; i++)
        write_node(node_object(topology, host->nodes[i].os_index), &host->nodes[i]);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static bool read_number(const char *text, struct known_size *number)
{
    if (!text || !g_ascii_isdigit(*text))
        return false;
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || (*end && *end != ' '))
        return false;
    *number = (struct known_size){ .known = true, .value = value };
    return true;
}

static bool read_set(struct arena *arena, struct hwloc_obj *object, const char *name, const struct ids **ids)
{
    const char *text = info_of(object, name);
    const struct ids *read = !text ? NULL : strcmp(text, "none") == 0 ? &ids_none : ids_parse(arena, text);
    if (read)
        *ids = read;
    return read != NULL;
}

static enum known_state read_state(struct hwloc_obj *object, const char *name, enum known_state before)
{
    const char *text = info_of(object, name);
    return !text ? before : strcmp(text, "yes") == 0 ? STATE_YES : strcmp(text, "no") == 0 ? STATE_NO : before;
}

static struct known_size field_of(const char *row, const char *name)
{
    struct known_size number = { 0 };
    const char *at = strstr(row, name);
    if (at)
        read_number(at + strlen(name), &number);
    return number;
}

static void read_pools(struct arena *arena, struct hwloc_obj *object, struct host_node *node)
{
    struct page_pool pools[HOST_POOL_LIMIT] = { 0 };
    uint32_t count = 0;
    const char *name, *row;
    for (unsigned i = 0; count < HOST_POOL_LIMIT && (row = info_at(object, i, &name)); i++) {
        if (strcmp(name, "numac.pool") != 0)
            continue;
        struct known_size size = field_of(row, "size=");
        if (!size.known || size.value <= (count ? pools[count - 1].page_bytes : 0))
            continue; /* written rising */
        pools[count] = (struct page_pool){ .page_bytes = size.value };
        pools[count].total = field_of(row, "total=");
        pools[count].free = field_of(row, "free=");
        count++;
    }
    node->pools_known = info_of(object, "numac.pools") || count;
    node->pools = arena_copy(arena, pools, count * sizeof pools[0]);
    node->pool_count = node->pools_known ? count : 0;
}

static void read_node(struct arena *arena, struct hwloc_obj *object, struct host_node *node)
{
    if (!node->memory_bytes.value)
        node->memory_bytes = (struct known_size){ .known = info_of(object, "numac.memory") != NULL };
    read_number(info_of(object, "numac.free"), &node->free_bytes);
    const char *cpus = info_of(object, "numac.cpus");
    if (cpus && strcmp(cpus, "none") == 0)
        node->cpus = &ids_none;
    read_pools(arena, object, node);
}

/* All rows of one name, each turned into a row of an array; those that are damaged are passed over. */
static uint32_t read_rows(struct hwloc_obj *object, const char *wanted, size_t bytes, GByteArray *rows,
                          bool (*one)(struct arena *, const char *, void *), struct arena *arena)
{
    const char *name, *row;
    uint32_t count = 0;
    for (unsigned i = 0; count < HOST_CONTROL_LIMIT && (row = info_at(object, i, &name)); i++) {
        if (strcmp(name, wanted) != 0)
            continue;
        g_byte_array_set_size(rows, (guint)((count + 1) * bytes));
        if (one(arena, row, rows->data + count * bytes))
            count++;
    }
    return count;
}

static bool field32(const char *row, const char *name, uint32_t *out)
{
    struct known_size number = field_of(row, name);
    *out = (uint32_t)number.value;
    return number.known && number.value <= UINT32_MAX;
}

static const struct ids *cpus_field(struct arena *arena, const char *row)
{
    const char *at = strstr(row, " cpus=");
    return at ? ids_parse(arena, at + strlen(" cpus=")) : NULL;
}

static bool read_cache_control(struct arena *arena, const char *row, void *into)
{
    struct cache_control *control = into;
    const char *type = strstr(row, " type=");
    struct known_size bytes = field_of(row, " bytes="), granule = field_of(row, " granule="),
                      least = field_of(row, " least=");
    *control = (struct cache_control){
        .bytes = bytes.value, .granule_bytes = granule.value, .least_bytes = least.value, .cpus = cpus_field(arena, row)
    };
    control->type = type ? type[strlen(" type=")] : 0;
    return control->type && strchr("udi", control->type) && bytes.known && granule.value && least.known &&
           control->cpus && field32(row, "level=", &control->level) && control->level <= 9 &&
           field32(row, " cache=", &control->cache) && field32(row, " groups=", &control->most_groups);
}

static bool read_bandwidth_control(struct arena *arena, const char *row, void *into)
{
    struct bandwidth_control *control = into;
    *control = (struct bandwidth_control){ .cpus = cpus_field(arena, row) };
    return control->cpus && field32(row, "node=", &control->node) && field32(row, " granule=", &control->granule) &&
           control->granule && field32(row, " least=", &control->least) &&
           field32(row, " groups=", &control->most_groups);
}

static void read_controls(struct arena *arena, struct hwloc_obj *root, struct host *host)
{
    if (!info_of(root, "numac.resctrl"))
        return;
    g_autoptr(GByteArray) rows = g_byte_array_new();
    host->resctrl_known = true;
    host->cache_control_count =
        read_rows(root, "numac.cache-control", sizeof(struct cache_control), rows, read_cache_control, arena);
    host->cache_controls = arena_copy(arena, rows->data, host->cache_control_count * sizeof(struct cache_control));
    host->bandwidth_control_count = read_rows(root, "numac.bandwidth-control", sizeof(struct bandwidth_control), rows,
                                              read_bandwidth_control, arena);
    host->bandwidth_controls =
        arena_copy(arena, rows->data, host->bandwidth_control_count * sizeof(struct bandwidth_control));
    host->watches_cache = read_state(root, "numac.watches-cache", STATE_UNKNOWN);
    host->watches_bandwidth = read_state(root, "numac.watches-bandwidth", STATE_UNKNOWN);
}

void additions_read(struct arena *arena, struct host *host, struct hwloc_topology *topology)
{
    struct hwloc_obj *root = machine_object(topology);
    if (!info_of(root, FORMAT_NAME))
        return;
    host->isolated_known |= read_set(arena, root, "numac.isolated", &host->isolated);
    host->nohz_full_known |= read_set(arena, root, "numac.nohz-full", &host->nohz_full);
    host->ksm = read_state(root, "numac.ksm", host->ksm);
    host->ksm_merge_across_nodes = read_state(root, "numac.ksm-merge-across-nodes", host->ksm_merge_across_nodes);
    host->balancing = read_state(root, "numac.balancing", host->balancing);
    const char *pages = info_of(root, "numac.transparent-pages");
    if (pages && g_utf8_validate(pages, -1, NULL) && strlen(pages) < 64)
        host->transparent_pages = arena_string(arena, pages, strlen(pages));
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        const char *version = info_of(root, program_names[i]);
        if (version)
            version_parse(version, &host->versions[i]);
    }
    read_controls(arena, root, host);
    for (uint32_t i = 0; i < host->node_count; i++)
        read_node(arena, node_object(topology, host->nodes[i].os_index), &host->nodes[i]);
}
