/* SPDX-License-Identifier: MIT
 *
 * Devices of the host while a guest is placed: whether they are there and free, and which cell is drawn to their node.
 * Which bus they get is settled when all is placed (buses.c).
 */
#include "place/draft.h"

#include <string.h>

static const struct draft *holder_of(const struct room *room, const char *address)
{
    for (const struct draft *draft = room->guests; draft; draft = draft->before)
        for (uint32_t i = 0; i < draft->guest->device_count; i++) {
            const struct device *device = &draft->guest->devices[i];
            const char *other = device_address(room->host, device->name, device->address);
            if (other && strcmp(other, address) == 0)
                return draft;
        }
    return NULL;
}

static struct span address_span(const struct device *device)
{
    return device->address ? said_span(&device->said, W_GUEST_DEVICE, 1) : device->span;
}

/* The address of a device that is there and free; NULL where it is not, which is told. */
static const char *claim(const struct room *room, const struct device *device, struct findings *findings)
{
    const char *address = device_address(room->host, device->name, device->address), *name = room->host->name;
    struct finding *finding;
    if (!address) {
        finding = report(findings, NM_device_without_address, device->span, "host '%s' has no device named '%s'", name,
                         device->name);
        finding_help(findings, finding, "write its address: 'device %s 0000:41:00.0', here or in the host",
                     device->name);
        return NULL;
    }
    if (room->host->facts->devices_known && !device_at(room->host, address)) {
        finding =
            report(findings, NM_device_not_on_host, address_span(device), "host '%s' has no device %s", name, address);
        finding_help(findings, finding, "'numac host show' lists the devices");
        return NULL;
    }
    const struct draft *holder = holder_of(room, address);
    if (!holder)
        return address;
    finding = report(findings, NM_device_claimed, address_span(device), "guest '%s' has device %s of host '%s' already",
                     holder->guest->name, address, name);
    finding_label(findings, finding, holder->guest->span, "this guest");
    finding_note(findings, finding, "a device goes to one guest: the second would not start");
    finding_help(findings, finding, "give it another device, or let it live on another host");
    return NULL;
}

/* ---- cells near them -------------------------------------------------------------------------------------------- */

static bool has_node(const struct draft *draft, uint32_t node)
{
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (draft->cells[c].fixed && ids_contains(draft->cells[c].fixed, node))
            return true;
    return false;
}

/* The cell that a device is to be near: said, else the first whose nodes are open; NO_INDEX: none has to move. */
static uint32_t drawn_cell(const struct draft *draft, const char *label, uint32_t node)
{
    if (!label && has_node(draft, node))
        return NO_INDEX;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (!draft->cells[c].fixed && (!label || strcmp(draft->cells[c].name, label) == 0))
            return c;
    return NO_INDEX;
}

static bool has_room(const struct attempt *attempt, uint32_t cell, uint32_t node)
{
    return memory_has_room(attempt, &attempt->draft->cells[cell], &node, 1) && check_cpus(attempt, cell, &node, 1);
}

static void draw(const struct attempt *attempt, const struct device *device, const char *address)
{
    const struct host_device *facts = device_at(attempt->room->host, address);
    if (!facts || facts->node_os_index == NO_INDEX)
        return; /* a rule of the plan tells it */
    uint32_t node = room_find_node(attempt->room, facts->node_os_index);
    uint32_t cell = drawn_cell(attempt->draft, device_cell(attempt->draft->guest, device), facts->node_os_index);
    if (node == NO_INDEX || cell == NO_INDEX || (!is_required_near(device) && !has_room(attempt, cell, node)))
        return;
    attempt->draft->cells[cell].fixed = attempt->room->nodes[node].self;
}

bool claim_devices(const struct attempt *attempt, struct findings *findings)
{
    const struct guest *guest = attempt->draft->guest;
    bool fine = true;
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const char *address = claim(attempt->room, &guest->devices[i], findings);
        if (address)
            draw(attempt, &guest->devices[i], address);
        else
            fine = false;
    }
    return fine;
}
