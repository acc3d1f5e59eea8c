/* SPDX-License-Identifier: MIT
 *
 * Reads what `virsh capabilities` prints: nodes, memory, page pools, distances, CPUs with their place, cache banks.
 * It is the one source that needs no shell on the host, and the poorest: free pages, isolation, KSM and devices are
 * not in it.
 */
#include "host/facts.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

/* As libvirt tells of one CPU; NO_INDEX where an attribute is missing. */
struct raw_cpu {
    uint32_t os_index, node, socket, die, cluster, core;
    const struct ids *siblings;
};

struct caps_in {
    struct arena *arena;
    const struct reading *reading;
    struct trouble *trouble;
    struct host *host;
    GArray *cpus;      /* struct raw_cpu, rising when sorted */
    GArray *distances; /* struct raw_distance */
};

struct raw_distance {
    uint32_t from, to, value; /* OS indexes of nodes */
};

static bool complain(struct caps_in *in, enum code code, const xmlNode *at, const char *what)
{
    const char *help = code == NM_host_contradiction ? "look at 'virsh capabilities' on the host"
                                                     : "save the whole output of 'virsh capabilities'";
    trouble_set(in->trouble, code, help, "'%s' line %ld: %s", in->reading->name, at ? xmlGetLineNo(at) : 0L, what);
    return false;
}

/* ---- small XML -------------------------------------------------------------------------------------------------- */

static const xmlNode *child_of(const xmlNode *parent, const char *name)
{
    for (const xmlNode *child = parent ? parent->children : NULL; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE && strcmp((const char *)child->name, name) == 0)
            return child;
    return NULL;
}

static const xmlNode *next_named(const xmlNode *node)
{
    for (const xmlNode *next = node->next; next; next = next->next)
        if (next->type == XML_ELEMENT_NODE && xmlStrEqual(next->name, node->name))
            return next;
    return NULL;
}

static bool number_in(const char *text, uint64_t *out)
{
    while (g_ascii_isspace(*text))
        text++;
    if (!g_ascii_isdigit(*text))
        return false;
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    while (g_ascii_isspace(*end))
        end++;
    return !errno && !*end;
}

static bool attribute(const xmlNode *node, const char *name, uint64_t *out)
{
    xmlChar *text = xmlGetNoNsProp(node, (const xmlChar *)name);
    bool is_number = text && number_in((const char *)text, out);
    xmlFree(text);
    return is_number;
}

static bool attribute_id(const xmlNode *node, const char *name, uint32_t *out)
{
    uint64_t wide;
    if (!attribute(node, name, &wide) || wide > IDS_LIMIT)
        return false;
    *out = (uint32_t)wide;
    return true;
}

static bool content(const xmlNode *node, uint64_t *out)
{
    xmlChar *text = xmlNodeGetContent(node);
    bool is_number = text && number_in((const char *)text, out);
    xmlFree(text);
    return is_number;
}

