/* SPDX-License-Identifier: MIT
 *
 * Memory devices.  Each takes its memory as a cell without vCPUs would: on the nodes and pages of the cell that gets
 * it, which then counts it, or apart, where it names others.  What may be plugged later is counted whole: nothing that
 * a guest may take is promised twice.
 */
#include "ground/features.h"
#include "place/draft.h"

#include <string.h>

/* ---- laying out ------------------------------------------------------------------------------------------------- */

static uint32_t cell_of(const struct draft *draft, const char *label)
{
    for (uint32_t c = 0; label && c < draft->cell_count; c++)
        if (strcmp(draft->cells[c].name, label) == 0)
            return c;
    return NO_INDEX;
}

static enum memory_model model_of(enum word_id word)
{
    switch ((unsigned)word) {
    case W_GUEST_DIMM:
        return MEMORY_DIMM;
    case W_GUEST_VIRTIO_MEM:
        return MEMORY_VIRTIO_MEM;
    case W_GUEST_NVDIMM:
        return MEMORY_NVDIMM;
    case W_GUEST_VIRTIO_PMEM:
        return MEMORY_VIRTIO_PMEM;
    case W_GUEST_SGX_EPC:
        return MEMORY_SGX_EPC;
    case W_GUEST_CXL:
        return MEMORY_CXL;
    }
    bug("a word that is no memory device");
}

/* Files and enclaves have a place of their own, which no host tells of. */
static bool is_of_ram(const struct memory_device *said)
{
    return said->model == W_GUEST_DIMM || said->model == W_GUEST_VIRTIO_MEM ||
           (said->model == W_GUEST_CXL && !said->persistent);
}

static void override(const struct memory_device *said, struct locality *locality)
{
    if (!is_of_ram(said)) {
        locality->page_bytes = PAGES_NORMAL;
        locality->discard = false;
    }
    locality->fallback = (struct list){ 0 };
    if (is_said(&said->said, W_MEMORY_DEVICE_NODE)) {
        locality->nodes = said->nodes;
        if (said->policy != POLICY_OF_CELL)
            locality->policy = said->policy;
    }
    if (is_said(&said->said, W_MEMORY_DEVICE_PAGES))
        locality->page_bytes = said->page_bytes;
    if (is_said(&said->said, W_MEMORY_DEVICE_ACCESS))
        locality->access = said->access;
    if (is_said(&said->said, W_MEMORY_DEVICE_DISCARD))
        locality->discard = said->discard;
}

void draft_devices(struct arena *arena, struct draft *draft)
{
    const struct guest *guest = draft->guest;
    draft->devices = arena_array(arena, struct draft_device, guest->memory_device_count);
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *said = &guest->memory_devices[i];
        struct draft_device *device = &draft->devices[i];
        uint32_t found = cell_of(draft, said->cell);
        device->said = said;
        device->cell = found == NO_INDEX ? 0 : found;
        struct draft_cell *cell = &draft->cells[device->cell];
        bool is_counted = is_of_ram(said);
        device->locality = said->cell ? *cell->locality : guest->locality;
        override(said, &device->locality);
        device->memory = (struct draft_cell){ .name = said->name,
                                              .said = cell->said,
                                              .locality = &device->locality,
                                              .vcpus = &ids_none,
                                              .memory_bytes = said->size_bytes,
                                              .page_bytes = device->locality.page_bytes,
                                              .within = NO_LEVEL,
                                              .node = NO_INDEX,
                                              .own_scope = ANYWHERE };
        device->is_apart = is_said(&said->said, W_MEMORY_DEVICE_NODE) || is_said(&said->said, W_MEMORY_DEVICE_PAGES);
        if (!device->is_apart && is_counted)
            cell->device_bytes += said->size_bytes;
    }
}

bool read_device_sets(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++) {
        struct draft_device *device = &draft->devices[i];
        if (!device->said->nodes)
            continue;
        device->memory.fixed =
            nodes_said(attempt, device->said->nodes, said_span(&device->said->said, W_MEMORY_DEVICE_NODE, 1));
        if (!device->memory.fixed)
            return fails_heard(attempt);
    }
    return true;
}

/* ---- room ------------------------------------------------------------------------------------------------------- */

bool devices_have_room(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                       uint32_t count)
{
    const struct draft *draft = attempt->draft;
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++) {
        const struct draft_device *device = &draft->devices[i];
        if (device->is_apart && !device->said->nodes && &draft->cells[device->cell] == cell &&
            !memory_has_room(attempt, &device->memory, nodes, count))
            return false;
    }
    return true;
}

uint64_t bytes_beside(const struct attempt *attempt, uint32_t cell)
{
    const struct draft *draft = attempt->draft;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++) {
        const struct draft_device *device = &draft->devices[i];
        if (device->is_apart && !device->said->nodes && device->cell == cell && counts_memory(attempt, &device->memory))
            sum += device->memory.memory_bytes;
    }
    return sum;
}

