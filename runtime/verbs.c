/* SPDX-License-Identifier: MIT
 *
 * What numac can be told to do with guests that run, or shall: one function a verb.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "host_as_planned.h"
#include "proc.h"
#include "stat.h"
#include "verify.h"
#include "whereabouts.h"

enum { PATIENT_TRIES = 50, PAUSE_MILLISECONDS = 100, WATCH_MILLISECONDS = 2000 };

/* ---- run -------------------------------------------------------------------------------------------------------- */

static void show_steps(struct agent *agent, const struct bundle_guest *guest, const struct step_list *steps)
{
    g_string_append_printf(agent->result, "%s, by %s:\n", guest->plan->name, engine_word(guest->engine));
    for (uint32_t i = 0; i < steps->count; i++) {
        g_string_append_printf(agent->result, "  %u. ", i + 1);
        step_describe(guest, &steps->steps[i], agent->result);
        append(agent->result, "\n");
    }
}

/* Others hold a guest for moments only. */
static enum guest_lookup take_in_time(struct agent *agent, const char *uuid, bool create, struct guest_state **out)
{
    enum guest_lookup found = guest_take(agent, uuid, create, out);
    for (int tries = 0; found == GUEST_BUSY && tries < PATIENT_TRIES && pause_unless_interrupted(PAUSE_MILLISECONDS);
         tries++)
        found = guest_take(agent, uuid, create, out);
    return found;
}

static void tell_ended_elsewhere(struct agent *agent, const struct bundle_guest *guest)
{
    tell(agent, NM_state_recovered, "guest '%s' ended without numac; what it left is taken back", guest->plan->name);
}

/* On another machine no process tells, so its libvirt is asked; where that does not answer, it may run. */
static bool has_ended_elsewhere(struct agent *agent, const struct bundle_guest *guest, struct guest_state *state)
{
    const struct engine *engine = engine_of(state->record.engine);
    struct run run = { .agent = agent, .guest = guest, .engine = engine, .connect = state->record.connect };
    bool is_remote = agent->is_remote;
    uint32_t position = 0;
    bool has_ended = is_elsewhere(state->record.engine, state->record.connect) && engine->has_ended(&run);
    while (has_ended && next_whereabouts(&run, guest, &position))
        has_ended = run.engine->has_ended(&run);
    agent->is_remote = is_remote;
    if (has_ended)
        tell_ended_elsewhere(agent, guest);
    return has_ended;
}

/* Its folder, locked, or a finding that says who is in the way. */
static struct guest_state *take_new(struct agent *agent, const struct bundle_guest *guest)
{
    struct guest_state *state;
    enum guest_lookup found = take_in_time(agent, guest->plan->uuid, true, &state);
    if (found == GUEST_HELD && !guest_has_ended(state) && !has_ended_elsewhere(agent, guest, state)) {
        guest_release(state);
        struct finding *finding = tell(agent, NM_guest_runs, "guest '%s' runs already", guest->plan->name);
        finding_help(agent->findings, finding, "see it with 'numac list', end it with 'numac stop'");
    } else if (found == GUEST_BUSY) {
        tell(agent, NM_guest_busy, "another command is at work on guest '%s'", guest->plan->name);
    } else if (found == GUEST_HELD) {
        return state;
    }
    agent->is_refused = true;
    return NULL;
}

/* What was told of its start would otherwise stand behind all that it says. */
static void stay(struct run *run)
{
    agent_tell_now(run->agent);
    run->agent->guest_status = run->engine->wait(run);
}

static void start(struct agent *agent, const struct bundle_guest *guest)
{
    const struct engine *engine = engine_of(guest->engine);
    agent->is_remote = is_elsewhere(engine->kind, guest->connect);
    struct step_list steps = steps_of(agent, guest, engine);
    if (agent->bundle->dry_run) {
        show_steps(agent, guest, &steps);
        return;
    }
    if (!engine->is_ready(agent, guest))
        return;
    struct guest_state *state = take_new(agent, guest);
    if (!state)
        return;
    struct run run = { .agent = agent, .guest = guest, .engine = engine, .state = state, .connect = guest->connect };
    state->record = (struct record){ .name = guest->plan->name,
                                     .uuid = guest->plan->uuid,
                                     .site = agent->bundle->plan->site,
                                     .engine = engine->kind,
                                     .begun = ticks_now(),
                                     .connect = guest->connect };
    if (!guest_write(agent, state) || !steps_perform(&run, &steps)) {
        guest_forget(state);
        return;
    }
    guest_release(state);
    if (!agent->bundle->detach && engine->wait)
        stay(&run);
    engine->detach(&run);
}

