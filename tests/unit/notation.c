/* SPDX-License-Identifier: MIT
 *
 * Shaping of YAML, the one layout of both notations, the way there and back, and line differences.
 */
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "diag/findings.h"
#include "model/model.h"
#include "notation/notation.h"

struct run {
    struct sources *sources;
    struct findings *findings;
    struct syntax *syntax;
    struct tree *tree;
};

static struct run run_open(const char *file, const char *text)
{
    struct run run = { .sources = sources_new() };
    run.findings = findings_new(run.sources);
    run.syntax = syntax_new(run.sources, run.findings);
    run.tree = read_tree(run.syntax, sources_add_text(run.sources, file, text, strlen(text)), true);
    if (run.tree->is_yaml && !run.tree->failed)
        shape_tree(run.syntax, run.tree);
    return run;
}

static void run_close(struct run *run)
{
    syntax_free(run->syntax);
    findings_free(run->findings);
    sources_free(run->sources);
}

static char *codes_of(const struct run *run)
{
    GString *out = g_string_new(NULL);
    findings_sort(run->findings);
    for (guint i = 0; i < run->findings->list->len; i++) {
        const struct finding *finding = g_ptr_array_index(run->findings->list, i);
        struct position begin = source_position(run->sources, finding->span.file, finding->span.begin);
        g_string_append_printf(out, "NM%04d %u:%u\n", (int)finding->code, begin.line, begin.column);
        g_assert_cmpuint(finding->help_count, >, 0);
    }
    return g_string_free(out, FALSE);
}

/* The text in a notation; NULL with findings. */
static char *written(const char *file, const char *text, enum notation notation, char **out_codes)
{
    struct run run = run_open(file, text);
    GString *out = g_string_new(NULL);
    bool fine = !run.tree->failed && write_notation(run.syntax, run.tree, notation, out);
    g_assert_true(fine != findings_have_errors(run.findings));
    if (out_codes)
        *out_codes = codes_of(&run);
    run_close(&run);
    return g_string_free(out, !fine);
}

/* ---- shape ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct shape_example {
    const char *name, *yaml, *items, *codes;
} shapes[] = {
    { "labels", "guest: {a: {memory: 1GiB}, b: {}, c: }\n",
      "[guest] [a] {\n  [memory] [1GiB]\n[guest] [b] {\n[guest] [c]\n", "" },
    { "no-labels", "guest: {}\n", "", "" },
    { "labels-of-labels", "guest: {g: {cell: {a: {node: 0}, 1: }}}\n",
      "[guest] [g] {\n  [cell] [a] {\n    [node] [0]\n  [cell] [1]\n", "" },
    { "label-and-values", "let: {ram: 32GiB, set: 1 2, list: [a, \"b c\"], model: }\n",
      "[let] [ram] [32GiB]\n[let] [set] [1] [2]\n[let] [list] [a] [\"b c\"]\n[let] [model]\n", "" },
    { "named", "guest: {g: {node: {fallback: [1, 2-3], policy: preferred, nodes: 0}}}\n",
      "[guest] [g] {\n  [node] [0] [preferred] {\n    [fallback] [1] [2-3]\n", "" },
    { "named-only", "guest: {g: {vcpus: {count: 8}, cpu: {cache: {mode: emulate, level: 3}}}}\n",
      "[guest] [g] {\n  [vcpus] [8]\n  [cpu] :\n    [cache] [emulate] [3]\n", "" },
    { "children-only", "guest: {g: {vcpus: {threads: 2}}}\n", "[guest] [g] {\n  [vcpus] :\n    [threads] [2]\n", "" },
    { "table", "guest: {g: {pin: {0-5: 4-9 each}, distances: {0: [10, 20], 1: 20 10}}}\n",
      "[guest] [g] {\n  [pin] :\n    [0-5] [4-9] [each]\n  [distances] :\n    [0] [10] [20]\n    [1] [20] [10]\n", "" },
    { "labelled-table", "host: {h: {hugepages: {1GiB: {0: 16, 1-7: 24}}}}\n",
      "[host] [h] {\n  [hugepages] [1GiB] {\n    [0] [16]\n    [1-7] [24]\n", "" },
    { "later-labels", "guest: {g: {device: {nic0: \"0000:42:00.1\", gpu0: {bus: x, address: \"0000:41:00.0\"}}}}\n",
      "[guest] [g] {\n  [device] [nic0] [\"0000:42:00.1\"]\n  [device] [gpu0] [\"0000:41:00.0\"] {\n    [bus] [x]\n", "" },
    { "unknown", "frob: {a: {b: 1}}\n", "[frob] :\n  [a] :\n    [b] [1]\n", "" },
    { "label-scalar", "guest: pg-1\n", "[guest] [pg-1]\n", "NM0050 1:1\n" },
    { "label-empty", "profile:\nguest: {g: {cell: 2}}\n", "[guest] [g] {\n", "NM0050 1:1\nNM0050 2:13\n" },
    { "gap", "guest: {g: {node: {policy: preferred}}}\n", "[guest] [g] {\n  [node]\n", "NM0104 1:13\n" },
    { "gap-empty", "guest: {g: {node: {nodes: , fallback: 1}}}\n", "[guest] [g] {\n  [node] {\n    [fallback] [1]\n", "NM0104 1:13\n" },
    { "named-twice", "guest: {g: {node: {nodes: 0 interleave}}}\n", "[guest] [g] {\n  [node] [0]\n", "NM0051 1:29\n" },
    { "named-mapping", "guest: {g: {node: {nodes: {a: 1}, policy: strict}}}\n", "[guest] [g] {\n  [node] [strict]\n", "NM0051 1:20\n" },
};
/* clang-format on */

