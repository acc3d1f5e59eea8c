/* SPDX-License-Identifier: MIT
 *
 * Hand-made plans for the tests of the emitters: no stage before emit takes part.
 */
#pragma once

#include "emit/emit.h"

static inline struct plan_cell plain_cell(const char *name, const struct ids *vcpus, uint64_t memory_bytes)
{
    return (struct plan_cell){
        .name = name,
        .vcpus = vcpus,
        .memory_bytes = memory_bytes,
        .dump = true,
        .reserve = true,
        .merge = true,
    };
}

/* One cell that the guest need not see, nothing pinned, nothing bound. */
static inline struct plan_guest *plain_guest(struct arena *arena, const char *name, uint32_t vcpus)
{
    struct plan_cell *cell = arena_take(arena, struct plan_cell);
    *cell = plain_cell("0", ids_from_range(arena, 0, vcpus - 1), GIB);
    struct plan_guest *guest = arena_take(arena, struct plan_guest);
    *guest = (struct plan_guest){
        .name = name,
        .uuid = "5e6c2e5e-8a52-5b7c-9d5a-0123456789ab",
        .architecture = "x86_64",
        .machine = "q35",
        .accel = "kvm",
        .cpu_model = "host-passthrough",
        .firmware = "bios",
        .memory_bytes = GIB,
        .vcpu_count = vcpus,
        .drawers = 1,
        .books = 1,
        .sockets = 1,
        .dies = 1,
        .clusters = 1,
        .modules = 1,
        .cores = vcpus,
        .threads = 1,
        .cells = cell,
        .cell_count = 1,
        .vcpu_cpus = arena_array(arena, const struct ids *, vcpus),
    };
    return guest;
}

/* Two cells of 4 vCPUs on nodes 0 and 1, huge pages of two sizes, every thread pinned, distances, a disk. */
static inline struct plan_guest *database_guest(struct arena *arena)
{
    static const uint32_t distances[] = { 10, 21, 21, 10 };
    struct plan_guest *guest = plain_guest(arena, "pg-1", 8);
    struct plan_cell *cells = arena_array(arena, struct plan_cell, 2);
    const struct ids **cpus = arena_array(arena, const struct ids *, 8);
    struct plan_iothread *iothreads = arena_array(arena, struct plan_iothread, 2);
    for (uint32_t i = 0; i < 2; i++) {
        cells[i] = plain_cell(i ? "b" : "a", ids_from_range(arena, i * 4, i * 4 + 3), 4 * GIB);
        cells[i].nodes = ids_from_range(arena, i, i);
        cells[i].backing = BACKING_FILE;
        cells[i].page_bytes = i ? GIB : 2 * MIB;
        cells[i].is_preallocated = true;
        cells[i].prealloc_threads = 4;
        iothreads[i] = (struct plan_iothread){ .id = i * 2 + 1 };
    }
    cells[0].context_nodes = cells[0].nodes;
    cells[1].is_shared = cells[1].has_access = true;
    for (uint32_t i = 0; i < 8; i++)
        cpus[i] = ids_from_range(arena, i < 4 ? 8 + i : 40 + i * 2, i < 4 ? 8 + i : 40 + i * 2);
    iothreads[0].cpus = ids_from_range(arena, 4, 4);
    guest->host = "r740";
    guest->memory_bytes = 8 * GIB;
    guest->sockets = guest->cores = guest->threads = 2;
    guest->cells = cells;
    guest->cell_count = 2;
    guest->has_numa = true;
    guest->distances = distances;
    guest->vcpu_cpus = cpus;
    guest->emulator_cpus = ids_from_range(arena, 2, 3);
    guest->iothreads = iothreads;
    guest->iothread_count = 2;
    guest->disk = "/var/lib/libvirt/images/pg-1.qcow2";
    guest->network = "br0";
    guest->mac = "52:54:00:12:34:56";
    guest->is_locked = true;
    guest->hard_limit_bytes = 10 * GIB;
    return guest;
}
