/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the QEMU command of a guest, for the plain list of words and for the script.
 */
#pragma once

#include "emit/argv_writer.h"
#include "plan/plan.h"

/* Program and arguments.  The script may have written a word before (taskset), so the caller sets what parts words. */
void qemu_command(struct argv *argv, const struct plan_guest *guest);
