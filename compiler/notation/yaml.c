/* SPDX-License-Identifier: MIT
 *
 * Items as YAML: block style with two blanks a level, flow style for a short block that stood on one line.  Labels
 * become keys below their word, wherever in the block they stood; arguments beside a block get their names.
 */
#include "notation/parts.h"

#include <string.h>

enum { INDENT = 2, LONGEST_KEY = 1000 /* YAML readers look 1024 characters far for the colon */ };

struct group { /* the items of one word in one block: labels, or the words of `include` */
    const struct item *first;
    const struct word_row *row;
    GPtrArray *more; /* const struct item *, NULL for none */
};

static void free_group(void *pointer)
{
    struct group *group = pointer;
    if (group->more)
        g_ptr_array_free(group->more, TRUE);
}

/* ---- grouping --------------------------------------------------------------------------------------------------- */

static char *key_of(const struct writer *writer, const struct item *item, struct word word)
{
    size_t length;
    const char *text = word_text(writer->syntax, item, word, &length);
    return g_strndup(text, length);
}

static void refuse_repeated(struct writer *writer, const struct item *item, struct word word)
{
    g_autofree char *text = key_of(writer, item, word);
    refuse_to_say(writer, word_span(item, word), "keep one of the two",
                  "'%.60s' stands twice in one block, and YAML has each key once", text);
}

static void add_to_group(struct writer *writer, struct group *group, const struct item *item)
{
    bool takes_more = is_labelled(group->row) || (group->row && group->row->kind == REPEATED && !item->has_block);
    if (!takes_more) {
        refuse_repeated(writer, item, item->name);
        return;
    }
    if (!group->more)
        group->more = g_ptr_array_new();
    g_ptr_array_add(group->more, (gpointer)(uintptr_t)item);
}

static void refuse_repeated_labels(struct writer *writer, const struct group *group)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i <= group->more->len; i++) {
        const struct item *item = i ? g_ptr_array_index(group->more, i - 1) : group->first;
        if (item->argument_count && !g_hash_table_add(seen, key_of(writer, item, item->arguments[0])))
            refuse_repeated(writer, item, item->arguments[0]);
    }
}

/* struct group, in the order of their first items */
static GArray *group_items(struct writer *writer, struct standing standing, const struct item *first)
{
    GArray *groups = g_array_new(FALSE, TRUE, sizeof(struct group));
    g_array_set_clear_func(groups, free_group);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const struct item *item = first; item; item = item->next) {
        char *key = key_of(writer, item, item->name);
        gpointer found = g_hash_table_lookup(known, key);
        if (found) {
            g_free(key);
            add_to_group(writer, &g_array_index(groups, struct group, GPOINTER_TO_UINT(found) - 1), item);
            continue;
        }
        struct group group = { .first = item, .row = standing_row(writer, standing, item) };
        g_array_append_val(groups, group);
        g_hash_table_insert(known, key, GUINT_TO_POINTER(groups->len));
    }
    for (guint i = 0; i < groups->len; i++) {
        const struct group *group = &g_array_index(groups, struct group, i);
        if (group->more && is_labelled(group->row))
            refuse_repeated_labels(writer, group);
    }
    return groups;
}

/* ---- arguments -------------------------------------------------------------------------------------------------- */

struct value {                /* what stands behind a key */
    struct standing standing; /* where its item stands */
    const struct word_row *row;
    const struct item *item;
    unsigned labels; /* 1: its first argument is the key */
};

static struct value value_of(struct standing standing, const struct word_row *row, const struct item *item)
{
    return (struct value){ standing, row, item, is_labelled(row) };
}

static unsigned argument_count(const struct value *value)
{
    return value->item->argument_count > value->labels ? value->item->argument_count - value->labels : 0;
}

/* An empty block beside arguments says nothing, and YAML has no place for it. */
static bool has_mapping(const struct value *value)
{
    return value->item->has_block && (value->item->children || !argument_count(value));
}

static bool argument_quotes(const struct writer *writer, const struct value *value, unsigned i)
{
    return keeps_quotes(writer, value->item, value->item->arguments[value->labels + i],
                        argument_column(value->standing, value->row, i), NOTATION_YAML);
}

