/* SPDX-License-Identifier: MIT
 *
 * The pipeline: a site's path in, the finished plan out.  Which verb wants it, and what it does with the plan, is not
 * known here.
 */
#pragma once

#include "ground/ground.h"
#include "session.h"

struct compiled {
    const struct site *site;
    const struct planned_site *planned; /* NULL where the site is no text */
    bool is_clean;                      /* no error was found in this site: its plan may be written */
};

struct compiled compile_site(struct session *session, const char *path);
