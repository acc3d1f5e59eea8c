/* SPDX-License-Identifier: MIT
 *
 * Rules about all guests together.
 */
#include "check/check.h"

const struct site_rule site_rules[] = { { 0 } };
