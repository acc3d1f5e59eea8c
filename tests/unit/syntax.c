/* SPDX-License-Identifier: MIT
 *
 * Text in, items and findings out, for both notations: every form, every habit that is refused, each told once and at
 * the right place.  What the findings say is left to the cases; here stand codes and places, as line:column.
 */
#include <string.h>

#include "diag/findings.h"
#include "syntax/syntax.h"

struct example {
    const char *name, *file, *text;
    const char *items;    /* as dump_tree() shows them */
    const char *findings; /* "NM0006 1:3-1:4\n" */
};

static char *findings_text(struct sources *sources, struct findings *findings)
{
    GString *out = g_string_new(NULL);
    findings_sort(findings);
    for (guint i = 0; i < findings->list->len; i++) {
        const struct finding *finding = g_ptr_array_index(findings->list, i);
        struct position begin = source_position(sources, finding->span.file, finding->span.begin);
        struct position end = source_position(sources, finding->span.file, finding->span.end);
        g_string_append_printf(out, "NM%04d %u:%u-%u:%u\n", (int)finding->code, begin.line, begin.column, end.line,
                               end.column);
        for (unsigned l = 0; l < finding->label_count; l++) {
            begin = source_position(sources, finding->labels[l].span.file, finding->labels[l].span.begin);
            g_string_append_printf(out, "  and %u:%u\n", begin.line, begin.column);
        }
        g_assert_true(finding->severity == ERROR);
        g_assert_cmpstr(finding->message, !=, "");
        g_assert_false(g_str_has_suffix(finding->message, "."));
    }
    return g_string_free(out, FALSE);
}

static void check(const char *file, const char *text, size_t length, bool comments, const char *items,
                  const char *expected)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t index = sources_add_text(sources, file, text, length);
    struct tree *tree = read_tree(syntax, index, comments);
    g_autoptr(GString) dump = g_string_new(NULL);
    dump_tree(syntax, tree, dump);
    g_autofree char *found = findings_text(sources, findings);
    g_assert_cmpstr(dump->str, ==, items);
    g_assert_cmpstr(found, ==, expected);
    g_assert_true(tree->failed == (*found != 0));
    const struct source *source = source_at(sources, index);
    if (source->trouble == SOURCE_FINE) { /* the scanner works in place and leaves no trace */
        const char *kept = source->has_byte_order_mark ? text + 3 : text;
        g_assert_cmpuint(source->length, ==, strlen(kept));
        g_assert_cmpstr(source->text, ==, kept);
    }
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
}

static void run_example(const void *data)
{
    const struct example *example = data;
    check(example->file, example->text, strlen(example->text), true, example->items, example->findings);
}

