/* SPDX-License-Identifier: MIT
 *
 * Inside runtime only: the numbers of a guest that runs, in the look of numastat.
 */
#pragma once

#include "step.h"

void stat_show(struct run *run); /* attached; appends to the agent's result */
