/* SPDX-License-Identifier: MIT
 *
 * YAML's mappings into the shape the numa notation has: `guest: {pg-1: {...}}` becomes an item for each label, and
 * arguments given by name stand in the order of their row.  Words and spans stay those of the file; items are made
 * anew only where their arguments change.  What a value means, and words nobody knows, are left to the binder.
 */
#include "model/model.h"

#include <string.h>

static struct item *shape_block(struct syntax *syntax, enum context in, struct item *first);

static const struct word_row *row_of(const struct syntax *syntax, enum context in, const struct item *item)
{
    size_t length;
    const char *text = word_text(syntax, item, item->name, &length);
    return find_word(in, text, length);
}

static void shape_children(struct syntax *syntax, const struct word_row *row, struct item *item)
{
    if (row->opens && item->children)
        item->children = shape_block(syntax, row->opens, item->children);
}

/* ---- arguments by name ------------------------------------------------------------------------------------------ */

struct named { /* the arguments of one item that were given by name, in the order of its row */
    const struct item *values[COLUMN_LIMIT];
    unsigned count; /* of columns up to the last that was given */
    size_t words;
};

static int column_of(const struct syntax *syntax, const struct word_row *row, const struct item *child)
{
    size_t length;
    const char *text = word_text(syntax, child, child->name, &length);
    for (int i = 0; row->arguments[i].name; i++)
        if (strlen(row->arguments[i].name) == length && memcmp(row->arguments[i].name, text, length) == 0)
            return i;
    return -1;
}

static bool has_named(const struct syntax *syntax, const struct word_row *row, const struct item *item)
{
    if (!item->mapped || row->columns[0].name || !row->arguments[0].name)
        return false;
    for (const struct item *child = item->children; child; child = child->next)
        if (column_of(syntax, row, child) >= 0)
            return true;
    return false;
}

static void refuse_value(struct syntax *syntax, const struct word_row *row, const struct item *value,
                         const struct column *column)
{
    struct finding *finding;
    if (value->has_block) {
        finding = report(syntax->findings, NM_yaml_argument, item_span(value), "'%s' of '%s' is given a mapping",
                         column->name, row->word);
        finding_help(syntax->findings, finding, "write its value behind the colon: '%s: VALUE'", column->name);
        return;
    }
    finding = report(syntax->findings, NM_yaml_argument, word_span(value, value->arguments[1]),
                     "'%s' of '%s' is given %u values, but takes one", column->name, row->word,
                     (unsigned)value->argument_count);
    finding_help(syntax->findings, finding, "name each argument: '%s: VALUE' and the others beside it", column->name);
}

static size_t words_of(const struct item *value, const struct column *column)
{
    if (value->has_block)
        return 0;
    return column->flags & MANY || !value->argument_count ? value->argument_count : 1;
}

/* Takes the arguments out of the block and gives what is left of it. */
static struct item *take_named(struct syntax *syntax, const struct word_row *row, struct item *first,
                               struct named *out_named)
{
    struct item *rest, **tail = &rest;
    *out_named = (struct named){ 0 };
    for (struct item *child = first; child; child = child->next) {
        int at = column_of(syntax, row, child);
        if (at < 0) {
            *tail = child;
            tail = &child->next;
            continue;
        }
        const struct column *column = &row->arguments[at];
        if (child->has_block || (child->argument_count > 1 && !(column->flags & MANY)))
            refuse_value(syntax, row, child, column);
        out_named->values[at] = child;
        out_named->count = MAX(out_named->count, (unsigned)at + 1);
        out_named->words += words_of(child, column);
    }
    *tail = NULL;
    return rest;
}

/* The place of an argument is all that says which it is, so none may be left out before another. */
static bool refuse_gap(struct syntax *syntax, const struct word_row *row, const struct item *item,
                       const struct named *named)
{
    for (unsigned i = 0; i < named->count; i++) {
        const struct item *value = named->values[i];
        if (value && (value->argument_count || value->has_block))
            continue;
        const char *missing = row->arguments[i].name;
        const struct item *last = named->values[named->count - 1];
        struct finding *finding =
            report(syntax->findings, NM_missing_argument, item_span(item), "'%s' lacks its %s", row->word, missing);
        if (!value)
            finding_label(syntax->findings, finding, item_span(last), "'%s' needs it",
                          row->arguments[named->count - 1].name);
        else
            finding_label(syntax->findings, finding, item_span(value), "no value stands here");
        finding_help(syntax->findings, finding, "write '%s: VALUE' too", missing);
        return true;
    }
    return false;
}

/* ---- items made anew -------------------------------------------------------------------------------------------- */

enum { FEW_WORDS = 8 };