/* libvirt writes KiB everywhere; other units are read as it reads them */
static bool scaled(const xmlNode *node, uint64_t number, uint64_t *bytes)
{
    static const struct {
        const char *word;
        uint64_t bytes;
    } units[] = { { .word = "KiB", .bytes = KIB }, { .word = "b", .bytes = 1 },     { .word = "bytes", .bytes = 1 },
                  { .word = "B", .bytes = 1 },     { .word = "MiB", .bytes = MIB }, { .word = "GiB", .bytes = GIB },
                  { .word = "K", .bytes = KIB },   { .word = "M", .bytes = MIB },   { .word = "G", .bytes = GIB },
                  { .word = "TiB", .bytes = TIB }, { .word = "T", .bytes = TIB } };
    xmlChar *unit = xmlGetNoNsProp(node, (const xmlChar *)"unit");
    bool is_known = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(units) && !is_known; i++)
        if (strcmp(unit ? (const char *)unit : "KiB", units[i].word) == 0 && number <= UINT64_MAX / units[i].bytes) {
            *bytes = number * units[i].bytes;
            is_known = true;
        }
    xmlFree(unit);
    return is_known;
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* Rows of <pages>: the smallest size is the base page, which is no pool. */
static bool read_pools(struct caps_in *in, const xmlNode *cell, struct host_node *node)
{
    struct page_pool pools[HOST_POOL_LIMIT] = { 0 };
    uint32_t count = 0;
    for (const xmlNode *row = child_of(cell, "pages"); row; row = next_named(row)) {
        uint64_t size, bytes, pages;
        if (!attribute(row, "size", &size) || !scaled(row, size, &bytes) || !bytes || !content(row, &pages))
            return complain(in, NM_host_damaged, row, "a row of pages has no size or no count");
        uint32_t at = count;
        while (at && pools[at - 1].page_bytes > bytes)
            at--;
        if ((at && pools[at - 1].page_bytes == bytes) || count == HOST_POOL_LIMIT)
            return complain(in, NM_host_contradiction, row, "a size of page stands twice in one cell");
        memmove(&pools[at + 1], &pools[at], (count - at) * sizeof pools[0]);
        pools[at] = (struct page_pool){ .page_bytes = bytes, .total = { .known = true, .value = pages } };
        count++;
    }
    uint32_t skip = count && pools[0].page_bytes <= 64 * KIB ? 1 : 0;
    node->pools = arena_copy(in->arena, pools + skip, (count - skip) * sizeof pools[0]);
    node->pool_count = count - skip;
    node->pools_known = node->pool_count > 0;
    return true;
}

static bool read_cell_cpus(struct caps_in *in, const xmlNode *cell, uint32_t node_os_index)
{
    for (const xmlNode *row = child_of(child_of(cell, "cpus"), "cpu"); row; row = next_named(row)) {
        struct raw_cpu cpu = {
            .node = node_os_index, .socket = NO_INDEX, .die = NO_INDEX, .cluster = NO_INDEX, .core = NO_INDEX
        };
        if (!attribute_id(row, "id", &cpu.os_index))
            return complain(in, NM_host_damaged, row, "a cpu has no number");
        attribute_id(row, "socket_id", &cpu.socket);
        attribute_id(row, "die_id", &cpu.die);
        attribute_id(row, "cluster_id", &cpu.cluster);
        attribute_id(row, "core_id", &cpu.core);
        xmlChar *siblings = xmlGetNoNsProp(row, (const xmlChar *)"siblings");
        if (siblings && *siblings)
            cpu.siblings = ids_parse(in->arena, (const char *)siblings);
        bool is_damaged = siblings && *siblings && (!cpu.siblings || !ids_contains(cpu.siblings, cpu.os_index));
        xmlFree(siblings);
        if (is_damaged)
            return complain(in, NM_host_damaged, row, "the siblings of a cpu are no set that it is in");
        g_array_append_val(in->cpus, cpu);
        if (in->cpus->len > HOST_CPU_LIMIT)
            return complain(in, NM_host_contradiction, row, "there are more cpus than numbers for them");
    }
    return true;
}

static bool read_cell(struct caps_in *in, const xmlNode *cell, GArray *nodes)
{
    struct host_node node = { .cpus = &ids_none, .is_allowed = true };
    if (!attribute_id(cell, "id", &node.os_index))
        return complain(in, NM_host_damaged, cell, "a cell has no number");
    if (nodes->len == HOST_NODE_LIMIT)
        return complain(in, NM_host_too_large, cell, "there are more than 1024 cells");
    const xmlNode *memory = child_of(cell, "memory");
    uint64_t number;
    if (memory && (!content(memory, &number) || !scaled(memory, number, &node.memory_bytes.value)))
        return complain(in, NM_host_damaged, memory, "the memory of a cell is no size");
    node.memory_bytes.known = memory != NULL;
    for (const xmlNode *row = child_of(child_of(cell, "distances"), "sibling"); row; row = next_named(row)) {
        struct raw_distance distance = { .from = node.os_index };
        if (!attribute_id(row, "id", &distance.to) || !attribute_id(row, "value", &distance.value) || !distance.value)
            return complain(in, NM_host_damaged, row, "a distance has no node or no value");
        if (in->distances->len > HOST_NODE_LIMIT * HOST_NODE_LIMIT)
            return complain(in, NM_host_contradiction, row, "there are more distances than pairs of nodes");
        g_array_append_val(in->distances, distance);
    }
    if (!read_pools(in, cell, &node) || !read_cell_cpus(in, cell, node.os_index))
        return false;
    g_array_append_val(nodes, node);
    return true;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b; /* the first field of a CPU and of a node */
    return *left < *right ? -1 : *left > *right;
}

