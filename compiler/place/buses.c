/* SPDX-License-Identifier: MIT
 *
 * The PCI buses of a guest: which cell an expander bus stands on, its numbers, its controllers.  Numbers that the site
 * says stand; the others are taken from the top, where the firmware's own count from the root bus is farthest away.
 */
#include "place/draft.h"

#include <string.h>

static uint32_t cell_called(struct placing *placing, const struct plan_guest *guest, const char *label,
                            struct span span)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, label) == 0)
            return c;
    struct finding *finding =
        report(placing->findings, NM_bus_cell, span, "guest '%s' has no cell '%s'", guest->name, label);
    finding_help(placing->findings, finding, "name one that it has: '%s'", guest->cells[0].name);
    return 0;
}

/* Whoever says a number has it, whatever stands before. */
static void take_said_numbers(const struct guest *guest, struct plan_expander *expanders, struct bus_numbers *taken)
{
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *said = &guest->expanders[i];
        expanders[i].kind = has_express(guest) ? EXPANDER_PXB_PCIE : EXPANDER_PXB;
        expanders[i].ports = expander_ports(guest, said);
        if (is_said(&said->said, W_EXPANDER_NUMBER))
            expanders[i].number = said->number;
        taken[i] = (struct bus_numbers){ expanders[i].number,
                                         said->number ? bus_numbers_of(expanders[i].kind, expanders[i].ports) : 0 };
    }
}

/* Behind the expanders' own entries in `taken` stands that of the base. */
static void number_expanders(struct plan_expander *expanders, struct bus_numbers *taken, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (expanders[i].number)
            continue;
        uint32_t needed = bus_numbers_of(expanders[i].kind, expanders[i].ports);
        expanders[i].number = free_bus_number(taken, count + 1, needed);
        taken[i] = (struct bus_numbers){ expanders[i].number, needed };
    }
}

void finish_buses(struct placing *placing, const struct draft *draft, struct plan_guest *out)
{
    const struct guest *guest = draft->guest;
    struct plan_expander *expanders = arena_array(placing->arena, struct plan_expander, guest->expander_count);
    struct bus_numbers *taken = arena_array(placing->scratch, struct bus_numbers, guest->expander_count + 1);
    uint32_t controller = MAX(guest->base_controllers, 1);
    take_said_numbers(guest, expanders, taken);
    if (guest->base_buses_end)
        taken[guest->expander_count] =
            (struct bus_numbers){ guest->base_buses_end, BUS_NUMBERS_END - guest->base_buses_end };
    number_expanders(expanders, taken, guest->expander_count);
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *said = &guest->expanders[i];
        expanders[i].name = said->name;
        expanders[i].cell = cell_called(placing, out, said->cell, said_span(&said->said, W_EXPANDER_CELL, 1));
        expanders[i].controller = said->controller ? said->controller : controller;
        if (said->controller)
            expanders[i].ports = 0; /* they are in the base, wherever it has put them */
        else
            controller += 1 + expanders[i].ports;
    }
    out->expanders = expanders;
    out->expander_count = guest->expander_count;
}
