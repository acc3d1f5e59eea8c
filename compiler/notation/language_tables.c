/* SPDX-License-Identifier: MIT
 *
 * The tables of docs/language.md, from the vocabulary: every word of every place, its form, its default, its meaning.
 */
#include <string.h>

#include "notation/notation.h"
#include "notation/contexts.h"

static void append_type(GString *out, const struct column *column)
{
    if (column->type != V_CHOICE) {
        g_string_append(out, value_type_word(column->type));
        return;
    }
    for (size_t i = 0; column->choices[i]; i++)
        g_string_append_printf(out, "%s%s", i ? "/" : "", column->choices[i]);
}

static void append_columns(GString *out, const struct column *columns)
{
    for (const struct column *column = columns; column->name; column++) {
        g_string_append_printf(out, "%s%s:", column == columns ? "" : " ", column->name);
        append_type(out, column);
        g_string_append(out, column->flags & MANY ? "..." : "");
        g_string_append(out, column->flags & OPTIONAL ? "?" : "");
    }
}

static void append_form(GString *out, const struct word_row *row)
{
    size_t begin = out->len;
    if (row->label.name) {
        g_string_append_printf(out, "@%s:", row->label.name);
        append_type(out, &row->label);
    }
    if (row->arguments[0].name) {
        g_string_append(out, out->len > begin ? " " : "");
        append_columns(out, row->arguments);
    }
    if (row->columns[0].name) {
        g_string_append(out, row->arguments[0].name ? " or " : out->len > begin ? " " : "");
        g_string_append(out, "rows ");
        append_columns(out, row->columns);
    }
    if (row->opens)
        g_string_append(out, out->len > begin ? " {}" : "{}");
}

static void append_words(GString *out, enum context in)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    g_string_append(out, "| word | form | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        const struct word_row *row = &rows[i];
        if (!(row->in & in))
            continue;
        g_string_append_printf(out, "| `%s` | `", row->word);
        append_form(out, row);
        g_string_append_printf(out, "` | %s | %s |\n", row->default_text, row->about);
    }
}

static bool has_words(enum context in)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; i < count; i++)
        if (rows[i].in & in)
            return true;
    return false;
}

/* A profile and an `at` say what a guest says, so their table is only what they lack. */
static void append_lacking(GString *out, enum context in)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    const char *before = "All words of a guest but ";
    for (size_t i = 0; i < count; i++)
        if (rows[i].in & IN_GUEST && !(rows[i].in & in)) {
            g_string_append_printf(out, "%s`%s`", before, rows[i].word);
            before = ", ";
        }
    g_string_append(out, ".\n");
}

void write_language_tables(GString *out)
{
    size_t count;
    const struct context_row *contexts = context_rows(&count);
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(out, "%s### %s\n\n", i ? "\n" : "", contexts[i].title);
        if (contexts[i].in == IN_PROFILE || contexts[i].in == IN_AT) {
            append_lacking(out, (enum context)contexts[i].in);
            continue;
        }
        if (has_words(contexts[i].in))
            append_words(out, contexts[i].in);
        else
            g_string_append(out, "No word of this version.\n");
    }
}