static void run_shape(const void *data)
{
    const struct shape_example *example = data;
    struct run run = run_open("site.yaml", example->yaml);
    g_autoptr(GString) items = g_string_new(NULL);
    dump_tree(run.syntax, run.tree, items);
    g_autofree char *codes = codes_of(&run);
    g_assert_cmpstr(items->str, ==, example->items);
    g_assert_cmpstr(codes, ==, example->codes);
    g_assert_true(run.tree->failed == (*codes != 0));
    run_close(&run);
}

/* ---- layout ----------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct layout_example {
    const char *name, *text;
    const char *numa, *yaml; /* NULL: not asked */
    const char *codes;       /* of what is refused */
} layouts[] = {
    { "empty", "", "", "", "" },
    { "comment-only", "\n\n# a \t\n\n\n#b\n\n", "# a\n\n#b\n", "# a\n\n#b\n", "" },
    { "lines", "guest  a{memory 1GiB;vcpus 2}guest b", NULL, NULL, "NM0022 1:30\n" },
    { "one-line", "guest  a{ memory  1GiB;vcpus 2 } ;guest b {\n}\n", "guest a { memory 1GiB; vcpus 2 }\nguest b { }\n",
      "guest:\n  a: {memory: 1GiB, vcpus: 2}\n  b: {}\n", "" },
    { "opened", "guest a { memory 1GiB\nvcpus 2 }", "guest a {\n    memory 1GiB\n    vcpus 2\n}\n",
      "guest:\n  a:\n    memory: 1GiB\n    vcpus: 2\n", "" },
    { "too-wide",
      "guest a { memory 1GiB; vcpus 24 { sockets 1; dies 2; cores 6; threads 2 }; pin cores; pages largest; within l3 }\n",
      "guest a {\n    memory 1GiB\n    vcpus 24 { sockets 1; dies 2; cores 6; threads 2 }\n    pin cores\n    pages largest\n"
      "    within l3\n}\n", NULL, "" },
    { "blank-lines", "\n\nguest a\n\n\n\nguest b {\n\n\n memory 1GiB\n\n\n vcpus 1\n\n}\nguest c\n",
      "guest a\n\nguest b {\n    memory 1GiB\n\n    vcpus 1\n}\nguest c\n",
      "guest:\n  a:\n\n  b:\n    memory: 1GiB\n\n    vcpus: 1\n  c:\n", "" },
    { "comments", "# top\n\n# of a\nguest a { # head\n # in\n memory 1GiB # size\n # last\n} # behind\n# end\n",
      "# top\n\n# of a\nguest a {  # head\n    # in\n    memory 1GiB  # size\n    # last\n}  # behind\n# end\n",
      "# top\n\nguest:\n  # of a\n  # behind\n  a:  # head\n    # in\n    memory: 1GiB  # size\n    # last\n# end\n", "" },
    { "comment-behind-short", "guest a { memory 1GiB } # x\n", "guest a { memory 1GiB }  # x\n",
      "guest:\n  a: {memory: 1GiB}  # x\n", "" },
    { "crlf", "guest a {\r\n  memory 1GiB # x\r\n}\r\n", "guest a {\n    memory 1GiB  # x\n}\n",
      "guest:\n  a:\n    memory: 1GiB  # x\n", "" },
    { "byte-order-mark", "\xef\xbb\xbfguest a\n", "guest a\n", "guest:\n  a:\n", "" },
    { "quotes", "host h { topology h.xml; like \"o\" }\nhost i { topology \"live\" }\nhost j { topology $x }\n"
      "guest \"1a\" { cpu \"486\"; memory \"$x\"; machine \"q35\" }\nlet x \"a b\" \"c\"\n",
      "host h { topology \"h.xml\"; like o }\nhost i { topology live }\nhost j { topology $x }\n"
      "guest \"1a\" { cpu \"486\"; memory \"$x\"; machine q35 }\nlet x \"a b\" c\n",
      "host:\n  h: {topology: h.xml, like: o}\n  i: {topology: live}\n  j: {topology: $x}\n"
      "guest:\n  \"1a\": {cpu: \"486\", memory: \"$x\", machine: q35}\nlet:\n  x: [\"a b\", c]\n", "" },
    { "escapes", "guest a { boot { cmdline \"a \\\"b\\\" \\\\ \tc\" } }\n", "guest a { boot { cmdline \"a \\\"b\\\" \\\\ \tc\" } }\n",
      "guest:\n  a: {boot: {cmdline: \"a \\\"b\\\" \\\\ \\tc\"}}\n", "" },
    { "retyped", "guest n {\n ksm no\n ids 08\n cpus 0,2\n}\nlet a 0x10 1.50 1e3 2027-01-31 1_0 10 0-7\nlet b 0:10\nlet c 7.2\nlet d -1\nlet e %1\n",
      NULL, "guest:\n  \"n\":\n    ksm: \"no\"\n    ids: \"08\"\n    cpus: 0,2\nlet:\n"
      "  a: [\"0x10\", \"1.50\", \"1e3\", \"2027-01-31\", \"1_0\", 10, 0-7]\n  b: \"0:10\"\n  c: \"7.2\"\n  d: \"-1\"\n  e: \"%1\"\n", "" },
    { "flow-comma", "guest g { cpus 0-1,8; vcpus 2 }\n", NULL, "guest:\n  g: {cpus: \"0-1,8\", vcpus: 2}\n", "" },
    { "named", "guest g {\n node 0 preferred {\n fallback 1 2-3\n }\n vcpus 8 { threads 2 }\n node2 1 a\n}\n", NULL,
      "guest:\n  g:\n    node:\n      nodes: 0\n      policy: preferred\n      fallback: [1, 2-3]\n"
      "    vcpus: {count: 8, threads: 2}\n    node2: 1 a\n", "" },
    { "tables", "guest g {\n pin { 0-5 4-9 each; 6 1 }\n distances {\n 0 10 20\n 1 20 10\n }\n}\nhost h { memory { 0-1 4GiB } }\n", NULL,
      "guest:\n  g:\n    pin: {0-5: 4-9 each, 6: 1}\n    distances:\n      0: 10 20\n      1: 20 10\n"
      "host:\n  h: {memory: {0-1: 4GiB}}\n", "" },
    { "grouped", "guest a\nhost h\n# b\nguest b\n\ninclude x\ninclude w z # why\n", NULL,
      "guest:\n  a:\n  # b\n  b:\nhost:\n  h:\n# why\n\ninclude: [x, w, z]\n", "" },
    { "later", "group ha { guests a b; apart host }\nguest g {\n device d 0000:41:00.0 { bus p }\n at r2 { node 1 preferred }\n}\n",
      "group ha { guests a b; apart host }\nguest g {\n    device d 0000:41:00.0 { bus p }\n    at r2 { node 1 preferred }\n}\n",
      "group:\n  ha: {guests: [a, b], apart: host}\nguest:\n  g:\n    device:\n      d: {address: \"0000:41:00.0\", bus: p}\n"
      "    at:\n      r2: {node: 1 preferred}\n", "" },
    { "twice", "guest a { memory 1GiB; memory 2GiB }\n", NULL, "", "NM0052 1:24\n" },
    { "label-twice", "guest a { cell x; cell x }\n", NULL, "", "NM0052 1:24\n" },
    { "row-twice", "guest a { distances { 0 10; 0 20 } }\n", NULL, "", "NM0052 1:29\n" },
    { "no-label", "guest { memory 1GiB }\n", NULL, "", "NM0052 1:1\n" },
    { "argument-again", "guest a { vcpus 3 { max 8; count threads 2 } }\n",
      "guest a { vcpus 3 { max 8; count threads 2 } }\n", "", "NM0052 1:28\n" },
    { "argument-in-block", "guest a { vcpus { count 3 } }\n", "guest a { vcpus { count 3 } }\n", "", "NM0052 1:19\n" },
    { "unknown-both", "frob a { b 1 }\n", "frob a { b 1 }\n", "", "NM0052 1:6\n" },
    { "unknown-block", "frob { b 1 }\nfrobs 1 \"2 3\"\n", "frob { b 1 }\nfrobs 1 \"2 3\"\n", "frob: {b: 1}\nfrobs: [1, \"2 3\"]\n", "" },
};

