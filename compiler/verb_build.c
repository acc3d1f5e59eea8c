/* SPDX-License-Identifier: MIT
 *
 * numac build SITE: the site compiled into a folder, or into one stream of one target.
 */
#include "compile.h"
#include "emit/emit.h"
#include "verbs.h"

#include <string.h>

static bool is_wanted(const struct options *options, const struct emitter *emitter)
{
    if (!options->targets.count)
        return true;
    for (size_t i = 0; i < options->targets.count; i++)
        if (strcmp(options->targets.list[i], emitter->target) == 0)
            return true;
    return false;
}

static const char *next_target(void *state)
{
    size_t count, *at = state;
    const struct emitter *rows = emitters(&count);
    return *at < count ? rows[(*at)++].target : NULL;
}

/* Every name behind --target is a target. */
static bool targets_are_known(struct session *session)
{
    const struct options *options = session->options;
    size_t count;
    const struct emitter *rows = emitters(&count);
    for (size_t i = 0; i < options->targets.count; i++) {
        const char *name = options->targets.list[i];
        bool known = false;
        for (size_t e = 0; e < count; e++)
            known |= strcmp(rows[e].target, name) == 0;
        if (known)
            continue;
        size_t at = 0;
        const char *near = nearest_name(name, strlen(name), next_target, &at);
        struct finding *finding = session_misuse(session, "'%s' is no target", name);
        finding_help(session->findings, finding,
                     near ? "did you mean '%s'?" : "write 'libvirt', 'qemu', or both joined by a comma",
                     near ? near : "");
        return false;
    }
    return true;
}

static bool is_left_out(const struct emitter *emitter, const struct planned_guest *guest)
{
    return !emitter_takes(emitter, guest->plan);
}

/* A base rules what only libvirt reads, and only libvirt asks numad; said once a guest, so that nobody looks for files
 * in vain. */
static void tell_one_target(struct session *session, const struct planned_guest *guest, const struct emitter *emitter)
{
    const struct plan_guest *plan = guest->plan;
    if (strcmp(emitter->suffix, ".argv") != 0)
        return;
    about_guest(session->findings, guest->guest);
    if (plan->cpus_by_numad || plan->memory_by_numad) {
        bool is_memory = plan->memory_by_numad && guest->guest->locality.nodes_by_numad;
        struct finding *finding = report(session->findings, NM_numad_one_target,
                                         guest_word_span(guest->guest, is_memory ? W_NODE : W_CPUS, 1),
                                         "guest '%s' is left to numad: only the libvirt target is written", plan->name);
        finding_note(session->findings, finding, "libvirt asks numad when it starts the guest; QEMU cannot");
        finding_help(session->findings, finding,
                     "name nodes or CPUs, or leave them open: numac chooses for both targets");
        return;
    }
    if (!plan->has_base)
        return;
    struct finding *finding = report(session->findings, NM_base_one_target, guest->guest->span,
                                     "guest '%s' has a base: only the libvirt target is written", guest->plan->name);
    finding_note(session->findings, finding,
                 "the base holds devices and settings that numac does not turn into QEMU arguments");
}

static void write_guest(struct session *session, const struct emitter *emitter, const struct planned_guest *guest,
                        GString *out)
{
    struct base_text base = base_of(session, guest);
    emitter->write(guest->plan, guest->plan->has_base ? &base : NULL, out);
}

/* Inside a stream no document begins: the XML declaration of a base is left out. */
static void drop_declaration(GString *out, gsize from)
{
    if (strncmp(out->str + from, "<?xml", 5) != 0)
        return;
    const char *end = strstr(out->str + from, "?>");
    if (!end)
        return;
    end += 2;
    while (*end == '\r' || *end == '\n')
        end++;
    g_string_erase(out, (gssize)from, end - (out->str + from));
}

/* ---- one stream ------------------------------------------------------------------------------------------------- */

enum { CHUNK_BYTES = 64 << 10 }; /* a fleet is not kept: it is written a piece at a time */

static void append_guest(struct session *session, const struct emitter *emitter, const struct planned_guest *guest)
{
    gsize from = session->result->len;
    write_guest(session, emitter, guest, session->result);
    if (guest->plan->has_base)
        drop_declaration(session->result, from);
}

