/* SPDX-License-Identifier: MIT
 *
 * Puts back what can be put back while a guest runs: threads onto their CPUs, pages onto their nodes.  Page sizes,
 * policies and cells are set when QEMU starts, and stay wrong.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "affinity.h"
#include "cgroup.h"
#include "engine.h"
#include "proc.h"
#include "verify.h"

enum { PAGES_AT_ONCE = 4096, MOVE_ONLY_OWN = 1 << 1 /* MPOL_MF_MOVE */, MOST_TRIES = 10, PAUSE_MILLISECONDS = 20 };

struct moved {
    uint64_t pages, stuck;
    int trouble;
};

/* Those of the pages at `addresses` that are on a node not planned, and where each is to go. */
static long find_outside(pid_t pid, void **addresses, unsigned long count, const struct ids *nodes, void **outside,
                         int *targets)
{
    int status[PAGES_AT_ONCE];
    long wrong = 0;
    if (syscall(SYS_move_pages, pid, count, addresses, NULL, status, 0) < 0)
        return -1;
    for (unsigned long i = 0; i < count; i++)
        if (status[i] >= 0 && !ids_contains(nodes, (uint32_t)status[i])) {
            targets[wrong] = (int)ids_nth(nodes, (uint32_t)wrong % (uint32_t)ids_size(nodes));
            outside[wrong++] = addresses[i];
        }
    return wrong;
}

/* A page that a CPU is at work on does not move at that moment. */
static void move_pages_of(pid_t pid, void **addresses, unsigned long count, const struct ids *nodes,
                          struct moved *moved)
{
    int status[PAGES_AT_ONCE], targets[PAGES_AT_ONCE];
    void *outside[PAGES_AT_ONCE];
    long first = find_outside(pid, addresses, count, nodes, outside, targets), wrong = first;
    for (unsigned tries = 0; wrong > 0 && tries < MOST_TRIES; tries++) {
        if (tries)
            g_usleep(PAUSE_MILLISECONDS * 1000);
        if (syscall(SYS_move_pages, pid, wrong, outside, targets, status, MOVE_ONLY_OWN) < 0)
            break;
        wrong = find_outside(pid, addresses, count, nodes, outside, targets);
    }
    moved->trouble = wrong < 0 ? errno : 0;
    if (wrong < 0)
        return;
    moved->pages += (uint64_t)MAX(first - wrong, 0);
    moved->stuck += (uint64_t)wrong;
}

static void move_area(pid_t pid, const struct memory_area *area, const struct ids *nodes, struct moved *moved)
{
    void *addresses[PAGES_AT_ONCE];
    unsigned long count = 0;
    for (uint64_t at = area->begin; at < area->end && !moved->trouble; at += area->page_bytes) {
        addresses[count++] = (void *)(uintptr_t)at;
        if (count < PAGES_AT_ONCE && at + area->page_bytes < area->end)
            continue;
        move_pages_of(pid, addresses, count, nodes, moved);
        count = 0;
    }
}

static void tell_moved(struct run *run, const struct fact *fact, const struct moved *moved)
{
    const char *guest = run->guest->plan->name;
    if (moved->trouble || moved->stuck) {
        struct finding *finding =
            tell(run->agent, NM_repair_failed, "%s of guest '%s' cannot be moved to %s: %s", fact->what, guest,
                 fact->planned, moved->trouble ? g_strerror(moved->trouble) : "some pages stay where they are");
        if (moved->stuck)
            finding_note(run->agent->findings, finding,
                         "%" G_GUINT64_FORMAT " pages moved, %" G_GUINT64_FORMAT
                         " did not: the node is full, or devices hold them",
                         moved->pages, moved->stuck);
        return;
    }
    tell(run->agent, NM_repaired, "%s of guest '%s': %" G_GUINT64_FORMAT " pages moved to %s", fact->what, guest,
         moved->pages, fact->planned);
}

static void repair_pages(struct run *run, const struct fact *fact)
{
    struct moved moved = { 0 };
    for (uint32_t i = 0; i < fact->memory.count && !moved.trouble; i++)
        move_area(run->threads.qemu, &fact->memory.areas[i], fact->nodes, &moved);
    tell_moved(run, fact, &moved);
}

static void repair_thread(struct run *run, const struct fact *fact, int trouble, const char *what)
{
    if (trouble)
        tell(run->agent, NM_repair_failed, "%s of guest '%s' cannot be put back: %s", fact->what,
             run->guest->plan->name, g_strerror(trouble));
    else
        tell(run->agent, NM_repaired, "%s of guest '%s': thread %d put back to %s%s", fact->what,
             run->guest->plan->name, fact->task, what, fact->planned);
}

/* On another machine only libvirt reaches them. */
static void repair_elsewhere(struct run *run, const struct fact *fact)
{
    const char *guest = run->guest->plan->name;
    if (run->engine->pin(run, fact->threads, fact->number, fact->cpus))
        tell(run->agent, NM_repaired, "%s of guest '%s': put back to %s", fact->what, guest, fact->planned);
    else
        tell(run->agent, NM_repair_failed, "%s of guest '%s' cannot be put back: libvirt refuses", fact->what, guest);
}

/* Through the engine where it keeps threads to CPUs itself; whatever came of that, the kernel is asked, too. */
static int pin(struct run *run, const struct fact *fact)
{
    const struct guest_threads *threads = &run->threads;
    enum thread_kind kind = THREADS_EMULATOR;
    uint32_t number = 0;
    for (uint32_t i = 0; i < threads->vcpu_count; i++)
        if (threads->vcpus[i] == fact->task) {
            kind = THREADS_VCPU;
            number = i;
        }
    for (uint32_t i = 0; i < threads->iothread_count; i++)
        if (threads->iothreads[i] == fact->task) {
            kind = THREADS_IOTHREAD;
            number = run->guest->plan->iothreads[i].id;
        }
    if (run->engine->pin && (kind != THREADS_EMULATOR || fact->cpus == run->guest->plan->emulator_cpus))
        run->engine->pin(run, kind, number, fact->cpus);
    return affinity_set(fact->task, fact->cpus);
}

/* First: what it holds threads away from, they cannot be put back to. */
static void repair_cgroup(struct run *run, const struct fact *fact)
{
    struct cgroup_limits planned = cgroup_planned(run->agent->arena, run->guest->plan);
    int trouble = cgroup_write(run->state->record.cgroup, &planned);
    trouble = trouble ? trouble : cgroup_put(run->state->record.cgroup, run->threads.qemu);
    if (trouble)
        tell(run->agent, NM_repair_failed, "the cgroup of guest '%s' cannot be put back: %s", run->guest->plan->name,
             g_strerror(trouble));
    else
        tell(run->agent, NM_repaired, "the cgroup of guest '%s' holds to %s again", run->guest->plan->name,
             fact->planned);
}

void repair_run(struct run *run, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->count; i++)
        if (facts->rows[i].kind == FACT_CGROUP && facts->rows[i].verdict == VERDICT_WRONG)
            repair_cgroup(run, &facts->rows[i]);
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->rows[i];
        if (fact->verdict != VERDICT_WRONG)
            continue;
        if (run->agent->is_remote && fact->kind == FACT_THREAD)
            repair_elsewhere(run, fact);
        else if (fact->kind == FACT_THREAD && fact->task)
            repair_thread(run, fact, pin(run, fact), "");
        else if (fact->kind == FACT_CLASS)
            repair_thread(run, fact, scheduling_set(fact->task, &fact->scheduling), "class ");
        else if (fact->kind == FACT_PAGES)
            repair_pages(run, fact);
    }
}
