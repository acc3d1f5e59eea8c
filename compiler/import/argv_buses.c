/* SPDX-License-Identifier: MIT
 *
 * PCI buses on cells of a command line, and the devices of the host that stand on them.
 */
#include "import/argv.h"

#include <string.h>

enum { MOST_DEVICES = 255 };

/* Buses on cells by their ids, and how many ports stand on each. */
struct bus {
    struct line *line; /* its first argument is its name */
    uint32_t ports;
    bool is_express;
};

struct buses {
    GHashTable *by_id, *by_port; /* both to struct bus */
    GHashTable *ids, *names;     /* of all devices: id, and plain name, to the property of the first that has it */
    uint32_t devices;
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* "pci.1" is `pci1`, as in the XML of guests. */
static const char *plain_name(struct arena *arena, const char *id)
{
    char *name = arena_string(arena, id, strlen(id)), *to = name;
    for (const char *from = id; *from; from++)
        if (*from != '.')
            *to++ = *from;
    *to = 0;
    return name;
}

static bool is_id(const char *text)
{
    enum { ID_BYTES = 255 };
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("-._", text[i]))
            return false;
    return g_ascii_isalpha(text[0]) && length <= ID_BYTES;
}

/* QEMU keeps all devices in one list, by their ids. */
static void gather_id(struct argv_guest *guest, const struct property *id, struct buses *buses)
{
    if (!is_id(id->value)) {
        argv_refuse(guest, id->where, "begin with a letter, then letters, digits, '-', '.' and '_'",
                    "'%.40s' is no id of a device", id->value);
        return;
    }
    const struct property *before = g_hash_table_lookup(buses->ids, id->value);
    if (before) {
        struct finding *finding =
            argv_report(guest, NM_argv_object, id->where, "two devices have the id '%.40s'", id->value);
        finding_label(guest->findings, finding, before->where, "the other one");
        finding_help(guest->findings, finding, "give each device an id of its own");
        return;
    }
    const char *name = plain_name(guest->arena, id->value);
    g_hash_table_insert(buses->ids, (gpointer)(uintptr_t)id->value, (gpointer)(uintptr_t)id);
    if (!g_hash_table_contains(buses->names, name))
        g_hash_table_insert(buses->names, (gpointer)(uintptr_t)name, (gpointer)(uintptr_t)id);
}

/* Its own id, or a number from `number` on that no other device has as its name. */
static const char *name_of(struct argv_guest *guest, const struct property *id, const char *kind, uint32_t number,
                           struct buses *buses)
{
    const char *name = id ? plain_name(guest->arena, id->value) : NULL;
    if (name && g_hash_table_lookup(buses->names, name) == id)
        return name;
    do
        name = arena_printf(guest->arena, "%s%u", kind, number++);
    while (g_hash_table_contains(buses->names, name));
    g_hash_table_insert(buses->names, (gpointer)(uintptr_t)name, buses);
    return name;
}

/* ---- buses and what stands on them ------------------------------------------------------------------------------ */

/* Buses that stand on no cell have no word; those of CXL go with their memory. */
static void say_bus(struct argv_guest *guest, struct option *option, struct buses *buses)
{
    const char *driver = option_text(option, "driver");
    bool is_express = g_strcmp0(driver, "pxb-pcie") == 0, is_phb = g_strcmp0(driver, "spapr-pci-host-bridge") == 0;
    const struct property *cell = option_take(option, "numa_node"),
                          *number = option_take(option, is_phb ? "index" : "bus_nr"), *id = option_take(option, "id");
    uint64_t of_cell, bus_number;
    if ((!is_express && !is_phb && g_strcmp0(driver, "pxb") != 0) || !cell || !id ||
        !property_number(guest, cell, ARGV_CELL_LIMIT - 1, &of_cell))
        return;
    struct bus *bus = arena_take(guest->arena, struct bus);
    option->is_carried = true;
    bus->is_express = is_express;
    bus->line =
        line_new(guest->arena, "expander-bus", name_of(guest, id, "bus", g_hash_table_size(buses->by_id), buses));
    bus->line->is_named = true;
    argv_line(guest, &bus->line->children, "cell", "%" G_GUINT64_FORMAT, of_cell);
    if (number && property_number(guest, number, UINT8_MAX, &bus_number))
        argv_line(guest, &bus->line->children, "number", "%" G_GUINT64_FORMAT, bus_number);
    if (g_hash_table_size(buses->by_id) == MOST_DEVICES) {
        argv_refuse(guest, option->span, "no guest has so many", "more than %d PCI buses on cells", MOST_DEVICES);
        return;
    }
    g_hash_table_insert(buses->by_id, (gpointer)(uintptr_t)id->value, bus);
    if (is_phb) /* whose bus has a name of its own */
        g_hash_table_insert(buses->by_port, arena_printf(guest->arena, "%s.0", id->value), bus);
    line_add(&guest->lines, bus->line);
}

