/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches of a cell in the JSON of a plan, written and loaded back.
 */
#include "plan/json_hmat.h"

#include "base/base.h"

#define VALUE_MOST (UINT64_C(1) << 60)

enum { MOST_ACCESSES = 1024 };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void write_accesses(struct json *json, const char *key, const struct plan_access *accesses, uint32_t count,
                           const char *const names[HMAT_ACCESS_COUNT])
{
    if (!count)
        return;
    json_array(json, key);
    for (uint32_t i = 0; i < count; i++) {
        json_object(json, NULL);
        json_number(json, "initiator", accesses[i].initiator);
        if (accesses[i].is_split) {
            json_number(json, names[HMAT_READ], accesses[i].read);
            json_number(json, names[HMAT_WRITE], accesses[i].write);
        } else {
            json_number(json, names[HMAT_ACCESS], accesses[i].read);
        }
        json_end(json, '}');
    }
    json_end(json, ']');
}

static const char *const latency_names[HMAT_ACCESS_COUNT] = { "access_ns", "read_ns", "write_ns" };
static const char *const bandwidth_names[HMAT_ACCESS_COUNT] = { "access_bytes", "read_bytes", "write_bytes" };

static void write_performance(struct json *json, const struct plan_performance *performance)
{
    write_accesses(json, "latencies", performance->latencies, performance->latency_count, latency_names);
    write_accesses(json, "bandwidths", performance->bandwidths, performance->bandwidth_count, bandwidth_names);
}

void write_plan_hmat(struct json *json, const struct plan_guest *guest, const struct plan_cell *cell)
{
    if (!guest->has_hmat)
        return;
    json_number(json, "initiator", cell->initiator);
    write_performance(json, &cell->performance);
    if (!cell->side_cache_count)
        return;
    json_array(json, "side_caches");
    for (uint32_t i = 0; i < cell->side_cache_count; i++) {
        const struct plan_side_cache *cache = &cell->side_caches[i];
        json_object(json, NULL);
        json_number(json, "level", cache->level);
        json_number(json, "size_bytes", cache->size_bytes);
        json_number(json, "line_bytes", cache->line_bytes);
        json_string(json, "associativity", associativity_word(cache->associativity));
        json_string(json, "policy", write_policy_word(cache->policy));
        write_performance(json, &cache->performance);
        json_end(json, '}');
    }
    json_end(json, ']');
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static void read_access(struct plan_reader *reader, struct json_c_object *object, struct plan_access *access,
                        const char *const names[HMAT_ACCESS_COUNT], uint64_t step)
{
    const char *const keys[] = { "initiator", names[HMAT_ACCESS], names[HMAT_READ], names[HMAT_WRITE], NULL };
    if (!read_object(reader, object, keys))
        return;
    access->initiator = (uint32_t)read_number(reader, object, "initiator", REQUIRED, 0, MOST_ACCESSES - 1);
    uint64_t both = read_number(reader, object, names[HMAT_ACCESS], OPTIONAL, 1, VALUE_MOST);
    access->is_split = !both;
    access->read = both ? both : read_number(reader, object, names[HMAT_READ], REQUIRED, 1, VALUE_MOST);
    access->write = both ? both : read_number(reader, object, names[HMAT_WRITE], REQUIRED, 1, VALUE_MOST);
    if (both && json_object_object_length(object) != 2)
        reader_fail(reader, NM_plan_conflict, names[HMAT_ACCESS], "'%s' stands beside another value",
                    names[HMAT_ACCESS]);
    else if (access->read % step || access->write % step)
        reader_fail(reader, NM_plan_value, NULL, "bandwidths must be whole MiB a second");
}

static const struct plan_access *read_accesses(struct plan_reader *reader, struct json_c_object *object,
                                               const char *key, const char *const names[HMAT_ACCESS_COUNT],
                                               uint64_t step, uint32_t *out_count)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, key, OPTIONAL, MOST_ACCESSES, &count);
    struct plan_access *accesses = arena_array(reader->arena, struct plan_access, count);
    reader_enter(reader, key);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_access(reader, json_object_array_get_idx(array, i), &accesses[i], names, step);
        if (i && accesses[i].initiator <= accesses[i - 1].initiator)
            reader_fail(reader, NM_plan_value, "initiator", "initiators must rise");
        reader_leave(reader);
    }
    reader_leave(reader);
    *out_count = (uint32_t)count;
    return accesses;
}

