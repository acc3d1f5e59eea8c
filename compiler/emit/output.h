/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the files that an earlier build left in the output folder.
 */
#pragma once

#include "base/base.h"

#define PLAN_FILE "plan.json"

/* Files beside their places until all is written.  Those of plans are the journal: one that is left tells which files a
 * killed run may have put in place, and stays until a run comes to its end. */
#define TEMPORARY ".numac-tmp-"
#define TEMPORARY_PLAN TEMPORARY "plan-"

/* The names of the files that the plans in the folder stand for: guests times the outputs of the targets.  Read
 * leniently: what is no plan of ours names nothing.  The strings are the table's own. */
GHashTable *files_of_old_plans(int folder);

/* The whole of a plain file in the folder, without following a symbolic link; NULL where there is none. */
char *read_plain_file(int folder, const char *name, size_t most, size_t *out_length);
