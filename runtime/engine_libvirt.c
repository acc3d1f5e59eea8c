/* SPDX-License-Identifier: MIT
 *
 * libvirt, in a process of numac's or as a daemon.  It reads numac's XML, starts QEMU, binds memory and places threads;
 * what it did is proven through the monitor that it lends, like with any other engine.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "embedded.h"
#include "engine.h"
#include "libvirt_child.h"
#include "proc.h"

enum { END_MILLISECONDS = 100 };

struct lent { /* a monitor over libvirt's */
    struct monitor monitor;
    struct libvirt_child *libvirt;
};

static struct finding *refuse(struct run *run, enum code code, const char *what, const char *why)
{
    run->agent->is_refused = true;
    return tell(run->agent, code, "guest '%s' %s: %s", run->guest->plan->name, what, why);
}

/* ---- the monitor ------------------------------------------------------------------------------------------------ */

static bool exchange(struct monitor *monitor, const char *const *commands, size_t count, char **out_answers,
                     char **out_error)
{
    struct lent *lent = (struct lent *)(void *)monitor; /* its first member */
    for (size_t i = 0; i < count; i++) {
        char *answer;
        if (libvirt_child_do(lent->libvirt, ERRAND_ASK, commands[i], &answer)) {
            out_answers[i] = answer;
            continue;
        }
        *out_error = answer;
        return false;
    }
    return true;
}

static void close_lent(struct monitor *monitor)
{
    g_free(monitor);
}

static struct monitor *lend(struct libvirt_child *libvirt)
{
    struct lent *lent = g_new0(struct lent, 1);
    *lent = (struct lent){ .monitor = { exchange, close_lent }, .libvirt = libvirt };
    return &lent->monitor;
}

/* ---- the connection --------------------------------------------------------------------------------------------- */

/* What libvirt is still about to start goes at once, so that it need not be waited for. */
static void close_connection(struct run *run)
{
    struct libvirt_child *libvirt = run->engine_data;
    monitor_close(run->monitor);
    run->monitor = NULL;
    if (!libvirt)
        return;
    while (!libvirt_child_end(libvirt, END_MILLISECONDS))
        if (run->state && interrupted())
            guest_end_unwritten(run->state);
    libvirt_child_free(libvirt);
    if (run->engine->kind == ENGINE_EMBED)
        embedded_keep_cache(run->agent, run->guest->plan->uuid);
    run->engine_data = NULL;
}

static void refuse_connection(struct run *run, const char *uri, const char *why)
{
    if (interrupted())
        return;
    struct finding *finding = refuse(run, NM_engine_missing, "has no libvirt", why);
    if (run->engine->kind == ENGINE_EMBED)
        finding_help(run->agent->findings, finding,
                     "install libvirt's QEMU driver and the user that it runs QEMU as (Debian: libvirt-daemon-system), "
                     "or add '--engine qemu'");
    else
        finding_help(run->agent->findings, finding, "see that '%s' answers: 'virsh -c %s version'",
                     uri ? uri : "qemu:///system", uri ? uri : "qemu:///system");
}

static void refuse_program(struct run *run)
{
    struct finding *finding =
        refuse(run, NM_libvirt_program, "needs numac-libvirt, which does not start", g_strerror(errno));
    finding_help(run->agent->findings, finding, "install numac whole, or add '--engine qemu', which needs no libvirt");
}

/* A short name for a URI may stand for another machine, which is not known before. */
static void note_connection(struct run *run, const char *uri)
{
    if (run->engine->kind != ENGINE_LIBVIRT)
        return;
    run->connect = arena_string(run->agent->arena, uri, strlen(uri));
    run->agent->is_remote = is_elsewhere(ENGINE_LIBVIRT, run->connect);
    if (run->state)
        run->state->record.connect = run->connect;
    if (run->state || !run->guest->move_count)
        return;
    g_autofree char *machine = NULL; /* a hint of where it may have moved to */
    if (libvirt_child_do(run->engine_data, ERRAND_MACHINE, "", &machine))
        run->machine = arena_string(run->agent->arena, machine, strlen(machine));
}

