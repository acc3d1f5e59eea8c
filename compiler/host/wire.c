/* SPDX-License-Identifier: MIT
 *
 * Host facts as bytes, for the pipe from the reading child.  The child may have been overrun by a damaged file, so
 * decoding checks every count, index and text before anyone relies on it.  Same machine, same program: no versions.
 */
#include "host/facts.h"

#include <string.h>

#define WIRE_BEGIN UINT32_C(0x6e756d61)
#define WIRE_END UINT32_C(0x63666163)
#define VALUE_LIMIT (UINT64_C(1) << 60) /* of a latency or bandwidth */

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void put(GByteArray *out, const void *bytes, size_t length)
{
    g_byte_array_append(out, bytes, (guint)length);
}

static void put32(GByteArray *out, uint32_t value)
{
    put(out, &value, sizeof value);
}

static void put64(GByteArray *out, uint64_t value)
{
    put(out, &value, sizeof value);
}

static void put_size(GByteArray *out, struct known_size size)
{
    put32(out, size.known);
    put64(out, size.value);
}

static void put_text(GByteArray *out, const char *text)
{
    size_t length = text ? MIN(strlen(text), HOST_TEXT_LIMIT - 1) : 0;
    put32(out, text ? (uint32_t)length + 1 : 0);
    put(out, text ? text : "", length);
}

static void put_ids(GByteArray *out, const struct ids *ids)
{
    put32(out, ids->count);
    put(out, ids->range, ids->count * sizeof ids->range[0]);
}

static void put_node(GByteArray *out, const struct host_node *node)
{
    put32(out, node->os_index);
    put_ids(out, node->cpus);
    put_size(out, node->memory_bytes);
    put_size(out, node->free_bytes);
    put32(out, node->kind);
    put32(out, node->is_allowed);
    put32(out, node->pools_known);
    put32(out, node->pool_count);
    for (uint32_t i = 0; i < node->pool_count; i++) {
        put64(out, node->pools[i].page_bytes);
        put_size(out, node->pools[i].total);
        put_size(out, node->pools[i].free);
    }
}

static void put_cpu(GByteArray *out, const struct host_cpu *cpu)
{
    uint32_t row[] = { cpu->os_index, cpu->package, cpu->die,    cpu->cluster,    cpu->l3,
                       cpu->core,     cpu->order,   cpu->thread, cpu->node_index, cpu->kind };
    put(out, row, sizeof row);
}

static void put_things(GByteArray *out, const struct host *host)
{
    put32(out, host->cache_count);
    for (uint32_t i = 0; i < host->cache_count; i++) {
        put32(out, host->caches[i].level);
        put32(out, (uint32_t)host->caches[i].type);
        put64(out, host->caches[i].bytes);
        put_ids(out, host->caches[i].cpus);
    }
    put32(out, host->devices_known);
    put32(out, host->device_count);
    for (uint32_t i = 0; i < host->device_count; i++) {
        put_text(out, host->devices[i].pci);
        put_text(out, host->devices[i].name);
        put32(out, (uint32_t)host->devices[i].kind);
        put32(out, host->devices[i].node_os_index);
        put_ids(out, host->devices[i].cpus);
    }
}

static void put_controls(GByteArray *out, const struct host *host)
{
    put32(out, host->resctrl_known);
    put32(out, host->cache_control_count);
    for (uint32_t i = 0; i < host->cache_control_count; i++) {
        const struct cache_control *control = &host->cache_controls[i];
        put32(out, control->level);
        put32(out, control->cache);
        put32(out, (uint32_t)control->type);
        put64(out, control->bytes);
        put64(out, control->granule_bytes);
        put64(out, control->least_bytes);
        put32(out, control->most_groups);
        put_ids(out, control->cpus);
    }
    put32(out, host->bandwidth_control_count);
    for (uint32_t i = 0; i < host->bandwidth_control_count; i++) {
        const struct bandwidth_control *control = &host->bandwidth_controls[i];
        uint32_t row[] = { control->node, control->granule, control->least, control->most_groups };
        put(out, row, sizeof row);
        put_ids(out, control->cpus);
    }
    put32(out, host->watches_cache);
    put32(out, host->watches_bandwidth);
}

