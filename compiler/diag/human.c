/* SPDX-License-Identifier: MIT
 *
 * Findings for people: header, place, snippet, notes, cures, and a closing line with the counts.  The snippet itself
 * is drawn in snippet.c.
 */
#include "diag/findings.h"

static const char *const escapes[] = {
    [STYLE_PLAIN] = "",           [STYLE_BOLD] = "\033[1m",       [STYLE_GUTTER] = "\033[1;34m",
    [STYLE_ERROR] = "\033[1;31m", [STYLE_WARNING] = "\033[1;33m", [STYLE_HINT] = "\033[1;36m",
};

void paint_begin(const struct paint *paint, enum style style)
{
    if (paint->colour && style != STYLE_PLAIN)
        g_string_append(paint->out, escapes[style]);
}

void paint_end(const struct paint *paint, enum style style)
{
    if (paint->colour && style != STYLE_PLAIN)
        g_string_append(paint->out, "\033[0m");
}

enum style severity_style(enum severity severity)
{
    static const enum style styles[] = { [HINT] = STYLE_HINT, [WARNING] = STYLE_WARNING, [ERROR] = STYLE_ERROR };
    return styles[severity];
}

static void append_header(const struct paint *paint, const struct finding *finding)
{
    enum style style = severity_style(finding->severity);
    paint_begin(paint, style);
    g_string_append_printf(paint->out, "%s[NM%04d]", severity_word(finding->severity), (int)finding->code);
    paint_end(paint, style);
    paint_begin(paint, STYLE_BOLD);
    g_string_append(paint->out, ": ");
    append_shown(paint->out, finding->message);
    paint_end(paint, STYLE_BOLD);
    g_string_append_c(paint->out, '\n');
}

static void append_finding(const struct paint *paint, const struct selection *selection, const struct finding *finding)
{
    if (paint->out->len)
        g_string_append_c(paint->out, '\n');
    append_header(paint, finding);
    append_snippet(paint, selection, finding);
}

static void append_count(GString *out, size_t count, const char *word, const char **separator)
{
    if (!count)
        return;
    g_string_append_printf(out, "%s%zu %s%s", *separator, count, word, count == 1 ? "" : "s");
    *separator = ", ";
}

/* "2 errors, 1 warning, 3 accepted in site.numa"; nothing where no file is spoken of, as after a mistake on the command
 * line */
static void append_summary(const struct selection *selection, GString *out)
{
    const char *separator = out->len ? "\n" : "";
    size_t named = 0;
    uint32_t file = 0;
    for (size_t i = 0; i < selection->file_count; i++)
        if (selection->files[i].file) {
            file = selection->files[i].file;
            named++;
        }
    if (!named && !selection->accepted_count)
        return;
    for (int severity = ERROR; severity >= HINT; severity--)
        append_count(out, selection->counts[severity], severity_word((enum severity)severity), &separator);
    if (selection->accepted_count)
        g_string_append_printf(out, "%s%zu accepted", separator, selection->accepted_count);
    if (named == 1) {
        g_string_append(out, " in ");
        append_shown(out, source_name(selection, file));
    } else if (named) {
        g_string_append_printf(out, " in %zu files", named);
    }
    g_string_append_c(out, '\n');
}

void render_human(const struct selection *selection, bool colour, GString *out)
{
    const struct paint paint = { .out = out, .colour = colour };
    for (size_t i = 0; i < selection->file_count; i++) {
        const struct file_findings *file = &selection->files[i];
        for (size_t j = 0; j < file->shown_count; j++)
            append_finding(&paint, selection, file->shown[j]);
        if (!file->omitted)
            continue;
        g_string_append_printf(out, "\n… and %zu more", file->omitted);
        if (file->file) {
            g_string_append(out, " in ");
            append_shown(out, source_name(selection, file->file));
        }
        g_string_append_c(out, '\n');
    }
    append_summary(selection, out);
}