static bool enter_device(const struct attempt *attempt, struct draft_device *device)
{
    const struct draft_cell *cell = &attempt->draft->cells[device->cell];
    struct draft_cell *memory = &device->memory;
    uint32_t *nodes = arena_array(attempt->placing->scratch, uint32_t, attempt->room->node_count + 1);
    bool all_there;
    memory->nodes = memory->fixed ? memory->fixed : cell->nodes;
    if (!memory->nodes || (!memory->fixed && cell->is_astray))
        return true;
    uint32_t count = indexes_of(attempt->room, memory->nodes, nodes, &all_there);
    if (!all_there && !attempt->is_only_host)
        return fails_heard(attempt);
    memory->is_astray = !all_there;
    if (memory->is_astray || !is_of_ram(device->said))
        return true;
    if (!memory_has_room(attempt, memory, nodes, count)) {
        fails_memory(attempt, device->cell, memory, nodes, count);
        return false;
    }
    enter_memory(attempt, memory, nodes, count);
    return true;
}

bool enter_devices(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++)
        if (draft->devices[i].is_apart && !enter_device(attempt, &draft->devices[i]))
            return false;
    return true;
}

void give_devices(struct room *room, const struct draft *draft)
{
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++)
        give_memory(room, &draft->devices[i].memory);
}

bool devices_take(const struct draft *draft, uint32_t node, uint64_t page_bytes)
{
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++) {
        const struct draft_cell *memory = &draft->devices[i].memory;
        for (uint32_t p = 0; p < memory->portion_count; p++)
            if ((node == NO_INDEX || memory->portions[p].node == node) && memory->page_bytes == page_bytes)
                return true;
    }
    return false;
}

/* ---- the plan --------------------------------------------------------------------------------------------------- */

enum { BLOCK_LEAST = 2 * MIB }; /* a transparent huge page, below which the host could not give memory back well */

static void finish_virtio_mem(const struct memory_device *said, struct plan_memory_device *out)
{
    out->requested_bytes = said->requested_bytes;
    out->block_bytes =
        is_said(&said->said, W_MEMORY_DEVICE_BLOCK) ? said->block_bytes : MAX(BLOCK_LEAST, out->memory.page_bytes);
    out->dynamic_memslots = said->dynamic_memslots;
    out->memory.reserve = false; /* only what is plugged is there */
    out->memory.context_nodes = NULL;
    out->memory.prealloc_threads = MIN(out->memory.prealloc_threads, 1);
}

/* A file is filled at start, as libvirt has it, unless it is on memory that wears off or of virtio. */
static void finish_file(const struct memory_device *said, struct plan_memory_device *out)
{
    struct plan_cell *memory = &out->memory;
    bool is_pmem = out->model == MEMORY_VIRTIO_PMEM;
    memory->backing = BACKING_FILE;
    memory->path = said->path;
    memory->align_bytes = said->align_bytes;
    memory->is_shared |= is_pmem && !memory->has_access;
    memory->is_preallocated |= !is_pmem && !said->pmem;
    out->label_bytes = said->label_bytes;
    out->pmem = said->pmem;
    out->readonly = said->readonly;
    out->uuid = said->uuid;
}

/* Its window holds it all unless it is said; labels have a file of their own, so that all of its memory is memory. */
static void finish_cxl(const struct memory_device *said, struct plan_memory_device *out)
{
    const uint64_t step = CXL_STEP_MIB * MIB, label_bytes = 256 * KIB;
    out->window_bytes =
        is_said(&said->said, W_MEMORY_DEVICE_WINDOW) ? said->window_bytes : (said->size_bytes + step - 1) / step * step;
    out->is_persistent = said->persistent;
    if (!said->persistent)
        return;
    out->memory.backing = BACKING_FILE;
    out->memory.path = said->path;
    out->memory.is_shared |= !out->memory.has_access;
    out->label_bytes = is_said(&said->said, W_MEMORY_DEVICE_LABEL_SIZE) ? said->label_bytes : label_bytes;
}

static void finish_model(const struct draft *draft, const struct draft_device *device, struct plan_memory_device *out)
{
    struct plan_cell *memory = &out->memory;
    switch (out->model) {
    case MEMORY_VIRTIO_MEM:
        finish_virtio_mem(device->said, out);
        return;
    case MEMORY_NVDIMM:
    case MEMORY_VIRTIO_PMEM:
        finish_file(device->said, out);
        break;
    case MEMORY_SGX_EPC:
        memory->is_preallocated = true;
        break;
    case MEMORY_CXL:
        finish_cxl(device->said, out);
        return;
    case MEMORY_DIMM:
    case MEMORY_MODELS:
        return;
    }
    memory->prealloc_threads = memory->is_preallocated ? MAX(device->locality.allocation_threads, 1) : 0;
    struct draft_cell bound = device->memory;
    bound.nodes = memory->nodes;
    memory->context_nodes = memory->is_preallocated ? context_of(draft, &bound) : NULL;
}

