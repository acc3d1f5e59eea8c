/* SPDX-License-Identifier: MIT
 *
 * The bytes of a file into words: those of a process, with a NUL behind each, or those of a shell, as far as a command
 * line has them: quotes, escapes, comments, redirections, the end of a command.  Nothing is expanded: a word in which a
 * shell would is marked, and those who need its value tell.
 */
#include "import/argv.h"

#include <string.h>

struct splitter {
    struct arena *arena;
    struct syntax *syntax;
    uint32_t file;
    const char *text;
    uint32_t length, at;
    GArray *words;
    GString *word;
    uint32_t begin, shift; /* of the word being read; shift: what its text stands behind its place in `word` */
    bool has_word, is_moved, is_live;
    bool line_begins, statement_begins, is_target; /* is_target: the next word is that of a redirection */
};

struct span argv_word_span(uint32_t file, const struct argv_word *word)
{
    return (struct span){ file, word->begin, word->end };
}

/* XML begins with a tag, and nothing else does; of nothing at all the reader of XML tells. */
bool is_command_line(const struct source *source)
{
    uint32_t at = 0;
    while (at < source->length && g_ascii_isspace(source->text[at]))
        at++;
    return at < source->length && source->text[at] != '<';
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static bool refuse_many(struct splitter *splitter, uint32_t at)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding = report(findings, NM_argv_limit, (struct span){ splitter->file, at, at + 1 },
                                     "the file has more than %d words", ARGV_WORD_LIMIT);
    finding_help(findings, finding, "give the command line of one guest");
    return false;
}

static void begin_word(struct splitter *splitter)
{
    if (splitter->has_word)
        return;
    splitter->has_word = true;
    splitter->begin = splitter->at;
    splitter->is_moved = splitter->is_live = false;
    splitter->shift = ARGV_NOWHERE;
    g_string_truncate(splitter->word, 0);
}

/* The byte at `at` is part of the word. */
static void take(struct splitter *splitter)
{
    uint32_t shift = splitter->at - (uint32_t)splitter->word->len;
    if (splitter->shift == ARGV_NOWHERE)
        splitter->shift = shift;
    splitter->is_moved |= shift != splitter->shift;
    g_string_append_c(splitter->word, splitter->text[splitter->at++]);
}

static bool end_word(struct splitter *splitter)
{
    if (!splitter->has_word)
        return true;
    splitter->has_word = false;
    if (splitter->is_target) {
        splitter->is_target = false;
        return true;
    }
    if (splitter->words->len == ARGV_WORD_LIMIT)
        return refuse_many(splitter, splitter->begin);
    struct argv_word word = {
        .text = arena_string(splitter->arena, splitter->word->str, splitter->word->len),
        .begin = splitter->begin,
        .end = splitter->at,
        .text_begin = splitter->is_moved                ? ARGV_NOWHERE
                      : splitter->shift == ARGV_NOWHERE ? splitter->begin
                                                        : splitter->shift,
        .is_live = splitter->is_live,
        .begins_line = splitter->line_begins,
        .begins_statement = splitter->statement_begins,
    };
    g_array_append_val(splitter->words, word);
    splitter->line_begins = splitter->statement_begins = false;
    return true;
}

/* ---- a shell's -------------------------------------------------------------------------------------------------- */

static bool refuse_quote(struct splitter *splitter, uint32_t open)
{
    struct findings *findings = splitter->syntax->findings;
    struct finding *finding = report(findings, NM_argv_quote, (struct span){ splitter->file, open, open + 1 },
                                     "the quote that opens here is never closed");
    finding_help(findings, finding, "is the line cut short? else close it, or write \\%c for the sign itself",
                 splitter->text[open]);
    return false;
}

static bool single_quoted(struct splitter *splitter)
{
    uint32_t open = splitter->at++;
    while (splitter->at < splitter->length && splitter->text[splitter->at] != '\'')
        take(splitter);
    if (splitter->at == splitter->length)
        return refuse_quote(splitter, open);
    splitter->at++;
    return true;
}

static bool is_expansion(const struct splitter *splitter)
{
    char byte = splitter->text[splitter->at], next = splitter->text[splitter->at + 1];
    return byte == '`' || (byte == '$' && (g_ascii_isalnum(next) || strchr("_{(*@#?$!-", next)) && next);
}

static bool double_quoted(struct splitter *splitter)
{
    uint32_t open = splitter->at++;
    while (splitter->at < splitter->length && splitter->text[splitter->at] != '"') {
        char next = splitter->text[splitter->at + 1];
        if (splitter->text[splitter->at] == '\\' && next && strchr("\"\\$`\n", next)) {
            splitter->at++;
            if (next == '\n') {
                splitter->at++;
                continue;
            }
        } else {
            splitter->is_live |= is_expansion(splitter);
        }
        take(splitter);
    }
    if (splitter->at >= splitter->length)
        return refuse_quote(splitter, open);
    splitter->at++;
    return true;
}

