/* SPDX-License-Identifier: MIT
 *
 * `numac schema`: the JSON Schemas that are part of the program, and that of sites, which is made of the vocabulary.
 */
#include <string.h>

#include "notation/notation.h"
#include "session.h"
#include "texts.h"
#include "verbs.h"

static const char suffix[] = ".schema.json";

static void refuse_unknown(struct session *session, const char *name)
{
    g_autoptr(GString) names = g_string_new("'site'");
    for (const struct embedded_text *text = embedded_texts; text->name; text++)
        if (g_str_has_suffix(text->name, suffix))
            g_string_append_printf(names, ", '%.*s'", (int)(strlen(text->name) - strlen(suffix)), text->name);
    struct finding *finding = session_misuse(session, "there is no schema '%s'", name);
    finding_help(session->findings, finding, "there are %s", names->str);
}

static const struct made_text {
    const char *name;
    void (*write)(GString *out);
} made_texts[] = {
    { .name = "site", .write = write_site_schema },
    /* for docs/language.md; no schemas, so not in help */
    { .name = "language-tables", .write = write_language_tables },
    { .name = "architecture-table", .write = write_architecture_table },
};

static bool write_made(struct session *session, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(made_texts); i++)
        if (strcmp(made_texts[i].name, name) == 0) {
            made_texts[i].write(session->result);
            return true;
        }
    return false;
}

int verb_schema(const struct options *options)
{
    struct session *session = session_open(options);
    const char *name = options->arguments.count ? options->arguments.list[0] : "site";
    if (write_made(session, name))
        return session_close(session);
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    const char *text = embedded_text(file);
    if (text)
        g_string_append(session->result, text);
    else
        refuse_unknown(session, name);
    return session_close(session);
}
