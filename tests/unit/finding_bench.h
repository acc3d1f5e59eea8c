/* SPDX-License-Identifier: MIT
 *
 * Findings on a bench: texts by name, places in them, and what a renderer makes of what was reported.
 */
#pragma once

#include <string.h>

#include "diag/diag.h"

struct bench {
    struct sources *sources;
    struct findings *findings;
    GString *out;
};

static inline void bench_open(struct bench *bench)
{
    bench->sources = sources_new();
    bench->findings = findings_new(bench->sources);
    bench->out = g_string_new(NULL);
}

static inline void bench_close(struct bench *bench)
{
    findings_free(bench->findings);
    sources_free(bench->sources);
    g_string_free(bench->out, TRUE);
}

static inline uint32_t add(struct bench *bench, const char *name, const char *text)
{
    return sources_add_text(bench->sources, name, text, strlen(text));
}

/* the span of the nth (from 0) occurrence of a piece of text */
static inline struct span find(struct bench *bench, uint32_t file, const char *piece, unsigned nth)
{
    const char *text = source_at(bench->sources, file)->text, *at = text;
    for (;; at++) {
        at = strstr(at, piece);
        g_assert_nonnull(at);
        if (!nth--)
            break;
    }
    uint32_t begin = (uint32_t)(at - text);
    return (struct span){ file, begin, begin + (uint32_t)strlen(piece) };
}

/* the first of a code; NULL: there is none */
static inline const struct finding *found(const struct findings *findings, enum code code)
{
    for (size_t i = 0; i < findings_count(findings, HINT); i++)
        if (findings_nth(findings, i)->code == code)
            return findings_nth(findings, i);
    return NULL;
}

static inline const char *rendered(struct bench *bench, enum finding_format format)
{
    struct render_options options = { .format = format };
    g_string_truncate(bench->out, 0);
    findings_render(bench->findings, &options, bench->out);
    return bench->out->str;
}
