/* SPDX-License-Identifier: MIT
 *
 * Hosts as declared: each may be like another, and the command line may give one its source.
 */
#include "model/binder.h"

#include <string.h>

const struct declared_host host_defaults = { .ksm = KSM_YES };
const struct named_device named_device_defaults = { 0 };
const struct reserve reserve_defaults = { 0 };

enum { LIKE_LIMIT = 64 };

/* The host it is like, or NULL. */
static const struct item *liked(struct binder *binder, const struct item *item, bool *out_is_unknown)
{
    const struct item *like = find_item(binder, item->children, "like");
    struct scalar few[4], *scalars;
    size_t count;
    if (!like || !item_scalars(binder, like, few, G_N_ELEMENTS(few), &scalars, &count) || count != 1)
        return NULL; /* binding the item says what is wrong */
    g_autofree char *name = g_strndup(scalars[0].text, scalars[0].length);
    guint position = GPOINTER_TO_UINT(g_hash_table_lookup(binder->hosts, name));
    if (position)
        return g_ptr_array_index(binder->host_items, position - 1);
    report_unknown_host(binder, &scalars[0], label_string(binder, item));
    *out_is_unknown = true;
    return NULL;
}

/* One circle is told once, at its first member, whichever host led into it. */
static void report_circle(struct binder *binder, const struct item *const *members, unsigned count)
{
    const struct item *first = members[0];
    for (unsigned i = 1; i < count; i++)
        if (members[i]->file < first->file ||
            (members[i]->file == first->file && members[i]->name.begin < first->name.begin))
            first = members[i];
    struct finding *finding =
        report(binder->findings, NM_like_cycle, item_span(find_item(binder, first->children, "like")),
               "host '%s' is like itself in the end", label_string(binder, first));
    finding_help(binder->findings, finding, "remove one 'like' of the circle");
}

/* The chain of likes from the host itself to the farthest; 0 with a finding where it never ends, or ends at no host. */
static unsigned chain_of(struct binder *binder, const struct item *item, const struct item *chain[LIKE_LIMIT])
{
    unsigned count = 0;
    bool is_unknown = false;
    for (const struct item *at = item; at; at = liked(binder, at, &is_unknown)) {
        for (unsigned i = 0; i < count; i++)
            if (chain[i] == at) {
                report_circle(binder, chain + i, count - i);
                return 0;
            }
        if (count == LIKE_LIMIT) {
            struct finding *finding = report(
                binder->findings, NM_like_cycle, item_span(find_item(binder, item->children, "like")),
                "host '%s' is like a host that is like another, over %d times", label_string(binder, item), LIKE_LIMIT);
            finding_help(binder->findings, finding, "name the host that says most of it");
            return 0;
        }
        chain[count++] = at;
    }
    return is_unknown ? 0 : count;
}

static const struct host_override *override_of(struct binder *binder, const char *name)
{
    const struct host_override *found = NULL;
    for (size_t i = 0; i < binder->options->host_count; i++)
        if (strcmp(binder->options->hosts[i].name, name) == 0)
            found = &binder->options->hosts[i]; /* the last of several counts */
    return found;
}

static void take_override(struct declared_host *host, const struct host_override *override)
{
    host->topology = override->is_synthetic ? NULL : override->source;
    host->synthetic = override->is_synthetic ? override->source : NULL;
    host->is_overridden = true;
}

/* Which of `topology` and `synthetic` was said last, over layers; both in one block is an error. */
static void choose_source(struct binder *binder, struct declared_host *host)
{
    const struct said *said = &host->said;
    if (!is_said(said, W_HOST_TOPOLOGY) && !is_said(said, W_HOST_SYNTHETIC)) {
        struct finding *finding =
            report(binder->findings, NM_missing_word, host->span, "host '%s' has no 'topology'", host->name);
        finding_help(binder->findings, finding,
                     "write 'topology \"hosts/%s.xml\"' (recorded by 'numac host record'), 'topology live', or "
                     "'synthetic \"...\"'",
                     host->name);
        host->is_broken = true;
        return;
    }
    const struct place *last[2] = { NULL, NULL };
    for (uint32_t i = 0; i < said->count; i++) {
        if (said->places[i].argument == 0 && said->places[i].word == W_HOST_TOPOLOGY)
            last[0] = &said->places[i];
        if (said->places[i].argument == 0 && said->places[i].word == W_HOST_SYNTHETIC)
            last[1] = &said->places[i];
    }
    if (!last[0] || !last[1])
        return;
    if (last[0]->layer == LAYER_GUEST && last[1]->layer == LAYER_GUEST) {
        struct finding *finding = report(binder->findings, NM_both_sources, place_span(last[1]),
                                         "host '%s' has both 'topology' and 'synthetic'", host->name);
        finding_label(binder->findings, finding, place_span(last[0]), "the other source");
        finding_help(binder->findings, finding, "keep one of the two");
        host->is_broken = true;
    } else if (last[0] > last[1]) {
        host->synthetic = NULL;
    } else {
        host->topology = NULL;
    }
}

