/* SPDX-License-Identifier: MIT
 *
 * What must hold of the findings and trees of any input, whichever fuzzer made them.
 */
#pragma once

#include <string.h>

#include "plan/json_c.h"
#include "syntax/syntax.h"

/* Of no file, or inside one that is there. */
static inline void check_span(const struct sources *sources, struct span span)
{
    if (!span.file && !span.begin && !span.end)
        return;
    if (!span.file || span.file > sources_count(sources))
        bug("a place in a file that nobody read");
    if (span.begin > span.end || span.end > source_at(sources, span.file)->length)
        bug("a place that lies outside of its file");
}

static inline void check_one_finding(const struct sources *sources, const struct finding *finding)
{
    check_span(sources, finding->span);
    for (unsigned i = 0; i < finding->label_count; i++)
        check_span(sources, finding->labels[i].span);
    if (!*finding->message)
        bug("a finding that says nothing");
}

/* No byte of a source may steer a terminal, or break what a program reads. */
static inline void check_rendered(const GString *text, enum finding_format format)
{
    if (!g_utf8_validate(text->str, (gssize)text->len, NULL))
        bug("findings that are no UTF-8");
    for (size_t at = 0; at < text->len; at++)
        if (((unsigned char)text->str[at] < 0x20 && text->str[at] != '\n') || text->str[at] == 0x7f)
            bug("a control character in the findings");
    if (format != FINDINGS_JSON)
        return;
    enum json_tokener_error error;
    struct json_c_object *object = json_tokener_parse_verbose(text->str, &error);
    if (error != json_tokener_success)
        bug("JSON that json-c does not read");
    json_object_put(object);
}

/* Shown in one format an input, since showing takes longer than most inputs do to read. */
static inline void check_findings(const struct sources *sources, struct findings *findings)
{
    static const enum finding_format formats[] = { FINDINGS_HUMAN, FINDINGS_GCC, FINDINGS_JSON };
    enum finding_format format =
        formats[sources_count(sources) ? source_at(sources, 1)->length % G_N_ELEMENTS(formats) : 0];
    for (size_t i = 0; i < findings_count(findings, HINT); i++)
        check_one_finding(sources, findings_nth(findings, i));
    g_autoptr(GString) text = g_string_new(NULL);
    findings_render(findings, &(struct render_options){ .format = format }, text);
    check_rendered(text, format);
}

static inline void check_words(const struct source *source, const struct item *items)
{
    for (const struct item *item = items; item; item = item->next) {
        for (unsigned i = 0; i <= item->argument_count; i++) {
            struct span span = word_span(item, i ? item->arguments[i - 1] : item->name);
            if (span.begin > span.end || span.end > source->length)
                bug("a word that points outside of its file");
        }
        check_words(source, item->children);
    }
}

/* A tree as a reader gave it, and what it told. */
static inline void check_tree(struct syntax *syntax, const struct tree *tree)
{
    const struct source *source = source_at(syntax->sources, tree->file);
    if (tree->failed != findings_have_errors(syntax->findings))
        bug("a tree that failed and findings that do not say so, or the other way round");
    check_words(source, tree->items);
    for (uint32_t i = 0; i < tree->comment_count; i++)
        if (tree->comments[i].begin > tree->comments[i].end || tree->comments[i].end > source->length ||
            (i && tree->comments[i].begin < tree->comments[i - 1].end))
            bug("a comment that lies outside of its file, or in another one");
    g_autoptr(GString) text = g_string_new(NULL);
    dump_tree(syntax, tree, text);
    check_findings(syntax->sources, syntax->findings);
}