static bool read_cells(struct caps_in *in, const xmlNode *cells)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(struct host_node));
    for (const xmlNode *cell = child_of(cells, "cell"); cell; cell = next_named(cell))
        if (!read_cell(in, cell, nodes))
            return false;
    if (!nodes->len)
        return complain(in, NM_host_damaged, cells, "the topology has no cell");
    g_array_sort(nodes, by_number);
    g_array_sort(in->cpus, by_number);
    for (uint32_t i = 1; i < nodes->len; i++)
        if (g_array_index(nodes, struct host_node, i).os_index ==
            g_array_index(nodes, struct host_node, i - 1).os_index)
            return complain(in, NM_host_contradiction, cells, "two cells have the same number");
    for (uint32_t i = 1; i < in->cpus->len; i++)
        if (g_array_index(in->cpus, struct raw_cpu, i).os_index ==
            g_array_index(in->cpus, struct raw_cpu, i - 1).os_index)
            return complain(in, NM_host_contradiction, cells, "one cpu stands twice");
    in->host->nodes = arena_copy(in->arena, nodes->data, nodes->len * sizeof(struct host_node));
    in->host->node_count = nodes->len;
    return true;
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

/* Numbers from 0 for keys in the order in which they are first seen. */
static uint32_t number_of(GHashTable *seen, uint64_t key)
{
    gpointer found = g_hash_table_lookup(seen, &key);
    if (!found) {
        uint64_t *kept = g_new(uint64_t, 1);
        *kept = key;
        found = GUINT_TO_POINTER(g_hash_table_size(seen) + 1);
        g_hash_table_insert(seen, kept, found);
    }
    return GPOINTER_TO_UINT(found) - 1;
}

static uint64_t key_of(uint32_t outer, uint32_t inner)
{
    return (uint64_t)outer << 32 | inner;
}

/* Sockets, dies and clusters by their ids, each inside what holds it; cores by the sibling sets, since core ids
 * repeat over sockets and are wrong on some machines.  Without sibling sets the core id must do. */
static void place_cpus(struct caps_in *in)
{
    struct host *host = in->host;
    GHashTable *seen[5];
    for (unsigned i = 0; i < G_N_ELEMENTS(seen); i++)
        seen[i] = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autofree uint32_t *threads = g_new0(uint32_t, (size_t)in->cpus->len + 1);
    host->cpu_count = in->cpus->len;
    host->cpus = arena_array(in->arena, struct host_cpu, host->cpu_count);
    for (uint32_t i = 0; i < in->cpus->len; i++) {
        const struct raw_cpu *raw = &g_array_index(in->cpus, struct raw_cpu, i);
        struct host_cpu *cpu = &host->cpus[i];
        *cpu = (struct host_cpu){ .os_index = raw->os_index,
                                  .cluster = NO_INDEX,
                                  .l3 = NO_INDEX,
                                  .core = NO_INDEX,
                                  .package = NO_INDEX,
                                  .die = NO_INDEX,
                                  .kind = NO_INDEX };
        if (raw->socket != NO_INDEX)
            cpu->package = number_of(seen[0], raw->socket);
        if (raw->die != NO_INDEX)
            cpu->die = number_of(seen[1], key_of(cpu->package, raw->die));
        if (raw->cluster != NO_INDEX)
            cpu->cluster = number_of(seen[2], key_of(cpu->die != NO_INDEX ? cpu->die : cpu->package, raw->cluster));
        if (raw->siblings)
            cpu->core = number_of(seen[3], key_of(NO_INDEX, ids_first(raw->siblings)));
        else if (raw->core != NO_INDEX)
            cpu->core = number_of(seen[3], key_of(number_of(seen[4], key_of(cpu->package, cpu->die)), raw->core));
        cpu->thread = cpu->core == NO_INDEX ? 0 : threads[cpu->core]++;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(seen); i++)
        g_hash_table_destroy(seen[i]);
}