static void build_stream(struct session *session, const struct compiled *compiled)
{
    size_t count;
    const struct emitter *rows = emitters(&count), *emitter = NULL;
    for (size_t e = 0; e < count; e++)
        if (is_wanted(session->options, &rows[e]) && !emitter)
            emitter = &rows[e];
    const struct planned_guest *guests = compiled->planned->guests;
    uint32_t guest_count = compiled->planned->plan->guest_count;
    for (uint32_t i = 0; i < guest_count; i++) /* before the first byte, since findings come first */
        if (is_left_out(emitter, &guests[i]))
            tell_one_target(session, &guests[i], emitter);
    if (emitter->stream_open)
        g_string_append(session->result, emitter->stream_open);
    for (uint32_t i = 0; i < guest_count; i++) {
        if (!is_left_out(emitter, &guests[i]))
            append_guest(session, emitter, &guests[i]);
        if (session->result->len >= CHUNK_BYTES && !session_drain(session))
            return;
    }
    if (emitter->stream_close)
        g_string_append(session->result, emitter->stream_close);
}

/* ---- a folder --------------------------------------------------------------------------------------------------- */

static bool add_file(struct session *session, struct output *output, const struct emitter *emitter,
                     const struct planned_guest *guest, const char *host, GString *text)
{
    g_autofree char *name = output_name(guest->plan->name, host, emitter->suffix);
    g_string_truncate(text, 0);
    write_guest(session, emitter, guest, text);
    return output_add(output, name, text->str, text->len);
}

static bool add_guest(struct session *session, struct output *output, const struct planned_guest *guest, GString *text)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    for (size_t e = 0; e < count; e++) {
        if (!is_wanted(session->options, &rows[e]))
            continue;
        if (is_left_out(&rows[e], guest)) {
            tell_one_target(session, guest, &rows[e]);
            continue;
        }
        if (!add_file(session, output, &rows[e], guest, NULL, text))
            return false;
        for (uint32_t m = 0; rows[e].writes_moves && m < guest->plan->move_count; m++)
            if (!is_left_out(&rows[e], &guest->moves[m]) &&
                !add_file(session, output, &rows[e], &guest->moves[m], guest->moves[m].plan->host, text))
                return false;
    }
    return true;
}

/* The targets written beside the plan, rising and each once, so that the next build knows which files are its own. */
static void name_targets(struct session *session, struct plan *plan)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    const char **targets = arena_array(session->arena, const char *, count);
    for (size_t e = 0; e < count; e++) {
        uint32_t at = 0;
        while (at < plan->target_count && strcmp(targets[at], rows[e].target) < 0)
            at++;
        if (!is_wanted(session->options, &rows[e]) ||
            (at < plan->target_count && strcmp(targets[at], rows[e].target) == 0))
            continue;
        memmove(targets + at + 1, targets + at, (plan->target_count++ - at) * sizeof *targets);
        targets[at] = rows[e].target;
    }
    plan->targets = targets;
}

static void build_folder(struct session *session, const struct compiled *compiled, const char *folder)
{
    struct output *output = output_open(session->findings, folder);
    if (!output)
        return;
    g_autoptr(GString) text = g_string_sized_new(8192);
    bool fine = true;
    for (uint32_t i = 0; fine && i < compiled->planned->plan->guest_count; i++)
        fine = add_guest(session, output, &compiled->planned->guests[i], text);
    struct plan plan = *compiled->planned->plan;
    name_targets(session, &plan);
    g_string_truncate(text, 0);
    write_plan_json(&plan, text);
    fine = fine && output_add(output, "plan.json", text->str, text->len);
    if (fine)
        output_commit(output);
    else
        output_discard(output);
}

int verb_build(const struct options *options)
{
    struct session *session = session_open(options);
    if (!targets_are_known(session))
        return session_close(session);
    struct compiled compiled = compile_site(session, options->arguments.list[0]);
    if (compiled.is_clean && compiled.planned) {
        const char *folder = options->output ? options->output : "build";
        if (strcmp(folder, "-") == 0)
            build_stream(session, &compiled);
        else
            build_folder(session, &compiled, folder);
    }
    return session_close(session);
}