static const struct layout_example yaml_layouts[] = {
    { "block", "guest:\n    a:\n        memory:   1GiB\n        vcpus: {threads: 2,   count: 8}\n",
      "guest a {\n    memory 1GiB\n    vcpus 8 { threads 2 }\n}\n",
      "guest:\n  a:\n    memory: 1GiB\n    vcpus: {count: 8, threads: 2}\n", "" },
    { "json", "{\"guest\": {\"a\": {\"memory\": \"1GiB\", \"use\": [\"x\", \"z\"]}}}\n", "guest a { memory 1GiB; use x z }\n",
      "guest:\n  a: {memory: 1GiB, use: [x, z]}\n", "" },
    { "comments", "# site\n\n# all\nguest:  # here\n  # one\n  a:  # head\n    memory: 1GiB  # size\n    # last\n  # two\n  b:\n# end\n",
      "# site\n\n# all\n# here\n# one\nguest a {  # head\n    memory 1GiB  # size\n    # last\n}\n# two\nguest b\n# end\n",
      "# site\n\n# all\nguest:\n  # here\n  # one\n  a:  # head\n    memory: 1GiB  # size\n    # last\n  # two\n  b:\n# end\n", "" },
    { "comments-of-arguments", "guest:\n  a:\n    use:\n      - x  # 1\n      - z  # 2\n    vcpus:\n      count: 8  # 3\n      # 4\n      threads: 2\n",
      NULL, "guest:\n  a:\n    # 2\n    use: [x, z]  # 1\n    vcpus:  # 3\n      count: 8\n      # 4\n      threads: 2\n", "" },
    { "blank-lines", "\nhost:\n\n\n  h:\n\n\n  i:\n\nguest:\n\n  # c\n  a:\n",
      "host h\n\nhost i\n\n# c\nguest a\n", "host:\n  h:\n\n  i:\n\nguest:\n  # c\n  a:\n", "" },
    { "quoted-key", "guest: {\"1a\": {\"memory\": 1GiB}, \"b\": }\n", "guest \"1a\" { memory 1GiB }\nguest b\n",
      "guest:\n  \"1a\": {memory: 1GiB}\n  b:\n", "" },
    { "several-lines", "guest:\n  a: {boot: {cmdline: \"a\\nb\"}}\n", "", "guest:\n  a: {boot: {cmdline: \"a\\nb\"}}\n", "NM0052 2:24\n" },
    { "no-word", "\"a b\": 1\n", "", "\"a b\": 1\n", "NM0052 1:2\n" },
};
/* clang-format on */

