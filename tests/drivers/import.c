/* SPDX-License-Identifier: MIT
 *
 * What `numac import` would write if it folded nothing and left nothing out, for the tests that measure the short
 * form by it:
 *
 *     import bases|bare FILE...       the site on stdout; `bases` names them, as -o does
 *
 * Exit status: 0, or 1 with findings on stderr.
 */
#include <stdio.h>
#include <string.h>

#include "import/import.h"

static int import(struct arena *arena, struct sources *sources, struct findings *findings, char **words)
{
    const struct import_options options = { .notation = NOTATION_NUMA,
                                            .with_bases = strcmp(words[0], "bases") == 0,
                                            .in_full = true };
    uint32_t files[64];
    size_t count = 0;
    for (char **word = words + 1; *word && count < G_N_ELEMENTS(files); word++)
        files[count++] = sources_read_words(sources, *word, IMPORT_BYTES_LIMIT);
    struct syntax *syntax = syntax_new(sources, findings);
    struct imported imported = import_guests(arena, syntax, files, count, &options);
    if (imported.site) {
        fputs(imported.site->str, stdout);
        g_string_free(imported.site, TRUE);
    }
    syntax_free(syntax);
    return findings_have_errors(findings) ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    struct arena *arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    int status = import(arena, sources, findings, argv + 1);
    if (status) {
        GString *text = g_string_new(NULL);
        findings_render(findings, &(struct render_options){ .format = FINDINGS_GCC }, text);
        fputs(text->str, stderr);
        g_string_free(text, TRUE);
    }
    findings_free(findings);
    sources_free(sources);
    arena_free(arena);
    return status;
}
