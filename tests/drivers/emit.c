/* SPDX-License-Identifier: MIT
 *
 * Turns a plan file into any output, for tests that are not written in C:
 *
 *     emit PLAN.json json|text|.xml|.argv|.sh [BASE.xml]     one output, on stdout
 *     emit PLAN.json -o FOLDER [TARGET...]                   the output folder, as `numac build` does
 *
 * BASE.xml is the base of each guest that has one.  Exit status: 0, or 1 with findings on stderr.
 */
#include <stdio.h>
#include <string.h>

#include "emit/emit.h"

struct driver {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    const struct plan *plan;
    struct base_text base;
};

static void write_guest(const struct driver *driver, const struct emitter *emitter, const struct plan_guest *guest,
                        GString *out)
{
    emitter->write(guest, guest->has_base ? &driver->base : NULL, out);
}

static bool write_suffix(const struct driver *driver, const char *suffix, GString *out)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].suffix, suffix) != 0)
            continue;
        for (uint32_t g = 0; g < driver->plan->guest_count; g++)
            if (emitter_takes(&rows[i], &driver->plan->guests[g]))
                write_guest(driver, &rows[i], &driver->plan->guests[g], out);
        return true;
    }
    return false;
}

static bool is_wanted(const char *target, char **targets)
{
    for (; *targets; targets++)
        if (strcmp(*targets, target) == 0)
            return true;
    return false;
}

static bool write_file(const struct driver *driver, struct output *output, const struct emitter *emitter,
                       const struct plan_guest *guest, const char *host)
{
    g_autofree char *name = output_name(guest->name, host, emitter->suffix);
    g_autoptr(GString) text = g_string_new(NULL);
    if (!emitter_takes(emitter, guest))
        return true;
    write_guest(driver, emitter, guest, text);
    return output_add(output, name, text->str, text->len);
}

static bool write_folder(const struct driver *driver, const char *folder, char **targets)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    struct output *output = output_open(driver->findings, folder);
    bool fine = output;
    for (size_t i = 0; fine && i < count; i++) {
        if (!is_wanted(rows[i].target, targets))
            continue;
        for (uint32_t g = 0; fine && g < driver->plan->guest_count; g++) {
            const struct plan_guest *guest = &driver->plan->guests[g];
            fine = write_file(driver, output, &rows[i], guest, NULL);
            for (uint32_t m = 0; fine && rows[i].writes_moves && m < guest->move_count; m++)
                fine = write_file(driver, output, &rows[i], &guest->moves[m], guest->moves[m].host);
        }
    }
    if (!fine) {
        output_discard(output);
        return false;
    }
    struct plan plan = *driver->plan;
    plan.targets = (const char *const *)targets;
    plan.target_count = g_strv_length(targets);
    g_autoptr(GString) text = g_string_new(NULL);
    write_plan_json(&plan, text);
    if (!output_add(output, "plan.json", text->str, text->len)) {
        output_discard(output);
        return false;
    }
    return output_commit(output);
}

static bool drive(struct driver *driver, int count, char **arguments)
{
    uint32_t file = sources_read(driver->sources, arguments[1], SOURCE_BYTES_LIMIT);
    driver->plan = read_plan_json(driver->arena, driver->sources, driver->findings, file);
    if (!driver->plan)
        return false;
    if (strcmp(arguments[2], "-o") == 0)
        return count > 3 && write_folder(driver, arguments[3], arguments + 4);
    if (count > 3) {
        const struct source *base =
            source_at(driver->sources, sources_read(driver->sources, arguments[3], SOURCE_BYTES_LIMIT));
        driver->base = (struct base_text){ .text = base->text, .length = base->length };
    }
    g_autoptr(GString) out = g_string_new(NULL);
    bool fine = true;
    if (strcmp(arguments[2], "json") == 0)
        write_plan_json(driver->plan, out);
    else if (strcmp(arguments[2], "text") == 0)
        write_plan_text(driver->plan, out);
    else
        fine = write_suffix(driver, arguments[2], out);
    fwrite(out->str, 1, out->len, stdout);
    return fine;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: emit PLAN.json json|text|.xml|.argv|.sh [BASE.xml]\n");
        return 2;
    }
    struct driver driver = { .arena = arena_new(), .sources = sources_new() };
    driver.findings = findings_new(driver.sources);
    bool fine = drive(&driver, count, arguments);
    struct render_options options = { .format = FINDINGS_GCC };
    g_autoptr(GString) text = g_string_new(NULL);
    findings_render(driver.findings, &options, text);
    fputs(text->str, stderr);
    findings_free(driver.findings);
    sources_free(driver.sources);
    arena_free(driver.arena);
    return fine ? 0 : 1;
}
