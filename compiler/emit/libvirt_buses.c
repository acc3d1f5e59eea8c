/* SPDX-License-Identifier: MIT
 *
 * PCI controllers for libvirt: an expander bus on its cell, and behind it the root ports that devices are put into.
 * Addresses are said only where libvirt would choose another bus.
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

static void xml_port(struct xml *xml, const struct plan_expander *expander, uint32_t port)
{
    char address[80];
    g_snprintf(address, sizeof address,
               "<address type='pci' domain='0x0000' bus='0x%02x' slot='0x%02x' function='0x0'/>", expander->controller,
               port);
    open_controller(xml, expander->controller + 1 + port, "pcie-root-port", "pcie-root-port");
    xml_whole(xml, address);
    xml_shut(xml, "</controller>");
}

void xml_expanders(struct xml *xml, const struct plan_guest *guest)
{
    static const char *const models[] = {
        [EXPANDER_PXB] = "pci-expander-bus", [EXPANDER_PXB_PCIE] = "pcie-expander-bus"
    };
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct plan_expander *expander = &guest->expanders[i];
        open_controller(xml, expander->controller, models[expander->kind], expander_kind_word(expander->kind));
        xml_line(xml, "<target busNr='");
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