static void check_written(const char *file, const char *text, enum notation notation, const char *expected,
                          const char *codes)
{
    if (!expected)
        return;
    g_autofree char *found_codes = NULL;
    g_autofree char *found = written(file, text, notation, &found_codes);
    bool refused = *codes && !*expected;
    g_assert_cmpstr(found ? found : "", ==, expected);
    g_assert_cmpstr(found_codes, ==, refused ? codes : "");
    if (refused)
        return;
    /* what was written is content with itself */
    const char *same = notation == NOTATION_NUMA ? "again.numa" : "again.yaml";
    g_autofree char *again = written(same, found, notation, NULL);
    g_assert_cmpstr(again, ==, found);
}

static void run_layout(const void *data)
{
    const struct layout_example *example = data;
    bool is_yaml = example >= yaml_layouts && example < yaml_layouts + G_N_ELEMENTS(yaml_layouts);
    const char *file = is_yaml ? "site.yaml" : "site.numa";
    if (!example->numa && !example->yaml) {
        g_autofree char *codes = NULL;
        g_assert_null(written(file, example->text, NOTATION_NUMA, &codes));
        g_assert_cmpstr(codes, ==, example->codes);
        return;
    }
    check_written(file, example->text, NOTATION_NUMA, example->numa, example->codes);
    check_written(file, example->text, NOTATION_YAML, example->yaml, example->codes);
}

