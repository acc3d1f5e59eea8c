/* SPDX-License-Identifier: MIT
 *
 * What is done to start one guest, as data: a list of steps, made from the plan, shown by --dry-run, performed in
 * order, and undone backwards when one fails.
 */
#pragma once

#include "agent.h"
#include "monitor.h"
#include "state.h"

enum step_kind {
    STEP_HOST,     /* this machine is what the plan took it for */
    STEP_ROOM,     /* the node has so much free memory */
    STEP_PAGES,    /* the node has so many free huge pages */
    STEP_RESERVE,  /* and gets them if it has not */
    STEP_CGROUP,   /* a cgroup for QEMU */
    STEP_START,    /* QEMU, its CPUs stopped */
    STEP_PIN,      /* threads to CPUs */
    STEP_SCHEDULE, /* threads to a class */
    STEP_VERIFY,   /* everything is where the plan says */
    STEP_CONTINUE, /* start its CPUs */
    STEP_KINDS
};

enum thread_kind { THREADS_VCPU, THREADS_EMULATOR, THREADS_IOTHREAD, THREADS_VHOST };

struct step {
    enum step_kind kind;
    uint32_t node;
    uint64_t bytes, page_bytes, count;
    enum thread_kind threads;
    uint32_t number; /* vcpu, or position of the iothread */
    const struct ids *cpus;
    struct plan_scheduling scheduling;
};

struct engine;
struct cgroup;

struct run { /* one guest */
    struct agent *agent;
    const struct bundle_guest *guest; /* as it is on the host where it was found, once that is known */
    const struct engine *engine;
    struct guest_state *state; /* NULL: it was not started by numac */
    const char *connect;       /* of libvirt */
    const char *machine;       /* that it is on, as it calls itself; NULL: this one, or nobody asked */
    pid_t pid;                 /* of QEMU, where that is all there is */
    struct monitor *monitor;
    struct guest_threads threads;
    const char *ended;     /* how its engine knows that it does not run; NULL: it may */
    struct cgroup *cgroup; /* that QEMU enters; NULL: none */
    void *engine_data;
    int *pools; /* of huge pages, held until QEMU has its memory */
    uint32_t pool_count;
    int console;         /* of a guest that stays in the foreground, and whose engine has one to open; 0: none */
    bool is_trial;       /* what QEMU refuses is kept, and not told */
    const char *refusal; /* of a trial, in QEMU's words; NULL: it was not QEMU that refused */
};

struct step_list {
    const struct step *steps;
    uint32_t count;
};

struct step_list steps_of(struct agent *agent, const struct bundle_guest *guest, const struct engine *engine);
void step_describe(const struct bundle_guest *guest, const struct step *step,
                   GString *out); /* "pin vcpu 3 to cpus 4-5" */

/* True: the guest runs.  False with a finding: nothing is left of it. */
bool steps_perform(struct run *run, const struct step_list *list);