/* clang-format off */
static const struct example examples[] = {
    /* ---- numa: forms ------------------------------------------------------------------------------------------------ */
    { "numa/empty", "a.numa", "", "", "" },
    { "numa/blank", "a.numa", "\n \t\n;;\n", "", "" },
    { "numa/comments only", "a.numa", "# one\n  # two", "# one\n# two\n", "" },
    { "numa/no newline at the end", "a.numa", "a b", "[a] [b]\n", "" },
    { "numa/semicolons", "a.numa", "a 1; b 2;; c { d 3; e }", "[a] [1]\n[b] [2]\n[c] {\n  [d] [3]\n  [e]\n", "" },
    { "numa/crlf", "a.numa", "a 1 # c\r\nb {\r\n  c \"x\"\r\n}\r\n", "[a] [1]\n[b] {\n  [c] [\"x\"]\n... # c\n", "" },
    { "numa/byte order mark", "a.numa", "\xef\xbb\xbf" "a 1", "[a] [1]\n", "" },
    { "numa/empty blocks", "a.numa", "a { }\nb {\n\n}\nc {}\n", "[a] {\n[b] {\n[c] {\n", "" },
    { "numa/words", "a.numa", "a 0-3,^2 1.5GiB 0000:41:00.0 core:0-3.pu:0 $ram hosts/$m.xml 20% 2GiB/s -x _y",
      "[a] [0-3,^2] [1.5GiB] [0000:41:00.0] [core:0-3.pu:0] [$ram] [hosts/$m.xml] [20%] [2GiB/s] [-x] [_y]\n", "" },
    { "numa/strings", "a.numa", "a \"x y\" \"\" \"{;}#=\" \"q\\\"b\\\\\" \"\xc3\xa9\"",
      "[a] [\"x y\"] [\"\"] [\"{;}#=\"] [\"q\"b\\\"] [\"\xc3\xa9\"]\n", "" },
    { "numa/brace without blank", "a.numa", "a b{c 1}", "[a] [b] {\n  [c] [1]\n", "" },
    { "numa/string before brace", "a.numa", "a \"b\"{ c }", "[a] [\"b\"] {\n  [c]\n", "" },
    { "numa/table", "a.numa", "d { 0  10 21\n    1  21 10 } # t", "[d] {\n  [0] [10] [21]\n  [1] [21] [10]\n... # t\n", "" },
    { "numa/16 levels", "a.numa", "a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{b}}}}}}}}}}}}}}}}",
      "[a] {\n  [a] {\n    [a] {\n      [a] {\n        [a] {\n          [a] {\n            [a] {\n              [a] {\n"
      "                [a] {\n                  [a] {\n                    [a] {\n                      [a] {\n"
      "                        [a] {\n                          [a] {\n                            [a] {\n"
      "                              [a] {\n                                [b]\n", "" },

    /* ---- numa: what is refused -------------------------------------------------------------------------------------- */
    { "numa/word#", "a.numa", "a b# c\nd", "[a] [b]\n[d]\n... # c\n", "NM0005 1:3-1:5\n" },
    { "numa/word\"", "a.numa", "a b\"c d\"", "[a] [b] [\"c d\"]\n", "NM0005 1:3-1:5\n" },
    { "numa/\"word", "a.numa", "a \"b\"c", "[a] [\"b\"] [c]\n", "NM0005 1:3-1:7\n" },
    { "numa/two strings", "a.numa", "a \"b\"\"c\"", "[a] [\"b\"] [\"c\"]\n", "NM0005 1:3-1:7\n" },
    { "numa/equals", "a.numa", "a=1\nb = 2\nc== 3\n", "[a] [1]\n[b] [2]\n[c] [3]\n",
      "NM0006 1:2-1:3\nNM0006 2:3-2:4\nNM0006 3:2-3:4\n" },
    { "numa/colon", "a.numa", "a: 1\nb:\nc:: d{ e: 2 }", "[a] [1]\n[b]\n[c] [d] {\n  [e] [2]\n",
      "NM0007 1:1-1:3\nNM0007 2:1-2:3\nNM0007 3:1-3:4\n" },
    { "numa/brackets", "a.numa", "a [1 2]\nb 3", "[a] [1] [2]\n[b] [3]\n", "NM0008 1:3-1:4\n" },
    { "numa/exclamation", "a.numa", "a 0-7,!2", "[a] [0-7,] [2]\n", "NM0009 1:7-1:8\n" },
    { "numa/single quotes", "a.numa", "a 'x y' z\nb don't", "[a] [\"x y\"] [z]\n[b] [don] [t]\n",
      "NM0010 1:3-1:8\nNM0010 2:6-2:7\n" },
    { "numa/arrow", "a.numa", "a -> b\nc > d", "[a] [b]\n[c] [d]\n", "NM0011 1:3-1:5\nNM0011 2:3-2:4\n" },
    { "numa/other signs", "a.numa", "a (b)\nb \\\nc *\nd \x01\ne\rf\n", "[a] [b]\n[b]\n[c]\n[d]\n[e] [f]\n",
      "NM0012 1:3-1:4\nNM0012 2:3-2:4\nNM0012 3:3-3:4\nNM0012 4:3-4:4\nNM0012 5:2-5:3\n" },
    { "numa/not ascii", "a.numa", "# \xc3\xa9\na \"\xc3\xa9\" \xc3\xa9t\xc3\xa9 x\nb \xe2\x80\x9cq\xe2\x80\x9d", "[a] [\"\xc3\xa9\"] [t] [x]\n[b] [q]\n# \xc3\xa9\n",
      "NM0013 2:7-2:8\nNM0013 3:3-3:4\n" },
    { "numa/signs that look plain", "a.numa", "a\xc2\xa0" "b\nc 0\xe2\x80\x93" "3\nd \xe2\x80\x8b", "[a] [b]\n[c] [0] [3]\n[d]\n",
      "NM0013 1:2-1:3\nNM0013 2:4-2:5\nNM0013 3:3-3:4\n" },
    { "numa/unterminated", "a.numa", "a \"b c\nd \"e {\n f 1\n}\ng \"h\\\ni \"", "[a] [b c]\n[d] [e] {\n  [f] [1]\n[g] [h\\]\n[i] []\n",
      "NM0014 1:3-1:7\nNM0014 2:3-2:5\nNM0014 5:3-5:6\nNM0014 6:3-6:4\n" },
    { "numa/unterminated in a block", "a.numa", "a { b { c \"d } }\ne\n", "[a] {\n  [b] {\n    [c] [d]\n[e]\n", "NM0014 1:11-1:13\n" },
    { "numa/escape", "a.numa", "a \"\xc3\xa9\\n\" \"\\t\"\nb \"\\\xc3\xa9\"", "[a] [\"\xc3\xa9\\n\"] [\"\\t\"]\n[b] [\"\\\xc3\xa9\"]\n",
      "NM0015 1:5-1:7\nNM0015 2:4-2:6\n" },
    { "numa/brace alone", "a.numa", "a b\n\n# c\n{\n  d 1\n}\ne", "[a] [b] {\n  [d] [1]\n[e]\n# c\n", "NM0016 4:1-4:2\n  and 1:1\n" },
    { "numa/brace too many", "a.numa", "a { b }\n}\nc }\nd", "[a] {\n  [b]\n[c]\n[d]\n", "NM0017 2:1-2:2\nNM0017 3:3-3:4\n" },
    { "numa/brace too many below", "a.numa", "a {\n  b {\n  c 1\n}\n}\n}\n", "[a] {\n  [b] {\n    [c] [1]\n",
      "NM0017 6:1-6:2\n  and 4:1\n" },
    { "numa/brace missing", "a.numa", "a {\n  b 1\nc {\n d\n}\n", "[a] {\n  [b] [1]\n  [c] {\n    [d]\n", "NM0018 1:3-1:4\n" },
    { "numa/brace missing inside", "a.numa", "a {\n  b {\n    c 1\n  d 2\n}\ne {\n}\n",
      "[a] {\n  [b] {\n    [c] [1]\n    [d] [2]\n  [e] {\n", "NM0018 2:5-2:6\n  and 5:1\n" },
    { "numa/too deep", "a.numa", "a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{b{{c}d}}}}}}}}}}}}}}}}}\nz",
      "[a] {\n  [a] {\n    [a] {\n      [a] {\n        [a] {\n          [a] {\n            [a] {\n              [a] {\n"
      "                [a] {\n                  [a] {\n                    [a] {\n                      [a] {\n"
      "                        [a] {\n                          [a] {\n                            [a] {\n"
      "                              [a] {\n                                [b]\n[z]\n", "NM0019 1:34-1:35\n" },
    { "numa/two items", "a.numa", "a { } b { c } d 1\ne {} {}\nf", "[a] {\n[b] {\n  [c]\n[d] [1]\n[e] {\n[f]\n",
      "NM0022 1:7-1:8\nNM0022 2:6-2:7\n" },
    { "numa/no word", "a.numa", "\"a\" b { c 1 }\nd { \"e\" }\nf { { g } }\nh", "[d] {\n[f] {\n[h]\n",
      "NM0023 1:1-1:4\nNM0023 2:5-2:8\nNM0023 3:5-3:6\n" },
    { "numa/no word in a block of lines", "a.numa", "a {\n  \"b\" {\n  c\n  }\n  d 1\n}\ne", "[a] {\n  [d] [1]\n[e]\n", "NM0023 2:3-2:6\n" },
    { "numa/a line is told of once", "a.numa", "a = [1, 2] => 'b'\nc ok\nd! = (\n", "[a] [1,] [2] [\"b\"]\n[c] [ok]\n[d]\n",
      "NM0006 1:3-1:4\nNM0009 3:2-3:3\n" },

    /* ---- yaml: forms ------------------------------------------------------------------------------------------------ */
    { "yaml/empty", "a.yaml", "", "", "" },
    { "yaml/comments only", "a.yml", "# one\n---\n# two\n", "# one\n# two\n", "" },
    { "yaml/block", "a.yaml", "a:\n  b: 0-1 x\n  c:\nd: 1\n", "[a] :\n  [b] [0-1] [x]\n  [c]\n[d] [1]\n", "" },
    { "yaml/flow", "a.yaml", "a: {b: [1, \"x y\", 'z'], c: , d: {}}\n", "[a] :\n  [b] [1] [\"x y\"] [\"z\"]\n  [c]\n  [d] :\n", "" },
    { "yaml/lists", "a.yaml", "a:\n- 1\n- x y\nb:\n  - \"2\"\nc: []\nd: [1,\n  2,]\n",
      "[a] [1] [x] [y]\n[b] [\"2\"]\n[c]\n[d] [1] [2]\n", "" },
    { "yaml/json", "a.json", "{\"a\": {\"b\": \"x\\ny\", \"c\": 1}, \"d\":[\"\\u00e9\",\"e\"]}",
      "[\"a\"] :\n  [\"b\"] [\"x\\x0ay\"]\n  [\"c\"] [1]\n[\"d\"] [\"\xc3\xa9\"] [\"e\"]\n", "" },
    { "yaml/quotes", "a.yaml", "a: 'it''s'\nb: \"x\n  y\"\nc: \"\"\nd: \"$x\"\n", "[a] [\"it's\"]\n[b] [\"x y\"]\n[c] [\"\"]\n[d] [\"$x\"]\n", "" },
    { "yaml/plain over lines", "a.yaml", "a: b\n  c\n   d # e\n", "[a] [b] [c] [d]\n... # e\n", "" },
    { "yaml/comments", "a.yaml", "# top\na: \"# no\" # yes\n  # in\nb: x#y # z\n#end", "[a] [\"# no\"]\n[b] [x#y]\n# top\n... # yes\n# in\n... # z\n#end\n", "" },
    { "yaml/crlf", "a.yaml", "a: 1 # c\r\nb:\r\n  c: 2\r\n", "[a] [1]\n[b] :\n  [c] [2]\n... # c\n", "" },
    { "yaml/document marks", "a.yaml", "---\na: 1\n...\n", "[a] [1]\n", "" },

    /* ---- yaml: what is refused -------------------------------------------------------------------------------------- */
    { "yaml/16 levels", "a.yaml", "a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {b: 1}}}}}}}}}}}}}}}}}\nc: 1",
      "[a] :\n  [a] :\n    [a] :\n      [a] :\n        [a] :\n          [a] :\n            [a] :\n              [a] :\n"
      "                [a] :\n                  [a] :\n                    [a] :\n                      [a] :\n"
      "                        [a] :\n                          [a] :\n                            [a] :\n"
      "                              [a] :\n", "NM0019 1:64-1:65\n" },
    { "yaml/tab", "a.yaml", "a: 1\n\tb: 2\n", "[a]\n", "NM0031 2:1-2:2\n" },
    { "yaml/tab below a key", "a.yaml", "\xc3\xa9:\n\tb: 2\n", "[\xc3\xa9]\n", "NM0031 2:1-2:2\n" },
    { "yaml/duplicates", "a.yaml", "a: 1\n\"b\": {c: 1, d: 2, 'c': 3}\nb: 4\n", "[a] [1]\n[\"b\"] :\n  [c] [1]\n  [d] [2]\n",
      "NM0032 2:19-2:22\n  and 2:7\nNM0032 3:1-3:2\n  and 2:1\n" },
    { "yaml/duplicates of many", "a.yaml", "{a: , b: , c: , d: , e: , f: , g: , h: , i: , j: , k: , l: , m: , a: 1, \"\\u0062\": 2}",
      "[a]\n[b]\n[c]\n[d]\n[e]\n[f]\n[g]\n[h]\n[i]\n[j]\n[k]\n[l]\n[m]\n", "NM0032 1:67-1:68\n  and 1:2\nNM0032 1:73-1:81\n  and 1:7\n" },
    { "yaml/anchors", "a.yaml", "\xc3\xa9: \xc3\xa9\na: &x 1\nb: *x\nc: [*x, 2]\n", "[\xc3\xa9] [\xc3\xa9]\n[a] [1]\n[b]\n[c] [2]\n",
      "NM0033 2:4-2:6\nNM0033 3:4-3:6\nNM0033 4:5-4:7\n" },
    { "yaml/star", "a.yaml", "a: *\n", "[a]\n", "NM0033 1:4-1:5\n" },
    { "yaml/tags", "a.yaml", "a: !2\nb: !!str x\nc: !<x> y\n", "[a]\n[b] [x]\n[c] [y]\n", "NM0034 1:4-1:6\nNM0034 2:4-2:9\nNM0034 3:4-3:8\n" },
    { "yaml/merge", "a.yaml", "a:\n  <<: *x\n  b: 1\n", "[a] :\n  [b] [1]\n", "NM0035 2:3-2:5\n" },
    { "yaml/second document", "a.yaml", "a: 1\n---\nb: 2\n", "[a] [1]\n", "NM0036 2:1-2:4\n" },
    { "yaml/after the end", "a.yaml", "a: 1\n...\nb: 2\n", "[a] [1]\n", "NM0036 3:1-3:1\n" },
    { "yaml/directive", "a.yaml", "%YAML 1.1\n---\na: 1\n", "[a] [1]\n", "NM0037 1:1-1:10\n" },
    { "yaml/flow comma", "a.yaml", "\"\xc3\xa9\": {cpus: 0-3,8,12, mem: 2}\n", "[\"\xc3\xa9\"] :\n  [cpus] [0-3]\n  [mem] [2]\n", "NM0038 1:13-1:21\n" },
    { "yaml/flow comma and blank", "a.yaml", "a: {b: 1, 8}\nc: {d}\n", "[a] :\n  [b] [1]\n[c] :\n", "NM0038 1:11-1:12\nNM0038 2:5-2:6\n" },
    { "yaml/block text", "a.yaml", "a: |\n  x # y\nb: >-\n  z\nc: 1\n", "[a]\n[b]\n[c] [1]\n", "NM0039 1:4-1:5\nNM0039 3:4-3:5\n" },
    { "yaml/list at the top", "a.yaml", "- a\n", "", "NM0040 1:1-1:1\n" },
    { "yaml/word at the top", "a.yaml", "host\n", "", "NM0040 1:1-1:5\n" },
    { "yaml/keys", "a.yaml", "? a\n: 1\nb c: 2\n[d]: 3\n\"\": 4\n", "[a] [1]\n[b c] [2]\n[\"\"] [4]\n",
      "NM0041 1:1-1:2\nNM0041 3:1-3:4\nNM0041 4:1-4:2\nNM0041 5:1-5:3\n" },
    { "yaml/no key", "a.yaml", ": 1\nb: 2\n", "[b] [2]\n", "NM0041 1:1-1:2\n" },
    { "yaml/null", "a.yaml", "a: ~\nb: null\nc:\n  -\nd: 1\n", "[a] [~]\n[b] [null]\n[c]\n[d] [1]\n", "NM0042 1:4-1:5\nNM0042 2:4-2:8\nNM0042 4:3-4:4\n" },
    { "yaml/list of mappings", "a.yaml", "a:\n  - name: b\n    c: [1]\n  - name: d\ne: [1, [2], {f: 3}, g: 4, 5]\n", "[a]\n[e] [1] [5]\n",
      "NM0043 2:5-2:5\nNM0043 5:8-5:9\n" },
    { "yaml/inner quotes", "a.yaml", "a: b \"c d\"\ne: it's\n", "[a] [b] [\"c] [d\"]\n[e] [it's]\n", "NM0044 1:6-1:11\n" },
    { "yaml/two values", "a.yaml", "a: \"x\" \"y\"\nb: 1\n", "[a] [\"x\"]\n[b] [1]\n", "NM0030 1:8-1:11\n" },
    { "yaml/two colons", "a.yaml", "a: b: c\nd: 1\n", "[a] [b]\n", "NM0030 1:5-1:6\n" },
    { "yaml/open quote", "a.yaml", "a: 1\nb: \"c\nd: 2\n", "[a] [1]\n[b]\n", "NM0030 2:4-2:5\n" },
    { "yaml/open bracket", "a.yaml", "a: {b: [1, 2}\n", "[a] :\n  [b] [1] [2]\n", "NM0030 1:8-1:9\n  and 1:13\n" },
    { "yaml/open brace", "a.yaml", "a: {b: 1\n", "[a] :\n  [b] [1]\n", "NM0030 1:4-1:5\n  and 2:1\n" },
    { "yaml/commas", "a.yaml", "a: [1,, 2]\nb: {, c: 1}\nd: [\"1\" \"2\", 3]\ne: {\"f\": \"1\" \"g\": 2}\n",
      "[a] [1] [2]\n[b] :\n  [c] [1]\n[d] [\"1\"] [3]\n[e] :\n  [\"f\"] [\"1\"]\n",
      "NM0030 1:7-1:8\nNM0030 2:5-2:6\nNM0030 3:9-3:12\nNM0030 4:14-4:17\n" },
    { "yaml/keys in a list over lines", "a.yaml", "a: [1, b: 2\n c: 3\n d, - 4, 5]\n", "[a] [1] [5]\n", "NM0043 1:8-1:8\n" },
    { "yaml/wrong bracket", "a.yaml", "a: {b: 1]\nc: 2\n", "[a] :\n  [b] [1]\n", "NM0030 1:4-1:5\n  and 1:9\n" },
    { "yaml/bracket behind a value", "a.yaml", "a: \"q\" ]\nb: 1\n", "[a] [\"q\"]\n[b] [1]\n", "NM0030 1:8-1:9\n" },
    { "yaml/question mark in braces", "a.yaml", "a: {\"b\": \"1\" ? \"c\": 2}\n", "[a] :\n  [\"b\"] [\"1\"]\n  [\"c\"] [2]\n", "NM0041 1:14-1:15\n" },
    { "yaml/null as a key", "a.yaml", "null: 1\n\"null\": 2\n", "[null] [1]\n", "NM0042 1:1-1:5\nNM0032 2:1-2:7\n  and 1:1\n" },
    { "yaml/list not in line", "a.yaml", "a:\n  - b\n  c\nd: 1\n", "[a] [b]\n", "NM0030 3:3-3:4\n" },
    { "yaml/accents before an open quote", "a.yaml", "\xc3\xa9\xc3\xa9: \xc3\xa9\na: \"\xc3\xa9\n\xc3\xa9", "[\xc3\xa9\xc3\xa9] [\xc3\xa9]\n[a]\n", "NM0030 2:4-2:5\n" },
    { "yaml/escape", "a.yaml", "a: \"\xc3\xa9\\q\"\n", "[a]\n", "NM0030 1:6-1:7\n" },
    { "yaml/set torn before a key", "a.yaml", "a: {b: 0-3,8,c: 1, d: 2}\n", "[a] :\n  [b] [0-3]\n  [c] [1]\n  [d] [2]\n", "NM0038 1:8-1:13\n" },
    { "yaml/indentation", "a.yaml", "a:\n    b: 1\n  c: 2\n", "[a] :\n  [b] [1]\n", "NM0030 3:3-3:3\n" },
    { "yaml/dash in braces", "a.yaml", "a: {b: - c}\nd: 1\n", "[a] :\n  [b]\n[d] [1]\n", "NM0030 1:8-1:9\n" },
    { "yaml/sign", "a.yaml", "a: 1\nb: @c\n", "[a] [1]\n[b]\n", "NM0030 2:4-2:5\n" },
    { "yaml/control character", "a.yaml", "\"\xc3\xa9\": 1\nb: \x01\n", "", "NM0030 2:4-2:5\n" },
    { "yaml/escaped NUL", "a.json", "{\"a\": \"\\u0000\"}", "[\"a\"] [\"\\x00\"]\n", "NM0030 1:7-1:15\n" },
};
/* clang-format on */

