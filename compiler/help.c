/* SPDX-License-Identifier: MIT
 *
 * Help and versions, written from the tables of verbs and options.
 */
#include "help.h"

#include <hwloc.h>
#include <json-c/json_c_version.h>
#include <libxml/xmlversion.h>
#include <string.h>
#include <yaml.h>

#include "emit/emit.h"
#include "session.h"

static void append_targets(GString *out)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(rows[i].target, rows[i - 1].target) != 0)
            g_string_append_printf(out, "%s%s", i ? ", " : ": ", rows[i].target);
    g_string_append(out, " (all)");
}

static void append_option(GString *out, const struct verb *verb, const struct option_row *row)
{
    g_autofree char *spelling =
        g_strdup_printf("--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    char letter[] = "    ";
    if (row->letter) {
        letter[0] = '-';
        letter[1] = row->letter;
        letter[2] = ',';
    }
    g_string_append_printf(out, "  %s%-28s %s", letter, spelling, row->set & TAKES_OUTPUT ? verb->output : row->about);
    if (row->set & TAKES_TARGET)
        append_targets(out);
    g_string_append_c(out, '\n');
}

static void append_options(GString *out, const struct verb *verb, unsigned takes)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);
    for (size_t i = 0; i < count; i++)
        if (takes ? rows[i].set & takes : !rows[i].set)
            append_option(out, verb, &rows[i]);
}

static void append_examples(GString *out, const struct verb *verb, size_t most)
{
    for (size_t i = 0; i < most && i < G_N_ELEMENTS(verb->examples) && verb->examples[i]; i++)
        g_string_append_printf(out, "  %s\n", verb->examples[i]);
}

static void append_overview(GString *out)
{
    size_t count;
    const struct verb *verbs = verb_rows(&count);
    g_string_append(out, "numac compiles NUMA layouts of KVM guests.\n\n"
                         "Usage: numac VERB [OPTION]... [ARGUMENT]...\n\nVerbs:\n");
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(out, "  %-9s %s\n", verbs[i].name, verbs[i].about);
    g_string_append(out, "\nOptions of every verb:\n");
    append_options(out, NULL, 0);
    g_string_append(out, "\nExamples:\n");
    for (size_t i = 0; i < count; i++)
        append_examples(out, &verbs[i], 1);
    g_string_append(out,
                    "\nExit status:\n"
                    "  0  no finding at or above --fail-on\n"
                    "  1  findings at or above it, or differences\n"
                    "  2  a wrong command line, or input that cannot be read as text\n"
                    "  3  refused by an engine or a host\n"
                    "  70 a bug in numac\n"
                    "\n'numac help VERB' says more of a verb, 'man numac' of all, 'man 5 numac' of the language.\n");
}

static void append_verb(GString *out, const struct verb *verb)
{
    g_string_append_printf(out, "numac %s: %s.\n\nUsage: numac %s [OPTION]... %s\n", verb->name, verb->about,
                           verb->name, verb->arguments);
    if (verb->more)
        g_string_append_printf(out, "\n%s", verb->more);
    g_string_append(out, "\nOptions:\n");
    if (verb->takes)
        append_options(out, verb, verb->takes);
    append_options(out, verb, 0);
    g_string_append(out, "\nExamples:\n");
    append_examples(out, verb, G_N_ELEMENTS(verb->examples));
}

int show_help(const struct options *options, const struct verb *verb)
{
    struct session *session = session_open(options);
    if (verb)
        append_verb(session->result, verb);
    else
        append_overview(session->result);
    return session_close(session);
}

int verb_help(const struct options *options)
{
    if (!options->arguments.count)
        return show_help(options, NULL);
    const char *name = options->arguments.list[0];
    const struct verb *verb = verb_find(name);
    if (verb)
        return show_help(options, verb);
    struct session *session = session_open(options);
    struct finding *finding = session_misuse(session, "there is no verb '%s'", name);
    finding_help(session->findings, finding, "see 'numac --help'");
    return session_close(session);
}

int show_version(const struct options *options)
{
    struct session *session = session_open(options);
    g_string_append_printf(
        session->result,
        "numac " NUMAC_VERSION "\n"
        "glib %u.%u.%u\nhwloc " HWLOC_VERSION "\nlibyaml %s\nlibxml2 " LIBXML_DOTTED_VERSION "\njson-c %s\n",
        glib_major_version, glib_minor_version, glib_micro_version, yaml_get_version_string(), json_c_version());
    return session_close(session);
}
