/* SPDX-License-Identifier: MIT
 *
 * What every other folder stands on: memory with one lifetime, sets of small numbers, sizes with units, and a
 * JSON writer.  Nothing here knows of guests, hosts or files.
 */
#pragma once

#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- arena: memory of one lifetime -----------------------------------------------------------------------------
 * Everything taken from an arena lives until arena_free().  Memory comes back zeroed and aligned to 8 bytes.
 * Running out of memory ends the program, as in GLib.  In sanitizer builds each object is a malloc of its own, so
 * that overruns are seen. */
struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);  /* accepts NULL */
void arena_reset(struct arena *arena); /* nobody needs its objects any more; keeps a block for the next ones */
void *arena_alloc(struct arena *arena, size_t bytes) G_GNUC_MALLOC;
void *arena_copy(struct arena *arena, const void *from, size_t bytes);
char *arena_string(struct arena *arena, const char *text, size_t length); /* adds the final NUL */
char *arena_printf(struct arena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define arena_take(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/* ---- ids: an unchanging, ordered set of numbers --------------------------------------------------------------------
 * CPUs, nodes or vCPUs, as disjoint ranges in rising order with a gap between neighbours.  Two sets with the same
 * members are equal range for range.  A set is never NULL; the empty one has count 0.  Set algebra is done with
 * hwloc's bitmaps and the result frozen with ids_from_bitmap(). */
struct range {
    uint32_t first, last;
};

struct ids {
    uint32_t count; /* of ranges */
    struct range range[];
};

#define IDS_LIMIT 65535u /* the largest number a set may hold */

struct hwloc_bitmap_s;

extern const struct ids ids_none;
const struct ids *ids_from_bitmap(struct arena *arena, const struct hwloc_bitmap_s *bitmap); /* finite bitmaps only */
const struct ids *ids_from_range(struct arena *arena, uint32_t first, uint32_t last);
const struct ids *ids_from_sorted(struct arena *arena, const uint32_t *numbers, size_t count); /* rising, no repeats */
struct hwloc_bitmap_s *ids_to_bitmap(const struct ids *ids);                                   /* the caller frees it */
void ids_add_to_bitmap(const struct ids *ids, struct hwloc_bitmap_s *bitmap);
uint32_t ids_size(const struct ids *ids); /* how many numbers */
bool ids_contains(const struct ids *ids, uint32_t number);
bool ids_equal(const struct ids *a, const struct ids *b);
bool ids_within(const struct ids *inner, const struct ids *outer);
bool ids_overlap(const struct ids *a, const struct ids *b);
uint32_t ids_first(const struct ids *ids); /* of a set that is not empty */
uint32_t ids_last(const struct ids *ids);
uint32_t ids_nth(const struct ids *ids, uint32_t position);           /* counted from 0; position < ids_size() */
void ids_append(GString *out, const struct ids *ids);                 /* "0-3,8", nothing for the empty set */
char *ids_text(struct arena *arena, const struct ids *ids);           /* the same, "none" for the empty set */
const struct ids *ids_of_text(struct arena *arena, const char *text); /* of what ids_append() writes; NULL: it is not */

/* for (ids_each(set, cpu)) { ... } visits the numbers in rising order */
#define ids_each(set, number)                                                       \
    uint32_t number##_range = 0, number = (set)->count ? (set)->range[0].first : 0; \
    number##_range < (set)->count;                                                  \
    number < (set)->range[number##_range].last                                      \
        ? (void)number++                                                            \
        : (void)(++number##_range < (set)->count ? (number = (set)->range[number##_range].first) : 0)

/* ---- sizes ------------------------------------------------------------------------------------------------------
 * Bytes inside, binary units outside, and always exact: "1536MiB", never "1.5GiB" rounded from something else. */
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

void size_append(GString *out, uint64_t bytes);       /* in the largest unit that leaves a whole number: "4GiB" */
char *size_text(struct arena *arena, uint64_t bytes); /* the same, as written in a site */

/* ---- text -------------------------------------------------------------------------------------------------------
 * Appending without a function call where there is room already: ten thousand guests are some millions of short
 * pieces, and nearly all of them fit. */
static inline void append_bytes(GString *out, const char *bytes, size_t length)
{
    if (out->allocated_len - out->len > length) {
        memcpy(out->str + out->len, bytes, length);
        out->len += length;
        out->str[out->len] = 0;
    } else {
        g_string_append_len(out, bytes, (gssize)length);
    }
}

/* Inline, so that the length of a literal is known when compiling. */
static inline void append(GString *out, const char *text)
{
    append_bytes(out, text, strlen(text));
}

static inline void append_number(GString *out, uint64_t number)
{
    char digits[20];
    char *end = digits + sizeof digits, *at = end;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    append_bytes(out, at, (size_t)(end - at));
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------
 * A writer that only appends.  Two blanks a level; arrays of plain values stay on one line.  Key NULL means an
 * element of an array.  The caller keeps objects and arrays balanced. */
struct json {
    GString *out;
    unsigned depth;
    bool filled, inline_array;
};

void json_open(struct json *json, GString *out);
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_inline_array(struct json *json, const char *key);
void json_end(struct json *json, char bracket); /* '}' or ']' */
void json_string(struct json *json, const char *key, const char *value);
void json_text(struct json *json, const char *key, const char *value, size_t length);
void json_ids(struct json *json, const char *key, const struct ids *ids); /* as ids_append() writes it, quoted */
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
void json_finish(struct json *json); /* the final newline */

/* A place that cannot be reached unless numac itself is wrong: says where and exits with 70. */
void bug_at(const char *file, int line, const char *what) G_GNUC_NORETURN;
#define bug(what) bug_at(__FILE__, __LINE__, (what))
