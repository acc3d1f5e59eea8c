/* SPDX-License-Identifier: MIT
 *
 * The words of a command line as options: which of QEMU's take a value, which are about NUMA, and which are left out.
 * What their values mean is left to those who read them.
 */
#include "import/argv.h"

#include <string.h>

static const struct option_row rows[] = {
    { "machine", true, ARGV_MACHINE, "type" },
    { "M", true, ARGV_MACHINE, "type" },
    { "accel", true, ARGV_ACCEL, "accel" },
    { "enable-kvm", false, ARGV_ENABLE_KVM, NULL },
    { "no-acpi", false, ARGV_NO_ACPI, NULL }, /* until 8.2: -machine acpi=off */
    { "cpu", true, ARGV_CPU, NULL },
    { "smp", true, ARGV_SMP, "cpus" },
    { "m", true, ARGV_MEMORY, "size" },
    { "numa", true, ARGV_NUMA, "type" },
    { "object", true, ARGV_OBJECT, "qom-type" },
    { "device", true, ARGV_DEVICE, "driver" },
    { "mem-path", true, ARGV_MEM_PATH, NULL },
    { "mem-prealloc", false, ARGV_MEM_PREALLOC, NULL },
    { "overcommit", true, ARGV_OVERCOMMIT, "" },
    { "realtime", true, ARGV_OVERCOMMIT, "" }, /* until 4.2: mlock=on */
    { "name", true, ARGV_NAME, "guest" },
    { "kernel", true, ARGV_KERNEL, NULL },
    { "initrd", true, ARGV_INITRD, NULL },
    { "append", true, ARGV_APPEND, NULL },
    { "bios", true, ARGV_BIOS, NULL },
    { "drive", true, ARGV_DRIVE, "" },
    { "blockdev", true, ARGV_BLOCKDEV, "driver" },
    { "netdev", true, ARGV_NETDEV, "type" },
    { "readconfig", true, ARGV_READCONFIG, NULL },
    { "set", true, ARGV_SET, NULL },
    { "global", true, ARGV_SET, NULL },
};

static const char *const with_value[] = {
    "acpitable",
    "action",
    "add-fd",
    "alt-grab",
    "audio",
    "audiodev",
    "balloon",
    "boot",
    "cdrom",
    "chardev",
    "chroot",
    "compat",
    "ctrl-grab",
    "D",
    "d",
    "debugcon",
    "dfilter",
    "dtb",
    "dump-vmstate",
    "echr",
    "fda",
    "fdb",
    "fsdev",
    "fw_cfg",
    "g",
    "gdb",
    "hda",
    "hdb",
    "hdc",
    "hdd",
    "icount",
    "incoming",
    "iscsi",
    "k",
    "L",
    "loadvm",
    "mon",
    "monitor",
    "msg",
    "mtdblock",
    "net",
    "nic",
    "option-rom",
    "parallel",
    "pflash",
    "pidfile",
    "plugin",
    "prom-env",
    "qmp",
    "qmp-pretty",
    "qtest",
    "qtest-log",
    "rotate",
    "rtc",
    "run-with",
    "runas",
    "sandbox",
    "sd",
    "seed",
    "semihosting-config",
    "serial",
    "shim",
    "smbios",
    "soundhw",
    "spice",
    "tb-size",
    "tpmdev",
    "trace",
    "usbdevice",
    "uuid",
    "vga",
    "virtfs",
    "vnc",
    "watchdog",
    "watchdog-action",
    "writeconfig",
    "xen-domid",
    "display",
};

static const char *const without_value[] = {
    "S",
    "async-teardown",
    "curses",
    "daemonize",
    "enable-fips",
    "enable-hax",
    "enable-sync-profile",
    "full-screen",
    "h",
    "help",
    "jitdump",
    "no-fd-bootchk",
    "no-hpet",
    "no-kvm",
    "no-quit",
    "no-reboot",
    "no-shutdown",
    "no-user-config",
    "nodefaults",
    "nodefconfig",
    "nographic",
    "old-param",
    "one-insn-per-tb",
    "only-migratable",
    "perfmap",
    "portrait",
    "preconfig",
    "s",
    "semihosting",
    "show-cursor",
    "singlestep",
    "snapshot",
    "usb",
    "version",
    "win2k-hack",
    "xen-attach",
    "xen-domid-restrict",
};

