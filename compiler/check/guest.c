/* SPDX-License-Identifier: MIT
 *
 * What a guest may say together: rules that are about no single subject.
 */
#include "check/check.h"

const struct model_rule guest_rules[] = { { 0 } };
