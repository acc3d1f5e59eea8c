/* SPDX-License-Identifier: MIT
 *
 * The parts of a guest while its layers are bound: labelled blocks found or made, and what `remove` drops of all that
 * lower layers gave.
 */
#include "model/binder.h"

#include <string.h>

/* ---- the labelled blocks of a guest ----------------------------------------------------------------------------- */

/* Room for one more in an array that doubles at powers of two from four. */
static void *grown(struct arena *arena, void *items, uint32_t count, size_t bytes)
{
    if (count && (count < 4 || (count & (count - 1))))
        return items;
    void *more = arena_alloc(arena, bytes * (count ? count * 2 : 4));
    if (count)
        memcpy(more, items, bytes * count);
    return more;
}

struct cell *guest_cell(struct binder *binder, struct guest *guest, const char *label, struct span span)
{
    for (uint32_t i = 0; i < guest->cell_count; i++)
        if (strcmp(guest->cells[i].name, label) == 0) {
            guest->cells[i].span = span;
            return &guest->cells[i];
        }
    guest->cells = grown(binder->arena, guest->cells, guest->cell_count, sizeof guest->cells[0]);
    struct cell *cell = &guest->cells[guest->cell_count++];
    *cell = cell_defaults;
    cell->locality = guest_defaults.locality;
    cell->name = label;
    cell->span = span;
    return cell;
}

struct iothread *guest_iothread(struct binder *binder, struct guest *guest, uint32_t id, struct span span)
{
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].id == id) {
            guest->iothreads[i].span = span;
            return &guest->iothreads[i];
        }
    guest->iothreads = grown(binder->arena, guest->iothreads, guest->iothread_count, sizeof guest->iothreads[0]);
    struct iothread *iothread = &guest->iothreads[guest->iothread_count++];
    *iothread = iothread_defaults;
    iothread->id = id;
    iothread->span = span;
    return iothread;
}

struct resctrl *guest_resctrl(struct binder *binder, struct guest *guest, const struct set *ids, struct span span)
{
    for (uint32_t i = 0; i < guest->resctrl_count; i++)
        if (strcmp(guest->resctrls[i].ids->text, ids->text) == 0) {
            guest->resctrls[i].span = span;
            return &guest->resctrls[i];
        }
    guest->resctrls = grown(binder->arena, guest->resctrls, guest->resctrl_count, sizeof guest->resctrls[0]);
    struct resctrl *resctrl = &guest->resctrls[guest->resctrl_count++];
    *resctrl = resctrl_defaults;
    resctrl->ids = ids;
    resctrl->span = span;
    return resctrl;
}

struct memory_device *guest_memory_device(struct binder *binder, struct guest *guest, enum word_id model,
                                          const char *name, struct span span)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (guest->memory_devices[i].model == model && strcmp(guest->memory_devices[i].name, name) == 0) {
            guest->memory_devices[i].span = span;
            return &guest->memory_devices[i];
        }
    guest->memory_devices =
        grown(binder->arena, guest->memory_devices, guest->memory_device_count, sizeof guest->memory_devices[0]);
    struct memory_device *device = &guest->memory_devices[guest->memory_device_count++];
    *device = memory_device_defaults;
    device->model = model;
    device->name = name;
    device->span = span;
    return device;
}

struct expander_bus *guest_expander(struct binder *binder, struct guest *guest, const char *name, struct span span)
{
    for (uint32_t i = 0; i < guest->expander_count; i++)
        if (strcmp(guest->expanders[i].name, name) == 0) {
            guest->expanders[i].span = span;
            return &guest->expanders[i];
        }
    guest->expanders = grown(binder->arena, guest->expanders, guest->expander_count, sizeof guest->expanders[0]);
    struct expander_bus *expander = &guest->expanders[guest->expander_count++];
    *expander = expander_defaults;
    expander->name = name;
    expander->span = span;
    return expander;
}

struct device *guest_device(struct binder *binder, struct guest *guest, const char *name, struct span span)
{
    for (uint32_t i = 0; i < guest->device_count; i++)
        if (strcmp(guest->devices[i].name, name) == 0) {
            guest->devices[i].span = span;
            return &guest->devices[i];
        }
    guest->devices = grown(binder->arena, guest->devices, guest->device_count, sizeof guest->devices[0]);
    struct device *device = &guest->devices[guest->device_count++];
    *device = device_defaults;
    device->name = name;
    device->span = span;
    binder->site->wants_devices = true;
    return device;
}

struct hmat_cache *cell_hmat_cache(struct binder *binder, struct cell *cell, uint32_t level, struct span span)
{
    for (uint32_t i = 0; i < cell->hmat_cache_count; i++)
        if (cell->hmat_caches[i].level == level) {
            cell->hmat_caches[i].span = span;
            return &cell->hmat_caches[i];
        }
    cell->hmat_caches = grown(binder->arena, cell->hmat_caches, cell->hmat_cache_count, sizeof cell->hmat_caches[0]);
    struct hmat_cache *cache = &cell->hmat_caches[cell->hmat_cache_count++];
    *cache = hmat_cache_defaults;
    cache->level = level;
    cache->span = span;
    return cache;
}

/* ---- remove ----------------------------------------------------------------------------------------------------- */

