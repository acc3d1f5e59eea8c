/* SPDX-License-Identifier: MIT
 *
 * PCI buses of a domain XML that stand on cells, and devices of the host, as items: `expander-bus pci1 { cell 0; number
 * 254 }`, called after the number of its controller, and `device hostdev0 0000:41:00.0 { bus pci1 }`, after its place
 * among the devices.  Whatever else is on the buses stays in the base.
 */
#include "syntax/domain.h"

#include <stdlib.h>
#include <string.h>

enum { CONTROLLERS = 256 };

struct buses {
    struct domain *domain;
    const struct element *controllers[CONTROLLERS]; /* by number; those that say it */
    uint32_t ports[CONTROLLERS];                    /* root ports right on them */
    uint32_t above[CONTROLLERS];                    /* the bus that one is on */
    bool is_item[CONTROLLERS];
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

static bool is_of_ppc64(const struct domain *domain)
{
    const struct element *type = domain_first(domain, PART_OS_TYPE);
    const struct text_value *arch = type ? element_value(type, "arch") : NULL;
    return arch && arch->text && g_str_has_prefix(arch->text, "ppc64");
}

/* Of ppc64: a root of its own, the first of which is on no cell. */
static bool is_host_bridge(const struct domain *domain, const struct element *controller)
{
    return is_pci_controller(controller) && value_is(element_value(controller, "model"), "pci-root") &&
           is_of_ppc64(domain);
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
    uint32_t bus, number;
    for (const struct element *each = domain_first(buses->domain, PART_CONTROLLER_ADDRESS); each; each = each->next) {
        if (!is_pci_controller(each->parent) || !number_of(element_value(each, "bus"), CONTROLLERS - 1, &bus))
            continue;
        buses->ports[bus] += value_is(element_value(each->parent, "model"), "pcie-root-port");
        if (number_of(element_value(each->parent, "index"), CONTROLLERS - 1, &number))
            buses->above[number] = bus;
    }
}

static void add_expander(struct buses *buses, struct item_list *top, uint32_t number, const struct element *node)
{
    struct domain *domain = buses->domain;
    const struct element *target = node->parent, *controller = target->parent;
    const struct text_value *bus = element_value(target, is_host_bridge(domain, controller) ? "index" : "busNr");
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
    buses->is_item[number] = true;
}

static bool is_expander(const struct domain *domain, const struct element *controller)
{
    const struct text_value *model = element_value(controller, "model");
    return is_host_bridge(domain, controller) ||
           (is_pci_controller(controller) &&
            (value_is(model, "pci-expander-bus") || value_is(model, "pcie-expander-bus")));
}

/* libvirt numbers host bridges from below, which says nothing of how many the others are. */
static uint32_t end_of_host_bridges(const struct domain *domain)
{
    uint32_t end = 0, number;
    for (const struct element *each = domain_first(domain, PART_CONTROLLER); each; each = each->next)
        end += is_host_bridge(domain, each);
    for (const struct element *each = domain_first(domain, PART_CONTROLLER_TARGET); each; each = each->next)
        if (is_host_bridge(domain, each->parent) && number_of(element_value(each, "index"), UINT8_MAX, &number))
            end = MAX(end, number + 1);
    return end;
}

/* Targets and their nodes stand in the same order. */
static uint32_t end_of_buses(const struct domain *domain)
{
    const struct element *node = domain_first(domain, PART_CONTROLLER_NODE);
    uint32_t end = 0, number;
    for (const struct element *each = domain_first(domain, PART_CONTROLLER_TARGET); each; each = each->next) {
        if (node && node->parent == each)
            node = node->next;
        else if (is_expander(domain, each->parent) && number_of(element_value(each, "busNr"), UINT8_MAX, &number) &&
                 number)
            end = end ? MIN(end, number) : number;
    }
    return end;
}

/* ---- devices of the host ---------------------------------------------------------------------------------------- */

static uint32_t part_of_address(const struct element *address, const char *name, uint32_t most, bool *fine)
{
    const struct text_value *value = element_value(address, name);
    uint32_t number = 0;
    if (value->text && !number_of(value, most, &number))
        *fine = false;
    return number;
}

/* The bus that stands on a cell and has this device, right on it or in a port; 0: none. */
static uint32_t bus_of_device(const struct buses *buses, const struct element *address)
{
    uint32_t bus;
    if (!address || !number_of(element_value(address, "bus"), CONTROLLERS - 1, &bus))
        return 0;
    return buses->is_item[bus] ? bus : buses->is_item[buses->above[bus]] ? buses->above[bus] : 0;
}

static void add_device(const struct buses *buses, struct item_list *top, const struct element *source, uint32_t place,
                       const struct element *address)
{
    struct domain *domain = buses->domain;
    bool fine = true;
    uint32_t parts[] = { part_of_address(source, "domain", UINT16_MAX, &fine),
                         part_of_address(source, "bus", UINT8_MAX, &fine), part_of_address(source, "slot", 31, &fine),
                         part_of_address(source, "function", 7, &fine) };
    if (!fine)
        return; /* libvirt tells it */
    const struct element *hostdev = source->parent->parent;
    g_autofree char *name = g_strdup_printf("hostdev%u", place);
    g_autofree char *text = g_strdup_printf("%04x:%02x:%02x.%u", parts[0], parts[1], parts[2], parts[3]);
    struct word words[] = { word_implied(domain, hostdev, SLOT_LABEL, name),
                            word_implied(domain, source, SLOT_VALUE, text) };
    struct item *item = item_of(domain, word_implied(domain, hostdev, SLOT_NAME, "device"), words, 2);
    uint32_t bus = bus_of_device(buses, address);
    if (bus) {
        g_autofree char *bus_name = g_strdup_printf("pci%u", bus);
        struct item_list block = { 0 };
        item_add(item, &block, item_with(domain, address, "bus", word_implied(domain, address, SLOT_VALUE, bus_name)));
    }
    item_add(NULL, top, item);
}

static void add_devices(const struct buses *buses, struct item_list *top)
{
    struct domain *domain = buses->domain;
    g_autoptr(GHashTable) addresses = g_hash_table_new(NULL, NULL), places = g_hash_table_new(NULL, NULL);
    uint32_t place = 0;
    for (const struct element *each = domain_first(domain, PART_HOSTDEV_ADDRESS); each; each = each->next)
        g_hash_table_insert(addresses, (gpointer)(uintptr_t)each->parent, (gpointer)(uintptr_t)each);
    for (const struct element *each = domain_first(domain, PART_HOSTDEV); each; each = each->next)
        g_hash_table_insert(places, (gpointer)(uintptr_t)each, GUINT_TO_POINTER(place++));
    for (const struct element *each = domain_first(domain, PART_HOSTDEV_SOURCE_ADDRESS); each; each = each->next) {
        const struct element *hostdev = each->parent->parent;
        if (value_is(element_value(hostdev, "type"), "pci"))
            add_device(buses, top, each, GPOINTER_TO_UINT(g_hash_table_lookup(places, hostdev)),
                       g_hash_table_lookup(addresses, hostdev));
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

void devices_to_items(struct domain *domain, struct item_list *top, struct domain_identity *identity)
{
    struct buses buses = { .domain = domain };
    uint32_t number;
    find_controllers(&buses, &identity->controllers);
    count_ports(&buses);
    identity->buses_end = is_of_ppc64(domain) ? end_of_host_bridges(domain) : end_of_buses(domain);
    for (const struct element *node = domain_first(domain, PART_CONTROLLER_NODE); node; node = node->next) {
        const struct element *controller = node->parent->parent;
        if (is_expander(domain, controller) &&
            number_of(element_value(controller, "index"), CONTROLLERS - 1, &number) && number &&
            buses.controllers[number] == controller)
            add_expander(&buses, top, number, node);
        else if (domain->left)
            domain_tell_lost(domain, element_extent(controller), "a PCI bus on a cell");
    }
    add_devices(&buses, top);
}
