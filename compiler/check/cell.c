/* SPDX-License-Identifier: MIT
 *
 * Rules about cell.
 */
#include "check/check.h"

const struct model_rule cell_rules[] = { { 0 } };
