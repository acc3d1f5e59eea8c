/* SPDX-License-Identifier: MIT
 *
 * Rules about page.
 */
#include "check/check.h"

const struct model_rule page_rules[] = { { 0 } };

const struct plan_rule plan_page_rules[] = { { 0 } };
