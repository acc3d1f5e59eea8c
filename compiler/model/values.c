/* SPDX-License-Identifier: MIT
 *
 * One strict parser a value type, the same for .numa, YAML and -D: text in, typed value out, or one finding with the
 * form that was expected.
 */
#include "model/binder.h"

#include <stdlib.h>
#include <string.h>

static bool same(const struct scalar *scalar, const char *word)
{
    return scalar->length == strlen(word) && memcmp(scalar->text, word, scalar->length) == 0;
}

struct finding *report_value(struct binder *binder, enum code code, const struct scalar *scalar, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(binder->findings, code, scalar->span, "%s", text);
    if (scalar->let && scalar->let->text)
        finding_note(binder->findings, finding, "'%.*s' comes from '-D %s=%s'", (int)scalar->length, scalar->text,
                     scalar->let->name, scalar->let->text);
    else if (scalar->let)
        finding_label(binder->findings, finding, scalar->let->span, "'%.*s' comes from here", (int)scalar->length,
                      scalar->text);
    return finding;
}

/* ---- whole numbers: no sign, no leading zero, nothing behind ---------------------------------------------------- */

static bool digits(const char *text, size_t length, uint64_t limit, uint64_t *out_value)
{
    uint64_t value = 0;
    if (!length || length > 20 || (text[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > limit)
        return false;
    *out_value = value;
    return true;
}

static bool parse_int(struct binder *binder, const char *what, const struct scalar *scalar, uint32_t *out_value)
{
    uint64_t value;
    if (digits(scalar->text, scalar->length, INT32_MAX, &value)) {
        *out_value = (uint32_t)value;
        return true;
    }
    struct finding *finding =
        report_value(binder, NM_wrong_number, scalar, "'%.*s' is no whole number", (int)scalar->length, scalar->text);
    const char *dash = memchr(scalar->text, '-', scalar->length);
    uint64_t stripped = 0;
    size_t zeros = 0;
    while (zeros + 1 < scalar->length && scalar->text[zeros] == '0')
        zeros++;
    if (zeros && digits(scalar->text + zeros, scalar->length - zeros, INT32_MAX, &stripped))
        finding_help(binder->findings, finding, "write '%u', without the leading zero", (unsigned)stripped);
    else if (dash && dash != scalar->text && strcmp(what, "count") == 0)
        finding_help(binder->findings, finding,
                     "write how many, such as 8; which vCPUs a cell has is said by its 'ids'");
    else if (dash && dash != scalar->text)
        finding_help(binder->findings, finding, "write how many, such as 8");
    else
        finding_help(binder->findings, finding, "write a whole number such as 8, at most %d", INT32_MAX);
    return false;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static const struct unit {
    const char *word;
    uint64_t bytes;
} units[] = { { "KiB", KIB }, { "MiB", MIB }, { "GiB", GIB }, { "TiB", TIB },
              { "K", KIB },   { "M", MIB },   { "G", GIB },   { "T", TIB } };

static const struct unit *find_unit(const struct unit *list, size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i].word) == length && memcmp(list[i].word, text, length) == 0)
            return &list[i];
    return NULL;
}

/* "1.5GiB" in exact arithmetic: it must come to whole steps. */
static bool exact_amount(const char *number, size_t length, uint64_t unit, uint64_t step, uint64_t *out_bytes)
{
    const char *dot = memchr(number, '.', length);
    size_t whole_length = dot ? (size_t)(dot - number) : length;
    uint64_t whole, bytes;
    if (!digits(number, whole_length, UINT64_MAX, &whole) || __builtin_mul_overflow(whole, unit, &bytes))
        return false;
    if (dot) {
        size_t fraction_length = length - whole_length - 1;
        if (!fraction_length || fraction_length > 6)
            return false;
        uint64_t fraction = 0, scale = 1;
        for (size_t i = 1; i <= fraction_length; i++) {
            if (dot[i] < '0' || dot[i] > '9')
                return false;
            fraction = fraction * 10 + (uint64_t)(dot[i] - '0');
            scale *= 10;
        }
        /* fraction * unit stays below 10^6 * 2^40 */
        if (fraction * unit % scale || __builtin_add_overflow(bytes, fraction * unit / scale, &bytes))
            return false;
    }
    if (bytes % step || bytes > (UINT64_C(1) << 60))
        return false;
    *out_bytes = bytes;
    return true;
}

