/* SPDX-License-Identifier: MIT
 *
 * What findings look like, byte for byte, in each form; and two properties that no golden can hold: marks stay inside
 * their line whatever the text, and many findings in a large file cost little.
 */
#include "finding_bench.h"

static void expect(struct bench *bench, const char *golden)
{
    g_assert_cmpstr(rendered(bench, FINDINGS_HUMAN), ==, golden);
    bench_close(bench);
}

/* ---- the human form --------------------------------------------------------------------------------------------- */

static void shows_labels_notes_and_other_files(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site =
        add(&bench, "layouts/db.numa", "guest db {\n  cell 0 {\n    cpus 4\n    memory 48GiB on 1\n  }\n}\n");
    uint32_t host = add(&bench, "hosts/r740.xml", "<topology>\n <object os_index=\"1\"/>\n</topology>\n");
    struct finding *finding =
        report(bench.findings, NM_usage, find(&bench, site, "48GiB", 0), "cell '%d' needs more than node 1 has", 0);
    finding_pointer(bench.findings, finding, "48 pages needed, 32 free");
    finding_label(bench.findings, finding, find(&bench, host, "os_index=\"1\"", 0), "node 1 is here");
    finding_label(bench.findings, finding, find(&bench, site, "cell 0", 0), "for this cell");
    finding_label(bench.findings, finding, find(&bench, site, "on 1", 0), "bound here");
    finding_note(bench.findings, finding, "libvirt would accept this");
    finding_help(bench.findings, finding, "allow a second node: 'on 0,1'");
    expect(&bench, "error[NM0004]: cell '0' needs more than node 1 has\n"
                   "  --> layouts/db.numa:4:12\n"
                   "   |\n"
                   " 2 |   cell 0 {\n"
                   "   |   ------ for this cell\n"
                   " 3 |     cpus 4\n"
                   " 4 |     memory 48GiB on 1\n"
                   "   |            ^^^^^ ---- bound here\n"
                   "   |            48 pages needed, 32 free\n"
                   "  ::: hosts/r740.xml:2:10\n"
                   "   |\n"
                   " 2 |  <object os_index=\"1\"/>\n"
                   "   |          ------------ node 1 is here\n"
                   "   = note: libvirt would accept this\n"
                   "   = help: allow a second node: 'on 0,1'\n"
                   "\n"
                   "1 error in layouts/db.numa\n");
}

static void aligns_gutters_and_elides_lines(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "one\n2\n3\n4\n5\n6\n7\n8\n9\nten\n");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "ten", 0), "twice");
    finding_label(bench.findings, finding, find(&bench, site, "one", 0), "first here");
    expect(&bench, "error[NM0004]: twice\n"
                   "   --> a.numa:10:1\n"
                   "    |\n"
                   "  1 | one\n"
                   "    | --- first here\n"
                   "  ...\n"
                   " 10 | ten\n"
                   "    | ^^^\n"
                   "\n"
                   "1 error in a.numa\n");
}

static void shows_one_line_between_but_not_two(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "a\n2\nb\n4\n5\nc\n");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "a", 0), "m");
    finding_label(bench.findings, finding, find(&bench, site, "c", 0), "last");
    finding_label(bench.findings, finding, find(&bench, site, "b", 0), "middle");
    expect(&bench, "error[NM0004]: m\n"
                   "  --> a.numa:1:1\n"
                   "   |\n"
                   " 1 | a\n"
                   "   | ^\n"
                   " 2 | 2\n"
                   " 3 | b\n"
                   "   | - middle\n"
                   " ...\n"
                   " 6 | c\n"
                   "   | - last\n"
                   "\n"
                   "1 error in a.numa\n");
}

