/* SPDX-License-Identifier: MIT
 *
 * Escapes text for XML.  The result is well-formed whatever comes in: line ends and tabs keep their value in
 * attributes too, and what XML 1.0 cannot say becomes the replacement character.
 */
#include "emit/xml_writer.h"

static const char *escape_of(unsigned char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\'':
        return "&apos;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return byte < 0x20 ? "\xef\xbf\xbd" : NULL;
    }
}

/* U+FFFE and U+FFFF are valid UTF-8 and no XML characters. */
static bool is_noncharacter(const unsigned char *at)
{
    return at[0] == 0xef && at[1] == 0xbf && (at[2] == 0xbe || at[2] == 0xbf);
}

void xml_text(struct xml *xml, const char *text)
{
    g_autofree char *clean = NULL;
    if (!g_utf8_validate(text, -1, NULL))
        text = clean = g_utf8_make_valid(text, -1);
    const char *plain = text, *at = text;
    for (; *at; at++) {
        const char *escape = escape_of((unsigned char)*at);
        size_t taken = 1;
        if (is_noncharacter((const unsigned char *)at)) {
            escape = "\xef\xbf\xbd";
            taken = 3;
        }
        if (!escape)
            continue;
        append_bytes(xml->out, plain, (size_t)(at - plain));
        append(xml->out, escape);
        plain = at + taken;
        at += taken - 1;
    }
    append_bytes(xml->out, plain, (size_t)(at - plain));
}
