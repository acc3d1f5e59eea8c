/* SPDX-License-Identifier: MIT
 *
 * The PCI buses of a guest: which cell an expander bus stands on, its numbers and controllers, and what each device is
 * plugged into.  Numbers that the site says stand; the others are taken from the top, where the firmware's own count
 * from the root bus is farthest away, or, of host bridges, from below.
 */
#include "place/draft.h"

#include <string.h>

struct laying {
    struct placing *placing;
    const struct draft *draft;
    const struct guest *guest;
    struct plan_guest *out;
    struct plan_expander *expanders; /* the guest's own, then one for each cell that devices without a bus are near */
    struct bus_numbers *taken;       /* theirs, and that of the base */
    uint32_t *used;                  /* how many devices are on each */
    uint32_t count, controller;
};

static struct span device_span(const struct device *device)
{
    return device->address ? said_span(&device->said, W_GUEST_DEVICE, 1) : device->span;
}

static uint32_t cell_called(const struct laying *laying, const char *label, struct span span)
{
    const struct plan_guest *guest = laying->out;
    struct findings *findings = laying->placing->findings;
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, label) == 0)
            return c;
    struct finding *finding = report(findings, NM_bus_cell, span, "guest '%s' has no cell '%s'", guest->name, label);
    finding_help(findings, finding, "name one that it has: '%s'", guest->cells[0].name);
    return 0;
}

/* ---- the guest's own buses -------------------------------------------------------------------------------------- */

/* Whoever says a number has it, whatever stands before. */
static void take_said(struct laying *laying)
{
    const struct guest *guest = laying->guest;
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *said = &guest->expanders[i];
        struct plan_expander *expander = &laying->expanders[i];
        *expander = (struct plan_expander){
            .name = said->name,
            .kind = expander_kind_of(guest_machine(guest)),
            .cell = cell_called(laying, said->cell, said_span(&said->said, W_EXPANDER_CELL, 1)),
            .number = is_said(&said->said, W_EXPANDER_NUMBER) ? said->number : 0,
            .controller = said->controller,
            .ports = expander_ports(guest, said),
        };
        if (expander->number)
            laying->taken[i] =
                (struct bus_numbers){ expander->number, bus_numbers_of(expander->kind, expander->ports) };
    }
    laying->count = guest->expander_count;
}

/* ---- buses for devices that name none --------------------------------------------------------------------------- */

/* The cell that the guest is to see a device near; NO_INDEX: none. */
static uint32_t cell_near(const struct laying *laying, const struct device *device, const char *address)
{
    const struct plan_guest *guest = laying->out;
    const struct site_host *host = laying->draft->room ? laying->draft->room->host : NULL;
    if (device->cell)
        return cell_called(laying, device->cell, said_span(&device->said, W_DEVICE_CELL, 1));
    const struct host_device *facts = host && address ? device_at(host, address) : NULL;
    if (!guest->has_numa || !facts || facts->node_os_index == NO_INDEX || device->is_of_base ||
        !guest_architecture(laying->guest)->has_expanders)
        return NO_INDEX;
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (guest->cells[c].nodes && ids_contains(guest->cells[c].nodes, facts->node_os_index))
            return c;
    return NO_INDEX;
}

/* One for each cell, behind the guest's own; made when the first device asks. */
static uint32_t bus_near(struct laying *laying, uint32_t cell)
{
    uint32_t own = laying->guest->expander_count;
    for (uint32_t i = own; i < laying->count; i++)
        if (laying->expanders[i].cell == cell && laying->expanders[i].kind != EXPANDER_PXB_CXL)
            return i;
    const char *name = arena_printf(laying->placing->arena, "near-%s", laying->out->cells[cell].name);
    while (find_expander(laying->guest, name))
        name = arena_printf(laying->placing->arena, "%s+", name);
    laying->expanders[laying->count] = (struct plan_expander){
        .name = name,
        .kind = expander_kind_of(guest_machine(laying->guest)),
        .cell = cell,
    };
    return laying->count++;
}

/* ---- bridges of CXL --------------------------------------------------------------------------------------------- */

/* One for each, behind the others: before QEMU 8.2 a bridge maps the memory of a single device. */
static void add_bridges(struct laying *laying)
{
    const struct plan_guest *guest = laying->out;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct plan_memory_device *device = &guest->memory_devices[i];
        if (device->model != MEMORY_CXL)
            continue;
        const char *name = arena_printf(laying->placing->arena, "cxl-%s", device->memory.name);
        while (find_expander(laying->guest, name))
            name = arena_printf(laying->placing->arena, "%s+", name);
        laying->expanders[laying->count++] =
            (struct plan_expander){ .name = name, .kind = EXPANDER_PXB_CXL, .cell = device->cell, .ports = 1 };
    }
}

