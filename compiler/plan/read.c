/* SPDX-License-Identifier: MIT
 *
 * Loads the JSON form of a plan.  Whatever could make an emitter or the runtime do something senseless is refused
 * here: keys that are not known, sets that do not fit, sums that do not add up.  Whether the plan is wise is not asked;
 * that was settled when it was made.
 */
#include "plan/plan.h"
#include "plan/fields.h"
#include "plan/json_buses.h"
#include "plan/json_hmat.h"
#include "plan/json_hosts.h"
#include "plan/json_memory.h"
#include "plan/json_tuning.h"

#include <string.h>

enum {
    DEPTH_OF_A_PLAN = 14,
    MOST_GUESTS = 1 << 20,
    MOST_CELLS = 1024,
    MOST_VCPUS = 65536,
    MOST_IOTHREADS = 65536,
    MOST_FEATURES = 4096,
    MOST_TARGETS = 64,
    MOST_MOVES = 1 << 16,
};

static const char *const cache_modes[] = { "", "emulate", "passthrough", "disable" };
static const char *const address_modes[] = { "", "emulate", "passthrough" };

static void *room(struct plan_reader *reader, size_t size, size_t count)
{
    return arena_alloc(reader->arena, size * (count ? count : 1));
}

/* ---- parts of a guest ------------------------------------------------------------------------------------------- */

static void read_features(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "name", "required", NULL };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "features", OPTIONAL, MOST_FEATURES, &count);
    struct plan_feature *features = room(reader, sizeof *features, count);
    reader_enter(reader, "features");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys)) {
            features[i].name = read_text(reader, element, "name", REQUIRED);
            features[i].is_required = read_bool(reader, element, "required");
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->features = features;
    guest->feature_count = (uint32_t)count;
}

static struct json_c_object *enter(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                   const char *const *keys)
{
    return reader_enter_object(reader, object, key, REQUIRED, keys);
}

static void read_cpu(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "model",    "cache_mode", "cache_level", "maxphysaddr_mode", "maxphysaddr_bits",
                                        "features", NULL };
    struct json_c_object *cpu = enter(reader, object, "cpu", keys);
    if (!cpu)
        return;
    guest->cpu_model = read_text(reader, cpu, "model", REQUIRED);
    guest->cache_mode = read_word(reader, cpu, "cache_mode", OPTIONAL, cache_modes, G_N_ELEMENTS(cache_modes), 0);
    guest->cache_level = (uint32_t)read_number(reader, cpu, "cache_level", OPTIONAL, 1, 4);
    guest->maxphysaddr_mode =
        read_word(reader, cpu, "maxphysaddr_mode", OPTIONAL, address_modes, G_N_ELEMENTS(address_modes), 0);
    guest->maxphysaddr_bits = (uint32_t)read_number(reader, cpu, "maxphysaddr_bits", OPTIONAL, 1, 64);
    read_features(reader, cpu, guest);
    reader_leave(reader);
}

static void read_boot(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = {
        "firmware", "gic", "kernel", "initrd", "cmdline", "disk", "network", "mac", NULL
    };
    static const char *const firmwares[] = { "bios", "uefi", "none" };
    struct json_c_object *boot = enter(reader, object, "boot", keys);
    if (!boot)
        return;
    guest->firmware = firmwares[read_word(reader, boot, "firmware", REQUIRED, firmwares, G_N_ELEMENTS(firmwares), 0)];
    guest->gic_version = (uint32_t)read_number(reader, boot, "gic", OPTIONAL, 2, 4);
    guest->kernel = read_text(reader, boot, "kernel", OPTIONAL);
    guest->initrd = read_text(reader, boot, "initrd", OPTIONAL);
    guest->cmdline = read_text(reader, boot, "cmdline", OPTIONAL);
    guest->disk = read_text(reader, boot, "disk", OPTIONAL);
    guest->network = read_text(reader, boot, "network", OPTIONAL);
    guest->mac = read_text(reader, boot, "mac", OPTIONAL);
    reader_leave(reader);
}

