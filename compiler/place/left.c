/* SPDX-License-Identifier: MIT
 *
 * What is left of the hosts when all guests are placed, for the plan: read off the rooms, changing nothing.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>

enum owner { OWN, SHARED, ISOLATED, RESERVED, OWNERS };

static enum owner owner_of(const struct room_cpu *cpu)
{
    switch (cpu->state) {
    case CPU_CLOSED:
        return RESERVED;
    case CPU_DEDICATED:
        return OWN;
    case CPU_FREE:
    case CPU_NAMED:
        break;
    }
    return cpu->is_isolated ? ISOLATED : SHARED;
}

static void finish_cpus(const struct placing *placing, const struct room *room, const struct room_node *here,
                        struct plan_node *out)
{
    const struct ids **sets[OWNERS] = { [OWN] = &out->own_cpus,
                                        [SHARED] = &out->shared_cpus,
                                        [ISOLATED] = &out->isolated_cpus,
                                        [RESERVED] = &out->reserved_cpus };
    for (enum owner owner = 0; owner < OWNERS; owner++) {
        hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
        for (uint32_t c = here->first_core; c < here->first_core + here->core_count; c++)
            for (uint32_t i = 0; i < room->cores[c].count; i++) {
                const struct room_cpu *cpu = &room->cpus[room->cores[c].first + i];
                if (owner_of(cpu) == owner)
                    hwloc_bitmap_set(cpus, cpu->os_index);
            }
        *sets[owner] = ids_from_bitmap(placing->arena, cpus);
        hwloc_bitmap_free(cpus);
    }
}

static void finish_memory(const struct placing *placing, const struct room *room, uint32_t number,
                          struct plan_node *out)
{
    const struct host_node *node = &room->host->facts->nodes[number];
    const struct node_room *ground = &room->host->rooms[number];
    struct plan_pool *pools = arena_array(placing->arena, struct plan_pool, node->pool_count);
    out->memory_known = ground->memory_bytes.known;
    if (out->memory_known) {
        out->memory_bytes = ground->memory_bytes.value + ground->reserved_bytes;
        out->memory_left_bytes = room_bytes_left(room, number, PAGES_NORMAL);
    }
    for (uint32_t p = 0; p < node->pool_count; p++) {
        const struct page_pool *pool = &node->pools[p];
        uint64_t left = room_pages_left(room, number, pool->page_bytes);
        if (pool->total.known && pool->total.value && left != UINT64_MAX)
            pools[out->pool_count++] = (struct plan_pool){ pool->page_bytes, pool->total.value, left };
    }
    out->pools = pools;
}

static struct plan_host finish_host(const struct placing *placing, const struct room *room)
{
    struct plan_node *nodes = arena_array(placing->arena, struct plan_node, room->node_count);
    for (uint32_t n = 0; n < room->node_count; n++) {
        nodes[n].os_index = room->nodes[n].os_index;
        finish_memory(placing, room, n, &nodes[n]);
        finish_cpus(placing, room, &room->nodes[n], &nodes[n]);
    }
    return (struct plan_host){ .name = room->host->name, .nodes = nodes, .node_count = room->node_count };
}

const struct plan_host *finish_hosts(const struct placing *placing, uint32_t *out_count)
{
    struct plan_host *hosts = arena_array(placing->arena, struct plan_host, placing->hosts->count);
    *out_count = 0;
    for (uint32_t h = 0; h < placing->hosts->count; h++)
        if (placing->rooms[h] && placing->rooms[h]->guests)
            hosts[(*out_count)++] = finish_host(placing, placing->rooms[h]);
    return hosts;
}

const struct plan_host *finish_idle_hosts(struct placing *placing, uint32_t *out_count)
{
    struct plan_host *hosts = arena_array(placing->arena, struct plan_host, placing->hosts->count);
    *out_count = 0;
    for (uint32_t h = 0; h < placing->hosts->count; h++) {
        const struct declared_host *declared = placing->hosts->list[h].declared;
        bool is_asserted = placing->site->assertions.count || declared->assertions.count;
        const struct room *room = is_asserted ? room_at(placing, h) : NULL;
        if (room && !room->guests)
            hosts[(*out_count)++] = finish_host(placing, room);
    }
    return hosts;
}
