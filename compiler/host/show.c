/* SPDX-License-Identifier: MIT
 *
 * Host facts for people: first what numactl -H prints, in its look, then what it does not know, and at the end what
 * the source left unsaid.  All numbers of CPUs and nodes are OS indexes.
 */
#include "host/facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- as numactl -H ---------------------------------------------------------------------------------------------- */

static void show_size(GString *out, const struct host_node *node, const char *what, struct known_size size)
{
    g_string_append_printf(out, "node %u %s: ", node->os_index, what);
    if (size.known)
        g_string_append_printf(out, "%" PRIu64 " MB\n", size.value / MIB);
    else
        g_string_append(out, "unknown\n");
}

static void show_nodes(const struct host *host, GString *out)
{
    uint32_t numbers[HOST_NODE_LIMIT];
    for (uint32_t i = 0; i < host->node_count; i++)
        numbers[i] = host->nodes[i].os_index;
    struct arena *arena = arena_new();
    g_string_append_printf(out, "available: %u nodes (", host->node_count);
    ids_append(out, ids_from_sorted(arena, numbers, host->node_count));
    g_string_append(out, ")\n");
    arena_free(arena);
    for (uint32_t i = 0; i < host->node_count; i++) {
        const struct host_node *node = &host->nodes[i];
        g_string_append_printf(out, "node %u cpus:", node->os_index);
        for (ids_each(node->cpus, cpu))
            g_string_append_printf(out, " %u", cpu);
        g_string_append_c(out, '\n');
        show_size(out, node, "size", node->memory_bytes);
        show_size(out, node, "free", node->free_bytes);
    }
}

static void show_distances(const struct host *host, GString *out)
{
    if (!host->distances) {
        g_string_append(out, "node distances: unknown\n");
        return;
    }
    int width = 3;
    for (uint32_t i = 0; i < host->node_count * host->node_count; i++)
        if (host->distances[i] > 999)
            width = 10;
    g_string_append(out, "node distances:\nnode");
    for (uint32_t to = 0; to < host->node_count; to++)
        g_string_append_printf(out, " %*u", width, host->nodes[to].os_index);
    for (uint32_t from = 0; from < host->node_count; from++) {
        g_string_append_printf(out, "\n%*u:", width, host->nodes[from].os_index);
        for (uint32_t to = 0; to < host->node_count; to++)
            g_string_append_printf(out, " %*u", width, host_distance(host, from, to));
    }
    g_string_append(out, "\n");
}

/* ---- beyond numactl --------------------------------------------------------------------------------------------- */

static uint32_t count_of(const struct host *host, size_t offset)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        uint32_t number = *(const uint32_t *)((const char *)&host->cpus[i] + offset);
        if (number != NO_INDEX && number >= count)
            count = number + 1;
    }
    return count;
}

static void show_count(GString *out, const char *one, const char *many, uint32_t count)
{
    if (count)
        g_string_append_printf(out, ", %u %s", count, count == 1 ? one : many);
}

static void show_topology(const struct host *host, GString *out)
{
    g_string_append_printf(out, "\ntopology: %u cpus", host->cpu_count);
    show_count(out, "package", "packages", count_of(host, offsetof(struct host_cpu, package)));
    show_count(out, "die", "dies", count_of(host, offsetof(struct host_cpu, die)));
    show_count(out, "cluster", "clusters", count_of(host, offsetof(struct host_cpu, cluster)));
    show_count(out, "L3", "L3s", count_of(host, offsetof(struct host_cpu, l3)));
    uint32_t cores = count_of(host, offsetof(struct host_cpu, core));
    show_count(out, "core", "cores", cores);
    uint32_t threads = 0;
    for (uint32_t i = 0; i < host->cpu_count; i++)
        threads = MAX(threads, host->cpus[i].thread + 1);
    if (cores && threads > 1)
        g_string_append_printf(out, ", SMT of %u threads", threads);
    else if (cores)
        g_string_append(out, ", no SMT");
    g_string_append_c(out, '\n');
}

static void show_node_table(const struct host *host, GString *out)
{
    bool is_plain = true;
    for (uint32_t i = 0; i < host->node_count; i++)
        is_plain =
            is_plain && host->nodes[i].kind == NODE_DRAM && host->nodes[i].is_allowed && host->nodes[i].cpus->count;
    if (is_plain)
        return;
    g_string_append(out, "\nnode  kind  cpus\n");
    for (uint32_t i = 0; i < host->node_count; i++) {
        const struct host_node *node = &host->nodes[i];
        g_string_append_printf(out, "%4u  %-4s  ", node->os_index, node_kind_word(node->kind));
        if (node->cpus->count)
            ids_append(out, node->cpus);
        else
            g_string_append(out, node->is_allowed ? "none, memory only" : "none");
        if (node->memory_bytes.known && !node->memory_bytes.value)
            g_string_append(out, "; no memory");
        if (!node->is_allowed)
            g_string_append(out, "; not allowed by the cgroup");
        g_string_append_c(out, '\n');
    }
}

