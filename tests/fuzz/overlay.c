/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a base: what is well-formed takes a guest, the result is well-formed, and takes it again.
 */
#include <string.h>

#include "../unit/emit_plans.h"
#include "emit/xml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_domain(const char *text, size_t length)
{
    struct arena *arena = arena_new();
    const struct xml_element *root = xml_tree_read(arena, text, length);
    bool is = root && strcmp(root->name, "domain") == 0;
    arena_free(arena);
    return is;
}

/* A memory device without a cell to be in stays as it is.  Beside the cells of the first overlay it may be one of them,
 * which the site would then say, but a plan that stays the same does not. */
static bool holds_memory_device(const char *text, size_t length)
{
    struct arena *arena = arena_new();
    const struct xml_element *root = xml_tree_read(arena, text, length), *devices = xml_child(root, "devices");
    bool holds = devices && xml_child(devices, "memory");
    arena_free(arena);
    return holds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *copy = g_strndup((const char *)data, size);
    struct base_text base = { copy, strlen(copy) };
    if (!is_domain(base.text, base.length))
        return 0;
    struct arena *arena = arena_new();
    struct plan_guest *guest = database_guest(arena);
    g_autoptr(GString) once = g_string_new(NULL);
    g_autoptr(GString) twice = g_string_new(NULL);
    write_libvirt_xml(guest, &base, once);
    if (!is_domain(once->str, once->len))
        bug("an overlay broke its base");
    struct base_text again = { once->str, once->len };
    write_libvirt_xml(guest, &again, twice);
    if (!g_string_equal(once, twice) && !holds_memory_device(once->str, once->len))
        bug("a second overlay changes the first");
    arena_free(arena);
    return 0;
}
