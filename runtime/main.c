/* SPDX-License-Identifier: MIT
 *
 * numac-agent: started by numac with a bundle on a file descriptor.  Reads it, does it, tells, and ends with one of
 * numac's exit statuses.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "state.h"

enum { FINE = 0, FINDINGS = 1, USAGE = 2, REFUSED = 3 };

struct finding *tell(struct agent *agent, enum code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(agent->findings, code, SPAN_NONE, "%s", text);
    if (agent->step && !strstr(text, agent->step))
        finding_note(agent->findings, finding, "at step '%s'", agent->step);
    return finding;
}

void quote(struct agent *agent, struct finding *finding, const char *who, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line; line++)
        if (**line)
            finding_note(agent->findings, finding, "%s: %s", who, *line);
}

static void act(struct agent *agent)
{
    static void (*const verbs[VERB_COUNT])(struct agent * agent) = {
        [VERB_RUN] = verb_run,   [VERB_STOP] = verb_stop, [VERB_LIST] = verb_list,     [VERB_VERIFY] = verb_verify,
        [VERB_STAT] = verb_stat, [VERB_DUMP] = verb_dump, [VERB_DEFINE] = verb_define,
    };
    agent->state = state_open(agent);
    if (!agent->state)
        return;
    state_recover(agent);
    verbs[agent->bundle->verb](agent);
}

static bool write_all(int stream, const GString *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t put = write(stream, text->str + done, text->len - done);
        if (put < 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

bool agent_flush(struct agent *agent)
{
    bool fine = write_all(STDOUT_FILENO, agent->result);
    g_string_truncate(agent->result, 0);
    return fine;
}

/* For people as they come, beside a result or a guest's console; for programs one document, at the end. */
static bool show_findings(struct agent *agent)
{
    g_autoptr(GString) text = g_string_new(NULL);
    enum finding_format format = agent->bundle ? agent->bundle->format : FINDINGS_HUMAN;
    struct render_options options = { .format = format, .colour = agent->bundle && agent->bundle->colour };
    bool has_findings = findings_count(agent->findings, HINT) > 0;
    bool on_output = format != FINDINGS_HUMAN && !agent->result->len;
    if (has_findings || (on_output && format == FINDINGS_JSON))
        findings_render(agent->findings, &options, text);
    agent->has_failed |= findings_count(agent->findings, agent->bundle ? agent->bundle->fail_on : ERROR) > 0;
    return write_all(on_output ? STDOUT_FILENO : STDERR_FILENO, text);
}

void agent_tell_now(struct agent *agent)
{
    if (agent->bundle->format == FINDINGS_JSON)
        return;
    show_findings(agent);
    findings_free(agent->findings);
    agent->findings = findings_new(agent->sources);
}

static int show(struct agent *agent)
{
    bool fine = show_findings(agent) && write_all(STDOUT_FILENO, agent->result);
    if (agent->is_refused)
        return REFUSED;
    return fine && !agent->has_failed && !agent->guest_status ? FINE : FINDINGS;
}

static int descriptor_of(const char *word)
{
    char *end;
    long number = word ? strtol(word, &end, 10) : -1;
    return word && *end == 0 && number > STDERR_FILENO && number < 65536 ? (int)number : -1;
}

int main(int argc, char **argv)
{
    int file = argc == 2 ? descriptor_of(argv[1]) : -1;
    if (file < 0) {
        fputs("numac-agent is started by numac; see 'numac help run'\n", stderr);
        return USAGE;
    }
    interrupt_watch();
    struct agent agent = { .arena = arena_new(), .sources = sources_new(), .result = g_string_new(NULL) };
    agent.findings = findings_new(agent.sources);
    agent.bundle = bundle_read(agent.arena, agent.sources, agent.findings, file);
    if (agent.bundle)
        act(&agent);
    int status = agent.bundle ? show(&agent) : (show(&agent), REFUSED);
    g_string_free(agent.result, TRUE);
    findings_free(agent.findings);
    sources_free(agent.sources);
    arena_free(agent.arena);
    if (interrupt_signal()) {
        signal(interrupt_signal(), SIG_DFL);
        raise(interrupt_signal());
    }
    return status;
}
