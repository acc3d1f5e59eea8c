/* SPDX-License-Identifier: MIT
 *
 * Rules about devices of the host that a guest gets for itself: which bus of the guest they are on, and whether the
 * cell that the guest sees them near is on their node.
 */
#include "check/subject.h"

#include <string.h>

enum { SLOTS_OF_A_BUS = 31 }; /* of a pxb; the first is left alone */

/* ---- as declared ------------------------------------------------------------------------------------------------ */

static void buses_of_devices_exist(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct device *device = &guest->devices[i];
        if (!is_sound(&device->said, W_DEVICE_BUS) || find_expander(guest, device->bus) ||
            device->bus == device->base_bus)
            continue; /* or its bus in the base was removed, and is now on no cell */
        struct finding *finding = report(check->findings, NM_device_bus, said_span(&device->said, W_DEVICE_BUS, 1),
                                         "guest '%s' has no expander bus '%s'", guest->name, device->bus);
        if (guest->expander_count)
            finding_help(check->findings, finding, "name one that it has: '%s'", guest->expanders[0].name);
        else
            finding_help(check->findings, finding,
                         "leave 'bus' out, and one is made; or write 'expander-bus %s { ... }'", device->bus);
    }
}

static void cells_of_devices_exist(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count && guest->cell_count; i++) {
        const struct device *device = &guest->devices[i];
        if (!is_sound(&device->said, W_DEVICE_CELL) || find_cell(guest, device->cell))
            continue;
        struct finding *finding = report(check->findings, NM_bus_cell, said_span(&device->said, W_DEVICE_CELL, 1),
                                         "guest '%s' has no cell '%s'", guest->name, device->cell);
        finding_help(check->findings, finding, "name one that it has: '%s'", guest->cells[0].name);
    }
}

static void devices_and_buses_agree(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct device *device = &guest->devices[i];
        const struct expander_bus *bus = device->bus ? find_expander(guest, device->bus) : NULL;
        if (!bus || !is_sound(&device->said, W_DEVICE_CELL) || !is_sound(&bus->said, W_EXPANDER_CELL) ||
            strcmp(device->cell, bus->cell) == 0)
            continue;
        struct finding *finding = report(check->findings, NM_device_cells, said_span(&device->said, W_DEVICE_CELL, 1),
                                         "device '%s' is to be near cell '%s', and its bus stands on cell '%s'",
                                         device->name, device->cell, bus->cell);
        finding_label(check->findings, finding, said_span(&bus->said, W_EXPANDER_CELL, 1), "the cell of '%s'",
                      bus->name);
        finding_help(check->findings, finding, "keep one of 'cell' and 'bus': the bus says the cell");
    }
}

/* The first device that finds no place on the bus, or NULL; *out_places as many as it has. */
static const struct device *left_over(const struct guest *guest, const struct expander_bus *bus, uint32_t *out_places)
{
    uint32_t places = has_express(guest) ? expander_ports(guest, bus) : SLOTS_OF_A_BUS, on_it = 0;
    *out_places = bus->controller ? 0 : places;
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct device *device = &guest->devices[i];
        bool is_here = device->bus && strcmp(device->bus, bus->name) == 0;
        bool was_here = device->base_bus && strcmp(device->base_bus, bus->name) == 0;
        if (is_here && (bus->controller ? !was_here : ++on_it > places))
            return device;
    }
    return NULL;
}

static void devices_fit_their_bus(const struct check *check, const struct guest *guest)
{
    uint32_t places;
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *bus = &guest->expanders[i];
        const struct device *device = is_failed(&bus->said, W_EXPANDER_PORTS) ? NULL : left_over(guest, bus, &places);
        if (!device)
            continue;
        struct finding *finding;
        if (bus->controller) {
            finding =
                report(check->findings, NM_ports_of_base, said_span(&device->said, W_DEVICE_BUS, 1),
                       "expander bus '%s' is of the base, and device '%s' is not on it there", bus->name, device->name);
            finding_note(check->findings, finding, "which ports of it are free is known to the base only");
            finding_help(check->findings, finding, "leave 'bus' out, and one is made on the right cell");
            continue;
        }
        finding = report(check->findings, NM_bus_full, said_span(&device->said, W_DEVICE_BUS, 1),
                         "bus '%s' of guest '%s' takes %u device%s, and '%s' is one more", bus->name, guest->name,
                         places, places == 1 ? "" : "s", device->name);
        if (is_said(&bus->said, W_EXPANDER_PORTS))
            finding_label(check->findings, finding, said_span(&bus->said, W_EXPANDER_PORTS, 1), "its ports");
        finding_help(check->findings, finding, "leave 'ports' out, or put it on another bus");
    }
}

