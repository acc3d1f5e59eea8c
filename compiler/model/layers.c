/* SPDX-License-Identifier: MIT
 *
 * A guest out of its layers: default, base, profiles in order of use, the guest itself; then cells inherit, and
 * `count` makes instances.
 */
#include "model/binder.h"

#include <string.h>

const struct cell cell_defaults = { 0 };
const struct iothread iothread_defaults = { .scheduling = { .priority = PRIORITY_UNSAID } };
const struct resctrl resctrl_defaults = { 0 };
const struct expander_bus expander_defaults = { 0 };
const struct device device_defaults = { 0 };
const struct hmat_cache hmat_cache_defaults = { .line_bytes = 64 };
const struct memory_device memory_device_defaults = { .policy = POLICY_OF_CELL, .access = ACCESS_PRIVATE };
const struct guest guest_defaults = {
    .count = 1,
    .distance = DISTANCE_AUTO,
    .hmat = HMAT_WORD_NO,
    .scheduling = { .priority = PRIORITY_UNSAID },
    .emulator_scheduling = { .priority = PRIORITY_UNSAID },
    .vhost_scheduling = { .priority = PRIORITY_UNSAID },
    .locality = { .pin = PIN_NODE,
                  .access = ACCESS_PRIVATE,
                  .allocation_threads = 1,
                  .dump = true,
                  .reserve = true,
                  .ksm = true },
};

enum { EXPANDED_LIMIT = 16384, LAYER_LIMIT = 256, PROFILE_DEPTH_LIMIT = 64 };

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

static bool remove_labelled(struct guest *guest, const struct word_row *row, const char *label)
{
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
        if ((rows[i].in & row->opens) && rows[i].id != W_NONE && is_said(frame->said, rows[i].id)) {
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
    const struct word_row *row = find_word(IN_GUEST, what->text, length);
    struct finding *finding;
    if (!row || row->id == W_NONE) {
        finding = report_value(binder, NM_unknown_word, what, "a guest has no word '%.*s' to remove", (int)length,
                               what->text);
        const struct word_row *near = nearest_word(IN_GUEST, what->text, length);
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
    if (row->kind == LABELLED ? remove_labelled(frame->object[OBJECT_GUEST], row, label)
                              : !colon && remove_setting(frame, row))
        return true;
    report_nothing_to_remove(binder, what);
    return false;
}

static void apply_removals(struct binder *binder, const struct frame *frame, const struct item *block)
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

/* ---- profiles --------------------------------------------------------------------------------------------------- */

struct stack { /* profiles of one guest in the order in which they apply */
    struct profile *profiles[LAYER_LIMIT];
    unsigned count;
    bool failed;
};

enum { PROFILE_NEW, PROFILE_OPEN, PROFILE_DONE };

static void push_profiles(struct binder *binder, struct stack *stack, const struct item *block, unsigned depth);

/* A circle is told once, whichever of its profiles a guest uses. */
static bool is_told_cycle(struct binder *binder)
{
    bool is_told = true;
    for (guint i = 0; i < binder->profile_order->len; i++) {
        struct profile *profile = g_ptr_array_index(binder->profile_order, i);
        if (profile->state != PROFILE_OPEN)
            continue;
        is_told &= profile->is_in_told_cycle;
        profile->is_in_told_cycle = true;
    }
    return is_told;
}

static void push_profile(struct binder *binder, struct stack *stack, const struct scalar *scalar, unsigned depth)
{
    g_autofree char *name = g_strndup(scalar->text, scalar->length);
    struct profile *profile = g_hash_table_lookup(binder->profiles, name);
    if (!profile) {
        const char *near = report_unknown_profile(binder, scalar);
        struct profile *meant = near ? g_hash_table_lookup(binder->profiles, near) : NULL;
        if (meant)
            meant->is_used = true; /* one mistake: that nobody uses it is not told too */
        stack->failed = true;
        return;
    }
    profile->is_used = true;
    for (unsigned i = 0; i < stack->count; i++)
        if (stack->profiles[i] == profile)
            return; /* applied already, below */
    if (profile->state != PROFILE_OPEN && (depth > PROFILE_DEPTH_LIMIT || stack->count == LAYER_LIMIT)) {
        stack->failed = true;
        struct finding *finding =
            report_value(binder, NM_profile_cycle, scalar, "profiles use each other over %d deep, or over %d of them",
                         PROFILE_DEPTH_LIMIT, LAYER_LIMIT);
        finding_help(binder->findings, finding, "join profiles that are always used together");
        return;
    }
    if (profile->state == PROFILE_OPEN) {
        stack->failed = true;
        if (is_told_cycle(binder))
            return;
        struct finding *finding =
            report_value(binder, NM_profile_cycle, scalar, "profile '%s' uses itself in the end", name);
        finding_label(binder->findings, finding, word_span(profile->item, profile->item->arguments[0]),
                      "declared here");
        finding_help(binder->findings, finding, "remove one 'use' of the circle");
        return;
    }
    profile->state = PROFILE_OPEN;
    push_profiles(binder, stack, profile->item, depth + 1);
    profile->state = PROFILE_DONE;
    if (stack->count < LAYER_LIMIT)
        stack->profiles[stack->count++] = profile;
}

/* `use a b a`: the second would not win over b, since a applies below it already. */
static void refuse_repeated(struct binder *binder, struct stack *stack, const struct scalar *scalars, size_t count)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; count > 1 && i < count; i++) {
        char *name = g_strndup(scalars[i].text, scalars[i].length);
        if (g_hash_table_add(seen, name))
            continue;
        struct finding *finding = report_value(binder, NM_repeated_word, &scalars[i], "profile '%.*s' is used twice",
                                               (int)scalars[i].length, scalars[i].text);
        finding_help(binder->findings, finding, "keep the place where it should apply: a later profile wins");
        stack->failed = true;
    }
    g_hash_table_destroy(seen);
}

