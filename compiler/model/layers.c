/* SPDX-License-Identifier: MIT
 *
 * A guest out of its layers: default, base, profiles in order of use, the guest itself, and once more for each host
 * that an `at` names; then cells inherit, and `count` makes instances.
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

/* What an unused profile says for one host, over what it says for all. */
static void check_at_blocks(struct binder *binder, const struct guest *aside, const GArray *at_blocks)
{
    for (guint i = 0; i < at_blocks->len; i++) {
        const struct item *item = g_array_index(at_blocks, struct at_block, i).item;
        struct guest copy = *aside;
        struct frame frame = { .said = &copy.said, .layer = LAYER_AT, .is_broken = &copy.is_broken, .is_again = true };
        frame.object[OBJECT_GUEST] = &copy;
        frame.object[OBJECT_LOCALITY] = &copy.locality;
        bind_block(binder, &frame, IN_AT, item->children);
    }
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
        g_autoptr(GArray) at_blocks = g_array_new(FALSE, FALSE, sizeof(struct at_block));
        struct frame frame = {
            .said = &aside->said, .layer = LAYER_PROFILE, .is_broken = &aside->is_broken, .at_blocks = at_blocks
        };
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
        check_at_blocks(binder, aside, at_blocks);
    }
}

/* ---- a guest and its instances ---------------------------------------------------------------------------------- */