const struct model_rule device_rules[] = {
    { .name = "buses-of-devices-exist", .source = "peers 181", .of_whole = true, .run = buses_of_devices_exist },
    { .name = "cells-of-devices-exist", .source = "peers 181", .of_whole = true, .run = cells_of_devices_exist },
    { .name = "devices-and-buses-agree", .source = "peers 190", .run = devices_and_buses_agree },
    { .name = "devices-fit-their-bus", .source = "PCI Express: one device on a link", .run = devices_fit_their_bus },
    { 0 }
};

/* ---- as planned ------------------------------------------------------------------------------------------------- */

static const struct device *said_device(const struct planned_guest *planned, uint32_t device)
{
    return &planned->guest->devices[device];
}

static struct span address_span(const struct device *device)
{
    return device->address ? said_span(&device->said, W_GUEST_DEVICE, 1) : device->span;
}

static void devices_are_had_once(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 1; i < plan->device_count; i++)
        for (uint32_t other = 0; other < i; other++) {
            if (strcmp(plan->devices[i].address, plan->devices[other].address) != 0)
                continue;
            struct finding *finding = report(check->findings, NM_device_twice, address_span(said_device(planned, i)),
                                             "guest '%s' has device %s twice", plan->name, plan->devices[i].address);
            finding_label(check->findings, finding, address_span(said_device(planned, other)), "here too");
            finding_help(check->findings, finding, "remove one of the two");
            break;
        }
}

/* Whether a cell, or NO_INDEX: some cell, is bound to this node; true too where nobody knows. */
static bool is_near(const struct plan_guest *plan, uint32_t cell, uint32_t node)
{
    for (uint32_t c = 0; c < plan->cell_count; c++)
        if ((cell == NO_INDEX || c == cell) && (!plan->cells[c].nodes || ids_contains(plan->cells[c].nodes, node)))
            return true;
    return false;
}

static void report_far(const struct check *check, const struct planned_guest *planned, uint32_t device, uint32_t cell,
                       uint32_t node)
{
    const struct device *said = said_device(planned, device);
    bool is_preferred = !is_required_near(said);
    const char *address = planned->plan->devices[device].address, *host = planned->host->name;
    struct span span = cell != NO_INDEX && is_said(&said->said, W_DEVICE_CELL)
                           ? said_span(&said->said, W_DEVICE_CELL, 1)
                           : address_span(said);
    struct finding *finding;
    if (cell == NO_INDEX)
        finding = report(check->findings, is_preferred ? NM_device_not_preferred : NM_device_far, span,
                         "device %s is on node %u of host '%s', and no cell of guest '%s' is", address, node, host,
                         planned->plan->name);
    else
        finding =
            report(check->findings, is_preferred ? NM_device_not_preferred : NM_device_far, span,
                   "device %s is on node %u of host '%s', and %s, which it is near in the guest, on %s", address, node,
                   host, cell_text(check, planned, cell), ids_text(check->arena, planned->plan->cells[cell].nodes));
    if (is_preferred)
        return;
    finding_note(check->findings, finding, "the guest would take the device's memory traffic for local");
    finding_help(check->findings, finding, "write 'node device:%s' in a cell, or 'affinity preferred' for the device",
                 said->name);
}

static void devices_are_near_their_cells(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; planned->host && i < plan->device_count; i++) {
        const struct host_device *facts = device_at(planned->host, plan->devices[i].address);
        uint32_t expander = plan->devices[i].expander,
                 cell = expander == NO_EXPANDER ? NO_INDEX : plan->expanders[expander].cell;
        if (facts && facts->node_os_index != NO_INDEX && !is_near(plan, cell, facts->node_os_index))
            report_far(check, planned, i, cell, facts->node_os_index);
    }
}

