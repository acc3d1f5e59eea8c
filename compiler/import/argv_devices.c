/* SPDX-License-Identifier: MIT
 *
 * Devices of a command line, as far as the language goes: the disk, the network and the kernel that `boot` says.  What
 * is about NUMA and has no word yet is told one by one; the rest is left out.
 */
#include "import/argv.h"

#include <string.h>

#include "emit/emit.h"

/* ---- devices that belong to cells ------------------------------------------------------------------------------- */

static const char cxl_shape[] = "numac gives each CXL memory a bridge on a cell and a window of addresses of its own";

/* A new word takes its row out of here. */
static const struct {
    const char *prefix, *about, *note; /* note: NULL: there is no word at all */
} no_words[] = {
    { "cxl-type3", "memory behind CXL", cxl_shape },  { "cxl-", "a port of CXL", cxl_shape },
    { "pxb-cxl", "a host bridge of CXL", cxl_shape }, { "pxb", "a PCI expander bus", NULL },
    { "vfio-", "a device of the host", NULL },
};

static const char *about_device(struct option *option, const char *driver, const char **out_note)
{
    *out_note = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(no_words); i++)
        if (g_str_has_prefix(driver, no_words[i].prefix)) {
            *out_note = no_words[i].note;
            return no_words[i].about;
        }
    return option_take(option, "numa_node") ? "a PCI bus on a cell" : NULL;
}

/* Its memory is the device's business. */
static void take_backend(struct argv_guest *guest, struct option *option)
{
    static const char *const keys[] = { "memdev", "volatile-memdev", "persistent-memdev", "lsa" };
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *id = option_text(option, keys[i]);
        struct backend *backend = id ? g_hash_table_lookup(guest->backends, id) : NULL;
        if (backend)
            backend->is_used = true;
    }
}

/* ---- devices ---------------------------------------------------------------------------------------------------- */

static void read_device(struct argv_guest *guest, struct option *option)
{
    const char *driver = option_text(option, "driver");
    if (!driver) {
        argv_refuse(guest, option->span, "write its driver first", "a device lacks its driver");
        return;
    }
    if (option->is_carried || argv_is_vcpu(option))
        return;
    const char *note, *about = about_device(option, driver, &note);
    take_backend(guest, option);
    if (about) {
        argv_not_carried(guest, option->span, note, "%s", about);
        return;
    }
    g_autofree char *what = g_strdup_printf("-device %.40s", driver);
    argv_leave_out(guest, option->span, what);
}

static void tell_idle_backends(struct argv_guest *guest)
{
    for (struct option *option = argv_next(guest, ARGV_OBJECT, NULL); option;
         option = argv_next(guest, ARGV_OBJECT, option)) {
        const char *id = option_text(option, "id");
        const struct backend *backend = id ? g_hash_table_lookup(guest->backends, id) : NULL;
        if (backend && backend->option == option && !backend->is_used)
            argv_not_carried(guest, option->span, "no cell and no device uses it", "the memory '%.40s'", id);
    }
}

/* ---- the disk and the network ----------------------------------------------------------------------------------- */

static struct option *named(struct argv_guest *guest, enum argv_kind kind, const char *key, const char *name)
{
    for (struct option *option = argv_next(guest, kind, NULL); option; option = argv_next(guest, kind, option))
        if (g_strcmp0(option_text(option, key), name) == 0)
            return option;
    return NULL;
}

/* The file of a node, in its own properties or in those of the node below that it names. */
static const char *file_of_node(struct argv_guest *guest, struct option *node, struct option **out_protocol)
{
    const char *path = option_text(node, "file.filename"), *below = option_text(node, "file");
    option_take(node, "file.driver");
    if (!path) /* a protocol alone is raw */
        path = option_text(node, "filename");
    struct option *protocol = !path && below ? named(guest, ARGV_BLOCKDEV, "node-name", below) : NULL;
    if (!protocol)
        return path;
    const char *driver = option_text(protocol, "driver");
    *out_protocol = protocol;
    return g_strcmp0(driver, "file") == 0 || g_strcmp0(driver, "host_device") == 0 ? option_text(protocol, "filename")
                                                                                   : NULL;
}

/* The file behind a name that a disk gives, where numac would open it in the same way. */
static const char *file_of(struct argv_guest *guest, const char *name, struct option **out_option)
{
    struct option *drive = named(guest, ARGV_DRIVE, "id", name);
    struct option *node = drive ? drive : named(guest, ARGV_BLOCKDEV, "node-name", name), *protocol = node;
    if (!node)
        return NULL;
    const char *format = option_text(node, drive ? "format" : "driver");
    const char *path = drive ? option_text(node, "file") : file_of_node(guest, node, &protocol);
    option_take(node, "if");
    *out_option = node;
    bool is_raw = !format || strcmp(format, "file") == 0 || strcmp(format, "host_device") == 0;
    if (!path || !*path || (!is_raw && strcmp(format, disk_format(path)) != 0))
        return NULL;
    node->is_carried = protocol->is_carried = true;
    return path;
}