static void draws_many_marks_on_one_line(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "aa bb cc dd");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "bb", 0), "m");
    finding_pointer(bench.findings, finding, "primary");
    finding_label(bench.findings, finding, find(&bench, site, "dd", 0), "right");
    finding_label(bench.findings, finding, find(&bench, site, "aa", 0), "left");
    finding_label(bench.findings, finding, find(&bench, site, "cc", 0), "third");
    expect(&bench, "error[NM0004]: m\n"
                   "  --> a.numa:1:4\n"
                   "   |\n"
                   " 1 | aa bb cc dd\n"
                   "   | -- ^^ -- -- right\n"
                   "   | |  |  third\n"
                   "   | |  primary\n"
                   "   | left\n"
                   "\n"
                   "1 error in a.numa\n");
}

static void nested_marks_keep_their_texts(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "cpus 0-7,9");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "7", 0), "m");
    finding_pointer(bench.findings, finding, "this cpu");
    finding_label(bench.findings, finding, find(&bench, site, "0-7,9", 0), "the set");
    expect(&bench, "error[NM0004]: m\n"
                   "  --> a.numa:1:8\n"
                   "   |\n"
                   " 1 | cpus 0-7,9\n"
                   "   |      --^-- the set\n"
                   "   |        this cpu\n"
                   "\n"
                   "1 error in a.numa\n");
}

static void measures_tabs_and_wide_characters(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "\tname \"日本e\xcc\x81\" x\t y\r\nnext\r\n");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "x", 0), "m");
    finding_label(bench.findings, finding, find(&bench, site, "日本e\xcc\x81", 0), "wide");
    finding_label(bench.findings, finding, find(&bench, site, "y", 0), "after a tab");
    finding_label(bench.findings, finding, find(&bench, site, "next", 0), "crlf");
    expect(&bench, "error[NM0004]: m\n"
                   "  --> a.numa:1:14\n"
                   "   |\n"
                   " 1 |     name \"日本e\xcc\x81\" x   y\n"
                   "   |           -----  ^   - after a tab\n"
                   "   |           wide\n"
                   " 2 | next\n"
                   "   | ---- crlf\n"
                   "\n"
                   "1 error in a.numa\n");
}

static void spells_out_what_steers_terminals(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a\033]0;b\n.numa",
                        "x \033[31m \xe2\x80\xae\x07 \xc2\x9b"
                        "end");
    struct finding *finding =
        report(bench.findings, NM_usage, find(&bench, site, "end", 0), "bad \033[2J\n\xff '\xe2\x80\xae'");
    finding_pointer(bench.findings, finding, "p\r");
    finding_help(bench.findings, finding, "h\b");
    expect(&bench, "error[NM0004]: bad <U+001B>[2J<U+000A><0xFF> '<U+202E>'\n"
                   "  --> a<U+001B>]0;b<U+000A>.numa:1:13\n"
                   "   |\n"
                   " 1 | x <U+001B>[31m <U+202E><U+0007> <U+009B>end\n"
                   "   |                                         ^^^ p<U+000D>\n"
                   "   = help: h<U+0008>\n"
                   "\n"
                   "1 error in a<U+001B>]0;b<U+000A>.numa\n");
}

static void cuts_long_lines_around_each_mark(void)
{
    struct bench bench;
    bench_open(&bench);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(text, "word%04u ", i);
    uint32_t site = add(&bench, "a.numa", text->str);
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "word0050", 0), "m");
    finding_label(bench.findings, finding, find(&bench, site, "word0001", 0), "far");
    finding_label(bench.findings, finding, find(&bench, site, "word0052", 0), "near");
    expect(&bench,
           "error[NM0004]: m\n"
           "  --> a.numa:1:451\n"
           "   |\n"
           " 1 | word0000 word0001 word0002 word0003 word0004 word0005 word0006 word0007 word0008 word0009 word0010 "
           "word0011 word0012 word0013 word0014 word0015 word0016 word...\n"
           "   |          -------- far\n"
           " 1 | ...045 word0046 word0047 word0048 word0049 word0050 word0051 word0052 word0053 word0054 word0055 "
           "word0056 word0057 word0058 word0059 word0060 word0061 word00...\n"
           "   |                                            ^^^^^^^^          -------- near\n"
           "\n"
           "1 error in a.numa\n");
}

