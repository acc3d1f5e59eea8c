/* SPDX-License-Identifier: MIT
 *
 * Rules about distance.
 */
#include "check/check.h"

const struct model_rule distance_rules[] = { { 0 } };

const struct plan_rule plan_distance_rules[] = { { 0 } };