/* Every vCPU that is there at start once. */
static void read_plug_order(struct plan_reader *reader, struct json_c_object *vcpus, struct plan_guest *guest)
{
    size_t count;
    struct json_c_object *array = read_array(reader, vcpus, "order", OPTIONAL, MOST_VCPUS, &count);
    if (!array)
        return;
    uint32_t *order = room(reader, sizeof *order, count);
    bool *met = room(reader, sizeof *met, guest->vcpu_count);
    bool fine = guest->online && count == ids_size(guest->online);
    for (size_t i = 0; fine && i < count; i++) {
        struct json_c_object *value = json_object_array_get_idx(array, i);
        int64_t vcpu = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
        fine = vcpu >= 0 && vcpu < guest->vcpu_count && ids_contains(guest->online, (uint32_t)vcpu) && !met[vcpu];
        if (fine)
            met[order[i] = (uint32_t)vcpu] = true;
    }
    if (!fine)
        reader_fail(reader, NM_plan_conflict, "order", "'order' must have each vCPU of 'online' once");
    guest->plug_order = order;
}

static void read_hotplug(struct plan_reader *reader, struct json_c_object *vcpus, struct plan_guest *guest)
{
    guest->online = read_set(reader, vcpus, "online", OPTIONAL);
    guest->fixed = read_set(reader, vcpus, "fixed", guest->online ? REQUIRED : OPTIONAL);
    if (reader->failed)
        return;
    if (!guest->online && guest->fixed)
        reader_fail(reader, NM_plan_conflict, "fixed", "'fixed' goes with 'online'");
    else if (guest->online && (!ids_contains(guest->fixed, 0) || !ids_within(guest->fixed, guest->online) ||
                               ids_last(guest->online) >= guest->vcpu_count))
        reader_fail(reader, NM_plan_conflict, "online",
                    "'online' must be some of the %u vCPUs, and 'fixed' vCPU 0 and others of these", guest->vcpu_count);
    else
        read_plug_order(reader, vcpus, guest);
}

static void read_caches(struct plan_reader *reader, struct json_c_object *vcpus, struct plan_guest *guest)
{
    const char *keys[CPU_CACHES + 1] = { NULL }, *levels[SHARED_LEVELS];
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++)
        keys[cache] = cpu_cache_word(cache);
    for (enum shared_level level = 0; level < SHARED_LEVELS; level++)
        levels[level] = shared_level_word(level);
    struct json_c_object *caches = reader_enter_object(reader, vcpus, "caches", OPTIONAL, keys);
    if (!caches)
        return;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++)
        guest->cache_levels[cache] =
            read_word(reader, caches, keys[cache], OPTIONAL, levels, SHARED_LEVELS, SHARED_UNSAID);
    reader_leave(reader);
}

static void read_vcpus(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "count", "drawers", "books",  "sockets", "dies",  "clusters", "modules",
                                        "cores", "threads", "online", "fixed",   "order", "caches",   NULL };
    uint32_t *const levels[] = { &guest->drawers,  &guest->books,   &guest->sockets, &guest->dies,
                                 &guest->clusters, &guest->modules, &guest->cores,   &guest->threads };
    enum { ABOVE_THE_SOCKET = 2 }; /* said where there are several */
    struct json_c_object *vcpus = enter(reader, object, "vcpus", keys);
    if (!vcpus)
        return;
    guest->vcpu_count = (uint32_t)read_number(reader, vcpus, "count", REQUIRED, 1, MOST_VCPUS);
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        *levels[i] = MAX((uint32_t)read_number(reader, vcpus, keys[i + 1], i < ABOVE_THE_SOCKET ? OPTIONAL : REQUIRED,
                                               1, MOST_VCPUS),
                         1);
    uint64_t product = product_of_levels(guest);
    if (product != guest->vcpu_count)
        reader_fail(reader, NM_plan_conflict, NULL,
                    "the levels multiply to %" G_GUINT64_FORMAT ", but there are %u vCPUs", product, guest->vcpu_count);
    read_hotplug(reader, vcpus, guest);
    read_caches(reader, vcpus, guest);
    reader_leave(reader);
}

/* Whether it says an initiator. */
static bool read_cell(struct plan_reader *reader, struct json_c_object *object, struct plan_cell *cell)
{
    static const char *const keys[] = { "name", "vcpus", PLAN_MEMORY_KEYS, PLAN_HMAT_KEYS, NULL };
    if (!read_object(reader, object, keys))
        return false;
    cell->name = read_text(reader, object, "name", REQUIRED);
    cell->vcpus = read_set(reader, object, "vcpus", REQUIRED);
    read_plan_memory(reader, object, cell);
    return read_plan_hmat(reader, object, cell);
}

