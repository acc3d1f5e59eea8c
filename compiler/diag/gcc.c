/* SPDX-License-Identifier: MIT
 *
 * One line for each finding and each thing it adds, as gcc writes them: what editors and make logs already parse.
 * A hint is a `note` that carries a code, since no parser knows a third level.
 */
#include "diag/findings.h"

static void append_place(const struct selection *selection, struct span span, GString *out)
{
    if (span.file) {
        struct position position = source_position(selection->sources, span.file, span.begin);
        append_shown(out, source_name(selection, span.file));
        g_string_append_printf(out, ":%u:%u: ", position.line, position.column);
    } else {
        g_string_append(out, "numac: ");
    }
}

static void append_line(const struct selection *selection, struct span span, const char *level, const char *text,
                        GString *out)
{
    append_place(selection, span, out);
    g_string_append(out, level);
    append_shown(out, text);
}

static void append_note(const struct selection *selection, struct span span, const char *level, const char *text,
                        GString *out)
{
    append_line(selection, span, level, text, out);
    g_string_append_c(out, '\n');
}

static void include_line(const struct selection *selection, struct span include, void *out)
{
    append_note(selection, include, "note: ", "included from here", out);
}

static void append_finding(const struct selection *selection, const struct finding *finding, GString *out)
{
    static const char *const levels[] = { [HINT] = "note: ", [WARNING] = "warning: ", [ERROR] = "error: " };
    append_line(selection, finding->span, levels[finding->severity], finding->message, out);
    g_string_append_printf(out, " [NM%04d]\n", (int)finding->code);
    if (finding->pointer)
        append_note(selection, finding->span, "note: ", finding->pointer, out);
    for (unsigned i = 0; i < finding->label_count; i++)
        append_note(selection, finding->labels[i].span, "note: ", finding->labels[i].text, out);
    for (unsigned i = 0; i < finding->note_count; i++)
        append_note(selection, finding->span, "note: ", finding->notes[i], out);
    for (unsigned i = 0; i < finding->help_count; i++)
        append_note(selection, finding->span, "note: help: ", finding->helps[i], out);
    each_include(selection, finding->span.file, include_line, out);
}

void render_gcc(const struct selection *selection, GString *out)
{
    for (size_t i = 0; i < selection->file_count; i++) {
        const struct file_findings *file = &selection->files[i];
        for (size_t j = 0; j < file->shown_count; j++)
            append_finding(selection, file->shown[j], out);
        if (!file->omitted)
            continue;
        append_place(selection, (struct span){ .file = file->file }, out);
        g_string_append_printf(out, "note: and %zu more\n", file->omitted);
    }
}
