/* SPDX-License-Identifier: MIT
 *
 * PCI buses of a domain XML that stand on cells, as items: `expander-bus pci1 { cell 0; number 254 }`, called after the
 * number of its controller.  Whatever else is on the buses stays in the base.
 */
#include "syntax/domain.h"

#include <stdlib.h>
#include <string.h>

enum { CONTROLLERS = 256 };

struct buses {
    struct domain *domain;
    const struct element *controllers[CONTROLLERS]; /* by number; those that say it */
    uint32_t ports[CONTROLLERS];                    /* root ports right on them */
};

/* Decimal or hexadecimal, as libvirt reads addresses; false: neither, which libvirt tells of. */
static bool number_of(const struct text_value *value, uint64_t most, uint32_t *out_number)
{
    char *end;
    if (!value->text || !g_ascii_isdigit(value->text[0]))
        return false;
    uint64_t number = g_ascii_strtoull(value->text, &end, 0);
    *out_number = (uint32_t)number;
    return !*end && number <= most;
}

static bool is_pci_controller(const struct element *controller)
{
    return value_is(element_value(controller, "type"), "pci");
}

static void find_controllers(struct buses *buses, uint32_t *out_next)
{
    uint32_t number, unnumbered = 0, next = 0;
    for (const struct element *each = domain_first(buses->domain, PART_CONTROLLER); each; each = each->next) {
        if (!is_pci_controller(each))
            continue;
        if (!element_value(each, "index")->text) {
            unnumbered++; /* libvirt numbers them behind the others */
        } else if (number_of(element_value(each, "index"), CONTROLLERS - 1, &number)) {
            buses->controllers[number] = each;
            next = MAX(next, number + 1);
        }
    }
    next = MAX(next, buses->domain->bus_most + 1);
    *out_next = MIN(next + unnumbered, CONTROLLERS);
}

static void count_ports(struct buses *buses)
{
    uint32_t bus;
    for (const struct element *each = domain_first(buses->domain, PART_CONTROLLER_ADDRESS); each; each = each->next)
        if (value_is(element_value(each->parent, "model"), "pcie-root-port") &&
            number_of(element_value(each, "bus"), CONTROLLERS - 1, &bus))
            buses->ports[bus]++;
}

static void add_expander(struct buses *buses, struct item_list *top, uint32_t number, const struct element *node)
{
    struct domain *domain = buses->domain;
    const struct element *target = node->parent, *controller = target->parent;
    const struct text_value *bus = element_value(target, "busNr");
    bool is_express = value_is(element_value(controller, "model"), "pcie-expander-bus");
    g_autofree char *name = g_strdup_printf("pci%u", number), *ports = g_strdup_printf("%u", buses->ports[number]);
    struct item_list block = { 0 };
    struct item *item =
        item_with(domain, controller, "expander-bus", word_implied(domain, controller, SLOT_LABEL, name));
    item_add(item, &block, item_with(domain, node, "cell", word_value(domain, &node->content)));
    if (bus->text) {
        struct word word = word_value(domain, bus);
        item_add(item, &block, item_of(domain, word_named(domain, bus->name, "number"), &word, 1));
    }
    if (is_express && buses->ports[number])
        item_add(item, &block, item_with(domain, target, "ports", word_implied(domain, target, SLOT_LABEL, ports)));
    item_add(NULL, top, item);
}

static bool is_expander(const struct element *controller)
{
    const struct text_value *model = element_value(controller, "model");
    return is_pci_controller(controller) &&
           (value_is(model, "pci-expander-bus") || value_is(model, "pcie-expander-bus"));
}

/* Targets and their nodes stand in the same order. */
static uint32_t end_of_buses(const struct domain *domain)
{
    const struct element *node = domain_first(domain, PART_CONTROLLER_NODE);
    uint32_t end = 0, number;
    for (const struct element *each = domain_first(domain, PART_CONTROLLER_TARGET); each; each = each->next) {
        if (node && node->parent == each)
            node = node->next;
        else if (is_expander(each->parent) && number_of(element_value(each, "busNr"), UINT8_MAX, &number) && number)
            end = end ? MIN(end, number) : number;
    }
    return end;
}

/* libvirt's machine of x86 is the old one where nothing is said. */
static bool has_express(const struct domain *domain)
{
    const struct element *type = domain_first(domain, PART_OS_TYPE);
    const struct text_value *machine = type ? element_value(type, "machine") : NULL;
    if (!machine || !machine->text)
        return false;
    return !value_is(machine, "pc") && !g_str_has_prefix(machine->text, "pc-i440fx");
}

void devices_to_items(struct domain *domain, struct item_list *top, struct domain_identity *identity)
{
    struct buses buses = { .domain = domain };
    uint32_t number;
    find_controllers(&buses, &identity->controllers);
    count_ports(&buses);
    identity->has_express = has_express(domain);
    identity->buses_end = end_of_buses(domain);
    for (const struct element *node = domain_first(domain, PART_CONTROLLER_NODE); node; node = node->next) {
        const struct element *controller = node->parent->parent;
        if (is_expander(controller) && number_of(element_value(controller, "index"), CONTROLLERS - 1, &number) &&
            number && buses.controllers[number] == controller)
            add_expander(&buses, top, number, node);
    }
}