static void points_at_ends_and_nothing(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t empty = add(&bench, "empty.numa", ""), site = add(&bench, "a.numa", "guest a {\n  b\n");
    report(bench.findings, NM_unreadable, (struct span){ empty, 0, 0 }, "empty");
    struct finding *finding = report(bench.findings, NM_not_text, (struct span){ site, 14, 14 }, "at the end");
    finding_pointer(bench.findings, finding, "a '}' is missing");
    report(bench.findings, NM_too_large, (struct span){ site, 6, 13 }, "several lines");
    report(bench.findings, NM_usage, (struct span){ site, 9, 4000000000u }, "at a line end, and too long");
    finding = report(bench.findings, NM_usage, SPAN_NONE, "no place");
    finding_help(bench.findings, finding, "see 'numac --help'");
    expect(&bench, "error[NM0004]: no place\n"
                   "   = help: see 'numac --help'\n"
                   "\n"
                   "error[NM0001]: empty\n"
                   "  --> empty.numa:1:1\n"
                   "   |\n"
                   " 1 |\n"
                   "   | ^\n"
                   "\n"
                   "error[NM0003]: several lines\n"
                   "  --> a.numa:1:7\n"
                   "   |\n"
                   " 1 | guest a {\n"
                   "   |       ^^^\n"
                   "\n"
                   "error[NM0004]: at a line end, and too long\n"
                   "  --> a.numa:1:10\n"
                   "   |\n"
                   " 1 | guest a {\n"
                   "   |          ^\n"
                   "\n"
                   "error[NM0002]: at the end\n"
                   "  --> a.numa:3:1\n"
                   "   |\n"
                   " 3 |\n"
                   "   | ^ a '}' is missing\n"
                   "\n"
                   "5 errors in 2 files\n");
}

static void clamps_what_lies_behind_a_line(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "ab\r\ncd");
    report(bench.findings, NM_unreadable, (struct span){ site, 3, 4 }, "the line feed of a pair");
    report(bench.findings, NM_usage, (struct span){ site, 3000000000u, 4000000000u }, "behind the end");
    expect(&bench, "error[NM0001]: the line feed of a pair\n"
                   "  --> a.numa:1:4\n"
                   "   |\n"
                   " 1 | ab\n"
                   "   |   ^\n"
                   "\n"
                   "error[NM0004]: behind the end\n"
                   "  --> a.numa:2:3\n"
                   "   |\n"
                   " 2 | cd\n"
                   "   |   ^\n"
                   "\n"
                   "2 errors in a.numa\n");
}

/* Combining marks take no column, so a bound on columns alone would print them all. */
static void bounds_what_has_no_width(void)
{
    struct bench bench;
    bench_open(&bench);
    g_autoptr(GString) text = g_string_new("x");
    while (text->len < 1000000)
        g_string_append(text, "\xcc\x81");
    uint32_t site = add(&bench, "a.numa", text->str);
    report(bench.findings, NM_usage, (struct span){ site, 500001, 900001 }, "m");
    g_assert_cmpuint(strlen(rendered(&bench, FINDINGS_HUMAN)), <, 5000);
    bench_close(&bench);
}

static void says_who_included_a_file(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "site.numa", "rules 1\ninclude \"a.numa\"\n");
    uint32_t middle = add(&bench, "a.numa", "include \"b.numa\"\n"), inner = add(&bench, "b.numa", "bad\n");
    source_note_include(bench.sources, middle, find(&bench, site, "\"a.numa\"", 0));
    source_note_include(bench.sources, inner, find(&bench, middle, "\"b.numa\"", 0));
    report(bench.findings, NM_usage, find(&bench, inner, "bad", 0), "m");
    g_assert_cmpstr(rendered(&bench, FINDINGS_GCC), ==,
                    "b.numa:1:1: error: m [NM0004]\n"
                    "a.numa:1:9: note: included from here\n"
                    "site.numa:2:9: note: included from here\n");
    expect(&bench, "error[NM0004]: m\n"
                   "  --> b.numa:1:1\n"
                   "      included from a.numa:1\n"
                   "      included from site.numa:2\n"
                   "   |\n"
                   " 1 | bad\n"
                   "   | ^^^\n"
                   "\n"
                   "1 error in b.numa\n");
}

