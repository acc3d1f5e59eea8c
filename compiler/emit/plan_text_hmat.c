/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches of a guest for a person: a line for each memory or cache and who accesses it.
 */
#include "emit/plan_text_hmat.h"

static void append_value(GString *out, uint64_t value, bool is_bandwidth)
{
    if (is_bandwidth) {
        size_append(out, value);
        append(out, "/s");
        return;
    }
    append_number(out, value);
    append(out, "ns");
}

static void append_access(GString *out, const struct plan_access *access, bool is_bandwidth)
{
    bool differs = access->read != access->write;
    append(out, differs ? " read " : " ");
    append_value(out, access->read, is_bandwidth);
    if (!differs)
        return;
    append(out, " write ");
    append_value(out, access->write, is_bandwidth);
}

/* "  far from near: 180ns, 30GiB/s"; both lists rise. */
static void write_performance(const struct plan_guest *guest, const char *name, uint32_t level,
                              const struct plan_performance *performance, GString *out)
{
    uint32_t l = 0, b = 0;
    while (l < performance->latency_count || b < performance->bandwidth_count) {
        const struct plan_access *latency = l < performance->latency_count ? &performance->latencies[l] : NULL;
        const struct plan_access *bandwidth = b < performance->bandwidth_count ? &performance->bandwidths[b] : NULL;
        if (latency && bandwidth && latency->initiator != bandwidth->initiator)
            *(latency->initiator < bandwidth->initiator ? &bandwidth : &latency) = NULL;
        const struct plan_access *either = latency ? latency : bandwidth;
        append(out, "  ");
        append(out, name);
        if (level) {
            append(out, " side cache ");
            append_number(out, level);
        }
        append(out, " from ");
        append(out, guest->cells[either->initiator].name);
        append(out, ":");
        if (latency)
            append_access(out, latency, false);
        if (latency && bandwidth)
            append(out, ",");
        if (bandwidth)
            append_access(out, bandwidth, true);
        append(out, "\n");
        l += latency != NULL;
        b += bandwidth != NULL;
    }
}

static void write_side_cache(const struct plan_guest *guest, const char *name, const struct plan_side_cache *cache,
                             GString *out)
{
    append(out, "  ");
    append(out, name);
    append(out, " side cache ");
    append_number(out, cache->level);
    append(out, ": ");
    size_append(out, cache->size_bytes);
    append(out, ", lines of ");
    append_number(out, cache->line_bytes);
    append(out, ", associativity ");
    append(out, associativity_word(cache->associativity));
    append(out, ", policy ");
    append(out, write_policy_word(cache->policy));
    append(out, "\n");
    write_performance(guest, name, cache->level, &cache->performance, out);
}

void write_text_hmat(const struct plan_guest *guest, GString *out)
{
    if (!guest->has_hmat)
        return;
    append(out, "\n  memory access\n");
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct plan_cell *cell = &guest->cells[c];
        write_performance(guest, cell->name, 0, &cell->performance, out);
        for (uint32_t i = 0; i < cell->side_cache_count; i++)
            write_side_cache(guest, cell->name, &cell->side_caches[i], out);
        if (cell->initiator == c)
            continue;
        append(out, "  ");
        append(out, cell->name);
        append(out, " belongs to ");
        append(out, guest->cells[cell->initiator].name);
        append(out, "\n");
    }
}
