/* SPDX-License-Identifier: MIT
 *
 * Labelled blocks into the objects they tell of: the one of this label that a lower layer made, or a new one.  What
 * stands in them is bound as everywhere (bind.c).
 */
#include "model/binder.h"

#include <string.h>

bool item_label(struct binder *binder, const struct item *item, const struct word_row *row, struct scalar *out_label)
{
    if (!item->argument_count) {
        struct finding *finding = report(binder->findings, NM_missing_label, item_span(item), "'%s' lacks its %s",
                                         row->word, row->label.name);
        finding_help(binder->findings, finding, "write '%s NAME { ... }'", row->word);
        return false;
    }
    if (item->arguments[0].dollar) {
        size_t length;
        const char *text = word_text(binder->syntax, item, item->arguments[0], &length);
        mark_variables(binder, text, length);
        struct finding *finding = report(binder->findings, NM_variable_not_here, word_span(item, item->arguments[0]),
                                         "a variable stands in a %s", row->label.name);
        finding_help(binder->findings, finding, "variables give values only; write the %s itself", row->label.name);
        return false;
    }
    *out_label = (struct scalar){ .span = word_span(item, item->arguments[0]), .is_quoted = item->arguments[0].quoted };
    out_label->text = word_text(binder->syntax, item, item->arguments[0], &out_label->length);
    return true;
}

/* What the words of a block belong to: one object more, which also remembers what was said. */
static struct frame inside_of(const struct frame *frame, enum object_kind kind, void *object, struct said *said)
{
    struct frame inside = *frame;
    inside.object[kind] = object;
    inside.said = said;
    return inside;
}

static void bind_pages(struct binder *binder, const struct frame *frame, const struct word_row *row,
                       const struct item *item, const struct scalar *label)
{
    uint64_t bytes;
    if (!parse_value(binder, &row->label, label, &bytes))
        return;
    GPtrArray **pools = row->id == W_HOST_HUGEPAGES ? &((struct declared_host *)frame->object[OBJECT_HOST])->hugepages
                                                    : &((struct reserve *)frame->object[OBJECT_RESERVE])->hugepages;
    if (!*pools)
        *pools = g_ptr_array_new();
    struct hugepages *pool = NULL;
    for (guint i = 0; i < (*pools)->len; i++)
        if (((struct hugepages *)g_ptr_array_index(*pools, i))->page_bytes == bytes)
            pool = g_ptr_array_index(*pools, i);
    if (!pool) {
        pool = arena_take(binder->arena, struct hugepages);
        pool->page_bytes = bytes;
        g_ptr_array_add(*pools, pool);
    }
    pool->span = label->span;
    struct frame inside = inside_of(frame, OBJECT_HUGEPAGES, pool, frame->said);
    said_mark(frame->said, row->id, bind_table(binder, &inside, row, item));
    note_places(binder, frame, row, item, label, 1);
}

static void bind_reserve(struct binder *binder, const struct frame *frame, const struct item *item,
                         const struct scalar *label)
{
    struct declared_host *host = frame->object[OBJECT_HOST];
    if (!host->reserves)
        host->reserves = g_ptr_array_new();
    struct reserve *reserve = NULL;
    for (guint i = 0; i < host->reserves->len; i++) {
        struct reserve *other = g_ptr_array_index(host->reserves, i);
        if (strlen(other->owner) == label->length && memcmp(other->owner, label->text, label->length) == 0)
            reserve = other;
    }
    if (!reserve) {
        reserve = arena_take(binder->arena, struct reserve);
        *reserve = reserve_defaults;
        reserve->owner = arena_string(binder->arena, label->text, label->length);
        g_ptr_array_add(host->reserves, reserve);
    }
    reserve->span = label->span;
    struct frame inside = inside_of(frame, OBJECT_RESERVE, reserve, &reserve->said);
    bind_block(binder, &inside, IN_RESERVE, item->children);
}

/* It is read for several guests, or variants of one. */
static bool is_repeated_layer(const struct frame *frame)
{
    return frame->layer == LAYER_PROFILE || frame->is_again;
}

static void bind_cell(struct binder *binder, const struct frame *frame, const struct item *item, const char *label,
                      struct span span)
{
    const struct guest *guest = frame->object[OBJECT_GUEST];
    if (is_repeated_layer(frame) && !grow(binder, guest->cell_count / 32, 0, span)) /* it is sought among them */
        return;
    struct cell *cell = guest_cell(binder, frame->object[OBJECT_GUEST], label, span);
    struct frame inside = inside_of(frame, OBJECT_CELL, cell, &cell->said);
    inside.object[OBJECT_LOCALITY] = &cell->locality;
    bind_block(binder, &inside, IN_CELL, item->children);
}

