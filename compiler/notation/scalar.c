/* SPDX-License-Identifier: MIT
 *
 * Scalars of YAML: plain where every tool reads the same text back, in double quotes where one might take it for a
 * number, a date, a boolean or null.
 */
#include "notation/parts.h"

#include <string.h>

static bool is_one_of_words(const char *text, size_t length)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i]) == length && g_ascii_strncasecmp(words[i], text, length) == 0)
            return true;
    return false;
}

static size_t span_of_digits(const char *text, size_t length)
{
    size_t digits = 0;
    while (digits < length && (g_ascii_isdigit(text[digits]) || text[digits] == '_'))
        digits++;
    return digits;
}

/* "2027-01-31" */
static bool is_date(const char *text, size_t length)
{
    size_t dashes = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '-')
            dashes++;
        else if (!g_ascii_isdigit(text[i]))
            return false;
    }
    return dashes == 2;
}

/* Whole numbers in plain decimal come back as they were; all other numbers may not. */
static bool is_odd_number(const char *text, size_t length)
{
    enum { EXACT_DIGITS = 15 }; /* in tools that know only floating point */
    size_t digits = span_of_digits(text, length);
    if (!digits)
        return false;
    if (digits == length)
        return memchr(text, '_', length) || length > EXACT_DIGITS || (text[0] == '0' && length > 1);
    if (text[0] == '0' && digits == 1 && strchr("xXoObB", text[1]))
        return true;
    size_t at = digits;
    if (text[at] == '.')
        at += 1 + span_of_digits(text + at + 1, length - at - 1);
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (at < length && text[at] == '-')
            at++;
        at += span_of_digits(text + at, length - at);
    }
    return at == length;
}

static bool is_retyped(const char *text, size_t length)
{
    return is_one_of_words(text, length) || is_odd_number(text, length) || is_date(text, length);
}

bool yaml_joins(const char *text, size_t length, bool is_first, bool in_flow)
{
    if (!is_plain_word(text, length) || memchr(text, ':', length) || (in_flow && memchr(text, ',', length)))
        return false;
    return !is_first || !(strchr("-,%.", text[0]) || is_date(text, length));
}

bool yaml_may_hold(gunichar character)
{
    if (character < 0x20)
        return character == '\t';
    if (character < 0x10000)
        return character < 0x7f || (character >= 0xa0 && character < 0xfffe && character != 0x2028 &&
                                    character != 0x2029 && character != 0xfeff);
    return true;
}

static void append_escaped(GString *out, const char *text, size_t length)
{
    size_t bytes;
    for (const char *end = text + length; text < end; text += bytes) {
        bytes = character_bytes(text);
        gunichar character = g_utf8_get_char(text);
        if (character == '"' || character == '\\')
            g_string_append_printf(out, "\\%c", (char)character);
        else if (character == '\t')
            g_string_append(out, "\\t");
        else if (character == '\n')
            g_string_append(out, "\\n");
        else if (yaml_may_hold(character))
            g_string_append_len(out, text, (gssize)bytes);
        else
            g_string_append_printf(out, character < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)character);
    }
}

void yaml_scalar(GString *out, const char *text, size_t length, bool quoted, bool in_flow)
{
    if (!quoted && yaml_joins(text, length, true, in_flow) && !is_retyped(text, length)) {
        g_string_append_len(out, text, (gssize)length);
        return;
    }
    g_string_append_c(out, '"');
    append_escaped(out, text, length);
    g_string_append_c(out, '"');
}
