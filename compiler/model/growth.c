/* SPDX-License-Identifier: MIT
 *
 * How large a site may become beyond what is written in it.  Profiles, bases and variables are said again in every
 * guest that uses them, so a small file can come to millions of words; here they are counted, and told once where
 * they pass what any real site needs.
 */
#include "model/binder.h"

#include <string.h>

enum { WORDS_OF_A_SITE = 300000, WORDS_OF_A_GUEST = 64, WORDS_OF_AN_AT = 16, BYTES_OF_A_WORD = 32 };

bool grow(struct binder *binder, size_t words, size_t bytes, struct span span)
{
    if (binder->is_too_large)
        return false;
    uint64_t most = WORDS_OF_A_SITE + (uint64_t)binder->guest_items->len * WORDS_OF_A_GUEST +
                    (uint64_t)binder->own_at_blocks * WORDS_OF_AN_AT;
    binder->grown_words += words + bytes / BYTES_OF_A_WORD;
    if (binder->grown_words <= most)
        return true;
    binder->is_too_large = true;
    struct finding *finding = report(
        binder->findings, NM_site_too_large, span,
        "profiles, variables and 'at' make the site too large: here they come to over %" G_GUINT64_FORMAT " words",
        most);
    finding_note(binder->findings, finding,
                 "each guest gets all words of the profiles it uses and all values of a variable, and once more all "
                 "its words for each host of an 'at'");
    finding_help(binder->findings, finding,
                 "for guests that are alike, write one with 'count'; else use fewer or shorter profiles");
    return false;
}

/* ---- count ------------------------------------------------------------------------------------------------------ */

enum { PARTS_OF_A_SITE = 4000000, MOST_CELLS = 128, MOST_IOTHREADS = 1024, MOVES_WEIGH = 4 };

static uint64_t text_parts(const char *text)
{
    return text ? strlen(text) / BYTES_OF_A_WORD : 0;
}

/* About how much one guest is in the plan and in the outputs.  Numbers over what rules allow are told by them. */
static uint64_t parts_of_guest(const struct guest *guest)
{
    uint64_t cells = guest->cell_count;
    if (guest->cells_wanted < CELLS_HOST && guest->cells_wanted > cells)
        cells = guest->cells_wanted;
    cells = MIN(cells, MOST_CELLS);
    uint64_t iothreads = MIN(MAX(guest->iothread_total, guest->iothread_count), MOST_IOTHREADS);
    uint64_t vcpus = guest->vcpu_count == COUNT_ALL ? 0 : guest->vcpu_count;
    return 16 + 8 * cells + cells * cells +
           4 * (iothreads + guest->device_count + guest->expander_count + guest->memory_device_count) +
           MIN(vcpus, IDS_LIMIT) / 4 + guest->locality.pin_rows.count + guest->features.count +
           text_parts(guest->kernel) + text_parts(guest->initrd) + text_parts(guest->cmdline) +
           text_parts(guest->disk) + text_parts(guest->network) + text_parts(guest->cpu_model) +
           text_parts(guest->machine) + text_parts(guest->locality.path);
}

bool grow_by_instances(struct binder *binder, const struct guest *family, uint32_t count)
{
    uint64_t one = parts_of_guest(family) * (1 + MOVES_WEIGH * (uint64_t)family->migrate.count);
    uint64_t left = PARTS_OF_A_SITE - binder->grown_parts;
    if (count * one <= left) {
        binder->grown_parts += count * one;
        return true;
    }
    bool is_said_count = is_said(&family->said, W_GUEST_COUNT);
    struct finding *finding = report(binder->findings, NM_site_too_large,
                                     said_span(&family->said, is_said_count ? W_GUEST_COUNT : W_GUEST_MIGRATE, 1),
                                     "%u guest%s as large as '%s' make%s the site too large", count,
                                     count == 1 ? "" : "s", family->name, count == 1 ? "s" : "");
    finding_note(binder->findings, finding, "their cells, distances, pins and iothreads%s come to over %d",
                 family->migrate.count ? ", on each host they may move to," : "", PARTS_OF_A_SITE);
    if (is_said_count)
        finding_help(binder->findings, finding,
                     "write at most 'count %" G_GUINT64_FORMAT "', and the rest in a site of its own",
                     MAX(left / one, 1));
    else
        finding_help(binder->findings, finding, "let guests move to fewer hosts, or split the site");
    return false;
}