/* In a mapping of YAML the names of arguments and the words of the block are keys beside one another. */
static void arguments_are_no_words(void)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; i < count; i++)
        for (const struct column *column = rows[i].arguments; column->name; column++)
            if (rows[i].opens && find_word(rows[i].opens, column->name, strlen(column->name)))
                g_error("'%s' is an argument of '%s' and a word of its block", column->name, rows[i].word);
}

/* ---- there and back --------------------------------------------------------------------------------------------- */

/* clang-format off */
static const char *const sites[] = {
    "# rack 3\n\nhost r740 { topology \"hosts/r740.xml\"; reserve os { cpus 0-1; memory 2GiB } }\n\n"
    "# the database\nguest pg-1 {\n    vcpus 16 { threads 2 }\n    pin cores\n    pages 1GiB\n"
    "    cell a { memory 32GiB; node 0 }  # near the disk\n    cell b { memory 32GiB; node 1 }\n    distances 21\n}\n",
    "host e1 {\n    topology \"hosts/epyc.xml\"\n    reserve os { cpus 0-1,48-49; memory 1GiB }\n    hugepages 1GiB { 0 16; 1-7 24 }\n}\n"
    "profile db { vcpus 24 { threads 2 }; memory 96GiB; cells 4; pages 1GiB; pin cores; within socket }\n"
    "guest db-1 { use db }\nguest db-2 { use db }\nguest web { count 10; vcpus 4; memory 6GiB; within node; pin node }\n"
    "group dbs { guests db-1 db-2; apart socket }\n",
    "guest rt {\n    locked yes { hard-limit 10GiB }\n    ksm no\n    pin { 0-5 4-9 each }\n    emulator { cpus 2-3 }\n"
    "    iothread 1 { cpus 3; scheduler fifo 1 }\n    node 2 { fallback 3 0-1 }\n}\n",
    "let ram 32GiB\nlet model\nversions { libvirt 9.0.0; qemu 7.2 }\nspare host 1\n"
    "host r1 {\n    topology \"hosts/$model.xml\"\n    reserve dpdk { cpus 2-3; hugepages 1GiB { 0 4 } }\n    assert { free-memory min 8GiB }\n}\n"
    "host r2 { like r1 }\nhost r3 { synthetic \"pack:2 [numa] core:8 pu:2\" }\n"
    "guest app {\n    use base-profile rt\n    remove emulator cell:b\n    memory $ram\n    host r1 r2\n    at r2 { node 1 }\n"
    "    suppress NM0412 \"vendor needs it\" { until 2027-01-31 }\n}\n",
};
/* clang-format on */

static void there_and_back(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sites); i++) {
        g_autofree char *formatted = written("a.numa", sites[i], NOTATION_NUMA, NULL);
        g_assert_cmpstr(formatted, ==, sites[i]);
        g_autofree char *yaml = written("a.numa", sites[i], NOTATION_YAML, NULL);
        g_autofree char *same = written("a.yaml", yaml, NOTATION_YAML, NULL);
        g_assert_cmpstr(same, ==, yaml);
        g_autofree char *numa = written("a.yaml", yaml, NOTATION_NUMA, NULL);
        g_assert_cmpstr(numa, ==, sites[i]);
    }
}

