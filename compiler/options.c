/* SPDX-License-Identifier: MIT
 *
 * Takes the command line apart by a table of options.  A long option may hold its value behind "=", a short one
 * behind its letter; "--" ends the options; "-" alone is an argument.  Names are never shortened.
 */
#include "options.h"

#include <string.h>

#include "verbs.h"

/* ---- what is wrong: only the first is kept ---------------------------------------------------------------------- */

G_GNUC_PRINTF(2, 3)
static void mistake(struct options *options, const char *format, ...)
{
    if (options->mistake)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    options->mistake = arena_string(options->arena, text, strlen(text));
}

struct words { /* a state for nearest_name() */
    const char *const *list;
    size_t count, at;
};

static const char *next_word(void *state)
{
    struct words *words = state;
    return words->at < words->count ? words->list[words->at++] : NULL;
}

/* Gives the cure of the mistake that is made next. */
static const char *did_you_mean(struct options *options, const char *wrong, const char *const *list, size_t count,
                                const char *dashes)
{
    struct words words = { .list = list, .count = count };
    const char *near = nearest_name(wrong, strlen(wrong), next_word, &words);
    return near ? arena_printf(options->arena, "did you mean '%s%s'?", dashes, near) : NULL;
}

static const char *see_help(struct options *options)
{
    return options->verb ? arena_printf(options->arena, "see 'numac help %s'", options->verb->name)
                         : "see 'numac --help'";
}

static void refuse(struct options *options, const char *what, const char *cure)
{
    if (options->mistake)
        return;
    mistake(options, "%s", what);
    options->cure = cure ? cure : see_help(options);
}

/* ---- taking values ---------------------------------------------------------------------------------------------- */

static size_t choose(struct options *options, const struct option_row *row, const char *value, const char *const *words,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], value) == 0)
            return i;
    const char *cure = did_you_mean(options, value, words, count, "");
    refuse(options, arena_printf(options->arena, "'--%s' cannot be '%s'", row->name, value),
           cure ? cure : arena_printf(options->arena, "write '--%s' with %s", row->name, row->value));
    return 0;
}

static void take_format(struct options *options, const struct option_row *row, const char *value)
{
    static const char *const words[] = { [FINDINGS_HUMAN] = "human", [FINDINGS_GCC] = "gcc", [FINDINGS_JSON] = "json" };
    options->format = (enum finding_format)choose(options, row, value, words, G_N_ELEMENTS(words));
}

static void take_fail_on(struct options *options, const struct option_row *row, const char *value)
{
    static const char *const words[] = { [HINT] = "hint", [WARNING] = "warning", [ERROR] = "error" };
    options->fail_on = (enum severity)choose(options, row, value, words, G_N_ELEMENTS(words));
}

