/* SPDX-License-Identifier: MIT
 *
 * A guest's record on disk: guest.json in its folder, replaced whole, so that it is never half written.
 */
#pragma once

#include "state.h"

bool record_read(struct agent *agent, const char *folder, struct record *out); /* false: none, or none that is ours */
int record_write(const char *folder, const struct record *record);             /* 0, or errno; it is on the disk then */
