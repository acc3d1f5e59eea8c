/* SPDX-License-Identifier: MIT
 *
 * Reads from an hwloc topology how fast memory is reached and which caches stand at its side: what the firmware's HMAT
 * told the machine.  Opening topologies is left to from_hwloc.c.
 */
#include "host/facts.h"

#include <hwloc.h>
#include <stdlib.h>

enum { INITIATOR_LIMIT = 1024, SIDE_CACHE_LIMIT = 9 }; /* of one node */
#define RATE_LIMIT (UINT64_C(1) << 40)                 /* MiB a second */

struct owner { /* a node that CPUs belong to */
    uint32_t node;
    hwloc_bitmap_t cpus;
};

struct attributes_in {
    hwloc_topology_t topology;
    struct host *host;
    GArray *owners;           /* struct owner, rising */
    struct host_access *here; /* of the target at hand, by owner */
};

static void add_owners(struct attributes_in *in)
{
    g_autofree hwloc_bitmap_t *sets = g_new0(hwloc_bitmap_t, in->host->node_count);
    for (uint32_t i = 0; i < in->host->cpu_count; i++) {
        const struct host_cpu *cpu = &in->host->cpus[i];
        if (cpu->node_index == NO_INDEX)
            continue;
        if (!sets[cpu->node_index])
            sets[cpu->node_index] = hwloc_bitmap_alloc();
        hwloc_bitmap_set(sets[cpu->node_index], cpu->os_index);
    }
    for (uint32_t n = 0; n < in->host->node_count; n++)
        if (sets[n])
            g_array_append_val(in->owners, ((struct owner){ n, sets[n] }));
}

/* ---- latencies and bandwidths ----------------------------------------------------------------------------------- */

static void note_value(struct attributes_in *in, hwloc_memattr_id_t attribute, const struct hwloc_location *from,
                       uint64_t value)
{
    hwloc_const_bitmap_t cpus =
        from->type == HWLOC_LOCATION_TYPE_CPUSET ? from->location.cpuset : from->location.object->cpuset;
    bool is_rate = attribute == HWLOC_MEMATTR_ID_BANDWIDTH || attribute == HWLOC_MEMATTR_ID_READ_BANDWIDTH ||
                   attribute == HWLOC_MEMATTR_ID_WRITE_BANDWIDTH;
    if (!value || value > RATE_LIMIT || !cpus) /* the HMAT has 0 for what it does not tell */
        return;
    struct known_size known = { .known = true, .value = is_rate ? value * MIB : value };
    for (guint o = 0; o < in->owners->len; o++) {
        struct host_access *access = &in->here[o];
        if (!hwloc_bitmap_isincluded(g_array_index(in->owners, struct owner, o).cpus, cpus))
            continue;
        if (attribute != HWLOC_MEMATTR_ID_WRITE_BANDWIDTH && attribute != HWLOC_MEMATTR_ID_WRITE_LATENCY)
            *(is_rate ? &access->read_bandwidth : &access->read_latency_ns) = known;
        if (attribute != HWLOC_MEMATTR_ID_READ_BANDWIDTH && attribute != HWLOC_MEMATTR_ID_READ_LATENCY)
            *(is_rate ? &access->write_bandwidth : &access->write_latency_ns) = known;
    }
}

static void take_attribute(struct attributes_in *in, hwloc_obj_t target, hwloc_memattr_id_t attribute)
{
    unsigned count = 0;
    if (hwloc_memattr_get_initiators(in->topology, attribute, target, 0, &count, NULL, NULL) != 0 || !count)
        return;
    count = MIN(count, INITIATOR_LIMIT);
    g_autofree struct hwloc_location *from = g_new0(struct hwloc_location, count);
    g_autofree hwloc_uint64_t *values = g_new0(hwloc_uint64_t, count);
    unsigned room = count;
    if (hwloc_memattr_get_initiators(in->topology, attribute, target, 0, &count, from, values) != 0)
        return;
    for (unsigned i = 0; i < MIN(count, room); i++)
        note_value(in, attribute, &from[i], values[i]);
}

static bool is_known(const struct host_access *access)
{
    return access->read_latency_ns.known || access->write_latency_ns.known || access->read_bandwidth.known ||
           access->write_bandwidth.known;
}

