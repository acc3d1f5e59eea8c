/* SPDX-License-Identifier: MIT
 *
 * What is shown of the findings, whatever the form: order, the bound for each file, hidden hints.  The forms
 * themselves are left to human.c, gcc.c and json.c.
 */
#include <stdlib.h>
#include <string.h>

#include "diag/findings.h"

static int in_order(const void *left, const void *right)
{
    const size_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Which of many to show: an error late in a file must not hide behind fifty hints. */
static void keep_gravest(struct file_findings *file)
{
    if (file->shown_count <= FINDINGS_A_FILE)
        return;
    g_autofree size_t *kept = g_new(size_t, FINDINGS_A_FILE);
    size_t kept_count = 0;
    for (int severity = ERROR; severity >= HINT; severity--)
        for (size_t i = 0; i < file->shown_count && kept_count < FINDINGS_A_FILE; i++)
            if ((int)file->shown[i]->severity == severity)
                kept[kept_count++] = i;
    qsort(kept, kept_count, sizeof *kept, in_order);
    for (size_t i = 0; i < kept_count; i++)
        file->shown[i] = file->shown[kept[i]];
    file->omitted = file->shown_count - kept_count;
    file->shown_count = kept_count;
}

/* The findings are sorted, so those of one file are neighbours. */
static void select_shown(const struct findings *findings, bool hide_hints, struct finding **list, GArray *files,
                         size_t counts[ERROR + 1])
{
    struct file_findings file = { .shown = list };
    for (guint i = 0; i <= findings->list->len; i++) {
        struct finding *finding = i < findings->list->len ? g_ptr_array_index(findings->list, i) : NULL;
        if (finding && finding->severity == HINT && hide_hints)
            continue;
        if (file.shown_count && (!finding || finding->span.file != file.file)) {
            struct finding **next = file.shown + file.shown_count;
            keep_gravest(&file);
            g_array_append_val(files, file);
            file = (struct file_findings){ .shown = next };
        }
        if (!finding)
            break;
        file.file = finding->span.file;
        file.shown[file.shown_count++] = finding;
        counts[finding->severity]++;
    }
}

void findings_render(struct findings *findings, const struct render_options *options, GString *out)
{
    findings_sort(findings);
    struct selection selection = { .sources = findings->sources,
                                   .accepted = findings->accepted,
                                   .accepted_count = findings->accepted_count };
    g_autofree struct finding **list = g_new0(struct finding *, findings->list->len + 1);
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(struct file_findings));
    select_shown(findings, options->hide_hints, list, files, selection.counts);
    selection.files = (struct file_findings *)(void *)files->data;
    selection.file_count = files->len;

    switch (options->format) {
    case FINDINGS_HUMAN:
        render_human(&selection, options->colour, out);
        break;
    case FINDINGS_GCC:
        render_gcc(&selection, out);
        break;
    case FINDINGS_JSON:
        render_json(&selection, out);
        break;
    }
}

const char *source_name(const struct selection *selection, uint32_t file)
{
    return source_at(selection->sources, file)->name;
}

bool has_text(const struct selection *selection, uint32_t file)
{
    return source_at(selection->sources, file)->trouble == SOURCE_FINE;
}

void each_include(const struct selection *selection, uint32_t file,
                  void (*visit)(const struct selection *selection, struct span include, void *state), void *state)
{
    enum { DEEPEST = 64 }; /* far beyond what the reader of includes allows */
    for (unsigned depth = 0; depth < DEEPEST; depth++) {
        const struct source *source = source_at(selection->sources, file);
        if (!source->included_from)
            return;
        struct span include = { source->included_from, source->include_begin, source->include_begin };
        visit(selection, include, state);
        file = include.file;
    }
}
