/* SPDX-License-Identifier: MIT
 *
 * `numac fmt`: files in the one layout of their notation, in place; or only told of.
 */
#include <string.h>

#include "notation/notation.h"
#include "model/model.h"
#include "session.h"
#include "verbs.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* The file as it is: without its byte order mark it would be another one. */
static GString *text_as_read(const struct source *source)
{
    GString *text = g_string_new(source->has_byte_order_mark ? byte_order_mark : NULL);
    return g_string_append_len(text, source->text, source->length);
}

/* NULL: something was reported. */
static GString *formatted(struct session *session, uint32_t file)
{
    struct syntax *syntax = syntax_new(session->sources, session->findings);
    GString *out = g_string_new(NULL);
    struct tree *tree = read_tree(syntax, file, true);
    if (tree->is_yaml && !tree->failed)
        shape_tree(syntax, tree);
    bool fine = !tree->failed && write_notation(syntax, tree, tree->is_yaml ? NOTATION_YAML : NOTATION_NUMA, out);
    syntax_free(syntax);
    if (fine)
        return out;
    g_string_free(out, TRUE);
    return NULL;
}

static void hand_over(struct session *session, const char *name, const GString *old, const GString *new)
{
    const struct options *options = session->options;
    struct text old_text = { old->str, old->len }, new_text = { new->str, new->len };
    bool differs = !g_string_equal(old, new), is_stream = strcmp(name, "-") == 0;
    if (options->check || options->diff) {
        if (!differs)
            return;
        session->status = MAX(session->status, STATUS_FINDINGS);
        if (options->diff)
            write_line_diff(name, old_text, new_text, session->result);
        else
            g_string_append_printf(session->result, "%s\n", name);
    } else if (is_stream) {
        g_string_append_len(session->result, new->str, (gssize) new->len);
    } else if (differs) {
        rewrite_file(session->findings, name, new_text);
    }
}

static void format_file(struct session *session, const char *name)
{
    uint32_t file = sources_read(session->sources, name, SITE_BYTES_LIMIT);
    GString *old = text_as_read(source_at(session->sources, file));
    GString *new = formatted(session, file);
    if (new) {
        hand_over(session, name, old, new);
        g_string_free(new, TRUE);
    }
    g_string_free(old, TRUE);
}

int verb_fmt(const struct options *options)
{
    struct session *session = session_open(options);
    for (size_t i = 0; i < options->arguments.count; i++)
        format_file(session, options->arguments.list[i]);
    return session_close(session);
}