static void shows_no_line_of_an_unreadable_file(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = sources_read(bench.sources, "/nowhere/at/all.numa", 1000);
    struct finding *finding = report(bench.findings, NM_unreadable, (struct span){ site, 0, 0 }, "no such file");
    finding_pointer(bench.findings, finding, "a text");
    expect(&bench, "error[NM0001]: no such file\n"
                   "  --> /nowhere/at/all.numa\n"
                   "   | a text\n"
                   "\n"
                   "1 error in /nowhere/at/all.numa\n");
}

static void is_silent_without_findings(void)
{
    struct bench bench;
    bench_open(&bench);
    add(&bench, "a.numa", "fine");
    expect(&bench, "");
}

static void colours_when_asked(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "a b");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "b", 0), "m");
    finding_label(bench.findings, finding, find(&bench, site, "a", 0), "l");
    finding_note(bench.findings, finding, "n");
    struct render_options options = { .format = FINDINGS_HUMAN, .colour = true };
    findings_render(bench.findings, &options, bench.out);
    g_assert_cmpstr(bench.out->str, ==,
                    "\033[1;31merror[NM0004]\033[0m\033[1m: m\033[0m\n"
                    "  \033[1;34m-->\033[0m a.numa:1:3\n"
                    "   \033[1;34m|\033[0m\n"
                    "\033[1;34m 1 |\033[0m a b\n"
                    "   \033[1;34m|\033[0m \033[1;34m-\033[0m \033[1;31m^\033[0m\n"
                    "   \033[1;34m|\033[0m \033[1;34ml\033[0m\n"
                    "   \033[1;34m=\033[0m \033[1mnote\033[0m: n\n"
                    "\n"
                    "1 error in a.numa\n");
    bench_close(&bench);
}

/* ---- how many --------------------------------------------------------------------------------------------------- */

static void keeps_the_gravest_of_many(void)
{
    struct bench bench;
    bench_open(&bench);
    g_autofree char *text = g_strnfill(200, 'x');
    uint32_t site = add(&bench, "a.numa", text);
    for (uint32_t i = 0; i < 120; i++) {
        struct finding *finding = report(bench.findings, NM_usage, (struct span){ site, i, i + 1 }, "number %u", i);
        finding->severity = i == 119 ? ERROR : i % 2 ? WARNING : HINT;
    }
    rendered(&bench, FINDINGS_GCC);
    g_assert_nonnull(strstr(bench.out->str, "error: number 119 "));
    g_assert_nonnull(strstr(bench.out->str, "warning: number 1 "));
    g_assert_null(strstr(bench.out->str, "number 0 "));
    g_assert_true(g_str_has_suffix(bench.out->str, "a.numa:1:1: note: and 70 more\n"));
    rendered(&bench, FINDINGS_HUMAN);
    g_assert_true(g_str_has_suffix(bench.out->str, "\n… and 70 more in a.numa\n\n"
                                                   "1 error, 59 warnings, 60 hints in a.numa\n"));
    rendered(&bench, FINDINGS_JSON);
    g_assert_nonnull(
        strstr(bench.out->str, "\"omitted\": [\n    {\n      \"file\": \"a.numa\",\n      \"count\": 70\n"));
    struct render_options options = { .hide_hints = true };
    g_string_truncate(bench.out, 0);
    findings_render(bench.findings, &options, bench.out);
    g_assert_true(g_str_has_suffix(bench.out->str, "… and 10 more in a.numa\n\n1 error, 59 warnings in a.numa\n"));
    bench_close(&bench);
}