static void choose_bus(struct laying *laying, const struct device *said, struct plan_device *device)
{
    const struct expander_bus *bus = said->bus ? find_expander(laying->guest, said->bus) : NULL;
    device->expander = NO_EXPANDER;
    if (bus) {
        device->expander = (uint32_t)(bus - laying->guest->expanders);
    } else {
        uint32_t cell = cell_near(laying, said, device->address);
        if (cell == NO_INDEX)
            return;
        device->expander = bus_near(laying, cell);
        if (has_express(laying->guest))
            laying->expanders[device->expander].ports++;
    }
    device->slot = laying->used[device->expander]++; /* for now its place on the bus */
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* Behind the expanders' own entries in `taken` stands that of the base. */
static void number_buses(struct laying *laying)
{
    laying->taken[laying->count] =
        bus_numbers_of_base(expander_kind_of(guest_machine(laying->guest)), laying->guest->base_buses_end);
    for (uint32_t i = 0; i < laying->count; i++) {
        struct plan_expander *expander = &laying->expanders[i];
        if (expander->number)
            continue;
        uint32_t needed = bus_numbers_of(expander->kind, expander->ports);
        expander->number = free_bus_number(expander->kind, laying->taken, laying->count + 1, needed);
        laying->taken[i] = (struct bus_numbers){ expander->number, needed };
    }
}

static void number_controllers(struct laying *laying)
{
    for (uint32_t i = 0; i < laying->count; i++) {
        struct plan_expander *expander = &laying->expanders[i];
        if (expander->controller) {
            expander->ports = 0; /* they are in the base, wherever it has put them */
            continue;
        }
        expander->controller = laying->controller;
        laying->controller += 1 + expander->ports;
    }
}

static bool fits(const struct laying *laying, const struct plan_expander *expander, const struct device *device)
{
    bool has_numbers = laying->controller <= CONTROLLER_MOST + 1 && (!expander || expander->number);
    if (has_numbers && (!expander || expander->ports <= PORTS_MOST))
        return true;
    struct findings *findings = laying->placing->findings;
    struct finding *finding = report(findings, has_numbers ? NM_bus_full : NM_no_bus_number, device_span(device),
                                     has_numbers ? "guest '%s' has more devices near one cell than a bus has ports"
                                     : expander && expander->kind == EXPANDER_PHB
                                         ? "guest '%s' has more buses on cells than the 30 host bridges there are"
                                         : "the buses of guest '%s' need more bus numbers than the 255 there are",
                                     laying->guest->name);
    finding_help(findings, finding,
                 has_numbers ? "declare a second 'expander-bus' on the cell, and name it in their 'bus'"
                             : "say fewer 'ports' and 'number' of its buses");
    return false;
}

/* Where on its bus: a port each, or a slot of a pxb, whose first is left alone as libvirt does. */
static void plug(struct laying *laying, const struct device *said, struct plan_device *device)
{
    if (device->expander == NO_EXPANDER) {
        bool wants_port = has_express(laying->guest) && !laying->guest->base_file;
        device->controller = wants_port ? laying->controller++ : 0;
        if (!fits(laying, NULL, said))
            device->controller = 0;
        return;
    }
    const struct plan_expander *expander = &laying->expanders[device->expander];
    if (device->expander < laying->guest->expander_count && laying->guest->expanders[device->expander].controller) {
        device->controller = device->slot = 0; /* the base says it */
    } else if (expander->kind == EXPANDER_PXB_PCIE) {
        device->controller = expander->controller + 1 + device->slot;
        device->slot = 0;
    } else {
        device->controller = expander->controller;
        device->slot++;
    }
    if (device->slot >= PORTS_MOST || !fits(laying, expander, said))
        device->controller = device->slot = 0;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void name_device(const struct laying *laying, const struct device *said, struct plan_device *device)
{
    const struct site_host *host = laying->draft->room ? laying->draft->room->host : NULL;
    struct findings *findings = laying->placing->findings;
    device->name = said->name;
    device->address = device_address(host, said->name, said->address);
    if (device->address)
        return;
    struct finding *finding = report(findings, NM_device_without_address, said->span,
                                     "device '%s' of guest '%s' has no address", said->name, laying->guest->name);
    finding_help(findings, finding, "write it: 'device %s 0000:41:00.0'", said->name);
    device->address = "0000:00:00.0";
}

void finish_buses(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    uint32_t bridges = out->memory_device_count - plugged_devices(out);
    uint32_t most = guest->expander_count + out->cell_count + bridges;
    if (!guest->expander_count && !guest->device_count && !bridges)
        return;
    struct laying laying = { .placing = placing, .draft = draft, .guest = guest, .out = out };
    laying.expanders = arena_array(placing->arena, struct plan_expander, most);
    laying.taken = arena_array(placing->scratch, struct bus_numbers, most + 1u);
    laying.used = arena_array(placing->scratch, uint32_t, most);
    laying.controller = MAX(guest->base_controllers, 1);
    struct plan_device *devices = arena_array(placing->arena, struct plan_device, guest->device_count);
    take_said(&laying);
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct device *said = &guest->devices[i];
        name_device(&laying, said, &devices[i]);
        devices[i].initiator =
            said->initiator ? cell_called(&laying, said->initiator, said_span(&said->said, W_DEVICE_INITIATOR, 1))
                            : NO_INITIATOR;
        choose_bus(&laying, &guest->devices[i], &devices[i]);
    }
    add_bridges(&laying);
    number_buses(&laying);
    number_controllers(&laying);
    for (uint32_t i = 0; i < guest->device_count; i++)
        plug(&laying, &guest->devices[i], &devices[i]);
    out->expanders = laying.expanders;
    out->expander_count = laying.count;
    out->devices = devices;
    out->device_count = guest->device_count;
}
