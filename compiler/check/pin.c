/* SPDX-License-Identifier: MIT
 *
 * Rules about pin.
 */
#include "check/check.h"

const struct model_rule pin_rules[] = { { 0 } };

const struct plan_rule plan_pin_rules[] = { { 0 } };