/* What stands for both directions first, so that what is told of one wins. */
static void take_target(struct attributes_in *in, uint32_t target, GArray *accesses)
{
    static const hwloc_memattr_id_t attributes[] = {
        HWLOC_MEMATTR_ID_LATENCY,       HWLOC_MEMATTR_ID_BANDWIDTH,      HWLOC_MEMATTR_ID_READ_LATENCY,
        HWLOC_MEMATTR_ID_WRITE_LATENCY, HWLOC_MEMATTR_ID_READ_BANDWIDTH, HWLOC_MEMATTR_ID_WRITE_BANDWIDTH
    };
    hwloc_obj_t object = hwloc_get_numanode_obj_by_os_index(in->topology, in->host->nodes[target].os_index);
    for (guint o = 0; o < in->owners->len; o++)
        in->here[o] =
            (struct host_access){ .initiator = g_array_index(in->owners, struct owner, o).node, .target = target };
    for (unsigned a = 0; object && a < G_N_ELEMENTS(attributes); a++)
        take_attribute(in, object, attributes[a]);
    for (guint o = 0; o < in->owners->len && accesses->len < HOST_THING_LIMIT; o++)
        if (is_known(&in->here[o]))
            g_array_append_val(accesses, in->here[o]);
}

/* ---- caches ----------------------------------------------------------------------------------------------------- */

static int by_level(const void *a, const void *b)
{
    const struct host_side_cache *left = a, *right = b;
    return left->level < right->level ? -1 : left->level > right->level;
}

/* hwloc says 1 for direct mapped, -1 for full, and 0 where it does not know. */
static enum side_cache_indexing indexing_of(int associativity)
{
    return associativity == 1 ? SIDE_CACHE_DIRECT : associativity ? SIDE_CACHE_COMPLEX : SIDE_CACHE_UNKNOWN;
}

static void take_side_caches(const struct attributes_in *in, uint32_t node, GArray *caches)
{
    hwloc_obj_t object = hwloc_get_numanode_obj_by_os_index(in->topology, in->host->nodes[node].os_index);
    struct host_side_cache found[SIDE_CACHE_LIMIT];
    unsigned count = 0;
    for (object = object ? object->parent : NULL; object && object->type == HWLOC_OBJ_MEMCACHE;
         object = object->parent) {
        const struct hwloc_cache_attr_s *cache = &object->attr->cache;
        if (!cache->size || count == SIDE_CACHE_LIMIT || cache->depth > SIDE_CACHE_LIMIT)
            continue;
        found[count++] = (struct host_side_cache){ .node_index = node,
                                                   .level = MAX(cache->depth, 1),
                                                   .bytes = cache->size,
                                                   .line_bytes = cache->linesize,
                                                   .indexing = indexing_of(cache->associativity) };
    }
    if (count)
        qsort(found, count, sizeof found[0], by_level);
    g_array_append_vals(caches, found, count);
}

void memory_attributes_read(struct arena *arena, struct host *host, struct hwloc_topology *topology)
{
    struct attributes_in in = { .topology = topology, .host = host };
    g_autoptr(GArray) owners = g_array_new(FALSE, FALSE, sizeof(struct owner));
    g_autoptr(GArray) accesses = g_array_new(FALSE, FALSE, sizeof(struct host_access));
    g_autoptr(GArray) caches = g_array_new(FALSE, FALSE, sizeof(struct host_side_cache));
    in.owners = owners;
    add_owners(&in);
    g_autofree struct host_access *here = g_new(struct host_access, (size_t)owners->len + 1);
    in.here = here;
    for (uint32_t node = 0; node < host->node_count; node++) {
        take_target(&in, node, accesses);
        take_side_caches(&in, node, caches);
    }
    for (guint o = 0; o < owners->len; o++)
        hwloc_bitmap_free(g_array_index(owners, struct owner, o).cpus);
    host->accesses = arena_copy(arena, accesses->data, accesses->len * sizeof(struct host_access));
    host->access_count = accesses->len;
    host->side_caches = arena_copy(arena, caches->data, caches->len * sizeof(struct host_side_cache));
    host->side_cache_count = caches->len;
}
