/* SPDX-License-Identifier: MIT
 *
 * PCI buses in the text of a plan, a line each.
 */
#include "emit/guest_parts.h"

void append_expanders(GString *out, const struct plan_guest *guest, const char *margin)
{
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct plan_expander *expander = &guest->expanders[i];
        append(out, margin);
        append(out, "bus ");
        append(out, expander->name);
        append(out, " on cell ");
        append(out, guest->cells[expander->cell].name);
        append(out, ": number ");
        append_number(out, expander->number);
        if (expander->ports) {
            append(out, ", ");
            append_number(out, expander->ports);
            append(out, expander->ports == 1 ? " port" : " ports");
        }
        append(out, "\n");
    }
}
