/* SPDX-License-Identifier: MIT
 *
 * Inside diag only: how the list is kept, what of it is shown, and how text that people wrote reaches a terminal.
 */
#pragma once

#include "diag/diag.h"

struct findings {
    struct arena *arena;
    const struct sources *sources;
    GPtrArray *list;  /* struct finding * */
    GHashTable *seen; /* "code:file:begin:end", and who accepted it */
    size_t counts[ERROR + 1];
    size_t errors_met;                   /* errors reported, kept or not */
    struct finding repeated;             /* what a report is told that was made before: never shown */
    struct acceptances everywhere, here; /* those in force */
    GPtrArray *accepted;                 /* struct acceptance *: those that kept something back */
    size_t accepted_count;
};

#define FINDINGS_A_FILE 50u /* more are counted, not shown */

void findings_sort(struct findings *findings);

/* What a renderer shows of one file, and how many it leaves out. */
struct file_findings {
    uint32_t file; /* 0: not from a file */
    struct finding **shown;
    size_t shown_count, omitted;
};

struct selection {
    const struct sources *sources;
    struct file_findings *files;
    size_t file_count;
    size_t counts[ERROR + 1];  /* shown and left out, without what was to be hidden */
    const GPtrArray *accepted; /* struct acceptance *, by place */
    size_t accepted_count;     /* findings that they kept back */
};

void render_human(const struct selection *selection, bool colour, GString *out);
void render_gcc(const struct selection *selection, GString *out);
void render_json(const struct selection *selection, GString *out);

const char *source_name(const struct selection *selection, uint32_t file);
bool has_text(const struct selection *selection, uint32_t file); /* false where the file could not be read */

/* Calls visit for each include on the way from a file to the one named on the command line, innermost first. */
void each_include(const struct selection *selection, uint32_t file,
                  void (*visit)(const struct selection *selection, struct span include, void *state), void *state);

/* ---- text for people: UTF-8 as it is, tabs as blanks, all else that is no printable text spelt out -------------- */
enum { GLYPH_BYTES = 12 };

struct glyph {
    uint32_t bytes;         /* it takes in the source, at least 1 */
    unsigned columns;       /* it takes on the screen; 0 for combining marks */
    char text[GLYPH_BYTES]; /* as shown */
};

struct glyph glyph_at(const char *text, size_t left, unsigned column); /* left > 0; column says where a tab ends */
void append_shown(GString *out, const char *text);

/* ---- snippets: the source lines of one finding with marks under them -------------------------------------------- */
enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_GUTTER, STYLE_ERROR, STYLE_WARNING, STYLE_HINT };

struct paint {
    GString *out;
    bool colour;
};

void paint_begin(const struct paint *paint, enum style style);
void paint_end(const struct paint *paint, enum style style);
enum style severity_style(enum severity severity);

void append_snippet(const struct paint *paint, const struct selection *selection, const struct finding *finding);