static void bind_hmat_cache(struct binder *binder, const struct frame *frame, const struct item *item, uint32_t level,
                            struct span span)
{
    struct hmat_cache *cache = cell_hmat_cache(binder, frame->object[OBJECT_CELL], level, span);
    struct frame inside = inside_of(frame, OBJECT_HMAT_CACHE, cache, &cache->said);
    bind_block(binder, &inside, IN_HMAT_CACHE, item->children);
}

static void bind_iothread(struct binder *binder, const struct frame *frame, const struct item *item, uint32_t id,
                          struct span span)
{
    struct iothread *iothread = guest_iothread(binder, frame->object[OBJECT_GUEST], id, span);
    struct frame inside = inside_of(frame, OBJECT_IOTHREAD, iothread, &iothread->said);
    bind_block(binder, &inside, IN_IOTHREAD, item->children);
}

static void bind_resctrl(struct binder *binder, const struct frame *frame, const struct item *item,
                         const struct set *ids, struct span span)
{
    struct resctrl *resctrl = guest_resctrl(binder, frame->object[OBJECT_GUEST], ids, span);
    struct frame inside = inside_of(frame, OBJECT_RESCTRL, resctrl, &resctrl->said);
    bind_block(binder, &inside, IN_RESCTRL, item->children);
}

/* A guest has 256 PCI buses, and so has no more devices: more of them are not looked at. */
enum { DEVICES_MOST = 255 };

static bool refuse_more(struct binder *binder, const struct frame *frame, uint32_t count, const char *what,
                        struct span span)
{
    if (count <= DEVICES_MOST)
        return false;
    miss_block(frame);
    if (frame->is_broken && *frame->is_broken)
        return true;
    struct finding *finding =
        report(binder->findings, NM_too_many_devices, span, "the guest has more than %d %s", DEVICES_MOST, what);
    finding_help(binder->findings, finding, "PCI has 256 buses, and each needs one at least");
    return true;
}

static void bind_expander(struct binder *binder, const struct frame *frame, const struct item *item, const char *name,
                          struct span span)
{
    const struct guest *guest = frame->object[OBJECT_GUEST];
    if (refuse_more(binder, frame, guest->expander_count, "expander buses", span))
        return;
    struct expander_bus *expander = guest_expander(binder, frame->object[OBJECT_GUEST], name, span);
    struct frame inside = inside_of(frame, OBJECT_EXPANDER, expander, &expander->said);
    bind_block(binder, &inside, IN_EXPANDER, item->children);
    if (frame->layer != LAYER_BASE)
        return;
    expander->controller =
        (uint32_t)g_ascii_strtoull(name + strlen("pci"), NULL, 10); /* as the base's reader calls it */
    expander->base_ports = expander->ports;
}

static void bind_memory_device(struct binder *binder, const struct frame *frame, const struct word_row *row,
                               const struct item *item, const char *name, struct span span)
{
    struct guest *guest = frame->object[OBJECT_GUEST];
    if (is_repeated_layer(frame) && !grow(binder, guest->memory_device_count / 32, 0, span))
        return; /* it is sought among them */
    struct memory_device *device = guest_memory_device(binder, guest, row->id, name, span);
    struct frame inside = inside_of(frame, OBJECT_MEMORY_DEVICE, device, &device->said);
    bind_block(binder, &inside, row->opens, item->children);
}

/* What stands behind the label of a word that takes arguments too. */
static void bind_arguments(struct binder *binder, const struct frame *inside, const struct word_row *row,
                           const struct item *item)
{
    struct scalar few[16], *scalars;
    size_t count;
    if (item->argument_count < 2 && row->arguments[0].flags & OPTIONAL)
        return; /* those of lower layers stay */
    reset_word(inside, row);
    bool fine = item_scalars(binder, item, few, G_N_ELEMENTS(few), &scalars, &count) && count &&
                store_columns(binder, item, row, row->arguments, scalars + 1, count - 1, inside->object[row->object]);
    note_places(binder, inside, row, item, fine ? scalars + 1 : NULL, fine ? count - 1 : 0);
    said_mark(inside->said, row->id, fine);
    if (!fine && inside->is_broken)
        *inside->is_broken = true;
}

