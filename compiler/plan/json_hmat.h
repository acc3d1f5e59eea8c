/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: what the JSON of a plan says of latencies, bandwidths and side caches.
 */
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

void write_plan_hmat(struct json *json, const struct plan_guest *guest, const struct plan_cell *cell);
/* Whether the cell says its initiator, as all cells of a guest with an HMAT do and no others. */
bool read_plan_hmat(struct plan_reader *reader, struct json_c_object *object, struct plan_cell *cell);
void check_plan_hmat(struct plan_reader *reader, const struct plan_guest *guest);

#define PLAN_HMAT_KEYS "initiator", "latencies", "bandwidths", "side_caches"
