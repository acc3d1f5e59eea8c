/* SPDX-License-Identifier: MIT
 *
 * `numac schema`: the JSON Schemas that are part of the program.
 */
#include <string.h>

#include "session.h"
#include "texts.h"
#include "verbs.h"

static const char suffix[] = ".schema.json";

static void refuse_unknown(struct session *session, const char *name)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (const struct embedded_text *text = embedded_texts; text->name; text++)
        if (g_str_has_suffix(text->name, suffix))
            g_string_append_printf(names, "%s'%.*s'", names->len ? ", " : "",
                                   (int)(strlen(text->name) - strlen(suffix)), text->name);
    struct finding *finding = session_misuse(session, "there is no schema '%s'", name);
    finding_help(session->findings, finding, "there are %s", names->str);
}

int verb_schema(const struct options *options)
{
    struct session *session = session_open(options);
    const char *name = options->arguments.count ? options->arguments.list[0] : "site";
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    const char *text = embedded_text(file);
    if (text)
        g_string_append(session->result, text);
    else
        refuse_unknown(session, name);
    return session_close(session);
}
