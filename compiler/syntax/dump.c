/* SPDX-License-Identifier: MIT
 *
 * The tree as text, for tests and for people who ask what was read: one item a line, two blanks a level, each word in
 * brackets.  A quoted word shows its quotes, "{" is a block, ":" a block that was a YAML mapping.
 */
#include "syntax/syntax.h"

static void dump_word(const struct syntax *syntax, const struct item *item, struct word word, GString *out)
{
    size_t length;
    const char *text = word_text(syntax, item, word, &length);
    g_string_append(out, word.quoted ? "[\"" : "[");
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == 0x7f)
            g_string_append_printf(out, "\\x%02x", byte);
        else
            g_string_append_c(out, text[i]);
    }
    g_string_append(out, word.quoted ? "\"]" : "]");
}

static void dump_item(const struct syntax *syntax, const struct item *item, unsigned depth, GString *out)
{
    g_string_append_printf(out, "%*s", (int)depth * 2, "");
    dump_word(syntax, item, item->name, out);
    for (unsigned i = 0; i < item->argument_count; i++) {
        g_string_append_c(out, ' ');
        dump_word(syntax, item, item->arguments[i], out);
    }
    g_string_append(out, item->mapped ? " :\n" : item->has_block ? " {\n" : "\n");
}

void dump_tree(const struct syntax *syntax, const struct tree *tree, GString *out)
{
    const struct item *waiting[DEPTH_LIMIT + 1]; /* what follows the block, for each level */
    unsigned depth = 0;
    for (const struct item *item = tree->items; item || depth;) {
        if (!item) {
            item = waiting[--depth];
            continue;
        }
        dump_item(syntax, item, depth, out);
        if (item->children) {
            if (depth == DEPTH_LIMIT)
                bug("a tree deeper than its readers allow");
            waiting[depth++] = item->next;
            item = item->children;
        } else {
            item = item->next;
        }
    }
    const char *text = source_at(syntax->sources, tree->file)->text;
    for (uint32_t i = 0; i < tree->comment_count; i++)
        g_string_append_printf(out, "%s%.*s\n", tree->comments[i].own_line ? "" : "... ",
                               (int)(tree->comments[i].end - tree->comments[i].begin), text + tree->comments[i].begin);
}
