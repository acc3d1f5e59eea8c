/* SPDX-License-Identifier: MIT
 *
 * Loads PCI buses and devices from the plan's JSON, and refuses what QEMU could not have together: buses of two kinds,
 * with numbers that meet, or on cells that are not there; devices that are there twice, or two in one place.
 */
#include "plan/json_buses.h"

#include <string.h>

enum { MOST_EXPANDERS = BUS_NUMBER_MOST / 2, MOST_DEVICES = 256 };

static const char *const expander_keys[] = { "name", "kind", "cell", "number", "controller", "ports", NULL };
static const char *const kinds[] = { "pxb", "pxb-pcie", "pxb-cxl", "spapr-pci-host-bridge" };

static void check_ranges(struct plan_reader *reader, const struct plan_expander *expander,
                         const struct plan_guest *guest)
{
    if (!reader->failed && !guest->has_numa)
        reader_fail(reader, NM_plan_conflict, "cell", "guest '%s' is told of no cells", guest->name);
    if (!reader->failed && expander->number + bus_numbers_of(expander->kind, expander->ports) > BUS_NUMBERS_END)
        reader_fail(reader, NM_plan_conflict, "number", "there are no %u bus numbers behind it", expander->ports);
    if (!reader->failed && expander->controller + expander->ports > CONTROLLER_MOST)
        reader_fail(reader, NM_plan_conflict, "controller", "its ports would be controllers above %d", CONTROLLER_MOST);
}

static bool ranges_meet(uint32_t first, uint32_t count, uint32_t other, uint32_t other_count)
{
    return first < other + other_count && other < first + count;
}

/* Those of PCI Express and of CXL stand together. */
static bool go_together(enum expander_kind one, enum expander_kind other)
{
    return one == other || (!has_slots_for_devices(one) && !has_slots_for_devices(other));
}

static void check_others(struct plan_reader *reader, const struct plan_expander *expanders, uint32_t at)
{
    const struct plan_expander *here = &expanders[at];
    for (uint32_t i = 0; i < at && !reader->failed; i++) {
        const struct plan_expander *other = &expanders[i];
        if (strcmp(other->name, here->name) == 0)
            reader_fail(reader, NM_plan_conflict, "name", "two buses are named '%s'", here->name);
        else if (!go_together(other->kind, here->kind))
            reader_fail(reader, NM_plan_conflict, "kind", "a machine has buses of one kind");
        else if (ranges_meet(here->number, bus_numbers_of(here->kind, here->ports), other->number,
                             bus_numbers_of(other->kind, other->ports)))
            reader_fail(reader, NM_plan_conflict, "number", "its bus numbers meet those of '%s'", other->name);
        else if (ranges_meet(here->controller, 1 + here->ports, other->controller, 1 + other->ports))
            reader_fail(reader, NM_plan_conflict, "controller", "its controllers meet those of '%s'", other->name);
    }
}

static void read_expander(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                          struct plan_expander *out)
{
    if (!read_object(reader, object, expander_keys))
        return;
    out->name = read_text(reader, object, "name", REQUIRED);
    out->kind = read_word(reader, object, "kind", REQUIRED, kinds, G_N_ELEMENTS(kinds), EXPANDER_PXB);
    out->cell = (uint32_t)read_number(reader, object, "cell", REQUIRED, 0, guest->cell_count - 1);
    out->number = (uint32_t)read_number(reader, object, "number", REQUIRED, 1, bus_number_most(out->kind));
    out->controller = (uint32_t)read_number(reader, object, "controller", REQUIRED, 1, CONTROLLER_MOST);
    bool may_lack = has_slots_for_devices(out->kind) || guest->has_base;
    out->ports = (uint32_t)read_number(reader, object, "ports", may_lack ? OPTIONAL : REQUIRED, 1, PORTS_MOST);
    if (!reader->failed && has_slots_for_devices(out->kind) && out->ports)
        reader_fail(reader, NM_plan_conflict, "ports", "a %s has slots and no ports", expander_kind_word(out->kind));
    if (!reader->failed && out->kind == EXPANDER_PXB_CXL && out->ports != 1)
        reader_fail(reader, NM_plan_conflict, "ports", "a pxb-cxl has one port");
    check_ranges(reader, out, guest);
}

/* Each cxl has its bridge, on its cell, and each bridge its cxl. */
static void check_bridges(struct plan_reader *reader, const struct plan_guest *guest)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < guest->expander_count; i++)
        left += guest->expanders[i].kind == EXPANDER_PXB_CXL;
    for (uint32_t i = 0; !reader->failed && i < guest->memory_device_count; i++) {
        if (guest->memory_devices[i].model != MEMORY_CXL)
            continue;
        const struct plan_expander *bridge = cxl_bridge(guest, i);
        left--;
        if (!bridge || bridge->cell != guest->memory_devices[i].cell)
            reader_fail(reader, NM_plan_conflict, "expanders", "cxl '%s' has no pxb-cxl on its cell",
                        guest->memory_devices[i].memory.name);
    }
    if (!reader->failed && left)
        reader_fail(reader, NM_plan_conflict, "expanders", "there are more buses of pxb-cxl than cxl");
}