/* Every vCPU in exactly one cell, and the memory of the cells the memory of the guest. */
static void check_cells(struct plan_reader *reader, const struct plan_guest *guest)
{
    bool *taken = room(reader, sizeof *taken, guest->vcpu_count);
    uint64_t memory = 0;
    uint32_t vcpus = 0;
    for (uint32_t i = 0; i < guest->cell_count && !reader->failed; i++) {
        const struct plan_cell *cell = &guest->cells[i];
        memory += cell->memory_bytes;
        for (ids_each(cell->vcpus, vcpu)) {
            if (vcpu >= guest->vcpu_count || taken[vcpu]) {
                reader_fail(reader, NM_plan_conflict, "cells", "vCPU %u of cell %u %s", vcpu, i,
                            vcpu < guest->vcpu_count ? "is in a cell already" : "does not exist");
                return;
            }
            taken[vcpu] = true;
            vcpus++;
        }
    }
    if (vcpus != guest->vcpu_count)
        reader_fail(reader, NM_plan_conflict, "cells", "the cells hold %u of %u vCPUs", vcpus, guest->vcpu_count);
    if (memory != guest->memory_bytes)
        reader_fail(reader, NM_plan_conflict, "memory_bytes",
                    "the cells have %" G_GUINT64_FORMAT " bytes together, the guest %" G_GUINT64_FORMAT, memory,
                    guest->memory_bytes);
}

static void read_cells(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    size_t count;
    guest->has_numa = read_bool(reader, object, "numa");
    struct json_c_object *array = read_array(reader, object, "cells", REQUIRED, MOST_CELLS, &count);
    struct plan_cell *cells = room(reader, sizeof *cells, count);
    reader_enter(reader, "cells");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        bool has_initiator = read_cell(reader, json_object_array_get_idx(array, i), &cells[i]);
        if (i && has_initiator != guest->has_hmat)
            reader_fail(reader, NM_plan_conflict, NULL, "all cells of a guest say an initiator, or none does");
        guest->has_hmat = has_initiator;
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->cells = cells;
    guest->cell_count = (uint32_t)count;
    if (!count)
        reader_fail(reader, NM_plan_value, "cells", "a guest has at least one cell");
    else if (count > 1 && !guest->has_numa)
        reader_fail(reader, NM_plan_conflict, "numa", "a guest that does not see its cells has one, not %zu", count);
    check_cells(reader, guest);
    check_plan_hmat(reader, guest);
}

static void read_distance_row(struct plan_reader *reader, struct json_c_object *row, size_t from, size_t count,
                              uint32_t *values)
{
    if (!json_object_is_type(row, json_type_array) || json_object_array_length(row) != count) {
        reader_fail(reader, NM_plan_value, NULL, "a row of distances must have %zu numbers, one for each cell", count);
        return;
    }
    for (size_t to = 0; to < count; to++) {
        struct json_c_object *value = json_object_array_get_idx(row, to);
        int64_t number = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
        if (number < 10 || number > 255 || (from == to && number != 10))
            reader_fail(reader, NM_plan_value, NULL, "the distance from cell %zu to %zu must be %s", from, to,
                        from == to ? "10" : "10 to 255");
        values[to] = (uint32_t)number;
    }
}

static void read_distances(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    size_t count, cells = guest->cell_count;
    struct json_c_object *array = read_array(reader, object, "distances", OPTIONAL, MOST_CELLS, &count);
    if (!array)
        return;
    uint32_t *values = room(reader, sizeof *values, cells * cells);
    reader_enter(reader, "distances");
    if (count != cells)
        reader_fail(reader, NM_plan_conflict, NULL, "there are %zu rows of distances and %zu cells", count, cells);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_distance_row(reader, json_object_array_get_idx(array, i), i, cells, values + i * cells);
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->distances = values;
}

static const struct ids *read_pin(struct plan_reader *reader, struct json_c_object *value)
{
    if (!value) /* json-c's null */
        return NULL;
    const struct ids *ids = NULL;
    if (json_object_is_type(value, json_type_string))
        ids = ids_of_text(reader->arena, json_object_get_string(value));
    if (!ids || !ids->count)
        reader_fail(reader, NM_plan_value, NULL, "a pin must be null or a set such as \"0-3,8\"");
    return ids;
}