static bool open_connection(struct run *run)
{
    const char *uri = run->connect;
    if (run->engine->kind == ENGINE_EMBED) {
        const char *root = embedded_prepare(run->agent, run->guest->plan->uuid);
        if (!root)
            return false;
        uri = arena_printf(run->agent->arena, "qemu:///embed?root=%s", root);
    }
    run->engine_data = libvirt_child_start(run->state ? run->state->lock : -1);
    if (!run->engine_data) {
        refuse_program(run);
        return false;
    }
    g_autofree char *answer = NULL;
    if (libvirt_child_do(run->engine_data, ERRAND_OPEN, uri ? uri : "", &answer)) {
        note_connection(run, answer);
        return true;
    }
    refuse_connection(run, uri, answer);
    close_connection(run);
    return false;
}

/* True: done.  False with a finding, unless that is how numac was interrupted. */
static bool order(struct run *run, enum errand errand, const char *argument, enum code code, const char *what)
{
    g_autofree char *answer = NULL;
    if (libvirt_child_do(run->engine_data, errand, argument, &answer))
        return true;
    if (!interrupted())
        refuse(run, code, what, answer);
    return false;
}

/* ---- starting --------------------------------------------------------------------------------------------------- */

static bool is_ready(struct agent *agent, const struct bundle_guest *guest)
{
    if (guest->xml)
        return true;
    struct finding *finding =
        tell(agent, NM_engine_cannot, "guest '%s' has what libvirt has no words for", guest->plan->name);
    finding_help(agent->findings, finding, "run it with '--engine qemu'; 'numac build' says what it is");
    agent->is_refused = true;
    return false;
}

static bool ask_threads(struct run *run)
{
    const struct plan_guest *guest = run->guest->plan;
    g_autofree char *error = NULL;
    if (!monitor_threads(run->monitor, run->agent->arena, guest, &run->threads, &error)) {
        if (interrupted())
            return false;
        run->agent->is_refused = true;
        tell(run->agent, NM_monitor_broken, "QEMU of guest '%s' does not answer: %s", guest->name, error);
        return false;
    }
    for (uint32_t i = 0; !run->agent->is_remote && i < guest->vcpu_count && !run->threads.qemu; i++)
        run->threads.qemu = run->threads.vcpus[i] ? proc_process_of(run->threads.vcpus[i]) : 0;
    return true;
}

/* Interrupted while libvirt waits for a QEMU that may never answer, numac ends that QEMU itself. */
static void abandon(struct run *run)
{
    g_autofree char *answer = NULL;
    if (interrupted())
        guest_end(run->state);
    else if (run->engine_data && run->monitor)
        libvirt_child_do(run->engine_data, ERRAND_DESTROY, "", &answer);
    close_connection(run);
}

static bool create(struct run *run)
{
    if (!run->is_trial)
        return order(run, ERRAND_CREATE, run->guest->xml, NM_engine_refused, "is not started");
    g_autofree char *answer = NULL;
    if (libvirt_child_do(run->engine_data, ERRAND_CREATE, run->guest->xml, &answer))
        return true;
    if (!interrupted())
        run->refusal = arena_string(run->agent->arena, answer, strlen(answer));
    return false;
}

static bool start(struct run *run)
{
    if (!open_connection(run))
        return false;
    if (!create(run)) {
        close_connection(run);
        return false;
    }
    run->monitor = lend(run->engine_data);
    if (ask_threads(run)) {
        run->state->record.pid = run->threads.qemu;
        run->state->record.pid_start = process_start(run->threads.qemu);
        if (!run->agent->bundle->detach && !run->agent->is_remote)
            run->console = console_open(run->monitor);
        if (guest_write(run->agent, run->state))
            return true;
    }
    abandon(run);
    return false;
}

/* libvirt has QEMU wait for it when the guest switches itself off, and inside numac it is gone by then. */
static bool end_with_guest(struct run *run)
{
    static const struct question question = { .command = "set-action", .arguments = "{\"shutdown\":\"poweroff\"}" };
    g_autofree char *error = NULL;
    struct json_c_object *value = NULL;
    bool fine = monitor_ask_all(run->monitor, &question, 1, &value, &error);
    json_object_put(value);
    if (!fine && !interrupted())
        refuse(run, NM_engine_refused, "would go on when it is switched off", error);
    return fine;
}

static bool proceed(struct run *run)
{
    if (run->engine->kind == ENGINE_EMBED && !end_with_guest(run))
        return false;
    return order(run, ERRAND_RESUME, "", NM_engine_refused, "is not started");
}

/* ---- one that runs ---------------------------------------------------------------------------------------------- */

static bool find(struct run *run, const char *which)
{
    g_autofree char *answer = NULL;
    if (!libvirt_child_do(run->engine_data, ERRAND_FIND, which, &answer)) {
        if (!interrupted())
            refuse(run, NM_engine_missing, "cannot be found", answer);
        return false;
    }
    if (strcmp(answer, FOUND_RUNNING) == 0)
        return true;
    run->ended = *answer ? FOUND_STILL : "libvirt has none";
    return false;
}

