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
    size_t length = strlen(name);
    for (const char *at = map; (at = strstr(at, name)); at += length) {
        const char *line = at, *before = at - strlen("ram): ");
        while (line > map && line[-1] != '\n')
            line--;
        if (before < line || strncmp(before, "ram): ", strlen("ram): ")) != 0)
            continue;
        if (at[length] != '\r' && at[length] != '\n' && at[length] != ' ' && at[length])
            continue;
        const char *offset = at[length] == ' ' ? strchr(at + length, '@') : NULL;
        const char *end = strchr(at, '\n');
        out->address = strtoull(line, NULL, 16);
        out->offset = offset && (!end || offset < end) ? strtoull(offset + 1, NULL, 16) : 0;
        return true;
    }
    return false;
}

static bool locate(struct monitor *monitor, const char *map, struct backing *backing, char **out_error)
{
    struct area area;
    if (!area_of(map, backing->name, &area))
        return true;
    g_autofree char *line = g_strdup_printf("gpa2hva 0x%" G_GINT64_MODIFIER "x", area.address);
    g_autofree char *answer = monitor_ask_line(monitor, line, out_error);
    if (!answer)
        return false;
    const char *is = strstr(answer, ") is 0x");
    if (is)
        backing->begin = strtoull(is + strlen(") is "), NULL, 16) - area.offset;
    return true;
}

/* ---- what QEMU calls it ----------------------------------------------------------------------------------------- */

static struct json_c_object *backend_named(struct json_c_object *backends, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(backends); i++) {
        struct json_c_object *backend = json_object_array_get_idx(backends, i), *id = NULL;
        if (json_object_is_type(backend, json_type_object) && json_object_object_get_ex(backend, "id", &id) &&
            strcmp(json_object_get_string(id), name) == 0)
            return backend;
    }
    return NULL;
}

static void read_backend(struct arena *arena, struct json_c_object *from, struct backing *out)
{
    struct json_c_object *value = NULL;
    if (json_object_object_get_ex(from, "size", &value))
        out->bytes = (uint64_t)json_object_get_int64(value);
    if (json_object_object_get_ex(from, "policy", &value))
        out->policy = arena_printf(arena, "%s", json_object_get_string(value));
    if (!json_object_object_get_ex(from, "host-nodes", &value) || !json_object_is_type(value, json_type_array))
        return;
    size_t count = json_object_array_length(value);
    uint32_t *numbers = arena_array(arena, uint32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)json_object_get_int64(json_object_array_get_idx(value, i));
    out->nodes = ids_from_sorted(arena, numbers, count);
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
        read_backend(arena, backend, out);
        return;
    }
}

bool backing_find(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest, struct backing *out,
                  char **out_error)
{
    struct json_c_object *backends = monitor_ask(monitor, "query-memdev", NULL, out_error);
    g_autofree char *map = backends ? monitor_ask_line(monitor, "info mtree -f", out_error) : NULL;
    bool fine = map && json_object_is_type(backends, json_type_array);
    for (uint32_t c = 0; fine && c < guest->cell_count; c++) {
        out[c] = (struct backing){ 0 };
        name_backing(arena, backends, guest, c, &out[c]);
        if (out[c].name)
            fine = locate(monitor, map, &out[c], out_error);
    }
    json_object_put(backends);
    if (!fine && !*out_error)
        *out_error = g_strdup("QEMU tells of its memory in words that are not known");
    return fine;
}
