/* SPDX-License-Identifier: MIT
 *
 * numac diff and apply: what libvirt has of each guest against the site.  The plan is written into libvirt's XML as
 * into a base; what that would change is the difference, so devices and whatever else numac does not rule never count.
 */
#include "agent.h"
#include "emit/emit.h"
#include "notation/notation.h"
#include "syntax/syntax.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct comparison {
    const struct plan_guest *guest; /* as it is where it was found */
    const char *there;              /* NULL: libvirt has no such guest */
    const char *host;               /* that it moved to; NULL: it is at home */
    GString *wanted, *diff;
};

static const struct planned_guest *guest_named(const struct compiled *compiled, const char *name)
{
    const struct planned_site *planned = compiled->planned;
    for (uint32_t i = 0; i < planned->plan->guest_count; i++)
        if (strcmp(planned->guests[i].plan->name, name) == 0)
            return &planned->guests[i];
    return NULL;
}

/* libvirt's XML is read as strictly as a base, since it is used as one. */
static bool write_over(struct session *session, const struct plan_guest *guest, const char *there, GString *out)
{
    g_autofree char *name = g_strdup_printf("%s of libvirt", guest->name);
    uint32_t file = sources_add_text(session->sources, name, there, strlen(there));
    struct syntax *syntax = syntax_new(session->sources, session->findings);
    struct domain_identity identity;
    size_t errors = findings_errors_met(session->findings);
    read_domain(syntax, file, &identity);
    bool fine = findings_errors_met(session->findings) == errors;
    syntax_free(syntax);
    const struct source *source = source_at(session->sources, file);
    struct base_text base = { source->text, source->length };
    if (fine)
        write_libvirt_xml(guest, &base, out);
    return fine;
}

static bool compare(struct session *session, const struct planned_guest *guest, struct comparison *comparison)
{
    const char *there = comparison->there ? comparison->there : "";
    if (!comparison->there)
        write_guest_xml(session, guest, comparison->wanted);
    else if (!write_over(session, guest->plan, there, comparison->wanted))
        return false;
    write_line_diff(guest->plan->name, (struct text){ there, strlen(there) },
                    (struct text){ comparison->wanted->str, comparison->wanted->len }, comparison->diff);
    return true;
}

/* ---- what is shown ---------------------------------------------------------------------------------------------- */

static void write_json(GArray *comparisons, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    json_number(&json, "format_version", 1);
    json_array(&json, "guests");
    for (unsigned i = 0; i < comparisons->len; i++) {
        const struct comparison *one = &g_array_index(comparisons, struct comparison, i);
        json_object(&json, NULL);
        json_string(&json, "name", one->guest->name);
        if (one->host)
            json_string(&json, "host", one->host);
        json_string(&json, "state", !one->there ? "absent" : one->diff->len ? "differs" : "same");
        json_text(&json, "diff", one->diff->str, one->diff->len);
        json_end(&json, '}');
    }
    json_end(&json, ']');
    json_end(&json, '}');
    json_finish(&json);
}

static void write_text(GArray *comparisons, GString *out)
{
    for (unsigned i = 0; i < comparisons->len; i++) {
        const struct comparison *one = &g_array_index(comparisons, struct comparison, i);
        g_string_append_printf(out, "guest %s", one->guest->name);
        if (one->host)
            g_string_append_printf(out, " on host %s", one->host);
        g_string_append_printf(out, ": %s\n",
                               !one->there      ? "libvirt has none"
                               : one->diff->len ? "differs"
                                                : "as in the site");
        if (one->there)
            append_bytes(out, one->diff->str, one->diff->len);
    }
}

/* ---- applying --------------------------------------------------------------------------------------------------- */

static bool is_agreed(struct session *session, unsigned count)
{
    if (session->options->yes)
        return true;
    char answer[16] = "";
    if (isatty(STDIN_FILENO) && session_drain(session)) {
        fprintf(stderr, "define %u guest%s? [y/N] ", count, count == 1 ? "" : "s");
        if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
            return true;
        session->is_shown = false; /* what follows is to be told, too */
    }
    struct finding *finding = report(session->findings, NM_not_applied, SPAN_NONE, "nothing was defined: %s",
                                     *answer ? "the answer was not 'y'" : "nobody said yes");
    finding_help(session->findings, finding, "add '--yes' where nobody can answer");
    return false;
}

