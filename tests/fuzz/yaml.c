/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a file of YAML: read, show, forget.
 */
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = sources_add_text(sources, "fuzz.yaml", (const char *)bytes, length);
    check_tree(syntax, read_tree(syntax, file, true));
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return 0;
}
