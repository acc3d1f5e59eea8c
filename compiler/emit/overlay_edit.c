/* SPDX-License-Identifier: MIT
 *
 * Changes to the bytes of a base: what is new takes the indentation of its neighbours and the line ends of the file,
 * what goes takes its line along, and nothing else moves.
 */
#include "emit/overlay_edit.h"

#include <string.h>

struct edit {
    size_t begin, end;
    const char *text;
    guint order; /* edits at one place stay in the order they were made */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void add_edit(struct patch *patch, size_t begin, size_t end, const char *text)
{
    struct edit edit = { .begin = begin, .end = end, .text = text, .order = patch->edits->len };
    g_array_append_val(patch->edits, edit);
}

static size_t line_begin(const struct patch *patch, size_t at)
{
    while (at && patch->text[at - 1] != '\n')
        at--;
    return at;
}

/* The blanks before the element, or NULL where something else stands before it on its line. */
static const char *margin_of(const struct patch *patch, const struct xml_element *element)
{
    size_t begin = line_begin(patch, element->begin);
    for (size_t at = begin; at < element->begin; at++)
        if (!is_blank(patch->text[at]))
            return NULL;
    return arena_string(patch->arena, patch->text + begin, element->begin - begin);
}

struct patch *patch_new(struct arena *arena, const char *text, size_t length, const struct xml_element *root,
                        const char *ours)
{
    struct patch *patch = arena_take(arena, struct patch);
    *patch = (struct patch){ .arena = arena, .text = text, .length = length, .ours = ours };
    patch->edits = g_array_new(FALSE, FALSE, sizeof(struct edit));
    const char *newline = memchr(text, '\n', length);
    patch->line_end = newline && newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
    patch->step = "  ";
    const char *outer = margin_of(patch, root);
    const char *inner = root->children ? margin_of(patch, root->children) : NULL;
    if (outer && inner && g_str_has_prefix(inner, outer) && line_begin(patch, root->children->begin) > root->begin)
        patch->step = arena_string(arena, inner + strlen(outer), strlen(inner) - strlen(outer));
    return patch;
}

/* Our text of an element, its lines but the first behind `margin`, in the step and line ends of the base. */
static void append_ours(const struct patch *patch, GString *out, const struct xml_element *element, const char *margin)
{
    size_t levels = 0;
    for (const struct xml_element *outer = element->parent; outer; outer = outer->parent)
        levels++;
    const char *at = patch->ours + element->begin, *end = patch->ours + element->end;
    for (const char *newline; (newline = memchr(at, '\n', (size_t)(end - at)));) {
        g_string_append_len(out, at, newline - at);
        g_string_append(out, patch->line_end);
        g_string_append(out, margin);
        size_t blanks = strspn(newline + 1, " ");
        for (size_t level = levels; level < blanks / 2; level++)
            g_string_append(out, patch->step);
        at = newline + 1 + blanks;
    }
    g_string_append_len(out, at, end - at);
}

static const char *keep(const struct patch *patch, GString *text)
{
    const char *kept = arena_string(patch->arena, text->str, text->len);
    g_string_free(text, TRUE);
    return kept;
}

/* What libvirt has on an element of ours and the plan does not: dumping of guest memory. */
static void carry_over(GString *text, const struct xml_element *old)
{
    const char *dump = xml_attribute(old, "dumpCore");
    char *close = strchr(text->str, '>');
    if (!dump || !close || strpbrk(dump, "'<&"))
        return;
    g_autofree char *attribute = g_strdup_printf(" dumpCore='%s'", dump);
    g_string_insert(text, close - text->str, attribute);
}

void patch_replace(struct patch *patch, const struct xml_element *old, const struct xml_element *new)
{
    const char *margin = margin_of(patch, old);
    GString *text = g_string_new(NULL);
    append_ours(patch, text, new, margin ? margin : "");
    carry_over(text, old);
    add_edit(patch, old->begin, old->end, keep(patch, text));
}

void patch_start_tag(struct patch *patch, const struct xml_element *old, const struct xml_element *new)
{
    GString *text = g_string_new_len(patch->ours + new->begin, (gssize)(new->open_end - new->begin));
    g_string_truncate(text, text->len - (new->closes_itself ? 2 : 1));
    g_string_append(text, old->closes_itself ? "/>" : ">");
    add_edit(patch, old->begin, old->open_end, keep(patch, text));
}

void patch_remove(struct patch *patch, struct xml_element *old)
{
    old->is_gone = true;
    size_t begin = old->begin, end = old->end, after = end;
    while (after < patch->length && is_blank(patch->text[after]))
        after++;
    bool ends_line = after == patch->length || patch->text[after] == '\n' || patch->text[after] == '\r';
    size_t line = line_begin(patch, begin);
    if (ends_line && line && margin_of(patch, old)) {
        begin = line - 1;
        if (begin && patch->text[begin - 1] == '\r')
            begin--;
        end = after;
    }
    add_edit(patch, begin, end, "");
}

/* Comments that end the line belong to what stands before them. */
static size_t behind_comments(const struct patch *patch, size_t at)
{
    size_t end = at;
    for (;;) {
        while (end < patch->length && is_blank(patch->text[end]))
            end++;
        if (end == patch->length)
            return at;
        if (patch->text[end] == '\n' || patch->text[end] == '\r')
            return end > at && patch->text[end - 1] == '>' ? end : at;
        const char *close = NULL;
        if (patch->length - end >= 4 && memcmp(patch->text + end, "<!--", 4) == 0)
            close = g_strstr_len(patch->text + end + 4, (gssize)(patch->length - end - 4), "-->");
        if (!close)
            return at;
        end = (size_t)(close - patch->text) + 3;
    }
}

static size_t rank(const char *const *order, const char *name)
{
    for (size_t i = 0; order[i]; i++)
        if (strcmp(order[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static const struct xml_element *anchor_of(const struct xml_element *parent, const char *name, const char *const *order)
{
    const struct xml_element *anchor = NULL;
    size_t own = rank(order, name), best = 0;
    for (const struct xml_element *child = parent->children; child; child = child->next) {
        size_t other = rank(order, child->name);
        if (!child->is_gone && other <= own && other != SIZE_MAX && (!anchor || other >= best)) {
            anchor = child;
            best = other;
        }
    }
    return anchor;
}

void patch_insert(struct patch *patch, const struct xml_element *parent, const struct xml_element *new,
                  const char *const *order)
{
    const struct xml_element *anchor = anchor_of(parent, new->name, order);
    const struct xml_element *neighbour = anchor ? anchor : parent->children;
    const char *margin = neighbour ? margin_of(patch, neighbour) : NULL;
    if (!neighbour && (margin = margin_of(patch, parent)))
        margin = arena_printf(patch->arena, "%s%s", margin, patch->step);
    GString *text = g_string_new(NULL);
    if (margin) {
        g_string_append(text, patch->line_end);
        g_string_append(text, margin);
    }
    append_ours(patch, text, new, margin ? margin : "");
    size_t at = behind_comments(patch, anchor ? anchor->end : parent->open_end);
    add_edit(patch, at, at, keep(patch, text));
}

void patch_fill(struct patch *patch, const struct xml_element *parent, GPtrArray *children)
{
    const char *outer = margin_of(patch, parent);
    if (!outer)
        outer = "";
    const char *inner = arena_printf(patch->arena, "%s%s", outer, patch->step);
    size_t begin = parent->open_end, end = parent->close_begin;
    GString *text = g_string_new(NULL);
    if (parent->closes_itself) {
        begin = parent->open_end - 2;
        end = parent->open_end;
        while (g_ascii_isspace(patch->text[begin - 1]))
            begin--;
        g_string_append_c(text, '>');
    }
    for (guint i = 0; i < children->len; i++) {
        g_string_append(text, patch->line_end);
        g_string_append(text, inner);
        append_ours(patch, text, g_ptr_array_index(children, i), inner);
    }
    g_string_append(text, patch->line_end);
    g_string_append(text, outer);
    if (parent->closes_itself)
        g_string_append_printf(text, "</%s>", parent->name);
    add_edit(patch, begin, end, keep(patch, text));
}

static gint by_place(gconstpointer left, gconstpointer right)
{
    const struct edit *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    bool a_inserts = a->begin == a->end, b_inserts = b->begin == b->end;
    if (a_inserts != b_inserts) /* behind an element, before what is taken from behind it */
        return a_inserts ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void patch_finish(struct patch *patch, GString *out)
{
    size_t at = 0;
    g_array_sort(patch->edits, by_place);
    for (guint i = 0; i < patch->edits->len; i++) {
        const struct edit *edit = &g_array_index(patch->edits, struct edit, i);
        if (edit->begin < at)
            bug("two changes of a base overlap");
        g_string_append_len(out, patch->text + at, (gssize)(edit->begin - at));
        g_string_append(out, edit->text);
        at = edit->end;
    }
    g_string_append_len(out, patch->text + at, (gssize)(patch->length - at));
    g_array_free(patch->edits, TRUE);
}
