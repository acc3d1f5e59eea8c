/* SPDX-License-Identifier: MIT
 *
 * Rules about memory that grows, as planned: what all memory comes to beside its maximum and its balloon, where devices
 * begin in the guest, and how far they are from their cells.
 */
#include "check/subject.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_OF_LINUX = 128 * MIB }; /* x86_64 adds memory in such blocks at least */

static const char *device_text(const struct check *check, const struct plan_memory_device *device)
{
    return arena_printf(check->arena, "%s '%s'", memory_model_word(device->model), device->memory.name);
}

static struct span device_span(const struct planned_guest *planned, uint32_t number, enum word_id word)
{
    const struct memory_device *device = said_memory_device(planned, number);
    struct span span = said_span(&device->said, word, 1);
    return span.file ? span : device->span;
}

/* ---- how much --------------------------------------------------------------------------------------------------- */

static void maximum_is_above_the_memory(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->max_memory_bytes || plan->max_memory_bytes > plan->memory_bytes)
        return;
    struct finding *finding =
        report(check->findings, NM_max_below_memory, guest_word_span(planned->guest, W_MEMORY_MAX, 1),
               "guest '%s' can grow to %s, and has %s", plan->name, size_text(check->arena, plan->max_memory_bytes),
               size_text(check->arena, plan->memory_bytes));
    finding_label(check->findings, finding, guest_word_span(planned->guest, W_GUEST_MEMORY, 1), "its memory");
    finding_note(check->findings, finding, "QEMU would refuse to start");
    finding_help(check->findings, finding, "'max' counts all, the memory of the cells too: write more than %s",
                 size_text(check->arena, plan->memory_bytes));
}

/* One that stays in a base without cells, where it is not the word `max`. */
static void maximum_of_the_base_holds_the_memory(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct guest *guest = planned->guest;
    uint64_t total = plan_total_bytes(plan);
    if (plan->max_memory_bytes || !guest->base_max_bytes || total <= guest->base_max_bytes)
        return;
    struct finding *finding = report(check->findings, NM_max_below_memory, guest_word_span(guest, W_GUEST_MEMORY, 1),
                                     "guest '%s' has %s, and can grow to %s", plan->name,
                                     size_text(check->arena, total), size_text(check->arena, guest->base_max_bytes));
    finding_label(check->findings, finding, guest->base_max, "the base says so");
    finding_note(check->findings, finding, "libvirt refuses it");
    finding_help(check->findings, finding, "write 'max' in 'memory', or raise or remove <maxMemory> in the base");
}

static void devices_are_within_the_maximum(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint64_t total = plan_total_bytes(plan);
    if (plan->max_memory_bytes <= plan->memory_bytes || total <= plan->max_memory_bytes)
        return;
    struct finding *finding =
        report(check->findings, NM_devices_exceed_max, guest_word_span(planned->guest, W_MEMORY_MAX, 1),
               "guest '%s' can grow to %s, and has %s with its memory devices", plan->name,
               size_text(check->arena, plan->max_memory_bytes), size_text(check->arena, total));
    finding_label(check->findings, finding, planned->guest->memory_devices[0].span, "the first of them");
    finding_note(check->findings, finding, "libvirt and QEMU refuse it");
    finding_help(check->findings, finding, "write 'max %s' or more", size_text(check->arena, total));
}

static void balloons_leave_what_there_is(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint64_t total = plan_total_bytes(plan);
    struct span span = guest_word_span(planned->guest, W_MEMORY_CURRENT, 1);
    if (!is_said(&planned->guest->said, W_MEMORY_CURRENT))
        return;
    if (plan->current_memory_bytes && plan->current_memory_bytes <= total) {
        if (plan->has_base)
            return;
        struct finding *hint = report(check->findings, NM_left_to_runtime, span,
                                      "QEMU alone does not start guest '%s' with less than all its memory", plan->name);
        finding_note(check->findings, hint, "libvirt tells the balloon when the guest has started");
        finding_help(check->findings, hint, "take the libvirt target, or remove 'current'");
        return;
    }
    struct finding *finding =
        report(check->findings, NM_current_above_memory, span, "the balloon of guest '%s' leaves %s of %s", plan->name,
               size_text(check->arena, plan->current_memory_bytes), size_text(check->arena, total));
    finding_note(check->findings, finding, "libvirt would start it with all of it, without a word");
    finding_help(check->findings, finding, "write at most %s, or leave 'current' out", size_text(check->arena, total));
}

/* ---- what the guest makes of it --------------------------------------------------------------------------------- */

static void dimms_are_used_whole(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        uint64_t bytes = device->memory.memory_bytes, over = bytes % BLOCK_OF_LINUX;
        if (device->model != MEMORY_DIMM || !over || bytes % (2 * MIB)) /* what libvirt rounds is told already */
            continue;
        struct finding *finding =
            report(check->findings, NM_dimm_in_part, device_span(planned, i, W_MEMORY_DEVICE_SIZE),
                   "%s of guest '%s' has %s, and Linux adds memory in blocks of %s", device_text(check, device),
                   plan->name, size_text(check->arena, bytes), size_text(check->arena, BLOCK_OF_LINUX));
        finding_note(check->findings, finding, "it would not plug a part of a block");
        finding_help(check->findings, finding, "write %s", size_text(check->arena, bytes - over + BLOCK_OF_LINUX));
    }
}

