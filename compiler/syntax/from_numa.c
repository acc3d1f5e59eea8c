/* SPDX-License-Identifier: MIT
 *
 * Reads the numa notation: takes tokens from the scanner (grammar/numa.l) and pushes them into the parser
 * (grammar/numa.y).  In between stands what a grammar tells badly: braces are counted here, so that a brace too few,
 * too many or too deep is told as such and never upsets the lines around it.  Words are most of all tokens and only
 * follow each other, so those of an item are collected here, and the parser gets one token for them.
 */
#include "syntax/reading.h"

#include "grammar/numa.tab.h"
#define YYSTYPE NUMA_STYPE
#define YYLTYPE NUMA_LTYPE
#include "grammar/numa.lex.h"

struct feed {
    struct reading *reading;
    numa_pstate *parser;
    int last;           /* token that was pushed, or collected */
    bool has_head;      /* words were collected, and not yet pushed */
    struct extent head; /* where they stand */
};

static void push(struct feed *feed, int token, const union value *value, struct extent where)
{
    if (feed->has_head)
        numa_push_parse(feed->parser, NUMA_HEAD, NULL, &feed->head, feed->reading);
    feed->has_head = false;
    numa_push_parse(feed->parser, token, value, &where, feed->reading);
    feed->last = token;
}

static bool is_text(int token)
{
    return token == NUMA_WORD || token == NUMA_STRING;
}

/* A line that begins with a string is the parser's to refuse; it wants no more of it then. */
static void take_text(struct feed *feed, int token, const union value *value, struct extent where)
{
    struct reading *reading = feed->reading;
    if (!feed->has_head && token == NUMA_STRING && !is_text(feed->last)) {
        push(feed, token, value, where);
        return;
    }
    feed->last = token;
    if (feed->has_head) {
        words_add(reading, value->word);
        feed->head.end = where.end;
    } else if (!reading->recovering) {
        words_begin(reading, value->word);
        feed->has_head = true;
        feed->head = where;
    }
}

/* Tokens in a block that is left out: only the braces count. */
static void skip(struct feed *feed, int token)
{
    struct reading *reading = feed->reading;
    if (token == NUMA_OPEN)
        reading->skipping++;
    else if (token == NUMA_CLOSE && --reading->skipping == 0)
        feed->last = NUMA_CLOSE;
}

static void open_block(struct feed *feed, struct extent where)
{
    struct reading *reading = feed->reading;
    if (reading->depth == DEPTH_LIMIT) {
        blame_depth(reading, where);
        reading->skipping = 1;
        reading->skipped = where;
        return;
    }
    push(feed, NUMA_OPEN, NULL, where);
    if (reading->recovering) { /* the parser has dropped the brace: nobody waits for what it holds */
        reading->skipping = 1;
        reading->skipped = where;
    } else {
        reading->open[reading->depth++] = (struct open_brace){ where, reading->line_begin };
    }
}

static uint32_t indentation(const struct reading *reading, uint32_t line_begin)
{
    uint32_t at = line_begin;
    while (reading->text[at] == ' ' || reading->text[at] == '\t')
        at++;
    return at - line_begin;
}

/* A "}" that does not stand below the line it closes is where a missing one will have been forgotten. */
static void compare_indentation(struct reading *reading, const struct open_brace *open, struct extent where)
{
    if (reading->suspect.end || open->line_begin == reading->line_begin)
        return;
    uint32_t indented = indentation(reading, reading->line_begin);
    if (reading->line_begin + indented == where.begin && indentation(reading, open->line_begin) != indented) {
        reading->suspect = open->where;
        reading->suspect_end = where;
    }
}

static void close_block(struct feed *feed, struct extent where)
{
    struct reading *reading = feed->reading;
    if (!reading->depth) {
        blame_brace_too_many(reading, where);
        return;
    }
    compare_indentation(reading, &reading->open[--reading->depth], where);
    push(feed, NUMA_CLOSE, NULL, where);
}

static void end_line(struct reading *reading, struct extent where)
{
    reading->blamed = false;
    if (reading->text[where.end - 1] == '\n')
        reading->line_begin = where.end;
}

static void take(struct feed *feed, int token, const union value *value, struct extent where)
{
    struct reading *reading = feed->reading;
    if (G_UNLIKELY(reading->skipping)) {
        skip(feed, token);
        if (token == NUMA_END)
            end_line(reading, where);
        return;
    }
    if (token == NUMA_END) {
        if (feed->last != NUMA_END)
            push(feed, NUMA_END, NULL, where);
        end_line(reading, where);
        return;
    }
    if (G_UNLIKELY(feed->last == NUMA_CLOSE && token != NUMA_CLOSE)) {
        blame_two_items(reading, where);
        push(feed, NUMA_END, NULL, (struct extent){ where.begin, where.begin });
    }
    if (token == NUMA_OPEN)
        open_block(feed, where);
    else if (token == NUMA_CLOSE)
        close_block(feed, where);
    else
        take_text(feed, token, value, where);
}

/* Closes what is open, so that the parser always gets to the end and the tree holds what could be read. */
static void finish(struct feed *feed)
{
    struct reading *reading = feed->reading;
    struct extent end = { reading->length, reading->length };
    if (reading->depth || reading->skipping)
        blame_brace_missing(reading);
    push(feed, NUMA_END, NULL, end);
    for (; reading->depth; reading->depth--) {
        push(feed, NUMA_CLOSE, NULL, end);
        push(feed, NUMA_END, NULL, end);
    }
    push(feed, 0, NULL, end);
}

static void take_all(struct feed *feed, yyscan_t scanner)
{
    struct reading *reading = feed->reading;
    union value value;
    struct extent where;
    for (int token; !reading->stopped && (token = numa_lex(&value, &where, scanner)) != 0;) {
        if (is_text(token) && feed->has_head && !reading->skipping) /* most tokens, and nothing to watch */
            take_text(feed, token, &value, where);
        else
            take(feed, token, &value, where);
    }
    finish(feed);
}

/* Apart from the loop: what setjmp() stands in keeps its values out of registers. */
static void read_tokens(struct reading *reading, yyscan_t scanner, numa_pstate *parser)
{
    struct feed feed = { .reading = reading, .parser = parser, .last = NUMA_END };
    if (setjmp(reading->fatal))
        return;
    if (!numa__scan_buffer(reading->text, (size_t)reading->length + 2, scanner))
        bug("a source without two NUL bytes behind it");
    take_all(&feed, scanner);
}

struct tree *read_numa(struct syntax *syntax, uint32_t file, bool keep_comments)
{
    struct reading *reading = reading_begin(syntax, file, keep_comments, false);
    yyscan_t scanner;
    if (numa_lex_init_extra(reading, &scanner) != 0)
        bug("the scanner did not start");
    numa_pstate *parser = numa_pstate_new();
    if (!parser)
        g_error("out of memory for a parser");
    read_tokens(reading, scanner, parser);
    numa_pstate_delete(parser);
    numa_lex_destroy(scanner);
    return reading_end(reading);
}
