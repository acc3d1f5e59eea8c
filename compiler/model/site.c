/* SPDX-License-Identifier: MIT
 *
 * From files to a typed site, in order: load, index what is declared, bind hosts, bind guests, then say what was
 * declared in vain.
 */
#include "model/binder.h"

#include <string.h>

const struct site site_defaults = { .rules = 1, .placement = PLACEMENT_PACK };

struct names { /* a walk over names, without one of them */
    const GPtrArray *list;
    const char *without;
    guint at;
};

static const char *next_declared(void *state)
{
    struct names *names = state;
    while (names->at < names->list->len) {
        const char *name = g_ptr_array_index(names->list, names->at++);
        if (!names->without || strcmp(name, names->without) != 0)
            return name;
    }
    return NULL;
}

static const char *report_unknown_name(struct binder *binder, const struct scalar *scalar, const char *what,
                                       struct names names)
{
    if (binder->missed_names)
        return NULL; /* it may stand in the file that could not be read */
    struct finding *finding = report_value(binder, NM_unknown_name, scalar, "no %s '%.*s' is declared", what,
                                           (int)scalar->length, scalar->text);
    if (finding_is_repeated(binder->findings, finding))
        return NULL;
    const char *near =
        names.list->len <= 4096 ? nearest_name(scalar->text, scalar->length, next_declared, &names) : NULL;
    if (near)
        finding_help(binder->findings, finding, "did you mean '%s'?", near);
    else
        finding_help(binder->findings, finding, "declare it: '%s %.*s { ... }'", what, (int)scalar->length,
                     scalar->text);
    return near;
}

const char *report_unknown_profile(struct binder *binder, const struct scalar *scalar)
{
    if (!binder->profile_names) {
        binder->profile_names = g_ptr_array_new();
        for (guint i = 0; i < binder->profile_order->len; i++)
            g_ptr_array_add(binder->profile_names,
                            (gpointer)(uintptr_t)((struct profile *)g_ptr_array_index(binder->profile_order, i))->name);
    }
    return report_unknown_name(binder, scalar, "profile", (struct names){ .list = binder->profile_names });
}

const char *report_unknown_host(struct binder *binder, const struct scalar *scalar, const char *own)
{
    if (!binder->host_names) {
        binder->host_names = g_ptr_array_new();
        for (guint i = 0; i < binder->host_items->len; i++)
            g_ptr_array_add(binder->host_names,
                            (gpointer)(uintptr_t)label_string(binder, g_ptr_array_index(binder->host_items, i)));
    }
    return report_unknown_name(binder, scalar, "host", (struct names){ .list = binder->host_names, .without = own });
}

const char *report_unknown_guest(struct binder *binder, const struct scalar *scalar)
{
    if (!binder->guest_names) {
        binder->guest_names = g_ptr_array_new();
        for (guint i = 0; i < binder->guest_items->len; i++)
            g_ptr_array_add(binder->guest_names,
                            (gpointer)(uintptr_t)label_string(binder, g_ptr_array_index(binder->guest_items, i)));
        for (uint32_t g = 0; g < binder->site->guest_count; g++)
            if (binder->site->guests[g].instance)
                g_ptr_array_add(binder->guest_names, (gpointer)(uintptr_t)binder->site->guests[g].name);
    }
    return report_unknown_name(binder, scalar, "guest", (struct names){ .list = binder->guest_names });
}

/* Its label, checked and new among its kind; NULL with a finding. */
static const char *declare(struct binder *binder, const struct word_row *row, const struct item *item,
                           GHashTable *names)
{
    struct scalar label;
    const char *name;
    if (!item_label(binder, item, row, &label) || !parse_value(binder, &row->label, &label, &name)) {
        binder->missed_names = true;
        return NULL;
    }
    if (item->argument_count > 1) {
        struct finding *finding = report(binder->findings, NM_extra_argument, word_span(item, item->arguments[1]),
                                         "'%s %s' has too many arguments", row->word, name);
        if (row->id == W_SITE_GUEST)
            finding_help(binder->findings, finding,
                         "one guest, one name; several alike are said by 'count' in its block");
        else
            finding_help(binder->findings, finding, "it takes one name");
    }
    const struct item *before = g_hash_table_lookup(names, name);
    if (before) {
        report_repeated(binder, item, before, true);
        return NULL;
    }
    g_hash_table_insert(names, (gpointer)(uintptr_t)name, (gpointer)(uintptr_t)item);
    return name;
}

