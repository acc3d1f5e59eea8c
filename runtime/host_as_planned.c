/* SPDX-License-Identifier: MIT
 *
 * Holds what a guest uses of its host, as the plan took it, against this machine: CPUs online and on the same nodes,
 * nodes there and no smaller.  What is free of it now is asked by the steps behind.
 */
#include "host_as_planned.h"

#include <hwloc/bitmap.h>

#include "host_pages.h"
#include "proc.h"

enum { MOST_TOLD = 8, TOLERANCE = 16 }; /* a kernel keeps a little more or less for itself: one part in so many */

struct changes {
    struct arena *arena;
    GPtrArray *told; /* texts */
    hwloc_bitmap_t gone, cpus, nodes;
};

static void add_set(hwloc_bitmap_t set, const struct ids *ids)
{
    if (ids)
        ids_add_to_bitmap(ids, set);
}

static void gather_used(struct changes *changes, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        add_set(changes->cpus, guest->vcpu_cpus[i]);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        add_set(changes->cpus, guest->iothreads[i].cpus);
    add_set(changes->cpus, guest->emulator_cpus);
    add_set(changes->cpus, guest->vhost_cpus);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        add_set(changes->nodes, guest->cells[c].nodes);
    for (uint32_t d = 0; d < guest->memory_device_count; d++)
        add_set(changes->nodes, guest->memory_devices[d].memory.nodes);
}

static void change(struct changes *changes, char *text)
{
    g_ptr_array_add(changes->told, text);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void compare_node(struct changes *changes, const struct bundle_node *planned)
{
    uint64_t bytes;
    if (!hwloc_bitmap_isset(changes->nodes, planned->node))
        return;
    if (!node_memory_bytes(planned->node, &bytes))
        change(changes, arena_printf(changes->arena, "it has no node %u", planned->node));
    else if (bytes < planned->memory_bytes - planned->memory_bytes / TOLERANCE)
        change(changes, arena_printf(changes->arena, "node %u has %s, not %s", planned->node,
                                     size_text(changes->arena, bytes - bytes % MIB),
                                     size_text(changes->arena, planned->memory_bytes - planned->memory_bytes % MIB)));
}

/* ---- CPUs ------------------------------------------------------------------------------------------------------- */

/* Of one node as planned: the CPUs that went to another one, told together. */
static void compare_cpus(struct changes *changes, const struct bundle_node *planned, const struct ids *online)
{
    hwloc_bitmap_t moved = hwloc_bitmap_alloc();
    uint32_t node, to = 0;
    for (ids_each(planned->cpus, cpu)) {
        if (!hwloc_bitmap_isset(changes->cpus, cpu))
            continue;
        if (!ids_contains(online, cpu)) {
            hwloc_bitmap_set(changes->gone, cpu);
        } else if (node_of_cpu(cpu, &node) && node != planned->node) {
            to = hwloc_bitmap_iszero(moved) ? node : to;
            hwloc_bitmap_set(moved, cpu);
        }
    }
    if (!hwloc_bitmap_iszero(moved))
        change(changes,
               arena_printf(changes->arena, "cpus %s are on node %u, not on node %u",
                            ids_text(changes->arena, ids_from_bitmap(changes->arena, moved)), to, planned->node));
    hwloc_bitmap_free(moved);
}

static void compare(struct changes *changes, const struct bundle_host *host)
{
    const struct ids *online = cpus_online(changes->arena);
    for (uint32_t i = 0; i < host->node_count; i++)
        compare_node(changes, &host->nodes[i]);
    for (uint32_t i = 0; i < host->node_count && online; i++)
        compare_cpus(changes, &host->nodes[i], online);
    if (!hwloc_bitmap_iszero(changes->gone))
        change(changes, arena_printf(changes->arena, "cpus %s are not there, or offline",
                                     ids_text(changes->arena, ids_from_bitmap(changes->arena, changes->gone))));
}

static void tell_changes(struct run *run, const struct changes *changes)
{
    const struct bundle_guest *guest = run->guest;
    run->agent->is_refused = true;
    struct finding *finding =
        tell(run->agent, NM_host_changed, "this machine is not host '%s' that guest '%s' was planned for: %s",
             guest->host->name, guest->plan->name, (const char *)changes->told->pdata[0]);
    for (unsigned i = 1; i < changes->told->len && i < MOST_TOLD; i++)
        finding_note(run->agent->findings, finding, "%s", (const char *)changes->told->pdata[i]);
    finding_help(run->agent->findings, finding,
                 "run it on its host; if this is it, record it anew: 'numac host record > host.xml'");
}

bool host_is_as_planned(struct run *run)
{
    struct changes changes = { .arena = run->agent->arena, .told = g_ptr_array_new() };
    changes.gone = hwloc_bitmap_alloc();
    changes.cpus = hwloc_bitmap_alloc();
    changes.nodes = hwloc_bitmap_alloc();
    if (run->guest->host) {
        gather_used(&changes, run->guest->plan);
        compare(&changes, run->guest->host);
    }
    bool fine = !changes.told->len;
    if (!fine)
        tell_changes(run, &changes);
    hwloc_bitmap_free(changes.gone);
    hwloc_bitmap_free(changes.cpus);
    hwloc_bitmap_free(changes.nodes);
    g_ptr_array_free(changes.told, TRUE);
    return fine;
}
