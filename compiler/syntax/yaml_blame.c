/* SPDX-License-Identifier: MIT
 *
 * What is told about YAML that is refused, and about text that libyaml cannot read: what it is called here and what to
 * write instead.
 */
#include "syntax/yaml.h"

#include <string.h>

/* ---- what libyaml cannot read ----------------------------------------------------------------------------------- */

static bool blame_tab(struct reading *reading, struct extent where)
{
    if (reading->text[where.begin] != '\t')
        return false;
    struct finding *finding = blame(reading, NM_yaml_tab, where, "a tab where YAML wants blanks");
    blame_help(reading, finding, "indent with blanks; YAML allows no tab at the start of a line");
    return true;
}

/* A problem of libyaml, told in terms of the file and what to do. */
struct yaml_problem {
    const char *problem; /* its beginning */
    const char *context; /* NULL for any */
    enum code code;
    bool at_context; /* what is to be mended stands where the text begins that libyaml was in */
    const char *message, *help;
};

static const struct yaml_problem problems[] = {
    { .problem = "mapping values are not allowed",
      .code = NM_yaml_syntax,
      .message = "a second colon with a blank in one value",
      .help = "begin a new line for each key, indented as the keys beside it; put text that holds ': ' in quotes" },
    { .problem = "block sequence entries are not allowed",
      .code = NM_yaml_syntax,
      .message = "a list with '-' begins on the line of its key",
      .help = "begin it on the next line, or write '[a, b]'" },
    { .problem = "could not find expected ':'",
      .code = NM_yaml_syntax,
      .at_context = true,
      .message = "a line without a colon behind its key",
      .help = "write 'key: value', with a blank behind the colon" },
    { .problem = "found unexpected",
      .context = "while scanning a quoted scalar",
      .code = NM_yaml_syntax,
      .at_context = true,
      .message = "a quoted text is never closed",
      .help = "put the closing quote where the text ends" },
    { .problem = "found unknown escape",
      .code = NM_yaml_syntax,
      .message = "an unknown escape in a quoted text",
      .help = "write '\\\\' for a backslash, or use single quotes, which know no escapes" },
    { .problem = "",
      .context = "while scanning an anchor",
      .code = NM_yaml_anchor,
      .at_context = true,
      .message = "'&' begins an anchor",
      .help = "put the value in quotes" },
    { .problem = "",
      .context = "while scanning an alias",
      .code = NM_yaml_anchor,
      .at_context = true,
      .message = "'*' begins an alias",
      .help = "put the value in quotes; everything there is, is 'all'" },
    { .problem = "",
      .context = "while scanning a tag",
      .code = NM_yaml_tag,
      .at_context = true,
      .message = "'!' begins a tag",
      .help = "put the value in quotes; what a set leaves out is written '^2'" },
    { .problem = "",
      .context = "while parsing a tag",
      .code = NM_yaml_tag,
      .at_context = true,
      .message = "'!' begins a tag",
      .help = "put the value in quotes; what a set leaves out is written '^2'" },
    { .problem = "",
      .context = "while scanning a directive",
      .code = NM_yaml_directive,
      .at_context = true,
      .message = "'%' begins a directive",
      .help = "put the value in quotes, or take the line out" },
    { .problem = "",
      .context = "while scanning a %",
      .code = NM_yaml_directive,
      .at_context = true,
      .message = "'%' begins a directive",
      .help = "put the value in quotes, or take the line out" },
    { .problem = "",
      .context = "while scanning a block scalar",
      .code = NM_yaml_block_text,
      .at_context = true,
      .message = "a block of text",
      .help = "write the value on one line, in quotes" },
};

static bool fits(const struct yaml_problem *row, const char *problem, const char *context)
{
    return g_str_has_prefix(problem, row->problem) &&
           (!row->context || (context && g_str_has_prefix(context, row->context)));
}