static void read_pins(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "vcpus", "emulator", NULL };
    struct json_c_object *pins = enter(reader, object, "pins", keys);
    if (!pins)
        return;
    size_t count;
    struct json_c_object *array = read_array(reader, pins, "vcpus", REQUIRED, MOST_VCPUS, &count);
    const struct ids **cpus = room(reader, sizeof(struct ids *), count);
    if (count != guest->vcpu_count)
        reader_fail(reader, NM_plan_conflict, "vcpus", "there are pins for %zu vCPUs and %u vCPUs", count,
                    guest->vcpu_count);
    reader_enter(reader, "vcpus");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        cpus[i] = read_pin(reader, json_object_array_get_idx(array, i));
        if (i && cpus[i] && cpus[i - 1] && ids_equal(cpus[i], cpus[i - 1]))
            cpus[i] = cpus[i - 1];
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->vcpu_cpus = cpus;
    guest->emulator_cpus = read_set(reader, pins, "emulator", OPTIONAL);
    if (guest->emulator_cpus && !guest->emulator_cpus->count)
        reader_fail(reader, NM_plan_value, "emulator", "a pin must not be empty");
    reader_leave(reader);
}

static void read_iothreads(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "id", "cpus", "scheduler", "pool", "poll", NULL };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "iothreads", OPTIONAL, MOST_IOTHREADS, &count);
    struct plan_iothread *iothreads = room(reader, sizeof *iothreads, count);
    reader_enter(reader, "iothreads");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys)) {
            iothreads[i].id = (uint32_t)read_number(reader, element, "id", REQUIRED, 1, UINT32_MAX);
            iothreads[i].cpus = read_set(reader, element, "cpus", OPTIONAL);
            if (i && iothreads[i].id <= iothreads[i - 1].id)
                reader_fail(reader, NM_plan_value, "id", "the ids of iothreads must rise");
            if (iothreads[i].cpus && !iothreads[i].cpus->count)
                reader_fail(reader, NM_plan_value, "cpus", "a pin must not be empty");
            read_iothread_tuning(reader, element, &iothreads[i]);
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->iothreads = iothreads;
    guest->iothread_count = (uint32_t)count;
}

/* ---- a guest, a plan -------------------------------------------------------------------------------------------- */

static void check_uuid(struct plan_reader *reader, const char *uuid)
{
    if (!reader->failed && !g_uuid_string_is_valid(uuid))
        reader_fail(reader, NM_plan_value, "uuid", "'%s' is no UUID", uuid);
}

static void read_numad(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "cpus", "memory", NULL };
    struct json_c_object *numad = reader_enter_object(reader, object, "numad", OPTIONAL, keys);
    if (!numad)
        return;
    guest->cpus_by_numad = read_bool(reader, numad, "cpus");
    guest->memory_by_numad = json_object_object_get_ex(numad, "memory", NULL);
    guest->numad_policy = read_policy(reader, numad, "memory", OPTIONAL);
    for (uint32_t c = 0; guest->memory_by_numad && !reader->failed && c < guest->cell_count; c++)
        if (guest->cells[c].nodes)
            reader_fail(reader, NM_plan_conflict, NULL, "cell %u of guest '%s' is bound, and numad chooses its nodes",
                        c, guest->name);
    if (!reader->failed && !guest->cpus_by_numad && !guest->memory_by_numad)
        reader_fail(reader, NM_plan_value, NULL, "nothing is left to numad");
    reader_leave(reader);
}

/* The mark is what the cells come to, so that no target is given what it cannot say. */
static void read_targets_of_guest(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    bool has_gap = false;
    uint32_t cell, other;
    guest->is_qemu_only =
        json_object_object_get_ex(object, "qemu_only", NULL) && read_bool(reader, object, "qemu_only");
    for (enum libvirt_gap gap = 0; !reader->failed && gap < GAP_COUNT; gap++)
        has_gap |= has_libvirt_gap(guest, gap, &cell, &other);
    if (!reader->failed && has_gap != guest->is_qemu_only)
        reader_fail(reader, NM_plan_conflict, NULL,
                    "libvirt %s the cells of guest '%s', and 'qemu_only' says otherwise",
                    has_gap ? "has no words for" : "can say", guest->name);
}

