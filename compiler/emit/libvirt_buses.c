/* SPDX-License-Identifier: MIT
 *
 * PCI controllers and devices for libvirt: an expander bus on its cell, behind it the root ports, and the host's
 * devices in them.  Addresses are said only where libvirt would choose another bus.
 */
#include "emit/libvirt_numa.h"

static void open_controller(struct xml *xml, uint32_t number, const char *model, const char *name)
{
    xml_line(xml, "<controller type='pci' index='");
    xml_number(xml, number);
    xml_put(xml, "' model='");
    xml_put(xml, model);
    xml_end(xml, "'>");
    xml->depth++;
    xml_line(xml, "<model name='");
    xml_put(xml, name);
    xml_end(xml, "'/>");
}

static void xml_address(struct xml *xml, uint32_t bus, uint32_t slot)
{
    char address[80];
    g_snprintf(address, sizeof address,
               "<address type='pci' domain='0x0000' bus='0x%02x' slot='0x%02x' function='0x0'/>", bus, slot);
    xml_whole(xml, address);
}

static void xml_port(struct xml *xml, const struct plan_expander *expander, uint32_t port)
{
    open_controller(xml, expander->controller + 1 + port, "pcie-root-port", "pcie-root-port");
    xml_address(xml, expander->controller, port);
    xml_shut(xml, "</controller>");
}

void xml_expanders(struct xml *xml, const struct plan_guest *guest)
{
    static const char *const models[] = { [EXPANDER_PXB] = "pci-expander-bus",
                                          [EXPANDER_PXB_PCIE] = "pcie-expander-bus",
                                          [EXPANDER_PXB_CXL] = NULL,
                                          [EXPANDER_PHB] = "pci-root" };
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct plan_expander *expander = &guest->expanders[i];
        open_controller(xml, expander->controller, models[expander->kind], expander_kind_word(expander->kind));
        xml_line(xml, expander->kind == EXPANDER_PHB ? "<target index='" : "<target busNr='");
        xml_number(xml, expander->number);
        xml_end(xml, "'>");
        xml->depth++;
        xml_line(xml, "<node>");
        xml_number(xml, expander->cell);
        xml_end(xml, "</node>");
        xml_shut(xml, "</target>");
        xml_shut(xml, "</controller>");
        for (uint32_t p = 0; p < expander->ports; p++)
            xml_port(xml, expander, p);
    }
}

/* Devices on the root bus have a port of their own there, as libvirt would give them. */
void xml_root_ports(struct xml *xml, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        if (guest->devices[i].expander != NO_EXPANDER || !guest->devices[i].controller)
            continue;
        open_controller(xml, guest->devices[i].controller, "pcie-root-port", "pcie-root-port");
        xml_shut(xml, "</controller>");
    }
}

/* "0000:41:00.0" in its four parts */
static void xml_source(struct xml *xml, const char *address)
{
    char text[96];
    g_snprintf(text, sizeof text, "<address domain='0x%.4s' bus='0x%.2s' slot='0x%.2s' function='0x%.1s'/>", address,
               address + 5, address + 8, address + 11);
    xml_open(xml, "<source>");
    xml_whole(xml, text);
    xml_shut(xml, "</source>");
}

void xml_hostdevs(struct xml *xml, const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->device_count; i++) {
        const struct plan_device *device = &guest->devices[i];
        xml_open(xml, "<hostdev mode='subsystem' type='pci' managed='yes'>");
        xml_whole(xml, "<driver name='vfio'/>");
        xml_source(xml, device->address);
        if (device->controller)
            xml_address(xml, device->controller, device->slot);
        xml_shut(xml, "</hostdev>");
    }
}
