/* SPDX-License-Identifier: MIT
 *
 * The lowest layer of a guest: what the domain XML of its `base` says of NUMA.  Reading the XML is left to syntax; a
 * base that several guests have is read once.
 */
#include "model/binder.h"

#include <string.h>

struct base_tree {
    uint32_t file;
    const struct tree *tree;
    struct domain_identity identity;
    struct base_value *ruled;
};

enum {
    READ_AGAIN_LIMIT = 64 << 20
}; /* bytes, beyond which guests that accept this and that get no reading of their own */

/* The model outlives the tree. */
static struct base_value *copy_ruled(struct binder *binder, const struct tree *tree)
{
    struct base_value *ruled = arena_array(binder->arena, struct base_value, BASE_WORDS);
    for (enum base_word word = 0; word < BASE_WORDS; word++) {
        const char *text = tree->ruled[word].text;
        ruled[word].span = tree->ruled[word].span;
        ruled[word].text = text ? arena_string(binder->arena, text, strlen(text)) : "";
    }
    return ruled;
}

static struct base_tree *read_base(struct binder *binder, const char *path, struct span span)
{
    struct base_tree *base = arena_take(binder->arena, struct base_tree);
    base->file = sources_find(binder->sources, path);
    if (!base->file) {
        base->file = sources_read_named(binder->sources, path, BASE_BYTES_LIMIT);
        source_note_include(binder->sources, base->file, span);
    }
    base->tree = read_domain(binder->syntax, base->file, &base->identity);
    base->ruled = copy_ruled(binder, base->tree);
    return base;
}

/* What is told of a base is about the guest that has it: it is read once for all that accept the same. */
static const struct base_tree *base_for(struct binder *binder, const struct guest *guest, const char *path,
                                        struct span span)
{
    g_autoptr(GString) key = g_string_new(path);
    g_string_append_c(key, '\n');
    const struct base_tree *first = g_hash_table_lookup(binder->bases, path);
    for (uint32_t i = 0; i < guest->accepted.count; i++)
        g_string_append_printf(key, "%p ", (const void *)guest->accepted.list[i]);
    struct base_tree *known = g_hash_table_lookup(binder->bases, key->str);
    if (known)
        return known;
    if (first && binder->bytes_again >= READ_AGAIN_LIMIT)
        return first;
    known = read_base(binder, path, span);
    if (first)
        binder->bytes_again += source_at(binder->sources, known->file)->length;
    else
        g_hash_table_insert(binder->bases, arena_string(binder->arena, path, strlen(path)), known);
    g_hash_table_insert(binder->bases, arena_string(binder->arena, key->str, key->len), known);
    return known;
}

const struct base_tree *apply_base(struct binder *binder, struct frame frame, const struct item *base)
{
    struct guest *guest = frame.object[OBJECT_GUEST];
    struct scalar few[4], *scalars;
    size_t count;
    if (!item_scalars(binder, base, few, G_N_ELEMENTS(few), &scalars, &count) || count != 1 || !scalars[0].length)
        return NULL; /* binding the item says what is wrong */
    char *path = path_beside(binder, scalars[0].span.file, scalars[0].text, scalars[0].length);
    const struct base_tree *known = base_for(binder, guest, path, scalars[0].span);
    guest->base_file = known->file;
    guest->base_ruled = known->ruled;
    const char *uuid = known->identity.uuid;
    guest->base_uuid = uuid ? arena_string(binder->arena, uuid, strlen(uuid)) : NULL;
    guest->base_controllers = known->identity.controllers;
    guest->base_buses_end = known->identity.buses_end;
    guest->base_max_bytes = known->identity.kept_max_bytes;
    guest->base_max = known->identity.kept_max;
    guest->is_broken |= known->tree->failed;
    guest->is_incomplete |= known->tree->failed;
    frame.layer = LAYER_BASE;
    bind_block(binder, &frame, IN_GUEST, known->tree->items);
    return known;
}

/* The cells of a base say its memory; where a guest takes them away, it still has that memory. */
void keep_total(struct binder *binder, struct frame frame, const struct base_tree *base)
{
    const struct guest *guest = frame.object[OBJECT_GUEST];
    bool is_told = is_said(&guest->said, W_GUEST_MEMORY) || is_failed(&guest->said, W_GUEST_MEMORY);
    for (uint32_t i = 0; i < guest->cell_count; i++)
        is_told |= is_said(&guest->cells[i].said, W_CELL_MEMORY) || is_failed(&guest->cells[i].said, W_CELL_MEMORY);
    if (is_told || !base->tree->total)
        return;
    frame.layer = LAYER_BASE;
    bind_block(binder, &frame, IN_GUEST, base->tree->total);
}