static size_t number_length(const struct scalar *scalar)
{
    size_t length = 0;
    while (length < scalar->length && (g_ascii_isdigit(scalar->text[length]) || scalar->text[length] == '.'))
        length++;
    return length;
}

bool quiet_size(const char *text, size_t length, uint64_t *out_bytes)
{
    struct scalar scalar = { .text = text, .length = length };
    size_t split = number_length(&scalar);
    const struct unit *unit = find_unit(units, G_N_ELEMENTS(units), text + split, length - split);
    return unit && exact_amount(text, split, unit->bytes, KIB, out_bytes);
}

static bool parse_size(struct binder *binder, const struct scalar *scalar, uint64_t *out_bytes)
{
    size_t split = number_length(scalar);
    const struct unit *unit = find_unit(units, G_N_ELEMENTS(units), scalar->text + split, scalar->length - split);
    if (quiet_size(scalar->text, scalar->length, out_bytes))
        return true;
    int length = (int)scalar->length;
    struct finding *finding = report_value(binder, NM_wrong_size, scalar, "'%.*s' is no size", length, scalar->text);
    const char *tail = scalar->text + split;
    size_t tail_length = scalar->length - split;
    if (split && !tail_length)
        finding_help(binder->findings, finding, "say the unit, without a blank: '%.*sMiB' or '%.*sGiB'", (int)split,
                     scalar->text, (int)split, scalar->text);
    else if (split && tail_length == 2 && tail[1] == 'B' && strchr("KMGT", tail[0]))
        finding_help(binder->findings, finding, "'%.*s' is a power of ten; write the binary unit: '%.*s%ciB'", 2, tail,
                     (int)split, scalar->text, tail[0]);
    else if (split && unit)
        finding_help(binder->findings, finding, "a size is a whole number of KiB, at most 1048576TiB");
    else
        finding_help(binder->findings, finding,
                     "write a number and a unit: KiB, MiB, GiB, TiB (or K, M, G, T), as in '4GiB'");
    return false;
}

/* ---- times and rates -------------------------------------------------------------------------------------------- */

static const struct unit time_units[] = { { "ns", 1 }, { "us", 1000 } };
static const struct unit rate_units[] = { { "MiB/s", MIB }, { "GiB/s", GIB }, { "TiB/s", TIB } };

static const struct quantity { /* what a type with units of its own takes */
    const char *noun, *example, *other_noun, *other_words;
    const struct unit *units, *other_units; /* the other: those of its sister, which stand here by mistake */
    size_t unit_count, other_count;
    uint64_t step;
    enum code code;
} time_quantity = { .noun = "time",
                    .example = "'180ns' or '1us', whole nanoseconds",
                    .other_noun = "rate",
                    .other_words = "bandwidth",
                    .units = time_units,
                    .unit_count = G_N_ELEMENTS(time_units),
                    .other_units = rate_units,
                    .other_count = G_N_ELEMENTS(rate_units),
                    .step = 1,
                    .code = NM_wrong_time },
  rate_quantity = { .noun = "rate",
                    .example = "'20GiB/s', whole MiB a second: MiB/s, GiB/s, TiB/s",
                    .other_noun = "time",
                    .other_words = "latency",
                    .units = rate_units,
                    .unit_count = G_N_ELEMENTS(rate_units),
                    .other_units = time_units,
                    .other_count = G_N_ELEMENTS(time_units),
                    .step = MIB,
                    .code = NM_wrong_rate };