/* numac has one disk, on virtio: the first. */
static struct option *find_disk(struct argv_guest *guest, struct option **out_node, const char **out_path)
{
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        const char *driver = option_text(option, "driver"), *drive = option_text(option, "drive");
        if (driver && drive && g_str_has_prefix(driver, "virtio-blk"))
            return (*out_path = file_of(guest, drive, out_node)) ? option : NULL;
    }
    for (struct option *option = argv_next(guest, ARGV_DRIVE, NULL); option;
         option = argv_next(guest, ARGV_DRIVE, option)) {
        const char *path = option_text(option, "file"), *format = option_text(option, "format");
        if (path && *path && g_strcmp0(option_text(option, "if"), "virtio") == 0 &&
            strcmp(format ? format : disk_format(path), disk_format(path)) == 0) {
            *out_path = path;
            option->is_carried = true;
            return *out_node = option;
        }
    }
    return NULL;
}

static struct option *find_network(struct argv_guest *guest, struct option **out_netdev)
{
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option)) {
        const char *driver = option_text(option, "driver"), *netdev = option_text(option, "netdev");
        if (!driver || !netdev || !g_str_has_prefix(driver, "virtio-net"))
            continue;
        *out_netdev = named(guest, ARGV_NETDEV, "id", netdev);
        return *out_netdev && g_strcmp0(option_text(*out_netdev, "type"), "bridge") == 0 ? option : NULL;
    }
    return NULL;
}

static void leave_others(struct argv_guest *guest, enum argv_kind kind, const char *what)
{
    for (struct option *option = argv_next(guest, kind, NULL); option; option = argv_next(guest, kind, option))
        if (option->is_carried)
            argv_leave_unused(guest, option, NULL);
        else
            argv_leave_out(guest, option->span, what);
}

/* ---- what the machine starts ------------------------------------------------------------------------------------ */

static void say_text(struct argv_guest *guest, struct line *boot, enum argv_kind kind, const char *word)
{
    const struct option *option = argv_last(guest, kind);
    if (option && *option->value->text)
        argv_text_line(guest, &boot->children, word, option->value->text, option->span);
}

/* A flash chip holds the code of UEFI: nothing else is kept in one. */
static bool has_flash(const struct argv_guest *guest)
{
    bool found = guest->has_flash;
    for (struct option *option = argv_next(guest, ARGV_DRIVE, NULL); option;
         option = argv_next(guest, ARGV_DRIVE, option)) {
        const struct property *interface = option_find(option, "if");
        found |= interface && strcmp(interface->value, "pflash") == 0;
    }
    return found;
}

bool argv_starts_uefi(const struct argv_guest *guest)
{
    const struct option *bios = argv_last(guest, ARGV_BIOS);
    return has_flash(guest) || (bios && is_uefi_image(bios->value->text));
}

static void say_firmware(struct argv_guest *guest, struct line *boot)
{
    const struct option *bios = argv_last(guest, ARGV_BIOS);
    bool is_own = bios && strcmp(bios->value->text, "default") == 0;
    if (argv_starts_uefi(guest))
        argv_line(guest, &boot->children, "firmware", "uefi");
    else if (bios && !is_own)
        argv_leave_out(guest, bios->span, "-bios");
}

void argv_boot(struct argv_guest *guest)
{
    struct line *boot = line_new(guest->arena, "boot", NULL);
    struct option *node = NULL, *netdev = NULL;
    const char *path = NULL;
    boot->is_tall = true;
    say_firmware(guest, boot);
    say_text(guest, boot, ARGV_KERNEL, "kernel");
    say_text(guest, boot, ARGV_INITRD, "initrd");
    say_text(guest, boot, ARGV_APPEND, "cmdline");
    struct option *disk = find_disk(guest, &node, &path), *network = find_network(guest, &netdev);
    if (disk) {
        argv_text_line(guest, &boot->children, "disk", path, node->span);
        option_take(disk, "iothread");
    }
    if (network) {
        const struct property *bridge = option_take(netdev, "br");
        argv_text_line(guest, &boot->children, "network", bridge ? bridge->value : "br0",
                       bridge ? bridge->where : netdev->span);
    }
    argv_buses(guest);
    if (guest->failed)
        return;
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option;
         option = argv_next(guest, ARGV_DEVICE, option))
        if (option == disk || option == network)
            argv_leave_unused(guest, option, NULL);
        else
            read_device(guest, option);
    if (network)
        netdev->is_carried = true;
    leave_others(guest, ARGV_DRIVE, "-drive");
    leave_others(guest, ARGV_BLOCKDEV, "-blockdev");
    leave_others(guest, ARGV_NETDEV, "-netdev");
    tell_idle_backends(guest);
    if (boot->children)
        line_add(&guest->lines, boot);
}
