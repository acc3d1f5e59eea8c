/* SPDX-License-Identifier: MIT
 *
 * Which exit status a run ends with, for each kind of trouble and each --fail-on.
 */
#include "session.h"

static struct session *opened(enum severity fail_on)
{
    static struct options options;
    options = (struct options){ .fail_on = fail_on };
    return session_open(&options);
}

static void is_fine_without_findings(void)
{
    g_assert_cmpint(session_close(opened(HINT)), ==, STATUS_FINE);
}

static void misuse_is_of_the_command_line(void)
{
    struct session *session = opened(ERROR);
    session_misuse(session, "there is no verb '%s'", "x");
    g_assert_cmpint(session_close(session), ==, STATUS_INPUT);
}

static int status_of_trouble(enum code code, const char *text, size_t length, bool is_included)
{
    struct session *session = opened(ERROR);
    uint32_t site = sources_add_text(session->sources, "site.numa", "include \"a.numa\"\n", 17);
    uint32_t file = sources_add_text(session->sources, "a.numa", text, length);
    if (is_included)
        source_note_include(session->sources, file, (struct span){ site, 8, 16 });
    report(session->findings, code, (struct span){ file, 0, 0 }, "trouble");
    return session_close(session);
}

static void input_that_is_no_text_is_apart(void)
{
    g_assert_cmpint(status_of_trouble(NM_not_text, "\xff", 1, false), ==, STATUS_INPUT);
    g_assert_cmpint(status_of_trouble(NM_not_text, "a\0b", 3, false), ==, STATUS_INPUT);
    g_assert_cmpint(status_of_trouble(NM_not_text, "\xff", 1, true), ==, STATUS_FINDINGS);
    g_assert_cmpint(status_of_trouble(NM_unreadable, "fine", 4, false), ==, STATUS_FINDINGS);
}

static void the_highest_status_counts(void)
{
    struct session *session = opened(ERROR);
    session->status = STATUS_REFUSED;
    session_misuse(session, "x");
    g_assert_cmpint(session_close(session), ==, STATUS_REFUSED);
    session = opened(ERROR);
    session->status = STATUS_FINDINGS;
    g_assert_cmpint(session_close(session), ==, STATUS_FINDINGS);
}

/* --fail-on moves the bound: a finding counts when it is at least that grave */
static void fail_on_is_the_bound(const void *severity_pointer)
{
    const enum severity severity = *(const enum severity *)severity_pointer;
    size_t count;
    const struct code_row *rows = code_rows(&count), *row = rows;
    while (row < rows + count && (row->severity != severity || row->code <= NM_usage))
        row++;
    if (row == rows + count) {
        g_test_skip("the catalogue has no such code");
        return;
    }
    for (enum severity fail_on = HINT; fail_on <= ERROR; fail_on++) {
        struct session *session = opened(fail_on);
        report(session->findings, row->code, SPAN_NONE, "x");
        g_assert_cmpint(session_close(session), ==, severity >= fail_on ? STATUS_FINDINGS : STATUS_FINE);
    }
}

int main(int argc, char **argv)
{
    static const enum severity severities[] = { HINT, WARNING, ERROR };
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/fine", is_fine_without_findings);
    g_test_add_func("/session/misuse", misuse_is_of_the_command_line);
    g_test_add_func("/session/input", input_that_is_no_text_is_apart);
    g_test_add_func("/session/highest", the_highest_status_counts);
    g_test_add_data_func("/session/fail-on/hint", &severities[0], fail_on_is_the_bound);
    g_test_add_data_func("/session/fail-on/warning", &severities[1], fail_on_is_the_bound);
    g_test_add_data_func("/session/fail-on/error", &severities[2], fail_on_is_the_bound);
    return g_test_run();
}
