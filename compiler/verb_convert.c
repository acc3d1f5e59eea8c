/* SPDX-License-Identifier: MIT
 *
 * `numac convert`: one file said in the other notation, comments kept.  What it includes is left as it is.
 */
#include <string.h>

#include "notation/notation.h"
#include "model/model.h"
#include "session.h"
#include "verbs.h"

/* Standard input has no name to tell its notation by, so it is the one that is not asked for. */
static struct tree *read_input(struct session *session, struct syntax *syntax, enum notation wanted)
{
    const char *name = session->options->arguments.list[0];
    uint32_t file = sources_read(session->sources, name, SITE_BYTES_LIMIT);
    const struct source *source = source_at(session->sources, file);
    bool is_stream = strcmp(name, "-") == 0 && source->trouble == SOURCE_FINE;
    struct tree *tree =
        is_stream && wanted == NOTATION_NUMA ? read_yaml(syntax, file, true) : read_tree(syntax, file, true);
    if (tree->is_yaml && !tree->failed)
        shape_tree(syntax, tree);
    return tree;
}

static void hand_over(struct session *session, GString *text)
{
    const char *output = session->options->output;
    if (!output || strcmp(output, "-") == 0) {
        g_string_append_len(session->result, text->str, (gssize)text->len);
        return;
    }
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents_full(output, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &error))
        report(session->findings, NM_not_rewritten, SPAN_NONE, "'%s' cannot be written: %s", output, error->message);
}

int verb_convert(const struct options *options)
{
    struct session *session = session_open(options);
    if (!options->to) {
        struct finding *finding = session_misuse(session, "'convert' is not told which notation to write");
        finding_help(session->findings, finding, "add '--to yaml' or '--to numa'");
        return session_close(session);
    }
    enum notation wanted = strcmp(options->to, "yaml") == 0 ? NOTATION_YAML : NOTATION_NUMA;
    struct syntax *syntax = syntax_new(session->sources, session->findings);
    struct tree *tree = read_input(session, syntax, wanted);
    GString *text = g_string_new(NULL);
    if (!tree->failed && write_notation(syntax, tree, wanted, text))
        hand_over(session, text);
    g_string_free(text, TRUE);
    syntax_free(syntax);
    return session_close(session);
}
