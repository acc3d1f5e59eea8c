/* SPDX-License-Identifier: MIT
 *
 * Host facts as the JSON that other programs read: a fact that the source does not tell is null.  Names once printed
 * stay; new ones may come.
 */
#include "host/facts.h"

static void write_known(struct json *json, const char *key, struct known_size size)
{
    if (size.known)
        json_number(json, key, size.value);
    else
        json_null(json, key);
}

static void write_index(struct json *json, const char *key, uint32_t index)
{
    write_known(json, key, (struct known_size){ .known = index != NO_INDEX, .value = index });
}

static void write_ids(struct json *json, const char *key, const struct ids *ids)
{
    json_inline_array(json, key);
    for (ids_each(ids, number))
        json_number(json, NULL, number);
    json_end(json, ']');
}

static void write_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_string(json, key, text);
    else
        json_null(json, key);
}

static void write_state(struct json *json, const char *key, enum known_state state)
{
    if (state == STATE_UNKNOWN)
        json_null(json, key);
    else
        json_bool(json, key, state == STATE_YES);
}

static void write_node(struct json *json, const struct host_node *node)
{
    json_object(json, NULL);
    json_number(json, "os_index", node->os_index);
    write_ids(json, "cpus", node->cpus);
    write_known(json, "memory_bytes", node->memory_bytes);
    write_known(json, "free_bytes", node->free_bytes);
    json_string(json, "kind", node_kind_word(node->kind));
    json_bool(json, "allowed", node->is_allowed);
    if (node->pools_known) {
        json_array(json, "pools");
        for (uint32_t i = 0; i < node->pool_count; i++) {
            json_object(json, NULL);
            json_number(json, "page_bytes", node->pools[i].page_bytes);
            write_known(json, "total", node->pools[i].total);
            write_known(json, "free", node->pools[i].free);
            json_end(json, '}');
        }
        json_end(json, ']');
    } else {
        json_null(json, "pools");
    }
    json_end(json, '}');
}

static void write_distances(struct json *json, const struct host *host)
{
    if (!host->distances) {
        json_null(json, "distances");
        return;
    }
    json_array(json, "distances");
    for (uint32_t from = 0; from < host->node_count; from++) {
        json_inline_array(json, NULL);
        for (uint32_t to = 0; to < host->node_count; to++)
            json_number(json, NULL, host_distance(host, from, to));
        json_end(json, ']');
    }
    json_end(json, ']');
}

static void write_cpus(struct json *json, const struct host *host)
{
    json_array(json, "cpus");
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        const struct host_cpu *cpu = &host->cpus[i];
        json_object(json, NULL);
        json_number(json, "os_index", cpu->os_index);
        write_index(json, "node", cpu->node_index == NO_INDEX ? NO_INDEX : host->nodes[cpu->node_index].os_index);
        write_index(json, "package", cpu->package);
        write_index(json, "die", cpu->die);
        write_index(json, "cluster", cpu->cluster);
        write_index(json, "l3", cpu->l3);
        write_index(json, "core", cpu->core);
        json_number(json, "thread", cpu->thread);
        write_index(json, "kind", cpu->kind);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_caches(struct json *json, const struct host *host)
{
    json_array(json, "caches");
    for (uint32_t i = 0; i < host->cache_count; i++) {
        json_object(json, NULL);
        json_number(json, "level", host->caches[i].level);
        json_text(json, "type", &host->caches[i].type, 1);
        json_number(json, "bytes", host->caches[i].bytes);
        write_ids(json, "cpus", host->caches[i].cpus);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_accesses(struct json *json, const struct host *host)
{
    if (!host->access_count) {
        json_null(json, "memory_accesses");
    } else {
        json_array(json, "memory_accesses");
        for (uint32_t i = 0; i < host->access_count; i++) {
            const struct host_access *access = &host->accesses[i];
            json_object(json, NULL);
            json_number(json, "initiator", host->nodes[access->initiator].os_index);
            json_number(json, "target", host->nodes[access->target].os_index);
            write_known(json, "read_latency_ns", access->read_latency_ns);
            write_known(json, "write_latency_ns", access->write_latency_ns);
            write_known(json, "read_bandwidth_bytes", access->read_bandwidth);
            write_known(json, "write_bandwidth_bytes", access->write_bandwidth);
            json_end(json, '}');
        }
        json_end(json, ']');
    }
    static const char *const words[] = { NULL, "direct", "complex" };
    json_array(json, "side_caches");
    for (uint32_t i = 0; i < host->side_cache_count; i++) {
        const struct host_side_cache *cache = &host->side_caches[i];
        json_object(json, NULL);
        json_number(json, "node", host->nodes[cache->node_index].os_index);
        json_number(json, "level", cache->level);
        json_number(json, "bytes", cache->bytes);
        json_number(json, "line_bytes", cache->line_bytes);
        write_text(json, "indexing", words[cache->indexing]);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_devices(struct json *json, const struct host *host)
{
    if (!host->devices_known) {
        json_null(json, "devices");
        return;
    }
    json_array(json, "devices");
    for (uint32_t i = 0; i < host->device_count; i++) {
        json_object(json, NULL);
        json_string(json, "pci", host->devices[i].pci);
        write_text(json, "name", host->devices[i].name);
        json_text(json, "kind", &host->devices[i].kind, 1);
        write_index(json, "node", host->devices[i].node_os_index);
        write_ids(json, "cpus", host->devices[i].cpus);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_versions(struct json *json, const struct host *host)
{
    static const char *const names[PROGRAM_COUNT] = { [PROGRAM_LIBVIRT] = "libvirt",
                                                      [PROGRAM_QEMU] = "qemu",
                                                      [PROGRAM_KERNEL] = "kernel",
                                                      [PROGRAM_LIBNUMA] = "libnuma" };
    json_object(json, "versions");
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        const struct version *version = &host->versions[i];
        g_autofree char *text = g_strdup_printf("%u.%u.%u", version->major, version->minor, version->micro);
        write_text(json, names[i], version->known ? text : NULL);
    }
    json_end(json, '}');
}

void host_show_json(const struct host *host, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_string(&json, "source", host->source_text);
    write_text(&json, "machine", host->machine_name);
    write_text(&json, "architecture", host->architecture);
    json_array(&json, "nodes");
    for (uint32_t i = 0; i < host->node_count; i++)
        write_node(&json, &host->nodes[i]);
    json_end(&json, ']');
    write_distances(&json, host);
    write_ids(&json, "online_cpus", host->online);
    write_ids(&json, "offline_cpus", host->offline);
    write_ids(&json, "disallowed_cpus", host->disallowed);
    write_cpus(&json, host);
    write_caches(&json, host);
    write_accesses(&json, host);
    write_devices(&json, host);
    if (host->isolated_known)
        write_ids(&json, "isolated_cpus", host->isolated);
    else
        json_null(&json, "isolated_cpus");
    if (host->nohz_full_known)
        write_ids(&json, "nohz_full_cpus", host->nohz_full);
    else
        json_null(&json, "nohz_full_cpus");
    write_state(&json, "ksm", host->ksm);
    write_state(&json, "ksm_merge_across_nodes", host->ksm_merge_across_nodes);
    write_state(&json, "numa_balancing", host->balancing);
    write_text(&json, "transparent_pages", host->transparent_pages);
    write_versions(&json, host);
    json_end(&json, '}');
    json_finish(&json);
}