/* Nodes of the kernel's -1: firmware that says nothing, as many do. */
static void nodes_of_devices_are_known(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    for (uint32_t i = 0; facts && facts->node_count > 1 && i < plan->device_count; i++) {
        const struct host_device *device = device_at(planned->host, plan->devices[i].address);
        if (device && device->node_os_index != NO_INDEX)
            continue;
        struct finding *finding =
            report(check->findings, NM_device_node_unknown, address_span(said_device(planned, i)),
                   facts->devices_known ? "host '%s' does not tell which node device %s is on"
                                        : "the source of host '%s' tells no devices, so not the node of %s either",
                   planned->host->name, plan->devices[i].address);
        finding_note(check->findings, finding, "whether the guest is near it was not checked");
        if (facts->devices_known)
            finding_help(check->findings, finding, "say its 'cell', and the guest's 'node'");
        else
            finding_help(check->findings, finding, "record the host with 'numac host record'");
        if (!facts->devices_known)
            return; /* the same of all */
    }
}

static void guests_see_where_devices_are(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t i = 0; plan->cell_count > 1 && i < plan->device_count; i++) {
        const struct device *said = said_device(planned, i);
        const struct host_device *facts = planned->host ? device_at(planned->host, plan->devices[i].address) : NULL;
        if (!said->is_of_base || plan->devices[i].expander != NO_EXPANDER || !facts || facts->node_os_index == NO_INDEX)
            continue;
        struct finding *finding =
            report(check->findings, NM_device_unseen, address_span(said),
                   "the base of guest '%s' puts device %s on no cell, and the guest cannot see that it is near one",
                   plan->name, plan->devices[i].address);
        uint32_t cell = 0;
        while (cell + 1 < plan->cell_count &&
               !(plan->cells[cell].nodes && ids_contains(plan->cells[cell].nodes, facts->node_os_index)))
            cell++;
        finding_help(check->findings, finding, "say its cell: 'device %s { cell %s }'", said->name,
                     plan->cells[cell].name);
    }
}

const struct plan_rule plan_device_rules[] = {
    { .name = "devices-are-had-once", .source = "one owner of a device", .run = devices_are_had_once },
    { .name = "devices-are-near-their-cells", .source = "peers 188, 190, 192", .run = devices_are_near_their_cells },
    { .name = "nodes-of-devices-are-known", .source = "Linux: numa_node -1", .run = nodes_of_devices_are_known },
    { .name = "guests-see-where-devices-are", .source = "peers 191", .run = guests_see_where_devices_are },
    { 0 }
};

/* ---- of the site ------------------------------------------------------------------------------------------------ */

/* On a host placement sees to it; without one all guests are taken to be on the same machine. */
static void devices_have_one_owner(const struct check *check, const struct planned_site *planned)
{
    g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal); /* address to planned guest */
    for (uint32_t g = 0; g < planned->plan->guest_count; g++) {
        const struct planned_guest *guest = &planned->guests[g];
        for (uint32_t i = 0; !guest->host && i < guest->plan->device_count; i++) {
            char *address = (char *)(uintptr_t)guest->plan->devices[i].address;
            const struct planned_guest *owner = g_hash_table_lookup(owners, address);
            if (!owner)
                g_hash_table_insert(owners, address, (gpointer)(uintptr_t)guest);
            if (!owner || owner == guest)
                continue;
            struct finding *finding = report(check->findings, NM_device_claimed, address_span(said_device(guest, i)),
                                             "guest '%s' has device %s too", owner->plan->name, address);
            finding_label(check->findings, finding, owner->guest->span, "this guest");
            finding_note(check->findings, finding, "a device goes to one guest: the second would not start");
            finding_help(check->findings, finding, "give it another device, or declare the hosts they live on");
        }
    }
}

const struct site_rule device_site_rules[] = {
    { .name = "devices-have-one-owner", .source = "one owner of a device", .run = devices_have_one_owner }, { 0 }
};