static bool parse_quantity(struct binder *binder, const struct quantity *quantity, const struct scalar *scalar,
                           uint64_t *out_value)
{
    size_t split = number_length(scalar), tail_length = scalar->length - split;
    const char *tail = scalar->text + split;
    const struct unit *unit = find_unit(quantity->units, quantity->unit_count, tail, tail_length);
    if (unit && exact_amount(scalar->text, split, unit->bytes, quantity->step, out_value))
        return true;
    struct finding *finding = report_value(binder, quantity->code, scalar, "'%.*s' is no %s", (int)scalar->length,
                                           scalar->text, quantity->noun);
    if (split && find_unit(quantity->other_units, quantity->other_count, tail, tail_length))
        finding_help(binder->findings, finding, "it is a %s, and those stand under '%s'; write %s",
                     quantity->other_noun, quantity->other_words, quantity->example);
    else if (split && tail_length == 4 && memcmp(tail + 1, "B/s", 3) == 0 && strchr("KMGT", tail[0]))
        finding_help(binder->findings, finding, "'%.4s' is a power of ten; write %s", tail, quantity->example);
    else if (split && !tail_length)
        finding_help(binder->findings, finding, "say the unit, without a blank: write %s", quantity->example);
    else
        finding_help(binder->findings, finding, "write %s", quantity->example);
    return false;
}

/* A whole percentage, or where the host counts so a rate. */
static bool parse_share(struct binder *binder, const struct scalar *scalar, struct share *out_share)
{
    uint64_t number;
    bool is_percent = scalar->length && scalar->text[scalar->length - 1] == '%';
    if (is_percent && digits(scalar->text, scalar->length - 1, UINT32_MAX, &number)) {
        *out_share = (struct share){ .percent = (uint32_t)number };
        return true;
    }
    struct quantity quantity = rate_quantity;
    quantity.noun = "share of a bandwidth";
    quantity.example = "'20%', or a rate such as '2048MiB/s'";
    quantity.other_words = "poll";
    if (!parse_quantity(binder, &quantity, scalar, &number))
        return false;
    *out_share = (struct share){ .is_rate = true, .bytes_per_second = number };
    return true;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

bool is_name(const char *text, size_t length)
{
    if (!length || !(g_ascii_isalpha(text[0]) || text[0] == '_'))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("_.:-", text[i]))
            return false;
    return true;
}

static bool is_label_number(const struct scalar *scalar)
{
    uint64_t value;
    return digits(scalar->text, scalar->length, IDS_LIMIT, &value);
}

static bool parse_name(struct binder *binder, const struct column *column, const struct scalar *scalar,
                       const char **out_name)
{
    bool fits = is_name(scalar->text, scalar->length) || (scalar->is_quoted && scalar->length) ||
                (column->type == V_LABEL && is_label_number(scalar));
    if (!fits) {
        struct finding *finding =
            report_value(binder, NM_wrong_name, scalar, "'%.*s' is no name", (int)scalar->length, scalar->text);
        if (memchr(scalar->text, ',', scalar->length))
            finding_help(binder->findings, finding, "part names by blanks, without commas");
        else
            finding_help(binder->findings, finding,
                         "a name begins with a letter or '_' and goes on with letters, digits, '_', '.', ':', '-'; "
                         "put any other in double quotes");
        return false;
    }
    *out_name = arena_string(binder->arena, scalar->text, scalar->length);
    return true;
}

static const char *next_choice(void *state)
{
    const char *const **at = state;
    return **at ? *(*at)++ : NULL;
}

/* Values that the language has and this version does not. */
static bool refuse_later(struct binder *binder, const struct column *column, const struct scalar *scalar)
{
    static const struct {
        const char *text, *about, *help;
    } later[] = {
        { "s390x", "guests of IBM Z", "write 'x86_64' or 'aarch64'" },
    };
    bool is_architecture = column->type == V_CHOICE && strcmp(column->choices[0], "x86_64") == 0;
    for (size_t i = 0; is_architecture && i < G_N_ELEMENTS(later); i++) {
        if (!same(scalar, later[i].text))
            continue;
        struct finding *finding =
            report_value(binder, NM_later_word, scalar, "'%s' is not yet in this version of numac", later[i].text);
        finding_note(binder->findings, finding, "it will be: %s", later[i].about);
        finding_help(binder->findings, finding, "%s", later[i].help);
        return true;
    }
    return false;
}

