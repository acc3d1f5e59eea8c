/* SPDX-License-Identifier: MIT
 *
 * A guest's record on disk: guest.json in its folder, replaced whole, so that it is never half written.
 */
#pragma once

#include "state.h"

bool record_read(struct agent *agent, const char *folder, struct record *out); /* false: none, or none that is ours */
/* 0, or errno: written beside the record, on the disk; then in its place, which needs no room. */
int record_prepare(const char *folder, const struct record *record);
int record_commit(const char *folder);
