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
    place.socket = vcpu;
    return place;
}

uint32_t first_vcpus(const struct plan_guest *guest)
{
    if (!guest->online)
        return guest->vcpu_count;
    const struct ids *fixed = guest->fixed;
    return fixed->count && !fixed->range[0].first ? fixed->range[0].last + 1 : 0;
}
