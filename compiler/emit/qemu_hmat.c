/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches as QEMU's options, behind the nodes they are about.  QEMU wants all values
 * before the first cache, and lower levels of caches before higher ones.
 */
#include "emit/qemu_hmat.h"

static void value(void *state, const struct hmat_row_of_plan *row)
{
    static const char *const levels[HMAT_LEVEL_COUNT] = { "memory", "first-level", "second-level", "third-level" };
    struct argv *argv = state;
    argv_option(argv, "-numa");
    argv_begin(argv, "hmat-lb");
    put_number(argv, ",initiator=", row->initiator);
    put_number(argv, ",target=", row->target);
    argv_put(argv, ",hierarchy=");
    argv_put(argv, levels[row->level]);
    argv_put(argv, ",data-type=");
    argv_put(argv, hmat_access_word(row->access));
    argv_put(argv, row->is_bandwidth ? "-bandwidth" : "-latency");
    if (row->is_bandwidth) {
        put_number(argv, ",bandwidth=", row->value / MIB);
        argv_put(argv, "M");
    } else {
        put_number(argv, ",latency=", row->value);
    }
    argv_end(argv);
}

static void cache(struct argv *argv, uint32_t cell, const struct plan_side_cache *cache)
{
    static const char *const associativities[] = {
        [ASSOCIATIVITY_NONE] = "none",
        [ASSOCIATIVITY_DIRECT] = "direct",
        [ASSOCIATIVITY_FULL] = "complex",
    };
    static const char *const policies[] = {
        [WRITE_POLICY_NONE] = "none",
        [WRITE_POLICY_WRITEBACK] = "write-back",
        [WRITE_POLICY_WRITETHROUGH] = "write-through",
    };
    argv_option(argv, "-numa");
    argv_begin(argv, "hmat-cache");
    put_number(argv, ",node-id=", cell);
    put_number(argv, ",size=", cache->size_bytes);
    put_number(argv, ",level=", cache->level);
    argv_put(argv, ",associativity=");
    argv_put(argv, associativities[cache->associativity]);
    argv_put(argv, ",policy=");
    argv_put(argv, policies[cache->policy]);
    put_number(argv, ",line=", cache->line_bytes);
    argv_end(argv);
}

void qemu_hmat(struct argv *argv, const struct plan_guest *guest)
{
    if (!guest->has_hmat)
        return;
    hmat_each(guest, value, argv);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        for (uint32_t i = 0; i < guest->cells[c].side_cache_count; i++)
            cache(argv, c, &guest->cells[c].side_caches[i]);
}
