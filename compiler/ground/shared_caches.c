/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs of a guest run under one cache of the host, by their pins; and whether that is a part of the guest that
 * it can be told of.  What is told is left to others.
 */
#include "ground/ground.h"

#include <hwloc/bitmap.h>

enum shared_level shared_level_of_word(uint32_t word)
{
    static const enum shared_level levels[] = {
        [SHARED_WORD_CORE] = SHARED_CORE,     [SHARED_WORD_MODULE] = SHARED_MODULE, [SHARED_WORD_DIE] = SHARED_DIE,
        [SHARED_WORD_SOCKET] = SHARED_SOCKET, [SHARED_WORD_HOST] = SHARED_UNSAID,
    };
    return levels[word];
}

static bool is_kind(const struct host_cache *cache, enum cpu_cache kind)
{
    static const struct {
        uint32_t level;
        char other; /* the type that is not meant */
    } kinds[CPU_CACHES] = {
        [CPU_CACHE_L1D] = { 1, 'i' },
        [CPU_CACHE_L1I] = { 1, 'd' },
        [CPU_CACHE_L2] = { 2, 'i' },
        [CPU_CACHE_L3] = { 3, 'i' },
    };
    return cache->level == kinds[kind].level && cache->type != kinds[kind].other;
}

/* The cache of each CPU, by its OS index, up to the last that is online; NULL: the host tells none of the kind. */
static uint32_t *caches_of_cpus(const struct host *facts, enum cpu_cache kind, uint32_t *out_count)
{
    bool is_told = false;
    *out_count = facts->cpu_count ? facts->cpus[facts->cpu_count - 1].os_index + 1 : 0;
    uint32_t *by_cpu = g_new(uint32_t, *out_count + 1);
    for (uint32_t i = 0; i < *out_count; i++)
        by_cpu[i] = NO_INDEX;
    for (uint32_t i = 0; i < facts->cache_count; i++) {
        if (!is_kind(&facts->caches[i], kind))
            continue;
        is_told = true;
        for (ids_each(facts->caches[i].cpus, cpu))
            if (cpu < *out_count)
                by_cpu[cpu] = i;
    }
    if (is_told)
        return by_cpu;
    g_free(by_cpu);
    return NULL;
}

uint32_t *caches_of_vcpus(const struct host *facts, const struct plan_guest *guest, enum cpu_cache kind)
{
    uint32_t count, *by_cpu = caches_of_cpus(facts, kind, &count);
    if (!by_cpu)
        return NULL;
    uint32_t *found = g_new(uint32_t, guest->vcpu_count + 1);
    for (uint32_t vcpu = 0; vcpu < guest->vcpu_count; vcpu++) {
        const struct ids *cpus = guest->vcpu_cpus[vcpu];
        found[vcpu] = NO_INDEX;
        if (!cpus || !cpus->count || ids_last(cpus) >= count)
            continue;
        found[vcpu] = by_cpu[cpus->range[0].first];
        for (ids_each(cpus, cpu))
            if (by_cpu[cpu] != found[vcpu]) {
                found[vcpu] = NO_INDEX;
                break;
            }
    }
    g_free(by_cpu);
    return found;
}

/* Runs of so many vCPUs, each under a cache of its own; false with the first vCPU that is none of its run. */
static bool are_runs(const uint32_t *caches, uint32_t vcpu_count, uint32_t each, uint32_t *out_vcpu)
{
    hwloc_bitmap_t met = hwloc_bitmap_alloc();
    uint32_t vcpu = 0;
    for (; vcpu < vcpu_count; vcpu++) {
        bool is_first = vcpu % each == 0;
        if (is_first ? hwloc_bitmap_isset(met, caches[vcpu]) != 0 : caches[vcpu] != caches[vcpu - 1])
            break;
        hwloc_bitmap_set(met, caches[vcpu]);
    }
    hwloc_bitmap_free(met);
    *out_vcpu = vcpu;
    return vcpu == vcpu_count && vcpu_count % each == 0;
}

struct host_sharing sharing_on_host(const struct host *facts, const struct plan_guest *guest, enum cpu_cache kind)
{
    uint32_t *caches = caches_of_vcpus(facts, guest, kind);
    struct host_sharing sharing = { .trouble = caches ? SHARING_FINE : SHARING_UNKNOWN };
    for (uint32_t vcpu = 0; caches && vcpu < guest->vcpu_count && !sharing.trouble; vcpu++)
        if (caches[vcpu] == NO_INDEX)
            sharing = (struct host_sharing){ .trouble = SHARING_LOOSE, .vcpu = vcpu };
    if (!sharing.trouble) {
        sharing.vcpus = 1;
        while (sharing.vcpus < guest->vcpu_count && caches[sharing.vcpus] == caches[0])
            sharing.vcpus++;
        if (!are_runs(caches, guest->vcpu_count, sharing.vcpus, &sharing.vcpu))
            sharing.trouble = SHARING_UNEVEN;
    }
    g_free(caches);
    return sharing;
}
