/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: the JSON of PCI buses and devices, written (json_buses.c) and read back (json_buses_read.c).
 */
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

void write_expanders(struct json *json, const struct plan_guest *guest);
void write_devices(struct json *json, const struct plan_guest *guest);
/* Behind the cells, which it names. */
void read_expanders(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest);
/* Behind the expanders. */
void read_devices(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest);
