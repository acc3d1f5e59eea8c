/* SPDX-License-Identifier: MIT
 *
 * A host loaded by numac and by bare hwloc, in turn and in one process: host_load live|FILE ROUNDS prints a line
 * "OURS PEER" in nanoseconds for each round.  host_load --make FILE writes the large machine of the goal: 8 packages
 * of 4 nodes, 1,024 CPUs, all distances.
 */
#include "host/host.h"

#include <hwloc.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PACKAGES = 8, NODES_A_PACKAGE = 4, NODES = PACKAGES * NODES_A_PACKAGE };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void give_up(const char *what)
{
    fprintf(stderr, "host_load: %s\n", what);
    exit(1);
}

static uint64_t time_ours(const char *source)
{
    uint64_t begin = now_ns();
    struct arena *arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    if (!host_load(arena, sources, findings, source, false, 0, SPAN_NONE))
        give_up("numac refuses the host");
    findings_free(findings);
    sources_free(sources);
    arena_free(arena);
    return now_ns() - begin;
}

/* What numac needs of a host is what hwloc gives when nearly everything is left out. */
static uint64_t time_peer(const char *source)
{
    uint64_t begin = now_ns();
    hwloc_topology_t topology;
    hwloc_topology_init(&topology);
    if (strcmp(source, "live") != 0 && hwloc_topology_set_xml(topology, source) != 0)
        give_up("hwloc does not take the file");
    hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_cache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_type_filter(topology, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_type_filter(topology, HWLOC_OBJ_GROUP, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_NO_CPUKINDS | HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS);
    if (hwloc_topology_load(topology) != 0)
        give_up("hwloc does not load");
    hwloc_topology_destroy(topology);
    return now_ns() - begin;
}

static void add_distances(hwloc_topology_t topology)
{
    hwloc_obj_t nodes[NODES];
    hwloc_uint64_t values[NODES * NODES];
    for (unsigned from = 0; from < NODES; from++) {
        nodes[from] = hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE, from);
        for (unsigned to = 0; to < NODES; to++)
            values[from * NODES + to] = from == to ? 10 : from / NODES_A_PACKAGE == to / NODES_A_PACKAGE ? 12 : 32;
    }
    hwloc_distances_add_handle_t handle = hwloc_distances_add_create(
        topology, "NUMALatency", HWLOC_DISTANCES_KIND_FROM_OS | HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);
    if (!handle || hwloc_distances_add_values(topology, handle, NODES, nodes, values, 0) != 0 ||
        hwloc_distances_add_commit(topology, handle, 0) != 0)
        give_up("hwloc does not take the distances");
}

static void make(const char *path)
{
    hwloc_topology_t topology;
    hwloc_topology_init(&topology);
    if (hwloc_topology_set_synthetic(topology, "pack:8 die:4 [numa(memory=68719476736)] l3:2 core:8 pu:2") != 0 ||
        hwloc_topology_load(topology) != 0)
        give_up("hwloc does not make the machine");
    add_distances(topology);
    if (hwloc_topology_export_xml(topology, path, 0) != 0)
        give_up("the machine cannot be written");
    hwloc_topology_destroy(topology);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    if (strcmp(argv[1], "--make") == 0) {
        make(argv[2]);
        return 0;
    }
    time_ours(argv[1]); /* warm */
    time_peer(argv[1]);
    for (long rounds = strtol(argv[2], NULL, 10); rounds > 0; rounds--) {
        uint64_t ours = time_ours(argv[1]);
        printf("%" PRIu64 " %" PRIu64 "\n", ours, time_peer(argv[1]));
    }
    return 0;
}
