/* SPDX-License-Identifier: MIT
 *
 * What numac can be told to do: one row a verb, one file a body (verb_*.c).  A body opens a session, works, and gives
 * back what session_close() says.
 */
#pragma once

#include "options.h"

struct verb {
    const char *name;
    const char *arguments; /* as help writes them: "SITE..." */
    const char *about;     /* one line */
    size_t fewest, most;   /* arguments */
    unsigned takes;        /* of option_set */
    const char *output;    /* what -o names and what stands in for it; NULL where the verb takes none */
    const char *more;      /* lines of help on the arguments, NULL for none */
    bool leaves_hints;     /* of the site to `check`: it looks at guests that run */
    const char *examples[3];
    int (*run)(const struct options *options);
};

#define MANY_ARGUMENTS ((size_t)-1)

const struct verb *verb_rows(size_t *out_count);
const struct verb *verb_find(const char *name); /* NULL if there is none */

int verb_build(const struct options *options);
int verb_check(const struct options *options);
int verb_plan(const struct options *options);
int verb_fmt(const struct options *options);
int verb_convert(const struct options *options);
int verb_import(const struct options *options);
int verb_host(const struct options *options);
int verb_agent(const struct options *options); /* run, verify, stop, list, stat */
int verb_diff(const struct options *options);  /* diff, apply */
int verb_explain(const struct options *options);
int verb_schema(const struct options *options);
int verb_help(const struct options *options);
