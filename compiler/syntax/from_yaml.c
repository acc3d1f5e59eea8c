/* SPDX-License-Identifier: MIT
 *
 * Reads YAML into the same items as the numa notation: a key is an item; a scalar or a list behind it its arguments, a
 * mapping its block.  What YAML has beyond that is refused, each thing with its own finding, and left out; reading
 * goes on.  Depth is bounded, so the functions call each other as the text nests.
 */
#include "syntax/yaml.h"

#include <string.h>

static struct item_list read_mapping(struct yaml *yaml, uint32_t *out_end);

static bool is(const struct yaml *yaml, yaml_token_type_t type)
{
    return yaml->token.type == type;
}

/* ---- scalars ---------------------------------------------------------------------------------------------------- */

static bool is_null(const char *text, uint32_t length)
{
    return (length == 1 && text[0] == '~') ||
           (length == 4 && (!memcmp(text, "null", 4) || !memcmp(text, "Null", 4) || !memcmp(text, "NULL", 4)));
}

static struct word quoted_word(struct yaml *yaml)
{
    const char *value = (const char *)yaml->token.data.scalar.value;
    size_t length = yaml->token.data.scalar.length;
    uint32_t begin = yaml->where.begin + 1, raw = yaml->where.end - yaml->where.begin - 2;
    if (G_UNLIKELY(length && memchr(value, 0, length)))
        blame_nul(yaml, yaml->where);
    if (G_UNLIKELY(raw > WORD_LIMIT))
        return word_between(yaml->reading, begin, begin + raw);
    if (length != raw || memcmp(value, yaml->reading->text + begin, raw) != 0)
        return word_cooked(yaml->reading->syntax, yaml->reading->file, begin, raw, value, length);
    struct word word = word_between(yaml->reading, begin, begin + raw);
    word.quoted = 1;
    return word;
}

static void add_plain(struct yaml *yaml)
{
    const char *text = yaml->reading->text;
    uint32_t at = yaml->where.begin, end = yaml->where.end;
    if (G_UNLIKELY(is_null(text + at, end - at)))
        blame_null(yaml, yaml->where);
    while (at < end) {
        uint32_t begin = at;
        if (G_UNLIKELY(text[at] == '"' ||
                       text[at] == '\'')) /* never the first: libyaml took that for a quoted scalar */
            blame_inner_quote(yaml, (struct extent){ at, end });
        while (at < end && text[at] != ' ' && text[at] != '\t' && text[at] != '\n' && text[at] != '\r')
            at++;
        words_add(yaml->reading, word_between(yaml->reading, begin, at));
        while (at < end && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
            at++;
    }
}

static void add_scalar(struct yaml *yaml)
{
    yaml_scalar_style_t style = yaml->token.data.scalar.style;
    if (style == YAML_PLAIN_SCALAR_STYLE)
        add_plain(yaml);
    else if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE)
        blame_block_text(yaml);
    else
        words_add(yaml->reading, quoted_word(yaml));
    yaml_next(yaml);
}

static bool is_merge_key(const struct yaml *yaml)
{
    return is(yaml, YAML_SCALAR_TOKEN) && yaml->token.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           yaml->token.data.scalar.length == 2 && memcmp(yaml->token.data.scalar.value, "<<", 2) == 0;
}