static void put_accesses(GByteArray *out, const struct host *host)
{
    put32(out, host->access_count);
    for (uint32_t i = 0; i < host->access_count; i++) {
        const struct host_access *access = &host->accesses[i];
        put32(out, access->initiator);
        put32(out, access->target);
        put_size(out, access->read_latency_ns);
        put_size(out, access->write_latency_ns);
        put_size(out, access->read_bandwidth);
        put_size(out, access->write_bandwidth);
    }
    put32(out, host->side_cache_count);
    for (uint32_t i = 0; i < host->side_cache_count; i++) {
        const struct host_side_cache *cache = &host->side_caches[i];
        put32(out, cache->node_index);
        put32(out, cache->level);
        put64(out, cache->bytes);
        put32(out, cache->line_bytes);
        put32(out, cache->indexing);
    }
}

static void put_settings(GByteArray *out, const struct host *host)
{
    put32(out, host->isolated_known);
    put_ids(out, host->isolated);
    put32(out, host->nohz_full_known);
    put_ids(out, host->nohz_full);
    put32(out, host->ksm);
    put32(out, host->ksm_merge_across_nodes);
    put32(out, host->balancing);
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        put32(out, host->versions[i].known);
        put32(out, host->versions[i].major);
        put32(out, host->versions[i].minor);
        put32(out, host->versions[i].micro);
    }
}