enum { WIDTH = 100, CACHE_MARGIN = 20, SETS_MOST = 64 };

/* Words parted by blanks, broken before WIDTH; `column` is where the first of them stands, and the others below it. */
static void append_wrapped(GString *out, const char *words, size_t column)
{
    size_t at = column;
    for (const char *word = words; *word;) {
        size_t length = strcspn(word, " ");
        if (word != words && at + 1 + length > WIDTH) {
            g_string_append_printf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (word != words) {
            g_string_append_c(out, ' ');
            at++;
        }
        g_string_append_len(out, word, (gssize)length);
        at += length;
        word += length + strspn(word + length, " ");
    }
    g_string_append_c(out, '\n');
}

static bool is_in_logical_order(const struct host *host)
{
    uint32_t i = 0;
    while (i < host->cpu_count && host->cpus[i].order == i)
        i++;
    return i == host->cpu_count;
}

/* The threads of each core, core:0 first: "0,32  1,33".  Not where they tell nothing new. */
static void show_cores(const struct host *host, GString *out)
{
    uint32_t cores = count_of(host, offsetof(struct host_cpu, core));
    if (!cores || (cores == host->cpu_count && is_in_logical_order(host)))
        return;
    g_autofree GString **rows = g_new0(GString *, cores);
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        uint32_t core = host->cpus[i].core;
        if (core == NO_INDEX)
            continue;
        if (!rows[core])
            rows[core] = g_string_new(NULL);
        g_string_append_printf(rows[core], "%s%u", rows[core]->len ? "," : "", host->cpus[i].os_index);
    }
    g_string_append(out, "\ncpus of each core, from core:0 on:\n");
    size_t width = 0, column = 0;
    for (uint32_t core = 0; core < cores; core++)
        width = MAX(width, rows[core] ? rows[core]->len : 0);
    for (uint32_t core = 0; core < cores; core++) {
        if (!rows[core])
            continue;
        if (column && column + width + 2 > WIDTH) {
            g_string_append_c(out, '\n');
            column = 0;
        }
        bool is_last = core + 1 == cores || column + 2 * (width + 2) > WIDTH;
        g_string_append_printf(out, "  %-*s", is_last ? 0 : (int)width, rows[core]->str);
        column += width + 2;
        g_string_free(rows[core], TRUE);
    }
    g_string_append_c(out, '\n');
}

/* Caches of the same level, type and size make one row. */
static void show_caches(const struct host *host, GString *out)
{
    if (!host->cache_count)
        return;
    g_string_append(out, "\ncache        size  shared by cpus\n");
    for (uint32_t i = 0; i < host->cache_count;) {
        const struct host_cache *first = &host->caches[i];
        g_autoptr(GString) sets = g_string_new(NULL);
        uint32_t j = i;
        for (; j < host->cache_count && host->caches[j].level == first->level && host->caches[j].type == first->type &&
               host->caches[j].bytes == first->bytes;
             j++) {
            if (j > i && j - i <= SETS_MOST)
                g_string_append_c(sets, ' ');
            if (j - i < SETS_MOST)
                ids_append(sets, host->caches[j].cpus);
        }
        if (j - i > SETS_MOST)
            g_string_append_printf(sets, "and %u more", j - i - SETS_MOST);
        g_autoptr(GString) size = g_string_new(NULL);
        if (first->bytes)
            size_append(size, first->bytes);
        else
            g_string_append(size, "unknown");
        g_autofree char *name = g_strdup_printf("L%u%s", first->level,
                                                first->type == 'd'   ? "d"
                                                : first->type == 'i' ? "i"
                                                                     : "");
        g_string_append_printf(out, "%-4s %3ux %8s  ", name, j - i, size->str);
        append_wrapped(out, sets->str, CACHE_MARGIN);
        i = j;
    }
}

static void append_pair(GString *out, struct known_size read, struct known_size write, uint64_t unit)
{
    g_autofree char *text = NULL;
    if (read.known && write.known)
        text = g_strdup_printf("%" PRIu64 " / %" PRIu64, read.value / unit, write.value / unit);
    else if (read.known || write.known)
        text = read.known ? g_strdup_printf("%" PRIu64 " / ?", read.value / unit)
                          : g_strdup_printf("? / %" PRIu64, write.value / unit);
    g_string_append_printf(out, "%23s", text ? text : "unknown");
}