static void write_argument(struct writer *writer, const struct value *value, unsigned i, bool in_flow)
{
    size_t length;
    const char *text = word_text(writer->syntax, value->item, value->item->arguments[value->labels + i], &length);
    yaml_scalar(writer->out, text, length, argument_quotes(writer, value, i), in_flow);
}

static bool may_join(const struct writer *writer, const struct value *value, unsigned from, unsigned to, bool in_flow)
{
    const struct column *column = argument_column(value->standing, value->row, from);
    if (column && (column->flags & MANY) && !value->standing.table)
        return false; /* a list is written as one */
    for (unsigned i = from; i < to; i++) {
        size_t length;
        const char *text = word_text(writer->syntax, value->item, value->item->arguments[value->labels + i], &length);
        if (argument_quotes(writer, value, i) || !yaml_joins(text, length, i == from, in_flow))
            return false;
    }
    return true;
}

static void write_arguments(struct writer *writer, const struct value *value, unsigned from, unsigned to, bool in_flow)
{
    if (to - from == 1) {
        write_argument(writer, value, from, in_flow);
        return;
    }
    bool joined = may_join(writer, value, from, to, in_flow);
    g_string_append(writer->out, joined ? "" : "[");
    for (unsigned i = from; i < to; i++) {
        size_t length;
        const char *text = word_text(writer->syntax, value->item, value->item->arguments[value->labels + i], &length);
        g_string_append(writer->out, i == from ? "" : joined ? " " : ", ");
        if (joined)
            g_string_append_len(writer->out, text, (gssize)length);
        else
            write_argument(writer, value, i, true);
    }
    g_string_append(writer->out, joined ? "" : "]");
}

/* How many arguments the column at a place takes of those that are there. */
static unsigned column_width(const struct value *value, unsigned at)
{
    const struct column *column = argument_column(value->standing, value->row, at);
    return column && column->flags & MANY ? argument_count(value) - at : 1;
}

/* Arguments beside a block can be said only by name. */
static bool has_names(struct writer *writer, const struct value *value)
{
    for (unsigned i = 0; i < argument_count(value); i++)
        if (value->standing.table || !value->row || value->row->columns[0].name ||
            !argument_column(value->standing, value->row, i)) {
            g_autofree char *name = key_of(writer, value->item, value->item->name);
            refuse_to_say(writer, word_span(value->item, value->item->arguments[value->labels + i]),
                          "take the argument or the block away",
                          "'%.60s' has an argument without a name beside a block, which YAML cannot say", name);
            return false;
        }
    return true;
}

/* The names of arguments are keys of the mapping: a word of the block that is spelled like one would be read as it. */
static bool has_own_keys(struct writer *writer, const struct value *value)
{
    if (value->standing.table || !value->row || value->row->columns[0].name)
        return true;
    for (const struct item *child = value->item->children; child; child = child->next) {
        g_autofree char *name = key_of(writer, child, child->name);
        for (unsigned i = 0; value->row->arguments[i].name; i++)
            if (strcmp(name, value->row->arguments[i].name) == 0) {
                refuse_to_say(writer, item_span(child), "write it behind the word, before the block",
                              "'%s' in the block of '%s' is no word, and in YAML is the name of its argument", name,
                              value->row->word);
                return false;
            }
    }
    return true;
}

static bool is_mapping_sayable(struct writer *writer, const struct value *value)
{
    return has_names(writer, value) && has_own_keys(writer, value);
}

/* ---- one line --------------------------------------------------------------------------------------------------- */

static bool write_flow_block(struct writer *writer, struct standing standing, const struct item *first, bool is_first,
                             size_t line);

static bool write_flow_mapping(struct writer *writer, const struct value *value, size_t line)
{
    bool is_first = true;
    g_string_append_c(writer->out, '{');
    for (unsigned i = 0; i < argument_count(value); i += column_width(value, i)) {
        g_string_append_printf(writer->out, "%s%s: ", is_first ? "" : ", ",
                               argument_column(value->standing, value->row, i)->name);
        write_arguments(writer, value, i, i + column_width(value, i), true);
        is_first = false;
    }
    if (!write_flow_block(writer, standing_inside(value->row), value->item->children, is_first, line))
        return false;
    g_string_append_c(writer->out, '}');
    return writer->out->len - line <= WIDEST_YAML_LINE;
}

