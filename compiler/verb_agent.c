/* SPDX-License-Identifier: MIT
 *
 * numac run, verify, stop, list, stat: the site compiled, and handed to numac-agent, which takes the place of this
 * process.
 */
#include "agent.h"
#include "verbs.h"

/* --pid is one guest, and no libvirt's. */
static bool is_one_process(struct session *session, const struct plan *plan)
{
    const struct options *options = session->options;
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->guest_count; i++)
        count += agent_guest_is_chosen(options, plan->guests[i].name);
    if (options->pid && options->connect)
        session_misuse(session, "a process is asked for with '--pid', and a libvirt with '--connect'");
    else if (options->pid && count != 1)
        finding_help(session->findings, session_misuse(session, "process %s cannot be %u guests", options->pid, count),
                     "name one guest behind the site");
    else
        return true;
    return false;
}

int verb_agent(const struct options *options)
{
    struct session *session = session_open(options);
    if (!options->arguments.count) {
        agent_become(session, NULL);
        return session_close(session);
    }
    struct compiled compiled = compile_site(session, options->arguments.list[0]);
    if (compiled.is_clean && compiled.planned && agent_guests_are_known(session, compiled.planned->plan) &&
        is_one_process(session, compiled.planned->plan))
        agent_become(session, &compiled);
    return session_close(session);
}
