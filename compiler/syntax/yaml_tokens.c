/* SPDX-License-Identifier: MIT
 *
 * Tokens from libyaml with their places in bytes, and the comments that lie between them.  Tokens, not events: they
 * cost less, tell a comma from a blank, and leave us the decision how deep to go, which libyaml 0.2.5 takes time
 * quadratic in.  Its marks count characters.
 */
#include "syntax/yaml.h"

#include <string.h>

static bool is_ascii(const char *text, uint32_t length)
{
    uint32_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t bytes;
        memcpy(&bytes, text + at, 8);
        if (bytes & UINT64_C(0x8080808080808080))
            return false;
    }
    for (; at < length; at++)
        if (text[at] & 0x80)
            return false;
    return true;
}

/* Marks rise from token to token, so the pair only walks on; the mark of a context, in an error, lies behind it. */
static uint32_t byte_of(struct yaml *yaml, size_t character)
{
    const struct reading *reading = yaml->reading;
    if (yaml->ascii)
        return character < reading->length ? (uint32_t)character : reading->length;
    while (yaml->characters > character && yaml->bytes) {
        while ((reading->text[--yaml->bytes] & 0xc0) == 0x80)
            ;
        yaml->characters--;
    }
    while (yaml->characters < character && yaml->bytes < reading->length) {
        yaml->bytes = character_end(reading, yaml->bytes);
        yaml->characters++;
    }
    return yaml->bytes;
}

static struct extent mark_extent(struct yaml *yaml, const yaml_mark_t *mark)
{
    uint32_t at = byte_of(yaml, mark->index);
    return (struct extent){ at, yaml->reading->text[at] == '\n' ? at : character_end(yaml->reading, at) };
}

/* What ends the file is told, unless the line where it happens has its finding: then it is a consequence. */
static void unmute(struct reading *reading, struct extent where)
{
    uint32_t from = reading->blamed_at;
    if (from > where.begin || memchr(reading->text + from, '\n', where.begin - from))
        reading->blamed = false;
}

static void blame_error(struct yaml *yaml)
{
    const yaml_parser_t *parser = &yaml->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        g_error("out of memory for YAML");
    if (parser->error == YAML_READER_ERROR) {
        uint32_t at = parser->problem_offset < yaml->reading->length ? (uint32_t)parser->problem_offset : 0;
        unmute(yaml->reading, (struct extent){ at, at });
        blame_reader(yaml, (struct extent){ at, character_end(yaml->reading, at) });
        return;
    }
    struct extent where = mark_extent(yaml, &parser->problem_mark);
    unmute(yaml->reading, where);
    if (parser->context) {
        struct extent context = mark_extent(yaml, &parser->context_mark);
        blame_libyaml(yaml, where, &context);
    } else {
        blame_libyaml(yaml, where, NULL);
    }
}

void yaml_stop(struct yaml *yaml)
{
    if (yaml->token.type != YAML_NO_TOKEN)
        yaml_token_delete(&yaml->token);
    yaml->ended = true;
    yaml->token.type = YAML_STREAM_END_TOKEN;
}

/* Nothing but blanks, line ends and comments stands between two tokens. */
static void note_comments(struct yaml *yaml, uint32_t begin, uint32_t end)
{
    const char *text = yaml->reading->text;
    while (begin < end) {
        const char *hash = memchr(text + begin, '#', end - begin);
        if (!hash)
            return;
        begin = (uint32_t)(hash - text);
        const char *line_end = memchr(hash, '\n', yaml->reading->length - begin);
        uint32_t comment_end = line_end ? (uint32_t)(line_end - text) : yaml->reading->length;
        note_comment(yaml->reading, (struct extent){ begin, comment_end });
        begin = comment_end;
    }
}

void yaml_next(struct yaml *yaml)
{
    if (G_UNLIKELY(yaml->reading->stopped) && !yaml->ended)
        yaml_stop(yaml);
    if (yaml->ended)
        return;
    uint32_t before = yaml->where.end;
    yaml_token_delete(&yaml->token);
    if (!yaml_parser_scan(&yaml->parser, &yaml->token)) {
        blame_error(yaml);
        yaml->token.type = YAML_NO_TOKEN;
        yaml_stop(yaml);
        return;
    }
    yaml->where.begin = byte_of(yaml, yaml->token.start_mark.index);
    yaml->where.end = byte_of(yaml, yaml->token.end_mark.index);
    if (yaml->reading->comments)
        note_comments(yaml, before, yaml->where.begin);
}

bool yaml_deeper(struct yaml *yaml)
{
    if (yaml->depth < DEPTH_LIMIT) {
        yaml->depth++;
        return true;
    }
    blame_yaml_depth(yaml);
    yaml_stop(yaml);
    return false;
}

void yaml_open(struct yaml *yaml, struct reading *reading)
{
    *yaml = (struct yaml){ .reading = reading, .ascii = is_ascii(reading->text, reading->length) };
    if (!yaml_parser_initialize(&yaml->parser))
        g_error("out of memory for YAML");
    yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)reading->text, reading->length);
    yaml_next(yaml);
}

void yaml_close(struct yaml *yaml)
{
    if (!yaml->ended)
        yaml_token_delete(&yaml->token);
    yaml_parser_delete(&yaml->parser);
}
