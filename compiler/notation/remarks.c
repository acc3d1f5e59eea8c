/* SPDX-License-Identifier: MIT
 *
 * Gives each comment of a file to the item it speaks of: the one below it, the one it stands beside, or the block at
 * whose end it stands.  YAML ends its blocks by indentation, so there the column of a comment decides.
 */
#include "notation/parts.h"

#include <string.h>

struct gathering {
    struct writer *writer;
    uint32_t next;      /* comment to give away */
    unsigned path_size; /* the item begun last, and those around it */
    const struct item *path[DEPTH_LIMIT + 2];
    uint32_t columns[DEPTH_LIMIT + 2]; /* where they begin in their lines; YAML only */
};

static const struct remarks no_remarks;

const struct remarks *remarks_of(const struct writer *writer, const struct item *item)
{
    if (!writer->tree->comment_count)
        return &no_remarks;
    const struct remarks *found = g_hash_table_lookup(writer->remarks, item);
    return found ? found : &no_remarks;
}

static struct remarks *remarks_for(struct writer *writer, const struct item *item)
{
    if (!item)
        return &writer->end;
    struct remarks *found = g_hash_table_lookup(writer->remarks, item);
    if (!found) {
        found = arena_take(writer->syntax->arena, struct remarks);
        g_hash_table_insert(writer->remarks, (gpointer)(uintptr_t)item, found);
    }
    return found;
}

static void append_remark(struct writer *writer, struct remark ***tail, const struct comment *comment)
{
    struct remark *remark = arena_take(writer->syntax->arena, struct remark);
    remark->comment = comment;
    **tail = remark;
    *tail = &remark->next;
}

static struct remark **list_end(struct remark **list)
{
    while (*list)
        list = &(*list)->next;
    return list;
}

static const struct comment *peek(const struct gathering *gathering, uint32_t before)
{
    const struct tree *tree = gathering->writer->tree;
    if (gathering->next == tree->comment_count || tree->comments[gathering->next].begin >= before)
        return NULL;
    return &tree->comments[gathering->next];
}

/* ---- comments behind something ---------------------------------------------------------------------------------- */

/* The item a comment stands behind: the one begun last, or the outermost of those that end with it on a "}" of their
 * own.  In YAML's block style a mapping ends where its last value does, and the value is meant. */
static const struct item *item_before(const struct gathering *gathering, const struct comment *comment)
{
    unsigned at = gathering->path_size - 1;
    const struct item *item = gathering->path[at];
    while (at && gathering->path[at - 1]->end <= comment->begin && gathering->path[at - 1]->end > item->end)
        item = gathering->path[--at];
    return item;
}

static bool give_beside(struct gathering *gathering, const struct comment *comment)
{
    if (comment->own_line || !gathering->path_size)
        return false;
    const struct item *item = item_before(gathering, comment);
    bool is_behind = item->end <= comment->begin;
    if (is_behind && memchr(gathering->writer->source + item->end, '\n', comment->begin - item->end))
        return false; /* something that is no item stands on its line: a key of labels, a bracket */
    struct remarks *remarks = remarks_for(gathering->writer, item);
    const struct comment **place = is_behind && item->has_block ? &remarks->behind : &remarks->beside;
    if (*place) {
        struct remark **tail = list_end(&remarks->above);
        append_remark(gathering->writer, &tail, comment);
    } else {
        *place = comment;
    }
    return true;
}

/* ---- comments on their own lines -------------------------------------------------------------------------------- */

static uint32_t column_of(const struct writer *writer, uint32_t at)
{
    enum { FAR = 256 };
    uint32_t column = 0;
    while (at > column && column < FAR && writer->source[at - column - 1] != '\n')
        column++;
    return column;
}

/* In YAML, the block that a comment still belongs to although its last item has ended; NULL: none below `depth`. */
static const struct item *indented_block(const struct gathering *gathering, const struct comment *comment,
                                         unsigned depth)
{
    if (!gathering->writer->tree->is_yaml || gathering->path_size <= depth + 1)
        return NULL;
    uint32_t column = column_of(gathering->writer, comment->begin);
    for (unsigned at = gathering->path_size - 1; at > depth; at--)
        if (column && column >= gathering->columns[at])
            return gathering->path[at - 1];
    return NULL;
}

/* Gives away the comments before a place at some depth; `item` comes next, NULL at the end of the file. */
static void give_above(struct gathering *gathering, const struct item *item, uint32_t before, unsigned depth)
{
    const struct comment *comment;
    struct remark **above = NULL;
    const struct item *inner = NULL;
    struct remark **within = NULL;
    bool opens_key = item && (gathering->path_size <= depth || gathering->path[depth]->name.begin != item->name.begin);
    for (; (comment = peek(gathering, before)); gathering->next++) {
        if (give_beside(gathering, comment))
            continue;
        bool is_below_key = opens_key && comment->begin > item->name.begin;
        const struct item *block = above || is_below_key ? NULL : indented_block(gathering, comment, depth);
        if (block) {
            if (block != inner || !within)
                within = list_end(&remarks_for(gathering->writer, block)->within);
            inner = block;
            append_remark(gathering->writer, &within, comment);
            continue;
        }
        if (!above) {
            struct remarks *remarks = remarks_for(gathering->writer, item);
            above = list_end(item ? &remarks->above : &remarks->within);
        }
        append_remark(gathering->writer, &above, comment);
    }
}

static void give_within(struct gathering *gathering, const struct item *item)
{
    const struct comment *comment;
    struct remark **within = NULL;
    for (; (comment = peek(gathering, item->end)); gathering->next++) {
        if (give_beside(gathering, comment))
            continue;
        if (!within)
            within = list_end(&remarks_for(gathering->writer, item)->within);
        append_remark(gathering->writer, &within, comment);
    }
}

static void gather_block(struct gathering *gathering, struct standing standing, const struct item *first,
                         unsigned depth)
{
    if (depth > DEPTH_LIMIT)
        bug("a tree deeper than its readers allow");
    for (const struct item *item = first; item; item = item->next) {
        const struct word_row *row = standing_row(gathering->writer, standing, item);
        uint32_t begin = item_begin_of(gathering->writer, item, row);
        give_above(gathering, item, begin, depth);
        gathering->path[depth] = item;
        if (gathering->writer->tree->is_yaml)
            gathering->columns[depth] = MIN(column_of(gathering->writer, begin),
                                            column_of(gathering->writer, item->name.begin)); /* a label's key */
        gathering->path_size = depth + 1;
        if (item->children)
            gather_block(gathering, standing_inside(row), item->children, depth + 1);
        give_within(gathering, item);
    }
}

void remarks_gather(struct writer *writer)
{
    if (!writer->tree->comment_count)
        return;
    struct gathering gathering = { .writer = writer };
    gather_block(&gathering, (struct standing){ .in = IN_SITE }, writer->tree->items, 0);
    give_above(&gathering, NULL, UINT32_MAX, 0);
}

/* ---- their text ------------------------------------------------------------------------------------------------- */

void write_comment(struct writer *writer, const struct comment *comment, enum notation notation)
{
    const char *text = writer->source + comment->begin, *end = writer->source + comment->end;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    if (notation == NOTATION_NUMA) {
        g_string_append_len(writer->out, text, end - text);
        return;
    }
    for (size_t bytes; text < end; text += bytes) {
        bytes = character_bytes(text);
        if (yaml_may_hold(g_utf8_get_char(text)))
            g_string_append_len(writer->out, text, (gssize)bytes);
        else
            g_string_append(writer->out, "\xef\xbf\xbd");
    }
}
