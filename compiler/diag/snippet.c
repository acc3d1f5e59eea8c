/* SPDX-License-Identifier: MIT
 *
 * Draws where a finding is: the place, the lines it speaks of with marks and texts under them, then notes and helps.
 *
 *      --> site.numa:3:12
 *       |
 *     3 |     memory 48GiB
 *       |            ^^^^^ wanted here
 *       = help: ask for less
 *
 * A line wider than the screen of most people is cut around what is marked; nothing here costs more than a short
 * stretch of the source, however long its lines.
 */
#include <string.h>

#include "diag/findings.h"

enum {
    WIDEST = 160, /* columns of a source line */
    BEFORE = 40,  /* columns kept before the mark in a line that is cut */
    ELLIPSIS = 3, /* columns of "..." */
    MARKS = 4,    /* the primary span and its labels */
    ROW_BYTES = WIDEST + GLYPH_BYTES + ELLIPSIS + 2,
    LONGEST = WIDEST * 8 /* bytes of a line looked at in one direction: marks without width are not endless */
};

struct mark {
    struct span span; /* within its first line, begin and end on whole characters */
    struct position position;
    const char *text; /* NULL for none */
    bool is_primary;
    unsigned from, to; /* columns on the screen, from < to; set when its line is drawn */
};

struct canvas {
    const struct paint *paint;
    const struct selection *selection;
    enum style primary;
    unsigned digits; /* of the largest line number */
};

/* The part of a line that is drawn. */
struct view {
    const char *text; /* of the whole source */
    uint32_t begin, end;
    bool cut_left, cut_right;
};

/* ---- spans and views -------------------------------------------------------------------------------------------- */

static bool inside_character(const char *text, uint32_t offset)
{
    return (text[offset] & 0xc0) == 0x80;
}

/* Keeps what lies on the line the span begins on. */
static struct mark mark_of(const struct selection *selection, struct span span, const char *text, bool is_primary)
{
    const struct source *source = source_at(selection->sources, span.file);
    struct position position = source_position(selection->sources, span.file, span.begin);
    span.begin = MIN(span.begin, position.line_end);
    span.end = MIN(MAX(span.end, span.begin), position.line_end);
    while (span.begin > position.line_begin && inside_character(source->text, span.begin))
        span.begin--;
    while (span.end < position.line_end && inside_character(source->text, span.end))
        span.end++;
    return (struct mark){ .span = span, .position = position, .text = text, .is_primary = is_primary };
}

/* The offset where the text from `begin` has filled `columns`, at most `end`. */
static uint32_t fill(const char *text, uint32_t begin, uint32_t end, unsigned column, unsigned columns)
{
    uint32_t stop = end - begin > LONGEST ? begin + LONGEST : end;
    while (begin < stop) {
        struct glyph glyph = glyph_at(text + begin, end - begin, column);
        if (column + glyph.columns > columns)
            break;
        column += glyph.columns;
        begin += glyph.bytes;
    }
    return MIN(begin, end);
}

static uint32_t back_up(const char *text, uint32_t line_begin, uint32_t from)
{
    uint32_t stop = from - line_begin > LONGEST / 2 ? from - LONGEST / 2 : line_begin, at = from;
    for (unsigned columns = 0; at > stop && columns < BEFORE;) {
        uint32_t before = at - 1;
        while (before > line_begin && inside_character(text, before))
            before--;
        columns += glyph_at(text + before, at - before, 0).columns;
        at = before;
    }
    return at;
}

static struct view view_of(const char *text, const struct position *position, uint32_t focus)
{
    uint32_t begin = position->line_begin, end = position->line_end;
    if (fill(text, begin, end, 0, WIDEST) == end)
        return (struct view){ .text = text, .begin = begin, .end = end };
    begin = back_up(text, begin, focus);
    bool cut_left = begin > position->line_begin;
    end = fill(text, begin, end, cut_left ? ELLIPSIS : 0, WIDEST - ELLIPSIS);
    return (struct view){
        .text = text, .begin = begin, .end = end, .cut_left = cut_left, .cut_right = end < position->line_end
    };
}

static bool view_holds(const struct view *view, const struct mark *mark)
{
    return mark->span.begin >= view->begin &&
           (view->cut_right ? mark->span.begin < view->end : mark->span.begin <= view->end);
}

