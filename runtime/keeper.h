/* SPDX-License-Identifier: MIT
 *
 * The parent of a QEMU that numac started itself.  Until it is released, QEMU ends with the agent, however the agent
 * ends; afterwards the keeper stays for as long as QEMU runs, and takes back behind it what was made for it.
 */
#pragma once

#include "state.h"

struct cgroup;

struct keeper {
    pid_t keeper, qemu;
    int control; /* one byte releases; its end means that the agent is dead */
    int report;  /* how QEMU ended: four bytes, a wait status */
};

struct launch {
    const char *const *argv; /* ends with NULL; the program as a path */
    const struct ids *cpus;  /* it starts on; NULL: as numac */
    const char *log;         /* takes what QEMU says on standard error */
    const char *console;     /* takes its standard output, and its input is empty; NULL: those of numac */
    const int *kept;         /* descriptors QEMU gets under the same numbers */
    uint32_t kept_count;
    const struct cgroup *cgroup; /* it enters first; NULL: none */
};

/* 0, or errno: *out_what says what could not be done. */
int keeper_start(struct agent *agent, const struct launch *launch, const char *uuid, struct keeper *out,
                 const char **out_what);
bool keeper_release(struct keeper *keeper);
int keeper_wait(struct keeper *keeper); /* until QEMU ends: its wait status; -1: not known */
void keeper_close(struct keeper *keeper);
