/* SPDX-License-Identifier: MIT
 *
 * Where QEMU's command lines begin and end among the words of a file, and what stands in front of its program:
 * assignments, and programs that run another one, of which taskset and numactl say where the guest lives.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <string.h>

enum wrapper_kind { RUNS, TASKSET, NUMACTL, CHRT };

/* A program that runs what stands behind its own options and arguments. */
struct wrapper {
    const char *name;
    enum wrapper_kind kind;
    const char *letters;      /* of short options with a value */
    const char *const *words; /* long options with a value */
    unsigned arguments;       /* before the command */
};

struct wrapper_option {
    const char *letters; /* of a short one */
    const char *word;    /* of a long one */
    const char *value;   /* NULL: none */
    const struct argv_word *at;
};

static const char *const nothing[] = { NULL };
static const char *const of_numactl[] = { "membind",
                                          "interleave",
                                          "preferred",
                                          "preferred-many",
                                          "weighted-interleave",
                                          "cpunodebind",
                                          "physcpubind",
                                          "cpubind",
                                          "shm",
                                          "file",
                                          "length",
                                          "offset",
                                          "shmmode",
                                          NULL };
static const char *const of_chrt[] = { "sched-runtime", "sched-period", "sched-deadline", NULL };
static const char *const of_nice[] = { "adjustment", "class", "classdata", NULL };
static const char *const of_sudo[] = { "user", "group", "host", "prompt", "chdir", "unset", NULL };

static const char *const of_systemd_run[] = { "property", "description",  "unit",   "slice",
                                              "uid",      "gid",          "nice",   "host",
                                              "machine",  "service-type", "setenv", "working-directory",
                                              NULL };

static const struct wrapper wrappers[] = {
    { "if", RUNS, "", nothing, 0 }, /* words of a shell, behind which a command begins */
    { "then", RUNS, "", nothing, 0 },
    { "else", RUNS, "", nothing, 0 },
    { "do", RUNS, "", nothing, 0 },
    { "!", RUNS, "", nothing, 0 },
    { "{", RUNS, "", nothing, 0 },
    { "env", RUNS, "uCS", of_sudo, 0 },
    { "exec", RUNS, "a", nothing, 0 },
    { "command", RUNS, "", nothing, 0 },
    { "nohup", RUNS, "", nothing, 0 },
    { "setsid", RUNS, "", nothing, 0 },
    { "time", RUNS, "of", nothing, 0 },
    { "sudo", RUNS, "ughpCT", of_sudo, 0 },
    { "doas", RUNS, "uC", nothing, 0 },
    { "nice", RUNS, "n", of_nice, 0 },
    { "ionice", RUNS, "cn", of_nice, 0 },
    { "stdbuf", RUNS, "ioe", nothing, 0 },
    { "timeout", RUNS, "ks", nothing, 1 },
    { "cgexec", RUNS, "g", nothing, 0 },
    { "systemd-run", RUNS, "pEuHM", of_systemd_run, 0 },
    { "prlimit", RUNS, "", nothing, 0 },
    { "strace", RUNS, "oepsaEPuX", nothing, 0 },
    { "chrt", CHRT, "TPD", of_chrt, 1 },
    { "taskset", TASKSET, "", nothing, 1 },
    { "numactl", NUMACTL, "mipPwNCSLoMf", of_numactl, 0 },
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_assignment(const char *text)
{
    const char *at = text;
    while (g_ascii_isalnum(*at) || *at == '_')
        at++;
    return at > text && *at == '=' && !g_ascii_isdigit(*text);
}

static bool is_qemu(const char *path)
{
    const char *name = base_name(path);
    if (is_assignment(path) || strpbrk(name, " \t\n"))
        return false; /* QEMU=/usr/bin/qemu-system-x86_64 runs nothing */
    return g_str_has_prefix(name, "qemu-system-") || strcmp(name, "qemu-kvm") == 0 || strcmp(name, "kvm") == 0 ||
           strcmp(name, "qemu") == 0;
}

static const struct wrapper *find_wrapper(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrappers); i++)
        if (strcmp(base_name(path), wrappers[i].name) == 0)
            return &wrappers[i];
    return NULL;
}

/* ---- options of wrappers ---------------------------------------------------------------------------------------- */