static void check_hosts(struct binder *binder, struct guest *guest, const struct list *hosts, enum word_id word)
{
    const char *const *names = hosts->items;
    for (uint32_t i = 0; i < hosts->count; i++) {
        if (is_host(binder, names[i]))
            continue;
        struct scalar scalar = { .text = names[i],
                                 .length = strlen(names[i]),
                                 .span = said_span(&guest->said, word, i + 1) };
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

struct layers { /* what makes one guest, or a variant of it */
    const struct item *item;
    const struct stack *stack;
    const struct at_block *at_blocks; /* of one host */
    guint at_count;
};

static const struct item *base_item(struct binder *binder, const struct layers *layers)
{
    const struct item *base = NULL;
    for (guint i = layers->at_count; !base && i-- > 0;)
        base = find_item(binder, layers->at_blocks[i].item->children, "base");
    if (!base)
        base = find_item(binder, layers->item->children, "base");
    for (unsigned i = layers->stack->count; !base && i-- > 0;)
        base = find_item(binder, layers->stack->profiles[i]->item->children, "base");
    return base;
}

static struct acceptances accepted_of(struct binder *binder, const struct layers *layers)
{
    size_t count = 0;
    g_autofree const struct item **blocks = g_new(const struct item *, layers->stack->count + 1 + layers->at_count);
    for (unsigned i = 0; i < layers->stack->count; i++)
        blocks[count++] = layers->stack->profiles[i]->item;
    blocks[count++] = layers->item;
    for (guint i = 0; i < layers->at_count; i++)
        blocks[count++] = layers->at_blocks[i].item;
    return accepted_in_layers(binder, blocks, count);
}

static void bind_layer(struct binder *binder, struct frame *frame, enum layer layer, enum context in,
                       const struct item *item)
{
    frame->layer = layer;
    apply_removals(binder, frame, item);
    bind_block(binder, frame, in, item->children);
}

/* `at_blocks` gets those met; NULL: this is the variant of one host. */
static void bind_layers(struct binder *binder, const struct layers *layers, GArray *at_blocks, struct guest *guest)
{
    const struct stack *stack = layers->stack;
    struct frame frame = { .said = &guest->said,
                           .layer = LAYER_PROFILE,
                           .is_broken = &guest->is_broken,
                           .is_incomplete = &guest->is_incomplete,
                           .at_blocks = at_blocks,
                           .is_again = !at_blocks };
    frame.object[OBJECT_GUEST] = guest;
    frame.object[OBJECT_LOCALITY] = &guest->locality;
    guest->accepted = accepted_of(binder, layers);
    about_guest(binder->findings, guest);
    const struct item *base_said = base_item(binder, layers);
    const struct base_tree *base = base_said ? apply_base(binder, frame, base_said) : NULL;
    for (unsigned i = 0; i < stack->count; i++)
        bind_layer(binder, &frame, LAYER_PROFILE, IN_PROFILE, stack->profiles[i]->item);
    bind_layer(binder, &frame, LAYER_GUEST, IN_GUEST, layers->item);
    for (guint i = 0; i < layers->at_count; i++)
        bind_layer(binder, &frame, LAYER_AT, IN_AT, layers->at_blocks[i].item);
    if (base)
        keep_total(binder, frame, base);
    guest->is_broken |= stack->failed || binder->is_too_large;
    guest->is_incomplete |= stack->failed || binder->is_too_large;
    check_hosts(binder, guest, &guest->hosts, W_GUEST_HOST);
    check_hosts(binder, guest, &guest->migrate, W_GUEST_MIGRATE);
    settle_maximum(guest);
    number_guest_places(binder, guest);
    settle_device_places(binder, guest);
    inherit_locality(guest);
    settle_numad(guest);
    settle_cells(guest);
}

enum { WORDS_OF_A_VARIANT = 16, BLOCKS_PASSED_OVER = 8 }; /* what it costs beside its words; as much as one word */

static void bind_variants(struct binder *binder, const struct layers *layers, GArray *blocks, struct guest *guest)
{
    const struct at_block *block = (const struct at_block *)(void *)blocks->data, *end = block + blocks->len;
    sort_at_blocks(blocks);
    guest->variants = arena_array(binder->arena, struct variant, blocks->len);
    while (block < end && grow(binder, WORDS_OF_A_VARIANT + blocks->len / BLOCKS_PASSED_OVER, 0, block->span)) {
        struct layers here = { .item = layers->item, .stack = layers->stack, .at_blocks = block };
        for (; block < end && strcmp(block->host, here.at_blocks->host) == 0; block++)
            here.at_count++;
        struct guest *variant = arena_take(binder->arena, struct guest);
        *variant = guest_defaults;
        variant->name = variant->family = guest->name;
        variant->span = guest->span;
        bind_layers(binder, &here, NULL, variant);
        guest->is_broken |= variant->is_broken || !is_host(binder, block[-1].host);
        guest->variants[guest->variant_count++] =
            (struct variant){ .host = block[-1].host, .span = block[-1].span, .guest = variant };
    }
    guest->is_broken |= binder->is_too_large;
}

static void bind_guest(struct binder *binder, const struct item *item, struct guest *guest)
{
    g_autoptr(GArray) at_blocks = g_array_new(FALSE, FALSE, sizeof(struct at_block));
    struct stack stack = { .count = 0 };
    struct layers layers = { .item = item, .stack = &stack };
    *guest = guest_defaults;
    guest->name = guest->family = label_string(binder, item);
    guest->span = word_span(item, item->arguments[0]);
    push_profiles(binder, &stack, item, 0);
    bind_layers(binder, &layers, at_blocks, guest);
    if (at_blocks->len) {
        refuse_idle_at(binder, guest, at_blocks);
        bind_variants(binder, &layers, at_blocks, guest);
    }
    about_guest(binder->findings, NULL);
}

/* How many instances a family makes; 0 with a finding where its count is wrong. */
static uint32_t instances_of(struct binder *binder, const struct guest *family, uint32_t *expanded)
{
    if (!is_said(&family->said, W_GUEST_COUNT) || is_failed(&family->said, W_GUEST_COUNT))
        return !family->migrate.count || grow_by_instances(binder, family, 1) ? 1 : 0;
    if (family->count && family->count <= EXPANDED_LIMIT - *expanded) {
        *expanded += family->count;
        return grow_by_instances(binder, family, family->count) ? family->count : 0;
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

/* Names differ by more than case: files of both may lie in one folder.  `seen`: folded names to the guests that have
 * them. */
static bool is_taken(struct binder *binder, GHashTable *seen, const struct guest *guest, const char *name,
                     struct span span)
{
    char *key = g_utf8_casefold(name, -1);
    const struct guest *before = g_hash_table_lookup(seen, key);
    if (!before) {
        g_hash_table_insert(seen, key, (gpointer)(uintptr_t)guest);
        return false;
    }
    g_free(key);
    if (before == guest)
        return false; /* a host that stands twice in `migrate` */
    struct finding *finding =
        name == guest->name
            ? report(binder->findings, NM_guest_name, span, "guest '%s' clashes with '%s'", name, before->name)
            : report(binder->findings, NM_guest_name, span, "the file '%s' clashes with %s '%s'", name,
                     g_ascii_strcasecmp(before->name, name) ? "one of guest" : "guest", before->name);
    finding_label(binder->findings, finding, before->span, "the other one");
    finding_help(binder->findings, finding,
                 "rename one: names must differ by more than case, also those that 'count' and 'migrate' make");
    return true;
}

enum { MOVED_NAME_BYTES = 240 };

/* What it is on another host lies in a file of its own. */
static bool refuse_moved_names(struct binder *binder, GHashTable *seen, const struct guest *guest)
{
    const char *const *hosts = guest->migrate.items;
    bool fine = true;
    for (uint32_t i = 0; i < guest->migrate.count; i++) {
        struct span span = said_span(&guest->said, W_GUEST_MIGRATE, i + 1);
        g_autofree char *name = g_strdup_printf("%s.on-%s", guest->name, hosts[i]);
        if (!is_file_name(hosts[i]) || strlen(name) > MOVED_NAME_BYTES) {
            struct finding *finding = report(binder->findings, NM_guest_name, span,
                                             "the host '%s' cannot stand in the name of a file", hosts[i]);
            finding_help(
                binder->findings, finding,
                "GUEST.on-HOST.xml is what the guest is there: no '/' and control characters, at most %d bytes",
                MOVED_NAME_BYTES);
            fine = false;
        } else {
            fine &= !is_taken(binder, seen, guest, name, span);
        }
    }
    return !fine;
}

static void check_names(struct binder *binder)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct site *site = binder->site;
    for (uint32_t i = 0; i < site->guest_count; i++) {
        struct guest *guest = &site->guests[i];
        if (!is_file_name(guest->name)) {
            struct finding *finding =
                report(binder->findings, NM_guest_name, guest->span, "guest '%s' cannot name a file", guest->name);
            finding_help(
                binder->findings, finding,
                "its name is that of its output: no '/' and control characters, not '.' or '..', at most 200 bytes");
            guest->is_broken = true;
        }
        guest->is_broken |= is_taken(binder, seen, guest, guest->name, guest->span);
    }
    for (uint32_t i = 0; i < site->guest_count; i++)
        site->guests[i].is_broken |= refuse_moved_names(binder, seen, &site->guests[i]);
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