struct index { /* names seen so far, by kind */
    GHashTable *hosts, *profiles, *guests, *groups;
    const struct item *first[WORD_COUNT];
};

static void index_item(struct binder *binder, struct index *index, const struct frame *frame, const struct item *item)
{
    size_t length;
    const char *text = word_text(binder->syntax, item, item->name, &length);
    const struct word_row *row = find_word(IN_SITE, text, length);
    if (item->failed || !row)
        binder->missed_names = binder->missed_lets = true; /* it may have declared what others name */
    if (item->failed)
        return;
    if (!row) {
        bind_item(binder, frame, IN_SITE, item, row);
    } else if (row->id == W_SITE_HOST) {
        const char *name = declare(binder, row, item, index->hosts);
        if (name) {
            g_ptr_array_add(binder->host_items, (gpointer)(uintptr_t)item);
            g_hash_table_insert(binder->hosts, (gpointer)(uintptr_t)name, GUINT_TO_POINTER(binder->host_items->len));
        }
    } else if (row->id == W_SITE_PROFILE) {
        const char *name = declare(binder, row, item, index->profiles);
        if (name) {
            struct profile *profile = arena_take(binder->arena, struct profile);
            *profile = (struct profile){ .name = name, .item = item };
            g_hash_table_insert(binder->profiles, (gpointer)(uintptr_t)name, profile);
            g_ptr_array_add(binder->profile_order, profile);
        }
    } else if (row->id == W_SITE_GUEST) {
        if (declare(binder, row, item, index->guests))
            g_ptr_array_add(binder->guest_items, (gpointer)(uintptr_t)item);
    } else if (row->id == W_SITE_GROUP) {
        if (declare(binder, row, item, index->groups))
            g_ptr_array_add(binder->group_items, (gpointer)(uintptr_t)item);
    } else if (row->kind == SETTING) {
        if (index->first[row->id])
            report_repeated(binder, item, index->first[row->id], false);
        else
            bind_item(binder, frame, IN_SITE, item, row);
        index->first[row->id] = item;
    }
}

static void index_site(struct binder *binder)
{
    struct index index = { .hosts = g_hash_table_new(g_str_hash, g_str_equal),
                           .profiles = g_hash_table_new(g_str_hash, g_str_equal),
                           .guests = g_hash_table_new(g_str_hash, g_str_equal),
                           .groups = g_hash_table_new(g_str_hash, g_str_equal) };
    struct frame frame = { .said = &binder->site->said, .layer = LAYER_GUEST };
    frame.object[OBJECT_SITE] = binder->site;
    for (guint i = 0; i < binder->trees->len; i++) {
        const struct tree *tree = g_ptr_array_index(binder->trees, i);
        for (const struct item *item = tree->items; item; item = item->next)
            index_item(binder, &index, &frame, item);
    }
    g_hash_table_destroy(index.hosts);
    g_hash_table_destroy(index.profiles);
    g_hash_table_destroy(index.guests);
    g_hash_table_destroy(index.groups);
}

static void report_unused(struct binder *binder)
{
    for (guint i = 0; i < binder->let_order->len; i++) {
        const struct let *let = g_ptr_array_index(binder->let_order, i);
        if (let->is_used)
            continue;
        struct finding *finding =
            report(binder->findings, NM_unused_variable, let->span, "variable '%s' is never used", let->name);
        finding_help(binder->findings, finding, "use it as '$%s', or remove it", let->name);
    }
    for (guint i = 0; i < binder->profile_order->len; i++) {
        const struct profile *profile = g_ptr_array_index(binder->profile_order, i);
        if (profile->is_used)
            continue;
        about_profile(binder, profile);
        struct finding *finding =
            report(binder->findings, NM_unused_profile, word_span(profile->item, profile->item->arguments[0]),
                   "profile '%s' is never used", profile->name);
        finding_help(binder->findings, finding, "say 'use %s' in a guest, or remove it", profile->name);
    }
    about_guest(binder->findings, NULL);
}