/* Numbers are given in the order of the lowest CPU, so equal numbers everywhere mean the same partition. */
static bool is_same_level(const struct host *host, size_t a, size_t b)
{
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        const char *cpu = (const char *)&host->cpus[i];
        if (*(const uint32_t *)(cpu + a) != *(const uint32_t *)(cpu + b))
            return false;
    }
    return true;
}

/* libvirt gives every CPU a die and a cluster, also where they are the package or the core: then the level tells
 * nothing, and hwloc would not have it either. */
static void forget_idle_levels(struct host *host)
{
    const size_t package = offsetof(struct host_cpu, package), die = offsetof(struct host_cpu, die),
                 cluster = offsetof(struct host_cpu, cluster), core = offsetof(struct host_cpu, core);
    bool idle_cluster = is_same_level(host, cluster, core) || is_same_level(host, cluster, die) ||
                        is_same_level(host, cluster, package);
    bool idle_die = is_same_level(host, die, package);
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        host->cpus[i].cluster = idle_cluster ? NO_INDEX : host->cpus[i].cluster;
        host->cpus[i].die = idle_die ? NO_INDEX : host->cpus[i].die;
    }
}

static void link_nodes(struct caps_in *in)
{
    struct host *host = in->host;
    g_autofree uint32_t *numbers = g_new(uint32_t, (size_t)in->cpus->len + 1);
    for (uint32_t i = 0; i < in->cpus->len; i++)
        numbers[i] = g_array_index(in->cpus, struct raw_cpu, i).os_index;
    host->online = ids_from_sorted(in->arena, numbers, in->cpus->len);
    g_autofree GPtrArray **of_node = g_new(GPtrArray *, host->node_count);
    for (uint32_t n = 0; n < host->node_count; n++)
        of_node[n] = g_ptr_array_new();
    for (uint32_t i = 0; i < in->cpus->len; i++) {
        const struct raw_cpu *raw = &g_array_index(in->cpus, struct raw_cpu, i);
        uint32_t n = (uint32_t)(host_node(host, raw->node) - host->nodes);
        g_ptr_array_add(of_node[n], GUINT_TO_POINTER(raw->os_index));
    }
    for (uint32_t n = 0; n < host->node_count; n++) {
        for (uint32_t i = 0; i < of_node[n]->len; i++)
            numbers[i] = GPOINTER_TO_UINT(of_node[n]->pdata[i]);
        host->nodes[n].cpus = ids_from_sorted(in->arena, numbers, of_node[n]->len);
        g_ptr_array_free(of_node[n], TRUE);
    }
    facts_link_nodes(host);
}

/* ---- distances and caches --------------------------------------------------------------------------------------- */

/* Known only when every pair is said. */
static void fill_distances(struct caps_in *in)
{
    struct host *host = in->host;
    size_t cells = (size_t)host->node_count * host->node_count, said = 0;
    if (in->distances->len < cells)
        return;
    uint32_t *distances = arena_array(in->arena, uint32_t, cells);
    for (uint32_t i = 0; i < in->distances->len; i++) {
        const struct raw_distance *raw = &g_array_index(in->distances, struct raw_distance, i);
        const struct host_node *from = host_node(host, raw->from), *to = host_node(host, raw->to);
        if (!from || !to)
            continue; /* libvirt lists nodes that went away */
        uint32_t *cell = &distances[(size_t)(from - host->nodes) * host->node_count + (size_t)(to - host->nodes)];
        said += !*cell;
        *cell = raw->value;
    }
    if (said == cells)
        host->distances = distances;
}

