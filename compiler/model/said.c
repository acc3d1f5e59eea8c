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

void said_place(struct arena *arena, struct said *said, struct place place)
{
    if (said->count == said->room) {
        uint32_t room = said->room ? said->room * 2 : 8;
        struct place *places = arena_array(arena, struct place, room);
        if (said->count)
            memcpy(places, said->places, said->count * sizeof *places);
        said->places = places;
        said->room = room;
    }
    said->places[said->count++] = place;
}

struct span said_span(const struct said *said, enum word_id word, unsigned argument)
{
    struct span whole = SPAN_NONE;
    for (uint32_t i = said->count; i-- > 0;) {
        const struct place *place = &said->places[i];
        if (place->word != word)
            continue;
        if (place->argument == argument)
            return place->span;
        if (place->argument == 0) { /* the latest saying has no such argument */
            whole = place->span;
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
    static const char *const words[] = { "the default", "the base", "a profile", "the guest", "the guest" };
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
            finding_label(findings, finding, place->span, "%s said it here, and was overridden",
                          layer_word(place->layer));
        first = false;
    }
}