/* The first device at a said address behind which QEMU goes on between two blocks; NULL: there is none. */
static const struct plan_memory_device *ends_within_a_block(const struct plan_guest *plan, uint32_t *out_number)
{
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        *out_number = i;
        if (device->address && (device->memory.memory_bytes - device->label_bytes) % BLOCK_OF_LINUX)
            return device;
    }
    return NULL;
}

static void report_dimm_off_block(const struct check *check, const struct planned_guest *planned, uint32_t number,
                                  const struct plan_memory_device *behind, uint32_t behind_number)
{
    const struct plan_memory_device *dimm = &planned->plan->memory_devices[number];
    struct finding *finding =
        report(check->findings, NM_dimm_off_block, device_span(planned, number, W_MEMORY_DEVICE_ADDRESS),
               "%s of guest '%s' %s, and Linux adds memory in blocks of %s", device_text(check, dimm),
               planned->plan->name, behind ? "would begin between two blocks" : "begins between two blocks",
               size_text(check->arena, BLOCK_OF_LINUX));
    if (behind)
        finding_label(check->findings, finding, device_span(planned, behind_number, W_MEMORY_DEVICE_ADDRESS),
                      "QEMU goes on behind %s, which ends within a block", device_text(check, behind));
    finding_note(check->findings, finding, "it would not add this one at all, and says so in its log only");
    if (behind)
        finding_help(check->findings, finding, "remove that 'address': then QEMU has the dimms first");
    else
        finding_help(check->findings, finding, "leave 'address' out: QEMU finds one");
}

/* QEMU packs devices: a dimm begins where the one before it ended, and the label of an nvdimm is cut off its end. */
static void dimms_begin_at_blocks(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t behind_number;
    const struct plan_memory_device *behind = ends_within_a_block(plan, &behind_number);
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        if (device->model != MEMORY_DIMM || architecture_of(plan->architecture)->memory_block)
            continue; /* which whole blocks never are */
        if (device->address % (2 * MIB) == 0 && device->address % BLOCK_OF_LINUX)
            report_dimm_off_block(check, planned, i, NULL, 0);
        else if (!device->address && behind)
            report_dimm_off_block(check, planned, i, behind, behind_number);
    }
}

/* Where placement chooses how many cells there are. */
static void devices_are_of_planned_cells(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        const char *said = said_memory_device(planned, i)->cell;
        if (!said || strcmp(said, plan->cells[device->cell].name) == 0)
            continue;
        struct finding *finding =
            report(check->findings, NM_device_cell, device_span(planned, i, W_MEMORY_DEVICE_CELL),
                   "guest '%s' has no cell '%s': it got %u of them", plan->name, said, plan->cell_count);
        finding_help(check->findings, finding, "write 'cells' with their number, or 0 to %u", plan->cell_count - 1);
    }
}

static bool are_on_host(const struct planned_guest *planned, const struct ids *nodes)
{
    for (ids_each(nodes, node))
        if (facts_of(planned) && !host_node(facts_of(planned), node))
            return false;
    return true;
}

static void devices_are_beside_their_cell(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        const struct plan_cell *cell = &plan->cells[device->cell];
        if (device->model == MEMORY_CXL || !device->has_nodes || !cell->nodes ||
            !are_on_host(planned, device->memory.nodes) || ids_within(device->memory.nodes, cell->nodes))
            continue;
        struct finding *finding = report(
            check->findings, NM_memory_device_far, device_span(planned, i, W_MEMORY_DEVICE_NODE),
            "%s of guest '%s' is on nodes %s, and cell '%s' that gets it on %s", device_text(check, device), plan->name,
            ids_text(check->arena, device->memory.nodes), cell->name, ids_text(check->arena, cell->nodes));
        finding_note(check->findings, finding, "the guest would take it for as near as the rest of the cell");
        finding_help(check->findings, finding, "leave 'node' out, or give it to a cell of its own without vCPUs");
    }
}

/* ---- addresses -------------------------------------------------------------------------------------------------- */

struct stretch {
    uint32_t device;
    uint64_t first, end;
};

static int by_address(const void *a, const void *b)
{
    const struct stretch *left = a, *right = b;
    return left->first < right->first ? -1 : left->first > right->first;
}

/* Where QEMU has memory devices: behind the memory that is above 4 GiB, from a whole GiB on, and a GiB more for each
 * slot to align them in. */
