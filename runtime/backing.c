/* SPDX-License-Identifier: MIT
 *
 * Puts together what QEMU tells in three places: the backends, the map of the guest's memory, and the address at
 * which QEMU itself sees a byte of the guest.
 */
#include "backing.h"

#include <stdlib.h>
#include <string.h>

struct area { /* of the guest's address space, in one backend */
    uint64_t address, offset;
};

/* "  0000000100000000-000000013fffffff (prio 0, ram): ram-cell0 @0000000080000000" */
static bool area_of(const char *map, const char *name, struct area *out)
{
    static const char before[] = "ram): ";
    size_t length = strlen(name), back = strlen(before);
    for (const char *at = map; (at = strstr(at, name)); at += length) {
        if ((size_t)(at - map) < back || strncmp(at - back, before, back) != 0)
            continue;
        if (at[length] != '\r' && at[length] != '\n' && at[length] != ' ' && at[length])
            continue;
        const char *line = at;
        while (line > map && line[-1] != '\n')
            line--;
        const char *offset = at[length] == ' ' ? strchr(at + length, '@') : NULL;
        const char *end = strchr(at, '\n');
        out->address = strtoull(line, NULL, 16);
        out->offset = offset && (!end || offset < end) ? strtoull(offset + 1, NULL, 16) : 0;
        return true;
    }
    return false;
}

/* ---- what QEMU calls it ----------------------------------------------------------------------------------------- */

static struct json_c_object *backend_named(struct json_c_object *backends, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(backends); i++) {
        struct json_c_object *backend = json_object_array_get_idx(backends, i),
                             *id = json_c_member(backend, "id", json_type_string);
        if (id && strcmp(json_object_get_string(id), name) == 0)
            return backend;
    }
    return NULL;
}

/* NULL: none, or no set. */
static const struct ids *nodes_of(struct arena *arena, struct json_c_object *backend)
{
    struct json_c_object *array = json_c_member(backend, "host-nodes", json_type_array);
    size_t count = array ? json_object_array_length(array) : 0;
    uint32_t *numbers = arena_array(arena, uint32_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        int64_t number = json_object_get_int64(json_object_array_get_idx(array, i));
        if (number < 0 || number > IDS_LIMIT || (i && number <= numbers[i - 1]))
            return NULL;
        numbers[i] = (uint32_t)number;
    }
    return count ? ids_from_sorted(arena, numbers, count) : NULL;
}

/* numac's own name, libvirt's for a cell, libvirt's for the memory of a guest without cells. */
static void name_backing(struct arena *arena, struct json_c_object *backends, const struct plan_guest *guest,
                         uint32_t cell, struct backing *out)
{
    const char *names[] = { arena_printf(arena, "ram-cell%u", cell), arena_printf(arena, "ram-node%u", cell), "pc.ram",
                            "mach-virt.ram" };
    unsigned known = guest->cell_count == 1 ? 4 : 2;
    for (unsigned i = 0; i < known; i++) {
        struct json_c_object *backend = backend_named(backends, names[i]);
        if (!backend)
            continue;
        out->name = names[i];
        out->bytes = json_c_number(backend, "size", INT64_MAX);
        out->policy = json_c_text(arena, json_c_member(backend, "policy", json_type_string));
        out->nodes = nodes_of(arena, backend);
        return;
    }
}

/* Where QEMU itself sees the first byte of each, all asked at once: gpa2hva answers "... is 0x7f..", or why it cannot.
 */
static bool locate(struct monitor *monitor, struct arena *arena, const char *map, struct backing *backings,
                   uint32_t count, char **out_error)
{
    struct question *questions = arena_array(arena, struct question, count + 1);
    struct json_c_object **answers = arena_array(arena, struct json_c_object *, count + 1);
    struct backing **asked = arena_array(arena, struct backing *, count + 1);
    uint64_t *offsets = arena_array(arena, uint64_t, count + 1);
    uint32_t asked_count = 0;
    struct area area;
    for (uint32_t c = 0; c < count; c++) {
        if (!backings[c].name || !area_of(map, backings[c].name, &area))
            continue;
        questions[asked_count].line = arena_printf(arena, "gpa2hva 0x%" G_GINT64_MODIFIER "x", area.address);
        offsets[asked_count] = area.offset;
        asked[asked_count++] = &backings[c];
    }
    if (!asked_count)
        return true;
    if (!monitor_ask_all(monitor, questions, asked_count, answers, out_error))
        return false;
    for (uint32_t i = 0; i < asked_count; i++) {
        const char *is = strstr(json_object_get_string(answers[i]), ") is 0x");
        asked[i]->begin = is ? strtoull(is + strlen(") is "), NULL, 16) - offsets[i] : 0;
        json_object_put(answers[i]);
    }
    return true;
}

bool backing_find(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest, struct backing *out,
                  char **out_error)
{
    static const struct question questions[] = { { .command = "query-memdev" }, { .line = "info mtree -f" } };
    struct json_c_object *told[G_N_ELEMENTS(questions)];
    if (!monitor_ask_all(monitor, questions, G_N_ELEMENTS(questions), told, out_error))
        return false;
    bool fine = json_object_is_type(told[0], json_type_array);
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        out[c] = (struct backing){ 0 };
        if (fine)
            name_backing(arena, told[0], guest, c, &out[c]);
    }
    if (fine)
        fine = locate(monitor, arena, json_object_get_string(told[1]), out, guest->cell_count, out_error);
    else
        *out_error = g_strdup("QEMU tells of its memory in words that are not known");
    json_object_put(told[0]);
    json_object_put(told[1]);
    return fine;
}
