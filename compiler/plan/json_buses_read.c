/* SPDX-License-Identifier: MIT
 *
 * Loads PCI buses from the plan's JSON, and refuses those that QEMU could not have together: of two kinds, with
 * numbers that meet, or on cells that are not there.
 */
#include "plan/json_buses.h"

enum { MOST_EXPANDERS = BUS_NUMBER_MOST / 2 };

static const char *const expander_keys[] = { "name", "kind", "cell", "number", "controller", "ports", NULL };
static const char *const kinds[] = { "pxb", "pxb-pcie" };

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

static void check_others(struct plan_reader *reader, const struct plan_expander *expanders, uint32_t at)
{
    const struct plan_expander *here = &expanders[at];
    for (uint32_t i = 0; i < at && !reader->failed; i++) {
        const struct plan_expander *other = &expanders[i];
        if (other->kind != here->kind)
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
    out->number = (uint32_t)read_number(reader, object, "number", REQUIRED, 1, BUS_NUMBER_MOST);
    out->controller = (uint32_t)read_number(reader, object, "controller", REQUIRED, 1, CONTROLLER_MOST);
    bool may_lack = out->kind == EXPANDER_PXB || guest->has_base;
    out->ports = (uint32_t)read_number(reader, object, "ports", may_lack ? OPTIONAL : REQUIRED, 1, PORTS_MOST);
    if (!reader->failed && out->kind == EXPANDER_PXB && out->ports)
        reader_fail(reader, NM_plan_conflict, "ports", "a pxb has slots and no ports");
    check_ranges(reader, out, guest);
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
}
