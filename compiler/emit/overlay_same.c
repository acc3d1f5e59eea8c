/* SPDX-License-Identifier: MIT
 *
 * Whether two elements of domain XML mean the same: 4 GiB is 4194304 KiB, 0-3 is 0,1,2,3, and what libvirt assumes
 * need not be said.  Where in doubt they differ, and the base's spelling gives way to ours.
 */
#include <hwloc/bitmap.h>
#include <string.h>

#include "emit/overlay_edit.h"

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    { "b", 1 },   { "bytes", 1 }, { "KB", 1000 },       { "k", KIB }, { "KiB", KIB }, { "MB", 1000000 },
    { "M", MIB }, { "MiB", MIB }, { "GB", 1000000000 }, { "G", GIB }, { "GiB", GIB }, { "TB", 1000000000000 },
    { "T", TIB }, { "TiB", TIB },
};

/* False where it is no size, which then equals nothing. */
static bool size_of(const char *number, const char *unit, uint64_t *out)
{
    char *end;
    if (!number || !g_ascii_isdigit(*number))
        return false;
    uint64_t value = g_ascii_strtoull(number, &end, 10), factor = unit ? 0 : KIB;
    for (size_t i = 0; unit && i < G_N_ELEMENTS(units); i++)
        if (g_ascii_strcasecmp(unit, units[i].name) == 0)
            factor = units[i].bytes;
    if (*end || !factor || value > UINT64_MAX / factor)
        return false;
    *out = value * factor;
    return true;
}

bool xml_bytes(const struct xml_element *element, uint64_t *out_bytes)
{
    return size_of(element->text, xml_attribute(element, "unit"), out_bytes);
}

/* The number that an element's unit belongs to: an attribute, or its text. */
static const char *measured_attribute(const char *element)
{
    static const struct {
        const char *element, *attribute;
    } rows[] = {
        { "cell", "memory" }, { "page", "size" }, { "cache", "size" }, { "size", "value" }, { "bandwidth", "value" }
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(element, rows[i].element) == 0)
            return rows[i].attribute;
    return NULL;
}

static bool has_measured_text(const char *element)
{
    static const char *const names[] = { "memory", "currentMemory", "hard_limit", "maxMemory", "size",
                                         "block",  "requested",     "pagesize",   "alignsize" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(element, names[i]) == 0)
            return true;
    return false;
}