static void push_profiles(struct binder *binder, struct stack *stack, const struct item *block, unsigned depth)
{
    const struct item *use = find_item(binder, block->children, "use");
    struct scalar few[8], *scalars;
    size_t count;
    if (!use || !item_scalars(binder, use, few, G_N_ELEMENTS(few), &scalars, &count))
        return;
    refuse_repeated(binder, stack, scalars, count);
    for (size_t i = 0; i < count && grow(binder, 1, 0, scalars[i].span); i++)
        push_profile(binder, stack, &scalars[i], depth);
}

/* A profile that no guest uses is still checked, on its own. */
static void check_unused(struct binder *binder)
{
    for (guint i = 0; i < binder->profile_order->len; i++) {
        const struct profile *profile = g_ptr_array_index(binder->profile_order, i);
        if (profile->is_used)
            continue;
        struct guest *aside = arena_take(binder->arena, struct guest);
        *aside = guest_defaults;
        struct frame frame = { .said = &aside->said, .layer = LAYER_PROFILE, .is_broken = &aside->is_broken };
        frame.object[OBJECT_GUEST] = aside;
        frame.object[OBJECT_LOCALITY] = &aside->locality;
        bind_block(binder, &frame, IN_PROFILE, profile->item->children);
        struct stack stack = { .count = 0 };
        bool was_used = profile->is_used;
        push_profiles(binder, &stack, profile->item, 0);
        for (unsigned p = 0; p < stack.count; p++) {
            stack.profiles[p]->is_used = true;
            bind_block(binder, &frame, IN_PROFILE, stack.profiles[p]->item->children);
        }
        ((struct profile *)g_ptr_array_index(binder->profile_order, i))->is_used = was_used;
    }
}

/* ---- a guest and its instances ---------------------------------------------------------------------------------- */

static void check_hosts(struct binder *binder, struct guest *guest)
{
    const char *const *names = guest->hosts.items;
    for (uint32_t i = 0; i < guest->hosts.count; i++) {
        bool known = g_hash_table_contains(binder->hosts, names[i]);
        for (size_t h = 0; !known && h < binder->options->host_count; h++)
            known = strcmp(binder->options->hosts[h].name, names[i]) == 0;
        if (known)
            continue;
        struct scalar scalar = { .text = names[i],
                                 .length = strlen(names[i]),
                                 .span = said_span(&guest->said, W_GUEST_HOST, i + 1) };
        report_unknown_host(binder, &scalar, NULL);
        guest->is_broken = true;
    }
}

/* Cells, pins and levels are about all vCPUs that there can be; only the plan tells apart which are there at start. */
static void settle_maximum(struct guest *guest)
{
    guest->vcpus_at_start = guest->vcpu_count;
    guest->says_start = is_said(&guest->said, W_GUEST_VCPUS);
    if (!is_said(&guest->said, W_VCPUS_MAX))
        return;
    bool fine = !is_failed(&guest->said, W_VCPUS_MAX) && !is_failed(&guest->said, W_GUEST_VCPUS);
    guest->vcpu_count = guest->vcpu_most;
    said_mark(&guest->said, W_GUEST_VCPUS, fine);
}

static const struct item *base_item(struct binder *binder, const struct stack *stack, const struct item *item)
{
    const struct item *base = find_item(binder, item->children, "base");
    for (unsigned i = stack->count; !base && i-- > 0;)
        base = find_item(binder, stack->profiles[i]->item->children, "base");
    return base;
}

static struct acceptances accepted_of(struct binder *binder, const struct stack *stack, const struct item *item)
{
    const struct item *blocks[LAYER_LIMIT + 1];
    for (unsigned i = 0; i < stack->count; i++)
        blocks[i] = stack->profiles[i]->item;
    blocks[stack->count] = item;
    return accepted_in_layers(binder, blocks, stack->count + 1);
}

