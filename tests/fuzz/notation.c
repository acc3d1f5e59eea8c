/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a site, written in both notations: what is written reads without error, and is written the same again.
 * The first byte picks the notation that is read.
 */
#include "claims.h"
#include "model/model.h"
#include "notation/notation.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* NULL: refused, with a finding. */
static char *rewritten(const char *name, const char *text, size_t length, enum notation notation)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    struct tree *tree = read_tree(syntax, sources_add_text(sources, name, text, length), true);
    GString *out = g_string_new(NULL);
    if (tree->is_yaml && !tree->failed)
        shape_tree(syntax, tree);
    bool fine = !tree->failed && write_notation(syntax, tree, notation, out);
    if (fine == findings_have_errors(findings))
        bug("a file was written in spite of findings, or not written without one");
    check_findings(sources, findings);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return g_string_free(out, !fine);
}

static void check(const char *name, const char *text, size_t length, enum notation notation)
{
    g_autofree char *once = rewritten(name, text, length, notation);
    if (!once)
        return;
    g_autofree char *twice = rewritten(notation == NOTATION_YAML ? "b.yaml" : "b.numa", once, strlen(once), notation);
    if (!twice)
        bug("what was written cannot be read");
    if (strcmp(once, twice) != 0)
        bug("what was written is written otherwise the second time");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length)
        return 0;
    const char *name = bytes[0] == 'y' ? "a.yaml" : "a.numa";
    check(name, (const char *)bytes + 1, length - 1, NOTATION_NUMA);
    check(name, (const char *)bytes + 1, length - 1, NOTATION_YAML);
    return 0;
}
