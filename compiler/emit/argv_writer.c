/* SPDX-License-Identifier: MIT
 *
 * Quotes words for a POSIX shell: plain ones as they are, others in single quotes, where only the quote itself needs
 * care.  A line end inside a word stays inside its quotes.
 */
#include "emit/argv_writer.h"

static bool is_plain(const char *text)
{
    if (!*text || *text == '~' || *text == '#')
        return false;
    for (const char *at = text; *at; at++)
        if (!g_ascii_isalnum(*at) && !strchr("_-+=.,:/@%^", *at))
            return false;
    return true;
}

void append_shell_word(GString *out, const char *text)
{
    if (is_plain(text)) {
        append(out, text);
        return;
    }
    append(out, "'");
    for (const char *quote; (quote = strchr(text, '\'')); text = quote + 1) {
        append_bytes(out, text, (size_t)(quote - text));
        append(out, "'\\''");
    }
    append(out, text);
    append(out, "'");
}

void argv_open(struct argv *argv, GString *out)
{
    *argv = (struct argv){
        .out = out,
        .word = g_string_sized_new(256),
        .option_before = "\n",
        .value_before = "\n",
    };
}

void argv_finish(struct argv *argv)
{
    append(argv->out, "\n");
    g_string_free(argv->word, TRUE);
}

void argv_program(struct argv *argv, const char *text)
{
    append_shell_word(argv->out, text);
}

void argv_option(struct argv *argv, const char *text)
{
    append(argv->out, argv->option_before);
    append_shell_word(argv->out, text);
}

void argv_value(struct argv *argv, const char *text)
{
    append(argv->out, argv->value_before);
    append_shell_word(argv->out, text);
}

void argv_begin(struct argv *argv, const char *text)
{
    g_string_truncate(argv->word, 0);
    append(argv->word, text);
}

void argv_put(struct argv *argv, const char *text)
{
    append(argv->word, text);
}

void argv_text(struct argv *argv, const char *text)
{
    for (const char *comma; (comma = strchr(text, ',')); text = comma + 1) {
        append_bytes(argv->word, text, (size_t)(comma - text));
        append(argv->word, ",,");
    }
    append(argv->word, text);
}

void argv_number(struct argv *argv, uint64_t number)
{
    append_number(argv->word, number);
}

void argv_end(struct argv *argv)
{
    argv_value(argv, argv->word->str);
}

void put_number(struct argv *argv, const char *key, uint64_t number)
{
    argv_put(argv, key);
    argv_number(argv, number);
}

void put_text(struct argv *argv, const char *key, const char *text)
{
    argv_put(argv, key);
    argv_text(argv, text);
}

void put_ids(struct argv *argv, const char *key, const struct ids *ids)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        put_number(argv, key, ids->range[i].first);
        if (ids->range[i].last != ids->range[i].first)
            put_number(argv, "-", ids->range[i].last);
    }
}