static bool write_flow_value(struct writer *writer, const struct value *value, size_t line)
{
    if (has_mapping(value)) {
        if (!is_mapping_sayable(writer, value))
            return true;
        g_string_append_c(writer->out, ' ');
        return write_flow_mapping(writer, value, line);
    }
    if (argument_count(value)) {
        g_string_append_c(writer->out, ' ');
        write_arguments(writer, value, 0, argument_count(value), true);
    } else {
        g_string_append_c(writer->out, ' '); /* "{0:, 1: x}" would make a word of "0:," */
    }
    return writer->out->len - line <= WIDEST_YAML_LINE;
}

static void write_key(struct writer *writer, const struct item *item, struct word word, bool quoted, bool in_flow)
{
    size_t length;
    const char *text = word_text(writer->syntax, item, word, &length);
    if (!length || length > LONGEST_KEY)
        refuse_to_say(writer, word_span(item, word), "give it a name of at most 1000 bytes",
                      "a name of %zu bytes is no key of YAML", length);
    yaml_scalar(writer->out, text, length, quoted, in_flow);
    g_string_append_c(writer->out, ':');
}

static bool has_label(struct writer *writer, const struct value *value)
{
    if (value->item->argument_count)
        return true;
    refuse_to_say(writer, item_span(value->item), "write the name behind the word", "'%s' lacks its %s",
                  value->row->word, value->row->label.name);
    return false;
}

static void write_label(struct writer *writer, const struct value *value, bool in_flow)
{
    struct word word = value->item->arguments[0];
    write_key(writer, value->item, word, keeps_quotes(writer, value->item, word, &value->row->label, NOTATION_YAML),
              in_flow);
}

static bool write_flow_labels(struct writer *writer, struct standing standing, const struct group *group, size_t line)
{
    guint more = group->more ? group->more->len : 0;
    g_string_append(writer->out, " {");
    for (guint i = 0; i <= more; i++) {
        struct value value = value_of(standing, group->row, i ? g_ptr_array_index(group->more, i - 1) : group->first);
        g_string_append(writer->out, i ? ", " : "");
        if (!has_label(writer, &value))
            return true;
        write_label(writer, &value, true);
        if (!write_flow_value(writer, &value, line))
            return false;
    }
    g_string_append_c(writer->out, '}');
    return true;
}