void facts_encode(const struct host *host, GByteArray *out)
{
    put32(out, WIRE_BEGIN);
    put_text(out, host->architecture);
    put_text(out, host->transparent_pages);
    put_text(out, host->machine_name);
    put_text(out, host->cpu_name);
    put_ids(out, host->online);
    put_ids(out, host->offline);
    put_ids(out, host->disallowed);
    put32(out, host->node_count);
    for (uint32_t i = 0; i < host->node_count; i++)
        put_node(out, &host->nodes[i]);
    put32(out, host->cpu_count);
    for (uint32_t i = 0; i < host->cpu_count; i++)
        put_cpu(out, &host->cpus[i]);
    put32(out, host->distances != NULL);
    if (host->distances)
        put(out, host->distances, (size_t)host->node_count * host->node_count * sizeof host->distances[0]);
    put_things(out, host);
    put_controls(out, host);
    put_accesses(out, host);
    put_settings(out, host);
    put32(out, WIRE_END);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct wire {
    struct arena *arena;
    const uint8_t *at, *end;
    bool is_wrong; /* sticky: everything read afterwards is zero */
};

static void take(struct wire *wire, void *into, size_t length)
{
    if (wire->is_wrong || (size_t)(wire->end - wire->at) < length) {
        wire->is_wrong = true;
        memset(into, 0, length);
        return;
    }
    if (length)
        memcpy(into, wire->at, length);
    wire->at += length;
}

static uint32_t take32(struct wire *wire)
{
    uint32_t value;
    take(wire, &value, sizeof value);
    return value;
}

static uint64_t take64(struct wire *wire)
{
    uint64_t value;
    take(wire, &value, sizeof value);
    return value;
}

static uint32_t take_at_most(struct wire *wire, uint32_t limit)
{
    uint32_t value = take32(wire);
    if (value > limit)
        wire->is_wrong = true;
    return wire->is_wrong ? 0 : value;
}

static bool take_bool(struct wire *wire)
{
    return take_at_most(wire, 1) == 1;
}

/* A count of things that each take at least `bytes` in the rest of the message: bounds what is allocated. */
static uint32_t take_count(struct wire *wire, uint32_t limit, size_t bytes)
{
    uint32_t count = take_at_most(wire, limit);
    if ((size_t)(wire->end - wire->at) / bytes < count)
        wire->is_wrong = true;
    return wire->is_wrong ? 0 : count;
}

static struct known_size take_size(struct wire *wire)
{
    struct known_size size = { .known = take_bool(wire) };
    size.value = take64(wire);
    return size;
}

static const char *take_text(struct wire *wire)
{
    uint32_t length = take_count(wire, HOST_TEXT_LIMIT, 1);
    if (!length)
        return NULL;
    char *text = arena_alloc(wire->arena, length);
    take(wire, text, length - 1);
    if (!g_utf8_validate_len(text, length - 1, NULL))
        wire->is_wrong = true;
    return text;
}

static const struct ids *take_ids(struct wire *wire)
{
    uint32_t count = take_count(wire, IDS_LIMIT, sizeof(struct range));
    if (!count)
        return &ids_none;
    struct ids *ids = arena_alloc(wire->arena, sizeof *ids + count * sizeof ids->range[0]);
    take(wire, ids->range, count * sizeof ids->range[0]);
    for (uint32_t i = 0; i < count; i++)
        if (ids->range[i].last > IDS_LIMIT || ids->range[i].first > ids->range[i].last ||
            (i && ids->range[i].first <= ids->range[i - 1].last + 1))
            wire->is_wrong = true;
    if (wire->is_wrong)
        return &ids_none;
    ids->count = count;
    return ids;
}

static void take_node(struct wire *wire, struct host_node *node)
{
    node->os_index = take_at_most(wire, IDS_LIMIT);
    node->cpus = take_ids(wire);
    node->memory_bytes = take_size(wire);
    node->free_bytes = take_size(wire);
    node->kind = (enum node_kind)take_at_most(wire, NODE_GPU);
    node->is_allowed = take_bool(wire);
    node->pools_known = take_bool(wire);
    node->pool_count = take_count(wire, HOST_POOL_LIMIT, 32);
    struct page_pool *pools = arena_array(wire->arena, struct page_pool, node->pool_count);
    for (uint32_t i = 0; i < node->pool_count; i++) {
        pools[i].page_bytes = take64(wire);
        pools[i].total = take_size(wire);
        pools[i].free = take_size(wire);
        if (pools[i].page_bytes <= (i ? pools[i - 1].page_bytes : 0))
            wire->is_wrong = true;
    }
    node->pools = pools;
}

static uint32_t take_index(struct wire *wire, uint32_t count)
{
    uint32_t index = take32(wire);
    if (index != NO_INDEX && index >= count)
        wire->is_wrong = true;
    return index;
}

static void take_cpu(struct wire *wire, struct host_cpu *cpu, uint32_t cpu_count, uint32_t node_count)
{
    cpu->os_index = take_at_most(wire, IDS_LIMIT);
    cpu->package = take_index(wire, cpu_count);
    cpu->die = take_index(wire, cpu_count);
    cpu->cluster = take_index(wire, cpu_count);
    cpu->l3 = take_index(wire, cpu_count);
    cpu->core = take_index(wire, cpu_count);
    cpu->order = take_at_most(wire, IDS_LIMIT);
    cpu->thread = take_at_most(wire, IDS_LIMIT);
    cpu->node_index = take_index(wire, node_count);
    cpu->kind = take_index(wire, cpu_count);
}

static void take_nodes(struct wire *wire, struct host *host)
{
    uint32_t count = take_count(wire, HOST_NODE_LIMIT, 40);
    host->nodes = arena_array(wire->arena, struct host_node, count);
    for (uint32_t i = 0; i < count && !wire->is_wrong; i++) {
        take_node(wire, &host->nodes[i]);
        if ((i && host->nodes[i].os_index <= host->nodes[i - 1].os_index) ||
            !ids_within(host->nodes[i].cpus, host->online))
            wire->is_wrong = true;
    }
    host->node_count = wire->is_wrong ? 0 : count;
}

static void take_cpus(struct wire *wire, struct host *host)
{
    uint32_t count = take_count(wire, HOST_CPU_LIMIT, 36);
    if (count != ids_size(host->online))
        wire->is_wrong = true;
    if (wire->is_wrong)
        return;
    host->cpus = arena_array(wire->arena, struct host_cpu, count);
    uint32_t at = 0;
    for (ids_each(host->online, number)) {
        take_cpu(wire, &host->cpus[at], count, host->node_count);
        if (host->cpus[at++].os_index != number)
            wire->is_wrong = true;
    }
    host->cpu_count = count;
}

static void take_caches(struct wire *wire, struct host *host)
{
    host->cache_count = take_count(wire, HOST_THING_LIMIT, 20);
    struct host_cache *caches = arena_array(wire->arena, struct host_cache, host->cache_count);
    for (uint32_t i = 0; i < host->cache_count; i++) {
        caches[i].level = take_at_most(wire, 9);
        uint32_t type = take32(wire);
        caches[i].type = (char)(type & 0x7f);
        if (type != 'u' && type != 'd' && type != 'i')
            wire->is_wrong = true;
        caches[i].bytes = take64(wire);
        caches[i].cpus = take_ids(wire);
    }
    host->caches = caches;
}

static void take_devices(struct wire *wire, struct host *host)
{
    host->devices_known = take_bool(wire);
    host->device_count = take_count(wire, HOST_THING_LIMIT, 20);
    struct host_device *devices = arena_array(wire->arena, struct host_device, host->device_count);
    for (uint32_t i = 0; i < host->device_count; i++) {
        devices[i].pci = take_text(wire);
        devices[i].name = take_text(wire);
        uint32_t kind = take32(wire);
        devices[i].kind = (char)(kind & 0x7f);
        if (!devices[i].pci || (kind != 'n' && kind != 'b' && kind != 'g' && kind != 'o'))
            wire->is_wrong = true;
        devices[i].node_os_index = take32(wire);
        if (devices[i].node_os_index != NO_INDEX && !host_node(host, devices[i].node_os_index))
            wire->is_wrong = true;
        devices[i].cpus = take_ids(wire);
    }
    host->devices = devices;
}

static void take_cache_controls(struct wire *wire, struct host *host)
{
    host->cache_control_count = take_count(wire, HOST_CONTROL_LIMIT, 44);
    struct cache_control *controls = arena_array(wire->arena, struct cache_control, host->cache_control_count);
    for (uint32_t i = 0; i < host->cache_control_count; i++) {
        controls[i].level = take_at_most(wire, 9);
        controls[i].cache = take32(wire);
        uint32_t type = take32(wire);
        controls[i].type = (char)(type & 0x7f);
        controls[i].bytes = take64(wire);
        controls[i].granule_bytes = take64(wire);
        controls[i].least_bytes = take64(wire);
        controls[i].most_groups = take32(wire);
        controls[i].cpus = take_ids(wire);
        if ((type != 'u' && type != 'd' && type != 'i') || !controls[i].granule_bytes)
            wire->is_wrong = true;
    }
    host->cache_controls = controls;
}

static void take_controls(struct wire *wire, struct host *host)
{
    host->resctrl_known = take_bool(wire);
    take_cache_controls(wire, host);
    host->bandwidth_control_count = take_count(wire, HOST_CONTROL_LIMIT, 20);
    struct bandwidth_control *controls =
        arena_array(wire->arena, struct bandwidth_control, host->bandwidth_control_count);
    for (uint32_t i = 0; i < host->bandwidth_control_count; i++) {
        controls[i].node = take32(wire);
        controls[i].granule = take32(wire);
        controls[i].least = take32(wire);
        controls[i].most_groups = take32(wire);
        controls[i].cpus = take_ids(wire);
        if (!controls[i].granule)
            wire->is_wrong = true;
    }
    host->bandwidth_controls = controls;
    host->watches_cache = (enum known_state)take_at_most(wire, STATE_YES);
    host->watches_bandwidth = (enum known_state)take_at_most(wire, STATE_YES);
}

static struct known_size take_known(struct wire *wire)
{
    struct known_size size = take_size(wire);
    if (size.known && (!size.value || size.value > VALUE_LIMIT))
        wire->is_wrong = true;
    return size;
}

static void take_accesses(struct wire *wire, struct host *host)
{
    uint32_t count = take_count(wire, HOST_THING_LIMIT, 56);
    struct host_access *accesses = arena_array(wire->arena, struct host_access, count);
    for (uint32_t i = 0; i < count && !wire->is_wrong; i++) {
        struct host_access *access = &accesses[i], *before = i ? access - 1 : NULL;
        access->initiator = take32(wire);
        access->target = take32(wire);
        access->read_latency_ns = take_known(wire);
        access->write_latency_ns = take_known(wire);
        access->read_bandwidth = take_known(wire);
        access->write_bandwidth = take_known(wire);
        if (access->initiator >= host->node_count || access->target >= host->node_count ||
            (before && (access->target < before->target ||
                        (access->target == before->target && access->initiator <= before->initiator))))
            wire->is_wrong = true;
    }
    host->accesses = accesses;
    host->access_count = wire->is_wrong ? 0 : count;
}

static void take_side_caches(struct wire *wire, struct host *host)
{
    uint32_t count = take_count(wire, HOST_THING_LIMIT, 24);
    struct host_side_cache *caches = arena_array(wire->arena, struct host_side_cache, count);
    for (uint32_t i = 0; i < count && !wire->is_wrong; i++) {
        caches[i].node_index = take32(wire);
        caches[i].level = take_at_most(wire, 9);
        caches[i].bytes = take64(wire);
        caches[i].line_bytes = take32(wire);
        caches[i].indexing = (enum side_cache_indexing)take_at_most(wire, SIDE_CACHE_COMPLEX);
        if (caches[i].node_index >= host->node_count || !caches[i].level)
            wire->is_wrong = true;
    }
    host->side_caches = caches;
    host->side_cache_count = wire->is_wrong ? 0 : count;
}

static void take_settings(struct wire *wire, struct host *host)
{
    host->isolated_known = take_bool(wire);
    host->isolated = take_ids(wire);
    host->nohz_full_known = take_bool(wire);
    host->nohz_full = take_ids(wire);
    host->ksm = (enum known_state)take_at_most(wire, STATE_YES);
    host->ksm_merge_across_nodes = (enum known_state)take_at_most(wire, STATE_YES);
    host->balancing = (enum known_state)take_at_most(wire, STATE_YES);
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        host->versions[i].known = take_bool(wire);
        host->versions[i].major = (uint16_t)take_at_most(wire, UINT16_MAX);
        host->versions[i].minor = (uint16_t)take_at_most(wire, UINT16_MAX);
        host->versions[i].micro = (uint16_t)take_at_most(wire, UINT16_MAX);
    }
}

