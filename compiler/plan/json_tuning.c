/* SPDX-License-Identifier: MIT
 *
 * The plan's JSON of classes, workers, polling and parts of caches.
 */
#include "plan/json_tuning.h"

static void write_class(struct json *json, const struct plan_scheduling *scheduling)
{
    json_string(json, "class", thread_class_word(scheduling->class));
    if (scheduling->priority)
        json_number(json, "priority", scheduling->priority);
}

static void write_scheduler(struct json *json, const char *key, const struct plan_scheduling *scheduling)
{
    if (!scheduling->class)
        return;
    json_object(json, key);
    write_class(json, scheduling);
    json_end(json, '}');
}

void write_iothread_tuning(struct json *json, const struct plan_iothread *iothread)
{
    write_scheduler(json, "scheduler", &iothread->scheduling);
    if (iothread->has_pool) {
        json_object(json, "pool");
        json_number(json, "least", iothread->pool_least);
        json_number(json, "most", iothread->pool_most);
        json_end(json, '}');
    }
    if (!iothread->has_poll)
        return;
    json_object(json, "poll");
    json_number(json, "most_ns", iothread->poll_most_ns);
    if (iothread->poll_grow)
        json_number(json, "grow", iothread->poll_grow);
    if (iothread->poll_shrink)
        json_number(json, "shrink", iothread->poll_shrink);
    json_bool(json, "in_libvirt", iothread->poll_in_libvirt);
    json_end(json, '}');
}

static void write_schedulers(struct json *json, const struct plan_guest *guest)
{
    if (!guest->scheduling_count && !guest->emulator_scheduling.class)
        return;
    json_object(json, "schedulers");
    if (guest->scheduling_count) {
        json_array(json, "vcpus");
        for (uint32_t i = 0; i < guest->scheduling_count; i++) {
            json_object(json, NULL);
            json_ids(json, "vcpus", guest->schedulings[i].vcpus);
            write_class(json, &guest->schedulings[i].scheduling);
            json_end(json, '}');
        }
        json_end(json, ']');
    }
    write_scheduler(json, "emulator", &guest->emulator_scheduling);
    json_end(json, '}');
}

static void write_vhost(struct json *json, const struct plan_guest *guest)
{
    if (!guest->vhost_cpus && !guest->vhost_scheduling.class)
        return;
    json_object(json, "vhost");
    if (guest->vhost_cpus)
        json_ids(json, "cpus", guest->vhost_cpus);
    write_scheduler(json, "scheduler", &guest->vhost_scheduling);
    json_end(json, '}');
}

static void write_caches(struct json *json, const struct plan_resctrl *group)
{
    if (!group->part_count)
        return;
    json_array(json, "caches");
    for (uint32_t i = 0; i < group->part_count; i++) {
        json_object(json, NULL);
        json_number(json, "level", group->parts[i].level);
        json_string(json, "content", cache_content_word(group->parts[i].content));
        json_number(json, "cache", group->parts[i].cache);
        json_number(json, "bytes", group->parts[i].bytes);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_bandwidth(struct json *json, const struct plan_resctrl *group)
{
    if (!group->bandwidth_count)
        return;
    json_array(json, "bandwidth");
    for (uint32_t i = 0; i < group->bandwidth_count; i++) {
        const struct plan_bandwidth *bandwidth = &group->bandwidths[i];
        json_object(json, NULL);
        json_number(json, "node", bandwidth->node);
        if (bandwidth->percent)
            json_number(json, "percent", bandwidth->percent);
        else
            json_number(json, "bytes_per_second", bandwidth->bytes_per_second);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_monitors(struct json *json, const struct plan_resctrl *group)
{
    if (!group->monitor_count)
        return;
    json_array(json, "monitors");
    for (uint32_t i = 0; i < group->monitor_count; i++) {
        json_object(json, NULL);
        json_ids(json, "vcpus", group->monitors[i].vcpus);
        json_bool(json, "cache", group->monitors[i].counts_cache);
        json_bool(json, "bandwidth", group->monitors[i].counts_bandwidth);
        json_end(json, '}');
    }
    json_end(json, ']');
}

void write_tuning(struct json *json, const struct plan_guest *guest)
{
    write_schedulers(json, guest);
    write_vhost(json, guest);
    if (!guest->resctrl_count)
        return;
    json_array(json, "resctrl");
    for (uint32_t i = 0; i < guest->resctrl_count; i++) {
        json_object(json, NULL);
        json_ids(json, "vcpus", guest->resctrls[i].vcpus);
        write_caches(json, &guest->resctrls[i]);
        write_bandwidth(json, &guest->resctrls[i]);
        write_monitors(json, &guest->resctrls[i]);
        json_end(json, '}');
    }
    json_end(json, ']');
}