static bool has_console(const struct bundle *bundle)
{
    bool has = false;
    for (uint32_t i = 0; i < bundle->guest_count && !has; i++)
        has = engine_of(bundle->guests[i].engine)->wait != NULL;
    return has;
}

void verb_run(struct agent *agent)
{
    const struct bundle *bundle = agent->bundle;
    if (bundle->guest_count > 1 && !bundle->detach && !bundle->dry_run && has_console(bundle)) {
        struct finding *finding = tell(agent, NM_usage, "%u guests cannot share one console", bundle->guest_count);
        finding_help(agent->findings, finding, "add '--detach', or name one guest behind the site");
        return;
    }
    for (uint32_t i = 0; i < bundle->guest_count && !interrupted(); i++)
        start(agent, &bundle->guests[i]);
}

/* ---- those that run --------------------------------------------------------------------------------------------- */

/* Its folder, locked; ABSENT: numac started none. */
static enum guest_lookup take_running(struct agent *agent, const struct plan_guest *guest, struct guest_state **out)
{
    enum guest_lookup found = take_in_time(agent, guest->uuid, false, out);
    if (found == GUEST_BUSY)
        tell(agent, NM_guest_busy, "another command is at work on guest '%s'", guest->name);
    return found;
}

/* One that numac did not start: QEMU's process, or of the libvirt that is named, or of its host.  False: none of them
 * is. */
static bool find_foreign(struct run *run)
{
    run->pid = run->agent->bundle->pid;
    run->connect = run->guest->connect;
    run->engine = run->pid ? &engine_process : run->guest->engine == ENGINE_LIBVIRT ? engine_of(ENGINE_LIBVIRT) : NULL;
    return run->engine != NULL;
}

/* How to reach it; false with a finding. */
static bool find_running(struct run *run, bool may_be_foreign)
{
    struct agent *agent = run->agent;
    if (may_be_foreign && agent->bundle->pid)
        return find_foreign(run);
    enum guest_lookup found = take_running(agent, run->guest->plan, &run->state);
    if (found == GUEST_HELD) {
        run->engine = engine_of(run->state->record.engine);
        run->connect = run->state->record.connect;
        return true;
    }
    if (found == GUEST_ABSENT && may_be_foreign && find_foreign(run))
        return true;
    if (found == GUEST_ABSENT) {
        struct finding *finding = tell(agent, NM_guest_not_running, "guest '%s' does not run", run->guest->plan->name);
        if (may_be_foreign)
            finding_help(agent->findings, finding,
                         "one that numac did not start is found with '--connect URI' or '--pid PID'");
    }
    agent->is_refused = true;
    return false;
}

static void with_running(struct agent *agent, bool may_be_foreign, void (*act)(struct run *run))
{
    for (uint32_t i = 0; i < agent->bundle->guest_count && !interrupted(); i++) {
        struct run run = { .agent = agent, .guest = &agent->bundle->guests[i] };
        if (!find_running(&run, may_be_foreign))
            continue;
        agent->is_remote = is_elsewhere(run.engine->kind, run.connect);
        act(&run);
        if (run.state && run.state->lock >= 0)
            guest_release(run.state);
    }
}

/* Wherever it is by now.  False, and nothing was told: it runs nowhere, or numac was interrupted. */
static bool reach(struct run *run)
{
    bool is_remote = run->agent->is_remote;
    uint32_t position = 0;
    if (run->engine->attach(run)) {
        settle_whereabouts(run);
        return true;
    }
    const struct run at_home = *run;
    while (run->ended && next_whereabouts(run, at_home.guest, &position))
        if (run->engine->attach(run)) {
            tell_moved(run, at_home.guest);
            return true;
        }
    if (run->ended) {
        *run = at_home;
        run->agent->is_remote = is_remote;
    }
    return false;
}

