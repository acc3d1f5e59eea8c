/* SPDX-License-Identifier: MIT
 *
 * PCI buses and devices in the plan's JSON; a guest without any leaves them out.
 */
#include "plan/json_buses.h"

void write_expanders(struct json *json, const struct plan_guest *guest)
{
    if (!guest->expander_count)
        return;
    json_array(json, "expanders");
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct plan_expander *expander = &guest->expanders[i];
        json_object(json, NULL);
        json_string(json, "name", expander->name);
        json_string(json, "kind", expander_kind_word(expander->kind));
        json_number(json, "cell", expander->cell);
        json_number(json, "number", expander->number);
        json_number(json, "controller", expander->controller);
        if (expander->ports)
            json_number(json, "ports", expander->ports);
        json_end(json, '}');
    }
    json_end(json, ']');
}

void write_devices(struct json *json, const struct plan_guest *guest)
{
    if (!guest->device_count)
        return;
    json_array(json, "devices");
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct plan_device *device = &guest->devices[i];
        json_object(json, NULL);
        json_string(json, "name", device->name);
        json_string(json, "address", device->address);
        if (device->expander != NO_EXPANDER)
            json_string(json, "bus", guest->expanders[device->expander].name);
        if (device->controller) {
            json_number(json, "controller", device->controller);
            json_number(json, "slot", device->slot);
        }
        json_end(json, '}');
    }
    json_end(json, ']');
}