/* A file that was cut to nothing would else take away all that an earlier one had built. */
static void refuse_empty(struct binder *binder)
{
    for (guint i = 0; i < binder->trees->len; i++) {
        const struct tree *tree = g_ptr_array_index(binder->trees, i);
        if (tree->items || tree->failed)
            return;
    }
    struct finding *finding =
        report(binder->findings, NM_empty_site, (struct span){ .file = binder->site_file }, "the site says nothing");
    finding_help(binder->findings, finding, "declare a guest: 'guest web { vcpus 2; memory 2GiB }'");
}

static const char *site_name(struct arena *arena, const struct source *source)
{
    const char *name = source->path ? source->path : "stdin";
    const char *slash = strrchr(name, '/'), *begin = slash ? slash + 1 : name, *dot = strrchr(begin, '.');
    return arena_string(arena, begin, dot && dot > begin ? (size_t)(dot - begin) : strlen(begin));
}

struct site *build_site(struct arena *arena, struct syntax *syntax, uint32_t file, const struct model_options *options)
{
    struct binder binder = {
        .arena = arena,
        .syntax = syntax,
        .sources = syntax->sources,
        .findings = syntax->findings,
        .options = options,
        .trees = g_ptr_array_new(),
        .lets = g_hash_table_new(g_str_hash, g_str_equal),
        .let_order = g_ptr_array_new(),
        .hosts = g_hash_table_new(g_str_hash, g_str_equal),
        .profiles = g_hash_table_new(g_str_hash, g_str_equal),
        .profile_order = g_ptr_array_new(),
        .sets = g_hash_table_new(g_str_hash, g_str_equal),
        .bases = g_hash_table_new(g_str_hash, g_str_equal),
        .suppressions = g_hash_table_new(NULL, NULL),
        .in_force = g_ptr_array_new(),
        .origins = g_hash_table_new(g_int64_hash, g_int64_equal),
        .host_items = g_ptr_array_new(),
        .guest_items = g_ptr_array_new(),
        .group_items = g_ptr_array_new(),
    };
    struct site *site = arena_take(arena, struct site);
    *site = site_defaults;
    site->arena = arena;
    site->name = site_name(arena, source_at(syntax->sources, file));
    binder.site = site;
    binder.site_file = file;
    bool is_text = load_site(&binder, file);
    if (is_text && !binder.is_torn) {
        bind_suppressions(&binder);
        refuse_empty(&binder);
        index_site(&binder);
        bind_hosts(&binder);
        bind_guests(&binder);
        bind_groups(&binder);
        refuse_unwanted_hosts(&binder);
        report_unused(&binder);
    }
    site->in_force = (struct acceptances){
        .list = arena_copy(arena, binder.in_force->pdata, binder.in_force->len * sizeof(void *)),
        .count = binder.in_force->len,
    };
    settle_origins(&binder);
    g_hash_table_destroy(binder.origins);
    g_hash_table_destroy(binder.lets);
    g_hash_table_destroy(binder.hosts);
    g_hash_table_destroy(binder.profiles);
    g_hash_table_destroy(binder.sets);
    g_hash_table_destroy(binder.bases);
    g_hash_table_destroy(binder.suppressions);
    GPtrArray *arrays[] = { binder.trees,       binder.let_order, binder.profile_order, binder.host_items,
                            binder.guest_items, binder.in_force,  binder.group_items };
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_free(arrays[i], TRUE);
    g_clear_pointer(&binder.profile_names, g_ptr_array_unref);
    g_clear_pointer(&binder.host_names, g_ptr_array_unref);
    g_clear_pointer(&binder.guest_names, g_ptr_array_unref);
    return is_text ? site : NULL;
}
