/* SPDX-License-Identifier: MIT
 *
 * What both readers share: collecting the words of an item, comments, and findings that are told once a line and
 * come to an end.
 */
#include "syntax/reading.h"

#include <string.h>

struct reading *reading_begin(struct syntax *syntax, uint32_t file, bool keep_comments, bool is_yaml)
{
    struct reading *reading = g_new0(struct reading, 1);
    const struct source *source = source_at(syntax->sources, file);
    reading->syntax = syntax;
    reading->findings = syntax->findings;
    reading->tree = arena_take(syntax->arena, struct tree);
    reading->tree->file = reading->file = file;
    reading->tree->is_yaml = is_yaml;
    reading->text = source->text;
    reading->length = source->length;
    reading->has_dollar = memchr(source->text, '$', source->length) != NULL;
    if (keep_comments)
        reading->comments = g_array_new(FALSE, FALSE, sizeof(struct comment));
    return reading;
}

struct tree *reading_end(struct reading *reading)
{
    struct tree *tree = reading->tree;
    if (reading->comments) {
        tree->comment_count = reading->comments->len;
        tree->comments = arena_copy(reading->syntax->arena, reading->comments->data,
                                    reading->comments->len * sizeof *tree->comments);
        g_array_free(reading->comments, TRUE);
    }
    tree->failed = reading->error_count > 0;
    g_free(reading);
    return tree;
}

void note_comment(struct reading *reading, struct extent where)
{
    struct comment comment = { .begin = where.begin, .end = where.end, .own_line = true };
    if (comment.end > comment.begin && reading->text[comment.end - 1] == '\r')
        comment.end--;
    for (uint32_t at = where.begin; at && reading->text[at - 1] != '\n'; at--)
        if (reading->text[at - 1] != ' ' && reading->text[at - 1] != '\t') {
            comment.own_line = false;
            break;
        }
    g_array_append_val(reading->comments, comment);
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

static struct span span_of(const struct reading *reading, struct extent where)
{
    return (struct span){ reading->file, where.begin, where.end };
}

void give_up(struct reading *reading, enum code code, uint32_t at, const char *why)
{
    if (reading->stopped)
        return;
    reading->stopped = true;
    reading->error_count++;
    struct finding *finding = report(reading->findings, code, span_of(reading, (struct extent){ at, at }), "%s", why);
    finding_note(reading->findings, finding, "the rest of the file was not read");
}

/* Mistakes after which blocks may begin and end elsewhere than the text seems to say. */
static bool tears(enum code code)
{
    switch ((int)code) {
    case NM_brace_alone:
    case NM_brace_too_many:
    case NM_brace_missing:
    case NM_too_deep:
    case NM_too_many_errors:
    case NM_too_many_items:
    case NM_yaml_syntax:
    case NM_yaml_tab:
    case NM_yaml_flow_comma:
    case NM_yaml_block_text:
    case NM_yaml_top_level:
    case NM_yaml_key:
    case NM_yaml_merge_key:
        return true;
    default:
        return false;
    }
}

struct finding *blame(struct reading *reading, enum code code, struct extent where, const char *format, ...)
{
    if (reading->stopped)
        return NULL;
    if (reading->blamed) {
        if (++reading->muted_count >= MUTED_BEFORE_GIVING_UP)
            give_up(reading, NM_too_many_errors, where.begin, "one line has more than 10000 mistakes");
        return NULL;
    }
    reading->blamed = true;
    reading->blamed_at = where.begin;
    if (reading->error_count >= ERRORS_BEFORE_GIVING_UP) {
        give_up(reading, NM_too_many_errors, where.begin, "more than 49 lines of this file cannot be read");
        return NULL;
    }
    reading->error_count++;
    reading->tree->is_torn |= tears(code);
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return report(reading->findings, code, span_of(reading, where), "%s", message);
}

void blame_label(struct reading *reading, struct finding *finding, struct extent where, const char *text)
{
    if (finding)
        finding_label(reading->findings, finding, span_of(reading, where), "%s", text);
}

void blame_pointer(struct reading *reading, struct finding *finding, const char *text)
{
    if (finding)
        finding_pointer(reading->findings, finding, "%s", text);
}

void blame_note(struct reading *reading, struct finding *finding, const char *text)
{
    if (finding)
        finding_note(reading->findings, finding, "%s", text);
}

void blame_help(struct reading *reading, struct finding *finding, const char *format, ...)
{
    if (!finding)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *help = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    finding_help(reading->findings, finding, "%s", help);
}

struct excerpt excerpt(const struct reading *reading, struct extent where)
{
    enum { SHOWN = 40 };
    const char *text = reading->text + where.begin;
    uint32_t length = where.end - where.begin;
    if (length > SHOWN)
        for (length = SHOWN; length && (text[length] & 0xc0) == 0x80;)
            length--; /* not in the middle of a character */
    const char *line_end = memchr(text, '\n', length);
    return (struct excerpt){ line_end ? (int)(line_end - text) : (int)length, text };
}

uint32_t character_end(const struct reading *reading, uint32_t at)
{
    if (at < reading->length)
        for (at++; (reading->text[at] & 0xc0) == 0x80;) /* stops at the NUL behind the text */
            at++;
    return at;
}

struct extent word_extent(struct word word)
{
    return (struct extent){ word.begin - word.quoted, word.begin + word.length + word.quoted };
}

struct word word_between(struct reading *reading, uint32_t begin, uint32_t end)
{
    uint32_t length = end - begin;
    struct word word = { .begin = begin, .length = length & (2 * WORD_LIMIT - 1) };
    if (G_UNLIKELY(length > WORD_LIMIT))
        limit_word(reading, &word, (struct extent){ begin, end });
    word.dollar = reading->has_dollar && word.length && memchr(reading->text + begin, '$', word.length);
    return word;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

void words_begin(struct reading *reading, struct word name)
{
    reading->words[0] = name;
    reading->argument_count = 0;
}

void words_add(struct reading *reading, struct word argument)
{
    if (G_LIKELY(reading->argument_count < ARGUMENT_LIMIT)) {
        reading->words[++reading->argument_count] = argument;
        return;
    }
    struct excerpt name = excerpt(reading, word_extent(reading->words[0]));
    struct finding *finding = blame(reading, NM_too_many_arguments, word_extent(argument),
                                    "'%.*s' has more than %d arguments", name.length, name.text, ARGUMENT_LIMIT);
    blame_help(reading, finding, "write a set as ranges, '0-4095', or a table with one row a line");
}

struct item *item_begin(struct reading *reading)
{
    struct item *item =
        item_new(reading->syntax, reading->file, reading->words[0], reading->words + 1, reading->argument_count);
    item->failed = reading->blamed;
    if (G_UNLIKELY(++reading->item_count > ITEM_LIMIT))
        give_up(reading, NM_too_many_items, reading->words[0].begin, "the file has more than 33554432 items");
    return item;
}

struct item *item_block(struct item *item, struct item_list block, uint32_t end)
{
    item->children = block.first;
    item->has_block = 1;
    item->end = end;
    return item;
}

void limit_word(struct reading *reading, struct word *word, struct extent where)
{
    struct excerpt start = excerpt(reading, where);
    struct finding *finding =
        blame(reading, NM_word_too_long, where, "a word of %u bytes, but at most %d are read: '%.*s...'",
              where.end - where.begin, WORD_LIMIT, start.length, start.text);
    blame_help(reading, finding, "a file is named by its path, and a set is written in ranges");
    word->length = WORD_LIMIT;
}
