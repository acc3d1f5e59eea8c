/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the part of the text of a plan that says what guests leave of a host.
 */
#pragma once

#include "base/base.h"
#include "plan/plan.h"

void write_text_host(const struct plan_host *host, GString *out);