/* One question about a fresh source costs one pass over it, so this tells how fast the machine is. */
static gint64 cost_of_a_pass(struct bench *bench, const char *text, uint32_t length)
{
    uint32_t site = sources_add_text(bench->sources, "pass.numa", text, length);
    gint64 started = g_get_monotonic_time();
    source_position(bench->sources, site, length);
    return g_get_monotonic_time() - started;
}

/* A pass for each of the questions would be some five hundred. */
static void many_findings_cost_few_passes(const void *separator)
{
    struct bench bench;
    bench_open(&bench);
    const uint32_t bytes = 10000000, files = 20, each_file = 50;
    g_autofree char *text = g_strnfill(bytes, *(const char *)separator);
    for (uint32_t i = 0; i < bytes; i += 2)
        text[i] = 'x';
    gint64 pass = cost_of_a_pass(&bench, text, bytes);
    for (uint32_t file = 0; file < files; file++) {
        uint32_t length = file ? bytes / 10 : bytes, step = length / each_file;
        uint32_t site = sources_add_text(bench.sources, "large.numa", text, length);
        for (uint32_t i = 0; i < each_file; i++) {
            struct finding *finding =
                report(bench.findings, NM_usage, (struct span){ site, i * step, i * step + 1 }, "m");
            finding_label(bench.findings, finding, (struct span){ site, 8, 9 }, "far away");
        }
    }
    gint64 started = g_get_monotonic_time();
    rendered(&bench, FINDINGS_HUMAN);
    g_assert_nonnull(strstr(bench.out->str, "1000 errors in 20 files\n"));
    g_assert_cmpuint(bench.out->len, <, 2000000);
    rendered(&bench, FINDINGS_JSON);
    g_assert_cmpint(g_get_monotonic_time() - started, <, 100 * pass);
    bench_close(&bench);
}

/* ---- machine forms ---------------------------------------------------------------------------------------------- */

static void writes_json(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa",
                        "\xef\xbb\xbf"
                        "é\nx yy\n");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "yy", 0), "say \"no\"");
    finding_label(bench.findings, finding, find(&bench, site, "é", 0), "l");
    finding_note(bench.findings, finding, "n");
    finding_help(bench.findings, finding, "h");
    g_assert_cmpstr(rendered(&bench, FINDINGS_JSON), ==,
                    "{\n"
                    "  \"format_version\": 1,\n"
                    "  \"findings\": [\n"
                    "    {\n"
                    "      \"code\": \"NM0004\",\n"
                    "      \"severity\": \"error\",\n"
                    "      \"message\": \"say \\\"no\\\"\",\n"
                    "      \"spans\": [\n"
                    "        {\n"
                    "          \"file\": \"a.numa\",\n"
                    "          \"start\": {\n"
                    "            \"line\": 2,\n"
                    "            \"column\": 3,\n"
                    "            \"byte\": 8\n"
                    "          },\n"
                    "          \"end\": {\n"
                    "            \"line\": 2,\n"
                    "            \"column\": 5,\n"
                    "            \"byte\": 10\n"
                    "          },\n"
                    "          \"is_primary\": true,\n"
                    "          \"label\": null\n"
                    "        },\n"
                    "        {\n"
                    "          \"file\": \"a.numa\",\n"
                    "          \"start\": {\n"
                    "            \"line\": 1,\n"
                    "            \"column\": 1,\n"
                    "            \"byte\": 3\n"
                    "          },\n"
                    "          \"end\": {\n"
                    "            \"line\": 1,\n"
                    "            \"column\": 2,\n"
                    "            \"byte\": 5\n"
                    "          },\n"
                    "          \"is_primary\": false,\n"
                    "          \"label\": \"l\"\n"
                    "        }\n"
                    "      ],\n"
                    "      \"notes\": [\n"
                    "        \"n\"\n"
                    "      ],\n"
                    "      \"helps\": [\n"
                    "        \"h\"\n"
                    "      ]\n"
                    "    }\n"
                    "  ],\n"
                    "  \"omitted\": [],\n"
                    "  \"accepted\": []\n"
                    "}\n");
    bench_close(&bench);
}