static bool parse_choice(struct binder *binder, const struct column *column, const struct scalar *scalar,
                         void *out_choice)
{
    for (uint32_t i = 0; column->choices[i]; i++)
        if (same(scalar, column->choices[i])) {
            if (column->bytes == sizeof(uint8_t))
                *(uint8_t *)out_choice = (uint8_t)i;
            else
                *(uint32_t *)out_choice = i;
            return true;
        }
    if (refuse_later(binder, column, scalar))
        return false;
    struct finding *finding = report_value(binder, NM_wrong_choice, scalar, "'%.*s' is none of the words that fit here",
                                           (int)scalar->length, scalar->text);
    g_autofree char *list = g_strjoinv(", ", (char **)(uintptr_t)column->choices);
    const char *const *at = column->choices;
    const char *nearest = nearest_name(scalar->text, scalar->length, next_choice, &at);
    if (nearest)
        finding_help(binder->findings, finding, "did you mean '%s'? it is one of: %s", nearest, list);
    else
        finding_help(binder->findings, finding, "write one of: %s", list);
    return false;
}

static bool parse_bool(struct binder *binder, const struct scalar *scalar, bool *out_state)
{
    if (same(scalar, "yes") || same(scalar, "no")) {
        *out_state = scalar->text[0] == 'y';
        return true;
    }
    struct finding *finding = report_value(binder, NM_wrong_choice, scalar, "'%.*s' is neither 'yes' nor 'no'",
                                           (int)scalar->length, scalar->text);
    static const char *const others[] = { "false", "true", "off", "on", "0", "1", "disabled", "enabled", "n", "y" };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (g_ascii_strncasecmp(scalar->text, others[i], MAX(scalar->length, strlen(others[i]))) == 0) {
            finding_help(binder->findings, finding, "write '%s'", i % 2 ? "yes" : "no");
            return false;
        }
    finding_help(binder->findings, finding, "write 'yes' or 'no'");
    return false;
}

static bool parse_version(struct binder *binder, const struct scalar *scalar, struct version_number *out_version)
{
    uint64_t parts[3] = { 0 };
    size_t count = 0, from = 0;
    bool fine = scalar->length > 0;
    for (size_t i = 0; fine && i <= scalar->length; i++)
        if (i == scalar->length || scalar->text[i] == '.') {
            fine = count < 3 && digits(scalar->text + from, i - from, UINT16_MAX, &parts[count]);
            count++;
            from = i + 1;
        }
    if (!fine || count < 2) {
        struct finding *finding =
            report_value(binder, NM_wrong_version, scalar, "'%.*s' is no version", (int)scalar->length, scalar->text);
        finding_help(binder->findings, finding, "write it as 7.2 or 9.0.0");
        return false;
    }
    *out_version = (struct version_number){ (uint16_t)parts[0], (uint16_t)parts[1], (uint16_t)parts[2] };
    return true;
}

static bool parse_text(struct binder *binder, const struct column *column, const struct scalar *scalar,
                       const char **out_text)
{
    if (!scalar->length) {
        const char *what = column->type == V_TEXT ? "text" : "path";
        struct finding *finding = report_value(binder, NM_empty_text, scalar, "this %s is empty", what);
        finding_help(binder->findings, finding, "give a %s, or leave the word out", what);
        return false;
    }
    bool is_path = column->type == V_FILE || (column->type == V_SOURCE && !same(scalar, "live"));
    *out_text = is_path ? path_beside(binder, scalar->span.file, scalar->text, scalar->length)
                        : arena_string(binder->arena, scalar->text, scalar->length);
    return true;
}

