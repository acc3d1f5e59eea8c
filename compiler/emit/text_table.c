/* SPDX-License-Identifier: MIT
 *
 * Tables for people: columns as wide as their widest field, no blanks at the end of a line.
 */
#include "emit/text_table.h"

enum { MARGIN = 2, GAP = 2 };

void table_open(struct table *table, unsigned columns, bool right_aligned)
{
    *table = (struct table){ .columns = columns, .right_aligned = right_aligned };
    table->fields = g_ptr_array_new_with_free_func(g_free);
}

void table_add(struct table *table, const char *field)
{
    g_ptr_array_add(table->fields, g_strdup(field));
}

void table_take(struct table *table, GString *field)
{
    g_ptr_array_add(table->fields, g_string_free(field, FALSE));
}

static size_t width_of(const char *text)
{
    return (size_t)g_utf8_strlen(text, -1);
}

static void append_blanks(GString *out, size_t count)
{
    while (count--)
        g_string_append_c(out, ' ');
}

void table_write(struct table *table, GString *out)
{
    g_autofree size_t *widths = g_new0(size_t, table->columns);
    for (guint i = 0; i < table->fields->len; i++) {
        size_t width = width_of(g_ptr_array_index(table->fields, i));
        widths[i % table->columns] = MAX(widths[i % table->columns], width);
    }
    size_t owed = MARGIN; /* blanks that are written only when something follows */
    for (guint i = 0; i < table->fields->len; i++) {
        const char *field = g_ptr_array_index(table->fields, i);
        unsigned column = i % table->columns;
        size_t spare = widths[column] - width_of(field);
        bool right = table->right_aligned && column;
        if (*field) {
            append_blanks(out, owed + (right ? spare : 0));
            append(out, field);
            owed = right ? 0 : spare;
        } else {
            owed += spare;
        }
        owed += GAP;
        if (column + 1 == table->columns) {
            append(out, "\n");
            owed = MARGIN;
        }
    }
    g_ptr_array_free(table->fields, TRUE);
}