static bool read_caches(struct caps_in *in, const xmlNode *cache)
{
    g_autoptr(GArray) caches = g_array_new(FALSE, TRUE, sizeof(struct host_cache));
    for (const xmlNode *bank = child_of(cache, "bank"); bank; bank = next_named(bank)) {
        struct host_cache row = { .type = 'u' };
        uint64_t size;
        xmlChar *cpus = xmlGetNoNsProp(bank, (const xmlChar *)"cpus");
        xmlChar *type = xmlGetNoNsProp(bank, (const xmlChar *)"type");
        row.cpus = cpus ? ids_parse(in->arena, (const char *)cpus) : NULL;
        row.type = type && strcmp((const char *)type, "data") == 0   ? 'd'
                   : type && strcmp((const char *)type, "code") == 0 ? 'i'
                                                                     : 'u';
        xmlFree(cpus);
        xmlFree(type);
        if (!row.cpus || !attribute_id(bank, "level", &row.level) || row.level > 9 || !attribute(bank, "size", &size) ||
            !scaled(bank, size, &row.bytes))
            return complain(in, NM_host_damaged, bank, "a cache bank has no level, no size or no cpus");
        if (caches->len < HOST_THING_LIMIT)
            g_array_append_val(caches, row);
    }
    in->host->caches = arena_copy(in->arena, caches->data, caches->len * sizeof(struct host_cache));
    in->host->cache_count = caches->len;
    return true;
}

/* ---- what resctrl offers ---------------------------------------------------------------------------------------- */

static void add_cache_control(struct caps_in *in, GArray *controls, const xmlNode *bank, const xmlNode *control)
{
    struct cache_control row = { .type = 'u' };
    uint64_t size, granule, least;
    xmlChar *cpus = xmlGetNoNsProp(bank, (const xmlChar *)"cpus"),
            *type = xmlGetNoNsProp(control, (const xmlChar *)"type");
    row.cpus = cpus ? ids_parse(in->arena, (const char *)cpus) : NULL;
    row.type = xmlStrEqual(type, (const xmlChar *)"data")   ? 'd'
               : xmlStrEqual(type, (const xmlChar *)"code") ? 'i'
                                                            : 'u';
    xmlFree(cpus);
    xmlFree(type);
    if (!row.cpus || !attribute_id(bank, "level", &row.level) || !attribute_id(bank, "id", &row.cache) ||
        !attribute(bank, "size", &size) || !scaled(bank, size, &row.bytes) ||
        !attribute(control, "granularity", &granule) || !scaled(control, granule, &row.granule_bytes) ||
        !row.granule_bytes || !attribute_id(control, "maxAllocs", &row.most_groups))
        return; /* a control that tells too little is one that nobody can use */
    row.least_bytes = row.granule_bytes;
    if (attribute(control, "min", &least) && !scaled(control, least, &row.least_bytes))
        return;
    if (controls->len < HOST_CONTROL_LIMIT)
        g_array_append_val(controls, row);
}

static enum known_state has_feature(const xmlNode *parent, const char *prefix)
{
    for (const xmlNode *monitor = child_of(parent, "monitor"); monitor; monitor = next_named(monitor))
        for (const xmlNode *row = child_of(monitor, "feature"); row; row = next_named(row)) {
            xmlChar *name = xmlGetNoNsProp(row, (const xmlChar *)"name");
            bool fits = name && g_str_has_prefix((const char *)name, prefix);
            xmlFree(name);
            if (fits)
                return STATE_YES;
        }
    return STATE_NO;
}

static void read_bandwidth(struct caps_in *in, const xmlNode *memory)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, TRUE, sizeof(struct bandwidth_control));
    for (const xmlNode *node = child_of(memory, "node"); node; node = next_named(node)) {
        const xmlNode *control = child_of(node, "control");
        struct bandwidth_control row = { 0 };
        xmlChar *cpus = xmlGetNoNsProp(node, (const xmlChar *)"cpus");
        row.cpus = cpus ? ids_parse(in->arena, (const char *)cpus) : NULL;
        xmlFree(cpus);
        if (control && row.cpus && attribute_id(node, "id", &row.node) &&
            attribute_id(control, "granularity", &row.granule) && row.granule &&
            attribute_id(control, "min", &row.least) && attribute_id(control, "maxAllocs", &row.most_groups) &&
            rows->len < HOST_CONTROL_LIMIT)
            g_array_append_val(rows, row);
    }
    in->host->bandwidth_controls = arena_copy(in->arena, rows->data, rows->len * sizeof(struct bandwidth_control));
    in->host->bandwidth_control_count = rows->len;
}

