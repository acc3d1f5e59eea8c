/* SPDX-License-Identifier: MIT
 *
 * What is told about text that is no numac notation: for each thing people write by habit, what it is called and
 * what to write instead.  Which text comes here is said by the scanner and the parser in grammar/.
 */
#include "syntax/reading.h"

#include <string.h>

static bool ends_argument(char byte)
{
    return !byte || strchr(" \t\r\n;{}", byte);
}

/* What stands behind a place up to the next blank: the value somebody glued to a sign. */
static struct excerpt glued(const struct reading *reading, uint32_t begin)
{
    uint32_t end = begin;
    while (end < reading->length && end - begin < 40 && !ends_argument(reading->text[end]))
        end++;
    return excerpt(reading, (struct extent){ begin, end });
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

struct word word_with_colon(struct reading *reading, struct extent where)
{
    uint32_t end = where.end - 1;
    while (end > where.begin && reading->text[end - 1] == ':')
        end--;
    struct excerpt text = excerpt(reading, where), word = excerpt(reading, (struct extent){ where.begin, end });
    struct finding *finding =
        blame(reading, NM_colon, where, "'%.*s' ends with a colon, as in YAML", text.length, text.text);
    if (word.length)
        blame_help(reading, finding, "write '%.*s' and a blank, without the colon", word.length, word.text);
    blame_note(reading, finding, "a file whose name ends in .yaml or .yml is read as YAML");
    return word_between(reading, where.begin, end > where.begin ? end : where.end);
}

struct word word_with_equals(struct reading *reading, struct extent where)
{
    uint32_t end = where.end;
    while (reading->text[end - 1] == '=')
        end--;
    struct excerpt word = excerpt(reading, (struct extent){ where.begin, end });
    struct excerpt value = glued(reading, where.end);
    struct finding *finding =
        blame(reading, NM_equals_sign, (struct extent){ end, where.end },
              "an equals sign after '%.*s': a word and its values are parted by blanks", word.length, word.text);
    if (value.length)
        blame_help(reading, finding, "write '%.*s %.*s'", word.length, word.text, value.length, value.text);
    else
        blame_help(reading, finding, "take the '=' out");
    return word_between(reading, where.begin, end);
}

struct word word_without_blank(struct reading *reading, struct extent *where)
{
    where->end--;
    struct excerpt word = excerpt(reading, *where);
    char next = reading->text[where->end];
    struct finding *finding = blame(reading, NM_missing_blank, (struct extent){ where->begin, where->end + 1 },
                                    "no blank between '%.*s' and '%c'", word.length, word.text, next);
    blame_help(reading, finding, "write '%.*s %c'", word.length, word.text, next);
    if (next == '#')
        blame_note(reading, finding, "a comment begins where a word could begin");
    return word_between(reading, where->begin, where->end);
}

/* ---- strings ---------------------------------------------------------------------------------------------------- */

static bool continues(char next)
{
    return g_ascii_isalnum(next) || (next && strchr("_.:,^/%$-\"", next));
}

void after_string(struct reading *reading, struct word *string, struct extent where, char next)
{
    if (G_UNLIKELY(where.end - where.begin > WORD_LIMIT))
        limit_word(reading, string, where);
    if (G_LIKELY(!continues(next)))
        return;
    struct excerpt text = excerpt(reading, where);
    struct finding *finding = blame(reading, NM_missing_blank, (struct extent){ where.begin, where.end + 1 },
                                    "no blank between '%.*s' and '%c'", text.length, text.text, next);
    blame_help(reading, finding, "put a blank between them, or all of it inside one pair of quotes");
}

struct word string_with_escapes(struct reading *reading, struct extent where)
{
    g_autoptr(GString) text = g_string_sized_new(where.end - where.begin);
    const char *from = reading->text;
    for (uint32_t at = where.begin + 1; at < where.end - 1; at++) {
        if (from[at] == '\\' && (from[at + 1] == '"' || from[at + 1] == '\\')) {
            at++;
        } else if (from[at] == '\\') {
            struct extent escape = { at, character_end(reading, at + 1) };
            struct excerpt shown = excerpt(reading, escape);
            struct finding *finding =
                blame(reading, NM_unknown_escape, escape, "'%.*s' is no escape", shown.length, shown.text);
            blame_help(reading, finding, "write '\\\\' for a backslash; '\\\"' is the only other escape");
        }
        g_string_append_c(text, from[at]);
    }
    return word_cooked(reading->syntax, reading->file, where.begin + 1, where.end - where.begin - 2, text->str,
                       text->len);
}

/* The end of the line ends it; braces there are given back, so that a forgotten quote does not upset the blocks. */
struct word string_without_end(struct reading *reading, struct extent *where)
{
    uint32_t end = where->end;
    while (end > where->begin + 1 && strchr(" \t\r{};", reading->text[end - 1]))
        end--;
    where->end = end;
    struct finding *finding = blame(reading, NM_unterminated_string, *where, "a string without its closing quote");
    blame_help(reading, finding, "put '\"' where the string ends; it ends on the line it begins");
    return word_between(reading, where->begin + 1, end);
}

struct word string_in_single_quotes(struct reading *reading, struct extent where)
{
    blame_single_quote(reading, where);
    struct word word = word_between(reading, where.begin + 1, where.end - 1);
    word.quoted = 1;
    return word;
}

/* ---- signs ------------------------------------------------------------------------------------------------------ */

void blame_single_quote(struct reading *reading, struct extent where)
{
    struct finding *finding = blame(reading, NM_single_quote, where, "a single quote: strings stand in double quotes");
    struct excerpt inner =
        excerpt(reading, (struct extent){ where.begin + 1, where.end - (where.end > where.begin + 1) });
    if (inner.length)
        blame_help(reading, finding, "write \"%.*s\"", inner.length, inner.text);
    else
        blame_help(reading, finding, "write '\"'");
}

void blame_equals(struct reading *reading, struct extent where)
{
    struct finding *finding =
        blame(reading, NM_equals_sign, where, "an equals sign: a word and its values are parted by blanks");
    blame_help(reading, finding, "take the '=' out");
}

void blame_brackets(struct reading *reading, struct extent where)
{
    struct finding *finding = blame(reading, NM_brackets, where, "a square bracket: a list is written as words");
    blame_help(reading, finding,
               "write the values one after the other, parted by blanks; a set of numbers with commas, '0-3,8'");
}

void blame_exclamation(struct reading *reading, struct extent where)
{
    struct finding *finding =
        blame(reading, NM_exclamation_mark, where, "an exclamation mark takes nothing out of a set");
    blame_help(reading, finding, "write '^', as in '0-7,^2'");
}

void blame_arrow(struct reading *reading, struct extent where)
{
    struct excerpt text = excerpt(reading, where);
    struct finding *finding =
        blame(reading, NM_arrow, where, "'%.*s' has no meaning here: there are no arrows", text.length, text.text);
    blame_help(reading, finding,
               "write a table: 'distances { }' with one row for each cell, values in the order of cells");
}

static const char *name_of_character(gunichar character)
{
    switch (character) {
    case 0x00a0:
    case 0x2007:
    case 0x202f:
        return "a no-break space";
    case 0x2018:
    case 0x2019:
    case 0x201c:
    case 0x201d:
    case 0x201e:
        return "a typographic quote";
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return "a dash that is no '-'";
    case 0x200b:
    case 0xfeff:
        return "an invisible character";
    default:
        return NULL;
    }
}

void blame_not_ascii(struct reading *reading, struct extent where)
{
    gunichar character = g_utf8_get_char(reading->text + where.begin);
    const char *name = name_of_character(character);
    struct excerpt text = excerpt(reading, where);
    struct finding *finding;
    if (name) {
        finding = blame(reading, NM_not_ascii, where, "%s (U+%04X) outside a string", name, character);
        blame_help(reading, finding, "write the plain sign of the keyboard");
    } else {
        finding = blame(reading, NM_not_ascii, where, "'%.*s' outside a string", text.length, text.text);
        blame_help(reading, finding, "put the whole name in double quotes");
    }
}

void blame_character(struct reading *reading, struct extent where)
{
    unsigned char byte = (unsigned char)reading->text[where.begin];
    if (byte == '\\') {
        struct finding *finding = blame(reading, NM_character, where, "a backslash: lines are not continued");
        blame_help(reading, finding, "write it on one line, or as a table with one row a line");
    } else if (byte == '\r') {
        struct finding *finding = blame(reading, NM_character, where, "a carriage return without a line feed");
        blame_help(reading, finding, "save the file with the line ends of Linux or Windows");
    } else if (byte < 0x20 || byte == 0x7f) {
        struct finding *finding = blame(reading, NM_character, where, "a control character (0x%02x)", byte);
        blame_help(reading, finding, "take it out");
    } else {
        struct finding *finding = blame(reading, NM_character, where, "'%c' has no meaning outside a string", byte);
        blame_help(reading, finding, "take it out, or put the whole value in double quotes");
    }
}

void scanner_fatal(struct reading *reading, const char *what)
{
    give_up(reading, NM_too_many_errors, 0, what);
    longjmp(reading->fatal, 1);
}

/* ---- lines and blocks ------------------------------------------------------------------------------------------- */

void blame_syntax(struct reading *reading, bool at_brace, struct extent where)
{
    reading->recovering = true;
    struct excerpt text = excerpt(reading, where);
    if (at_brace) {
        struct finding *finding = blame(reading, NM_no_word, where, "a block without a word before it");
        blame_help(reading, finding, "write what it is, as in 'cell a {'");
    } else {
        struct finding *finding = blame(reading, NM_no_word, where, "'%.*s' stands where a word should begin the line",
                                        text.length, text.text);
        blame_help(reading, finding, "begin with a word of the language, written without quotes");
    }
}

void blame_parser(struct reading *reading, struct extent where, const char *what)
{
    give_up(reading, NM_too_many_errors, where.begin, what);
}

void blame_brace_alone(struct reading *reading, const struct item *item, struct extent block)
{
    bool blamed =
        reading->blamed; /* the brace's own line has ended: this finding goes by the first line of the block */
    reading->blamed = false;
    struct excerpt name = excerpt(reading, word_extent(item->name));
    struct finding *finding = blame(reading, NM_brace_alone, (struct extent){ block.begin, block.begin + 1 },
                                    "'{' stands on a line of its own");
    blame_pointer(reading, finding, "moves up");
    blame_label(reading, finding, word_extent(item->name), "its block belongs to this");
    blame_help(reading, finding, "put '{' on the line of '%.*s'", name.length, name.text);
    reading->blamed = blamed;
}

void blame_brace_too_many(struct reading *reading, struct extent where)
{
    struct finding *finding = blame(reading, NM_brace_too_many, where, "'}' closes nothing");
    if (reading->suspect.end)
        blame_label(reading, finding, reading->suspect_end, "this one closes more than its indentation says");
    blame_help(reading, finding, "take it out, or open the block it should close");
}

void blame_brace_missing(struct reading *reading)
{
    struct extent where = reading->skipping ? reading->skipped : reading->open[reading->depth - 1].where;
    if (reading->suspect.end)
        where = reading->suspect;
    reading->blamed = false;
    struct finding *finding = blame(reading, NM_brace_missing, where, "'{' is never closed");
    blame_pointer(reading, finding, "opened here");
    if (reading->suspect.end)
        blame_label(reading, finding, reading->suspect_end, "this '}' closes it, though it is indented for another");
    blame_help(reading, finding, "put '}' behind the last line of this block");
}

void blame_two_items(struct reading *reading, struct extent where)
{
    struct finding *finding = blame(reading, NM_two_items, where, "a block ends its item, but the line goes on");
    blame_help(reading, finding, "begin a new line, or put ';' between");
}

void blame_depth(struct reading *reading, struct extent where)
{
    struct finding *finding = blame(reading, NM_too_deep, where, "blocks in blocks deeper than %d", DEPTH_LIMIT);
    blame_help(reading, finding, "no word of the language needs so many: look for a '}' that is missing");
}
