/* SPDX-License-Identifier: MIT
 *
 * How libvirt says scheduling classes, worker threads, polling, and parts of caches and memory bandwidth.  Order and
 * spelling are those of virsh dumpxml.  Kernel workers (vhost) have no element.
 */
#include "emit/libvirt_tuning.h"

#include <hwloc/bitmap.h>

/* ---- iothreads -------------------------------------------------------------------------------------------------- */

static bool says_poll(const struct plan_iothread *iothread)
{
    return iothread->has_poll && iothread->poll_in_libvirt;
}

bool iothread_says_more(const struct plan_iothread *iothread)
{
    return iothread->has_pool || says_poll(iothread);
}

static void xml_poll(struct xml *xml, const struct plan_iothread *iothread)
{
    xml_line(xml, "<poll max='");
    xml_number(xml, iothread->poll_most_ns);
    if (iothread->poll_grow) {
        xml_put(xml, "' grow='");
        xml_number(xml, iothread->poll_grow);
    }
    if (iothread->poll_shrink) {
        xml_put(xml, "' shrink='");
        xml_number(xml, iothread->poll_shrink);
    }
    xml_end(xml, "'/>");
}

void xml_iothread(struct xml *xml, const struct plan_iothread *iothread)
{
    xml_line(xml, "<iothread id='");
    xml_number(xml, iothread->id);
    if (iothread->has_pool) {
        xml_put(xml, "' thread_pool_min='");
        xml_number(xml, iothread->pool_least);
        xml_put(xml, "' thread_pool_max='");
        xml_number(xml, iothread->pool_most);
    }
    if (!says_poll(iothread)) {
        xml_end(xml, "'/>");
        return;
    }
    xml_end(xml, "'>");
    xml->depth++;
    xml_poll(xml, iothread);
    xml_shut(xml, "</iothread>");
}

/* ---- scheduling ------------------------------------------------------------------------------------------------- */

static void xml_scheduling(struct xml *xml, const struct plan_scheduling *scheduling)
{
    xml_put(xml, "scheduler='");
    xml_put(xml, thread_class_word(scheduling->class));
    if (scheduling->priority) {
        xml_put(xml, "' priority='");
        xml_number(xml, scheduling->priority);
    }
    xml_end(xml, "'/>");
}

static bool same_scheduling(const struct plan_scheduling *a, const struct plan_scheduling *b)
{
    return a->class == b->class && a->priority == b->priority;
}

/* All iothreads that are scheduled as this one, in one element. */
static void xml_iothreads_like(struct xml *xml, const struct plan_guest *guest, uint32_t at)
{
    struct arena *arena = arena_new();
    hwloc_bitmap_t alike = hwloc_bitmap_alloc();
    for (uint32_t i = at; i < guest->iothread_count; i++)
        if (same_scheduling(&guest->iothreads[i].scheduling, &guest->iothreads[at].scheduling))
            hwloc_bitmap_set(alike, guest->iothreads[i].id);
    xml_line(xml, "<iothreadsched iothreads='");
    xml_ids(xml, ids_from_bitmap(arena, alike));
    xml_put(xml, "' ");
    xml_scheduling(xml, &guest->iothreads[at].scheduling);
    hwloc_bitmap_free(alike);
    arena_free(arena);
}

void xml_schedulers(struct xml *xml, const struct plan_guest *guest)
{
    if (guest->emulator_scheduling.class) {
        xml_line(xml, "<emulatorsched ");
        xml_scheduling(xml, &guest->emulator_scheduling);
    }
    for (uint32_t i = 0; i < guest->scheduling_count; i++) {
        xml_line(xml, "<vcpusched vcpus='");
        xml_ids(xml, guest->schedulings[i].vcpus);
        xml_put(xml, "' ");
        xml_scheduling(xml, &guest->schedulings[i].scheduling);
    }
    bool is_written[THREAD_RR + 1][100] = { 0 }; /* by class and priority */
    for (enum thread_class class = THREAD_BATCH; class <= THREAD_RR; class ++)
        for (uint32_t i = 0; i < guest->iothread_count; i++) {
            const struct plan_scheduling *scheduling = &guest->iothreads[i].scheduling;
            if (scheduling->class != class || is_written[class][scheduling->priority])
                continue;
            is_written[class][scheduling->priority] = true;
            xml_iothreads_like(xml, guest, i);
        }
}

/* ---- resctrl ---------------------------------------------------------------------------------------------------- */

/* The largest unit that leaves a whole number, as libvirt writes it. */
static void xml_part_size(struct xml *xml, uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;
    uint64_t number = bytes / KIB;
    while (number && number % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units)) {
        number /= 1024;
        unit++;
    }
    xml_number(xml, number);
    xml_put(xml, "' unit='");
    xml_put(xml, units[unit]);
}

static void xml_cachetune(struct xml *xml, const struct plan_resctrl *group)
{
    for (uint32_t i = 0; i < group->part_count; i++) {
        const struct plan_cache_part *part = &group->parts[i];
        xml_line(xml, "<cache id='");
        xml_number(xml, part->cache);
        xml_put(xml, "' level='");
        xml_number(xml, part->level);
        xml_put(xml, "' type='");
        xml_put(xml, cache_content_word(part->content));
        xml_put(xml, "' size='");
        xml_part_size(xml, part->bytes);
        xml_end(xml, "'/>");
    }
    for (uint32_t i = 0; i < group->monitor_count; i++) {
        if (!group->monitors[i].counts_cache)
            continue;
        xml_line(xml, "<monitor level='3' vcpus='"); /* the only level that is counted */
        xml_ids(xml, group->monitors[i].vcpus);
        xml_end(xml, "'/>");
    }
}

static void xml_memorytune(struct xml *xml, const struct plan_resctrl *group)
{
    for (uint32_t i = 0; i < group->bandwidth_count; i++) {
        const struct plan_bandwidth *bandwidth = &group->bandwidths[i];
        xml_line(xml, "<node id='");
        xml_number(xml, bandwidth->node);
        xml_put(xml, "' bandwidth='");
        /* one attribute for both: what it counts is the host's affair */
        xml_number(xml, bandwidth->percent ? bandwidth->percent : bandwidth->bytes_per_second / MIB);
        xml_end(xml, "'/>");
    }
    for (uint32_t i = 0; i < group->monitor_count; i++) {
        if (!group->monitors[i].counts_bandwidth)
            continue;
        xml_line(xml, "<monitor vcpus='");
        xml_ids(xml, group->monitors[i].vcpus);
        xml_end(xml, "'/>");
    }
}

static void xml_group(struct xml *xml, const struct plan_resctrl *group, const char *element,
                      void (*inside)(struct xml *, const struct plan_resctrl *))
{
    size_t before = xml->out->len;
    xml_line(xml, "<");
    xml_put(xml, element);
    xml_put(xml, " vcpus='");
    xml_ids(xml, group->vcpus);
    xml_end(xml, "'>");
    size_t empty = xml->out->len;
    xml->depth++;
    inside(xml, group);
    xml->depth--;
    if (xml->out->len == empty) {
        g_string_truncate(xml->out, before);
        return;
    }
    xml_line(xml, "</");
    xml_put(xml, element);
    xml_end(xml, ">");
}

void xml_resctrls(struct xml *xml, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->resctrl_count; i++)
        xml_group(xml, &guest->resctrls[i], "cachetune", xml_cachetune);
    for (uint32_t i = 0; i < guest->resctrl_count; i++)
        xml_group(xml, &guest->resctrls[i], "memorytune", xml_memorytune);
}
