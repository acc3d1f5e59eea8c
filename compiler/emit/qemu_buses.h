/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the options of QEMU that put PCI buses on cells.
 */
#pragma once

#include "emit/argv_writer.h"
#include "plan/plan.h"

void qemu_expanders(struct argv *argv, const struct plan_guest *guest);
