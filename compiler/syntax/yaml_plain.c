/* SPDX-License-Identifier: MIT
 *
 * The tokens of the YAML that nearly all sites are written in: block mappings whose values stand on the line of their
 * key, as plain words, text in double quotes without escapes, or lists and mappings in brackets.  Such a file is read
 * about ten times faster than libyaml reads it.  A file with anything else in it, or anything wrong, is refused as a
 * whole before its first token is used, and libyaml reads it; so what is told about YAML never depends on this file.
 * What it does take gives the tokens that libyaml gives, which the tests compare.
 */
#include "syntax/yaml.h"

/* ---- characters ------------------------------------------------------------------------------------------------- */

enum { FIRST = 1, NEXT = 2 }; /* may begin a plain word; may stand in one, in brackets all but the comma */

static const unsigned char kinds[256] = {
    ['0' ... '9'] = FIRST | NEXT,
    ['A' ... 'Z'] = FIRST | NEXT,
    ['a' ... 'z'] = FIRST | NEXT,
    ['_'] = FIRST | NEXT,
    ['$'] = FIRST | NEXT,
    ['^'] = FIRST | NEXT,
    ['/'] = FIRST | NEXT,
    ['+'] = FIRST | NEXT,
    ['.'] = NEXT,
    ['-'] = NEXT,
    [','] = NEXT,
    ['='] = NEXT,
    ['@'] = NEXT,
    ['('] = NEXT,
    [')'] = NEXT,
    [';'] = NEXT,
    ['*'] = NEXT,
    ['%'] = NEXT,
};

enum { KEY_LIMIT = 1000 }; /* libyaml looks 1024 characters far for a colon */

static bool is(char character, unsigned kind)
{
    return (kinds[(unsigned char)character] & kind) != 0;
}

static bool ends_line(char character) /* the text ends with NUL */
{
    return character == '\n' || !character;
}

static uint32_t past_blanks(const char *text, uint32_t at)
{
    while (text[at] == ' ')
        at++;
    return at;
}

/* ---- words, each to its end; 0: it is none that is known here --------------------------------------------------- */

/* A key, up to its colon. */
static uint32_t key_end(const char *text, uint32_t begin, bool in_brackets)
{
    uint32_t at = begin;
    if (!is(text[at], FIRST))
        return 0;
    while (is(text[at], NEXT) && !(in_brackets && text[at] == ','))
        at++;
    bool ends = text[at] == ':' && (text[at + 1] == ' ' || (!in_brackets && ends_line(text[at + 1])));
    return ends && at - begin <= KEY_LIMIT ? at : 0;
}

static uint32_t plain_end(const char *text, uint32_t begin, bool in_brackets)
{
    uint32_t end = begin, at = begin;
    if (!is(text[at], FIRST))
        return 0;
    for (;; at++) {
        char character = text[at];
        if (in_brackets && (character == ',' || character == ']' || character == '}'))
            return end;
        if (is(character, NEXT)) {
            end = at + 1;
        } else if (character == ':') {
            if (!is(text[at + 1], NEXT) || (in_brackets && text[at + 1] == ','))
                return 0;
        } else if (character != ' ') {
            bool is_comment = character == '#' && text[at - 1] == ' ';
            return !in_brackets && (ends_line(character) || is_comment) ? end : 0;
        }
    }
}

static uint32_t quoted_end(const char *text, uint32_t begin)
{
    uint32_t at = begin + 1;
    while (text[at] >= ' ' && text[at] < 0x7f && text[at] != '"' && text[at] != '\\')
        at++;
    return text[at] == '"' ? at + 1 : 0;
}

/* Nothing but a comment follows on the line. */
static bool is_last(const char *text, uint32_t end)
{
    uint32_t at = past_blanks(text, end);
    return ends_line(text[at]) || (text[at] == '#' && at > end);
}

/* ---- tokens ----------------------------------------------------------------------------------------------------- */

static bool give(struct yaml *yaml, yaml_token_type_t type, uint32_t begin, uint32_t end)
{
    yaml->token.type = type;
    yaml->where = (struct extent){ begin, end };
    return true;
}

static bool give_scalar(struct yaml *yaml, yaml_scalar_style_t style, uint32_t begin, uint32_t end)
{
    uint32_t quote = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE ? 1 : 0;
    yaml->token.data.scalar.value = (yaml_char_t *)yaml->reading->text + begin + quote;
    yaml->token.data.scalar.length = end - begin - 2 * quote;
    yaml->token.data.scalar.style = style;
    yaml->plain.at = end;
    return give(yaml, YAML_SCALAR_TOKEN, begin, end);
}

static bool open_bracket(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    uint32_t at = plain->at++;
    bool is_list = yaml->reading->text[at] == '[';
    if (plain->bracket_count == G_N_ELEMENTS(plain->brackets))
        return false;
    plain->brackets[plain->bracket_count++] = is_list ? ']' : '}';
    plain->step = PLAIN_BRACKET_OPEN;
    return give(yaml, is_list ? YAML_FLOW_SEQUENCE_START_TOKEN : YAML_FLOW_MAPPING_START_TOKEN, at, at + 1);
}

static bool close_bracket(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    uint32_t at = plain->at++;
    if (yaml->reading->text[at] != plain->brackets[--plain->bracket_count])
        return false;
    plain->step = plain->bracket_count ? PLAIN_BRACKET_AFTER : PLAIN_LINE;
    if (!plain->bracket_count && !is_last(yaml->reading->text, plain->at))
        return false;
    bool is_list = yaml->reading->text[at] == ']';
    return give(yaml, is_list ? YAML_FLOW_SEQUENCE_END_TOKEN : YAML_FLOW_MAPPING_END_TOKEN, at, at + 1);
}

