/* SPDX-License-Identifier: MIT
 *
 * What the words of a guest come to where its PCI buses are concerned, for rules and placement alike.
 */
#include "model/model.h"

#include <string.h>

bool has_express(const struct guest *guest)
{
    if (guest->base_file && !guest->machine)
        return guest->base_has_express;
    return !guest->machine || (strcmp(guest->machine, "pc") != 0 && strncmp(guest->machine, "pc-i440fx", 9) != 0);
}

uint32_t expander_ports(const struct guest *guest, const struct expander_bus *expander)
{
    if (!has_express(guest))
        return 0;
    return is_said(&expander->said, W_EXPANDER_PORTS) ? expander->ports : 1;
}
