/* SPDX-License-Identifier: MIT
 *
 * Writes a guest into the domain XML it has as its base.  One table says which elements numac owns; those that say
 * something else than the plan are replaced, missing ones are put where libvirt has them, and every other byte of the
 * base stays as it is.
 */
#include "emit/overlay.h"

#include "emit/libvirt_numa.h"
#include "emit/overlay_edit.h"
#include "syntax/syntax.h"

/* ---- what numac owns -------------------------------------------------------------------------------------------- */

struct owned {
    const char *name;
    const char *key;              /* there are several, told apart by this attribute */
    bool is_device;               /* ... or by the names that its reader gives memory devices */
    const struct owned *children; /* NULL: owned whole; else only these children are */
    const char *const *order;     /* of the children of this element in libvirt */
    bool owns_tag;                /* the attributes too, where only some children are owned */
    bool stays_unsaid;            /* where the plan has nothing to say, the base may */
    bool goes_whole;              /* ... or else it goes with all that is in it */
    bool stays_itself;            /* ... or else only what is owned in it goes */
    /* which of several it is, where no attribute tells it alone; NULL: not one that numac owns */
    const char *(*key_of)(struct arena *arena, const struct xml_element *element);
};

static const char *const domain_order[] = {
    "name",
    "uuid",
    "genid",
    "title",
    "description",
    "metadata",
    "maxMemory",
    "memory",
    "currentMemory",
    "blkiotune",
    "memtune",
    "memoryBacking",
    "vcpu",
    "vcpus",
    "iothreads",
    "iothreadids",
    "defaultiothread",
    "cputune",
    "numatune",
    "resource",
    "sysinfo",
    "bootloader",
    "bootloader_args",
    "os",
    "idmap",
    "throttlegroups",
    "features",
    "cpu",
    "clock",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "on_lockfailure",
    "pm",
    "perf",
    "devices",
    NULL,
};
static const char *const memtune_order[] = { "hard_limit", "soft_limit", "min_guarantee", "swap_hard_limit", NULL };
static const char *const backing_order[] = { "hugepages", "nosharepages", "locked",  "source",
                                             "access",    "allocation",   "discard", NULL };
static const char *const iothreadids_order[] = { "iothread", NULL };
static const char *const iothread_order[] = { "poll", NULL };
static const char *const cputune_order[] = {
    "shares",         "period",          "quota",          "global_period", "global_quota", "emulator_period",
    "emulator_quota", "iothread_period", "iothread_quota", "vcpupin",       "emulatorpin",  "iothreadpin",
    "emulatorsched",  "vcpusched",       "iothreadsched",  "cachetune",     "memorytune",   NULL,
};
static const char *const cpu_order[] = {
    "model", "vendor", "topology", "cache", "maxphysaddr", "feature", "numa", NULL
};
static const char *const devices_order[] = {
    "emulator", "disk",        "controller", "lease",    "filesystem", "interface", "smartcard", "serial", "parallel",
    "console",  "channel",     "input",      "tpm",      "graphics",   "sound",     "audio",     "video",  "hostdev",
    "redirdev", "redirfilter", "hub",        "watchdog", "memballoon", "rng",       "nvram",     "panic",  "shmem",
    "memory",   "iommu",       "vsock",      "crypto",   "pstore",     NULL,
};
static const char *const controller_order[] = { "driver", "model", "target", "alias", "address", NULL };
static const char *const hostdev_order[] = { "driver", "source", "boot", "rom", "alias", "address", NULL };
static const char *const target_order[] = { "node", NULL };
static const char *const numa_order[] = { "cell", "interconnects", NULL };
static const char *const cell_order[] = { "distances", "cache", NULL };

static const char *const memory_order[] = { "uuid", "source", "target", "alias", "address", NULL };
static const char *const memory_source_order[] = { "nodemask", "pagesize", "path", "alignsize", "pmem", NULL };
static const char *const memory_target_order[] = { "size",      "node",    "label",   "readonly", "block",
                                                   "requested", "current", "address", NULL };

/* An expander bus on a cell goes by the number of its controller. */
static const char *expander_key(struct arena *arena, const struct xml_element *controller)
{
    (void)arena;
    const char *type = xml_attribute(controller, "type"), *model = xml_attribute(controller, "model");
    const struct xml_element *target = xml_child(controller, "target");
    const char *number = xml_attribute(controller, "index");
    bool is_root = model && strcmp(model, "pci-root") == 0 && number && strcmp(number, "0") != 0;
    bool is_expander = type && model && strcmp(type, "pci") == 0 &&
                       (is_root || strcmp(model, "pci-expander-bus") == 0 || strcmp(model, "pcie-expander-bus") == 0);
    return is_expander && target && xml_child(target, "node") ? number : NULL;
}