static void take_colour(struct options *options, const struct option_row *row, const char *value)
{
    static const char *const words[] = { [COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never" };
    options->colour = (enum colour_choice)choose(options, row, value, words, G_N_ELEMENTS(words));
}

/* An option that says one thing: saying it again would drop the first in silence. */
static void take_once(struct options *options, const struct option_row *row, const char **place, const char *value)
{
    if (*place)
        refuse(options, arena_printf(options->arena, "'--%s' is given twice", row->name), "keep one of them");
    if (!*value)
        refuse(options, arena_printf(options->arena, "the value of '--%s' is empty", row->name), NULL);
    *place = value;
}

static void take_output(struct options *options, const struct option_row *row, const char *value)
{
    take_once(options, row, &options->output, value);
}

static void take_to(struct options *options, const struct option_row *row, const char *value)
{
    static const char *const words[] = { "yaml", "numa" };
    choose(options, row, value, words, G_N_ELEMENTS(words));
    take_once(options, row, &options->to, value);
}

/* Room for twice as many whenever a power of two is full. */
static void *grown(struct arena *arena, void *list, size_t count, size_t each)
{
    if (count & (count - 1))
        return list;
    void *more = arena_alloc(arena, (count ? count * 2 : 1) * each);
    if (count)
        memcpy(more, list, count * each);
    return more;
}

static void add_value(struct options *options, struct option_values *values, const char *value)
{
    values->list = grown(options->arena, values->list, values->count, sizeof *values->list);
    values->list[values->count++] = value;
}

static void take_target(struct options *options, const struct option_row *row, const char *value)
{
    g_auto(GStrv) names = g_strsplit(value, ",", -1);
    for (char **name = names; *name; name++) {
        if (!**name)
            refuse(options, arena_printf(options->arena, "'--%s %s' holds an empty name", row->name, value), NULL);
        add_value(options, &options->targets, arena_string(options->arena, *name, strlen(*name)));
    }
    if (!names[0])
        refuse(options, arena_printf(options->arena, "the value of '--%s' is empty", row->name), NULL);
}

static void take_include(struct options *options, const struct option_row *row, const char *value)
{
    if (!*value)
        refuse(options, arena_printf(options->arena, "the value of '--%s' is empty", row->name), NULL);
    add_value(options, &options->include_folders, value);
}

static void add_binding(struct options *options, struct option_bindings *bindings, const char *written,
                        const struct option_row *row, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        refuse(options, arena_printf(options->arena, "'%s %s' has no name and '='", written, text),
               arena_printf(options->arena, "write '%s %s'", written, row->value));
        return;
    }
    const char *name = arena_string(options->arena, text, (size_t)(equals - text));
    for (size_t i = 0; i < bindings->count; i++)
        if (strcmp(bindings->list[i].name, name) == 0)
            refuse(options, arena_printf(options->arena, "'%s' is given '%s' twice", written, name),
                   "keep one of them");
    bindings->list = grown(options->arena, bindings->list, bindings->count, sizeof *bindings->list);
    bindings->list[bindings->count++] = (struct binding){
        .name = name, .value = equals + 1, .text = arena_printf(options->arena, "%s %s", written, text)
    };
}

static void take_host(struct options *options, const struct option_row *row, const char *value)
{
    if (g_str_has_suffix(value, "="))
        refuse(options, arena_printf(options->arena, "'--host %s' names no source", value), NULL);
    add_binding(options, &options->hosts, "--host", row, value);
}

static void take_definition(struct options *options, const struct option_row *row, const char *value)
{
    add_binding(options, &options->definitions, "-D", row, value);
}

static void take_engine(struct options *options, const struct option_row *row, const char *value)
{
    static const char *const words[] = { "embed", "libvirt", "qemu" };
    choose(options, row, value, words, G_N_ELEMENTS(words));
    take_once(options, row, &options->engine, value);
}

static void take_connect(struct options *options, const struct option_row *row, const char *value)
{
    take_once(options, row, &options->connect, value);
}

enum { PID_DIGITS = 7 };

static void take_pid(struct options *options, const struct option_row *row, const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (value[digits] || !digits || digits > PID_DIGITS || *value == '0')
        refuse(options, arena_printf(options->arena, "'--pid %s' is no number of a process", value),
               "'pgrep -a qemu' shows those of QEMU");
    take_once(options, row, &options->pid, value);
}

/* An option without a value: the flag it sets. */
static void take_flag(struct options *options, const struct option_row *row, G_GNUC_UNUSED const char *value)
{
    G_STRUCT_MEMBER(bool, options, row->flag) = true;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const struct option_row rows[] = {
    { .name = "output",
      .letter = 'o',
      .value = "DIR",
      .set = TAKES_OUTPUT,
      .take = take_output,
      .about = "" }, /* differs by verb */
    { .name = "target", .value = "NAME,...", .set = TAKES_TARGET, .take = take_target, .about = "what to write" },
    { .name = "host",
      .value = "NAME=SOURCE",
      .set = TAKES_HOST,
      .take = take_host,
      .about = "facts of a host: live, a file, a folder, synthetic:TEXT" },
    { .name = "define",
      .letter = 'D',
      .value = "NAME=VALUE",
      .set = TAKES_DEFINITION,
      .take = take_definition,
      .about = "value of a variable" },
    { .name = "allow-include",
      .value = "DIR",
      .set = TAKES_INCLUDE,
      .take = take_include,
      .about = "folder outside the site's that includes may reach" },
    { .name = "check",
      .set = TAKES_CHECK,
      .take = take_flag,
      .flag = offsetof(struct options, check),
      .about = "write nothing, exit 1 if a file would change" },
    { .name = "diff",
      .set = TAKES_DIFF,
      .take = take_flag,
      .flag = offsetof(struct options, diff),
      .about = "write nothing, show what would change" },
    { .name = "to",
      .value = "yaml|numa",
      .set = TAKES_TO,
      .take = take_to,
      .about = "the notation to write (import: numa)" },
    { .name = "engine",
      .value = "embed|libvirt|qemu",
      .set = TAKES_ENGINE,
      .take = take_engine,
      .about = "who runs guests: libvirt inside numac (embed), its daemon, QEMU" },
    { .name = "connect",
      .value = "URI",
      .set = TAKES_CONNECT,
      .take = take_connect,
      .about = "the libvirt daemon, such as qemu:///system; else that of the host" },
    { .name = "detach",
      .letter = 'd',
      .set = TAKES_RUN,
      .take = take_flag,
      .flag = offsetof(struct options, detach),
      .about = "do not stay with the guest's console" },
    { .name = "dry-run",
      .set = TAKES_RUN,
      .take = take_flag,
      .flag = offsetof(struct options, dry_run),
      .about = "show the steps, do nothing" },
    { .name = "reserve-pages",
      .set = TAKES_RUN,
      .take = take_flag,
      .flag = offsetof(struct options, reserve_pages),
      .about = "add huge pages that are missing, while the guest runs" },
    { .name = "pid",
      .value = "PID",
      .set = TAKES_PID,
      .take = take_pid,
      .about = "QEMU's process, of a guest that numac did not start" },
    { .name = "repair",
      .set = TAKES_REPAIR,
      .take = take_flag,
      .flag = offsetof(struct options, repair),
      .about = "put threads and pages back to where they belong" },
    { .name = "watch",
      .set = TAKES_WATCH,
      .take = take_flag,
      .flag = offsetof(struct options, watch),
      .about = "show it again every two seconds" },
    { .name = "yes",
      .set = TAKES_YES,
      .take = take_flag,
      .flag = offsetof(struct options, yes),
      .about = "do not ask" },
    { .name = "format",
      .value = "human|gcc|json",
      .take = take_format,
      .about = "form of findings; plan and host print JSON too (human)" },
    { .name = "fail-on",
      .value = "error|warning|hint",
      .take = take_fail_on,
      .about = "gravity that makes the exit status 1 (error)" },
    { .name = "color", .value = "auto|always|never", .take = take_colour, .about = "colours (auto)" },
    { .name = "help",
      .letter = 'h',
      .take = take_flag,
      .flag = offsetof(struct options, wants_help),
      .about = "show help" },
    { .name = "version",
      .letter = 'V',
      .take = take_flag,
      .flag = offsetof(struct options, wants_version),
      .about = "show the versions of numac and its libraries" },
};

const struct option_row *option_rows(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(rows);
    return rows;
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

static bool belongs(const struct options *options, const struct option_row *row)
{
    return !row->set || !options->verb || (options->verb->takes & row->set);
}

static void refuse_unknown(struct options *options, const char *word, size_t length)
{
    const char *names[G_N_ELEMENTS(rows)];
    size_t count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (belongs(options, &rows[i]))
            names[count++] = rows[i].name;
    const char *name = arena_string(options->arena, word + 2, length - 2);
    refuse(options, arena_printf(options->arena, "there is no option '--%s'", name),
           did_you_mean(options, name, names, count, "--"));
}

static void take(struct options *options, const struct option_row *row, const char *value)
{
    row->take(options, row, value);
    if (!belongs(options, row))
        refuse(options, arena_printf(options->arena, "'%s' takes no '--%s'", options->verb->name, row->name), NULL);
}

/* Both give how many words behind this one were used up. */
static int take_long(struct options *options, char **words)
{
    const char *equals = strchr(words[0], '=');
    size_t length = equals ? (size_t)(equals - words[0]) : strlen(words[0]);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strlen(rows[i].name) != length - 2 || strncmp(rows[i].name, words[0] + 2, length - 2) != 0)
            continue;
        if (!rows[i].value && equals)
            refuse(options, arena_printf(options->arena, "'--%s' takes no value", rows[i].name), NULL);
        if (!rows[i].value || equals) {
            take(options, &rows[i], equals ? equals + 1 : NULL);
            return 0;
        }
        if (!words[1]) {
            refuse(options, arena_printf(options->arena, "'--%s' has no value", rows[i].name),
                   arena_printf(options->arena, "write '--%s %s'", rows[i].name, rows[i].value));
            return 0;
        }
        take(options, &rows[i], words[1]);
        return 1;
    }
    refuse_unknown(options, words[0], length);
    return 0;
}

static int take_short(struct options *options, char **words)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].letter || rows[i].letter != words[0][1])
            continue;
        if (!rows[i].value && words[0][2])
            refuse(options, arena_printf(options->arena, "'-%c' takes no value", rows[i].letter), NULL);
        if (!rows[i].value || words[0][2]) {
            take(options, &rows[i], words[0] + 2);
            return 0;
        }
        if (!words[1]) {
            refuse(options, arena_printf(options->arena, "'-%c' has no value", rows[i].letter),
                   arena_printf(options->arena, "write '-%c %s'", rows[i].letter, rows[i].value));
            return 0;
        }
        take(options, &rows[i], words[1]);
        return 1;
    }
    refuse(options, arena_printf(options->arena, "there is no option '%s'", words[0]), NULL);
    return 0;
}