/* What numac itself writes a machine for has what its architecture has; a base may be of any. */
static void check_architecture(struct plan_reader *reader, const struct plan_guest *guest)
{
    const struct architecture *architecture = architecture_of(guest->architecture);
    if (reader->failed || guest->has_base)
        return;
    if (!architecture->families->name)
        reader_fail(reader, NM_plan_value, "architecture", "numac writes no machine of '%s'", guest->architecture);
    else if (strcmp(guest->firmware, "uefi") == 0 && !architecture->uefi_image)
        reader_fail(reader, NM_plan_conflict, "boot", "a machine of %s has no UEFI", guest->architecture);
    else if (guest->online && !architecture->plugs_vcpus)
        reader_fail(reader, NM_plan_conflict, "vcpus", "a machine of %s plugs no vCPUs", guest->architecture);
}

static void read_guest(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest,
                       bool may_move);

/* The same guest, each on a host of its own. */
static void check_move(struct plan_reader *reader, const struct plan_guest *guest, const struct plan_guest *moves,
                       size_t count)
{
    const struct plan_guest *move = &moves[count];
    if (reader->failed)
        return;
    if (strcmp(move->name, guest->name) != 0 || strcmp(move->uuid, guest->uuid) != 0)
        reader_fail(reader, NM_plan_conflict, "name", "guest '%s' may not become another by moving", guest->name);
    else if (!guest->host || !move->host || strcmp(move->host, guest->host) == 0)
        reader_fail(reader, NM_plan_conflict, "host", "guest '%s' moves from a host to another one", guest->name);
    for (size_t i = 0; !reader->failed && i < count; i++)
        if (strcmp(moves[i].host, move->host) == 0)
            reader_fail(reader, NM_plan_conflict, "host", "guest '%s' is twice on host '%s'", guest->name, move->host);
}

static void read_moves(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "migrate", OPTIONAL, MOST_MOVES, &count);
    struct plan_guest *moves = array ? room(reader, sizeof *moves, count) : NULL;
    reader_enter(reader, "migrate");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_guest(reader, json_object_array_get_idx(array, i), &moves[i], false);
        check_move(reader, guest, moves, i);
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->moves = moves;
    guest->move_count = (uint32_t)count;
}

static void read_guest(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest,
                       bool may_move)
{
    /* clang-format off */
    static const char *const keys[] = {
        "migrate",
        "name",      "uuid",       "host",   "architecture", "machine",   "accel",
        "base",      "cpu",        "boot",   "memory_bytes", "vcpus",     "numa",
        "cells",     "pins",       "locked", "distances",    "iothreads", "hard_limit_bytes",
        "qemu_only", "schedulers", "vhost",  "resctrl",      "expanders", "devices",
        "numad",     "interrupt_remapping", "connect", "needs_kvm",
        PLAN_GROWTH_KEYS, NULL
    };
    /* clang-format on */
    static const char *const accels[] = { "kvm", "tcg" };
    if (!read_object(reader, object, may_move ? keys : keys + 1))
        return;
    guest->name = read_text(reader, object, "name", REQUIRED);
    guest->uuid = read_text(reader, object, "uuid", REQUIRED);
    check_uuid(reader, guest->uuid);
    guest->host = read_text(reader, object, "host", OPTIONAL);
    guest->connect = read_text(reader, object, "connect", OPTIONAL);
    guest->architecture = read_text(reader, object, "architecture", REQUIRED);
    guest->machine = read_text(reader, object, "machine", REQUIRED);
    guest->accel = accels[read_word(reader, object, "accel", REQUIRED, accels, 2, 0)];
    guest->needs_kvm = json_object_object_get_ex(object, "needs_kvm", NULL) && read_bool(reader, object, "needs_kvm");
    guest->has_base = read_bool(reader, object, "base");
    read_cpu(reader, object, guest);
    read_boot(reader, object, guest);
    guest->memory_bytes = read_size(reader, object, "memory_bytes", REQUIRED, 1);
    read_growth(reader, object, guest);
    read_vcpus(reader, object, guest);
    check_architecture(reader, guest);
    guest->remaps_interrupts = json_object_object_get_ex(object, "interrupt_remapping", NULL) &&
                               read_bool(reader, object, "interrupt_remapping");
    read_cells(reader, object, guest);
    read_memory_devices(reader, object, guest);
    read_distances(reader, object, guest);
    read_numad(reader, object, guest);
    read_pins(reader, object, guest);
    read_iothreads(reader, object, guest);
    read_tuning(reader, object, guest);
    read_expanders(reader, object, guest);
    read_devices(reader, object, guest);
    read_targets_of_guest(reader, object, guest);
    guest->is_locked = read_bool(reader, object, "locked");
    guest->hard_limit_bytes = read_size(reader, object, "hard_limit_bytes", OPTIONAL, 1);
    if (may_move)
        read_moves(reader, object, guest);
}

