/* SPDX-License-Identifier: MIT
 *
 * numac run, verify, stop, list, stat: the site compiled, and handed to numac-agent, which takes the place of this
 * process.
 */
#include "agent.h"
#include "verbs.h"

int verb_agent(const struct options *options)
{
    struct session *session = session_open(options);
    if (!options->arguments.count) {
        agent_become(session, NULL);
        return session_close(session);
    }
    struct compiled compiled = compile_site(session, options->arguments.list[0]);
    if (compiled.is_clean && compiled.planned && agent_guests_are_known(session, compiled.planned->plan))
        agent_become(session, &compiled);
    return session_close(session);
}
