/* SPDX-License-Identifier: MIT
 *
 * A guest's record: guest.json in its folder, replaced whole, so that whoever dies leaves the one before or this one.
 * It is not forced onto a disk: what it tells of ends with the machine, as state folders do.
 */
#pragma once

#include "state.h"

bool record_read(struct agent *agent, const char *folder, struct record *out); /* false: none, or none that is ours */
/* 0, or errno: written beside the record; then in its place, which needs no room. */
int record_prepare(const char *folder, const struct record *record);
int record_commit(const char *folder);