static bool attach(struct run *run)
{
    if (reach(run))
        return true;
    if (run->ended) {
        tell(run->agent, NM_guest_not_running, "guest '%s' does not run: %s", run->guest->plan->name, run->ended);
        run->agent->is_refused = true;
    }
    return false;
}

/* Whether it is gone is known, or it stays listed. */
static void stop(struct run *run)
{
    size_t errors = findings_count(run->agent->findings, ERROR);
    bool answers = run->agent->is_remote ? reach(run) : attach(run);
    if (run->ended && run->agent->is_remote) {
        tell_ended_elsewhere(run->agent, run->guest);
    } else if (!answers && findings_count(run->agent->findings, ERROR) == errors) { /* interrupted */
        return;
    } else if (!answers && !run->ended && run->engine->kind == ENGINE_LIBVIRT) { /* no process here to be ended */
        struct finding *finding =
            tell(run->agent, NM_kept, "guest '%s' stays listed: whether it runs is not known", run->guest->plan->name);
        finding_help(run->agent->findings, finding, "if its libvirt never comes back, remove '%s'", run->state->path);
        return;
    } else if (!run->engine->stop(run)) {
        return;
    }
    run->engine->detach(run);
    guest_forget(run->state);
}

void verb_stop(struct agent *agent)
{
    with_running(agent, false, stop);
}

/* What is so now; with --repair, what is so behind it. */
static bool look(struct run *run, struct facts *out)
{
    if (!verify_look(run, out))
        return false;
    if (!run->agent->bundle->repair || !out->wrong)
        return true;
    repair_run(run, out);
    return verify_look(run, out);
}

static void verify(struct run *run)
{
    struct facts facts;
    if (!attach(run))
        return;
    if (!run->agent->is_remote && !run->agent->bundle->watch)
        host_is_as_planned(run);
    if (look(run, &facts)) {
        if (run->agent->json)
            facts_json(run->agent->json, run->guest, &facts);
        else
            facts_text(run->guest, &facts, run->agent->result);
        if (!run->agent->bundle->watch) /* they would pile up */
            verify_tell(run, &facts);
    }
    run->engine->detach(run);
}

static void show_stat(struct run *run)
{
    if (!attach(run))
        return;
    stat_show(run);
    run->engine->detach(run);
}

/* A document with an object for each guest. */
static void open_guests(struct agent *agent, struct json *json)
{
    json_open(json, agent->result);
    json_object(json, NULL);
    json_number(json, "format_version", 1);
    json_array(json, "guests");
}

static void close_guests(struct json *json)
{
    json_end(json, ']');
    json_end(json, '}');
    json_finish(json);
}

/* One document, or one table. */
static void show_once(struct agent *agent, void (*act)(struct run *run))
{
    if (agent->bundle->format != FINDINGS_JSON) {
        with_running(agent, true, act);
        return;
    }
    struct json json;
    open_guests(agent, &json);
    agent->json = &json;
    with_running(agent, true, act);
    agent->json = NULL;
    close_guests(&json);
}

/* --watch: again and again, on a terminal in the same place, until interrupted or nothing is left to see. */
static void repeat(struct agent *agent, void (*act)(struct run *run))
{
    bool clears = isatty(STDOUT_FILENO) && agent->bundle->format == FINDINGS_HUMAN;
    for (;;) {
        if (agent->bundle->watch && clears)
            append(agent->result, "\033[H\033[J");
        show_once(agent, act);
        if (!agent->bundle->watch || !agent_flush(agent) || findings_have_errors(agent->findings))
            return;
        if (!pause_unless_interrupted(WATCH_MILLISECONDS))
            return;
    }
}

void verb_verify(struct agent *agent)
{
    repeat(agent, verify);
}

void verb_stat(struct agent *agent)
{
    repeat(agent, show_stat);
}

/* ---- definitions: numac compares and decides, libvirt is asked here ---------------------------------------------- */

