/* SPDX-License-Identifier: MIT
 *
 * Inside syntax and grammar only: what is known while one file is read.  Both notations count and stop in the same
 * way; the second half is what the scanner and the parser of the numa notation call.
 */
#pragma once

#include <setjmp.h>

#include "syntax/syntax.h"

/* Findings of one file before its reader gives up; with the line that says so they fill what is shown of a file. */
enum { ERRORS_BEFORE_GIVING_UP = 49, MUTED_BEFORE_GIVING_UP = 10000 };

struct extent {
    uint32_t begin, end;
};

struct item_list {
    struct item *first, *last;
};

/* What the parser keeps of a token or a form. */
union value {
    struct word word;
    struct item *item;
    struct item_list list;
};

struct reading {
    struct syntax *syntax;
    struct findings *findings;
    struct tree *tree;
    char *text;
    uint32_t length, file;
    bool has_dollar; /* anywhere; most files have no variables */

    GArray *comments; /* struct comment, NULL when nobody wants them */
    bool blamed;      /* the line has its finding: what else is odd about it stays untold */
    uint32_t blamed_at;
    bool stopped; /* the reader gave up */
    unsigned error_count, muted_count;
    uint32_t item_count;

    unsigned argument_count; /* of the item being read */
    struct word words[1 + ARGUMENT_LIMIT];

    /* the numa notation only */
    bool recovering;       /* the parser drops tokens up to the end of the line */
    unsigned skipping;     /* braces open inside a block that is left out */
    struct extent skipped; /* the brace that opened it */
    uint32_t line_begin;
    unsigned depth;
    struct open_brace {
        struct extent where;
        uint32_t line_begin;
    } open[DEPTH_LIMIT];
    struct extent suspect, suspect_end; /* the first block whose "}" is not indented as its line; end 0 if none */
    jmp_buf fatal;
};

struct reading *reading_begin(struct syntax *syntax, uint32_t file, bool keep_comments, bool is_yaml);
struct tree *reading_end(struct reading *reading);
void note_comment(struct reading *reading, struct extent where);

/* The finding of a line, or NULL where the line has one already; counts, and gives up in time. */
struct finding *blame(struct reading *reading, enum code code, struct extent where, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
void blame_pointer(struct reading *reading, struct finding *finding, const char *text);
void blame_label(struct reading *reading, struct finding *finding, struct extent where, const char *text);
void blame_note(struct reading *reading, struct finding *finding, const char *text);
void blame_help(struct reading *reading, struct finding *finding, const char *format, ...) G_GNUC_PRINTF(3, 4);
void give_up(struct reading *reading, enum code code, uint32_t at, const char *why);

/* At most 40 bytes of the file, for "%.*s": a long word is not repeated in full. */
struct excerpt {
    int length;
    const char *text;
};
struct excerpt excerpt(const struct reading *reading, struct extent where);
uint32_t character_end(const struct reading *reading, uint32_t at); /* of the character that begins there */
struct extent word_extent(struct word word);                        /* with its quotes */
/* of text without escapes, within limits */
struct word word_between(struct reading *reading, uint32_t begin, uint32_t end);

/* ---- building, for both notations ------------------------------------------------------------------------------- */
void words_begin(struct reading *reading, struct word name);
void words_add(struct reading *reading, struct word argument);
struct item *item_begin(struct reading *reading); /* of the words since words_begin() */
struct item *item_block(struct item *item, struct item_list block, uint32_t end);

static inline struct item_list list_append(struct item_list list, struct item *item)
{
    if (list.first)
        list.last->next = item;
    else
        list.first = item;
    list.last = item;
    return list;
}

void limit_word(struct reading *reading, struct word *word, struct extent where);

/* ---- the scanner of the numa notation: words and strings that are not quite right ------------------------------- */
struct word word_with_colon(struct reading *reading, struct extent where);
struct word word_with_equals(struct reading *reading, struct extent where);
struct word word_without_blank(struct reading *reading, struct extent *where);
struct word string_with_escapes(struct reading *reading, struct extent where);
struct word string_without_end(struct reading *reading, struct extent *where);
struct word string_in_single_quotes(struct reading *reading, struct extent where);
void after_string(struct reading *reading, struct word *string, struct extent where, char next);
void blame_equals(struct reading *reading, struct extent where);
void blame_brackets(struct reading *reading, struct extent where);
void blame_exclamation(struct reading *reading, struct extent where);
void blame_single_quote(struct reading *reading, struct extent where);
void blame_arrow(struct reading *reading, struct extent where);
void blame_not_ascii(struct reading *reading, struct extent where);
void blame_character(struct reading *reading, struct extent where);
void scanner_fatal(struct reading *reading, const char *what) G_GNUC_NORETURN;

/* ---- its parser ------------------------------------------------------------------------------------------------- */
void blame_syntax(struct reading *reading, bool at_brace, struct extent where);
void blame_parser(struct reading *reading, struct extent where, const char *what);
void blame_brace_alone(struct reading *reading, const struct item *item, struct extent block);
void blame_brace_too_many(struct reading *reading, struct extent where);
void blame_brace_missing(struct reading *reading);
void blame_two_items(struct reading *reading, struct extent where);
void blame_depth(struct reading *reading, struct extent where);