static bool parse_feature(struct binder *binder, const struct scalar *scalar, struct feature_word *out_feature)
{
    struct scalar name = *scalar;
    bool disabled = scalar->length && scalar->text[0] == '^';
    if (disabled) {
        name.text++;
        name.length--;
    }
    bool fine = name.length > 0;
    for (size_t i = 0; i < name.length; i++)
        fine &= g_ascii_isalnum(name.text[i]) || strchr("_.-", name.text[i]);
    if (!fine) {
        struct finding *finding =
            report_value(binder, NM_wrong_name, scalar, "'%.*s' is no CPU feature", (int)scalar->length, scalar->text);
        finding_help(binder->findings, finding, "write 'topoext' to require it, '^pdpe1gb' to disable it");
        return false;
    }
    *out_feature = (struct feature_word){ arena_string(binder->arena, name.text, name.length), disabled };
    return true;
}

static bool parse_address(struct binder *binder, const struct scalar *scalar, uint64_t *out_address)
{
    enum { DIGITS_MOST = 16 };
    size_t length = scalar->length;
    bool fine = length > 2 && length <= 2 + DIGITS_MOST && memcmp(scalar->text, "0x", 2) == 0;
    for (size_t i = 2; fine && i < length; i++)
        fine = g_ascii_isxdigit(scalar->text[i]);
    if (!fine) {
        struct finding *finding =
            report_value(binder, NM_wrong_number, scalar, "'%.*s' is no address of memory", (int)length, scalar->text);
        finding_help(binder->findings, finding, "write it in hexadecimal: '0x100000000'");
        return false;
    }
    *out_address = 0;
    for (size_t i = 2; i < length; i++)
        *out_address = *out_address << 4 | (uint64_t)g_ascii_xdigit_value(scalar->text[i]);
    return true;
}

static bool parse_pci(struct binder *binder, const struct scalar *scalar, const char **out_address)
{
    if (is_pci_address(scalar->text, scalar->length)) {
        char *address = arena_string(binder->arena, scalar->text, scalar->length);
        for (char *at = address; *at; at++)
            *at = g_ascii_tolower(*at);
        *out_address = address;
        return true;
    }
    struct finding *finding =
        report_value(binder, NM_pci_address, scalar, "'%.*s' is no PCI address", (int)scalar->length, scalar->text);
    g_autofree char *whole = g_strdup_printf("0000:%.*s", (int)MIN(scalar->length, 16), scalar->text);
    if (is_pci_address(whole, strlen(whole)))
        finding_help(binder->findings, finding, "write the domain too: '%s'", whole);
    else
        finding_help(binder->findings, finding, "write it as 'lspci -D' does: '0000:41:00.0'");
    return false;
}

/* ---- all types -------------------------------------------------------------------------------------------------- */

static bool parse_number_or(struct binder *binder, const struct column *column, const struct scalar *scalar,
                            uint32_t *out_value)
{
    static const struct {
        enum value_type type;
        const char *word;
        uint32_t value;
    } words[] = { { V_COUNT, "all", COUNT_ALL },
                  { V_CELLS, "auto", CELLS_AUTO },
                  { V_CELLS, "host", CELLS_HOST },
                  { V_DISTANCE, "auto", DISTANCE_AUTO } };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (words[i].type == column->type && same(scalar, words[i].word)) {
            *out_value = words[i].value;
            return true;
        }
    return parse_int(binder, column->name, scalar, out_value);
}

static bool parse_size_or(struct binder *binder, const struct column *column, const struct scalar *scalar,
                          uint64_t *out_value)
{
    if (column->type == V_SIZE_OR_ALL && same(scalar, "all"))
        *out_value = SIZE_ALL;
    else if (column->type == V_PAGES && same(scalar, "normal"))
        *out_value = PAGES_NORMAL;
    else if (column->type == V_PAGES && same(scalar, "largest"))
        *out_value = PAGES_LARGEST;
    else
        return parse_size(binder, scalar, out_value);
    return true;
}