static void bind_guest(struct binder *binder, const struct item *item, struct guest *guest)
{
    *guest = guest_defaults;
    guest->name = guest->family = label_string(binder, item);
    guest->span = word_span(item, item->arguments[0]);
    struct frame frame = { .said = &guest->said,
                           .layer = LAYER_PROFILE,
                           .is_broken = &guest->is_broken,
                           .is_incomplete = &guest->is_incomplete };
    frame.object[OBJECT_GUEST] = guest;
    frame.object[OBJECT_LOCALITY] = &guest->locality;
    struct stack stack = { .count = 0 };
    push_profiles(binder, &stack, item, 0);
    guest->accepted = accepted_of(binder, &stack, item);
    about_guest(binder->findings, guest);
    const struct item *base_said = base_item(binder, &stack, item);
    const struct base_tree *base = base_said ? apply_base(binder, frame, base_said) : NULL;
    for (unsigned i = 0; i < stack.count; i++) {
        apply_removals(binder, &frame, stack.profiles[i]->item);
        bind_block(binder, &frame, IN_PROFILE, stack.profiles[i]->item->children);
    }
    frame.layer = LAYER_GUEST;
    apply_removals(binder, &frame, item);
    bind_block(binder, &frame, IN_GUEST, item->children);
    if (base)
        keep_total(binder, frame, base);
    guest->is_broken |= stack.failed || binder->is_too_large;
    guest->is_incomplete |= stack.failed || binder->is_too_large;
    check_hosts(binder, guest);
    settle_maximum(guest);
    number_guest_places(binder, guest);
    settle_device_places(binder, guest);
    inherit_locality(guest);
    settle_numad(guest);
    about_guest(binder->findings, NULL);
}

/* How many instances a family makes; 0 with a finding where its count is wrong. */
static uint32_t instances_of(struct binder *binder, const struct guest *family, uint32_t *expanded)
{
    if (!is_said(&family->said, W_GUEST_COUNT) || is_failed(&family->said, W_GUEST_COUNT))
        return 1;
    if (family->count && family->count <= EXPANDED_LIMIT - *expanded) {
        *expanded += family->count;
        return grow_by_count(binder, family) ? family->count : 0;
    }
    struct finding *finding = report(binder->findings, NM_wrong_number, said_span(&family->said, W_GUEST_COUNT, 1),
                                     "a count of %u for '%s' %s", family->count, family->name,
                                     family->count ? "makes too many guests" : "makes no guest");
    finding_help(binder->findings, finding, "write 1 to %u", EXPANDED_LIMIT - *expanded);
    return 0;
}

/* Instances share what their family points to and differ in name. */
static void expand(struct binder *binder, struct guest *families, const uint32_t *instances, uint32_t family_count)
{
    struct site *site = binder->site;
    uint64_t total = 0;
    bool expands = false;
    for (uint32_t f = 0; f < family_count; f++) {
        total += instances[f];
        expands |= instances[f] != 1 || is_said(&families[f].said, W_GUEST_COUNT);
    }
    site->guest_count = (uint32_t)total;
    site->guests = expands ? arena_array(binder->arena, struct guest, total) : families;
    struct guest *next = site->guests;
    for (uint32_t f = 0; expands && f < family_count; f++)
        for (uint32_t i = 1; i <= instances[f]; i++, next++) {
            *next = families[f];
            if (!is_said(&families[f].said, W_GUEST_COUNT))
                continue;
            next->instance = i;
            next->name = arena_printf(binder->arena, "%s-%u", families[f].family, i);
        }
}

static bool is_file_name(const char *name)
{
    if (strlen(name) > 200 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (const char *at = name; *at; at += g_utf8_skip[(unsigned char)*at]) {
        GUnicodeType type = g_unichar_type(g_utf8_get_char(at));
        if (*at == '/' || type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
            type == G_UNICODE_PARAGRAPH_SEPARATOR)
            return false; /* no folder, and nothing that moves the cursor or the reading direction of a terminal */
    }
    return true;
}

static void check_names(struct binder *binder)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct site *site = binder->site;
    for (uint32_t i = 0; i < site->guest_count; i++) {
        struct guest *guest = &site->guests[i];
        struct finding *finding = NULL;
        if (!is_file_name(guest->name)) {
            finding =
                report(binder->findings, NM_guest_name, guest->span, "guest '%s' cannot name a file", guest->name);
            finding_help(
                binder->findings, finding,
                "its name is that of its output: no '/' and control characters, not '.' or '..', at most 200 bytes");
        }
        char *key = g_utf8_casefold(guest->name, -1);
        const struct guest *before = g_hash_table_lookup(seen, key);
        if (before) {
            finding = report(binder->findings, NM_guest_name, guest->span, "guest '%s' clashes with '%s'", guest->name,
                             before->name);
            finding_label(binder->findings, finding, before->span, "the other one");
            finding_help(binder->findings, finding,
                         "rename one: names must differ by more than case, also those that 'count' makes");
        }
        guest->is_broken |= finding != NULL;
        if (before)
            g_free(key);
        else
            g_hash_table_insert(seen, key, guest);
    }
    g_hash_table_destroy(seen);
}

void bind_guests(struct binder *binder)
{
    uint32_t count = binder->guest_items->len, expanded = 0;
    struct guest *families = arena_array(binder->arena, struct guest, count);
    uint32_t *instances = g_new(uint32_t, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        bind_guest(binder, g_ptr_array_index(binder->guest_items, i), &families[i]);
        instances[i] = instances_of(binder, &families[i], &expanded);
    }
    expand(binder, families, instances, count);
    g_free(instances);
    check_names(binder);
    check_unused(binder);
}