/* Any tree in both notations, from random words and comments: what is written reads back to the same items. */
static void append_random_block(GString *out, GRand *random, unsigned depth)
{
    static const char *const words[] = { "guest", "cell", "node", "memory", "vcpus",
                                         "host",  "pin",  "let",  "frob",   "distances" };
    static const char *const values[] = { "a",  "0-3,8", "\"x y\"", "$v",   "\"$v\"",  "core:0",
                                          "no", "\"\"",  "7.10",    "1GiB", "\"\\\"\"" };
    int count = g_rand_int_range(random, 0, depth ? 4 : 6);
    for (int i = 0; i < count; i++) {
        if (g_rand_int_range(random, 0, 5) == 0)
            g_string_append_printf(out, "%s# c%d\n", g_rand_boolean(random) ? "\n" : "", i);
        g_string_append(out, words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
        for (int k = g_rand_int_range(random, 0, 3); k > 0; k--)
            g_string_append_printf(out, " %s", values[g_rand_int_range(random, 0, G_N_ELEMENTS(values))]);
        if (depth < 4 && g_rand_int_range(random, 0, 3) == 0) {
            g_string_append(out, g_rand_boolean(random) ? " {\n" : " { ");
            append_random_block(out, random, depth + 1);
            g_string_append(out, "}");
        }
        static const char *const ends[] = { "\n", "; ", " # t\n", "\n\n" };
        g_string_append(out, ends[g_rand_int_range(random, 0, G_N_ELEMENTS(ends))]);
    }
}

static char *items_without_quotes(const char *file, const char *text)
{
    struct run run = run_open(file, text);
    g_autoptr(GString) items = g_string_new(NULL);
    struct tree bare = *run.tree;
    bare.comment_count = 0;
    dump_tree(run.syntax, &bare, items);
    g_string_replace(items, ":\n", "{\n", 0); /* mapped or not is no difference */
    g_string_replace(items, "[\"", "[", 0);
    g_string_replace(items, "\"]", "]", 0);
    g_string_append_printf(items, "%u comments\n", run.tree->comment_count);
    run_close(&run);
    return g_strdup(items->str);
}

static void random_sites(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20240611);
    unsigned converted = 0;
    for (int i = 0; i < 4000; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        append_random_block(text, random, 0);
        g_autofree char *first = items_without_quotes("a.numa", text->str);
        g_autofree char *formatted = written("a.numa", text->str, NOTATION_NUMA, NULL);
        g_autofree char *second = items_without_quotes("a.numa", formatted);
        g_assert_cmpstr(second, ==, first);
        g_autofree char *again = written("a.numa", formatted, NOTATION_NUMA, NULL);
        g_assert_cmpstr(again, ==, formatted);
        g_autofree char *yaml = written("a.numa", formatted, NOTATION_YAML, NULL);
        if (!yaml)
            continue; /* repeated words and the like */
        converted++;
        g_autofree char *same = written("a.yaml", yaml, NOTATION_YAML, NULL);
        g_assert_cmpstr(same, ==, yaml);
        g_autofree char *numa = written("a.yaml", yaml, NOTATION_NUMA, NULL);
        g_autofree char *yaml_again = written("a.numa", numa, NOTATION_YAML, NULL);
        g_autofree char *there = items_without_quotes("a.yaml", yaml);
        g_autofree char *back = items_without_quotes("a.numa", numa);
        g_assert_cmpstr(there, ==, back);
        g_autofree char *last = items_without_quotes("a.yaml", yaml_again);
        g_assert_cmpstr(last, ==, there);
        if (g_test_failed()) {
            g_test_message("%s\n--- yaml\n%s\n--- numa\n%s", text->str, yaml, numa);
            return;
        }
    }
    g_assert_cmpuint(converted, >, 500);
}

/* ---- line differences ------------------------------------------------------------------------------------------- */

static void check_diff(const char *old, const char *new, const char *expected)
{
    g_autoptr(GString) out = g_string_new(NULL);
    write_line_diff("f", (struct text){ old, strlen(old) }, (struct text){ new, strlen(new) }, out);
    g_assert_cmpstr(out->str, ==, expected);
}