static void long_option(const struct wrapper *wrapper, struct wrapper_option *option, bool *out_takes_next)
{
    const char *equals = strchr(option->word, '=');
    option->value = equals ? equals + 1 : NULL;
    for (const char *const *word = wrapper->words; *word && !equals; word++)
        *out_takes_next |= strcmp(option->word, *word) == 0;
}

/* "-ac": the first letter that takes a value has the rest of the word, or the next word. */
static void short_option(const struct wrapper *wrapper, struct wrapper_option *option, bool *out_takes_next)
{
    const char *with_value = strpbrk(option->letters, *wrapper->letters ? wrapper->letters : "-");
    if (!with_value)
        return;
    option->value = with_value[1] ? with_value + 1 : NULL;
    option->letters = with_value;
    *out_takes_next = !with_value[1];
}

/* The option at *at, which moves behind it and its value; false where there is none. */
static bool next_option(const struct wrapper *wrapper, const struct argv_word *words, uint32_t *at, uint32_t end,
                        struct wrapper_option *out)
{
    if (*at >= end || words[*at].text[0] != '-' || !words[*at].text[1])
        return false;
    const struct argv_word *word = &words[(*at)++];
    bool is_long = word->text[1] == '-', takes_next = false;
    if (is_long && !word->text[2])
        return false;
    *out = (struct wrapper_option){ .at = word, .letters = is_long ? "" : word->text + 1, .word = "" };
    if (is_long) {
        out->word = word->text + 2;
        long_option(wrapper, out, &takes_next);
    } else {
        short_option(wrapper, out, &takes_next);
    }
    if (takes_next && *at < end) {
        out->at = &words[(*at)++];
        out->value = out->at->text;
    }
    return true;
}

