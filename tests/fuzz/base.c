/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a base: read, show, forget.
 */
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    struct domain_identity identity;
    uint32_t file = sources_add_text(sources, "fuzz.xml", (const char *)bytes, length);
    const struct tree *tree = read_domain(syntax, file, &identity);
    check_tree(syntax, tree);
    check_span(sources, identity.name_span);
    for (unsigned i = 0; i < BASE_WORDS; i++)
        check_span(sources, tree->ruled[i].span);
    if (identity.uuid && strlen(identity.uuid) != 36)
        bug("a UUID that is none");
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return 0;
}
