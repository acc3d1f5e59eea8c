/* SPDX-License-Identifier: MIT
 *
 * Writes and reads the record of a guest.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plan/json_c.h"

#define RECORD_VERSION 1

static const char *const phases[] = { [PHASE_STARTING] = "starting", [PHASE_RUNNING] = "running" };

/* ---- out -------------------------------------------------------------------------------------------------------- */

static void compose(const struct record *record, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_number(&json, "format_version", RECORD_VERSION);
    json_string(&json, "name", record->name);
    json_string(&json, "uuid", record->uuid);
    json_string(&json, "site", record->site);
    json_string(&json, "engine", engine_word(record->engine));
    if (record->connect)
        json_string(&json, "connect", record->connect);
    json_string(&json, "phase", phases[record->phase]);
    json_number(&json, "begun", record->begun);
    json_number(&json, "pid", (uint64_t)record->pid);
    json_number(&json, "pid_start", record->pid_start);
    json_number(&json, "keeper", (uint64_t)record->keeper);
    if (record->cgroup)
        json_string(&json, "cgroup", record->cgroup);
    json_array(&json, "reservations");
    for (uint32_t i = 0; i < record->reservation_count; i++) {
        json_object(&json, NULL);
        json_number(&json, "node", record->reservations[i].node);
        json_number(&json, "page_bytes", record->reservations[i].page_bytes);
        json_number(&json, "count", record->reservations[i].count);
        json_number(&json, "before", record->reservations[i].before);
        json_bool(&json, "made", record->reservations[i].is_made);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
    json_finish(&json);
}

static int write_all(int file, const char *text, size_t length)
{
    while (length) {
        ssize_t put = write(file, text, length);
        if (put < 0 && errno != EINTR)
            return errno;
        text += put > 0 ? put : 0;
        length -= put > 0 ? (size_t)put : 0;
    }
    return 0;
}

int record_prepare(const char *folder, const struct record *record)
{
    g_autoptr(GString) text = g_string_new(NULL);
    compose(record, text);
    int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place < 0)
        return errno;
    int file = openat(place, "guest.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int trouble = file < 0 ? errno : write_all(file, text->str, text->len);
    if (file >= 0)
        close(file);
    close(place);
    return trouble;
}

int record_commit(const char *folder)
{
    int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), trouble = 0;
    if (place < 0)
        return errno;
    if (renameat(place, "guest.json.new", place, "guest.json") < 0)
        trouble = errno;
    close(place);
    return trouble;
}

/* ---- in --------------------------------------------------------------------------------------------------------- */

static const char *text(struct arena *arena, struct json_c_object *object, const char *key)
{
    return json_c_text(arena, json_c_member(object, key, json_type_string));
}

static void read_reservations(struct arena *arena, struct json_c_object *object, struct record *out)
{
    struct json_c_object *array = json_c_member(object, "reservations", json_type_array);
    if (!array)
        return;
    size_t count = json_object_array_length(array);
    struct reservation *rows = arena_array(arena, struct reservation, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct json_c_object *row = json_object_array_get_idx(array, i);
        if (!json_object_is_type(row, json_type_object))
            continue;
        struct json_c_object *made = json_c_member(row, "made", json_type_boolean);
        rows[out->reservation_count++] = (struct reservation){
            .node = (uint32_t)json_c_number(row, "node", UINT32_MAX),
            .page_bytes = json_c_number(row, "page_bytes", INT64_MAX),
            .count = json_c_number(row, "count", INT64_MAX),
            .before = json_c_number(row, "before", INT64_MAX),
            .is_made = made && json_object_get_boolean(made),
        };
    }
    out->reservations = rows;
}

bool record_read(struct agent *agent, const char *folder, struct record *out)
{
    g_autofree char *path = g_build_filename(folder, "guest.json", NULL), *bytes = NULL;
    if (!g_file_get_contents(path, &bytes, NULL, NULL))
        return false;
    struct json_c_object *root = json_tokener_parse(bytes);
    *out = (struct record){ 0 };
    if (json_c_number(root, "format_version", RECORD_VERSION) == RECORD_VERSION) {
        const char *phase = text(agent->arena, root, "phase");
        *out = (struct record){
            .name = text(agent->arena, root, "name"),
            .uuid = text(agent->arena, root, "uuid"),
            .site = text(agent->arena, root, "site"),
            .connect = text(agent->arena, root, "connect"),
            .cgroup = text(agent->arena, root, "cgroup"),
            .phase = phase && strcmp(phase, phases[PHASE_RUNNING]) == 0 ? PHASE_RUNNING : PHASE_STARTING,
            .begun = json_c_number(root, "begun", INT64_MAX),
            .pid = (pid_t)json_c_number(root, "pid", INT32_MAX),
            .pid_start = json_c_number(root, "pid_start", INT64_MAX),
            .keeper = (pid_t)json_c_number(root, "keeper", INT32_MAX),
        };
        read_reservations(agent->arena, root, out);
        g_autofree char *own = g_path_get_basename(folder); /* what is ended and removed must be this guest's */
        if (!out->name || g_strcmp0(out->uuid, own) != 0 || !out->site ||
            !engine_from_word(text(agent->arena, root, "engine"), &out->engine))
            *out = (struct record){ 0 };
    }
    json_object_put(root);
    return out->uuid != NULL;
}