/* How memory is reached: as the firmware's HMAT tells the kernel. */
static void show_accesses(const struct host *host, GString *out)
{
    for (uint32_t i = 0; i < host->access_count; i++) {
        const struct host_access *access = &host->accesses[i];
        if (!i)
            g_string_append(out, "\nmemory of node  from cpus of node     latency ns, rd/wr  bandwidth MiB/s, rd/wr\n");
        g_string_append_printf(out, "%14u %19u", host->nodes[access->target].os_index,
                               host->nodes[access->initiator].os_index);
        append_pair(out, access->read_latency_ns, access->write_latency_ns, 1);
        append_pair(out, access->read_bandwidth, access->write_bandwidth, MIB);
        g_string_append_c(out, '\n');
    }
    static const char *const words[] = { "unknown", "direct", "complex" };
    for (uint32_t i = 0; i < host->side_cache_count; i++) {
        const struct host_side_cache *cache = &host->side_caches[i];
        if (!i)
            g_string_append(out, "\nside cache of node  level        size  line  indexing\n");
        g_autoptr(GString) size = g_string_new(NULL);
        size_append(size, cache->bytes);
        g_string_append_printf(out, "%18u %6u %11s %5u  %s\n", host->nodes[cache->node_index].os_index, cache->level,
                               size->str, cache->line_bytes, words[cache->indexing]);
    }
}

static void show_number(GString *out, struct known_size number)
{
    if (number.known)
        g_string_append_printf(out, "%12" PRIu64, number.value);
    else
        g_string_append_printf(out, "%12s", "unknown");
}

static void show_pools(const struct host *host, GString *out)
{
    bool is_first = true;
    for (uint32_t i = 0; i < host->node_count; i++)
        for (uint32_t p = 0; p < host->nodes[i].pool_count; p++) {
            const struct page_pool *pool = &host->nodes[i].pools[p];
            if (is_first)
                g_string_append(out, "\nhuge pages: node        size       total        free\n");
            is_first = false;
            g_autoptr(GString) size = g_string_new(NULL);
            size_append(size, pool->page_bytes);
            g_string_append_printf(out, "%16u%12s", host->nodes[i].os_index, size->str);
            show_number(out, pool->total);
            show_number(out, pool->free);
            g_string_append_c(out, '\n');
        }
}

static void show_devices(const struct host *host, GString *out)
{
    if (!host->devices_known || !host->device_count)
        return;
    static const char *const words[] = { ['n'] = "network", ['b'] = "block", ['g'] = "gpu", ['o'] = "other" };
    g_string_append(out, "\ndevice        node  kind     name\n");
    for (uint32_t i = 0; i < host->device_count; i++) {
        const struct host_device *device = &host->devices[i];
        g_string_append_printf(out, "%-13s ", device->pci);
        if (device->node_os_index == NO_INDEX)
            g_string_append(out, "   ?");
        else
            g_string_append_printf(out, "%4u", device->node_os_index);
        g_string_append_printf(out, "  %-7s  %s", words[(unsigned char)device->kind], device->name ? device->name : "");
        while (out->len && out->str[out->len - 1] == ' ')
            g_string_truncate(out, out->len - 1);
        g_string_append_c(out, '\n');
    }
}

static const char *control_name(char type)
{
    return type == 'd' ? "data" : type == 'i' ? "code" : "";
}

static void show_controls(const struct host *host, GString *out)
{
    for (uint32_t i = 0; i < host->cache_control_count; i++) {
        const struct cache_control *control = &host->cache_controls[i];
        g_autoptr(GString) granule = g_string_new(NULL), least = g_string_new(NULL), size = g_string_new(NULL);
        size_append(granule, control->granule_bytes);
        size_append(least, control->least_bytes);
        size_append(size, control->bytes);
        if (!i)
            g_string_append(out, "\nparts of:  cache      size  in steps of  at least  groups  of cpus\n");
        g_string_append_printf(out, "L%u %-4s %9u %9s %12s %9s %7u  ", control->level, control_name(control->type),
                               control->cache, size->str, granule->str, least->str, control->most_groups);
        ids_append(out, control->cpus);
        g_string_append_c(out, '\n');
    }
    for (uint32_t i = 0; i < host->bandwidth_control_count; i++) {
        const struct bandwidth_control *control = &host->bandwidth_controls[i];
        if (!i)
            g_string_append(out, "\nmemory bandwidth of L3  in steps of  at least  groups  of cpus\n");
        g_string_append_printf(out, "%22u %11u%% %8u%% %7u  ", control->node, control->granule, control->least,
                               control->most_groups);
        ids_append(out, control->cpus);
        g_string_append_c(out, '\n');
    }
}

/* ---- settings and what is unknown ------------------------------------------------------------------------------- */

static void show_set(GString *out, const char *name, bool known, const struct ids *ids)
{
    if (!known)
        return;
    g_string_append_printf(out, "%s: ", name);
    if (ids->count)
        ids_append(out, ids);
    else
        g_string_append(out, "none");
    g_string_append_c(out, '\n');
}

