/* SPDX-License-Identifier: MIT
 *
 * Asks the kernel to run a thread somewhere.
 */
#include "affinity.h"

#include <errno.h>
#include <sched.h>

#include <hwloc/bitmap.h>

const struct ids *cpus_of_guest(struct arena *arena, const struct plan_guest *guest)
{
    hwloc_bitmap_t all = hwloc_bitmap_alloc();
    bool is_open = false;
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        if (guest->vcpu_cpus[i])
            ids_add_to_bitmap(guest->vcpu_cpus[i], all);
        else
            is_open = true;
    if (guest->emulator_cpus)
        ids_add_to_bitmap(guest->emulator_cpus, all);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].cpus)
            ids_add_to_bitmap(guest->iothreads[i].cpus, all);
    const struct ids *cpus = is_open || hwloc_bitmap_iszero(all) ? NULL : ids_from_bitmap(arena, all);
    hwloc_bitmap_free(all);
    return cpus;
}

int affinity_set(pid_t task, const struct ids *cpus)
{
    size_t count = (size_t)ids_last(cpus) + 1, bytes = CPU_ALLOC_SIZE(count);
    cpu_set_t *mask = CPU_ALLOC(count);
    CPU_ZERO_S(bytes, mask);
    for (ids_each(cpus, cpu))
        CPU_SET_S(cpu, bytes, mask);
    int trouble = sched_setaffinity(task, bytes, mask) < 0 ? errno : 0;
    CPU_FREE(mask);
    return trouble;
}

static const int policies[] = {
    [THREAD_NORMAL] = SCHED_OTHER, [THREAD_BATCH] = SCHED_BATCH, [THREAD_IDLE] = SCHED_IDLE,
    [THREAD_FIFO] = SCHED_FIFO,    [THREAD_RR] = SCHED_RR,
};

int scheduling_set(pid_t task, const struct plan_scheduling *scheduling)
{
    struct sched_param parameters = { .sched_priority = (int)scheduling->priority };
    return sched_setscheduler(task, policies[scheduling->class], &parameters) < 0 ? errno : 0;
}

enum thread_class class_of_policy(int policy)
{
    for (unsigned class = 0; class < G_N_ELEMENTS(policies); class ++)
        if (policies[class] == policy)
            return (enum thread_class) class;
    return THREAD_NORMAL;
}