/* Finds the verb before the options are taken, since options may stand before it and are judged by it. */
static void find_verb(struct options *options, char **words, int verb_at)
{
    if (!words[verb_at])
        return;
    options->verb = verb_find(words[verb_at]);
    if (options->verb)
        return;
    size_t count;
    const struct verb *verbs = verb_rows(&count);
    g_autofree const char **names = g_new(const char *, count);
    for (size_t i = 0; i < count; i++)
        names[i] = verbs[i].name;
    refuse(options, arena_printf(options->arena, "there is no verb '%s'", words[verb_at]),
           did_you_mean(options, words[verb_at], names, count, ""));
}

/* The place of the first word that is neither an option nor the value of one, or of the end. */
static int verb_place(char **words)
{
    int at = 1;
    for (; words[at]; at++) {
        if (words[at][0] != '-' || !words[at][1])
            return at;
        if (strcmp(words[at], "--") == 0)
            return words[at + 1] ? at + 1 : at;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            bool is_long = words[at][1] == '-' && strcmp(words[at] + 2, rows[i].name) == 0;
            bool is_short = words[at][1] == rows[i].letter && !words[at][2];
            if (rows[i].value && (is_long || is_short) && words[at + 1]) {
                at++;
                break;
            }
        }
    }
    return at;
}

