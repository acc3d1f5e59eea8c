/* SPDX-License-Identifier: MIT
 *
 * Where a value came from before it stood where a finding points: the variable that was replaced, and the lower layers
 * that had said the same word.  Findings of the binder itself know their variable; this serves the stages behind it.
 */
#include "model/binder.h"

#include <string.h>

static guint64 *key_of(struct arena *arena, struct span span)
{
    guint64 key = (guint64)span.file << 32 ^ span.begin;
    return arena_copy(arena, &key, sizeof key);
}

void origin_add(struct binder *binder, const struct scalar *scalar)
{
    guint64 key = (guint64)scalar->span.file << 32 ^ scalar->span.begin;
    if (g_hash_table_contains(binder->origins, &key)) /* words of a profile are read for each guest that uses it */
        return;
    struct origin origin = { .span = scalar->span,
                             .let = scalar->let->span,
                             .name = scalar->let->name,
                             .given = scalar->let->text,
                             .text = arena_string(binder->arena, scalar->text, scalar->length) };
    g_hash_table_insert(binder->origins, key_of(binder->arena, scalar->span),
                        arena_copy(binder->arena, &origin, sizeof origin));
}

static int by_span(const void *left, const void *right)
{
    const struct origin *a = left, *b = right;
    if (a->span.file != b->span.file)
        return a->span.file < b->span.file ? -1 : 1;
    return a->span.begin < b->span.begin ? -1 : a->span.begin > b->span.begin;
}

void settle_origins(struct binder *binder)
{
    uint32_t count = g_hash_table_size(binder->origins), at = 0;
    struct origin *list = arena_array(binder->arena, struct origin, count);
    GHashTableIter all;
    gpointer origin;
    g_hash_table_iter_init(&all, binder->origins);
    while (g_hash_table_iter_next(&all, NULL, &origin))
        list[at++] = *(const struct origin *)origin;
    if (count)
        qsort(list, count, sizeof *list, by_span);
    binder->site->origins = list;
    binder->site->origin_count = count;
}

static void tell_variable(struct findings *findings, struct finding *finding, const struct site *site, struct span span)
{
    struct origin wanted = { .span = span };
    const struct origin *origin =
        site->origin_count ? bsearch(&wanted, site->origins, site->origin_count, sizeof wanted, by_span) : NULL;
    if (!origin)
        return;
    if (origin->given)
        finding_note(findings, finding, "'%s' comes from '-D %s=%s'", origin->text, origin->name, origin->given);
    else
        finding_label(findings, finding, origin->let, "'%s' comes from here", origin->text);
}

/* The word whose value in force is written where the finding points; W_NONE: none of these. */
static enum word_id word_at(const struct said *said, struct span span)
{
    for (uint32_t i = said->count; i-- > 0;) {
        const struct place *place = &said->places[i];
        if (place->file != span.file || place->begin != span.begin || place_span(place).end != span.end)
            continue;
        struct span in_force = said_span(said, place->word, place->argument);
        return in_force.file == span.file && in_force.begin == span.begin ? place->word : W_NONE;
    }
    return W_NONE;
}

/* The word that stands there among those of a guest and its cells; NULL: none does. */
static const struct said *said_at(const struct guest *guest, struct span span, enum word_id *out_word)
{
    *out_word = word_at(&guest->said, span);
    if (*out_word != W_NONE)
        return &guest->said;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        *out_word = word_at(&guest->cells[c].said, span);
        if (*out_word != W_NONE)
            return &guest->cells[c].said;
    }
    return NULL;
}

static void tell_origin_of(struct findings *findings, struct finding *finding, const struct site *site,
                           const struct guest *guest, struct span span)
{
    enum word_id word;
    tell_variable(findings, finding, site, span);
    const struct said *said = guest ? said_at(guest, span, &word) : NULL;
    for (uint32_t v = 0; guest && !said && v < guest->variant_count; v++)
        said = said_at(guest->variants[v].guest, span, &word);
    if (said)
        said_chain(findings, finding, said, word);
}

/* Where a finding points at the guest itself, its labels point at the values. */
static void tell_origins(struct findings *findings, struct finding *finding, const struct site *site,
                         const struct guest *guest)
{
    if (!finding->span.file)
        return;
    tell_origin_of(findings, finding, site, guest, finding->span);
    bool is_of_guest = guest && finding->span.file == guest->span.file && finding->span.begin == guest->span.begin;
    for (unsigned i = 0, count = finding->label_count; is_of_guest && i < count; i++)
        tell_origin_of(findings, finding, site, guest, finding->labels[i].span);
}

void tell_origins_since(struct findings *findings, size_t first, const struct site *site, const struct guest *guest)
{
    for (size_t i = first; i < findings_count(findings, HINT); i++)
        tell_origins(findings, findings_at(findings, i), site, guest);
}
