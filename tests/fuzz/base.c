/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a base: read, show, forget.
 */
#include <string.h>

#include "syntax/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_words(const struct source *source, const struct item *items)
{
    for (const struct item *item = items; item; item = item->next) {
        for (unsigned i = 0; i <= item->argument_count; i++) {
            struct span span = word_span(item, i ? item->arguments[i - 1] : item->name);
            if (span.begin > span.end || span.end > source->length)
                bug("a word that points outside of its file");
        }
        check_words(source, item->children);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    struct domain_identity identity;
    uint32_t file = sources_add_text(sources, "fuzz.xml", (const char *)bytes, length);
    struct tree *tree = read_domain(syntax, file, &identity);
    g_autoptr(GString) text = g_string_new(NULL);
    dump_tree(syntax, tree, text);
    check_words(source_at(sources, file), tree->items);
    if (tree->failed != findings_have_errors(findings))
        bug("a tree that failed and findings that do not say so, or the other way round");
    if (identity.uuid && strlen(identity.uuid) != 36)
        bug("a UUID that is none");
    findings_render(findings, &(struct render_options){ .format = FINDINGS_HUMAN }, text);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return 0;
}
