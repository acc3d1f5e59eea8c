/* SPDX-License-Identifier: MIT
 *
 * A command line of QEMU as the lines of a guest: who it is, its parts one after another, and what was left out.
 */
#include "import/argv.h"

#include <string.h>

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* What no word of a site can hold. */
static bool refuse_long(struct argv_guest *guest, struct span where, size_t length)
{
    struct finding *finding =
        argv_report(guest, NM_argv_limit, where,
                    "a value of %" G_GSIZE_FORMAT " bytes: at most %d fit into a word of a site", length, WORD_LIMIT);
    finding_help(guest->findings, finding, "no path and no set of a guest is so long: is the line what it seems?");
    return false;
}

struct line *argv_line(struct argv_guest *guest, struct line **list, const char *word, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (strlen(text) > WORD_LIMIT) /* a set with thousands of gaps */
        refuse_long(guest, argv_word_span(guest->command->file, &guest->command->words[guest->command->program]),
                    strlen(text));
    return line_add(list, line_new(guest->arena, word, arena_string(guest->arena, text, strlen(text))));
}

struct line *argv_text_line(struct argv_guest *guest, struct line **list, const char *word, const char *text,
                            struct span where)
{
    if (!*text) {
        argv_refuse(guest, where, "give it a value, or remove it", "a value is empty");
        return NULL;
    }
    if (strlen(text) > WORD_LIMIT) {
        refuse_long(guest, where, strlen(text));
        return NULL;
    }
    if (!text_is_writable(text)) {
        struct finding *finding =
            argv_report(guest, NM_import_text, where, "this value holds control characters, which a site cannot");
        finding_help(guest->findings, finding, "remove them from the command line");
        return NULL;
    }
    struct line *line = line_add(list, line_new(guest->arena, word, text));
    line->is_named = true;
    return line;
}

/* ---- who it is -------------------------------------------------------------------------------------------------- */

static const char *program_architecture(struct arena *arena, const char *program)
{
    static const char prefix[] = "qemu-system-";
    if (!g_str_has_prefix(program, prefix))
        return "x86_64";
    const char *name = program + strlen(prefix);
    char *architecture = arena_string(arena, name, strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"));
    return strcmp(architecture, "i386") == 0 ? "i686" : *architecture ? architecture : "x86_64";
}

/* A guest without a name has that of its file: pg-1.argv, pg-1.x86_64-latest.args; further ones a number behind it. */
static const char *name_of_file(struct argv_guest *guest)
{
    const struct source *source = source_at(guest->syntax->sources, guest->command->file);
    g_autofree char *base = source->path ? g_path_get_basename(source->path) : NULL;
    size_t length = base ? strcspn(base, ".") : 0;
    bool is_process = !base || strcmp(base, "cmdline") == 0 || !length;
    const char *name = is_process ? "guest" : arena_string(guest->arena, base, length);
    uint32_t number = guest->command->number;
    return number ? arena_printf(guest->arena, "%s-%u", name, number + 1) : name;
}

static void identify(struct argv_guest *guest, struct domain_identity *identity)
{
    const struct property *name = NULL;
    const struct option *live = NULL; /* a shell would put something else in its place */
    for (struct option *option = argv_next(guest, ARGV_NAME, NULL); option;
         option = argv_next(guest, ARGV_NAME, option)) {
        const struct property *said = option_take(option, "guest");
        live = option->value->is_live ? option : NULL;
        name = live ? NULL : said ? said : name;
        argv_leave_unused(guest, option, NULL);
    }
    identity->name = name && *name->value ? name->value : name_of_file(guest);
    identity->name_span = name ? name->where
                          : live
                              ? live->span
                              : argv_word_span(guest->command->file, &guest->command->words[guest->command->program]);
    if (name)
        return;
    struct finding *finding = argv_report(guest, NM_argv_no_name, identity->name_span,
                                          live ? "a shell makes the guest's name: it is called '%.200s'"
                                               : "the command line names no guest: it is called '%.200s'",
                                          identity->name);
    finding_help(guest->findings, finding, "write '-name NAME' into it, or rename the guest in the site");
}

/* ---- what is left out ------------------------------------------------------------------------------------------- */

static void leave_machine(struct argv_guest *guest)
{
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option))
        argv_leave_unused(guest, option, NULL);
}

