/* SPDX-License-Identifier: MIT
 *
 * Sets as people write them: "0-3,^2,8", "all,^0", "core:0-3.pu:0", "pci:0000:41:00.0".  Strict where hwloc's and
 * libnuma's parsers are not (3-1, 0-, 1,,2, numbers that wrap).  What names a place stays an expression, since the
 * model knows no host.
 */
#include "model/binder.h"

#include <hwloc/bitmap.h>
#include <string.h>

static const char *const step_words[STEP_KINDS] = {
    [STEP_NODE] = "node",       [STEP_CPU] = "cpu",   [STEP_SOCKET] = "socket", [STEP_DIE] = "die",
    [STEP_CLUSTER] = "cluster", [STEP_L3] = "l3",     [STEP_CORE] = "core",     [STEP_PU] = "pu",
    [STEP_CPUKIND] = "cpukind", [STEP_PCI] = "pci",   [STEP_NETDEV] = "netdev", [STEP_BLOCK] = "block",
    [STEP_DEVICE] = "device",   [STEP_TIER] = "tier",
};

static const char *const tier_words[] = { "dram", "hbm", "cxl", "nvm", NULL };

struct reading { /* of one set */
    struct binder *binder;
    const struct scalar *scalar;
    enum value_type type;
    bool has_failed;
};

