/* SPDX-License-Identifier: MIT
 *
 * One getter for each kind of value a plan has, each as strict as the writer is regular.
 */
#include "plan/fields.h"

#include <string.h>

void reader_enter(struct plan_reader *reader, const char *key)
{
    if (reader->path.count == PLAN_STEPS)
        bug("a plan is deeper than its reader thinks");
    reader->path.steps[reader->path.count++] = (struct plan_step){ .key = key };
}

void reader_enter_element(struct plan_reader *reader, size_t index)
{
    reader_enter(reader, NULL);
    reader->path.steps[reader->path.count - 1].index = index;
}

void reader_leave(struct plan_reader *reader)
{
    reader->path.count--;
}

static void fail_at(struct plan_reader *reader, enum code code, bool at_key, const char *text)
{
    g_autoptr(GString) where = g_string_new(NULL);
    plan_path_text(where, &reader->path);
    struct span span = plan_place(reader->sources, reader->file, &reader->path, at_key);
    struct finding *finding = report(reader->findings, code, span, "%s", text);
    if (where->len)
        finding_note(reader->findings, finding, "it stands at %s", where->str);
    finding_help(reader->findings, finding,
                 "write the plan again with 'numac build'; it is made by numac, not by hand");
    reader->failed = true;
}

void reader_fail(struct plan_reader *reader, enum code code, const char *key, const char *format, ...)
{
    if (reader->failed)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (key)
        reader_enter(reader, key);
    fail_at(reader, code, code == NM_plan_key, text);
    if (key)
        reader_leave(reader);
}

struct names { /* for nearest_name() */
    const char *const *next;
};

static const char *next_name(void *state)
{
    struct names *names = state;
    return *names->next ? *names->next++ : NULL;
}

static bool is_listed(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(key, *keys) == 0)
            return true;
    return false;
}

bool read_object(struct plan_reader *reader, struct json_c_object *object, const char *const *keys)
{
    if (reader->failed)
        return false;
    if (!json_object_is_type(object, json_type_object)) {
        reader_fail(reader, NM_plan_value, NULL, "an object is expected here");
        return false;
    }
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        if (is_listed(key, keys))
            continue;
        struct names names = { keys };
        const char *nearest = nearest_name(key, strlen(key), next_name, &names);
        if (nearest)
            reader_fail(reader, NM_plan_key, key, "the key '%s' is unknown; '%s' is the nearest", key, nearest);
        else
            reader_fail(reader, NM_plan_key, key, "the key '%s' is unknown", key);
        return false;
    }
    return true;
}

static struct json_c_object *field(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                   enum need need, enum json_type type, const char *kind)
{
    struct json_c_object *value = NULL;
    if (reader->failed)
        return NULL;
    if (!json_object_object_get_ex(object, key, &value)) {
        if (need == REQUIRED)
            reader_fail(reader, NM_plan_key, NULL, "the key '%s' is missing", key);
        return NULL;
    }
    if (json_object_is_type(value, type))
        return value;
    reader_fail(reader, NM_plan_value, key, "'%s' must be %s", key, kind);
    return NULL;
}

static bool has_controls(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return true;
    return false;
}

struct json_c_object *reader_enter_object(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                          enum need need, const char *const *keys)
{
    struct json_c_object *inner = NULL;
    if (reader->failed)
        return NULL;
    if (!json_object_object_get_ex(object, key, &inner)) {
        if (need == REQUIRED)
            reader_fail(reader, NM_plan_key, NULL, "the key '%s' is missing", key);
        return NULL;
    }
    reader_enter(reader, key);
    if (read_object(reader, inner, keys))
        return inner;
    reader_leave(reader);
    return NULL;
}

const char *read_text(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need)
{
    struct json_c_object *value = field(reader, object, key, need, json_type_string, "text");
    if (!value)
        return need == REQUIRED ? "" : NULL;
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    if (!length || length > 65536)
        reader_fail(reader, NM_plan_value, key, "'%s' must have 1 to 65536 bytes, it has %zu", key, length);
    else if (has_controls(text, length))
        reader_fail(reader, NM_plan_value, key, "'%s' must not hold control characters", key);
    return arena_string(reader->arena, text, length);
}

uint64_t read_number(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                     uint64_t least, uint64_t most)
{
    struct json_c_object *value = field(reader, object, key, need, json_type_int, "a whole number");
    if (!value)
        return 0;
    if (json_object_get_int64(value) < 0) {
        reader_fail(reader, NM_plan_value, key, "'%s' must not be negative", key);
        return 0;
    }
    uint64_t number = json_object_get_uint64(value);
    if (number >= least && number <= most)
        return number;
    reader_fail(reader, NM_plan_value, key,
                "'%s' must be %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ", it is %" G_GUINT64_FORMAT, key, least,
                most, number);
    return 0;
}

uint64_t read_size(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                   uint64_t least)
{
    uint64_t bytes = read_number(reader, object, key, need, least, TIB * 1024);
    if (bytes % KIB)
        reader_fail(reader, NM_plan_value, key, "'%s' must be whole KiB, it is %" G_GUINT64_FORMAT " bytes", key,
                    bytes);
    return bytes;
}

bool read_bool(struct plan_reader *reader, struct json_c_object *object, const char *key)
{
    struct json_c_object *value = field(reader, object, key, REQUIRED, json_type_boolean, "true or false");
    return value && json_object_get_boolean(value);
}

struct json_c_object *read_array(struct plan_reader *reader, struct json_c_object *object, const char *key,
                                 enum need need, size_t most, size_t *out_count)
{
    struct json_c_object *value = field(reader, object, key, need, json_type_array, "an array");
    *out_count = value ? json_object_array_length(value) : 0;
    if (*out_count <= most)
        return value;
    reader_fail(reader, NM_plan_value, key, "'%s' must have at most %zu elements, it has %zu", key, most, *out_count);
    *out_count = 0;
    return NULL;
}

unsigned read_word(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need,
                   const char *const *words, unsigned count, unsigned without)
{
    const char *text = read_text(reader, object, key, need);
    if (!text || reader->failed)
        return without;
    for (unsigned i = 0; i < count; i++)
        if (*words[i] && strcmp(words[i], text) == 0)
            return i;
    reader_fail(reader, NM_plan_value, key, "'%s' cannot be '%s'", key, text);
    return without;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

const struct ids *read_set(struct plan_reader *reader, struct json_c_object *object, const char *key, enum need need)
{
    struct json_c_object *value = field(reader, object, key, need, json_type_string, "a set such as \"0-3,8\"");
    if (!value)
        return need == REQUIRED ? &ids_none : NULL;
    const char *text = json_object_get_string(value);
    const struct ids *ids = NULL;
    if (strlen(text) == (size_t)json_object_get_string_len(value))
        ids = ids_of_text(reader->arena, text);
    if (ids)
        return ids;
    reader_fail(reader, NM_plan_value, key,
                "'%s' must be a set such as \"0-3,8\", rising and without overlap, numbers up to %u", key, IDS_LIMIT);
    return &ids_none;
}
