/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the part of the text of a plan that is about latencies, bandwidths and side caches.
 */
#pragma once

#include "base/base.h"
#include "plan/plan.h"

void write_text_hmat(const struct plan_guest *guest, GString *out);