static bool wrong(struct reading *reading, const char *help, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool wrong(struct reading *reading, const char *help, const char *format, ...)
{
    if (reading->has_failed)
        return false;
    reading->has_failed = true;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report_value(reading->binder, NM_wrong_set, reading->scalar, "%s", text);
    finding_help(reading->binder->findings, finding, "%s", help);
    return false;
}

static bool read_number(struct reading *reading, const char *text, size_t length, uint32_t *out_number)
{
    uint32_t number = 0;
    bool fine = length > 0;
    for (size_t i = 0; fine && i < length; i++) {
        fine = g_ascii_isdigit(text[i]);
        if (number <= IDS_LIMIT) /* more digits make it no smaller */
            number = number * 10 + (uint32_t)(text[i] - '0');
    }
    if (fine && length > 1 && text[0] == '0')
        return wrong(reading, "write it without the leading zero", "'%.*s' is no number of a set", (int)length, text);
    if (fine && number > IDS_LIMIT)
        return wrong(reading, "numbers go up to 65535", "'%.*s' is too large for a set", (int)length, text);
    if (!fine)
        return wrong(reading, "write numbers, ranges and exclusions joined by commas: '0-3,^2,8'",
                     "'%.*s' in '%.*s' is no number", (int)length, text, (int)reading->scalar->length,
                     reading->scalar->text);
    *out_number = number;
    return true;
}

/* "5" or "0-7" */
static bool read_range(struct reading *reading, const char *text, size_t length, uint32_t *out_first,
                       uint32_t *out_last)
{
    const char *dash = memchr(text, '-', length);
    if (!dash) {
        if (!read_number(reading, text, length, out_first))
            return false;
        *out_last = *out_first;
        return true;
    }
    size_t first_length = (size_t)(dash - text), last_length = length - first_length - 1;
    if (!first_length || !last_length)
        return wrong(reading, "give both ends: '0-7'", "the range '%.*s' lacks an end", (int)length, text);
    if (!read_number(reading, text, first_length, out_first) || !read_number(reading, dash + 1, last_length, out_last))
        return false;
    if (*out_first > *out_last) {
        g_autofree char *help = g_strdup_printf("write '%u-%u'", *out_last, *out_first);
        return wrong(reading, help, "the range '%.*s' runs backwards", (int)length, text);
    }
    return true;
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

bool is_pci_address(const char *text, size_t length)
{
    static const char form[] = "xxxx:xx:xx.o";
    if (length != sizeof form - 1)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool fits = form[i] == 'x'   ? g_ascii_isxdigit(text[i])
                    : form[i] == 'o' ? text[i] >= '0' && text[i] <= '7'
                                     : text[i] == form[i];
        if (!fits)
            return false;
    }
    return true;
}

static const char *next_step_word(void *state)
{
    unsigned *at = state;
    return *at < STEP_KINDS ? step_words[(*at)++] : NULL;
}

static bool read_step_kind(struct reading *reading, const char *text, size_t length, enum step_kind *out_kind)
{
    for (unsigned i = 0; i < STEP_KINDS; i++)
        if (strlen(step_words[i]) == length && memcmp(step_words[i], text, length) == 0) {
            *out_kind = (enum step_kind)i;
            return true;
        }
    unsigned at = 0;
    const char *near = nearest_name(text, length, next_step_word, &at);
    g_autofree char *help = near ? g_strdup_printf("did you mean '%s:'?", near)
                                 : g_strdup("places begin with node, cpu, socket, die, cluster, l3, core, pu, cpukind, "
                                            "pci, netdev, block, device or tier");
    return wrong(reading, help, "'%.*s:' names no kind of place", (int)length, text);
}

static bool read_named_step(struct reading *reading, struct place_step *step, const char *text, size_t length)
{
    if (step->kind == STEP_PCI && !is_pci_address(text, length))
        return wrong(reading, "write the PCI address with its domain: 'pci:0000:41:00.0'", "'%.*s' is no PCI address",
                     (int)length, text);
    if (step->kind == STEP_TIER) {
        bool known = false;
        for (unsigned i = 0; tier_words[i]; i++)
            known |= strlen(tier_words[i]) == length && memcmp(tier_words[i], text, length) == 0;
        if (!known)
            return wrong(reading, "write one of: dram, hbm, cxl, nvm", "'%.*s' is no kind of memory", (int)length,
                         text);
    }
    if (!length)
        return wrong(reading, "give its name: 'device:gpu0'", "'%s:' lacks a name", step_words[step->kind]);
    reading->binder->site->wants_devices |= step->kind != STEP_TIER;
    step->name = arena_string(reading->binder->arena, text, length);
    return true;
}

/* One step from *at; moves *at behind it and its dot. */
static bool read_step(struct reading *reading, struct place_step *step, const char **at, const char *end)
{
    const char *colon = memchr(*at, ':', (size_t)(end - *at));
    if (!colon)
        return wrong(reading, "write each step as 'core:0-3'", "'%.*s' is no step of a place", (int)(end - *at), *at);
    if (!read_step_kind(reading, *at, (size_t)(colon - *at), &step->kind))
        return false;
    if (reading->type == V_SET && (step->kind < STEP_SOCKET || step->kind > STEP_PU || step->kind == STEP_L3))
        return wrong(reading, "vCPUs are named by number or by the guest's own socket, die, cluster, core and pu",
                     "'%s:' is no place of a guest", step_words[step->kind]);
    const char *value = colon + 1;
    bool is_named = step->kind >= STEP_PCI;
    const char *value_end = is_named ? end : memchr(value, '.', (size_t)(end - value));
    if (!value_end)
        value_end = end;
    size_t length = (size_t)(value_end - value);
    if (value_end + 1 == end)
        return wrong(reading, "take the dot out, or say what stands inside: 'socket:0.core:2'",
                     "the place '%.*s' ends in a dot", (int)(end - *at), *at);
    *at = value_end < end ? value_end + 1 : end;
    if (is_named)
        return read_named_step(reading, step, value, length);
    step->is_all = length == 3 && memcmp(value, "all", 3) == 0;
    return step->is_all || read_range(reading, value, length, &step->first, &step->last);
}

enum { STEP_LIMIT = 8, TERM_LIMIT = 4096 };

static bool read_place(struct reading *reading, struct set_term *term, const char *text, size_t length)
{
    struct place_step steps[STEP_LIMIT] = { 0 };
    uint32_t count = 0;
    for (const char *at = text, *end = text + length; at < end;) {
        if (count == STEP_LIMIT)
            return wrong(reading, "use fewer steps", "the place '%.*s' has more than %d steps", (int)length, text,
                         STEP_LIMIT);
        if (!read_step(reading, &steps[count++], &at, end))
            return false;
    }
    term->kind = TERM_PLACE;
    term->text = arena_string(reading->binder->arena, text, length);
    term->steps = arena_copy(reading->binder->arena, steps, count * sizeof steps[0]);
    term->step_count = count;
    return true;
}

/* ---- terms and sets --------------------------------------------------------------------------------------------- */

static bool read_term(struct reading *reading, struct set_term *term, const char *text, size_t length)
{
    if (!length)
        return wrong(reading, "join numbers and ranges by single commas, without blanks: '0-3,8'",
                     "the set '%.*s' has an empty part", (int)reading->scalar->length, reading->scalar->text);
    if (text[0] == '^') {
        term->is_excluded = true;
        text++;
        length--;
    }
    bool is_all = length == 3 && memcmp(text, "all", 3) == 0;
    if (is_all)
        term->kind = TERM_ALL;
    else if (memchr(text, ':', length))
        return read_place(reading, term, text, length);
    else {
        term->kind = TERM_RANGE;
        return read_range(reading, text, length, &term->first, &term->last);
    }
    return true;
}

/* The numbers of a set without places and `all`; NULL where it has them, or where nothing is left. */
static const struct ids *plain_numbers(struct reading *reading, const struct set *set)
{
    if (set->term_count == 1 && set->terms[0].kind == TERM_RANGE && !set->terms[0].is_excluded)
        return ids_from_range(reading->binder->arena, set->terms[0].first, set->terms[0].last);
    for (uint32_t i = 0; i < set->term_count; i++)
        if (set->terms[i].kind != TERM_RANGE)
            return NULL;
    hwloc_bitmap_t bitmap = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < set->term_count; i++)
        if (set->terms[i].is_excluded)
            hwloc_bitmap_clr_range(bitmap, set->terms[i].first, (int)set->terms[i].last);
        else
            hwloc_bitmap_set_range(bitmap, set->terms[i].first, (int)set->terms[i].last);
    const struct ids *plain = ids_from_bitmap(reading->binder->arena, bitmap);
    hwloc_bitmap_free(bitmap);
    if (plain->count)
        return plain;
    reading->has_failed = true;
    struct finding *finding =
        report_value(reading->binder, NM_empty_set, reading->scalar, "the set '%.*s' has no member",
                     (int)reading->scalar->length, reading->scalar->text);
    if (set->terms[0].is_excluded)
        finding_help(reading->binder->findings, finding, "a set starts empty: write 'all,%.*s' to take away from all",
                     (int)reading->scalar->length, reading->scalar->text);
    else
        finding_help(reading->binder->findings, finding, "leave the word out, or name at least one");
    return NULL;
}

