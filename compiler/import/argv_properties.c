/* SPDX-License-Identifier: MIT
 *
 * The value of an option as properties: "node,nodeid=0,cpus=0-3", or JSON, whose lists and objects become the keys
 * that QEMU's flat form has for them; and what stands in them as numbers, sizes, switches and sets.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <string.h>

struct parser {
    struct argv_guest *guest;
    struct option *option;
    const char *text;
    uint32_t at;
    GArray *properties;
};

/* A stretch of the value in the file, or the whole word where its text stands in pieces. */
static struct span span_at(const struct parser *parser, uint32_t begin, uint32_t end)
{
    const struct argv_word *word = parser->option->value;
    struct span whole = argv_word_span(parser->guest->command->file, word);
    if (word->text_begin == ARGV_NOWHERE)
        return whole;
    return (struct span){ whole.file, MIN(word->text_begin + begin, whole.end),
                          MIN(word->text_begin + end, whole.end) };
}

static bool add(struct parser *parser, const char *key, const char *value, uint32_t begin, uint32_t end)
{
    struct span where = span_at(parser, begin, end);
    if (parser->properties->len == ARGV_PROPERTY_LIMIT) {
        struct finding *finding = argv_report(parser->guest, NM_argv_limit, where,
                                              "a value has more than %d properties", ARGV_PROPERTY_LIMIT);
        finding_help(parser->guest->findings, finding, "QEMU has no option with so many: is the line what it seems?");
        return false;
    }
    struct property property = { .key = key, .value = value, .where = where };
    g_array_append_val(parser->properties, property);
    return true;
}

/* ---- key=value -------------------------------------------------------------------------------------------------- */

/* Behind the value that begins at `at`, whose commas are doubled. */
static uint32_t part_end(const char *text, uint32_t at)
{
    while (text[at] && (text[at] != ',' || text[at + 1] == ','))
        at += text[at] == ',' ? 2 : 1;
    return at;
}

static const char *single_commas(struct arena *arena, const char *text, uint32_t length)
{
    char *copy = arena_string(arena, text, length), *to = copy;
    for (const char *from = copy; *from; from++) {
        *to++ = *from;
        if (from[0] == ',' && from[1] == ',')
            from++;
    }
    *to = 0;
    return copy;
}

/* "host-nodes.0" is one of the "host-nodes". */
static const char *key_of(struct arena *arena, const char *text, uint32_t length)
{
    uint32_t digits = 0;
    while (digits < length && g_ascii_isdigit(text[length - 1 - digits]))
        digits++;
    if (digits && digits + 1 < length && text[length - 1 - digits] == '.')
        length -= digits + 1;
    return arena_string(arena, text, length);
}

