/* SPDX-License-Identifier: MIT
 *
 * PCI buses for QEMU, under the names that libvirt gives them: pci.N, by the number of the controller.
 */
#include "emit/qemu_buses.h"

static void expander_bus(struct argv *argv, const struct plan_expander *expander)
{
    argv_option(argv, "-device");
    argv_begin(argv, expander_kind_word(expander->kind));
    put_number(argv, ",id=pci.", expander->controller);
    argv_put(argv, expander->kind == EXPANDER_PXB_PCIE ? ",bus=pcie.0" : ",bus=pci.0");
    put_number(argv, ",bus_nr=", expander->number);
    put_number(argv, ",numa_node=", expander->cell);
    argv_end(argv);
}

/* A chassis of its own for each, as the number that its slots are told apart by. */
static void port(struct argv *argv, const struct plan_expander *expander, uint32_t number)
{
    char address[16];
    g_snprintf(address, sizeof address, ",addr=0x%x", number); /* without 0x it would be hexadecimal all the same */
    argv_option(argv, "-device");
    argv_begin(argv, "pcie-root-port");
    put_number(argv, ",id=pci.", expander->controller + 1 + number);
    put_number(argv, ",bus=pci.", expander->controller);
    argv_put(argv, address);
    put_number(argv, ",chassis=", expander->controller + 1 + number);
    argv_end(argv);
}

void qemu_expanders(struct argv *argv, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        expander_bus(argv, &guest->expanders[i]);
        for (uint32_t p = 0; p < guest->expanders[i].ports; p++)
            port(argv, &guest->expanders[i], p);
    }
}
