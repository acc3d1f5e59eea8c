/* SPDX-License-Identifier: MIT
 *
 * Which files an earlier build wrote: its plan names guests and targets, and that is all a later build may remove.
 */
#include "emit/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emit/emit.h"
#include "plan/json_c.h"

enum { OLD_PLAN_BYTES = 1 << 30, OLD_PLAN_DEPTH = 32 };

char *read_plain_file(int folder, const char *name, size_t most, size_t *out_length)
{
    struct stat about;
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return NULL;
    char *text = NULL;
    if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && (size_t)about.st_size <= most) {
        size_t length = 0, room = (size_t)about.st_size;
        text = g_malloc(room + 1);
        for (ssize_t got; length < room && (got = read(file, text + length, room - length)) != 0;) {
            if (got < 0 && errno != EINTR)
                break;
            length += got > 0 ? (size_t)got : 0;
        }
        text[length] = 0;
        *out_length = length;
    }
    close(file);
    return text;
}

static bool has_target(struct json_c_object *targets, const char *target)
{
    for (size_t i = 0; i < json_object_array_length(targets); i++) {
        struct json_c_object *element = json_object_array_get_idx(targets, i);
        if (json_object_is_type(element, json_type_string) && strcmp(json_object_get_string(element), target) == 0)
            return true;
    }
    return false;
}

/* A name that is no path; NULL: it is none. */
static const char *name_under(struct json_c_object *object, const char *key)
{
    struct json_c_object *name;
    if (!json_object_is_type(object, json_type_object) || !json_object_object_get_ex(object, key, &name) ||
        !json_object_is_type(name, json_type_string) || strchr(json_object_get_string(name), '/'))
        return NULL;
    return json_object_get_string(name);
}

static void add_moves(GHashTable *files, struct json_c_object *guest, const char *name, const char *suffix)
{
    struct json_c_object *moves;
    if (!json_object_object_get_ex(guest, "migrate", &moves) || !json_object_is_type(moves, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(moves); i++) {
        const char *host = name_under(json_object_array_get_idx(moves, i), "host");
        if (host)
            g_hash_table_add(files, output_name(name, host, suffix));
    }
}

static void add_files(GHashTable *files, struct json_c_object *guest, struct json_c_object *targets)
{
    struct json_c_object *flag;
    const char *name = name_under(guest, "name");
    if (!name)
        return;
    struct plan_guest old = {
        .has_base = json_object_object_get_ex(guest, "base", &flag) && json_object_get_boolean(flag),
        .is_qemu_only = json_object_object_get_ex(guest, "qemu_only", &flag) && json_object_get_boolean(flag),
        .cpus_by_numad = json_object_object_get_ex(guest, "numad", NULL), /* or memory: what decides is the same */
    };
    size_t count;
    const struct emitter *rows = emitters(&count);
    for (size_t i = 0; i < count; i++)
        if (has_target(targets, rows[i].target) && emitter_takes(&rows[i], &old)) {
            g_hash_table_add(files, output_name(name, NULL, rows[i].suffix));
            if (rows[i].writes_moves)
                add_moves(files, guest, name, rows[i].suffix);
        }
}

static void add_plan(GHashTable *files, int folder, const char *name)
{
    size_t length = 0;
    g_autofree char *text = read_plain_file(folder, name, OLD_PLAN_BYTES, &length);
    if (!text)
        return;
    struct json_tokener *tokener = json_tokener_new_ex(OLD_PLAN_DEPTH);
    struct json_c_object *plan = tokener ? json_tokener_parse_ex(tokener, text, (int)length) : NULL;
    struct json_c_object *version, *targets, *guests;
    if (json_object_is_type(plan, json_type_object) && json_object_object_get_ex(plan, "format_version", &version) &&
        json_object_object_get_ex(plan, "targets", &targets) && json_object_is_type(targets, json_type_array) &&
        json_object_object_get_ex(plan, "guests", &guests) && json_object_is_type(guests, json_type_array))
        for (size_t i = 0; i < json_object_array_length(guests); i++)
            add_files(files, json_object_array_get_idx(guests, i), targets);
    json_object_put(plan);
    if (tokener)
        json_tokener_free(tokener);
}

GHashTable *files_of_old_plans(int folder)
{
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    add_plan(files, folder, PLAN_FILE);
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (!list && copy >= 0)
        close(copy);
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (g_str_has_prefix(entry->d_name, TEMPORARY_PLAN))
            add_plan(files, folder, entry->d_name);
    if (list)
        closedir(list);
    return files;
}
