/* SPDX-License-Identifier: MIT
 *
 * A door to compiler/host for tests: host_show [--record] [--text] [--synthetic] [--bare] SOURCE.  Speaks like `numac
 * host show`: JSON on stdout, findings on stderr, status 1 when the host is refused.
 */
#include "host/host.h"

#include <stdio.h>
#include <string.h>

static bool answer(struct sources *sources, struct findings *findings, const char *source, bool record, bool text,
                   bool is_synthetic, unsigned wants, GString *out)
{
    if (record)
        return host_record(sources, findings, source, is_synthetic, out);
    struct arena *arena = arena_new();
    const struct host *host = host_load(arena, sources, findings, source, is_synthetic, wants, SPAN_NONE);
    if (host)
        (text ? host_show_text : host_show_json)(host, out);
    arena_free(arena);
    return host != NULL;
}

int main(int argc, char **argv)
{
    bool record = false, text = false, is_synthetic = false;
    unsigned wants = HOST_DEVICES | HOST_CACHES | HOST_PROGRAMS | HOST_ACCESSES;
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        record |= strcmp(argv[at], "--record") == 0;
        text |= strcmp(argv[at], "--text") == 0;
        is_synthetic |= strcmp(argv[at], "--synthetic") == 0;
        if (strcmp(argv[at], "--bare") == 0)
            wants = 0;
    }
    if (at >= argc)
        return 2;
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    g_autoptr(GString) out = g_string_new(NULL);
    bool is_fine = answer(sources, findings, argv[at], record, text, is_synthetic, wants, out);
    fwrite(out->str, 1, out->len, stdout);
    if (findings_count(findings, HINT) != (is_fine ? 0 : 1))
        fprintf(stderr, "findings do not match the answer\n");
    g_autoptr(GString) told = g_string_new(NULL);
    findings_render(findings, &(struct render_options){ .format = FINDINGS_GCC }, told);
    fputs(told->str, stderr);
    findings_free(findings);
    sources_free(sources);
    return is_fine ? 0 : 1;
}