/* ---- what no table holds ---------------------------------------------------------------------------------------- */

static void sources_in_trouble(void)
{
    check("a.numa", "a\0b", 3, false, "", "NM0002 1:1-1:1\n");
    check("a.yaml", "\xff\xfe\x61\0", 4, false, "", "NM0002 1:1-1:1\n");
    check("a.numa", "a \xe9 b", 5, false, "", "NM0002 1:1-1:1\n");
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    g_assert_true(read_tree(syntax, sources_read(sources, "/", 1000), false)->failed);
    g_assert_true(read_tree(syntax, sources_read(sources, "/no/such/file", 1000), false)->failed);
    struct tree *large = read_tree(syntax, sources_read(sources, "/bin/sh", 1000), false);
    g_assert_true(large->failed && !large->items);
    g_autofree char *found = findings_text(sources, findings);
    g_assert_cmpstr(found, ==, "NM0001 1:1-1:1\nNM0001 1:1-1:1\nNM0003 1:1-1:1\n");
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
}

static void names_of_notations(void)
{
    g_assert_true(is_yaml_name("a.yaml") && is_yaml_name("b/c.YML") && is_yaml_name("x.json"));
    g_assert_false(is_yaml_name("a.numa") || is_yaml_name("yaml") || is_yaml_name(".yaml") || is_yaml_name("<stdin>"));
}