static uint64_t address_part(const struct xml_element *address, const char *name)
{
    const char *text = xml_attribute(address, name);
    return text ? g_ascii_strtoull(text, NULL, 0) : 0;
}

/* A device of the host goes by its address there. */
static const char *hostdev_key(struct arena *arena, const struct xml_element *hostdev)
{
    const char *type = xml_attribute(hostdev, "type");
    const struct xml_element *source = xml_child(hostdev, "source"),
                             *address = source ? xml_child(source, "address") : NULL;
    if (!type || strcmp(type, "pci") != 0 || !address)
        return NULL;
    return arena_printf(arena, "%04x:%02x:%02x.%x", (unsigned)address_part(address, "domain"),
                        (unsigned)address_part(address, "bus"), (unsigned)address_part(address, "slot"),
                        (unsigned)address_part(address, "function"));
}

static const struct owned in_memtune[] = { { .name = "hard_limit", .stays_unsaid = true }, { 0 } };
static const struct owned in_backing[] = {
    { .name = "hugepages" }, { .name = "nosharepages" }, { .name = "locked" },  { .name = "source" },
    { .name = "access" },    { .name = "allocation" },   { .name = "discard" }, { 0 },
};
static const struct owned in_iothread[] = { { .name = "poll" }, { 0 } };
static const struct owned in_iothreadids[] = {
    { .name = "iothread", .key = "id", .children = in_iothread, .order = iothread_order, .owns_tag = true },
    { 0 },
};
static const struct owned in_cputune[] = {
    { .name = "vcpupin", .key = "vcpu" },
    { .name = "emulatorpin" },
    { .name = "iothreadpin", .key = "iothread" },
    { .name = "emulatorsched" },
    { .name = "vcpusched", .key = "vcpus" },
    { .name = "iothreadsched", .key = "iothreads" },
    { .name = "cachetune", .key = "vcpus" },
    { .name = "memorytune", .key = "vcpus" },
    { 0 },
};
static const struct owned in_cell[] = { { .name = "distances" }, { .name = "cache", .key = "level" }, { 0 } };
static const struct owned in_numa[] = {
    { .name = "cell", .key = "id", .children = in_cell, .order = cell_order, .owns_tag = true },
    { .name = "interconnects" },
    { 0 },
};
static const struct owned in_cpu[] = {
    { .name = "topology" },
    { .name = "numa", .children = in_numa, .order = numa_order, .goes_whole = true },
    { 0 },
};
static const struct owned in_target[] = { { .name = "node" }, { 0 } };
static const struct owned in_controller[] = {
    { .name = "target", .children = in_target, .order = target_order, .owns_tag = true, .stays_itself = true }, { 0 }
};
static const struct owned in_memory_source[] = { { .name = "nodemask" },  { .name = "pagesize" }, { .name = "path" },
                                                 { .name = "alignsize" }, { .name = "pmem" },     { 0 } };
static const struct owned in_memory_target[] = {
    { .name = "size" },  { .name = "node" },      { .name = "label" },   { .name = "readonly" },
    { .name = "block" }, { .name = "requested" }, { .name = "address" }, { 0 },
};
static const struct owned in_memory_device[] = {
    { .name = "source", .children = in_memory_source, .order = memory_source_order },
    { .name = "target", .children = in_memory_target, .order = memory_target_order, .owns_tag = true },
    { .name = "address", .stays_unsaid = true }, /* on the PCI bus: the base's */
    { 0 },
};
static const struct owned in_hostdev[] = { { .name = "address", .stays_unsaid = true }, { 0 } };
static const struct owned in_devices[] = {
    { .name = "controller",
      .key_of = expander_key,
      .children = in_controller,
      .order = controller_order,
      .stays_itself = true },
    { .name = "memory", .is_device = true, .children = in_memory_device, .order = memory_order, .owns_tag = true },
    { .name = "hostdev", .key_of = hostdev_key, .children = in_hostdev, .order = hostdev_order },
    { 0 },
};
static const struct owned in_domain[] = {
    { .name = "name" },
    { .name = "uuid" },
    { .name = "maxMemory", .stays_unsaid = true },
    { .name = "memory" },
    { .name = "currentMemory" },
    { .name = "memtune", .children = in_memtune, .order = memtune_order, .stays_unsaid = true },
    { .name = "memoryBacking", .children = in_backing, .order = backing_order },
    { .name = "vcpu" },
    { .name = "vcpus" }, /* which vCPUs are online: all of the plan's */
    { .name = "iothreads", .stays_unsaid = true },
    { .name = "iothreadids", .children = in_iothreadids, .order = iothreadids_order, .stays_unsaid = true },
    { .name = "cputune", .children = in_cputune, .order = cputune_order },
    { .name = "numatune" },
    { .name = "cpu", .children = in_cpu, .order = cpu_order },
    { .name = "devices", .children = in_devices, .order = devices_order, .stays_itself = true },
    { 0 },
};

