/* SPDX-License-Identifier: MIT
 *
 * In which order do the parts of a machine count?  As hwloc counts: things that hold CPUs stand in the order of their
 * lowest CPU, and inside each the things that it holds, so that core 1 is beside core 0 even where the operating system
 * deals its numbers over the sockets in turn.
 */
#include "host/facts.h"

#include <stddef.h>

static const size_t level_offsets[] = {
    offsetof(struct host_cpu, package), offsetof(struct host_cpu, die),  offsetof(struct host_cpu, cluster),
    offsetof(struct host_cpu, l3),      offsetof(struct host_cpu, core),
};

static uint32_t *level_at(struct host_cpu *cpu, unsigned level)
{
    return (uint32_t *)(void *)((char *)cpu + level_offsets[level]);
}

/* Gives each level numbers from 0 in logical order, by `order` of the CPUs. */
void facts_count_logically(struct host *host)
{
    uint32_t count = host->cpu_count;
    g_autofree uint32_t *at = g_new0(uint32_t, (size_t)count + 1);
    g_autofree uint32_t *numbers = g_new0(uint32_t, (size_t)count + 1);
    for (uint32_t i = 0; i < count; i++)
        at[host->cpus[i].order] = i;
    for (unsigned level = 0; level < G_N_ELEMENTS(level_offsets); level++) {
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = NO_INDEX;
        uint32_t next = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t *number = level_at(&host->cpus[at[i]], level);
            if (*number == NO_INDEX)
                continue;
            if (numbers[*number] == NO_INDEX)
                numbers[*number] = next++;
            *number = numbers[*number];
        }
    }
}

/* ---- sources that list CPUs and levels, and no tree ------------------------------------------------------------- */

struct spot {
    const struct host_cpu *cpu;
    uint32_t node;        /* lowest CPU of its node */
    bool is_node_outside; /* a node holds whole packages, rather than a package several nodes */
};

static int compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int by_levels(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;
    int node = compare(a->node, b->node), package = compare(a->cpu->package, b->cpu->package);
    int order = a->is_node_outside ? node : package;
    if (order == 0)
        order = a->is_node_outside ? package : node;
    if (order == 0)
        order = compare(a->cpu->die, b->cpu->die);
    if (order == 0)
        order = compare(a->cpu->cluster, b->cpu->cluster);
    if (order == 0)
        order = compare(a->cpu->l3, b->cpu->l3);
    if (order == 0)
        order = compare(a->cpu->core, b->cpu->core);
    return order ? order : compare(a->cpu->os_index, b->cpu->os_index);
}

static bool has_package_of_many_nodes(const struct host *host)
{
    g_autofree uint32_t *node_of = g_new0(uint32_t, (size_t)host->cpu_count + 1); /* of a package; from 1 */
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        const struct host_cpu *cpu = &host->cpus[i];
        if (cpu->package == NO_INDEX)
            continue;
        if (node_of[cpu->package] && node_of[cpu->package] != cpu->node_index + 1)
            return true;
        node_of[cpu->package] = cpu->node_index + 1;
    }
    return false;
}

void facts_order_by_levels(struct host *host)
{
    bool is_node_outside = !has_package_of_many_nodes(host);
    g_autofree struct spot *spots = g_new(struct spot, (size_t)host->cpu_count + 1);
    for (uint32_t i = 0; i < host->cpu_count; i++) {
        uint32_t node = host->cpus[i].node_index;
        spots[i] = (struct spot){ .cpu = &host->cpus[i],
                                  .node = node == NO_INDEX ? NO_INDEX : ids_first(host->nodes[node].cpus),
                                  .is_node_outside = is_node_outside };
    }
    qsort(spots, host->cpu_count, sizeof(struct spot), by_levels);
    for (uint32_t i = 0; i < host->cpu_count; i++)
        host->cpus[spots[i].cpu - host->cpus].order = i;
}
