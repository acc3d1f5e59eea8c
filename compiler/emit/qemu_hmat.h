/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the options of QEMU that tell a guest of latencies, bandwidths and side caches.
 */
#pragma once

#include "emit/argv_writer.h"
#include "plan/plan.h"

void qemu_hmat(struct argv *argv, const struct plan_guest *guest);