/* The place of QEMU's program among the words of a line, or `end` where the line runs something else. */
static uint32_t find_program(const struct argv_word *words, uint32_t at, uint32_t end)
{
    while (at < end) {
        const struct wrapper *wrapper = find_wrapper(words[at].text);
        struct wrapper_option option;
        if (is_qemu(words[at].text))
            return at;
        if (!wrapper && !is_assignment(words[at].text))
            return end;
        at++;
        while (wrapper && next_option(wrapper, words, &at, end, &option))
            ;
        at += wrapper ? wrapper->arguments : 0;
    }
    return end;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

struct finder {
    const struct argv_word *words;
    uint32_t count;
    struct argv_word first_foreign;
    uint32_t foreign;
};

static uint32_t line_end(const struct finder *finder, uint32_t at)
{
    do
        at++;
    while (at < finder->count && !finder->words[at].begins_line);
    return at;
}

static bool goes_on(const struct finder *finder, uint32_t at)
{
    return at < finder->count && !finder->words[at].begins_statement;
}

/* A command goes on in lines that begin with an option; where its program ends a line, each line is a word of it. */
static uint32_t command_end(const struct finder *finder, uint32_t program, uint32_t end)
{
    bool word_a_line = program + 1 == end && goes_on(finder, end) && finder->words[end].text[0] == '-';
    while (goes_on(finder, end) && (word_a_line || finder->words[end].text[0] == '-'))
        end = line_end(finder, end);
    return end;
}

static uint32_t skip_assignments(const struct finder *finder, uint32_t at, uint32_t end)
{
    while (at < end && is_assignment(finder->words[at].text))
        at++;
    return at;
}

static bool refuse_foreign(struct syntax *syntax, uint32_t file, const struct finder *finder)
{
    struct finding *finding =
        finder->foreign
            ? report(syntax->findings, NM_argv_program, argv_word_span(file, &finder->first_foreign),
                     "'%.40s' is no program of QEMU", finder->first_foreign.text)
            : report(syntax->findings, NM_argv_program, (struct span){ .file = file }, "the file holds no guest");
    finding_note(syntax->findings, finding,
                 "what does not begin with '<' is read as a command line, whose program is qemu-system-ARCH, qemu-kvm "
                 "or kvm");
    finding_help(syntax->findings, finding,
                 "give the XML of a guest, as 'virsh dumpxml --inactive GUEST' prints it, or the command line that "
                 "runs it");
    return false;
}

static void tell_foreign(struct syntax *syntax, uint32_t file, const struct finder *finder)
{
    struct finding *finding = report(syntax->findings, NM_argv_left_out, argv_word_span(file, &finder->first_foreign),
                                     "left out: '%.40s'", finder->first_foreign.text);
    if (finder->foreign > 1)
        finding_note(syntax->findings, finding, "and %u more that run something else than QEMU", finder->foreign - 1);
}

bool argv_find_commands(struct syntax *syntax, uint32_t file, const struct argv_word *words, uint32_t count,
                        GArray *commands)
{
    struct finder finder = { .words = words, .count = count };
    guint before = commands->len;
    for (uint32_t at = 0; at < finder.count;) {
        uint32_t end = line_end(&finder, at), program = find_program(finder.words, at, end);
        uint32_t first = skip_assignments(&finder, at, end);
        if (program < end) {
            end = command_end(&finder, program, end);
            struct argv_command command = { .file = file,
                                            .words = finder.words + at,
                                            .count = end - at,
                                            .program = program - at,
                                            .number = commands->len - before };
            g_array_append_val(commands, command);
        } else if (first < end && !finder.foreign++) {
            finder.first_foreign = finder.words[first];
        }
        at = end;
    }
    if (commands->len == before)
        return refuse_foreign(syntax, file, &finder);
    if (finder.foreign)
        tell_foreign(syntax, file, &finder);
    return true;
}

/* ---- where the guest lives -------------------------------------------------------------------------------------- */

static struct span span_of(const struct argv_guest *guest, const struct argv_word *word)
{
    return argv_word_span(guest->command->file, word);
}

static void refuse_set(struct argv_guest *guest, const struct argv_word *word, const char *value, const char *program)
{
    argv_refuse(guest, span_of(guest, word), "write numbers and ranges joined by commas: '0-3,8'",
                "'%.40s' is no set that '%s' takes", value, program);
}

/* "0-31:2" counts in steps.  A list that names each CPU once never sets more than there can be. */
static const char *stepped_set(struct arena *arena, const char *text)
{
    g_auto(GStrv) terms = g_strsplit(text, ",", IDS_LIMIT + 1);
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    bool fine = terms[0];
    uint32_t left = IDS_LIMIT + 1;
    for (char **term = terms; *term && fine; term++) {
        g_auto(GStrv) parts = g_strsplit(*term, ":", 3);
        const struct ids *ids = text_set(arena, parts[0] ? parts[0] : "");
        uint64_t step = 1;
        fine = ids && (!parts[1] || (!parts[2] && text_number(parts[1], &step) && step));
        for (uint64_t cpu = fine ? ids_first(ids) : 0; fine && cpu <= ids_last(ids); cpu += step, fine = left-- > 0)
            hwloc_bitmap_set(set, (unsigned)cpu);
    }
    const struct ids *all = fine ? ids_from_bitmap(arena, set) : NULL;
    hwloc_bitmap_free(set);
    return all && all->count ? ids_text(arena, all) : NULL;
}

static const char *mask_set(struct arena *arena, const char *text)
{
    const char *digits = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X") ? text + 2 : text;
    size_t length = strlen(digits);
    if (!length || length > (IDS_LIMIT + 1u) / 4 || strspn(digits, "0123456789abcdefABCDEF") != length)
        return NULL;
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    g_autofree char *mask = g_strconcat("0x", digits, NULL);
    const struct ids *ids = hwloc_bitmap_taskset_sscanf(set, mask) == 0 ? ids_from_bitmap(arena, set) : NULL;
    hwloc_bitmap_free(set);
    return ids && ids->count ? ids_text(arena, ids) : NULL;
}

/* What the programs say, the last one last. */
struct place {
    const char *cpus, *nodes, *policy; /* NULL: nothing */
};

static void read_taskset(struct argv_guest *guest, uint32_t at, uint32_t end, const struct wrapper *wrapper,
                         struct place *place)
{
    const struct argv_word *words = guest->command->words;
    struct wrapper_option option;
    bool is_list = false;
    while (next_option(wrapper, words, &at, end, &option))
        is_list |= strchr(option.letters, 'c') || strcmp(option.word, "cpu-list") == 0;
    if (at >= end)
        return;
    const char *cpus = is_list ? stepped_set(guest->arena, words[at].text) : mask_set(guest->arena, words[at].text);
    if (cpus)
        place->cpus = cpus;
    else
        refuse_set(guest, &words[at], words[at].text, wrapper->name);
}

/* "+0-3" counts among what the shell may use, "!0-3" is all but these, "netdev:eth0" is where a device is. */
static bool is_of_machine(const char *text)
{
    return *text == '+' || *text == '!' || strchr(text, ':');
}

/* A set as the language writes it; NULL, and a finding, where it is none. */
static const char *plain_set(struct argv_guest *guest, const struct wrapper_option *option)
{
    if (strcmp(option->value, "all") == 0)
        return "all";
    if (is_of_machine(option->value)) {
        argv_not_carried(guest, span_of(guest, option->at),
                         "only the machine that runs it knows which numbers these are", "the set '%.40s' of numactl",
                         option->value);
        return NULL;
    }
    const struct ids *ids = text_set(guest->arena, option->value);
    if (!ids)
        refuse_set(guest, option->at, option->value, "numactl");
    return ids ? ids_text(guest->arena, ids) : NULL;
}

static void read_numactl_option(struct argv_guest *guest, const struct wrapper_option *option, struct place *place)
{
    static const struct {
        char letter;
        const char *word, *policy;
    } policies[] = {
        { 'm', "membind", "strict" },
        { 'i', "interleave", "interleave" },
        { 'p', "preferred", "preferred" },
        { 'P', "preferred-many", "preferred" },
    };
    char letter = option->letters[0];
    const char *equals = strchr(option->word, '=');
    size_t length = equals ? (size_t)(equals - option->word) : strlen(option->word);
    g_autofree char *word = g_strndup(option->word, length);
    for (size_t i = 0; option->value && i < G_N_ELEMENTS(policies); i++)
        if (letter == policies[i].letter || strcmp(word, policies[i].word) == 0) {
            place->nodes = plain_set(guest, option);
            place->policy = policies[i].policy;
            return;
        }
    bool by_node = letter == 'N' || strcmp(word, "cpunodebind") == 0;
    if (option->value && (by_node || letter == 'C' || strcmp(word, "physcpubind") == 0)) {
        const char *set = plain_set(guest, option);
        place->cpus = set && by_node && strcmp(set, "all") != 0 ? arena_printf(guest->arena, "node:%s", set) : set;
    } else if (letter != 'l' && strcmp(word, "localalloc") != 0) {
        argv_not_carried(guest, span_of(guest, option->at), NULL, "'%.40s' of numactl", option->at->text);
    }
}

/* Memory that QEMU binds itself is none of numactl's. */
static void say_place(struct argv_guest *guest, const struct place *place)
{
    if (place->cpus) {
        argv_line(guest, &guest->lines, "cpus", "%s", place->cpus);
        struct guest_lines lines = { .arena = guest->arena, .lines = guest->lines };
        say_cpus_of_threads(&lines, place->cpus);
        guest->lines = lines.lines;
    }
    if (!place->nodes || line_find(guest->lines, "node"))
        return;
    struct line *line = argv_line(guest, &guest->lines, "node", "%s", place->nodes);
    line_add_argument(guest->arena, line, place->policy);
}

void argv_read_prefix(struct argv_guest *guest)
{
    const struct argv_command *command = guest->command;
    struct place place = { 0 };
    for (uint32_t at = 0; at < command->program;) {
        const struct wrapper *wrapper = find_wrapper(command->words[at].text);
        const struct argv_word *name = &command->words[at++];
        uint32_t begin = at;
        struct wrapper_option option;
        if (!wrapper)
            continue;
        if (wrapper->kind == CHRT)
            argv_not_carried(guest, span_of(guest, name), "'scheduler' says it for each kind of thread",
                             "the scheduling class that '%s' gives", wrapper->name);
        while (next_option(wrapper, command->words, &at, command->program, &option))
            if (wrapper->kind == NUMACTL)
                read_numactl_option(guest, &option, &place);
        if (wrapper->kind == TASKSET)
            read_taskset(guest, begin, command->program, wrapper, &place);
        at += wrapper->arguments;
    }
    say_place(guest, &place);
}