static void count_port(struct option *option, struct buses *buses)
{
    const char *driver = option_text(option, "driver"), *on = option_text(option, "bus"),
               *id = option_text(option, "id");
    bool is_port = g_strcmp0(driver, "pcie-root-port") == 0 || g_strcmp0(driver, "ioh3420") == 0;
    struct bus *bus = on && is_port ? g_hash_table_lookup(buses->by_id, on) : NULL;
    if (!bus)
        return;
    bus->ports++;
    option->is_carried = true;
    if (id)
        g_hash_table_insert(buses->by_port, (gpointer)(uintptr_t)id, bus);
}

/* "5e:00.0" is in the first domain of the host. */
static const char *full_address(struct arena *arena, const char *address)
{
    const char *colon = strchr(address, ':');
    return colon && strchr(colon + 1, ':') ? address : arena_printf(arena, "0000:%s", address);
}

/* The object that makes a device the initiator of a cell. */
static void say_initiator(struct argv_guest *guest, struct line *device, const char *id)
{
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option)) {
        if (option->is_carried || g_strcmp0(option_text(option, "qom-type"), "acpi-generic-initiator") != 0 ||
            g_strcmp0(option_text(option, "pci-dev"), id) != 0)
            continue;
        const struct property *cell = option_take(option, "node");
        uint64_t number;
        option->is_carried = cell && property_number(guest, cell, ARGV_CELL_LIMIT - 1, &number);
        if (option->is_carried)
            argv_line(guest, &device->children, "initiator", "%" G_GUINT64_FORMAT, number);
        return;
    }
}

static void tell_other_initiators(struct argv_guest *guest)
{
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option))
        if (!option->is_carried && g_strcmp0(option_text(option, "qom-type"), "acpi-generic-initiator") == 0)
            argv_not_carried(guest, option->span, "name a device of this command line and a cell",
                             "an initiator without its device");
}

static struct option *device_called(const struct argv_guest *guest, const char *id)
{
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        const struct property *said = option_find(option, "id");
        if (said && strcmp(said->value, id) == 0)
            return option;
    }
    return NULL;
}

/* The bus on a cell that something is on, right on it, in a port of it or behind switches and bridges; or NULL. */
static const struct bus *bus_above(const struct argv_guest *guest, const struct buses *buses, const char *on)
{
    enum { BRIDGES = 8 };
    for (unsigned depth = 0; on && depth < BRIDGES; depth++) {
        const struct bus *bus = g_hash_table_lookup(buses->by_port, on);
        bus = bus ? bus : g_hash_table_lookup(buses->by_id, on);
        if (bus)
            return bus;
        struct option *bridge = device_called(guest, on);
        on = bridge ? option_text(bridge, "bus") : NULL;
    }
    return NULL;
}

/* A device of the host that a port, or a bus without ports, puts on a cell. */
static void say_device(struct argv_guest *guest, struct option *option, struct buses *buses)
{
    const struct property *host = option_take(option, "host");
    const char *on = option_text(option, "bus");
    const struct property *id = option_take(option, "id");
    if (g_strcmp0(option_text(option, "driver"), "vfio-pci") != 0 || !host)
        return;
    const struct bus *bus = bus_above(guest, buses, on);
    option->is_carried = true;
    if (buses->devices++ == MOST_DEVICES) {
        argv_refuse(guest, option->span, "no guest has so many", "more than %d devices of the host", MOST_DEVICES);
        return;
    }
    const char *name = name_of(guest, id, "hostdev", buses->devices - 1, buses);
    struct line *line = argv_text_line(guest, &guest->lines, "device", name, option->span);
    if (line)
        line_add_argument(guest->arena, line, full_address(guest->arena, host->value));
    if (line && bus)
        argv_line(guest, &line->children, "bus", "%s", bus->line->arguments[0]);
    if (line && id)
        say_initiator(guest, line, id->value);
}

static void say_ports(struct argv_guest *guest, const struct buses *buses)
{
    GHashTableIter at;
    gpointer each;
    g_hash_table_iter_init(&at, buses->by_id);
    while (g_hash_table_iter_next(&at, NULL, &each)) {
        const struct bus *bus = each;
        if (bus->is_express && bus->ports)
            argv_line(guest, &bus->line->children, "ports", "%u", bus->ports);
    }
}

void argv_buses(struct argv_guest *guest)
{
    struct buses buses = { .by_id = g_hash_table_new(g_str_hash, g_str_equal),
                           .by_port = g_hash_table_new(g_str_hash, g_str_equal),
                           .ids = g_hash_table_new(g_str_hash, g_str_equal),
                           .names = g_hash_table_new(g_str_hash, g_str_equal) };
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        const struct property *id = option_find(option, "id");
        if (id)
            gather_id(guest, id, &buses);
    }
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option && !guest->failed;
         option = argv_next(guest, ARGV_DEVICE, option))
        say_bus(guest, option, &buses);
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option))
        count_port(option, &buses);
    say_ports(guest, &buses);
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option && !guest->failed;
         option = argv_next(guest, ARGV_DEVICE, option))
        say_device(guest, option, &buses);
    tell_other_initiators(guest);
    g_hash_table_destroy(buses.by_id);
    g_hash_table_destroy(buses.by_port);
    g_hash_table_destroy(buses.ids);
    g_hash_table_destroy(buses.names);
}