static bool write_flow_block(struct writer *writer, struct standing standing, const struct item *first, bool is_first,
                             size_t line)
{
    g_autoptr(GArray) groups = group_items(writer, standing, first);
    for (guint i = 0; i < groups->len; i++) {
        const struct group *group = &g_array_index(groups, struct group, i);
        struct value value = value_of(standing, group->row, group->first);
        g_string_append(writer->out, is_first ? "" : ", ");
        is_first = false;
        write_key(writer, group->first, group->first->name, false, true);
        if (!(is_labelled(group->row) ? write_flow_labels(writer, standing, group, line)
                                      : write_flow_value(writer, &value, line)))
            return false;
    }
    return true;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void write_block(struct writer *writer, struct standing standing, const struct item *first, unsigned depth,
                        bool *is_first);

static void begin_line(struct writer *writer, bool blank, unsigned depth, bool *is_first)
{
    if (!*is_first && blank)
        g_string_append_c(writer->out, '\n');
    *is_first = false;
    g_string_append_printf(writer->out, "%*s", (int)depth * INDENT, "");
}

static void end_line(struct writer *writer, const struct comment *comment)
{
    if (comment) {
        g_string_append(writer->out, "  ");
        write_comment(writer, comment, NOTATION_YAML);
    }
    g_string_append_c(writer->out, '\n');
}

static void write_remark(struct writer *writer, const struct comment *comment, unsigned depth, bool *is_first)
{
    begin_line(writer, has_blank_before(writer, comment->begin), depth, is_first);
    write_comment(writer, comment, NOTATION_YAML);
    g_string_append_c(writer->out, '\n');
}

static void write_remarks(struct writer *writer, const struct remark *from, const struct remark *to, unsigned depth,
                          bool *is_first)
{
    for (const struct remark *remark = from; remark != to; remark = remark->next)
        write_remark(writer, remark->comment, depth, is_first);
}

/* All lines that stand before the one of an item, from some remark on. */
static void write_above(struct writer *writer, const struct value *value, const struct remark *from, unsigned depth,
                        bool *is_first)
{
    const struct remarks *remarks = remarks_of(writer, value->item);
    write_remarks(writer, from, NULL, depth, is_first);
    if (!value->item->children)
        write_remarks(writer, remarks->within, NULL, depth, is_first);
    if (remarks->beside && remarks->behind)
        write_remark(writer, remarks->behind, depth, is_first);
}

static bool try_flow(struct writer *writer, const struct value *value, size_t line)
{
    const struct remarks *remarks = remarks_of(writer, value->item);
    bool has_remarks = remarks->within || remarks->beside;
    if (value->item->children && (has_remarks || !was_short(writer, value->item, value->row)))
        return false;
    size_t begin = writer->out->len;
    g_string_append_c(writer->out, ' ');
    if (write_flow_mapping(writer, value, line) || (!value->item->children && !argument_count(value)))
        return true;
    g_string_truncate(writer->out, begin);
    return false;
}

static void write_named_lines(struct writer *writer, const struct value *value, unsigned depth, bool *is_first)
{
    for (unsigned i = 0; i < argument_count(value); i += column_width(value, i)) {
        begin_line(writer, false, depth, is_first);
        g_string_append_printf(writer->out, "%s: ", argument_column(value->standing, value->row, i)->name);
        write_arguments(writer, value, i, i + column_width(value, i), false);
        g_string_append_c(writer->out, '\n');
    }
}

/* What stands behind "key:", to the end of its last line. */
static void write_value(struct writer *writer, const struct value *value, unsigned depth, size_t line)
{
    const struct remarks *remarks = remarks_of(writer, value->item);
    const struct comment *beside = remarks->beside ? remarks->beside : remarks->behind;
    if (!has_mapping(value)) {
        if (argument_count(value)) {
            g_string_append_c(writer->out, ' ');
            write_arguments(writer, value, 0, argument_count(value), false);
        }
        end_line(writer, beside);
        return;
    }
    if (!is_mapping_sayable(writer, value))
        return;
    if (try_flow(writer, value, line)) {
        end_line(writer, beside);
        return;
    }
    end_line(writer, beside);
    bool is_first = true;
    write_named_lines(writer, value, depth + 1, &is_first);
    write_block(writer, standing_inside(value->row), value->item->children, depth + 1, &is_first);
    write_remarks(writer, remarks->within, NULL, depth + 1, &is_first);
}

/* The first remark that belongs below the key of labels, to the first of them: in YAML, what stood there; in the numa
 * notation, what no blank line parts from the item. */
static const struct remark *first_below_key(const struct writer *writer, const struct item *item)
{
    const struct remark *below = remarks_of(writer, item)->above;
    if (writer->tree->is_yaml) {
        while (below && below->comment->begin < item->name.begin)
            below = below->next;
        return below;
    }
    for (const struct remark *remark = below; remark; remark = remark->next)
        if (has_blank_before(writer, remark->next ? remark->next->comment->begin : item->name.begin))
            below = remark->next;
    return below;
}

static void write_labels(struct writer *writer, struct standing standing, const struct group *group, unsigned depth,
                         bool *is_first)
{
    const struct item *first = group->first;
    const struct remark *below = first_below_key(writer, first);
    const struct remark *above = remarks_of(writer, first)->above;
    write_remarks(writer, above, below, depth, is_first);
    uint32_t blank_at =
        !writer->tree->is_yaml && below ? below->comment->begin : first->name.begin - first->name.quoted;
    begin_line(writer, has_blank_before(writer, blank_at), depth, is_first);
    write_key(writer, first, first->name, false, false);
    g_string_append_c(writer->out, '\n');
    bool is_first_label = true;
    for (guint i = 0; i <= (group->more ? group->more->len : 0); i++) {
        struct value value = value_of(standing, group->row, i ? g_ptr_array_index(group->more, i - 1) : first);
        if (!has_label(writer, &value))
            return;
        write_above(writer, &value, i ? remarks_of(writer, value.item)->above : below, depth + 1, &is_first_label);
        bool key_took_blank = !i && !below && !writer->tree->is_yaml;
        begin_line(writer, !key_took_blank && has_blank_before(writer, item_begin_of(writer, value.item, value.row)),
                   depth + 1, &is_first_label);
        size_t line = writer->out->len - (depth + 1) * INDENT;
        write_label(writer, &value, false);
        write_value(writer, &value, depth + 1, line);
    }
}

static void write_list(struct writer *writer, struct standing standing, const struct group *group)
{
    const char *comma = "";
    g_string_append(writer->out, " [");
    for (guint i = 0; i <= group->more->len; i++) {
        struct value value = value_of(standing, group->row, i ? g_ptr_array_index(group->more, i - 1) : group->first);
        for (unsigned k = 0; k < argument_count(&value); k++, comma = ", ") {
            g_string_append(writer->out, comma);
            write_argument(writer, &value, k, true);
        }
    }
    g_string_append_c(writer->out, ']');
    end_line(writer, remarks_of(writer, group->first)->beside);
}

/* All arguments of a group; *out_one: the last item that has some, else the first. */
static unsigned arguments_of_group(struct standing standing, const struct group *group, const struct item **out_one)
{
    unsigned sum = 0;
    *out_one = group->first;
    for (guint i = 0; i <= group->more->len; i++) {
        const struct item *item = i ? g_ptr_array_index(group->more, i - 1) : group->first;
        struct value value = value_of(standing, group->row, item);
        sum += argument_count(&value);
        if (argument_count(&value))
            *out_one = item;
    }
    return sum;
}

/* `include "a"` and `include "b"` are one list; of one file, with an `include` that names none, they are no list. */
static void write_repeated(struct writer *writer, struct standing standing, const struct group *group, unsigned depth,
                           bool *is_first)
{
    const struct item *one;
    bool is_list = arguments_of_group(standing, group, &one) > 1;
    for (guint i = 0; i <= group->more->len; i++) {
        const struct item *item = i ? g_ptr_array_index(group->more, i - 1) : group->first;
        struct value value = value_of(standing, group->row, item);
        if (i) /* those of the first are written */
            write_above(writer, &value, remarks_of(writer, item)->above, depth, is_first);
        if (remarks_of(writer, item)->beside && item != (is_list ? group->first : one))
            write_remark(writer, remarks_of(writer, item)->beside, depth, is_first);
    }
    begin_line(writer, has_blank_before(writer, group->first->name.begin), depth, is_first);
    size_t line = writer->out->len - depth * INDENT;
    write_key(writer, group->first, group->first->name, false, false);
    if (is_list) {
        write_list(writer, standing, group);
        return;
    }
    struct value value = value_of(standing, group->row, one);
    write_value(writer, &value, depth, line);
}

static void write_group(struct writer *writer, struct standing standing, const struct group *group, unsigned depth,
                        bool *is_first)
{
    if (is_labelled(group->row)) {
        write_labels(writer, standing, group, depth, is_first);
        return;
    }
    struct value value = value_of(standing, group->row, group->first);
    write_above(writer, &value, remarks_of(writer, group->first)->above, depth, is_first);
    if (group->more) {
        write_repeated(writer, standing, group, depth, is_first);
        return;
    }
    begin_line(writer, has_blank_before(writer, group->first->name.begin - group->first->name.quoted), depth, is_first);
    size_t line = writer->out->len - depth * INDENT;
    write_key(writer, group->first, group->first->name, false, false);
    write_value(writer, &value, depth, line);
}

static void write_block(struct writer *writer, struct standing standing, const struct item *first, unsigned depth,
                        bool *is_first)
{
    g_autoptr(GArray) groups = group_items(writer, standing, first);
    for (guint i = 0; i < groups->len; i++)
        write_group(writer, standing, &g_array_index(groups, struct group, i), depth, is_first);
}

void write_yaml(struct writer *writer)
{
    bool is_first = true;
    write_block(writer, (struct standing){ .in = IN_SITE }, writer->tree->items, 0, &is_first);
    write_remarks(writer, writer->end.within, NULL, 0, &is_first);
}
