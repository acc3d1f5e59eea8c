/* SPDX-License-Identifier: MIT
 *
 * Findings: what is wrong, where, why, and what to do.  Stages report; nobody prints before the end of the run.
 * The catalogue (catalogue.def) is the only list of codes and says the severity of each.
 */
#pragma once

#include "base/base.h"
#include "source/source.h"

enum severity { HINT, WARNING, ERROR };

enum code {
    NM_NONE = 0,
#define CODE(number, name, severity, title) NM_##name = number,
#include "diag/catalogue.def"
#undef CODE
};

struct code_row {
    enum code code;
    const char *name; /* "unknown_word" */
    enum severity severity;
    const char *title; /* one line, for lists and `explain` */
};

const struct code_row *code_row(enum code code);
const struct code_row *code_rows(size_t *out_count); /* rising */
enum code code_from_text(const char *text);          /* "NM0512" or "512"; NM_NONE if there is none */
const char *severity_word(enum severity severity);   /* "error" */

struct label {
    struct span span;
    const char *text; /* never NULL */
};

/* Everything in a finding lives as long as the findings do. */
struct finding {
    enum code code;
    enum severity severity;
    struct span span;    /* primary; file 0 where there is no text to point at */
    const char *message; /* lower case, no final stop, found value and limit with units */
    const char *pointer; /* what stands under the primary span, NULL for nothing */
    struct label labels[3];
    unsigned label_count;
    const char *notes[4]; /* what libvirt or QEMU would have done; where a limit comes from */
    unsigned note_count;
    const char *helps[3]; /* each an edit */
    unsigned help_count;
    uint32_t order; /* of reporting, the last thing sorted by */
};

/* A finding that the user knows of and takes as it is. */
struct acceptance {
    enum code code;             /* below an error */
    struct span span;           /* where it is said */
    const char *reason, *until; /* until: a date, NULL for ever */
    uint32_t times;             /* findings that it kept back; those of one code at one place are one */
};

struct acceptances {
    struct acceptance *const *list;
    uint32_t count;
};

struct findings;

struct findings *findings_new(const struct sources *sources);
void findings_free(struct findings *findings); /* accepts NULL */

/* Adds a finding and gives it back, to be told more.  The same code at the same span (of a file) is kept once: the
 * second report goes to a finding that is never shown, and so does one that is accepted. */
struct finding *report(struct findings *findings, enum code code, struct span span, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
bool finding_is_repeated(const struct findings *findings, const struct finding *finding); /* it is never shown */
void finding_pointer(struct findings *findings, struct finding *finding, const char *format, ...) G_GNUC_PRINTF(3, 4);
void finding_label(struct findings *findings, struct finding *finding, struct span span, const char *format, ...)
    G_GNUC_PRINTF(4, 5); /* without a file: becomes a note; beyond the third: dropped */
void finding_note(struct findings *findings, struct finding *finding, const char *format, ...) G_GNUC_PRINTF(3, 4);
void finding_help(struct findings *findings, struct finding *finding, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* What is accepted from here on: of everything, and of the subject that is worked on.  Each replaces what it was. */
void findings_accept_all(struct findings *findings, struct acceptances accepted);
void findings_accept(struct findings *findings, struct acceptances accepted);
size_t findings_accepted(const struct findings *findings); /* how many were kept back */

size_t findings_count(const struct findings *findings, enum severity at_least);
/* Errors reported so far, also those that were told before at the same place: what a stage compares to know whether
 * its subject is sound.  Two guests of one bad profile are both wrong, though it is told once. */
size_t findings_errors_met(const struct findings *findings);
bool findings_have_errors(const struct findings *findings);
struct finding *findings_at(struct findings *findings, size_t position);              /* the same, to be told more */
const struct finding *findings_nth(const struct findings *findings, size_t position); /* counted from 0 */

/* The nearest of some names to a misspelt one, or NULL if none is near.  next() gives one name a call and NULL at the
 * end; the nearest of several equals is the first. */
const char *nearest_name(const char *wrong, size_t length, const char *(*next)(void *state), void *state);

/* ---- renderers: findings sorted by file in reading order, begin, code; at most 50 a file, then a count ------------
 * Where a file has more, the gravest are kept.  No byte of a source, a name or a message can steer a terminal. */
enum finding_format { FINDINGS_HUMAN, FINDINGS_GCC, FINDINGS_JSON };

struct render_options {
    enum finding_format format;
    bool colour;
    bool hide_hints;
};

/* Appends to `out`, which is empty before. */
void findings_render(struct findings *findings, const struct render_options *options, GString *out);
