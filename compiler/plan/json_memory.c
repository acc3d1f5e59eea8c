/* SPDX-License-Identifier: MIT
 *
 * The plan's JSON of memory: that of a cell or a memory device, what a guest can grow to, and its memory devices.
 */
#include "plan/json_memory.h"

static const char *const policies[] = { "strict", "preferred", "interleave", "restrictive" };
static const char *const backings[] = { "anonymous", "file", "memfd", "shm" };

/* ---- writing ---------------------------------------------------------------------------------------------------- */

void text_if_any(struct json *json, const char *key, const char *text)
{
    if (text)
        json_string(json, key, text);
}

void number_if_any(struct json *json, const char *key, uint64_t number)
{
    if (number)
        json_number(json, key, number);
}

void set_if_any(struct json *json, const char *key, const struct ids *ids)
{
    if (ids)
        json_ids(json, key, ids);
}

void write_plan_memory(struct json *json, const struct plan_cell *cell)
{
    json_number(json, "memory_bytes", cell->memory_bytes);
    if (cell->nodes) {
        json_ids(json, "nodes", cell->nodes);
        json_string(json, "policy", memory_policy_word(cell->policy));
    }
    json_number(json, "page_bytes", cell->page_bytes);
    json_string(json, "backing", backing_source_word(cell->backing));
    text_if_any(json, "path", cell->path);
    number_if_any(json, "align_bytes", cell->align_bytes);
    number_if_any(json, "offset_bytes", cell->offset_bytes);
    json_bool(json, "shared", cell->is_shared);
    json_bool(json, "shared_said", cell->has_access);
    json_bool(json, "preallocated", cell->is_preallocated);
    number_if_any(json, "prealloc_threads", cell->prealloc_threads);
    set_if_any(json, "context_nodes", cell->context_nodes);
    json_bool(json, "discard", cell->discard);
    json_bool(json, "discard_said", cell->has_discard);
    json_bool(json, "dump", cell->dump);
    json_bool(json, "reserve", cell->reserve);
    json_bool(json, "merge", cell->merge);
}

void write_growth(struct json *json, const struct plan_guest *guest)
{
    number_if_any(json, "max_memory_bytes", guest->max_memory_bytes);
    number_if_any(json, "memory_slots", guest->memory_slots);
    number_if_any(json, "current_memory_bytes", guest->current_memory_bytes);
}

static void flag_if_set(struct json *json, const char *key, bool is_set)
{
    if (is_set)
        json_bool(json, key, true);
}

static void write_memory_device(struct json *json, const struct plan_memory_device *device)
{
    json_object(json, NULL);
    json_string(json, "model", memory_model_word(device->model));
    json_string(json, "name", device->memory.name);
    if (device->model != MEMORY_VIRTIO_PMEM)
        json_number(json, "cell", device->cell);
    write_plan_memory(json, &device->memory);
    flag_if_set(json, "nodes_said", device->has_nodes);
    flag_if_set(json, "pages_said", device->has_pages);
    if (has_slots(device->model)) {
        json_number(json, "slot", device->slot);
        flag_if_set(json, "slot_said", device->has_slot);
    }
    number_if_any(json, "address", device->address);
    if (device->model == MEMORY_VIRTIO_MEM) {
        json_number(json, "block_bytes", device->block_bytes);
        json_number(json, "requested_bytes", device->requested_bytes);
        flag_if_set(json, "dynamic_memslots", device->dynamic_memslots);
    }
    number_if_any(json, "label_bytes", device->label_bytes);
    flag_if_set(json, "pmem", device->pmem);
    flag_if_set(json, "readonly", device->readonly);
    text_if_any(json, "uuid", device->uuid);
    number_if_any(json, "window_bytes", device->window_bytes);
    flag_if_set(json, "persistent", device->is_persistent);
    json_end(json, '}');
}

