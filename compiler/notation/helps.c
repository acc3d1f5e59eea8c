/* SPDX-License-Identifier: MIT
 *
 * Cures in the notation of the file they are for: stages write them in .numa, and where the finding stands in YAML what
 * they quote of the language is turned: 'vcpus 8 { threads 2 }' to 'vcpus: {count: 8, threads: 2}'.  Whatever is not
 * plainly of the language stays as it is.
 */
#include "notation/contexts.h"
#include "notation/parts.h"

#include <string.h>

enum { TOKEN_LIMIT = 64, DEPTH_OF_HELPS = 4 };

struct token {
    const char *text;
    size_t length;
    bool quoted; /* of its text: the quotes are not */
};

struct turning { /* of one quoted piece */
    struct token tokens[TOKEN_LIMIT];
    unsigned count, at;
    GString *out;
};

static bool at_sign(const struct turning *turning, const char *signs)
{
    const struct token *token = &turning->tokens[turning->at];
    return turning->at < turning->count && !token->quoted && token->length == 1 && strchr(signs, token->text[0]);
}

static bool split(struct turning *turning, const char *text, size_t length)
{
    const char *end = text + length;
    while (text < end) {
        if (*text == ' ') {
            text++;
            continue;
        }
        if (turning->count == TOKEN_LIMIT)
            return false;
        struct token *token = &turning->tokens[turning->count++];
        *token = (struct token){ .text = text, .quoted = *text == '"' };
        if (token->quoted) {
            const char *close = memchr(text + 1, '"', (size_t)(end - text - 1));
            if (!close)
                return false;
            *token = (struct token){ .text = text + 1, .length = (size_t)(close - text - 1), .quoted = true };
            text = close + 1;
        } else if (strchr("{};", *text)) {
            token->length = 1;
            text++;
        } else {
            while (text < end && !strchr(" {};\"", *text))
                text++;
            token->length = (size_t)(text - token->text);
        }
    }
    return turning->count > 0;
}

static void put(struct turning *turning, const struct token *token, bool in_flow)
{
    bool is_stand_in = token->length == 3 && memcmp(token->text, "...", 3) == 0;
    if (is_stand_in && !token->quoted)
        g_string_append(turning->out, "...");
    else
        yaml_scalar(turning->out, token->text, token->length, token->quoted, in_flow);
}

/* Arguments: one scalar where its blanks part them again, else a sequence. */
static void put_values(struct turning *turning, const struct token *values, unsigned count, bool in_flow)
{
    bool joins = true;
    for (unsigned i = 0; i < count; i++)
        joins &= !values[i].quoted && yaml_joins(values[i].text, values[i].length, i == 0, in_flow);
    if (count > 1 && !joins)
        g_string_append_c(turning->out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (i)
            g_string_append(turning->out, joins ? " " : ", ");
        if (count > 1 && joins)
            g_string_append_len(turning->out, values[i].text, (gssize)values[i].length);
        else
            put(turning, &values[i], in_flow || count > 1);
    }
    if (count > 1 && !joins)
        g_string_append_c(turning->out, ']');
}

static bool put_item(struct turning *turning, unsigned contexts, unsigned depth, bool in_flow);

/* What stands between braces, behind what the word's arguments gave. */
static bool put_children(struct turning *turning, unsigned contexts, unsigned depth, bool is_first)
{
    for (turning->at++; !at_sign(turning, "}"); is_first = false) {
        if (turning->at == turning->count)
            return false;
        if (!is_first)
            g_string_append(turning->out, ", ");
        if (!put_item(turning, contexts, depth + 1, true))
            return false;
        if (at_sign(turning, ";"))
            turning->at++;
    }
    turning->at++;
    g_string_append_c(turning->out, '}');
    return true;
}

static const struct word_row *row_in(unsigned contexts, const struct token *word, bool has_block, bool may_be_labelled)
{
    size_t count;
    const struct context_row *places = context_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const struct word_row *row =
            places[i].in & contexts ? find_word((enum context)places[i].in, word->text, word->length) : NULL;
        if (row && (may_be_labelled || !is_labelled(row)) && (!has_block || row->opens || row->columns[0].name))
            return row;
    }
    return NULL;
}

/* A word may stand in several places as several things: first what guests and cells say, then blocks with a name. */
static const struct word_row *meant_row(unsigned contexts, const struct token *word, bool has_block)
{
    const struct word_row *row = row_in(contexts & IN_GC, word, has_block, has_block);
    return row ? row : row_in(contexts, word, has_block, true);
}

