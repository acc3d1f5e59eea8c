/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: the JSON of what guests leave of hosts, written and read back (json_hosts.c).
 */
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

void write_hosts(struct json *json, const struct plan *plan); /* nothing where there are none */
void read_hosts(struct plan_reader *reader, struct json_c_object *object, struct plan *plan);
