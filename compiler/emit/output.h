/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the files that an earlier build left in the output folder.
 */
#pragma once

#include "base/base.h"

#define PLAN_FILE "plan.json"

/* The names of the files that the plan in the folder stands for: guests times the outputs of its targets.  Read
 * leniently: what is no plan of ours names nothing.  The strings are the table's own. */
GHashTable *files_of_old_plan(int folder);

/* The whole of a plain file in the folder, without following a symbolic link; NULL where there is none. */
char *read_plain_file(int folder, const char *name, size_t most, size_t *out_length);
