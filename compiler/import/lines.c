/* SPDX-License-Identifier: MIT
 *
 * Lines: the items of a guest as text of their own, which steps may change without regard to where it came from, and
 * their way back into the numa notation.  What the words mean is left to the steps.
 */
#include "import/parts.h"

#include <hwloc/bitmap.h>
#include <string.h>

#include "model/model.h"

enum { LINES_DEPTH = 8 }; /* of blocks; a guest's XML makes three */

/* ---- from items ------------------------------------------------------------------------------------------------- */

/* Zeros in front say nothing to libvirt, and are no number of the language. */
static const char *without_zeros(const char *text)
{
    if (*text && strspn(text, "0123456789") == strlen(text))
        while (text[0] == '0' && text[1])
            text++;
    return text;
}

bool text_is_writable(const char *text)
{
    for (; *text; text++)
        if (g_ascii_iscntrl(*text))
            return false;
    return true;
}

static const char *take_word(struct arena *arena, struct syntax *syntax, const struct item *item, struct word word)
{
    size_t length;
    const char *text = word_text(syntax, item, word, &length);
    const char *copy = arena_string(arena, text, length);
    if (text_is_writable(copy))
        return without_zeros(copy);
    struct finding *finding = report(syntax->findings, NM_import_text, word_span(item, word),
                                     "this value holds control characters, which a site cannot");
    finding_help(syntax->findings, finding, "remove them from the guest's XML");
    return NULL;
}

static struct line *take_item(struct arena *arena, struct syntax *syntax, const struct item *item, unsigned depth)
{
    if (depth == LINES_DEPTH)
        bug("items of a guest deeper than the language goes");
    struct line *line = line_new(arena, take_word(arena, syntax, item, item->name), NULL);
    bool fine = line->word;
    line->arguments = arena_array(arena, const char *, item->argument_count + 1u);
    for (; line->count < item->argument_count; line->count++) {
        line->arguments[line->count] = take_word(arena, syntax, item, item->arguments[line->count]);
        fine &= line->arguments[line->count] != NULL;
    }
    struct line **tail = &line->children;
    for (const struct item *child = item->children; child && fine; child = child->next, tail = &(*tail)->next) {
        *tail = take_item(arena, syntax, child, depth + 1);
        if (!*tail)
            return NULL;
    }
    return fine ? line : NULL;
}

bool lines_from_items(struct arena *arena, struct syntax *syntax, const struct item *items, struct line **out_lines)
{
    struct line **tail = out_lines;
    *tail = NULL;
    for (; items; items = items->next, tail = &(*tail)->next) {
        *tail = take_item(arena, syntax, items, 0);
        if (!*tail)
            return false;
    }
    return true;
}

/* ---- lists of them ---------------------------------------------------------------------------------------------- */

struct line *line_new(struct arena *arena, const char *word, const char *argument)
{
    struct line *line = arena_take(arena, struct line);
    line->word = word;
    if (argument) {
        line->arguments = arena_array(arena, const char *, 1);
        line->arguments[0] = argument;
        line->count = 1;
    }
    return line;
}

bool line_is(const struct line *line, const char *word)
{
    return strcmp(line->word, word) == 0;
}

struct line *line_find(struct line *list, const char *word)
{
    while (list && !line_is(list, word))
        list = list->next;
    return list;
}

unsigned lines_count(const struct line *list, const char *word)
{
    unsigned count = 0;
    for (; list; list = list->next)
        count += line_is(list, word);
    return count;
}

struct line *line_the_only(struct line *list, const char *word)
{
    return lines_count(list, word) == 1 ? line_find(list, word) : NULL;
}

struct line *line_add(struct line **list, struct line *line)
{
    while (*list)
        list = &(*list)->next;
    line->next = NULL;
    return *list = line;
}

void line_drop(struct line **list, const struct line *line)
{
    while (*list && *list != line)
        list = &(*list)->next;
    if (*list)
        *list = line->next;
}

