/* SPDX-License-Identifier: MIT
 *
 * Which line and column an offset stands at.  A checkpoint every few thousand bytes keeps a thousand questions about
 * a large file cheap, whether it has a million lines or a single one.
 */
#include "source/source.h"

#include <string.h>

enum { STRIDE = 4096 };

struct checkpoint { /* of the byte at number * STRIDE */
    uint32_t line, line_begin, column;
};

struct line_index {
    struct position last; /* answers about one line come together, and its end may be far away */
    struct checkpoint at[];
};

static void advance(const struct source *source, struct checkpoint *here, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (source->text[i] == '\n')
            *here = (struct checkpoint){ .line = here->line + 1, .line_begin = i + 1, .column = 1 };
        else if ((source->text[i] & 0xc0) != 0x80)
            here->column++;
    }
}

static struct line_index *index_lines(const struct source *source)
{
    uint32_t count = source->length / STRIDE + 1;
    struct line_index *lines = g_malloc(sizeof *lines + count * sizeof lines->at[0]);
    lines->last = (struct position){ 0 };
    lines->at[0] = (struct checkpoint){ .line = 1, .column = 1 };
    for (uint32_t i = 1; i < count; i++) {
        lines->at[i] = lines->at[i - 1];
        advance(source, &lines->at[i], (i - 1) * STRIDE, i * STRIDE);
    }
    return lines;
}

static uint32_t line_end(const struct source *source, uint32_t line_begin, uint32_t from)
{
    const char *feed = memchr(source->text + from, '\n', source->length - from);
    uint32_t end = feed ? (uint32_t)(feed - source->text) : source->length;
    return end > line_begin && source->text[end - 1] == '\r' ? end - 1 : end;
}

struct position source_position(const struct sources *sources, uint32_t file, uint32_t offset)
{
    struct source *source = source_at(sources, file);
    if (offset > source->length)
        offset = source->length;
    if (!source->lines)
        source->lines = index_lines(source);
    struct checkpoint here = source->lines->at[offset / STRIDE];
    advance(source, &here, offset / STRIDE * STRIDE, offset);

    struct position *last = &source->lines->last;
    if (last->line != here.line) {
        last->line_end = line_end(source, here.line_begin, offset);
        last->line_begin = here.line_begin;
        last->line = here.line;
    }
    return (struct position){
        .line = here.line, .column = here.column, .line_begin = here.line_begin, .line_end = last->line_end
    };
}
