/* SPDX-License-Identifier: MIT
 *
 * Is this machine still what the plan took the guest's host for?
 */
#pragma once

#include "step.h"

/* False with one finding that names what is other.  True where nothing is known of the host. */
bool host_is_as_planned(struct run *run);