/* ---- merging ---------------------------------------------------------------------------------------------------- */

static void merge(struct patch *patch, const struct xml_element *base, const struct xml_element *ours,
                  const struct owned *rows, const char *const *order);

static const struct owned *row_of(const struct owned *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

static bool has_foreign_content(const struct xml_element *element, const struct owned *rows)
{
    for (const struct xml_element *child = element->children; child; child = child->next)
        if (!row_of(rows, child->name))
            return true;
    return element->has_other;
}

/* Whether nothing at all would be left of an element that the plan does not have. */
static bool is_emptied(const struct xml_element *element, const struct owned *rows)
{
    for (const struct xml_element *child = element->children; child; child = child->next) {
        const struct owned *row = row_of(rows, child->name);
        if (!row || row->stays_unsaid)
            return false;
    }
    return element->children && !element->has_other;
}

static void merge_one(struct patch *patch, const struct xml_element *base, const struct xml_element *ours,
                      const struct owned *row)
{
    if (!row->children) {
        if (!xml_says_same(base, ours))
            patch_replace(patch, base, ours);
        return;
    }
    if (row->owns_tag && !xml_tag_says_same(base, ours)) {
        if (!has_foreign_content(base, row->children)) {
            patch_replace(patch, base, ours);
            return;
        }
        patch_start_tag(patch, base, ours);
    }
    merge(patch, base, ours, row->children, row->order);
}

static void merge_gone(struct patch *patch, struct xml_element *base, const struct owned *row)
{
    if (row->stays_unsaid)
        return;
    if (!row->children || row->goes_whole || (!row->stays_itself && (row->owns_tag || is_emptied(base, row->children))))
        patch_remove(patch, base);
    else
        merge(patch, base, NULL, row->children, row->order);
}

/* The first element is the one; libvirt refuses a second, so none is left. */
static void merge_single(struct patch *patch, const struct xml_element *base_parent, const struct xml_element *ours,
                         const struct owned *row, const char *const *order)
{
    struct xml_element *base = xml_child(base_parent, row->name);
    if (!base) {
        if (ours)
            patch_insert(patch, base_parent, ours, order);
        return;
    }
    if (ours)
        merge_one(patch, base, ours, row);
    else
        merge_gone(patch, base, row);
    while ((base = xml_next_named(base)))
        patch_remove(patch, base);
}

static const struct xml_element *below(const struct xml_element *element, const char *name)
{
    return element ? xml_child(element, name) : NULL;
}

/* Whether the guest has taken a memory device of its base: of a model that the language has, and of a cell. */
static bool is_taken(const struct xml_element *element)
{
    const struct xml_element *root = element->parent->parent;
    const char *model = xml_attribute(element, "model");
    if (!model || !below(below(below(root, "cpu"), "numa"), "cell"))
        return false;
    for (enum memory_model known = 0; known < MEMORY_MODELS; known++)
        if (strcmp(model, memory_model_word(known)) == 0)
            return known == MEMORY_VIRTIO_PMEM || below(below(element, "target"), "node");
    return false;
}

/* "dimm:dimm0"; NULL for one that stays as it is. */
static const char *device_key(const struct patch *patch, const struct xml_element *element)
{
    const char *model = xml_attribute(element, "model");
    uint32_t number = 0;
    if (!is_taken(element))
        return NULL;
    for (const struct xml_element *before = element->previous; before; before = before->previous) {
        const char *other = strcmp(before->name, element->name) == 0 ? xml_attribute(before, "model") : NULL;
        number += other && strcmp(other, model) == 0;
    }
    g_autofree char *name = domain_device_name(model, number);
    return arena_printf(patch->arena, "%s:%s", model, name);
}

/* A cell may leave its id out; then its position is the id. */
static const char *key_of(const struct patch *patch, const struct xml_element *element, const struct owned *row,
                          unsigned position)
{
    if (row->is_device)
        return device_key(patch, element);
    if (row->key_of)
        return row->key_of(patch->arena, element);
    const char *key = xml_attribute(element, row->key);
    return key ? key : arena_printf(patch->arena, "%u", position);
}

/* NULL: nothing in a base can be the same. */
static char *own_key(const struct patch *patch, const struct xml_element *element, const struct owned *row,
                     unsigned position)
{
    if (!row->is_device)
        return g_strdup(row->key_of ? row->key_of(patch->arena, element) : xml_attribute(element, row->key));
    const struct plan_memory_device *device = &patch->guest->memory_devices[position];
    return g_strdup_printf("%s:%s", memory_model_word(device->model), device->memory.name);
}

static void merge_several(struct patch *patch, const struct xml_element *base_parent,
                          const struct xml_element *ours_parent, const struct owned *row, const char *const *order)
{
    g_autoptr(GHashTable) wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) met = g_hash_table_new(NULL, NULL);
    struct xml_element *ours = ours_parent ? xml_child(ours_parent, row->name) : NULL;
    unsigned position = 0;
    for (struct xml_element *each = ours; each; each = xml_next_named(each)) {
        char *key = own_key(patch, each, row, position++);
        if (key)
            g_hash_table_insert(wanted, key, each);
    }
    position = 0;
    for (struct xml_element *base = xml_child(base_parent, row->name); base; base = xml_next_named(base)) {
        const char *key = key_of(patch, base, row, position++);
        struct xml_element *same = key ? g_hash_table_lookup(wanted, key) : NULL;
        if (same && g_hash_table_add(met, same))
            merge_one(patch, base, same, row);
        else if (key && row->stays_itself)
            merge_gone(patch, base, row);
        else if (key)
            patch_remove(patch, base);
    }
    for (; ours; ours = xml_next_named(ours))
        if (!g_hash_table_contains(met, ours))
            patch_insert(patch, base_parent, ours, order);
}