static bool give_value(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    const char *text = yaml->reading->text;
    bool in_brackets = plain->bracket_count > 0, is_quoted = text[plain->at] == '"';
    if (text[plain->at] == '[' || text[plain->at] == '{')
        return open_bracket(yaml);
    uint32_t end = is_quoted ? quoted_end(text, plain->at) : plain_end(text, plain->at, in_brackets);
    if (!end || (!in_brackets && is_quoted && !is_last(text, end)))
        return false;
    plain->step = in_brackets ? PLAIN_BRACKET_AFTER : PLAIN_LINE;
    return give_scalar(yaml, is_quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE, plain->at, end);
}

static bool give_key(struct yaml *yaml)
{
    yaml->plain.step = PLAIN_NAME;
    return give(yaml, YAML_KEY_TOKEN, yaml->plain.at, yaml->plain.at);
}

/* The line at hand stands in the innermost mapping, or ends it. */
static bool give_dedent(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    uint32_t inner = plain->columns[plain->depth - 1];
    if (plain->column == inner)
        return give_key(yaml);
    if (plain->column > inner)
        return false;
    plain->depth--;
    plain->step = PLAIN_DEDENT;
    return plain->depth && give(yaml, YAML_BLOCK_END_TOKEN, plain->at, plain->at);
}

static bool give_end(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    if (!plain->depth)
        return give(yaml, YAML_STREAM_END_TOKEN, plain->at, plain->at);
    plain->depth--;
    return give(yaml, YAML_BLOCK_END_TOKEN, plain->at, plain->at);
}

/* Finds the next line that has a key. */
static bool give_line(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    const char *text = yaml->reading->text;
    uint32_t line = plain->at;
    while (true) {
        plain->at = past_blanks(text, line);
        if (text[plain->at] == '#')
            while (!ends_line(text[plain->at]))
                if (text[plain->at] >= 0x7f || text[plain->at++] < ' ')
                    return false;
        if (text[plain->at] != '\n')
            break;
        line = plain->at + 1;
    }
    if (!text[plain->at])
        return plain->at == yaml->reading->length && give_end(yaml);
    plain->column = plain->at - line;
    if (plain->depth && plain->column <= plain->columns[plain->depth - 1])
        return give_dedent(yaml);
    if (plain->depth ? !plain->is_open || plain->depth == G_N_ELEMENTS(plain->columns) : plain->column > 0)
        return false;
    plain->columns[plain->depth++] = plain->column;
    plain->step = PLAIN_KEY;
    return give(yaml, YAML_BLOCK_MAPPING_START_TOKEN, plain->at, plain->at);
}

static bool give_name(struct yaml *yaml)
{
    uint32_t end = key_end(yaml->reading->text, yaml->plain.at, yaml->plain.bracket_count > 0);
    yaml->plain.step = PLAIN_COLON;
    return end && give_scalar(yaml, YAML_PLAIN_SCALAR_STYLE, yaml->plain.at, end);
}

static bool give_colon(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    const char *text = yaml->reading->text;
    uint32_t colon = plain->at;
    plain->at = past_blanks(text, colon + 1);
    plain->is_open = !plain->bracket_count && is_last(text, colon + 1);
    plain->step = plain->is_open ? PLAIN_LINE : PLAIN_VALUE;
    return give(yaml, YAML_VALUE_TOKEN, colon, colon + 1);
}

static bool give_in_brackets(struct yaml *yaml)
{
    struct plain_yaml *plain = &yaml->plain;
    const char *text = yaml->reading->text;
    char close = plain->brackets[plain->bracket_count - 1];
    plain->at = past_blanks(text, plain->at);
    if (plain->step == PLAIN_BRACKET_AFTER && text[plain->at] == ',') {
        plain->step = PLAIN_BRACKET_COMMA;
        plain->at++;
        return give(yaml, YAML_FLOW_ENTRY_TOKEN, plain->at - 1, plain->at);
    }
    if (plain->step == PLAIN_BRACKET_AFTER || (plain->step == PLAIN_BRACKET_OPEN && text[plain->at] == close))
        return close_bracket(yaml);
    return close == '}' ? give_key(yaml) : give_value(yaml);
}

bool plain_next(struct yaml *yaml)
{
    switch (yaml->plain.step) {
    case PLAIN_START:
        yaml->plain.step = PLAIN_LINE;
        return give(yaml, YAML_STREAM_START_TOKEN, 0, 0);
    case PLAIN_LINE:
        return give_line(yaml);
    case PLAIN_DEDENT:
        return give_dedent(yaml);
    case PLAIN_KEY:
        return give_key(yaml);
    case PLAIN_NAME:
        return give_name(yaml);
    case PLAIN_COLON:
        return give_colon(yaml);
    case PLAIN_VALUE:
        return give_value(yaml);
    case PLAIN_BRACKET_OPEN:
    case PLAIN_BRACKET_COMMA:
    case PLAIN_BRACKET_AFTER:
        break;
    }
    return give_in_brackets(yaml);
}

bool is_plain_yaml(struct yaml *yaml)
{
    bool is_plain = true;
    yaml->plain = (struct plain_yaml){ 0 };
    while (is_plain && yaml->token.type != YAML_STREAM_END_TOKEN)
        is_plain = plain_next(yaml);
    yaml->plain = (struct plain_yaml){ 0 };
    yaml->token = (yaml_token_t){ 0 };
    yaml->where = (struct extent){ 0, 0 };
    return is_plain;
}
