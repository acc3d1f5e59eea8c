/* SPDX-License-Identifier: MIT
 *
 * `at HOST { ... }`: the highest layer of a guest, on one host.  Here blocks are collected, guests found again by the
 * name of a host, and blocks told that can never count; the layers themselves are bound where all layers are
 * (layers.c).
 */
#include "model/binder.h"

#include <stdlib.h>
#include <string.h>

void note_at(struct binder *binder, const struct frame *frame, const struct item *item, const char *host,
             struct span span)
{
    struct at_block block = { .host = host, .span = span, .item = item, .is_own = frame->layer == LAYER_GUEST };
    struct scalar scalar = { .text = host, .length = strlen(host), .span = span };
    if (!is_host(binder, host))
        report_unknown_host(binder, &scalar, NULL); /* its words are checked all the same */
    binder->own_at_blocks += block.is_own ? 1 : 0;
    g_array_append_val(frame->at_blocks, block);
}

/* All that lower layers said for a host. */
bool forget_at(const struct frame *frame, const char *host)
{
    bool found = frame->is_again; /* told the first time */
    for (guint i = frame->at_blocks ? frame->at_blocks->len : 0; i-- > 0;)
        if (strcmp(g_array_index(frame->at_blocks, struct at_block, i).host, host) == 0) {
            g_array_remove_index(frame->at_blocks, i);
            found = true;
        }
    return found;
}

static int by_host(const void *a, const void *b)
{
    const struct at_block *left = a, *right = b;
    int order = strcmp(left->host, right->host);
    return order ? order : left->position < right->position ? -1 : 1;
}

void sort_at_blocks(GArray *blocks)
{
    for (guint i = 0; i < blocks->len; i++)
        g_array_index(blocks, struct at_block, i).position = i;
    if (blocks->len)
        qsort(blocks->data, blocks->len, sizeof(struct at_block), by_host);
}

/* ---- finding a variant ------------------------------------------------------------------------------------------ */

static int is_of_host(const void *name, const void *variant)
{
    return strcmp(name, ((const struct variant *)variant)->host);
}

const struct guest *guest_on(const struct guest *guest, const char *host)
{
    if (!guest->variant_count)
        return guest;
    const struct variant *found =
        bsearch(host, guest->variants, guest->variant_count, sizeof guest->variants[0], is_of_host);
    return found ? found->guest : guest;
}

/* ---- blocks in vain --------------------------------------------------------------------------------------------- */

bool is_among(const struct list *names, const char *name)
{
    const char *const *items = names->items;
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(items[i], name) == 0)
            return true;
    return false;
}

/* A profile may serve guests of other hosts; what a guest says itself is for itself. */
void refuse_idle_at(struct binder *binder, const struct guest *guest, const GArray *blocks)
{
    for (guint i = 0; guest->hosts.count && i < blocks->len; i++) {
        const struct at_block *block = &g_array_index(blocks, struct at_block, i);
        if (!block->is_own || is_among(&guest->hosts, block->host) || is_among(&guest->migrate, block->host) ||
            !is_host(binder, block->host))
            continue;
        struct finding *finding =
            report(binder->findings, NM_at_in_vain, block->span,
                   "guest '%s' has words for host '%s', where it is never placed", guest->name, block->host);
        finding_label(binder->findings, finding, said_span(&guest->said, W_GUEST_HOST, 0), "its hosts");
        finding_help(binder->findings, finding, "add '%s' to 'host' or 'migrate', or remove the block", block->host);
    }
}