static struct acceptances accepted_of(struct binder *binder, const struct item *const *chain, unsigned count)
{
    const struct item *blocks[LIKE_LIMIT];
    for (unsigned i = 0; i < count; i++)
        blocks[i] = chain[count - 1 - i];
    return accepted_in_layers(binder, blocks, count);
}

static void bind_host(struct binder *binder, const struct item *item, struct declared_host *host)
{
    const struct item *chain[LIKE_LIMIT + 1];
    *host = host_defaults;
    host->name = label_string(binder, item);
    host->span = word_span(item, item->arguments[0]);
    unsigned count = chain_of(binder, item, chain);
    host->is_broken = count == 0;
    struct frame frame = { .said = &host->said, .is_broken = &host->is_broken };
    frame.object[OBJECT_HOST] = host;
    if (!count)
        chain[count++] = item;
    host->accepted = accepted_of(binder, chain, count);
    about_host(binder->findings, host);
    for (unsigned i = count; i-- > 0;) {
        frame.layer = i ? LAYER_PROFILE : LAYER_GUEST;
        if (!i)
            host->connect = NULL; /* of the other machine: two that are alike have two addresses */
        bind_block(binder, &frame, IN_HOST, chain[i]->children);
    }
    const struct host_override *override = override_of(binder, host->name);
    if (override)
        take_override(host, override);
    else if (!host->is_broken)
        choose_source(binder, host);
    about_host(binder->findings, NULL);
}

static const char *next_host(void *state)
{
    struct {
        const struct site *site;
        uint32_t at, declared;
    } *walk = state;
    return walk->at < walk->declared ? walk->site->hosts[walk->at++].name : NULL;
}

static void refuse_undeclared(struct binder *binder, const char *name)
{
    struct finding *finding = report(binder->findings, NM_unknown_option_name, SPAN_NONE,
                                     "'--host %s' names a host that the site does not declare", name);
    struct {
        const struct site *site;
        uint32_t at, declared;
    } walk = { binder->site, 0, binder->host_items->len };
    const char *near = nearest_name(name, strlen(name), next_host, &walk);
    if (near)
        finding_help(binder->findings, finding, "did you mean '--host %s=...'?", near);
    else
        finding_help(binder->findings, finding, "declare it in the site: 'host %s { topology ... }'", name);
}

/* Hosts that only the command line gives; whether anybody wants them is seen when the guests are bound. */
static void add_undeclared(struct binder *binder)
{
    struct site *site = binder->site;
    for (size_t i = 0; i < binder->options->host_count; i++) {
        const char *name = binder->options->hosts[i].name;
        bool known = false;
        for (uint32_t h = 0; h < site->host_count; h++)
            known |= strcmp(site->hosts[h].name, name) == 0;
        if (known)
            continue;
        struct declared_host *host = &site->hosts[site->host_count++];
        *host = host_defaults;
        host->name = name;
        take_override(host, override_of(binder, name));
    }
}

bool is_host(struct binder *binder, const char *name)
{
    return g_hash_table_contains(binder->hosts, name) || override_of(binder, name);
}

static bool is_named(const struct site *site, const char *name)
{
    for (uint32_t g = 0; g < site->guest_count; g++)
        if (is_among(&site->guests[g].hosts, name) || is_among(&site->guests[g].migrate, name) ||
            guest_on(&site->guests[g], name) != &site->guests[g])
            return true;
    return false;
}

/* Beside declared hosts, one of the command line that no guest names is a slip of the pen. */
void refuse_unwanted_hosts(struct binder *binder)
{
    const struct site *site = binder->site;
    uint32_t declared = binder->host_items->len;
    for (uint32_t h = declared; declared && !binder->missed_names && h < site->host_count; h++)
        if (!is_named(site, site->hosts[h].name))
            refuse_undeclared(binder, site->hosts[h].name);
}

void bind_hosts(struct binder *binder)
{
    struct site *site = binder->site;
    site->hosts =
        arena_array(binder->arena, struct declared_host, binder->host_items->len + binder->options->host_count);
    for (guint i = 0; i < binder->host_items->len; i++)
        bind_host(binder, g_ptr_array_index(binder->host_items, i), &site->hosts[site->host_count++]);
    add_undeclared(binder);
}