static void writes_empty_json(void)
{
    struct bench bench;
    bench_open(&bench);
    g_assert_cmpstr(rendered(&bench, FINDINGS_JSON), ==,
                    "{\n  \"format_version\": 1,\n  \"findings\": [],\n  \"omitted\": [],\n  \"accepted\": []\n}\n");
    bench_close(&bench);
}

static void writes_gcc_lines(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "one\ntwo\n");
    struct finding *finding = report(bench.findings, NM_usage, find(&bench, site, "two", 0), "m");
    finding_pointer(bench.findings, finding, "p");
    finding_label(bench.findings, finding, find(&bench, site, "one", 0), "l");
    finding_note(bench.findings, finding, "n");
    finding_help(bench.findings, finding, "h\nh");
    report(bench.findings, NM_usage, SPAN_NONE, "no place");
    g_assert_cmpstr(rendered(&bench, FINDINGS_GCC), ==,
                    "numac: error: no place [NM0004]\n"
                    "a.numa:2:1: error: m [NM0004]\n"
                    "a.numa:2:1: note: p\n"
                    "a.numa:1:1: note: l\n"
                    "a.numa:2:1: note: n\n"
                    "a.numa:2:1: note: help: h<U+000A>h\n");
    bench_close(&bench);
}

/* ---- properties ------------------------------------------------------------------------------------------------- */

static const char *const pieces[] = { "a",
                                      " ",
                                      "\t",
                                      "é",
                                      "日",
                                      "e\xcc\x81",
                                      "\n",
                                      "\r\n",
                                      "\033",
                                      "\xf0\x9f\x98\x80",
                                      "\xe2\x80\xae",
                                      "wide",
                                      "\xcc\x81",
                                      "\xef\xbb\xbf",
                                      "\r",
                                      "0123456789" };

static unsigned shown_width(const char *text)
{
    unsigned columns = 0;
    for (; *text; text += g_utf8_skip[(unsigned char)*text]) {
        gunichar character = g_utf8_get_char(text);
        g_assert_false(g_unichar_iscntrl(character));
        columns += g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
    }
    return columns;
}

/* Every row of marks belongs to the source line above and does not pass its end by more than the one column that
 * means "at the end". */
static void marks_lie_inside(const char *human)
{
    g_auto(GStrv) lines = g_strsplit(human, "\n", -1);
    unsigned line_width = 0, rows = 0;
    for (char **line = lines; *line; line++) {
        const char *bar = strstr(*line, " |");
        if (!bar || g_str_has_prefix(*line, "error"))
            continue;
        const char *text = bar + 2 + (bar[2] == ' ');
        if (strspn(*line, " ") < (size_t)(bar - *line)) { /* a line number */
            line_width = shown_width(text);
            g_assert_cmpuint(line_width, <=, 160);
        } else if (*text) {
            size_t marks = strspn(text, " ^-");
            g_assert_cmpuint(marks, ==, strlen(text));
            g_assert_cmpuint(marks, <=, line_width + 1);
            g_assert_nonnull(strpbrk(text, "^-"));
            rows++;
        }
    }
    g_assert_cmpuint(rows, >, 0);
}

static struct span random_span(struct bench *bench, GRand *random, uint32_t file)
{
    uint32_t length = source_at(bench->sources, file)->length;
    uint32_t begin = (uint32_t)g_rand_int_range(random, 0, (gint32)length + 1);
    uint32_t end = (uint32_t)g_rand_int_range(random, (gint32)begin, (gint32)length + 1);
    return (struct span){ file, begin, end };
}