static void take_distances(struct wire *wire, struct host *host)
{
    if (!take_bool(wire) || !host->node_count)
        return;
    size_t cells = (size_t)host->node_count * host->node_count;
    if ((size_t)(wire->end - wire->at) / sizeof(uint32_t) < cells) {
        wire->is_wrong = true;
        return;
    }
    uint32_t *distances = arena_array(wire->arena, uint32_t, cells);
    take(wire, distances, cells * sizeof distances[0]);
    host->distances = distances;
}

struct host *facts_decode(struct arena *arena, const uint8_t *bytes, size_t length)
{
    struct wire wire = { .arena = arena, .at = bytes, .end = bytes + length };
    struct host *host = arena_take(arena, struct host);
    if (take32(&wire) != WIRE_BEGIN)
        return NULL;
    host->architecture = take_text(&wire);
    host->transparent_pages = take_text(&wire);
    host->machine_name = take_text(&wire);
    host->cpu_name = take_text(&wire);
    host->online = take_ids(&wire);
    host->offline = take_ids(&wire);
    host->disallowed = take_ids(&wire);
    take_nodes(&wire, host);
    take_cpus(&wire, host);
    take_distances(&wire, host);
    take_caches(&wire, host);
    take_devices(&wire, host);
    take_controls(&wire, host);
    take_accesses(&wire, host);
    take_side_caches(&wire, host);
    take_settings(&wire, host);
    if (take32(&wire) != WIRE_END || wire.at != wire.end)
        wire.is_wrong = true;
    return wire.is_wrong ? NULL : host;
}
