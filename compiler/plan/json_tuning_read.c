/* SPDX-License-Identifier: MIT
 *
 * Loads classes, workers, polling and parts of caches from the plan's JSON, and refuses what could not be meant:
 * vCPUs that are not there or in two groups, priorities of classes that have none, parts of nothing.
 */
#include "plan/json_tuning.h"

enum {
    MOST_SCHEDULINGS = 65536,
    MOST_GROUPS = 65536,
    MOST_PARTS = 4096,
    MOST_POOL = INT32_MAX,
    MOST_CACHE = INT32_MAX,
};

static const char *const classes[] = { "normal", "batch", "idle", "fifo", "rr" };
static const char *const contents[] = { "both", "code", "data" };

static void *room(struct plan_reader *reader, size_t size, size_t count)
{
    return arena_alloc(reader->arena, size * (count ? count : 1));
}

/* The class and priority in the current object. */
static struct plan_scheduling read_class(struct plan_reader *reader, struct json_c_object *object)
{
    struct plan_scheduling scheduling = { .class = read_word(reader, object, "class", REQUIRED, classes,
                                                             G_N_ELEMENTS(classes), THREAD_NORMAL) };
    bool has_priority = scheduling.class == THREAD_FIFO || scheduling.class == THREAD_RR;
    if (!reader->failed && scheduling.class == THREAD_NORMAL)
        reader_fail(reader, NM_plan_value, "class", "a thread of the normal class has no scheduler");
    scheduling.priority = (uint32_t)read_number(reader, object, "priority", has_priority ? REQUIRED : OPTIONAL, 1, 99);
    if (!reader->failed && scheduling.priority && !has_priority)
        reader_fail(reader, NM_plan_conflict, "priority", "the class '%s' has no priorities",
                    thread_class_word(scheduling.class));
    return scheduling;
}

static struct plan_scheduling read_scheduler(struct plan_reader *reader, struct json_c_object *object, const char *key)
{
    static const char *const keys[] = { "class", "priority", NULL };
    struct plan_scheduling scheduling = { .class = THREAD_NORMAL };
    struct json_c_object *inner = reader_enter_object(reader, object, key, OPTIONAL, keys);
    if (!inner)
        return scheduling;
    scheduling = read_class(reader, inner);
    reader_leave(reader);
    return scheduling;
}

/* A set of vCPUs of the guest, none of them in `taken`, which it enters where there is one. */
static const struct ids *read_vcpus(struct plan_reader *reader, struct json_c_object *object,
                                    const struct plan_guest *guest, bool *taken)
{
    const struct ids *vcpus = read_set(reader, object, "vcpus", REQUIRED);
    if (reader->failed)
        return vcpus;
    if (!vcpus->count || ids_last(vcpus) >= guest->vcpu_count) {
        reader_fail(reader, NM_plan_conflict, "vcpus", "these must be some of the %u vCPUs", guest->vcpu_count);
        return vcpus;
    }
    for (ids_each(vcpus, vcpu)) {
        if (taken && taken[vcpu]) {
            reader_fail(reader, NM_plan_conflict, "vcpus", "vCPU %u stands in two of them", vcpu);
            return vcpus;
        }
        if (taken)
            taken[vcpu] = true;
    }
    return vcpus;
}

/* ---- iothreads -------------------------------------------------------------------------------------------------- */

void read_iothread_tuning(struct plan_reader *reader, struct json_c_object *object, struct plan_iothread *iothread)
{
    static const char *const pool_keys[] = { "least", "most", NULL };
    static const char *const poll_keys[] = { "most_ns", "grow", "shrink", "in_libvirt", NULL };
    iothread->scheduling = read_scheduler(reader, object, "scheduler");
    struct json_c_object *pool = reader_enter_object(reader, object, "pool", OPTIONAL, pool_keys);
    if (pool) {
        iothread->has_pool = true;
        iothread->pool_least = (uint32_t)read_number(reader, pool, "least", REQUIRED, 0, MOST_POOL);
        iothread->pool_most = (uint32_t)read_number(reader, pool, "most", REQUIRED, 1, MOST_POOL);
        if (!reader->failed && iothread->pool_least > iothread->pool_most)
            reader_fail(reader, NM_plan_conflict, "least", "a pool of at least %u and at most %u", iothread->pool_least,
                        iothread->pool_most);
        reader_leave(reader);
    }
    struct json_c_object *poll = reader_enter_object(reader, object, "poll", OPTIONAL, poll_keys);
    if (poll) {
        iothread->has_poll = true;
        iothread->poll_most_ns = read_number(reader, poll, "most_ns", REQUIRED, 0, INT64_MAX);
        iothread->poll_grow = (uint32_t)read_number(reader, poll, "grow", OPTIONAL, 0, INT32_MAX);
        iothread->poll_shrink = (uint32_t)read_number(reader, poll, "shrink", OPTIONAL, 0, INT32_MAX);
        iothread->poll_in_libvirt = read_bool(reader, poll, "in_libvirt");
        reader_leave(reader);
    }
}

/* ---- schedulers ------------------------------------------------------------------------------------------------- */

static void read_vcpu_schedulings(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "vcpus", "class", "priority", NULL };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "vcpus", OPTIONAL, MOST_SCHEDULINGS, &count);
    struct plan_vcpu_scheduling *rows = room(reader, sizeof *rows, count);
    bool *taken = room(reader, sizeof *taken, guest->vcpu_count);
    reader_enter(reader, "vcpus");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys)) {
            rows[i].vcpus = read_vcpus(reader, element, guest, taken);
            rows[i].scheduling = read_class(reader, element);
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->schedulings = rows;
    guest->scheduling_count = (uint32_t)count;
}