static bool is_among(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

/* An option that is not known has a value where the next word is none itself. */
static const struct option_row *find_row(struct argv_guest *guest, const char *name, const struct argv_word *next)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    struct option_row *row = arena_take(guest->arena, struct option_row);
    row->name = name;
    row->takes_value = is_among(name, with_value, G_N_ELEMENTS(with_value)) ||
                       (next && next->text[0] != '-' && !is_among(name, without_value, G_N_ELEMENTS(without_value)));
    return row;
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

static struct finding *report_text(struct argv_guest *guest, enum code code, struct span where, const char *format,
                                   va_list arguments) G_GNUC_PRINTF(4, 0);
static struct finding *report_text(struct argv_guest *guest, enum code code, struct span where, const char *format,
                                   va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    struct finding *finding = report(guest->findings, code, where, "%s", text);
    guest->failed |= code_row(code)->severity == ERROR;
    return finding;
}

struct finding *argv_report(struct argv_guest *guest, enum code code, struct span where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct finding *finding = report_text(guest, code, where, format, arguments);
    va_end(arguments);
    return finding;
}

bool argv_refuse(struct argv_guest *guest, struct span where, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct finding *finding = report_text(guest, NM_argv_value, where, format, arguments);
    va_end(arguments);
    finding_help(guest->findings, finding, "%s", help);
    return false;
}

void argv_not_carried(struct argv_guest *guest, struct span where, const char *note, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = argv_report(guest, NM_argv_not_carried, where, "not carried over: %s", what);
    finding_note(guest->findings, finding, "%s", note ? note : "the language has no word for it in this version");
}

/* ---- what is left out ------------------------------------------------------------------------------------------- */

void argv_leave_out(struct argv_guest *guest, struct span where, const char *what)
{
    guint count = GPOINTER_TO_UINT(g_hash_table_lookup(guest->left_counts, what));
    if (!guest->left_out->len)
        guest->first_left = where;
    if (!count)
        g_ptr_array_add(guest->left_out, arena_string(guest->arena, what, strlen(what)));
    g_hash_table_insert(guest->left_counts, arena_string(guest->arena, what, strlen(what)),
                        GUINT_TO_POINTER(count + 1));
}

void argv_leave_unused(struct argv_guest *guest, struct option *option, const char *note)
{
    for (uint32_t i = 0; i < option->count; i++) {
        const struct property *property = &option->properties[i];
        if (property->is_used)
            continue;
        g_autofree char *what = g_strdup_printf("-%s %.40s", option->row->name, property->key);
        if (note)
            argv_not_carried(guest, property->where, note, "'%.40s' of -%s", property->key, option->row->name);
        else
            argv_leave_out(guest, property->where, what);
    }
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static bool refuse_missing(struct argv_guest *guest, const struct argv_word *word)
{
    struct finding *finding = argv_report(guest, NM_argv_no_value, argv_word_span(guest->command->file, word),
                                          "'%.40s' lacks its value", word->text);
    finding_help(guest->findings, finding, "is the line cut short? give all of it, or remove the option");
    return false;
}

/* What NUMA depends on must stand there. */
static bool refuse_live(struct argv_guest *guest, const struct argv_word *word)
{
    struct finding *finding = argv_report(guest, NM_argv_shell, argv_word_span(guest->command->file, word),
                                          "a shell would put something else in place of '%.40s'", word->text);
    finding_note(guest->findings, finding,
                 "numac runs no shell, and knows neither its variables nor the files it finds");
    finding_help(
        guest->findings, finding,
        "write what it stands for, put it in single quotes, or import /proc/PID/cmdline of the guest that runs");
    return false;
}

static bool add_option(struct argv_guest *guest, const struct option_row *row, const struct argv_word *word,
                       const struct argv_word *value)
{
    struct span span = argv_word_span(guest->command->file, word);
    span.end = value ? value->end : span.end;
    struct option option = { .row = row, .span = span, .value = value };
    if (row->kind == ARGV_LEFT_OUT) {
        g_autofree char *what = g_strdup_printf("-%.40s", row->name);
        argv_leave_out(guest, span, what);
        return true;
    }
    if (value && value->is_live && row->kind >= ARGV_MACHINE)
        return refuse_live(guest, value);
    if (value && value->is_live && row->kind >= ARGV_KERNEL) {
        argv_not_carried(guest, span, "numac runs no shell", "what a shell would put in place of '%.40s'", value->text);
        return true;
    }
    if (row->first && !argv_read_properties(guest, &option))
        return false;
    g_array_append_val(guest->options, option);
    return true;
}

/* Neither an option nor a value: the name of an image, unless a shell makes options of it. */
static void leave_word(struct argv_guest *guest, const struct argv_word *word)
{
    struct span where = argv_word_span(guest->command->file, word);
    if (word->is_live && guest->failed)
        return; /* told of the word before it */
    if (word->is_live)
        argv_not_carried(guest, where, "numac runs no shell, and any option may be in it",
                         "what a shell would put in place of '%.40s'", word->text);
    else
        argv_leave_out(guest, where, "the name of an image");
}

bool argv_read_options(struct argv_guest *guest)
{
    const struct argv_command *command = guest->command;
    bool fine = true;
    for (uint32_t at = command->program + 1; at < command->count; at++) {
        const struct argv_word *word = &command->words[at];
        const struct argv_word *next = at + 1 < command->count ? word + 1 : NULL;
        if (word->text[0] != '-' || !word->text[1]) {
            leave_word(guest, word);
            continue;
        }
        const char *name = word->text + (word->text[1] == '-' ? 2 : 1);
        const struct option_row *row = find_row(guest, name, next);
        if (row->takes_value && !next)
            return refuse_missing(guest, word);
        fine &= add_option(guest, row, word, row->takes_value ? next : NULL);
        at += row->takes_value;
    }
    return fine;
}

struct option *argv_next(const struct argv_guest *guest, enum argv_kind kind, const struct option *before)
{
    struct option *options = (struct option *)(void *)guest->options->data;
    guint at = before ? (guint)(before - options) + 1 : 0;
    for (; at < guest->options->len; at++)
        if (options[at].row->kind == kind)
            return &options[at];
    return NULL;
}

struct option *argv_last(const struct argv_guest *guest, enum argv_kind kind)
{
    struct option *last = NULL;
    for (struct option *option = argv_next(guest, kind, NULL); option; option = argv_next(guest, kind, option))
        last = option;
    return last;
}
