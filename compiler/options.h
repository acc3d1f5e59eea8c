/* SPDX-License-Identifier: MIT
 *
 * What the command line asks for.  Words are taken apart here and nowhere else; whether a file exists or a target is
 * known is left to the verbs.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"

struct verb;

/* Options beyond those every verb takes. */
enum option_set {
    TAKES_OUTPUT = 1 << 0,
    TAKES_TARGET = 1 << 1,
    TAKES_HOST = 1 << 2,
    TAKES_DEFINITION = 1 << 3,
    TAKES_INCLUDE = 1 << 4,
    TAKES_CHECK = 1 << 5,
    TAKES_DIFF = 1 << 6,
    TAKES_TO = 1 << 7,
    NEEDS_TO = 1 << 8 | TAKES_TO, /* and cannot do without */
    TAKES_RUN = 1 << 9,
    TAKES_ENGINE = 1 << 10,
    TAKES_REPAIR = 1 << 11,
    TAKES_WATCH = 1 << 12,
    TAKES_CONNECT = 1 << 13,
    TAKES_YES = 1 << 14,
    TAKES_PID = 1 << 15,
    TAKES_SITE = TAKES_HOST | TAKES_DEFINITION | TAKES_INCLUDE
};

enum colour_choice { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct binding { /* --host NAME=SOURCE, -D NAME=VALUE */
    const char *name, *value;
    const char *text; /* "-D ram=32GiB", the name of its source in findings */
};

struct option_values { /* of an option that may be repeated */
    const char **list;
    size_t count;
};

struct option_bindings {
    struct binding *list;
    size_t count;
};

/* All texts live in the arena or in argv. */
struct options {
    struct arena *arena;
    const struct verb *verb; /* NULL only with a mistake, --help or --version */
    enum finding_format format;
    enum severity fail_on;
    enum colour_choice colour;
    const char *output;           /* a folder or "-"; NULL: not given */
    const char *to;               /* "yaml" or "numa"; NULL: not given */
    struct option_values targets; /* each a name, parted at commas */
    struct option_values include_folders;
    struct option_bindings hosts, definitions; /* no name stands twice */
    const char *engine, *connect;              /* NULL: not given */
    const char *pid;                           /* a number of a process; NULL: not given */
    bool check, diff, detach, dry_run, reserve_pages, repair, watch, yes, wants_help, wants_version;
    struct option_values arguments; /* what is left behind the verb */
    const char *mistake, *cure;     /* the first thing wrong, NULL for nothing; cure NULL where there is none */
};

/* Reads on behind a mistake, so that `--format` counts wherever it stands. */
void options_parse(struct options *options, struct arena *arena, int argc, char **argv);

struct option_row {
    const char *name;  /* without "--" */
    char letter;       /* 0 for none */
    const char *value; /* what help calls it; NULL: takes none */
    const char *about;
    unsigned set; /* of option_set; 0: every verb takes it */
    size_t flag;  /* offset of the bool it sets, of an option without a value */
    void (*take)(struct options *options, const struct option_row *row, const char *value);
};

const struct option_row *option_rows(size_t *out_count);

/* A source of a host as the command line gives it: "live", a path, or "synthetic:" and a description. */
const char *host_source(const char *text, bool *out_is_synthetic);
