/* SPDX-License-Identifier: MIT
 *
 * Inside plan only: typed reading of JSON fields.  The first trouble is reported with its place and stops the reading:
 * after it every getter gives a harmless value, so callers need not ask after each one.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"
#include "plan/json_c.h"
#include "plan/place.h"

struct plan_reader {
    struct arena *arena;
    const struct sources *sources;
    struct findings *findings;
    uint32_t file;
    struct plan_path path; /* of the object being read */
    bool failed;
};

enum need { OPTIONAL, REQUIRED };

void reader_enter(struct plan_reader *reader, const char *key);
void reader_enter_element(struct plan_reader *reader, size_t index);
void reader_leave(struct plan_reader *reader);

/* Reports the value under `key` of the current object, or the object itself where key is NULL. */
void reader_fail(struct plan_reader *reader, enum code code, const char *key, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* Refuses what is no object or has keys that are not in the list, which NULL ends. */
bool read_object(struct plan_reader *reader, struct json_c_object *object, const char *const *keys);

/* Enters the object under a key; NULL, and not entered, where it is left out or there is trouble. */
struct json_c_object *reader_enter_object(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                          enum need need, const char *const *keys);

const char *read_text(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need);
uint64_t read_number(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                     uint64_t least, uint64_t most);
uint64_t read_size(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                   uint64_t least); /* bytes, whole KiB */
bool read_bool(struct plan_reader *reader, struct json_c_object *object, const char *key);
const struct ids *read_set(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need);
/* An array; *out_count is 0 where it is left out. */
struct json_c_object *read_array(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                 enum need need, size_t most, size_t *out_count);
/* One of some words, as its index; `without` where it is left out and may be. */
unsigned read_word(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                   const char *const *words, unsigned count, unsigned without);
