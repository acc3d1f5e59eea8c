/* SPDX-License-Identifier: MIT
 *
 * The day of the run, as a number: 20270131.  SOURCE_DATE_EPOCH where it is set and is a time, else the clock; UTC.
 */
#pragma once

#include <stdint.h>

uint32_t today(void);