/* GLib's keys are not const, though nothing is written to them. */
static void *name_key(const char *name)
{
    return (void *)(uintptr_t)name;
}

static void read_guests(struct plan_reader *reader, struct json_c_object *object, struct plan *plan)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    size_t count;
    struct json_c_object *array = read_array(reader, object, "guests", REQUIRED, MOST_GUESTS, &count);
    struct plan_guest *guests = room(reader, sizeof *guests, count);
    reader_enter(reader, "guests");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_guest(reader, json_object_array_get_idx(array, i), &guests[i], true);
        if (!reader->failed && !g_hash_table_insert(names, name_key(guests[i].name), NULL))
            reader_fail(reader, NM_plan_conflict, "name", "two guests are named '%s'", guests[i].name);
        reader_leave(reader);
    }
    reader_leave(reader);
    plan->guests = guests;
    plan->guest_count = (uint32_t)count;
}

static void read_targets(struct plan_reader *reader, struct json_c_object *object, struct plan *plan)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "targets", REQUIRED, MOST_TARGETS, &count);
    const char **targets = room(reader, sizeof(char *), count);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        if (!json_object_is_type(element, json_type_string)) {
            reader_fail(reader, NM_plan_value, "targets", "targets are words such as \"libvirt\"");
            return;
        }
        const char *text = json_object_get_string(element);
        targets[i] = arena_string(reader->arena, text, strlen(text));
    }
    plan->targets = targets;
    plan->target_count = (uint32_t)count;
}

/* The version first: a plan of another version may have other keys, and then that is the news. */
static bool check_version(struct plan_reader *reader, struct json_c_object *object)
{
    uint64_t version = read_number(reader, object, "format_version", REQUIRED, 0, UINT32_MAX);
    if (!reader->failed && version != PLAN_FORMAT_VERSION)
        reader_fail(reader, NM_plan_version, "format_version",
                    "this plan has format version %" G_GUINT64_FORMAT ", numac reads version %d", version,
                    PLAN_FORMAT_VERSION);
    return !reader->failed;
}

static const struct plan *read_plan(struct plan_reader *reader, struct json_c_object *object)
{
    static const char *const keys[] = { "format_version", "site", "targets", "guests", "hosts", NULL };
    struct plan *plan = arena_take(reader->arena, struct plan);
    if (!json_object_is_type(object, json_type_object))
        reader_fail(reader, NM_plan_value, NULL, "a plan is one JSON object");
    if (reader->failed || !check_version(reader, object) || !read_object(reader, object, keys))
        return NULL;
    plan->site = read_text(reader, object, "site", REQUIRED);
    read_targets(reader, object, plan);
    read_guests(reader, object, plan);
    read_hosts(reader, object, plan);
    return reader->failed ? NULL : plan;
}

static void tell_bad_json(struct plan_reader *reader, struct json_tokener *tokener)
{
    size_t length = source_at(reader->sources, reader->file)->length;
    uint32_t at = (uint32_t)MIN(json_tokener_get_parse_end(tokener), length);
    struct span span = { reader->file, at, MIN(at + 1, (uint32_t)length) };
    enum json_tokener_error error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue)
        report(reader->findings, NM_plan_text, span, "the plan ends in the middle");
    else
        report(reader->findings, NM_plan_text, span, "this is no JSON: %s", json_tokener_error_desc(error));
}

const struct plan *read_plan_json(struct arena *arena, const struct sources *sources, struct findings *findings,
                                  uint32_t file)
{
    struct plan_reader reader = { .arena = arena, .sources = sources, .findings = findings, .file = file };
    const struct source *source = source_at(sources, file);
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_OF_A_PLAN);
    if (!tokener)
        g_error("out of memory for a plan");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    /* one byte more than the text: the final NUL tells json-c that a number has ended */
    struct json_c_object *object = json_tokener_parse_ex(tokener, source->text, (int)source->length + 1);
    const struct plan *plan = NULL;
    if (json_tokener_get_error(tokener) != json_tokener_success)
        tell_bad_json(&reader, tokener);
    else
        plan = read_plan(&reader, object);
    json_object_put(object);
    json_tokener_free(tokener);
    return plan;
}