static struct word key_word(struct yaml *yaml)
{
    const char *text = yaml->reading->text + yaml->where.begin;
    uint32_t length = yaml->where.end - yaml->where.begin;
    if (yaml->token.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        struct word word = quoted_word(yaml);
        if (!yaml->token.data.scalar.length)
            blame_key(yaml, yaml->where, "an empty key");
        return word;
    }
    struct word word = word_between(yaml->reading, yaml->where.begin, yaml->where.end);
    if (G_UNLIKELY(is_null(text, length)))
        blame_null(yaml, yaml->where);
    else if (G_UNLIKELY(memchr(text, ' ', length) || memchr(text, '\t', length)))
        blame_key_blanks(yaml, word);
    return word;
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static void refuse_properties(struct yaml *yaml)
{
    while (is(yaml, YAML_ANCHOR_TOKEN) || is(yaml, YAML_TAG_TOKEN)) {
        blame_property(yaml);
        yaml_next(yaml);
    }
}

static bool opens(const struct yaml *yaml)
{
    return is(yaml, YAML_BLOCK_MAPPING_START_TOKEN) || is(yaml, YAML_BLOCK_SEQUENCE_START_TOKEN) ||
           is(yaml, YAML_FLOW_MAPPING_START_TOKEN) || is(yaml, YAML_FLOW_SEQUENCE_START_TOKEN);
}

/* Leaves out tokens up to the next key or end of the mapping or list we are in. */
static void skip_rest(struct yaml *yaml, bool stop_at_entry)
{
    for (unsigned open = 0; !yaml->ended; yaml_next(yaml)) {
        yaml_token_type_t type = yaml->token.type;
        if (opens(yaml)) {
            if (++open + yaml->depth > DEPTH_LIMIT) {
                blame_yaml_depth(yaml);
                yaml_stop(yaml);
            }
        } else if (type == YAML_BLOCK_END_TOKEN || type == YAML_FLOW_MAPPING_END_TOKEN ||
                   type == YAML_FLOW_SEQUENCE_END_TOKEN) {
            if (!open--)
                return;
        } else if (type == YAML_STREAM_END_TOKEN || type == YAML_DOCUMENT_START_TOKEN ||
                   type == YAML_DOCUMENT_END_TOKEN ||
                   (!open && (type == YAML_KEY_TOKEN || type == YAML_FLOW_ENTRY_TOKEN ||
                              (stop_at_entry && type == YAML_BLOCK_ENTRY_TOKEN)))) {
            return;
        }
    }
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */

static void read_list_entry(struct yaml *yaml, bool flow, struct extent dash)
{
    refuse_properties(yaml);
    if (is(yaml, YAML_SCALAR_TOKEN)) {
        add_scalar(yaml);
    } else if (is(yaml, YAML_ALIAS_TOKEN)) {
        blame_property(yaml);
        yaml_next(yaml);
    } else if (is(yaml, YAML_BLOCK_END_TOKEN) || is(yaml, YAML_FLOW_ENTRY_TOKEN) ||
               (!flow && (is(yaml, YAML_BLOCK_ENTRY_TOKEN) || is(yaml, YAML_KEY_TOKEN)))) {
        blame_empty_entry(yaml, dash);
    } else if (!yaml->ended) {
        blame_list_entry(yaml);
        if (is(yaml, YAML_KEY_TOKEN))
            yaml_next(yaml);
        skip_rest(yaml, true);
    }
}

static void read_flow_list(struct yaml *yaml)
{
    struct extent open = yaml->where;
    bool after_value = false;
    for (yaml_next(yaml); !is(yaml, YAML_FLOW_SEQUENCE_END_TOKEN) && !yaml->ended;) {
        if (is(yaml, YAML_STREAM_END_TOKEN) || is(yaml, YAML_DOCUMENT_START_TOKEN) ||
            is(yaml, YAML_DOCUMENT_END_TOKEN) || is(yaml, YAML_FLOW_MAPPING_END_TOKEN) ||
            is(yaml, YAML_BLOCK_END_TOKEN)) {
            blame_not_closed(yaml, open);
            yaml_stop(yaml);
            return;
        }
        if (is(yaml, YAML_FLOW_ENTRY_TOKEN)) {
            if (!after_value)
                blame_comma_too_many(yaml);
            after_value = false;
            yaml_next(yaml);
            continue;
        }
        if (after_value) {
            blame_missing_comma(yaml);
            if (!opens(yaml))
                yaml_next(yaml);
            skip_rest(yaml, false);
            continue;
        }
        read_list_entry(yaml, true, yaml->where);
        after_value = true;
    }
}

/* Gives the end of the list. */
static uint32_t read_list(struct yaml *yaml)
{
    uint32_t end;
    if (!yaml_deeper(yaml))
        return yaml->where.end;
    if (is(yaml, YAML_FLOW_SEQUENCE_START_TOKEN)) {
        yaml->flow++;
        read_flow_list(yaml);
        yaml->flow--;
        end = yaml->where.end;
        yaml_next(yaml);
    } else {
        bool indented = is(yaml, YAML_BLOCK_SEQUENCE_START_TOKEN);
        if (indented)
            yaml_next(yaml);
        end = yaml->where.end;
        while (is(yaml, YAML_BLOCK_ENTRY_TOKEN)) {
            struct extent dash = yaml->where;
            yaml_next(yaml);
            read_list_entry(yaml, false, dash);
            if (!yaml->ended && !is(yaml, YAML_BLOCK_ENTRY_TOKEN) && !is(yaml, YAML_BLOCK_END_TOKEN) &&
                !is(yaml, YAML_KEY_TOKEN)) {
                blame_unexpected(yaml);
                skip_rest(yaml, true);
            }
        }
        if (yaml->reading->argument_count)
            end = word_extent(yaml->reading->words[yaml->reading->argument_count]).end;
        if (indented && is(yaml, YAML_BLOCK_END_TOKEN))
            yaml_next(yaml);
    }
    yaml->depth--;
    return end;
}

/* ---- mappings --------------------------------------------------------------------------------------------------- */

static struct item *read_value(struct yaml *yaml)
{
    struct item *item;
    struct item_list block;
    uint32_t end;
    refuse_properties(yaml);
    if (yaml->flow && is(yaml, YAML_BLOCK_ENTRY_TOKEN)) {
        blame_unexpected(yaml);
        skip_rest(yaml, false);
    }
    switch ((int)yaml->token.type) {
    case YAML_SCALAR_TOKEN:
        add_scalar(yaml);
        return item_begin(yaml->reading);
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_ENTRY_TOKEN:
        end = read_list(yaml);
        item = item_begin(yaml->reading);
        item->end = end;
        return item;
    case YAML_FLOW_MAPPING_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
        item = item_begin(yaml->reading);
        item->mapped = 1;
        end = item->end;
        block = read_mapping(yaml, &end);
        return item_block(item, block, end);
    case YAML_ALIAS_TOKEN:
        blame_property(yaml);
        yaml_next(yaml);
        break;
    default:
        break;
    }
    return item_begin(yaml->reading);
}

/* A key that is no scalar is left out with its value. */
static void skip_key(struct yaml *yaml)
{
    blame_key(yaml, yaml->where, is(yaml, YAML_VALUE_TOKEN) ? "a value without a key" : "a key that is no word");
    skip_rest(yaml, false);
}

static struct item *read_entry(struct yaml *yaml)
{
    yaml->reading->blamed = false;
    if (G_UNLIKELY(yaml->where.end > yaml->where.begin)) /* "?"; the key token of "key:" has no text */
        blame_key(yaml, yaml->where, "a key that begins with '?'");
    yaml_next(yaml);
    refuse_properties(yaml);
    if (!is(yaml, YAML_SCALAR_TOKEN)) {
        if (!yaml->ended)
            skip_key(yaml);
        return NULL;
    }
    bool merges = is_merge_key(yaml);
    if (G_UNLIKELY(merges))
        blame_merge_key(yaml, yaml->where);
    words_begin(yaml->reading, key_word(yaml));
    yaml_next(yaml);
    if (is(yaml, YAML_VALUE_TOKEN))
        yaml_next(yaml);
    struct item *item = read_value(yaml);
    return merges ? NULL : item;
}

/* In braces, a word without a colon is mostly the rest of a set that a comma has torn. */
static void read_torn(struct yaml *yaml, struct item *before, struct extent comma)
{
    bool glued = comma.end == yaml->where.begin && before && before->argument_count && before->end == comma.begin;
    blame_flow_comma(yaml, before, glued);
    if (before)
        before->failed = 1;
    yaml_next(yaml);
}

static bool mapping_ends(struct yaml *yaml, bool flow, struct extent open)
{
    switch ((int)yaml->token.type) {
    case YAML_FLOW_MAPPING_END_TOKEN:
        return flow;
    case YAML_BLOCK_END_TOKEN:
    case YAML_STREAM_END_TOKEN:
    case YAML_DOCUMENT_START_TOKEN:
    case YAML_DOCUMENT_END_TOKEN:
        break;
    case YAML_FLOW_SEQUENCE_END_TOKEN:
        if (flow)
            break;
        return false;
    default:
        return false;
    }
    if (flow && !yaml->ended) {
        blame_not_closed(yaml, open);
        yaml_stop(yaml);
    }
    return true;
}

static void skip_unexpected(struct yaml *yaml)
{
    if (yaml->flow && (is(yaml, YAML_SCALAR_TOKEN) || opens(yaml)))
        blame_missing_comma(yaml);
    else
        blame_unexpected(yaml);
    if (!opens(yaml))
        yaml_next(yaml);
    skip_rest(yaml, false);
}

static struct item_list read_entries(struct yaml *yaml, bool flow)
{
    struct extent open = yaml->where, comma = open;
    struct item_list list = { 0 };
    bool after_value = false;
    for (yaml_next(yaml); !mapping_ends(yaml, flow, open);) {
        if (is(yaml, YAML_KEY_TOKEN)) {
            struct item *item = read_entry(yaml);
            if (item)
                list = list_append(list, item);
            after_value = true;
        } else if (flow && is(yaml, YAML_FLOW_ENTRY_TOKEN)) {
            if (!after_value)
                blame_comma_too_many(yaml);
            comma = yaml->where;
            after_value = false;
            yaml_next(yaml);
        } else if (flow && !after_value && is(yaml, YAML_SCALAR_TOKEN)) {
            read_torn(yaml, list.last, comma);
            after_value = true;
        } else {
            skip_unexpected(yaml);
            if (list.last)
                list.last->failed = 1;
        }
    }
    return list;
}

struct key {
    struct item *item;
    const char *text;
    size_t length;
};

static int by_text(const void *left, const void *right, void *unused)
{
    (void)unused;
    const struct key *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->text, b->text, shorter);
    if (order)
        return order;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return a->item->name.begin < b->item->name.begin ? -1 : 1;
}

static struct item_list without(struct item_list list, const struct item *dropped)
{
    struct item_list kept = { 0 };
    for (struct item *item = list.first, *next; item; item = next) {
        next = item->next;
        item->next = NULL;
        if (item != dropped)
            kept = list_append(kept, item);
    }
    return kept;
}

static struct item_list refuse_duplicate(struct yaml *yaml, struct item_list list, struct item *first,
                                         struct item *second)
{
    yaml->reading->blamed = false;
    blame_duplicate(yaml, first, second);
    return without(list, second);
}

/* Sorting keeps the cost of hostile keys at n log n. */
static struct item_list refuse_duplicates_of_many(struct yaml *yaml, struct item_list list, size_t count)
{
    g_autofree struct key *keys = g_new(struct key, count);
    size_t at = 0;
    for (struct item *item = list.first; item; item = item->next, at++) {
        keys[at].item = item;
        keys[at].text = word_text(yaml->reading->syntax, item, item->name, &keys[at].length);
    }
    g_qsort_with_data(keys, (gint)count, sizeof *keys, by_text, NULL);
    for (size_t i = 1, first = 0; i < count && !yaml->reading->stopped; i++) {
        if (keys[i].length == keys[first].length && memcmp(keys[i].text, keys[first].text, keys[i].length) == 0)
            list = refuse_duplicate(yaml, list, keys[first].item, keys[i].item);
        else
            first = i;
    }
    return list;
}

static bool same_name(const struct yaml *yaml, const struct item *a, const struct item *b)
{
    size_t a_length, b_length;
    if (a->name.length != b->name.length && !a->name.cooked && !b->name.cooked)
        return false;
    const char *a_text = word_text(yaml->reading->syntax, a, a->name, &a_length);
    const char *b_text = word_text(yaml->reading->syntax, b, b->name, &b_length);
    return a_length == b_length && memcmp(a_text, b_text, a_length) == 0;
}

/* The later of two equal keys is told of and left out. */
static struct item_list refuse_duplicates(struct yaml *yaml, struct item_list list)
{
    enum { FEW = 12 };
    struct item *items[FEW];
    size_t count = 0;
    for (struct item *item = list.first; item; item = item->next)
        count++;
    if (count > FEW)
        return refuse_duplicates_of_many(yaml, list, count);
    size_t kept = 0;
    for (struct item *item = list.first, *next; item; item = next) {
        size_t i = 0;
        next = item->next;
        while (i < kept && !same_name(yaml, items[i], item))
            i++;
        if (i < kept)
            list = refuse_duplicate(yaml, list, items[i], item);
        else
            items[kept++] = item;
    }
    return list;
}

/* Reads from the token that opens the mapping to behind the one that ends it. */
static struct item_list read_mapping(struct yaml *yaml, uint32_t *out_end)
{
    bool flow = is(yaml, YAML_FLOW_MAPPING_START_TOKEN);
    if (!yaml_deeper(yaml))
        return (struct item_list){ 0 };
    yaml->flow += flow;
    struct item_list list = read_entries(yaml, flow);
    yaml->flow -= flow;
    if (flow)
        *out_end = yaml->where.end;
    else if (list.last)
        *out_end = list.last->end;
    if (is(yaml, YAML_BLOCK_END_TOKEN) || is(yaml, YAML_FLOW_MAPPING_END_TOKEN))
        yaml_next(yaml);
    yaml->depth--;
    return list.first && list.first->next ? refuse_duplicates(yaml, list) : list;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void read_top(struct yaml *yaml)
{
    uint32_t end;
    refuse_properties(yaml);
    if (is(yaml, YAML_BLOCK_MAPPING_START_TOKEN) || is(yaml, YAML_FLOW_MAPPING_START_TOKEN)) {
        yaml->reading->tree->items = read_mapping(yaml, &end).first;
    } else if (!is(yaml, YAML_STREAM_END_TOKEN) && !is(yaml, YAML_DOCUMENT_END_TOKEN) &&
               !is(yaml, YAML_DOCUMENT_START_TOKEN)) {
        blame_top_level(yaml);
        yaml_stop(yaml);
    }
}

static void refuse_directives(struct yaml *yaml)
{
    while (is(yaml, YAML_VERSION_DIRECTIVE_TOKEN) || is(yaml, YAML_TAG_DIRECTIVE_TOKEN)) {
        yaml->reading->blamed = false;
        blame_directive(yaml);
        yaml_next(yaml);
    }
}

static void read_stream(struct yaml *yaml)
{
    yaml_next(yaml); /* past the start of the stream */
    refuse_directives(yaml);
    if (is(yaml, YAML_DOCUMENT_START_TOKEN))
        yaml_next(yaml);
    read_top(yaml);
    bool ended = is(yaml, YAML_DOCUMENT_END_TOKEN);
    while (is(yaml, YAML_DOCUMENT_END_TOKEN))
        yaml_next(yaml);
    if (is(yaml, YAML_STREAM_END_TOKEN))
        return;
    yaml->reading->blamed = false;
    if (ended || is(yaml, YAML_DOCUMENT_START_TOKEN))
        blame_second_document(yaml);
    else
        blame_unexpected(yaml);
    yaml_stop(yaml);
}

struct tree *read_yaml(struct syntax *syntax, uint32_t file, bool keep_comments)
{
    struct reading *reading = reading_begin(syntax, file, keep_comments, true);
    struct yaml yaml;
    yaml_open(&yaml, reading);
    read_stream(&yaml);
    yaml_close(&yaml);
    return reading_end(reading);
}
