/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file in the numa notation: read, show, forget.
 */
#include "syntax/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = sources_add_text(sources, "fuzz.numa", (const char *)bytes, length);
    struct tree *tree = read_tree(syntax, file, true);
    g_autoptr(GString) text = g_string_new(NULL);
    dump_tree(syntax, tree, text);
    if (tree->failed != findings_have_errors(findings))
        bug("a tree that failed and findings that do not say so, or the other way round");
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return 0;
}