/* An element with nothing in it takes all of ours at once, so that it is opened up once. */
static void fill(struct patch *patch, const struct xml_element *base, const struct xml_element *ours,
                 const struct owned *rows)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();
    for (struct xml_element *child = ours ? ours->children : NULL; child; child = child->next)
        if (row_of(rows, child->name))
            g_ptr_array_add(children, child);
    if (children->len)
        patch_fill(patch, base, children);
}

static void merge(struct patch *patch, const struct xml_element *base, const struct xml_element *ours,
                  const struct owned *rows, const char *const *order)
{
    if (!base->children && !base->has_other) {
        fill(patch, base, ours, rows);
        return;
    }
    for (const struct owned *row = rows; row->name; row++) {
        if (row->key || row->key_of || row->is_device)
            merge_several(patch, base, ours, row, order);
        else
            merge_single(patch, base, ours ? xml_child(ours, row->name) : NULL, row, order);
    }
}

/* ---- the overlay ------------------------------------------------------------------------------------------------ */

/* libvirt's total counts the memory devices that stay as they are in the base too. */
static uint64_t kept_bytes(const struct xml_element *base)
{
    const struct xml_element *devices = xml_child(base, "devices");
    uint64_t sum = 0, bytes;
    for (const struct xml_element *device = devices ? xml_child(devices, "memory") : NULL; device;
         device = xml_next_named(device)) {
        const struct xml_element *size = below(below(device, "target"), "size");
        if (!is_taken(device) && size && xml_bytes(size, &bytes) && bytes <= UINT64_MAX - KIB)
            sum += (bytes + KIB - 1) / KIB * KIB;
    }
    return sum;
}

/* A domain of nothing but what numac owns. */
static void write_owned(const struct plan_guest *guest, const struct xml_element *base, GString *out)
{
    struct xml writer = { .out = out }, *xml = &writer;
    xml_open(xml, "<domain>");
    xml_line(xml, "<name>");
    xml_text(xml, guest->name);
    xml_end(xml, "</name>");
    xml_line(xml, "<uuid>");
    xml_text(xml, guest->uuid);
    xml_end(xml, "</uuid>");
    xml_memory(xml, guest, kept_bytes(base));
    xml_hard_limit(xml, guest);
    xml_memory_backing(xml, guest);
    xml_vcpu(xml, guest);
    xml_iothreads(xml, guest, xml_child(base, "iothreadids") != NULL);
    xml_cputune(xml, guest);
    xml_numatune(xml, guest);
    xml_open(xml, "<cpu>");
    xml_topology(xml, guest);
    xml_cells(xml, guest);
    xml_shut(xml, "</cpu>");
    if (guest->memory_device_count || guest->expander_count || guest->device_count) {
        xml_open(xml, "<devices>");
        xml_expanders(xml, guest);
        xml_hostdevs(xml, guest);
        xml_memory_devices(xml, guest);
        xml_shut(xml, "</devices>");
    }
    xml_shut(xml, "</domain>");
}

void write_overlay(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    struct arena *arena = arena_new();
    struct xml_element *root = xml_tree_read(arena, base->text, base->length);
    if (!root)
        bug("a base that is no XML came to the overlay");
    g_autoptr(GString) text = g_string_new(NULL);
    write_owned(guest, root, text);
    struct xml_element *ours = xml_tree_read(arena, text->str, text->len);
    if (!ours)
        bug("the overlay wrote XML that cannot be read");
    struct patch *patch = patch_new(arena, base->text, base->length, root, text->str);
    patch->guest = guest;
    merge(patch, root, ours, in_domain, domain_order);
    patch_finish(patch, out);
    arena_free(arena);
}
