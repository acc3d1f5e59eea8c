/* SPDX-License-Identifier: MIT
 *
 * Who runs the guest: libvirt inside numac, a libvirt daemon, or QEMU alone.  One row each; what an engine
 * cannot do stands in the row, and steps_of() leaves it out or does it itself.
 */
#pragma once

#include "step.h"

struct engine {
    enum engine_kind kind;
    bool places_threads; /* pins vCPUs, emulator and iothreads, and gives them their classes, by itself */

    /* What it needs is there; false with a finding. */
    bool (*is_ready)(struct agent *agent, const struct bundle_guest *guest);
    /* CPUs stopped; fills the monitor and the record's process.  False with a finding, and nothing is left; a trial
     * that QEMU refuses has no finding, but the refusal. */
    bool (*start)(struct run *run);
    bool (*proceed)(struct run *run); /* from here on the guest outlives the agent */
    void (*abandon)(struct run *run); /* takes `start` back */
    /* To a guest that runs: fills the monitor; false with a finding, or without one where it has ended. */
    bool (*attach)(struct run *run);
    /* Lets a thread run on these CPUs, past what the engine itself holds it to; NULL: it holds to nothing. */
    bool (*pin)(struct run *run, enum thread_kind kind, uint32_t number, const struct ids *cpus);
    bool (*stop)(struct run *run);   /* at once, as if its power went; attached */
    void (*detach)(struct run *run); /* lets go of what attach or start opened */
    /* On another machine, where no process tells: it is sure that the guest does not run.  Not attached. */
    bool (*has_ended)(struct run *run);
    /* Attached: the CPUs of its threads, in lines of ERRAND_PLACES, to be freed; false: *out_error, to be freed. */
    bool (*places)(struct run *run, char **out_text, char **out_error);
    /* Of one that is defined, or runs: its XML, to be freed; NULL without a finding where there is none. */
    bool (*dump)(struct run *run, char **out_xml);
    bool (*define)(struct run *run, const char *xml);
    /* Stays until the guest ends: its exit status.  NULL: it has no console to share. */
    int (*wait)(struct run *run);
};

const struct engine *engine_of(enum engine_kind kind);
extern const struct engine engine_qemu, engine_embed, engine_libvirt;
extern const struct engine engine_process; /* of a guest that numac did not start: can be attached to, no more */
