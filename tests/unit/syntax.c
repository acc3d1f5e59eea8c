/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "syntax/syntax.h"
int main(int argc, char **argv)
{
    (void)argc;
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = sources_read(sources, argv[1], 1u << 30);
    struct tree *tree = read_tree(syntax, file, argc > 2);
    g_autoptr(GString) out = g_string_new(NULL);
    if (argc <= 3)
    dump_tree(syntax, tree, out);
    findings_render(findings, &(struct render_options){ .format = FINDINGS_HUMAN }, out);
    fputs(out->str, stdout);
    syntax_free(syntax); findings_free(findings); sources_free(sources);
}