static void leave_files(struct argv_guest *guest)
{
    for (struct option *option = argv_next(guest, ARGV_READCONFIG, NULL); option;
         option = argv_next(guest, ARGV_READCONFIG, option))
        argv_not_carried(guest, option->span, "it may say anything that a command line can", "a file of options");
    for (struct option *option = argv_next(guest, ARGV_SET, NULL); option;
         option = argv_next(guest, ARGV_SET, option)) {
        bool is_memory =
            strstr(option->value->text, "memory-backend") || g_str_has_prefix(option->value->text, "object.");
        g_autofree char *what = g_strdup_printf("-%s", option->row->name);
        if (is_memory)
            argv_not_carried(guest, option->span, "write it into the object", "a property set from outside");
        else
            argv_leave_out(guest, option->span, what);
    }
}

static void tell_left_out(struct argv_guest *guest)
{
    enum { MOST = 40 };
    if (!guest->left_out->len)
        return;
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < MIN(guest->left_out->len, MOST); i++)
        g_string_append_printf(list, "%s%s", i ? ", " : "", (const char *)g_ptr_array_index(guest->left_out, i));
    if (guest->left_out->len > MOST)
        g_string_append_printf(list, " and %u more", guest->left_out->len - MOST);
    struct finding *finding =
        argv_report(guest, NM_argv_left_out, guest->first_left, "left out, as it says nothing of cells: %s", list->str);
    finding_note(guest->findings, finding,
                 "a command line is no base, in which this could stay; UUID and MAC address are made of the names");
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void read_parts(struct argv_guest *guest, struct domain_identity *identity)
{
    bool fine = argv_read_options(guest);
    identify(guest, identity);
    if (!fine)
        return;
    argv_machine(guest);
    argv_memory(guest);
    argv_vcpus(guest);
    argv_tell_gic(guest);
    argv_objects(guest);
    if (guest->failed)
        return;
    argv_cells(guest);
    if (guest->failed)
        return;
    argv_memory_devices(guest);
    argv_cxl(guest);
    leave_machine(guest);
    argv_boot(guest);
    argv_read_prefix(guest);
    leave_files(guest);
}

bool argv_to_lines(struct arena *arena, struct syntax *syntax, const struct argv_command *command,
                   struct domain_identity *out_identity, struct line **out_lines)
{
    struct argv_guest *guest = g_new0(struct argv_guest, 1); /* large, and there may be many */
    const char *program = command->words[command->program].text, *slash = strrchr(program, '/');
    guest->arena = arena;
    guest->syntax = syntax;
    guest->findings = syntax->findings;
    guest->command = command;
    guest->program = slash ? slash + 1 : program;
    guest->architecture = program_architecture(arena, guest->program);
    guest->options = g_array_new(FALSE, FALSE, sizeof(struct option));
    guest->left_out = g_ptr_array_new();
    guest->left_counts = g_hash_table_new(g_str_hash, g_str_equal);
    guest->backends = g_hash_table_new(g_str_hash, g_str_equal);
    *out_identity = (struct domain_identity){ 0 };
    read_parts(guest, out_identity);
    if (!guest->failed)
        tell_left_out(guest);
    *out_lines = guest->lines;
    argv_cells_free(guest);
    g_array_free(guest->options, TRUE);
    g_ptr_array_free(guest->left_out, TRUE);
    g_hash_table_destroy(guest->left_counts);
    g_hash_table_destroy(guest->backends);
    bool fine = !guest->failed;
    g_free(guest);
    return fine;
}
