/* SPDX-License-Identifier: MIT
 *
 * Sizes as people read them: the largest binary unit that leaves a whole number.
 */
#include "base/base.h"

void size_append(GString *out, uint64_t bytes)
{
    static const char units[][4] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned unit = 0;
    while (unit < G_N_ELEMENTS(units) - 1 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    append_number(out, bytes);
    append(out, bytes ? units[unit] : "KiB");
}

char *size_text(struct arena *arena, uint64_t bytes)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_append(text, bytes);
    return arena_string(arena, text->str, text->len);
}
