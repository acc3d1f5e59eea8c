/* SPDX-License-Identifier: MIT
 *
 * numac plan SITE: the plan as a person reads it before deploying, or as JSON.
 */
#include "compile.h"
#include "emit/emit.h"
#include "verbs.h"

int verb_plan(const struct options *options)
{
    struct session *session = session_open(options);
    struct compiled compiled = compile_site(session, options->arguments.list[0]);
    if (compiled.is_clean && compiled.planned) {
        if (options->format == FINDINGS_JSON)
            write_plan_json(compiled.planned->plan, session->result);
        else
            write_plan_text(compiled.planned->plan, session->result);
    }
    return session_close(session);
}