void blame_libyaml(struct yaml *yaml, struct extent where, const struct extent *context)
{
    struct reading *reading = yaml->reading;
    const char *problem = yaml->parser.problem, *said = yaml->parser.context;
    struct finding *finding = NULL;
    if (blame_tab(reading, where))
        return;
    const struct yaml_problem *row = problems;
    while (row < problems + G_N_ELEMENTS(problems) && !fits(row, problem, said))
        row++;
    struct excerpt text = excerpt(reading, where);
    if (row < problems + G_N_ELEMENTS(problems)) {
        finding = blame(reading, row->code, context && row->at_context ? *context : where, "%s", row->message);
        blame_help(reading, finding, "%s", row->help);
    } else if (text.length && strstr(problem, "cannot start")) {
        finding = blame(reading, NM_yaml_syntax, where, "in YAML no value begins with '%.*s'", text.length, text.text);
        blame_help(reading, finding, "put the value in quotes");
    } else {
        finding = blame(reading, NM_yaml_syntax, where, "this is no YAML: %s", problem);
    }
    blame_note(reading, finding, "the rest of the file was not read");
}

void blame_reader(struct yaml *yaml, struct extent where)
{
    struct finding *finding =
        blame(yaml->reading, NM_yaml_syntax, where, "a control character (0x%02x): YAML allows none",
              (unsigned)yaml->parser.problem_value);
    blame_help(yaml->reading, finding, "take it out, or write it as an escape in double quotes");
    blame_note(yaml->reading, finding, "the rest of the file was not read");
}

void blame_yaml_depth(struct yaml *yaml)
{
    yaml->reading->blamed = false;
    struct finding *finding =
        blame(yaml->reading, NM_too_deep, yaml->where, "mappings and lists in each other deeper than %d", DEPTH_LIMIT);
    blame_help(yaml->reading, finding, "no word of the language needs so many: look for a bracket that is missing");
    blame_note(yaml->reading, finding, "the rest of the file was not read");
}

/* ---- what is not part of the language --------------------------------------------------------------------------- */

void blame_property(struct yaml *yaml)
{
    struct reading *reading = yaml->reading;
    struct excerpt text = excerpt(reading, yaml->where);
    struct finding *finding;
    if (yaml->token.type == YAML_TAG_TOKEN) {
        finding = blame(reading, NM_yaml_tag, yaml->where, "'%.*s' is a tag: a value's type is said by its key",
                        text.length, text.text);
        blame_help(reading, finding,
                   "take it out; if it is part of the value, put the value in quotes, and leave numbers "
                   "out of a set with '^'");
    } else if (yaml->token.type == YAML_ALIAS_TOKEN) {
        finding = blame(reading, NM_yaml_anchor, yaml->where, "'%.*s' is an alias", text.length, text.text);
        blame_help(reading, finding,
                   "say what guests share in a 'profile' and 'use' it; a value that repeats is a 'let'");
    } else {
        finding = blame(reading, NM_yaml_anchor, yaml->where, "'%.*s' is an anchor", text.length, text.text);
        blame_help(reading, finding,
                   "say what guests share in a 'profile' and 'use' it; a value that repeats is a 'let'");
    }
}

void blame_directive(struct yaml *yaml)
{
    struct excerpt text = excerpt(yaml->reading, yaml->where);
    struct finding *finding =
        blame(yaml->reading, NM_yaml_directive, yaml->where, "'%.*s' is a directive", text.length, text.text);
    blame_help(yaml->reading, finding, "take the line out");
}

void blame_second_document(struct yaml *yaml)
{
    struct finding *finding =
        blame(yaml->reading, NM_yaml_second_document, yaml->where, "a second document: a file is one document");
    blame_help(yaml->reading, finding, "put it in a file of its own and 'include' it, or join the keys of both");
    blame_note(yaml->reading, finding, "the rest of the file was not read");
}

