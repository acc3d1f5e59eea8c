/* SPDX-License-Identifier: MIT
 *
 * json-c beside our JSON writer.  Two of its type names are names of functions in base.h; they get another name here,
 * which is seen by the compiler only.  And members that may be missing, for readers that do not tell what is wrong with
 * each.
 */
#pragma once

#include <string.h>

#include "base/base.h"

#define json_object json_c_object
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_object
#undef json_bool

/* NULL unless `object` is one, and its member is of that type. */
static inline struct json_c_object *json_c_member(struct json_c_object *object, const char *key, enum json_type type)
{
    struct json_c_object *value = NULL;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &value) ||
        !json_object_is_type(value, type))
        return NULL;
    return value;
}

/* A copy in the arena; NULL unless `value` is a text without a NUL in it. */
static inline const char *json_c_text(struct arena *arena, struct json_c_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    return memchr(text, 0, length) ? NULL : arena_string(arena, text, length);
}

/* 0 unless there is such a member, a whole number from 1 to `most`. */
static inline uint64_t json_c_number(struct json_c_object *object, const char *key, uint64_t most)
{
    struct json_c_object *value = json_c_member(object, key, json_type_int);
    int64_t number = value ? json_object_get_int64(value) : 0;
    return number > 0 && (uint64_t)number <= most ? (uint64_t)number : 0;
}
