/* SPDX-License-Identifier: MIT
 *
 * Items in the one layout of the numa notation: one item a line, four blanks a level; a short block that stood on one
 * line stays there.
 */
#include "notation/parts.h"

#include <string.h>

enum { INDENT = 4 };

/* ---- words ------------------------------------------------------------------------------------------------------ */

static void write_string(struct writer *writer, const struct item *item, struct word word, const char *text,
                         size_t length)
{
    g_string_append_c(writer->out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            refuse_to_say(writer, word_span(item, word), "write it on one line",
                          "a text of several lines has no form in the numa notation");
            return;
        }
        if (text[i] == '"' || text[i] == '\\')
            g_string_append_c(writer->out, '\\');
        g_string_append_c(writer->out, text[i]);
    }
    g_string_append_c(writer->out, '"');
}

static void write_word(struct writer *writer, const struct item *item, struct word word, const struct column *column)
{
    size_t length;
    const char *text = word_text(writer->syntax, item, word, &length);
    if (is_plain_word(text, length) && !keeps_quotes(writer, item, word, column, NOTATION_NUMA))
        g_string_append_len(writer->out, text, (gssize)length);
    else
        write_string(writer, item, word, text, length);
}

static void write_head(struct writer *writer, struct standing standing, const struct word_row *row,
                       const struct item *item)
{
    size_t length;
    const char *name = word_text(writer->syntax, item, item->name, &length);
    if (!is_plain_word(name, length))
        refuse_to_say(writer, item_span(item), "words are letters, digits and _ . : , ^ / % $ -",
                      "'%.*s' cannot begin an item of the numa notation", (int)MIN(length, 40), name);
    g_string_append_len(writer->out, name, (gssize)length);
    unsigned labels = is_labelled(row);
    for (unsigned i = 0; i < item->argument_count; i++) {
        g_string_append_c(writer->out, ' ');
        write_word(writer, item, item->arguments[i],
                   i < labels ? &row->label : argument_column(standing, row, i - labels));
    }
}

/* ---- one line --------------------------------------------------------------------------------------------------- */

static bool write_short(struct writer *writer, struct standing standing, const struct word_row *row,
                        const struct item *item, size_t line);

static bool write_short_block(struct writer *writer, struct standing standing, const struct item *first, size_t line)
{
    g_string_append(writer->out, " { ");
    for (const struct item *item = first; item; item = item->next) {
        if (!write_short(writer, standing, standing_row(writer, standing, item), item, line))
            return false;
        g_string_append(writer->out, item->next ? "; " : " ");
    }
    g_string_append_c(writer->out, '}');
    return true;
}

static bool write_short(struct writer *writer, struct standing standing, const struct word_row *row,
                        const struct item *item, size_t line)
{
    write_head(writer, standing, row, item);
    if (item->has_block && !write_short_block(writer, standing_inside(row), item->children, line))
        return false;
    return writer->out->len - line <= WIDEST_LINE;
}

/* Writes the item on the line that begins at `line`, or nothing. */
static bool try_short(struct writer *writer, struct standing standing, const struct word_row *row,
                      const struct item *item, size_t line)
{
    if (item->children && !was_short(writer, item, row))
        return false;
    size_t begin = writer->out->len;
    if (write_short(writer, standing, row, item, line) || !item->children)
        return true;
    g_string_truncate(writer->out, begin);
    return false;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void begin_line(struct writer *writer, uint32_t at, unsigned depth, bool *is_first)
{
    if (!*is_first && has_blank_before(writer, at))
        g_string_append_c(writer->out, '\n');
    *is_first = false;
    g_string_append_printf(writer->out, "%*s", (int)depth * INDENT, "");
}

static void write_remark(struct writer *writer, const struct remark *remark, uint32_t blank_at, unsigned depth,
                         bool *is_first)
{
    begin_line(writer, blank_at, depth, is_first);
    write_comment(writer, remark->comment, NOTATION_NUMA);
    g_string_append_c(writer->out, '\n');
}

static void write_remarks(struct writer *writer, const struct remark *remark, unsigned depth, bool *is_first)
{
    for (; remark; remark = remark->next)
        write_remark(writer, remark, remark->comment->begin, depth, is_first);
}

static void end_line(struct writer *writer, const struct comment *comment)
{
    if (comment) {
        g_string_append(writer->out, "  ");
        write_comment(writer, comment, NOTATION_NUMA);
    }
    g_string_append_c(writer->out, '\n');
}

static void write_block(struct writer *writer, struct standing standing, const struct item *first, unsigned depth,
                        bool *is_first);

/* The first of the labels behind one key of YAML: a blank line before the key is one before the first line below it. */
static bool opens_key(const struct writer *writer, const struct word_row *row, const struct item *item,
                      const struct item *previous)
{
    return writer->tree->is_yaml && is_labelled(row) && (!previous || previous->name.begin != item->name.begin);
}

static void begin_item(struct writer *writer, const struct word_row *row, const struct item *item,
                       const struct item *previous, unsigned depth, bool *is_first)
{
    const struct remarks *remarks = remarks_of(writer, item);
    uint32_t key = item->name.begin - item->name.quoted;
    bool awaits_key = opens_key(writer, row, item, previous);
    for (const struct remark *remark = remarks->above; remark; remark = remark->next) {
        bool passes_key = awaits_key && remark->comment->begin > key;
        write_remark(writer, remark, passes_key ? key : remark->comment->begin, depth, is_first);
        awaits_key &= !passes_key;
    }
    if (!item->has_block)
        write_remarks(writer, remarks->within, depth, is_first);
    begin_line(writer, awaits_key ? key : item_begin_of(writer, item, row), depth, is_first);
}

static void write_item(struct writer *writer, struct standing standing, const struct item *item,
                       const struct item *previous, unsigned depth, bool *is_first)
{
    const struct word_row *row = standing_row(writer, standing, item);
    const struct remarks *remarks = remarks_of(writer, item);
    begin_item(writer, row, item, previous, depth, is_first);
    bool must_open = item->has_block && (remarks->within || (remarks->beside && remarks->behind));
    if (!must_open && !(item->children && remarks->beside) &&
        try_short(writer, standing, row, item, writer->out->len - (size_t)depth * INDENT)) {
        end_line(writer, remarks->beside ? remarks->beside : remarks->behind);
        return;
    }
    write_head(writer, standing, row, item);
    g_string_append(writer->out, " {");
    end_line(writer, remarks->beside);
    bool inner_first = true;
    write_block(writer, standing_inside(row), item->children, depth + 1, &inner_first);
    write_remarks(writer, remarks->within, depth + 1, &inner_first);
    g_string_append_printf(writer->out, "%*s}", (int)depth * INDENT, "");
    end_line(writer, remarks->behind);
}

static void write_block(struct writer *writer, struct standing standing, const struct item *first, unsigned depth,
                        bool *is_first)
{
    const struct item *previous = NULL;
    for (const struct item *item = first; item; previous = item, item = item->next)
        write_item(writer, standing, item, previous, depth, is_first);
}

void write_numa(struct writer *writer)
{
    bool is_first = true;
    write_block(writer, (struct standing){ .in = IN_SITE }, writer->tree->items, 0, &is_first);
    write_remarks(writer, writer->end.within, 0, &is_first);
}
