/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: the JSON of memory and of memory devices, written and read back (json_memory.c).
 */
#pragma once

#include "plan/fields.h"
#include "plan/plan.h"

/* Keys that the site leaves unsaid are left out. */
void text_if_any(struct json *json, const char *key, const char *text);
void number_if_any(struct json *json, const char *key, uint64_t number);
void set_if_any(struct json *json, const char *key, const struct ids *ids);

/* The memory of a cell, or of a device. */
#define PLAN_MEMORY_KEYS                                                                                         \
    "memory_bytes", "nodes", "policy", "page_bytes", "backing", "path", "align_bytes", "offset_bytes", "shared", \
        "shared_said", "preallocated", "prealloc_threads", "context_nodes", "discard", "discard_said", "dump",   \
        "reserve", "merge"
void write_plan_memory(struct json *json, const struct plan_cell *cell);
enum memory_policy read_policy(struct plan_reader *reader, struct json_c_object *object, const char *key,
                               enum need need); /* strict where it is left out and may be */
void read_plan_memory(struct plan_reader *reader, struct json_c_object *object, struct plan_cell *cell);

/* What the guest can grow to, and where its balloon starts; behind memory_bytes. */
#define PLAN_GROWTH_KEYS "max_memory_bytes", "memory_slots", "current_memory_bytes", "memory_devices"
void write_growth(struct json *json, const struct plan_guest *guest);
void read_growth(struct plan_reader *reader, struct json_c_object *object, struct plan_guest *guest);

void write_memory_devices(struct json *json, const struct plan_guest *guest);
void read_memory_devices(struct plan_reader *reader, struct json_c_object *object,
                         struct plan_guest *guest); /* behind its cells */
