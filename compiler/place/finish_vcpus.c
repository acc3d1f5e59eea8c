/* SPDX-License-Identifier: MIT
 *
 * Which vCPUs of a guest share a cache, which are there at start, and which of those can be unplugged: as said, else
 * spread over the cells, so that no cell waits for its first vCPU.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>
#include <string.h>

static bool says_hotplug(const struct guest *guest)
{
    static const enum word_id words[] = { W_VCPUS_MAX, W_VCPUS_ONLINE, W_VCPUS_FIXED, W_VCPUS_ORDER };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (is_said(&guest->said, words[i]))
            return true;
    return false;
}

/* How many each cell has at start: whole cores in turn, from the cell with vCPU 0 on, as long as there are some. */
static void deal(const struct plan_guest *guest, uint32_t count, uint32_t *given)
{
    uint32_t first = 0;
    while (first < guest->cell_count - 1 && !ids_contains(guest->cells[first].vcpus, 0))
        first++;
    for (uint32_t left = MIN(count, guest->vcpu_count); left;) {
        uint32_t before = left;
        for (uint32_t i = 0; i < guest->cell_count; i++) {
            uint32_t cell = (first + i) % guest->cell_count;
            uint32_t takes = MIN(MIN(guest->threads, left), ids_size(guest->cells[cell].vcpus) - given[cell]);
            given[cell] += takes;
            left -= takes;
        }
        if (left == before)
            return; /* vCPUs in no cell: told by a rule */
    }
}

static const struct ids *spread(struct placing *placing, const struct plan_guest *guest, uint32_t count)
{
    hwloc_bitmap_t online = hwloc_bitmap_alloc();
    uint32_t *given = g_new0(uint32_t, guest->cell_count);
    deal(guest, count, given);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (ids_each(guest->cells[c].vcpus, vcpu))
            if (given[c]) {
                hwloc_bitmap_set(online, vcpu);
                given[c]--;
            }
    const struct ids *ids = ids_from_bitmap(placing->arena, online);
    g_free(given);
    hwloc_bitmap_free(online);
    return ids;
}

void finish_apic_ids(struct plan_guest *out)
{
    bool has_levels = product_of_levels(out) == out->vcpu_count; /* else a rule tells it */
    out->remaps_interrupts = !out->has_base && architecture_of(out->architecture)->has_cpuid && out->vcpu_count &&
                             has_levels && highest_apic_id(out) >= APIC_IDS_OF_8_BITS;
}

void finish_hotplug(struct placing *placing, const struct guest *guest, struct plan_guest *out)
{
    if (!says_hotplug(guest))
        return;
    out->online = guest->online       ? guest->online->plain
                  : guest->says_start ? spread(placing, out, guest->vcpus_at_start)
                                      : ids_from_range(placing->arena, 0, out->vcpu_count - 1);
    bool stay = guest_architecture(guest)->keeps_vcpus && out->online->count && !out->online->range[0].first;
    out->fixed = guest->fixed ? guest->fixed->plain
                              : ids_from_range(placing->arena, 0,
                                               stay ? out->online->range[0].last : vcpus_plugged_together(out) - 1);
    out->plug_order = is_said(&guest->said, W_VCPUS_ORDER) ? guest->plug_order.items : NULL;
}

/* ---- caches ----------------------------------------------------------------------------------------------------- */

/* A level that nobody said is made of the cores above it, so that the vCPUs under one L3 are a die. */
static void fit_dies(const struct guest *guest, struct plan_guest *out, uint32_t vcpus)
{
    bool is_open = !guest->dies && !guest->clusters && !guest->modules && !guest->cores;
    uint32_t socket = out->cores * out->threads;
    if (!is_open || vcpus >= socket || socket % vcpus || vcpus % out->threads)
        return;
    out->dies = socket / vcpus;
    out->cores = vcpus / out->threads;
}

/* The level with so many vCPUs: the cache's own in QEMU where that is one, else the lowest. */
static enum shared_level level_of_size(const struct plan_guest *guest, enum cpu_cache cache, uint32_t vcpus)
{
    enum shared_level usual = level_of_cache(guest, cache);
    if (vcpus_at_level(guest, usual) == vcpus)
        return usual;
    for (enum shared_level level = SHARED_CORE; level < SHARED_LEVELS; level++)
        if (vcpus_at_level(guest, level) == vcpus)
            return level;
    return SHARED_UNSAID; /* which a rule tells */
}

static void take_host_level(const struct draft *draft, struct plan_guest *out, enum cpu_cache cache)
{
    if (!draft->room)
        return;
    struct host_sharing sharing = sharing_on_host(draft->room->host->facts, out, cache);
    if (sharing.trouble)
        return;
    if (cache == CPU_CACHE_L3)
        fit_dies(draft->guest, out, sharing.vcpus);
    out->cache_levels[cache] = level_of_size(out, cache, sharing.vcpus);
}

void finish_caches(const struct draft *draft, struct plan_guest *out)
{
    const struct shared_cache_row *rows = draft->guest->shared_caches.items, *of_cache[CPU_CACHES] = { NULL };
    for (uint32_t i = 0; i < draft->guest->shared_caches.count; i++)
        of_cache[rows[i].cache] = &rows[i];
    for (enum cpu_cache cache = CPU_CACHES; cache-- > 0;) { /* L3 first, since it may make dies */
        if (of_cache[cache] && of_cache[cache]->level == SHARED_WORD_HOST)
            take_host_level(draft, out, cache);
        else if (of_cache[cache])
            out->cache_levels[cache] = shared_level_of_word(of_cache[cache]->level);
    }
}