static bool same_size(const struct xml_element *a, const char *a_number, const struct xml_element *b,
                      const char *b_number)
{
    uint64_t a_bytes, b_bytes;
    return size_of(a_number, xml_attribute(a, "unit"), &a_bytes) &&
           size_of(b_number, xml_attribute(b, "unit"), &b_bytes) && a_bytes == b_bytes;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

/* libvirt's spelling: numbers, ranges and "^" to take away, in order. */
static bool set_of(const char *text, hwloc_bitmap_t set)
{
    while (*text) {
        char *end;
        bool takes_away = *text == '^';
        text += takes_away;
        if (!g_ascii_isdigit(*text))
            return false;
        uint64_t first = g_ascii_strtoull(text, &end, 10), last = first;
        if (*end == '-' && g_ascii_isdigit(end[1]))
            last = g_ascii_strtoull(end + 1, &end, 10);
        if (last < first || last > IDS_LIMIT || (*end && *end != ','))
            return false;
        if (takes_away)
            hwloc_bitmap_clr_range(set, (unsigned)first, (int)last);
        else
            hwloc_bitmap_set_range(set, (unsigned)first, (int)last);
        text = *end ? end + 1 : end;
    }
    return true;
}

static bool same_set(const char *a, const char *b)
{
    hwloc_bitmap_t a_set = hwloc_bitmap_alloc(), b_set = hwloc_bitmap_alloc();
    bool same = set_of(a, a_set) && set_of(b, b_set) && hwloc_bitmap_isequal(a_set, b_set);
    hwloc_bitmap_free(a_set);
    hwloc_bitmap_free(b_set);
    return same;
}

static bool is_set(const char *attribute)
{
    return strcmp(attribute, "cpuset") == 0 || strcmp(attribute, "cpus") == 0 || strcmp(attribute, "nodeset") == 0 ||
           strcmp(attribute, "vcpus") == 0 || strcmp(attribute, "iothreads") == 0;
}

/* ---- attributes and elements ------------------------------------------------------------------------------------ */

static const struct {
    const char *element, *attribute, *value;
} defaults[] = {
    { "vcpu", "placement", "static" },   { "topology", "dies", "1" },
    { "topology", "clusters", "1" },     { "memory", "mode", "strict" },
    { "memory", "placement", "static" }, { "memnode", "mode", "strict" },
    { "poll", "max", "32768" },          { "poll", "grow", "0" },
    { "poll", "shrink", "0" },           { "iothread", "thread_pool_min", "0" },
};

static const char *attribute_or_default(const struct xml_element *element, const char *name)
{
    const char *value = xml_attribute(element, name);
    for (size_t i = 0; !value && i < G_N_ELEMENTS(defaults); i++)
        if (strcmp(defaults[i].element, element->name) == 0 && strcmp(defaults[i].attribute, name) == 0)
            value = defaults[i].value;
    return value;
}

/* Not compared one by one: the unit goes with its number, the position is the id of a cell that says none, and how
 * memory is dumped is not ours. */
static bool is_passed_over(const struct xml_element *element, const char *attribute)
{
    const char *measured = measured_attribute(element->name);
    return strcmp(attribute, "unit") == 0 || strcmp(attribute, "dumpCore") == 0 ||
           (measured && strcmp(attribute, measured) == 0) ||
           (strcmp(element->name, "cell") == 0 && strcmp(attribute, "id") == 0);
}

static bool attributes_within(const struct xml_element *a, const struct xml_element *b)
{
    for (const struct xml_attribute *attribute = a->attributes; attribute; attribute = attribute->next) {
        if (is_passed_over(a, attribute->name))
            continue;
        const char *other = attribute_or_default(b, attribute->name);
        if (!other)
            return false;
        if (strcmp(attribute->value, other) != 0 && !(is_set(attribute->name) && same_set(attribute->value, other)))
            return false;
    }
    return true;
}

bool xml_tag_says_same(const struct xml_element *a, const struct xml_element *b)
{
    if (strcmp(a->name, b->name) != 0 || !attributes_within(a, b) || !attributes_within(b, a))
        return false;
    const char *measured = measured_attribute(a->name);
    return !measured || (!xml_attribute(a, measured) && !xml_attribute(b, measured)) ||
           same_size(a, xml_attribute(a, measured), b, xml_attribute(b, measured));
}

/* UUIDs in either case, with or without hyphens. */
static bool same_uuid(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-");
        b += strspn(b, "-");
        if (g_ascii_tolower(*a) != g_ascii_tolower(*b))
            return false;
        if (!*a)
            return true;
    }
}

static bool same_text(const struct xml_element *a, const struct xml_element *b)
{
    if (strcmp(a->text, b->text) == 0 && !(has_measured_text(a->name) && *a->text))
        return true;
    if (strcmp(a->name, "uuid") == 0)
        return same_uuid(a->text, b->text);
    if (strcmp(a->name, "nodemask") == 0)
        return same_set(a->text, b->text);
    return has_measured_text(a->name) && same_size(a, a->text, b, b->text);
}

bool xml_says_same(const struct xml_element *a, const struct xml_element *b)
{
    if (!xml_tag_says_same(a, b) || !same_text(a, b))
        return false;
    const struct xml_element *of_a = a->children, *of_b = b->children;
    while (of_a && of_b && xml_says_same(of_a, of_b)) {
        of_a = of_a->next;
        of_b = of_b->next;
    }
    return !of_a && !of_b;
}
