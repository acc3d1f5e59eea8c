/* SPDX-License-Identifier: MIT
 *
 * How one character of somebody's text looks on a screen, and how wide.  Whatever could move the cursor, change
 * colours, reorder a line or hide itself is spelt out.
 */
#include <string.h>

#include "diag/findings.h"

enum { TAB_COLUMNS = 4, ZERO_WIDTH_NON_JOINER = 0x200c, ZERO_WIDTH_JOINER = 0x200d };

/* Controls, line separators and formatting characters such as those that turn the direction of writing.  The two
 * joiners only shape their neighbours. */
static bool must_be_spelt(gunichar character)
{
    if (character == ZERO_WIDTH_NON_JOINER || character == ZERO_WIDTH_JOINER)
        return false;
    switch ((int)g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return true;
    default:
        return false;
    }
}

static unsigned width(gunichar character)
{
    return g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
}

struct glyph glyph_at(const char *text, size_t left, unsigned column)
{
    struct glyph glyph = { .bytes = 1, .columns = 1 };
    unsigned char byte = (unsigned char)*text;
    if (byte >= 0x20 && byte < 0x7f) {
        glyph.text[0] = *text;
        return glyph;
    }
    if (byte == '\t') {
        glyph.columns = TAB_COLUMNS - column % TAB_COLUMNS;
        memset(glyph.text, ' ', glyph.columns);
        return glyph;
    }
    gunichar character = byte ? g_utf8_get_char_validated(text, (gssize)MIN(left, 6)) : 0;
    if (character > 0x10ffff) {
        g_snprintf(glyph.text, sizeof glyph.text, "<0x%02X>", byte);
        glyph.columns = (unsigned)strlen(glyph.text);
        return glyph;
    }
    glyph.bytes = byte ? (uint32_t)g_utf8_skip[byte] : 1;
    if (must_be_spelt(character)) {
        g_snprintf(glyph.text, sizeof glyph.text, "<U+%04X>", character);
        glyph.columns = (unsigned)strlen(glyph.text);
    } else {
        memcpy(glyph.text, text, glyph.bytes);
        glyph.columns = width(character);
    }
    return glyph;
}

void append_shown(GString *out, const char *text)
{
    unsigned column = 0;
    for (size_t left = strlen(text); left;) {
        struct glyph glyph = glyph_at(text, left, column);
        g_string_append(out, glyph.text);
        column += glyph.columns;
        text += glyph.bytes;
        left -= glyph.bytes;
    }
}
