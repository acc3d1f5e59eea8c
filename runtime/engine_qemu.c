/* SPDX-License-Identifier: MIT
 *
 * QEMU without libvirt: started by numac, watched over by a keeper, asked over a socket in the guest's folder.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "affinity.h"
#include "cgroup.h"
#include "engine.h"
#include "keeper.h"
#include "proc.h"

enum { DEATH_MILLISECONDS = 500, PATIENCE_SECONDS = 30, END_MILLISECONDS = 10000, LOG_BYTES = 1500 };

struct start { /* what belongs to a QEMU on its way up */
    struct run *run;
    struct keeper keeper;
    const char *log;
    uint64_t resident_bytes;
    int64_t progress_at; /* when the memory last grew */
};

static const char *path_in(const struct run *run, const char *file)
{
    return arena_printf(run->agent->arena, "%s/%s", run->state->path, file);
}

static struct finding *refuse(struct run *run, enum code code, const char *why)
{
    run->agent->is_refused = true;
    return tell(run->agent, code, "guest '%s' is not started: %s", run->guest->plan->name, why);
}

static bool refuse_engine(struct agent *agent, const struct bundle_guest *guest, const char *why)
{
    struct finding *finding = tell(agent, NM_engine_cannot, "guest '%s' has %s", guest->plan->name, why);
    finding_help(agent->findings, finding, "run it with '--engine embed' or '--engine libvirt'");
    agent->is_refused = true;
    return false;
}

static bool is_ready(struct agent *agent, const struct bundle_guest *guest)
{
    if (!guest->argv)
        return refuse_engine(agent, guest, "a base, which only libvirt understands");
    if (guest->plan->resctrl_count)
        return refuse_engine(agent, guest,
                             "parts of caches or of memory bandwidth, which only libvirt gives its vcpus");
    g_autofree char *program = g_find_program_in_path(guest->argv[0]);
    if (program)
        return true;
    struct finding *finding = tell(agent, NM_engine_missing, "'%s' is not on this machine", guest->argv[0]);
    finding_help(agent->findings, finding, "install it (Debian: %s)",
                 architecture_of(guest->plan->architecture)->package);
    agent->is_refused = true;
    return false;
}

/* ---- what QEMU is started with ---------------------------------------------------------------------------------- */

static const char *const *words_of(struct run *run, int socket)
{
    uint32_t count = 0;
    while (run->guest->argv[count])
        count++;
    g_autofree char *program = g_find_program_in_path(run->guest->argv[0]);
    const char **words = arena_array(run->agent->arena, const char *, count + 8);
    memcpy(words, run->guest->argv, count * sizeof *words);
    words[0] = arena_string(run->agent->arena, program, strlen(program));
    const char *own[] = { "-S", "-chardev",
                          arena_printf(run->agent->arena, "socket,id=numac-monitor,fd=%d,server=on,wait=off", socket),
                          "-mon", "chardev=numac-monitor,mode=control" };
    memcpy(words + count, own, sizeof own);
    return words;
}

static int listen_at(struct run *run, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        refuse(run, NM_state_folder, "the path of its folder is too long for a socket");
        return -1;
    }
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    unlink(path);
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end >= 0 && bind(end, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
        listen(end, 1) == 0)
        return end;
    refuse(run, NM_state_folder, g_strerror(errno));
    if (end >= 0)
        close(end);
    return -1;
}

/* ---- waiting for it --------------------------------------------------------------------------------------------- */

/* QEMU fills its memory before it answers: as long as that grows, it is at work. */
static bool is_at_work(void *state)
{
    struct start *start = state;
    const struct record *record = &start->run->state->record;
    if (!process_is(record->pid, record->pid_start))
        return false;
    uint64_t resident = proc_resident_bytes(record->pid);
    if (resident != start->resident_bytes) {
        start->resident_bytes = resident;
        start->progress_at = g_get_monotonic_time();
        progress_memory(start->run->agent, start->run->guest->plan, resident);
    }
    return g_get_monotonic_time() - start->progress_at < PATIENCE_SECONDS * G_TIME_SPAN_SECOND;
}

/* The end of what QEMU said, in its own words; NULL: nothing. */
static char *end_of_log(const char *log)
{
    g_autofree char *text = NULL;
    gsize length;
    if (!g_file_get_contents(log, &text, &length, NULL) || !length)
        return NULL;
    const char *from = length > LOG_BYTES ? text + length - LOG_BYTES : text;
    return g_strchomp(g_utf8_make_valid(from, -1));
}

static void quote_log(struct run *run, const char *log, struct finding *finding)
{
    g_autofree char *said = end_of_log(log);
    if (said)
        quote(run->agent, finding, "QEMU says", said);
}

static bool ask_threads(struct run *run, char **out_error)
{
    const struct plan_guest *guest = run->guest->plan;
    if (!monitor_threads(run->monitor, run->agent->arena, guest, &run->threads, out_error))
        return false;
    run->threads.qemu = run->state->record.pid;
    return true;
}

static void abandon(struct run *run)
{
    struct start *start = run->engine_data;
    monitor_close(run->monitor);
    run->monitor = NULL;
    if (process_is(run->state->record.pid, run->state->record.pid_start)) {
        kill(run->state->record.pid, SIGKILL);
        keeper_wait(&start->keeper);
    }
    keeper_close(&start->keeper);
    run->engine_data = NULL;
}

