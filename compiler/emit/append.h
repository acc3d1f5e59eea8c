/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: appending without a function call where there is room already.  Ten thousand guests are some
 * millions of short pieces, and nearly all of them fit.
 */
#pragma once

#include "base/base.h"

#include <string.h>

static inline void append_bytes(GString *out, const char *bytes, size_t length)
{
    if (out->allocated_len - out->len > length) {
        memcpy(out->str + out->len, bytes, length);
        out->len += length;
        out->str[out->len] = 0;
    } else {
        g_string_append_len(out, bytes, (gssize)length);
    }
}

/* Inline, so that the length of a literal is known when compiling. */
static inline void append(GString *out, const char *text)
{
    append_bytes(out, text, strlen(text));
}

static inline void append_number(GString *out, uint64_t number)
{
    char digits[20];
    char *end = digits + sizeof digits, *at = end;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    append_bytes(out, at, (size_t)(end - at));
}
