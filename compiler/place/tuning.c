/* SPDX-License-Identifier: MIT
 *
 * Scheduling classes, worker threads, polling, parts of caches and bandwidth: from the words of a guest to the plan.
 * All of it was said by people; what is decided here is only order, so that equal sites give equal plans.
 */
#include "ground/features.h"
#include "place/draft.h"

#include <hwloc/bitmap.h>
#include <stdlib.h>

/* ---- scheduling ------------------------------------------------------------------------------------------------- */

static struct plan_scheduling scheduling_of(const struct said *said, enum word_id word, struct scheduling scheduling)
{
    static const enum thread_class classes[] = { [CLASS_WORD_BATCH] = THREAD_BATCH,
                                                 [CLASS_WORD_IDLE] = THREAD_IDLE,
                                                 [CLASS_WORD_FIFO] = THREAD_FIFO,
                                                 [CLASS_WORD_RR] = THREAD_RR };
    if (!is_said(said, word))
        return (struct plan_scheduling){ .class = THREAD_NORMAL };
    bool has_priority = scheduling.class == CLASS_WORD_FIFO || scheduling.class == CLASS_WORD_RR;
    return (struct plan_scheduling){ .class = classes[scheduling.class],
                                     .priority = has_priority ? scheduling.priority : 0 };
}

static int by_class_and_vcpu(const void *a, const void *b)
{
    const struct plan_vcpu_scheduling *left = a, *right = b;
    if (left->scheduling.class != right->scheduling.class)
        return left->scheduling.class < right->scheduling.class ? -1 : 1;
    uint32_t first = ids_first(left->vcpus), other = ids_first(right->vcpus);
    return first < other ? -1 : first > other;
}

static bool same_scheduling(const struct plan_scheduling *a, const struct plan_scheduling *b)
{
    return a->class == b->class && a->priority == b->priority;
}

/* Rows that say the same become one, as libvirt writes them. */
static uint32_t join_rows(struct arena *arena, struct plan_vcpu_scheduling *rows, uint32_t count)
{
    uint32_t kept = 0;
    g_autofree hwloc_bitmap_t *sets = g_new0(hwloc_bitmap_t, count + 1u);
    for (uint32_t r = 0; r < count; r++) {
        uint32_t same = 0; /* there are some two hundred at most */
        while (same < kept && !same_scheduling(&rows[same].scheduling, &rows[r].scheduling))
            same++;
        if (same == kept) {
            sets[kept] = hwloc_bitmap_alloc();
            rows[kept].scheduling = rows[r].scheduling;
            kept++;
        }
        ids_add_to_bitmap(rows[r].vcpus, sets[same]);
    }
    for (uint32_t r = 0; r < kept; r++) {
        rows[r].vcpus = ids_from_bitmap(arena, sets[r]);
        hwloc_bitmap_free(sets[r]);
    }
    return kept;
}

static void finish_vcpu_schedulings(struct arena *arena, const struct guest *guest, struct plan_guest *out)
{
    const struct scheduler_row *said = guest->scheduler_rows.items;
    uint32_t count = guest->scheduler_rows.count;
    if (!is_said(&guest->said, W_GUEST_SCHEDULER) || !out->vcpu_count)
        return;
    struct plan_vcpu_scheduling *rows = arena_array(arena, struct plan_vcpu_scheduling, MAX(count, 1));
    for (uint32_t r = 0; r < count; r++)
        rows[r] = (struct plan_vcpu_scheduling){ said[r].ids->plain,
                                                 scheduling_of(&guest->said, W_GUEST_SCHEDULER, said[r].scheduling) };
    if (!count)
        rows[count++] =
            (struct plan_vcpu_scheduling){ ids_from_range(arena, 0, out->vcpu_count - 1),
                                           scheduling_of(&guest->said, W_GUEST_SCHEDULER, guest->scheduling) };
    count = join_rows(arena, rows, count);
    qsort(rows, count, sizeof rows[0], by_class_and_vcpu);
    out->schedulings = rows;
    out->scheduling_count = count;
}

/* ---- iothreads -------------------------------------------------------------------------------------------------- */

void finish_iothread(const struct placing *placing, const struct draft *draft, const struct iothread *said,
                     struct plan_iothread *out)
{
    out->scheduling = scheduling_of(&said->said, W_IOTHREAD_SCHEDULER, said->scheduling);
    if (is_said(&said->said, W_IOTHREAD_POOL)) {
        out->has_pool = true;
        out->pool_least = said->pool_least;
        out->pool_most = said->pool_most;
    }
    if (is_said(&said->said, W_IOTHREAD_POLL)) {
        out->has_poll = true;
        /* in a base it is libvirt that is spoken to, and what a base says stays */
        out->poll_in_libvirt =
            draft->guest->base_file || host_has_feature(programs_of(placing, draft), FEATURE_IOTHREAD_POLL);
        out->poll_most_ns = said->poll_most_ns;
        out->poll_grow = said->poll_grow;
        out->poll_shrink = said->poll_shrink;
    }
}