static bool put_argument(struct turning *turning, const struct word_row *row, const struct token *values,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i >= COLUMN_LIMIT || !row->arguments[i].name || row->arguments[i].flags & MANY)
            return false;
        g_string_append_printf(turning->out, "%s%s: ", i ? ", " : "", row->arguments[i].name);
        put(turning, &values[i], true);
    }
    return true;
}

static bool put_word(struct turning *turning, const struct word_row *row, const struct token *values, unsigned count,
                     unsigned depth, bool in_flow)
{
    bool has_block = at_sign(turning, "{");
    g_string_append(turning->out, ": ");
    if (is_labelled(row) && count) {
        g_string_append_c(turning->out, '{');
        put(turning, values, true);
        g_string_append(turning->out, ": ");
        in_flow = true;
    }
    if (has_block) {
        unsigned named = is_labelled(row) && count ? count - 1 : count;
        g_string_append_c(turning->out, '{');
        if (!put_argument(turning, row, values + (count - named), named) ||
            !put_children(turning, row->opens, depth, named == 0))
            return false;
    } else if (is_labelled(row)) {
        put_values(turning, values + 1, count ? count - 1 : 0, true);
    } else {
        put_values(turning, values, count, in_flow);
    }
    if (is_labelled(row) && count)
        g_string_append_c(turning->out, '}');
    return true;
}

/* A word of one of these contexts, or inside of a table a row of it. */
static bool put_item(struct turning *turning, unsigned contexts, unsigned depth, bool in_flow)
{
    unsigned begin = turning->at, count;
    if (depth > DEPTH_OF_HELPS || at_sign(turning, "{};"))
        return false;
    while (turning->at < turning->count && !at_sign(turning, "{};"))
        turning->at++;
    count = turning->at - begin - 1;
    const struct token *word = &turning->tokens[begin];
    const struct word_row *row = word->quoted ? NULL : meant_row(contexts, word, at_sign(turning, "{"));
    put(turning, word, in_flow);
    if (row)
        return put_word(turning, row, word + 1, count, depth, in_flow);
    if (!depth || at_sign(turning, "{"))
        return false;
    if (count) {
        g_string_append(turning->out, ": ");
        put_values(turning, word + 1, count, true);
    }
    return true;
}

/* The piece, one item or several, in YAML; or NULL where it is to stay. */
static char *turn(const char *text, size_t length)
{
    struct turning turning = { .out = g_string_new(NULL) };
    bool fine = split(&turning, text, length) && turning.count > 1 && put_item(&turning, ~0u, 0, false);
    while (fine && at_sign(&turning, ";")) {
        turning.at++;
        g_string_append(turning.out, ", ");
        fine = put_item(&turning, ~0u, 0, true);
    }
    fine &= turning.at == turning.count;
    return g_string_free(turning.out, !fine);
}

/* The quote that ends a piece: an apostrophe has a letter on both its sides. */
static const char *closing_quote(const char *text)
{
    while ((text = strchr(text, '\'')) && g_ascii_isalnum(text[1]))
        text++;
    return text;
}

static const char *in_yaml(struct arena *arena, const char *help)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const char *at = help, *open, *close;
    while ((open = strchr(at, '\''))) {
        bool is_apostrophe = open > help && g_ascii_isalnum(open[-1]);
        close = is_apostrophe ? NULL : closing_quote(open + 1);
        g_string_append_len(out, at, open + 1 - at);
        at = open + 1;
        if (!close)
            continue;
        g_autofree char *turned = turn(at, (size_t)(close - at));
        if (turned)
            g_string_append(out, turned);
        else
            g_string_append_len(out, at, close - at);
        g_string_append_c(out, '\'');
        at = close + 1;
    }
    g_string_append(out, at);
    return arena_string(arena, out->str, out->len);
}

void helps_in_yaml(struct findings *findings, const struct sources *sources, struct arena *arena)
{
    size_t count = findings_count(findings, HINT);
    for (size_t i = 0; i < count; i++) {
        struct finding *finding = findings_at(findings, i);
        if (!finding->span.file || !is_yaml_source(source_at(sources, finding->span.file)))
            continue;
        for (unsigned h = 0; h < finding->help_count; h++)
            if (g_utf8_validate(finding->helps[h], -1, NULL)) /* a name in it may be cut */
                finding->helps[h] = in_yaml(arena, finding->helps[h]);
    }
}