static void show_state(GString *out, const char *name, enum known_state state)
{
    if (state != STATE_UNKNOWN)
        g_string_append_printf(out, "%s: %s\n", name, state == STATE_YES ? "yes" : "no");
}

static const char *const program_words[PROGRAM_COUNT] = {
    [PROGRAM_LIBVIRT] = "libvirt", [PROGRAM_QEMU] = "qemu", [PROGRAM_KERNEL] = "kernel", [PROGRAM_LIBNUMA] = "libnuma"
};

static void show_settings(const struct host *host, GString *out)
{
    g_string_append_c(out, '\n');
    show_set(out, "offline or hidden cpus", host->offline->count > 0, host->offline);
    show_set(out, "cpus not allowed by the cgroup", host->disallowed->count > 0, host->disallowed);
    show_set(out, "isolated cpus", host->isolated_known, host->isolated);
    show_set(out, "nohz_full cpus", host->nohz_full_known, host->nohz_full);
    show_state(out, "automatic NUMA balancing", host->balancing);
    show_state(out, "KSM", host->ksm);
    show_state(out, "KSM merges across nodes", host->ksm_merge_across_nodes);
    if (host->transparent_pages)
        g_string_append_printf(out, "transparent huge pages: %s\n", host->transparent_pages);
    show_state(out, "monitors of L3 caches", host->watches_cache);
    show_state(out, "monitors of memory bandwidth", host->watches_bandwidth);
    if (host->resctrl_known && !host->cache_control_count && !host->bandwidth_control_count)
        g_string_append(out, "parts of caches and bandwidth: none\n");
    if (host->architecture)
        g_string_append_printf(out, "architecture: %s\n", host->architecture);
    if (host->machine_name)
        g_string_append_printf(out, "machine: %s\n", host->machine_name);
    for (unsigned i = 0; i < PROGRAM_COUNT; i++)
        if (host->versions[i].known)
            g_string_append_printf(out, "%s: %u.%u.%u\n", program_words[i], host->versions[i].major,
                                   host->versions[i].minor, host->versions[i].micro);
}

static void add_unknown(GString *list, bool is_unknown, const char *what)
{
    if (is_unknown)
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", what);
}

static void show_unknown(const struct host *host, GString *out)
{
    bool memory = false, unused = false, pools = false, pools_free = false, packages = true, cores = true;
    for (uint32_t i = 0; i < host->node_count; i++) {
        const struct host_node *node = &host->nodes[i];
        memory |= !node->memory_bytes.known;
        unused |= !node->free_bytes.known;
        pools |= !node->pools_known;
        for (uint32_t p = 0; p < node->pool_count; p++) {
            pools |= !node->pools[p].total.known;
            pools_free |= !node->pools[p].free.known;
        }
    }
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        packages &= host->cpus[i].package == NO_INDEX;
        cores &= host->cpus[i].core == NO_INDEX;
    }
    g_autoptr(GString) list = g_string_new(NULL);
    add_unknown(list, memory, "memory of nodes");
    add_unknown(list, unused, "free memory");
    add_unknown(list, !host->distances, "distances");
    add_unknown(list, !host->access_count, "latencies and bandwidths of memory");
    add_unknown(list, packages, "packages");
    add_unknown(list, cores, "cores");
    add_unknown(list, pools, "huge pages");
    add_unknown(list, pools_free, "free huge pages");
    add_unknown(list, !host->isolated_known, "isolated cpus");
    add_unknown(list, !host->nohz_full_known, "nohz_full cpus");
    add_unknown(list, host->balancing == STATE_UNKNOWN, "automatic NUMA balancing");
    add_unknown(list, host->ksm == STATE_UNKNOWN, "KSM");
    add_unknown(list, host->ksm_merge_across_nodes == STATE_UNKNOWN, "KSM across nodes");
    add_unknown(list, !host->transparent_pages, "transparent huge pages");
    add_unknown(list, !host->resctrl_known, "parts of caches and bandwidth");
    add_unknown(list, !host->devices_known, "devices");
    add_unknown(list, !host->architecture, "architecture");
    for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
        g_autofree char *what = g_strdup_printf("version of %s", program_words[i]);
        add_unknown(list, !host->versions[i].known, what);
    }
    g_string_append(out, "unknown: ");
    append_wrapped(out, list->len ? list->str : "nothing", strlen("unknown: "));
}

void host_show_text(const struct host *host, GString *out)
{
    show_nodes(host, out);
    show_distances(host, out);
    show_topology(host, out);
    show_node_table(host, out);
    show_cores(host, out);
    show_caches(host, out);
    show_accesses(host, out);
    show_pools(host, out);
    show_controls(host, out);
    show_devices(host, out);
    show_settings(host, out);
    show_unknown(host, out);
    g_string_append(out, "cpus and nodes are given by their OS indexes\n");
}
