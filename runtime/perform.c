/* SPDX-License-Identifier: MIT
 *
 * Performs the steps of a guest in order, and takes them back from the last to the first when one fails.
 */
#include <errno.h>
#include <string.h>

#include "affinity.h"
#include "cgroup.h"
#include "engine.h"
#include "host_as_planned.h"
#include "host_pages.h"
#include "proc.h"
#include "verify.h"

enum { HELD_MILLISECONDS = 50 };

/* Says which step failed, in front of why. */
static struct finding *refuse(struct run *run, enum code code, const char *why)
{
    run->agent->is_refused = true;
    return tell(run->agent, code, "guest '%s' is not started: step '%s' failed: %s", run->guest->plan->name,
                run->agent->step, why);
}

static bool see_host(struct run *run, G_GNUC_UNUSED const struct step *step)
{
    return host_is_as_planned(run);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static bool see_room(struct run *run, const struct step *step)
{
    uint64_t bytes;
    if (!node_free_bytes(step->node, &bytes)) {
        struct finding *finding = refuse(run, NM_node_missing, "this machine has no such node");
        finding_help(run->agent->findings, finding, "record this host anew: 'numac host record > host.xml'");
        return false;
    }
    if (bytes >= step->bytes)
        return true;
    g_autofree char *why = g_strdup_printf("it has %" G_GUINT64_FORMAT "MiB", bytes / MIB);
    struct finding *finding = refuse(run, NM_no_room, why);
    finding_help(run->agent->findings, finding, "stop a guest there, or give the cell another node");
    return false;
}

/* Of two guests that start at once the second counts the pages that the first one left: the pool is held until QEMU
 * has its memory. */
static bool hold_pool(struct run *run, const struct step *step)
{
    int pool = pool_hold(step->node, step->page_bytes);
    while (pool < 0 && errno == EWOULDBLOCK && pause_unless_interrupted(HELD_MILLISECONDS))
        pool = pool_hold(step->node, step->page_bytes);
    if (pool < 0)
        return !interrupted(); /* there is none, as will be told */
    run->pools = g_renew(int, run->pools, run->pool_count + 1);
    run->pools[run->pool_count++] = pool;
    return true;
}

static void let_go_of_pools(struct run *run)
{
    for (uint32_t i = 0; i < run->pool_count; i++)
        pool_let_go(run->pools[i]);
    g_free(run->pools);
    run->pools = NULL;
    run->pool_count = 0;
}

static bool has_pages(struct run *run, const struct step *step)
{
    uint64_t count;
    if (pages_free(step->node, step->page_bytes, &count) && count >= step->count)
        return true;
    g_autofree char *size = g_strdup_printf("%" G_GUINT64_FORMAT, step->page_bytes / KIB);
    g_autofree char *why = pages_free(step->node, step->page_bytes, &count)
                               ? g_strdup_printf("it has %" G_GUINT64_FORMAT, count)
                               : g_strdup("this machine has no such pool");
    struct finding *finding = refuse(run, NM_no_pages, why);
    finding_help(run->agent->findings, finding,
                 "add them in /sys/devices/system/node/node%u/hugepages/hugepages-%skB/nr_hugepages, or let "
                 "'--reserve-pages' do it for as long as the guest runs",
                 step->node, size);
    return false;
}

static bool see_pages(struct run *run, const struct step *step)
{
    return hold_pool(run, step) && has_pages(run, step);
}

/* Written down before it is made: an agent that dies in between leaves a record of what may have happened. */
static bool announce(struct run *run, const struct reservation *reservation)
{
    struct record *record = &run->state->record;
    struct reservation *more = arena_array(run->agent->arena, struct reservation, record->reservation_count + 1);
    if (record->reservation_count)
        memcpy(more, record->reservations, record->reservation_count * sizeof *more);
    more[record->reservation_count] = *reservation;
    record->reservations = more;
    record->reservation_count++;
    return guest_write(run->agent, run->state);
}

static bool reserve(struct run *run, const struct step *step)
{
    uint64_t free_count, total, added;
    if (!hold_pool(run, step))
        return false;
    if (!pages_free(step->node, step->page_bytes, &free_count) || !pages_total(step->node, step->page_bytes, &total) ||
        free_count >= step->count)
        return has_pages(run, step);
    struct reservation reservation = {
        .node = step->node, .page_bytes = step->page_bytes, .count = step->count - free_count, .before = total
    };
    if (!announce(run, &reservation))
        return false;
    int trouble = pages_add(&reservation, &added);
    struct reservation *made = arena_copy(run->agent->arena, run->state->record.reservations,
                                          run->state->record.reservation_count * sizeof *made);
    made[run->state->record.reservation_count - 1].is_made = true;
    made[run->state->record.reservation_count - 1].count = added;
    run->state->record.reservations = made;
    if (!guest_write(run->agent, run->state))
        return false;
    if (!trouble)
        return true;
    g_autofree char *why = trouble == ENOMEM
                               ? g_strdup_printf("the kernel finds only %" G_GUINT64_FORMAT " more of them", added)
                               : g_strdup(g_strerror(trouble));
    struct finding *finding = refuse(run, NM_no_pages, why);
    finding_help(run->agent->findings, finding, "reserve huge pages when the host starts, before memory is scattered");
    return false;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static int place(const struct step *step, pid_t task)
{
    return step->kind == STEP_PIN ? affinity_set(task, step->cpus) : scheduling_set(task, &step->scheduling);
}

/* All threads that are neither vCPUs nor iothreads, or the kernel's workers of vhost. */
static int place_others(struct run *run, const struct step *step)
{
    const struct task *tasks;
    uint32_t count = 0;
    int trouble = 0;
    if (step->threads == THREADS_VHOST)
        proc_vhost_workers(run->agent->arena, run->threads.qemu, &tasks, &count);
    else if (!proc_tasks(run->agent->arena, run->threads.qemu, &tasks, &count))
        return ESRCH;
    for (uint32_t i = 0; !trouble && i < count; i++) {
        bool is_meant = step->threads == THREADS_VHOST ||
                        (!is_guest_thread(&run->threads, tasks[i].id) && !task_is_vhost(&tasks[i]));
        int one = is_meant ? place(step, tasks[i].id) : 0;
        trouble = one == ESRCH && tasks[i].id != run->threads.qemu ? 0 : one; /* a helper thread that ended */
    }
    return trouble;
}

static bool place_threads(struct run *run, const struct step *step)
{
    int trouble;
    if (step->threads == THREADS_VCPU || step->threads == THREADS_IOTHREAD) {
        pid_t task =
            step->threads == THREADS_VCPU ? run->threads.vcpus[step->number] : run->threads.iothreads[step->number];
        trouble = task ? place(step, task) : ESRCH;
    } else {
        trouble = place_others(run, step);
    }
    if (!trouble)
        return true;
    struct finding *finding = refuse(run, NM_thread_refused, g_strerror(trouble));
    if (trouble == EINVAL)
        finding_help(run->agent->findings, finding, "none of these CPUs is online, or a cgroup keeps numac from them");
    else if (trouble == EPERM)
        finding_help(run->agent->findings, finding, "run numac as root, or with CAP_SYS_NICE");
    return false;
}

/* ---- one step --------------------------------------------------------------------------------------------------- */

static bool verify_start(struct run *run, G_GNUC_UNUSED const struct step *step)
{
    return verify_run(run);
}

static bool make_cgroup(struct run *run, G_GNUC_UNUSED const struct step *step)
{
    return cgroup_prepare(run);
}

/* KVM is proven by starting the guest with it.  What QEMU refuses with KVM and takes without was KVM's fault. */
static bool start_somehow(struct run *run)
{
    run->is_trial = run->guest->by_tcg != NULL;
    if (run->engine->start(run) || !run->refusal || interrupted())
        return run->monitor != NULL;
    run->is_trial = false;
    run->guest = run->guest->by_tcg;
    if (!run->engine->start(run))
        return false; /* so it was not KVM; what it was is told */
    struct finding *finding =
        tell(run->agent, NM_without_kvm, "guest '%s' runs by TCG, many times slower: KVM does not work",
             run->guest->plan->name);
    quote(run->agent, finding, "with KVM, QEMU says", run->refusal);
    finding_help(run->agent->findings, finding, "mend KVM; or write 'accel tcg' to mean it, 'accel kvm' to refuse it");
    return true;
}

static bool start(struct run *run, G_GNUC_UNUSED const struct step *step)
{
    bool fine = start_somehow(run);
    let_go_of_pools(run);
    return fine;
}

/* The record says that the guest runs once it does, and not before: dying in between must leave none that is listed
 * as running and stands still. */
static bool proceed(struct run *run, G_GNUC_UNUSED const struct step *step)
{
    run->state->record.phase = PHASE_RUNNING;
    if (!guest_prepare(run->agent, run->state))
        return false;
    return run->engine->proceed(run) && guest_commit(run->agent, run->state);
}

static bool (*const performers[STEP_KINDS])(struct run *run, const struct step *step) = {
    [STEP_HOST] = see_host,     [STEP_ROOM] = see_room,          [STEP_PAGES] = see_pages,
    [STEP_RESERVE] = reserve,   [STEP_CGROUP] = make_cgroup,     [STEP_START] = start,
    [STEP_PIN] = place_threads, [STEP_SCHEDULE] = place_threads, [STEP_VERIFY] = verify_start,
    [STEP_CONTINUE] = proceed,
};

static const char *text_of(struct run *run, const struct step *step)
{
    g_autoptr(GString) what = g_string_new(NULL);
    step_describe(run->guest, step, what);
    return arena_string(run->agent->arena, what->str, what->len);
}

/* A signal that comes while the CPUs are started is too late: they run. */
static bool perform(struct run *run, const struct step *step)
{
    return !interrupted() && performers[step->kind](run, step) && (!interrupted() || step->kind == STEP_CONTINUE);
}

bool steps_perform(struct run *run, const struct step_list *list)
{
    size_t errors = findings_count(run->agent->findings, ERROR);
    bool is_started = false, fine = true;
    for (uint32_t i = 0; fine && i < list->count; i++) {
        const struct step *step = &list->steps[i];
        run->agent->step = text_of(run, step);
        fine = perform(run, step);
        is_started |= step->kind == STEP_START && run->monitor;
        if (!fine && interrupted() && findings_count(run->agent->findings, ERROR) == errors)
            tell(run->agent, NM_interrupted, "interrupted at step '%s': guest '%s' is not started", run->agent->step,
                 run->guest->plan->name);
    }
    if (!fine && is_started)
        run->engine->abandon(run);
    let_go_of_pools(run);
    run->agent->step = NULL;
    return fine;
}