void blame_top_level(struct yaml *yaml)
{
    bool list = yaml->token.type == YAML_BLOCK_SEQUENCE_START_TOKEN ||
                yaml->token.type == YAML_FLOW_SEQUENCE_START_TOKEN || yaml->token.type == YAML_BLOCK_ENTRY_TOKEN;
    struct finding *finding = blame(yaml->reading, NM_yaml_top_level, yaml->where, "the file is %s, not a mapping",
                                    list ? "a list" : "a single value");
    blame_help(yaml->reading, finding, "write keys and values, as in 'guest: {g: {memory: 1GiB, vcpus: 1}}'");
}

void blame_key(struct yaml *yaml, struct extent where, const char *what)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_key, where, "%s", what);
    blame_help(yaml->reading, finding, "write 'word: value'");
}

void blame_key_blanks(struct yaml *yaml, struct word key)
{
    struct excerpt text = excerpt(yaml->reading, word_extent(key));
    struct finding *finding =
        blame(yaml->reading, NM_yaml_key, word_extent(key), "the key '%.*s' has a blank in it", text.length, text.text);
    const char *blank = memchr(text.text, ' ', (size_t)text.length);
    if (blank && key.length == (uint32_t)text.length)
        blame_help(yaml->reading, finding, "write '%.*s: {%s: ...}', or put the key in quotes",
                   (int)(blank - text.text), text.text, "name");
    else
        blame_help(yaml->reading, finding, "put the key in quotes");
}

void blame_merge_key(struct yaml *yaml, struct extent where)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_merge_key, where, "'<<' merges nothing here");
    blame_help(yaml->reading, finding, "say what guests share in a 'profile' and 'use' it");
}

void blame_null(struct yaml *yaml, struct extent where)
{
    struct excerpt text = excerpt(yaml->reading, where);
    struct finding *finding =
        blame(yaml->reading, NM_yaml_null, where, "'%.*s': there is no null", text.length, text.text);
    blame_help(yaml->reading, finding, "leave the key out; if it is a name, put it in quotes");
}

void blame_nul(struct yaml *yaml, struct extent where)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_syntax, where, "a NUL character in a text");
    blame_help(yaml->reading, finding, "take it out");
}

void blame_block_text(struct yaml *yaml)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_block_text,
                                    (struct extent){ yaml->where.begin, yaml->where.begin + 1 }, "a block of text");
    blame_help(yaml->reading, finding, "write the value on one line, in quotes");
}

void blame_inner_quote(struct yaml *yaml, struct extent where)
{
    struct finding *finding =
        blame(yaml->reading, NM_yaml_inner_quote, where, "quotes inside plain text are part of it in YAML");
    blame_help(yaml->reading, finding, "write a list, as in '[NM0412, \"a reason\"]'");
}

void blame_list_entry(struct yaml *yaml)
{
    bool mapping = yaml->token.type == YAML_BLOCK_MAPPING_START_TOKEN ||
                   yaml->token.type == YAML_FLOW_MAPPING_START_TOKEN || yaml->token.type == YAML_KEY_TOKEN ||
                   yaml->token.type == YAML_VALUE_TOKEN;
    struct finding *finding = blame(yaml->reading, NM_yaml_list, yaml->where,
                                    "a %s in a list, which holds single values only", mapping ? "mapping" : "list");
    if (mapping)
        blame_help(yaml->reading, finding, "make names keys: 'cell: {a: {...}, b: {...}}' instead of '- name: a'");
    else
        blame_help(yaml->reading, finding, "write one list, or a mapping with a key for each row");
}

void blame_empty_entry(struct yaml *yaml, struct extent where)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_null, where, "an empty entry in a list: there is no null");
    blame_help(yaml->reading, finding, "take the entry out");
}

/* ---- commas and brackets ---------------------------------------------------------------------------------------- */

/* The set as it was meant: up to a blank or bracket, but not into the next key. */
static struct extent torn_set(const struct reading *reading, uint32_t begin, uint32_t at)
{
    uint32_t end = at;
    for (; at < reading->length && !strchr(" \t\r\n{}[]\"", reading->text[at]); at++)
        if (reading->text[at] == ',')
            end = at;
    if (at && reading->text[at - 1] != ':' && reading->text[at - 1] != ',')
        end = at;
    return (struct extent){ begin, end };
}

