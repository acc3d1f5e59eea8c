/* SPDX-License-Identifier: MIT
 *
 * `numac import`: domain XML as a site, in a folder with a base for each guest, or on standard output without them.
 */
#include "import/import.h"

#include <string.h>

#include "emit/emit.h"
#include "session.h"
#include "verbs.h"

static const uint32_t *read_files(struct session *session)
{
    const struct option_values *names = &session->options->arguments;
    uint32_t *files = arena_array(session->arena, uint32_t, names->count);
    for (size_t i = 0; i < names->count; i++)
        files[i] = sources_read_words(session->sources, names->list[i], IMPORT_BYTES_LIMIT);
    return files;
}

/* The site last: where it stands, its bases do. */
static void write_folder(struct session *session, const struct imported *imported, const char *folder,
                         const char *site_name)
{
    struct output *output = output_open_new(session->findings, folder);
    bool fine = output;
    for (uint32_t i = 0; fine && i < imported->count; i++)
        fine = output_add(output, imported->bases[i].file_name, imported->bases[i].text, imported->bases[i].length);
    fine = fine && output_add(output, site_name, imported->site->str, imported->site->len);
    if (fine)
        output_commit(output);
    else
        output_discard(output);
}

int verb_import(const struct options *options)
{
    struct session *session = session_open(options);
    struct syntax *syntax = syntax_new(session->sources, session->findings);
    bool is_yaml = options->to && strcmp(options->to, "yaml") == 0;
    bool has_folder = options->output && strcmp(options->output, "-") != 0;
    struct import_options import = {
        .notation = is_yaml ? NOTATION_YAML : NOTATION_NUMA,
        .with_bases = has_folder,
    };
    struct imported imported =
        import_guests(session->arena, syntax, read_files(session), options->arguments.count, &import);
    if (imported.site && has_folder)
        write_folder(session, &imported, options->output, is_yaml ? "site.yaml" : "site.numa");
    else if (imported.site)
        g_string_append_len(session->result, imported.site->str, (gssize)imported.site->len);
    if (imported.site)
        g_string_free(imported.site, TRUE);
    syntax_free(syntax);
    return session_close(session);
}