static unsigned column_of(const struct view *view, uint32_t offset)
{
    unsigned column = view->cut_left ? ELLIPSIS : 0;
    for (uint32_t at = view->begin; at < MIN(offset, view->end);) {
        struct glyph glyph = glyph_at(view->text + at, view->end - at, column);
        column += glyph.columns;
        at += glyph.bytes;
    }
    return column;
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

static void append_blanks(GString *out, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        g_string_append_c(out, ' ');
}

/* Blanks up to a sign that stands in the gutter: "|" and "=" under each other, "-->" and ":::" one to the left. */
static void append_gutter(const struct canvas *canvas, unsigned indent, const char *sign)
{
    append_blanks(canvas->paint->out, canvas->digits + indent);
    paint_begin(canvas->paint, STYLE_GUTTER);
    g_string_append(canvas->paint->out, sign);
    paint_end(canvas->paint, STYLE_GUTTER);
}

static void append_place(const struct canvas *canvas, const char *sign, struct span span)
{
    GString *out = canvas->paint->out;
    append_gutter(canvas, 1, sign);
    g_string_append_c(out, ' ');
    append_shown(out, source_name(canvas->selection, span.file));
    if (has_text(canvas->selection, span.file)) {
        struct position position = source_position(canvas->selection->sources, span.file, span.begin);
        g_string_append_printf(out, ":%u:%u", position.line, position.column);
    }
    g_string_append_c(out, '\n');
}

static void append_source_line(const struct canvas *canvas, const struct view *view, uint32_t line)
{
    GString *out = canvas->paint->out;
    paint_begin(canvas->paint, STYLE_GUTTER);
    g_string_append_printf(out, " %*u |", (int)canvas->digits, line);
    paint_end(canvas->paint, STYLE_GUTTER);
    if (view->begin < view->end || view->cut_left)
        g_string_append_c(out, ' ');
    unsigned column = view->cut_left ? ELLIPSIS : 0;
    if (view->cut_left)
        g_string_append(out, "...");
    for (uint32_t at = view->begin; at < view->end;) {
        struct glyph glyph = glyph_at(view->text + at, view->end - at, column);
        g_string_append(out, glyph.text);
        column += glyph.columns;
        at += glyph.bytes;
    }
    if (view->cut_right)
        g_string_append(out, "...");
    g_string_append_c(out, '\n');
}

/* ---- marks under a line ----------------------------------------------------------------------------------------- */

static enum style mark_style(const struct canvas *canvas, const struct mark *mark)
{
    return mark->is_primary ? canvas->primary : STYLE_GUTTER;
}

static void append_text(const struct canvas *canvas, const struct mark *mark)
{
    paint_begin(canvas->paint, mark_style(canvas, mark));
    append_shown(canvas->paint->out, mark->text);
    paint_end(canvas->paint, mark_style(canvas, mark));
}

/* One row of marks; `^` is the primary's, and each run of a mark is painted once. */
static void append_row(const struct canvas *canvas, const char *row, size_t width)
{
    append_gutter(canvas, 2, "|");
    g_string_append_c(canvas->paint->out, ' ');
    for (size_t i = 0; i < width;) {
        size_t run = i + 1;
        while (run < width && row[run] == row[i])
            run++;
        enum style style = row[i] == ' ' ? STYLE_PLAIN : row[i] == '^' ? canvas->primary : STYLE_GUTTER;
        paint_begin(canvas->paint, style);
        g_string_append_len(canvas->paint->out, row + i, (gssize)(run - i));
        paint_end(canvas->paint, style);
        i = run;
    }
}

/* The mark whose text stands behind the marks: the one that reaches furthest to the right. */
static size_t furthest(const struct mark *marks, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (marks[i].to > marks[best].to || (marks[i].to == marks[best].to && marks[i].from >= marks[best].from))
            best = i;
    return best;
}

/* The texts that found no room behind the marks, from right to left, each under the column its mark begins in. */
static void append_texts_below(const struct canvas *canvas, const struct mark *marks, size_t count, size_t done)
{
    for (size_t i = count; i-- > 0;) {
        if (i == done || !marks[i].text)
            continue;
        char row[ROW_BYTES];
        memset(row, ' ', sizeof row);
        for (size_t j = 0; j < i; j++)
            if (j != done && marks[j].text && marks[j].from < marks[i].from)
                row[marks[j].from] = '|';
        append_row(canvas, row, marks[i].from);
        append_text(canvas, &marks[i]);
        g_string_append_c(canvas->paint->out, '\n');
    }
}

/* marks rise by column */
static void append_marks(const struct canvas *canvas, const struct view *view, struct mark *marks, size_t count)
{
    char row[ROW_BYTES];
    memset(row, ' ', sizeof row);
    unsigned width = 0;
    for (size_t i = 0; i < count; i++) {
        marks[i].from = column_of(view, marks[i].span.begin);
        marks[i].to = MAX(column_of(view, marks[i].span.end), marks[i].from + 1);
        width = MAX(width, marks[i].to);
    }
    for (int primary = 0; primary <= 1; primary++)
        for (size_t i = 0; i < count; i++)
            if (marks[i].is_primary == primary)
                memset(row + marks[i].from, primary ? '^' : '-', marks[i].to - marks[i].from);
    size_t behind = furthest(marks, count);
    append_row(canvas, row, width);
    if (marks[behind].text) {
        g_string_append_c(canvas->paint->out, ' ');
        append_text(canvas, &marks[behind]);
    }
    g_string_append_c(canvas->paint->out, '\n');
    append_texts_below(canvas, marks, count, behind);
}

/* ---- the lines of one file -------------------------------------------------------------------------------------- */

static void append_gap(const struct canvas *canvas, const struct source *source, const struct mark *mark,
                       uint32_t last_line)
{
    if (mark->position.line <= last_line + 1)
        return;
    if (mark->position.line > last_line + 2) {
        append_gutter(canvas, 0, "...");
        g_string_append_c(canvas->paint->out, '\n');
        return;
    }
    struct position between =
        source_position(canvas->selection->sources, mark->span.file, mark->position.line_begin - 1);
    struct view view = view_of(source->text, &between, between.line_begin);
    append_source_line(canvas, &view, between.line);
}

/* Marks of one file, rising.  A line appears again where a mark lies outside the part that was drawn. */
static void append_lines(const struct canvas *canvas, struct mark *marks, size_t count)
{
    const struct source *source = source_at(canvas->selection->sources, marks[0].span.file);
    append_gutter(canvas, 2, "|");
    g_string_append_c(canvas->paint->out, '\n');
    for (size_t i = 0; i < count;) {
        if (i)
            append_gap(canvas, source, &marks[i], marks[i - 1].position.line);
        struct view view = view_of(source->text, &marks[i].position, marks[i].span.begin);
        size_t together = 1;
        while (i + together < count && marks[i + together].position.line == marks[i].position.line &&
               view_holds(&view, &marks[i + together]))
            together++;
        append_source_line(canvas, &view, marks[i].position.line);
        append_marks(canvas, &view, marks + i, together);
        i += together;
    }
}

/* A file that could not be read has no line to show. */
static void append_bare_texts(const struct canvas *canvas, const struct mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!marks[i].text)
            continue;
        append_gutter(canvas, 2, "|");
        g_string_append_c(canvas->paint->out, ' ');
        append_text(canvas, &marks[i]);
        g_string_append_c(canvas->paint->out, '\n');
    }
}

