/* SPDX-License-Identifier: MIT
 *
 * One run of numac: what its stages share, and how it ends.  A verb puts what it has to say into `findings` and what
 * it has to hand over into `result`; who reads which stream is decided in session_close() alone.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"
#include "options.h"
#include "source/source.h"

/* Of several, the highest counts; 70 is a bug in numac. */
enum exit_status {
    STATUS_FINE = 0,
    STATUS_FINDINGS = 1, /* at or above --fail-on, or differences */
    STATUS_INPUT = 2,    /* the command line, or input that is no text */
    STATUS_REFUSED = 3   /* by an engine or a host */
};

struct session {
    const struct options *options;
    struct arena *arena; /* results of the stages */
    struct sources *sources;
    struct findings *findings;
    GString *result;         /* for standard output */
    enum exit_status status; /* at least this */
    bool has_heir;           /* another program will write to standard output: findings go to standard error */
    uint32_t today;          /* 20270131 */
    bool is_shown;           /* the findings are out, and no more may come */
    int write_error;         /* of standard output; 0 without */
};

struct session *session_open(const struct options *options);

/* Shows the findings, then writes the result to standard output, frees everything and gives the exit status.
 * Findings for programs go to standard output where there is no result, so that one document stands there; beside a
 * result they go to standard error, as those for people always do.  With --format json an error drops the result. */
int session_close(struct session *session);

/* For results too large to be kept: shows the findings, the first time, then writes what stands in the result so far
 * and empties it.  Nothing may be reported any more.  False: it cannot be written, and session_close() says so. */
bool session_drain(struct session *session);

/* Shows the findings, if they are not out yet; none may come behind. */
bool session_show(struct session *session);

/* A mistake on the command line that only a verb can see. */
struct finding *session_misuse(struct session *session, const char *format, ...) G_GNUC_PRINTF(2, 3);