static const struct set *read_set(struct binder *binder, const struct scalar *scalar, enum value_type type)
{
    struct reading reading = { .binder = binder, .scalar = scalar, .type = type };
    uint32_t terms = 1;
    for (size_t i = 0; i < scalar->length; i++)
        terms += scalar->text[i] == ',';
    if (!scalar->length || memchr(scalar->text, ' ', scalar->length)) {
        wrong(&reading,
              scalar->length ? "join by commas, without blanks: '0-3,8'"
                             : "name at least one number, or leave the word out",
              "'%.*s' is no set", (int)scalar->length, scalar->text);
        return NULL;
    }
    if (terms > TERM_LIMIT) {
        wrong(&reading, "join neighbours into ranges", "a set of %u parts is too long", terms);
        return NULL;
    }
    const char *text = arena_string(binder->arena, scalar->text, scalar->length);
    struct set *set = arena_alloc(binder->arena, sizeof *set + terms * sizeof set->terms[0]);
    set->text = text;
    for (const char *at = text, *end = text + scalar->length; set->term_count < terms;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (!comma)
            comma = end;
        if (!read_term(&reading, &set->terms[set->term_count++], at, (size_t)(comma - at)))
            return NULL;
        at = comma < end ? comma + 1 : end;
    }
    set->plain = plain_numbers(&reading, set);
    return reading.has_failed ? NULL : set;
}

/* Sites say the same few sets over and over: each text is read once and shared. */
const struct set *parse_set(struct binder *binder, const struct scalar *scalar, enum value_type type)
{
    char few[24];
    g_autofree char *many = scalar->length < sizeof few ? NULL : g_strndup(scalar->text, scalar->length);
    char *key = many ? many : few;
    if (!many) {
        memcpy(key, scalar->text, scalar->length);
        key[scalar->length] = 0;
    }
    const struct set *known = g_hash_table_lookup(binder->sets, key);
    if (known && (known->plain || type != V_SET))
        return known;
    known = read_set(binder, scalar, type);
    if (known)
        g_hash_table_insert(binder->sets, (gpointer)(uintptr_t)known->text, (gpointer)(uintptr_t)known);
    return known;
}