static void append_file(const struct canvas *canvas, struct mark *marks, size_t count)
{
    if (has_text(canvas->selection, marks[0].span.file))
        append_lines(canvas, marks, count);
    else
        append_bare_texts(canvas, marks, count);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* The primary's file first, then the others as the labels name them; in a file by place. */
static bool stands_before(const struct mark *a, const struct mark *b)
{
    return a->span.begin != b->span.begin ? a->span.begin < b->span.begin : a->span.end < b->span.end;
}

static size_t collect(const struct selection *selection, const struct finding *finding, struct mark marks[MARKS])
{
    size_t count = 0;
    if (finding->span.file)
        marks[count++] = mark_of(selection, finding->span, finding->pointer, true);
    for (unsigned i = 0; i < finding->label_count; i++) {
        struct mark mark = mark_of(selection, finding->labels[i].span, finding->labels[i].text, false);
        size_t at = count;
        while (at > 0 && marks[at - 1].span.file != mark.span.file)
            at--;
        if (!at)
            at = count; /* the first of its file */
        else
            while (at > 0 && marks[at - 1].span.file == mark.span.file && stands_before(&mark, &marks[at - 1]))
                at--;
        memmove(marks + at + 1, marks + at, (count - at) * sizeof marks[0]);
        marks[at] = mark;
        count++;
    }
    return count;
}

static void include_line(const struct selection *selection, struct span include, void *state)
{
    const struct canvas *canvas = state;
    struct position position = source_position(selection->sources, include.file, include.begin);
    append_blanks(canvas->paint->out, canvas->digits + 5);
    g_string_append(canvas->paint->out, "included from ");
    append_shown(canvas->paint->out, source_name(selection, include.file));
    g_string_append_printf(canvas->paint->out, ":%u\n", position.line);
}

static void append_advice(const struct canvas *canvas, const char *kind, const char *const *texts, unsigned count)
{
    GString *out = canvas->paint->out;
    for (unsigned i = 0; i < count; i++) {
        append_gutter(canvas, 2, "=");
        g_string_append_c(out, ' ');
        paint_begin(canvas->paint, STYLE_BOLD);
        g_string_append(out, kind);
        paint_end(canvas->paint, STYLE_BOLD);
        g_string_append(out, ": ");
        append_shown(out, texts[i]);
        g_string_append_c(out, '\n');
    }
}

void append_snippet(const struct paint *paint, const struct selection *selection, const struct finding *finding)
{
    struct canvas canvas = {
        .paint = paint, .selection = selection, .primary = severity_style(finding->severity), .digits = 1
    };
    struct mark marks[MARKS];
    size_t count = collect(selection, finding, marks);
    for (size_t i = 0; i < count; i++)
        for (uint32_t line = marks[i].position.line, digits = 1; line; line /= 10, digits++)
            canvas.digits = MAX(canvas.digits, digits);
    for (size_t i = 0; i < count;) {
        size_t together = 1;
        while (i + together < count && marks[i + together].span.file == marks[i].span.file)
            together++;
        append_place(&canvas, i ? ":::" : "-->", !i && finding->span.file ? finding->span : marks[i].span);
        if (!i)
            each_include(selection, marks[i].span.file, include_line, &canvas);
        append_file(&canvas, marks + i, together);
        i += together;
    }
    append_advice(&canvas, "note", finding->notes, finding->note_count);
    append_advice(&canvas, "help", finding->helps, finding->help_count);
}