/* libvirt lists the banks of every host, and what can be done with them where resctrl is mounted. */
static void read_controls(struct caps_in *in, const xmlNode *host)
{
    const xmlNode *cache = child_of(host, "cache"), *memory = child_of(host, "memory_bandwidth");
    if (!child_of(cache, "bank"))
        return;
    g_autoptr(GArray) controls = g_array_new(FALSE, TRUE, sizeof(struct cache_control));
    for (const xmlNode *bank = child_of(cache, "bank"); bank; bank = next_named(bank))
        for (const xmlNode *control = child_of(bank, "control"); control; control = next_named(control))
            add_cache_control(in, controls, bank, control);
    in->host->cache_controls = arena_copy(in->arena, controls->data, controls->len * sizeof(struct cache_control));
    in->host->cache_control_count = controls->len;
    read_bandwidth(in, memory);
    in->host->watches_cache = has_feature(cache, "llc_occupancy");
    in->host->watches_bandwidth = has_feature(memory, "mbm_");
    in->host->resctrl_known = true;
}

/* Numbers the L3 banks. */
static void place_l3(struct caps_in *in)
{
    struct host *host = in->host;
    g_autofree uint32_t *bank_of = g_new0(uint32_t, (size_t)IDS_LIMIT + 1); /* from 1 */
    for (uint32_t b = 0; b < host->cache_count; b++)
        if (host->caches[b].level == 3 && host->caches[b].type != 'i')
            for (ids_each(host->caches[b].cpus, cpu))
                bank_of[cpu] = b + 1;
    g_autofree uint32_t *numbers = g_new0(uint32_t, (size_t)host->cache_count + 1);
    uint32_t next = 0;
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        uint32_t bank = bank_of[host->cpus[i].os_index];
        if (!bank)
            continue;
        if (!numbers[bank])
            numbers[bank] = ++next;
        host->cpus[i].l3 = numbers[bank] - 1;
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static bool read_document(struct caps_in *in, xmlDoc *document)
{
    const xmlNode *root = xmlDocGetRootElement(document);
    if (!root || strcmp((const char *)root->name, "capabilities") != 0)
        return complain(in, NM_host_damaged, root, "the outermost element is not <capabilities>");
    const xmlNode *host = child_of(root, "host"), *cells = child_of(child_of(host, "topology"), "cells");
    if (!cells)
        return complain(in, NM_host_damaged, host ? host : root, "there is no topology of cells");
    const xmlNode *arch = child_of(child_of(host, "cpu"), "arch");
    xmlChar *name = arch ? xmlNodeGetContent(arch) : NULL;
    if (name && strlen((const char *)name) < 64)
        in->host->architecture = arena_string(in->arena, (const char *)name, strlen((const char *)name));
    xmlFree(name);
    if (!read_cells(in, cells) || !read_caches(in, child_of(host, "cache")))
        return false;
    read_controls(in, host);
    place_cpus(in);
    forget_idle_levels(in->host);
    link_nodes(in);
    place_l3(in);
    facts_order_by_levels(in->host);
    facts_count_logically(in->host);
    fill_distances(in);
    return true;
}

struct host *read_capabilities(struct arena *arena, const struct reading *reading, struct trouble *trouble)
{
    struct caps_in in = { .arena = arena, .reading = reading, .trouble = trouble };
    in.host = arena_take(arena, struct host);
    in.host->online = in.host->offline = in.host->disallowed = &ids_none;
    in.host->isolated = in.host->nohz_full = &ids_none;
    in.cpus = g_array_new(FALSE, TRUE, sizeof(struct raw_cpu));
    in.distances = g_array_new(FALSE, TRUE, sizeof(struct raw_distance));
    xmlDoc *document = xml_read(reading, trouble);
    bool is_fine = document && read_document(&in, document);
    xmlFreeDoc(document);
    g_array_free(in.cpus, TRUE);
    g_array_free(in.distances, TRUE);
    return is_fine ? in.host : NULL;
}