void line_add_argument(struct arena *arena, struct line *line, const char *argument)
{
    const char **arguments = arena_array(arena, const char *, line->count + 1u);
    if (line->count)
        memcpy(arguments, line->arguments, line->count * sizeof *arguments);
    arguments[line->count++] = argument;
    line->arguments = arguments;
}

bool line_same(const struct line *a, const struct line *b)
{
    if (strcmp(a->word, b->word) != 0 || a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (strcmp(a->arguments[i], b->arguments[i]) != 0)
            return false;
    const struct line *of_a = a->children, *of_b = b->children;
    while (of_a && of_b && line_same(of_a, of_b)) {
        of_a = of_a->next;
        of_b = of_b->next;
    }
    return !of_a && !of_b;
}

/* ---- what a text says ------------------------------------------------------------------------------------------- */

bool text_number(const char *text, uint64_t *out_number)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || text[digits] || digits > 18)
        return false;
    *out_number = g_ascii_strtoull(text, NULL, 10);
    return true;
}

bool text_kib(const char *text, uint64_t *out_kib)
{
    size_t length = strlen(text);
    if (length < 4 || strcmp(text + length - 3, "KiB") != 0)
        return false;
    g_autofree char *number = g_strndup(text, length - 3);
    return text_number(number, out_kib);
}

static bool add_term(hwloc_bitmap_t set, const char *term)
{
    bool is_taken = *term == '^';
    g_auto(GStrv) ends = g_strsplit(term + is_taken, "-", 3);
    uint64_t first, last;
    if (!ends[0] || !text_number(ends[0], &first) || (ends[1] && (ends[2] || !text_number(ends[1], &last))))
        return false;
    if (!ends[1])
        last = first;
    if (first > last || last > IDS_LIMIT)
        return false;
    int error = is_taken ? hwloc_bitmap_clr_range(set, (unsigned)first, (int)last)
                         : hwloc_bitmap_set_range(set, (unsigned)first, (int)last);
    return error == 0;
}

const struct ids *text_set(struct arena *arena, const char *text)
{
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    g_auto(GStrv) terms = g_strsplit(text, ",", -1);
    bool fine = terms[0];
    for (char **term = terms; *term && fine; term++)
        fine = add_term(set, *term);
    const struct ids *ids = fine ? ids_from_bitmap(arena, set) : NULL;
    hwloc_bitmap_free(set);
    return ids && ids->count ? ids : NULL;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    size_t length = strlen(text);
    if (!length || text[length - 1] == ':')
        return false;
    for (const char *at = text; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("_.:,^/%-", *at))
            return false;
    return true;
}

/* A dollar sign would begin a variable. */
static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if (*text == '$')
            g_string_append_c(out, '$');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void append_arguments(GString *out, const struct line *line)
{
    for (unsigned i = 0; i < line->count; i++) {
        const char *text = line->arguments[i];
        g_string_append_c(out, ' ');
        if (!is_plain(text) || (line->is_named && !i && !is_name(text, strlen(text))))
            append_quoted(out, text);
        else
            g_string_append(out, text);
    }
}

static void append_block(GString *out, const struct line *line, unsigned depth);

static void append_line(GString *out, const struct line *line, unsigned depth)
{
    g_string_append(out, line->word);
    append_arguments(out, line);
    if (line->children)
        append_block(out, line, depth);
}

static void append_block(GString *out, const struct line *line, unsigned depth)
{
    enum { INDENT = 4 };
    g_string_append(out, line->is_tall ? " {\n" : " { ");
    for (const struct line *child = line->children; child; child = child->next) {
        if (line->is_tall)
            g_string_append_printf(out, "%*s", (int)(depth + 1) * INDENT, "");
        append_line(out, child, depth + 1);
        g_string_append(out, line->is_tall ? "\n" : child->next ? "; " : " ");
    }
    g_string_append_printf(out, "%*s}", line->is_tall ? (int)depth * INDENT : 0, "");
}

void lines_append(GString *out, const struct line *lines, unsigned depth)
{
    for (; lines; lines = lines->next) {
        append_line(out, lines, depth);
        g_string_append_c(out, '\n');
    }
}