static bool remove_labelled(const struct frame *frame, const struct word_row *row, const char *label)
{
    struct guest *guest = frame->object[OBJECT_GUEST];
    if (row->id == W_GUEST_AT)
        return forget_at(frame, label);
    if (row->id == W_GUEST_CELL)
        for (uint32_t i = 0; i < guest->cell_count; i++)
            if (strcmp(guest->cells[i].name, label) == 0) {
                guest->cell_count--;
                memmove(&guest->cells[i], &guest->cells[i + 1], (guest->cell_count - i) * sizeof guest->cells[0]);
                return true;
            }
    if (row->id == W_GUEST_IOTHREAD)
        for (uint32_t i = 0; i < guest->iothread_count; i++) {
            char id[16];
            g_snprintf(id, sizeof id, "%u", guest->iothreads[i].id);
            if (strcmp(id, label) == 0) {
                guest->iothread_count--;
                memmove(&guest->iothreads[i], &guest->iothreads[i + 1],
                        (guest->iothread_count - i) * sizeof guest->iothreads[0]);
                return true;
            }
        }
    if (row->object == OBJECT_MEMORY_DEVICE)
        for (uint32_t i = 0; i < guest->memory_device_count; i++)
            if (guest->memory_devices[i].model == row->id && strcmp(guest->memory_devices[i].name, label) == 0) {
                guest->memory_device_count--;
                memmove(&guest->memory_devices[i], &guest->memory_devices[i + 1],
                        (guest->memory_device_count - i) * sizeof guest->memory_devices[0]);
                return true;
            }
    if (row->id == W_GUEST_RESCTRL)
        for (uint32_t i = 0; i < guest->resctrl_count; i++)
            if (strcmp(guest->resctrls[i].ids->text, label) == 0) {
                guest->resctrl_count--;
                memmove(&guest->resctrls[i], &guest->resctrls[i + 1],
                        (guest->resctrl_count - i) * sizeof guest->resctrls[0]);
                return true;
            }
    if (row->id == W_GUEST_EXPANDER_BUS)
        for (uint32_t i = 0; i < guest->expander_count; i++)
            if (strcmp(guest->expanders[i].name, label) == 0) {
                guest->expander_count--;
                memmove(&guest->expanders[i], &guest->expanders[i + 1],
                        (guest->expander_count - i) * sizeof guest->expanders[0]);
                return true;
            }
    if (row->id == W_GUEST_DEVICE)
        for (uint32_t i = 0; i < guest->device_count; i++)
            if (strcmp(guest->devices[i].name, label) == 0) {
                guest->device_count--;
                memmove(&guest->devices[i], &guest->devices[i + 1],
                        (guest->device_count - i) * sizeof guest->devices[0]);
                return true;
            }
    return false;
}

static bool remove_setting(const struct frame *frame, const struct word_row *row)
{
    bool was_said = is_said(frame->said, row->id);
    reset_word(frame, row);
    said_forget(frame->said, row->id);
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; row->opens && i < count; i++)
        if ((rows[i].in & row->opens) && is_said(frame->said, rows[i].id)) {
            was_said = true;
            reset_word(frame, &rows[i]);
            said_forget(frame->said, rows[i].id);
        }
    return was_said;
}

void report_nothing_to_remove(struct binder *binder, const struct scalar *what)
{
    struct finding *finding =
        report_value(binder, NM_nothing_to_remove, what, "no lower layer gave '%.*s'", (int)what->length, what->text);
    finding_help(binder->findings, finding, "leave it out of 'remove'; what this block says itself is simply not said");
}

static bool remove_one(struct binder *binder, const struct frame *frame, const struct scalar *what)
{
    const char *colon = memchr(what->text, ':', what->length);
    size_t length = colon ? (size_t)(colon - what->text) : what->length;
    enum context in = frame->layer == LAYER_AT ? IN_AT : IN_GUEST;
    const struct word_row *row = find_word(in, what->text, length);
    struct finding *finding;
    if (!row) {
        finding = report_value(binder, NM_unknown_word, what, "%s has no word '%.*s' to remove", context_word(in),
                               (int)length, what->text);
        const struct word_row *near = nearest_word(in, what->text, length);
        if (near)
            finding_help(binder->findings, finding, "did you mean '%s'?", near->word);
        else
            finding_help(binder->findings, finding,
                         "name a word of a profile or base: 'emulator', 'cell:b', 'iothread:1'");
        return false;
    }
    if (row->kind == LABELLED && !colon) {
        finding = report_value(binder, NM_missing_label, what, "'remove %s' does not say which", row->word);
        finding_help(binder->findings, finding, "write '%s:LABEL'", row->word);
        return false;
    }
    if (row->id == W_SUPPRESS)
        return true; /* done before the layers were bound */
    g_autofree char *label = colon ? g_strndup(colon + 1, what->length - length - 1) : NULL;
    if (row->kind == LABELLED ? remove_labelled(frame, row, label) : !colon && remove_setting(frame, row))
        return true;
    report_nothing_to_remove(binder, what);
    return false;
}

void apply_removals(struct binder *binder, const struct frame *frame, const struct item *block)
{
    const struct item *item = find_item(binder, block->children, "remove");
    struct scalar few[8], *scalars;
    size_t count;
    if (!item)
        return;
    bool fine = item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count);
    if (fine && !count) {
        struct finding *finding =
            report(binder->findings, NM_missing_argument, item_span(item), "'remove' names nothing");
        finding_help(binder->findings, finding, "write 'remove emulator', or 'remove cell:b'");
        fine = false;
    }
    for (size_t i = 0; fine && i < count; i++)
        fine &= remove_one(binder, frame, &scalars[i]);
    if (!fine)
        *frame->is_broken = true;
}
