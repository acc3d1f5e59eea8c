/* SPDX-License-Identifier: MIT
 *
 * Findings that the user accepts: what is kept back, for whom, and how it is counted.
 */
#include "finding_bench.h"

static void keeps_back_what_is_accepted(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "one two\nguest a {}\n");
    struct span one = find(&bench, site, "one", 0), two = find(&bench, site, "two", 0);
    struct acceptance warning = { .code = NM_unused_variable, .span = one, .reason = "known" },
                      error = { .code = NM_usage, .reason = "wished away" };
    struct acceptance *list[] = { &warning, &error };
    findings_accept(bench.findings, (struct acceptances){ list, 2 });
    struct finding *finding = report(bench.findings, NM_unused_variable, one, "x");
    g_assert_true(finding_is_repeated(bench.findings, finding));
    finding_label(bench.findings, finding, two, "l"); /* costs nothing and harms nobody */
    report(bench.findings, NM_unused_variable, one, "x again");
    report(bench.findings, NM_unused_variable, two, "y");
    g_assert_cmpuint(findings_count(bench.findings, HINT), ==, 0);
    g_assert_cmpuint(findings_accepted(bench.findings), ==, 2); /* a place twice is one finding */
    g_assert_cmpuint(warning.times, ==, 2);
    report(bench.findings, NM_usage, one, "an error stands");
    report(bench.findings, NM_unused_profile, one, "another code");
    g_assert_cmpuint(findings_count(bench.findings, HINT), ==, 2);
    g_assert_cmpuint(error.times, ==, 0);
    g_assert_cmpstr(rendered(&bench, FINDINGS_HUMAN), ==,
                    "error[NM0004]: an error stands\n"
                    "  --> a.numa:1:1\n"
                    "   |\n"
                    " 1 | one two\n"
                    "   | ^^^\n"
                    "\n"
                    "warning[NM0124]: another code\n"
                    "  --> a.numa:1:1\n"
                    "   |\n"
                    " 1 | one two\n"
                    "   | ^^^\n"
                    "\n"
                    "1 error, 1 warning, 2 accepted in a.numa\n");
    bench_close(&bench);
}

/* Two guests have a profile, and one of them accepts what is wrong in it. */
static void accepts_for_one_subject_only(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "one two\n");
    struct span one = find(&bench, site, "one", 0);
    struct acceptance warning = { .code = NM_unused_variable, .reason = "known" };
    struct acceptance *list[] = { &warning };
    findings_accept(bench.findings, (struct acceptances){ list, 1 });
    report(bench.findings, NM_unused_variable, one, "of the first");
    findings_accept(bench.findings, (struct acceptances){ 0 });
    report(bench.findings, NM_unused_variable, one, "of the second");
    report(bench.findings, NM_unused_variable, one, "of the third");
    g_assert_cmpuint(findings_count(bench.findings, WARNING), ==, 1);
    g_assert_cmpstr(findings_nth(bench.findings, 0)->message, ==, "of the second");
    findings_accept(bench.findings, (struct acceptances){ list, 1 });
    report(bench.findings, NM_unused_variable, one, "of the first");
    g_assert_cmpuint(findings_accepted(bench.findings), ==, 1);
    bench_close(&bench);
}

static void accepts_everywhere_and_here(void)
{
    struct bench bench;
    bench_open(&bench);
    uint32_t site = add(&bench, "a.numa", "one two\n");
    struct span one = find(&bench, site, "one", 0), two = find(&bench, site, "two", 0);
    struct acceptance everywhere = { .code = NM_unused_variable, .span = two, .reason = "of all" },
                      here = { .code = NM_unused_variable, .span = one, .reason = "of \"one\"", .until = "2027-01-31" };
    struct acceptance *all[] = { &everywhere }, *subject[] = { &here };
    findings_accept_all(bench.findings, (struct acceptances){ all, 1 });
    report(bench.findings, NM_unused_variable, two, "x");
    findings_accept(bench.findings, (struct acceptances){ subject, 1 });
    report(bench.findings, NM_unused_variable, one, "x"); /* both are used, one finding is kept back */
    g_assert_cmpuint(everywhere.times, ==, 2);
    g_assert_cmpuint(here.times, ==, 1);
    g_assert_cmpuint(findings_accepted(bench.findings), ==, 2);
    g_assert_cmpstr(rendered(&bench, FINDINGS_HUMAN), ==, "2 accepted\n");
    g_assert_cmpstr(rendered(&bench, FINDINGS_GCC), ==, "");
    g_assert_nonnull(strstr(rendered(&bench, FINDINGS_JSON), "  \"omitted\": [],\n"
                                                             "  \"accepted\": [\n"
                                                             "    {\n"
                                                             "      \"code\": \"NM0122\",\n"
                                                             "      \"span\": {\n"
                                                             "        \"file\": \"a.numa\",\n"));
    const char *first = strstr(bench.out->str, "\"reason\": \"of \\\"one\\\"\",\n"
                                               "      \"until\": \"2027-01-31\",\n"
                                               "      \"times\": 1\n");
    const char *second = strstr(bench.out->str, "\"reason\": \"of all\",\n"
                                                "      \"until\": null,\n"
                                                "      \"times\": 2\n");
    g_assert_true(first && second && first < second); /* by place, not by use */
    bench_close(&bench);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/accepted/kept-back", keeps_back_what_is_accepted);
    g_test_add_func("/accepted/one-subject", accepts_for_one_subject_only);
    g_test_add_func("/accepted/both", accepts_everywhere_and_here);
    return g_test_run();
}
