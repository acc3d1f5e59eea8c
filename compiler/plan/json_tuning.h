/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: the JSON of scheduling classes, worker threads, polling and parts of caches, written
 * (json_tuning.c) and read back (json_tuning_read.c).  What the site does not say is left out.
 */
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

void write_iothread_tuning(struct json *json, const struct plan_iothread *iothread);
void write_tuning(struct json *json, const struct plan_guest *guest);

void read_iothread_tuning(struct plan_reader *reader, struct json_c_object *object, struct plan_iothread *iothread);
/* Behind vcpus: sets are checked against their number. */
void read_tuning(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest);
