/* SPDX-License-Identifier: MIT
 *
 * JSON, written only by appending: stable order, stable spacing, every string escaped.  Bytes that are no UTF-8 are
 * replaced, so that the result is always JSON.
 */
#include "base/base.h"

#include <string.h>

static void escaped(GString *out, const char *text, size_t length)
{
    g_autofree char *clean = NULL;
    if (!g_utf8_validate_len(text, length, NULL)) {
        clean = g_utf8_make_valid(text, (gssize)length);
        text = clean;
        length = strlen(clean);
    }
    g_string_append_c(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)
            continue;
        g_string_append_len(out, text + plain, (gssize)(i - plain));
        plain = i + 1;
        if (byte == '"' || byte == '\\')
            g_string_append_printf(out, "\\%c", byte);
        else if (byte == '\n')
            g_string_append(out, "\\n");
        else
            g_string_append_printf(out, "\\u%04x", byte);
    }
    g_string_append_len(out, text + plain, (gssize)(length - plain));
    g_string_append_c(out, '"');
}

static void newline(struct json *json)
{
    g_string_append_c(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++)
        g_string_append(json->out, "  ");
}

static void begin(struct json *json, const char *key)
{
    if (json->inline_array) {
        if (json->filled)
            g_string_append(json->out, ", ");
    } else if (json->depth) {
        if (json->filled)
            g_string_append_c(json->out, ',');
        newline(json);
    }
    json->filled = true;
    if (key) {
        escaped(json->out, key, strlen(key));
        g_string_append(json->out, ": ");
    }
}

void json_open(struct json *json, GString *out)
{
    *json = (struct json){ .out = out };
}

static void deeper(struct json *json, const char *key, char bracket)
{
    begin(json, key);
    g_string_append_c(json->out, bracket);
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
    g_string_append_c(json->out, bracket);
    json->inline_array = false;
    json->filled = true;
}

void json_text(struct json *json, const char *key, const char *value, size_t length)
{
    begin(json, key);
    escaped(json->out, value, length);
}

void json_string(struct json *json, const char *key, const char *value)
{
    json_text(json, key, value, strlen(value));
}

void json_number(struct json *json, const char *key, uint64_t value)
{
    begin(json, key);
    g_string_append_printf(json->out, "%" G_GUINT64_FORMAT, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin(json, key);
    g_string_append(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin(json, key);
    g_string_append(json->out, "null");
}

void json_finish(struct json *json)
{
    g_string_append_c(json->out, '\n');
}