void blame_flow_comma(struct yaml *yaml, const struct item *before, bool glued)
{
    struct reading *reading = yaml->reading;
    struct excerpt text = excerpt(reading, yaml->where);
    if (glued) {
        struct excerpt key = excerpt(reading, word_extent(before->name));
        struct extent all = torn_set(reading, before->arguments[before->argument_count - 1].begin, yaml->where.begin);
        struct excerpt value = excerpt(reading, all);
        struct finding *finding =
            blame(reading, NM_yaml_flow_comma, all, "inside braces a comma ends the value of '%.*s': '%.*s' is lost",
                  key.length, key.text, text.length, text.text);
        blame_help(reading, finding, "put the value in quotes: '%.*s: \"%.*s\"'", key.length, key.text, value.length,
                   value.text);
    } else {
        struct finding *finding = blame(reading, NM_yaml_flow_comma, yaml->where,
                                        "'%.*s' stands without a colon inside braces", text.length, text.text);
        blame_help(reading, finding, "write '%.*s:' for a key without value; put a value that holds a comma in quotes",
                   text.length, text.text);
    }
}

void blame_unexpected(struct yaml *yaml)
{
    struct excerpt text = excerpt(yaml->reading, yaml->where);
    struct finding *finding;
    if (yaml->token.type == YAML_SCALAR_TOKEN)
        finding = blame(yaml->reading, NM_yaml_syntax, yaml->where, "'%.*s' stands behind a value that has ended",
                        text.length, text.text);
    else if (yaml->token.type == YAML_VALUE_TOKEN)
        finding = blame(yaml->reading, NM_yaml_key, yaml->where, "a value without a key");
    else if (yaml->token.type == YAML_BLOCK_ENTRY_TOKEN)
        finding = blame(yaml->reading, NM_yaml_syntax, yaml->where, "'-' begins no list here");
    else if (text.length)
        finding =
            blame(yaml->reading, NM_yaml_syntax, yaml->where, "'%.*s' is not expected here", text.length, text.text);
    else
        finding = blame(yaml->reading, NM_yaml_syntax, yaml->where,
                        "a line indented like none of the lines it could belong to");
    if (text.length)
        blame_help(yaml->reading, finding,
                   "write one value behind a key: text, '[a, b]', or a mapping indented below it");
    else
        blame_help(yaml->reading, finding, "begin it in the column where its neighbours begin");
}

void blame_missing_comma(struct yaml *yaml)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_syntax, yaml->where, "no comma before this");
    blame_help(yaml->reading, finding, "put ',' between the entries of '{ }' and '[ ]'");
}

void blame_comma_too_many(struct yaml *yaml)
{
    struct finding *finding = blame(yaml->reading, NM_yaml_syntax, yaml->where, "a comma with nothing before it");
    blame_help(yaml->reading, finding, "take it out");
}

void blame_not_closed(struct yaml *yaml, struct extent where)
{
    yaml->reading->blamed = false;
    struct finding *finding =
        blame(yaml->reading, NM_yaml_syntax, where, "'%c' is never closed", yaml->reading->text[where.begin]);
    blame_pointer(yaml->reading, finding, "opened here");
    blame_label(yaml->reading, finding, yaml->where, "reading ended here");
    blame_help(yaml->reading, finding, "put the closing bracket where the entries end");
}

void blame_duplicate(struct yaml *yaml, const struct item *first, const struct item *second)
{
    struct excerpt text = excerpt(yaml->reading, word_extent(second->name));
    struct finding *finding = blame(yaml->reading, NM_yaml_duplicate_key, word_extent(second->name),
                                    "the key '%.*s' stands twice in one mapping", text.length, text.text);
    blame_pointer(yaml->reading, finding, "again here");
    blame_label(yaml->reading, finding, word_extent(first->name), "first here");
    blame_help(yaml->reading, finding, "join the two, or take one out");
    blame_note(yaml->reading, finding, "most YAML tools keep the last one without a word");
}
