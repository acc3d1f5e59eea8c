/* SPDX-License-Identifier: MIT
 *
 * Rules about topology.
 */
#include "check/check.h"

const struct model_rule topology_rules[] = { { 0 } };

const struct plan_rule plan_topology_rules[] = { { 0 } };