/* ---- resctrl ---------------------------------------------------------------------------------------------------- */

static int by_level_content_cache(const void *a, const void *b)
{
    const struct plan_cache_part *left = a, *right = b;
    if (left->level != right->level)
        return left->level < right->level ? -1 : 1;
    if (left->content != right->content)
        return left->content < right->content ? -1 : 1;
    return left->cache < right->cache ? -1 : left->cache > right->cache;
}

static void finish_parts(struct arena *arena, const struct resctrl *group, struct plan_resctrl *out)
{
    static const enum cache_content contents[] = { CACHE_BOTH, CACHE_CODE, CACHE_DATA };
    uint32_t count = 0;
    for (uint32_t kind = 0; kind < CACHE_KINDS; kind++)
        count += group->caches[kind].count;
    struct plan_cache_part *parts = arena_array(arena, struct plan_cache_part, count);
    for (uint32_t kind = 0; kind < CACHE_KINDS; kind++) {
        const struct cache_row *rows = group->caches[kind].items;
        for (uint32_t r = 0; r < group->caches[kind].count; r++)
            parts[out->part_count++] = (struct plan_cache_part){
                .level = 2 + kind / 3, .content = contents[kind % 3], .cache = rows[r].cache, .bytes = rows[r].bytes
            };
    }
    qsort(parts, count, sizeof parts[0], by_level_content_cache);
    out->parts = parts;
}

static int by_node(const void *a, const void *b)
{
    const struct plan_bandwidth *left = a, *right = b;
    return left->node < right->node ? -1 : left->node > right->node;
}

static void finish_bandwidths(struct arena *arena, const struct resctrl *group, struct plan_resctrl *out)
{
    const struct bandwidth_row *rows = group->bandwidth.items;
    struct plan_bandwidth *bandwidths = arena_array(arena, struct plan_bandwidth, group->bandwidth.count);
    for (uint32_t r = 0; r < group->bandwidth.count; r++)
        bandwidths[r] = (struct plan_bandwidth){ .node = rows[r].node,
                                                 .percent = rows[r].share.percent,
                                                 .bytes_per_second = rows[r].share.bytes_per_second };
    qsort(bandwidths, group->bandwidth.count, sizeof bandwidths[0], by_node);
    out->bandwidths = bandwidths;
    out->bandwidth_count = group->bandwidth.count;
}

static void finish_monitors(struct arena *arena, const struct resctrl *group, struct plan_resctrl *out)
{
    const struct monitor_row *rows = group->monitors.items;
    struct plan_monitor *monitors = arena_array(arena, struct plan_monitor, group->monitors.count);
    for (uint32_t r = 0; r < group->monitors.count; r++) {
        monitors[r].vcpus = rows[r].ids->plain;
        for (uint32_t i = 0; i < rows[r].what.count; i++) {
            bool is_cache = ((const uint32_t *)rows[r].what.items)[i] == MONITOR_CACHE;
            monitors[r].counts_cache |= is_cache;
            monitors[r].counts_bandwidth |= !is_cache;
        }
    }
    out->monitors = monitors;
    out->monitor_count = group->monitors.count;
}

static void finish_resctrls(struct arena *arena, const struct guest *guest, struct plan_guest *out)
{
    struct plan_resctrl *groups = arena_array(arena, struct plan_resctrl, guest->resctrl_count);
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        groups[g].vcpus = guest->resctrls[g].ids->plain;
        finish_parts(arena, &guest->resctrls[g], &groups[g]);
        finish_bandwidths(arena, &guest->resctrls[g], &groups[g]);
        finish_monitors(arena, &guest->resctrls[g], &groups[g]);
    }
    out->resctrls = groups;
    out->resctrl_count = guest->resctrl_count;
}

void finish_tuning(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    finish_vcpu_schedulings(placing->arena, guest, out);
    out->emulator_scheduling = scheduling_of(&guest->said, W_EMULATOR_SCHEDULER, guest->emulator_scheduling);
    out->vhost_cpus = vhost_cpus(placing, draft);
    out->vhost_scheduling = scheduling_of(&guest->said, W_VHOST_SCHEDULER, guest->vhost_scheduling);
    finish_resctrls(placing->arena, guest, out);
}