static void apply(struct session *session, const struct compiled *compiled, GArray *comparisons)
{
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(struct agent_guest));
    for (unsigned i = 0; i < comparisons->len; i++) {
        const struct comparison *one = &g_array_index(comparisons, struct comparison, i);
        struct agent_guest guest = { one->guest->name, one->wanted->str, one->host };
        if (!one->there || one->diff->len)
            g_array_append_val(changed, guest);
    }
    if (!changed->len || !is_agreed(session, changed->len))
        return;
    int status = 0;
    GString *nothing = agent_ask(session, compiled, "define", (const struct agent_guest *)(const void *)changed->data,
                                 changed->len, &status);
    if (nothing)
        g_string_free(nothing, TRUE);
    session->status = MAX(session->status, (enum exit_status)status);
}

/* ---- the verbs -------------------------------------------------------------------------------------------------- */

/* As it is on a host that it may move to, or at home. */
static const struct planned_guest *found_on(const struct planned_guest *guest, const char *host)
{
    for (uint32_t m = 0; m < guest->plan->move_count; m++)
        if (strcmp(guest->plan->moves[m].host, host) == 0)
            return &guest->moves[m];
    return guest;
}

/* "name NUL xml NUL host NUL" for each guest. */
static bool read_answer(struct session *session, const struct compiled *compiled, const GString *answer,
                        GArray *comparisons)
{
    bool fine = true;
    const char *at = answer->str, *end = answer->str + answer->len;
    while (at < end) {
        const char *name = at, *xml = at + strlen(at) + 1, *host = xml < end ? xml + strlen(xml) + 1 : end;
        const struct planned_guest *guest = host < end ? guest_named(compiled, name) : NULL;
        if (!guest)
            bug("the agent answers about a guest that nobody asked for");
        guest = found_on(guest, host);
        struct comparison one = { .guest = guest->plan,
                                  .there = *xml ? xml : NULL,
                                  .host = *host ? host : NULL,
                                  .wanted = g_string_new(NULL),
                                  .diff = g_string_new(NULL) };
        fine &= compare(session, guest, &one);
        g_array_append_val(comparisons, one);
        at = host + strlen(host) + 1;
    }
    return fine;
}

static void free_comparison(void *pointer)
{
    struct comparison *one = pointer;
    g_string_free(one->wanted, TRUE);
    g_string_free(one->diff, TRUE);
}

static void compare_all(struct session *session, const struct compiled *compiled)
{
    int status = 0;
    GString *answer = agent_ask(session, compiled, "dump", NULL, 0, &status);
    if (!answer)
        return;
    session->status = MAX(session->status, (enum exit_status)status);
    GArray *comparisons = g_array_new(FALSE, FALSE, sizeof(struct comparison));
    g_array_set_clear_func(comparisons, free_comparison);
    bool fine = read_answer(session, compiled, answer, comparisons), differs = false;
    for (unsigned i = 0; i < comparisons->len; i++) {
        const struct comparison *one = &g_array_index(comparisons, struct comparison, i);
        differs |= !one->there || one->diff->len;
    }
    if (session->options->format == FINDINGS_JSON)
        write_json(comparisons, session->result);
    else
        write_text(comparisons, session->result);
    if (fine && status == 0 && strcmp(session->options->verb->name, "apply") == 0)
        apply(session, compiled, comparisons);
    else if (differs)
        session->status = MAX(session->status, STATUS_FINDINGS);
    g_array_free(comparisons, TRUE);
    g_string_free(answer, TRUE);
}

int verb_diff(const struct options *options)
{
    struct session *session = session_open(options);
    struct compiled compiled = compile_site(session, options->arguments.list[0]);
    if (compiled.is_clean && compiled.planned && agent_guests_are_known(session, compiled.planned->plan))
        compare_all(session, &compiled);
    return session_close(session);
}
