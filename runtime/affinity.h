/* SPDX-License-Identifier: MIT
 *
 * Where a thread runs, and in which class.  All give 0, or errno; ESRCH: the thread is gone.
 */
#pragma once

#include "plan/plan.h"

#include <sys/types.h>

int affinity_set(pid_t task, const struct ids *cpus); /* task 0: the caller */
int scheduling_set(pid_t task, const struct plan_scheduling *scheduling);
/* All CPUs that the plan gives its threads; NULL: some may run anywhere. */
const struct ids *cpus_of_guest(struct arena *arena, const struct plan_guest *guest);
enum thread_class class_of_policy(int policy); /* of the kernel's number for a class */
