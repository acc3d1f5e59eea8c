/* SPDX-License-Identifier: MIT
 *
 * How large a site may become beyond what is written in it.  Profiles, bases and variables are said again in every
 * guest that uses them, so a small file can come to millions of words; here they are counted, and told once where
 * they pass what any real site needs.
 */
#include "model/binder.h"

enum { WORDS_OF_A_SITE = 300000, WORDS_OF_A_GUEST = 64, BYTES_OF_A_WORD = 32 };

bool grow(struct binder *binder, size_t words, size_t bytes, struct span span)
{
    if (binder->is_too_large)
        return false;
    uint64_t most = WORDS_OF_A_SITE + (uint64_t)binder->guest_items->len * WORDS_OF_A_GUEST;
    binder->grown_words += words + bytes / BYTES_OF_A_WORD;
    if (binder->grown_words <= most)
        return true;
    binder->is_too_large = true;
    struct finding *finding = report(binder->findings, NM_site_too_large, span,
                                     "profiles and variables make the site too large: here they come to over %" G_GUINT64_FORMAT " words", most);
    finding_note(binder->findings, finding, "each guest gets all words of the profiles it uses, and all values of a variable");
    finding_help(binder->findings, finding, "for guests that are alike, write one with 'count'; else use fewer or shorter profiles");
    return false;
}