static void read_schedulers(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "vcpus", "emulator", NULL };
    struct json_c_object *schedulers = reader_enter_object(reader, object, "schedulers", OPTIONAL, keys);
    if (!schedulers)
        return;
    read_vcpu_schedulings(reader, schedulers, guest);
    guest->emulator_scheduling = read_scheduler(reader, schedulers, "emulator");
    reader_leave(reader);
}

static void read_vhost(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "cpus", "scheduler", NULL };
    struct json_c_object *vhost = reader_enter_object(reader, object, "vhost", OPTIONAL, keys);
    if (!vhost)
        return;
    guest->vhost_cpus = read_set(reader, vhost, "cpus", OPTIONAL);
    if (guest->vhost_cpus && !guest->vhost_cpus->count)
        reader_fail(reader, NM_plan_value, "cpus", "a pin must not be empty");
    guest->vhost_scheduling = read_scheduler(reader, vhost, "scheduler");
    reader_leave(reader);
}

/* ---- resctrl ---------------------------------------------------------------------------------------------------- */

/* Calls `one` for each object of an array; gives how many there were. */
static uint32_t read_each(struct plan_reader *reader, struct json_c_object *object, const char *key,
                          const char *const *keys, void *rows, size_t row_bytes,
                          void (*one)(struct plan_reader *, struct json_c_object *, void *))
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, key, OPTIONAL, MOST_PARTS, &count);
    char *into = room(reader, row_bytes, count);
    *(void **)rows = into;
    reader_enter(reader, key);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys))
            one(reader, element, into + i * row_bytes);
        reader_leave(reader);
    }
    reader_leave(reader);
    return (uint32_t)count;
}

static void read_part(struct plan_reader *reader, struct json_c_object *object, void *row)
{
    struct plan_cache_part *part = row;
    part->level = (uint32_t)read_number(reader, object, "level", REQUIRED, 2, 3);
    part->content = read_word(reader, object, "content", REQUIRED, contents, G_N_ELEMENTS(contents), CACHE_BOTH);
    part->cache = (uint32_t)read_number(reader, object, "cache", REQUIRED, 0, MOST_CACHE);
    part->bytes = read_size(reader, object, "bytes", REQUIRED, 1);
}

static void read_bandwidth(struct plan_reader *reader, struct json_c_object *object, void *row)
{
    struct plan_bandwidth *bandwidth = row;
    bandwidth->node = (uint32_t)read_number(reader, object, "node", REQUIRED, 0, MOST_CACHE);
    bandwidth->percent = (uint32_t)read_number(reader, object, "percent", OPTIONAL, 1, 100);
    bandwidth->bytes_per_second = read_number(reader, object, "bytes_per_second", OPTIONAL, MIB, INT64_MAX);
    if (!reader->failed && !bandwidth->percent == !bandwidth->bytes_per_second)
        reader_fail(reader, NM_plan_conflict, NULL, "a share is either 'percent' or 'bytes_per_second'");
    else if (!reader->failed && bandwidth->bytes_per_second % MIB)
        reader_fail(reader, NM_plan_value, "bytes_per_second", "a rate is a whole number of MiB/s");
}

static void read_monitors(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                          struct plan_resctrl *group)
{
    static const char *const keys[] = { "vcpus", "cache", "bandwidth", NULL };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "monitors", OPTIONAL, MOST_PARTS, &count);
    struct plan_monitor *monitors = room(reader, sizeof *monitors, count);
    reader_enter(reader, "monitors");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys)) {
            monitors[i].vcpus = read_vcpus(reader, element, guest, NULL);
            monitors[i].counts_cache = read_bool(reader, element, "cache");
            monitors[i].counts_bandwidth = read_bool(reader, element, "bandwidth");
            if (!reader->failed && !ids_within(monitors[i].vcpus, group->vcpus))
                reader_fail(reader, NM_plan_conflict, "vcpus", "a monitor counts vCPUs of its group");
            else if (!reader->failed && !monitors[i].counts_cache && !monitors[i].counts_bandwidth)
                reader_fail(reader, NM_plan_value, NULL, "a monitor counts something");
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    group->monitors = monitors;
    group->monitor_count = (uint32_t)count;
}

static void read_group(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                       bool *taken, struct plan_resctrl *group)
{
    static const char *const keys[] = { "vcpus", "caches", "bandwidth", "monitors", NULL };
    static const char *const part_keys[] = { "level", "content", "cache", "bytes", NULL };
    static const char *const bandwidth_keys[] = { "node", "percent", "bytes_per_second", NULL };
    if (!read_object(reader, object, keys))
        return;
    group->vcpus = read_vcpus(reader, object, guest, taken);
    group->part_count = read_each(reader, object, "caches", part_keys, &group->parts, sizeof *group->parts, read_part);
    group->bandwidth_count = read_each(reader, object, "bandwidth", bandwidth_keys, &group->bandwidths,
                                       sizeof *group->bandwidths, read_bandwidth);
    read_monitors(reader, object, guest, group);
}

static void read_resctrls(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "resctrl", OPTIONAL, MOST_GROUPS, &count);
    struct plan_resctrl *groups = room(reader, sizeof *groups, count);
    bool *taken = room(reader, sizeof *taken, guest->vcpu_count);
    reader_enter(reader, "resctrl");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_group(reader, json_object_array_get_idx(array, i), guest, taken, &groups[i]);
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->resctrls = groups;
    guest->resctrl_count = (uint32_t)count;
}

void read_tuning(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    read_schedulers(reader, object, guest);
    read_vhost(reader, object, guest);
    read_resctrls(reader, object, guest);
}
