/* SPDX-License-Identifier: MIT
 *
 * Where each value was said: kept beside the typed values, since only findings ask for it.
 */
#include "model/binder.h"

#include <string.h>

void said_mark(struct said *said, enum word_id word, bool fine)
{
    uint64_t bit = UINT64_C(1) << (word % 64);
    said->words[word / 64] |= bit;
    if (fine)
        said->failed[word / 64] &= ~bit;
    else
        said->failed[word / 64] |= bit;
}

void said_forget(struct said *said, enum word_id word)
{
    uint64_t bit = UINT64_C(1) << (word % 64);
    said->words[word / 64] &= ~bit;
    said->failed[word / 64] &= ~bit;
}

void said_expect(struct arena *arena, struct said *said, uint32_t places)
{
    if (said->room - said->count >= places)
        return;
    uint32_t room =
        MAX(said->count + places, said->room * 2); /* exact for the first block, of which most have only one */
    struct place *grown = arena_array(arena, struct place, room);
    if (said->count)
        memcpy(grown, said->places, said->count * sizeof *grown);
    said->places = grown;
    said->room = room;
}

void said_place(struct arena *arena, struct said *said, enum layer layer, enum word_id word, unsigned argument,
                struct span span)
{
    said_expect(arena, said, 1);
    said->places[said->count++] = (struct place){
        .begin = span.begin,
        .length = (span.end - span.begin) & 0x7ffffff,
        .argument = argument & 0x1f,
        .file = span.file & 0xffff,
        .word = word & 0xfff,
        .layer = layer & 0xf,
    };
}

struct span said_span(const struct said *said, enum word_id word, unsigned argument)
{
    struct span whole = SPAN_NONE;
    for (uint32_t i = said->count; i-- > 0;) {
        const struct place *place = &said->places[i];
        if (place->word != word)
            continue;
        if (place->argument == argument)
            return place_span(place);
        if (place->argument == 0) { /* the latest saying has no such argument */
            whole = place_span(place);
            break;
        }
    }
    return whole;
}

struct span listed_span(const struct list *list, size_t item_bytes, uint32_t position)
{
    struct span span;
    memcpy(&span, (const char *)list->items + item_bytes * list->count + sizeof span * position, sizeof span);
    return span;
}

static const char *layer_word(unsigned layer)
{
    static const char *const words[] = { "the default", "the base", "a profile", "the guest", "an 'at'" };
    return words[layer];
}

void said_chain(struct findings *findings, struct finding *finding, const struct said *said, enum word_id word)
{
    bool first = true;
    for (uint32_t i = said->count; i-- > 0;) {
        const struct place *place = &said->places[i];
        if (place->word != word || place->argument != 0)
            continue;
        if (!first)
            finding_label(findings, finding, place_span(place), "%s said it here, and was overridden",
                          layer_word(place->layer));
        first = false;
    }
}
