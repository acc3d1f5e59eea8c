/* SPDX-License-Identifier: MIT
 *
 * PCI buses and devices for QEMU, under the names that libvirt gives them: pci.N, by the number of the controller.
 */
#include "emit/qemu_buses.h"

static void expander_bus(struct argv *argv, const struct plan_expander *expander)
{
    argv_option(argv, "-device");
    argv_begin(argv, expander_kind_word(expander->kind));
    put_number(argv, ",id=pci.", expander->controller);
    if (expander->kind == EXPANDER_PHB) {
        put_number(argv, ",index=", expander->number);
    } else {
        argv_put(argv, expander->kind == EXPANDER_PXB ? ",bus=pci.0" : ",bus=pcie.0");
        put_number(argv, ",bus_nr=", expander->number);
    }
    put_number(argv, ",numa_node=", expander->cell);
    argv_end(argv);
}

/* QEMU would take the last of several host bridges. */
void put_root_bus(struct argv *argv, const struct plan_guest *guest)
{
    if (guest->expander_count && guest->expanders[0].kind == EXPANDER_PHB)
        argv_put(argv, ",bus=pci.0");
}

static void put_slot(struct argv *argv, uint32_t slot)
{
    char address[16];
    g_snprintf(address, sizeof address, ",addr=0x%x", slot); /* without 0x it would be hexadecimal all the same */
    argv_put(argv, address);
}

/* Each has a chassis of its own, by which its slot is told from others. */
static void open_port(struct argv *argv, const char *driver, uint32_t controller)
{
    argv_option(argv, "-device");
    argv_begin(argv, driver);
    put_number(argv, ",id=pci.", controller);
    put_number(argv, ",chassis=", controller);
}

static void port(struct argv *argv, const struct plan_expander *expander, uint32_t number)
{
    open_port(argv, expander->kind == EXPANDER_PXB_CXL ? "cxl-rp" : "pcie-root-port",
              expander->controller + 1 + number);
    put_number(argv, ",bus=pci.", expander->controller);
    put_slot(argv, number);
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

/* Since QEMU 9.0. */
static void generic_initiator(struct argv *argv, uint32_t device, uint32_t cell)
{
    argv_option(argv, "-object");
    argv_begin(argv, "acpi-generic-initiator");
    put_number(argv, ",id=initiator", device);
    put_number(argv, ",pci-dev=hostdev", device);
    put_number(argv, ",node=", cell);
    argv_end(argv);
}

void qemu_host_devices(struct argv *argv, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct plan_device *device = &guest->devices[i];
        if (device->expander == NO_EXPANDER && device->controller) {
            open_port(argv, "pcie-root-port", device->controller);
            argv_put(argv, ",bus=pcie.0");
            argv_end(argv);
        }
        argv_option(argv, "-device");
        argv_begin(argv, "vfio-pci,host=");
        argv_text(argv, device->address);
        put_number(argv, ",id=hostdev", i);
        if (device->controller) {
            put_number(argv, ",bus=pci.", device->controller);
            if (device->expander != NO_EXPANDER && guest->expanders[device->expander].kind == EXPANDER_PHB)
                argv_put(argv, ".0"); /* the bus of a host bridge has a name of its own */
            put_slot(argv, device->slot);
        } else {
            put_root_bus(argv, guest);
        }
        argv_end(argv);
        if (device->initiator != NO_INITIATOR)
            generic_initiator(argv, i, device->initiator);
    }
}
