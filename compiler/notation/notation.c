/* SPDX-License-Identifier: MIT
 *
 * What the writers of both notations ask: where an item stands, how it stood in its file, which quotes matter.
 */
#include "notation/parts.h"

#include <string.h>

const struct word_row *standing_row(const struct writer *writer, struct standing standing, const struct item *item)
{
    if (standing.table)
        return NULL;
    size_t length;
    const char *text = word_text(writer->syntax, item, item->name, &length);
    return find_word(standing.in, text, length);
}

struct standing standing_inside(const struct word_row *row)
{
    if (!row)
        return (struct standing){ 0 };
    return (struct standing){ row->opens, row->columns[0].name ? row : NULL };
}

bool is_labelled(const struct word_row *row)
{
    return row && row->kind == LABELLED;
}

const struct column *argument_column(struct standing standing, const struct word_row *row, unsigned position)
{
    const struct column *columns = standing.table ? standing.table->columns + 1 : row ? row->arguments : NULL;
    if (!columns)
        return NULL;
    for (unsigned i = 0; columns[i].name; i++)
        if (i == position || columns[i].flags & MANY)
            return &columns[i];
    return NULL;
}

uint32_t item_begin_of(const struct writer *writer, const struct item *item, const struct word_row *row)
{
    bool shares_key = writer->tree->is_yaml && is_labelled(row) && item->argument_count;
    struct word word = shares_key ? item->arguments[0] : item->name;
    return word.begin - word.quoted;
}

bool has_blank_before(const struct writer *writer, uint32_t at)
{
    const char *text = writer->source;
    while (at && (text[at - 1] == ' ' || text[at - 1] == '\t'))
        at--;
    if (!at || text[at - 1] != '\n')
        return false;
    for (at--; at && (text[at - 1] == ' ' || text[at - 1] == '\t' || text[at - 1] == '\r');)
        at--;
    return !at || text[at - 1] == '\n';
}

bool was_short(const struct writer *writer, const struct item *item, const struct word_row *row)
{
    uint32_t begin = item_begin_of(writer, item, row);
    return item->end > begin && item->end - begin <= LONGEST_SHORT_BLOCK &&
           !memchr(writer->source + begin, '\n', item->end - begin);
}

/* ---- quotes ----------------------------------------------------------------------------------------------------- */

bool is_plain_word(const char *text, size_t length)
{
    if (!length || text[length - 1] == ':')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && (!text[i] || !strchr("_.:,^/%$-", text[i])))
            return false;
    return true;
}

/* `$rows` unquoted gives as many arguments as the variable has values, "$rows" gives one. */
static bool is_whole_variable(const char *text, size_t length)
{
    if (length < 2 || text[0] != '$' || text[1] == '$')
        return false;
    for (size_t i = 1; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '_')
            return false;
    return true;
}

bool keeps_quotes(const struct writer *writer, const struct item *item, struct word word, const struct column *column,
                  enum notation notation)
{
    size_t length;
    const char *text = word_text(writer->syntax, item, word, &length);
    if (is_whole_variable(text, length))
        return word.quoted;
    if (!column)
        return false;
    switch ((int)column->type) {
    case V_ANY:  /* may become a name */
    case V_NAME: /* quotes lift the rules for names */
    case V_REF:
    case V_LABEL:
    case V_VARIABLE:
        return word.quoted && !is_name(text, length) &&
               !(column->type == V_LABEL && length && g_ascii_isdigit(text[0]));
    case V_SOURCE:
        if (length == 4 && memcmp(text, "live", 4) == 0)
            return false;
        __attribute__((fallthrough));
    case V_TEXT: /* in the numa notation, text and paths look like text */
    case V_FILE:
        return notation == NOTATION_NUMA;
    default:
        return false;
    }
}

void refuse_to_say(struct writer *writer, struct span span, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(writer->syntax->findings, NM_not_sayable, span, "%s", text);
    finding_help(writer->syntax->findings, finding, "%s", help);
    writer->failed = true;
}

/* ---- a whole file ----------------------------------------------------------------------------------------------- */

bool write_notation(struct syntax *syntax, const struct tree *tree, enum notation notation, GString *out)
{
    struct writer writer = { .syntax = syntax,
                             .tree = tree,
                             .source = source_at(syntax->sources, tree->file)->text,
                             .remarks = g_hash_table_new(NULL, NULL),
                             .out = out };
    remarks_gather(&writer);
    if (notation == NOTATION_NUMA)
        write_numa(&writer);
    else
        write_yaml(&writer);
    g_hash_table_destroy(writer.remarks);
    return !writer.failed;
}