void read_expanders(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    size_t count;
    struct json_c_object *array = read_array(reader, object, "expanders", OPTIONAL, MOST_EXPANDERS, &count);
    struct plan_expander *expanders = arena_array(reader->arena, struct plan_expander, count);
    reader_enter(reader, "expanders");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        reader_enter_element(reader, i);
        read_expander(reader, json_object_array_get_idx(array, i), guest, &expanders[i]);
        check_others(reader, expanders, (uint32_t)i);
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->expanders = expanders;
    guest->expander_count = (uint32_t)count;
    check_bridges(reader, guest);
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static bool is_address(const char *text)
{
    static const char form[] = "xxxx:xx:xx.o";
    for (size_t i = 0; i < sizeof form; i++) /* their ends too */
        if (form[i] == 'x'   ? !g_ascii_isxdigit(text[i]) || g_ascii_isupper(text[i])
            : form[i] == 'o' ? text[i] < '0' || text[i] > '7'
                             : text[i] != form[i])
            return false;
    return true;
}

static uint32_t find_bus(struct plan_reader *reader, const struct plan_guest *guest, const char *name)
{
    for (uint32_t i = 0; i < guest->expander_count; i++)
        if (strcmp(guest->expanders[i].name, name) == 0)
            return i;
    reader_fail(reader, NM_plan_conflict, "bus", "guest '%s' has no bus '%s'", guest->name, name);
    return NO_EXPANDER;
}

/* Whether there is such a place: a port of its bus, a slot of it, a port on the root bus. */
static bool has_place(const struct plan_guest *guest, const struct plan_device *device)
{
    if (device->expander == NO_EXPANDER)
        return !device->slot;
    const struct plan_expander *expander = &guest->expanders[device->expander];
    if (!device->controller)
        return guest->has_base;
    if (expander->kind == EXPANDER_PXB_CXL)
        return false;
    if (has_slots_for_devices(expander->kind))
        return device->controller == expander->controller && device->slot;
    return device->controller > expander->controller && device->controller <= expander->controller + expander->ports &&
           !device->slot;
}

static void check_device(struct plan_reader *reader, const struct plan_guest *guest, const struct plan_device *devices,
                         uint32_t at)
{
    const struct plan_device *here = &devices[at];
    if (!reader->failed && !is_address(here->address))
        reader_fail(reader, NM_plan_value, "address", "'%s' is no PCI address", here->address);
    if (!reader->failed && !has_place(guest, here))
        reader_fail(reader, NM_plan_conflict, "controller", "there is no such place on its bus");
    for (uint32_t i = 0; !reader->failed && i < guest->expander_count && here->expander == NO_EXPANDER; i++)
        if (here->controller &&
            ranges_meet(here->controller, 1, guest->expanders[i].controller, 1 + guest->expanders[i].ports))
            reader_fail(reader, NM_plan_conflict, "controller", "it is one of bus '%s'", guest->expanders[i].name);
    for (uint32_t i = 0; !reader->failed && i < at; i++)
        if (strcmp(devices[i].address, here->address) == 0)
            reader_fail(reader, NM_plan_conflict, "address", "device '%s' has this address", devices[i].name);
        else if (here->controller && devices[i].controller == here->controller && devices[i].slot == here->slot)
            reader_fail(reader, NM_plan_conflict, "controller", "device '%s' is in this place", devices[i].name);
}

static uint32_t read_initiator(struct plan_reader *reader, struct json_c_object *object, const struct plan_guest *guest,
                               const struct plan_device *devices, uint32_t at)
{
    if (!json_object_object_get_ex(object, "initiator", NULL))
        return NO_INITIATOR;
    uint32_t cell = (uint32_t)read_number(reader, object, "initiator", REQUIRED, 0, guest->cell_count - 1);
    if (!reader->failed && (guest->cells[cell].vcpus->count || guest->cells[cell].memory_bytes))
        reader_fail(reader, NM_plan_conflict, "initiator", "cell %u has vCPUs or memory of its own", cell);
    for (uint32_t i = 0; !reader->failed && i < at; i++)
        if (devices[i].initiator == cell)
            reader_fail(reader, NM_plan_conflict, "initiator", "cell %u is device '%s's", cell, devices[i].name);
    return cell;
}

void read_devices(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest)
{
    static const char *const keys[] = { "name", "address", "bus", "initiator", "controller", "slot", NULL };
    size_t count;
    struct json_c_object *array = read_array(reader, object, "devices", OPTIONAL, MOST_DEVICES, &count);
    struct plan_device *devices = arena_array(reader->arena, struct plan_device, count);
    reader_enter(reader, "devices");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        reader_enter_element(reader, i);
        if (read_object(reader, element, keys)) {
            devices[i].name = read_text(reader, element, "name", REQUIRED);
            devices[i].address = read_text(reader, element, "address", REQUIRED);
            const char *bus = read_text(reader, element, "bus", OPTIONAL);
            devices[i].expander = bus ? find_bus(reader, guest, bus) : NO_EXPANDER;
            devices[i].initiator = read_initiator(reader, element, guest, devices, (uint32_t)i);
            devices[i].controller = (uint32_t)read_number(reader, element, "controller", OPTIONAL, 1, CONTROLLER_MOST);
            devices[i].slot = (uint32_t)read_number(reader, element, "slot",
                                                    devices[i].controller ? REQUIRED : OPTIONAL, 0, PORTS_MOST - 1);
            check_device(reader, guest, devices, (uint32_t)i);
        }
        reader_leave(reader);
    }
    reader_leave(reader);
    guest->devices = devices;
    guest->device_count = (uint32_t)count;
}
