/* SPDX-License-Identifier: MIT
 *
 * Opens and closes a run: which stream the findings go to, and which exit status they make.
 */
#include "session.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "notation/notation.h"
#include "streams.h"
#include "today.h"
#include "verbs.h"

struct session *session_open(const struct options *options)
{
    struct session *session = g_new0(struct session, 1);
    session->options = options;
    session->arena = arena_new();
    session->sources = sources_new();
    session->findings = findings_new(session->sources);
    session->result = g_string_new(NULL);
    session->today = today();
    return session;
}

struct finding *session_misuse(struct session *session, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return report(session->findings, NM_usage, SPAN_NONE, "%s", text);
}

static bool is_about_input(const struct session *session, const struct finding *finding)
{
    switch ((int)finding->code) {
    case NM_usage:
        return true;
    case NM_unreadable:
    case NM_not_text:
    case NM_too_large:
        break;
    default:
        return false;
    }
    const struct source *source = source_at(session->sources, finding->span.file);
    return !finding->span.file || (source->trouble != SOURCE_FINE && !source->included_from);
}

static enum exit_status status_of(const struct session *session)
{
    enum exit_status status = session->status;
    if (findings_count(session->findings, session->options->fail_on))
        status = MAX(status, STATUS_FINDINGS);
    size_t count = findings_count(session->findings, HINT);
    for (size_t i = 0; i < count; i++)
        if (is_about_input(session, findings_nth(session->findings, i)))
            status = MAX(status, STATUS_INPUT);
    return status;
}

static int stream_of_findings(const struct session *session)
{
    return session->options->format == FINDINGS_HUMAN || session->result->len || session->has_heir ? STDERR_FILENO
                                                                                                   : STDOUT_FILENO;
}

/* Where hints fail they are told. */
static bool leaves_hints(const struct options *options)
{
    return options->verb && options->verb->leaves_hints && options->fail_on > HINT;
}

static void render(const struct session *session, struct findings *findings, int stream, GString *out)
{
    struct render_options options = {
        .format = session->options->format,
        .colour = stream_wants_colour(stream, session->options->colour),
        .hide_hints = leaves_hints(session->options),
    };
    findings_render(findings, &options, out);
}

static bool show_findings(const struct session *session)
{
    int stream = stream_of_findings(session);
    enum severity least = leaves_hints(session->options) ? WARNING : HINT;
    if (stream == STDERR_FILENO && !findings_count(session->findings, least) && !findings_accepted(session->findings))
        return true;
    g_autoptr(GString) text = g_string_new(NULL);
    helps_in_yaml(session->findings, session->sources, session->arena);
    render(session, session->findings, stream, text);
    return stream_write(stream, text->str, text->len) || stream == STDERR_FILENO;
}

bool session_show(struct session *session)
{
    if (!session->is_shown && !show_findings(session))
        session->write_error = errno;
    session->is_shown = true;
    return !session->write_error;
}

bool session_drain(struct session *session)
{
    session_show(session);
    if (!session->write_error && !stream_write(STDOUT_FILENO, session->result->str, session->result->len))
        session->write_error = errno;
    g_string_truncate(session->result, 0);
    return !session->write_error;
}

/* Behind all that was shown, so it is a report of its own. */
static void tell_write_error(const struct session *session)
{
    struct findings *findings = findings_new(session->sources);
    struct finding *finding = report(findings, NM_output_stream, SPAN_NONE, "standard output cannot be written: %s",
                                     g_strerror(session->write_error));
    finding_help(findings, finding, "make room there, or see why the program behind the pipe ended");
    g_autoptr(GString) text = g_string_new(NULL);
    render(session, findings, STDERR_FILENO, text);
    stream_write(STDERR_FILENO, text->str, text->len);
    findings_free(findings);
}

int session_close(struct session *session)
{
    enum exit_status status = status_of(session);
    /* a program that asked for JSON gets one document, and in trouble that is the findings */
    if (session->options->format == FINDINGS_JSON && findings_have_errors(session->findings))
        g_string_truncate(session->result, 0);
    if (!session_drain(session)) {
        tell_write_error(session);
        status = MAX(status, STATUS_FINDINGS);
    }
    g_string_free(session->result, TRUE);
    findings_free(session->findings);
    sources_free(session->sources);
    arena_free(session->arena);
    g_free(session);
    return (int)status;
}
