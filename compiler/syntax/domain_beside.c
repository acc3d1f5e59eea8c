/* SPDX-License-Identifier: MIT
 *
 * What a domain XML says beside memory and CPUs, for a guest that no base will keep: the facts that the language has
 * words for, and the names of all elements that it has none for.  Which words those are is left to the import.
 */
#include "syntax/domain.h"

#include <string.h>

enum { FEATURE_LIMIT = 1024, MOST_LEFT = 64 };

void domain_tell_lost(struct domain *domain, struct extent where, const char *what)
{
    struct finding *finding = domain_report(domain, NM_import_not_carried, where, "not carried over: %s", what);
    finding_note(domain->findings, finding, "the language has no word for it in this version");
    finding_help(domain->findings, finding, "'-o DIR' writes a base that keeps it");
}

/* ---- what is left ----------------------------------------------------------------------------------------------- */

void domain_leave(struct domain *domain, const char *name, struct extent where)
{
    if (!domain->left)
        return;
    for (guint i = 0; i < domain->left->len; i++) {
        struct domain_left *one = &g_array_index(domain->left, struct domain_left, i);
        if (strcmp(one->name, name) == 0) {
            one->count++;
            return;
        }
    }
    if (domain->left->len == MOST_LEFT)
        return;
    struct domain_left left = {
        .name = arena_string(domain->syntax->arena, name, strlen(name)),
        .count = 1,
        .where = domain_span(domain, where),
    };
    g_array_append_val(domain->left, left);
}

/* numac writes it of itself, where the machine has it. */
static bool is_written_anyway(enum part parent, const char *name)
{
    return parent == PART_FEATURES && strcmp(name, "apic") == 0;
}

void domain_leave_unknown(struct domain *domain, enum part parent, const char *name, struct extent where)
{
    static const enum part parents[] = { PART_DOMAIN,  PART_OS,      PART_FEATURES, PART_CPU,
                                         PART_CPUTUNE, PART_MEMTUNE, PART_DEVICES };
    for (size_t i = 0; i < G_N_ELEMENTS(parents); i++)
        if (parents[i] == parent && !is_written_anyway(parent, name)) /* with its prefix, where it has one */
            domain_leave(
                domain,
                arena_string(domain->syntax->arena, domain->text + where.begin + 1, where.end - where.begin - 1),
                where);
}

static gint by_place(gconstpointer one, gconstpointer other)
{
    const struct domain_left *a = one, *b = other;
    return (a->where.begin > b->where.begin) - (a->where.begin < b->where.begin);
}

/* ---- facts ------------------------------------------------------------------------------------------------------ */

static struct base_value fact_of(const struct domain *domain, const struct text_value *value)
{
    if (!value || !value->text || !*value->text)
        return (struct base_value){ 0 };
    return (struct base_value){ value->text, domain_span(domain, value->where) };
}

static struct base_value attribute_of(const struct domain *domain, const struct element *element, const char *name)
{
    return fact_of(domain, element ? element_value(element, name) : NULL);
}

static struct base_value content_of(const struct domain *domain, enum part part)
{
    const struct element *element = domain_first(domain, part);
    return fact_of(domain, element ? &element->content : NULL);
}

static void say_cpu(struct domain *domain, struct domain_beside *beside)
{
    const struct element *cache = domain_first(domain, PART_CPU_CACHE), *bits = domain_first(domain, PART_CPU_BITS);
    beside->facts[FACT_CACHE] = attribute_of(domain, cache, "mode");
    beside->facts[FACT_CACHE_LEVEL] = attribute_of(domain, cache, "level");
    beside->facts[FACT_ADDRESS_MODE] = attribute_of(domain, bits, "mode");
    beside->facts[FACT_ADDRESS_BITS] = attribute_of(domain, bits, "bits");
    if (!beside->facts[FACT_ADDRESS_BITS].text)
        beside->facts[FACT_ADDRESS_BITS] = attribute_of(domain, bits, "limit");
}

/* To QEMU, what is forced is on and what is forbidden is off. */
static void say_features(struct domain *domain, struct domain_beside *beside)
{
    struct arena *arena = domain->syntax->arena;
    beside->features = arena_array(arena, const char *, MIN(domain->parts[PART_CPU_FEATURE].count, FEATURE_LIMIT));
    for (const struct element *one = domain_first(domain, PART_CPU_FEATURE); one; one = one->next) {
        const struct text_value *policy = element_value(one, "policy"), *name = element_value(one, "name");
        bool is_on = !policy->text || value_is(policy, "require") || value_is(policy, "force"),
             is_off = value_is(policy, "disable") || value_is(policy, "forbid");
        if (!name->text || !*name->text || (!is_on && !is_off) || beside->feature_count == FEATURE_LIMIT)
            domain_leave(domain, "feature", element_extent(one));
        else
            beside->features[beside->feature_count++] = is_on ? name->text : arena_printf(arena, "^%s", name->text);
    }
}

/* The first in an element, or NULL.  Parts stand in the order of the file, and so do the elements that are asked for:
 * nobody walks twice over those before. */
static const struct element *part_in(const struct element **next, const struct element *parent)
{
    while (*next && (*next)->begin < parent->begin)
        *next = (*next)->next;
    return *next && (*next)->parent == parent ? *next : NULL;
}

static bool is_virtio_disk(const struct element *disk, const struct element *target)
{
    const struct text_value *device = element_value(disk, "device");
    if ((device->text && !value_is(device, "disk")) || !target)
        return false;
    const struct text_value *bus = element_value(target, "bus"), *name = element_value(target, "dev");
    return bus->text ? value_is(bus, "virtio") : name->text && g_str_has_prefix(name->text, "vd");
}

