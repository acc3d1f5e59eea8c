/* SPDX-License-Identifier: MIT
 *
 * Classes, workers, polling and parts of caches for people: in the text of a plan, and in what a script says it
 * leaves to the runtime.
 */
#include "emit/guest_parts.h"

bool any_tuning(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].scheduling.class)
            return true;
    return guest->scheduling_count || guest->emulator_scheduling.class || guest->vhost_cpus ||
           guest->vhost_scheduling.class || guest->resctrl_count;
}

static void append_set(GString *out, const char *one, const char *many, const struct ids *ids)
{
    append(out, ids_size(ids) == 1 ? one : many);
    ids_append(out, ids);
}

static void append_class(GString *out, const struct plan_scheduling *scheduling)
{
    append(out, " scheduled as ");
    append(out, thread_class_word(scheduling->class));
    if (scheduling->priority) {
        append(out, " ");
        append_number(out, scheduling->priority);
    }
    append(out, "\n");
}

static void append_schedulers(GString *out, const struct plan_guest *guest, const char *margin)
{
    for (uint32_t i = 0; i < guest->scheduling_count; i++) {
        append(out, margin);
        append_set(out, "vcpu ", "vcpus ", guest->schedulings[i].vcpus);
        append_class(out, &guest->schedulings[i].scheduling);
    }
    if (guest->emulator_scheduling.class) {
        append(out, margin);
        append(out, "emulator");
        append_class(out, &guest->emulator_scheduling);
    }
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        if (!guest->iothreads[i].scheduling.class)
            continue;
        append(out, margin);
        append(out, "iothread ");
        append_number(out, guest->iothreads[i].id);
        append_class(out, &guest->iothreads[i].scheduling);
    }
}

static void append_vhost(GString *out, const struct plan_guest *guest, const char *margin)
{
    if (guest->vhost_cpus) {
        append(out, margin);
        append(out, "vhost workers");
        append_set(out, " on cpu ", " on cpus ", guest->vhost_cpus);
        append(out, "\n");
    }
    if (guest->vhost_scheduling.class) {
        append(out, margin);
        append(out, "vhost workers");
        append_class(out, &guest->vhost_scheduling);
    }
}

static void begin_group(GString *out, const struct plan_resctrl *group, const char *margin, const char *verb)
{
    append(out, margin);
    append_set(out, "vcpu ", "vcpus ", group->vcpus);
    append(out, verb);
}

static void append_parts(GString *out, const struct plan_resctrl *group, const char *margin)
{
    static const char *const contents[] = { [CACHE_BOTH] = "", [CACHE_CODE] = " for code", [CACHE_DATA] = " for data" };
    for (uint32_t i = 0; i < group->part_count; i++) {
        begin_group(out, group, margin, ids_size(group->vcpus) == 1 ? " has " : " have ");
        size_append(out, group->parts[i].bytes);
        append(out, " of L");
        append_number(out, group->parts[i].level);
        append(out, " cache ");
        append_number(out, group->parts[i].cache);
        append(out, contents[group->parts[i].content]);
        append(out, "\n");
    }
}

static void append_bandwidths(GString *out, const struct plan_resctrl *group, const char *margin)
{
    for (uint32_t i = 0; i < group->bandwidth_count; i++) {
        const struct plan_bandwidth *bandwidth = &group->bandwidths[i];
        begin_group(out, group, margin, ids_size(group->vcpus) == 1 ? " has " : " have ");
        if (bandwidth->percent) {
            append_number(out, bandwidth->percent);
            append(out, "%");
        } else {
            size_append(out, bandwidth->bytes_per_second);
            append(out, "/s");
        }
        append(out, " of the memory bandwidth of L3 cache ");
        append_number(out, bandwidth->node);
        append(out, "\n");
    }
}

static void append_monitors(GString *out, const struct plan_resctrl *group, const char *margin)
{
    for (uint32_t i = 0; i < group->monitor_count; i++) {
        const struct plan_monitor *monitor = &group->monitors[i];
        append(out, margin);
        append_set(out, "vcpu ", "vcpus ", monitor->vcpus);
        append(out, monitor->counts_cache && monitor->counts_bandwidth ? " watched for cache and bandwidth\n"
                    : monitor->counts_cache                            ? " watched for cache\n"
                                                                       : " watched for bandwidth\n");
    }
}

void append_tuning(GString *out, const struct plan_guest *guest, const char *margin)
{
    append_schedulers(out, guest, margin);
    append_vhost(out, guest, margin);
    for (uint32_t i = 0; i < guest->resctrl_count; i++) {
        append_parts(out, &guest->resctrls[i], margin);
        append_bandwidths(out, &guest->resctrls[i], margin);
        append_monitors(out, &guest->resctrls[i], margin);
    }
}

static void append_polling(GString *out, const struct plan_iothread *iothread)
{
    append(out, iothread->poll_most_ns ? " polls at most " : " never polls");
    if (iothread->poll_most_ns) {
        append_number(out, iothread->poll_most_ns);
        append(out, "ns");
    }
    if (iothread->poll_grow) {
        append(out, ", growing by ");
        append_number(out, iothread->poll_grow);
    }
    if (iothread->poll_shrink) {
        append(out, ", shrinking by ");
        append_number(out, iothread->poll_shrink);
    }
    append(out, iothread->poll_in_libvirt ? "\n" : " (not with libvirt)\n");
}

void append_iothread_tuning(GString *out, const struct plan_guest *guest, const char *margin)
{
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct plan_iothread *iothread = &guest->iothreads[i];
        if (iothread->has_pool) {
            append(out, margin);
            append(out, "iothread ");
            append_number(out, iothread->id);
            append(out, " has ");
            append_number(out, iothread->pool_least);
            append(out, " to ");
            append_number(out, iothread->pool_most);
            append(out, " workers\n");
        }
        if (iothread->has_poll) {
            append(out, margin);
            append(out, "iothread ");
            append_number(out, iothread->id);
            append_polling(out, iothread);
        }
    }
}