static void texts_of_notations(void)
{
    static const char *const yaml[] = { "guest:",          "guest: {a: {}}", "# a\n\n  # b\r\n---\nguest:\n",
                                        "{\"guest\": {}}", "\"guest\": {}",  "'guest': {}",
                                        "%YAML 1.2",       "\tguest:\n" };
    static const char *const numa[] = { "",         "#",          "# guest:",      " \n\n", "guest a { memory 1GiB }",
                                        "host r1{", "# a\nlet a", "guest\n# x:\n", "}",     "guest a: {" };
    for (size_t i = 0; i < G_N_ELEMENTS(yaml); i++)
        g_assert_true(is_yaml_text(yaml[i], strlen(yaml[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(numa); i++)
        g_assert_false(is_yaml_text(numa[i], strlen(numa[i])));
}

static struct tree *read_text(struct syntax *syntax, const char *name, const GString *text)
{
    return read_tree(syntax, sources_add_text(syntax->sources, name, text->str, text->len), false);
}

/* Reads a text made of many pieces; gives the findings. */
static char *findings_of(const char *name, const char *before, const char *piece, unsigned times, const char *after)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    g_autoptr(GString) text = g_string_new(before);
    for (unsigned i = 0; i < times; i++)
        g_string_append(text, piece);
    g_string_append(text, after);
    read_text(syntax, name, text);
    char *found = findings_text(sources, findings);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return found;
}

static void assert_findings(const char *expected, char *found_to_free)
{
    g_autofree char *found = found_to_free;
    g_assert_cmpstr(found, ==, expected);
}

static unsigned lines_of(const char *text)
{
    unsigned lines = 0;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

static void limits(void)
{
    assert_findings("", findings_of("a.numa", "", "x", WORD_LIMIT, "\n"));
    assert_findings("NM0020 1:1-1:65538\n", findings_of("a.numa", "", "x", WORD_LIMIT + 1, "\n"));
    assert_findings("NM0020 1:3-1:65541\n", findings_of("a.numa", "a \"", "x", WORD_LIMIT, "\"\n"));
    assert_findings("NM0020 1:4-1:65541\n", findings_of("a.yaml", "a: ", "x", WORD_LIMIT + 1, "\n"));
    assert_findings("", findings_of("a.numa", "a", " x", ARGUMENT_LIMIT, "\n"));
    assert_findings("NM0021 1:8195-1:8196\n", findings_of("a.numa", "a", " x", ARGUMENT_LIMIT + 1, "\n"));
    assert_findings("NM0021 1:8196-1:8197\n", findings_of("a.yaml", "a:", " x", ARGUMENT_LIMIT + 1, "\n"));
    assert_findings("", findings_of("a.yaml", "a: [1", ",1", ARGUMENT_LIMIT - 1, "]\n"));
}

static void hostile_text_ends_soon(void)
{
    assert_findings("NM0008 1:1-1:10000001\n", findings_of("a.numa", "", "[", 10000000, ""));
    for (unsigned i = 0; i < 4; i++) {
        static const char *const pieces[] = { "!\n", "=[", "\"a\" {\n", "a {} " };
        g_autofree char *found = findings_of("a.numa", "", pieces[i], 1000000, "");
        g_assert_cmpuint(lines_of(found), <=, 50);
    }
    for (unsigned i = 0; i < 6; i++) {
        static const char *const pieces[] = { "[", "{a: ", "- ", "? ", "a: &b\n", "a: 1\n" };
        g_autofree char *found = findings_of("a.yaml", "", pieces[i], 200000, "");
        g_assert_cmpuint(lines_of(found), >=, 1);
        g_assert_cmpuint(lines_of(found), <=, 100);
    }
    g_autofree char *many = findings_of("a.numa", "", "a = 1\n", 100, "");
    g_assert_cmpuint(lines_of(many), ==, 50);
    g_assert_true(g_str_has_suffix(many, "NM0024 50:3-50:3\n"));
}

static void ends_of_items(void)
{
    static const char *const texts[][2] = { { "a.numa", "a b { c \"d\" }  # x\n" },
                                            { "a.yaml", "a: {c: \"d\"} # x\n" },
                                            { "a.yaml", "a:\n  c: \"d\"   # x\n" } };
    static const uint32_t ends[][2] = { { 13, 11 }, { 11, 10 }, { 11, 11 } };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct sources *sources = sources_new();
        struct findings *findings = findings_new(sources);
        struct syntax *syntax = syntax_new(sources, findings);
        g_autoptr(GString) text = g_string_new(texts[i][1]);
        const struct item *item = read_text(syntax, texts[i][0], text)->items;
        g_assert_cmpuint(item->end, ==, ends[i][0]);
        g_assert_cmpuint(item->children->end, ==, ends[i][1]);
        struct span span = word_span(item->children, item->children->arguments[0]);
        g_assert_cmpuint(span.end - span.begin, ==, 1);
        g_assert_true(text->str[span.begin] == 'd');
        g_assert_true(item->children->arguments[0].quoted && !item->children->arguments[0].cooked);
        syntax_free(syntax);
        findings_free(findings);
        sources_free(sources);
    }
}

static void flags_of_words(void)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    g_autoptr(GString) text = g_string_new("a $b c \"$d\" \"\\\\$\" 'e' x$\nf\n");
    const struct item *item = read_text(syntax, "a.numa", text)->items;
    static const bool dollars[] = { true, false, true, true, false, true };
    for (size_t i = 0; i < G_N_ELEMENTS(dollars); i++)
        g_assert_true(item->arguments[i].dollar == dollars[i]);
    g_assert_true(item->arguments[3].cooked);
    g_assert_true(item->failed && !item->next->failed);
    g_assert_cmpstr(word_string(syntax, item, item->arguments[3]), ==, "\\$");
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
}

/* The bound on items is the bound on memory.  Under a sanitizer each item is a malloc of its own: too dear there. */
static void items_are_bounded(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("too dear with a malloc for each item");
#else
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    g_autoptr(GString) text = g_string_sized_new((ITEM_LIMIT + 2) * 2);
    for (unsigned i = 0; i <= ITEM_LIMIT; i++)
        g_string_append(text, "a\n");
    g_assert_true(read_text(syntax, "a.numa", text)->failed);
    g_assert_cmpuint(findings_count(findings, ERROR), ==, 1);
    g_assert_cmpint((int)findings_nth(findings, 0)->code, ==, NM_too_many_items);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
#endif
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autofree char *path = g_strdup_printf("/syntax/%s", examples[i].name);
        g_test_add_data_func(path, &examples[i], run_example);
    }
    g_test_add_func("/syntax/trouble", sources_in_trouble);
    g_test_add_func("/syntax/notations", names_of_notations);
    g_test_add_func("/syntax/texts-of-notations", texts_of_notations);
    g_test_add_func("/syntax/limits", limits);
    g_test_add_func("/syntax/hostile", hostile_text_ends_soon);
    g_test_add_func("/syntax/ends", ends_of_items);
    g_test_add_func("/syntax/flags", flags_of_words);
    g_test_add_func("/syntax/items", items_are_bounded);
    return g_test_run();
}