static void diffs(void)
{
    check_diff("a\n", "a\n", "");
    check_diff("", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
    check_diff("a\n", "", "--- f\n+++ f\n@@ -1 +0,0 @@\n-a\n");
    check_diff("a\nb\nc\n", "a\nx\nc\n", "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
    check_diff("a", "a\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    check_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nx\n",
               "--- f\n+++ f\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+x\n");
    check_diff("x\n1\n2\n3\n4\n5\n6\n7\nx\n", "1\n2\n3\n4\n5\n6\n7\n",
               "--- f\n+++ f\n@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-x\n");
}

/* Applies hunks as patch does; fails where the old text is not what they say. */
static char *applied(const char *old, const char *diff)
{
    g_auto(GStrv) lines = g_strsplit(old, "\n", -1);
    g_auto(GStrv) edits = g_strsplit(diff, "\n", -1);
    GString *out = g_string_new(NULL);
    size_t at = 0, count = *old ? g_strv_length(lines) - 1 : 0; /* the last is what stands behind the last newline */
    for (char **edit = edits; *edit; edit++) {
        unsigned begin, length = 1;
        if (sscanf(*edit, "@@ -%u,%u", &begin, &length) >= 1) {
            for (size_t until = begin - (length != 0); at < until; at++)
                g_string_append_printf(out, "%s\n", lines[at]);
        } else if (g_str_has_prefix(*edit, "+++") || g_str_has_prefix(*edit, "---") || !**edit) {
            continue;
        } else if (**edit == '+') {
            g_string_append_printf(out, "%s\n", *edit + 1);
        } else {
            g_assert_cmpuint(at, <, count);
            g_assert_cmpstr(lines[at], ==, *edit + 1);
            if (**edit == ' ')
                g_string_append_printf(out, "%s\n", lines[at]);
            at++;
        }
    }
    for (; at < count; at++)
        g_string_append_printf(out, "%s\n", lines[at]);
    return g_string_free(out, FALSE);
}

static void random_diffs(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int i = 0; i < 3000; i++) {
        g_autoptr(GString) old = g_string_new(NULL), new = g_string_new(NULL), out = g_string_new(NULL);
        int alphabet = g_rand_int_range(random, 1, 6);
        for (int k = g_rand_int_range(random, 0, 30); k > 0; k--)
            g_string_append_printf(old, "l%d\n", g_rand_int_range(random, 0, alphabet));
        for (int k = g_rand_int_range(random, 0, 30); k > 0; k--)
            g_string_append_printf(new, "l%d\n", g_rand_int_range(random, 0, alphabet));
        write_line_diff("f", (struct text){ old->str, old->len }, (struct text){ new->str, new->len }, out);
        g_autofree char *result = applied(old->str, out->str);
        g_assert_cmpstr(result, ==, new->str);
    }
}

static void diff_is_bounded(void)
{
    g_autoptr(GString) old = g_string_new(NULL), new = g_string_new(NULL), out = g_string_new(NULL);
    for (int i = 0; i < 200000; i++) {
        g_string_append_printf(old, "a%d\n", i);
        g_string_append_printf(new, "b%d\n", i);
    }
    write_line_diff("f", (struct text){ old->str, old->len }, (struct text){ new->str, new->len }, out);
    g_assert_true(g_str_has_prefix(out->str, "--- f\n+++ f\n@@ -1,200000 +1,200000 @@\n-a0\n-a1\n"));
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void rewritten(void)
{
    struct run run = run_open("a.numa", "");
    g_autofree char *folder = g_dir_make_tmp("numac-unit-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.numa", NULL);
    g_autofree char *text = NULL;
    g_assert_false(rewrite_file(run.findings, path, (struct text){ "new", 3 })); /* there is none to rewrite */
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    const struct finding *finding = g_ptr_array_index(run.findings->list, 0);
    g_assert_cmpint(finding->code, ==, NM_not_rewritten); /* NM0053 */
    g_assert_true(g_file_set_contents(path, "old", -1, NULL));
    g_assert_true(rewrite_file(run.findings, path, (struct text){ "new", 3 }));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "new");
    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    run_close(&run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autofree char *path = g_strdup_printf("/notation/shape/%s", shapes[i].name);
        g_test_add_data_func(path, &shapes[i], run_shape);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(layouts); i++) {
        g_autofree char *path = g_strdup_printf("/notation/numa/%s", layouts[i].name);
        g_test_add_data_func(path, &layouts[i], run_layout);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(yaml_layouts); i++) {
        g_autofree char *path = g_strdup_printf("/notation/yaml/%s", yaml_layouts[i].name);
        g_test_add_data_func(path, &yaml_layouts[i], run_layout);
    }
    g_test_add_func("/notation/there-and-back", there_and_back);
    g_test_add_func("/notation/arguments-are-no-words", arguments_are_no_words);
    g_test_add_func("/notation/random", random_sites);
    g_test_add_func("/notation/diff", diffs);
    g_test_add_func("/notation/diff/random", random_diffs);
    g_test_add_func("/notation/diff/bounded", diff_is_bounded);
    g_test_add_func("/notation/rewrite", rewritten);
    return g_test_run();
}
