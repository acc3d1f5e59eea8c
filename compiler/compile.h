/* SPDX-License-Identifier: MIT
 *
 * The pipeline: a site's path in, the finished plan out.  Which verb wants it, and what it does with the plan, is not
 * known here.
 */
#pragma once

#include "plan/site_host.h"
#include "session.h"
#include "syntax/syntax.h"

struct compiled {
    struct syntax *syntax; /* keeps the trees that the model points into; freed by compiled_free() */
    const struct site *site;
    const struct planned_site *planned; /* NULL where the site is no text */
    bool is_clean; /* no error was found in this site: its plan may be written */
};

struct compiled compile_site(struct session *session, const char *path);
void compiled_free(struct compiled *compiled);
