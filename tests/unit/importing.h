/* SPDX-License-Identifier: MIT
 *
 * One import and what it takes, for the tests of both kinds of file.
 */
#pragma once

#include "import/import.h"

struct run {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    struct syntax *syntax;
    struct imported imported;
};

static inline struct run run_new(void)
{
    struct run run = { .arena = arena_new(), .sources = sources_new() };
    run.findings = findings_new(run.sources);
    run.syntax = syntax_new(run.sources, run.findings);
    return run;
}

static inline void run_import(struct run *run, uint32_t file, bool with_bases)
{
    const struct import_options options = { .notation = NOTATION_NUMA, .with_bases = with_bases };
    run->imported = import_guests(run->arena, run->syntax, &file, 1, &options);
}

static inline void run_end(struct run *run)
{
    if (run->imported.site)
        g_string_free(run->imported.site, TRUE);
    syntax_free(run->syntax);
    findings_free(run->findings);
    sources_free(run->sources);
    arena_free(run->arena);
}

/* The test of one example of a table, by its position. */
static inline void add_example(const char *folder, const char *name, size_t position, GTestDataFunc test)
{
    g_autofree char *path = g_build_path("/", folder, name, NULL);
    g_test_add_data_func(path, GSIZE_TO_POINTER(position), test);
}
