/* SPDX-License-Identifier: MIT
 *
 * Texts of a domain XML into numbers, sizes and words of the language, in the way libvirt reads them; and the small
 * pieces items are made of.  What a value means for the guest is left to the binder and the rules.
 */
#include "syntax/domain.h"

#include <hwloc/bitmap.h>
#include <string.h>

/* ---- findings --------------------------------------------------------------------------------------------------- */

struct span domain_span(const struct domain *domain, struct extent where)
{
    return (struct span){ domain->file, where.begin, where.end };
}

struct extent element_extent(const struct element *element)
{
    return (struct extent){ element->begin, element->name.end };
}

struct finding *domain_report(struct domain *domain, enum code code, struct extent where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(domain->findings, code, domain_span(domain, where), "%s", text);
    domain->failed |= code_row(code)->severity == ERROR;
    return finding;
}

bool value_is(const struct text_value *value, const char *text)
{
    return value->text && strcmp(value->text, text) == 0;
}

int value_shown(const struct text_value *value)
{
    return (int)MIN(value->length, 40);
}

static bool refuse_value(struct domain *domain, const struct text_value *value, const char *what, const char *help)
{
    struct finding *finding =
        domain_report(domain, NM_base_value, value->where, "'%.*s' is not %s", value_shown(value), value->text, what);
    finding_help(domain->findings, finding, "%s", help);
    return false;
}

const struct text_value *domain_needed(struct domain *domain, const struct element *element, const char *name)
{
    const struct text_value *value = element_value(element, name);
    if (value->text)
        return value;
    struct finding *finding = domain_report(domain, NM_base_missing, element_extent(element), "'<%s>' lacks its '%s'",
                                            part_name(element->part), name);
    finding_help(domain->findings, finding, "write %s='...' in it, or remove the element", name);
    return NULL;
}

/* ---- numbers and sizes ------------------------------------------------------------------------------------------ */

static bool digits(const char *text, uint64_t *out_number)
{
    uint64_t number = 0;
    for (const char *at = text; *at; at++)
        if (!g_ascii_isdigit(*at) || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return false;
    *out_number = number;
    return *text != 0;
}

bool domain_whole(struct domain *domain, const struct text_value *value, const char *what, uint64_t most,
                  uint64_t *out_number)
{
    if (digits(value->text, out_number) && *out_number <= most)
        return true;
    g_autofree char *help = g_strdup_printf("write a whole number up to %" G_GUINT64_FORMAT, most);
    return refuse_value(domain, value, what, help);
}

/* libvirt's units: b or bytes; k, M, G, T, P, E alone or with iB count in 1024s, with B in 1000s; case does not matter.
 */
static bool unit_bytes(const char *unit, uint64_t *out_bytes)
{
    static const char letters[] = "kmgtpe";
    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
        g_ascii_strcasecmp(unit, "bytes") == 0) {
        *out_bytes = 1;
        return true;
    }
    const char *letter = strchr(letters, g_ascii_tolower(*unit));
    if (!*unit || !letter)
        return false;
    uint64_t base = !unit[1] || g_ascii_strcasecmp(unit + 1, "ib") == 0 ? 1024
                    : g_ascii_strcasecmp(unit + 1, "b") == 0            ? 1000
                                                                        : 0;
    *out_bytes = 1;
    for (const char *at = letters; at <= letter; at++)
        *out_bytes *= base;
    return base != 0;
}

static void tell_rounded(struct domain *domain, const struct text_value *value, const char *unit, uint64_t bytes,
                         uint64_t kib)
{
    struct finding *finding =
        domain_report(domain, NM_base_rounded, value->where,
                      "'%s' %s are %" G_GUINT64_FORMAT " bytes, no whole number of KiB", value->text, unit, bytes);
    finding_note(domain->findings, finding, "libvirt makes it %" G_GUINT64_FORMAT " KiB, and so does numac", kib);
    finding_help(domain->findings, finding,
                 "write it with unit='KiB', 'MiB' or 'GiB'; KB, MB and GB are powers of ten");
}

