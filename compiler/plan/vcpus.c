/* SPDX-License-Identifier: MIT
 *
 * Which vCPU sits where in the topology of a guest, and which of them QEMU makes by itself.  What the numbers mean to
 * a target is left to the emitters.
 */
#include "plan/plan.h"

/* Takes the number at a level that `count` units have, and leaves the number of the unit above. */
static uint32_t take_level(uint32_t *number, uint32_t count)
{
    uint32_t at = *number % count;
    *number /= count;
    return at;
}

struct vcpu_place vcpu_place(const struct plan_guest *guest, uint32_t vcpu)
{
    struct vcpu_place place;
    place.thread = take_level(&vcpu, guest->threads);
    place.core = take_level(&vcpu, guest->cores);
    place.module = take_level(&vcpu, guest->modules);
    place.cluster = take_level(&vcpu, guest->clusters);
    place.die = take_level(&vcpu, guest->dies);
    place.socket = take_level(&vcpu, guest->sockets);
    place.book = take_level(&vcpu, guest->books);
    place.drawer = vcpu;
    return place;
}

uint64_t product_of_levels(const struct plan_guest *guest)
{
    const uint32_t levels[] = { guest->drawers,  guest->books,   guest->sockets, guest->dies,
                                guest->clusters, guest->modules, guest->cores,   guest->threads };
    uint64_t product = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        product = MIN(product * levels[i], UINT32_MAX);
    return product;
}

uint32_t vcpus_at_level(const struct plan_guest *guest, enum shared_level level)
{
    uint32_t count = guest->threads;
    count *= level >= SHARED_MODULE ? guest->cores : 1;
    count *= level >= SHARED_DIE ? guest->modules * guest->clusters : 1;
    return count * (level >= SHARED_SOCKET ? guest->dies : 1);
}

enum shared_level level_of_cache(const struct plan_guest *guest, enum cpu_cache cache)
{
    enum shared_level said = guest->cache_levels[cache];
    return said != SHARED_UNSAID ? said : cache == CPU_CACHE_L3 ? SHARED_DIE : SHARED_CORE;
}

bool is_there_at_start(const struct plan_guest *guest, uint32_t vcpu)
{
    return !guest->online || ids_contains(guest->online, vcpu);
}

uint32_t vcpus_plugged_together(const struct plan_guest *guest)
{
    return architecture_of(guest->architecture)->plugs_cores ? guest->threads : 1;
}

uint32_t first_vcpus(const struct plan_guest *guest)
{
    if (!guest->online)
        return guest->vcpu_count;
    const struct ids *fixed = guest->fixed;
    return fixed->count && !fixed->range[0].first ? fixed->range[0].last + 1 : 0;
}

static unsigned bits_of(uint32_t count)
{
    return count > 1 ? 32 - (unsigned)__builtin_clz(count - 1) : 0;
}

/* Each level below the socket takes whole bits, so that odd numbers of cores leave holes. */
uint32_t apic_id(const struct plan_guest *guest, uint32_t vcpu)
{
    struct vcpu_place place = vcpu_place(guest, vcpu);
    const struct {
        uint32_t number, count;
    } levels[] = { { place.die, guest->dies },
                   { place.cluster, guest->clusters },
                   { place.module, guest->modules },
                   { place.core, guest->cores },
                   { place.thread, guest->threads } };
    uint64_t id = place.socket;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        id = MIN(id << bits_of(levels[i].count) | levels[i].number, UINT32_MAX);
    return (uint32_t)id;
}

uint32_t highest_apic_id(const struct plan_guest *guest)
{
    return apic_id(guest, guest->vcpu_count - 1);
}

bool has_vcpu_gap(const struct plan_guest *guest, enum libvirt_gap gap)
{
    bool has_caches = false;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++)
        has_caches |= guest->cache_levels[cache] != SHARED_UNSAID;
    return gap == GAP_CACHES    ? has_caches
           : gap == GAP_MODULES ? guest->modules > 1
           : gap == GAP_BOOKS   ? guest->drawers > 1 || guest->books > 1
                                : guest->online && first_vcpus(guest) < ids_size(guest->fixed);
}