static bool attach(struct run *run)
{
    const char *which = run->guest->plan->uuid;
    if (!run->state) /* one that numac did not start may have another */
        which = arena_printf(run->agent->arena, "%s\n%s", which, run->guest->plan->name);
    if (!open_connection(run))
        return false;
    if (find(run, which)) {
        run->monitor = lend(run->engine_data);
        if (ask_threads(run))
            return true;
    }
    close_connection(run);
    return false;
}

static bool has_ended(struct run *run)
{
    g_autofree char *answer = NULL;
    run->engine_data = libvirt_child_start(-1);
    bool is_told =
        run->engine_data && libvirt_child_do(run->engine_data, ERRAND_OPEN, run->connect ? run->connect : "", &answer);
    g_clear_pointer(&answer, g_free);
    is_told = is_told && libvirt_child_do(run->engine_data, ERRAND_FIND, run->guest->plan->uuid, &answer);
    close_connection(run);
    return is_told && strcmp(answer, FOUND_RUNNING) != 0;
}

static bool places(struct run *run, char **out_text, char **out_error)
{
    char *answer;
    bool fine = libvirt_child_do(run->engine_data, ERRAND_PLACES, "", &answer);
    *(fine ? out_text : out_error) = answer;
    return fine;
}

/* libvirt may hold each thread to its CPUs by a cgroup of its own, which the kernel lets nobody overrule. */
static bool pin(struct run *run, enum thread_kind kind, uint32_t number, const struct ids *cpus)
{
    static const char *const words[] = {
        [THREADS_VCPU] = "vcpu", [THREADS_EMULATOR] = "emulator", [THREADS_IOTHREAD] = "iothread"
    };
    g_autofree char *what = g_strdup_printf("%s %u %s", words[kind], number, ids_text(run->agent->arena, cpus));
    g_autofree char *answer = NULL;
    return libvirt_child_do(run->engine_data, ERRAND_PIN, what, &answer);
}

static bool stop(struct run *run)
{
    return !run->engine_data || order(run, ERRAND_DESTROY, "", NM_engine_refused, "is not stopped");
}

/* libvirt is let go of, so that others can ask it.  On another machine there is nothing to stay with. */
static int wait_for(struct run *run)
{
    struct guest_state *state;
    close_connection(run);
    if (run->agent->is_remote)
        return 0;
    console_share(&run->state->record, run->console);
    if (run->console > 0)
        close(run->console);
    if (guest_take(run->agent, run->guest->plan->uuid, false, &state) != GUEST_HELD)
        return 0;
    if (guest_has_ended(state))
        guest_forget(state);
    else
        guest_release(state);
    return 0;
}

/* ---- definitions ------------------------------------------------------------------------------------------------ */

static bool dump(struct run *run, char **out_xml)
{
    *out_xml = NULL;
    if (!open_connection(run))
        return false;
    g_autofree char *which = g_strdup_printf("%s\n%s", run->guest->plan->uuid, run->guest->plan->name);
    g_autofree char *answer = NULL;
    bool fine = libvirt_child_do(run->engine_data, ERRAND_DUMP, which, &answer);
    if (!fine)
        refuse(run, NM_engine_refused, "cannot be shown", answer);
    else if (*answer)
        *out_xml = g_steal_pointer(&answer);
    close_connection(run);
    return fine;
}

static bool define(struct run *run, const char *xml)
{
    if (!open_connection(run))
        return false;
    bool fine = order(run, ERRAND_DEFINE, xml, NM_engine_refused, "is not defined");
    close_connection(run);
    return fine;
}

/* Where libvirt runs makes no difference to what it does. */
#define LIBVIRT_ANYWHERE                                                                                    \
    .places_threads = true, .is_ready = is_ready, .start = start, .proceed = proceed, .abandon = abandon,   \
    .attach = attach, .pin = pin, .stop = stop, .detach = close_connection, .dump = dump, .define = define, \
    .wait = wait_for

const struct engine engine_embed = { LIBVIRT_ANYWHERE, .kind = ENGINE_EMBED };

/* It may be that of another machine. */
const struct engine engine_libvirt = { LIBVIRT_ANYWHERE, .kind = ENGINE_LIBVIRT, .has_ended = has_ended,
                                       .places = places };
