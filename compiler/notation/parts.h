/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: what the writers of both notations share.  Where a block stands decides what its words mean;
 * remarks are the comments of a file, given to the item they speak of.
 */
#pragma once

#include "notation/notation.h"
#include "model/model.h"

/* YAML says the same in more columns, and what is short in one notation shall be so in the other. */
enum { WIDEST_LINE = 100, WIDEST_YAML_LINE = 120, LONGEST_SHORT_BLOCK = 1000 };

struct standing { /* what the items of a block are: words of a context, or rows of a table */
    enum context in;
    const struct word_row *table;
};

struct remark {
    struct remark *next;
    const struct comment *comment;
};

struct remarks {                  /* of one item; lists in the order of the file */
    struct remark *above;         /* on lines of their own before it */
    struct remark *within;        /* on lines of their own at the end of its block */
    const struct comment *beside; /* behind its arguments, or its "{" */
    const struct comment *behind; /* behind its "}" */
};

struct writer {
    struct syntax *syntax;
    const struct tree *tree;
    const char *source;
    GHashTable *remarks; /* item to struct remarks; items nobody speaks of are not in it */
    struct remarks end;  /* `within`: what stands behind all items */
    GString *out;
    bool failed;
};

void remarks_gather(struct writer *writer);
const struct remarks *remarks_of(const struct writer *writer, const struct item *item); /* never NULL */
void write_comment(struct writer *writer, const struct comment *comment, enum notation notation);

const struct word_row *standing_row(const struct writer *writer, struct standing standing, const struct item *item);
struct standing standing_inside(const struct word_row *row);
/* The column of an argument; the label of a labelled word is not counted.  NULL: nobody knows. */
const struct column *argument_column(struct standing standing, const struct word_row *row, unsigned position);
bool is_labelled(const struct word_row *row);

uint32_t item_begin_of(const struct writer *writer, const struct item *item, const struct word_row *row);
bool has_blank_before(const struct writer *writer, uint32_t at);
/* Stood on one line, and is no monster: may be tried on one line again. */
bool was_short(const struct writer *writer, const struct item *item, const struct word_row *row);

/* Whether a word is written in quotes although its text would not need them. */
bool keeps_quotes(const struct writer *writer, const struct item *item, struct word word, const struct column *column,
                  enum notation notation);
bool is_plain_word(const char *text, size_t length); /* may stand without quotes in the numa notation */
void refuse_to_say(struct writer *writer, struct span span, const char *help, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

void write_numa(struct writer *writer);
void write_yaml(struct writer *writer);

static inline size_t character_bytes(const char *text)
{
    return (size_t)g_utf8_skip[(unsigned char)*text];
}

/* YAML scalars (notation_scalar.c) */
void yaml_scalar(GString *out, const char *text, size_t length, bool quoted, bool in_flow);
bool yaml_joins(const char *text, size_t length, bool is_first, bool in_flow); /* may be one of several plain words */
bool yaml_may_hold(gunichar character); /* as it is, and not as the end of a line */
