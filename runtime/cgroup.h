/* SPDX-License-Identifier: MIT
 *
 * The cgroup of a guest that QEMU runs alone: the kernel then holds all its threads, those to come too, to the CPUs and
 * nodes of the plan.  cgroup v2 only; a scope of systemd where that manages the tree, else a folder of our own.
 */
#pragma once

#include "step.h"

struct cgroup_limits {
    const struct ids *cpus, *nodes; /* NULL: not held */
};

struct cgroup {
    const char *path; /* its folder; of a scope known once QEMU is in it */
    bool is_scope;    /* systemd makes it, and takes it away behind its last process */
    struct cgroup_limits limits;
    const char *uuid, *name; /* of the guest */
    char *trouble;           /* told by QEMU-to-be, which enters it; shared memory */
};

/* What the plan holds the whole guest to. */
struct cgroup_limits cgroup_limits(struct arena *arena, const struct plan_guest *guest);
/* The same on this machine: with the CPUs of threads that fill memory near its nodes. */
struct cgroup_limits cgroup_planned(struct arena *arena, const struct plan_guest *guest);
const char *cgroup_limits_text(struct arena *arena, const struct cgroup_limits *limits); /* "cpus 0-1, nodes 0" */

/* A guest that can have none starts without, and a hint says why: true all the same.  False with a finding. */
bool cgroup_prepare(struct run *run);
void cgroup_enter(const struct cgroup *cgroup); /* by QEMU, before it is QEMU */
/* Behind the start: is it in there, and does that hold?  Else the hint. */
void cgroup_look(struct run *run);
void cgroup_remove(const char *path); /* and the folder of all guests behind the last one */

/* By the kernel: the folder of the cgroup of a process, NULL: not known; what one that is there holds to. */
const char *cgroup_of(struct arena *arena, pid_t pid);
struct cgroup_limits cgroup_read(struct arena *arena, const char *path);
int cgroup_write(const char *path, const struct cgroup_limits *limits); /* 0, or errno */
int cgroup_put(const char *path, pid_t pid);                            /* moves the process there; 0, or errno */
bool cgroup_fits(const struct cgroup_limits *planned, const struct cgroup_limits *real);

/* ---- systemd (scope.c) ---- */
bool scope_is_possible(void); /* a systemd manages the tree */
/* The caller into a scope of its own.  False: why, in `trouble`. */
bool scope_enter(const struct cgroup *cgroup, char *trouble, size_t room);