/* {"driver":...} without quotes around it, as ps prints it: the quotes and the blanks are JSON's. */
static void bare_json(struct splitter *splitter)
{
    bool in_string = false;
    uint32_t depth = 0;
    while (splitter->at < splitter->length) {
        char byte = splitter->text[splitter->at];
        if (byte == '\n' || (!depth && is_blank(byte)))
            return;
        if (byte == '"')
            in_string = !in_string;
        else if (!in_string && (byte == '{' || byte == '['))
            depth++;
        else if (!in_string && depth && (byte == '}' || byte == ']'))
            depth--;
        else if (byte == '\\' && in_string && splitter->at + 1 < splitter->length)
            take(splitter);
        take(splitter);
    }
}

static void skip_comment(struct splitter *splitter)
{
    while (splitter->at < splitter->length && splitter->text[splitter->at] != '\n')
        splitter->at++;
}

/* A backslash: before a line end it joins the lines. */
static void escaped(struct splitter *splitter)
{
    const char *next = splitter->text + splitter->at + 1;
    uint32_t line_end = *next == '\n' ? 1 : *next == '\r' && next[1] == '\n' ? 2 : 0;
    if (line_end) {
        splitter->at += 1 + line_end;
        return;
    }
    begin_word(splitter);
    splitter->at++;
    if (splitter->at < splitter->length)
        take(splitter);
}

/* "2>": the digits are no word. */
static bool redirection(struct splitter *splitter)
{
    if (splitter->has_word && strspn(splitter->word->str, "0123456789") == splitter->word->len)
        splitter->has_word = false;
    if (!end_word(splitter))
        return false;
    char first = splitter->text[splitter->at++];
    while (splitter->at < splitter->length && strchr("<>&|", splitter->text[splitter->at]) &&
           splitter->text[splitter->at])
        splitter->at++;
    splitter->is_target = first == '<' || first == '>';
    return true;
}

static bool shell_sign(struct splitter *splitter)
{
    char byte = splitter->text[splitter->at];
    switch (byte) {
    case '\'':
        begin_word(splitter);
        return single_quoted(splitter);
    case '"':
        begin_word(splitter);
        return double_quoted(splitter);
    case '\\':
        escaped(splitter);
        return true;
    case '<':
    case '>':
        return redirection(splitter);
    case '\n':
    case ';':
    case '&':
    case '|':
    case '(':
    case ')':
        if (!end_word(splitter))
            return false;
        splitter->at++;
        splitter->line_begins = true;
        splitter->is_target = false;
        splitter->statement_begins |= byte != '\n';
        return true;
    default:
        begin_word(splitter);
        splitter->is_live |= is_expansion(splitter) || strchr("*?", byte);
        take(splitter);
        return true;
    }
}

static bool split_shell(struct splitter *splitter)
{
    splitter->line_begins = splitter->statement_begins = true;
    while (splitter->at < splitter->length) {
        const char *text = splitter->text + splitter->at;
        if (is_blank(*text)) {
            if (!end_word(splitter))
                return false;
            splitter->at++;
        } else if (!splitter->has_word && *text == '#') {
            skip_comment(splitter);
        } else if (!splitter->has_word && text[0] == '{' && text[1] == '"') {
            begin_word(splitter);
            bare_json(splitter);
        } else if (!shell_sign(splitter)) {
            return false;
        }
    }
    return end_word(splitter);
}

/* ---- a process's ------------------------------------------------------------------------------------------------ */

static bool split_process(struct splitter *splitter)
{
    splitter->line_begins = splitter->statement_begins = true;
    while (splitter->at < splitter->length) {
        begin_word(splitter);
        splitter->shift = splitter->begin;
        const char *from = splitter->text + splitter->at;
        const char *end = memchr(from, 0, splitter->length - splitter->at);
        size_t length = end ? (size_t)(end - from) : splitter->length - splitter->at;
        g_string_append_len(splitter->word, from, (gssize)length);
        splitter->at += (uint32_t)length;
        if (!end_word(splitter))
            return false;
        splitter->at++;
    }
    return true;
}

bool argv_split(struct arena *arena, struct syntax *syntax, uint32_t file, GArray *words)
{
    const struct source *source = source_at(syntax->sources, file);
    if (source->length > ARGV_BYTES_LIMIT) {
        struct finding *finding =
            report(syntax->findings, NM_argv_limit, (struct span){ file, 0, 1 },
                   "a command line of %u bytes: at most %d are read", source->length, ARGV_BYTES_LIMIT);
        finding_help(syntax->findings, finding, "give the command line of one guest");
        return false;
    }
    struct splitter splitter = {
        .arena = arena, .syntax = syntax, .file = file, .text = source->text, .length = source->length, .words = words
    };
    splitter.word = g_string_new(NULL);
    bool fine = memchr(source->text, 0, source->length) ? split_process(&splitter) : split_shell(&splitter);
    g_string_free(splitter.word, TRUE);
    return fine;
}