static bool read_pairs(struct parser *parser)
{
    struct arena *arena = parser->guest->arena;
    const char *text = parser->text;
    for (uint32_t begin = 0, end; text[begin]; begin = text[end] ? end + 1 : end) {
        end = part_end(text, begin);
        const char *equals = memchr(text + begin, '=', end - begin);
        bool is_bare_first = !equals && !begin && parser->option->row->first;
        uint32_t key_end = equals ? (uint32_t)(equals - text) : end;
        const char *key = is_bare_first ? parser->option->row->first : key_of(arena, text + begin, key_end - begin);
        const char *value = equals          ? single_commas(arena, equals + 1, end - key_end - 1)
                            : is_bare_first ? single_commas(arena, text + begin, end - begin)
                                            : "on";
        if (!add(parser, key, value, begin, end))
            return false;
    }
    return true;
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static bool refuse_json(struct parser *parser, const char *why)
{
    uint32_t end = parser->at + (parser->text[parser->at] != 0);
    return argv_refuse(parser->guest, span_at(parser, parser->at, end),
                       "is the line cut short, or its quoting lost? copy it from the file or /proc/PID/cmdline",
                       "this is no JSON: %s", why);
}

static void skip_blanks(struct parser *parser)
{
    while (parser->text[parser->at] && strchr(" \t\r\n", parser->text[parser->at]))
        parser->at++;
}

static bool expect(struct parser *parser, char sign)
{
    skip_blanks(parser);
    if (parser->text[parser->at] != sign)
        return false;
    parser->at++;
    return true;
}

static bool read_code(struct parser *parser, uint32_t *out_code)
{
    *out_code = 0;
    for (unsigned i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(parser->text[parser->at]);
        if (digit < 0)
            return refuse_json(parser, "four hexadecimal digits belong behind \\u");
        *out_code = *out_code << 4 | (uint32_t)digit;
        parser->at++;
    }
    return true;
}

/* Behind "\u"; two of them may make one character. */
static bool append_code(struct parser *parser, GString *out)
{
    uint32_t code, second;
    if (!read_code(parser, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00 && strncmp(parser->text + parser->at, "\\u", 2) == 0) {
        parser->at += 2;
        if (!read_code(parser, &second))
            return false;
        code = second >= 0xdc00 && second < 0xe000 ? 0x10000 + ((code & 0x3ff) << 10 | (second & 0x3ff)) : 0;
    }
    if (!code || !g_unichar_validate(code))
        return refuse_json(parser, "an escape that is no character");
    g_string_append_unichar(out, code);
    return true;
}

static bool append_escaped(struct parser *parser, GString *out)
{
    static const char letters[] = "\"\\/bfnrt", signs[] = "\"\\/\b\f\n\r\t";
    char byte = parser->text[parser->at];
    const char *letter = byte ? strchr(letters, byte) : NULL;
    if (byte == 'u') {
        parser->at++;
        return append_code(parser, out);
    }
    if (!letter)
        return refuse_json(parser, "an escape that it does not have");
    parser->at++;
    g_string_append_c(out, signs[letter - letters]);
    return true;
}

static char *read_string(struct parser *parser)
{
    if (!expect(parser, '"')) {
        refuse_json(parser, "a text in double quotes belongs here");
        return NULL;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    for (;;) {
        char byte = parser->text[parser->at];
        if (!byte) {
            refuse_json(parser, "a text does not end");
            return NULL;
        }
        parser->at++;
        if (byte == '"')
            return arena_string(parser->guest->arena, text->str, text->len);
        if (byte != '\\')
            g_string_append_c(text, byte);
        else if (!append_escaped(parser, text))
            return NULL;
    }
}

static bool read_value(struct parser *parser, const char *key, uint32_t begin, unsigned depth);

static bool read_object(struct parser *parser, const char *prefix, unsigned depth)
{
    if (expect(parser, '}'))
        return true;
    do {
        skip_blanks(parser);
        uint32_t begin = parser->at;
        const char *name = read_string(parser);
        if (!name)
            return false;
        if (!expect(parser, ':'))
            return refuse_json(parser, "a colon belongs behind a key");
        if (strlen(name) > ARGV_KEY_LIMIT)
            return refuse_json(parser, "a key is longer than any that QEMU has");
        const char *key = prefix ? arena_printf(parser->guest->arena, "%s.%s", prefix, name) : name;
        if (!read_value(parser, key, begin, depth + 1))
            return false;
    } while (expect(parser, ','));
    return expect(parser, '}') || refuse_json(parser, "an object does not end");
}

static bool read_list(struct parser *parser, const char *key, unsigned depth)
{
    if (expect(parser, ']'))
        return true;
    do {
        skip_blanks(parser);
        if (!read_value(parser, key, parser->at, depth + 1))
            return false;
    } while (expect(parser, ','));
    return expect(parser, ']') || refuse_json(parser, "a list does not end");
}

/* Numbers, true, false and null, by their letters: what they must be is said by those who want them. */
static bool read_plain(struct parser *parser, const char *key, uint32_t begin)
{
    const char *from = parser->text + parser->at;
    size_t length = strspn(from, "0123456789abcdefghijklmnopqrstuvwxyzE+-.");
    if (!length)
        return refuse_json(parser, "a value is missing");
    const char *word = arena_string(parser->guest->arena, from, length);
    const char *value = strcmp(word, "true") == 0 ? "on" : strcmp(word, "false") == 0 ? "off" : word;
    parser->at += (uint32_t)length;
    return add(parser, key, value, begin, parser->at);
}

static bool read_value(struct parser *parser, const char *key, uint32_t begin, unsigned depth)
{
    if (depth > ARGV_DEPTH_LIMIT)
        return refuse_json(parser, "objects stand deeper in one another than QEMU has them");
    skip_blanks(parser);
    switch (parser->text[parser->at]) {
    case '{':
        parser->at++;
        return read_object(parser, key, depth);
    case '[':
        parser->at++;
        return read_list(parser, key, depth);
    case '"': {
        const char *value = read_string(parser);
        return value && add(parser, key, value, begin, parser->at);
    }
    default:
        return read_plain(parser, key, begin);
    }
}

static bool read_json(struct parser *parser)
{
    parser->at = 1;
    if (!read_object(parser, NULL, 0))
        return false;
    skip_blanks(parser);
    return !parser->text[parser->at] || refuse_json(parser, "more stands behind it");
}

bool argv_read_properties(struct argv_guest *guest, struct option *option)
{
    struct parser parser = { .guest = guest, .option = option, .text = option->value->text };
    parser.properties = g_array_new(FALSE, FALSE, sizeof(struct property));
    bool fine = *parser.text == '{' ? read_json(&parser) : read_pairs(&parser);
    option->count = parser.properties->len;
    option->properties = arena_copy(guest->arena, parser.properties->data, option->count * sizeof(struct property));
    g_array_free(parser.properties, TRUE);
    return fine;
}

/* ---- properties by their keys ----------------------------------------------------------------------------------- */

const struct property *option_find(const struct option *option, const char *key)
{
    const struct property *found = NULL;
    for (uint32_t i = 0; i < option->count; i++)
        if (strcmp(option->properties[i].key, key) == 0)
            found = &option->properties[i];
    return found;
}

struct property *option_take(struct option *option, const char *key)
{
    struct property *found = NULL;
    for (uint32_t i = 0; i < option->count; i++)
        if (strcmp(option->properties[i].key, key) == 0) {
            found = &option->properties[i];
            found->is_used = true;
        }
    return found;
}

const char *option_text(struct option *option, const char *key)
{
    const struct property *property = option_take(option, key);
    return property ? property->value : NULL;
}

static bool read_number(const char *text, uint64_t *out_number)
{
    char *end;
    bool is_hex = g_str_has_prefix(text, "0x");
    const char *digits = is_hex ? text + 2 : text;
    size_t length = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
    if (!length || digits[length] || length > (is_hex ? 16 : 19))
        return false;
    *out_number = g_ascii_strtoull(digits, &end, is_hex ? 16 : 10);
    return true;
}

bool property_number(struct argv_guest *guest, const struct property *property, uint64_t most, uint64_t *out_number)
{
    if (read_number(property->value, out_number) && *out_number <= most)
        return true;
    g_autofree char *help = g_strdup_printf("write a whole number up to %" G_GUINT64_FORMAT, most);
    return argv_refuse(guest, property->where, help, "'%.40s' is no number for '%.40s'", property->value,
                       property->key);
}

/* "1.5" of a unit; QEMU drops what is less than a byte. */
static bool add_fraction(const char *digits, uint64_t unit, uint64_t *bytes)
{
    enum { MOST_DIGITS = 9 };
    uint64_t fraction = 0, scale = 1;
    size_t length = strspn(digits, "0123456789");
    if (length > MOST_DIGITS)
        return false;
    for (size_t i = 0; i < length; i++, scale *= 10)
        fraction = fraction * 10 + (uint64_t)(digits[i] - '0');
    /* unit is a power of two of at most 2^60, and fraction < scale <= 10^9 */
    uint64_t part = unit / scale * fraction + unit % scale * fraction / scale;
    return !__builtin_add_overflow(*bytes, part, bytes);
}

static bool read_size(const char *text, uint64_t unit, uint64_t *out_bytes)
{
    static const char letters[] = "bkmgtpe";
    size_t digits = strspn(text, "0123456789"), fraction = 0;
    uint64_t number;
    if (!digits || digits > 19)
        return false;
    if (g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X")) /* bytes, without a unit */
        return read_number(text, out_bytes);
    g_autofree char *whole = g_strndup(text, digits);
    const char *rest = text + digits;
    if (*rest == '.')
        rest += fraction = 1 + strspn(rest + 1, "0123456789");
    const char *letter = *rest ? strchr(letters, g_ascii_tolower(*rest)) : NULL;
    if (*rest && (!letter || rest[1]))
        return false;
    if (letter)
        unit = UINT64_C(1) << 10 * (letter - letters);
    if (!read_number(whole, &number) || __builtin_mul_overflow(number, unit, out_bytes))
        return false;
    return !fraction || add_fraction(text + digits + 1, unit, out_bytes);
}

bool property_size(struct argv_guest *guest, const struct property *property, uint64_t unit, uint64_t *out_bytes)
{
    if (read_size(property->value, unit, out_bytes) && *out_bytes < UINT64_MAX - MIB)
        return true;
    return argv_refuse(guest, property->where, "write a number and K, M, G or T", "'%.40s' is no size for '%.40s'",
                       property->value, property->key);
}

bool property_switch(struct argv_guest *guest, const struct property *property, bool *out_state)
{
    static const char *const on[] = { "on", "yes", "true", "y" }, *const off[] = { "off", "no", "false", "n" };
    for (size_t i = 0; i < G_N_ELEMENTS(on); i++)
        if (strcmp(property->value, on[i]) == 0 || strcmp(property->value, off[i]) == 0) {
            *out_state = strcmp(property->value, on[i]) == 0;
            return true;
        }
    return argv_refuse(guest, property->where, "write 'on' or 'off'", "'%.40s' is neither on nor off for '%.40s'",
                       property->value, property->key);
}

static bool add_ids(struct argv_guest *guest, const struct property *property, uint32_t most, hwloc_bitmap_t set)
{
    g_auto(GStrv) ends = g_strsplit(property->value, "-", 3);
    uint64_t first, last;
    bool fine = ends[0] && read_number(ends[0], &first) && (!ends[1] || (!ends[2] && read_number(ends[1], &last)));
    if (fine && !ends[1])
        last = first;
    if (!fine || first > last || last > most) {
        g_autofree char *help = g_strdup_printf("write a number up to %u, or a range such as 0-3", most);
        return argv_refuse(guest, property->where, help, "'%.40s' is no number or range for '%.40s'", property->value,
                           property->key);
    }
    if (hwloc_bitmap_set_range(set, (unsigned)first, (int)last) != 0)
        g_error("out of memory for a set");
    return true;
}

bool option_ids(struct argv_guest *guest, struct option *option, const char *key, uint32_t most, hwloc_bitmap_t set)
{
    bool fine = true;
    for (uint32_t i = 0; i < option->count; i++)
        if (strcmp(option->properties[i].key, key) == 0) {
            option->properties[i].is_used = true;
            fine &= add_ids(guest, &option->properties[i], most, set);
        }
    return fine;
}