bool domain_size(struct domain *domain, const struct text_value *value, const struct text_value *unit, const char *what,
                 uint64_t *out_kib)
{
    uint64_t number, scale = KIB, bytes;
    if (!digits(value->text, &number))
        return refuse_value(domain, value, what, "write a whole number, and its unit in the attribute 'unit'");
    if (unit->text && *unit->text && !unit_bytes(unit->text, &scale))
        return refuse_value(domain, unit, "a unit", "write KiB, MiB, GiB or TiB");
    if (__builtin_mul_overflow(number, scale, &bytes) || bytes > UINT64_MAX - KIB)
        return refuse_value(domain, value, what, "no memory is larger than 16 EiB");
    *out_kib = (bytes + KIB - 1) / KIB;
    if (bytes % KIB)
        tell_rounded(domain, value, unit->text ? unit->text : "KiB", bytes, *out_kib);
    return true;
}

bool domain_uuid(struct domain *domain, const struct text_value *value, const char **out_uuid)
{
    char *uuid = arena_alloc(domain->syntax->arena, 37);
    unsigned at = 0;
    for (const char *from = value->text; *from; from++) {
        if (*from == '-')
            continue;
        if (at == 8 || at == 13 || at == 18 || at == 23)
            uuid[at++] = '-';
        if (!g_ascii_isxdigit(*from) || at >= 36)
            return refuse_value(domain, value, "a UUID", "write 32 hexadecimal digits in the form 8-4-4-4-12");
        uuid[at++] = g_ascii_tolower(*from);
    }
    if (at != 36)
        return refuse_value(domain, value, "a UUID", "write 32 hexadecimal digits in the form 8-4-4-4-12");
    *out_uuid = uuid;
    return true;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

/* libvirt allows blanks around what it reads, zeros before it and a comma at the end. */
static bool plain_set(const char *text, GString *out)
{
    for (const char *at = text; *at; at++) {
        bool starts = !out->len || !g_ascii_isdigit(out->str[out->len - 1]);
        if (g_ascii_isspace(*at)) {
            const char *next = at + 1;
            while (g_ascii_isspace(*next))
                next++;
            if (!starts && g_ascii_isdigit(*next))
                return false; /* "1 2" */
        } else if (*at == '0' && starts && g_ascii_isdigit(at[1])) {
            continue;
        } else if (g_ascii_isdigit(*at) || *at == ',' || *at == '-' || *at == '^') {
            g_string_append_c(out, *at);
        } else {
            return false;
        }
    }
    if (out->len > 1 && out->str[out->len - 1] == ',')
        g_string_truncate(out, out->len - 1);
    return out->len > 0;
}

static const char set_help[] = "write numbers, ranges and exclusions joined by commas: '0-3,^2,8'";

bool word_set(struct domain *domain, const struct text_value *value, const char *what, struct word *out_word)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    if (!plain_set(value->text, plain))
        return refuse_value(domain, value, what, set_help);
    struct text_value cooked = *value;
    cooked.text = plain->str;
    cooked.length = plain->len;
    *out_word = word_value(domain, &cooked);
    return true;
}

/* One "^3" or "0-7" of a set of cells, or of vCPUs. */
static bool read_cells(const char *term, uint32_t *out_first, uint32_t *out_last)
{
    uint64_t first, last;
    g_auto(GStrv) ends = g_strsplit(*term == '^' ? term + 1 : term, "-", 3);
    if (!ends[0] || !digits(ends[0], &first) || (ends[1] && (ends[2] || !digits(ends[1], &last))))
        return false;
    if (!ends[1])
        last = first;
    *out_first = (uint32_t)MIN(first, UINT32_MAX);
    *out_last = (uint32_t)MIN(last, UINT32_MAX);
    return first <= last;
}

