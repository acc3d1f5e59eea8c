/* SPDX-License-Identifier: MIT
 *
 * JSON, written only by appending: stable order, stable spacing, every string escaped.  Bytes that are no UTF-8 are
 * replaced, so that the result is always JSON.
 */
#include "base/base.h"

#include <string.h>

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
}

static void append_escape(GString *out, unsigned char byte)
{
    if (byte == '"' || byte == '\\')
        g_string_append_printf(out, "\\%c", byte);
    else if (byte == '\n')
        append(out, "\\n");
    else
        g_string_append_printf(out, "\\u%04x", byte);
}

/* Bytes of a character beyond ASCII that a terminal might obey: controls and what turns the direction of writing;
 * else 0.  All are below U+10000. */
static size_t steering_bytes(const char *text)
{
    unsigned char byte = (unsigned char)*text;
    if (byte != 0xc2 && byte != 0xd8 && byte != 0xe2) /* the first of them all */
        return 0;
    gunichar character = g_utf8_get_char(text);
    bool steers = character < 0xa0 || character == 0x61c || (character >= 0x200e && character <= 0x200f) ||
                  (character >= 0x2028 && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
    return steers ? (size_t)g_utf8_skip[byte] : 0;
}

static void escaped(GString *out, const char *text, size_t length)
{
    size_t plain = 0;
    append_bytes(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        size_t steering = byte < 0x80 ? 0 : steering_bytes(text + i);
        if (!steering && is_plain(byte))
            continue;
        append_bytes(out, text + plain, i - plain);
        if (steering)
            g_string_append_printf(out, "\\u%04x", g_utf8_get_char(text + i));
        else
            append_escape(out, byte);
        i += steering ? steering - 1 : 0;
        plain = i + 1;
    }
    append_bytes(out, text + plain, length - plain);
    append_bytes(out, "\"", 1);
}

static bool is_ascii(const char *text, size_t length)
{
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

static void quoted(GString *out, const char *text, size_t length)
{
    if (is_ascii(text, length) || g_utf8_validate_len(text, length, NULL)) {
        escaped(out, text, length);
        return;
    }
    g_autofree char *clean = g_utf8_make_valid(text, (gssize)length);
    escaped(out, clean, strlen(clean));
}

static void newline(struct json *json)
{
    static const char blanks[] = "                                ";
    append_bytes(json->out, "\n", 1);
    for (size_t left = json->depth * 2, some; left; left -= some) {
        some = MIN(left, sizeof blanks - 1);
        append_bytes(json->out, blanks, some);
    }
}

static void begin(struct json *json, const char *key)
{
    if (json->inline_array) {
        if (json->filled)
            append(json->out, ", ");
    } else if (json->depth) {
        if (json->filled)
            append(json->out, ",");
        newline(json);
    }
    json->filled = true;
    if (key) {
        quoted(json->out, key, strlen(key));
        append(json->out, ": ");
    }
}

void json_open(struct json *json, GString *out)
{
    *json = (struct json){ .out = out };
}

static void deeper(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    append_bytes(json->out, &bracket, 1);
    json->depth++;
    json->filled = false;
}

void json_object(struct json *json, const char *key)
{
    deeper(json, key, '{');
}

void json_array(struct json *json, const char *key)
{
    deeper(json, key, '[');
}

void json_inline_array(struct json *json, const char *key)
{
    deeper(json, key, '[');
    json->inline_array = true;
}

void json_end(struct json *json, char bracket)
{
    json->depth--;
    if (json->filled && !json->inline_array)
        newline(json);
    append_bytes(json->out, &bracket, 1);
    json->inline_array = false;
    json->filled = true;
}

void json_text(struct json *json, const char *key, const char *value, size_t length)
{
    begin(json, key);
    quoted(json->out, value, length);
}

void json_string(struct json *json, const char *key, const char *value)
{
    json_text(json, key, value, strlen(value));
}

void json_ids(struct json *json, const char *key, const struct ids *ids)
{
    begin(json, key);
    append(json->out, "\"");
    ids_append(json->out, ids);
    append(json->out, "\"");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
    begin(json, key);
    append_number(json->out, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    append(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin(json, key);
    append(json->out, "null");
}

void json_finish(struct json *json)
{
    append(json->out, "\n");
}
