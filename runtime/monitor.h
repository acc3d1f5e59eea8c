/* SPDX-License-Identifier: MIT
 *
 * Asking QEMU: to each question an answer, over its own socket or through libvirt.  QEMU is not trusted to answer soon,
 * in JSON, or at all.
 */
#pragma once

#include "plan/json_c.h"

#include "base/base.h"
#include "plan/plan.h"

struct monitor {
    /* Asks QMP commands, all at once where that can be, and gives an answer for each, as text, to be freed.  False:
     * none, and *out_error, to be freed, too. */
    bool (*exchange)(struct monitor *monitor, const char *const *commands, size_t count, char **out_answers,
                     char **out_error);
    void (*close)(struct monitor *monitor);
};

struct question {
    const char *command;   /* of QMP; NULL: */
    const char *line;      /* of the human monitor, without anything to quote; its answer is a text */
    const char *arguments; /* of the command, in JSON; NULL: none */
};

/* What stands behind "return" of each answer.  False: none, and *out_error says why, to be freed. */
bool monitor_ask_all(struct monitor *monitor, const struct question *questions, size_t count,
                     struct json_c_object **out_values, char **out_error);
struct json_c_object *monitor_ask(struct monitor *monitor, const char *command,
                                  char **out_error); /* NULL: *out_error */
void monitor_close(struct monitor *monitor);         /* accepts NULL */

/* QEMU's socket.  Waits for the greeting while `is_patient` says so: QEMU is silent while it fills its memory. */
struct monitor *monitor_connect(const char *path, bool (*is_patient)(void *state), void *state, char **out_error);

/* ---- what runs --------------------------------------------------------------------------------------------------- */

struct guest_threads {
    pid_t qemu;
    uint32_t vcpu_count, iothread_count;
    pid_t *vcpus;     /* by number; 0: not there */
    pid_t *iothreads; /* by position in the plan; 0: not there */
    bool is_nameless; /* nobody tells which thread is which */
};

/* False: *out_error says why. */
bool monitor_threads(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest,
                     struct guest_threads *out, char **out_error);
bool is_guest_thread(const struct guest_threads *threads, pid_t task); /* a vCPU or an iothread */