static bool greet(struct start *start)
{
    struct run *run = start->run;
    g_autofree char *error = NULL;
    start->progress_at = g_get_monotonic_time();
    run->monitor = monitor_connect(path_in(run, "monitor"), is_at_work, start, &error);
    progress_done(run->agent);
    if (run->monitor && ask_threads(run, &error))
        return true;
    if (interrupted())
        return false;
    /* a QEMU that closes its monitor is mostly about to end */
    bool lives = !process_ends(run->state->record.pid, run->state->record.pid_start, DEATH_MILLISECONDS);
    g_autofree char *said = run->is_trial && !lives ? end_of_log(start->log) : NULL;
    if (said) {
        run->refusal = arena_string(run->agent->arena, said, strlen(said));
        return false;
    }
    struct finding *finding = refuse(run, lives ? NM_monitor_broken : NM_engine_refused,
                                     lives ? error : "QEMU ended before its CPUs could start");
    quote_log(run, start->log, finding);
    return false;
}

static bool start_qemu(struct run *run)
{
    struct start *start = arena_take(run->agent->arena, struct start);
    *start = (struct start){ .run = run, .log = path_in(run, "qemu.log") };
    int socket = listen_at(run, path_in(run, "monitor"));
    if (socket < 0)
        return false;
    struct launch launch = {
        .argv = words_of(run, socket),
        .cpus = cpus_of_guest(run->agent->arena, run->guest->plan), /* before each thread gets its own */
        .log = start->log,
        .console = run->agent->bundle->detach ? path_in(run, "console.log") : NULL,
        .kept = &socket,
        .kept_count = 1,
        .cgroup = run->cgroup,
    };
    const char *what;
    int trouble = keeper_start(run->agent, &launch, run->state->record.uuid, &start->keeper, &what);
    close(socket);
    if (trouble) {
        g_autofree char *why = g_strdup_printf("QEMU cannot have %s: %s", what, g_strerror(trouble));
        refuse(run, NM_engine_refused, why);
        return false;
    }
    run->engine_data = start;
    run->state->record.pid = start->keeper.qemu;
    run->state->record.pid_start = process_start(start->keeper.qemu);
    run->state->record.keeper = start->keeper.keeper;
    cgroup_look(run);
    if (guest_write(run->agent, run->state) && greet(start))
        return true;
    abandon(run);
    return false;
}

static bool proceed(struct run *run)
{
    struct start *start = run->engine_data;
    g_autofree char *error = NULL;
    struct json_c_object *fine = monitor_ask(run->monitor, "cont", &error);
    json_object_put(fine);
    if (fine && keeper_release(&start->keeper))
        return true;
    if (interrupted())
        return false;
    struct finding *finding = refuse(run, NM_monitor_broken, error ? error : "its keeper is gone");
    quote_log(run, start->log, finding);
    return false;
}

/* ---- one that runs ---------------------------------------------------------------------------------------------- */

static bool attach(struct run *run)
{
    g_autofree char *error = NULL;
    run->monitor = monitor_connect(path_in(run, "monitor"), NULL, NULL, &error);
    if (run->monitor && ask_threads(run, &error))
        return true;
    tell(run->agent, NM_monitor_broken, "QEMU of guest '%s' does not answer: %s", run->guest->plan->name, error);
    run->agent->is_refused = true;
    return false;
}

static void detach(struct run *run)
{
    struct start *start = run->engine_data;
    monitor_close(run->monitor);
    run->monitor = NULL;
    if (start)
        keeper_close(&start->keeper);
    run->engine_data = NULL;
}

/* QEMU is asked first, so that it closes its disks well. */
static bool stop(struct run *run)
{
    const struct record *record = &run->state->record;
    g_autofree char *error = NULL;
    struct json_c_object *is_asked = run->monitor ? monitor_ask(run->monitor, "quit", &error) : NULL;
    json_object_put(is_asked);
    bool has_ended = is_asked && process_ends(record->pid, record->pid_start, END_MILLISECONDS);
    while (!has_ended && process_is(record->pid, record->pid_start)) {
        kill(record->pid, SIGKILL);
        has_ended = process_ends(record->pid, record->pid_start, END_MILLISECONDS);
    }
    return true;
}

/* One signal to numac ends a guest that shares its terminal, a second one ends numac alone. */
static void stay_until_asked(const struct run *run, const struct keeper *keeper)
{
    struct pollfd watched[] = { { .fd = keeper->report, .events = POLLIN },
                                { .fd = interrupt_descriptor(), .events = POLLIN } };
    while (poll(watched, G_N_ELEMENTS(watched), -1) < 0 && errno == EINTR && !interrupted())
        continue;
    if (interrupted() && process_is(run->state->record.pid, run->state->record.pid_start))
        kill(run->state->record.pid, SIGTERM);
}

static int wait_for(struct run *run)
{
    struct start *start = run->engine_data;
    monitor_close(run->monitor); /* others may ask now */
    run->monitor = NULL;
    stay_until_asked(run, &start->keeper);
    int status = keeper_wait(&start->keeper);
    return status < 0 ? 0 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

const struct engine engine_qemu = {
    .kind = ENGINE_QEMU,
    .is_ready = is_ready,
    .start = start_qemu,
    .proceed = proceed,
    .abandon = abandon,
    .attach = attach,
    .stop = stop,
    .detach = detach,
    .wait = wait_for,
};
