/* SPDX-License-Identifier: MIT
 *
 * Rules about policy.
 */
#include "check/check.h"

const struct model_rule policy_rules[] = { { 0 } };

const struct plan_rule plan_policy_rules[] = { { 0 } };