static struct stretch room_for_devices(const struct plan_guest *plan)
{
    struct stretch room = { .first = 4 * GIB, .end = UINT64_MAX };
    const struct machine_family *machine = machine_family_of(architecture_of(plan->architecture), plan->machine);
    if (machine && machine->has_no_hole)
        room.first = (plan->memory_bytes + GIB - 1) / GIB * GIB;
    if (plan->has_base || !machine || !machine->low[0]) {
        if (!plan->has_base && machine && machine->has_no_hole)
            room.end = room.first + (plan->max_memory_bytes - plan->memory_bytes);
        return room;
    }
    uint64_t low = machine->low[plan->memory_bytes >= machine->low[0]];
    uint64_t high = plan->memory_bytes > low ? plan->memory_bytes - low : 0;
    for (uint32_t i = 0; i < plan->memory_device_count; i++)
        if (plan->memory_devices[i].model == MEMORY_SGX_EPC)
            high += plan->memory_devices[i].memory.memory_bytes; /* stands before them */
    room.first = (4 * GIB + high + GIB - 1) / GIB * GIB;
    room.end = room.first + (plan->max_memory_bytes - plan->memory_bytes) + plan->memory_slots * GIB;
    return room;
}

static bool begins_right(const struct check *check, const struct planned_guest *planned, uint32_t number)
{
    const struct plan_memory_device *device = &planned->plan->memory_devices[number];
    struct stretch room = room_for_devices(planned->plan);
    uint64_t step = MAX(MAX(2 * MIB, architecture_of(planned->plan->architecture)->memory_block),
                        MAX(device->memory.page_bytes, device->block_bytes));
    if (device->address >= room.first && device->address % step == 0 && device->address <= room.end &&
        room.end - device->address >= device->memory.memory_bytes)
        return true;
    struct finding *finding =
        report(check->findings, NM_device_address, device_span(planned, number, W_MEMORY_DEVICE_ADDRESS),
               "%s of guest '%s' cannot begin at 0x%" G_GINT64_MODIFIER "x", device_text(check, device),
               planned->plan->name, device->address);
    if (room.end == UINT64_MAX)
        finding_note(check->findings, finding,
                     "QEMU has memory devices from 0x%" G_GINT64_MODIFIER "x on, at multiples of %s", room.first,
                     size_text(check->arena, step));
    else
        finding_note(check->findings, finding,
                     "QEMU has the memory devices of this guest from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER
                     "x, at multiples of %s",
                     room.first, room.end, size_text(check->arena, step));
    finding_help(check->findings, finding, "leave 'address' out: QEMU finds one");
    return false;
}

static void addresses_are_apart(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    struct stretch *ranges = arena_array(check->arena, struct stretch, plan->memory_device_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct plan_memory_device *device = &plan->memory_devices[i];
        if (is_said(&said_memory_device(planned, i)->said, W_MEMORY_DEVICE_ADDRESS) && begins_right(check, planned, i))
            ranges[count++] = (struct stretch){ i, device->address, device->address + device->memory.memory_bytes };
    }
    qsort(ranges, count, sizeof *ranges, by_address);
    for (uint32_t i = 1; i < count; i++) {
        if (ranges[i].first >= ranges[i - 1].end)
            continue;
        const struct plan_memory_device *here = &plan->memory_devices[ranges[i].device],
                                        *before = &plan->memory_devices[ranges[i - 1].device];
        struct finding *finding = report(
            check->findings, NM_device_address, device_span(planned, ranges[i].device, W_MEMORY_DEVICE_ADDRESS),
            "%s of guest '%s' begins inside %s", device_text(check, here), plan->name, device_text(check, before));
        finding_label(check->findings, finding, device_span(planned, ranges[i - 1].device, W_MEMORY_DEVICE_ADDRESS),
                      "which begins here");
        finding_note(check->findings, finding, "libvirt and QEMU refuse it");
        finding_help(check->findings, finding, "leave 'address' out: QEMU finds one");
    }
}

const struct plan_rule plan_memory_rules[] = {
    { .name = "maximum-is-above-the-memory", .source = "peers 197", .run = maximum_is_above_the_memory },
    { .name = "maximum-of-the-base-holds-the-memory",
      .source = "peers 197",
      .run = maximum_of_the_base_holds_the_memory },
    { .name = "devices-are-within-the-maximum", .source = "peers 203", .run = devices_are_within_the_maximum },
    { .name = "balloons-leave-what-there-is", .source = "libvirt formatdomain", .run = balloons_leave_what_there_is },
    { .name = "dimms-are-used-whole", .source = "Linux mm/memory_hotplug.c", .run = dimms_are_used_whole },
    { .name = "dimms-begin-at-blocks", .source = "Linux mm/memory_hotplug.c", .run = dimms_begin_at_blocks },
    { .name = "devices-are-of-planned-cells", .source = "peers 200", .run = devices_are_of_planned_cells },
    { .name = "devices-are-beside-their-cell", .source = "peers 209", .run = devices_are_beside_their_cell },
    { .name = "addresses-are-apart", .source = "peers 203", .run = addresses_are_apart },
    { 0 }
};