static void bind_device(struct binder *binder, const struct frame *frame, const struct word_row *row,
                        const struct item *item, const char *name, struct span span)
{
    const struct guest *guest = frame->object[OBJECT_GUEST];
    if (refuse_more(binder, frame, guest->device_count, "devices", span))
        return;
    struct device *device = guest_device(binder, frame->object[OBJECT_GUEST], name, span);
    struct frame inside = inside_of(frame, OBJECT_DEVICE, device, &device->said);
    bind_arguments(binder, &inside, row, item);
    bind_block(binder, &inside, IN_DEVICE, item->children);
    if (frame->layer != LAYER_BASE)
        return;
    device->is_of_base = true;
    device->base_bus = device->bus;
}

static void bind_named_device(struct binder *binder, const struct frame *frame, const struct word_row *row,
                              const struct item *item, const char *name, struct span span)
{
    struct declared_host *host = frame->object[OBJECT_HOST];
    struct named_device *device = NULL;
    if (!host->devices)
        host->devices = g_ptr_array_new();
    for (guint i = 0; i < host->devices->len; i++) {
        struct named_device *other = g_ptr_array_index(host->devices, i);
        if (strcmp(other->name, name) == 0)
            device = other;
    }
    if (!device) {
        device = arena_take(binder->arena, struct named_device);
        device->name = name;
        g_ptr_array_add(host->devices, device);
    }
    device->span = span;
    struct frame inside = inside_of(frame, OBJECT_NAMED_DEVICE, device, &device->said);
    if (item->has_block)
        report_block(binder, item, row);
    bind_arguments(binder, &inside, row, item);
}

/* A block is not bound: what the blocks of its kind come to is not known. */
void miss_block(const struct frame *frame)
{
    if (frame->is_incomplete)
        *frame->is_incomplete = true;
}

void bind_labelled(struct binder *binder, const struct frame *frame, const struct word_row *row,
                   const struct item *item)
{
    struct scalar label;
    const char *name;
    const struct set *ids;
    uint32_t id;
    size_t findings = findings_errors_met(binder->findings);
    if (!item_label(binder, item, row, &label)) {
        miss_block(frame);
    } else {
        if (item->argument_count > 1 && !row->arguments[0].name) {
            struct scalar extra = { .span = word_span(item, item->arguments[1]) };
            extra.text = word_text(binder->syntax, item, item->arguments[1], &extra.length);
            report_extra(binder, item, row, &row->label, 1, &label, &extra);
        }
        if (row->object == OBJECT_HUGEPAGES)
            bind_pages(binder, frame, row, item, &label);
        else if (row->id == W_HOST_RESERVE && parse_value(binder, &row->label, &label, &name))
            bind_reserve(binder, frame, item, &label);
        else if (row->id == W_GUEST_AT && parse_value(binder, &row->label, &label, &name))
            note_at(binder, frame, item, name, label.span);
        else if (row->id == W_GUEST_CELL && parse_value(binder, &row->label, &label, &name))
            bind_cell(binder, frame, item, name, label.span);
        else if (row->id == W_GUEST_IOTHREAD && parse_value(binder, &row->label, &label, &id))
            bind_iothread(binder, frame, item, id, label.span);
        else if (row->id == W_GUEST_RESCTRL && parse_value(binder, &row->label, &label, &ids))
            bind_resctrl(binder, frame, item, ids, label.span);
        else if (row->id == W_GUEST_EXPANDER_BUS && parse_value(binder, &row->label, &label, &name))
            bind_expander(binder, frame, item, name, label.span);
        else if (row->id == W_GUEST_DEVICE && parse_value(binder, &row->label, &label, &name))
            bind_device(binder, frame, row, item, name, label.span);
        else if (row->id == W_HOST_DEVICE && parse_value(binder, &row->label, &label, &name))
            bind_named_device(binder, frame, row, item, name, label.span);
        else if (row->id == W_CELL_HMAT_CACHE && parse_value(binder, &row->label, &label, &id))
            bind_hmat_cache(binder, frame, item, id, label.span);
        else if (row->object == OBJECT_MEMORY_DEVICE && parse_value(binder, &row->label, &label, &name))
            bind_memory_device(binder, frame, row, item, name, label.span);
    }
    if (frame->is_broken && findings_errors_met(binder->findings) > findings)
        *frame->is_broken = true;
}
