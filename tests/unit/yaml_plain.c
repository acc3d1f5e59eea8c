/* SPDX-License-Identifier: MIT
 *
 * The scanner of plain YAML beside libyaml: whatever it takes gives the same tokens at the same places, and it takes
 * what sites are written in.
 */
#include <string.h>

#include "diag/findings.h"
#include "syntax/yaml.h"

static void add_token(const struct yaml *yaml, GString *out)
{
    g_string_append_printf(out, "%d %u-%u", (int)yaml->token.type, yaml->where.begin, yaml->where.end);
    if (yaml->token.type == YAML_SCALAR_TOKEN)
        g_string_append_printf(out, " %d '%.*s'", (int)yaml->token.data.scalar.style,
                               (int)yaml->token.data.scalar.length, (const char *)yaml->token.data.scalar.value);
    g_string_append_c(out, '\n');
}

/* One line a token; NULL where the plain scanner is wanted and does not take the text. */
static char *tokens_of(const char *text, bool is_plain)
{
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    struct syntax *syntax = syntax_new(sources, findings);
    uint32_t file = sources_add_text(sources, "a.yaml", text, strlen(text));
    struct reading *reading = reading_begin(syntax, file, false, true);
    struct yaml yaml;
    yaml_open_with(&yaml, reading, is_plain);
    GString *out = g_string_new(NULL);
    bool is_taken = yaml.is_plain == is_plain;
    for (; is_taken && yaml.token.type != YAML_STREAM_END_TOKEN; yaml_next(&yaml))
        add_token(&yaml, out);
    add_token(&yaml, out);
    if (yaml.ended)
        g_string_append(out, "an error\n");
    yaml_close(&yaml);
    reading_end(reading);
    syntax_free(syntax);
    findings_free(findings);
    sources_free(sources);
    return g_string_free(out, !is_taken);
}

/* True: it was taken. */
static bool compare(const char *text)
{
    g_autofree char *plain = tokens_of(text, true);
    if (!plain)
        return false;
    g_autofree char *libyaml = tokens_of(text, false);
    if (strcmp(plain, libyaml) != 0)
        g_test_message("tokens differ of:\n%s", text);
    g_assert_cmpstr(plain, ==, libyaml);
    return true;
}

static void takes_what_sites_are_written_in(void)
{
    static const char *const texts[] = {
        "",
        "# nothing\n\n   \n",
        "a:",
        "a: 1",
        "host:\n  h0:\n    synthetic: \"pack:8 [numa(memory=1)] core:4 pu:1\"  # made up\n    hugepages:\n      2MiB:\n"
        "        0-7: 49152\n    versions: { libvirt: 9.0.0, qemu: 7.2.0 }\nguest:\n  g-1:\n    vcpus: 4 # few\n"
        "    node: 0-1,4 strict\n    use: [a, \"b c\", d]\n\n    # one\n  g.2:\n    cpus: core:0-3.pu:0\n",
        "a: {}\nb: []\nc: {d: {e: [1, [2]], f: x y}}\n",
        "a:\n  b:\n    c: $x\n  d: /dev/hugepages\ne: 'no: \n",
    };
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(texts); i++)
        g_assert_true(compare(texts[i]));
    g_assert_false(compare(texts[G_N_ELEMENTS(texts) - 1]));
}

static void leaves_the_rest(void)
{
    static const char *const texts[] = {
        " a: 1\n",           "a: b\n  c: d\n", "a: b\n c\n",   "a:\n    b: 1\n  c: 2\n",
        "a: b: c\n",         "a:b\n",          "a :b\n",       "a: &x 1\n",
        "a: *x\n",           "a: !t 1\n",      "a: |\n  b\n",  "- a\n",
        "a:\n- b\n",         "? a\n",          "a: \"\\n\"\n", "a: \"b\n  c\"\n",
        "a: [b,\n c]\n",     "a: [b, c\n",     "a: {b, c}\n",  "a: {b: c: d}\n",
        "a: [b: c]\n",       "a: {b:c}\n",     "a: [b] c\n",   "a: \"b\" c\n",
        "---\na: 1\n",       "a: 1\n...\n",    "a:\t1\n",      "a: 1\r\n",
        "a: \xc3\xa9\n",     "a: b#c\n",       "a: [b #c]\n",  "a: ~\n",
        "<<: a\n",           "a: @b\n",        "%YAML 1.1\n",  "a: {b: 1,}\n",
        "a: b # \xc3\xa9\n", "a: # \t\n",      "a: 'b'\n",     "\"a\": 1\n",
        "a: [b}\n",          "a: {b: [1}]\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *plain = tokens_of(texts[i], true);
        g_assert_cmpstr(plain, ==, NULL);
    }
}

static void add_one_of(GString *out, GRand *random, const char *const *pieces, size_t count)
{
    g_string_append(out, pieces[g_rand_int_range(random, 0, (gint32)count)]);
}

/* Lines that go together often enough, with a byte changed now and then. */
static void made_up_texts(void)
{
    static const char *const indents[] = { "", "", "", "  ", "  ", "    ", "   ", "# " };
    static const char *const keys[] = { "a", "b-1", "0-3,8", "2MiB", "x.y", "$v", "a b", "", "\"q\"", "-", "n:1" };
    static const char *const colons[] = { ": ", ":", ": ", ":  ", " : ", ":\t" };
    static const char *const values[] = {
        "",         "1",     "0-3 strict", "core:0.pu:1", "\"t: [x] #\"",
        "[a, b c]", "[]",    "{a: 1}",     "{}",          "{a: [b, {c: d}], e: \"f\"}",
        "x # c",    "\"\"",  "# c",        "a: b",        "'s'",
        "[a",       "{a}",   "x,y }",      "[a, [b]]",    "[a:, b]",
        "a #b",     "x  y ", "%x",         "- a"
    };
    static const char *const ends[] = { "\n", "\n", "\n", "\n\n", " \n", "\n  # c\n", "\r\n", "" };
    static const char odd[] = " \n:#-[]{},\"'\\&*!|>%@`?~.\t\x7f";
    g_autoptr(GRand) random = g_rand_new_with_seed(2026);
    unsigned taken = 0, tried = 0;
    for (; tried < 30000; tried++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (int lines = g_rand_int_range(random, 1, 6); lines > 0; lines--) {
            if (text->len)
                add_one_of(text, random, indents, G_N_ELEMENTS(indents));
            add_one_of(text, random, keys, g_rand_int_range(random, 0, 4) ? 6 : G_N_ELEMENTS(keys));
            add_one_of(text, random, colons, g_rand_int_range(random, 0, 4) ? 2 : G_N_ELEMENTS(colons));
            add_one_of(text, random, values, g_rand_int_range(random, 0, 4) ? 11 : G_N_ELEMENTS(values));
            add_one_of(text, random, ends, g_rand_int_range(random, 0, 4) ? 6 : G_N_ELEMENTS(ends));
        }
        if (text->len && g_rand_int_range(random, 0, 4) == 0)
            text->str[g_rand_int_range(random, 0, (gint32)text->len)] =
                odd[g_rand_int_range(random, 0, (gint32)sizeof odd - 1)];
        taken += compare(text->str);
    }
    g_test_message("%u of %u taken", taken, tried);
    g_assert_cmpuint(taken, >, 2000);
    g_assert_cmpuint(tried - taken, >, 2000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/yaml-plain/taken", takes_what_sites_are_written_in);
    g_test_add_func("/yaml-plain/left", leaves_the_rest);
    g_test_add_func("/yaml-plain/made-up", made_up_texts);
    return g_test_run();
}
