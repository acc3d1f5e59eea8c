/* SPDX-License-Identifier: MIT
 *
 * Inside check only: the features that a guest needs.
 */
#pragma once

#include "check/subject.h"
#include "ground/features.h"

/* Whether a guest needs a feature of which nobody told the version; the first such one. */
bool needs_unknown_version(const struct planned_guest *planned, enum feature *out_feature);
