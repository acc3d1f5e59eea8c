/* SPDX-License-Identifier: MIT
 *
 * Rules about the host.
 */
#include "check/check.h"


const struct plan_rule plan_host_rules[] = { { 0 } };