static struct item *copied(struct syntax *syntax, const struct item *from, struct word name, const struct word *words,
                           size_t count)
{
    struct item *item = item_new(syntax, from->file, name, words, count);
    item->children = from->children;
    item->has_block = from->has_block;
    item->failed = from->failed;
    item->end = from->end;
    return item;
}

static void copy_named(const struct word_row *row, const struct named *named, struct word *words)
{
    for (unsigned i = 0; i < named->count; i++) {
        const struct item *value = named->values[i];
        size_t count = words_of(value, &row->arguments[i]);
        if (count)
            memcpy(words, value->arguments, count * sizeof *words);
        words += count;
    }
}

/* An item with the label, if there is one, and the arguments of its mapping in order. */
static struct item *with_named(struct syntax *syntax, const struct word_row *row, struct item *from, struct word name,
                               const struct word *label)
{
    struct word few[FEW_WORDS], *words = few;
    struct named named;
    struct item *rest = take_named(syntax, row, from->children, &named);
    bool failed = refuse_gap(syntax, row, from, &named);
    size_t count = (label ? 1 : 0) + (failed ? 0 : named.words);
    g_autofree struct word *many = count > FEW_WORDS ? g_new(struct word, count) : NULL;
    if (many)
        words = many;
    if (label)
        words[0] = *label;
    if (!failed)
        copy_named(row, &named, words + (label ? 1 : 0));
    struct item *item = copied(syntax, from, name, words, count);
    item->children = rest;
    item->has_block = rest != NULL;
    item->failed |= failed;
    return item;
}

/* ---- labels ----------------------------------------------------------------------------------------------------- */

static struct item *labelled(struct syntax *syntax, const struct word_row *row, struct word name, struct item *from)
{
    if (has_named(syntax, row, from))
        return with_named(syntax, row, from, name, &from->name);
    if (!from->argument_count)
        return copied(syntax, from, name, &from->name, 1);
    struct word few[FEW_WORDS];
    size_t count = 1u + from->argument_count;
    g_autofree struct word *many = count > FEW_WORDS ? g_new(struct word, count) : NULL;
    struct word *words = many ? many : few;
    words[0] = from->name;
    memcpy(words + 1, from->arguments, from->argument_count * sizeof *words);
    return copied(syntax, from, name, words, count);
}

static struct item **shape_labels(struct syntax *syntax, const struct word_row *row, struct item *item,
                                  struct item **tail)
{
    for (struct item *from = item->children; from; from = from->next) {
        struct item *made = labelled(syntax, row, item->name, from);
        shape_children(syntax, row, made);
        *tail = made;
        tail = &made->next;
    }
    return tail;
}

/* `guest: pg-1`: the name is clear, so it stays, lest all that refers to it be told of too. */
static struct item **refuse_labels(struct syntax *syntax, const struct word_row *row, struct item *item,
                                   struct item **tail)
{
    size_t length = 0;
    const char *first = item->argument_count ? word_text(syntax, item, item->arguments[0], &length) : "";
    if (item->failed)
        return tail; /* its line was told wrong already */
    struct finding *finding =
        report(syntax->findings, NM_yaml_labels, item_span(item),
               "'%s' is not given a mapping of each %s to what it says", row->word, row->label.name);
    if (length && length < 64)
        finding_help(syntax->findings, finding, "write '%s: {%.*s: {...}}'", row->word, (int)length, first);
    else
        finding_help(syntax->findings, finding, "write '%s: {%s: {...}}'", row->word, "NAME");
    item->failed = 1;
    if (!length || row->label.type != V_NAME)
        return tail;
    *tail = item;
    return &item->next;
}

/* ---- blocks ----------------------------------------------------------------------------------------------------- */

static struct item **shape_item(struct syntax *syntax, enum context in, struct item *item, struct item **tail)
{
    const struct word_row *row = row_of(syntax, in, item);
    if (row && row->kind == LABELLED && item->mapped)
        return shape_labels(syntax, row, item, tail);
    if (row && row->kind == LABELLED)
        return refuse_labels(syntax, row, item, tail);
    if (row && item->mapped) {
        if (has_named(syntax, row, item))
            item = with_named(syntax, row, item, item->name, NULL);
        shape_children(syntax, row, item);
    }
    *tail = item;
    return &item->next;
}

/* Labels cost a level, so a block never lies deeper than its mapping did. */
static struct item *shape_block(struct syntax *syntax, enum context in, struct item *first)
{
    struct item *list, **tail = &list;
    for (struct item *item = first, *next; item; item = next) {
        next = item->next;
        tail = shape_item(syntax, in, item, tail);
    }
    *tail = NULL;
    return list;
}

void shape_tree(struct syntax *syntax, struct tree *tree)
{
    size_t errors = findings_errors_met(syntax->findings);
    tree->items = shape_block(syntax, IN_SITE, tree->items);
    tree->failed |= findings_errors_met(syntax->findings) > errors;
}
