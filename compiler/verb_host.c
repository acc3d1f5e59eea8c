/* SPDX-License-Identifier: MIT
 *
 * `numac host show` and `numac host record`: one machine, as people, programs or later runs want it.
 */
#include <string.h>

#include "host/host.h"
#include "session.h"
#include "verbs.h"

static void show(struct session *session, const char *source, bool is_synthetic)
{
    const struct host *host = host_load(session->arena, session->sources, session->findings, source, is_synthetic,
                                        HOST_DEVICES | HOST_CACHES | HOST_PROGRAMS | HOST_ACCESSES, SPAN_NONE);
    if (!host)
        return;
    if (session->options->format == FINDINGS_JSON)
        host_show_json(host, session->result);
    else
        host_show_text(host, session->result);
}

static void record(struct session *session, const char *source, bool is_synthetic)
{
    if (!host_record(session->sources, session->findings, source, is_synthetic, session->result))
        g_string_truncate(session->result, 0);
}

static const struct {
    const char *name;
    void (*run)(struct session *session, const char *source, bool is_synthetic);
} actions[] = { { "show", show }, { "record", record } };

static const char *next_action(void *state)
{
    size_t *at = state;
    return *at < G_N_ELEMENTS(actions) ? actions[(*at)++].name : NULL;
}

/* The command line named the source, so one that is no text is wrong input, not a finding about a machine. */
static void judge_sources(struct session *session)
{
    for (uint32_t i = 1; i <= sources_count(session->sources); i++)
        if (source_at(session->sources, i)->trouble != SOURCE_FINE)
            session->status = STATUS_INPUT;
}

static void refuse_unknown(struct session *session, const char *name)
{
    size_t at = 0;
    const char *near = nearest_name(name, strlen(name), next_action, &at);
    struct finding *finding = session_misuse(session, "'host' cannot '%s'", name);
    if (near)
        finding_help(session->findings, finding, "did you mean '%s'?", near);
    else
        finding_help(session->findings, finding, "write 'numac host show' or 'numac host record'");
}

int verb_host(const struct options *options)
{
    struct session *session = session_open(options);
    const char *name = options->arguments.list[0];
    bool is_synthetic;
    const char *source = host_source(options->arguments.count > 1 ? options->arguments.list[1] : "live", &is_synthetic);
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++)
        if (strcmp(actions[i].name, name) == 0) {
            actions[i].run(session, source, is_synthetic);
            if (findings_have_errors(session->findings))
                judge_sources(session);
            return session_close(session);
        }
    refuse_unknown(session, name);
    return session_close(session);
}
