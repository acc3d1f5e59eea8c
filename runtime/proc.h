/* SPDX-License-Identifier: MIT
 *
 * What the kernel tells of a process: its threads, where they may run, and where its memory lies.  Files of /proc
 * change while they are read, so everything here is a snapshot, and a thread may be gone.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

struct task {
    pid_t id;
    const char *name;
    const struct ids *cpus;         /* it may run on */
    uint32_t last_cpu;              /* it ran on last */
    int policy, real_time_priority; /* SCHED_.. */
};

/* Rising by id; false: the process is gone, or not ours to see. */
bool proc_tasks(struct arena *arena, pid_t pid, const struct task **out_tasks, uint32_t *out_count);

struct memory_area { /* a line of numa_maps with its end from maps */
    uint64_t begin, end;
    bool is_writable;
    const char *policy; /* "bind:0", "default" */
    uint64_t page_bytes;
    uint64_t *pages; /* by node, in page_bytes */
    uint32_t node_count;
};

struct memory { /* rising */
    const struct memory_area *areas;
    uint32_t count;
};

/* All of a process; false, and none: gone, or not ours to see.  The kernel walks through all its pages for it. */
bool proc_memory(struct arena *arena, pid_t pid, struct memory *out);
struct memory memory_within(const struct memory *all, uint64_t begin, uint64_t end); /* what overlaps; from 0: none */

/* Its command line, each word ended by NUL, to be freed; NULL: gone. */
char *proc_words(pid_t pid, size_t *out_length);

bool task_is_vhost(const struct task *task); /* a worker of the kernel's for a device of the guest */
/* All workers of the kernel's for devices of a process: among its threads, before Linux 6.4 beside them. */
void proc_vhost_workers(struct arena *arena, pid_t pid, const struct task **out_tasks, uint32_t *out_count);
pid_t proc_process_of(pid_t task);       /* the process a thread belongs to; 0: gone */
uint64_t proc_resident_bytes(pid_t pid); /* with huge pages; 0: gone */
uint64_t proc_start_ticks(pid_t pid);    /* since boot; 0: it ended */
uint64_t ticks_now(void);                /* on the same clock */