static bool say_disk(struct domain *domain, const struct element *disk, struct domain_beside *beside)
{
    const struct text_value *type = element_value(disk, "type");
    const struct element *sources = domain_first(domain, PART_DISK_SOURCE),
                         *drivers = domain_first(domain, PART_DISK_DRIVER), *source = part_in(&sources, disk),
                         *driver = part_in(&drivers, disk);
    beside->facts[FACT_DISK] = attribute_of(domain, source, value_is(type, "block") ? "dev" : "file");
    beside->facts[FACT_DISK_FORMAT] = attribute_of(domain, driver, "type");
    if (!beside->facts[FACT_DISK_FORMAT].text)
        beside->facts[FACT_DISK_FORMAT].text = "raw";
    return beside->facts[FACT_DISK].text;
}

static void say_disks(struct domain *domain, struct domain_beside *beside)
{
    const struct element *targets = domain_first(domain, PART_DISK_TARGET);
    bool is_first = true;
    for (const struct element *disk = domain_first(domain, PART_DISK); disk; disk = disk->next) {
        bool is_candidate = is_first && is_virtio_disk(disk, part_in(&targets, disk));
        is_first &= !is_candidate;
        if (!is_candidate || !say_disk(domain, disk, beside))
            domain_leave(domain, "disk", element_extent(disk));
    }
}

static void say_interfaces(struct domain *domain, struct domain_beside *beside)
{
    const struct element *models = domain_first(domain, PART_INTERFACE_MODEL),
                         *sources = domain_first(domain, PART_INTERFACE_SOURCE);
    struct base_value *bridge = &beside->facts[FACT_BRIDGE];
    for (const struct element *one = domain_first(domain, PART_INTERFACE); one; one = one->next) {
        const struct element *model = part_in(&models, one), *source = part_in(&sources, one);
        bool had_one = bridge->text, is_plain = value_is(element_value(one, "type"), "bridge") && model &&
                                                value_is(element_value(model, "type"), "virtio");
        if (is_plain && !had_one)
            *bridge = attribute_of(domain, source, "bridge");
        if (!is_plain || had_one || !bridge->text)
            domain_leave(domain, "interface", element_extent(one));
    }
}

static void say_boot(struct domain *domain, struct domain_beside *beside)
{
    const struct element *loader = domain_first(domain, PART_LOADER);
    for (const struct element *os = domain_first(domain, PART_OS); os && !beside->facts[FACT_FIRMWARE].text;
         os = os->next)
        beside->facts[FACT_FIRMWARE] = attribute_of(domain, os, "firmware");
    beside->facts[FACT_LOADER] = content_of(domain, PART_LOADER);
    beside->facts[FACT_LOADER_TYPE] = attribute_of(domain, loader, "type");
    beside->facts[FACT_KERNEL] = content_of(domain, PART_KERNEL);
    beside->facts[FACT_INITRD] = content_of(domain, PART_INITRD);
    beside->facts[FACT_CMDLINE] = content_of(domain, PART_CMDLINE);
    for (const struct element *boot = domain_first(domain, PART_BOOT); boot; boot = boot->next)
        if (!value_is(element_value(boot, "dev"), "hd")) /* which numac writes */
            domain_leave(domain, "boot", element_extent(boot));
}

/* What numac runs is found by its name. */
static bool is_usual_emulator(const struct text_value *path)
{
    g_autofree char *name = g_path_get_basename(path->text);
    return g_str_has_prefix(name, "qemu-system-");
}

/* Parts that a base would keep, and of which the language takes some only. */
static void leave_parts(struct domain *domain)
{
    const struct element *limit = domain_first(domain, PART_HARD_LIMIT), *uuid = domain_first(domain, PART_UUID),
                         *emulator = domain_first(domain, PART_EMULATOR);
    if (emulator && !is_usual_emulator(&emulator->content))
        domain_leave(domain, "emulator", element_extent(emulator));
    if (uuid)
        domain_leave(domain, "uuid", element_extent(uuid));
    for (const struct element *one = domain_first(domain, PART_QEMU); one; one = one->next)
        domain_leave(domain, "commandline", element_extent(one));
    for (const struct element *one = domain_first(domain, PART_SYSINFO); one; one = one->next)
        domain_leave(domain, "sysinfo", element_extent(one));
    if (limit && !domain_first(domain, PART_LOCKED))
        domain_leave(domain, "hard_limit", element_extent(limit));
    for (const struct element *one = domain_first(domain, PART_CONTROLLER); one; one = one->next)
        if (!value_is(element_value(one, "type"), "pci")) /* those of PCI are made as they are needed */
            domain_leave(domain, "controller", element_extent(one));
    for (const struct element *one = domain_first(domain, PART_HOSTDEV); one; one = one->next)
        if (!value_is(element_value(one, "type"), "pci"))
            domain_leave(domain, "hostdev", element_extent(one));
}

void domain_say_beside(struct domain *domain, struct domain_beside *beside)
{
    beside->facts[FACT_TYPE] = attribute_of(domain, domain_first(domain, PART_DOMAIN), "type");
    beside->facts[FACT_GIC] = attribute_of(domain, domain_first(domain, PART_GIC), "version");
    if (domain_first(domain, PART_CELL) && !domain_first(domain, PART_ACPI))
        beside->facts[FACT_NO_ACPI] =
            (struct base_value){ "off", domain_span(domain, element_extent(domain_first(domain, PART_NUMA))) };
    say_cpu(domain, beside);
    say_features(domain, beside);
    say_boot(domain, beside);
    say_disks(domain, beside);
    say_interfaces(domain, beside);
    leave_parts(domain);
    g_array_sort(domain->left, by_place);
    beside->left = arena_copy(domain->syntax->arena, domain->left->data, domain->left->len * sizeof *beside->left);
    beside->left_count = domain->left->len;
}
