/* SPDX-License-Identifier: MIT
 *
 * Items, words and their texts, and the way from a source to its reader.  Both notations build with what stands
 * here; how each is read is left to from_numa.c and from_yaml.c.
 */
#include "syntax/reading.h"

#include <string.h>

struct cooked {
    uint64_t key; /* file and offset */
    size_t length;
    const char *text;
};

struct syntax *syntax_new(struct sources *sources, struct findings *findings)
{
    struct syntax *syntax = g_new0(struct syntax, 1);
    syntax->arena = arena_new();
    syntax->sources = sources;
    syntax->findings = findings;
    syntax->cooked = g_hash_table_new(g_int64_hash, g_int64_equal);
    return syntax;
}

void syntax_free(struct syntax *syntax)
{
    if (!syntax)
        return;
    g_hash_table_destroy(syntax->cooked);
    arena_free(syntax->arena);
    g_free(syntax);
}

bool is_yaml_name(const char *name)
{
    static const char *const endings[] = { ".yaml", ".yml", ".json" };
    size_t length = strlen(name);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && g_ascii_strcasecmp(name + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* A text without a name tells its notation by its first word: no item begins with '---', a bracket or a quote, and no
 * word of the language ends with a colon. */
bool is_yaml_text(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && strchr(" \t\r\n#", text[at])) {
        if (text[at] == '#')
            while (at + 1 < length && text[at + 1] != '\n')
                at++;
        at++;
    }
    size_t begin = at;
    while (at < length && !strchr(" \t\r\n", text[at]))
        at++;
    if (at == begin)
        return false;
    bool is_marker = at - begin == 3 && memcmp(text + begin, "---", 3) == 0;
    return is_marker || strchr("{\"'%", text[begin]) || text[at - 1] == ':';
}

bool is_yaml_source(const struct source *source)
{
    bool is_stream = !source->path && strcmp(source->name, "<stdin>") == 0;
    return is_stream && source->text ? is_yaml_text(source->text, source->length) : is_yaml_name(source->name);
}

void report_trouble(struct syntax *syntax, uint32_t file, uint32_t bytes_limit)
{
    const struct source *source = source_at(syntax->sources, file);
    struct findings *findings = syntax->findings;
    struct span start = { .file = file };
    struct finding *finding = NULL;
    switch (source->trouble) {
    case SOURCE_UNREADABLE:
        report(findings, NM_unreadable, start, "cannot read '%s': %s", source->name, g_strerror(source->error_number));
        return;
    case SOURCE_NOT_A_FILE:
        finding = report(findings, NM_unreadable, start, "'%s' is a folder or a device, not a file", source->name);
        finding_help(findings, finding, "name the file itself");
        return;
    case SOURCE_TOO_MANY:
        report(findings, NM_unreadable, start, "'%s' is not read: a run reads at most %u files", source->name,
               SOURCE_COUNT_LIMIT);
        return;
    case SOURCE_FINE: /* text, but too much of it */
    case SOURCE_TOO_LARGE:
        report(findings, NM_too_large, start, "'%s' is larger than %u MiB", source->name, bytes_limit >> 20);
        return;
    case SOURCE_UTF16:
        finding = report(findings, NM_not_text, start, "'%s' is UTF-16, not UTF-8", source->name);
        finding_help(findings, finding, "save it as UTF-8, as with 'iconv -f UTF-16 -t UTF-8'");
        return;
    case SOURCE_BINARY:
        report(findings, NM_not_text, start, "'%s' is no text: a NUL byte stands at byte %u", source->name, source->at);
        return;
    case SOURCE_NOT_UTF8:
        finding = report(findings, NM_not_text, start, "'%s' is not UTF-8: byte %u is part of no character",
                         source->name, source->at);
        finding_help(findings, finding, "save it as UTF-8, as with 'iconv -f LATIN1 -t UTF-8'");
        return;
    }
}

struct tree *read_tree(struct syntax *syntax, uint32_t file, bool keep_comments)
{
    const struct source *source = source_at(syntax->sources, file);
    bool is_yaml = is_yaml_source(source);
    if (source->trouble == SOURCE_FINE && source->length <= SITE_BYTES_LIMIT)
        return is_yaml ? read_yaml(syntax, file, keep_comments) : read_numa(syntax, file, keep_comments);
    report_trouble(syntax, file, SITE_BYTES_LIMIT);
    struct tree *tree = arena_take(syntax->arena, struct tree);
    *tree = (struct tree){ .file = file, .is_yaml = is_yaml, .failed = true };
    return tree;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static uint64_t cooked_key(uint32_t file, uint32_t begin)
{
    return (uint64_t)file << 32 | begin;
}

const char *word_text(const struct syntax *syntax, const struct item *item, struct word word, size_t *out_length)
{
    if (G_UNLIKELY(word.cooked)) {
        uint64_t key = cooked_key(item->file, word.begin);
        const struct cooked *cooked = g_hash_table_lookup(syntax->cooked, &key);
        *out_length = cooked->length;
        return cooked->text;
    }
    *out_length = word.length;
    return source_at(syntax->sources, item->file)->text + word.begin;
}

char *word_string(const struct syntax *syntax, const struct item *item, struct word word)
{
    size_t length;
    const char *text = word_text(syntax, item, word, &length);
    return arena_string(syntax->arena, text, length);
}

struct word word_cooked(struct syntax *syntax, uint32_t file, uint32_t begin, uint32_t length, const char *text,
                        size_t text_length)
{
    struct cooked *cooked = arena_take(syntax->arena, struct cooked);
    cooked->key = cooked_key(file, begin);
    cooked->text = arena_string(syntax->arena, text, text_length);
    cooked->length = text_length;
    g_hash_table_replace(syntax->cooked, &cooked->key, cooked);
    return (struct word){ .begin = begin,
                          .length = length & ((1u << 27) - 1),
                          .quoted = 1,
                          .cooked = 1,
                          .dollar = text_length && memchr(text, '$', text_length) };
}

struct span word_span(const struct item *item, struct word word)
{
    return (struct span){ item->file, word.begin, word.begin + word.length };
}

struct span item_span(const struct item *item)
{
    return word_span(item, item->name);
}

struct item *item_new(struct syntax *syntax, uint32_t file, struct word name, const struct word *arguments,
                      size_t argument_count)
{
    struct item *item = arena_alloc(syntax->arena, sizeof *item + argument_count * sizeof *arguments);
    item->name = name;
    item->file = file & 0x3fff;
    item->argument_count = argument_count & 0x7fff;
    if (argument_count)
        memcpy(item->arguments, arguments, argument_count * sizeof *arguments);
    const struct word *last = argument_count ? &arguments[argument_count - 1] : &name;
    item->end = last->begin + last->length + last->quoted;
    return item;
}
