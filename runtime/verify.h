/* SPDX-License-Identifier: MIT
 *
 * The plan against what is so: every thread's CPUs and class, every cell's pages by node, their size and policy, and
 * the cells as QEMU tells them to the guest.  Nothing is changed here.
 */
#pragma once

#include "proc.h"
#include "step.h"

enum verdict {
    VERDICT_EXACT,
    VERDICT_WRONG,
    VERDICT_UNTOUCHED, /* no page of it was used yet, so none can be wrong */
    VERDICT_TOLD,      /* libvirt, or QEMU, was told so; nobody looked whether it is */
    VERDICT_UNKNOWN    /* cannot be seen from here */
};

enum fact_kind { FACT_THREAD, FACT_CLASS, FACT_PAGES, FACT_PAGE_SIZE, FACT_POLICY, FACT_CELL, FACT_CGROUP };

struct fact {
    enum fact_kind kind;
    const char *what;           /* "vcpu 3", "cell 0" */
    const char *planned, *real; /* "cpus 4-5"; for people */
    enum verdict verdict;
    pid_t task; /* of a thread; on another machine: what its engine calls it */
    enum thread_kind threads;
    uint32_t number;
    const struct ids *cpus; /* planned, of a thread */
    struct plan_scheduling scheduling;
    struct memory memory;    /* of a cell */
    const struct ids *nodes; /* planned, of a cell */
};

struct facts {
    const struct fact *rows;
    uint32_t count;
    uint32_t wrong, unknown;
};

/* False with a finding: the guest cannot be looked into at all. */
bool verify_look(struct run *run, struct facts *out);
/* Of a guest on another machine, what libvirt and QEMU tell of its threads and memory (verify_elsewhere.c): appends to
 * an array of struct fact.  False: *out_error, to be freed. */
bool elsewhere_look(struct run *run, GArray *facts, char **out_error);
/* Looks, and tells each fact that is wrong; false if one is. */
bool verify_run(struct run *run);
void verify_tell(struct run *run, const struct facts *facts);

/* Puts back what is wrong, and tells each thing; look again to know what became of it. */
void repair_run(struct run *run, const struct facts *facts);

void facts_text(const struct bundle_guest *guest, const struct facts *facts, GString *out);
void facts_json(struct json *json, const struct bundle_guest *guest, const struct facts *facts);