static void finish_device(struct placing *placing, const struct draft *draft, const struct plan_guest *plan,
                          struct draft_device *device, struct plan_memory_device *out)
{
    const struct memory_device *said = device->said;
    const struct draft_cell *cell = &draft->cells[device->cell];
    bool has_nodes = is_said(&said->said, W_MEMORY_DEVICE_NODE),
         has_pages = is_said(&said->said, W_MEMORY_DEVICE_PAGES);
    out->model = model_of(said->model);
    device->memory.nodes = has_nodes ? device->memory.fixed : said->cell ? cell->nodes : NULL;
    if (!device->is_apart && is_of_ram(said))
        device->memory.page_bytes = cell->page_bytes;
    finish_cell(placing, draft, &device->memory, &out->memory);
    if (out->model == MEMORY_VIRTIO_PMEM)
        out->memory.nodes = plan_common_nodes(placing->arena, plan, &out->memory.policy);
    out->memory.name = said->name;
    out->memory.has_access = is_said(&said->said, W_MEMORY_DEVICE_ACCESS);
    out->memory.has_discard = is_said(&said->said, W_MEMORY_DEVICE_DISCARD);
    out->memory.backing = plan->cells[device->cell].backing; /* libvirt has one for the guest; */
    if ((out->memory.is_shared || out->memory.has_access || out->memory.discard) &&
        out->memory.backing == BACKING_ANONYMOUS && !out->memory.page_bytes)
        out->memory.backing = BACKING_FILE; /* and takes this where a device says what is done with it */
    out->memory.path = NULL;                /* that of the cell may be a file, which is the cell's alone */
    out->memory.align_bytes = out->memory.offset_bytes = 0;
    out->cell = device->cell;
    out->address = said->address;
    out->has_nodes = has_nodes;
    out->has_pages = has_pages || (is_of_ram(said) && device->memory.page_bytes != cell->page_bytes);
    out->has_slot = is_said(&said->said, W_MEMORY_DEVICE_SLOT);
    finish_model(draft, device, out);
}

/* The turn in which QEMU finds an address: those that are said come first, so that they are free; then what should
 * begin at a block of the guest's kernel, before an nvdimm whose label would shift it. */
static unsigned turn_of(const struct memory_device *said)
{
    return said->address ? 0 : said->model == W_GUEST_DIMM ? 1 : said->model == W_GUEST_VIRTIO_MEM ? 2 : 3;
}

/* Those of one turn by their kinds, which YAML cannot mix; so the notation of a site says nothing. */
static struct draft_device **in_order(struct arena *scratch, const struct draft *draft, uint32_t count)
{
    enum { TURNS = 4 };
    struct draft_device **order = arena_array(scratch, struct draft_device *, count), **next = order;
    for (unsigned at = 0; at < TURNS * MEMORY_MODELS; at++)
        for (uint32_t i = 0; i < count; i++) {
            const struct memory_device *said = draft->devices[i].said;
            if (turn_of(said) == at / MEMORY_MODELS && model_of(said->model) == at % MEMORY_MODELS)
                *next++ = &draft->devices[i];
        }
    return order;
}

/* Said slots stand; the others get what is free, in order.  Numbers that are too high are told by a rule. */
static uint32_t number_slots(struct draft_device *const *drafts, struct plan_memory_device *devices, uint32_t count)
{
    enum { SLOTS_MOST = 256 };
    bool taken[SLOTS_MOST] = { false };
    uint32_t next = 0, highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct memory_device *said = drafts[i]->said;
        devices[i].slot = is_said(&said->said, W_MEMORY_DEVICE_SLOT) ? said->slot : 0;
        if (is_said(&said->said, W_MEMORY_DEVICE_SLOT) && said->slot < SLOTS_MOST)
            taken[said->slot] = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!has_slots(devices[i].model))
            continue;
        if (!is_said(&drafts[i]->said->said, W_MEMORY_DEVICE_SLOT)) {
            while (next < SLOTS_MOST && taken[next])
                next++;
            devices[i].slot = next++;
        }
        highest = MAX(highest, devices[i].slot + 1);
    }
    return highest;
}

/* As many as are used; libvirt before 9.5 wants one for each device of virtio too. */
static uint32_t slots_used(const struct site_host *programs, const struct plan_memory_device *devices, uint32_t count,
                           uint32_t highest)
{
    uint32_t in_slots = 0, plugged = 0;
    for (uint32_t i = 0; i < count; i++) {
        in_slots += has_slots(devices[i].model);
        plugged += is_plugged(devices[i].model);
    }
    return MAX(highest, host_has_feature(programs, FEATURE_FEWER_SLOTS) ? in_slots : plugged);
}

void finish_devices(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    uint32_t count = guest->memory_device_count;
    struct plan_memory_device *devices = arena_array(placing->arena, struct plan_memory_device, count);
    struct draft_device **drafts = in_order(placing->scratch, draft, count);
    for (uint32_t i = 0; i < count; i++)
        finish_device(placing, draft, out, drafts[i], &devices[i]);
    uint32_t highest = number_slots(drafts, devices, count);
    out->memory_devices = devices;
    out->memory_device_count = count;
    out->max_memory_bytes = guest->max_memory_bytes;
    if (out->max_memory_bytes)
        out->memory_slots = is_said(&guest->said, W_MEMORY_SLOTS)
                                ? guest->memory_slots
                                : slots_used(programs_of(placing, draft), devices, count, highest);
    out->current_memory_bytes = guest->current_memory_bytes;
}