void write_memory_devices(struct json *json, const struct plan_guest *guest)
{
    if (!guest->memory_device_count)
        return;
    json_array(json, "memory_devices");
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        write_memory_device(json, &guest->memory_devices[i]);
    json_end(json, ']');
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

enum memory_policy read_policy(struct plan_reader *reader, struct json_c_object *object, const char *key,
                               enum need need)
{
    return read_word(reader, object, key, need, policies, G_N_ELEMENTS(policies), POLICY_STRICT);
}

void read_plan_memory(struct plan_reader *reader, struct json_c_object *object, struct plan_cell *cell)
{
    cell->memory_bytes = read_size(reader, object, "memory_bytes", REQUIRED, 0);
    cell->nodes = read_set(reader, object, "nodes", OPTIONAL);
    cell->policy = read_policy(reader, object, "policy", cell->nodes ? REQUIRED : OPTIONAL);
    cell->page_bytes = read_size(reader, object, "page_bytes", REQUIRED, 0);
    cell->backing = read_word(reader, object, "backing", REQUIRED, backings, G_N_ELEMENTS(backings), 0);
    cell->path = read_text(reader, object, "path", OPTIONAL);
    cell->align_bytes = read_size(reader, object, "align_bytes", OPTIONAL, 0);
    cell->offset_bytes = read_size(reader, object, "offset_bytes", OPTIONAL, 0);
    cell->is_shared = read_bool(reader, object, "shared");
    cell->has_access = read_bool(reader, object, "shared_said");
    cell->is_preallocated = read_bool(reader, object, "preallocated");
    cell->prealloc_threads = (uint32_t)read_number(reader, object, "prealloc_threads",
                                                   cell->is_preallocated ? REQUIRED : OPTIONAL, 1, 65536);
    cell->context_nodes = read_set(reader, object, "context_nodes", OPTIONAL);
    cell->discard = read_bool(reader, object, "discard");
    cell->has_discard = read_bool(reader, object, "discard_said");
    cell->dump = read_bool(reader, object, "dump");
    cell->reserve = read_bool(reader, object, "reserve");
    cell->merge = read_bool(reader, object, "merge");
    if (cell->nodes && !cell->nodes->count)
        reader_fail(reader, NM_plan_value, "nodes", "'nodes' must not be empty; a cell that is not bound has none");
    else if (cell->context_nodes && !cell->context_nodes->count)
        reader_fail(reader, NM_plan_value, "context_nodes", "'context_nodes' must not be empty");
    else if (cell->page_bytes && cell->memory_bytes % cell->page_bytes)
        reader_fail(reader, NM_plan_conflict, "memory_bytes", "the memory of a cell is no whole number of its pages");
}

enum { MOST_SLOTS = 256 };

void read_growth(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    guest->max_memory_bytes = read_size(reader, object, "max_memory_bytes", OPTIONAL, 1);
    guest->memory_slots = (uint32_t)read_number(reader, object, "memory_slots", OPTIONAL, 1, MOST_SLOTS);
    guest->current_memory_bytes = read_size(reader, object, "current_memory_bytes", OPTIONAL, 1);
    if (reader->failed)
        return;
    if (guest->memory_slots && !guest->max_memory_bytes)
        reader_fail(reader, NM_plan_conflict, "memory_slots", "there are slots, and no maximum to grow to");
    else if (guest->max_memory_bytes && guest->max_memory_bytes <= guest->memory_bytes)
        reader_fail(reader, NM_plan_conflict, "max_memory_bytes", "the guest cannot grow to less than it has");
}

static bool flag(struct plan_reader *reader, struct json_c_object *object, const char *key)
{
    return json_object_object_get_ex(object, key, NULL) && read_bool(reader, object, key);
}

/* What only some models have. */
static void read_model(struct plan_reader *reader, struct json_c_object *object, struct plan_memory_device *device)
{
    bool is_virtio_mem = device->model == MEMORY_VIRTIO_MEM;
    device->block_bytes = read_size(reader, object, "block_bytes", is_virtio_mem ? REQUIRED : OPTIONAL, 2 * MIB);
    device->requested_bytes = read_size(reader, object, "requested_bytes", is_virtio_mem ? REQUIRED : OPTIONAL, 0);
    device->dynamic_memslots = flag(reader, object, "dynamic_memslots");
    device->label_bytes = read_size(reader, object, "label_bytes", OPTIONAL, 1);
    device->pmem = flag(reader, object, "pmem");
    device->readonly = flag(reader, object, "readonly");
    device->uuid = read_text(reader, object, "uuid", OPTIONAL);
    bool is_cxl = device->model == MEMORY_CXL, is_nvdimm = device->model == MEMORY_NVDIMM;
    device->window_bytes = read_size(reader, object, "window_bytes", is_cxl ? REQUIRED : OPTIONAL, 1);
    device->is_persistent = flag(reader, object, "persistent");
    bool is_file = is_nvdimm || device->model == MEMORY_VIRTIO_PMEM || (is_cxl && device->is_persistent);
    if (reader->failed)
        return;
    if (!is_cxl && (device->window_bytes || device->is_persistent))
        reader_fail(reader, NM_plan_conflict, NULL, "what is said of cxl is said of %s",
                    memory_model_word(device->model));
    else if (is_cxl &&
             (device->window_bytes % (CXL_STEP_MIB * MIB) || device->memory.memory_bytes % (CXL_STEP_MIB * MIB) ||
              device->address || device->is_persistent != (device->label_bytes != 0)))
        reader_fail(reader, NM_plan_conflict, NULL, "cxl has steps of 256MiB, no address, and labels if persistent");
    else if (!is_nvdimm && ((device->label_bytes && !is_cxl) || device->pmem || device->readonly || device->uuid))
        reader_fail(reader, NM_plan_conflict, NULL, "what is said of nvdimm is said of %s",
                    memory_model_word(device->model));
    else if (!is_virtio_mem && (device->block_bytes || device->requested_bytes || device->dynamic_memslots))
        reader_fail(reader, NM_plan_conflict, NULL, "what is said of virtio-mem is said of %s",
                    memory_model_word(device->model));
    else if (is_file != (device->memory.path != NULL))
        reader_fail(reader, NM_plan_conflict, "path", "%s %s a file", memory_model_word(device->model),
                    is_file ? "is" : "is not");
    else if (device->label_bytes >= device->memory.memory_bytes)
        reader_fail(reader, NM_plan_conflict, "label_bytes", "the labels leave nothing of the memory");
    else if (is_virtio_mem &&
             (device->memory.memory_bytes % device->block_bytes || device->requested_bytes % device->block_bytes ||
              device->requested_bytes > device->memory.memory_bytes))
        reader_fail(reader, NM_plan_conflict, NULL, "virtio-mem has, and takes of it, a whole number of blocks");
}

static void read_slot(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                      bool *taken, struct plan_memory_device *device)
{
    device->has_slot = flag(reader, object, "slot_said");
    if (!has_slots(device->model) || reader->failed)
        return;
    if (!guest->memory_slots) {
        reader_fail(reader, NM_plan_conflict, NULL, "the guest has no slot for it");
        return;
    }
    device->slot = (uint32_t)read_number(reader, object, "slot", REQUIRED, 0, guest->memory_slots - 1);
    if (!reader->failed && taken[device->slot])
        reader_fail(reader, NM_plan_conflict, "slot", "slot %u is taken already", device->slot);
    if (!reader->failed)
        taken[device->slot] = true;
}

static void read_memory_device(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                               bool *taken, struct plan_memory_device *device)
{
    static const char *const keys[] = { "model",        "name",        "cell",        PLAN_MEMORY_KEYS,
                                        "slot",         "nodes_said",  "pages_said",  "slot_said",
                                        "address",      "block_bytes", "label_bytes", "requested_bytes",
                                        "pmem",         "readonly",    "uuid",        "dynamic_memslots",
                                        "window_bytes", "persistent",  NULL };
    static const char *const models[MEMORY_MODELS] = {
        "dimm", "virtio-mem", "nvdimm", "virtio-pmem", "sgx-epc", "cxl"
    };
    if (!read_object(reader, object, keys))
        return;
    device->model = read_word(reader, object, "model", REQUIRED, models, G_N_ELEMENTS(models), 0);
    device->memory.name = read_text(reader, object, "name", REQUIRED);
    device->memory.vcpus = &ids_none;
    device->cell = (uint32_t)read_number(
        reader, object, "cell", device->model == MEMORY_VIRTIO_PMEM ? OPTIONAL : REQUIRED, 0, guest->cell_count - 1);
    read_plan_memory(reader, object, &device->memory);
    device->has_nodes = flag(reader, object, "nodes_said");
    device->has_pages = flag(reader, object, "pages_said");
    device->address = read_number(reader, object, "address", OPTIONAL, 1, INT64_MAX);
    if (!reader->failed && !device->memory.memory_bytes)
        reader_fail(reader, NM_plan_value, "memory_bytes", "a memory device has memory");
    read_slot(reader, object, guest, taken, device);
    read_model(reader, object, device);
}

void read_memory_devices(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    bool taken[MOST_SLOTS] = { false };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "memory_devices", OPTIONAL, MOST_SLOTS, &count);
    struct plan_memory_device *devices = arena_alloc(reader->arena, sizeof *devices * (count ? count : 1));
    reader_enter(reader, "memory_devices");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_memory_device(reader, json_object_array_get_idx(array, i), guest, taken, &devices[i]);
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->memory_devices = devices;
    guest->memory_device_count = reader->failed ? 0 : (uint32_t)count;
    bool has_place = guest->has_numa || architecture_of(guest->architecture)->lacks_cells;
    if (!reader->failed && count && (!has_place || (plugged_devices(guest) && !guest->max_memory_bytes)))
        reader_fail(reader, NM_plan_conflict, "memory_devices", "only guests that can grow and have cells have them");
    if (!reader->failed && guest->max_memory_bytes && plan_total_bytes(guest) > guest->max_memory_bytes)
        reader_fail(reader, NM_plan_conflict, "max_memory_bytes", "the memory devices do not fit below it");
    else if (!reader->failed && guest->current_memory_bytes > plan_total_bytes(guest))
        reader_fail(reader, NM_plan_conflict, "current_memory_bytes", "a balloon leaves at most all memory");
}
