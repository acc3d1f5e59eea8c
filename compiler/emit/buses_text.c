/* SPDX-License-Identifier: MIT
 *
 * PCI buses and devices in the text of a plan, a line each.
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

void append_devices(GString *out, const struct plan_guest *guest, const char *margin)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct plan_device *device = &guest->devices[i];
        append(out, margin);
        append(out, "device ");
        append(out, device->name);
        append(out, ": ");
        append(out, device->address);
        if (device->expander != NO_EXPANDER) {
            append(out, " on bus ");
            append(out, guest->expanders[device->expander].name);
        } else if (guest->cell_count > 1) {
            append(out, ", on no cell");
        }
        append(out, "\n");
    }
}
