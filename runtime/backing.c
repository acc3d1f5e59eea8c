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
        struct json_c_object *backend = json_object_array_get_idx(backends, i),
                             *id = json_c_member(backend, "id", json_type_string);
        if (id && strcmp(json_object_get_string(id), name) == 0)
            return backend;
    }
    return NULL;
}

static void read_binding(struct arena *arena, struct json_c_object *backend, struct backing *out)
{
    struct json_c_object *nodes = json_c_member(backend, "host-nodes", json_type_array);
    size_t count = nodes ? json_object_array_length(nodes) : 0;
    uint32_t *numbers = arena_array(arena, uint32_t, count + 1);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (uint32_t)json_object_get_int64(json_object_array_get_idx(nodes, i));
    out->policy = json_c_text(arena, json_c_member(backend, "policy", json_type_string));
    out->nodes = count ? ids_from_sorted(arena, numbers, count) : NULL;
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
        read_binding(arena, backend, out);
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
