/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file to import, for the fuzzers of what may stand in one.  What is taken must be a site that both
 * notations can say, and that each reads back; every finding must point into the file.
 */
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "claims.h"
#include "import/import.h"
#include "model/model.h"

/* Through a file: text in memory cannot hold the NUL bytes of a process. */
static inline uint32_t add_file(struct sources *sources, const uint8_t *bytes, size_t length)
{
    int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length)
        bug("no file in memory");
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file);
    uint32_t index = sources_read_words(sources, path, IMPORT_BYTES_LIMIT);
    close(file);
    return index;
}

static inline void check_site(const char *name, const GString *site, enum notation notation)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    g_autoptr(GString) again = g_string_new(NULL);
    struct tree *tree = read_tree(syntax, sources_add_text(sources, name, site->str, site->len), true);
    if (tree->is_yaml && !tree->failed)
        shape_tree(syntax, tree);
    if (tree->failed || !write_notation(syntax, tree, notation, again))
        bug("an imported site that cannot be read");
    if (!g_string_equal(site, again))
        bug("an imported site that is not laid out as fmt would");
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
}

/* True: there is a site. */
static inline bool import(const uint8_t *bytes, size_t length, const struct import_options *options)
{
    struct arena *arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = add_file(sources, bytes, length);
    struct imported imported = import_guests(arena, syntax, &file, 1, options);
    bool is_taken = imported.site != NULL;
    if (is_taken == findings_have_errors(findings))
        bug("a site beside errors, or neither");
    for (size_t i = 0; i < findings_count(findings, HINT); i++)
        if (findings_nth(findings, i)->span.file != file)
            bug("a finding about something that is not the file");
    check_findings(sources, findings);
    if (is_taken) {
        check_site(options->notation == NOTATION_YAML ? "site.yaml" : "site.numa", imported.site, options->notation);
        g_string_free(imported.site, TRUE);
    }
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    arena_free(arena);
    return is_taken;
}

static inline void import_in_both(const uint8_t *bytes, size_t length, bool with_bases, bool in_full)
{
    struct import_options options = { .with_bases = with_bases, .in_full = in_full };
    options.notation = NOTATION_NUMA;
    bool is_taken = import(bytes, length, &options);
    options.notation = NOTATION_YAML;
    if (import(bytes, length, &options) != is_taken)
        bug("guests that only one notation can say");
}