static void marks_stay_inside_random_text(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20240229);
    for (unsigned round = 0; round < 3000; round++) {
        struct bench bench;
        bench_open(&bench);
        g_autoptr(GString) text = g_string_new(NULL);
        gint32 count = g_rand_int_range(random, 0, round % 10 ? 60 : 900);
        for (gint32 i = 0; i < count; i++) {
            size_t piece = (size_t)g_rand_int_range(random, 0, G_N_ELEMENTS(pieces));
            if (round % 3 || !strchr(pieces[piece], '\n'))
                g_string_append(text, pieces[piece]);
        }
        uint32_t file = add(&bench, "r.numa", text->str);
        struct finding *finding = report(bench.findings, NM_usage, random_span(&bench, random, file), "m");
        for (unsigned i = 0; i < 3; i++)
            finding_label(bench.findings, finding, random_span(&bench, random, file), "%s", "");
        for (unsigned i = 0; i < 3; i++)
            finding->labels[i].text = NULL; /* only rows of marks are wanted here */
        marks_lie_inside(rendered(&bench, FINDINGS_HUMAN));
        bench_close(&bench);
    }
}

/* The index must agree with counting. */
static void positions_agree_with_counting(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    struct sources *sources = sources_new();
    g_autoptr(GString) text = g_string_new(NULL);
    while (text->len < 30000)
        g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
    g_string_append(text, "x"); /* no mark at the very end, and not the one at its head that is taken off */
    g_string_prepend(text, "x");
    uint32_t file = sources_add_text(sources, "r.numa", text->str, text->len);
    uint32_t line = 1, column = 1, begin = 0;
    for (uint32_t i = 0; i <= text->len; i++) {
        struct position position = source_position(sources, file, i);
        g_assert_cmpuint(position.line, ==, line);
        g_assert_cmpuint(position.column, ==, column);
        g_assert_cmpuint(position.line_begin, ==, begin);
        size_t end = begin + strcspn(text->str + begin, "\n");
        end -= end > begin && text->str[end - 1] == '\r';
        g_assert_cmpuint(position.line_end, ==, end);
        if (i < text->len && text->str[i] == '\n') {
            line++;
            column = 1;
            begin = i + 1;
        } else if (i < text->len && (text->str[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    sources_free(sources);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diag/human/labels", shows_labels_notes_and_other_files);
    g_test_add_func("/diag/human/elision", aligns_gutters_and_elides_lines);
    g_test_add_func("/diag/human/between", shows_one_line_between_but_not_two);
    g_test_add_func("/diag/human/clamp", clamps_what_lies_behind_a_line);
    g_test_add_func("/diag/human/no-width", bounds_what_has_no_width);
    g_test_add_func("/diag/human/many-marks", draws_many_marks_on_one_line);
    g_test_add_func("/diag/human/nested", nested_marks_keep_their_texts);
    g_test_add_func("/diag/human/width", measures_tabs_and_wide_characters);
    g_test_add_func("/diag/human/controls", spells_out_what_steers_terminals);
    g_test_add_func("/diag/human/long-lines", cuts_long_lines_around_each_mark);
    g_test_add_func("/diag/human/ends", points_at_ends_and_nothing);
    g_test_add_func("/diag/human/includes", says_who_included_a_file);
    g_test_add_func("/diag/human/unreadable", shows_no_line_of_an_unreadable_file);
    g_test_add_func("/diag/human/silent", is_silent_without_findings);
    g_test_add_func("/diag/human/colour", colours_when_asked);
    g_test_add_func("/diag/bound", keeps_the_gravest_of_many);
    g_test_add_data_func("/diag/cost/lines", "\n", many_findings_cost_few_passes);
    g_test_add_data_func("/diag/cost/one-line", " ", many_findings_cost_few_passes);
    g_test_add_func("/diag/json/whole", writes_json);
    g_test_add_func("/diag/json/empty", writes_empty_json);
    g_test_add_func("/diag/gcc", writes_gcc_lines);
    g_test_add_func("/diag/property/marks", marks_stay_inside_random_text);
    g_test_add_func("/source/positions", positions_agree_with_counting);
    return g_test_run();
}