static void read_performance(struct plan_reader *reader, struct json_c_object *object,
                             struct plan_performance *performance)
{
    performance->latencies = read_accesses(reader, object, "latencies", latency_names, 1, &performance->latency_count);
    performance->bandwidths =
        read_accesses(reader, object, "bandwidths", bandwidth_names, MIB, &performance->bandwidth_count);
}

static void read_side_cache(struct plan_reader *reader, struct json_c_object *object, struct plan_side_cache *cache)
{
    static const char *const keys[] = { "level",  "size_bytes", "line_bytes", "associativity",
                                        "policy", "latencies",  "bandwidths", NULL };
    static const char *const associativities[] = { "none", "direct", "full" };
    static const char *const policies[] = { "none", "writeback", "writethrough" };
    if (!read_object(reader, object, keys))
        return;
    cache->level = (uint32_t)read_number(reader, object, "level", REQUIRED, 1, HMAT_LEVEL_COUNT - 1);
    cache->size_bytes = read_size(reader, object, "size_bytes", REQUIRED, 1);
    cache->line_bytes = (uint32_t)read_number(reader, object, "line_bytes", REQUIRED, 0, UINT16_MAX);
    cache->associativity = read_word(reader, object, "associativity", REQUIRED, associativities,
                                     G_N_ELEMENTS(associativities), ASSOCIATIVITY_NONE);
    cache->policy = read_word(reader, object, "policy", REQUIRED, policies, G_N_ELEMENTS(policies), WRITE_POLICY_NONE);
    read_performance(reader, object, &cache->performance);
}

bool read_plan_hmat(struct plan_reader *reader, struct json_c_object *object, struct plan_cell *cell)
{
    size_t count;
    bool has_initiator = json_object_object_get_ex(object, "initiator", NULL);
    cell->initiator = (uint32_t)read_number(reader, object, "initiator", OPTIONAL, 0, MOST_ACCESSES - 1);
    read_performance(reader, object, &cell->performance);
    struct json_c_object *array = read_array(reader, object, "side_caches", OPTIONAL, HMAT_LEVEL_COUNT - 1, &count);
    struct plan_side_cache *caches = arena_array(reader->arena, struct plan_side_cache, count);
    reader_enter(reader, "side_caches");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_side_cache(reader, json_object_array_get_idx(array, i), &caches[i]);
        if (!reader->failed && caches[i].level != i + 1)
            reader_fail(reader, NM_plan_value, "level", "levels of side caches must be 1, 2, 3");
        reader_leave(reader);
    }
    reader_leave(reader);
    cell->side_caches = caches;
    cell->side_cache_count = (uint32_t)count;
    if (!has_initiator && (cell->performance.latency_count || cell->performance.bandwidth_count || count))
        reader_fail(reader, NM_plan_key, NULL, "the key 'initiator' is missing");
    return has_initiator;
}

/* ---- what must fit ---------------------------------------------------------------------------------------------- */

struct fitting {
    const struct plan_guest *guest;
    bool fits;
};

static void note_row(void *state, const struct hmat_row_of_plan *row)
{
    struct fitting *fitting = state;
    fitting->fits &=
        row->initiator < fitting->guest->cell_count && fitting->guest->cells[row->initiator].vcpus->count > 0;
}

void check_plan_hmat(struct plan_reader *reader, const struct plan_guest *guest)
{
    struct fitting fitting = { guest, true };
    if (reader->failed || !guest->has_hmat)
        return;
    hmat_each(guest, note_row, &fitting);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        uint32_t initiator = guest->cells[c].initiator;
        fitting.fits &= initiator < guest->cell_count && guest->cells[initiator].vcpus->count > 0;
    }
    if (!fitting.fits)
        reader_fail(reader, NM_plan_conflict, "cells", "an initiator is a cell that does not exist or has no vCPUs");
}