static void take_words(struct options *options, char **words, int verb_at)
{
    bool only_arguments = false;
    for (int at = 1; words[at]; at++) {
        if (only_arguments || words[at][0] != '-' || !words[at][1]) {
            if (at != verb_at)
                add_value(options, &options->arguments, words[at]);
        } else if (strcmp(words[at], "--") == 0) {
            only_arguments = true;
        } else if (words[at][1] == '-') {
            at += take_long(options, words + at);
        } else {
            at += take_short(options, words + at);
        }
    }
}

static void judge_arguments(struct options *options)
{
    const struct verb *verb = options->verb;
    size_t count = options->arguments.count;
    if (!verb) {
        refuse(options, "no verb is given", NULL);
    } else if (count > verb->most) {
        const char *extra = options->arguments.list[verb->most];
        refuse(options, arena_printf(options->arena, "'%s' has no use for '%s'", verb->name, extra), NULL);
    } else if (count < verb->fewest || ((verb->takes & NEEDS_TO) == NEEDS_TO && !options->to)) {
        refuse(options, arena_printf(options->arena, "'%s' wants %s", verb->name, verb->arguments), NULL);
    }
}

void options_parse(struct options *options, struct arena *arena, int argc, char **argv)
{
    *options = (struct options){ .arena = arena, .fail_on = ERROR };
    if (argc < 1) { /* an empty argv is allowed by the kernel */
        refuse(options, "no verb is given", NULL);
        return;
    }
    int verb_at = verb_place(argv);
    find_verb(options, argv, verb_at);
    take_words(options, argv, verb_at);
    if (!options->wants_help && !options->wants_version)
        judge_arguments(options);
}

const char *host_source(const char *text, bool *out_is_synthetic)
{
    static const char prefix[] = "synthetic:";
    *out_is_synthetic = g_str_has_prefix(text, prefix);
    return *out_is_synthetic ? text + strlen(prefix) : text;
}