bool parse_value(struct binder *binder, const struct column *column, const struct scalar *scalar, void *out_value)
{
    switch (column->type) {
    case V_NAME:
    case V_REF:
    case V_LABEL:
    case V_VARIABLE:
        return parse_name(binder, column, scalar, out_value);
    case V_TEXT:
    case V_FILE:
    case V_SOURCE:
        return parse_text(binder, column, scalar, out_value);
    case V_WHAT:
    case V_ANY:
        *(const char **)out_value = arena_string(binder->arena, scalar->text, scalar->length);
        return true;
    case V_FEATURE:
        return parse_feature(binder, scalar, out_value);
    case V_CHOICE:
        return parse_choice(binder, column, scalar, out_value);
    case V_BOOL:
        return parse_bool(binder, scalar, out_value);
    case V_INT:
    case V_COUNT:
    case V_CELLS:
    case V_DISTANCE:
        return parse_number_or(binder, column, scalar, out_value);
    case V_SIZE:
    case V_SIZE_OR_ALL:
    case V_PAGES:
        return parse_size_or(binder, column, scalar, out_value);
    case V_NODES_OR_AUTO:
        if (same(scalar, "auto")) {
            *(const struct set **)out_value = NULL;
            return true;
        }
        __attribute__((fallthrough));
    case V_CPUS_OR_NUMAD:
        if (same(scalar, set_numad.text)) {
            *(const struct set **)out_value = &set_numad;
            return true;
        }
        __attribute__((fallthrough));
    case V_SET:
    case V_CPUS:
    case V_NODES: {
        const struct set *set = parse_set(binder, scalar, column->type);
        if (set)
            *(const struct set **)out_value = set;
        return set != NULL;
    }
    case V_VERSION:
        return parse_version(binder, scalar, out_value);
    case V_TIME:
        return parse_quantity(binder, &time_quantity, scalar, out_value);
    case V_RATE:
        return parse_quantity(binder, &rate_quantity, scalar, out_value);
    case V_SHARE:
        return parse_share(binder, scalar, out_value);
    case V_ADDRESS:
        return parse_address(binder, scalar, out_value);
    case V_PCI:
        return parse_pci(binder, scalar, out_value);
    case V_URI:
        return parse_uri(binder, scalar, out_value);
    case V_CODE:
        return parse_code(binder, scalar, out_value);
    case V_DATE:
        return parse_date(binder, scalar, out_value);
    case V_AMOUNT:
        return parse_amount(binder, scalar, out_value);
    case V_NONE:
    case V_TYPES:
        break;
    }
    bug("a value type without a parser");
}

size_t value_bytes(enum value_type type)
{
    switch (type) {
    case V_NAME:
    case V_REF:
    case V_LABEL:
    case V_VARIABLE:
    case V_TEXT:
    case V_FILE:
    case V_SOURCE:
    case V_WHAT:
    case V_PCI:
    case V_URI:
    case V_ANY:
        return sizeof(const char *);
    case V_FEATURE:
        return sizeof(struct feature_word);
    case V_BOOL:
        return sizeof(bool);
    case V_CHOICE:
    case V_INT:
    case V_COUNT:
    case V_CELLS:
    case V_DISTANCE:
    case V_DATE:
        return sizeof(uint32_t);
    case V_SIZE:
    case V_SIZE_OR_ALL:
    case V_PAGES:
    case V_TIME:
    case V_RATE:
    case V_ADDRESS:
        return sizeof(uint64_t);
    case V_SHARE:
        return sizeof(struct share);
    case V_SET:
    case V_CPUS:
    case V_NODES:
    case V_NODES_OR_AUTO:
    case V_CPUS_OR_NUMAD:
        return sizeof(const struct set *);
    case V_VERSION:
        return sizeof(struct version_number);
    case V_AMOUNT:
        return sizeof(struct amount);
    case V_CODE:
        return sizeof(enum code);
    case V_NONE:
    case V_TYPES:
        break;
    }
    bug("a value type without a size");
}

size_t column_bytes(const struct column *column)
{
    if (column->flags & MANY)
        return sizeof(struct list);
    return column->type == V_CHOICE ? column->bytes : value_bytes(column->type);
}
