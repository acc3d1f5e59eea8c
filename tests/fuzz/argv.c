/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a command line to import: split, read, written as a site, shown, forgotten.  What is taken must be a
 * site, and every finding must point into the file.
 */
#define _GNU_SOURCE /* memfd_create */
#include <sys/mman.h>
#include <unistd.h>

#include "import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Through a file: text in memory cannot hold the NUL bytes of a process. */
static uint32_t add_file(struct sources *sources, const uint8_t *bytes, size_t length)
{
    int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, bytes, length) != (ssize_t)length)
        bug("no file in memory");
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", file);
    uint32_t index = sources_read_words(sources, path, IMPORT_BYTES_LIMIT);
    close(file);
    return index;
}

static void check_places(const struct findings *findings, const struct source *source, uint32_t file)
{
    for (size_t i = 0; i < findings_count(findings, HINT); i++) {
        struct span span = findings_nth(findings, i)->span;
        if (span.file != file || span.begin > span.end || span.end > source->length)
            bug("a finding that points outside of the file");
    }
}

static void import(struct arena *arena, const uint8_t *bytes, size_t length)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = add_file(sources, bytes, length);
    const struct import_options options = { .notation = length % 2 ? NOTATION_YAML : NOTATION_NUMA };
    struct imported imported = import_guests(arena, syntax, &file, 1, &options);
    g_autoptr(GString) text = g_string_new(NULL);
    check_places(findings, source_at(sources, file), file);
    if (!imported.site != findings_have_errors(findings))
        bug("a site beside errors, or neither");
    if (imported.site)
        g_string_free(imported.site, TRUE);
    findings_render(findings, &(struct render_options){ .format = FINDINGS_HUMAN }, text);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *arena = arena_new();
    import(arena, bytes, length);
    arena_free(arena);
    return 0;
}