/* Where a guest is looked for: where numac runs it, else where the bundle says. */
static bool find_engine(struct run *run)
{
    enum guest_lookup found = take_in_time(run->agent, run->guest->plan->uuid, false, &run->state);
    run->engine = engine_of(ENGINE_LIBVIRT);
    run->connect = run->guest->connect;
    if (found == GUEST_HELD && !run->guest->is_away) {
        run->engine = engine_of(run->state->record.engine);
        run->connect = run->state->record.connect;
    }
    if (run->engine->dump)
        return true;
    struct finding *finding =
        tell(run->agent, NM_no_definition, "guest '%s' runs without libvirt, which has no definition of it",
             run->guest->plan->name);
    finding_help(run->agent->findings, finding, "compare what runs with 'numac verify'");
    run->agent->is_refused = true;
    return false;
}

/* Its XML, wherever it is by now, to be freed; NULL without a finding where there is none. */
static bool dump(struct run *run, char **out_xml)
{
    const struct bundle_guest *home = run->guest;
    uint32_t position = 0;
    if (!run->engine->dump(run, out_xml))
        return false;
    if (*out_xml)
        settle_whereabouts(run);
    while (!*out_xml && next_whereabouts(run, home, &position)) {
        if (!run->engine->dump(run, out_xml))
            return false;
        if (*out_xml)
            tell_moved(run, home);
    }
    return true;
}

static void append_text(GString *out, const char *text)
{
    append_bytes(out, text, strlen(text) + 1);
}

/* For numac: of each guest its name, its XML, and the host that it moved to, each ended by NUL; no XML where libvirt
 * has none, no host where it is at home. */
void verb_dump(struct agent *agent)
{
    for (uint32_t i = 0; i < agent->bundle->guest_count && !interrupted(); i++) {
        struct run run = { .agent = agent, .guest = &agent->bundle->guests[i] };
        char *xml = NULL;
        if (find_engine(&run) && dump(&run, &xml)) {
            append_text(agent->result, run.guest->plan->name);
            append_text(agent->result, xml ? xml : "");
            append_text(agent->result, xml && run.guest->is_away ? run.guest->plan->host : "");
        }
        free(xml);
        if (run.state)
            guest_release(run.state);
    }
}

void verb_define(struct agent *agent)
{
    for (uint32_t i = 0; i < agent->bundle->guest_count && !interrupted(); i++) {
        struct run run = { .agent = agent, .guest = &agent->bundle->guests[i] };
        if (run.guest->xml && find_engine(&run) && run.engine->define(&run, run.guest->xml))
            tell(agent, NM_defined, "guest '%s' is defined", run.guest->plan->name);
        if (run.state)
            guest_release(run.state);
    }
}

/* ---- list ------------------------------------------------------------------------------------------------------- */

struct listing {
    struct json *json; /* NULL: a table */
    uint32_t shown;
};

static bool is_meant(const struct agent *agent, const struct record *record)
{
    if (!agent->bundle->plan)
        return true;
    for (uint32_t i = 0; i < agent->bundle->guest_count; i++)
        if (strcmp(agent->bundle->guests[i].plan->uuid, record->uuid) == 0)
            return true;
    return false;
}

static void list_as_json(const struct record *record, struct json *json)
{
    json_object(json, NULL);
    json_string(json, "site", record->site);
    json_string(json, "name", record->name);
    json_string(json, "uuid", record->uuid);
    json_string(json, "engine", engine_word(record->engine));
    json_string(json, "state", record->phase == PHASE_RUNNING ? "running" : "starting");
    if (record->connect)
        json_string(json, "connect", record->connect);
    json_number(json, "pid", (uint64_t)record->pid);
    json_end(json, '}');
}

static void list_one(struct agent *agent, const struct record *record, void *context)
{
    struct listing *listing = context;
    if (!is_meant(agent, record))
        return;
    if (listing->json) {
        list_as_json(record, listing->json);
        return;
    }
    if (!listing->shown++)
        g_string_append_printf(agent->result, "%-20s %-20s %-8s %-9s %s\n", "site", "guest", "engine", "state", "pid");
    g_string_append_printf(agent->result, "%-20s %-20s %-8s %-9s %d\n", record->site, record->name,
                           engine_word(record->engine), record->phase == PHASE_RUNNING ? "running" : "starting",
                           record->pid);
}

void verb_list(struct agent *agent)
{
    struct listing listing = { 0 };
    struct json json;
    if (agent->bundle->format == FINDINGS_JSON) {
        listing.json = &json;
        open_guests(agent, &json);
    }
    state_each(agent, list_one, &listing);
    if (listing.json)
        close_guests(&json);
}
