/* SPDX-License-Identifier: MIT
 *
 * A script to start a guest by hand: QEMU inside the union of the guest's CPUs.  A shell can pin no single thread, so
 * the script says on stderr which pins it leaves to the runtime.
 */
#include "emit/emit.h"
#include "emit/guest_parts.h"
#include "emit/qemu_argv.h"

#include <hwloc/bitmap.h>

static void union_of_cpus(GString *out, const struct plan_guest *guest)
{
    struct arena *arena = arena_new();
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        ids_add_to_bitmap(guest->vcpu_cpus[i], cpus);
    if (guest->emulator_cpus)
        ids_add_to_bitmap(guest->emulator_cpus, cpus);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].cpus)
            ids_add_to_bitmap(guest->iothreads[i].cpus, cpus);
    ids_append(out, ids_from_bitmap(arena, cpus));
    hwloc_bitmap_free(cpus);
    arena_free(arena);
}

/* Each line an argument of printf, so that names cannot be anything but text. */
static void say(GString *out, const char *text)
{
    append(out, " \\\n    ");
    append_shell_word(out, text);
}

static void say_lines(GString *out, const char *lines)
{
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    for (size_t i = 0; each[i]; i++)
        if (*each[i])
            say(out, each[i]);
}

/* Many lines would hide the console that follows. */
enum { PIN_LINES = 40 };

static void say_pins(GString *out, const struct plan_guest *guest, bool confined)
{
    g_autoptr(GString) pins = g_string_new(NULL);
    append_pins(pins, guest, "  ");
    append_tuning(pins, guest, "  ");
    char *cut = pins->str;
    for (unsigned line = 0; cut && line < PIN_LINES; line++)
        cut = strchr(cut, '\n') ? strchr(cut, '\n') + 1 : NULL;
    if (cut && *cut) {
        g_string_truncate(pins, (gsize)(cut - pins->str));
        append(pins, "  and more");
    }
    g_autofree char *first =
        confined ? g_strdup_printf("%s: all threads share these CPUs; only 'numac run' applies:", guest->name)
                 : g_strdup_printf("%s: runs on any CPU, as some vCPUs are not pinned; only 'numac run' applies:",
                                   guest->name);
    append(out, "printf '%s\\n'");
    say(out, first);
    say_lines(out, pins->str);
    append(out, " >&2\n");
}

static bool any_restrictive(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->cell_count; i++)
        if (guest->cells[i].nodes && guest->cells[i].policy == POLICY_RESTRICTIVE)
            return true;
    return false;
}

void write_qemu_script(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    if (base)
        bug("a guest with a base came to the QEMU target");
    bool confined = any_pin(guest) && every_vcpu_pinned(guest);
    append(out, "#!/bin/sh\n# Starts one guest on this terminal; ctrl-a x ends it, ctrl-a c is the QEMU monitor.\n");
    size_t head = out->len;
    if (any_pin(guest) || any_tuning(guest))
        say_pins(out, guest, confined);
    if (any_restrictive(guest)) {
        append(out, "printf '%s\\n'");
        say(out, "  restrictive memory, which needs a cgroup, is not confined here");
        append(out, " >&2\n");
    }
    append(out, "exec ");
    if (confined) {
        append(out, "taskset -c ");
        union_of_cpus(out, guest);
        append(out, " \\\n    ");
    }
    struct argv argv;
    argv_open(&argv, out);
    argv.option_before = " \\\n    ";
    argv.value_before = " ";
    qemu_command(&argv, guest);
    argv_finish(&argv);
    if (strpbrk(out->str + head, "$`")) /* meant as it stands, and in single quotes */
        g_string_insert(out, (gssize)head, "# shellcheck disable=SC2016\n");
}
