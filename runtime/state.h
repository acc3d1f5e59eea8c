/* SPDX-License-Identifier: MIT
 *
 * What is known of the guests that numac started, in one folder a user, XDG_RUNTIME_DIR/numac, or for the system:
 * /run/numac, unless root's XDG_RUNTIME_DIR says otherwise (state.c).  One folder a guest, named by its UUID, holding a
 * record that is written before anything is done that would outlive the agent.  A guest whose agent died before its
 * CPUs started is taken back by whoever looks next.
 */
#pragma once

#include "agent.h"

#include <sys/types.h>

enum guest_phase { PHASE_STARTING, PHASE_RUNNING };

struct reservation { /* huge pages added to a node for a guest */
    uint32_t node;
    uint64_t page_bytes, count;
    uint64_t before; /* pages in the pool then */
    bool is_made;    /* else announced only: the kernel may have been asked, or not */
};

struct record {
    const char *name, *uuid, *site;
    enum engine_kind engine;
    const char *connect;
    enum guest_phase phase;
    uint64_t begun;     /* when, in clock ticks since boot: what is older is not of this start */
    pid_t pid;          /* of QEMU; 0: not started yet */
    uint64_t pid_start; /* of that process, in clock ticks since boot: a number may be used again */
    pid_t keeper;
    const char *cgroup; /* path of its cgroup; NULL: none */
    const struct reservation *reservations;
    uint32_t reservation_count;
};

struct guest_state { /* one guest's folder, locked while it is held */
    struct state *state;
    const char *path; /* of the folder */
    int lock;
    struct record record;
};

/* NULL with a finding.  Makes the folder, privately. */
struct state *state_open(struct agent *agent);
const char *state_folder(const struct state *state);
/* Takes back what was begun by agents that are dead, and forgets guests that ended; tells each with a hint. */
void state_recover(struct agent *agent);

enum guest_lookup { GUEST_ABSENT, GUEST_HELD, GUEST_BUSY, GUEST_TROUBLE };

/* HELD: *out is to be given back with guest_release(), or guest_forget(). */
enum guest_lookup guest_take(struct agent *agent, const char *uuid, bool create, struct guest_state **out);
void guest_release(struct guest_state *guest);
bool guest_write(struct agent *agent, struct guest_state *guest); /* the record, before what it announces */
/* The same in two: what can fail for want of room, and what makes it count. */
bool guest_prepare(struct agent *agent, struct guest_state *guest);
bool guest_commit(struct agent *agent, struct guest_state *guest);
/* Ends what the record tells: QEMU, reserved pages, cgroup, the folder.  Also of a record left by a dead agent. */
void guest_forget(struct guest_state *guest);
void guest_end(struct guest_state *guest);             /* its QEMU alone */
void guest_end_unwritten(struct guest_state *guest);   /* QEMU that an engine started, and nobody wrote down yet */
bool guest_has_ended(const struct guest_state *guest); /* or was never up, and nobody is at work on it */

/* Visits all records, rising by site and name; those that cannot be read are told. */
void state_each(struct agent *agent, void (*visit)(struct agent *agent, const struct record *record, void *context),
                void *context);

/* Its libvirt is on another machine: no process and no page here is its own. */
bool is_elsewhere(enum engine_kind engine, const char *connect);

bool process_is(pid_t pid, uint64_t start);                     /* it runs, and is the one meant */
bool process_ends(pid_t pid, uint64_t start, int milliseconds); /* within that time, or has */
uint64_t process_start(pid_t pid);                              /* 0: there is none */
