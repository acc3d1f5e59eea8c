/* SPDX-License-Identifier: MIT
 *
 * Which of QEMU's memory is a cell's: the backend that QEMU gave it, and where that lies in QEMU's address space.
 */
#pragma once

#include "monitor.h"
#include "plan/plan.h"

struct backing {
    const char *name;        /* "ram-cell0"; libvirt: "ram-node0", "pc.ram" */
    uint64_t begin;          /* in QEMU's address space; 0: not found */
    uint64_t bytes;          /* as QEMU has it */
    const char *policy;      /* QEMU's word: "bind"; NULL: it tells none */
    const struct ids *nodes; /* NULL: it tells none */
    bool is_by_order;        /* others are as large: only their order tells them apart */
};

/* One row a cell; a cell without memory has no name.  False: *out_error says why. */
bool backing_find(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest, struct backing *out,
                  char **out_error);

/* The same without a monitor, from what the kernel maps; what is not found begins at 0. */
struct memory;
void backing_of_process(struct arena *arena, const struct memory *memory, const struct plan_guest *guest,
                        struct backing *out);