bool domain_no_cell(struct domain *domain, const struct text_value *value, uint32_t cell)
{
    uint32_t count = domain->parts[PART_CELL].count;
    struct finding *finding =
        domain_report(domain, NM_base_unknown_cell, value->where, "the base has no cell %u", cell);
    if (count)
        finding_help(domain->findings, finding, "its cells are 0 to %u: name one of them, or add '<cell>' elements",
                     count - 1);
    else
        finding_help(domain->findings, finding,
                     "it has no cells: add '<cell>' elements in '<cpu><numa>', or say it for the whole guest");
    return false;
}

bool domain_cell_set(struct domain *domain, const struct text_value *value, uint32_t limit, bool *seen)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    if (!plain_set(value->text, plain))
        return refuse_value(domain, value, "a set of cells", set_help);
    g_auto(GStrv) terms = g_strsplit(plain->str, ",", -1);
    for (char **term = terms; *term; term++) {
        uint32_t first, last;
        if (!read_cells(*term, &first, &last))
            return refuse_value(domain, value, "a set of cells", set_help);
        if (last >= limit && **term != '^')
            return domain_no_cell(domain, value, MAX(first, limit));
        for (uint32_t cell = first; cell <= last && cell < limit; cell++)
            seen[cell] = **term != '^';
    }
    return true;
}

bool domain_add_vcpus(const struct text_value *value, hwloc_bitmap_t set)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    if (!plain_set(value->text, plain))
        return false;
    g_auto(GStrv) terms = g_strsplit(plain->str, ",", -1);
    hwloc_bitmap_t own = hwloc_bitmap_alloc();
    bool fine = true;
    for (char **term = terms; *term && fine; term++) {
        uint32_t first, last;
        fine = read_cells(*term, &first, &last) && last <= IDS_LIMIT &&
               (**term == '^' ? hwloc_bitmap_clr_range(own, first, (int)last)
                              : hwloc_bitmap_set_range(own, first, (int)last)) == 0;
    }
    if (fine)
        hwloc_bitmap_or(set, set, own);
    hwloc_bitmap_free(own);
    return fine;
}

/* ---- words and items -------------------------------------------------------------------------------------------- */

/* The text is the value's own: it takes no variables, and quotes say nothing about it. */
static struct word word_at(struct domain *domain, struct extent where, const char *text, size_t length)
{
    struct word word = { .begin = where.begin, .length = (where.end - where.begin) & ((1u << 27) - 1) };
    if (length == where.end - where.begin && memcmp(domain->text + where.begin, text, length) == 0)
        return word;
    word = word_cooked(domain->syntax, domain->file, where.begin, where.end - where.begin, text, length);
    word.quoted = word.dollar = 0;
    return word;
}

struct word word_implied(struct domain *domain, const struct element *element, enum slot slot, const char *text)
{
    return word_at(domain, (struct extent){ element->begin + (uint32_t)slot, element->name.end }, text, strlen(text));
}

struct word word_named(struct domain *domain, struct extent where, const char *text)
{
    return word_at(domain, where, text, strlen(text));
}

struct word word_value(struct domain *domain, const struct text_value *value)
{
    return word_at(domain, value->where, value->text, value->length);
}

struct word word_size(struct domain *domain, const struct text_value *value, uint64_t kib)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT "KiB", kib);
    return word_at(domain, value->where, text, strlen(text));
}

struct item *item_of(struct domain *domain, struct word name, const struct word *arguments, size_t count)
{
    return item_new(domain->syntax, domain->file, name, arguments, count);
}

struct item *item_with(struct domain *domain, const struct element *element, const char *name, struct word argument)
{
    return item_of(domain, word_named(domain, element->name, name), &argument, 1);
}

void item_add(struct item *block, struct item_list *list, struct item *child)
{
    *list = list_append(*list, child);
    if (!block)
        return;
    block->children = list->first;
    block->has_block = 1;
    block->end = MAX(block->end, child->end);
}
